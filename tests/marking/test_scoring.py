"""Scoring rules: the worked examples of practice, and what must hold for every rule."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_exams import small_exam

from inkmark.exam import Exam, Item, ItemType, RuleKind, ScoringRule, parse_rule
from inkmark.exam.rules import rule_faults
from inkmark.marking import (
    Response,
    ResponseStatus,
    ScoreStatus,
    score_item,
    score_responses,
)

D = Decimal
OPTIONS = ("A", "B", "C", "D")


def item(key: str, points: str, rule: str, kind: ItemType = ItemType.MULTIPLE) -> Item:
    made = Item("1", kind, OPTIONS, tuple(key), D(points), parse_rule(rule))
    assert rule_faults(made) == ()
    return made


def exam_of(*items: Item) -> Exam:
    return small_exam(items)


def points_of(made: Item, *values: str) -> list[Decimal]:
    return [score_item(made, value) for value in values]


def test_exact_gives_all_or_nothing():
    made = item("AC", "5", "全对")
    assert points_of(made, "AC", "CA", "A", "ABC", "B", "") == [5, 5, 0, 0, 0, 0]


def test_legacy_gaokao_partial_all_5_subset_2_any_wrong_0():
    made = item("ACD", "5", "漏选 2")
    assert points_of(made, "ACD", "AC", "A", "D", "ABC", "ABCD", "B", "") == [
        5, 2, 2, 2, 0, 0, 0, 0,
    ]  # fmt: skip


def test_gaokao_2024_two_keys_give_3_each():
    made = item("BD", "6", "count")
    assert points_of(made, "BD", "B", "D", "AB", "ABD", "") == [6, 3, 3, 0, 0, 0]


def test_gaokao_2024_three_keys_give_2_each():
    made = item("ABD", "6", "按个给分")
    assert points_of(made, "ABD", "AB", "BD", "A", "ABC", "C", "") == [6, 4, 4, 2, 0, 0, 0]


def test_half_is_exact_and_not_rounded():
    made = item("AB", "5", "多选半对")
    assert points_of(made, "AB", "A", "B", "AC", "") == [5, D("2.5"), D("2.5"), 0, 0]


def test_negative_marking_deducts_for_wrong_but_not_for_blank():
    made = item("C", "4", "negative 1", ItemType.SINGLE)
    assert points_of(made, "C", "A", "AC", "") == [4, -1, -1, 0]
    quarter = item("C", "1", "倒扣 0.25", ItemType.SINGLE)
    assert points_of(quarter, "B") == [D("-0.25")]


def test_explicit_table_of_option_sets():
    made = item("AB", "6", "table AB=6; A=3; AC=1; blank=0.5")
    assert points_of(made, "AB", "BA", "A", "CA", "B", "ABC", "", "AZ") == [
        6, 6, 3, 1, 0, 0, D("0.5"), 0,
    ]  # fmt: skip


def test_two_accepted_answers_of_a_single_item_by_table():
    made = item("A", "3", "表 A=3; B=3", ItemType.SINGLE)
    assert points_of(made, "A", "B", "C", "AB") == [3, 3, 0, 0]


def test_a_void_item_gives_all_for_anything():
    made = item("A", "3", "送分", ItemType.SINGLE)
    assert points_of(made, "A", "B", "AB", "") == [3, 3, 3, 3]


def test_options_that_are_words():
    made = Item(
        "1", ItemType.MULTIPLE, ("甲", "乙丙", "丁"), ("甲", "乙丙"), D(4), parse_rule("half")
    )
    assert points_of(made, "甲|乙丙", "乙丙|甲", "乙丙", "丁", "") == [4, 4, 2, 0, 0]


def test_a_mark_outside_the_options_is_a_wrong_one():
    assert points_of(item("AC", "5", "half"), "AE", "E") == [0, 0]
    assert points_of(item("A", "5", "negative 2", ItemType.SINGLE), "E") == [-2]


def test_fill_in_answers_are_compared_without_blanks_case_and_full_width_forms():
    made = Item("1", ItemType.FILL_IN, (), ("x=-3", "-3"), D(4))
    assert points_of(made, "X = -3", "－３", "3", "") == [4, 4, 0, 0]


def test_a_subjective_item_is_not_scored_by_a_key():
    with pytest.raises(ValueError, match="a person gives its points"):
        score_item(Item("1", ItemType.SUBJECTIVE, (), (), D(4)), "x")


sets = st.sets(st.sampled_from(OPTIONS)).map(lambda s: "".join(sorted(s)))
cents = st.integers(1, 4000).map(lambda n: D(n) / 100)


@st.composite
def objective_items(draw: st.DrawFn) -> Item:
    """Items with any sound rule."""
    kind = draw(st.sampled_from(RuleKind))
    key = draw(sets.filter(bool))
    points = draw(cents)
    rule = ScoringRule(kind)
    if kind in (RuleKind.SUBSET, RuleKind.NEGATIVE):
        rule = ScoringRule(kind, min(draw(cents), points))
    elif kind is RuleKind.TABLE:
        table = draw(st.dictionaries(sets, st.integers(0, 100).map(lambda n: D(n) * points / 100)))
        rule = ScoringRule(kind, table=tuple((table | {key: points}).items()))
    return Item("1", ItemType.MULTIPLE, OPTIONS, tuple(key), points, rule)


@given(objective_items(), sets)
def test_a_score_lies_between_the_deduction_and_the_full_mark(made, value):
    assert -made.rule.points <= score_item(made, value) <= made.points
    if made.rule.kind is not RuleKind.NEGATIVE:
        assert score_item(made, value) >= 0


@given(objective_items())
def test_the_key_gives_the_full_mark(made):
    assert score_item(made, made.key_value) == made.points


@given(objective_items(), sets)
def test_the_order_of_marks_does_not_matter(made, value):
    scores = {score_item(made, "".join(order)) for order in itertools.permutations(value)}
    assert len(scores) == 1


@given(objective_items(), sets)
def test_a_wrong_option_never_helps_but_in_a_table_or_a_void_item(made, value):
    if made.rule.kind not in (RuleKind.TABLE, RuleKind.VOID) and not set(value) <= set(made.key):
        assert score_item(made, value) <= 0


@given(objective_items())
def test_a_sound_rule_never_needs_a_third_decimal(made):
    if not rule_faults(made) and made.rule.kind is not RuleKind.TABLE:
        for size in range(5):
            for value in itertools.combinations(OPTIONS, size):
                score = score_item(made, "".join(value))
                assert score == round(score, 2)


SINGLE = Item("1", ItemType.SINGLE, OPTIONS, ("A",), D(3))
VOID = Item("2", ItemType.SINGLE, OPTIONS, (), D(2), ScoringRule(RuleKind.VOID))
ESSAY = Item("3", ItemType.SUBJECTIVE, (), (), D("10"))
FILL = Item("4", ItemType.FILL_IN, (), (), D("4"))


def response(candidate: str, number: str, value: str, status: str) -> Response:
    return Response(candidate, number, value, ResponseStatus(status))


def outcomes(responses, manual_points=None):
    records = score_responses(exam_of(SINGLE, VOID, ESSAY, FILL), responses, manual_points or {})
    return [(str(r.status), r.points) for r in records]


def test_pending_is_never_guessed():
    assert outcomes([response("01", "1", "A", "pending")]) == [("pending", None)]


def test_each_status_of_an_ordinary_item():
    responses = [
        response("01", "1", "A", "answered"),
        response("02", "1", "", "blank"),
        response("03", "1", "", "absent"),
        response("04", "1", "", "missing"),
    ]
    assert outcomes(responses) == [
        ("scored", D(3)),
        ("scored", D(0)),
        ("absent", None),
        ("missing", None),
    ]


@pytest.mark.parametrize("status", ["answered", "blank", "pending"])
def test_void_gives_all_points_to_everybody_present(status):
    assert outcomes([response("01", "2", "", status)]) == [("scored", D(2))]


def test_void_gives_the_points_on_a_lost_page_too_but_only_to_those_present():
    responses = [
        response("01", "1", "B", "answered"),
        response("01", "2", "", "missing"),
        response("02", "2", "", "missing"),
        response("03", "2", "", "absent"),
        response("04", "2", "", "missing"),
    ]
    assert outcomes(responses, {("04", "3"): D(1)}) == [
        ("scored", D(0)),
        ("scored", D(2)),
        ("missing", None),
        ("absent", None),
        ("scored", D(2)),
    ]


def test_points_by_people():
    responses = [response(c, "3", "", "pending") for c in ("01", "02")]
    responses.append(response("03", "3", "", "missing"))
    assert outcomes(responses, {("01", "3"): D("7.5"), ("03", "3"): D(0)}) == [
        ("scored", D("7.5")),
        ("pending", None),
        ("scored", D(0)),
    ]


def test_points_for_an_absent_candidate_are_a_contradiction_unless_zero():
    responses = [response(c, "3", "", "absent") for c in ("01", "02")]
    assert outcomes(responses, {("01", "3"): D(5), ("02", "3"): D(0)}) == [
        ("pending", None),
        ("absent", None),
    ]


def test_a_fill_in_item_without_accepted_answers_waits_for_a_person():
    assert outcomes([response("01", "4", "x", "answered")]) == [("pending", None)]


def test_a_record_says_what_it_rests_on():
    made = item("AC", "5", "漏选 2")
    (record,) = score_responses(exam_of(made), [response("01", "1", "C", "answered")], {})
    assert (record.points, record.full, record.value) == (D(2), D(5), "C")
    assert (record.rule, record.key, record.status) == ("subset 2", "AC", ScoreStatus.SCORED)


def test_a_response_is_stated_beside_points_of_people_only_where_the_key_bears_it_out():
    keyed = Item("5", ItemType.FILL_IN, (), ("7/12",), D(4))
    responses = [
        response("01", "5", "7/12", "answered"),
        response("02", "5", "7112", "answered"),
        response("03", "5", "7112", "pending"),
        response("04", "5", "7112", "answered"),
        response("05", "4", "7112", "answered"),
    ]
    given = {(r.candidate, r.item): D(1) for r in responses} | {("04", "5"): D(0)}
    records = score_responses(exam_of(SINGLE, VOID, ESSAY, FILL, keyed), responses, given)
    assert [r.value for r in records] == ["7/12", "", "", "7112", ""]
