"""Worked examples: docs/statistics.md. Letters as there."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.classical import item_sums, lost_shares
from inkmark.analytics.cohort import make_cohort
from inkmark.analytics.groups import (
    candidate_statistics,
    competition_rank,
    composite_index,
    effect_size,
    group_statistics,
    rank_bands,
    relative_difference,
    score_bands,
)
from inkmark.errors import InkmarkError
from inkmark.exam import Policy

NAN = np.nan
T10 = np.array([95, 88, 86, 80, 76, 72, 65, 60, 52, 36.0])


def groups_of(totals, full=100.0, policy=None, **more):
    cohort = make_cohort(np.asarray(totals, dtype=float)[:, None], [full], **more)
    return group_statistics(cohort, item_sums(cohort), policy or Policy())


# Worked examples


def test_rates_of_the_toy_class():
    row = groups_of(T10)
    assert row.excellent[0] == 0.3
    assert row.good[0] == 0.5
    assert row.good_only[0] == 0.2
    assert row.passing[0] == 0.8
    assert row.low[0] == 0.1


def test_composite_of_the_toy_class():
    row = groups_of(T10)
    figures = (row.rate, row.excellent, row.passing, row.low)
    weights = [Decimal(w) for w in ("0.4", "0.2", "0.3", "0.1")]
    assert composite_index(figures, weights)[0] == pytest.approx(0.674)


def test_class_mean_compared_with_the_grade():
    assert relative_difference(78, 72) == pytest.approx(0.0833, abs=5e-5)
    assert effect_size(78, 72, 12) == 0.5
    # 12 of 18 in a class with mean 78, the grade has 72
    row = groups_of([78] * 12 + [60] * 6, classes=["a"] * 12 + ["b"] * 6)
    assert (row.mean[0], row.mean[1]) == (72, 78)
    assert row.difference[1] == 6
    assert row.relative_difference[1] == pytest.approx(0.0833, abs=5e-5)
    assert row.ratio[1] == pytest.approx(1.083, abs=5e-4)
    assert row.effect_size[1] == pytest.approx(6 / row.sd[0])
    assert row.difference[0] == row.relative_difference[0] == 0


def test_equal_totals_share_a_rank_and_leave_a_gap():
    np.testing.assert_array_equal(competition_rank([90, 95, 95, NAN, 60]), [3, 1, 1, 0, 4])


def test_ranks_start_anew_in_each_group():
    rank = competition_rank([5, 7, 5, 5, 9], [0, 0, 1, 1, -1])
    np.testing.assert_array_equal(rank, [2, 1, 1, 1, 0])


def test_bands_of_the_toy_class_are_closed_at_the_top():
    cohort = make_cohort(np.append(T10, 100)[:, None], [100])
    bands = score_bands(cohort, Decimal(10))
    np.testing.assert_array_equal(bands.edges, np.arange(0, 101, 10))
    np.testing.assert_array_equal(bands.counts[0], [0, 0, 0, 1, 0, 1, 2, 2, 3, 2])
    np.testing.assert_array_equal(bands.at_or_above[0], [11, 11, 11, 11, 10, 10, 9, 7, 5, 2])
    np.testing.assert_allclose(bands.shares[0, -1], 2 / 11)


# Thresholds and bands to the hundredth


@pytest.mark.parametrize(
    ("full", "share", "at", "under"),
    [
        (120.0, "0.85", 102.0, 101.99),
        (150.0, "0.85", 127.5, 127.49),
        (1.1, "0.7", 0.77, 0.76),  # 0.7 * 1.1 is 0.7699999999999999 in doubles
        (0.07, "0.6", 0.05, 0.04),
    ],
)
def test_total_on_a_threshold_reaches_it(full, share, at, under):
    policy = Policy(excellent=Decimal(share), low=Decimal(share))
    row = groups_of([at, under], full, policy)
    assert row.excellent[0] == 0.5
    assert row.low[0] == 0.5


def test_total_made_of_tenths_is_exact():
    # 0.1 + 0.2 is 0.30000000000000004 in doubles, and three times 0.1 too
    cohort = make_cohort([[0.1, 0.2], [0.1, 0.19], [0.3, 0.0]], [0.3, 0.2])
    row = group_statistics(cohort, item_sums(cohort), Policy(passing=Decimal("0.6")))
    assert row.passing[0] == pytest.approx(2 / 3)
    np.testing.assert_array_equal(candidate_statistics(cohort).rank, [1, 3, 1])


def test_top_band_may_be_narrower():
    bands = score_bands(make_cohort([[100.0], [105.0], [99.99]], [105]), Decimal(10))
    np.testing.assert_array_equal(bands.edges[-3:], [90, 100, 105])
    np.testing.assert_array_equal(bands.counts[0, -2:], [1, 2])


def test_totals_outside_zero_and_full_mark_are_counted():
    bands = score_bands(make_cohort([[-12.5], [0.0], [23.0]], [20]), Decimal(10))
    np.testing.assert_array_equal(bands.edges, [-20, -10, 0, 10, 23])
    np.testing.assert_array_equal(bands.counts[0], [1, 0, 1, 1])


@pytest.mark.parametrize("width", ["0", "-5", "0.005"])
def test_bands_of_impossible_width_are_refused(width):
    with pytest.raises(InkmarkError, match="wide"):
        score_bands(make_cohort([[1.0]], [2]), Decimal(width))


# Groups


def test_who_is_counted_adds_up_in_every_group():
    row = groups_of(
        [50, NAN, NAN, 70, 80],
        absent=[0, 1, 0, 0, 0],
        classes=["1", "1", "2", "2", ""],
        schools=["S", "S", "S", "S", "T"],
    )
    np.testing.assert_array_equal(row.registered, [5, 4, 1, 2, 2])
    np.testing.assert_array_equal(row.n, [3, 2, 1, 1, 1])
    np.testing.assert_array_equal(row.n_absent, [1, 1, 0, 1, 0])
    np.testing.assert_array_equal(row.n_no_scores, [1, 1, 0, 0, 1])
    np.testing.assert_array_equal(row.median, [70, 60, 80, 50, 70])
    np.testing.assert_array_equal(row.minimum, [50, 50, 80, 50, 70])
    np.testing.assert_array_equal(row.maximum, [80, 70, 80, 50, 70])


def test_group_that_nobody_sat_has_no_figures():
    row = groups_of([50, NAN], absent=[0, 1], classes=["1", "2"])
    assert row.n[2] == 0
    for name in ("mean", "sd", "median", "excellent", "low", "alpha", "sem", "effect_size"):
        assert np.isnan(getattr(row, name)[2]), name
    bands = score_bands(make_cohort([[50], [NAN]], [100], classes=["1", "2"]), Decimal(10))
    assert np.isnan(bands.shares[2]).all()


def test_exam_that_nobody_sat_has_no_figures():
    row = groups_of([NAN, NAN])
    assert np.isnan(row.mean).all()
    assert np.isnan(row.excellent).all()
    assert groups_of([]).registered[0] == 0


def test_nobody_gained_a_point():
    row = groups_of([0, 0])
    assert row.mean[0] == 0
    assert np.isnan(row.relative_difference[0])
    assert np.isnan(row.effect_size[0])
    assert row.low[0] == 1


def test_reliability_within_each_class():
    toy = np.array([[int(c) for c in row] for row in ["1110", "1100", "1000", "1111", "0000"]])
    cohort = make_cohort(np.vstack([toy, [[1, 1, 1, 0]], toy]), [1] * 4, classes="aaaaaabbbbb")
    row = group_statistics(cohort, item_sums(cohort), Policy())
    assert row.alpha[1] == pytest.approx(0.7795, abs=5e-5)
    assert row.sem[1] == pytest.approx(row.sd[1] * np.sqrt(1 - row.alpha[1]))


def test_ranks_within_groups():
    cohort = make_cohort(
        [[5], [7], [7], [NAN], [9]],
        [10],
        classes=["1", "1", "2", "2", ""],
        schools=["S", "S", "S", "S", ""],
    )
    table = candidate_statistics(cohort)
    np.testing.assert_array_equal(table.rank, [4, 2, 2, 0, 1])
    np.testing.assert_array_equal(table.school_rank, [3, 1, 1, 0, 0])
    np.testing.assert_array_equal(table.class_rank, [2, 1, 1, 0, 0])
    np.testing.assert_array_equal(table.total, [5, 7, 7, NAN, 9])
    np.testing.assert_array_equal(table.class_row, [2, 2, 3, 3, -1])


# Invariants

ROSTERS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-300, 1000)),
        st.sampled_from(["", "1", "2", "10"]),
        st.sampled_from(["", "East", "West"]),
    ),
    max_size=20,
)


@given(roster=ROSTERS, width=st.sampled_from(["0.5", "1", "10", "3.33"]))
def test_groups_add_up_to_everybody(roster, width):
    totals = [NAN if t is None else t / 100 for t, _, _ in roster]
    cohort = make_cohort(
        np.reshape(totals, (-1, 1)),
        [9.0],
        classes=[c for _, c, _ in roster],
        schools=[s for _, _, s in roster],
    )
    row = group_statistics(cohort, item_sums(cohort), Policy())
    bands = score_bands(cohort, Decimal(width))
    np.testing.assert_array_equal(bands.counts.sum(axis=1), row.n)
    np.testing.assert_array_equal(bands.at_or_above[:, 0], row.n)
    np.testing.assert_array_equal(
        row.registered, row.n + row.n_absent + row.n_no_scores + row.n_incomplete
    )
    for name in ("excellent", "good", "good_only", "passing", "low"):
        rate = getattr(row, name)
        assert (np.isnan(rate) == (row.n == 0)).all()
        assert ((rate >= 0) & (rate <= 1))[row.n > 0].all()
    np.testing.assert_allclose(row.good, row.good_only + row.excellent)
    for i, group in enumerate(row.groups):
        inside = [
            t
            for t, (_, c, s) in zip(totals, roster, strict=True)
            if t == t  # noqa: PLR0124 - NaN
            and (group.kind == "all" or s == group.school)
            and (group.kind != "class" or c == group.class_name)
        ]
        assert row.n[i] == len(inside)
        if inside:
            assert row.mean[i] == pytest.approx(np.mean(inside))
            assert row.sd[i] == pytest.approx(np.std(inside), abs=1e-9)
            assert row.median[i] == pytest.approx(np.median(inside))
            assert row.excellent[i] == np.mean([round(t * 100) >= 765 for t in inside])


@given(totals=st.lists(st.one_of(st.just(NAN), st.integers(0, 5)), max_size=15))
def test_rank_is_one_more_than_those_above(totals):
    expected = [0 if t != t else 1 + sum(u > t for u in totals) for t in totals]  # noqa: PLR0124
    np.testing.assert_array_equal(competition_rank(np.array(totals, dtype=float)), expected)


def test_lost_shares_of_a_group_that_lost_nothing():
    assert np.isnan(lost_shares([2.0], [[2.0]])).all()


def test_places_of_the_best_are_counted_in_every_class():
    totals = np.array([90, 80, 80, 70, 60, NAN])
    cohort = make_cohort(totals[:, None], [100], classes=["a", "b", "a", "b", "b", "a"])
    found = rank_bands(cohort, [1, 2, 4])
    np.testing.assert_array_equal(found.counts, [[1, 3, 4], [1, 2, 2], [0, 1, 2]])
    np.testing.assert_array_equal(found.n, [5, 2, 3])
    assert found.shares[1] == pytest.approx([1, 2 / 3, 0.5])
    assert found.expected == pytest.approx([1, 0.4, 0.6])


def test_places_begin_with_one():
    with pytest.raises(InkmarkError, match="Places begin with 1"):
        rank_bands(make_cohort([[1.0]], [1]), [0])


def test_nobody_has_no_share_of_the_best():
    found = rank_bands(make_cohort([[NAN]], [1]), [10])
    assert np.isnan(found.shares).all()
    assert np.isnan(found.expected).all()
