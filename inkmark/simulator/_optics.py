"""What lenses, sensors and files do to an image: small steps for scanners and phones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "blurred",
    "compressed",
    "filled",
    "noisy",
    "shaded",
    "smooth_field",
    "toned",
    "u8",
]

Pixels = NDArray[np.uint8]
Field = NDArray[np.float32]
Points = NDArray[np.float64]

_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
_SUBPIXEL_BITS = 4  # cv2 takes corners in sixteenths of a pixel


def u8(pixels: MatLike | None) -> Pixels:
    """An OpenCV result known to be uint8, as the type that says so."""
    return np.asarray(pixels, np.uint8)


def blurred(pixels: Pixels, sigma_px: float) -> Pixels:
    """A Gaussian blur; nothing for a standard deviation of 0."""
    if not sigma_px:
        return pixels
    side = 2 * max(1, round(2.5 * sigma_px)) + 1
    return u8(cv2.GaussianBlur(pixels, (side, side), sigma_px))


def toned(pixels: Pixels, black: int, white: int, gamma: float) -> Pixels:
    """Black and white moved to these greys; a gamma above 1 darkens the tones between."""
    light = (np.arange(256) / 255) ** gamma
    return u8(cv2.LUT(pixels, np.rint(black + (white - black) * light).astype(np.uint8)))


def noisy(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Add normal noise, cut off at 2.9 standard deviations.

    A random byte is looked up in the normal quantiles: 20 times as fast as drawing floats.
    """
    quantiles = sigma * _NORMAL_QUANTILES
    table = np.clip(np.rint(quantiles) + 128, 0, 255).astype(np.uint8)
    raw = np.frombuffer(rng.bytes(pixels.size), np.uint8).reshape(pixels.shape)
    return u8(cv2.addWeighted(pixels, 1, cv2.LUT(raw, table), 1, -128))


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """Compressed as JPEG and decompressed."""
    data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return u8(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def smooth_field(
    shape: tuple[int, int], sigma: float | tuple[float, float], rng: np.random.Generator
) -> Field:
    """Smooth noise of mean 0 and standard deviation 1; `sigma` across and down, in cells."""
    across, down = (sigma, sigma) if isinstance(sigma, int | float) else sigma
    field = rng.standard_normal(shape, dtype=np.float32)
    field = np.asarray(cv2.GaussianBlur(field, (0, 0), across, None, down), np.float32)
    return np.asarray((field - field.mean()) / (field.std() + 1e-9), np.float32)


def shaded(pixels: Pixels, light: ArrayLike) -> Pixels:
    """The image under uneven light: a coarse field of factors 0 to 1 over the whole image."""
    height, width = pixels.shape
    coarse = np.rint(np.clip(np.asarray(light), 0, 1) * 255).astype(np.uint8)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return u8(cv2.multiply(pixels, fine, scale=1 / 255))


def filled(
    pixels: Pixels, polygons: Iterable[Points] | Sequence[Points], grey: int, *, smooth: bool = True
) -> None:
    """Fill polygons, (n, 2) pixels each, in place; where two overlap, neither is filled."""
    corners = [np.rint(p * (1 << _SUBPIXEL_BITS)).astype(np.int32) for p in polygons]
    if corners:
        line = cv2.LINE_AA if smooth else cv2.LINE_8
        cv2.fillPoly(pixels, corners, grey, line, _SUBPIXEL_BITS)
