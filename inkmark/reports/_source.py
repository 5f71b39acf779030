"""What a report is made from, brought together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from inkmark.analytics import exam_cohort, option_shares
from inkmark.analytics.model import Analysis, GroupKind, OptionShares
from inkmark.exam import Candidate, Exam, Item, printed_value
from inkmark.exam.answers import parse_answer
from inkmark.marking import ScoreMatrix, ScoreRecord, ScoreStatus
from inkmark.reports import figures
from inkmark.reports.model import OptionTable, ReportOptions

__all__ = ["Source", "certain_points", "key_text", "knowledge_names"]


@dataclass(frozen=True)
class Source:
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
    ) -> Source:
        """Bring the parts together."""
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

    @property
    def states_indices(self) -> bool:
        """Whether enough candidates are counted for indices of the items and the paper."""
        return int(self.analysis.groups.n[0]) >= self.options.indices_floor

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


def knowledge_names(item: Item) -> tuple[str, ...]:
    """Knowledge points of an item."""
    return tuple(name for name, _ in item.knowledge)


def key_text(item: Item, language: str) -> str:
    """The key of an item in the labels of the sheet; empty for a subjective item."""
    if item.type.is_objective:
        return printed_value(item, item.key_value, language)
    return " / ".join(parse_answer(answer).printed for answer in item.key)


def certain_points(value: float) -> Decimal:
    """Points from an array that holds no NaN."""
    return figures.points(Decimal(float(value)))
