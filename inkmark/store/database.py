"""Reading from and writing to the exam database."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from inkmark.errors import StoreError
from inkmark.exam import Exam
from inkmark.marking import ScoreRecord, ScoreStatus
from inkmark.readings import (
    Flag,
    IssueKind,
    PageSource,
)
from inkmark.store import schema
from inkmark.store.adding import READ_AGAIN, Touched, add_pages, in_chunks
from inkmark.store.connecting import make_engine, name_of, transaction
from inkmark.store.deciding import all_identities, new_identities, rival_identities
from inkmark.store.identifying import Facts
from inkmark.store.placing import latest_placements, new_placements
from inkmark.store.queries import (
    PAGE_COLUMNS,
    all_decisions,
    latest_decisions,
    stored_pages,
    waiting_fields,
    with_decision,
)
from inkmark.store.records import (
    Decision,
    IdentityDecision,
    PageSummary,
    Placement,
    StoredPage,
    StoredReading,
    StoredScore,
)
from inkmark.store.rows import (
    DECISION_COLUMNS,
    READ,
    PageRows,
    field_reading,
    score_row,
    stored_score,
)
from inkmark.store.settling import (
    retire_other_layouts,
    settle,
    settle_touched,
)

__all__ = ["ExamStore"]

_PAGES_AT_ONCE = 200


class ExamStore:
    """The database of one exam.

    Every public method is one transaction: it happens whole or not at all.

    Parameters
    ----------
    url : str or sqlalchemy.URL
        SQLAlchemy URL of the database.
    exam_id : str
        Which exam of the database is meant.

    Raises
    ------
    StoreError
        Where the database cannot be used.
    ExtraMissingError
        Where PostgreSQL is asked for and its driver is not installed.
    """

    def __init__(self, url: str | sa.URL, exam_id: str) -> None:
        self._exam_id = exam_id
        self._engine = make_engine(url)
        with contextlib.ExitStack() as on_refusal:
            on_refusal.callback(self.close)
            with self._writing() as connection:
                schema.metadata.create_all(connection)
                version = connection.scalar(sa.select(schema.schema_info.c.version))
                if version is None:
                    connection.execute(
                        schema.schema_info.insert().values(version=schema.SCHEMA_VERSION)
                    )
                elif version in schema.UPGRADES:
                    schema.upgrade(connection, version)
                elif version != schema.SCHEMA_VERSION:
                    raise StoreError(
                        f"the database {name_of(self._engine)} has schema version {version}, "
                        f"this inkmark writes version {schema.SCHEMA_VERSION}. Use the inkmark "
                        "it was made with, or move the file away and read the scans again."
                    )
            on_refusal.pop_all()

    @classmethod
    def open(cls, path: Path | str, exam_id: str) -> ExamStore:
        """Open or create the SQLite database in a file."""
        return cls(sa.URL.create("sqlite", database=str(path)), exam_id)

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
        with self._writing() as connection:
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

    def known_pages(self, layout_version: str) -> dict[str, set[tuple[str, int]]]:
        """Pages that need not be read again: path -> {(sha256, page index)}.

        Those read with another layout, withdrawn or never opened are not among them, nor
        those whose file could not be opened when it was looked at last.
        """
        table = schema.pages
        query = sa.select(table.c.path, table.c.sha256, table.c.page_index).where(
            table.c.exam_id == self._exam_id,
            table.c.layout_version == layout_version,
            table.c.status.not_in(READ_AGAIN),
        )
        closed = sa.select(table.c.path, table.c.page_index).where(
            table.c.exam_id == self._exam_id,
            table.c.sha256 == "",
            table.c.status != str(IssueKind.WITHDRAWN),
        )
        known: dict[str, set[tuple[str, int]]] = {}
        with self._reading() as connection:
            unopened = {tuple(row) for row in connection.execute(closed)}
            for path, sha256, page_index in connection.execute(query):
                if (path, page_index) not in unopened:
                    known.setdefault(path, set()).add((sha256, page_index))
        return known

    def hashes(self) -> set[str]:
        """Hashes of all files whose pages are stored, in use or not."""
        table = schema.pages
        query = sa.select(table.c.sha256).where(table.c.exam_id == self._exam_id).distinct()
        with self._reading() as connection:
            return set(connection.scalars(query)) - {""}

    def add_pages(self, pages: Iterable[PageRows], facts: Facts) -> int:
        """Store pages and their readings and settle which are in use, all or none.

        A page that is stored already is left as it is, or replaced where it would be read
        again (see `known_pages`). Pages of a file that held other bytes before are withdrawn.

        Parameters
        ----------
        pages : iterable of PageRows
            By `page_rows`.
        facts : Facts
            What the pages are settled by; files that are gone are left to `settle`.

        Returns
        -------
        int
            How many were not stored before.
        """
        touched = Touched()
        with self._writing() as connection:
            n_new = add_pages(connection, self._exam_id, pages, touched)
            settle_touched(connection, self._exam_id, facts, touched)
        return n_new

    def settle(self, facts: Facts) -> None:
        """Settle whose pages all are, and which of them are in use.

        Pages read with another layout and pages whose file is gone are taken out of use;
        whose a page is follows from decisions by hand, the numbers read on it and the roster
        (see `inkmark.store.identifying`); pages of blank sheets get the candidate of their
        sheet; and of several images of a page the best is in use (see
        `inkmark.store.choosing`). The outcome depends on what is stored, not on the order in
        which it came.
        """
        with self._writing() as connection:
            settle(connection, self._exam_id, facts)

    def retire_other_layouts(self, layout_version: str) -> None:
        """Take pages out of use that were read with another layout."""
        with self._writing() as connection:
            retire_other_layouts(connection, self._exam_id, layout_version)

    def pages(
        self,
        candidates: Collection[str] | None = None,
        *,
        issues: Collection[IssueKind] | None = None,
    ) -> Iterator[StoredPage]:
        """Every page image with its readings, by candidate, page, path and index.

        Parameters
        ----------
        candidates : collection of str, optional
            Only pages of these.
        issues : collection of IssueKind, optional
            Only pages with one of these.
        """
        table = schema.pages
        query = (
            sa.select(table)
            .where(table.c.exam_id == self._exam_id)
            .order_by(table.c.candidate, table.c.page_number, table.c.path, table.c.page_index)
        )
        if issues is not None:
            query = query.where(table.c.status.in_([str(issue) for issue in issues]))
        with self._reading() as connection:
            latest = latest_decisions(connection, self._exam_id)
            for some in [None] if candidates is None else in_chunks(sorted(candidates)):
                own = query if some is None else query.where(table.c.candidate.in_(some))
                for rows in connection.execute(own).partitions(_PAGES_AT_ONCE):
                    yield from stored_pages(connection, rows, latest)

    def summaries(
        self, fields: Mapping[int, Mapping[str, Collection[Flag]]]
    ) -> Iterator[PageSummary]:
        """Every page image without its readings, in the order of `pages`.

        Parameters
        ----------
        fields : mapping
            Page of the layout -> field on it -> the flags with which it waits for a decision.
        """
        table = schema.pages
        names = (*PAGE_COLUMNS, "id", "path", "message")
        query = (
            sa.select(*(table.c[name] for name in names))
            .where(table.c.exam_id == self._exam_id)
            .order_by(table.c.candidate, table.c.page_number, table.c.path, table.c.page_index)
        )
        with self._reading() as connection:
            waiting = waiting_fields(connection, self._exam_id, fields)
            for row in connection.execute(query):
                yield PageSummary(
                    PageSource(row.path, row.page_index, row.sha256),
                    None if row.status == READ else IssueKind(row.status),
                    row.message,
                    row.candidate,
                    row.page_number,
                    waiting.get(row.id, ()),
                )

    def readings_in_use(self) -> Iterator[StoredReading]:
        """Every field of every page in use, by candidate, page and field order."""
        pages, readings = schema.pages, schema.readings
        query = (
            sa.select(
                readings,
                *(pages.c[n] for n in PAGE_COLUMNS),
            )
            .join(pages, readings.c.page_id == pages.c.id)
            .where(pages.c.exam_id == self._exam_id, pages.c.status == READ)
            .order_by(pages.c.candidate, pages.c.page_number, readings.c.id)
        )
        with self._reading() as connection:
            latest = latest_decisions(connection, self._exam_id)
            for row in connection.execute(query):
                reading, decision = with_decision(field_reading(row), row, latest)
                yield StoredReading(
                    row.id, row.candidate, row.page_id, row.page_number, reading, decision
                )

    # ----------------------------------------------------------- decisions

    def decisions(self) -> list[Decision]:
        """Every decision, oldest first: a later one on the same field replaces it."""
        with self._reading() as connection:
            return all_decisions(connection, self._exam_id)

    def add_decisions(self, decisions: Iterable[Decision]) -> int:
        """Store decisions on the images in use; one that holds already is left out.

        Returns
        -------
        int
            How many were stored.

        Raises
        ------
        StoreError
            Where no image of the field is in use.
        """
        pages, readings = schema.pages, schema.readings
        query = (
            sa.select(pages.c.candidate, readings.c.field, pages.c.sha256, pages.c.page_index)
            .join(readings, readings.c.page_id == pages.c.id)
            .where(pages.c.exam_id == self._exam_id, pages.c.status == READ)
        )
        new = []
        with self._writing() as connection:
            latest = latest_decisions(connection, self._exam_id)
            images = {
                (row.candidate, row.field): (row.sha256, row.page_index)
                for row in connection.execute(query)
            }
            for decision in decisions:
                field = decision.candidate, decision.field
                if field not in images:
                    raise StoreError(
                        f"no page with the field {decision.field} of candidate "
                        f"{decision.candidate} is in use. Take the decision out, or read the "
                        "candidate's sheet first."
                    )
                image = images[field]
                held = latest.get(field)
                if held is None or (held.value, held.sha256, held.page_index) != (
                    decision.value,
                    *image,
                ):
                    row = {"exam_id": self._exam_id, **dataclasses.asdict(decision)}
                    del row["id"]
                    new.append(row | {"sha256": image[0], "page_index": image[1]})
            _insert(connection, schema.decisions, new)
        return len(new)

    def identities(self) -> list[IdentityDecision]:
        """Every decision on whose sheet one is, oldest first."""
        with self._reading() as connection:
            return all_identities(connection, self._exam_id)

    def add_identities(self, decisions: Iterable[IdentityDecision]) -> int:
        """Store decisions on whose sheet one is; `settle` puts them to use.

        One that says what the latest on its image says is left out.

        Returns
        -------
        int
            How many were stored.

        Raises
        ------
        StoreError
            Where an image is not known.
        """
        with self._writing() as connection:
            rows = new_identities(connection, self._exam_id, decisions)
            _insert(connection, schema.identities, rows)
        return len(rows)

    def rival_identities(
        self, decisions: Iterable[IdentityDecision]
    ) -> list[tuple[IdentityDecision, IdentityDecision]]:
        """Pairs of decisions with which two sheets of paper would be one candidate's.

        The first is one of those given; the second another of them or one that is stored.

        Raises
        ------
        StoreError
            Where an image is not known.
        """
        with self._reading() as connection:
            return rival_identities(connection, self._exam_id, decisions)

    def placements(self) -> dict[tuple[str, int, str], Placement]:
        """Where markers put answers: (sha256, page index, field) -> the latest placement."""
        with self._reading() as connection:
            return latest_placements(connection, self._exam_id)

    def add_placements(self, placements: Iterable[Placement]) -> int:
        """Store where answers were put; give how many say something new."""
        with self._writing() as connection:
            rows = new_placements(connection, self._exam_id, placements)
            _insert(connection, schema.placements, rows)
        return len(rows)

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
        with self._writing() as connection:
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
        with self._reading() as connection:
            return [stored_score(row) for row in connection.execute(query)]

    def fields_scored(self, candidates: Collection[str]) -> dict[tuple[str, str], str]:
        """The field that each score of some candidates rests on: (candidate, item) -> field.

        It is empty for points that people entered.
        """
        s, r = schema.scores, schema.readings
        query = (
            sa.select(s.c.candidate, s.c.item, r.c.field)
            .outerjoin(r, s.c.reading_id == r.c.id)
            .where(s.c.exam_id == self._exam_id, s.c.status == str(ScoreStatus.SCORED))
        )
        with self._reading() as connection:
            return {
                (row.candidate, row.item): row.field or ""
                for some in in_chunks(sorted(candidates))
                for row in connection.execute(query.where(s.c.candidate.in_(some)))
            }

    # ------------------------------------------------------------- private

    def _reading(self) -> contextlib.AbstractContextManager[sa.Connection]:
        return transaction(self._engine, writing=False)

    def _writing(self) -> contextlib.AbstractContextManager[sa.Connection]:
        return transaction(self._engine, writing=True)


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    batch = list(rows)
    if batch:
        connection.execute(table.insert(), batch)
