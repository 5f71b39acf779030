"""What the benchmark of learning counts, on a few of the reference scans."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import learn_layouts
from benchmarks._captures import sheet_captures
from benchmarks.contract import Options, Unavailable
from inkmark.images import open_scan
from inkmark.learning import BlankPage, LearnedBubble, LearnedPage, learn_sheet

SHEETS = (
    "EricSoOSU/RTLSampleBubbleSheet.jpg",
    "720p/set1/omr_1.jpg",
    "Test/T00001.jpg",
)


def _page(*places, px_per_mm=1.0):
    to_image = np.diag([px_per_mm, px_per_mm, 1.0])
    bubbles = tuple(LearnedBubble(x, y, print_seen=True) for x, y in places)
    return LearnedPage(tuple(np.ravel(to_image).tolist()), bubbles, "", b"")


def test_each_bubble_is_found_once():
    known = (np.array([(10.0, 10.0), (20.0, 10.0), (40.0, 10.0)]), np.full(3, 4.0))
    found = learn_layouts.compare(known, _page((11.0, 10.0), (20.0, 10.5), (60.0, 10.0)), 4.0)
    assert (found.known, found.found, found.extra) == (3, 2, 1)
    assert sorted(found.errors_mm) == pytest.approx([0.5, 1.0])
    twice = (np.array([(10.0, 10.0), (11.0, 10.0)]), np.full(2, 4.0))
    assert learn_layouts.compare(twice, _page((10.5, 10.0)), 4.0).found == 1


def test_errors_are_in_millimetres_of_the_sheet():
    known = (np.array([(100.0, 100.0)]), np.array([40.0]))
    page = _page((10.0, 10.5), px_per_mm=10.0)
    assert learn_layouts.compare(known, page, 4.0).errors_mm == pytest.approx((0.5,))


def test_every_bubble_of_clear_sheets_is_found(data_dir):
    captures = [
        capture
        for capture in sheet_captures(data_dir / "scans")
        if any(capture.name.endswith(name) for name in SHEETS)
    ]
    assert len(captures) == len(SHEETS)
    for capture in captures:
        with open_scan(capture.path) as scan:
            image = scan.load(0)
        known = learn_layouts.known_places(image.pixels, capture.layout.pages[0])
        assert known is not None
        sheet = learn_sheet([BlankPage(image.pixels.whole(), image.dpi)])
        found = learn_layouts.compare(known, sheet.pages[0], 3.0)
        assert found.found == found.known, capture.name


def test_sheets_without_marks_are_known_as_blank(data_dir):
    captures = list(sheet_captures(data_dir / "scans"))
    assert {capture.name.rpartition("/")[2] for capture in captures if capture.is_blank} == {
        "yes_no_questionnarie.jpg",
        "waec_sample.jpeg",
        "sheet.png",
    }


def test_the_benchmark_says_when_it_cannot_run():
    with pytest.raises(Unavailable, match="INKMARK_DATA"):
        learn_layouts.run(Options(data_dir=None))
