"""Parameters that differ between groups, found by fitting both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from inkmark.analytics.irt import (
    IrtOptions,
    ItemModel,
    fit_2pl,
    fit_irt,
    item_curves,
    likelihood_dif,
)
from inkmark.errors import AnalysisError

NAMES = [f"Q{k}" for k in range(1, 13)]


def paper(
    rng: np.random.Generator, n: int = 1000, m: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, groups (the focal one, of first name, half a point less able), abilities."""
    groups = np.repeat(["town", "country"], n // 2)
    theta = rng.normal(size=n) - 0.5 * (groups == "country")
    return theta[:, None] - np.linspace(-1.2, 1.2, m), groups, theta


def drawn(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    """Right or wrong."""
    return np.asarray(rng.random(logit.shape) < 1 / (1 + np.exp(-logit)), dtype=float)


@pytest.fixture(scope="module")
def unfair() -> tuple[np.ndarray, np.ndarray]:
    """Q3 is harder for the focal group, Q6 steeper."""
    rng = np.random.default_rng(1)
    logit, groups, theta = paper(rng, n=2000, m=12)
    focal = groups == "country"
    logit[focal, 2] -= 0.9
    logit[focal, 5] = 2.5 * (theta[focal] + 0.35)
    return drawn(rng, logit), groups


def test_it_is_the_likelihood_ratio_of_two_fits(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    found = likelihood_dif(table, groups, "town", ItemModel.PL2, names=NAMES)
    equal = fit_2pl(table, groups=groups)
    split = np.hstack([table, table[:, 2:3]])
    split[groups == "country", 2] = math.nan
    split[groups == "town", 12] = math.nan
    different = fit_2pl(split, groups=groups)
    statistic = 2 * (different.log_likelihood - equal.log_likelihood)
    assert found.items == tuple(NAMES)
    assert found.df.tolist() == [2] * 12
    assert found.chi2[2] == pytest.approx(statistic, abs=1e-6)
    assert found.p[2] == pytest.approx(stats.chi2.sf(statistic, 2), rel=1e-5)
    own, town = different.groups.index("country"), different.groups.index("town")
    expected = item_curves(different.items, different.nodes).expected
    gap = expected[12] - expected[2]
    assert found.signed[2] == pytest.approx(different.weights[own] @ gap, abs=1e-6)
    assert found.unsigned[2] == pytest.approx(different.weights[own] @ np.abs(gap), abs=1e-6)
    impact = (equal.mean[own] - equal.mean[town]) / math.sqrt(equal.variance[town])
    assert found.impact == pytest.approx(impact)
    assert found.impact == pytest.approx(-0.5, abs=0.2)
    assert found.warnings == ()


def test_unfair_items_are_found(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    first = likelihood_dif(table, groups, "town", ItemModel.PL2, names=NAMES)
    worst = np.argsort(first.p)[:2]
    assert set(worst) == {2, 5}
    assert first.signed[2] < -0.1
    assert first.unsigned[2] == pytest.approx(-first.signed[2], rel=0.05)
    assert abs(first.signed[5]) < 0.5 * first.unsigned[5]
    # The others, with the two unfair items out of the anchors.
    clean = [name for name in NAMES if name not in ("Q3", "Q6")]
    second = likelihood_dif(
        table, groups, "town", ItemModel.PL2, names=NAMES, anchors=clean, items=[*clean[1:], "Q3"]
    )
    assert second.items == (*clean[1:], "Q3")
    assert np.all(second.adjusted_p[:-1] > 0.05)
    assert second.adjusted_p[-1] < 1e-6


def test_anchors_leave_all_others_free(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    found = likelihood_dif(
        table,
        groups,
        "town",
        ItemModel.PL2,
        names=NAMES,
        anchors=[*NAMES[:2], *NAMES[3:5], *NAMES[8:]],
    )
    assert found.items == ("Q3", "Q6", "Q7", "Q8")
    assert np.all(found.adjusted_p[:2] < 1e-4)
    assert np.all(found.adjusted_p[2:] > 0.05)
    # Q3 has equal parameters, and Q6, Q7 and Q8 their own, in both fits or one.
    parted = [5, 6, 7]
    split = np.hstack([table, table[:, parted]])
    split[np.ix_(groups == "country", parted)] = math.nan
    split[groups == "town", 12:] = math.nan
    equal = fit_2pl(split, groups=groups)
    more = np.hstack([split, table[:, 2:3]])
    more[groups == "country", 2] = math.nan
    more[groups == "town", 15] = math.nan
    different = fit_2pl(more, groups=groups)
    statistic = 2 * (different.log_likelihood - equal.log_likelihood)
    assert found.chi2[0] == pytest.approx(statistic, abs=1e-6)


def test_few_are_flagged_where_nothing_is_wrong() -> None:
    rng = np.random.default_rng(2)
    p = []
    for _ in range(10):
        logit, groups, _ = paper(rng, n=500)
        p.append(likelihood_dif(drawn(rng, logit), groups, "town", ItemModel.RASCH).p)
    # 80 tests: outside of these with a chance of about 1 in 1,000.
    assert np.sum(np.concatenate(p) < 0.05) <= 12
    assert 0.35 < np.mean(np.concatenate(p)) < 0.65


def test_mixed_formats_with_gaps() -> None:
    rng = np.random.default_rng(3)
    logit, groups, _ = paper(rng, n=1200)
    logit[groups == "country", 6] += 1.2
    table = drawn(rng, logit)
    table[:, 5:] += drawn(rng, logit[:, 5:] - 0.5) + drawn(rng, logit[:, 5:] + 0.5)
    table[rng.random(table.shape) < 0.1] = math.nan
    models = [ItemModel.RASCH] * 5 + [ItemModel.GPCM] * 3
    found = likelihood_dif(table, groups, "town", models)
    assert found.df.tolist() == [1] * 5 + [4] * 3
    assert np.argmin(found.p) == 6
    assert found.adjusted_p[6] < 1e-4
    # In points of the item: three right-or-wrong ones of a higher logit each.
    assert 0.3 < found.signed[6] < 1.2


def test_items_that_cannot_be_compared_are_named(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    table = table.copy()
    table[:, 0] = 1
    table[groups == "country", 4] = 0
    found = likelihood_dif(table, groups, "town", ItemModel.PL2, names=NAMES)
    assert [(w.code, w.subject) for w in found.warnings] == [
        ("constant-item", "Q1"),
        ("constant-item", "Q1 (country)"),
        ("constant-item", "Q5 (country)"),
        ("not-compared", "Q1"),
        ("not-compared", "Q5"),
    ]
    assert np.flatnonzero(np.isnan(found.p)).tolist() == [0, 4]
    assert found.df[[0, 4]].tolist() == [0, 0]
    assert np.isfinite(np.delete(found.adjusted_p, [0, 4])).all()


def test_a_fit_that_does_not_converge_is_no_test(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    found = likelihood_dif(
        table, groups, "town", ItemModel.PL2, items=["3"], options=IrtOptions(max_iterations=2)
    )
    assert math.isnan(found.p[0])
    assert {warning.code for warning in found.warnings} == {"not-converged", "not-compared"}


def test_bad_input(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    with pytest.raises(AnalysisError, match="Item Q19 is not in the paper"):
        likelihood_dif(table, groups, "town", ItemModel.PL2, names=NAMES, items=["Q19"])
    with pytest.raises(AnalysisError, match="No item is named"):
        likelihood_dif(table, groups, "town", ItemModel.PL2, anchors=[])
    with pytest.raises(AnalysisError, match="No item is left"):
        likelihood_dif(table[:, :1], groups, "town", ItemModel.RASCH)
    with pytest.raises(AnalysisError, match="No item is left"):
        likelihood_dif(table, groups, "town", ItemModel.PL2, anchors=["1"], items=["1"])
    with pytest.raises(AnalysisError, match="12 items need 12 models"):
        likelihood_dif(table, groups, "town", [ItemModel.PL2] * 3)
    with pytest.raises(AnalysisError, match="two different ones"):
        likelihood_dif(table, np.full(2000, "town"), "town", ItemModel.PL2)
    with pytest.raises(AnalysisError, match="is not a category"):
        likelihood_dif(table / 2, groups, "town", ItemModel.PL2)


def test_either_group_may_be_the_reference(unfair: tuple[np.ndarray, np.ndarray]) -> None:
    table, groups = unfair
    one, two = (
        likelihood_dif(table, groups, name, ItemModel.PL2, items=["3"])
        for name in ("town", "country")
    )
    assert one.chi2[0] == pytest.approx(two.chi2[0], abs=1e-6)
    assert one.signed[0] < 0 < two.signed[0]
    assert one.impact < 0 < two.impact
    assert fit_irt(table, ItemModel.PL2, groups=groups).groups == ("country", "town")
