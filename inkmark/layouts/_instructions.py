"""The panel that tells candidates how to mark, and the bubbles drawn there and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from inkmark.drawing import PT_PER_MM, Pen
from inkmark.fonts import wrap_text
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts._words import Words
from inkmark.layouts.model import BubbleShape

__all__ = ["SheetForm", "draw_bubble", "draw_instructions"]

BUBBLE_LINE_PT = 0.6
_WIDE = 3.5
"""In boxes so many times wider than high the rules stand in two columns, and the examples
beside the heading."""
_GAP_MM = 5.0


@dataclass(frozen=True, slots=True)
class SheetForm:
    """What candidates do on a sheet.

    Attributes
    ----------
    shape : BubbleShape
        Of the bubbles of the sheet.
    is_cancelling : bool
        Whether bubbles are crossed, and filled to take a cross back.
    has_bubbles, has_letters : bool
        Whether items are answered in bubbles, or by letters in boxes.
    has_grid : bool
        Whether the candidate number is given in bubbles too.
    """

    shape: BubbleShape
    is_cancelling: bool
    has_bubbles: bool
    has_letters: bool
    has_grid: bool

    def rules(self, said: Words) -> tuple[str, ...]:
        """What candidates are told."""
        first, bubbles, *others = said.rules_of_crossing if self.is_cancelling else said.rules
        rules = [first]
        if not self.has_grid:
            rules.append(said.rule_of_digits)
        if self.has_bubbles or (self.has_grid and not self.has_letters):
            rules.append(bubbles)
        if self.has_letters:
            rules.append(said.rule_of_letters)
        return (*rules, *others)


def draw_instructions(pen: Pen, box: Box, said: Words, form: SheetForm) -> None:
    """Draw rules and examples of right and wrong marks, as large as the box allows.

    Parameters
    ----------
    pen : Pen
    box : Box
    said : Words
    form : SheetForm
    """
    x, width = box.x + 3.0, box.w - 6.0
    used = pen.text(x, box.y + 5.5, said.instructions, size=9.5, bold=True, width=width)
    is_wide = box.w > _WIDE * box.h
    top, bottom = box.y + 7.5, box.bottom - 1.5
    if form.has_bubbles and is_wide:
        _draw_examples(pen, (x + used + 8.0, box.y + 4.2), width - used - 8.0, said, form)
    elif form.has_bubbles:
        _draw_examples(pen, (x, box.bottom - 4.5), width, said, form)
        bottom = box.bottom - 8.0
    rules = [*enumerate(form.rules(said), 1)]
    half = -(-len(rules) // 2)
    columns = [rules[:half], rules[half:]] if is_wide else [rules]
    column_w = (width - (len(columns) - 1) * _GAP_MM) / len(columns)
    for size in (9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0):
        indent, leading = 1.3 * size / PT_PER_MM, 1.5 * size / PT_PER_MM
        room = (column_w - indent) * PT_PER_MM
        lines = {number: wrap_text(rule, room, size) for number, rule in rules}
        if all(
            sum(len(lines[number]) for number, _ in column) * leading <= bottom - top
            for column in columns
        ):
            break
    for place, column in enumerate(columns):
        left, baseline = x + place * (column_w + _GAP_MM), top + 0.7 * leading
        for number, _ in column:
            pen.text(left, baseline, f"{number}.", size=size)
            for line in lines[number]:
                pen.text(left + indent, baseline, line, size=size)
                baseline += leading


def _draw_examples(
    pen: Pen, place: tuple[float, float], width: float, said: Words, form: SheetForm
) -> None:
    """A row of right and wrong marks, from its left middle, in a width in mm."""
    x, middle = place
    groups = [(said.right, ["full"]), (said.wrong, ["tick", "cross", "dot"])]
    if form.is_cancelling:
        groups = [(said.right, ["cross"]), (said.cancelled, ["full"]), (said.wrong, ["dot"])]
    w, h = st.BUBBLE
    gap = 1.6
    needed = sum((w + gap) * len(kinds) + 1.5 for _, kinds in groups)
    for label, kinds in groups:
        x += pen.label(x, middle, label, size=8.0, width=(width - needed) / len(groups)) + gap
        for kind in kinds:
            _draw_example(pen, Box(x, middle - h / 2, w, h), form.shape, kind)
            x += w + gap
        x += 1.5


def draw_bubble(
    pen: Pen, box: Box, shape: BubbleShape, grey: float = st.OUTLINE, *, solid: bool = False
) -> None:
    """Draw a bubble that fills the box, or is filled itself."""
    draw = pen.ellipse if shape is BubbleShape.OVAL else pen.rect
    draw(box, fill=grey if solid else None, stroke=grey, width_pt=BUBBLE_LINE_PT)


def _draw_example(pen: Pen, box: Box, shape: BubbleShape, mark: str) -> None:
    cx, cy = box.centre
    is_full = mark == "full"
    draw_bubble(pen, box, shape, st.INK if is_full else st.OUTLINE, solid=is_full)
    if mark == "tick":
        pen.line(cx - 1.2, cy - 0.2, cx - 0.4, cy + 0.9, width_pt=0.8)
        pen.line(cx - 0.4, cy + 0.9, cx + 1.4, cy - 1.1, width_pt=0.8)
    elif mark == "cross":
        pen.line(cx - 1.0, cy - 1.0, cx + 1.0, cy + 1.0, width_pt=0.8)
        pen.line(cx - 1.0, cy + 1.0, cx + 1.0, cy - 1.0, width_pt=0.8)
    elif mark == "dot":
        dot = Box(cx - 0.7, cy - 0.7, 1.4, 1.4)
        pen.ellipse(dot, fill=st.INK, stroke=st.INK, width_pt=0.4)
