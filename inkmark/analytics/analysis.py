"""Everything a report says about one exam, in one call."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt

from inkmark.analytics.classical import (
    group_item_statistics,
    item_statistics,
    item_sums,
    paper_statistics,
)
from inkmark.analytics.cohort import Cohort, make_cohort
from inkmark.analytics.groups import candidate_statistics, group_statistics, score_bands
from inkmark.analytics.mastery import group_mastery, knowledge_map, mastery_table
from inkmark.analytics.model import Analysis
from inkmark.analytics.options import option_shares
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate, Exam
from inkmark.marking import ResponseTable, ScoreMatrix

__all__ = ["analyse", "exam_cohort"]


def analyse(
    exam: Exam,
    matrix: ScoreMatrix,
    responses: ResponseTable | None = None,
    *,
    absent: npt.ArrayLike | None = None,
) -> Analysis:
    """Compute every figure of an exam.

    The matrix may hold part of the exam's items, for example the objective ones: the
    full mark is then theirs. Candidates may stand in any order; those who are not on the
    roster have neither class nor school.

    Parameters
    ----------
    exam : Exam
        Policy, blueprint and roster.
    matrix : ScoreMatrix
    responses : ResponseTable, optional
        For the option shares; its order and extent need not be those of the matrix.
    absent : (n,) array of bool, optional
        Who was absent, in the order of the matrix; by default those who are in `responses`.

    Returns
    -------
    Analysis

    Raises
    ------
    InkmarkError
        If the matrix has an item that the exam has not, or scores that cannot be meant.
    """
    if absent is None and responses is not None:
        away = dict(zip(responses.candidates, responses.absent.tolist(), strict=True))
        absent = [away.get(number, False) for number in matrix.candidates]
    cohort = exam_cohort(exam, matrix, absent=absent)
    blueprint = {item.number: item for item in exam.items}
    items = [blueprint[number] for number in cohort.items]
    sums = item_sums(cohort)
    knowledge = knowledge_map(items)
    mastery = mastery_table(cohort, knowledge, exam.policy)
    options = None
    if responses is not None:
        options = option_shares(
            cohort,
            _values(responses, matrix),
            [item.options for item in items],
            [item.key for item in items],
        )
    return Analysis(
        full_mark=sum((item.points for item in items), Decimal(0)),
        candidates=candidate_statistics(cohort),
        test=paper_statistics(cohort, sums),
        items=item_statistics(cohort, sums),
        options=options,
        groups=group_statistics(cohort, sums, exam.policy),
        group_items=group_item_statistics(cohort, sums),
        bands=score_bands(cohort, exam.policy.band_width),
        knowledge=knowledge,
        mastery=mastery,
        group_mastery=group_mastery(cohort, knowledge, mastery, exam.policy),
    )


def exam_cohort(exam: Exam, matrix: ScoreMatrix, *, absent: npt.ArrayLike | None = None) -> Cohort:
    """Settle who is counted in an exam.

    Parameters
    ----------
    exam : Exam
        Policy and roster.
    matrix : ScoreMatrix
    absent : (n,) array of bool, optional
        Who was absent, in the order of the matrix.

    Returns
    -------
    Cohort

    Raises
    ------
    InkmarkError
        If the matrix has an item that the exam has not, or scores that cannot be meant.
    """
    unknown = set(matrix.items) - {item.number for item in exam.items}
    if unknown:
        raise InkmarkError(
            f"Scores for items that the exam does not have: {', '.join(sorted(unknown))}. "
            "Correct the item numbers of the scores or of the exam."
        )
    roster = {person.number: person for person in exam.candidates}
    stranger = Candidate("")
    people = [roster.get(number, stranger) for number in matrix.candidates]
    return make_cohort(
        matrix.scores,
        matrix.full,
        matrix.candidates,
        items=matrix.items,
        classes=[person.class_name for person in people],
        schools=[person.school for person in people],
        absent=absent,
        absent_as_zero=exam.policy.absent_as_zero,
    )


def _values(responses: ResponseTable, matrix: ScoreMatrix) -> npt.NDArray[np.str_]:
    """Responses in the order of the matrix; empty where there are none."""
    if (responses.candidates, responses.items) == (matrix.candidates, matrix.items):
        return responses.values
    row_of = {number: row for row, number in enumerate(responses.candidates)}
    column_of = {number: column for column, number in enumerate(responses.items)}
    rows = [row_of.get(number, -1) for number in matrix.candidates]
    columns = [column_of.get(number, -1) for number in matrix.items]
    # the last row and column of the padded table, which -1 picks, are empty
    return np.pad(responses.values, (0, 1), constant_values="")[np.ix_(rows, columns)]
