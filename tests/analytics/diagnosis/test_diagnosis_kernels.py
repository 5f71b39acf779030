"""Each kernel against the same in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.analytics.diagnosis import _kernels
from inkmark.analytics.diagnosis.data import BLOCK, make_blocks


@pytest.fixture
def case():
    rng = np.random.default_rng(3)
    answers = rng.integers(-1, 2, size=(200, 13)).astype(np.int8)
    answers[0] = -1
    right = rng.uniform(0.05, 0.95, size=(13, 6))
    prior = rng.dirichlet(np.ones(6))
    return answers, right, prior


def posterior(answers, right, prior):
    """Posteriors (n, c) and log-likelihoods (n,)."""
    given = np.where(answers[:, :, None] == 1, right, 1 - right)
    joint = prior * np.where(answers[:, :, None] < 0, 1.0, given).prod(axis=1)
    return joint / joint.sum(axis=1, keepdims=True), np.log(joint.sum(axis=1))


def table_of(blocks, right):
    table = np.empty((len(blocks.answers), right.shape[1]))
    _kernels.fill_table(blocks.answers, blocks.item, right, table)
    return table


def test_codes_stand_for_the_answers(case) -> None:
    answers, _, _ = case
    blocks = make_blocks(answers)
    rows = blocks.answers[blocks.first[:-1] + blocks.codes]
    again = rows.reshape(len(answers), -1)
    assert np.array_equal(again[:, : answers.shape[1]], answers)
    assert (again[:, answers.shape[1] :] == -1).all()
    assert np.array_equal(blocks.item // BLOCK, np.repeat(np.arange(3), np.diff(blocks.first)))


def test_tables(case) -> None:
    answers, right, _ = case
    blocks = make_blocks(answers)
    for row, item, values in zip(blocks.answers, blocks.item, table_of(blocks, right), strict=True):
        part = right[item : item + BLOCK]
        taken = row[: len(part), None]
        expected = np.where(taken == 1, part, np.where(taken == 0, 1 - part, 1.0)).prod(axis=0)
        assert values == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("period", [1, 2, 4])
def test_posteriors(case, period) -> None:
    answers, right, prior = case
    blocks = make_blocks(answers)
    weights, values = np.empty((len(answers), len(prior))), np.empty(len(answers))
    table = table_of(blocks, right)
    _kernels.class_weights(blocks.codes, blocks.first, table, prior, period, weights, values)
    expected, expected_values = posterior(answers, right, prior)
    assert weights == pytest.approx(expected, rel=1e-9)
    assert values == pytest.approx(expected_values, rel=1e-9, abs=1e-12)


def test_expected_counts(case) -> None:
    answers, right, prior = case
    blocks = make_blocks(answers)
    table = table_of(blocks, right)
    counts = np.empty_like(table)
    value = _kernels.expected_counts(blocks.codes, blocks.first, table, prior, 2, counts)
    n_right, n_seen = np.zeros_like(right), np.zeros_like(right)
    _kernels.count_by_item(blocks.answers, blocks.item, counts, n_right, n_seen)
    weights, values = posterior(answers, right, prior)
    assert value == pytest.approx(values.sum(), rel=1e-12)
    assert n_right == pytest.approx((answers == 1).T.astype(float) @ weights, rel=1e-9)
    assert n_seen == pytest.approx((answers >= 0).T.astype(float) @ weights, rel=1e-9)
    first = counts[: blocks.first[1]].sum(axis=0)
    assert first == pytest.approx(weights.sum(axis=0), rel=1e-9)


def test_long_papers_of_impossible_answers_do_not_vanish() -> None:
    """All answers as unlikely as probabilities may be."""
    answers = np.ones((3, 200), dtype=np.int8)
    right = np.full((200, 2), 1e-10)
    blocks = make_blocks(answers)
    weights, values = np.empty((3, 2)), np.empty(3)
    prior = np.array([0.25, 0.75])
    table = table_of(blocks, right)
    _kernels.class_weights(blocks.codes, blocks.first, table, prior, 4, weights, values)
    assert weights == pytest.approx(np.tile(prior, (3, 1)))
    assert values == pytest.approx(200 * np.log(1e-10))


@pytest.mark.parametrize("link", [_kernels.IDENTITY, _kernels.LOGIT, _kernels.LOG])
def test_effects_are_most_likely_ones(link) -> None:
    """The gradient of the log-likelihood of the counts vanishes."""
    design = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=float)
    right, wrong = np.array([20.0, 35.0, 44.0, 90.0]), np.array([80.0, 60.0, 61.0, 20.0])
    forward = {
        _kernels.IDENTITY: lambda eta: eta,
        _kernels.LOGIT: lambda eta: 1 / (1 + np.exp(-eta)),
        _kernels.LOG: np.exp,
    }[link]
    start = {0: [0.2, 0.2, 0.2], 1: [0.0, 0.0, 0.0], 2: [-2.0, 0.5, 0.5]}[link]
    found = _kernels.fit_effects(design, link, right, wrong, np.array(start), 1e-10, 50)

    def value(parameter):
        rate = forward(design @ parameter)
        return (right * np.log(rate) + wrong * np.log(1 - rate)).sum()

    for p in range(3):
        step = 1e-5 * np.eye(3)[p]
        assert abs(value(found + step) - value(found - step)) / 2e-5 < 1e-3
        assert value(found + 100 * step) < value(found) > value(found - 100 * step)


def test_effects_stay_inside_where_the_most_likely_ones_are_outside() -> None:
    """Additive effects that would add up to more than certainty."""
    design = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=float)
    right, wrong = np.array([1.0, 90.0, 90.0, 99.0]), np.array([99.0, 10.0, 10.0, 1.0])
    start = np.array([0.2, 0.2, 0.2])
    found = _kernels.fit_effects(design, 0, right + 1e-6, wrong + 1e-6, start, 1e-10, 200)
    rates = design @ found
    assert rates.min() > 0
    assert 0.99 < rates.max() < 1
