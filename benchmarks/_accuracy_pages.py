"""Simulated answer sheets with their truth, for the benchmark of reading accuracy."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.exam import Exam, Item, ItemType, Policy
from inkmark.layouts import (
    BubbleField,
    BubbleShape,
    FullBox,
    PageLayout,
    Role,
    SheetLayout,
    SheetOptions,
    build_layout,
    print_sheets,
)
from inkmark.simulator import (
    Bilevel,
    Condition,
    Effect,
    Level,
    MarkStyle,
    ScannerModel,
    SimulatedPage,
    draw_condition,
    draw_writer,
    fill_sheet,
    render_pages,
    simulate,
    single_effect,
)

__all__ = ["GROUPS", "SHEETS", "Expected", "Group", "Manner", "Sheet", "TestPage", "make_page"]

Marks = tuple[tuple[int, MarkStyle], ...]


class Manner(StrEnum):
    """How a field is filled; a row of the table of mark styles."""

    FULL = "full"
    HASTY = "hasty"
    LIGHT = "light pencil"
    TICK = "tick"
    CROSS = "cross"
    BLANK = "blank"
    SPILL = "over the edge"
    ERASED = "erased clean"
    RECONSIDERED = "erased clean, another marked"
    STRAY = "stray stroke"
    REVOKED = "cancelled by filling"
    REPLACED = "cancelled by filling, another crossed"
    DOT = "small dot"
    CIRCLE = "circle around"
    OUTSIDE = "outside the box"
    SMUDGED = "erased badly"
    SMUDGED_TWO = "erased badly, another marked"
    CORRECTED = "one struck out, another marked"
    TWO = "two marks"
    NUMBER = "candidate number"
    ABSENT = "absent mark, blank"


NORMAL = {
    Manner.FULL: (MarkStyle.FILL, 0.45),
    Manner.HASTY: (MarkStyle.HASTY, 0.20),
    Manner.LIGHT: (MarkStyle.LIGHT, 0.15),
    Manner.TICK: (MarkStyle.TICK, 0.10),
    Manner.CROSS: (MarkStyle.CROSS, 0.10),
}
_PLAIN = (Manner.SPILL, Manner.ERASED, Manner.RECONSIDERED, Manner.STRAY)
_CANCELLING = (Manner.REVOKED, Manner.REPLACED)
_DISPUTED = (
    Manner.DOT,
    Manner.CIRCLE,
    Manner.OUTSIDE,
    Manner.SMUDGED,
    Manner.SMUDGED_TWO,
    Manner.CORRECTED,
    Manner.TWO,
)


_PEN_SHARE = 0.25
"""Of the writers; the others have a 2B pencil."""


class Group(StrEnum):
    """What is asked of a reader."""

    NORMAL = "normal marks"
    """Nothing but right will do; a flag costs a person's time."""
    PLAIN = "other plain marks"
    """A careful person is sure; a flag is no surprise."""
    DISPUTED = "marks people cannot agree on"
    """Must be flagged."""


GROUPS = {
    manner: Group.DISPUTED
    if manner in _DISPUTED
    else Group.PLAIN
    if manner in (*_PLAIN, *_CANCELLING)
    else Group.NORMAL
    for manner in Manner
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of answer sheet.

    Attributes
    ----------
    name : str
    single, multiple : int
        Number of items of each kind.
    options : str
    shape : BubbleShape
    size_mm : (float, float)
    language : str
    full_box : FullBox
        Of the items; where it cancels, people cross and tick.
    """

    name: str
    single: int
    multiple: int = 0
    options: str = "ABCD"
    shape: BubbleShape = BubbleShape.OVAL
    size_mm: tuple[float, float] = (5.0, 3.0)
    language: str = "en"
    full_box: FullBox = FullBox.MARKED


SHEETS = (
    Sheet("60 x 4, oval 5 x 3 mm", 60),
    Sheet("100 x 4 dense, round 3 mm", 100, size_mm=(3.0, 3.0)),
    Sheet("60 x 4, round 4.2 mm", 60, size_mm=(4.2, 4.2)),
    Sheet("40 x 5, round 7 mm", 40, options="ABCDE", size_mm=(7.0, 7.0)),
    Sheet("60 x 4, [A] 5 x 3 mm", 60, shape=BubbleShape.RECTANGLE, language="zh"),
    Sheet("80 x 4, [A] 4 x 3 mm", 80, shape=BubbleShape.RECTANGLE, size_mm=(4.0, 3.0)),
    Sheet("50 x 4, [A] 7 x 3.5 mm", 50, shape=BubbleShape.RECTANGLE, size_mm=(7.0, 3.5)),
    Sheet("30 + 30 of several, oval 4 x 3 mm", 30, 30, size_mm=(4.0, 3.0), language="zh"),
    Sheet(
        "60 x 4, squares of 4 mm, filling cancels",
        60,
        shape=BubbleShape.RECTANGLE,
        size_mm=(4.0, 4.0),
        full_box=FullBox.CANCELLED,
    ),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """The truth about a field.

    Attributes
    ----------
    value : str
        What a careful person reads; of a disputed field the option that was meant.
    manner : Manner
    """

    value: str
    manner: Manner


@dataclass(frozen=True, slots=True)
class TestPage:
    """A simulated page, what it is and what is on it.

    Attributes
    ----------
    sheet : Sheet
    layout : SheetLayout
    page_number : int
    condition : Condition
    image : SimulatedPage
    expected : mapping of str to Expected
        By the name of the bubble field.
    ending : str
        Of the file that the device writes.
    quality : int
        Of JPEG, where the file is one or holds one.
    """

    __test__ = False  # no test case, whatever its name

    sheet: Sheet
    layout: SheetLayout
    page_number: int
    condition: Condition
    image: SimulatedPage
    expected: Mapping[str, Expected]
    ending: str
    quality: int

    @property
    def page(self) -> PageLayout:
        """The layout of this page."""
        return self.layout.pages[self.page_number]


def make_page(stratum: Level | Effect, seed: int) -> TestPage:
    """Simulate a page; the same stratum and seed give the same page.

    Parameters
    ----------
    stratum : Level or Effect
        The mixture of a level, or a clean scan with one effect.
    seed : int

    Returns
    -------
    TestPage
    """
    strata: tuple[Level | Effect, ...] = (*Level, *Effect)
    rng = np.random.default_rng((seed, strata.index(stratum)))
    sheet = SHEETS[int(rng.integers(len(SHEETS)))]
    if isinstance(stratum, Level):
        condition = draw_condition(stratum, rng)
    else:
        condition = single_effect(stratum, rng)
    device = condition.device
    quality = device.jpeg_quality or 85
    condition = replace(condition, device=replace(device, jpeg_quality=None))  # the file has it
    ending = ".jpg"
    if isinstance(device, ScannerModel):
        two_tone = device.bilevel is not Bilevel.NONE
        endings = (".tif", ".png", ".pdf") if two_tone else (".jpg", ".jpg", ".pdf")
        ending = endings[int(rng.integers(3))]
    layout, _ = _layout(sheet)
    page_number = int(rng.integers(len(layout.pages)))
    page = layout.pages[page_number]
    printed = _printed(sheet, page_number, condition.dpi)
    marks, expected = _fill(page, rng)
    other_side = None
    if condition.sheet.show_through:
        back, _ = _fill(page, rng)
        other_side = fill_sheet(printed, page, back, condition.dpi, rng)
    writer = draw_writer(rng, pen_share=_PEN_SHARE)
    image = simulate(printed, page, marks, condition, rng, writer=writer, other_side=other_side)
    return TestPage(sheet, layout, page_number, condition, image, expected, ending, quality)


def _fill(
    page: PageLayout, rng: np.random.Generator
) -> tuple[dict[tuple[str, int], Marks], dict[str, Expected]]:
    """Marks of one person: most in one manner, some in another, a few odd."""
    manners = list(NORMAL)
    shares = [share for _, share in NORMAL.values()]
    habit = manners[int(rng.choice(len(manners), p=shares))]
    marks: dict[tuple[str, int], Marks] = {}
    expected: dict[str, Expected] = {}
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        if field.role is Role.CANDIDATE:
            style = MarkStyle.HASTY if habit is Manner.HASTY else MarkStyle.FILL
            digits = rng.integers(0, len(field.options), field.n_groups).tolist()
            marks |= {(field.name, g): ((digit, style),) for g, digit in enumerate(digits)}
            number = "".join(field.options[digit] for digit in digits)
            expected[field.name] = Expected(number, Manner.NUMBER)
        elif field.role is Role.ABSENT:
            expected[field.name] = Expected("", Manner.ABSENT)
        else:
            manner = _manner(habit, field, rng)
            chosen, meant = _answer(field, manner, rng)
            marks[field.name, 0] = chosen
            value = "".join(field.options[k] for k in sorted(meant))
            expected[field.name] = Expected(value, manner)
    return marks, expected


def _manner(habit: Manner, field: BubbleField, rng: np.random.Generator) -> Manner:
    cancelling = field.full_box is FullBox.CANCELLED
    normal = (Manner.CROSS, Manner.TICK) if cancelling else tuple(NORMAL)
    plain = _CANCELLING if cancelling else _PLAIN
    disputed: tuple[Manner, ...] = _DISPUTED
    if cancelling:  # a box that is filled and struck out is plainly cancelled
        disputed = (Manner.DOT, Manner.CIRCLE, Manner.OUTSIDE, Manner.TWO)
    elif field.multiple:
        disputed = tuple(manner for manner in _DISPUTED if manner is not Manner.TWO)
    kind = rng.random()
    if kind < 0.76:
        return habit if habit in normal else normal[0]
    if kind < 0.91:
        return normal[int(rng.integers(len(normal)))] if kind < 0.85 else Manner.BLANK
    rare = plain if kind < 0.94 else disputed
    return rare[int(rng.integers(len(rare)))]


def _answer(
    field: BubbleField, manner: Manner, rng: np.random.Generator
) -> tuple[Marks, tuple[int, ...]]:
    """Marks on a field's options, and the options that are meant."""
    first, second, third = (int(k) for k in rng.permutation(len(field.options))[:3])
    fill = MarkStyle.CROSS if field.full_box is FullBox.CANCELLED else MarkStyle.FILL
    fixed: dict[Manner, tuple[Marks, tuple[int, ...]]] = {
        Manner.BLANK: ((), ()),
        Manner.SPILL: (((first, MarkStyle.SPILL),), (first,)),
        Manner.ERASED: (((first, MarkStyle.ERASED),), ()),
        Manner.RECONSIDERED: (((first, MarkStyle.ERASED), (second, fill)), (second,)),
        Manner.STRAY: (((first, MarkStyle.STRAY), (second, fill)), (second,)),
        Manner.REVOKED: (((first, MarkStyle.FILL),), ()),
        Manner.REPLACED: (((first, MarkStyle.FILL), (second, fill)), (second,)),
        Manner.DOT: (((first, MarkStyle.DOT),), (first,)),
        Manner.CIRCLE: (((first, MarkStyle.CIRCLE),), (first,)),
        Manner.OUTSIDE: (((first, MarkStyle.OUTSIDE),), (first,)),
        Manner.SMUDGED: (((first, MarkStyle.SMUDGED),), ()),
        Manner.SMUDGED_TWO: (((first, MarkStyle.SMUDGED), (second, fill)), (second,)),
        Manner.CORRECTED: (((first, MarkStyle.CANCELLED), (second, fill)), (second,)),
        Manner.TWO: (((first, fill), (second, fill)), (first, second)),
    }
    if manner in fixed:
        return fixed[manner]
    style, _ = NORMAL[manner]
    chosen: tuple[int, ...] = (first,)
    if field.multiple:
        chosen = (first, second, third)[: int(rng.integers(1, 4))]
    return tuple((k, style) for k in chosen), chosen


@lru_cache(maxsize=len(SHEETS))
def _layout(sheet: Sheet) -> tuple[SheetLayout, Exam]:
    def item(n: int) -> Item:
        multiple = n >= sheet.single
        return Item(
            str(n + 1),
            ItemType.MULTIPLE if multiple else ItemType.SINGLE,
            tuple(sheet.options),
            ("AB",) if multiple else ("A",),
            Decimal(1),
        )

    exam = Exam(
        id="ACCURACY",
        title="Reading accuracy" if sheet.language == "en" else "识读准确率",
        subject="Mathematics" if sheet.language == "en" else "数学",
        grade="9",
        date=None,
        language=sheet.language,
        policy=Policy(),
        items=tuple(item(n) for n in range(sheet.single + sheet.multiple)),
        candidates=(),
    )
    options = SheetOptions(
        bubble_style=sheet.shape, bubble_mm=sheet.size_mm, full_box=sheet.full_box
    )
    return build_layout(exam, options), exam


@lru_cache(maxsize=48)
def _printed(sheet: Sheet, page_number: int, dpi: float) -> NDArray[np.uint8]:
    layout, exam = _layout(sheet)
    with tempfile.TemporaryDirectory(prefix="inkmark-accuracy-") as name:
        path = Path(name) / "sheet.pdf"
        print_sheets(layout, exam, path, serials=("1",) if len(layout.pages) > 1 else ("",))
        factor = round(600 / dpi)
        (pixels,) = render_pages(path, dpi, [page_number], oversampling=factor)
    return pixels
