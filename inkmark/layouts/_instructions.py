"""The panel that tells candidates how to mark, and the bubbles drawn there and elsewhere."""

from __future__ import annotations

from inkmark.drawing import PT_PER_MM, Pen
from inkmark.fonts import wrap_text
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts._words import Words
from inkmark.layouts.model import BubbleShape

__all__ = ["draw_bubble", "draw_instructions"]

BUBBLE_LINE_PT = 0.6


def draw_instructions(
    pen: Pen, box: Box, said: Words, shape: BubbleShape, *, is_cancelling: bool
) -> None:
    """Draw rules and examples of right and wrong marks, as large as the box allows.

    Parameters
    ----------
    pen : Pen
    box : Box
    said : Words
    shape : BubbleShape
        Of the bubbles of the sheet.
    is_cancelling : bool
        Whether bubbles are crossed, and filled to take a cross back.
    """
    x, width = box.x + 3.0, box.w - 6.0
    pen.text(x, box.y + 5.5, said.instructions, size=9.5, bold=True, width=width)
    said_rules = said.rules_of_crossing if is_cancelling else said.rules
    marks = box.bottom - 4.5
    top, room = box.y + 7.5, marks - 3.5 - (box.y + 7.5)
    for size in (9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0):
        indent = 1.3 * size / PT_PER_MM
        rules = [wrap_text(r, (width - indent) * PT_PER_MM, size) for r in said_rules]
        leading = 1.5 * size / PT_PER_MM
        if sum(map(len, rules)) * leading <= room:
            break
    baseline = top + 0.7 * leading
    for number, rule in enumerate(rules, 1):
        pen.text(x, baseline, f"{number}.", size=size)
        for line in rule:
            pen.text(x + indent, baseline, line, size=size)
            baseline += leading
    groups = [(said.right, ["full"]), (said.wrong, ["tick", "cross", "dot"])]
    if is_cancelling:
        groups = [(said.right, ["cross"]), (said.cancelled, ["full"]), (said.wrong, ["dot"])]
    w, h = st.BUBBLE
    gap = 1.6
    needed = sum((w + gap) * len(kinds) + 1.5 for _, kinds in groups)
    for label, kinds in groups:
        x += pen.label(x, marks, label, size=8.0, width=(width - needed) / len(groups)) + gap
        for kind in kinds:
            _draw_example(pen, Box(x, marks - h / 2, w, h), shape, kind)
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
