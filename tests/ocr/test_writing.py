"""What is read in writing boxes of drawn pages, and what is left to a person."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from inkmark.ctc import Steps, opinions
from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, BoxFrame, PageLayout, Role, WritingField
from inkmark.ocr import WritingOptions, read_writing, writing
from inkmark.ocr.boxes import cut_fields, is_untouched
from inkmark.readings import Flag, Registration

PX_PER_MM = 200 / 25.4
FONT = cv2.FONT_HERSHEY_SIMPLEX
# A plotter's hand is unlike those the readers know, so more doubt is allowed here.
EASY = WritingOptions(silent_error_rate=1e-2)
PLAIN = Registration(0, (PX_PER_MM, 0, -0.5, 0, PX_PER_MM, -0.5, 0, 0, 1.0), 0.0, 0, 0)
NUMBER = WritingField("number", Box(15.0, 12.0, 7.0, 7.0), 8, 7.0, "digits")
LETTER = WritingField("letter", Box(15.0, 30.0, 8.0, 8.0), 1, 0.0, "ABCD", Role.ITEM, "1")
LINE = WritingField("line", Box(15.0, 45.0, 60.0, 9.0), 1, 0.0, "number", Role.ITEM, "2")


def layout(*fields):
    return PageLayout(90.0, 60.0, Anchors(AnchorKind.IMAGE), fields or (NUMBER, LETTER, LINE))


class Sheet:
    """A page on which boxes are printed and lines are written."""

    def __init__(self, page, paper=240):
        self.page = page
        self.pixels = np.full((round(60 * PX_PER_MM), round(90 * PX_PER_MM)), paper, np.uint8)
        for field in page.fields:
            for box in field.boxes():
                low, high = box.corners()[[0, 2]] * PX_PER_MM
                rectangle = np.rint(low).astype(int).tolist(), np.rint(high).astype(int).tolist()
                grey = {BoxFrame.DARK: 90, BoxFrame.PALE: 190, BoxFrame.DROPOUT: paper}
                cv2.rectangle(self.pixels, *rectangle, grey[field.frame], 1)

    def write(self, field, text, *, height_mm=4.5, grey=50):
        """One sign a box, or a line, in the strokes of a plotter."""
        boxes = field.boxes() if field.n_boxes > 1 else (field.box,)
        for box, sign in zip(boxes, text if field.n_boxes > 1 else [text], strict=False):
            scale = cv2.getFontScaleFromHeight(
                cv2.FONT_HERSHEY_SIMPLEX, round(height_mm * PX_PER_MM)
            )
            (w, h), _ = cv2.getTextSize(sign, cv2.FONT_HERSHEY_SIMPLEX, scale, 3)
            x, y = np.array(box.centre) * PX_PER_MM + (-w / 2, h / 2)
            at = (round(x), round(y))
            cv2.putText(
                self.pixels, sign, at, cv2.FONT_HERSHEY_SIMPLEX, scale, grey, 3, cv2.LINE_AA
            )
        return self

    def draw(self, *points_mm, width_mm=0.5, grey=50):
        points = np.rint(np.array(points_mm) * PX_PER_MM).astype(np.int32)
        cv2.polylines(self.pixels, [points], False, grey, round(width_mm * PX_PER_MM), cv2.LINE_AA)
        return self

    def fill(self, box, grey=40):
        low, high = np.rint(box.corners()[[0, 2]] * PX_PER_MM).astype(int).tolist()
        cv2.rectangle(self.pixels, low, high, grey, -1)
        return self

    def read(self, options=None, registration=PLAIN):
        pixels = cv2.GaussianBlur(self.pixels, (0, 0), 0.7)
        noise = np.random.default_rng(5).normal(0, 2.0, pixels.shape)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
        found = read_writing(Pixels.of(pixels), self.page, registration, options)
        return {reading.field: reading for reading in found}


def test_a_number_is_read_in_its_boxes():
    readings = Sheet(layout()).write(NUMBER, "20763154").read(EASY)
    number = readings["number"]
    assert (number.value, number.flag) == ("20763154", Flag.OK)
    assert number.confidence > 0.8
    assert len(number.choices) == 8
    assert [choice[0][0] for choice in number.choices] == list("20763154")
    for choice in number.choices:
        assert 0.99 < sum(p for _, p in choice) < 1.001
    box = number.box_px
    assert (box.x, box.w) == pytest.approx((15 * PX_PER_MM - 0.5, 56 * PX_PER_MM))


def test_blank_fields_are_blank():
    for reading in Sheet(layout()).read().values():
        assert (reading.value, reading.flag) == ("", Flag.OK)
        assert reading.confidence > 0.99


def test_a_number_shorter_than_its_boxes():
    reading = Sheet(layout()).write(NUMBER, "2076").read(EASY)["number"]
    assert (reading.value, reading.flag) == ("2076", Flag.OK)
    assert reading.choices[-1] == (("", 1.0),)


def test_a_number_with_a_gap_is_for_a_person():
    reading = Sheet(layout()).write(NUMBER, "20 63154").read()["number"]
    assert (reading.value, reading.flag) == ("20?63154", Flag.DOUBTFUL)
    assert reading.choices[2] == (("", 1.0),)


@pytest.mark.parametrize("frame", BoxFrame)
@pytest.mark.parametrize("letter", "ABCD")
def test_a_letter_in_its_box(letter, frame):
    page = layout(replace(LETTER, frame=frame))
    reading = Sheet(page).write(LETTER, letter).read(EASY)["letter"]
    assert (reading.value, reading.flag) == (letter, Flag.OK)
    assert {symbol for symbol, _ in reading.choices[0]} <= {*"ABCD", "", "?"}


def test_what_may_be_written_decides_between_shapes_that_are_alike():
    zero = replace(LETTER, charset="digits")
    assert Sheet(layout(zero)).write(LETTER, "0").read()["letter"].value == "0"
    letter = replace(LETTER, charset="OX")
    assert Sheet(layout(letter)).write(LETTER, "0").read()["letter"].value == "O"


def test_a_black_box_is_no_symbol():
    sheet = Sheet(layout()).write(NUMBER, "20763154").fill(LETTER.box)
    sheet.fill(NUMBER.boxes()[3])
    readings = sheet.read()
    assert (readings["letter"].value, readings["letter"].flag) == ("?", Flag.DOUBTFUL)
    assert readings["number"].value == "207?3154"
    assert readings["number"].flag is Flag.DOUBTFUL


def test_a_scribble_is_for_a_person():
    rng = np.random.default_rng(2)
    for _ in range(5):
        points = rng.uniform((16.0, 31.0), (22.0, 37.0), (24, 2))
        assert Sheet(layout()).draw(*points).read()["letter"].flag is Flag.DOUBTFUL


def test_what_is_written_below_a_blank_box_is_for_a_person():
    below = replace(LETTER, box=Box(15.0, 36.6, 8.0, 8.0))
    readings = Sheet(layout(LETTER)).write(below, "A").read()
    assert (readings["letter"].value, readings["letter"].flag) == ("", Flag.DOUBTFUL)


def test_a_field_outside_of_the_image_cannot_be_read():
    away = replace(PLAIN, homography=(PX_PER_MM, 0, -200.0, 0, PX_PER_MM, 0, 0, 0, 1.0))
    for reading in Sheet(layout()).write(NUMBER, "20763154").read(registration=away).values():
        assert (reading.value, reading.flag) == ("", Flag.UNREADABLE)
        assert reading.confidence == 0


def test_a_dark_frame_that_is_not_there_is_covered():
    page = layout(LETTER)
    hidden = Sheet(layout(replace(LETTER, frame=BoxFrame.DROPOUT)))
    hidden.page = page
    reading = hidden.read()["letter"]
    assert (reading.value, reading.flag) == ("", Flag.DOUBTFUL)


def test_a_line_of_writing():
    reading = Sheet(layout()).write(LINE, "-3.25").read()["line"]
    assert reading.value == "-3.25"
    assert reading.choices
    assert all(0 < len(step) <= 8 for step in reading.choices)


def test_a_line_is_read_by_two_readers():
    reading = Sheet(layout()).write(LINE, "47").read()["line"]
    first, second = opinions(reading.choices)
    assert Steps.of(first).symbols
    assert [step[0][0] for step in second[1::2]] == ["4", "7"]


def test_what_is_no_number_stays_to_be_seen():
    """The key judges, and a percentage may answer to a number."""
    reading = Sheet(layout()).write(LINE, "50%").read()["line"]
    assert "%" in {symbol for step in reading.choices for symbol, _ in step}


def test_a_line_with_ink_below_it_is_for_a_person():
    sheet = Sheet(layout()).write(LINE, "35").draw((45.0, 54.9), (45.2, 55.4))
    reading = sheet.read()["line"]
    assert (reading.flag, reading.choices) == (Flag.DOUBTFUL, ())


def test_fields_of_markers_are_left_to_their_reader():
    page = layout(replace(NUMBER, role=Role.POINTS, item="1"), replace(LETTER, role=Role.TOTAL))
    assert Sheet(page).read() == {}


def test_a_number_that_nobody_wrote_is_blank_at_a_glance(monkeypatch):
    page = layout(replace(NUMBER, role=Role.CANDIDATE), LETTER)
    sheet = Sheet(page).write(LETTER, "B")
    asked = []
    monkeypatch.setattr(
        writing, "cut_fields", lambda p, fields, r: asked.extend(fields) or cut_fields(p, fields, r)
    )
    number, letter = read_writing(Pixels.of(sheet.pixels), page, PLAIN)
    assert (number.value, number.flag) == ("", Flag.OK)
    assert number.choices == ((("", 1.0),),) * 8
    assert number.box_px.w == pytest.approx(56 * PX_PER_MM)
    assert letter.value == "B"
    assert [field.name for field in asked] == [LETTER.name]


@pytest.mark.parametrize("spoil", ["light stroke", "covered"])
def test_a_number_that_is_not_as_clean_as_paper_is_looked_at(spoil):
    field = replace(NUMBER, role=Role.CANDIDATE)
    sheet = Sheet(layout(field))
    if spoil == "light stroke":
        sheet.draw((20.0, 13.0), (20.0, 17.0), width_mm=0.3, grey=190)
    else:
        sheet.fill(field.box, grey=90)
    assert not is_untouched(Pixels.of(sheet.pixels), field, PLAIN)
    assert is_untouched(Pixels.of(Sheet(layout(field)).pixels), field, PLAIN)


def test_the_number_on_a_sheet_whose_code_names_the_candidate_is_left_out():
    page = layout(replace(NUMBER, role=Role.CANDIDATE), LETTER)
    sheet = Sheet(page).write(NUMBER, "20763154").write(LETTER, "B")
    found = read_writing(Pixels.of(sheet.pixels), page, PLAIN, is_named=True)
    assert [reading.field for reading in found] == [LETTER.name]


def test_a_smaller_rate_of_silent_errors_flags_more():
    sheet = Sheet(layout()).draw((16.0, 14.5), (20.0, 13.5), (18.0, 18.0))
    sheet.write(NUMBER, " 0763154")
    readings = [
        sheet.read(WritingOptions(silent_error_rate=rate))["number"] for rate in (1e-2, 1e-6)
    ]
    assert [reading.value for reading in readings] == ["70763154"] * 2
    assert [reading.flag for reading in readings] == [Flag.OK, Flag.DOUBTFUL]


def test_readings_are_the_same_in_every_thread():
    sheet = Sheet(layout()).write(NUMBER, "20763154").write(LETTER, "B").write(LINE, "17")
    expected = sheet.read()
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: sheet.read(), range(8)))


def test_pages_without_writing_load_no_network():
    code = (
        "import sys; import inkmark.session; "
        "from inkmark.images import Pixels; from inkmark.ocr import read_writing; "
        "import numpy as np; from inkmark.layouts import *; from inkmark.readings import *; "
        "page = PageLayout(90.0, 60.0, Anchors(AnchorKind.IMAGE)); "
        "registration = Registration(0, (8, 0, 0, 0, 8, 0, 0, 0, 1.0), 0.0, 0, 0); "
        "pixels = Pixels.of(np.full((480, 720), 240, np.uint8)); "
        "assert read_writing(pixels, page, registration) == (); "
        "assert 'onnxruntime' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
