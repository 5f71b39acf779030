"""Choosing practice for each student from what the exam showed.

The points on which a student is known to be weak come first, then those on which the exam
says too little, then review. Everything follows from the arguments: the same exam, student
and seed give the same set on every machine.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from inkmark.analytics.cohort import divided
from inkmark.analytics.model import BoolArray, FloatArray, MasteryTable
from inkmark.bank import BankItem, ItemBank
from inkmark.exam import Policy

__all__ = [
    "Practice",
    "PracticePart",
    "PracticeSet",
    "Reason",
    "Shortfall",
    "ShortfallKind",
    "select_practice",
]

LIFT = 0.2
"""How much harder than the student's level the items aimed at are, in logits."""
RATE_BOUNDS = 0.05, 0.95
"""A rate outside is taken as the bound: a handful of items does not tell 0 % from 5 %."""
POINT_FEWEST, POINT_MOST = 2, 4
"""Items on one point: a set has so many points that each gets the fewest, and one point
gets more than the most only where nothing else is left."""


class Reason(StrEnum):
    """Why a knowledge point is practised."""

    WEAK = "weak"
    """Mastery is stated and below the pass threshold."""
    NOT_ENOUGH_EVIDENCE = "not enough evidence"
    """The exam asked too little about the point to state mastery."""
    REVIEW = "review"
    """Mastery is stated and at or above the pass threshold."""


class ShortfallKind(StrEnum):
    """What a practice set lacks."""

    POINT_NOT_IN_BANK = "point not in bank"
    TOO_FEW_ITEMS = "too few items"
    """The bank has fewer items on the point, without those excluded, than were wanted."""
    SET_TOO_SHORT = "set too short"
    """All points together gave fewer items than the policy asks for."""
    NO_SCORES = "no scores"
    """The student has no score on any item: there is nothing to choose by."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Something that a practice set lacks.

    Attributes
    ----------
    kind : ShortfallKind
    point : str
        Knowledge point as the exam names it; empty where the whole set is meant.
    wanted, found : int
        Items.
    """

    kind: ShortfallKind
    point: str
    wanted: int
    found: int


@dataclass(frozen=True, slots=True)
class PracticePart:
    """The items of a set on one knowledge point, and why they are there.

    Attributes
    ----------
    point : str
        Knowledge point as the exam names it.
    bank_point : str
        Its id in the bank.
    reason : Reason
    rate : float
        Mastery, 0 to 1; NaN without evidence. It is not to be stated unless there is enough
        evidence.
    gained, possible : float
        Weighted points on which `rate` rests.
    n_items : int
        Items of the exam on which `rate` rests.
    items : tuple of str
        Ids of bank items, from easy to hard.
    """

    point: str
    bank_point: str
    reason: Reason
    rate: float
    gained: float
    possible: float
    n_items: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PracticeSet:
    """What one student is given to practise.

    Attributes
    ----------
    candidate : str
    parts : tuple of PracticePart
        Weak points first, the weakest at the top.
    shortfalls : tuple of Shortfall
    """

    candidate: str
    parts: tuple[PracticePart, ...]
    shortfalls: tuple[Shortfall, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of the items in printed order."""
        return tuple(item for part in self.parts for item in part.items)


@dataclass(frozen=True, slots=True)
class Practice:
    """Practice sets of all candidates of an exam.

    Attributes
    ----------
    sets : tuple of PracticeSet
        In the order of the mastery table.
    unmatched : tuple of str
        Knowledge points of the exam that the bank does not know.
    """

    sets: tuple[PracticeSet, ...]
    unmatched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Need:
    """A knowledge point of the exam as one student stands on it."""

    point: str
    bank_point: str
    reason: Reason
    rate: float
    gained: float
    possible: float
    n_items: int
    aim: float
    pool: tuple[BankItem, ...]


def select_practice(
    mastery: MasteryTable,
    bank: ItemBank,
    policy: Policy,
    *,
    exam_id: str,
    exclude: Mapping[str, Collection[str]] | None = None,
    seed: int = 0,
) -> Practice:
    """Choose a practice set for each candidate.

    Mastery below the policy's pass threshold makes a point weak; the lowest comes first and
    gets the most items. Where weak points do not fill the set, points without enough
    evidence follow, and then review of the others, again from the lowest mastery up; each
    part says which of the three it is.

    Within a point, the items drawn are a bit harder than the student's level, by the Rasch
    model: with the student's mastery r, everybody's mastery R of the point and an item's
    planned facility p, the student's level is logit r - logit R and the item's difficulty
    is -logit p. Without enough evidence the level is taken as everybody's. Twice as many
    items as needed are looked at, so that students with equal results get different items.

    Parameters
    ----------
    mastery : MasteryTable
    bank : ItemBank
        Its points are found by the exam's names of knowledge points, see
        `ItemBank.find_point`.
    policy : Policy
        `practice_items` and `passing` are used.
    exam_id : str
        Together with candidate number and `seed` it decides between items that are
        equally good.
    exclude : mapping of str to collection of str, optional
        For a candidate, ids of items not to be given (again).
    seed : int

    Returns
    -------
    Practice
    """
    found = {name: bank.find_point(name) for name in mastery.points}
    bank_points = {name: point.id for name, point in found.items() if point is not None}
    by_point: dict[str, list[BankItem]] = {}
    for item in bank.items:
        by_point.setdefault(item.knowledge, []).append(item)
    excluded = exclude or {}
    weak = mastery.enough & (mastery.rate < float(policy.passing))
    aims = _aims(mastery)
    sets = []
    for row, candidate in enumerate(mastery.candidates):
        seen = excluded.get(candidate, ())
        left = {
            name: (point, tuple(item for item in by_point.get(point, ()) if item.id not in seen))
            for name, point in bank_points.items()
        }
        needs = tuple(_needs(mastery, row, weak, aims, left))
        key = f"{seed}:{exam_id}:{candidate}"
        sets.append(_practice_set(candidate, needs, policy.practice_items, key))
    return Practice(tuple(sets), tuple(n for n in mastery.points if n not in bank_points))


def _aims(mastery: MasteryTable) -> FloatArray:
    """Planned facility of the items that suit each candidate on each point: (n, k)."""
    everybody = divided(mastery.gained.sum(axis=0), mastery.possible.sum(axis=0))
    level = np.where(mastery.enough, _logit(mastery.rate) - _logit(everybody), 0.0)
    # Rounded, so that the last bit of exp and log never decides between two items.
    aims: FloatArray = np.round(1.0 / (1.0 + np.exp(level + LIFT)), 4)
    return aims


def _logit(rate: FloatArray) -> FloatArray:
    held = np.clip(rate, *RATE_BOUNDS)
    logit: FloatArray = np.log(held / (1.0 - held))
    return logit


def _needs(
    mastery: MasteryTable,
    row: int,
    weak: BoolArray,
    aims: FloatArray,
    left: Mapping[str, tuple[str, tuple[BankItem, ...]]],
) -> Iterator[_Need]:
    """The points in the order of need; two names for one point of the bank are one need."""
    order = list(Reason)
    columns = []
    for column in range(len(mastery.points)):
        rate = float(mastery.rate[row, column])
        if not mastery.enough[row, column]:
            reason = Reason.NOT_ENOUGH_EVIDENCE
        else:
            reason = Reason.WEAK if weak[row, column] else Reason.REVIEW
        unknown = math.isnan(rate)
        columns.append((order.index(reason), unknown, 0.0 if unknown else rate, column))
    met: set[str] = set()
    for place, unknown, rate, column in sorted(columns):
        name = mastery.points[column]
        bank_point, pool = left.get(name, ("", ()))
        if bank_point in met:
            continue
        if bank_point:
            met.add(bank_point)
        yield _Need(
            name,
            bank_point,
            order[place],
            math.nan if unknown else rate,
            float(mastery.gained[row, column]),
            float(mastery.possible[row, column]),
            int(mastery.n_items[row, column]),
            float(aims[row, column]),
            pool,
        )


def _practice_set(candidate: str, needs: Sequence[_Need], wanted: int, key: str) -> PracticeSet:
    if not any(need.n_items for need in needs):
        lack = Shortfall(ShortfallKind.NO_SCORES, "", wanted, 0)
        return PracticeSet(candidate, (), (lack,))
    counts = dict.fromkeys(range(len(needs)), 0)
    shortfalls: list[Shortfall] = []
    for reason in Reason:
        tier = [k for k, need in enumerate(needs) if need.reason is reason]
        slots = wanted - sum(counts.values())
        first = tier[: max(1, slots // POINT_FEWEST)]
        ideal = _dealt(first, dict.fromkeys(first, POINT_MOST), slots)
        shortfalls += _lacking(needs, ideal)
        served = [k for k in tier if needs[k].pool][: len(first)]
        room = {k: min(POINT_MOST, len(needs[k].pool)) for k in served}
        counts |= _dealt(served, room, slots)
    # What is still open goes to any point that has items left, in the order of need.
    open_slots = wanted - sum(counts.values())
    rest = {k: len(needs[k].pool) - counts[k] for k in counts}
    for k, more in _dealt(list(counts), rest, open_slots).items():
        counts[k] += more
    if sum(counts.values()) < wanted:
        shortfalls.append(Shortfall(ShortfallKind.SET_TOO_SHORT, "", wanted, sum(counts.values())))
    parts = tuple(_part(needs[k], counts[k], key) for k in counts if counts[k])
    return PracticeSet(candidate, parts, tuple(shortfalls))


def _dealt(points: Sequence[int], room: Mapping[int, int], slots: int) -> dict[int, int]:
    """Deal slots out one by one, round after round, to points that still have room."""
    counts = dict.fromkeys(points, 0)
    while slots > 0:
        able = [k for k in points if counts[k] < room[k]][:slots]
        if not able:
            break
        for k in able:
            counts[k] += 1
        slots -= len(able)
    return counts


def _lacking(needs: Sequence[_Need], ideal: Mapping[int, int]) -> Iterator[Shortfall]:
    for k, wanted in ideal.items():
        need = needs[k]
        if len(need.pool) < wanted:
            kind = (
                ShortfallKind.TOO_FEW_ITEMS if need.bank_point else ShortfallKind.POINT_NOT_IN_BANK
            )
            yield Shortfall(kind, need.point, wanted, len(need.pool))


def _part(need: _Need, count: int, key: str) -> PracticePart:
    near = sorted(need.pool, key=lambda item: (round(abs(item.difficulty - need.aim), 6), item.id))
    drawn = sorted(near[: 2 * count], key=lambda item: _lot(key, item.id))[:count]
    drawn.sort(key=lambda item: (-item.difficulty, item.id))
    return PracticePart(
        need.point,
        need.bank_point,
        need.reason,
        need.rate,
        need.gained,
        need.possible,
        need.n_items,
        tuple(item.id for item in drawn),
    )


def _lot(key: str, item: str) -> bytes:
    """A lot that is the same on every machine and in every Python version."""
    return hashlib.sha256(f"{key}:{item}".encode()).digest()
