"""Lines that cross out a number."""

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import BoxFrame, WritingField
from inkmark.ocr._piece_kernels import crosses_strip, crossing_lines, level_line
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


@pytest.mark.parametrize("text", ["3", "5", "2", "0", "7", "1"])
@pytest.mark.parametrize("share", [0.75, 0.9, 1.1])
def test_a_cross_over_a_digit_strikes_it_out(text, share):
    x, y, height = 3.75, 6.0, 3.85
    down, across = 0.5 * share * height, 0.4 * share * height
    lines = [
        ((x - across, y - down), (x + across, y + down)),
        ((x + across, y - down), (x - across, y + down)),
    ]
    assert is_struck_out(cut(text, *lines, size=1.5))


@pytest.mark.parametrize("text", ["3", "6", "8", "9", "18", "4", "11"])
@pytest.mark.parametrize("size", [1.2, 1.5, 2.0])
def test_digits_whose_strokes_cross_are_not_struck_out(text, size):
    assert not is_struck_out(cut(text, size=size, at=(0.5, 8.0)))


@pytest.mark.parametrize("seed", range(10))
def test_compiled_crosses_are_those_of_plain_loops(seed):
    rng = np.random.default_rng(seed)
    inked = (rng.random((14, 12)) < 0.5).astype(np.uint8)
    slopes, lines = np.array([0.5, 0.9]), np.zeros((2, 5))
    length = crossing_lines(inked, slopes, 5.0, 1, 0.2, 0.7, lines)
    assert length == pytest.approx(plain_crossing(inked, slopes, 5.0, 1, middle=0.2, widest=0.7))
    assert length == pytest.approx(lines[:, 4].min())


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


def plain_crossing(inked, slopes, least, gap, *, middle, widest):
    first, second = (plain_oblique(inked, sign * slopes, least, gap) for sign in (1, -1))
    best = 0.0
    for start, end in first:
        for other, other_end in second:
            a, b = end - start, other_end - other
            if a @ b > widest * np.hypot(*a) * np.hypot(*b):
                continue
            on = np.linalg.solve(np.stack([a, -b], axis=1), other - start)
            if (np.abs(on - 0.5) < 0.5 - middle).all():
                best = max(best, min(np.hypot(*a), np.hypot(*b)))
    return best


def plain_oblique(inked, slopes, least, gap):
    height, width = inked.shape
    found = []
    for slope in slopes:
        for x in range(-2 * height, width + 2 * height):
            columns = [x + round(slope * y) for y in range(height)]
            ink = [y for y, c in enumerate(columns) if 0 <= c < width and inked[y, c]]
            runs = np.split(ink, np.flatnonzero(np.diff(ink) > gap + 1) + 1) if ink else []
            for run in runs:
                ends = [np.array([x + slope * y, y]) for y in (run[0], run[-1])]
                if np.hypot(*(ends[1] - ends[0])) >= least:
                    found.append(ends)
    return found
