"""The compiled loops of the JPEG decoder (ITU-T T.81, annexes A.3, B.1, F.1.4 and F.2).

Data is hostile. Every step over the coded data goes on by a bit at least, or ends the loop.
Indices that depend on the data are bounded: those into lookup tables, which cover all values
of their bits; places in the coded data, by its end, looked at before each step, and the slack
behind it; coefficients, by 64; and places of blocks, by the room there is for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inkmark.images._cosines import ALONG, COSINES, ROWS
from inkmark.images._intrinsics import add_eight, eight_bytes

__all__ = [
    "LOOKUP_BITS",
    "STEP_BITS",
    "decode_blocks",
    "fill_lookups",
    "follow_blocks",
    "read_firsts",
]

F32 = NDArray[np.float32]
I16 = NDArray[np.int16]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U64 = NDArray[np.uint64]

LOOKUP_BITS = 11
STEP_BITS = 14
"""Bits of an index into the lookup tables: these fit into the processor's nearest caches."""

_END = 129
"""How far the code that ends a block advances: from up to 63 it leads to 129 to 192."""
_OUTSIDE = 192
_OUTSIDE_FIRST = 193
"""What leads out of the block from inside, and from its start. A step ends at up to 64 or
where `_END` leads; the lowest seven bits of all else are above 64."""

_REST = np.uint64(64 - LOOKUP_BITS)
_STEP_REST = np.uint64(64 - STEP_BITS)
_CODE_SHIFT = np.uint64(16 - STEP_BITS)
_ZERO, _ONE, _3, _7, _8, _16, _48, _63, _64, _127, _255, _256 = (
    np.uint64(n) for n in (0, 1, 3, 7, 8, 16, 48, 63, 64, 127, 255, 256)
)
_BIT = np.uint64(2**64 - 256)
"""The part of a place that tells the bit."""


@njit(cache=True, nogil=True, inline="always")
def _copy(source: U8, target: U8) -> None:
    """Copy one stretch to another of its length, faster than by an assignment of slices."""
    for k in range(len(target)):
        target[k] = source[k]


@njit(cache=True, nogil=True, inline="always")
def _parts(code: Any, is_first: bool) -> Any:
    """Length of a code, how far its symbol advances in the block, and size of the value."""
    code = np.int64(code)
    run, size = (code >> 4) & 15, code & 15
    far = _END if size == 0 and run != 15 else run + 1
    return code >> 8, 1 if is_first else far, size


@njit(cache=True, nogil=True, inline="always")
def _extended(bits: Any, size: Any) -> Any:
    """The value of some bits (F.2.2.1, EXTEND)."""
    return bits if size == 0 or bits >> (size - 1) else bits - (1 << size) + 1


@njit(cache=True, nogil=True)
def fill_lookups(codes: U16, other: U16, is_first: bool, steps: U16, values: I64) -> None:
    """Make the tables by which several symbols, or two with their values, are read at once.

    Parameters
    ----------
    codes : (65536,) uint16
        For the next 16 bits, 256 times the length of the code there plus its symbol; 0
        where there is no code.
    other : (65536,) uint16
        The same for the symbols after the first of these.
    is_first : bool
        Whether `codes` are those of first coefficients.
    steps : (2 ** STEP_BITS,) uint16
        Receives for the next bits what as many symbols as can be told from them take: 256
        times the bits, plus how far they advance in the block, `_END` further where it ends.
        Where no symbol can be told, what leads out of every block.
    values : (2 ** LOOKUP_BITS,) int64
        Receives for the next bits one symbol with its value, or two where they are not those
        of first coefficients. From the lowest bit on: 8 bits for how many bits they take, 8
        each for how far they advance, and from the 32nd on 16 each for their signed values.
        A symbol that is not among the bits with its value is 0.
    """
    for index in range(1 << STEP_BITS):
        taken = 0
        advance = 0
        while taken < STEP_BITS and advance < 64:
            at_first = is_first and taken == 0
            code = (codes if at_first else other)[(index << (16 - STEP_BITS + taken)) & 0xFFFF]
            length, far, size = _parts(code, at_first)
            if not 0 < length <= STEP_BITS - taken or (far != _END and advance + far > 64):
                break
            advance += far
            taken += length + size
        if taken == 0:
            advance = _OUTSIDE_FIRST if is_first else _OUTSIDE
        steps[index] = (taken << 8) | advance
    for index in range(1 << LOOKUP_BITS):
        taken = 0
        entry = 0
        for number in range(1 if is_first else 2):
            code = codes[(index << (16 - LOOKUP_BITS + taken)) & 0xFFFF]
            length, far, size = _parts(code, is_first)
            if length == 0 or taken + length + size > LOOKUP_BITS:
                break
            taken += length + size
            value = _extended((index >> (LOOKUP_BITS - taken)) & ((1 << size) - 1), size)
            entry |= (far << (8 + 8 * number)) | ((value & 0xFFFF) << (32 + 16 * number))
            if far == _END:
                break
        values[index] = entry | taken


@njit(cache=True, nogil=True, forceinline=True)
def _window(data: U8, at: Any) -> Any:
    """The 57 bits from a bit on, and some more that are none of the data."""
    return eight_bytes(data, at >> _3) << (at & _7)


@njit(cache=True, nogil=True, forceinline=True)
def _signed(window: Any, length: Any, size: Any) -> Any:
    """The value whose bits follow a code."""
    if size == 0:
        return 0
    return _extended(np.int64((window << np.uint64(length)) >> np.uint64(64 - size)), size)


@njit(cache=True, nogil=True, forceinline=True)
def _step(data: U8, at: Any, base: Any, is_first: bool, codes: U16, steps: U16) -> Any:
    """From a place in a block over as many symbols as one look into a table tells."""
    window = _window(data, at >> _8)
    after = at + np.uint64(steps[base + (window >> _STEP_REST)])
    if _is_outside(after):  # a long code, or the block may end before the last symbol
        code = codes[(base << _CODE_SHIFT) + (window >> _48)]
        length, far, size = _parts(code, is_first)
        if length == 0:
            far = _OUTSIDE_FIRST if is_first else _OUTSIDE
        after = at + np.uint64(((length + size) << 8) + far)
    return after


@njit(cache=True, nogil=True, forceinline=True)
def _is_outside(at: Any) -> Any:
    """Whether a step led out of the block."""
    return at & _127 > _64


@njit(cache=True, nogil=True, forceinline=True)
def _next(at: Any, n: Any, state: Any, n_states: Any) -> Any:
    """Go on to the next block where a step has ended one; told without a jump."""
    ended = at & _255 > _63
    inside = state | _ONE
    begun = inside + _ONE
    begun = _ZERO if begun == n_states else begun
    return at & _BIT if ended else at, n + _ONE if ended else n, begun if ended else inside


@njit(cache=True, nogil=True)
def follow_blocks(
    data: U8,
    ends: I64,
    unit: I64,
    n_units: int,
    interval: int,
    codes: U16,
    steps: U16,
    places: U64,
) -> bool:
    """Follow a sequential scan from block to block (F.2.2).

    Parameters
    ----------
    data : (n,) uint8
        The coded data, with `_byte_kernels.SLACK_BYTES` behind it.
    ends : (n_intervals,) int64
        Bytes of coded data up to the end of each restart interval.
    unit : (n_blocks,) int64
        Which pair of tables each block of a unit (MCU) is coded by.
    n_units : int
    interval : int
        Units between restart markers; `n_units` without.
    codes, steps
        Tables as `fill_lookups` describes them, for the first and for the other coefficients
        of each pair, one behind the other.
    places : (n_units * n_blocks + 1,) uint64
        Receives 256 times the bit at which each block begins, plus something below 256.

    Returns
    -------
    bool
        False where the data is damaged: no code, more than 64 coefficients, too few bits,
        or bytes that no unit needs.
    """
    if (n_units + interval - 1) // interval != len(ends):
        return False
    bases = np.empty(2 * len(unit), np.uint64)
    for state in range(len(bases)):
        bases[state] = (2 * unit[state >> 1] + (state & 1)) << STEP_BITS
    guesses = np.empty((2, min(interval, n_units) * len(unit) + 1), np.uint64)
    start = 0
    first = 0
    for number in range(len(ends)):
        n = min(interval, n_units - number * interval) * len(unit)
        stop = 8 * ends[number]
        there = places[first : first + n + 1]
        if not _follow_interval(data, start, stop, bases, codes, steps, guesses, there):
            return False
        start = stop
        first += n
    return True


@njit(cache=True, nogil=True)
def _follow_interval(
    data: U8, start: int, stop: int, bases: U64, codes: U16, steps: U16, guesses: U64, places: U64
) -> bool:
    """Follow the blocks between two restart markers, from three places at once.

    A code can be told only after the one before it, so that a processor that follows them
    from one place waits most of the time. From any other bit on, codes are read wrong at
    first, but soon, by chance, a block begins where one does indeed. If it is the same block
    of the unit, all that follows is right, as nothing from before matters any more. Where
    this does not come about, what was read from there is not used.

    A place is 256 times a bit, plus the position in the block. Beside it are kept the number
    of the block after this one, and twice this one's number in the unit, plus 1 inside of it.

    Parameters
    ----------
    data, codes, steps
        As `follow_blocks` has them.
    start, stop : int
        In bits.
    bases : (2 * n_blocks,) uint64
        Where the table of steps begins for the start and the inside of each block of a unit.
    guesses : (2, n + 1 or more) uint64
        Room for what is read from the second and third place.
    places : (n + 1,) uint64
        Receives the places of the blocks, and the end of the last one.
    """
    n_states = np.uint64(len(bases))
    n_blocks = n_states >> _ONE
    room = np.uint64(len(places))
    third = (stop - start) // 3
    stop_0, stop_1, stop_2 = np.uint64(start + third), np.uint64(stop - third), np.uint64(stop)
    stop_0, stop_1, stop_2 = stop_0 << _8, stop_1 << _8, stop_2 << _8
    at_0, at_1, at_2 = np.uint64(start) << _8, stop_0, stop_1
    n_0 = n_1 = n_2 = _ONE
    state_0 = state_1 = state_2 = _ZERO
    guess_1, guess_2 = guesses[0], guesses[1]
    places[0], guess_1[0], guess_2[0] = at_0, at_1, at_2
    while (at_0 < stop_0 and at_1 < stop_1 and at_2 < stop_2) and (
        n_0 < room and n_1 < room and n_2 < room
    ):
        at_0 = _step(data, at_0, bases[state_0], state_0 & _ONE == _ZERO, codes, steps)
        places[n_0] = at_0
        if _is_outside(at_0):
            return False
        at_0, n_0, state_0 = _next(at_0, n_0, state_0, n_states)
        at_1 = _step(data, at_1, bases[state_1], state_1 & _ONE == _ZERO, codes, steps)
        guess_1[n_1] = at_1
        if _is_outside(at_1):  # begin anew, one bit on
            at_1, n_1, state_1 = (at_1 & _BIT) + _256, _ONE, _ZERO
            guess_1[0] = at_1
        else:
            at_1, n_1, state_1 = _next(at_1, n_1, state_1, n_states)
        at_2 = _step(data, at_2, bases[state_2], state_2 & _ONE == _ZERO, codes, steps)
        guess_2[n_2] = at_2
        if _is_outside(at_2):
            at_2, n_2, state_2 = (at_2 & _BIT) + _256, _ONE, _ZERO
            guess_2[0] = at_2
        else:
            at_2, n_2, state_2 = _next(at_2, n_2, state_2, n_states)
    number, k = 0, _ZERO
    while n_0 < room:
        at_0 = _step(data, at_0, bases[state_0], state_0 & _ONE == _ZERO, codes, steps)
        places[n_0] = at_0
        if _is_outside(at_0) or at_0 >> _8 > np.uint64(stop):
            return False
        block = n_0
        at_0, n_0, state_0 = _next(at_0, n_0, state_0, n_states)
        if n_0 == block or number == 2:
            continue
        guess = guesses[number]
        while k < n_1 and guess[k] < at_0:
            k += _ONE
        if k < n_1:
            # Each by itself: k may be above the block's number, and their difference wraps.
            if guess[k] & _BIT != at_0 or block % n_blocks != k % n_blocks:
                continue
            more = min(n_1 - k - _ONE, room - n_0)
            for x in range(more):
                places[n_0 + np.uint64(x)] = guess[k + _ONE + np.uint64(x)]
            at_0, n_0, state_0 = at_1, n_0 + more, state_1
        number, k = number + 1, _ZERO
        at_1, n_1, state_1 = at_2, n_2, state_2
    return bool(((places[-1] >> _8) + _7) >> _3 == np.uint64(stop) >> _3)


@njit(cache=True, nogil=True)
def read_firsts(
    data: U8,
    counts: tuple[int, int],
    interval: int,
    codes: U16,
    values: I64,
    places: U64,
    means: I16,
) -> None:
    """Read the first coefficient of each block of the first component (F.2.2.1).

    Parameters
    ----------
    data, interval
        As `follow_blocks` has them.
    counts : tuple of int
        Blocks of a unit, and how many of them, which come first, are of the component.
    codes : (65536,) uint16
    values : (2 ** LOOKUP_BITS,) int64
        The tables of first coefficients.
    places : (n_units * n_blocks + 1,) uint64
        What `follow_blocks` found. Its first n receive the place, in bits, of the
        coefficients but the first of each block of the component.
    means : (n,) int16
        Receives the first coefficient of each block of the component.
    """
    n_blocks, n_own = counts
    n_units = len(means) // n_own
    for begin in range(0, n_units, interval):
        predicted = 0
        for unit in range(begin, min(begin + interval, n_units)):
            for block in range(n_own):
                at = places[unit * n_blocks + block] >> _8
                window = _window(data, at)
                entry = values[window >> _REST]
                if entry != 0:
                    predicted += int(np.int16(entry >> 32))
                    at += np.uint64(entry) & _255
                else:
                    length, _, size = _parts(codes[window >> _48], True)
                    predicted += _signed(window, length, size)
                    at += np.uint64(length + size)
                places[unit * n_own + block] = at
                means[unit * n_own + block] = predicted


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
    data: U8,
    places: U64,
    means: I16,
    codes: U16,
    values: I64,
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
    data
        As `follow_blocks` has it.
    places, means
        As `read_firsts` gives them.
    codes : (65536,) uint16
    values : (2 ** LOOKUP_BITS,) int64
        The tables of the other coefficients.
    quantisation : (65,) float32
        In coded order; the last is 0.
    done : (n_blocks,) uint8
        Which blocks, in coded order, the canvas has; brought up to date.
    canvas : (H, W) uint8
    """
    row_of_units, across, down = grid
    rows = np.zeros((8, _RUN, 8), np.float32)
    flat = rows.reshape(8, 8 * _RUN)
    greys = np.empty((8, 8 * _RUN), np.uint8)
    for box in range(len(boxes)):
        start, end = boxes[box, 0] >> 3, (boxes[box, 2] + 7) >> 3
        for block_y in range(boxes[box, 1] >> 3, (boxes[box, 3] + 7) >> 3):
            unit = block_y // down * row_of_units + start // across
            column = start % across
            block = (unit * down + block_y % down) * across + column
            n = 0
            for block_x in range(start, end):
                if n > 0 and (n == _RUN or done[block]):
                    _transform_columns(flat, 8 * n, greys, canvas, 8 * (block_x - n), 8 * block_y)
                    rows[:, :n] = 0
                    n = 0
                if not done[block]:
                    done[block] = 1
                    rows[0, n] = np.float32(means[block]) * quantisation[0] * COSINES[0, 0]
                    _read_block(data, places[block], codes, values, quantisation, rows, n)
                    n += 1
                block += 1
                column += 1
                if column == across:  # on to the same row of the next unit
                    column = 0
                    block += across * (down - 1)
            if n > 0:
                _transform_columns(flat, 8 * n, greys, canvas, 8 * (end - n), 8 * block_y)
                rows[:, :n] = 0


@njit(cache=True, nogil=True)
def _transform_columns(rows: F32, n: int, greys: U8, canvas: U8, left: int, top: int) -> None:
    """Write the pixels of blocks side by side whose rows are transformed.

    A row of pixels and its mirror image are sum and difference of what the even and the odd
    coefficients give.
    """
    height, width = canvas.shape
    seen = min(n, width - left)
    n = -(-n // _LANES) * _LANES
    row_0, row_1, row_2, row_3 = rows[0], rows[1], rows[2], rows[3]
    row_4, row_5, row_6, row_7 = rows[4], rows[5], rows[6], rows[7]
    for y in range(4):
        upper, lower = greys[y], greys[7 - y]
        c_0, c_1, c_2, c_3 = COSINES[0, y], COSINES[1, y], COSINES[2, y], COSINES[3, y]
        c_4, c_5, c_6, c_7 = COSINES[4, y], COSINES[5, y], COSINES[6, y], COSINES[7, y]
        for x in range(n):
            even = np.float32(128.5) + c_0 * row_0[x] + c_2 * row_2[x]
            even = even + c_4 * row_4[x] + c_6 * row_6[x]
            odd = np.float32(0.0) + c_1 * row_1[x] + c_3 * row_3[x]
            odd = odd + c_5 * row_5[x] + c_7 * row_7[x]
            upper[x] = _clipped(even + odd)
            lower[x] = _clipped(even - odd)
    for y in range(min(8, height - top)):
        _copy(greys[y, :seen], canvas[top + y, left : left + seen])


@njit(cache=True, nogil=True, inline="always")
def _clipped(grey: Any) -> Any:
    """A pixel of a number that is less than half of what 32 bits hold."""
    return np.uint8(min(max(np.int32(grey), np.int32(0)), np.int32(255)))


@njit(cache=True, nogil=True)
def _read_block(
    data: U8, at: Any, codes: U16, values: I64, quantisation: F32, rows: F32, number: int
) -> None:
    """Read a block, but for its mean, and add its rows, transformed, to those of a number."""
    block = np.uint64(number)  # as an index it needs no look at its sign, nor do these
    k = np.uint64(0)
    left = 0
    window = np.uint64(0)
    while k < _63:
        if left == 0:
            window = _window(data, at)
            left = 57 // LOOKUP_BITS
        left -= 1
        entry = values[window >> _REST]
        if entry != 0:
            bits = np.uint64(entry)
            taken = bits & _255
            window <<= taken
            at += taken
            k += (bits >> _8) & _255
            _add_coefficient(rows, block, k, np.int16(entry >> 32), quantisation)
            k += (bits >> _16) & _255  # where there is no second, its value is 0
            _add_coefficient(rows, block, k, np.int16(entry >> 48), quantisation)
        else:
            window = _window(data, at)
            length, far, size = _parts(codes[window >> _48], False)
            at += np.uint64(length + size)
            k += np.uint64(far)
            left = 0
            value = np.int32(_signed(window, length, size))
            _add_coefficient(rows, block, k, value, quantisation)


@njit(cache=True, nogil=True, forceinline=True)
def _add_coefficient(rows: F32, block: Any, k: Any, value: Any, quantisation: F32) -> None:
    """Add what a coefficient says to its row; nothing where the block ends before it."""
    k = min(k, _64)
    level = min(max(np.float32(value) * quantisation[k], -_FARTHEST), _FARTHEST)
    row = np.uint64(ROWS[k])
    add_eight(rows, row * np.uint64(_RUN) + block, ALONG, k, level)
