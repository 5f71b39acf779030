"""Photos of a sheet that lies on a table, taken by hand with a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from inkmark.geometry import MM_PER_INCH, apply_homography, local_scale
from inkmark.simulator._optics import (
    blurred,
    compressed,
    filled,
    noisy,
    shaded,
    smooth_field,
    toned,
    u8,
)
from inkmark.simulator.pose import Bulge, resample

__all__ = ["PhoneModel", "PhonePose", "draw_phone", "photograph"]

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PhoneModel:
    """How a photo is taken.

    Attributes
    ----------
    width_px, height_px : int
        Of the photo.
    tilt_deg, tilt_towards_deg : float
        Angle of the camera's axis to the upright, and the direction on the sheet in which
        the far side lies.
    roll_deg : float
        Turn of the sheet in the photo, clockwise.
    span : float
        Share of the frame that the sheet takes, in the direction in which it fits worse.
    offset_x, offset_y : float
        Where the sheet lies in what the frame leaves free, -1 to 1.
    focal : float
        Focal length in long sides of the photo; 0.72 is a phone's main camera.
    barrel : float
        Radial distortion: ``r (1 + barrel r^2)``, r in half diagonals.
    bulge : Bulge or None
        Paper that does not lie flat.
    light_loss, light_deg : float
        How much darker the side away from the lamp is, 0 to 1, and where that side lies.
    vignette : float
        Light lost in the corners.
    shadow : float
        Light lost in the soft shadow of hand or phone.
    blur_px : float
        Lens and focus, standard deviation.
    shake_px : float
        Length of the smear of an unsteady hand.
    noise : float
    black, white : int
        Grey of print and of paper in full light.
    gamma : float
    table : int
        Mean grey of the table.
    grain : float
        Strength of the table's pattern in grey levels.
    jpeg_quality : int or None
        Compress and decompress the photo once.
    """

    width_px: int = 3000
    height_px: int = 4000
    tilt_deg: float = 0.0
    tilt_towards_deg: float = 0.0
    roll_deg: float = 0.0
    span: float = 0.92
    offset_x: float = 0.0
    offset_y: float = 0.0
    focal: float = 0.72
    barrel: float = 0.0
    bulge: Bulge | None = None
    light_loss: float = 0.0
    light_deg: float = 0.0
    vignette: float = 0.0
    shadow: float = 0.0
    blur_px: float = 0.0
    shake_px: float = 0.0
    noise: float = 0.0
    black: int = 0
    white: int = 255
    gamma: float = 1.0
    table: int = 110
    grain: float = 0.0
    jpeg_quality: int | None = 92


class PhonePose:
    """Where a pinhole camera sees the points of a sheet.

    Parameters
    ----------
    model : PhoneModel
    width_mm, height_mm : float
        Of the sheet.
    """

    def __init__(self, model: PhoneModel, width_mm: float, height_mm: float) -> None:
        self._model = model
        self._middle = np.array([width_mm, height_mm]) / 2
        self._principal = (np.array([model.width_px, model.height_px]) - 1) / 2
        self._focal_px = model.focal * max(model.width_px, model.height_px)
        self._rotation = _rotation(model)
        self._place = np.array([0.0, 0.0, 1000.0])
        corners = np.array([(0, 0), (width_mm, 0), (width_mm, height_mm), (0, height_mm)])
        self._fit(corners)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the photo in pixels."""
        return self._model.height_px, self._model.width_px

    def to_px(self, points_mm: ArrayLike) -> Points:
        """Where positions of the printed page are seen: (n, 2) mm to (n, 2) pixels."""
        xy = np.atleast_2d(np.asarray(points_mm, np.float64)) - self._middle
        bulge = self._model.bulge
        rise = np.zeros(len(xy)) if bulge is None else bulge.at(xy)
        # Up from the table is towards the camera, against its axis.
        in_camera = np.column_stack([xy, -rise]) @ self._rotation.T + self._place
        out = self._focal_px * in_camera[:, :2] / in_camera[:, 2:]
        radius2 = (out**2).sum(axis=1, keepdims=True) / (self._principal**2).sum()
        return np.asarray(out * (1 + self._model.barrel * radius2) + self._principal)

    def to_mm(self, px: Points) -> Points:
        """Positions of the printed page that pixels show: (n, 2) to (n, 2) mm."""
        flat = self.flat()
        back = np.linalg.inv(flat).astype(np.float64)
        mm = apply_homography(back, px)
        for _ in range(8):
            mm = apply_homography(back, px - (self.to_px(mm) - apply_homography(flat, mm)))
        return mm

    def flat(self) -> Points:
        """Sheet mm to pixels of a flat sheet through a perfect lens, (3, 3)."""
        middle_x, middle_y = self._middle
        to_middle = np.array([(1, 0, -middle_x), (0, 1, -middle_y), (0, 0, 1)])
        columns = np.column_stack([self._rotation[:, :2], self._place])
        camera = np.diag([self._focal_px, self._focal_px, 1.0])
        camera[:2, 2] = self._principal
        out = camera @ columns @ to_middle
        return np.asarray(out / out[2, 2])

    def edge(self, width_mm: float, height_mm: float) -> Points:
        """The paper's edge in the photo, (n, 2) pixels."""
        along = np.linspace(0, 1, 40, endpoint=False)[:, None]
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * (width_mm, height_mm)
        sides = [corners[k] + along * (corners[k + 1] - corners[k]) for k in range(4)]
        return self.to_px(np.concatenate(sides))

    def _fit(self, corners: Points) -> None:
        """Stand so far away that the sheet takes its share of the frame, and aim."""
        frame = 2 * self._principal
        for _ in range(25):
            seen = self.to_px(corners)
            low, high = seen.min(axis=0), seen.max(axis=0)
            self._place[2] *= ((high - low) / (self._model.span * frame)).max()
            free = frame - (high - low)
            aim = frame / 2 + 0.5 * free * (self._model.offset_x, self._model.offset_y)
            miss = aim - (low + high) / 2
            self._place[:2] += 0.7 * miss * self._place[2] / self._focal_px


def draw_phone(rng: np.random.Generator, *, worst: float = 1.0) -> PhoneModel:
    """A random photo by somebody who takes some care: the whole sheet, in focus.

    Parameters
    ----------
    rng : numpy.random.Generator
    worst : float
        0 to 1; at 1 the camera is tilted by up to 35 degrees.
    """
    width, height = [(1200, 1600), (1536, 2048), (2448, 3264), (3000, 4000)][
        int(rng.choice(4, p=(0.15, 0.25, 0.35, 0.25)))
    ]
    landscape = rng.random() < 0.1
    # The long side of the sheet lies along that of the photo.
    turn = int(rng.choice((90, 270) if landscape else (0, 0, 0, 0, 0, 0, 0, 0, 0, 180)))
    sharpness = width / 3000
    return PhoneModel(
        width_px=height if landscape else width,
        height_px=width if landscape else height,
        tilt_deg=float(35 * worst * rng.random() ** 1.3),
        tilt_towards_deg=float(rng.uniform(0, 360)),
        roll_deg=float(turn + rng.normal(0, 4) * worst),
        span=float(rng.uniform(0.84, 0.97)),
        offset_x=float(rng.uniform(-0.8, 0.8)),
        offset_y=float(rng.uniform(-0.8, 0.8)),
        focal=float(rng.uniform(0.68, 0.8)),
        barrel=float(rng.normal(0, 0.006) * worst),
        bulge=Bulge(
            float(worst * min(rng.exponential(1.5), 6.0)),
            float(rng.uniform(220, 500)),
            float(rng.uniform(0, 180)),
            float(rng.random()),
        ),
        light_loss=float(0.5 * worst * rng.random()),
        light_deg=float(rng.uniform(0, 360)),
        vignette=float(0.2 * worst * rng.random()),
        shadow=float(0.45 * rng.random()) if rng.random() < 0.4 * worst else 0.0,
        blur_px=float(rng.uniform(0.5, 0.9) + 1.1 * worst * sharpness * rng.random()),
        shake_px=float(rng.exponential(1.2)) * sharpness if rng.random() < 0.3 * worst else 0.0,
        noise=float(rng.uniform(1.5, 3 + 5 * worst)),
        black=int(rng.integers(20, 60)),
        white=int(rng.integers(185, 250)),
        gamma=float(rng.uniform(0.85, 1.2)),
        table=int(rng.integers(35, 175)),
        grain=float(rng.uniform(3, 22)),
        jpeg_quality=int(rng.integers(70, 95)),
    )


def photograph(
    pixels: Pixels,
    dpi: float,
    model: PhoneModel,
    rng: np.random.Generator,
    *,
    gone: Sequence[Points] = (),
) -> Pixels:
    """The sheet as a phone sees it.

    Parameters
    ----------
    pixels : (H, W) uint8
    dpi : float
        Resolution of the page; at least that of the photo, else the photo is soft.
    model : PhoneModel
    rng : numpy.random.Generator
    gone : sequence of (n, 2) float64
        Polygons in mm on the page where there is no paper; the table is seen there.

    Returns
    -------
    (H, W) uint8
    """
    px_per_mm = dpi / MM_PER_INCH
    width_mm, height_mm = pixels.shape[1] / px_per_mm, pixels.shape[0] / px_per_mm
    pose = PhonePose(model, width_mm, height_mm)
    scale = local_scale(pose.flat(), (width_mm / 2, height_mm / 2)) / px_per_mm
    # A pixel of the photo gathers the light of all the page that it covers.
    page = blurred(pixels, 0.45 / scale if scale < 0.8 else 0.0)

    def source_of(px: Points) -> Points:
        return np.asarray(pose.to_mm(px) * px_per_mm - 0.5)

    out = resample(page, source_of, pose.shape)
    height, width = pose.shape
    around = np.array([(-2, -2), (width + 1, -2), (width + 1, height + 1), (-2, height + 1)])
    mask = np.zeros(pose.shape, np.uint8)
    filled(mask, [around.astype(np.float64), pose.edge(width_mm, height_mm)], 255, smooth=False)
    for hole in gone:
        filled(mask, [pose.to_px(hole)], 255, smooth=False)
    out = u8(cv2.copyTo(_table(model, rng), mask, out))
    out = shaded(out, _light(model, rng))
    out = blurred(out, model.blur_px)
    if model.shake_px > 0.5:
        out = u8(cv2.filter2D(out, -1, _smear(model.shake_px, float(rng.uniform(0, np.pi)))))
    out = toned(out, model.black, model.white, model.gamma)
    out = noisy(out, model.noise, rng)
    return out if model.jpeg_quality is None else compressed(out, model.jpeg_quality)


def _rotation(model: PhoneModel) -> Points:
    """Sheet axes to camera axes: the tilt about a line on the sheet, then the roll."""
    tilt, towards, roll = np.deg2rad((model.tilt_deg, model.tilt_towards_deg, model.roll_deg))
    axis = np.array([-np.sin(towards), np.cos(towards), 0.0])
    tilted = cv2.Rodrigues(-tilt * axis)[0]
    rolled = cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0]
    return np.asarray(rolled @ tilted, np.float64)


def _table(model: PhoneModel, rng: np.random.Generator) -> Pixels:
    """A table top: streaks along one direction, as of wood, and a few spots."""
    height, width = model.height_px, model.width_px
    along = bool(rng.random() < 0.5)
    sigma = (1.2, 30.0) if along else (30.0, 1.2)
    grain = smooth_field((height // 8 + 1, width // 8 + 1), sigma, rng)
    spots = smooth_field(grain.shape, 12.0, rng)
    coarse = np.clip(model.table + model.grain * (grain + 0.6 * spots), 5, 235).astype(np.uint8)
    return u8(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))


def _light(model: PhoneModel, rng: np.random.Generator) -> Points:
    """Share of the light on a coarse grid over the photo: lamp, lens and a shadow."""
    height, width = model.height_px // 32 + 1, model.width_px // 32 + 1
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None] * 2 - 1
    angle = np.deg2rad(model.light_deg)
    along = (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2)
    light = 1 - model.light_loss * (along + 1) / 2
    light *= 1 - model.vignette * ((x**2 + y**2) / 2) ** 2
    if model.shadow:
        side = rng.uniform(0, 2 * np.pi)
        bend = 0.3 * np.sin(3 * (x * np.sin(side) - y * np.cos(side)) + rng.uniform(0, 6))
        depth = x * np.cos(side) + y * np.sin(side) + bend - rng.uniform(0.1, 0.7)
        light *= 1 - model.shadow / (1 + np.exp(-depth / rng.uniform(0.02, 0.12)))
    return np.asarray(light)


def _smear(length: float, angle: float) -> NDArray[np.float32]:
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((side * 8, side * 8), np.uint8)
    middle = side * 4
    way = np.array([np.cos(angle), np.sin(angle)]) * length * 4
    ends = [tuple(np.rint(middle + sign * way).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 255, 8)
    small = cv2.resize(kernel.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small / small.sum(), np.float32)
