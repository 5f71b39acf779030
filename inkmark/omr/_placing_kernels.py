"""Compiled inner loops that find how a sheet lies; each has a plain numpy twin in the tests.

They look at a reduced picture of the page, in which a corner square is a few pixels wide.
A homography leads from sheet millimetres to pixels of that picture.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["find_solids", "four_points", "place_quads", "place_sheet"]

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def find_solids(dark: U8, min_px: int, max_px: int, longest: float, out: F64) -> int:
    """Solid dark blobs of a thresholded picture: 4-connected, filled, about square.

    Parameters
    ----------
    dark : (H, W) uint8
        Not 0 where dark; blobs seen are set to 0.
    min_px, max_px : int
        Smallest and largest area.
    longest : float
        Largest ratio of a blob's length to its width.
    out : (n, 3) float64
        Filled with centre x, centre y and side in pixels.

    Returns
    -------
    int
        Number of blobs written, at most n.

    Notes
    -----
    A solid rectangle of area A has the central second moments of its pixels (a covariance
    matrix) with determinant A**2 / 144, turned by whatever angle; a hollow or ragged blob
    of the same area has a larger one.
    """
    height, width = dark.shape
    slender = (longest + 1 / longest) ** 2
    stack_x = np.empty(height * width, dtype=np.int32)
    stack_y = np.empty(height * width, dtype=np.int32)
    found = 0
    for top in range(height):
        for start in range(width):
            if dark[top, start] == 0:
                continue
            dark[top, start] = 0
            stack_x[0] = start
            stack_y[0] = top
            depth = 1
            area = sum_x = sum_y = sum_xx = sum_yy = sum_xy = 0
            cut = False
            while depth > 0:
                depth -= 1
                y = stack_y[depth]
                x = stack_x[depth]
                dx = x - start
                dy = y - top
                area += 1
                sum_x += dx
                sum_y += dy
                sum_xx += dx * dx
                sum_yy += dy * dy
                sum_xy += dx * dy
                if x == 0 or y == 0 or x == width - 1 or y == height - 1:
                    cut = True
                for k in range(4):
                    nx = x + (k == 0) - (k == 1)
                    ny = y + (k == 2) - (k == 3)
                    if 0 <= nx < width and 0 <= ny < height and dark[ny, nx] != 0:
                        dark[ny, nx] = 0
                        stack_x[depth] = nx
                        stack_y[depth] = ny
                        depth += 1
            if cut or area < min_px or area > max_px:
                continue
            cx = sum_x / area
            cy = sum_y / area
            var_x = sum_xx / area - cx * cx + 1 / 12
            var_y = sum_yy / area - cy * cy + 1 / 12
            cov = sum_xy / area - cx * cy
            det = var_x * var_y - cov * cov
            trace = var_x + var_y
            # The trace squared over the determinant is that of the ratio of the two sides.
            if det * 144 > 1.35 * area * area or trace * trace > slender * det:
                continue
            out[found, 0] = start + cx
            out[found, 1] = top + cy
            out[found, 2] = np.sqrt(area)
            found += 1
            if found == len(out):
                return found
    return found


@njit(cache=True, nogil=True)
def _keep(ways: F64, n: int, way: F64) -> int:
    """Insert a way into a list in order of its first number; the same way once only."""
    for k in range(n):
        same = True
        for c in range(1, 5):
            same = same and ways[k, c] == way[c]
        if same:
            return n
    if n == len(ways):
        if ways[n - 1, 0] <= way[0]:
            return n
        n -= 1
    at = n
    while at > 0 and ways[at - 1, 0] > way[0]:
        for c in range(5):
            ways[at, c] = ways[at - 1, c]
        at -= 1
    for c in range(5):
        ways[at, c] = way[c]
    return n + 1


@njit(cache=True, nogil=True)
def place_sheet(
    blobs: F64,
    squares: F64,
    min_length: float,
    size_tolerance: float,
    place_tolerance: float,
    ways: F64,
) -> int:
    """The ways a sheet that is not foreshortened may lie, by three or four of its squares.

    Two blobs may be the ends of a diagonal: that fixes a turn, a scale and a shift, which
    predict the other two squares and the size of all of them.

    Parameters
    ----------
    blobs : (n, 3) float64
        Centre x, y and side in px.
    squares : (4, 3) float64
        The same of the corner squares, in mm, in their order around the sheet.
    min_length : float
        Least length of a diagonal in px.
    size_tolerance : float
        How much a blob's side may differ from the one predicted, as a factor.
    place_tolerance : float
        How far a predicted square may be from a blob, as a share of the diagonal.
    ways : (m, 5) float64
        Filled, best first, with the mean distance as a share of the diagonal (1 more where
        a square is missing) and with the blob of each square, -1 for a missing one.

    Returns
    -------
    int
        How many of the ways were filled.
    """
    n = len(blobs)
    found = 0
    way = np.empty(5)
    for one in range(2):
        two = one + 2
        diagonal_x = squares[two, 0] - squares[one, 0]
        diagonal_y = squares[two, 1] - squares[one, 1]
        length_mm = np.hypot(diagonal_x, diagonal_y)
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                across = blobs[j, 0] - blobs[i, 0]
                down = blobs[j, 1] - blobs[i, 1]
                square = across * across + down * down
                if square < min_length * min_length:
                    continue
                scale = np.sqrt(square) / length_mm
                ratio = scale * squares[one, 2] / blobs[i, 2]
                if ratio > size_tolerance or ratio * size_tolerance < 1:
                    continue
                ratio = scale * squares[two, 2] / blobs[j, 2]
                if ratio > size_tolerance or ratio * size_tolerance < 1:
                    continue
                c = (across * diagonal_x + down * diagonal_y) / length_mm**2
                s = (down * diagonal_x - across * diagonal_y) / length_mm**2
                for k in range(1, 5):
                    way[k] = -1.0
                way[1 + one] = i
                way[1 + two] = j
                error = 0.0
                seen = 2
                for k in (1 - one, 3 - one):
                    dx = squares[k, 0] - squares[one, 0]
                    dy = squares[k, 1] - squares[one, 1]
                    x = blobs[i, 0] + c * dx - s * dy
                    y = blobs[i, 1] + s * dx + c * dy
                    nearest = (place_tolerance * scale * length_mm) ** 2
                    for b in range(n):
                        distance = (blobs[b, 0] - x) ** 2 + (blobs[b, 1] - y) ** 2
                        if distance >= nearest:
                            continue
                        ratio = scale * squares[k, 2] / blobs[b, 2]
                        if ratio <= size_tolerance and ratio * size_tolerance >= 1:
                            nearest = distance
                            way[1 + k] = b
                    if way[1 + k] >= 0:
                        seen += 1
                        error += np.sqrt(nearest) / (scale * length_mm)
                if seen > 2:
                    way[0] = error / (seen - 2) + (4 - seen)
                    found = _keep(ways, found, way)
    return found


@njit(cache=True, nogil=True)
def _solve(a: F64, b: F64) -> bool:
    """Solve a linear system in place by elimination with pivots; b becomes the solution."""
    n = len(b)
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[pivot, k]):
                pivot = i
        if abs(a[pivot, k]) < 1e-12:
            return False
        if pivot != k:
            for j in range(k, n):
                a[k, j], a[pivot, j] = a[pivot, j], a[k, j]
            b[k], b[pivot] = b[pivot], b[k]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            for j in range(k, n):
                a[i, j] -= factor * a[k, j]
            b[i] -= factor * b[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]
    return True


@njit(cache=True, nogil=True)
def four_points(source: F64, target: F64, hom: F64) -> bool:
    """The homography (3, 3) through four pairs of points (4, 2); False if there is none."""
    a = np.zeros((8, 8))
    b = np.empty(8)
    for k in range(4):
        x = source[k, 0]
        y = source[k, 1]
        for axis in range(2):
            row = 2 * k + axis
            at = target[k, axis]
            a[row, 3 * axis] = x
            a[row, 3 * axis + 1] = y
            a[row, 3 * axis + 2] = 1.0
            a[row, 6] = -x * at
            a[row, 7] = -y * at
            b[row] = at
    if not _solve(a, b):
        return False
    for k in range(8):
        hom[k // 3, k % 3] = b[k]
    hom[2, 2] = 1.0
    return True


@njit(cache=True, nogil=True)
def place_quads(blobs: F64, squares: F64, min_area: float, size_tolerance: float, ways: F64) -> int:
    """The ways a sheet may lie in perspective, by its four squares.

    Any four blobs in convex position, the right way around, fix a homography; it predicts
    the size of each square where it lies.

    Parameters and result are those of `place_sheet`, but `min_area`, the least area between
    the squares in px. The first number of a way is the mean difference of the logarithms of
    sides from those predicted, less a part of the logarithm of the area: a sheet's marks stand
    around whatever is on it.

    Notes
    -----
    The third coordinates w of the corners of a parallelogram seen in perspective are as the
    areas of the triangles of the other three, for with alternating signs both they and the
    corners times them sum to nothing. The corner's sides are seen as long as the edges there
    times the w at their other ends over its own, so that an area there is seen as large as
    the product of all four w over the cube of its own. The squares stand about at the corners
    of a parallelogram.
    """
    n = len(blobs)
    found = 0
    way = np.empty(5)
    chosen = np.empty(4, dtype=np.int64)
    omit = np.empty(4)
    scale = np.empty(4)
    limit = np.log(size_tolerance)
    right_x = squares[1, 0] - squares[0, 0] + squares[2, 0] - squares[3, 0]
    right_y = squares[1, 1] - squares[0, 1] + squares[2, 1] - squares[3, 1]
    down_x = squares[3, 0] - squares[0, 0] + squares[2, 0] - squares[1, 0]
    down_y = squares[3, 1] - squares[0, 1] + squares[2, 1] - squares[1, 1]
    area = (right_x * down_y - right_y * down_x) / 4
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(i + 1, n):
                omit[3] = -_triangle(blobs, i, j, k)
                if omit[3] <= 0:
                    continue
                for m in range(i + 1, n):
                    # Clockwise, as y grows downwards; any may be the first square.
                    omit[1] = _triangle(blobs, i, j, m)
                    if omit[1] <= 0 or omit[1] + omit[3] < 2 * min_area:
                        continue
                    omit[0] = _triangle(blobs, k, j, m)
                    omit[2] = _triangle(blobs, i, k, m)
                    if omit[0] <= 0 or omit[2] <= 0:
                        continue
                    chosen[0], chosen[1], chosen[2], chosen[3] = i, k, j, m
                    product = omit[0] * omit[1] * omit[2] * omit[3] / area
                    for c in range(4):
                        scale[c] = np.sqrt(product / omit[c] ** 3)
                    for first in range(4):
                        way[0] = 0.0
                        for c in range(4):
                            corner = (first + c) % 4
                            way[1 + c] = chosen[corner]
                            side = squares[c, 2] * scale[corner]
                            off = abs(np.log(side / blobs[chosen[corner], 2]))
                            way[0] += off / 4 if off < limit else np.inf
                        if way[0] < limit:
                            way[0] -= 0.15 * np.log(omit[1] + omit[3])
                            found = _keep(ways, found, way)
    return found


@njit(cache=True, nogil=True)
def _triangle(blobs: F64, i: int, j: int, k: int) -> float:
    """Twice the area between three blobs, positive where they go around clockwise."""
    return float(
        (blobs[j, 0] - blobs[i, 0]) * (blobs[k, 1] - blobs[i, 1])
        - (blobs[j, 1] - blobs[i, 1]) * (blobs[k, 0] - blobs[i, 0])
    )
