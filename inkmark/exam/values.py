"""Option labels, answers and numbers as text: one way to write them, several to read them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from inkmark.exam.model import join_labels
from inkmark.exam.tables import half_width

__all__ = [
    "BLANK_WORDS",
    "canonical_value",
    "number_text",
    "one_line",
    "parse_labels",
    "parse_number",
    "parse_options",
    "parse_truth",
    "truth_options",
]

BLANK_WORDS: Mapping[str, str] = MappingProxyType({"zh": "空", "en": "blank"})
"""How a table of option sets names the set without any mark."""

_MAX_OPTIONS = 26
_MAX_LABEL = 8
_MAX_TEXT = 200
_SEPARATORS = re.compile(r"[\s,;/|、，；]+")
_TRUE_WORDS = frozenset(["t", "true", "√", "✓", "✔", "对", "正确", "是", "y", "yes", "right"])
_FALSE_WORDS = frozenset(["f", "false", "×", "✗", "✘", "x", "错", "错误", "否", "n", "no", "wrong"])


def parse_number(text: str) -> Decimal | None:
    """A plain decimal number or percentage, exactly; None for anything else."""
    plain = half_width(text).strip()
    match = re.fullmatch(r"([+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12}))\s*(%?)", plain, re.ASCII)
    if match is None:
        return None
    return Decimal(match[1]) / 100 if match[2] else Decimal(match[1])


def number_text(value: Decimal) -> str:
    """A decimal without exponent and without zeros at the end: ``2.5``, ``10``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def one_line(text: str) -> str:
    """Text with its blanks and line breaks made single blanks; ValueError where it is long."""
    line = " ".join(text.split())
    if len(line) > _MAX_TEXT:
        raise ValueError(f"longer than {_MAX_TEXT} characters; shorten it")
    return line


def parse_options(text: str) -> tuple[str, ...]:
    """Option labels from ``ABCD``, ``A-D``, ``A,B,C,D`` or their number, ``4``.

    Raises
    ------
    ValueError
        With what is wrong and what would be right.
    """
    plain = half_width(text).strip()
    spanned = re.fullmatch(r"([A-Za-z0-9])\s*[-~—–至到]\s*([A-Za-z0-9])", plain)
    if spanned:
        labels = _span(*spanned.groups())
    elif re.fullmatch(r"[0-9]+", plain):
        if not 2 <= int(plain) <= _MAX_OPTIONS:
            raise ValueError(f"an item has 2 to {_MAX_OPTIONS} options; write labels like 1,2,3")
        labels = tuple(string.ascii_uppercase[: int(plain)])
    else:
        parts = [part for part in _SEPARATORS.split(plain) if part]
        labels = tuple(_label(part) for part in (parts if len(parts) > 1 else plain))
    if not 2 <= len(labels) <= _MAX_OPTIONS:
        raise ValueError(f"an item has 2 to {_MAX_OPTIONS} options, as in ABCD, A-D or 4")
    if len({label.casefold() for label in labels}) < len(labels):
        raise ValueError("an option is named twice; keep one")
    for label in labels:
        if len(label) > _MAX_LABEL or re.search(r"[=?]", label) or label in BLANK_WORDS.values():
            raise ValueError(f"“{label}” cannot be an option label; use a letter, digit or word")
    return labels


def parse_labels(text: str, options: Sequence[str]) -> tuple[str, ...]:
    """The labels in a written set (``AC``, ``a,c``, ``甲|乙``), in option order.

    Raises
    ------
    ValueError
        For a label that is not among the options, or one written twice.
    """
    plain = half_width(text).strip()
    known = {label.casefold(): label for label in options}
    parts = [part for part in _SEPARATORS.split(plain) if part]
    if len(parts) == 1 and plain.casefold() not in known:
        parts = list(plain)
    elif all(len(label) == 1 for label in options):
        parts = [character for part in parts for character in part]
    labels = [known.get(part.casefold(), part) for part in parts]
    unknown = [label for label in labels if label not in options]
    if unknown:
        raise ValueError(
            f"“{'”, “'.join(dict.fromkeys(unknown))}” is not among the options {', '.join(options)}"
        )
    if len(set(labels)) < len(labels):
        raise ValueError(f"“{text}” names an option twice; keep one")
    return tuple(label for label in options if label in labels)


def canonical_value(text: str, options: Sequence[str]) -> str:
    """A written set of options as readings write it: ``"c, a"`` -> ``"AC"``.

    Raises
    ------
    ValueError
        As `parse_labels`.
    """
    return join_labels(parse_labels(text, options), options)


def parse_truth(text: str, options: Sequence[str]) -> tuple[str, ...]:
    """The key of a true/false item: a label, or a word for true or false.

    The first option stands for true. Raises ValueError for any other text.
    """
    plain = half_width(text).strip()
    labels = [label for label in options if label.casefold() == plain.casefold()]
    if labels:
        return tuple(labels)
    for words, label in zip((_TRUE_WORDS, _FALSE_WORDS), options, strict=True):
        if plain.casefold() in words:
            return (label,)
    raise ValueError(f"“{text}” is neither true nor false; write T or F, √ or ×, 对 or 错")


def truth_options(language: str) -> tuple[str, str]:
    """Labels of true/false items where the workbook gives none."""
    return ("√", "×") if language == "zh" else ("T", "F")


def _span(first: str, last: str) -> tuple[str, ...]:
    first, last = first.upper(), last.upper()
    if first.isdigit() != last.isdigit() or first >= last:
        raise ValueError(f"{first}-{last} is no range of options; write for instance A-D")
    return tuple(chr(code) for code in range(ord(first), ord(last) + 1))


def _label(text: str) -> str:
    return text.upper() if len(text) == 1 and text.isascii() else text
