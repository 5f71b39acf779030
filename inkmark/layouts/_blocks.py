"""The blocks that items are arranged in: bubble rows, boxes and areas.

A block stands in one column and is not broken; where is decided in `inkmark.layouts.build`.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from inkmark.drawing import width_mm
from inkmark.exam import Item, ItemType
from inkmark.exam.answers import Amount, parse_answer
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts.model import (
    AreaField,
    BubbleField,
    BubbleShape,
    Field,
    FullBox,
    Role,
    WritingField,
)
from inkmark.layouts.options import AnswerForm, SheetOptions

__all__ = ["Block", "blocks", "can_be_lettered", "placed_box", "placed_point", "row_width"]

_LETTERS = string.ascii_uppercase + string.digits
_EASY = 5
_FIRST_CHINESE = 0x2E80


@dataclass(frozen=True, slots=True)
class Block:
    """Something that stands in one column and is not broken."""

    height: float
    fields: Callable[[Box], tuple[Field, ...]]
    stretches: bool = False


def _label_width(run: Sequence[Item]) -> float:
    labels = (st.item_label(item.number) for item in run)
    return max(st.LABEL_MIN, *(width_mm(x, st.LABEL_SIZE_PT) for x in labels))


def _most_options(run: Sequence[Item]) -> Item:
    return max(run, key=lambda item: len(item.options))


def _letter_cell(run: Sequence[Item]) -> float:
    return _label_width(run) + st.LABEL_GAP + st.LETTER_BOX + st.LETTER_GAP


def row_width(run: Sequence[Item], options: SheetOptions) -> float:
    """Width in mm that the longest row of a section needs."""
    if is_lettered(run, options):
        return 2 * st.BAND_PADDING + _letter_cell(run)
    bubbles = len(_most_options(run).options) * (options.bubble_mm[0] + st.OPTION_GAP)
    return 2 * st.BAND_PADDING + _label_width(run) + st.LABEL_GAP + bubbles


def can_be_lettered(item: Item) -> bool:
    """Whether an item can be answered by one letter or digit in a box."""
    is_single = item.type in (ItemType.SINGLE, ItemType.TRUE_FALSE)
    return is_single and all(len(o) == 1 and o in _LETTERS for o in item.options)


def is_lettered(run: Sequence[Item], options: SheetOptions) -> bool:
    """Whether a section is answered by letters in boxes."""
    return options.answers is AnswerForm.LETTERS and all(map(can_be_lettered, run))


def blocks(run: Sequence[Item], column_w: float, options: SheetOptions) -> Iterator[Block]:
    """The blocks of a section, for a column of a width in mm."""
    if is_lettered(run, options):
        return _letter_rows(run, column_w, options)
    if run[0].type.is_objective:
        return _bands(run, column_w, options)
    if run[0].type is ItemType.FILL_IN:
        return _fill_in_rows(run, column_w, options)
    return _areas(run, options)


def _bands(run: Sequence[Item], column_w: float, options: SheetOptions) -> Iterator[Block]:
    """Bands of blocks of five bubble rows, blocks side by side."""
    option_step = options.bubble_mm[0] + st.OPTION_GAP
    row_step = options.bubble_mm[1] + st.ROW_GAP
    row_w = row_width(run, options)
    n_side = max(1, int((column_w + st.BLOCK_GAP) / (row_w + st.BLOCK_GAP)))
    pitch = column_w / n_side
    indent = st.BAND_PADDING + _label_width(run) + st.LABEL_GAP + option_step / 2
    per_band = n_side * st.ROWS_PER_BLOCK
    for start in range(0, len(run), per_band):
        band = run[start : start + per_band]
        # Fewer items than two blocks are spread over the width instead, to be low.
        n_rows = min(st.ROWS_PER_BLOCK, len(band))
        if len(run) < 2 * st.ROWS_PER_BLOCK:
            n_rows = -(-len(band) // n_side)

        def fields(
            box: Box, band: Sequence[Item] = band, n_rows: int = n_rows
        ) -> tuple[Field, ...]:
            return tuple(
                BubbleField(
                    f"Q{item.number}",
                    item.options,
                    placed_point(
                        box.x + indent + k // n_rows * pitch,
                        box.y + st.BAND_PADDING + (k % n_rows + 0.5) * row_step,
                    ),
                    (option_step, 0.0),
                    *options.bubble_mm,
                    shape=BubbleShape(options.bubble_style),
                    multiple=item.type is ItemType.MULTIPLE,
                    role=Role.ITEM,
                    item=item.number,
                    full_box=FullBox(options.full_box),
                )
                for k, item in enumerate(band)
            )

        yield Block(n_rows * row_step + 2 * st.BAND_PADDING, fields)


def _letter_rows(run: Sequence[Item], column_w: float, options: SheetOptions) -> Iterator[Block]:
    """Rows of items, each with a box for one letter."""
    indent = st.BAND_PADDING + _label_width(run) + st.LABEL_GAP
    room = column_w - 2 * st.BAND_PADDING
    n_side = max(1, int(room / _letter_cell(run)))
    if n_side > _EASY:
        n_side -= n_side % _EASY  # rows of five or ten are found easily
    cell = room / n_side
    for start in range(0, len(run), n_side):
        row = run[start : start + n_side]

        def fields(box: Box, row: Sequence[Item] = row) -> tuple[Field, ...]:
            y = box.y + st.LETTER_PADDING
            return tuple(
                WritingField(
                    f"Q{item.number}",
                    placed_box(box.x + k * cell + indent, y, st.LETTER_BOX, st.LETTER_BOX),
                    charset="".join(item.options),
                    role=Role.ITEM,
                    item=item.number,
                    frame=options.frame,
                )
                for k, item in enumerate(row)
            )

        yield Block(st.LETTER_BOX + 2 * st.LETTER_PADDING, fields)


def _fill_in_rows(run: Sequence[Item], column_w: float, options: SheetOptions) -> Iterator[Block]:
    """Rows of items, each with a wide box, and perhaps a box for its points behind it."""
    points_w = st.POINTS_LABEL + st.POINTS_BOX[0] if options.marker_boxes else 0.0
    n_side = max(1, int(column_w / (st.FILL_IN_CELL_MIN + points_w)))
    cell = column_w / n_side
    indent = st.BAND_PADDING + _label_width(run) + st.LABEL_GAP
    for start in range(0, len(run), n_side):
        row = run[start : start + n_side]

        def fields(box: Box, row: Sequence[Item] = row) -> tuple[Field, ...]:
            y = box.y + st.WRITING_PADDING
            found: list[Field] = []
            for k, item in enumerate(row):
                x, end = box.x + k * cell + indent, box.x + (k + 1) * cell - st.BAND_PADDING
                found.append(
                    WritingField(
                        f"W{item.number}",
                        placed_box(x, y, end - points_w - x, st.FILL_IN_BOX),
                        charset="number" if _is_number(item) else "text",
                        role=Role.ITEM,
                        item=item.number,
                        frame=options.frame,
                    )
                )
                if options.marker_boxes:
                    found.append(_points_box(item, end, y, options))
            return tuple(found)

        yield Block(st.FILL_IN_BOX + 2 * st.WRITING_PADDING, fields)


def _areas(run: Sequence[Item], options: SheetOptions) -> Iterator[Block]:
    for item in run:

        def fields(box: Box, item: Item = item) -> tuple[Field, ...]:
            area = placed_box(box.x, box.y, box.w, box.h - st.AREA_GAP)
            field = AreaField(f"A{item.number}", area, Role.ITEM, item.number)
            if not options.marker_boxes:
                return (field,)
            inner = area.grown(-st.POINTS_GAP)
            return (field, _points_box(item, inner.right, inner.y, options))

        height = max(st.AREA_MIN, st.AREA_BASE + st.AREA_PER_POINT * float(item.points))
        yield Block(height, fields, stretches=True)


def _points_box(item: Item, right: float, top: float, options: SheetOptions) -> WritingField:
    """The box for an item's points, by its upper right corner."""
    w, h = st.POINTS_BOX
    return WritingField(
        f"P{item.number}",
        placed_box(right - w, top, w, h),
        charset="points",
        role=Role.POINTS,
        item=item.number,
        frame=options.frame,
    )


def _is_number(item: Item) -> bool:
    """Whether every accepted answer is a number in digits, without a unit."""
    answers = [parse_answer(text) for text in item.key]
    return bool(answers) and all(
        isinstance(a, Amount)
        and all(not unit for _, unit in a.parts)
        and not any(ord(sign) >= _FIRST_CHINESE for sign in a.text)
        for a in answers
    )


def placed_box(x: float, y: float, w: float, h: float) -> Box:
    """A box in whole micrometres, so that layout files stay readable."""
    return Box(round(x, 3), round(y, 3), round(w, 3), round(h, 3))


def placed_point(x: float, y: float) -> tuple[float, float]:
    return round(x, 3), round(y, 3)
