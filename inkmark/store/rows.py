"""Rows of the database to values and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from inkmark.geometry import Box
from inkmark.marking import ScoreRecord, ScoreStatus
from inkmark.readings import (
    CodeReading,
    FieldReading,
    Flag,
    IssueKind,
    PageSource,
    Registration,
    SheetReading,
    ShiftMesh,
)
from inkmark.store.records import Decision, PageRecord, StoredReading, StoredScore

__all__ = [
    "DECISION_COLUMNS",
    "READ",
    "READING_COLUMNS",
    "PageRows",
    "decision_of",
    "field_reading",
    "page_record",
    "page_rows",
    "score_row",
    "stored_score",
]

READ = "read"
"""Status of a page in use; any other status is an `IssueKind`."""

DECISION_COLUMNS = (
    "id",
    "candidate",
    "field",
    "value",
    "decided_by",
    "decided_at",
    "reason",
    "sha256",
    "page_index",
)

READING_COLUMNS = (
    "page_id",
    "field",
    "value",
    "confidence",
    "flag",
    "fill",
    "x_px",
    "y_px",
    "w_px",
    "h_px",
    "choices",
)

_as_json = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class PageRows:
    """A page as it goes into the database: plain values, which travel fast from a worker.

    Attributes
    ----------
    page : dict
        Its row of the table ``pages``, without the exam; JSON as text.
    readings : tuple of tuple
        Its rows of the table ``readings``: `READING_COLUMNS` without the page.
    """

    page: dict[str, Any]
    readings: tuple[tuple[Any, ...], ...]


def page_rows(record: PageRecord) -> PageRows:
    """Give the rows of a page and its readings."""
    reading = record.reading
    row: dict[str, Any] = {
        "path": record.source.path,
        "page_index": record.source.page_index,
        "sha256": record.source.sha256,
        "status": READ if record.issue is None else str(record.issue),
        "message": record.message,
        "candidate": record.candidate,
        "serial": record.serial,
        "named": record.named,
        "claim": record.candidate,
        "guesses": "[]",
        "layout_version": record.layout_version,
        "contested": "[]",
        "page_number": record.page_number,
        "fault": record.message if record.issue is IssueKind.UNREGISTERED else "",
        "width_px": None,
        "height_px": None,
        "dpi": None,
        "edge_mm": None,
        "registration": None,
        "codes": None,
    }
    if reading is not None:
        row |= {
            "width_px": reading.width_px,
            "height_px": reading.height_px,
            "dpi": reading.dpi,
            "edge_mm": reading.edge_mm,
            "registration": _as_json(_registration_json(reading.registration)),
            "codes": _as_json([dataclasses.asdict(code) for code in reading.codes]),
        }
    return PageRows(row, () if reading is None else tuple(_reading_rows(reading.fields)))


def _reading_rows(readings: Sequence[FieldReading]) -> Iterator[tuple[Any, ...]]:
    # One call encodes the numbers of all fields: a call a field would take most of the time.
    fills = _as_json([reading.fill for reading in readings])[2:-2].split("], [")
    for reading, fill in zip(readings, fills, strict=True) if readings else ():
        box = reading.box_px
        yield (
            reading.field,
            reading.value,
            reading.confidence,
            reading.flag.value,
            f"[{fill}]",
            box.x,
            box.y,
            box.w,
            box.h,
            _as_json(reading.choices) if reading.choices else "[]",
        )


def field_reading(row: Any) -> FieldReading:
    """Take a field's reading from its row."""
    return FieldReading(
        row.field,
        row.value,
        row.confidence,
        Flag(row.flag),
        tuple(row.fill),
        Box(row.x_px, row.y_px, row.w_px, row.h_px),
        tuple(tuple((symbol, p) for symbol, p in choice) for choice in row.choices),
    )


def page_record(row: Any, fields: tuple[FieldReading, ...]) -> PageRecord:
    """Take a page from its row, with its readings."""
    source = PageSource(row.path, row.page_index, row.sha256)
    reading = None
    if row.registration is not None:
        codes = tuple(
            CodeReading(code["field"], code["text"], code["format"], Box(**code["box_px"]))
            for code in row.codes
        )
        reading = SheetReading(
            source,
            row.width_px,
            row.height_px,
            row.dpi,
            row.page_number,
            _registration(row.registration),
            fields,
            codes,
            row.edge_mm,
        )
    issue = None if row.status == READ else IssueKind(row.status)
    return PageRecord(
        source,
        issue,
        row.message,
        row.candidate,
        row.page_number,
        reading,
        row.serial,
        row.layout_version,
        row.named,
        tuple((candidate, p) for candidate, p in row.guesses),
    )


def _registration_json(registration: Registration) -> dict[str, Any]:
    stored = _attributes(registration)
    if registration.shifts is not None:
        stored["shifts"] = _attributes(registration.shifts)
    return stored


def _attributes(value: Registration | ShiftMesh) -> dict[str, Any]:
    """What `dataclasses.asdict` gives, without its copies of every number in a mesh."""
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}


def _registration(stored: dict[str, Any]) -> Registration:
    shifts = stored.get("shifts")
    return Registration(
        stored["orientation_deg"],
        tuple(stored["homography"]),
        stored["residual_mm"],
        stored["anchors_found"],
        stored["anchors_expected"],
        None
        if shifts is None
        else ShiftMesh(**{name: tuple(values) for name, values in shifts.items()}),
        tuple(stored.get("lost", ())),  # not in databases of the first version
    )


def decision_of(row: Any) -> Decision:
    """Take a decision from its row."""
    return Decision(**{name: getattr(row, name) for name in DECISION_COLUMNS})


def stored_score(row: Any) -> StoredScore:
    """Take a score from its row joined with its reading, page and decision."""
    has_page = row.path is not None
    return StoredScore(
        ScoreRecord(
            candidate=row.candidate,
            item=row.item,
            points=row.points,
            full=row.full,
            value=row.value,
            status=ScoreStatus(row.status),
            rule=row.rule,
            key=row.key,
        ),
        PageSource(row.path, row.page_index, row.sha256) if has_page else None,
        Box(row.x_px, row.y_px, row.w_px, row.h_px) if has_page else None,
        Decision(**{name: getattr(row, f"d_{name}") for name in DECISION_COLUMNS})
        if row.d_id is not None
        else None,
    )


def score_row(exam_id: str, record: ScoreRecord, reading: StoredReading | None) -> dict[str, Any]:
    """Give the row of a score with the reading it rests on."""
    decision = reading.decision if reading is not None else None
    return {
        "exam_id": exam_id,
        "candidate": record.candidate,
        "item": record.item,
        "points": record.points,
        "full": record.full,
        "status": str(record.status),
        "value": record.value,
        "rule": record.rule,
        "key": record.key,
        "reading_id": reading.id if reading is not None else None,
        "decision_id": decision.id if decision is not None else None,
    }
