"""Where the points of a sheet are in its image, and resampling the one into the other.

A pose is the truth about a simulated image: `to_px` says where each position of the
sheet is seen, so that the error of a registration can be measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Bulge", "Pose", "resample"]

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

_NODE = 16  # pixels between the nodes at which a mapping is computed
_STRIP = 8  # rows of nodes that are resampled at once


@dataclass(frozen=True, slots=True)
class Bulge:
    """Paper that does not lie flat: a wave of one direction, as paper bends but does not stretch.

    Attributes
    ----------
    height_mm : float
        From the lowest to the highest part.
    length_mm : float
        Of the wave.
    direction_deg : float
        In which the height changes, from x towards y.
    phase : float
        0 to 1.
    """

    height_mm: float
    length_mm: float = 300.0
    direction_deg: float = 0.0
    phase: float = 0.0

    def at(self, points: Points) -> Points:
        """Height in mm at positions of the paper, (n, 2) mm to (n,)."""
        angle = np.deg2rad(self.direction_deg)
        along = (points @ (np.cos(angle), np.sin(angle))) / self.length_mm + self.phase
        return np.asarray(0.5 * self.height_mm * (1 - np.cos(2 * np.pi * along)))


class Pose(Protocol):
    """How a sheet lies in an image."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        ...

    def to_px(self, points_mm: ArrayLike) -> Points:
        """Where positions of the printed page are seen: (n, 2) mm to (n, 2) pixels."""
        ...


def resample(
    pixels: Pixels,
    source_of: Callable[[Points], Points],
    shape: tuple[int, int],
    *,
    outside: int = 255,
) -> Pixels:
    """Draw an image anew under a smooth mapping.

    The mapping is computed at nodes 16 pixels apart and is bilinear between them.

    Parameters
    ----------
    pixels : (H, W) uint8
    source_of : callable
        Pixels of the new image (n, 2) to pixels of the old one (n, 2).
    shape : (int, int)
        Height and width of the new image.
    outside : int
        Grey of what is not in the old image.

    Returns
    -------
    (H', W') uint8
    """
    height, width = shape
    n_rows, n_columns = -(-height // _NODE), -(-width // _NODE)
    # A node is the middle of a tile; one more row and column on each side, to interpolate to.
    y, x = ((np.arange(-1, n + 1) + 0.5) * _NODE - 0.5 for n in (n_rows, n_columns))
    nodes = np.stack(np.meshgrid(x, y), axis=-1)
    found = source_of(nodes.reshape(-1, 2)).reshape(nodes.shape)
    sources = np.ascontiguousarray(found.transpose(2, 0, 1), np.float32)
    out = np.empty(shape, np.uint8)
    for first in range(0, n_rows, _STRIP):
        last = min(first + _STRIP, n_rows)
        size = ((n_columns + 2) * _NODE, (last - first + 2) * _NODE)
        top, bottom = first * _NODE, min(last * _NODE, height)
        part = slice(_NODE, _NODE + bottom - top), slice(_NODE, _NODE + width)
        map_x, map_y = (
            cv2.resize(axis[first : last + 2], size, interpolation=cv2.INTER_LINEAR)[part]
            for axis in sources
        )
        out[top:bottom] = cv2.remap(
            pixels,
            map_x,
            map_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=outside,
        )
    return out
