"""Compiled loops of diagnosis; each has a plain numpy twin in the tests.

Items are taken in blocks. All answers of a candidate to a block are one code, a row of a
table that holds the probability of just these answers in every class. So the weight of a
class is a product of one table row a block, not of one number an item, and expected counts
add up by row. No array of candidates by classes is made.

Indices that come from the data are the codes: the caller makes them below the rows of the
block. `first` (b + 1,) holds the first table row of each block.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "IDENTITY",
    "LOG",
    "LOGIT",
    "class_weights",
    "count_by_item",
    "expected_counts",
    "fill_table",
    "fit_effects",
]

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I64 = NDArray[np.int64]
U16 = NDArray[np.uint16]

IDENTITY, LOGIT, LOG = 0, 1, 2
"""Scales on which the effects of attributes add up."""

# Sums may be taken in another order, which lets them use wide registers; the order does not
# change from run to run.
_SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True)
def fill_table(answers: I8, item: I64, right: F64, table: F64) -> None:
    """Fill (r, c) `table` with the probability of each row of `answers` in each class.

    `answers` (r, w) is 1 for right, 0 for wrong, -1 for none; `item` (r,) is the item of its
    first column; `right` (m, c) is the probability of a right answer.
    """
    n_rows, width = answers.shape
    n_classes = right.shape[1]
    for row in range(n_rows):
        for c in range(n_classes):
            table[row, c] = 1.0
        for offset in range(width):
            j = item[row] + offset
            if answers[row, offset] == 1:
                for c in range(n_classes):
                    table[row, c] *= right[j, c]
            elif answers[row, offset] == 0:
                for c in range(n_classes):
                    table[row, c] *= 1.0 - right[j, c]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _weigh(codes: U16, first: I64, table: F64, prior: F64, period: int, weight: F64) -> float:
    """Set `weight` (c,) to the posterior of a candidate; return the log-likelihood.

    After `period` blocks the weights are brought back to a sum of one, before they can
    become too small for the number format.
    """
    n_classes = len(prior)
    log_likelihood = 0.0
    for c in range(n_classes):
        weight[c] = prior[c]
    last = len(codes) - 1
    for b in range(last + 1):
        row = table[first[b] + codes[b]]
        for c in range(n_classes):
            weight[c] *= row[c]
        if b == last or b % period == period - 1:
            total = 0.0
            for c in range(n_classes):
                total += weight[c]
            log_likelihood += np.log(total)
            scale = 1.0 / total
            for c in range(n_classes):
                weight[c] *= scale
    return log_likelihood


@njit(cache=True, nogil=True, fastmath=_SUMS)
def expected_counts(
    codes: U16, first: I64, table: F64, prior: F64, period: int, counts: F64
) -> float:
    """Set `counts` (r, c) to the expected number of candidates; return the log-likelihood."""
    n_classes = len(prior)
    weight = np.empty(n_classes)
    counts[:] = 0.0
    log_likelihood = 0.0
    for i in range(len(codes)):
        log_likelihood += _weigh(codes[i], first, table, prior, period, weight)
        for b in range(codes.shape[1]):
            row = counts[first[b] + codes[i, b]]
            for c in range(n_classes):
                row[c] += weight[c]
    return log_likelihood


@njit(cache=True, nogil=True, fastmath=_SUMS)
def class_weights(
    codes: U16, first: I64, table: F64, prior: F64, period: int, weights: F64, log_likelihood: F64
) -> None:
    """Set `weights` (n, c) to the posterior of each candidate, and the log-likelihoods (n,)."""
    for i in range(len(codes)):
        log_likelihood[i] = _weigh(codes[i], first, table, prior, period, weights[i])


@njit(cache=True, nogil=True)
def count_by_item(answers: I8, item: I64, counts: F64, right: F64, seen: F64) -> None:
    """Add the counts of table rows to those of (m, c) right answers and of answers."""
    n_rows, width = answers.shape
    for row in range(n_rows):
        for offset in range(width):
            if answers[row, offset] >= 0:
                j = item[row] + offset
                seen[j] += counts[row]
                if answers[row, offset] == 1:
                    right[j] += counts[row]


@njit(cache=True, nogil=True)
def _answer_rates(design: F64, link: int, parameter: F64, rate: F64, slope: F64) -> None:
    """Set the probabilities (g,) and their derivatives by the linear predictor."""
    for g in range(len(rate)):
        eta = 0.0
        for p in range(len(parameter)):
            eta += design[g, p] * parameter[p]
        if link == IDENTITY:
            rate[g], slope[g] = eta, 1.0
        elif link == LOGIT:
            rate[g] = 1.0 / (1.0 + np.exp(-eta)) if eta > -700.0 else 0.0
            slope[g] = rate[g] * (1.0 - rate[g])
        else:
            rate[g] = np.exp(min(eta, 1.0))
            slope[g] = rate[g]


@njit(cache=True, nogil=True)
def _log_likelihood(rate: F64, right: F64, wrong: F64, least: float) -> float:
    """Give that of the counts, minus infinity where a probability is too near to 0 or 1."""
    value = 0.0
    for g in range(len(rate)):
        if not least <= rate[g] <= 1.0 - least:
            return -np.inf
        value += right[g] * np.log(rate[g]) + wrong[g] * np.log(1.0 - rate[g])
    return value


@njit(cache=True, nogil=True)
def fit_effects(
    design: F64, link: int, right: F64, wrong: F64, start: F64, least: float, steps: int
) -> F64:
    """Climb from `start` (p,) towards the most likely parameters of an item.

    Fisher scoring on the counts `right` and `wrong` (g,), with halved steps. All
    probabilities stay between `least` and 1 - `least`; they must do so at the start.
    """
    n_groups, n_parameters = design.shape
    parameter = start.copy()
    rate, slope = np.empty(n_groups), np.empty(n_groups)
    _answer_rates(design, link, parameter, rate, slope)
    value = _log_likelihood(rate, right, wrong, least)
    for _ in range(steps):
        gradient = np.zeros(n_parameters)
        information = np.zeros((n_parameters, n_parameters))
        for g in range(n_groups):
            variance = rate[g] * (1.0 - rate[g])
            seen = right[g] + wrong[g]
            pull = (right[g] - seen * rate[g]) / variance * slope[g]
            weight = seen / variance * slope[g] ** 2
            for p in range(n_parameters):
                gradient[p] += design[g, p] * pull
                for q in range(n_parameters):
                    information[p, q] += design[g, p] * design[g, q] * weight
        most = 0.0
        for p in range(n_parameters):
            most = max(most, information[p, p])
        for p in range(n_parameters):  # so that effects which no class shows stay put
            information[p, p] += 1e-9 * most
        move = np.linalg.solve(information, gradient)
        gained = False
        for _ in range(30):
            trial = parameter + move
            _answer_rates(design, link, trial, rate, slope)
            reached = _log_likelihood(rate, right, wrong, least)
            if reached >= value:
                gained = reached > value
                parameter, value = trial, reached
                break
            move *= 0.5
        if not gained:
            break
        if np.abs(move).max() < 1e-9:
            break
        _answer_rates(design, link, parameter, rate, slope)
    return parameter
