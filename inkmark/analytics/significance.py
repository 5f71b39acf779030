"""Many tests at once, and how large a misfit is."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inkmark.analytics.model import FloatArray

__all__ = ["Adjustment", "adjusted", "adjusted_known", "rmsea"]


class Adjustment(StrEnum):
    """How p-values are adjusted for the number of tests."""

    HOLM = "holm"
    """The chance that even one is flagged wrongly is at most the level; Holm (1979)."""
    BONFERRONI = "bonferroni"
    """As Holm's, and never more powerful; p times the number of tests."""
    BENJAMINI_HOCHBERG = "benjamini-hochberg"
    """Of those flagged, the share flagged wrongly is expected to be at most the level;
    Benjamini & Hochberg (1995)."""


def adjusted(p: npt.ArrayLike, n_tests: int, adjustment: Adjustment) -> FloatArray:
    """Adjust the smallest p-values of many tests; the others count as 1.

    Parameters
    ----------
    p : (p,) array_like
        NaN counts as 1.
    n_tests : int
        Of the whole family.
    adjustment : Adjustment

    Returns
    -------
    (p,) float64
    """
    raw = np.nan_to_num(np.asarray(p, dtype=np.float64), nan=1.0)
    order = np.argsort(raw, kind="stable")
    rank = np.arange(1, len(raw) + 1)
    if adjustment is Adjustment.BONFERRONI:
        steps = raw[order] * n_tests
    elif adjustment is Adjustment.HOLM:
        steps = np.maximum.accumulate(raw[order] * (n_tests - rank + 1))
    else:
        steps = np.minimum.accumulate((raw[order] * n_tests / rank)[::-1])[::-1]
    result = np.empty_like(raw)
    result[order] = np.minimum(steps, 1.0)
    return result


def adjusted_known(p: npt.ArrayLike, adjustment: Adjustment) -> FloatArray:
    """Adjust the p-values of the tests that could be made; NaN stays NaN.

    Parameters
    ----------
    p : (p,) array_like
        NaN where there was no test.
    adjustment : Adjustment

    Returns
    -------
    (p,) float64
    """
    result = np.array(p, dtype=np.float64)
    known = ~np.isnan(result)
    result[known] = adjusted(result[known], int(known.sum()), adjustment)
    return result


def rmsea(statistic: float, df: int, n: int) -> tuple[float, float, float]:
    """Misfit per degree of freedom and candidate, with its 90 % interval.

    Root of (statistic - df) / (df n), 0 where that is negative; the interval is that of the
    noncentrality of a chi-squared statistic (Steiger 1990, Multivar. Behav. Res. 25, 173-180).

    Parameters
    ----------
    statistic : float
        Chi-squared where the model holds; NaN where there is none.
    df, n : int
        Degrees of freedom; candidates.

    Returns
    -------
    (float, float, float)
        Estimate, lower and upper bound; NaN where there is no statistic.
    """
    from scipy import optimize, stats  # noqa: PLC0415 - loads slowly

    if math.isnan(statistic) or df <= 0:
        return math.nan, math.nan, math.nan

    def bound(level: float) -> float:
        def off(noncentrality: float) -> float:
            return float(stats.ncx2.cdf(statistic, df, noncentrality)) - level

        if stats.chi2.cdf(statistic, df) <= level:
            return 0.0
        most = statistic + 10 * math.sqrt(statistic) + 100
        return float(optimize.brentq(off, 1e-9, most))

    scale = df * n
    size, low, high = (max(statistic - df, 0.0), bound(0.95), bound(0.05))
    return math.sqrt(size / scale), math.sqrt(low / scale), math.sqrt(high / scale)
