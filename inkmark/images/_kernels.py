"""The compiled loops of the JPEG decoder (ITU-T T.81, annexes A.3, B.1, F.1.4 and F.2).

Data is hostile. Every loop over the coded data ends by its count of blocks. Indices that
depend on the data are bounded: those into lookup tables, which cover all values of their
bits; places in the coded data, by its end and the slack behind it; coefficients, by 64;
and blocks that are noted, by the room there is for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "LOOKUP_BITS",
    "SLACK_BYTES",
    "block_means",
    "decode_blocks",
    "fill_lookups",
    "follow_blocks",
    "join_stretches",
]

F32 = NDArray[np.float32]
I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]

LOOKUP_BITS = 12
"""Bits of an index into the lookup tables: these fit into the processor's nearest cache."""
SLACK_BYTES = 512
"""More than one block can take: 64 codes of 16 bits and 15 more, and two words."""

_END = 128
"""Added to the position in a block by the code that ends it."""
_LONGEST = 21
"""Bits that an entry of the table of steps may take: three fit into a window of 64."""

_REST = np.uint64(64 - LOOKUP_BITS)
_ONE = np.uint64(1)
_6 = np.uint64(6)
_48 = np.uint64(48)
_63 = np.uint64(63)
_64 = np.uint64(64)
_BYTE = np.uint64(255)


@njit(cache=True, nogil=True, inline="always")
def _copy(source: U8, target: U8) -> None:
    """Copy one stretch to another of its length, faster than by an assignment of slices."""
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


@njit(cache=True, nogil=True, inline="always")
def _parts(code: Any) -> Any:
    """Length of a code, run of zeros and size of the value that it stands for."""
    code = np.int64(code)
    return code >> 8, (code >> 4) & 15, code & 15


@njit(cache=True, nogil=True)
def fill_lookups(codes: U16, steps: U32, values: I32) -> None:
    """Make the tables by which several symbols, or one with its value, are read at once.

    Parameters
    ----------
    codes : (65536,) uint16
        For the next 16 bits, 256 times the length of the code there plus its symbol; 0
        where there is no code.
    steps : (2 ** LOOKUP_BITS,) uint32
        Receives for the next bits what as many symbols as can be told from them take: bits
        in the lowest byte, in the next how far all but the last advance in the block, and
        above how far all do. 0 where no symbol can be told.
    values : (2 ** LOOKUP_BITS,) int32
        Receives for the next bits the bits that the symbol and its value take in the lowest
        byte, in the next how far it advances, and above the signed value. 0 where the
        symbol and its value are not among the bits.
    """
    for index in range(1 << LOOKUP_BITS):
        taken = 0
        advance = 0
        before = 0
        while taken < LOOKUP_BITS:
            length, run, size = _parts(codes[(index << (16 - LOOKUP_BITS + taken)) & 0xFFFF])
            is_known = 0 < length <= LOOKUP_BITS - taken
            if not is_known or taken + length + size > _LONGEST or advance > 63:
                break
            ends = size == 0 and run != 15
            if taken == 0 and length + size <= LOOKUP_BITS:
                bits = (index >> (LOOKUP_BITS - length - size)) & ((1 << size) - 1)
                value = bits if size == 0 or bits >> (size - 1) else bits - (1 << size) + 1
                far = _END if ends else run + 1
                values[index] = (value << 16) | (far << 8) | (length + size)
            before = advance
            advance += _END if ends else run + 1
            taken += length + size
            if ends:
                break
        steps[index] = (advance << 16) | (before << 8) | taken


@njit(cache=True, nogil=True, inline="always")
def _window(words: U64, at: Any) -> Any:
    """The 64 bits from a bit on."""
    shift = at & _63
    word = at >> _6
    return (words[word] << shift) | ((words[word + _ONE] >> _ONE) >> (_63 - shift))


@njit(cache=True, nogil=True, inline="always")
def _signed(window: Any, length: int, size: int) -> Any:
    """The value whose bits follow a code (F.2.2.1, EXTEND)."""
    if size == 0:
        return 0
    bits = np.int64((window << np.uint64(length)) >> np.uint64(64 - size))
    return bits if bits >> (size - 1) else bits - (1 << size) + 1


@njit(cache=True, nogil=True)
def follow_blocks(
    words: U64,
    ends: I64,
    unit: I64,
    n_units: int,
    interval: int,
    codes: U16,
    steps: U32,
    values: I32,
    places: I64,
    means: I16,
) -> bool:
    """Follow a sequential scan from block to block (F.2.2).

    Parameters
    ----------
    words : (n,) uint64
        The coded data, first bit highest, with `SLACK_BYTES` behind it.
    ends : (n_intervals,) int64
        Bytes of coded data up to the end of each restart interval.
    unit : (n_blocks, 4) int64
        Blocks of a unit (MCU): component, tables of the first and of the other
        coefficients, and whether the block is to be noted.
    n_units : int
    interval : int
        Units between restart markers; `n_units` without.
    codes, steps, values
        Tables of all numbers one behind the other, as `fill_lookups` describes them.
    places : (n_noted,) int64
        Receives the place, in bits, of the coefficients of each noted block but the first.
    means : (n_noted,) int16
        Receives the first coefficient of each noted block.

    Returns
    -------
    bool
        False where the data is damaged: no code, more than 64 coefficients, too few bits,
        or bytes that no unit needs; and where more or fewer blocks are to be noted than
        there is room for.
    """
    predicted = np.zeros(256, np.int64)
    at = np.uint64(0)
    stop = np.uint64(0)
    noted = 0
    n_begun = 0
    until = 0
    n_blocks = len(unit)
    for number in range(n_units):
        if number == until:
            if n_begun == len(ends) or (at + np.uint64(7)) >> np.uint64(3) != stop >> np.uint64(3):
                return False
            at = stop
            stop = np.uint64(8 * ends[n_begun])
            n_begun += 1
            until += interval
            predicted[:] = 0
        for block in range(n_blocks):
            if at > stop:
                return False
            component = unit[block, 0]
            first = np.uint64(unit[block, 1])
            other = np.uint64(unit[block, 2])
            window = _window(words, at)
            entry = values[(first << np.uint64(LOOKUP_BITS)) + (window >> _REST)]
            if entry != 0:
                taken = np.uint64(entry) & _BYTE
                predicted[component] += entry >> 16
                window <<= taken
                at += taken
            else:
                length, _, size = _parts(codes[(first << np.uint64(16)) + (window >> _48)])
                if length == 0:
                    return False
                predicted[component] += _signed(window, length, size)
                at += np.uint64(length + size)
                window = _window(words, at)
            if unit[block, 3]:
                if noted == len(places):
                    return False
                places[noted] = at
                means[noted] = predicted[component]
                noted += 1
            k: Any = 1
            left = 2
            table = other << np.uint64(LOOKUP_BITS)
            while k < 64:
                if left == 0:
                    window = _window(words, at)
                    left = 3
                left -= 1
                step = steps[table + (window >> _REST)]
                if step == 0 or k + ((step >> 8) & 255) > 63:
                    # One symbol: its code is long, or the block may end before the others.
                    window = _window(words, at)
                    length, run, size = _parts(codes[(other << np.uint64(16)) + (window >> _48)])
                    if length == 0:
                        return False
                    k += _END if size == 0 and run != 15 else run + 1
                    at += np.uint64(length + size)
                    left = 0
                else:
                    taken = np.uint64(step) & _BYTE
                    window <<= taken
                    at += taken
                    k += np.int64(step >> 16)
            if k != 64 and k < _END:
                return False
    if noted != len(places):
        return False
    return n_begun == len(ends) and (at + np.uint64(7)) >> np.uint64(3) == stop >> np.uint64(3)


def _cosines() -> F32:
    """``[k, x]``: what coefficient k of a row adds at place x (A.3.3)."""
    k, x = np.mgrid[:8, :8]
    scale = np.where(k == 0, np.sqrt(1 / 8), 1 / 2)
    return np.asarray(scale * np.cos((2 * x + 1) * k * np.pi / 16), dtype=np.float32)


def _zigzag() -> U8:
    """Row times 8 plus column of each coefficient in its coded order (figure A.6)."""
    order = sorted(
        np.ndindex(8, 8),
        key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
    )
    return np.array([8 * row + column for row, column in order], dtype=np.uint8)


_COSINES = _cosines()
_ZIGZAG = _zigzag()
_ROWS = _ZIGZAG >> 3
_ALONG = _COSINES[_ZIGZAG & 7]
"""What each coefficient, in its coded order, adds along its row: (64, 8)."""


_FARTHEST = np.float32(1e6)
"""No coefficient of a picture is larger; sums of 64 of these are still whole numbers."""
_RUN = 32
"""Blocks side by side that are transformed at once."""
_LANES = 64
"""Numbers of a row are worked on in multiples of this: rests would go one by one."""


@njit(cache=True, nogil=True)
def decode_blocks(
    boxes: I64,
    grid: tuple[int, int, int],
    words: U64,
    places: I64,
    means: I16,
    codes: U16,
    values: I32,
    quantisation: F32,
    done: U8,
    canvas: U8,
) -> None:
    """Decode the blocks under some boxes that are not there yet (A.3.3, F.2.2.2).

    Parameters
    ----------
    boxes : (n, 4) int64
        Left, top, right, bottom in pixels, inside the canvas.
    grid : tuple of int
        Units in a row of units; columns and rows of blocks in a unit.
    words, places, means, codes, values
        As `follow_blocks` left or took them, tables of the other coefficients alone.
    quantisation : (64,) float32
        In coded order.
    done : (n_blocks,) uint8
        Which blocks, in coded order, the canvas has; brought up to date.
    canvas : (H, W) uint8
    """
    row_of_units, across, down = grid
    rows = np.zeros((8, _RUN, 8), np.float32)
    flat = rows.reshape(8, 8 * _RUN)
    lines = np.empty((2, 8 * _RUN), np.float32)
    for box in range(len(boxes)):
        end = (boxes[box, 2] + 7) >> 3
        for block_y in range(boxes[box, 1] >> 3, (boxes[box, 3] + 7) >> 3):
            block_x = boxes[box, 0] >> 3
            while block_x < end:
                n = 0
                while n < _RUN and block_x + n < end:
                    x = block_x + n
                    unit = block_y // down * row_of_units + x // across
                    block = (unit * down + block_y % down) * across + x % across
                    if done[block]:
                        break
                    done[block] = 1
                    mean = np.float32(means[block]) * quantisation[0] * _COSINES[0, 0]
                    rows[0, n] = mean
                    _read_block(words, places[block], codes, values, quantisation, rows, n)
                    n += 1
                if n:
                    _transform_columns(flat, 8 * n, lines, canvas, 8 * block_x, 8 * block_y)
                    rows[:, :n] = 0
                block_x += max(n, 1)


@njit(cache=True, nogil=True)
def _transform_columns(rows: F32, n: int, lines: F32, canvas: U8, left: int, top: int) -> None:
    """Write the pixels of blocks side by side whose rows are transformed.

    A row of pixels and its mirror image are sum and difference of what the even and the odd
    coefficients give.
    """
    height, width = canvas.shape
    seen = min(n, width - left)
    n = -(-n // _LANES) * _LANES
    greys = np.empty(8 * _RUN, np.uint8)
    for y in range(4):
        _add_rows(np.float32(128.5), rows, 0, y, lines[0], n)
        _add_rows(np.float32(0.0), rows, 1, y, lines[1], n)
        if top + y < height:
            for x in range(n):
                greys[x] = _clipped(lines[0, x] + lines[1, x])
            _copy(greys[:seen], canvas[top + y, left : left + seen])
        if top + 7 - y < height:
            for x in range(n):
                greys[x] = _clipped(lines[0, x] - lines[1, x])
            _copy(greys[:seen], canvas[top + 7 - y, left : left + seen])


@njit(cache=True, nogil=True)
def _add_rows(start: Any, rows: F32, first: int, y: int, line: F32, n: int) -> None:
    """Every other row of coefficients, as it counts in a row of pixels, and a number."""
    row_0, row_2, row_4, row_6 = rows[first], rows[first + 2], rows[first + 4], rows[first + 6]
    share_0, share_2 = _COSINES[first, y], _COSINES[first + 2, y]
    share_4, share_6 = _COSINES[first + 4, y], _COSINES[first + 6, y]
    for x in range(n):
        total = start + share_0 * row_0[x] + share_2 * row_2[x]
        line[x] = total + share_4 * row_4[x] + share_6 * row_6[x]


@njit(cache=True, nogil=True, inline="always")
def _clipped(grey: Any) -> Any:
    """A pixel of a number that is less than half of what 32 bits hold."""
    return np.uint8(min(max(np.int32(grey), np.int32(0)), np.int32(255)))


@njit(cache=True, nogil=True)
def _read_block(
    words: U64, place: int, codes: U16, values: I32, quantisation: F32, rows: F32, number: int
) -> None:
    """Read a block, but for its mean, and add its rows, transformed, to those of a number."""
    at = np.uint64(place)
    block = np.uint64(number)  # as an index it needs no look at its sign, nor do these
    k = np.uint64(0)
    left = 0
    window = np.uint64(0)
    while k < _63:
        if left == 0:
            window = _window(words, at)
            left = 64 // LOOKUP_BITS
        left -= 1
        entry = values[window >> _REST]
        if entry != 0:
            taken = np.uint64(entry) & _BYTE
            window <<= taken
            at += taken
            k += np.uint64(entry >> 8) & _BYTE
            value = entry >> 16
        else:
            window = _window(words, at)
            length, run, size = _parts(codes[window >> _48])
            value = np.int32(_signed(window, length, size))
            at += np.uint64(length + size)
            k += np.uint64(_END if size == 0 and run != 15 else run + 1)
            left = 0
        if k < _64:
            level = min(max(np.float32(value) * quantisation[k], -_FARTHEST), _FARTHEST)
            row = np.uint64(_ROWS[k])
            for x in range(8):
                rows[row, block, x] += level * _ALONG[k, x]


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
