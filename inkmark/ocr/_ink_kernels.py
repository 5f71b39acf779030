"""Compiled inner loops that tell inks apart in colour.

The directions of `inkmark.ocr._inks`: how far a pixel is from its paper in a* and b*, by its
whole distance from it. CIELAB is that of CIE 015:2018 for sRGB (IEC 61966-2-1) and D65,
relative to the paper.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "coloured_pixels",
    "follow_lab",
    "follow_ways",
    "ink_tallies",
    "own_share",
    "paper_colour",
    "small_pieces",
    "way_counts",
]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_ROOTS = 2048
"""Steps of the table of cube roots; between them it is straight."""
_PALE = 8
"""What is less dark than its paper by so many levels, of 255, is paper."""
_REACH = 1
_BLUR = np.exp(
    -(np.arange(-1.0, 2.0) ** 2 + np.arange(-1.0, 2.0)[:, None] ** 2) / (2 * 0.8**2)
).astype(np.float32)
"""Colours are smoothed by these weights: files keep them at half the resolution."""


@njit(cache=True, nogil=True)
def coloured_pixels(part: U8, least: int) -> int:
    """Count the pixels whose red, green and blue differ by more than `least`.

    Parameters
    ----------
    part : (h, w, 3) uint8
    least : int

    Returns
    -------
    int
    """
    n = 0
    for y in range(part.shape[0]):
        for x in range(part.shape[1]):
            b, g, r = part[y, x, 0], part[y, x, 1], part[y, x, 2]
            n += max(b, g, r) - min(b, g, r) > least
    return n


@njit(cache=True, nogil=True)
def paper_colour(part: U8, paper: F64) -> None:
    """Find the colour of the paper: the median of the lighter half.

    Parameters
    ----------
    part : (h, w, 3) uint8
    paper : (3,) float64
        Filled.
    """
    height, width = part.shape[:2]
    light = np.zeros(256, dtype=np.int64)
    for y in range(height):
        for x in range(width):
            light[max(part[y, x, 0], part[y, x, 1], part[y, x, 2])] += 1
    least, seen = 0, light[0]
    while 2 * seen < height * width:
        least += 1
        seen += light[least]
    tones = np.zeros((3, 256), dtype=np.int64)
    n = 0
    for y in range(height):
        for x in range(width):
            if max(part[y, x, 0], part[y, x, 1], part[y, x, 2]) >= least:
                n += 1
                for c in range(3):
                    tones[c, part[y, x, c]] += 1
    for c in range(3):
        level, seen = 0, tones[c, 0]
        while 2 * seen < n:
            level += 1
            seen += tones[c, level]
        paper[c] = level


@njit(cache=True, nogil=True)
def follow_lab(part: U8, paper: F64, lab: F32) -> None:
    """Convert blue, green, red on paper of some colour to CIELAB on white; paper is pure white.

    Parameters
    ----------
    part : (h, w, 3) uint8
    paper : (3,) float64
    lab : (h, w, 3) float32
        Filled.
    """
    linear = np.empty((3, 256))
    for c in range(3):
        for level in range(256):
            v = min(level / max(paper[c], 1.0), 1.0)
            linear[c, level] = v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
    roots = np.empty(_ROOTS + 2)
    for k in range(_ROOTS + 2):
        v = k / _ROOTS
        roots[k] = v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116
    height, width = part.shape[:2]
    least = np.maximum(paper - _PALE, 0.0)
    found = np.empty(3)
    for y in range(height):
        for x in range(width):
            if (
                part[y, x, 0] >= least[0]
                and part[y, x, 1] >= least[1]
                and part[y, x, 2] >= least[2]
            ):
                lab[y, x, 0] = 100.0
                lab[y, x, 1] = 0.0
                lab[y, x, 2] = 0.0
                continue
            b = linear[0, part[y, x, 0]]
            g = linear[1, part[y, x, 1]]
            r = linear[2, part[y, x, 2]]
            found[0] = (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456
            found[1] = 0.212671 * r + 0.715160 * g + 0.072169 * b
            found[2] = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754
            for c in range(3):
                place = found[c] * _ROOTS
                k = min(int(place), _ROOTS)
                found[c] = roots[k] + (place - k) * (roots[k + 1] - roots[k])
            lab[y, x, 0] = 116 * found[1] - 16
            lab[y, x, 1] = 500 * (found[0] - found[1])
            lab[y, x, 2] = 200 * (found[1] - found[2])


@njit(cache=True, nogil=True)
def follow_ways(lab: F32, away: F32, way: F32) -> None:
    """Measure how far each pixel is from paper, and in which direction.

    Parameters
    ----------
    lab : (h, w, 3) float32
    away : (h, w) float32
        Filled with the distance, 0 for paper.
    way : (h, w, 2) float32
        Filled with the direction in a* and b*, smoothed, as shares of the distance.
    """
    height, width = lab.shape[:2]
    for y in range(height):
        for x in range(width):
            dark = 100 - lab[y, x, 0]
            if dark <= 0.0 and lab[y, x, 1] == 0.0 and lab[y, x, 2] == 0.0:
                away[y, x] = 0.0
                way[y, x, 0] = 0.0
                way[y, x, 1] = 0.0
                continue
            a = b = weight = np.float32(0.0)
            for v in range(max(y - _REACH, 0), min(y + _REACH + 1, height)):
                first, last = max(x - _REACH, 0), min(x + _REACH + 1, width)
                row = lab[v, first:last]
                for u in range(last - first):
                    share = _BLUR[v - y + _REACH, u + first - x + _REACH]
                    a += share * row[u, 1]
                    b += share * row[u, 2]
                    weight += share
            a /= weight
            b /= weight
            far = np.sqrt(dark * dark + a * a + b * b)
            away[y, x] = far
            way[y, x, 0] = a / max(far, np.float32(1.0))
            way[y, x, 1] = b / max(far, np.float32(1.0))


@njit(cache=True, nogil=True)
def way_counts(away: F32, way: F32, least: float, counts: I64) -> None:
    """Count pixels by their direction.

    Parameters
    ----------
    away : (h, w) float32
    way : (h, w, 2) float32
    least : float
        Pixels no further from paper are left out.
    counts : (n, n) int64
        Counted up: b* down, a* across, from -1 to 1.
    """
    n = len(counts)
    for y in range(away.shape[0]):
        for x in range(away.shape[1]):
            if away[y, x] > least:
                i = min(max(int((way[y, x, 1] + 1) * (n / 2)), 0), n - 1)
                j = min(max(int((way[y, x, 0] + 1) * (n / 2)), 0), n - 1)
                counts[i, j] += 1


@njit(cache=True, nogil=True)
def ink_tallies(
    inks: F32, away: F32, way: F32, least: float, inside: Mask, around: Mask, tallies: I64
) -> None:
    """Count the pixels of each ink inside of a field and around it.

    Parameters
    ----------
    inks : (n, 2) float32
    away : (h, w) float32
    way : (h, w, 2) float32
    least : float
        Pixels no further from paper are left out.
    inside, around : (h, w) bool
    tallies : (n, 2) int64
        Counted up.
    """
    height, width = away.shape
    for y in range(height):
        for x in range(width):
            if away[y, x] > least:
                best, nearest = 0, np.inf
                for k in range(len(inks)):
                    apart = (way[y, x, 0] - inks[k, 0]) ** 2 + (way[y, x, 1] - inks[k, 1]) ** 2
                    if apart < nearest:
                        best, nearest = k, apart
                tallies[best, 0] += inside[y, x]
                tallies[best, 1] += around[y, x]


@njit(cache=True, nogil=True)
def own_share(
    inks: F32, mine: int, away: F32, way: F32, spread: float, noise: float, wanted: Mask, share: F32
) -> None:
    """Say how much of the ink of some pixels is one ink's.

    Parameters
    ----------
    inks : (n, 2) float32
    mine : int
    away : (h, w) float32
    way : (h, w, 2) float32
    spread, noise : float
        Standard deviation of an ink's directions, and of noise in CIELAB.
    wanted : (h, w) bool
        The others are left as they are.
    share : (h, w) float32
        Filled.
    """
    height, width = away.shape
    apart = np.empty(len(inks))
    for y in range(height):
        for x in range(width):
            if not wanted[y, x]:
                continue
            nearest = np.inf
            for k in range(len(inks)):
                apart[k] = (way[y, x, 0] - inks[k, 0]) ** 2 + (way[y, x, 1] - inks[k, 1]) ** 2
                nearest = min(nearest, apart[k])
            doubled = 2 * (spread**2 + (noise / max(away[y, x], 1.0)) ** 2)
            everything = 0.0
            for k in range(len(inks)):
                apart[k] = np.exp(-(apart[k] - nearest) / doubled)
                everything += apart[k]
            share[y, x] = apart[mine] / everything


@njit(cache=True, nogil=True)
def small_pieces(inked: Mask, most: int, labels: I32, boxes: I64) -> int:
    """Find the connected pieces of ink that are small, corners joining.

    Parameters
    ----------
    inked : (h, w) bool
    most : int
        They are no wider and no higher.
    labels : (h, w) int32
        Filled with the number of a small piece, from 1, with -1 for other ink, else 0.
    boxes : (n, 4) int64
        Filled with left, top, right and bottom of each, the latter two excluded. Where there
        is no room, pieces count as other ink.

    Returns
    -------
    int
        How many there are.
    """
    height, width = inked.shape
    labels[:] = 0
    waiting = np.empty(height * width, dtype=np.int64)
    n = 0
    for start in range(height * width):
        if not inked[start // width, start % width] or labels[start // width, start % width] != 0:
            continue
        labels[start // width, start % width] = -1
        waiting[0] = start
        done, seen = 0, 1
        left, top, right, bottom = width, height, 0, 0
        while done < seen:
            y, x = waiting[done] // width, waiting[done] % width
            done += 1
            left, right = min(left, x), max(right, x + 1)
            top, bottom = min(top, y), max(bottom, y + 1)
            for v in range(max(y - 1, 0), min(y + 2, height)):
                for u in range(max(x - 1, 0), min(x + 2, width)):
                    if inked[v, u] and labels[v, u] == 0:
                        labels[v, u] = -1
                        waiting[seen] = v * width + u
                        seen += 1
        if max(right - left, bottom - top) > most or n == len(boxes):
            continue
        boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3] = left, top, right, bottom
        n += 1
        for k in range(seen):
            labels[waiting[k] // width, waiting[k] % width] = n
    return n
