"""From scores and statistics to what reports say: every figure is rounded here, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from functools import cached_property

import numpy as np

from inkmark.analytics import exam_cohort, option_shares
from inkmark.analytics.model import Analysis, FloatArray, GroupKind, OptionShares, Standing
from inkmark.exam import Candidate, Exam, Item, join_labels
from inkmark.marking import ScoreMatrix, ScoreRecord, ScoreStatus
from inkmark.reports import figures
from inkmark.reports.comments import student_comments
from inkmark.reports.model import (
    Band,
    Cut,
    GroupItem,
    GroupPoint,
    GroupTable,
    ItemTable,
    LeftOut,
    Level,
    OptionTable,
    Outcome,
    PointTable,
    Report,
    ReportHead,
    ReportOptions,
    StudentItem,
    StudentPoint,
    StudentTable,
    TestTable,
)

__all__ = ["ITEM_FLAGS", "build_report"]

ITEM_FLAGS = (
    "too_easy",
    "too_hard",
    "negative",
    "low_discrimination",
    "nobody",
    "upper_prefers",
)
"""Notes on an item: facility above .90 or below .20, discrimination below 0 or below .20,
an option that nobody chose, a wrong option that more of the upper than of the lower group
chose. Those on facility and discrimination follow from the figures as shown."""


def build_report(
    exam: Exam,
    records: Sequence[ScoreRecord],
    analysis: Analysis,
    options: ReportOptions | None = None,
) -> Report:
    """Decide what the reports of an exam say.

    Parameters
    ----------
    exam : Exam
    records : sequence of ScoreRecord
        What each candidate got on each item; those of candidates or items that are not in
        the analysis are not looked at.
    analysis : Analysis
        Statistics of the same scores.
    options : ReportOptions or None

    Returns
    -------
    Report
        Figures are rounded half up; the PDF, xlsx and JSON writers show them as they are.
    """
    source = _Source.of(exam, records, analysis, options or ReportOptions())
    head = _head(source)
    groups = tuple(_group(source, row) for row in range(len(analysis.groups.groups)))
    students = []
    for row in range(len(analysis.candidates.candidates)):
        student = _student(source, head, row)
        students.append(replace(student, comments=student_comments(head, student)))
    return Report(
        head=head,
        test=TestTable(
            discrimination=figures.index(analysis.test.discrimination),
            alpha=figures.index(analysis.test.alpha),
            split_half=figures.index(analysis.test.split_half),
            sem=figures.mean(analysis.test.sem),
        ),
        items=_item_tables(source),
        points=_point_tables(source),
        everybody=groups[0],
        schools=tuple(group for group in groups if group.kind is GroupKind.SCHOOL),
        classes=tuple(group for group in groups if group.kind is GroupKind.CLASS),
        students=tuple(students),
    )


@dataclass(frozen=True)
class _Source:
    """What a report is made from; the items are those of the analysis, in its order."""

    exam: Exam
    items: tuple[Item, ...]
    people: Mapping[str, Candidate]
    records: Mapping[str, Mapping[str, ScoreRecord]]
    analysis: Analysis
    options: ReportOptions

    @classmethod
    def of(
        cls,
        exam: Exam,
        records: Sequence[ScoreRecord],
        analysis: Analysis,
        options: ReportOptions,
    ) -> _Source:
        by_number = {item.number: item for item in exam.items}
        by_candidate: dict[str, dict[str, ScoreRecord]] = {}
        for record in records:
            by_candidate.setdefault(record.candidate, {})[record.item] = record
        return cls(
            exam=exam,
            items=tuple(by_number[number] for number in analysis.items.items),
            people={candidate.number: candidate for candidate in exam.candidates},
            records=by_candidate,
            analysis=analysis,
            options=options,
        )

    @cached_property
    def group_options(self) -> tuple[Mapping[int, tuple[OptionTable, ...]], ...]:
        """By group row and by item: who chose which option in the group."""
        if self.analysis.options is None:
            return tuple({} for _ in self.analysis.groups.groups)
        people = self.analysis.candidates
        grid = [
            [self.records.get(number, {}).get(item.number) for item in self.items]
            for number in people.candidates
        ]
        scores = np.array(
            [[_float(record) for record in row] for row in grid], dtype=np.float64
        ).reshape(len(grid), len(self.items))
        values = np.array(
            [["" if record is None else record.value for record in row] for row in grid],
            dtype=np.str_,
        ).reshape(scores.shape)
        absent = {
            record.candidate
            for row in grid
            for record in row
            if record is not None and record.status == ScoreStatus.ABSENT
        }
        tables = [_option_tables(self.analysis.options)]
        for row, group in enumerate(self.analysis.groups.groups[1:], start=1):
            rows_of = people.school_row if group.kind is GroupKind.SCHOOL else people.class_row
            own = np.flatnonzero(rows_of == row)
            matrix = ScoreMatrix(
                tuple(people.candidates[place] for place in own),
                self.analysis.items.items,
                scores[own],
                self.analysis.items.full,
            )
            shares = option_shares(
                exam_cohort(
                    self.exam, matrix, absent=[number in absent for number in matrix.candidates]
                ),
                values[own],
                [item.options for item in self.items],
                [item.key for item in self.items],
            )
            tables.append(_option_tables(shares))
        return tuple(tables)


def _float(record: ScoreRecord | None) -> float:
    return float("nan") if record is None or record.points is None else float(record.points)


def _head(source: _Source) -> ReportHead:
    exam, policy, options = source.exam, source.exam.policy, source.options
    full = source.analysis.full_mark
    shares = (
        ("excellent", policy.excellent),
        ("good", policy.good),
        ("passing", policy.passing),
        ("low", policy.low),
    )
    schools = [g for g in source.analysis.groups.groups if g.kind is GroupKind.SCHOOL]
    return ReportHead(
        exam=exam.id,
        title=exam.title,
        subject=exam.subject,
        grade=exam.grade,
        language=exam.language,
        date=exam.date,
        made=options.made,
        full=figures.points(full),
        cuts=tuple(
            # Points have two decimals, so the next hundredth up is reached by the same totals.
            Cut(
                name,
                share,
                figures.points((share * full).quantize(Decimal("0.01"), ROUND_CEILING)),
            )
            for name, share in shares
        ),
        joint=len(schools) > 1,
        absent_as_zero=policy.absent_as_zero,
        compare=options.compare,
        include_ranks=options.include_ranks,
    )


def _item_tables(source: _Source) -> tuple[ItemTable, ...]:
    stats = source.analysis.items
    tables = []
    for column, item in enumerate(source.items):
        table = ItemTable(
            number=item.number,
            type=str(item.type),
            knowledge=_knowledge(item),
            key=_key(item),
            full=figures.points(item.points),
            counted=int(stats.n[column]),
            mean=figures.mean(stats.mean[column]),
            facility=figures.share(stats.facility[column]),
            full_rate=figures.share(stats.full_rate[column]),
            zero_rate=figures.share(stats.zero_rate[column]),
            lost_share=figures.share(stats.lost_share[column]),
            discrimination=figures.index(stats.discrimination[column]),
            item_rest=figures.index(stats.item_rest[column]),
            options=source.group_options[0].get(column, ()),
            flags=(),
        )
        noted = (*_item_flags(table), *_option_flags(source.analysis.options, column))
        tables.append(replace(table, flags=noted))
    return tuple(tables)


def _item_flags(item: ItemTable) -> tuple[str, ...]:
    flags = []
    if item.facility is not None and item.facility > Decimal("0.9"):
        flags.append("too_easy")
    if item.facility is not None and item.facility < Decimal("0.2"):
        flags.append("too_hard")
    if item.discrimination is not None and item.discrimination < 0:
        flags.append("negative")
    elif item.discrimination is not None and item.discrimination < Decimal("0.2"):
        flags.append("low_discrimination")
    return tuple(flags)


def _option_flags(shares: OptionShares | None, column: int) -> tuple[str, ...]:
    if shares is None:
        return ()
    here = shares.item == column
    flags = []
    if (shares.nobody & here).any():
        flags.append("nobody")
    if (shares.upper_prefers & here).any():
        flags.append("upper_prefers")
    return tuple(flags)


def _option_tables(shares: OptionShares) -> dict[int, tuple[OptionTable, ...]]:
    """By column of the item: its options in printed order, then blank."""
    tables: dict[int, tuple[OptionTable, ...]] = {}
    for row, option in enumerate(shares.option):
        column = int(shares.item[row])
        table = OptionTable(
            option=option,
            keyed=bool(shares.keyed[row]),
            share=figures.share(shares.share[row]),
            upper=figures.share(shares.upper[row]),
            lower=figures.share(shares.lower[row]),
        )
        tables[column] = (*tables.get(column, ()), table)
    return tables


def _point_tables(source: _Source) -> tuple[PointTable, ...]:
    mastery, weights = source.analysis.group_mastery, source.analysis.knowledge.weights
    return tuple(
        PointTable(
            name=name,
            items=tuple(
                source.items[row].number for row in np.flatnonzero(weights[:, column]).tolist()
            ),
            full=_certain(mastery.full[column]),
            enough=bool(mastery.enough[column]),
        )
        for column, name in enumerate(mastery.points)
    )


def _group(source: _Source, row: int) -> GroupTable:
    analysis, most = source.analysis, source.options.most_listed
    group, stats = analysis.groups.groups[row], analysis.groups
    items = _group_items(source, row)
    known = sorted(
        (item for item in items if item.facility is not None),
        key=lambda item: item.facility or Decimal(0),
    )
    return GroupTable(
        kind=group.kind,
        name=group.class_name if group.kind is GroupKind.CLASS else group.school,
        school=group.school,
        registered=int(stats.registered[row]),
        counted=int(stats.n[row]),
        absent=int(stats.n_absent[row]),
        no_scores=int(stats.n_no_scores[row]),
        incomplete=int(stats.n_incomplete[row]),
        mean=figures.mean(stats.mean[row]),
        rate=figures.share(stats.rate[row]),
        sd=figures.mean(stats.sd[row]),
        median=figures.mean(stats.median[row]),
        highest=figures.points(stats.maximum[row]),
        lowest=figures.points(stats.minimum[row]),
        gap=figures.mean(stats.difference[row]),
        relative_gap=figures.share(stats.relative_difference[row]),
        excellent=figures.share(stats.excellent[row]),
        good=figures.share(stats.good[row]),
        passing=figures.share(stats.passing[row]),
        low=figures.share(stats.low[row]),
        bands=_bands(analysis, row),
        items=items,
        points=_group_points(analysis, row),
        hardest=tuple(item.number for item in known[:most]),
        weak=tuple(
            analysis.group_mastery.points[column]
            for column in analysis.group_mastery.weak[row][:most]
        ),
        left_out=_left_out(source, row),
    )


def _group_items(source: _Source, row: int) -> tuple[GroupItem, ...]:
    stats = source.analysis.group_items
    return tuple(
        GroupItem(
            number=item.number,
            counted=int(stats.n[row, column]),
            facility=figures.share(stats.facility[row, column]),
            gap=figures.share(stats.difference[row, column]),
            full_rate=figures.share(stats.full_rate[row, column]),
            zero_rate=figures.share(stats.zero_rate[row, column]),
            lost_share=figures.share(stats.lost_share[row, column]),
            options=source.group_options[row].get(column, ()),
        )
        for column, item in enumerate(source.items)
    )


def _group_points(analysis: Analysis, row: int) -> tuple[GroupPoint, ...]:
    stats = analysis.group_mastery
    return tuple(
        GroupPoint(
            name=name,
            counted=int(stats.n[row, column]),
            rate=figures.share(stats.rate[row, column]),
            gap=figures.share(stats.difference[row, column]),
            below=figures.share(stats.below[row, column]),
            weak=column in stats.weak[row],
        )
        for column, name in enumerate(stats.points)
    )


def _bands(analysis: Analysis, row: int) -> tuple[Band, ...]:
    bands = analysis.bands
    shares, above = bands.shares, bands.at_or_above
    return tuple(
        Band(
            lower=_certain(bands.edges[column]),
            upper=_certain(bands.edges[column + 1]),
            count=int(bands.counts[row, column]),
            share=figures.share(shares[row, column]),
            above=int(above[row, column]),
        )
        for column in range(bands.counts.shape[1])
    )


def _left_out(source: _Source, row: int) -> tuple[LeftOut, ...]:
    people = source.analysis.candidates
    kind = source.analysis.groups.groups[row].kind
    rows = {GroupKind.SCHOOL: people.school_row, GroupKind.CLASS: people.class_row}.get(kind)
    return tuple(
        LeftOut(number, source.people.get(number, Candidate(number)).name, Standing(standing))
        for place, (number, standing) in enumerate(
            zip(people.candidates, people.standing, strict=True)
        )
        if standing != Standing.COUNTED and (rows is None or rows[place] == row)
    )


@dataclass(frozen=True, slots=True)
class _Reference:
    """Group rows to compare a student with; None where the report does not compare."""

    own_class: int | None
    grade: int | None


def _student(source: _Source, head: ReportHead, row: int) -> StudentTable:
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
    return StudentTable(
        candidate=number,
        name=person.name,
        class_name=person.class_name,
        school=person.school,
        standing=standing,
        score=score,
        rate=None if score is None else figures.share(score / head.full),
        level=None if score is None else _level(score, head),
        marked_points=sum((i.points for i in marked if i.points is not None), Decimal(0)),
        marked_full=sum((item.full for item in marked), Decimal(0)),
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


def _student_items(source: _Source, number: str, reference: _Reference) -> tuple[StudentItem, ...]:
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
                knowledge=_knowledge(item),
                answer=answer,
                key=_key(item),
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
    source: _Source, row: int, items: Sequence[StudentItem], reference: _Reference
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
                points=_certain(mastery.gained[row, column]),
                full=_certain(mastery.possible[row, column]),
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


def _knowledge(item: Item) -> tuple[str, ...]:
    return tuple(name for name, _ in item.knowledge)


def _key(item: Item) -> str:
    if item.type.is_objective:
        return join_labels(item.key, item.options)
    return " / ".join(item.key)


def _share_at(table: FloatArray, row: int | None, column: int) -> Decimal | None:
    return None if row is None else figures.share(table[row, column])


def _certain(value: float) -> Decimal:
    """Points from an array that holds no NaN."""
    return figures.points(Decimal(float(value)))
