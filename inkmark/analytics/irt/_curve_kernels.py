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
                here = (1.0 if z > 0 else e) / (1 + e)
                here_not = (e if z > 0 else 1.0) / (1 + e)
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
) -> float:
    """Derivative of what is maximised: log-likelihood plus log-prior or Warm's weight."""
    total = -precision * (theta - mean)
    information = third = 0.0
    for j in range(len(codes)):
        low, high = first[j], first[j + 1]
        if codes[j] >= high - low:
            continue
        _curves_at(theta, low, high, graded[j], slopes, intercepts, guessing[j], p, u, v)
        total += u[codes[j]]
        if is_weighted:
            for k in range(high - low):
                information += p[k] * u[k] ** 2
                third += p[k] * u[k] * (u[k] ** 2 + v[k])
    if is_weighted and information > 0:
        total += third / (2 * information)
    return total


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
        low = high = start[i]
        rise = _rise(low, *args, p, u, v)
        low_rise = high_rise = rise
        direction = 1.0 if rise > 0 else -1.0
        stride = 0.25 * spread
        while rise * direction > 0 and low >= lowest and high <= highest:
            if direction > 0:
                low, low_rise = high, high_rise
                high += stride
                rise = high_rise = _rise(high, *args, p, u, v)
            else:
                high, high_rise = low, low_rise
                low -= stride
                rise = low_rise = _rise(low, *args, p, u, v)
            stride *= 2
        if rise * direction > 0:
            theta[i], error[i] = direction * math.inf, math.nan
            continue
        # Regula falsi that halves the weight of an end kept twice (Illinois).
        middle = 0.5 * (low + high)
        kept = 0
        for _ in range(100):
            if low_rise == high_rise:
                break
            middle = (low * high_rise - high * low_rise) / (high_rise - low_rise)
            rise = _rise(middle, *args, p, u, v)
            if abs(rise) < 1e-11 or high - low < 1e-10 * spread:
                break
            if rise > 0:
                if kept == 1:
                    high_rise *= 0.5
                low, low_rise, kept = middle, rise, 1
            else:
                if kept == -1:
                    low_rise *= 0.5
                high, high_rise, kept = middle, rise, -1
        step = 1e-4 * spread
        bend = _rise(middle - step, *args, p, u, v) - _rise(middle + step, *args, p, u, v)
        if bend > 0:
            theta[i], error[i] = middle, math.sqrt(2 * step / bend)
        else:  # so flat that the numbers end
            theta[i], error[i] = direction * math.inf, math.nan
