"""Answers checked once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkmark.analytics.integrity.model import Answers
from inkmark.analytics.model import AnalysisWarning
from inkmark.errors import AnalysisError

__all__ = ["check_answers", "check_names"]

# Options are counted from 0 to one less.
_MOST_OPTIONS = 26


def check_names(names: Sequence[str] | None, n: int, what: str) -> tuple[str, ...]:
    """Names of candidates or items; 1, 2, 3 ... where none are given."""
    if names is None:
        return tuple(str(number) for number in range(1, n + 1))
    if len(names) != n or len(set(names)) != n:
        raise AnalysisError(
            f"{n} {what} need {n} different names, not {len(set(names))}. "
            "Give each of them a name of its own."
        )
    return tuple(names)


def check_answers(
    choices: npt.ArrayLike,
    key: npt.ArrayLike,
    *,
    candidates: Sequence[str] | None = None,
    items: Sequence[str] | None = None,
) -> tuple[Answers, tuple[AnalysisWarning, ...]]:
    """Check answers to items with one right option.

    Parameters
    ----------
    choices : (n, m) array_like
        Options counted from 0; -1 or NaN for no answer.
    key : (m,) array_like
        The right option of each item.
    candidates, items : sequence of str, optional
        Names, for messages.

    Returns
    -------
    Answers
    tuple of AnalysisWarning
        Items on which all agree, candidates without any answer.

    Raises
    ------
    AnalysisError
        There are not two candidates, a value is not an option, or no item tells candidates
        apart.
    """
    table = np.asarray(choices, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or table.shape[1] == 0:
        raise AnalysisError(
            f"Answers of shape {table.shape} cannot be compared. "
            "Give a table of two candidates (rows) or more by items (columns)."
        )
    n, m = table.shape
    people = check_names(candidates, n, "candidates")
    names = check_names(items, m, "items")
    table = np.where(np.isnan(table), -1, table)
    strange = (table < -1) | (table >= _MOST_OPTIONS) | (table != np.rint(table))
    if np.any(strange):
        row, column = np.argwhere(strange)[0]
        raise AnalysisError(
            f"Item {names[column]}, candidate {people[row]}: {table[row, column]:g} is not an "
            f"option. Options are whole numbers from 0 to {_MOST_OPTIONS - 1}, and -1 stands "
            "for no answer; correct the value."
        )
    right = np.asarray(key, dtype=np.float64)
    whole = right == np.rint(right)
    if right.shape != (m,) or not np.all(whole & (right >= 0) & (right < _MOST_OPTIONS)):
        raise AnalysisError(
            f"The key does not name an option for each of {m} items. Give the right option of "
            "each, counted from 0, and leave out items without one."
        )
    codes = table.astype(np.int8)
    n_answered = np.sum(codes >= 0, axis=0)
    highest = codes.max(axis=0)
    lowest = np.where(codes >= 0, codes, _MOST_OPTIONS).min(axis=0)
    informative = (n_answered > 1) & (highest > lowest)
    if not np.any(informative):
        raise AnalysisError(
            "No item was answered in two ways, so nothing tells candidates apart. Check that "
            "the answers are those of different candidates."
        )
    warnings = [
        AnalysisWarning(
            "constant-item",
            names[item],
            f"Item {names[item]}: all who answered it gave the same answer, or hardly anybody "
            "did. It says nothing about copying and is left out.",
        )
        for item in np.flatnonzero(~informative)
    ]
    warnings += [
        AnalysisWarning(
            "no-answers",
            people[row],
            f"Candidate {people[row]} gave no answer and is compared with nobody.",
        )
        for row in np.flatnonzero(np.all(codes < 0, axis=1))
    ]
    codes[:, ~informative] = -1
    n_options = 1 + max(int(codes.max()), int(right[informative].max()))
    answers = Answers(
        people,
        names,
        codes,
        np.where(informative, right, 0).astype(np.int8),
        n_options,
        informative,
    )
    return answers, tuple(warnings)
