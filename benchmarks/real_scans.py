"""Reading of third-party scans and photos against truth read by eye.

One set of defaults for all sets. A field is *right* where its value is the true one and no
person is asked, *rejected* where it is flagged or the page did not register, and *silently
wrong* where its value is wrong and nobody is asked. A field that truly has several marks
and is read as exactly those counts as right: it is shown to a person for what it says, not
for how it was read. Values that a careful person would not be sure of are counted apart.

Every image is also read turned by one, two and three quarters: a sheet that lies the wrong
way round must be read right or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks._captures import Capture, TruthRow, code_pages, reference_scans, sheet_captures
from benchmarks.contract import Better, Kind, Options, Result, Row
from inkmark.images import Pixels, open_scan
from inkmark.layouts import SheetLayout
from inkmark.ocr import find_codes
from inkmark.readings import FieldReading, Flag, SheetIssue
from inkmark.session import read_page

__all__ = ["Outcome", "Reading", "outcomes", "read_codes_of_pages", "read_image", "run"]

_NOTE_VALUE = "template_value="
_NOTE_AMBIGUOUS = "ambiguous: alt="
_EXPLAINED = 40
"""So many rejected fields are named in the notes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Values and flags of the fields of an image, or why there are none."""

    values: Mapping[str, tuple[str, Flag]]
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One field of one image: what is true, what was read, and whether a person is asked."""

    image: str
    field: str
    truth: tuple[str, ...]
    value: str
    flag: Flag
    ambiguous: bool
    reason: str = ""

    @property
    def verdict(self) -> str:
        """``right``, ``rejected`` or ``wrong``."""
        if self.flag in {Flag.DOUBTFUL, Flag.UNREADABLE}:
            return "rejected"
        if self.value in self.truth:
            return "right"
        return "wrong" if self.flag is Flag.OK else "rejected"

    def __str__(self) -> str:
        true, read = (value or "blank" for value in (self.truth[0], self.value))
        return f"{self.image} {self.field}: {self.reason}, {true!r} read as {read!r}"


def read_image(path: Path, layout: SheetLayout, quarters: int = 0) -> Reading:
    """All fields and joined fields of an image that is turned clockwise by some quarters.

    Read as a session reads it.
    """
    with open_scan(path) as scan:
        image = scan.load(0)
    if quarters:
        turned = np.ascontiguousarray(np.rot90(image.pixels.whole(), -quarters))
        image = replace(image, pixels=Pixels.of(turned))
    sheet = read_page(image, layout)
    if isinstance(sheet, SheetIssue):
        return Reading({}, sheet.message.partition(". ")[0])
    readings = {r.field: r for r in sheet.fields}
    values = {name: (reading.value, reading.flag) for name, reading in readings.items()}
    for join in layout.joins:
        values[join.name] = _joined([readings[part] for part in join.parts])
    for code in sheet.codes:
        values[code.field] = (code.text, Flag.OK)
    return Reading(values)


def _joined(parts: list[FieldReading]) -> tuple[str, Flag]:
    flags = {part.flag for part in parts} - {Flag.OK}
    worst = max(flags, key=[Flag.SEVERAL, Flag.DOUBTFUL, Flag.UNREADABLE].index, default=Flag.OK)
    return "".join(part.value for part in parts), worst


def outcomes(capture: Capture, quarters: int = 0) -> tuple[Outcome, ...]:
    """What became of each field of an image."""
    reading = read_image(capture.path, capture.layout, quarters)
    return tuple(_outcome(capture, row, reading) for row in capture.truth)


def _outcome(capture: Capture, row: TruthRow, reading: Reading) -> Outcome:
    truth = [row.value]
    if row.note.startswith(_NOTE_VALUE) and row.value:
        # The print numbers this field's bubbles in another order than the template.
        truth = [row.note.removeprefix(_NOTE_VALUE).split(";")[0]]
    ambiguous = row.note.startswith(_NOTE_AMBIGUOUS)
    if ambiguous:
        others = row.note.removeprefix(_NOTE_AMBIGUOUS).split(";")[0].split(",")
        truth += ["" if other == "(blank)" else other for other in others]
    value, flag = reading.values.get(row.field, ("", Flag.UNREADABLE))
    reason = reading.failure or flag.value
    image = f"{capture.collection}/{capture.name}"
    return Outcome(image, row.field, tuple(truth), value, flag, ambiguous, reason)


def read_codes_of_pages(path: Path, truth: list[str]) -> Iterator[str]:
    """``right``, ``rejected`` or ``wrong`` for the code of each page of a file.

    A code that is not found leaves its page to a person; a page without one is right where
    none is found.
    """
    with open_scan(path) as scan:
        for index, text in enumerate(truth):
            found = " | ".join(code.text for code in find_codes(scan.load(index).pixels))
            yield "right" if found == text else "wrong" if found else "rejected"


def run(options: Options) -> Result:
    """Read all sets and count.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result

    Raises
    ------
    Unavailable
        Where the reference data is not there.
    """
    scans = reference_scans(options)
    tallies: dict[str, Counter[str]] = {}
    kinds: dict[str, Counter[str]] = {}
    whole, turned = Counter[str](), Counter[str]()
    rejected: list[str] = []
    for capture in sheet_captures(scans):
        fields = outcomes(capture)
        for field in fields:
            for tally in (
                tallies.setdefault(capture.group, Counter()),
                kinds.setdefault(f"every {capture.kind}", Counter()),
                whole,
            ):
                tally[("ambiguous " if field.ambiguous else "") + field.verdict] += 1
            if field.verdict != "right" and not field.ambiguous:
                rejected.append(str(field))
        for quarters in (1, 2, 3):
            turned.update(f.verdict for f in outcomes(capture, quarters) if not f.ambiguous)
    codes: dict[str, Counter[str]] = {}
    for collection, path, truth in code_pages(scans):
        codes.setdefault(f"codes: {collection}", Counter()).update(read_codes_of_pages(path, truth))
    rows: list[Row] = []
    for group, tally in {**tallies, **kinds, "all": whole, "all, turned": turned, **codes}.items():
        rows += _rows(group, tally)
    more = len(rejected) - _EXPLAINED
    return Result(
        name="real_scans",
        rows=tuple(rows),
        notes=(
            "Layouts imported from templates of OMRChecker and FormScanner, or made from the",
            "measurements that came with a set; one set of defaults. Some images show the same",
            "paper; see the README of the data. Ambiguous fields, of which a careful person",
            "would not be sure, are counted apart. Turned: every image by 90, 180 and 270",
            "degrees. Codes: pages of scanned booklets, a code that is not found is rejected.",
            "Not right, field by field:",
            *rejected[:_EXPLAINED],
            *([f"and {more} more"] if more > 0 else []),
        ),
    )


def _rows(group: str, tally: Counter[str]) -> Iterator[Row]:
    verdicts = ("right", "rejected", "wrong")
    yield _count(group, "fields", sum(tally[v] for v in verdicts), Better.NEITHER)
    yield _count(group, "right", tally["right"], Better.HIGHER)
    yield _count(group, "rejected", tally["rejected"], Better.LOWER)
    yield _count(group, "silently wrong", tally["wrong"], Better.LOWER)
    ambiguous = sum(tally[f"ambiguous {v}"] for v in verdicts)
    if ambiguous:
        yield _count(group, "ambiguous", ambiguous, Better.NEITHER)
        yield _count(group, "of them wrong", tally["ambiguous wrong"], Better.LOWER)


def _count(group: str, label: str, value: int, better: Better) -> Row:
    return Row(label, float(value), "fields", Kind.ACCURACY, better, group=group)
