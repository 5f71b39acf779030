"""Fitting of Bayesian knowledge tracing to a log of answers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkmark.analytics.acceleration import Stop, accelerate
from inkmark.analytics.diagnosis.model import QMatrix
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.analytics.tracing.model import AnswerLog, TracingFit, TracingModel, TracingOptions
from inkmark.analytics.tracing.state import check_items, needed_by, trace_log
from inkmark.errors import AnalysisError

__all__ = ["fit_tracing"]

BELOW_HALF = 0.499
"""The most that guess and slip may be: from one half on, a right answer would speak against
mastery or a wrong one for it (Baker, Corbett & Aleven 2008)."""

_LEAST = 1e-6
_TYPICAL = {"start": 0.5, "learn": 0.2, "forget": 0.02, "guess": 0.2, "slip": 0.1}
_MOST_CHUNKS = 8
_DEFAULT = TracingOptions()


@dataclass(frozen=True, slots=True, eq=False)
class _Chains:
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


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What is the same in all passes."""

    chains: _Chains
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


class _Sums(NamedTuple):
    """Expected numbers."""

    steps: FloatArray
    """(k, 5): see the kernel."""
    able: FloatArray
    """Answers by candidates who have all the attributes, by code."""
    log_likelihood: float


def fit_tracing(
    log: AnswerLog,
    q: QMatrix,
    formats: Sequence[str] | None = None,
    options: TracingOptions = _DEFAULT,
) -> TracingFit:
    """Estimate how mastery of attributes comes, goes and shows.

    Bayesian knowledge tracing (Corbett & Anderson 1994, User Model. User-Adapt. Interact. 4,
    253-278) with forgetting, by maximum likelihood with a weak prior. An item that needs
    several attributes is answered right by those who master all of them, but for guess and
    slip. Where there are such items, attributes are taken as independent given the answers,
    which is an approximation; else the likelihood is exact. An answer of weight w counts as
    its probability to the power of w.

    Parameters
    ----------
    log : AnswerLog
    q : QMatrix
        Of its items.
    formats : sequence of str, optional
        Kind of each item; items of one kind share guess and slip. By default items that need
        the same attributes do.
    options : TracingOptions

    Returns
    -------
    TracingFit

    Raises
    ------
    AnalysisError
        No answers, items that the Q-matrix has not or that need no attribute, formats that do
        not fit.
    """
    kinds = check_items(log, q, formats)
    if not len(log.item):
        raise AnalysisError("The log has no answers to fit a model to. Add some.")
    names = tuple(dict.fromkeys(kinds[j] for j in np.flatnonzero(np.bincount(log.item))))
    place = {name: f for f, name in enumerate(names)}
    format_of = np.array([place.get(name, 0) for name in kinds], dtype=np.int64)
    evidence = _gather(log, q, format_of, len(names))
    n_attributes, n_formats = len(q.attributes), len(names)
    layout = _Parameters(n_attributes, n_formats, options)
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        expectation = _Expectation(evidence, executor)

        def em_step(state: FloatArray) -> tuple[FloatArray, float]:
            sums = expectation.sums(layout.split(state))
            return layout.update(sums, evidence), sums.log_likelihood + layout.penalty(state)

        def mend(state: FloatArray, fallback: FloatArray) -> FloatArray:
            # With several attributes an answer, a step rests on the one before it: none longer.
            return fallback if expectation.rests_on_last else layout.mend(state, fallback)

        state, stop, n_iterations = accelerate(
            em_step, mend, layout.typical, options.tolerance, options.max_iterations
        )
    start, learn, forget, guess, slip = layout.split(state)
    model = TracingModel(q.attributes, start, learn, forget, names, guess, slip)
    return TracingFit(
        model=model,
        q=q,
        log_likelihood=trace_log(model, log, q, formats).log_likelihood,
        n_answers=len(log.item),
        n_candidates=int((np.bincount(log.candidate) > 0).sum()),
        stop=stop,
        n_iterations=n_iterations,
        warnings=_warnings(model, evidence, stop),
    )


class _Parameters:
    """All parameters one behind the other: start, learn, forget, guess, slip."""

    def __init__(self, n_attributes: int, n_formats: int, options: TracingOptions) -> None:
        self._sizes = [n_attributes] * 3 + [n_formats] * 2
        self._ends = np.cumsum(self._sizes)[:-1]
        self.typical = np.repeat(list(_TYPICAL.values()), self._sizes)
        most = np.repeat([1 - _LEAST] * 3 + [BELOW_HALF] * 2, self._sizes)
        self._least = np.full(len(most), _LEAST)
        if not options.forgetting:
            part = slice(2 * n_attributes, 3 * n_attributes)
            self._least[part] = most[part] = self.typical[part] = 0.0
        self._most = most
        self._prior = max(options.prior, 1e-6)

    def split(self, state: FloatArray) -> list[FloatArray]:
        """Give the parameters by kind."""
        return np.split(state, self._ends)

    def update(self, sums: _Sums, evidence: _Evidence) -> FloatArray:
        """Give the most likely parameters for expected numbers."""
        unable = evidence.code_count - sums.able
        weighted = evidence.code_weight * np.stack((sums.able, unable))
        n_formats = self._sizes[-1]

        def by_format(values: FloatArray) -> FloatArray:
            return np.bincount(evidence.code_format, values, n_formats).astype(np.float64)

        right = evidence.code_right
        able, unable = weighted
        happened = (
            sums.steps[:, 4],
            sums.steps[:, 0],
            sums.steps[:, 2],
            by_format(unable * right),
            by_format(able * ~right),
        )
        possible = (
            evidence.chains.n_chains,
            sums.steps[:, 1],
            sums.steps[:, 3],
            by_format(unable),
            by_format(able),
        )
        shares = (np.concatenate(happened) + self._prior * self.typical) / (
            np.concatenate(possible) + self._prior
        )
        return np.clip(shares, self._least, self._most)

    def mend(self, state: FloatArray, fallback: FloatArray) -> FloatArray:
        """Keep the fallback of what is out of bounds."""
        return np.where((state > self._least) & (state < self._most), state, fallback)

    def penalty(self, state: FloatArray) -> float:
        """Give the logarithm of the prior, up to a constant."""
        free = self._most > 0
        value, typical = state[free], self.typical[free]
        logs = typical * np.log(value) + (1 - typical) * np.log1p(-value)
        return float(self._prior * logs.sum())


class _Expectation:
    """The expectation step, by chunks of batches that do not depend on the threads."""

    def __init__(self, evidence: _Evidence, executor: ThreadPoolExecutor) -> None:
        self._evidence = evidence
        self._executor = executor
        chains = evidence.chains
        ends = np.searchsorted(chains.first, np.linspace(0, len(chains.codes), _MOST_CHUNKS + 1))
        self._chunks = [slice(a, b) for a, b in itertools.pairwise(np.unique(ends))]
        self._mastery = np.empty(len(chains.codes))
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

    def sums(self, parameters: Sequence[FloatArray]) -> _Sums:
        """Give the expected numbers."""
        from inkmark.analytics.tracing import _kernels  # noqa: PLC0415 - numba loads slowly

        start, learn, forget, guess, slip = parameters
        evidence, chains = self._evidence, self._evidence.chains
        rates = np.stack((1 - slip, guess))[:, evidence.code_format]
        rates = np.where(evidence.code_right, rates, 1 - rates) ** evidence.code_weight
        able, unable = np.hstack((rates, np.ones((2, 1))))
        attribute = chains.attribute

        def run(part: slice) -> tuple[float, FloatArray, FloatArray]:
            steps = np.empty((part.stop - part.start, 5))
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
            return value, steps, by_code

        parts = list(self._executor.map(run, self._chunks))
        by_batch = np.concatenate([steps for _, steps, _ in parts])
        steps = np.stack([np.bincount(attribute, column, len(start)) for column in by_batch.T], 1)
        by_code = np.sum([part for _, _, part in parts], axis=0)[:-1]
        by_code += self._regard_several()
        return _Sums(
            np.asarray(steps, dtype=np.float64), by_code, float(sum(value for value, _, _ in parts))
        )

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


def _gather(log: AnswerLog, q: QMatrix, format_of: IntArray, n_formats: int) -> _Evidence:
    """Sort the answers into chains."""
    weights, weight_of = np.unique(log.weight, return_inverse=True)
    n_weights = len(weights)
    codes = (2 * format_of[log.item] + log.right) * n_weights + weight_of
    rows, attributes = needed_by(q, log.item)
    owner = np.repeat(np.arange(len(log.item)), np.diff(rows))
    every_code = np.arange(2 * n_formats * n_weights)
    n_attributes = len(q.attributes)
    return _Evidence(
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
) -> _Chains:
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
    time = np.arange(len(key)) - np.repeat(begins, length)
    slot = np.repeat(origin, length) + time * lanes
    all_codes = np.full(first[-1], no_code, dtype=np.int32)
    all_codes[slot] = codes[order]
    steps = np.zeros(first[-1], dtype=np.uint8)
    steps[slot[:-1]] = (key[1:] == key[:-1]) & (occasion[1:] != occasion[:-1])
    slots = np.empty(len(key), dtype=np.int64)
    slots[order] = slot
    return _Chains(
        first=first[:-1],
        times=times,
        attribute=np.repeat(np.arange(n_attributes), n_batches),
        n_chains=n_chains,
        codes=all_codes,
        steps=steps,
        slots=slots,
    )


def _warnings(model: TracingModel, evidence: _Evidence, stop: Stop) -> tuple[AnalysisWarning, ...]:
    from inkmark.analytics.tracing import _kernels  # noqa: PLC0415 - numba loads slowly

    warnings = []
    if stop is Stop.ITERATIONS:
        warnings.append(
            AnalysisWarning(
                "not-converged",
                "",
                "The estimation stopped before it settled: allow more iterations.",
            )
        )
    stepped = np.bincount(
        np.repeat(evidence.chains.attribute, evidence.chains.times * _kernels.LANES),
        evidence.chains.steps,
        len(model.attributes),
    )
    for k, name in enumerate(model.attributes):
        n, n_right = evidence.n_answers[k], evidence.n_right[k]
        if n == 0:
            code, found = "unmeasured-attribute", f"No answer is on the attribute {name}"
        elif n_right in (0, n):
            word = "wrong" if n_right == 0 else "right"
            code, found = (
                "constant-attribute",
                f"All {n} answers on the attribute {name} are {word}",
            )
        elif stepped[k] == 0:
            code, found = "one-occasion", f"Nobody met the attribute {name} on two occasions"
        else:
            continue
        warnings.append(
            AnalysisWarning(
                code,
                name,
                f"{found}: what the data does not show of it was kept at typical values. "
                "Collect more answers before you trust it.",
            )
        )
    for label, values in (("guess", model.guess), ("slip", model.slip)):
        warnings += [
            AnalysisWarning(
                f"{label}-at-bound",
                model.formats[f],
                f"The {label} of items of the kind {model.formats[f]} would be one half or more: "
                "they say little of mastery. Check their keys and their rows of the Q-matrix.",
            )
            for f in np.flatnonzero(values >= BELOW_HALF)
        ]
    return tuple(warnings)
