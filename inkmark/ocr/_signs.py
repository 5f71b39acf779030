"""A line of numbers sign by sign: a second opinion on what the reader of lines says.

The recogniser of strings sees a line as a whole, and now and then it is sure of what is not
there. Here pieces of ink are put together to signs. The reader of glyphs says which digits
these may be, and their shapes whether they are points, commas, strokes or minus signs. It is
wrong more often than the recogniser, but elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import Choices
from inkmark.ocr._pieces import Group, Piece, find_pieces, glyphs_of, group_pieces
from inkmark.ocr.boxes import PAPER
from inkmark.ocr.glyphs import glyph_reader

__all__ = ["read_signs"]

GreyImage = NDArray[np.uint8]
F64 = NDArray[np.float64]

_SYMBOLS = "0123456789.,-/="
_COLUMN = {symbol: k for k, symbol in enumerate(_SYMBOLS)}
_LIKE = {"O": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8", "Q": "9"}
"""Letters that the reader of glyphs takes digits for where either may be written."""
_MOST_PIECES = 40
"""More pieces are no line of numbers."""
_LEAST_SENSE = 0.02
"""What looks like no sign at all is still one, so often."""
_FURTHER = 0.9
"""Fewer signs are a little likelier: what was cut in two may be one."""
_LEAST_SHARE = 0.0005
"""What is less likely is not kept."""
_INK = 40
"""Ink of a piece is darker."""


def read_signs(strip: GreyImage, ink: int) -> Choices:
    """What the signs of a line may be, from left to right.

    Parameters
    ----------
    strip : (h, w) uint8
        The line as it is cut out of the page; bare paper is `PAPER`.
    ink : int
        How dark ink is.

    Returns
    -------
    tuple of tuple of (str, float)
        As steps of connectionist temporal classification, a blank around each sign; what is
        missing from 1 is none of the signs of numbers. Empty where there is no ink, or so
        much that it is no line of numbers.
    """
    pieces = find_pieces(strip, ink)
    if not pieces or len(pieces) > _MOST_PIECES:
        return ()
    groups = list(group_pieces(pieces))
    blank = (("", 1.0),)
    steps: list[tuple[tuple[str, float], ...]] = [blank]
    for row in _best_way(groups, _weigh(pieces, groups), len(pieces)):
        ranked = sorted(zip(row.tolist(), _SYMBOLS, strict=True), key=lambda pair: -pair[0])
        steps += [tuple((s, round(p, 4)) for p, s in ranked if p >= _LEAST_SHARE), blank]
    return tuple(steps)


def _best_way(groups: Sequence[Group], rows: F64, n: int) -> list[F64]:
    """The signs of the likeliest way to part the pieces into groups."""
    worth = [0.0, *[-math.inf] * n]
    last = [-1] * (n + 1)
    for k, group in enumerate(groups):  # in the order of their first pieces
        sense = max(float(rows[k].sum()), _LEAST_SENSE)
        end = group.first + group.n
        value = worth[group.first] + math.log(max(group.fit, 1e-4) * sense * _FURTHER)
        if value > worth[end]:
            worth[end], last[end] = value, k
    way, end = [], n
    while end:
        k = last[end]
        way.append(rows[k])
        end = groups[k].first
    return way[::-1]


def _weigh(pieces: Sequence[Piece], groups: Sequence[Group]) -> F64:
    """Probability of each symbol in each group, (n, symbols); the rest is none of them."""
    highest = max(p.height for p in pieces)
    tall = [p for p in pieces if p.height > 0.5 * highest]
    height = float(np.median([p.height for p in tall]))
    line = float(np.median([p.bottom for p in tall]))
    digits = _digits(pieces, groups)
    return np.array(
        [
            _by_shape(pieces[group.first : group.first + group.n], group, row, height, line)
            for group, row in zip(groups, digits, strict=True)
        ]
    )


def _digits(pieces: Sequence[Piece], groups: Sequence[Group]) -> F64:
    reader = glyph_reader()
    found = reader.probabilities(glyphs_of(pieces, groups)).astype(np.float64)
    rows = np.zeros((len(groups), len(_SYMBOLS)))
    for k, symbol in enumerate(reader.classes):
        column = _COLUMN.get(_LIKE.get(symbol, symbol))
        if column is not None:
            rows[:, column] += found[:, k]
    return rows


def _by_shape(
    pieces: Sequence[Piece], group: Group, digits: F64, height: float, line: float
) -> F64:
    """Weigh what the reader of glyphs says against small signs and strokes.

    Sizes are in heights of a digit, which stands on `line`.
    """
    tall, wide = group.height / height, group.width / height
    middle = ((group.top + group.bottom) / 2 - line) / height
    below = (group.bottom - line) / height
    if len(pieces) == 2 and tall < 0.7 and all(_is_bar_of(group, piece) for piece in pieces):
        row = np.zeros(len(_SYMBOLS))
        row[_COLUMN["="]] = 1.0
        return row
    small = 1 - _over(tall, 0.5, 40)
    row = digits * (1 - small)
    is_flat = _over(wide / tall, 1.7, 8) * _over(wide, 0.15, 20)
    row[_COLUMN["-"]] = small * is_flat * _over(middle, -0.8, 20) * _over(-middle, 0.1, 20)
    is_low = (1 - is_flat) * _over(middle, -0.32, 20) * _over(-wide, -0.3, 30)
    is_comma = _over(tall + 0.7 * (below - 0.08), 0.2, 30)
    row[_COLUMN[","]] = small * is_low * is_comma
    row[_COLUMN["."]] = small * is_low * (1 - is_comma)
    if len(pieces) == 1 and tall > 0.7:
        lean, bend = _stroke(pieces[0].image)
        is_slash = 0.95 * _over(-bend, -0.055, 250) * _over(tall, 0.8, 20) * _over(lean, 0.27, 25)
        row *= 1 - is_slash
        row[_COLUMN["/"]] = is_slash
    return row


def _is_bar_of(group: Group, piece: Piece) -> bool:
    return piece.width > max(1.5 * piece.height, 0.6 * group.width)


def _over(value: float, limit: float, steepness: float) -> float:
    return 1 / (1 + math.exp(-min(max(steepness * (value - limit), -30.0), 30.0)))


def _stroke(image: GreyImage) -> tuple[float, float]:
    """How far a piece leans to the right, in widths a height, and how far it is from straight."""
    y, x = np.nonzero(image <= PAPER - _INK)
    if len(y) < 2:
        return 0.0, 1.0
    y, x = y - y.mean(), x - x.mean()
    lean = -float(x @ y) / max(float(y @ y), 1e-9)
    return lean, float((x + lean * y).std()) / len(image)
