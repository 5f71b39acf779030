"""Item response theory: how the probability of an answer grows with ability."""

from __future__ import annotations

from inkmark.analytics.irt.dif import (
    DifClass,
    LogisticDif,
    MantelHaenszelDif,
    logistic_dif,
    mantel_haenszel_dif,
)
from inkmark.analytics.irt.fitting import FitArguments, fit_2pl, fit_3pl, fit_irt, fit_rasch
from inkmark.analytics.irt.information import ItemCurves, item_curves
from inkmark.analytics.irt.item_fit import (
    ItemFit,
    LocalDependence,
    item_fit,
    local_dependence,
)
from inkmark.analytics.irt.likelihood_dif import LikelihoodDif, likelihood_dif
from inkmark.analytics.irt.linking import (
    Linking,
    LinkingMethod,
    chain_links,
    link_forms,
    on_base_scale,
)
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
from inkmark.analytics.irt.moment_fit import MomentFit, Moments, moment_fit
from inkmark.analytics.irt.scoring import CandidateScores, ScoreMethod, score_candidates
from inkmark.analytics.irt.simulation import simulate_responses

__all__ = [
    "BetaPrior",
    "CandidateScores",
    "DifClass",
    "FitArguments",
    "IrtFit",
    "IrtOptions",
    "ItemCurves",
    "ItemErrors",
    "ItemFit",
    "ItemModel",
    "ItemParameters",
    "ItemPriors",
    "LikelihoodDif",
    "Linking",
    "LinkingMethod",
    "LocalDependence",
    "LogisticDif",
    "LognormalPrior",
    "MantelHaenszelDif",
    "MomentFit",
    "Moments",
    "NormalPrior",
    "ParameterKind",
    "Prior",
    "ScoreMethod",
    "chain_links",
    "fit_2pl",
    "fit_3pl",
    "fit_irt",
    "fit_rasch",
    "item_curves",
    "item_fit",
    "likelihood_dif",
    "link_forms",
    "local_dependence",
    "logistic_dif",
    "mantel_haenszel_dif",
    "moment_fit",
    "on_base_scale",
    "score_candidates",
    "simulate_responses",
]
