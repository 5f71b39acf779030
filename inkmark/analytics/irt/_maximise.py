"""Climb to the maximum of a log-likelihood, and say how that ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inkmark.analytics.model import FloatArray

__all__ = ["Maximum", "Objective", "Point", "maximise"]

# Steps of the first phase, at least and at most, and the gain below which it ends.
_FEWEST, _MOST = 3, 40
_NEAR = 1.0
# No parameter moves further than this in one step.
_LONGEST = 1.5
# Steps after which the curvature is computed anew instead of updated.
_REFRESH = 12
_HALVINGS = 12
# Smallest diagonal element of the Cholesky factor, of a matrix scaled to a unit diagonal.
_SINGULAR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The objective at one place.

    Attributes
    ----------
    value : float
        Minus infinity where the place is impossible.
    gradient : (p,) float64
    step : (p,) float64
        Where the expectation-maximisation algorithm would go from here.
    """

    value: float
    gradient: FloatArray
    step: FloatArray


class Objective(Protocol):
    """What is to be maximised."""

    def at(self, x: FloatArray) -> Point:
        """Value and gradient."""
        ...

    def information(self, x: FloatArray) -> FloatArray:
        """Minus the second derivative, (p, p)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """Where the climb ended.

    Attributes
    ----------
    x : (p,) float64
    value : float
    covariance : (p, p) float64
        Inverse of the information there; NaN where it has none.
    n_iterations : int
        Values computed.
    converged : bool
    reason : str
    """

    x: FloatArray
    value: float
    covariance: FloatArray
    n_iterations: int
    converged: bool
    reason: str


def maximise(
    objective: Objective, start: FloatArray, tolerance: float, max_iterations: int
) -> Maximum:
    """Climb by expectation-maximisation, then by quasi-Newton steps.

    The first phase takes the steps of the EM gradient algorithm (Lange, 1995, Journal of the
    Royal Statistical Society B 57), which are safe from afar and slow nearby. The second
    starts from the exact curvature and updates it by the BFGS formula (Nocedal & Wright,
    2006, Numerical Optimization, 6.1). It ends only where the exact curvature agrees that
    nothing is left to gain.

    Parameters
    ----------
    objective : Objective
    start : (p,) float64
    tolerance : float
        Gain in value still to be had, as the curvature predicts it, at which to end.
    max_iterations : int
        Values computed at most.

    Returns
    -------
    Maximum
    """
    x, point, n_values = start, objective.at(start), 1
    inverse: FloatArray | None = None
    is_exact = False
    n_steps = 0
    fewest = _FEWEST
    reason = "the limit of iterations was reached"
    converged = False
    while n_values < max_iterations:
        step = point.step if inverse is None else inverse @ point.gradient
        gain = 0.5 * float(point.gradient @ step)
        if inverse is None and n_steps >= fewest and (gain < _NEAR or n_steps >= _MOST):
            inverse, is_exact, n_steps = _inverse(objective.information(x)), True, 0
            fewest *= 2
            if inverse is not None:
                continue
        elif inverse is not None and (gain < tolerance or n_steps >= _REFRESH):
            if not is_exact:
                inverse, is_exact, n_steps = _inverse(objective.information(x)), True, 0
                continue
            converged = True
            reason = "nothing is left to gain"
            break
        most = min(_HALVINGS, max_iterations - n_values)
        moved, trial, n_trials = _search(objective, x, point, step, most)
        n_values += n_trials
        n_steps += 1
        if trial is None:
            if inverse is None:
                if most == _HALVINGS:
                    reason = "no step raises the likelihood"
                break
            inverse, n_steps = None, 0
            continue
        if inverse is not None:
            inverse = _updated(inverse, moved, point.gradient - trial.gradient)
            is_exact = False
        x, point = x + moved, trial
    if inverse is None or not is_exact:
        inverse = _inverse(objective.information(x))
    covariance = np.full((len(x), len(x)), math.nan) if inverse is None else inverse
    return Maximum(x, point.value, covariance, n_values, converged, reason)


def _search(
    objective: Objective, x: FloatArray, point: Point, step: FloatArray, most: int
) -> tuple[FloatArray, Point | None, int]:
    """Halve the step until the value rises; also give how many values that took."""
    slope = float(point.gradient @ step)
    moved = step * min(1.0, _LONGEST / max(float(np.max(np.abs(step))), 1e-300))
    # What rounding adds to a sum of this size does not count as a fall.
    noise = 1e-13 * abs(point.value)
    for n_trials in range(1, most + 1):
        trial = objective.at(x + moved)
        if trial.value >= point.value + 1e-4 * slope * 0.5 ** (n_trials - 1) - noise:
            return moved, trial, n_trials
        moved = moved / 2
    return moved, None, most


def _updated(inverse: FloatArray, moved: FloatArray, lost: FloatArray) -> FloatArray:
    """Make the inverse fit what the gradient lost on the way; BFGS formula."""
    product = float(moved @ lost)
    if product <= 1e-12 * float(np.linalg.norm(moved) * np.linalg.norm(lost)):
        return inverse
    carried = inverse @ lost
    weight = (1 + float(lost @ carried) / product) / product
    cross = np.outer(carried, moved) / product
    return np.asarray(inverse + weight * np.outer(moved, moved) - cross - cross.T)


def _inverse(information: FloatArray) -> FloatArray | None:
    """Inverse of a matrix that is positive definite; None where it is not."""
    scale = np.sqrt(np.abs(np.diag(information)))
    if not np.all(np.isfinite(information)) or np.any(scale == 0):
        return None
    scaled = information / np.outer(scale, scale)
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return None
    if np.min(np.diag(factor)) < _SINGULAR:
        return None
    half = np.linalg.solve(factor, np.diag(1 / scale))
    return np.asarray(half.T @ half)
