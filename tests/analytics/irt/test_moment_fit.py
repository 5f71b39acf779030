"""M2 and its kin: a reference figure, enumeration of all patterns, and simulated papers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from inkmark.analytics.irt import (
    IrtFit,
    ItemModel,
    Moments,
    ParameterKind,
    fit_2pl,
    fit_irt,
    fit_rasch,
    item_curves,
    moment_fit,
)
from inkmark.analytics.irt._fitted import fitted_responses
from inkmark.analytics.irt.moment_fit import _items, _slopes

MIXED = [ItemModel.PL2, ItemModel.GPCM, ItemModel.PL3, ItemModel.NOMINAL, ItemModel.GRM]


def drawn(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    """Right or wrong."""
    return np.asarray(rng.random(logit.shape) < 1 / (1 + np.exp(-logit)), dtype=float)


def binary(rng: np.random.Generator, n: int = 600, m: int = 10) -> np.ndarray:
    """Responses that 2PL items explain."""
    theta = rng.normal(size=n)
    return drawn(rng, rng.lognormal(0, 0.2, m) * theta[:, None] + rng.normal(size=m))


@pytest.fixture(scope="module")
def mixed() -> tuple[np.ndarray, np.ndarray, IrtFit]:
    """All kinds of items in two groups."""
    rng = np.random.default_rng(1)
    groups = np.repeat(["a", "b"], 500)
    logit = rng.normal(size=(1000, 1)) + 0.6 * (groups == "b")[:, None] + np.zeros(5)
    table = drawn(rng, logit)
    table[:, [1, 3, 4]] += drawn(rng, logit[:, [1, 3, 4]] - 0.5)
    return table, groups, fit_irt(table, MIXED, groups=groups)


def read(data_dir: Path, name: str) -> np.ndarray:
    return np.genfromtxt(
        data_dir / "psychometrics" / name / "responses.csv", delimiter=",", skip_header=1
    )


# Figures of others


def test_sat12(data_dir: Path) -> None:
    """As mirt has it: M2 683.987 with 464 degrees of freedom."""
    table = read(data_dir, "sat12")
    found = moment_fit(fit_2pl(table), table)
    assert found.statistic == pytest.approx(683.987, abs=1e-3)
    assert found.df == 464
    assert found.p == pytest.approx(stats.chi2.sf(683.987, 464), rel=1e-2)
    assert found.rmsea == pytest.approx(math.sqrt(219.987 / 464 / 600), abs=1e-6)
    assert found.rmsea_low < found.rmsea < found.rmsea_high
    assert found.n_complete == 600
    assert found.warnings == ()


def test_srmsr_by_definition(data_dir: Path) -> None:
    table = read(data_dir, "lsat6")
    fit = fit_2pl(table)
    chance = item_curves(fit.items, fit.nodes).probability[:, 1]
    mean, product = chance @ fit.weights[0], (chance * fit.weights[0]) @ chance.T
    spread = np.sqrt(mean * (1 - mean))
    expected = (product - np.outer(mean, mean)) / np.outer(spread, spread)
    apart = (np.corrcoef(table.T) - expected)[np.triu_indices(5, 1)]
    assert moment_fit(fit, table).srmsr == pytest.approx(math.sqrt(np.mean(apart**2)))


# Enumeration


@pytest.mark.parametrize("moments", Moments)
def test_covariances_by_enumeration(
    mixed: tuple[np.ndarray, np.ndarray, IrtFit], moments: Moments
) -> None:
    table, groups, fit = mixed
    items = _items(fitted_responses(fit, table, groups), moments)
    chance = item_curves(fit.items, fit.nodes).probability
    sizes = [len(values) for values in fit.items.categories]
    patterns = np.array(list(itertools.product(*map(range, sizes))))
    share = np.prod([chance[j, patterns[:, j]] for j in range(5)], axis=0) @ fit.weights[1]
    assert share.sum() == pytest.approx(1)
    firsts = [patterns[:, j] for j in range(5)]
    if moments is Moments.C2:
        firsts = [patterns[:, j] == c for j in range(5) for c in range(1, sizes[j])]
    pairs = [patterns[:, i] * patterns[:, j] for i, j in itertools.combinations(range(5), 2)]
    values = np.array([*firsts, *pairs], dtype=float)
    mean = values @ share
    np.testing.assert_allclose(items.given @ fit.weights[1], mean)
    wanted = (values * share) @ values.T - np.outer(mean, mean)
    np.testing.assert_allclose(items.covariance(fit.weights[1]), wanted, atol=1e-12)
    counts = np.bincount(np.random.default_rng(2).integers(0, len(patterns), 300))
    codes = np.repeat(patterns[: len(counts)], counts, axis=0)
    np.testing.assert_allclose(items.observed(codes), values[:, : len(counts)] @ counts / 300)


def moved(fit: IrtFit, column: int, step: float) -> IrtFit:
    """The fit with one free parameter changed."""
    kind, place, category = fit.parameters[column]
    parts = {name: getattr(fit.items, name).copy() for name in ("a", "d", "g", "s")}
    mean, sd = fit.mean.copy(), np.sqrt(fit.variance)
    if kind is ParameterKind.SLOPE:
        parts["a"][place] += step
    elif kind is ParameterKind.INTERCEPT:
        parts["d"][place, category] += step
    elif kind is ParameterKind.CATEGORY_SLOPE:
        parts["s"][place, category] += step
    elif kind is ParameterKind.GUESSING:
        g = parts["g"][place]
        parts["g"][place] = 1 / (1 + (1 - g) / g * math.exp(-step))
    elif kind is ParameterKind.MEAN:
        mean[place] += step
    else:
        sd[place] *= math.exp(step)
    density = np.exp(-0.5 * ((fit.nodes - mean[:, None]) / sd[:, None]) ** 2)
    return dataclasses.replace(
        fit,
        items=dataclasses.replace(fit.items, **parts),
        mean=mean,
        variance=sd**2,
        weights=density / density.sum(axis=1, keepdims=True),
    )


@pytest.mark.parametrize("moments", Moments)
def test_slopes_by_differences(
    mixed: tuple[np.ndarray, np.ndarray, IrtFit], moments: Moments
) -> None:
    table, groups, fit = mixed
    for group in (0, 1):
        data = fitted_responses(fit, table, groups)
        slopes = _slopes(data, _items(data, moments), group)
        for column in range(fit.n_parameters):
            ends = []
            for step in (1e-5, -1e-5):
                other = moved(fit, column, step)
                items = _items(fitted_responses(other, table, groups), moments)
                ends.append(items.given @ other.weights[group])
            wanted = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(
                slopes[:, column], wanted, atol=1e-8, err_msg=str(fit.parameters[column])
            )


# Simulated papers


@pytest.mark.parametrize("moments", Moments)
def test_mixed_paper_in_two_groups(
    mixed: tuple[np.ndarray, np.ndarray, IrtFit], moments: Moments
) -> None:
    table, groups, fit = mixed
    found = moment_fit(fit, table, groups=groups, moments=moments)
    n_moments = 2 * (10 + (5 if moments is Moments.M2 else 8))
    assert found.df == n_moments - fit.n_parameters
    assert found.p > 0.001
    assert found.srmsr < 0.05


def test_it_is_chi_squared_where_the_model_holds() -> None:
    rng = np.random.default_rng(3)
    p = []
    for _ in range(40):
        table = binary(rng, n=400, m=8)
        p.append(moment_fit(fit_2pl(table), table).p)
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_two_abilities_in_one_paper_are_found() -> None:
    rng = np.random.default_rng(4)
    theta = rng.normal(size=(800, 2))
    table = drawn(rng, 1.3 * np.repeat(theta, 5, axis=1))
    found = moment_fit(fit_2pl(table), table)
    assert found.p < 1e-10
    assert found.rmsea_low > 0.05
    assert found.srmsr > 0.08


def test_slopes_of_their_own_are_missed_by_a_common_one() -> None:
    rng = np.random.default_rng(5)
    table = drawn(rng, np.linspace(0.3, 2.5, 10) * rng.normal(size=(1000, 1)))
    one, own = moment_fit(fit_rasch(table), table), moment_fit(fit_2pl(table), table)
    assert one.df == 55 - 11
    assert one.p < 1e-6 < own.p


# Where it cannot be computed


def test_gaps_leave_the_complete_candidates() -> None:
    table = binary(np.random.default_rng(6))
    fit = fit_2pl(table)
    gaps = table.copy()
    gaps[::3, 4] = math.nan
    found, without = moment_fit(fit, gaps), moment_fit(fit, table[np.arange(600) % 3 > 0])
    assert found.n_complete == 400
    assert found.statistic == pytest.approx(without.statistic)
    assert found.srmsr == pytest.approx(without.srmsr)
    gaps[::3, 4] = table[::3, 4]
    gaps[5:, 0] = math.nan
    few = moment_fit(fit, gaps)
    assert (few.n_complete, few.df) == (5, 0)
    assert [warning.code for warning in few.warnings] == ["no-m2"]
    figures = (few.statistic, few.p, few.rmsea, few.rmsea_low, few.rmsea_high, few.srmsr)
    assert np.isnan(figures).all()


def test_more_parameters_than_moments(data_dir: Path) -> None:
    table = read(data_dir, "science_grm")
    fit = fit_irt(table, ItemModel.GRM)
    found = moment_fit(fit, table)
    assert math.isnan(found.statistic)
    assert "16 parameters, and there are 10 moments. Take C2" in found.warnings[0].message
    assert found.srmsr > 0
    other = moment_fit(fit, table, moments=Moments.C2)
    assert other.df == 2
    assert other.warnings == ()


def test_items_left_out_are_named() -> None:
    table = binary(np.random.default_rng(7))
    rest = moment_fit(fit_2pl(np.delete(table, 3, axis=1)), np.delete(table, 3, axis=1))
    table[:, 3] = 0
    found = moment_fit(fit_2pl(table), table)
    assert [(w.code, w.subject) for w in found.warnings] == [("item-not-fitted", "4")]
    assert found.statistic == pytest.approx(rest.statistic, rel=1e-4)
    assert found.df == rest.df


def test_moments_that_do_not_vary() -> None:
    table = binary(np.random.default_rng(8))
    fit = fit_2pl(table)
    sure = dataclasses.replace(fit.items, d=fit.items.d + 900 * np.eye(10)[:, 2:3])
    found = moment_fit(dataclasses.replace(fit, items=sure), table)
    assert math.isnan(found.statistic)
    assert "follow from others" in found.warnings[0].message


def test_long_papers_are_too_much() -> None:
    table = binary(np.random.default_rng(9), n=50, m=101)
    found = moment_fit(fit_rasch(table), table)
    assert math.isnan(found.statistic)
    assert "5151 moments" in found.warnings[0].message
    assert math.isfinite(found.srmsr)


def test_anchored_items_have_no_parameters_left() -> None:
    table = binary(np.random.default_rng(10), n=800)
    known = fit_2pl(table)
    found = moment_fit(fit_2pl(table, anchors=known.items), table)
    assert found.df == 55 - 2
