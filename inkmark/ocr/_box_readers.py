"""What each of the two readers says of boxes that hold one symbol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import likelihood
from inkmark.ocr.boxes import PAPER, SCALE
from inkmark.ocr.glyphs import glyph_images, glyph_reader

__all__ = ["kind_of", "line_crop", "read_glyphs", "read_strings"]

GreyImage = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

_AROUND_MM = 0.5
"""Paper left around a line of writing."""


def kind_of(symbols: str) -> str:
    """Which weights count where these symbols may be written."""
    return "digits" if symbols.isdigit() else "letters"


def read_glyphs(crops: Sequence[GreyImage], symbols: str) -> FloatArray | None:
    """Probability of each symbol and, last, of none of them, by the reader of glyphs.

    Parameters
    ----------
    crops : sequence of (h, w) uint8
        Of `CutField.crop`.
    symbols : str

    Returns
    -------
    (n, len(symbols) + 1) float64 or None
        None where the reader does not know all the symbols.
    """
    reader = glyph_reader()
    if not all(symbol in reader.classes for symbol in symbols):
        return None
    return reader.probabilities(glyph_images(crops, PAPER)[0], symbols).astype(np.float64)


def read_strings(crops: Sequence[GreyImage], symbols: str) -> FloatArray:
    """The same by the reader of strings, which knows all symbols.

    Parameters
    ----------
    crops : sequence of (h, w) uint8
    symbols : str

    Returns
    -------
    (n, len(symbols) + 1) float64
    """
    from inkmark.ocr.strings import string_reader  # noqa: PLC0415 - loads onnxruntime

    out = np.empty((len(crops), len(symbols) + 1))
    lines = [line_crop(crop) for crop in crops]
    for row, steps in zip(out, string_reader().steps(lines, symbols), strict=True):
        row[:-1] = [likelihood(steps, symbol) for symbol in symbols]
        row[-1] = max(1.0 - row[:-1].sum(), 0.0)
    return out


def line_crop(crop: GreyImage) -> GreyImage:
    """The part of a crop that holds ink with some paper around it, the ink made dark.

    Parameters
    ----------
    crop : (h, w) uint8
        Bare paper is `PAPER`.

    Returns
    -------
    (h, w) uint8
        Bare paper is white.
    """
    dark = PAPER - np.minimum(crop, PAPER).astype(np.float32)
    ink = max(float(dark.max()), 1.0)
    rows, columns = (np.flatnonzero((dark > 0.4 * ink).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.full((1, 1), 255, np.uint8)
    around = round(_AROUND_MM * SCALE)
    part = dark[
        max(int(rows[0]) - around, 0) : int(rows[-1]) + around + 1,
        max(int(columns[0]) - around, 0) : int(columns[-1]) + around + 1,
    ]
    return np.asarray(255 - np.minimum(part * (220.0 / ink), 255.0), np.uint8)
