"""Whose sheets are by decision: what was decided, and what of it holds for which page."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from inkmark.errors import StoreError
from inkmark.readings import IssueKind
from inkmark.store import schema
from inkmark.store.adding import in_chunks
from inkmark.store.records import IdentityDecision, sheet_of

__all__ = [
    "IDENTITY_COLUMNS",
    "all_identities",
    "decided",
    "new_identities",
    "rival_identities",
]

IDENTITY_COLUMNS = ("sha256", "page_index", "serial", "named", "claim")
"""What `decided` has to know of a page."""


def all_identities(connection: sa.Connection, exam_id: str) -> list[IdentityDecision]:
    """Every decision on whose sheet one is, oldest first."""
    table = schema.identities
    query = sa.select(table).where(table.c.exam_id == exam_id).order_by(table.c.id)
    names = IdentityDecision.__dataclass_fields__
    return [
        IdentityDecision(**{name: getattr(row, name) for name in names})
        for row in connection.execute(query)
    ]


def new_identities(
    connection: sa.Connection, exam_id: str, decisions: Iterable[IdentityDecision]
) -> list[dict[str, Any]]:
    """Rows of the decisions that say something else than the latest on their images.

    Raises
    ------
    StoreError
        Where an image is not known.
    """
    table = schema.pages
    held = {(d.sha256, d.page_index): d.candidate for d in all_identities(connection, exam_id)}
    names = IDENTITY_COLUMNS
    new = []
    for some in in_chunks(list(decisions)):
        query = sa.select(*(table.c[name] for name in names)).where(
            table.c.exam_id == exam_id,
            table.c.sha256.in_({d.sha256 for d in some} - {""}),
        )
        pages = {(row.sha256, row.page_index): row for row in connection.execute(query)}
        for decision in some:
            image = decision.sha256, decision.page_index
            if image not in pages:
                raise StoreError(
                    f"no page image {decision.sha256[:16]}-{decision.page_index} was "
                    "read. Read the sheet first, or take the decision out."
                )
            if held.get(image) == decision.candidate:
                continue
            row = {"exam_id": exam_id, **dataclasses.asdict(decision)}
            del row["id"]
            new.append(row | {"sheet": sheet_of(pages[image]), "claim": pages[image].claim})
    return new


def rival_identities(
    connection: sa.Connection, exam_id: str, decisions: Iterable[IdentityDecision]
) -> list[tuple[IdentityDecision, IdentityDecision]]:
    """Decisions with which two sheets of paper would be one candidate's.

    They are told apart by their codes, and have images of the same page. Each pair is one of
    the decisions and what it contradicts: another of them, or one that is stored.
    """
    table = schema.pages
    query = sa.select(
        *(table.c[name] for name in ("id", "path", "page_number", *IDENTITY_COLUMNS))
    ).where(table.c.exam_id == exam_id, table.c.status != str(IssueKind.WITHDRAWN))
    rows = sorted(connection.execute(query), key=lambda row: (row.path, row.page_index))
    new = [
        IdentityDecision(**{name: value for name, value in row.items() if name != "exam_id"})
        for row in new_identities(connection, exam_id, decisions)
    ]
    by_hand = decided(rows, [*all_identities(connection, exam_id), *new])
    sheets: defaultdict[str, dict[str, tuple[IdentityDecision, set[int]]]] = defaultdict(dict)
    for row in rows:
        decision, sheet = by_hand.get(row.id), sheet_of(row)
        if sheet and decision is not None and decision.candidate:
            _, pages = sheets[decision.candidate].setdefault(sheet, (decision, set()))
            pages.add(row.page_number)
    return [
        (other, one) if one.id else (one, other)
        for own in sheets.values()
        for (one, pages), (other, others) in combinations(own.values(), 2)
        if pages & others and not (one.id and other.id)
    ]


def decided(
    rows: Sequence[Any], decisions: Sequence[IdentityDecision]
) -> dict[int, IdentityDecision]:
    """Give the decision that holds for each page: row id -> decision.

    It holds for the image that was looked at, and for every image of the same sheet of paper
    that bears the same number; where none can be read on it, also for that, unless the
    sheet was copied, so that its images are of several sheets.

    Parameters
    ----------
    rows : sequence of rows
        Of the table ``pages``, with `IDENTITY_COLUMNS`; all rows of a sheet or none.
    decisions : sequence of IdentityDecision
        Oldest first.
    """
    latest: dict[tuple[str, ...], IdentityDecision] = {}
    for decision in decisions:
        image = decision.sha256, str(decision.page_index)
        latest[(decision.sheet, decision.claim) if decision.sheet else ("", *image)] = decision
        latest["", *image] = decision
    if not latest:
        return {}
    of_sheet: defaultdict[str, set[str | None]] = defaultdict(set)
    for key, decision in latest.items():
        of_sheet[key[0]].add(decision.candidate)
    claims: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        claims[sheet_of(row)].add(row.claim)
    found = {}
    for row in rows:
        sheet = sheet_of(row)
        held = latest.get((sheet, row.claim)) if sheet else None
        held = held or latest.get(("", row.sha256, str(row.page_index)))
        copied = len(claims[sheet] - {""}) > 1
        if copied:
            held = latest.get(("", row.sha256, str(row.page_index)))
        elif held is None and sheet and not row.claim and len(of_sheet[sheet]) == 1:
            held = next(d for key, d in latest.items() if key[0] == sheet)
        if held is not None and held.candidate is not None:
            found[row.id] = held
    return found
