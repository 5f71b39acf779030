"""The compiled loops for 1-bit pages: CCITT Group 4 (ITU-T T.6), and rows of PNG files.

Data is hostile: every place in a row is bounded by its width, the changes of colour by the
room for them, and places in the coded data by its end and the zeros behind it, which are no
code. A row that does not end where it has to ends the decoding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["MODE_BITS", "RUN_BITS", "decode_fax", "spread_bits", "take_filters_off"]

I16 = NDArray[np.int16]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]

MODE_BITS = 7
RUN_BITS = 13
"""Bits of the longest code of a mode, and of a run."""

_ONE = np.uint64(1)
_6 = np.uint64(6)
_63 = np.uint64(63)
_PASS, _HORIZONTAL = 4, 5


@njit(cache=True, nogil=True, inline="always")
def _bits(words: U64, at: Any, n: int) -> Any:
    """The next bits, right-aligned."""
    place = np.uint64(at)
    shift = place & _63
    word = place >> _6
    window = (words[word] << shift) | ((words[word + _ONE] >> _ONE) >> (_63 - shift))
    return window >> np.uint64(64 - n)


@njit(cache=True, nogil=True)
def _run(words: U64, at: Any, runs: I16) -> Any:
    """Length of the run that is coded next, and the place behind it; -1 where there is none.

    Makeup codes of 64 and more go before the code that ends the run.
    """
    total: Any = 0
    while True:
        entry: Any = np.int64(runs[_bits(words, at, RUN_BITS)])
        if entry == 0:
            return -1, at
        at += entry & 15
        run = entry >> 4
        if run < 64:
            return total + run, at
        total += 64 * (run - 63)
        if total > 1 << 20:
            return -1, at


@njit(cache=True, nogil=True)
def decode_fax(words: U64, n_bits: int, modes: U8, runs: I16, black: int, canvas: U8) -> bool:
    """Decode the rows of a strip.

    Parameters
    ----------
    words : (n,) uint64
        The coded data, first bit highest, with two words behind it.
    n_bits : int
        Bits of coded data.
    modes : (128,) uint8
        For the next bits, 8 times the mode plus the length of its code; 0 where there is
        none. Modes 0 to 3 and 9 to 11 are vertical by 0 to 3 to the right, by 1 to 3 to the
        left; 4 is pass, 5 horizontal.
    runs : (2, 8192) int16
        For white and black and the next bits, 16 times the run plus the length of its code;
        a makeup code of n times 64 has run 63 + n. 0 where there is no code.
    black : int
        What is written for black; white is there already.
    canvas : (H, W) uint8

    Returns
    -------
    bool
        False where the data is damaged or ends before the last row.
    """
    height, width = canvas.shape
    room = min(width, n_bits) + 8  # each change takes a bit or more
    above = np.full(room, width, np.int64)  # where the colour changes, then the width
    changes = np.empty(room, np.int64)
    at: Any = 0
    for y in range(height):
        n = 0
        b = 0
        place = -1
        colour = 0
        while place < width:
            if at > n_bits or n > room - 7:
                return False
            while above[b] <= place and above[b] < width:
                b += 2
            entry = np.int64(modes[_bits(words, at, MODE_BITS)])
            at += entry & 7
            mode = entry >> 3
            if entry == 0:
                return False
            if mode == _PASS:
                place = above[b + 1]
            elif mode == _HORIZONTAL:
                place = max(place, 0)
                for side in range(2):
                    run, at = _run(words, at, runs[colour ^ side])
                    if run < 0 or place + run > width or at > n_bits:
                        return False
                    place += run
                    changes[n] = place
                    n += 1
            else:
                change = above[b] + (mode if mode < 8 else 8 - mode)
                if change < max(place, 0) or change > width:
                    return False
                place = change
                changes[n] = place
                n += 1
                colour ^= 1
                b = b - 1 if b > 0 else 1
        if at > n_bits:
            return False
        for k in range(n, n + 4):
            changes[k] = width
        for k in range(0, n, 2):
            canvas[y, changes[k] : changes[k + 1]] = black
        above, changes = changes, above
    return True


@njit(cache=True, nogil=True)
def spread_bits(packed: U8, canvas: U8) -> None:
    """Write 255 for each bit that is set, and 0 for the others.

    Parameters
    ----------
    packed : (H, 1 + ceil(W / 8)) uint8
        Rows of a PNG file, unfiltered, the first pixel in the highest bit.
    canvas : (H, W) uint8
    """
    height, width = canvas.shape
    for y in range(height):
        for byte in range(width >> 3):
            bits = packed[y, byte + 1]
            for x in range(8):
                canvas[y, 8 * byte + x] = 255 * ((bits >> (7 - x)) & 1)
        for x in range(width & ~7, width):
            canvas[y, x] = 255 * ((packed[y, 1 + (x >> 3)] >> (7 - (x & 7))) & 1)


@njit(cache=True, nogil=True)
def take_filters_off(rows: U8) -> bool:
    """Undo the filters of rows whose pixels take one byte or less (PNG, 9.2), in place.

    Parameters
    ----------
    rows : (H, 1 + n) uint8
        The first byte of each row names its filter.

    Returns
    -------
    bool
        False where a filter is unknown.
    """
    height, n = rows.shape
    for y in range(height):
        kind = rows[y, 0]
        if kind > 4:
            return False
        if kind == 2 and y > 0:
            for x in range(1, n):
                rows[y, x] += rows[y - 1, x]
        elif kind in (1, 3, 4):
            left = np.uint8(0)
            corner: Any = 0
            for x in range(1, n):
                up: Any = np.int64(rows[y - 1, x]) if y > 0 else 0
                if kind == 1:
                    guess = np.int64(left)
                elif kind == 3:
                    guess = (np.int64(left) + up) >> 1
                else:
                    guess = _paeth(np.int64(left), up, corner)
                left = np.uint8(rows[y, x] + np.uint8(guess))
                rows[y, x] = left
                corner = up
    return True


@njit(cache=True, nogil=True, inline="always")
def _paeth(left: Any, up: Any, corner: Any) -> Any:
    """Whichever of the neighbours is nearest to ``left + up - corner`` (PNG, 9.4)."""
    by_left = abs(up - corner)
    by_up = abs(left - corner)
    by_corner = abs(left + up - 2 * corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner
