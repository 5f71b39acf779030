"""What an exam is: items, keys, scoring rules, roster, policy; and the exam workbook."""

from __future__ import annotations

from inkmark.exam.model import (
    Candidate,
    Exam,
    Item,
    ItemType,
    Policy,
    RuleKind,
    ScoringRule,
)

__all__ = [
    "Candidate",
    "Exam",
    "Item",
    "ItemType",
    "Policy",
    "RuleKind",
    "ScoringRule",
]
