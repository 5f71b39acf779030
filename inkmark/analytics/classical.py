"""Classical item and test statistics: facility, discrimination, reliability.

Conventions, sources and worked examples: docs/statistics.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.cohort import BLOCK, Cohort, add_sorted, divided
from inkmark.analytics.model import (
    FloatArray,
    GroupItemStatistics,
    GroupKind,
    IntArray,
    ItemStatistics,
    Standing,
    TestStatistics,
)

__all__ = [
    "ItemSums",
    "correlation",
    "cronbach_alpha",
    "discrimination",
    "group_item_statistics",
    "guess_corrected",
    "item_statistics",
    "item_sums",
    "lost_shares",
    "paper_statistics",
    "rest_correlation",
    "spearman_brown",
    "standard_error",
    "tail_rows",
    "tail_size",
]


@dataclass(frozen=True, slots=True, eq=False)
class ItemSums:
    """What the figures of items and groups are made of, in hundredths of points.

    Attributes
    ----------
    n, sum, n_full, n_zero : (g, m) float64
        Over the candidates with a score on the item: how many, their sum, how many with
        the full mark, how many with zero or less.
    n_totals : (g,) float64
        Candidates counted; the sums below are over these.
    total, total2 : (g,) float64
        Sums of their totals and of the squares.
    item, item2, cross : (g, m) float64
        Sums of their scores, of the squares, and of score times total.
    span : (m,) float64
        Their highest minus their lowest score.
    tail_n : (g,) int64
        Size of the group's upper and of its lower group.
    upper, lower : (g, m) float64
        Sums of the scores in the two groups.
    """

    n: FloatArray
    sum: FloatArray
    n_full: FloatArray
    n_zero: FloatArray
    n_totals: FloatArray
    total: FloatArray
    total2: FloatArray
    item: FloatArray
    item2: FloatArray
    cross: FloatArray
    span: FloatArray
    tail_n: IntArray
    upper: FloatArray
    lower: FloatArray

    @property
    def total_variance(self) -> FloatArray:
        """(g,): variance of the totals, divisor N."""
        return _covariance(self.n_totals, self.total, self.total, self.total2)

    @property
    def item_variance(self) -> FloatArray:
        """(g, m): variance of the item scores, divisor N."""
        return _covariance(self.n_totals[:, None], self.item, self.item, self.item2)

    @property
    def item_covariance(self) -> FloatArray:
        """(g, m): covariance of item score and total, divisor N."""
        return _covariance(self.n_totals[:, None], self.item, self.total[:, None], self.cross)


def tail_size(n: npt.ArrayLike) -> IntArray:
    """Candidates in each 27 % group: .27 N, half rounded up; 0 for N below 2."""
    return np.asarray((27 * np.asarray(n, dtype=np.int64) + 50) // 100, dtype=np.int64)


def tail_rows(cohort: Cohort, kind: GroupKind = GroupKind.ALL) -> tuple[IntArray, IntArray]:
    """Upper and lower 27 % of each group of a kind, by total score.

    The candidates counted are ordered by total, ties by candidate number; the upper group
    is the first and the lower group the last `tail_size` of them.

    Parameters
    ----------
    cohort : Cohort
    kind : GroupKind

    Returns
    -------
    (u,) int64, (u,) int64
        Indices of the candidates of the upper and the lower groups, group by group.
    """
    order, rows = cohort.ordered(kind)
    sizes = np.bincount(rows, minlength=len(cohort.groups.groups))
    first = np.cumsum(sizes) - sizes
    place = np.arange(len(order)) - first[rows]
    tails = tail_size(sizes)[rows]
    return order[place < tails], order[place >= sizes[rows] - tails]


def item_sums(cohort: Cohort) -> ItemSums:
    """Sum up once what all item and group figures are made of.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    ItemSums
    """
    groups = cohort.groups
    g, m = len(groups.groups), len(cohort.items)
    n_full, n_zero, item, item2, cross = np.zeros((5, g, m))
    highest, lowest = np.full(m, -np.inf), np.full(m, np.inf)
    counted = np.flatnonzero(cohort.counted)
    counted = counted[np.argsort(groups.row[counted], kind="stable")]
    for start in range(0, len(counted), BLOCK):
        block = counted[start : start + BLOCK]
        scores, rows = cohort.scores[block], groups.row[block]
        add_sorted(item, scores, rows)
        add_sorted(n_full, scores == cohort.full, rows)
        add_sorted(n_zero, scores <= 0, rows)
        add_sorted(cross, scores * cohort.total[block, None], rows)
        np.maximum(highest, scores.max(axis=0), out=highest)
        np.minimum(lowest, scores.min(axis=0), out=lowest)
        add_sorted(item2, scores * scores, rows)
    n_full, n_zero, item, item2, cross = (
        groups.roll_up(own) for own in (n_full, n_zero, item, item2, cross)
    )
    totals = cohort.total[counted]
    n_totals = groups.sum(np.ones(len(counted)), counted)
    n, summed = np.repeat(n_totals[:, None], m, axis=1), item
    partial = np.flatnonzero(cohort.standing == Standing.INCOMPLETE)
    if partial.size:
        some = cohort.scores[partial]
        n = n + groups.sum(~np.isnan(some), partial)
        summed = item + groups.sum(np.nan_to_num(some), partial)
        n_full = n_full + groups.sum(some == cohort.full, partial)
        n_zero = n_zero + groups.sum(some <= 0, partial)
    upper, lower = np.zeros((2, g, m))
    for kind in GroupKind:
        rows = groups.rows_of(kind)
        for out, chosen in zip((upper, lower), tail_rows(cohort, kind), strict=True):
            for start in range(0, len(chosen), BLOCK):
                block = chosen[start : start + BLOCK]
                add_sorted(out, cohort.scores[block], rows[block])
    return ItemSums(
        n=n,
        sum=summed,
        n_full=n_full,
        n_zero=n_zero,
        n_totals=n_totals,
        total=groups.sum(totals, counted),
        total2=groups.sum(totals * totals, counted),
        item=item,
        item2=item2,
        cross=cross,
        span=highest - lowest if len(counted) else np.zeros(m),
        tail_n=tail_size(n_totals),
        upper=upper,
        lower=lower,
    )


def item_statistics(cohort: Cohort, sums: ItemSums) -> ItemStatistics:
    """Figures of every item over all candidates.

    Parameters
    ----------
    cohort : Cohort
    sums : ItemSums
        ``item_sums(cohort)``.

    Returns
    -------
    ItemStatistics
    """
    within = group_item_statistics(cohort, sums)
    full, tail_n = cohort.full, int(sums.tail_n[0])
    upper, lower = divided(sums.upper[0], tail_n), divided(sums.lower[0], tail_n)
    variance, covariance = sums.item_variance[0], sums.item_covariance[0]
    return ItemStatistics(
        items=cohort.items,
        full=full / 100,
        n=within.n[0],
        mean=within.mean[0],
        facility=within.facility[0],
        full_rate=within.full_rate[0],
        zero_rate=within.zero_rate[0],
        lost_share=within.lost_share[0],
        n_totals=int(sums.n_totals[0]),
        tail_n=tail_n,
        upper_facility=divided(upper, full),
        lower_facility=divided(lower, full),
        discrimination=within.discrimination[0],
        range_discrimination=discrimination(upper, lower, sums.span),
        item_total=correlation(covariance, variance, sums.total_variance[0]),
        item_rest=within.item_rest[0],
    )


def group_item_statistics(cohort: Cohort, sums: ItemSums) -> GroupItemStatistics:
    """Figures of every item within every group.

    Parameters
    ----------
    cohort : Cohort
    sums : ItemSums
        ``item_sums(cohort)``.

    Returns
    -------
    GroupItemStatistics
    """
    mean = divided(sums.sum, sums.n)
    facility = divided(mean, cohort.full)
    tail_n = sums.tail_n[:, None]
    return GroupItemStatistics(
        n=sums.n.astype(np.int64),
        mean=mean / 100,
        facility=facility,
        full_rate=divided(sums.n_full, sums.n),
        zero_rate=divided(sums.n_zero, sums.n),
        lost_share=lost_shares(cohort.full, mean),
        difference=facility - facility[0],
        tail_n=sums.tail_n,
        discrimination=discrimination(
            divided(sums.upper, tail_n), divided(sums.lower, tail_n), cohort.full
        ),
        item_rest=rest_correlation(
            sums.item_covariance, sums.item_variance, sums.total_variance[:, None]
        ),
    )


def paper_statistics(cohort: Cohort, sums: ItemSums) -> TestStatistics:
    """Figures of the whole paper.

    Parameters
    ----------
    cohort : Cohort
    sums : ItemSums
        ``item_sums(cohort)``.

    Returns
    -------
    TestStatistics
    """
    n, full = int(sums.n_totals[0]), cohort.full_total / 100
    totals = cohort.total[cohort.counted] / 100
    quartiles = np.quantile(totals, [0, 0.25, 0.5, 0.75, 1]) if n else np.full(5, np.nan)
    mean = float(divided(sums.total[0], n * 100))
    variance = float(sums.total_variance[0]) / 1e4
    sd = math.sqrt(variance)
    alpha = cronbach_alpha(sums.item_variance[0], sums.total_variance[0])
    tails = divided([sums.upper[0].sum(), sums.lower[0].sum()], sums.tail_n[0])
    standings = np.bincount(cohort.standing, minlength=len(Standing))
    return TestStatistics(
        n=n,
        n_absent=int(standings[Standing.ABSENT]),
        n_no_scores=int(standings[Standing.NO_SCORES]),
        n_incomplete=int(standings[Standing.INCOMPLETE]),
        full=full,
        mean=mean,
        rate=float(divided(mean, full)),
        sd=sd,
        sd_sample=math.sqrt(variance * n / (n - 1)) if n > 1 else math.nan,
        cv=float(divided(sd, mean)),
        minimum=float(quartiles[0]),
        q1=float(quartiles[1]),
        median=float(quartiles[2]),
        q3=float(quartiles[3]),
        maximum=float(quartiles[4]),
        tail_n=int(sums.tail_n[0]),
        discrimination=float(discrimination(tails[0], tails[1], cohort.full_total)),
        alpha=float(alpha),
        split_half=_split_half(cohort),
        sem=float(standard_error(sd, alpha)),
    )


def discrimination(upper: npt.ArrayLike, lower: npt.ArrayLike, span: npt.ArrayLike) -> FloatArray:
    """Discrimination by extreme groups (区分度): (x̄_upper - x̄_lower) / span.

    Parameters
    ----------
    upper, lower : array of float
        Mean scores of the two groups.
    span : array of float
        The full mark, or the highest minus the lowest score that occurs (the usual form
        for subjective items).

    Returns
    -------
    array of float64
        NaN where the span is 0.
    """
    return divided(np.subtract(upper, lower), span)


def correlation(
    covariance: npt.ArrayLike, variance: npt.ArrayLike, other_variance: npt.ArrayLike
) -> FloatArray:
    """Product-moment correlation; NaN where one of the two does not vary."""
    spread = np.sqrt(np.multiply(variance, other_variance))
    return np.clip(divided(covariance, spread), -1.0, 1.0)


def rest_correlation(
    covariance: npt.ArrayLike, variance: npt.ArrayLike, total_variance: npt.ArrayLike
) -> FloatArray:
    """Correlation of an item with the total of the other items.

    Parameters
    ----------
    covariance : array of float
        Of item and total, the item included.
    variance, total_variance : array of float
        Of the item and of the total.

    Returns
    -------
    array of float64
        NaN where the item or the rest does not vary.
    """
    covariance, variance, total = np.broadcast_arrays(covariance, variance, total_variance)
    rest = variance + total - 2 * covariance
    # what is left of a rest that does not vary is rounding
    rest = np.where(rest > 1e-12 * total, rest, 0.0)
    return correlation(covariance - variance, variance, rest)


def cronbach_alpha(item_variance: npt.ArrayLike, total_variance: npt.ArrayLike) -> FloatArray:
    """Cronbach's alpha, k / (k - 1) (1 - Σ s_i² / s²); KR-20 where all items score 0 or 1.

    k counts every item, also one that does not vary, such as a void item.

    Parameters
    ----------
    item_variance : (..., k) array of float
    total_variance : (...) array of float
        With the same divisor, N or N - 1.

    Returns
    -------
    (...) float64
        NaN for fewer than two items, or totals that do not vary.
    """
    variance = np.asarray(item_variance, dtype=np.float64)
    k = variance.shape[-1]
    unexplained = divided(variance.sum(axis=-1), total_variance)
    return divided(k, k - 1) * (1 - unexplained)


def spearman_brown(r: npt.ArrayLike, factor: float = 2.0) -> FloatArray:
    """Reliability of a test made `factor` times as long: f r / (1 + (f - 1) r)."""
    return divided(np.multiply(factor, r), 1 + np.multiply(factor - 1, r))


def standard_error(sd: npt.ArrayLike, reliability: npt.ArrayLike) -> FloatArray:
    """Standard error of measurement, s √(1 - r); s itself where r is negative."""
    return np.asarray(sd * np.sqrt(1 - np.maximum(reliability, 0.0)), dtype=np.float64)


def guess_corrected(facility: npt.ArrayLike, n_options: npt.ArrayLike) -> FloatArray:
    """Facility corrected for guessing among k options, (k P - 1) / (k - 1)."""
    k = np.asarray(n_options, dtype=np.float64)
    return divided(k * np.asarray(facility) - 1, k - 1)


def lost_shares(full: npt.ArrayLike, mean: npt.ArrayLike) -> FloatArray:
    """Each item's share of the points lost (失分占比): (F_i - x̄_i) / Σ (F - x̄).

    Parameters
    ----------
    full : (m,) array of float
    mean : (..., m) array of float
        Items with a NaN mean are left out of the sum.

    Returns
    -------
    (..., m) float64
        NaN where nothing was lost.
    """
    lost = np.asarray(full) - np.asarray(mean)
    return divided(lost, np.nansum(lost, axis=-1, keepdims=True))


def _covariance(n: FloatArray, x: FloatArray, y: FloatArray, xy: FloatArray) -> FloatArray:
    """(N Σxy - Σx Σy) / N²; exactly 0 where x or y does not vary."""
    return divided(n * xy - x * y, n * n)


def _split_half(cohort: Cohort) -> float:
    """Odd and even items correlated, for the full length; NaN for fewer than two items."""
    if len(cohort.items) < 2:
        return math.nan
    half = np.arange(len(cohort.items)) % 2
    halves = (cohort.scores @ np.column_stack([1 - half, half]))[cohort.counted].T
    n, sums = np.array(float(halves.shape[1])), halves.sum(axis=1)
    odd, even, both = (
        _covariance(n, sums[a], sums[b], halves[a] @ halves[b]) for a, b in ((0, 0), (1, 1), (0, 1))
    )
    return float(spearman_brown(correlation(both, odd, even)))
