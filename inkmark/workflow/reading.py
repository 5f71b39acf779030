"""Scans into an exam, or into a table."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from inkmark.layouts import CodeField, JoinedField, SheetLayout, load_layout
from inkmark.readings import FieldReading, Flag, SheetIssue, SheetReading
from inkmark.session import BatchReport, Progress, ReadOptions, read_exam, read_scans
from inkmark.workflow.folder import open_exam

__all__ = ["CSV_COLUMNS", "CsvSummary", "read", "read_to_csv"]

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
    """
    layout = load_layout(layout_path)
    outcomes = read_scans(sources, layout, options=options, executor=executor, progress=progress)
    issues: list[SheetIssue] = []
    n_pages = n_flagged = 0
    target = None if out is None else Path(out)
    part = None if target is None else target.with_name(f".{target.name}.part")
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
    values: list[_Value] = []
    for field in layout.pages[reading.page_number].fields:
        if field.name in fields:
            read_field = fields[field.name]
            values.append((field.name, read_field.value, read_field.confidence, read_field.flag))
        elif field.name in codes:
            values.append((field.name, codes[field.name], 1.0, Flag.OK))
        elif isinstance(field, CodeField):
            values.append((field.name, "", 0.0, Flag.UNREADABLE))
    values += [
        _join(join, [fields[name] for name in join.parts])
        for join in layout.joins
        if all(name in fields for name in join.parts)
    ]
    place = (reading.source.path, str(reading.source.page_index + 1))
    return [
        (*place, name, _text(value), f"{confidence:.4f}", str(flag))
        for name, value, confidence, flag in values
    ]


def _join(join: JoinedField, parts: Sequence[FieldReading]) -> _Value:
    confidence = 1.0
    for part in parts:
        confidence *= part.confidence
    flag = next((part.flag for part in parts if part.flag is not Flag.OK), Flag.OK)
    return join.name, "".join(part.value for part in parts), confidence, flag


def _text(value: str) -> str:
    """Keep a spreadsheet from taking a value that was read for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
