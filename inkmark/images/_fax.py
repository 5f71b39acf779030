"""CCITT Group 4 pages (ITU-T T.6), in a quarter of the time that libtiff takes.

Unlike libtiff, which warns and goes on with a row made up, damage is always an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from inkmark.images import _bilevel_kernels

__all__ = ["DamagedFax", "FaxPage", "decode_fax"]

_MODES = {
    0: "1",
    1: "011",
    2: "000011",
    3: "0000011",
    9: "010",
    10: "000010",
    11: "0000010",
    4: "0001",
    5: "001",
}

# Codes of runs (T.4, tables 2 and 3): 0 to 63, then 64, 128, ... 1728.
_WHITE = """
00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100
110101 101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011
0100100 0011000 00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101
00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101
00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001
01011010 01011011 01001010 01001011 00110010 00110011 00110100
11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100
011001101 011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001
011011010 011011011 010011000 010011001 010011010 011000 010011011
"""
_BLACK = """
0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100
00000111 000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100
00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100
000011001101 000001101000 000001101001 000001101010 000001101011 000011010010 000011010011
000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010
000011011011 000001010100 000001010101 000001010110 000001010111 000001100100 000001100101
000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000
000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111
0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101
0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101
0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 0000001110111
0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011
0000001100100 0000001100101
"""
_EITHER = """
00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101
000000010110 000000010111 000000011100 000000011101 000000011110 000000011111
"""
"""Codes of 1792, 1856, ... 2560, the same for both colours."""


class DamagedFax(Exception):  # noqa: N818 - it says what the data is
    """The codes do not add up."""


@dataclass(frozen=True, slots=True)
class FaxPage:
    """What has to be known to decode a page.

    Attributes
    ----------
    width, height : int
    rows_per_strip : int
    white : int
        What a white pixel is to be: 255, or 0 where black and white are exchanged.
    lowest_first : bool
        Whether the first bit of each byte is its lowest.
    """

    width: int
    height: int
    rows_per_strip: int
    white: int = 255
    lowest_first: bool = False


def decode_fax(strips: Sequence[bytes], page: FaxPage) -> NDArray[np.uint8]:
    """Pixels of a page.

    Parameters
    ----------
    strips : sequence of bytes
        Coded data of `rows_per_strip` rows each, of what is left for the last.
    page : FaxPage

    Returns
    -------
    (height, width) uint8

    Raises
    ------
    DamagedFax
    """
    if len(strips) != -(-page.height // page.rows_per_strip):
        raise DamagedFax("strips")
    canvas = np.full((page.height, page.width), page.white, np.uint8)
    modes, runs = _lookups()
    for k, strip in enumerate(strips):
        rows = canvas[k * page.rows_per_strip : (k + 1) * page.rows_per_strip]
        padded = np.zeros((len(strip) // 8 + 3) * 8, np.uint8)
        padded[: len(strip)] = np.frombuffer(strip, np.uint8)
        if page.lowest_first:
            padded = np.packbits(np.unpackbits(padded, bitorder="little"))
        words = padded.view(">u8").astype(np.uint64)
        if not _bilevel_kernels.decode_fax(
            words, 8 * len(strip), modes, runs, 255 - page.white, rows
        ):
            raise DamagedFax("codes")
    return canvas


@cache
def _lookups() -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Tables as `_bilevel_kernels.decode_fax` takes them."""
    modes = np.zeros(1 << _bilevel_kernels.MODE_BITS, np.uint8)
    for mode, code in _MODES.items():
        modes[_span(code, _bilevel_kernels.MODE_BITS)] = 8 * mode + len(code)
    runs = np.zeros((2, 1 << _bilevel_kernels.RUN_BITS), np.int16)
    for colour, codes in enumerate((_WHITE, _BLACK)):
        for run, code in enumerate((codes + _EITHER).split()):
            runs[colour, _span(code, _bilevel_kernels.RUN_BITS)] = 16 * run + len(code)
    return modes, runs


def _span(code: str, n_bits: int) -> slice:
    """All numbers of some bits that begin with a code."""
    rest = n_bits - len(code)
    return slice(int(code, 2) << rest, (int(code, 2) + 1) << rest)
