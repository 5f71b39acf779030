"""Figures of classes and schools: rates, bands, ranks, comparison with everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from inkmark.analytics.classical import ItemSums, cronbach_alpha, standard_error
from inkmark.analytics.cohort import Cohort, divided, threshold
from inkmark.analytics.model import (
    CandidateStatistics,
    FloatArray,
    GroupKind,
    GroupStatistics,
    IntArray,
    ScoreBands,
    Standing,
)
from inkmark.errors import InkmarkError
from inkmark.exam import Policy

__all__ = [
    "RankBands",
    "candidate_statistics",
    "competition_rank",
    "composite_index",
    "effect_size",
    "group_statistics",
    "rank_bands",
    "relative_difference",
    "score_bands",
]


@dataclass(frozen=True, slots=True, eq=False)
class RankBands:
    """Candidates among the best of everybody; rows as in `GroupStatistics`.

    Attributes
    ----------
    tops : tuple of int
        Places: the first ten, fifty, ...
    n : (g,) int64
        Candidates counted.
    counts : (g, t) int64
        How many of them are among the first.
    """

    tops: tuple[int, ...]
    n: IntArray
    counts: IntArray

    @property
    def shares(self) -> FloatArray:
        """(g, t) float64: the group's share of those places."""
        shares: FloatArray = self.counts / np.where(self.counts[0] > 0, self.counts[0], np.nan)
        return shares

    @property
    def expected(self) -> FloatArray:
        """(g,) float64: the group's share of all candidates, N_group / N."""
        expected: FloatArray = self.n / (self.n[0] or np.nan)
        return expected


def candidate_statistics(cohort: Cohort) -> CandidateStatistics:
    """Total, standing and ranks of every candidate.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    CandidateStatistics
    """
    school, class_ = (cohort.groups.rows_of(k) for k in (GroupKind.SCHOOL, GroupKind.CLASS))
    totals = np.where(cohort.counted, cohort.total, np.nan)
    return CandidateStatistics(
        candidates=cohort.candidates,
        standing=cohort.standing,
        total=totals / 100,
        rank=competition_rank(totals),
        school_rank=competition_rank(totals, school),
        class_rank=competition_rank(totals, class_),
        school_row=school,
        class_row=class_,
    )


def competition_rank(totals: npt.ArrayLike, rows: npt.ArrayLike | None = None) -> IntArray:
    """Rank by total, equal totals share the best rank and leave a gap: 1, 1, 3.

    Parameters
    ----------
    totals : (n,) array of float
        NaN for none.
    rows : (n,) array of int, optional
        Rank within each of these groups; -1 for no group. One group where not given.

    Returns
    -------
    (n,) int64
        0 for no total or no group.
    """
    values = np.asarray(totals, dtype=np.float64)
    group = np.zeros(len(values), np.int64) if rows is None else np.asarray(rows, np.int64)
    rank = np.zeros(len(values), dtype=np.int64)
    chosen = np.flatnonzero(~np.isnan(values) & (group >= 0))
    order = chosen[np.lexsort((-values[chosen], group[chosen]))]
    place = np.arange(len(order))
    new_group = np.diff(group[order], prepend=-1) != 0
    new_total = np.diff(values[order], prepend=np.nan) != 0
    start = np.maximum.accumulate(np.where(new_group, place, 0))
    first = np.maximum.accumulate(np.where(new_group | new_total, place, 0))
    rank[order] = first - start + 1
    return rank


def group_statistics(cohort: Cohort, sums: ItemSums, policy: Policy) -> GroupStatistics:
    """Mean, spread, rates and comparison of every group.

    Thresholds are compared in whole hundredths of points: no total is moved over a
    threshold by rounding.

    Parameters
    ----------
    cohort : Cohort
    sums : ItemSums
        ``item_sums(cohort)``.
    policy : Policy

    Returns
    -------
    GroupStatistics
    """
    groups, n, full = cohort.groups, sums.n_totals, cohort.full_total
    standing = {kind: groups.sum(cohort.standing == kind).astype(np.int64) for kind in Standing}

    def share(at_least: Decimal, below: Decimal | None = None) -> FloatArray:
        reached = cohort.counted & (cohort.total >= threshold(at_least, full))
        if below is not None:
            reached &= cohort.total < threshold(below, full)
        return divided(groups.sum(reached), n)

    low = cohort.counted & (cohort.total < threshold(policy.low, full))
    mean = divided(sums.total, n) / 100
    sd = np.sqrt(sums.total_variance) / 100
    minimum, median, maximum = _order_figures(cohort)
    alpha = cronbach_alpha(sums.item_variance, sums.total_variance)
    return GroupStatistics(
        groups=groups.groups,
        registered=groups.sum(np.ones(len(cohort.candidates))).astype(np.int64),
        n=standing[Standing.COUNTED],
        n_absent=standing[Standing.ABSENT],
        n_no_scores=standing[Standing.NO_SCORES],
        n_incomplete=standing[Standing.INCOMPLETE],
        mean=mean,
        rate=divided(mean * 100, full),
        sd=sd,
        minimum=minimum,
        median=median,
        maximum=maximum,
        alpha=alpha,
        sem=standard_error(sd, alpha),
        excellent=share(policy.excellent),
        good=share(policy.good),
        good_only=share(policy.good, policy.excellent),
        passing=share(policy.passing),
        low=divided(groups.sum(low), n),
        difference=mean - mean[0],
        relative_difference=relative_difference(mean, mean[0]),
        ratio=divided(mean, mean[0]),
        effect_size=effect_size(mean, mean[0], sd[0]),
    )


def relative_difference(mean: npt.ArrayLike, reference: npt.ArrayLike) -> FloatArray:
    """超均率, also called 离均率: (x̄ - x̄_reference) / x̄_reference, a share."""
    return divided(np.subtract(mean, reference), reference)


def effect_size(mean: npt.ArrayLike, reference: npt.ArrayLike, sd: npt.ArrayLike) -> FloatArray:
    """(x̄ - x̄_reference) / s_reference."""
    return divided(np.subtract(mean, reference), sd)


def composite_index(
    figures: Sequence[npt.ArrayLike], weights: Sequence[Decimal | float]
) -> FloatArray:
    """三率一分综合: w₁ x̄ / F + w₂ excellent + w₃ passing + w₄ (1 - low).

    Parameters
    ----------
    figures : sequence of 4 arrays of float
        Score rate, excellent, passing and low rate, as shares.
    weights : sequence of 4 numbers
        A policy of the office; for example .4, .2, .3, .1.

    Returns
    -------
    array of float64
    """
    rate, excellent, passing, low = (np.asarray(figure, dtype=np.float64) for figure in figures)
    w = [float(weight) for weight in weights]
    return np.asarray(w[0] * rate + w[1] * excellent + w[2] * passing + w[3] * (1 - low))


def score_bands(cohort: Cohort, width: Decimal) -> ScoreBands:
    """Count the totals by score bands (分数段), group by group.

    Bands run from 0 to the full mark; the top one is closed and may be narrower. Totals
    below 0 (negative marking) get bands of their own below 0; the top band reaches up to
    the highest total where that is above the full mark.

    Parameters
    ----------
    cohort : Cohort
    width : Decimal
        Width of a band in points, positive, at most two decimals.

    Returns
    -------
    ScoreBands

    Raises
    ------
    InkmarkError
        If the width is not positive or has more than two decimals.
    """
    step = width * 100
    if step <= 0 or step != int(step):
        raise InkmarkError(f"Score bands cannot be {width} points wide. Give 0.01 or more.")
    size = int(step)
    chosen = np.flatnonzero(cohort.counted)
    totals = cohort.total[chosen].astype(np.int64)
    lowest = int(totals.min(initial=0)) // size * size
    top = max(cohort.full_total, int(totals.max(initial=0)))
    lower = np.arange(lowest, max(cohort.full_total, lowest + 1), size)
    band = np.minimum((totals - lowest) // size, len(lower) - 1)
    g, b = len(cohort.groups.groups), len(lower)
    cells = np.bincount(cohort.groups.row[chosen] * b + band, minlength=g * b)
    counts = cohort.groups.roll_up(cells.reshape(g, b).astype(np.float64))
    return ScoreBands(edges=np.append(lower, top) / 100, counts=counts.astype(np.int64))


def rank_bands(cohort: Cohort, tops: Sequence[int]) -> RankBands:
    """Count how many of each group are among the best of everybody (名次段).

    Parameters
    ----------
    cohort : Cohort
    tops : sequence of int
        Places, for example 10, 50, 100. Who shares the last place counts.

    Returns
    -------
    RankBands

    Raises
    ------
    InkmarkError
        If a place is below 1.
    """
    if any(top < 1 for top in tops):
        raise InkmarkError(f"Places begin with 1; {min(tops)} is none. Correct the places.")
    rank = competition_rank(np.where(cohort.counted, cohort.total, np.nan))
    among = (rank[:, None] > 0) & (rank[:, None] <= np.asarray(tops, dtype=np.int64))
    return RankBands(
        tops=tuple(tops),
        n=cohort.groups.sum(cohort.counted).astype(np.int64),
        counts=cohort.groups.sum(among).astype(np.int64),
    )


def _order_figures(cohort: Cohort) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lowest, median and highest total in points, (g,) each."""
    figures = np.full((3, len(cohort.groups.groups)), np.nan)
    for kind in GroupKind:
        order, rows = cohort.ordered(kind)
        sizes = np.bincount(rows, minlength=figures.shape[1])
        filled = np.flatnonzero(sizes)
        if filled.size:
            last = np.cumsum(sizes)[filled] - 1
            first = last - sizes[filled] + 1
            totals = cohort.total[order] / 100
            middle = totals[(first + last) // 2] + totals[(first + last + 1) // 2]
            figures[:, filled] = totals[last], middle / 2, totals[first]
    return figures[0], figures[1], figures[2]
