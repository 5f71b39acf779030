"""The climb on hills whose tops are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from inkmark.analytics.irt._maximise import Point, maximise


class Hill:
    """A function of two numbers, with steps that an EM algorithm might take."""

    def __init__(
        self,
        value: Callable[[np.ndarray], float],
        gradient: Callable[[np.ndarray], np.ndarray],
        stride: float = 0.1,
    ) -> None:
        self.value, self.gradient, self.stride = value, gradient, stride

    def at(self, x: np.ndarray) -> Point:
        gradient = self.gradient(x)
        return Point(self.value(x), gradient, self.stride * gradient)

    def information(self, x: np.ndarray) -> np.ndarray:
        step = 1e-6
        rows = [
            (self.gradient(x - move) - self.gradient(x + move)) / (2 * step)
            for move in np.eye(len(x)) * step
        ]
        return 0.5 * (np.array(rows) + np.array(rows).T)


def bent() -> Hill:
    """A narrow bent ridge with its top at (1, 1)."""
    return Hill(
        lambda x: -100 * (x[1] - x[0] ** 2) ** 2 - (1 - x[0]) ** 2,
        lambda x: np.array(
            [400 * x[0] * (x[1] - x[0] ** 2) + 2 * (1 - x[0]), -200 * (x[1] - x[0] ** 2)]
        ),
        stride=1e-3,
    )


def test_a_bent_ridge() -> None:
    end = maximise(bent(), np.array([0.3, 0.2]), 1e-10, 500)
    assert end.converged
    np.testing.assert_allclose(end.x, 1, atol=1e-5)
    expected = np.linalg.inv(np.array([[802.0, -400.0], [-400.0, 200.0]]))
    np.testing.assert_allclose(end.covariance, expected, rtol=1e-3)


def test_the_limit() -> None:
    end = maximise(bent(), np.array([-1.2, 1.0]), 1e-10, 7)
    assert not end.converged
    assert end.n_iterations == 7
    assert "limit" in end.reason


def test_a_hill_without_a_top() -> None:
    hill = Hill(
        lambda x: -math.exp(-x[0]) - x[1] ** 2, lambda x: np.array([math.exp(-x[0]), -2 * x[1]])
    )
    end = maximise(hill, np.array([0.0, 3.0]), 1e-30, 60)
    assert not end.converged
    assert end.x[0] > 5
    assert end.x[1] == pytest.approx(0, abs=1e-3)


def test_a_flat_direction_has_no_covariance() -> None:
    hill = Hill(lambda x: -((x[0] - x[1]) ** 2), lambda x: np.array([-2.0, 2.0]) * (x[0] - x[1]))
    end = maximise(hill, np.array([1.0, 0.0]), 1e-10, 50)
    assert not end.converged
    assert np.all(np.isnan(end.covariance))


def test_wrong_steps_are_not_taken() -> None:
    hill = Hill(lambda x: -float(x @ x), lambda x: -2 * x, stride=-1.0)
    end = maximise(hill, np.array([1.0, 1.0]), 1e-10, 100)
    assert not end.converged
    assert end.reason == "no step raises the likelihood"
    assert end.value == -2
