"""Simulated responses, and whether fits find what they were simulated with."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from inkmark.analytics.irt import (
    ItemModel,
    ItemParameters,
    ScoreMethod,
    fit_irt,
    score_candidates,
    simulate_responses,
)

N_ITEMS = 20


def items_of(model: ItemModel, rng: np.random.Generator) -> ItemParameters:
    top = 1 if model.is_binary else 3
    a = np.ones(N_ITEMS) if model.has_fixed_slope else rng.lognormal(0, 0.3, N_ITEMS)
    if model.is_graded:
        gaps = 0.6 + np.abs(rng.normal(size=(N_ITEMS, top)))
        d = rng.normal(size=(N_ITEMS, 1)) + gaps[:, :1] - np.cumsum(gaps, axis=1) + (top - 1) / 2
    else:
        d = np.cumsum(-a[:, None] * np.sort(rng.normal(size=(N_ITEMS, top)), axis=1), axis=1)
    return ItemParameters(
        names=tuple(f"q{item}" for item in range(N_ITEMS)),
        models=(model,) * N_ITEMS,
        categories=(tuple(range(top + 1)),) * N_ITEMS,
        a=a,
        d=d,
        g=np.zeros(N_ITEMS),
        s=np.full((N_ITEMS, top), math.nan),
    )


def test_shares_are_those_of_the_curves() -> None:
    rng = np.random.default_rng(0)
    items = items_of(ItemModel.GRM, rng)
    items = dataclasses.replace(items, categories=((0, 1, 2, 5), (), *items.categories[2:]))
    drawn = simulate_responses(items, np.full(20_000, 0.5), rng)
    assert np.all(np.isnan(drawn[:, 1]))
    assert set(np.unique(drawn[:, 0])) == {0, 1, 2, 5}
    reached = 1 / (1 + np.exp(-(items.a[0] * 0.5 + items.d[0])))
    found = [np.mean(drawn[:, 0] >= value) for value in (1, 2, 5)]
    np.testing.assert_allclose(found, reached, atol=0.015)


@pytest.mark.parametrize(
    "model", [ItemModel.RASCH, ItemModel.PL2, ItemModel.GRM, ItemModel.PCM, ItemModel.GPCM]
)
def test_recovery(model: ItemModel) -> None:
    """No bias, and intervals of 95 % that cover as often as they say."""
    rng = np.random.default_rng(0)
    items = items_of(model, rng)
    misses, units = [], []
    for _ in range(40):
        fit = fit_irt(simulate_responses(items, rng.normal(size=1000), rng), model)
        assert fit.converged, fit.reason
        for truth, found, error in (
            (items.a, fit.items.a, fit.errors.a),
            (items.d, fit.items.d, fit.errors.d),
        ):
            free = np.isfinite(error)
            misses.append((found - truth)[free])
            units.append(((found - truth) / error)[free])
    z = np.concatenate(units)
    assert abs(np.mean(np.concatenate(misses))) < 0.01
    assert 0.93 < np.mean(np.abs(z) < 1.96) < 0.97


@pytest.mark.parametrize("method", list(ScoreMethod))
def test_recovery_of_abilities(method: ScoreMethod) -> None:
    rng = np.random.default_rng(1)
    items = items_of(ItemModel.GPCM, rng)
    theta = rng.normal(size=4000)
    scores = score_candidates(simulate_responses(items, theta, rng), items, method)
    z = (scores.theta - theta) / scores.error
    assert 0.93 < np.nanmean(np.abs(z) < 1.96) < 0.97
    if method is ScoreMethod.WLE:
        outer = np.abs(theta) > 1
        shrinkage = np.mean((scores.theta - theta)[outer] * np.sign(theta[outer]))
        assert abs(shrinkage) < 0.02


def test_recovery_of_groups() -> None:
    rng = np.random.default_rng(2)
    items = items_of(ItemModel.PL2, rng)
    units = []
    for _ in range(30):
        theta = np.concatenate([rng.normal(size=800), 0.6 + 1.2 * rng.normal(size=600)])
        fit = fit_irt(
            simulate_responses(items, theta, rng),
            ItemModel.PL2,
            groups=np.repeat([0, 1], [800, 600]),
        )
        units.append((fit.mean[1] - 0.6) / fit.mean_error[1])
        units.append((fit.variance[1] - 1.44) / fit.variance_error[1])
    assert np.mean(np.abs(units) < 1.96) > 0.88
    assert np.max(np.abs(units)) < 4
