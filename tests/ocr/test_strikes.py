"""Lines that cross out a number."""

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import BoxFrame, WritingField
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
    return cut_fields(Pixels.of(image), [field], Registration(0, scale, 0.0, 4, 4))[0]


@pytest.mark.parametrize("text", ["5", "12", "7.5", "2"])
@pytest.mark.parametrize("climb", [-1.5, 0.0, 1.5])
def test_a_long_line_through_the_middle_strikes_out(text, climb):
    assert is_struck_out(cut(text, ((0.8, 5.5 - climb / 2), (12.5, 5.5 + climb / 2))))


@pytest.mark.parametrize("text", ["0", "1", "2", "4", "5", "7", "10", "12", "7.5", "14", "77", ""])
def test_digits_by_themselves_are_not_struck_out(text):
    assert not is_struck_out(cut(text, at=(0.5, 8.0)))


def test_a_line_under_a_number_is_no_strike():
    assert not is_struck_out(cut("5", ((0.8, 8.3), (12.5, 8.3))))
