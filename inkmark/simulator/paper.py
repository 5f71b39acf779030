"""What happens to a sheet of paper before it is scanned: copying, holes, folds, tears, ink.

Each step is a function of pixels, resolution and chance. `wear` applies those that a
`SheetModel` names and says which parts of the sheet are gone or hidden, for no reader can
read what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import MM_PER_INCH
from inkmark.layouts import BubbleField, PageLayout, WritingField
from inkmark.simulator._optics import blurred, filled, smooth_field, u8
from inkmark.simulator.people import write_across

__all__ = ["Damage", "SheetModel", "damaged_fields", "photocopied", "shown_through", "wear"]

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

_DAMAGE_PX_PER_MM = 6.0
_DAMAGED_SHARE = 0.1  # of a bubble's box
_HOLE_MM, _HOLE_FROM_EDGE_MM, _HOLE_STEP_MM = 6.0, 12.0, 80.0  # ISO 838


@dataclass(frozen=True, slots=True)
class SheetModel:
    """What happened to a sheet. The defaults are a fresh sheet, printed and filled.

    Attributes
    ----------
    photocopy : float
        The sheet is a copy of a printed one: loss and unevenness of toner, 0 to 1.
    show_through : float
        Share of the other side's ink that is seen, mirrored.
    stains : int
    folds : int
    holes : int
        Punched holes along the left edge: 0, 2 or 4.
    staples : int
    torn_mm : float
        A corner is torn off, this long along its edges.
    dog_ear_mm : float
        A corner is folded over.
    covered_mark : bool
        Something lies on a corner square, or the square is not printed.
    writing : int
        Lines of handwriting across the page, over whatever is there.
    """

    photocopy: float = 0.0
    show_through: float = 0.0
    stains: int = 0
    folds: int = 0
    holes: int = 0
    staples: int = 0
    torn_mm: float = 0.0
    dog_ear_mm: float = 0.0
    covered_mark: bool = False
    writing: int = 0


@dataclass(slots=True)
class Damage:
    """Parts of a sheet that cannot be read, in mm on the printed page.

    Attributes
    ----------
    gone : list of (n, 2) float64
        Polygons without paper: what lies behind the sheet is seen there.
    hidden : list of (n, 2) float64
        Polygons on which something lies.
    strokes : list of ((n, 2) float64, float)
        Lines of foreign ink, and their width.
    """

    gone: list[Points] = field(default_factory=list)
    hidden: list[Points] = field(default_factory=list)
    strokes: list[tuple[Points, float]] = field(default_factory=list)


def photocopied(pixels: Pixels, dpi: float, strength: float, rng: np.random.Generator) -> Pixels:
    """A printed page after copying: softer, unevenly black, with pinholes and specks.

    Parameters
    ----------
    pixels : (H, W) uint8
    dpi : float
    strength : float
        0 to 1.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) uint8
    """
    px_per_mm = dpi / MM_PER_INCH
    height, width = pixels.shape
    ink = 255 - blurred(pixels, (0.03 + 0.05 * strength) * px_per_mm)
    # A copier's steep tone curve thickens grey print before its toner fails it.
    grey = np.arange(256) / 255
    curve = 255 / (1 + np.exp(-9 * (grey - 0.42)))
    ink = u8(cv2.LUT(ink, np.clip(np.rint(curve - curve[0]), 0, 255).astype(np.uint8)))
    patches = smooth_field((height // 16 + 1, width // 16 + 1), (1.5, 6.0), rng)
    toner = np.clip(1 - strength * (0.18 + 0.16 * patches), 0.25, 1)
    fine = cv2.resize(np.rint(toner * 255).astype(np.uint8), (width, height))
    ink = u8(cv2.multiply(ink, fine, scale=1 / 255))
    pinholes = np.frombuffer(rng.bytes(pixels.size), np.uint8).reshape(pixels.shape)
    ink[pinholes < 20 * strength] //= 3
    for _ in range(int(rng.poisson(120 * strength))):
        x, y = rng.integers(0, (width, height))
        cv2.circle(ink, (int(x), int(y)), int(rng.integers(0, 2)), int(rng.integers(90, 220)), -1)
    return 255 - u8(cv2.GaussianBlur(ink, (3, 3), 0.5))


def shown_through(
    pixels: Pixels, other_side: Pixels, dpi: float, share: float, rng: np.random.Generator
) -> Pixels:
    """The page with its other side seen through the paper, mirrored and diffuse.

    Parameters
    ----------
    pixels, other_side : (H, W) uint8
        The other side as it is seen when the sheet is turned over about its upright axis.
    dpi : float
    share : float
        Of the other side's ink that is seen, 0 to 1.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) uint8
    """
    px_per_mm = dpi / MM_PER_INCH
    back = blurred(np.ascontiguousarray(other_side[:, ::-1]), 0.2 * px_per_mm)
    dx, dy = rng.normal(0, 0.7 * px_per_mm, 2)  # the two sides are never printed in register
    matrix = np.array([(1.0, 0.0, dx), (0.0, 1.0, dy)])
    size = (pixels.shape[1], pixels.shape[0])
    back = u8(cv2.warpAffine(back, matrix, size, borderMode=cv2.BORDER_REPLICATE))
    table = np.rint(255 - share * (255 - np.arange(256))).astype(np.uint8)
    return u8(cv2.multiply(pixels, cv2.LUT(back, table), scale=1 / 255))


def wear(
    pixels: Pixels, page: PageLayout, dpi: float, model: SheetModel, rng: np.random.Generator
) -> tuple[Pixels, Damage]:
    """A filled sheet after all that happened to it but copying and show-through.

    Parameters
    ----------
    pixels : (H, W) uint8
    page : PageLayout
    dpi : float
    model : SheetModel
    rng : numpy.random.Generator

    Returns
    -------
    pixels : (H, W) uint8
    damage : Damage
    """
    sheet = _Sheet(pixels.copy(), page, dpi / MM_PER_INCH, rng)
    for _ in range(model.writing and 1):
        sheet.scrawl(model.writing, dpi)
    for _ in range(model.stains):
        sheet.stain()
    for _ in range(model.folds):
        sheet.fold()
    if model.covered_mark:
        sheet.cover()
    if model.dog_ear_mm:
        sheet.dog_ear(model.dog_ear_mm)
    if model.holes:
        sheet.punch(model.holes)
    for _ in range(model.staples):
        sheet.staple()
    if model.torn_mm:
        sheet.tear(model.torn_mm)
    return sheet.pixels, sheet.damage


def damaged_fields(page: PageLayout, damage: Damage) -> frozenset[str]:
    """Names of the fields of which a bubble or box is gone, hidden or written over.

    A tenth of the bubble's box is enough: a mark may be no larger.

    Parameters
    ----------
    page : PageLayout
    damage : Damage

    Returns
    -------
    frozenset of str
    """
    if not (damage.gone or damage.hidden or damage.strokes):
        return frozenset()
    scale = _DAMAGE_PX_PER_MM
    size = (round(page.height_mm * scale), round(page.width_mm * scale))
    lost = np.zeros(size, np.uint8)
    for polygon in (*damage.gone, *damage.hidden):
        filled(lost, [polygon * scale - 0.5], 1, smooth=False)
    for stroke, width_mm in damage.strokes:
        line = np.rint(stroke * scale).astype(np.int32)
        cv2.polylines(lost, [line], False, 1, max(1, round(width_mm * scale)))
    total = cv2.integral(lost)
    names = set()
    for printed in page.fields:
        if isinstance(printed, BubbleField):
            centres, half = printed.centres(), np.array([printed.bubble_w, printed.bubble_h]) / 2
        elif isinstance(printed, WritingField):
            centres = np.array([box.centre for box in printed.boxes()])
            half = np.array([printed.box.w, printed.box.h]) / 2
        else:
            continue
        limit = np.array([size[1], size[0]])
        low = np.clip(np.rint((centres - half) * scale), 0, limit).astype(int)
        high = np.clip(np.rint((centres + half) * scale), 0, limit).astype(int)
        (x0, y0), (x1, y1) = low.T, high.T
        covered = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
        area = 4 * scale**2 * half[0] * half[1]
        if (covered > _DAMAGED_SHARE * area).any():
            names.add(printed.name)
    return frozenset(names)


class _Sheet:
    """A sheet to which things happen."""

    def __init__(
        self, pixels: Pixels, page: PageLayout, px_per_mm: float, rng: np.random.Generator
    ) -> None:
        self.pixels, self.damage = pixels, Damage()
        self._page, self._scale, self._rng = page, px_per_mm, rng

    def scrawl(self, lines: int, dpi: float) -> None:
        page, rng = self._page, self._rng
        at = (
            float(rng.uniform(0.02, 0.75) * page.width_mm),
            float(rng.uniform(0.03, 0.93) * page.height_mm),
        )
        self.pixels, strokes, pen = write_across(self.pixels, dpi, at, lines, rng)
        self.damage.strokes += [(stroke, pen) for stroke in strokes]

    def stain(self) -> None:
        """A drop of coffee or grease: a tint with a darker rim."""
        rng, page = self._rng, self._page
        at = rng.uniform((5, 5), (page.width_mm - 5, page.height_mm - 5))
        radius = float(rng.uniform(3, 22))
        angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        wobble = (
            1
            + 0.12 * np.sin(angle * 2 + rng.uniform(0, 6))
            + 0.06 * np.sin(angle * 5 + rng.uniform(0, 6))
        )
        outline = at + radius * wobble[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        tint, rim = rng.uniform(0.03, 0.16), rng.uniform(0.0, 0.2)
        layer, box = self._layer(outline, 3.0)
        filled(layer, [self._px(outline, box)], 255)
        inside = blurred(layer, 0.5 * self._scale).astype(np.float32) / 255
        layer[:] = 0
        ring = np.rint(self._px(outline, box)).astype(np.int32)
        cv2.polylines(layer, [ring], True, 255, max(1, round(0.7 * self._scale)), cv2.LINE_AA)
        edge = blurred(layer, 0.35 * self._scale).astype(np.float32) / 255
        self._darken(box, tint * inside + rim * edge)

    def fold(self) -> None:
        """A line across the sheet: the toner cracks, and one side of it lies in shade."""
        rng, page = self._rng, self._page
        lying = rng.random() < 0.6
        long, short = (page.width_mm, page.height_mm) if lying else (page.height_mm, page.width_mm)
        where = short * float(rng.choice([1 / 2, 1 / 3, 2 / 3, 1 / 4])) + rng.normal(0, 4)
        ends = np.array([(0.0, where + rng.normal(0, 1.5)), (long, where + rng.normal(0, 1.5))])
        ends = ends if lying else ends[:, ::-1]
        normal = np.array([0.0, 1.0]) if lying else np.array([1.0, 0.0])
        shade, crack = rng.uniform(0.06, 0.22), rng.uniform(0.2, 0.7)
        band = np.concatenate([ends - 2.5 * normal, (ends + 2.5 * normal)[::-1]])
        layer, box = self._layer(band, 0.5)
        line = np.rint(self._px(ends + 0.25 * normal, box)).astype(np.int32)
        cv2.polylines(layer, [line], False, 255, max(1, round(0.5 * self._scale)), cv2.LINE_AA)
        self._darken(box, shade * blurred(layer, 0.3 * self._scale).astype(np.float32) / 255)
        layer[:] = 0
        line = np.rint(self._px(ends, box)).astype(np.int32)
        cv2.polylines(layer, [line], False, 255, max(1, round(0.25 * self._scale)), cv2.LINE_AA)
        flakes = crack * layer.astype(np.float32) / 255
        flakes *= np.clip(smooth_field((layer.shape[0], layer.shape[1]), 1.2, rng) + 0.5, 0, 1)
        region = self._region(box)
        region[:] = region + (250.0 - np.minimum(region, 250)) * flakes

    def cover(self) -> None:
        """A sticker, a blot or correction tape on a corner square; or it was never printed."""
        rng = self._rng
        squares = self._page.anchors.squares
        if not squares:
            return
        square = squares[int(rng.integers(len(squares)))]
        middle = np.array(square.centre)
        kind = rng.integers(4)
        if kind == 0:  # not printed
            shape = square.grown(0.6).corners()
            grey, rim = 254, 254
        elif kind == 1:  # correction tape, a white sticker: its edge is seen
            angle = np.deg2rad(rng.normal(0, 15))
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            half = rng.uniform((4, 4), (14, 9))
            box = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
            shape = middle + rng.normal(0, 1.5, 2) + box @ turn.T
            grey, rim = int(rng.integers(235, 253)), 190
        else:  # a blot of ink, a price label, a thumb
            angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            radius = rng.uniform(5, 9) * (1 + 0.15 * np.sin(3 * angle + rng.uniform(0, 6)))
            shape = middle + rng.normal(0, 2, 2)
            shape = shape + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            grey = int(rng.integers(25, 60) if kind == 2 else rng.integers(110, 180))
            rim = max(grey - 20, 0)
        self._lay(shape, grey, rim)

    def dog_ear(self, legs_mm: float) -> None:
        """A corner folded over: the back of the paper, and the lid where it was."""
        corner, ways = self._corner()
        a, b = (corner + way * legs_mm * self._rng.uniform(0.7, 1.3) for way in ways)
        along = (b - a) / np.hypot(*(b - a))
        foot = a + along * ((corner - a) @ along)
        tip = 2 * foot - corner
        self.damage.gone.append(np.array([corner, a, b]))
        self._lay(np.array([a, tip, b]), int(self._rng.integers(238, 253)), 160)

    def punch(self, n: int) -> None:
        middle = self._page.height_mm / 2 + self._rng.normal(0, 2)
        x = _HOLE_FROM_EDGE_MM + self._rng.normal(0, 0.7)
        angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
        circle = _HOLE_MM / 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        for k in range(n):
            y = middle + (k - (n - 1) / 2) * _HOLE_STEP_MM
            self.damage.gone.append(np.array([x, y]) + circle)

    def staple(self) -> None:
        """A wire near a corner, or what is left of it: two holes and a dent."""
        rng = self._rng
        corner, ways = self._corner()
        at = corner + ways[0] * rng.uniform(5, 16) + ways[1] * rng.uniform(4, 12)
        along = ways[0] + ways[1] * rng.choice([0.0, -1.0, 0.3]) + rng.normal(0, 0.08, 2)
        along /= np.hypot(*along)
        ends = np.array([at - 6 * along, at + 6 * along])
        across = np.array([-along[1], along[0]])
        if rng.random() < 0.5:
            wire = np.concatenate([ends - 0.25 * across, (ends + 0.25 * across)[::-1]])
            self._lay(wire, int(rng.integers(70, 190)), 60)
        for end in ends:
            pit = end + 0.4 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
            self._lay(pit, int(rng.integers(40, 110)), 120)

    def tear(self, legs_mm: float) -> None:
        """A corner torn off along a rough line; the torn edge shows white fibre."""
        rng = self._rng
        corner, ways = self._corner()
        a, b = (corner + way * legs_mm * rng.uniform(0.6, 1.5) for way in ways)
        line = np.array([a, b])
        for rough in (0.08, 0.05, 0.03, 0.02):
            between = (line[:-1] + line[1:]) / 2
            between += rng.normal(0, rough, between.shape) * np.hypot(*(b - a)) / 2
            line = np.insert(line, np.arange(1, len(line)), between, axis=0)
        inwards = -(ways[0] + ways[1]) / np.sqrt(2)
        fibre = line - inwards * rng.uniform(0.3, 1.4, (len(line), 1))
        rim = np.concatenate([line, fibre[::-1]])
        filled(self.pixels, [self._px(rim, (0, 0, 0, 0))], 252)
        self.damage.hidden.append(rim)
        self.damage.gone.append(np.concatenate([[corner + 3 * inwards], line]))

    def _corner(self) -> tuple[Points, tuple[Points, Points]]:
        """A corner of the paper and the ways along its two edges."""
        page, rng = self._page, self._rng
        right, low = rng.random(2) < 0.5
        corner = np.array([page.width_mm if right else 0.0, page.height_mm if low else 0.0])
        return corner, (
            np.array([-1.0 if right else 1.0, 0.0]),
            np.array([0.0, -1.0 if low else 1.0]),
        )

    def _lay(self, polygon: Points, grey: int, rim: int) -> None:
        """Something flat on the sheet, with a visible rim."""
        seen = self._px(polygon, (0, 0, 0, 0))
        filled(self.pixels, [seen], grey)
        line = np.rint(seen).astype(np.int32)
        cv2.polylines(self.pixels, [line], True, rim, 1, cv2.LINE_AA)
        self.damage.hidden.append(polygon)

    def _px(self, points: Points, box: tuple[int, int, int, int]) -> Points:
        return np.asarray(points * self._scale - 0.5 - box[:2])

    def _layer(self, points: Points, margin: float) -> tuple[Pixels, tuple[int, int, int, int]]:
        """An empty layer over the part of the page around points, and its place in pixels."""
        height, width = self.pixels.shape
        low = np.floor((points.min(axis=0) - margin) * self._scale).astype(int)
        high = np.ceil((points.max(axis=0) + margin) * self._scale).astype(int)
        x0, y0 = np.clip(low, 0, (width - 1, height - 1)).tolist()
        x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height)).tolist()
        return np.zeros((y1 - y0, x1 - x0), np.uint8), (x0, y0, x1, y1)

    def _region(self, box: tuple[int, int, int, int]) -> Pixels:
        x0, y0, x1, y1 = box
        return self.pixels[y0:y1, x0:x1]

    def _darken(self, box: tuple[int, int, int, int], density: NDArray[np.floating]) -> None:
        region = self._region(box)
        region[:] = region * (1 - np.clip(density, 0, 0.95))
