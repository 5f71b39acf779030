"""Scoring responses. Points are exact decimals throughout.

The rules are those of Chinese and international practice: all or nothing, shared by key,
half or a fixed number for an incomplete set, an explicit table, negative marking (formula
scoring) and void items; see docs/formats/exam.md for how they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from inkmark.exam import (
    Exam,
    Item,
    ItemType,
    RuleKind,
    format_rule,
    join_labels,
    split_value,
)
from inkmark.marking.answers import is_accepted
from inkmark.marking.responses import Response, ResponseStatus

__all__ = [
    "ManualPoints",
    "ScoreRecord",
    "ScoreStatus",
    "score_item",
    "score_responses",
]

ManualPoints = Mapping[tuple[str, str], Decimal]
"""Points that people gave, by (candidate, item)."""

_Outcome = tuple[str, "ScoreStatus", Decimal | None]
"""The value, and the status and points of its score."""
_PRESENT = (ResponseStatus.ANSWERED, ResponseStatus.BLANK, ResponseStatus.PENDING)


class ScoreStatus(StrEnum):
    """Whether there is a score, and why not."""

    SCORED = "scored"
    PENDING = "pending"
    ABSENT = "absent"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """A candidate's score on an item, with what it rests on.

    Attributes
    ----------
    candidate, item : str
    points : Decimal or None
        None unless `status` is ``SCORED``.
    full : Decimal
        Full mark of the item.
    value : str
        The response; empty for blank, and where people gave the points and the key does not
        bear out that this is what was written.
    status : ScoreStatus
    rule, key : str
        Scoring rule (as `format_rule` writes it) and key that were applied.
    """

    candidate: str
    item: str
    points: Decimal | None
    full: Decimal
    value: str
    status: ScoreStatus
    rule: str
    key: str


def score_item(item: Item, value: str) -> Decimal:
    """Points for a response to an objective or fill-in item.

    Parameters
    ----------
    item : Item
        Not subjective, unless it is void.
    value : str
        As in `FieldReading.value`; empty for blank. The order of options does not matter.
        A mark that is not among the options is a wrong one.

    Returns
    -------
    Decimal
        From 0 (with negative marking: from the deduction below 0) to the full mark.

    Raises
    ------
    ValueError
        For a subjective item.
    """
    if item.rule.kind is RuleKind.VOID:
        return item.points
    if item.type is ItemType.SUBJECTIVE:
        raise ValueError(f"item {item.number} is subjective; a person gives its points")
    if item.type is ItemType.FILL_IN:
        return item.points if is_accepted(item.key, value) else Decimal(0)
    return _score_marks(item, frozenset(split_value(value, item.options)))


def score_responses(
    exam: Exam, responses: Iterable[Response], manual_points: ManualPoints
) -> tuple[ScoreRecord, ...]:
    """Score every response.

    Void items give all points to every candidate who is present: of whom a page was received
    or to whom a person gave points. Points given to a candidate who is marked absent make the
    item pending, for one of the two is wrong.

    Parameters
    ----------
    exam : Exam
    responses : iterable of Response
        For items of the exam.
    manual_points : mapping of (candidate, item) to Decimal
        Points of subjective and fill-in items; see `load_points`.

    Returns
    -------
    tuple of ScoreRecord
        In the order of the responses.
    """
    responses = tuple(responses)
    present = {r.candidate for r in responses if r.status in _PRESENT}
    present |= {candidate for candidate, _ in manual_points}
    scorers = {item.number: _scorer(item) for item in exam.items}
    facts = {
        item.number: (item.points, format_rule(item.rule), item.key_value) for item in exam.items
    }
    records = []
    for response in responses:
        value, status, points = scorers[response.item](
            response.value,
            response.status,
            response.candidate in present,
            manual_points.get((response.candidate, response.item)),
        )
        full, rule, key = facts[response.item]
        records.append(
            ScoreRecord(response.candidate, response.item, points, full, value, status, rule, key)
        )
    return tuple(records)


def _scorer(
    item: Item,
) -> Callable[[str, ResponseStatus, bool, Decimal | None], _Outcome]:
    """The outcome of an item for a value, status, presence and points given by a person.

    Each distinct response is scored once.
    """

    @cache
    def outcome(
        value: str, status: ResponseStatus, present: bool, given: Decimal | None
    ) -> _Outcome:
        if status is ResponseStatus.ABSENT:
            return value, (ScoreStatus.PENDING if given else ScoreStatus.ABSENT), None
        if item.rule.kind is RuleKind.VOID and present:
            return value, ScoreStatus.SCORED, item.points
        if given is not None:
            stated = value if _is_borne_out(item, value, status, given) else ""
            return stated, ScoreStatus.SCORED, given
        if status is ResponseStatus.MISSING:
            return value, ScoreStatus.MISSING, None
        if status is ResponseStatus.PENDING or not _has_key(item):
            return value, ScoreStatus.PENDING, None
        return value, ScoreStatus.SCORED, score_item(item, value)

    return outcome


def _is_borne_out(item: Item, value: str, status: ResponseStatus, given: Decimal) -> bool:
    """Whether the key is sure of a value and does not contradict points that people gave."""
    if status is not ResponseStatus.ANSWERED or item.type is not ItemType.FILL_IN or not item.key:
        return False
    return not given or score_item(item, value) > 0


def _has_key(item: Item) -> bool:
    """Whether the item is scored by a key; a fill-in item without answers is not."""
    return item.type.is_objective or bool(item.key)


def _score_marks(item: Item, marked: frozenset[str]) -> Decimal:
    rule, key = item.rule, frozenset(item.key)
    if rule.kind is RuleKind.TABLE:
        value = join_labels((o for o in item.options if o in marked), item.options)
        known = marked <= set(item.options)
        return dict(rule.table).get(value, Decimal(0)) if known else Decimal(0)
    if marked == key:
        return item.points
    if rule.kind is RuleKind.NEGATIVE:
        return -rule.points if marked else Decimal(0)
    if not marked or not marked < key:
        return Decimal(0)
    if rule.kind is RuleKind.COUNT:
        return item.points * len(marked) / len(key)
    if rule.kind is RuleKind.HALF:
        return item.points / 2
    if rule.kind is RuleKind.SUBSET:
        return rule.points
    return Decimal(0)
