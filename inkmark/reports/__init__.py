"""Reports: what is said (`build_report`), and how it looks as PDF, xlsx and JSON.

All writers show the figures of one `Report` as they are; nothing is computed or rounded
anywhere else, so the same figure is the same in every file.
"""

from inkmark.reports.annotate import ScannedPage, write_annotated_pages
from inkmark.reports.answer_groups import (
    GroupedAnswer,
    GroupRow,
    load_answer_groups,
    write_answer_groups,
)
from inkmark.reports.groups import write_group_report
from inkmark.reports.identities import (
    IdentityChoice,
    IdentityRow,
    load_identities,
    write_identities,
)
from inkmark.reports.model import Report, ReportOptions
from inkmark.reports.report_json import report_schema, report_to_json, write_report_json
from inkmark.reports.review import (
    ReviewDecision,
    ReviewRow,
    load_review,
    review_fields,
    review_options,
    write_review,
)
from inkmark.reports.student import write_student_reports
from inkmark.reports.tables import build_report
from inkmark.reports.words import words
from inkmark.reports.workbook import write_workbook

__all__ = [
    "GroupRow",
    "GroupedAnswer",
    "IdentityChoice",
    "IdentityRow",
    "Report",
    "ReportOptions",
    "ReviewDecision",
    "ReviewRow",
    "ScannedPage",
    "build_report",
    "load_answer_groups",
    "load_identities",
    "load_review",
    "report_schema",
    "report_to_json",
    "review_fields",
    "review_options",
    "words",
    "write_annotated_pages",
    "write_answer_groups",
    "write_group_report",
    "write_identities",
    "write_report_json",
    "write_review",
    "write_student_reports",
    "write_workbook",
]
