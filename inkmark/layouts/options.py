"""How answer sheets are built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inkmark.errors import LayoutError
from inkmark.layouts import _style as st
from inkmark.layouts.model import BoxFrame, BubbleShape, FullBox

__all__ = ["AnswerForm", "NumberForm", "SheetOptions"]


class NumberForm(StrEnum):
    """How candidates give their number."""

    BUBBLES = "bubbles"
    """In a grid of bubbles, with boxes above it to write the digits in; both are read."""
    BOXES = "boxes"
    """In boxes alone."""


class AnswerForm(StrEnum):
    """How candidates answer items with one right option."""

    BUBBLES = "bubbles"
    LETTERS = "letters"
    """By a letter written in a box, where all options are single capital letters or digits.
    Items with several right options keep their bubbles."""


@dataclass(frozen=True, slots=True)
class SheetOptions:
    """How an answer sheet is built.

    Attributes
    ----------
    paper : str
        ``"A4"`` (upright) or ``"A3"`` (lying).
    sides : int
        2 makes the number of pages even, so that sheets can be printed on both sides and each
        starts on a front; the last back may be empty then, see `PageLayout.is_empty`. Items
        that do not fit on one page go on to further pages either way.
    columns : int or None
        Columns of a page, 1 to 3; None takes 1 for A4 and as many as the items allow for A3.
    bubble_style : BubbleShape
    bubble_mm : (float, float)
        Width and height of the bubbles of items, 3 to 7 mm each; equal ones make circles.
    candidate_digits : int or None
        Digits of the candidate number; None takes them from the roster, or 8 without one.
    full_box : FullBox
        What a completely filled bubble of an item means; the sheet says how to mark then.
    number : NumberForm
        How the candidate number is given.
    answers : AnswerForm
        How items with one right option are answered.
    frame : BoxFrame
        How the boxes to write in are printed.
    marker_boxes : bool
        Whether markers have boxes to write points in (先阅后扫): one for each fill-in and
        subjective item, and one for their sum.

    Raises
    ------
    LayoutError
        Where a value is none of these.
    """

    paper: str = "A4"
    sides: int = 1
    columns: int | None = None
    bubble_style: BubbleShape = BubbleShape.OVAL
    bubble_mm: tuple[float, float] = st.BUBBLE
    candidate_digits: int | None = None
    full_box: FullBox = FullBox.MARKED
    number: NumberForm = NumberForm.BUBBLES
    answers: AnswerForm = AnswerForm.BUBBLES
    frame: BoxFrame = BoxFrame.DARK
    marker_boxes: bool = False

    def __post_init__(self) -> None:
        allowed = (
            ("paper", self.paper, tuple(st.PAPER)),
            ("sides", self.sides, (1, 2)),
            ("columns", self.columns, (None, 1, 2, 3)),
            ("bubble_style", self.bubble_style, tuple(BubbleShape)),
            ("full_box", self.full_box, tuple(FullBox)),
            ("number", self.number, tuple(NumberForm)),
            ("answers", self.answers, tuple(AnswerForm)),
            ("frame", self.frame, tuple(BoxFrame)),
        )
        for name, value, values in allowed:
            if value not in values:
                listed = ", ".join(str(v) for v in values if v is not None)
                raise LayoutError(f"{name} is {value!r}. Choose one of: {listed}.")
        low, high = st.BUBBLE_RANGE
        if not all(low <= side <= high for side in self.bubble_mm):
            size = " x ".join(f"{side:g}" for side in self.bubble_mm)
            raise LayoutError(f"bubble_mm is {size}. Choose sides of {low:g} to {high:g} mm.")
        if self.candidate_digits is not None and not 1 <= self.candidate_digits <= 24:
            raise LayoutError(
                f"candidate_digits is {self.candidate_digits}. Choose a number from 1 to 24."
            )
