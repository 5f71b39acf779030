"""Graded scores (等级赋分): raw scores by rank into levels, and within a level to its interval.

Schemes are dated data (``data/grade_schemes.json``), since they change from year to year: an
office checks its own against them and may give another. What a scheme leaves open, such as
which score a share of candidates ends at, is a rule of the caller. Formulas and worked
examples: docs/statistics.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib import resources
from itertools import pairwise
from math import floor

import numpy as np
import numpy.typing as npt

from inkmark.analytics.model import FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = [
    "Degenerate",
    "Ends",
    "GradeRules",
    "GradeScheme",
    "GradedScores",
    "Level",
    "Lost",
    "Proximity",
    "grade_schemes",
    "graded_scores",
]


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a scheme.

    Attributes
    ----------
    name : str
    percent : Decimal
        Share of the candidates.
    low, high : int
        Interval of the graded scores; one point where both are the same.
    """

    name: str
    percent: Decimal
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class GradeScheme:
    """Levels, the highest first.

    Attributes
    ----------
    id : str
    title : tuple of (str, str)
        In Chinese and in English.
    since : str
        Year of the first exam that was graded by it.
    levels : tuple of Level
    """

    id: str
    title: tuple[str, str]
    since: str
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        """Check the levels.

        Raises
        ------
        AnalysisError
            If the shares do not add up to 100, or intervals overlap or are upside down.
        """
        if not self.levels or sum(level.percent for level in self.levels) != 100:
            raise AnalysisError(f"The shares of scheme {self.id} do not add up to 100. Correct it.")
        ends = [end for level in self.levels for end in (level.high, level.low)]
        falls = all(a >= b for a, b in pairwise(ends))
        apart = all(a.low > b.high for a, b in pairwise(self.levels))
        if not (falls and apart) or any(level.percent < 0 for level in self.levels):
            raise AnalysisError(
                f"The levels of scheme {self.id} overlap or are not in order. Give the highest "
                "first, each with its lowest and highest graded score."
            )


class Proximity(StrEnum):
    """Which score a level ends at, where no score has just the share that is wanted."""

    UPPER_MIN = "upper_min"
    """The first at which the share is reached: at least as many candidates."""

    LOWER_MAX = "lower_max"
    """The last at which it is not passed: at most as many."""

    NEAR_MAX = "near_max"
    """The nearest; of two equally near ones that with more candidates."""

    NEAR_MIN = "near_min"
    """The nearest; of two equally near ones that with fewer candidates."""


class Ends(StrEnum):
    """Where a level's interval of raw scores ends."""

    REAL = "real"
    """At the highest and the lowest score that somebody has."""

    DEFINED = "defined"
    """As well, but the highest level at the full mark and the lowest at zero."""


class Degenerate(StrEnum):
    """The graded score of a level in which all have one raw score."""

    MAX = "max"
    MIN = "min"
    MEAN = "mean"


class Lost(StrEnum):
    """What becomes of a level that no score is left for, as one score fills several."""

    SKIP = "skip"
    """Nobody gets it."""

    TAKE_NEXT = "take_next"
    """It gets the next lower score, as far as there is one."""


@dataclass(frozen=True, slots=True)
class GradeRules:
    """What a scheme leaves open.

    Attributes
    ----------
    proximity : Proximity
    cumulative : bool
        Whether shares are counted from the end of the scale (as the percentages add up), or
        for each level from where the one before really ended.
    ascending : bool
        Whether levels are filled from the lowest score upwards.
    ends : Ends
    degenerate : Degenerate
    lost : Lost
    """

    proximity: Proximity = Proximity.UPPER_MIN
    cumulative: bool = True
    ascending: bool = False
    ends: Ends = Ends.REAL
    degenerate: Degenerate = Degenerate.MAX
    lost: Lost = Lost.SKIP


@dataclass(frozen=True, slots=True, eq=False)
class GradedScores:
    """The graded scores of one subject.

    Attributes
    ----------
    scheme : GradeScheme
    rules : GradeRules
    n : int
        Candidates with a score: the base of the shares.
    level : (n,) int64
        Position in the scheme, 0 the highest; -1 without a score.
    graded : (n,) float64
        Whole points; NaN without a score.
    raw_low, raw_high : (l,) float64
        Interval of raw scores that each level was stretched from; NaN where it is empty.
    counts : (l,) int64
        Candidates in each level.
    """

    scheme: GradeScheme
    rules: GradeRules
    n: int
    level: IntArray
    graded: FloatArray
    raw_low: FloatArray
    raw_high: FloatArray
    counts: IntArray = field(repr=False)


@cache
def grade_schemes() -> dict[str, GradeScheme]:
    """Give the schemes that come with inkmark, by id."""
    data = resources.files("inkmark.analytics").joinpath("data/grade_schemes.json")
    return {
        entry["id"]: GradeScheme(
            entry["id"],
            (entry["title"]["zh"], entry["title"]["en"]),
            entry["since"],
            tuple(
                Level(str(name), Decimal(str(percent)), low, high)
                for name, percent, low, high in entry["levels"]
            ),
        )
        for entry in json.loads(data.read_text("utf-8"))["schemes"]
    }


def graded_scores(
    scores: npt.ArrayLike,
    scheme: GradeScheme,
    rules: GradeRules | None = None,
    *,
    full: Decimal | None = None,
) -> GradedScores:
    """Turn raw scores into graded ones.

    Within a level of raw scores Y₁ to Y₂ and graded ones T₁ to T₂ a raw score Y becomes
    T₁ + (Y - Y₁)(T₂ - T₁) / (Y₂ - Y₁), rounded half up, with exact fractions.

    Parameters
    ----------
    scores : (n,) array of float
        Raw scores with at most two decimals; NaN for candidates that do not count (有效成绩).
    scheme : GradeScheme
    rules : GradeRules, optional
    full : Decimal, optional
        Full mark; needed where the rules say that the highest level begins there.

    Returns
    -------
    GradedScores

    Raises
    ------
    AnalysisError
        If a full mark is needed and missing, or a score is above it or below zero.
    """
    rules = rules or GradeRules()
    values = np.asarray(scores, dtype=np.float64)
    has = ~np.isnan(values)
    points, place, counts = np.unique(
        np.rint(values[has] * 100).astype(np.int64), return_inverse=True, return_counts=True
    )
    if rules.ends is Ends.DEFINED:
        top = -1 if full is None else int(full * 100)
        if full is None or (points.size and not 0 <= points[0] <= points[-1] <= top):
            raise AnalysisError(
                "Levels that end at zero and at the full mark need the full mark, and scores "
                "within. Give it, or let them end at the scores that occur."
            )
    level_of_point = _levels_of(counts.tolist(), scheme, rules)
    graded_of_point = np.full(points.size, np.nan)
    n_levels = len(scheme.levels)
    raw_low, raw_high = np.full(n_levels, np.nan), np.full(n_levels, np.nan)
    for k, level in enumerate(scheme.levels):
        own = np.flatnonzero(level_of_point == k)
        if own.size == 0:
            continue
        low, high = int(points[own[0]]), int(points[own[-1]])
        if rules.ends is Ends.DEFINED and full is not None:
            low = 0 if k == n_levels - 1 else low
            high = int(full * 100) if k == 0 else high
        raw_low[k], raw_high[k] = low / 100, high / 100
        for point in own.tolist():
            graded_of_point[point] = _graded(int(points[point]), low, high, level, rules)
    levels, graded = np.full(values.shape, -1, np.int64), np.full(values.shape, np.nan)
    levels[has], graded[has] = level_of_point[place], graded_of_point[place]
    return GradedScores(
        scheme,
        rules,
        int(has.sum()),
        levels,
        graded,
        raw_low,
        raw_high,
        np.bincount(levels[has], minlength=n_levels),
    )


def _levels_of(counts: Sequence[int], scheme: GradeScheme, rules: GradeRules) -> IntArray:
    """Share out the score points, lowest first with their candidates, over the levels."""
    order = list(range(len(counts))) if rules.ascending else list(range(len(counts)))[::-1]
    levels = list(range(len(scheme.levels)))
    if rules.ascending:
        levels.reverse()
    n = sum(counts)
    reached = [0]  # candidates up to and with each point, in the order of filling
    for point in order:
        reached.append(reached[-1] + counts[point])
    out = np.full(len(counts), levels[-1], dtype=np.int64)
    start, wanted = 0, Fraction(0)
    for k in levels[:-1]:
        share = n * Fraction(scheme.levels[k].percent) / 100
        wanted = wanted + share if rules.cumulative else reached[start] + share
        end = max(start, _end(reached, wanted, rules.proximity))
        if end == start and rules.lost is Lost.TAKE_NEXT and share > 0:
            end = min(start + 1, len(order))
        out[order[start:end]] = k
        start = end
    return out


def _end(reached: Sequence[int], wanted: Fraction, proximity: Proximity) -> int:
    """How many points are filled for as many candidates as are wanted."""
    over = next((i for i, n in enumerate(reached) if n >= wanted), len(reached) - 1)
    under = over if reached[over] == wanted else max(over - 1, 0)
    if proximity is Proximity.UPPER_MIN:
        return over
    if proximity is Proximity.LOWER_MAX:
        return under
    beyond, short = reached[over] - wanted, wanted - reached[under]
    if beyond == short:
        return over if proximity is Proximity.NEAR_MAX else under
    return over if beyond < short else under


def _graded(score: int, low: int, high: int, level: Level, rules: GradeRules) -> int:
    if low == high:
        exact = {
            Degenerate.MAX: Fraction(level.high),
            Degenerate.MIN: Fraction(level.low),
            Degenerate.MEAN: Fraction(level.high + level.low, 2),
        }[rules.degenerate]
    else:
        exact = level.low + Fraction((score - low) * (level.high - level.low), high - low)
    return floor(exact + Fraction(1, 2))
