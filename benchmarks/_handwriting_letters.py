"""Items answered by a letter in a box, and what goes wrong in boxes."""

from __future__ import annotations

import functools
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
    outcome_of,
    writers,
)
from inkmark.exam import Item, ItemType
from inkmark.layouts import AnswerForm, BoxFrame, NumberForm, SheetOptions
from inkmark.simulator import Slip

__all__ = ["slips", "table"]

_SETS = {"ABCD": 30, "ABCDEFG": 30, "TF": 20}
"""Items of a page by their options."""
_ALL = ", all"
_NOTHING = "nothing is right"
_PAGES = 12
"""Pages of a row by default; each is another person's."""

Job = tuple[Sample, Capture, int, bool]


def table(sample: Sample) -> Figures:
    """Read pages of letters: each a person's."""
    jobs = [
        (sample, Capture(frame, dpi, level), sample.seed + k, False)
        for frame in BoxFrame
        for dpi in sample.dpis
        for level in LEVELS
        for k in range(sample.times(_PAGES))
    ]
    note = (
        "The test part of handwritten62 has 30 of each letter, which are written here many times "
        "in other sizes, slants and pens: the bounds hold for these 30 shapes."
    )
    return _figures("letters", jobs, sample.workers, note)


def slips(sample: Sample) -> Figures:
    """Read pages in which every other answer went wrong in one way."""
    jobs = [
        (sample, Capture(BoxFrame.DARK, 200.0, level), sample.seed + k, True)
        for level in LEVELS
        for k in range(sample.times(_PAGES))
    ]
    note = (
        "One way in which writing goes wrong on each page, in every other box. Letters that "
        "touch or cross the frame or stand over another one may be read; anything else has to "
        "be flagged."
    )
    return _figures("slips", jobs, sample.workers, note)


def _figures(name: str, jobs: list[Job], workers: int, note: str) -> Figures:
    counted, cases = Outcomes(), []
    for outcomes, found in in_processes(_read_page, jobs, workers):
        counted.merge(outcomes)
        cases += found
    rows = sorted(counted.rows(name), key=lambda row: row.group.endswith(_ALL))
    return Figures(tuple(rows), (note,), tuple(cases))


@functools.cache
def _sheet(frame: BoxFrame) -> Sheet:
    items: list[Item] = []
    for options, n in _SETS.items():
        kind = ItemType.TRUE_FALSE if options == "TF" else ItemType.SINGLE
        for _ in range(n):
            number = str(len(items) + 1)
            items.append(Item(number, kind, tuple(options), (options[0],), Decimal(1)))
    form = SheetOptions(number=NumberForm.BOXES, answers=AnswerForm.LETTERS, frame=frame)
    return Sheet(tuple(items), form)


def _read_page(job: Job) -> tuple[Outcomes, list[str]]:
    sample, capture, seed, with_slips = job
    rng = np.random.default_rng([seed, round(capture.dpi), LEVELS.index(capture.level)])
    sheet, hand = _sheet(capture.frame), writers(sample.specimens).hand(rng)
    wanted = {f"Q{item.number}": str(rng.choice(item.options)) for item in sheet.items}
    slip = list(Slip)[seed % len(Slip)] if with_slips else None
    spoilt = {name: {0: slip} for name in list(wanted)[::2]} if slip is not None else {}
    image = sheet.filled(capture, wanted, rng, hand=hand, slips=spoilt)
    readings = sheet.read(image, capture.dpi)
    counted, cases = Outcomes(), []
    for item in sheet.items:
        name = f"Q{item.number}"
        text, line = wanted[name], f"{item.options[0]}-{item.options[-1]}, {capture}"
        if name in spoilt and slip is not None:
            line = f"{slip}, level {capture.level.value}"
            text = text if slip.is_legible or slip is Slip.OVERWRITTEN else _NOTHING
        elif slip is not None:
            line = f"between {slip}, level {capture.level.value}"
        outcome = outcome_of(readings.get(name), text)
        counted.add(line, outcome)
        if slip is None:
            counted.add(f"{item.options[0]}-{item.options[-1]}{_ALL}", outcome)
        if outcome == "silent":
            value = readings[name].value
            cases.append(f"{line}, page {seed}, {name}: {wanted[name]} is read as {value!r}")
    return counted, cases
