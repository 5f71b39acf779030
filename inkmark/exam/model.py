"""The exam as plain values. Points and thresholds are exact decimals, never floats."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

__all__ = [
    "Candidate",
    "Exam",
    "Item",
    "ItemType",
    "Policy",
    "RuleKind",
    "ScoringRule",
    "join_labels",
    "split_value",
]


def join_labels(labels: Iterable[str], options: Sequence[str]) -> str:
    """Option labels as one value: ``"AC"``; joined by ``|`` where an option is a word."""
    return ("|" if any(len(option) > 1 for option in options) else "").join(labels)


def split_value(value: str, options: Sequence[str]) -> tuple[str, ...]:
    """The option labels in a value: the inverse of `join_labels`."""
    if any(len(option) > 1 for option in options):
        return tuple(value.split("|")) if value else ()
    return tuple(value)


class ItemType(StrEnum):
    """How an item is answered."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true/false"
    FILL_IN = "fill-in"
    SUBJECTIVE = "subjective"

    @property
    def is_objective(self) -> bool:
        """Whether the item is answered in bubbles and scored by its key."""
        return self in (ItemType.SINGLE, ItemType.MULTIPLE, ItemType.TRUE_FALSE)


class RuleKind(StrEnum):
    """How a response is turned into points."""

    EXACT = "exact"
    """All points for exactly the key, else none (全对得分)."""
    COUNT = "count"
    """The points shared equally over the keyed options; any wrong option: none."""
    HALF = "half"
    """Half the points for an incomplete set without a wrong option (多选半对)."""
    SUBSET = "subset"
    """A fixed number of points for an incomplete set without a wrong option (漏选得分)."""
    TABLE = "table"
    """Points by an explicit table of option sets."""
    NEGATIVE = "negative"
    """All points for the key, a deduction for anything else that is not blank."""
    VOID = "void"
    """The item is void: all points for every candidate present."""


@dataclass(frozen=True, slots=True)
class ScoringRule:
    """A scoring rule with its parameters.

    Attributes
    ----------
    kind : RuleKind
    points : Decimal
        ``SUBSET``: the points of an incomplete set; ``NEGATIVE``: the deduction, given as
        a positive number. Zero for the other kinds.
    table : tuple of (str, Decimal)
        ``TABLE``: option set in option order (empty string for blank) and its points; a
        set that is not listed scores 0.
    """

    kind: RuleKind = RuleKind.EXACT
    points: Decimal = Decimal(0)
    table: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the paper: a row of the blueprint (双向细目表).

    Attributes
    ----------
    number : str
        As printed, unique in the exam: ``"1"``, ``"17"``, ``"21(2)"``.
    type : ItemType
    options : tuple of str
        Option labels in printed order; empty for fill-in and subjective items.
    key : tuple of str
        Objective items: the keyed option labels in option order. Fill-in: the accepted
        answers. Subjective: empty.
    points : Decimal
        Full mark, positive, at most two decimals.
    rule : ScoringRule
    knowledge : tuple of (str, Decimal)
        Knowledge points with weights; the weights are positive and add up to 1.
    level : str
        Cognitive level as planned; empty where none is given.
    difficulty : float or None
        Planned facility, 0 (nobody) to 1 (everybody).
    """

    number: str
    type: ItemType
    options: tuple[str, ...]
    key: tuple[str, ...]
    points: Decimal
    rule: ScoringRule = field(default_factory=ScoringRule)
    knowledge: tuple[tuple[str, Decimal], ...] = ()
    level: str = ""
    difficulty: float | None = None

    @property
    def key_value(self) -> str:
        """The key as one value; accepted fill-in answers joined by ``|``."""
        if self.type.is_objective:
            return join_labels(self.key, self.options)
        return "|".join(self.key)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person on the roster.

    Attributes
    ----------
    number : str
        Candidate number: digits, all of one length in an exam.
    name, class_name, school : str
    identifiers : tuple of (str, str)
        Further columns of the roster, by header.
    """

    number: str
    name: str = ""
    class_name: str = ""
    school: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Conventions of the exam office that figures depend on.

    Attributes
    ----------
    excellent, good, passing, low : Decimal
        Thresholds as shares of the full mark: excellent, good and pass count totals at or
        above, low counts totals below.
    absent_as_zero : bool
        Whether absent candidates count with zero points (缺考计零分). By default they are
        left out of every figure.
    band_width : Decimal
        Width of a score band in points.
    mastery_points_floor : Decimal
        Fewest full-mark points on a knowledge point from which mastery is stated; below
        it the report says that there is not enough evidence.
    mastery_items_floor : int
        Fewest items on a knowledge point from which mastery is stated.
    practice_items : int
        Items in a personal practice set.
    """

    excellent: Decimal = Decimal("0.85")
    good: Decimal = Decimal("0.75")
    passing: Decimal = Decimal("0.60")
    low: Decimal = Decimal("0.40")
    absent_as_zero: bool = False
    band_width: Decimal = Decimal(10)
    mastery_points_floor: Decimal = Decimal(6)
    mastery_items_floor: int = 2
    practice_items: int = 8


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam: what `exam.xlsx` says.

    Attributes
    ----------
    id : str
        Short identifier printed in every QR code: 4 to 16 of ``A-Z 0-9 -``.
    title, subject, grade : str
    date : datetime.date or None
    language : str
        ``"zh"`` or ``"en"``: language of sheets and reports.
    policy : Policy
    items : tuple of Item
        In printed order.
    candidates : tuple of Candidate
        In roster order, candidate numbers unique. Empty for an exam without a roster.
    """

    id: str
    title: str
    subject: str
    grade: str
    date: dt.date | None
    language: str
    policy: Policy
    items: tuple[Item, ...]
    candidates: tuple[Candidate, ...] = ()

    @property
    def full_mark(self) -> Decimal:
        """Sum of the items' points."""
        return sum((item.points for item in self.items), Decimal(0))
