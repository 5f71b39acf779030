"""Following the codes of a scan from several places at once, against a plain twin."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from inkmark.images import _blocks, _byte_kernels, _kernels
from inkmark.images._jpeg import DamagedJpeg, read_jpeg


def followed(frame, scan):
    """Places and first coefficients of the first component's blocks; None where damaged."""
    try:
        found = _blocks._follow(frame, scan)
    except DamagedJpeg:
        return None
    grid = _blocks._grid(frame, scan)
    means = np.full(grid.n_blocks, -7, np.int16)
    _kernels.read_firsts(
        *(scan.data, (len(found.unit), grid.across * grid.down), found.interval),
        *(found.lookups.codes[0], found.lookups.values[0], found.places, means),
    )
    return found.places[: len(means)].tolist(), means.tolist()


class Bits:
    """The bits of some data, and zeros behind it."""

    def __init__(self, data):
        self.text = "".join(f"{byte:08b}" for byte in data.tolist())
        self.at = 0

    def take(self, n):
        self.at += n
        return int("0" + self.text[self.at - n : self.at].ljust(n, "0"), 2)

    def value(self, size):
        bits = self.take(size)
        return bits if size == 0 or bits >> (size - 1) else bits - (1 << size) + 1

    def symbol(self, table):
        """The symbol of a code; None where there is none (F.2.2.3)."""
        code, first, place = 0, 0, 0
        for length in range(16):
            code = 2 * code + self.take(1)
            if code - first < table[length]:
                return table[16 + place + code - first]
            place += table[length]
            first = 2 * (first + table[length])
        return None


def is_ended(bits, table):
    """Go over the other coefficients of a block; whether they are 63 at most, and coded."""
    k = 1
    while k < 64:
        symbol = bits.symbol(table)
        if symbol is None:
            return False
        bits.take(symbol & 15)
        if symbol & 15 == 0 and symbol != 0xF0:
            return True
        k += (symbol >> 4) + 1
    return k == 64


def plainly_followed(frame, scan):
    """The twin of `follow_blocks` and `read_firsts`: one symbol after the other."""
    bits = Bits(scan.data)
    grid = _blocks._grid(frame, scan)
    is_alone = len(scan.header.parts) == 1
    n_units = grid.units_across * grid.units_down
    interval = scan.restart_interval or n_units
    if len(scan.ends) != -(-n_units // interval):
        return None
    places, means = [], []
    stop, predicted = 0, 0
    for number in range(n_units):
        if number % interval == 0:
            if -(-bits.at // 8) * 8 != stop:
                return None
            bits.at, predicted = stop, 0
            stop = 8 * int(scan.ends[number // interval])
        for at, first, other in scan.header.parts:
            for _ in range(1 if is_alone else frame.components[at].n_blocks):
                size = bits.symbol(scan.huffman[first])
                if size is None:
                    return None
                difference = bits.value(size)
                if at == 0:
                    predicted += difference
                    means.append((predicted + 32768) % 65536 - 32768)
                    places.append(bits.at)
                if not is_ended(bits, scan.huffman[16 + other]) or bits.at > stop:
                    return None
    return (places, means) if -(-bits.at // 8) * 8 == stop else None


def picture(shape, seed):
    """Noise above, a slope in the middle, white below: blocks of many lengths."""
    rng = np.random.default_rng(seed)
    pixels = np.full((*shape, 3), 255.0)
    third = shape[0] // 3
    pixels[:third] = rng.integers(0, 256, (third, shape[1], 3))
    pixels[third : 2 * third] = np.linspace(0, 255, shape[1])[:, None]
    noisy = pixels + rng.normal(0, 2, pixels.shape)
    return cv2.GaussianBlur(np.clip(noisy, 0, 255).astype(np.uint8), (3, 3), 0)


def encoded(pixels, mode, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return read_jpeg(file.getvalue())


KINDS = {
    "grey": ("L", {}),
    "fine": ("L", {"quality": 98}),
    "own tables": ("L", {"optimize": True}),
    "restarts": ("L", {"restart_marker_blocks": 29}),
    "4:4:4": ("RGB", {"subsampling": 0}),
    "4:2:0": ("RGB", {"subsampling": 2}),
    "4:2:0, own tables, restarts": (
        "RGB",
        {"subsampling": 2, "optimize": True, "restart_marker_rows": 2},
    ),
}


@pytest.mark.parametrize("shape", [(240, 200), (33, 47), (8, 8)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_whole_scans_are_followed_as_in_plain_python(kind, shape):
    mode, options = KINDS[kind]
    jpeg = encoded(picture(shape, 4), mode, **options)
    (scan,) = jpeg.scans
    expected = plainly_followed(jpeg.frame, scan)
    assert expected is not None
    assert followed(jpeg.frame, scan) == expected


@pytest.mark.parametrize("interval", range(1, 9))
@pytest.mark.parametrize("subsampling", [0, 2], ids=["4:4:4", "4:2:0"])
def test_blocks_met_further_on_than_where_they_are_said_to_be(subsampling, interval):
    """In short intervals, a guess from the middle may number blocks ahead of the true ones."""
    for seed in range(4):
        for quality in (25, 60, 90):
            options = {"quality": quality, "restart_marker_blocks": interval}
            jpeg = encoded(picture((48, 80), seed), "RGB", subsampling=subsampling, **options)
            (scan,) = jpeg.scans
            expected = plainly_followed(jpeg.frame, scan)
            assert expected is not None
            assert followed(jpeg.frame, scan) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_scans_are_followed_as_in_plain_python(kind):
    mode, options = KINDS[kind]
    jpeg = encoded(picture((96, 104), 5), mode, **options)
    (scan,) = jpeg.scans
    rng = np.random.default_rng(6)
    outcomes = []
    for _ in range(60):
        data, ends = scan.data.copy(), scan.ends.copy()
        for at in rng.integers(0, ends[-1], rng.integers(1, 3)):
            data[at] ^= 1 << rng.integers(0, 8)
        if rng.random() < 0.2:
            ends[rng.integers(0, len(ends))] -= rng.integers(0, 3)
        damaged = replace(scan, data=data, ends=ends)
        expected = plainly_followed(jpeg.frame, damaged)
        assert followed(jpeg.frame, damaged) == expected
        outcomes.append(expected is None)
    assert 0 < sum(outcomes) < 60


@pytest.mark.parametrize("n", [1, 2, 3, 5, 24, 150, 151])
@pytest.mark.parametrize("n_bytes_more", [-1, 0, 1])
def test_blocks_that_begin_at_even_bits_are_never_met_from_odd_ones(n, n_bytes_more):
    """All codes are one bit that says nothing; no more is written than there is room for."""
    data = np.zeros(100 + _byte_kernels.SLACK_BYTES, np.uint8)
    codes = np.full(65536, 256, np.uint16)
    steps = np.zeros((2, 1 << _kernels.STEP_BITS), np.uint16)
    values = np.zeros(1 << _kernels.LOOKUP_BITS, np.int64)
    for row, is_first in enumerate((True, False)):
        _kernels.fill_lookups(codes, codes, is_first, steps[row], values)
    places = np.full(n + 9, 7, np.uint64)
    whole = _kernels.follow_blocks(
        *(data, np.array([-(-n // 4) + n_bytes_more]), np.array([0]), n, n),
        *(np.tile(codes, 2), steps.ravel(), places[: n + 1]),
    )
    assert whole == (n_bytes_more == 0)
    assert (places[n + 1 :] == 7).all()
    if whole:
        assert (places[: n + 1] >> np.uint64(8)).tolist() == list(range(0, 2 * n + 2, 2))


def test_intervals_that_are_too_many_or_too_few_are_damage():
    jpeg = encoded(picture((64, 64), 7), "L", restart_marker_blocks=5)
    (scan,) = jpeg.scans
    assert followed(jpeg.frame, scan) is not None
    for interval in (4, 6, 64, 0):
        assert followed(jpeg.frame, replace(scan, restart_interval=interval)) is None
