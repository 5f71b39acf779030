"""Compiled item curves, and the peaks of what they make; numpy twins are in the tests.

The categories of the items lie in rows, those of item j from `first[j]` on.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["fill_curves", "find_modes"]

B1 = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

# Standard deviations of ability beyond which a peak is at infinity.
_FARTHEST = 20.0
# Steps to a peak at most, and how short the last one is in standard deviations.
_MOST_TRIALS = 200
_CLOSE = 1e-9


@njit(cache=True, nogil=True)
def _curves_at(
    theta: float,
    low: int,
    high: int,
    graded: bool,
    slopes: F64,
    intercepts: F64,
    guessing: float,
    p: F64,
    u: F64,
    v: F64,
) -> None:
    """Probability p of each category, and first and second derivative u, v of its logarithm.

    The item has the rows from low to high, and p, u, v are filled from 0 on.
    """
    n = high - low
    if graded:
        slope = slopes[low + 1]
        # P_k = L_k (1 - L_(k+1)) (1 - exp(d_(k+1) - d_k)) loses no digits where P is near 0.
        above, above_not = 0.0, 1.0  # L_(k+1) and 1 - L_(k+1)
        for k in range(n - 1, -1, -1):
            here, here_not = 1.0, 0.0
            if k > 0:
                z = slope * theta + intercepts[low + k]
                e = math.exp(-abs(z))
                less = e / (1 + e)
                here, here_not = (1 - less, less) if z > 0 else (less, 1 - less)
            p[k] = here * above_not
            if 0 < k < n - 1:
                p[k] *= -math.expm1(intercepts[low + k + 1] - intercepts[low + k])
            u[k] = slope * (here_not - above)
            v[k] = -(slope**2) * (here * here_not + above * above_not)
            above, above_not = here, here_not
        if guessing > 0:
            rise = (1 - guessing) * p[0] * p[1] * slope
            bend = rise * slope * (p[0] - p[1])
            p[0] *= 1 - guessing
            p[1] = guessing + (1 - guessing) * p[1]
            u[1] = rise / p[1]
            v[1] = bend / p[1] - u[1] ** 2
        return
    top = -math.inf
    for k in range(n):
        p[k] = slopes[low + k] * theta + intercepts[low + k]
        top = max(top, p[k])
    total = 0.0
    for k in range(n):
        p[k] = math.exp(p[k] - top)
        total += p[k]
    mean = 0.0
    for k in range(n):
        p[k] /= total
        mean += p[k] * slopes[low + k]
    variance = 0.0
    for k in range(n):
        u[k] = slopes[low + k] - mean
        variance += p[k] * u[k] ** 2
    for k in range(n):
        v[k] = -variance


@njit(cache=True, nogil=True)
def fill_curves(
    theta: F64,
    first: I64,
    graded: B1,
    slopes: F64,
    intercepts: F64,
    guessing: F64,
    table: F64,
    information: F64,
) -> None:
    """Probability of each category and information of each item at each ability.

    Parameters
    ----------
    theta : (q,) float64
    first : (m + 1,) int64
    graded : (m,) bool
        Whether logits are of "this category or a higher one", all with the same slope; else
        of a category against category 0.
    slopes, intercepts : (rows,) float64
        Of the logits; 0 in category 0.
    guessing : (m,) float64
        Lower asymptote of graded items of two categories.
    table : (rows, q) float64
        Filled.
    information : (m, q) float64
        Filled: Fisher's information about ability.
    """
    widest = np.max(np.diff(first))
    p, u, v = np.empty(widest), np.empty(widest), np.empty(widest)
    for j in range(len(graded)):
        low, high = first[j], first[j + 1]
        for q in range(len(theta)):
            _curves_at(theta[q], low, high, graded[j], slopes, intercepts, guessing[j], p, u, v)
            information[j, q] = 0.0
            for k in range(high - low):
                table[low + k, q] = p[k]
                information[j, q] += p[k] * u[k] ** 2


@njit(cache=True, nogil=True)
def _rise(
    theta: float,
    codes: U8,
    first: I64,
    graded: B1,
    slopes: F64,
    intercepts: F64,
    guessing: F64,
    mean: float,
    precision: float,
    is_weighted: bool,
    p: F64,
    u: F64,
    v: F64,
) -> tuple[float, float]:
    """Derivative of what is maximised, log-likelihood plus log-prior or Warm's weight.

    The second derivative beside it leaves out that of Warm's weight.
    """
    total, bend = -precision * (theta - mean), -precision
    information = third = 0.0
    for j in range(len(codes)):
        low, high = first[j], first[j + 1]
        if codes[j] >= high - low:
            continue
        _curves_at(theta, low, high, graded[j], slopes, intercepts, guessing[j], p, u, v)
        total += u[codes[j]]
        bend += v[codes[j]]
        if is_weighted:
            for k in range(high - low):
                information += p[k] * u[k] ** 2
                third += p[k] * u[k] * (u[k] ** 2 + v[k])
    if is_weighted and information > 0:
        total += third / (2 * information)
    return total, bend


@njit(cache=True, nogil=True)
def find_modes(
    codes: U8,
    first: I64,
    graded: B1,
    slopes: F64,
    intercepts: F64,
    guessing: F64,
    mean: float,
    spread: float,
    has_prior: bool,
    is_weighted: bool,
    start: F64,
    theta: F64,
    error: F64,
) -> None:
    """The ability at which the (weighted) likelihood or posterior of each candidate peaks.

    Parameters
    ----------
    codes : (n, m) uint8
        Categories; the number of categories where there is no response.
    first, graded, slopes, intercepts, guessing
        As in `fill_curves`.
    mean, spread : float
        Where abilities lie: mean and standard deviation. A peak twenty of these away is at
        infinity.
    has_prior : bool
        Whether the normal distribution with that mean and spread is multiplied in.
    is_weighted : bool
        Whether Warm's weight is.
    start : (n,) float64
        Where to look from.
    theta, error : (n,) float64
        Filled; the error, from the curvature at the peak, is NaN at infinity.
    """
    widest = np.max(np.diff(first))
    p, u, v = np.empty(widest), np.empty(widest), np.empty(widest)
    precision = 1 / spread**2 if has_prior else 0.0
    lowest, highest = mean - _FARTHEST * spread, mean + _FARTHEST * spread
    for i in range(len(codes)):
        args = codes[i], first, graded, slopes, intercepts, guessing, mean, precision, is_weighted
        x = last_x = start[i]
        last_rise = 0.0
        low, high = -math.inf, math.inf
        error[i] = math.nan
        for trial in range(_MOST_TRIALS):
            rise, bend = _rise(x, *args, p, u, v)
            if is_weighted and trial > 0:
                bend = (rise - last_rise) / (x - last_x)
            if rise > 0:
                low = x
            else:
                high = x
            last_x, last_rise = x, rise
            # Newton's step, no longer than a standard deviation, or half of what is left.
            step = rise / -bend if bend < 0 else math.copysign(spread, rise)
            x += min(max(step, -spread), spread)
            if not low < x < high and high - low < math.inf:
                x = 0.5 * (low + high)
            if abs(x - last_x) < _CLOSE * spread:
                if is_weighted:
                    gap = 1e-4 * spread
                    bend = _rise(x + gap, *args, p, u, v)[0] - _rise(x - gap, *args, p, u, v)[0]
                    bend /= 2 * gap
                if bend < 0:
                    error[i] = 1 / math.sqrt(-bend)
                break
            if not lowest <= x <= highest:
                x = math.copysign(math.inf, x - mean)
                break
        theta[i] = x
