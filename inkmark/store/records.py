"""What goes into the exam database and comes out of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inkmark.geometry import Box
from inkmark.marking import ScoreRecord
from inkmark.readings import FieldReading, IssueKind, PageSource, SheetReading

__all__ = [
    "Decision",
    "IdentityDecision",
    "PageRecord",
    "PageSummary",
    "Placement",
    "StoredPage",
    "StoredReading",
    "StoredScore",
    "sheet_of",
]


@dataclass(frozen=True, slots=True)
class PageRecord:
    """One page image and what became of it.

    Attributes
    ----------
    source : PageSource
    issue : IssueKind or None
        Why the page cannot be used; None for a page that was read and identified.
    message : str
        What is wrong and what to do; empty without an issue.
    candidate : str
        Candidate number; empty where not known.
    page_number : int
        0-based page of the layout; -1 where not known.
    reading : SheetReading or None
        None where nothing could be read.
    serial : str
        Serial number of a blank sheet, which its pages share; empty for other sheets.
    layout_version : str
        Version of the layout it was read with.
    named : str
        Candidate that the page's own code names; empty where it names none.
    guesses : tuple of (str, float)
        Of a page whose candidate is not known: who it may be, as in `Identity.guesses`.
    """

    source: PageSource
    issue: IssueKind | None
    message: str
    candidate: str
    page_number: int
    reading: SheetReading | None
    serial: str = ""
    layout_version: str = ""
    named: str = ""
    guesses: tuple[tuple[str, float], ...] = ()

    @property
    def sheet(self) -> str:
        """The sheet of paper by its code: a candidate, or ``*`` and a serial; may be empty."""
        return sheet_of(self)


def sheet_of(page: Any) -> str:
    """The sheet of paper a page or a row of ``pages`` is on, by its code; may be empty."""
    return f"*{page.serial}" if page.serial else str(page.named)


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as the database knows it.

    Attributes
    ----------
    id : int
    record : PageRecord
        With every field that was read; `IssueKind.DUPLICATE_PAGE` where another image of
        the same page is in use. A field that was decided otherwise on an image that is not
        in use any more is doubtful.
    decided : frozenset of str
        Fields that were decided on this image.
    """

    id: int
    record: PageRecord
    decided: frozenset[str]


@dataclass(frozen=True, slots=True)
class PageSummary:
    """What became of a page image.

    Attributes
    ----------
    source : PageSource
    issue : IssueKind or None
        None for a page in use.
    message : str
        What is wrong and what to do; empty without an issue.
    candidate : str
    page_number : int
    waiting : tuple of str
        Fields of a page in use that wait for a decision.
    """

    source: PageSource
    issue: IssueKind | None
    message: str
    candidate: str
    page_number: int
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading of a page in use, and the decision that replaces it where there is one.

    Attributes
    ----------
    id : int
    candidate : str
    page_id, page_number : int
    reading : FieldReading
        Doubtful where it was decided otherwise on an image that is not in use any more.
    decision : Decision or None
        The latest decision on this image of the field.
    """

    id: int
    candidate: str
    page_id: int
    page_number: int
    reading: FieldReading
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a field.

    Attributes
    ----------
    candidate, field : str
        Whose field it is.
    value : str
        In the form of `FieldReading.value`.
    decided_by : str
    decided_at : datetime
        UTC, without a time zone.
    reason : str
    id : int
        0 for a decision that is not stored yet.
    sha256, page_index : str, int
        The page image that was looked at; the one in use when the decision is stored.
    """

    candidate: str
    field: str
    value: str
    decided_by: str
    decided_at: dt.datetime
    reason: str = ""
    id: int = 0
    sha256: str = ""
    page_index: int = 0


@dataclass(frozen=True, slots=True)
class IdentityDecision:
    """What a person decided about whose sheet it is.

    Attributes
    ----------
    sha256, page_index : str, int
        The page image that was looked at.
    candidate : str or None
        Candidate number; empty for nobody's, None to leave it open again.
    decided_by : str
    decided_at : datetime
        UTC, without a time zone.
    reason : str
    sheet : str
        The sheet of paper; see `PageRecord.sheet`. Filled in when the decision is stored.
    claim : str
        The number that was read on the page beyond doubt; filled in as `sheet`.
    id : int
        0 for a decision that is not stored yet.
    """

    sha256: str
    page_index: int
    candidate: str | None
    decided_by: str
    decided_at: dt.datetime
    reason: str = ""
    sheet: str = ""
    claim: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a marker put a handwritten answer among the groups of its item.

    Attributes
    ----------
    sha256, page_index, field : str, int, str
        The page image that was looked at, and the field on it.
    answer_group : str
        Name of the group, unique in the item.
    points : Decimal or None
        Points of the group; None where none were given yet.
    decided_by : str
    decided_at : datetime
        UTC, without a time zone.
    reason : str
    id : int
        0 for a placement that is not stored yet.
    """

    sha256: str
    page_index: int
    field: str
    answer_group: str
    points: Decimal | None
    decided_by: str
    decided_at: dt.datetime
    reason: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score with the way back to its evidence.

    Attributes
    ----------
    record : ScoreRecord
    source : PageSource or None
        The page image the score rests on; None for points entered by hand and where no
        page was received.
    box_px : Box or None
        The crop on that page.
    decision : Decision or None
        The decision by hand that replaced the reading.
    """

    record: ScoreRecord
    source: PageSource | None
    box_px: Box | None
    decision: Decision | None
