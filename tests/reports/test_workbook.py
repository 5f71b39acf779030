from dataclasses import replace

import openpyxl
import pytest
from sample_results import analysed, make_results

from inkmark.reports import write_workbook
from inkmark.reports.words import words


@pytest.fixture(params=["zh", "en"])
def written(request, tmp_path):
    report = make_results(language=request.param, schools=2).report()
    write_workbook(report, tmp_path / "r.xlsx")
    return report, openpyxl.load_workbook(tmp_path / "r.xlsx"), words(request.param)


def test_every_sheet_is_there_with_header_filter_and_frozen_panes_and_prints_on_the_width_of_a_page(
    written,
):
    _, book, w = written
    names = ("summary", "scores", "items", "options", "groups", "group items", "points", "mastery",
             "comments")  # fmt: skip
    assert book.sheetnames == [w[f"sheet {name}"] for name in names]
    for sheet in book:
        assert sheet.freeze_panes in ("B2", "C2")
        assert sheet.auto_filter.ref.startswith("A1:")
        assert all(cell.value for cell in sheet[1])
        assert sheet["A1"].font.bold
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.print_title_rows == "$1:$1"


def test_numbers_are_numbers_with_their_format(written):
    report, book, w = written
    sheet = book[w["sheet items"]]
    header = [cell.value for cell in sheet[1]]
    facility = sheet.cell(2, header.index(w["facility"]) + 1)
    assert isinstance(facility.value, float)
    assert facility.number_format == "0.0%"
    assert sheet.cell(2, header.index(w["mean"]) + 1).number_format == "0.00"
    scores = book[w["sheet scores"]]
    assert scores.max_row == len(report.students) + 1
    assert scores["A2"].value == report.students[0].candidate
    assert scores["A2"].data_type == "s"


def test_there_is_a_column_of_ranks_only_where_they_are_asked_for(tmp_path):
    results = make_results()
    w = words("zh")
    for ranks in (False, True):
        write_workbook(results.report(include_ranks=ranks), tmp_path / "r.xlsx")
        header = [
            c.value for c in openpyxl.load_workbook(tmp_path / "r.xlsx")[w["sheet scores"]][1]
        ]
        assert (w["grade rank"] in header) is ranks


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("x")', "\t=1"])
def test_text_from_outside_is_never_a_formula(name, tmp_path):
    results = make_results(n=6, classes=1, absent=0, pending=0)
    people = tuple(
        replace(c, name=name, class_name=name, school=name) for c in results.exam.candidates
    )
    exam = replace(results.exam, candidates=people, title=name)
    report = analysed(exam, results.records).report()
    write_workbook(report, tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    found = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
                if cell.value == name:
                    found += 1
                    assert cell.quotePrefix
    assert found >= 6 * 3


def test_control_characters_do_not_break_the_file(tmp_path):
    results = make_results(n=6, classes=1, absent=0, pending=0)
    people = tuple(replace(c, name="a\x00b\x0bc") for c in results.exam.candidates)
    report = analysed(replace(results.exam, candidates=people), results.records).report()
    write_workbook(report, tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")[words("zh")["sheet scores"]]
    assert sheet["B2"].value == "a b c"


def test_equal_reports_give_equal_bytes(tmp_path):
    report = make_results().report()
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(report, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2
