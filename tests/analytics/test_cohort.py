from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.cohort import divided, index_groups, make_cohort, threshold
from inkmark.analytics.model import Group, GroupKind, Standing
from inkmark.errors import InkmarkError

NAN = np.nan
SCORES = np.array([[2.0, 3.5], [NAN, 1.0], [NAN, NAN], [NAN, NAN], [0.1, 0.2]])


def test_standing_says_why_a_candidate_is_not_counted():
    cohort = make_cohort(SCORES, [2, 5], absent=[0, 0, 0, 1, 0])
    assert [Standing(s).name for s in cohort.standing] == [
        "COUNTED",
        "INCOMPLETE",
        "NO_SCORES",
        "ABSENT",
        "COUNTED",
    ]
    np.testing.assert_array_equal(cohort.total, [550, NAN, NAN, NAN, 30])
    assert cohort.full_total == 700


def test_absence_counts_as_zero_where_the_policy_says_so():
    cohort = make_cohort(SCORES, [2, 5], absent=[0, 0, 0, 1, 0], absent_as_zero=True)
    assert cohort.standing[3] == Standing.COUNTED
    assert cohort.total[3] == 0


def test_absence_is_no_score_on_an_item_that_nobody_was_presented():
    cohort = make_cohort([[1, NAN], [NAN, NAN]], [1, 1], absent=[0, 1], absent_as_zero=True)
    np.testing.assert_array_equal(cohort.scores, [[100, NAN], [0, NAN]])
    assert not cohort.counted.any()


def test_scores_of_an_absent_candidate_are_not_used():
    cohort = make_cohort([[1.0], [1.0]], [1], absent=[True, False])
    np.testing.assert_array_equal(cohort.counted, [False, True])
    assert np.isnan(cohort.scores[0, 0])


def test_scores_given_are_not_changed():
    scores = SCORES.copy()
    make_cohort(scores, [2, 5], absent=[1, 1, 1, 1, 1], absent_as_zero=True)
    np.testing.assert_array_equal(scores, SCORES)


@pytest.mark.parametrize(
    ("scores", "full", "word"),
    [
        ([[0.125]], [1], "two decimals"),
        ([[np.inf]], [1], "infinite"),
        ([[1.0, 2.0]], [1], "column per item"),
        ([1.0, 2.0], [1, 1], "row per candidate"),
    ],
)
def test_scores_that_cannot_be_meant_are_refused(scores, full, word):
    with pytest.raises(InkmarkError, match=word):
        make_cohort(scores, full)


def test_candidates_that_do_not_fit_the_scores_are_refused():
    with pytest.raises(InkmarkError, match="absence marks"):
        make_cohort([[1.0]], [1], ["a", "b"])


def test_groups_come_in_natural_order_and_classes_of_one_name_stay_apart():
    index = index_groups(["10", "2", "2", "", "9"], ["East", "East", "West", "West", ""])
    assert index.groups == (
        Group(GroupKind.ALL),
        Group(GroupKind.SCHOOL, "East"),
        Group(GroupKind.SCHOOL, "West"),
        Group(GroupKind.CLASS, "", "9"),
        Group(GroupKind.CLASS, "East", "2"),
        Group(GroupKind.CLASS, "East", "10"),
        Group(GroupKind.CLASS, "West", "2"),
    )
    np.testing.assert_array_equal(index.rows_of(GroupKind.ALL), [0, 0, 0, 0, 0])
    np.testing.assert_array_equal(index.rows_of(GroupKind.SCHOOL), [1, 1, 2, 2, -1])
    np.testing.assert_array_equal(index.rows_of(GroupKind.CLASS), [5, 4, 6, -1, 3])
    np.testing.assert_array_equal(index.sum(np.array([1, 2, 4, 8, 16])), [31, 3, 12, 16, 2, 1, 4])


def test_names_that_differ_only_by_leading_zeros_keep_one_order():
    assert [g.class_name for g in index_groups(["01", "1", "001"], [""] * 3).groups[1:]] == [
        "001",
        "01",
        "1",
    ]


@pytest.mark.parametrize(
    ("share", "full", "lowest"),
    [
        ("0.85", 10000, 8500),
        ("0.85", 15000, 12750),
        ("0.60", 7, 5),  # 4.2 hundredths: 4 is below, 5 is above
        ("0.55", 100, 55),  # 55.00000000000001 in doubles
        ("0", 100, 0),
        ("1", 100, 100),
    ],
)
def test_thresholds_are_exact(share, full, lowest):
    assert threshold(Decimal(share), full) == lowest


@given(
    share=st.decimals(0, 1, places=4),
    full=st.integers(1, 100_000),
    total=st.integers(-100_000, 100_000),
)
def test_a_total_reaches_a_threshold_just_as_in_decimals(share, full, total):
    assert (total >= threshold(share, full)) == (Decimal(total) >= share * full)


def test_division_by_nothing_is_no_figure():
    np.testing.assert_array_equal(divided([1.0, 0.0, 3.0], [2.0, 0.0, 0.0]), [0.5, NAN, NAN])
