"""The loops that cut boxes: against numpy, and on pixels and boxes that nobody made.

Compiled loops do not check bounds; set ``NUMBA_BOUNDSCHECK=1`` to have these tests do it.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np
from numpy.typing import NDArray

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import WritingField
from inkmark.ocr import _box_kernels as kernels
from inkmark.ocr._box_kernels import PAPER, cut_strip, erase_lines, find_streaks
from inkmark.ocr._piece_kernels import share_out
from inkmark.ocr.boxes import cut_fields
from inkmark.readings import Registration

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

REACH = kernels._REACH + kernels._BESIDE
HALF = kernels._HALF_WIDTH


# --- twins --------------------------------------------------------------------------------


Lines = tuple[F64, I64, I64]
"""Where lines should be, and where they begin and end."""


def seen_lines(dark: I64, shift: I64, lines: Lines, rank: float) -> tuple[I64, I64, I64]:
    """How dark places across each line are, by both quantiles, and how much darker than beside."""
    along, across = dark.shape
    at, first, last = lines
    offsets = np.arange(-REACH, REACH + 1)
    middles, uppers, contrast = np.zeros((3, len(at), len(offsets)), dtype=int)
    for k, place in enumerate(at):
        inset = min(HALF, int(last[k] - first[k]) // 4)
        t = np.arange(max(first[k] + inset, 0), min(last[k] - inset, along))
        if len(t) == 0:
            continue
        places = np.clip(np.rint(place).astype(int) + offsets + shift[t, None], 0, across - 1)
        values = np.sort(dark[t[:, None], places], axis=0)
        for quantiles, q in ((middles, rank), (uppers, rank + 0.25)):
            quantiles[k] = values[int(np.ceil(q * len(t))) - 1] if q > 0 else 0
        inner = np.arange(kernels._BESIDE, len(offsets) - kernels._BESIDE)
        beside = [middles[k, inner + side] for side in (-kernels._BESIDE, kernels._BESIDE)]
        contrast[k, inner] = np.maximum(middles[k, inner] - np.max(beside, axis=0), 0)
    return middles, uppers, contrast


def erased(strip: U8, upright: bool, slope: float, lines: Lines, rank: float) -> tuple[U8, int]:
    """`erase_lines` in numpy: what becomes of a strip, and how dark the lines are."""
    light = (strip if upright else strip.T).astype(int)
    dark = np.maximum(PAPER - light, 0)
    along, across = dark.shape
    shift = np.rint(slope * (np.arange(along) - along / 2)).astype(int)
    middles, uppers, contrast = seen_lines(dark, shift, lines, rank)
    at, first, last = lines
    size = 2 * REACH + 1
    half = (len(at) - 1) // 2
    medians = np.sort(contrast, axis=0)[half]
    inner = np.arange(kernels._BESIDE, size - kernels._BESIDE)
    most = int(medians[inner].max())
    if most < kernels._LEAST_LINE:
        return strip.copy(), most
    joint = min(inner[medians[inner] == most], key=lambda d: abs(d - REACH))
    near = inner[abs(inner - joint) <= kernels._ALONE]
    peaks = [
        near[row[near].argmax()] if row[near].max() > row[joint] else joint for row in contrast
    ]
    own = np.clip(np.array(peaks)[:, None] + np.arange(-HALF, HALF + 1), 0, size - 1)
    own_middles = np.take_along_axis(middles, own, 1)
    usual = np.sort(own_middles, axis=0)[half]
    varies = np.sort(np.take_along_axis(uppers, own, 1) - own_middles, axis=0)[half]
    widened = [np.pad(values, 1, mode="edge") for values in (usual, varies)]
    usual, varies = (np.max([v[:-2], v[1:-1], v[2:]], axis=0) for v in widened)
    faint = max(2.0, 0.15 * np.sort(own_middles, axis=0)[half][HALF])
    cleaned = light.copy()
    for k in range(len(at)):
        low, high = (
            side * next(d for d in range(1, HALF + 1) if d == HALF or not is_line(side * d))
            for side in (-1, 1)
            for is_line in [
                lambda o, k=k: usual[o + HALF] > faint and own_middles[k, o + HALF] > faint
            ]
        )
        t = np.arange(max(first[k] - HALF, 0), min(last[k] + HALF, along))
        here = int(np.rint(at[k])) - REACH + peaks[k] + shift[t]
        inside = (here + low - 1 >= 0) & (here + high + 1 < across)
        t, here = t[inside], here[inside]
        for o in range(low, high + 1):
            share = (o - low + 1) / (high - low + 2)
            joined = np.zeros(len(t), dtype=int)
            for s in range(-(high - low + 1) - 1, high - low + 3):
                one = np.clip(np.rint(t - s * share).astype(int), 0, along - 1)
                two = np.clip(np.rint(t + s * (1 - share)).astype(int), 0, along - 1)
                ends = np.minimum(
                    PAPER - light[one, here + low - 1], PAPER - light[two, here + high + 1]
                )
                joined = np.maximum(joined, ends)
            here_dark = dark[t, here + o]
            kept = np.minimum(here_dark, joined).astype(float)
            line = min(float(own_middles[k, o + HALF]), 1.25 * usual[o + HALF] + 5.0)
            if line < 0.9 * PAPER:
                ink = (here_dark - line) / (PAPER - line)
                doubt = 0.15 + 1.5 * varies[o + HALF] / (PAPER - line)
                kept = np.maximum(kept, np.clip((ink - doubt) / 0.15, 0, 1) * ink * PAPER)
            cleaned[t, here + o] = (PAPER - kept + 0.5).astype(int)
    result = cleaned.astype(np.uint8)
    return (result if upright else result.T), most


def streaks(strip: U8, upright: bool, slope: float) -> list[int]:
    """`find_streaks` in numpy, all of them."""
    light = (strip if upright else strip.T).astype(int)
    along, across = light.shape
    t = np.arange(along)
    shift = np.rint(slope * (t - along / 2)).astype(int)
    dark = np.zeros(across, dtype=int)
    for at in range(across):
        there = (at + shift >= 0) & (at + shift < across)
        values = np.sort(np.maximum(PAPER - light[t[there], at + shift[there]], 0))
        if 2 * len(values) >= along:
            dark[at] = values[int(kernels._MOST_GAPS * len(values))]
    return [
        at
        for at in range(HALF, across - HALF)
        if dark[at] - max(dark[at - HALF], dark[at + HALF]) >= 2 * kernels._LEAST_LINE
        and dark[at - 1] <= dark[at] > dark[at + 1]
    ]


def drawn(seed: int, *, line: int = 110) -> U8:
    """A strip with printed lines both ways, strokes across them and noise."""
    rng = np.random.default_rng(seed)
    strip = np.full((70, 150), 229.0)
    for x in (12, 60, 108):
        strip[10:60, x : x + 2] = line
    for y in (10, 58):
        strip[y : y + 2, 12:110] = line
    fine = np.ascontiguousarray(strip.astype(np.uint8))
    for _ in range(6):
        a, b = rng.integers(0, (150, 70), (2, 2)).tolist()
        cv2.line(fine, a, b, int(rng.integers(20, 120)), 4, cv2.LINE_AA)
    noisy = cv2.GaussianBlur(fine, (0, 0), 0.8) + rng.normal(0, 3, strip.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("slope", [0.0, 0.02, -0.05])
@pytest.mark.parametrize("upright", [True, False])
def test_erase_lines_equals_its_twin(seed: int, slope: float, upright: bool) -> None:
    strip = drawn(seed)
    places = np.array([12.6, 60.2, 109.4]) if upright else np.array([10.7, 58.9])
    first = np.full(len(places), 10 if upright else 12)
    last = np.full(len(places), 60 if upright else 110)
    expected, most = erased(strip, upright, slope, (places, first, last), 0.5)
    found = strip.copy()
    assert erase_lines(found, upright, slope, places, first, last, 0.5) == most
    np.testing.assert_array_equal(found, expected)
    assert slope or (most > 20 and (found != strip).any())


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("slope", [0.0, 0.06])
def test_find_streaks_equals_its_twin(upright: bool, slope: float) -> None:
    strip = np.full((60, 120), PAPER, np.uint8)
    t = np.arange(strip.shape[0 if upright else 1])
    for at, grey in ((20, 150), (31, 180), (44, 60)):
        place = at + np.rint(slope * (t - len(t) / 2)).astype(int)
        (strip if upright else strip.T)[t, place] = grey
    strip = cv2.GaussianBlur(strip, (0, 0), 0.7)
    found = np.empty(5)
    n = find_streaks(strip, upright, slope, found)
    assert found[:n].tolist() == streaks(strip, upright, slope) == [20, 31, 44]
    assert find_streaks(strip, upright, slope, found[:2]) == 2


# --- what nobody made ----------------------------------------------------------------------

strips = st_np.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))
slopes = st.floats(-1, 1)
anywhere = st.integers(-60, 100)


@settings(deadline=None)
@given(
    strips,
    st.booleans(),
    slopes,
    st.lists(st.tuples(st.floats(-60, 100), anywhere, anywhere), max_size=6),
    st.floats(0, 0.75),
)
def test_lines_may_be_said_to_be_anywhere(
    strip: U8, upright: bool, slope: float, lines: list[tuple[float, int, int]], rank: float
) -> None:
    at = np.array([line[0] for line in lines])
    first = np.array([line[1] for line in lines], dtype=np.int64)
    last = np.array([line[2] for line in lines], dtype=np.int64)
    found = strip.copy()
    most = erase_lines(found, upright, slope, at, first, last, rank)
    if lines:
        expected, darkness = erased(strip, upright, slope, (at, first, last), rank)
        assert most == darkness
        np.testing.assert_array_equal(found, expected)
    else:
        assert most == 0
    places = np.empty(3)
    n = find_streaks(strip, upright, slope, places)
    assert places[:n].tolist() == streaks(strip, upright, slope)[:3]


@settings(deadline=None)
@given(
    strips,
    st_np.arrays(np.float64, (3, 4, 2), elements=st.floats(-1, 41)),
    st.floats(1, 40),
    st.integers(1, 3),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_strips_may_be_cut_from_anywhere(
    image: U8, knots: F64, cell: float, n_parts: int, size: tuple[int, int]
) -> None:
    out = np.empty(size, np.uint8)
    ends = np.rint(np.linspace(0, size[1], n_parts + 1)).astype(np.int64)
    papers = np.empty(n_parts)
    assert cut_strip(image, knots, cell, papers, ends, out) >= 0
    assert ((papers >= 0) & (papers <= 255)).all()


@settings(deadline=None)
@given(
    strips,
    st.lists(st.tuples(anywhere, anywhere, anywhere, anywhere), min_size=1, max_size=5),
    st.integers(0, 10),
    st.integers(0, 255),
    st.floats(0, 1),
)
def test_any_boxes_share_out_any_ink(
    strip: U8, boxes: list[tuple[int, int, int, int]], reach: int, limit: int, share: float
) -> None:
    owner = np.empty(strip.shape, np.int32)
    measures = np.empty((len(boxes), 5))
    share_out(strip, np.array(boxes), reach, limit, share, owner, measures)
    assert ((owner >= -1) & (owner < len(boxes))).all()
    ink = strip.astype(int) < PAPER - limit
    assert (measures[:, 0] == [(ink & (owner == k)).sum() for k in range(len(boxes))]).all()
    assert ((measures[:, 2:4] >= 0) & (measures[:, 2:4] <= 1)).all()


numbers = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([0.0, 1e300, float("nan"), float("inf")]))
sides = st.floats(2.0, 30.0)
fields = st.builds(
    lambda x, y, w, h, n, gap: WritingField("f", Box(x, y, w, h), n, w + gap, "digits"),
    st.floats(-20, 60),
    st.floats(-20, 60),
    sides,
    sides,
    st.integers(1, 4),
    st.floats(0.0, 5.0),
)
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@settings(deadline=None, max_examples=60)
@given(
    strips,
    st.lists(fields, min_size=1, max_size=3),
    st.one_of(st.just(STRAIGHT), st.tuples(*[numbers] * 9)),
)
@example(np.zeros((1, 1), np.uint8), [WritingField("f", Box(0, 0, 2, 2))], STRAIGHT)
def test_any_registration_cuts_any_field(
    image: U8, found: list[WritingField], homography: tuple[float, ...]
) -> None:
    registration = Registration(0, homography, 0.0, 0, 0)  # type: ignore[arg-type]
    with np.errstate(all="ignore"):
        cuts = cut_fields(Pixels.of(image), found, registration)
    for field, cut in zip(found, cuts, strict=True):
        assert len(cut.boxes) == len(cut.measures) == field.n_boxes
        assert cut.owner.shape == cut.strip.shape
        assert all(cut.crop(k).size for k in range(field.n_boxes))
