"""The sets of third-party scans and photos that have truth: images, layouts, page codes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks._layouts import frame_layout, mork_layout
from benchmarks.contract import Options, Unavailable
from inkmark.layouts import AnchorKind, Anchors, MarkShape, SheetLayout
from inkmark.layouts.importers import import_layout

__all__ = ["Capture", "TruthRow", "code_pages", "reference_scans", "sheet_captures"]

_SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_NOT_READ = {"mork_jdoe": {"barcode"}}
"""Fields that no layout of ours can describe: a row of printed squares."""


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What a person read in one field, and what is to be said about it."""

    field: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Capture:
    """One image of a sheet.

    Attributes
    ----------
    collection : str
        Folder of the set.
    name : str
        Path below it.
    kind : str
        Kind of capture: ``photo``, ``scan app``, ``scan`` or ``render``.
    group : str
        Line of the table that its fields are counted in.
    path : Path
    layout : SheetLayout
    truth : tuple of TruthRow
    """

    collection: str
    name: str
    kind: str
    group: str
    path: Path
    layout: SheetLayout
    truth: tuple[TruthRow, ...]

    @property
    def is_blank(self) -> bool:
        """Whether nothing is marked or written in any field."""
        return not any(row.value for row in self.truth)


def reference_scans(options: Options) -> Path:
    """The folder ``scans`` of the reference data.

    Raises
    ------
    Unavailable
        Where it is not there.
    """
    scans = options.data_dir / "scans" if options.data_dir else None
    if scans is None or not scans.is_dir():
        raise Unavailable("no reference scans; set INKMARK_DATA to the folder that holds scans/")
    return scans


def sheet_captures(scans: Path) -> Iterator[Capture]:
    """Every image of a sheet with bubbles for which a layout can be had.

    Parameters
    ----------
    scans : Path
        The folder ``scans`` of the reference data; sets that are not there are left out.
    """
    for collection, images in (
        ("omrchecker", _omrchecker),
        ("letssolve", _letssolve),
        ("rbaron", _rbaron),
        ("formscanner", _formscanner),
        ("mork_jdoe", _mork),
    ):
        folder = scans / collection
        if not folder.is_dir():
            continue
        truth = _truth(folder)
        for name, kind, group, layout in images(folder):
            yield Capture(collection, name, kind, group, folder / name, layout, truth[name])


_Images = Iterator[tuple[str, str, str, SheetLayout]]


def _omrchecker(folder: Path) -> _Images:
    layouts: dict[str, SheetLayout] = {}
    with (folder / "images.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            template = row["template"]
            if template not in layouts:
                layouts[template] = import_layout(folder / template).layout
            kind = _kind(row["kind"])
            parts = Path(row["image"]).parts
            sample = parts[2] if parts[1] == "community" else parts[1]
            yield row["image"], kind, f"{sample} ({kind})", layouts[template]


def _kind(words: str) -> str:
    """Kind of capture in one of four words."""
    if "render" in words:
        return "render"
    if "CamScanner" in words or "scan app" in words:
        return "scan app"
    return "photo" if "phone" in words else "scan"


def _letssolve(folder: Path) -> _Images:
    # The app has straightened the photos to the centres of its corner discs.
    layout = frame_layout(folder / "layout.json", Anchors(AnchorKind.IMAGE), 210.0)
    for name in _names(folder):
        yield name, "photo", "letssolve (photo)", layout


def _rbaron(folder: Path) -> _Images:
    arm = 0.2711
    anchors = Anchors(AnchorKind.MARKS, marks=_SQUARE, mark_shape=MarkShape.BRACKET, mark_mm=arm)
    layout = frame_layout(folder / "layout.json", anchors, 100.0)
    for name in _names(folder):
        kind = "photo" if "photo" in name else "render"
        yield name, kind, f"rbaron ({kind})", layout


def _formscanner(folder: Path) -> _Images:
    layouts = {path.parent.name: import_layout(path).layout for path in folder.glob("*/*.xtmpl")}
    for name in _names(folder):
        form = Path(name).parent.name
        yield name, "scan", f"FormScanner {form} (scan)", layouts[form]


def _mork(folder: Path) -> _Images:
    layout = mork_layout(folder / "jdoe" / "layout.yml")
    for name in _names(folder):
        yield name, "scan", "mork (scan)", layout


def code_pages(scans: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Files whose pages carry a code: set, file, and the text of each page's code.

    The text is empty where a page has no code, or one that says nothing.
    """
    for collection in ("markus_scanned", "submitty_qr"):
        folder = scans / collection
        if not folder.is_dir():
            continue
        texts: dict[str, list[str]] = {}
        with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                says = row["payload"] not in {"none", "empty"}
                texts.setdefault(row["file"], []).append(row["payload"] if says else "")
        for name, pages in texts.items():
            yield collection, folder / name, pages


def _truth(folder: Path) -> dict[str, tuple[TruthRow, ...]]:
    left_out = _NOT_READ.get(folder.name, set())
    rows: dict[str, list[TruthRow]] = {}
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            of_image = rows.setdefault(row["image"], [])
            if row["field"] not in left_out:
                of_image.append(TruthRow(row["field"], row["value"], row["note"]))
    return {image: tuple(of_image) for image, of_image in rows.items()}


def _names(folder: Path) -> list[str]:
    return list(_truth(folder))
