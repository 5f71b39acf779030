"""Kernels against what numpy does more plainly."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from inkmark.analytics.irt import _kernels
from inkmark.analytics.irt._paper import bundle_items


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_count_values(rng: np.random.Generator) -> None:
    responses = rng.integers(0, 5, size=(40, 3)).astype(float)
    responses[rng.random((40, 3)) < 0.2] = math.nan
    counts = np.zeros((3, 6), dtype=np.int64)
    assert _kernels.count_values(responses, counts) == (-1, -1)
    expected = [[int(np.sum(responses[:, j] == value)) for value in range(6)] for j in range(3)]
    assert counts.tolist() == expected


@pytest.mark.parametrize("value", [-1.0, 0.5, 6.0, math.inf, -math.inf])
def test_count_values_stops_at_what_is_none(value: float) -> None:
    responses = np.zeros((4, 3))
    responses[2, 1] = value
    counts = np.zeros((3, 6), dtype=np.int64)
    assert _kernels.count_values(responses, counts) == (2, 1)


def test_to_codes() -> None:
    responses = np.array([[0.0, 9.0, 4.0], [math.nan, 9.0, 2.0], [1.0, 9.0, math.nan]])
    lookup = np.zeros((2, 6), dtype=np.int64)
    lookup[0, [0, 1, 5]] = 0, 1, 2
    lookup[1, [2, 4, 5]] = 0, 3, 6
    codes = np.empty((3, 1), dtype=np.uint8)
    rows, columns = np.array([2, 0, 1]), np.array([0, 2])
    _kernels.to_codes(responses, rows, columns, np.zeros(2, dtype=np.int64), lookup, codes)
    assert codes.tolist() == [[1 + 6], [0 + 3], [2 + 0]]


@pytest.mark.parametrize("sizes", [[2], [2, 2, 2, 2, 2, 2], [2, 5, 3, 2, 20, 2]])
@pytest.mark.parametrize("has_missing", [False, True])
def test_bundles_spell_out_all_combinations(sizes: list[int], has_missing: bool) -> None:
    first = np.concatenate([[0], np.cumsum(sizes)])
    missing = np.full(len(sizes), has_missing)
    bundles = bundle_items(first, np.ones(len(sizes), dtype=np.int64), missing)
    choices = [[*range(size), *([-1] if has_missing else [])] for size in sizes]
    none = int(first[-1])
    for index in range(len(bundles.first) - 1):
        items = np.flatnonzero(bundles.bundle == index)
        n_rows = bundles.first[index + 1] - bundles.first[index]
        combinations = list(itertools.product(*(choices[item] for item in items)))
        assert n_rows == len(combinations)
        for combination in combinations:
            code = sum(
                (category if category >= 0 else sizes[item]) * bundles.stride[item]
                for item, category in zip(items, combination, strict=True)
            )
            members = bundles.members[bundles.first[index] + code]
            expected = [
                first[item] + category if category >= 0 else none
                for item, category in zip(items, combination, strict=True)
            ]
            assert members[: len(items)].tolist() == expected
            assert np.all(members[len(items) :] == none)
    assert bundles.offset[-1] == len(sizes)


class Case:
    """Random tables and scores for random codes."""

    def __init__(self, rng: np.random.Generator, n: int = 30) -> None:
        sizes, widths = [3, 4, 2], [2, 0, 3]
        self.first = np.concatenate([[0], np.cumsum(sizes)])
        self.offset = np.concatenate([[0], np.cumsum(widths)])
        self.codes = np.stack([rng.integers(0, size, n) for size in sizes], 1).astype(np.uint8)
        self.table = rng.random((sum(sizes), 8))
        self.prior = rng.random(8)
        self.scores = rng.normal(size=(sum(sizes), 3, 8))
        self.group_scores = rng.normal(size=(2, 8))

    def joint(self) -> np.ndarray:
        chosen = self.table[self.first[:-1] + self.codes]
        return np.asarray(chosen.prod(axis=1) * self.prior)


def test_expected_counts(rng: np.random.Generator) -> None:
    case = Case(rng)
    counts, mass = np.zeros_like(case.table), np.zeros(8)
    value = _kernels.expected_counts(case.codes, case.first, case.table, case.prior, counts, mass)
    joint = case.joint()
    weights = joint / joint.sum(axis=1, keepdims=True)
    expected = np.zeros_like(case.table)
    for b in range(3):
        np.add.at(expected, case.first[b] + case.codes[:, b], weights)
    assert value == pytest.approx(np.log(joint.sum(axis=1)).sum(), rel=1e-12)
    np.testing.assert_allclose(counts, expected, rtol=1e-12)
    np.testing.assert_allclose(mass, weights.sum(axis=0), rtol=1e-12)


def test_expected_counts_of_very_small_likelihoods() -> None:
    n_bundles = 400
    first = np.arange(n_bundles + 1) * 2
    table = np.full((2 * n_bundles, 8), 1e-9)
    counts, mass = np.zeros_like(table), np.zeros(8)
    codes = np.zeros((3, n_bundles), dtype=np.uint8)
    prior = np.full(8, 1 / 8)
    value = _kernels.expected_counts(codes, first, table, prior, counts, mass)
    assert value == pytest.approx(3 * n_bundles * math.log(1e-9), rel=1e-12)
    np.testing.assert_allclose(mass, 3 / 8)


def test_expected_counts_of_the_impossible() -> None:
    table = np.zeros((2, 8))
    counts, mass = np.zeros_like(table), np.zeros(8)
    codes = np.zeros((3, 1), dtype=np.uint8)
    value = _kernels.expected_counts(codes, np.array([0, 2]), table, np.ones(8), counts, mass)
    assert value == -math.inf


def test_pair_products(rng: np.random.Generator) -> None:
    case = Case(rng)
    products = np.zeros((7, 7))
    _kernels.pair_products(
        case.codes,
        case.first,
        case.table,
        case.prior,
        case.scores,
        case.offset,
        case.group_scores,
        products,
    )
    joint = case.joint()
    weights = joint / joint.sum(axis=1, keepdims=True)
    own = np.zeros((30, 7, 8))
    for b in range(3):
        low, high = case.offset[b], case.offset[b + 1]
        own[:, low:high] = case.scores[case.first[b] + case.codes[:, b], : high - low]
    own[:, 5:] = case.group_scores
    means = np.einsum("nq,npq->np", weights, own)
    expected = np.einsum("nq,npq,nrq->pr", weights, own, own) - means.T @ means
    np.testing.assert_allclose(np.triu(products), np.triu(expected), rtol=1e-9, atol=1e-11)


def test_posterior_moments(rng: np.random.Generator) -> None:
    case = Case(rng)
    nodes = rng.normal(size=8)
    theta, error = np.empty(30), np.empty(30)
    arguments = case.codes, case.first, case.table, case.prior, nodes
    _kernels.posterior_moments(*arguments, True, theta, error)
    joint = case.joint()
    weights = joint / joint.sum(axis=1, keepdims=True)
    means = weights @ nodes
    np.testing.assert_allclose(theta, means, rtol=1e-10, atol=1e-12)
    spread = np.sqrt((weights * (nodes - means[:, None]) ** 2).sum(axis=1))
    np.testing.assert_allclose(error, spread, rtol=1e-10)
    _kernels.posterior_moments(*arguments, False, theta, error)
    np.testing.assert_array_equal(theta, nodes[joint.argmax(axis=1)])
