"""How accepted answers are written: a pattern that holds what people write for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import permutations
from math import factorial

from inkmark.ctc import Pattern, either, literal, many, maybe, one_of
from inkmark.exam.answers import Amount, Answer, Exactly, Parts, Several, Statement, Words, totals
from inkmark.exam.numerals import decimal_text
from inkmark.exam.units import find_units, short_names, without_case

__all__ = ["spellings"]

_MOST_IN_ANY_ORDER = 3
"""Of longer lists in any order only the order of the key is looked for."""
_MOST_PLACES = 5000
"""Of patterns that would have more places only the order and the units of the key are looked
for: a key of few characters, ``{{1 m*, 2 m*, 3 m*}; {4 m*, 5 m*, 6 m*}; 7 m*}``, may stand for
millions of texts."""
_MOST_DIGITS = 8
"""Numbers of more digits are not looked for in other units."""
_BLANK = maybe(one_of(" "))
_ZEROS = many(one_of("0"))


def spellings(answers: Sequence[Answer]) -> Pattern:
    """What people write for accepted answers.

    Every text of the pattern is accepted, yet not every accepted text is in it: rare forms,
    such as fractions that can be reduced and Chinese numerals that the key does not have, are
    left out, and of a key that could be written in very many ways other orders and units are.

    Parameters
    ----------
    answers : sequence of Answer
        At least one.

    Returns
    -------
    Pattern
    """
    every = either(*(_spelled(answer, widely=True) for answer in answers))
    if len(every.places) <= _MOST_PLACES:
        return every
    return either(*(_spelled(answer, widely=False) for answer in answers))


def _spelled(answer: Answer, *, widely: bool) -> Pattern:
    """One answer; widely is in other orders and units than those of the key, too."""
    match answer:
        case Exactly(text):
            return literal(text)
        case Words(text):
            return _words(text)
        case Amount():
            return _amount(answer, widely=widely)
        case Statement(name, value, name_may_lack):
            named = _words(name) + _BLANK + one_of("=") + _BLANK
            return (maybe(named) if name_may_lack else named) + _spelled(value, widely=widely)
        case Several(items, brackets, ordered):
            parts = [_spelled(item, widely=widely) for item in items]
            orders = [tuple(parts)]
            if widely and not ordered and len(parts) <= _MOST_IN_ANY_ORDER:
                n_places = factorial(len(parts)) * sum(len(part.places) for part in parts)
                if n_places <= _MOST_PLACES:
                    orders = list(permutations(parts))
            comma = one_of(",;、") + _BLANK
            lists = either(*(reduce(lambda a, b: a + comma + b, order) for order in orders))
            return literal(brackets[:1]) + lists + literal(brackets[1:]) if brackets else lists


def _words(text: str, same: Callable[[str], str] = str.casefold) -> Pattern:
    """A text in upper and lower case, where that is the same."""
    pattern = Pattern()
    plain = text.replace(" ", "")
    for place, symbol in enumerate(plain):
        cases = {
            case
            for case in (symbol, symbol.lower(), symbol.upper())
            if len(case) == 1 and same(plain[:place] + case + plain[place + 1 :]) == same(plain)
        }
        pattern += (_BLANK if place else Pattern()) + one_of("".join(sorted(cases)))
    return pattern


def _amount(answer: Amount, *, widely: bool) -> Pattern:
    if len(answer.parts) > 1:
        whole = [_size(abs(number)) + _BLANK + _names(unit) for number, unit in answer.parts]
        forms = [reduce(lambda a, b: a + _BLANK + b, whole)]
    else:
        ((number, unit),) = answer.parts
        named = _BLANK + _unit(unit) if unit else Pattern()
        forms = [_number(number) + (maybe(named) if answer.unit_may_lack else named)]
    if not answer.tolerance:
        forms.append(literal(answer.text))
    if answer.any_unit and widely:
        forms += _converted(answer.parts)
    return either(*forms)


def _number(value: Fraction) -> Pattern:
    return (one_of("-") if value < 0 else maybe(one_of("+"))) + _size(abs(value))


def _size(value: Fraction) -> Pattern:
    """A number that is not negative as a decimal, a fraction, a mixed number or a percentage."""
    forms = []
    decimal = decimal_text(value)
    if decimal is not None:
        forms.append(_decimal(decimal))
        percentage = decimal_text(value * 100, 4)
        if percentage is not None and value <= 2:
            forms.append(_decimal(percentage) + one_of("%"))
    if value.denominator > 1:
        forms.append(literal(f"{value.numerator}/{value.denominator}"))
        whole, rest = divmod(value.numerator, value.denominator)
        if whole:
            forms.append(literal(f"{whole} {rest}/{value.denominator}"))
    return either(*forms)


def _decimal(text: str) -> Pattern:
    whole, _, rest = text.partition(".")
    pattern = literal(whole)
    if len(whole) > 3:
        pattern |= literal(f"{int(whole):,}")
    if rest:
        before = maybe(pattern) if whole == "0" else pattern
        return before + literal(f".{rest}") + maybe(_ZEROS)
    return pattern + maybe(one_of(".") + _ZEROS)


def _unit(name: str) -> Pattern:
    """The unit, perhaps in brackets."""
    names = _names(name)
    return names | one_of("(") + names + one_of(")")


def _names(name: str) -> Pattern:
    """The unit by its short names."""
    names = {name, name.replace("^", "")}
    for unit in find_units(name):
        names |= {other for other, same in short_names(unit.dimension) if same == unit}
    return either(*(_words(one, without_case) for one in sorted(names)))


def _converted(parts: Parts) -> list[Pattern]:
    """The amount in other units of its kind, where that takes few digits."""
    forms = []
    for kind, amount in totals(parts).items():
        for name, unit in short_names(kind):
            decimal = decimal_text(amount / unit.factor - unit.offset, 4)
            if decimal is not None and len(decimal.replace(".", "")) <= _MOST_DIGITS:
                negative = decimal.startswith("-")
                sign = one_of("-") if negative else Pattern()
                forms.append(
                    sign + _decimal(decimal.lstrip("-")) + _BLANK + _words(name, without_case)
                )
    return forms
