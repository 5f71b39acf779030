"""Rows of the database to values and back."""

from __future__ import annotations

import dataclasses
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
    "decision_of",
    "field_reading",
    "page_record",
    "page_row",
    "reading_row",
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


def page_row(exam_id: str, record: PageRecord) -> dict[str, Any]:
    """Give the row of a page."""
    row: dict[str, Any] = {
        "exam_id": exam_id,
        "path": record.source.path,
        "page_index": record.source.page_index,
        "sha256": record.source.sha256,
        "status": READ if record.issue is None else str(record.issue),
        "message": record.message,
        "candidate": record.candidate,
        "serial": record.serial,
        "layout_version": record.layout_version,
        "contested": [],
        "page_number": record.page_number,
    }
    if record.reading is not None:
        row |= {
            "width_px": record.reading.width_px,
            "height_px": record.reading.height_px,
            "dpi": record.reading.dpi,
            "registration": dataclasses.asdict(record.reading.registration),
            "codes": [dataclasses.asdict(code) for code in record.reading.codes],
        }
    return row


def reading_row(page_id: int | None, reading: FieldReading) -> dict[str, Any]:
    """Give the row of a field's reading."""
    return {
        "page_id": page_id,
        "field": reading.field,
        "value": reading.value,
        "confidence": reading.confidence,
        "flag": str(reading.flag),
        "fill": list(reading.fill),
        "x_px": reading.box_px.x,
        "y_px": reading.box_px.y,
        "w_px": reading.box_px.w,
        "h_px": reading.box_px.h,
    }


def field_reading(row: Any) -> FieldReading:
    """Take a field's reading from its row."""
    return FieldReading(
        row.field,
        row.value,
        row.confidence,
        Flag(row.flag),
        tuple(row.fill),
        Box(row.x_px, row.y_px, row.w_px, row.h_px),
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
    )


def _registration(stored: dict[str, Any]) -> Registration:
    shifts = stored["shifts"]
    return Registration(
        stored["orientation_deg"],
        tuple(stored["homography"]),
        stored["residual_mm"],
        stored["anchors_found"],
        stored["anchors_expected"],
        None
        if shifts is None
        else ShiftMesh(**{name: tuple(values) for name, values in shifts.items()}),
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
