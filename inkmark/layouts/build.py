"""Building the answer sheet of an exam.

Items flow in their order through the columns of the pages. Neighbours of one type form a
section with a heading. Bubble rows stand in blocks of five, blocks side by side in a band;
fill-in items have boxes, subjective items framed areas whose height follows their points.
The page layouts hold where everything is; `inkmark.layouts.printing` draws the rest at
fixed distances from it, by the measures in `_style`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from inkmark.drawing import PT_PER_MM, width_mm
from inkmark.errors import LayoutError
from inkmark.exam import Exam, Item, ItemType, printed_options
from inkmark.fonts import fit_text
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts.format import layout_version
from inkmark.layouts.model import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    BubbleShape,
    CodeField,
    Field,
    FullBox,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)

__all__ = ["SheetOptions", "build_layout"]

_DIGITS = tuple("0123456789")
_DEFAULT_DIGITS = 8
_MAX_PAGES = 200


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

    def __post_init__(self) -> None:
        allowed = (
            ("paper", self.paper, tuple(st.PAPER)),
            ("sides", self.sides, (1, 2)),
            ("columns", self.columns, (None, 1, 2, 3)),
            ("bubble_style", self.bubble_style, tuple(BubbleShape)),
            ("full_box", self.full_box, tuple(FullBox)),
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


def build_layout(exam: Exam, options: SheetOptions | None = None) -> SheetLayout:
    """Lay out the answer sheet of an exam.

    Parameters
    ----------
    exam : Exam
    options : SheetOptions, optional

    Returns
    -------
    SheetLayout
        Fields: ``Q<number>`` bubbles, ``W<number>`` boxes of fill-in items, ``A<number>``
        areas of subjective items; on the first page ``name``, ``candidate`` (bubble grid),
        ``candidate_written`` (boxes above it) and ``absent``; on every page the QR code
        ``page``.

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
    top = columns[0].y + st.INFO_HEIGHT + st.INFO_GAP
    first = tuple(
        Box(c.x, top, c.w, c.bottom - top) if i < info_span else c for i, c in enumerate(columns)
    )
    flow = _Flow(first, columns)
    for run in st.sections(exam):
        for index, block in enumerate(_blocks(run, columns[0].w, options)):
            flow.place(block, starts_section=index == 0)
    width, height = st.PAPER[options.paper]
    size = st.CODE_SIZE
    code = CodeField("page", _box(width - st.CONTENT_MARGIN - size, st.CODE_TOP, size, size))
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
                _box(side - w / 2, at - h / 2, w, h)
                if upright
                else _box(at - h / 2, side - w / 2, h, w)
            )
    return Anchors(AnchorKind.SQUARES, squares, key, tuple(timing))


def _columns(exam: Exam, options: SheetOptions) -> tuple[Box, ...]:
    """The columns of a page as wide as the widest row needs, or as many as were asked for."""
    widths = ((_row_width(run, options), _most_options(run).number) for run in st.sections(exam))
    needed, widest = max(widths, key=lambda entry: entry[0])
    if options.columns is not None:
        counts: Sequence[int] = (options.columns,)
    else:
        counts = (1,) if options.paper == "A4" else (3, 2, 1)
    for count in counts:
        columns = _equal_columns(options.paper, count)
        if needed <= columns[0].w:
            return columns
    raise LayoutError(
        f"item {widest}: its row is {needed:.0f} mm wide and a column is {columns[0].w:.0f} mm "
        "wide. Choose fewer columns, A3 paper, or fewer options."
    )


def _equal_columns(paper: str, count: int) -> tuple[Box, ...]:
    width, height = st.PAPER[paper]
    w = (width - 2 * st.CONTENT_MARGIN - (count - 1) * st.COLUMN_GAP) / count
    bottom = height - st.CONTENT_MARGIN - st.FOOTER
    return tuple(
        _box(st.CONTENT_MARGIN + i * (w + st.COLUMN_GAP), st.BODY_TOP, w, bottom - st.BODY_TOP)
        for i in range(count)
    )


def _info_block(
    exam: Exam, options: SheetOptions, columns: tuple[Box, ...]
) -> tuple[tuple[Field, ...], int]:
    """Name, absent mark and candidate number; and how many columns they stand across."""
    digits = options.candidate_digits or max(
        (len(c.number) for c in exam.candidates), default=_DEFAULT_DIGITS
    )
    fixed = st.INFO_MIN + st.INFO_GAP + 2 * st.GRID_PADDING
    for span in range(1, len(columns) + 1):
        left, right = columns[0].x, columns[span - 1].right
        step = min(st.GRID_STEP[0], (right - left - fixed) / digits)
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
    written = WritingField(
        "candidate_written",
        _box(grid_x, top + st.GRID_CAPTION, step, st.WRITTEN_DIGIT),
        digits,
        step,
        "digits",
    )
    grid_w, grid_h = st.GRID_BUBBLE
    first_row = written.box.bottom + st.WRITTEN_GAP + st.GRID_STEP[1] / 2
    grid = BubbleField(
        "candidate",
        _DIGITS,
        _point(grid_x + step / 2, first_row),
        (0.0, st.GRID_STEP[1]),
        grid_w,
        grid_h,
        digits,
        (step, 0.0),
        BubbleShape(options.bubble_style),
        role=Role.CANDIDATE,
    )
    info_right = grid_x - st.GRID_PADDING - st.INFO_GAP
    name = AreaField(
        "name",
        _box(left + st.NAME_LABEL, top, info_right - left - st.NAME_LABEL, st.NAME_BOX),
    )
    bubble_w, bubble_h = options.bubble_mm
    absent = BubbleField(
        "absent",
        ("absent",),
        _point(
            left + st.GRID_PADDING + bubble_w / 2,
            top + st.INFO_HEIGHT - (bubble_h + st.ROW_GAP) / 2 - 1.0,
        ),
        (0.0, 0.0),
        bubble_w,
        bubble_h,
        shape=BubbleShape(options.bubble_style),
        role=Role.ABSENT,
    )
    return (name, written, grid, absent), span


# --- blocks of items --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """Something that stands in one column and is not broken."""

    height: float
    fields: Callable[[Box], tuple[Field, ...]]
    stretches: bool = False


def _label_width(run: Sequence[Item]) -> float:
    labels = (st.item_label(item.number) for item in run)
    return max(st.LABEL_MIN, *(width_mm(x, st.LABEL_SIZE_PT) for x in labels))


def _most_options(run: Sequence[Item]) -> Item:
    return max(run, key=lambda item: len(item.options))


def _row_width(run: Sequence[Item], options: SheetOptions) -> float:
    """Width in mm that the longest row of a section needs."""
    bubbles = len(_most_options(run).options) * (options.bubble_mm[0] + st.OPTION_GAP)
    return 2 * st.BAND_PADDING + _label_width(run) + st.LABEL_GAP + bubbles


def _blocks(run: Sequence[Item], column_w: float, options: SheetOptions) -> Iterator[_Block]:
    if run[0].type.is_objective:
        return _bands(run, column_w, options)
    if run[0].type is ItemType.FILL_IN:
        return _fill_in_rows(run, column_w)
    return _areas(run)


def _bands(run: Sequence[Item], column_w: float, options: SheetOptions) -> Iterator[_Block]:
    """Bands of blocks of five bubble rows, blocks side by side."""
    option_step = options.bubble_mm[0] + st.OPTION_GAP
    row_step = options.bubble_mm[1] + st.ROW_GAP
    row_w = _row_width(run, options)
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
                    _point(
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

        yield _Block(n_rows * row_step + 2 * st.BAND_PADDING, fields)


def _fill_in_rows(run: Sequence[Item], column_w: float) -> Iterator[_Block]:
    n_side = max(1, int(column_w / st.FILL_IN_CELL_MIN))
    cell = column_w / n_side
    indent = st.BAND_PADDING + _label_width(run) + st.LABEL_GAP
    for start in range(0, len(run), n_side):
        row = run[start : start + n_side]

        def fields(box: Box, row: Sequence[Item] = row) -> tuple[Field, ...]:
            y = box.y + (st.FILL_IN_ROW - st.FILL_IN_BOX) / 2
            return tuple(
                WritingField(
                    f"W{item.number}",
                    _box(
                        box.x + k * cell + indent,
                        y,
                        cell - indent - st.BAND_PADDING,
                        st.FILL_IN_BOX,
                    ),
                    role=Role.ITEM,
                    item=item.number,
                )
                for k, item in enumerate(row)
            )

        yield _Block(st.FILL_IN_ROW, fields)


def _areas(run: Sequence[Item]) -> Iterator[_Block]:
    for item in run:

        def fields(box: Box, item: Item = item) -> tuple[Field, ...]:
            area = _box(box.x, box.y, box.w, box.h - st.AREA_GAP)
            return (AreaField(f"A{item.number}", area, Role.ITEM, item.number),)

        height = max(st.AREA_MIN, st.AREA_BASE + st.AREA_PER_POINT * float(item.points))
        yield _Block(height, fields, stretches=True)


# --- flow -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    block: _Block
    before: float
    """Room above the block: gap and heading."""


class _Flow:
    """Fills column after column and page after page."""

    def __init__(self, first: tuple[Box, ...], further: tuple[Box, ...]) -> None:
        self._further = further
        self._slots: list[tuple[Box, list[_Placed]]] = [(column, []) for column in first]
        self._at = 0
        self._used = 0.0

    def place(self, block: _Block, *, starts_section: bool) -> None:
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


def _box(x: float, y: float, w: float, h: float) -> Box:
    """A box in whole micrometres, so that layout files stay readable."""
    return Box(round(x, 3), round(y, 3), round(w, 3), round(h, 3))


def _point(x: float, y: float) -> tuple[float, float]:
    return round(x, 3), round(y, 3)
