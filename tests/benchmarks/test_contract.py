"""The helpers that turn samples into rows."""

from __future__ import annotations

import pytest

from benchmarks.contract import Better, Kind, Row, sampled, timed


def test_sampled_gives_median_and_quartile_distance() -> None:
    row = sampled("x", [5.0, 1.0, 2.0, 4.0, 3.0], "s", Kind.TIME)
    assert row == Row("x", 3.0, "s", Kind.TIME, Better.LOWER, spread=2.0, n=5)


def test_one_sample_has_no_spread() -> None:
    assert sampled("x", [2.5], "MiB", Kind.MEMORY).spread == 0.0


def test_timed_leaves_the_first_call_out() -> None:
    calls: list[int] = []
    row = timed("work", lambda: calls.append(1), repeats=4)
    assert len(calls) == 5
    assert row.n == 4
    assert row.unit == "s"
    assert row.value == pytest.approx(0, abs=0.05)
