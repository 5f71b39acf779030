"""Checks of the Q-matrix before and after."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.analytics.diagnosis import (
    DiagnosisOptions,
    QMatrix,
    Rule,
    check_q,
    fit_diagnosis,
    validate_q,
)
from inkmark.analytics.diagnosis.q_matrix import _by_attribute, _variances
from inkmark.errors import AnalysisError

ONE_START = DiagnosisOptions(starts=1)
EYE = np.eye(3, dtype=int)


def codes(check):
    return {(warning.code, warning.subject) for warning in check.warnings}


def test_nothing_to_say_of_a_good_one() -> None:
    pairs = [[1, 1, 0], [0, 1, 1], [1, 0, 1]]
    check = check_q(QMatrix.of([*EYE, *EYE, *pairs]))
    assert check.warnings == ()
    assert check.n_items.tolist() == [4, 4, 4]
    assert check.n_isolating.tolist() == [2, 2, 2]
    assert check.n_classes == check.n_kinds == 8
    assert check_q(QMatrix.of([*EYE, *pairs]), Rule.DINA).warnings == ()


def test_what_is_missing_is_named() -> None:
    q = QMatrix.of(
        [[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]],
        items=["q1", "q2", "q3", "q4", "q5", "q6"],
        attributes=["add", "carry", "borrow", "zero"],
    )
    assert codes(check_q(q, Rule.DINA)) == {
        ("no-attribute", "q4"),
        ("not-isolated", "add"),
        ("few-items", "borrow"),
        ("unmeasured-attribute", "zero"),
        ("classes-alike", ""),
    }
    assert ("isolated-once", "carry") in codes(check_q(q, Rule.GDINA))


def test_attributes_of_the_same_items() -> None:
    q = QMatrix.of([[1, 0], [0, 1], [1, 1], [1, 1]])
    assert codes(check_q(q, Rule.DINA)) == {("same-items", "A1, A2")}


def test_more_attributes_than_items() -> None:
    assert ("more-attributes-than-items", "") in codes(check_q(QMatrix.of([[1, 1]])))


def test_prerequisites_isolate() -> None:
    """With A1 learnt before A2, an item of both isolates A2."""
    q = QMatrix.of([[1, 0], [1, 1], [1, 0], [1, 1], [1, 1]])
    options = DiagnosisOptions(prerequisites=(("A1", "A2"),))
    assert ("not-isolated", "A2") in codes(check_q(q, Rule.DINA))
    check = check_q(q, Rule.DINA, options)
    assert check.warnings == ()
    assert check.n_classes == check.n_kinds == 3


def test_wrong_rows_are_found_and_corrected(simulate) -> None:
    data = simulate(3000, seed=11)
    needs = data.q.needs.copy()
    needs[6], needs[7] = [1, 0, 0], [1, 1, 1]  # of 110 and 011
    fit = fit_diagnosis(data.responses, QMatrix.of(needs), Rule.GDINA, ONE_START)
    validation = validate_q(fit, data.responses)
    assert (validation.suggested == data.q.needs).all()
    assert [w.subject for w in validation.warnings] == ["7", "8"]
    assert validation.explained[6] < 0.8
    assert validation.suggested_explained.min() >= 0.95


def test_right_rows_are_left_alone(simulate) -> None:
    data = simulate(3000, seed=12, compensatory=True)
    fit = fit_diagnosis(data.responses, data.q, Rule.GDINA, ONE_START)
    validation = validate_q(fit, data.responses)
    assert validation.warnings == ()
    assert (validation.suggested == data.q.needs).all()


def test_prerequisites_need_not_be_named() -> None:
    """Who has A2 has A1: to need both is to need A2."""
    rng = np.random.default_rng(2)
    mastered = np.arange(2) < rng.integers(0, 3, 3000)[:, None]
    needs = np.array([[1, 0], [1, 1], [0, 1]] * 4)
    able = (mastered[:, None] | (needs == 0)).all(axis=2)
    responses = (rng.uniform(size=able.shape) < np.where(able, 0.9, 0.1)).astype(float)
    options = DiagnosisOptions(starts=1, prerequisites=(("A1", "A2"),))
    fit = fit_diagnosis(responses, QMatrix.of(needs), Rule.GDINA, options)
    assert validate_q(fit, responses).warnings == ()


def test_variance_by_hand() -> None:
    """Of one item and two attributes, against sums over classes."""
    mastered = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool)
    seen, right = np.array([[10.0, 20, 30, 40]]), np.array([[1.0, 12, 9, 36]])
    laid = [_by_attribute(part, mastered) for part in (right, seen)]
    found = {tuple(needs.tolist()): value[0] for needs, value in _variances(*laid)}
    weight, rate = seen[0] / 100, right[0] / seen[0]
    mean = weight @ rate
    assert found[True, True] == pytest.approx(weight @ (rate - mean) ** 2)
    first = np.array([13 / 30, 45 / 70])
    assert found[True, False] == pytest.approx(np.array([0.3, 0.7]) @ (first - mean) ** 2)
    second = np.array([10 / 40, 48 / 60])
    assert found[False, True] == pytest.approx(np.array([0.4, 0.6]) @ (second - mean) ** 2)
    assert len(found) == 3


def test_faulty_questions_are_refused(simulate) -> None:
    data = simulate(200, seed=1)
    fit = fit_diagnosis(data.responses, data.q, Rule.DINA, ONE_START)
    with pytest.raises(AnalysisError, match="cutoff"):
        validate_q(fit, data.responses, 1.5)
    with pytest.raises(AnalysisError, match="fitted to 12 items"):
        validate_q(fit, data.responses[:, :5])
