"""Abilities against converged references, and what must hold for them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from inkmark.analytics.irt import (
    ItemModel,
    ItemParameters,
    ScoreMethod,
    fit_irt,
    score_candidates,
)
from inkmark.errors import AnalysisError


@pytest.fixture(scope="module")
def sets(data_dir: Path) -> Path:
    return data_dir / "psychometrics"


@pytest.mark.parametrize(
    ("name", "model", "output"),
    [
        ("lsat6", ItemModel.RASCH, "LSAT6_Rasch"),
        ("lsat6", ItemModel.PL2, "LSAT6_2PL"),
        ("sat12", ItemModel.RASCH, "SAT12_Rasch"),
        ("sat12", ItemModel.PL2, "SAT12_2PL"),
        ("math_exam_14w", ItemModel.RASCH, "MathExam14W_Rasch"),
        ("math_exam_14w", ItemModel.PL2, "MathExam14W_2PL"),
        ("science_grm", ItemModel.GRM, "Science_graded"),
        ("science_grm", ItemModel.GPCM, "Science_gpcm"),
        ("science_grm", ItemModel.PCM, "Science_Rasch"),
    ],
)
def test_parity(sets: Path, name: str, model: ItemModel, output: str) -> None:
    table = np.genfromtxt(sets / name / "responses.csv", delimiter=",", skip_header=1)
    fit = fit_irt(table, model)
    expected = np.genfromtxt(
        sets / "reference_outputs" / f"{output}.scores.csv", delimiter=",", names=True
    )
    for method in ScoreMethod:
        scores = score_candidates(
            table, fit.items, method, mean=fit.mean[0], variance=fit.variance[0]
        )
        theta, error = expected[method.upper()], expected[f"{method.upper()}se"]
        infinite = np.isinf(theta)
        np.testing.assert_array_equal(scores.theta[infinite], theta[infinite])
        np.testing.assert_allclose(scores.theta[~infinite], theta[~infinite], atol=1e-4)
        # The reference has its curvatures from differences: at 6, three digits are right.
        np.testing.assert_allclose(scores.error[~infinite], error[~infinite], rtol=4e-4, atol=2e-4)
        assert np.all(np.isnan(scores.error[infinite]))


@pytest.fixture
def items() -> ItemParameters:
    """A 2PL item, a 3PL item, and a partial credit item with the points 0, 1 and 3."""
    return ItemParameters(
        names=("q1", "q2", "q3"),
        models=(ItemModel.PL2, ItemModel.PL3, ItemModel.GPCM),
        categories=((0, 1), (0, 1), (0, 1, 3)),
        a=np.array([1.2, 0.9, 0.7]),
        d=np.array([[0.3, math.nan], [-0.5, math.nan], [0.4, -0.2]]),
        g=np.array([0.0, 0.2, 0.0]),
        s=np.full((3, 2), math.nan),
    )


def test_one_new_candidate(items: ItemParameters) -> None:
    scores = score_candidates([[1, 0, 3]], items)
    nodes = np.linspace(-6, 6, 2001)
    right = 1 / (1 + np.exp(-(1.2 * nodes + 0.3)))
    wrong = 0.8 / (1 + np.exp(0.9 * nodes - 0.5))
    z = np.array([0 * nodes, 0.7 * nodes + 0.4, 1.4 * nodes - 0.2])
    weights = right * wrong * np.exp(z[2]) / np.exp(z).sum(axis=0)
    weights *= np.exp(-(nodes**2) / 2)
    mean = (weights @ nodes) / weights.sum()
    assert scores.theta[0] == pytest.approx(mean, abs=1e-6)
    spread = math.sqrt((weights @ (nodes - mean) ** 2) / weights.sum())
    assert scores.error[0] == pytest.approx(spread, abs=1e-6)
    assert scores.n_items.tolist() == [3]


@pytest.mark.parametrize("method", list(ScoreMethod))
def test_candidates_without_responses_are_kept(items: ItemParameters, method: ScoreMethod) -> None:
    table = np.array([[1, 0, 3], [math.nan] * 3, [0, 1, 1]])
    scores = score_candidates(table, items, method, mean=[0, 0.5, 0], variance=2.0)
    assert scores.n_items.tolist() == [3, 0, 3]
    if method in (ScoreMethod.EAP, ScoreMethod.MAP):
        assert scores.theta[1] == pytest.approx(0.5, abs=1e-3)
        assert scores.error[1] == pytest.approx(math.sqrt(2), abs=2e-3)
    else:
        assert math.isnan(scores.theta[1])
        assert math.isnan(scores.error[1])
    alone = score_candidates(table[2:], items, method, variance=2.0)
    assert scores.theta[2] == pytest.approx(alone.theta[0], abs=1e-9)


@pytest.mark.parametrize("method", list(ScoreMethod))
def test_columns_are_found_by_name(items: ItemParameters, method: ScoreMethod) -> None:
    table = np.array([[1, 0, 3], [0, 1, 1]])
    full = score_candidates(table, items, method)
    turned = score_candidates(table[:, [2, 0, 1]], items, method, names=["q3", "q1", "q2"])
    np.testing.assert_allclose(turned.theta, full.theta, atol=1e-9)
    part = score_candidates(table[:, [2, 0]], items, method, names=["q3", "q1"])
    gap = table.astype(float)
    gap[:, 1] = math.nan
    np.testing.assert_allclose(part.theta, score_candidates(gap, items, method).theta, atol=1e-9)


@pytest.mark.parametrize("method", list(ScoreMethod))
def test_the_scale_may_have_any_origin_and_unit(items: ItemParameters, method: ScoreMethod) -> None:
    """theta = (theta' - 50) / 10 changes a to a / 10 and d to d - 5 a (2 steps: twice)."""
    table = [[1, 0, 3], [0, 1, 1], [1, 1, 1]]
    moved = dataclasses.replace(
        items, a=items.a / 10, d=items.d - 5 * items.a[:, None] * np.array([1, 2])
    )
    before = score_candidates(table, items, method, mean=0.2, variance=1.3)
    after = score_candidates(table, moved, method, mean=52.0, variance=130.0)
    np.testing.assert_allclose(after.theta, 50 + 10 * before.theta, rtol=1e-7)
    np.testing.assert_allclose(after.error, 10 * before.error, rtol=1e-5)


def test_unfitted_items_are_passed_over(items: ItemParameters) -> None:
    broken = dataclasses.replace(items, categories=((0, 1), (), (0, 1, 3)))
    scores = score_candidates([[1, 7, 3]], broken)
    assert scores.n_items.tolist() == [2]
    assert scores.theta[0] == score_candidates([[1, math.nan, 3]], items).theta[0]
    with pytest.raises(AnalysisError, match="No item has known parameters"):
        score_candidates([[1, 7, 3]], dataclasses.replace(items, categories=((), (), ())))


def test_more_points_never_lower_an_ability(items: ItemParameters) -> None:
    rasch = dataclasses.replace(
        items, models=(ItemModel.PL2,) * 2 + (ItemModel.PCM,), g=items.g * 0
    )
    table = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 3]]
    for method in ScoreMethod:
        theta = score_candidates(table, rasch, method).theta
        assert np.all(np.diff(theta[1:-1]) > 0)
        assert theta[0] < theta[1]
        assert theta[-2] < theta[-1]


def test_bad_input(items: ItemParameters) -> None:
    with pytest.raises(AnalysisError, match="2 columns of responses, and 3 items"):
        score_candidates([[1, 0]], items)
    with pytest.raises(AnalysisError, match="Item q9 is not among"):
        score_candidates([[1]], items, names=["q9"])
    with pytest.raises(AnalysisError, match="Item q3: 2 occurs"):
        score_candidates([[1, 0, 2]], items)
    with pytest.raises(AnalysisError, match="variance"):
        score_candidates([[1, 0, 1]], items, variance=0.0)
    with pytest.raises(AnalysisError, match="variance"):
        score_candidates([[1, 0, 1]], items, mean=math.nan)
