"""Item response theory: how the probability of an answer grows with ability."""

from __future__ import annotations

from inkmark.analytics.irt.fitting import fit_2pl, fit_irt, fit_rasch
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

__all__ = [
    "BetaPrior",
    "IrtFit",
    "IrtOptions",
    "ItemErrors",
    "ItemModel",
    "ItemParameters",
    "ItemPriors",
    "LognormalPrior",
    "NormalPrior",
    "ParameterKind",
    "Prior",
    "fit_2pl",
    "fit_irt",
    "fit_rasch",
]
