"""Points of markers: what items allow, and whether they add up."""

from decimal import Decimal

import pytest
from small_exams import small_exam

from inkmark.exam import Item, ItemType
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)
from inkmark.marking.marker_points import MarkerOptions, settle_points
from inkmark.readings import FieldReading, Flag

BOX = Box(0, 0, 10, 8)
FULL = (4, 6, 10, 12)


def exam(full=FULL):
    items = tuple(
        Item(str(n), ItemType.SUBJECTIVE, (), (), Decimal(p)) for n, p in enumerate(full, start=1)
    )
    return small_exam(items)


def layout(*, total=True, areas=()):
    fields = [
        AreaField(f"P{k}", BOX, Role.POINTS, str(k), 4)
        if k in areas
        else WritingField(f"P{k}", BOX, charset="points", role=Role.POINTS, item=str(k))
        for k in range(1, len(FULL) + 1)
    ]
    if total:
        fields.append(WritingField("total", BOX, charset="points", role=Role.TOTAL))
    page = PageLayout(210, 297, Anchors(AnchorKind.IMAGE), tuple(fields))
    return SheetLayout("v", "t", (page,))


def reading(field, *choices, flag=Flag.OK):
    return FieldReading(field, choices[0][0], choices[0][1], flag, (), BOX, (choices,))


def sheet(*values, total=None):
    """A reading a value; a value is a text or a tuple of choices."""
    names = [f"P{k}" for k in range(1, len(values) + 1)]
    entries = [*zip(names, values, strict=True)] + ([("total", total)] if total else [])
    return {
        name: reading(name, *((value, 0.999),) if isinstance(value, str) else value)
        for name, value in entries
    }


def settle(readings, decided=None, **more):
    return settle_points(exam(), layout(**more), readings, decided or {})


def test_clear_points_that_add_up_are_certain():
    found = settle(sheet("4", "5.5", "0", "12", total="21.5"))
    assert [found[f"P{k}"].points for k in (1, 2, 3, 4)] == [
        Decimal(4), Decimal("5.5"), Decimal(0), Decimal(12),
    ]  # fmt: skip
    assert found["total"].points == Decimal("21.5")
    assert all(points.is_certain for points in found.values())


def test_points_above_the_full_mark_are_not_meant():
    found = settle(sheet((("75", 0.9), ("7.5", 0.1)), "6", "10", "1"), total=False)
    assert found["P1"].points is None
    found = settle(sheet("1", (("55", 0.9), ("5.5", 0.1)), "10", "1"), total=False)
    assert found["P2"].points == Decimal("5.5")
    assert found["P2"].is_certain


def test_points_that_only_a_trace_speaks_for_are_in_doubt():
    found = settle(sheet("1", (("65", 0.999), ("5", 0.001)), "1", "1"), total=False)
    assert not found["P2"].is_certain


def test_the_sum_settles_one_doubtful_score():
    doubtful = (("7", 0.6), ("1", 0.4))
    alone = settle(sheet("4", "5", doubtful, "2"), total=False)["P3"]
    assert not alone.is_certain
    found = settle(sheet("4", "5", doubtful, "2", total="18"))
    assert found["P3"].points == Decimal(7)
    assert found["P3"].is_certain
    found = settle(sheet("4", "5", doubtful, "2", total="12"))
    assert found["P3"].points == Decimal(1)
    assert found["P3"].is_certain


def test_a_doubtful_total_is_settled_by_the_scores():
    found = settle(sheet("4", "5", "7", "2", total=(("18", 0.7), ("10", 0.3))))
    assert (found["total"].points, found["total"].is_certain) == (Decimal(18), True)


def test_two_explanations_stay_in_doubt():
    found = settle(sheet((("1", 0.6), ("4", 0.4)), (("4", 0.6), ("1", 0.4)), "7", "2", total="14"))
    assert not found["P1"].is_certain
    assert not found["P2"].is_certain
    assert found["P3"].is_certain


def test_a_sum_that_does_not_come_out_is_flagged_with_the_scores_to_blame():
    found = settle(sheet("3", "5", "7", "2", total="16"))
    assert not found["total"].is_certain
    doubts = [1 - found[f"P{k}"].probability for k in (1, 2, 3, 4)]
    assert min(doubts) > 0.05
    assert not found["P1"].is_certain  # of the fewest points, one is the likeliest misread
    assert [found[f"P{k}"].points for k in (1, 2, 3, 4)] == [3, 5, 7, 2]


def test_a_clear_reading_is_flagged_and_not_overruled_by_the_sum():
    weak = (("3", 0.985), ("2", 0.015))
    found = settle(sheet(weak, "5", "7", "2", total="16"))
    assert not found["P1"].is_certain
    assert found["P2"].is_certain


def test_what_is_blank_or_unreadable_leaves_the_sum_some_weight():
    doubtful = (("7", 0.75), ("1", 0.25))
    sums = sheet("4", (("", 1.0),), doubtful, "2", total="13")
    found = settle(sums)
    assert (found["P3"].points, found["P3"].is_certain) == (Decimal(7), True)
    assert not found["P2"].is_certain
    # the unreadable one has 6 points at most, so 19 can be reached with 7 only
    found = settle(sheet("4", (("?", 1.0),), doubtful, "2", total="19"))
    assert (found["P3"].points, found["P3"].is_certain) == (Decimal(7), True)
    assert not found["P2"].is_certain
    # and 13 with either
    found = settle(sheet("4", (("?", 1.0),), doubtful, "2", total="13"))
    assert not found["P3"].is_certain


def test_a_score_that_cannot_be_read_is_not_made_up_from_the_total():
    struck = (("?", 1.0),)
    found = settle(sheet("4", "5", struck, "2", total="18"))
    assert found["P3"].points is None
    assert not found["P3"].is_certain
    assert found["P1"].is_certain


@pytest.mark.parametrize("blank", [(("", 1.0),), (("?", 0.9), ("7", 0.1))])
def test_blank_and_unreadable_points_are_uncertain(blank):
    found = settle(sheet("4", "5", blank, "2"), total=False)
    assert not found["P3"].is_certain


def test_decisions_are_certain_and_help_the_others():
    doubtful = (("7", 0.6), ("1", 0.4))
    readings = sheet("4", (("?", 1.0),), doubtful, "2", total="18")
    found = settle(readings, {"P2": "5"})
    assert found["P2"].points == Decimal(5)
    assert found["P3"].points == Decimal(7)
    assert found["P3"].is_certain


def test_a_field_outside_the_image_is_uncertain():
    readings = sheet("4", "5", "7", "2") | {
        "P3": FieldReading("P3", "", 0, Flag.UNREADABLE, (), BOX)
    }
    assert not settle(readings, total=False)["P3"].is_certain


def test_a_page_that_is_not_there_leaves_the_total_unchecked():
    found = settle({k: v for k, v in sheet("4", "5", "7", "2", total="30").items() if k != "P4"})
    assert set(found) == {"P1", "P2", "P3", "total"}
    assert all(points.is_certain for points in found.values())


def test_ticks_are_worth_their_share():
    found = settle_points(exam(), layout(areas=(3,)), sheet("4", "5", "3.5", "2"), {})
    assert found["P3"].points == Decimal("8.75")


def test_the_certainty_asked_for_decides():
    readings = sheet((("3", 0.9), ("2", 0.1)), "5", "7", "2")
    strict = settle_points(exam(), layout(total=False), readings, {}, MarkerOptions(certainty=0.95))
    loose = settle_points(exam(), layout(total=False), readings, {}, MarkerOptions(certainty=0.85))
    assert not strict["P1"].is_certain
    assert loose["P1"].is_certain
