"""Fitting of Bayesian knowledge tracing to a log of answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from inkmark.analytics.acceleration import Stop, accelerate
from inkmark.analytics.diagnosis.model import QMatrix
from inkmark.analytics.diagnosis.standard_errors import inverse_information
from inkmark.analytics.model import AnalysisWarning, FloatArray
from inkmark.analytics.tracing.evidence import Evidence, Expectation, Sums, gather
from inkmark.analytics.tracing.model import AnswerLog, TracingFit, TracingModel, TracingOptions
from inkmark.analytics.tracing.state import check_items, trace_log
from inkmark.errors import AnalysisError

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["fit_tracing"]

BELOW_HALF = 0.499
"""The most that guess and slip may be: from one half on, a right answer would speak against
mastery or a wrong one for it (Baker, Corbett & Aleven 2008)."""

_LEAST = 1e-6
_TYPICAL = {"start": 0.5, "learn": 0.2, "forget": 0.02, "guess": 0.2, "slip": 0.1}
_DEFAULT = TracingOptions()


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
    evidence = gather(log, q, format_of, len(names))
    n_attributes, n_formats = len(q.attributes), len(names)
    layout = _Parameters(n_attributes, n_formats, options)
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        expectation = Expectation(evidence, executor)

        def em_step(state: FloatArray) -> tuple[FloatArray, float]:
            sums = expectation.sums(layout.split(state))
            return layout.update(sums, evidence), sums.log_likelihood + layout.penalty(state)

        def mend(state: FloatArray, fallback: FloatArray) -> FloatArray:
            # With several attributes an answer, a step rests on the one before it: none longer.
            return fallback if expectation.rests_on_last else layout.mend(state, fallback)

        state, stop, n_iterations = accelerate(
            em_step, mend, layout.typical, options.tolerance, options.max_iterations
        )
        sums = expectation.sums(layout.split(state))
        errors = layout.standard_errors(expectation.scores(layout.split(state), log), state)
        exact = not expectation.rests_on_last
    start, learn, forget, guess, slip = layout.split(state)
    start_se, learn_se, forget_se, guess_se, slip_se = layout.split(errors)
    model = TracingModel(q.attributes, start, learn, forget, names, guess, slip)
    return TracingFit(
        model=model,
        q=q,
        start_se=start_se,
        learn_se=learn_se,
        forget_se=forget_se,
        guess_se=guess_se,
        slip_se=slip_se,
        log_likelihood=(
            sums.log_likelihood if exact else trace_log(model, log, q, formats).log_likelihood
        ),
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

    def update(self, sums: Sums, evidence: Evidence) -> FloatArray:
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

    def standard_errors(self, scores: sparse.csr_array, state: FloatArray) -> FloatArray:
        """Give standard errors from the scores (n, p) of candidates."""
        inside = (state > 10 * _LEAST) & (state < self._most - _LEAST)
        information = (scores.T @ scores).toarray()[np.ix_(inside, inside)]
        errors = np.full(len(state), np.nan)
        errors[inside] = np.sqrt(np.diag(inverse_information(information)))
        return errors

    def penalty(self, state: FloatArray) -> float:
        """Give the logarithm of the prior, up to a constant."""
        free = self._most > 0
        value, typical = state[free], self.typical[free]
        logs = typical * np.log(value) + (1 - typical) * np.log1p(-value)
        return float(self._prior * logs.sum())


def _warnings(model: TracingModel, evidence: Evidence, stop: Stop) -> tuple[AnalysisWarning, ...]:
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
