"""Bubbles whose print is not to be seen are put to a person, never read as blank."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_sheets import PX_PER_MM, draw, place, sheet

from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors
from inkmark.omr import read_bubbles, register
from inkmark.readings import Flag, Registration

WHITE, GREY, DARK = 240, 128, 20
ROW = "Q30"


@pytest.fixture(scope="module")
def page():
    return sheet()


@pytest.fixture(scope="module")
def marks(page):
    """A mark a group; every seventh item is left blank."""
    rng = np.random.default_rng(2)
    marks = {}
    for k, field in enumerate(page.fields):
        for group in range(field.n_groups):
            if field.n_groups > 1 or k % 7:
                n = len(field.options)
                marks[field.name, group * n + int(rng.integers(n))] = 0.8
    return marks


@pytest.fixture(scope="module")
def truth(page, marks):
    values = {field.name: "" for field in page.fields}
    options = {field.name: field.options for field in page.fields}
    for name, bubble in sorted(marks):
        values[name] += options[name][bubble % len(options[name])]
    return values


def scanned(image, noise=4.0):
    noisy = image + np.random.default_rng(3).normal(0, noise, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def read(image, page):
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration), registration
    return {
        reading.field: reading for reading in read_bubbles(Pixels.of(image), page, registration)
    }


def pixels(x, y, w, h):
    return tuple(
        slice(max(0, round(a * PX_PER_MM)), round(b * PX_PER_MM))
        for a, b in ((y, y + h), (x, x + w))
    )


def covers(page):
    """Parts of the page that something lies on, in pixels, by name."""
    box = next(f.box for f in page.fields if f.name == ROW)
    return {
        "lower part": pixels(0, 0.6 * page.height_mm, page.width_mm, page.height_mm),
        "lower part but for the margins": pixels(22, 0.6 * page.height_mm, 160, 300),
        "right half but for the margin": pixels(72, 20, 115, 270),
        "row": pixels(box.x - 2.5, box.y - 1.5, box.w + 5, box.h + 3),
        "two bubbles": pixels(box.x + box.w / 2, box.y - 1.0, box.w / 2 + 1, box.h + 2),
        "block": pixels(26, 125, 32, 60),
    }


COVERS = tuple(covers(sheet()))


@pytest.mark.parametrize("grey", [WHITE, GREY, DARK])
@pytest.mark.parametrize("cover", COVERS)
def test_what_is_covered_is_unreadable(page, marks, truth, cover, grey):
    image = draw(page, marks)
    part = covers(page)[cover]
    image[part] = grey
    readings = read(scanned(image), page)
    hidden = np.zeros(image.shape, dtype=bool)
    hidden[part] = True
    n_hidden = 0
    for field in page.fields:
        at = np.rint(field.centres() * PX_PER_MM).astype(int)
        covered = hidden[at[:, 1], at[:, 0]]
        reading = readings[field.name]
        if covered.any():
            n_hidden += 1
            assert (reading.value, reading.flag) == ("", Flag.UNREADABLE), field.name
        elif reading.flag is Flag.OK:
            assert reading.value == truth[field.name], field.name
    assert n_hidden >= 1
    flagged = sum(reading.flag is not Flag.OK for reading in readings.values())
    assert flagged <= n_hidden + 8  # rows and columns that the edge runs through


@pytest.mark.parametrize("top_mm", np.arange(178.0, 186.0, 0.5).tolist())
@pytest.mark.parametrize("grey", [WHITE, GREY, DARK])
def test_the_edge_of_a_cover_is_no_print_and_no_mark(page, marks, truth, top_mm, grey):
    image = draw(page, marks)
    image[pixels(22, top_mm, 165, 60)] = grey
    for name, reading in read(scanned(image), page).items():
        assert reading.value == truth[name] or reading.flag is not Flag.OK, name


def test_a_hand_on_rows(page, marks, truth):
    image = draw(page, marks).astype(np.float64)
    rng = np.random.default_rng(5)
    part = pixels(24, 150, 80, 40)
    shape = image[part].shape
    skin = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), 6)
    shade = np.linspace(110, 180, shape[1])[None, :]
    image[part] = shade + 12 * skin / skin.std()
    readings = read(scanned(image), page)
    hidden = [f.name for f in page.fields if 152 < f.origin[1] < 188 and f.origin[0] < 100]
    assert len(hidden) > 8
    assert {readings[name].flag for name in hidden} == {Flag.UNREADABLE}
    for name, reading in readings.items():
        assert reading.value == truth[name] or reading.flag is not Flag.OK, name


@pytest.mark.parametrize(
    "kind", ["pale", "low contrast", "1-bit", "blurred", "noisy", "small", "shadow", "no letters"]
)
def test_a_whole_page_is_read_however_its_print_looks(page, marks, truth, kind):
    image = draw(page, marks, letters=kind != "no letters")
    if kind == "pale":  # outlines and letters, but not the marks and the anchors
        image[image > 75] = 205 + (image[image > 75] - 75.0) * 35 / 165
    elif kind == "low contrast":
        image = (150 + image * 0.35).astype(np.uint8)
    elif kind == "blurred":
        image = cv2.GaussianBlur(image, (0, 0), 2.5)
    elif kind == "shadow":
        image = (image * np.linspace(0.4, 1.0, image.shape[1])).astype(np.uint8)
    if kind == "small":
        image, _ = place(image, scale=0.5)
    image = scanned(image, 20.0 if kind == "noisy" else 3.0)
    if kind == "1-bit":
        image = np.where(image > 150, 255, 0).astype(np.uint8)
    readings = read(image, page)
    assert {name: r.value for name, r in readings.items()} == truth
    assert {r.flag for r in readings.values()} == {Flag.OK}


def without_outlines(page, marks):
    """A scan that drops the print of the bubbles, as of a coloured form."""
    image = draw(page, marks)
    image[image > 75] = 240
    return image


def test_a_page_that_drops_its_print_is_read_by_its_marks(page, marks, truth):
    readings = read(scanned(without_outlines(page, marks)), page)
    assert {name: r.value for name, r in readings.items()} == truth
    assert {r.flag for r in readings.values()} == {Flag.OK}


def test_without_print_and_marks_a_page_is_not_blank(page):
    readings = read(scanned(without_outlines(page, {})), page)
    assert {r.flag for r in readings.values()} == {Flag.DOUBTFUL}


def test_without_print_nothing_is_read_beyond_the_anchors_found(page, marks, truth):
    image = without_outlines(page, marks)
    image[pixels(0, 255, page.width_mm, 60)] = 240
    readings = read(scanned(image), page)
    below = [f.name for f in page.fields if f.n_groups == 1 and f.origin[1] > 251]
    assert len(below) == 3
    for name, reading in readings.items():
        if name in below:
            assert reading.flag is Flag.UNREADABLE, name
        else:
            assert (reading.value, reading.flag) == (truth[name], Flag.OK), name


def test_blanks_of_a_1_bit_scan_that_lost_its_print_are_doubtful(page, marks, truth):
    image = scanned(draw(page, marks))
    # Two thirds of the marks are pencil, lighter than the threshold.
    light = {key: 0.3 if k % 3 else taken for k, (key, taken) in enumerate(marks.items())}
    image = np.where(scanned(draw(page, light)) > 75, 255, 0).astype(np.uint8)
    for name, reading in read(image, page).items():
        if reading.value != truth[name] or not truth[name]:
            assert reading.flag is Flag.DOUBTFUL, name


def test_a_covered_part_of_an_imported_sheet(page, marks, truth):
    imported = replace(
        page,
        anchors=Anchors(AnchorKind.IMAGE),
        fields=tuple(f for f in page.fields if f.item == ""),
    )
    imported = replace(imported, fields=page.fields[:25])
    image = scanned(draw(replace(page, fields=imported.fields), marks))
    assert all(r.flag is Flag.OK for r in read(image, imported).values())
    image[pixels(0, 200, 210, 100)] = 240
    for name, reading in read(image, imported).items():
        if next(f for f in imported.fields if f.name == name).origin[1] > 202:
            assert reading.flag is Flag.UNREADABLE, name
        elif reading.flag is Flag.OK:
            assert reading.value == truth[name]
