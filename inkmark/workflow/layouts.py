"""Layouts learned from blank sheets, and layouts tried on scans."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from inkmark.errors import LayoutError
from inkmark.images import open_scan
from inkmark.layouts import SheetLayout, load_layout, save_layout
from inkmark.layouts.importers import import_layout
from inkmark.learning import (
    BlankPage,
    CheckedPage,
    Doubt,
    LearnOptions,
    draw_check,
    joined_values,
    learn_sheet,
    write_overlay,
)
from inkmark.readings import SheetIssue
from inkmark.session import read_page

__all__ = ["CheckSummary", "LearnSummary", "check_layout", "learn_layout"]

_RENDER_DPI = 200.0


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


def learn_layout(
    blank: Path | str,
    out: Path | str,
    overlay: Path | str,
    options: LearnOptions | None = None,
) -> LearnSummary:
    """Propose a layout for a sheet from its blank pages, with an overlay to check it by.

    Parameters
    ----------
    blank : path-like
        PDF, PNG, JPEG or TIFF file; each page of it is a page of the sheet.
    out, overlay : path-like
        The layout (JSON) and the overlay (PDF) to write.
    options : LearnOptions, optional

    Returns
    -------
    LearnSummary

    Raises
    ------
    ImageError
        Where the file cannot be read.
    LayoutError
        Where no bubbles are seen.
    """
    out, overlay = Path(out), Path(overlay)
    with open_scan(blank, render_dpi=_RENDER_DPI) as scan:
        images = [scan.load(index) for index in range(scan.n_pages)]
    pages = [BlankPage(image.pixels.whole(), image.dpi) for image in images]
    sheet = learn_sheet(pages, options)
    save_layout(sheet.layout, out)
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
    """
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


def _any_layout(path: Path) -> SheetLayout:
    """A layout file, or the template of another system."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        content = None
    if isinstance(content, dict) and "format" in content:
        return load_layout(path)
    return import_layout(path).layout
