"""Own sheets that do not lie flat: following the outlines of their bubbles."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from inkmark.exam import Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.images import Pixels
from inkmark.layouts import BubbleField, BubbleShape, SheetOptions, build_layout, print_sheets
from inkmark.omr import RegisterOptions, RegistrationFailure, read_bubbles, refine, register
from inkmark.readings import Flag, Registration, ShiftMesh
from inkmark.simulator import MarkStyle, ScannerModel, fill_sheet, render_pages, scan
from inkmark.simulator.pose import Bulge
from inkmark.simulator.scanner import ScannerPose

DPI = 200
BULGE = Bulge(height_mm=8.0, length_mm=220.0, direction_deg=30.0, phase=0.2)


def _exam():
    items = tuple(
        Item(str(k + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)) for k in range(60)
    )
    return replace(example_exam("en"), items=items)


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """A page and its picture, filled: every item has a mark, each style in turn."""
    exam = _exam()
    layout = build_layout(exam, SheetOptions())
    path = tmp_path_factory.mktemp("sheets") / "sheet.pdf"
    print_sheets(layout, exam, path, None)
    page = layout.pages[0]
    styles = (MarkStyle.FILL, MarkStyle.HASTY, MarkStyle.TICK, MarkStyle.CROSS)
    marks = {
        (field.name, 0): ((k % 4, styles[k // 4 % 4]),) for k, field in enumerate(_items(page))
    }
    printed = next(iter(render_pages(path, DPI)))
    return page, printed, fill_sheet(printed, page, marks, DPI, np.random.default_rng(3))


def _items(page):
    return [f for f in page.fields if isinstance(f, BubbleField) and f.name.startswith("Q")]


def _scanned(pixels, **changes):
    model = ScannerModel(skew_deg=0.5, noise=3.0, blur_mm=0.05, **changes)
    image = scan(pixels, DPI, model, np.random.default_rng(1))
    return image, ScannerPose(model, pixels.shape, DPI)


def _off_mm(page, registration, pose):
    """How far each bubble is from where the registration puts it."""
    fields = [f for f in page.fields if isinstance(f, BubbleField)]
    centres = np.concatenate([field.centres() for field in fields])
    off = registration.to_px(centres) - pose.to_px(centres)
    return np.hypot(*off.T) / DPI * 25.4


def test_a_flat_page_stays_as_it_is(sheet):
    page, _, filled = sheet
    image, pose = _scanned(filled)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    assert _off_mm(page, registration, pose).max() < 0.1
    assert refine(pixels, page, registration) is registration


@pytest.mark.parametrize("shift", [(0.25, 0.0), (0.0, -0.25), (0.6, 0.6), (0.0, 1.2)])
def test_a_part_of_the_page_that_is_off_is_seen_and_corrected(sheet, shift):
    """Though every group has a mark; here the registration is wrong and the page flat."""
    page, _, filled = sheet
    image, pose = _scanned(filled)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    x, y = (0.0, 50.0, 85.0, 125.0, 160.0, 210.0), (0.0, 120.0, 155.0, 190.0, 225.0, 297.0)
    bump = np.zeros((6, 6, 2))
    bump[2:4, 2:4] = shift
    knots = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    field = bump.reshape(-1, 2) + registration.shifts.shift(knots)
    wrong = replace(
        registration,
        shifts=ShiftMesh(x, y, tuple(field[:, 0].tolist()), tuple(field[:, 1].tolist())),
    )
    before = _off_mm(page, wrong, pose)
    assert before.max() > 0.2
    refined = refine(pixels, page, wrong)
    assert refined is not wrong
    after = _off_mm(page, refined, pose)
    assert after.max() < max(0.15, 0.3 * before.max())
    assert not refined.lost


@pytest.mark.parametrize("two_tone", [False, True])
def test_a_bulging_page_is_followed(sheet, two_tone):
    page, _, filled = sheet
    image, pose = _scanned(filled, bulge=BULGE)
    if two_tone:
        image = np.where(image > 150, 255, 0).astype(np.uint8)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    refined = refine(pixels, page, registration)
    assert np.quantile(_off_mm(page, registration, pose), 0.9) > 0.5
    assert _off_mm(page, refined, pose).max() < 0.2
    assert registration.residual_mm <= refined.residual_mm < 0.15
    assert refined.lost == ()
    assert refined.homography == registration.homography
    readings = {r.field: r for r in read_bubbles(pixels, page, refined)}
    for k, field in enumerate(_items(page)):
        reading = readings[field.name]
        assert reading.value == "ABCD"[k % 4] or reading.flag is not Flag.OK


def test_the_bubbles_alone_say_what_paper_does_at_a_side_that_was_not_seen(sheet):
    """Of marks that were not seen it is not known that they are where they should be."""
    page, _, filled = sheet
    image, pose = _scanned(filled)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    x, y = (0.0, 70.0, 210.0), (0.0, 297.0)
    off = np.array([(0.0, 0.0), (0.0, 0.0), (1.4, 0.9)] * 2)
    knots = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    field = off + registration.shifts.shift(knots)
    wrong = replace(
        registration,
        shifts=ShiftMesh(x, y, tuple(field[:, 0].tolist()), tuple(field[:, 1].tolist())),
    )
    hardly = replace(wrong, anchors_found=registration.anchors_expected // 2)
    assert _off_mm(page, hardly, pose).max() > 1.0
    refined = refine(pixels, page, hardly)
    assert not refined.lost
    assert _off_mm(page, refined, pose).max() < 0.2
    assert _off_mm(page, refine(pixels, page, wrong), pose).max() > 0.2


@pytest.mark.parametrize("n_items", [1, 2])
def test_a_page_is_refused_on_which_nothing_agrees(sheet, n_items):
    """A few bubbles off their place, and a side that does not say whether they or it are."""
    page, printed, _ = sheet
    few = (_items(page)[0], _items(page)[-1])[:n_items]
    others = tuple(field for field in page.fields if not isinstance(field, BubbleField))
    page = replace(page, fields=others + few)
    moved = printed.copy()
    registration = register(Pixels.of(printed), page)
    for field, off in zip(few, (8, -6), strict=False):
        places = registration.to_px(field.centres())
        x, y = (places.min(axis=0) - 22).astype(int)
        right, bottom = (places.max(axis=0) + 22).astype(int)
        moved[y:bottom, x:right] = np.roll(printed[y:bottom, x:right], off, axis=0)
    pixels = Pixels.of(moved)
    assert isinstance(refine(pixels, page, registration), Registration)
    hardly = replace(registration, anchors_found=registration.anchors_expected // 2)
    refused = refine(pixels, page, hardly)
    assert isinstance(refused, RegistrationFailure)
    assert "no blocks of bubbles agree" in refused.reason


def test_what_is_hidden_on_a_bulging_page_is_doubtful(sheet):
    page, printed, _ = sheet
    items = _items(page)
    covered = printed.copy()
    hidden = [f for f in items if 170 < f.origin[1] < 245]
    px = DPI / 25.4
    top, bottom = (round(y * px) for y in (165, 250))
    covered[top:bottom, round(20 * px) : round(190 * px)] = 245
    image, _ = _scanned(covered, bulge=BULGE)
    pixels = Pixels.of(image)
    refined = refine(pixels, page, register(pixels, page))
    assert isinstance(refined, Registration)
    assert len(refined.lost) > len(hidden) / 2
    assert set(refined.lost) <= {f.name for f in items if 150 < f.origin[1] < 265}
    readings = {r.field: r for r in read_bubbles(pixels, page, refined)}
    assert all(readings[name].flag is not Flag.OK for name in refined.lost)


def test_fields_that_are_lost_are_doubtful(sheet):
    page, _, filled = sheet
    image, _ = _scanned(filled)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    name = _items(page)[0].name
    sure, doubtful = (
        {r.field: r for r in read_bubbles(pixels, page, found)}
        for found in (registration, replace(registration, lost=(name,)))
    )
    assert sure[name].flag is Flag.OK
    assert doubtful[name].flag is Flag.DOUBTFUL
    assert doubtful[name].confidence < sure[name].confidence
    assert all(doubtful[other] == sure[other] for other in sure if other != name)


def test_a_page_without_outlines_stays_as_it_is(sheet):
    page, printed, _ = sheet
    image, _ = _scanned(printed)
    registration = register(Pixels.of(image), page)
    blank = Pixels.of(np.full_like(image, 250))
    assert refine(blank, page, registration) is registration


@pytest.mark.parametrize("off_mm", [(0.0, 2.5), (3.0, 0.0)])
def test_a_page_is_refused_whose_outlines_are_elsewhere(sheet, off_mm):
    page, _, filled = sheet
    image, _ = _scanned(filled)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    move = np.array([[1, 0, off_mm[0]], [0, 1, off_mm[1]], [0, 0, 1]])
    moved = np.reshape(registration.homography, (3, 3)) @ move
    wrong = replace(registration, homography=tuple((moved / moved[2, 2]).ravel().tolist()))
    refused = refine(pixels, page, wrong)
    assert isinstance(refused, RegistrationFailure)
    assert "blocks of bubbles" in refused.reason


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.0, 0.5), (-0.9, 0.9)])
@pytest.mark.parametrize("shape", list(BubbleShape))
def test_a_page_that_is_off_as_a_whole_is_seen(shift, shape, tmp_path):
    exam = _exam()
    layout = build_layout(exam, SheetOptions(bubble_style=shape, bubble_mm=(4.0, 4.0)))
    print_sheets(layout, exam, tmp_path / "sheet.pdf", None)
    page = layout.pages[0]
    image, pose = _scanned(next(iter(render_pages(tmp_path / "sheet.pdf", DPI))))
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    before = registration.shifts
    wrong = replace(
        registration,
        shifts=replace(
            before,
            dx_mm=tuple(dx + shift[0] for dx in before.dx_mm),
            dy_mm=tuple(dy + shift[1] for dy in before.dy_mm),
        ),
    )
    assert refine(pixels, page, registration) is registration
    refined = refine(pixels, page, wrong)
    off = _off_mm(page, refined, pose)
    assert np.median(off) < 0.2
    assert refined.lost or off.max() < 0.35


def test_the_residual_has_a_limit(sheet):
    page, _, filled = sheet
    image, _ = _scanned(filled, bulge=BULGE)
    pixels = Pixels.of(image)
    registration = register(pixels, page)
    strict = RegisterOptions(max_residual_mm=0.005)
    refused = refine(pixels, page, registration, strict)
    assert isinstance(refused, RegistrationFailure)
    assert "mm" in refused.reason
