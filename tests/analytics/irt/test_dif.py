"""Items that favour a group: published figures, definitions, simulated items, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from inkmark.analytics.irt import DifClass, logistic_dif, mantel_haenszel_dif
from inkmark.analytics.irt._ordinal import fit_ordinal
from inkmark.analytics.irt.dif import _Logistic, _Mantel
from inkmark.errors import AnalysisError

A, B, C = DifClass.NEGLIGIBLE, DifClass.MODERATE, DifClass.LARGE


def paper(
    rng: np.random.Generator, n: int = 1000, m: int = 12, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits and abilities of two groups of n candidates in all, the focal one less able."""
    groups = np.repeat(["ref", "focal"], n // 2)
    theta = rng.normal(size=n) - shift * (groups == "focal")
    return theta[:, None] - np.linspace(-1.5, 1.5, m), groups, theta


def drawn(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    """Right or wrong."""
    return np.asarray(rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)


def graded(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    """Scores 0 to 3 with proportional odds."""
    edges = np.array([-1.0, 0.0, 1.0])
    shares = 1 / (1 + np.exp(-(logit[..., None] - edges)))
    return np.asarray((rng.random((*logit.shape, 1)) < shares).sum(axis=-1), dtype=float)


# Mantel-Haenszel


def test_admissions_to_berkeley() -> None:
    """As R's mantelhaen.test(UCBAdmissions) prints: X2 1.4269, odds ratio .9046968, its
    interval .7719074 to 1.0603298."""
    counts = {
        "A": (512, 313, 89, 19),
        "B": (353, 207, 17, 8),
        "C": (120, 205, 202, 391),
        "D": (138, 279, 131, 244),
        "E": (53, 138, 94, 299),
        "F": (22, 351, 24, 317),
    }
    cells = [
        (place, group, value, n)
        for place, row in enumerate(counts.values())
        for (group, value), n in zip(
            [("men", 1), ("men", 0), ("women", 1), ("women", 0)], row, strict=True
        )
    ]
    rows = [cell[:3] for cell in cells for _ in range(cell[3])]
    department, sex, admitted = zip(*rows, strict=True)
    found = mantel_haenszel_dif(np.array([admitted]).T, sex, "men", matching=department)
    assert found.chi2[0] == pytest.approx(1.4269, abs=5e-5)
    assert found.p[0] == pytest.approx(0.2323, abs=5e-5)
    assert found.odds_ratio[0] == pytest.approx(0.9046968, abs=5e-8)
    error = (math.log(1.0603298) - math.log(0.7719074)) / (2 * stats.norm.ppf(0.975))
    assert found.delta_error[0] == pytest.approx(2.35 * error, abs=1e-6)
    assert found.delta[0] == pytest.approx(-2.35 * math.log(0.9046968))
    assert (found.n_reference[0], found.n_focal[0]) == (2691, 1835)
    assert found.classes == (A,)
    assert found.matched_on == ()
    assert found.warnings == ()


def test_scores_of_several_points_by_definition() -> None:
    rng = np.random.default_rng(1)
    logit, groups, _ = paper(rng, n=300, m=6)
    scores = graded(rng, logit) / 2
    found = mantel_haenszel_dif(scores, groups, "ref", purify=False)
    total, focal = scores.sum(axis=1), groups == "focal"
    for item in range(6):
        gap = variance = weighted = weight = 0.0
        for level in np.unique(total):
            own = scores[(total == level) & focal, item]
            other = scores[(total == level) & ~focal, item]
            both = np.concatenate([own, other])
            if not (len(own) and len(other)):
                continue
            n = len(both)
            gap += own.sum() - len(own) * both.mean()
            squares = n * (both**2).sum() - both.sum() ** 2
            variance += len(own) * len(other) / (n**2 * (n - 1)) * squares
            weighted += len(own) * (own.mean() - other.mean())
            weight += len(own)
        assert found.chi2[item] == pytest.approx(gap**2 / variance)
        assert found.p[item] == pytest.approx(stats.chi2.sf(gap**2 / variance, 1))
        assert found.difference[item] == pytest.approx(weighted / weight)
        assert found.effect[item] == pytest.approx(weighted / weight / scores[:, item].std())
    assert np.isnan(found.odds_ratio).all()
    assert np.isnan(found.delta).all()


def test_points_of_a_right_or_wrong_item_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    logit, groups, _ = paper(rng)
    scores = drawn(rng, logit)
    matching = scores.sum(axis=1)
    plain, scaled = (
        mantel_haenszel_dif(x, groups, "ref", matching=matching) for x in (scores, 2 + 5 * scores)
    )
    np.testing.assert_allclose(scaled.chi2, plain.chi2)
    np.testing.assert_allclose(scaled.delta, plain.delta)
    np.testing.assert_allclose(scaled.difference, 5 * plain.difference)
    assert scaled.classes == plain.classes


def test_groups_exchanged_change_the_sign() -> None:
    rng = np.random.default_rng(3)
    logit, groups, _ = paper(rng)
    logit[groups == "focal", 4] -= 1
    scores = drawn(rng, logit)
    one, two = (mantel_haenszel_dif(scores, groups, name) for name in ("ref", "focal"))
    np.testing.assert_allclose(one.chi2, two.chi2)
    np.testing.assert_allclose(one.delta, -two.delta)
    assert one.delta[4] < -1
    assert one.difference[4] < 0 < two.difference[4]


def test_items_that_favour_a_group_are_found_and_left_out_of_the_matching_score() -> None:
    """The focal group is less able, which is no reason to flag an item."""
    rng = np.random.default_rng(4)
    logit, groups, _ = paper(rng, n=3000, m=20, shift=0.6)
    focal = groups == "focal"
    logit[focal, 3] -= 1.2
    logit[focal, 9] -= 1.0
    logit[focal, 15] -= 0.6
    scores = drawn(rng, logit)
    found = mantel_haenszel_dif(scores, groups, "ref")
    assert found.classes[3] is found.classes[9] is C
    assert found.classes[15] in (B, C)
    assert found.classes.count(A) == 17
    assert set(np.flatnonzero(found.adjusted_p < 0.01)) == {3, 9, 15}
    assert found.matched_on == tuple(str(item + 1) for item in range(20) if item not in (3, 9, 15))
    # The logit of a right answer is what the odds ratio estimates, in matched candidates.
    assert found.delta[3] == pytest.approx(-2.35 * 1.2, abs=3 * found.delta_error[3])
    spoilt = mantel_haenszel_dif(scores, groups, "ref", purify=False)
    assert len(spoilt.matched_on) == 20
    others = [item for item in range(20) if item not in (3, 9, 15)]
    assert spoilt.delta[others].mean() > found.delta[others].mean() + 0.1
    assert abs(found.delta[others].mean()) < 0.15


def test_classes_of_items_of_several_points() -> None:
    rng = np.random.default_rng(5)
    logit, groups, _ = paper(rng, n=3000, m=10)
    logit[groups == "focal", 2] -= 1.0
    found = mantel_haenszel_dif(graded(rng, logit), groups, "ref")
    assert found.classes[2] is C
    assert found.effect[2] < -0.25
    assert found.classes[:2] + found.classes[3:] == (A,) * 9


@pytest.mark.parametrize("method", [mantel_haenszel_dif, logistic_dif])
def test_few_are_flagged_where_nothing_is_wrong(method: object) -> None:
    assert callable(method)
    rng = np.random.default_rng(6)
    p = []
    for _ in range(15):
        logit, groups, _ = paper(rng, n=800, shift=0.3)
        found = method(drawn(rng, logit), groups, "ref", purify=False)
        assert np.all(found.adjusted_p >= found.p - 1e-12)
        p.append(found.p)
    # 180 tests: outside of these with a chance of about 1 in 1,000.
    assert 1 <= np.sum(np.concatenate(p) < 0.05) <= 20


@pytest.mark.parametrize(
    ("log_odds", "error", "p", "expected"),
    [
        (0.42, 0.01, 1e-9, A),  # delta .99
        (0.7, 0.3, 0.06, A),  # not significant
        (0.5, 0.1, 0.001, B),  # delta 1.18
        (-0.66, 0.2, 0.001, B),  # delta 1.55, perhaps not above 1
        (-0.66, 0.1, 0.001, C),
        (0.8, 0.1, 1e-9, C),
    ],
)
def test_classes_of_ets(log_odds: float, error: float, p: float, expected: DifClass) -> None:
    item = _Mantel(100, 100, 9.0, p, log_odds, error, 0.3, 0.5)
    assert item.verdict(0.05) is expected


@pytest.mark.parametrize(
    ("difference", "p", "expected"),
    [(0.16, 0.001, A), (-0.3, 0.06, A), (0.2, 0.001, B), (-0.26, 0.001, C)],
)
def test_classes_of_naep(difference: float, p: float, expected: DifClass) -> None:
    assert _Mantel(100, 100, 9.0, p, difference=difference, spread=1.0).verdict(0.05) is expected


@pytest.mark.parametrize(
    ("uniform", "crossing", "share", "expected"),
    [(30, 0, 0.034, A), (3, 2, 0.08, A), (5, 2, 0.04, B), (0, 30, 0.071, C)],
)
def test_classes_of_jodoin_and_gierl(
    uniform: float, crossing: float, share: float, expected: DifClass
) -> None:
    item = _Logistic(100, 100, uniform, crossing, 0.3, share / 2, share / 2)
    assert item.verdict(0.05) is expected


# Logistic regression


def test_ordinal_regression_is_at_its_maximum() -> None:
    rng = np.random.default_rng(7)
    counts = rng.integers(1, 30, (8, 4)).astype(float)
    design = rng.normal(size=(8, 2))

    def height(value: np.ndarray) -> float:
        edges = np.concatenate([value[:1], np.exp(value[1:3])])
        logit = value[0] - np.concatenate([[0], np.cumsum(edges[1:])])
        reached = 1 / (1 + np.exp(-(logit + (design @ value[3:])[:, None])))
        full = np.concatenate([np.ones((8, 1)), reached, np.zeros((8, 1))], axis=1)
        return -float((counts * np.log(-np.diff(full, axis=1))).sum())

    best = optimize.minimize(height, np.zeros(5), method="BFGS", tol=1e-8)
    slopes, found = fit_ordinal(counts, design)
    assert found == pytest.approx(-best.fun, abs=1e-6)
    np.testing.assert_allclose(slopes, best.x[3:], atol=1e-4)
    empty = counts.sum(axis=0)
    none, base = fit_ordinal(counts, design[:, :0])
    assert none.shape == (0,)
    assert base == pytest.approx((empty * np.log(empty / empty.sum())).sum())


def test_regression_ends_where_groups_are_told_apart_perfectly() -> None:
    counts = np.array([[10.0, 0.0], [0.0, 12.0]])
    _, height = fit_ordinal(counts, np.array([[0.0], [1.0]]))
    assert height == pytest.approx(0, abs=1e-6)


def test_a_regression_that_does_not_arrive_is_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(13)
    logit, groups, _ = paper(rng, n=300, m=4)
    monkeypatch.setattr("inkmark.analytics.irt._ordinal._MOST_STEPS", 1)
    found = logistic_dif(drawn(rng, logit), groups, "ref")
    assert np.isnan(found.p).all()
    assert np.isnan(found.uniform_r2).all()
    assert found.classes == (None,) * 4
    assert [warning.code for warning in found.warnings] == ["not-compared"] * 4


def test_logistic_regression_by_definition() -> None:
    """Against a maximiser that knows no grouping, on responses with gaps."""
    rng = np.random.default_rng(8)
    logit, groups, theta = paper(rng, n=400, m=3)
    logit[groups == "focal", 1] -= 0.8
    scores = drawn(rng, logit)
    scores[rng.random(scores.shape) < 0.1] = math.nan
    found = logistic_dif(scores, groups, "ref", matching=theta)
    for item in range(3):
        seen = ~np.isnan(scores[:, item])
        y, x = scores[seen, item], theta[seen]
        g = (groups[seen] == "focal").astype(float)
        heights, last = [], np.zeros(0)
        for columns in ([], [x], [x, g], [x, g, x * g]):
            design = np.stack([np.ones_like(y), *columns], axis=1)

            def height(b: np.ndarray, design: np.ndarray = design, y: np.ndarray = y) -> float:
                return float(np.logaddexp(0, design @ b).sum() - y @ design @ b)

            best = optimize.minimize(height, np.zeros(design.shape[1]), method="BFGS", tol=1e-8)
            heights.append(-best.fun)
            if len(columns) == 2:
                last = best.x
        n = len(y)
        assert found.n_reference[item] + found.n_focal[item] == n
        assert found.uniform_chi2[item] == pytest.approx(2 * (heights[2] - heights[1]), abs=1e-5)
        assert found.crossing_chi2[item] == pytest.approx(2 * (heights[3] - heights[2]), abs=1e-5)
        assert found.p[item] == pytest.approx(
            stats.chi2.sf(2 * (heights[3] - heights[1]), 2), abs=1e-6
        )
        assert found.log_odds[item] == pytest.approx(last[2], abs=1e-4)
        most = 1 - math.exp(2 * heights[0] / n)
        shares = [(1 - math.exp(2 * (heights[0] - h) / n)) / most for h in heights]
        assert found.uniform_r2[item] == pytest.approx(shares[2] - shares[1], abs=1e-6)
        assert found.crossing_r2[item] == pytest.approx(shares[3] - shares[2], abs=1e-6)


def test_uniform_and_crossing_differences_are_told_apart() -> None:
    rng = np.random.default_rng(9)
    logit, groups, theta = paper(rng, n=3000, m=20, shift=0.3)
    focal = groups == "focal"
    logit[focal, 4] -= 1.0
    logit[focal, 11] = 3.0 * theta[focal]
    logit[~focal, 11] = 0.4 * theta[~focal]
    found = logistic_dif(drawn(rng, logit), groups, "ref")
    assert found.uniform_p[4] < 1e-6
    assert found.crossing_p[4] > 0.01
    assert found.log_odds[4] == pytest.approx(-1, abs=0.3)
    assert found.crossing_p[11] < 1e-6
    assert found.crossing_r2[11] > 0.07
    assert found.classes[11] is C
    assert found.classes[4] in (B, C)
    clean = [item for item in range(20) if item not in (4, 11)]
    assert {found.classes[item] for item in clean} == {A}
    assert set(map(str, np.array(clean) + 1)) == set(found.matched_on)


def test_ordinal_items_that_favour_a_group() -> None:
    rng = np.random.default_rng(10)
    logit, groups, _ = paper(rng, n=1500, m=10)
    logit[groups == "focal", 6] += 1.0
    found = logistic_dif(graded(rng, logit), groups, "ref")
    assert set(np.flatnonzero(found.adjusted_p < 0.001)) == {6}
    assert found.log_odds[6] > 0.5


# Whatever the scores


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.booleans())
def test_neither_order_nor_names_matter(seed: int, k: int, purify: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, k, (60, 4)).astype(float)
    groups = rng.permutation(np.repeat(["x", "y"], 30))
    people, items = rng.permutation(60), rng.permutation(4)
    for method in (mantel_haenszel_dif, logistic_dif):
        one = method(scores, groups, "x", purify=purify)
        two = method(scores[np.ix_(people, items)], groups[people], "x", purify=purify)
        np.testing.assert_allclose(one.chi2[items], two.chi2, rtol=1e-6, atol=1e-6)
        assert tuple(one.classes[item] for item in items) == two.classes
        known = ~np.isnan(one.p)
        assert np.all((one.p[known] >= 0) & (one.p[known] <= 1))
        assert np.all(one.chi2[known] >= 0)


# Missing responses and bad input


@pytest.mark.parametrize("method", [mantel_haenszel_dif, logistic_dif])
def test_missing_responses(method: object) -> None:
    """A total score needs all its items; what is given needs the item alone."""
    assert callable(method)
    rng = np.random.default_rng(11)
    logit, groups, _ = paper(rng, n=600, m=8)
    scores = drawn(rng, logit)
    gaps = scores.copy()
    gaps[::3, 2] = math.nan
    found = method(gaps, groups, "ref", purify=False)
    rest = method(
        np.delete(scores, slice(None, None, 3), axis=0),
        np.delete(groups, slice(None, None, 3)),
        "ref",
        purify=False,
    )
    np.testing.assert_allclose(found.p, rest.p)
    assert found.n_reference.tolist() == [200] * 8
    by_given = method(gaps, groups, "ref", matching=scores.sum(axis=1))
    assert by_given.n_focal.tolist() == [300, 300, 200] + [300] * 5


@pytest.mark.parametrize("method", [mantel_haenszel_dif, logistic_dif])
def test_items_that_cannot_be_compared_are_named(method: object) -> None:
    assert callable(method)
    rng = np.random.default_rng(12)
    logit, groups, _ = paper(rng, n=600, m=8)
    scores = drawn(rng, logit)
    matching = scores.sum(axis=1)
    scores[:, 1] = 1
    scores[groups == "focal", 5] = math.nan
    found = method(scores, groups, "ref", names=list("ABCDEFGH"), matching=matching)
    assert [(w.code, w.subject) for w in found.warnings] == [
        ("not-compared", "B"),
        ("not-compared", "F"),
    ]
    assert np.flatnonzero(np.isnan(found.p)).tolist() == [1, 5]
    assert np.flatnonzero(np.isnan(found.adjusted_p)).tolist() == [1, 5]
    assert [found.classes[1], found.classes[5]] == [None, None]
    # Nobody has a total score.
    found = method(scores, groups, "ref")
    assert len(found.warnings) == 8
    assert np.isnan(found.p).all()


def test_groups_without_a_common_total_score() -> None:
    scores = np.array([[1.0, 1, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0], [1, 0, 0, 0]])
    found = mantel_haenszel_dif(scores, ["x", "x", "y", "y"], "x")
    assert np.isnan(found.chi2).all()
    assert len(found.warnings) == 4


def test_an_endless_odds_ratio_is_judged_by_the_difference() -> None:
    """No focal candidate is right."""
    scores = np.zeros((200, 1))
    scores[:60] = 1
    found = mantel_haenszel_dif(
        scores, np.repeat(["x", "y"], 100), "x", matching=np.zeros(200), names=["Q1"]
    )
    assert math.isnan(found.odds_ratio[0])
    assert found.difference[0] == pytest.approx(-0.6)
    assert found.p[0] < 1e-10
    assert found.classes == (C,)


@pytest.mark.parametrize("method", [mantel_haenszel_dif, logistic_dif])
def test_bad_input(method: object) -> None:
    assert callable(method)
    scores = np.eye(4)
    two = ["x", "x", "y", "y"]
    with pytest.raises(AnalysisError, match="two different ones"):
        method(scores, ["x", "y", "z", "y"], "x")
    with pytest.raises(AnalysisError, match="two different ones"):
        method(scores, ["x"] * 4, "x")
    with pytest.raises(AnalysisError, match="one of them the reference"):
        method(scores, two, "z")
    with pytest.raises(AnalysisError, match="a label each"):
        method(scores, two[:3], "x")
    with pytest.raises(AnalysisError, match="cannot be compared"):
        method(scores[0], two, "x")
    with pytest.raises(AnalysisError, match="finite numbers"):
        method(np.full((4, 2), math.inf), two, "x")
    with pytest.raises(AnalysisError, match="as many finite matching scores"):
        method(scores, two, "x", matching=[1, 2])
    with pytest.raises(AnalysisError, match="as many finite matching scores"):
        method(scores, two, "x", matching=[1, 2, math.inf, 3])
    with pytest.raises(AnalysisError, match="different names"):
        method(scores, two, "x", names=["a", "a", "b", "c"])
