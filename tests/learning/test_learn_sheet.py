"""Blank sheets learned without their layout: our own in every style, and drawn ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import cv2
import numpy as np
import pytest

from inkmark.errors import LayoutError
from inkmark.exam import Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.geometry import apply_homography
from inkmark.images import Pixels
from inkmark.layouts import (
    AnchorKind,
    BubbleField,
    BubbleShape,
    Role,
    SheetOptions,
    build_layout,
    load_layout,
    print_sheets,
    save_layout,
)
from inkmark.learning import BlankPage, LearnOptions, Order, learn_sheet
from inkmark.omr import read_bubbles, register
from inkmark.readings import Flag, Registration
from inkmark.simulator import ORDINARY, MarkStyle, fill_sheet, render_pages, scan

DPI = 200


def _exam(language="en"):
    items = tuple(
        Item(str(k + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)) for k in range(60)
    )
    return replace(example_exam(language), items=items)


def _own(paper, style, language, folder):
    layout = build_layout(
        _exam(language), SheetOptions(paper=paper, bubble_style=BubbleShape(style))
    )
    path = folder / f"{paper}-{style}-{language}.pdf"
    print_sheets(layout, _exam(language), path, None)
    return layout, list(render_pages(path, DPI))


def _centres(layout, page=0):
    fields = [f for f in layout.pages[page].fields if isinstance(f, BubbleField)]
    return np.concatenate([f.centres() for f in fields])


def _distances(wanted, found):
    return np.hypot(*np.moveaxis(wanted[:, None] - found[None], 2, 0)).min(axis=1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return _own("A4", "oval", "en", tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def learned(own):
    _, pages = own
    return learn_sheet([BlankPage(page, DPI) for page in pages], LearnOptions(title="own"))


@pytest.mark.parametrize(
    ("paper", "style", "language"),
    [
        ("A4", "oval", "zh"),
        ("A4", "rectangle", "en"),
        ("A3", "oval", "en"),
        ("A3", "rectangle", "zh"),
    ],
)
def test_all_bubbles_of_our_own_sheets_are_found(paper, style, language, tmp_path):
    layout, pages = _own(paper, style, language, tmp_path)
    sheet = learn_sheet([BlankPage(page, DPI) for page in pages])
    wanted, found = _centres(layout), _centres(sheet.layout)
    assert _distances(wanted, found).max() < 0.2
    # The instructions print examples of bubbles, in the same size on some of the sheets.
    extra = found[_distances(found, wanted) > 0.2]
    assert len(extra) <= 5
    assert (extra[:, 1] < 120).all()


def test_items_and_the_candidate_number_are_proposed_as_they_are(own, learned):
    layout, _ = own
    wanted = {f.name: f for f in layout.fields() if isinstance(f, BubbleField)}
    found = {f.name: f for f in learned.layout.fields() if isinstance(f, BubbleField)}
    # The examples in the instructions stand apart: they are numbered last, and doubted.
    assert {name for name in found if name.startswith("Q")} == {f"Q{k}" for k in range(1, 62)}
    assert any(doubt.message.startswith("Q61 stands apart") for doubt in learned.doubts)
    for name in ("Q1", "Q8", "Q60", "candidate"):
        assert found[name].options == wanted[name].options
        assert found[name].n_groups == wanted[name].n_groups
        assert found[name].role is wanted[name].role
        assert np.allclose(found[name].centres(), wanted[name].centres(), atol=0.2)
    single = found["M1"]
    assert np.allclose(single.origin, wanted["absent"].origin, atol=0.2)
    assert single.role is Role.OTHER


def test_the_squares_of_our_own_sheet_are_its_anchors(own, learned):
    wanted, found = own[0].pages[0].anchors, learned.layout.pages[0].anchors
    assert found.kind is AnchorKind.SQUARES
    assert len(found.timing) == len(wanted.timing)
    assert found.key_mark is not None
    assert found.key_mark.centre == pytest.approx(wanted.key_mark.centre, abs=0.2)
    for one, two in zip(found.squares, wanted.squares, strict=True):
        assert one.centre == pytest.approx(two.centre, abs=0.2)


def test_what_is_learned_reads_filled_scans(own, learned, tmp_path):
    save_layout(learned.layout, tmp_path / "layout.json")
    page = load_layout(tmp_path / "layout.json").pages[0]
    layout, pages = own
    rng = np.random.default_rng(31)
    marks, truth = {}, {}
    for field in layout.pages[0].fields:
        if not isinstance(field, BubbleField) or field.role is Role.ABSENT:
            continue
        truth[field.name] = ""
        for group in range(field.n_groups):
            option = int(rng.integers(len(field.options)))
            marks[field.name, group] = [(option, MarkStyle.FILL)]
            truth[field.name] += field.options[option]
    filled = fill_sheet(pages[0], layout.pages[0], marks, DPI, rng)
    for turn in (0, 180):
        model = replace(ORDINARY, orientation_deg=turn)
        image = Pixels.of(scan(filled, DPI, model, rng))
        registration = register(image, page)
        assert isinstance(registration, Registration), registration
        readings = {r.field: r for r in read_bubbles(image, page, registration)}
        assert {name: readings[name].value for name in truth} == truth
        assert {readings[name].flag for name in truth} == {Flag.OK}


def test_a_skewed_scan_of_the_blank_gives_upright_rows(own):
    layout, pages = own
    rng = np.random.default_rng(5)
    image = scan(pages[0], DPI, replace(ORDINARY, skew_deg=1.5, stretch_mm=0.0), rng)
    sheet = learn_sheet([BlankPage(image, DPI)])
    fields = {f.name: f for f in sheet.layout.fields() if isinstance(f, BubbleField)}
    steps = np.array([fields[f"Q{k}"].option_step for k in range(1, 61)])
    assert np.abs(steps[:, 1] / steps[:, 0]).max() < 0.004
    to_image = np.array(sheet.pages[0].to_image).reshape(3, 3)
    registration = register(Pixels.of(image), layout.pages[0])
    truth = registration.to_px(_centres(layout))
    seen = apply_homography(to_image, _centres(sheet.layout))
    assert _distances(truth, seen).max() < 0.3 / 25.4 * DPI


# -- drawn sheets ----------------------------------------------------------------------


def _drawn(rows, columns, *, step=(9.0, 8.0), start=(40.0, 60.0), skip=(), filled=(), size=(5, 4)):
    """A sheet of ellipses on white paper, 200 dpi, A4."""
    mm = DPI / 25.4
    page = np.full((round(297 * mm), round(210 * mm)), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            if (row, column) in skip:
                continue
            x, y = start[0] + column * step[0], start[1] + row * step[1]
            centre, axes = (
                (round(x * mm), round(y * mm)),
                (round(size[0] / 2 * mm), round(size[1] / 2 * mm)),
            )
            cv2.ellipse(page, centre, axes, 0, 0, 360, 0, 2, cv2.LINE_AA)
            if (row, column) in filled:
                cv2.ellipse(page, centre, axes, 0, 0, 360, 40, -1, cv2.LINE_AA)
    return page


def _one(page, **options):
    return learn_sheet([BlankPage(page, DPI)], LearnOptions(**options))


def test_filled_bubbles_are_found_among_blank_ones():
    sheet = _one(_drawn(12, 5, filled={(0, 0), (3, 2), (7, 4), (11, 1), (5, 0)}))
    assert len(sheet.layout.fields()) == 12
    assert all(len(f.options) == 5 for f in sheet.layout.fields())


def test_a_row_with_fewer_bubbles_is_doubted():
    sheet = _one(_drawn(8, 5, skip={(3, 4)}))
    (short,) = [f for f in sheet.layout.fields() if len(f.options) == 4]
    assert any(short.name in doubt.message for doubt in sheet.doubts)


def test_a_bubble_missing_inside_a_row_is_said_to_be_missing():
    sheet = _one(_drawn(8, 5, skip={(3, 2)}))
    row = sheet.layout.fields()[3]
    assert len(row.options) == 5
    assert any(row.name in d.message and "not to be seen" in d.message for d in sheet.doubts)
    assert len(sheet.pages[0].bubbles) == 39


def test_items_are_numbered_as_asked():
    page = np.minimum(_drawn(5, 4), _drawn(5, 4, start=(120.0, 60.0)))
    page = np.minimum(page, _drawn(5, 4, start=(40.0, 160.0)))
    page = np.minimum(page, _drawn(5, 4, start=(120.0, 160.0)))
    first = {}
    for order in (Order.COLUMNS, Order.ROWS, Order.AUTO):
        fields = {f.name: f for f in _one(page, order=order).layout.fields()}
        assert len(fields) == 20
        first[order] = fields["Q6"].origin
    assert first[Order.COLUMNS] == pytest.approx((40.0, 160.0), abs=0.2)
    assert first[Order.ROWS] == pytest.approx((120.0, 60.0), abs=0.2)
    assert first[Order.AUTO] == first[Order.ROWS]


def test_four_rings_are_its_anchors():
    mm = DPI / 25.4
    page = _drawn(12, 5)
    for x, y in ((15, 15), (195, 15), (195, 282), (15, 282)):
        cv2.circle(page, (round(x * mm), round(y * mm)), round(4 * mm), 0, 9, cv2.LINE_AA)
    anchors = _one(page).layout.pages[0].anchors
    assert anchors.kind is AnchorKind.MARKS
    assert anchors.mark_shape.value == "ring"
    assert np.allclose(anchors.marks, ((15, 15), (195, 15), (195, 282), (15, 282)), atol=0.2)


def test_an_unknown_paper_size_is_a_doubt():
    page = _drawn(12, 5)
    assert any("--width" in d.message for d in learn_sheet([BlankPage(page)]).doubts)
    assert not any("--width" in d.message for d in _one(page).doubts)
    wide = learn_sheet([BlankPage(page)], LearnOptions(width_mm=105.0))
    assert wide.layout.pages[0].width_mm == pytest.approx(105.0)


def test_a_page_without_bubbles_is_refused():
    page = np.full((2339, 1654), 255, np.uint8)
    cv2.putText(page, "Nothing to mark here", (200, 400), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 3)
    with pytest.raises(LayoutError, match="No bubbles"):
        learn_sheet([BlankPage(page, DPI)])
