"""The names that people read and write in the exam workbook, in Chinese and English.

One table for reading, writing and the documentation: sheets, settings of the exam sheet,
columns of the other sheets, and the words for item types, levels, yes and no.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inkmark.errors import Fault
from inkmark.exam.model import ItemType
from inkmark.exam.tables import Cell, Table, fold

__all__ = [
    "EXAM_SHEET",
    "ITEMS_SHEET",
    "ITEM_COLUMNS",
    "ITEM_TYPES",
    "ITEM_TYPE_NAMES",
    "LANGUAGES",
    "LEVELS",
    "POLICY_SETTINGS",
    "ROSTER_COLUMNS",
    "ROSTER_SHEET",
    "SETTINGS",
    "SETTING_TITLES",
    "YES_NO",
    "YES_NO_NAMES",
    "Heading",
    "TextPair",
    "find_columns",
    "suggestion",
]


@dataclass(frozen=True, slots=True)
class TextPair:
    """The same words in both languages."""

    zh: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Heading:
    """A column, or a row of the exam sheet.

    Attributes
    ----------
    name : str
        The field of the model.
    title : TextPair
        As written into new workbooks.
    note : TextPair
        What to enter, for the person who fills the workbook.
    required : bool
        Whether it must be there and filled.
    width : int
        Column width in characters.
    also : tuple of str
        Further names that are understood.
    """

    name: str
    title: TextPair
    note: TextPair = TextPair("", "")
    required: bool = False
    width: int = 12
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is understood."""
        return (self.title.zh, self.title.en, self.name, *self.also)


EXAM_SHEET = Heading("exam", TextPair("考试", "exam"), required=True, also=("考试信息",))
ITEMS_SHEET = Heading(
    "items",
    TextPair("试题", "items"),
    required=True,
    also=("双向细目表", "细目表", "blueprint"),
)
ROSTER_SHEET = Heading("roster", TextPair("名单", "roster"), also=("学生名单", "考生名单"))

SETTING_TITLES = (
    TextPair("设置", "setting"),
    TextPair("内容", "value"),
    TextPair("说明", "note"),
)
SETTINGS = (
    Heading(
        "id",
        TextPair("考试编号", "exam id"),
        TextPair(
            "印在每张答题卡的二维码里，生成后请勿更改；4–16 位大写字母、数字或 -",
            "printed in the QR code of every sheet, do not change it; 4-16 of A-Z 0-9 -",
        ),
        True,
        also=("编号",),
    ),
    Heading(
        "title",
        TextPair("考试名称", "title"),
        TextPair("印在答题卡和报告上", "printed on sheets and reports"),
        True,
        also=("名称", "标题"),
    ),
    Heading("subject", TextPair("学科", "subject"), also=("科目",)),
    Heading("grade", TextPair("年级", "grade")),
    Heading(
        "date",
        TextPair("考试日期", "date"),
        TextPair("例如 2026-06-18", "for instance 2026-06-18"),
        also=("日期",),
    ),
    Heading(
        "language",
        TextPair("语言", "language"),
        TextPair("zh 或 en：答题卡和报告的语言", "zh or en: language of sheets and reports"),
        True,
    ),
)

POLICY_SETTINGS = (
    Heading(
        "excellent",
        TextPair("优秀线", "excellent"),
        TextPair("总分占满分的比例，达到即为优秀", "share of the full mark, reached or passed"),
        also=("优秀", "优秀率"),
    ),
    Heading(
        "good",
        TextPair("良好线", "good"),
        TextPair("总分占满分的比例，达到即为良好", "share of the full mark, reached or passed"),
        also=("良好", "良好率"),
    ),
    Heading(
        "passing",
        TextPair("及格线", "pass"),
        TextPair("总分占满分的比例，达到即为及格", "share of the full mark, reached or passed"),
        also=("及格", "及格率"),
    ),
    Heading(
        "low",
        TextPair("低分线", "low"),
        TextPair("总分占满分的比例，低于即为低分", "share of the full mark, stayed below"),
        also=("低分", "低分率"),
    ),
    Heading(
        "absent_as_zero",
        TextPair("缺考计零分", "absent as zero"),
        TextPair(
            "是：缺考按 0 分计入统计；否：缺考不计入", "yes: absent count with 0; no: left out"
        ),
    ),
    Heading(
        "band_width",
        TextPair("分数段宽度", "band width"),
        TextPair("分数段统计每段的分数", "points in a score band"),
        also=("分数段",),
    ),
    Heading(
        "mastery_points_floor",
        TextPair("掌握度最少分值", "mastery points floor"),
        TextPair(
            "知识点满分合计低于此值时报告“证据不足”",
            "below these full-mark points on a knowledge point: not enough evidence",
        ),
    ),
    Heading(
        "mastery_items_floor",
        TextPair("掌握度最少题数", "mastery items floor"),
        TextPair(
            "知识点题数低于此值时报告“证据不足”",
            "below this number of items on a knowledge point: not enough evidence",
        ),
    ),
    Heading(
        "practice_items",
        TextPair("练习题数", "practice items"),
        TextPair("每位学生练习卷的题数", "items in a personal practice set"),
    ),
)

ITEM_COLUMNS = (
    Heading(
        "number",
        TextPair("题号", "item"),
        TextPair("与试卷一致，不重复，例如 1、17、21(2)", "as printed, unique: 1, 17, 21(2)"),
        True,
        8,
        ("小题号", "试题号", "item number", "no", "question", "q"),
    ),
    Heading(
        "type",
        TextPair("题型", "type"),
        TextPair(
            "单选、多选、判断、填空、主观", "single, multiple, true/false, fill-in or subjective"
        ),
        True,
        12,
        ("类型", "试题类型", "item type"),
    ),
    Heading(
        "options",
        TextPair("选项", "options"),
        TextPair(
            "ABCD、A-D、A,B,C,D 或个数 4；判断题可空；填空、主观题留空",
            "ABCD, A-D, A,B,C,D or their number 4; true/false may stay empty; "
            "fill-in and subjective stay empty",
        ),
        False,
        12,
        ("备选项",),
    ),
    Heading(
        "key",
        TextPair("答案", "key"),
        TextPair(
            "单选 A；多选 AC；判断 对/错、√/×、T/F；填空的多个可接受答案用 | 隔开，"
            "1.5 m* 可换算单位，9.8±0.1 可有误差；主观题留空",
            "single A; multiple AC; true/false T or F; accepted fill-in answers separated by |, "
            "1.5 m* in any unit, 9.8 ± 0.1 with a tolerance; subjective stays empty",
        ),
        False,
        14,
        ("标准答案", "参考答案", "正确答案", "answer", "answer key", "keys"),
    ),
    Heading(
        "points",
        TextPair("满分", "points"),
        TextPair("大于 0，最多两位小数", "greater than 0, at most two decimals"),
        True,
        8,
        ("分值", "题分", "full mark", "full marks", "marks", "score"),
    ),
    Heading(
        "rule",
        TextPair("给分规则", "scoring rule"),
        TextPair(
            "空或 全对；按个给分；半对；漏选 2；倒扣 1；送分；表 AB=6; A=3; B=3",
            "empty or exact; count; half; subset 2; negative 1; void; table AB=6; A=3; B=3",
        ),
        False,
        20,
        ("评分规则", "计分规则", "rule"),
    ),
    Heading(
        "knowledge",
        TextPair("知识点", "knowledge points"),
        TextPair(
            "多个用分号隔开，可带权重：勾股定理:2; 圆:1",
            "several separated by semicolons, weights if wanted: Pythagoras:2; circle:1",
        ),
        False,
        44,
        ("考查知识点", "knowledge point", "topic", "topics"),
    ),
    Heading(
        "level",
        TextPair("认知层次", "cognitive level"),
        TextPair("识记、理解、应用、分析、综合、评价，或自定", "the planned level, in your words"),
        False,
        14,
        ("能力层次", "认知水平", "能力要求", "level"),
    ),
    Heading(
        "difficulty",
        TextPair("预设难度", "planned difficulty"),
        TextPair(
            "预计得分率 0–1 或百分数：0.7 或 70%",
            "expected share of the points, 0 (nobody) to 1 (everybody): 0.7 or 70%",
        ),
        False,
        12,
        ("难度", "预估难度", "planned facility", "difficulty"),
    ),
)

ROSTER_COLUMNS = (
    Heading(
        "number",
        TextPair("考号", "candidate number"),
        TextPair(
            "只含数字，位数相同，不重复；本列已设为文本，前面的 0 会保留",
            "digits only, all of one length, unique; the column is text, so leading zeros stay",
        ),
        True,
        18,
        ("准考证号", "考生号", "学号", "candidate", "candidate no", "student number", "student id"),
    ),
    Heading(
        "name",
        TextPair("姓名", "name"),
        TextPair("印在答题卡上", "printed on the sheet"),
        False,
        16,
        ("学生姓名", "student name", "candidate name"),
    ),
    Heading(
        "class_name",
        TextPair("班级", "class"),
        TextPair("统计和报告按班级分组", "figures and reports are by class"),
        False,
        14,
        ("班", "class name"),
    ),
    Heading(
        "school",
        TextPair("学校", "school"),
        TextPair(
            "其他列（如 座位号）会作为附加信息保留",
            "further columns, such as a seat, are kept as identifiers",
        ),
        False,
        22,
        ("学校名称", "school name"),
    ),
)

ITEM_TYPE_NAMES: Mapping[ItemType, TextPair] = {
    ItemType.SINGLE: TextPair("单选", "single"),
    ItemType.MULTIPLE: TextPair("多选", "multiple"),
    ItemType.TRUE_FALSE: TextPair("判断", "true/false"),
    ItemType.FILL_IN: TextPair("填空", "fill-in"),
    ItemType.SUBJECTIVE: TextPair("主观", "subjective"),
}

ITEM_TYPES: Mapping[str, ItemType] = {
    fold(word): kind
    for kind, words in {
        ItemType.SINGLE: ("单选", "单选题", "单项选择", "单项选择题", "single", "single choice"),
        # "multiple choice" is left out: to many it means one right answer of several options.
        ItemType.MULTIPLE: ("多选", "多选题", "多项选择", "多项选择题", "不定项", "multiple"),
        ItemType.TRUE_FALSE: ("判断", "判断题", "true/false", "true false", "t/f"),
        ItemType.FILL_IN: ("填空", "填空题", "fill-in", "fill in the blank", "blank"),
        ItemType.SUBJECTIVE: (
            "主观",
            "主观题",
            "解答",
            "解答题",
            "简答",
            "简答题",
            "计算",
            "计算题",
            "作文",
            "subjective",
            "open",
            "essay",
        ),
    }.items()
    for word in words
}

LEVELS = (
    TextPair("识记", "remember"),
    TextPair("理解", "understand"),
    TextPair("应用", "apply"),
    TextPair("分析", "analyse"),
    TextPair("综合", "synthesise"),
    TextPair("评价", "evaluate"),
)

LANGUAGES: Mapping[str, str] = {
    fold(word): code
    for code, words in {
        "zh": ("zh", "zh-cn", "中文", "汉语", "chinese"),
        "en": ("en", "英文", "英语", "english"),
    }.items()
    for word in words
}

YES_NO_NAMES: Mapping[bool, TextPair] = {True: TextPair("是", "yes"), False: TextPair("否", "no")}

YES_NO: Mapping[str, bool] = {
    fold(word): value
    for value, words in {
        True: ("是", "yes", "y", "true", "1"),
        False: ("否", "no", "n", "false", "0"),
    }.items()
    for word in words
}


def suggestion(word: str, known: Iterable[str]) -> str:
    """``"; did you mean …?"`` where a known name is close, else an empty string."""
    names = {fold(name): name for name in known}
    close = difflib.get_close_matches(fold(word), names, n=1, cutoff=0.6)
    return f"; did you mean “{names[close[0]]}”?" if close else ""


def find_columns(
    table: Table, headings: Sequence[Heading], faults: list[Fault]
) -> tuple[dict[str, int], tuple[tuple[Cell, int], ...]]:
    """Find which column of a table is what.

    Parameters
    ----------
    table : Table
    headings : sequence of Heading
    faults : list of Fault
        Gets a fault for every missing required column and every column that is there twice.

    Returns
    -------
    columns : dict of str to int
        Name of the heading to 0-based column.
    others : tuple of (Cell, int)
        Header cells of columns that are none of the headings.
    """
    positions: dict[str, int] = {}
    for index, cell in enumerate(table.header):
        if cell.fault:
            faults.append(Fault(cell.place, cell.fault))
        elif not cell.is_empty and fold(cell.text) in positions:
            first = table.header[positions[fold(cell.text)]].place
            faults.append(Fault(cell.place, f"column “{cell.text}” is at {first} too; keep one"))
        elif not cell.is_empty:
            positions[fold(cell.text)] = index
    columns: dict[str, int] = {}
    for heading in headings:
        # The earlier name wins: with 考号 and 学号 the second is a further identifier.
        index_of_name = (positions.pop(fold(name), None) for name in heading.names)
        found = next((index for index in index_of_name if index is not None), None)
        if found is not None:
            columns[heading.name] = found
        elif heading.required:
            place = table.header[0].place if table.header else table.name
            faults.append(
                Fault(place, f"column “{heading.title.en}” ({heading.title.zh}) is missing")
            )
    return columns, tuple((table.header[index], index) for index in positions.values())
