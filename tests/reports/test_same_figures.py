"""The same figure stands in the PDF, in the workbook and in the JSON file."""

import json
import re
from decimal import Decimal

import openpyxl
import pypdfium2
import pytest
from sample_results import make_results

from inkmark.reports import (
    write_group_report,
    write_report_json,
    write_student_reports,
    write_workbook,
)
from inkmark.reports.words import words


def pdf_text(path):
    document = pypdfium2.PdfDocument(path)
    pages = []
    for page in document:
        text = page.get_textpage()
        # pypdfium2 gives U+00A0 and the like where the PDF has a gap.
        pages.append(" ".join(text.get_text_bounded().split()))
        text.close()
        page.close()
    document.close()
    return pages


def sheet_rows(path, title):
    book = openpyxl.load_workbook(path, read_only=True)
    rows = [list(row) for row in book[title].iter_rows(values_only=True)]
    book.close()
    width = max(len(row) for row in rows)
    return [row + [None] * (width - len(row)) for row in rows]


@pytest.fixture(params=["zh", "en"])
def written(request, tmp_path):
    report = make_results(language=request.param, n=30, m=16).report()
    write_report_json(report, tmp_path / "r.json")
    write_workbook(report, tmp_path / "r.xlsx")
    write_student_reports(report, tmp_path / "s.pdf")
    write_group_report(report, report.classes[0], tmp_path / "c.pdf")
    write_group_report(report, report.everybody, tmp_path / "g.pdf")
    return report, tmp_path, words(request.param)


def test_scores_and_points_of_every_student(written):
    _, folder, w = written
    data = json.loads((folder / "r.json").read_text("utf-8"), parse_float=Decimal)
    rows = {row[0]: row for row in sheet_rows(folder / "r.xlsx", w["sheet scores"])}
    header = rows[w["candidate"]]
    pages = pdf_text(folder / "s.pdf")
    assert len(data["students"]) == 30
    for student in data["students"]:
        row = dict(zip(header, rows[student["candidate"]], strict=True))
        text = " ".join(page for page in pages if student["candidate"] in page)
        assert text
        score = student["score"]
        assert (row[w["score"]] is None) == (score is None)
        if score is not None:
            assert Decimal(str(row[w["score"]])) == score
            assert Decimal(str(row[w["rate"]])) == Decimal(str(student["rate"]))
            of_full = w["of full"].format(full=data["head"]["full"])
            assert re.search(rf"(?<![\d.]){score} ?{re.escape(of_full)}", text)
            assert f"{w['rate']} {Decimal(str(student['rate'])) * 100:.1f}%" in text
        for item in student["items"]:
            value = row[item["number"]]
            assert (value is None) == (item["points"] is None)
            if value is not None:
                assert Decimal(str(value)) == item["points"]
            if student["standing"] == "counted":
                shown = f"{item['points']}/{item['full']} {item['lost']}"
                rates = [f"{Decimal(str(item[k])) * 100:.1f}" for k in ("class_rate", "grade_rate")]
                assert " ".join((shown, *rates)) in text


def test_mastery_of_every_student(written):
    _, folder, w = written
    data = json.loads((folder / "r.json").read_text("utf-8"), parse_float=Decimal)
    rows = {row[0]: row for row in sheet_rows(folder / "r.xlsx", w["sheet mastery"])}
    pages = pdf_text(folder / "s.pdf")
    for student in data["students"]:
        if student["standing"] != "counted":
            continue
        row = dict(zip(rows[w["candidate"]], rows[student["candidate"]], strict=True))
        text = " ".join(page for page in pages if student["candidate"] in page)
        for point in student["points"]:
            gained = f"{point['points']}/{point['full']}"
            if point["mastery"] is None:
                assert row[point["name"]] == w["no evidence"]
                assert f"{w['no evidence']} – {gained}" in text
            else:
                assert Decimal(str(row[point["name"]])) == point["mastery"]
                shown = Decimal(str(point["mastery"])) * 100
                assert f"{point['name']} {shown:.1f}% {gained}" in text


def test_figures_of_a_class_and_its_items(written):
    _, folder, w = written
    data = json.loads((folder / "r.json").read_text("utf-8"), parse_float=Decimal)
    group = data["classes"][0]
    rows = sheet_rows(folder / "r.xlsx", w["sheet groups"])
    row = dict(zip(rows[0], next(r for r in rows if r[0] == group["name"]), strict=True))
    text = " ".join(pdf_text(folder / "c.pdf"))
    shares = ("excellent", "good", "passing", "low")
    for key in ("counted", "registered", "absent", "incomplete", "mean", "sd", "median",
                "highest", "lowest"):  # fmt: skip
        assert Decimal(str(row[w[key]])) == group[key]
    for key in shares:
        assert Decimal(str(row[w[f"{key} rate"]])) == group[key]
        assert f"{Decimal(str(group[key])) * 100:.1f}%" in text
    assert f"{w['mean']} {group['mean']:.2f}" in text
    assert f"{group['counted']} / {group['registered']}" in text
    facilities = sheet_rows(folder / "r.xlsx", w["sheet group items"])
    column = facilities[0].index(group["name"])
    for item, cells in zip(group["items"], facilities[1:], strict=True):
        assert cells[0] == item["number"]
        assert Decimal(str(cells[column])) == item["facility"]
    assert_items(data, group, text, ("facility", "gap", "full_rate", "zero_rate"))
    counts = facilities[0].index(f"{w['n']} {group['name']}")
    for item, cells in zip(group["items"], facilities[1:], strict=True):
        assert cells[counts] == item["counted"]


def assert_items(data, group, text, shares):
    """Each row of the item analysis stands in the text, with its N where that differs."""
    differ = any(item["counted"] != group["counted"] for item in group["items"])
    assert differ, "the sample has items that candidates without a total answered"
    for item, own in zip(data["items"], group["items"], strict=True):
        shown = " ".join(percent(own[key]) for key in shares)
        row = f"{item['full']} {own['counted']} {shown} {two(item['discrimination'])}"
        assert row in text


def percent(value):
    return f"{Decimal(str(value)) * 100:.1f}%"


def two(value):
    return f"{Decimal(str(value)):.2f}"


def test_every_figure_of_everybody(written):
    _, folder, w = written
    data = json.loads((folder / "r.json").read_text("utf-8"), parse_float=Decimal)
    every, test, head = data["everybody"], data["test"], data["head"]
    summary = {row[0]: row[1] for row in sheet_rows(folder / "r.xlsx", w["sheet summary"])}
    groups = sheet_rows(folder / "r.xlsx", w["sheet groups"])
    row = dict(zip(groups[0], groups[1], strict=True))
    text = " ".join(pdf_text(folder / "g.pdf"))
    cuts = {cut["name"]: cut["points"] for cut in head["cuts"]}
    assert every["incomplete"] > 0

    def cut_label(name):
        return f"{w[f'{name} rate']} {'<' if name == 'low' else '≥'} {cuts[name]}"

    in_pdf = {
        "mean": f"{w['mean']} {two(every['mean'])}",
        "rate": f"{w['rate']} {percent(every['rate'])}",
        "sd": f"{w['sd']} {two(every['sd'])}",
        "median": f"{w['median']} {two(every['median'])}",
        "highest": f"{every['highest']} / {every['lowest']}",
        "lowest": f"{every['highest']} / {every['lowest']}",
        "counted": f"{every['counted']} / {every['registered']}",
        "registered": f"{every['counted']} / {every['registered']}",
        "absent": f"{w['absent']} {every['absent']}",
        "incomplete": f"{w['incomplete']} {every['incomplete']}",
        **{name: f"{cut_label(name)} {percent(every[name])}" for name in cuts},
    }
    in_sheets = {key: w[f"{key} rate"] if key in cuts else w[key] for key in in_pdf}
    for key, shown in in_pdf.items():
        assert shown in text, key
        for cells in (summary, row):
            assert Decimal(str(cells[in_sheets[key]])) == every[key], key
    labels = {"discrimination": "paper discrimination"}
    for key in ("alpha", "split_half", "sem", "discrimination"):
        label = w[labels.get(key, key)]
        assert f"{label} {two(test[key])}" in text, key
        assert Decimal(str(summary[label])) == test[key], key
    bands = [(label, n) for label, n in summary.items() if str(label).startswith(f"{w['band']} ")]
    assert [n for _, n in bands] == [band["count"] for band in every["bands"]]
    assert sum(n for _, n in bands) == every["counted"]
    assert_items(data, every, text, ("facility", "full_rate", "zero_rate"))
    items = sheet_rows(folder / "r.xlsx", w["sheet items"])
    for item, own, cells in zip(data["items"], every["items"], items[1:], strict=True):
        values = dict(zip(items[0], cells, strict=True))
        assert values[w["n"]] == item["counted"] == own["counted"]
        for key in ("mean", "facility", "full_rate", "zero_rate", "lost_share",
                    "discrimination", "item_rest"):  # fmt: skip
            assert Decimal(str(values[w[key]])) == item[key], (item["number"], key)
        for key in ("facility", "full_rate", "zero_rate", "lost_share"):
            assert item[key] == own[key]
    points = sheet_rows(folder / "r.xlsx", w["sheet points"])
    title = w["joint" if head["joint"] else "grade"]
    for point, cells in zip(every["points"], points[1:], strict=True):
        values = dict(zip(points[0], cells, strict=True))
        assert Decimal(str(values[title])) == point["rate"]
        assert values[f"{w['n']} {title}"] == point["counted"]
        assert f"{point['counted']} {percent(point['rate'])} {percent(point['below'])}" in text


def test_reports_say_how_their_figures_are_made(written):
    report, folder, w = written
    told = (
        w["convention sd"],
        w["convention discrimination"],
        w["convention alpha"].format(k=len(report.items)),
    )
    rows = sheet_rows(folder / "r.xlsx", w["sheet summary"])
    assert tuple(row[1] for row in rows if row[0] == w["conventions"]) == told
    everybody, one_class = (
        "".join(" ".join(pdf_text(folder / n)).split()) for n in ("g.pdf", "c.pdf")
    )
    for place, text in enumerate(told):
        squeezed = "".join(text.split())
        assert squeezed in everybody
        assert (squeezed in one_class) == (place < 2), "alpha stands in the report on everybody"
    for text in (everybody, one_class):
        assert "".join(w["how to read group"].split()) in text, "whole, not cut"
