"""What each candidate answered on each item, from what was read and what people decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from inkmark.errors import InkmarkError
from inkmark.exam import Exam, Item, ItemType, canonical_value
from inkmark.layouts import AnswerField, BubbleField, CodeField, Role, SheetLayout, WritingField
from inkmark.marking.fill_in import FillInOptions, Verdict, judge_fill_in
from inkmark.readings import FieldReading, Flag

__all__ = [
    "CandidateSheet",
    "Response",
    "ResponseStatus",
    "collect_responses",
    "is_judged_by_key",
    "settle_reading",
]


class ResponseStatus(StrEnum):
    """What is known of a response."""

    ANSWERED = "answered"
    BLANK = "blank"
    PENDING = "pending"
    """Received, but a person has to look at it or to mark it first."""
    ABSENT = "absent"
    MISSING = "missing"
    """The page with the item was not received."""


@dataclass(frozen=True, slots=True)
class Response:
    """A candidate's answer to an item.

    Attributes
    ----------
    candidate, item : str
    value : str
        As in `FieldReading.value`. Of a pending response what the reader saw, for the
        person who decides; it is not scored.
    status : ResponseStatus
    """

    candidate: str
    item: str
    value: str
    status: ResponseStatus


@dataclass(frozen=True, slots=True)
class CandidateSheet:
    """What was read of one candidate's sheet.

    Attributes
    ----------
    pages : frozenset of int
        0-based pages of the layout that were received.
    fields : mapping of str to FieldReading
        Readings by the name of their field.
    """

    pages: frozenset[int]
    fields: Mapping[str, FieldReading]


_NO_SHEET = CandidateSheet(frozenset(), MappingProxyType({}))

_Place = tuple[int, AnswerField]
"""The page and the field where an item is answered."""
_Settled = tuple[str, ResponseStatus]
"""The value of a field and what is known of it."""


def collect_responses(
    exam: Exam,
    layout: SheetLayout,
    sheets: Mapping[str, CandidateSheet],
    decisions: Mapping[tuple[str, str], str],
    options: FillInOptions | None = None,
) -> tuple[Response, ...]:
    """Settle the response of every candidate to every item.

    A field that was flagged stays pending until a person has decided about it. The absent
    mark alone makes nobody absent: where it is doubtful, or the sheet holds answers as well,
    everything on the sheet is pending until a person has decided about the mark.

    Parameters
    ----------
    exam : Exam
    layout : SheetLayout
        The layout that the sheets were printed from.
    sheets : mapping of str to CandidateSheet
        By candidate number; candidates without a received page may be left out.
    decisions : mapping of (candidate, field) to value
        What people decided; it replaces what was read. Values as in `FieldReading.value`.
    options : FillInOptions, optional
        How sure it has to be whether a handwritten answer is an accepted one.

    Returns
    -------
    tuple of Response
        Candidate after candidate in roster order (in the order of `sheets` for an exam
        without a roster), items in exam order.

    Raises
    ------
    InkmarkError
        Where an objective item has no field in the layout, or a sheet belongs to nobody on
        the roster.
    """
    candidates = _candidates(exam, sheets)
    places = _places(exam, layout)
    marks: list[_Place] = [
        (number, f)
        for number, page in enumerate(layout.pages)
        for f in page.fields
        if isinstance(f, BubbleField) and f.role is Role.ABSENT
    ]
    numbers = frozenset(f.name for f in layout.fields() if f.role is Role.CANDIDATE)
    responses: list[Response] = []
    for candidate in candidates:
        sheet = sheets.get(candidate, _NO_SHEET)
        answers = [
            _settle(candidate, item, place, sheet, decisions, options=options)
            for item, place in zip(exam.items, places, strict=True)
        ]
        absence = _absence(candidate, marks, sheet, answers, decisions, numbers=numbers)
        for item, (value, status) in zip(exam.items, answers, strict=True):
            responses.append(Response(candidate, item.number, value, absence or status))
    return tuple(responses)


def _candidates(exam: Exam, sheets: Mapping[str, CandidateSheet]) -> tuple[str, ...]:
    if not exam.candidates:
        return tuple(sheets)
    numbers = tuple(candidate.number for candidate in exam.candidates)
    strangers = sorted(sheets.keys() - set(numbers))
    if strangers:
        raise InkmarkError(
            f"Sheets of candidates who are not on the roster: {', '.join(strangers[:10])}. "
            "Run inkmark read, which looks every sheet up in the roster of today."
        )
    return numbers


def _places(exam: Exam, layout: SheetLayout) -> list[_Place | None]:
    """Where each item of the exam is answered; None for one that has no place on the sheet."""
    places: dict[str, _Place] = {}
    for number, page in enumerate(layout.pages):
        for f in page.fields:
            if isinstance(f, CodeField) or f.role is Role.POINTS:
                continue
            if f.item:
                places.setdefault(f.item, (number, f))
    lost = [i.number for i in exam.items if i.type.is_objective and i.number not in places]
    if lost:
        raise InkmarkError(
            f"The layout has no field for the items {', '.join(lost)}. "
            "Use the layout that the sheets were printed from, or print new sheets."
        )
    return [places.get(item.number) for item in exam.items]


def is_judged_by_key(item: Item, field: AnswerField) -> bool:
    """Whether the key decides if a reading of the field is certain enough: a fill-in answer.

    Parameters
    ----------
    item : Item
    field : BubbleField, WritingField or AreaField
        Where it is answered.
    """
    if not item.key or item.type is not ItemType.FILL_IN:
        return False
    return isinstance(field, WritingField) and field.is_line and field.role is not Role.POINTS


def settle_reading(
    item: Item | None,
    field: AnswerField,
    reading: FieldReading,
    options: FillInOptions | None = None,
) -> tuple[str, ResponseStatus]:
    """What a reading says of an item, and whether that is certain.

    Parameters
    ----------
    item : Item or None
        None for a field that answers none.
    field : BubbleField, WritingField or AreaField
    reading : FieldReading
        Of the field.
    options : FillInOptions, optional

    Returns
    -------
    value : str
    status : ResponseStatus
        ``ANSWERED``, ``BLANK`` or ``PENDING``.

    Notes
    -----
    Whether a line of handwriting is an accepted answer may be certain though its text is not,
    and the other way round, so that its doubts do not count; see `judge_fill_in`. Where images
    contradict each other somebody has to look, whatever the key says of one of them.
    """
    key = item.key if item is not None and is_judged_by_key(item, field) else ()
    judged = bool(key and reading.choices)
    if reading.flag is not Flag.OK and not (judged and reading.flag is Flag.DOUBTFUL):
        return reading.value, ResponseStatus.PENDING
    if judged and reading.value:
        judgement = judge_fill_in(key, reading.choices, options)
        if judgement.verdict is Verdict.PERSON:
            return reading.value, ResponseStatus.PENDING
        return judgement.value, ResponseStatus.ANSWERED
    value = _in_options(item, field, reading.value)
    return value, ResponseStatus.ANSWERED if value else ResponseStatus.BLANK


def _in_options(item: Item | None, field: AnswerField, value: str) -> str:
    """Letters written in boxes in the form of the item's options: ``CA`` is ``AC``, T is √.

    What is none of them stays as it is.
    """
    if item is None or not item.type.is_objective or not isinstance(field, WritingField):
        return value
    try:
        return canonical_value(value, item.options)
    except ValueError:
        return value


def _settle(
    candidate: str,
    item: Item | None,
    place: _Place | None,
    sheet: CandidateSheet,
    decisions: Mapping[tuple[str, str], str],
    *,
    options: FillInOptions | None = None,
) -> _Settled:
    """What is known of a field: a decision, else a certain reading, else nothing yet."""
    if place is None:
        return "", ResponseStatus.PENDING if sheet.pages else ResponseStatus.MISSING
    page, field = place
    decided = decisions.get((candidate, field.name))
    if decided is not None:
        decided = _in_options(item, field, decided)
        return decided, ResponseStatus.ANSWERED if decided else ResponseStatus.BLANK
    if page not in sheet.pages:
        return "", ResponseStatus.MISSING
    reading = sheet.fields.get(field.name)
    if reading is None:
        return "", ResponseStatus.PENDING
    return settle_reading(item, field, reading, options)


def _absence(
    candidate: str,
    marks: Sequence[_Place],
    sheet: CandidateSheet,
    answers: Sequence[_Settled],
    decisions: Mapping[tuple[str, str], str],
    *,
    numbers: Collection[str],
) -> ResponseStatus | None:
    """ABSENT, PENDING where the absent mark has to be looked at, or None for present."""
    for place in marks:
        _, status = _settle(candidate, None, place, sheet, decisions)
        if status is ResponseStatus.ANSWERED:
            if (candidate, place[1].name) in decisions or not _has_ink(answers, sheet, numbers):
                return ResponseStatus.ABSENT
            return ResponseStatus.PENDING
        if status is ResponseStatus.PENDING:
            return ResponseStatus.PENDING
    return None


def _has_ink(answers: Sequence[_Settled], sheet: CandidateSheet, numbers: Collection[str]) -> bool:
    """Whether anything on the sheet was answered, or may have been.

    The number is written on the sheets of absent candidates, too.
    """
    return any(status is ResponseStatus.ANSWERED or value for value, status in answers) or any(
        reading.flag not in (Flag.OK, Flag.UNREADABLE)
        for name, reading in sheet.fields.items()
        if name not in numbers
    )
