"""What may be written in a field: regular languages, as tables of states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc.alphabet import plain

__all__ = [
    "ANY_CHARACTER",
    "OTHER",
    "Language",
    "Pattern",
    "either",
    "language_of",
    "literal",
    "many",
    "maybe",
    "one_of",
    "repeat",
    "symbols_of",
]

OTHER = "\ufffd"
"""Stands for a character that a reader saw and that is none of those asked for."""

_ANY_OTHER = "\x00"
"""Stands for every character that no language names."""
_MOST_STATES = 8192
"""Of one language: reading under it takes memory for each state, step and symbol."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A set of texts; ``a + b`` is a followed by b, ``a | b`` either of them.

    It is kept as its places (V. M. Glushkov, The abstract theory of automata, Russian
    Mathematical Surveys 16(5), 1961): each occurrence of a character in the pattern, and
    which place may follow which.

    Attributes
    ----------
    places : tuple of frozenset of str, or None
        The characters that may stand at each place; None for any.
    empty : bool
        Whether the empty text is in the set.
    first, last : frozenset of int
        Places where a text may begin and end.
    follow : frozenset of (int, int)
        Pairs of places of which the second may follow the first.
    """

    places: tuple[frozenset[str] | None, ...] = ()
    empty: bool = True
    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    follow: frozenset[tuple[int, int]] = frozenset()

    def __add__(self, other: Pattern) -> Pattern:
        then = _shifted(other, len(self.places))
        return Pattern(
            self.places + then.places,
            self.empty and then.empty,
            self.first | then.first if self.empty else self.first,
            self.last | then.last if then.empty else then.last,
            self.follow | then.follow | _pairs(self.last, then.first),
        )

    def __or__(self, other: Pattern) -> Pattern:
        return either(self, other)


def _shifted(pattern: Pattern, by: int) -> Pattern:
    return Pattern(
        pattern.places,
        pattern.empty,
        frozenset(k + by for k in pattern.first),
        frozenset(k + by for k in pattern.last),
        frozenset((a + by, b + by) for a, b in pattern.follow),
    )


def _pairs(last: frozenset[int], first: frozenset[int]) -> frozenset[tuple[int, int]]:
    return frozenset((a, b) for a in last for b in first)


def one_of(characters: str) -> Pattern:
    """One of some characters, in any of their forms.

    Parameters
    ----------
    characters : str
        At least one.

    Returns
    -------
    Pattern
    """
    return _one(frozenset(plain(character) for character in characters))


def _one(characters: frozenset[str] | None) -> Pattern:
    place = frozenset([0])
    return Pattern((characters,), False, place, place)


ANY_CHARACTER = _one(None)
"""Any one character."""


def literal(text: str) -> Pattern:
    """One text.

    Parameters
    ----------
    text : str

    Returns
    -------
    Pattern
    """
    pattern = Pattern()
    for character in text:
        pattern += one_of(character)
    return pattern


def either(*patterns: Pattern) -> Pattern:
    """Any text of any of some patterns.

    Parameters
    ----------
    *patterns : Pattern
        At least one.

    Returns
    -------
    Pattern
    """
    moved, n_places = [], 0
    for pattern in patterns:
        moved.append(_shifted(pattern, n_places))
        n_places += len(pattern.places)
    return Pattern(
        tuple(place for pattern in moved for place in pattern.places),
        any(pattern.empty for pattern in moved),
        frozenset[int]().union(*(pattern.first for pattern in moved)),
        frozenset[int]().union(*(pattern.last for pattern in moved)),
        frozenset[tuple[int, int]]().union(*(pattern.follow for pattern in moved)),
    )


def maybe(pattern: Pattern) -> Pattern:
    """A text of a pattern, or nothing.

    Parameters
    ----------
    pattern : Pattern

    Returns
    -------
    Pattern
    """
    return Pattern(pattern.places, True, pattern.first, pattern.last, pattern.follow)


def many(pattern: Pattern) -> Pattern:
    """One or more texts of a pattern after each other.

    Parameters
    ----------
    pattern : Pattern

    Returns
    -------
    Pattern
    """
    follow = pattern.follow | _pairs(pattern.last, pattern.first)
    return Pattern(pattern.places, pattern.empty, pattern.first, pattern.last, follow)


def repeat(pattern: Pattern, least: int, most: int) -> Pattern:
    """From `least` to `most` texts of a pattern after each other.

    Parameters
    ----------
    pattern : Pattern
    least, most : int

    Returns
    -------
    Pattern
    """
    result = Pattern()
    for _ in range(most - least):
        result = maybe(pattern + result)
    for _ in range(least):
        result = pattern + result
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A regular language as a deterministic automaton; texts begin in state 0.

    Attributes
    ----------
    alphabet : str
        The characters that are told apart, in their plain forms.
    moves : (n_states, n_characters + 1) int32
        The next state by character of the alphabet, and last by any other character;
        -1 where it may not be written.
    accepting : (n_states,) bool
        Where a text may end.
    """

    alphabet: str
    moves: NDArray[np.int32]
    accepting: NDArray[np.bool_]

    @classmethod
    def of(cls, pattern: Pattern) -> Language:
        """The language of a pattern, by the subset construction.

        Parameters
        ----------
        pattern : Pattern

        Returns
        -------
        Language

        Raises
        ------
        ValueError
            Where there are more texts than states can tell apart within reason.
        """
        named = frozenset[str]().union(*(place for place in pattern.places if place))
        alphabet = "".join(sorted(named))
        after: list[set[int]] = [set() for _ in pattern.places]
        for a, b in pattern.follow:
            after[a].add(b)
        numbers: dict[frozenset[int], int] = {frozenset([-1]): 0}
        rows: list[list[int]] = []
        for state in (queue := list(numbers)):
            ahead = set(pattern.first) if -1 in state else set().union(*(after[k] for k in state))
            row = []
            for character in [*alphabet, None]:
                reached = frozenset(k for k in ahead if _stands(character, pattern.places[k]))
                if reached and reached not in numbers:
                    numbers[reached] = len(numbers)
                    queue.append(reached)
                    if len(queue) > _MOST_STATES:
                        raise ValueError(
                            f"what may be written takes more than {_MOST_STATES} states to tell; "
                            "allow fewer texts"
                        )
                row.append(numbers[reached] if reached else -1)
            rows.append(row)
        accepting = [bool(state & pattern.last) for state in numbers]
        accepting[0] = pattern.empty
        return cls(alphabet, np.array(rows, dtype=np.int32), np.array(accepting))

    @property
    def is_open(self) -> bool:
        """Whether characters outside the alphabet may be written."""
        return bool((self.moves[:, -1] >= 0).any())

    def moves_by(self, symbols: Sequence[str]) -> NDArray[np.int64]:
        """The moves by given symbols.

        Parameters
        ----------
        symbols : sequence of str
            Characters in their plain forms; `OTHER` and ``""`` are never written.

        Returns
        -------
        (n_states, n) int64
        """
        other = len(self.alphabet)
        place = {character: k for k, character in enumerate(self.alphabet)}
        moves = self.moves[:, [place.get(symbol, other) for symbol in symbols]]
        moves[:, [symbol in ("", OTHER) for symbol in symbols]] = -1
        return np.ascontiguousarray(moves, dtype=np.int64)

    def without(self, other: Language) -> Language:
        """The texts of this language that are not in another one.

        Parameters
        ----------
        other : Language

        Returns
        -------
        Language
        """
        alphabet = "".join(sorted({*self.alphabet, *other.alphabet}))
        mine, theirs = (each.moves_by([*alphabet, _ANY_OTHER]) for each in (self, other))
        sink = len(theirs)
        theirs = np.vstack([np.where(theirs < 0, sink, theirs), np.full_like(theirs[:1], sink)])
        moves = np.where(mine[:, None] < 0, -1, mine[:, None] * (sink + 1) + theirs)
        accepting = self.accepting[:, None] & ~np.append(other.accepting, False)
        flat = moves.reshape(-1, len(alphabet) + 1).astype(np.int32)
        return Language(alphabet, flat, accepting.ravel())

    def accepts(self, text: str) -> bool:
        """Whether a text is in the language.

        Parameters
        ----------
        text : str

        Returns
        -------
        bool
        """
        moves, state = self.moves_by([plain(character) for character in text]), 0
        for k in range(len(text)):
            state = int(moves[state, k])
            if state < 0:
                return False
        return bool(self.accepting[state])


def _stands(character: str | None, place: frozenset[str] | None) -> bool:
    return place is None or character in place


_DIGIT = one_of("0123456789")
_INTEGER = many(_DIGIT)
_FRACTION = _INTEGER + one_of("/") + _INTEGER
_NUMBER = maybe(one_of("+-")) + (
    _INTEGER
    | maybe(_INTEGER) + one_of(".") + _INTEGER
    | repeat(_DIGIT, 1, 3) + many(one_of(",") + repeat(_DIGIT, 3, 3))
    | maybe(_INTEGER + one_of(" ")) + _FRACTION
)
_HALF = one_of("½") | literal(".5") | literal(".0")
_MONTH = maybe(one_of("0")) + one_of("123456789") | one_of("1") + one_of("012")
_DAY = maybe(one_of("0")) + one_of("123456789") | one_of("12") + _DIGIT | one_of("3") + one_of("01")
_YEAR = maybe(one_of("12") + _DIGIT) + repeat(_DIGIT, 2, 2)

_DATE = either(
    *(_YEAR + one_of(mark) + _MONTH + one_of(mark) + _DAY for mark in "-/."),
    _YEAR + one_of("年") + _MONTH + one_of("月") + _DAY + one_of("日"),
)

_DIGITS, _LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAMED = {
    "digits": _INTEGER,
    "letters": many(one_of(_LETTERS)),
    "number": _NUMBER,
    "points": repeat(_DIGIT, 1, 3) + maybe(_HALF) | one_of("½"),
    "date": _DATE,
    "text": many(ANY_CHARACTER),
}
_SYMBOLS = {
    "digits": _DIGITS,
    "letters": _LETTERS,
    "number": _DIGITS + "+-./,",
    "points": _DIGITS + ".½",
    "date": _DIGITS + "-/.年月日",
    "text": _DIGITS + _LETTERS,
}


@lru_cache(maxsize=256)
def language_of(charset: str) -> Language:
    """What may be written in a field of a layout; at least one character.

    Parameters
    ----------
    charset : str
        ``"digits"``, ``"letters"`` (capitals), ``"number"`` (a signed decimal, fraction or
        mixed number), ``"points"`` (a whole number or a half), ``"date"`` (year, month and
        day, with hyphens, slashes, dots or 年月日 between them), ``"text"`` (anything), or else
        the characters themselves: ``"ABCD"``.

    Returns
    -------
    Language
    """
    return Language.of(_NAMED.get(charset) or many(one_of(charset)))


def symbols_of(charset: str) -> str:
    """What one box of a field of a layout may hold: the characters of `language_of`."""
    return _SYMBOLS.get(charset, charset)
