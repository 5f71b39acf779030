"""Layouts learned from blank sheets, and layouts tried on scans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import hypot
from pathlib import Path

from inkmark.errors import InkmarkError, LayoutError
from inkmark.files import keep_inputs
from inkmark.images import open_scan
from inkmark.layouts import (
    BubbleField,
    FullBox,
    Role,
    SheetLayout,
    layout_version,
    load_layout,
    save_layout,
)
from inkmark.layouts.importers import ImportedLayout, import_layout
from inkmark.learning import (
    BlankPage,
    CheckedPage,
    Doubt,
    LearnedPage,
    LearnOptions,
    check_picture_name,
    draw_check,
    joined_values,
    learn_sheet,
    write_overlay,
)
from inkmark.readings import SheetIssue
from inkmark.session import read_page

__all__ = [
    "CheckSummary",
    "LearnSummary",
    "check_layout",
    "learn_layout",
    "set_full_box",
    "take_in_template",
]

_RENDER_DPI = 200.0
_MOST_PAGES = 4
_SAME_PLACE_MM = 0.5


@dataclass(frozen=True, slots=True)
class LearnSummary:
    """What was learned from a blank sheet, and where it lies.

    Attributes
    ----------
    layout, overlay : Path
    n_pages, n_bubbles, n_unseen, n_fields : int
        Of the bubbles, `n_unseen` are there by ink or by the bubbles around them.
    marks : tuple of str
        What scans of each page are placed by.
    doubts : tuple of Doubt
    """

    layout: Path
    overlay: Path
    n_pages: int
    n_bubbles: int
    n_unseen: int
    n_fields: int
    marks: tuple[str, ...]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What a layout reads on a scan.

    Attributes
    ----------
    picture : Path or None
        The file that was drawn.
    layout : SheetLayout
    pages : tuple of CheckedPage
    """

    picture: Path | None
    layout: SheetLayout
    pages: tuple[CheckedPage, ...]

    @property
    def needs_person(self) -> bool:
        """Whether a page could not be read or a field of it is flagged."""
        return any(
            isinstance(page.outcome, SheetIssue) or any(r.flag for r in page.outcome.fields)
            for page in self.pages
        )


def take_in_template(
    template: Path | str,
    out: Path | str,
    *,
    full_box: FullBox = FullBox.MARKED,
    force: bool = False,
) -> ImportedLayout:
    """Turn the template of another system into a layout file.

    Parameters
    ----------
    template : path-like
    out : path-like
        The layout (JSON) to write.
    full_box : FullBox
        What a completely filled bubble of an item means; see `set_full_box`.
    force : bool
        Replace a layout that is there.

    Returns
    -------
    ImportedLayout

    Raises
    ------
    LayoutError
        Where the template cannot be taken in.
    InkmarkError
        Where `out` is the template, or is there already.
    """
    keep_inputs(Path(out), [Path(template)])
    if not force:
        _keep(Path(out), "--out")
    imported = import_layout(template)
    imported = replace(imported, layout=set_full_box(imported.layout, full_box))
    save_layout(imported.layout, out)
    return imported


def learn_layout(
    blank: Path | str,
    out: Path | str,
    overlay: Path | str,
    options: LearnOptions | None = None,
    *,
    full_box: FullBox = FullBox.MARKED,
    n_pages: int | None = None,
    force: bool = False,
) -> LearnSummary:
    """Propose a layout for a sheet from its blank pages, with an overlay to check it by.

    Parameters
    ----------
    blank : path-like
        PDF, PNG, JPEG or TIFF file; each page of it is a page of the sheet.
    out, overlay : path-like
        The layout (JSON) and the overlay (PDF) to write.
    options : LearnOptions, optional
    full_box : FullBox
        What a completely filled bubble of an item means; see `set_full_box`.
    n_pages : int, optional
        How many of the file's pages, from the first, make up one sheet. By default all of
        them do, but then they may be four at most, and no two alike.
    force : bool
        Replace a layout and an overlay that are there.

    Returns
    -------
    LearnSummary

    Raises
    ------
    InkmarkError
        Where what is to be written is the blank sheet, or both the layout and the overlay,
        or one of them is there already.
    ImageError
        Where the file cannot be read.
    LayoutError
        Where no bubbles are seen, or the pages are no single sheet's.
    """
    out, overlay = Path(out), Path(overlay)
    for target in (out, overlay):
        keep_inputs(target, [Path(blank)])
    if out.resolve() == overlay.resolve():
        raise InkmarkError(f"{out} is named twice. Name one file to write for each.")
    if not force:
        _keep(out, "--out")
        _keep(overlay, "--overlay")
    with open_scan(blank, render_dpi=_RENDER_DPI) as scan:
        images = [scan.load(index) for index in range(_pages_to_learn(scan.n_pages, n_pages))]
    pages = [BlankPage(image.pixels.whole(), image.dpi) for image in images]
    sheet = learn_sheet(pages, options)
    if n_pages is None:
        _refuse_copies(sheet.pages)
    save_layout(set_full_box(sheet.layout, full_box), out)
    write_overlay(sheet, overlay)
    bubbles = [bubble for page in sheet.pages for bubble in page.bubbles]
    return LearnSummary(
        out,
        overlay,
        len(sheet.pages),
        len(bubbles),
        sum(not bubble.print_seen for bubble in bubbles),
        len(sheet.layout.fields()),
        tuple(page.marks for page in sheet.pages),
        sheet.doubts,
    )


def check_layout(
    layout_path: Path | str,
    scan_path: Path | str,
    out: Path | str | None = None,
    *,
    page_number: int | None = None,
) -> CheckSummary:
    """Read a scan with a layout as reading would, and draw what was read.

    Parameters
    ----------
    layout_path : path-like
        A layout file, or the template of another system.
    scan_path : path-like
    out : path-like, optional
        PDF or PNG file to draw into; a PNG shows the first page alone.
    page_number : int, optional
        0-based page of the layout that every page of the scan shows; by default the QR
        code of our own sheets says which.

    Returns
    -------
    CheckSummary

    Raises
    ------
    LayoutError
        Where the layout cannot be read, or has no such page.
    ImageError
        Where the scan cannot be read.
    InkmarkError
        Where `out` is the layout or the scan, or is no PDF or PNG file by its name.
    """
    if out is not None:
        keep_inputs(Path(out), (Path(layout_path), Path(scan_path)))
        check_picture_name(Path(out))
    layout = _any_layout(Path(layout_path))
    if page_number is not None:
        if not 0 <= page_number < len(layout.pages):
            raise LayoutError(
                f"The layout has {len(layout.pages)} page(s), no page {page_number + 1}. "
                "Name one that it has."
            )
        layout = replace(layout, pages=(layout.pages[page_number],))
    with open_scan(scan_path, render_dpi=_RENDER_DPI) as scan:
        pages = []
        for index in range(scan.n_pages):
            image = scan.load(index)
            outcome = read_page(image, layout)
            joins = () if isinstance(outcome, SheetIssue) else joined_values(layout, outcome)
            pages.append(CheckedPage(outcome, joins, image.pixels.whole()))
    target = None if out is None else Path(out)
    if target is not None:
        draw_check(layout, pages, target)
    return CheckSummary(target, layout, tuple(pages))


def set_full_box(layout: SheetLayout, full_box: FullBox) -> SheetLayout:
    """Say of all items of a layout what a completely filled bubble means.

    Numbers of candidates and absent marks are filled on every form, so they stay.

    Parameters
    ----------
    layout : SheetLayout
    full_box : FullBox

    Returns
    -------
    SheetLayout
        Of another version where something changed.
    """
    pages = tuple(
        replace(
            page,
            fields=tuple(
                replace(field, full_box=full_box)
                if isinstance(field, BubbleField)
                and field.role not in (Role.CANDIDATE, Role.ABSENT)
                else field
                for field in page.fields
            ),
        )
        for page in layout.pages
    )
    return replace(layout, version=layout_version(pages, layout.joins), pages=pages)


def _pages_to_learn(n_there: int, n_wanted: int | None) -> int:
    """How many pages to look at.

    Raises
    ------
    LayoutError
    """
    if n_wanted is None and n_there > _MOST_PAGES:
        raise LayoutError(
            f"The file has {n_there} pages, more than a sheet usually has. If it holds many "
            "copies of a sheet, say how many pages one copy has: --pages 1."
        )
    if n_wanted is not None and not 1 <= n_wanted <= n_there:
        raise LayoutError(
            f"The file has {n_there} page(s), not {n_wanted}. Ask for no more than it has."
        )
    return n_there if n_wanted is None else n_wanted


def _refuse_copies(pages: Sequence[LearnedPage]) -> None:
    """Refuse pages that have the same bubbles, as each would be read as items of its own.

    Raises
    ------
    LayoutError
    """
    for (i, one), (k, other) in combinations(enumerate(pages, start=1), 2):
        if len(one.bubbles) == len(other.bubbles) and all(
            hypot(a.x_mm - b.x_mm, a.y_mm - b.y_mm) < _SAME_PLACE_MM
            for a, b in zip(one.bubbles, other.bubbles, strict=True)
        ):
            raise LayoutError(
                f"Pages {i} and {k} have the same bubbles. If the file holds copies of a sheet, "
                f"say how many pages one copy has: --pages {k - i}. If both pages do belong to "
                f"the sheet, ask for all of them: --pages {len(pages)}."
            )


def _keep(out: Path, option: str) -> None:
    """Refuse to replace a layout, which a person may have corrected, or what it is checked by.

    Raises
    ------
    InkmarkError
        Where there is a file.
    """
    if out.exists():
        raise InkmarkError(
            f"{out} is there already, perhaps corrected by hand. Name another file with {option}, "
            "or replace it with --force."
        )


def _any_layout(path: Path) -> SheetLayout:
    """A layout file, or the template of another system."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        content = None
    if isinstance(content, dict) and "format" in content:
        return load_layout(path)
    return import_layout(path).layout
