"""What the reader of strings says of points in a box."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from inkmark.ctc import Language, either, likeliest_texts, literal, maybe, one_of, repeat
from inkmark.ocr._box_readers import line_crop
from inkmark.ocr.boxes import PAPER, CutField

__all__ = ["read_line", "weigh"]

_MOST_TEXTS = 12
_SMALL_FIVE, _FRACTION = 0.3, 0.2
"""A small 5 beside the whole points is read as one of their size so often, and a small 1/2
as 12."""
_GLYPHS, _LINE = 0.6, 0.75
"""Exponents of both readers' probabilities,"""
_LEAST_GLYPHS, _LEAST_LINE = 0.0025, 0.001
"""which are no less than this."""
_JOINED = 0.5
"""Signs that touch are none to the reader of single signs: so far it leaves the line its say."""
_NO_LINE, _LITTLE_LINE = 0.002, 0.03
"""How often what reads as a number is none, and what hardly does."""
_MUTE = 0.2
"""A line that reads as any number less often says nothing of halves: small fractions are beyond
the reader of strings."""


@cache
def _language() -> Language:
    digits = repeat(one_of("0123456789"), 0, 3)
    return Language.of(digits + maybe(either(literal(".5"), one_of("½"), literal("1/2"))))


def read_line(cut: CutField) -> dict[str, float]:
    """Numbers that a field of points may say, with probabilities; the rest says none.

    Parameters
    ----------
    cut : CutField

    Returns
    -------
    dict of str to float
        By number, ``"7.5"``.
    """
    from inkmark.ocr.strings import string_reader  # noqa: PLC0415 - loads onnxruntime

    language = _language()
    owned = np.where(cut.owner >= 0, cut.strip, np.uint8(PAPER))
    (steps,) = string_reader().steps([line_crop(owned)], language.alphabet)
    said: defaultdict[str, float] = defaultdict(float)
    for text, p in likeliest_texts(steps, language, _MOST_TEXTS):
        for number, share in _numbers(text):
            said[number] += p * share
    return dict(said)


def _numbers(text: str) -> list[tuple[str, float]]:
    """Numbers that a text may stand for, with their shares."""
    whole = text.removesuffix(".5").removesuffix("½").removesuffix("1/2")
    if text == "05":
        return [("0.5", 1.0)]
    if not text or (len(whole) > 1 and whole[0] == "0"):
        return []
    if whole != text:
        return [(f"{whole or 0}.5", 1.0)]
    if len(text) > 1 and text.endswith("5"):
        return [(text, 1 - _SMALL_FIVE), (f"{text[:-1]}.5", _SMALL_FIVE)]
    if len(text) > 2 and text.endswith("12"):
        return [(text, 1 - _FRACTION), (f"{text[:-2]}.5", _FRACTION)]
    return [(text, 1.0)]


def weigh(
    glyphs: Sequence[tuple[str, float]], line: Mapping[str, float], none: str
) -> list[tuple[str, float]]:
    """What both readers say together, likeliest first; the probabilities add up to 1.

    Parameters
    ----------
    glyphs : sequence of (str, float)
        By `inkmark.ocr._numbers.read_number`.
    line : mapping of str to float
        By `read_line`.
    none : str
        Stands for what is no number.

    Returns
    -------
    list of (str, float)
    """
    by_glyphs, read = dict(glyphs), min(sum(line.values()), 1.0)
    if read < _MUTE and glyphs[0][0].endswith(".5"):
        return list(glyphs)
    by_line = {none: _NO_LINE + _LITTLE_LINE * (1 - read), **line}
    least = max(_LEAST_GLYPHS, _JOINED * by_glyphs.get(none, 0.0))
    weights = {
        value: max(by_glyphs.get(value, 0.0), least) ** _GLYPHS
        * max(by_line.get(value, 0.0), _LEAST_LINE) ** _LINE
        for value in by_glyphs.keys() | by_line.keys()
    }
    everything = sum(weights.values())
    return sorted(
        ((value, weight / everything) for value, weight in weights.items()),
        key=lambda entry: (-entry[1], entry[0]),
    )
