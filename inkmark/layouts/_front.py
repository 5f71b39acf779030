"""The front of a sheet: name, candidate number, instructions, and the sum of points."""

from __future__ import annotations

from inkmark.drawing import Pen
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts._instructions import SheetForm, draw_instructions
from inkmark.layouts._parts import draw_bubbles, draw_frames, field_of, row_box
from inkmark.layouts._words import Words
from inkmark.layouts.fit import full_box_of_items, has_letters, number_grid
from inkmark.layouts.model import AreaField, BubbleField, FullBox, Role, SheetLayout, WritingField

__all__ = ["draw_front"]


def draw_front(pen: Pen, layout: SheetLayout, said: Words, *, named: bool) -> None:
    """Draw name, candidate number and instructions, and the box for the sum of points.

    Parameters
    ----------
    pen : Pen
        On the first page.
    layout : SheetLayout
    said : Words
    named : bool
        Whether name and number are printed on every copy.
    """
    page = layout.pages[0]
    name = field_of(page, "name", AreaField)
    written = field_of(page, "candidate_written", WritingField)
    absent = field_of(page, "absent", BubbleField)
    left, right = name.box.x - st.NAME_LABEL, name.box.right
    for row, label in enumerate((said.name, said.class_name)):
        box = row_box(name.box, row)
        pen.label(left, box.centre[1], label, size=10.5, bold=True, width=13.0)
        pen.rect(box, stroke=st.OUTLINE, width_pt=st.HAIRLINE_PT)
    grid = number_grid(layout)
    bubbles = full_box_of_items(layout)
    form = SheetForm(
        shape=absent.shape,
        is_cancelling=bubbles is FullBox.CANCELLED,
        has_bubbles=bubbles is not None,
        has_letters=has_letters(layout),
        has_grid=grid is not None,
    )
    number = _number(pen, written, grid, said, named=named)
    bottom = name.box.y + st.info_height(has_grid=form.has_grid)
    top = row_box(name.box, 1).bottom + 3.0
    if not form.has_grid:
        right = number.right  # the instructions stand below both
    rules = Box(left, top, right - left, absent.box.y - 2.5 - top)
    pen.rect(
        Box(left, top, right - left, bottom - top),
        stroke=st.INK,
        width_pt=st.FRAME_LINE_PT,
        radius=1.2,
    )
    pen.line(left, rules.bottom, right, rules.bottom, colour=st.RULE, width_pt=st.HAIRLINE_PT)
    draw_bubbles(pen, absent, ("",))
    x = absent.box.right + 2.0
    pen.label(x, absent.box.centre[1], said.absent, size=8.0, width=right - x - 2.0)
    draw_instructions(pen, rules, said, form)
    total = next((f for f in page.fields if f.role is Role.TOTAL), None)
    if isinstance(total, WritingField):
        _total(pen, total, said)


def _number(
    pen: Pen, written: WritingField, grid: BubbleField | None, said: Words, *, named: bool
) -> Box:
    """The boxes and bubbles for the candidate number, and the frame around them."""
    x = written.box.centre[0] - written.step / 2
    box = Box(
        x - st.GRID_PADDING,
        written.box.y - st.GRID_CAPTION,
        written.n_boxes * written.step + 2 * st.GRID_PADDING,
        st.INFO_HEIGHT if grid is not None else st.NUMBER_HEIGHT,
    )
    caption = f"{said.number} {said.number_printed}" if named else said.number
    pen.rect(box, stroke=st.INK, width_pt=st.FRAME_LINE_PT, radius=1.2)
    pen.label(
        box.centre[0],
        box.y + st.GRID_CAPTION / 2,
        caption,
        size=10.0,
        bold=True,
        align="centre",
        width=box.w - 3.0,
    )
    draw_frames(pen, written)
    if grid is not None:
        draw_bubbles(pen, grid, grid.options)
    else:
        below = Box(box.x, written.box.bottom, box.w, box.bottom - written.box.bottom)
        text = f"{said.digits}{said.separator}0 1 2 3 4 5 6 7 8 9"
        pen.text_in(below.grown(-0.5), text, size=8.5, colour=st.OUTLINE, align="centre")
    return box


def _total(pen: Pen, field: WritingField, said: Words) -> None:
    """The box for the sum of points, left of the title."""
    box = field.box
    draw_frames(pen, field)
    pen.label(box.x, box.y - 2.0, said.total, size=8.5, bold=True, width=box.w)
    note = f"{said.marker}{said.separator}{said.half}"
    pen.text_in(Box(box.x, box.bottom + 0.5, box.w, 3.5), note, size=6.0, colour=st.OUTLINE)
