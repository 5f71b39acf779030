"""Sheets of which it is not known whose they are: shown to a person, and decided."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from inkmark.errors import Fault, FaultyFileError, InkmarkError
from inkmark.files import natural_key
from inkmark.geometry import Box, bounds
from inkmark.layouts import AreaField, CodeField, PageLayout
from inkmark.marking import NumberEvidence
from inkmark.readings import IssueKind, PageSource, SheetReading
from inkmark.reports import IdentityRow, load_identities, write_identities
from inkmark.session import Progress, facts_of
from inkmark.store import IdentityDecision, StoredPage
from inkmark.workflow.folder import OpenExam, open_exam
from inkmark.workflow.scans import cut_out, image_name, load_stored_page

__all__ = ["IdentifySummary", "OpenSheet", "SheetDecision", "identify"]

_NAME = "name"
"""The area in which candidates write their names."""
_MARGIN = 0.05
"""Shown around names and numbers."""

_HELD = (
    "{} is candidate {}'s sheet by decision, and nobody has two: first decide about that one "
    "anew, with inkmark identify --sheet and --undecided, or --nobody where it does not count"
)
_TWO_CELLS = (
    "candidate {} has another sheet in {}, and nobody has two; correct the number, or write - "
    "for the sheet that does not count"
)


@dataclass(frozen=True, slots=True)
class SheetDecision:
    """Whose one sheet is.

    Attributes
    ----------
    sheet : str
        A page of it as it is named in messages: the file, and the page in it unless that is
        the first.
    candidate : str or None
        Candidate number; empty for nobody's, None to leave it open again.
    reason : str
    """

    sheet: str
    candidate: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """A sheet of which it is not known whose it is.

    Attributes
    ----------
    source : str
        The scanned file and page.
    message : str
        Why it is not known.
    guesses : tuple of (str, str, float)
        Candidate number, name and probability; see `IdentityRow`.
    """

    source: str
    message: str
    guesses: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class IdentifySummary:
    """What was decided and what is open.

    Attributes
    ----------
    decisions : int
        Decisions taken in that are new.
    sheets : tuple of OpenSheet
    workbook : Path or None
        The workbook to decide them in; None where nothing is open.
    lost_scans : tuple of str
        Scans that are gone or are other files now, so that there is no picture.
    anything_read : bool
        Whether there are sheets at all.
    """

    decisions: int
    sheets: tuple[OpenSheet, ...]
    workbook: Path | None
    lost_scans: tuple[str, ...]
    anything_read: bool


def identify(
    root: Path | str,
    *,
    decision: SheetDecision | None = None,
    identities: Path | str | None = None,
    decided_by: str = "",
    progress: Progress | None = None,
) -> IdentifySummary:
    """Settle whose every sheet is, and show to a person what is not known.

    No page is read again, and no answer changes. Decisions in the identities workbook are
    taken in first; sheets that are still open are written to it with their pictures.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    decision : SheetDecision, optional
        A single decision.
    identities : Path or str, optional
        Decisions; by default ``out/identities.xlsx`` in the folder.
    decided_by : str
        Who made the decisions.
    progress : callable, optional
        Called with the number of sheets done and of all open sheets.

    Returns
    -------
    IdentifySummary

    Raises
    ------
    FaultyFileError
        Where the workbook has faults, or gives one candidate two sheets.
    InkmarkError
        Where the decision names a sheet or a candidate that is not there, or a candidate who
        has another sheet by decision.
    """
    with open_exam(root) as opened:
        path = opened.folder.out / "identities.xlsx"
        workbook = path if identities is None else Path(identities)
        decided = _from_workbook(opened, workbook, needed=identities is not None)
        if decision is not None:
            decided.append(_single(opened, decision))
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
        decisions = [
            IdentityDecision(
                d.source.sha256, d.source.page_index, d.candidate, decided_by, now, d.reason
            )
            for d in decided
        ]
        _refuse_two_sheets(opened, workbook, decided, opened.store.rival_identities(decisions))
        n_new = opened.store.add_identities(decisions)
        opened.store.settle(facts_of(opened.exam, opened.layout))
        rows, lost = _rows(opened, progress)
        anything_read = bool(opened.store.hashes())
        if rows:
            opened.folder.out.mkdir(exist_ok=True)
            write_identities(rows, path, opened.exam.language)
        else:
            path.unlink(missing_ok=True)
    return IdentifySummary(
        n_new,
        tuple(OpenSheet(row.source, row.reason, row.guesses) for row in rows),
        path if rows else None,
        lost,
        anything_read,
    )


# ------------------------------------------------------------------------------ decisions


@dataclass(frozen=True, slots=True)
class _Decided:
    """An image, its candidate, and why; the cell that says so, where it was the workbook."""

    source: PageSource
    candidate: str | None
    reason: str
    place: str = ""


def _from_workbook(opened: OpenExam, path: Path, *, needed: bool) -> list[_Decided]:
    if not path.exists():
        if needed:
            raise InkmarkError(f"{path} does not exist. Name the workbook with the decisions.")
        return []
    images = {image_name(page.source): page.source for page in opened.store.summaries({})}
    choices = load_identities(path, _numbers(opened) or None, images)
    return [_Decided(images[c.image], c.candidate, c.note, c.place) for c in choices]


def _refuse_two_sheets(
    opened: OpenExam,
    workbook: Path,
    decided: Iterable[_Decided],
    rivals: Iterable[tuple[IdentityDecision, IdentityDecision]],
) -> None:
    """Raise where a candidate would have two sheets by decision."""
    places = {(d.source.sha256, d.source.page_index): d.place for d in decided}
    faults: list[Fault] = []
    for pair in rivals:
        candidate = pair[0].candidate
        images = [(d.sha256, d.page_index) for d in pair]
        image, other = sorted(images, key=lambda one: not places.get(one))
        place = places.get(image, "")
        if in_other := places.get(other, ""):
            faults.append(Fault(place, _TWO_CELLS.format(candidate, in_other)))
            faults.append(Fault(in_other, _TWO_CELLS.format(candidate, place)))
            continue
        sheet = next(
            str(page.source)
            for page in opened.store.summaries({})
            if (page.source.sha256, page.source.page_index) == other
        )
        held = _HELD.format(sheet, candidate)
        if not place:
            raise InkmarkError(f"{held}. Then decide again, or correct the number.")
        faults.append(Fault(place, f"{held}, or correct the number"))
    if faults:
        raise FaultyFileError(workbook, list(dict.fromkeys(faults)))


def _single(opened: OpenExam, decision: SheetDecision) -> _Decided:
    numbers = _numbers(opened)
    if decision.candidate and numbers and decision.candidate not in numbers:
        raise InkmarkError(
            f"the exam has no candidate {decision.candidate}. Correct the number, or add the "
            "candidate to the roster first."
        )
    for page in opened.store.summaries({}):
        if str(page.source) == decision.sheet and page.issue is not IssueKind.WITHDRAWN:
            return _Decided(page.source, decision.candidate, decision.reason)
    raise InkmarkError(
        f"no page {decision.sheet} was read. Name it as inkmark read names it: the file in the "
        "exam folder, and the page in it, such as 'scans/batch.pdf page 3'."
    )


def _numbers(opened: OpenExam) -> frozenset[str]:
    return frozenset(candidate.number for candidate in opened.exam.candidates)


# ---------------------------------------------------------------------------- open sheets


def _rows(opened: OpenExam, progress: Progress | None) -> tuple[list[IdentityRow], tuple[str, ...]]:
    """Cut names and numbers out of the open sheets, file after file.

    The second part are the scans that are not there to cut from.
    """
    names = {candidate.number: candidate.name for candidate in opened.exam.candidates}
    bearing = facts_of(opened.exam, opened.layout).numbers
    pages = _open_pages(opened, bearing)
    rows: list[IdentityRow] = []
    lost: dict[str, None] = {}
    for done, (page, sheet) in enumerate(pages, start=1):
        record = page.record
        pixels = load_stored_page(opened.folder, record.source)
        if pixels is None:
            lost[record.source.path] = None
        layout_page = opened.layout.pages[record.page_number]
        number_box = _number_box(sheet, bearing.get(record.page_number, {}))
        boxes = _name_box(layout_page, sheet), number_box or _head_box(layout_page, sheet)
        name, number = (
            b""
            if pixels is None or box is None
            else cut_out(pixels, box, sheet.registration.orientation_deg, _MARGIN)
            for box in boxes
        )
        guesses = tuple((who, names.get(who, ""), p) for who, p in record.guesses)
        rows.append(
            IdentityRow(
                str(record.source), image_name(record.source), record.message, guesses, name, number
            )
        )
        if progress is not None:
            progress(done, len(pages))
    return rows, tuple(lost)


def _open_pages(
    opened: OpenExam, bearing: Mapping[int, Mapping[str, str]]
) -> list[tuple[StoredPage, SheetReading]]:
    """Give a page of each open sheet: one that bears the number if there is any.

    Where a sheet was copied, its pages are of several sheets, told apart by what is wrong.
    """
    sheets: defaultdict[str, dict[str, tuple[StoredPage, SheetReading]]] = defaultdict(dict)
    without: dict[str, tuple[StoredPage, SheetReading]] = {}
    open_kinds = (IssueKind.UNIDENTIFIED, IssueKind.UNKNOWN_CANDIDATE)
    for page in opened.store.pages(issues=open_kinds):
        record = page.record
        if record.reading is None:
            continue
        sheet = record.sheet or image_name(record.source)
        if record.reading.page_number in bearing:
            sheets[sheet].setdefault(f"{record.candidate} {record.guesses}", (page, record.reading))
        else:
            without.setdefault(sheet, (page, record.reading))
    found = [entry for own in sheets.values() for entry in own.values()]
    found += [entry for sheet, entry in without.items() if len(sheets.get(sheet, ())) != 1]
    return sorted(found, key=lambda entry: _place(entry[0].record.source))


def _place(source: PageSource) -> tuple[object, int]:
    return natural_key(PurePosixPath(source.path)), source.page_index


def _name_box(page: PageLayout, sheet: SheetReading) -> Box | None:
    """Where the name is written, in px; None where the page has no place for it."""
    area = next((f for f in page.fields if isinstance(f, AreaField) and f.name == _NAME), None)
    if area is None:
        return None
    return bounds(sheet.registration.to_px(area.box.corners()))


def _number_box(sheet: SheetReading, fields: Iterable[str]) -> Box | None:
    """Where the numbers are, in px: those that say something if any does."""
    names = set(fields)
    readings = [reading for reading in sheet.fields if reading.field in names]
    written = [r for r in readings if not NumberEvidence.of_reading(r).is_blank]
    boxes = [reading.box_px for reading in written or readings]
    boxes += [code.box_px for code in sheet.codes if code.field in names]
    return bounds(np.concatenate([box.corners() for box in boxes])) if boxes else None


def _head_box(page: PageLayout, sheet: SheetReading) -> Box | None:
    """What stands beside the code above all other fields, in px; candidates write there, too."""
    codes = [f.box for f in page.fields if isinstance(f, CodeField)]
    others = [f.box for f in page.fields if not isinstance(f, CodeField)]
    if not codes or not others:
        return None
    left, bottom = min(box.x for box in others), min(box.y for box in others)
    code = codes[0]
    if code.x <= left or code.y >= bottom:
        return None
    head = Box(left, code.y, code.x - left, bottom - code.y)
    return bounds(sheet.registration.to_px(head.corners()))
