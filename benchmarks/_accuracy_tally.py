"""Reading simulated pages and counting how it went."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks._accuracy_pages import GROUPS, Group, TestPage, make_page
from inkmark.images import open_scan
from inkmark.layouts import BubbleField
from inkmark.readings import FieldReading, Flag, SheetIssue, SheetReading
from inkmark.session import read_page
from inkmark.simulator import Effect, Level, PhoneModel, encode_scan

__all__ = ["BINS", "MM_STEP", "Case", "Tally", "read_stratum", "read_test_page"]

BINS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 1.0)
"""Edges of the classes of confidence."""
MM_STEP = 0.01
_MM_CLASSES = 500


@dataclass(frozen=True, slots=True)
class Case:
    """A field that was not simply read right.

    Attributes
    ----------
    outcome : str
        ``silent`` (wrong and not flagged), ``flagged``, or ``decided`` where people cannot
        agree.
    stratum : str
    seed : int
    field : str
    manner : str
    expected, value : str
    confidence : float
    is_damaged : bool
    """

    outcome: str
    stratum: str
    seed: int
    field: str
    manner: str
    expected: str
    value: str
    confidence: float
    is_damaged: bool


@dataclass(slots=True)
class Tally:
    """Counts by table, row and column; what was not simply right, and rejects by reason."""

    counts: Counter[str] = field(default_factory=Counter)
    cases: list[Case] = field(default_factory=list)
    rejects: dict[str, list[int]] = field(default_factory=dict)

    def add(self, table: str, row: str, column: str, n: int = 1) -> None:
        """Count `n` more in a cell."""
        self.counts[f"{table}|{row}|{column}"] += n

    def get(self, table: str, row: str, column: str) -> int:
        """The count of a cell."""
        return self.counts[f"{table}|{row}|{column}"]

    def merge(self, other: Tally) -> None:
        """Take in the counts of another run."""
        self.counts.update(other.counts)
        self.cases += other.cases
        for reason, seeds in other.rejects.items():
            self.rejects[reason] = self.rejects.get(reason, []) + seeds


@dataclass(frozen=True, slots=True)
class _Page:
    stratum: Level | Effect
    seed: int
    test: TestPage


def read_test_page(test: TestPage, seed: int) -> SheetReading | SheetIssue:
    """Read a simulated page as a session does, from the file that the device writes.

    Parameters
    ----------
    test : TestPage
    seed : int

    Returns
    -------
    SheetReading or SheetIssue
    """
    is_photo = isinstance(test.condition.device, PhoneModel)
    with tempfile.TemporaryDirectory(prefix="inkmark-accuracy-") as name:
        path = Path(name) / f"{seed}{test.ending}"
        dpi = 72.0 if is_photo else test.condition.dpi  # what phones write says nothing
        encode_scan(test.image.pixels, path, dpi, quality=test.quality)
        with open_scan(path) as opened:
            return read_page(opened.load(0), test.layout)


def read_stratum(stratum: Level | Effect, seeds: range) -> Tally:
    """Simulate and read the pages of some seeds.

    Parameters
    ----------
    stratum : Level or Effect
    seeds : range

    Returns
    -------
    Tally
    """
    tally = Tally()
    for seed in seeds:
        test = make_page(stratum, seed)
        _count_page(tally, stratum, seed, test, read_test_page(test, seed))
    return tally


def _count_page(
    tally: Tally,
    stratum: Level | Effect,
    seed: int,
    test: TestPage,
    reading: SheetReading | SheetIssue,
) -> None:
    tables = [("level" if isinstance(stratum, Level) else "effect", stratum.value)]
    if isinstance(stratum, Level):
        tables.append(("sheet", test.sheet.name))
        if stratum in (Level.CLEAN, Level.ORDINARY):
            tables.append(("level", "1 and 2"))
    for table, row in tables:
        tally.add(table, row, "pages")
    if isinstance(reading, SheetIssue):
        for table, row in tables:
            tally.add(table, row, "rejected")
        reason = f"{stratum.value}: {reading.message.partition('. ')[0]}"
        tally.rejects.setdefault(reason, []).append(seed)
        return
    found = {r.field: r for r in reading.fields}
    for bubbles in test.page.fields:
        if isinstance(bubbles, BubbleField):
            n_bubbles = bubbles.n_groups * len(bubbles.options)
            for table, row in tables:
                tally.add(table, row, "bubbles", n_bubbles)
    is_page = reading.page_number == test.page_number
    page = _Page(stratum, seed, test)
    for name in test.expected:
        _count_field(tally, page, tables, name, found.get(name) if is_page else None)
    if is_page and isinstance(stratum, Level):
        _count_distances(tally, stratum, test, reading)


def _count_field(
    tally: Tally,
    page: _Page,
    tables: list[tuple[str, str]],
    name: str,
    seen: FieldReading | None,
) -> None:
    stratum, seed, test = page.stratum, page.seed, page.test
    expected = test.expected[name]
    manner, group = expected.manner, GROUPS[expected.manner]
    flagged = seen is not None and seen.flag is not Flag.OK
    is_right = seen is not None and seen.value == expected.value
    is_damaged = name in test.image.damaged
    outcome = "flagged" if flagged else "right" if is_right else "silent"
    if group is Group.DISPUTED and not is_damaged:
        outcome = "flagged" if flagged else "decided"
    kind = "damaged" if is_damaged else group.name.lower()
    for table, row in tables:
        tally.add(table, row, f"{kind} {outcome}")
    if isinstance(stratum, Level):
        if not is_damaged:
            tally.add(f"manner {stratum.value}", manner.value, outcome)
        if group is not Group.DISPUTED and seen is not None and not is_damaged:
            place = int(np.searchsorted(BINS, seen.confidence, side="right")) - 1
            row = str(min(place, len(BINS) - 2))
            tally.add("confidence", row, "n")
            tally.add("confidence", row, "right", int(is_right))
            tally.add("confidence", row, "predicted e-9", round(seen.confidence * 1e9))
    wanted = "flagged" if group is Group.DISPUTED or is_damaged else "right"
    if outcome not in (wanted, "right"):
        value, confidence = ("", 0.0) if seen is None else (seen.value, seen.confidence)
        case = Case(
            outcome, stratum.value, seed, name, manner.value, expected.value, value, confidence,
            is_damaged,
        )  # fmt: skip
        tally.cases.append(case)


def _count_distances(tally: Tally, level: Level, test: TestPage, reading: SheetReading) -> None:
    """How far from the truth the registration puts the bubbles, in mm of the paper."""
    fields = [f for f in test.page.fields if isinstance(f, BubbleField)]
    whole = [f for f in fields if f.name not in test.image.damaged]
    if not whole:
        return
    points = np.concatenate([f.centres() for f in whole])
    true, found = test.image.pose.to_px(points), reading.registration.to_px(points)
    px_per_mm = np.hypot(*(test.image.pose.to_px(points + np.array([1.0, 0.0])) - true).T)
    far = np.hypot(*(found - true).T) / px_per_mm
    classes = np.minimum(far / MM_STEP, _MM_CLASSES - 1).astype(int)
    for place, n in enumerate(np.bincount(classes).tolist()):
        if n:
            tally.add(f"distance {level.value}", str(place), "n", n)
