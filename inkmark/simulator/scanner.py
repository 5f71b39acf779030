"""Scanners: geometry, light, tone and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from inkmark.geometry import MM_PER_INCH
from inkmark.simulator._optics import blurred, compressed, filled, noisy, shaded, toned, u8
from inkmark.simulator.pose import Bulge, resample

__all__ = [
    "CLEAN_OFFICE",
    "DARK_LID",
    "ORDINARY",
    "Bilevel",
    "ScannerModel",
    "ScannerPose",
    "draw_scanner",
    "scan",
]

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

_LENS_MM = 250.0
"""How far the lens of a flatbed scanner is from the glass, along the folded light path."""
DARK_LID = 35
"""Grey of a black lid."""
_SLIP_MM = 4.0
"""Length of paper that passes while it slips."""
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Bilevel(StrEnum):
    """How a scanner makes black and white of grey."""

    NONE = ""
    THRESHOLD = "threshold"
    DITHER = "dither"
    """Error diffusion (Floyd and Steinberg 1976)."""


@dataclass(frozen=True, slots=True)
class ScannerModel:
    """What a scanner does to a page. The defaults change nothing.

    Attributes
    ----------
    orientation_deg : int
        Clockwise turn of the page in the feeder: 0, 90, 180 or 270.
    skew_deg : float
        Further clockwise turn about the page's centre.
    scale_x, scale_y : float
        Size of the print, about the centre; below 1 as by "fit to page".
    shift_x_mm, shift_y_mm : float
        Shift to the right and down.
    stretch_mm : float
        How far the feeder's uneven speed displaces the middle of the page downwards,
        against the two ends: ``stretch_mm * sin(pi * row / rows)``.
    slip_mm, slip_at : float
        A sudden slip: all rows beyond the share `slip_at` of the page lie `slip_mm` lower;
        it takes 4 mm of paper.
    wobble_mm, wobble_every_mm : float
        An unround roller: rows are displaced by ``wobble_mm * sin`` with this period.
    bulge : Bulge or None
        Paper that does not lie on the glass: its rows are displaced and darker.
    shadow, shadow_mm, shadow_deg : float
        Light lost along the edge that lies in this direction (0 right, 90 bottom), 0 to 1,
        as under an open lid, and how far it reaches.
    blur_mm : float
        Standard deviation of the blur.
    noise : float
        Standard deviation of the noise in grey levels.
    black, white : int
        Grey of black print and of white paper.
    gamma : float
        Above 1 darkens the tones between.
    border_mm : float
        Width of the border along the left and top edges in which the lid is seen.
    lid : int
        Grey of the lid behind the paper: what lies beyond it, a wedge with a skew.
    streaks : int
        Fine lines along the feeding direction from dust on the glass.
    bilevel : Bilevel
    threshold : int
        Grey from which a pixel is white (``Bilevel.THRESHOLD``).
    jpeg_quality : int or None
        Compress and decompress the page once.
    """

    orientation_deg: int = 0
    skew_deg: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0
    shift_x_mm: float = 0.0
    shift_y_mm: float = 0.0
    stretch_mm: float = 0.0
    slip_mm: float = 0.0
    slip_at: float = 0.5
    wobble_mm: float = 0.0
    wobble_every_mm: float = 60.0
    bulge: Bulge | None = None
    shadow: float = 0.0
    shadow_mm: float = 40.0
    shadow_deg: float = 0.0
    blur_mm: float = 0.0
    noise: float = 0.0
    black: int = 0
    white: int = 255
    gamma: float = 1.0
    border_mm: float = 0.0
    lid: int = 255
    streaks: int = 0
    bilevel: Bilevel = Bilevel.NONE
    threshold: int = 128
    jpeg_quality: int | None = None


CLEAN_OFFICE = ScannerModel(
    skew_deg=0.15, shift_x_mm=0.4, shift_y_mm=-0.3, blur_mm=0.04, noise=1.5, black=12, white=250
)
"""A well-kept office scanner."""

ORDINARY = ScannerModel(
    skew_deg=-0.7,
    scale_x=0.998,
    scale_y=1.003,
    shift_x_mm=1.2,
    shift_y_mm=1.8,
    stretch_mm=0.15,
    blur_mm=0.06,
    noise=4.0,
    black=25,
    white=242,
    gamma=1.1,
    border_mm=0.8,
    lid=DARK_LID,
)
"""A school's copier on an ordinary day."""


def draw_scanner(level: float, rng: np.random.Generator) -> ScannerModel:
    """A random scanner, upright and grey; turn it with `dataclasses.replace`.

    Parameters
    ----------
    level : float
        0 is a perfect scanner, 0.5 an ordinary one, 1 the worst still in use (2 degrees
        of skew, 6 mm of shift, 0.5 mm of stretch).
    rng : numpy.random.Generator
    """

    def spread(limit: float) -> float:
        return float(np.clip(rng.normal(0, limit * level / 2), -limit * level, limit * level))

    def up_to(limit: float) -> float:
        return float(rng.uniform(0.2, 1.0) * limit * level)

    drawn = ScannerModel(
        skew_deg=spread(2.0),
        scale_x=1 + spread(0.01),
        scale_y=1 + spread(0.015),
        shift_x_mm=spread(5.0),
        shift_y_mm=spread(6.0),
        stretch_mm=spread(0.5),
        slip_mm=spread(0.5) if rng.random() < 0.15 * level else 0.0,
        slip_at=float(rng.uniform(0.15, 0.85)),
        blur_mm=up_to(0.12),
        noise=up_to(9.0),
        black=round(up_to(55)),
        white=255 - round(up_to(30)),
        gamma=1 + spread(0.35),
        border_mm=up_to(3.0) if rng.random() < 0.5 * level else 0.0,
        streaks=int(rng.random() < 0.2 * level),
    )
    return replace(drawn, lid=DARK_LID) if drawn.border_mm else drawn


class ScannerPose:
    """Where a scanner sees the points of a sheet.

    Parameters
    ----------
    model : ScannerModel
    shape : (int, int)
        Height and width of the printed page in pixels, before any turn.
    dpi : float
    """

    def __init__(self, model: ScannerModel, shape: tuple[int, int], dpi: float) -> None:
        self._model, self._page_shape = model, shape
        self._px_per_mm = dpi / MM_PER_INCH
        on_its_side = model.orientation_deg in (90, 270)
        self._shape = shape[::-1] if on_its_side else shape
        self._centre = (np.array(self._shape[::-1]) - 1) / 2
        angle = np.deg2rad(model.skew_deg)
        self._turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        self._scale = np.array([model.scale_x, model.scale_y])
        self._shift = np.array([model.shift_x_mm, model.shift_y_mm]) * self._px_per_mm

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scan in pixels."""
        return self._shape

    @property
    def is_still(self) -> bool:
        """Whether the page is only turned."""
        m = self._model
        still = (m.skew_deg, m.shift_x_mm, m.shift_y_mm, m.stretch_mm, m.slip_mm, m.wobble_mm)
        return not any(still) and m.scale_x == m.scale_y == 1 and m.bulge is None

    def to_px(self, points_mm: ArrayLike) -> Points:
        """Where positions of the printed page are seen: (n, 2) mm to (n, 2) pixels."""
        return self._seen(self._turned(points_mm), self._scale)

    def edge(self) -> Points:
        """The paper's edge in the scan, (n, 2) pixels."""
        height, width = self._shape
        along = np.linspace(0, 1, 40, endpoint=False)
        # A pixel further out: at rest the edge does not show.
        low, right, bottom = -1.5, width + 0.5, height + 0.5
        corners = np.array([(low, low), (right, low), (right, bottom), (low, bottom), (low, low)])
        sides = [a + along[:, None] * (b - a) for a, b in pairwise(corners)]
        # A print that is scaled leaves the paper as it is.
        return self._seen(np.concatenate(sides), np.ones(2))

    def source_of(self, px: Points) -> Points:
        """Pixels of the scan (n, 2) to pixels of the page as it was turned (n, 2)."""
        fed = px.copy()
        fed[:, 1] -= self._late(px[:, 1])
        flat = target = (fed - self._centre - self._shift) @ self._turn
        if self._model.bulge is not None:
            for _ in range(4):
                flat = target - self._parallax(flat)
        return np.asarray(flat / self._scale + self._centre)

    def height_mm(self, px: Points) -> Points:
        """How far the paper is off the glass at pixels of the scan, (n, 2) to (n,)."""
        if self._model.bulge is None:
            return np.zeros(len(px))
        return self._model.bulge.at((px - self._centre) / self._px_per_mm)

    def _turned(self, points_mm: ArrayLike) -> Points:
        """Positions of the printed page to pixels of the page as it was turned."""
        xy = np.atleast_2d(np.asarray(points_mm, np.float64)) * self._px_per_mm - 0.5
        height, width = self._page_shape
        x, y = xy.T
        turned = {
            0: (x, y),
            90: (height - 1 - y, x),
            180: (width - 1 - x, height - 1 - y),
            270: (y, width - 1 - x),
        }
        return np.stack(turned[self._model.orientation_deg], axis=1)

    def _seen(self, turned: Points, scale: Points) -> Points:
        flat = (turned - self._centre) * scale
        out = (flat + self._parallax(flat)) @ self._turn.T + self._centre + self._shift
        row = fed = out[:, 1]
        for _ in range(20):  # a row comes late by what is due where it arrives
            row = fed + self._late(row)
        return np.column_stack([out[:, 0], row])

    def _late(self, row: Points) -> Points:
        """How much lower than on the paper a row of the scan is, in pixels."""
        model = self._model
        height = self._shape[0]
        late = model.stretch_mm * np.sin(np.pi * row / height)
        slipped = (row - model.slip_at * height) / (_SLIP_MM * self._px_per_mm)
        late = late + model.slip_mm * np.clip(slipped + 0.5, 0, 1)
        if model.wobble_mm:
            turns = row / (model.wobble_every_mm * self._px_per_mm)
            late = late + model.wobble_mm * np.sin(2 * np.pi * turns)
        return np.asarray(late * self._px_per_mm)

    def _parallax(self, flat: Points) -> Points:
        """Displacement of what is off the glass, towards the middle of the lens's line.

        Along the wave the paper is also shorter than its print by the share that it rises.
        """
        bulge = self._model.bulge
        if bulge is None:
            return np.zeros_like(flat)
        height = bulge.at(flat / self._px_per_mm)
        angle = np.deg2rad(bulge.direction_deg)
        way = np.array([np.cos(angle), np.sin(angle)])
        steepness = np.pi * bulge.height_mm / bulge.length_mm  # greatest slope
        shorter = (flat @ way) * steepness**2 / 4  # the mean of half the squared slope
        out = -shorter[:, None] * way
        out[:, 0] -= flat[:, 0] * height / (_LENS_MM + height)
        return np.asarray(out)


def scan(
    pixels: Pixels,
    dpi: float,
    model: ScannerModel,
    rng: np.random.Generator,
    *,
    gone: Sequence[Points] = (),
) -> Pixels:
    """The page as the scanner sees it.

    Parameters
    ----------
    pixels : (H, W) uint8
    dpi : float
        Resolution of the page and of the scan.
    model : ScannerModel
    rng : numpy.random.Generator
        For noise and streaks.
    gone : sequence of (n, 2) float64
        Polygons in mm on the page where there is no paper; the lid is seen there.

    Returns
    -------
    (H, W) uint8
        (W, H) where the page lies on its side.
    """
    px_per_mm = dpi / MM_PER_INCH
    pose = ScannerPose(model, pixels.shape, dpi)
    out = pixels
    if model.orientation_deg:
        out = u8(cv2.rotate(out, _TURNS[model.orientation_deg]))
    if not pose.is_still:
        out = resample(out, pose.source_of, pose.shape)
    if gone:
        out = out.copy() if out is pixels else out
        for hole in gone:
            edge = pose.to_px(hole)
            filled(out, [edge], model.lid)
            closed = np.rint(edge).astype(np.int32)
            cv2.polylines(out, [closed], True, 150, 1, cv2.LINE_AA)  # the edge's own shadow
    if model.lid < 255:
        out = _bordered(out, pose, model.lid, model.border_mm * px_per_mm)
    if model.shadow or model.bulge is not None:
        out = shaded(out, _light(pose, model, px_per_mm))
    out = blurred(out, model.blur_mm * px_per_mm)
    out = toned(out, model.black, model.white, model.gamma)
    if model.streaks:
        out = _streaked(out, model.streaks, rng)
    if model.noise:
        out = noisy(out, model.noise, rng)
    if model.bilevel is Bilevel.THRESHOLD:
        out = u8(cv2.threshold(out, model.threshold - 1, 255, cv2.THRESH_BINARY)[1])
    elif model.bilevel is Bilevel.DITHER:
        out = np.asarray(Image.fromarray(out).convert("1").convert("L"))
    if model.jpeg_quality is not None:
        out = compressed(out, model.jpeg_quality)
    return out


def _bordered(pixels: Pixels, pose: ScannerPose, lid: int, near_px: float) -> Pixels:
    """The lid beyond the paper, and a border of it along the left and top edges."""
    out = pixels.copy()
    height, width = out.shape
    around = np.array([(-2, -2), (width + 1, -2), (width + 1, height + 1), (-2, height + 1)])
    filled(out, [around.astype(np.float64), pose.edge()], lid)
    near = round(near_px)
    out[:, :near] = lid
    out[:near] = lid
    return out


def _light(pose: ScannerPose, model: ScannerModel, px_per_mm: float) -> Points:
    """Share of the light at every sixteenth pixel: (h, w)."""
    height, width = pose.shape
    y, x = (np.arange(0, n, 16) + 7.5 for n in (height, width))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    light = 1 / (1 + pose.height_mm(grid) / 14)
    if model.shadow:
        angle = np.deg2rad(model.shadow_deg)
        way = np.array([np.cos(angle), np.sin(angle)])
        corners = np.array([(0, 0), (width, 0), (width, height), (0, height)])
        near = ((corners @ way).max() - grid @ way) / (model.shadow_mm * px_per_mm)
        light *= 1 - model.shadow * np.exp(-np.square(near))
    return np.asarray(light.reshape(len(y), len(x)))


def _streaked(pixels: Pixels, n: int, rng: np.random.Generator) -> Pixels:
    """Fine lines along the feeding direction."""
    out = pixels.copy()
    for _ in range(n):
        x = int(rng.integers(0, out.shape[1] - 1))
        out[:, x : x + 2] = np.minimum(out[:, x : x + 2], int(rng.integers(120, 215)))
    return out
