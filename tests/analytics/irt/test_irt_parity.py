"""Fits against converged outputs of other programs."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkmark.analytics.irt import (
    IrtOptions,
    ItemModel,
    ItemPriors,
    NormalPrior,
    fit_2pl,
    fit_3pl,
    fit_irt,
    fit_rasch,
    fitting,
    score_candidates,
)
from inkmark.analytics.irt._likelihood import Likelihood
from inkmark.analytics.irt._maximise import Maximum, Point, maximise


@pytest.fixture(scope="module")
def sets(data_dir: Path) -> Path:
    return data_dir / "psychometrics"


def responses(sets: Path, name: str) -> np.ndarray:
    return np.genfromtxt(sets / name / "responses.csv", delimiter=",", skip_header=1)


def reference(sets: Path, name: str) -> tuple[list[str], np.ndarray]:
    """Column names and numbers of a table of reference output."""
    with (sets / "reference_outputs" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return rows[0][1:], np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])


def reference_errors(sets: Path, name: str) -> list[dict[str, float]]:
    """Standard errors of each item, printed to three decimals."""
    text = (sets / "reference_outputs" / f"{name}.se.txt").read_text("utf-8")
    result = []
    for block in text.split("$")[1:]:
        lines = block.splitlines()
        cells = zip(lines[1].split(), lines[3].split()[1:], strict=True)
        result.append({key: float(cell) for key, cell in cells if cell != "NA"})
    return result


@pytest.mark.parametrize(
    ("name", "model", "output", "log_likelihood"),
    [
        ("lsat6", ItemModel.RASCH, "LSAT6_Rasch", -2466.937600),
        ("lsat6", ItemModel.PL2, "LSAT6_2PL", -2466.653378),
        ("sat12", ItemModel.RASCH, "SAT12_Rasch", -9643.469440),
        ("sat12", ItemModel.PL2, "SAT12_2PL", -9488.955013),
        ("math_exam_14w", ItemModel.RASCH, "MathExam14W_Rasch", -5456.286459),
        ("math_exam_14w", ItemModel.PL2, "MathExam14W_2PL", -5425.882946),
        ("science_grm", ItemModel.GRM, "Science_graded", -1608.869413),
        ("science_grm", ItemModel.GPCM, "Science_gpcm", -1612.681600),
        ("science_grm", ItemModel.NOMINAL, "Science_nominal", -1608.452002),
        ("science_grm", ItemModel.PCM, "Science_Rasch", -1619.274101),
    ],
)
def test_parity(
    sets: Path,
    name: str,
    model: ItemModel,
    output: str,
    log_likelihood: float,
) -> None:
    fit = fit_irt(responses(sets, name), model)
    assert fit.converged, fit.reason
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-5)
    header, values = reference(sets, f"{output}.slopeint")
    top = fit.items.d.shape[1]
    intercepts = [header.index("d" if model.is_binary else f"d{k}") for k in range(1, top + 1)]
    np.testing.assert_allclose(fit.items.d, values[:, intercepts], atol=2e-4)
    if model is ItemModel.NOMINAL:
        scoring = values[:, [header.index(f"ak{k}") for k in range(1, top + 1)]]
        np.testing.assert_allclose(fit.items.s, values[:, :1] * scoring, atol=1e-4)
    else:
        np.testing.assert_allclose(fit.items.a, values[:, 0], atol=1e-4)
        header, values = reference(sets, f"{output}.irt")
        difficulties = [
            header.index("b" if model.is_binary else f"b{k}") for k in range(1, top + 1)
        ]
        np.testing.assert_allclose(fit.items.b, values[:, difficulties], atol=2e-4)


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
        ("science_grm", ItemModel.NOMINAL, "Science_nominal"),
        ("science_grm", ItemModel.PCM, "Science_Rasch"),
    ],
)
def test_parity_of_standard_errors(sets: Path, name: str, model: ItemModel, output: str) -> None:
    fit = fit_irt(responses(sets, name), model)
    blocks = reference_errors(sets, output)
    for item in range(len(fit.items.names)):
        expected = blocks[item]
        if "a1" in expected and model is not ItemModel.NOMINAL:
            assert fit.errors.a[item] == pytest.approx(expected["a1"], abs=6e-4)
        for k in range(fit.items.d.shape[1]):
            name_of_d = "d" if model.is_binary else f"d{k + 1}"
            assert fit.errors.d[item, k] == pytest.approx(expected[name_of_d], abs=6e-4)
        if model is ItemModel.NOMINAL:
            top = fit.items.d.shape[1]
            assert fit.errors.s[item, -1] / top == pytest.approx(expected["a1"], abs=6e-4)
    if model.has_fixed_slope:
        expected_error = blocks[-1]["COV_11"]
        assert fit.variance_error[0] == pytest.approx(expected_error, abs=6e-4)


def test_parity_of_3pl_with_a_prior(sets: Path) -> None:
    priors = {ItemModel.PL3: ItemPriors(guessing=NormalPrior(-1.1, 0.5))}
    fit = fit_irt(responses(sets, "sat12"), ItemModel.PL3, options=IrtOptions(priors=priors))
    assert fit.converged, fit.reason
    assert fit.log_likelihood == pytest.approx(-9442.95636, abs=1e-4)
    _, values = reference(sets, "SAT12_3PLprior.slopeint")
    np.testing.assert_allclose(fit.items.a, values[:, 0], atol=1e-3)
    np.testing.assert_allclose(fit.items.d[:, 0], values[:, 1], atol=1e-3)
    np.testing.assert_allclose(fit.items.g, values[:, 2], atol=1e-5)


def test_parity_of_items_with_different_categories(sets: Path) -> None:
    fit = fit_irt(responses(sets, "timss_aus_twn_gpcm")[:, :11], ItemModel.GPCM)
    assert fit.converged, fit.reason
    assert fit.log_likelihood == pytest.approx(-10421.917357, abs=1e-5)


class FixedVariance:
    """A likelihood whose last parameter, the log sd of ability, stays as it is."""

    def __init__(self, likelihood: Likelihood, log_sd: float) -> None:
        self.likelihood, self.log_sd = likelihood, log_sd

    def at(self, x: np.ndarray) -> Point:
        point = self.likelihood.at(np.append(x, self.log_sd))
        return Point(point.value, point.gradient[:-1], point.step[:-1])

    def information(self, x: np.ndarray) -> np.ndarray:
        return self.likelihood.information(np.append(x, self.log_sd))[:-1, :-1]


def test_a_variance_too_large_for_the_nodes(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference sets the variance to the mean of theta² at each iteration.

    That is the maximum only where the nodes cover the distribution; here they end at 3.4
    standard deviations. Its log-likelihood is found where the variance is that mean.
    """
    table = responses(sets, "timss_aus_twn_gpcm")[:, :11]
    kept: list[Likelihood] = []

    def maximise_and_keep(likelihood: Likelihood, *arguments: Any) -> Maximum:
        kept.append(likelihood)
        return maximise(likelihood, *arguments)

    monkeypatch.setattr(fitting, "maximise", maximise_and_keep)
    fit = fit_irt(table, ItemModel.PCM)
    assert [warning.code for warning in fit.warnings] == ["narrow-nodes"]
    start = np.zeros(fit.n_parameters - 1)
    fixed = FixedVariance(kept[0], 0.5 * math.log(3.0680763))
    end = maximise(fixed, start, 1e-9, 100)
    assert end.value == pytest.approx(-10807.500999, abs=1e-4)
    paper = kept[0].paper
    intercepts = kept[0].state(np.append(end.x, fixed.log_sd)).curves.intercepts
    d = np.full_like(fit.items.d, math.nan)
    for item, column in enumerate(paper.order):
        own = intercepts[paper.first[item] + 1 : paper.first[item + 1]]
        d[column, : len(own)] = own
    items = dataclasses.replace(fit.items, d=d)
    reach = 6 / math.sqrt(3.0680763)
    scores = score_candidates(table, items, variance=3.0680763, reach=reach)
    assert np.mean(scores.theta**2 + scores.error**2) == pytest.approx(3.0680763, abs=1e-4)
    assert fit.log_likelihood > end.value
    wide = fit_irt(table, ItemModel.PCM, options=IrtOptions(n_nodes=121, reach=12.0))
    assert wide.warnings == ()
    wider = fit_irt(table, ItemModel.PCM, options=IrtOptions(n_nodes=161, reach=14.0))
    assert wide.log_likelihood == pytest.approx(wider.log_likelihood, abs=1e-4)


def test_parity_of_a_long_test(sets: Path) -> None:
    fit = fit_2pl(responses(sets, "credential_form1"))
    assert fit.converged, fit.reason
    assert fit.log_likelihood == pytest.approx(-140930.2, abs=0.1)
    _, values = reference(sets, "credential_form1_2PL")
    np.testing.assert_allclose(fit.items.a, values[:, 0], atol=1e-3)


def test_printed_values_of_lsat6(sets: Path) -> None:
    """What ltm prints, with 21 nodes: close, not the same."""
    fit = fit_2pl(responses(sets, "lsat6"))
    b = [-3.3597, -1.3696, -0.2799, -1.8659, -3.1236]
    errors_of_b = [0.8669, 0.3073, 0.0997, 0.4341, 0.8700]
    errors_of_a = [0.2581, 0.1867, 0.2326, 0.1852, 0.2100]
    np.testing.assert_allclose(fit.items.b[:, 0], b, atol=3e-3)
    np.testing.assert_allclose(fit.errors.b[:, 0], errors_of_b, atol=2e-3)
    np.testing.assert_allclose(fit.errors.a, errors_of_a, atol=5e-4)


def test_variance_of_rasch_is_the_square_of_a_common_slope(sets: Path) -> None:
    fit = fit_rasch(responses(sets, "lsat6"))
    _, common = reference(sets, "LSAT6_1PLcommon.slopeint")
    assert fit.variance[0] == pytest.approx(0.570237, abs=1e-4)
    assert math.sqrt(fit.variance[0]) == pytest.approx(common[0, 0], abs=1e-4)


def test_parameters_that_the_data_leave_open(sets: Path) -> None:
    """Five items say next to nothing about guessing; weak priors settle it."""
    table = responses(sets, "lsat6")
    options = IrtOptions(priors={}, max_iterations=200)
    fit = fit_3pl(table, options=options)
    assert not fit.converged
    assert {warning.code for warning in fit.warnings} >= {"not-converged", "no-errors"}
    assert np.all(np.isnan(fit.errors.a))
    settled = fit_3pl(table)
    assert settled.converged
    assert settled.warnings == ()
    assert np.all(settled.errors.a < 0.4)
