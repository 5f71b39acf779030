from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.cohort import make_cohort
from inkmark.analytics.options import option_shares
from inkmark.errors import InkmarkError

NAN = np.nan
ABCD = ("A", "B", "C", "D")


def shares_of(responses, scores, key=("A",), options=ABCD):
    cohort = make_cohort(np.column_stack([scores]), [10])
    return option_shares(cohort, np.column_stack([responses]), [options], [key])


def test_shares_of_everybody_and_of_both_groups():
    # ten candidates, best first: groups of three
    shares = shares_of([*"AAABABCCB", ""], np.arange(10, 0, -1))
    assert shares.option == ("A", "B", "C", "D", "")
    np.testing.assert_array_equal(shares.keyed, [True, False, False, False, False])
    np.testing.assert_array_equal(shares.item, [0] * 5)
    np.testing.assert_array_equal(shares.n, [10] * 5)
    np.testing.assert_array_equal(shares.count, [4, 3, 2, 0, 1])
    np.testing.assert_allclose(shares.share, [0.4, 0.3, 0.2, 0, 0.1])
    np.testing.assert_allclose(shares.upper, [1, 0, 0, 0, 0])
    np.testing.assert_allclose(shares.lower, [0, 1 / 3, 1 / 3, 0, 1 / 3])
    np.testing.assert_array_equal(shares.nobody, [False, False, False, True, False])
    assert not shares.upper_prefers.any()


def test_distractor_that_the_upper_group_prefers_is_flagged():
    shares = shares_of(list("BBABABAABA"), np.arange(10, 0, -1))
    np.testing.assert_array_equal(shares.upper_prefers, [False, True, False, False, False])


def test_blank_is_no_distractor_and_no_option_that_nobody_chose():
    shares = shares_of(["", "", "A", "A"], [9, 8, 2, 1])
    assert shares.upper[-1] == 1
    assert not shares.upper_prefers.any()
    assert not shares_of(["A"], [1]).nobody[-1]


def test_item_without_a_key_has_no_distractors():
    assert not shares_of(list("BBAA"), [9, 8, 2, 1], key=()).upper_prefers.any()


def test_several_marks_count_for_each_option():
    shares = shares_of(["AC", "ACD", "C", ""], [9, 8, 7, 6], key=("A", "C"))
    np.testing.assert_array_equal(shares.count, [2, 0, 3, 1, 1])
    np.testing.assert_array_equal(shares.keyed, [True, False, True, False, False])


def test_labels_of_several_characters_are_joined_by_a_bar():
    shares = shares_of(
        ["true", "false", "true|false", "10"], [4, 3, 2, 1], ("true",), ("true", "false", "10")
    )
    np.testing.assert_array_equal(shares.count, [2, 2, 1, 0])


def test_responses_without_a_score_are_not_counted():
    shares = shares_of(["A", "B", ""], [10, NAN, NAN])
    np.testing.assert_array_equal(shares.n, [1] * 5)
    np.testing.assert_array_equal(shares.count, [1, 0, 0, 0, 0])


def test_item_that_nobody_was_presented_has_no_shares_and_no_flags():
    shares = shares_of(["", ""], [NAN, NAN])
    assert np.isnan(shares.share).all()
    assert np.isnan(shares.upper).all()
    assert not shares.nobody.any()


def test_one_candidate_has_no_groups():
    shares = shares_of(["A"], [10])
    assert shares.share[0] == 1
    assert np.isnan(shares.upper).all()


def test_items_without_options_have_no_rows():
    cohort = make_cohort([[1, 2], [0, 5]], [1, 5])
    shares = option_shares(cohort, [["B", ""], ["A", ""]], [("A", "B"), ()], [("A",), ()])
    np.testing.assert_array_equal(shares.item, [0, 0, 0])
    none = option_shares(cohort, [["", ""], ["", ""]], [(), ()], [(), ()])
    assert none.option == ()
    assert none.share.shape == (0,)


def test_exam_without_candidates():
    cohort = make_cohort(np.zeros((0, 1)), [1])
    shares = option_shares(cohort, np.zeros((0, 1), dtype=str), [("A", "B")], [("A",)])
    np.testing.assert_array_equal(shares.count, [0, 0, 0])


def test_responses_that_do_not_fit_are_refused():
    with pytest.raises(InkmarkError, match="row per candidate"):
        option_shares(make_cohort([[1.0]], [1]), [["A", "B"]], [ABCD], [("A",)])


@given(
    responses=st.lists(st.sets(st.sampled_from(ABCD)), min_size=1, max_size=20),
    key=st.sampled_from(ABCD),
)
def test_counts_agree_with_counting(responses, key):
    scores = [float(key in marked) for marked in responses]
    texts = ["".join(sorted(marked)) for marked in responses]
    shares = shares_of(texts, scores, (key,))
    assert list(shares.count[:4]) == [sum(o in marked for marked in responses) for o in ABCD]
    assert shares.count[4] == sum(not marked for marked in responses)
    assert ((shares.share >= 0) & (shares.share <= 1)).all()
