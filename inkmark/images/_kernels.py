"""The compiled loop that follows the coded data of a JPEG scan from block to block."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["follow_scan"]

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]


@njit(cache=True, nogil=True)
def follow_scan(
    data: U8, start: int, codes: U16, tables: I64, n_units: int, restart_interval: int
) -> bool:
    """Follow a sequential Huffman scan to its end (ITU-T T.81, annex F.2.2).

    Parameters
    ----------
    data : (n,) uint8
        The file.
    start : int
        First byte of the scan's coded data.
    codes : (n_tables, 65536) uint16
        For each table and the next 16 bits, 256 times the length of the code there is plus
        its symbol; 0 where there is none.
    tables : (n_blocks, 2) int64
        Tables of the first and of the other coefficients of each block of a unit.
    n_units : int
        Units (MCU) of the scan.
    restart_interval : int
        Units between restart markers; 0 without.

    Returns
    -------
    bool
        False where the data is damaged: no code, more than 64 coefficients, too few bits,
        or bytes that no unit needs.
    """
    at = start
    bits = np.uint64(0)  # the next bits, from the top
    held = 0  # how many of them there are
    padded = 0  # how many of those are not in the data
    for unit in range(n_units):
        if restart_interval and unit and unit % restart_interval == 0:
            if held - padded >= 8 or at + 1 >= len(data) or data[at] != 0xFF:
                return False
            if data[at + 1] != 0xD0 + (unit // restart_interval - 1) % 8:
                return False
            at += 2
            bits = np.uint64(0)
            held = padded = 0
        for block in range(len(tables)):
            k = 0
            while k < 64:
                while held <= 48:
                    byte = 0
                    if at >= len(data) or (
                        data[at] == 0xFF and (at + 1 >= len(data) or data[at + 1] != 0)
                    ):
                        padded += 8
                    else:
                        byte = data[at]
                        at += 2 if byte == 0xFF else 1
                    bits |= np.uint64(byte) << np.uint64(56 - held)
                    held += 8
                code = codes[tables[block, min(k, 1)], bits >> np.uint64(48)]
                if code == 0:
                    return False
                run = (code >> 4) & 15
                size = code & 15
                if k == 0:
                    run = 0
                elif size == 0 and run != 15:
                    run = 63 - k  # end of block
                used = (code >> 8) + size
                bits <<= np.uint64(used)
                held -= used
                k += run + 1
                if k > 64 or held < padded:
                    return False
    return held - padded < 8
