"""Scoring rules as people write them in the workbook.

The grammar is the same in every language; the Chinese words are synonyms:

========================  ==================  =============================================
``exact``                 全对                all points for exactly the key
``count``                 按个给分            points shared over the keyed options
``half``                  半对                half for an incomplete set without a wrong one
``subset 2``              漏选 2              2 for an incomplete set without a wrong one
``table AB=6; A=3; B=3``  表 AB=6; A=3; B=3   points of each set; ``blank`` (空) for no mark
``negative 1``            倒扣 1              1 off for anything else that is not blank
``void``                  送分                all points for every candidate present
========================  ==================  =============================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from inkmark.exam.columns import TextPair, suggestion
from inkmark.exam.model import Item, ItemType, RuleKind, ScoringRule
from inkmark.exam.tables import fold, half_width
from inkmark.exam.values import BLANK_WORDS, number_text, parse_number

__all__ = ["format_rule", "parse_rule", "rule_faults"]

_WORDS: dict[RuleKind, TextPair] = {
    RuleKind.EXACT: TextPair("全对", "exact"),
    RuleKind.COUNT: TextPair("按个给分", "count"),
    RuleKind.HALF: TextPair("半对", "half"),
    RuleKind.SUBSET: TextPair("漏选", "subset"),
    RuleKind.TABLE: TextPair("表", "table"),
    RuleKind.NEGATIVE: TextPair("倒扣", "negative"),
    RuleKind.VOID: TextPair("送分", "void"),
}
_KINDS = {
    fold(word): kind for kind, pair in _WORDS.items() for word in (pair.zh, pair.en, kind.value)
} | {
    "全对得分": RuleKind.EXACT,
    "全对给分": RuleKind.EXACT,
    "按个": RuleKind.COUNT,
    "多选半对": RuleKind.HALF,
    "半对给分": RuleKind.HALF,
    "漏选得分": RuleKind.SUBSET,
    "漏选得": RuleKind.SUBSET,
    "漏选给": RuleKind.SUBSET,
    "错选倒扣": RuleKind.NEGATIVE,
    "全员送分": RuleKind.VOID,
    "给分表": RuleKind.TABLE,
}
_WITH_POINTS = (RuleKind.SUBSET, RuleKind.NEGATIVE)


def parse_rule(text: str) -> ScoringRule:
    """Read a scoring rule; an empty text is the exact rule.

    The sets of a table are kept as they are written; only the item knows its options.

    Raises
    ------
    ValueError
        With what is wrong and what would be right.
    """
    plain = half_width(text).strip()
    if not plain:
        return ScoringRule()
    words = "|".join(sorted(_KINDS, key=len, reverse=True))
    match = re.fullmatch(rf"({words})\s*(.*)", plain, re.IGNORECASE | re.DOTALL)
    if match is None:
        written = re.split(r"[\s\d]", plain, maxsplit=1)[0]
        raise ValueError(
            f"unknown scoring rule “{text}”{suggestion(written, _KINDS)}; write exact, count, "
            "half, subset 2, negative 1, void or table AB=6; A=3"
        )
    kind, rest = _KINDS[fold(match[1])], match[2].strip()
    if kind is RuleKind.TABLE:
        return ScoringRule(kind, table=_parse_table(rest))
    if kind in _WITH_POINTS:
        points = parse_number(rest.removesuffix("分"))
        if points is None or points <= 0:
            raise ValueError(f"the rule {kind} needs points greater than 0, as in “{kind} 2”")
        return ScoringRule(kind, points)
    if rest:
        raise ValueError(f"the rule {kind} stands alone; remove “{rest}”")
    return ScoringRule(kind)


def format_rule(rule: ScoringRule, language: str = "en") -> str:
    """The text that `parse_rule` reads back; the words in the language asked for."""
    word = _WORDS[rule.kind][language]
    if rule.kind is RuleKind.TABLE:
        blank = BLANK_WORDS[language]
        sets = "; ".join(
            f"{labels or blank}={number_text(points)}" for labels, points in rule.table
        )
        return f"{word} {sets}"
    if rule.kind in _WITH_POINTS:
        return f"{word} {number_text(rule.points)}"
    return word


def rule_faults(item: Item) -> tuple[str, ...]:
    """What is wrong with an item's scoring rule, given its type, key and points.

    A sound rule gives the key all points, gives no answer more, and never needs a third
    decimal.
    """
    return tuple(_rule_faults(item))


def _rule_faults(item: Item) -> Iterable[str]:
    rule, kind = item.rule, item.rule.kind
    if kind in (RuleKind.EXACT, RuleKind.VOID):
        return
    if not item.type.is_objective:
        yield f"the rule {kind} needs an objective item; use exact or void"
    elif kind in (RuleKind.COUNT, RuleKind.HALF, RuleKind.SUBSET):
        if item.type is not ItemType.MULTIPLE:
            yield f"the rule {kind} needs an item with several keys; use exact"
        elif kind is RuleKind.COUNT and not _has_two_decimals(item.points / len(item.key)):
            yield (
                f"{number_text(item.points)} points cannot be shared over {len(item.key)} keys in "
                "two decimals; use a table"
            )
        elif kind is RuleKind.HALF and not _has_two_decimals(item.points / 2):
            yield f"half of {number_text(item.points)} has more than two decimals; use subset"
        elif kind is RuleKind.SUBSET and rule.points >= item.points:
            yield (
                f"an incomplete set cannot give {number_text(rule.points)} of "
                f"{number_text(item.points)} points; give less than all"
            )
    elif kind is RuleKind.NEGATIVE and rule.points > item.points:
        yield f"the deduction is larger than the item's {number_text(item.points)} points"
    elif kind is RuleKind.TABLE:
        if any(points > item.points for _, points in rule.table):
            yield f"the table gives more than the item's {number_text(item.points)} points"
        if dict(rule.table).get(item.key_value) != item.points:
            yield (
                f"the table must give the key {item.key_value} all {number_text(item.points)} "
                "points"
            )


def _parse_table(text: str) -> tuple[tuple[str, Decimal], ...]:
    table: dict[str, Decimal] = {}
    for entry in re.split(r"[;,、，\n]", text):
        if not entry.strip():
            continue
        labels, separator, written = entry.rpartition("=")
        labels = labels.strip()
        points = parse_number(written.strip().removesuffix("分"))
        if not separator or not labels or points is None or points < 0:
            raise ValueError(f"“{entry.strip()}” in the table is no “set=points”, as in AB=6")
        if fold(labels) in BLANK_WORDS.values():
            labels = ""
        if labels in table:
            raise ValueError(f"the table names the set {labels or 'blank'} twice; keep one")
        table[labels] = points
    if not table:
        raise ValueError("the table is empty; write for instance table AB=6; A=3; B=3")
    return tuple(table.items())


def _has_two_decimals(value: Decimal) -> bool:
    return value == round(value, 2)
