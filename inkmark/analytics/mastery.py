"""Mastery of knowledge points: of each candidate with an interval, and of groups.

Weighted points are rounded to ten-thousandths, so that a rate that lies on a threshold
is on it although a weight such as one third has no exact binary value.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from inkmark.analytics.classical import lost_shares
from inkmark.analytics.cohort import Cohort, divided
from inkmark.analytics.model import (
    BoolArray,
    FloatArray,
    GroupMastery,
    IntArray,
    KnowledgeMap,
    MasteryTable,
)
from inkmark.exam import Item, Policy, RuleKind

__all__ = ["group_mastery", "knowledge_map", "mastery_table", "wilson_interval"]

UNITS = 10_000
"""Weighted points are held in whole ten-thousandths of a point."""


def knowledge_map(items: Sequence[Item]) -> KnowledgeMap:
    """Read the knowledge points of a blueprint.

    A void item has no weight: points that everybody gets are no evidence of mastery.

    Parameters
    ----------
    items : sequence of Item

    Returns
    -------
    KnowledgeMap
    """
    points = tuple(dict.fromkeys(point for item in items for point, _ in item.knowledge))
    column = {point: k for k, point in enumerate(points)}
    weights = np.zeros((len(items), len(points)))
    for j, item in enumerate(items):
        if item.rule.kind is not RuleKind.VOID:
            for point, weight in item.knowledge:
                weights[j, column[point]] += float(weight)
    return KnowledgeMap(points, weights)


def wilson_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    Parameters
    ----------
    successes, trials : array of float
        Need not be whole: points gained of points possible.
    confidence : float

    Returns
    -------
    low, high : array of float64
        Within 0 and 1; NaN where there are no trials.
    """
    n = np.asarray(trials, dtype=np.float64)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = np.clip(divided(successes, n), 0.0, 1.0)
    centre = (n * p + z * z / 2) / (n + z * z)
    half = z * np.sqrt(n * p * (1 - p) + z * z / 4) / (n + z * z)
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def mastery_table(cohort: Cohort, knowledge: KnowledgeMap, policy: Policy) -> MasteryTable:
    """Mastery of every candidate on every knowledge point (掌握率).

    Parameters
    ----------
    cohort : Cohort
    knowledge : KnowledgeMap
        Weights of the cohort's items.
    policy : Policy

    Returns
    -------
    MasteryTable
    """
    weights = knowledge.weights
    scored = ~np.isnan(cohort.scores)
    gained = _units(np.where(scored, cohort.scores, 0.0) @ weights)
    if scored.all():
        possible = np.broadcast_to(_units(cohort.full @ weights), gained.shape).copy()
        n_items = np.broadcast_to((weights > 0).sum(axis=0), gained.shape).astype(np.int64)
    else:
        possible = _units(scored.astype(np.float64) @ (cohort.full[:, None] * weights))
        n_items = np.rint(scored.astype(np.float64) @ (weights > 0)).astype(np.int64)
    low, high = wilson_interval(gained / UNITS, possible / UNITS)
    return MasteryTable(
        candidates=cohort.candidates,
        points=knowledge.points,
        gained=gained / UNITS,
        possible=possible / UNITS,
        n_items=n_items,
        rate=_rate(gained, possible),
        low=low,
        high=high,
        enough=_enough(possible, n_items, policy),
    )


def group_mastery(
    cohort: Cohort, knowledge: KnowledgeMap, mastery: MasteryTable, policy: Policy
) -> GroupMastery:
    """Mastery of every group, and its weak common points (共性薄弱点).

    Parameters
    ----------
    cohort : Cohort
    knowledge : KnowledgeMap
    mastery : MasteryTable
        ``mastery_table(cohort, knowledge, policy)``.
    policy : Policy

    Returns
    -------
    GroupMastery
    """
    groups = cohort.groups
    gained_each = np.rint(mastery.gained * UNITS)
    possible_each = np.rint(mastery.possible * UNITS)
    evidence = possible_each > 0
    n = groups.sum(evidence)
    gained, possible = groups.sum(gained_each), groups.sum(possible_each)
    rate = _rate(gained, possible)
    full = _units(cohort.full @ knowledge.weights)
    n_items = np.count_nonzero(knowledge.weights > 0, axis=0).astype(np.int64)
    enough = _enough(full, n_items, policy)
    below_each = evidence & _below(gained_each, possible_each, policy.passing)
    weak = enough & (n > 0) & _below(gained, possible, policy.passing)
    order = np.argsort(rate, axis=1, kind="stable")
    return GroupMastery(
        points=knowledge.points,
        full=full / UNITS,
        n_items=n_items,
        enough=enough,
        n=n.astype(np.int64),
        rate=rate,
        difference=rate - rate[0],
        below=divided(groups.sum(below_each), n),
        lost_share=lost_shares(possible, gained),
        weak=tuple(
            tuple(int(k) for k in ranked if is_weak[k])
            for ranked, is_weak in zip(order, weak, strict=True)
        ),
    )


def _units(weighted: FloatArray) -> FloatArray:
    """Weighted hundredths of points as whole ten-thousandths of points."""
    return np.rint(weighted * (UNITS // 100))


def _rate(gained: FloatArray, possible: FloatArray) -> FloatArray:
    return np.clip(divided(gained, possible), 0.0, 1.0)


def _below(gained: FloatArray, possible: FloatArray, share: Decimal) -> BoolArray:
    """Whether gained / possible < share, in whole numbers."""
    numerator, denominator = share.as_integer_ratio()
    return gained.astype(np.int64) * denominator < possible.astype(np.int64) * numerator


def _enough(possible: FloatArray, n_items: IntArray, policy: Policy) -> BoolArray:
    return (possible >= float(policy.mastery_points_floor * UNITS)) & (
        n_items >= policy.mastery_items_floor
    )
