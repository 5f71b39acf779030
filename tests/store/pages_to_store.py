"""Pages to store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from inkmark.exam import Candidate, Exam, Item, ItemType, Policy
from inkmark.geometry import Box
from inkmark.readings import (
    CodeReading,
    FieldReading,
    Flag,
    IssueKind,
    PageSource,
    Registration,
    SheetReading,
    ShiftMesh,
)
from inkmark.store import ExamStore, Facts, PageRecord, page_rows

EXAM = Exam(
    id="DEMO",
    title="期中考试",
    subject="数学",
    grade="八年级",
    date=dt.date(2026, 11, 2),
    language="zh",
    policy=Policy(),
    items=(Item("1", ItemType.SINGLE, ("A", "B"), ("A",), Decimal("2.5")),),
    candidates=(
        Candidate("0001", "张三", "1班", "一中", (("考场", "3"),)),
        Candidate("0002", "=1+1", "2班", "一中"),
    ),
)


def record(
    path: str,
    *,
    candidate: str = "0001",
    value: str = "A",
    sha256: str | None = None,
    issue: IssueKind | None = None,
    page_number: int = 0,
) -> PageRecord:
    """A page whose code names the candidate."""
    source = PageSource(path, 0, sha256 or f"hash of {path}")
    reading = SheetReading(
        source,
        1654,
        2339,
        200.25,
        page_number,
        Registration(
            180,
            (7.8, 0.0, 1.5, 0.0, 7.9, 2.5, 0.0, 1e-6, 1.0),
            0.05,
            30,
            32,
            ShiftMesh((0.0, 210.0), (0.0,), (0.1, 0.2), (0.0, -0.1)),
        ),
        (
            FieldReading("Q1", value, 0.98, Flag.OK, (0.9, 0.0), Box(10.5, 20.0, 80.0, 20.0)),
            FieldReading("absent", "", 0.99, Flag.DOUBTFUL, (0.3,), Box(1.0, 2.0, 3.0, 4.0)),
        ),
        (CodeReading("page", "IM1:DEMO", "QRCode", Box(0.0, 0.0, 9.0, 9.0)),),
        0.3,
    )
    return PageRecord(
        source, issue, "", candidate, page_number, reading, layout_version="AA", named=candidate
    )


FACTS = Facts("AA", {0: {"candidate": ""}}, None)


def add(store: ExamStore, records: Iterable[PageRecord]) -> int:
    return store.add_pages(map(page_rows, records), FACTS)


def statuses(store: ExamStore) -> dict[str, IssueKind | None]:
    return {page.record.source.path: page.record.issue for page in store.pages()}


def image(
    path: str,
    *,
    flags: tuple[Flag, Flag] = (Flag.OK, Flag.OK),
    values: tuple[str, str] = ("A", ""),
    residual_mm: float = 0.05,
    sha256: str | None = None,
) -> PageRecord:
    """An image of the first page of candidate 0001."""
    page = record(path, sha256=sha256)
    assert page.reading is not None
    return replace(
        page,
        reading=replace(
            page.reading,
            registration=replace(page.reading.registration, residual_mm=residual_mm),
            fields=tuple(
                replace(field, value=value, flag=flag)
                for field, value, flag in zip(page.reading.fields, values, flags, strict=True)
            ),
        ),
    )


UNREGISTERED = PageRecord(
    PageSource("scans/9.jpg", 0, "9"),
    IssueKind.UNREGISTERED,
    "the corner squares were not found. Scan it again.",
    "0001",
    0,
    None,
    layout_version="AA",
)


LIGHT = image("scans/7.jpg", flags=(Flag.DOUBTFUL, Flag.OK), values=("", ""))


CROOKED = image("scans/6.jpg", residual_mm=0.31)


def unopened(path: str, index: int = 0) -> PageRecord:
    source = PageSource(path, index, "")
    return PageRecord(source, IssueKind.UNREADABLE_FILE, "locked.", "", -1, None)


def at_index(page: PageRecord, index: int) -> PageRecord:
    source = replace(page.source, page_index=index)
    assert page.reading is not None
    return replace(page, source=source, reading=replace(page.reading, source=source))
