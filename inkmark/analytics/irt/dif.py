"""Differential item functioning: items that favour one of two groups of equal ability.

The reference group is what the focal group is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._dif import (
    Comparison,
    DifClass,
    Stratified,
    compare,
    not_compared,
    purified,
    strata_of,
)
from inkmark.analytics.irt._ordinal import fit_ordinal
from inkmark.analytics.model import AnalysisWarning, BoolArray, FloatArray, IntArray
from inkmark.analytics.significance import Adjustment, adjusted_known

__all__ = [
    "DifClass",
    "LogisticDif",
    "MantelHaenszelDif",
    "logistic_dif",
    "mantel_haenszel_dif",
]

# From the logarithm of an odds ratio to the delta scale of ETS.
_DELTA = -2.35
# Limits of the classes, in delta, and in standard deviations of the item.
_DELTAS, _STANDARDISED = (1.0, 1.5), (0.17, 0.25)
# Limits of the classes in shares of variance explained (Jodoin & Gierl 2001).
_SHARES = (0.035, 0.07)
# One-sided 5 % of the normal distribution: a large delta is surely above 1.
_SURE = 1.6449


@dataclass(frozen=True, slots=True, eq=False)
class MantelHaenszelDif:
    """Items compared at equal matching scores; NaN where that cannot be done.

    Attributes
    ----------
    items : tuple of str
    n_reference, n_focal : (m,) int64
        Candidates compared.
    chi2 : (m,) float64
        Mantel and Haenszel's, with one degree of freedom.
    p, adjusted_p : (m,) float64
    odds_ratio : (m,) float64
        Of right answers, reference to focal group; above 1 favours the reference group. NaN
        in items of more than two scores.
    delta, delta_error : (m,) float64
        The same as -2.35 ln, the scale of ETS, and its standard error; below 0 favours the
        reference group.
    difference : (m,) float64
        Mean score of the focal group less that of reference candidates with the same matching
        scores; of right-or-wrong items the standardised difference of shares (STD P-DIF).
    effect : (m,) float64
        The difference in standard deviations of the item.
    classes : tuple of DifClass or None
    matched_on : tuple of str
        Items in the matching score, beside the one compared; empty where it was given.
    warnings : tuple of AnalysisWarning
    """

    items: tuple[str, ...]
    n_reference: IntArray
    n_focal: IntArray
    chi2: FloatArray
    p: FloatArray
    adjusted_p: FloatArray
    odds_ratio: FloatArray
    delta: FloatArray
    delta_error: FloatArray
    difference: FloatArray
    effect: FloatArray
    classes: tuple[DifClass | None, ...]
    matched_on: tuple[str, ...]
    warnings: tuple[AnalysisWarning, ...]


def mantel_haenszel_dif(
    scores: npt.ArrayLike,
    groups: npt.ArrayLike,
    reference: str,
    *,
    matching: npt.ArrayLike | None = None,
    purify: bool = True,
    names: Sequence[str] | None = None,
    level: float = 0.05,
    adjustment: Adjustment = Adjustment.BENJAMINI_HOCHBERG,
) -> MantelHaenszelDif:
    """Compare the scores of two groups on each item at equal matching scores.

    Right-or-wrong items: Holland & Thayer (1988) in Wainer & Braun, Test Validity; error by
    Robins, Breslow & Greenland (1986), Biometrics 42. Others: Mantel (1963), J. Am. Stat.
    Assoc. 58. Differences: Dorans & Kulick (1986), J. Educ. Meas. 23.

    Parameters
    ----------
    scores : (n, m) array_like
        NaN where there is no response.
    groups : (n,) array_like
        Labels, two different ones.
    reference : str
        Label of the reference group.
    matching : (n,) array_like, optional
        What candidates are matched on, in steps; by default their total score, for which they
        must have answered every item of it.
    purify : bool
        Leave items that favour a group out of the total score of the others, and repeat.
    names : sequence of str, optional
        Of the items; 1, 2, 3 ... by default.
    level : float
        Of p, for the classes.
    adjustment : Adjustment
        Of the p-values for the number of items.

    Returns
    -------
    MantelHaenszelDif

    Raises
    ------
    AnalysisError
        There are not two groups, or shapes do not fit.
    """
    data = compare(scores, groups, reference, matching, names)
    found, kept = purified(
        data,
        lambda kept: [_mantel(strata_of(data, item, kept)) for item in range(len(data.items))],
        lambda tables: [table.verdict(level) for table in tables],
        purify,
    )
    columns = {
        name: np.array([getattr(table, name) for table in found], dtype=np.float64)
        for name in ("chi2", "p", "log_odds", "log_odds_error", "difference", "spread")
    }
    return MantelHaenszelDif(
        items=data.items,
        n_reference=np.array([table.n_reference for table in found], dtype=np.int64),
        n_focal=np.array([table.n_focal for table in found], dtype=np.int64),
        chi2=columns["chi2"],
        p=columns["p"],
        adjusted_p=adjusted_known(columns["p"], adjustment),
        odds_ratio=np.exp(columns["log_odds"]),
        delta=_DELTA * columns["log_odds"],
        delta_error=-_DELTA * columns["log_odds_error"],
        difference=columns["difference"],
        effect=columns["difference"] / columns["spread"],
        classes=tuple(table.verdict(level) for table in found),
        matched_on=_matched_on(data, kept),
        warnings=not_compared(data, ~np.isnan(columns["p"])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LogisticDif:
    """Items compared by regression on the matching score; NaN where that cannot be done.

    Attributes
    ----------
    items : tuple of str
    n_reference, n_focal : (m,) int64
        Candidates compared.
    uniform_chi2, uniform_p : (m,) float64
        Likelihood ratio of the group, with one degree of freedom: one group does better at all
        matching scores.
    crossing_chi2, crossing_p : (m,) float64
        Likelihood ratio of group times matching score, with one degree of freedom: the
        difference depends on the matching score (non-uniform).
    chi2, p, adjusted_p : (m,) float64
        Both together, with two degrees of freedom.
    log_odds : (m,) float64
        Of a higher score, focal less reference group, where it is the same at all matching
        scores.
    uniform_r2, crossing_r2 : (m,) float64
        What group, and then group times matching score, add to Nagelkerke's R2.
    classes : tuple of DifClass or None
        By both together.
    matched_on : tuple of str
        Items in the matching score, beside the one compared; empty where it was given.
    warnings : tuple of AnalysisWarning
    """

    items: tuple[str, ...]
    n_reference: IntArray
    n_focal: IntArray
    uniform_chi2: FloatArray
    uniform_p: FloatArray
    crossing_chi2: FloatArray
    crossing_p: FloatArray
    chi2: FloatArray
    p: FloatArray
    adjusted_p: FloatArray
    log_odds: FloatArray
    uniform_r2: FloatArray
    crossing_r2: FloatArray
    classes: tuple[DifClass | None, ...]
    matched_on: tuple[str, ...]
    warnings: tuple[AnalysisWarning, ...]


def logistic_dif(
    scores: npt.ArrayLike,
    groups: npt.ArrayLike,
    reference: str,
    *,
    matching: npt.ArrayLike | None = None,
    purify: bool = True,
    names: Sequence[str] | None = None,
    level: float = 0.05,
    adjustment: Adjustment = Adjustment.BENJAMINI_HOCHBERG,
) -> LogisticDif:
    """Compare the scores of two groups by logistic regression on the matching score.

    Swaminathan & Rogers (1990), J. Educ. Meas. 27; items of several scores by proportional
    odds, with R2 of Nagelkerke (1991), Biometrika 78, as of Zumbo (1999), A Handbook on the
    Theory and Methods of DIF; classes by Jodoin & Gierl (2001), Appl. Meas. Educ. 14.

    Parameters
    ----------
    scores, groups, reference, matching, purify, names, level, adjustment
        As in `mantel_haenszel_dif`; the matching score counts as a number, in any steps.

    Returns
    -------
    LogisticDif

    Raises
    ------
    AnalysisError
        There are not two groups, or shapes do not fit.
    """
    data = compare(scores, groups, reference, matching, names)
    found, kept = purified(
        data,
        lambda kept: [_logistic(strata_of(data, item, kept)) for item in range(len(data.items))],
        lambda tables: [table.verdict(level) for table in tables],
        purify,
    )
    columns = {
        name: np.array([getattr(table, name) for table in found], dtype=np.float64)
        for name in ("uniform", "crossing", "log_odds", "uniform_r2", "crossing_r2")
    }
    p = _tail(columns["uniform"] + columns["crossing"], 2)
    return LogisticDif(
        items=data.items,
        n_reference=np.array([table.n_reference for table in found], dtype=np.int64),
        n_focal=np.array([table.n_focal for table in found], dtype=np.int64),
        uniform_chi2=columns["uniform"],
        uniform_p=_tail(columns["uniform"], 1),
        crossing_chi2=columns["crossing"],
        crossing_p=_tail(columns["crossing"], 1),
        chi2=columns["uniform"] + columns["crossing"],
        p=p,
        adjusted_p=adjusted_known(p, adjustment),
        log_odds=columns["log_odds"],
        uniform_r2=columns["uniform_r2"],
        crossing_r2=columns["crossing_r2"],
        classes=tuple(table.verdict(level) for table in found),
        matched_on=_matched_on(data, kept),
        warnings=not_compared(data, ~np.isnan(p)),
    )


def _tail(statistic: float | FloatArray, df: int) -> FloatArray:
    """Upper tail of the chi-squared distribution; NaN stays NaN."""
    from scipy.stats import chi2  # noqa: PLC0415 - loads slowly

    return np.asarray(chi2.sf(statistic, df), dtype=np.float64)


def _matched_on(data: Comparison, kept: BoolArray) -> tuple[str, ...]:
    if data.matching is not None:
        return ()
    return tuple(name for name, counts in zip(data.items, kept, strict=True) if counts)


@dataclass(frozen=True, slots=True)
class _Mantel:
    """One item; NaN where it cannot be compared."""

    n_reference: int
    n_focal: int
    chi2: float = math.nan
    p: float = math.nan
    log_odds: float = math.nan
    log_odds_error: float = math.nan
    difference: float = math.nan
    spread: float = math.nan

    def verdict(self, level: float) -> DifClass | None:
        """Class of ETS (Zieky 1993), of other items that of NAEP (Allen et al. 1999)."""
        if math.isnan(self.p):
            return None
        if math.isnan(self.log_odds):
            size, limits, is_sure = abs(self.difference / self.spread), _STANDARDISED, True
        else:
            size, limits = abs(_DELTA * self.log_odds), _DELTAS
            is_sure = size - limits[0] > _SURE * abs(_DELTA) * self.log_odds_error
        if self.p >= level or size < limits[0]:
            return DifClass.NEGLIGIBLE
        return DifClass.LARGE if size >= limits[1] and is_sure else DifClass.MODERATE


def _mantel(data: Stratified) -> _Mantel:
    """Compare the groups on one item at equal matching scores."""
    n_focal = int(data.focal.sum())
    n_reference = len(data.focal) - n_focal
    if not data.is_comparable:
        return _Mantel(n_reference, n_focal)
    s = len(data.levels)
    # (groups, strata): candidates, sums and sums of squares of their scores.
    place = data.stratum + s * data.focal
    n, total, square = (
        np.bincount(place, weights=weights, minlength=2 * s).reshape(2, s)
        for weights in (None, data.score, data.score**2)
    )
    both = (n[0] > 0) & (n[1] > 0)
    n, total, square = n[:, both].astype(np.float64), total[:, both], square[:, both]
    size, sums = n.sum(axis=0), total.sum(axis=0)
    expected = n[1] / size * sums
    variance = n[0] * n[1] / (size**2 * np.maximum(size - 1, 1))
    variance = float((variance * (size * square.sum(axis=0) - sums**2)).sum())
    if not variance > 0:
        return _Mantel(n_reference, n_focal)
    values = np.unique(data.score)
    is_binary = len(values) == 2
    # Yates' correction: half of the step of the sum of scores.
    step = 0.5 * float(values[1] - values[0]) if is_binary else 0.0
    statistic = max(abs(float((total[1] - expected).sum())) - step, 0.0) ** 2 / variance
    difference = float((n[1] * (total[1] / n[1] - total[0] / n[0])).sum() / n[1].sum())
    log_odds = error = math.nan
    if is_binary:
        right = (total - n * values[0]) / (values[1] - values[0])
        log_odds, error = _log_odds(right, n - right)
    return _Mantel(
        n_reference,
        n_focal,
        statistic,
        float(_tail(statistic, 1)),
        log_odds,
        error,
        difference,
        float(data.score.std()),
    )


def _log_odds(right: FloatArray, wrong: FloatArray) -> tuple[float, float]:
    """Common log-odds ratio of (2, s) right and wrong answers, and its standard error."""
    size = right.sum(axis=0) + wrong.sum(axis=0)
    r, s = right[0] * wrong[1] / size, wrong[0] * right[1] / size
    p, q = (right[0] + wrong[1]) / size, (wrong[0] + right[1]) / size
    if not (r.sum() > 0 and s.sum() > 0):
        return math.nan, math.nan
    variance = (
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    return math.log(r.sum() / s.sum()), math.sqrt(variance)


@dataclass(frozen=True, slots=True)
class _Logistic:
    """One item; NaN where it cannot be compared."""

    n_reference: int
    n_focal: int
    uniform: float = math.nan
    crossing: float = math.nan
    log_odds: float = math.nan
    uniform_r2: float = math.nan
    crossing_r2: float = math.nan

    def verdict(self, level: float) -> DifClass | None:
        """Class of Jodoin and Gierl."""
        share = self.uniform_r2 + self.crossing_r2
        if math.isnan(share):
            return None
        if _tail(self.uniform + self.crossing, 2) >= level or share < _SHARES[0]:
            return DifClass.NEGLIGIBLE
        return DifClass.LARGE if share >= _SHARES[1] else DifClass.MODERATE


def _logistic(data: Stratified) -> _Logistic:
    """Compare the groups on one item by regression."""
    n_focal = int(data.focal.sum())
    n_reference = len(data.focal) - n_focal
    spread = data.levels.std() if len(data.levels) else 0.0
    if not (data.is_comparable and spread > 0):
        return _Logistic(n_reference, n_focal)
    values, category = np.unique(data.score, return_inverse=True)
    k, s = len(values), len(data.levels)
    cell = data.stratum + s * data.focal
    counts = np.bincount(cell * k + category, minlength=2 * s * k).reshape(2 * s, k)
    filled = counts.any(axis=1)
    match = np.tile((data.levels - data.levels.mean()) / spread, 2)
    focal = np.repeat([0.0, 1.0], s)
    design = np.stack([match, focal, match * focal], axis=1)[filled]
    cells = counts[filled].astype(np.float64)
    fits = [fit_ordinal(cells, design[:, :width]) for width in range(4)]
    heights = [height for _, height in fits]
    if any(math.isnan(height) for height in heights):
        return _Logistic(n_reference, n_focal)
    r2 = [_nagelkerke(heights[0], height, len(data.score)) for height in heights]
    return _Logistic(
        n_reference,
        n_focal,
        max(2 * (heights[2] - heights[1]), 0.0),
        max(2 * (heights[3] - heights[2]), 0.0),
        float(fits[2][0][1]),
        r2[2] - r2[1],
        r2[3] - r2[2],
    )


def _nagelkerke(empty: float, height: float, n: int) -> float:
    """Share of variance explained, from the log-likelihoods without and with predictors."""
    return -math.expm1(2 * (empty - height) / n) / -math.expm1(2 * empty / n)
