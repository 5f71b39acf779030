"""Each kernel that weighs bubbles against plain numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from inkmark.omr import _level_kernels as _kernels

N_OPTIONS = 4
N_POINTS = _kernels.SIDE**2 + _kernels.N_OUTLINE + _kernels.N_AROUND


@pytest.fixture
def rng():
    return np.random.default_rng(31)


def groups(sizes):
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def medians(values, use, first):
    result = np.empty(len(values))
    for start, end in pairwise(first):
        own = values[start:end][use[start:end]]
        own = own if len(own) else values[start:end]
        result[start:end] = np.sort(own)[(len(own) - 1) // 2]
    return result


def test_group_medians_equal_numpy(rng):
    first = groups([1, 2, 5, 4, 10, 3])
    values, use = rng.normal(size=25), rng.random(25) < 0.7
    use[8:12] = False
    out = np.empty(25)
    _kernels.group_medians(values, use, first, out)
    np.testing.assert_array_equal(out, medians(values, use, first))


def measured(samples, seen, first):
    """What `measure` fills, in numpy."""
    side, n_outline = _kernels.SIDE, _kernels.N_OUTLINE
    around = samples[:, side**2 + n_outline :]
    own = np.maximum(np.sort(around, axis=1)[:, -11], 1).astype(np.float64)
    white = medians(own, seen, first)
    white = np.where(np.abs(own - white) <= _kernels.OWN_WHITE * white, white, own)
    dark = 1 - samples / white[:, None]
    inside = dark[:, : side**2].reshape(-1, side, side)
    outline, around = dark[:, side**2 : side**2 + n_outline], dark[:, side**2 + n_outline :]
    rim = np.ones((side, side), dtype=bool)
    rim[1:-1, 1:-1] = False
    quarters = inside.reshape(-1, 2, side // 2, 2, side // 2).mean(axis=(2, 4)).reshape(-1, 4)
    runs = around.reshape(-1, 8, _kernels.N_AROUND // 8)
    return np.column_stack(
        [
            inside.mean(axis=(1, 2)),
            outline.mean(axis=1),
            around.mean(axis=1),
            inside[:, rim].mean(axis=1),
            (np.maximum(inside, 0) ** 2).mean(axis=(1, 2)),
            white,
            quarters,
            around.reshape(len(around), 4, -1).mean(axis=2),
            runs[:, :, [0, -1]].mean(axis=(1, 2)),
        ]
    )


def test_measure_equals_numpy(rng):
    first = groups([4] * 6)
    samples = rng.integers(0, 256, (24, N_POINTS)).astype(np.uint8)
    samples[4:8] = np.clip(rng.normal(230, 3, (4, N_POINTS)), 0, 255).astype(np.uint8)
    samples[5] = 120  # in a shadow of its own
    samples[9] = 0
    seen = rng.random(24) < 0.9
    out = np.empty((24, _kernels.COLUMNS))
    _kernels.measure(samples, seen, first, out)
    np.testing.assert_allclose(out, measured(samples, seen, first), atol=1e-12)


# --- the levels of a page ---------------------------------------------------------------


def deviation(sample):
    return max(1.4826 * np.median(np.abs(sample)), _kernels.MIN_NOISE) if len(sample) else 0.004


def lighter_halves(values, use, first):
    chosen = np.zeros(len(values), dtype=bool)
    for start, end in pairwise(first):
        own = start + np.flatnonzero(use[start:end])
        order = own[np.argsort(values[own], kind="stable")]
        chosen[order[: (len(order) + 1) // 2]] = True
    return chosen


def empty_by_glyph(values, near, glyph, beside, agree):
    print_of, known = np.zeros(glyph.max() + 1), np.zeros(glyph.max() + 1, dtype=bool)
    for g in range(len(print_of)):
        own = (glyph == g) & near
        if own.any():
            print_of[g] = np.median(values[own])
        alike = own.sum() == 2 and beside[own].any() and np.ptp(values[own]) <= agree
        known[g] = own.sum() >= 3 or alike
    typical = np.median(print_of[known]) if known.any() else np.median(values[near])
    level = np.where(known, np.minimum(print_of, typical + _kernels.MAX_DARKER), typical)
    return level[glyph], ~known[glyph]


def typical_of(values, usual):
    return (
        (len(values) * np.median(values) + 2 * usual) / (len(values) + 2) if len(values) else usual
    )


def levels(raw, seen, first, multiple, glyph):
    n = len(raw)
    spans = list(pairwise(first))
    sample = raw[lighter_halves(raw, seen, first)]
    level, middle = np.median(sample), (sample.min() + sample.max()) / 2
    lighter, darker = sample[sample <= middle], sample[sample > middle]
    if len(darker) and np.median(darker) - np.median(lighter) > _kernels.MIN_SPLIT:
        level = np.median(lighter)
    if level >= _kernels.MAX_PRINT:
        usual, noise = _kernels.USUAL_PRINT, _kernels.NO_EMPTY_NOISE
        return np.full(n, usual), np.zeros(n), np.full(n, noise), _kernels.MIN_NOISE
    empty, noise, unknown = np.full(n, level), _kernels.MIN_NOISE, np.zeros(n, dtype=bool)
    for _ in range(2):
        near = seen & (raw - empty < max(6 * noise, _kernels.NEAR_EMPTY))
        beside = np.zeros(n, dtype=bool)
        for start, end in spans:
            dark = seen & (raw - empty > _kernels.IS_MARK) & ~multiple
            beside[start:end] = dark[start:end].any()
        empty, unknown = empty_by_glyph(raw, near, glyph, beside & near, 4 * noise)
        sample = (raw - empty)[lighter_halves(raw - empty, near, first)]
        noise = deviation(sample - np.median(sample))
    fill = raw - empty
    mark = typical_of(fill[seen & (fill > max(8 * noise, _kernels.IS_MARK))], _kernels.USUAL_MARK)
    shared, reference = np.zeros(n), np.zeros(n, dtype=bool)
    for start, end in spans:
        own = start + np.flatnonzero(seen[start:end])
        order = own[np.argsort(fill[own], kind="stable")]
        rank = 0 if multiple[start] else (end - start - 1) // 2
        if end - start >= 3 and rank < len(order) and abs(fill[order[rank]]) <= 0.3 * mark:
            shared[start:end] = fill[order[rank]]
            reference[order[rank]] = True
    empty = empty + shared
    fill = raw - empty
    noise = deviation(fill[seen & ~reference & (fill < max(6 * noise, _kernels.NEAR_EMPTY))])
    return empty, shared, np.where(unknown, np.hypot(noise, _kernels.PRINT_SPREAD), noise), noise


def weighed(ink, seen, first, multiple, glyph, *, clear_around):
    """What `weigh` fills, in numpy."""
    inside, square = ink[:, _kernels.INSIDE], ink[:, _kernels.SQUARE]
    empty, shared, noises, noise = levels(inside, seen, first, multiple, glyph)
    fill = np.where(seen, inside - empty, 0.0)
    marks = seen & (fill > max(8 * noise, _kernels.IS_MARK))
    stroke = typical_of(square[marks] / inside[marks], _kernels.USUAL_INK)
    rival = np.zeros(len(fill))
    for start, end in pairwise(first):
        own = np.concatenate([np.sort(np.maximum(fill[start:end], 0))[::-1], [0.0]])
        rival[start:end] = np.where(fill[start:end] == own[0], own[1], own[0])
    quarters = ink[:, _kernels.QUARTERS : _kernels.QUARTERS + 4] - empty[:, None]
    sides, corners = ink[:, _kernels.SIDES : _kernels.SIDES + 4], ink[:, _kernels.CORNERS]
    none = np.zeros(len(fill), dtype=bool)
    usual, unknown = empty_by_glyph(ink[:, _kernels.AROUND], seen, glyph, none, 0.0)
    known = seen & ~unknown & clear_around
    beyond = np.where(known, ink[:, _kernels.AROUND] - usual, 0.0)
    paper = usual + medians(beyond, known, first)
    some = np.clip(fill / (0.15 * stroke), 0, 1)
    evenly = np.minimum(np.maximum(inside, 0.01) ** 2 / np.maximum(square, 1e-4), 1)
    dark = np.maximum(square, 1e-4) / np.maximum(inside, 0.01)
    rows = np.column_stack(
        [
            fill,
            quarters.min(axis=1),
            quarters.max(axis=1),
            ink[:, _kernels.RIM] - shared,
            some * evenly * stroke,
            some * dark,
            np.where(known, sides.max(axis=1) - paper, 0),
            np.where(known, sides.min(axis=1) - paper, 0),
            rival,
            noises,
            shared,
            empty,
            np.where(known, corners - paper, 0),
        ]
    )
    rows = np.clip(rows / stroke, -0.3, 1.5)
    fine = [k for k in range(rows.shape[1]) if k not in (4, 5)]
    rows[:, fine] = np.arcsinh(rows[:, fine] / 0.05) / np.arcsinh(20)
    rows[~seen] = 0
    return fill, rows


def weigh(ink, seen, first, multiple, glyph, *, clear_around):
    fill, noises, shared = np.empty((3, len(ink)))
    rows = np.empty((len(ink), _kernels.N_EVIDENCE))
    by_glyph = np.argsort(glyph, kind="stable")
    glyph_first = np.searchsorted(glyph[by_glyph], np.arange(glyph.max() + 2))
    _kernels.weigh(
        ink, seen, first, multiple, by_glyph, glyph_first, clear_around, fill, rows, noises, shared
    )
    return fill, rows


@pytest.mark.parametrize("clear_around", [True, False])
@pytest.mark.parametrize("kind", ["usual", "all marked", "few", "several", "unseen"])
def test_weigh_equals_numpy(rng, kind, clear_around):
    n_groups = 2 if kind == "few" else 30
    first = groups([N_OPTIONS] * n_groups)
    n = N_OPTIONS * n_groups
    glyph = np.tile(np.arange(N_OPTIONS), n_groups)
    seen, multiple = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
    ink = rng.normal(0, 0.01, (n, _kernels.COLUMNS))
    ink[:, _kernels.INSIDE] += 0.08 + 0.01 * glyph
    marked = np.ones(n, dtype=bool) if kind == "all marked" else glyph == rng.integers(0, 4, n)
    ink[marked, _kernels.INSIDE] += rng.uniform(0.3, 0.7, marked.sum())
    ink[:, _kernels.SQUARE] = ink[:, _kernels.INSIDE] ** 2 * 1.2
    ink[:, _kernels.QUARTERS : _kernels.QUARTERS + 4] += ink[:, [_kernels.INSIDE]]
    if kind == "several":
        multiple[: n // 2] = True
    if kind == "unseen":
        seen = rng.random(n) < 0.8
        seen[:N_OPTIONS] = False
    fill, rows = weigh(ink, seen, first, multiple, glyph, clear_around=clear_around)
    expected_fill, expected_rows = weighed(
        ink, seen, first, multiple, glyph, clear_around=clear_around
    )
    np.testing.assert_allclose(fill, expected_fill, atol=1e-12)
    np.testing.assert_allclose(rows, expected_rows, atol=1e-9)


def test_nothing_is_weighed_where_nothing_is_seen():
    first, glyph = groups([4, 4]), np.tile(np.arange(4), 2)
    no = np.zeros(8, dtype=bool)
    fill, rows = weigh(np.ones((8, _kernels.COLUMNS)), no, first, no, glyph, clear_around=True)
    assert not fill.any()
    assert not rows.any()
