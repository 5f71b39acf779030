"""Unlikely answer patterns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.integrity import guttman_fit, person_fit
from inkmark.analytics.irt import ItemModel, ItemParameters, ScoreMethod, score_candidates
from inkmark.errors import AnalysisError


def binary_items(m: int, guessing: float = 0.0, seed: int = 1) -> ItemParameters:
    rng = np.random.default_rng(seed)
    a = rng.lognormal(0.2, 0.3, m)
    return ItemParameters(
        tuple(f"i{item}" for item in range(m)),
        (ItemModel.PL3 if guessing else ItemModel.PL2,) * m,
        ((0, 1),) * m,
        a,
        (-a * rng.normal(0, 1, m))[:, None],
        np.full(m, guessing),
        np.full((m, 1), np.nan),
    )


def graded_items(m: int, seed: int = 2) -> ItemParameters:
    rng = np.random.default_rng(seed)
    return ItemParameters(
        tuple(f"i{item}" for item in range(m)),
        (ItemModel.GPCM,) * m,
        ((0, 1, 2),) * m,
        rng.lognormal(0, 0.2, m),
        np.cumsum(rng.normal(0, 1, (m, 2)), axis=1),
        np.zeros(m),
        np.full((m, 2), np.nan),
    )


def right_chance(items: ItemParameters, theta: np.ndarray) -> np.ndarray:
    logistic = 1 / (1 + np.exp(-(items.a * theta[:, None] + items.d[:, 0])))
    return items.g + (1 - items.g) * logistic


def graded_chance(items: ItemParameters, theta: np.ndarray) -> np.ndarray:
    logit = np.zeros((len(theta), len(items.a), 3))
    for k in (1, 2):
        logit[:, :, k] = k * items.a * theta[:, None] + items.d[:, k - 1]
    chance = np.exp(logit)
    return chance / chance.sum(2, keepdims=True)


def snijders(
    x: np.ndarray, items: ItemParameters, theta: np.ndarray, method: ScoreMethod
) -> np.ndarray:
    """lz* of right-or-wrong items as Snijders (2001) writes it, with r0 of the estimator."""
    p = right_chance(items, theta)
    q = 1 - p
    logistic = (p - items.g) / (1 - items.g)
    d1 = (1 - items.g) * items.a * logistic * (1 - logistic)
    d2 = d1 * items.a * (1 - 2 * logistic)
    r = d1 / (p * q)
    r0 = {
        ScoreMethod.ML: 0.0,
        ScoreMethod.MAP: -theta,
        ScoreMethod.WLE: (d1 * d2 / (p * q)).sum(1) / (2 * (d1**2 / (p * q)).sum(1)),
    }[method]
    w = np.log(p / q)
    c = (d1 * w).sum(1) / (d1 * r).sum(1)
    tilde = w - c[:, None] * r
    return (((x - p) * w).sum(1) + c * r0) / np.sqrt((tilde**2 * p * q).sum(1))


@pytest.mark.parametrize("guessing", [0.0, 0.2])
@pytest.mark.parametrize("method", [ScoreMethod.ML, ScoreMethod.MAP, ScoreMethod.WLE])
def test_lz_star_is_that_of_snijders(guessing: float, method: ScoreMethod) -> None:
    items = binary_items(25, guessing)
    rng = np.random.default_rng(3)
    chance = right_chance(items, rng.normal(0, 0.7, 50))
    x = (rng.random(chance.shape) < chance).astype(float)
    theta = score_candidates(x, items, method).theta
    finite = np.isfinite(theta)
    fit = person_fit(x, items, theta)
    assert finite.sum() > 40
    # Abilities solve their equation to a few digits only.
    expected = snijders(x[finite], items, theta[finite], method)
    assert fit.lz_star[finite] == pytest.approx(expected, abs=1e-4)


def test_lz_from_its_definition() -> None:
    """Log-likelihood, less its mean, over its standard deviation, by all patterns."""
    items, theta = binary_items(6), np.array([0.4])
    p = right_chance(items, theta)[0]
    patterns = np.array(list(itertools.product((0, 1), repeat=6)), dtype=float)
    likelihood = np.prod(np.where(patterns == 1, p, 1 - p), axis=1)
    log = np.log(likelihood)
    mean = np.sum(likelihood * log)
    sd = np.sqrt(np.sum(likelihood * (log - mean) ** 2))
    fit = person_fit(patterns, items, np.full(64, 0.4))
    assert fit.lz == pytest.approx((log - mean) / sd)


def test_lz_of_several_categories_from_its_definition() -> None:
    items, theta = graded_items(4), np.array([-0.3])
    chance = graded_chance(items, theta)[0]
    patterns = np.array(list(itertools.product((0, 1, 2), repeat=4)))
    likelihood = np.prod(chance[np.arange(4), patterns], axis=1)
    log = np.log(likelihood)
    mean = np.sum(likelihood * log)
    sd = np.sqrt(np.sum(likelihood * (log - mean) ** 2))
    fit = person_fit(patterns, items, np.full(81, -0.3))
    assert fit.lz == pytest.approx((log - mean) / sd)


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("method", [ScoreMethod.WLE, ScoreMethod.EAP])
def test_lz_star_is_standard_normal_where_the_model_holds(
    graded: bool, method: ScoreMethod
) -> None:
    """And lz, which takes the ability for known, is too narrow."""
    rng = np.random.default_rng(5)
    theta = rng.normal(0, 0.8, 1500)
    if graded:
        items = graded_items(30)
        cumulative = graded_chance(items, theta).cumsum(2)
        x = (rng.random((1500, 30, 1)) > cumulative).sum(2).astype(float)
    else:
        items = binary_items(40)
        x = (rng.random((1500, 40)) < right_chance(items, theta)).astype(float)
    fit = person_fit(x, items, score_candidates(x, items, method).theta)
    assert abs(np.mean(fit.lz_star)) < 0.1
    assert 0.93 < np.std(fit.lz_star) < 1.07
    assert np.std(fit.lz) < np.std(fit.lz_star)
    assert 0.03 < np.mean(fit.p < 0.05) < 0.075


def test_a_reversed_pattern_is_unlikely() -> None:
    items = binary_items(30)
    easy_first = np.argsort(-items.d[:, 0] / items.a)
    x = np.zeros((2, 30))
    x[0, easy_first[:15]] = 1
    x[1, easy_first[15:]] = 1
    fit = person_fit(x, items, score_candidates(x, items, ScoreMethod.WLE).theta)
    assert fit.p[0] > 0.9
    assert fit.p[1] < 1e-6


def test_missing_responses_count_nothing() -> None:
    items = binary_items(20)
    rng = np.random.default_rng(6)
    x = rng.integers(0, 2, (3, 20)).astype(float)
    part = x.copy()
    part[:, 12:] = np.nan
    first = ItemParameters(
        items.names[:12],
        items.models[:12],
        items.categories[:12],
        items.a[:12],
        items.d[:12],
        items.g[:12],
        items.s[:12],
    )
    theta = np.array([0.3, -0.2, 1.0])
    short = person_fit(x[:, :12], first, theta)
    long = person_fit(part, items, theta)
    assert long.n_items.tolist() == [12, 12, 12]
    assert long.lz_star == pytest.approx(short.lz_star)


def test_candidates_without_a_figure_are_counted() -> None:
    items = binary_items(8)
    x = np.zeros((4, 8))
    x[0] = np.nan
    x[1, 1:] = np.nan
    x[2, :3] = 1
    fit = person_fit(x, items, np.array([0.0, -0.4, 0.1, -np.inf]), names=["a", "b", "c", "d"])
    assert np.isnan(fit.lz).tolist() == [True, False, False, True]
    assert np.isnan(fit.lz_star).tolist() == [True, True, False, True]
    assert [(warning.code, warning.subject) for warning in fit.warnings] == [("no-ability", "a")]
    assert fit.warnings[0].message.startswith("2 candidates")


def test_values_that_are_no_category_are_named() -> None:
    with pytest.raises(AnalysisError, match="Item i1, candidate Li: 2 is not one"):
        person_fit([[0, 2, 1]], binary_items(3), [0.0], names=["Li"])
    with pytest.raises(AnalysisError, match="do not fit 3 items"):
        person_fit([[0, 1]], binary_items(3), [0.0])


# Without a model


def twin_guttman(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors and U3, pair by pair."""
    n_taken = np.sum(~np.isnan(scores), axis=0)
    facility = np.nansum(scores, axis=0) / np.maximum(n_taken, 1)
    use = np.flatnonzero((facility > 0) & (facility < 1))
    logit = np.log(facility[use] / (1 - facility[use]))
    errors, u3 = [], []
    for row in scores[:, use]:
        errors.append(
            sum(
                row[i] == 0 and row[j] == 1 and facility[use[i]] > facility[use[j]]
                for i in range(len(use))
                for j in range(len(use))
            )
        )
        taken = logit[~np.isnan(row)]
        n_right = int(np.nansum(row))
        best = np.sort(taken)[::-1][:n_right].sum()
        worst = np.sort(taken)[:n_right].sum()
        seen = logit[row == 1].sum()
        u3.append((best - seen) / (best - worst) if best - worst > 1e-12 else np.nan)
    return np.array(errors), np.array(u3)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_guttman_errors_and_u3_are_those_of_all_pairs(seed: int, gaps: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = (rng.random((9, 6)) < rng.random(6)).astype(float)
    scores[0] = [1, 0, 1, 0, 1, 0]
    scores[1] = 1 - scores[0]
    if gaps:
        scores[rng.random(scores.shape) < 0.2] = np.nan
        scores[:2] = [[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]]
    fit = guttman_fit(scores)
    errors, u3 = twin_guttman(scores)
    assert np.array_equal(fit.errors, errors)
    assert fit.u3 == pytest.approx(u3, nan_ok=True)
    known = ~np.isnan(fit.u3)
    assert np.all((fit.u3[known] > -1e-9) & (fit.u3[known] < 1 + 1e-9))


def test_guttman_and_reversed_patterns() -> None:
    scores = np.tril(np.ones((6, 5)), -1)
    scores = np.concatenate([scores, [[0, 0, 0, 1, 1]], np.tril(np.ones((6, 5)), -1)])
    fit = guttman_fit(scores)
    assert fit.errors[6] == 6
    assert fit.share[6] == pytest.approx(1)
    assert fit.u3[6] == pytest.approx(1)
    assert np.all(fit.errors[:6] == 0)
    assert np.all(fit.u3[1:5] == pytest.approx(0))
    assert np.isnan(fit.u3[[0, 5]]).all()
    assert [warning.code for warning in fit.warnings] == ["no-pattern"]


def test_scores_that_are_not_right_or_wrong() -> None:
    with pytest.raises(AnalysisError, match="1 for right"):
        guttman_fit([[0, 2], [1, 0]])
    with pytest.raises(AnalysisError, match="solved by some"):
        guttman_fit([[0, 1], [0, 1]])
