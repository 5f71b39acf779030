"""Ticks and crosses by their strokes: told apart, joined where broken, refused where odd."""

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.ocr._verdicts import count_ticks
from inkmark.ocr.boxes import PAPER, CutField

INK = 90


def area(*marks):
    """An area of 60 x 30 mm in which marks are drawn, each some lines in mm."""
    strip = np.full((240, 480), PAPER, np.uint8)
    for lines, pen in marks:
        for line in lines:
            points = np.rint(np.array(line) * 8 * 16).astype(np.int32)
            cv2.polylines(strip, [points], False, PAPER - INK, pen, cv2.LINE_AA, 4)
    owner = np.zeros(strip.shape, np.int32)
    boxes = np.array([[0, 0, 480, 240]])
    return CutField(strip, boxes, owner, np.zeros((1, 5)), INK, 0, True, Box(0, 0, 60, 30))


def tick(x, y, *, bend=0.0, pen=3):
    long = [(x + 1.5, y + 3.0), (x + 3.6 + bend, y + 0.6 + bend), (x + 5.0, y - 3.0)]
    return [[(x, y), (x + 1.5, y + 3.0)], long], pen


def cross(x, y, *, pen=3):
    return [[(x, y - 3), (x + 5, y + 3)], [(x + 5, y - 3), (x, y + 3)]], pen


def half_tick(x, y):
    lines, pen = tick(x, y)
    return [*lines, [(x + 2.0, y - 0.7), (x + 4.8, y + 1.0)]], pen


@pytest.mark.parametrize("pen", [2, 4, 6])
@pytest.mark.parametrize("bend", [0.0, 0.4])
def test_ticks_count_whatever_their_pen_and_bend(pen, bend):
    (value, p), *_ = count_ticks(area(tick(5, 12, pen=pen, bend=bend), tick(30, 20, pen=pen)), 0)
    assert (value, p > 0.95) == ("2", True)


@pytest.mark.parametrize("pen", [2, 4, 6])
def test_crosses_count_nothing(pen):
    (value, p), *_ = count_ticks(area(cross(5, 12, pen=pen), tick(30, 20, pen=pen)), 2)
    assert (value, p > 0.95) == ("1", True)


def test_a_stroke_across_the_long_arm_makes_half():
    (value, p), *_ = count_ticks(area(half_tick(5, 12)), 1)
    assert (value, p > 0.95) == ("0.5", True)


def test_a_tick_that_other_ink_interrupts_is_one():
    broken = [[(5, 12), (6.5, 15)], [(6.5, 15), (7.7, 12.9)], [(8.9, 10.8), (10, 9)]], 3
    (value, p), *_ = count_ticks(area(broken, tick(30, 20)), 2)
    assert (value, p > 0.9) == ("2", True)


def test_marks_are_joined_only_to_come_to_the_number_expected():
    one, other = tick(5, 12), tick(11.5, 12)
    assert count_ticks(area(one, other), 2)[0][0] == "2"
    assert count_ticks(area(one, other), 1)[0][0] == "?"
    assert count_ticks(area(one, tick(30, 12)), 3)[0][0] == "?"


ODD = {
    "line": [[(5, 15), (10, 9)]],
    "level line": [[(5, 12), (11, 12)]],
    "letter": [[(5, 9), (5, 15)], [(5, 12), (9, 12)], [(9, 9), (9, 15)]],
    "ring": [[(8 + 3 * np.cos(a), 12 + 3 * np.sin(a)) for a in np.linspace(0, 6.3, 40)]],
    "struck tick": [
        *tick(5, 12)[0],
        *([(3.5, y), (11.5, y + 0.5)] for y in (11.0, 12.5, 14.0)),
    ],
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_neither_tick_nor_cross_is_refused(name):
    assert count_ticks(area((ODD[name], 3)), 1)[0][0] == "?"


def test_probabilities_add_up_to_one():
    for marks in ((tick(5, 12), half_tick(25, 12), cross(45, 12)), (tick(5, 12),)):
        assert sum(p for _, p in count_ticks(area(*marks), 0)) == pytest.approx(1.0)


def test_an_area_without_ink_is_blank():
    assert count_ticks(area(), 3) == [("", 1.0)]
