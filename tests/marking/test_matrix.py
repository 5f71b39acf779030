"""Score matrices and response tables."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from inkmark.marking import (
    Response,
    ResponseStatus,
    ResponseTable,
    ScoreMatrix,
    ScoreRecord,
    ScoreStatus,
)


def record(candidate: str, item: str, points: str | None) -> ScoreRecord:
    value = None if points is None else Decimal(points)
    status = ScoreStatus.PENDING if value is None else ScoreStatus.SCORED
    return ScoreRecord(candidate, item, value, Decimal("1.5"), "", status, "exact", "A")


def test_records_become_a_matrix_in_their_order():
    matrix = ScoreMatrix.from_records(
        [
            record("02", "b", "1.5"),
            record("02", "a", "0"),
            record("01", "b", None),
            record("01", "a", "1"),
        ]
    )
    assert matrix.candidates == ("02", "01")
    assert matrix.items == ("b", "a")
    np.testing.assert_array_equal(matrix.scores, [[1.5, 0], [np.nan, 1]])
    np.testing.assert_array_equal(matrix.full, [1.5, 1.5])
    np.testing.assert_array_equal(matrix.complete, [True, False])
    np.testing.assert_array_equal(matrix.totals(), [1.5, np.nan])


def test_a_score_that_is_not_there_is_not_a_number():
    matrix = ScoreMatrix.from_records([record("1", "a", "1"), record("2", "b", "1")])
    np.testing.assert_array_equal(np.isnan(matrix.scores), [[False, True], [True, False]])


def test_totals_are_exact_to_the_decimals_that_points_have():
    scores = np.full((1, 30), 0.1)
    matrix = ScoreMatrix(("1",), tuple(map(str, range(30))), scores, np.ones(30))
    assert scores.sum() != 3.0
    assert matrix.totals()[0] == 3.0


def test_an_empty_matrix():
    matrix = ScoreMatrix.from_records([])
    assert matrix.scores.shape == (0, 0)
    assert matrix.totals().shape == (0,)


def test_responses_become_a_table():
    table = ResponseTable.from_responses(
        [
            Response("1", "a", "AC", ResponseStatus.ANSWERED),
            Response("1", "b", "", ResponseStatus.BLANK),
            Response("2", "a", "", ResponseStatus.ABSENT),
        ]
    )
    assert table.values.tolist() == [["AC", ""], ["", ""]]
    assert table.status.tolist() == [[0, 1], [3, 4]]
    assert table.absent.tolist() == [False, True]
