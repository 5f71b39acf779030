from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from inkmark.analytics.irt import (
    ItemModel,
    ItemParameters,
    LinkingMethod,
    chain_links,
    fit_2pl,
    fit_rasch,
    link_forms,
    on_base_scale,
    simulate_responses,
)
from inkmark.errors import AnalysisError

CURVES = (LinkingMethod.HAEBARA, LinkingMethod.STOCKING_LORD)
MOMENTS = (LinkingMethod.MEAN_MEAN, LinkingMethod.MEAN_SIGMA)


def right_or_wrong(a, b, names=None, model=ItemModel.PL2):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    m = len(a)
    return ItemParameters(
        tuple(names or (f"i{j}" for j in range(m))),
        (model,) * m,
        ((0, 1),) * m,
        a,
        (-a * b)[:, None],
        np.zeros(m),
        np.full((m, 1), np.nan),
    )


def mixed():
    nan = np.nan
    models = (ItemModel.PL3, ItemModel.GRM, ItemModel.GPCM, ItemModel.NOMINAL)
    return ItemParameters(
        ("a", "b", "c", "d"),
        models,
        ((0, 1), (0, 1, 2), (0, 1, 2), (0, 1, 2)),
        np.array([1.2, 0.8, 1.1, nan]),
        np.array([[0.3, nan], [1.0, -0.7], [0.4, -0.6], [0.2, -0.5]]),
        np.array([0.2, 0, 0, 0]),
        np.array([[nan, nan], [nan, nan], [nan, nan], [0.7, 1.5]]),
    )


def published(data_dir, form):
    path = data_dir / "psychometrics" / "equating_est2pl" / f"form{form}_coef.csv"
    with path.open() as file:
        rows = list(csv.reader(file))[1:]
    d, a = (np.array([float(row[k]) for row in rows]) for k in (1, 2))
    return right_or_wrong(a, -d / a, [row[0] for row in rows])


class Moved:
    """Stands in for a link of known constants."""

    slope, intercept = 1.3, -0.4


@pytest.mark.parametrize("method", CURVES)
def test_a_form_moved_along_the_scale_is_moved_back(method):
    items = mixed()
    found = link_forms(items, on_base_scale(items, Moved()), method)
    assert found.slope == pytest.approx(1.3, abs=1e-8)
    assert found.intercept == pytest.approx(-0.4, abs=1e-8)
    assert found.items == ("a", "b", "c", "d")
    assert np.isnan(found.slope_error)


@pytest.mark.parametrize("method", MOMENTS)
def test_items_without_difficulty_are_named(method):
    items = mixed()
    found = link_forms(items, on_base_scale(items, Moved()), method)
    assert found.slope == pytest.approx(1.3)
    assert found.intercept == pytest.approx(-0.4)
    assert [warning.subject for warning in found.warnings] == ["d"]


def test_published_forms_by_moments(data_dir):
    new, base = published(data_dir, 1), published(data_dir, 2)
    shared = [name for name in new.names if name in base.names]
    rows = [[form.names.index(name) for name in shared] for form in (new, base)]
    a, a_base = new.a[rows[0]], base.a[rows[1]]
    b, b_base = new.b[rows[0], 0], base.b[rows[1], 0]
    mean = link_forms(new, base, LinkingMethod.MEAN_MEAN)
    assert mean.items == tuple(shared)
    assert mean.slope == pytest.approx(a.mean() / a_base.mean(), abs=1e-12)
    assert mean.intercept == pytest.approx(b_base.mean() - mean.slope * b.mean(), abs=1e-12)
    sigma = link_forms(new, base, LinkingMethod.MEAN_SIGMA)
    assert sigma.slope == pytest.approx(b_base.std() / b.std(), abs=1e-12)


@pytest.mark.parametrize("method", CURVES)
def test_published_forms_by_curves(data_dir, method):
    new, base = published(data_dir, 1), published(data_dir, 2)
    found = link_forms(new, base, method)
    rows = [[form.names.index(name) for name in found.items] for form in (new, base)]
    theta = np.linspace(-6, 6, 61)
    weight = np.exp(-(theta**2) / 2)
    weight /= weight.sum()

    def chance(a, b):
        return 1 / (1 + np.exp(-a[:, None] * (theta - b[:, None])))

    target = chance(base.a[rows[1]], base.b[rows[1], 0])

    def loss(x):
        apart = chance(new.a[rows[0]] / x[0], x[0] * new.b[rows[0], 0] + x[1]) - target
        if method is LinkingMethod.HAEBARA:
            return 2 * (apart**2 @ weight).sum()
        return apart.sum(axis=0) ** 2 @ weight

    best = minimize(loss, [1, 0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-16})
    assert (found.slope, found.intercept) == pytest.approx(tuple(best.x), abs=1e-6)


@pytest.mark.parametrize("method", LinkingMethod)
def test_a_chain_joins_its_links(data_dir, method):
    forms = [published(data_dir, form) for form in (1, 2, 3)]
    first, second = (link_forms(forms[k], forms[k + 1], method) for k in (0, 1))
    chain = chain_links(forms, method)
    assert chain.slope == pytest.approx(second.slope * first.slope)
    assert chain.intercept == pytest.approx(second.slope * first.intercept + second.intercept)


def test_rasch_forms_differ_by_a_shift_only():
    items = right_or_wrong(np.ones(4), [-1, 0, 0.5, 1], model=ItemModel.RASCH)
    for method in LinkingMethod:
        found = link_forms(items, replace(items, d=items.d - 0.7), method)
        assert found.slope == 1
        assert found.intercept == pytest.approx(0.7, abs=1e-9)


@pytest.fixture(scope="module")
def calibrations():
    """Pairs of calibrations by other people each time: 500 of ability 0 and 500 of 0.5."""
    rng = np.random.default_rng(7)
    items = right_or_wrong(rng.uniform(0.8, 1.6, 12), rng.normal(size=12))
    fits = []
    for _ in range(30):
        thetas = rng.normal(size=500), rng.normal(0.5, 1.2, size=500)
        fits.append([fit_2pl(simulate_responses(items, theta, rng)) for theta in thetas])
    return fits


@pytest.mark.parametrize("method", LinkingMethod)
def test_standard_errors_are_the_spread_of_repeated_calibrations(calibrations, method):
    found = [link_forms(new, base, method) for base, new in calibrations]
    slopes, intercepts = np.array([(link.slope, link.intercept) for link in found]).T
    assert slopes.mean() == pytest.approx(1.2, abs=0.08)
    assert intercepts.mean() == pytest.approx(0.5, abs=0.06)
    errors = np.mean([(link.slope_error, link.intercept_error) for link in found], axis=0)
    # 30 repetitions show a standard deviation to about 13 %; three times that.
    assert errors[0] == pytest.approx(slopes.std(ddof=1), rel=0.39)
    assert errors[1] == pytest.approx(intercepts.std(ddof=1), rel=0.39)


def test_a_form_between_is_part_of_two_links(calibrations):
    first, second = calibrations[0]
    there_and_back = chain_links([first, second, first], LinkingMethod.MEAN_MEAN)
    assert there_and_back.slope == pytest.approx(1)
    assert there_and_back.intercept == pytest.approx(0, abs=1e-12)
    third = calibrations[1][0]
    chain = chain_links([first, second, third], LinkingMethod.MEAN_MEAN)
    direct = link_forms(first, third, LinkingMethod.MEAN_MEAN)
    # By mean slopes and difficulties of the same items the form between drops out.
    assert chain.slope == pytest.approx(direct.slope)
    assert chain.slope_error == pytest.approx(direct.slope_error, rel=1e-4)
    assert chain.intercept_error == pytest.approx(direct.intercept_error, rel=1e-4)


def test_rasch_fits_have_errors_of_the_shift_alone():
    rng = np.random.default_rng(3)
    items = right_or_wrong(np.ones(6), np.linspace(-1, 1, 6), model=ItemModel.RASCH)
    fits = [
        fit_rasch(simulate_responses(items, rng.normal(mean, 1, 400), rng)) for mean in (0, 0.4)
    ]
    found = link_forms(fits[1], fits[0])
    assert found.slope_error == 0
    assert 0.02 < found.intercept_error < 0.3


@pytest.mark.parametrize(
    "call",
    [
        lambda one, other: link_forms(one, replace(other, names=tuple("wxyz"))),
        lambda one, other: link_forms(one, other, common=["i0", "nowhere"]),
        lambda one, other: link_forms(one, replace(other, models=(ItemModel.PL3,) * 4)),
        lambda one, other: link_forms(one, replace(other, categories=((),) * 4)),
        lambda one, other: link_forms(one, other, LinkingMethod.MEAN_SIGMA, common=["i0"]),
        lambda one, _: chain_links([one]),
    ],
)
def test_what_cannot_be_linked_is_refused(call):
    items = right_or_wrong([1, 1.1, 0.9, 1], [-1, 0, 0.5, 1])
    with pytest.raises(AnalysisError):
        call(items, items)
