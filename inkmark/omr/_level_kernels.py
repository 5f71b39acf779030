"""Compiled inner loops that turn the samples of a page's bubbles into evidence.

Each has a plain numpy twin in the tests. `first` (n_groups + 1,) int64 says where the
bubbles of each group begin; `seen` (n,) bool which bubbles lie in the image.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "COLUMNS",
    "N_EVIDENCE",
    "N_SAMPLES",
    "group_medians",
    "measure",
    "weigh",
]

B1 = NDArray[np.bool_]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

COLUMNS = 15
"""Of a measurement: darkness inside, on the outline, around and in the rim; the mean square
of the darkness inside; the paper's grey; the darkness of the four quarters of the inside, of
the four sides around and of their corners."""
INSIDE, OUTLINE, AROUND, RIM, SQUARE, WHITE, QUARTERS, SIDES, CORNERS = 0, 1, 2, 3, 4, 5, 6, 10, 14

SIDE = 8
"""Samples across the inside of a bubble, in each direction."""
N_OUTLINE = 24
N_AROUND = 40
N_SAMPLES = SIDE * SIDE + N_OUTLINE + N_AROUND
_WHITE_RANK = 10
"""Paper is the sample around a bubble than which so many are lighter."""
OWN_WHITE = 0.025
"""Paper that differs by more than this share from that of its group lies in another light."""

MIN_NOISE = 0.004
MIN_ALIKE = 3
"""So many empty bubbles of one label are needed to say how dark its print is."""
PAIR_NOISES = 4.0
"""Two empty bubbles of one label differ by no more standard deviations than this."""
MAX_PRINT = 0.45
"""No printed label takes away this much of the light; what does is ink."""
USUAL_PRINT = 0.1
NO_EMPTY_NOISE = 0.1
"""Darkness of an empty bubble where a page has none, and how little that is known."""
PRINT_SPREAD = 0.03
"""Standard deviation of the darkness of labels of one print."""
MAX_DARKER = 0.08
"""No label is darker than a typical one by more than this."""
NEAR_EMPTY = 0.15
"""A bubble is taken for empty at first if it is not darker by more than this."""
MIN_SPLIT = 0.25
"""Empty bubbles and marks in one sample are at least this far apart."""
USUAL_MARK = 0.55
USUAL_INK = 0.65
"""Darkness of a mark beyond an empty bubble, and of its strokes, where a page has no marks;
it counts for two marks where there are some."""
IS_MARK = 0.3 * USUAL_MARK

N_EVIDENCE = 13
_LOW, _HIGH = -0.3, 1.5
"""Evidence beyond these counts no more."""
_FINE = 0.05
"""Shares of a stroke's darkness far below this are weighed by their difference, far above it
by their ratio."""
_SCALE = float(1 / np.arcsinh(1 / _FINE))


@njit(cache=True, nogil=True)
def _order(values: F64, use: B1, start: int, end: int, order: I64) -> int:
    """Indices of the used values from start to end, ascending by value; returns how many."""
    count = 0
    for i in range(start, end):
        if not use[i]:
            continue
        at = count
        while at > 0 and values[order[at - 1]] > values[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
        count += 1
    return count


@njit(cache=True, nogil=True)
def group_medians(values: F64, use: B1, first: I64, out: F64) -> None:
    """Lower median of the used values of each group, given to each of its bubbles.

    Where a group has none, it is that of all its values.
    """
    order = np.empty(len(values), dtype=np.int64)
    for g in range(len(first) - 1):
        count = _order(values, use, first[g], first[g + 1], order)
        if count == 0:
            count = _order(values, np.ones_like(use), first[g], first[g + 1], order)
        out[first[g] : first[g + 1]] = values[order[(count - 1) // 2]]


@njit(cache=True, nogil=True)
def measure(samples: U8, seen: B1, first: I64, out: F64) -> None:
    """How dark the parts of each bubble are, as shares of the paper's light that is missing.

    Parameters
    ----------
    samples : (n, SIDE * SIDE + N_OUTLINE + N_AROUND) uint8
        Inside row by row, on the outline, and around in four runs of one side each.
    seen, first
    out : (n, COLUMNS) float64
        Filled.
    """
    n_inside = SIDE * SIDE
    n_side = N_AROUND // 4
    n_ring = n_side // 2
    half = SIDE // 2
    n_own = n_inside + N_OUTLINE
    dark = np.empty(N_SAMPLES)
    halves = np.empty((2, SIDE))
    squares = np.empty(SIDE)
    white = np.empty(len(samples))
    count = np.empty(256, dtype=np.uint8)
    for k in range(len(samples)):
        count[:] = 0
        for i in range(n_own, N_SAMPLES):
            count[samples[k, i]] += 1
        level = 256
        lighter = 0
        while lighter <= _WHITE_RANK:
            level -= 1
            lighter += count[level]
        white[k] = max(level, 1)
    group_medians(white, seen, first, out[:, WHITE])
    for k in range(len(samples)):
        if abs(white[k] - out[k, WHITE]) <= OWN_WHITE * out[k, WHITE]:
            white[k] = out[k, WHITE]
        out[k] = 0.0
        out[k, WHITE] = white[k]
        light = 1.0 / white[k]
        for i in range(N_SAMPLES):
            dark[i] = 1.0 - samples[k, i] * light
        halves[:] = 0.0
        squares[:] = 0.0
        for row in range(SIDE):  # columns side by side: that is done for several at a time
            for column in range(SIDE):
                value = dark[row * SIDE + column]
                halves[row // half, column] += value
                squares[column] += max(value, 0.0) ** 2
        rim = dark[:SIDE].sum() + dark[n_inside - SIDE : n_inside].sum()
        for row in range(1, SIDE - 1):
            rim += dark[row * SIDE] + dark[row * SIDE + SIDE - 1]
        out[k, RIM] = rim / (4 * (SIDE - 1))
        out[k, SQUARE] = squares.sum() / n_inside
        out[k, OUTLINE] = dark[n_inside:n_own].sum() / N_OUTLINE
        for i in range(4):
            left = half * (i % 2)
            out[k, QUARTERS + i] = halves[i // 2, left : left + half].sum() / (half * half)
            side = dark[n_own + i * n_side : n_own + (i + 1) * n_side]
            out[k, SIDES + i] = side.sum() / n_side
            ends = side[0] + side[n_ring - 1] + side[n_ring] + side[n_side - 1]
            out[k, CORNERS] += ends / (2 * N_AROUND / n_ring)
            out[k, INSIDE] += 0.25 * out[k, QUARTERS + i]
            out[k, AROUND] += 0.25 * out[k, SIDES + i]


@njit(cache=True, nogil=True)
def _lighter_halves(values: F64, use: B1, first: I64) -> B1:
    """The lighter half of the used bubbles of each group."""
    chosen = np.zeros(len(values), dtype=np.bool_)
    order = np.empty(len(values), dtype=np.int64)
    for g in range(len(first) - 1):
        count = _order(values, use, first[g], first[g + 1], order)
        for i in range((count + 1) // 2):
            chosen[order[i]] = True
    return chosen


@njit(cache=True, nogil=True)
def _deviation(sample: F64) -> float:
    """Standard deviation by the median absolute value, and never nothing."""
    if len(sample) == 0:
        return MIN_NOISE
    return float(max(1.4826 * np.median(np.abs(sample)), MIN_NOISE))


@njit(cache=True, nogil=True)
def _empty_level(sample: F64) -> float:
    """Darkness of empty bubbles from a sample that may hold marks; -1 if only marks."""
    level = np.median(sample)
    middle = (sample.min() + sample.max()) / 2
    darker = sample[sample > middle]
    lighter = sample[sample <= middle]
    if len(darker) > 0 and np.median(darker) - np.median(lighter) > MIN_SPLIT:
        level = np.median(lighter)
    return float(level) if level < MAX_PRINT else -1.0


@njit(cache=True, nogil=True)
def _empty_by_glyph(
    values: F64, near: B1, by_glyph: I64, glyph_first: I64, beside: B1, agree: float, unknown: B1
) -> F64:
    """Darkness of each bubble while empty by its label; fills whether that is a guess.

    Labels differ by little; one much darker than the page's typical one is not believed,
    because bubbles that are nearly always marked lightly look the same. Two bubbles of a
    label are enough where one stands `beside` a mark and they differ by no more than `agree`.
    """
    n_glyphs = len(glyph_first) - 1
    print_of = np.zeros(n_glyphs)
    known = np.zeros(n_glyphs, dtype=np.bool_)
    buffer = np.empty(len(values))
    for g in range(n_glyphs):
        count = 0
        n_beside = 0
        for i in range(glyph_first[g], glyph_first[g + 1]):
            k = by_glyph[i]
            if near[k]:
                buffer[count] = values[k]
                count += 1
                n_beside += beside[k]
        if count == 0:
            continue
        print_of[g] = np.median(buffer[:count])
        known[g] = count >= MIN_ALIKE
        if count == 2 and n_beside >= 1 and abs(buffer[1] - buffer[0]) <= agree:
            known[g] = True
    typical = np.median(print_of[known]) if known.any() else np.median(values[near])
    result = np.empty(len(values))
    for g in range(n_glyphs):
        level = min(print_of[g], typical + MAX_DARKER) if known[g] else typical
        for i in range(glyph_first[g], glyph_first[g + 1]):
            result[by_glyph[i]] = level
            unknown[by_glyph[i]] = not known[g]
    return result


@njit(cache=True, nogil=True)
def _typical(values: F64, usual: float) -> float:
    """Median of values, weighed with two that are usual."""
    if len(values) == 0:
        return usual
    return float((len(values) * np.median(values) + 2.0 * usual) / (len(values) + 2.0))


@njit(cache=True, nogil=True)
def _levels(
    raw: F64,
    seen: B1,
    first: I64,
    multiple: B1,
    by_glyph: I64,
    glyph_first: I64,
    empty: F64,
    shared: F64,
    noises: F64,
) -> float:
    """Separate the empty bubbles of a page from its marks; returns the noise of its empty ones.

    In a group most bubbles are empty, so the lighter half of every group is a first sample
    of empty ones. The labels' own darkness is taken from bubbles near that sample only: a
    label that nearly always is marked has too few of them and takes the page's level.

    Fills the darkness of each bubble while empty; the part of it that all bubbles of a group
    have beyond their labels; and its standard deviation, larger for a label that the page
    has too few of to know its print.
    """
    n = len(raw)
    shared[:] = 0.0
    level = _empty_level(raw[_lighter_halves(raw, seen, first)])
    if level < 0:
        empty[:] = USUAL_PRINT
        noises[:] = NO_EMPTY_NOISE
        return MIN_NOISE
    empty[:] = level
    noise = MIN_NOISE
    unknown = np.zeros(n, dtype=np.bool_)
    beside = np.zeros(n, dtype=np.bool_)
    for _ in range(2):
        near = seen & (raw - empty < max(6 * noise, NEAR_EMPTY))
        if not near.any():
            break
        for g in range(len(first) - 1):
            marked = False
            for k in range(first[g], first[g + 1]):
                marked = marked or (seen[k] and raw[k] - empty[k] > IS_MARK and not multiple[k])
            for k in range(first[g], first[g + 1]):
                beside[k] = near[k] and marked
        empty[:] = _empty_by_glyph(
            raw, near, by_glyph, glyph_first, beside, PAIR_NOISES * noise, unknown
        )
        fill = raw - empty
        sample = fill[_lighter_halves(fill, near, first)]
        noise = _deviation(sample - np.median(sample))
    fill = raw - empty
    mark = _typical(fill[seen & (fill > max(8 * noise, IS_MARK))], USUAL_MARK)
    # What all bubbles of a group have in common beyond their labels: shade, print, paper. It
    # is the lower median of the group, or its lightest bubble where several marks are an
    # answer. Not for groups too small to tell it from a mark; and what is more than a third
    # of a mark is one: such a group holds nothing else.
    order = np.empty(n, dtype=np.int64)
    is_reference = np.zeros(n, dtype=np.bool_)
    for g in range(len(first) - 1):
        start, end = first[g], first[g + 1]
        if end - start < MIN_ALIKE:
            continue
        count = _order(fill, seen, start, end, order)
        rank = 0 if multiple[start] else (end - start - 1) // 2
        if rank >= count or abs(fill[order[rank]]) > IS_MARK / USUAL_MARK * mark:
            continue
        is_reference[order[rank]] = True
        shared[start:end] = fill[order[rank]]
    empty[:] = empty + shared
    fill = raw - empty
    noise = _deviation(fill[seen & ~is_reference & (fill < max(6 * noise, NEAR_EMPTY))])
    for k in range(n):
        noises[k] = np.sqrt(noise**2 + PRINT_SPREAD**2) if unknown[k] else noise
    return noise


@njit(cache=True, nogil=True)
def _beyond_usual(
    values: F64, seen: B1, first: I64, by_glyph: I64, glyph_first: I64, known: B1
) -> F64:
    """What lies around bubbles beyond what is usual there, as what to take off it.

    Fills for which labels that is known.
    """
    unknown = np.zeros(len(values), dtype=np.bool_)
    none = np.zeros(len(values), dtype=np.bool_)
    usual = _empty_by_glyph(values, seen, by_glyph, glyph_first, none, 0.0, unknown)
    known[:] = seen & ~unknown
    median = np.empty(len(values))
    group_medians(np.where(known, values - usual, 0.0), known, first, median)
    return usual + median


@njit(cache=True, nogil=True)
def weigh(
    ink: F64,
    seen: B1,
    first: I64,
    multiple: B1,
    by_glyph: I64,
    glyph_first: I64,
    clear_around: bool,
    fill: F64,
    evidence: F64,
    noises: F64,
    shared: F64,
) -> tuple[float, float, float]:
    """Evidence of each bubble, relative to the page's own empty bubbles and marks.

    Parameters
    ----------
    ink : (n, COLUMNS) float64
        What `measure` filled.
    seen, first
    multiple : (n,) bool
        Whether several marks in the bubble's group are an answer.
    by_glyph, glyph_first : (n,), (n_glyphs + 1,) int64
        The bubbles in the order of their labels, and where each label begins.
    clear_around : bool
        Whether nothing but paper is printed around bubbles.
    fill : (n,) float64
        Filled: darkness beyond that of an empty bubble; 0 where not seen.
    evidence : (n, N_EVIDENCE) float64
        Filled. As shares of the darkness of the page's strokes, but for the
        fifth and sixth on a scale that is logarithmic away from nothing: the fill; that of the
        lightest quarter, of the darkest, and of the rim; how evenly the ink lies (1: all
        over) and how dark its strokes are, both only where there is fill; the ink around
        the bubble, at its most and at its least inked side; the fill of the darkest other
        bubble of the group; the noise; what all bubbles of the group have in common; how
        dark an empty bubble is; and the ink around the bubble's corners.
    noises : (n,) float64
        Filled: standard deviation of the darkness of an empty bubble.
    shared : (n,) float64
        Filled: what all bubbles of the group have in common beyond their labels.

    Returns
    -------
    float
        Typical darkness of a mark beyond an empty bubble.
    float
        Its standard deviation.
    float
        Typical darkness of a mark's strokes.
    """
    n = len(ink)
    fill[:] = 0.0
    evidence[:] = 0.0
    noises[:] = MIN_NOISE
    shared[:] = 0.0
    if not seen.any():
        return USUAL_MARK, 0.0, USUAL_INK
    empty = np.empty(n)
    noise = _levels(
        ink[:, INSIDE].copy(), seen, first, multiple, by_glyph, glyph_first, empty, shared, noises
    )
    for k in range(n):
        if seen[k]:
            fill[k] = ink[k, INSIDE] - empty[k]
    marks = seen & (fill > max(8 * noise, IS_MARK))
    stroke = _typical(ink[marks, SQUARE] / ink[marks, INSIDE], USUAL_INK)
    known = np.zeros(n, dtype=np.bool_)
    paper = np.zeros(n)
    if clear_around:
        paper = _beyond_usual(ink[:, AROUND].copy(), seen, first, by_glyph, glyph_first, known)
    for g in range(len(first) - 1):
        best = second = 0.0
        for k in range(first[g], first[g + 1]):
            if fill[k] > best:
                second = best
                best = fill[k]
            elif fill[k] > second:
                second = fill[k]
        for k in range(first[g], first[g + 1]):
            if not seen[k]:
                continue
            row = evidence[k]
            row[0] = fill[k]
            row[1] = ink[k, QUARTERS : QUARTERS + 4].min() - empty[k]
            row[2] = ink[k, QUARTERS : QUARTERS + 4].max() - empty[k]
            row[3] = ink[k, RIM] - shared[k]
            some = min(max(fill[k] / (0.15 * stroke), 0.0), 1.0)
            inside = max(ink[k, INSIDE], 0.01)
            square = max(ink[k, SQUARE], 1e-4)
            row[4] = some * min(inside**2 / square, 1.0) * stroke
            row[5] = some * square / inside
            if known[k]:
                row[6] = ink[k, SIDES : SIDES + 4].max() - paper[k]
                row[7] = ink[k, SIDES : SIDES + 4].min() - paper[k]
                row[12] = ink[k, CORNERS] - paper[k]
            row[8] = second if fill[k] == best else best
            row[9] = noises[k]
            row[10] = shared[k]
            row[11] = empty[k]
            for i in range(N_EVIDENCE):
                row[i] = min(max(row[i] / stroke, _LOW), _HIGH)
                if i not in (4, 5) and row[i] != 0.0:
                    size = abs(row[i]) / _FINE
                    row[i] = np.copysign(np.log(size + np.sqrt(size**2 + 1.0)) * _SCALE, row[i])
    spread = 0.0
    if marks.any():
        spread = 1.4826 * np.median(np.abs(fill[marks] - np.median(fill[marks])))
    return _typical(fill[marks], USUAL_MARK), spread, stroke
