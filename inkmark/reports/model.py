"""What reports say, as plain values: every figure here is rounded and ready to show.

Shares are of one (``Decimal("0.635")`` is shown as 63.5 %), points are points. None is "no
figure": nobody counted, or not stated on purpose. A writer shows these values and computes
nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inkmark.analytics.model import GroupKind, Standing

__all__ = [
    "Band",
    "Comment",
    "Cut",
    "Figure",
    "GroupItem",
    "GroupPoint",
    "GroupTable",
    "ItemTable",
    "LeftOut",
    "Level",
    "OptionTable",
    "Outcome",
    "PointTable",
    "Report",
    "ReportHead",
    "ReportOptions",
    "StudentItem",
    "StudentPoint",
    "StudentTable",
    "TestTable",
]


class Outcome(StrEnum):
    """How an item went."""

    FULL = "full"
    PART = "part"
    NONE = "none"
    PENDING = "pending"
    NOT_PRESENTED = "not presented"


class Level(StrEnum):
    """Level of a total by the thresholds of the exam's policy."""

    EXCELLENT = "excellent"
    GOOD = "good"
    PASS = "pass"  # noqa: S105 - an exam is passed
    DEVELOPING = "developing"
    """Below the pass threshold."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the reports contain.

    Attributes
    ----------
    compare : bool
        Whether student reports show class and grade figures beside the student's own.
    include_ranks : bool
        Whether scores come with ranks. Off by default: schools of compulsory education in
        China may not publish them.
    compare_floor : int
        Fewest candidates counted in a class for its figures to stand in student reports;
        in a smaller one they would give a classmate's score away.
    notes_floor : int
        Fewest candidates on an item from which there are notes on it; of fewer, the upper
        and lower groups say next to nothing.
    indices_floor : int
        Fewest candidates counted from which alpha, split half, standard error,
        discrimination and item correlations are stated; of fewer they are chance.
    made : datetime.date or None
        Date printed on the reports; none is printed where it is not given.
    most_listed : int
        How many weak points and hardest items a class report lists.
    """

    compare: bool = True
    include_ranks: bool = False
    compare_floor: int = 5
    notes_floor: int = 20
    indices_floor: int = 10
    made: dt.date | None = None
    most_listed: int = 8


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold of the policy: a share of the full mark, and the points that reach it."""

    name: str
    share: Decimal
    points: Decimal


@dataclass(frozen=True, slots=True)
class ReportHead:
    """What all reports of an exam have in common.

    Attributes
    ----------
    exam, title, subject, grade, language : str
    date, made : datetime.date or None
        Date of the exam and of the reports.
    full : Decimal
        Full mark.
    cuts : tuple of Cut
        ``excellent``, ``good``, ``passing`` and ``low``, in this order.
    joint : bool
        Whether several schools took the exam.
    absent_as_zero, compare, include_ranks : bool
    indices_floor : int
        See `ReportOptions`.
    """

    exam: str
    title: str
    subject: str
    grade: str
    language: str
    date: dt.date | None
    made: dt.date | None
    full: Decimal
    cuts: tuple[Cut, ...]
    joint: bool
    absent_as_zero: bool
    compare: bool
    include_ranks: bool
    indices_floor: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that a sentence rests on: its name, and how it is shown."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A sentence and the figures it rests on.

    Attributes
    ----------
    key : str
        Which sentence this is, stable over languages.
    text : str
    figures : tuple of Figure
    """

    key: str
    text: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class StudentItem:
    """One item of one candidate.

    Attributes
    ----------
    number : str
    knowledge : tuple of str
    answer, key : str
        As shown; empty where there is none (a subjective item has no key).
    keyed : tuple of str
        Options of the key; empty for an item without options.
    points : Decimal or None
    full : Decimal
    lost : Decimal or None
        Full mark less own points.
    class_rate, grade_rate : Decimal or None
        Facility in the class and in the grade.
    outcome : Outcome
    blank : bool
        Whether the place for the answer was left empty.
    """

    number: str
    knowledge: tuple[str, ...]
    answer: str
    key: str
    keyed: tuple[str, ...]
    points: Decimal | None
    full: Decimal
    lost: Decimal | None
    class_rate: Decimal | None
    grade_rate: Decimal | None
    outcome: Outcome
    blank: bool


@dataclass(frozen=True, slots=True)
class StudentPoint:
    """One knowledge point of one candidate.

    Attributes
    ----------
    name : str
    items : tuple of str
        Numbers of the items that test it and are scored.
    points, full : Decimal
        Weighted points gained and possible; a negative sum counts as 0, as in `mastery`.
    mastery, low, high : Decimal or None
        Share gained and its interval; None without enough evidence.
    class_rate, grade_rate : Decimal or None
    """

    name: str
    items: tuple[str, ...]
    points: Decimal
    full: Decimal
    mastery: Decimal | None
    low: Decimal | None
    high: Decimal | None
    class_rate: Decimal | None
    grade_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class StudentTable:
    """One candidate's report.

    Attributes
    ----------
    candidate, name, class_name, school : str
    standing : Standing
    score, rate : Decimal or None
        Total and its share of the full mark; None unless counted.
    level : Level or None
    marked_points, marked_full : Decimal
        Points on the items that are decided, and their full mark.
    class_mean, grade_mean : Decimal or None
    class_counted, grade_counted : int
    class_rank, grade_rank : int or None
        Competition ranking (1, 1, 3); None unless ranks are asked for.
    items : tuple of StudentItem
    points : tuple of StudentPoint
    comments : tuple of Comment
    """

    candidate: str
    name: str
    class_name: str
    school: str
    standing: Standing
    score: Decimal | None
    rate: Decimal | None
    level: Level | None
    marked_points: Decimal
    marked_full: Decimal
    class_mean: Decimal | None
    grade_mean: Decimal | None
    class_counted: int
    grade_counted: int
    class_rank: int | None
    grade_rank: int | None
    items: tuple[StudentItem, ...]
    points: tuple[StudentPoint, ...]
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A score band from `lower` on to below `upper`; the top band includes `upper`.

    `above` counts the candidates in this band or a higher one.
    """

    lower: Decimal
    upper: Decimal
    count: int
    share: Decimal | None
    above: int


@dataclass(frozen=True, slots=True)
class OptionTable:
    """Who chose an option: shares of all, of the upper and of the lower 27 % group.

    `option` is empty for those who left the item blank.
    """

    option: str
    keyed: bool
    share: Decimal | None
    upper: Decimal | None
    lower: Decimal | None


@dataclass(frozen=True, slots=True)
class ItemTable:
    """One item over all candidates.

    Attributes
    ----------
    number, type : str
    knowledge : tuple of str
    key : str
    full : Decimal
    counted : int
        Candidates with points on the item.
    mean, facility, full_rate, zero_rate : Decimal or None
    lost_share : Decimal or None
        Part of all points lost on the paper that was lost here.
    discrimination, item_rest : Decimal or None
        By the 27 % groups over the full mark, and by correlation with the rest of the paper.
    options : tuple of OptionTable
    flags : tuple of str
        Keys of the notes on the item, see `inkmark.reports.tables.ITEM_FLAGS`.
    """

    number: str
    type: str
    knowledge: tuple[str, ...]
    key: str
    full: Decimal
    counted: int
    mean: Decimal | None
    facility: Decimal | None
    full_rate: Decimal | None
    zero_rate: Decimal | None
    lost_share: Decimal | None
    discrimination: Decimal | None
    item_rest: Decimal | None
    options: tuple[OptionTable, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PointTable:
    """One knowledge point on the paper: the items that test it and their weighted points.

    `enough` tells whether the paper has enough of it for a statement on mastery.
    """

    name: str
    items: tuple[str, ...]
    full: Decimal
    enough: bool


@dataclass(frozen=True, slots=True)
class GroupItem:
    """One item in one group; `gap` is the facility less that of everybody.

    `counted` are the candidates with points on the item, also those without a total.
    The upper and lower groups of its `options` are those of the group itself.
    """

    number: str
    counted: int
    facility: Decimal | None
    gap: Decimal | None
    full_rate: Decimal | None
    zero_rate: Decimal | None
    lost_share: Decimal | None
    options: tuple[OptionTable, ...]


@dataclass(frozen=True, slots=True)
class GroupPoint:
    """One knowledge point in one group.

    `counted` are the candidates with points on one of its items, also those without a total.
    `below` is the share of candidates below the pass threshold, `gap` the rate less that
    of everybody, `weak` whether the point is one of the group's weak common points.
    """

    name: str
    counted: int
    rate: Decimal | None
    gap: Decimal | None
    below: Decimal | None
    weak: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A candidate who is not counted, and why."""

    candidate: str
    name: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class GroupTable:
    """A class, a school or everybody.

    Attributes
    ----------
    kind : GroupKind
    name, school : str
        Empty for everybody.
    registered, counted, absent, no_scores, incomplete : int
        The last four add up to the first.
    mean, rate, sd, median, highest, lowest : Decimal or None
        Of the totals of those counted; `rate` is the mean over the full mark, `sd` has the
        divisor N.
    gap, relative_gap : Decimal or None
        Mean less that of everybody, in points and as a share of it.
    excellent, good, passing, low : Decimal or None
        Shares of those counted; `good` includes `excellent`.
    bands : tuple of Band
        Lowest first.
    items : tuple of GroupItem
        In printed order.
    points : tuple of GroupPoint
    hardest, weak : tuple of str
        Item numbers and knowledge points, the lowest rate first.
    left_out : tuple of LeftOut
    """

    kind: GroupKind
    name: str
    school: str
    registered: int
    counted: int
    absent: int
    no_scores: int
    incomplete: int
    mean: Decimal | None
    rate: Decimal | None
    sd: Decimal | None
    median: Decimal | None
    highest: Decimal | None
    lowest: Decimal | None
    gap: Decimal | None
    relative_gap: Decimal | None
    excellent: Decimal | None
    good: Decimal | None
    passing: Decimal | None
    low: Decimal | None
    bands: tuple[Band, ...]
    items: tuple[GroupItem, ...]
    points: tuple[GroupPoint, ...]
    hardest: tuple[str, ...]
    weak: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class TestTable:
    """Quality of the paper, over everybody counted; alpha is over all items of the report.

    All None where too few are counted, see `ReportOptions`.
    """

    __test__ = False  # the name is the field's word, not a test case for pytest

    discrimination: Decimal | None
    alpha: Decimal | None
    split_half: Decimal | None
    sem: Decimal | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the reports of one exam say.

    Attributes
    ----------
    head : ReportHead
    test : TestTable
    items : tuple of ItemTable
        In printed order.
    points : tuple of PointTable
        In the order of their first item.
    everybody : GroupTable
    schools, classes : tuple of GroupTable
        In the order of their names.
    students : tuple of StudentTable
        In the order of the score matrix.
    """

    head: ReportHead
    test: TestTable
    items: tuple[ItemTable, ...]
    points: tuple[PointTable, ...]
    everybody: GroupTable
    schools: tuple[GroupTable, ...]
    classes: tuple[GroupTable, ...]
    students: tuple[StudentTable, ...]
