"""Option labels, answers and numbers as text: one way to write them, several to read them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from inkmark.exam.model import Item, ItemType, join_labels, split_value
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
    "printed_options",
    "printed_value",
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

    Options that stand for true and false may be written in any word for them: ``对``, ``√``,
    ``T``.

    Raises
    ------
    ValueError
        For a label that is not among the options, or one written twice.
    """
    plain = half_width(text).strip()
    known = _synonyms(options) | {label.casefold(): label for label in options}
    parts = [part for part in _SEPARATORS.split(plain) if part]
    if len(parts) == 1 or all(len(label) == 1 for label in options):
        parts = [
            label for part in parts for label in ([part] if part.casefold() in known else part)
        ]
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

    The first option stands for true where the labels do not say which one does. Raises
    ValueError for any other text.
    """
    word = half_width(text).strip().casefold()
    for label in options:
        if label.casefold() == word:
            return (label,)
    known = _synonyms(options) or _meanings(*options)
    if word in known:
        return (known[word],)
    raise ValueError(f"“{text}” is neither true nor false; write T or F, √ or ×, 对 or 错")


def truth_options(language: str) -> tuple[str, str]:
    """Labels of true/false items where the workbook gives none."""
    return ("√", "×") if language == "zh" else ("T", "F")


def printed_options(item: Item, language: str) -> tuple[str, ...]:
    """The labels printed in an item's bubbles; stored options stay as they are."""
    if item.type is not ItemType.TRUE_FALSE:
        return item.options
    known = _synonyms(item.options)
    true, false = ("对", "错") if language == "zh" else ("T", "F")
    return (
        tuple(true if label == known["t"] else false for label in item.options)
        if known
        else item.options
    )


def printed_value(item: Item, value: str, language: str) -> str:
    """A value or key of an item in the labels printed in its bubbles."""
    printed = printed_options(item, language)
    labels = dict(zip(item.options, printed, strict=True))
    marked = split_value(value, item.options)
    return join_labels((labels.get(label, label) for label in marked), printed)


def _synonyms(options: Sequence[str]) -> dict[str, str]:
    """Every word for true and false to its option; none where options are not a pair of them."""
    if len(options) == 2:
        for true, false in (options, options[::-1]):
            if true.casefold() in _TRUE_WORDS and false.casefold() in _FALSE_WORDS:
                return _meanings(true, false)
    return {}


def _meanings(true: str, false: str) -> dict[str, str]:
    return dict.fromkeys(_TRUE_WORDS, true) | dict.fromkeys(_FALSE_WORDS, false)


def _span(first: str, last: str) -> tuple[str, ...]:
    first, last = first.upper(), last.upper()
    if first.isdigit() != last.isdigit() or first >= last:
        raise ValueError(f"{first}-{last} is no range of options; write for instance A-D")
    return tuple(chr(code) for code in range(ord(first), ord(last) + 1))


def _label(text: str) -> str:
    return text.upper() if len(text) == 1 and text.isascii() else text
