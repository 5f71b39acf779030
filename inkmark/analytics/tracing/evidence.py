"""Evidence on attributes, laid out for the kernels, and what it makes expect."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.model import QMatrix
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.analytics.tracing.model import AnswerLog
from inkmark.analytics.tracing.state import needed_by

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Chains", "Evidence", "Expectation", "Sums", "gather"]

_MOST_CHUNKS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Evidence in batches of chains: see the kernels."""

    first: IntArray
    times: IntArray
    attribute: IntArray
    n_chains: IntArray
    """Of each attribute."""
    codes: npt.NDArray[np.int32]
    steps: npt.NDArray[np.uint8]
    slots: IntArray
    """Of each entry; an answer has an entry an attribute, one behind the other."""
    owner: IntArray
    """Candidate of each chain."""
    lane: IntArray
    """Of each chain, counted over all batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is the same in all passes."""

    chains: Chains
    rows: IntArray
    """First entry of each answer."""
    codes: npt.NDArray[np.int32]
    """Of each answer: kind, right or wrong, weight."""
    code_format: IntArray
    code_right: npt.NDArray[np.bool_]
    code_weight: FloatArray
    code_count: IntArray
    n_answers: IntArray
    n_right: IntArray
    """Of each attribute."""


class Sums(NamedTuple):
    """Expected numbers."""

    steps: FloatArray
    """(k, 5): see the kernel."""
    able: FloatArray
    """Answers by candidates who have all the attributes, by code."""
    log_likelihood: float


class Expectation:
    """The expectation step, by chunks of batches that do not depend on the threads."""

    def __init__(self, evidence: Evidence, executor: Executor) -> None:
        from inkmark.analytics.tracing import _kernels  # noqa: PLC0415 - numba loads slowly

        self._evidence = evidence
        self._executor = executor
        chains = evidence.chains
        ends = np.searchsorted(chains.first, np.linspace(0, len(chains.codes), _MOST_CHUNKS + 1))
        self._chunks = [slice(a, b) for a, b in itertools.pairwise(np.unique(ends))]
        self._mastery = np.empty(len(chains.codes))
        self._by_lane = np.empty((len(chains.times), _kernels.LANES, 5))
        self._companions = np.ones(len(chains.codes))
        n_entries = np.diff(evidence.rows)
        self._several = np.flatnonzero(n_entries > 1)
        owner = np.repeat(np.arange(len(n_entries)), n_entries)
        entries = np.flatnonzero(n_entries[owner] > 1)
        self._slots = chains.slots[entries]
        self._width = n_entries[self._several]
        self._starts = np.concatenate(([0], np.cumsum(self._width)))[:-1]

    @property
    def rests_on_last(self) -> bool:
        """Whether a pass starts from what the pass before found."""
        return len(self._several) > 0

    def sums(self, parameters: Sequence[FloatArray]) -> Sums:
        """Give the expected numbers."""
        from inkmark.analytics.tracing import _kernels  # noqa: PLC0415 - numba loads slowly

        start, learn, forget, guess, slip = parameters
        evidence, chains = self._evidence, self._evidence.chains
        rates = np.stack((1 - slip, guess))[:, evidence.code_format]
        rates = np.where(evidence.code_right, rates, 1 - rates) ** evidence.code_weight
        able, unable = np.hstack((rates, np.ones((2, 1))))
        attribute = chains.attribute

        def run(part: slice) -> tuple[float, FloatArray]:
            steps = self._by_lane[part]
            by_code = np.zeros(len(able))
            own = attribute[part]
            value = _kernels.smooth(
                chains.first[part],
                chains.times[part],
                chains.codes,
                chains.steps,
                able,
                unable,
                self._companions,
                start[own],
                learn[own],
                forget[own],
                self._mastery,
                steps,
                by_code,
            )
            return value, by_code

        parts = list(self._executor.map(run, self._chunks))
        steps = np.zeros((len(start), 5))
        np.add.at(steps, attribute, self._by_lane.sum(axis=1))
        by_code = np.sum([part for _, part in parts], axis=0)[:-1]
        by_code += self._regard_several()
        return Sums(steps, by_code, float(sum(value for value, _ in parts)))

    def scores(self, parameters: Sequence[FloatArray], log: AnswerLog) -> sparse.csr_array:
        """Give the derivatives (n, p) of log-likelihoods of candidates by all parameters.

        Those of the complete data, expected given the answers (Fisher's identity), at the
        parameters of the last pass.
        """
        from scipy import sparse  # noqa: PLC0415 - loads slowly

        evidence, chains = self._evidence, self._evidence.chains
        start, learn, forget, guess, slip = (
            np.maximum(share * (1 - share), np.finfo(float).tiny) for share in parameters
        )
        attribute = np.repeat(chains.attribute, self._by_lane.shape[1])[chains.lane]
        steps = self._by_lane.reshape(-1, 5)[chains.lane].T
        begin, learning, forgetting, guessing, slipping = parameters
        of_chains = (
            (steps[4] - begin[attribute]) / start[attribute],
            (steps[0] - steps[1] * learning[attribute]) / learn[attribute],
            (steps[2] - steps[3] * forgetting[attribute]) / forget[attribute],
        )
        by_code = np.where(evidence.code_right, 1.0, 0.0)
        kind = evidence.code_format
        able = np.multiply.reduceat(self._mastery[chains.slots], evidence.rows[:-1])
        with_all = evidence.code_weight * (1 - by_code - slipping[kind]) / slip[kind]
        without = evidence.code_weight * (by_code - guessing[kind]) / guess[kind]
        n, n_kinds = int(log.candidate.max()) + 1, len(guess)
        place = log.candidate * n_kinds + kind[evidence.codes]
        of_kinds = [
            np.bincount(place, values, n * n_kinds).reshape(n, n_kinds)
            for values in ((1 - able) * without[evidence.codes], able * with_all[evidence.codes])
        ]
        parts = [
            sparse.coo_array((values, (chains.owner, attribute)), shape=(n, len(start)))
            for values in of_chains
        ]
        return sparse.csr_array(sparse.hstack([*parts, *map(sparse.coo_array, of_kinds)]))

    def _regard_several(self) -> FloatArray:
        """Settle answers on several attributes for the next pass.

        Gives what corrects the sum of mastery by code to that of having all attributes.
        """
        codes = self._evidence.codes[self._several]
        n_codes = len(self._evidence.code_weight)
        if not len(codes):
            return np.zeros(n_codes)
        mastery = self._mastery[self._slots]
        all_of_them = np.multiply.reduceat(mastery, self._starts)
        companions = np.repeat(all_of_them, self._width) / mastery
        # Half-way: attributes of an item that all follow each other at once swing for ever.
        self._companions[self._slots] = (self._companions[self._slots] + companions) / 2
        single = np.add.reduceat(mastery, self._starts)
        return np.bincount(codes, all_of_them - single, n_codes).astype(np.float64)


def gather(log: AnswerLog, q: QMatrix, format_of: IntArray, n_formats: int) -> Evidence:
    """Sort the answers into chains."""
    weights, weight_of = np.unique(log.weight, return_inverse=True)
    n_weights = len(weights)
    codes = (2 * format_of[log.item] + log.right) * n_weights + weight_of
    rows, attributes = needed_by(q, log.item)
    owner = np.repeat(np.arange(len(log.item)), np.diff(rows))
    every_code = np.arange(2 * n_formats * n_weights)
    n_attributes = len(q.attributes)
    return Evidence(
        chains=_chains(
            log.candidate[owner] * n_attributes + attributes,
            n_attributes,
            log.occasion[owner],
            codes[owner],
            len(every_code),
        ),
        rows=rows,
        codes=codes.astype(np.int32),
        code_format=every_code // n_weights // 2,
        code_right=every_code // n_weights % 2 == 1,
        code_weight=weights[every_code % n_weights],
        code_count=np.bincount(codes, minlength=len(every_code)),
        n_answers=np.bincount(attributes, minlength=n_attributes),
        n_right=np.bincount(attributes[log.right[owner]], minlength=n_attributes),
    )


def _chains(
    key: IntArray, n_attributes: int, occasion: IntArray, codes: IntArray, no_code: int
) -> Chains:
    """Lay entries of one key, a candidate and attribute, into a chain."""
    from inkmark.analytics.tracing import _kernels  # noqa: PLC0415 - numba loads slowly

    lanes = _kernels.LANES
    order = np.argsort(key, kind="stable")
    key, occasion = key[order], occasion[order]
    begins = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    length = np.diff(np.append(begins, len(key)))
    attribute = key[begins] % n_attributes
    by_size = np.lexsort((length, attribute))
    n_chains = np.bincount(attribute, minlength=n_attributes)
    # Chains of an attribute fill batches; the last batch may have empty lanes.
    rank = np.arange(len(by_size)) - np.repeat(np.cumsum(n_chains) - n_chains, n_chains)
    n_batches = -(-n_chains // lanes)
    batch = np.repeat(np.cumsum(n_batches) - n_batches, n_chains) + rank // lanes
    times = np.zeros(n_batches.sum(), dtype=np.int64)
    np.maximum.at(times, batch, length[by_size])
    first = np.concatenate(([0], np.cumsum(times * lanes)))
    origin = np.empty(len(by_size), dtype=np.int64)
    origin[by_size] = first[batch] + rank % lanes
    lane = np.empty(len(by_size), dtype=np.int64)
    lane[by_size] = batch * lanes + rank % lanes
    time = np.arange(len(key)) - np.repeat(begins, length)
    slot = np.repeat(origin, length) + time * lanes
    all_codes = np.full(first[-1], no_code, dtype=np.int32)
    all_codes[slot] = codes[order]
    steps = np.zeros(first[-1], dtype=np.uint8)
    steps[slot[:-1]] = (key[1:] == key[:-1]) & (occasion[1:] != occasion[:-1])
    slots = np.empty(len(key), dtype=np.int64)
    slots[order] = slot
    return Chains(
        first=first[:-1],
        times=times,
        attribute=np.repeat(np.arange(n_attributes), n_batches),
        n_chains=n_chains,
        codes=all_codes,
        steps=steps,
        slots=slots,
        owner=key[begins] // n_attributes,
        lane=lane,
    )
