"""Which pages are in use: settled from all that is stored, not from the order of arrival."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from inkmark.readings import IssueKind
from inkmark.store import schema
from inkmark.store.adding import Touched, in_chunks
from inkmark.store.choosing import alone, choose
from inkmark.store.deciding import IDENTITY_COLUMNS, all_identities, decided
from inkmark.store.identifying import IDENTIFIED, Facts, identify_pages
from inkmark.store.rows import READ

__all__ = ["retire_other_layouts", "settle", "settle_touched"]

_WITH_READING = (
    *IDENTIFIED,
    str(IssueKind.UNIDENTIFIED),
    str(IssueKind.UNKNOWN_CANDIDATE),
)


def settle(connection: sa.Connection, exam_id: str, facts: Facts) -> None:
    """Settle every page of an exam."""
    retire_other_layouts(connection, exam_id, facts.layout_version)
    if facts.folder:
        _withdraw_absent(connection, exam_id, facts.folder, facts.files)
    identify_pages(connection, exam_id, facts)
    settle_touched(connection, exam_id, facts, None)


def settle_touched(
    connection: sa.Connection, exam_id: str, facts: Facts, touched: Touched | None
) -> None:
    """Settle the pages of some candidates and blank sheets; None for all."""
    _join_sheets(connection, exam_id, facts.numbers.keys(), touched)
    _apply_roster(connection, exam_id, facts.roster, touched)
    _settle_duplicates(connection, exam_id, touched)


def retire_other_layouts(connection: sa.Connection, exam_id: str, layout_version: str) -> None:
    """Take pages out of use that were read with another layout."""
    table = schema.pages
    connection.execute(
        table.update()
        .where(
            table.c.exam_id == exam_id,
            table.c.layout_version != layout_version,
            table.c.status.in_(_WITH_READING),
        )
        .values(
            status=str(IssueKind.OTHER_VERSION),
            message="read with a layout that is no longer in use. Run inkmark read with the "
            "file among the scans, to read it with the layout of today.",
        )
    )


def _withdraw_absent(
    connection: sa.Connection, exam_id: str, folder: str, files: frozenset[str]
) -> None:
    table = schema.pages
    query = sa.select(table.c.id, table.c.path).where(
        table.c.exam_id == exam_id,
        table.c.path.startswith(folder, autoescape=True),
        table.c.status != str(IssueKind.WITHDRAWN),
    )
    gone = [row for row in connection.execute(query) if row.path not in files]
    message = "the file is no longer among the scans."
    _mark(connection, gone, str(IssueKind.WITHDRAWN), message)


def _join_sheets(
    connection: sa.Connection,
    exam_id: str,
    number_pages: Collection[int],
    touched: Touched | None,
) -> None:
    """Give pages of blank sheets the candidate whose number is on another page."""
    table = schema.pages
    names = (*IDENTITY_COLUMNS, "id", "candidate", "page_number", "status", "message")
    query = (
        sa.select(*(table.c[name] for name in names))
        .where(table.c.exam_id == exam_id, table.c.serial != "", table.c.status.in_(_WITH_READING))
        .order_by(table.c.serial)
    )
    rows = _rows(connection, query, table.c.serial, None if touched is None else touched.serials)
    decisions = all_identities(connection, exam_id)
    for serial, group in groupby(rows, key=lambda row: row.serial):
        sheet = list(group)
        by_hand = decided(sheet, decisions)
        owners = {row.candidate for row in sheet if row.page_number in number_pages} - {""}
        others = [r for r in sheet if r.page_number not in number_pages and r.id not in by_hand]
        unidentified = str(IssueKind.UNIDENTIFIED)
        if len(owners) == 1:
            (owner,) = owners
            wrong = [r for r in others if r.candidate != owner or r.status == unidentified]
            _mark(connection, wrong, READ, "", candidate=owner)
        else:
            message = _orphan(serial, owners)
            wrong = [r for r in others if (r.status, r.message) != (unidentified, message)]
            _mark(connection, wrong, unidentified, message, candidate="")
        if touched is not None:
            touched.candidates.update(owners, (row.candidate for row in others))


def _orphan(serial: str, candidates: set[str]) -> str:
    if candidates:
        return (
            f"pages of sheet {serial} bear the numbers of {', '.join(sorted(candidates))}: the "
            "sheet was copied. Find out whose page this is, write it on a sheet of its own and "
            "scan that."
        )
    return (
        f"the page of sheet {serial} that bears the candidate number is not there, or whose it "
        "is is not known. Scan it, or say whose sheet it is with inkmark identify."
    )


def _apply_roster(
    connection: sa.Connection,
    exam_id: str,
    roster: Collection[str] | None,
    touched: Touched | None,
) -> None:
    table = schema.pages
    unknown = str(IssueKind.UNKNOWN_CANDIDATE)
    query = sa.select(table.c.id, table.c.candidate, table.c.status).where(
        table.c.exam_id == exam_id, table.c.status.in_((*IDENTIFIED, unknown))
    )
    known, strangers = [], []
    for row in _rows(connection, query, table.c.candidate, _candidates(touched)):
        if roster is None or row.candidate in roster:
            known += [row] if row.status == unknown else []
        else:
            strangers += [row] if row.status != unknown else []
    _mark(connection, known, READ, "")
    for row in strangers:
        message = (
            f"candidate {row.candidate} is not on the roster. Add the candidate to the "
            "roster and run inkmark read again, or say whose sheet it is with inkmark identify."
        )
        _mark(connection, [row], unknown, message)


def _settle_duplicates(connection: sa.Connection, exam_id: str, touched: Touched | None) -> None:
    """Take the best image of each page into use."""
    table = schema.pages
    names = ("id", "path", "page_index", "sha256", "candidate", "page_number", "status")
    query = (
        sa.select(*(table.c[name] for name in (*names, "contested", "fault", "message")))
        .where(
            table.c.exam_id == exam_id,
            table.c.status.in_((*IDENTIFIED, str(IssueKind.UNREGISTERED))),
            table.c.candidate != "",
        )
        .order_by(table.c.candidate, table.c.page_number)
    )
    rows = _rows(connection, query, table.c.candidate, _candidates(touched))
    for _, group in groupby(rows, key=lambda row: (row.candidate, row.page_number)):
        images = list(group)
        rulings = choose(connection, images) if len(images) > 1 else [alone(images[0])]
        for row, ruling in zip(images, rulings, strict=True):
            if ruling != (row.status, row.message, row.contested):
                status, message, contested = ruling
                _mark(connection, [row], status, message, contested=contested)


def _candidates(touched: Touched | None) -> set[str] | None:
    return None if touched is None else touched.candidates


def _rows(
    connection: sa.Connection,
    query: sa.Select[Any],
    column: sa.Column[str],
    values: Collection[str] | None,
) -> list[Any]:
    """Rows of a query; where values are given, only those with one of them."""
    if values is None:
        return list(connection.execute(query))
    return [
        row
        for some in in_chunks(sorted(values))
        for row in connection.execute(query.where(column.in_(some)))
    ]


def _mark(
    connection: sa.Connection, rows: Iterable[Any], status: str, message: str, **values: object
) -> None:
    table = schema.pages
    for ids in in_chunks(row.id for row in rows):
        connection.execute(
            table.update()
            .where(table.c.id.in_(ids))
            .values(status=status, message=message, **values)
        )
