"""Scanners: geometry, tone, noise and file formats."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray
from PIL import Image

from inkmark.files import write_whole
from inkmark.geometry import MM_PER_INCH

__all__ = [
    "CLEAN_OFFICE",
    "ORDINARY",
    "Bilevel",
    "ScannerModel",
    "draw_scanner",
    "encode_scan",
    "scan",
]

Pixels = NDArray[np.uint8]

_STRIP = 32  # rows; inside a strip the feeder's speed is constant


_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".pdf": "PDF",
}

_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])


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
        A sudden slip: all rows beyond the share `slip_at` of the page lie `slip_mm` lower.
    blur_mm : float
        Standard deviation of the blur.
    noise : float
        Standard deviation of the noise in grey levels.
    black, white : int
        Grey of black print and of white paper.
    gamma : float
        Above 1 darkens the tones between.
    border_mm : float
        Width of the dark border along the left and top edges; with a skew it is a wedge.
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
    blur_mm: float = 0.0
    noise: float = 0.0
    black: int = 0
    white: int = 255
    gamma: float = 1.0
    border_mm: float = 0.0
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

    return ScannerModel(
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


def scan(pixels: Pixels, dpi: float, model: ScannerModel, rng: np.random.Generator) -> Pixels:
    """The page as the scanner sees it.

    Parameters
    ----------
    pixels : (H, W) uint8
    dpi : float
        Resolution of the page and of the scan.
    model : ScannerModel
    rng : numpy.random.Generator
        For noise and streaks.

    Returns
    -------
    (H, W) uint8
        (W, H) where the page lies on its side.
    """
    turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    out = pixels
    if model.orientation_deg:
        out = _u8(cv2.rotate(out, turns[model.orientation_deg]))
    out = _moved(out, dpi / MM_PER_INCH, model)
    if model.blur_mm:
        sigma = model.blur_mm * dpi / MM_PER_INCH
        side = 2 * max(1, round(2.5 * sigma)) + 1
        out = _u8(cv2.GaussianBlur(out, (side, side), sigma))
    out = _u8(cv2.LUT(out, _tones(model)))
    out = _soiled(out, dpi / MM_PER_INCH, model, rng)
    if model.noise:
        out = _noisy(out, model.noise, rng)
    if model.bilevel is Bilevel.THRESHOLD:
        out = _u8(cv2.threshold(out, model.threshold - 1, 255, cv2.THRESH_BINARY)[1])
    elif model.bilevel is Bilevel.DITHER:
        out = np.asarray(Image.fromarray(out).convert("1").convert("L"))
    if model.jpeg_quality is not None:
        data = cv2.imencode(".jpg", out, (cv2.IMWRITE_JPEG_QUALITY, model.jpeg_quality))[1]
        out = _u8(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    return out


def encode_scan(
    pages: Pixels | Sequence[Pixels], path: str | Path, dpi: float, *, quality: int = 85
) -> None:
    """Write the file that a scanner would write, by the name's ending.

    ``.jpg`` and ``.png`` hold one page. ``.tif`` and ``.pdf`` hold one or more: fax group
    4 where all pages are black and white, else LZW in TIFF and JPEG in PDF. The
    resolution is written in every format.

    Parameters
    ----------
    pages : (H, W) uint8, or a sequence of them
    path : str or Path
    dpi : float
    quality : int
        Of JPEG, 1 to 100.

    Raises
    ------
    ValueError
        Where the ending is another one, or several pages go into a format for one.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _FORMATS:
        raise ValueError(f"no scanner writes {kind or 'files without an ending'}")
    arrays = [pages] if isinstance(pages, np.ndarray) else list(pages)
    is_bilevel = kind not in (".jpg", ".jpeg") and all(_is_bilevel(page) for page in arrays)
    first, *rest = (
        Image.fromarray(page > 0) if is_bilevel else Image.fromarray(page) for page in arrays
    )
    options: dict[str, object] = {"dpi": (dpi, dpi)}
    if kind in (".tif", ".tiff"):
        options["compression"] = "group4" if is_bilevel else "tiff_lzw"
    elif kind == ".pdf":
        options |= {"resolution": dpi} if is_bilevel else {"resolution": dpi, "quality": quality}
    elif kind == ".png":
        options["compress_level"] = 4
    else:
        options["quality"] = quality
    if kind in (".tif", ".tiff", ".pdf"):
        options |= {"save_all": True, "append_images": rest}
    elif rest:
        raise ValueError(f"{kind} holds one page; write .tif or .pdf")
    out = io.BytesIO()
    first.save(out, _FORMATS[kind], **options)
    write_whole(path, out.getvalue())


def _moved(pixels: Pixels, px_per_mm: float, model: ScannerModel) -> Pixels:
    """Skew, scale, shift and the feeder's uneven speed, in one resampling."""
    if model == replace(model, skew_deg=0.0, scale_x=1.0, scale_y=1.0, shift_x_mm=0.0,
                        shift_y_mm=0.0, stretch_mm=0.0, slip_mm=0.0):  # fmt: skip
        return pixels
    height, width = pixels.shape
    angle = np.deg2rad(model.skew_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    back = np.linalg.inv(turn @ np.diag([model.scale_x, model.scale_y]))
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = np.array([model.shift_x_mm, model.shift_y_mm]) * px_per_mm
    offset = centre - back @ (centre + shift)

    knots = np.append(np.arange(0, height, _STRIP), height)
    late = model.stretch_mm * np.sin(np.pi * knots / height)
    late += model.slip_mm * (knots > model.slip_at * height)
    rows = knots - late * px_per_mm  # the row of the paper that a row of the scan shows
    out = np.empty_like(pixels)
    for i, (top, bottom) in enumerate(pairwise(knots)):
        pace = (rows[i + 1] - rows[i]) / (bottom - top)
        matrix = np.column_stack([back[:, 0], back[:, 1] * pace, back[:, 1] * rows[i] + offset])
        cv2.warpAffine(
            pixels,
            matrix,
            (width, int(bottom - top)),
            dst=out[top:bottom],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=255,
        )
    return out


def _tones(model: ScannerModel) -> Pixels:
    light = (np.arange(256) / 255) ** model.gamma
    return np.rint(model.black + (model.white - model.black) * light).astype(np.uint8)


def _soiled(
    pixels: Pixels, px_per_mm: float, model: ScannerModel, rng: np.random.Generator
) -> Pixels:
    """Dark borders and streaks."""
    if not model.border_mm and not model.streaks:
        return pixels
    out = pixels.copy()
    height, width = out.shape
    near = model.border_mm * px_per_mm
    slope = np.tan(np.deg2rad(abs(model.skew_deg)))
    if near:
        for length, swap in ((height, False), (width, True)):
            wedge = np.array([(-1, -1), (near + slope * length, -1), (near, length), (-1, length)])
            points = np.rint(wedge[:, ::-1] if swap else wedge).astype(np.int32)
            cv2.fillConvexPoly(out, points, int(model.black) + 30, cv2.LINE_AA)
    for _ in range(model.streaks):
        x = int(rng.integers(0, width - 1))
        out[:, x : x + 2] = np.minimum(out[:, x : x + 2], int(rng.integers(120, 215)))
    return out


def _noisy(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Add normal noise, cut off at 2.9 standard deviations.

    A random byte is looked up in the normal quantiles: 20 times as fast as drawing floats.
    """
    quantiles = sigma * _NORMAL_QUANTILES
    table = np.clip(np.rint(quantiles) + 128, 0, 255).astype(np.uint8)
    raw = np.frombuffer(rng.bytes(pixels.size), np.uint8).reshape(pixels.shape)
    return _u8(cv2.addWeighted(pixels, 1, cv2.LUT(raw, table), 1, -128))


def _is_bilevel(pixels: Pixels) -> bool:
    return bool(((pixels == 0) | (pixels == 255)).all())


def _u8(pixels: MatLike | None) -> Pixels:
    """An OpenCV result known to be uint8, as the type that says so."""
    return np.asarray(pixels, np.uint8)
