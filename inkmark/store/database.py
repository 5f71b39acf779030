"""Reading from and writing to the exam database."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, StatementError

from inkmark.errors import StoreError
from inkmark.exam import Exam
from inkmark.marking import ScoreRecord
from inkmark.readings import (
    FieldReading,
    IssueKind,
)
from inkmark.store import schema
from inkmark.store.records import (
    Decision,
    PageRecord,
    StoredPage,
    StoredReading,
    StoredScore,
)
from inkmark.store.rows import (
    DECISION_COLUMNS,
    READ,
    decision_of,
    field_reading,
    page_record,
    page_row,
    reading_row,
    score_row,
    stored_score,
)

__all__ = ["ExamStore"]

_BUSY_TIMEOUT_S = 30

_USABLE = (READ, str(IssueKind.DUPLICATE_PAGE), str(IssueKind.DUPLICATE_IMAGE))
"""Status of pages that were read and identified."""


class ExamStore:
    """The database of one exam.

    Every public method is one transaction: it happens whole or not at all.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of the database.
    exam_id : str
        Which exam of the database is meant.
    """

    def __init__(self, url: str, exam_id: str) -> None:
        self._exam_id = exam_id
        self._url = sa.engine.make_url(url)
        arguments = {"timeout": _BUSY_TIMEOUT_S} if self._url.drivername == "sqlite" else {}
        self._engine = sa.create_engine(self._url, connect_args=arguments)
        if self._url.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
        with contextlib.ExitStack() as on_refusal:
            on_refusal.callback(self.close)
            with self._transaction() as connection:
                schema.metadata.create_all(connection)
                version = connection.scalar(sa.select(schema.schema_info.c.version))
                if version is None:
                    connection.execute(
                        schema.schema_info.insert().values(version=schema.SCHEMA_VERSION)
                    )
                elif version != schema.SCHEMA_VERSION:
                    raise StoreError(
                        f"the database {self._name} has schema version {version}, this inkmark "
                        f"writes version {schema.SCHEMA_VERSION}. Use the inkmark it was made "
                        "with, or move the file away and read the scans again."
                    )
            on_refusal.pop_all()

    @classmethod
    def open(cls, path: Path | str, exam_id: str) -> ExamStore:
        """Open or create the SQLite database in a file."""
        return cls(str(sa.engine.URL.create("sqlite", database=str(path))), exam_id)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # ---------------------------------------------------------------- exam

    def put_exam(self, exam: Exam) -> None:
        """Write the exam and its roster; those stored before are replaced."""
        table, roster = schema.exams, schema.candidates
        values = {
            "title": exam.title,
            "subject": exam.subject,
            "grade": exam.grade,
            "date": exam.date,
            "language": exam.language,
            "full_mark": exam.full_mark,
        }
        with self._transaction() as connection:
            updated = connection.execute(
                table.update().where(table.c.id == self._exam_id).values(**values)
            )
            if updated.rowcount == 0:
                connection.execute(table.insert().values(id=self._exam_id, **values))
            connection.execute(roster.delete().where(roster.c.exam_id == self._exam_id))
            _insert(
                connection,
                roster,
                (
                    {
                        "exam_id": self._exam_id,
                        "number": candidate.number,
                        "name": candidate.name,
                        "class_name": candidate.class_name,
                        "school": candidate.school,
                        "identifiers": dict(candidate.identifiers),
                        "position": position,
                    }
                    for position, candidate in enumerate(exam.candidates)
                ),
            )

    # --------------------------------------------------------------- pages

    def known_pages(self) -> dict[str, set[tuple[str, int]]]:
        """Pages that are stored: path -> {(sha256, page index)}."""
        table = schema.pages
        query = sa.select(table.c.path, table.c.sha256, table.c.page_index).where(
            table.c.exam_id == self._exam_id
        )
        known: dict[str, set[tuple[str, int]]] = {}
        with self._transaction() as connection:
            for path, sha256, page_index in connection.execute(query):
                known.setdefault(path, set()).add((sha256, page_index))
        return known

    def add_pages(self, records: Sequence[PageRecord]) -> None:
        """Store pages and their readings, all or none."""
        with self._transaction() as connection:
            for record in records:
                page_id = connection.scalar(
                    schema.pages.insert()
                    .values(page_row(self._exam_id, record))
                    .returning(schema.pages.c.id)
                )
                if record.reading is not None:
                    _insert(
                        connection,
                        schema.readings,
                        (reading_row(page_id, reading) for reading in record.reading.fields),
                    )

    def forget_unusable(self, paths: Iterable[str]) -> None:
        """Forget pages that could not be opened or were withdrawn, to read them again."""
        table = schema.pages
        unusable = (str(IssueKind.UNREADABLE_FILE), str(IssueKind.WITHDRAWN))
        with self._transaction() as connection:
            for some in _batches(paths, 500):
                connection.execute(
                    table.delete().where(
                        table.c.exam_id == self._exam_id,
                        table.c.path.in_(some),
                        table.c.status.in_(unusable),
                    )
                )

    def withdraw(self, folder: str, paths: AbstractSet[str]) -> None:
        """Withdraw the pages of a folder whose file is not there.

        Parameters
        ----------
        folder : str
            Path of the folder with a slash at its end.
        paths : set of str
            The files that are there.
        """
        table = schema.pages
        query = sa.select(table.c.id, table.c.path, table.c.status, table.c.message).where(
            table.c.exam_id == self._exam_id,
            table.c.path.startswith(folder, autoescape=True),
        )
        message = "the file is no longer among the scans."
        with self._transaction() as connection:
            for row in connection.execute(query).all():
                if row.path not in paths:
                    self._mark(connection, row, str(IssueKind.WITHDRAWN), message)

    def apply_serials(
        self, own_number: AbstractSet[int], orphan: Callable[[str, AbstractSet[str]], str]
    ) -> None:
        """Give pages of blank sheets the candidate whose number is on another page.

        Parameters
        ----------
        own_number : set of int
            Pages of the layout that bear a candidate number themselves.
        orphan : callable
            Serial number and candidates found on the sheet -> the message for a page that
            no single candidate can be given.
        """
        table = schema.pages
        unnamed = (str(IssueKind.UNIDENTIFIED), str(IssueKind.UNKNOWN_CANDIDATE))
        query = (
            sa.select(table)
            .where(
                table.c.exam_id == self._exam_id,
                table.c.serial != "",
                table.c.status.in_((*_USABLE, *unnamed)),
            )
            .order_by(table.c.serial)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
            for serial, group in groupby(rows, key=lambda row: row.serial):
                sheet = list(group)
                owners = {r.candidate for r in sheet if r.page_number in own_number} - {""}
                status, message, candidate = READ, "", "".join(owners)
                if len(owners) != 1:
                    status, candidate = str(IssueKind.UNIDENTIFIED), ""
                    message = orphan(serial, owners)
                ids = [row.id for row in sheet if row.page_number not in own_number]
                connection.execute(
                    table.update()
                    .where(table.c.id.in_(ids))
                    .values(status=status, message=message, candidate=candidate)
                )

    def apply_roster(self, numbers: AbstractSet[str], stranger: Callable[[str], str]) -> None:
        """Take pages of candidates who are not on the roster out of use, others back.

        Parameters
        ----------
        numbers : set of str
            Candidate numbers on the roster.
        stranger : callable
            Candidate number -> the message for a page of a candidate who is not on it.
        """
        table = schema.pages
        unknown = str(IssueKind.UNKNOWN_CANDIDATE)
        query = sa.select(table.c.id, table.c.candidate, table.c.status, table.c.message).where(
            table.c.exam_id == self._exam_id, table.c.status.in_((*_USABLE, unknown))
        )
        with self._transaction() as connection:
            for row in connection.execute(query).all():
                if row.candidate not in numbers:
                    self._mark(connection, row, unknown, stranger(row.candidate))
                elif row.status == unknown:
                    self._mark(connection, row, READ, "")

    def settle_duplicates(self) -> None:
        """Choose which image of each page is in use; the others are duplicates.

        The same bytes again are a duplicate image. Among different images of one page
        the first by path and page is in use. The outcome depends on what is stored, not
        on the order in which it came.
        """
        table = schema.pages
        query = (
            sa.select(table)
            .where(table.c.exam_id == self._exam_id, table.c.status.in_(_USABLE))
            .order_by(table.c.candidate, table.c.page_number, table.c.path, table.c.page_index)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
            for _, group in groupby(rows, key=lambda row: (row.candidate, row.page_number)):
                first, *others = group
                self._mark(connection, first, READ, "")
                for other in others:
                    status, message = _duplicate_of(connection, first, other)
                    self._mark(connection, other, status, message)

    def pages(self) -> Iterator[StoredPage]:
        """Every page image with its readings, by candidate, page, path and index."""
        table = schema.pages
        query = (
            sa.select(table)
            .where(table.c.exam_id == self._exam_id)
            .order_by(table.c.candidate, table.c.page_number, table.c.path, table.c.page_index)
        )
        with self._transaction() as connection:
            for rows in connection.execute(query).partitions(200):
                fields = _readings_of(connection, [row.id for row in rows])
                for row in rows:
                    yield StoredPage(row.id, page_record(row, fields.get(row.id, ())))

    def readings_in_use(self) -> Iterator[StoredReading]:
        """Every field of every page in use, by candidate, page and field order.

        The latest decision on a field stands beside its reading.
        """
        decided = {(d.candidate, d.field): d for d in self.decisions()}
        pages, readings = schema.pages, schema.readings
        query = (
            sa.select(readings, pages.c.candidate, pages.c.page_number)
            .join(pages, readings.c.page_id == pages.c.id)
            .where(pages.c.exam_id == self._exam_id, pages.c.status == READ)
            .order_by(pages.c.candidate, pages.c.page_number, readings.c.id)
        )
        with self._transaction() as connection:
            for row in connection.execute(query):
                yield StoredReading(
                    row.id,
                    row.candidate,
                    row.page_id,
                    row.page_number,
                    field_reading(row),
                    decided.get((row.candidate, row.field)),
                )

    # ----------------------------------------------------------- decisions

    def decisions(self) -> list[Decision]:
        """Every decision, oldest first: a later one on the same field replaces it."""
        table = schema.decisions
        query = sa.select(table).where(table.c.exam_id == self._exam_id).order_by(table.c.id)
        with self._transaction() as connection:
            return [decision_of(row) for row in connection.execute(query)]

    def add_decisions(self, decisions: Iterable[Decision]) -> int:
        """Store decisions; one that says what holds already is left out.

        Returns
        -------
        int
            How many were stored.
        """
        holding = {(d.candidate, d.field): d.value for d in self.decisions()}
        new = [d for d in decisions if holding.get((d.candidate, d.field)) != d.value]
        rows = [{"exam_id": self._exam_id, **dataclasses.asdict(decision)} for decision in new]
        for row in rows:
            del row["id"]
        with self._transaction() as connection:
            _insert(connection, schema.decisions, rows)
        return len(new)

    # -------------------------------------------------------------- scores

    def replace_scores(
        self,
        records: Iterable[ScoreRecord],
        evidence: Mapping[tuple[str, str], StoredReading],
    ) -> None:
        """Write the scores of the exam in place of those that are there.

        Parameters
        ----------
        records : iterable of ScoreRecord
        evidence : mapping
            (candidate, item) -> the reading the score rests on.
        """
        table = schema.scores
        with self._transaction() as connection:
            connection.execute(table.delete().where(table.c.exam_id == self._exam_id))
            _insert(
                connection,
                table,
                (
                    score_row(self._exam_id, record, evidence.get((record.candidate, record.item)))
                    for record in records
                ),
            )

    def scores(self) -> list[StoredScore]:
        """Every score with its evidence, by candidate number and item number."""
        s, r, p, d = schema.scores, schema.readings, schema.pages, schema.decisions
        query = (
            sa.select(
                s,
                *(r.c[name] for name in ("x_px", "y_px", "w_px", "h_px")),
                *(p.c[name] for name in ("path", "page_index", "sha256")),
                *(d.c[name].label(f"d_{name}") for name in DECISION_COLUMNS),
            )
            .outerjoin(r, s.c.reading_id == r.c.id)
            .outerjoin(p, r.c.page_id == p.c.id)
            .outerjoin(d, s.c.decision_id == d.c.id)
            .where(s.c.exam_id == self._exam_id)
            .order_by(s.c.candidate, s.c.item)
        )
        with self._transaction() as connection:
            return [stored_score(row) for row in connection.execute(query)]

    # ------------------------------------------------------------- private

    @property
    def _name(self) -> str:
        return Path(self._url.database).name if self._url.database else str(self._url)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise StoreError(
                f"the database {self._name} cannot be used: {error.orig}. Check that the "
                "folder can be written, the disk is not full and no other program holds "
                "the database, then run the command again; nothing was half written."
            ) from error
        except IntegrityError as error:
            raise StoreError(
                f"the database {self._name} refused a contradictory entry: {error.orig}. "
                "Another inkmark may have written at the same time; run the command again."
            ) from error
        except DatabaseError as error:
            raise StoreError(
                f"{self._name} is not an exam database, or is damaged: {error.orig}. Restore "
                "it from a copy, or move it away and read the scans again."
            ) from error
        except StatementError as error:
            raise StoreError(
                f"a value cannot be kept in the database: {error.orig}. Correct the value "
                "and run the command again; nothing was half written."
            ) from error

    def _mark(self, connection: sa.Connection, row: Any, status: str, message: str) -> None:
        if (row.status, row.message) != (status, message):
            table = schema.pages
            connection.execute(
                table.update().where(table.c.id == row.id).values(status=status, message=message)
            )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()  # the pool does not know it yet
        raise


def _batches(values: Iterable[str], size: int) -> Iterator[list[str]]:
    remaining = list(values)
    for start in range(0, len(remaining), size):
        yield remaining[start : start + size]


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    batch = list(rows)
    if batch:
        connection.execute(table.insert(), batch)


def _readings_of(
    connection: sa.Connection, page_ids: Sequence[int]
) -> dict[int, tuple[FieldReading, ...]]:
    table = schema.readings
    query = (
        sa.select(table).where(table.c.page_id.in_(page_ids)).order_by(table.c.page_id, table.c.id)
    )
    rows = connection.execute(query).all()
    return {
        page_id: tuple(field_reading(row) for row in group)
        for page_id, group in groupby(rows, key=lambda row: row.page_id)
    }


def _duplicate_of(connection: sa.Connection, first: Any, other: Any) -> tuple[str, str]:
    if (first.sha256, first.page_index) == (other.sha256, other.page_index):
        return (
            str(IssueKind.DUPLICATE_IMAGE),
            f"the same image as {first.path}. Nothing needs to be done.",
        )
    fields = _readings_of(connection, [first.id, other.id])
    values = [
        {reading.field: reading.value for reading in fields.get(page_id, ())}
        for page_id in (first.id, other.id)
    ]
    different = sorted(name for name in values[0] if values[0][name] != values[1].get(name))
    where = f"{first.path} page {first.page_index + 1}"
    if not different:
        message = (
            f"another image of the page in {where}, with the same answers. "
            "Nothing needs to be done."
        )
    else:
        named = ", ".join(different[:5]) + (", ..." if len(different) > 5 else "")
        message = (
            f"another image of the page in {where}, and {len(different)} fields differ "
            f"({named}). {where} is in use: compare the two sheets and take the wrong one "
            "out of the scans."
        )
    return str(IssueKind.DUPLICATE_PAGE), message
