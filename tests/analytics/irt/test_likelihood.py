"""Gradient and information against differences of the value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inkmark.analytics.irt import BetaPrior, ItemModel, ItemPriors, LognormalPrior, NormalPrior
from inkmark.analytics.irt._likelihood import Likelihood
from inkmark.analytics.irt._paper import bundle_items, known_curves, make_paper, padded_nodes
from inkmark.analytics.irt._responses import bundle_codes

MODELS = (
    ItemModel.NOMINAL,
    ItemModel.PL2,
    ItemModel.GRM,
    ItemModel.RASCH,
    ItemModel.PL3,
    ItemModel.PCM,
    ItemModel.GPCM,
    ItemModel.PL2,
)
SIZES = (3, 2, 4, 2, 2, 3, 4, 2)


@pytest.fixture
def likelihood() -> Likelihood:
    """All models, responses missing, two groups with free means and variances."""
    rng = np.random.default_rng(4)
    n = 60
    table = np.stack([rng.integers(0, size, n) for size in SIZES], 1).astype(float)
    table[rng.random(table.shape) < 0.15] = math.nan
    paper = make_paper(range(len(SIZES)), MODELS, SIZES, [False] * len(SIZES))
    n_free = np.zeros(len(SIZES), dtype=np.int64)
    for batch in paper.batches:
        n_free[batch.items] = batch.columns.shape[1]
    bundles = bundle_items(paper.first, n_free, np.ones(len(SIZES), dtype=bool))
    categories = [range(size) for size in SIZES]
    nodes, real = padded_nodes(31, 4.0)
    return Likelihood(
        paper,
        bundles,
        bundle_codes(table, np.arange(n), paper.order, categories, bundles),
        np.array([0, 25, n]),
        known_curves(None, [-1] * len(SIZES), paper.first, paper.graded),
        nodes,
        real,
        np.array([[-1, paper.n_free], [paper.n_free + 1, paper.n_free + 2]]),
        {
            ItemModel.PL3: ItemPriors(LognormalPrior(), NormalPrior(0.0, 3.0), BetaPrior()),
            ItemModel.PL2: ItemPriors(slope=NormalPrior(1.0, 0.5)),
            ItemModel.RASCH: ItemPriors(intercept=NormalPrior(0.5, 2.0)),
        },
        map,
    )


@pytest.fixture
def x(likelihood: Likelihood) -> np.ndarray:
    rng = np.random.default_rng(8)
    x = rng.normal(size=likelihood.n_parameters) * 0.5
    for batch in likelihood.paper.batches:
        if batch.model in (ItemModel.PL2, ItemModel.PL3, ItemModel.GRM, ItemModel.GPCM):
            x[batch.columns[:, 0]] = 0.8 + 0.2 * rng.random(len(batch.columns))
        if batch.model is ItemModel.GRM:
            x[batch.columns[:, 1:]] = 1.2, 0.1, -0.7
    return x


def plain_value(likelihood: Likelihood, x: np.ndarray) -> float:
    """The log-likelihood, candidate by candidate."""
    state = likelihood.state(x)
    table = np.concatenate([state.table, np.ones((1, len(likelihood.nodes)))])
    value = 0.0
    for group in range(2):
        for i in range(likelihood.bounds[group], likelihood.bounds[group + 1]):
            rows = likelihood.bundles.first[:-1] + likelihood.codes[i]
            members = likelihood.bundles.members[rows].ravel()
            value += math.log(float(table[members].prod(axis=0) @ state.weights[group]))
    return value


def test_value(likelihood: Likelihood, x: np.ndarray) -> None:
    assert likelihood.log_likelihood(x) == pytest.approx(plain_value(likelihood, x), rel=1e-12)


def test_gradient(likelihood: Likelihood, x: np.ndarray) -> None:
    step = 1e-5
    expected = [
        (likelihood.at(x + move).value - likelihood.at(x - move).value) / (2 * step)
        for move in np.eye(len(x)) * step
    ]
    np.testing.assert_allclose(likelihood.at(x).gradient, expected, atol=1e-6)


def test_information(likelihood: Likelihood, x: np.ndarray) -> None:
    step = 1e-5
    expected = [
        (likelihood.at(x - move).gradient - likelihood.at(x + move).gradient) / (2 * step)
        for move in np.eye(len(x)) * step
    ]
    np.testing.assert_allclose(likelihood.information(x), expected, atol=1e-6)


def test_em_steps_climb(likelihood: Likelihood, x: np.ndarray) -> None:
    point = likelihood.at(x)
    assert point.gradient @ point.step > 0
    assert likelihood.at(x + 0.3 * point.step).value > point.value


def test_thresholds_out_of_order_are_impossible(likelihood: Likelihood, x: np.ndarray) -> None:
    graded = next(batch for batch in likelihood.paper.batches if batch.model is ItemModel.GRM)
    x[graded.columns[0, 1:]] = -0.7, 0.1, 1.2
    assert likelihood.at(x).value == -math.inf
