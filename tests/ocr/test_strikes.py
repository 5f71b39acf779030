"""Lines that cross out a number."""

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import BoxFrame, WritingField
from inkmark.ocr._piece_kernels import crosses_strip, level_line
from inkmark.ocr._strikes import is_struck_out
from inkmark.ocr.boxes import cut_fields
from inkmark.readings import Registration

SCALE = 8.0


def cut(text, *lines, size=1.8, at=(2.0, 8.0)):
    image = np.full((120, 180), 250, np.uint8)
    origin = (round((at[0] + 3) * SCALE), round((at[1] + 2) * SCALE))
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, size, 40, 4, cv2.LINE_AA)
    for start, end in lines:
        ends = [
            tuple(round((v + o) * SCALE) for v, o in zip(p, (3, 2), strict=True))
            for p in (start, end)
        ]
        cv2.line(image, *ends, 40, 3, cv2.LINE_AA)
    field = WritingField("P1", Box(3, 2, 14, 9), charset="points", frame=BoxFrame.DROPOUT)
    scale = (SCALE, 0, -0.5, 0, SCALE, -0.5, 0, 0, 1.0)
    registration = Registration(0, scale, 0.0, 4, 4)
    return cut_fields(Pixels.of(image), [field], registration, has_streaks=False)[0]


@pytest.mark.parametrize("text", ["5", "12", "7.5", "2"])
@pytest.mark.parametrize("climb", [-1.5, 0.0, 1.5])
def test_a_long_line_through_the_middle_strikes_out(text, climb):
    assert is_struck_out(cut(text, ((0.8, 5.5 - climb / 2), (12.5, 5.5 + climb / 2))))


@pytest.mark.parametrize("text", ["0", "1", "2", "4", "5", "7", "10", "12", "7.5", "14", "77", ""])
def test_digits_by_themselves_are_not_struck_out(text):
    assert not is_struck_out(cut(text, at=(0.5, 8.0)))


def test_a_line_under_a_number_is_no_strike():
    assert not is_struck_out(cut("5", ((0.8, 8.3), (12.5, 8.3))))


@pytest.mark.parametrize("text", ["5", "0", "7.5", "12"])
@pytest.mark.parametrize("lean", [-4.0, 0.0, 4.0])
def test_a_line_that_goes_on_above_and_below_strikes_out(text, lean):
    assert is_struck_out(cut(text, ((5 - lean / 2, -1.9), (5 + lean / 2, 10.9))))


@pytest.mark.parametrize("line", [((5.0, -1.9), (5.0, 8.0)), ((5.0, 2.0), (5.0, 10.9))])
def test_a_line_that_ends_in_the_field_does_not(line):
    assert not is_struck_out(cut("7", line))


@pytest.mark.parametrize("seed", range(20))
def test_compiled_lines_are_those_of_plain_loops(seed):
    rng = np.random.default_rng(seed)
    inked = (rng.random((16, 24)) < 0.35).astype(np.uint8)
    inked[7, 3:20] |= rng.random(17) < 0.9
    found = level_line(inked, 12, 2, 1.5, 0.2, 5)
    assert found == plain_level_line(inked, 12, 2, 1.5, slopes=np.linspace(-0.2, 0.2, 5))
    steep = inked.T.copy()
    assert crosses_strip(steep, 2, 20, 4, 0.8) == plain_crosses_strip(steep, 2, 20, 4, 0.8)


def plain_level_line(inked, least, gap, aside, *, slopes):
    height, width = inked.shape
    x = np.arange(width)
    for slope in slopes:
        shift = np.rint(slope * (x - width / 2)).astype(int)
        for y in range(height):
            rows = y + shift
            ink = [k for k in x if 0 <= rows[k] < height and inked[rows[k], k]]
            runs = np.split(ink, np.flatnonzero(np.diff(ink) > gap + 1) + 1) if ink else []
            for run in runs:
                if run[-1] - run[0] + 1 < least:
                    continue
                part = slice(run[0], run[-1] + 1)
                off = np.arange(height)[:, None] - rows[part]
                ink_beside = off[inked[:, part] > 0]
                if (ink_beside < -aside).any() and (ink_beside > aside).any():
                    return True
    return False


def plain_crosses_strip(inked, top, bottom, most_aside, share):
    n = bottom - top
    k = np.arange(1, n)
    for x0 in np.flatnonzero(inked[top]):
        for x1 in np.flatnonzero(inked[bottom]):
            if abs(x1 - x0) <= most_aside:
                on = inked[top + k, x0 + (x1 - x0) * k // n]
                if (on == 0).sum() <= (1 - share) * n:
                    return True
    return False
