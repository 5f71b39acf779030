"""Derivatives of the log-probabilities of a batch of items by their parameters."""

from __future__ import annotations

import numpy as np

from inkmark.analytics.irt._paper import Batch
from inkmark.analytics.irt.model import ItemModel
from inkmark.analytics.model import FloatArray

__all__ = [
    "complete_information",
    "fill_rows",
    "intercept_columns",
    "log_derivatives",
    "second_sums",
]

# Probabilities that underflow stay above this where they are divided by.
_TINY = 1e-300


def fill_rows(
    batch: Batch, x: FloatArray, slopes: FloatArray, intercepts: FloatArray, guessing: FloatArray
) -> None:
    """Write the parameters of a batch, from the free ones, into the rows of the paper."""
    values = x[batch.columns]
    m, top = len(values), batch.n_categories - 1
    rows = slopes[batch.rows].reshape(m, -1)
    free = values[:, intercept_columns(batch)]
    intercepts[batch.rows].reshape(m, -1)[:, 1:] = free
    if batch.model is ItemModel.NOMINAL:
        rows[:, 1:] = values[:, :top]
    else:
        a = np.ones((m, 1)) if batch.model.has_fixed_slope else values[:, :1]
        rows[:, 1:] = a if batch.model.is_graded else a * np.arange(1, top + 1)
    if batch.model is ItemModel.PL3:
        guessing[batch.items] = 0.5 + 0.5 * np.tanh(values[:, 2] / 2)


def intercept_columns(batch: Batch) -> slice:
    """Where the intercepts stand among the parameters of an item."""
    top = batch.n_categories - 1
    if batch.model is ItemModel.NOMINAL:
        return slice(top, 2 * top)
    start = 0 if batch.model.has_fixed_slope else 1
    return slice(start, start + top)


def log_derivatives(
    batch: Batch,
    theta: FloatArray,
    table: FloatArray,
    guessing: FloatArray,
) -> FloatArray:
    """Derivatives of log P by the parameters.

    Parameters
    ----------
    batch : Batch
    theta : (q,) float64
    table : (m, K, q) float64
        Probabilities.
    guessing : (m,) float64

    Returns
    -------
    (m, p, K, q) float64
    """
    m, k, q = table.shape
    result = np.zeros((m, batch.columns.shape[1], k, q))
    intercepts = result[:, intercept_columns(batch)]
    if batch.model.is_graded:
        g = guessing[:, None, None]
        reached = _reached(table, g)
        rise = (1 - g) * reached * (1 - reached)
        for c in range(k - 1):
            intercepts[:, c, c + 1] = rise[:, c] / np.maximum(table[:, c + 1], _TINY)
            intercepts[:, c, c] = -rise[:, c] / np.maximum(table[:, c], _TINY)
        if not batch.model.has_fixed_slope:
            np.multiply(intercepts.sum(axis=1), theta, out=result[:, 0])
        if batch.model is ItemModel.PL3:
            lift = guessing[:, None] * (1 - guessing[:, None]) * (1 - reached[:, 0])
            result[:, 2, 1] = lift / np.maximum(table[:, 1], _TINY)
            result[:, 2, 0] = -lift / np.maximum(table[:, 0], _TINY)
        return result
    for c in range(1, k):
        intercepts[:, c - 1] = -table[:, None, c]
        intercepts[:, c - 1, c] += 1
    if batch.model is ItemModel.NOMINAL:
        np.multiply(intercepts, theta, out=result[:, : k - 1])
    elif batch.model is ItemModel.GPCM:
        points = np.arange(k, dtype=float)[:, None]
        mean = np.einsum("k,mkq->mq", points[:, 0], table)
        np.multiply(points - mean[:, None], theta, out=result[:, 0])
    return result


def _reached(table: FloatArray, g: FloatArray) -> FloatArray:
    """(m, K - 1, q): 1 / (1 + exp(-z)) of each logit, from the probabilities."""
    at_least = np.cumsum(table[:, :0:-1], axis=1)[:, ::-1]
    return np.asarray((at_least - g) / (1 - g))


def complete_information(log: FloatArray, table: FloatArray, present: FloatArray) -> FloatArray:
    """Expected information if ability were known.

    Parameters
    ----------
    log : (m, p, K, q) float64
    table : (m, K, q) float64
    present : (m, q) float64
        Candidates with a response, at each node.

    Returns
    -------
    (m, p, p) float64
    """
    m, p = log.shape[:2]
    flat = log.reshape(m, p, -1)
    weights = (table * present[:, None]).reshape(m, 1, -1)
    return np.asarray((flat * weights) @ flat.transpose(0, 2, 1))


def second_sums(
    batch: Batch,
    theta: FloatArray,
    table: FloatArray,
    guessing: FloatArray,
    *,
    log: FloatArray,
    counts: FloatArray,
) -> FloatArray:
    """Sums over candidates of the second derivatives of log P, if ability were known.

    Parameters
    ----------
    batch, theta, table, guessing, log
        As in `log_derivatives`, and what it gives.
    counts : (m, K, q) float64
        Candidates in each category, at each node.

    Returns
    -------
    (m, p, p) float64
    """
    if not batch.model.is_graded:
        # The categories differ by terms linear in the parameters only.
        return -complete_information(log, table, counts.sum(axis=1))
    m, p = log.shape[:2]
    flat = log.reshape(m, p, -1)
    result = -(flat * counts.reshape(m, 1, -1)) @ flat.transpose(0, 2, 1)
    g = guessing[:, None, None]
    reached = _reached(table, g)
    ratio = np.diff(counts / np.maximum(table, _TINY), axis=1)
    bend = ratio * (1 - g) * reached * (1 - reached) * (1 - 2 * reached)
    start = intercept_columns(batch).start
    diagonal = np.arange(batch.n_categories - 1) + start
    result[:, diagonal, diagonal] += bend.sum(axis=2)
    if start:
        mixed = bend @ theta
        result[:, 0, diagonal] += mixed
        result[:, diagonal, 0] += mixed
        result[:, 0, 0] += bend.sum(axis=1) @ theta**2
    if batch.model is ItemModel.PL3:
        chance = guessing[:, None]
        away = ratio[:, 0] * chance * (1 - chance) * (1 - reached[:, 0])
        result[:, 2, 2] += ((1 - 2 * chance) * away).sum(axis=1)
        cross = -away * reached[:, 0]
        for place, weight in ((0, theta), (1, np.ones_like(theta))):
            result[:, 2, place] += cross @ weight
            result[:, place, 2] += cross @ weight
    return result
