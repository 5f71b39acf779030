"""Knowledge tracing on simulated candidates, and on real ones."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.diagnosis import QMatrix
from inkmark.analytics.tracing import (
    AnswerLog,
    TracingModel,
    TracingOptions,
    fit_tracing,
    start_state,
    trace_log,
    update_state,
)
from inkmark.errors import AnalysisError

ONE = QMatrix.of([[1]])
MODEL = TracingModel(
    attributes=("A1", "A2"),
    start=np.array([0.4, 0.3]),
    learn=np.array([0.2, 0.1]),
    forget=np.array([0.02, 0.05]),
    formats=("A1", "A2", "A1+A2"),
    guess=np.array([0.2, 0.15, 0.1]),
    slip=np.array([0.1, 0.12, 0.2]),
)
Q = QMatrix.of([[1, 0], [0, 1], [1, 1]])


def simulate(n, needs, n_occasions, per_occasion, *, seed, start, learn, forget, guess, slip):
    """A log of answers to random items, and what was mastered on the last occasion."""
    rng = np.random.default_rng(seed)
    needs = np.asarray(needs, dtype=bool)
    mastered = rng.uniform(size=(n, needs.shape[1])) < start
    columns = []
    for occasion in range(n_occasions):
        items = rng.uniform(size=(n, len(needs))).argsort(axis=1)[:, :per_occasion]
        for item in items.T:
            able = (mastered | ~needs[item]).all(axis=1)
            right = rng.uniform(size=n) < np.where(able, 1 - slip, guess)
            columns.append((np.arange(n), item, right, np.full(n, occasion)))
        if occasion < n_occasions - 1:
            draw = rng.uniform(size=mastered.shape)
            mastered = np.where(mastered, draw >= forget, draw < learn)
    who, item, right, occasion = (np.concatenate(part) for part in zip(*columns, strict=True))
    return AnswerLog.of(who, item, right, occasion=occasion), mastered


def test_parameters_are_recovered() -> None:
    truth = {"start": 0.3, "learn": 0.15, "forget": 0.03, "guess": 0.2, "slip": 0.1}
    log, _ = simulate(20_000, [[1]], 15, 1, seed=5, **truth)
    fit = fit_tracing(log, ONE, options=TracingOptions(prior=0.0))
    assert fit.converged
    assert fit.warnings == ()
    for name, value in truth.items():
        assert getattr(fit.model, name)[0] == pytest.approx(value, abs=0.01)


def test_parameters_of_items_on_several_attributes() -> None:
    """Attributes are taken as independent given the answers, which moves them a little."""
    truth = {
        "start": np.array([0.3, 0.5, 0.2]),
        "learn": np.array([0.2, 0.1, 0.15]),
        "forget": np.array([0.02, 0.05, 0.01]),
        "guess": 0.2,
        "slip": 0.1,
    }
    needs = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]]
    log, mastered = simulate(3000, needs, 8, 4, seed=1, **truth)
    q = QMatrix.of(needs)
    fit = fit_tracing(log, q)
    assert fit.converged
    assert np.abs(fit.model.start - truth["start"]).max() < 0.08
    assert np.abs(fit.model.learn - truth["learn"]).max() < 0.02
    assert np.abs(fit.model.forget - truth["forget"]).max() < 0.01
    assert np.abs(fit.model.guess - 0.2).max() < 0.05
    assert np.abs(fit.model.slip - 0.1).max() < 0.08
    verdicts = trace_log(fit.model, log, q).mastery > 0.5
    assert (verdicts == mastered).mean() > 0.8


def test_what_is_called_eighty_percent_is_true_of_eighty_percent() -> None:
    truth = {name: getattr(MODEL, name) for name in ("start", "learn", "forget")}
    model = replace(MODEL, guess=np.full(3, 0.2), slip=np.full(3, 0.1))
    log, mastered = simulate(20_000, Q.needs, 6, 2, seed=6, guess=0.2, slip=0.1, **truth)
    traced = trace_log(model, log, Q)
    for low in np.arange(0, 1, 0.2):
        near = (traced.mastery > low) & (traced.mastery < low + 0.2)
        assert near.sum() > 500
        assert mastered[near].mean() == pytest.approx(traced.mastery[near].mean(), abs=0.03)


def test_likelihood_is_that_of_the_last_pass() -> None:
    """The filter and the smoother agree; the maximum is one."""
    log, _ = simulate(
        500, [[1]], 6, 1, seed=2, start=0.4, learn=0.2, forget=0.05, guess=0.2, slip=0.1
    )
    fit = fit_tracing(log, ONE, options=TracingOptions(prior=0.0, tolerance=1e-9))
    best = trace_log(fit.model, log, ONE).log_likelihood
    assert fit.log_likelihood == pytest.approx(best, rel=1e-12)
    for name in ("start", "learn", "forget", "guess", "slip"):
        for step in (-0.005, 0.005):
            value = getattr(fit.model, name) + step
            other = replace(fit.model, **{name: np.clip(value, 0, 1)})
            assert trace_log(other, log, ONE).log_likelihood < best


def test_standard_errors_from_scores_by_differences() -> None:
    """Two attributes that share guess and slip; each parameter moved a little."""
    truth = {"start": 0.4, "learn": 0.2, "forget": 0.05, "guess": 0.2, "slip": 0.1}
    needs = [[1, 0], [0, 1]]
    log, _ = simulate(800, needs, 8, 2, seed=2, **truth)
    q, formats = QMatrix.of(needs), ["choice", "choice"]
    fit = fit_tracing(log, q, formats)

    def by_candidate(model):
        expected = trace_log(model, log, q, formats).expected
        logs = np.log(np.where(log.right, expected, 1 - expected))
        return np.bincount(log.candidate, logs)

    names = ("start", "learn", "forget", "guess", "slip")
    columns = []
    for name in names:
        values = getattr(fit.model, name)
        for direction in np.eye(len(values)) * 1e-6:
            up, down = (
                by_candidate(replace(fit.model, **{name: values + sign * direction}))
                for sign in (1, -1)
            )
            columns.append((up - down) / 2e-6)
    scores = np.stack(columns, axis=1)
    expected = np.sqrt(np.diag(np.linalg.inv(scores.T @ scores)))
    found = np.concatenate([getattr(fit, f"{name}_se") for name in names])
    assert found == pytest.approx(expected, rel=1e-4)


def test_what_the_data_does_not_show_has_no_standard_error() -> None:
    log = AnswerLog.of([0, 1, 2, 3], [0, 0, 0, 0], [1, 0, 1, 0])
    fit = fit_tracing(log, QMatrix.of([[1, 0], [0, 1]]))
    assert np.isnan(fit.start_se).all()
    assert np.isnan(fit.learn_se).all()


def test_the_order_of_candidates_changes_nothing() -> None:
    needs = [[1, 0], [0, 1], [1, 1]]
    log, _ = simulate(
        200, needs, 4, 2, seed=4, start=0.4, learn=0.2, forget=0.05, guess=0.2, slip=0.1
    )
    order = np.argsort(log.candidate, kind="stable")
    other = AnswerLog(*(getattr(log, name)[order] for name in log.__slots__))
    one, two = fit_tracing(log, Q), fit_tracing(other, Q)
    assert one.log_likelihood == pytest.approx(two.log_likelihood, rel=1e-9)
    assert one.model.learn == pytest.approx(two.model.learn, rel=1e-6)
    mastery = [trace_log(one.model, part, Q).mastery for part in (log, other)]
    assert np.array_equal(*mastery)


def test_results_do_not_depend_on_the_run() -> None:
    log, _ = simulate(
        3000, [[1]], 8, 1, seed=4, start=0.4, learn=0.2, forget=0.05, guess=0.2, slip=0.1
    )
    one, two = fit_tracing(log, ONE), fit_tracing(log, ONE)
    assert one.log_likelihood == two.log_likelihood
    assert np.array_equal(one.model.guess, two.model.guess)


# States of candidates


def test_a_state_updated_step_by_step_is_that_of_the_whole_log() -> None:
    items = np.array([0, 1, 2, 2, 0, 1, 2])
    right = np.array([1, 0, 1, 0, 1, 1, 1])
    occasion = np.array([1, 1, 1, 2, 2, 5, 5])
    whole = trace_log(MODEL, AnswerLog.of(np.zeros(7), items, right, occasion=occasion), Q)
    state = start_state(MODEL)
    for number in (1, 2, 5):
        part = occasion == number
        state = update_state(MODEL, state, Q.needs[items[part]], right[part])
    assert state.mastery == pytest.approx(whole.mastery[0], rel=1e-12)
    assert state.seen.tolist() == whole.seen[0].tolist() == [5, 5]
    assert state.uncertainty == pytest.approx(np.sqrt(state.mastery * (1 - state.mastery)))


def test_a_state_by_hand() -> None:
    """One attribute, right, then wrong on another occasion; all to be done on paper."""
    state = update_state(MODEL, start_state(MODEL), [[1, 0]], [1])
    after = 0.4 * 0.9 / (0.4 * 0.9 + 0.6 * 0.2)
    assert state.mastery == pytest.approx([after, 0.3])
    state = update_state(MODEL, state, [[1, 0]], [0])
    before = after * 0.98 + (1 - after) * 0.2
    assert state.mastery[0] == pytest.approx(before * 0.1 / (before * 0.1 + (1 - before) * 0.8))
    assert state.seen.tolist() == [2, 0]


def test_updates_leave_the_state_before_alone() -> None:
    state = start_state(MODEL)
    update_state(MODEL, state, [[1, 0]], [1])
    assert state.mastery.tolist() == MODEL.start.tolist()
    assert state.seen.tolist() == [0, 0]


def test_nothing_is_learnt_within_an_occasion() -> None:
    both = update_state(MODEL, start_state(MODEL), [[1, 0], [1, 0]], [1, 0])
    other = update_state(MODEL, start_state(MODEL), [[1, 0], [1, 0]], [0, 1])
    odds = 0.4 / 0.6 * (0.9 / 0.2) * (0.1 / 0.8)
    assert both.mastery[0] == pytest.approx(odds / (1 + odds))
    assert other.mastery[0] == pytest.approx(both.mastery[0])


def test_weights_are_powers_of_the_evidence() -> None:
    full = update_state(MODEL, start_state(MODEL), [[1, 0]], [1])
    halves = update_state(MODEL, start_state(MODEL), [[1, 0], [1, 0]], [1, 1], weight=0.5)
    half = update_state(MODEL, start_state(MODEL), [[1, 0]], [1], weight=0.5)
    assert halves.mastery == pytest.approx(full.mastery)
    assert MODEL.start[0] < half.mastery[0] < full.mastery[0]


def test_answers_of_little_weight_count_little_in_the_fit() -> None:
    """Homework that everybody gets right, and exams that tell the truth."""
    log, _ = simulate(
        4000, [[1]], 8, 1, seed=8, start=0.3, learn=0.1, forget=0.02, guess=0.2, slip=0.1
    )
    homework = log.occasion % 2 == 1
    right = log.right | homework
    starts = {}
    for weight in (1.0, 0.01):
        copied = AnswerLog.of(
            log.candidate,
            homework.astype(int) * 0,
            right,
            occasion=log.occasion,
            weight=np.where(homework, weight, 1.0),
        )
        starts[weight] = fit_tracing(copied, ONE).model.start[0]
    assert abs(starts[0.01] - 0.3) < 0.05 < abs(starts[1.0] - 0.3)
    # A guess of its own would be one half or more.
    kinds = ("exam", "homework")
    q = QMatrix.of([[1], [1]])
    apart = AnswerLog.of(log.candidate, homework.astype(int), right, occasion=log.occasion)
    fit = fit_tracing(apart, q, kinds)
    assert fit.model.formats == kinds
    assert [w.subject for w in fit.warnings if w.code == "guess-at-bound"] == ["homework"]


probability = st.floats(0.01, 0.99)
below_half = st.floats(0.001, 0.498)


@given(probability, below_half, below_half, st.floats(0.05, 1), st.booleans())
def test_right_answers_never_lower_mastery(start, guess, slip, weight, right) -> None:
    model = TracingModel(
        ("A1",), np.array([start]), np.array([0.1]), np.array([0.1]), ("A1",),
        np.array([guess]), np.array([slip]),
    )  # fmt: skip
    state = update_state(model, start_state(model), [[1]], [right], weight=weight)
    assert (state.mastery[0] - start) * (1 if right else -1) >= -1e-12
    assert 0 < state.mastery[0] < 1


# What the data does not show


def test_an_attribute_with_only_wrong_answers_is_named_and_stays_finite() -> None:
    log, _ = simulate(
        50, [[1, 0], [0, 1]], 5, 2, seed=3, start=0.4, learn=0.2, forget=0.05, guess=0.2, slip=0.1
    )
    right = log.right & (log.item == 0)
    fit = fit_tracing(
        AnswerLog.of(log.candidate, log.item, right, occasion=log.occasion),
        QMatrix.of([[1, 0], [0, 1]], attributes=("fractions", "ratios")),
    )
    assert [(w.code, w.subject) for w in fit.warnings] == [("constant-attribute", "ratios")]
    for values in (fit.model.start, fit.model.learn, fit.model.guess, fit.model.slip):
        assert np.isfinite(values).all()
    assert fit.model.guess.max() < 0.5
    assert fit.model.slip.max() < 0.5


def test_attributes_without_answers_and_met_once_are_named() -> None:
    q = QMatrix.of([[1, 0], [0, 1]])
    log = AnswerLog.of([0, 1, 2], [0, 0, 0], [1, 0, 1])
    fit = fit_tracing(log, q)
    assert {(w.code, w.subject) for w in fit.warnings} == {
        ("one-occasion", "A1"),
        ("unmeasured-attribute", "A2"),
    }
    assert fit.model.learn == pytest.approx([0.2, 0.2])
    assert fit.model.formats == ("A1",)


def test_without_forgetting_nothing_is_forgotten() -> None:
    log, _ = simulate(
        500, [[1]], 8, 1, seed=2, start=0.4, learn=0.2, forget=0.1, guess=0.2, slip=0.1
    )
    fit = fit_tracing(log, ONE, options=TracingOptions(forgetting=False))
    assert fit.converged
    assert fit.model.forget.tolist() == [0.0]
    assert fit.log_likelihood < fit_tracing(log, ONE).log_likelihood


def test_too_few_iterations_are_said() -> None:
    log, _ = simulate(
        100, [[1]], 8, 1, seed=2, start=0.4, learn=0.2, forget=0.1, guess=0.2, slip=0.1
    )
    fit = fit_tracing(log, ONE, options=TracingOptions(max_iterations=2))
    assert not fit.converged
    assert "not-converged" in {w.code for w in fit.warnings}


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        (([0, 1], [0], [1]), "differ in length"),
        (([0], [0], [0.5]), "Answer 1 of the log is 0.5"),
        (([0], [0], [np.nan]), "Answer 1 of the log is nan"),
        (([-1], [0], [1]), "numbered from 0"),
        (([10**9], [0], [1]), "number 1000000000"),
        (([0], [0.5], [1]), "whole numbers"),
        (([np.nan], [0], [1]), "whole numbers"),
    ],
)
def test_faulty_logs_are_refused(columns, match) -> None:
    with pytest.raises(AnalysisError, match=match):
        AnswerLog.of(*columns)


@pytest.mark.parametrize("weight", [0.0, 1.5, np.nan])
def test_faulty_weights_are_refused(weight) -> None:
    with pytest.raises(AnalysisError, match="Weights"):
        AnswerLog.of([0], [0], [1], weight=weight)


def test_faulty_items_are_refused() -> None:
    one = AnswerLog.of([0], [1], [1])
    with pytest.raises(AnalysisError, match="item 1"):
        fit_tracing(one, ONE)
    with pytest.raises(AnalysisError, match="need no attribute"):
        fit_tracing(one, QMatrix.of([[1], [0]]))
    with pytest.raises(AnalysisError, match="no answers"):
        fit_tracing(AnswerLog.of([], [], []), ONE)
    with pytest.raises(AnalysisError, match="kinds for 1 items"):
        fit_tracing(one, Q, ["exam"])
    with pytest.raises(AnalysisError, match="attributes A1, A2"):
        trace_log(MODEL, one, QMatrix.of([[1], [1]]))
    with pytest.raises(AnalysisError, match="kind essay"):
        trace_log(MODEL, one, Q, ["A1", "essay", "A1"])


def test_real_learners(data_dir) -> None:
    """Predictions of answers of other learners; 0.5 would be chance."""
    folder = data_dir / "psychometrics" / "kt_assist2009_updated"
    if not folder.is_dir():
        pytest.skip(f"no learners at {folder}; set INKMARK_DATA to the folder of data")
    tables = []
    for name in ("train", "test"):
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
            tables.append(np.genfromtxt(file, delimiter=",", skip_header=1, dtype=np.int64))
    train, test = (
        AnswerLog.of(np.unique(table[:, 0], return_inverse=True)[1], table[:, 2], table[:, 3])
        for table in tables
    )
    q = QMatrix.of(np.eye(max(train.item.max(), test.item.max()) + 1))
    fit = fit_tracing(train, q)
    assert fit.converged
    traced = trace_log(fit.model, test, q)
    order = traced.expected.argsort()
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order))
    n_right = test.right.sum()
    n_wrong = len(order) - n_right
    area = (ranks[test.right].sum() - n_right * (n_right - 1) / 2) / (n_right * n_wrong)
    assert area > 0.71
