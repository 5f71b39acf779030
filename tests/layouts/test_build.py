from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_exams import built_or_reject, invented_exam, mixed_exam

from inkmark.drawing import width_mm
from inkmark.errors import LayoutError
from inkmark.exam import Candidate, Exam, ItemType
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    AnswerForm,
    AreaField,
    BoxFrame,
    BubbleField,
    BubbleShape,
    CodeField,
    Field,
    NumberForm,
    PageLayout,
    Role,
    SheetLayout,
    SheetOptions,
    WritingField,
    _blocks,
    build_layout,
    layout_version,
)

UNPRINTABLE = 6.0
"""Width in mm of the edge that an office printer leaves white."""

options = st.builds(
    SheetOptions,
    paper=st.sampled_from(["A4", "A3"]),
    sides=st.sampled_from([1, 2]),
    columns=st.sampled_from([None, 1, 2, 3]),
    bubble_style=st.sampled_from(list(BubbleShape)),
    bubble_mm=st.sampled_from([(5.0, 3.0), (3.0, 3.0), (7.0, 7.0), (4.0, 3.2)]),
    number=st.sampled_from(list(NumberForm)),
    answers=st.sampled_from(list(AnswerForm)),
    frame=st.sampled_from(list(BoxFrame)),
    marker_boxes=st.booleans(),
)
exams = st.builds(
    invented_exam,
    st.lists(
        st.tuples(st.sampled_from(list(ItemType)), st.integers(1, 60)), min_size=1, max_size=8
    ),
    language=st.sampled_from(["zh", "en"]),
    options=st.sampled_from(["AB", "ABCD", "ABCDE"]),
    points=st.sampled_from([Decimal("0.5"), Decimal(2), Decimal(12), Decimal(60)]),
)


def covered(field: Field) -> Box:
    """Everything a field covers, all boxes of a row included."""
    if isinstance(field, WritingField):
        box = field.box
        return Box(box.x, box.y, box.w + (field.n_boxes - 1) * field.step, box.h)
    return field.box


def anchor_boxes(page: PageLayout) -> list[Box]:
    anchors = page.anchors
    assert anchors.kind is AnchorKind.SQUARES
    assert anchors.key_mark is not None
    return [*anchors.squares, anchors.key_mark, *anchors.timing]


def assert_inside(box: Box, around: Box) -> None:
    assert box.x > around.x
    assert box.right < around.right
    assert box.y > around.y
    assert box.bottom < around.bottom


def assert_answers_fit(layout: SheetLayout, exam: Exam) -> None:
    answers = [f for f in layout.fields() if f.role is Role.ITEM]
    assert [f.item for f in answers] == [item.number for item in exam.items]
    for field, item in zip(answers, exam.items, strict=True):
        match item.type:
            case ItemType.FILL_IN:
                assert isinstance(field, WritingField)
                assert field.name == f"W{item.number}"
                assert field.box.w >= 20.0
                assert field.charset in ("number", "text")
            case ItemType.SUBJECTIVE:
                assert isinstance(field, AreaField)
                assert field.name == f"A{item.number}"
                assert field.box.h >= 25.0
            case _ if isinstance(field, WritingField):
                assert item.type is not ItemType.MULTIPLE
                assert field.name == f"Q{item.number}"
                assert tuple(field.charset) == item.options
                assert not field.is_line
            case _:
                assert isinstance(field, BubbleField)
                assert field.name == f"Q{item.number}"
                assert field.options == item.options
                assert field.multiple == (item.type is ItemType.MULTIPLE)
                gaps = np.diff(field.centres(), axis=0)
                assert gaps[:, 0] == pytest.approx(field.bubble_w + 2.5)
                assert gaps[:, 1] == pytest.approx(0.0)


def assert_sound(layout: SheetLayout, exam: Exam) -> None:
    for page in layout.pages:
        anchors = anchor_boxes(page)
        paper = Box(0, 0, page.width_mm, page.height_mm).grown(-UNPRINTABLE)
        for a, b in itertools.combinations(anchors, 2):
            assert not a.grown(1.0).overlaps(b.grown(1.0))
        # The box for the points of a subjective item stands in the item's own area.
        areas = {f.item: f.box for f in page.fields if isinstance(f, AreaField) and f.item}
        fields = []
        for field in page.fields:
            if field.role is Role.POINTS and field.item in areas:
                assert_inside(field.box, areas[field.item])
            else:
                fields.append(field)
        boxes = [covered(f) for f in fields]
        for box in boxes + anchors:
            assert box.w > 0
            assert box.h > 0
            assert box.x >= paper.x
            assert box.right <= paper.right
            assert box.y >= paper.y
            assert box.bottom <= paper.bottom
        for field, box in zip(fields, boxes, strict=True):
            # A code keeps its quiet zone of four modules: at most 20 mm / 25 * 4.
            around = box.grown(3.2 if isinstance(field, CodeField) else 2.0)
            assert not any(around.overlaps(anchor) for anchor in anchors)
        ordered = sorted(boxes, key=lambda b: b.y)
        for i, a in enumerate(ordered):
            for b in itertools.takewhile(lambda b, a=a: b.y < a.bottom, ordered[i + 1 :]):
                assert not a.overlaps(b)
    assert_answers_fit(layout, exam)


@settings(max_examples=60, deadline=None)
@given(exams, options)
def test_every_sheet_is_sound(exam: Exam, options: SheetOptions) -> None:
    layout = built_or_reject(exam, options)
    assert_sound(layout, exam)
    assert layout.version == layout_version(layout.pages, layout.joins)
    assert options.sides == 1 or len(layout.pages) % 2 == 0


@pytest.mark.parametrize("paper", ["A4", "A3"])
@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("columns", [None, 1, 2, 3])
@pytest.mark.parametrize("n_items", [1, 7, 40, 300])
def test_every_size_is_sound(paper: str, sides: int, columns: int | None, n_items: int) -> None:
    exam = invented_exam([(ItemType.SINGLE, n_items)])
    layout = build_layout(exam, SheetOptions(paper, sides, columns))
    assert_sound(layout, exam)
    if columns is not None:
        assert {len(page.columns) for page in layout.pages} == {columns}


def test_the_work_grows_with_the_items_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Counter[int]()

    def counting(text: str, size: float, *, bold: bool = False) -> float:
        measured[n_items] += 1
        return width_mm(text, size, bold=bold)

    monkeypatch.setattr(_blocks, "width_mm", counting)
    for n_items in (100, 500):
        build_layout(invented_exam([(ItemType.SINGLE, n_items)]))
    assert 0 < measured[500] <= 6 * measured[100]


def test_usual_exams_fit_on_the_pages_a_teacher_expects() -> None:
    assert len(build_layout(invented_exam([(ItemType.SINGLE, 60)])).pages) == 1
    assert len(build_layout(mixed_exam(), SheetOptions("A3")).pages) == 1
    assert len(build_layout(mixed_exam(), SheetOptions(sides=2)).pages) == 2


def test_fields_that_identify_stand_once_and_the_code_on_every_page() -> None:
    layout = build_layout(mixed_exam())
    assert len(layout.pages) > 1
    first = {f.name: f for f in layout.pages[0].fields if f.role is not Role.ITEM}
    assert set(first) == {"page", "name", "candidate", "candidate_written", "absent"}
    candidate, absent = first["candidate"], first["absent"]
    assert isinstance(candidate, BubbleField)
    assert (candidate.role, candidate.n_groups) == (Role.CANDIDATE, 8)
    assert candidate.options == tuple("0123456789")
    assert isinstance(absent, BubbleField)
    assert (absent.role, absent.options) == (Role.ABSENT, ("absent",))
    for page in layout.pages:
        codes = [f for f in page.fields if isinstance(f, CodeField)]
        assert [(c.name, c.role, c.box) for c in codes] == [("page", Role.PAGE, first["page"].box)]
        assert page.anchors == layout.pages[0].anchors
    for page in layout.pages[1:]:
        assert all(f.role is Role.ITEM for f in page.fields if f.name != "page")


@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_timing_marks_run_evenly_along_the_long_sides(paper: str) -> None:
    page = build_layout(mixed_exam(), SheetOptions(paper)).pages[0]
    centres = np.array([box.centre for box in page.anchors.timing])
    squares = np.array([box.centre for box in page.anchors.squares])
    along, across = (1, 0) if paper == "A4" else (0, 1)
    sides = np.unique(centres[:, across])
    assert sides == pytest.approx(np.unique(squares[:, across]))
    for side in sides:
        marks = np.sort(centres[centres[:, across] == side, along])
        steps = np.diff([squares[:, along].min(), *marks, squares[:, along].max()])
        assert steps == pytest.approx(steps.mean(), abs=2e-3)
        assert 10.0 <= steps.mean() <= 15.0


@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_no_turn_maps_the_anchors_onto_themselves(paper: str) -> None:
    page = build_layout(mixed_exam(), SheetOptions(paper)).pages[0]
    key = page.anchors.key_mark
    assert key is not None
    half_turn = Box(page.width_mm - key.right, page.height_mm - key.bottom, key.w, key.h)
    assert not any(half_turn.overlaps(box) for box in anchor_boxes(page))


def test_rows_stand_in_blocks_of_five() -> None:
    layout = build_layout(invented_exam([(ItemType.SINGLE, 20)]))
    rows = [f for f in layout.fields() if isinstance(f, BubbleField) and f.role is Role.ITEM]
    assert len({f.origin[1] for f in rows}) == 5
    assert len({f.origin[0] for f in rows}) == 4
    for block in range(4):
        assert len({f.origin[0] for f in rows[5 * block : 5 * block + 5]}) == 1


def test_more_points_give_a_higher_area() -> None:
    def height(points: int) -> float:
        exam = invented_exam([(ItemType.SUBJECTIVE, 8)], points=Decimal(points))
        return min(f.box.h for f in build_layout(exam).fields() if f.role is Role.ITEM)

    assert height(4) < height(12) < height(30)


def test_candidate_digits_follow_the_roster() -> None:
    exam = invented_exam([(ItemType.SINGLE, 3)], candidates=[Candidate("123456789012")])
    for options, digits in ((SheetOptions(), 12), (SheetOptions(candidate_digits=6), 6)):
        grid = next(f for f in build_layout(exam, options).fields() if f.name == "candidate")
        assert isinstance(grid, BubbleField)
        assert grid.n_groups == digits


@pytest.mark.parametrize("digits", range(1, 19))
@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_long_candidate_numbers_have_room(digits: int, paper: str) -> None:
    exam = invented_exam([(ItemType.SINGLE, 10)])
    assert_sound(build_layout(exam, SheetOptions(paper, candidate_digits=digits)), exam)


def test_the_version_follows_the_geometry_alone() -> None:
    exam = mixed_exam()
    same = build_layout(mixed_exam("zh"))
    other = build_layout(exam, SheetOptions(bubble_style=BubbleShape.RECTANGLE))
    assert build_layout(exam) == same
    assert build_layout(exam).version != other.version
    titled = invented_exam([(ItemType.SINGLE, 9)], title="甲")
    retitled = invented_exam([(ItemType.SINGLE, 9)], title="乙")
    assert build_layout(titled).version == build_layout(retitled).version


def test_an_exam_without_items_is_refused() -> None:
    with pytest.raises(LayoutError, match="no items"):
        build_layout(invented_exam([]))


def test_a_row_wider_than_the_column_is_refused_with_advice() -> None:
    exam = invented_exam([(ItemType.SINGLE, 2)], options=[str(i) for i in range(15)])
    with pytest.raises(LayoutError, match=r"item 1: .* Choose fewer columns"):
        build_layout(exam, SheetOptions(columns=2))
    assert_sound(build_layout(exam), exam)


def test_columns_are_chosen_by_the_widest_row() -> None:
    exam = invented_exam([(ItemType.SINGLE, 2)], options=[str(i) for i in range(20)])
    assert len(build_layout(exam, SheetOptions("A3")).pages[0].columns) == 2


def test_bubbles_without_options_are_refused() -> None:
    with pytest.raises(LayoutError, match="item 1 has no options"):
        build_layout(invented_exam([(ItemType.SINGLE, 2)], options=()))


def test_an_option_label_wider_than_its_bubble_is_refused() -> None:
    exam = invented_exam([(ItemType.SINGLE, 2)], options=["yes indeed", "no"])
    with pytest.raises(LayoutError, match="'yes indeed' does not fit"):
        build_layout(exam)


def test_a_sheet_without_end_is_refused() -> None:
    with pytest.raises(LayoutError, match="more than 200 pages"):
        build_layout(invented_exam([(ItemType.SUBJECTIVE, 2000)]))


def test_too_many_candidate_digits_are_refused() -> None:
    exam = invented_exam([(ItemType.SINGLE, 2)])
    with pytest.raises(LayoutError, match="24 digits does not fit on A4"):
        build_layout(exam, SheetOptions(candidate_digits=24))


@pytest.mark.parametrize(
    "wrong",
    [
        {"paper": "A5"},
        {"sides": 3},
        {"columns": 4},
        {"bubble_style": "star"},
        {"full_box": "crossed"},
        {"bubble_mm": (2.0, 3.0)},
        {"bubble_mm": (5.0, 7.5)},
        {"candidate_digits": 0},
    ],
)
def test_options_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LayoutError, match=r"Choose"):
        SheetOptions(**wrong)  # type: ignore[arg-type]


WRITTEN = SheetOptions(
    number=NumberForm.BOXES, answers=AnswerForm.LETTERS, frame=BoxFrame.PALE, marker_boxes=True
)


def test_a_number_can_be_given_in_boxes_alone() -> None:
    exam = invented_exam([(ItemType.SINGLE, 3)], candidates=[Candidate("1234567")])
    for options, n_grids in ((SheetOptions(), 1), (WRITTEN, 0)):
        fields = [f for f in build_layout(exam, options).fields() if f.role is Role.CANDIDATE]
        written = [f for f in fields if isinstance(f, WritingField)]
        assert [f.n_boxes for f in written] == [7]
        assert [f.charset for f in written] == ["digits"]
        assert len(fields) - len(written) == n_grids


def test_boxes_alone_leave_more_room_for_items() -> None:
    exam = invented_exam([(ItemType.SINGLE, 3)])
    tops = [
        next(f.box.y for f in build_layout(exam, o).fields() if f.name == "Q1")
        for o in (SheetOptions(), SheetOptions(number=NumberForm.BOXES))
    ]
    assert tops[1] < tops[0] - 10


def test_letters_answer_items_with_one_right_option_in_rows() -> None:
    exam = invented_exam([(ItemType.SINGLE, 22), (ItemType.MULTIPLE, 2), (ItemType.TRUE_FALSE, 2)])
    fields = [f for f in build_layout(exam, WRITTEN).fields() if f.role is Role.ITEM]
    letters = [f for f in fields if isinstance(f, WritingField)]
    assert [f.charset for f in letters] == ["ABCD"] * 22 + ["TF"] * 2
    assert all(isinstance(f, BubbleField) for f in fields[22:24])
    rows = Counter(f.box.y for f in letters[:22])
    assert list(rows.values()) == [10, 10, 2]
    assert all(f.frame is BoxFrame.PALE for f in letters)


@pytest.mark.parametrize("labels", [("对", "错"), ("AB", "C"), ("a", "b")])
def test_options_that_are_no_capital_letters_stay_in_bubbles(labels: tuple[str, ...]) -> None:
    exam = invented_exam([(ItemType.SINGLE, 3)], options=labels)
    fields = [f for f in build_layout(exam, WRITTEN).fields() if f.role is Role.ITEM]
    assert all(isinstance(f, BubbleField) for f in fields)


@pytest.mark.parametrize(
    ("key", "charset"),
    [
        (("3",), "number"),
        (("0.5", "1/2"), "number"),
        (("-3",), "number"),
        (("3.14 ± 0.01",), "number"),
        (("5 cm",), "text"),
        (("3", "three"), "text"),
        (("二分之一",), "text"),
        (("x=3",), "text"),
        ((), "text"),
    ],
)
def test_what_may_be_written_follows_the_accepted_answers(
    key: tuple[str, ...], charset: str
) -> None:
    exam = invented_exam([(ItemType.FILL_IN, 1)])
    exam = replace(exam, items=(replace(exam.items[0], key=key),))
    field = next(f for f in build_layout(exam).fields() if f.name == "W1")
    assert isinstance(field, WritingField)
    assert field.charset == charset


def test_markers_have_a_box_for_each_item_they_mark_and_one_for_the_sum() -> None:
    exam = mixed_exam()
    fields = build_layout(exam, WRITTEN).fields()
    marked = [item.number for item in exam.items if not item.type.is_objective]
    boxes = [f for f in fields if f.role is Role.POINTS]
    assert [f.item for f in boxes] == marked
    assert [f.name for f in boxes] == [f"P{number}" for number in marked]
    total = [f for f in fields if f.role is Role.TOTAL]
    assert [f.name for f in total] == ["total"]
    assert all(isinstance(f, WritingField) and f.charset == "points" for f in (*boxes, *total))
    assert not any(f.role in (Role.POINTS, Role.TOTAL) for f in build_layout(exam).fields())
