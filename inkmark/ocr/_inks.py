"""The marker's ink told from print and from the candidate's, by the inks of the page itself.

On a scan in colour every pixel departs from its paper in CIELAB in some direction [1]_:
black ink towards less light, red ink towards red as well. Ink keeps its direction whatever
its width and pressure, so the directions of all ink on the page gather about those of its
inks. Which of them is the marker's shows where they lie: it fills the boxes for points and
is rare around them.

References
----------
.. [1] CIE 015:2018, Colorimetry, section 8.2.1: the CIE 1976 L*a*b* colour space.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr._ink_kernels import (
    coloured_pixels,
    follow_lab,
    follow_ways,
    ink_tallies,
    own_share,
    paper_colour,
    small_pieces,
    way_counts,
)

__all__ = ["Region", "is_grey", "marker_ink"]

ColourImage = NDArray[np.uint8]
GreyImage = NDArray[np.uint8]
F32 = NDArray[np.float32]

_CELLS = 64
"""Cells across the histogram of directions, which reach from -1 to 1."""
_APART = 13
"""Cells about a direction among which an ink's is the most frequent."""
_NEAR = 0.22
"""Directions that lie as near together are one ink's: inks of one hue differ by less."""
_SPREAD = 0.1
"""Standard deviation of an ink's directions, without noise,"""
_NOISE = 5.0
"""and of noise in CIELAB, which turns pale pixels further."""
_INKED = 25.0
"""Distance from paper, in CIELAB, from which a pixel speaks for its ink."""
_SHARE = 0.015
"""Least share of the inked pixels that is an ink's."""
_REDDISH, _RED_FAVOUR = 0.25, 10.0
"""Ink whose direction in a* is at least this, and not rather blue, is red: it is so much
likelier the marker's."""
_TINT, _COLOURED = 2, 0.001
"""Files without colours hold fewer pixels whose red, green and blue differ by more."""
_EDGE_PX = 7
"""Ink further away than this changes nothing about a pixel."""
_DOT_SHARE, _MOST_DOTS = 11, 200
"""A dot is no larger than one such part of its region's shorter side; where there are more,
they are none."""


@dataclass(frozen=True, slots=True)
class Region:
    """A field and what is around it, in pixels of the image.

    Attributes
    ----------
    left, top, right, bottom : int
        Of the region, right and bottom excluded.
    inside : (h, w) bool
        Where the marker is to write; not the frame.
    around : (h, w) bool
        Where print and the candidate's writing are; not the frame.
    """

    left: int
    top: int
    right: int
    bottom: int
    inside: NDArray[np.bool_]
    around: NDArray[np.bool_]

    @property
    def part(self) -> tuple[slice, slice]:
        """The region's rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def is_grey(image: ColourImage, regions: list[Region]) -> bool:
    """Whether the regions hold no colours to tell inks by."""
    parts = [image[region.part] for region in regions]
    return all(
        coloured_pixels(part, _TINT) < _COLOURED * part.shape[0] * part.shape[1] for part in parts
    )


def marker_ink(image: ColourImage, regions: list[Region]) -> tuple[GreyImage, bool, list[float]]:
    """A page on which of the regions' inks only the marker's is seen.

    Parameters
    ----------
    image : (H, W, 3) uint8
        Blue, green, red.
    regions : list of Region

    Returns
    -------
    grey : (H, W) uint8
        White outside of the regions. Where another ink covers the marker's, it goes on as
        on both sides.
    is_black : bool
        Whether the marker's ink looks like print, so that print is seen as well.
    strays : list of float
        Share of the inside of each region that is covered by other inks.
    """
    labs = [_lab(image[region.part]) for region in regions]
    ways = [_ways(lab) for lab in labs]
    inks = _inks(ways)
    mine = _marker(inks, ways, regions)
    is_black = bool(np.hypot(*inks[mine]) < _NEAR)
    grey, strays = np.full(image.shape[:2], 255, np.uint8), []
    for region, lab, (away, way) in zip(regions, labs, ways, strict=True):
        seen, other = _only(inks, mine, lab, away, way, is_whole=is_black)
        np.minimum(grey[region.part], seen, out=grey[region.part])
        strays.append(float(other[region.inside].sum() / max(region.inside.sum(), 1)))
    return grey, is_black, strays


def _lab(part: ColourImage) -> F32:
    """CIELAB of a region on paper that is white: (h, w, 3)."""
    paper, lab = np.empty(3), np.empty(part.shape, np.float32)
    paper_colour(part[::2, ::2], paper)
    follow_lab(part, paper, lab)
    return lab


def _ways(lab: F32) -> tuple[F32, F32]:
    """Distance of each pixel from paper (h, w), and its direction in a* and b* (h, w, 2)."""
    away, way = np.empty(lab.shape[:2], np.float32), np.empty((*lab.shape[:2], 2), np.float32)
    follow_ways(lab, away, way)
    return away, way


def _inks(ways: list[tuple[F32, F32]]) -> F32:
    """Directions of the inks, (n, 2): where many pixels agree, the most frequent first."""
    counts = np.zeros((_CELLS, _CELLS), np.int64)
    for away, way in ways:
        way_counts(away, way, _INKED, counts)
    density = cv2.GaussianBlur(counts.astype(np.float32), (0, 0), 0.05 * _CELLS / 2)
    middles = (np.arange(_CELLS) + 0.5) * (2 / _CELLS) - 1
    peaks = (density == cv2.dilate(density, _square(_APART))) & (density > 0)
    found = []
    for y, x in np.argwhere(peaks).tolist():
        near = np.hypot(middles - middles[x], (middles - middles[y])[:, None]) < _NEAR
        n = int(counts[near].sum())
        if n >= max(_SHARE * int(counts.sum()), 8):
            found.append((-n, float(middles[x]), float(middles[y])))
    inks = np.array(sorted(found))[:, 1:] if found else np.zeros((1, 2))
    return inks.astype(np.float32)


def _marker(inks: F32, ways: list[tuple[F32, F32]], regions: list[Region]) -> int:
    """Which ink fills the boxes and is rare around them; red ink is the likelier marker's."""
    score = np.zeros(len(inks))
    for region, (away, way) in zip(regions, ways, strict=True):
        tallies = np.zeros((len(inks), 2), np.int64)
        ink_tallies(inks, away, way, _INKED, region.inside, region.around, tallies)
        inside = tallies[:, 0] / max(region.inside.sum(), 1)
        around = tallies[:, 1] / max(region.around.sum(), 1)
        score += np.minimum(inside, 0.1) * inside / (inside + around + 1e-6)
    is_red = inks[:, 0] > np.maximum(_REDDISH, -inks[:, 1])
    return int(np.argmax(score * np.where(is_red, _RED_FAVOUR, 1.0)))


def _only(
    inks: F32, mine: int, lab: F32, away: F32, way: F32, *, is_whole: bool
) -> tuple[GreyImage, NDArray[np.bool_]]:
    """A region with one ink alone, on white, and where other inks are.

    Where `is_whole` it is shown to its edges: pale print, such as a frame, is part of the ink
    then, and half a frame would not be taken for one.
    """
    inked = away > _INKED
    share = np.zeros_like(away)
    own_share(inks, mine, away, way, _SPREAD, _NOISE, inked, share)
    _judge_dots(inks, mine, lab, inked, share)
    own, other = (share > 0.5) & inked, (share <= 0.5) & inked
    if not own.any():
        return np.full(away.shape, 255, np.uint8), other
    if not other.any():
        own_share(inks, mine, away, way, _SPREAD, _NOISE, ~inked & (away > 0), share)
        return _grey(lab, share), other
    seen = np.full(away.shape, 255, np.uint8)
    near = (slice(None), slice(None)) if is_whole else _around(own)
    lab, away, way, share = lab[near], away[near], way[near], share[near]
    own, pale = own[near], ~inked[near]
    beside = other[near].astype(np.uint8)
    # Scanners see red, green and blue a little apart, so print has coloured edges.
    near_other = cv2.dilate(beside, _square(5)) > 0
    reach = cv2.dilate((own & ~near_other).astype(np.uint8), _square(9)) > 0
    reach |= is_whole
    own_share(inks, mine, away, way, _SPREAD, _NOISE, pale & reach, share)
    found = _grey(lab, np.where(reach, share, 0))
    hidden = reach & (cv2.dilate(beside, _square(3)) > 0) & ~(own & reach)
    if hidden.any():
        found = np.asarray(
            cv2.inpaint(found, hidden.astype(np.uint8), 3, cv2.INPAINT_TELEA), np.uint8
        )
    seen[near] = found
    return seen, other


def _around(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of what is set, and some more."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(int(rows[0]) - _EDGE_PX, 0), int(rows[-1]) + _EDGE_PX + 1),
        slice(max(int(columns[0]) - _EDGE_PX, 0), int(columns[-1]) + _EDGE_PX + 1),
    )


def _judge_dots(inks: F32, mine: int, lab: F32, inked: NDArray[np.bool_], share: F32) -> None:
    """Keep small dots of the marker's colour, in place: files spread it over several pixels."""
    labels, boxes = np.empty(inked.shape, np.int32), np.empty((_MOST_DOTS, 4), np.int64)
    n = small_pieces(inked, min(inked.shape) // _DOT_SHARE, labels, boxes)
    for label, (left, top, right, bottom) in enumerate(boxes[:n].tolist(), start=1):
        rows, columns = slice(max(top - 3, 0), bottom + 3), slice(max(left - 3, 0), right + 3)
        dot = labels[rows, columns] == label
        if (inked[rows, columns] & ~dot).any():
            continue  # other ink is near
        colour = lab[rows, columns].reshape(-1, 3).sum(axis=0, dtype=np.float64)
        dark = 100.0 * dot.size - colour[0]
        way = colour[1:] / max(float(np.hypot(dark, np.hypot(*colour[1:]))), 1.0)
        if np.argmin(((way - inks) ** 2).sum(axis=1)) == mine:
            share[rows, columns][dot] = 1.0


def _grey(lab: F32, share: F32) -> GreyImage:
    return np.asarray(np.rint(255 - 2.55 * (100 - lab[:, :, 0]) * share), np.uint8)


def _square(side: int) -> GreyImage:
    return np.ones((side, side), np.uint8)
