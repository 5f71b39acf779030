"""Points that markers wrote on the sheets, as scoring takes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inkmark.layouts import Role
from inkmark.marking import ManualPoints
from inkmark.marking.marker_points import (
    points_fields,
    settle_points,
)
from inkmark.readings import FieldReading, Flag
from inkmark.store import StoredReading
from inkmark.workflow.folder import OpenExam

__all__ = ["MarkedPoints", "collect_marked_points"]


@dataclass(frozen=True, slots=True)
class MarkedPoints:
    """What the sheets say of points.

    Attributes
    ----------
    given : mapping of (candidate, item) to Decimal
        Points that count.
    sources : dict of (candidate, item) to StoredReading
        The readings that they were taken from.
    open : frozenset of (str, str)
        Candidates and fields that a person has to look at.
    open_items : frozenset of (str, str)
        Candidates and items with points that are in doubt, also where people entered others.
    """

    given: ManualPoints
    sources: dict[tuple[str, str], StoredReading]
    open: frozenset[tuple[str, str]]
    open_items: frozenset[tuple[str, str]]


def collect_marked_points(
    opened: OpenExam, readings: Sequence[StoredReading], entered: ManualPoints
) -> MarkedPoints:
    """Settle the points on every sheet.

    Parameters
    ----------
    opened : OpenExam
    readings : sequence of StoredReading
        Those in use, with what people decided.
    entered : mapping of (candidate, item) to Decimal
        Points that people entered themselves; nobody needs to look at their items.

    Returns
    -------
    MarkedPoints
        Fields in which nothing is written are not open: they wait for points.
    """
    fields = points_fields(opened.layout)
    by_hand = {item.number for item in opened.exam.items if not item.type.is_objective}
    sheets: defaultdict[str, dict[str, StoredReading]] = defaultdict(dict)
    for stored in readings:
        if stored.reading.field in fields:
            sheets[stored.candidate][stored.reading.field] = stored
    given: dict[tuple[str, str], Decimal] = {}
    sources: dict[tuple[str, str], StoredReading] = {}
    waiting: set[tuple[str, str]] = set()
    waiting_items: set[tuple[str, str]] = set()
    for candidate, sheet in sheets.items():
        decided = {name: s.decision.value for name, s in sheet.items() if s.decision}
        read = {name: s.reading for name, s in sheet.items()}
        settled = settle_points(opened.exam, opened.layout, read, decided)
        for name, points in settled.items():
            field = fields[name]
            place = candidate, field.item
            if field.role is Role.POINTS and field.item not in by_hand:
                continue
            if _is_blank(read[name]) and name not in decided:
                continue
            contested = read[name].flag is Flag.CONTESTED and name not in decided
            in_doubt = contested or not points.is_certain
            if in_doubt and field.role is Role.POINTS:
                waiting_items.add(place)
            if place in entered:
                continue
            if in_doubt:
                waiting.add((candidate, name))
            elif field.role is Role.POINTS and points.points is not None:
                given[place], sources[place] = points.points, sheet[name]
    return MarkedPoints(given, sources, frozenset(waiting), frozenset(waiting_items))


def _is_blank(reading: FieldReading) -> bool:
    return not reading.value and reading.flag is Flag.OK
