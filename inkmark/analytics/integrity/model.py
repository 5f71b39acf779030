"""What screening for copied answers takes and gives.

Letters in the shapes: n candidates, m items, K options, p pairs, g nodes of curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inkmark.analytics.model import AnalysisWarning, BoolArray, FloatArray, IntArray
from inkmark.analytics.significance import Adjustment

__all__ = [
    "Answers",
    "ChoiceArray",
    "CopyIndex",
    "CopyOptions",
    "CopyPairs",
    "CopyScreening",
    "OptionCurves",
    "Seats",
]

ChoiceArray = npt.NDArray[np.int8]


class CopyIndex(StrEnum):
    """Which probability decides whether a pair is flagged."""

    OMEGA = "omega"
    """All identical answers, given those of the source."""
    GBT = "gbt"
    """All identical answers; the same whoever copied."""
    K = "k"
    """Identical wrong answers, against candidates with about as many wrong answers."""
    M4 = "m4"
    """Identical right and identical wrong answers together; the same whoever copied."""


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How pairs are screened.

    Attributes
    ----------
    index : CopyIndex
        Decides; the others stand beside it.
    adjustment : Adjustment
    level : float
        Pairs with an adjusted p up to this are flagged.
    most_pairs : int
        Of each family of pairs, those with the smallest approximate p of omega, so many,
        are computed exactly; the others cannot be flagged.
    least_items : int
        Pairs with fewer items that both answered are not tested.
    reach : int
        Neighbours sit at most so many rows and so many columns apart.
    """

    index: CopyIndex = CopyIndex.OMEGA
    adjustment: Adjustment = Adjustment.HOLM
    level: float = 0.05
    most_pairs: int = 1000
    least_items: int = 10
    reach: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Seats:
    """Where the candidates sat.

    Attributes
    ----------
    room : tuple of str
        Of each candidate; empty for one whose seat is not known.
    row, column : (n,) int64
        Within the room.
    """

    room: tuple[str, ...]
    row: IntArray
    column: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers to items with one right option, checked.

    Attributes
    ----------
    candidates, items : tuple of str
    choices : (n, m) int8
        Options counted from 0; -1 for no answer.
    key : (m,) int8
        The right option.
    n_options : int
        K, of the item with the most.
    informative : (m,) bool
        Items on which not everybody gave one and the same answer; the others are left out.
    """

    candidates: tuple[str, ...]
    items: tuple[str, ...]
    choices: ChoiceArray
    key: ChoiceArray
    n_options: int
    informative: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class OptionCurves:
    """How probable each option is for each candidate who answers the item.

    Curves stand at g nodes, of a score or of an ability; between them they are straight.

    Attributes
    ----------
    shares : (g, m, K) float64
        Probability of each option at each node; a row of options adds up to 1.
    position : (n,) float64
        Where each candidate stands, from 0 for the first node to g - 1 for the last.
    """

    shares: FloatArray
    position: FloatArray

    def at(self, rows: IntArray) -> FloatArray:
        """Probabilities of some candidates, (r, m, K).

        Parameters
        ----------
        rows : (r,) int64
        """
        position = self.position[rows]
        below = np.minimum(position.astype(np.int64), max(len(self.shares) - 2, 0))
        weight = (position - below)[:, None, None]
        above = np.minimum(below + 1, len(self.shares) - 1)
        return np.asarray((1 - weight) * self.shares[below] + weight * self.shares[above])


@dataclass(frozen=True, slots=True, eq=False)
class CopyPairs:
    """Ordered pairs, the smallest deciding p first.

    Every index is about the items that both answered. Its p is the chance of at least such
    agreement between two who worked on their own.

    Attributes
    ----------
    copier, source : (p,) int64
        Rows of the candidates. Agreement alone does not tell who copied from whom; the names
        say for whom it was computed.
    neighbours : (p,) bool
        Whether they sat next to each other.
    n_items : (p,) int64
        Items that both answered.
    right, wrong : (p,) int64
        Identical right, identical wrong answers.
    expected : (p,) float64
        Identical answers expected of the copier, given those of the source.
    omega : (p,) float64
        How many standard deviations more there are.
    omega_p : (p,) float64
        Exact tail of the number of identical answers, given those of the source.
    gbt_p : (p,) float64
        Exact tail of the generalised binomial test.
    k_p : (p,) float64
        K-index; NaN where the source has no wrong answer or there is nobody to compare with.
    m4_p : (p,) float64
        Exact tail of M4.
    p : (p,) float64
        The one that decides.
    adjusted_p : (p,) float64
        Within the family: neighbours, or all other pairs.
    flagged : (p,) bool
    """

    copier: IntArray
    source: IntArray
    neighbours: BoolArray
    n_items: IntArray
    right: IntArray
    wrong: IntArray
    expected: FloatArray
    omega: FloatArray
    omega_p: FloatArray
    gbt_p: FloatArray
    k_p: FloatArray
    m4_p: FloatArray
    p: FloatArray
    adjusted_p: FloatArray
    flagged: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class CopyScreening:
    """All pairs of some candidates, screened for copied answers.

    Attributes
    ----------
    answers : Answers
    curves : OptionCurves
    seats : Seats or None
    options : CopyOptions
    n_neighbours, n_others : int
        Ordered pairs tested: of neighbours, and all others. Each is a family of its own.
    pairs : CopyPairs
        Those computed exactly.
    screen_p : float
        Pairs that are not among them have an approximate p of omega above this; 1 where
        there are no others.
    warnings : tuple of AnalysisWarning
    """

    answers: Answers
    curves: OptionCurves
    seats: Seats | None
    options: CopyOptions
    n_neighbours: int
    n_others: int
    pairs: CopyPairs
    screen_p: float
    warnings: tuple[AnalysisWarning, ...]
