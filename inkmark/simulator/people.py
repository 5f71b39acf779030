"""People filling sheets: marks, erasures, handwriting and strays, in pencil or pen.

A mark is a bundle of strokes. Strokes give a coverage (0 to 1), the writer's darkness,
the pressure and the grain of the paper turn it into a density, and the page keeps
``1 - density`` of its light.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from inkmark.geometry import MM_PER_INCH, Box
from inkmark.layouts import AreaField, BubbleField, BubbleShape, PageLayout
from inkmark.simulator._pens import coverage

__all__ = [
    "MarkStyle",
    "Meaning",
    "Writer",
    "draw_writer",
    "fill_sheet",
    "smoothed",
    "write_across",
]

Pixels = NDArray[np.uint8]
Density = NDArray[np.float32]
Points = NDArray[np.float64]

_OVERSAMPLING = 3
_FIXED_POINT_BITS = 3  # points of strokes stand on eighths of a pixel


class Meaning(StrEnum):
    """What a careful person makes of a mark."""

    MARK = "mark"
    BLANK = "blank"
    UNSURE = "unsure"


class MarkStyle(StrEnum):
    """How a bubble is marked."""

    FILL = "fill"
    """Filled as the instructions ask."""
    SPILL = "spill"
    """Filled, and about half a millimetre over the edge."""
    HASTY = "hasty"
    """A few quick strokes with paper showing between them."""
    LIGHT = "light"
    """Filled with little pressure or a hard pencil; plainly a mark."""
    TICK = "tick"
    CROSS = "cross"
    LINE = "line"
    """A stroke through the bubble."""
    DOT = "dot"
    CIRCLE = "circle"
    """A ring around the bubble."""
    FAINT = "faint"
    """Filled so lightly that a person hesitates."""
    HALF = "half"
    """Only one half of the bubble is filled."""
    ERASED = "erased"
    """Filled and erased well; a trace stays."""
    SMUDGED = "smudged"
    """Filled and erased so badly that a person hesitates."""
    OUTSIDE = "outside"
    """A filled mark beside the bubble, in the gap to its neighbour or below it."""
    CANCELLED = "cancelled"
    """Filled and then struck out with two strokes: taken back."""
    STRAY = "stray"
    """A stroke that touches the bubble and means nothing."""

    @property
    def meaning(self) -> Meaning:
        """What a careful person makes of it."""
        if self in (MarkStyle.FAINT, MarkStyle.SMUDGED, MarkStyle.OUTSIDE, MarkStyle.CANCELLED):
            return Meaning.UNSURE
        return Meaning.BLANK if self in (MarkStyle.ERASED, MarkStyle.STRAY) else Meaning.MARK


# Share of the writer's darkness that a style leaves on the paper.
_STRENGTH = {
    MarkStyle.LIGHT: (0.45, 0.60),
    MarkStyle.FAINT: (0.20, 0.28),
    MarkStyle.ERASED: (0.04, 0.09),
    MarkStyle.SMUDGED: (0.42, 0.55),
}
_FULL_STRENGTH = (0.92, 1.05)


@dataclass(frozen=True, slots=True)
class Writer:
    """The hand and the pencil of one person.

    Attributes
    ----------
    tip_mm : float
        Width of a stroke.
    darkness : float
        Density of a full stroke, 0 to 1: 2B pencil 0.6 to 0.8, black pen 0.85 to 0.9.
    grain : float
        How strongly the paper's grain shows, 0 (pen) to 0.4 (soft pencil).
    jitter_mm : float
        Standard deviation of where a stroke's points fall from where they should.
    slant_deg : float
        Direction of the filling strokes.
    """

    tip_mm: float = 0.65
    darkness: float = 0.7
    grain: float = 0.25
    jitter_mm: float = 0.12
    slant_deg: float = 15.0


def draw_writer(rng: np.random.Generator, *, pen_share: float = 0.0) -> Writer:
    """A random writer with a 2B pencil, as answer sheets in China ask for, or with a pen.

    Parameters
    ----------
    rng : numpy.random.Generator
    pen_share : float
        Probability of a pen.

    Returns
    -------
    Writer
    """
    writer = Writer(
        tip_mm=float(rng.uniform(0.45, 0.95)),
        darkness=float(rng.uniform(0.58, 0.84)),
        grain=float(rng.uniform(0.12, 0.32)),
        jitter_mm=float(rng.uniform(0.06, 0.18)),
        slant_deg=float(rng.choice([8.0, 20.0, 45.0, -30.0]) + rng.normal(0, 6)),
    )
    if pen_share == 0 or rng.random() < 1 - pen_share:
        return writer
    return replace(
        writer,
        tip_mm=float(rng.uniform(0.35, 0.6)),
        darkness=float(rng.uniform(0.78, 0.92)),
        grain=float(rng.uniform(0.0, 0.05)),
    )


def fill_sheet(
    pixels: Pixels,
    page: PageLayout,
    marks: Mapping[tuple[str, int], Sequence[tuple[int, MarkStyle]]],
    dpi: float,
    rng: np.random.Generator,
    *,
    writer: Writer | None = None,
    written: Collection[str] = (),
    strays: int = 0,
) -> Pixels:
    """The page after a person has filled it.

    Parameters
    ----------
    pixels : (H, W) uint8
        The printed page.
    page : PageLayout
    marks : mapping of (field name, group) to marks
        Each mark is an option's position and how it is marked. A field's only group is 0.
    dpi : float
        Resolution of `pixels`.
    rng : numpy.random.Generator
    writer : Writer, optional
        A random one by default.
    written : collection of str
        Names of area fields to write an answer into.
    strays : int
        Meaningless dots and strokes anywhere on the page.

    Returns
    -------
    (H, W) uint8

    Raises
    ------
    KeyError
        Where the page has no such field.
    IndexError
        Where the field has no such group or option.
    """
    paper = _Paper(pixels.copy(), dpi, writer or draw_writer(rng), rng)
    fields = {field.name: field for field in page.fields}
    for (name, group), options in marks.items():
        field = fields[name]
        if not isinstance(field, BubbleField):
            raise KeyError(f"{name} has no bubbles")
        centres = field.centres().reshape(field.n_groups, len(field.options), 2)
        for option, style in options:
            paper.mark(field, centres[group, option], style)
    for name in written:
        field = fields[name]
        if not isinstance(field, AreaField):
            raise KeyError(f"{name} is no area to write in")
        paper.write(field.box)
    for _ in range(strays):
        paper.stray(page)
    return paper.pixels


def write_across(
    pixels: Pixels,
    dpi: float,
    at_mm: tuple[float, float],
    lines: int,
    rng: np.random.Generator,
) -> tuple[Pixels, list[Points], float]:
    """Lines of handwriting with a pen wherever they fall, over print and marks.

    Parameters
    ----------
    pixels : (H, W) uint8
    dpi : float
    at_mm : (float, float)
        Where the first line begins.
    lines : int
    rng : numpy.random.Generator

    Returns
    -------
    pixels : (H, W) uint8
    strokes : list of (n, 2) float64
        In mm.
    pen_mm : float
        Width of the strokes.
    """
    paper = _Paper(pixels.copy(), dpi, draw_writer(rng), rng)
    strokes, pen_mm = paper.scrawl(at_mm, lines)
    return paper.pixels, strokes, pen_mm


class _Paper:
    """A page under one writer's hand."""

    def __init__(
        self, pixels: Pixels, dpi: float, writer: Writer, rng: np.random.Generator
    ) -> None:
        self.pixels = pixels
        self._px_per_mm = dpi / MM_PER_INCH
        self._writer = writer
        self._rng = rng
        fine = rng.standard_normal((256, 256), dtype=np.float32)
        self._grain = _normalised(cv2.GaussianBlur(fine, (0, 0), 0.09 * self._px_per_mm))
        self._pressure = _normalised(cv2.GaussianBlur(fine.T, (0, 0), 0.8 * self._px_per_mm))

    def mark(self, field: BubbleField, centre: Points, style: MarkStyle) -> None:
        w, h = field.bubble_w, field.bubble_h
        strokes, tip = self._strokes(style, w, h, field.shape)
        box = Box(centre[0] - w / 2, centre[1] - h / 2, w, h).grown(4.0)
        wobble = self._rng.normal(0, 0.6 * self._writer.jitter_mm, 2)
        strength = self._rng.uniform(*_STRENGTH.get(style, _FULL_STRENGTH))
        rubbed = 0.35 if style in (MarkStyle.ERASED, MarkStyle.SMUDGED) else 0.0
        self._draw(
            box,
            [stroke + centre + wobble for stroke in strokes],
            tip,
            strength * self._writer.darkness,
            rubbed_mm=rubbed,
        )

    def write(self, box: Box) -> None:
        """Lines of handwriting with a black pen over part of an area."""
        rng = self._rng
        size = rng.uniform(4.5, 6.5)
        pitch = size * rng.uniform(1.4, 1.8)
        inner = Box(box.x + 4, box.y + 9, box.w - 8, box.h - 12)  # below the printed number
        lines = max(1, int(inner.h / pitch * rng.uniform(0.4, 0.95)))
        strokes: list[Points] = []
        for line in range(lines):
            x, y = inner.x + rng.uniform(0, 4), inner.y + line * pitch
            end = inner.x + inner.w * rng.uniform(0.45, 0.98)
            while x + size < end and y + size < inner.bottom:
                strokes += [np.array([x, y]) + size * s for s in _glyph(rng)]
                x += size * (rng.uniform(0.75, 1.05) if rng.random() < 0.9 else 1.8)
        pen = float(rng.uniform(0.28, 0.42))
        self._draw(box, strokes, pen, float(rng.uniform(0.82, 0.92)), oversampling=1)

    def scrawl(self, at: tuple[float, float], lines: int) -> tuple[list[Points], float]:
        """Lines of free handwriting; gives their strokes and the pen's width in mm."""
        rng = self._rng
        size = rng.uniform(5.0, 9.0)
        angle = np.deg2rad(rng.normal(0, 8))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        strokes: list[Points] = []
        for line in range(lines):
            x, y = rng.uniform(-3, 3), 1.4 * size * line
            for _ in range(int(rng.integers(4, 13))):
                strokes += [at + (np.array([x, y]) + size * s) @ turn for s in _glyph(rng)]
                x += size * rng.uniform(0.75, 1.05)
        points = np.concatenate(strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        pen = float(rng.uniform(0.28, 0.5))
        box = Box(low[0], low[1], *(high - low)).grown(1.0)
        self._draw(box, strokes, pen, float(rng.uniform(0.75, 0.92)), oversampling=2)
        return strokes, pen

    def stray(self, page: PageLayout) -> None:
        rng = self._rng
        at = rng.uniform((8, 8), (page.width_mm - 8, page.height_mm - 8))
        length = rng.uniform(0.2, 5.0)
        strokes = [at + length * (_curve(rng, 3) - 0.5)]
        box = Box(at[0], at[1], 0, 0).grown(5.0)
        self._draw(box, strokes, self._writer.tip_mm * 0.7, self._writer.darkness * 0.7)

    def _strokes(  # noqa: PLR0911 - one return for each style
        self, style: MarkStyle, w: float, h: float, shape: BubbleShape
    ) -> tuple[list[Points], float]:
        """Strokes about the bubble's centre, and the width of the tip, in mm."""
        rng, writer = self._rng, self._writer
        jitter, tip = writer.jitter_mm, writer.tip_mm

        def shaken(points: Sequence[tuple[float, float]]) -> Points:
            return np.asarray(points) * (w, h) + rng.normal(0, jitter, (len(points), 2))

        match style:
            case MarkStyle.TICK:
                lift = rng.uniform(0.6, 1.0)
                tick = shaken([(-0.4, 0.0), (-0.1, 0.42), (0.1, 0.1), (0.6, -lift)])
                return [smoothed(tick, 1)], 0.8 * tip
            case MarkStyle.CROSS:
                a, b = rng.uniform(0.35, 0.55, 2)
                return [shaken([(-a, -b), (0, 0), (a, b)]), shaken([(-a, b), (0, 0), (a, -b)])], (
                    0.8 * tip
                )
            case MarkStyle.LINE:
                points = shaken([(-0.6, 0.0), (-0.2, 0.0), (0.2, 0.0), (0.6, 0.0)])
                return [smoothed(points, 2), points + np.array([0.1, 0.2])], tip
            case MarkStyle.DOT:
                return [rng.normal(0, 0.14, (6, 2))], max(tip, 0.8)
            case MarkStyle.CIRCLE:
                angle = np.linspace(0, rng.uniform(5.9, 6.9), 28) + rng.uniform(0, 6.3)
                grow = rng.uniform(1.2, 1.45) + np.linspace(0, rng.normal(0, 0.12), 28)
                ring = np.stack([w / 2 * np.cos(angle), h / 2 * np.sin(angle)], axis=1)
                return [ring * grow[:, None] + rng.normal(0, 0.3 * jitter, ring.shape)], 0.7 * tip
            case MarkStyle.OUTSIDE:
                beyond = (w / 2 + 1.3, h / 2 + 1.3)
                way = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)][int(rng.integers(3))])
                return [rng.normal(0, 0.25, (9, 2)) + way * beyond], tip
            case MarkStyle.CANCELLED:
                a, b = rng.uniform(0.75, 1.0, 2)
                return [
                    self._hatching(style, w, h, shape),
                    shaken([(-a, -b), (0, 0), (a, b)]),
                    shaken([(-a, b), (0, 0), (a, -b)]),
                ], 0.8 * tip
            case MarkStyle.STRAY:
                side = rng.uniform(0, 2 * np.pi)
                edge = 0.5 * np.array([w * np.cos(side), h * np.sin(side)])
                way = rng.normal(0, 0.9, 2) + 0.8 * edge
                return [np.array([edge * 0.8, edge + way / 2, edge + way])], 0.6 * tip
            case _:
                return [self._hatching(style, w, h, shape)], tip

    def _hatching(self, style: MarkStyle, w: float, h: float, shape: BubbleShape) -> Points:
        """A zigzag over the bubble: what filling is."""
        rng, writer = self._rng, self._writer
        tip, jitter = writer.tip_mm, writer.jitter_mm
        over = {MarkStyle.SPILL: 0.55, MarkStyle.HASTY: 0.1}.get(style, rng.uniform(-0.1, 0.12))
        a, b = (max(side / 2 + over - 0.4 * tip, 0.3) for side in (w, h))
        gap = tip * (rng.uniform(1.5, 2.1) if style is MarkStyle.HASTY else rng.uniform(0.5, 0.7))
        slant = np.deg2rad(writer.slant_deg + rng.normal(0, 6))
        along = np.array([np.cos(slant), np.sin(slant)])
        across = np.array([-along[1], along[0]])
        if shape is BubbleShape.RECTANGLE:
            reach = abs(a * across[0]) + abs(b * across[1])
        else:
            reach = float(np.hypot(a * across[0], b * across[1]))
        first = 0.0 if style is MarkStyle.HALF else -reach
        offsets = np.arange(first, reach + gap / 2, gap) + rng.normal(0, 0.1 * gap)
        offsets = np.clip(offsets, -0.97 * reach, 0.97 * reach)
        low, high = _chords(offsets, along, across, (a, b), shape)
        ends = np.stack([low, high], axis=1)
        ends[1::2] = ends[1::2, ::-1]  # there and back
        points = ends[:, :, None] * along + offsets[:, None, None] * across
        zigzag: Points = points.reshape(-1, 2)
        return zigzag + rng.normal(0, jitter, zigzag.shape)

    def _draw(
        self,
        box: Box,
        strokes: Sequence[Points],
        tip_mm: float,
        density: float,
        *,
        rubbed_mm: float = 0.0,
        oversampling: int = _OVERSAMPLING,
    ) -> None:
        """Lay strokes on the page; `box` bounds them, in mm."""
        scale = self._px_per_mm
        height, width = self.pixels.shape
        x0, y0 = max(int(box.x * scale), 0), max(int(box.y * scale), 0)
        x1, y1 = min(int(box.right * scale) + 1, width), min(int(box.bottom * scale) + 1, height)
        if x0 >= x1 or y0 >= y1:
            return
        covered = coverage(
            strokes,
            (x0, y0),
            (x1 - x0, y1 - y0),
            scale,
            tip_mm,
            oversampling=oversampling,
            fixed_point_bits=_FIXED_POINT_BITS,
        ).astype(np.float32)
        if rubbed_mm:
            rubbed = cv2.GaussianBlur(covered, (0, 0), rubbed_mm * scale)
            along = 2 * round(rubbed_mm * scale) + 1
            covered = np.asarray(cv2.blur(rubbed, (along, 1)), np.float32)
        dark = covered * (density / 255) * self._texture(covered.shape)
        region = self.pixels[y0:y1, x0:x1]
        region[:] = region * (1 - np.clip(dark, 0, 0.97))

    def _texture(self, shape: tuple[int, ...]) -> Density:
        """Grain of the paper and pressure of the hand around 1."""
        size = self._grain.shape[0]
        y, x = self._rng.integers(0, size, 2)
        rows, columns = (y + np.arange(shape[0])) % size, (x + np.arange(shape[1])) % size
        at = np.ix_(rows, columns)
        return 1 - self._writer.grain * np.abs(self._grain[at]) + 0.06 * self._pressure[at]


def _chords(
    offsets: Points, along: Points, across: Points, half: tuple[float, float], shape: BubbleShape
) -> tuple[Points, Points]:
    """Where lines ``offset * across + t * along`` enter and leave a bubble: t twice (n,).

    `half` holds the half axes of the ellipse, or the half sides of the rectangle.
    """
    reach = np.array(half)
    at = offsets[:, None] * across
    if shape is BubbleShape.RECTANGLE:
        with np.errstate(divide="ignore"):
            one, two = (-reach - at) / along, (reach - at) / along
        return np.minimum(one, two).max(axis=1), np.maximum(one, two).min(axis=1)
    p, q = at / reach, along / reach
    qq, pq, pp = q @ q, p @ q, (p * p).sum(axis=1)
    root = np.sqrt(np.maximum(pq**2 - qq * (pp - 1), 0))
    return (-pq - root) / qq, (-pq + root) / qq


def _glyph(rng: np.random.Generator) -> list[Points]:
    """Strokes of something that looks like a written character, in a unit square."""
    if rng.random() < 0.45:  # like a digit: one or two curves
        return [
            np.array([0.15, 0.1]) + (0.55, 0.85) * _curve(rng, int(rng.integers(3, 6)))
            for _ in range(int(rng.integers(1, 3)))
        ]
    strokes = []
    for _ in range(int(rng.integers(3, 8))):  # like a Chinese character
        x, y = rng.uniform(0.05, 0.7, 2)
        way = [(0.5, -0.04), (0.02, 0.5), (-0.25, 0.35), (0.3, 0.3)][int(rng.integers(4))]
        end = np.array([x, y]) + np.array(way) * rng.uniform(0.5, 1.1)
        middle = (np.array([x, y]) + end) / 2 + rng.normal(0, 0.03, 2)
        strokes.append(smoothed(np.array([(x, y), middle, end]), 1))
    return strokes


def _curve(rng: np.random.Generator, turns: int) -> Points:
    """A smooth curve through random points of the unit square."""
    return smoothed(rng.uniform(0, 1, (turns + 1, 2)), 3)


def smoothed(points: Points, rounds: int) -> Points:
    """Corners cut `rounds` times (Chaikin's algorithm); the ends stay."""
    for _ in range(rounds):
        inner = np.empty((2 * len(points) - 2, 2))
        inner[0::2] = 0.75 * points[:-1] + 0.25 * points[1:]
        inner[1::2] = 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.concatenate([points[:1], inner, points[-1:]])
    return points


def _normalised(field: MatLike) -> Density:
    return np.asarray((field - field.mean()) / field.std(), np.float32)
