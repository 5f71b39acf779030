"""Where markers put handwritten answers among the groups of an item, and their points."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from inkmark.store import schema
from inkmark.store.records import Placement

__all__ = ["latest_placements", "new_placements"]

_Place = tuple[str, int, str]
"""Image and field: the answer goes with its sheet, whosever that turns out to be."""


def latest_placements(connection: sa.Connection, exam_id: str) -> dict[_Place, Placement]:
    """The placement that holds for each answer: (sha256, page index, field) -> placement."""
    table = schema.placements
    query = sa.select(table).where(table.c.exam_id == exam_id).order_by(table.c.id)
    names = [field.name for field in dataclasses.fields(Placement)]
    found = (
        Placement(**{name: getattr(row, name) for name in names})
        for row in connection.execute(query)
    )
    return {(p.sha256, p.page_index, p.field): p for p in found}


def new_placements(
    connection: sa.Connection, exam_id: str, placements: Iterable[Placement]
) -> list[dict[str, Any]]:
    """Rows of the placements that say something else than what holds already."""
    held = latest_placements(connection, exam_id)
    rows = []
    for placement in placements:
        earlier = held.get((placement.sha256, placement.page_index, placement.field))
        said = placement.answer_group, placement.points
        if earlier is None or (earlier.answer_group, earlier.points) != said:
            row = {"exam_id": exam_id, **dataclasses.asdict(placement)}
            del row["id"]
            rows.append(row)
    return rows
