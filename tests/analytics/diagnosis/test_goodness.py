"""Fit of models to data that follows them, and to data that does not."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.analytics.diagnosis import (
    DiagnosisOptions,
    QMatrix,
    Rule,
    Structure,
    fit_diagnosis,
    model_fit,
    rule_tests,
)
from inkmark.analytics.diagnosis.classes import lay_out
from inkmark.analytics.diagnosis.goodness import _moment_slopes
from inkmark.analytics.diagnosis.items import ItemModels
from inkmark.analytics.diagnosis.structure import fitted_distribution
from inkmark.errors import AnalysisError

ONE_START = DiagnosisOptions(starts=1)


def test_statistics_of_a_true_model_are_what_they_should_be(simulate) -> None:
    """M2 has its degrees of freedom as mean; few p-values are small."""
    fits = []
    for seed in range(20):
        data = simulate(800, seed=seed)
        fits.append(model_fit(fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START),
                              data.responses))  # fmt: skip
    df = fits[0].m2_df
    assert df == 12 + 66 - 24 - 7
    assert np.mean([fit.m2 for fit in fits]) == pytest.approx(df, abs=4 * np.sqrt(2 * df / 20))
    assert sum(fit.m2_p < 0.05 for fit in fits) <= 4
    assert sum(fit.pair_p < 0.05 for fit in fits) <= 3
    assert sum(fit.rmsea_low > 0 for fit in fits) <= 4
    assert all(fit.rmsea_low <= fit.rmsea <= fit.rmsea_high for fit in fits)
    assert max(fit.srmsr for fit in fits) < 0.05
    assert all(fit.warnings == () for fit in fits)


def test_a_wrong_q_matrix_shows(simulate) -> None:
    data = simulate(2000, seed=3)
    needs = data.q.needs.copy()
    needs[[0, 9]] = needs[[1, 2]]
    fit = model_fit(
        fit_diagnosis(data.responses, QMatrix.of(needs), Rule.DINA, ONE_START), data.responses
    )
    assert fit.m2_p < 1e-6
    assert fit.rmsea_low > 0.02
    assert fit.pair_p < 1e-6
    assert fit.srmsr > 0.04
    worst = np.unravel_index(np.nanargmax(np.abs(fit.pair_z)), fit.pair_z.shape)
    assert {0, 9} & set(worst)


def test_a_wrong_rule_shows(simulate) -> None:
    data = simulate(2000, seed=3, compensatory=True)
    found = {
        rule: model_fit(fit_diagnosis(data.responses, data.q, rule, ONE_START), data.responses)
        for rule in (Rule.DINA, Rule.ACDM)
    }
    assert found[Rule.DINA].pair_p < 1e-3
    assert found[Rule.ACDM].pair_p > 0.05
    several = data.q.needs.sum(axis=1) > 1
    assert found[Rule.DINA].item_rmsea[several].min() > found[Rule.ACDM].item_rmsea.max()


@pytest.mark.parametrize("rule", [Rule.DINA, Rule.GDINA, Rule.LLM, Rule.RRUM, Rule.ACDM])
@pytest.mark.parametrize("structure", list(Structure))
def test_slopes_of_moments(simulate, rule, structure) -> None:
    """Against differences of moments; M2 rests on them."""
    data = simulate(600, seed=2, compensatory=True)
    fit = fit_diagnosis(
        data.responses, data.q, rule, DiagnosisOptions(starts=1, structure=structure)
    )
    rules = [item.rule for item in fit.items]
    models = ItemModels(rules, lay_out(fit.q, rules, fit.classes.mastered), 0.0)
    distribution, of_classes = fitted_distribution(fit.classes)
    of_items = np.concatenate([item.parameter for item in fit.items])
    one, two = np.triu_indices(len(rules), 1)

    def given(parameters):
        rates = models.rates(parameters)[models.layout.group_of_kind]
        return np.concatenate((rates, rates[one] * rates[two])).T

    slopes = _moment_slopes(fit, given(of_items))
    for p, direction in enumerate(np.eye(len(of_items)) * 1e-6):
        change = fit.kinds() @ (given(of_items + direction) - given(of_items - direction))
        assert slopes[:, p] == pytest.approx(change / 2e-6, abs=1e-7)
    if structure is Structure.HIGHER_ORDER:
        for p, direction in enumerate(np.eye(len(of_classes)) * 1e-5):
            up, down = (distribution.kinds(of_classes + sign * direction) for sign in (1, -1))
            change = (up - down) @ given(of_items)
            assert slopes[:, len(of_items) + p] == pytest.approx(change / 2e-5, abs=1e-7)


def test_missing_answers_leave_pairs_but_no_m2(simulate) -> None:
    data = simulate(1000, seed=4)
    responses = data.responses.copy()
    responses[:500, 0] = np.nan
    responses[500:, 1] = np.nan
    fit = model_fit(fit_diagnosis(responses, data.q, Rule.DINA, ONE_START), responses)
    assert fit.n_complete == 0
    assert np.isnan([fit.m2, fit.m2_p, fit.rmsea, fit.rmsea_low, fit.rmsea_high]).all()
    assert {warning.code for warning in fit.warnings} == {"no-m2", "pairs-unseen"}
    assert fit.pair_n[0, 1] == 0
    assert fit.pair_n[0, 2] == 500
    assert np.isnan(fit.pair_z[0, 1])
    assert np.isfinite(fit.pair_z[0, 2])
    assert fit.srmsr < 0.06


def test_more_parameters_than_moments(simulate) -> None:
    data = simulate(300, [[1, 1, 0], [0, 1, 1], [1, 1, 1]], seed=4)
    fit = model_fit(fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START), data.responses)
    assert np.isnan(fit.m2)
    assert fit.m2_df == 0


# Rules of items


def test_rules_that_hold_are_kept_and_others_refused(simulate) -> None:
    p = {False: [], True: []}
    for compensatory, values in p.items():
        for seed in range(5):
            data = simulate(3000, seed=seed, compensatory=compensatory)
            fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START)
            tests = rule_tests(fit)
            values.append(tests.p)
    rules = tests.rules
    assert tests.items == ("7", "8", "9", "10", "11", "12")
    assert tests.df[0].tolist() == [2, 2, 1, 1, 1]
    dina, dino, acdm = (rules.index(rule) for rule in (Rule.DINA, Rule.DINO, Rule.ACDM))
    conjunctive, additive = (np.concatenate(p[name]) for name in (False, True))
    assert (conjunctive[:, dina] < 0.01).mean() < 0.1
    assert (conjunctive[:, dino] < 0.01).mean() > 0.9
    assert (additive[:, acdm] < 0.01).mean() < 0.1
    assert (additive[:, dina] < 0.01).mean() > 0.9


def test_the_simplest_rule_that_holds_is_chosen(simulate) -> None:
    data = simulate(3000, seed=1)
    fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START)
    chosen = rule_tests(fit).simplest(0.01)
    assert chosen.count(Rule.DINA) >= 5


def test_without_items_to_test(simulate) -> None:
    data = simulate(200, seed=1)
    with pytest.raises(AnalysisError, match="rule G-DINA"):
        rule_tests(fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START))
