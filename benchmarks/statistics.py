"""Statistics of an exam: all item, class and knowledge figures of a large cohort."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from benchmarks.contract import Options, Result, timed
from inkmark.analytics import (
    analyse,
    candidate_statistics,
    exam_cohort,
    group_item_statistics,
    group_mastery,
    group_statistics,
    item_statistics,
    item_sums,
    knowledge_map,
    mastery_table,
    option_shares,
    paper_statistics,
    score_bands,
)
from inkmark.exam import Candidate, Exam, Item, ItemType, Policy
from inkmark.marking import ResponseStatus, ResponseTable, ScoreMatrix
from inkmark.marking.matrix import RESPONSE_STATUSES

__all__ = ["run"]

N_CANDIDATES, N_ITEMS, N_POINTS = 100_000, 100, 20
CLASS_SIZE, SCHOOL_SIZE = 40, 2_000
SEED = 20
LABELS = ("A", "B", "C", "D")


def run(options: Options) -> Result:
    """Time the figures of 100,000 candidates on 100 items.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    exam, matrix, responses = _large_exam()
    cohort = exam_cohort(exam, matrix)
    items = exam.items
    keys, labels = [item.key for item in items], [item.options for item in items]

    def item_and_class_figures() -> None:
        people = exam_cohort(exam, matrix)
        sums = item_sums(people)
        paper_statistics(people, sums)
        item_statistics(people, sums)
        group_item_statistics(people, sums)
        group_statistics(people, sums, exam.policy)
        score_bands(people, exam.policy.band_width)
        candidate_statistics(people)

    def mastery() -> None:
        knowledge = knowledge_map(items)
        table = mastery_table(cohort, knowledge, exam.policy)
        group_mastery(cohort, knowledge, table, exam.policy)

    rows = (
        timed("item and class figures", item_and_class_figures, options.repeats),
        timed(
            "option shares",
            lambda: option_shares(cohort, responses.values, labels, keys),
            options.repeats,
        ),
        timed("mastery", mastery, options.repeats),
        timed("whole analysis", lambda: analyse(exam, matrix, responses), options.repeats),
    )
    groups = f"{N_CANDIDATES // CLASS_SIZE:,} classes in {N_CANDIDATES // SCHOOL_SIZE} schools"
    return Result(
        name="statistics",
        rows=rows,
        seed=SEED,
        notes=(
            f"{N_CANDIDATES:,} candidates, {N_ITEMS} items, {N_POINTS} knowledge points, {groups}",
            "from the score matrix in memory: reading and scoring are not included",
            "option shares start from an array of response texts",
        ),
    )


def _large_exam() -> tuple[Exam, ScoreMatrix, ResponseTable]:
    rng = np.random.default_rng(SEED)
    items = tuple(
        Item(
            str(j + 1),
            ItemType.SINGLE,
            LABELS,
            ("A",),
            Decimal(1 + j % 3),
            knowledge=((f"point {j % N_POINTS}", Decimal(1)),),
        )
        for j in range(N_ITEMS)
    )
    candidates = tuple(
        Candidate(f"{i:08}", class_name=str(i // CLASS_SIZE + 1), school=str(i // SCHOOL_SIZE + 1))
        for i in rng.permutation(N_CANDIDATES)
    )
    ability = rng.normal(0, 1, (N_CANDIDATES, 1))
    right = ability + rng.logistic(0, 1, (N_CANDIDATES, N_ITEMS)) > rng.normal(-0.5, 1, N_ITEMS)
    chosen = np.where(right, 0, rng.integers(1, len(LABELS), right.shape))
    full = np.array([float(item.points) for item in items])
    matrix = ScoreMatrix(
        candidates=tuple(person.number for person in candidates),
        items=tuple(item.number for item in items),
        scores=right * full,
        full=full,
    )
    exam = Exam("BENCH", "Benchmark", "", "", None, "en", Policy(), items, candidates)
    answered = RESPONSE_STATUSES.index(ResponseStatus.ANSWERED)
    responses = ResponseTable(
        candidates=matrix.candidates,
        items=matrix.items,
        values=np.array(LABELS)[chosen],
        status=np.full(chosen.shape, answered, dtype=np.uint8),
    )
    return exam, matrix, responses
