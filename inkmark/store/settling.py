"""Which pages are in use: settled from all that is stored, not from the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from inkmark.readings import FieldReading, IssueKind
from inkmark.store import schema
from inkmark.store.rows import READ, field_reading

__all__ = ["Facts", "readings_of", "retire_other_layouts", "settle", "withdraw_replaced"]

_IDENTIFIED = (
    READ,
    str(IssueKind.DUPLICATE_PAGE),
    str(IssueKind.DUPLICATE_IMAGE),
)
_WITH_READING = (
    *_IDENTIFIED,
    str(IssueKind.UNIDENTIFIED),
    str(IssueKind.UNKNOWN_CANDIDATE),
)
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What pages are settled by.

    Attributes
    ----------
    layout_version : str
        Layout in use.
    number_pages : frozenset of int
        Pages of the layout that bear a candidate number themselves.
    roster : frozenset of str or None
        Candidate numbers; None where there is no roster and anybody may come.
    folder : str
        Folder of the scans, with a slash at its end; empty where only some of its files
        were looked at.
    files : frozenset of str
        The files that are in the folder.
    """

    layout_version: str
    number_pages: frozenset[int]
    roster: frozenset[str] | None
    folder: str = ""
    files: frozenset[str] = frozenset()


def settle(connection: sa.Connection, exam_id: str, facts: Facts) -> None:
    """Settle every page of an exam."""
    retire_other_layouts(connection, exam_id, facts.layout_version)
    if facts.folder:
        _withdraw_absent(connection, exam_id, facts.folder, facts.files)
    _join_sheets(connection, exam_id, facts.number_pages)
    _apply_roster(connection, exam_id, facts.roster)
    _settle_duplicates(connection, exam_id)


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


def withdraw_replaced(connection: sa.Connection, exam_id: str, path: str, sha256: str) -> None:
    """Take pages out of use whose file now holds other bytes."""
    table = schema.pages
    connection.execute(
        table.update()
        .where(table.c.exam_id == exam_id, table.c.path == path, table.c.sha256 != sha256)
        .values(status=str(IssueKind.WITHDRAWN), message="the file was replaced by another image.")
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
    gone = [row.id for row in connection.execute(query) if row.path not in files]
    message = "the file is no longer among the scans."
    _mark(connection, gone, str(IssueKind.WITHDRAWN), message)


def _join_sheets(connection: sa.Connection, exam_id: str, number_pages: frozenset[int]) -> None:
    """Give pages of blank sheets the candidate whose number is on another page."""
    table = schema.pages
    query = (
        sa.select(table.c.id, table.c.serial, table.c.candidate, table.c.page_number)
        .where(table.c.exam_id == exam_id, table.c.serial != "", table.c.status.in_(_WITH_READING))
        .order_by(table.c.serial)
    )
    rows = connection.execute(query).all()
    for serial, group in groupby(rows, key=lambda row: row.serial):
        sheet = list(group)
        owners = {row.candidate for row in sheet if row.page_number in number_pages} - {""}
        others = [row.id for row in sheet if row.page_number not in number_pages]
        if len(owners) == 1:
            _mark(connection, others, READ, "", candidate=owners.pop())
        else:
            message = _orphan(serial, owners)
            _mark(connection, others, str(IssueKind.UNIDENTIFIED), message, candidate="")


def _orphan(serial: str, candidates: set[str]) -> str:
    if candidates:
        return (
            f"pages of sheet {serial} bear the numbers of {', '.join(sorted(candidates))}: the "
            "sheet was copied. Find out whose page this is, write it on a sheet of its own and "
            "scan that."
        )
    return (
        f"the page of sheet {serial} that bears the candidate number is not there or cannot be "
        "read. Scan it, complete the number on it where it is incomplete, and run inkmark read "
        "again."
    )


def _apply_roster(connection: sa.Connection, exam_id: str, roster: frozenset[str] | None) -> None:
    table = schema.pages
    unknown = str(IssueKind.UNKNOWN_CANDIDATE)
    query = sa.select(table.c.id, table.c.candidate, table.c.status).where(
        table.c.exam_id == exam_id, table.c.status.in_((*_IDENTIFIED, unknown))
    )
    rows = connection.execute(query).all()
    known = [
        row.id
        for row in rows
        if row.status == unknown and (roster is None or row.candidate in roster)
    ]
    _mark(connection, known, READ, "")
    for row in rows:
        if roster is not None and row.candidate not in roster:
            message = (
                f"candidate {row.candidate} is not on the roster. Add the candidate to the "
                "roster and run inkmark read again, or correct the number on the sheet and scan "
                "it again."
            )
            _mark(connection, [row.id], unknown, message)


def _settle_duplicates(connection: sa.Connection, exam_id: str) -> None:
    """Take the first image of each page by path and place into use."""
    table = schema.pages
    query = (
        sa.select(table)
        .where(table.c.exam_id == exam_id, table.c.status.in_(_IDENTIFIED))
        .order_by(table.c.candidate, table.c.page_number, table.c.path, table.c.page_index)
    )
    rows = connection.execute(query).all()
    for _, group in groupby(rows, key=lambda row: (row.candidate, row.page_number)):
        first, *others = group
        contested: set[str] = set()
        for other in others:
            different = _differences(connection, first, other)
            contested |= different
            kind, message = _duplicate_of(first, other, sorted(different))
            _mark(connection, [other.id], str(kind), message, contested=[])
        if (first.status, first.contested) != (READ, sorted(contested)):
            _mark(connection, [first.id], READ, "", contested=sorted(contested))


def _differences(connection: sa.Connection, first: Any, other: Any) -> set[str]:
    """Fields that two images of one page show differently."""
    if (first.sha256, first.page_index) == (other.sha256, other.page_index):
        return set()
    fields = readings_of(connection, [first.id, other.id])
    one, two = (
        {reading.field: reading.value for reading in fields.get(page_id, ())}
        for page_id in (first.id, other.id)
    )
    return {name for name in one if one[name] != two.get(name)}


def _duplicate_of(first: Any, other: Any, different: Sequence[str]) -> tuple[IssueKind, str]:
    if (first.sha256, first.page_index) == (other.sha256, other.page_index):
        message = f"the same image as {first.path}. Nothing needs to be done."
        return IssueKind.DUPLICATE_IMAGE, message
    where = f"{first.path} page {first.page_index + 1}"
    if not different:
        message = (
            f"another image of the page in {where}, with the same answers. "
            "Nothing needs to be done."
        )
    else:
        named = ", ".join(different[:_MOST_NAMED])
        named += ", ..." if len(different) > _MOST_NAMED else ""
        message = (
            f"another image of the page in {where}, and the two differ in {named}. {where} is "
            "in use, and these fields wait for a decision: compare the two sheets, and take the "
            "wrong one out of the scans or decide the fields in the review."
        )
    return IssueKind.DUPLICATE_PAGE, message


def readings_of(
    connection: sa.Connection, page_ids: Sequence[int]
) -> dict[int, tuple[FieldReading, ...]]:
    """Give the readings of some pages by page, in the order of their fields."""
    table = schema.readings
    query = (
        sa.select(table).where(table.c.page_id.in_(page_ids)).order_by(table.c.page_id, table.c.id)
    )
    rows = connection.execute(query).all()
    return {
        page_id: tuple(field_reading(row) for row in group)
        for page_id, group in groupby(rows, key=lambda row: row.page_id)
    }


def _mark(
    connection: sa.Connection, ids: Iterable[int], status: str, message: str, **values: object
) -> None:
    table = schema.pages
    remaining = list(ids)
    for start in range(0, len(remaining), 500):
        connection.execute(
            table.update()
            .where(table.c.id.in_(remaining[start : start + 500]))
            .values(status=status, message=message, **values)
        )
