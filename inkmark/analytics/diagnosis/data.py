"""Responses made ready for estimation: checked once, what cannot be used named and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.model import DiagnosisFit, QMatrix
from inkmark.analytics.model import AnalysisWarning, BoolArray, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["Blocks", "Usable", "as_answers", "known_answers", "make_blocks", "usable_part"]

BLOCK = 5
"""Items in a block: up to 2**5 table rows where nobody left an item out, few enough for the
processor's nearest caches."""


@dataclass(frozen=True, slots=True, eq=False)
class Usable:
    """The part of the data that can be analysed.

    Attributes
    ----------
    q : QMatrix
        Of the items and attributes that are left.
    columns : (m,) int64
        Their columns in the responses.
    answers : (n, m) int8
        1 right, 0 wrong, -1 none; of candidates with an answer at least.
    warnings : tuple of AnalysisWarning
    """

    q: QMatrix
    columns: IntArray
    answers: npt.NDArray[np.int8]
    warnings: tuple[AnalysisWarning, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Answers by blocks of items: see the kernels.

    Attributes
    ----------
    codes : (n, b) uint16
        The answers of a candidate to the items of a block, as a row of the block.
    first : (b + 1,) int64
        First row of each block.
    answers : (r, w) int8
        What each row stands for: 1 right, 0 wrong, -1 none.
    item : (r,) int64
        Item of the first column of `answers`.
    """

    codes: npt.NDArray[np.uint16]
    first: IntArray
    answers: npt.NDArray[np.int8]
    item: IntArray


def as_answers(responses: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Turn responses into small whole numbers.

    Parameters
    ----------
    responses : (n, m) array_like
        Whole numbers; NaN where there is none.

    Returns
    -------
    (n, m) int8
        1 and 0 as they are, -1 for none, -2 for any other value.

    Raises
    ------
    AnalysisError
        Not a table of numbers.
    """
    table: FloatArray = np.asarray(responses, dtype=np.float64)
    if table.ndim != 2:
        raise AnalysisError(
            f"Responses are a table of candidates by items, not of {table.ndim} dimensions. "
            "Give a row a candidate."
        )
    answers = np.full(table.shape, -2, dtype=np.int8)
    answers[table == 0] = 0
    answers[table == 1] = 1
    answers[np.isnan(table)] = -1
    return answers


def known_answers(fit: DiagnosisFit, responses: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Read responses for a fitted model.

    Parameters
    ----------
    fit : DiagnosisFit
    responses : (n, m) array_like
        Of the items that the fit was given: 1 right, 0 wrong, NaN none.

    Returns
    -------
    (n, m) int8
        Of the items of the model: 1 right, 0 wrong, -1 none.

    Raises
    ------
    AnalysisError
        Another number of items, or values other than 0 and 1 in items of the model.
    """
    answers = as_answers(responses)
    if answers.shape[1] != fit.n_columns:
        raise AnalysisError(
            f"The model was fitted to {fit.n_columns} items, and the responses have "
            f"{answers.shape[1]}. Give a column for each of them, NaN where there is no answer."
        )
    answers = answers[:, fit.columns]
    faulty = (answers == -2).any(axis=0)
    if faulty.any():
        names = [item for item, bad in zip(fit.q.items, faulty, strict=True) if bad]
        raise AnalysisError(
            f"Items {', '.join(names)} have values other than 0 and 1. Say from how many points "
            "on they count as solved."
        )
    return answers


def usable_part(responses: npt.ArrayLike, q: QMatrix) -> Usable:
    """Leave out what cannot be analysed, and say what and why.

    Parameters
    ----------
    responses : (n, m) array_like
        1 right, 0 wrong, NaN none.
    q : QMatrix
        Of the m items.

    Returns
    -------
    Usable

    Raises
    ------
    AnalysisError
        Nothing is left, or the shapes do not fit.
    """
    answers = as_answers(responses)
    if answers.shape[1] != len(q.items):
        raise AnalysisError(
            f"There are responses to {answers.shape[1]} items, and the Q-matrix has "
            f"{len(q.items)}. Give it a row for each item."
        )
    warnings = _item_warnings(answers, q)
    left_out = {warning.subject for warning in warnings}
    keep = np.array([item not in left_out for item in q.items], dtype=bool)
    measured = q.needs[keep].any(axis=0)
    warnings += [
        AnalysisWarning(
            "unmeasured-attribute",
            name,
            f"No usable item needs the attribute {name}: nothing can be said about it, and it "
            "was left out. Add items that need it.",
        )
        for name in _names(q.attributes, ~measured)
    ]
    answers = answers[:, keep]
    answered = (answers >= 0).any(axis=1)
    if not answered.any():
        raise AnalysisError(
            "No item is left to diagnose by: each is constant, has no answers, has values other "
            "than 0 and 1, or needs no attribute. " + " ".join(w.message for w in warnings[:3])
        )
    if not answered.all():
        rows = np.flatnonzero(~answered)
        warnings.append(
            AnalysisWarning(
                "no-answers",
                ", ".join(str(row + 1) for row in rows[:10]) + ", ..." * (len(rows) > 10),
                f"{len(rows)} candidates (by row) have no answer to any usable item: they were "
                "left out, and have no profile.",
            )
        )
    part = QMatrix(
        _names(q.items, keep), _names(q.attributes, measured), q.needs[keep][:, measured]
    )
    if len(part.attributes) > len(part.items):
        warnings.append(
            AnalysisWarning(
                "more-attributes-than-items",
                "",
                f"{len(part.attributes)} attributes and {len(part.items)} items: profiles cannot "
                "be told apart. Join attributes or add items.",
            )
        )
    return Usable(part, np.flatnonzero(keep), answers[answered], tuple(warnings))


def _names(names: Sequence[str], keep: BoolArray) -> tuple[str, ...]:
    return tuple(name for name, kept in zip(names, keep, strict=True) if kept)


def _item_warnings(answers: npt.NDArray[np.int8], q: QMatrix) -> list[AnalysisWarning]:
    """Find the items that say nothing."""
    warnings = []
    any_right, any_wrong = (answers == 1).any(axis=0), (answers == 0).any(axis=0)
    for j, item in enumerate(q.items):
        other = np.flatnonzero(answers[:, j] == -2)
        if len(other):
            code = "not-right-or-wrong"
            reason = (
                f"has values other than 0 and 1 ({len(other)} candidates, row {other[0] + 1} the "
                "first)"
            )
            remedy = "Say from how many points on it counts as solved."
        elif not q.needs[j].any():
            code, reason = "no-attribute", "needs no attribute"
            remedy = "Enter in the Q-matrix what it needs."
        elif not (any_right[j] or any_wrong[j]):
            code, reason, remedy = "no-responses", "has no answers", "Check its column."
        elif not (any_right[j] and any_wrong[j]):
            solved = "everyone" if any_right[j] else "no one"
            code, reason = "constant-item", f"was solved by {solved} who took it"
            remedy = "It tells nobody apart in this cohort."
        else:
            continue
        warnings.append(
            AnalysisWarning(code, item, f"Item {item} {reason} and was left out. {remedy}")
        )
    return warnings


def make_blocks(answers: npt.NDArray[np.int8]) -> Blocks:
    """Code the answers by blocks of items.

    Parameters
    ----------
    answers : (n, m) int8
        1 right, 0 wrong, -1 none.

    Returns
    -------
    Blocks
    """
    n_candidates, n_items = answers.shape
    codes = np.empty((n_candidates, -(-n_items // BLOCK)), dtype=np.uint16)
    powers = 3 ** np.arange(BLOCK)
    first, rows, items = [0], [], []
    for b, item in enumerate(range(0, n_items, BLOCK)):
        part = answers[:, item : item + BLOCK]
        whole = np.zeros(n_candidates, dtype=np.int64)
        for offset in range(part.shape[1]):
            whole += (part[:, offset] + 1) * powers[offset]
        used = np.flatnonzero(np.bincount(whole, minlength=3**BLOCK))
        place = np.zeros(3**BLOCK, dtype=np.uint16)
        place[used] = np.arange(len(used))
        codes[:, b] = place[whole]
        digits = (used[:, None] // powers % 3 - 1).astype(np.int8)
        digits[:, part.shape[1] :] = -1
        rows.append(digits)
        items += [item] * len(used)
        first.append(first[-1] + len(used))
    return Blocks(codes, np.array(first), np.concatenate(rows), np.array(items, dtype=np.int64))
