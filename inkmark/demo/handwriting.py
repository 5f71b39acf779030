"""The demo on sheets that name nobody: everything on them is written by hand.

The people who write are those of public sets, which are not shipped; none of them taught
the readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from inkmark.demo.answers import (
    answer_items,
    draw_abilities,
    fill_in_items,
    in_letters,
    mark_subjective,
)
from inkmark.demo.scans import DemoScan, HandJob
from inkmark.demo.truth import DemoNumber, DemoTruth
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate, Exam, ItemType
from inkmark.exam.values import number_text
from inkmark.layouts import (
    AnswerForm,
    AreaField,
    BoxFrame,
    BubbleField,
    PageLayout,
    Role,
    SheetLayout,
    SheetOptions,
    WritingField,
)
from inkmark.marking import is_accepted
from inkmark.simulator import MarkStyle, Slip
from inkmark.simulator.teacher import InkKind

__all__ = ["SHEETS_BY_HAND", "check_specimens", "hand_job", "number_marks", "write_truth"]

SHEETS_BY_HAND = SheetOptions(answers=AnswerForm.LETTERS, frame=BoxFrame.PALE, marker_boxes=True)
"""The number has boxes and bubbles, of which only the last class fills both."""

Slips = tuple[tuple[int, Slip], ...]

_SETS = (
    "mnist/mnist.npz",
    "pendigits_uci/pendigits-orig.test.txt.gz",
    "handwritten62/handwritten62.npz",
)
_INKS = (InkKind.RED, InkKind.DARK_RED, InkKind.PINK)
"""Of the markers, class after class."""


def check_specimens(folder: Path) -> None:
    """Refuse a folder without the sets of handwriting.

    Raises
    ------
    InkmarkError
    """
    for name in _SETS:
        if not (folder / name).is_file():
            raise InkmarkError(
                f"{folder} is no folder of handwriting: {name} is missing. Name a folder that "
                f"holds {', '.join(_SETS)}, or leave the option out."
            )


def write_truth(exam: Exam, layout: SheetLayout, rng: np.random.Generator) -> DemoTruth:
    """Invent what everybody writes on blank sheets, and how the piles are scanned.

    Of the candidates some are absent, one crosses a digit out, one leaves the number blank,
    one copies a neighbour's, and one sheet is scanned twice. A stranger has strayed in whose
    number differs in one digit from a candidate's.

    Parameters
    ----------
    exam : Exam
    layout : SheetLayout
        Built with `SHEETS_BY_HAND`.
    rng : numpy.random.Generator
    """
    roster = {candidate.number: candidate for candidate in exam.candidates}
    special = _Special.drawn(list(roster), rng)
    stranger = replace(
        roster[special.double], number="2607" + special.double[4:], name="", identifiers=()
    )
    everybody = replace(exam, candidates=(*exam.candidates, stranger))
    abilities = draw_abilities(everybody, rng)
    answers = answer_items(everybody, abilities, special.hesitant, frozenset(), rng)
    written = {
        field.item
        for field in layout.fields()
        if isinstance(field, WritingField) and field.role is Role.ITEM
    }
    answers = {
        place: in_letters(answer) if place[1] in written else answer
        for place, answer in answers.items()
    }
    answers |= fill_in_items(everybody, abilities, rng)
    first = exam.candidates[0].class_name
    points = {}
    for candidate in everybody.candidates:
        for item in exam.items:
            place = candidate.number, item.number
            if item.type is ItemType.SUBJECTIVE:
                points[place] = mark_subjective(item, candidate.number, abilities, rng)
            elif item.type is ItemType.FILL_IN and candidate.class_name == first:
                right = is_accepted(item.key, answers[place].value)
                points[place] = item.points if right else Decimal(0)
    present = {candidate.number for candidate in everybody.candidates} - special.absent
    return DemoTruth(
        exam,
        special.absent,
        {place: answer for place, answer in answers.items() if place[0] in present},
        {place: given for place, given in points.items() if place[0] in present},
        tuple(_scans(everybody, len(layout.pages), special, rng)),
        dict(_numbers(everybody, special, rng)),
        frozenset({stranger.number}),
    )


@dataclass(frozen=True, slots=True)
class _Special:
    """Candidates with whom something is different, by number."""

    absent: frozenset[str]
    hesitant: frozenset[str]
    upside_down: frozenset[str]
    twice: str
    crossed: str
    blank: str
    copied: str
    copies: str
    double: str

    @classmethod
    def drawn(cls, numbers: list[str], rng: np.random.Generator) -> _Special:
        left: list[str] = rng.permutation(numbers).tolist()

        def take(n: int) -> list[str]:
            taken = left[:n]
            del left[:n]
            return taken

        count = len(numbers)
        return cls(
            frozenset(take(max(1, round(0.05 * count)))),
            frozenset(take(max(2, round(0.07 * count)))),
            frozenset(take(max(1, round(0.035 * count)))),
            *take(6),
        )


def _numbers(
    everybody: Exam, special: _Special, rng: np.random.Generator
) -> Iterator[tuple[str, DemoNumber]]:
    last = everybody.candidates[-2].class_name
    for candidate in everybody.candidates:
        own = candidate.number
        text = {special.blank: "", special.copies: special.copied}.get(own, own)
        slips: Slips = ()
        if own == special.crossed:
            slips = ((int(rng.integers(len(own))), Slip.CORRECTED),)
        in_bubbles = candidate.class_name == last and bool(text)
        yield own, DemoNumber(text, slips, in_bubbles)


def _scans(
    everybody: Exam, n_pages: int, special: _Special, rng: np.random.Generator
) -> Iterator[DemoScan]:
    """Each class a pile of its own; a sheet that is scanned twice lies at its end again."""
    classes: dict[str, list[Candidate]] = {}
    for candidate in everybody.candidates:
        classes.setdefault(candidate.class_name, []).append(candidate)
    for group, people in enumerate(classes.values(), start=1):
        pile = rng.permutation([candidate.number for candidate in people]).tolist()
        pile += [number for number in pile if number == special.twice]
        pages = [(number, page) for number in pile for page in range(n_pages)]
        for i, (number, page) in enumerate(pages, start=1):
            turned = 180 if number in special.upside_down else 0
            yield DemoScan(f"scans/class-{group}/scan-{i:03d}.jpg", 0, number, page, turned)


def number_marks(
    page: PageLayout, number: DemoNumber
) -> dict[tuple[str, int], tuple[tuple[int, MarkStyle], ...]]:
    """The marks in the bubbles of the candidate number."""
    if not number.in_bubbles:
        return {}
    return {
        (field.name, group): ((field.options.index(digit), MarkStyle.FILL),)
        for field in page.fields
        if isinstance(field, BubbleField) and field.role is Role.CANDIDATE
        for group, digit in enumerate(number.text)
    }


def hand_job(
    page: PageLayout, scan: DemoScan, truth: DemoTruth, specimens: Path, *, copy: int, seed: int
) -> HandJob:
    """What candidate and marker write on a page.

    Parameters
    ----------
    page : PageLayout
    scan : DemoScan
    truth : DemoTruth
    specimens : Path
        See `HandJob`.
    copy : int
        How many scans of the page come before this one.
    seed : int
        Of the demo.
    """
    who = scan.candidate
    given = {item: points for (number, item), points in truth.points.items() if number == who}
    texts: list[tuple[str, str, Slips]] = []
    points: list[tuple[str, str]] = []
    for field in page.fields:
        if isinstance(field, AreaField) and field.name == "name":
            texts.append((field.name, _latin_name(truth.exam, who), ()))
        if not isinstance(field, WritingField):
            continue
        answer = truth.answers.get((who, field.item))
        if field.role is Role.CANDIDATE:
            texts.append((field.name, truth.numbers[who].text, truth.numbers[who].slips))
        elif field.role is Role.ITEM and answer is not None:
            texts.append((field.name, answer.value, answer.slips))
        elif field.role is Role.POINTS and field.item in given:
            points.append((field.name, number_text(given[field.item])))
        elif field.role is Role.TOTAL and given:
            points.append((field.name, number_text(sum(given.values(), Decimal(0)))))
    group = int(who[4:6])
    return HandJob(
        specimens,
        tuple(text for text in texts if text[1]),
        tuple(points),
        (seed, 4, group),
        _INKS[(group - 1) % len(_INKS)],
        copy,
    )


def _latin_name(exam: Exam, number: str) -> str:
    """A name that can be written; of Chinese there are only numerals to write with."""
    names = {candidate.number: candidate.name for candidate in exam.candidates}
    name = names.get(number, "")
    return name if name.isascii() else ""
