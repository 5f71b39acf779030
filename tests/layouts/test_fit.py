from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_exams import built_or_reject, invented_exam, mixed_exam
from sample_layouts import everything

from inkmark.exam import Candidate, Exam, Item, ItemType
from inkmark.layouts import (
    AnswerForm,
    BoxFrame,
    BubbleShape,
    FullBox,
    NumberForm,
    SheetOptions,
    build_layout,
    form_differences,
    item_differences,
    sheet_options,
)

exams = st.builds(
    invented_exam,
    st.lists(
        st.tuples(st.sampled_from(list(ItemType)), st.integers(1, 40)), min_size=1, max_size=8
    ),
    options=st.sampled_from(["AB", "ABCD", "ABCDE"]),
    points=st.sampled_from([Decimal("0.5"), Decimal(12), Decimal(60)]),
)
forms = st.builds(
    SheetOptions,
    paper=st.sampled_from(["A4", "A3"]),
    sides=st.sampled_from([1, 2]),
    columns=st.sampled_from([None, 1, 2, 3]),
    bubble_style=st.sampled_from(list(BubbleShape)),
    full_box=st.sampled_from(list(FullBox)),
    bubble_mm=st.sampled_from([(5.0, 3.0), (3.0, 3.0), (7.0, 7.0), (4.0, 3.2)]),
    number=st.sampled_from(list(NumberForm)),
    answers=st.sampled_from(list(AnswerForm)),
    frame=st.sampled_from(list(BoxFrame)),
    marker_boxes=st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(exams, forms)
def test_sheets_fit_the_exam_and_the_options_they_were_built_for(
    exam: Exam, options: SheetOptions
) -> None:
    layout = built_or_reject(exam, options)
    assert item_differences(layout, exam) == ()
    assert form_differences(layout, exam, options) == ()
    found = sheet_options(layout)
    assert found is not None
    assert form_differences(layout, exam, found) == ()
    assert build_layout(exam, found) == layout


def changed(exam: Exam, index: int, **changes: object) -> Exam:
    items = list(exam.items)
    items[index] = replace(items[index], **changes)
    return replace(exam, items=tuple(items))


def reordered(exam: Exam) -> Exam:
    first, second, *rest = exam.items
    return replace(exam, items=(second, first, *rest))


def test_what_is_not_printed_may_change() -> None:
    exam = mixed_exam()
    layout = build_layout(exam)
    other = changed(changed(exam, 0, key=("B",)), 1, points=Decimal(9), level="apply")
    assert item_differences(layout, replace(other, title="Another", language="en")) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: replace(e, items=e.items[:-1]), "item 40 is on the sheets, not in the exam"),
        (
            lambda e: replace(e, items=(*e.items, replace(e.items[0], number="41"))),
            "item 41 is in the exam, not on the sheets",
        ),
        (
            lambda e: changed(e, 2, options=tuple("ABC")),
            "item 3 is one of A B C D on the sheets, one of A B C in the exam",
        ),
        (
            lambda e: changed(e, 21, type=ItemType.MULTIPLE),
            "item 22 is one of A B C D on the sheets, several of A B C D in the exam",
        ),
        (
            lambda e: changed(e, 39, type=ItemType.FILL_IN),
            "item 40 is a subjective item on the sheets, a fill-in item in the exam",
        ),
        (reordered, "the items stand in another order"),
        (
            lambda e: changed(e, 15, type=ItemType.TRUE_FALSE),
            "a section begins at item 16, which has no heading on the sheets",
        ),
    ],
)
def test_differences_of_the_items_are_named(change, words: str) -> None:  # type: ignore[no-untyped-def]
    exam = mixed_exam()
    assert words in item_differences(build_layout(exam), change(exam))


def test_options_of_items_answered_by_letters_are_compared() -> None:
    exam = mixed_exam()
    layout = build_layout(exam, SheetOptions(answers=AnswerForm.LETTERS))
    assert item_differences(layout, exam) == ()
    other = changed(exam, 2, options=tuple("ABC"))
    assert item_differences(layout, other) == (
        "item 3 is one of A B C D on the sheets, one of A B C in the exam",
    )


def test_many_differences_are_not_all_named() -> None:
    exam = invented_exam([(ItemType.SINGLE, 30)])
    other = invented_exam([(ItemType.SINGLE, 30)], options="ABCDE")
    found = item_differences(build_layout(exam), other)
    assert len(found) == 6
    assert found[-1] == "and 25 more"


@pytest.mark.parametrize(
    ("built", "asked", "words"),
    [
        (SheetOptions(), SheetOptions("A3"), ["its paper is A4, not A3"]),
        (SheetOptions("A3"), SheetOptions("A3", columns=2), ["it has 3 column(s), not 2"]),
        (SheetOptions("A3"), SheetOptions("A3", columns=3), []),
        (
            SheetOptions(),
            SheetOptions(bubble_style=BubbleShape.RECTANGLE),
            ["its bubbles are oval, not rectangle"],
        ),
        (
            SheetOptions(full_box=FullBox.CANCELLED),
            SheetOptions(),
            ["a full bubble of it is cancelled, not marked"],
        ),
        (
            SheetOptions(),
            SheetOptions(bubble_mm=(4.0, 4.0)),
            ["its bubbles are 5 x 3 mm, not 4 x 4"],
        ),
        (
            SheetOptions(number=NumberForm.BOXES),
            SheetOptions(),
            ["its candidate numbers are given in boxes, not in bubbles"],
        ),
        (
            SheetOptions(),
            SheetOptions(answers=AnswerForm.LETTERS),
            ["its items are answered in bubbles, not in letters"],
        ),
        (
            SheetOptions(frame=BoxFrame.PALE),
            SheetOptions(frame=BoxFrame.DROPOUT),
            ["the frames of its boxes are pale, not dropout"],
        ),
        (SheetOptions(), SheetOptions(marker_boxes=True), ["it has no boxes for markers"]),
        (SheetOptions(marker_boxes=True), SheetOptions(), ["it has boxes for markers"]),
        (
            SheetOptions(),
            SheetOptions(sides=2),
            ["it is for 1 side(s) of a sheet of paper, not 2"],
        ),
        (
            SheetOptions(sides=2),
            SheetOptions(),
            ["it is for 2 side(s) of a sheet of paper, not 1"],
        ),
    ],
)
def test_differences_of_the_form_are_named(
    built: SheetOptions, asked: SheetOptions, words: Sequence[str]
) -> None:
    exam = invented_exam([(ItemType.SINGLE, 30)])
    assert form_differences(build_layout(exam, built), exam, asked) == tuple(words)


def test_two_full_pages_are_as_good_for_one_side_as_for_two() -> None:
    exam = invented_exam([(ItemType.SINGLE, 150)])
    layout = build_layout(exam)
    assert len(layout.pages) == 2
    for sides in (1, 2):
        assert form_differences(layout, exam, SheetOptions(sides=sides)) == ()


def test_a_roster_of_longer_numbers_does_not_fit() -> None:
    layout = build_layout(invented_exam([(ItemType.SINGLE, 3)]))
    exam = invented_exam([(ItemType.SINGLE, 3)], candidates=[Candidate("123456789")])
    assert form_differences(layout, exam, SheetOptions()) == (
        "its candidate numbers have 8 digits, the roster's 9",
    )


def test_a_layout_that_inkmark_did_not_build_is_told() -> None:
    exam = replace(mixed_exam(), items=(Item("1", ItemType.SUBJECTIVE, (), (), Decimal(1)),))
    assert sheet_options(everything()) is None
    assert form_differences(everything(), exam, SheetOptions()) == ("it was not built by inkmark",)
