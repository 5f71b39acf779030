"""The benchmark of handwriting: its counting, its pages at the smallest size, its command."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    _handwriting_fill_in,
    _handwriting_letters,
    _handwriting_numbers,
    handwriting,
)
from benchmarks._handwriting import Capture, Figures, Outcomes, Sample, outcome_of
from benchmarks.contract import Better, Kind, Options, Row, Unavailable
from inkmark.geometry import Box
from inkmark.layouts import BoxFrame
from inkmark.readings import FieldReading, Flag
from inkmark.simulator import Level, Slip
from inkmark.simulator.hands import DIGIT_SETS

CLEAN = Capture(BoxFrame.DARK, 200.0, Level.CLEAN)


def reading(value: str, flag: Flag = Flag.OK) -> FieldReading:
    return FieldReading("Q1", value, 1.0, flag, (), Box(0, 0, 1, 1))


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (reading("A"), "right"),
        (reading("B"), "silent"),
        (reading("A", Flag.DOUBTFUL), "flagged"),
        (reading("B", Flag.UNREADABLE), "flagged"),
        (None, "flagged"),
    ],
)
def test_only_what_is_wrong_and_not_flagged_is_silent(
    seen: FieldReading | None, outcome: str
) -> None:
    assert outcome_of(seen, "A") == outcome


def test_rows_state_shares_of_all_and_a_bound_of_silent_errors() -> None:
    one, two = Outcomes(), Outcomes()
    one.add("dark", "right", 90)
    one.add("dark", "flagged", 8)
    two.add("dark", "silent", 2)
    two.add("dark", "exact", 95)
    one.merge(two)
    rows = {row.label: row for row in one.rows("numbers", {"exact %": "exact"})}
    assert {row.group for row in rows.values()} == {"numbers: dark"}
    figures = {label: row.value for label, row in rows.items()}
    assert figures["n"] == 100
    assert (figures["right %"], figures["flagged %"], figures["silent"]) == (90, 8, 2)
    assert figures["exact %"] == 95
    assert figures["silent below %"] == pytest.approx(6.16, abs=0.01)
    assert rows["right %"].better is Better.HIGHER
    assert rows["silent"].better is Better.LOWER


@pytest.mark.parametrize("name", list(handwriting.TABLES))
def test_every_table_is_made_by_a_function(name: str) -> None:
    module, _, function = handwriting.TABLES[name].partition(".")
    assert callable(getattr(importlib.import_module(f"benchmarks.{module}"), function))


def test_without_data_the_benchmark_cannot_run() -> None:
    with pytest.raises(Unavailable, match="INKMARK_DATA"):
        handwriting.run(Options(data_dir=None))


def test_the_command_writes_the_tables_that_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def table(sample: Sample) -> Figures:
        asked.append(sample)
        row = Row("n", 7.0, "", Kind.COUNT, group="letters: A-D")
        return Figures((row,), ("A note.",), ("Q3: A is read as 'B'",))

    monkeypatch.setattr(_handwriting_letters, "table", table)
    out = tmp_path / "figures.json"
    arguments = ["--only", "letters", "--size", "0.5", "--seed", "2000", "--dpi", "150"]
    assert handwriting.main([*arguments, "--cases", "--json", str(out)]) == 0
    assert [(s.size, s.seed, s.dpis) for s in asked] == [(0.5, 2000, (150.0,))]
    printed = capsys.readouterr().out
    assert "letters: A-D" in printed
    assert "Q3: A is read as 'B'" in printed
    assert json.loads(out.read_text("utf-8"))["results"][0]["seed"] == 2000


def test_a_page_of_letters_is_written_read_and_counted(data_dir: Path) -> None:
    sample = Sample(data_dir)
    counted, _ = _handwriting_letters._read_page((sample, CLEAN, 5, False))
    n = {
        outcome: counted.get(f"A-D, {CLEAN}", outcome) for outcome in ("right", "flagged", "silent")
    }
    assert sum(n.values()) == 30
    assert n["right"] >= 20


def test_struck_letters_are_no_answers(data_dir: Path) -> None:
    seed = list(Slip).index(Slip.STRUCK)
    counted, _ = _handwriting_letters._read_page((Sample(data_dir), CLEAN, seed, True))
    assert counted.get("struck, level 1 clean", "right") == 0
    assert counted.get("struck, level 1 clean", "flagged") >= 30
    assert counted.get("between struck, level 1 clean", "right") >= 30


def test_a_class_is_read_with_and_without_its_roster(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_handwriting_numbers, "N_PRESENT", 6)
    counted, cases = _handwriting_numbers._read_class((Sample(data_dir), CLEAN, 5))
    for line in (f"{CLEAN}, free", f"{CLEAN}, roster"):
        outcomes = [counted.get(line, key) for key in ("right", "flagged", "silent")]
        assert sum(outcomes) == 6
        assert counted.get(line, "exact") >= 3
    sets = [f"digits of {name}, 200 dpi, free" for name in DIGIT_SETS]
    assert sum(counted.get(line, "exact") for line in sets) == counted.get(
        f"{CLEAN}, free", "exact"
    )
    assert len(cases) <= 12


def test_numbers_of_a_class_have_their_beginning_in_common() -> None:
    numbers = _handwriting_numbers._class_list(np.random.default_rng(1))
    assert len(set(numbers)) == 100
    assert {len(number) for number in numbers} == {10}
    assert len({number[:6] for number in numbers}) == 1


def test_verdicts_are_counted_against_what_was_written(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_handwriting_fill_in, "_N_ITEMS", 6)
    counted, _ = _handwriting_fill_in._read_page((Sample(data_dir), CLEAN, 5))
    n = [
        counted.get(f"{CLEAN}, {kind} answers", outcome)
        for kind in ("right", "wrong")
        for outcome in ("right", "flagged", "silent")
    ]
    assert sum(n) == 6


def test_without_choices_a_person_has_to_look() -> None:
    assert _handwriting_fill_in._outcome(("3",), reading("3"), is_right=True) == "flagged"
    assert _handwriting_fill_in._outcome(("3",), None, is_right=False) == "flagged"
