"""Numbers of points in a box: which pieces of ink are digits, and what they say.

The pieces of ink in a box are grouped from left to right in every way that makes sense;
the glyph reader says what each group may be; numbers are what the groups may spell. Half a
mark is written ``.5``, as a small 5 beside the whole points, or as a fraction, ``½``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr.boxes import PAPER, SCALE, CutField
from inkmark.ocr.glyphs import glyph_images, glyph_reader

__all__ = ["NO_NUMBER", "read_number"]

NO_NUMBER = "?"
"""What is written is no number of points."""

GreyImage = NDArray[np.uint8]
F64 = NDArray[np.float64]

_DIGITS = tuple("0123456789")
_INK = 0.3
"""Ink is darker than this share of the box's darkest."""
_LEAST_INK = 22
_LEAST_MM2 = 0.035
"""Smaller pieces are dust."""
_WIDE = 1.15
"""A piece so many times as wide as high may be two digits that touch."""
_MOST_PIECES = 9
"""More pieces are a scribble."""
_MOST_TOGETHER = 3
_MOST_DIGITS = 3
_DOUBT = 0.003
"""Doubt that is left about signs of which the glyph reader has none."""
_LOST_POINT, _LOST_BETWEEN = 0.02, 0.15
"""How often what ends in 5 is half a mark whose point is lost, and where there is a box for
each digit: the line between them hides it."""
_LOST_SLASH = 0.1
"""How often what ends in 12 is half a mark whose slash is lost between its digits."""
_UNLIKELY = 0.002
"""Less probable digits are not followed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Connected ink, in pixels of the strip."""

    box: int
    left: int
    top: int
    right: int
    bottom: int
    n_px: int
    image: GreyImage
    """(bottom - top, right - left), on bare paper."""
    is_cut: bool
    """Whether it was cut from the piece before it."""

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Neighbouring pieces taken as one sign."""

    first: int
    n: int
    left: int
    top: int
    right: int
    bottom: int
    fit: float
    """How well the pieces belong together, 0 to 1."""

    @property
    def height(self) -> int:
        return self.bottom - self.top


def read_number(cut: CutField) -> list[tuple[str, float]]:
    """What a field of points may say, likeliest first; the probabilities add up to 1.

    Parameters
    ----------
    cut : CutField

    Returns
    -------
    list of (str, float)
        Numbers such as ``"7.5"``; ``""`` for nothing, `NO_NUMBER` for what is none.
    """
    pieces = [piece for box in range(len(cut.boxes)) for piece in _pieces(cut, box)]
    if not pieces:
        return [("", 1.0)]
    if len(pieces) > _MOST_PIECES:
        return [(NO_NUMBER, 1.0)]
    parted = len(cut.boxes) > 1
    groups = {(g.first, g.n): g for g in _groups(pieces)}
    signs = _signs(pieces, list(groups.values()))
    worth: defaultdict[str, float] = defaultdict(float)
    weight = 0.0
    for way in _ways(groups, len(pieces)):
        said = _spelt(way, signs, parted)
        sense = sum(said.values())
        # What is parted wrongly seldom looks like digits, and hardly ever exactly like them.
        share = float(np.prod([g.fit for g in way])) * sense / (1 + _DOUBT - sense)
        weight += share
        for text, p in said.items():
            worth[text] += p * share
    if weight == 0:
        return [(NO_NUMBER, 1.0)]
    found = [(text, p / weight) for text, p in worth.items()]
    found.append((NO_NUMBER, max(1 - sum(p for _, p in found), 0.0)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


def _pieces(cut: CutField, box: int) -> Iterator[_Piece]:
    """The connected pieces of ink of a box, left to right, wide ones cut in two."""
    crop = cut.crop(box)
    offset = max(int(cut.boxes[box, 0]) - int(cut.boxes[0, 0]), 0)
    limit = max(round(_INK * cut.ink), _LEAST_INK)
    inked = (crop <= PAPER - limit).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    found = []
    for label in range(1, n):
        left, top, width, height, n_px = stats[label].tolist()
        if n_px < _LEAST_MM2 * SCALE**2:
            continue
        rows, columns = slice(top, top + height), slice(left, left + width)
        own = cv2.dilate(
            (labels[rows, columns] == label).astype(np.uint8), np.ones((3, 3), np.uint8)
        )
        image = np.where(own > 0, crop[rows, columns], np.uint8(PAPER))
        for start, stop in _cuts(image):
            part = image[:, start:stop]
            lines = np.flatnonzero((part <= PAPER - limit).any(axis=1))
            if len(lines):
                first, last = int(lines[0]), int(lines[-1]) + 1
                found.append(
                    _Piece(
                        box,
                        offset + left + start,
                        top + first,
                        offset + left + stop,
                        top + last,
                        int((part <= PAPER - limit).sum()),
                        part[first:last],
                        start > 0,
                    )
                )
    yield from sorted(found, key=lambda p: (p.left + p.right, p.top))


def _cuts(image: GreyImage) -> list[tuple[int, int]]:
    """Columns at which a wide piece comes apart: where there is least ink about the middle."""
    height, width = image.shape
    if width < _WIDE * height or width < 2 * SCALE:
        return [(0, width)]
    ink = (PAPER - image.astype(np.int64)).sum(axis=0).astype(np.float64)
    ink = np.convolve(ink, np.ones(3) / 3, mode="same")
    away = np.abs(np.arange(width) - (width - 1) / 2) / width
    ink[away > 0.25] = np.inf
    at = int(np.argmin(ink * (1 + away)))
    return [(0, at), (at, width)]


def _groups(pieces: list[_Piece]) -> Iterator[_Group]:
    """Every run of up to three pieces in one box, with how well they belong together."""
    for first in range(len(pieces)):
        for n in range(1, min(_MOST_TOGETHER, len(pieces) - first) + 1):
            run = pieces[first : first + n]
            if run[-1].box != run[0].box:
                break
            fit = 1.0
            for one, other in pairwise(run):
                fit *= _together(one, other)
            after = first + n
            if after < len(pieces) and pieces[after].box == run[0].box:
                fit *= 1 - _together(run[-1], pieces[after])
            yield _Group(
                first,
                n,
                min(p.left for p in run),
                min(p.top for p in run),
                max(p.right for p in run),
                max(p.bottom for p in run),
                fit,
            )


def _together(one: _Piece, other: _Piece) -> float:
    """Probability that two neighbouring pieces are of one sign.

    Parts of a sign stand over each other; two that are both tall are two digits.
    """
    if other.is_cut:
        return 0.5
    common = min(one.right, other.right) - max(one.left, other.left)
    narrow = min(one.right - one.left, other.right - other.left)
    tall = max(one.height, other.height)
    needed = 0.25 + 0.5 * float(np.clip(min(one.height, other.height) / tall / 0.4 - 1, 0, 1))
    overlap = common / max(narrow, 0.25 * tall, 1.0)
    return float(np.clip(1 / (1 + np.exp(-16 * (overlap - needed))), 0.004, 0.98))


def _ways(groups: dict[tuple[int, int], _Group], n: int, start: int = 0) -> Iterator[list[_Group]]:
    """Every way to part the pieces into groups."""
    if start == n:
        yield []
        return
    for size in range(1, _MOST_TOGETHER + 1):
        group = groups.get((start, size))
        if group is not None and group.fit > 1e-4:
            for rest in _ways(groups, n, start + size):
                yield [group, *rest]


def _signs(pieces: list[_Piece], groups: list[_Group]) -> dict[tuple[int, int], F64]:
    """Probabilities of the ten digits for each group."""
    crops = []
    for group in groups:
        side = max(group.height, group.right - group.left)
        pad = side // 4 + 2
        crop = np.full(
            (group.height + 2 * pad, group.right - group.left + 2 * pad), PAPER, np.uint8
        )
        for p in pieces[group.first : group.first + group.n]:
            y, x = p.top - group.top + pad, p.left - group.left + pad
            part = crop[y : y + p.height, x : x + p.right - p.left]
            np.minimum(part, p.image, out=part)
        crops.append(crop)
    glyphs, _ = glyph_images(crops, PAPER)
    found = glyph_reader().probabilities(glyphs, _DIGITS).astype(np.float64)
    return {(g.first, g.n): row for g, row in zip(groups, found, strict=True)}


def _spelt(way: list[_Group], signs: dict[tuple[int, int], F64], parted: bool) -> dict[str, float]:
    """Numbers that groups may spell, with their probabilities."""
    tall = max(g.height for g in way)
    base = max(g.bottom for g in way if g.height > 0.6 * tall)
    lost = _LOST_BETWEEN if parted else _LOST_POINT
    said: defaultdict[str, float] = defaultdict(float)
    for n_whole in range(min(_MOST_DIGITS, len(way)) + 1):
        half = _half(way, n_whole, tall, base, signs)
        if half <= 0:
            continue
        for digits, p in _whole(way[:n_whole], tall, signs):
            if n_whole < len(way):
                said[f"{digits or 0}.5"] += p * half
            elif digits == "05":  # no whole number begins with a nought
                said["0.5"] += p
            elif len(digits) > 1 and digits.endswith("5"):
                said[digits] += p * (1 - lost)
                said[f"{digits[:-1]}.5"] += p * lost
            elif len(digits) > 2 and digits.endswith("12"):
                said[digits] += p * (1 - _LOST_SLASH)
                said[f"{digits[:-2]}.5"] += p * _LOST_SLASH
            elif digits:
                said[digits] += p
    everything = max(sum(said.values()), 1.0)  # one sign may be read as several
    return {text: p / everything for text, p in said.items()}


def _whole(
    groups: list[_Group], tall: int, signs: dict[tuple[int, int], F64]
) -> list[tuple[str, float]]:
    """Digits that groups may spell; a nought comes first alone, or before a 5."""
    texts = [("", 1.0)]
    for place, g in enumerate(groups):
        row = signs[g.first, g.n] * _is_digit(g, tall)
        if place > 0 and place == len(groups) - 1:
            row[5] *= 1 - _is_small(g, tall)
        texts = [
            (text + digit, p * float(row[k]))
            for text, p in texts
            for k, digit in enumerate(_DIGITS)
            if p * row[k] > _UNLIKELY and (text[:1] != "0" or text + digit == "05")
        ]
    return texts


def _half(
    way: list[_Group], n_whole: int, tall: int, base: int, signs: dict[tuple[int, int], F64]
) -> float:
    """Probability that what follows the whole points says a half, or nothing."""
    rest = way[n_whole:]
    if not rest:
        return 1.0
    digit = [signs[g.first, g.n] for g in rest]
    if len(rest) == 1:
        return float(digit[0][5]) * _is_small(rest[0], tall) if n_whole else 0.0
    if len(rest) == 2:
        return _is_dot(rest[0], tall, base) * float(digit[1][5]) * (1.0 if n_whole else 0.5)
    if len(rest) == 3:
        one, slash, two = rest
        stroke = slash.height >= 0.85 * max(one.height, two.height)
        small = max(one.height, two.height) < 0.85 * tall and n_whole > 0
        stepped = two.top > one.top + 0.2 * tall
        slant = float(digit[1][[1, 7, -1]].sum())
        return float(digit[0][1] * digit[2][2]) * slant if stroke and (small or stepped) else 0.0
    return 0.0


def _is_small(group: _Group, tall: int) -> float:
    """Probability by its size that a sign beside the whole points counts for less."""
    return float(1 / (1 + np.exp(40 * (group.height / tall - 0.7))))


def _is_digit(group: _Group, tall: int) -> float:
    """Probability by its size that a sign counts as a digit and is no dot."""
    return float(1 / (1 + np.exp(-40 * (group.height / tall - 0.4))))


def _is_dot(group: _Group, tall: int, base: int) -> float:
    side = max(group.height, group.right - group.left)
    if side > 0.32 * tall or (group.top + group.bottom) / 2 < base - 0.45 * tall:
        return 0.0
    return 0.998
