"""Learning the layout of a sheet from its blank pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    CodeField,
    Field,
    PageLayout,
    Role,
    SheetLayout,
    layout_version,
)
from inkmark.learning._anchors import choose_anchors
from inkmark.learning._fields import Numbering, PageInk, propose_fields
from inkmark.learning._flat import Flat, flatten
from inkmark.learning._grow import find_bubbles
from inkmark.learning._lattice import Block
from inkmark.learning._shapes import InkMap, ink_map
from inkmark.learning.model import (
    Doubt,
    LearnedBubble,
    LearnedPage,
    LearnedSheet,
    LearnOptions,
)

__all__ = ["BlankPage", "learn_sheet"]

_SKEW_DEG = 0.04
_MAX_SKEW_DEG = 12.0
_FULL, _FEW_GROUPS = 0.9, 20
_FORMATS = ("QRCode", "DataMatrix", "Code128", "PDF417")


@dataclass(frozen=True, slots=True, eq=False)
class BlankPage:
    """A page to learn from.

    Attributes
    ----------
    pixels : (H, W) uint8
    dpi : float or None
        Pixels an inch of paper, where the file tells.
    """

    pixels: NDArray[np.uint8]
    dpi: float | None = None


def learn_sheet(pages: Iterable[BlankPage], options: LearnOptions | None = None) -> LearnedSheet:
    """Propose a layout for a sheet of any origin from its blank or lightly filled pages.

    Closed outlines of one size that stand at regular steps are taken for bubbles; broken,
    faint or filled ones among them are found by their likeness to the others. A person has
    to check what is proposed.

    Parameters
    ----------
    pages : iterable of BlankPage
        Upright, or skewed by a few degrees.
    options : LearnOptions, optional

    Returns
    -------
    LearnedSheet

    Raises
    ------
    LayoutError
        Where no bubbles are seen on any page.
    """
    options = options or LearnOptions()
    numbering = Numbering()
    layouts: list[PageLayout] = []
    learned: list[LearnedPage] = []
    doubts: list[Doubt] = []
    for number, page in enumerate(pages):
        flat, ink, blocks, codes = _look(page, options.width_mm)
        scale = flat.px_per_mm
        fields, found_doubts = propose_fields(
            blocks, PageInk(ink, scale, number), numbering, options.order
        )
        all_fields: tuple[Field, ...] = (*fields, *_code_fields(codes, number))
        layout = PageLayout(flat.width_mm, flat.height_mm, Anchors(AnchorKind.IMAGE), all_fields)
        words = "nothing, for it has no bubbles"
        if fields:
            anchors, words, sure = choose_anchors(flat, ink, blocks, layout, scale)
            layout = PageLayout(flat.width_mm, flat.height_mm, anchors, all_fields)
            if not sure:
                found_doubts.append(_weak_anchors(words, number))
        if _is_scattered(blocks):
            found_doubts.insert(
                0,
                Doubt(
                    "Most of what was found stands in small, irregular groups: it may be text. "
                    "Look at the overlay first.",
                    number,
                ),
            )
        if not flat.size_known:
            found_doubts.append(
                Doubt(
                    f"The file does not tell the size of the paper: {flat.width_mm:g} x "
                    f"{flat.height_mm:g} mm were assumed. If it differs, learn the sheet again "
                    "with --width.",
                    number,
                )
            )
        layouts.append(layout)
        learned.append(_learned(flat, blocks, words))
        doubts += found_doubts
    if not any(page.bubbles for page in learned):
        raise LayoutError(
            "No bubbles were found on the sheet. Give a sharp scan at 200 dpi or more of a "
            "sheet that is not filled in, or the PDF file that it is printed from."
        )
    version = layout_version(layouts)
    return LearnedSheet(
        SheetLayout(version, options.title, tuple(layouts)), tuple(learned), tuple(doubts)
    )


def _look(
    page: BlankPage, width_mm: float | None
) -> tuple[Flat, InkMap, list[Block], list[tuple[str, Box]]]:
    """The page flattened, its ink, its bubbles and its codes; once more where it is skewed."""
    flat = flatten(page.pixels, page.dpi, width_mm)
    skew = 0.0
    for _ in range(2):
        codes = _codes(flat)
        ink = ink_map(flat.pixels, flat.px_per_mm)
        for _, box in codes:
            left, top = (max(0, int((v - 1.0) * flat.px_per_mm)) for v in (box.x, box.y))
            right, bottom = (int((v + 1.0) * flat.px_per_mm) for v in (box.right, box.bottom))
            ink[top:bottom, left:right] = 0.0
        blocks = find_bubbles(ink, flat.px_per_mm)
        more = _skew_deg(blocks)
        if not _SKEW_DEG < abs(more) < _MAX_SKEW_DEG or skew:
            break
        skew = more
        flat = flatten(page.pixels, page.dpi, width_mm, skew)
    return flat, ink, blocks, codes


def _skew_deg(blocks: list[Block]) -> float:
    """Clockwise turn of the rows of bubbles."""
    angles, weights = [], []
    for block in blocks:
        for at, seen in zip(block.at, block.seen, strict=True):
            if seen.sum() >= 3:
                x, y = at[seen].T
                angles.append(float(np.degrees(np.arctan(np.polyfit(x, y, 1)[0]))))
                weights.append(float(np.ptp(x)))
    if not angles:
        return 0.0
    order = np.argsort(angles)
    share = np.cumsum(np.array(weights)[order]) / np.sum(weights)
    return angles[int(order[np.searchsorted(share, 0.5)])]


def _codes(flat: Flat) -> list[tuple[str, Box]]:
    """Format and place in mm of the codes on a page."""
    found = []
    for code in zxingcpp.read_barcodes(flat.pixels):
        corners = code.position
        points = np.array(
            [
                (p.x, p.y)
                for p in (
                    corners.top_left,
                    corners.top_right,
                    corners.bottom_right,
                    corners.bottom_left,
                )
            ],
            dtype=np.float32,
        )
        x, y, w, h = cv2.boundingRect(points)
        box = Box(*(value / flat.px_per_mm for value in (x, y, max(w, 1), max(h, 1))))
        found.append((code.format.name, box))
    return found


def _code_fields(codes: list[tuple[str, Box]], page: int) -> list[CodeField]:
    known = [(name, box) for name, box in codes if name in _FORMATS and min(box.w, box.h) > 1.0]
    return [
        CodeField(
            f"code{page + 1}_{k + 1}",
            Box(round(box.x, 2), round(box.y, 2), round(box.w, 2), round(box.h, 2)),
            (name,),
            Role.OTHER,
        )
        for k, (name, box) in enumerate(known)
    ]


def _is_scattered(blocks: list[Block]) -> bool:
    """Whether most bubbles stand in many groups with gaps, as letters do."""
    cells = np.array([block.seen.sum() for block in blocks])
    gappy = np.array([min(b.shape) > 1 and b.seen.mean() < _FULL for b in blocks])
    return bool(len(blocks) > _FEW_GROUPS and cells[gappy].sum() > 0.3 * cells.sum())


def _weak_anchors(words: str, page: int) -> Doubt:
    return Doubt(
        f"Scans are placed by {words}, and a turned copy of the page was not found again by "
        "that. Try the layout with inkmark layouts check on several scans.",
        page,
    )


def _learned(flat: Flat, blocks: list[Block], words: str) -> LearnedPage:
    bubbles = tuple(
        LearnedBubble(
            round(float((x + 0.5) / flat.px_per_mm), 3),
            round(float((y + 0.5) / flat.px_per_mm), 3),
            bool(not solid),
        )
        for block in blocks
        for (x, y), solid in zip(block.at[block.seen], block.solid[block.seen], strict=True)
    )
    picture = cv2.imencode(".jpg", flat.pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return LearnedPage(tuple(flat.to_image.ravel().tolist()), bubbles, words, bytes(picture))
