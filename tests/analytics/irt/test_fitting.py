"""Fits of simulated papers: groups, anchors, what must hold for any data, and bad input."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from inkmark.analytics.irt import (
    IrtOptions,
    ItemModel,
    ItemPriors,
    LognormalPrior,
    NormalPrior,
    fit_2pl,
    fit_irt,
    fit_rasch,
)
from inkmark.errors import AnalysisError

# Simulated papers


def simulated(rng: np.random.Generator, models: list[ItemModel], theta: np.ndarray) -> np.ndarray:
    """Responses of right-or-wrong items, and of partial credit items with 0 to 3 points."""
    columns = []
    for model in models:
        a = 1.0 if model.has_fixed_slope else rng.lognormal(0, 0.3)
        if model.is_binary:
            guess = 0.2 if model is ItemModel.PL3 else 0.0
            p = guess + (1 - guess) / (1 + np.exp(-(a * theta + rng.normal())))
            columns.append(rng.random(len(theta)) < p)
        else:
            steps = a * (theta[:, None] - np.sort(rng.normal(size=3)))
            odds = np.exp(np.concatenate([np.zeros((len(theta), 1)), np.cumsum(steps, 1)], 1))
            shares = np.cumsum(odds, 1) / odds.sum(1, keepdims=True)
            columns.append((rng.random(len(theta))[:, None] > shares).sum(1))
    return np.stack(columns, 1).astype(float)


MIXED = [
    ItemModel.PL2,
    ItemModel.GRM,
    ItemModel.RASCH,
    ItemModel.PL3,
    ItemModel.NOMINAL,
    ItemModel.PCM,
    ItemModel.GPCM,
    ItemModel.PL2,
]


@pytest.fixture(scope="module")
def mixed() -> tuple[np.ndarray, np.ndarray]:
    """Responses to all models with gaps, and the groups of the candidates."""
    rng = np.random.default_rng(3)
    groups = np.repeat([0, 1], [500, 700])
    theta = rng.normal(size=1200) * np.where(groups == 0, 1, 1.3) + 0.5 * groups
    table = simulated(rng, MIXED, theta)
    table[rng.random(table.shape) < 0.1] = math.nan
    table[3] = math.nan
    return table, groups


def test_mixed_paper_with_gaps_in_two_groups(mixed: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = mixed
    fit = fit_irt(table, MIXED, groups=groups)
    assert fit.converged, fit.reason
    assert fit.groups == ("0", "1")
    assert fit.n_candidates == 1200
    assert fit.mean[0] == 0
    assert abs(fit.mean[1] - 0.5) < 3 * fit.mean_error[1]
    assert abs(fit.variance[1] / fit.variance[0] - 1.69) < 0.6
    assert np.all(np.isfinite(np.diag(fit.covariance)))
    assert len(fit.parameters) == fit.n_parameters


def test_order_of_candidates_and_items_does_not_matter(
    mixed: tuple[np.ndarray, np.ndarray],
) -> None:
    table, groups = mixed
    fit = fit_irt(table, MIXED, groups=groups)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(len(table)), rng.permutation(len(MIXED))
    other = fit_irt(
        table[np.ix_(rows, columns)], [MIXED[column] for column in columns], groups=groups[rows]
    )
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(other.items.a, fit.items.a[columns], atol=1e-4)
    np.testing.assert_allclose(other.items.d, fit.items.d[columns], atol=1e-4)


def test_fits_are_the_same_to_the_last_bit(mixed: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = mixed
    first, second = (fit_irt(table, MIXED, groups=groups) for _ in range(2))
    assert first.log_likelihood == second.log_likelihood
    assert first.covariance.tobytes() == second.covariance.tobytes()


def test_anchored_items_keep_their_parameters(mixed: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = mixed
    fit = fit_irt(table, MIXED, groups=groups)
    again = fit_irt(table[groups == 1], MIXED, anchors=fit.items)
    np.testing.assert_array_equal(again.items.d, fit.items.d)
    np.testing.assert_array_equal(again.items.a, fit.items.a)
    assert np.all(np.isnan(again.errors.d))
    assert again.n_parameters == 2
    assert again.mean[0] == pytest.approx(fit.mean[1], abs=1e-4)
    assert again.variance[0] == pytest.approx(fit.variance[1], abs=1e-3)


def test_new_items_are_put_on_the_scale_of_the_anchors() -> None:
    rng = np.random.default_rng(5)
    a, d = rng.lognormal(0, 0.3, 12), rng.normal(size=12)
    theta = np.concatenate([rng.normal(size=3000), 1 + 0.8 * rng.normal(size=3000)])
    table = (rng.random((6000, 12)) < 1 / (1 + np.exp(-(theta[:, None] * a + d)))).astype(float)
    names = [f"q{item}" for item in range(12)]
    old = fit_2pl(table[:3000, :8], names=names[:8])
    known = dataclasses.replace(old.items, a=a[:8], d=d[:8, None])
    new = fit_2pl(table[3000:, 4:], names=names[4:], anchors=known)
    assert abs(new.mean[0] - 1) < 3 * new.mean_error[0]
    assert abs(new.variance[0] - 0.64) < 3 * new.variance_error[0]
    np.testing.assert_array_equal(new.items.a[:4], a[4:8])
    assert np.all(np.abs(new.items.a - a[4:])[4:] < 4 * new.errors.a[4:])
    assert np.all(np.abs(new.items.d[:, 0] - d[4:])[4:] < 4 * new.errors.d[4:, 0])


def test_groups_that_share_items_get_one_scale() -> None:
    rng = np.random.default_rng(6)
    a, d = rng.lognormal(0, 0.3, 15), rng.normal(size=15)
    theta = np.concatenate([rng.normal(size=3000), 1 + 0.8 * rng.normal(size=3000)])
    table = (rng.random((6000, 15)) < 1 / (1 + np.exp(-(theta[:, None] * a + d)))).astype(float)
    table[:3000, 10:] = math.nan
    table[3000:, :5] = math.nan
    fit = fit_2pl(table, groups=np.repeat(["a", "b"], 3000))
    assert fit.groups == ("a", "b")
    assert fit.mean[0] == 0
    assert fit.variance[0] == 1
    assert math.isnan(fit.variance_error[0])
    assert abs(fit.mean[1] - 1) < 3 * fit.mean_error[1]
    assert abs(fit.variance[1] - 0.64) < 3 * fit.variance_error[1]
    assert np.all(np.abs(fit.items.a - a) < 4 * fit.errors.a)


# What must hold for any data


def test_models_of_two_categories_are_the_same() -> None:
    rng = np.random.default_rng(9)
    table = simulated(rng, [ItemModel.PL2] * 8, rng.normal(size=500))
    expected = fit_2pl(table)
    for model in (ItemModel.GRM, ItemModel.GPCM, ItemModel.NOMINAL):
        fit = fit_irt(table, model)
        assert fit.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-7)
        np.testing.assert_allclose(fit.items.d, expected.items.d, atol=1e-4)
        np.testing.assert_allclose(fit.errors.d, expected.errors.d, rtol=1e-3)
    np.testing.assert_allclose(fit.items.s[:, 0], expected.items.a, atol=1e-4)
    rasch, credit = fit_rasch(table), fit_irt(table, ItemModel.PCM)
    assert credit.log_likelihood == pytest.approx(rasch.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(credit.items.d, rasch.items.d, atol=1e-4)
    assert credit.variance_error[0] == pytest.approx(rasch.variance_error[0], rel=1e-3)


def test_turning_an_item_round_turns_its_parameters() -> None:
    rng = np.random.default_rng(9)
    table = simulated(rng, [ItemModel.PL2] * 8, rng.normal(size=500))
    turned = table.copy()
    turned[:, 3] = 1 - turned[:, 3]
    fit, other = fit_2pl(table), fit_2pl(turned)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
    assert other.items.a[3] == pytest.approx(-fit.items.a[3], abs=1e-4)
    assert other.items.d[3, 0] == pytest.approx(-fit.items.d[3, 0], abs=1e-4)
    assert other.items.b[3, 0] == pytest.approx(fit.items.b[3, 0], abs=1e-3)


def test_twice_the_data_halve_the_variances(mixed: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = mixed
    options = IrtOptions(priors={})
    plain = [ItemModel.GPCM if model is ItemModel.PL3 else model for model in MIXED]
    once = fit_irt(table, plain, groups=groups, options=options)
    twice = fit_irt(
        np.concatenate([table, table]),
        plain,
        groups=np.concatenate([groups, groups]),
        options=options,
    )
    assert twice.log_likelihood == pytest.approx(2 * once.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(twice.items.d, once.items.d, atol=1e-4)
    np.testing.assert_allclose(2 * twice.covariance, once.covariance, rtol=1e-2, atol=1e-5)
    np.testing.assert_allclose(twice.mean_error * math.sqrt(2), once.mean_error, rtol=1e-3)


def test_empty_rows_change_nothing() -> None:
    rng = np.random.default_rng(9)
    table = simulated(rng, [ItemModel.PL2] * 8, rng.normal(size=500))
    padded = np.concatenate([table, np.full((40, 8), math.nan)])
    fit, other = fit_2pl(table), fit_2pl(padded)
    assert other.n_candidates == 540
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(other.errors.a, fit.errors.a, rtol=1e-3)


# Bad input


def table_of(rng: np.random.Generator, n_items: int = 6) -> np.ndarray:
    return simulated(rng, [ItemModel.PL2] * n_items, rng.normal(size=300))


def test_constant_items_are_left_out() -> None:
    table = table_of(np.random.default_rng(1))
    padded = np.column_stack([table, np.ones(300), np.zeros(300), np.full(300, math.nan)])
    names = [f"q{item}" for item in range(9)]
    fit = fit_2pl(padded, names=names)
    assert [(warning.code, warning.subject) for warning in fit.warnings] == [
        ("constant-item", "q6"),
        ("constant-item", "q7"),
        ("no-responses", "q8"),
    ]
    assert np.all(np.isnan(fit.items.a[6:]))
    np.testing.assert_array_equal(fit.items.a[:6], fit_2pl(table).items.a)


def test_unused_categories_close_up() -> None:
    rng = np.random.default_rng(1)
    table = simulated(rng, [ItemModel.GPCM] * 6, rng.normal(size=600))
    gap = table.copy()
    gap[:, 1] = np.array([0, 1, 2, 5])[table[:, 1].astype(int)]
    fit = fit_irt(gap, ItemModel.GPCM)
    assert [(warning.code, warning.subject) for warning in fit.warnings] == [
        ("unused-category", "2")
    ]
    assert fit.items.categories[1] == (0, 1, 2, 5)
    assert fit.log_likelihood == fit_irt(table, ItemModel.GPCM).log_likelihood


@pytest.mark.parametrize("value", [-1.0, 0.5, math.inf, 100.0])
def test_what_is_no_category_is_named(value: float) -> None:
    table = table_of(np.random.default_rng(1))
    table[4, 2] = value
    with pytest.raises(AnalysisError, match="Item 3, candidate 5"):
        fit_2pl(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((0, 3)), "cannot be analysed"),
        (np.zeros(3), "cannot be analysed"),
        (np.array([[0.0, 1.0]]), "One candidate"),
        (np.ones((5, 3)), "No item has responses that differ"),
        (np.array([[0.0], [1.0], [2.0]]), "Item 1 has 3 categories"),
    ],
)
def test_nothing_to_fit(table: np.ndarray, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        fit_2pl(table)


def test_faulty_arguments() -> None:
    table = table_of(np.random.default_rng(1))
    with pytest.raises(AnalysisError, match="different names"):
        fit_2pl(table, names=["a"] * 6)
    with pytest.raises(AnalysisError, match="6 models"):
        fit_irt(table, [ItemModel.PL2])
    with pytest.raises(AnalysisError, match="labels of groups"):
        fit_2pl(table, groups=[1, 2])
    with pytest.raises(AnalysisError, match="Group 2 has one candidate"):
        fit_2pl(table, groups=[1] * 299 + [2])
    known = fit_2pl(table, names=list("abcdef"))
    with pytest.raises(AnalysisError, match="among the anchors"):
        fit_2pl(table, anchors=known.items)
    table[0, 0] = 2.0
    with pytest.raises(AnalysisError, match="Item a: 2 occurs"):
        fit_2pl(table, names=list("abcdef"), anchors=known.items)


def test_candidates_who_do_not_differ_are_noted() -> None:
    rng = np.random.default_rng(2)
    fit = fit_rasch((rng.random((200, 6)) < 0.5).astype(float))
    assert [warning.code for warning in fit.warnings] == ["no-spread"]
    assert fit.variance[0] < 0.04


def test_groups_without_a_link_are_refused() -> None:
    table = table_of(np.random.default_rng(1))
    table[:150, :3] = math.nan
    table[150:, 3:] = math.nan
    groups = np.repeat(["a", "b"], 150)
    with pytest.raises(AnalysisError, match="Group b has taken no anchor and no item in common"):
        fit_2pl(table, groups=groups)
    # Booklets of one group need nothing in common: its distribution links them.
    assert fit_2pl(table).converged
    known = fit_2pl(table_of(np.random.default_rng(1)), names=list("abcdef"))
    apart = dataclasses.replace(known.items, names=tuple("abcxyz"))
    with pytest.raises(AnalysisError, match="Group a has taken no anchor"):
        fit_2pl(table, groups=groups, names=list("abcdef"), anchors=apart)
    linked = dataclasses.replace(known.items, names=tuple("abcdyz"))
    fit = fit_2pl(table, groups=groups, names=list("abcdef"), anchors=linked)
    assert np.all(np.isfinite(fit.mean_error))
    with pytest.raises(AnalysisError, match="Group b"):
        fit_2pl(np.where(np.arange(300)[:, None] < 150, table, math.nan), groups=groups)


@pytest.mark.parametrize(
    "options", [{"n_nodes": 1}, {"reach": 0}, {"tolerance": 0}, {"max_iterations": 0}]
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(AnalysisError, match="at least"):
        IrtOptions(**options)


def test_limit_of_iterations_is_told() -> None:
    fit = fit_2pl(table_of(np.random.default_rng(1)), options=IrtOptions(max_iterations=3))
    assert not fit.converged
    assert fit.n_iterations == 3
    assert "limit" in fit.reason
    assert fit.warnings[0].code == "not-converged"


def test_slopes_without_bound_are_named() -> None:
    table = table_of(np.random.default_rng(1))
    table[:, 2] = table.sum(axis=1) > 3
    table[:, 5] = table[:, 2]
    fit = fit_2pl(table)
    assert {(warning.code, warning.subject) for warning in fit.warnings} >= {
        ("unsettled-item", "3"),
        ("unsettled-item", "6"),
    }
    priors = {ItemModel.PL2: ItemPriors(slope=LognormalPrior(sd=0.3))}
    assert fit_2pl(table, options=IrtOptions(priors=priors)).warnings == ()


def test_priors_pull() -> None:
    table = table_of(np.random.default_rng(1))
    priors = {ItemModel.PL2: ItemPriors(slope=NormalPrior(1.0, 0.01))}
    fit = fit_2pl(table, options=IrtOptions(priors=priors))
    np.testing.assert_allclose(fit.items.a, 1, atol=0.02)
    assert fit.log_posterior < fit.log_likelihood
    assert fit.log_likelihood < fit_2pl(table).log_likelihood
