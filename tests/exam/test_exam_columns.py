"""The page on the exam workbook tells every name that is understood, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inkmark.exam import ItemType, Policy, RuleKind, format_rule, parse_rule
from inkmark.exam.columns import (
    EXAM_SHEET,
    ITEM_COLUMNS,
    ITEM_TYPE_NAMES,
    ITEM_TYPES,
    ITEMS_SHEET,
    POLICY_SETTINGS,
    ROSTER_COLUMNS,
    ROSTER_SHEET,
    SETTINGS,
    YES_NO,
    Heading,
    TextPair,
    find_columns,
    suggestion,
)
from inkmark.exam.tables import Cell, Table, fold
from inkmark.exam.values import parse_number

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "exam.md"


def documented(heading: str) -> dict[str, list[str]]:
    """The rows of the first table below a heading of the page, by their first cell."""
    text = PAGE.read_text("utf-8").split(f"# {heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table[0].splitlines()[2:]]
    return {row[0].strip().strip("`"): [cell.strip().strip("`") for cell in row] for row in rows}


def names(heading: Heading) -> set[str]:
    return {fold(name) for name in heading.names}


@pytest.mark.parametrize(
    ("title", "headings"),
    [
        ("The exam workbook, the roster and the points", (EXAM_SHEET, ITEMS_SHEET, ROSTER_SHEET)),
        ("Sheet items", ITEM_COLUMNS),
        ("Sheet roster, or roster.csv", ROSTER_COLUMNS),
    ],
)
def test_columns_and_their_other_names_are_documented(title, headings):
    rows = documented(title)
    assert list(rows) == [heading.title.en for heading in headings]
    for heading in headings:
        english, chinese, others, content = rows[heading.title.en]
        written = {fold(name) for name in (english, chinese, *others.split(","))}
        # The model's own name of a field is understood too, but need not be told.
        assert written | {fold(heading.name)} == names(heading)
        assert heading.required == (content.endswith("needed") or content == "yes")


def test_settings_and_their_defaults_are_documented():
    rows = documented("Sheet exam")
    assert list(rows) == [heading.title.en for heading in (*SETTINGS, *POLICY_SETTINGS)]
    for heading in SETTINGS:
        assert rows[heading.title.en][1] == heading.title.zh
        assert heading.required == (rows[heading.title.en][3] == "needed")
    for heading in POLICY_SETTINGS:
        _, chinese, _, default = rows[heading.title.en]
        assert chinese == heading.title.zh
        value = getattr(Policy(), heading.name)
        said = YES_NO[fold(default)] if isinstance(value, bool) else parse_number(default)
        assert said == value


def test_types_are_documented():
    rows = documented("# Types, options and keys".removeprefix("# "))
    assert [row[:2] for row in rows.values()] == [
        [ITEM_TYPE_NAMES[kind].en, ITEM_TYPE_NAMES[kind].zh] for kind in ItemType
    ]
    for english, chinese, *_ in rows.values():
        assert ITEM_TYPES[fold(english)] is ITEM_TYPES[fold(chinese)]


def test_rules_are_documented_in_both_languages():
    rows = documented("# Scoring rules".removeprefix("# "))
    assert {parse_rule(rule).kind for rule in rows} == set(RuleKind)
    for rule, chinese, *_ in rows.values():
        assert parse_rule(rule) == parse_rule(chinese)
        assert format_rule(parse_rule(rule)) == rule


def header(*titles: str) -> Table:
    return Table("t", tuple(Cell(f"t!{i}", title) for i, title in enumerate(titles)), ())


A = Heading("a", TextPair("甲", "alpha"), required=True, also=("first",))
B = Heading("b", TextPair("乙", "beta"))


def test_columns_are_found_in_any_order_and_writing():
    faults = []
    columns, others = find_columns(header("x", "B E_T-A", "Ａｌｐｈａ"), (A, B), faults)
    assert columns == {"b": 1, "a": 2}
    assert [cell.text for cell, _ in others] == ["x"]
    assert faults == []


def test_the_name_that_comes_first_wins():
    columns, others = find_columns(header("first", "alpha"), (A, B), [])
    assert columns == {"a": 1}
    assert [index for _, index in others] == [0]


def test_missing_and_doubled_columns_are_faults():
    faults = []
    find_columns(header("beta", "Beta"), (A, B), faults)
    assert [str(fault) for fault in faults] == [
        "t!1: column “Beta” is at t!0 too; keep one",
        "t!0: column “alpha” (甲) is missing",
    ]


def test_a_suggestion_is_only_made_for_what_is_close():
    assert suggestion("alfa", ["alpha", "beta"]) == "; did you mean “alpha”?"
    assert suggestion("zzz", ["alpha", "beta"]) == ""
