"""Which fields of a page wait for a person."""

from __future__ import annotations

from inkmark.exam.example import example_exam
from inkmark.geometry import Box
from inkmark.layouts import AnchorKind, Anchors, PageLayout, Role, WritingField
from inkmark.readings import Flag
from inkmark.session.balance import _waiting_flags


def test_a_line_that_a_key_judges_waits_where_images_contradict_each_other_alone() -> None:
    """Item 4 is a fill-in with a key, item 5 is marked by people."""
    line, essay = (
        WritingField(f"W{n}", Box(0, 0, 40, 8), role=Role.ITEM, item=n) for n in ("4", "5")
    )
    page = PageLayout(210, 297, Anchors(AnchorKind.IMAGE), (line, essay))
    items = {item.number: item for item in example_exam("en").items}
    assert _waiting_flags(page, items) == {"W4": (Flag.CONTESTED,)}
