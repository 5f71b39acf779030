"""Faster convergence of EM algorithms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inkmark.analytics.model import FloatArray

__all__ = ["accelerate"]


def accelerate(
    em_step: Callable[[FloatArray], tuple[FloatArray, float]],
    mend: Callable[[FloatArray, FloatArray], FloatArray],
    state: FloatArray,
    tolerance: float,
    max_iterations: int,
) -> tuple[FloatArray, bool, int]:
    """Climb to a fixed point of an EM step.

    EM steps in pairs; from each pair a longer step is extrapolated (squared extrapolation,
    scheme S3 of Varadhan & Roland 2008, Scand. J. Stat. 35, 335-353), and taken back where it
    led below.

    Parameters
    ----------
    em_step : callable
        Gives the next parameters, and the objective of those it starts from.
    mend : callable
        Replaces parameters that are out of their space by those of its second argument.
    state : (p,) float64
        Where to start.
    tolerance : float
        The distance to the fixed point that counts as none, the largest of all parameters.
    max_iterations : int
        EM steps; one or two more may be taken.

    Returns
    -------
    state : (p,) float64
    converged : bool
    n_iterations : int
        EM steps taken.
    """
    after, _ = em_step(state)
    n_steps = 1
    while n_steps < max_iterations:
        second, second_value = em_step(after)
        n_steps += 1
        first_move, change = after - state, second - 2 * after + state
        length = float(np.sqrt(change @ change))
        stretch = max(1.0, float(np.sqrt(first_move @ first_move)) / length) if length else 1.0
        # A step of ratio r leaves r / (1 - r) of it to go; `stretch` is about 1 / (1 - r).
        if np.abs(second - after).max() * stretch < tolerance:
            return second, True, n_steps
        state = mend(state + 2 * stretch * first_move + stretch**2 * change, second)
        after, value = em_step(state)
        n_steps += 1
        if not value >= second_value:
            state = second
            after, _ = em_step(state)
            n_steps += 1
    return after, False, n_steps
