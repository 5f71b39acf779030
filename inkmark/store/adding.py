"""Writing many pages at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from inkmark.readings import IssueKind
from inkmark.store import schema
from inkmark.store.rows import READING_COLUMNS, PageRows

__all__ = ["READ_AGAIN", "Touched", "add_pages", "in_chunks", "insert_by_position"]

READ_AGAIN = (str(IssueKind.UNREADABLE_FILE), str(IssueKind.WITHDRAWN))
"""Status of pages that are read again when their file is there again."""

_IDENTITY = ("path", "page_index", "sha256")

_CHUNK = 500
"""Values of one condition: every database takes so many."""


@dataclass(slots=True)
class Touched:
    """Whose pages have changed and have to be settled anew.

    Attributes
    ----------
    candidates : set of str
    serials : set of str
        Of blank sheets.
    """

    candidates: set[str] = field(default_factory=set)
    serials: set[str] = field(default_factory=set)

    def add(self, candidate: str, serial: str) -> None:
        """Note a page."""
        self.candidates.add(candidate)
        if serial:
            self.serials.add(serial)


def in_chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Share values out over conditions of a size that every database takes."""
    remaining = list(values)
    for start in range(0, len(remaining), _CHUNK):
        yield remaining[start : start + _CHUNK]


def add_pages(
    connection: sa.Connection, exam_id: str, pages: Iterable[PageRows], touched: Touched
) -> int:
    """Write pages with their readings and withdraw those whose file has other bytes now.

    An issue without a hash, of a file whose bytes could not be had, says nothing about them:
    it withdraws no page, and is itself withdrawn when its page is read.

    Returns
    -------
    int
        How many were not stored before.
    """
    wanted = {_identity(rows): rows for rows in pages}
    newest = {path: sha256 for path, _, sha256 in wanted if sha256}
    opened = {(path, index) for path, index, sha256 in wanted if sha256}
    stored = {
        (row.path, row.page_index, row.sha256): row
        for row in _pages_of(connection, exam_id, {path for path, _, _ in wanted})
    }
    replaced, new = [], []
    for identity, rows in wanted.items():
        row = stored.get(identity)
        if row is not None:
            if row.layout_version == rows.page["layout_version"] and row.status not in READ_AGAIN:
                continue  # another process has read it in the meantime
            replaced.append(row)
        path, index, sha256 = identity
        if sha256 == newest.get(path) if sha256 else (path, index) not in opened:
            new.append(rows)  # else the file was replaced by another
    stale = [
        row
        for row in stored.values()
        if row.status != str(IssueKind.WITHDRAWN)
        and (
            row.sha256 != newest.get(row.path, row.sha256)
            if row.sha256
            else (row.path, row.page_index) in opened
        )
    ]
    table = schema.pages
    for ids in in_chunks(row.id for row in replaced):
        connection.execute(table.delete().where(table.c.id.in_(ids)))
    for ids in in_chunks(row.id for row in stale):
        connection.execute(
            table.update()
            .where(table.c.id.in_(ids))
            .values(
                status=str(IssueKind.WITHDRAWN), message="the file was replaced by another image."
            )
        )
    for row in (*replaced, *stale):
        touched.add(row.candidate, row.serial)
    for rows in new:
        touched.add(rows.page["candidate"], rows.page["serial"])
    _insert_pages(connection, exam_id, new)
    return len(new) - len(replaced)


def _pages_of(connection: sa.Connection, exam_id: str, paths: Collection[str]) -> list[Any]:
    table = schema.pages
    names = ("id", "path", "page_index", "sha256", "layout_version", "status", "candidate")
    query = sa.select(*(table.c[name] for name in names), table.c.serial)
    return [
        row
        for some in in_chunks(paths)
        for row in connection.execute(
            query.where(table.c.exam_id == exam_id, table.c.path.in_(some))
        )
    ]


def _insert_pages(connection: sa.Connection, exam_id: str, pages: Sequence[PageRows]) -> None:
    if not pages:
        return
    # Plain tuples for the driver: making dictionaries and statements for them would take more
    # time than the database does.
    dialect = connection.dialect
    insert, names = insert_by_position(dialect, schema.pages, ["exam_id", *pages[0].page])
    values = [{"exam_id": exam_id, **rows.page} for rows in pages]
    connection.exec_driver_sql(insert, [tuple(row[n] for n in names) for row in values])
    ids = {
        (row.path, row.page_index, row.sha256): row.id
        for row in _pages_of(connection, exam_id, {rows.page["path"] for rows in pages})
    }
    readings = []
    for rows in pages:
        page_id = ids[_identity(rows)]
        readings += [(page_id, *reading) for reading in rows.readings]
    if readings:
        insert, _ = insert_by_position(dialect, schema.readings, READING_COLUMNS)
        connection.exec_driver_sql(insert, readings)


def insert_by_position(
    dialect: sa.Dialect, table: sa.Table, columns: Sequence[str]
) -> tuple[str, list[str]]:
    """Give the statement that inserts rows, and the columns in the order of its values.

    Raises
    ------
    RuntimeError
        Where values are not given to this dialect by position: the engine was made otherwise
        than by `inkmark.store.connecting`.
    """
    insert = table.insert().compile(dialect=dialect, column_keys=columns)
    if insert.positiontup is None:
        raise RuntimeError(f"values are not given to {dialect.name} by position")
    return str(insert), insert.positiontup


def _identity(rows: PageRows) -> tuple[Any, ...]:
    return tuple(rows.page[name] for name in _IDENTITY)
