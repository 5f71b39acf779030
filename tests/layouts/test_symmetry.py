"""Which pages look the same upside down."""

from __future__ import annotations

import pytest

from inkmark.layouts import AnchorKind, Anchors, BubbleField, PageLayout
from inkmark.layouts.symmetry import looks_the_same_turned


def page(*fields):
    return PageLayout(100.0, 140.0, Anchors(AnchorKind.IMAGE), fields)


def row(name, x, y):
    return BubbleField(name, tuple("ABCD"), (x, y), (10.0, 0.0), 5.0, 5.0)


@pytest.mark.parametrize(
    ("rows", "alike"),
    [
        ([(35.0, 70.0)], True),
        ([(35.0, 40.0), (35.0, 100.0)], True),
        ([(36.0, 71.0)], True),  # less than half a bubble off
        ([(35.0, 40.0), (35.0, 110.0)], False),
        ([(20.0, 70.0)], False),
        ([], False),
    ],
)
def test_only_bubbles_about_the_middle_look_the_same(rows, alike):
    fields = [row(f"q{k}", *place) for k, place in enumerate(rows)]
    assert looks_the_same_turned(page(*fields)) is alike
