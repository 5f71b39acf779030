"""JPEG pages block by block: all codes are followed once, pixels are made where wanted.

Following the codes without making coefficients of them costs a third of decoding, proves
that the data is whole, and gives the place and the mean of each block.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inkmark.images import _kernels
from inkmark.images._jpeg import DamagedJpeg, Frame, JpegFile, Scan
from inkmark.images.pixels import BLOCK_PX, GreyImage, Pixels, Turn

__all__ = ["check_codes", "jpeg_pixels"]

_FIRST, _OTHER = 0, 16
"""Added to the numbers of Huffman tables by what coefficients they are for."""
_MAX_SIZE = 15
"""Most bits of the first coefficient; the symbol says nothing else (F.1.2.1)."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """How the blocks of one component lie: as `_kernels.decode_blocks` takes it, and all."""

    units_across: int
    units_down: int
    across: int
    down: int

    @property
    def n_blocks(self) -> int:
        return self.units_across * self.units_down * self.across * self.down


def jpeg_pixels(jpeg: JpegFile, turn: Turn) -> Pixels | None:
    """Grey pixels of a file that are decoded where they are looked at.

    Returns
    -------
    Pixels or None
        None for files of other kinds than sequential Huffman coding of 8 bits in one scan,
        grey or in luminance and two colours.

    Raises
    ------
    DamagedJpeg
        Where the codes do not add up.
    """
    frame = jpeg.frame
    first = frame.components[0]
    if not (
        frame.is_followed
        and frame.precision == 8
        and jpeg.shows_luminance
        and len(jpeg.scans) == 1
        and len(jpeg.scans[0].header.parts) == len(frame.components)
        and (first.across, first.down) == frame.factors
    ):
        return None
    (scan,) = jpeg.scans
    grid = _grid(frame, scan)
    followed = _follow(frame, scan)
    means = np.empty(grid.n_blocks, np.int16)
    _kernels.read_firsts(
        scan.data,
        (len(followed.unit), grid.across * grid.down),
        followed.interval,
        followed.lookups.codes[0],
        followed.lookups.values[0],
        followed.places,
        means,
    )
    try:
        quantisation = scan.quantisation[first.quantisation]
    except KeyError as exc:
        raise DamagedJpeg("no quantisation table") from exc
    scale = np.array((*quantisation, 0), np.float32)
    codes, values = followed.lookups.codes[1], followed.lookups.values[1]
    return _JpegPixels(
        _Coded(frame, grid, scan.data, followed.places, means, codes, values, scale), turn
    )


def check_codes(jpeg: JpegFile) -> None:
    """Follow all codes of a sequential file.

    Raises
    ------
    DamagedJpeg
        Where a block has no code, or the data more than all blocks need.
    """
    for scan in jpeg.scans:
        _follow(jpeg.frame, scan)


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """The blocks of a page as `_kernels.decode_blocks` takes them."""

    frame: Frame
    grid: _Grid
    data: NDArray[np.uint8]
    places: NDArray[np.uint64]
    means: NDArray[np.int16]
    codes: NDArray[np.uint16]
    values: NDArray[np.int64]
    quantisation: NDArray[np.float32]


class _JpegPixels(Pixels):
    """Pixels of a JPEG page; blocks are decoded when they are asked for.

    The transform is that of T.81, A.3.3, in float32; pixels differ by at most 1 from those
    of libjpeg.
    """

    def __init__(self, coded: _Coded, turn: Turn) -> None:
        frame = coded.frame
        shape = (frame.width, frame.height) if turn[0] else (frame.height, frame.width)
        super().__init__(np.empty(shape, np.uint8))
        self._coded, self._turn = coded, turn
        self._done = np.zeros(coded.grid.n_blocks, np.uint8)
        self._stored = _stored(self._canvas, turn)

    def at(self, boxes: NDArray[np.int64]) -> GreyImage:
        height, width = self.shape
        inside = np.clip(boxes, 0, (width, height, width, height))
        coded = self._coded
        grid = coded.grid
        _kernels.decode_blocks(
            _stored_boxes(inside, self.shape, self._turn),
            (grid.units_across, grid.across, grid.down),
            coded.data,
            coded.places,
            coded.means,
            coded.codes,
            coded.values,
            coded.quantisation,
            self._done,
            self._stored,
        )
        return self._canvas

    def coarse(self) -> GreyImage:
        coded = self._coded
        grid = coded.grid
        units = coded.means.reshape(grid.units_down, grid.units_across, grid.down, grid.across)
        blocks = units.swapaxes(1, 2).reshape(grid.units_down * grid.down, -1)
        height, width = self._stored.shape
        blocks = blocks[: -(-height // BLOCK_PX), : -(-width // BLOCK_PX)]
        grey = (blocks * np.int32(coded.quantisation[0]) + (128 * BLOCK_PX + 4)) >> 3
        return _turned_blocks(np.clip(grey, 0, 255).astype(np.uint8), self.shape, self._turn)

    def whole(self) -> GreyImage:
        height, width = self.shape
        return self.at(np.array([[0, 0, width, height]]))


def _stored(canvas: GreyImage, turn: Turn) -> GreyImage:
    """The canvas as the file has it."""
    transpose, flip_x, flip_y = turn
    if flip_x or flip_y:
        canvas = canvas[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return canvas.T if transpose else canvas


def _stored_boxes(
    boxes: NDArray[np.int64], shape: tuple[int, int], turn: Turn
) -> NDArray[np.int64]:
    """Boxes of the upright page in the image as the file has it."""
    left, top, right, bottom = boxes.T
    transpose, flip_x, flip_y = turn
    if flip_x:
        left, right = shape[1] - right, shape[1] - left
    if flip_y:
        top, bottom = shape[0] - bottom, shape[0] - top
    if transpose:
        left, top, right, bottom = top, left, bottom, right
    return np.stack([left, top, right, bottom], axis=1)


def _turned_blocks(blocks: GreyImage, shape: tuple[int, int], turn: Turn) -> GreyImage:
    """Means of blocks turned upright, where blocks begin at the left and upper edge again."""
    transpose, *flips = turn
    if transpose:
        blocks = blocks.T
    for axis, flip in zip((1, 0), flips, strict=True):
        if flip:
            blocks = np.flip(blocks, axis)
            missing = -shape[axis] % BLOCK_PX
            after = np.take(blocks, np.arange(1, blocks.shape[axis] + 1), axis, mode="clip")
            mixed = (BLOCK_PX - missing) * blocks.astype(np.int32) + np.int32(missing) * after + 4
            blocks = (mixed // BLOCK_PX).astype(np.uint8)
    return np.ascontiguousarray(blocks)


def _grid(frame: Frame, scan: Scan) -> _Grid:
    """Units and blocks of the scan's first component (A.2.2, A.2.3)."""
    component = frame.components[scan.header.parts[0][0]]
    extents, highest = (frame.width, frame.height), frame.factors
    own = component.across, component.down
    if len(scan.header.parts) == 1:  # blocks in their own order, whatever the sampling factors
        sizes = [-(-e * f // h) for e, f, h in zip(extents, own, highest, strict=True)]
        return _Grid(-(-sizes[0] // 8), -(-sizes[1] // 8), 1, 1)
    counts = [-(-e // (8 * h)) for e, h in zip(extents, highest, strict=True)]
    return _Grid(counts[0], counts[1], *own)


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """A scan of which all blocks are found: as `_kernels.follow_blocks` takes and gives it."""

    unit: NDArray[np.int64]
    interval: int
    lookups: _Lookups
    places: NDArray[np.uint64]


def _follow(frame: Frame, scan: Scan) -> _Followed:
    """Follow all codes of a scan."""
    grid = _grid(frame, scan)
    pairs: list[tuple[bytes, bytes]] = []
    blocks: list[int] = []
    for at, first, other in scan.header.parts:
        pair = _table(scan, _FIRST, first), _table(scan, _OTHER, other)
        pairs += [pair] if pair not in pairs else []
        n_blocks = 1 if len(scan.header.parts) == 1 else frame.components[at].n_blocks
        blocks += [pairs.index(pair)] * n_blocks
    unit = np.array(blocks)
    n_units = grid.units_across * grid.units_down
    n = n_units * len(unit)
    if n > 4 * len(scan.data):  # of two bits at least
        raise DamagedJpeg("codes")
    interval = scan.restart_interval or n_units
    lookups = _lookups(tuple(pairs))
    places = np.empty(n + 1, np.uint64)
    codes, steps = lookups.codes.ravel(), lookups.steps.ravel()
    if not _kernels.follow_blocks(
        scan.data, scan.ends, unit, n_units, interval, codes, steps, places
    ):
        raise DamagedJpeg("codes")
    return _Followed(unit, interval, lookups, places)


def _table(scan: Scan, kind: int, number: int) -> bytes:
    try:
        table = scan.huffman[kind + number]
    except KeyError as exc:
        raise DamagedJpeg("no Huffman table") from exc
    if kind == _FIRST and any(symbol > _MAX_SIZE for symbol in table[16:]):
        raise DamagedJpeg("Huffman table")
    return table


@dataclass(frozen=True, slots=True, eq=False)
class _Lookups:
    """Tables as `_kernels.fill_lookups` describes them: two rows for each pair."""

    codes: NDArray[np.uint16]
    steps: NDArray[np.uint16]
    values: NDArray[np.int64]


@lru_cache(maxsize=16)
def _lookups(pairs: tuple[tuple[bytes, bytes], ...]) -> _Lookups:
    """Lookup tables; cached, as a scanner writes the same ones again and again."""
    n = 2 * len(pairs)
    codes = np.zeros((n, 65536), np.uint16)
    steps = np.empty((n, 1 << _kernels.STEP_BITS), np.uint16)
    values = np.empty((n, 1 << _kernels.LOOKUP_BITS), np.int64)
    for k, table in enumerate(table for pair in pairs for table in pair):
        lengths = np.repeat(np.arange(1, 17), list(table[:16]))
        symbols = np.frombuffer(table, np.uint8)[16:].astype(np.int64)
        spans = 1 << (16 - lengths)
        if spans.sum() > codes.shape[1]:
            raise DamagedJpeg("Huffman table")
        codes[k, : spans.sum()] = np.repeat(256 * lengths + symbols, spans)
    for k in range(n):
        _kernels.fill_lookups(codes[k], codes[k | 1], k % 2 == 0, steps[k], values[k])
    return _Lookups(codes, steps, values)
