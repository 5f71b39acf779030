"""Compiled inner loops that give the states of a page's bubbles from their samples.

Each has a plain numpy twin in the tests.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inkmark.omr._level_kernels import MIN_ALIKE, N_SAMPLES

__all__ = ["probabilities", "stand_out"]

B1 = NDArray[np.bool_]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

_LOW_SAMPLE, _HIGH_SAMPLE = -0.5, 1.6
"""What a sample shows beyond these counts no more."""


@njit(cache=True, nogil=True)
def stand_out(
    samples: U8,
    white: F64,
    near: B1,
    stroke: float,
    by_glyph: I64,
    glyph_first: I64,
    kind: I64,
    out: F32,
) -> None:
    """What each sample of a bubble shows beyond what an empty bubble shows there.

    Parameters
    ----------
    samples : (n, N_SAMPLES) uint8
    white : (n,) float64
        Grey value of the paper.
    near : (n,) bool
        Which bubbles pass for empty ones.
    stroke : float
        Typical darkness of a mark's strokes: what shows as 1.
    by_glyph, glyph_first : (n,), (n_glyphs + 1,) int64
    kind : (n,) int64
        Size and shape of each bubble. Where the page has too few empty ones of a label to
        know its print, it is the mean print of the kind.
    out : (n, >= N_SAMPLES) float32
        Filled, but for further columns.
    """
    n_kinds = kind.max() + 1
    of_kind = np.zeros((n_kinds, N_SAMPLES))
    n_of_kind = np.zeros(n_kinds)
    for k in range(len(samples)):
        if near[k]:
            light = 1.0 / max(white[k], 1.0)
            n_of_kind[kind[k]] += 1.0
            for i in range(N_SAMPLES):
                of_kind[kind[k], i] += 1.0 - samples[k, i] * light
    for j in range(n_kinds):
        of_kind[j] /= max(n_of_kind[j], 1.0)
    print_of = np.empty(N_SAMPLES)
    for g in range(len(glyph_first) - 1):
        print_of[:] = 0.0
        count = 0
        for at in range(glyph_first[g], glyph_first[g + 1]):
            k = by_glyph[at]
            if near[k]:
                light = 1.0 / max(white[k], 1.0)
                count += 1
                for i in range(N_SAMPLES):
                    print_of[i] += 1.0 - samples[k, i] * light
        if count >= MIN_ALIKE:
            print_of /= count
        else:
            print_of[:] = of_kind[kind[by_glyph[glyph_first[g]]]]
        for at in range(glyph_first[g], glyph_first[g + 1]):
            k = by_glyph[at]
            light = 1.0 / max(white[k], 1.0)
            for i in range(N_SAMPLES):
                shown = (1.0 - samples[k, i] * light - print_of[i]) / stroke
                out[k, i] = min(max(shown, _LOW_SAMPLE), _HIGH_SAMPLE)


@njit(cache=True, nogil=True)
def _layer(inputs: F32, weights: F32, out: F32) -> None:
    """Weighted sums of inputs (k,), and what is added last: weights (k + 1, a), out (a,)."""
    n = len(inputs)
    out[:] = weights[n]
    for block in range(n // 8):  # so many at a time, that sums are fetched and kept less often
        i = 8 * block
        a, b, c, d = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
        e, f, g, h = inputs[i + 4], inputs[i + 5], inputs[i + 6], inputs[i + 7]
        of_a, of_b, of_c, of_d = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
        of_e, of_f, of_g, of_h = weights[i + 4], weights[i + 5], weights[i + 6], weights[i + 7]
        for j in range(len(out)):
            half = out[j] + a * of_a[j] + b * of_b[j] + c * of_c[j] + d * of_d[j]
            out[j] = half + e * of_e[j] + f * of_f[j] + g * of_g[j] + h * of_h[j]
    for i in range(n - n % 8, n):
        for j in range(len(out)):
            out[j] += inputs[i] * weights[i, j]


@njit(cache=True, nogil=True)
def probabilities(inputs: F32, first: F32, second: F32, third: F32, out: F64) -> None:
    """A network of two hidden layers of rectified units and a softmax.

    Parameters
    ----------
    inputs : (n, k) float32
    first, second, third : (k + 1, a), (a + 1, b), (b + 1, n_states) float32
        Weights of the layers, what is added last.
    out : (n, n_states) float64
        Filled.
    """
    one = np.empty(first.shape[1], dtype=np.float32)
    two = np.empty(second.shape[1], dtype=np.float32)
    three = np.empty(third.shape[1], dtype=np.float32)
    zero = np.float32(0.0)
    for k in range(len(inputs)):
        _layer(inputs[k], first, one)
        for j in range(len(one)):
            one[j] = max(one[j], zero)
        _layer(one, second, two)
        for j in range(len(two)):
            two[j] = max(two[j], zero)
        _layer(two, third, three)
        highest = np.float64(three.max())
        total = 0.0
        for s in range(len(three)):
            out[k, s] = np.exp(three[s] - highest)
            total += out[k, s]
        for s in range(len(three)):
            out[k, s] /= total
