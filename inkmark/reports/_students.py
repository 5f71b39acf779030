"""What a student report says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from inkmark.analytics.model import FloatArray, Standing
from inkmark.exam import Candidate, Item, printed_value
from inkmark.marking import ScoreRecord, ScoreStatus
from inkmark.reports import figures
from inkmark.reports._source import Source, certain_points, key_text, knowledge_names
from inkmark.reports.comments import student_comments
from inkmark.reports.model import (
    Level,
    Outcome,
    ReportHead,
    StudentItem,
    StudentPoint,
    StudentTable,
)

__all__ = ["student_table"]


def student_table(source: Source, head: ReportHead, row: int) -> StudentTable:
    """Everything the report on the candidate in a row of the score matrix says."""
    people, groups = source.analysis.candidates, source.analysis.groups
    number = people.candidates[row]
    person = source.people.get(number, Candidate(number))
    standing = Standing(people.standing[row])
    score = figures.points(float(people.total[row]))
    class_row = int(people.class_row[row])
    class_counted = int(groups.n[class_row]) if class_row >= 0 else 0
    compare = source.options.compare
    many = class_counted >= source.options.compare_floor
    reference = _Reference(class_row if compare and many else None, 0 if compare else None)
    items = _student_items(source, number, reference)
    marked = [item for item in items if item.points is not None]
    ranked = source.options.include_ranks and standing is Standing.COUNTED
    student = StudentTable(
        candidate=number,
        name=person.name,
        class_name=person.class_name,
        school=person.school,
        standing=standing,
        score=score,
        rate=None if score is None else figures.share(score / head.full),
        level=None if score is None else _level(score, head),
        marked_points=figures.total(i.points for i in marked),
        marked_full=figures.total(item.full for item in marked),
        class_mean=None if reference.own_class is None else figures.mean(groups.mean[class_row]),
        grade_mean=None if reference.grade is None else figures.mean(groups.mean[0]),
        class_counted=class_counted,
        grade_counted=int(groups.n[0]),
        class_rank=int(people.class_rank[row]) or None if ranked else None,
        grade_rank=int(people.rank[row]) or None if ranked else None,
        items=items,
        points=_student_points(source, row, items, reference),
        comments=(),
    )
    return replace(student, comments=student_comments(head, student))


def _student_items(source: Source, number: str, reference: _Reference) -> tuple[StudentItem, ...]:
    facility = source.analysis.group_items.facility
    records = source.records.get(number, {})
    items = []
    for column, item in enumerate(source.items):
        record = records.get(item.number)
        gained = None if record is None else record.points
        answer = "" if record is None else record.value
        scored = record is not None and record.status == ScoreStatus.SCORED
        items.append(
            StudentItem(
                number=item.number,
                knowledge=knowledge_names(item),
                answer=(
                    printed_value(item, answer, source.exam.language)
                    if item.type.is_objective
                    else answer
                ),
                key=key_text(item, source.exam.language),
                keyed=item.key if item.type.is_objective else (),
                points=None if gained is None else figures.points(gained),
                full=figures.points(item.points),
                lost=None if gained is None else figures.points(item.points - gained),
                class_rate=_share_at(facility, reference.own_class, column),
                grade_rate=_share_at(facility, reference.grade, column),
                outcome=_outcome(record, item),
                blank=item.type.is_objective and scored and not answer,
            )
        )
    return tuple(items)


def _outcome(record: ScoreRecord | None, item: Item) -> Outcome:
    if record is None or record.points is None:
        pending = record is not None and record.status == ScoreStatus.PENDING
        return Outcome.PENDING if pending else Outcome.NOT_PRESENTED
    if record.points >= item.points:
        return Outcome.FULL
    return Outcome.PART if record.points > 0 else Outcome.NONE


def _student_points(
    source: Source, row: int, items: Sequence[StudentItem], reference: _Reference
) -> tuple[StudentPoint, ...]:
    mastery, rates = source.analysis.mastery, source.analysis.group_mastery.rate
    weights = source.analysis.knowledge.weights
    points = []
    for column, name in enumerate(mastery.points):
        enough = bool(mastery.enough[row, column])
        points.append(
            StudentPoint(
                name=name,
                items=tuple(
                    items[place].number
                    for place in np.flatnonzero(weights[:, column]).tolist()
                    if items[place].points is not None
                ),
                # Negative sums count as 0, here as in the rate that stands beside.
                points=certain_points(max(0.0, mastery.gained[row, column])),
                full=certain_points(mastery.possible[row, column]),
                mastery=figures.share(mastery.rate[row, column]) if enough else None,
                low=figures.share(mastery.low[row, column]) if enough else None,
                high=figures.share(mastery.high[row, column]) if enough else None,
                class_rate=_share_at(rates, reference.own_class, column),
                grade_rate=_share_at(rates, reference.grade, column),
            )
        )
    return tuple(points)


def _level(score: Decimal, head: ReportHead) -> Level:
    cuts = {cut.name: cut.points for cut in head.cuts}
    if score >= cuts["excellent"]:
        return Level.EXCELLENT
    if score >= cuts["good"]:
        return Level.GOOD
    return Level.PASS if score >= cuts["passing"] else Level.DEVELOPING


def _share_at(table: FloatArray, row: int | None, column: int) -> Decimal | None:
    return None if row is None else figures.share(table[row, column])


@dataclass(frozen=True, slots=True)
class _Reference:
    """Group rows to compare a student with; None where the report does not compare."""

    own_class: int | None
    grade: int | None
