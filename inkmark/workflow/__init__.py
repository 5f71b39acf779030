"""The steps of an exam, each from its folder to its folder: what the commands do.

Each step reads what the steps before it left in the exam folder, and can be run again at
any time. Nothing is computed or drawn here; that is done in the rooms below.
"""

from __future__ import annotations

from inkmark.workflow.compiling import compile_kernels
from inkmark.workflow.folder import OpenExam, open_exam
from inkmark.workflow.layouts import CheckSummary, LearnSummary, check_layout, learn_layout
from inkmark.workflow.practice import PracticeSummary, practise
from inkmark.workflow.reading import CsvSummary, read, read_to_csv, watch
from inkmark.workflow.reporting import ReportSummary, analyse, make_reports
from inkmark.workflow.run import RunSummary, run
from inkmark.workflow.scoring import ScoreSummary, score
from inkmark.workflow.sheets import PrintSummary, create_exam, print_exam

__all__ = [
    "CheckSummary",
    "CsvSummary",
    "LearnSummary",
    "OpenExam",
    "PracticeSummary",
    "PrintSummary",
    "ReportSummary",
    "RunSummary",
    "ScoreSummary",
    "analyse",
    "check_layout",
    "compile_kernels",
    "create_exam",
    "learn_layout",
    "make_reports",
    "open_exam",
    "practise",
    "print_exam",
    "read",
    "read_to_csv",
    "run",
    "score",
    "watch",
]
