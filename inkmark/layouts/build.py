"""Building the answer sheet of an exam.

Items flow in their order through the columns of the pages. Neighbours of one type form a
section with a heading. Bubble rows stand in blocks of five, blocks side by side in a band;
fill-in items have boxes, subjective items framed areas whose height follows their points.
The page layouts hold where everything is; `inkmark.layouts.printing` draws the rest at
fixed distances from it, by the measures in `_style`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from inkmark.drawing import PT_PER_MM, width_mm
from inkmark.errors import LayoutError
from inkmark.exam import Exam, Item, printed_options
from inkmark.fonts import fit_text
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts._blocks import Block, blocks, placed_box, placed_point, row_width
from inkmark.layouts.format import layout_version
from inkmark.layouts.model import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    BubbleShape,
    CodeField,
    Field,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)
from inkmark.layouts.options import NumberForm, SheetOptions

__all__ = ["build_layout"]

_DIGITS = tuple("0123456789")
_DEFAULT_DIGITS = 8
_MAX_PAGES = 200


def build_layout(exam: Exam, options: SheetOptions | None = None) -> SheetLayout:
    """Lay out the answer sheet of an exam.

    Parameters
    ----------
    exam : Exam
    options : SheetOptions, optional

    Returns
    -------
    SheetLayout
        Fields: ``Q<number>`` bubbles or the box for a letter, ``W<number>`` boxes of fill-in
        items, ``A<number>`` areas of subjective items, ``P<number>`` boxes for their points;
        on the first page ``name``, ``candidate`` (bubble grid), ``candidate_written`` (boxes
        for the same number), ``absent`` and ``total`` (box for the sum of points); on every
        page the QR code ``page``.

    Raises
    ------
    LayoutError
        Where the exam has no items, or something is too wide for the paper.
    """
    options = options or SheetOptions()
    if not exam.items:
        raise LayoutError("the exam has no items. Fill in the sheet 'items' of exam.xlsx.")
    for item in exam.items:
        _check_item(item, exam.language, options)
    columns = _columns(exam, options)
    info_fields, info_span = _info_block(exam, options, columns)
    top = columns[0].y + st.info_height(has_grid=options.number is NumberForm.BUBBLES) + st.INFO_GAP
    first = tuple(
        Box(c.x, top, c.w, c.bottom - top) if i < info_span else c for i, c in enumerate(columns)
    )
    flow = _Flow(first, columns)
    for run in st.sections(exam):
        for index, block in enumerate(blocks(run, columns[0].w, options)):
            flow.place(block, starts_section=index == 0)
    width, height = st.PAPER[options.paper]
    size = st.CODE_SIZE
    code = CodeField("page", placed_box(width - st.CONTENT_MARGIN - size, st.CODE_TOP, size, size))
    pages = [
        PageLayout(
            width,
            height,
            _anchors(width, height),
            ((code, *info_fields) if i == 0 else (code,)) + fields,
            first if i == 0 else columns,
        )
        for i, fields in enumerate(flow.pages())
    ]
    if options.sides == 2 and len(pages) % 2:
        pages.append(PageLayout(width, height, _anchors(width, height), (code,), columns))
    title = " ".join(exam.title.split())
    return SheetLayout(layout_version(pages), title, tuple(pages))


def _check_item(item: Item, language: str, options: SheetOptions) -> None:
    if item.type.is_objective and not item.options:
        raise LayoutError(f"item {item.number} has no options. Fill them in in exam.xlsx.")
    room = (options.bubble_mm[0] - 1.0) * PT_PER_MM
    for label in printed_options(item, language):
        if (
            fit_text(label, room, st.BUBBLE_LABEL_PT, min_size_pt=st.BUBBLE_LABEL_MIN_PT)[0]
            != label
        ):
            raise LayoutError(
                f"item {item.number}: the option label {label!r} does not fit into a bubble. "
                "Use labels of one or two characters."
            )
    if width_mm(st.item_label(item.number), st.LABEL_SIZE_PT) > 3 * st.LABEL_MIN:
        raise LayoutError(
            f"item {item.number}: the item number is too long to be printed. "
            "Use at most about ten characters, like 21(2)."
        )


# --- the page ---------------------------------------------------------------------------


def _anchors(width: float, height: float) -> Anchors:
    near, size = st.SQUARE_MARGIN, st.SQUARE
    right, bottom = width - near - size, height - near - size
    squares = tuple(
        Box(x, y, size, size)
        for x, y in ((near, near), (right, near), (right, bottom), (near, bottom))
    )
    middle, upright = near + size / 2, height > width
    length, thick = st.KEY_MARK
    across, along = middle - thick / 2, near + size + st.KEY_MARK_GAP
    # The key mark stands on the short side and the timing marks along the long ones.
    key = Box(along, across, length, thick) if upright else Box(across, along, thick, length)
    span = (height if upright else width) - 2 * middle
    n_steps = round(span / st.TIMING_STEP)
    w, h = st.TIMING_MARK
    timing = []
    for side in (middle, (width if upright else height) - middle):
        for k in range(1, n_steps):
            at = middle + span * k / n_steps
            timing.append(
                placed_box(side - w / 2, at - h / 2, w, h)
                if upright
                else placed_box(at - h / 2, side - w / 2, h, w)
            )
    return Anchors(AnchorKind.SQUARES, squares, key, tuple(timing))


def _columns(exam: Exam, options: SheetOptions) -> tuple[Box, ...]:
    """The columns of a page as wide as the widest row needs, or as many as were asked for."""
    widths = ((row_width(run, options), run) for run in st.sections(exam))
    needed, widest = max(widths, key=lambda entry: entry[0])
    if options.columns is not None:
        counts: Sequence[int] = (options.columns,)
    else:
        counts = (1,) if options.paper == "A4" else (3, 2, 1)
    for count in counts:
        columns = _equal_columns(options.paper, count)
        if needed <= columns[0].w:
            return columns
    item = max(widest, key=lambda item: len(item.options))
    raise LayoutError(
        f"item {item.number}: its row is {needed:.0f} mm wide and a column is "
        f"{columns[0].w:.0f} mm wide. Choose fewer columns, A3 paper, or fewer options."
    )


def _equal_columns(paper: str, count: int) -> tuple[Box, ...]:
    width, height = st.PAPER[paper]
    w = (width - 2 * st.CONTENT_MARGIN - (count - 1) * st.COLUMN_GAP) / count
    bottom = height - st.CONTENT_MARGIN - st.FOOTER
    return tuple(
        placed_box(
            st.CONTENT_MARGIN + i * (w + st.COLUMN_GAP), st.BODY_TOP, w, bottom - st.BODY_TOP
        )
        for i in range(count)
    )


def _info_block(
    exam: Exam, options: SheetOptions, columns: tuple[Box, ...]
) -> tuple[tuple[Field, ...], int]:
    """Name, absent mark and candidate number; and how many columns they stand across."""
    digits = options.candidate_digits or max(
        (len(c.number) for c in exam.candidates), default=_DEFAULT_DIGITS
    )
    is_grid = options.number is NumberForm.BUBBLES
    widest = st.GRID_STEP[0] if is_grid else st.NUMBER_STEP
    fixed = st.INFO_MIN + st.INFO_GAP + 2 * st.GRID_PADDING
    for span in range(1, len(columns) + 1):
        left, right = columns[0].x, columns[span - 1].right
        step = min(widest, (right - left - fixed) / digits)
        if step >= st.GRID_STEP_MIN:
            break
    else:
        raise LayoutError(
            f"a candidate number of {digits} digits does not fit on {options.paper} paper. "
            "Use A3 paper or shorter candidate numbers."
        )
    step = round(step, 2)
    top = columns[0].y
    grid_x = right - st.GRID_PADDING - digits * step
    box_w, box_h = (step, st.WRITTEN_DIGIT) if is_grid else (step - st.NUMBER_GAP, st.NUMBER_BOX)
    written = WritingField(
        "candidate_written",
        placed_box(grid_x + (step - box_w) / 2, top + st.GRID_CAPTION, box_w, box_h),
        digits,
        step,
        "digits",
        role=Role.CANDIDATE,
        frame=options.frame,
    )
    info_right = grid_x - st.GRID_PADDING - st.INFO_GAP
    name = AreaField(
        "name",
        placed_box(left + st.NAME_LABEL, top, info_right - left - st.NAME_LABEL, st.NAME_BOX),
    )
    bubble_w, bubble_h = options.bubble_mm
    bottom = top + st.info_height(has_grid=is_grid)
    absent = BubbleField(
        "absent",
        ("absent",),
        placed_point(
            left + st.GRID_PADDING + bubble_w / 2, bottom - (bubble_h + st.ROW_GAP) / 2 - 1.0
        ),
        (0.0, 0.0),
        bubble_w,
        bubble_h,
        shape=BubbleShape(options.bubble_style),
        role=Role.ABSENT,
    )
    fields = [name, written, *_number_grid(written, options), absent, *_total_box(options)]
    return tuple(fields), span


def _number_grid(written: WritingField, options: SheetOptions) -> Iterator[Field]:
    """The bubbles below the boxes of the candidate number."""
    if options.number is NumberForm.BUBBLES:
        yield BubbleField(
            "candidate",
            _DIGITS,
            placed_point(
                written.box.centre[0], written.box.bottom + st.WRITTEN_GAP + st.GRID_STEP[1] / 2
            ),
            (0.0, st.GRID_STEP[1]),
            *st.GRID_BUBBLE,
            written.n_boxes,
            (written.step, 0.0),
            BubbleShape(options.bubble_style),
            role=Role.CANDIDATE,
        )


def _total_box(options: SheetOptions) -> Iterator[Field]:
    if options.marker_boxes:
        box = placed_box(st.CONTENT_MARGIN, st.TOTAL_TOP, *st.TOTAL_BOX)
        yield WritingField("total", box, charset="points", role=Role.TOTAL, frame=options.frame)


# --- flow -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    block: Block
    before: float
    """Room above the block: gap and heading."""


class _Flow:
    """Fills column after column and page after page."""

    def __init__(self, first: tuple[Box, ...], further: tuple[Box, ...]) -> None:
        self._further = further
        self._slots: list[tuple[Box, list[_Placed]]] = [(column, []) for column in first]
        self._at = 0
        self._used = 0.0

    def place(self, block: Block, *, starts_section: bool) -> None:
        heading = st.HEADING if starts_section else 0.0
        while True:
            column, placed = self._slots[self._at]
            before = heading + (st.SECTION_GAP if starts_section and placed else 0.0)
            room = column.h - self._used - before
            if block.height <= room:
                break
            if block.stretches and not placed and column.h == self._further[0].h:
                block = replace(block, height=room)
                break
            self._next_column()
        placed.append(_Placed(block, before))
        self._used += before + block.height

    def pages(self) -> Iterator[tuple[Field, ...]]:
        """The fields of each page."""
        n_columns = len(self._further)
        for start in range(0, self._at + 1, n_columns):
            slots = self._slots[start : start + n_columns]
            yield tuple(f for column, placed in slots for f in _column_fields(column, placed))

    def _next_column(self) -> None:
        self._at += 1
        self._used = 0.0
        if self._at == len(self._slots):
            if self._at >= _MAX_PAGES * len(self._further):
                raise LayoutError(
                    f"the sheet needs more than {_MAX_PAGES} pages. "
                    "Split the exam, or use A3 paper and more columns."
                )
            self._slots += [(column, []) for column in self._further]


def _column_fields(column: Box, placed: Sequence[_Placed]) -> Iterator[Field]:
    """Fields of one column; answer areas share what room is left, within reason."""
    left_over = column.h - sum(p.before + p.block.height for p in placed)
    areas = sum(p.block.height for p in placed if p.block.stretches)
    stretch = min(1 + left_over / areas, st.AREA_STRETCH) if areas else 1.0
    y = column.y
    for p in placed:
        height = p.block.height * (stretch if p.block.stretches else 1.0)
        yield from p.block.fields(Box(column.x, y + p.before, column.w, height))
        y += p.before + height
