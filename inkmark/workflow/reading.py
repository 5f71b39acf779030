"""Scans into an exam, or into a table."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from inkmark.errors import InkmarkError
from inkmark.files import draft_path, file_sha256, keep_inputs
from inkmark.images import find_scans
from inkmark.layouts import BubbleField, CodeField, JoinedField, Role, SheetLayout, load_layout
from inkmark.readings import FieldReading, Flag, IssueKind, SheetIssue, SheetReading
from inkmark.session import (
    BatchReport,
    FolderWatch,
    Progress,
    ReadOptions,
    batch_report,
    read_exam,
    read_scans,
    scan_files,
    take_in,
)
from inkmark.session.pages import page_code
from inkmark.workflow.folder import OpenExam, open_exam

__all__ = ["CSV_COLUMNS", "CsvSummary", "read", "read_to_csv", "watch"]

_Value = tuple[str, str, float, Flag]
"""A field's name, value, confidence and flag."""

CSV_COLUMNS = ("source", "page", "field", "value", "confidence", "flag")


@dataclass(frozen=True, slots=True)
class CsvSummary:
    """What was read into a table.

    Attributes
    ----------
    n_pages : int
        Pages read.
    n_flagged : int
        Fields that a person should look at.
    issues : tuple of SheetIssue
        Pages that could not be read.
    """

    n_pages: int
    n_flagged: int
    issues: tuple[SheetIssue, ...]


def read(
    root: Path | str,
    sources: Sequence[Path | str] = (),
    *,
    options: ReadOptions | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> BatchReport:
    """Read the scans of an exam that are not in its database yet; see `read_exam`.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    sources : sequence of Path or str
        Files, folders and globs; by default the folder's scans.
    options, executor, progress
        See `inkmark.session.read_scans`.
    """
    with open_exam(root) as opened:
        return read_exam(
            opened.folder,
            opened.exam,
            opened.layout,
            opened.store,
            sources=sources,
            options=options,
            executor=executor,
            progress=progress,
        )


def watch(
    root: Path | str,
    scanned: Path | str,
    *,
    interval_s: float = 2.0,
    options: ReadOptions | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> BatchReport:
    """Read what is among the scans, then what a scanner puts into a folder, until stopped.

    A file is taken in when it is complete: copied into the exam's scans, then read. All that
    is remembered is in the database and the scans, so a watch that was ended in any way is
    simply begun again. A file that cannot be taken in holds up no other: it is noted once
    and tried again at each look.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    scanned : Path or str
        The folder into which the scanner writes.
    interval_s : float
        Time between two looks. A file has to stay the same from one look to the next.
    options, executor, progress
        See `inkmark.session.read_scans`.
    note : callable
        Told in a sentence what was taken in, and what went wrong.
    sleep : callable
        Waits between two looks; `KeyboardInterrupt` ends the watch, here or elsewhere.

    Returns
    -------
    BatchReport
        On everything the database holds.

    Raises
    ------
    OSError
        Where the folder is not there when the watch begins.
    """
    scanned, options = Path(scanned), options or ReadOptions()
    scan_files(scanned)
    with open_exam(root) as opened:
        scans = opened.folder.scans

        def take(sources: Sequence[Path]) -> BatchReport:
            return read_exam(
                opened.folder,
                opened.exam,
                opened.layout,
                opened.store,
                sources=sources,
                options=options,
                executor=executor,
                progress=progress,
            )

        troubles = _Troubles(note or (lambda _: None))
        look = FolderWatch(scanned, options.limits)
        taken: list[Path] = []
        try:
            if scans.is_dir() and scan_files(scans):
                take([])
            known = opened.store.hashes()
            withdrawn = known - _hashes_in_use(opened)
            troubles.note(f"watching {scanned}; Ctrl-C ends it")
            while True:
                complete: list[Path] = []
                with troubles.of(scanned):
                    complete = look.look(troubles.tell)
                for path in complete:
                    with troubles.of(path):
                        sha256 = file_sha256(path)
                        if sha256 not in known:
                            taken.append(take_in(path, scanned, scans, options.limits))
                        elif sha256 in withdrawn:
                            troubles.note(_not_again(path, scans))
                        look.done(path)
                taken = [path for path in taken if path.exists()]
                if taken:
                    with troubles.of(scans):
                        report = take(taken)
                        troubles.note(_taken_in(len(taken), report))
                        taken = []
                sleep(interval_s)
        except KeyboardInterrupt:
            return batch_report(opened.exam, opened.layout, opened.store)


class _Troubles:
    """Tells what goes wrong with a file or a folder once, until it goes well or otherwise."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note
        self._told: dict[Path, str] = {}

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Tell of an error and go on."""
        try:
            yield
        except (InkmarkError, OSError) as error:
            self.tell(path, error)
        else:
            self._told.pop(path, None)

    def tell(self, path: Path, error: Exception) -> None:
        """Tell of an error that was met on the way."""
        if self._told.get(path) != str(error):
            self._told[path] = str(error)
            self.note(f"{error} It is tried again.")


def _hashes_in_use(opened: OpenExam) -> set[str]:
    """Hashes of the files that are still among those that were read."""
    summaries = opened.store.summaries({})
    return {page.source.sha256 for page in summaries if page.issue is not IssueKind.WITHDRAWN}


def _not_again(path: Path, scans: Path) -> str:
    return (
        f"{path} is left: the same image was read before and then taken out of the scans. To "
        f"have it read again, put it into {scans} and start the watch anew."
    )


def _taken_in(n_files: int, report: BatchReport) -> str:
    files = "1 file" if n_files == 1 else f"{n_files} files"
    return (
        f"took in {files}: {report.new} new pages; of {report.received} received so far "
        f"{report.read} are read, {report.doubtful} doubtful"
    )


def read_to_csv(
    sources: Sequence[Path | str],
    layout_path: Path | str,
    out: Path | str | None,
    *,
    options: ReadOptions | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> CsvSummary:
    """Read scans with a layout alone into a CSV table, a row a field.

    Parameters
    ----------
    sources : sequence of Path or str
    layout_path : Path or str
    out : Path, str or None
        Written whole or not at all; None for standard output.
    options, executor, progress
        See `inkmark.session.read_scans`.

    Returns
    -------
    CsvSummary

    Raises
    ------
    ImageError
        Where a source does not exist or holds no files.
    InkmarkError
        Where `out` is one of the files to read, or the layout.
    """
    layout = load_layout(layout_path)
    scans = find_scans(sources)
    if out is not None:
        keep_inputs(Path(out), (*scans, Path(layout_path)))
    outcomes = read_scans(scans, layout, options=options, executor=executor, progress=progress)
    issues: list[SheetIssue] = []
    n_pages = n_flagged = 0
    target = None if out is None else Path(out)
    part = None if target is None else draft_path(target)
    try:
        with nullcontext(sys.stdout) if part is None else _create(part) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(CSV_COLUMNS)
            for outcome in outcomes:
                if isinstance(outcome, SheetIssue):
                    issues.append(outcome)
                    continue
                n_pages += 1
                for row in _rows(outcome, layout):
                    n_flagged += row[-1] != Flag.OK
                    writer.writerow(row)
            file.flush()  # a reader who has gone away is noticed here, not at the exit
        if part is not None and target is not None:
            part.replace(target)
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return CsvSummary(n_pages, n_flagged, tuple(issues))


def _create(path: Path) -> TextIO:
    # The mark at the front tells Excel that the text is UTF-8.
    return path.open("w", encoding="utf-8-sig", newline="")


def _rows(reading: SheetReading, layout: SheetLayout) -> list[tuple[str, ...]]:
    """One row for each field that is read, in the order of the layout, and for each join."""
    fields = {field.field: field for field in reading.fields}
    codes = {code.field: code.text for code in reading.codes}
    code = page_code(layout.pages[reading.page_number], reading.codes)
    candidate = "" if code is None else code.candidate
    values: list[_Value] = []
    for field in layout.pages[reading.page_number].fields:
        if field.name in fields:
            own = fields[field.name]
            value = field.name, own.value, own.confidence, own.flag
            is_number = isinstance(field, BubbleField) and field.role is Role.CANDIDATE
            values.append(_named(value, candidate) if is_number else value)
        elif field.name in codes:
            values.append((field.name, codes[field.name], 1.0, Flag.OK))
        elif isinstance(field, CodeField):
            values.append((field.name, "", 0.0, Flag.UNREADABLE))
    values += [
        _join(join, [fields[name] for name in join.parts])
        for join in layout.joins
        if all(name in fields for name in join.parts)
    ]
    place = (_text(reading.source.path), str(reading.source.page_index + 1))
    return [
        (*place, name, _text(value), f"{confidence:.4f}", str(flag))
        for name, value, confidence, flag in values
    ]


def _named(number: _Value, candidate: str) -> _Value:
    """The candidate number of a sheet whose code may name the candidate.

    The code is what was printed, so it completes a grid that is empty or lacks digits; a
    grid that says otherwise is doubtful.
    """
    name, value, confidence, _ = number
    if not candidate:
        return number
    if not value.strip("?") or (
        len(value) == len(candidate)
        and all(b in ("?", a) for a, b in zip(candidate, value, strict=True))
    ):
        return name, candidate, 1.0, Flag.OK
    return name, value, confidence, Flag.DOUBTFUL


def _join(join: JoinedField, parts: Sequence[FieldReading]) -> _Value:
    confidence = 1.0
    for part in parts:
        confidence *= part.confidence
    flag = next((part.flag for part in parts if part.flag is not Flag.OK), Flag.OK)
    return join.name, "".join(part.value for part in parts), confidence, flag


def _text(value: str) -> str:
    """Keep a spreadsheet from taking a text from outside for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
