"""The assignment of sheets to candidates with the largest probability, and of each other one."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST", "SheetRow", "match_rows"]

FloatArray = NDArray[np.float64]

_THRESHOLDS = (1e-9, 1e-7, 1e-5, 1e-3, 1e-2, 1e-1)
"""Candidates less probable than this share of a sheet's best are not told apart from others:
the first share that keeps the sheets that contend for the same candidates few enough."""
LEAST = _THRESHOLDS[0]
_MOST_TOGETHER = 300
"""Sheets matched in one assignment."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What a sheet says of the candidates that come into question.

    Attributes
    ----------
    free : (m,) int64
        Candidates without a sheet, likeliest first.
    weights : (m,) float64
        Their probabilities, not normalised.
    other : float
        That of everything that leads to a person: nobody on the roster, somebody with
        another sheet, candidates not among `free`.
    stranger : float
        The part of it that belongs to nobody on the roster.
    second : tuple of (int, float)
        The parts of it that belong to candidates with another sheet.
    """

    free: NDArray[np.int64]
    weights: FloatArray
    other: float
    stranger: float
    second: tuple[tuple[int, float], ...]


def match_rows(rows: Sequence[SheetRow]) -> list[FloatArray]:
    """Probability of each candidate of each row under one sheet a candidate: (m,) each."""
    chances = [row.weights / (row.weights.sum() + row.other) for row in rows]
    waiting = list(range(len(rows)))
    for threshold in _THRESHOLDS:
        crowded = []
        for together in _contenders(rows, waiting, threshold):
            if len(together) > _MOST_TOGETHER:
                crowded += together
            else:
                _assign(rows, together, threshold, chances)
        waiting = crowded
    for k in waiting:  # so many fit one another that nothing is told apart
        chances[k] = chances[k] * (1 - 1 / len(waiting))
    return chances


def _kept(row: SheetRow, threshold: float) -> int:
    """How many of a row's candidates are not too improbable."""
    best = max(float(row.weights[0]) if len(row.weights) else 0.0, row.other)
    return int(np.count_nonzero(row.weights >= threshold * best))


def _contenders(
    rows: Sequence[SheetRow], waiting: Sequence[int], threshold: float
) -> list[list[int]]:
    """Rows in groups that share no candidate with other groups."""
    owner: dict[int, int] = {}
    group = {k: k for k in waiting}

    def root(k: int) -> int:
        while group[k] != k:
            group[k] = group[group[k]]
            k = group[k]
        return k

    for k in waiting:
        for who in rows[k].free[: _kept(rows[k], threshold)].tolist():
            group[root(k)] = root(owner.setdefault(who, k))
    gathered: defaultdict[int, list[int]] = defaultdict(list)
    for k in waiting:
        gathered[root(k)].append(k)
    return list(gathered.values())


def _assign(
    rows: Sequence[SheetRow], together: Sequence[int], threshold: float, chances: list[FloatArray]
) -> None:
    """Match a group of rows and write the probabilities of their candidates."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - reading loads no scipy

    n = len(together)
    kept = [_kept(rows[k], threshold) for k in together]
    people = sorted({int(w) for k, m in zip(together, kept, strict=True) for w in rows[k].free[:m]})
    place = {who: column for column, who in enumerate(people)}
    cost = np.full((n, len(people) + n), np.inf)
    for r, (k, m) in enumerate(zip(together, kept, strict=True)):
        row = rows[k]
        cost[r, [place[int(who)] for who in row.free[:m]]] = -np.log(row.weights[:m])
        cost[r, len(people) + r] = -math.log(row.other + float(row.weights[m:].sum()))
    _, chosen = linear_sum_assignment(cost)
    extra = _extra_costs(cost, np.asarray(chosen, dtype=np.int64))
    p = np.exp(-extra)
    p /= p.sum(axis=1, keepdims=True)
    for r, (k, m) in enumerate(zip(together, kept, strict=True)):
        chances[k] = np.zeros(len(rows[k].free))
        chances[k][:m] = p[r, [place[int(who)] for who in rows[k].free[:m]]]


def _extra_costs(cost: FloatArray, chosen: NDArray[np.int64]) -> FloatArray:
    """What the best assignment costs more with each row given to each column.

    Who takes the column of another row sends that row to a further column in turn, until
    somebody takes a column that nobody has; and the column that was given up may be taken by
    others. As the assignment is the best one, nothing is gained by going round in a circle,
    so the cheapest way is a shortest path between rows and a node for the unused columns.

    Parameters
    ----------
    cost : (n, m) float64
    chosen : (n,) int64
        The column of each row in the best assignment.

    Returns
    -------
    (n, m) float64
    """
    n = len(cost)
    moves = cost - cost[np.arange(n), chosen][:, None]
    unused = np.ones(cost.shape[1], dtype=bool)
    unused[chosen] = False
    paths = np.zeros((n + 1, n + 1))
    paths[:n, :n] = moves[:, chosen]
    paths[:n, n] = moves[:, unused].min(axis=1, initial=np.inf)
    for via in range(n + 1):
        np.minimum(paths, paths[:, via, None] + paths[None, via], out=paths)
    extra = moves
    extra[:, chosen] += paths[:n, :n].T
    extra[:, unused] += paths[n, :n, None]
    return np.maximum(extra, 0.0)
