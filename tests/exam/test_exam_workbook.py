"""Reading exam.xlsx: both languages, every tolerated form, every fault with its cell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from inkmark.errors import FaultyFileError
from inkmark.exam import ExamFolder, ItemType, RuleKind, load_exam, write_template

EN_SETTINGS = [
    ["setting", "value"],
    ["exam id", "EXAM1"],
    ["title", "Quiz"],
    ["language", "en"],
]
EN_ITEMS = [
    ["item", "type", "options", "key", "points", "scoring rule"],
    [1, "single", "ABCD", "B", 3, None],
]
EN_ROSTER = [["candidate number", "name"], ["001", "Ann"]]


def build(path: Path, **sheets: list[list[object]]) -> Path:
    """A workbook with the given sheets; the standard ones where they are not given."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in (
        {"exam": EN_SETTINGS, "items": EN_ITEMS, "roster": EN_ROSTER} | sheets
    ).items():
        if rows is None:
            continue
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def faults_of(path: Path) -> dict[str, str]:
    with pytest.raises(FaultyFileError) as caught:
        load_exam(path)
    return {fault.place: fault.message for fault in caught.value.faults}


def item_faults(tmp_path: Path, *rows: list[object], header: list[object] | None = None):
    header = header or [
        "item", "type", "options", "key", "points", "scoring rule",
        "knowledge points", "cognitive level", "planned difficulty",
    ]  # fmt: skip
    return faults_of(build(tmp_path / "exam.xlsx", items=[header, *rows]))


def test_a_chinese_workbook(tmp_path):
    path = build(
        tmp_path / "exam.xlsx",
        exam=None,
        items=None,
        roster=None,
        考试=[
            ["设置", "内容", "说明"],
            ["考试编号", "qizhong-1", "随便写"],
            ["考试名称", "期中考试（数学）"],
            ["学科", "数学"],
            ["年级", "七年级"],
            ["考试日期", dt.date(2026, 4, 20)],
            ["语言", "中文"],
            ["优秀线", "９０％"],
            ["及格线", 0.6],
            ["缺考计零分", "是"],
            ["分数段宽度", 5],
        ],
        双向细目表=[
            ["题号", "题型", "选项", "答案", "分值", "给分规则", "知识点", "认知层次", "预设难度"],
            [1, "单选题", "Ａ－Ｄ", "ｂ", 3, None, "有理数", "识记", "85%"],
            [2, "多选", 4, "A、C", "6分", "按个给分", "勾股定理：2；圆：1", "应用", 0.6],
            [3, "判断题", None, "对", 2, None, None, None, None],
            [4, "判断", None, "×", 2, "送分", "圆、相似", None, None],
            [5, "填空", None, "-3 | −3", 2.5, "全对", None, None, None],
            ["21（2）", "解答题", None, None, 10, None, None, "综合", None],
        ],
        名单=[
            ["姓名", "准考证号", "座位号", "班级", "学校"],
            ["张　三", "０１０１", 7, "七（1）班", "示例中学"],
            ["李四", "0102", 8, "七（1）班", "示例中学"],
        ],
    )
    exam = load_exam(path)
    assert (exam.id, exam.title, exam.subject, exam.grade) == (
        "QIZHONG-1",
        "期中考试（数学）",
        "数学",
        "七年级",
    )
    assert (exam.language, exam.date) == ("zh", dt.date(2026, 4, 20))
    assert exam.policy.excellent == Decimal("0.9")
    assert exam.policy.passing == Decimal("0.6")
    assert exam.policy.good == Decimal("0.75")
    assert exam.policy.absent_as_zero is True
    assert exam.policy.band_width == 5
    one, two, three, four, five, six = exam.items
    assert (one.type, one.options, one.key) == (ItemType.SINGLE, ("A", "B", "C", "D"), ("B",))
    assert (one.points, one.difficulty, one.level) == (Decimal(3), 0.85, "识记")
    assert (two.options, two.key, two.points) == (("A", "B", "C", "D"), ("A", "C"), Decimal(6))
    assert two.rule.kind is RuleKind.COUNT
    assert two.knowledge == (("勾股定理", Decimal("0.666667")), ("圆", Decimal("0.333333")))
    assert (three.options, three.key) == (("√", "×"), ("√",))
    assert (four.key, four.rule.kind) == (("×",), RuleKind.VOID)
    assert four.knowledge == (("圆", Decimal("0.5")), ("相似", Decimal("0.5")))
    assert (five.key, five.points) == (("-3", "−3"), Decimal("2.5"))
    assert (six.number, six.type, six.key) == ("21(2)", ItemType.SUBJECTIVE, ())
    assert exam.full_mark == Decimal("25.5")
    first = exam.candidates[0]
    assert (first.number, first.name, first.class_name) == ("0101", "张 三", "七（1）班")
    assert first.identifiers == (("座位号", "7"),)


def test_an_english_workbook_with_columns_in_any_order(tmp_path):
    path = build(
        tmp_path / "exam.xlsx",
        exam=None,
        EXAM=[
            ["Title", "Quiz"],
            ["Language", "English"],
            ["Exam ID", "ab12"],
            ["date", "2026/4/2"],
        ],
        items=[
            [" Points ", "KEY", "Options", "Type", "Item Number", "Knowledge_Points"],
            [None, None, None, None, None, None],
            ["1.50", "true", None, "True / False", "Q1", "area:1; volume:3"],
            [2, "c,a", "A B C D", "multiple", 2.0, None],
            [1, "3", "1-5", "single", 3, None],
            [1, "no", "yes/no", "single", 4, None],
        ],
    )
    exam = load_exam(path)
    assert (exam.id, exam.date) == ("AB12", dt.date(2026, 4, 2))
    assert [item.number for item in exam.items] == ["Q1", "2", "3", "4"]
    assert (exam.items[0].options, exam.items[0].key) == (("T", "F"), ("T",))
    assert exam.items[0].points == Decimal("1.5")
    assert exam.items[0].knowledge == (("area", Decimal("0.25")), ("volume", Decimal("0.75")))
    assert (exam.items[1].key, exam.items[1].key_value) == (("A", "C"), "AC")
    assert exam.items[2].options == ("1", "2", "3", "4", "5")
    assert exam.items[2].key == ("3",)
    assert exam.items[3].options == ("yes", "no")


def test_a_workbook_of_mixed_languages(tmp_path):
    path = build(
        tmp_path / "exam.xlsx",
        items=None,
        试题=[["题号", "type", "选项", "answer", "满分"], [1, "多选", "ABC", "BA", 4]],
    )
    item = load_exam(path).items[0]
    assert (item.type, item.key) == (ItemType.MULTIPLE, ("A", "B"))


def test_the_folder_is_as_good_as_the_workbook(tmp_path):
    build(ExamFolder(tmp_path).workbook)
    assert load_exam(tmp_path) == load_exam(str(tmp_path / "exam.xlsx"))


def test_other_sheets_are_the_teachers_own(tmp_path):
    path = build(tmp_path / "exam.xlsx", scratch=[["=1/0", "anything"]])
    assert len(load_exam(path).items) == 1


def test_candidate_numbers_as_excel_shows_them(tmp_path):
    path = build(
        tmp_path / "exam.xlsx",
        roster=[["candidate number"], [7], [8.0], [1009]],
    )
    workbook = load_workbook(path)
    for row in (2, 3):
        workbook["roster"].cell(row, 1).number_format = "0000"
    workbook.save(path)
    assert [c.number for c in load_exam(path).candidates] == ["0007", "0008", "1009"]


def test_no_roster_is_an_exam_without_candidates(tmp_path):
    assert load_exam(build(tmp_path / "exam.xlsx", roster=None)).candidates == ()
    assert load_exam(build(tmp_path / "exam.xlsx", roster=[])).candidates == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_roster(tmp_path, encoding):
    build(tmp_path / "exam.xlsx", roster=None)
    text = "考号,姓名,班级\r\n0001,王五,一班\r\n\r\n0002,赵六,二班\r\n"
    (tmp_path / "roster.csv").write_bytes(text.encode(encoding))
    exam = load_exam(tmp_path)
    assert [(c.number, c.name, c.class_name) for c in exam.candidates] == [
        ("0001", "王五", "一班"),
        ("0002", "赵六", "二班"),
    ]


def test_a_faulty_csv_roster_names_its_lines(tmp_path):
    build(tmp_path / "exam.xlsx", roster=None)
    (tmp_path / "roster.csv").write_text("candidate;name\n0001;Ann\n12;Bo\n0001;Cy\n;Di\n")
    faults = faults_of(tmp_path)
    assert "most have 4" in faults["roster.csv line 3, column 1"]
    assert "line 2, column 1 too" in faults["roster.csv line 4, column 1"]
    assert faults["roster.csv line 5, column 1"] == "no candidate number"


def test_two_rosters_are_one_too_many(tmp_path):
    build(tmp_path / "exam.xlsx")
    (tmp_path / "roster.csv").write_text("candidate number\n0001\n")
    assert "roster.csv" in faults_of(tmp_path)["roster"]


def test_student_number_beside_candidate_number_is_an_identifier(tmp_path):
    path = build(
        tmp_path / "exam.xlsx",
        roster=[["学号", "考号", "出生日期"], ["S-9", "01", dt.date(2013, 5, 6)]],
    )
    candidate = load_exam(path).candidates[0]
    assert candidate.number == "01"
    assert candidate.identifiers == (("学号", "S-9"), ("出生日期", "2013-05-06"))


def test_a_further_column_with_an_endless_header(tmp_path):
    path = build(tmp_path / "exam.xlsx", roster=[["candidate number", "x" * 201], ["01", "y"]])
    assert "longer than 200" in faults_of(path)["roster!B1"]


def test_all_faults_are_listed_at_once(tmp_path):
    path = build(
        tmp_path / "exam.xlsx",
        exam=[
            ["setting", "value"],
            ["exam id", "x"],
            ["title", None],
            ["language", "french"],
            ["date", "2026-02-30"],
            ["excellent", 85],
            ["pass mark", 0.6],
            ["practice items", "many"],
        ],
        items=[
            ["item", "type", "options", "key", "points"],
            [1, "single", "ABCD", "E", 3],
            [1, "single", "ABCD", "A", "three"],
        ],
        roster=[["candidate number"], ["01"], ["01"], ["A2"], ["003"]],
    )
    faults = faults_of(path)
    assert faults["exam!B2"].startswith("“x” is no exam id")
    assert faults["exam!B3"] == "no title (考试名称)"
    assert "write zh or en" in faults["exam!B4"]
    assert "no date" in faults["exam!B5"]
    assert "85%" in faults["exam!B6"]
    assert "unknown setting “pass mark”" in faults["exam!A7"]
    assert "whole number" in faults["exam!B8"]
    assert "not among the options A, B, C, D" in faults["items!D2"]
    assert "items!A2 too" in faults["items!A3"]
    assert "no number of points" in faults["items!E3"]
    assert "roster!A2 too" in faults["roster!A3"]
    assert "no candidate number" in faults["roster!A4"]
    assert "3 digits, most have 2" in faults["roster!A5"]
    assert len(faults) == 13


@pytest.mark.parametrize(
    ("row", "cell", "message"),
    [
        ([1, "single", "ABCD", "A", -1], "E2", "greater than 0"),
        ([1, "single", "ABCD", "A", 0], "E2", "greater than 0"),
        ([1, "single", "ABCD", "A", 2.125], "E2", "more than two decimals"),
        ([1, "single", "ABCD", "A", "1e3"], "E2", "no number"),
        ([1, "single", "ABCD", "A", "NaN"], "E2", "no number"),
        ([1, "single", "ABCD", "A", None], "E2", "no points"),
        ([None, "single", "ABCD", "A", 1], "A2", "no item number"),
        (["1 | 2", "single", "ABCD", "A", 1], "A2", "no item number"),
        ([dt.date(2026, 1, 2), "single", "ABCD", "A", 1], "A2", "Excel made a date"),
        ([dt.time(1, 2), "single", "ABCD", "A", 1], "A2", "Excel made the time"),
        ([1, "singel", "ABCD", "A", 1], "B2", "did you mean “single”"),
        ([1, "multiple choice", "ABCD", "A", 1], "B2", "unknown type"),
        ([1, None, "ABCD", "A", 1], "B2", "no type"),
        ([1, "single", None, "A", 1], "C2", "no options"),
        ([1, "single", "A", "A", 1], "C2", "2 to 26"),
        ([1, "single", "AAB", "A", 1], "C2", "named twice"),
        ([1, "single", "D-A", "A", 1], "C2", "no range"),
        ([1, "single", 99, "A", 1], "C2", "2 to 26"),
        ([1, "true/false", "ABC", "A", 1], "C2", "two options"),
        ([1, "subjective", "ABCD", None, 1], "C2", "no options"),
        ([1, "single", "ABCD", None, 1], "D2", "no key"),
        ([1, "single", "ABCD", "AB", 1], "D2", "one key"),
        ([1, "multiple", "ABCD", "AA", 1], "D2", "twice"),
        ([1, "true/false", None, "maybe", 1], "D2", "neither true nor false"),
        ([1, "fill-in", None, "a||b", 1], "D2", "empty or there twice"),
        ([1, "fill-in", None, "|".join("abcdef" * 34), 1], "D2", "leave out answers"),
        ([1, "subjective", None, "A", 1], "D2", "no key"),
        ([1, "single", "ABCD", "A", 1, "exakt"], "F2", "did you mean “exact”"),
        ([1, "single", "ABCD", "A", 1, "half"], "F2", "several keys"),
        ([1, "subjective", None, None, 1, "count"], "F2", "objective item"),
        ([1, "multiple", "ABCD", "ABC", 5, "count"], "F2", "cannot be shared"),
        ([1, "multiple", "ABCD", "ABC", 0.25, "half"], "F2", "more than two decimals"),
        ([1, "multiple", "ABCD", "ABC", 2, "subset 2"], "F2", "less than all"),
        ([1, "single", "ABCD", "A", 2, "negative 3"], "F2", "larger than"),
        ([1, "single", "ABCD", "A", 2, "negative"], "F2", "needs points"),
        ([1, "multiple", "ABCD", "AB", 6, "table AB=6; AE=3"], "F2", "not among the options"),
        ([1, "multiple", "ABCD", "AB", 6, "table AB=6; BA=3"], "F2", "twice"),
        ([1, "multiple", "ABCD", "AB", 6, "table AB=6; A=7"], "F2", "gives more"),
        ([1, "multiple", "ABCD", "AB", 6, "table A=3"], "F2", "must give the key AB all 6"),
        ([1, "single", "AB", "A", 1, None, "x:0"], "G2", "weight over 0"),
        ([1, "single", "AB", "A", 1, None, "x:-1; y:2"], "G2", "weight over 0"),
        ([1, "single", "AB", "A", 1, None, "x:two"], "G2", "weight over 0"),
        ([1, "single", "AB", "A", 1, None, "x:1; y"], "G2", "all or none"),
        ([1, "single", "AB", "A", 1, None, "x; x"], "G2", "twice"),
        ([1, "single", "AB", "A", 1, None, "x, y"], "G2", "semicolons"),
        ([1, "single", "AB", "A", 1, None, "x:0.0000000001; y:1"], "G2", "vanishingly"),
        ([1, "single", "AB", "A", 1, None, None, "x" * 201], "H2", "longer than 200"),
        ([1, "single", "AB", "A", 1, None, None, None, 1.1], "I2", "0 to 1"),
        ([1, "single", "AB", "A", 1, None, None, None, "easy"], "I2", "0 to 1"),
    ],
)
def test_each_fault_of_an_item_names_its_cell(tmp_path, row, cell, message):
    faults = item_faults(tmp_path, row)
    assert list(faults) == [f"items!{cell}"]
    assert message in faults[f"items!{cell}"]


def test_an_unknown_item_column_is_a_fault_with_a_suggestion(tmp_path):
    header = ["item", "type", "options", "key", "points", "knowlege points"]
    faults = item_faults(tmp_path, [1, "single", "AB", "A", 1, "x"], header=header)
    assert "did you mean “knowledge points”" in faults["items!F1"]


@pytest.mark.parametrize("column", ["XAD", "XFD"])
def test_an_item_column_is_a_fault_however_far_it_stands(tmp_path, column):
    path = build(tmp_path / "exam.xlsx")
    workbook = load_workbook(path)
    workbook["items"][f"{column}1"] = "hint"
    workbook.save(path)
    assert f"items!{column}1" in faults_of(path)


def test_more_items_than_any_exam_are_a_fault(tmp_path):
    rows = [[n, "single", "ABCD", "B", 1] for n in range(1, 503)]
    assert item_faults(tmp_path, *rows) == {
        "items!A502": "item 501 of 502: an exam has at most 500 items; remove the rows that are "
        "none, or split the exam"
    }
    header = EN_ITEMS[0]
    assert len(load_exam(build(tmp_path / "most.xlsx", items=[header, *rows[:500]])).items) == 500


def test_a_column_twice_is_a_fault(tmp_path):
    header = ["item", "type", "options", "key", "points", "Points"]
    faults = item_faults(tmp_path, [1, "single", "AB", "A", 1, 2], header=header)
    assert "items!E1 too" in faults["items!F1"]


def test_missing_columns_are_all_named(tmp_path):
    faults = []
    with pytest.raises(FaultyFileError) as caught:
        load_exam(
            build(tmp_path / "exam.xlsx", items=[["item", "key"], [1, "A"]], roster=[["x"], [1]])
        )
    faults = [fault.message for fault in caught.value.faults]
    assert "column “type” (题型) is missing" in faults
    assert "column “points” (满分) is missing" in faults
    assert "column “candidate number” (考号) is missing" in faults


def test_an_objective_item_needs_the_columns_of_options_and_key(tmp_path):
    faults = item_faults(tmp_path, [1, "single", 1], header=["item", "type", "points"])
    assert "column “options”" in faults["items!B2"]


def test_missing_and_doubled_sheets(tmp_path):
    assert (
        "sheet “items” (试题) is missing"
        in faults_of(build(tmp_path / "exam.xlsx", items=None))["workbook"]
    )
    assert "for this too" in faults_of(build(tmp_path / "exam.xlsx", 试题=EN_ITEMS))["试题"]


def test_a_missing_setting_is_a_fault_of_the_sheet(tmp_path):
    faults = faults_of(build(tmp_path / "exam.xlsx", exam=EN_SETTINGS[:3]))
    assert faults == {"exam": "no language (语言); add the setting"}


def test_a_setting_twice_is_a_fault(tmp_path):
    faults = faults_of(build(tmp_path / "exam.xlsx", exam=[*EN_SETTINGS, ["考试名称", "Quiz"]]))
    assert "twice" in faults["exam!A5"]


def test_thresholds_must_rise(tmp_path):
    settings = [*EN_SETTINGS, ["excellent", 0.5]]
    assert "rise" in faults_of(build(tmp_path / "exam.xlsx", exam=settings))["exam"]


def test_an_exam_without_items_is_a_fault(tmp_path):
    assert "no items" in faults_of(build(tmp_path / "exam.xlsx", items=EN_ITEMS[:1]))["items"]


def test_a_void_item_needs_no_key(tmp_path):
    rows = [EN_ITEMS[0], [1, "single", "ABCD", None, 3, "void"]]
    assert load_exam(build(tmp_path / "exam.xlsx", items=rows)).items[0].key == ()


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(FaultyFileError, match="inkmark new"):
        load_exam(tmp_path)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_untouched_template_is_a_sound_exam(tmp_path, language):
    exam_id = write_template(tmp_path / "exam.xlsx", language=language)
    exam = load_exam(tmp_path)
    assert (exam.id, exam.language) == (exam_id, language)
    assert {item.type for item in exam.items} == set(ItemType)
    assert len(exam.candidates) == 4
