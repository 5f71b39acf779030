from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inkmark.bank import load_bank
from inkmark.demo import make_demo_exam
from inkmark.demo.answers import answer_items, draw_abilities, mark_subjective
from inkmark.demo.paper import invent_exam
from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder, ItemType, load_exam
from inkmark.images import find_scans, open_scan
from inkmark.layouts import load_layout
from inkmark.marking import load_points
from inkmark.readings import Flag, SheetIssue
from inkmark.session import read_scans
from inkmark.simulator import MarkStyle, Meaning

CANDIDATES = 15


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An exam folder, its truth, and what progress was told."""
    root = tmp_path_factory.mktemp("demo") / "exam"
    told = []
    truth = make_demo_exam(root, seed=5, candidates=CANDIDATES, progress=lambda *n: told.append(n))
    return ExamFolder(root), truth, told


def test_the_folder_holds_what_an_exam_needs(made):
    folder, truth, _ = made
    assert load_exam(folder.root) == truth.exam
    assert len(truth.exam.items) == 40
    assert truth.exam.full_mark == 120
    assert len({c.class_name for c in truth.exam.candidates}) == 3
    assert len({c.name for c in truth.exam.candidates}) == CANDIDATES
    n_pages = len(load_layout(folder.layout).pages)
    n_printed = 0
    for path in folder.sheets.iterdir():
        with open_scan(path) as sheets:
            n_printed += sheets.n_pages
    assert n_printed == CANDIDATES * n_pages
    points = load_points(folder.root / "points.csv", truth.exam)
    assert points == truth.points
    assert all(given * 2 == int(given * 2) for given in points.values())


def test_knowledge_points_are_those_of_the_item_bank(made):
    _, truth, _ = made
    bank = load_bank()
    weights = Counter()
    for item in truth.exam.items:
        assert sum(weight for _, weight in item.knowledge) == 1
        for name, weight in item.knowledge:
            assert bank.find_point(name) is not None
            weights[name] += item.points * weight
    assert len(weights) == 8
    assert min(weights.values()) >= truth.exam.policy.mastery_points_floor


def test_every_page_is_scanned_once_into_files_of_every_kind(made):
    folder, truth, told = made
    n_pages = len(load_layout(folder.layout).pages)
    pages = [(scan.candidate, scan.page_number) for scan in truth.scans]
    assert sorted(pages) == sorted(
        (c.number, page) for c in truth.exam.candidates for page in range(n_pages)
    )
    files = find_scans(folder.scans)
    assert {path.suffix for path in files} == {".jpg", ".tif", ".pdf"}
    assert {str(path.relative_to(folder.root)) for path in files} == {s.path for s in truth.scans}
    assert told == [(i + 1, len(files)) for i in range(len(files))]
    for path in files:
        mine = [s for s in truth.scans if s.path == str(path.relative_to(folder.root))]
        with open_scan(path) as file:
            assert file.n_pages == len(mine)
            image = file.load(0)
        assert image.dpi == pytest.approx(200, abs=0.5)
        assert image.pixels.whole().shape == pytest.approx((2339, 1654), abs=2)
        assert path.suffix != ".tif" or set(np.unique(image.pixels.whole())) == {0, 255}
    assert 0 < sum(scan.orientation_deg == 180 for scan in truth.scans) < len(pages) / 4


def test_reading_the_scans_finds_the_marks_and_flags_every_doubt(made):
    folder, truth, _ = made
    scans = {(str(folder.root / s.path), s.page_index): s for s in truth.scans}
    compared, asked = Counter(), 0
    for reading in read_scans([folder.scans], load_layout(folder.layout)):
        assert not isinstance(reading, SheetIssue), reading
        scan = scans[reading.source.path, reading.source.page_index]
        assert reading.page_number == scan.page_number
        assert reading.registration.orientation_deg == scan.orientation_deg
        absent = {field.value for field in reading.fields if field.field == "absent"}
        assert absent in (set(), {"absent" if scan.candidate in truth.absent else ""})
        for field in reading.fields:
            answer = truth.answers.get((scan.candidate, field.field.removeprefix("Q")))
            if answer is None:
                continue
            compared[answer.flag] += 1
            where = (scan, field, answer)
            if answer.flag is not Flag.OK:
                assert field.flag is not Flag.OK, where
            elif field.flag is Flag.OK:
                assert field.value == answer.value, where
            else:
                asked += 1
    assert compared.total() == len(truth.answers)
    assert asked <= 0.02 * compared[Flag.OK]
    assert compared[Flag.DOUBTFUL] >= 2
    assert compared[Flag.SEVERAL] >= 1


def test_the_truth_file_says_the_same(made):
    folder, truth, _ = made
    told = json.loads((folder.root / "truth.json").read_text(encoding="utf-8"))
    assert told["format"] == "inkmark-demo/1"
    assert {n for n, c in told["candidates"].items() if c["absent"]} == truth.absent
    answers = {
        (number, item): (answer["value"], answer["flag"])
        for number, candidate in told["candidates"].items()
        for item, answer in candidate["answers"].items()
    }
    assert answers == {key: (a.value, a.flag) for key, a in truth.answers.items()}
    assert len(told["scans"]) == len(truth.scans)


def test_the_seed_decides_everything_and_the_executor_nothing(made, tmp_path):
    folder, truth, _ = made
    with ThreadPoolExecutor(1) as one_worker:
        again = make_demo_exam(
            tmp_path / "again", seed=5, candidates=CANDIDATES, executor=one_worker
        )
    assert again == truth
    names = ["layout.json", "points.csv", "truth.json"]
    names += [scan.path for scan in truth.scans if scan.path.endswith((".jpg", ".tif"))]
    for name in names:
        assert (folder.root / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    with (
        open_scan(folder.scans / "class-3" / "feeder.pdf") as first,
        open_scan(tmp_path / "again" / "scans" / "class-3" / "feeder.pdf") as second,
    ):
        for i in range(first.n_pages):
            assert np.array_equal(first.load(i).pixels.whole(), second.load(i).pixels.whole())


def test_an_exam_is_never_overwritten_and_few_candidates_are_refused(made, tmp_path):
    folder, _, _ = made
    with pytest.raises(InkmarkError, match="holds an exam already"):
        make_demo_exam(folder.root)
    with pytest.raises(InkmarkError, match="too few"):
        make_demo_exam(tmp_path / "few", candidates=3)
    assert not (tmp_path / "few").exists()


# The model of the candidates, without pixels


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(8)
    exam = invent_exam("en", 450, rng)
    abilities = draw_abilities(exam, rng)
    hesitant = frozenset(c.number for c in exam.candidates[:60])
    careful = frozenset(c.number for c in exam.candidates[60:160])
    return exam, abilities, hesitant, careful, answer_items(exam, abilities, hesitant, careful, rng)


def facility(exam, answers, item):
    right = [answers[c.number, item.number].value == item.key_value for c in exam.candidates]
    return np.mean(right)


def test_items_are_as_hard_as_planned(large):
    exam, _, _, _, answers = large
    objective = [item for item in exam.items if item.type.is_objective]
    seen = np.array([facility(exam, answers, item) for item in objective])
    planned = np.array([item.difficulty for item in objective])
    assert np.corrcoef(seen, planned)[0, 1] > 0.85
    assert np.abs(seen - planned).mean() < 0.08


def test_one_item_says_nothing_and_the_others_do(large):
    exam, abilities, _, _, answers = large
    points = {name for item in exam.items for name, _ in item.knowledge}
    general = [np.mean([abilities[c.number, p] for p in points]) for c in exam.candidates]
    correlations = []
    for item in exam.items:
        if item.type is ItemType.SINGLE:
            right = [
                answers[c.number, item.number].value == item.key_value for c in exam.candidates
            ]
            correlations.append(np.corrcoef(general, right)[0, 1])
    assert abs(correlations[13]) < 0.12
    assert np.median(correlations) > 0.3


def test_doubts_and_habits_are_where_they_should_be(large):
    _, _, hesitant, careful, answers = large
    flagged = Counter(number for (number, _), a in answers.items() if a.flag is not Flag.OK)
    assert flagged == dict.fromkeys(hesitant, 1)
    styles = Counter()
    for (number, _), answer in answers.items():
        for _, style in answer.marks:
            styles[style] += 1
            if number in careful:
                assert style in (MarkStyle.FILL, MarkStyle.ERASED)
            if answer.flag is Flag.OK:
                assert style.meaning in (Meaning.MARK, Meaning.BLANK)
    assert styles[MarkStyle.FAINT] == styles[MarkStyle.SMUDGED] == 20
    assert styles[MarkStyle.FILL] > 0.7 * styles.total()
    assert styles[MarkStyle.ERASED] > 100
    assert any(answer.value == "" for answer in answers.values())


def test_the_value_is_the_marks_that_count(large):
    exam, _, _, _, answers = large
    items = {item.number: item for item in exam.items}
    for (_, number), answer in answers.items():
        if answer.flag is Flag.OK:
            counted = sorted(i for i, style in answer.marks if style.meaning is Meaning.MARK)
            assert answer.value == "".join(items[number].options[i] for i in counted)
            assert items[number].type is ItemType.MULTIPLE or len(counted) <= 1


def test_subjective_points_grow_with_ability(large):
    exam, abilities, *_ = large
    rng = np.random.default_rng(0)
    item = exam.items[-1]
    given = [float(mark_subjective(item, c.number, abilities, rng)) for c in exam.candidates]
    ability = [
        sum(float(w) * abilities[c.number, p] for p, w in item.knowledge) for c in exam.candidates
    ]
    assert np.corrcoef(given, ability)[0, 1] > 0.6
    assert min(given) >= 0
    assert max(given) <= item.points
    assert np.mean(given) / float(item.points) == pytest.approx(item.difficulty, abs=0.1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_languages(language):
    exam = invent_exam(language, 30, np.random.default_rng(1))
    assert exam.language == language
    assert exam.title.isascii() == (language == "en")
    assert all(c.name.isascii() == (language == "en") for c in exam.candidates)
    assert [len({c.class_name for c in exam.candidates}), len(exam.candidates)] == [3, 30]
