"""Compiled inner loops over pieces of ink: to which box they belong, and lines among them.

Strips are as `_box_kernels` has them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inkmark.ocr._box_kernels import PAPER

__all__ = ["crosses_strip", "crossing_lines", "level_line", "share_out"]

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

_MOST_LINES = 4000
"""More are no writing."""


@njit(cache=True, nogil=True)
def _root(parents: I32, label: int) -> int:
    while parents[label] != label:
        parents[label] = parents[parents[label]]
        label = parents[label]
    return label


@njit(cache=True, nogil=True)
def _label_pieces(strip: U8, limit: int, labels: I32) -> int:
    """Number the connected pieces of what is darker than a limit.

    Parameters
    ----------
    strip : (h, w) uint8
    limit : int
        Ink is darker than this.
    labels : (h, w) int32
        Filled with the number of each pixel's piece, from 1; zeros before the call.

    Returns
    -------
    int
        How many there are.
    """
    height, width = strip.shape
    parents = np.zeros(height * width // 2 + 2, dtype=np.int32)
    n = 0
    for y in range(height):
        for x in range(width):
            if PAPER - int(strip[y, x]) <= limit:
                continue
            found = 0
            for k in range(4):  # left, and three above
                ny = y if k == 0 else y - 1
                nx = x - 1 if k == 0 else x + k - 2
                if ny < 0 or nx < 0 or nx >= width or labels[ny, nx] == 0:
                    continue
                other = _root(parents, labels[ny, nx])
                if found == 0:
                    found = other
                elif other != found:
                    parents[max(found, other)] = min(found, other)
                    found = min(found, other)
            if found == 0:
                n += 1
                parents[n] = n
                found = n
            labels[y, x] = found
    numbers = np.zeros(n + 1, dtype=np.int32)
    count = 0
    for label in range(1, n + 1):
        if parents[label] == label:
            count += 1
            numbers[label] = count
    for y in range(height):
        for x in range(width):
            if labels[y, x] > 0:
                labels[y, x] = numbers[_root(parents, labels[y, x])]
    return count


@njit(cache=True, nogil=True)
def share_out(
    strip: U8, boxes: I64, reach: int, limit: int, share: float, owner: I32, measures: F64
) -> None:
    """Say to which box each piece of ink belongs, and measure what belongs to each.

    A piece belongs to the box in which enough of it lies, with all that sticks out. A piece
    that lies in two boxes alike is cut where the boxes meet; one that lies mostly outside of
    all boxes belongs to none.

    Parameters
    ----------
    strip : (h, w) uint8
        Lines erased.
    boxes : (n, 4) int64
        Left, top, right and bottom, the latter two excluded.
    reach : int
        What is left of a printed line lies within so many pixels of the edge of a box.
    limit : int
        Ink is darker than this.
    share : float
        How much of a piece is enough.
    owner : (h, w) int32
        Filled with the box of each pixel, -1 for none.
    measures : (n, 5) float64
        Filled with, of each box, the number of its pixels of ink, the share of the box's
        inside that is ink, the share of its ink that lies outside of the box, the share
        of the ink within its box that was given to others or to none, and the number of
        pixels of ink below it that belong to none.
    """
    height, width = strip.shape
    n = len(boxes)
    owner[:] = -1
    home = np.full((height, width), -1, dtype=np.int32)
    for k in range(n):
        for y in range(max(boxes[k, 1], 0), min(boxes[k, 3], height)):
            for x in range(max(boxes[k, 0], 0), min(boxes[k, 2], width)):
                home[y, x] = k
    labels = np.zeros((height, width), dtype=np.int32)
    n_labels = _label_pieces(strip, limit, labels)
    bounds = np.zeros((n_labels + 1, 4), dtype=np.int64)
    bounds[:, 0] = width
    bounds[:, 1] = height
    # The boxes that a piece lies in, from first to last: as many numbers are kept of it.
    first = np.full(n_labels + 1, n, dtype=np.int64)
    last = np.full(n_labels + 1, -1, dtype=np.int64)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label > 0:
                if home[y, x] >= 0:
                    first[label] = min(first[label], home[y, x])
                    last[label] = max(last[label], home[y, x])
                bounds[label, 0] = min(bounds[label, 0], x)
                bounds[label, 1] = min(bounds[label, 1], y)
                bounds[label, 2] = max(bounds[label, 2], x)
                bounds[label, 3] = max(bounds[label, 3], y)
    starts = np.zeros(n_labels + 2, dtype=np.int64)
    for label in range(1, n_labels + 1):
        starts[label + 1] = starts[label] + max(last[label] - first[label] + 1, 0)
    mass = np.zeros(starts[n_labels + 1], dtype=np.float64)
    outside = np.zeros(n_labels + 1, dtype=np.float64)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label > 0:
                ink = PAPER - int(strip[y, x])
                if home[y, x] >= 0:
                    mass[starts[label] + home[y, x] - first[label]] += ink
                else:
                    outside[label] += ink
    belongs = np.full(n_labels + 1, -1, dtype=np.int64)
    for label in range(1, n_labels + 1):
        whole = outside[label]
        best = 0
        most = 0.0
        for k in range(starts[label], starts[label + 1]):
            whole += mass[k]
            if mass[k] > most:
                most = mass[k]
                best = first[label] + k - starts[label]
        if _is_remains(bounds[label], boxes[best], reach):
            belongs[label] = -1
        elif most >= share * whole:
            belongs[label] = best
        elif outside[label] >= 0.5 * whole:
            belongs[label] = -1
        else:
            belongs[label] = -2  # to be cut
    inside = np.zeros(n, dtype=np.float64)
    given = np.zeros(n, dtype=np.float64)
    measures[:] = 0.0
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            here = home[y, x]
            box = here
            if label > 0 and belongs[label] != -2:
                box = belongs[label]
            owner[y, x] = box
            if label == 0:
                continue
            if box >= 0:
                measures[box, 0] += 1.0
                if here != box:
                    measures[box, 2] += 1.0
            if here >= 0:
                inside[here] += 1.0
                if here != box:
                    given[here] += 1.0
    for k in range(n):
        for y in range(max(boxes[k, 3] + reach, 0), height):
            for x in range(max(boxes[k, 0], 0), min(boxes[k, 2], width)):
                if labels[y, x] > 0 and owner[y, x] < 0:
                    measures[k, 4] += 1.0
        size = (boxes[k, 2] - boxes[k, 0]) * (boxes[k, 3] - boxes[k, 1])
        measures[k, 1] = inside[k] / max(size, 1)
        measures[k, 2] /= max(measures[k, 0], 1.0)
        measures[k, 3] = given[k] / max(inside[k], 1.0)


@njit(cache=True, nogil=True)
def _is_remains(bounds: I64, box: I64, reach: int) -> bool:
    """Whether a piece of ink is thin and lies along an edge of a box, where a line was printed."""
    left, top, right, bottom = bounds
    upright = right - left < reach and (right < box[0] + reach or left >= box[2] - reach)
    level = bottom - top < reach and (bottom < box[1] + reach or top >= box[3] - reach)
    return bool(upright or level)


@njit(cache=True, nogil=True)
def level_line(
    inked: U8, least: int, gap: int, aside: float, steepest: float, n_slopes: int
) -> bool:
    """Whether a long straight line, level or nearly so, has ink above and below it.

    Parameters
    ----------
    inked : (h, w) uint8
    least : int
        The line is no shorter, in pixels across.
    gap : int
        It may be interrupted for so many pixels.
    aside : float
        Ink lies so many pixels above and below it.
    steepest : float
        The most it may climb for each pixel across,
    n_slopes : int
        looked for in so many steps down to as much fall.

    Returns
    -------
    bool
    """
    height, width = inked.shape
    shift = np.empty(width, dtype=np.int64)
    for s in range(n_slopes):
        slope = steepest * (2 * s / max(n_slopes - 1, 1) - 1)
        for x in range(width):
            shift[x] = round(slope * (x - width / 2))
        for y in range(height):
            first = last = -1
            for x in range(width + 1):
                is_ink = False
                if x < width and 0 <= y + shift[x] < height:
                    is_ink = inked[y + shift[x], x] > 0
                if is_ink:
                    if first < 0:
                        first = x
                    last = x
                elif first >= 0 and (x == width or x - last > gap):
                    if last - first + 1 >= least and _between(inked, shift, y, first, last, aside):
                        return True
                    first = -1
    return False


@njit(cache=True, nogil=True)
def _between(inked: U8, shift: I64, y: int, first: int, last: int, aside: float) -> bool:
    """Whether there is ink both above and below a line."""
    above = below = False
    for x in range(first, last + 1):
        line = y + shift[x]
        for k in range(inked.shape[0]):
            if inked[k, x] > 0:
                above = above or k < line - aside
                below = below or k > line + aside
        if above and below:
            return True
    return False


@njit(cache=True, nogil=True)
def crosses_strip(inked: U8, top: int, bottom: int, most_aside: int, share: float) -> bool:
    """Whether a straight line runs from above some rows to below them.

    Parameters
    ----------
    inked : (h, w) uint8
    top, bottom : int
        Rows at which the line is inked.
    most_aside : int
        So many pixels at most it goes across between them.
    share : float
        Least share of the rows in which it is inked.

    Returns
    -------
    bool
    """
    height, width = inked.shape
    if not 0 <= top < bottom < height:
        return False
    n = bottom - top
    for x0 in range(width):
        if inked[top, x0] == 0:
            continue
        for x1 in range(max(x0 - most_aside, 0), min(x0 + most_aside + 1, width)):
            if inked[bottom, x1] == 0:
                continue
            missing = 0
            for k in range(1, n):
                if inked[top + k, x0 + (x1 - x0) * k // n] == 0:
                    missing += 1
                    if missing > (1 - share) * n:
                        break
            if missing <= (1 - share) * n:
                return True
    return False


@njit(cache=True, nogil=True)
def crossing_lines(
    inked: U8, slopes: F64, least: float, gap: int, middle: float, widest: float, lines: F64
) -> float:
    """Find the two straight lines that cross near their middles, the shorter as long as can be.

    Parameters
    ----------
    inked : (h, w) uint8
    slopes : (n,) float64
        How far lines go across for each pixel down, the one to the right, the other to the
        left.
    least : float
        No line is shorter, in pixels.
    gap : int
        They may be interrupted for so many rows.
    middle : float
        They cross no nearer to an end than this share of their lengths.
    widest : float
        Largest cosine of the angle between them.
    lines : (2, 5) float64
        Filled with left and top, right and bottom, and length of each: upper end first.

    Returns
    -------
    float
        Length of the shorter in pixels; 0 where there are none.
    """
    found = np.empty((2, _MOST_LINES, 5))
    first = _oblique_lines(inked, slopes, least, gap, found[0])
    second = _oblique_lines(inked, -slopes, least, gap, found[1])
    best = 0.0
    for i in range(first):
        one = found[0, i]
        ax, ay = one[2] - one[0], one[3] - one[1]
        for j in range(second):
            other = found[1, j]
            length = min(one[4], other[4])
            bx, by = other[2] - other[0], other[3] - other[1]
            if length <= best or ax * bx + ay * by > widest * one[4] * other[4]:
                continue
            turn = ax * by - ay * bx
            dx, dy = other[0] - one[0], other[1] - one[1]
            on_one, on_other = (dx * by - dy * bx) / turn, (dx * ay - dy * ax) / turn
            if abs(on_one - 0.5) < 0.5 - middle and abs(on_other - 0.5) < 0.5 - middle:
                best = length
                lines[0] = one
                lines[1] = other
    return best


@njit(cache=True, nogil=True)
def _oblique_lines(inked: U8, slopes: F64, least: float, gap: int, found: F64) -> int:
    """Find runs of ink along lines with some slopes: both ends and length; gives how many."""
    height, width = inked.shape
    shift = np.empty(height, dtype=np.int64)
    n = 0
    for slope in slopes:
        stretch = np.sqrt(1 + slope * slope)
        for y in range(height):
            shift[y] = round(slope * y)
        for x in range(min(-shift[-1], 0), width - min(shift[-1], 0)):
            top = last = -1
            for y in range(height + 1):
                is_ink = False
                if y < height and 0 <= x + shift[y] < width:
                    is_ink = inked[y, x + shift[y]] > 0
                if is_ink:
                    if top < 0:
                        top = y
                    last = y
                elif top >= 0 and (y == height or y - last > gap):
                    if (last - top) * stretch >= max(least, 1.0) and n < len(found):
                        found[n, 0], found[n, 1] = x + slope * top, top
                        found[n, 2], found[n, 3] = x + slope * last, last
                        found[n, 4] = (last - top) * stretch
                        n += 1
                    top = -1
    return n
