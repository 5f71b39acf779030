"""Candidate numbers in boxes: exact without a roster, and matched with one."""

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
from inkmark.exam import Candidate, Item, ItemType
from inkmark.layouts import BoxFrame, NumberForm, SheetOptions
from inkmark.marking import NumberEvidence, identify_sheets

__all__ = ["table"]

N_CANDIDATES, N_PRESENT, N_DIGITS = 100, 80, 10
NUMBER = "candidate_written"
_OF_A_SET = "digits of "
_ITEMS = (Item("1", ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)),)

Job = tuple[Sample, Capture, int]


def table(sample: Sample) -> Figures:
    """Read the numbers of classes: 80 of 100 candidates are there.

    Numbers of a class have their first six digits in common, as real ones have, so that a
    digit that is misread gives another candidate's number more often than not.
    """
    jobs = [
        (sample, Capture(frame, dpi, level), sample.seed + k)
        for frame in BoxFrame
        for dpi in sample.dpis
        for level in LEVELS
        for k in range(sample.times(1))
    ]
    counted, cases = Outcomes(), []
    for outcomes, found in in_processes(_read_class, jobs, sample.workers):
        counted.merge(outcomes)
        cases += found
    note = (
        "Numbers of ten digits by people of the test sets, 80 sheets of a class of 100. Without a "
        "roster: exact is the share that is read right, flagged or not. With the roster: right "
        "is the share of sheets that get their candidate, flagged goes to a person, exact is "
        "the share whose likeliest candidate is the right one. Lines of one set of digits hold "
        "all frames and levels, in which the same writings stand."
    )
    rows = sorted(
        counted.rows("numbers", {"exact %": "exact"}), key=lambda row: _OF_A_SET in row.group
    )
    return Figures(tuple(rows), (note,), tuple(cases))


@functools.cache
def _sheet(frame: BoxFrame) -> Sheet:
    options = SheetOptions(number=NumberForm.BOXES, frame=frame, candidate_digits=N_DIGITS)
    return Sheet(_ITEMS, options)


def _read_class(job: Job) -> tuple[Outcomes, list[str]]:
    sample, capture, seed = job
    rng = np.random.default_rng([seed, round(capture.dpi), LEVELS.index(capture.level)])
    roster = tuple(Candidate(number) for number in _class_list(rng))
    present = [roster[k].number for k in rng.permutation(N_CANDIDATES)[:N_PRESENT].tolist()]
    counted, cases, evidence = Outcomes(), [], []
    sheet, people = _sheet(capture.frame), writers(sample.specimens)
    for number in present:
        hand = people.hand(rng)
        image = sheet.filled(capture, {NUMBER: number}, rng, hand=hand)
        reading = sheet.read(image, capture.dpi).get(NUMBER)
        line, outcome = f"{capture}, free", outcome_of(reading, number)
        for part in (line, f"{_OF_A_SET}{hand.digits}, {capture.dpi:.0f} dpi, free"):
            counted.add(part, outcome)
            counted.add(part, "exact", int(reading is not None and reading.value == number))
        if reading is not None and reading.value != number:
            whose = f"{hand.digits}, class {seed}"
            cases.append(f"{line}, {whose}: {number} is {outcome} as {reading.value}")
        evidence.append([] if reading is None else [NumberEvidence.of_reading(reading)])
    for number, identity in zip(present, identify_sheets(evidence, roster), strict=True):
        line = f"{capture}, roster"
        is_right = identity.candidate == number
        outcome = "right" if is_right else "silent" if identity.candidate else "flagged"
        counted.add(line, outcome)
        counted.add(line, "exact", int(dict(identity.guesses[:1]).get(number, 0) > 0))
        if not is_right:
            cases.append(f"{line}, class {seed}: {number} is {outcome} as {identity.guesses[:3]}")
    return counted, cases


def _class_list(rng: np.random.Generator) -> list[str]:
    start = "".join(str(d) for d in rng.integers(0, 10, 6))
    return [f"{start}{1 + k // 50:02d}{1 + k % 50:02d}" for k in range(N_CANDIDATES)]
