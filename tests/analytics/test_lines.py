from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics import (
    LineMethod,
    SubjectLines,
    borderline,
    index_groups,
    line_statistics,
    subject_lines,
)
from inkmark.errors import AnalysisError

TOTALS = np.array([300.0, 280, 260, 240, 220, np.nan])
SUBJECTS = np.array([[100.0, 200], [140, 140], [130, 130], [90, 150], [120, 100], [150, np.nan]])


def one_class(n):
    return index_groups(["1"] * n, [""] * n)


def test_by_rank_the_line_is_the_score_at_the_same_place():
    found = subject_lines(TOTALS, SUBJECTS, Decimal(260))
    assert (found.n, found.n_reached) == (5, 3)
    assert found.lines.tolist() == [120, 140]


def test_the_worked_example_by_coefficient():
    # One candidate above the line with the means of the guide, in place of all of them.
    means = [[119.4, 141.1, 71.9]]
    found = subject_lines([631.1], means, Decimal(626), LineMethod.COEFFICIENT)
    assert found.lines == pytest.approx([118.4, 140.0, 71.3], abs=0.05)


def test_by_regression_the_line_is_what_is_expected():
    totals = np.array([100.0, 120, 140, 160])
    subjects = np.column_stack([totals / 2 + 5, 200 - totals])
    found = subject_lines(totals, subjects, Decimal(130), LineMethod.REGRESSION)
    assert found.lines == pytest.approx([70, 70])


def test_who_reaches_what():
    lines = subject_lines(TOTALS, SUBJECTS, Decimal(260))
    found = line_statistics(TOTALS, SUBJECTS, lines, one_class(6))
    assert found.n.tolist() == [5, 5]
    assert found.reached.tolist() == [3, 3]
    assert found.single[0].tolist() == [3, 3]
    assert found.double[0].tolist() == [2, 2]
    assert found.missing_leg[0].tolist() == [1, 1]
    assert found.reach_rate[0] == pytest.approx(0.6)
    assert found.contribution[0] == pytest.approx([2 / 3, 2 / 3])
    assert found.hit_rate[0] == pytest.approx([2 / 3, 2 / 3])


def test_the_worked_example_of_contribution_and_hit_rate():
    totals = np.repeat([500.0, 400.0], [100, 50])
    subject = np.repeat([90.0, 60.0, 90.0, 60.0], [85, 15, 25, 25])[:, None]
    lines = SubjectLines(LineMethod.RANK, Decimal(500), 150, 100, np.array([90.0]))
    found = line_statistics(totals, subject, lines, one_class(150))
    assert (found.single[0, 0], found.double[0, 0], found.missing_leg[0, 0]) == (110, 85, 15)
    assert found.contribution[0, 0] == pytest.approx(0.85)
    assert found.hit_rate[0, 0] == pytest.approx(0.773, abs=5e-4)


def test_close_to_the_line_by_points():
    lines = subject_lines(TOTALS, SUBJECTS, Decimal(260))
    found = borderline(TOTALS, SUBJECTS, lines, window=Decimal(20))
    assert found.below.tolist() == [False, False, False, True, False, False]
    assert found.above.tolist() == [False, False, True, False, False, False]
    assert found.weakest.tolist() == [-1, -1, -1, 0, -1, -1]
    assert found.shortfall[3] == 30


def test_close_to_the_line_by_places():
    lines = subject_lines(TOTALS, SUBJECTS, Decimal(260))
    found = borderline(TOTALS, SUBJECTS, lines, places=2)
    assert np.flatnonzero(found.below).tolist() == [3, 4]
    assert np.flatnonzero(found.above).tolist() == [1, 2]
    assert found.weakest[4] == 1


def test_who_lacks_in_no_subject_has_no_weakest():
    lines = SubjectLines(LineMethod.RANK, Decimal(10), 1, 0, np.array([1.0]))
    found = borderline([9.0], [[5.0]], lines, window=Decimal(2))
    assert found.below.tolist() == [True]
    assert found.weakest.tolist() == [-1]


def test_nobody_above_the_line():
    found = subject_lines(TOTALS, SUBJECTS, Decimal(999), LineMethod.COEFFICIENT)
    assert found.n_reached == 0
    assert np.isnan(found.lines).all()
    counted = line_statistics(TOTALS, SUBJECTS, found, one_class(6))
    assert counted.single.sum() == 0


def test_a_score_on_the_line_is_on_it():
    totals = np.array([0.1 + 0.2, 0.29])
    found = subject_lines(totals, totals[:, None], Decimal("0.3"))
    assert found.n_reached == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda _: subject_lines([1, 2], [[1]], Decimal(1)),
        lambda lines: line_statistics(TOTALS, SUBJECTS[:, :1], lines, one_class(6)),
        lambda lines: line_statistics(TOTALS, SUBJECTS, lines, one_class(5)),
        lambda lines: borderline(TOTALS, SUBJECTS, lines),
        lambda lines: borderline(TOTALS, SUBJECTS, lines, window=Decimal(1), places=1),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(AnalysisError):
        call(subject_lines(TOTALS, SUBJECTS, Decimal(260)))


@given(
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150)), min_size=1, max_size=30),
    st.integers(0, 300),
    st.sampled_from(LineMethod),
)
def test_counts_fit_together(scores, line, method):
    subjects = np.array(scores, dtype=float)
    totals = subjects.sum(axis=1)
    lines = subject_lines(totals, subjects, Decimal(line), method)
    found = line_statistics(totals, subjects, lines, one_class(len(scores)))
    assert (found.double <= found.single).all()
    assert (found.double <= found.reached[:, None]).all()
    assert (found.missing_leg >= 0).all()
    if method is LineMethod.RANK and lines.n_reached:
        assert (found.single[0] >= lines.n_reached).all()
