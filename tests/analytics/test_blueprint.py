from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from inkmark.analytics import agreement, blueprint, coverage
from inkmark.errors import AnalysisError
from inkmark.exam import Item, ItemType, RuleKind, ScoringRule


def item(number, points, level, *knowledge):
    return Item(
        number,
        ItemType.SINGLE,
        tuple("ABCD"),
        ("A",),
        Decimal(points),
        knowledge=tuple((name, Decimal(weight)) for name, weight in knowledge),
        level=level,
    )


def test_points_are_added_up_by_knowledge_point_and_level():
    items = [
        item("1", 4, "apply", ("A", "1")),
        item("2", 6, "know", ("A", "0.5"), ("B", "0.5")),
        item("3", 2, "apply", ("B", "1")),
        replace(item("4", 9, "know", ("A", "1")), rule=ScoringRule(RuleKind.VOID)),
    ]
    found = blueprint(items)
    assert found.points == ("A", "B")
    assert found.levels == ("apply", "know")
    assert found.weights.tolist() == [[4, 3], [2, 3]]
    assert found.shares.sum() == pytest.approx(1)


def test_a_paper_without_items():
    found = blueprint([])
    assert found.weights.shape == (0, 0)


def test_coverage_counts_what_the_syllabus_names():
    assert coverage(["A", "B", "X"], ["A", "B", "C", "D"]) == 0.5
    assert math.isnan(coverage(["A"], []))


def test_the_worked_example_of_agreement():
    assert agreement([0.35, 0.30, 0.25, 0.10], [0.30, 0.40, 0.20, 0.10]) == pytest.approx(0.90)
    assert agreement(np.array([35, 30, 25, 10]), [3, 4, 2, 1]) == pytest.approx(0.90)


@pytest.mark.parametrize(
    ("weights", "plan"), [([1, 2], [1]), ([0, 0], [1, 1]), ([-1, 2], [1, 1]), ([np.nan], [1])]
)
def test_what_cannot_be_compared_is_refused(weights, plan):
    with pytest.raises(AnalysisError):
        agreement(weights, plan)
