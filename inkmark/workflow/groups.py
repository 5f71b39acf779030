"""Handwritten answers in groups: shown to a marker, scored group by group."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.errors import InkmarkError
from inkmark.exam import Item, ItemType
from inkmark.layouts import Role, SheetLayout, WritingField
from inkmark.marking import (
    AnswerGroup,
    ResponseStatus,
    group_answers,
    is_accepted,
    settle_reading,
)
from inkmark.readings import FieldReading, Flag, IssueKind, PageSource, SheetReading
from inkmark.reports import (
    GroupedAnswer,
    GroupRow,
    load_answer_groups,
    words,
    write_answer_groups,
)
from inkmark.session import Progress
from inkmark.store import PageRecord, Placement
from inkmark.workflow.folder import OpenExam, open_exam
from inkmark.workflow.scans import cut_out, image_name, load_stored_page

__all__ = [
    "GroupedItem",
    "GroupsSummary",
    "PlacedPoints",
    "group_exam",
    "placed_points",
    "take_placements",
]

_LARGEST = 10
_SUPERSEDED = (IssueKind.DUPLICATE_PAGE, IssueKind.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class GroupedItem:
    """The groups of an item, in figures.

    Attributes
    ----------
    item : str
    answers, groups : int
    in_largest : int
        Answers in the ten largest groups.
    scored : int
        Answers that have points by their group.
    """

    item: str
    answers: int
    groups: int
    in_largest: int
    scored: int


@dataclass(frozen=True, slots=True)
class GroupsSummary:
    """What was taken in and what was written.

    Attributes
    ----------
    placements : int
        Answers of which the workbook said something new.
    outdated : tuple of str
        Candidates whose answers were looked at on an image that is not in use any more, and
        images that nobody knows.
    items : tuple of GroupedItem
    workbook : Path or None
        None where no item has handwritten answers.
    lost_scans : tuple of str
        Scans that are gone or are other files now, so that there is no picture.
    """

    placements: int
    outdated: tuple[str, ...]
    items: tuple[GroupedItem, ...]
    workbook: Path | None
    lost_scans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A handwritten answer and where it is to be seen.

    `placement` is where a marker put it, on this image or on an earlier one that is read
    alike; `is_outdated` where a marker scored an earlier image of it that is read otherwise.
    """

    candidate: str
    source: PageSource
    orientation_deg: int
    reading: FieldReading
    placement: Placement | None
    is_outdated: bool


@dataclass(frozen=True, slots=True)
class _Member:
    """An answer in its group."""

    answer: _Answer
    group: str
    text: str
    probability: float
    points: Decimal | None


def group_exam(
    root: Path | str,
    *,
    items: Collection[str] = (),
    decided_by: str = "",
    progress: Progress | None = None,
) -> GroupsSummary:
    """Group the handwritten answers of an exam and write them to a workbook for a marker.

    What a marker entered in the workbook is taken in first. No page is read again.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    items : collection of str
        Only these items; all with handwritten answers by default.
    decided_by : str
        Who scored the groups.
    progress : callable, optional
        Called with the number of pages done and of all pages with pictures to cut out.

    Returns
    -------
    GroupsSummary

    Raises
    ------
    FaultyFileError
        Where the workbook has faults.
    InkmarkError
        Where an item has no handwritten answers.
    """
    with open_exam(root) as opened:
        n_new, outdated = take_placements(opened, decided_by)
        known = _written_items(opened)
        unknown = [number for number in items if number not in known]
        if unknown:
            raise InkmarkError(
                f"item {unknown[0]} has no handwritten answers on the sheets. Choose among: "
                f"{', '.join(known) or 'none'}."
            )
        answers = _answers(opened, {n: f for n, f in known.items() if not items or n in items})
        members = {
            number: list(_members(opened, number, found)) for number, found in answers.items()
        }
        path = opened.folder.out / "groups.xlsx"
        lost: tuple[str, ...] = ()
        if members:
            pictures, lost = _pictures(opened, members, progress)
            opened.folder.out.mkdir(exist_ok=True)
            _write(opened, members, pictures, path)
        else:
            path.unlink(missing_ok=True)
    return GroupsSummary(
        n_new,
        outdated,
        tuple(_figures(number, own) for number, own in members.items()),
        path if members else None,
        lost,
    )


def take_placements(opened: OpenExam, decided_by: str) -> tuple[int, tuple[str, ...]]:
    """Store what a marker entered in the workbook of groups, where there is one.

    Returns
    -------
    (int, tuple of str)
        How many answers it says something new of, and the candidates whose answers were
        looked at on an image that is not in use any more.
    """
    path = opened.folder.out / "groups.xlsx"
    if not path.exists():
        return 0, ()
    looked_at = load_answer_groups(path, opened.exam)
    answers = {
        (image_name(a.source), number): a
        for number, own in _answers(opened, _written_items(opened)).items()
        for a in own
    }
    owners = {image_name(page.source): page.candidate for page in opened.store.summaries({})}
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    placements: list[Placement] = []
    outdated: dict[str, None] = {}
    for seen in looked_at:
        answer = answers.get((seen.image, seen.item))
        untouched = not seen.moved and seen.points is None
        if untouched and (answer is None or answer.placement is None):
            continue  # nobody said anything of it, now or before
        if answer is None:
            outdated[owners.get(seen.image) or seen.image] = None
            continue
        placements.append(
            Placement(
                answer.source.sha256,
                answer.source.page_index,
                answer.reading.field,
                seen.group,
                seen.points,
                decided_by,
                now,
                seen.note,
            )
        )
    return opened.store.add_placements(placements), tuple(outdated)


@dataclass(frozen=True, slots=True)
class PlacedPoints:
    """What the groups say of points.

    Attributes
    ----------
    given : dict of (candidate, item) to Decimal
    outdated : frozenset of (candidate, item)
        Answers that were scored on an image that is not in use any more, and that the one in
        use shows otherwise: they wait for a marker.
    """

    given: dict[tuple[str, str], Decimal]
    outdated: frozenset[tuple[str, str]]


def placed_points(opened: OpenExam) -> PlacedPoints:
    """Points that answers have by their groups."""
    if not opened.store.placements():
        return PlacedPoints({}, frozenset())
    given: dict[tuple[str, str], Decimal] = {}
    outdated: set[tuple[str, str]] = set()
    for number, own in _answers(opened, _written_items(opened)).items():
        for answer in own:
            if answer.placement is not None and answer.placement.points is not None:
                given[answer.candidate, number] = answer.placement.points
            elif answer.is_outdated:
                outdated.add((answer.candidate, number))
    return PlacedPoints(given, frozenset(outdated))


def _place(source: PageSource, reading: FieldReading) -> tuple[str, int, str]:
    return source.sha256, source.page_index, reading.field


def _written_items(opened: OpenExam) -> dict[str, WritingField]:
    """Items answered in a line of writing, in exam order, with their fields."""
    fields = _lines(opened.layout)
    return {
        item.number: fields[item.number]
        for item in opened.exam.items
        if item.type is ItemType.FILL_IN and item.number in fields
    }


def _lines(layout: SheetLayout) -> dict[str, WritingField]:
    return {
        field.item: field
        for field in layout.fields()
        if isinstance(field, WritingField) and field.role is Role.ITEM and field.is_line
    }


def _answers(opened: OpenExam, fields: Mapping[str, WritingField]) -> dict[str, list[_Answer]]:
    """The answers in use, by item, with where markers put them."""
    items = {field.name: number for number, field in fields.items()}
    placed = opened.store.placements()
    seen: list[tuple[PageRecord, SheetReading, FieldReading]] = []
    earlier: defaultdict[tuple[str, str], list[tuple[Placement, str]]] = defaultdict(list)
    for page in opened.store.pages():
        record = page.record
        if record.reading is None:
            continue
        for reading in record.reading.fields:
            if reading.field not in items:
                continue
            placement = placed.get(_place(record.source, reading))
            if record.issue is None:
                seen.append((record, record.reading, reading))
            elif record.issue in _SUPERSEDED and placement is not None:
                other = placement, reading.value
                earlier[record.candidate, reading.field].append(other)
    found: dict[str, list[_Answer]] = {number: [] for number in fields}
    for record, sheet, reading in seen:
        placement, outdated = placed.get(_place(record.source, reading)), False
        others = earlier.get((record.candidate, reading.field))
        if placement is None and others:
            latest, value = max(others, key=lambda other: other[0].id)
            placement = latest if value == reading.value else None
            outdated = placement is None and latest.points is not None
        turn = sheet.registration.orientation_deg
        answer = _Answer(record.candidate, record.source, turn, reading, placement, outdated)
        found[items[reading.field]].append(answer)
    return {number: own for number, own in found.items() if own}


def _members(opened: OpenExam, number: str, answers: Sequence[_Answer]) -> Iterator[_Member]:
    """The answers to an item, group after group: scored and moved ones where they were put."""
    w = words(opened.exam.language)
    kept: defaultdict[str, list[_Member]] = defaultdict(list)
    for answer in answers:
        placement = answer.placement
        if placement is not None:
            text = answer.reading.value
            kept[placement.answer_group].append(
                _Member(answer, placement.answer_group, text, 1.0, placement.points)
            )
    rest = [answer for answer in answers if answer.placement is None]
    charset = _lines(opened.layout)[number].charset
    for group in group_answers([_steps(answer.reading) for answer in rest], charset):
        name = _name(group, rest, w)
        if name in kept:  # nobody has seen that these belong there
            name = w["new"].format(text=name)
        for position, probability in zip(group.members, group.probability, strict=True):
            answer = rest[position]
            text = answer.reading.value or group.text
            kept[name].append(_Member(answer, name, text, probability, None))
    for name in sorted(kept, key=lambda name: (-len(kept[name]), name)):
        yield from kept[name]


def _steps(reading: FieldReading) -> tuple[tuple[tuple[str, float], ...], ...] | None:
    blank = not reading.value and not reading.choices and reading.flag is Flag.OK
    return None if blank else reading.choices


def _name(group: AnswerGroup, answers: Sequence[_Answer], w: Mapping[str, str]) -> str:
    first = answers[group.members[0]]
    if group.is_sure:
        return group.text or w["nothing written"]
    if len(group.members) == 1:
        return w["alone"].format(number=image_name(first.source))
    return w["perhaps"].format(text=group.text)


def _pictures(
    opened: OpenExam, members: Mapping[str, Sequence[_Member]], progress: Progress | None
) -> tuple[dict[tuple[str, int, str], bytes], tuple[str, ...]]:
    """Cut out every answer, page after page; and the scans that are not there to cut from."""
    pages: defaultdict[PageSource, list[_Answer]] = defaultdict(list)
    for own in members.values():
        for member in own:
            pages[member.answer.source].append(member.answer)
    pictures: dict[tuple[str, int, str], bytes] = {}
    lost: dict[str, None] = {}
    for done, (source, answers) in enumerate(sorted(pages.items()), start=1):
        pixels: NDArray[np.uint8] | None = load_stored_page(opened.folder, source)
        if pixels is None:
            lost[source.path] = None
        else:
            for answer in answers:
                box, turn = answer.reading.box_px, answer.orientation_deg
                pictures[_place(source, answer.reading)] = cut_out(pixels, box, turn)
        if progress is not None:
            progress(done, len(pages))
    return pictures, tuple(lost)


def _write(
    opened: OpenExam,
    members: Mapping[str, Sequence[_Member]],
    pictures: Mapping[tuple[str, int, str], bytes],
    path: Path,
) -> None:
    items = {item.number: item for item in opened.exam.items}
    fields = _lines(opened.layout)
    groups, answers = [], []
    for number, own in members.items():
        by_name: defaultdict[str, list[_Member]] = defaultdict(list)
        for member in own:
            by_name[member.group].append(member)
            answers.append(
                GroupedAnswer(
                    number,
                    member.group,
                    member.text,
                    member.probability,
                    member.points,
                    image_name(member.answer.source),
                    pictures.get(_place(member.answer.source, member.answer.reading), b""),
                )
            )
        for name, group in by_name.items():
            texts, points = {m.text for m in group}, {m.points for m in group}
            text = texts.pop() if len(texts) == 1 else ""
            given = points.pop() if len(points) == 1 else None
            proposal = _proposal(items[number], fields[number], group, opened.exam.language)
            groups.append(GroupRow(number, name, text, len(group), proposal, given))
    write_answer_groups(groups, answers, path, opened.exam.language)


def _proposal(item: Item, field: WritingField, group: Sequence[_Member], language: str) -> str:
    """What scoring says of the answers of which it is sure; nothing where they differ."""
    if not item.key:
        return ""
    settled = [settle_reading(item, field, member.answer.reading) for member in group]
    right = {
        bool(value) and is_accepted(item.key, value)
        for value, status in settled
        if status is not ResponseStatus.PENDING
    }
    if len(right) != 1:
        return ""
    return words(language)["accepted" if right.pop() else "refused"]


def _figures(number: str, members: Sequence[_Member]) -> GroupedItem:
    sizes: defaultdict[str, int] = defaultdict(int)
    for member in members:
        sizes[member.group] += 1
    return GroupedItem(
        number,
        len(members),
        len(sizes),
        sum(sorted(sizes.values(), reverse=True)[:_LARGEST]),
        sum(member.points is not None for member in members),
    )
