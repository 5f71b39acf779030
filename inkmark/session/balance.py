"""What became of a batch: its pages counted, and what a person has to settle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from inkmark.exam import Exam, Item
from inkmark.layouts import BubbleField, PageLayout, Role, SheetLayout, WritingField
from inkmark.marking import is_judged_by_key
from inkmark.readings import FieldReading, Flag, IssueKind, SheetIssue, SheetReading
from inkmark.store import ExamStore, PageSummary, StoredPage

__all__ = ["BatchReport", "batch_report", "open_fields"]

_ANY_DOUBT = tuple(flag for flag in Flag if flag is not Flag.OK)

_COUNTED_AS = {
    None: "read",
    IssueKind.DOUBTFUL: "doubtful",
    IssueKind.UNIDENTIFIED: "unidentified",
    IssueKind.UNKNOWN_CANDIDATE: "unidentified",
    IssueKind.DUPLICATE_IMAGE: "duplicate",
    IssueKind.DUPLICATE_PAGE: "duplicate",
    IssueKind.OTHER_EXAM: "foreign",
    IssueKind.OTHER_VERSION: "foreign",
    IssueKind.SET_ASIDE: "foreign",
    IssueKind.UNREADABLE_FILE: "unreadable",
    IssueKind.UNREGISTERED: "unreadable",
}


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of the images given, and which pages are missing.

    ``received = read + doubtful + unidentified + duplicate + foreign + unreadable`` and
    ``expected = read + doubtful + missing``.

    Attributes
    ----------
    expected : int
        Pages that the roster and the layout call for; 0 without a roster. The empty back of
        a sheet counts only where it was scanned.
    received : int
        Page images given. A file that cannot be opened counts as one.
    read : int
        Pages in use on which nothing is in doubt.
    doubtful : int
        Pages in use with at least one field that a person has to look at.
    unidentified : int
        Pages whose candidate or page number is not known.
    duplicate : int
        Further images of pages that are there already.
    foreign : int
        Pages of another exam or another print of the sheet, and those that a person has set
        aside as nobody's.
    unreadable : int
        Files and pages that cannot be decoded or do not show a sheet.
    missing : int
        Pages expected and not in use.
    new : int
        Page images that this run added.
    issues : tuple of SheetIssue
        Everything a person has to settle.
    """

    expected: int
    received: int
    read: int
    doubtful: int
    unidentified: int
    duplicate: int
    foreign: int
    unreadable: int
    missing: int
    new: int
    issues: tuple[SheetIssue, ...]


def batch_report(exam: Exam, layout: SheetLayout, store: ExamStore, new: int = 0) -> BatchReport:
    """Count what the database holds and list what a person has to settle."""
    counts: Counter[str] = Counter()
    issues: list[SheetIssue] = []
    in_use: set[tuple[str, int]] = set()
    items = {item.number: item for item in exam.items}
    fields = {number: _waiting_flags(page, items) for number, page in enumerate(layout.pages)}
    for page in _without_scored(layout, store, store.summaries(fields)):
        if page.issue is IssueKind.WITHDRAWN:
            continue
        issue = _issue_of(page)
        counts[_COUNTED_AS[None if issue is None else issue.kind]] += 1
        if issue is not None:
            issues.append(issue)
        if page.issue is None:
            in_use.add((page.candidate, page.page_number))
    missing = _missing(exam, layout, store, in_use)
    issues += [
        SheetIssue(
            IssueKind.MISSING_PAGE,
            None,
            f"page {number + 1} of candidate {candidate} was not received. Scan it, or mark "
            "the candidate absent.",
            candidate,
            number,
        )
        for candidate, number in missing
    ]
    roster = {candidate.number for candidate in exam.candidates}
    names = ("read", "doubtful", "unidentified", "duplicate", "foreign", "unreadable")
    return BatchReport(
        expected=len(missing) + sum(candidate in roster for candidate, _ in in_use),
        received=counts.total(),
        missing=len(missing),
        new=new,
        issues=tuple(issues),
        **{name: counts[name] for name in names},
    )


def _missing(
    exam: Exam, layout: SheetLayout, store: ExamStore, in_use: Collection[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Pages that the roster and the layout call for and that are not in use."""
    printed = [number for number, page in enumerate(layout.pages) if not page.is_empty]
    missing = [
        (candidate.number, number)
        for candidate in exam.candidates
        for number in printed
        if (candidate.number, number) not in in_use
    ]
    here = {candidate for candidate, _ in in_use}
    absent = {
        page.record.candidate
        for page in store.pages({candidate for candidate, _ in missing} & here)
        if page.record.issue is None
        and page.record.reading is not None
        and _is_absent(layout, page.record.reading)
    }
    return [(candidate, number) for candidate, number in missing if candidate not in absent]


def open_fields(page: StoredPage, layout: SheetLayout) -> tuple[FieldReading, ...]:
    """Give the fields of a page in use that a person has to decide before it is scored.

    They are items and absent marks that are flagged and were not decided on this image.

    Parameters
    ----------
    page : StoredPage
    layout : SheetLayout

    Returns
    -------
    tuple of FieldReading
        Empty for a page that is not in use.
    """
    record = page.record
    if record.issue is not None or record.reading is None:
        return ()
    names = _deciding(layout.pages[record.page_number])
    return tuple(
        reading
        for reading in record.reading.fields
        if reading.flag is not Flag.OK
        and reading.field in names
        and reading.field not in page.decided
    )


def _deciding(page: PageLayout) -> frozenset[str]:
    """Fields of a page without which it is not scored; lines are judged by their key then."""
    return frozenset(
        f.name
        for f in page.fields
        if f.role in (Role.ITEM, Role.ABSENT)
        and (isinstance(f, BubbleField) or (isinstance(f, WritingField) and not f.is_line))
    )


def _waiting_flags(page: PageLayout, items: Mapping[str, Item]) -> dict[str, Collection[Flag]]:
    """With which flags each field of a page waits for a person before the page is scored.

    What a key judges waits where images contradict each other, whatever the key says.
    """
    flags: dict[str, Collection[Flag]] = dict.fromkeys(_deciding(page), _ANY_DOUBT)
    for field in page.fields:
        if (
            isinstance(field, WritingField)
            and field.item in items
            and is_judged_by_key(items[field.item], field)
        ):
            flags[field.name] = (Flag.CONTESTED,)
    return flags


def _without_scored(
    layout: SheetLayout, store: ExamStore, pages: Iterable[PageSummary]
) -> Iterator[PageSummary]:
    """Take out of what waits the answers that have points already, whatever images show."""
    lines = {f.name: f.item for f in layout.fields() if isinstance(f, WritingField) and f.is_line}
    later = []
    for page in pages:
        if lines.keys() & page.waiting:
            later.append(page)
        else:
            yield page
    scored = store.fields_scored({page.candidate for page in later})
    for page in later:
        waiting = tuple(
            name
            for name in page.waiting
            if name not in lines or scored.get((page.candidate, lines[name]), name) == name
        )
        yield replace(page, waiting=waiting)


def _issue_of(page: PageSummary) -> SheetIssue | None:
    if page.issue is not None:
        return SheetIssue(page.issue, page.source, page.message, page.candidate, page.page_number)
    if not page.waiting:
        return None
    noun = "field needs" if len(page.waiting) == 1 else "fields need"
    return SheetIssue(
        IssueKind.DOUBTFUL,
        page.source,
        f"{len(page.waiting)} {noun} a look: {', '.join(page.waiting)}. Run inkmark "
        "score, decide them in out/review.xlsx and run inkmark score again.",
        page.candidate,
        page.page_number,
    )


def _is_absent(layout: SheetLayout, reading: SheetReading) -> bool:
    names = {
        f.name
        for f in layout.pages[reading.page_number].fields
        if isinstance(f, BubbleField) and f.role is Role.ABSENT
    }
    return any(r.field in names and r.value and r.flag is Flag.OK for r in reading.fields)
