"""Compiled inner loops of the bubble reader; each has a plain numpy twin in the tests.

All of them sample the page through the transform from sheet millimetres to pixels, so the
page is never warped. A transform is a (3, 3) float64 homography and a shift mesh: knots
`mesh_x` (nx,), `mesh_y` (ny,) and `mesh` (ny, nx, 2) float64, added to the position
before the homography.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "best_shift",
    "fit_moves",
    "map_points",
    "measure_bubbles",
]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def _knot(knots: F64, value: float) -> tuple[int, int, float]:
    """Indices of the knots around a value, and its share of the way between them."""
    last = len(knots) - 1
    if last == 0 or value <= knots[0]:
        return 0, 0, 0.0
    if value >= knots[last]:
        return last, last, 0.0
    low = 0
    high = last
    while high - low > 1:
        middle = (low + high) // 2
        if knots[middle] <= value:
            low = middle
        else:
            high = middle
    return low, high, (value - knots[low]) / (knots[high] - knots[low])


@njit(cache=True, nogil=True)
def _through(hom: F64, x: float, y: float) -> tuple[float, float]:
    w = hom[2, 0] * x + hom[2, 1] * y + hom[2, 2]
    return (
        (hom[0, 0] * x + hom[0, 1] * y + hom[0, 2]) / w,
        (hom[1, 0] * x + hom[1, 1] * y + hom[1, 2]) / w,
    )


@njit(cache=True, nogil=True)
def _to_px(
    hom: F64, mesh_x: F64, mesh_y: F64, mesh: F64, x: float, y: float
) -> tuple[float, float]:
    left, right, across = _knot(mesh_x, x)
    above, below, down = _knot(mesh_y, y)
    weight = (1 - down) * (1 - across)
    dx = weight * mesh[above, left, 0]
    dy = weight * mesh[above, left, 1]
    weight = (1 - down) * across
    dx += weight * mesh[above, right, 0]
    dy += weight * mesh[above, right, 1]
    weight = down * (1 - across)
    dx += weight * mesh[below, left, 0]
    dy += weight * mesh[below, left, 1]
    weight = down * across
    dx += weight * mesh[below, right, 0]
    dy += weight * mesh[below, right, 1]
    return _through(hom, x + dx, y + dy)


@njit(cache=True, nogil=True)
def map_points(hom: F64, mesh_x: F64, mesh_y: F64, mesh: F64, points: F64) -> F64:
    """Sheet positions (n, 2) in mm to pixels (n, 2)."""
    result = np.empty_like(points)
    for i in range(len(points)):
        x, y = _to_px(hom, mesh_x, mesh_y, mesh, points[i, 0], points[i, 1])
        result[i, 0] = x
        result[i, 1] = y
    return result


@njit(cache=True, nogil=True)
def _bilinear(pixels: U8, x: float, y: float) -> float:
    """Grey value at a position inside [0, W - 1] x [0, H - 1]; -1 outside."""
    height, width = pixels.shape
    if not (0.0 <= x <= width - 1 and 0.0 <= y <= height - 1):
        return -1.0
    column = min(int(x), width - 2)
    row = min(int(y), height - 2)
    across = x - column
    down = y - row
    upper = pixels[row, column] * (1 - across) + pixels[row, column + 1] * across
    lower = pixels[row + 1, column] * (1 - across) + pixels[row + 1, column + 1] * across
    return float(upper * (1 - down) + lower * down)


@njit(cache=True, nogil=True)
def measure_bubbles(
    pixels: U8,
    hom: F64,
    mesh_x: F64,
    mesh_y: F64,
    mesh: F64,
    bubbles: F64,
    inside: F64,
    outlines: F64,
    outline: I64,
    around: F64,
    white_rank: int,
    out: F32,
) -> None:
    """Mean grey values of the parts of each bubble, and the paper white around it.

    Parameters
    ----------
    pixels : (H, W) uint8
    hom, mesh_x, mesh_y, mesh : float64
        The transform.
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    inside, around : (m, 2) float64
        Sample points in half widths and half heights from the centre.
    outlines : (s, m, 2) float64
        The same on each kind of outline.
    outline : (n,) int64
        Which kind of outline each bubble has.
    white_rank : int
        Which of the sorted samples around a bubble is taken for paper.
    out : (n, 4) float32
        Mean inside, mean on the outline, mean around and paper white; all -1 where a
        sample inside or on the outline lies outside the image.
    """
    ring = np.empty(len(around), dtype=np.float64)
    for k in range(len(bubbles)):
        x, y, w, h = bubbles[k]
        px, py = _to_px(hom, mesh_x, mesh_y, mesh, x, y)
        right_x, right_y = _to_px(hom, mesh_x, mesh_y, mesh, x + w, y)
        down_x, down_y = _to_px(hom, mesh_x, mesh_y, mesh, x, y + h)
        ux = right_x - px
        uy = right_y - py
        vx = down_x - px
        vy = down_y - py
        total = 0.0
        seen = True
        for i in range(len(inside)):
            a = inside[i, 0]
            b = inside[i, 1]
            value = _bilinear(pixels, px + a * ux + b * vx, py + a * uy + b * vy)
            seen = seen and value >= 0
            total += value
        total_outline = 0.0
        kind = outline[k]
        for i in range(outlines.shape[1]):
            a = outlines[kind, i, 0]
            b = outlines[kind, i, 1]
            value = _bilinear(pixels, px + a * ux + b * vx, py + a * uy + b * vy)
            seen = seen and value >= 0
            total_outline += value
        n = 0
        total_around = 0.0
        for i in range(len(around)):
            a = around[i, 0]
            b = around[i, 1]
            value = _bilinear(pixels, px + a * ux + b * vx, py + a * uy + b * vy)
            if value >= 0:
                at = n
                while at > 0 and ring[at - 1] > value:
                    ring[at] = ring[at - 1]
                    at -= 1
                ring[at] = value
                total_around += value
                n += 1
        if not seen or n < len(around) // 2:
            out[k] = -1.0
            continue
        out[k, 0] = total / len(inside)
        out[k, 1] = total_outline / outlines.shape[1]
        out[k, 2] = total_around / n
        out[k, 3] = ring[min(white_rank, n - 1)]


@njit(cache=True, nogil=True)
def _mean_at(response: F32, points: F64, centre: F64, reach: F64, moves: F64) -> float:
    """Mean response at moved points; outside the map it is that of nothing printed, 0."""
    height, width = response.shape
    total = 0.0
    for i in range(len(points)):
        a = (points[i, 0] - centre[0]) / reach[0]
        b = (points[i, 1] - centre[1]) / reach[1]
        x = points[i, 0] + moves[0] + a * moves[2] + b * moves[4]
        y = points[i, 1] + moves[1] + a * moves[3] + b * moves[5]
        if not (0.0 <= x < width - 1 and 0.0 <= y < height - 1):
            continue
        column = int(x)
        row = int(y)
        across = x - column
        down = y - row
        upper = response[row, column] * (1 - across) + response[row, column + 1] * across
        lower = response[row + 1, column] * (1 - across) + response[row + 1, column + 1] * across
        total += upper * (1 - down) + lower * down
    return total / len(points)


@njit(cache=True, nogil=True)
def fit_moves(
    response: F32, points: F64, centre: F64, reach: F64, moves: F64, steps: F64, limit: F64
) -> float:
    """Move a set of points together to where the response is highest.

    A search along one parameter after the other with steps that are halved three times.

    Parameters
    ----------
    response : (H, W) float32
    points : (n, 2) float64
        Positions in the map, in px.
    centre, reach : (2,) float64
        Middle and half extent of the points.
    moves : (6,) float64
        Start, replaced by the result, in px: shift x, y of all; shift x, y of the right
        edge; shift x, y of the lower edge.
    steps, limit : (6,) float64
        First step of each parameter (0 keeps it) and its largest absolute value.

    Returns
    -------
    float
        Mean response at the moved points.
    """
    best = _mean_at(response, points, centre, reach, moves)
    scale = 1.0
    for _ in range(4):
        for _ in range(40):
            better = False
            for k in range(6):
                if steps[k] == 0.0:
                    continue
                for sign in (-1.0, 1.0):
                    before = moves[k]
                    moves[k] = before + sign * scale * steps[k]
                    value = -1e9
                    if abs(moves[k]) <= limit[k]:
                        value = _mean_at(response, points, centre, reach, moves)
                    if value > best + 1e-7:
                        best = value
                        better = True
                    else:
                        moves[k] = before
            if not better:
                break
        scale *= 0.5
    return best


@njit(cache=True, nogil=True)
def best_shift(response: F32, points: F64, reach: F64, step: float) -> tuple[float, float, float]:
    """The shift (x, y) of all points within `reach` (2,) with the highest mean response.

    Returns the shift and the response, less up to three tenths for the way from the start.
    """
    centre = np.zeros(2)
    one = np.ones(2)
    moves = np.zeros(6)
    best = -1e9
    best_x = best_y = 0.0
    n_x = int(reach[0] / step)
    n_y = int(reach[1] / step)
    for i in range(-n_y, n_y + 1):
        for j in range(-n_x, n_x + 1):
            moves[0] = j * step
            moves[1] = i * step
            value = _mean_at(response, points, centre, one, moves)
            # Of equals the nearest: a template is about right.
            value *= 1.0 - 0.15 * ((i * step / reach[1]) ** 2 + (j * step / reach[0]) ** 2)
            if value > best:
                best = value
                best_x = j * step
                best_y = i * step
    return best_x, best_y, best
