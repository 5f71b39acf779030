"""What an exam is: items, keys, scoring rules, roster, policy; and the exam workbook."""

from __future__ import annotations

from inkmark.exam.folder import ExamFolder
from inkmark.exam.model import (
    Candidate,
    Exam,
    Item,
    ItemType,
    Policy,
    RuleKind,
    ScoringRule,
    join_labels,
    split_value,
)
from inkmark.exam.rules import format_rule, parse_rule
from inkmark.exam.template import save_exam, write_template
from inkmark.exam.values import canonical_value, printed_options, printed_value
from inkmark.exam.workbook import load_exam

__all__ = [
    "Candidate",
    "Exam",
    "ExamFolder",
    "Item",
    "ItemType",
    "Policy",
    "RuleKind",
    "ScoringRule",
    "canonical_value",
    "format_rule",
    "join_labels",
    "load_exam",
    "parse_rule",
    "printed_options",
    "printed_value",
    "save_exam",
    "split_value",
    "write_template",
]
