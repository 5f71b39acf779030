"""What a pair agrees on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inkmark.analytics.integrity import MatchRun, Seats, pair_evidence, screen_copying
from inkmark.analytics.integrity.evidence import _run_chance
from inkmark.errors import AnalysisError


def screening_of_a_copier(seats: Seats | None = None):
    rng = np.random.default_rng(2)
    choices = rng.integers(0, 4, (40, 30))
    choices[4, :20] = choices[8, :20]
    choices[4, 6] = -1
    choices[:, 12] = 1
    return choices, screen_copying(
        choices, np.zeros(30), seats=seats, candidates=[f"c{row}" for row in range(40)]
    )


def test_item_by_item() -> None:
    choices, screening = screening_of_a_copier()
    pairs = screening.pairs
    rank = int(np.flatnonzero((pairs.copier == 4) & (pairs.source == 8))[0])
    evidence = pair_evidence(screening, rank)
    assert (evidence.copier, evidence.source) == ("c4", "c8")
    assert evidence.counted.tolist() == [item not in (6, 12) for item in range(30)]
    assert np.array_equal(evidence.identical, evidence.counted & (choices[4] == choices[8]))
    assert evidence.identical.sum() == pairs.right[rank] + pairs.wrong[rank]
    assert np.nansum(evidence.chance) == pytest.approx(pairs.expected[rank])
    assert np.array_equal(np.isnan(evidence.chance), ~evidence.counted)
    assert evidence.key[12] == -1
    others = [row for row in range(40) if row not in (4, 8)]
    assert evidence.agreeing_candidates[3] == np.sum(choices[others, 3] == choices[8, 3])
    assert evidence.runs[:2] == (MatchRun(13, 7), MatchRun(0, 6))
    assert evidence.longest_run_p < 0.01
    assert (evidence.rows_apart, evidence.columns_apart) == (None, None)


def test_chance_of_a_run_is_that_of_all_outcomes() -> None:
    chance = np.array([0.3, 0.9, 0.0, 0.5, 0.8, 1.0, 0.2])
    for length in range(1, 8):
        total = 0.0
        for outcome in itertools.product((0, 1), repeat=7):
            if "1" * length in "".join(map(str, outcome)):
                total += np.prod(np.where(np.array(outcome) == 1, chance, 1 - chance))
        assert _run_chance(chance, length) == pytest.approx(total)


def test_seats_of_the_two() -> None:
    number = np.arange(40)
    rooms = tuple("a" if row < 8 else "b" for row in range(40))
    _, screening = screening_of_a_copier(Seats(rooms, number // 5, number % 5))
    evidence = pair_evidence(screening, 0)
    assert evidence.rows_apart is None
    _, screening = screening_of_a_copier(Seats(("a",) * 40, number // 5, number % 5))
    evidence = pair_evidence(screening, 0)
    assert {evidence.copier, evidence.source} == {"c4", "c8"}
    assert (evidence.rows_apart, evidence.columns_apart) == (1, 1)


def test_no_agreement_has_no_run() -> None:
    rng = np.random.default_rng(0)
    choices = rng.integers(0, 2, (30, 12))
    choices[1] = 1 - choices[0]
    screening = screen_copying(choices, np.zeros(12))
    pairs = screening.pairs
    rank = int(np.flatnonzero((pairs.copier == 0) & (pairs.source == 1))[0])
    evidence = pair_evidence(screening, rank)
    assert evidence.runs == ()
    assert evidence.longest_run_p == 1


def test_a_rank_that_is_not_there() -> None:
    _, screening = screening_of_a_copier()
    with pytest.raises(AnalysisError, match="none with rank -1"):
        pair_evidence(screening, -1)
