"""Whether sheets that are laid out already fit an exam, and what form they have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile

from inkmark.exam import Exam, Item, ItemType
from inkmark.layouts import _style as st
from inkmark.layouts._blocks import can_be_lettered
from inkmark.layouts.model import (
    CHARSETS,
    AnswerField,
    AreaField,
    BubbleField,
    CodeField,
    FullBox,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)
from inkmark.layouts.options import AnswerForm, NumberForm, SheetOptions

__all__ = [
    "answer_fields",
    "form_differences",
    "frame_padding",
    "full_box_of_items",
    "has_letters",
    "is_letter_box",
    "item_differences",
    "number_grid",
    "sheet_options",
    "written_number",
]

_NAMED = 5
_SLACK = 0.01
"""Positions are rounded; in mm."""
_USUAL_COLUMNS = {"A4": 1, "A3": 3}


def answer_fields(page: PageLayout) -> tuple[AnswerField, ...]:
    """Give the fields of a page that answer items, in printed order."""
    return tuple(f for f in page.fields if not isinstance(f, CodeField) and f.role is Role.ITEM)


def frame_padding(field: AnswerField) -> float:
    """Distance in mm from the fields of a section to the frame around them."""
    match field:
        case BubbleField():
            return st.BAND_PADDING + st.ROW_GAP / 2
        case WritingField():
            return st.LETTER_PADDING if is_letter_box(field) else st.WRITING_PADDING
        case AreaField():
            return 0.0


def written_number(layout: SheetLayout) -> WritingField | None:
    """The boxes for the candidate number; None on sheets that inkmark did not build."""
    return next(
        (
            f
            for f in layout.pages[0].fields
            if isinstance(f, WritingField) and f.name == "candidate_written"
        ),
        None,
    )


def number_grid(layout: SheetLayout) -> BubbleField | None:
    """The bubbles for the candidate number, where there are."""
    fields = layout.pages[0].fields
    return next((f for f in fields if isinstance(f, BubbleField) and f.name == "candidate"), None)


def full_box_of_items(layout: SheetLayout) -> FullBox | None:
    """What a completely filled bubble of an item means, the same for all; None without any."""
    fields = (f for page in layout.pages for f in answer_fields(page))
    return next((f.full_box for f in fields if isinstance(f, BubbleField)), None)


def sheet_options(layout: SheetLayout) -> SheetOptions | None:
    """Options with which `build_layout` makes sheets of the same form.

    An even number of pages counts as two sides, and the columns that a paper has where they
    are not chosen as no choice.

    Returns
    -------
    SheetOptions or None
        None for a layout that inkmark did not build.
    """
    page = layout.pages[0]
    papers = {size: paper for paper, size in st.PAPER.items()}
    paper = papers.get((page.width_mm, page.height_mm))
    written, grid = written_number(layout), number_grid(layout)
    if paper is None or written is None or not all(page.columns for page in layout.pages):
        return None
    n_columns = len(page.columns)
    # The absent mark has the size of the items' bubbles.
    absent = next(f for f in page.fields if isinstance(f, BubbleField) and f.role is Role.ABSENT)
    return SheetOptions(
        paper,
        1 if len(layout.pages) % 2 else 2,
        None if n_columns == _USUAL_COLUMNS[paper] else n_columns,
        absent.shape,
        (absent.bubble_w, absent.bubble_h),
        full_box=full_box_of_items(layout) or FullBox.MARKED,
        number=NumberForm.BOXES if grid is None else NumberForm.BUBBLES,
        answers=AnswerForm.LETTERS if has_letters(layout) else AnswerForm.BUBBLES,
        frame=written.frame,
        marker_boxes=any(f.role is Role.TOTAL for f in page.fields),
    )


def has_letters(layout: SheetLayout) -> bool:
    """Whether some items are answered by letters in boxes."""
    return any(is_letter_box(f) for page in layout.pages for f in answer_fields(page))


def is_letter_box(field: AnswerField) -> bool:
    """Whether a field is a box for the letter of an option."""
    return isinstance(field, WritingField) and field.charset not in CHARSETS


def form_differences(layout: SheetLayout, exam: Exam, options: SheetOptions) -> tuple[str, ...]:
    """Say, for people, in what the form of sheets is not the one asked for.

    Parameters
    ----------
    layout : SheetLayout
    exam : Exam
        Its candidate numbers have to find room.
    options : SheetOptions
        What is asked for; columns that are None are not.

    Returns
    -------
    tuple of str
        Empty where the sheets are as asked for.
    """
    built, written = sheet_options(layout), written_number(layout)
    if built is None or written is None:
        return ("it was not built by inkmark",)
    n_columns = len(layout.pages[0].columns)
    some_lettered = any(all(map(can_be_lettered, run)) for run in st.sections(exam))
    found = [
        words
        for differs, words in (
            (options.paper != built.paper, f"its paper is {built.paper}, not {options.paper}"),
            (
                options.sides != built.sides and (options.sides == 2 or layout.pages[-1].is_empty),
                f"it is for {built.sides} side(s) of a sheet of paper, not {options.sides}",
            ),
            (
                options.columns not in (None, n_columns),
                f"it has {n_columns} column(s), not {options.columns}",
            ),
            (
                options.bubble_style != built.bubble_style,
                f"its bubbles are {built.bubble_style}, not {options.bubble_style}",
            ),
            (
                options.bubble_mm != built.bubble_mm,
                "its bubbles are {:g} x {:g} mm, not {:g} x {:g}".format(
                    *built.bubble_mm, *options.bubble_mm
                ),
            ),
            (
                full_box_of_items(layout) not in (None, options.full_box),
                f"a full bubble of it is {built.full_box}, not {options.full_box}",
            ),
            (
                options.number != built.number,
                f"its candidate numbers are given in {built.number}, not in {options.number}",
            ),
            (
                options.answers != built.answers and some_lettered,
                f"its items are answered in {built.answers}, not in {options.answers}",
            ),
            (
                options.frame != built.frame,
                f"the frames of its boxes are {built.frame}, not {options.frame}",
            ),
            (
                options.marker_boxes != built.marker_boxes,
                f"it has {'' if built.marker_boxes else 'no '}boxes for markers",
            ),
        )
        if differs
    ]
    digits = max((len(candidate.number) for candidate in exam.candidates), default=0)
    if digits > written.n_boxes:
        found.append(f"its candidate numbers have {written.n_boxes} digits, the roster's {digits}")
    return tuple(found)


def item_differences(layout: SheetLayout, exam: Exam) -> tuple[str, ...]:
    """Say, for people, in what the items of sheets are not those of an exam.

    Parameters
    ----------
    layout : SheetLayout
    exam : Exam

    Returns
    -------
    tuple of str
        Empty where the exam can be printed on these sheets; names the first items only.
    """
    differences = _item_differences(layout, exam)
    named = tuple(islice(differences, _NAMED))
    further = sum(1 for _ in differences)
    return (*named, f"and {further} more") if further else named


def _item_differences(layout: SheetLayout, exam: Exam) -> Iterator[str]:
    places = {f.item: (f, page) for page in layout.pages for f in answer_fields(page)}
    numbers = [item.number for item in exam.items]
    known = set(numbers)
    for number in places:
        if number not in known:
            yield f"item {number} is on the sheets, not in the exam"
    for item in exam.items:
        if item.number not in places:
            yield f"item {item.number} is in the exam, not on the sheets"
            continue
        field, _ = places[item.number]
        on_sheet, wanted = _form(field), _wanted_form(item)
        if on_sheet != wanted:
            yield f"item {item.number} is {on_sheet} on the sheets, {wanted} in the exam"
    if known == set(places) and numbers != list(places):
        yield "the items stand in another order"
    elif known == set(places):
        for first, *_ in st.sections(exam):
            if not _has_heading(*places[first.number]):
                yield f"a section begins at item {first.number}, which has no heading on the sheets"


def _form(field: AnswerField) -> str:
    match field:
        case BubbleField():
            return _choice(field.options, multiple=field.multiple)
        case WritingField():
            if is_letter_box(field):
                return _choice(tuple(field.charset), multiple=False)
            return "a fill-in item"
        case AreaField():
            return "a subjective item"


def _wanted_form(item: Item) -> str:
    if item.type.is_objective:
        return _choice(item.options, multiple=item.type is ItemType.MULTIPLE)
    return "a fill-in item" if item.type is ItemType.FILL_IN else "a subjective item"


def _choice(options: tuple[str, ...], *, multiple: bool) -> str:
    return f"{'several' if multiple else 'one'} of {' '.join(options)}"


def _has_heading(field: AnswerField, page: PageLayout) -> bool:
    """Whether there is room for a heading above the first field of a section."""
    box = field.box
    x, y = box.centre
    for column in page.columns:
        if column.x <= x <= column.right and column.y <= y <= column.bottom:
            before = (f.box for f in takewhile(lambda f: f != field, answer_fields(page)))
            ends = (b.bottom for b in before if column.x <= b.centre[0] <= column.right)
            room = box.y - max(ends, default=column.y)
            return room >= st.HEADING + frame_padding(field) - _SLACK
    return True  # printing says what is wrong with a field outside the columns
