"""From a printed sheet with marker boxes over a simulated scan to scores."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from small_exams import small_exam

from inkmark.exam import Item, ItemType
from inkmark.images import open_scan
from inkmark.layouts import Role, SheetOptions, WritingField, build_layout, print_sheets
from inkmark.marking.marker_points import settle_points
from inkmark.session import read_page
from inkmark.simulator import ORDINARY, render_pages
from inkmark.simulator.hands import Writers
from inkmark.simulator.teacher import (
    ColourScanner,
    InkKind,
    draw_marker_ink,
    encode_colour_scan,
    scan_in_colour,
    strike_out,
    write_points,
)

DPI = 200.0
FULL = (6, 8, 10, 12)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    items = tuple(
        Item(str(n), ItemType.SUBJECTIVE, (), (), Decimal(p)) for n, p in enumerate(FULL, start=1)
    )
    exam = small_exam(items, id="MARKED-1")
    layout = build_layout(exam, SheetOptions(columns=2, marker_boxes=True))
    path = tmp_path_factory.mktemp("sheet") / "sheet.pdf"
    print_sheets(layout, exam, path, None, serials=["AAAA"])
    pages = [
        np.repeat(grey[:, :, None], 3, axis=2)
        for grey in render_pages(path, DPI, list(range(len(layout.pages))), oversampling=2)
    ]
    return exam, layout, pages


def marked(printed, writers, said, folder, *, grey=False, struck=None):
    """Settle what a marker said, by item, "" for the total, after a scan in colour or in grey."""
    exam, layout, pages = printed
    rng = np.random.default_rng(12)
    hand = writers.hand(rng, digits="mnist")
    hand = replace(hand, ink=draw_marker_ink(InkKind.RED, rng))
    scanner = ColourScanner(cast=(1.0, 0.98, 0.95), fringe_mm=0.02, grey=grey)
    readings = {}
    for k, (page, blank) in enumerate(zip(layout.pages, pages, strict=True)):
        image = blank
        for field in page.fields:
            if not isinstance(field, WritingField) or field.role not in (Role.POINTS, Role.TOTAL):
                continue
            box = field.box.grown(-0.4)
            image = write_points(image, box, said[field.item], DPI, rng, hand=hand)
            if struck is not None and field.item == struck:
                strike_out(image, box, DPI, rng, ink=hand.ink)
        path = folder / f"{k}.jpg"
        scan = scan_in_colour(image, DPI, ORDINARY, scanner, rng)
        path.write_bytes(encode_colour_scan(scan, DPI, scanner))
        with open_scan(path) as pages_of_scan:
            reading = read_page(pages_of_scan.load(0), layout)
        readings |= {r.field: r for r in reading.fields}
    fields = {f.name: f for f in layout.fields()}
    settled = settle_points(exam, layout, readings, {})
    return {fields[name].item: points for name, points in settled.items()}


@pytest.fixture(scope="module")
def writers(data_dir):
    return Writers.of(data_dir / "handwriting", "train")


SAID = {"1": "4", "2": "6.5", "3": "0", "4": "11", "": "21.5"}


def test_scores_in_red_are_read_from_a_scan_in_colour(printed, writers, tmp_path):
    found = marked(printed, writers, SAID, tmp_path)
    assert {item: f"{points.points.normalize():f}" for item, points in found.items()} == SAID
    assert all(points.is_certain for points in found.values())


def test_scores_on_a_grey_scan_are_right_or_flagged(printed, writers, tmp_path):
    found = marked(printed, writers, SAID, tmp_path, grey=True)
    wrong = {i for i, points in found.items() if points.points != Decimal(SAID[i])}
    assert not any(found[item].is_certain for item in wrong)


def test_a_struck_out_score_goes_to_a_person(printed, writers, tmp_path):
    found = marked(printed, writers, SAID, tmp_path, struck="2")
    assert not found["2"].is_certain
