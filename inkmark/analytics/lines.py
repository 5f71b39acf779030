"""Lines and effective scores (上线, 有效分): who reaches a total line, and in which subjects.

A line for the total gives a line for each subject; candidates are then counted by whether
they reach the total line, the subject's, or both. Scores are compared in whole hundredths of
points. The names of contribution and hit rate are used the other way round by some, so a
report prints the formulas with them. Formulas and worked examples: docs/statistics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inkmark.analytics.cohort import GroupIndex, divided
from inkmark.analytics.groups import competition_rank
from inkmark.analytics.model import BoolArray, FloatArray, Group, IntArray
from inkmark.errors import AnalysisError

__all__ = [
    "Borderline",
    "LineMethod",
    "LineStatistics",
    "SubjectLines",
    "borderline",
    "line_statistics",
    "subject_lines",
]


class LineMethod(StrEnum):
    """How the line of a subject follows from that of the total."""

    RANK = "rank"
    """The subject's score at the place that the total line has."""

    COEFFICIENT = "coefficient"
    """The subject's mean above the total line, lowered by line / mean total above it."""

    REGRESSION = "regression"
    """The subject's score that is expected at the total line."""


@dataclass(frozen=True, slots=True, eq=False)
class SubjectLines:
    """The lines of the subjects for a total line.

    Attributes
    ----------
    method : LineMethod
    total_line : Decimal
    n : int
        Candidates with a total.
    n_reached : int
        How many of them are at or above the total line.
    lines : (s,) float64
        In points; NaN where nobody reaches the total line.
    """

    method: LineMethod
    total_line: Decimal
    n: int
    n_reached: int
    lines: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LineStatistics:
    """A row per group and a column per subject.

    Attributes
    ----------
    groups : tuple of Group
    n : (g,) int64
        Candidates with a total.
    reached : (g,) int64
        At or above the total line (上线).
    single : (g, s) int64
        At or above the subject's line (单上线).
    double : (g, s) int64
        At or above both (双上线).
    """

    groups: tuple[Group, ...]
    n: IntArray
    reached: IntArray
    single: IntArray
    double: IntArray

    @property
    def reach_rate(self) -> FloatArray:
        """(g,): reached / n (上线率)."""
        return divided(self.reached, self.n)

    @property
    def contribution(self) -> FloatArray:
        """(g, s): double / reached (贡献率)."""
        return divided(self.double, self.reached[:, None])

    @property
    def hit_rate(self) -> FloatArray:
        """(g, s): double / single (命中率, 配合率)."""
        return divided(self.double, self.single)

    @property
    def missing_leg(self) -> IntArray:
        """(g, s): at or above the total line, below the subject's (缺腿)."""
        return self.reached[:, None] - self.double


@dataclass(frozen=True, slots=True, eq=False)
class Borderline:
    """Candidates close to a line (临界生).

    Attributes
    ----------
    below : (n,) bool
        Below the line by no more than the window: they can be pulled up.
    above : (n,) bool
        On the line or above it by less than the window: they may fall.
    weakest : (n,) int64
        Of the candidates below, the subject furthest below its line; -1 for none.
    shortfall : (n,) float64
        By how many points; NaN for none.
    """

    below: BoolArray
    above: BoolArray
    weakest: IntArray
    shortfall: FloatArray


def subject_lines(
    totals: npt.ArrayLike,
    subjects: npt.ArrayLike,
    total_line: Decimal,
    method: LineMethod = LineMethod.RANK,
) -> SubjectLines:
    """Find the lines of the subjects.

    Parameters
    ----------
    totals : (n,) array of float
        NaN for none.
    subjects : (n, s) array of float
        Scores of the subjects; NaN for none. Only candidates with a total are counted, and
        in a subject only those of them with a score there.
    total_line : Decimal
        T₀ in points.
    method : LineMethod
        By rank: with N candidates at or above T₀ the N-th highest score. By coefficient:
        E = T₀ / P · mean of the subject, P the mean total, both of those at or above T₀.
        By regression: E = x̄ + b (T₀ - t̄), b of the subject on the total over all.

    Returns
    -------
    SubjectLines

    Raises
    ------
    AnalysisError
        If the shapes do not fit.
    """
    total, scores = _exact(totals, subjects)
    counted = ~np.isnan(total)
    total, scores = total[counted], scores[counted]
    line = float(total_line * 100)
    reached = total >= line
    n_reached = int(reached.sum())
    if n_reached == 0:
        lines = np.full(scores.shape[1], np.nan)
    elif method is LineMethod.RANK:
        ordered = -np.sort(-scores, axis=0)  # NaN last
        lines = ordered[n_reached - 1]
    elif method is LineMethod.COEFFICIENT:
        above, sat = scores[reached], ~np.isnan(scores[reached])
        lines = line * divided(np.nansum(above, axis=0), sat.T @ total[reached])
    else:
        lines = np.array([_expected(total, column, line) for column in scores.T])
    return SubjectLines(method, total_line, len(total), n_reached, lines / 100)


def line_statistics(
    totals: npt.ArrayLike, subjects: npt.ArrayLike, lines: SubjectLines, groups: GroupIndex
) -> LineStatistics:
    """Count in every group who reaches the lines.

    Parameters
    ----------
    totals : (n,) array of float
    subjects : (n, s) array of float
    lines : SubjectLines
        Of the same subjects, and of everybody.
    groups : GroupIndex
        Of the same candidates.

    Returns
    -------
    LineStatistics

    Raises
    ------
    AnalysisError
        If the shapes do not fit.
    """
    total, scores = _exact(totals, subjects)
    if len(lines.lines) != scores.shape[1] or len(groups.row) != len(total):
        raise AnalysisError(
            f"{len(lines.lines)} lines and {len(groups.row)} candidates with groups do not fit "
            f"scores of shape {scores.shape}. Give the lines and groups of these scores."
        )
    counted = ~np.isnan(total)
    reached = counted & (total >= float(lines.total_line * 100))
    single = counted[:, None] & (scores >= _lowest(lines.lines))
    figures = (counted, reached, single, single & reached[:, None])
    n, over, one, both = (groups.sum(figure).astype(np.int64) for figure in figures)
    return LineStatistics(groups.groups, n, over, one, both)


def borderline(
    totals: npt.ArrayLike,
    subjects: npt.ArrayLike,
    lines: SubjectLines,
    *,
    window: Decimal | None = None,
    places: int | None = None,
) -> Borderline:
    """Find the candidates close to the total line, and the subject that each lacks most.

    Parameters
    ----------
    totals : (n,) array of float
    subjects : (n, s) array of float
    lines : SubjectLines
    window : Decimal, optional
        In points: below are T₀ - window ≤ x < T₀, above T₀ ≤ x < T₀ + window.
    places : int, optional
        In place of a window: as many places on either side of the line, ties included.

    Returns
    -------
    Borderline

    Raises
    ------
    AnalysisError
        If not just one of window and places is given, or the shapes do not fit.
    """
    total, scores = _exact(totals, subjects)
    line = float(lines.total_line * 100)
    if (window is None) == (places is None):
        raise AnalysisError("Close to a line is a matter of points or of places. Give one.")
    with_total = ~np.isnan(total)
    if window is not None:
        width = float(window * 100)
        near_below, near_above = total >= line - width, total < line + width
    else:
        rank = competition_rank(total)
        n_reached = int((total >= line).sum())
        near_below = (rank > 0) & (rank <= n_reached + int(places or 0))
        near_above = rank > n_reached - int(places or 0)
    below = with_total & (total < line) & near_below
    lacking = np.where(below[:, None], _lowest(lines.lines) - scores, np.nan)
    lacking = np.where(lacking > 0, lacking, np.nan)
    some = ~np.isnan(lacking).all(axis=1) if lacking.shape[1] else np.zeros(len(total), np.bool_)
    weakest = np.full(len(total), -1, dtype=np.int64)
    weakest[some] = np.nanargmax(lacking[some], axis=1)
    shortfall = np.full(len(total), np.nan)
    shortfall[some] = lacking[some, weakest[some]] / 100
    return Borderline(below, with_total & (total >= line) & near_above, weakest, shortfall)


def _exact(totals: npt.ArrayLike, subjects: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Totals and scores in whole hundredths."""
    total, scores = (np.asarray(x, dtype=np.float64) for x in (totals, subjects))
    if total.ndim != 1 or scores.ndim != 2 or len(total) != len(scores):
        raise AnalysisError(
            f"Totals of shape {total.shape} and subjects of shape {scores.shape} do not fit. "
            "Give one total a candidate and one column a subject."
        )
    return np.rint(total * 100), np.rint(scores * 100)


def _lowest(lines: FloatArray) -> FloatArray:
    """Lowest whole hundredths that reach the lines, free of the rounding of their digits."""
    return np.ceil(np.round(lines * 100, 6))


def _expected(total: FloatArray, scores: FloatArray, line: float) -> float:
    sat = ~np.isnan(scores)
    t, x = total[sat], scores[sat]
    if not sat.any():
        return float("nan")
    varies = t - t.mean()
    slope = divided(varies @ x, varies @ varies)
    return float(x.mean() + slope * (line - t.mean()))
