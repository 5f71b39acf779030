"""Reading of third-party scans and photos against truth read by eye, with imported layouts.

One set of defaults for all sets. A field is *right* where its value is the true one and no
person is asked, *rejected* where it is flagged or the page did not register, and *silently
wrong* where its value is wrong and nobody is asked. A field that truly has several marks
and is read as exactly those counts as right: it is shown to a person for what it says, not
for how it was read. Values that a careful person would not be sure of are counted apart.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contract import Better, Kind, Options, Result, Row, Unavailable
from inkmark.images import open_scan
from inkmark.layouts import SheetLayout
from inkmark.layouts.importers import import_omrchecker
from inkmark.omr import RegistrationFailure, read_bubbles, register
from inkmark.readings import FieldReading, Flag

__all__ = ["Outcome", "Tally", "read_image", "read_set", "run"]

_NOTE_VALUE = "template_value="
_NOTE_AMBIGUOUS = "ambiguous: alt="
_SIZE = re.compile(r"[\d:(,;]| reduced")  # what follows the kind of an image


@dataclass(frozen=True, slots=True)
class Outcome:
    """One field of one image: what is true, what was read, and whether a person is asked."""

    image: str
    field: str
    truth: tuple[str, ...]
    value: str
    flag: Flag
    ambiguous: bool

    @property
    def verdict(self) -> str:
        """``right``, ``rejected`` or ``wrong``."""
        if self.flag in {Flag.DOUBTFUL, Flag.UNREADABLE}:
            return "rejected"
        if self.value in self.truth:
            return "right"
        return "wrong" if self.flag is Flag.OK else "rejected"


@dataclass(slots=True)
class Tally:
    """Counts of the images of one set and one kind."""

    images: int = 0
    fields: int = 0
    right: int = 0
    rejected: int = 0
    wrong: int = 0
    ambiguous: int = 0
    ambiguous_wrong: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one field."""
        if outcome.ambiguous:
            self.ambiguous += 1
            self.ambiguous_wrong += outcome.verdict == "wrong"
            return
        self.fields += 1
        setattr(self, outcome.verdict, getattr(self, outcome.verdict) + 1)


def read_set(folder: Path) -> Iterator[tuple[str, str, tuple[Outcome, ...]]]:
    """Read every image of the set: its path, its kind and its fields.

    Parameters
    ----------
    folder : Path
        The folder ``scans/omrchecker`` of the reference data.
    """
    truth: dict[str, list[dict[str, str]]] = {}
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            truth.setdefault(row["image"], []).append(row)
    layouts: dict[str, SheetLayout] = {}
    with (folder / "images.csv").open(encoding="utf-8", newline="") as file:
        images = list(csv.DictReader(file))
    for image in images:
        template = image["template"]
        if template not in layouts:
            layouts[template] = import_omrchecker(folder / template).layout
        read = read_image(folder / image["image"], layouts[template])
        outcomes = tuple(_outcome(row, read) for row in truth[image["image"]])
        yield image["image"], image["kind"], outcomes


def read_image(path: Path, layout: SheetLayout) -> dict[str, tuple[str, Flag]]:
    """Values and flags of all fields and joined fields of an image; empty if unregistered."""
    with open_scan(path) as scan:
        pixels = scan.load(0).pixels
    page = layout.pages[0]
    registration = register(pixels, page)
    if isinstance(registration, RegistrationFailure):
        return {}
    readings = {r.field: r for r in read_bubbles(pixels, page, registration)}
    values = {name: (reading.value, reading.flag) for name, reading in readings.items()}
    for join in layout.joins:
        values[join.name] = _joined([readings[part] for part in join.parts])
    return values


def _joined(parts: list[FieldReading]) -> tuple[str, Flag]:
    flags = {part.flag for part in parts} - {Flag.OK}
    worst = max(flags, key=[Flag.SEVERAL, Flag.DOUBTFUL, Flag.UNREADABLE].index, default=Flag.OK)
    return "".join(part.value for part in parts), worst


def _outcome(row: Mapping[str, str], read: Mapping[str, tuple[str, Flag]]) -> Outcome:
    note = row["note"]
    truth = [row["value"]]
    if note.startswith(_NOTE_VALUE) and row["value"]:
        # The print numbers this field's bubbles in another order than the template.
        truth = [note.removeprefix(_NOTE_VALUE).split(";")[0]]
    ambiguous = note.startswith(_NOTE_AMBIGUOUS)
    if ambiguous:
        others = note.removeprefix(_NOTE_AMBIGUOUS).split(";")[0].split(",")
        truth += ["" if other == "(blank)" else other for other in others]
    value, flag = read.get(row["field"], ("", Flag.UNREADABLE))
    return Outcome(row["image"], row["field"], tuple(truth), value, flag, ambiguous)


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
    folder = options.data_dir / "scans" / "omrchecker" if options.data_dir else None
    if folder is None or not folder.is_dir():
        raise Unavailable("no reference scans; set INKMARK_DATA to the folder that holds scans/")
    tallies: dict[str, Tally] = {}
    for image, kind, outcomes in read_set(folder):
        name = f"{_set_name(image)} ({_SIZE.split(kind)[0].strip()})"
        tally = tallies.setdefault(name, Tally())
        tally.images += 1
        for outcome in outcomes:
            tally.add(outcome)
    rows: list[Row] = []
    for group, tally in tallies.items():
        rows += [
            _count(group, "fields", tally.fields, Better.NEITHER),
            _count(group, "right", tally.right, Better.HIGHER),
            _count(group, "rejected", tally.rejected, Better.LOWER),
            _count(group, "silently wrong", tally.wrong, Better.LOWER),
        ]
        if tally.ambiguous:
            rows += [
                _count(group, "ambiguous", tally.ambiguous, Better.NEITHER),
                _count(group, "of them wrong", tally.ambiguous_wrong, Better.LOWER),
            ]
    rows += [
        _count("all", what, sum(getattr(t, what.split()[-1]) for t in tallies.values()), better)
        for what, better in (
            ("fields", Better.NEITHER),
            ("right", Better.HIGHER),
            ("rejected", Better.LOWER),
            ("silently wrong", Better.LOWER),
        )
    ]
    return Result(
        name="real_scans",
        rows=tuple(rows),
        notes=(
            "OMRChecker samples, layouts imported from their templates, one set of defaults.",
            "Some images show the same paper; see the README of the data. Ambiguous fields, of",
            "which a careful person would not be sure, are not among the fields counted.",
        ),
    )


def _set_name(image: str) -> str:
    parts = Path(image).parts
    return parts[2] if parts[1] == "community" else parts[1]


def _count(group: str, label: str, value: int, better: Better) -> Row:
    return Row(label, float(value), "fields", Kind.ACCURACY, better, group=group)
