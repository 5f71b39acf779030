"""Maximum likelihood for models of diagnosis, by an accelerated EM algorithm.

Expected counts come from compiled kernels, by chunks of candidates on several threads. The
chunks depend on the number of candidates alone, and are added up in their order: the result
is the same on one thread and on many.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.acceleration import Stop, accelerate
from inkmark.analytics.diagnosis.data import Blocks, known_answers, make_blocks
from inkmark.analytics.diagnosis.items import ItemModels
from inkmark.analytics.diagnosis.model import DiagnosisFit, DiagnosisOptions
from inkmark.analytics.diagnosis.structure import Distribution
from inkmark.analytics.model import FloatArray

__all__ = ["Climb", "Counts", "Expectation", "climb", "expected_at", "posterior_chunks"]

_PERIOD = 4
"""Blocks between two rescalings: a product of 4 x 5 probabilities is 1e-200 at least."""

_CHUNK = 2048
"""Candidates in a chunk at least."""
_MOST_CHUNKS = 16

_ROWS = 1024
"""Candidates whose posteriors are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Expected numbers, given the parameters.

    Attributes
    ----------
    right, seen : (m, t) float64
        Right answers, and answers, to each item in each kind of class.
    kinds : (t,) float64
        Candidates in each kind of class.
    log_likelihood : float
    """

    right: FloatArray
    seen: FloatArray
    kinds: FloatArray
    log_likelihood: float


class Expectation:
    """The expectation step on fixed answers.

    Parameters
    ----------
    blocks : Blocks
    executor : Executor
        Runs the chunks.
    """

    def __init__(self, blocks: Blocks, executor: Executor) -> None:
        self._blocks = blocks
        self._executor = executor
        n = len(blocks.codes)
        ends = np.linspace(0, n, max(1, min(_MOST_CHUNKS, n // _CHUNK)) + 1).astype(np.int64)
        self._chunks = [blocks.codes[a:b] for a, b in itertools.pairwise(ends)]

    def counts(self, right: FloatArray, prior: FloatArray) -> Counts:
        """Give the expected counts.

        Parameters
        ----------
        right : (m, t) float64
            Probability of a right answer to each item in each kind of class.
        prior : (t,) float64
            Probability of the kinds.

        Returns
        -------
        Counts
        """
        from inkmark.analytics.diagnosis import _kernels  # noqa: PLC0415 - numba loads slowly

        blocks = self._blocks
        table = _table(blocks, right)

        def run(codes: npt.NDArray[np.uint16]) -> tuple[FloatArray, float]:
            counts = np.empty_like(table)
            value = _kernels.expected_counts(codes, blocks.first, table, prior, _PERIOD, counts)
            return counts, value

        if len(self._chunks) == 1:
            parts = [run(self._chunks[0])]
        else:
            parts = list(self._executor.map(run, self._chunks))
        counts = parts[0][0]
        for part, _ in parts[1:]:
            counts += part
        n_right, n_seen = np.zeros_like(right), np.zeros_like(right)
        _kernels.count_by_item(blocks.answers, blocks.item, counts, n_right, n_seen)
        kinds = counts[: blocks.first[1]].sum(axis=0)
        return Counts(n_right, n_seen, kinds, float(sum(value for _, value in parts)))


def _table(blocks: Blocks, right: FloatArray) -> FloatArray:
    """Give the probability (r, t) of each row of the blocks in each kind of class."""
    from inkmark.analytics.diagnosis import _kernels  # noqa: PLC0415 - numba loads slowly

    table = np.empty((len(blocks.answers), right.shape[1]))
    _kernels.fill_table(blocks.answers, blocks.item, right, table)
    return table


def posterior_chunks(
    blocks: Blocks, right: FloatArray, prior: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Give posteriors by chunks of candidates, in their order.

    Parameters
    ----------
    blocks : Blocks
    right : (m, t) float64
        Probability of a right answer to each item in each kind of class.
    prior : (t,) float64
        Probability of the kinds.

    Yields
    ------
    weights : (n, t) float64
        Posterior probability of the kinds.
    log_likelihood : (n,) float64
    """
    from inkmark.analytics.diagnosis import _kernels  # noqa: PLC0415 - numba loads slowly

    table = _table(blocks, right)
    for start in range(0, len(blocks.codes), _ROWS):
        codes = blocks.codes[start : start + _ROWS]
        weights, values = np.empty((len(codes), len(prior))), np.empty(len(codes))
        _kernels.class_weights(codes, blocks.first, table, prior, _PERIOD, weights, values)
        yield weights, values


def expected_at(fit: DiagnosisFit, responses: npt.ArrayLike) -> Counts:
    """Give the expected counts at the estimates of a fit.

    Parameters
    ----------
    fit : DiagnosisFit
    responses : (n, m) array_like
        Of the items that it was given.

    Returns
    -------
    Counts

    Raises
    ------
    AnalysisError
        As of `known_answers`.
    """
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        blocks = make_blocks(known_answers(fit, responses))
        return Expectation(blocks, executor).counts(fit.rates(), fit.kinds())


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """Where a start ended.

    Attributes
    ----------
    state : (p + s,) float64
        Parameters of the items and of the distribution.
    counts : Counts
        At these parameters.
    stop : Stop
    n_iterations : int
        Passes over the data.
    """

    state: FloatArray
    counts: Counts
    stop: Stop
    n_iterations: int


def climb(
    expectation: Expectation,
    start: FloatArray,
    options: DiagnosisOptions,
    models: ItemModels,
    distribution: Distribution,
) -> Climb:
    """Climb from one start to a maximum of the likelihood.

    Parameters
    ----------
    expectation : Expectation
    start : (p + s,) float64
        Parameters of the items and of the distribution.
    options : DiagnosisOptions
        Tolerance and limit of iterations.
    models : ItemModels
    distribution : Distribution

    Returns
    -------
    Climb
    """
    cut = models.first[-1]
    groups = models.layout.group_of_kind

    def counts_at(state: FloatArray) -> tuple[Counts, float]:
        rates = models.rates(state[:cut])
        counts = expectation.counts(rates[groups], distribution.kinds(state[cut:]))
        return counts, counts.log_likelihood + models.penalty(rates)

    def em_step(state: FloatArray) -> tuple[FloatArray, float]:
        counts, value = counts_at(state)
        items = models.update(state[:cut], counts.right, counts.seen)
        structure = distribution.update(state[cut:], counts.kinds)
        return np.concatenate((items, structure)), value

    def mend(state: FloatArray, fallback: FloatArray) -> FloatArray:
        items = models.mend(state[:cut], fallback[:cut])
        return np.concatenate((items, distribution.mend(state[cut:], fallback[cut:])))

    state, stop, n_steps = accelerate(
        em_step, mend, start, options.tolerance, options.max_iterations
    )
    return Climb(state, counts_at(state)[0], stop, n_steps)
