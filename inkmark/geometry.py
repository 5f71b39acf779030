"""Points, boxes and homographies.

The origin is the top left corner, x grows to the right and y downwards, in millimetres
on the sheet and in pixels in the image. In an image the centre of the top left pixel is
(0, 0). Points are float64 arrays of shape (n, 2); a homography is a float64 array of
shape (3, 3) that maps column vectors (x, y, 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MM_PER_INCH", "Box", "apply_homography", "bounds", "fit_homography", "local_scale"]

MM_PER_INCH = 25.4

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle; the unit is that of the place where it is used.

    Attributes
    ----------
    x, y : float
        Top left corner.
    w, h : float
        Width and height, both positive.
    """

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The x of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The y of the bottom edge."""
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        """The centre (x, y)."""
        return self.x + self.w / 2, self.y + self.h / 2

    def corners(self) -> FloatArray:
        """Corners in the order top left, top right, bottom right, bottom left: (4, 2)."""
        return np.array(
            [
                (self.x, self.y),
                (self.right, self.y),
                (self.right, self.bottom),
                (self.x, self.bottom),
            ]
        )

    def grown(self, margin: float) -> Box:
        """The box with `margin` added on each side (taken away where negative)."""
        return Box(self.x - margin, self.y - margin, self.w + 2 * margin, self.h + 2 * margin)

    def overlaps(self, other: Box) -> bool:
        """Whether the insides of the two boxes meet."""
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )


def bounds(points: ArrayLike) -> Box:
    """Smallest upright box around points, (n, 2)."""
    xy = np.asarray(points, dtype=np.float64)
    (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
    return Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))


def apply_homography(homography: FloatArray, points: ArrayLike) -> FloatArray:
    """Map points through a homography.

    Parameters
    ----------
    homography : (3, 3) float64
    points : (n, 2) array_like

    Returns
    -------
    (n, 2) float64
    """
    xy = np.atleast_2d(np.asarray(points, dtype=np.float64))
    mapped = xy @ homography[:, :2].T + homography[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:3], dtype=np.float64)


def fit_homography(source: ArrayLike, target: ArrayLike) -> FloatArray:
    """Least-squares homography from at least four point pairs.

    Normalised direct linear transform: Hartley and Zisserman, Multiple View Geometry in
    Computer Vision, 2nd ed., algorithm 4.2.

    Parameters
    ----------
    source, target : (n, 2) array_like
        Corresponding points, n >= 4, no three of four on a line.

    Returns
    -------
    (3, 3) float64
        Scaled so that the last entry is 1.

    Raises
    ------
    ValueError
        Where the points do not determine a homography.
    """
    src = np.asarray(source, dtype=np.float64)
    dst = np.asarray(target, dtype=np.float64)
    if src.shape != dst.shape or src.ndim != 2 or src.shape[1] != 2 or len(src) < 4:
        raise ValueError("a homography needs at least four pairs of points")
    src_norm, dst_norm = _normalising(src), _normalising(dst)
    u, v = apply_homography(src_norm, src), apply_homography(dst_norm, dst)
    rows = np.zeros((2 * len(u), 9))
    rows[0::2, 0:2], rows[0::2, 2] = -u, -1.0
    rows[0::2, 6:8], rows[0::2, 8] = u * v[:, :1], v[:, 0]
    rows[1::2, 3:5], rows[1::2, 5] = -u, -1.0
    rows[1::2, 6:8], rows[1::2, 8] = u * v[:, 1:], v[:, 1]
    # The triangular factor has the rows' singular values and vectors, and nine rows at most.
    _, singular, vt = np.linalg.svd(np.linalg.qr(rows, mode="r"))
    if singular[7] < 1e-10 * singular[0]:
        raise ValueError("the points do not determine a homography")
    h = np.linalg.inv(dst_norm) @ vt[8].reshape(3, 3) @ src_norm
    if abs(h[2, 2]) < 1e-12 * np.abs(h).max():
        raise ValueError("the points do not determine a homography")
    return np.asarray(h / h[2, 2], dtype=np.float64)


def local_scale(homography: FloatArray, point: tuple[float, float]) -> float:
    """Pixels per millimetre (target units per source unit) at a point.

    The square root of the absolute Jacobian determinant, so an anisotropic scale gives
    its geometric mean.
    """
    x, y = point
    w = homography[2, 0] * x + homography[2, 1] * y + homography[2, 2]
    return float(np.sqrt(abs(np.linalg.det(homography) / w**3)))


def _normalising(points: FloatArray) -> FloatArray:
    centre = points.mean(axis=0)
    spread = np.sqrt(((points - centre) ** 2).sum(axis=1)).mean()
    scale = np.sqrt(2.0) / spread if spread > 0 else 1.0
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])
