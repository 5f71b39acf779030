"""What item response models take and give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

import numpy as np

from inkmark.analytics.model import AnalysisWarning, FloatArray
from inkmark.errors import AnalysisError

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
]


class ItemModel(StrEnum):
    """How the probability of each category of an item depends on ability."""

    RASCH = "rasch"
    """Right or wrong, slope 1 for all items."""
    PL2 = "2pl"
    """Right or wrong, a slope for each item."""
    PL3 = "3pl"
    """2PL with a lower asymptote, the chance of guessing right."""
    GRM = "grm"
    """Graded response: logits of reaching a category or a higher one."""
    PCM = "pcm"
    """Partial credit: logits of neighbouring categories, slope 1 for all items."""
    GPCM = "gpcm"
    """Generalised partial credit: a slope for each item."""
    NOMINAL = "nominal"
    """A slope and an intercept for each category, which need have no order."""

    @property
    def is_binary(self) -> bool:
        """Whether the item is right or wrong."""
        return self in (ItemModel.RASCH, ItemModel.PL2, ItemModel.PL3)

    @property
    def is_graded(self) -> bool:
        """Whether logits are of "this category or a higher one"."""
        return self.is_binary or self is ItemModel.GRM

    @property
    def has_fixed_slope(self) -> bool:
        """Whether all items have slope 1, and the variance of ability is free."""
        return self in (ItemModel.RASCH, ItemModel.PCM)


class Prior(Protocol):
    """What is known about a parameter before the data."""

    def terms(self, value: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log-density up to a constant, with its first and second derivative.

        Parameters
        ----------
        value : (n,) float64
            Slopes a, intercepts d, or logits of the guessing parameter.

        Returns
        -------
        (n,) float64, (n,) float64, (n,) float64
            Minus infinity where a value is impossible.
        """
        ...


@dataclass(frozen=True, slots=True)
class LognormalPrior:
    """ln(a) is normal: slopes stay positive and do not run away.

    Attributes
    ----------
    mean, sd : float
        Of ln(a).
    """

    mean: float = 0.0
    sd: float = 0.5

    def terms(self, value: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """See `Prior`."""
        safe = np.where(value > 0, value, 1.0)
        z = (np.log(safe) - self.mean) / self.sd**2
        density = np.where(value > 0, -0.5 * z**2 * self.sd**2 - np.log(safe), -math.inf)
        return density, -(z + 1) / safe, (z + 1 - self.sd**-2) / safe**2


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """The parameter itself is normal.

    Attributes
    ----------
    mean, sd : float
        Of the slope, of the intercept, or of the logit of the guessing parameter.
    """

    mean: float
    sd: float

    def terms(self, value: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """See `Prior`."""
        z = (value - self.mean) / self.sd**2
        return -0.5 * z**2 * self.sd**2, -z, np.full_like(z, -(self.sd**-2))


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """The guessing parameter has a beta distribution with its mode at (a - 1) / (a + b - 2).

    Attributes
    ----------
    alpha, beta : float
        As if alpha - 1 of alpha + beta - 2 candidates who do not know had guessed right.
    """

    alpha: float = 5.0
    beta: float = 17.0

    def terms(self, value: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """See `Prior`; the value is the logit."""
        right, wrong = self.alpha - 1, self.beta - 1
        chance = 1 / (1 + np.exp(-value))
        density = -right * np.logaddexp(0, -value) - wrong * np.logaddexp(0, value)
        return (
            density,
            right * (1 - chance) - wrong * chance,
            -(right + wrong) * chance * (1 - chance),
        )


@dataclass(frozen=True, slots=True)
class ItemPriors:
    """Priors of the items of a model; None leaves a parameter to the data alone.

    Attributes
    ----------
    slope : Prior or None
        Of a.
    intercept : Prior or None
        Of d, right-or-wrong items only.
    guessing : Prior or None
        Of logit(g), 3PL only.
    """

    slope: Prior | None = None
    intercept: Prior | None = None
    guessing: Prior | None = None


_WEAK = MappingProxyType(
    {ItemModel.PL3: ItemPriors(LognormalPrior(), NormalPrior(0.0, 5.0), BetaPrior())}
)


@dataclass(frozen=True, slots=True)
class IrtOptions:
    """How a model is fitted.

    Attributes
    ----------
    n_nodes : int
        Equally spaced abilities over which the normal distribution is summed.
    reach : float
        The nodes go from minus this to this.
    priors : mapping of ItemModel to ItemPriors
        By default only 3PL items have priors, weak ones, as they cannot be fitted without.
    tolerance : float
        The fit ends when the gain in log-likelihood still to be had, as its curvature
        predicts it, is below this: then each parameter is within sqrt(2 tolerance)
        standard errors of the maximum.
    max_iterations : int
        Passes over the data.
    """

    n_nodes: int = 61
    reach: float = 6.0
    priors: Mapping[ItemModel, ItemPriors] = field(default_factory=lambda: _WEAK)
    tolerance: float = 1e-9
    max_iterations: int = 500

    def __post_init__(self) -> None:
        for name, value, least in (
            ("n_nodes", self.n_nodes, 5),
            ("reach", self.reach, 1),
            ("tolerance", self.tolerance, 1e-12),
            ("max_iterations", self.max_iterations, 1),
        ):
            if not value >= least:
                raise AnalysisError(f"{name} is {value}. Give at least {least}.")


@dataclass(frozen=True, slots=True, eq=False)
class ItemParameters:
    """Parameters of m items of at most K categories; categories count from 0.

    A right-or-wrong or graded item has P(x >= k) = g + (1 - g) / (1 + exp(-(a theta + d_k)));
    the others have P(x = k) proportional to exp(s_k theta + d_k), where s_k is k a in partial
    credit items, and s_0 = d_0 = 0.

    Attributes
    ----------
    names : tuple of str
    models : tuple of ItemModel
    categories : tuple of tuple of int
        Values of the responses that are categories 0, 1, 2 ... of each item; empty for an
        item that could not be fitted, whose parameters are NaN.
    a : (m,) float64
        Slopes (discrimination); NaN in nominal items.
    d : (m, K - 1) float64
        Intercepts of the categories from 1 on; NaN beyond the categories of an item.
    g : (m,) float64
        Guessing parameters, 0 where the model has none.
    s : (m, K - 1) float64
        Slopes of the categories of nominal items; NaN elsewhere.
    """

    names: tuple[str, ...]
    models: tuple[ItemModel, ...]
    categories: tuple[tuple[int, ...], ...]
    a: FloatArray
    d: FloatArray
    g: FloatArray
    s: FloatArray

    @property
    def b(self) -> FloatArray:
        """(m, K - 1): difficulty, or thresholds: where the logits of d are 0.

        Right-or-wrong and graded items: -d_k / a. Partial credit: -(d_k - d_(k-1)) / a, where
        category k becomes as probable as k - 1. NaN in nominal items.
        """
        graded = np.array([model.is_graded for model in self.models], dtype=bool)
        before = np.concatenate([np.zeros((len(self.d), 1)), self.d[:, :-1]], axis=1)
        step = np.where(graded[:, None], self.d, self.d - before)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-step / self.a[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class ItemErrors:
    """Standard errors; shapes as in `ItemParameters`, NaN where a parameter is not free.

    Attributes
    ----------
    a : (m,) float64
    d, b : (m, K - 1) float64
        Those of b by the delta method.
    g : (m,) float64
    logit_g : (m,) float64
        Of ln(g / (1 - g)), the scale on which g is fitted.
    s : (m, K - 1) float64
    """

    a: FloatArray
    d: FloatArray
    b: FloatArray
    g: FloatArray
    logit_g: FloatArray
    s: FloatArray


class ParameterKind(StrEnum):
    """What a row of the covariance matrix is about."""

    SLOPE = "a"
    INTERCEPT = "d"
    GUESSING = "logit g"
    CATEGORY_SLOPE = "s"
    MEAN = "mean"
    LOG_SD = "log sd"


@dataclass(frozen=True, slots=True, eq=False)
class IrtFit:
    """A fitted paper.

    Attributes
    ----------
    items : ItemParameters
    errors : ItemErrors
        From the observed information, the second derivative of the log-likelihood.
    groups : tuple of str
        In the order given by their labels; one group, named "", where none were given.
    mean, variance : (g,) float64
        Of ability in each group.
    mean_error, variance_error : (g,) float64
        Their standard errors; NaN where fixed.
    log_likelihood : float
    log_posterior : float
        With the log-densities of the priors, constants left out; it is what was maximised.
    n_candidates : int
        Rows, those without any response among them.
    n_parameters : int
    covariance : (p, p) float64
        Of the free parameters; NaN where the information cannot be inverted.
    parameters : tuple of (ParameterKind, int, int)
        What each row of the covariance is: kind, item (or group), category (or 0).
    nodes : (q,) float64
    weights : (g, q) float64
        Distribution of ability in each group over the nodes.
    n_iterations : int
        Passes over the data.
    converged : bool
    reason : str
        Why the fit ended.
    warnings : tuple of AnalysisWarning
    """

    items: ItemParameters
    errors: ItemErrors
    groups: tuple[str, ...]
    mean: FloatArray
    variance: FloatArray
    mean_error: FloatArray
    variance_error: FloatArray
    log_likelihood: float
    log_posterior: float
    n_candidates: int
    n_parameters: int
    covariance: FloatArray
    parameters: tuple[tuple[ParameterKind, int, int], ...]
    nodes: FloatArray
    weights: FloatArray
    n_iterations: int
    converged: bool
    reason: str
    warnings: tuple[AnalysisWarning, ...]

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return self.n_parameters * math.log(self.n_candidates) - 2 * self.log_likelihood
