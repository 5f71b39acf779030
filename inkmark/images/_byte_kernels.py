"""The compiled loops over whole bytes: coded data of JPEG files (ITU-T T.81, B.1.1), grey blocks.

Each byte of coded data is read before the file's last one, and written at most as far on as it was
read.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inkmark.images._intrinsics import copy_eight

__all__ = ["SLACK_BYTES", "block_means", "join_stretches"]

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

SLACK_BYTES = 512
"""More than one block can take: 64 codes of 16 bits and 15 more, and a window."""


_ONE, _TWO, _EIGHT = np.uint64(1), np.uint64(2), np.uint64(8)
_ONES, _TOPS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
"""The lowest and the highest bit of each of eight bytes."""


@njit(cache=True, nogil=True)
def join_stretches(data: U8, start: int, out: U8, ends: I64) -> tuple[int, int, int]:
    """Take stuffed bytes, fill bytes and restart markers out of coded data (B.1.1).

    Parameters
    ----------
    data : (n,) uint8
        The file.
    start : int
        First byte of the coded data.
    out : (n - start + SLACK_BYTES,) uint8
        Receives the coded data; zeros follow it.
    ends : ((n - start) // 2 + 1,) int64
        Receives the length of `out` at the end of each interval between restart markers.

    Returns
    -------
    n_bytes, n_intervals, stop : int
        `stop` is the place of the marker that ends the data. All 0 where there is none, or
        where restart markers are out of order.
    """
    n = np.uint64(0)
    n_intervals = 0
    at, last = np.uint64(start), np.uint64(len(data) - 1)
    while True:
        while at + _EIGHT <= last:
            flipped = ~copy_eight(data, at, out, n)
            # Whether one of them is 0, and so was FF: only that one turns its highest bit on.
            if (flipped - _ONES) & ~flipped & _TOPS:
                break
            at += _EIGHT
            n += _EIGHT
        while at < last and data[at] != 0xFF:
            out[n] = data[at]
            at += _ONE
            n += _ONE
        if at >= last:
            return 0, 0, 0
        kind = data[at + _ONE]
        if kind == 0:
            out[n] = 0xFF
            n += _ONE
        elif kind != 0xFF:
            ends[n_intervals] = n
            n_intervals += 1
            if kind < 0xD0 or kind > 0xD7:
                out[n : n + np.uint64(SLACK_BYTES)] = 0
                return int(np.int64(n)), n_intervals, int(np.int64(at))
            if kind != 0xD0 + (n_intervals - 1) % 8:
                return 0, 0, 0
        at += _ONE if kind == 0xFF else _TWO


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
