"""What goes into the database comes out of it, whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pages_to_store import (
    CROOKED,
    EXAM,
    FACTS,
    LIGHT,
    UNREGISTERED,
    add,
    at_index,
    image,
    record,
    statuses,
    unopened,
)

from inkmark.errors import StoreError
from inkmark.geometry import Box
from inkmark.marking import ScoreRecord
from inkmark.readings import (
    Flag,
    IssueKind,
    PageSource,
)
from inkmark.store import Decision, ExamStore, PageRecord


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExamStore]:
    with ExamStore.open(tmp_path / "inkmark.db", EXAM.id) as opened:
        opened.put_exam(EXAM)
        yield opened


def test_pages_come_back_as_they_went_in(store: ExamStore) -> None:
    whole = record("scans/1.jpg")
    source = PageSource("scans/2.jpg", 3, "")
    broken = PageRecord(
        source, IssueKind.UNREADABLE_FILE, "truncated. Scan it again.", "", -1, None
    )
    add(store, [whole, broken])
    assert [page.record for page in store.pages()] == [broken, whole]
    assert store.known_pages("AA") == {"scans/1.jpg": {("hash of scans/1.jpg", 0)}}
    assert store.known_pages("BB") == {}, "another layout reads them again"


def test_a_batch_is_stored_whole_or_not_at_all(store: ExamStore) -> None:
    add(store, [record("scans/1.jpg")])
    page = record("scans/3.jpg")
    assert page.reading is not None
    bad = replace(page, reading=replace(page.reading, dpi=object()))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="nothing was half written"):
        add(store, [record("scans/2.jpg"), record("scans/1.jpg", value="B"), bad])
    assert [p.record for p in store.pages()] == [record("scans/1.jpg")]


def test_a_page_that_was_read_is_not_read_again(store: ExamStore) -> None:
    assert add(store, [record("scans/1.jpg")]) == 1
    (before,) = store.pages()
    again = record("scans/1.jpg", value="B")
    other = record("scans/2.jpg", candidate="0002")
    assert add(store, [again, other]) == 1
    assert [p.record for p in store.pages()] == [record("scans/1.jpg"), other]
    assert next(store.pages()).id == before.id, "scores that rest on it keep their evidence"


def test_a_page_that_could_not_be_opened_is_replaced(store: ExamStore) -> None:
    source = PageSource("scans/1.jpg", 0, "")
    broken = PageRecord(source, IssueKind.UNREADABLE_FILE, "torn.", "", -1, None)
    assert add(store, [broken]) == 1
    assert add(store, [replace(broken, message="locked.")]) == 0
    assert [p.record.message for p in store.pages()] == ["locked."]
    assert add(store, [record("scans/1.jpg")]) == 1
    assert [p.record.issue for p in store.pages()] == [IssueKind.WITHDRAWN, None]


def test_a_file_with_other_bytes_withdraws_its_pages(store: ExamStore) -> None:
    add(store, [record("scans/1.jpg")])
    add(store, [record("scans/1.jpg", value="B", sha256="new")])
    store.settle(FACTS)
    assert [(r.reading.field, r.reading.value) for r in store.readings_in_use()] == [
        ("Q1", "B"),
        ("absent", ""),
    ]
    issues = {page.record.source.sha256: page.record.issue for page in store.pages()}
    assert issues == {"hash of scans/1.jpg": IssueKind.WITHDRAWN, "new": None}


def test_pages_of_another_layout_are_not_in_use(store: ExamStore) -> None:
    add(store, [record("scans/1.jpg")])
    store.settle(replace(FACTS, layout_version="BB"))
    assert statuses(store) == {"scans/1.jpg": IssueKind.OTHER_VERSION}
    assert list(store.readings_in_use()) == []
    add(store, [replace(record("scans/1.jpg"), layout_version="BB")])
    store.settle(replace(FACTS, layout_version="BB"))
    assert statuses(store) == {"scans/1.jpg": None}


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ([UNREGISTERED], "this one could not be read (the corner squares were not found. Scan"),
        ([LIGHT], "fewer fields that need a look (0 against 1)"),
        ([CROOKED], "the sheet fits better in it (0.1 mm against 0.3 mm)"),
        ([image("scans/4.jpg")], "both are read equally well, and its file name comes later"),
        ([UNREGISTERED, LIGHT, CROOKED, image("scans/4.jpg")], "needs to be done"),
    ],
)
def test_the_better_image_of_a_page_is_in_use(
    store: ExamStore, others: list[PageRecord], reason: str
) -> None:
    good = image("scans/5.jpg", residual_mm=0.06)
    add(store, [*others, good])
    records = {page.record.source.path: page.record for page in store.pages()}
    assert records.pop("scans/5.jpg") == good
    assert {r.issue for r in records.values()} == {IssueKind.DUPLICATE_PAGE}
    for superseded in records.values():
        assert reason in superseded.message
        assert superseded.message.endswith("Nothing needs to be done.")
        assert "scans/5.jpg page 1" in superseded.message
    flags = [r.reading.flag for r in store.readings_in_use()]
    assert flags == [Flag.OK, Flag.OK], "a better image settles what was in doubt"
    store.settle(replace(FACTS, folder="scans/", files=frozenset(records)))
    assert sum(page.record.issue is None for page in store.pages()) == (others != [UNREGISTERED])


def test_a_page_that_cannot_be_read_is_an_issue_again_when_the_better_image_goes(
    store: ExamStore,
) -> None:
    add(store, [UNREGISTERED, image("scans/5.jpg")])
    assert statuses(store)["scans/9.jpg"] is IssueKind.DUPLICATE_PAGE
    store.settle(replace(FACTS, folder="scans/", files=frozenset({"scans/9.jpg"})))
    (found,) = (p.record for p in store.pages() if p.record.source.path == "scans/9.jpg")
    assert found == UNREGISTERED


def test_images_that_contradict_each_other_leave_the_field_open(store: ExamStore) -> None:
    one = image("scans/a.jpg", values=("A", "absent"))
    two = image("scans/b.jpg", values=("B", ""), flags=(Flag.SEVERAL, Flag.OK))
    add(store, [one, two])
    messages = {page.record.source.path: page.record.message for page in store.pages()}
    assert "The two differ in Q1, absent" in messages["scans/b.jpg"]
    assert {r.reading.flag for r in store.readings_in_use()} == {Flag.CONTESTED}


@pytest.mark.parametrize("flag", [Flag.OK, Flag.DOUBTFUL])
def test_images_that_contradict_each_other_do_so_in_doubtful_fields_too(
    store: ExamStore, flag: Flag
) -> None:
    one = image("scans/a.jpg", values=("12", ""), flags=(flag, Flag.OK))
    two = image("scans/b.jpg", values=("21", ""), flags=(Flag.DOUBTFUL, Flag.OK))
    add(store, [one, two])
    flags = {r.reading.field: r.reading.flag for r in store.readings_in_use()}
    expected = Flag.OK if flag is Flag.OK else Flag.CONTESTED  # a better image settles it
    assert flags == {"Q1": expected, "absent": Flag.OK}


def test_the_same_image_under_two_names_is_one(store: ExamStore) -> None:
    add(store, [image("scans/b10.jpg", sha256="x"), image("scans/b9.jpg", sha256="x")])
    assert statuses(store) == {"scans/b9.jpg": None, "scans/b10.jpg": IssueKind.DUPLICATE_IMAGE}
    store.settle(replace(FACTS, folder="scans/", files=frozenset({"scans/b10.jpg"})))
    assert statuses(store) == {"scans/b9.jpg": IssueKind.WITHDRAWN, "scans/b10.jpg": None}


def test_settling_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    records = [record("scans/b.jpg", value="B"), record("scans/a.jpg"), record("scans/c.jpg")]
    seen = []
    for number, order in enumerate((records, records[::-1])):
        with ExamStore.open(tmp_path / f"{number}.db", EXAM.id) as store:
            store.put_exam(EXAM)
            for one in order:
                add(store, [one])
                store.settle(FACTS)
            seen.append([page.record for page in store.pages()])
    assert seen[0] == seen[1]


def test_the_pages_of_a_withdrawn_file_give_way(store: ExamStore) -> None:
    add(store, [record("scans/a.jpg"), record("scans/b.jpg"), record("elsewhere/c.jpg")])
    store.settle(replace(FACTS, folder="scans/", files=frozenset({"scans/b.jpg"})))
    assert statuses(store) == {
        "scans/a.jpg": IssueKind.WITHDRAWN,
        "scans/b.jpg": None,
        "elsewhere/c.jpg": IssueKind.DUPLICATE_PAGE,
    }
    assert "scans/a.jpg" not in store.known_pages("AA"), "it is read again when it comes back"


def test_a_roster_that_is_taken_away_lets_everybody_in(store: ExamStore) -> None:
    add(store, [record("scans/a.jpg", candidate="0099")])
    store.settle(replace(FACTS, roster={"0001": EXAM.candidates[0]}))
    assert statuses(store) == {"scans/a.jpg": IssueKind.UNKNOWN_CANDIDATE}
    store.settle(FACTS)
    assert statuses(store) == {"scans/a.jpg": None}


def test_the_back_of_a_blank_sheet_belongs_to_the_candidate_on_its_front(store: ExamStore) -> None:
    front = replace(record("scans/front.jpg", candidate="0002"), serial="AB12")
    back = replace(
        record("scans/back.jpg", candidate="", page_number=1, issue=IssueKind.UNIDENTIFIED),
        serial="AB12",
    )
    other = replace(
        back,
        source=PageSource("scans/other.jpg", 0, "x"),
        serial="CD34",
    )
    add(store, [back, other])
    store.settle(FACTS)
    assert statuses(store)["scans/back.jpg"] is IssueKind.UNIDENTIFIED
    add(store, [front])
    store.settle(FACTS)
    records = {page.record.source.path: page.record for page in store.pages()}
    assert (records["scans/back.jpg"].issue, records["scans/back.jpg"].candidate) == (None, "0002")
    assert "sheet CD34 that bears the candidate number is not there" in (
        records["scans/other.jpg"].message
    )
    copied = replace(record("scans/copied.jpg", candidate="0001"), serial="AB12")
    add(store, [copied])
    store.settle(FACTS)
    records = {page.record.source.path: page.record for page in store.pages()}
    assert records["scans/back.jpg"].issue is IssueKind.UNIDENTIFIED, "a copied sheet is nobody's"
    assert "the numbers of 0001, 0002" in records["scans/back.jpg"].message
    assert records["scans/front.jpg"].issue is None


def test_the_latest_decision_holds(store: ExamStore) -> None:
    add(store, [record("scans/1.jpg")])
    at = dt.datetime(2026, 11, 3, 9, 30)  # noqa: DTZ001 - the store keeps UTC without a zone
    first = Decision("0001", "absent", "absent", "office", at)
    second = Decision("0001", "absent", "", "head of office", at, "was there")
    assert store.add_decisions([first]) == 1
    assert store.add_decisions([first]) == 0, "what holds already is not stored twice"
    assert store.add_decisions([second]) == 1
    held = {r.reading.field: r.decision for r in store.readings_in_use()}
    assert held["Q1"] is None
    assert held["absent"] is not None
    assert (held["absent"].value, held["absent"].reason) == ("", "was there")
    assert [d.decided_by for d in store.decisions()] == ["office", "head of office"]


def test_a_decision_holds_for_the_image_it_was_made_on(store: ExamStore) -> None:
    at = dt.datetime(2026, 11, 3, 9, 30)  # noqa: DTZ001 - the store keeps UTC without a zone
    add(store, [record("scans/1.jpg", value="BC")])
    store.add_decisions([Decision("0001", "Q1", "B", "office", at)])
    (page,) = store.pages()
    assert page.decided == {"Q1"}
    add(store, [record("scans/1.jpg", value="A", sha256="rescan")])
    store.settle(FACTS)
    first = next(store.readings_in_use())
    assert (first.reading.value, first.reading.flag, first.decision) == ("A", Flag.CONTESTED, None)
    store.add_decisions([Decision("0001", "Q1", "A", "office", at)])
    first = next(store.readings_in_use())
    assert first.decision is not None
    assert (first.reading.flag, first.decision.value) == (Flag.OK, "A")


def test_nothing_is_decided_about_a_field_nobody_has_seen(store: ExamStore) -> None:
    at = dt.datetime(2026, 11, 3, 9, 30)  # noqa: DTZ001 - the store keeps UTC without a zone
    with pytest.raises(StoreError, match="Q1 of candidate 0002"):
        store.add_decisions([Decision("0002", "Q1", "B", "office", at)])


def test_every_score_leads_back_to_its_crop(store: ExamStore) -> None:
    add(store, [record("scans/1.jpg")])
    (reading, _) = store.readings_in_use()
    scored = ScoreRecord(
        candidate="0001",
        item="1",
        points=Decimal("2.5"),
        full=Decimal("2.5"),
        value="A",
        status="scored",
        rule="exact",
        key="A",
    )
    missing = ScoreRecord(
        candidate="0002",
        item="1",
        points=None,
        full=Decimal("2.5"),
        value="",
        status="missing",
        rule="exact",
        key="A",
    )
    for _ in range(2):  # writing again replaces
        store.replace_scores([scored, missing], {("0001", "1"): reading})
    first, second = store.scores()
    assert [first.record, second.record] == [scored, missing]
    assert first.source == PageSource("scans/1.jpg", 0, "hash of scans/1.jpg")
    assert first.box_px == Box(10.5, 20.0, 80.0, 20.0)
    assert first.decision is None
    assert (second.source, second.box_px, second.decision) == (None, None, None)


def test_points_are_kept_exactly_and_no_finer_than_hundredths(store: ExamStore) -> None:
    def scored(points: str) -> ScoreRecord:
        return ScoreRecord("0001", "1", Decimal(points), Decimal(3), "A", "scored", "exact", "A")

    for points in ("0", "0.07", "-1.5", "10", "149.99"):
        store.replace_scores([scored(points)], {})
        assert store.scores()[0].record.points == Decimal(points)
    with pytest.raises(StoreError, match="two decimals"):
        store.replace_scores([scored("0.005")], {})
    assert store.scores()[0].record.points == Decimal("149.99"), (
        "the scores before must still be there"
    )


@pytest.mark.parametrize("portion", [1, 2, 4])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_an_issue_without_a_hash_withdraws_no_page_and_stays(
    store: ExamStore, at: int, portion: int
) -> None:
    pages = [at_index(record("stack.tif", candidate=f"000{n}"), n) for n in range(3)]
    arriving = [*pages[:at], unopened("stack.tif", 7), *pages[at:]]
    for start in range(0, len(arriving), portion):
        add(store, arriving[start : start + portion])
    found = {p.record.source.page_index: p.record.issue for p in store.pages()}
    assert found == {0: None, 1: None, 2: None, 7: IssueKind.UNREADABLE_FILE}


def test_a_page_whose_file_could_not_be_opened_later_is_looked_at_again(store: ExamStore) -> None:
    page = record("scans/1.jpg")
    add(store, [page])
    add(store, [unopened("scans/1.jpg")])
    assert {p.record.issue for p in store.pages()} == {None, IssueKind.UNREADABLE_FILE}
    assert store.known_pages("AA") == {}
    assert add(store, [page]) == 0
    assert {p.record.issue for p in store.pages()} == {None, IssueKind.WITHDRAWN}
    assert store.known_pages("AA") == {"scans/1.jpg": {("hash of scans/1.jpg", 0)}}


def test_two_exams_share_a_database(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    with ExamStore.open(path, "DEMO") as one, ExamStore.open(path, "OTHER") as two:
        one.put_exam(EXAM)
        two.put_exam(EXAM)
        add(one, [record("scans/1.jpg")])
        assert list(two.pages()) == []
        assert list(statuses(one)) == ["scans/1.jpg"]
