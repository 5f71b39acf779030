"""Whether the coded data of a JPEG file is whole.

A decoder makes a page of damaged data: where the data ends too early the rest is middle
grey, where it is damaged everything behind is out of place. OpenCV does not pass on the
warning. Following every code would cost nearly as much as decoding, so that is done only
where something looks odd: markers are checked always, runs of zero bytes and a last block
of middle grey lead to a closer look. Damage that shows none of these is not found, nor is
that of the last scan of a progressive file, which adds the finest detail.

ITU-T T.81, annexes B, F and G.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_whole", "looks_whole", "markers_fit"]

_MIDDLE_GREY = 128
_ZEROS = bytes(16)
"""Coded data has no such run, but where the end of a block is coded by zeros."""
_END_OF_BLOCK = 0
_SOF, _SOF_SEQUENTIAL, _SOF_PROGRESSIVE = (
    frozenset((*range(0xC0, 0xC4), 0xC9, 0xCA)),
    (0xC0, 0xC1),
    0xC2,
)
_DHT, _EOI, _SOS, _DRI = 0xC4, 0xD9, 0xDA, 0xDD
_BETWEEN_SCANS = frozenset((_DHT, _SOS, 0xDB, 0xDC, _DRI, 0xFE, *range(0xE0, 0xF0)))


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan of a file.

    Attributes
    ----------
    header : bytes
        Body of its SOS segment.
    start : int
        First byte of its coded data.
    restart_interval : int
    tables : dict
        Huffman tables by class and number: code counts and symbols.
    """

    header: bytes
    start: int
    restart_interval: int
    tables: dict[int, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Frame:
    kind: int
    body: bytes

    @property
    def size(self) -> tuple[int, int]:
        height, width = struct.unpack_from(">HH", self.body, 1)
        return int(width), int(height)

    def sampling(self) -> dict[int, tuple[int, int]]:
        """Horizontal and vertical sampling factors by component."""
        rows = (self.body[k : k + 3] for k in range(6, 6 + 3 * self.body[5], 3))
        return {row[0]: (row[1] >> 4, row[1] & 15) for row in rows}


def markers_fit(data: bytes) -> bool:
    """Whether the markers from the first scan on are those of a whole file.

    Between scans only table segments stand, restart markers count from 0 to 7 and round
    again, and a progressive file has a scan that completes each coefficient.
    """
    try:
        return _markers_fit(data)
    except (struct.error, IndexError):
        return False


def _markers_fit(data: bytes) -> bool:
    frame, scan = _first_scan(data)
    values = np.frombuffer(data, np.uint8)
    escapes = scan.start + np.flatnonzero(values[scan.start : -1] == 0xFF)
    kinds = values[escapes + 1]
    told = (kinds != 0) & (kinds != 0xFF)
    incomplete = {(c, k) for c in frame.sampling() for k in range(64)}
    position, n_restarts = scan.start, 0
    _complete(scan.header, incomplete)
    for at, kind in zip(escapes[told].tolist(), kinds[told].tolist(), strict=True):
        if at < position:  # inside a segment
            continue
        if 0xD0 <= kind <= 0xD7:
            if kind != 0xD0 + n_restarts % 8:
                return False
            n_restarts += 1
            continue
        if kind == _EOI:
            return frame.kind != _SOF_PROGRESSIVE or not incomplete
        if kind not in _BETWEEN_SCANS:
            return False
        (length,) = struct.unpack_from(">H", data, at + 2)
        position, n_restarts = at + 2 + length, 0
        if kind == _SOS:
            _complete(data[at + 4 : position], incomplete)
    return False


def _complete(header: bytes, incomplete: set[tuple[int, int]]) -> None:
    """Take away the coefficients that a scan gives to their last bit."""
    n = header[0]
    first, last, precision = header[1 + 2 * n : 4 + 2 * n]
    if precision & 15 == 0:
        incomplete.difference_update(
            (header[1 + 2 * c], k) for c in range(n) for k in range(first, last + 1)
        )


def looks_whole(data: bytes, pixels: NDArray[Any]) -> bool:
    """Whether the coded data is whole, as far as can be told without following all of it.

    Parameters
    ----------
    data : bytes
        A file whose markers fit.
    pixels : (H, W) or (H, W, 3) uint8
        What was decoded from it.
    """
    frame, scan = _first_scan(data)
    corner = pixels[(pixels.shape[0] - 1) & ~7 :, (pixels.shape[1] - 1) & ~7 :]
    has_ended = bool((corner == _MIDDLE_GREY).all())
    if frame.kind not in _SOF_SEQUENTIAL:
        return not has_ended
    end = data.find(b"\xff\xd9", scan.start)
    words = np.frombuffer(data, np.uint64, (end - scan.start) // 8, scan.start)
    has_zeros = bool((words == 0).any()) and data.find(_ZEROS, scan.start, end) >= 0
    if has_zeros and all(table[16] != _END_OF_BLOCK for k, table in scan.tables.items() if k > 15):
        return False  # zeros are a code, but no block has one coefficient all along
    return not (has_ended or has_zeros) or is_whole(data)


def is_whole(data: bytes) -> bool:
    """Whether the coded data of a sequential file has a code for every block, and no more.

    A progressive file is not followed; it is taken for damaged.
    """
    # The compiler is not loaded for whole files.
    from inkmark.images._kernels import follow_scan  # noqa: PLC0415

    values = np.frombuffer(data, np.uint8)
    try:
        return all(
            frame.kind in _SOF_SEQUENTIAL
            and follow_scan(values, scan.start, *_plan(frame, scan), scan.restart_interval)
            for frame, scan in _scans(data)
        )
    except (struct.error, IndexError, KeyError, ValueError):
        return False


def _first_scan(data: bytes) -> tuple[_Frame, _Scan]:
    for found in _scans(data):
        return found
    raise struct.error("no scan")


def _scans(data: bytes) -> Iterator[tuple[_Frame, _Scan]]:
    """The scans of a file, in order; struct.error where it cannot be followed."""
    frame: _Frame | None = None
    tables: dict[int, bytes] = {}
    interval, position = 0, 2
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise struct.error("no end")
        kind = data[position + 1]
        if kind in (0, 1, 0xFF) or 0xD0 <= kind <= 0xD8:
            position += 1 if kind == 0xFF else 2
            continue
        if kind == _EOI:
            return
        (length,) = struct.unpack_from(">H", data, position + 2)
        body = data[position + 4 : position + 2 + length]
        position += 2 + length
        if kind in _SOF:
            frame = _Frame(kind, body)
        elif kind == _DHT:
            tables.update(_tables(body))
        elif kind == _DRI:
            (interval,) = struct.unpack(">H", body)
        elif kind == _SOS:
            if frame is None:
                raise struct.error("no frame")
            yield frame, _Scan(body, position, interval, dict(tables))


def _tables(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        n = 17 + sum(body[1:17])
        yield body[0], body[1:n]
        body = body[n:]


def _plan(frame: _Frame, scan: _Scan) -> tuple[NDArray[np.uint16], NDArray[np.int64], int]:
    """Codes of the tables, tables of each block of a unit, and how many units a scan has."""
    sampling = frame.sampling()
    highest = [max(factor[axis] for factor in sampling.values()) for axis in (0, 1)]
    parts = [scan.header[1 + 2 * k : 3 + 2 * k] for k in range(scan.header[0])]
    n_units = 1
    for axis, extent in enumerate(frame.size):
        if len(parts) == 1:  # blocks in their own order
            own = -(-extent * sampling[parts[0][0]][axis] // highest[axis])
            n_units *= -(-own // 8)
        else:
            n_units *= -(-extent // (8 * highest[axis]))
    keys = sorted(scan.tables)
    rows = []
    for component, numbers in parts:
        n_blocks = 1 if len(parts) == 1 else int(np.prod(sampling[component]))
        row = (keys.index(numbers >> 4), keys.index(0x10 | numbers & 15))
        rows += [row] * n_blocks
    codes = np.stack([_codes(scan.tables[key]) for key in keys])
    return codes, np.array(rows, dtype=np.int64), n_units


def _codes(table: bytes) -> NDArray[np.uint16]:
    """256 times the length of the code that 16 bits begin with, plus its symbol."""
    lengths = np.repeat(np.arange(1, 17), list(table[:16]))
    symbols = np.frombuffer(table, np.uint8)[16:].astype(np.int64)
    found = np.repeat(256 * lengths + symbols, 1 << (16 - lengths))
    result = np.zeros(65536, dtype=np.uint16)
    result[: len(found)] = found[:65536]
    return result
