"""Compiled inner loops of registration; each has a plain numpy twin in the tests."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["find_solids", "locate_boxes"]

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

N_PROFILE = 32
"""Samples across the window of an anchor, in each direction."""


@njit(cache=True, nogil=True)
def _through(hom: F64, x: float, y: float) -> tuple[float, float]:
    w = hom[2, 0] * x + hom[2, 1] * y + hom[2, 2]
    return (
        (hom[0, 0] * x + hom[0, 1] * y + hom[0, 2]) / w,
        (hom[1, 0] * x + hom[1, 1] * y + hom[1, 2]) / w,
    )


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
def find_solids(dark: U8, min_px: int, max_px: int, out: F64) -> int:
    """Solid dark blobs of a thresholded window: 4-connected, filled, about square.

    Parameters
    ----------
    dark : (H, W) uint8
        1 where dark, 0 elsewhere; blobs seen are set to 2.
    min_px, max_px : int
        Smallest and largest area.
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
    stack = np.empty(height * width, dtype=np.int64)
    found = 0
    for start in range(height * width):
        if dark[start // width, start % width] != 1:
            continue
        dark[start // width, start % width] = 2
        stack[0] = start
        depth = 1
        area = sum_x = sum_y = sum_xx = sum_yy = sum_xy = 0
        cut = False
        while depth > 0:
            depth -= 1
            y = stack[depth] // width
            x = stack[depth] % width
            area += 1
            sum_x += x
            sum_y += y
            sum_xx += x * x
            sum_yy += y * y
            sum_xy += x * y
            if x == 0 or y == 0 or x == width - 1 or y == height - 1:
                cut = True
            for k in range(4):
                nx = x + (k == 0) - (k == 1)
                ny = y + (k == 2) - (k == 3)
                if 0 <= nx < width and 0 <= ny < height and dark[ny, nx] == 1:
                    dark[ny, nx] = 2
                    stack[depth] = ny * width + nx
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
        if det * 144 > 1.35 * area * area or trace * trace > 4.9 * det:
            continue  # hollow or ragged; longer than about 2.6 times its width
        out[found, 0] = cx
        out[found, 1] = cy
        out[found, 2] = np.sqrt(area)
        found += 1
        if found == len(out):
            break
    return found


@njit(cache=True, nogil=True)
def _run(profile: F64, expected: float) -> tuple[float, float]:
    """Edges of the run above half height nearest the middle, of about the expected length.

    Edges are positions between samples by linear interpolation; (-1, -1) if there is none.
    """
    n = len(profile)
    level = 0.5 * profile.max()
    best_left = best_right = -1.0
    best = 1e9
    i = 0
    while i < n:
        if profile[i] < level:
            i += 1
            continue
        first = i
        while i < n and profile[i] >= level:
            i += 1
        if first == 0 or i == n:
            continue  # cut by the window
        left = first - (profile[first] - level) / (profile[first] - profile[first - 1])
        right = i - 1 + (profile[i - 1] - level) / (profile[i - 1] - profile[i])
        length = right - left
        if length < 0.6 * expected or length > 1.6 * expected:
            continue
        distance = abs((left + right) / 2 - (n - 1) / 2)
        if distance < best:
            best = distance
            best_left = left
            best_right = right
    return best_left, best_right


@njit(cache=True, nogil=True)
def locate_boxes(
    pixels: U8, hom: F64, boxes: F64, follow: bool, min_contrast: float, out: F64
) -> None:
    """Find solid dark boxes near where the homography puts them.

    Parameters
    ----------
    pixels : (H, W) uint8
    hom : (3, 3) float64
    boxes : (n, 5) float64
        Centre x, y, half width, half height and search margin in mm.
    follow : bool
        Whether a box starts where the last one was found off its place: for boxes in
        order along a side, where the shift grows slowly but beyond the margin.
    min_contrast : float
        Smallest difference of box and paper, as a share of the paper's grey value.
    out : (n, 3) float64
        Offset x, y in mm from the place given and the contrast; contrast 0 where the box
        was not found. Beyond the image the window goes on as at the image's edge.
    """
    height, width = pixels.shape
    grid = np.empty((N_PROFILE, N_PROFILE))
    rows = np.empty(N_PROFILE)
    columns = np.empty(N_PROFILE)
    offset_x = offset_y = 0.0
    for k in range(len(boxes)):
        out[k] = 0.0
        if not follow:
            offset_x = offset_y = 0.0
        cx = boxes[k, 0] + offset_x
        cy = boxes[k, 1] + offset_y
        reach_x = boxes[k, 2] + boxes[k, 4]
        reach_y = boxes[k, 3] + boxes[k, 4]
        step_x = 2 * reach_x / (N_PROFILE - 1)
        step_y = 2 * reach_y / (N_PROFILE - 1)
        low = 255.0
        high = 0.0
        total = 0.0
        # Over a window the homography is as good as affine.
        px, py = _through(hom, cx, cy)
        right_x, right_y = _through(hom, cx + reach_x, cy)
        down_x, down_y = _through(hom, cx, cy + reach_y)
        ux = (right_x - px) / reach_x * step_x
        uy = (right_y - py) / reach_x * step_x
        vx = (down_x - px) / reach_y * step_y
        vy = (down_y - py) / reach_y * step_y
        middle_of_grid = (N_PROFILE - 1) / 2
        for i in range(N_PROFILE):
            for j in range(N_PROFILE):
                x = px + (j - middle_of_grid) * ux + (i - middle_of_grid) * vx
                y = py + (j - middle_of_grid) * uy + (i - middle_of_grid) * vy
                x = min(max(x, 0.0), width - 1.0)
                y = min(max(y, 0.0), height - 1.0)
                value = _bilinear(pixels, x, y)
                grid[i, j] = value
                total += value
        middle = total / (N_PROFILE * N_PROFILE)
        for _ in range(3):  # two means: ink and paper
            low = high = 0.0
            n_low = 0
            for i in range(N_PROFILE):
                for j in range(N_PROFILE):
                    if grid[i, j] < middle:
                        low += grid[i, j]
                        n_low += 1
                    else:
                        high += grid[i, j]
            if n_low == 0 or n_low == N_PROFILE * N_PROFILE:
                break
            low /= n_low
            high /= N_PROFILE * N_PROFILE - n_low
            middle = (low + high) / 2
        if n_low == 0 or high - low < min_contrast * high:
            continue
        rows[:] = 0.0
        for i in range(N_PROFILE):
            for j in range(N_PROFILE):
                dark = min(max((high - grid[i, j]) / (high - low), 0.0), 1.0)
                grid[i, j] = dark
                rows[i] += dark
        top, bottom = _run(rows, 2 * boxes[k, 3] / step_y)
        if top < 0:
            continue
        columns[:] = 0.0
        trim = 0.15 * (bottom - top)
        for i in range(int(np.ceil(top + trim)), int(bottom - trim) + 1):
            for j in range(N_PROFILE):
                columns[j] += grid[i, j]
        left, right = _run(columns, 2 * boxes[k, 2] / step_x)
        if left < 0:
            continue
        rows[:] = 0.0
        trim = 0.15 * (right - left)
        for i in range(N_PROFILE):
            for j in range(int(np.ceil(left + trim)), int(right - trim) + 1):
                rows[i] += grid[i, j]
        top, bottom = _run(rows, 2 * boxes[k, 3] / step_y)
        if top < 0:
            continue
        offset_x += ((left + right) / 2) * step_x - reach_x
        offset_y += ((top + bottom) / 2) * step_y - reach_y
        out[k, 0] = offset_x
        out[k, 1] = offset_y
        out[k, 2] = (high - low) / high
