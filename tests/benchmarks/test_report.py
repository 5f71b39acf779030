"""Comparison of two runs, and the JSON record they are kept in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.contract import Better, Kind, Result, Row
from benchmarks.report import (
    Facts,
    Record,
    compare,
    facts_of_this_machine,
    load_record,
    save_record,
)

FACTS = Facts("cpu", 2, "Linux x86_64", "3.11.7", (("numpy", "2.0"),), "abc", "2026-01-01")


def record(*rows: Row, facts: Facts = FACTS, name: str = "reading") -> Record:
    return Record(facts, (Result(name, rows, seed=7, notes=("a note",)),))


def verdict(new: Row, old: Row, *, same_machine: bool = True) -> str:
    facts = FACTS if same_machine else dataclasses.replace(FACTS, cpu="another")
    (found,) = compare(record(new), record(old, facts=facts), 1.15)
    return found.verdict


@pytest.mark.parametrize(
    ("kind", "better", "old", "new", "expected"),
    [
        (Kind.TIME, Better.LOWER, 1.0, 1.14, "ok"),
        (Kind.TIME, Better.LOWER, 1.0, 1.16, "worse"),
        (Kind.TIME, Better.LOWER, 1.0, 0.80, "better"),
        (Kind.TIME, Better.HIGHER, 115.0, 101.0, "ok"),
        (Kind.TIME, Better.HIGHER, 115.0, 99.0, "worse"),
        (Kind.RATIO, Better.LOWER, 2.0, 2.4, "worse"),
        (Kind.MEMORY, Better.LOWER, 100.0, 120.0, "worse"),
        (Kind.ACCURACY, Better.HIGHER, 0.999, 0.998, "worse"),
        (Kind.COUNT, Better.LOWER, 0.0, 1.0, "worse"),
        (Kind.COUNT, Better.LOWER, 0.0, 0.0, "ok"),
        (Kind.COUNT, Better.HIGHER, 10.0, 11.0, "better"),
        (Kind.COUNT, Better.NEITHER, 10.0, 1.0, "for information"),
    ],
)
def test_verdicts(kind: Kind, better: Better, old: float, new: float, expected: str) -> None:
    assert verdict(Row("a", new, "u", kind, better), Row("a", old, "u", kind, better)) == expected


def test_tolerance_of_an_exact_row() -> None:
    old = Row("a", 1e-12, "", Kind.ACCURACY, tolerance=1e-9)
    assert verdict(dataclasses.replace(old, value=9e-10), old) == "ok"
    assert verdict(dataclasses.replace(old, value=2e-9), old) == "worse"


def test_times_of_another_machine_are_not_judged_but_counts_are() -> None:
    slow, fast = Row("a", 9.0, "s", Kind.TIME), Row("a", 1.0, "s", Kind.TIME)
    assert verdict(slow, fast, same_machine=False) == "other machine"
    many, few = Row("a", 9.0, "fields", Kind.COUNT), Row("a", 1.0, "fields", Kind.COUNT)
    assert verdict(many, few, same_machine=False) == "worse"


def test_a_row_that_is_gone_is_a_regression_and_a_new_one_is_not() -> None:
    old, new = Row("old", 1.0, "s", Kind.TIME), Row("new", 1.0, "s", Kind.TIME)
    found = compare(record(new), record(old), 1.15)
    assert [(c.label, c.verdict, c.is_regression) for c in found] == [
        ("new", "new", False),
        ("old", "gone", True),
    ]


def test_rows_of_groups_are_told_apart() -> None:
    rows = [Row("right", n, "fields", Kind.COUNT, Better.HIGHER, group=g) for g, n in
            (("photos", 3.0), ("scans", 5.0))]  # fmt: skip
    worse = [rows[0], dataclasses.replace(rows[1], value=4.0)]
    found = compare(record(*worse), record(*rows), 1.15)
    assert [(c.label, c.verdict) for c in found] == [
        ("photos: right", "ok"),
        ("scans: right", "worse"),
    ]


def test_benchmarks_that_were_not_run_are_not_compared() -> None:
    row = Row("a", 1.0, "s", Kind.TIME)
    assert compare(record(row), record(row, name="another"), 1.15) == ()


def test_record_survives_the_file(tmp_path: Path) -> None:
    before = record(Row("a", 1.5, "s", Kind.TIME, Better.HIGHER, 0.25, 5, 0.5))
    path = tmp_path / "new" / "base.json"
    save_record(before, path)
    assert load_record(path) == before
    assert [p.name for p in path.parent.iterdir()] == ["base.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other/1"}'])
def test_other_files_are_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="python -m benchmarks NAME --json"):
        load_record(path)


def test_facts_name_this_machine() -> None:
    facts = facts_of_this_machine()
    assert facts.cores >= 1
    assert facts.cpu
    assert dict(facts.packages)["numpy"]
    assert facts.same_machine(facts)
