"""The steps of an exam, each from its folder to its folder: what the commands do.

Each step reads what the steps before it left in the exam folder, and can be run again at
any time. Nothing is computed or drawn here; that is done in the rooms below.
A step is loaded when it is first used: reading a page waits for no reports.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkmark.workflow.compiling import compile_kernels
    from inkmark.workflow.folder import OpenExam, open_exam
    from inkmark.workflow.groups import GroupedItem, GroupsSummary, group_exam
    from inkmark.workflow.identity import IdentifySummary, SheetDecision, identify
    from inkmark.workflow.layouts import (
        CheckSummary,
        LearnSummary,
        check_layout,
        learn_layout,
        take_in_template,
    )
    from inkmark.workflow.practice import PracticeSummary, practise
    from inkmark.workflow.printed import PageText, read_text
    from inkmark.workflow.reading import CsvSummary, read, read_to_csv, watch
    from inkmark.workflow.reporting import ReportSummary, analyse, make_reports
    from inkmark.workflow.scoring import ScoreSummary, score
    from inkmark.workflow.sheets import PrintSummary, create_exam, print_exam
    from inkmark.workflow.whole import RunSummary, run

__all__ = [
    "CheckSummary",
    "CsvSummary",
    "GroupedItem",
    "GroupsSummary",
    "IdentifySummary",
    "LearnSummary",
    "OpenExam",
    "PageText",
    "PracticeSummary",
    "PrintSummary",
    "ReportSummary",
    "RunSummary",
    "ScoreSummary",
    "SheetDecision",
    "analyse",
    "check_layout",
    "compile_kernels",
    "create_exam",
    "group_exam",
    "identify",
    "learn_layout",
    "make_reports",
    "open_exam",
    "practise",
    "print_exam",
    "read",
    "read_text",
    "read_to_csv",
    "run",
    "score",
    "take_in_template",
    "watch",
]

_HOMES = {
    "CheckSummary": "inkmark.workflow.layouts",
    "CsvSummary": "inkmark.workflow.reading",
    "GroupedItem": "inkmark.workflow.groups",
    "GroupsSummary": "inkmark.workflow.groups",
    "IdentifySummary": "inkmark.workflow.identity",
    "LearnSummary": "inkmark.workflow.layouts",
    "OpenExam": "inkmark.workflow.folder",
    "PageText": "inkmark.workflow.printed",
    "PracticeSummary": "inkmark.workflow.practice",
    "PrintSummary": "inkmark.workflow.sheets",
    "ReportSummary": "inkmark.workflow.reporting",
    "RunSummary": "inkmark.workflow.whole",
    "ScoreSummary": "inkmark.workflow.scoring",
    "SheetDecision": "inkmark.workflow.identity",
    "analyse": "inkmark.workflow.reporting",
    "check_layout": "inkmark.workflow.layouts",
    "compile_kernels": "inkmark.workflow.compiling",
    "create_exam": "inkmark.workflow.sheets",
    "group_exam": "inkmark.workflow.groups",
    "identify": "inkmark.workflow.identity",
    "learn_layout": "inkmark.workflow.layouts",
    "make_reports": "inkmark.workflow.reporting",
    "open_exam": "inkmark.workflow.folder",
    "practise": "inkmark.workflow.practice",
    "print_exam": "inkmark.workflow.sheets",
    "read": "inkmark.workflow.reading",
    "read_text": "inkmark.workflow.printed",
    "read_to_csv": "inkmark.workflow.reading",
    "run": "inkmark.workflow.whole",
    "score": "inkmark.workflow.scoring",
    "take_in_template": "inkmark.workflow.layouts",
    "watch": "inkmark.workflow.reading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inkmark.workflow' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
