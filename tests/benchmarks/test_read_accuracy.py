from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks import read_accuracy
from benchmarks._accuracy_pages import GROUPS, SHEETS, Group, Manner, make_page
from benchmarks._accuracy_tally import Case, Tally, read_stratum
from inkmark.layouts import BubbleField
from inkmark.simulator import Effect, Level


@pytest.mark.parametrize("stratum", [Level.CLEAN, Level.PHONE, Effect.FOLDS])
def test_a_page_follows_from_its_row_and_seed(stratum):
    one, again, other = (make_page(stratum, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.image.pixels, again.image.pixels)
    assert one.expected == again.expected
    assert not np.array_equal(one.image.pixels, other.image.pixels)


def test_the_truth_names_every_bubble_field_and_holds_its_options():
    seen = set()
    for seed in range(12):
        page = make_page(Level.CLEAN, seed)
        fields = {f.name: f for f in page.page.fields if isinstance(f, BubbleField)}
        assert set(page.expected) == set(fields)
        for name, expected in page.expected.items():
            seen.add(expected.manner)
            assert set(expected.value) <= set("".join(fields[name].options))
            if expected.manner in (Manner.BLANK, Manner.ERASED, Manner.SMUDGED):
                assert expected.value == ""
    assert {Manner.FULL, Manner.TICK, Manner.BLANK, Manner.NUMBER} <= seen
    assert {GROUPS[manner] for manner in Manner} == set(Group)
    assert len({sheet.name for sheet in SHEETS}) == len(SHEETS)


def test_every_field_is_counted_once_in_each_table():
    tally = read_stratum(Level.CLEAN, range(3, 6))
    pages = [make_page(Level.CLEAN, seed) for seed in range(3, 6)]
    n_fields = sum(len(page.expected) for page in pages)
    for table in ("level|1 clean", "level|1 and 2"):
        outcomes = {
            key: n
            for key, n in tally.counts.items()
            if key.startswith(table)
            and key.split()[-1] in ("right", "flagged", "silent", "decided")
        }
        assert sum(outcomes.values()) == n_fields
        assert tally.get(*table.split("|"), "pages") == 3
    n_bubbles = tally.get("level", "1 clean", "bubbles")
    assert n_bubbles == sum(
        f.n_groups * len(f.options)
        for page in pages
        for f in page.page.fields
        if isinstance(f, BubbleField)
    )
    assert sum(n for k, n in tally.counts.items() if k.startswith("distance")) == n_bubbles
    assert not [case for case in tally.cases if case.outcome == "silent"]


def test_parts_that_are_there_are_not_read_again(tmp_path, capsys, monkeypatch):
    facts = replace(read_accuracy.facts_of_this_machine(), commit="abc")
    monkeypatch.setattr(read_accuracy, "facts_of_this_machine", lambda: facts)
    arguments = ["--size", "0.02", "--only", "1 clean", "--workers", "1", "--parts", str(tmp_path)]
    assert read_accuracy.main([*arguments, "--cases"]) == 0
    first = capsys.readouterr().out
    (part,) = (tmp_path / "abc").iterdir()
    assert part.name == "1-clean-1000-1001.json"
    text = part.read_text("utf-8")
    part.write_text(text.replace('"level|1 clean|pages": 1', '"level|1 clean|pages": 77'), "utf-8")
    svg, figures = tmp_path / "curve.svg", tmp_path / "figures.json"
    assert read_accuracy.main([*arguments, "--svg", str(svg), "--json", str(figures)]) == 0
    assert "| 1 clean | 1 | 0 |" in first
    assert "| 1 clean | 77 | 0 |" in capsys.readouterr().out
    assert svg.read_text("utf-8").startswith("<svg")
    assert '"read_accuracy"' in figures.read_text("utf-8")


def test_rejected_pages_are_summed_up_by_reason():
    tally = Tally(rejects={"phone: no squares": list(range(8)), "3 bad: torn": [4]})
    assert list(read_accuracy._rejects(tally))[2:] == [
        "- 1 of 3 bad: torn (4)",
        "- 8 of phone: no squares (0, 1, 2, 3, 4, 5)",
    ]


def test_silent_errors_are_listed_with_their_seed_and_fail_the_run():
    tally = Tally()
    tally.add("level", "3 bad", "pages")
    tally.add("level", "3 bad", "normal silent")
    case = Case("silent", "3 bad", 1017, "Q7", "tick", "C", "", 0.9991, is_damaged=False)
    tally.cases.append(case)
    assert "- 3 bad 1017 Q7: tick, 'C' read as '', confidence 0.9991" in list(
        read_accuracy._report(tally)
    )
    more = Tally()
    more.merge(tally)
    more.merge(tally)
    assert more.get("level", "3 bad", "normal silent") == 2
    assert len(more.cases) == 2


def test_a_page_can_be_drawn(tmp_path, capsys):
    path = tmp_path / "page.png"
    assert read_accuracy.main(["--draw", "1 clean", "3", str(path)]) == 0
    picture = cv2.imread(str(path))
    assert picture.shape[:2] == make_page(Level.CLEAN, 3).image.pixels.shape
    assert (np.ptp(picture, axis=2) > 100).sum() > 1000  # the boxes are in colour
    assert SHEETS[0].name.split(",")[0].split()[1] in capsys.readouterr().out
