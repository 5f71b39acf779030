"""Compiled loops over candidates; each has a plain numpy twin in the tests.

Items lie one below the other in rows, one row a category. A few items together make a
bundle, whose categories are the combinations of theirs, "no answer" among them; a candidate
has one code a bundle, and row `first[b] + code` belongs to it. So a candidate with forty
right-or-wrong items costs ten rows instead of forty. Nodes are padded to whole vector
registers; padded nodes have no weight.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "count_values",
    "expected_counts",
    "pair_products",
    "posterior_moments",
    "to_codes",
]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

# Sums may be reordered into vector registers; NaN and infinity keep their meaning.
_FAST = {"reassoc", "contract", "nsz"}

# Likelihoods are products: below this they are scaled up, long before they underflow.
_SMALL = 1e-150
_LOG_SMALL = math.log(_SMALL)
# Bundles between two looks at the size of the product.
_STRETCH = 8
# Candidates whose scores stay in the nearest cache.
_NEAR = 32


@njit(cache=True, nogil=True)
def count_values(responses: F64, counts: I64) -> tuple[int, int]:
    """Count the values of each item, up to the first that is not one.

    Parameters
    ----------
    responses : (n, m) float64
        NaN where there is none.
    counts : (m, k) int64
        Filled: how often each whole number from 0 to k - 1 occurs.

    Returns
    -------
    (int, int)
        Row and column of the first value that is not a whole number from 0 to k - 1;
        (-1, -1) where all are.
    """
    n_values = counts.shape[1]
    for i in range(responses.shape[0]):
        for j in range(responses.shape[1]):
            value = responses[i, j]
            if math.isnan(value):
                continue
            if not 0 <= value < n_values or value != math.floor(value):
                return i, j
            counts[j, int(value)] += 1
    return -1, -1


@njit(cache=True, nogil=True)
def to_codes(responses: F64, order: I64, columns: I64, bundle: I64, lookup: I64, out: U8) -> None:
    """Bundle codes of the rows asked for.

    Parameters
    ----------
    responses : (n, m) float64
        Counted by `count_values` without a complaint.
    order : (r,) int64
        Rows.
    columns : (c,) int64
        Columns that belong to a bundle.
    bundle : (c,) int64
        Which one.
    lookup : (c, k + 1) int64
        What each value adds to the code of the bundle; in the last column, what no
        response adds.
    out : (r, b) uint8
        Filled.
    """
    none = lookup.shape[1] - 1
    for i in range(len(order)):
        out[i] = 0
        for c in range(len(columns)):
            value = responses[order[i], columns[c]]
            out[i, bundle[c]] += lookup[c, none if math.isnan(value) else int(value)]


@njit(cache=True, nogil=True, fastmath=_FAST)
def _posterior(codes: U8, first: I64, table: F64, prior: F64, weights: F64) -> float:
    """Fill the posterior weights of one candidate; give the log-likelihood."""
    n_nodes = len(weights)
    for q in range(n_nodes):
        weights[q] = prior[q]
    log_scale = 0.0
    for b in range(len(codes)):
        row = table[first[b] + codes[b]]
        for q in range(n_nodes):
            weights[q] *= row[q]
        if b % _STRETCH == _STRETCH - 1:
            total = 0.0
            for q in range(n_nodes):
                total += weights[q]
            if total < _SMALL:
                log_scale += _LOG_SMALL
                for q in range(n_nodes):
                    weights[q] /= _SMALL
    total = 0.0
    for q in range(n_nodes):
        total += weights[q]
    if total <= 0.0:
        return -math.inf
    for q in range(n_nodes):
        weights[q] /= total
    return math.log(total) + log_scale


@njit(cache=True, nogil=True, fastmath=_FAST)
def expected_counts(codes: U8, first: I64, table: F64, prior: F64, counts: F64, mass: F64) -> float:
    """Expected number of candidates at each node, by category of each bundle.

    Parameters
    ----------
    codes : (n, b) uint8
    first : (b + 1,) int64
    table : (rows, q) float64
        Probability of each category at each node.
    prior : (q,) float64
        Weight of each node.
    counts : (rows, q) float64
        Added to: candidates in a category, spread over the nodes.
    mass : (q,) float64
        Added to: candidates, spread over the nodes.

    Returns
    -------
    float
        Log-likelihood; minus infinity where it is too small for a number.
    """
    n_nodes = len(prior)
    weights = np.empty(n_nodes)
    log_likelihood = 0.0
    for i in range(len(codes)):
        log_likelihood += _posterior(codes[i], first, table, prior, weights)
        if log_likelihood == -math.inf:
            return log_likelihood
        for q in range(n_nodes):
            mass[q] += weights[q]
        for b in range(codes.shape[1]):
            row = counts[first[b] + codes[i, b]]
            for q in range(n_nodes):
                row[q] += weights[q]
    return log_likelihood


@njit(cache=True, nogil=True, fastmath=_FAST)
def pair_products(
    codes: U8,
    first: I64,
    table: F64,
    prior: F64,
    scores: F64,
    offset: I64,
    group_scores: F64,
    products: F64,
) -> None:
    """Posterior covariances of scores, summed over candidates.

    A score is the derivative of a category's log-probability by a parameter. Parameters are
    numbered bundle by bundle, the two of the group last.

    Parameters
    ----------
    codes : (n, b) uint8
    first : (b + 1,) int64
    table : (rows, q) float64
    prior : (q,) float64
    scores : (rows, p, q) float64
        Scores of each category; a bundle with fewer than p parameters uses the first ones.
    offset : (b + 1,) int64
        Where the parameters of each bundle begin.
    group_scores : (2, q) float64
        Derivatives of the log-weight of each node by the parameters of the group.
    products : (k + 2, k + 2) float64
        Upper right added to.
    """
    n, n_bundles = codes.shape
    n_nodes = len(prior)
    last = offset[n_bundles]
    weights = np.empty((n, n_nodes))
    means = np.empty((n, last + 2))
    counts = np.zeros(table.shape)
    mass = np.zeros(n_nodes)
    for i in range(n):
        _posterior(codes[i], first, table, prior, weights[i])
        for q in range(n_nodes):
            mass[q] += weights[i, q]
        for b in range(n_bundles):
            row = first[b] + codes[i, b]
            for q in range(n_nodes):
                counts[row, q] += weights[i, q]
            for p in range(offset[b + 1] - offset[b]):
                total = 0.0
                for q in range(n_nodes):
                    total += weights[i, q] * scores[row, p, q]
                means[i, offset[b] + p] = total
        for s in range(2):
            total = 0.0
            for q in range(n_nodes):
                total += weights[i, q] * group_scores[s, q]
            means[i, last + s] = total
    for start in range(0, n, _NEAR):
        for p in range(last + 2):
            line = products[p, p:]
            for i in range(start, min(start + _NEAR, n)):
                own = means[i, p:]
                factor = own[0]
                for r in range(len(line)):
                    line[r] -= factor * own[r]
    for s in range(2):
        for r in range(2):
            for q in range(n_nodes):
                products[last + s, last + r] += mass[q] * group_scores[s, q] * group_scores[r, q]
    widest = 0
    for b in range(n_bundles):
        widest = max(widest, first[b + 1] - first[b])
    joint = np.empty((widest, widest, n_nodes))
    partial = np.empty(n_nodes)
    for b in range(n_bundles):
        low, n_low = first[b], first[b + 1] - first[b]
        n_p = offset[b + 1] - offset[b]
        for x in range(low, low + n_low):
            for p in range(n_p):
                for q in range(n_nodes):
                    partial[q] = counts[x, q] * scores[x, p, q]
                for r in range(n_p):
                    total = 0.0
                    for q in range(n_nodes):
                        total += partial[q] * scores[x, r, q]
                    products[offset[b] + p, offset[b] + r] += total
                for s in range(2):
                    total = 0.0
                    for q in range(n_nodes):
                        total += partial[q] * group_scores[s, q]
                    products[offset[b] + p, last + s] += total
        for c in range(b + 1, n_bundles):
            high, n_high = first[c], first[c + 1] - first[c]
            n_r = offset[c + 1] - offset[c]
            if n_p == 0 or n_r == 0:
                continue
            joint[:n_low, :n_high] = 0.0
            for i in range(n):
                cell = joint[codes[i, b], codes[i, c]]
                weight = weights[i]
                for q in range(n_nodes):
                    cell[q] += weight[q]
            for x in range(n_low):
                for r in range(n_r):
                    partial[:] = 0.0
                    for y in range(n_high):
                        for q in range(n_nodes):
                            partial[q] += joint[x, y, q] * scores[high + y, r, q]
                    for p in range(n_p):
                        total = 0.0
                        for q in range(n_nodes):
                            total += partial[q] * scores[low + x, p, q]
                        products[offset[b] + p, offset[c] + r] += total


@njit(cache=True, nogil=True, fastmath=_FAST)
def posterior_moments(
    codes: U8,
    first: I64,
    table: F64,
    prior: F64,
    nodes: F64,
    is_mean: bool,
    theta: F64,
    error: F64,
) -> None:
    """Mean and standard deviation of each candidate's posterior, or where it is highest.

    Parameters
    ----------
    codes : (n, b) uint8
    first : (b + 1,) int64
    table : (rows, q) float64
    prior, nodes : (q,) float64
    is_mean : bool
        Else theta is the node with the largest weight.
    theta, error : (n,) float64
        Filled; NaN where the likelihood is too small for a number.
    """
    weights = np.empty(len(nodes))
    for i in range(len(codes)):
        if _posterior(codes[i], first, table, prior, weights) == -math.inf:
            theta[i] = error[i] = math.nan
            continue
        mean = 0.0
        for q in range(len(nodes)):
            mean += weights[q] * nodes[q]
        square = 0.0
        for q in range(len(nodes)):
            square += weights[q] * (nodes[q] - mean) ** 2
        theta[i], error[i] = mean, math.sqrt(square)
        if not is_mean:
            theta[i] = nodes[np.argmax(weights)]
