"""Acceleration of fixed-point steps."""

from __future__ import annotations

import numpy as np

from inkmark.analytics.acceleration import Stop, accelerate

SOLUTION = np.array([0.7, 0.2, 0.4])
RATIOS = np.array([0.9, 0.99, 0.5])


def slow_step(state):
    """Linear convergence, as of EM; the objective is the distance to the solution."""
    return SOLUTION + RATIOS * (state - SOLUTION), -float(((state - SOLUTION) ** 2).sum())


def test_far_fewer_steps_than_without() -> None:
    state, stop, n_steps = accelerate(slow_step, lambda state, _: state, np.zeros(3), 1e-8, 500)
    assert stop is Stop.CONVERGED
    assert np.abs(state - SOLUTION).max() < 1e-6
    assert n_steps < 200  # 0.99 ** n < 1e-8 takes 1,833


def test_steps_that_lead_below_are_taken_back() -> None:
    """Whatever `mend` makes of the long step, the next start is as good as the EM step."""
    values = []

    def step(state):
        after, value = slow_step(state)
        values.append(value)
        return after, value

    state, stop, _ = accelerate(step, lambda *_: np.full(3, 9.0), np.zeros(3), 1e-3, 3000)
    assert stop is Stop.CONVERGED
    assert np.abs(state - SOLUTION).max() < 0.1
    assert max(values) > -0.01


def test_states_are_mended() -> None:
    seen = []

    def step(state):
        seen.append(state.max())
        return slow_step(state)

    accelerate(step, lambda state, _: np.minimum(state, 0.75), np.full(3, 0.1), 1e-8, 500)
    assert max(seen) <= 0.75


def test_the_limit_of_steps_is_told() -> None:
    _, stop, n_steps = accelerate(slow_step, lambda *states: states[1], np.zeros(3), 1e-8, 10)
    assert stop is Stop.ITERATIONS
    assert 10 <= n_steps <= 12


def test_a_fixed_point_at_the_start() -> None:
    state, stop, n_steps = accelerate(slow_step, lambda state, _: state, SOLUTION, 1e-8, 10)
    assert stop is Stop.CONVERGED
    assert n_steps == 2
    assert np.array_equal(state, SOLUTION)


def test_parameters_that_drift_where_nothing_is_gained() -> None:
    """Each step goes on as far as the one before."""
    _, stop, n_steps = accelerate(
        lambda state: (state + 1, -float(np.exp(-state[0]))), lambda *states: states[1],
        np.zeros(1), 1e-8, 5000,
    )  # fmt: skip
    assert stop is Stop.FLAT
    assert n_steps < 400
