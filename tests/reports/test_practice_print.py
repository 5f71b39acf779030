from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pypdfium2 as pdfium
import pytest

from inkmark.analytics.model import MasteryTable
from inkmark.analytics.practice import Practice, select_practice
from inkmark.bank import load_bank
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate, Exam, Policy
from inkmark.images import Pixels
from inkmark.layouts import SheetCode, load_layout
from inkmark.ocr.codes import read_codes
from inkmark.omr import RegistrationFailure, read_bubbles, register
from inkmark.readings import Flag
from inkmark.reports.practice import practice_sheets, print_practice, write_practice

ROOT = Path(__file__).resolve().parents[2]
BANK = load_bank()
ITEMS = {item.id: item for item in BANK.items}
PT_PER_MM = 72 / 25.4
DPI = 150

RATES = np.array(
    [
        [0.2, 0.5, 0.9, 0.4],
        [0.9, 0.8, 1.0, 0.95],
        [0.1, 0.7, 0.55, 0.7],
        [np.nan, np.nan, np.nan, np.nan],
    ]
)
POINTS = ("勾股定理", "圆", "统计", "有理数")
PEOPLE = {
    "zh": ("王小雨", "李明轩", "张思远", "陈嘉怡"),
    "en": ("Ann Field", "Ben Hill", "Cora Lane", "Dan Moor"),
}


def make_exam(language="zh", **changes):
    people = tuple(
        Candidate(f"2024{k:04d}", name, ("8A", "8/B")[k % 2])
        for k, name in enumerate(PEOPLE[language], 1)
    )
    title = {"zh": "八年级数学期末考试", "en": "Grade 8 Mathematics"}[language]
    subject = {"zh": "数学", "en": "Mathematics"}[language]
    exam = Exam(
        "DEMO-2024", title, subject, "8", dt.date(2024, 6, 20), language, Policy(), (), people
    )
    return replace(exam, **changes)


def make_practice(exam, **changes) -> Practice:
    evidence = ~np.isnan(RATES)
    enough = evidence.copy()
    enough[2, 2] = False
    mastery = MasteryTable(
        candidates=tuple(candidate.number for candidate in exam.candidates),
        points=POINTS,
        gained=np.where(evidence, RATES, 0.0) * 10,
        possible=np.where(evidence, 10.0, 0.0),
        n_items=np.where(evidence, 3, 0),
        rate=RATES,
        low=RATES,
        high=RATES,
        enough=enough,
    )
    policy = replace(exam.policy, **changes)
    return select_practice(mastery, BANK, policy, exam_id=exam.id)


def squeezed(text):
    """A text without white space, which extraction moves about."""
    return re.sub(r"\s+", "", text)


def pages_text(path):
    with pdfium.PdfDocument(path) as pdf:
        return [squeezed(page.get_textpage().get_text_range()) for page in pdf]


def render(path, index):
    with pdfium.PdfDocument(path) as pdf:
        image = pdf[index].render(scale=DPI / 72, grayscale=True).to_numpy()
    return np.ascontiguousarray(image.reshape(image.shape[:2]))


@pytest.fixture(scope="module", params=["zh", "en"])
def written(request, tmp_path_factory):
    exam = make_exam(request.param)
    practice = make_practice(exam)
    folder = tmp_path_factory.mktemp(request.param)
    files = write_practice(practice, BANK, exam, folder)
    return exam, practice, folder, files


def test_the_files_of_a_practice(written):
    _, _, folder, files = written
    assert {path.relative_to(folder).as_posix() for path in files} == {
        "practice.layout.json",
        "practice.json",
        "8A.pdf",
        "answers/8A.pdf",
        "8_B.pdf",
        "answers/8_B.pdf",
    }
    assert {path for path in folder.rglob("*") if path.is_file()} == set(files)


def test_each_student_starts_a_page_and_ends_with_the_answer_sheet(written):
    exam, practice, folder, _ = written
    texts = pages_text(folder / "8_B.pdf")
    # The second of this class has no scores, and so no practice.
    first, third = (practice.sets[k] for k in (0, 2))
    assert practice.sets[3].items == ()
    assert squeezed(exam.candidates[3].name) not in "".join(texts)
    said = {"zh": "注意事项", "en": "Instructions"}[exam.language]
    sheets = [k for k, text in enumerate(texts) if said in text]
    assert [squeezed(exam.candidates[k].name) in texts[0] for k in (0, 2)] == [True, False]
    assert len(sheets) == 2
    start = 0
    for chosen, end in zip((first, third), sheets, strict=True):
        text = "".join(texts[start:end])
        name = next(c.name for c in exam.candidates if c.number == chosen.candidate)
        assert squeezed(name) in texts[start]
        assert chosen.candidate in texts[start]
        for n, number in enumerate(chosen.items, 1):
            item = ITEMS[number]
            assert f"{n}.{squeezed(item.stem.text(exam.language))}" in text
            for label, option in zip("ABCD", item.options, strict=True):
                assert f"{label}.{squeezed(option.text(exam.language))}" in text
        for part in chosen.parts:
            assert part.point in text
        start = end + 1


def test_mastery_is_printed_only_where_there_is_enough_evidence(written):
    exam, practice, folder, _ = written
    weak = pages_text(folder / "8_B.pdf")[0]
    assert "20%" in weak
    assert "50%" in weak
    said = {"zh": "考查较少，不作判断", "en": "Toofewitemstotell"}[exam.language]
    unsure = "".join(pages_text(folder / "8_B.pdf")[1:])
    third = [part.reason.value for part in practice.sets[2].parts]
    assert third == ["weak", "not enough evidence"]
    assert said in unsure
    assert "55%" not in unsure


def test_nothing_is_missing_or_outside_the_margins(written):
    *_, files = written
    for path in files:
        if path.suffix != ".pdf":
            continue
        with pdfium.PdfDocument(path) as pdf:
            for page in pdf:
                text = page.get_textpage()
                assert "〓" not in text.get_text_range()
                for k in range(text.count_chars()):
                    left, bottom, right, top = text.get_charbox(k)
                    assert left > 12 * PT_PER_MM, path.name
                    assert right < 198 * PT_PER_MM, path.name
                    assert bottom > 7 * PT_PER_MM, path.name
                    assert top < 290 * PT_PER_MM, path.name


def test_the_answers_for_the_teacher(written):
    exam, practice, folder, _ = written
    text = "".join(pages_text(folder / "answers" / "8A.pdf"))
    chosen = practice.sets[1]
    assert chosen.candidate in text
    for number in chosen.items:
        item = ITEMS[number]
        right = item.options["ABCD".index(item.key)].text(exam.language)
        key = {"zh": "答案", "en": "Key"}[exam.language]
        assert squeezed(item.stem.text(exam.language)) in text
        assert f"{key}{item.key}.{squeezed(right)}" in text
        assert squeezed(item.explanation.text(exam.language)) in text
    others = set(practice.sets[0].items) - set(chosen.items)
    assert others
    assert not any(number in text for number in others)


def test_the_keys_of_every_student_are_in_the_file(written):
    exam, practice, folder, _ = written
    data = json.loads((folder / "practice.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "inkmark/reports/practice.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(data)
    assert data["practice"] == "DEMO-2024-P1"
    assert data["layout_version"] == load_layout(folder / "practice.layout.json").version
    for chosen, entry in zip(practice.sets, data["sets"], strict=True):
        assert entry["candidate"] == chosen.candidate
        assert [one["item"] for one in entry["items"]] == list(chosen.items)
        assert [one["key"] for one in entry["items"]] == [ITEMS[i].key for i in chosen.items]
        assert [one["number"] for one in entry["items"]] == [
            str(n) for n in range(1, len(chosen.items) + 1)
        ]
    first = data["sets"][0]["items"][0]
    assert (first["point"], first["reason"], first["mastery"]) == ("勾股定理", "weak", 0.2)
    unsure = [one["mastery"] for one in data["sets"][2]["items"] if one["point"] == "统计"]
    assert unsure
    assert set(unsure) == {None}
    assert data["sets"][3]["shortfalls"][0]["kind"] == "no scores"
    assert not any(name in json.dumps(data, ensure_ascii=False) for name in PEOPLE[exam.language])


def test_filled_answer_sheets_are_read_back(written):
    _, practice, folder, _ = written
    layout = load_layout(folder / "practice.layout.json")
    (page,) = layout.pages
    data = json.loads((folder / "practice.json").read_text(encoding="utf-8"))
    keys = {entry["candidate"]: entry["items"] for entry in data["sets"]}
    path = folder / "8_B.pdf"
    with pdfium.PdfDocument(path) as pdf:
        n_pages = len(pdf)
    found = {}
    for index in range(n_pages):
        pixels = render(path, index)
        if isinstance(register(Pixels.of(pixels), page), RegistrationFailure):
            continue  # a page with items
        placed = register(Pixels.of(pixels), page)
        (code,) = read_codes(Pixels.of(pixels), page, placed)
        sheet = SheetCode.parse(code.text)
        assert sheet is not None
        assert (sheet.exam, sheet.page, sheet.version) == ("DEMO-2024-P1", 0, layout.version)
        for item in keys[sheet.candidate]:
            fill(pixels, page, f"Q{item['number']}", item["key"])
        turned = rotated(pixels, 1.2)
        readings = read_bubbles(Pixels.of(turned), page, register(Pixels.of(turned), page))
        found[sheet.candidate] = {r.field: r for r in readings}
    expected = [practice.sets[0].candidate, practice.sets[2].candidate]
    assert list(found) == expected
    for candidate, readings in found.items():
        for item in keys[candidate]:
            reading = readings[f"Q{item['number']}"]
            assert (reading.value, reading.flag) == (item["key"], Flag.OK)
        assert readings["absent"].value == ""


def fill(pixels, page, field, label):
    bubble = next(f for f in page.fields if f.name == field)
    x, y = bubble.centres()[bubble.options.index(label)] * DPI / 25.4
    axes = (round(bubble.bubble_w * DPI / 25.4 / 2), round(bubble.bubble_h * DPI / 25.4 / 2))
    cv2.ellipse(pixels, (round(x), round(y)), axes, 0, 0, 360, 60, -1)


def rotated(pixels, degrees):
    h, w = pixels.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    return cv2.warpAffine(pixels, turn, (w, h), borderValue=255)


def test_equal_input_gives_equal_bytes(tmp_path):
    exam = make_exam()
    practice = make_practice(exam)
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        write_practice(practice, BANK, exam, folder)
    first, second = (
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in folders
    )
    assert first == second
    assert len(first) == 6


def test_long_sets_go_on_to_further_pages(tmp_path):
    exam = make_exam("en")
    practice = make_practice(exam, practice_items=24)
    sheets = practice_sheets(practice, exam)
    assert len(sheets.exam.items) == 24
    path = tmp_path / "practice.pdf"
    print_practice(practice.sets[:1], sheets, BANK, path)
    texts = pages_text(path)
    assert len(texts) >= 3
    for n in range(2, len(texts)):
        assert f"Practicepage{n}of{len(texts) - 1}" in texts[n - 1]


@pytest.mark.parametrize(
    ("exam_id", "number", "practice_id"),
    [
        ("DEMO", 1, "DEMO-P1"),
        ("ABCDEFGHIJKLM", 1, "ABCDEFGHIJKLM-P1"),
        ("ABCDEFGHIJKLMN", 1, "ABCDEFGHI93C5-P1"),
        ("DEMO", 12, "DEMO-P12"),
    ],
)
def test_the_id_of_a_practice_fits_the_code(exam_id, number, practice_id):
    exam = make_exam(id=exam_id)
    sheets = practice_sheets(make_practice(exam), exam, number)
    assert sheets.exam.id == practice_id
    assert SheetCode(practice_id, "1", 0, sheets.layout.version).encode()


def test_long_exam_ids_that_begin_alike_stay_apart():
    ids = set()
    for exam_id in ("2024-MATH-G8-MID", "2024-MATH-G8-END"):
        exam = make_exam(id=exam_id)
        ids.add(practice_sheets(make_practice(exam), exam).exam.id)
    assert len(ids) == 2


def test_a_practice_without_any_item_says_what_to_do(tmp_path):
    exam = make_exam()
    practice = make_practice(exam)
    nobody = Practice((practice.sets[3],), ())
    with pytest.raises(InkmarkError, match=r"Score the exam, or use a bank"):
        write_practice(nobody, BANK, exam, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_classes_of_several_schools_have_files_of_their_own(tmp_path):
    exam = make_exam()
    people = tuple(
        replace(c, school=("北校", "南校")[k // 2], class_name="1班")
        for k, c in enumerate(exam.candidates)
    )
    exam = replace(exam, candidates=people)
    files = write_practice(make_practice(exam), BANK, exam, tmp_path)
    assert {f.relative_to(tmp_path).as_posix() for f in files if f.suffix == ".pdf"} == {
        "北校 1班.pdf",
        "answers/北校 1班.pdf",
        "南校 1班.pdf",
        "answers/南校 1班.pdf",
    }


def test_without_a_roster_sets_bear_the_number_alone(tmp_path):
    exam = make_exam()
    practice = make_practice(exam)
    files = write_practice(practice, BANK, replace(exam, candidates=()), tmp_path)
    assert {path.name for path in files} == {"practice.layout.json", "practice.json", "class.pdf"}
    texts = pages_text(tmp_path / "class.pdf")
    for one in practice.sets:
        assert any(one.candidate in text for text in texts) == bool(one.items)
    layout = load_layout(tmp_path / "practice.layout.json")
    (index,) = [k for k, text in enumerate(texts) if "注意事项" in text][:1]
    page = layout.pages[0]
    pixels = render(tmp_path / "class.pdf", index)
    (code,) = read_codes(Pixels.of(pixels), page, register(Pixels.of(pixels), page))
    assert SheetCode.parse(code.text).candidate == practice.sets[0].candidate


def test_a_class_name_cannot_lead_out_of_the_folder(tmp_path):
    exam = make_exam()
    people = tuple(replace(c, class_name="../../etc\\x:\0y") for c in exam.candidates)
    exam = replace(exam, candidates=people)
    out = tmp_path / "out"
    files = write_practice(make_practice(exam), BANK, exam, out)
    assert {path.parent for path in files} == {out, out / "answers"}
    assert all(path.is_file() for path in files)
    assert list(tmp_path.iterdir()) == [out]


def test_classes_whose_names_differ_in_signs_only_keep_files_of_their_own(tmp_path):
    exam = make_exam()
    people = tuple(
        replace(c, class_name=("8/B", "8:B")[k % 2]) for k, c in enumerate(exam.candidates)
    )
    exam = replace(exam, candidates=people)
    write_practice(make_practice(exam), BANK, exam, tmp_path)
    texts = ["".join(pages_text(tmp_path / name)) for name in ("8_B.pdf", "8_B (2).pdf")]
    names = [squeezed(c.name) for c in people]
    assert [names[0] in text for text in texts] == [True, False]
    assert [names[1] in text for text in texts] == [False, True]


def test_every_field_is_documented():
    text = (ROOT / "docs" / "formats" / "practice.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "inkmark/reports/practice.schema.json").read_text("utf-8"))
    fields = [schema["properties"]] + [part["properties"] for part in schema["$defs"].values()]
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert documented == {name for group in fields for name in group}
