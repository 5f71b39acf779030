from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from PIL import Image

from inkmark.demo import make_demo_exam
from inkmark.demo.handwriting import SHEETS_BY_HAND, hand_job, number_marks, write_truth
from inkmark.demo.paper import fill_ins, invent_exam
from inkmark.errors import InkmarkError
from inkmark.exam import ItemType, load_exam
from inkmark.images import open_scan
from inkmark.layouts import Role, WritingField, build_layout, load_layout
from inkmark.marking import is_accepted
from inkmark.readings import Flag, IssueKind
from inkmark.simulator import Slip
from inkmark.workflow import open_exam, read

CANDIDATES = 12


@pytest.fixture(scope="module", params=["zh", "en"])
def planned(request):
    """An exam, its layout and what everybody writes, without pixels."""
    rng = np.random.default_rng(3)
    exam = invent_exam(request.param, 60, rng, by_hand=True)
    layout = build_layout(exam, SHEETS_BY_HAND)
    return exam, layout, write_truth(exam, layout, rng)


def test_the_exam_has_fill_in_items_that_its_answers_are_known_to_fit(planned):
    exam, _, _ = planned
    assert exam.full_mark == 120
    written = fill_ins(exam)
    items = {item.number: item for item in exam.items if item.type is ItemType.FILL_IN}
    assert written.keys() == items.keys()
    for number, one in written.items():
        assert items[number].key == one.key
        assert all(is_accepted(one.key, text) for text in one.right), number
        assert not any(is_accepted(one.key, text) for text in one.wrong), number


def test_numbers_hold_what_goes_wrong_with_numbers(planned):
    exam, _, truth = planned
    roster = [candidate.number for candidate in exam.candidates]
    assert truth.numbers.keys() == {*roster, *truth.strangers}
    (stranger,) = truth.strangers
    assert any(sum(a != b for a, b in zip(stranger, n, strict=True)) == 1 for n in roster)
    strange = {own: n.text for own, n in truth.numbers.items() if n.text != own}
    assert sorted(map(len, strange.values())) == [0, 8]  # one blank, one of a neighbour
    assert max(strange.values()) in set(roster) - strange.keys()
    slips = [slip for n in truth.numbers.values() for _, slip in n.slips]
    assert slips == [Slip.CORRECTED]
    marked = {own[4:6] for own, n in truth.numbers.items() if n.in_bubbles}
    assert marked == {"03"}
    assert len(truth.absent) == 3


def test_every_page_is_scanned_and_one_sheet_twice(planned):
    _, layout, truth = planned
    pages = Counter((scan.candidate, scan.page_number) for scan in truth.scans)
    assert {who for who, _ in pages} == truth.numbers.keys()
    twice = {who for (who, _), n in pages.items() if n == 2}
    assert len(twice) == 1
    assert pages.total() == len(layout.pages) * (len(truth.numbers) + 1)
    assert len({scan.path for scan in truth.scans}) == len(truth.scans)
    assert any(scan.orientation_deg for scan in truth.scans)


def test_what_is_written_follows_from_the_truth(planned, tmp_path):
    exam, layout, truth = planned
    items = {item.number: item for item in exam.items}
    for scan in truth.scans:
        page, who = layout.pages[scan.page_number], scan.candidate
        job = hand_job(page, scan, truth, tmp_path, copy=0, seed=1)
        texts = {name: text for name, text, _ in job.texts}
        points = dict(job.points)
        assert all(texts.values())
        fields = [field for field in page.fields if isinstance(field, WritingField)]
        for field in fields:
            answer = truth.answers.get((who, field.item))
            if field.role is Role.ITEM:
                assert texts.get(field.name, "") == (answer.value if answer else "")
            elif field.role is Role.CANDIDATE:
                assert texts.get(field.name, "") == truth.numbers[who].text
            elif field.role is Role.POINTS:
                given = truth.points.get((who, field.item))
                assert Decimal(points.get(field.name, -1)) == (-1 if given is None else given)
            elif who not in truth.absent:
                own = [p for (number, _), p in truth.points.items() if number == who]
                assert Decimal(points[field.name]) == sum(own)
        assert bool(number_marks(page, truth.numbers[who])) == (
            truth.numbers[who].in_bubbles and scan.page_number == 0
        )
    for (who, item), points in truth.points.items():
        if items[item].type is ItemType.FILL_IN:
            assert who[4:6] == "01" or who in truth.strangers
            right = is_accepted(items[item].key, truth.answers[who, item].value)
            assert points == (items[item].points if right else 0)


def test_letters_in_doubt_are_crossed_out(planned):
    _, layout, truth = planned
    written = {f.item for f in layout.fields() if isinstance(f, WritingField)}
    doubts = [a for (_, item), a in truth.answers.items() if item in written and a.flag]
    assert doubts
    for answer in doubts:
        assert answer.flag is Flag.DOUBTFUL
        assert len(answer.value) == 1
        assert answer.slips == ((0, Slip.CORRECTED),)
    assert not any(a.marks for (_, item), a in truth.answers.items() if item in written)


def test_a_folder_without_handwriting_is_refused(tmp_path):
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    with pytest.raises(InkmarkError, match=r"mnist/mnist\.npz is missing"):
        make_demo_exam(tmp_path / "exam", handwriting=tmp_path / "data")
    assert not (tmp_path / "exam").exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory, data_dir):
    root = tmp_path_factory.mktemp("demo") / "exam"
    specimens = data_dir / "handwriting"
    return root, make_demo_exam(root, seed=11, candidates=CANDIDATES, handwriting=specimens)


def test_the_folder_is_an_exam_with_colour_scans_and_no_points_file(made):
    root, truth = made
    assert load_exam(root) == truth.exam
    assert not (root / "points.csv").exists()
    n_pages = len(load_layout(root / "layout.json").pages)
    with open_scan(root / "sheets" / "blank.pdf") as sheets:
        assert sheets.n_pages == n_pages * (CANDIDATES + 1)
    told = json.loads((root / "truth.json").read_text(encoding="utf-8"))
    assert told["strangers"].keys() == truth.strangers
    people = told["candidates"] | told["strangers"]
    assert {n: p["number"]["text"] for n, p in people.items()} == {
        n: number.text for n, number in truth.numbers.items()
    }
    red = 0
    for scan in truth.scans:
        page = np.asarray(Image.open(root / scan.path)).astype(int)
        red += ((page[:, :, 0] - page[:, :, 1] > 60) & (page[:, :, 0] > 90)).sum() > 200
    assert red >= 1.5 * (CANDIDATES - len(truth.absent))


def test_nobody_gets_the_sheet_of_another(made):
    root, truth = made
    read(root)
    owners = {scan.path: scan.candidate for scan in truth.scans}
    known = 0
    with open_exam(root) as opened:
        for page in opened.store.pages():
            record = page.record
            if record.issue in (IssueKind.UNIDENTIFIED, IssueKind.UNKNOWN_CANDIDATE):
                continue
            assert record.candidate == owners[record.source.path], record.message
            known += 1
    assert known >= len(truth.scans) / 3


def test_the_seed_decides_everything(made, tmp_path, data_dir):
    root, truth = made
    again = make_demo_exam(
        tmp_path / "again", seed=11, candidates=CANDIDATES, handwriting=data_dir / "handwriting"
    )
    assert again == truth
    for name in ["layout.json", "truth.json", "sheets/blank.pdf", *(s.path for s in truth.scans)]:
        assert (root / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
