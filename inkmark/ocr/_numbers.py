"""Numbers of points in a box: which pieces of ink are digits, and what they say.

The pieces of ink in a box are grouped from left to right in every way that makes sense;
the glyph reader says what each group may be; numbers are what the groups may spell. Half a
mark is written ``.5``, as a small 5 beside the whole points, or as a fraction, ``½``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from inkmark.ocr._pieces import MOST_TOGETHER, Group, Piece, find_pieces, glyphs_of, group_pieces
from inkmark.ocr.boxes import CutField
from inkmark.ocr.glyphs import glyph_reader

__all__ = ["NO_NUMBER", "read_numbers"]

NO_NUMBER = "?"
"""What is written is no number of points."""

F64 = NDArray[np.float64]

_DIGITS = tuple("0123456789")
_MOST_PIECES = 9
"""More pieces are a scribble."""
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


def read_numbers(cuts: Sequence[CutField]) -> list[list[tuple[str, float]]]:
    """What fields of points may say, likeliest first; the probabilities add up to 1.

    Parameters
    ----------
    cuts : sequence of CutField

    Returns
    -------
    list of list of (str, float)
        For each field numbers such as ``"7.5"``; ``""`` for nothing, `NO_NUMBER` for what is
        none.
    """
    written = [_pieces(cut) for cut in cuts]
    groups = [[*group_pieces(ps)] if len(ps) <= _MOST_PIECES else [] for ps in written]
    glyphs = [glyphs_of(ps, some) for ps, some in zip(written, groups, strict=True) if some]
    rows: Iterator[F64] = iter(())
    if glyphs:
        rows = iter(glyph_reader().probabilities(np.concatenate(glyphs), _DIGITS).astype(float))
    found = []
    for cut, pieces, some in zip(cuts, written, groups, strict=True):
        if not some:
            found.append([(NO_NUMBER if pieces else "", 1.0)])
            continue
        signs = {(g.first, g.n): next(rows) for g in some}
        found.append(_number(len(pieces), some, signs, parted=len(cut.boxes) > 1))
    return found


def _number(
    n_pieces: int, groups: Sequence[Group], signs: dict[tuple[int, int], F64], *, parted: bool
) -> list[tuple[str, float]]:
    """What pieces may say by what their groups are, likeliest first."""
    worth: defaultdict[str, float] = defaultdict(float)
    weight = 0.0
    for way in _ways({(g.first, g.n): g for g in groups}, n_pieces):
        said = _spelt(way, signs, parted)
        sense = sum(said.values())
        # What is parted wrongly seldom looks like digits, and hardly ever exactly like them.
        share = math.prod(g.fit for g in way) * sense / (1 + _DOUBT - sense)
        weight += share
        for text, p in said.items():
            worth[text] += p * share
    if weight == 0:
        return [(NO_NUMBER, 1.0)]
    found = [(text, p / weight) for text, p in worth.items()]
    found.append((NO_NUMBER, max(1 - sum(p for _, p in found), 0.0)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


def _pieces(cut: CutField) -> list[Piece]:
    """The pieces of ink in a field, in pixels from the left of its first box."""
    found = []
    for box, left in enumerate(cut.boxes[:, 0].tolist()):
        offset = max(left - int(cut.boxes[0, 0]), 0)
        found += find_pieces(cut.crop(box), cut.ink, box=box, offset=offset)
    return found


def _ways(groups: dict[tuple[int, int], Group], n: int, start: int = 0) -> Iterator[list[Group]]:
    """Every way to part the pieces into groups."""
    if start == n:
        yield []
        return
    for size in range(1, MOST_TOGETHER + 1):
        group = groups.get((start, size))
        if group is not None and group.fit > 1e-4:
            for rest in _ways(groups, n, start + size):
                yield [group, *rest]


def _spelt(way: list[Group], signs: dict[tuple[int, int], F64], parted: bool) -> dict[str, float]:
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
    groups: list[Group], tall: int, signs: dict[tuple[int, int], F64]
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
    way: list[Group], n_whole: int, tall: int, base: int, signs: dict[tuple[int, int], F64]
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


def _is_small(group: Group, tall: int) -> float:
    """Probability by its size that a sign beside the whole points counts for less."""
    return float(1 / (1 + np.exp(40 * (group.height / tall - 0.7))))


def _is_digit(group: Group, tall: int) -> float:
    """Probability by its size that a sign counts as a digit and is no dot."""
    return float(1 / (1 + np.exp(-40 * (group.height / tall - 0.4))))


def _is_dot(group: Group, tall: int, base: int) -> float:
    side = max(group.height, group.right - group.left)
    if side > 0.32 * tall or (group.top + group.bottom) / 2 < base - 0.45 * tall:
        return 0.0
    return 0.998
