"""Mastery of candidates and of groups."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.analytics.diagnosis import (
    DiagnosisOptions,
    QMatrix,
    Rule,
    fit_diagnosis,
    group_profiles,
    mastery_profiles,
)
from inkmark.errors import AnalysisError

ONE_START = DiagnosisOptions(starts=1)


@pytest.fixture
def fitted(simulate):
    data = simulate(3000, seed=1)
    return data, fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)


def test_probabilities_mean_what_they_say(fitted) -> None:
    data, fit = fitted
    profiles = mastery_profiles(fit, data.responses)
    for low in np.arange(0, 1, 0.25):
        near = (profiles.mastery >= low) & (profiles.mastery < low + 0.25)
        assert data.mastered[near].mean() == pytest.approx(profiles.mastery[near].mean(), abs=0.05)
    right = (profiles.mastery > 0.5) == data.mastered
    assert right.mean(axis=0) == pytest.approx(profiles.accuracy, abs=0.02)


def test_candidates_are_scored_alone_as_in_the_cohort(fitted) -> None:
    data, fit = fitted
    everyone = mastery_profiles(fit, data.responses)
    alone = mastery_profiles(fit, data.responses[17:18])
    assert alone.mastery[0] == pytest.approx(everyone.mastery[17], rel=1e-12)
    assert alone.class_row[0] == everyone.class_row[17]


def test_fewer_answers_leave_more_open(fitted) -> None:
    data, fit = fitted
    few = data.responses.copy()
    few[:, 4:] = np.nan
    wide, narrow = (mastery_profiles(fit, part).uncertainty for part in (few, data.responses))
    assert wide.mean() > narrow.mean() + 0.05
    assert wide.max() <= 0.5


def test_candidates_without_answers_have_no_profile(fitted) -> None:
    data, fit = fitted
    responses = data.responses[:3].copy()
    responses[1] = np.nan
    profiles = mastery_profiles(fit, responses)
    assert np.isnan(profiles.mastery[1]).all()
    assert profiles.class_row.tolist()[1] == -1
    assert np.isnan(profiles.class_probability[1])
    assert np.isfinite(profiles.mastery[[0, 2]]).all()
    assert profiles.verdicts()[1].tolist() == [-1, -1, -1]


def test_verdicts_ask_for_evidence(fitted) -> None:
    data, fit = fitted
    profiles = mastery_profiles(fit, data.responses)
    verdicts = profiles.verdicts(0.9)
    assert (verdicts[profiles.mastery > 0.9] == 1).all()
    assert (verdicts[profiles.mastery < 0.1] == 0).all()
    assert (verdicts[(profiles.mastery > 0.11) & (profiles.mastery < 0.89)] == -1).all()
    decided = verdicts >= 0
    assert (verdicts[decided] == data.mastered[decided]).mean() > 0.95
    with pytest.raises(AnalysisError, match="confidence"):
        profiles.verdicts(0.4)


def test_what_no_item_tells_apart_stays_open() -> None:
    """All items need both attributes: who lacks one may have the other."""
    rng = np.random.default_rng(1)
    able = rng.uniform(size=(500, 1)) < 0.5
    responses = (rng.uniform(size=(500, 6)) < np.where(able, 0.9, 0.1)).astype(float)
    fit = fit_diagnosis(responses, QMatrix.of([[1, 1]] * 6), Rule.DINA, ONE_START)
    profiles = mastery_profiles(fit, responses)
    unable = profiles.mastery[responses.sum(axis=1) <= 1]
    assert unable == pytest.approx(np.full(unable.shape, 1 / 3), abs=0.01)
    assert profiles.class_row.min() == 0
    assert profiles.class_probability[responses.sum(axis=1) == 0].max() < 0.34
    assert [w.code for w in fit.warnings] == ["classes-alike"]


def test_responses_that_do_not_fit_are_refused(fitted) -> None:
    data, fit = fitted
    with pytest.raises(AnalysisError, match="fitted to 12 items"):
        mastery_profiles(fit, data.responses[:, 1:])
    responses = data.responses[:5].copy()
    responses[0, 2] = 2
    with pytest.raises(AnalysisError, match="Items 3 have values"):
        mastery_profiles(fit, responses)


# Groups


def test_groups_by_hand(fitted) -> None:
    data, fit = fitted
    responses = data.responses[:5].copy()
    responses[4] = np.nan
    profiles = mastery_profiles(fit, responses)
    groups = group_profiles(profiles, ["b", "a", "b", "b", "c"])
    assert groups.groups == ("b", "a", "c")
    assert groups.n.tolist() == [3, 1, 0]
    part = profiles.mastery[[0, 2, 3]]
    assert groups.mastery[0] == pytest.approx(part.mean(axis=0))
    assert groups.mastery_se[0] == pytest.approx(np.sqrt((part * (1 - part)).sum(axis=0)) / 3)
    assert groups.mastery[1] == pytest.approx(profiles.mastery[1])
    assert np.isnan(groups.mastery[2]).all()


def test_shares_of_groups_are_near_the_true_ones(fitted) -> None:
    data, fit = fitted
    names = [f"class {i % 100}" for i in range(3000)]
    groups = group_profiles(mastery_profiles(fit, data.responses), names)
    truth = data.mastered.reshape(30, 100, 3).mean(axis=0)
    z = (groups.mastery - truth) / groups.mastery_se
    assert 0.8 < z.std() < 1.2


def test_a_group_for_each_candidate(fitted) -> None:
    data, fit = fitted
    with pytest.raises(AnalysisError, match="Give a group"):
        group_profiles(mastery_profiles(fit, data.responses), ["a"])
