"""Compiled inner loops that cut writing boxes out of a page.

A strip is a field and a margin around it at a fixed scale, upright, as uint8 light: `PAPER`
is bare paper, 0 black. Positions in a strip are in its pixels.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["PAPER", "cut_strip", "erase_lines", "find_streaks"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

PAPER = 230
"""Light of bare paper; what is above leaves room for noise."""
_MOST_SUBSAMPLES = 4
_REACH = 5
"""A line is looked for so many pixels to both sides of where it should be,"""
_BESIDE = 3
"""and is darker than what lies so many pixels beside it."""
_LEAST_LINE = 6
"""Lines less dark than this are not seen, and need no erasing."""
_ALONE = 2
"""Each line may lie so many pixels from where all lines of the field lie."""
_HALF_WIDTH = 4
"""No line is wider to either side of its middle, blur included."""
_MOST_TONES = 0.01
"""An image is in black and white of which no more is in between."""
_MOST_GAPS = 0.12
"""A streak is broken over no larger share of its length: no stroke is as long as a strip is
high."""


@njit(cache=True, nogil=True)
def cut_strip(image: U8, knots: F64, cell: float, papers: F64, ends: I64, out: U8) -> int:
    """Cut a strip out of an image, and set its paper to `PAPER`.

    Parameters
    ----------
    image : (H, W) uint8
    knots : (ny, nx, 2) float64
        Where the points of the strip `cell` pixels apart are in the image, x and y; the
        first is the strip's upper left corner.
    cell : float
    papers : (n,) float64
        Filled with the grey of the paper in each part of the strip, left to right.
    ends : (n + 1,) int64
        First column of each part, and the last one's end.
    out : (h, w) uint8
        Filled.

    Returns
    -------
    int
        How many samples are not in the image; they are as the nearest pixel that is.
    """
    height, width = image.shape
    rows, columns = out.shape
    ny, nx = knots.shape[0], knots.shape[1]
    across = np.hypot(knots[0, 1, 0] - knots[0, 0, 0], knots[0, 1, 1] - knots[0, 0, 1]) / cell
    n_sub = min(max(1, int(np.ceil(across - 0.2))), _MOST_SUBSAMPLES)
    grey = np.zeros((rows, columns), dtype=np.float32)
    tones = np.zeros(256, dtype=np.int64)
    points = np.empty((nx, 2))
    share = 1.0 / (n_sub * n_sub)
    outside = 0
    for i in range(rows):
        for a in range(n_sub):
            v = (i + (a + 0.5) / n_sub) / cell
            row = min(int(v), ny - 2)
            v -= row
            for k in range(nx):
                for c in range(2):
                    points[k, c] = (1 - v) * knots[row, k, c] + v * knots[row + 1, k, c]
            for j in range(columns):
                total = 0.0
                for b in range(n_sub):
                    u = (j + (b + 0.5) / n_sub) / cell
                    k = min(int(u), nx - 2)
                    u -= k
                    x = points[k, 0] + u * (points[k + 1, 0] - points[k, 0])
                    y = points[k, 1] + u * (points[k + 1, 1] - points[k, 1])
                    if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
                        outside += 1
                    x = min(max(x, 0.0), width - 1.0)
                    y = min(max(y, 0.0), height - 1.0)
                    if n_sub > 1:  # samples are closer than pixels: their mean is smooth
                        value = image[int(y + 0.5), int(x + 0.5)]
                        tones[value] += 1
                        total += value
                        continue
                    x0 = int(x)
                    y0 = int(y)
                    x1 = min(x0 + 1, width - 1)
                    y1 = min(y0 + 1, height - 1)
                    x -= x0
                    y -= y0
                    tones[image[y0, x0]] += 1
                    upper = image[y0, x0] * (1 - x) + image[y0, x1] * x
                    lower = image[y1, x0] * (1 - x) + image[y1, x1] * x
                    total += upper * (1 - y) + lower * y
                grey[i, j] += total * share
    if _is_bilevel(tones):
        _soften(grey)
    _find_papers(grey, ends, papers)
    n = len(papers)
    for j in range(columns):
        # Between the middles of two parts the paper's grey goes over from one to the next.
        part = 0
        while part < n - 1 and 2 * j >= ends[part + 1] + ends[part + 2]:
            part += 1
        level = papers[part]
        middle = 0.5 * (ends[part] + ends[part + 1])
        if part < n - 1 and j > middle:
            further = 0.5 * (ends[part + 1] + ends[part + 2])
            share = (j - middle) / (further - middle)
            level = (1 - share) * level + share * papers[part + 1]
        gain = PAPER / max(level, 1.0)
        for i in range(rows):
            out[i, j] = int(min(255.0, grey[i, j] * gain + 0.5))
    return outside


@njit(cache=True, nogil=True)
def _is_bilevel(tones: I64) -> bool:
    """Whether counted tones are two but for very few."""
    low = 0
    while low < 255 and tones[low] == 0:
        low += 1
    high = 255
    while high > low and tones[high] == 0:
        high -= 1
    part = (high - low) // 10
    between = tones[low + part + 1 : max(high - part, low + part + 1)].sum()
    return bool(between <= _MOST_TONES * tones.sum())


@njit(cache=True, nogil=True)
def _soften(grey: NDArray[np.float32]) -> None:
    """Make greys of the dots of dithering: four times the mean of neighbours, both ways."""
    rows, columns = grey.shape
    for _ in range(2):
        for i in range(rows):
            before = grey[i, 0]
            for j in range(columns):
                here = grey[i, j]
                grey[i, j] = 0.25 * (before + grey[i, min(j + 1, columns - 1)]) + 0.5 * here
                before = here
        for j in range(columns):
            before = grey[0, j]
            for i in range(rows):
                here = grey[i, j]
                grey[i, j] = 0.25 * (before + grey[min(i + 1, rows - 1), j]) + 0.5 * here
                before = here


@njit(cache=True, nogil=True)
def _find_papers(grey: NDArray[np.float32], ends: I64, papers: F64) -> None:
    """The grey that a tenth of each part is lighter than; of dark parts, that of all parts."""
    counts = np.empty(256, dtype=np.int64)
    lightest = 0.0
    for k in range(len(papers)):
        counts[:] = 0
        size = 0
        for i in range(len(grey)):
            for j in range(ends[k], ends[k + 1]):
                counts[int(grey[i, j])] += 1
                size += 1
        level = 255
        lighter = counts[255]
        while level > 0 and lighter < 0.1 * size:
            level -= 1
            lighter += counts[level]
        papers[k] = level
        lightest = max(lightest, papers[k])
    for k in range(len(papers)):
        if papers[k] < 0.6 * lightest:
            papers[k] = lightest


@njit(cache=True, nogil=True)
def _quantiles(
    strip: U8,
    upright: bool,
    slope: float,
    at: int,
    first: int,
    last: int,
    rank: float,
    middle: I64,
    upper: I64,
    k: int,
) -> None:
    """How dark a row or column is between two places: a quantile, and one a quarter above."""
    across = strip.shape[1] if upright else strip.shape[0]
    half = 0.5 * (strip.shape[0] if upright else strip.shape[1])
    counts = np.zeros(256, dtype=np.int64)
    for t in range(first, last):
        place = min(max(at + round(slope * (t - half)), 0), across - 1)
        light = strip[t, place] if upright else strip[place, t]
        counts[max(0, PAPER - light)] += 1
    size = last - first
    seen = 0
    middle[k] = -1
    for dark in range(256):
        seen += counts[dark]
        if middle[k] < 0 and seen >= rank * size:
            middle[k] = dark
        if seen >= (rank + 0.25) * size:
            upper[k] = dark
            return


@njit(cache=True, nogil=True)
def erase_lines(
    strip: U8, upright: bool, slope: float, at: F64, first: I64, last: I64, rank: float
) -> int:
    """Erase printed lines of one direction, but not the strokes that cross them.

    Where the lines are is refined in the image: first for all of them, then for each by
    little, as a stroke beside a line could be taken for it. How dark a line is, pixel by
    pixel across it, is a quantile along the line. What is darker by more than the line
    itself varies is ink, by the light that it lets through beside what the line does. So is
    what joins ink on both sides of the line, straight or aslant.

    Parameters
    ----------
    strip : (h, w) uint8
        Changed.
    upright : bool
        Whether lines run from top to bottom; else from left to right.
    slope : float
        How far they go across for each pixel along.
    at : (n,) float64
        The row or column in which each should be, halfway along the strip.
    first, last : (n,) int64
        Where it begins and ends along its direction.
    rank : float
        Which quantile, 0 to 0.75: the more writing may cover a line, the lower.

    Returns
    -------
    int
        How dark the lines are: the median of them.
    """
    n = len(at)
    if n == 0:
        return 0
    across = strip.shape[1] if upright else strip.shape[0]
    along = strip.shape[0] if upright else strip.shape[1]
    reach = _REACH + _BESIDE
    size = 2 * reach + 1
    middles = np.zeros((n, size), dtype=np.int64)
    uppers = np.zeros((n, size), dtype=np.int64)
    contrast = np.zeros((n, size), dtype=np.int64)
    for k in range(n):
        # Corners are left out, where another line crosses.
        inset = min(_HALF_WIDTH, (last[k] - first[k]) // 4)
        start = max(first[k] + inset, 0)
        end = min(last[k] - inset, along)
        if end <= start:
            continue
        for d in range(size):
            place = round(at[k]) + d - reach
            _quantiles(strip, upright, slope, place, start, end, rank, middles[k], uppers[k], d)
        for d in range(_BESIDE, size - _BESIDE):
            beside = max(middles[k, d - _BESIDE], middles[k, d + _BESIDE])
            contrast[k, d] = max(0, middles[k, d] - beside)
    joint = 0
    most = -1
    for d in range(_BESIDE, size - _BESIDE):
        median = np.sort(contrast[:, d])[(n - 1) // 2]
        # Of equally dark places the one nearest to where the line should be.
        if median > most or (median == most and abs(d - reach) < abs(joint - reach)):
            most = median
            joint = d
    if most < _LEAST_LINE:
        return most
    peaks = np.full(n, joint, dtype=np.int64)
    for k in range(n):
        for d in range(max(joint - _ALONE, _BESIDE), min(joint + _ALONE, size - 1 - _BESIDE) + 1):
            if contrast[k, d] > contrast[k, peaks[k]]:
                peaks[k] = d
    # Where writing covers a line, its own values are not its print's: what is usual is.
    usual = np.empty(2 * _HALF_WIDTH + 1, dtype=np.int64)
    varies = np.empty(2 * _HALF_WIDTH + 1, dtype=np.int64)
    values = np.empty((2, n), dtype=np.int64)
    for o in range(-_HALF_WIDTH, _HALF_WIDTH + 1):
        for k in range(n):
            d = min(max(peaks[k] + o, 0), size - 1)
            values[0, k] = middles[k, d]
            values[1, k] = uppers[k, d] - middles[k, d]
        usual[o + _HALF_WIDTH] = np.sort(values[0])[(n - 1) // 2]
        varies[o + _HALF_WIDTH] = np.sort(values[1])[(n - 1) // 2]
    faint = max(2.0, 0.15 * usual[_HALF_WIDTH])
    span = 2 * _HALF_WIDTH + 1
    print_ = np.empty(span, dtype=np.int64)
    spread = np.empty(span, dtype=np.int64)
    for o in range(span):  # a line lies up to a pixel beside its peak
        print_[o] = usual[max(o - 1, 0) : min(o + 2, span)].max()
        spread[o] = varies[max(o - 1, 0) : min(o + 2, span)].max()
    cleaned = strip.copy()
    for k in range(n):
        low = 0
        while low > 1 - _HALF_WIDTH and print_[low - 1 + _HALF_WIDTH] > faint:
            if middles[k, max(peaks[k] + low - 1, 0)] <= faint:
                break
            low -= 1
        high = 0
        while high < _HALF_WIDTH - 1 and print_[high + 1 + _HALF_WIDTH] > faint:
            if middles[k, min(peaks[k] + high + 1, size - 1)] <= faint:
                break
            high += 1
        low -= 1
        high += 1
        width = high - low + 1
        middle = round(at[k]) - reach + peaks[k]
        for t in range(max(first[k] - _HALF_WIDTH, 0), min(last[k] + _HALF_WIDTH, along)):
            here = middle + round(slope * (t - 0.5 * along))
            before = here + low - 1
            after = here + high + 1
            if before < 0 or after >= across:
                continue
            for o in range(low, high + 1):
                place = here + o
                light = strip[t, place] if upright else strip[place, t]
                dark = max(0, PAPER - light)
                joined = _joined(strip, upright, before, after, place, t, width, along)
                kept = float(min(dark, joined))
                own = middles[k, min(max(peaks[k] + o, 0), size - 1)]
                line = min(float(own), 1.25 * print_[o + _HALF_WIDTH] + 5.0)
                if line < 0.9 * PAPER:
                    # Light passes ink and line one after the other.
                    ink = (dark - line) / (PAPER - line)
                    doubt = 0.15 + 1.5 * spread[o + _HALF_WIDTH] / (PAPER - line)
                    sure = min(max((ink - doubt) / 0.15, 0.0), 1.0)
                    kept = max(kept, sure * ink * PAPER)
                value = int(PAPER - kept + 0.5)
                if upright:
                    cleaned[t, place] = value
                else:
                    cleaned[place, t] = value
    strip[:] = cleaned
    return most


@njit(cache=True, nogil=True)
def _joined(
    strip: U8, upright: bool, before: int, after: int, place: int, t: int, width: int, along: int
) -> int:
    """How dark a straight stroke through a place is that meets ink on both sides of a line."""
    best = 0
    share = (place - before) / (after - before)
    for s in range(-width - 1, width + 2):
        one = min(max(round(t - s * share), 0), along - 1)
        two = min(max(round(t + s * (1 - share)), 0), along - 1)
        if upright:
            light = max(strip[one, before], strip[two, after])
        else:
            light = max(strip[before, one], strip[after, two])
        best = max(best, PAPER - light)
    return best


@njit(cache=True, nogil=True)
def find_streaks(strip: U8, upright: bool, slope: float, found: F64) -> int:
    """Find lines through the whole strip, as dirt on a scanner's glass draws them.

    Parameters
    ----------
    strip : (h, w) uint8
    upright : bool
    slope : float
        As for `erase_lines`.
    found : (n,) float64
        Filled with where they are, for `erase_lines`.

    Returns
    -------
    int
        How many were found, at most n.
    """
    across = strip.shape[1] if upright else strip.shape[0]
    along = strip.shape[0] if upright else strip.shape[1]
    dark = np.zeros(across, dtype=np.int64)
    counts = np.empty(256, dtype=np.int64)
    for at in range(across):
        counts[:] = 0
        size = 0
        for t in range(along):
            place = at + round(slope * (t - 0.5 * along))
            if 0 <= place < across:
                light = strip[t, place] if upright else strip[place, t]
                counts[max(0, PAPER - light)] += 1
                size += 1
        if 2 * size < along:
            continue
        seen = 0
        while seen + counts[dark[at]] <= _MOST_GAPS * size:
            seen += counts[dark[at]]
            dark[at] += 1
    n = 0
    for at in range(_HALF_WIDTH, across - _HALF_WIDTH):
        beside = max(dark[at - _HALF_WIDTH], dark[at + _HALF_WIDTH])
        if dark[at] - beside < 2 * _LEAST_LINE or n == len(found):
            continue
        if dark[at] >= dark[at - 1] and dark[at] > dark[at + 1]:
            found[n] = at
            n += 1
    return n
