"""The compiled loops over whole bytes: coded data of JPEG files (ITU-T T.81, B.1.1), grey blocks.

Places in the coded data come from the caller, who found them there, and each byte is written
at most as far on as it was read.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["SLACK_BYTES", "block_means", "join_stretches"]

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

SLACK_BYTES = 512
"""More than one block can take: 64 codes of 16 bits and 15 more, and a window."""


@njit(cache=True, nogil=True, inline="always")
def _copy(source: U8, target: U8) -> None:
    """Copy one stretch to another of its length, faster than by an assignment of slices.

    It stands here and in `_kernels.py`, as code that numba keeps of one file does not see
    what changes in another.
    """
    for k in range(len(target)):
        target[k] = source[k]


@njit(cache=True, nogil=True)
def join_stretches(data: U8, start: int, escapes: I64, out: U8, ends: I64) -> tuple[int, int, int]:
    """Take stuffed bytes, fill bytes and restart markers out of coded data (B.1.1).

    Parameters
    ----------
    data : (n,) uint8
        The file.
    start : int
        First byte of the coded data.
    escapes : (m,) int64
        Places at or after `start` that hold FF, without the last byte of the file.
    out : (n - start + SLACK_BYTES,) uint8
        Receives the coded data; zeros follow it.
    ends : (m + 1,) int64
        Receives the length of `out` at the end of each interval between restart markers.

    Returns
    -------
    n_bytes, n_intervals, stop : int
        `stop` is the place of the marker that ends the data. All 0 where there is none, or
        where restart markers are out of order.
    """
    n = 0
    n_intervals = 0
    at = start
    for place in escapes:
        kind = data[place + 1]
        until = place + 1 if kind == 0 else place
        length = until - at
        _copy(data[at:until], out[n : n + length])
        n += length
        at = place + (1 if kind == 0xFF else 2)
        if kind in (0, 0xFF):
            continue
        ends[n_intervals] = n
        n_intervals += 1
        if kind < 0xD0 or kind > 0xD7:
            out[n : n + SLACK_BYTES] = 0
            return n, n_intervals, place
        if kind != 0xD0 + (n_intervals - 1) % 8:
            break
    return 0, 0, 0


@njit(cache=True, nogil=True)
def block_means(pixels: U8, means: U8) -> None:
    """Average blocks of 8 x 8 pixels.

    Parameters
    ----------
    pixels : (H, W) uint8
    means : (ceil(H / 8), ceil(W / 8)) uint8
        Receives the rounded mean of what there is of each block.
    """
    height, width = pixels.shape
    sums = np.empty(width, np.uint16)
    for block_y in range(means.shape[0]):
        y0 = 8 * block_y
        rows = min(8, height - y0)
        sums[:] = 0
        for y in range(y0, y0 + rows):
            for x in range(width):
                sums[x] += pixels[y, x]
        for block_x in range(means.shape[1]):
            x0 = 8 * block_x
            columns = min(8, width - x0)
            total = (rows * columns) >> 1
            for x in range(x0, x0 + columns):
                total += sums[x]
            means[block_y, block_x] = total // (rows * columns)
