from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics import (
    COLLEGE_ENTRANCE,
    HAINAN,
    LINEAR_500,
    T_SCALE,
    normalised_z,
    percentile_rank,
    rank_percentile,
    scaled,
    z_scores,
)

T10 = np.array([95, 88, 86, 80, 76, 72, 65, 60, 52, 36], dtype=float)
TOTALS = st.lists(st.integers(0, 150) | st.just(None), max_size=40).map(
    lambda values: np.array(values, dtype=float)
)


def test_the_worked_example():
    z = z_scores(T10)
    assert z[1] == pytest.approx(0.991, abs=5e-4)
    assert scaled(z, T_SCALE)[1] == pytest.approx(59.9, abs=0.05)
    assert scaled(z, LINEAR_500)[1] == pytest.approx(599.1, abs=0.05)
    normal = normalised_z(T10)
    assert percentile_rank(T10)[1] == pytest.approx(0.85)
    assert scaled(normal, COLLEGE_ENTRANCE)[1] == pytest.approx(603.6, abs=0.05)
    assert scaled(normal, HAINAN)[1] == pytest.approx(211.1, abs=0.05)
    assert rank_percentile(2, 10) == pytest.approx(85)


def test_the_divisor_of_a_sample():
    assert z_scores(T10, sample=True)[0] == pytest.approx((95 - 71) / 18.074, abs=1e-4)


def test_scales_are_cut_at_their_ends():
    assert scaled([-9, 0, 9], COLLEGE_ENTRANCE).tolist() == [100, 500, 900]
    assert scaled([-9, 0, 9], HAINAN).tolist() == [60, 180, 300]


def test_equal_totals_share_a_percentile_rank():
    assert percentile_rank([3, 1, 3, np.nan, 2]).tolist() == pytest.approx(
        [0.75, 0.125, 0.75, np.nan, 0.375], nan_ok=True
    )


def test_totals_that_do_not_vary_have_no_standard_score():
    assert np.isnan(z_scores([5, 5, 5])).all()
    assert percentile_rank([5, 5, 5]).tolist() == [0.5, 0.5, 0.5]
    assert z_scores([]).size == 0
    assert np.isnan(z_scores([np.nan, np.nan])).all()


def test_several_tests_at_once():
    both = np.column_stack([T10, T10[::-1] * 2])
    assert np.allclose(z_scores(both)[:, 1], z_scores(T10)[::-1])


def test_no_place_has_no_percentile():
    assert np.isnan(rank_percentile([0, 1], 4)).tolist() == [True, False]


@given(TOTALS)
def test_standard_scores_keep_the_order(totals):
    has = ~np.isnan(totals)
    for scores in (percentile_rank(totals), scaled(normalised_z(totals), COLLEGE_ENTRANCE)):
        assert np.array_equal(np.isnan(scores), ~has)
        order = np.argsort(totals[has], kind="stable")
        assert (np.diff(scores[has][order]) >= 0).all()
        same = np.diff(totals[has][order]) == 0
        assert (np.diff(scores[has][order])[same] == 0).all()
