"""Copied answers and unlikely answer patterns: what deserves a second look by people."""

from __future__ import annotations

from inkmark.analytics.integrity.copying import screen_copying
from inkmark.analytics.integrity.curves import nominal_probabilities
from inkmark.analytics.integrity.evidence import MatchRun, PairEvidence, pair_evidence
from inkmark.analytics.integrity.model import (
    Answers,
    CopyIndex,
    CopyOptions,
    CopyPairs,
    CopyScreening,
    OptionCurves,
    Seats,
)
from inkmark.analytics.integrity.person_fit import (
    GuttmanFit,
    PersonFit,
    guttman_fit,
    person_fit,
)
from inkmark.analytics.significance import Adjustment

__all__ = [
    "Adjustment",
    "Answers",
    "CopyIndex",
    "CopyOptions",
    "CopyPairs",
    "CopyScreening",
    "GuttmanFit",
    "MatchRun",
    "OptionCurves",
    "PairEvidence",
    "PersonFit",
    "Seats",
    "guttman_fit",
    "nominal_probabilities",
    "pair_evidence",
    "person_fit",
    "screen_copying",
]
