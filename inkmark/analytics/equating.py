"""Observed-score equating: which score on form Y is worth a score on form X.

For two groups of equal ability (`equate`), and for two that differ and have taken the same
anchor items (`equate_anchored`). Notation and methods follow [1]_.

References
----------
.. [1] Kolen, M. J. and Brennan, R. L. "Test Equating, Scaling, and Linking", 3rd edition,
   Springer 2014, chapters 2 to 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inkmark.analytics.cohort import divided
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = [
    "AnchorMethod",
    "Equating",
    "EquatingMethod",
    "equate",
    "equate_anchored",
    "smoothed",
]

_MOST_SCORES = 2000
_MOST_STEPS = 100
_ENOUGH = 1e-10

_Sums = tuple[float, float, float, float, float]


class EquatingMethod(StrEnum):
    """For groups of equal ability."""

    MEAN = "mean"
    LINEAR = "linear"
    EQUIPERCENTILE = "equipercentile"


class AnchorMethod(StrEnum):
    """For groups that differ, with an anchor test that both have taken."""

    TUCKER_MEAN = "tucker-mean"
    TUCKER = "tucker"
    LEVINE = "levine"
    """Observed scores, for groups that differ much in ability."""
    CHAINED_LINEAR = "chained-linear"
    CHAINED_EQUIPERCENTILE = "chained-equipercentile"
    FREQUENCY_ESTIMATION = "frequency-estimation"


@dataclass(frozen=True, slots=True, eq=False)
class Equating:
    """A table of scores.

    Attributes
    ----------
    method : EquatingMethod or AnchorMethod
    n_x, n_y : int
        Candidates of the two forms.
    x : (k,) float64
        Scores on form X, from 0 to its full mark.
    y : (k,) float64
        What they are worth on form Y; not rounded, and for the equipercentile methods from
        half a step below zero to half a step above the full mark.
    """

    method: EquatingMethod | AnchorMethod
    n_x: int
    n_y: int
    x: FloatArray
    y: FloatArray


def equate(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    full_x: float,
    full_y: float,
    method: EquatingMethod = EquatingMethod.EQUIPERCENTILE,
    *,
    step: float = 1.0,
    degree: int | None = None,
) -> Equating:
    """Equate two forms that groups of equal ability have taken.

    Parameters
    ----------
    x, y : (n_x,), (n_y,) array of float
        Totals, multiples of the step from 0 to the full mark; NaN are left out.
    full_x, full_y : float
        Full marks.
    method : EquatingMethod
    step : float
        Distance of neighbouring scores.
    degree : int, optional
        Smooth both distributions first (`smoothed`), keeping as many moments.

    Returns
    -------
    Equating

    Raises
    ------
    AnalysisError
        If a form has no candidates, its scores do not vary or are none of the form's.
    """
    own, other = _steps(x, full_x, step, "x"), _steps(y, full_y, step, "y")
    f, g = (
        np.bincount(scores, minlength=_n_scores(full, step)).astype(np.float64)
        for scores, full in ((own, full_x), (other, full_y))
    )
    if degree is not None:
        f, g = smoothed(f, degree), smoothed(g, degree)
    f, g = f / f.sum(), g / g.sum()
    scores = np.arange(len(f), dtype=np.float64)
    if method is EquatingMethod.EQUIPERCENTILE:
        equivalents = _equipercentile(scores, f, g)
    else:
        (mean_x, var_x), (mean_y, var_y) = _moments(f), _moments(g)
        slope = 1.0 if method is EquatingMethod.MEAN else _ratio(var_y, var_x, "form X")
        equivalents = mean_y + slope * (scores - mean_x)
    return Equating(method, len(own), len(other), scores * step, equivalents * step)


def equate_anchored(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    full: tuple[float, float, float],
    method: AnchorMethod = AnchorMethod.CHAINED_EQUIPERCENTILE,
    *,
    internal: bool = True,
    weight: float | None = None,
    step: float = 1.0,
    degree: int | None = None,
) -> Equating:
    """Equate two forms by an anchor test.

    Parameters
    ----------
    x : (n_x, 2) array of float
        Totals on form X and scores on the anchor of those who took form X.
    y : (n_y, 2) array of float
        The same of form Y. Rows with a NaN are left out.
    full : (float, float, float)
        Full marks of form X, form Y and the anchor.
    method : AnchorMethod
    internal : bool
        Whether the anchor is part of both totals.
    weight : float, optional
        Share of those who took form X in the synthetic population, 0 to 1; by default that
        of the candidates. Chained methods need none.
    step : float
        Distance of neighbouring scores.
    degree : int, optional
        Smooth both joint distributions first, keeping as many moments of each test and the
        product moment; for the equipercentile methods.

    Returns
    -------
    Equating

    Raises
    ------
    AnalysisError
        If a form has no candidates, its scores do not vary or are none of the form's.
    """
    full_x, full_y, full_v = full
    own = _pairs(x, (full_x, full_v), step, "x")
    other = _pairs(y, (full_y, full_v), step, "y")
    n_x, n_y = len(own[0]), len(other[0])
    w = n_x / (n_x + n_y) if weight is None else weight
    if not 0 <= w <= 1:
        raise AnalysisError(f"Weight {w} is no share of a population. Give 0 to 1.")
    scores = np.arange(_n_scores(full_x, step), dtype=np.float64)
    if method in (AnchorMethod.CHAINED_EQUIPERCENTILE, AnchorMethod.FREQUENCY_ESTIMATION):
        joint_x = _joint(own, (len(scores), _n_scores(full_v, step)), degree)
        joint_y = _joint(other, (_n_scores(full_y, step), _n_scores(full_v, step)), degree)
        if method is AnchorMethod.CHAINED_EQUIPERCENTILE:
            anchor = _equipercentile(scores, joint_x.sum(axis=1), joint_x.sum(axis=0))
            equivalents = _equipercentile(anchor, joint_y.sum(axis=0), joint_y.sum(axis=1))
        else:
            f = _synthetic(joint_x, joint_y.sum(axis=0), w)
            g = _synthetic(joint_y, joint_x.sum(axis=0), 1 - w)
            equivalents = _equipercentile(scores, f, g)
    else:
        intercept, slope = _linear(_sums(*own), _sums(*other), method, internal, w)
        equivalents = intercept + slope * scores
    return Equating(method, n_x, n_y, scores * step, equivalents * step)


def smoothed(counts: npt.ArrayLike, degree: int) -> FloatArray:
    """Smooth a distribution by a polynomial log-linear model.

    The counts of the result have the moments of the given ones up to the degree.

    Parameters
    ----------
    counts : (k,) or (k, l) array of float
        How many have each score, or each pair of scores; then the product moment is kept too.
    degree : int
        Moments kept of each test; 1 or more.

    Returns
    -------
    array of float64
        Of the same shape and sum, positive everywhere.

    Raises
    ------
    AnalysisError
        If the degree is too high for the scores that occur, so that nothing settles.

    References
    ----------
    .. [1] Holland, P. W. and Thayer, D. T. "Univariate and bivariate loglinear models for
       discrete test score distributions", J. Educ. Behav. Stat. 25, 2000.
    """
    observed = np.asarray(counts, dtype=np.float64)
    axes = np.meshgrid(*(np.linspace(-1, 1, k) for k in observed.shape), indexing="ij")
    columns = [axis.ravel() ** d for axis in axes for d in range(1, degree + 1)]
    if len(axes) > 1:
        columns.append((axes[0] * axes[1]).ravel())
    design, _ = np.linalg.qr(np.column_stack([np.ones(observed.size), *columns]))
    target = observed.ravel()
    fitted = 0.5 * target + 0.5 * target.mean()
    weights = design.T @ np.log(fitted)
    best = -np.inf
    for _ in range(_MOST_STEPS):
        fitted = np.exp(np.clip(design @ weights, -700, 700))
        gradient = design.T @ (target - fitted)
        if np.abs(gradient).max() < _ENOUGH * max(target.sum(), 1.0):
            return np.asarray(fitted.reshape(observed.shape))
        step = np.linalg.lstsq(design.T @ (fitted[:, None] * design), gradient, rcond=None)[0]
        best = float(target @ (design @ weights) - fitted.sum())
        length = 1.0
        while length > _ENOUGH:  # a step too far is halved
            tried = design @ (weights + length * step)
            if float(target @ tried - np.exp(np.clip(tried, -700, 700)).sum()) >= best - 1e-9:
                break
            length /= 2
        weights = weights + length * step
    raise AnalysisError(
        f"Smoothing to {degree} moments does not settle. Keep fewer, or give more candidates."
    )


def _n_scores(full: float, step: float) -> int:
    n = round(full / step) + 1 if step > 0 else 0
    if not 1 < n <= _MOST_SCORES or abs((n - 1) * step - full) > _ENOUGH * full:
        raise AnalysisError(
            f"A full mark of {full} in steps of {step} makes no scale of scores. Give a full "
            f"mark that is a multiple of the step, at most {_MOST_SCORES - 1} times."
        )
    return n


def _steps(scores: npt.ArrayLike, full: float, step: float, name: str) -> IntArray:
    highest = _n_scores(full, step) - 1
    values = np.asarray(scores, dtype=np.float64)
    values = values[~np.isnan(values)] / step
    whole = np.rint(values)
    if not values.size:
        raise AnalysisError(f"Nobody has a score on {name}. Give at least one.")
    if (np.abs(values - whole) > 1e-6).any() or whole.min() < 0 or whole.max() > highest:
        raise AnalysisError(
            f"Scores on {name} are not all multiples of {step} from 0 to {full}. Correct the "
            "scores, the full mark or the step."
        )
    return whole.astype(np.int64)


def _pairs(
    scores: npt.ArrayLike, full: tuple[float, float], step: float, name: str
) -> tuple[IntArray, IntArray]:
    both = np.asarray(scores, dtype=np.float64)
    if both.ndim != 2 or both.shape[1] != 2:
        raise AnalysisError(
            f"Scores of shape {both.shape} on form {name} are no totals with anchor scores. "
            "Give one row of the two for every candidate."
        )
    both = both[~np.isnan(both).any(axis=1)]
    return (
        _steps(both[:, 0], full[0], step, name),
        _steps(both[:, 1], full[1], step, f"the anchor of {name}"),
    )


def _moments(shares: FloatArray) -> tuple[float, float]:
    scores = np.arange(len(shares))
    mean = float(shares @ scores)
    return mean, float(shares @ (scores - mean) ** 2)


def _ratio(var_y: float, var_x: float, what: str) -> float:
    """Ratio of two standard deviations."""
    if var_x <= 0:
        raise AnalysisError(f"The scores on {what} do not vary. Nothing can be equated by them.")
    return float(np.sqrt(var_y / var_x))


def _linear(
    own: _Sums, other: _Sums, method: AnchorMethod, internal: bool, w: float
) -> tuple[float, float]:
    """Intercept and slope of the line that gives the scores on Y."""
    mean_x, var_x, mean_v1, var_v1, cov_x = own
    mean_y, var_y, mean_v2, var_v2, cov_y = other
    if method is AnchorMethod.CHAINED_LINEAR:
        first, second = _ratio(var_v1, var_x, "form X"), _ratio(var_y, var_v2, "the anchor")
        return mean_y + second * (mean_v1 - first * mean_x - mean_v2), second * first
    if min(var_v1, var_v2) <= 0:
        raise AnalysisError(
            "The anchor scores of a form do not vary. Nothing can be equated by them."
        )
    if method is AnchorMethod.LEVINE:
        if internal:
            slopes = divided(var_x, cov_x), divided(var_y, cov_y)
        else:
            slopes = divided(var_x + cov_x, var_v1 + cov_x), divided(var_y + cov_y, var_v2 + cov_y)
    else:
        slopes = divided(cov_x, var_v1), divided(cov_y, var_v2)
    gamma_x, gamma_y = float(slopes[0]), float(slopes[1])
    apart, spread = mean_v1 - mean_v2, var_v1 - var_v2
    both = w * (1 - w) * apart**2
    mean_sx = mean_x - (1 - w) * gamma_x * apart
    mean_sy = mean_y + w * gamma_y * apart
    var_sx = var_x - (1 - w) * gamma_x**2 * spread + both * gamma_x**2
    var_sy = var_y + w * gamma_y**2 * spread + both * gamma_y**2
    slope = 1.0 if method is AnchorMethod.TUCKER_MEAN else _ratio(var_sy, var_sx, "form X")
    return mean_sy - slope * mean_sx, slope


def _sums(total: IntArray, anchor: IntArray) -> _Sums:
    """Mean and variance of the total and of the anchor, and their covariance, divisor N - 1."""
    covariance = np.cov(total, anchor) if len(total) > 1 else np.zeros((2, 2))
    return (
        float(total.mean()),
        float(covariance[0, 0]),
        float(anchor.mean()),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
    )


def _joint(
    pairs: tuple[IntArray, IntArray], shape: tuple[int, int], degree: int | None
) -> FloatArray:
    cells = np.bincount(pairs[0] * shape[1] + pairs[1], minlength=shape[0] * shape[1])
    counts = cells.reshape(shape).astype(np.float64)
    if degree is not None:
        counts = smoothed(counts, degree)
    return np.asarray(counts / counts.sum())


def _synthetic(joint: FloatArray, other_anchor: FloatArray, w: float) -> FloatArray:
    """Scores of a population that is to the share w the own group, else like the other.

    Who has an anchor score is taken to do as well on the form in both groups. Anchor scores
    of the other group that the own has not tell nothing and are left out.
    """
    anchor = joint.sum(axis=0)
    given = divided(joint, anchor)
    shared = np.where(anchor > 0, other_anchor, 0.0)
    likely = np.nan_to_num(given) @ (shared / shared.sum()) if shared.any() else joint.sum(axis=1)
    return np.asarray(w * joint.sum(axis=1) + (1 - w) * likely, dtype=np.float64)


def _equipercentile(scores: FloatArray, f: FloatArray, g: FloatArray) -> FloatArray:
    """Scores of the distribution g at the percentile ranks that scores have in f."""
    nearest = np.clip(np.floor(scores + 0.5), 0, len(f) - 1).astype(np.int64)
    below = np.concatenate(([0.0], np.cumsum(f)))
    part = np.clip(scores - (nearest - 0.5), 0.0, 1.0)
    rank = np.clip(below[nearest] + part * f[nearest], 0.0, 1.0)
    up_to = np.cumsum(g)
    # The lowest score that more than the rank reach; none above the highest that occurs.
    top = int(np.flatnonzero(g > 0)[-1])
    upper = np.minimum(np.searchsorted(up_to, rank + _ENOUGH, side="right"), top)
    under = np.where(upper > 0, up_to[upper - 1], 0.0)
    part = np.clip(divided(rank - under, g[upper]), 0.0, 1.0)
    equivalents = upper - 0.5 + np.nan_to_num(part)
    return np.asarray(np.where(rank <= _ENOUGH, -0.5, equivalents), dtype=np.float64)
