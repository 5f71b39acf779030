"""What the exam database holds, with the decisions of people on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from inkmark.readings import FieldReading, Flag
from inkmark.store import schema
from inkmark.store.adding import in_chunks
from inkmark.store.records import Decision, StoredPage
from inkmark.store.rows import READ, decision_of, field_reading, page_record

__all__ = [
    "PAGE_COLUMNS",
    "all_decisions",
    "latest_decisions",
    "stored_pages",
    "waiting_fields",
    "with_decision",
]

PAGE_COLUMNS = ("candidate", "page_number", "sha256", "page_index", "status", "contested")
"""What `with_decision` has to know of a page."""

Latest = dict[tuple[str, str], Decision]
"""(candidate, field) -> the latest decision."""


def all_decisions(connection: sa.Connection, exam_id: str) -> list[Decision]:
    """Every decision of an exam, oldest first."""
    table = schema.decisions
    query = sa.select(table).where(table.c.exam_id == exam_id).order_by(table.c.id)
    return [decision_of(row) for row in connection.execute(query)]


def latest_decisions(connection: sa.Connection, exam_id: str) -> Latest:
    """The decision that holds for each field of each candidate.

    A decision is about what is on a sheet: it goes with the sheet where that turns out to be
    another candidate's.
    """
    decisions = all_decisions(connection, exam_id)
    table = schema.pages
    query = sa.select(table.c.sha256, table.c.page_index, table.c.candidate).order_by(
        table.c.candidate
    )
    owners = {
        (row.sha256, row.page_index): row.candidate
        for some in in_chunks(sorted({d.sha256 for d in decisions}))
        for row in connection.execute(
            query.where(table.c.exam_id == exam_id, table.c.sha256.in_(some))
        )
    }
    return {(owners.get((d.sha256, d.page_index), d.candidate), d.field): d for d in decisions}


def stored_pages(
    connection: sa.Connection, rows: Sequence[Any], latest: Latest
) -> Iterator[StoredPage]:
    """Pages with their readings, for rows of the table ``pages``."""
    table = schema.readings
    query = (
        sa.select(table)
        .where(table.c.page_id.in_([row.id for row in rows]))
        .order_by(table.c.page_id, table.c.id)
    )
    fields = {
        page_id: [field_reading(reading) for reading in group]
        for page_id, group in groupby(connection.execute(query), key=lambda row: row.page_id)
    }
    for row in rows:
        settled = [with_decision(reading, row, latest) for reading in fields.get(row.id, ())]
        yield StoredPage(
            row.id,
            page_record(row, tuple(reading for reading, _ in settled)),
            frozenset(reading.field for reading, decision in settled if decision),
        )


def with_decision(
    reading: FieldReading, page: Any, latest: Latest
) -> tuple[FieldReading, Decision | None]:
    """Give a reading with the decision on its image, or contested by other images."""
    decision = latest.get((page.candidate, reading.field))
    here = (page.sha256, page.page_index)
    if decision is not None and (decision.sha256, decision.page_index) == here:
        return reading, decision
    contested = reading.field in page.contested or (
        decision is not None and decision.value != reading.value
    )
    if contested and page.status == READ and reading.flag in (Flag.OK, Flag.DOUBTFUL):
        reading = dataclasses.replace(reading, flag=Flag.CONTESTED)
    return reading, None


def waiting_fields(
    connection: sa.Connection, exam_id: str, fields: Mapping[int, Mapping[str, Collection[Flag]]]
) -> dict[int, tuple[str, ...]]:
    """Fields of pages in use that wait for a decision: page id -> names.

    They do with the flags that `fields` gives for them on their page of the layout.
    """
    pages, readings = schema.pages, schema.readings
    latest = latest_decisions(connection, exam_id)
    in_use = sa.and_(pages.c.exam_id == exam_id, pages.c.status == READ)
    names = sorted({name for own in fields.values() for name in own})
    decided = {candidate for candidate, _ in latest}
    disputed = [
        row.id
        for row in connection.execute(
            sa.select(pages.c.id, pages.c.candidate, pages.c.contested).where(in_use)
        )
        if row.contested or row.candidate in decided
    ]
    query = (
        sa.select(readings, *(pages.c[name] for name in PAGE_COLUMNS))
        .join(pages, readings.c.page_id == pages.c.id)
        .where(in_use, readings.c.field.in_(names))
        .order_by(readings.c.page_id, readings.c.id)
    )
    found: dict[int, dict[str, None]] = {}
    for condition in (
        schema.FLAGGED,
        *(readings.c.page_id.in_(some) for some in in_chunks(disputed)),
    ):
        for row in connection.execute(query.where(condition)):
            reading, decision = with_decision(field_reading(row), row, latest)
            flags = fields.get(row.page_number, {}).get(reading.field, ())
            if decision is None and reading.flag in flags:
                found.setdefault(row.page_id, {})[reading.field] = None
    return {page_id: tuple(own) for page_id, own in found.items()}
