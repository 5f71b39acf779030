"""Worked examples: docs/statistics.md. Letters as there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.cohort import make_cohort
from inkmark.analytics.mastery import (
    group_mastery,
    knowledge_map,
    mastery_table,
    wilson_interval,
)
from inkmark.analytics.model import KnowledgeMap
from inkmark.exam import Item, ItemType, Policy, RuleKind, ScoringRule

NAN = np.nan


def item(number, points, **knowledge):
    weights = tuple((point, Decimal(weight)) for point, weight in knowledge.items())
    return Item(number, ItemType.SUBJECTIVE, (), (), Decimal(points), knowledge=weights)


PAPER = [item("1", 4, A="1"), item("2", 4, A="1"), item("16", 6, A="0.5", B="0.5")]


def mastery_of(scores, full=(4, 4, 6), knowledge=None, policy=None, **more):
    cohort = make_cohort(scores, full, **more)
    knowledge = knowledge or knowledge_map(PAPER)
    policy = policy or Policy()
    table = mastery_table(cohort, knowledge, policy)
    return table, group_mastery(cohort, knowledge, table, policy)


def test_knowledge_points_in_the_order_of_the_paper():
    knowledge = knowledge_map([item("1", 2, B="1"), item("2", 2), item("3", 3, A="0.4", B="0.6")])
    assert knowledge.points == ("B", "A")
    np.testing.assert_allclose(knowledge.weights, [[1, 0], [0, 0], [0.6, 0.4]])


def test_void_items_are_no_evidence():
    void = replace(item("3", 6, A="0.5", C="0.5"), rule=ScoringRule(RuleKind.VOID))
    knowledge = knowledge_map([*PAPER[:2], void])
    assert knowledge.points == ("A", "C")
    table, group = mastery_of([[4, 0, 6]], knowledge=knowledge)
    np.testing.assert_array_equal(table.possible, [[8, 0]])
    np.testing.assert_array_equal(table.rate, [[0.5, NAN]])
    np.testing.assert_array_equal(group.n_items, [2, 0])
    assert group.weak == ((0,),)


def test_mastery_of_the_worked_example():
    table, _ = mastery_of([[4, 0, 3]])
    assert table.points == ("A", "B")
    np.testing.assert_array_equal(table.gained, [[5.5, 1.5]])
    np.testing.assert_array_equal(table.possible, [[11, 3]])
    np.testing.assert_array_equal(table.n_items, [[3, 1]])
    np.testing.assert_array_equal(table.rate, [[0.5, 0.5]])
    assert table.low[0, 0] == pytest.approx(0.25, abs=5e-3)
    assert table.high[0, 0] == pytest.approx(0.75, abs=5e-3)
    # B rests on 3 points of one item: not enough
    np.testing.assert_array_equal(table.enough, [[True, False]])


def test_wilson_interval_against_published_values():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3
    for successes, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = wilson_interval(successes, trials)
        assert [float(end) for end in interval] == pytest.approx([low, high], abs=5e-5)
    assert np.isnan(wilson_interval(0, 0)).all()


def test_only_items_with_a_score_are_evidence():
    table, _ = mastery_of([[4, NAN, 3], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(table.possible, [[7, 3], [0, 0]])
    np.testing.assert_array_equal(table.n_items, [[2, 1], [0, 0]])
    np.testing.assert_allclose(table.rate[0], [5.5 / 7, 0.5])
    assert np.isnan(table.rate[1]).all()
    assert np.isnan(table.low[1]).all()
    assert not table.enough[1].any()


@pytest.mark.parametrize(
    ("points_floor", "items_floor", "enough"),
    [("11", 3, True), ("11.01", 3, False), ("11", 4, False), ("0", 0, True)],
)
def test_floors_are_reached_at_their_value(points_floor, items_floor, enough):
    policy = Policy(mastery_points_floor=Decimal(points_floor), mastery_items_floor=items_floor)
    table, group = mastery_of([[4, 0, 3]], policy=policy)
    assert table.enough[0, 0] == enough
    assert group.enough[0] == enough


def test_thirds_do_not_miss_a_floor_or_a_threshold():
    third = Decimal(1) / 3
    paper = [item(str(i), 6, A=third, B=1 - third) for i in range(3)]
    policy = Policy(mastery_points_floor=Decimal(6))
    table, group = mastery_of([[3.6, 3.6, 3.6]], (6, 6, 6), knowledge_map(paper), policy)
    assert table.possible[0, 0] == 6
    assert table.enough[0, 0]
    assert group.below[0, 0] == 0
    assert group.weak == ((),)


def test_weighted_points_on_a_threshold_reach_it():
    # .1 * 20 + .7 * 340 hundredths is 239.99999999999997 in doubles, and 240 is .6 of 400
    paper = [item("1", 5, A="0.1", B="0.9"), item("2", 5, A="0.7", C="0.3")]
    _, group = mastery_of([[0.2, 3.4]], (5, 5), knowledge_map(paper))
    assert group.rate[0, 0] == 0.6
    assert group.below[0, 0] == 0
    policy = Policy(mastery_points_floor=Decimal("2.4"))
    table, _ = mastery_of([[0, 0]], (0.2, 3.4), knowledge_map(paper), policy)
    assert table.enough[0, 0]


def test_negative_points_are_no_mastery():
    table, group = mastery_of([[-1, -1, 0]])
    assert table.gained[0, 0] == -2
    assert table.rate[0, 0] == table.low[0, 0] == 0
    assert group.rate[0, 0] == 0


def test_weak_common_points_of_a_class():
    paper = [item("1", 10, A="1"), item("2", 10, B="1"), item("3", 10, C="1")]
    policy = Policy(mastery_items_floor=1)
    _, group = mastery_of(
        [[2, 5, 6], [4, 7, 6], [10, 10, 10], [10, 10, 10]],
        (10, 10, 10),
        knowledge_map(paper),
        policy,
        classes=["a", "a", "b", "b"],
    )
    np.testing.assert_array_equal(group.n, [[4] * 3, [2] * 3, [2] * 3])
    np.testing.assert_allclose(group.rate, [[0.65, 0.8, 0.8], [0.3, 0.6, 0.6], [1, 1, 1]])
    np.testing.assert_allclose(group.difference[1], [-0.35, -0.2, -0.2])
    np.testing.assert_allclose(group.below[1], [1, 0.5, 0])
    np.testing.assert_allclose(group.lost_share[1], [14 / 30, 8 / 30, 8 / 30])
    # A is below .60, B and C are at .60
    assert group.weak == ((), (0,), ())


def test_weak_points_come_lowest_first_and_need_evidence():
    paper = [item("1", 10, A="1"), item("2", 10, B="1"), item("3", 5, C="1")]
    policy = Policy(mastery_items_floor=1)
    _, group = mastery_of([[5, 2, 0]], (10, 10, 5), knowledge_map(paper), policy)
    assert group.weak == ((1, 0),)


def test_group_without_candidates_has_no_mastery():
    _, group = mastery_of([[4, 0, 3], [NAN, NAN, NAN]], classes=["a", "b"])
    assert np.isnan(group.rate[2]).all()
    assert np.isnan(group.below[2]).all()
    assert group.weak[2] == ()


def test_exam_without_knowledge_points():
    table, group = mastery_of([[4, 0, 3]], knowledge=KnowledgeMap((), np.zeros((3, 0))))
    assert table.rate.shape == (1, 0)
    assert group.weak == ((),)


@given(
    successes=st.floats(0, 50, allow_subnormal=False),
    more=st.floats(0, 50, allow_subnormal=False),
)
def test_wilson_interval_holds_the_share(successes, more):
    trials = successes + more
    low, high = wilson_interval(successes, trials)
    if trials > 0:
        assert 0 <= low <= successes / trials + 1e-12
        assert successes / trials - 1e-12 <= high <= 1


@given(
    scores=st.lists(
        st.tuples(*(st.one_of(st.just(NAN), st.integers(0, f * 100)) for f in (4, 4, 6))),
        min_size=1,
        max_size=8,
    )
)
def test_mastery_agrees_with_its_definition(scores):
    points = np.array(scores, dtype=float) / 100
    table, group = mastery_of(points)
    weights, full = knowledge_map(PAPER).weights, np.array([4, 4, 6])
    for i, row in enumerate(points):
        seen = ~np.isnan(row)
        for k in range(2):
            possible = (weights[seen, k] * full[seen]).sum()
            gained = (weights[seen, k] * row[seen]).sum()
            assert table.gained[i, k] == pytest.approx(gained)
            assert table.possible[i, k] == pytest.approx(possible)
            if possible:
                assert table.rate[i, k] == pytest.approx(gained / possible)
                assert table.low[i, k] <= table.rate[i, k] <= table.high[i, k]
    assert group.n[0].tolist() == (table.possible > 0).sum(axis=0).tolist()
