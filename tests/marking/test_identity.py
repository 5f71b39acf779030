"""Whose sheet it is: nobody gets somebody else's sheet, and what is not sure goes to a person."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from inkmark.exam import Candidate
from inkmark.geometry import Box
from inkmark.marking import (
    Doubt,
    Identity,
    IdentityOptions,
    NumberEvidence,
    certain_number,
    identify_sheets,
    number_evidence,
)
from inkmark.marking._assignment import _extra_costs
from inkmark.readings import CodeReading, FieldReading, Flag

NUMBERS = [f"2603{number:04d}" for number in range(1, 101)]
ROSTER = [Candidate(number) for number in NUMBERS]
TEN = "0123456789"


def written(number: str, **doubts: dict[str, float]) -> NumberEvidence:
    """A number read surely, but for boxes with other probabilities: box_6={"1": 0.7, ...}."""
    boxes = [((symbol, 1.0),) for symbol in number]
    for name, chances in doubts.items():
        ranked = sorted(chances.items(), key=lambda chance: -chance[1])
        boxes[int(name.removeprefix("box_"))] = tuple(ranked)
    return NumberEvidence(tuple(boxes))


def only(*evidence: NumberEvidence, roster: list[Candidate] = ROSTER, **given: object) -> Identity:
    (found,) = identify_sheets([evidence], roster, **given)  # type: ignore[arg-type]
    return found


# Simulated readings


def simulated(number: str, rng: np.random.Generator, hard: float) -> NumberEvidence:
    """Digits as a calibrated reader sees them: what it holds probable is so often true."""
    alike = np.full((10, 10), 0.02)
    for a, b, often in [(1, 7, 1.0), (4, 9, 1.0), (3, 5, 0.7), (0, 6, 0.4), (3, 8, 0.4)]:
        alike[a, b] = alike[b, a] = often
    boxes = []
    for symbol in number:
        digit = int(symbol)
        error = rng.beta(0.6, 2.0) if rng.random() < hard else 10 ** rng.uniform(-7, -3.5)
        p = rng.dirichlet(8 * alike[digit] + 1e-3)
        p[digit] = 0.0
        p /= p.sum()
        taken_for = int(rng.choice(10, p=p)) if rng.random() < error else digit
        p *= error
        p[digit] = 1 - error
        p[[digit, taken_for]] = p[[taken_for, digit]]
        boxes.append(tuple((TEN[k], float(p[k])) for k in np.argsort(-p) if p[k] >= 0.0005))
    return NumberEvidence(tuple(boxes))


def test_two_sheets_that_are_both_plain_are_said_to_be_two() -> None:
    each = [[written("26030057", box_7={"7": 0.9999, "1": 0.0001})] for _ in range(2)]
    found = identify_sheets(each, ROSTER)
    assert {(identity.candidate, identity.doubt) for identity in found} == {("", Doubt.TWO_SHEETS)}
    assert found[0].guesses[0][0] == "26030057"


@pytest.mark.parametrize("seed", range(1000, 1006))
@pytest.mark.parametrize("hard", [0.005, 0.02, 0.15])
def test_nobody_gets_the_sheet_of_another(seed: int, hard: float) -> None:
    """80 candidates of 100 are there, 2 with a second sheet, and 3 strangers."""
    rng = np.random.default_rng(seed)
    here = [str(number) for number in rng.choice(NUMBERS, 80, replace=False)]
    twice = here[:2]
    strangers = [f"2603{number:04d}" for number in rng.choice(range(101, 200), 3, replace=False)]
    truth = [*here, *twice, *strangers]
    sheets = [[simulated(number, rng, hard)] for number in truth]
    found = identify_sheets(sheets, ROSTER)
    assert [i.candidate for i in found if i.candidate] == [
        number for i, number in zip(found, truth, strict=True) if i.candidate
    ]
    open_sheets = [(i, t) for i, t in zip(found, truth, strict=True) if not i.candidate]
    assert all(i.doubt is not Doubt.NONE for i, _ in open_sheets)
    assert {t for i, t in open_sheets} >= set(strangers)
    assert all(sum(i.candidate == number for i in found) <= 1 for number in twice)
    if hard <= 0.02:
        assert len(open_sheets) <= 20, "a person is not asked for what can be told"
        named = [t in dict(i.guesses) for i, t in open_sheets if t in NUMBERS]
        assert sum(named) >= len(named) - 2
    order = rng.permutation(len(sheets))
    again = identify_sheets([sheets[k] for k in order], ROSTER)
    assert [again[k] for k in np.argsort(order)] == list(found)


def test_fifty_thousand_sheets_are_matched() -> None:
    numbers = [f"26{number:06d}" for number in range(0, 114_000, 2)]
    roster = [Candidate(number) for number in numbers]
    rng = np.random.default_rng(1)
    here = numbers[:50_000]
    unsure = set(rng.choice(here, 500, replace=False).tolist())
    sheets = [
        [simulated(number, rng, 0.05) if number in unsure else written(number)] for number in here
    ]
    found = identify_sheets(sheets, roster)
    wrong = [f for f, number in zip(found, here, strict=True) if f.candidate not in ("", number)]
    assert wrong == []
    assert sum(f.candidate == "" for f in found) < 125


# One sheet


def test_a_number_read_surely_is_that_of_its_candidate() -> None:
    assert only(written("26030057")) == Identity("26030057", Doubt.NONE, (("26030057", 1.0),))


def test_the_roster_settles_a_digit_that_is_not_sure() -> None:
    found = only(written("26030057", box_4={"0": 0.7, "6": 0.3}))
    assert (found.candidate, found.doubt) == ("26030057", Doubt.NONE)


def test_who_has_a_sheet_already_is_improbable_but_not_impossible() -> None:
    evidence = written("26030057", box_7={"7": 0.5, "1": 0.5})
    both = only(evidence)
    assert (both.candidate, both.doubt) == ("", Doubt.UNCERTAIN)
    assert dict(both.guesses)["26030051"] == pytest.approx(dict(both.guesses)["26030057"])
    others = [number for number in NUMBERS if number != "26030051"]
    left = only(written("26030051", box_7={"1": 0.995, "7": 0.005}), taken=others)
    assert left.candidate == "26030051"
    rescanned = only(written("26030057", box_7={"7": 0.9, "1": 0.1}), taken=others)
    assert rescanned.candidate == "", "it may be the candidate's second sheet, or a rescan"


def test_two_sheets_that_are_only_sure_together_settle_each_other() -> None:
    either = written("26030057", box_7={"7": 0.9, "1": 0.1})
    one = written("26030051", box_7={"1": 0.99999, "7": 0.00001})
    taken = [number for number in NUMBERS if number[-1] not in "17"]
    alone = only(either, taken=taken)
    first, second = identify_sheets([[either], [one]], ROSTER, taken=taken)
    assert dict(first.guesses)["26030057"] > dict(alone.guesses)["26030057"]
    assert second.candidate == "26030051"


def test_a_number_that_nobody_has_goes_to_a_person_with_those_like_it() -> None:
    found = only(written("26030157"))
    assert (found.candidate, found.doubt) == ("", Doubt.NOT_ON_ROSTER)
    assert dict(found.guesses).keys() == {"", "26030057"}


def test_a_stranger_with_an_unsure_digit_is_not_pushed_to_a_free_candidate() -> None:
    found = only(
        written("26030107", box_5={"1": 0.995, "0": 0.005}),
        taken=[number for number in NUMBERS if number != "26030007"],
    )
    assert found.candidate == ""


def test_where_many_sheets_are_of_strangers_more_goes_to_a_person() -> None:
    other_class = [[written(f"26030{number}")] for number in range(201, 231)]
    doubtful = [written("26030257", box_5={"2": 0.9, "0": 0.1})]
    assert only(*doubtful).candidate == "26030057"
    found = identify_sheets([*other_class, doubtful], ROSTER)
    assert {identity.candidate for identity in found} == {""}


def test_an_unsure_sheet_may_be_the_second_one_of_a_candidate_with_an_open_sheet() -> None:
    surer = written("26030051", box_7={"1": 0.99985, "3": 0.00015})
    second = written("26030051", box_7={"1": 0.974, "7": 0.026})
    first, found = identify_sheets([[surer], [second]], ROSTER, taken=["26030053"])
    assert (first.candidate, found.candidate) == ("26030051", "")
    assert {"26030051", "26030057"} <= dict(found.guesses).keys()


def test_two_sheets_of_one_candidate_go_to_a_person() -> None:
    found = identify_sheets([[written("26030057")], [written("26030057")]], ROSTER)
    assert set(found) == {Identity("", Doubt.TWO_SHEETS, (("26030057", 0.5),))}
    late = only(written("26030057"), taken=["26030057"])
    assert late.doubt is Doubt.TWO_SHEETS


@pytest.mark.parametrize(
    "evidence",
    [
        [],
        [NumberEvidence(())],
        [written("00000000", **{f"box_{k}": {"": 0.9, "1": 0.1} for k in range(8)})],
        [written("00000000", **{f"box_{k}": {"?": 1.0} for k in range(8)})],
    ],
)
def test_what_is_blank_or_scribbled_is_nobodys(evidence: list[NumberEvidence]) -> None:
    assert only(*evidence) == Identity("", Doubt.BLANK, ())


def test_a_sheet_of_the_only_candidate_left_is_not_taken_for_granted() -> None:
    found = only(NumberEvidence.of_text("26"), taken=NUMBERS[:-1])
    assert found.candidate == ""


# Several numbers on a sheet


def test_a_code_and_boxes_complete_each_other() -> None:
    code = NumberEvidence.of_text("26030057")
    unsure = written("26030057", box_7={"7": 0.5, "1": 0.5})
    assert only(code, unsure).candidate == "26030057"
    assert only(code, NumberEvidence(())).candidate == "26030057"


def test_numbers_that_contradict_each_other_go_to_a_person() -> None:
    found = only(NumberEvidence.of_text("26030057"), written("26030058"))
    assert (found.candidate, found.doubt) == ("", Doubt.CONTRADICTORY)
    assert {"26030057", "26030058"} <= set(dict(found.guesses))


def test_one_digit_of_writing_does_not_outvote_what_is_sure() -> None:
    def by_hand(number: str, sure: float) -> NumberEvidence:
        choices = tuple(((symbol, sure),) for symbol in number)
        return NumberEvidence.of_reading(
            reading(number, sure**8, Flag.OK, fill=(), choices=choices)
        )

    code = NumberEvidence.of_text("26030057")
    assert certain_number([code, by_hand("26030051", 0.999)]) == "26030057"
    assert only(code, by_hand("26030051", 0.999)).candidate == "26030057"
    for other in (by_hand("26030011", 0.999), by_hand("26030051", 1.0)):
        assert certain_number([code, other]) == ""
        assert only(code, other).doubt is Doubt.CONTRADICTORY
    alone = only(by_hand("26030151", 0.999), taken=[n for n in NUMBERS if n != "26030051"])
    assert alone.candidate == ""


def test_a_barcode_of_another_exam_is_no_number() -> None:
    found = only(NumberEvidence.of_text("X-9981"), written("26030057"))
    assert (found.candidate, found.doubt) == ("", Doubt.CONTRADICTORY)


def test_a_second_identifier_decides_between_two_candidates() -> None:
    roster = [Candidate(n, identifiers=(("student id", f"S{n[-2:]}9"),)) for n in NUMBERS]
    unsure = written("26030057", box_7={"7": 0.6, "1": 0.4})
    student = NumberEvidence.of_text("S519", "student id")
    assert only(unsure, student, roster=roster).candidate == "26030051"
    other = NumberEvidence.of_text("S339", "student id")
    found = only(written("26030057"), other, roster=roster)
    assert (found.candidate, found.doubt) == ("", Doubt.CONTRADICTORY)
    nameless = [Candidate(n) for n in NUMBERS]
    assert only(written("26030057"), other, roster=nameless).candidate == "26030057"


def test_shorter_numbers_stand_at_the_left_of_the_boxes() -> None:
    roster = [Candidate("4711"), Candidate("471"), Candidate("47110815")]
    four = NumberEvidence((*NumberEvidence.of_text("4711").boxes, *[(("", 1.0),)] * 4))
    assert only(four, roster=roster).candidate == "4711"
    unsure = NumberEvidence(
        (*NumberEvidence.of_text("471").boxes, (("1", 0.6), ("", 0.4)), *[(("", 1.0),)] * 4)
    )
    assert only(unsure, roster=roster).candidate == ""


def test_a_number_longer_than_any_on_the_roster_is_nobodys() -> None:
    assert only(written("260300571")).candidate == ""


# Without a roster


def test_without_a_roster_only_certain_numbers_count() -> None:
    assert certain_number([written("26030057")]) == "26030057"
    assert certain_number([written("26030057", box_7={"7": 0.99, "1": 0.01})]) == ""
    assert certain_number([written("26030057", box_2={"?": 1.0})]) == ""
    assert certain_number([written("26030057"), written("26030058")]) == ""
    assert certain_number([NumberEvidence.of_text("S1", "student id")]) == ""
    unsure = written("26030057", box_7={"7": 0.9, "1": 0.1})
    assert certain_number([NumberEvidence.of_text("26030057"), unsure]) == "26030057"
    assert certain_number([NumberEvidence.of_text("26030053"), unsure]) == ""
    loose = IdentityOptions(number_error=0.05)
    assert certain_number([written("1", box_0={"1": 0.97, "7": 0.03})], loose) == "1"


def reading(value: str, confidence: float, flag: Flag, **more: object) -> FieldReading:
    return FieldReading("candidate", value, confidence, flag, box_px=Box(0, 0, 1, 1), **more)  # type: ignore[arg-type]


def test_bubbles_are_certain_where_their_reader_flags_nothing() -> None:
    choices = tuple(((symbol, 0.99), ("", 0.01)) for symbol in "26030057")
    seen = {"choices": choices, "fill": (0.9,) * 80}
    sure = NumberEvidence.of_reading(reading("26030057", 0.92, Flag.OK, **seen))
    assert certain_number([sure]) == "26030057"
    assert only(sure).candidate == "26030057"
    doubtful = NumberEvidence.of_reading(reading("26030057", 0.92, Flag.DOUBTFUL, **seen))
    assert certain_number([doubtful]) == ""
    off = NumberEvidence.of_text("26030157")
    assert not off.allows("26030057", IdentityOptions())


def test_writing_is_as_certain_as_its_probabilities() -> None:
    choices = tuple(((symbol, 0.99), ("1", 0.01)) for symbol in "26030057")
    seen = NumberEvidence.of_reading(reading("26030057", 0.92, Flag.OK, fill=(), choices=choices))
    assert certain_number([seen]) == ""
    assert only(seen).guesses[0][0] == "26030057"


def test_readings_without_choices_are_taken_by_their_value() -> None:
    gap = NumberEvidence.of_reading(reading("0?12", 0.9, Flag.DOUBTFUL, fill=(0.5,)))
    assert gap.best[0] == "0?12"
    assert only(gap, roster=[Candidate("0112"), Candidate("0113")]).guesses[0][0] == "0112"
    blank = NumberEvidence.of_reading(reading("", 0.99, Flag.OK, fill=(0.0,)))
    assert blank.is_blank
    lost = NumberEvidence.of_reading(reading("", 0.0, Flag.UNREADABLE, fill=()))
    assert lost.is_blank
    words = NumberEvidence.of_reading(reading("10|7", 0.9, Flag.OK, fill=(0.9,)))
    assert words.best[0] == "107"


def test_evidence_is_gathered_from_codes_and_fields() -> None:
    codes = [
        CodeReading("label", "S519", "Code128", Box(0, 0, 1, 1)),
        CodeReading("page", "IM1:X", "QRCode", Box(0, 0, 1, 1)),
    ]
    fields = [
        reading("12", 0.9, Flag.OK, fill=(0.9,)),
        FieldReading("Q1", "A", 1.0, Flag.OK, (0.9,), Box(0, 0, 1, 1)),
    ]
    found = number_evidence({"candidate": "", "label": "student id"}, fields, codes, "0057")
    assert [(e.best[0], e.column) for e in found] == [
        ("0057", ""),
        ("S519", "student id"),
        ("12", ""),
    ]


# The assignment


def test_extra_costs_are_those_of_all_assignments() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        n, m = 3, 3
        cost = np.full((n, m + n), np.inf)
        cost[:, :m] = np.where(rng.random((n, m)) < 0.8, rng.uniform(0, 5, (n, m)), np.inf)
        cost[np.arange(n), m + np.arange(n)] = rng.uniform(0, 5, n)
        totals = {
            columns: math.fsum(cost[r, c] for r, c in enumerate(columns))
            for columns in itertools.permutations(range(m + n), n)
        }
        best = min(totals, key=lambda columns: totals[columns])
        expected = np.full(cost.shape, np.inf)
        for columns, total in totals.items():
            for r, c in enumerate(columns):
                expected[r, c] = min(expected[r, c], total - totals[best])
        found = _extra_costs(cost, np.array(best))
        np.testing.assert_allclose(found, expected, atol=1e-9)
