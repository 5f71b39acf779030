"""Kernels of the screening of pairs against plain numpy twins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc

from inkmark.analytics.integrity import _kernels

chances = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=7)


def twin_match_tail(chance: np.ndarray, count: int) -> float:
    mass = np.ones(1)
    for p in chance:
        mass = np.convolve(mass, [1 - p, p])
    return float(mass[count:].sum())


def twin_trinomial_tail(right: np.ndarray, wrong: np.ndarray, n_right: int, n_wrong: int) -> float:
    """By all 3^n outcomes."""
    n = len(right)
    mass = np.zeros((n + 1, n + 1))
    each = np.stack([1 - right - wrong, right, wrong], axis=1)
    for outcome in itertools.product(range(3), repeat=n):
        x, y = outcome.count(1), outcome.count(2)
        mass[x, y] += np.prod(each[np.arange(n), list(outcome)])
    upper = mass[::-1, ::-1].cumsum(0).cumsum(1)[::-1, ::-1]
    extreme = upper <= upper[n_right, n_wrong] * (1 + 1e-9)
    # Results that add up to more than n do not exist.
    exists = np.add.outer(np.arange(n + 1), np.arange(n + 1)) <= n
    return float(mass[extreme & exists].sum())


def twin_wrong_agreement(
    choices: np.ndarray, key: np.ndarray, share: np.ndarray, a: int, b: int
) -> tuple[int, float]:
    items = (choices[a] >= 0) & (choices[b] >= 0) & (choices[b] != key)
    others = [
        j
        for j in range(len(choices))
        if j not in (a, b) and not np.isnan(share[j]) and np.any(choices[j, items] >= 0)
    ]
    if len(others) < 10:
        return int(items.sum()), np.nan
    answered = (choices[others][:, items] >= 0).sum(1)
    agreement = (choices[others][:, items] == choices[b, items]).sum(1) / answered
    return int(items.sum()), float(np.polyval(np.polyfit(share[others], agreement, 2), share[a]))


@given(chances, st.data())
def test_match_tail_is_that_of_the_convolution(chance: list[float], data: st.DataObject) -> None:
    p = np.array(chance)
    count = data.draw(st.integers(0, len(p)))
    tail = _kernels.match_tail(p, len(p), count, np.empty(len(p) + 1))
    assert tail == pytest.approx(twin_match_tail(p, count), rel=1e-12, abs=1e-300)


def test_match_tail_keeps_its_digits_far_out() -> None:
    tail = _kernels.match_tail(np.full(200, 0.01), 200, 150, np.empty(201))
    assert tail < 1e-250
    assert tail == pytest.approx(betainc(150, 51, 0.01), rel=1e-9, abs=0)


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_trinomial_tail_is_that_of_all_outcomes(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    right, wrong, _ = rng.dirichlet([2, 1, 1], size=n).T
    scratch = np.full((2, n + 2, n + 2), np.nan)
    for n_right in range(n + 1):
        for n_wrong in range(n + 1 - n_right):
            tail = _kernels.trinomial_tail(right, wrong, n, n_right, n_wrong, *scratch)
            assert tail == pytest.approx(twin_trinomial_tail(right, wrong, n_right, n_wrong))


def test_trinomial_tail_of_nothing_is_1_and_falls_with_agreement() -> None:
    right, wrong = np.full(20, 0.4), np.full(20, 0.1)
    scratch = np.empty((2, 22, 22))
    tails = [_kernels.trinomial_tail(right, wrong, 20, x, 2, *scratch) for x in range(8, 19)]
    assert _kernels.trinomial_tail(right, wrong, 20, 0, 0, *scratch) == pytest.approx(1)
    assert np.all(np.diff(tails) < 0)


def sample(n: int = 40, m: int = 12, k: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    choices = rng.integers(-1, k, (n, m)).astype(np.int8)
    key = rng.integers(0, k, m).astype(np.int8)
    return choices, key, rng.dirichlet(np.ones(k), size=(n, m))


def test_pair_tails_are_those_of_the_matches() -> None:
    choices, key, shares = sample()
    copier, source = np.array([0, 3, 9]), np.array([5, 11, 30])
    people = np.unique(np.concatenate([copier, source]))
    place = np.zeros(len(choices), np.int64)
    place[people] = np.arange(len(people))
    counts, moments = np.empty((3, 3), np.int64), np.empty((3, 2))
    tails = np.empty((3, 3))
    _kernels.pair_tails(choices, key, shares[people], place, copier, source, counts, moments, tails)
    for pair, (a, b) in enumerate(zip(copier, source, strict=True)):
        both = np.flatnonzero((choices[a] >= 0) & (choices[b] >= 0))
        same = choices[a, both] == choices[b, both]
        right = same & (choices[a, both] == key[both])
        n_right, n_wrong = int(right.sum()), int((same & ~right).sum())
        given_source = shares[a, both, choices[b, both]]
        match = (shares[a, both] * shares[b, both]).sum(1)
        both_right = shares[a, both, key[both]] * shares[b, both, key[both]]
        assert counts[pair].tolist() == [len(both), n_right, n_wrong]
        assert moments[pair] == pytest.approx(
            [given_source.sum(), (given_source * (1 - given_source)).sum()]
        )
        assert tails[pair] == pytest.approx(
            [
                twin_match_tail(given_source, n_right + n_wrong),
                twin_match_tail(match, n_right + n_wrong),
                twin_trinomial_tail(both_right, match - both_right, n_right, n_wrong),
            ]
        )


def test_symmetric_tails_are_computed_one_way_only() -> None:
    choices, key, shares = sample()
    counts, moments = np.empty((1, 3), np.int64), np.empty((1, 2))
    tails = np.empty((1, 3))
    place = np.arange(len(choices))
    pair = np.array([5]), np.array([0])
    _kernels.pair_tails(choices, key, shares, place, *pair, counts, moments, tails)
    assert np.isnan(tails).tolist() == [[False, True, True]]


def test_wrong_agreement_is_read_off_a_parabola() -> None:
    choices, key, _ = sample()
    choices[7] = -1
    answered = (choices >= 0).sum(1)
    wrong = ((choices >= 0) & (choices != key)).sum(1)
    share = wrong / np.where(answered > 0, answered, np.nan)
    copier, source = np.array([0, 4]), np.array([2, 11])
    counts, chance = np.empty(2, np.int64), np.empty(2)
    _kernels.wrong_agreement(choices, key, share, copier, source, counts, chance)
    for pair in range(2):
        n, expected = twin_wrong_agreement(choices, key, share, copier[pair], source[pair])
        assert counts[pair] == n
        assert chance[pair] == pytest.approx(expected)


def test_wrong_agreement_with_few_others_or_one_score() -> None:
    choices, key, _ = sample(n=11)
    share = np.full(11, 0.5)
    counts, chance = np.empty(1, np.int64), np.empty(1)
    pair = np.array([0]), np.array([1])
    _kernels.wrong_agreement(choices, key, share, *pair, counts, chance)
    assert np.isnan(chance[0])
    choices, key, _ = sample(n=40)
    _kernels.wrong_agreement(choices, key, np.full(40, 0.5), *pair, counts, chance)
    items = (choices[0] >= 0) & (choices[1] >= 0) & (choices[1] != key)
    answered = (choices[2:, items] >= 0).sum(1)
    same = (choices[2:, items] == choices[1, items]).sum(1)
    assert chance[0] == pytest.approx(np.mean(same[answered > 0] / answered[answered > 0]))
