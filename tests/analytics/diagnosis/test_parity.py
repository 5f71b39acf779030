"""What other programs found on the same data, run to convergence.

The outputs named `gs`, `classprob`, `persons` and `delta` are those of CDM; those of frac20
named `gs` of GDINA, which keeps probabilities 1e-4 off 0 and 1 and prints four decimals.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkmark.analytics.diagnosis import (
    DiagnosisOptions,
    Information,
    Rule,
    fit_diagnosis,
    mastery_profiles,
)

ONE_START = DiagnosisOptions(starts=1)

LOG_LIKELIHOODS = [
    ("frac11", Rule.DINA, -2737.58734),
    ("frac11", Rule.DINO, -2730.92783),
    ("frac11", Rule.GDINA, -2631.66457),
    ("frac20", Rule.DINA, -4402.28767),
    ("cdm_sim_dina", Rule.DINA, -2042.28513),
]


@pytest.mark.parametrize(("name", "rule", "expected"), LOG_LIKELIHOODS)
def test_log_likelihood(reference, name, rule, expected) -> None:
    data = reference(name)
    fit = fit_diagnosis(data.responses, data.q, rule, ONE_START)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-4)
    # The Q-matrix of frac20 tells 58 kinds of its 256 classes apart.
    assert {warning.code for warning in fit.warnings} <= {"classes-alike"}


def test_dino_of_frac20_climbs_above_where_the_other_program_stopped(reference) -> None:
    data = reference("frac20")
    fit = fit_diagnosis(data.responses, data.q, Rule.DINO, ONE_START)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(-4698.92, abs=0.005)
    slips = data.column("frac20_DINO.gs", "slip")
    assert np.abs([item.slip for item in fit.items] - slips)[np.arange(20) != 8].max() < 1e-4


RUNS = [
    ("frac11", Rule.DINA, "frac11_DINA"),
    ("frac11", Rule.DINO, "frac11_DINO"),
    ("cdm_sim_dina", Rule.DINA, "simdina_DINA"),
]


@pytest.mark.parametrize(("name", "rule", "output"), RUNS)
def test_guesses_and_slips(reference, name, rule, output) -> None:
    data = reference(name)
    fit = fit_diagnosis(data.responses, data.q, rule, ONE_START)
    guess, slip = (data.column(f"{output}.gs", column) for column in ("guess", "slip"))
    assert np.abs([item.guess for item in fit.items] - guess).max() < 5e-5
    assert np.abs([item.slip for item in fit.items] - slip).max() < 5e-5


def test_guesses_and_slips_of_frac20(reference) -> None:
    data = reference("frac20")
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)
    for item, guess, slip in ((1, 0.0298, 0.0892), (4, 0.2236, 0.1099), (8, 0.4445, 0.1813)):
        assert fit.items[item - 1].guess == pytest.approx(guess, abs=5.1e-5)
        assert fit.items[item - 1].slip == pytest.approx(slip, abs=5.1e-5)
    # GDINA stopped a little earlier.
    guess, slip = (data.column("frac20_DINA.gs", column) for column in ("guessing", "slip"))
    clipped = np.clip([item.guess for item in fit.items], 1e-4, 1)
    assert np.abs(clipped - guess).max() < 1.5e-4
    assert np.abs([item.slip for item in fit.items] - slip).max() < 1e-4


def test_probabilities_of_gdina(reference) -> None:
    data = reference("frac11")
    fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START)
    rows = data.rows("frac11_GDINA.delta")
    for number, item in enumerate(fit.items, 1):
        effects = {
            tuple(int(k) for k in row["partype"].split("-") if k != "0"): float(row["est"])
            for row in rows
            if int(row["itemno"]) == number
        }
        for has, probability in zip(item.groups, item.probability, strict=True):
            present = set(np.flatnonzero(has) + 1)
            expected = sum(value for which, value in effects.items() if set(which) <= present)
            assert probability == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "rule", "output"),
    [*RUNS, ("frac11", Rule.GDINA, "frac11_GDINA"), ("frac20", Rule.DINA, "frac20_DINA")],
)
def test_class_probabilities(reference, name, rule, output) -> None:
    data = reference(name)
    fit = fit_diagnosis(data.responses, data.q, rule, ONE_START)
    expected = {row[""]: float(row["class.prob"]) for row in data.rows(f"{output}.classprob")}
    for mastered, probability in zip(fit.classes.mastered, fit.classes.probability, strict=True):
        pattern = "".join(str(int(has)) for has in mastered)
        assert probability == pytest.approx(expected[pattern], abs=1e-5)


@pytest.mark.parametrize(("name", "rule", "output"), [*RUNS, ("frac20", Rule.DINA, "frac20_DINA")])
def test_posteriors(reference, name, rule, output) -> None:
    data = reference(name)
    fit = fit_diagnosis(data.responses, data.q, rule, ONE_START)
    profiles = mastery_profiles(fit, data.responses)
    by_pattern = {row["pattern"]: row for row in data.rows(f"{output}.persons")}
    rows = [by_pattern[pattern] for pattern in data.patterns()]
    n_attributes = len(fit.q.attributes)
    mastery = [[float(row[f"post.attr{k + 1}"]) for k in range(n_attributes)] for row in rows]
    assert np.abs(profiles.mastery - mastery).max() < 1e-3
    top = [float(row["map.post"]) for row in rows]
    assert np.abs(profiles.class_probability - top).max() < 1e-3


def test_posteriors_of_gdina(reference) -> None:
    data = reference("frac11")
    fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START)
    profiles = mastery_profiles(fit, data.responses)
    for k in range(3):
        expected = data.column("frac11_GDINA.persons", f"post.attr{k + 1}")
        assert np.abs(profiles.mastery[:, k] - expected).max() < 1e-3


def test_standard_errors_of_frac20(reference) -> None:
    data = reference("frac20")
    options = replace(ONE_START, information=Information.ITEMS)
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, options)
    for number, item in enumerate(fit.items, 1):
        guess, slip = data.standard_errors("frac20_DINA", number)
        assert item.probability_se[1] == pytest.approx(slip, abs=1e-3)
        if number == 3:  # nobody guessed it: on the bound
            assert np.isnan(item.probability_se[0])
        else:
            assert item.probability_se[0] == pytest.approx(guess, abs=1e-3)


def test_standard_errors_of_single_items(reference) -> None:
    """CDM takes each parameter alone, which comes to nearly the same here."""
    data = reference("frac11")
    options = replace(ONE_START, information=Information.ITEM)
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, options)
    found = np.array([item.probability_se for item in fit.items])
    for column, name in enumerate(("guess", "slip")):
        expected = data.column("frac11_DINA.gs", f"se.{name}")
        assert found[:, column] == pytest.approx(expected, abs=1e-3)
