"""Fit of items against converged outputs of mirt, definitions, and simulated misfit."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkmark.analytics.irt import (
    IrtFit,
    ItemModel,
    ScoreMethod,
    fit_2pl,
    fit_irt,
    fit_rasch,
    item_curves,
    item_fit,
    local_dependence,
    score_candidates,
    simulate_responses,
)
from inkmark.analytics.irt.item_fit import _collapsed, _without_each
from inkmark.analytics.significance import Adjustment
from inkmark.errors import AnalysisError


def two_group_paper() -> tuple[np.ndarray, np.ndarray]:
    """2PL items; the second group is abler."""
    rng = np.random.default_rng(1)
    groups = np.repeat(["a", "b"], 400)
    theta = rng.normal(size=800) + 0.7 * (groups == "b")
    slope, intercept = rng.lognormal(0, 0.2, 8), rng.normal(size=8)
    chance = 1 / (1 + np.exp(-(theta[:, None] * slope + intercept)))
    return (rng.random((800, 8)) < chance).astype(float), groups


@pytest.fixture(scope="module")
def paper() -> tuple[np.ndarray, IrtFit]:
    table, _ = two_group_paper()
    return table, fit_2pl(table)


# Against mirt


@pytest.mark.parametrize(
    ("folder", "model", "output"),
    [
        ("lsat6", ItemModel.RASCH, "LSAT6_Rasch"),
        ("lsat6", ItemModel.PL2, "LSAT6_2PL"),
        ("sat12", ItemModel.RASCH, "SAT12_Rasch"),
        ("sat12", ItemModel.PL2, "SAT12_2PL"),
        ("math_exam_14w", ItemModel.RASCH, "MathExam14W_Rasch"),
        ("math_exam_14w", ItemModel.PL2, "MathExam14W_2PL"),
        ("science_grm", ItemModel.GRM, "Science_graded"),
        ("science_grm", ItemModel.GPCM, "Science_gpcm"),
        ("science_grm", ItemModel.NOMINAL, "Science_nominal"),
        ("science_grm", ItemModel.PCM, "Science_Rasch"),
    ],
)
def test_parity(data_dir: Path, folder: str, model: ItemModel, output: str) -> None:
    """With mirt's bound on variances: their squares are at least 1e-5."""
    sets = data_dir / "psychometrics"
    table = np.genfromtxt(sets / folder / "responses.csv", delimiter=",", skip_header=1)
    with (sets / "reference_outputs" / f"{output}.itemfit.csv").open(encoding="utf-8") as file:
        wanted = list(csv.DictReader(file))
    found = item_fit(fit_irt(table, model), table, least_variance=math.sqrt(1e-5))
    assert found.warnings == ()
    assert found.n_complete == len(table)
    assert found.df.tolist() == [int(row["df.S_X2"]) for row in wanted]
    for ours, theirs in (
        ("s_x2", "S_X2"),
        ("p", "p.S_X2"),
        ("rmsea", "RMSEA.S_X2"),
        ("infit", "infit"),
        ("infit_z", "z.infit"),
        ("outfit", "outfit"),
        ("outfit_z", "z.outfit"),
    ):
        np.testing.assert_allclose(
            getattr(found, ours), [float(row[theirs]) for row in wanted], atol=5e-4, err_msg=ours
        )


# S-X2


def test_distribution_of_the_other_items_scores_by_enumeration() -> None:
    rng = np.random.default_rng(2)
    tables = [rng.dirichlet(np.ones(k), size=3).T for k in (2, 4, 3, 2)]
    found = _without_each(tables, np.ones((1, 3)))
    for item, distribution in enumerate(found):
        others = tables[:item] + tables[item + 1 :]
        expected = np.zeros_like(distribution)
        for pattern in itertools.product(*(range(len(table)) for table in others)):
            parts = [table[k] for table, k in zip(others, pattern, strict=True)]
            expected[sum(pattern)] += np.prod(parts, axis=0)
        np.testing.assert_allclose(distribution, expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(0, 12), st.sampled_from([0.5, 1, 5]))
def test_joined_cells_keep_everybody(seed: int, k: int, more: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    n_scores = 2 * k + more
    chance = rng.dirichlet(np.ones(k), size=n_scores)
    score, category = np.arange(n_scores)[:, None], np.arange(k)
    chance[(category > score) | (category < k - 1 - (n_scores - 1 - score))] = 0
    chance /= chance.sum(axis=1, keepdims=True)
    sizes = rng.integers(0, 12, n_scores)
    observed = np.array([rng.multinomial(n, p) for n, p in zip(sizes, chance, strict=True)])
    expected = chance * sizes[:, None]
    cells = _collapsed(observed.astype(float), expected, least)
    for o, e in cells:
        assert len(o) == len(e) >= 2
        assert e.min() >= least
        assert o.sum() == pytest.approx(e.sum())
    if cells:
        assert sum(o.sum() for o, _ in cells) == sizes[1:-1].sum()


def test_least_cell_joins_more(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    fine, coarse = item_fit(fit, table), item_fit(fit, table, least_cell=40)
    assert np.all(coarse.df <= fine.df)
    assert coarse.df.sum() < fine.df.sum()


def test_an_item_that_does_not_rise_evenly_is_found() -> None:
    """Success on item 4 rises, and falls again among the best."""
    rng = np.random.default_rng(3)
    theta = rng.normal(size=2000)
    chance = 1 / (1 + np.exp(-(1.2 * theta[:, None] + np.linspace(-1.5, 1.5, 12))))
    chance[:, 3] = 0.9 * np.exp(-(theta**2))
    table = (rng.random((2000, 12)) < chance).astype(float)
    found = item_fit(fit_2pl(table), table)
    others = np.arange(12) != 3
    assert found.adjusted_p[3] < 1e-6
    assert found.rmsea[3] > 0.05
    assert np.all(found.adjusted_p[others] > 0.01)


def test_p_values_are_even_where_the_model_holds() -> None:
    rng = np.random.default_rng(4)
    p = []
    for _ in range(12):
        theta = rng.normal(size=800)
        logit = rng.lognormal(0, 0.2, 15) * theta[:, None] + rng.normal(size=15)
        table = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)
        p.append(item_fit(fit_2pl(table), table).p)
    values = np.concatenate(p)
    # 180 tests: between these with a chance of 999 in 1,000.
    assert 1 <= np.sum(values < 0.05) <= 20
    assert 0.42 < values.mean() < 0.58


def test_adjustment_is_for_the_items_tested(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    found = item_fit(fit, table, adjustment=Adjustment.BONFERRONI)
    np.testing.assert_allclose(found.adjusted_p, np.minimum(found.p * 8, 1))


# Mean squares


def test_mean_squares_by_definition() -> None:
    """On responses with gaps, by WLE abilities, item by item."""
    rng = np.random.default_rng(5)
    table, _ = two_group_paper()
    table[rng.random(table.shape) < 0.1] = math.nan
    table[7] = math.nan
    fit = fit_rasch(table)
    found = item_fit(fit, table, method=ScoreMethod.WLE)
    theta = score_candidates(table, fit.items, ScoreMethod.WLE).theta
    chance = item_curves(fit.items, theta).probability[:, 1]
    for item in range(8):
        seen = ~np.isnan(table[:, item])
        p = chance[item, seen]
        square, variance = (table[seen, item] - p) ** 2, p * (1 - p)
        fourth = p * (1 - p) ** 4 + (1 - p) * p**4
        outfit = np.mean(square / variance)
        infit = square.sum() / variance.sum()
        q = math.sqrt(np.sum(fourth / variance**2) / seen.sum() ** 2 - 1 / seen.sum())
        assert found.n_responses[item] == seen.sum()
        assert found.outfit[item] == pytest.approx(outfit)
        assert found.infit[item] == pytest.approx(infit)
        assert found.outfit_z[item] == pytest.approx((np.cbrt(outfit) - 1) * 3 / q + q / 3)
        q = math.sqrt(np.sum(fourth - variance**2)) / variance.sum()
        assert found.infit_z[item] == pytest.approx((np.cbrt(infit) - 1) * 3 / q + q / 3)


def test_guessed_item_has_noise_and_steep_item_too_little() -> None:
    rng = np.random.default_rng(6)
    theta = rng.normal(size=1500)
    slope = np.array([1.0] * 10 + [0.0, 4.0])
    chance = 1 / (1 + np.exp(-(theta[:, None] * slope + np.linspace(-1, 1, 12))))
    table = (rng.random(chance.shape) < chance).astype(float)
    found = item_fit(fit_rasch(table), table)
    assert found.infit[10] == found.infit.max() > 1.1
    assert found.outfit_z[10] > 3
    assert found.infit[11] == found.infit.min() < 0.8
    assert found.infit_z[11] < -3


def test_candidates_without_finite_ability_do_not_count(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    found = item_fit(fit, table, method=ScoreMethod.ML)
    extreme = np.isin(table.sum(axis=1), (0, 8)).sum()
    assert extreme > 0
    assert found.n_responses.tolist() == [800 - extreme] * 8


def test_least_variance_bounds_what_one_slip_counts(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    plain, bounded = item_fit(fit, table), item_fit(fit, table, least_variance=0.1)
    assert np.all(bounded.outfit <= plain.outfit)
    assert np.any(bounded.outfit < plain.outfit - 0.01)


# Missing responses, groups, items that were not fitted


def test_only_complete_candidates_count_for_s_x2(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    gaps = table.copy()
    gaps[::4, 2] = math.nan
    found, without = item_fit(fit, gaps), item_fit(fit, table[np.arange(800) % 4 > 0])
    assert found.n_complete == 600
    np.testing.assert_allclose(found.s_x2, without.s_x2)
    assert found.n_responses.tolist() == [800, 800, 600] + [800] * 5


def test_nobody_complete(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    booklets = table.copy()
    booklets[::2, 0] = math.nan
    booklets[1::2, 1] = math.nan
    found = item_fit(fit, booklets)
    assert [warning.code for warning in found.warnings] == ["no-complete"]
    assert found.n_complete == 0
    assert np.isnan(found.s_x2).all()
    assert np.isnan(found.p).all()
    assert np.isfinite(found.infit).all()
    dependence = local_dependence(fit, booklets)
    assert [warning.code for warning in dependence.warnings] == ["pairs-unseen"]
    assert math.isnan(dependence.q3[0, 1])
    assert np.isfinite(dependence.q3[0, 2:]).all()


def test_groups_are_expected_as_they_are() -> None:
    table, groups = two_group_paper()
    found = item_fit(fit_2pl(table, groups=groups), table, groups=groups)
    assert np.all(found.adjusted_p > 0.01)
    one = item_fit(fit_2pl(table), table)
    np.testing.assert_allclose(found.s_x2, one.s_x2, rtol=0.2)


def test_an_item_that_was_not_fitted_is_named() -> None:
    table, _ = two_group_paper()
    table[:, 4] = 1
    fit = fit_2pl(table, names=list("ABCDEFGH"))
    found, dependence = item_fit(fit, table), local_dependence(fit, table)
    for result in (found, dependence):
        assert [(w.code, w.subject) for w in result.warnings] == [("item-not-fitted", "E")]
    rest = item_fit(fit_2pl(np.delete(table, 4, axis=1)), np.delete(table, 4, axis=1))
    for name in ("s_x2", "p", "adjusted_p", "rmsea", "infit", "infit_z", "outfit", "outfit_z"):
        values = getattr(found, name)
        assert math.isnan(values[4]), name
        np.testing.assert_allclose(np.delete(values, 4), getattr(rest, name), rtol=1e-5)
    assert np.isnan(dependence.q3[4]).all()


def test_values_need_not_begin_at_0_nor_follow_each_other() -> None:
    table, _ = two_group_paper()
    plain, spread = (item_fit(fit_2pl(x), x) for x in (table, 2 + 3 * table))
    np.testing.assert_allclose(spread.s_x2, plain.s_x2)
    np.testing.assert_allclose(spread.infit, plain.infit)


def test_a_short_paper_has_too_few_scores() -> None:
    table = two_group_paper()[0][:, :2]
    found = item_fit(fit_rasch(table), table)
    assert [warning.code for warning in found.warnings] == ["no-s-x2"] * 2
    assert np.isnan(found.s_x2).all()
    assert found.df.tolist() == [0, 0]


def test_mixed_formats() -> None:
    rng = np.random.default_rng(7)
    binary, _ = two_group_paper()
    base = fit_2pl(binary)
    steps = np.array([[1.0, 0.2, -0.5]] * 8)
    graded = dataclasses.replace(
        base.items,
        models=(ItemModel.PCM,) * 8,
        categories=((0, 1, 2, 3),) * 8,
        d=steps,
        s=np.full((8, 3), math.nan),
        a=np.ones(8),
    )
    theta = rng.normal(size=1500)
    table = np.hstack(
        [
            simulate_responses(base.items, theta, rng),
            simulate_responses(graded, theta, rng)[:, :3],
        ]
    )
    fit = fit_irt(table, [ItemModel.PL2] * 8 + [ItemModel.GPCM] * 3)
    found = item_fit(fit, table)
    assert np.all(found.df > 5)
    assert np.all(found.adjusted_p > 0.01)


# Q3


def test_q3_is_the_correlation_of_residuals() -> None:
    table, _ = two_group_paper()
    rng = np.random.default_rng(8)
    table[rng.random(table.shape) < 0.2] = math.nan
    fit = fit_2pl(table)
    found = local_dependence(fit, table)
    theta = score_candidates(table, fit.items).theta
    rest = table - item_curves(fit.items, theta).expected.T
    for one, two in itertools.combinations(range(8), 2):
        both = ~np.isnan(rest[:, one] + rest[:, two])
        assert found.n_both[one, two] == both.sum()
        expected = np.corrcoef(rest[both, one], rest[both, two])[0, 1]
        assert found.q3[one, two] == pytest.approx(expected)
        assert found.q3[two, one] == pytest.approx(expected)
    assert np.isnan(np.diag(found.q3)).all()
    assert found.mean == pytest.approx(np.nanmean(found.q3))
    np.testing.assert_allclose(found.adjusted, found.q3 - found.mean)


def test_items_about_one_text_depend_on_each_other() -> None:
    rng = np.random.default_rng(9)
    theta, text = rng.normal(size=(2, 1000))
    logit = theta[:, None] + np.linspace(-1, 1, 12)
    logit[:, [4, 7]] += 1.5 * text[:, None]
    table = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)
    names = [f"Q{k}" for k in range(1, 13)]
    found = local_dependence(fit_2pl(table, names=names), table)
    ((one, two, value),) = found.pairs()
    assert (one, two) == ("Q5", "Q8")
    assert value == found.adjusted[4, 7] > 0.2
    assert len(found.pairs(above=-1)) == 66
    assert found.pairs(above=-1)[0] == (one, two, value)


# Bad input


def test_responses_of_another_fit_are_refused(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    with pytest.raises(AnalysisError, match="do not go with a fit of 8 items"):
        item_fit(fit, table[:, :5])
    with pytest.raises(AnalysisError, match="do not go with"):
        local_dependence(fit, table[0])
    with pytest.raises(AnalysisError, match="2 occurs, and its parameters are known for 0, 1"):
        item_fit(fit, table * 2)


def test_groups_of_another_fit_are_refused(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, groups = two_group_paper()
    fit = fit_2pl(table, groups=groups)
    with pytest.raises(AnalysisError, match="has 2 groups"):
        item_fit(fit, table)
    with pytest.raises(AnalysisError, match="not group c"):
        item_fit(fit, table, groups=np.where(groups == "a", "c", groups))
    with pytest.raises(AnalysisError, match="labels of shape"):
        item_fit(fit, table, groups=groups[:5])


def test_options_out_of_range(paper: tuple[np.ndarray, IrtFit]) -> None:
    table, fit = paper
    with pytest.raises(AnalysisError, match="more than 0"):
        item_fit(fit, table, least_cell=0)
    with pytest.raises(AnalysisError, match="more than 0"):
        item_fit(fit, table, least_variance=-1)
