"""Curves and peaks against what numpy does more plainly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from inkmark.analytics.irt import _curve_kernels

# A 2PL, a 3PL, a graded item of four categories and one of three with free slopes.
FIRST = np.array([0, 2, 4, 8, 11])
GRADED = np.array([True, True, True, False])
SLOPES = np.array([0, 1.2, 0, 0.7, 0, 1.5, 1.5, 1.5, 0, 0.9, 1.4])
INTERCEPTS = np.array([0, 0.3, 0, -0.5, 0, 2.0, 0.1, -1.0, 0, 0.4, -0.2])
GUESSING = np.array([0.0, 0.25, 0.0, 0.0])


def plain_table(theta: np.ndarray) -> np.ndarray:
    blocks = []
    for j in range(len(GRADED)):
        rows = slice(FIRST[j], FIRST[j + 1])
        z = np.outer(SLOPES[rows], theta) + INTERCEPTS[rows, None]
        if GRADED[j]:
            at_least = GUESSING[j] + (1 - GUESSING[j]) / (1 + np.exp(-z[1:]))
            edges = np.concatenate([np.ones((1, len(theta))), at_least, np.zeros((1, len(theta)))])
            blocks.append(-np.diff(edges, axis=0))
        else:
            blocks.append(np.exp(z) / np.exp(z).sum(axis=0))
    return np.concatenate(blocks)


def plain_slopes(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of the probabilities."""
    step = 1e-4
    up, here, down = (plain_table(theta + move) for move in (step, 0.0, -step))
    return (up - down) / (2 * step), (up - 2 * here + down) / step**2


def test_fill_curves() -> None:
    theta = np.linspace(-4, 4, 9)
    table, information = np.empty((11, 9)), np.empty((4, 9))
    _curve_kernels.fill_curves(
        theta, FIRST, GRADED, SLOPES, INTERCEPTS, GUESSING, table, information
    )
    expected = plain_table(theta)
    np.testing.assert_allclose(table, expected, rtol=1e-12)
    share = plain_slopes(theta)[0] ** 2 / expected
    np.testing.assert_allclose(information, np.add.reduceat(share, FIRST[:-1]), rtol=1e-5)


def test_fill_curves_keeps_digits_far_out() -> None:
    table, information = np.empty((3, 2)), np.empty((1, 2))
    _curve_kernels.fill_curves(
        np.array([-30.0, 30.0]),
        np.array([0, 3]),
        np.array([True]),
        np.array([0.0, 2.0, 2.0]),
        np.array([0.0, 1.0, -1.0]),
        np.zeros(1),
        table,
        information,
    )
    # P(1) = L1 (1 - L2) (1 - exp(-2)); at -30 that is exp(-59) (1 - exp(-2)).
    assert table[1, 0] == pytest.approx(math.exp(-59) * (1 - math.exp(-2)), rel=1e-9)
    assert table[1, 1] == pytest.approx(math.exp(-59) * (1 - math.exp(-2)), rel=1e-9)
    assert table[0, 1] == pytest.approx(math.exp(-61), rel=1e-9)


def plain_rise(
    theta: float, codes: np.ndarray, mean: float, precision: float, is_weighted: bool
) -> float:
    place = np.array([theta])
    table = plain_table(place)[:, 0]
    first, second = (values[:, 0] for values in plain_slopes(place))
    total, information, third = -precision * (theta - mean), 0.0, 0.0
    for j, code in enumerate(codes):
        rows = slice(FIRST[j], FIRST[j + 1])
        if code == FIRST[j + 1] - FIRST[j]:
            continue
        total += first[rows][code] / table[rows][code]
        information += np.sum(first[rows] ** 2 / table[rows])
        third += np.sum(first[rows] * second[rows] / table[rows])
    return float(total + (third / (2 * information) if is_weighted else 0))


@pytest.mark.parametrize(
    ("mean", "spread", "has_prior", "is_weighted"),
    [(0.4, 0.9, True, False), (0.0, 1.0, False, False), (0.0, 1.0, False, True)],
)
def test_find_modes(mean: float, spread: float, has_prior: bool, is_weighted: bool) -> None:
    codes = np.array(
        [[1, 0, 2, 1], [0, 1, 1, 2], [1, 2, 1, 1], [0, 0, 3, 1], [1, 1, 1, 3]], dtype=np.uint8
    )
    theta, error = np.empty(5), np.empty(5)
    _curve_kernels.find_modes(
        codes,
        FIRST,
        GRADED,
        SLOPES,
        INTERCEPTS,
        GUESSING,
        mean,
        spread,
        has_prior,
        is_weighted,
        np.zeros(5),
        theta,
        error,
    )
    for i in range(5):
        arguments = codes[i], mean, spread**-2 if has_prior else 0.0, is_weighted
        root = optimize.brentq(plain_rise, -5, 5, args=arguments, xtol=1e-10)
        assert theta[i] == pytest.approx(root, abs=1e-5)
        bend = plain_rise(root - 1e-3, *arguments) - plain_rise(root + 1e-3, *arguments)
        assert error[i] == pytest.approx(math.sqrt(2e-3 / bend), rel=1e-3)


def test_peaks_at_infinity() -> None:
    codes = np.array([[0, 0, 0, 0], [1, 1, 3, 2]], dtype=np.uint8)
    theta, error = np.empty(2), np.empty(2)
    _curve_kernels.find_modes(
        codes,
        FIRST,
        GRADED,
        SLOPES,
        INTERCEPTS,
        GUESSING,
        0.0,
        1.0,
        False,
        False,
        np.zeros(2),
        theta,
        error,
    )
    assert theta.tolist() == [-math.inf, math.inf]
    assert np.all(np.isnan(error))
