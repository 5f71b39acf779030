"""Diagnosis: which attributes (knowledge points) candidates master, from what they solved.

`check_q` looks at a Q-matrix before the exam, `validate_q` after it. `fit_diagnosis` estimates
a model of items that need attributes; `model_fit` and `rule_tests` tell whether it is one for
the data. `mastery_profiles` says what the answers of candidates tell about their mastery, and
how surely; `group_profiles` adds up.
"""

from __future__ import annotations

from inkmark.analytics.acceleration import Stop
from inkmark.analytics.diagnosis.fit import fit_diagnosis
from inkmark.analytics.diagnosis.goodness import ModelFit, RuleTests, model_fit, rule_tests
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
from inkmark.analytics.diagnosis.q_matrix import QCheck, QValidation, check_q, validate_q

__all__ = [
    "ClassModel",
    "DiagnosisFit",
    "DiagnosisOptions",
    "DiagnosticItem",
    "GroupProfiles",
    "Information",
    "MasteryProfiles",
    "ModelFit",
    "QCheck",
    "QMatrix",
    "QValidation",
    "Rule",
    "RuleTests",
    "StartReport",
    "Stop",
    "Structure",
    "check_q",
    "fit_diagnosis",
    "group_profiles",
    "mastery_profiles",
    "model_fit",
    "rule_tests",
    "validate_q",
]
