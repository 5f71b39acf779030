"""A registration in the form the kernels take, and how one is put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.omr import _kernels
from inkmark.readings import Registration

__all__ = ["BoolArray", "FloatArray", "GreyImage", "Transform", "orientation_deg"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
GreyImage = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Transform:
    """Sheet millimetres to pixels: the arrays that `_kernels` takes.

    Attributes
    ----------
    homography : (3, 3) float64
    mesh_x, mesh_y : (nx,), (ny,) float64
    mesh : (ny, nx, 2) float64
    """

    homography: FloatArray
    mesh_x: FloatArray
    mesh_y: FloatArray
    mesh: FloatArray

    @classmethod
    def of(cls, registration: Registration) -> Transform:
        """The arrays of a registration."""
        homography = np.array(registration.homography).reshape(3, 3)
        shifts = registration.shifts
        if shifts is None:
            return cls(homography, np.zeros(1), np.zeros(1), np.zeros((1, 1, 2)))
        x, y = np.array(shifts.x_mm), np.array(shifts.y_mm)
        mesh = np.stack([shifts.dx_mm, shifts.dy_mm], axis=1).reshape(len(y), len(x), 2)
        return cls(homography, x, y, np.ascontiguousarray(mesh))

    def to_px(self, points: FloatArray) -> FloatArray:
        """Sheet positions (n, 2) in mm to pixels (n, 2)."""
        return np.asarray(
            _kernels.map_points(self.homography, self.mesh_x, self.mesh_y, self.mesh, points)
        )

    def places(self, bubbles: FloatArray) -> FloatArray:
        """Where bubbles (n, 4) lie in the image, (n, 6); see `_kernels.place_bubbles`."""
        out = np.empty((len(bubbles), 6))
        _kernels.place_bubbles(self.homography, self.mesh_x, self.mesh_y, self.mesh, bubbles, out)
        return out


def orientation_deg(homography: FloatArray, width_mm: float, height_mm: float) -> int:
    """Clockwise turn of the sheet in the image, to the nearest of 0, 90, 180 and 270."""
    ends = np.array([(0.0, height_mm / 2, 1.0), (width_mm, height_mm / 2, 1.0)]) @ homography.T
    (x0, y0), (x1, y1) = ends[:, :2] / ends[:, 2:]
    return int(round(np.degrees(np.arctan2(y1 - y0, x1 - x0)) / 90) * 90) % 360
