"""Screening of pairs for copied answers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from inkmark.analytics.integrity import (
    Adjustment,
    CopyIndex,
    CopyOptions,
    CopyScreening,
    OptionCurves,
    Seats,
    nominal_probabilities,
    screen_copying,
)
from inkmark.analytics.integrity.answers import check_answers
from inkmark.analytics.integrity.copying import _blocks, _normalised
from inkmark.analytics.integrity.curves import score_curves
from inkmark.analytics.irt import ItemModel, fit_irt, score_candidates
from inkmark.analytics.significance import adjusted
from inkmark.errors import AnalysisError


def honest(n: int, m: int, seed: int = 1, k: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Answers under a nominal model, nobody copying; the key is option 0 of each item."""
    rng = np.random.default_rng(seed)
    slope = np.concatenate([np.full((m, 1), 0.9), rng.normal(-0.3, 0.2, (m, k - 1))], axis=1)
    intercept = np.concatenate([np.full((m, 1), 1.0), rng.normal(0, 0.8, (m, k - 1))], axis=1)
    logit = rng.normal(size=(n, 1, 1)) * slope + intercept
    return np.argmax(logit + rng.gumbel(size=logit.shape), axis=2), np.zeros(m, np.int64)


def with_copy(n: int = 120, m: int = 60, share: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Candidate 5 copied from candidate 9, who is not among the best."""
    choices, key = honest(n, m, seed=3)
    rng = np.random.default_rng(4)
    copied = rng.random(m) < share
    choices[5, copied] = choices[9, copied]
    return choices, key


def read_exam(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Options, key and flags of the vendor."""

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    choices = [
        [int(value) - 1 if value else -1 for value in row.values()]
        for row in rows("raw_choices.csv")
    ]
    key = [int(row["key"]) - 1 for row in rows("answer_key.csv")]
    flagged = [row["Flagged"] == "1" for row in rows("examinees.csv")]
    return np.array(choices), np.array(key), np.array(flagged)


@pytest.fixture(scope="module")
def exam(data_dir: Path) -> tuple[CopyScreening, np.ndarray]:
    choices, key, flagged = read_exam(data_dir / "psychometrics" / "credential_form1")
    return screen_copying(choices, key), flagged


# A real examination with 46 of 1,636 candidates flagged by its vendor


def test_pairs_flagged_are_pairs_that_the_vendor_flagged(
    exam: tuple[CopyScreening, np.ndarray],
) -> None:
    screening, by_vendor = exam
    pairs = screening.pairs
    assert screening.n_others == 1636 * 1635
    assert np.sum(pairs.flagged) == 10
    assert np.all(by_vendor[pairs.copier[pairs.flagged]])
    assert np.all(by_vendor[pairs.source[pairs.flagged]])


def test_strongest_pairs_are_those_of_the_vendor(exam: tuple[CopyScreening, np.ndarray]) -> None:
    screening, by_vendor = exam
    pairs = screening.pairs
    both = by_vendor[pairs.copier] & by_vendor[pairs.source]
    assert np.all(both[:10])
    assert np.sum(both[:20]) >= 15
    # By chance, 1 pair in 1,292 is one of two flagged candidates.
    assert np.sum(both[:50]) >= 20


def test_approximate_and_exact_tails_agree(exam: tuple[CopyScreening, np.ndarray]) -> None:
    """The pairs left out would not have been among the most unlikely ones."""
    screening, _ = exam
    p = screening.pairs.omega_p
    assert 0 < screening.screen_p < 1e-3
    assert np.sum(p[:500] < screening.screen_p / 2) == 500


# Known truth


def test_a_copier_is_found_and_nobody_else() -> None:
    choices, key = with_copy()
    pairs = screen_copying(choices, key).pairs
    found = {
        frozenset((int(a), int(b)))
        for a, b in zip(pairs.copier[pairs.flagged], pairs.source[pairs.flagged], strict=True)
    }
    assert found == {frozenset((5, 9))}


@pytest.mark.parametrize("index", list(CopyIndex))
def test_every_index_puts_the_copier_first(index: CopyIndex) -> None:
    choices, key = with_copy()
    pairs = screen_copying(choices, key, options=CopyOptions(index=index)).pairs
    assert {int(pairs.copier[0]), int(pairs.source[0])} == {5, 9}
    assert np.all(np.diff(pairs.p[~np.isnan(pairs.p)]) >= 0)
    assert np.all(np.diff(pairs.adjusted_p) >= 0)


def test_p_values_of_honest_candidates_are_not_too_small() -> None:
    """Below a level lie no more pairs than the level says."""
    choices, key = honest(150, 40)
    screening = screen_copying(choices, key, options=CopyOptions(most_pairs=150 * 149))
    pairs = screening.pairs
    for p in (pairs.omega_p, pairs.gbt_p, pairs.m4_p):
        for level in (0.1, 0.01, 0.001):
            assert np.mean(p <= level) < 1.3 * level
    assert screening.screen_p == 1
    assert not np.any(pairs.flagged)


def test_figures_of_a_pair_from_their_definitions() -> None:
    choices, key = with_copy(n=30, m=20)
    choices[2, 3:6] = -1
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.ones(4), size=(30, 20))
    pairs = screen_copying(choices, key, probabilities=shares).pairs
    row = int(np.flatnonzero((pairs.copier == 2) & (pairs.source == 11))[0])
    both = np.flatnonzero(choices[2] >= 0)
    same = choices[2, both] == choices[11, both]
    right = same & (choices[2, both] == key[both])
    chance = shares[2, both, choices[11, both]]
    assert pairs.n_items[row] == 17
    assert pairs.right[row] == right.sum()
    assert pairs.wrong[row] == (same & ~right).sum()
    assert pairs.expected[row] == pytest.approx(chance.sum())
    omega = (same.sum() - chance.sum()) / np.sqrt(np.sum(chance * (1 - chance)))
    assert pairs.omega[row] == pytest.approx(omega)
    other_way = int(np.flatnonzero((pairs.copier == 11) & (pairs.source == 2))[0])
    assert pairs.gbt_p[row] == pytest.approx(pairs.gbt_p[other_way])
    assert pairs.m4_p[row] == pytest.approx(pairs.m4_p[other_way])
    assert pairs.omega_p[row] != pytest.approx(pairs.omega_p[other_way])


def test_single_precision_leaves_out_the_same_pairs() -> None:
    """Those kept are those that the formula in double precision puts first."""
    choices, key = with_copy(n=80)
    all_pairs = screen_copying(choices, key, options=CopyOptions(most_pairs=80 * 79)).pairs
    few = screen_copying(choices, key, options=CopyOptions(most_pairs=50))
    first = {(a, b) for a, b in zip(all_pairs.copier[:25], all_pairs.source[:25], strict=True)}
    assert first <= set(zip(few.pairs.copier, few.pairs.source, strict=True))
    left_out = all_pairs.omega_p[100:]
    assert few.screen_p == pytest.approx(all_pairs.omega_p[50], rel=0.2)
    assert np.all(left_out > few.screen_p * 0.8)


def test_single_precision_is_enough() -> None:
    """Mean, variance and skewness of matches as in double precision."""
    choices, key = honest(60, 150)
    answers, _ = check_answers(choices, key)
    curves = score_curves(answers)
    (block,) = _blocks(answers, curves, np.arange(60), 10)
    chance = np.take_along_axis(curves.at(np.arange(60))[:, None], choices[None, :, :, None], 3)
    p = chance[..., 0]
    variance = np.sum(p * (1 - p), axis=2)
    matches = np.sum(choices[:, None] == choices[None], axis=2)
    x = (matches - p.sum(axis=2) - 0.5) / np.sqrt(variance)
    skewness = np.sum(p * (1 - p) * (1 - 2 * p), axis=2) / variance**1.5
    score = 6 / skewness * (np.cbrt(skewness * x / 2 + 1) - 1) + skewness / 6
    curved = np.abs(skewness) > 0.011
    apart = ~np.eye(60, dtype=bool)
    assert np.abs(block.score - score)[curved & apart].max() < 1e-3
    assert np.mean(curved) > 0.5


def test_hardly_any_skewness_changes_hardly_anything() -> None:
    deviate = np.linspace(-3, 8, 12, dtype=np.float32)
    for skewness in (0.0099, 0.0101, -0.0099, -0.0101):
        curved = _normalised(deviate, np.full(12, skewness, np.float32))
        assert np.abs(curved - (deviate - skewness / 6 * (deviate**2 - 1))).max() < 0.01


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    choices, key = with_copy()
    whole = screen_copying(choices, key).pairs
    monkeypatch.setattr("inkmark.analytics.integrity.copying._BLOCK", 900)
    blocks = screen_copying(choices, key).pairs
    assert np.array_equal(whole.copier, blocks.copier)
    assert np.array_equal(whole.source, blocks.source)
    assert np.array_equal(whole.omega_p, blocks.omega_p)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_order_and_names_of_options_mean_nothing(seed: int) -> None:
    """Candidates, items and options in another order: the same figures of the same pairs."""
    rng = np.random.default_rng(seed)
    choices, key = honest(25, 15, seed=seed % 1000)
    choices[rng.random(choices.shape) < 0.05] = -1
    people, items = rng.permutation(25), rng.permutation(15)
    names = np.stack([np.append(rng.permutation(4), -1) for _ in range(15)])
    renamed = np.take_along_axis(names, choices.T, axis=1).T
    new_key = names[np.arange(15), key]
    options = CopyOptions(most_pairs=25 * 24, least_items=5)
    first = screen_copying(choices, key, options=options).pairs
    second = screen_copying(renamed[people][:, items], new_key[items], options=options).pairs
    old = {
        (int(a), int(b)): row
        for row, (a, b) in enumerate(zip(first.copier, first.source, strict=True))
    }
    rows = [
        old[int(people[a]), int(people[b])]
        for a, b in zip(second.copier, second.source, strict=True)
    ]
    assert len(rows) == len(old)
    for name in ("n_items", "right", "wrong", "omega", "omega_p", "gbt_p", "k_p", "m4_p"):
        expected = getattr(first, name)[rows]
        assert getattr(second, name) == pytest.approx(expected, rel=1e-6, nan_ok=True)


# Groups and seats


def test_only_pairs_of_one_group_are_compared() -> None:
    choices, key = with_copy()
    groups = ["odd" if row % 2 else "even" for row in range(120)]
    screening = screen_copying(choices, key, groups=groups)
    assert screening.n_others == 2 * 60 * 59
    assert np.all(screening.pairs.copier % 2 == screening.pairs.source % 2)
    assert {int(screening.pairs.copier[0]), int(screening.pairs.source[0])} == {5, 9}


def test_a_candidate_alone_in_a_group_is_named() -> None:
    choices, key = with_copy()
    screening = screen_copying(choices, key, groups=["big"] * 119 + ["small"])
    assert [(warning.code, warning.subject) for warning in screening.warnings] == [("alone", "120")]
    assert screening.n_others == 119 * 118


def test_neighbours_are_a_family_of_their_own() -> None:
    choices, key = with_copy(share=0.45)
    # Three rooms of 5 rows by 8; candidates 5 and 9 sit in a line.
    number = np.arange(120)
    column = np.where(number == 9, 6, np.where(number == 6, 9 % 8, number % 8))
    row = np.where(number == 9, 0, np.where(number == 6, 1, number % 40 // 8))
    rooms = tuple(f"room {place // 40}" for place in range(120))
    seats = Seats(rooms, row, column)
    screening = screen_copying(choices, key, seats=seats)
    pairs = screening.pairs
    # Of 5 by 8 seats: 4 x 8 below, 5 x 7 beside, 2 x 4 x 7 across; both ways; 3 rooms.
    assert screening.n_neighbours == 3 * 2 * (32 + 35 + 56)
    assert screening.n_neighbours + screening.n_others == 120 * 119
    own = np.flatnonzero((pairs.copier == 5) & (pairs.source == 9))[0]
    assert pairs.neighbours[own]
    assert pairs.adjusted_p[own] == pytest.approx(
        adjusted(pairs.p[pairs.neighbours], screening.n_neighbours, Adjustment.HOLM)[
            np.flatnonzero(np.flatnonzero(pairs.neighbours) == own)[0]
        ]
    )
    unseated = screen_copying(choices, key).pairs
    same = np.flatnonzero((unseated.copier == 5) & (unseated.source == 9))[0]
    assert pairs.adjusted_p[own] < unseated.adjusted_p[same]


def test_candidates_without_a_seat_are_no_neighbours() -> None:
    choices, key = with_copy(n=20, m=30)
    seats = Seats(("",) * 20, np.zeros(20, np.int64), np.zeros(20, np.int64))
    assert screen_copying(choices, key, seats=seats).n_neighbours == 0


# Number of pairs


def test_more_flagged_than_computed_is_said() -> None:
    choices, key = honest(120, 60)
    choices[115:] = choices[115]
    few = screen_copying(choices, key, options=CopyOptions(most_pairs=4))
    assert "more-pairs" in [warning.code for warning in few.warnings]
    enough = screen_copying(choices, key, options=CopyOptions(most_pairs=1000))
    assert "more-pairs" not in [warning.code for warning in enough.warnings]


# Curves


def test_curves_of_a_large_cohort_are_its_shares() -> None:
    choices, key = honest(4000, 30)
    curves = screen_copying(choices, key, groups=[str(row // 2) for row in range(4000)]).curves
    shares = curves.at(np.arange(4000))
    assert shares.sum(axis=2) == pytest.approx(1)
    assert np.all(shares >= 0)
    score = (choices == 0).sum(axis=1)
    for low, high in ((10, 13), (18, 21)):
        group = (score >= low) & (score <= high)
        observed = (choices[group][:, :, None] == np.arange(4)).mean(axis=0)
        assert np.abs(shares[group].mean(axis=0) - observed).max() < 0.05


def test_items_that_tell_candidates_apart_weigh_more() -> None:
    """Half of the items are pure chance; scores on the others place the candidates."""
    rng = np.random.default_rng(8)
    ability = rng.normal(size=2000)
    good = rng.random((2000, 20)) < 1 / (1 + np.exp(-2 * ability[:, None]))
    choices = np.where(np.concatenate([good, rng.random((2000, 20)) < 0.5], axis=1), 0, 1)
    answers, _ = check_answers(choices, np.zeros(40))
    position = score_curves(answers).position
    by_good, by_all = good.sum(axis=1), np.sum(choices == 0, axis=1)
    assert np.corrcoef(position, by_good)[0, 1] > 0.99
    assert np.corrcoef(by_all, by_good)[0, 1] < 0.96


def test_items_that_go_against_each_other_still_give_scores() -> None:
    choices = np.tile([[0, 1], [1, 0]], (8, 6))
    answers, _ = check_answers(choices, np.zeros(12))
    shares = score_curves(answers).at(np.arange(16))
    assert np.all(np.isfinite(shares))
    assert shares.sum(axis=2) == pytest.approx(1)


def test_curves_are_straight_between_nodes() -> None:
    shares = np.array([[[1.0, 0.0]], [[0.5, 0.5]], [[0.0, 1.0]]])
    curves = OptionCurves(shares, np.array([0.0, 0.5, 2.0]))
    assert curves.at(np.array([2, 1, 0]))[:, 0, 0].tolist() == [0.0, 0.75, 1.0]


def test_score_curves_and_the_true_model_find_the_same_pair() -> None:
    choices, key = with_copy(n=300)
    by_score = screen_copying(choices, key)
    shares = by_score.curves.at(np.arange(300))
    given_shares = screen_copying(choices, key, probabilities=shares)
    assert given_shares.pairs.omega_p == pytest.approx(by_score.pairs.omega_p)
    assert given_shares.warnings == ()


def test_nominal_items_find_the_same_pair() -> None:
    choices, key = with_copy(n=200)
    fit = fit_irt(choices, ItemModel.NOMINAL)
    theta = score_candidates(choices, fit.items).theta
    shares = nominal_probabilities(fit.items, theta, 4)
    assert shares.sum(axis=2) == pytest.approx(1)
    observed = (choices[:, :, None] == np.arange(4)).mean(axis=0)
    assert np.abs(shares.mean(axis=0) - observed).max() < 0.02
    pairs = screen_copying(choices, key, probabilities=shares).pairs
    assert {int(pairs.copier[0]), int(pairs.source[0])} == {5, 9}


# Bad input


def test_two_candidates_at_least() -> None:
    with pytest.raises(AnalysisError, match="two candidates"):
        screen_copying([[0, 1, 2]], [0, 1, 2])


def test_identical_candidates_tell_nothing() -> None:
    with pytest.raises(AnalysisError, match="No item was answered in two ways"):
        screen_copying(np.tile([0, 1, 2], (5, 1)), [0, 1, 2])


@pytest.mark.parametrize("value", [-2, 26, 0.5])
def test_values_that_are_no_option_are_named(value: float) -> None:
    choices = np.zeros((3, 2))
    choices[1, 1] = value
    with pytest.raises(AnalysisError, match="Item second, candidate Li"):
        screen_copying(
            choices, [0, 0], candidates=["Wang", "Li", "Zhao"], items=["first", "second"]
        )


@pytest.mark.parametrize("key", [[0], [0, -1], [0, 0.5], [0, np.nan]])
def test_a_key_that_is_none(key: list[float]) -> None:
    with pytest.raises(AnalysisError, match="leave out items without one"):
        screen_copying([[0, 1], [1, 0]], key)


def test_constant_items_and_empty_rows_are_left_out_with_a_warning() -> None:
    choices, key = with_copy()
    choices = np.concatenate([choices, np.full((120, 1), 2)], axis=1)
    choices[17] = -1
    screening = screen_copying(choices, [*key, 2])
    warned = [(warning.code, warning.subject) for warning in screening.warnings]
    assert warned == [("constant-item", "61"), ("no-answers", "18")]
    assert np.all(screening.pairs.n_items <= 60)
    assert not np.any((screening.pairs.copier == 17) | (screening.pairs.source == 17))
    assert screening.n_others == 119 * 118


def test_too_few_items_in_common() -> None:
    choices = np.full((6, 20), -1)
    rng = np.random.default_rng(0)
    choices[:3, :10] = rng.integers(0, 4, (3, 10))
    choices[3:, 10:] = rng.integers(0, 4, (3, 10))
    screening = screen_copying(choices, np.zeros(20), options=CopyOptions(least_items=5))
    assert np.all((screening.pairs.copier < 3) == (screening.pairs.source < 3))
    nobody = screen_copying(choices, np.zeros(20), options=CopyOptions(least_items=11))
    assert [warning.code for warning in nobody.warnings[-2:]] == ["few-candidates", "no-pairs"]
    assert len(nobody.pairs.p) == 0


@pytest.mark.parametrize(
    "options",
    [
        CopyOptions(level=0),
        CopyOptions(level=1),
        CopyOptions(most_pairs=0),
        CopyOptions(least_items=0),
        CopyOptions(reach=0),
    ],
)
def test_options_without_a_meaning(options: CopyOptions) -> None:
    with pytest.raises(AnalysisError, match="Correct the options"):
        screen_copying(*honest(12, 20), options=options)


def test_groups_seats_and_probabilities_have_to_fit() -> None:
    choices, key = honest(12, 20)
    with pytest.raises(AnalysisError, match="Name one for each"):
        screen_copying(choices, key, groups=["a"])
    with pytest.raises(AnalysisError, match="a seat for each"):
        screen_copying(choices, key, seats=Seats(("a",), np.zeros(1, int), np.zeros(1, int)))
    with pytest.raises(AnalysisError, match="do not fit 12 candidates"):
        screen_copying(choices, key, probabilities=np.ones((12, 20)))
    shares = np.full((12, 20, 4), 0.25)
    shares[3, 7] = [0.5, 0.5, 0.5, 0.5]
    with pytest.raises(AnalysisError, match="Item 8: option probabilities"):
        screen_copying(choices, key, probabilities=shares)
    with pytest.raises(AnalysisError, match="different names"):
        screen_copying(choices, key, candidates=["a"] * 12)


def test_nothing_is_known_of_the_k_index_where_the_source_is_always_right() -> None:
    choices, key = with_copy()
    choices[9] = 0
    pairs = screen_copying(choices, key).pairs
    assert np.all(np.isnan(pairs.k_p[pairs.source == 9]))
    others = pairs.k_p[pairs.source != 9]
    assert np.all((others >= 0) & (others <= 1))


def test_normal_and_exact_tail_of_omega_are_near_for_many_items() -> None:
    choices, key = honest(14, 300)
    pairs = screen_copying(choices, key).pairs
    middle = np.abs(pairs.omega) < 2
    assert np.abs(pairs.omega_p - ndtr(-pairs.omega))[middle].max() < 0.04
