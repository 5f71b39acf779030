"""Who is counted, and with which exact scores: what every figure starts from.

Scores are held in whole hundredths of points. Sums of whole numbers below 2**53 are exact
in float64, so no figure depends on the order of the candidates, and a total that lies on a
threshold is on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from inkmark.analytics.model import BoolArray, FloatArray, Group, GroupKind, IntArray, Standing
from inkmark.errors import InkmarkError

__all__ = ["BLOCK", "Cohort", "GroupIndex", "divided", "index_groups", "make_cohort", "threshold"]

BLOCK = 512
"""Candidates taken at a time where the whole matrix passes: their rows stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupIndex:
    """Which group rows a candidate belongs to.

    Attributes
    ----------
    groups : tuple of Group
        Row 0 is everybody; then schools, then classes.
    parent : (g,) int64
        Row of the group that contains the group; 0 for row 0.
    row : (n,) int64
        The candidate's smallest group: class, else school, else row 0.
    """

    groups: tuple[Group, ...]
    parent: IntArray
    row: IntArray

    def rows_of(self, kind: GroupKind) -> IntArray:
        """(n,) int64: each candidate's row of a kind, -1 for none."""
        kinds = np.array([group.kind.value for group in self.groups])
        up = np.arange(len(self.groups))
        for _ in range(2):  # from class to school to everybody
            up = np.where(kinds[up] == kind.value, up, self.parent[up])
        return np.where(kinds[up] == kind.value, up, -1)[self.row]

    def sum(self, values: npt.NDArray[np.generic], rows: IntArray | None = None) -> FloatArray:
        """Sum over the candidates of each group.

        Parameters
        ----------
        values : (n, ...) array
            A number or a row per candidate.
        rows : (n,) int64, optional
            Which of the cohort's candidates they are; all, in order, where not given.

        Returns
        -------
        (g, ...) float64
        """
        own = self.row if rows is None else self.row[rows]
        if values.ndim == 1:
            sums = np.bincount(own, values, minlength=len(self.groups))
            return self.roll_up(sums.astype(np.float64))
        order = np.argsort(own, kind="stable")
        out = np.zeros((len(self.groups), *values.shape[1:]))
        add_sorted(out, values[order], own[order])
        return self.roll_up(out)

    def roll_up(self, own: FloatArray) -> FloatArray:
        """Add what was summed by smallest group, (g, ...), to the groups that contain it."""
        total = own.copy()
        for kind in (GroupKind.CLASS, GroupKind.SCHOOL):  # in the order of their parents
            rows = [i for i, group in enumerate(self.groups) if group.kind is kind]
            add_sorted(total, total[rows], self.parent[rows])
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The candidates of an exam and their scores, in hundredths of points.

    Attributes
    ----------
    candidates : tuple of str
    items : tuple of str
    scores : (n, m) float64
        Whole hundredths; NaN for no score.
    full : (m,) float64
        Full marks in hundredths.
    standing : (n,) int64
        A `Standing` each.
    total : (n,) float64
        In hundredths; NaN unless counted.
    ranking : (c,) int64
        Indices of the candidates counted, the highest total first, ties by number.
    groups : GroupIndex
    """

    candidates: tuple[str, ...]
    items: tuple[str, ...]
    scores: FloatArray
    full: FloatArray
    standing: IntArray
    total: FloatArray
    ranking: IntArray
    groups: GroupIndex

    @property
    def counted(self) -> BoolArray:
        """(n,) bool: candidates with a total."""
        return np.equal(self.standing, Standing.COUNTED)

    @property
    def full_total(self) -> int:
        """Full mark of the paper in hundredths."""
        return int(self.full.sum())

    def ordered(self, kind: GroupKind) -> tuple[IntArray, IntArray]:
        """Candidates counted, group by group, the highest total first, ties by number.

        Returns
        -------
        (c,) int64, (c,) int64
            Indices of the candidates that have a group of the kind, and their group rows.
        """
        rows = self.groups.rows_of(kind)[self.ranking]
        order = np.argsort(rows, kind="stable")
        order = order[np.searchsorted(rows[order], 0) :]  # without those that have none
        return self.ranking[order], rows[order]


def make_cohort(
    scores: npt.ArrayLike,
    full: npt.ArrayLike,
    candidates: Sequence[str] | None = None,
    *,
    items: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    schools: Sequence[str] | None = None,
    absent: npt.ArrayLike | None = None,
    absent_as_zero: bool = False,
) -> Cohort:
    """Settle who is counted.

    A candidate is counted who has a score on every item. An absent candidate has no
    scores, or, by policy, zero on every item on which anybody present has one.

    Parameters
    ----------
    scores : (n, m) array of float
        Points, at most two decimals; NaN for no score.
    full : (m,) array of float
        Full marks in points.
    candidates : sequence of str, optional
        Candidate numbers, which settle ties of the 27 % groups. Row numbers by default.
    items : sequence of str, optional
        Item numbers; 1, 2, ... by default.
    classes, schools : sequence of str, optional
        One a candidate; empty for none.
    absent : (n,) array of bool, optional
        Who was absent. Scores of these candidates are not used.
    absent_as_zero : bool
        Whether absence counts as zero points.

    Returns
    -------
    Cohort

    Raises
    ------
    InkmarkError
        If the shapes do not fit, or a score is infinite or has more than two decimals.
    """
    points = np.asarray(scores, dtype=np.float64)
    full_points = np.asarray(full, dtype=np.float64)
    if points.ndim != 2 or full_points.shape != points.shape[1:]:
        raise InkmarkError(
            f"Scores of shape {points.shape} do not fit {full_points.size} full marks. "
            "Give a row per candidate and a column per item."
        )
    n, m = points.shape
    width = len(str(n))
    numbers = tuple(candidates) if candidates is not None else _numbered(n, width)
    names = tuple(items) if items is not None else _numbered(m, 0)
    away = np.zeros(n, dtype=np.bool_) if absent is None else np.asarray(absent, dtype=np.bool_)
    if len(numbers) != n or len(names) != m or away.shape != (n,):
        raise InkmarkError(
            f"{len(numbers)} candidates, {len(names)} items and {away.size} absence marks do "
            f"not fit scores of shape {points.shape}. Give one a row or column."
        )
    exact = _hundredths(points)
    if away.any():
        exact[away] = np.nan
        if absent_as_zero:
            presented = ~np.isnan(exact).all(axis=0)
            exact[np.ix_(away, presented)] = 0.0
    total = exact.sum(axis=1)
    standing = np.full(n, Standing.COUNTED, dtype=np.int64)
    open_rows = np.flatnonzero(np.isnan(total))
    if m == 0:
        total = np.full(n, np.nan)
        standing[:] = Standing.NO_SCORES
    elif open_rows.size:
        empty = np.isnan(exact[open_rows]).all(axis=1)
        standing[open_rows] = np.where(empty, Standing.NO_SCORES, Standing.INCOMPLETE)
    if not absent_as_zero:
        standing[away] = Standing.ABSENT
    counted = standing == Standing.COUNTED
    chosen = np.flatnonzero(counted)
    by_number = chosen[np.argsort(np.array(numbers, dtype=np.str_)[chosen], kind="stable")]
    return Cohort(
        candidates=numbers,
        items=names,
        scores=exact,
        full=_hundredths(full_points),
        standing=standing,
        total=np.where(counted, total, np.nan),
        ranking=by_number[np.argsort(-total[by_number], kind="stable")],
        groups=index_groups(classes or [""] * n, schools or [""] * n),
    )


def index_groups(classes: Sequence[str], schools: Sequence[str]) -> GroupIndex:
    """Find the groups of a roster, in the natural order of their names (2 before 10).

    Parameters
    ----------
    classes, schools : sequence of str
        One a candidate; empty for none.

    Returns
    -------
    GroupIndex
    """
    school_names, school_of = _coded(schools)
    class_names, class_of = _coded(classes)
    pairs, pair_of = np.unique(school_of * len(class_names) + class_of, return_inverse=True)
    groups = [Group(GroupKind.ALL)]
    groups += [Group(GroupKind.SCHOOL, name) for name in school_names if name]
    school_rows = {group.school: row for row, group in enumerate(groups)}
    parent = [0] * len(groups)
    row_of_pair = []
    for pair in pairs.tolist():
        school, name = school_names[pair // len(class_names)], class_names[pair % len(class_names)]
        row_of_pair.append(len(groups) if name else school_rows[school])
        if name:
            groups.append(Group(GroupKind.CLASS, school, name))
            parent.append(school_rows[school])
    return GroupIndex(
        tuple(groups),
        np.array(parent, dtype=np.int64),
        np.array(row_of_pair, dtype=np.int64)[pair_of],
    )


def threshold(share: Decimal, full: int) -> int:
    """Lowest total that reaches a share of the full mark; exact.

    Parameters
    ----------
    share : Decimal
        For example ``Decimal("0.85")``.
    full : int
        Full mark in hundredths of points.

    Returns
    -------
    int
        In hundredths: a total x is at or above the share just if x is at or above this.
    """
    numerator, denominator = share.as_integer_ratio()
    return -(-numerator * full // denominator)


def divided(over: npt.ArrayLike, under: npt.ArrayLike) -> FloatArray:
    """`over` / `under`, NaN where `under` is 0."""
    above, below = np.broadcast_arrays(
        np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
    )
    out: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


def add_sorted(out: FloatArray, values: npt.NDArray[np.generic], rows: IntArray) -> None:
    """Add the rows of `values`, (c, ...), to their ascending group rows of `out`, (g, ...)."""
    if rows.size:
        starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
        same = values.astype(out.dtype, copy=False)  # much faster than converting in reduceat
        out[rows[starts]] += np.add.reduceat(same, starts, axis=0)


def _numbered(n: int, width: int) -> tuple[str, ...]:
    return tuple(str(i).zfill(width) for i in range(1, n + 1))


def _coded(names: Sequence[str]) -> tuple[list[str], IntArray]:
    """The distinct names in natural order, and the position there of each name given."""
    distinct = sorted(set(names), key=_natural)
    position = {name: i for i, name in enumerate(distinct)}
    return distinct, np.fromiter(map(position.__getitem__, names), np.int64, len(names))


def _hundredths(points: FloatArray) -> FloatArray:
    """Whole hundredths of points, NaN kept."""
    whole = np.empty(points.shape)
    for start in range(0, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        if np.isinf(points[block]).any():
            raise InkmarkError("A score is infinite. Use an empty cell (NaN) where there is none.")
        exact = points[block] * 100.0
        np.rint(exact, out=whole[block])
        if (np.abs(exact - whole[block]) > 1e-6).any():
            raise InkmarkError(
                "A score has more than two decimals. Round the scores to hundredths."
            )
    return whole


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key in which a number inside a name counts as a number."""
    parts = re.split(r"(\d+)", name)
    digits = (part.lstrip("0") if part.isdecimal() else None for part in parts)
    key = [
        (-1, part) if number is None else (len(number), number)
        for part, number in zip(parts, digits, strict=True)
    ]
    return key, name
