"""What a pair agrees on, item by item, for people to judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkmark.analytics.integrity.model import ChoiceArray, CopyScreening
from inkmark.analytics.model import BoolArray, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["MatchRun", "PairEvidence", "pair_evidence"]


@dataclass(frozen=True, slots=True)
class MatchRun:
    """Identical answers to items that follow each other.

    Attributes
    ----------
    first : int
        Index of the first item.
    length : int
    """

    first: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class PairEvidence:
    """One pair of a screening.

    Attributes
    ----------
    rank : int
        Row in the pairs of the screening.
    copier, source : str
        Candidates.
    copier_choice, source_choice, key : (m,) int8
        Options counted from 0, -1 for no answer. Items left out of the screening have -1.
    counted : (m,) bool
        Items that both answered.
    identical : (m,) bool
    chance : (m,) float64
        Probability that the copier, working alone, gives the source's answer; NaN where not
        counted.
    agreeing_candidates : (m,) int64
        How many other candidates gave the source's answer.
    runs : tuple of MatchRun
        The longest first. Items left out of the screening or by one of the two end a run.
    longest_run_p : float
        Chance of a run at least as long as the longest.
    rows_apart, columns_apart : int or None
        In the seating plan; None where they did not sit in one room as far as is known.
    """

    rank: int
    copier: str
    source: str
    copier_choice: ChoiceArray
    source_choice: ChoiceArray
    key: ChoiceArray
    counted: BoolArray
    identical: BoolArray
    chance: FloatArray
    agreeing_candidates: IntArray
    runs: tuple[MatchRun, ...]
    longest_run_p: float
    rows_apart: int | None
    columns_apart: int | None


def pair_evidence(screening: CopyScreening, rank: int) -> PairEvidence:
    """Lay out the answers of one pair.

    Parameters
    ----------
    screening : CopyScreening
    rank : int
        Row in its pairs, 0 for the most unlikely one.

    Returns
    -------
    PairEvidence

    Raises
    ------
    AnalysisError
        There are not so many pairs.
    """
    pairs, answers = screening.pairs, screening.answers
    if not 0 <= rank < len(pairs.copier):
        raise AnalysisError(
            f"The screening has {len(pairs.copier)} pairs and none with rank {rank}. "
            "Give a rank from 0 on."
        )
    a, b = int(pairs.copier[rank]), int(pairs.source[rank])
    mine, theirs = answers.choices[a], answers.choices[b]
    counted = (mine >= 0) & (theirs >= 0)
    identical = counted & (mine == theirs)
    shares = screening.curves.at(np.array([a]))[0]
    chance = np.where(counted, shares[np.arange(len(mine)), theirs], np.nan)
    runs = _runs(identical)
    rows_apart, columns_apart = _apart(screening, a, b)
    return PairEvidence(
        rank,
        answers.candidates[a],
        answers.candidates[b],
        mine,
        theirs,
        np.where(answers.informative, answers.key, np.int8(-1)),
        counted,
        identical,
        chance,
        np.where(theirs >= 0, np.sum(answers.choices == theirs, axis=0) - 1 - identical, 0),
        runs,
        _run_chance(np.nan_to_num(chance), runs[0].length) if runs else 1.0,
        rows_apart,
        columns_apart,
    )


def _runs(identical: BoolArray) -> tuple[MatchRun, ...]:
    """Stretches of True, the longest first."""
    edges = np.diff(np.concatenate([[False], identical, [False]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    runs = [MatchRun(int(i), int(j - i)) for i, j in zip(first, last, strict=True)]
    return tuple(sorted(runs, key=lambda run: (-run.length, run.first)))


def _run_chance(chance: FloatArray, length: int) -> float:
    """Chance of `length` successes in a row somewhere, trials independent.

    The length of the run that is going on is a Markov chain that stops at `length`.
    """
    going, reached = np.zeros(length), 0.0
    going[0] = 1.0
    for p in chance:
        reached += float(going[-1] * p)
        going[1:], going[0] = going[:-1] * p, np.sum(going) * (1 - p)
    return reached


def _apart(screening: CopyScreening, a: int, b: int) -> tuple[int | None, int | None]:
    """Rows and columns between two seats of one room."""
    seats = screening.seats
    if seats is None or not seats.room[a] or seats.room[a] != seats.room[b]:
        return None, None
    return abs(int(seats.row[a] - seats.row[b])), abs(int(seats.column[a] - seats.column[b]))
