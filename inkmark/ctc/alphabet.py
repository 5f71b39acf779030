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

_ALIKE = {
    "0": "Oo〇○",
    "1": "I|丨/",
    "2": "Zz",
    "5": "Ss",
    "6": "G",
    "I": "1|丨",
    "O": "0〇○",
    "S": "5",
    "X": "×",
    "Z": "2",
    "x": "×",
    "×": "xX",
    "-": "一ー_~",
    ".": "。·、,",
    ":": ";",
}
"""What is of the same shape in writing: where the character before the colon may be written,
those after it that may not are taken for it. What only a careless hand makes alike is left
out: it is evidence for no one character."""


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
    what has the same shape.

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
    counts_for = {other: k for symbol, k in places.items() for other in _cases(symbol)}
    for symbol, others in _ALIKE.items():
        if symbol in places:
            for other in others:
                counts_for.setdefault(other, places[symbol])
    counts_for |= places
    return np.array([counts_for.get(plain(c), -1) for c in characters], dtype=np.int64)


def _cases(symbol: str) -> tuple[str, ...]:
    # A written C is often seen as e, which would then count as E.
    return () if symbol == "E" else (symbol.lower(), symbol.upper())
