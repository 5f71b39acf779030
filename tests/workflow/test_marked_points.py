"""Points that markers wrote, on their way into scores and the review."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from small_exams import small_exam

from inkmark.exam import Item, ItemType
from inkmark.geometry import Box
from inkmark.layouts import AnchorKind, Anchors, PageLayout, Role, SheetLayout, WritingField
from inkmark.readings import FieldReading, Flag
from inkmark.store import Decision, StoredReading
from inkmark.workflow.marked_points import collect_marked_points

BOX = Box(0, 0, 10, 8)


def opened() -> Any:
    items = (
        Item("1", ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(2)),
        *(Item(n, ItemType.SUBJECTIVE, (), (), Decimal(10)) for n in ("2", "3")),
    )
    fields = tuple(
        WritingField(f"P{n}", BOX, charset="points", role=Role.POINTS, item=n) for n in "123"
    )
    page = PageLayout(210, 297, Anchors(AnchorKind.IMAGE), fields)
    return SimpleNamespace(exam=small_exam(items), layout=SheetLayout("v", "t", (page,)))


def stored(field: str, *choices: tuple[str, float], decided: str | None = None) -> StoredReading:
    value, p = choices[0]
    flag = Flag.OK if p > 0.9 else Flag.DOUBTFUL
    at = dt.datetime(2026, 11, 21)  # noqa: DTZ001 - the store keeps UTC without a zone
    decision = None if decided is None else Decision("77", field, decided, "office", at)
    reading = FieldReading(field, value, p, flag, (), BOX, (choices,))
    return StoredReading(7, "77", 1, 0, reading, decision)


def test_clear_points_count_and_doubtful_ones_wait_for_a_person() -> None:
    readings = [stored("P2", ("7.5", 0.999)), stored("P3", ("6", 0.6), ("8", 0.4))]
    marked = collect_marked_points(opened(), readings, {})
    assert marked.given == {("77", "2"): Decimal("7.5")}
    assert marked.sources == {("77", "2"): readings[0]}
    assert marked.open == {("77", "P3")}
    assert marked.open_items == {("77", "3")}


def test_points_that_people_entered_win_and_need_no_look() -> None:
    readings = [stored("P2", ("7.5", 0.999)), stored("P3", ("6", 0.6), ("8", 0.4))]
    entered = {("77", "2"): Decimal(3), ("77", "3"): Decimal(4)}
    marked = collect_marked_points(opened(), readings, entered)
    assert (marked.given, marked.open) == ({}, frozenset())
    assert marked.open_items == {("77", "3")}


def test_a_decision_wins_over_what_was_read() -> None:
    readings = [stored("P2", ("7.5", 0.999), decided="1.5")]
    assert collect_marked_points(opened(), readings, {}).given == {("77", "2"): Decimal("1.5")}


def test_points_are_never_above_the_full_mark() -> None:
    readings = [stored("P2", ("12", 0.999)), stored("P3", ("7", 0.999), decided="11")]
    marked = collect_marked_points(opened(), readings, {})
    assert marked.given == {}
    assert ("77", "P2") in marked.open


def test_an_empty_box_waits_for_points_and_not_for_a_look() -> None:
    marked = collect_marked_points(opened(), [stored("P2", ("", 1.0))], {})
    assert (marked.given, marked.open) == ({}, frozenset())


def test_items_with_a_key_are_scored_by_it() -> None:
    marked = collect_marked_points(opened(), [stored("P1", ("2", 0.999))], {})
    assert (marked.given, marked.open) == ({}, frozenset())


def test_a_clear_reading_that_people_decided_otherwise_before_waits_for_them() -> None:
    clear = stored("P2", ("7", 0.999))
    disputed = replace(clear, reading=replace(clear.reading, flag=Flag.CONTESTED))
    marked = collect_marked_points(opened(), [disputed], {})
    assert (marked.given, marked.open) == ({}, {("77", "P2")})
