"""Scores from stored readings, and the fields that a person has to decide."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.errors import InkmarkError
from inkmark.exam import Item, ItemType, printed_options, printed_value
from inkmark.layouts import AnswerField, BubbleField, CodeField, Role, WritingField
from inkmark.marking import (
    CandidateSheet,
    ManualPoints,
    Response,
    ResponseStatus,
    ScoreRecord,
    ScoreStatus,
    collect_responses,
    is_judged_by_key,
    load_points,
    score_responses,
    settle_reading,
)
from inkmark.readings import FieldReading, Flag, SheetReading
from inkmark.reports import (
    ReviewRow,
    load_review,
    review_fields,
    review_options,
    write_review,
)
from inkmark.session import Progress, open_fields
from inkmark.store import Decision, StoredPage, StoredReading
from inkmark.workflow.folder import OpenExam, open_exam
from inkmark.workflow.groups import placed_points, take_placements
from inkmark.workflow.marked_points import MarkedPoints, collect_marked_points
from inkmark.workflow.scans import cut_out, image_name, load_stored_page

__all__ = ["ScoreSummary", "load_records", "score"]

GreyImage = NDArray[np.uint8]

_POINTS_FILES = ("points.xlsx", "points.csv")

_ABOVE_LETTERS = 1.0
"""Shown above a box for a letter, in heights of it: where a correction is written."""

_REASONS = {
    Flag.OK: {
        "zh": "不能确定手写答案与标准答案是否一致",
        "en": "not certain whether what is written is an accepted answer",
    },
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
    Flag.CONTESTED: {
        "zh": "同一页的另一图像上内容不同，或已另作判定",
        "en": "another image of the page shows something else, or was decided otherwise",
    },
}
_UNCLEAR_WRITING = {
    "zh": "手写内容辨认不清",
    "en": "what is written is not clear",
}

_UNCLEAR_POINTS = {
    "zh": "阅卷分数看不清，或各题分数之和与总分不符",
    "en": "the marker's points are not clear, or do not add up to the total",
}

_NO_PICTURE = {
    "zh": "没有图像：扫描文件已不在，或内容已改变",
    "en": "no picture: the scan is gone, or is another file now",
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
        Decisions taken in from the review workbook, and answers scored in the workbook of
        groups, that are new.
    outdated : tuple of str
        Candidates of decisions that were not taken in, because the image they were made on
        is not in use any more.
    to_review : int
        Fields that wait for a decision.
    review : Path or None
        The workbook to decide them in; None where nothing is in doubt.
    points_waited_for : tuple of str
        Items that wait for points from people, for one candidate at least.
    absent_with_points : tuple of str
        Candidates who are marked absent although somebody gave them points.
    without_pages : tuple of str
        Candidates of whom pages are missing.
    lost_scans : tuple of str
        Scans of fields in doubt that are gone or are other files now; these fields have no
        picture.
    """

    candidates: int
    scored: int
    pending: int
    absent: int
    missing: int
    decisions: int
    outdated: tuple[str, ...]
    to_review: int
    review: Path | None
    points_waited_for: tuple[str, ...]
    absent_with_points: tuple[str, ...]
    without_pages: tuple[str, ...]
    lost_scans: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left that a person has to look at."""
        waiting = self.pending or self.missing or self.to_review
        return not (waiting or self.lost_scans or self.outdated)


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
        decisions, outdated = _take_decisions(opened, review, decided_by)
        placements, elsewhere = take_placements(opened, decided_by)
        entered = {**placed_points(opened).given, **given}
        readings = list(opened.store.readings_in_use())
        marked = collect_marked_points(opened, readings, entered)
        responses = _responses(opened, readings, marked)
        given = {**marked.given, **entered}
        records = score_responses(opened.exam, responses, given)
        evidence = _evidence(opened, readings, entered) | marked.sources
        opened.store.replace_scores(records, evidence)
        rows, lost_scans = _review_rows(opened, marked.open, given, progress)
        path = opened.folder.out / "review.xlsx"
        if rows:
            opened.folder.out.mkdir(exist_ok=True)
            write_review(rows, path, opened.exam.language)
        else:
            path.unlink(missing_ok=True)
    away = {(r.candidate, r.item) for r in responses if r.status is ResponseStatus.ABSENT}
    pending = [record for record in records if record.status is ScoreStatus.PENDING]
    by_hand = {i.number for i in opened.exam.items if not i.type.is_objective}
    settled_elsewhere = away | {(row.candidate, row.item) for row in rows}
    statuses = Counter(record.status for record in records)
    return ScoreSummary(
        candidates=len({record.candidate for record in records}),
        scored=statuses[ScoreStatus.SCORED],
        pending=statuses[ScoreStatus.PENDING],
        absent=statuses[ScoreStatus.ABSENT],
        missing=statuses[ScoreStatus.MISSING],
        decisions=decisions + placements,
        outdated=_each([*outdated, *elsewhere]),
        to_review=len(rows),
        review=path if rows else None,
        points_waited_for=_each(
            r.item
            for r in pending
            if r.item in by_hand and (r.candidate, r.item) not in settled_elsewhere
        ),
        absent_with_points=_each(r.candidate for r in pending if (r.candidate, r.item) in away),
        without_pages=_each(r.candidate for r in records if r.status is ScoreStatus.MISSING),
        lost_scans=lost_scans,
    )


def _each(values: Iterable[str]) -> tuple[str, ...]:
    """Give each value once, in the order in which they first come."""
    return tuple(dict.fromkeys(values))


def load_records(opened: OpenExam) -> tuple[ScoreRecord, ...]:
    """Take the stored scores, candidates in roster order and items in printed order.

    They have to be what scoring would give now, by the readings and decisions in the
    database and the exam in the workbook; points that people gave are those that were taken
    in when the exam was scored.

    Raises
    ------
    InkmarkError
        Where the exam has not been scored, or anything has changed since.
    """
    stored = {(s.record.candidate, s.record.item): s.record for s in opened.store.scores()}
    root = opened.folder.root
    if not stored:
        raise InkmarkError(f"{root} has no scores yet. Score it first: inkmark score {root}")
    readings = list(opened.store.readings_in_use())
    marked = collect_marked_points(opened, readings, {})
    responses = _responses(opened, readings, marked)
    records = score_responses(opened.exam, responses, _points_taken_in(opened, stored, responses))
    if stored != {(record.candidate, record.item): record for record in records}:
        raise InkmarkError(
            f"the scores are older than the workbook or the readings of {root}, so a report "
            f"would contradict them. Score it again: inkmark score {root}"
        )
    return records


def _points_taken_in(
    opened: OpenExam,
    stored: Mapping[tuple[str, str], ScoreRecord],
    responses: Sequence[Response],
) -> ManualPoints:
    """Points that people gave, as the scores show them."""
    by_hand = {item.number for item in opened.exam.items if not item.type.is_objective}
    given: dict[tuple[str, str], Decimal] = {}
    for response in responses:
        place = response.candidate, response.item
        record = stored.get(place)
        if record is None or response.item not in by_hand:
            continue
        if record.points is not None:
            given[place] = record.points
        elif (record.status, response.status) == (ScoreStatus.PENDING, ResponseStatus.ABSENT):
            # Somebody gave points to a candidate marked absent; how many does not matter.
            given[place] = record.full
    return given


def _responses(
    opened: OpenExam, readings: Sequence[StoredReading], marked: MarkedPoints
) -> tuple[Response, ...]:
    """What was answered; it waits where its points do, whatever the key says of it."""
    decided = {(r.candidate, r.reading.field): r.decision.value for r in readings if r.decision}
    sheets = _sheets(readings, _pages_without_readings(opened))
    responses = collect_responses(opened.exam, opened.layout, sheets, decided)
    waiting = placed_points(opened).outdated | marked.open_items
    settled = (ResponseStatus.ANSWERED, ResponseStatus.BLANK)
    return tuple(
        replace(response, status=ResponseStatus.PENDING)
        if response.status in settled and (response.candidate, response.item) in waiting
        else response
        for response in responses
    )


def _take_decisions(
    opened: OpenExam, review: Path | str | None, decided_by: str
) -> tuple[int, tuple[str, ...]]:
    """Store the decisions made on images in use; give their number and who has others."""
    path = Path(review) if review is not None else opened.folder.out / "review.xlsx"
    if not path.exists():
        if review is not None:
            raise InkmarkError(f"{path} does not exist. Name the workbook with the decisions.")
        return 0, ()
    candidates = {candidate.number for candidate in opened.exam.candidates} or {
        page.record.candidate for page in opened.store.pages()
    }
    decided = load_review(path, opened.layout, candidates)
    images = {
        (page.record.candidate, reading.field): image_name(page.record.source)
        for page in opened.store.pages()
        if page.record.issue is None and page.record.reading is not None
        for reading in page.record.reading.fields
    }
    current = [d for d in decided if d.image in ("", images.get((d.candidate, d.field)))]
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    n_new = opened.store.add_decisions(
        Decision(d.candidate, d.field, d.value, decided_by, now, d.note) for d in current
    )
    return n_new, _each(d.candidate for d in decided if d not in current)


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


def _sheets(
    readings: Sequence[StoredReading], others: Iterable[tuple[str, int]]
) -> dict[str, CandidateSheet]:
    """Arrange readings and further (candidate, page) into sheets, candidates in order."""
    pages: defaultdict[str, set[int]] = defaultdict(set)
    fields: defaultdict[str, dict[str, FieldReading]] = defaultdict(dict)
    for reading in readings:
        pages[reading.candidate].add(reading.page_number)
        fields[reading.candidate][reading.reading.field] = reading.reading
    for candidate, number in others:
        pages[candidate].add(number)
    return {
        candidate: CandidateSheet(frozenset(pages[candidate]), fields[candidate])
        for candidate in sorted(pages)
    }


def _pages_without_readings(opened: OpenExam) -> list[tuple[str, int]]:
    """Give (candidate, page) of received pages on which there is nothing but areas."""
    silent = {
        number
        for number, page in enumerate(opened.layout.pages)
        if not any(isinstance(field, BubbleField) for field in page.fields)
    }
    if not silent:
        return []
    records = (page.record for page in opened.store.pages())
    return [
        (record.candidate, record.page_number)
        for record in records
        if record.issue is None and record.page_number in silent
    ]


def _evidence(
    opened: OpenExam, readings: Sequence[StoredReading], entered: ManualPoints
) -> dict[tuple[str, str], StoredReading]:
    """Give the reading that each score rests on, unless people entered its points."""
    items = {
        field.name: field.item
        for field in opened.layout.fields()
        if not isinstance(field, CodeField) and field.role is Role.ITEM
    }
    return {
        place: reading
        for reading in readings
        if reading.reading.field in items
        and (place := (reading.candidate, items[reading.reading.field])) not in entered
    }


# ------------------------------------------------------------------------------ review


def _review_rows(
    opened: OpenExam,
    open_points: Collection[tuple[str, str]],
    given: ManualPoints,
    progress: Progress | None,
) -> tuple[list[ReviewRow], tuple[str, ...]]:
    """Cut out every field in doubt, file after file; candidates in roster order.

    The second part are the scans that are not there to cut from.
    """
    fields = review_fields(opened.layout)
    names = {candidate.number: candidate.name for candidate in opened.exam.candidates}
    items, language = {item.number: item for item in opened.exam.items}, opened.exam.language
    doubtful: list[tuple[StoredPage, SheetReading, tuple[FieldReading, ...]]] = []
    for page in opened.store.pages():
        own = open_fields(page, opened.layout) + _open_answers(page, fields, items, given)
        own += _open_points(page, open_points)
        if own and page.record.reading is not None:
            doubtful.append((page, page.record.reading, own))
    doubtful.sort(key=lambda entry: (entry[1].source.path, entry[1].source.page_index))
    rows: list[ReviewRow] = []
    lost: dict[str, None] = {}
    for done, (page, sheet, own) in enumerate(doubtful, start=1):
        # What a marker wrote over other writing is told from it by its colour.
        colour = any(fields[reading.field].role.is_of_marker for reading in own)
        pixels = load_stored_page(opened.folder, sheet.source, colour=colour)
        if pixels is None:
            lost[sheet.source.path] = None
        for reading in own:
            field = fields[reading.field]
            item = items.get(field.item) if field.role is Role.ITEM else None
            picture = (
                b""
                if pixels is None
                else cut_out(
                    pixels,
                    reading.box_px,
                    sheet.registration.orientation_deg,
                    above=_ABOVE_LETTERS if _is_letters(field) else None,
                )
            )
            reasons = [_reason(field, reading)] + ([_NO_PICTURE] if pixels is None else [])
            rows.append(
                ReviewRow(
                    candidate=page.record.candidate,
                    name=names.get(page.record.candidate, ""),
                    field=field.name,
                    item=field.item,
                    value=printed_value(item, reading.value, language) if item else reading.value,
                    confidence=reading.confidence,
                    reason="\n".join(text[language] for text in reasons),
                    source=str(sheet.source),
                    image=image_name(sheet.source),
                    options=printed_options(item, language) if item else review_options(field),
                    multiple=item.type is ItemType.MULTIPLE if item else False,
                    picture=picture,
                )
            )
        if progress is not None:
            progress(done, len(doubtful))
    position = {number: place for place, number in enumerate(names)}
    rows.sort(key=lambda row: (position.get(row.candidate, len(position)), row.candidate))
    return rows, tuple(lost)


def _is_letters(field: AnswerField) -> bool:
    return isinstance(field, WritingField) and not field.is_line


def _open_answers(
    page: StoredPage,
    fields: Mapping[str, AnswerField],
    items: Mapping[str, Item],
    given: ManualPoints,
) -> tuple[FieldReading, ...]:
    """Give the written answers of a page in use of which the key does not say what they are.

    Those that have points already are none of them.
    """
    record = page.record
    if record.issue is not None or record.reading is None:
        return ()
    found = []
    for reading in record.reading.fields:
        field = fields.get(reading.field)
        item = items.get(field.item) if field else None
        if item is not None and (record.candidate, item.number) in given:
            continue
        if field and item and reading.field not in page.decided and is_judged_by_key(item, field):
            _, status = settle_reading(item, field, reading)
            if status is ResponseStatus.PENDING:
                found.append(reading)
    return tuple(found)


def _open_points(
    page: StoredPage, open_points: Collection[tuple[str, str]]
) -> tuple[FieldReading, ...]:
    """Give the points on a page in use that a person has to look at."""
    record = page.record
    if record.issue is not None or record.reading is None:
        return ()
    return tuple(r for r in record.reading.fields if (record.candidate, r.field) in open_points)


def _reason(field: AnswerField, reading: FieldReading) -> Mapping[str, str]:
    if field.role.is_of_marker:
        return _UNCLEAR_POINTS
    if isinstance(field, WritingField) and reading.flag is Flag.DOUBTFUL:
        return _UNCLEAR_WRITING
    return _REASONS[reading.flag]
