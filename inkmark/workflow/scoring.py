"""Scores from stored readings, and the fields that a person has to decide."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder
from inkmark.geometry import Box
from inkmark.images import open_scan
from inkmark.layouts import BubbleField, Role
from inkmark.marking import (
    CandidateSheet,
    ManualPoints,
    ScoreStatus,
    collect_responses,
    load_points,
    score_responses,
)
from inkmark.readings import FieldReading, Flag, SheetReading
from inkmark.reports import ReviewRow, load_review, write_review
from inkmark.session import Progress
from inkmark.store import Decision, StoredPage, StoredReading
from inkmark.workflow.folder import OpenExam, open_exam

__all__ = ["ScoreSummary", "score"]

GreyImage = NDArray[np.uint8]

_POINTS_FILES = ("points.xlsx", "points.csv")
_CROP_MARGIN = 0.35
"""Shown around a doubtful field, as a share of its height."""

_REASONS = {
    Flag.DOUBTFUL: {
        "zh": "至少有一个选项涂得不清楚",
        "en": "at least one bubble is neither clearly marked nor clearly blank",
    },
    Flag.SEVERAL: {
        "zh": "涂了多个选项",
        "en": "more marks than the item allows",
    },
    Flag.UNREADABLE: {
        "zh": "此处在图像之外或无法辨认",
        "en": "outside the image, or not readable",
    },
}


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """What was scored.

    Attributes
    ----------
    candidates : int
    scored, pending, absent, missing : int
        Responses (candidates times items) by the status of their score.
    decisions : int
        Decisions taken in from the review workbook that are new.
    to_review : int
        Fields that wait for a decision.
    review : Path or None
        The workbook to decide them in; None where nothing is in doubt.
    """

    candidates: int
    scored: int
    pending: int
    absent: int
    missing: int
    decisions: int
    to_review: int
    review: Path | None


def score(
    root: Path | str,
    *,
    points: Path | str | None = None,
    review: Path | str | None = None,
    decided_by: str = "",
    progress: Progress | None = None,
) -> ScoreSummary:
    """Score an exam by the keys as they stand in its workbook now.

    No page is read again. Decisions in the review workbook are taken in first; fields that
    are still in doubt are written to it with their pictures.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    points : Path or str, optional
        Points that people gave; by default ``points.xlsx`` or ``points.csv`` in the folder.
    review : Path or str, optional
        Decisions; by default ``out/review.xlsx`` in the folder.
    decided_by : str
        Who made the decisions in the review workbook.
    progress : callable, optional
        Called with the number of pages done and of all pages whose doubtful fields are
        cut out.

    Returns
    -------
    ScoreSummary

    Raises
    ------
    FaultyFileError
        Where the workbook, the points or the decisions have faults.
    """
    with open_exam(root) as opened:
        given = _points(opened, points)
        decisions = _take_decisions(opened, review, decided_by)
        readings = list(opened.store.readings_in_use())
        decided = {(r.candidate, r.reading.field): r.decision.value for r in readings if r.decision}
        responses = collect_responses(opened.exam, opened.layout, _sheets(readings), decided)
        records = score_responses(opened.exam, responses, given)
        opened.store.replace_scores(records, _evidence(opened, readings))
        rows = _review_rows(opened, progress)
        path = opened.folder.out / "review.xlsx"
        if rows:
            opened.folder.out.mkdir(exist_ok=True)
            write_review(rows, path, opened.exam.language)
        else:
            path.unlink(missing_ok=True)
    statuses = Counter(record.status for record in records)
    return ScoreSummary(
        candidates=len({record.candidate for record in records}),
        scored=statuses[ScoreStatus.SCORED],
        pending=statuses[ScoreStatus.PENDING],
        absent=statuses[ScoreStatus.ABSENT],
        missing=statuses[ScoreStatus.MISSING],
        decisions=decisions,
        to_review=len(rows),
        review=path if rows else None,
    )


def _take_decisions(opened: OpenExam, review: Path | str | None, decided_by: str) -> int:
    path = Path(review) if review is not None else opened.folder.out / "review.xlsx"
    if not path.exists():
        if review is not None:
            raise InkmarkError(f"{path} does not exist. Name the workbook with the decisions.")
        return 0
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    return opened.store.add_decisions(
        Decision(d.candidate, d.field, d.value, decided_by, now, d.note) for d in load_review(path)
    )


def _points(opened: OpenExam, points: Path | str | None) -> ManualPoints:
    if points is not None:
        return load_points(points, opened.exam)
    there = [p for p in (opened.folder.root / name for name in _POINTS_FILES) if p.exists()]
    if len(there) > 1:
        raise InkmarkError(
            f"{opened.folder.root} has both {' and '.join(_POINTS_FILES)}. Keep one of them, or "
            "name the one that holds with --points."
        )
    return load_points(there[0], opened.exam) if there else {}


def _sheets(readings: Sequence[StoredReading]) -> dict[str, CandidateSheet]:
    """Arrange readings, which are ordered by candidate, into one sheet each."""
    sheets = {}
    for candidate, group in groupby(readings, key=lambda reading: reading.candidate):
        own = list(group)
        sheets[candidate] = CandidateSheet(
            frozenset(reading.page_number for reading in own),
            {reading.reading.field: reading.reading for reading in own},
        )
    return sheets


def _evidence(
    opened: OpenExam, readings: Sequence[StoredReading]
) -> dict[tuple[str, str], StoredReading]:
    items = {
        field.name: field.item
        for field in opened.layout.fields()
        if isinstance(field, BubbleField) and field.role is Role.ITEM
    }
    return {
        (reading.candidate, items[reading.reading.field]): reading
        for reading in readings
        if reading.reading.field in items
    }


# ------------------------------------------------------------------------------ review


def _review_rows(opened: OpenExam, progress: Progress | None) -> list[ReviewRow]:
    """Cut out every field in doubt, file after file; candidates in roster order."""
    fields = {
        field.name: field
        for field in opened.layout.fields()
        if isinstance(field, BubbleField) and field.role in (Role.ITEM, Role.ABSENT)
    }
    names = {candidate.number: candidate.name for candidate in opened.exam.candidates}
    decided = {(d.candidate, d.field) for d in opened.store.decisions()}
    doubtful: list[tuple[StoredPage, SheetReading, list[FieldReading]]] = []
    for page in opened.store.pages():
        if page.record.issue is None and page.record.reading is not None:
            own = [
                f
                for f in page.record.reading.fields
                if f.flag is not Flag.OK
                and f.field in fields
                and (page.record.candidate, f.field) not in decided
            ]
            if own:
                doubtful.append((page, page.record.reading, own))
    doubtful.sort(key=lambda entry: (entry[1].source.path, entry[1].source.page_index))
    rows: list[ReviewRow] = []
    for done, (page, sheet, own) in enumerate(doubtful, start=1):
        pixels = _pixels(opened.folder, sheet)
        for reading in own:
            field = fields[reading.field]
            rows.append(
                ReviewRow(
                    candidate=page.record.candidate,
                    name=names.get(page.record.candidate, ""),
                    field=field.name,
                    item=field.item,
                    value=reading.value,
                    confidence=reading.confidence,
                    reason=_REASONS[reading.flag][opened.exam.language],
                    source=str(sheet.source),
                    options=field.options,
                    multiple=field.multiple,
                    picture=_crop(pixels, reading.box_px, sheet.registration.orientation_deg),
                )
            )
        if progress is not None:
            progress(done, len(doubtful))
    position = {number: place for place, number in enumerate(names)}
    rows.sort(key=lambda row: (position.get(row.candidate, len(position)), row.candidate))
    return rows


def _pixels(folder: ExamFolder, sheet: SheetReading) -> GreyImage:
    with open_scan(folder.root / sheet.source.path) as scan:
        return scan.load(sheet.source.page_index).pixels


def _crop(pixels: GreyImage, box: Box, orientation_deg: int) -> bytes:
    """Cut a field out of a page and turn it upright."""
    around = box.grown(_CROP_MARGIN * min(box.w, box.h))
    height, width = pixels.shape
    x0, y0 = max(0, int(around.x)), max(0, int(around.y))
    x1, y1 = min(width, int(around.right) + 1), min(height, int(around.bottom) + 1)
    if x1 <= x0 or y1 <= y0:
        return b""
    upright = np.rot90(pixels[y0:y1, x0:x1], orientation_deg // 90)
    _, data = cv2.imencode(".png", np.ascontiguousarray(upright))
    return data.tobytes()
