"""Accuracy of the glyph reader on each test set."""

from __future__ import annotations

from benchmarks._glyph_sets import (
    accuracy,
    calibration_error,
    load_letters,
    load_mnist,
    load_pendigits,
    load_usps,
)
from benchmarks._handwriting import Figures, Sample
from benchmarks.contract import Better, Kind, Row
from inkmark.ocr.glyphs import glyph_reader

__all__ = ["table"]

_ALPHABETS = ("0123456789", "ABCD", "ABCDEFG", "TF", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def table(sample: Sample) -> Figures:
    """Read every sign of the test sets by itself, restricted to what may be written."""
    folder = sample.specimens
    sets = [load_mnist(folder), load_pendigits(folder), load_usps(folder)]
    sets += [load_letters(folder, alphabet) for alphabet in _ALPHABETS]
    reader, rows = glyph_reader(), []
    for glyphs in sets:
        group, n = f"glyphs: {glyphs.name}", len(glyphs.labels)
        share = 100 * accuracy(reader, glyphs)
        rows.append(Row("n", n, "", Kind.COUNT, Better.NEITHER, group=group))
        rows.append(Row("right %", share, "%", Kind.ACCURACY, Better.HIGHER, group=group))
        error = calibration_error(reader, glyphs)
        rows.append(Row("calibration error", error, "", Kind.ACCURACY, group=group))
    return Figures(tuple(rows))
