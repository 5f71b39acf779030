"""The demo's exam: items over knowledge points of the built-in bank, and a roster."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from inkmark.bank import LEVELS, load_bank
from inkmark.exam import Candidate, Exam, Item, ItemType, Policy, RuleKind, ScoringRule

__all__ = ["FillIn", "fill_ins", "invent_exam"]

_POINTS = (
    "polynomials",
    "linear-equations",
    "equation-systems",
    "inequalities",
    "linear-functions",
    "congruent-triangles",
    "pythagoras",
    "statistics",
)
_LETTERS = ("A", "B", "C", "D")

# Type, how many, points of one, planned facility of the first and of the last.
_SECTIONS = (
    (ItemType.SINGLE, 20, Decimal(3), 0.93, 0.45),
    (ItemType.MULTIPLE, 8, Decimal(4), 0.68, 0.36),
    (ItemType.TRUE_FALSE, 10, Decimal(1), 0.90, 0.60),
    (ItemType.SUBJECTIVE, 2, Decimal(9), 0.58, 0.42),
)

_SECTIONS_BY_HAND = (
    (ItemType.SINGLE, 16, Decimal(3), 0.93, 0.45),
    (ItemType.MULTIPLE, 4, Decimal(4), 0.68, 0.36),
    (ItemType.TRUE_FALSE, 8, Decimal(1), 0.90, 0.60),
    (ItemType.FILL_IN, 8, Decimal(3), 0.85, 0.50),
    (ItemType.SUBJECTIVE, 3, Decimal(8), 0.58, 0.42),
)


@dataclass(frozen=True, slots=True)
class FillIn:
    """A fill-in item, and what candidates write.

    Attributes
    ----------
    key : tuple of str
        Accepted answers.
    right : tuple of str
        Ways of writing them.
    wrong : tuple of str
    """

    key: tuple[str, ...]
    right: tuple[str, ...]
    wrong: tuple[str, ...]


_NUMBERS = (
    FillIn(("12",), ("12",), ("10", "21", "-12")),
    FillIn(("-3",), ("-3",), ("3", "-2", "-5")),
    FillIn(("1/2",), ("1/2", "0.5"), ("2", "1/3", "0.2")),
    FillIn(("3.6",), ("3.6",), ("36", "3.4", "6.3")),
    FillIn(("7/12",), ("7/12",), ("5/12", "12/7", "1/12")),
    FillIn(("25cm", "0.25m"), ("25cm", "0.25m"), ("20cm", "25m", "50cm")),
    FillIn(("SAS",), ("SAS",), ("SSS", "ASA", "AAS")),
)
_FILL_INS = {
    "zh": (*_NUMBERS, FillIn(("四",), ("四", "4"), ("五", "三", "六"))),
    "en": (*_NUMBERS, FillIn(("mean",), ("mean",), ("mode", "median", "range"))),
}

_WORDS = {
    "zh": {
        "title": "八年级数学期末检测（演示）",
        "subject": "数学",
        "grade": "八年级",
        "school": "示例中学",
        "class": "八（{}）班",
        "true": ("√", "×"),
    },
    "en": {
        "title": "Grade 8 Mathematics, End of Term (Demo)",
        "subject": "Mathematics",
        "grade": "Grade 8",
        "school": "Sample School",
        "class": "Class 8-{}",
        "true": ("T", "F"),
    },
}

# Names are put together by chance; nobody is meant.
_FAMILY_NAMES = {
    "zh": "王 李 张 刘 陈 杨 黄 赵 周 吴 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 邓 韩 冯",
    "en": "Able Birch Clay Dale East Field Grove Hill Ives Jarrow Keel Lane Marsh North Oak Pike "
    "Quill Reed Stone Thorn Upton Vale West York",
}
_GIVEN_NAMES = {
    "zh": "安然 柏舟 初阳 晨曦 楚天 丹青 恩泽 方圆 舒云 冠宇 海宁 皓月 嘉禾 静远 君越 可心 乐山 "
    "明哲 念真 沛然 清扬 若水 思齐 天佑 望舒 文博 夏禾 心怡 星河 修远 雅南 一诺 雨桐 子墨 知行",
    "en": "Ada Ben Cora Dan Ella Finn Gwen Hugo Iris Jack Kate Leo Mia Noah Olive Paul Rose Sam "
    "Tess Will",
}


def invent_exam(
    language: str, n_candidates: int, rng: np.random.Generator, *, by_hand: bool = False
) -> Exam:
    """An exam of about 40 items and 120 points, with candidates in three classes.

    Parameters
    ----------
    language : {"zh", "en"}
    n_candidates : int
    rng : numpy.random.Generator
    by_hand : bool
        Whether it has fill-in items.
    """
    words = _WORDS[language]
    bank = load_bank()
    names = {point.id: point.name.text(language) for point in bank.points}
    items: list[Item] = []
    for kind, count, points, first, last in _SECTIONS_BY_HAND if by_hand else _SECTIONS:
        for k, facility in enumerate(np.linspace(first, last, count).round(2)):
            place = len(items)
            main, other = (names[_POINTS[(place + far) % len(_POINTS)]] for far in (0, 3))
            about: tuple[tuple[str, Decimal], ...] = ((main, Decimal(1)),)
            if kind is ItemType.SUBJECTIVE:
                about = ((main, Decimal("0.6")), (other, Decimal("0.4")))
            options = _options(kind, language)
            key = _FILL_INS[language][k].key if kind is ItemType.FILL_IN else ()
            items.append(
                Item(
                    str(place + 1),
                    kind,
                    options,
                    key or _key(kind, options, rng),
                    points,
                    ScoringRule(RuleKind.HALF if kind is ItemType.MULTIPLE else RuleKind.EXACT),
                    about,
                    LEVELS[_level(float(facility))].text(language),
                    float(facility),
                )
            )
    return Exam(
        "DEMO",
        str(words["title"]),
        str(words["subject"]),
        str(words["grade"]),
        dt.date(2026, 1, 15),
        language,
        Policy(),
        tuple(items),
        _roster(language, n_candidates, rng),
    )


def fill_ins(exam: Exam) -> dict[str, FillIn]:
    """The fill-in items of an exam of the demo, by number."""
    numbers = [item.number for item in exam.items if item.type is ItemType.FILL_IN]
    return dict(zip(numbers, _FILL_INS[exam.language], strict=False))


def _options(kind: ItemType, language: str) -> tuple[str, ...]:
    if kind in (ItemType.FILL_IN, ItemType.SUBJECTIVE):
        return ()
    return tuple(_WORDS[language]["true"]) if kind is ItemType.TRUE_FALSE else _LETTERS


def _key(kind: ItemType, options: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
    if not options:
        return ()
    size = int(rng.integers(2, 4)) if kind is ItemType.MULTIPLE else 1
    chosen = set(rng.choice(len(options), size, replace=False).tolist())
    return tuple(label for i, label in enumerate(options) if i in chosen)


def _level(facility: float) -> str:
    for level, floor in (("know", 0.8), ("understand", 0.62), ("apply", 0.45)):
        if facility >= floor:
            return level
    return "analyse"


def _roster(language: str, count: int, rng: np.random.Generator) -> tuple[Candidate, ...]:
    words = _WORDS[language]
    given, family = _GIVEN_NAMES[language].split(), _FAMILY_NAMES[language].split()
    pairs = rng.choice(len(given) * len(family), count, replace=False)
    candidates = []
    for group, places in enumerate(np.array_split(np.arange(count), 3), start=1):
        for seat, place in enumerate(places.tolist(), start=1):
            first, last = given[pairs[place] % len(given)], family[pairs[place] // len(given)]
            candidates.append(
                Candidate(
                    f"2608{group:02d}{seat:02d}",
                    last + first if language == "zh" else f"{first} {last}",
                    str(words["class"]).format(group),
                    str(words["school"]),
                )
            )
    return tuple(candidates)
