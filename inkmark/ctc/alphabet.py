"""Characters that mean the same or look the same: the one place that knows of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign_characters", "plain"]

_SAME = {
    "-": "‐‑‒–—−﹣",
    "×": "✕✖╳⨯",
    "·": "・•∙⋅‧",
    "'": "‘’′`´",
    '"': "“”″",
    ":": "∶︰",
    "/": "∕⁄",
    "~": "∼〜",
    "√": "✓✔",
    "<": "〈",
    ">": "〉",
    " ": "\u00a0",
}
_USUAL = {other: usual for usual, others in _SAME.items() for other in others}

_ALIKE = (
    "0OoQD〇○口",
    "1Iil|丨!",
    "2Zz",
    "5Ss",
    "6b",
    "8B",
    "9gq",
    "×xX",
    "-一ー_~",
    ".。·、,",
    ":;",
)
"""Groups of characters that look alike in handwriting: where only some of a group may be
written, the others are read as the first of those."""


@lru_cache(maxsize=65_536)
def plain(character: str) -> str:
    """The usual form of a character: narrow for wide ones, one minus sign for all.

    Parameters
    ----------
    character : str
        One character.

    Returns
    -------
    str
        One character.
    """
    kind, _, code = unicodedata.decomposition(character).partition(" ")
    if kind in ("<wide>", "<narrow>"):
        character = chr(int(code, 16))
    return _USUAL.get(character, character)


def assign_characters(characters: Sequence[str], alphabet: str) -> NDArray[np.int64]:
    """Which symbol of an alphabet each character stands for.

    A character stands for itself in any form; else for its capital or small letter; else for
    what it looks like.

    Parameters
    ----------
    characters : sequence of str
    alphabet : str
        What may be written.

    Returns
    -------
    (n,) int64
        Position in the alphabet; -1 for characters that look like none of it.
    """
    places = {plain(symbol): k for k, symbol in reversed(list(enumerate(alphabet)))}
    stand_ins: dict[str, int] = {}
    for group in _ALIKE:
        first = next((places[symbol] for symbol in group if symbol in places), None)
        if first is not None:
            for symbol in group:
                stand_ins.setdefault(symbol, first)
    for symbol, place in places.items():
        for other in (symbol.upper(), symbol.lower()):
            stand_ins[other] = place
    stand_ins |= places
    return np.array([stand_ins.get(plain(c), -1) for c in characters], dtype=np.int64)
