"""Parts that sheets are drawn of: frames of boxes, bubbles, and the fields they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from reportlab.lib.colors import Color

from inkmark.drawing import Colour, Pen
from inkmark.errors import LayoutError
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts._instructions import draw_bubble
from inkmark.layouts.model import AreaField, BubbleField, CodeField, PageLayout, WritingField

__all__ = ["AGAIN", "draw_bubbles", "draw_frames", "field_of", "row_box"]

AGAIN = "Build the layout again from this exam (inkmark sheets) and print that."
LETTER = 0.55

_F = TypeVar("_F", AreaField, BubbleField, CodeField, WritingField)


def field_of(page: PageLayout, name: str, kind: type[_F]) -> _F:
    """The field of that name; every sheet that `build_layout` makes has it."""
    for field in page.fields:
        if field.name == name and isinstance(field, kind):
            return field
    raise LayoutError(f"the layout has no field {name!r} and cannot be printed. {AGAIN}")


def draw_bubbles(pen: Pen, field: BubbleField, labels: Sequence[str]) -> None:
    """The bubbles of a field, with a label in each."""
    for k, (cx, cy) in enumerate(field.centres().tolist()):
        box = Box(cx - field.bubble_w / 2, cy - field.bubble_h / 2, field.bubble_w, field.bubble_h)
        draw_bubble(pen, box, field.shape)
        label = labels[k % len(labels)]
        if label:
            pen.label(
                cx,
                cy,
                label,
                size=st.BUBBLE_LABEL_PT,
                colour=LETTER,
                align="centre",
                width=field.bubble_w - 1.0,
            )


def draw_frames(pen: Pen, field: WritingField) -> None:
    """The frames of a field's boxes."""
    colour = _colour(st.FRAMES[field.frame])
    for box in field.boxes():
        pen.rect(box, stroke=colour, width_pt=st.FRAME_LINES_PT[field.frame])


def row_box(name: Box, row: int) -> Box:
    """The name's box, and below it the box of the class."""
    return Box(name.x, name.y + row * (name.h + 2.0), name.w, name.h)


def _colour(colour: float | tuple[float, float, float]) -> Colour:
    return colour if isinstance(colour, float) else Color(*colour)
