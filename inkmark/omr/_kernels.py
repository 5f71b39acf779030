"""Compiled inner loops of the bubble reader; each has a plain numpy twin in the tests.

All of them sample the page through the transform from sheet millimetres to pixels, so the
page is never warped. A transform is a (3, 3) float64 homography and a shift mesh: knots
`mesh_x` (nx,), `mesh_y` (ny,) and `mesh` (ny, nx, 2) float64, added to the position
before the homography. `place_bubbles` applies it to bubbles; the others take what it fills.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "best_shift",
    "block_medians",
    "cut_patches",
    "field_boxes",
    "fit_moves",
    "map_points",
    "outline_signs",
    "place_bubbles",
    "sample_bubbles",
    "shift_scores",
]

B1 = NDArray[np.bool_]
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
    hom: F64,
    mesh: F64,
    column: tuple[int, int, float],
    row: tuple[int, int, float],
    x: float,
    y: float,
) -> tuple[float, float]:
    """Where a position is seen whose knots across and down are known."""
    left, right, across = column
    above, below, down = row
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
        x, y = points[i]
        result[i] = _to_px(hom, mesh, _knot(mesh_x, x), _knot(mesh_y, y), x, y)
    return result


@njit(cache=True, nogil=True)
def place_bubbles(hom: F64, mesh_x: F64, mesh_y: F64, mesh: F64, bubbles: F64, out: F64) -> None:
    """Where bubbles lie in the image; over one bubble a transform is as good as affine.

    Parameters
    ----------
    hom, mesh_x, mesh_y, mesh : float64
        The transform.
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    out : (n, 6) float64
        Filled, in px: centre x, y; the way x, y from there to the right edge, and the way
        to the lower edge.
    """
    row = lower = _knot(mesh_y, 0.0)
    for k in range(len(bubbles)):
        x, y, w, h = bubbles[k]
        if k == 0 or y != bubbles[k - 1, 1] or h != bubbles[k - 1, 3]:
            row, lower = _knot(mesh_y, y), _knot(mesh_y, y + h)
        column = _knot(mesh_x, x)
        px, py = _to_px(hom, mesh, column, row, x, y)
        right_x, right_y = _to_px(hom, mesh, _knot(mesh_x, x + w), row, x + w, y)
        down_x, down_y = _to_px(hom, mesh, column, lower, x, y + h)
        place = out[k]
        place[0], place[1] = px, py
        place[2], place[3] = right_x - px, right_y - py
        place[4], place[5] = down_x - px, down_y - py


@njit(cache=True, nogil=True)
def field_boxes(places: F64, first: I64, reach: float, out: F64) -> None:
    """Upright boxes in the image around the bubbles of each field.

    Parameters
    ----------
    places : (n, 6) float64
        What `place_bubbles` filled.
    first : (n_fields + 1,) int64
        Where the bubbles of each field begin.
    reach : float
        How far beyond its centre what counts of a bubble reaches, in half sizes.
    out : (n_fields, 8) float64
        Filled with left, top, right and bottom in px of the bubbles, and of their reach.
    """
    for f in range(len(first) - 1):
        out[f, 0] = out[f, 1] = out[f, 4] = out[f, 5] = np.inf
        out[f, 2] = out[f, 3] = out[f, 6] = out[f, 7] = -np.inf
        for k in range(first[f], first[f + 1]):
            px, py, ux, uy, vx, vy = places[k]
            half_x = abs(ux) + abs(vx)
            half_y = abs(uy) + abs(vy)
            for at, size in ((0, 1.0), (4, reach)):
                out[f, at] = min(out[f, at], px - size * half_x)
                out[f, at + 1] = min(out[f, at + 1], py - size * half_y)
                out[f, at + 2] = max(out[f, at + 2], px + size * half_x)
                out[f, at + 3] = max(out[f, at + 3], py + size * half_y)


@njit(cache=True, nogil=True)
def sample_bubbles(
    pixels: U8, places: F64, shape: I64, points: F64, n_own: int, samples: U8, seen: B1
) -> None:
    """Grey values at the points of a pattern that is laid over each bubble.

    Parameters
    ----------
    pixels : (H, W) uint8
    places : (n, 6) float64
        What `place_bubbles` filled.
    shape : (n,) int64
        Which of the patterns each bubble has.
    points : (s, 2, m) float64
        The patterns: across and down, in half widths and half heights from the centre.
    n_own : int
        So many points of a pattern lie in the bubble or on its outline.
    samples : (n, m) uint8
        Filled, bilinear to the nearest grey level. Beyond the image it goes on as at its edge.
    seen : (n,) bool
        Filled: whether all of a bubble's own points lie in the image.
    """
    height, width = pixels.shape
    n_points = points.shape[2]
    last_x = 256 * (width - 1) - 1
    last_y = 256 * (height - 1) - 1
    columns = np.empty(n_points, dtype=np.int32)
    rows = np.empty(n_points, dtype=np.int32)
    reach = np.empty((len(points), 2))
    for s in range(len(points)):
        reach[s] = np.abs(points[s, 0]).max(), np.abs(points[s, 1]).max()
    one = np.uint64(1)
    for k in range(len(places)):
        # Positions in 256ths of a pixel: integers are sampled three times as fast.
        x, y = 256 * places[k, 0] + 0.5, 256 * places[k, 1] + 0.5
        ux, uy, vx, vy = 256 * places[k, 2:]
        a, b = points[shape[k]]
        half_x = reach[shape[k], 0] * abs(ux) + reach[shape[k], 1] * abs(vx)
        half_y = reach[shape[k], 0] * abs(uy) + reach[shape[k], 1] * abs(vy)
        seen[k] = True
        if half_x <= x and x + half_x < last_x and half_y <= y and y + half_y < last_y:
            for i in range(n_points):
                columns[i] = np.int32(x + a[i] * ux + b[i] * vx)
                rows[i] = np.int32(y + a[i] * uy + b[i] * vy)
        else:
            for i in range(n_points):
                at_x = np.floor(x + a[i] * ux + b[i] * vx)
                at_y = np.floor(y + a[i] * uy + b[i] * vy)
                inside = 0 <= at_x <= last_x and 0 <= at_y <= last_y
                seen[k] = seen[k] and (inside or i >= n_own)
                # No matter what the transform gives, NaN as well.
                columns[i] = np.int32(min(at_x, last_x)) if at_x > 0.0 else 0
                rows[i] = np.int32(min(at_y, last_y)) if at_y > 0.0 else 0
        for i in range(n_points):
            column, row = np.uint64(columns[i] >> 8), np.uint64(rows[i] >> 8)
            across, down = columns[i] & 255, rows[i] & 255
            upper = pixels[row, column] * (256 - across) + pixels[row, column + one] * across
            lower = (
                pixels[row + one, column] * (256 - across)
                + pixels[row + one, column + one] * across
            )
            samples[k, i] = (upper * (256 - down) + lower * down + 32768) >> 16


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


@njit(cache=True, nogil=True)
def outline_signs(
    pixels: U8,
    places: F64,
    bubbles: F64,
    kind: I64,
    outlines: F64,
    beside_mm: float,
    out: F64,
) -> None:
    """How far outlines stand out where they should be, and to which side they are off.

    Parameters
    ----------
    pixels : (H, W) uint8
    places : (n, 6) float64
        What `place_bubbles` filled.
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    kind : (n,) int64
        Which outline each bubble has.
    outlines : (s, m, 4) float64
        Points x, y in mm from the centre, and the outward normals there.
    beside_mm : float
        How far inside and outside of the outline it is compared.
    out : (n, 4) float64
        Filled, in shares of the light of the paper around the bubble: how much darker the
        outline's parts that face towards x and those towards y are than what lies inside and
        outside of them; and by how much it is darker outside than inside of them, half of it.
        NaN where a point lies beyond the image.
    """
    height, width = pixels.shape
    n_points = outlines.shape[1]
    for k in range(len(bubbles)):
        w, h = bubbles[k, 2:]
        px, py = places[k, :2]
        ux, uy = places[k, 2] / w, places[k, 3] / w
        vx, vy = places[k, 4] / h, places[k, 5] / h
        outline = outlines[kind[k]]
        line_x = line_y = to_x = to_y = upright = level = 0.0
        paper = 1.0
        inside = True
        for i in range(n_points):
            a, b, na, nb = outline[i]
            at_x = px + a * ux + b * vx + 0.5
            at_y = py + a * uy + b * vy + 0.5
            step_x = beside_mm * (na * ux + nb * vx)
            step_y = beside_mm * (na * uy + nb * vy)
            low_x, high_x = min(at_x - step_x, at_x + step_x), max(at_x - step_x, at_x + step_x)
            low_y, high_y = min(at_y - step_y, at_y + step_y), max(at_y - step_y, at_y + step_y)
            if not (low_x >= 0 and low_y >= 0 and high_x < width and high_y < height):
                inside = False
                break
            within = float(pixels[int(at_y - step_y), int(at_x - step_x)])
            beyond = float(pixels[int(at_y + step_y), int(at_x + step_x)])
            line = 0.5 * (within + beyond) - float(pixels[int(at_y), int(at_x)])
            line_x += na * na * line
            line_y += nb * nb * line
            to_x += na * (within - beyond)
            to_y += nb * (within - beyond)
            upright += na * na
            level += nb * nb
            paper = max(paper, beyond)
        if not inside:
            out[k] = np.nan
            continue
        out[k, 0] = line_x / (upright * paper)
        out[k, 1] = line_y / (level * paper)
        out[k, 2] = to_x / (2.0 * upright * paper)
        out[k, 3] = to_y / (2.0 * level * paper)


@njit(cache=True, nogil=True)
def block_medians(values: F64, first: I64, out: F64) -> None:
    """Medians (n_blocks, k) of values (n, k) that are not NaN; of none 0."""
    order = np.empty(len(values))
    for b in range(len(first) - 1):
        for c in range(values.shape[1]):
            count = 0
            for k in range(first[b], first[b + 1]):
                value = values[k, c]
                if np.isnan(value):
                    continue
                at = count
                while at > 0 and order[at - 1] > value:
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = value
                count += 1
            out[b, c] = 0.0
            if count > 0:
                out[b, c] = 0.5 * (order[(count - 1) // 2] + order[count // 2])


@njit(cache=True, nogil=True)
def cut_patches(pixels: U8, places: F64, bubbles: F64, step_mm: float, out: F32) -> None:
    """Pictures of the bubbles' surroundings, all at one scale and upright.

    Parameters
    ----------
    pixels : (H, W) uint8
    places : (n, 6) float64
        What `place_bubbles` filled.
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    step_mm : float
        What a pixel of the patches is on the sheet.
    out : (n, h, w) float32
        Filled, bilinear; odd sizes with the bubble's centre in the middle. Beyond the image
        it goes on as at its edge.
    """
    height, width = pixels.shape
    n_rows, n_columns = out.shape[1:]
    one, step = np.float32(1), np.uint64(1)
    for k in range(len(bubbles)):
        w, h = bubbles[k, 2:]
        px, py = places[k, :2]
        ux, uy = step_mm * places[k, 2] / w, step_mm * places[k, 3] / w
        vx, vy = step_mm * places[k, 4] / h, step_mm * places[k, 5] / h
        half_x = (n_columns // 2) * abs(ux) + (n_rows // 2) * abs(vx)
        half_y = (n_columns // 2) * abs(uy) + (n_rows // 2) * abs(vy)
        clear = px >= half_x and py >= half_y
        clear = clear and px + half_x < width - 1.001 and py + half_y < height - 1.001
        for i in range(n_rows):
            b = i - n_rows // 2
            for j in range(n_columns):
                a = j - n_columns // 2
                at_x = px + a * ux + b * vx
                at_y = py + a * uy + b * vy
                if not clear:
                    at_x = min(max(at_x, 0.0), width - 1.001)
                    at_y = min(max(at_y, 0.0), height - 1.001)
                column, row = np.uint64(at_x), np.uint64(at_y)
                across, down = np.float32(at_x - column), np.float32(at_y - row)
                upper = pixels[row, column] * (one - across) + pixels[row, column + step] * across
                lower = (
                    pixels[row + step, column] * (one - across)
                    + pixels[row + step, column + step] * across
                )
                out[k, i, j] = upper * (one - down) + lower * down


@njit(cache=True, nogil=True)
def shift_scores(lines: F32, kind: I64, outlines: I64, out: F32) -> None:
    """How well the outline of each bubble fits what is seen, at each shift.

    Parameters
    ----------
    lines : (n, h, w) float32
        How much each pixel of the patches looks like a line.
    kind : (n,) int64
        Which outline each bubble has.
    outlines : (s, m, 2) int64
        Points x, y in pixels of a patch from its middle.
    out : (n, r, r) float32
        Filled: mean over the outline at shifts y, x from -(r // 2) to r // 2 pixels.
    """
    n_rows, n_columns = lines.shape[1:]
    n_points = outlines.shape[1]
    reach = out.shape[1] // 2
    for k in range(len(lines)):
        out[k] = 0.0
        patch = lines[k]
        for p in range(n_points):
            column = n_columns // 2 + outlines[kind[k], p, 0] - reach
            row = n_rows // 2 + outlines[kind[k], p, 1] - reach
            for i in range(out.shape[1]):
                for j in range(out.shape[2]):
                    out[k, i, j] += patch[row + i, column + j]
        out[k] /= n_points
