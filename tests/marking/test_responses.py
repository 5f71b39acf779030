"""From readings and decisions to responses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inkmark.ctc import join_opinions
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate
from inkmark.exam.example import example_exam
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)
from inkmark.marking import CandidateSheet, collect_responses, is_judged_by_key
from inkmark.readings import FieldReading, Flag

EXAM = example_exam("en")
"""Items 1 single, 2 multiple, 3 true/false, 4 fill-in, 5 subjective; candidates 070101 to 04."""
BOX = Box(0, 0, 10, 10)


def bubbles(name: str, role: Role = Role.ITEM, item: str = "") -> BubbleField:
    return BubbleField(name, ("A", "B"), (0, 0), (5, 0), 4, 2, role=role, item=item)


FRONT = (
    WritingField("candidate", BOX, 6, 1.0, "digits", Role.CANDIDATE),
    bubbles("absent", Role.ABSENT),
    bubbles("Q1", item="1"),
    bubbles("Q2", item="2"),
    bubbles("Q3", item="3"),
)
BACK = (WritingField("W4", BOX, item="4"), AreaField("A5", BOX, item="5"))
LAYOUT = SheetLayout(
    "00000000",
    "",
    tuple(PageLayout(210, 297, Anchors(AnchorKind.IMAGE), fields) for fields in (FRONT, BACK)),
)


def sheet(*, pages=(0, 1), flags=None, **values: str) -> CandidateSheet:
    flags = flags or {}
    return CandidateSheet(
        frozenset(pages),
        {
            field: FieldReading(
                field, values.get(field, ""), 1.0, flags.get(field, Flag.OK), (), BOX
            )
            for field in ("absent", "Q1", "Q2", "Q3")
            if 0 in pages
        },
    )


def respond(made: CandidateSheet | None, **decided: str) -> list[tuple[str, str]]:
    sheets = {} if made is None else {"070101": made}
    decisions = {("070101", field): value for field, value in decided.items()}
    responses = collect_responses(EXAM, LAYOUT, sheets, decisions)
    assert [(r.candidate, r.item) for r in responses] == [
        (c.number, i.number) for c in EXAM.candidates for i in EXAM.items
    ]
    return [(r.value, str(r.status)) for r in responses[:5]]


def test_answers_blanks_and_what_a_person_marks():
    assert respond(sheet(Q1="A", Q2="AB")) == [
        ("A", "answered"),
        ("AB", "answered"),
        ("", "blank"),
        ("", "pending"),
        ("", "pending"),
    ]


@pytest.mark.parametrize("flag", [Flag.SEVERAL, Flag.DOUBTFUL, Flag.UNREADABLE])
def test_a_flagged_field_is_pending_until_somebody_decides(flag):
    made = sheet(Q1="AB", flags={"Q1": flag})
    assert respond(made)[0] == ("AB", "pending")
    assert respond(made, Q1="B")[0] == ("B", "answered")
    assert respond(made, Q1="")[0] == ("", "blank")


def test_a_decision_replaces_a_certain_reading():
    assert respond(sheet(Q1="A"), Q1="B")[0] == ("B", "answered")


def test_a_fill_in_answer_that_a_person_typed():
    assert respond(sheet(), W4="-3")[3] == ("-3", "answered")


LETTERS = SheetLayout(
    "00000000",
    "",
    (
        PageLayout(
            210,
            297,
            Anchors(AnchorKind.IMAGE),
            (
                WritingField("L1", BOX, charset="ABCD", role=Role.ITEM, item="1"),
                WritingField("L2", BOX, 4, 12.0, charset="ABCD", role=Role.ITEM, item="2"),
                WritingField("L3", BOX, charset="TF", role=Role.ITEM, item="3"),
                WritingField("W4", Box(0, 0, 40, 8), role=Role.ITEM, item="4"),
            ),
        ),
    ),
)


def written(field: str, value: str, flag: Flag = Flag.OK, choices=()) -> FieldReading:
    return FieldReading(field, value, 0.9, flag, (), BOX, choices)


def of_letters(*readings: FieldReading, **decided: str) -> list[tuple[str, str]]:
    made = CandidateSheet(frozenset([0]), {reading.field: reading for reading in readings})
    decisions = {("070101", field): value for field, value in decided.items()}
    responses = collect_responses(EXAM, LETTERS, {"070101": made}, decisions)
    return [(r.value, str(r.status)) for r in responses[:4]]


def test_letters_written_in_boxes_are_answers_to_objective_items():
    assert of_letters(
        written("L1", "B"), written("L2", "CA"), written("L3", "F"), written("W4", "")
    ) == [("B", "answered"), ("AC", "answered"), ("F", "answered"), ("", "blank")]


def test_a_letter_that_is_not_certain_waits_for_a_person():
    doubtful = written("L2", "A?", Flag.DOUBTFUL)
    assert of_letters(written("L1", "?", Flag.DOUBTFUL), doubtful)[:2] == [
        ("?", "pending"),
        ("A?", "pending"),
    ]
    assert of_letters(doubtful, L2="CA")[1] == ("AC", "answered")


def test_a_letter_that_is_no_option_is_an_answer_too():
    assert of_letters(written("L1", "E"))[0] == ("E", "answered")


def test_letters_for_true_and_false_where_the_exam_has_signs():
    exam = example_exam("zh")
    made = CandidateSheet(frozenset([0]), {"L3": written("L3", "F")})
    (response,) = (
        r
        for r in collect_responses(exam, LETTERS, {"070101": made}, {})
        if (r.candidate, r.item) == ("070101", "3")
    )
    assert (response.value, str(response.status)) == ("×", "answered")


def line(text: str, sure: float = 0.9999, other: str = "8") -> tuple:
    """Steps of a line in which every sign may be another one to both readers."""
    steps = tuple(
        step for symbol in text for step in (((symbol, sure), (other, 1 - sure)), (("", 1.0),))
    )
    return join_opinions(steps, steps)


def test_the_key_settles_a_line_of_handwriting_whatever_doubt_there_is_of_its_text():
    """The key of item 4 is -3."""
    assert of_letters(written("W4", "-3", Flag.OK, line("-3")))[3] == ("-3", "answered")
    wrong = written("W4", "17", Flag.DOUBTFUL, line("17", 0.7))
    assert of_letters(wrong)[3] == ("17", "answered")
    unsure = written("W4", "-3", Flag.OK, line("-3", 0.3))
    assert of_letters(unsure)[3] == ("-3", "pending")
    assert of_letters(unsure, W4="-8")[3] == ("-8", "answered")


@pytest.mark.parametrize("flag", [Flag.UNREADABLE, Flag.SEVERAL])
def test_a_line_that_cannot_be_read_waits_for_a_person(flag):
    assert of_letters(written("W4", "-3", flag, line("-3")))[3] == ("-3", "pending")
    assert of_letters(written("W4", "?", Flag.DOUBTFUL))[3] == ("?", "pending")


def test_a_line_that_another_image_contradicts_waits_whatever_the_key_says():
    contested = written("W4", "-3", Flag.CONTESTED, line("-3"))
    assert of_letters(contested)[3] == ("-3", "pending")
    assert of_letters(written("W4", "-3", Flag.OK, line("-3")))[3] == ("-3", "answered")


def test_a_page_that_was_not_received():
    front_only = [status for _, status in respond(sheet(pages=(0,), Q1="A"))]
    assert front_only == ["answered", "blank", "blank", "missing", "missing"]
    assert [status for _, status in respond(sheet(pages=(1,)))] == [
        "missing",
        "missing",
        "missing",
        "pending",
        "pending",
    ]


def test_a_candidate_without_any_page_is_missing():
    assert {status for _, status in respond(None)} == {"missing"}


def test_an_absent_mark_on_an_empty_sheet():
    assert {status for _, status in respond(sheet(absent="A"))} == {"absent"}


def test_an_absent_mark_on_a_sheet_with_answers_has_to_be_looked_at():
    made = sheet(absent="A", Q1="A")
    assert {status for _, status in respond(made)} == {"pending"}
    assert {status for _, status in respond(made, absent="A")} == {"absent"}
    assert respond(made, absent="")[0] == ("A", "answered")


def test_an_absent_mark_on_a_sheet_with_a_doubtful_answer_has_to_be_looked_at():
    made = sheet(absent="A", flags={"Q2": Flag.DOUBTFUL})
    assert {status for _, status in respond(made)} == {"pending"}


def test_a_doubtful_number_on_an_absent_sheet_is_no_answer():
    """Invigilators write the numbers of those who are absent."""
    made = sheet(absent="A")
    written = FieldReading("candidate", "07010?", 0.6, Flag.DOUBTFUL, (), BOX)
    made = replace(made, fields={**made.fields, "candidate": written})
    assert {status for _, status in respond(made)} == {"absent"}


def test_a_doubtful_absent_mark_has_to_be_looked_at():
    made = sheet(flags={"absent": Flag.DOUBTFUL})
    assert {status for _, status in respond(made)} == {"pending"}
    assert respond(made, absent="")[0] == ("", "blank")


def test_somebody_can_declare_a_candidate_absent_who_has_no_sheet():
    assert {status for _, status in respond(None, absent="absent")} == {"absent"}


def test_a_layout_without_a_field_for_an_objective_item_is_refused():
    short = SheetLayout("0", "", (PageLayout(210, 297, Anchors(AnchorKind.IMAGE), FRONT[:4]),))
    with pytest.raises(InkmarkError, match="items 3"):
        collect_responses(EXAM, short, {}, {})


def test_a_subjective_item_without_a_place_waits_for_points_of_those_who_handed_in():
    front = SheetLayout("0", "", LAYOUT.pages[:1])
    responses = collect_responses(EXAM, front, {"070102": sheet(pages=(0,))}, {})
    assert [str(r.status) for r in responses if r.item == "5"] == [
        "missing",
        "pending",
        "missing",
        "missing",
    ]


def test_a_sheet_of_a_stranger_is_refused():
    with pytest.raises(InkmarkError, match="999999"):
        collect_responses(EXAM, LAYOUT, {"999999": sheet()}, {})


def test_an_exam_without_a_roster_takes_the_candidates_of_the_sheets():
    open_exam = type(EXAM)(EXAM.id, "", "", "", None, "en", EXAM.policy, EXAM.items, candidates=())
    responses = collect_responses(open_exam, LAYOUT, {"9": sheet(Q1="B"), "8": sheet()}, {})
    assert [r.candidate for r in responses if r.item == "1"] == ["9", "8"]
    assert Candidate("9") not in EXAM.candidates


def test_the_key_says_nothing_of_the_points_that_a_marker_wrote():
    item = next(item for item in EXAM.items if item.number == "4")
    answer = WritingField("W4", Box(0, 0, 40, 8), item="4", role=Role.ITEM)
    points = WritingField("P4", BOX, charset="points", item="4", role=Role.POINTS)
    assert is_judged_by_key(item, answer)
    assert not is_judged_by_key(item, points)
