from __future__ import annotations

import numpy as np
import pytest

from inkmark.analytics import progress, rank_progress
from inkmark.errors import AnalysisError


def test_the_worked_example():
    change, rate, index = rank_progress(200, 150)
    assert change == 50
    assert rate == pytest.approx(0.25)
    assert index == pytest.approx(0.143, abs=5e-4)


def test_who_missed_an_exam_moves_nobody():
    nan = np.nan
    found = progress([90, 80, nan, 70, 60], [60, 95, 99, 80, nan])
    assert found.n == 3
    assert found.previous_rank.tolist() == [1, 2, 0, 3, 0]
    assert found.rank.tolist() == [3, 1, 0, 2, 0]
    assert found.rank_change.tolist() == pytest.approx([-2, 1, nan, 1, nan], nan_ok=True)
    assert found.percentile_change.tolist() == pytest.approx(
        [-2 / 3, 1 / 3, nan, 1 / 3, nan], nan_ok=True
    )
    before, after = np.array([90.0, 80, 70]), np.array([60.0, 95, 80])
    wanted = (after - after.mean()) / after.std() - (before - before.mean()) / before.std()
    assert found.z_change[[0, 1, 3]] == pytest.approx(wanted)


def test_the_totals_given_are_left_as_they_are():
    totals = np.array([1.0, 2.0])
    progress(totals, [np.nan, 3.0])
    assert totals.tolist() == [1, 2]


def test_totals_of_others_are_refused():
    with pytest.raises(AnalysisError, match="not those of the same candidates"):
        progress([1, 2], [1, 2, 3])
