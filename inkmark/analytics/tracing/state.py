"""Mastery of candidates over time, answer by answer; nothing is fitted anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.model import QMatrix
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.analytics.tracing.model import AnswerLog, TracingModel, TracingState
from inkmark.errors import AnalysisError

__all__ = [
    "Traced",
    "check_items",
    "needed_by",
    "start_state",
    "trace_log",
    "update_state",
]


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """Candidates after a log of answers.

    Attributes
    ----------
    attributes : tuple of str
    mastery : (n, k) float64
        Probability of mastering each attribute after the candidate's last answer.
    seen : (n, k) int64
        Answers on it; where 0, mastery is that of the start.
    expected : (r,) float64
        Probability of a right answer that each answer of the log had before it was given.
    log_likelihood : float
        Of each answer given those before, by its weight.
    """

    attributes: tuple[str, ...]
    mastery: FloatArray
    seen: IntArray
    expected: FloatArray
    log_likelihood: float


def _usual_formats(q: QMatrix) -> tuple[str, ...]:
    """Name the kind of each item by the attributes that it needs, joined by ``+``."""
    names = np.array(q.attributes, dtype=object)
    return tuple("+".join(names[needs]) for needs in q.needs)


def needed_by(q: QMatrix, item: IntArray) -> tuple[IntArray, IntArray]:
    """List the attributes of answers one behind the other.

    Parameters
    ----------
    q : QMatrix
    item : (r,) int64

    Returns
    -------
    rows : (r + 1,) int64
        First place of each answer.
    attributes : (e,) int64
    """
    of_item, attribute = np.nonzero(q.needs)
    first = np.searchsorted(of_item, np.arange(len(q.items) + 1))
    n_needed = np.diff(first)[item]
    rows = np.concatenate(([0], np.cumsum(n_needed)))
    places = np.arange(rows[-1]) + np.repeat(first[item] - rows[:-1], n_needed)
    return rows, attribute[places]


def trace_log(
    model: TracingModel, log: AnswerLog, q: QMatrix, formats: Sequence[str] | None = None
) -> Traced:
    """Follow candidates through a log.

    Parameters
    ----------
    model : TracingModel
    log : AnswerLog
    q : QMatrix
        Of the items of the log, with the attributes of the model.
    formats : sequence of str, optional
        Kind of each item; by default as in `fit_tracing`.

    Returns
    -------
    Traced

    Raises
    ------
    AnalysisError
        Attributes or formats that the model has not, or items that the Q-matrix has not.
    """
    n_candidates = int(log.candidate.max()) + 1 if len(log.candidate) else 0
    mastery = np.tile(model.start, (n_candidates, 1))
    seen = np.zeros(mastery.shape, dtype=np.int64)
    return _advance(model, log, q, formats, (mastery, seen))


def start_state(model: TracingModel) -> TracingState:
    """Give the state of a candidate who has not answered anything.

    Parameters
    ----------
    model : TracingModel

    Returns
    -------
    TracingState
    """
    return TracingState(model.start.copy(), np.zeros(len(model.start), dtype=np.int64))


def update_state(
    model: TracingModel,
    state: TracingState,
    needs: npt.ArrayLike,
    right: npt.ArrayLike,
    *,
    formats: Sequence[str] | None = None,
    weight: npt.ArrayLike | float = 1.0,
) -> TracingState:
    """Take a new exam or homework of one candidate into the state.

    The time it takes depends on these answers alone, not on those before.

    Parameters
    ----------
    model : TracingModel
    state : TracingState
        Before it.
    needs : (j, k) array_like of 0 and 1
        Attributes that each item answered needs, in the order of the model.
    right : (j,) array_like
        1 right, 0 wrong.
    formats : sequence of str, optional
        Kind of each item; by default as in `fit_tracing`.
    weight : float or (j,) array_like
        See `AnswerLog`.

    Returns
    -------
    TracingState

    Raises
    ------
    AnalysisError
        As of `AnswerLog.of` and `trace_log`.
    """
    q = QMatrix.of(np.asarray(needs), attributes=model.attributes)
    n = len(q.items)
    log = AnswerLog.of(np.zeros(n), np.arange(n), right, occasion=np.zeros(n), weight=weight)
    before = state.mastery[None].copy(), state.seen[None].copy()
    traced = _advance(model, log, q, formats, before)
    return TracingState(traced.mastery[0], traced.seen[0])


def _advance(
    model: TracingModel,
    log: AnswerLog,
    q: QMatrix,
    formats: Sequence[str] | None,
    start: tuple[FloatArray, IntArray],
) -> Traced:
    """Bring mastery and answers seen (n, k), which are overwritten, up to date."""
    from inkmark.analytics.tracing import _kernels  # noqa: PLC0415 - numba loads slowly

    if q.attributes != model.attributes:
        raise AnalysisError(
            "The Q-matrix and the model differ in their attributes. Give the items the "
            f"attributes {', '.join(model.attributes)}, in this order."
        )
    place = {name: f for f, name in enumerate(model.formats)}
    kinds = check_items(log, q, formats)
    unknown = sorted({kinds[j] for j in np.flatnonzero(np.bincount(log.item))} - set(place))
    if unknown:
        raise AnalysisError(
            f"The model knows no guess and slip of items of the kind {', '.join(unknown)}. Fit "
            "it with such items, or name a kind that it knows."
        )
    format_of = np.array([place.get(name, 0) for name in kinds], dtype=np.int64)[log.item]
    rows, attributes = needed_by(q, log.item)
    mastery, seen = start
    expected = np.empty(len(log.item))
    log_likelihood = _kernels.trace(
        log.candidate,
        rows,
        attributes,
        log.occasion,
        (1 - model.slip)[format_of],
        model.guess[format_of],
        log.right,
        log.weight,
        model.learn,
        model.forget,
        mastery,
        seen,
        np.full(mastery.shape, -1),
        expected,
    )
    return Traced(model.attributes, mastery, seen, expected, float(log_likelihood))


def check_items(log: AnswerLog, q: QMatrix, formats: Sequence[str] | None) -> tuple[str, ...]:
    """Give the kind of each item, and refuse items that cannot be traced.

    Parameters
    ----------
    log : AnswerLog
    q : QMatrix
    formats : sequence of str or None

    Returns
    -------
    tuple of str
        One an item.

    Raises
    ------
    AnalysisError
        Items that the Q-matrix has not or that need no attribute, formats that do not fit.
    """
    if len(log.item) and log.item.max() >= len(q.items):
        raise AnalysisError(
            f"The log has an answer to item {log.item.max()}, and the Q-matrix has "
            f"{len(q.items)} items, from 0. Add the item to it."
        )
    bare = [name for j, name in enumerate(q.items) if not q.needs[j].any()]
    if bare:
        raise AnalysisError(
            f"Items {', '.join(bare[:10])} need no attribute. Enter in the Q-matrix what they "
            "need, or leave their answers out."
        )
    if formats is None:
        return _usual_formats(q)
    if len(formats) != len(q.items):
        raise AnalysisError(
            f"There are kinds for {len(formats)} items and {len(q.items)} items. Give one kind "
            "for each item."
        )
    return tuple(formats)
