"""Item response theory: how the probability of an answer grows with ability."""

from __future__ import annotations

from inkmark.analytics.irt.fitting import FitArguments, fit_2pl, fit_3pl, fit_irt, fit_rasch
from inkmark.analytics.irt.information import ItemCurves, item_curves
from inkmark.analytics.irt.model import (
    BetaPrior,
    IrtFit,
    IrtOptions,
    ItemErrors,
    ItemModel,
    ItemParameters,
    ItemPriors,
    LognormalPrior,
    NormalPrior,
    ParameterKind,
    Prior,
)
from inkmark.analytics.irt.scoring import CandidateScores, ScoreMethod, score_candidates

__all__ = [
    "BetaPrior",
    "CandidateScores",
    "FitArguments",
    "IrtFit",
    "IrtOptions",
    "ItemCurves",
    "ItemErrors",
    "ItemModel",
    "ItemParameters",
    "ItemPriors",
    "LognormalPrior",
    "NormalPrior",
    "ParameterKind",
    "Prior",
    "ScoreMethod",
    "fit_2pl",
    "fit_3pl",
    "fit_irt",
    "fit_rasch",
    "item_curves",
    "score_candidates",
]
