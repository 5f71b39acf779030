"""What the methods of differential item functioning share: two groups and a matching score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._responses import item_names
from inkmark.analytics.model import AnalysisWarning, BoolArray, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = [
    "Comparison",
    "DifClass",
    "Stratified",
    "compare",
    "not_compared",
    "purified",
    "strata_of",
]

# Rounds of leaving items out of the matching score.
_ROUNDS = 10
T = TypeVar("T")


class DifClass(StrEnum):
    """How much an item favours one of two groups of equal ability."""

    NEGLIGIBLE = "A"
    MODERATE = "B"
    LARGE = "C"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Scores of two groups, checked.

    Attributes
    ----------
    items : tuple of str
    scores : (n, m) float64
        NaN where there is none.
    groups : (str, str)
        Labels of the reference group and of the focal group.
    focal : (n,) bool
    matching : (n,) float64 or None
        Where the total score is not to be used.
    """

    items: tuple[str, ...]
    scores: FloatArray
    groups: tuple[str, str]
    focal: BoolArray
    matching: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class Stratified:
    """An item's candidates by what they are matched on.

    Attributes
    ----------
    stratum : (r,) int64
        Place of each candidate's matching score among those that occur.
    score : (r,) float64
        On the item.
    focal : (r,) bool
    levels : (s,) float64
        Matching scores that occur, rising.
    """

    stratum: IntArray
    score: FloatArray
    focal: BoolArray
    levels: FloatArray

    @property
    def is_comparable(self) -> bool:
        """Whether both groups have candidates, and they do not all score alike."""
        return bool(
            len(self.score)
            and self.focal.any()
            and not self.focal.all()
            and self.score.min() < self.score.max()
        )


def compare(
    scores: npt.ArrayLike,
    groups: npt.ArrayLike,
    reference: str,
    matching: npt.ArrayLike | None,
    names: Sequence[str] | None,
) -> Comparison:
    """Check the scores of two groups.

    Parameters
    ----------
    scores : (n, m) array_like
    groups : (n,) array_like
        Labels, two different ones.
    reference : str
        Label of the reference group.
    matching : (n,) array_like or None
    names : sequence of str or None

    Raises
    ------
    AnalysisError
        There are not two groups, or shapes do not fit.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or np.isinf(table).any():
        raise AnalysisError(
            f"Scores of shape {table.shape} cannot be compared. Give a table of candidates (rows) "
            "by items (columns) with finite numbers, NaN for no response."
        )
    labels = np.asarray(groups).astype(str)
    found = sorted(set(labels.reshape(-1).tolist()))
    if labels.shape != table.shape[:1] or len(found) != 2 or reference not in found:
        raise AnalysisError(
            f"{len(table)} candidates of the groups {', '.join(found[:5])} cannot be compared "
            f"with {reference}. Give a label each, two different ones in all, one of them the "
            "reference."
        )
    matched = None if matching is None else np.asarray(matching, dtype=np.float64)
    if matched is not None and (matched.shape != labels.shape or np.isinf(matched).any()):
        raise AnalysisError(
            f"{len(table)} candidates need as many finite matching scores, not an array of shape "
            f"{matched.shape}. Give one each, NaN for none."
        )
    other = found[1 - found.index(reference)]
    items = item_names(names, table.shape[1])
    return Comparison(items, table, (reference, other), labels == other, matched)


def strata_of(data: Comparison, item: int, kept: BoolArray) -> Stratified:
    """Candidates of an item by their matching scores.

    Parameters
    ----------
    data : Comparison
    item : int
    kept : (m,) bool
        Items that count for the total score; the item itself always does, as leaving it out
        makes equal items look unequal (Holland & Thayer 1988). Candidates need a response to
        each of them.
    """
    own = data.scores[:, item]
    if data.matching is None:
        counted = kept.copy()
        counted[item] = True
        total = data.scores[:, counted].sum(axis=1)
    else:
        total = data.matching
    rows = ~np.isnan(own + total)
    # Sums of the same points in another order may differ in their last digits.
    levels, stratum = np.unique(np.round(total[rows], 9), return_inverse=True)
    return Stratified(stratum.astype(np.int64), own[rows], data.focal[rows], levels)


def purified(
    data: Comparison,
    measure: Callable[[BoolArray], T],
    classes: Callable[[T], Sequence[DifClass | None]],
    purify: bool,
) -> tuple[T, BoolArray]:
    """Measure all items, leaving out of the matching score those that favour a group.

    Parameters
    ----------
    data : Comparison
    measure : callable
        Given the items that count for the total score.
    classes : callable
        Of what was measured.
    purify : bool
        Whether to repeat it until the same items stand out.

    Returns
    -------
    measured, (m,) bool
        The last measure, and which items counted.
    """
    kept = np.ones(len(data.items), dtype=bool)
    result = measure(kept)
    for _ in range(_ROUNDS if purify and data.matching is None else 0):
        clean = np.array(
            [found in (None, DifClass.NEGLIGIBLE) for found in classes(result)], dtype=bool
        )
        if not clean.any() or np.array_equal(clean, kept):
            break
        kept = clean
        result = measure(kept)
    return result, kept


def not_compared(data: Comparison, known: BoolArray) -> tuple[AnalysisWarning, ...]:
    """One warning for each item that could not be compared."""
    return tuple(
        AnalysisWarning(
            "not-compared",
            name,
            f"Item {name}: too few candidates of both groups can be matched, or their scores do "
            "not differ, so the groups cannot be compared on it. Match on something else, or "
            "analyse more papers together.",
        )
        for name, is_known in zip(data.items, known, strict=True)
        if not is_known
    )
