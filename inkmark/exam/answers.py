"""Accepted answers of fill-in items: what a key means, and which written answers say the same.

A key's answer is a number with or without a unit, a list of answers, a statement such as
``x=3``, or a word; what it is is told by its form (see docs/formats/exam.md). A written answer
is taken for whatever it may say: ``1,200`` is a number and a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

from inkmark.exam.numerals import MAX_LENGTH, plain_writing, read_number
from inkmark.exam.units import LONGEST_NAME, Dimension, find_units, without_case

__all__ = [
    "Amount",
    "Answer",
    "Exactly",
    "Parts",
    "Several",
    "Statement",
    "Words",
    "parse_answer",
    "read_amounts",
]

Parts = tuple[tuple[Fraction, str], ...]
"""Numbers with the names of their units: 1 h 30 min has two parts. Empty where without unit."""

_PUNCTUATION = " .,;:!?、'\"《》"
_CURRENCIES = "¥$€£"
_BEGIN_NUMBERS = frozenset(
    "+-.正负負零一二两三四五六七八九十半百千壹贰貳叁參肆伍陆陸柒捌玖拾0123456789"
)
_WORD = re.compile(r"[^\W\d_]{1,12}")
_SEPARATORS = tuple(
    re.compile(pattern)
    for pattern in (";", r"[;、]|,(?!\d{3}(?!\d))", "[;、,]", r"[和或与及]| and | or |&")
)
"""What may stand between answers, the strongest first."""
_STATEMENT = re.compile(r"(\[?)([^=\[\]{}()<>≤≥±,;]{1,12})=(\]?)(.+)")


_DEEPEST = 8
"""So many lists and statements may stand in each other."""
_WIDEST = 100
"""A tolerance is at most so many times the number, or so much where the number is below 1."""


@dataclass(frozen=True, slots=True)
class Exactly:
    """An answer that has to be written as it stands, but for full-width forms."""

    text: str

    @property
    def printed(self) -> str:
        """The answer for people to read, without the notation of keys."""
        return self.text

    def accepts(self, written: str) -> bool:
        """Whether a written answer, as `plain_writing` gives it, says the same."""
        return written == self.text


@dataclass(frozen=True, slots=True)
class Words:
    """A word or an expression; case, blanks and punctuation around it do not matter."""

    text: str

    @property
    def printed(self) -> str:
        """As in `Exactly`."""
        return self.text

    def accepts(self, written: str) -> bool:
        """As in `Exactly`."""
        return _bare(written) == _bare(self.text)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with or without a unit.

    Attributes
    ----------
    text : str
        As it is printed.
    parts : tuple of (Fraction, str)
    tolerance : Fraction
        How far from it a number may be, in the unit of the last part.
    unit_may_lack : bool
        Whether the number alone is right.
    any_unit : bool
        Whether it may be said in other units of its kind.
    """

    text: str
    parts: Parts
    tolerance: Fraction = Fraction(0)
    unit_may_lack: bool = False
    any_unit: bool = False

    @property
    def printed(self) -> str:
        """As in `Exactly`."""
        return self.text

    def accepts(self, written: str) -> bool:
        """As in `Exactly`."""
        return any(self._is_said_by(parts) for parts in read_amounts(without_case(written)))

    def _is_said_by(self, parts: Parts) -> bool:
        units = [unit for _, unit in parts]
        if units == [""] and self.unit_may_lack and len(self.parts) == 1:
            return self._is_near(parts)
        if len(parts) == len(self.parts) and all(
            _is_same_unit(own, unit) for (_, own), unit in zip(self.parts, units, strict=True)
        ):
            return self._is_near(parts)
        if not self.any_unit:
            return False
        own, others = totals(self.parts), totals(parts)
        return any(
            abs(own[kind] - others[kind]) <= self.tolerance * _step(self.parts[-1][1], kind)
            for kind in own.keys() & others.keys()
        )

    def _is_near(self, parts: Parts) -> bool:
        pairs = zip(self.parts, parts, strict=True)
        return all(abs(own - other) <= self.tolerance for (own, _), (other, _) in pairs)


@dataclass(frozen=True, slots=True)
class Statement:
    """An answer with what it is the answer for: ``x=3``.

    Attributes
    ----------
    name : str
        Left of the equals sign.
    value : Answer
    name_may_lack : bool
        Whether the value alone is right.
    """

    name: str
    value: Answer
    name_may_lack: bool = False

    @property
    def printed(self) -> str:
        """As in `Exactly`."""
        return f"{self.name}={self.value.printed}"

    def accepts(self, written: str) -> bool:
        """As in `Exactly`."""
        name, found, value = written.partition("=")
        if found:
            return _bare(name) == _bare(self.name) and self.value.accepts(value.strip())
        return self.name_may_lack and self.value.accepts(written)


@dataclass(frozen=True, slots=True)
class Several:
    """A list of answers.

    Attributes
    ----------
    items : tuple of Answer
    brackets : str
        The opening and the closing bracket around them; empty where there are none.
    ordered : bool
        Whether their order matters.
    """

    items: tuple[Answer, ...]
    brackets: str = ""
    ordered: bool = True

    @property
    def printed(self) -> str:
        """As in `Exactly`."""
        listed = ", ".join(item.printed for item in self.items)
        return listed.join(self.brackets) if self.brackets else listed

    def accepts(self, written: str) -> bool:
        """As in `Exactly`."""
        if self.brackets or (not self.ordered and written[:1] == "{"):
            brackets, inner = written[:1] + written[-1:], written[1:-1]
            if len(written) < 2 or brackets != (self.brackets or "{}"):
                return False
            written = inner
        return any(
            self._are_said_by(pieces)
            for pieces in _lists(written)
            if len(pieces) == len(self.items)
        )

    def _are_said_by(self, pieces: Sequence[str]) -> bool:
        if self.ordered:
            return all(i.accepts(piece) for i, piece in zip(self.items, pieces, strict=True))
        return _can_pair([[item.accepts(piece) for piece in pieces] for item in self.items])


Answer = Exactly | Words | Amount | Statement | Several


@lru_cache(maxsize=4096)
def parse_answer(text: str) -> Answer:
    """What one accepted answer of a key means.

    Parameters
    ----------
    text : str
        As it stands in the workbook, without the ``|`` between answers.

    Raises
    ------
    ValueError
        With what is wrong and what would be right.
    """
    plain = plain_writing(text)
    if not plain:
        raise ValueError("an accepted answer has nothing that can be seen; leave it out")
    return _parse(plain)


@lru_cache(maxsize=4096)
def read_amounts(text: str) -> tuple[Parts, ...]:
    """All amounts that a text may say, the likeliest first.

    Parameters
    ----------
    text : str
        As `plain_writing` and `without_case` give it.

    Notes
    -----
    ``三千米`` may be 3 km and 3,000 m. A word that is no unit known here is taken for one of
    its own kind: ``5个``.
    """
    if text[:1] in _CURRENCIES:
        text = text[1:].strip() + text[:1]
    if len(text) > MAX_LENGTH or text[:1] not in _BEGIN_NUMBERS:
        return ()
    whole = read_number(text)
    found: list[Parts] = [] if whole is None else [((whole, ""),)]
    words: list[Parts] = []
    for end in range(1, len(text)):
        number = read_number(text[:end])
        if number is None:
            continue
        rest = text[end:].strip()
        if rest[:1] == "(" and rest[-1:] == ")":
            rest = rest[1:-1].strip()
        if find_units(rest):
            found.append(((number, rest),))
        elif _WORD.fullmatch(rest.replace(" ", "")):
            words.append(((number, rest.replace(" ", "")),))
        found += _compounds(number, rest)
    return (*found, *words[-1:])


def totals(parts: Parts) -> dict[Dimension, Fraction]:
    """The whole of an amount in each kind of quantity that its units may be of."""
    sums: dict[Dimension, Fraction] = {}
    for place, (number, name) in enumerate(parts):
        own = {unit.dimension: unit.amount(number) for unit in find_units(name)}
        sums = own if place == 0 else {k: sums[k] + own[k] for k in sums.keys() & own.keys()}
    return sums


def _parse(text: str, depth: int = 0) -> Answer:
    if depth > _DEEPEST:
        raise ValueError(
            f"lists and statements stand in each other more than {_DEEPEST} deep; write the answer "
            'as text in quotes, "abc"'
        )
    if text[:1] == '"':
        if len(text) < 3 or text[-1] != '"' or '"' in text[1:-1]:
            raise ValueError(f'“{text}” has a quotation mark too few or too many; write "abc"')
        return Exactly(text[1:-1].strip())
    amount = _parse_amount(text)
    if amount is not None:
        return amount
    _check_number(text)
    parse = partial(_parse, depth=depth + 1)
    if text[:1] == "{":
        pieces = next(_lists(text[1:-1]), ())
        if text[-1] != "}" or not pieces:
            raise ValueError(f"“{text}” is no list in braces; write for instance {{3, 4}}")
        return Several(tuple(map(parse, pieces)), ordered=False)
    for brackets, inner in ((text[:1] + text[-1:], text[1:-1]), ("", text)):
        if brackets == "" or (brackets[0] in "([" and brackets[1:] in (")", "]")):
            pieces = next(_lists(inner), ())
            if pieces:
                return Several(tuple(map(parse, pieces)), brackets)
    found = _STATEMENT.fullmatch(text)
    if found and bool(found[1]) == bool(found[3]):
        return Statement(found[2].strip(), parse(found[4].strip()), bool(found[1]))
    if text[-1:] == "*":
        raise ValueError(
            f"“{text}” ends in * but is no number with a unit that can be converted; write for "
            "instance 1.5 m*"
        )
    return Words(text)


def _check_number(text: str) -> None:
    """Refuse what was meant for a number and is none: as a word no number would be right."""
    advice = f'or put text in quotes: "{text}"'
    if text[:1] in "≈~≃≅" and read_amounts(without_case(text[1:].strip())):
        raise ValueError(f"“{text}” is about a number; write for instance 3.14 ± 0.01, {advice}")
    if re.search(r"[0-9]_[0-9]", text):
        raise ValueError(f"“{text}” is no number; write 1000 or 1,000, {advice}")
    if re.fullmatch(r"[+\-]?[0-9 ]*[0-9] ?/ ?0+", text):
        raise ValueError(f"“{text}” divides by zero; write a number, {advice}")
    head, between, _ = text.replace("+-", "±").partition("±")
    if between and _STATEMENT.match(text) is None and read_amounts(without_case(head.strip())):
        raise ValueError(
            f"“{text}” is no number with a tolerance above 0; write for instance 9.8 ± 0.1, "
            f"{advice}"
        )
    number = re.match(r"[+\-]?[0-9.,]+ ?(?=[^\W\d_])", text)
    units = without_case(text[number.end() :]).split("/") if number else []
    if len(units) > 2 and all(find_units(unit.strip()) for unit in units):
        raise ValueError(f"“{text}” divides twice; write for instance 1 m/s^2, {advice}")


def _parse_amount(text: str) -> Amount | None:
    """An amount in the notation of keys: ``9.8 ± 0.1 m``, ``5 [m]``, ``1.5 m*``."""
    bracketed = re.fullmatch(r"(.*\S) ?\[([^\[\]=]+)\](\*?)", text)
    body = f"{bracketed[1]} {bracketed[2]}{bracketed[3]}" if bracketed else text
    any_unit = body[-1:] == "*"
    body = body.rstrip("*").strip()
    head, between, tail = body.replace("+-", "±").partition("±")
    amounts = read_amounts(without_case(head.strip()))
    tolerance = Fraction(0)
    if between:
        width = next(iter(read_amounts(without_case(tail.strip()))), ())
        if len(width) != 1 or not amounts or len(amounts[0]) != 1:
            return None
        ((tolerance, unit),) = width
        ((number, own),) = amounts[0]
        if tolerance <= 0 or (own and unit and own != unit):
            return None
        if "%" in tail and "%" not in head:
            tolerance *= abs(number)
        if tolerance > _WIDEST * max(abs(number), Fraction(1)):
            raise ValueError(f"the tolerance of “{text}” accepts nearly everything; correct it")
        amounts = (((number, own or unit),),)
    if not amounts:
        return None
    parts = amounts[0]
    known = all(find_units(unit) for _, unit in parts)
    if (any_unit and not known) or (bracketed and not parts[-1][1]):
        return None
    return Amount(body, parts, tolerance, bool(bracketed), any_unit)


def _compounds(number: Fraction, rest: str) -> Iterator[Parts]:
    """Amounts whose first number is followed by a unit and a smaller amount: 1 h 30 min."""
    for end in range(1, min(len(rest), LONGEST_NAME)):
        name = rest[:end].strip()
        if rest[end] not in _BEGIN_NUMBERS | {" "} or not find_units(name):
            continue
        for others in read_amounts(rest[end:].strip()):
            parts = ((number, name), *others)
            if totals(parts) and _falls(name, others[0][1]):
                yield parts


def _falls(name: str, following: str) -> bool:
    """Whether the unit that follows is smaller."""
    return any(
        over.dimension == under.dimension and over.factor > under.factor
        for over in find_units(name)
        for under in find_units(following)
    )


def _is_same_unit(name: str, other: str) -> bool:
    return name == other or bool(set(find_units(name)) & set(find_units(other)))


def _step(name: str, kind: Dimension) -> Fraction:
    return next(unit.factor for unit in find_units(name) if unit.dimension == kind)


def _bare(text: str) -> str:
    """A word without case and blanks, and without punctuation around it."""
    plain = text.casefold().replace(">=", "≥").replace("<=", "≤").replace(" ", "")
    return plain.strip(_PUNCTUATION) or plain


def _lists(text: str) -> Iterator[tuple[str, ...]]:
    """The lists that a text may be, of two items and more; the likeliest first."""
    depth, depths = 0, []
    for symbol in text:
        depth += (symbol in "([{") - (symbol in ")]}")
        depths.append(depth)
    for separator in _SEPARATORS:
        begin, pieces = 0, []
        for found in separator.finditer(text):
            if depths[found.start()] == 0:
                pieces.append(text[begin : found.start()].strip())
                begin = found.end()
        pieces.append(text[begin:].strip())
        if len(pieces) > 1 and all(pieces):
            yield tuple(pieces)


def _can_pair(fits: Sequence[Sequence[bool]]) -> bool:
    """Whether every row can have a column of its own that fits (Kuhn 1955)."""
    row_of: dict[int, int] = {}

    def give(row: int, tried: set[int]) -> bool:
        for column, fit in enumerate(fits[row]):
            if fit and column not in tried:
                tried.add(column)
                if column not in row_of or give(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    return all(give(row, set()) for row in range(len(fits)))
