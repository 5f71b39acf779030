"""Answer groups: how pure they are, and how much of a class the ten largest settle."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import numpy as np

from benchmarks._handwriting import (
    LEVELS,
    Capture,
    Figures,
    Sample,
    Sheet,
    in_processes,
    writers,
)
from benchmarks.contract import Better, Kind, Row
from inkmark.ctc import Choices
from inkmark.exam import Item, ItemType
from inkmark.layouts import BoxFrame, NumberForm, SheetOptions, WritingField
from inkmark.marking import group_answers
from inkmark.readings import FieldReading, Flag

__all__ = ["table"]

_CLASS = 200
_LARGEST = 10
_RIGHT, _POPULAR = 0.5, 0.42
"""Shares of a class that give the right answer, and one of the popular wrong ones; the rest
writes what hardly anybody else does, or nothing."""
_BLANK = 0.25
"""Share of that rest that writes nothing."""

_ITEMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("0.5", ("1/2", "0.25", "2", "5", "-0.5", "1/4", "0.05", "50")),
    ("12", ("-12", "13", "24", "6", "10", "21", "120", "2")),
    ("3.14", ("3.1", "31.4", "3.4", "6.28", "1.57", "3")),
    ("-7", ("7", "-3", "11", "-17", "1", "0")),
    ("2/3", ("3/2", "1/3", "4/3", "0.67", "0.6", "2")),
    ("144", ("12", "114", "124", "142", "140", "288")),
    ("1024", ("1000", "512", "2048", "1042", "102")),
    ("0.125", ("1/8", "0.12", "0.25", "0.8", "8")),
    ("12cm", ("12", "12cm²", "24cm", "6cm", "12m", "1.2cm")),
    ("energy", ("force", "light", "mass", "speed")),
    ("上", ("下", "中", "大")),
    ("三", ("二", "四", "五", "一")),
)
"""Keys, and wrong answers (or other forms of the right one) from popular to rare."""

_Read = tuple[str, "Choices | None"]
"""What was written, and the steps that were read; None for blank."""


def table(sample: Sample) -> Figures:
    """Group the answers of a class, each page by another person."""
    students = round(_CLASS * min(sample.size, 1.0))
    jobs = [(sample, sample.seed + k) for k in range(students)]
    answers: dict[str, list[_Read]] = {}
    missed = 0
    for page in in_processes(_read_page, jobs, sample.workers):
        missed += not page
        for name, read in page.items():
            answers.setdefault(name, []).append(read)
    fields = {f.name: f for f in _sheet().layout.fields() if isinstance(f, WritingField)}
    rows: list[Row] = []
    totals: Counter[str] = Counter()
    cases: list[str] = []
    for name, own in answers.items():
        counts = _count(own, fields[name].charset, cases)
        rows += _rows(_ITEMS[int(fields[name].item) - 1][0], counts)
        totals += counts
    rows += _rows("all", totals)
    note = (
        f"One class of {students} people of the test part; {missed} pages were refused. Purity is "
        "the share of answers that say what most of their group say; sure groups are those whose "
        "members say so with 95 %. The ten largest groups would settle 'at best' if every answer "
        "were read right."
    )
    return Figures(tuple(rows), (note,), tuple(cases))


def _sheet() -> Sheet:
    items = tuple(
        Item(str(k + 1), ItemType.FILL_IN, (), (f'"{key}"' if key > "9" else key,), Decimal(1))
        for k, (key, _) in enumerate(_ITEMS)
    )
    return Sheet(items, SheetOptions(number=NumberForm.BOXES, frame=BoxFrame.PALE))


def _read_page(job: tuple[Sample, int]) -> dict[str, _Read]:
    sample, seed = job
    rng = np.random.default_rng([seed, 7])
    capture = Capture(BoxFrame.PALE, 200.0, LEVELS[int(rng.integers(len(LEVELS)))])
    sheet = _sheet()
    texts = {f"W{k + 1}": _answer(k, rng) for k in range(len(_ITEMS))}
    hand = writers(sample.specimens).hand(rng)
    image = sheet.filled(capture, {n: t for n, t in texts.items() if t}, rng, hand=hand)
    readings = sheet.read(image, capture.dpi)
    return {name: (texts[name], _steps(readings[name])) for name in texts if name in readings}


def _answer(item: int, rng: np.random.Generator) -> str:
    key, wrong = _ITEMS[item]
    chance = rng.random()
    if chance < _RIGHT:
        return key
    if chance < _RIGHT + _POPULAR:
        weights = 1.0 / np.arange(1, len(wrong) + 1) ** 1.2
        return wrong[int(rng.choice(len(wrong), p=weights / weights.sum()))]
    if rng.random() < _BLANK:
        return ""
    return str(int(rng.integers(0, 1000))) if key < "一" else "小"


def _steps(reading: FieldReading) -> Choices | None:
    blank = not reading.value and not reading.choices and reading.flag is Flag.OK
    return None if blank else reading.choices


def _count(answers: list[_Read], charset: str, cases: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    groups = group_answers([steps for _, steps in answers], charset)
    for rank, group in enumerate(groups):
        texts = [answers[k][0] for k in group.members]
        most, n_most = Counter(texts).most_common(1)[0]
        counts["answers"] += len(texts)
        counts["pure"] += n_most
        counts["groups"] += 1
        counts["largest"] += len(texts) if rank < _LARGEST else 0
        if group.is_sure:
            counts["sure"] += len(texts)
            counts["sure and pure"] += n_most
            cases += [f"{t!r} is surely with {most!r}" for t in texts if t != most]
    sizes = Counter(text for text, _ in answers).most_common(_LARGEST)
    counts["at best"] = sum(n for _, n in sizes)
    return counts


def _rows(line: str, counts: Counter[str]) -> list[Row]:
    n = counts["answers"]
    figures = {
        "n": (n, "", Better.NEITHER),
        "groups": (counts["groups"], "", Better.LOWER),
        "purity %": (100 * counts["pure"] / n, "%", Better.HIGHER),
        "sure %": (100 * counts["sure"] / n, "%", Better.HIGHER),
        "purity of sure %": (
            100 * counts["sure and pure"] / max(counts["sure"], 1),
            "%",
            Better.HIGHER,
        ),
        "ten largest %": (100 * counts["largest"] / n, "%", Better.HIGHER),
        "at best %": (100 * counts["at best"] / n, "%", Better.NEITHER),
    }
    return [
        Row(
            label,
            value,
            unit,
            Kind.COUNT if not unit else Kind.ACCURACY,
            better,
            group=f"groups: {line}",
        )
        for label, (value, unit, better) in figures.items()
    ]
