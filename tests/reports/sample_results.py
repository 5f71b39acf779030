"""An invented exam with invented results, as large and as odd as a test wants it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from inkmark.analytics import Analysis, analyse
from inkmark.exam import Candidate, Exam, Item, ItemType, Policy, RuleKind, ScoringRule, format_rule
from inkmark.marking import (
    Response,
    ResponseStatus,
    ResponseTable,
    ScoreMatrix,
    ScoreRecord,
    ScoreStatus,
)
from inkmark.reports import Report, ReportOptions, build_report

POINTS = {
    "zh": ("集合与逻辑", "函数的性质", "三角函数", "平面向量", "数列", "不等式", "立体几何"),
    "en": ("Sets", "Functions", "Trigonometry", "Vectors", "Sequences", "Inequalities", "Solids"),
}


RESPONSES = {
    ScoreStatus.SCORED: ResponseStatus.ANSWERED,
    ScoreStatus.PENDING: ResponseStatus.PENDING,
    ScoreStatus.ABSENT: ResponseStatus.ABSENT,
    ScoreStatus.MISSING: ResponseStatus.MISSING,
}


@dataclass(frozen=True)
class Spec:
    """What the sample is like."""

    language: str = "zh"
    n: int = 24
    m: int = 20
    classes: int = 2
    schools: int = 1
    n_points: int = 5
    absent: int = 1
    pending: int = 2
    negative: bool = False
    long_names: bool = False
    seed: int = 7
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Results:
    exam: Exam
    records: tuple[ScoreRecord, ...]
    analysis: Analysis

    def report(self, **options: object) -> Report:
        chosen = ReportOptions(made=dt.date(2026, 11, 21), **options)
        return build_report(self.exam, self.records, self.analysis, chosen)


def make_results(spec: Spec = Spec(), **changes: object) -> Results:
    spec = replace(spec, **changes)
    rng = np.random.default_rng(spec.seed)
    exam = _exam(spec)
    ability = rng.normal(0.4, 1.0, spec.n)
    difficulty = rng.normal(-0.2, 1.1, spec.m)
    order = rng.permutation(spec.n)
    away = set(order[: spec.absent].tolist())
    waiting = set(order[spec.absent : spec.absent + spec.pending].tolist())
    records = []
    for row, person in enumerate(exam.candidates):
        for column, item in enumerate(exam.items):
            chance = 1 / (1 + np.exp(-1.3 * (ability[row] - difficulty[column])))
            points, value = _answer(item, chance, rng)
            status = ScoreStatus.SCORED
            if row in away:
                points, value, status = None, "", ScoreStatus.ABSENT
            elif row in waiting and column in (1, spec.m - 1):
                points, value, status = None, "", ScoreStatus.PENDING
            key = "".join(item.key) if item.type.is_objective else " / ".join(item.key)
            rule = format_rule(item.rule)
            records.append(
                ScoreRecord(
                    person.number, item.number, points, item.points, value, status, rule, key
                )
            )
    return analysed(exam, tuple(records))


def analysed(exam: Exam, records: tuple[ScoreRecord, ...]) -> Results:
    responses = ResponseTable.from_responses(
        Response(r.candidate, r.item, r.value, RESPONSES[r.status]) for r in records
    )
    return Results(exam, records, analyse(exam, ScoreMatrix.from_records(records), responses))


def _exam(spec: Spec) -> Exam:
    names = POINTS[spec.language]
    points = [
        names[place % len(names)] + (f" {place // len(names) + 1}" if place >= len(names) else "")
        for place in range(spec.n_points)
    ]
    items = []
    for place in range(spec.m):
        own = ((points[place % spec.n_points], Decimal(1)),) if points else ()
        if points and spec.n_points > 1 and place % 4 == 3:
            half = Decimal("0.5")
            own = ((own[0][0], half), (points[(place + 1) % spec.n_points], half))
        items.append(_item(place, place / spec.m, own, negative=spec.negative))
    people = []
    for place in range(spec.n):
        name = f"学生{place + 1}" if spec.language == "zh" else f"Student {place + 1}"
        if spec.long_names and place % 3 == 0:
            name = (
                "阿卜杜热西提·买买提依明·努尔艾合买提江·阿不都拉"
                if spec.language == "zh"
                else "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
            )
        number = place * spec.classes // spec.n + 1
        school = place * spec.schools // spec.n + 1
        people.append(
            Candidate(
                f"26{place + 1:04d}",
                name,
                f"九年级{number}班" if spec.language == "zh" else f"Class 9.{number}",
                f"第{school}中学" if spec.language == "zh" else f"School {school}",
            )
        )
    zh = spec.language == "zh"
    return Exam(
        id="MATH-2026",
        title="期中数学质量监测" if zh else "Mid-term mathematics",
        subject="数学" if zh else "Mathematics",
        grade="九年级" if zh else "Year 9",
        date=dt.date(2026, 11, 12),
        language=spec.language,
        policy=spec.policy,
        items=tuple(items),
        candidates=tuple(people),
    )


def _item(
    place: int, part: float, knowledge: tuple[tuple[str, Decimal], ...], *, negative: bool
) -> Item:
    number = str(place + 1) if place % 9 != 8 else f"{place + 1}(1)"
    exact = ScoringRule()
    if part < 0.5:
        rule = ScoringRule(RuleKind.NEGATIVE, Decimal("0.5")) if negative else exact
        key = ("ABCD"[place * 7 % 4],)
        return Item(number, ItemType.SINGLE, tuple("ABCD"), key, Decimal(2), rule, knowledge)
    if part < 0.7:
        rule = ScoringRule(RuleKind.HALF)
        return Item(
            number, ItemType.MULTIPLE, tuple("ABCDE"), ("A", "C"), Decimal(3), rule, knowledge
        )
    if part < 0.8:
        return Item(number, ItemType.TRUE_FALSE, ("T", "F"), ("T",), Decimal(1), exact, knowledge)
    if part < 0.9:
        return Item(number, ItemType.FILL_IN, (), ("3.5", "7/2"), Decimal("2.5"), exact, knowledge)
    return Item(number, ItemType.SUBJECTIVE, (), (), Decimal(8), exact, knowledge)


def _answer(item: Item, chance: float, rng: np.random.Generator) -> tuple[Decimal, str]:
    luck = rng.random()
    if item.type is ItemType.SUBJECTIVE:
        return Decimal(int(rng.binomial(16, chance))) / 2, ""
    if item.type is ItemType.FILL_IN:
        return (item.points, "3.5") if luck < chance else (Decimal(0), "-x+2")
    if luck < chance:
        return item.points, "".join(item.key)
    if luck > 0.96:
        return Decimal(0), ""
    if item.type is ItemType.MULTIPLE:
        return (item.points / 2, "A") if luck < chance + 0.2 else (Decimal(0), "ABE")
    wrong = [option for option in item.options if option not in item.key]
    loss = item.rule.points if item.rule.kind is RuleKind.NEGATIVE else Decimal(0)
    return -loss, wrong[int(rng.integers(len(wrong)))]
