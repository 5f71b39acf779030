"""Screening of all ordered pairs of candidates for copied answers.

A cheap figure for every pair comes first, from products of matrices; exact ones follow for
the pairs that stand out by it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inkmark.analytics.integrity.answers import check_answers
from inkmark.analytics.integrity.curves import given_curves, score_curves
from inkmark.analytics.integrity.model import (
    Answers,
    CopyIndex,
    CopyOptions,
    CopyPairs,
    CopyScreening,
    OptionCurves,
    Seats,
)
from inkmark.analytics.model import AnalysisWarning, BoolArray, FloatArray, IntArray
from inkmark.analytics.significance import adjusted
from inkmark.errors import AnalysisError

__all__ = ["screen_copying"]

Floats = npt.NDArray[np.float32]

# Entries of a block of the matrices of copiers by sources.
_BLOCK = 1 << 19
# Pairs that a thread takes at a time.
_CHUNK = 64
# Shares of options among fewer candidates are rough.
_FEW = 100
# Bounds of the usual agreement in the K-index, where a parabola may lead out of 0 to 1.
_USUAL = (0.001, 0.999)


def screen_copying(
    choices: npt.ArrayLike,
    key: npt.ArrayLike,
    *,
    probabilities: npt.ArrayLike | None = None,
    groups: Sequence[str] | None = None,
    seats: Seats | None = None,
    candidates: Sequence[str] | None = None,
    items: Sequence[str] | None = None,
    options: CopyOptions | None = None,
) -> CopyScreening:
    """Screen all ordered pairs of a room, a school or a cohort.

    Omega: Wollack (1997), Applied Psychological Measurement 21; its p here is the exact tail
    of the sum of independent matches in place of the normal one. GBT: van der Linden &
    Sotaridona (2006), Journal of Educational and Behavioral Statistics 31. K-index: Holland
    (1996), ETS Research Report 96-7, with the parabola over groups of K2, Sotaridona & Meijer
    (2002), Journal of Educational Measurement 39. M4: Maynes (2014) in Kingston & Clark, Test
    Fraud; its tail as in Zopluoglu (2019), International Journal of Assessment Tools in
    Education 6.

    Parameters
    ----------
    choices : (n, m) array_like
        Options counted from 0; -1 or NaN for no answer. An item that one of a pair left out
        does not count for the pair. Several options marked on purpose may be one more option.
        Bring forms in which items or options are shuffled to one order.
    key : (m,) array_like
        The right option of each item.
    probabilities : (n, m, K) array_like, optional
        Of each option for each candidate who answers, from a model; by default
        `score_curves` of all candidates.
    groups : sequence of str, optional
        Rooms or schools: only pairs within one are compared.
    seats : Seats, optional
        Then neighbours are a family of their own.
    candidates, items : sequence of str, optional
        Names, for messages; 1, 2, 3 ... by default.
    options : CopyOptions, optional

    Returns
    -------
    CopyScreening

    Raises
    ------
    AnalysisError
        The answers, the probabilities, the groups or the seats do not fit together.
    """
    options = options or CopyOptions()
    _check_options(options)
    answers, warnings = check_answers(choices, key, candidates=candidates, items=items)
    n = len(answers.choices)
    if probabilities is None:
        curves = score_curves(answers)
        warnings += _few(answers)
    else:
        curves = given_curves(probabilities, answers)
    rooms = _checked_seats(seats, n)
    members = _members(groups, n)
    warnings += _alone(members, groups, answers)
    best = (_Best(options.most_pairs), _Best(options.most_pairs))
    for rows in members:
        for block in _blocks(answers, curves, rows, options.least_items):
            near = _near(seats, rooms, block.copiers[:, None], rows, options.reach)
            for family, wanted in zip(best, (near, ~near), strict=True):
                family.add(block, rows, wanted)
    kept = _both_ways(best, n)
    figures = _exact(answers, curves, *kept)
    sizes = (best[0].n_tested, best[1].n_tested)
    near = _near(seats, rooms, *kept, options.reach)
    pairs = _judged(kept, near, figures, sizes, options)
    return CopyScreening(
        answers,
        curves,
        seats,
        options,
        *sizes,
        pairs,
        min(family.limit_p() for family in best),
        warnings + _limits(pairs, best, options),
    )


# Every pair, roughly


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some copiers against all candidates of their group."""

    copiers: IntArray
    tested: BoolArray
    score: Floats


def _blocks(
    answers: Answers, curves: OptionCurves, rows: IntArray, least_items: int
) -> Iterator[_Block]:
    """Omega of all pairs of a group, corrected for skewness, in blocks of copiers."""
    n, m = len(rows), answers.choices.shape[1]
    width = curves.shares.shape[2]
    picked = answers.choices[rows][:, :, None] == np.arange(width, dtype=np.int8)
    hot = np.ascontiguousarray(picked.reshape(n, m * width), dtype=np.float32)
    answered = np.ascontiguousarray(answers.choices[rows] >= 0, dtype=np.float32)
    height = max(1, _BLOCK // n)
    for start in range(0, n, height):
        own = slice(start, start + height)
        share = curves.at(rows[own]).astype(np.float32) * answered[own][:, :, None]
        share = share.reshape(-1, m * width)
        spread = share * (1 - share)
        mean, variance = share @ hot.T, spread @ hot.T
        skewness = (spread * (1 - 2 * share)) @ hot.T
        matches = hot[own] @ hot.T
        tested = (answered[own] @ answered.T >= least_items) & (variance > 1e-6)
        tested[np.arange(len(share)), np.arange(start, start + len(share))] = False
        sd = np.sqrt(np.where(tested, variance, 1))
        deviate = np.asarray((matches - mean - 0.5) / sd, dtype=np.float32)
        yield _Block(
            rows[own], tested, _normalised(deviate, np.asarray(skewness / sd**3, dtype=np.float32))
        )


def _normalised(deviate: Floats, skewness: Floats) -> Floats:
    """Normal deviate with about the same tail; Wilson & Hilferty (1931) on a gamma variate.

    Unlike a Cornish-Fisher expansion it keeps the order far out.
    """
    # Where there is hardly any skewness the formula loses its digits.
    safe = np.where(np.abs(skewness) < 0.01, np.float32(0.01), skewness)
    inner = np.maximum(safe * deviate / 2 + 1, 0)
    curved = 6 / safe * (np.cbrt(inner) - 1) + safe / 6
    straight = deviate - skewness / 6 * (deviate**2 - 1)
    return np.where(np.abs(skewness) < 0.01, straight, curved)


@dataclass(slots=True)
class _Best:
    """The pairs of a family with the highest scores so far."""

    most: int
    n_tested: int = 0
    score: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    copier: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    source: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    def add(self, block: _Block, rows: IntArray, wanted: BoolArray) -> None:
        """Take in the pairs of a block that belong to the family."""
        mine = block.tested & wanted
        self.n_tested += int(np.sum(mine))
        if len(self.score) == self.most:
            mine &= block.score > self.score[-1]
        a, b = np.nonzero(mine)
        score = np.concatenate([self.score, block.score[a, b]])
        copier = np.concatenate([self.copier, block.copiers[a]])
        source = np.concatenate([self.source, rows[b]])
        if len(score) > self.most:
            enough = np.flatnonzero(score >= np.partition(score, -self.most)[-self.most])
            score, copier, source = score[enough], copier[enough], source[enough]
        order = np.lexsort((source, copier, -score))[: self.most]
        self.score, self.copier, self.source = score[order], copier[order], source[order]

    def limit_p(self) -> float:
        """The approximate p that pairs left out are not below; 1 where none were."""
        from scipy.special import ndtr  # noqa: PLC0415 - slow to load

        return float(ndtr(-self.score[-1])) if self.n_tested > len(self.score) > 0 else 1.0


# Some pairs, exactly


def _both_ways(best: Sequence[_Best], n: int) -> tuple[IntArray, IntArray]:
    """The pairs of all families and their reverses, each once, sorted."""
    copier = np.concatenate([family.copier for family in best])
    source = np.concatenate([family.source for family in best])
    code = np.unique(np.concatenate([copier * n + source, source * n + copier]))
    return code // n, code % n


@dataclass(frozen=True, slots=True, eq=False)
class _Figures:
    """Columns of `CopyPairs`."""

    n_items: IntArray
    right: IntArray
    wrong: IntArray
    expected: FloatArray
    omega: FloatArray
    omega_p: FloatArray
    gbt_p: FloatArray
    k_p: FloatArray
    m4_p: FloatArray


def _exact(answers: Answers, curves: OptionCurves, copier: IntArray, source: IntArray) -> _Figures:
    """All indices of some pairs, which are sorted and among which are their reverses."""
    from scipy.special import betainc  # noqa: PLC0415 - slow to load

    from inkmark.analytics.integrity import _kernels  # noqa: PLC0415 - loads numba

    choices, key, n_pairs = answers.choices, answers.key, len(copier)
    people = np.unique(np.concatenate([copier, source]))
    place = np.zeros(len(choices), dtype=np.int64)
    place[people] = np.arange(len(people))
    shares = curves.at(people)
    counts, moments = np.empty((n_pairs, 3), np.int64), np.empty((n_pairs, 2))
    tails, n_wrong, usual = np.empty((n_pairs, 3)), np.empty(n_pairs, np.int64), np.empty(n_pairs)
    answered = np.sum(choices >= 0, axis=1)
    missed = answered - np.sum(choices == answers.key, axis=1)
    wrong_share = missed / np.where(answered > 0, answered, np.nan)

    def work(start: int) -> None:
        own = slice(start, start + _CHUNK)
        pair = copier[own], source[own]
        _kernels.pair_tails(
            choices, key, shares, place, *pair, counts[own], moments[own], tails[own]
        )
        _kernels.wrong_agreement(choices, key, wrong_share, *pair, n_wrong[own], usual[own])

    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(n_cores or 1) as pool:
        for _ in pool.map(work, range(0, n_pairs, _CHUNK)):
            pass
    code, reverse = copier * len(choices) + source, source * len(choices) + copier
    mirror = np.searchsorted(code, np.minimum(code, reverse))
    right, wrong = counts[:, 1].copy(), counts[:, 2].copy()
    chance = np.clip(np.where(n_wrong > 0, usual, np.nan), *_USUAL)
    # The binomial tail as an incomplete beta function, which has no value for a count of 0.
    tail = betainc(np.maximum(wrong, 1), n_wrong - wrong + 1.0, chance)
    with np.errstate(divide="ignore", invalid="ignore"):
        omega = (right + wrong - moments[:, 0]) / np.sqrt(moments[:, 1])
    return _Figures(
        counts[:, 0].copy(),
        right,
        wrong,
        moments[:, 0].copy(),
        omega,
        tails[:, 0].copy(),
        tails[mirror, 1],
        np.where((wrong == 0) & ~np.isnan(chance), 1.0, tail),
        tails[mirror, 2],
    )


def _judged(
    kept: tuple[IntArray, IntArray],
    near: BoolArray,
    figures: _Figures,
    sizes: tuple[int, int],
    options: CopyOptions,
) -> CopyPairs:
    """Adjust the deciding p within each family, and put the smallest first."""
    by_index = {
        CopyIndex.OMEGA: figures.omega_p,
        CopyIndex.GBT: figures.gbt_p,
        CopyIndex.K: figures.k_p,
        CopyIndex.M4: figures.m4_p,
    }
    p = by_index[options.index]
    adjusted_p = np.ones(len(p))
    for family, n_tests in zip((near, ~near), sizes, strict=True):
        adjusted_p[family] = adjusted(p[family], n_tests, options.adjustment)
    flagged = adjusted_p <= options.level
    copier, source = kept
    order = np.lexsort((source, copier, -figures.omega, p))
    order = order[np.isfinite(figures.omega[order])]  # the reverse of a pair may tell nothing
    return CopyPairs(
        copier[order],
        source[order],
        near[order],
        figures.n_items[order],
        figures.right[order],
        figures.wrong[order],
        figures.expected[order],
        figures.omega[order],
        figures.omega_p[order],
        figures.gbt_p[order],
        figures.k_p[order],
        figures.m4_p[order],
        p[order],
        adjusted_p[order],
        flagged[order],
    )


# Groups, seats, warnings


def _check_options(options: CopyOptions) -> None:
    """Refuse numbers that have no meaning."""
    least = min(options.most_pairs, options.least_items, options.reach)
    if least < 1 or not 0 < options.level < 1:
        raise AnalysisError(
            f"{options} cannot be used: the level lies between 0 and 1, and numbers of pairs, "
            "items and seats are 1 or more. Correct the options."
        )


def _members(groups: Sequence[str] | None, n: int) -> list[IntArray]:
    """Rows of each group."""
    if groups is None:
        return [np.arange(n)]
    if len(groups) != n:
        raise AnalysisError(
            f"{len(groups)} groups are named for {n} candidates. Name one for each."
        )
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    return [np.array(members, dtype=np.int64) for members in rows.values()]


def _checked_seats(seats: Seats | None, n: int) -> IntArray:
    """Number of each candidate's room; -1 where the seat is not known."""
    if seats is None:
        return np.full(n, -1)
    if not len(seats.room) == len(seats.row) == len(seats.column) == n:
        raise AnalysisError(
            f"The seating plan does not have {n} rooms, rows and columns. "
            "Give a seat for each candidate, with an empty room where it is not known."
        )
    numbers = {room: number for number, room in enumerate(dict.fromkeys(seats.room))}
    return np.array([numbers[room] if room else -1 for room in seats.room], dtype=np.int64)


def _near(
    seats: Seats | None, rooms: IntArray, copier: IntArray, source: IntArray, reach: int
) -> BoolArray:
    """Whether candidates, by broadcasting, sat next to each other."""
    if seats is None:
        return np.zeros(np.broadcast_shapes(copier.shape, source.shape), dtype=bool)
    row, column = np.asarray(seats.row), np.asarray(seats.column)
    return np.asarray(
        (rooms[copier] == rooms[source])
        & (rooms[copier] >= 0)
        & (np.abs(row[copier] - row[source]) <= reach)
        & (np.abs(column[copier] - column[source]) <= reach)
    )


def _limits(
    pairs: CopyPairs, best: Sequence[_Best], options: CopyOptions
) -> tuple[AnalysisWarning, ...]:
    """Warn where nothing was compared, or where there may be more than was computed."""
    if not any(family.n_tested for family in best):
        text = (
            f"No two candidates of a group answered {options.least_items} items in common: "
            "nothing was compared."
        )
        return (AnalysisWarning("no-pairs", "", text),)
    crowded = any(
        family.n_tested > len(family.score) and np.all(pairs.flagged[pairs.neighbours == near])
        for family, near in zip(best, (True, False), strict=True)
    )
    if not crowded:
        return ()
    text = (
        f"All {options.most_pairs} pairs that were computed are flagged, so there may be more. "
        "Raise the number of pairs."
    )
    return (AnalysisWarning("more-pairs", "", text),)


def _alone(
    members: Sequence[IntArray], groups: Sequence[str] | None, answers: Answers
) -> tuple[AnalysisWarning, ...]:
    """Warn of groups of one candidate."""
    return tuple(
        AnalysisWarning(
            "alone",
            answers.candidates[rows[0]],
            f"Candidate {answers.candidates[rows[0]]} is alone in group {groups[rows[0]]} and is "
            "compared with nobody.",
        )
        for rows in members
        if groups is not None and len(rows) == 1
    )


def _few(answers: Answers) -> tuple[AnalysisWarning, ...]:
    """Warn where shares of options are rough."""
    n = int(np.sum(np.any(answers.choices >= 0, axis=1)))
    if n >= _FEW:
        return ()
    text = (
        f"Shares of options come from {n} candidates only. Give the probabilities of a model "
        "fitted to more, or screen a larger cohort with its rooms as groups."
    )
    return (AnalysisWarning("few-candidates", "", text),)
