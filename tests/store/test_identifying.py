"""Whose every page is: by what was read, the roster and decisions by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from pages_to_store import EXAM, add, record

from inkmark.errors import StoreError
from inkmark.exam import Candidate
from inkmark.geometry import Box
from inkmark.readings import CodeReading, FieldReading, Flag, IssueKind
from inkmark.store import ExamStore, Facts, IdentityDecision, PageRecord

NUMBERS = [f"26{number:04d}" for number in range(1, 31)]
ROSTER = {
    number: Candidate(number, identifiers=(("label", f"S{number[-3:]}"),)) for number in NUMBERS
}
FACTS = Facts("AA", {0: {"candidate": ""}}, ROSTER)
AT = dt.datetime(2026, 11, 3, 9, 30)  # noqa: DTZ001 - the store keeps UTC without a zone

Boxes = Sequence[dict[str, float] | str]


def page(
    path: str,
    boxes: Boxes = (),
    *,
    claim: str = "",
    named: str = "",
    serial: str = "",
    page_number: int = 0,
    value: str = "A",
    label: str = "",
) -> PageRecord:
    """A page of which the number is `claim`, or written in boxes that are not sure."""
    made = record(path, candidate=claim, value=value, page_number=page_number)
    assert made.reading is not None
    chances = [{box: 1.0} if isinstance(box, str) else box for box in boxes]
    choices = tuple(tuple(sorted(c.items(), key=lambda chance: -chance[1])) for c in chances)
    number = FieldReading(
        "candidate", claim, 0.5, Flag.DOUBTFUL, (), Box(0, 0, 1, 1), choices if boxes else ()
    )
    codes = (CodeReading("label", label, "Code128", Box(0, 0, 1, 1)),) if label else ()
    reading = replace(made.reading, fields=(*made.reading.fields, number), codes=codes)
    issue = None if claim else IssueKind.UNIDENTIFIED
    return replace(made, reading=reading, named=named, serial=serial, issue=issue)


def unsure(number: str, **doubts: dict[str, float]) -> list[dict[str, float] | str]:
    boxes: list[dict[str, float] | str] = list(number)
    for name, chances in doubts.items():
        boxes[int(name.removeprefix("box_"))] = chances
    return boxes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExamStore]:
    with ExamStore.open(tmp_path / "inkmark.db", EXAM.id) as opened:
        opened.put_exam(EXAM)
        yield opened


def settled(store: ExamStore, facts: Facts = FACTS) -> dict[str, tuple[str, IssueKind | None]]:
    store.settle(facts)
    return {p.record.source.path: (p.record.candidate, p.record.issue) for p in store.pages()}


def decide(store: ExamStore, path: str, candidate: str | None, why: str = "looked") -> int:
    decision = IdentityDecision(f"hash of {path}", 0, candidate, "office", AT, why)
    return store.add_identities([decision])


OPEN = ("", IssueKind.UNIDENTIFIED)


# By what was read


def test_an_unsure_number_is_matched_with_the_roster(store: ExamStore) -> None:
    add(store, [page("a.jpg", unsure("260007", box_2={"0": 0.6, "8": 0.4}))])
    assert settled(store)["a.jpg"] == ("260007", None)
    assert settled(store, replace(FACTS, roster=None))["a.jpg"] == OPEN, "no roster bears it out"
    assert settled(store)["a.jpg"] == ("260007", None)


def test_what_is_not_sure_stays_open_with_its_guesses(store: ExamStore) -> None:
    add(store, [page("a.jpg", unsure("260007", box_5={"7": 0.6, "1": 0.4}), serial="X1")])
    assert settled(store)["a.jpg"] == OPEN
    (found,) = store.pages()
    assert [who for who, _ in found.record.guesses] == ["260007", "260001"]
    assert "read as 26000?, which is not sure enough" in found.record.message
    assert "inkmark identify" in found.record.message
    others = [page(f"{n}.jpg", claim=n) for n in NUMBERS if n != "260007"]
    surer = unsure("260007", box_5={"7": 0.998, "1": 0.002})
    add(store, [*others, page("b.jpg", surer, serial="X2")])
    both = settled(store)
    assert both["a.jpg"] == both["b.jpg"] == OPEN, "two sheets of one candidate"


def test_the_outcome_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    records = [
        page("a.jpg", unsure("260007", box_5={"7": 0.9, "1": 0.1})),
        page("b.jpg", unsure("260001", box_5={"1": 0.99999, "7": 0.00001})),
        page("c.jpg", claim="260002", named="260002"),
        page("d.jpg", claim="260002", serial="X1"),
        page("e.jpg", claim="260099"),
    ]
    seen = []
    for number, order in enumerate(permutations(records)):
        if number % 11:
            continue
        with ExamStore.open(tmp_path / f"{number}.db", EXAM.id) as store:
            store.put_exam(EXAM)
            for one in order:
                add(store, [one])
                store.settle(FACTS)
            seen.append([p.record for p in store.pages()])
    assert len(seen) == 11
    assert all(other == seen[0] for other in seen)


def test_two_sheets_of_paper_with_one_number_are_open(store: ExamStore) -> None:
    add(store, [page("a.jpg", claim="260002", named="260002"), page("b.jpg", claim="260002")])
    both = settled(store)
    assert both["a.jpg"][0] == both["b.jpg"][0] == "260002", "b may be another image of the sheet"
    add(store, [page("c.jpg", claim="260002", serial="X1")])
    found = settled(store)
    assert found["a.jpg"] == found["c.jpg"] == OPEN
    (message,) = (p.record.message for p in store.pages() if p.record.source.path == "a.jpg")
    assert "another sheet with the number 260002 (c.jpg)" in message
    decide(store, "c.jpg", "")
    assert settled(store)["a.jpg"][0] == "260002"
    assert settled(store)["c.jpg"] == ("", IssueKind.SET_ASIDE)


def test_a_rescan_of_a_sheet_is_the_same_sheet(store: ExamStore) -> None:
    blurred = unsure("260007", box_5={"7": 0.5, "1": 0.5})
    add(store, [page("a.jpg", blurred, serial="X1"), page("b.jpg", claim="260007", serial="X1")])
    assert settled(store)["a.jpg"] == ("260007", IssueKind.DUPLICATE_PAGE)
    add(store, [page("c.jpg", unsure("260009", box_5={"9": 0.6, "4": 0.4}), serial="X1")])
    assert settled(store)["c.jpg"] == OPEN, "a copy of the blank sheet, filled in by another"


def test_pupils_with_one_number_are_told_from_images_of_one_sheet(store: ExamStore) -> None:
    add(store, [page("a.jpg", claim="260002", serial="X1")])
    add(store, [page("b.jpg", claim="260002", serial="X1", value="C")])
    assert {who for who, _ in settled(store).values()} == {"260002"}
    add(store, [page("c.jpg", claim="260002", serial="X2")])
    assert set(settled(store).values()) == {OPEN}


def test_pupils_with_one_number_on_copies_without_a_code_are_told_apart(store: ExamStore) -> None:
    same = page("a.jpg", claim="260002")
    add(store, [same, page("b.jpg", claim="260002"), page("c.jpg", claim="260003")])
    found = settled(store)
    assert found["a.jpg"] == found["b.jpg"] == OPEN
    assert found["c.jpg"] == ("260003", None)
    messages = {p.record.source.path: p.record.message for p in store.pages()}
    assert "another sheet with the number 260002 (b.jpg)" in messages["a.jpg"]
    decide(store, "a.jpg", "260002")
    assert settled(store)["a.jpg"] == ("260002", None)
    assert settled(store)["b.jpg"] == OPEN
    decide(store, "b.jpg", "")
    again = replace(same.source, path="again.jpg")
    assert same.reading is not None
    add(store, [replace(same, source=again, reading=replace(same.reading, source=again))])
    assert settled(store)["again.jpg"][1] is IssueKind.DUPLICATE_IMAGE, "the very same image"


def test_unsure_numbers_on_copies_of_one_sheet_are_those_of_several_pupils(
    store: ExamStore,
) -> None:
    sure = [page("a.jpg", claim="260002", serial="X1"), page("b.jpg", claim="260003", serial="X1")]
    seven = page("c.jpg", unsure("260007", box_5={"7": 0.9995, "1": 0.0005}), serial="X1")
    one = page("d.jpg", unsure("260001", box_5={"1": 0.9, "7": 0.1}), serial="X1")
    add(store, [*sure, seven, one])
    found = settled(store)
    assert (found["c.jpg"][0], found["d.jpg"][0]) == ("260007", "260001")


def test_the_surest_image_of_a_sheet_says_whose_it_is(store: ExamStore) -> None:
    first = unsure("260007", box_2={"0": 0.5, "8": 0.5}, box_5={"7": 0.6, "1": 0.4})
    better = unsure("260007", box_2={"0": 0.9, "8": 0.1})
    add(store, [page("a.jpg", first, serial="X1"), page("b.jpg", better, serial="X1")])
    assert {who for who, _ in settled(store).values()} == {"260007"}


def test_a_number_off_the_roster_is_an_unknown_candidate_with_guesses(store: ExamStore) -> None:
    add(store, [page("a.jpg", claim="260107")])
    assert settled(store)["a.jpg"] == ("260107", IssueKind.UNKNOWN_CANDIDATE)
    (found,) = store.pages()
    assert "260007" in dict(found.record.guesses)
    more = ROSTER | {"260107": Candidate("260107")}
    assert settled(store, replace(FACTS, roster=more))["a.jpg"] == ("260107", None)
    assert settled(store, replace(FACTS, roster=None))["a.jpg"] == ("260107", None)


def test_a_label_says_who_it_is_by_a_further_column_of_the_roster(store: ExamStore) -> None:
    facts = replace(FACTS, numbers={0: {"candidate": "", "label": "label"}})
    add(
        store,
        [
            page("a.jpg", unsure("260007", box_5={"7": 0.6, "1": 0.4}), label="S001"),
            page("b.jpg", claim="260003", label="S003"),
            page("c.jpg", claim="260004", label="S005"),
            page("d.jpg", label="X-of-another-exam"),
        ],
    )
    found = settled(store, facts)
    assert found["a.jpg"] == ("260001", None)
    assert found["b.jpg"] == ("260003", None)
    assert found["c.jpg"] == found["d.jpg"] == OPEN


# By hand


def test_a_decision_by_hand_holds_and_says_who_when_and_why(store: ExamStore) -> None:
    add(store, [page("a.jpg", unsure("260007", box_5={"7": 0.6, "1": 0.4}), value="B")])
    before = next(store.pages()).record.reading
    assert decide(store, "a.jpg", "260001", "the name is hers") == 1
    assert decide(store, "a.jpg", "260001") == 0, "it holds already"
    for _ in range(2):
        assert settled(store)["a.jpg"] == ("260001", None)
    assert next(store.pages()).record.reading == before, "the answers are as they were read"
    (held,) = store.identities()
    assert (held.decided_by, held.decided_at, held.reason) == ("office", AT, "the name is hers")
    decide(store, "a.jpg", None)
    assert settled(store)["a.jpg"] == OPEN
    assert [d.candidate for d in store.identities()] == ["260001", None]


def test_a_decision_goes_before_what_is_read_surely(store: ExamStore) -> None:
    add(store, [page("a.jpg", claim="260007")])
    decide(store, "a.jpg", "260001")
    assert settled(store)["a.jpg"] == ("260001", None)
    decide(store, "a.jpg", "", "a trial sheet.")
    assert settled(store)["a.jpg"] == ("", IssueKind.SET_ASIDE)
    (found,) = store.pages()
    assert found.record.message == (
        "set aside by office as nobody's sheet: a trial sheet. Nothing needs to be done."
    )
    assert list(store.readings_in_use()) == []
    decide(store, "a.jpg", None)
    assert settled(store)["a.jpg"] == ("260007", None)


def test_a_decision_survives_reading_again_and_another_layout(store: ExamStore) -> None:
    add(store, [page("a.jpg", claim="260007")])
    decide(store, "a.jpg", "260001")
    store.settle(replace(FACTS, layout_version="BB"))
    add(store, [replace(page("a.jpg", claim="260008"), layout_version="BB")])
    assert settled(store, replace(FACTS, layout_version="BB"))["a.jpg"] == ("260001", None)
    gone = replace(FACTS, layout_version="BB", folder="a", files=frozenset({"x"}))
    assert settled(store, gone)["a.jpg"][1] is IssueKind.WITHDRAWN


def test_a_decision_holds_for_every_image_and_page_of_the_sheet(store: ExamStore) -> None:
    front = page("a.jpg", claim="260007", serial="X1")
    back = page("b.jpg", serial="X1", page_number=1)
    rescan = page("c.jpg", claim="260007", serial="X1")
    add(store, [front, back])
    decide(store, "a.jpg", "260001")
    found = settled(store)
    assert found == {"a.jpg": ("260001", None), "b.jpg": ("260001", None)}
    add(store, [rescan])
    assert {who for who, _ in settled(store).values()} == {"260001"}
    copy = page("d.jpg", claim="260009", serial="X1")
    add(store, [copy])
    found = settled(store)
    assert found["d.jpg"] == ("260009", None), "the sheet was copied"
    assert found["a.jpg"][0] == "260001"


def test_a_back_page_can_be_decided_without_its_front(store: ExamStore) -> None:
    add(store, [page("b.jpg", serial="X1", page_number=1)])
    assert settled(store)["b.jpg"] == OPEN
    decide(store, "b.jpg", "260003")
    assert settled(store)["b.jpg"] == ("260003", None)
    add(store, [page("c.jpg", claim="260004")])
    assert settled(store)["b.jpg"] == ("260003", None)


def test_a_decision_for_somebody_off_the_roster_is_an_unknown_candidate(
    store: ExamStore,
) -> None:
    add(store, [page("a.jpg", claim="260007")])
    decide(store, "a.jpg", "260001")
    less = {number: who for number, who in ROSTER.items() if number != "260001"}
    found = settled(store, replace(FACTS, roster=less))
    assert found["a.jpg"] == ("260001", IssueKind.UNKNOWN_CANDIDATE)
    assert settled(store)["a.jpg"] == ("260001", None)


def test_nothing_is_decided_about_a_sheet_nobody_has_read(store: ExamStore) -> None:
    with pytest.raises(StoreError, match="Read the sheet first"):
        decide(store, "a.jpg", "260001")


def test_two_sheets_of_one_candidate_by_decision_are_found(store: ExamStore) -> None:
    def rivals(*decisions: tuple[str, str]) -> list[tuple[str, str]]:
        made = [IdentityDecision(f"hash of {p}", 0, who, "office", AT) for p, who in decisions]
        return [(a.sha256[-5:], b.sha256[-5:]) for a, b in store.rival_identities(made)]

    add(
        store,
        [
            page("a.jpg", serial="X1"),
            page("b.jpg", serial="X1", page_number=1),
            page("c.jpg", serial="X2"),
            page("d.jpg", serial="X3", page_number=1),
            page("e.jpg"),
            page("f.jpg", named="260005"),
        ],
    )
    assert rivals(("a.jpg", "260001"), ("c.jpg", "260001")) == [("a.jpg", "c.jpg")]
    assert rivals(("b.jpg", "260001"), ("c.jpg", "260001")) == [("b.jpg", "c.jpg")]
    assert rivals(("b.jpg", "260001"), ("d.jpg", "260001")) == [("b.jpg", "d.jpg")]
    assert rivals(("a.jpg", "260001"), ("f.jpg", "260001")) == [("a.jpg", "f.jpg")]
    assert rivals(("a.jpg", "260001"), ("b.jpg", "260001")) == [], "pages of one sheet"
    assert rivals(("c.jpg", "260001"), ("d.jpg", "260001")) == [], "two leaves"
    assert rivals(("a.jpg", "260001"), ("e.jpg", "260001")) == [], "it may be the same sheet"
    assert rivals(("a.jpg", ""), ("c.jpg", "")) == [], "nobody has any number of sheets"
    decide(store, "a.jpg", "260001")
    assert rivals(("c.jpg", "260001")) == [("c.jpg", "a.jpg")]
    assert rivals(("a.jpg", "260002"), ("c.jpg", "260001")) == [], "it is decided anew"
    assert rivals(("a.jpg", "260001")) == []


def test_a_sheet_whose_candidate_was_given_another_says_so(store: ExamStore) -> None:
    likely = unsure("260007", box_5={"7": 0.998, "5": 0.002})
    add(
        store,
        [
            page("a.jpg", claim="260001", serial="X1"),
            page("b.jpg", likely, serial="X2"),
            page("c.jpg", serial="X3"),
            page("d.jpg", claim="260001", serial="X4"),
            page("e.jpg", unsure("260004", box_5={"4": 0.998, "5": 0.002}), serial="X5"),
            page("f.jpg", claim="260004", serial="X6"),
        ],
    )
    decide(store, "c.jpg", "260007")
    decide(store, "d.jpg", "260001")
    settled(store)
    found = {p.record.source.path: p.record for p in store.pages()}
    assert found["a.jpg"].message.startswith("candidate 260001 has another sheet by decision (d.j")
    assert found["b.jpg"].message.startswith("candidate 260007 has another sheet by decision (c.j")
    assert found["b.jpg"].guesses[0][0] == "260007"
    assert found["e.jpg"].message.startswith("there is another sheet with the number 260004 (f.jp")


def test_a_number_of_which_nothing_can_be_read_is_not_called_blank(store: ExamStore) -> None:
    filled, empty = {"?": 0.9, "": 0.1}, {"": 1.0}
    add(
        store,
        [
            page("filled.jpg", [filled] * 6),
            page("struck.jpg", [empty, *[filled] * 2, *[empty] * 3]),
            page("empty.jpg", [empty] * 6),
        ],
    )
    settled(store)
    found = {p.record.source.path: p.record.message for p in store.pages()}
    for name in ("filled.jpg", "struck.jpg"):
        assert found[name].startswith("the candidate number cannot be read and there is no")
    assert found["empty.jpg"].startswith("the candidate number is blank and there is no")


def test_decisions_on_fields_go_with_the_sheet(store: ExamStore) -> None:
    from inkmark.store import Decision  # noqa: PLC0415

    add(store, [page("a.jpg", claim="260007", value="AB"), page("b.jpg", claim="260001")])
    store.settle(FACTS)
    store.add_decisions([Decision("260007", "Q1", "B", "office", AT)])
    decide(store, "b.jpg", "260007")
    decide(store, "a.jpg", "260001")
    store.settle(FACTS)
    held = {
        r.candidate: r.decision and r.decision.value
        for r in store.readings_in_use()
        if r.reading.field == "Q1"
    }
    assert held == {"260001": "B", "260007": None}
    flags = {
        r.candidate: r.reading.flag for r in store.readings_in_use() if r.reading.field == "Q1"
    }
    assert flags["260007"] is Flag.OK, "what was decided was about another sheet"


def test_a_sheet_that_is_probably_somebodys_puts_the_clear_one_in_doubt(store: ExamStore) -> None:
    others = [page(f"{n}.jpg", claim=n) for n in NUMBERS if n != "260007"]
    copied = page("copied.jpg", claim="260007", serial="AAAA")
    own = page("own.jpg", unsure("260007", box_5={"7": 0.9, "4": 0.1}), serial="BBBB")
    add(store, [*others, copied, own])
    assert settled(store)["copied.jpg"] == settled(store)["own.jpg"] == OPEN
    decide(store, "own.jpg", "260007")
    assert settled(store)["own.jpg"] == ("260007", None)
    assert settled(store)["copied.jpg"] == OPEN
