"""From scores and statistics to what reports say: every figure is rounded here, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import numpy as np

from inkmark.analytics.model import Analysis, GroupKind, OptionShares, Standing
from inkmark.exam import Candidate, Exam
from inkmark.marking import ScoreRecord
from inkmark.reports import figures
from inkmark.reports._source import Source, certain_points, key_text, knowledge_names
from inkmark.reports._students import student_table
from inkmark.reports.model import (
    Band,
    Cut,
    GroupItem,
    GroupPoint,
    GroupTable,
    ItemTable,
    LeftOut,
    PointTable,
    Report,
    ReportHead,
    ReportOptions,
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
    source = Source.of(exam, records, analysis, options or ReportOptions())
    head = _head(source)
    groups = tuple(_group(source, row) for row in range(len(analysis.groups.groups)))
    return Report(
        head=head,
        test=(
            TestTable(
                discrimination=figures.index(analysis.test.discrimination),
                alpha=figures.index(analysis.test.alpha),
                split_half=figures.index(analysis.test.split_half),
                sem=figures.mean(analysis.test.sem),
            )
            if source.states_indices
            else TestTable(discrimination=None, alpha=None, split_half=None, sem=None)
        ),
        items=_item_tables(source),
        points=_point_tables(source),
        everybody=groups[0],
        schools=tuple(group for group in groups if group.kind is GroupKind.SCHOOL),
        classes=tuple(group for group in groups if group.kind is GroupKind.CLASS),
        students=tuple(
            student_table(source, head, row) for row in range(len(analysis.candidates.candidates))
        ),
    )


def _head(source: Source) -> ReportHead:
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
        indices_floor=options.indices_floor,
    )


def _item_tables(source: Source) -> tuple[ItemTable, ...]:
    stats = source.analysis.items
    stated = source.states_indices
    tables = []
    for column, item in enumerate(source.items):
        table = ItemTable(
            number=item.number,
            type=str(item.type),
            knowledge=knowledge_names(item),
            key=key_text(item, source.exam.language),
            full=figures.points(item.points),
            counted=int(stats.n[column]),
            mean=figures.mean(stats.mean[column]),
            facility=figures.share(stats.facility[column]),
            full_rate=figures.share(stats.full_rate[column]),
            zero_rate=figures.share(stats.zero_rate[column]),
            lost_share=figures.share(stats.lost_share[column]),
            discrimination=figures.index(stats.discrimination[column]) if stated else None,
            item_rest=figures.index(stats.item_rest[column]) if stated else None,
            options=source.group_options[0].get(column, ()),
            flags=(),
        )
        if table.counted >= source.options.notes_floor:
            noted = (*_item_flags(table), *_option_flags(source.analysis.options, column))
            table = replace(table, flags=noted)
        tables.append(table)
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


def _point_tables(source: Source) -> tuple[PointTable, ...]:
    mastery, weights = source.analysis.group_mastery, source.analysis.knowledge.weights
    return tuple(
        PointTable(
            name=name,
            items=tuple(
                source.items[row].number for row in np.flatnonzero(weights[:, column]).tolist()
            ),
            full=certain_points(mastery.full[column]),
            enough=bool(mastery.enough[column]),
        )
        for column, name in enumerate(mastery.points)
    )


def _group(source: Source, row: int) -> GroupTable:
    analysis, most = source.analysis, source.options.most_listed
    group, stats = analysis.groups.groups[row], analysis.groups
    items = _group_items(source, row)
    known = sorted(
        (item for item in items if item.facility is not None and item.facility < 1),
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


def _group_items(source: Source, row: int) -> tuple[GroupItem, ...]:
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
            lower=certain_points(bands.edges[column]),
            upper=certain_points(bands.edges[column + 1]),
            count=int(bands.counts[row, column]),
            share=figures.share(shares[row, column]),
            above=int(above[row, column]),
        )
        for column in range(bands.counts.shape[1])
    )


def _left_out(source: Source, row: int) -> tuple[LeftOut, ...]:
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
