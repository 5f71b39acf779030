"""Diagnosis: which attributes (knowledge points) candidates master, from what they solved.

`fit_diagnosis` estimates a model of items that need attributes; `mastery_profiles` says what
the answers of candidates tell about their mastery, and how surely; `group_profiles` adds up.
"""

from __future__ import annotations

from inkmark.analytics.acceleration import Stop
from inkmark.analytics.diagnosis.fit import fit_diagnosis
from inkmark.analytics.diagnosis.model import (
    ClassModel,
    DiagnosisFit,
    DiagnosisOptions,
    DiagnosticItem,
    Information,
    QMatrix,
    Rule,
    StartReport,
    Structure,
)
from inkmark.analytics.diagnosis.profiles import (
    GroupProfiles,
    MasteryProfiles,
    group_profiles,
    mastery_profiles,
)

__all__ = [
    "ClassModel",
    "DiagnosisFit",
    "DiagnosisOptions",
    "DiagnosticItem",
    "GroupProfiles",
    "Information",
    "MasteryProfiles",
    "QMatrix",
    "Rule",
    "StartReport",
    "Stop",
    "Structure",
    "fit_diagnosis",
    "group_profiles",
    "mastery_profiles",
]
