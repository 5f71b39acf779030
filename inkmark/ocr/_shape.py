"""From the grey crop of one box to the 28 x 28 picture that the glyph reader reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inkmark.ocr._glyph_kernels import draw_glyphs

__all__ = ["GLYPH_SIDE", "glyph_images"]

GLYPH_SIDE = 28


def glyph_images(
    crops: Sequence[NDArray[np.uint8]], paper: ArrayLike | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw what is written in each box as the glyph reader wants it.

    Ink is measured against the paper of its own crop, so pale pencil and black pen look
    alike; specks of dust are left out; the ink is centred by its mass and its longer side
    drawn 20 px long, as the digits of MNIST are [1]_. A dot stays small.

    Parameters
    ----------
    crops : sequence of (h, w) uint8
        Grey crops of one box each, dark ink on light paper, the frame erased; 15 to 120 px
        a side is usual, any size is taken.
    paper : (n,) or scalar of float, optional
        Grey level of the bare paper about each box. Without it each crop's own nine tenths
        brightest level is taken, and a box that is filled wholly looks blank: give it
        where boxes may be blacked out.

    Returns
    -------
    glyphs : (n, 28, 28) uint8
        The ink, bright on 0. All 0 where nothing is written.
    ink : (n,) float32
        How much ink there is: the mean darkness below the paper's level, from 0 = blank
        (exactly 0 where no more than the paper's noise is there) to 1 = all black.

    References
    ----------
    .. [1] LeCun, Y., Cortes, C., and Burges, C. J. C. "The MNIST database of handwritten
       digits", 1998.
    """
    n = len(crops)
    shapes = np.array([crop.shape for crop in crops], np.int64).reshape(n, 2)
    sizes = shapes[:, 0] * shapes[:, 1]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if n else np.zeros(0, np.int64)
    flat = np.concatenate([crop.ravel() for crop in crops]) if n else np.zeros(0, np.uint8)
    papers = np.empty(n, np.float64)
    papers[:] = -1.0 if paper is None else paper
    glyphs = np.zeros((n, GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    ink = np.zeros(n, np.float32)
    draw_glyphs(flat, starts.astype(np.int64), shapes, papers, glyphs, ink)
    return glyphs, ink
