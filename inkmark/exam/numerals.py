"""Numbers as people write them, exactly: decimals, fractions, percentages, Chinese numerals.

Nothing that is written is evaluated: each form has its pattern, and a number of more than
`MAX_LENGTH` characters or of an exponent beyond two digits is none.
"""

from __future__ import annotations

import re
from fractions import Fraction

from inkmark.exam.tables import half_width

__all__ = ["MAX_LENGTH", "decimal_text", "plain_writing", "read_number"]

MAX_LENGTH = 60
"""Longer texts are no numbers."""

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63"
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)
"""Soft hyphens, blanks without width and marks of direction: they come along with copied text."""
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_SAME = str.maketrans(
    dict.fromkeys(_DASHES, "-")
    | {"⁄": "/", "∕": "/", "∶": ":", "。": ".", "⩾": "≥", "≧": "≥", "⩽": "≤", "≦": "≤"}
    | {"✕": "×", "✖": "×", "“": '"', "”": '"', "‘": "'", "’": "'", "′": "'", "″": '"'}
    | {"【": "[", "】": "]", "￥": "¥", "㎜": "mm", "㎝": "cm", "㎞": "km", "㎎": "mg"}
    | {"㎏": "kg", "㎡": "m2", "㎥": "m3", "㏄": "cc", "㎖": "ml", "〇": "零", "○": "零"}
    | {"½": " 1/2", "⅓": " 1/3", "⅔": " 2/3", "¼": " 1/4", "¾": " 3/4", "⅕": " 1/5", "⅛": " 1/8"}
)

_WHOLE = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)"
_DECIMAL = rf"(?:{_WHOLE}(?:\.[0-9]*)?|\.[0-9]+)"
_SIGN = r"(?P<sign>[+\-正负負]?) ?"
_PLAIN = re.compile(rf"{_SIGN}(?P<number>{_DECIMAL}) ?(?P<share>[%‰]?)")
_SCIENTIFIC = re.compile(
    rf"{_SIGN}(?:(?P<number>{_DECIMAL}) ?(?:e|[×x*·] ?10 ?\^) ?|10 ?\^ ?)"
    r"(?P<power>[+\-]?[0-9]{1,2})"
)
_FRACTION = re.compile(
    rf"{_SIGN}(?:(?P<whole>[0-9]+)(?: |又))?(?P<over>[0-9]+) ?/ ?(?P<under>[0-9]+)"
)
_TIMES = re.compile(rf"{_SIGN}(?P<number>{_DECIMAL}) ?(?P<unit>[十百千]?[万亿]|[十百千])")
_OF = re.compile(rf"{_SIGN}(?:(?P<whole>.+)又)?(?P<under>[^又分]+)分之(?P<over>[^又分]+)")
_POINT = re.compile(rf"{_SIGN}(?P<whole>[^点]+)点(?P<digits>.+)")
_PARTS = {"%": Fraction(1, 100), "‰": Fraction(1, 1000)}

_DIGITS = {symbol: value for value, symbol in enumerate("零一二三四五六七八九")}
_FORMAL = str.maketrans(
    "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億點", "一二二三三四五六六七八九十百千万亿点"
)
_SHARES = {"百": 100, "千": 1000, "万": 10**4}
_STEPS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_SECTION = re.compile(
    "(?:([一二两三四五六七八九])千)?零?(?:([一二两三四五六七八九])百)?零?"
    "(?:([一二三四五六七八九])?(十))?零?([一二两三四五六七八九])?"
)


def plain_writing(text: str) -> str:
    """Text with what is written in several ways written in one, and single blanks.

    Full-width forms, dashes and signs of division, Chinese full stops, raised digits
    (``m²`` becomes ``m^2``), squared units and fractions of one character; case is kept. What
    nobody can see is left out.
    """
    plain = half_width(text).translate(_INVISIBLE).translate(_SAME)
    plain = re.sub(f"[{_RAISED}]+", lambda found: "^" + _lowered(found[0]), plain)
    return " ".join(plain.split())


def read_number(text: str) -> Fraction | None:
    """The number that a text says, exactly; None where it is no number.

    Parameters
    ----------
    text : str
        As `plain_writing` gives it, without case: ``3.0``, ``1,000``, ``1 1/2``, ``-50%``,
        ``1.2×10^5``, ``3万``, ``三分之一``, ``一百二十``, ``二零二六``.
    """
    text = text.strip()
    if not text or len(text) > MAX_LENGTH:
        return None
    value = _arabic(text)
    return _chinese(text) if value is None and not text.isascii() else value


def decimal_text(value: Fraction, places: int = 6) -> str | None:
    """A number as a decimal of so many places; None where it takes more."""
    scaled = abs(value) * 10**places
    if scaled.denominator != 1:
        return None
    digits = str(scaled.numerator).rjust(places + 1, "0")
    whole, rest = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return ("-" if value < 0 else "") + whole + (f".{rest}" if rest else "")


def _lowered(raised: str) -> str:
    return raised.translate(str.maketrans(_RAISED, "0123456789-"))


def _signed(found: re.Match[str], value: Fraction) -> Fraction:
    return -value if found["sign"] and found["sign"] in "-负負" else value


def _decimal(text: str) -> Fraction:
    return Fraction(re.sub("[, ]", "", text))


def _arabic(text: str) -> Fraction | None:
    if found := _PLAIN.fullmatch(text):
        share = _PARTS.get(found["share"], Fraction(1))
        return _signed(found, _decimal(found["number"]) * share)
    if found := _SCIENTIFIC.fullmatch(text):
        return _signed(
            found, _decimal(found["number"] or "1") * Fraction(10) ** int(found["power"])
        )
    if found := _FRACTION.fullmatch(text):
        return _mixed(found, *(_integer(found[part]) for part in ("whole", "over", "under")))
    if found := _TIMES.fullmatch(text):
        steps = Fraction(1)
        for unit in found["unit"]:
            steps *= _STEPS[unit]
        return _signed(found, _decimal(found["number"]) * steps)
    return None


def _mixed(
    found: re.Match[str], whole: int | None, over: int | None, under: int | None
) -> Fraction | None:
    """The whole and the fraction; None where they are not written so."""
    if not under or over is None:
        return None
    if found["whole"] is None:
        return _signed(found, Fraction(over, under))
    if whole is None or over >= under:
        return None
    return _signed(found, whole + Fraction(over, under))


def _chinese(text: str) -> Fraction | None:
    plain = text.translate(_FORMAL).replace(" ", "")
    if plain in ("半", "一半"):
        return Fraction(1, 2)
    if found := _OF.fullmatch(plain):
        return _part(found)
    if found := _POINT.fullmatch(plain):
        whole, digits = _integer(found["whole"]), [_DIGITS.get(c) for c in found["digits"]]
        if whole is None or None in digits:
            return None
        return _signed(found, _decimal(f"{whole}.{''.join(map(str, digits))}"))
    negative = plain[0] in "-负負"
    integer = _integer(plain[1:] if negative or plain[0] in "+正" else plain)
    return None if integer is None else Fraction(-integer if negative else integer)


def _part(found: re.Match[str]) -> Fraction | None:
    """三分之一, 一又三分之一, 百分之五十, 百分之百."""
    whole, under, over = found["whole"], found["under"], found["over"]
    if whole is None and under in _SHARES:
        share = Fraction(_SHARES[under]) if over == under else read_number(over)
        return None if share is None else _signed(found, share / _SHARES[under])
    return _mixed(found, _integer(whole), _integer(over), _integer(under))


def _integer(text: str | None) -> int | None:
    """A whole number without sign in digits or in Chinese; None for anything else."""
    if not text:
        return None
    if text.isascii():
        return int(text) if text.isdigit() else None
    if all(symbol in _DIGITS for symbol in text):
        return int("".join(str(_DIGITS[symbol]) for symbol in text))
    for name in "亿万":
        before, found, after = text.rpartition(name)
        if found:
            return _joined(_integer(before), _STEPS[name], after)
    return _section(text)


def _joined(before: int | None, step: int, after: str) -> int | None:
    """What stands before 万 or 亿 and after it; 一万二 is 12,000."""
    if not before or before * step >= 10**16:
        return None
    if not after:
        return before * step
    if after in _DIGITS and after != "零":
        return before * step + _DIGITS[after] * step // 10
    rest = _integer(after.removeprefix("零"))
    return None if rest is None or rest >= step else before * step + rest


def _section(text: str) -> int | None:
    """A number below 10,000: 一百零五, 十二; 一百二 is 120."""
    found = _SECTION.fullmatch(text)
    if found is None:
        return None
    digits = _DIGITS | {"两": 2}
    thousand, hundred, ten, has_ten, one = found.groups()
    value = 0
    last = 1
    for digit, step in ((thousand, 1000), (hundred, 100), (ten or (has_ten and "一"), 10)):
        if digit:
            value, last = value + digits[digit] * step, step
    if one:
        short = last >= 100 and "零" not in text
        value += digits[one] * (last // 10 if short else 1)
    return value
