"""Items and candidates from the rows of their tables; every fault is kept with its cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from inkmark.errors import Fault
from inkmark.exam.answers import parse_answer
from inkmark.exam.columns import (
    ITEM_COLUMNS,
    ITEM_TYPES,
    ROSTER_COLUMNS,
    find_columns,
    suggestion,
)
from inkmark.exam.model import Candidate, Item, ItemType, RuleKind, ScoringRule
from inkmark.exam.rules import parse_rule, rule_faults
from inkmark.exam.tables import Row, Table, fold, half_width
from inkmark.exam.values import (
    canonical_value,
    number_text,
    one_line,
    parse_labels,
    parse_number,
    parse_options,
    parse_truth,
    truth_options,
)

__all__ = ["MAX_ITEMS", "equal_weights", "parse_candidates", "parse_items"]

MAX_ITEMS = 500
"""Items of one exam; more is a fault."""

_NO_LABELS: tuple[str, ...] = ()

_MAX_POINTS = 1000
_MAX_DIGITS = 20
_MAX_KEY = 400
"""Characters of a fill-in item's key: what is read is held against all ways to write it."""
_WEIGHT_STEP = Decimal("0.000001")


def parse_items(table: Table, language: str, faults: list[Fault]) -> tuple[Item, ...]:
    """The items of the items sheet, without those that have a fault."""
    columns, others = find_columns(table, ITEM_COLUMNS, faults)
    for cell, _ in others:
        titles = [title for heading in ITEM_COLUMNS for title in heading.names[:2]]
        faults.append(
            Fault(
                cell.place,
                f"unknown column “{cell.text}”{suggestion(cell.text, titles)}; "
                "correct or remove it",
            )
        )
    if not {heading.name for heading in ITEM_COLUMNS if heading.required} <= columns.keys():
        return ()
    if not table.rows:
        faults.append(Fault(table.name, "no items; enter one item a row"))
    if len(table.rows) > MAX_ITEMS:
        faults.append(
            Fault(
                table.rows[MAX_ITEMS][columns["number"]].place,
                f"item {MAX_ITEMS + 1} of {len(table.rows)}: an exam has at most {MAX_ITEMS} "
                "items; remove the rows that are none, or split the exam",
            )
        )
        return ()
    items: list[Item] = []
    places: dict[str, str] = {}
    for cells in table.rows:
        row = Row({name: cells[index] for name, index in columns.items()}, [])
        item = _parse_item(row, language)
        if item.number in places:
            row.fault("number", f"item {item.number} is at {places[item.number]} too; keep one")
        elif item.number:
            places[item.number] = row.cells["number"].place
        faults.extend(row.faults)
        if not row.faults:
            items.append(item)
    return tuple(items)


def parse_candidates(table: Table, faults: list[Fault]) -> tuple[Candidate, ...]:
    """The candidates of a roster, without those that have a fault."""
    columns, others = find_columns(table, ROSTER_COLUMNS, faults)
    if "number" not in columns:
        return ()
    titles = Row({f"+{header.text}": header for header, _ in others}, faults)
    further = {name: titles.read(name, one_line, "") for name in titles.cells}
    candidates: list[Candidate] = []
    places: dict[str, str] = {}
    for cells in table.rows:
        row = Row(
            {name: cells[index] for name, index in columns.items()}
            | {f"+{header.text}": cells[index] for header, index in others},
            [],
        )
        number = row.read("number", _candidate_number, "", "no candidate number")
        if number in places:
            row.fault("number", f"candidate {number} is at {places[number]} too; keep one")
        elif number:
            places[number] = row.cells["number"].place
        candidates.append(
            Candidate(
                number,
                row.read("name", one_line, ""),
                row.read("class_name", one_line, ""),
                row.read("school", one_line, ""),
                tuple((title, _identifier(row, name)) for name, title in further.items()),
            )
        )
        faults.extend(row.faults)
    faults.extend(_length_faults(places))
    return tuple(candidates)


def equal_weights(count: int) -> tuple[Decimal, ...]:
    """Equal weights that add up to exactly 1."""
    return _normalised([Decimal(1)] * count)


def _parse_item(row: Row, language: str) -> Item:
    kind = row.read(
        "type",
        _item_type,
        None,
        "no type; write single, multiple, true/false, fill-in or subjective",
    )
    item = Item(
        row.read("number", _item_number, "", "no item number"),
        kind or ItemType.SUBJECTIVE,
        (),
        (),
        row.read("points", _points, Decimal(0), "no points"),
        row.read("rule", parse_rule, ScoringRule()),
        row.read("knowledge", _parse_knowledge, ()),
        row.read("level", one_line, ""),
        row.read("difficulty", _difficulty, None),
    )
    if kind is None:
        return item
    return _with_key(_with_options(item, row, language), row)


def _with_options(item: Item, row: Row, language: str) -> Item:
    if not item.type.is_objective:
        row.read("options", _must_be_empty(f"{item.type} items have no options"), "")
        return item
    options: tuple[str, ...]
    if item.type is ItemType.TRUE_FALSE:
        before = len(row.faults)
        options = row.read("options", _two_options, _NO_LABELS)
        if not options and len(row.faults) == before:
            options = truth_options(language)
    elif "options" in row.cells:
        options = row.read(
            "options", parse_options, _NO_LABELS, "no options; write for instance ABCD"
        )
    else:
        row.fault("type", f"{item.type} items need a column “options” (选项)")
        options = _NO_LABELS
    return replace(item, options=options)


def _with_key(item: Item, row: Row) -> Item:
    if item.type is ItemType.SUBJECTIVE:
        row.read("key", _must_be_empty("subjective items have no key"), "")
        return _with_rule(item, row)
    if item.type is ItemType.FILL_IN:
        return _with_rule(replace(item, key=row.read("key", _answers, _NO_LABELS)), row)
    if not item.options:
        return item
    if "key" not in row.cells:
        row.fault("type", f"{item.type} items need a column “key” (答案)")
        return item
    needed = "" if item.rule.kind is RuleKind.VOID else "no key"
    before = len(row.faults)
    if item.type is ItemType.TRUE_FALSE:
        key = row.read("key", lambda text: parse_truth(text, item.options), _NO_LABELS, needed)
    else:
        key = row.read("key", lambda text: parse_labels(text, item.options), _NO_LABELS, needed)
    if item.type is ItemType.SINGLE and len(key) > 1:
        row.fault(
            "key",
            "a single item has one key; accept several answers by a rule like table A=3; B=3",
        )
    return item if len(row.faults) > before else _with_rule(replace(item, key=key), row)


def _with_rule(item: Item, row: Row) -> Item:
    """The item with its table in option order; faults where the rule does not fit."""
    table: dict[str, Decimal] = {}
    for labels, points in item.rule.table:
        try:
            value = canonical_value(labels, item.options) if labels else ""
        except ValueError as error:
            row.fault("rule", f"in the table {error}")
            return item
        if value in table:
            row.fault("rule", f"the table names the set {value} twice; keep one")
            return item
        table[value] = points
    item = replace(item, rule=replace(item.rule, table=tuple(table.items())))
    if item.points > 0:
        for message in rule_faults(item):
            row.fault("rule", message)
    return item


def _item_type(text: str) -> ItemType | None:
    kind = ITEM_TYPES.get(fold(text))
    if kind is None:
        raise ValueError(
            f"unknown type “{text}”{suggestion(text, ITEM_TYPES)}; write single, multiple, "
            "true/false, fill-in or subjective"
        )
    return kind


def _item_number(text: str) -> str:
    number = "".join(half_width(text).split())
    if not re.fullmatch(r"[\w(][\w().\-]{0,11}", number):
        raise ValueError(f"“{text}” is no item number; use up to 12 letters, digits, ( ) . -")
    return number


def _points(text: str) -> Decimal:
    points = parse_number(text.removesuffix("分"))
    if points is None or text.endswith(("%", "％")):
        raise ValueError(f"“{text}” is no number of points")
    if not 0 < points <= _MAX_POINTS:
        raise ValueError(f"points must be greater than 0 and at most {_MAX_POINTS}")
    if points != round(points, 2):
        raise ValueError(f"{number_text(points)} has more than two decimals")
    return points


def _difficulty(text: str) -> float | None:
    share = parse_number(text)
    if share is None or not 0 <= share <= 1:
        raise ValueError(f"“{text}” is no share of points; write 0 to 1, or 0% to 100%")
    return float(share)


def _answers(text: str) -> tuple[str, ...]:
    if len(text) > _MAX_KEY:
        raise ValueError(
            f"the key has {len(text)} characters, at most {_MAX_KEY} are allowed; leave out "
            "answers that say the same"
        )
    answers = tuple(one_line(part) for part in re.split(r"[|｜]", text))
    if "" in answers or len(set(answers)) < len(answers):
        raise ValueError("an accepted answer is empty or there twice; separate answers by one |")
    for answer in answers:
        parse_answer(answer)
    return answers


def _two_options(text: str) -> tuple[str, ...]:
    options = parse_options(text)
    if len(options) != 2:
        raise ValueError("a true/false item has two options; leave the cell empty or write TF")
    return options


def _must_be_empty(message: str) -> Callable[[str], str]:
    def parse(_: str) -> str:
        raise ValueError(f"{message}; empty the cell")

    return parse


def _parse_knowledge(text: str) -> tuple[tuple[str, Decimal], ...]:
    names: list[str] = []
    weights: list[Decimal | None] = []
    for part in filter(str.strip, re.split(r"[;；、\n]", text)):
        *name, written = re.split(r"[:：]", part)
        names.append(one_line(name[0] if name else part))
        weight = parse_number(written) if name else None
        if len(name) > 1 or (name and (weight is None or weight <= 0)):
            raise ValueError(
                f"“{part.strip()}” is no “knowledge point:weight” with a weight over 0"
            )
        weights.append(weight)
        if not names[-1] or re.search("[,，]", names[-1]):
            raise ValueError(f"“{part.strip()}”: separate knowledge points by semicolons")
    if len(set(names)) < len(names):
        raise ValueError("a knowledge point is there twice; keep one")
    given = [weight for weight in weights if weight is not None]
    if given and len(given) < len(weights):
        raise ValueError("some knowledge points have a weight, some none; give all or none")
    shares = _normalised(given) if given else equal_weights(len(names))
    if min(shares, default=Decimal(1)) <= 0:
        raise ValueError("a weight is vanishingly small beside the others; remove that point")
    return tuple(zip(names, shares, strict=True))


def _normalised(weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Weights in steps of a millionth that add up to exactly 1; the last takes the rest."""
    total = sum(weights, Decimal(0))
    if total == 1 or not weights:
        return tuple(weights)
    shares = [(weight / total).quantize(_WEIGHT_STEP) for weight in weights[:-1]]
    return (*shares, 1 - sum(shares, Decimal(0)))


def _candidate_number(text: str) -> str:
    number = half_width(text)
    if not re.fullmatch(rf"[0-9]{{1,{_MAX_DIGITS}}}", number):
        raise ValueError(f"“{text}” is no candidate number; use 1 to {_MAX_DIGITS} digits")
    return number


def _identifier(row: Row, name: str) -> str:
    """A further column of the roster as text; unlike elsewhere a date is welcome."""
    cell = row.cells[name]
    return cell.text if cell.date is not None else row.read(name, one_line, "")


def _length_faults(places: Mapping[str, str]) -> list[Fault]:
    """Candidate numbers that are not as long as most."""
    if not places:
        return []
    usual = Counter(map(len, places)).most_common(1)[0][0]
    return [
        Fault(
            place,
            f"candidate number {number} has {len(number)} digits, most have {usual}; where leading "
            "zeros were lost, format the column as text and type them again",
        )
        for number, place in places.items()
        if len(number) != usual
    ]
