"""Compiled inner loops that measure a sheet's anchors; each has a plain numpy twin in the tests.

They look at a reduced picture of the page, in which a corner square is a few pixels wide.
A homography leads from sheet millimetres to pixels of that picture.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["fit_anchors", "lightness", "measure_anchors"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def _median(values: F64, n: int) -> float:
    """Median of the first n values, which are sorted on the way."""
    for i in range(1, n):
        value = values[i]
        at = i
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value
    return float((values[(n - 1) // 2] + values[n // 2]) / 2)


@njit(cache=True, nogil=True)
def _through(hom: F64, x: float, y: float) -> tuple[float, float]:
    w = hom[2, 0] * x + hom[2, 1] * y + hom[2, 2]
    return (
        (hom[0, 0] * x + hom[0, 1] * y + hom[0, 2]) / w,
        (hom[1, 0] * x + hom[1, 1] * y + hom[1, 2]) / w,
    )


@njit(cache=True, nogil=True)
def _window(level: U8, frame: F64, at: F64, reach: F64, inner: F64, ink: float, out: F64) -> None:
    """Moments of the darkness in a window of the sheet, in mm about its middle.

    `frame` is the pixel (x, y) of the origin and mm x and mm y for each px x and px y; `at` and
    `reach` (x, y) are the window's middle and half size. Paper is what lies beyond `inner`;
    shades of it that are far darker than the rest are not. `out` becomes mass in px, mean x,
    mean y, variance x, variance y and contrast; mass -1 where the window leaves the picture.
    """
    height, width = level.shape
    a, b, c, d = frame[2], frame[3], frame[4], frame[5]
    det = a * d - b * c
    mx = frame[0] + (d * at[0] - b * at[1]) / det
    my = frame[1] + (a * at[1] - c * at[0]) / det
    ex = (abs(d) * reach[0] + abs(b) * reach[1]) / abs(det)
    ey = (abs(a) * reach[1] + abs(c) * reach[0]) / abs(det)
    left = int(np.ceil(mx - ex))
    right = int(np.floor(mx + ex))
    top = int(np.ceil(my - ey))
    bottom = int(np.floor(my + ey))
    out[0] = -1.0
    if left < 0 or top < 0 or right >= width or bottom >= height:
        return
    low = 255.0
    paper = 0.0
    for _ in range(3):
        total = 0.0
        n = 0
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                dx = abs(a * (column - mx) + b * (row - my))
                dy = abs(c * (column - mx) + d * (row - my))
                if dx > reach[0] or dy > reach[1]:
                    continue
                value = float(level[row, column])
                low = min(low, value)
                if (dx > inner[0] or dy > inner[1]) and value > 0.9 * paper:
                    total += value
                    n += 1
        if n == 0:
            return
        paper = total / n
    if paper <= low:
        return
    # A shadow makes paper darker on one side: its slope along each side of the window.
    slope_x = slope_y = square_x = square_y = 0.0
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            dx = a * (column - mx) + b * (row - my)
            dy = c * (column - mx) + d * (row - my)
            if abs(dx) > reach[0] or abs(dy) > reach[1]:
                continue
            value = level[row, column] - paper
            if (abs(dx) > inner[0] or abs(dy) > inner[1]) and value > -0.1 * paper:
                slope_x += value * dx
                slope_y += value * dy
                square_x += dx * dx
                square_y += dy * dy
    if square_x > 0 and square_y > 0:
        slope_x /= square_x
        slope_y /= square_y
    out[6] = (paper - low) / paper
    light = paper * (ink if ink > 0 else out[6])
    mass = sum_x = sum_y = sum_xx = sum_yy = sum_xy = 0.0
    n = n_dark = 0
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            dx = a * (column - mx) + b * (row - my)
            dy = c * (column - mx) + d * (row - my)
            if abs(dx) <= reach[0] and abs(dy) <= reach[1]:
                expected = paper + slope_x * dx + slope_y * dy
                dark = min((expected - level[row, column]) / light, 1.2)
                mass += dark
                sum_x += dark * dx
                sum_y += dark * dy
                sum_xx += dark * dx * dx
                sum_yy += dark * dy * dy
                sum_xy += dark * dx * dy
                if abs(dx) > inner[0] or abs(dy) > inner[1]:
                    n += 1
                    n_dark += dark > 0.5
    if mass <= 0:
        return
    out[0] = mass
    out[7] = n_dark / n
    out[1] = sum_x / mass
    out[2] = sum_y / mass
    out[3] = sum_xx / mass - out[1] ** 2
    out[4] = sum_yy / mass - out[2] ** 2
    product = out[3] * out[4]
    out[5] = (sum_xy / mass - out[1] * out[2]) / np.sqrt(product) if product > 0 else 1.0


@njit(cache=True, nogil=True)
def _measure(level: U8, hom: F64, box: F64, start: F64, ink: float, out: F64) -> bool:
    """Offset of one box from its place, from a start near it; `out` is x, y and contrast."""
    cx = box[0] + start[0]
    cy = box[1] + start[1]
    px, py = _through(hom, cx, cy)
    right_x, right_y = _through(hom, cx + 1.0, cy)
    down_x, down_y = _through(hom, cx, cy + 1.0)
    ux, uy, vx, vy = right_x - px, right_y - py, down_x - px, down_y - py
    det = ux * vy - uy * vx  # square pixels a square millimetre
    if not det > 1e-6:
        return False
    frame = np.array([px, py, vy / det, -vx / det, -uy / det, ux / det])
    step = np.empty(2)  # a pixel in mm, along both sides of the box
    step[0] = np.hypot(frame[2], frame[3])
    step[1] = np.hypot(frame[4], frame[5])
    at = np.zeros(2)
    reach = np.empty(2)
    inner = np.full(2, -1.0)
    moments = np.empty(8)
    moved = 0.0
    for k in range(5):
        # First a wide look, then windows that just hold the box and a ring of paper.
        moved = 0.0
        for c in range(2):
            reach[c] = box[2 + c] + (box[4] if k == 0 else 1.6 * step[c])
            if k > 0:
                inner[c] = box[2 + c] + 0.75 * step[c]
        _window(level, frame, at, reach, inner, ink, moments)
        if moments[0] <= 0:
            return False
        for c in range(2):
            at[c] += moments[1 + c]
            moved = max(moved, abs(moments[1 + c]) / step[c])
        if k > 0 and moved < 0.1:
            break
    area = moments[0] / (det * 4 * box[2] * box[3])
    good = moved <= 0.3 and 0.55 < area < 1.6 and abs(moments[5]) < 0.3 and moments[7] < 0.12
    for c in range(2):
        spread = moments[3 + c] / (box[2 + c] ** 2 / 3 + step[c] ** 2 / 12)
        good = good and 0.4 < spread < 2.0 and abs(at[c]) <= box[4] + 0.5 * step[c]
        out[c] = start[c] + at[c]
    out[2] = moments[6]
    return good


@njit(cache=True, nogil=True)
def measure_anchors(
    level: U8, hom: F64, boxes: F64, rails: I64, min_contrast: float, out: F64
) -> float:
    """Find corner squares and timing marks near where a homography puts them.

    Parameters
    ----------
    level : (H, W) uint8
        Reduced picture of the page.
    hom : (3, 3) float64
        Sheet mm to its pixels.
    boxes : (n, 5) float64
        Centre x, y, half width, half height and search margin in mm: the four squares, then
        the timing marks, side after side, in order along each.
    rails : (m + 1,) int64
        Where each side's marks begin. On a side each mark is looked for from where the one
        before it was found off its place: there the shift may grow slowly beyond the margin.
    min_contrast : float
        Smallest difference of a mark and paper, as a share of the paper's grey value.
    out : (n, 3) float64
        Offset x, y in mm from its place and contrast; contrast 0 where it was not found.

    Returns
    -------
    float
        Contrast of the print, the median of that of the squares found; 0 if there is none.
    """
    out[:] = 0.0
    start = np.zeros(2)
    slope = np.zeros(2)
    contrasts = np.empty(4)
    n = 0
    for k in range(4):
        if _measure(level, hom, boxes[k], start, 0.0, out[k]) and out[k, 2] >= min_contrast:
            contrasts[n] = out[k, 2]
            n += 1
        else:
            out[k] = 0.0
    if n == 0:
        return 0.0
    ink = _median(contrasts, n)
    for r in range(len(rails) - 1):
        first, last = rails[r], rails[r + 1]
        if first == last:
            continue
        # From the end whose square is known.
        head = tail = np.inf
        for k in range(4):
            if out[k, 2] > 0:
                x, y = boxes[k, 0], boxes[k, 1]
                head = min(head, np.hypot(x - boxes[first, 0], y - boxes[first, 1]))
                tail = min(tail, np.hypot(x - boxes[last - 1, 0], y - boxes[last - 1, 1]))
        start[0] = start[1] = slope[0] = slope[1] = 0.0
        before = -1
        for i in range(first, last):
            k = i if head <= tail + 1.0 else last - 1 - (i - first)
            start[0] += slope[0]
            start[1] += slope[1]
            if _measure(level, hom, boxes[k], start, ink, out[k]):
                for c in range(2):
                    if before >= 0:
                        slope[c] = (out[k, c] - out[before, c]) / abs(k - before)
                    start[c] = out[k, c]
                before = k
                out[k, 2] = max(out[k, 2], 1e-3)
            else:
                out[k] = 0.0
    return ink


@njit(cache=True, nogil=True)
def lightness(level: U8, hom: F64, box: F64) -> float:
    """Second darkest tenth of the grey values in a box (x, y, w, h) of the sheet; -1 if outside."""
    height, width = level.shape
    values = np.empty(60)
    n = 0
    for i in range(6):
        for j in range(10):
            x, y = _through(hom, box[0] + box[2] * (j + 0.5) / 10, box[1] + box[3] * (i + 0.5) / 6)
            column = int(np.rint(x))
            row = int(np.rint(y))
            if 0 <= column < width and 0 <= row < height:
                values[n] = level[row, column]
                n += 1
    return _median(values, n) if n == 60 else -1.0


@njit(cache=True, nogil=True)
def _drop_outliers(rails: I64, outlier_mm: float, found: F64) -> None:
    """Forget marks that are shifted unlike their neighbours on their side."""
    for r in range(len(rails) - 1):
        seen = np.empty(rails[r + 1] - rails[r], dtype=np.int64)
        n = 0
        for k in range(rails[r], rails[r + 1]):
            if found[k, 2] > 0:
                seen[n] = k
                n += 1
        good = np.ones(n, dtype=np.bool_)
        near = np.empty(5)
        for i in range(n):
            for axis in range(2):
                for c in range(5):  # sorted anew for each axis
                    near[c] = found[seen[min(max(i + c - 2, 0), n - 1)], axis]
                good[i] = good[i] and abs(found[seen[i], axis] - _median(near, 5)) <= outlier_mm
        for i in range(n):
            if not good[i]:
                found[seen[i], 2] = 0.0


@njit(cache=True, nogil=True)
def fit_anchors(
    boxes: F64,
    rails: I64,
    found: F64,
    sides: I64,
    knots: F64,
    along: int,
    outlier_mm: float,
    warp: F64,
    mesh: F64,
) -> tuple[float, float, float, int, int]:
    """Fit a homography and a mesh of shifts to measured anchors.

    Parameters
    ----------
    boxes, rails : as for `measure_anchors`
    found : (n, 3) float64
        What that found; the contrast of a mark shifted unlike its neighbours becomes 0.
    sides : (2, k) int64
        Anchors of two opposite sides of the sheet, in order along each, filled up with -1.
    knots : (m,) float64
        Positions along these sides at which shifts are wanted.
    along : int
        0 where these sides run across the sheet, 1 where they run down.
    outlier_mm : float
        Largest difference of a mark's shift from the median of five around it.
    warp : (3, 3) float64
        Filled with the homography from sheet mm to measured mm.
    mesh : (2, m, 2) float64
        Filled with the shifts x, y before `warp` at the knots of either side.

    Returns
    -------
    residual_mm : float
        Root mean square distance of the anchors of the two sides from the straight line
        between their neighbours' shifts, each left out of its own prediction; -1 where no
        anchor has neighbours.
    jump_mm : float
        The largest of these distances.
    bend_mm : float
        Root mean square distance of all anchors from where `warp` puts them.
    first, last : int
        The knots between which anchors were found; last is -1 where no mesh is known.
    """
    _drop_outliers(rails, outlier_mm, found)
    n = len(boxes)
    cx = cy = half = 0.0
    for k in range(4):
        cx += boxes[k, 0] / 4
        cy += boxes[k, 1] / 4
    for k in range(4):
        half = max(half, abs(boxes[k, 0] - cx), abs(boxes[k, 1] - cy))
    # Normal equations of the homography near the identity, held to it where nothing is seen.
    a = np.zeros((8, 8))
    b = np.zeros(8)
    row = np.empty(8)
    for k in range(8):
        a[k, k] = 1e-3
    for k in range(n):
        if found[k, 2] <= 0:
            continue
        x = (boxes[k, 0] - cx) / half
        y = (boxes[k, 1] - cy) / half
        for axis in range(2):
            off = found[k, axis] / half
            to = (x if axis == 0 else y) + off
            row[:] = 0.0
            row[3 * axis] = x
            row[3 * axis + 1] = y
            row[3 * axis + 2] = 1.0
            row[6] = -x * to
            row[7] = -y * to
            for i in range(8):
                b[i] += row[i] * off
                for j in range(8):
                    a[i, j] += row[i] * row[j]
    # Held to the identity it is positive definite: elimination needs no pivots.
    for k in range(8):
        for i in range(k + 1, 8):
            factor = a[i, k] / a[k, k]
            for j in range(k, 8):
                a[i, j] -= factor * a[k, j]
            b[i] -= factor * b[k]
    for k in range(7, -1, -1):
        for j in range(k + 1, 8):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]
    warp[:] = 0.0
    warp[0, 0] = warp[1, 1] = warp[2, 2] = 1.0
    warp[0, 0] += b[0]
    warp[0, 1] = b[1]
    warp[0, 2] = b[2]
    warp[1, 0] = b[3]
    warp[1, 1] += b[4]
    warp[1, 2] = b[5]
    warp[2, 0] = b[6]
    warp[2, 1] = b[7]
    # From positions in halves of the sheet about its centre to mm.
    for i in range(3):
        warp[i, 2] -= (warp[i, 0] * cx + warp[i, 1] * cy) / half
        warp[i, 0] /= half
        warp[i, 1] /= half
    for j in range(3):
        warp[0, j] = half * warp[0, j] + cx * warp[2, j]
        warp[1, j] = half * warp[1, j] + cy * warp[2, j]
    last_entry = warp[2, 2]
    for i in range(3):
        for j in range(3):
            warp[i, j] /= last_entry
    inverse = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            i1, i2, j1, j2 = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            inverse[i, j] = warp[i1, j1] * warp[i2, j2] - warp[i1, j2] * warp[i2, j1]
    shifts = np.zeros((n, 2))
    bend = 0.0
    count = 0
    for k in range(n):
        if found[k, 2] > 0:
            x, y = _through(inverse, boxes[k, 0] + found[k, 0], boxes[k, 1] + found[k, 1])
            shifts[k, 0] = x - boxes[k, 0]
            shifts[k, 1] = y - boxes[k, 1]
            bend += shifts[k, 0] ** 2 + shifts[k, 1] ** 2
            count += 1
    bend = np.sqrt(bend / max(count, 1))

    m = len(knots)
    n_side = sides.shape[1]
    at = np.empty((2, n_side))
    shift = np.empty((2, n_side, 2))
    length = np.zeros(2, dtype=np.int64)
    total = worst = 0.0
    count = 0
    low = 1e9
    high = -1e9
    for side in range(2):
        c = 0
        for i in range(n_side):
            k = sides[side, i]
            if k >= 0 and found[k, 2] > 0:
                at[side, c] = boxes[k, along]
                shift[side, c] = shifts[k]
                c += 1
        length[side] = c
        for i in range(1, c - 1):
            share = (at[side, i] - at[side, i - 1]) / (at[side, i + 1] - at[side, i - 1])
            square = 0.0
            for axis in range(2):
                expected = shift[side, i - 1, axis] * (1 - share) + shift[side, i + 1, axis] * share
                square += (shift[side, i, axis] - expected) ** 2
            total += square
            worst = max(worst, square)
            count += 1
        if c:
            low = min(low, at[side, 0])
            high = max(high, at[side, c - 1])
    residual = np.sqrt(total / count) if count else -1.0
    jump = np.sqrt(worst)
    if max(length[0], length[1]) < 4:
        return residual, jump, bend, 0, -1
    first = 0
    last = m - 1
    while knots[first] < low:
        first += 1
    while knots[last] > high:
        last -= 1
    for side in range(2):
        # A side that is not seen shifts as the other one does.
        s = side if length[side] >= 4 else 1 - side
        c = length[s]
        i = 0
        for k in range(m):
            while i < c - 2 and at[s, i + 1] <= knots[k]:
                i += 1
            share = min(max((knots[k] - at[s, i]) / (at[s, i + 1] - at[s, i]), 0.0), 1.0)
            for axis in range(2):
                one = _smooth(shift[s], i, c, axis)
                two = _smooth(shift[s], i + 1, c, axis)
                mesh[side, k, axis] = one * (1 - share) + two * share
    return residual, jump, bend, first, last


@njit(cache=True, nogil=True)
def _smooth(shift: F64, i: int, n: int, axis: int) -> float:
    """Mean of a mark's shift and its neighbours', each end counted twice."""
    total = shift[max(i - 1, 0), axis] + shift[i, axis] + shift[min(i + 1, n - 1), axis]
    return float(total / 3)
