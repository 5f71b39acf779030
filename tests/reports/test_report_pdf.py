"""Student and group reports as PDF: whole, in order, legible."""

import ctypes
import math
from dataclasses import replace

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from sample_results import analysed, make_results

from inkmark.reports import write_group_report, write_student_reports
from inkmark.reports.words import words

A4_PT = (595.28, 841.89)


def pages_of(path):
    """Text of each page, the boxes of its text objects in points, and the outline."""
    document = pypdfium2.PdfDocument(path)
    pages = []
    for page in document:
        text = page.get_textpage()
        boxes = [text.get_rect(i) for i in range(text.count_rects())]
        pages.append((" ".join(text.get_text_bounded().split()), boxes, page.get_size()))
        text.close()
        page.close()
    outline = [entry.get_title() for entry in document.get_toc()]
    document.close()
    return pages, outline


def fonts_of(path):
    """Names of the fonts of all text objects, and whether each is embedded."""
    document = pypdfium2.PdfDocument(path)
    fonts = set()
    for page in document:
        for thing in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
            font = pdfium.FPDFTextObj_GetFont(thing.raw)
            name = ctypes.create_string_buffer(100)
            pdfium.FPDFFont_GetBaseFontName(font, name, 100)
            fonts.add((name.value.decode(), pdfium.FPDFFont_GetIsEmbedded(font)))
        page.close()
    document.close()
    return fonts


SPECS = {
    "plain": {},
    "long names": {"long_names": True},
    "100 items, 40 points": {"m": 100, "n_points": 40, "negative": True, "long_names": True},
    "class of one": {"n": 3, "classes": 3, "absent": 1, "pending": 1},
    "no knowledge points": {"n_points": 0},
    "two schools": {"schools": 2, "n": 30},
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_nothing_stands_outside_the_margins_of_a_page(spec, language, tmp_path):
    report = make_results(language=language, **spec).report()
    write_student_reports(report, tmp_path / "s.pdf", report.students[:6])
    write_group_report(report, report.everybody, tmp_path / "g.pdf")
    write_group_report(report, report.classes[0], tmp_path / "c.pdf")
    for name in ("s.pdf", "g.pdf", "c.pdf"):
        pages, _ = pages_of(tmp_path / name)
        for number, (text, boxes, size) in enumerate(pages, start=1):
            assert all(math.isclose(a, b, abs_tol=0.1) for a, b in zip(size, A4_PT, strict=True))
            assert len(text) > 50
            assert "〓" not in text  # what is printed for a character without a glyph
            for left, bottom, right, top in boxes:
                assert left > 34, (name, number)
                assert right < A4_PT[0] - 34
                assert bottom > 20
                assert top < A4_PT[1] - 34


def odd(results):
    """The exam with everything longer than anybody has planned for, and no date."""
    exam = results.exam
    items = tuple(
        replace(
            item,
            options=tuple("ABCDEFGHIJ") if item.number == "1" else item.options,
            knowledge=tuple((f"{name} 综合应用 in practice" * 3, w) for name, w in item.knowledge),
            key=item.key if item.type.is_objective else ("x = 3.14159 or x = -2", "(3, -2)"),
        )
        for item in exam.items
    )
    people = tuple(
        replace(c, class_name="实验班 experimental " * 4, school="附属学校 school " * 5)
        for c in exam.candidates
    )
    exam = replace(exam, title="学业水平质量监测 survey " * 6, date=None)
    return analysed(replace(exam, items=items, candidates=people), results.records)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_figures_stay_whole_where_texts_have_no_room(language, tmp_path):
    report = odd(make_results(language=language, m=24)).report()
    group, student = report.classes[0], report.students[2]
    write_group_report(report, group, tmp_path / "g.pdf")
    write_student_reports(report, tmp_path / "s.pdf", [student])
    whole = " ".join(text for text, _, _ in pages_of(tmp_path / "g.pdf")[0])
    for item in group.items:
        for option in item.options:
            if option.keyed:
                assert f"{option.option} {option.share * 100:.1f}" in whole
    assert words(language)["counted n"].format(n=group.counted) in whole
    pages, _ = pages_of(tmp_path / "s.pdf")
    text = " ".join(text for text, _, _ in pages)
    for item in student.items:
        assert f"{item.points}/{item.full} {item.lost}" in text
    for _, boxes, _ in pages:
        assert all(left > 34 and right < A4_PT[0] - 34 for left, _, right, _ in boxes)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_student_has_an_entry_of_the_outline_and_pages_that_count(language, tmp_path):
    report = make_results(language=language, m=100, n_points=40, n=8, classes=1).report()
    write_student_reports(report, tmp_path / "s.pdf")
    pages, outline = pages_of(tmp_path / "s.pdf")
    assert outline == [f"{s.candidate} {s.name}" for s in report.students]
    own = [text for text, _, _ in pages if report.students[0].candidate in text]
    assert len(own) == 2
    w = words(language)
    for number, text in enumerate(own, start=1):
        assert w["page"].format(page=number, pages=2) in text


def test_a_usual_report_is_one_page(tmp_path):
    report = make_results(m=40, n_points=7).report()
    write_student_reports(report, tmp_path / "s.pdf")
    pages, _ = pages_of(tmp_path / "s.pdf")
    assert len(pages) <= len(report.students) * 1.2


def test_absent_and_pending_students_get_a_page_that_says_so(tmp_path):
    report = make_results().report()
    w = words("zh")
    write_student_reports(report, tmp_path / "s.pdf")
    pages, _ = pages_of(tmp_path / "s.pdf")
    for student in report.students:
        text = next(t for t, _, _ in pages if student.candidate in t)
        name = student.standing.name
        assert (w["absent"] in text) == (name == "ABSENT")
        assert (w["no total"] in text) == (name == "INCOMPLETE")
        assert (w["items section"] in text) == (name != "ABSENT")


def test_without_comparison_nothing_of_others_is_printed(tmp_path):
    report = make_results().report(compare=False)
    write_student_reports(report, tmp_path / "s.pdf")
    w = words("zh")
    for text, _, _ in pages_of(tmp_path / "s.pdf")[0]:
        for key in ("class mean", "grade mean", "class short", "grade short", "class rank"):
            assert w[key] not in text


def test_ranks_are_printed_only_where_they_are_asked_for(tmp_path):
    w = words("zh")
    for ranks in (False, True):
        report = make_results().report(include_ranks=ranks)
        write_student_reports(report, tmp_path / "s.pdf")
        text = " ".join(text for text, _, _ in pages_of(tmp_path / "s.pdf")[0])
        assert (w["class rank"] in text) is ranks


def test_the_number_counted_stands_on_every_page_of_a_class_report(tmp_path):
    report = make_results(m=60).report()
    group = report.classes[1]
    write_group_report(report, group, tmp_path / "c.pdf")
    pages, _ = pages_of(tmp_path / "c.pdf")
    assert len(pages) >= 2
    for text, _, _ in pages:
        assert words("zh")["counted n"].format(n=group.counted) in text
    whole = " ".join(text for text, _, _ in pages)
    for one in group.left_out:
        assert one.candidate in whole


def test_every_item_is_in_the_report_of_everybody_and_labelled_in_the_plane(tmp_path):
    report = make_results(m=100, n=60).report()
    write_group_report(report, report.everybody, tmp_path / "g.pdf")
    text = " ".join(text for text, _, _ in pages_of(tmp_path / "g.pdf")[0]).split()
    for item in report.items:
        # Once in the table of items, and once beside its dot.
        assert text.count(item.number) >= 2, item.number


def test_fonts_are_embedded(tmp_path):
    report = make_results(language="zh").report()
    write_group_report(report, report.everybody, tmp_path / "g.pdf")
    fonts = fonts_of(tmp_path / "g.pdf")
    assert fonts
    assert all(embedded and "NotoSansSC" in name for name, embedded in fonts)


def test_equal_reports_give_equal_bytes_and_no_draft_is_left(tmp_path):
    report = make_results().report()
    for name in ("a.pdf", "b.pdf"):
        write_student_reports(report, tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_name_that_the_font_lacks_is_shown_as_missing_not_as_a_box(tmp_path):
    results = make_results(n=6, classes=1, absent=0, pending=0)
    people = tuple(replace(c, name="王\ue000") for c in results.exam.candidates)
    report = analysed(replace(results.exam, candidates=people), results.records).report()
    write_student_reports(report, tmp_path / "s.pdf")
    assert "王〓" in pages_of(tmp_path / "s.pdf")[0][0][0]
