"""The marginal log-likelihood of a paper, its gradient and its curvature."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._families import (
    complete_information,
    fill_rows,
    log_derivatives,
    second_sums,
)
from inkmark.analytics.irt._maximise import Point
from inkmark.analytics.irt._paper import Batch, Bundles, Curves, Paper, bundle_table
from inkmark.analytics.irt.model import ItemModel, ItemPriors
from inkmark.analytics.model import FloatArray, IntArray

__all__ = ["Block", "Likelihood", "State", "blocks_of", "node_weights", "workers"]

# Candidates in one call of a kernel. Sums are added up block by block, so that the result
# does not depend on the number of threads.
_BLOCK = 2048
# How far an item's parameters move in one step; all are on a logit scale.
_LONGEST = 1.0

# Group, start and stop of a block of candidates.
Block = tuple[int, int, int]
T = TypeVar("T")


class Map(Protocol):
    """The built-in `map`, or one that uses threads."""

    def __call__(self, function: Callable[[Block], T], blocks: list[Block], /) -> Iterable[T]:
        """Results in the order of the blocks."""
        ...


@contextmanager
def workers(n_candidates: int) -> Iterator[Map]:
    """A map over blocks: in threads where there is more than one block."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    n_threads = min(n_cores or 1, -(-n_candidates // _BLOCK))
    if n_threads < 2:
        yield map
        return
    with ThreadPoolExecutor(n_threads) as pool:
        yield pool.map


def blocks_of(bounds: IntArray) -> list[Block]:
    """Cut the candidates, whose groups begin at the bounds, into blocks."""
    return [
        (group, start, min(start + _BLOCK, int(bounds[group + 1])))
        for group in range(len(bounds) - 1)
        for start in range(int(bounds[group]), int(bounds[group + 1]), _BLOCK)
    ]


def node_weights(
    nodes: FloatArray, real: npt.NDArray[np.bool_], mean: float, log_sd: float
) -> FloatArray:
    """Normal distribution over the nodes; sums to 1."""
    z = (nodes - mean) * math.exp(-log_sd)
    density = np.where(real, np.exp(-0.5 * (z**2 - np.min(z[real] ** 2))), 0.0)
    return np.asarray(density / density.sum())


def _scoring_step(metric: FloatArray, gradient: FloatArray) -> FloatArray:
    """Fisher's scoring, item by item: (m, p) from (m, p, p) and (m, p).

    An item whose parameters have no bound must not hold up the others, so each is kept short.
    """
    step = np.linalg.solve(metric + 1e-8 * np.eye(metric.shape[1]), gradient[:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1, _LONGEST / np.maximum(longest, _LONGEST)))


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A vector of free parameters, unfolded.

    Attributes
    ----------
    curves : Curves
    table : (rows, q) float64
        Probabilities of the categories of the items.
    mean, log_sd : (g,) float64
    weights : (g, q) float64
    """

    curves: Curves
    table: FloatArray
    mean: FloatArray
    log_sd: FloatArray
    weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Marginal log-likelihood of a paper, plus the log-density of the priors.

    Attributes
    ----------
    paper : Paper
    bundles : Bundles
    codes : (n, b) uint8
        Candidates in the order of their groups.
    bounds : (g + 1,) int64
        Where the candidates of each group begin.
    base : Curves
        Parameters of the fixed items.
    nodes, real
        From `padded_nodes`.
    moments : (g, 2) int64
        Columns of the mean and of the logarithm of the standard deviation of each group
        among the free parameters; -1 where it is 0.
    priors : mapping
    run : callable
        From `workers`.
    """

    paper: Paper
    bundles: Bundles
    codes: npt.NDArray[np.uint8]
    bounds: IntArray
    base: Curves
    nodes: FloatArray
    real: npt.NDArray[np.bool_]
    moments: IntArray
    priors: dict[ItemModel, ItemPriors]
    run: Map

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return self.paper.n_free + int(np.sum(self.moments >= 0))

    def state(self, x: FloatArray) -> State:
        """Unfold a vector of free parameters."""
        slopes = self.base.slopes.copy()
        intercepts = self.base.intercepts.copy()
        guessing = self.base.guessing.copy()
        for batch in self.paper.batches:
            fill_rows(batch, x, slopes, intercepts, guessing)
        curves = Curves(self.paper.first, self.paper.graded, slopes, intercepts, guessing)
        table = curves.at(self.nodes)[0]
        moments = np.where(self.moments >= 0, x[self.moments], 0.0)
        weights = np.array([node_weights(self.nodes, self.real, *row) for row in moments])
        return State(curves, table, moments[:, 0], moments[:, 1], weights)

    def at(self, x: FloatArray) -> Point:
        """Value, gradient and EM gradient step."""
        state = self.state(x)
        prior_value, prior_gradient, prior_bend = self._prior_terms(x)
        if math.isinf(prior_value) or not np.all(state.table >= 0):
            return Point(-math.inf, np.zeros_like(x), np.zeros_like(x))
        value, counts, masses = self._expected(state)
        gradient = prior_gradient
        step = np.empty_like(x)
        for batch in self.paper.batches:
            table, guessing, share = self._of(batch, state, counts)
            log = log_derivatives(batch, self.nodes, table, guessing)
            m, p = log.shape[:2]
            gradient[batch.columns] += (log.reshape(m, p, -1) @ share.reshape(m, -1, 1))[:, :, 0]
            metric = complete_information(log, table, share.sum(axis=1))
            diagonal = np.arange(p)
            metric[:, diagonal, diagonal] -= prior_bend[batch.columns]
            step[batch.columns] = _scoring_step(metric, gradient[batch.columns])
        for group, columns in enumerate(self.moments):
            free = columns >= 0
            if np.any(free):
                scores, _ = self._group_scores(state, group)
                gradient[columns[free]] += scores[free] @ masses[group]
                spread = (scores * state.weights[group]) @ scores.T * masses[group].sum()
                own = spread[None][:, free][:, :, free]
                step[columns[free]] = _scoring_step(own, gradient[columns[free]][None])[0]
        return Point(value + prior_value, gradient, step)

    def log_likelihood(self, x: FloatArray) -> float:
        """The value without the priors."""
        return self._expected(self.state(x))[0]

    def information(self, x: FloatArray) -> FloatArray:
        """Minus the second derivative, by Louis' identity.

        Louis (1982), Journal of the Royal Statistical Society B 44: the expected second
        derivative if ability were known, plus the posterior covariance of the scores.
        """
        from inkmark.analytics.irt import _kernels  # noqa: PLC0415 - loads numba

        state = self.state(x)
        _, counts, masses = self._expected(state)
        prior_bend = self._prior_terms(x)[2]
        n_items = self.paper.n_free
        second = np.zeros((len(x), len(x)))
        widest = max((batch.columns.shape[1] for batch in self.paper.batches), default=0)
        by_row = np.zeros((len(state.table) + 1, widest, len(self.nodes)))
        for batch in self.paper.batches:
            table, guessing, share = self._of(batch, state, counts)
            log = log_derivatives(batch, self.nodes, table, guessing)
            m, p, k, q = log.shape
            sums = second_sums(batch, self.nodes, table, guessing, log=log, counts=share)
            columns = batch.columns
            second[columns[:, :, None], columns[:, None, :]] += sums
            by_row[batch.rows, :p] = log.transpose(0, 2, 1, 3).reshape(m * k, p, q)
        second[np.arange(len(x)), np.arange(len(x))] += prior_bend
        scores = self._bundle_scores(by_row)
        group_scores = []
        for group, columns in enumerate(self.moments):
            terms, bends = self._group_scores(state, group)
            group_scores.append(terms)
            for a in range(2):
                for b in range(2):
                    if columns[a] >= 0 and columns[b] >= 0:
                        second[columns[a], columns[b]] += bends[a, b] @ masses[group]
        table = bundle_table(self.bundles, state.table)

        def block(place: Block) -> tuple[int, FloatArray]:
            group, start, stop = place
            products = np.zeros((n_items + 2, n_items + 2))
            _kernels.pair_products(
                self.codes[start:stop],
                self.bundles.first,
                table,
                state.weights[group],
                scores,
                self.bundles.offset,
                group_scores[group],
                products,
            )
            return group, np.triu(products) + np.triu(products, 1).T

        for group, covariance in self.run(block, blocks_of(self.bounds)):
            columns = np.concatenate([np.arange(n_items), self.moments[group]])
            kept = np.flatnonzero(columns >= 0)
            second[np.ix_(columns[kept], columns[kept])] += covariance[np.ix_(kept, kept)]
        return -second

    def _expected(self, state: State) -> tuple[float, FloatArray, FloatArray]:
        """Log-likelihood, counts (rows, q) of the items, candidates (g, q) at the nodes."""
        from inkmark.analytics.irt import _kernels  # noqa: PLC0415 - loads numba

        table = bundle_table(self.bundles, state.table)

        def block(place: Block) -> tuple[int, float, FloatArray, FloatArray]:
            group, start, stop = place
            counts = np.zeros_like(table)
            mass = np.zeros(len(self.nodes))
            value = _kernels.expected_counts(
                self.codes[start:stop],
                self.bundles.first,
                table,
                state.weights[group],
                counts,
                mass,
            )
            return group, value, counts, mass

        values = []
        total = np.zeros_like(table)
        masses = np.zeros_like(state.weights)
        for group, value, counts, mass in self.run(block, blocks_of(self.bounds)):
            values.append(value)
            total += counts
            masses[group] += mass
        by_item = np.zeros((len(state.table) + 1, len(self.nodes)))  # the last: no response
        for members in self.bundles.members.T:
            np.add.at(by_item, members, total)
        return math.fsum(values), by_item[:-1], masses

    def _bundle_scores(self, by_row: FloatArray) -> FloatArray:
        """(bundle rows, p, q): the scores of the items that a bundle joins, side by side."""
        bundles = self.bundles
        widths = np.diff(bundles.offset)
        result = np.zeros((len(bundles.members), max(1, int(widths.max())), by_row.shape[2]))
        filled = np.zeros(len(widths), dtype=np.int64)
        n_free = np.zeros(len(self.paper.models), dtype=np.int64)
        for batch in self.paper.batches:
            n_free[batch.items] = batch.columns.shape[1]
        place = np.zeros(len(widths), dtype=np.int64)
        for item, bundle in enumerate(bundles.bundle):
            rows = slice(int(bundles.first[bundle]), int(bundles.first[bundle + 1]))
            start, p = int(filled[bundle]), int(n_free[item])
            result[rows, start : start + p] = by_row[bundles.members[rows, place[bundle]], :p]
            filled[bundle] += p
            place[bundle] += 1
        return result

    def _of(
        self, batch: Batch, state: State, counts: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Table (m, K, q), guessing (m,) and counts (m, K, q) of a batch."""
        shape = (-1, batch.n_categories, len(self.nodes))
        return (
            state.table[batch.rows].reshape(shape),
            state.curves.guessing[batch.items],
            counts[batch.rows].reshape(shape),
        )

    def _group_scores(self, state: State, group: int) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the log-weights by mean and log sd: first (2, q), second (2, 2, q)."""
        precision = math.exp(-2 * state.log_sd[group])
        z = self.nodes - state.mean[group]
        first = np.array([z * precision, z**2 * precision])
        weights = state.weights[group]
        scores = first - (first @ weights)[:, None]
        covariance = (scores * weights) @ scores.T
        mixed = -2 * scores[0]
        second = np.array([[np.zeros_like(z), mixed], [mixed, -2 * scores[1]]])
        return scores, second - covariance[:, :, None]

    def _prior_terms(self, x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Log-density of the priors, its gradient, and its second derivatives."""
        value = 0.0
        gradient, bend = np.zeros_like(x), np.zeros_like(x)
        for batch in self.paper.batches:
            priors = self.priors.get(batch.model, ItemPriors())
            has_slope = not batch.model.has_fixed_slope and batch.model is not ItemModel.NOMINAL
            for prior, place, applies in (
                (priors.slope, 0, has_slope),
                (priors.intercept, int(has_slope), batch.model.is_binary),
                (priors.guessing, 2, batch.model is ItemModel.PL3),
            ):
                if prior is not None and applies:
                    columns = batch.columns[:, place]
                    terms = prior.terms(x[columns])
                    value += float(terms[0].sum())
                    gradient[columns], bend[columns] = terms[1], terms[2]
        return value, gradient, bend
