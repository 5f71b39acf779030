"""Markers who write points on paper in coloured ink, and scanners that see in colour.

Ink lies on paper like a filter: a page keeps, of each of red, green and blue, the share
that the ink lets through, so inks that cross are darker than either.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkmark.geometry import MM_PER_INCH, Box
from inkmark.simulator._optics import u8
from inkmark.simulator._pens import draw_strokes
from inkmark.simulator.hands import Hand, Ink
from inkmark.simulator.handwriting import write_line
from inkmark.simulator.people import smoothed
from inkmark.simulator.scanner import ScannerModel, scan

__all__ = [
    "ColourScanner",
    "Half",
    "InkKind",
    "Verdict",
    "cross_out",
    "draw_colour_scanner",
    "draw_lines",
    "draw_marker_ink",
    "encode_colour_scan",
    "put_verdict",
    "scan_in_colour",
    "strike_out",
    "write_points",
]

ColourImage = NDArray[np.uint8]
Points = NDArray[np.float64]


class InkKind(StrEnum):
    """What markers and candidates write with."""

    RED = "red"
    DARK_RED = "dark red"
    ORANGE = "orange"
    PINK = "pink"
    GREEN = "green"
    BLUE = "blue"
    BLACK = "black"
    PENCIL = "pencil"


_THROUGH = {
    InkKind.RED: (0.82, 0.13, 0.17),
    InkKind.DARK_RED: (0.58, 0.10, 0.14),
    InkKind.ORANGE: (0.92, 0.36, 0.15),
    InkKind.PINK: (0.88, 0.25, 0.45),
    InkKind.GREEN: (0.10, 0.47, 0.25),
    InkKind.BLUE: (0.14, 0.20, 0.60),
    InkKind.BLACK: (0.12, 0.12, 0.14),
    InkKind.PENCIL: (0.40, 0.40, 0.41),
}
"""Share of red, green and blue light that comes back from ink on white paper."""


def draw_marker_ink(kind: InkKind, rng: np.random.Generator) -> Ink:
    """A random pen of a colour: a ball-pen, a gel pen or a felt pen, 0.25 to 0.8 mm wide.

    Parameters
    ----------
    kind : InkKind
    rng : numpy.random.Generator
    """
    through = np.clip(np.array(_THROUGH[kind]) * (1 + rng.normal(0, 0.12, 3)), 0.04, 0.97)
    make = rng.random()
    if kind is InkKind.PENCIL:
        tip, flow, grain = rng.uniform(0.4, 0.8), rng.uniform(0.6, 0.95), rng.uniform(0.12, 0.3)
    elif make < 0.4:  # ball-pens leave paper bare
        tip, flow, grain = rng.uniform(0.25, 0.5), rng.uniform(0.62, 0.92), rng.uniform(0.1, 0.2)
    elif make < 0.8:  # gel pen
        tip, flow, grain = rng.uniform(0.35, 0.6), rng.uniform(0.88, 1.0), 0.03
    else:  # felt pen
        tip, flow, grain = rng.uniform(0.5, 0.8), rng.uniform(0.75, 1.0), 0.05
    red, green, blue = (255 * (1 - float(flow) * (1 - through))).tolist()
    return Ink(float(tip), (blue, green, red), float(grain))


# --- what markers write -----------------------------------------------------------------


class Half(StrEnum):
    """How half a mark is written after the whole points."""

    POINT = "point"
    """``7.5``"""
    SMALL = "small"
    """A small 5 beside the whole points, raised or lowered."""
    FRACTION = "fraction"
    """``7 1/2``, the fraction small."""


def write_points(
    page: ColourImage,
    box: Box,
    text: str,
    dpi: float,
    rng: np.random.Generator,
    *,
    hand: Hand,
    half: Half = Half.POINT,
) -> ColourImage:
    """The page after a marker has written points into a box.

    Parameters
    ----------
    page : (H, W, 3) uint8
        Blue, green, red; it stays as it is.
    box : Box
        In mm.
    text : str
        ``"12"`` or ``"7.5"``; halves only.
    dpi : float
    rng : numpy.random.Generator
    hand : Hand
    half : Half
    """
    whole, _, rest = text.partition(".")
    if not rest or half is Half.POINT:
        return write_line(page, box, text, dpi, rng, hand=hand)
    steady = replace(hand, spread=0.02)
    share = 0.62 if half is Half.SMALL else 0.5
    share = share if len(whole) > 1 else share - 0.12
    left = Box(box.x, box.y, share * box.w, box.h)
    page = write_line(page, left, whole, dpi, rng, hand=steady)
    height = hand.size * box.h * float(rng.uniform(0.45, 0.65)) / 0.9
    if half is Half.FRACTION:
        right = Box(left.right, box.y + 0.25 * box.h, 0.96 * (box.right - left.right), height)
        return write_line(page, right, "1/2", dpi, rng, hand=replace(steady, size=0.9))
    top = float(rng.choice([0.06, 0.5])) * box.h
    small = Box(left.right, box.y + top, 0.3 * box.w, height)
    return write_line(page, small, "5", dpi, rng, hand=replace(steady, size=0.9))


class Verdict(StrEnum):
    """What a marker puts beside a step of an answer."""

    RIGHT = "right"
    HALF = "half"
    """A tick with a short stroke through its long arm."""
    WRONG = "wrong"


def put_verdict(
    page: ColourImage,
    verdict: Verdict,
    centre: tuple[float, float],
    rng: np.random.Generator,
    *,
    size: float,
    dpi: float,
    ink: Ink,
) -> None:
    """Draw a tick, a tick with a stroke through it, or a cross, in place.

    Parameters
    ----------
    page : (H, W, 3) uint8
    verdict : Verdict
    centre : (float, float)
        In mm.
    rng : numpy.random.Generator
    size : float
        Height of the mark in mm.
    dpi : float
    ink : Ink
    """
    if verdict is Verdict.WRONG:
        half = np.array([rng.uniform(0.32, 0.6), 0.5])
        one, two = (np.array([(-1, -1), (1, 1)]), np.array([(1, -1), (-1, 1)]))
        strokes = [line * half + rng.normal(0, 0.05, (2, 2)) for line in (one, two)]
    else:
        start = np.array([rng.uniform(-0.55, -0.3), rng.uniform(-0.1, 0.25)])
        vertex = np.array([rng.uniform(-0.3, -0.1), 0.5])
        end = np.array([rng.uniform(0.35, 0.9), rng.uniform(-0.75, -0.45)])
        bend = (vertex + end) / 2 + (0.03, rng.uniform(0, 0.12))
        strokes = [np.array([start, vertex, bend, end]) + rng.normal(0, 0.02, (4, 2))]
        if verdict is Verdict.HALF:
            along = end - vertex
            across = np.array([-along[1], along[0]]) / np.hypot(*along)
            middle = vertex + along * rng.uniform(0.45, 0.75) + (0.01, 0.03)
            lean = across + 0.3 * rng.normal(0, 1) * along
            reach = rng.uniform(0.2, 0.36) * lean / np.hypot(*lean)
            strokes.append(np.array([middle - reach, middle + reach]))
    draw_lines(page, [smoothed(s, 1) * size + centre for s in strokes], dpi, rng, ink=ink)


def strike_out(
    page: ColourImage, box: Box, dpi: float, rng: np.random.Generator, *, ink: Ink
) -> None:
    """Strike out what stands in a box in mm, in place: by a few lines, a cross or a zigzag.

    Lines run along the box; through one that is higher than wide, and holds several scores,
    they run from top to bottom.
    """
    corner, sides = np.array([box.x, box.y]), np.array([box.w, box.h])
    is_high = box.h > 1.5 * box.w
    way = "lines" if is_high else str(rng.choice(["lines", "cross", "zigzag"], p=(0.6, 0.2, 0.2)))
    if way == "zigzag":
        x = np.linspace(-0.05, 1.05, int(rng.integers(6, 11)))
        y = np.where(np.arange(len(x)) % 2, rng.uniform(0.15, 0.3), rng.uniform(0.7, 0.85))
        lines = [np.stack([x, y + rng.normal(0, 0.05, len(x))], axis=1)]
    elif way == "cross":
        ends = np.array([[(0.0, 0.1), (1.0, 0.9)], [(1.0, 0.1), (0.0, 0.9)]])
        lines = [*(ends + rng.normal(0, 0.07, ends.shape))]
    else:
        n = int(rng.integers(1, 4))
        ends = np.empty((n, 2, 2))
        ends[:, 0, 0], ends[:, 1, 0] = -rng.uniform(0, 0.15, n), 1 + rng.uniform(0, 0.15, n)
        ends[:, :, 1] = 0.5 + rng.normal(0, 0.12, (n, 1)) + rng.normal(0, 0.1, (n, 2))
        lines = [*(ends[:, :, ::-1] if is_high else ends)]
    draw_lines(page, [corner + line * sides for line in lines], dpi, rng, ink=ink)


def cross_out(
    page: ColourImage, box: Box, dpi: float, rng: np.random.Generator, *, ink: Ink
) -> None:
    """Draw a cross over the digits that fill a box in mm, in place.

    It is 0.6 to 1.1 times as high as they are, and no wider than high.
    """
    size, aspect = box.h * float(rng.uniform(0.6, 1.1)), float(rng.uniform(0.6, 1.0))
    centre = np.array([box.x + box.w / 2, box.y + box.h / 2]) + rng.normal(0, 0.06 * box.h, 2)
    ends = np.array([[(-aspect, -1), (aspect, 1)], [(aspect, -1), (-aspect, 1)]]) * size / 2
    ends += rng.normal(0, 0.04 * box.h, ends.shape)
    draw_lines(page, [centre + line for line in ends], dpi, rng, ink=ink)


def draw_lines(
    page: ColourImage, lines: list[Points], dpi: float, rng: np.random.Generator, *, ink: Ink
) -> None:
    """Draw lines, (n, 2) points in mm each, with a pen, in place.

    Parameters
    ----------
    page : (H, W, 3) uint8
    lines : list of (n, 2) float64
    dpi : float
    rng : numpy.random.Generator
        For the grain of the paper.
    ink : Ink
    """
    draw_strokes(page, lines, dpi / MM_PER_INCH, rng, ink=ink)


# --- scanners in colour -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColourScanner:
    """What a scanner adds in colour to what it does in grey. The defaults change nothing.

    Attributes
    ----------
    cast : (float, float, float)
        White balance: factors of red, green and blue.
    fringe_mm : float
        How far red lies above and blue below green: the three are not seen at once.
    saturation : float
        Below 1 for pale colours.
    jpeg_quality : int
        Of the file.
    subsampled : bool
        Whether the file keeps colour at half the resolution (4:2:0), as nearly all do.
    grey : bool
        Whether the scan is grey after all.
    """

    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fringe_mm: float = 0.0
    saturation: float = 1.0
    jpeg_quality: int = 85
    subsampled: bool = True
    grey: bool = False


def draw_colour_scanner(rng: np.random.Generator, *, grey: bool = False) -> ColourScanner:
    """A random scanner as schools have them: a cast of up to a tenth, JPEG at 60 to 92.

    Parameters
    ----------
    rng : numpy.random.Generator
    grey : bool
    """
    cast = np.clip(1 + rng.normal(0, 0.03, 3), 0.88, 1.04)
    red, green, blue = (cast / cast.max()).tolist()
    return ColourScanner(
        cast=(red, green, blue),
        fringe_mm=float(abs(rng.normal(0, 0.03))),
        saturation=float(rng.uniform(0.75, 1.1)),
        jpeg_quality=int(rng.integers(60, 93)),
        subsampled=bool(rng.random() < 0.8),
        grey=grey,
    )


def scan_in_colour(
    page: ColourImage,
    dpi: float,
    model: ScannerModel,
    colour: ColourScanner,
    rng: np.random.Generator,
) -> ColourImage:
    """The page as a colour scanner sees it.

    Parameters
    ----------
    page : (H, W, 3) uint8
        Blue, green, red.
    dpi : float
    model : ScannerModel
        Geometry, tone and noise, the same for the three colours; streaks and compression are
        left out.
    colour : ColourScanner
    rng : numpy.random.Generator

    Returns
    -------
    (H, W, 3) uint8
        (W, H, 3) where the page lies on its side.
    """
    planes = []
    for plane, factor, late in zip(
        cv2.split(page), colour.cast[::-1], (1.0, 0.0, -1.0), strict=True
    ):
        seen = replace(
            model,
            white=round(model.white * factor),
            shift_y_mm=model.shift_y_mm + late * colour.fringe_mm,
            streaks=0,
            jpeg_quality=None,
        )
        planes.append(scan(u8(plane), dpi, seen, rng))
    out = u8(cv2.merge(planes))
    grey = u8(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY))
    if colour.grey:
        out = u8(cv2.merge([grey] * 3))
    elif colour.saturation != 1.0:
        pale = cv2.merge([grey] * 3)
        out = u8(cv2.addWeighted(out, colour.saturation, pale, 1 - colour.saturation, 0))
    return out


def encode_colour_scan(pixels: ColourImage, dpi: float, colour: ColourScanner) -> bytes:
    """The JPEG file that the scanner writes, one of grey where it saw none.

    Parameters
    ----------
    pixels : (H, W, 3) uint8
        Blue, green, red.
    dpi : float
    colour : ColourScanner
    """
    image = Image.fromarray(pixels[:, :, 0] if colour.grey else pixels[:, :, ::-1])
    data = io.BytesIO()
    resolution = (round(dpi), round(dpi))
    sampling = 2 if colour.subsampled and not colour.grey else 0
    image.save(data, "jpeg", quality=colour.jpeg_quality, subsampling=sampling, dpi=resolution)
    return data.getvalue()
