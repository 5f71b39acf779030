"""What the commands print: JSON for machines, lines for people."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from inkmark.readings import IssueKind, SheetIssue

if TYPE_CHECKING:
    from inkmark.reports import Report, ReportOptions
    from inkmark.session import BatchReport
    from inkmark.workflow import (
        GroupsSummary,
        IdentifySummary,
        PracticeSummary,
        ReportSummary,
        RunSummary,
        ScoreSummary,
    )

__all__ = [
    "batch_json",
    "batch_lines",
    "files_lines",
    "groups_lines",
    "identify_lines",
    "issue_line",
    "issues_json",
    "leaves_work",
    "plain",
    "practice_lines",
    "report_lines",
    "report_options",
    "run_json",
    "run_lines",
    "score_lines",
]


def plain(value: Any) -> dict[str, Any]:
    """Give a summary as a dictionary."""
    return dataclasses.asdict(value)


def report_options(*, include_ranks: bool = False, compare: bool = True) -> ReportOptions:
    """Give the options of reports made today."""
    from inkmark.reports import ReportOptions

    today = dt.datetime.now().astimezone().date()
    return ReportOptions(include_ranks=include_ranks, compare=compare, made=today)


def batch_json(report: BatchReport) -> dict[str, Any]:
    """Give what became of a batch."""
    return {**plain(report), "issues": issues_json(report.issues)}


def issues_json(issues: Iterable[SheetIssue]) -> list[dict[str, Any]]:
    """Give what is wrong with pages."""
    return [
        {
            "kind": str(issue.kind),
            "source": None if issue.source is None else issue.source.path,
            "page": None if issue.source is None else issue.source.page_index + 1,
            "candidate": issue.candidate,
            "message": issue.message,
        }
        for issue in issues
    ]


def run_json(summary: RunSummary) -> dict[str, Any]:
    """Give what all steps did."""
    return {
        "read": batch_json(summary.read),
        "score": plain(summary.score),
        "practice": plain(summary.practice),
        **plain(summary.files),
    }


_MOST_NAMED = 5

_COUNTS = (
    ("expected", "pages that the roster calls for"),
    ("received", "page images given"),
    ("read", "in use, nothing in doubt"),
    ("doubtful", "in use, with fields that need a look"),
    ("unidentified", "whose or which page is not known"),
    ("duplicate", "further images of a page"),
    ("foreign", "of another exam or print, or set aside"),
    ("unreadable", "not to be decoded, or no sheet"),
    ("missing", "expected and not in use"),
)


def leaves_work(report: BatchReport) -> bool:
    """Say whether a batch has pages that a person has to look at.

    A further image of a page is none: where the two differ, the page in use is doubtful. Nor
    is a page that a person has set aside.
    """
    settled = (IssueKind.DUPLICATE_IMAGE, IssueKind.DUPLICATE_PAGE, IssueKind.SET_ASIDE)
    return any(issue.kind not in settled for issue in report.issues)


def batch_lines(report: BatchReport) -> Iterator[str]:
    """Say what became of a batch."""
    for name, meaning in _COUNTS:
        yield f"{name:>13} {getattr(report, name):>7}  {meaning}"
    yield from (issue_line(issue) for issue in report.issues)


def issue_line(issue: SheetIssue) -> str:
    """Say what is wrong with a page."""
    place = f"candidate {issue.candidate}" if issue.source is None else str(issue.source)
    return f"{place}: {issue.kind}: {issue.message}"


def identify_lines(summary: IdentifySummary) -> Iterator[str]:
    """Say whose sheets are not known."""
    if summary.decisions:
        yield f"Took in {summary.decisions} decisions."
    if not summary.anything_read:
        yield "No sheet has been read yet. Read the scans first, with inkmark read."
    elif not summary.sheets:
        yield "It is known of every sheet whose it is."
    for sheet in summary.sheets:
        yield f"{sheet.source}: {sheet.message}"
        for number, name, p in sheet.guesses:
            who = f"{number} {name}".strip() or "nobody on the roster"
            yield f"  {100 * p:5.1f} %  {who}"
    if summary.workbook is not None:
        yield (
            f"{len(summary.sheets)} {'sheet waits' if len(summary.sheets) == 1 else 'sheets wait'}"
            f" for a decision: fill in {summary.workbook} and run inkmark identify again."
        )
    yield from _lost_lines(summary.lost_scans, "inkmark identify")


def score_lines(summary: ScoreSummary) -> Iterator[str]:
    """Say what was scored and what waits for a person."""
    yield (
        f"Scored {summary.scored} responses of {summary.candidates} candidates; "
        f"{summary.pending} pending, {summary.absent} absent, {summary.missing} missing."
    )
    if summary.decisions:
        yield f"Took in {summary.decisions} decisions."
    if summary.outdated:
        yield (
            f"{_candidates(summary.outdated)}, with decisions made on images that are not in use "
            "any more. Look at the new pictures in the review and decide again."
        )
    if summary.review is not None:
        yield (
            f"{summary.to_review} {'field needs' if summary.to_review == 1 else 'fields need'} "
            f"a decision: fill in {summary.review} and run "
            "inkmark score again."
        )
    if summary.points_waited_for:
        n_items = len(summary.points_waited_for)
        yield (
            f"{n_items} {'item waits' if n_items == 1 else 'items wait'} for points from people: "
            f"{', '.join(summary.points_waited_for)}. Put them into points.xlsx or points.csv "
            "in the exam folder and run inkmark score again."
        )
    if summary.absent_with_points:
        yield (
            f"{_candidates(summary.absent_with_points)}, with points but marked absent. Take the "
            "points out, or decide on the absent mark."
        )
    if summary.without_pages:
        yield (
            f"{_candidates(summary.without_pages)}, with missing pages. Scan them, or mark the "
            "candidates absent."
        )
    yield from _lost_lines(summary.lost_scans, "inkmark score")


def groups_lines(summary: GroupsSummary) -> Iterator[str]:
    """Say how the handwritten answers are grouped, and what was taken in."""
    if summary.placements:
        yield f"Took in what the workbook says of {summary.placements} answers."
    if summary.outdated:
        yield (
            f"{_candidates(summary.outdated)}, with answers looked at on images that are not in "
            "use any more. Look at the new pictures and score them again."
        )
    for item in summary.items:
        yield (
            f"Item {item.item}: {item.answers} answers in {item.groups} groups, "
            f"{item.in_largest} of them in the ten largest; {item.scored} have points."
        )
    if summary.workbook is None:
        yield "No item has handwritten answers that were read."
    elif any(item.scored < item.answers for item in summary.items):
        yield (
            f"Enter the points of groups in {summary.workbook}, split and merge groups there, and "
            "run inkmark groups or inkmark score."
        )
    yield from _lost_lines(summary.lost_scans, "inkmark groups")


def _candidates(numbers: Sequence[str]) -> str:
    """Give how many there are, and name the first of them."""
    noun = "candidate" if len(numbers) == 1 else "candidates"
    named = ", ".join(numbers[:_MOST_NAMED]) + (", ..." if len(numbers) > _MOST_NAMED else "")
    return f"{len(numbers)} {noun} ({named})"


def files_lines(summary: ReportSummary) -> Iterator[str]:
    """Say what was written, and what is not in it."""
    yield from (f"Wrote {path}" for path in summary.files)
    yield from _lost_lines(summary.lost_scans, "inkmark report")


def _lost_lines(paths: Iterable[str], command: str) -> Iterator[str]:
    for path in paths:
        yield (
            f"{path}: lost scan: the file is gone or is not the one that was read, so there is "
            f"no picture of it; no score changes by that. Put it back and run {command} again."
        )


def report_lines(report: Report) -> Iterator[str]:
    """Say the figures of the paper and its items."""
    everybody, test = report.everybody, report.test
    yield f"{report.head.title}: {everybody.counted} counted of {everybody.registered}"
    figures = (
        ("mean", everybody.mean),
        ("of", report.head.full),
        ("SD", everybody.sd),
        ("facility", everybody.rate),
        ("discrimination", test.discrimination),
        ("alpha", test.alpha),
        ("SEM", test.sem),
    )
    yield "  ".join(f"{name} {'-' if value is None else value}" for name, value in figures)
    if everybody.counted < report.head.indices_floor:
        yield (
            f"Too few candidates: with fewer than {report.head.indices_floor} counted, "
            "discrimination, correlations, alpha and SEM are not stated."
        )
    yield f"{'item':>8} {'facility':>9} {'discr.':>7} {'r rest':>7}  notes"
    for item in report.items:
        values = (item.facility, item.discrimination, item.item_rest)
        shown = ["-" if value is None else str(value) for value in values]
        yield (
            f"{item.number:>8} {shown[0]:>9} {shown[1]:>7} {shown[2]:>7}  {', '.join(item.flags)}"
        )


def practice_lines(summary: PracticeSummary) -> Iterator[str]:
    """Say what was printed and what it lacks."""
    named = f": {summary.practice}" if summary.practice else ""
    yield f"Printed practice sets for {summary.students} students{named}."
    yield from (f"Wrote {path}" for path in summary.files)
    yield from (f"Note: {note}" for note in summary.notes)


def run_lines(summary: RunSummary) -> Iterator[str]:
    """Say what all steps did."""
    yield from batch_lines(summary.read)
    yield from score_lines(summary.score)
    yield from report_lines(summary.report)
    yield from practice_lines(summary.practice)
    yield from files_lines(summary.files)
