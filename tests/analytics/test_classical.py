"""Worked examples: docs/statistics.md. Letters as there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inkmark.analytics.classical import (
    correlation,
    cronbach_alpha,
    discrimination,
    group_item_statistics,
    guess_corrected,
    item_statistics,
    item_sums,
    lost_shares,
    paper_statistics,
    rest_correlation,
    spearman_brown,
    standard_error,
    tail_rows,
    tail_size,
)
from inkmark.analytics.cohort import make_cohort
from inkmark.analytics.model import GroupKind

NAN = np.nan
T10 = np.array([95, 88, 86, 80, 76, 72, 65, 60, 52, 36.0])
RESPONSES = np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0.0])
TOY = np.array([[int(c) for c in row] for row in ["1110", "1100", "1000", "1111", "0000", "1110"]])


def t10():
    """The toy class: an item of one point and the rest of the paper."""
    return make_cohort(np.column_stack([RESPONSES, T10 - RESPONSES]), [1, 99])


def items_of(scores, full, **more):
    cohort = make_cohort(scores, full, **more)
    return item_statistics(cohort, item_sums(cohort))


def paper_of(scores, full, **more):
    cohort = make_cohort(scores, full, **more)
    return paper_statistics(cohort, item_sums(cohort))


# Worked examples


def test_mean_and_spread_of_the_toy_class():
    paper = paper_of(T10[:, None], [100])
    assert paper.n == 10
    assert paper.mean == 71
    assert paper.rate == pytest.approx(0.71)
    assert paper.sd == pytest.approx(17.146, abs=5e-4)
    assert paper.sd_sample == pytest.approx(18.074, abs=5e-4)
    assert paper.cv == pytest.approx(0.2415, abs=5e-5)
    assert paper.range == 59
    assert (paper.minimum, paper.median, paper.maximum) == (36, 74, 95)
    assert (paper.q1, paper.q3) == (61.25, 84.5)
    assert paper.iqr == 23.25


def test_discrimination_of_the_toy_item():
    cohort = t10()
    items = item_statistics(cohort, item_sums(cohort))
    assert items.tail_n == 3
    assert items.facility[0] == pytest.approx(0.6)
    assert (items.upper_facility[0], items.lower_facility[0]) == (1, 0)
    assert items.discrimination[0] == 1
    assert items.item_total[0] == pytest.approx(0.762, abs=5e-4)
    assert items.item_rest[0] == pytest.approx(0.750, abs=5e-4)


def test_discrimination_of_a_subjective_item():
    assert discrimination(27.6 / 3, 9.3 / 3, 10 - 1) == pytest.approx(0.678, abs=5e-4)
    assert discrimination(27.6 / 3, 9.3 / 3, 10) == pytest.approx(0.61)


def test_discrimination_of_the_paper():
    paper = paper_of(T10[:, None], [100])
    assert paper.discrimination == pytest.approx((269 - 148) / 3 / 100)


def test_facility_corrected_for_guessing():
    assert guess_corrected(0.6, 4) == pytest.approx(0.467, abs=5e-4)
    assert guess_corrected(0.25, 4) == 0


def test_alpha_of_the_toy_paper_is_kr20():
    paper = paper_of(TOY, [1, 1, 1, 1])
    assert paper.alpha == pytest.approx(0.7795, abs=5e-5)


def test_spearman_and_brown():
    assert spearman_brown(0.7) == pytest.approx(0.824, abs=5e-4)
    assert spearman_brown(0.5, 3) == 0.75
    assert np.isnan(spearman_brown(-1.0))


def test_standard_error_of_measurement():
    assert standard_error(15, 0.84) == pytest.approx(6)
    assert standard_error(15, -0.2) == 15


def test_paper_facility_is_weighted_by_full_marks():
    scores = np.array([[2, 3], [1, 8], [0, 4]])
    items, paper = items_of(scores, [2, 10]), paper_of(scores, [2, 10])
    assert paper.rate == pytest.approx(np.dot(items.facility, items.full) / items.full.sum())
    assert paper.discrimination == pytest.approx(
        np.dot(items.discrimination, items.full) / items.full.sum()
    )


def test_shares_of_the_points_lost():
    items = items_of([[2, 5], [0, 0]], [2, 10])
    np.testing.assert_allclose(items.lost_share, [1 / 8.5, 7.5 / 8.5])
    np.testing.assert_array_equal(lost_shares([1, 2], [1, 2]), [NAN, NAN])


# The 27 % groups


def test_sizes_of_the_groups_are_rounded_half_up():
    np.testing.assert_array_equal(
        tail_size([0, 1, 2, 3, 5, 6, 10, 50, 100]), [0, 0, 1, 1, 1, 2, 3, 14, 27]
    )


def test_ties_are_settled_by_candidate_number():
    scores = np.array([[5], [5], [5], [5], [5.0]])
    for order in ([0, 1, 2, 3, 4], [3, 1, 4, 0, 2]):
        candidates = [f"10{i}" for i in order]
        upper, lower = tail_rows(make_cohort(scores, [9], candidates))
        assert [candidates[i] for i in upper] == ["100"]
        assert [candidates[i] for i in lower] == ["104"]


def test_groups_are_formed_by_total_and_not_by_the_item():
    # a sorted copy of the item itself would give 1
    scores = np.column_stack([[0, 1, 0, 1], [40, 30, 20, 10]])
    assert items_of(scores, [1, 50]).discrimination[0] == -1


def test_each_class_has_its_own_groups():
    scores = np.array([[1], [2], [3], [11], [12], [13.0]])
    cohort = make_cohort(scores, [20], classes=list("aaabbb"))
    upper, lower = tail_rows(cohort, GroupKind.CLASS)
    assert (list(upper), list(lower)) == ([2, 5], [0, 3])
    within = group_item_statistics(cohort, item_sums(cohort))
    np.testing.assert_array_equal(within.tail_n, [2, 1, 1])
    np.testing.assert_allclose(within.discrimination[:, 0], [(25 - 3) / 2 / 20, 0.1, 0.1])


# Who counts


def test_incomplete_rows_count_for_their_items_only():
    items = items_of([[1, 2], [0, NAN], [NAN, NAN], [1, 0]], [1, 2])
    np.testing.assert_array_equal(items.n, [3, 2])
    np.testing.assert_allclose(items.facility, [2 / 3, 0.5])
    np.testing.assert_allclose(items.full_rate, [2 / 3, 0.5])
    np.testing.assert_allclose(items.zero_rate, [1 / 3, 0.5])
    assert items.n_totals == 2
    paper = paper_of([[1, 2], [0, NAN], [NAN, NAN], [1, 0]], [1, 2])
    assert (paper.n, paper.n_incomplete, paper.n_no_scores, paper.n_absent) == (2, 1, 1, 0)
    assert paper.mean == 2


def test_absence_as_zero_lowers_the_mean():
    paper = paper_of([[4.0], [NAN]], [4], absent=[0, 1], absent_as_zero=True)
    assert (paper.n, paper.n_absent, paper.mean) == (2, 0, 2)


def test_item_that_nobody_was_presented_leaves_no_totals():
    scores = [[1, NAN], [0, NAN], [1, NAN]]
    items, paper = items_of(scores, [1, 5]), paper_of(scores, [1, 5])
    np.testing.assert_array_equal(items.n, [3, 0])
    np.testing.assert_allclose(items.facility, [2 / 3, NAN])
    np.testing.assert_allclose(items.lost_share, [1, NAN])
    assert np.isnan(items.item_rest).all()
    assert (paper.n, paper.n_incomplete) == (0, 3)
    assert np.isnan(paper.mean)


@pytest.mark.parametrize("scores", [np.zeros((0, 2)), [[1, 2]], [[NAN, NAN]], [[3, 3], [3, 3]]])
def test_too_few_or_equal_candidates_give_no_figure_and_no_warning(scores):
    items, paper = items_of(scores, [3, 5]), paper_of(scores, [3, 5])
    assert np.isnan(items.item_rest).all()
    assert np.isnan(items.item_total).all()
    assert np.isnan(paper.alpha)
    assert np.isnan(paper.sem)
    assert np.isnan(paper.split_half)
    if paper.n < 2:
        assert paper.tail_n == 0
        assert np.isnan(items.discrimination).all()
    else:
        assert (items.discrimination == 0).all()
        assert np.isnan(items.range_discrimination).all()


def test_paper_without_items_has_no_figures():
    paper = paper_of(np.zeros((3, 0)), np.zeros(0))
    assert (paper.n, paper.n_no_scores, paper.full) == (0, 3, 0)
    assert np.isnan(paper.mean)


def test_single_item_has_no_rest():
    items = items_of([[1], [0], [1]], [1])
    assert items.item_total[0] == pytest.approx(1)
    assert np.isnan(items.item_rest[0])


def test_void_item_counts_in_k_and_tells_no_one_apart():
    with_void = np.column_stack([TOY, np.full(6, 2)])
    paper, items = paper_of(with_void, [1, 1, 1, 1, 2]), items_of(with_void, [1, 1, 1, 1, 2])
    assert paper.alpha == pytest.approx(0.7308, abs=5e-5)
    assert (items.facility[4], items.discrimination[4], items.lost_share[4]) == (1, 0, 0)
    assert np.isnan(items.item_rest[4])


def test_negative_scores_are_taken_as_they_are():
    items = items_of([[-1, 0], [-1, 4], [2, 3]], [2, 4])
    assert items.facility[0] == 0
    np.testing.assert_allclose(items.zero_rate, [2 / 3, 1 / 3])
    assert paper_of([[-1, 0], [-1, 0]], [2, 4]).rate == pytest.approx(-1 / 6)


def test_split_half_is_over_odd_and_even_items():
    scores = np.array([[3, 1, 0], [2, 2, 1], [0, 0, 1], [4, 3, 1], [1, 2, 2.0]])
    r = np.corrcoef(scores[:, 0] + scores[:, 2], scores[:, 1])[0, 1]
    assert paper_of(scores, [4, 3, 2]).split_half == pytest.approx(2 * r / (1 + r))


# Invariants

MATRICES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12).flatmap(
    lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(-50, 400))
)


@given(scores=MATRICES, seed=st.integers(0, 9))
def test_order_of_candidates_does_not_matter(scores, seed):
    full = np.full(scores.shape[1], 4.0)
    candidates = np.array([f"{i:03}" for i in range(len(scores))])
    order = np.random.default_rng(seed).permutation(len(scores))
    first = items_of(scores / 100, full, candidates=tuple(candidates))
    again = items_of(scores[order] / 100, full, candidates=tuple(candidates[order]))
    for name in ("facility", "discrimination", "item_rest", "item_total", "lost_share"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


@given(scores=MATRICES)
def test_correlations_agree_with_their_definition(scores):
    items = items_of(scores / 100, np.full(scores.shape[1], 4.0))
    total = scores.sum(axis=1)
    for j, column in enumerate(scores.T):
        for figure, other in ((items.item_total[j], total), (items.item_rest[j], total - column)):
            if np.ptp(column) == 0 or np.ptp(other) == 0:
                assert np.isnan(figure)
            else:
                assert figure == pytest.approx(np.corrcoef(column, other)[0, 1], abs=1e-7)


@given(
    scores=hnp.arrays(np.int64, st.tuples(st.integers(2, 15), st.integers(2, 8)),
                      elements=st.integers(0, 1))
)  # fmt: skip
def test_alpha_is_kr20_for_right_and_wrong(scores):
    paper = paper_of(scores, np.ones(scores.shape[1]))
    k, p = scores.shape[1], scores.mean(axis=0)
    variance = scores.sum(axis=1).var()
    if variance == 0:
        assert np.isnan(paper.alpha)
    else:
        assert paper.alpha == pytest.approx(k / (k - 1) * (1 - (p * (1 - p)).sum() / variance))


@given(scores=MATRICES)
def test_lost_shares_add_up_to_one(scores):
    share = items_of(np.clip(scores, 0, 399) / 100, np.full(scores.shape[1], 4.0)).lost_share
    assert share.sum() == pytest.approx(1)
    assert ((share >= 0) & (share <= 1)).all()


def test_formulas_take_arrays():
    np.testing.assert_allclose(correlation([2, 1], [4, 1], [1, 0]), [1, NAN])
    np.testing.assert_allclose(rest_correlation(2.0, 1.0, 5.0), 0.7071, atol=5e-5)
    np.testing.assert_allclose(cronbach_alpha([[1, 1], [0, 1]], [3, 0]), [2 / 3, NAN])
    assert np.isnan(cronbach_alpha([[1.0], [2.0]], [1, 2])).all()
