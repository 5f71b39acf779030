"""Our own printed sheets, filled and scanned by the simulator."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from inkmark.exam import Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.images import Pixels
from inkmark.layouts import (
    BubbleField,
    FullBox,
    Role,
    SheetOptions,
    build_layout,
    print_sheets,
)
from inkmark.omr import read_bubbles, register
from inkmark.readings import Flag, Registration
from inkmark.simulator import (
    ORDINARY,
    Bilevel,
    MarkStyle,
    Meaning,
    ScannerModel,
    fill_sheet,
    render_pages,
    scan,
)

DPI = 200
NORMAL = (MarkStyle.FILL, MarkStyle.SPILL, MarkStyle.HASTY)
ODD = (
    MarkStyle.TICK,
    MarkStyle.CROSS,
    MarkStyle.LINE,
    MarkStyle.DOT,
    MarkStyle.CIRCLE,
    MarkStyle.FAINT,
    MarkStyle.HALF,
)


@pytest.fixture(scope="module")
def page():
    return _layout("A4", "oval").pages[0]


@pytest.fixture(scope="module")
def printed(page, tmp_path_factory):
    return _printed("A4", "oval", tmp_path_factory)


def _exam():
    items = tuple(
        Item(str(k + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)) for k in range(60)
    )
    return replace(example_exam("en"), items=items)


def _layout(paper, style):
    return build_layout(_exam(), SheetOptions(paper=paper, bubble_style=style))


def _printed(paper, style, tmp_path_factory):
    path = tmp_path_factory.mktemp("sheets") / "sheet.pdf"
    print_sheets(_layout(paper, style), _exam(), path, None)
    return next(iter(render_pages(path, DPI)))


def _marks(page, rng, *, odd=False):
    """A mark for each item and digit; where `odd`, every third item is marked strangely."""
    marks = {}
    for k, field in enumerate(f for f in page.fields if isinstance(f, BubbleField)):
        for group in range(field.n_groups):
            if field.role is Role.ABSENT:
                continue
            styles = ODD if odd and field.role is Role.ITEM and k % 3 == 0 else NORMAL
            style = MarkStyle(rng.choice([s.value for s in styles]))
            marks[field.name, group] = [(int(rng.integers(len(field.options))), style)]
    return marks


def _read(page, printed, marks, model, rng):
    image = scan(fill_sheet(printed, page, marks, DPI, rng, strays=2), DPI, model, rng)
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration), registration
    return {
        reading.field: reading for reading in read_bubbles(Pixels.of(image), page, registration)
    }


def _truth(page, marks):
    truth = {f.name: "" for f in page.fields if isinstance(f, BubbleField)}
    for (name, _), [(option, _)] in marks.items():
        truth[name] += next(f for f in page.fields if f.name == name).options[option]
    return truth


@pytest.mark.parametrize(
    "model",
    [
        ORDINARY,
        replace(ORDINARY, orientation_deg=180, stretch_mm=0.8, slip_mm=0.3, skew_deg=1.5),
        replace(ORDINARY, orientation_deg=90, jpeg_quality=40),
        replace(ORDINARY, bilevel=Bilevel.THRESHOLD, threshold=170),
        ScannerModel(scale_x=0.93, scale_y=0.93, shift_x_mm=6.0),
    ],
    ids=["ordinary", "stretched", "sideways", "1-bit", "fit to page"],
)
def test_every_normal_mark_is_right(page, printed, model):
    rng = np.random.default_rng(21)
    marks = _marks(page, rng)
    readings = _read(page, printed, marks, model, rng)
    truth = _truth(page, marks)
    assert {name: r.value for name, r in readings.items()} == truth
    assert {r.flag for r in readings.values()} == {Flag.OK}


@pytest.mark.parametrize(("paper", "style"), [("A3", "oval"), ("A4", "rectangle")])
def test_other_sheets(paper, style, tmp_path_factory):
    rng = np.random.default_rng(22)
    page = _layout(paper, style).pages[0]
    marks = _marks(page, rng)
    readings = _read(page, _printed(paper, style, tmp_path_factory), marks, ORDINARY, rng)
    assert {name: r.value for name, r in readings.items()} == _truth(page, marks)


def test_odd_marks_are_read_or_put_to_a_person(page, printed):
    rng = np.random.default_rng(23)
    for _ in range(3):
        marks = _marks(page, rng, odd=True)
        readings = _read(page, printed, marks, ORDINARY, rng)
        truth = _truth(page, marks)
        for (name, _), [(_, style)] in marks.items():
            reading = readings[name]
            if reading.flag is Flag.OK:
                assert style.meaning is Meaning.MARK, (name, style)
                assert reading.value == truth[name], (name, style)


def test_an_unfilled_sheet_is_blank(page, printed):
    rng = np.random.default_rng(24)
    readings = _read(page, printed, {}, ORDINARY, rng)
    assert {(r.value, r.flag) for r in readings.values()} == {("", Flag.OK)}


def test_where_full_boxes_are_cancelled_crosses_are_the_marks(page, printed):
    rng = np.random.default_rng(25)
    crossed = replace(
        page,
        fields=tuple(
            replace(f, full_box=FullBox.CANCELLED) if isinstance(f, BubbleField) else f
            for f in page.fields
        ),
    )
    items = [f for f in page.fields if isinstance(f, BubbleField) and f.role is Role.ITEM]
    marks = {
        (f.name, 0): [(k % 4, MarkStyle.CROSS), ((k + 1) % 4, MarkStyle.FILL)]
        for k, f in enumerate(items)
    }
    readings = _read(crossed, printed, marks, ORDINARY, rng)
    plain = _read(page, printed, marks, ORDINARY, rng)
    asked = 0
    for k, field in enumerate(items):
        reading = readings[field.name]
        asked += reading.flag is not Flag.OK
        assert reading.flag is not Flag.OK or reading.value == field.options[k % 4]
        assert plain[field.name].flag is not Flag.OK  # two marks
    assert asked <= len(items) // 20
