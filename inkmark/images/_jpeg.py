"""The structure of a JPEG file: its segments, its frame and the scans of coded data.

ITU-T T.81, annex B. Whatever does not follow it is `DamagedJpeg`: a decoder makes a page of
such a file all the same, with the rest of it grey or out of place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkmark.images import _byte_kernels

__all__ = ["Component", "DamagedJpeg", "Frame", "JpegFile", "Scan", "read_jpeg", "segments"]

APP0, APP1, APP14 = 0xE0, 0xE1, 0xEE
DHT, EOI, SOS, DQT, DRI, COM = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
SOF = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
_HUFFMAN_SEQUENTIAL = (0xC0, 0xC1)
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_WITHOUT_BODY = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))
_BETWEEN_SCANS = frozenset((DHT, SOS, DQT, DRI, COM, *range(0xE0, 0xF0)))
_MAX_BLOCKS = 10
"""Blocks of a unit of several components (B.2.3)."""


class DamagedJpeg(Exception):  # noqa: N818 - it says what the file is
    """The file does not follow its format."""


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a frame: its name, sampling factors and quantisation table."""

    name: int
    across: int
    down: int
    quantisation: int

    @property
    def n_blocks(self) -> int:
        """Blocks of a unit of several components."""
        return self.across * self.down


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame header declares."""

    kind: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def is_followed(self) -> bool:
        """Whether blocks come one after the other in Huffman codes."""
        return self.kind in _HUFFMAN_SEQUENTIAL

    @property
    def factors(self) -> tuple[int, int]:
        """Highest sampling factors, across and down."""
        return max(c.across for c in self.components), max(c.down for c in self.components)

    @classmethod
    def parse(cls, kind: int, body: bytes) -> Frame:
        """Read a frame header (B.2.2)."""
        precision, height, width, n = struct.unpack_from(">BHHB", body)
        parts = [body[k : k + 3] for k in range(6, 6 + 3 * n, 3)]
        components = tuple(Component(p[0], p[1] >> 4, p[1] & 15, p[2]) for p in parts)
        factors = [f for c in components for f in (c.across, c.down)]
        names = {c.name for c in components}
        if not (width and height):  # a later marker may give the height; no scanner writes so
            raise DamagedJpeg("size")
        if not 0 < n == len(names) <= 4 or not all(1 <= f <= 4 for f in factors):
            raise DamagedJpeg("frame header")
        return cls(kind, precision, width, height, components)


@dataclass(frozen=True, slots=True)
class ScanHeader:
    """Which coefficients of which components a scan gives.

    Attributes
    ----------
    parts : tuple of (int, int, int)
        Position of each component in the frame and numbers of its two Huffman tables.
    first, last, bits_left : int
        Coefficients, and how many of their bits later scans give.
    """

    parts: tuple[tuple[int, int, int], ...]
    first: int
    last: int
    bits_left: int

    @classmethod
    def parse(cls, frame: Frame, body: bytes) -> ScanHeader:
        """Read a scan header (B.2.3); components have the order of the frame."""
        n = body[0]
        names = [component.name for component in frame.components]
        pairs = [body[1 + 2 * k : 3 + 2 * k] for k in range(n)]
        first, last, approximation = struct.unpack_from("3B", body, 1 + 2 * n)
        if not 0 < n <= 4 or len({pair[0] for pair in pairs} & set(names)) != n:
            raise DamagedJpeg("scan header")
        parts = tuple((names.index(pair[0]), pair[1] >> 4, pair[1] & 15) for pair in pairs)
        if any(a[0] >= b[0] for a, b in pairwise(parts)):
            raise DamagedJpeg("order of components")
        blocks = sum(frame.components[at].n_blocks for at, *_ in parts)
        if n > 1 and blocks > _MAX_BLOCKS:
            raise DamagedJpeg("blocks of a unit")
        return cls(parts, first, last, approximation & 15)


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A scan: its header, the tables that hold for it, and its coded data.

    Attributes
    ----------
    header : ScanHeader
    restart_interval : int
        Units between restart markers; 0 without.
    huffman : dict of int to bytes
        Counts and symbols by number, those of coefficients other than the first plus 16.
    quantisation : dict of int to tuple
        In coded order.
    data : (n,) uint8
        The coded data without stuffed bytes and restart markers, and `SLACK_BYTES` of zeros.
    ends : (n_intervals,) int64
        Bytes of coded data up to the end of each restart interval.
    """

    header: ScanHeader
    restart_interval: int
    huffman: dict[int, bytes]
    quantisation: dict[int, tuple[int, ...]]
    data: NDArray[np.uint8]
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JpegFile:
    """A file's frame and scans, and what its segments say of its colours."""

    frame: Frame
    scans: tuple[Scan, ...]
    has_jfif: bool
    adobe_transform: int | None

    @property
    def shows_luminance(self) -> bool:
        """Whether the first component alone is the grey picture, as libjpeg judges it."""
        names = tuple(component.name for component in self.frame.components)
        if len(names) != 3 or self.has_jfif:
            return len(names) in (1, 3)
        if self.adobe_transform is not None:
            return self.adobe_transform != 0
        return names != tuple(b"RGB")


def segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, body and end of each segment up to the first scan header or the end.

    Raises
    ------
    DamagedJpeg
        Where the data ends before.
    """
    position = 2
    while True:
        kind, body, position = _next_segment(data, position)
        yield kind, body, position
        if kind in (SOS, EOI):
            return


def _next_segment(data: bytes, position: int) -> tuple[int, bytes, int]:
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            raise DamagedJpeg("no end")
        kind = data[position + 1]
        if kind == EOI:
            return kind, b"", position + 2
        if kind in _WITHOUT_BODY:
            position += 2
        elif kind == 0xFF:  # a fill byte
            position += 1
        else:
            break
    if position + 4 > len(data):
        raise DamagedJpeg("no end")
    (length,) = struct.unpack_from(">H", data, position + 2)
    end = position + 2 + length
    if length < 2 or end > len(data):
        raise DamagedJpeg("length of a segment")
    return kind, data[position + 4 : end], end


def read_jpeg(data: bytes) -> JpegFile:
    """The frame and all scans of a file, which together give every coefficient.

    Restart markers count from 0 to 7 and round again, only tables stand between scans, and
    the file has its end. Whether the codes add up is not looked at.

    Raises
    ------
    DamagedJpeg
    """
    try:
        return _read_jpeg(data)
    except (struct.error, IndexError) as exc:
        raise DamagedJpeg("header") from exc


def _read_jpeg(data: bytes) -> JpegFile:
    values = np.frombuffer(data, np.uint8)
    frame: Frame | None = None
    scans: list[Scan] = []
    known = _Known()
    kind, position = 0, 2
    while kind != EOI:
        kind, body, position = _next_segment(data, position)
        if scans and kind not in _BETWEEN_SCANS and kind != EOI:
            raise DamagedJpeg("marker between scans")
        if kind in SOF:
            if frame is not None:
                raise DamagedJpeg("second frame")
            frame = Frame.parse(kind, body)
        elif kind == SOS:
            if frame is None:
                raise DamagedJpeg("scan before the frame")
            coded, ends, position = _coded(values, position)
            scans.append(known.scan(ScanHeader.parse(frame, body), coded, ends))
        else:
            known.take(kind, body)
    if frame is None or not scans or not _is_complete(frame, scans):
        raise DamagedJpeg("scans")
    return JpegFile(frame, tuple(scans), known.has_jfif, known.adobe_transform)


@dataclass(slots=True)
class _Known:
    """What the segments so far have said."""

    huffman: dict[int, bytes] = field(default_factory=dict)
    quantisation: dict[int, tuple[int, ...]] = field(default_factory=dict)
    restart_interval: int = 0
    has_jfif: bool = False
    adobe_transform: int | None = None

    def take(self, kind: int, body: bytes) -> None:
        if kind == DHT:
            self.huffman.update(_huffman_tables(body))
        elif kind == DQT:
            self.quantisation.update(_quantisation_tables(body))
        elif kind == DRI:
            (self.restart_interval,) = struct.unpack(">H", body)
        elif kind == APP0 and body.startswith(b"JFIF\0"):
            self.has_jfif = True
        elif kind == APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            self.adobe_transform = body[11]

    def scan(
        self,
        header: ScanHeader,
        data: NDArray[np.uint8],
        ends: NDArray[np.int64],
    ) -> Scan:
        """A scan with the tables that hold now."""
        tables = dict(self.huffman), dict(self.quantisation)
        return Scan(header, self.restart_interval, *tables, data, ends)


def _coded(
    values: NDArray[np.uint8], start: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    joined = np.empty(len(values) - start + _byte_kernels.SLACK_BYTES, np.uint8)
    ends = np.empty((len(values) - start) // 2 + 1, np.int64)
    n, n_intervals, stop = _byte_kernels.join_stretches(values, start, joined, ends)
    if not stop:
        raise DamagedJpeg("restart markers")
    return joined[: n + _byte_kernels.SLACK_BYTES], ends[:n_intervals].copy(), stop


def _is_complete(frame: Frame, scans: list[Scan]) -> bool:
    """Whether each coefficient of each component is given to its last bit."""
    given = np.zeros((len(frame.components), 256), dtype=bool)
    for scan in scans:
        header = scan.header
        if header.bits_left == 0:
            for at, *_ in header.parts:
                given[at, header.first : header.last + 1] = True
    return bool(given[:, : 1 if frame.kind in _LOSSLESS else 64].all())


def _huffman_tables(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        n = 17 + sum(body[1:17])
        if n > len(body):
            raise DamagedJpeg("Huffman table")
        yield body[0], body[1:n]
        body = body[n:]


def _quantisation_tables(body: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    while body:
        number = body[0] & 15
        form = ">64H" if body[0] >> 4 else ">64B"
        yield number, struct.unpack_from(form, body, 1)
        body = body[1 + struct.calcsize(form) :]
