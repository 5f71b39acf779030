"""Estimation on simulated candidates, and on what cannot be estimated."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkmark.analytics.diagnosis import (
    DiagnosisOptions,
    Information,
    QMatrix,
    Rule,
    Stop,
    Structure,
    fit_diagnosis,
    mastery_profiles,
)
from inkmark.errors import AnalysisError

ONE_START = DiagnosisOptions(starts=1)


def codes(fit):
    return [(warning.code, warning.subject) for warning in fit.warnings]


@pytest.mark.parametrize("rule", [Rule.DINA, Rule.DINO, Rule.GDINA, Rule.ACDM])
def test_probabilities_are_recovered(simulate, rule) -> None:
    additive = rule in (Rule.ACDM, Rule.GDINA)
    data = simulate(8000, seed=1, compensatory=additive)
    if rule is Rule.DINO:  # wrong answers of DINA, by those who lack what they need
        data.responses, data.mastered = 1 - data.responses, ~data.mastered
    fit = fit_diagnosis(data.responses, data.q, rule, ONE_START)
    assert fit.converged
    assert fit.warnings == ()
    for item in fit.items:
        if additive:
            expected = 0.15 + 0.7 * item.groups.mean(axis=1)
        elif rule is Rule.DINO:
            expected = 0.15 + 0.7 * item.groups.any(axis=1)
        else:
            expected = 0.15 + 0.7 * item.groups.all(axis=1)
        assert abs(item.probability - expected).max() < 0.06
    shares = [(data.mastered == row).all(axis=1).mean() for row in fit.classes.mastered]
    assert fit.classes.probability == pytest.approx(shares, abs=0.02)


@pytest.mark.parametrize("rule", [Rule.LLM, Rule.RRUM])
def test_effects_on_another_scale_are_recovered(simulate, rule) -> None:
    data = simulate(8000, seed=3)
    rng = np.random.default_rng(4)
    has = data.mastered @ data.q.needs.T.astype(int)
    lacking = data.q.needs.sum(axis=1) - has
    rate = 1 / (1 + np.exp(2 - 1.8 * has)) if rule is Rule.LLM else 0.9 * 0.4**lacking
    responses = (rng.uniform(size=rate.shape) < rate).astype(float)
    fit = fit_diagnosis(responses, data.q, rule, ONE_START)
    assert fit.converged
    z = []
    for item in fit.items:
        n = item.groups.shape[1]
        lowest = np.log(0.9) + n * np.log(0.4)
        truth = [-2, *[1.8] * n] if rule is Rule.LLM else [lowest, *[-np.log(0.4)] * n]
        z += list((item.parameter - truth) / item.parameter_se)
        assert item.parameter_se.max() < 0.5
    assert np.abs(z).max() < 4
    assert np.std(z) == pytest.approx(1, abs=0.4)


def test_each_item_may_have_its_own_rule(simulate) -> None:
    data = simulate(4000, seed=5)
    rules = [Rule.GDINA] * 6 + [Rule.DINA, Rule.DINA, Rule.ACDM, Rule.DINA, Rule.LLM, Rule.GDINA]
    fit = fit_diagnosis(data.responses, data.q, rules, ONE_START)
    assert [item.rule for item in fit.items] == rules
    assert [len(item.parameter) for item in fit.items] == [2] * 6 + [2, 2, 3, 2, 3, 4]
    assert fit.n_parameters == 28 + 7
    all_dina = fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)
    saturated = fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START)
    assert saturated.log_likelihood > fit.log_likelihood
    assert all_dina.bic < saturated.bic
    assert all_dina.aic == 2 * 31 - 2 * all_dina.log_likelihood


def test_the_likelihood_is_that_of_the_candidates(simulate) -> None:
    """Against the sum over classes, in plain numpy."""
    data = simulate(300, seed=6)
    responses = data.responses.copy()
    responses[:50, 3] = np.nan
    fit = fit_diagnosis(responses, data.q, Rule.GDINA, ONE_START)
    rates = np.stack([item.probability[item.group_of_class] for item in fit.items])
    given_class = np.where(responses[:, :, None] == 1, rates, 1 - rates)
    given_class = np.where(np.isnan(responses)[:, :, None], 1.0, given_class).prod(axis=1)
    joint = given_class * fit.classes.probability
    assert fit.log_likelihood == pytest.approx(np.log(joint.sum(axis=1)).sum(), rel=1e-12)
    posterior = joint / joint.sum(axis=1, keepdims=True)
    profiles = mastery_profiles(fit, responses)
    assert profiles.mastery == pytest.approx(posterior @ fit.classes.mastered, abs=1e-12)
    assert profiles.class_row.tolist() == posterior.argmax(axis=1).tolist()
    assert profiles.class_probability == pytest.approx(posterior.max(axis=1))


def test_the_maximum_is_one(simulate) -> None:
    """No probability can be moved to make the data likelier."""
    data = simulate(400, seed=7)
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, replace(ONE_START, tolerance=1e-9))
    for j, item in enumerate(fit.items):
        for g in range(2):
            for step in (-0.002, 0.002):
                rates = item.probability.copy()
                rates[g] += step
                moved = list(fit.items)
                moved[j] = replace(item, probability=rates)
                other = mastery_profiles(replace(fit, items=tuple(moved)), data.responses)
                assert other.log_likelihood.sum() < fit.log_likelihood


def test_answers_that_are_missing_by_design(simulate) -> None:
    """Two booklets that share a few items."""
    data = simulate(8000, seed=8)
    responses = data.responses.copy()
    responses[:4000, 9:] = np.nan
    responses[4000:, 6:9] = np.nan
    fit = fit_diagnosis(responses, data.q, Rule.DINA, ONE_START)
    assert fit.n_candidates == 8000
    for item in fit.items:
        assert abs(item.guess - 0.15) < 0.05
        assert abs(item.slip - 0.15) < 0.05


def test_results_do_not_depend_on_the_run_or_on_threads(simulate, monkeypatch) -> None:
    data = simulate(5000, seed=9)
    one = fit_diagnosis(data.responses, data.q, Rule.GDINA, DiagnosisOptions(starts=2))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    two = fit_diagnosis(data.responses, data.q, Rule.GDINA, DiagnosisOptions(starts=2))
    assert one.log_likelihood == two.log_likelihood
    for a, b in zip(one.items, two.items, strict=True):
        assert np.array_equal(a.probability, b.probability)
        assert np.array_equal(a.probability_se, b.probability_se)


@settings(max_examples=10)
@given(st.permutations(range(12)), st.permutations(range(3)), st.integers(0, 5))
def test_the_order_of_items_and_attributes_changes_nothing(items, attributes, seed) -> None:
    rng = np.random.default_rng(seed)
    needs = np.array([*np.eye(3, dtype=int)] * 2 + [[1, 1, 0], [0, 1, 1], [1, 0, 1]] * 2)
    responses = (rng.uniform(size=(150, 12)) < rng.uniform(0.2, 0.8, (150, 1))).astype(float)
    one = fit_diagnosis(responses, QMatrix.of(needs), Rule.GDINA, ONE_START)
    two = fit_diagnosis(
        responses[:, items], QMatrix.of(needs[items][:, attributes]), Rule.GDINA, ONE_START
    )
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-3)
    assert two.n_parameters == one.n_parameters


# Hierarchies and abilities


def chain(n_attributes):
    names = [f"A{k + 1}" for k in range(n_attributes)]
    return tuple(itertools.pairwise(names))


def test_fifteen_attributes_in_a_chain() -> None:
    rng = np.random.default_rng(3)
    level = rng.integers(0, 16, 3000)
    mastered = np.arange(15) < level[:, None]
    needs = np.tile(np.eye(15, dtype=int), (2, 1))
    right = rng.uniform(size=(3000, 30)) < np.where(mastered @ needs.T, 0.9, 0.1)
    options = replace(ONE_START, prerequisites=chain(15))
    fit = fit_diagnosis(right.astype(float), QMatrix.of(needs), Rule.DINA, options)
    assert fit.converged
    assert len(fit.classes.mastered) == 16
    assert fit.n_parameters == 60 + 15
    assert fit.classes.probability == pytest.approx(np.full(16, 1 / 16), abs=0.02)
    profiles = mastery_profiles(fit, right.astype(float))
    assert ((profiles.mastery > 0.5) == mastered).mean() > 0.95
    with pytest.raises(AnalysisError, match="more than 4096 classes"):
        fit_diagnosis(right.astype(float), QMatrix.of(needs), Rule.DINA, ONE_START)


def test_ten_attributes_without_a_hierarchy() -> None:
    rng = np.random.default_rng(3)
    mastered = rng.uniform(size=(1000, 10)) < 0.5
    needs = np.tile(np.eye(10, dtype=int), (3, 1))
    right = rng.uniform(size=(1000, 30)) < np.where(mastered @ needs.T, 0.9, 0.1)
    options = DiagnosisOptions(starts=1, structure=Structure.HIGHER_ORDER)
    fit = fit_diagnosis(right.astype(float), QMatrix.of(needs), Rule.DINA, options)
    assert fit.converged
    assert len(fit.classes.probability) == 1024
    profiles = mastery_profiles(fit, right.astype(float))
    assert ((profiles.mastery > 0.5) == mastered).mean() > 0.95


def test_prerequisites_hold_by_way_of_attributes_without_items(simulate) -> None:
    data = simulate(500, [[1, 0, 0], [0, 0, 1], [1, 0, 1], [1, 0, 0], [0, 0, 1]], seed=2)
    options = replace(ONE_START, prerequisites=chain(3))
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, options)
    assert fit.q.attributes == ("A1", "A3")
    assert fit.classes.mastered.tolist() == [[False, False], [True, False], [True, True]]
    assert ("unmeasured-attribute", "A2") in codes(fit)


def test_a_hierarchy_that_is_true_costs_no_likelihood() -> None:
    rng = np.random.default_rng(2)
    first = rng.uniform(size=2000) < 0.7
    mastered = np.stack((first, first & (rng.uniform(size=2000) < 0.5)), axis=1)
    needs = np.array([[1, 0], [0, 1], [1, 1]] * 4)
    able = (mastered[:, None] | ~needs.astype(bool)).all(axis=2)
    right = (rng.uniform(size=able.shape) < np.where(able, 0.85, 0.15)).astype(float)
    q = QMatrix.of(needs)
    free = fit_diagnosis(right, q, Rule.DINA, ONE_START)
    chained = fit_diagnosis(right, q, Rule.DINA, replace(ONE_START, prerequisites=(("A1", "A2"),)))
    assert chained.n_parameters == free.n_parameters - 1
    assert free.log_likelihood - 3 < chained.log_likelihood <= free.log_likelihood + 1e-6
    assert chained.bic < free.bic


@pytest.mark.parametrize("prerequisites", [(), (("A1", "A2"),)])
def test_one_ability_behind_all_attributes(prerequisites) -> None:
    rng = np.random.default_rng(5)
    slope, intercept = np.array([1.5, 1.0, 2.0, 1.2]), np.array([0.5, 0.0, -0.5, 0.3])
    odds = intercept + slope * rng.normal(size=(6000, 1))
    mastered = rng.uniform(size=odds.shape) < 1 / (1 + np.exp(-odds))
    if prerequisites:
        mastered[:, 1] &= mastered[:, 0]
    needs = np.tile(np.eye(4, dtype=int), (4, 1))
    able = mastered @ needs.T > 0
    right = (rng.uniform(size=able.shape) < np.where(able, 0.9, 0.1)).astype(float)
    options = DiagnosisOptions(
        structure=Structure.HIGHER_ORDER, prerequisites=prerequisites, starts=1
    )
    fit = fit_diagnosis(right, QMatrix.of(needs), Rule.DINA, options)
    assert fit.converged
    assert fit.n_parameters == 32 + 8
    assert len(fit.classes.probability) == (12 if prerequisites else 16)
    assert fit.classes.probability.sum() == pytest.approx(1)
    assert np.abs((fit.classes.slope - slope) / fit.classes.slope_se).max() < 3.5
    assert np.abs((fit.classes.intercept - intercept) / fit.classes.intercept_se).max() < 3.5
    assert fit.classes.slope_se.max() < 0.4
    free = fit_diagnosis(
        right, QMatrix.of(needs), Rule.DINA, replace(options, structure=Structure.SATURATED)
    )
    assert fit.log_likelihood < free.log_likelihood
    assert fit.bic < free.bic


# Starts, priors and standard errors


def test_starts_that_disagree_are_told(reference) -> None:
    """G-DINA on a small sample, as of the reference data: the neutral start is not the best."""
    data = reference("frac11")
    fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, DiagnosisOptions(starts=10))
    values = fit.starts.log_likelihood
    assert len(values) == 10
    assert values[0] == pytest.approx(-2631.66457, abs=1e-4)
    assert fit.log_likelihood == pytest.approx(values.max(), abs=0.1)
    assert fit.starts.agreeing == (values > values.max() - 0.1).sum() < 10
    assert ("starts-disagree", "") in codes(fit)


def test_starts_that_agree_are_not_worth_a_word(simulate) -> None:
    data = simulate(2000, seed=1)
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, DiagnosisOptions(starts=5))
    assert fit.starts.agreeing == 5
    assert fit.starts.best == 0
    assert fit.warnings == ()


def test_a_prior_keeps_probabilities_off_the_bounds(reference) -> None:
    data = reference("frac20")
    none = fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)
    weak = fit_diagnosis(data.responses, data.q, Rule.DINA, replace(ONE_START, prior=1.0))
    assert min(item.guess for item in none.items) < 1e-4
    assert min(item.guess for item in weak.items) > 1e-3
    assert none.log_likelihood - 20 < weak.log_likelihood < none.log_likelihood


def test_what_drifts_to_a_bound_is_told(simulate) -> None:
    data = simulate(400, seed=1)
    options = replace(ONE_START, max_iterations=4)
    fit = fit_diagnosis(data.responses, data.q, Rule.LLM, options)
    assert fit.stop is Stop.ITERATIONS
    assert ("not-converged", "") in codes(fit)


def test_intervals_hold_what_they_should(simulate) -> None:
    """About 95 of 100 intervals hold the true probability; of 4,800 here, 92 to 98 %."""
    hits = []
    for seed in range(50):
        data = simulate(1000, seed=seed)
        fit = fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)
        for item in fit.items:
            hits += list(abs(item.probability - [0.15, 0.85]) < 1.96 * item.probability_se)
    assert 0.93 < np.mean(hits) < 0.97


def test_what_is_taken_as_known_makes_standard_errors_smaller(simulate) -> None:
    data = simulate(1000, seed=1)
    spread = {}
    for information in Information:
        options = replace(ONE_START, information=information)
        fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, options)
        spread[information] = np.concatenate([item.probability_se for item in fit.items])
        known = np.isfinite(fit.classes.probability_se)
        assert known.all() if information is Information.COMPLETE else not known.any()
    assert (spread[Information.ITEM] <= spread[Information.ITEMS] + 1e-12).all()
    assert (spread[Information.ITEMS] <= spread[Information.COMPLETE] + 1e-12).all()


@pytest.mark.parametrize("rule", [Rule.ACDM, Rule.LLM, Rule.RRUM])
@pytest.mark.parametrize("structure", list(Structure))
def test_standard_errors_from_scores_by_differences(simulate, rule, structure) -> None:
    """The scores of candidates, by moving each parameter a little."""
    data = simulate(500, seed=4, compensatory=True)
    options = replace(ONE_START, structure=structure, information=Information.ITEMS)
    fit = fit_diagnosis(data.responses, data.q, rule, options)
    columns = []
    for j, item in enumerate(fit.items):
        design = np.column_stack((np.ones(len(item.groups)), item.groups))
        for p in range(len(item.parameter)):
            values = []
            for step in (-1e-5, 1e-5):
                eta = design @ (item.parameter + step * (np.arange(len(item.parameter)) == p))
                rates = {Rule.ACDM: eta, Rule.LLM: 1 / (1 + np.exp(-eta)), Rule.RRUM: np.exp(eta)}
                items = list(fit.items)
                items[j] = replace(item, probability=rates[rule])
                moved = mastery_profiles(replace(fit, items=tuple(items)), data.responses)
                values.append(moved.log_likelihood)
            columns.append((values[1] - values[0]) / 2e-5)
    scores = np.stack(columns, axis=1)
    expected = np.sqrt(np.diag(np.linalg.inv(scores.T @ scores)))
    found = np.concatenate([item.parameter_se for item in fit.items])
    assert found == pytest.approx(expected, rel=1e-4)


# What cannot be analysed


def test_items_that_say_nothing_are_named_and_left_out(simulate) -> None:
    data = simulate(400, seed=1)
    responses = data.responses.copy()
    responses[:, 3] = 1
    responses[:, 4] = 0
    responses[:, 5] = np.nan
    responses[7, 6] = 0.5
    needs = data.q.needs.copy()
    needs[8] = False
    q = QMatrix.of(needs, items=[f"q{j}" for j in range(12)])
    fit = fit_diagnosis(responses, q, Rule.DINA, ONE_START)
    assert codes(fit)[:5] == [
        ("constant-item", "q3"),
        ("constant-item", "q4"),
        ("no-responses", "q5"),
        ("not-right-or-wrong", "q6"),
        ("no-attribute", "q8"),
    ]
    assert fit.columns.tolist() == [0, 1, 2, 7, 9, 10, 11]
    assert fit.converged
    profiles = mastery_profiles(fit, responses)
    assert ((profiles.mastery > 0.5) == data.mastered).mean() > 0.75


def test_rules_stay_with_their_items_when_others_are_left_out(simulate) -> None:
    data = simulate(400, seed=1)
    responses = data.responses.copy()
    responses[:, 0] = 1
    rules = [Rule.GDINA] * 11 + [Rule.ACDM]
    fit = fit_diagnosis(responses, data.q, rules, ONE_START)
    assert fit.items[-1].rule is Rule.ACDM
    assert fit.items[-1].item == "12"


def test_candidates_without_answers_are_named_and_left_out(simulate) -> None:
    data = simulate(400, seed=1)
    responses = data.responses.copy()
    responses[[4, 30]] = np.nan
    fit = fit_diagnosis(responses, data.q, Rule.DINA, ONE_START)
    without = fit_diagnosis(np.delete(responses, [4, 30], axis=0), data.q, Rule.DINA, ONE_START)
    assert codes(fit) == [("no-answers", "5, 31")]
    assert fit.n_candidates == 398
    assert fit.log_likelihood == without.log_likelihood


def test_an_inverted_item_is_named(simulate) -> None:
    data = simulate(2000, seed=1)
    responses = data.responses.copy()
    responses[:, 2] = 1 - responses[:, 2]
    fit = fit_diagnosis(responses, data.q, Rule.DINA, ONE_START)
    assert codes(fit) == [("item-inverted", "3")]


@pytest.mark.parametrize("n", [60, 300])
def test_few_candidates_are_told(simulate, n) -> None:
    data = simulate(n, seed=1)
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)
    assert fit.n_parameters == 31
    assert (("few-candidates", "") in codes(fit)) is (n == 60)


def test_more_attributes_than_items_are_told() -> None:
    rng = np.random.default_rng(1)
    responses = rng.integers(0, 2, (100, 2)).astype(float)
    fit = fit_diagnosis(responses, QMatrix.of([[1, 1, 0], [0, 1, 1]]), Rule.DINA, ONE_START)
    assert {"more-attributes-than-items", "classes-alike"} <= {code for code, _ in codes(fit)}


def test_a_prior_of_nothing_is_refused() -> None:
    with pytest.raises(AnalysisError, match="prior of 0"):
        DiagnosisOptions(prior=0)


def test_nothing_to_analyse() -> None:
    q = QMatrix.of([[1], [1]])
    with pytest.raises(AnalysisError, match="No item is left"):
        fit_diagnosis([[1, 0]], q, Rule.DINA)
    with pytest.raises(AnalysisError, match="No item is left"):
        fit_diagnosis(np.full((5, 2), np.nan), q, Rule.DINA)
    with pytest.raises(AnalysisError, match="responses to 3 items"):
        fit_diagnosis(np.zeros((5, 3)), q, Rule.DINA)
    with pytest.raises(AnalysisError, match="table of candidates by items"):
        fit_diagnosis(np.zeros(5), q, Rule.DINA)
    with pytest.raises(AnalysisError, match="1 rules for 2 items"):
        fit_diagnosis(np.eye(2), q, [Rule.DINA])


def test_a_large_cohort_finds_what_all_starts_would(simulate, monkeypatch) -> None:
    """By way of a sample, and with every start on everybody."""
    data = simulate(2500, seed=21, compensatory=True)
    options = DiagnosisOptions(starts=6)
    by_sample = fit_diagnosis(data.responses, data.q, Rule.GDINA, options)
    monkeypatch.setattr("inkmark.analytics.diagnosis.starts._SAMPLE", 2500)
    all_starts = fit_diagnosis(data.responses, data.q, Rule.GDINA, options)
    assert by_sample.log_likelihood == pytest.approx(all_starts.log_likelihood, abs=1e-6)
    followed = np.isfinite(by_sample.starts.log_likelihood)
    assert followed.sum() >= by_sample.starts.agreeing > 0
    for one, other in zip(by_sample.items, all_starts.items, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-4)
