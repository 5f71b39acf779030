from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics import (
    AnchorMethod,
    EquatingMethod,
    equate,
    equate_anchored,
    equating,
    smoothed,
)
from inkmark.errors import AnalysisError

REFERENCE = {
    AnchorMethod.TUCKER: 1,
    AnchorMethod.LEVINE: 2,
    AnchorMethod.CHAINED_LINEAR: 3,
    AnchorMethod.CHAINED_EQUIPERCENTILE: 4,
    AnchorMethod.FREQUENCY_ESTIMATION: 5,
    AnchorMethod.TUCKER_MEAN: 6,
}
PAIRS = [[1, 1], [2, 2]]
SCORES = st.lists(st.integers(0, 12), min_size=1, max_size=60)


def table(path):
    with path.open() as file:
        return np.array([[float(value) for value in row] for row in list(csv.reader(file))[1:]]).T


def scores_of(counts):
    return np.repeat(np.arange(len(counts)), np.asarray(counts, dtype=int))


@pytest.mark.parametrize("method", AnchorMethod)
def test_kolen_and_brennan_with_an_anchor(data_dir, method):
    folder = data_dir / "psychometrics"
    x, y = (table(folder / "equating_kbneat" / f"{form}.csv").T for form in "xy")
    wanted = table(folder / "reference_outputs" / "kbneat_equate.csv")[REFERENCE[method]]
    # The reference was made for the population of those who took form X.
    found = equate_anchored(x, y, (36, 36, 12), method, weight=1)
    assert found.y == pytest.approx(wanted, abs=1e-6)
    assert (found.n_x, found.n_y) == (1655, 1638)


def test_equal_forms_are_worth_the_same():
    scores = scores_of([3, 5, 9, 4, 2])
    for method in EquatingMethod:
        assert equate(scores, scores, 4, 4, method).y == pytest.approx([0, 1, 2, 3, 4])


def test_a_form_that_is_a_point_harder():
    easy = scores_of([0, 3, 5, 9, 4, 2])
    found = equate(easy - 1, easy, 5, 5)
    assert found.y[:5] == pytest.approx([1, 2, 3, 4, 5])
    mean = equate(easy - 1, easy, 5, 5, EquatingMethod.MEAN)
    assert mean.y == pytest.approx(np.arange(6) + 1)


def test_the_linear_method_takes_over_mean_and_spread():
    x, y = scores_of([5, 1, 5]), scores_of([5, 0, 1, 0, 5])
    assert equate(x, y, 2, 4, EquatingMethod.LINEAR).y == pytest.approx([0, 2, 4])


def test_equipercentile_of_a_worked_example():
    # f = .2 .3 .2 .2 .1 and g = .1 .2 .2 .3 .2: the table that Kolen and Brennan print.
    found = equate(scores_of([20, 30, 20, 20, 10]), scores_of([10, 20, 20, 30, 20]), 4, 4)
    assert found.y == pytest.approx([0.5, 1.75, 2.8333, 3.5, 4.25], abs=5e-5)


def test_half_points_are_steps():
    whole = equate(scores_of([3, 5, 9]), scores_of([5, 9, 3]), 2, 2)
    half = equate(scores_of([3, 5, 9]) / 2, scores_of([5, 9, 3]) / 2, 1, 1, step=0.5)
    assert half.x.tolist() == [0, 0.5, 1]
    assert half.y == pytest.approx(whole.y / 2)


def test_a_smoothed_distribution_keeps_its_moments():
    counts = np.array([0, 2, 9, 4, 17, 22, 30, 18, 20, 7, 3, 1.0])
    scores = np.arange(12)
    for degree in (1, 2, 3, 4):
        smooth = smoothed(counts, degree)
        assert (smooth > 0).all()
        for power in range(degree + 1):
            assert smooth @ scores**power == pytest.approx(counts @ scores**power, rel=1e-8)


def test_a_smoothed_joint_distribution_keeps_the_product_moment():
    rng = np.random.default_rng(5)
    counts = np.zeros((7, 4))
    ability = rng.normal(size=300)
    x = np.clip(np.rint(3 + 1.5 * ability + rng.normal(size=300)), 0, 6).astype(int)
    v = np.clip(np.rint(1.5 + ability), 0, 3).astype(int)
    np.add.at(counts, (x, v), 1)
    smooth = smoothed(counts, 3)
    own, other = np.arange(7.0), np.arange(4.0)
    assert own @ smooth @ other == pytest.approx(own @ counts @ other)
    for power in (0, 1, 2, 3):
        assert own**power @ smooth.sum(axis=1) == pytest.approx(own**power @ counts.sum(axis=1))
    both = np.column_stack([x, v])
    smoothly = equate_anchored(both, both, (6, 6, 3), degree=3)
    assert smoothly.y == pytest.approx(np.arange(7), abs=1e-6)


def test_smoothing_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr(equating, "_MOST_STEPS", 1)
    with pytest.raises(AnalysisError, match="does not settle"):
        smoothed(np.array([0, 9, 50, 3, 7.0]), 3)


def test_anchor_scores_of_one_group_alone_tell_nothing():
    method = AnchorMethod.FREQUENCY_ESTIMATION
    x = np.array([[0, 0], [1, 1], [2, 1], [2, 1]])
    found = equate_anchored(x, x[:1], (2, 2, 1), method, weight=0)
    assert np.isfinite(found.y).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: equate([], [1], 4, 4),
        lambda: equate([np.nan], [1], 4, 4),
        lambda: equate([5], [1], 4, 4),
        lambda: equate([-1], [1], 4, 4),
        lambda: equate([0.5], [1], 4, 4),
        lambda: equate([1], [1], 4, 4, step=0),
        lambda: equate([1], [1], 4, 4, step=3),
        lambda: equate([1], [1], 1e9, 4),
        lambda: equate([1, 1], [1, 2], 4, 4, EquatingMethod.LINEAR),
        lambda: equate_anchored([1, 2], [[1, 2]], (4, 4, 2)),
        lambda: equate_anchored([[1, 1], [2, 1]], PAIRS, (4, 4, 2), AnchorMethod.TUCKER),
        lambda: equate_anchored(PAIRS, PAIRS, (4, 4, 2), weight=2),
        lambda: equate_anchored([[1, 1]], [[1, 1]], (4, 4, 2), AnchorMethod.LEVINE),
    ],
)
def test_what_cannot_be_equated_is_refused(call):
    with pytest.raises(AnalysisError):
        call()


@given(SCORES, SCORES)
def test_more_points_are_never_worth_less(x, y):
    found = equate(x, y, 12, 12)
    assert (np.diff(found.y) >= -1e-12).all()
    assert found.y.min() >= -0.5
    assert found.y.max() <= max(y) + 0.5
