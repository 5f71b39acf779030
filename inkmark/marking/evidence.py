"""Candidate numbers as they were read, from codes, bubbles and boxes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inkmark.readings import CodeReading, FieldReading, Flag

__all__ = [
    "BLANK",
    "NO_SYMBOL",
    "IdentityOptions",
    "NumberEvidence",
    "certain_number",
    "number_evidence",
]

BLANK, NO_SYMBOL = "", "?"
"""What a box may hold besides symbols; see `FieldReading.choices`."""

_PLAUSIBLE = 1e-3
"""A reading allows a number that is this probable against the likeliest one."""

_MISREAD = 2 * _PLAUSIBLE
"""A written digit that is read otherwise is at least so probable beside other evidence."""
_CLEAR = 0.9
"""A symbol that is this probable is shown to people as what was read."""

Box = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """When a sheet is given to a candidate without a person.

    Attributes
    ----------
    number_error : float
        The largest probability of being wrong at which a number counts by itself, be it on
        the roster or not.
    match_error : float
        The largest probability of being wrong at which a match with the roster counts. It may
        be larger: what is left of it by all sheets together is far below it for nearly all.
    strangers : float
        Expected share of the sheets that belong to nobody on the roster, besides those with a
        number that nobody has.
    second_sheets : float
        Expected share of candidates of whom there is a second sheet, or another image of
        their sheet that is not known to be one.
    """

    number_error: float = 1e-4
    match_error: float = 0.002
    strangers: float = 0.005
    second_sheets: float = 0.01


@dataclass(frozen=True, slots=True)
class NumberEvidence:
    """A number as it was read.

    Attributes
    ----------
    boxes : tuple of tuple of (str, float)
        What each box may hold, as in `FieldReading.choices`.
    column : str
        The column of the roster that it should be in (see `Candidate.identifiers`); empty
        for the candidate number.
    is_certain : bool
        Whether the likeliest number is beyond doubt, whatever its probability.
    is_writing : bool
        Whether it is handwriting, of which now and then a digit is read wrongly.
    """

    boxes: tuple[Box, ...]
    column: str = ""
    is_certain: bool = False
    is_writing: bool = False

    @classmethod
    def of_text(cls, text: str, column: str = "") -> NumberEvidence:
        """What a decoded code says: certain, each character."""
        return cls(tuple(((symbol, 1.0),) for symbol in text), column, is_certain=True)

    @classmethod
    def of_reading(cls, reading: FieldReading, column: str = "") -> NumberEvidence:
        """What a field says; where its choices are not known, what was read in it.

        Bubbles are certain where their reader flags nothing. Writing is as certain as its
        probabilities, which the roster may bear out.
        """
        boxes = reading.choices
        if not boxes and reading.flag is not Flag.UNREADABLE:
            symbols = reading.value.split("|") if "|" in reading.value else list(reading.value)
            share = reading.confidence ** (1 / max(len(symbols), 1))
            boxes = tuple(((s, 1.0 if s == NO_SYMBOL else share),) for s in symbols)
        is_writing = not reading.fill
        certain = reading.flag is Flag.OK and not is_writing
        return cls(boxes, column, is_certain=certain, is_writing=is_writing)

    @property
    def is_blank(self) -> bool:
        """Whether no box is likely to hold a symbol."""
        return not any(
            sum(p for symbol, p in box if symbol not in (BLANK, NO_SYMBOL)) >= 0.5
            for box in self.boxes
        )

    @property
    def best(self) -> tuple[str, float]:
        """The likeliest number and how probable it is.

        A box before its end that is blank or holds no symbol shows as ``?``.
        """
        tops = [box[0] if box else (NO_SYMBOL, 1.0) for box in self.boxes]
        text = "".join(symbol or " " for symbol, _ in tops).rstrip()
        return text.replace(" ", NO_SYMBOL), math.prod(p for _, p in tops)

    @property
    def shown(self) -> str:
        """The number for people: ``?`` for a box that may as well hold something else."""
        tops = [box[0] if box else (NO_SYMBOL, 1.0) for box in self.boxes]
        text = "".join((symbol or " ") if p >= _CLEAR else NO_SYMBOL for symbol, p in tops)
        return text.rstrip().replace(" ", NO_SYMBOL)

    def number(self, options: IdentityOptions) -> str:
        """The number that is read beyond doubt; empty where none is."""
        text, probability = self.best
        sure = self.is_certain or probability >= 1 - options.number_error
        return text if sure and NO_SYMBOL not in text else ""

    def allows(self, number: str, options: IdentityOptions, *, elsewhere: bool = False) -> bool:
        """Whether this by itself leaves a number possible.

        Parameters
        ----------
        number : str
        options : IdentityOptions
        elsewhere : bool
            Whether the number is sure by something else. Then a digit of handwriting that is
            read otherwise does not count against it, but two do.
        """
        certain = self.number(options)
        if certain or len(number) > len(self.boxes):
            return number == certain
        symbols = [*number, *[BLANK] * (len(self.boxes) - len(number))]
        ratio = 1.0
        for symbol, box in zip(symbols, self.boxes, strict=True):
            p = dict(box)
            vague = p.get(NO_SYMBOL, 0.0) + (p.get(BLANK, 0.0) if symbol else 0.0)
            least = _MISREAD if elsewhere and self.is_writing else 0.0
            ratio *= max((p.get(symbol, 0.0) + vague) / max(*p.values(), vague, 1e-9), least)
        return ratio >= _PLAUSIBLE

    def may_equal(self, other: NumberEvidence) -> bool:
        """Whether both may be images of the same writing."""
        shared = 1.0
        for one, two in zip(self.boxes, other.boxes, strict=False):
            p, q = dict(one), dict(two)
            vague = max(v.get(symbol, 0.0) for v in (p, q) for symbol in (BLANK, NO_SYMBOL))
            shared *= vague + sum(min(p[symbol], q[symbol]) for symbol in p.keys() & q.keys())
        return shared >= _PLAUSIBLE


def number_evidence(
    columns: Mapping[str, str],
    readings: Iterable[FieldReading],
    codes: Iterable[CodeReading],
    named: str = "",
) -> tuple[NumberEvidence, ...]:
    """Gather what was read about who the candidate is.

    Parameters
    ----------
    columns : mapping of str to str
        The fields that say it, and the column of the roster each should be in.
    readings : iterable of FieldReading
    codes : iterable of CodeReading
    named : str
        The candidate that the sheet's own code names; empty where it names none.

    Returns
    -------
    tuple of NumberEvidence
    """
    return (
        *([NumberEvidence.of_text(named)] if named else []),
        *(NumberEvidence.of_text(c.text, columns[c.field]) for c in codes if c.field in columns),
        *(NumberEvidence.of_reading(r, columns[r.field]) for r in readings if r.field in columns),
    )


def certain_number(
    evidence: Iterable[NumberEvidence], options: IdentityOptions | None = None
) -> str:
    """Give the candidate number that a sheet bears beyond doubt, with no roster at hand.

    Parameters
    ----------
    evidence : iterable of NumberEvidence
        Of other columns than the candidate number none counts.
    options : IdentityOptions, optional

    Returns
    -------
    str
        Empty where no number is read surely enough, or another number speaks against it.
    """
    options = options or IdentityOptions()
    numbers = [e for e in evidence if not e.column and not e.is_blank]
    certain = {e.number(options) for e in numbers} - {""}
    if len(certain) != 1:
        return ""
    (text,) = certain
    return text if all(e.allows(text, options, elsewhere=True) for e in numbers) else ""
