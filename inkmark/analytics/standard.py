"""Standard scores: Z, T, linear and normalised scales, percentile ranks.

Totals that are NaN count for nothing and stay NaN. Formulas and worked examples:
docs/statistics.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.cohort import divided
from inkmark.analytics.model import FloatArray

__all__ = [
    "COLLEGE_ENTRANCE",
    "HAINAN",
    "LINEAR_500",
    "T_SCALE",
    "Scale",
    "normalised_z",
    "percentile_rank",
    "rank_percentile",
    "scaled",
    "z_scores",
]


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of standard scores, mean + sd Z.

    Attributes
    ----------
    mean, sd : float
        In points of the scale.
    low, high : float
        Where the scale is cut.
    """

    mean: float
    sd: float
    low: float = -np.inf
    high: float = np.inf


T_SCALE = Scale(50, 10)
"""T = 50 + 10 Z."""

LINEAR_500 = Scale(500, 100)
"""500 + 100 Z, without ends."""

COLLEGE_ENTRANCE = Scale(500, 100, 100, 900)
"""高考标准分: normalised, 500 + 100 Z, from 100 to 900."""

HAINAN = Scale(180, 30, 60, 300)
"""Normalised, 180 + 30 Z, from 60 to 300, as in Hainan."""


def z_scores(totals: npt.ArrayLike, *, sample: bool = False) -> FloatArray:
    """Distance from the mean in standard deviations, Z = (x - x̄) / s.

    Parameters
    ----------
    totals : (n, ...) array of float
        A row per candidate, a column per test where there are several.
    sample : bool
        Whether s has the divisor N - 1; N by default, as the whole cohort is described.

    Returns
    -------
    (n, ...) float64
        NaN where the totals do not vary.
    """
    values = np.asarray(totals, dtype=np.float64)
    n = np.sum(~np.isnan(values), axis=0)
    mean = divided(np.nansum(values, axis=0), n)
    squares = np.nansum((values - mean) ** 2, axis=0)
    spread = np.sqrt(divided(squares, n - 1 if sample else n))
    return divided(values - mean, np.where(np.isnan(spread), 0.0, spread))


def percentile_rank(totals: npt.ArrayLike) -> FloatArray:
    """Share of the candidates below, those equal counted half: (n_below + n_equal / 2) / N.

    Parameters
    ----------
    totals : (n,) array of float

    Returns
    -------
    (n,) float64
        Above 0 and below 1.
    """
    values = np.asarray(totals, dtype=np.float64)
    ordered = np.sort(values[~np.isnan(values)])
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    share = divided(below + up_to, 2 * ordered.size)
    return np.where(np.isnan(values), np.nan, share)


def rank_percentile(rank: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Percentile of a place among n (百分等级), 100 - (100 R - 50) / N.

    Parameters
    ----------
    rank : array of int
        From 1; 0 for none.
    n : array of int
        Candidates ranked.

    Returns
    -------
    array of float64
        In percent; NaN for rank 0.
    """
    place = np.asarray(rank, dtype=np.float64)
    percent = 100 - divided(100 * place - 50, n)
    return np.where(place > 0, percent, np.nan)


def normalised_z(totals: npt.ArrayLike) -> FloatArray:
    """Z of the normal distribution at each candidate's percentile rank, Φ⁻¹(PR).

    Parameters
    ----------
    totals : (n,) array of float

    Returns
    -------
    (n,) float64
    """
    from scipy.special import ndtri  # noqa: PLC0415 - loaded where it is needed

    return np.asarray(ndtri(percentile_rank(totals)), dtype=np.float64)


def scaled(z: npt.ArrayLike, scale: Scale) -> FloatArray:
    """Standard scores on a scale, mean + sd Z, cut at its ends."""
    scores = scale.mean + scale.sd * np.asarray(z, dtype=np.float64)
    return np.clip(scores, scale.low, scale.high)
