"""What is printed on a sheet, in Chinese and English."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from inkmark.exam import ItemType

__all__ = ["Words", "date_text", "points_text", "section_number", "words"]


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language; names in braces are filled in by printing."""

    sheet: str
    name: str
    class_name: str
    number: str
    number_printed: str
    instructions: str
    rules: tuple[str, ...]
    rules_of_crossing: tuple[str, ...]
    """Where a completely filled bubble is a mark taken back."""
    rule_of_letters: str
    """In place of the rule of bubbles where no item has any, and else behind it."""
    rule_of_digits: str
    """Where the candidate number is given in boxes alone."""
    digits: str
    letters: str
    letters_of_truth: str
    numbers: str
    marker: str
    points: str
    total: str
    half: str
    right: str
    wrong: str
    cancelled: str
    absent: str
    types: Mapping[ItemType, str]
    section: str
    points_each: str
    points_total: str
    points_item: str
    frames: str
    page: str
    empty_page: str
    separator: str


_ZH = Words(
    sheet="答题卡",
    name="姓　名",
    class_name="班　级",
    number="考　号",
    number_printed="（已印好，不必填涂）",
    instructions="注意事项",
    rules=(
        "先填写姓名、班级和考号，再作答。",
        "选择题用 2B 铅笔填满涂黑；修改时用橡皮擦净。",
        "其他题用黑色签字笔写在框内，写在框外不计分。",
        "保持卡面平整清洁，不要遮挡四角和两侧的黑块。",
    ),
    rules_of_crossing=(
        "先填写姓名、班级和考号，再作答。考号填错时用橡皮擦净。",
        "选择题在所选项上打叉；取消时把该项填满涂黑，不必擦去。",
        "其他题用黑色签字笔写在框内，写在框外不计分。",
        "保持卡面平整清洁，不要遮挡四角和两侧的黑块。",
    ),
    rule_of_letters="选择题、判断题在方框内写一个大写字母；写错时划掉，在方框上方重写。",
    rule_of_digits="考号每格写一个数字，写清楚，不要碰到边框。",
    digits="数字样例",
    letters="每框写一个大写字母",
    letters_of_truth="正确写 {true}，错误写 {false}",
    numbers="分数写成 3/4",
    marker="阅卷人填写",
    points="得分",
    total="总分",
    half="半分写 .5",
    right="正确",
    wrong="错误",
    cancelled="取消",
    absent="缺考标记（考生禁填，由监考员填涂）",
    types={
        ItemType.SINGLE: "单项选择题",
        ItemType.MULTIPLE: "多项选择题",
        ItemType.TRUE_FALSE: "判断题",
        ItemType.FILL_IN: "填空题",
        ItemType.SUBJECTIVE: "解答题",
    },
    section="{number}、{type}",
    points_each="每题 {each} 分，共 {total} 分",
    points_total="共 {total} 分",
    points_item="（{points} 分）",
    frames="请在框内作答，写在框外不计分",
    page="第 {page} 页　共 {pages} 页",
    empty_page="本页无题目，请勿书写",
    separator="　",
)

_EN = Words(
    sheet="Answer Sheet",
    name="Name",
    class_name="Class",
    number="Candidate number",
    number_printed="(printed: no need to fill)",
    instructions="Instructions",
    rules=(
        "Write your name, class and candidate number first.",
        "Fill each chosen bubble completely with a soft pencil; erase cleanly to change.",
        "Write other answers in black ink inside the frames; nothing outside counts.",
        "Keep the sheet flat and clean; leave the black marks at the edges uncovered.",
    ),
    rules_of_crossing=(
        "Write your name, class and candidate number first; erase a wrong digit cleanly.",
        "Cross each chosen bubble; to take a cross back, fill that bubble completely.",
        "Write other answers in black ink inside the frames; nothing outside counts.",
        "Keep the sheet flat and clean; leave the black marks at the edges uncovered.",
    ),
    rule_of_letters="Write one capital letter in each small box; if wrong, cross it out and "
    "write above.",
    rule_of_digits="Write one digit of your number in each box, clear of the frame.",
    digits="Digits",
    letters="one capital letter in each box",
    letters_of_truth="{true} for true, {false} for false",
    numbers="fractions like 3/4",
    marker="The marker writes here",
    points="Points",
    total="Total",
    half="half: .5",
    right="Right",
    wrong="Wrong",
    cancelled="Cancelled",
    absent="Absent (for the invigilator only)",
    types={
        ItemType.SINGLE: "Single choice",
        ItemType.MULTIPLE: "Multiple choice",
        ItemType.TRUE_FALSE: "True or false",
        ItemType.FILL_IN: "Short answers",
        ItemType.SUBJECTIVE: "Written answers",
    },
    section="Part {number}: {type}",
    points_each="points: {each} each, {total} in total",
    points_total="points: {total}",
    points_item="(points: {points})",
    frames="Write inside the frames; nothing outside counts",
    page="Page {page} of {pages}",
    empty_page="No items on this page; do not write here",
    separator="   ",
)


def words(language: str) -> Words:
    """The texts for a language: ``"zh"``, else English."""
    return _ZH if language == "zh" else _EN


def section_number(index: int, language: str) -> str:
    """Number of a section for people; Chinese numerals up to 99 in Chinese."""
    number = index + 1
    if language != "zh" or number > 99:
        return str(number)
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    return (
        ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")
    )


def date_text(date: dt.date, language: str) -> str:
    """A date as people write it."""
    if language == "zh":
        return f"{date.year} 年 {date.month} 月 {date.day} 日"
    months = "January February March April May June July August September October November December"
    return f"{date.day} {months.split()[date.month - 1]} {date.year}"


def points_text(points: Decimal) -> str:
    """Points without trailing zeros."""
    return f"{points.normalize():f}"
