"""Fill-in answers: accepted, refused or handed to a person, against what was written."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from benchmarks._handwriting import (
    LEVELS,
    Capture,
    Figures,
    Outcomes,
    Sample,
    Sheet,
    in_processes,
    writers,
)
from inkmark.exam import Item, ItemType
from inkmark.layouts import BoxFrame, NumberForm, SheetOptions
from inkmark.marking import Verdict, is_accepted, judge_fill_in
from inkmark.readings import FieldReading
from tools.fill_in_samples import draw_answer

__all__ = ["table"]

_N_ITEMS = 24
_PAGES = 12
"""Pages of a row by default; each is another person's."""

Job = tuple[Sample, Capture, int]


def table(sample: Sample) -> Figures:
    """Judge pages of answers, right, nearly right and wrong; each page is a person's."""
    jobs = [
        (sample, Capture(frame, 200.0, level), sample.seed + k)
        for frame in BoxFrame
        for level in LEVELS
        for k in range(sample.times(_PAGES))
    ]
    counted, cases = Outcomes(), []
    for outcomes, found in in_processes(_read_page, jobs, sample.workers):
        counted.merge(outcomes)
        cases += found
    note = (
        "Answers are numbers, amounts with units, lists, words and Chinese numerals. Right is a "
        "right answer that is accepted or a wrong one that is refused, flagged goes to a person, "
        "silent is judged wrongly."
    )
    rows = sorted(counted.rows("fill-in"), key=lambda row: (" dpi" in row.group, row.group))
    return Figures(tuple(rows), (note,), tuple(cases))


def _read_page(job: Job) -> tuple[Outcomes, list[str]]:
    sample, capture, seed = job
    rng = np.random.default_rng([seed, LEVELS.index(capture.level)])
    answers = [draw_answer(rng) for _ in range(_N_ITEMS)]
    items = tuple(
        Item(str(k + 1), ItemType.FILL_IN, (), key, Decimal(1))
        for k, (key, _) in enumerate(answers)
    )
    sheet = Sheet(items, SheetOptions(number=NumberForm.BOXES, frame=capture.frame))
    texts = {f"W{k + 1}": text for k, (_, text) in enumerate(answers)}
    hand = writers(sample.specimens).hand(rng)
    readings = sheet.read(sheet.filled(capture, texts, rng, hand=hand), capture.dpi)
    counted, cases = Outcomes(), []
    for k, (key, text) in enumerate(answers):
        reading = readings.get(f"W{k + 1}")
        is_right = is_accepted(key, text)
        outcome = _outcome(key, reading, is_right=is_right)
        kind = _kind(key[0])
        for line in (
            f"{capture}, {'right' if is_right else 'wrong'} answers",
            f"{kind}, {'right' if is_right else 'wrong'} answers",
        ):
            counted.add(line, outcome)
        if outcome == "silent" and reading is not None:
            cases.append(
                f"{capture}, page {seed}: {text} for {key[0]} is read as {reading.value!r} "
                f"and {'refused' if is_right else 'accepted'}"
            )
    return counted, cases


def _outcome(key: tuple[str, ...], reading: FieldReading | None, *, is_right: bool) -> str:
    if reading is None or not reading.choices:
        return "flagged"
    verdict = judge_fill_in(key, reading.choices).verdict
    if verdict is Verdict.PERSON:
        return "flagged"
    return "right" if (verdict is Verdict.ACCEPTED) is is_right else "silent"


def _kind(key: str) -> str:
    if any(sign >= "一" for sign in key):
        return "Chinese numerals and words"
    if not any(sign.isdigit() for sign in key):
        return "short words"
    if any(sign in ",=" for sign in key):
        return "lists and statements"
    return (
        "amounts with units" if any(sign.isalpha() or sign in "°%" for sign in key) else "numbers"
    )
