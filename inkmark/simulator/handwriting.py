"""Handwriting in the boxes of a sheet, by people whose writing is known: for tests and figures.

`Writers` holds what people wrote (see `inkmark.specimens`), `Writers.hand` draws one person
from it, `write_field` lets that person write into a field of a printed page, and `write_line`
anywhere. What was written then goes through `wear`, `scan` and `photograph` as print does::

    writers = Writers.of(data / "handwriting", "test")
    hand = writers.hand(rng)                              # one person: digits, letters, an ink
    (page,) = render_pages("sheets.pdf", 200.0, [0])
    page = write_field(page, field, "20260317", 200.0, rng, hand=hand)
    page = write_field(page, field, "7", 200.0, rng, hand=hand, slips={0: Slip.STRUCK})
    image = scan(page, 200.0, draw_scanner(0.3, rng), rng)

Pages may be grey (H, W) or colour (H, W, 3) in OpenCV's order blue, green, red; an `Ink` has a
colour. A marker's red pen is ``replace(hand, ink=Ink(colour=(60, 50, 205), tip_mm=0.5))``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import MM_PER_INCH, Box
from inkmark.layouts import WritingField
from inkmark.simulator._optics import u8
from inkmark.simulator._pen_strokes import STROKES
from inkmark.simulator._pens import draw_strokes, lay_ink, part_of_page
from inkmark.simulator.hands import RAISED, Hand, Sign, Stroke
from inkmark.simulator.people import smoothed

__all__ = ["Slip", "write_field", "write_line"]

Pixels = NDArray[np.uint8]
Generator = np.random.Generator

_DIGITS = "0123456789"

_OVERSAMPLING = 2
_ROOM_MM = 4.0
"""What is written above a box is no higher."""
# Where letters stand, from the top of a capital to the line: lower case ascends or hangs below.
_HANGING = dict.fromkeys("gpqy", (0.4, 1.4)) | {"j": (0.05, 1.4)}
_LOW = dict.fromkeys("acemnorsuvwxz", (0.4, 1.0))
_LETTERS = _HANGING | _LOW


class Slip(StrEnum):
    """What goes wrong with a sign in its box."""

    TOUCHING = "touching"
    """It touches the frame."""
    CROSSING = "crossing"
    """It crosses the frame."""
    CORRECTED = "corrected"
    """Another sign was crossed out; the sign stands above the box."""
    OVERWRITTEN = "overwritten"
    """It is written over another sign."""
    STRUCK = "struck"
    """It is crossed out, and nothing stands in its place."""
    SCRIBBLED = "scribbled"
    """There is a scribble in its place."""
    FILLED = "filled"
    """The box is filled black."""
    OUTSIDE = "outside"
    """It stands below the box."""

    @property
    def is_legible(self) -> bool:
        """Whether a person still reads the sign in its box."""
        return self in (Slip.TOUCHING, Slip.CROSSING)


def write_field(
    pixels: Pixels,
    field: WritingField,
    text: str,
    dpi: float,
    rng: np.random.Generator,
    *,
    hand: Hand,
    slips: Mapping[int, Slip] = MappingProxyType({}),
) -> Pixels:
    """The page after a person has written into a field.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) uint8
        The page at `dpi`; it stays as it is.
    field : WritingField
        With several boxes each takes one sign of the text, from the left; a blank leaves its
        box empty. One box takes the whole text.
    text : str
        Digits, letters, ``. , - + / % = ( ) : ' ° √ × ✓ ✗ ² ³ π`` and Chinese numerals.
    dpi : float
    rng : numpy.random.Generator
    hand : Hand
    slips : mapping of int to Slip
        What goes wrong, by box; in one box for a whole text by the place of the sign in it,
        `Slip.FILLED` and `Slip.SCRIBBLED` at 0 for the box.

    Returns
    -------
    (H, W) or (H, W, 3) uint8

    Raises
    ------
    ValueError
        Where the text has more signs than the field has boxes.
    KeyError
        Where the hand does not know a sign.
    """
    boxes = field.boxes()
    if len(boxes) == 1:
        whole = slips.get(0)
        if len(text) > 1 and whole not in (Slip.FILLED, Slip.SCRIBBLED):
            return write_line(pixels, boxes[0], text, dpi, rng, hand=hand, slips=slips)
        text = text[:1]
    if len(text) > len(boxes):
        raise ValueError(f"{text!r} has more signs than {field.name} has boxes ({len(boxes)})")
    page = _Page(pixels.copy(), dpi, hand, rng)
    for index, box in enumerate(boxes):
        sign = text[index : index + 1].strip()
        if sign or index in slips:
            page.write_boxed(box, sign, slips.get(index))
    return page.pixels


def write_line(
    pixels: Pixels,
    box: Box,
    text: str,
    dpi: float,
    rng: np.random.Generator,
    *,
    hand: Hand,
    slips: Mapping[int, Slip] = MappingProxyType({}),
) -> Pixels:
    """The page after a person has written a line of text into a box in mm, or on its place.

    The parameters are those of `write_field`. The line is smaller where the box is narrow.
    """
    page = _Page(pixels.copy(), dpi, hand, rng)
    page.write_line(box, text, slips)
    return page.pixels


class _Page:
    """A page under one person's hand."""

    def __init__(self, pixels: Pixels, dpi: float, hand: Hand, rng: Generator) -> None:
        self.pixels = pixels
        self._px_per_mm = dpi / MM_PER_INCH
        self._hand = hand
        self._rng = rng

    def write_boxed(self, box: Box, text: str, slip: Slip | None) -> None:
        """One sign in the middle of its box, or what goes wrong with it."""
        rng, hand = self._rng, self._hand
        if slip is Slip.FILLED:
            self._fill(box)
            return
        if slip is Slip.SCRIBBLED or not text:
            self._scribble(box)
            return
        sign, size = self._pick(text), self._size(box)
        width = _width(sign)
        size = min(size, 0.9 * box.w / max(width, 0.05))
        middle = np.array(box.centre) + rng.normal(0, hand.spread, 2) * (box.w, box.h)
        if slip in (Slip.TOUCHING, Slip.CROSSING):
            middle = np.array(box.centre) + self._aside(box, size * width, size, slip)
        elif slip is Slip.OUTSIDE:
            middle[1] = box.bottom + 0.5 * size + rng.uniform(0.2, 1.0)
        elif slip is Slip.CORRECTED:
            size = min(0.65 * size, _ROOM_MM)
            middle[1] = box.y - 0.5 * size - rng.uniform(0.2, 1.0)
            self._strike_one(box, self._other(text))
        elif slip is Slip.OVERWRITTEN:
            self._set(
                self._pick(self._other(text)), text, middle - (size * width / 2, size / 2), size
            )
        corner = middle - (size * width / 2, size / 2)
        self._set(sign, text, corner, size)
        if slip is Slip.STRUCK:
            self._strike(_box(corner, size * width, size))

    def write_line(self, box: Box, text: str, slips: Mapping[int, Slip]) -> None:
        rng, hand = self._rng, self._hand
        signs = [None if t == " " else self._pick(t) for t in text]
        gaps = [float(rng.uniform(0.12, 0.3)) for _ in signs]
        widths = [0.5 if sign is None else _width(sign) for sign in signs]
        widths = [w * (_metrics(t)[1] - _metrics(t)[0]) for w, t in zip(widths, text, strict=True)]
        total = sum(widths) + sum(gaps[:-1])
        size = min(self._size(box), 0.92 * box.w / max(total, 0.1))
        free = box.w - size * total
        x = box.x + min(0.5 * free, rng.uniform(0.1, 0.4) * free)
        top = box.centre[1] - size / 2 + float(rng.normal(0, hand.spread)) * box.h
        climb = float(rng.normal(0, 0.015))
        for index, (sign, width, gap) in enumerate(zip(signs, widths, gaps, strict=True)):
            if sign is not None:
                wobble = rng.normal(0, 0.03 * size, 2)
                corner = np.array([x, top - climb * (x - box.x)]) + wobble
                slip = slips.get(index)
                if slip is Slip.OVERWRITTEN:
                    self._set(self._pick(self._other(text[index])), text[index], corner, size)
                self._set(sign, text[index], corner, size * float(rng.uniform(0.93, 1.07)))
                if slip is Slip.STRUCK:
                    self._strike(_box(corner, size * width, size))
            x += size * (width + gap)

    def _size(self, box: Box) -> float:
        """Height of a capital letter in mm."""
        return self._hand.size * box.h * float(np.clip(self._rng.normal(1, 0.06), 0.85, 1.15))

    def _pick(self, text: str) -> Sign:
        signs = self._hand.signs[text]
        return signs[int(self._rng.integers(len(signs)))]

    def _other(self, text: str) -> str:
        """A sign of the same kind that is another."""
        kind = _DIGITS if text in _DIGITS else "ABCDEFGHKT"
        others = [sign for sign in kind if sign != text]
        return others[int(self._rng.integers(len(others)))]

    def _aside(self, box: Box, width: float, height: float, slip: Slip) -> Stroke:
        """How far a sign is from the middle of its box where it touches or crosses a side."""
        rng = self._rng
        room = np.maximum((np.array([box.w, box.h]) - (width, height)) / 2, 0)
        beyond = 0.0 if slip is Slip.TOUCHING else float(rng.uniform(0.1, 0.22))
        way = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)][int(rng.integers(4))])
        return np.asarray(way * (room + beyond * np.array([width, height])))

    def _strike_one(self, box: Box, text: str) -> None:
        sign, size = self._pick(text), self._size(box)
        size = min(size, 0.9 * box.w / max(_width(sign), 0.05))
        corner = np.array(box.centre) - (size * _width(sign) / 2, size / 2)
        self._set(sign, text, corner, size)
        self._strike(_box(corner, size * _width(sign), size))

    def _strike(self, box: Box) -> None:
        """Two or three strokes through a sign, or a cross."""
        rng = self._rng
        wide = max(box.w, 0.6 * box.h)
        left, right = box.centre[0] - 0.62 * wide, box.centre[0] + 0.62 * wide
        heights = [(0.1, 0.9), (0.9, 0.1)]
        if rng.random() < 0.6:
            heights = [(h, h - float(rng.uniform(0, 0.2))) for h in (0.35, 0.55, 0.7)]
        ends = [((left, box.y + a * box.h), (right, box.y + b * box.h)) for a, b in heights]
        lines = [np.array(line) for line in ends]
        self._draw([line + rng.normal(0, 0.12, (2, 2)) for line in lines])

    def _scribble(self, box: Box) -> None:
        turns = 24
        points = self._rng.uniform(0.12, 0.88, (turns, 2)) * (box.w, box.h) + (box.x, box.y)
        self._draw([points])

    def _fill(self, box: Box) -> None:
        tip = self._hand.ink.tip_mm
        rows = np.arange(0.1, box.h - 0.1, 0.6 * tip)
        ends = np.empty((len(rows), 2, 2))
        ends[:, 0, 0], ends[:, 1, 0] = box.x + 0.2, box.right - 0.2
        ends[:, :, 1] = (box.y + rows)[:, None]
        ends[1::2] = ends[1::2, ::-1]
        self._draw([ends.reshape(-1, 2) + self._rng.normal(0, 0.1, (2 * len(rows), 2))])

    def _set(self, sign: Sign, text: str, corner: Stroke, size: float) -> None:
        """Put a sign where a capital letter of `size` mm has its top left `corner`."""
        rng = self._rng
        low, high = _metrics(text)
        height = size * (high - low)
        turn = np.deg2rad(rng.normal(0, 2.0))
        shear = self._hand.slant + rng.normal(0, 0.03)
        wide = float(rng.uniform(0.93, 1.07))
        shape = np.array([[wide, -shear], [0.0, 1.0]]) * height
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ shape
        middle = np.array([_width(sign) / 2, 0.5])
        offset = corner + (0.0, size * low) + height * middle - turned @ middle
        if isinstance(sign, tuple):
            shaken = [s + rng.normal(0, 0.012, 2) for s in sign]
            if text in STROKES:  # a table's strokes are always the same
                shaken = [smoothed(s + rng.normal(0, 0.015, s.shape), 2) for s in shaken]
            self._draw([s @ turned.T + offset for s in shaken])
            return
        self._print(sign, turned, offset)

    def _draw(self, strokes: Sequence[Stroke]) -> None:
        """Draw strokes in mm with the hand's pen."""
        draw_strokes(self.pixels, strokes, self._px_per_mm, self._rng, ink=self._hand.ink)

    def _print(self, sign: Pixels, shape: Stroke, offset: Stroke) -> None:
        """Put a bitmap on the page; `shape` takes heights of the sign to mm."""
        rows, columns = sign.shape
        corners = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)]) / rows
        px_per_mm = self._px_per_mm
        view = part_of_page(self.pixels, corners @ shape.T + offset, 0.5, px_per_mm)
        if view is None:
            return
        (x0, y0), (w, h) = view
        scale = px_per_mm * _OVERSAMPLING
        matrix = np.empty((2, 3))
        matrix[:, :2] = shape * scale / rows
        matrix[:, 2] = offset * scale - np.array([x0, y0]) * _OVERSAMPLING
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
        size = (w * _OVERSAMPLING, h * _OVERSAMPLING)
        grey = cv2.warpAffine(sign, matrix, size, flags=cv2.INTER_CUBIC)
        # A fine pen keeps the middle of a line only.
        level = np.interp(self._hand.ink.tip_mm, (0.3, 0.8), (125.0, 70.0))
        fine = u8(np.clip(2.2 * (grey.astype(np.float32) - level) + 127, 0, 255))
        covered = u8(cv2.resize(fine, (w, h), interpolation=cv2.INTER_AREA))
        lay_ink(self.pixels, covered, (x0, y0), px_per_mm, self._rng, ink=self._hand.ink)


def _metrics(text: str) -> tuple[float, float]:
    """Where a sign stands, between 0 (top of a capital) and 1 (the line)."""
    if text in RAISED:
        return (-0.15, 0.35)
    return _LETTERS.get(text, (0.0, 1.0))


def _box(corner: Stroke, width: float, height: float) -> Box:
    return Box(float(corner[0]), float(corner[1]), width, height)


def _width(sign: Sign) -> float:
    """Width of a sign in its heights."""
    if isinstance(sign, tuple):
        return float(max(stroke[:, 0].max() for stroke in sign))
    return float(sign.shape[1] / sign.shape[0])
