"""Compiled inner loop of the glyph reader's training."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["vary_glyphs"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def vary_glyphs(glyphs: U8, maps: F64, bends: F64, pens: F64, gains: F64, out: F32) -> None:
    """Turn, slant, stretch, shift, bend, and thicken or thin glyphs.

    Parameters
    ----------
    glyphs : (n, 28, 28) uint8
    maps : (n, 2, 3) float64
        From (x, y, 1) about the middle of the drawn glyph to x, y about that of the given.
    bends : (n, 2, 5, 5) float64
        Added to that at 5 x 5 knots, in pixels.
    pens : (n,) float64
        How far each pixel goes towards the brightest (above 0) or darkest (below 0) of its
        four neighbours.
    gains : (n,) float64
        Factor of brightness.
    out : (n, 1, 28, 28) float32
        Filled with the drawn glyphs, 0 to 1.
    """
    drawn = np.zeros((28, 28), np.float32)
    for n in range(len(glyphs)):
        glyph = glyphs[n]
        for i in range(28):
            for j in range(28):
                u = maps[n, 0, 0] * (j - 14.0) + maps[n, 0, 1] * (i - 14.0) + maps[n, 0, 2] + 14.0
                v = maps[n, 1, 0] * (j - 14.0) + maps[n, 1, 1] * (i - 14.0) + maps[n, 1, 2] + 14.0
                gi = i / 27.0 * 3.999
                gj = j / 27.0 * 3.999
                bi = int(gi)
                bj = int(gj)
                fi = gi - bi
                fj = gj - bj
                for di in range(2):
                    for dj in range(2):
                        share = (fi if di else 1.0 - fi) * (fj if dj else 1.0 - fj)
                        u += share * bends[n, 0, bi + di, bj + dj]
                        v += share * bends[n, 1, bi + di, bj + dj]
                k = int(np.floor(v))
                m = int(np.floor(u))
                drawn[i, j] = 0.0
                if k < 0 or m < 0 or k >= 27 or m >= 27:
                    continue
                fi = v - k
                fj = u - m
                drawn[i, j] = (
                    (1.0 - fi) * ((1.0 - fj) * glyph[k, m] + fj * glyph[k, m + 1])
                    + fi * ((1.0 - fj) * glyph[k + 1, m] + fj * glyph[k + 1, m + 1])
                ) / 255.0
        for i in range(28):
            for j in range(28):
                here = drawn[i, j]
                edge = here
                for k in range(4):
                    ni = i + (k == 0) - (k == 1)
                    nj = j + (k == 2) - (k == 3)
                    near = drawn[ni, nj] if 0 <= ni < 28 and 0 <= nj < 28 else np.float32(0.0)
                    edge = max(edge, near) if pens[n] > 0.0 else min(edge, near)
                out[n, 0, i, j] = min(1.0, gains[n] * (here + abs(pens[n]) * (edge - here)))
