"""Lines of numbers, sign by sign."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from inkmark.ctc import Steps, likeliest_texts
from inkmark.ctc.languages import language_of
from inkmark.ocr._signs import read_signs
from inkmark.ocr.boxes import PAPER

INK = 180


def line(text: str, *, gap: int = 12) -> np.ndarray:
    """Text in plain strokes; points, commas, minus signs and slashes drawn as people do."""
    strip = np.full((90, 60 * len(text) + 40), PAPER, np.uint8)
    dark, x, low = PAPER - INK, 20, 68
    for sign in text:
        if sign == "-":
            cv2.line(strip, (x, 48), (x + 20, 48), dark, 4)
            x += 20
        elif sign == "=":
            cv2.line(strip, (x, 42), (x + 22, 42), dark, 4)
            cv2.line(strip, (x, 54), (x + 22, 54), dark, 4)
            x += 22
        elif sign == ".":
            cv2.line(strip, (x, low - 2), (x + 2, low - 1), dark, 4)
            x += 4
        elif sign == ",":
            cv2.line(strip, (x + 3, low - 3), (x, low + 8), dark, 4)
            x += 4
        elif sign == "/":
            cv2.line(strip, (x + 22, low - 42), (x, low + 2), dark, 4)
            x += 22
        else:
            (width, _), _ = cv2.getTextSize(sign, cv2.FONT_HERSHEY_SIMPLEX, 1.8, 4)
            cv2.putText(strip, sign, (x, low), cv2.FONT_HERSHEY_SIMPLEX, 1.8, dark, 4, cv2.LINE_AA)
            x += width
        x += gap
    return strip


@pytest.mark.parametrize("text", ["47", "-3.25", "2/3", "0,5", "8=8", "309", "5/24", "60.4"])
def test_plain_numbers_are_read(text):
    steps = Steps.of(read_signs(line(text), INK))
    ((found, chance),) = likeliest_texts(steps, language_of("text"), 1)
    assert found == text
    assert chance > 0.3


def test_each_sign_stands_between_blanks():
    choices = read_signs(line("-3.25"), INK)
    assert len(choices) == 2 * 5 + 1
    assert set(choices[::2]) == {(("", 1.0),)}
    for step in choices[1::2]:
        assert all(symbol and 0.0005 <= p <= 1 for symbol, p in step)
        assert sum(p for _, p in step) <= 1.001
        assert sorted(step, key=lambda pair: -pair[1]) == list(step)


def test_what_is_no_sign_of_numbers_is_none_of_them():
    strip = np.full((90, 200), PAPER, np.uint8)
    cv2.putText(strip, "%", (60, 68), cv2.FONT_HERSHEY_SIMPLEX, 1.8, PAPER - INK, 4, cv2.LINE_AA)
    cv2.rectangle(strip, (62, 30), (92, 68), PAPER - INK, 4)
    (step,) = read_signs(strip, INK)[1::2]
    assert sum(p for _, p in step) < 0.5


def test_blank_paper_and_scribbles_say_nothing():
    assert read_signs(np.full((60, 200), PAPER, np.uint8), INK) == ()
    specks = np.full((200, 400), PAPER, np.uint8)
    specks[::20, ::20] = PAPER - INK
    specks = cv2.erode(specks, np.ones((3, 3), np.uint8))
    assert read_signs(specks, INK) == ()


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)), st.integers(0, 255))
def test_no_picture_breaks_it(strip, ink):
    for step in read_signs(strip, ink):
        assert all(0 <= p <= 1 for _, p in step)
