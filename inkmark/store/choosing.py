"""Which of several images of one page is in use.

The better image is, in this order, the one that could be read at all, the one with fewer
fields that need a look, the one whose other fields are read more surely, the one whose sheet
fits better (by tenths of a millimetre), the sharper one, and the one whose file name comes
later. The choice depends on what is stored alone, so the same files give the same choice
whenever and in whatever order they were read.

How surely fields are read is the number of them expected to be wrong, which is the sum of
1 - confidence, put into bands whose upper ends are 0.5, 1, 2 and so on. How sharp an image is
is the width of its edges, in bands that end at 0.4 mm, 0.6 mm, 0.9 mm and so on; one of which
it is not known, of an earlier inkmark, is not held to be blurred. Bands, unlike tolerances,
keep the order transitive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import sqlalchemy as sa

from inkmark.files import natural_key
from inkmark.readings import Flag, IssueKind
from inkmark.store import schema
from inkmark.store.rows import READ

__all__ = ["Ruling", "alone", "choose"]

_MOST_NAMED = 5
_SURE = (str(Flag.OK), str(Flag.SEVERAL))
"""Flags of readings that say what is on the paper."""
_FEW_WRONG = 0.5
"""So few fields expected to be wrong tell nothing about an image: below, a blurred one, from
which the blur took the grain of the paper, is often read more surely than the sharp one."""
_SHARP_MM = 0.4
"""Sharp scans of 150 dpi and more have edges narrower than this."""


class Ruling(NamedTuple):
    """What becomes of an image: its status and message, and the fields others contest."""

    status: str
    message: str
    contested: list[str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an image shows.

    Attributes
    ----------
    fields : dict of str to (str, str)
        Value and flag of each field.
    n_wrong : float
        At most so many of the fields that need no look are expected to be wrong: the upper
        end of a band.
    fit_mm : float
        By how much the sheet misfits.
    edge_mm : float
        Its edges are at most so wide: the upper end of a band.
    """

    fields: dict[str, tuple[str, str]]
    n_wrong: float
    fit_mm: float
    edge_mm: float

    @property
    def n_flagged(self) -> int:
        return sum(flag != Flag.OK for _, flag in self.fields.values())


def alone(row: Any) -> Ruling:
    """Give what becomes of the only image of a page."""
    if row.fault:
        return Ruling(str(IssueKind.UNREGISTERED), row.fault, [])
    return Ruling(READ, "", [])


def choose(connection: sa.Connection, rows: Sequence[Any]) -> list[Ruling]:
    """Choose among images of one page; give what becomes of each.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    rows : sequence of rows
        Of the table ``pages``, with the same candidate and page number.

    Returns
    -------
    list of Ruling
        As `rows`.
    """
    places = {row.id: natural_key(PurePosixPath(row.path)) for row in rows}
    ordered = sorted(rows, key=lambda row: (places[row.id], row.page_index))
    originals: dict[tuple[str, int], Any] = {}
    for row in ordered:
        if not row.fault:
            originals.setdefault((row.sha256, row.page_index), row)
    if not originals:
        return [alone(row) for row in rows]
    seen = _seen(connection, [row.id for row in originals.values()])
    best = max(
        originals.values(),
        key=lambda row: (
            -seen[row.id].n_flagged,
            -seen[row.id].n_wrong,
            -seen[row.id].fit_mm,
            -seen[row.id].edge_mm,
            places[row.id],
            row.page_index,
        ),
    )
    contested: set[str] = set()
    rulings: dict[int, Ruling] = {}
    for row in rows:
        if row is best:
            continue
        if row.fault:
            message = (
                f"another image of the page, {_place(best)}, is in use, as this one could not "
                f"be read ({row.fault.rstrip('.')}). Nothing needs to be done."
            )
            rulings[row.id] = Ruling(str(IssueKind.DUPLICATE_PAGE), message, [])
            continue
        original = originals[row.sha256, row.page_index]
        if original is not row:
            message = f"the same image as {_place(original)}. Nothing needs to be done."
            rulings[row.id] = Ruling(str(IssueKind.DUPLICATE_IMAGE), message, [])
            continue
        different = _differences(seen[best.id], seen[row.id])
        contested.update(different)
        message = _superseded(best, seen[best.id], seen[row.id], different)
        rulings[row.id] = Ruling(str(IssueKind.DUPLICATE_PAGE), message, [])
    rulings[best.id] = Ruling(READ, "", sorted(contested))
    return [rulings[row.id] for row in rows]


def _seen(connection: sa.Connection, ids: Sequence[int]) -> dict[int, _Seen]:
    pages, readings = schema.pages, schema.readings
    fits = connection.execute(
        sa.select(pages.c.id, pages.c.registration, pages.c.edge_mm).where(pages.c.id.in_(ids))
    ).all()
    columns = readings.c.page_id, readings.c.field, readings.c.value, readings.c.flag
    rows = connection.execute(
        sa.select(*columns, readings.c.confidence)
        .where(readings.c.page_id.in_(ids))
        .order_by(readings.c.page_id, readings.c.id)
    ).all()
    fields = {page_id: list(group) for page_id, group in groupby(rows, key=lambda row: row.page_id)}
    return {
        row.id: _Seen(
            {field.field: (field.value, field.flag) for field in fields.get(row.id, ())},
            _band(
                math.fsum(1 - f.confidence for f in fields.get(row.id, ()) if f.flag == Flag.OK),
                _FEW_WRONG,
                2.0,
            ),
            round(row.registration["residual_mm"], 1),
            _band(row.edge_mm or 0.0, _SHARP_MM, 1.5),
        )
        for row in fits
    }


def _band(value: float, first: float, factor: float) -> float:
    """Give the upper end of the band in which a value lies; each is a factor above the last."""
    end = first
    while value > end:
        end *= factor
    return end


def _differences(best: _Seen, other: _Seen) -> list[str]:
    """Fields that the images show differently, in the order of the sheet.

    A better image settles what was doubtful or unreadable on the other: that is what a page
    is scanned again for. What it leaves doubtful itself it settles not, and a key may yet be
    sure of handwriting that is not.
    """
    return [
        name
        for name, (value, flag) in best.fields.items()
        if name in other.fields
        and flag in (*_SURE, Flag.DOUBTFUL)
        and (other.fields[name][1] in _SURE or flag == other.fields[name][1])
        and other.fields[name][0] != value
    ]


def _superseded(row: Any, best: _Seen, other: _Seen, different: Sequence[str]) -> str:
    message = f"another image of the page, {_place(row)}, is in use: {_better(best, other)}. "
    if not different:
        return message + "No answer is read differently. Nothing needs to be done."
    named = ", ".join(different[:_MOST_NAMED])
    named += ", ..." if len(different) > _MOST_NAMED else ""
    return message + (
        f"The two differ in {named}, and these fields wait for a decision: compare the two "
        "sheets, and take the wrong one out of the scans or decide the fields in the review."
    )


def _better(best: _Seen, other: _Seen) -> str:
    if best.n_flagged != other.n_flagged:
        return f"it has fewer fields that need a look ({best.n_flagged} against {other.n_flagged})"
    if best.n_wrong != other.n_wrong:
        return (
            f"its fields are read more surely (at most {best.n_wrong:g} of them expected to be "
            f"wrong, against {other.n_wrong:g})"
        )
    if best.fit_mm != other.fit_mm:
        return f"the sheet fits better in it ({best.fit_mm} mm against {other.fit_mm} mm)"
    if best.edge_mm != other.edge_mm:
        return (
            f"it is sharper (edges of at most {best.edge_mm:.2g} mm against {other.edge_mm:.2g} mm)"
        )
    return "both are read equally well, and its file name comes later"


def _place(row: Any) -> str:
    return f"{row.path} page {row.page_index + 1}"
