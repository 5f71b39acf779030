"""The decoders of 1-bit pages against libtiff and libpng, which Pillow and OpenCV use."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from pdf_writer import PageSpec, g4_strip, write_pdf
from PIL import Image, TiffImagePlugin

from inkmark.errors import ImageError
from inkmark.images import open_scan
from inkmark.images._fax import DamagedFax, FaxPage, decode_fax
from inkmark.images._png import read_bits


def drawn(seed, shape=None):
    """Black and white of any density and grain: single pixels, or runs up to the whole row."""
    rng = np.random.default_rng(seed)
    shape = shape or (int(rng.integers(1, 60)), int(rng.integers(1, 400 if seed % 3 else 6000)))
    pixels = rng.random(shape) < rng.random() ** 3
    if seed % 2:
        pixels = pixels.repeat(9, axis=1).repeat(4, axis=0)[: shape[0], : shape[1]]
    return np.ascontiguousarray(pixels)


def load(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    with open_scan(path) as scan:
        return scan.load(0).pixels.whole()


@pytest.mark.parametrize("seed", range(60))
def test_group_4_as_libtiff_writes_it(seed):
    pixels = drawn(seed)
    height, width = pixels.shape
    strip = g4_strip(Image.fromarray(pixels))
    assert np.array_equal(decode_fax([strip], FaxPage(width, height, height)), 255 * pixels)
    inverted = decode_fax([strip], FaxPage(width, height, height, white=0))
    assert np.array_equal(inverted, 255 * ~pixels)
    reversed_bits = np.packbits(np.unpackbits(np.frombuffer(strip, np.uint8)), bitorder="little")
    lowest = FaxPage(width, height, height, lowest_first=True)
    assert np.array_equal(decode_fax([reversed_bits.tobytes()], lowest), 255 * pixels)


def test_every_run_length_of_both_colours():
    """Alone in a row each run is coded by its length."""
    pixels = np.ones((2700, 2700), bool)
    for n in range(2700):
        pixels[n, : n + 1] = n % 2
        pixels[n, n + 1 :] = not n % 2
    pixels[1::2] = pixels[1::2][::-1]
    strip = g4_strip(Image.fromarray(pixels))
    assert np.array_equal(decode_fax([strip], FaxPage(2700, 2700, 2700)), 255 * pixels)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("strip_size", [1 << 24, 500])
@pytest.mark.parametrize("orientation", [1, 6, 3])
def test_group_4_in_tiff(tmp_path, photometric, strip_size, orientation):
    pixels = drawn(7, (90, 140))
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262], info[274] = photometric, orientation
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(file, "TIFF", compression="group4", tiffinfo=info, strip_size=strip_size)
    with Image.open(file) as opened:
        opened.load()
        expected = np.asarray(opened.convert("L"))
    assert np.array_equal(load(tmp_path, file.getvalue()), expected)


@pytest.mark.parametrize("entries", ["", "/BlackIs1 true", "/EncodedByteAlign false"])
def test_group_4_in_pdf(tmp_path, entries):
    pixels = drawn(7, (842, 595))
    parms = f"/DecodeParms << /K -1 /Columns 595 /Rows 842 {entries} >>"
    head = "/Width 595 /Height 842 /BitsPerComponent 1 /ColorSpace /DeviceGray"
    spec = PageSpec(f"{head} /Filter /CCITTFaxDecode {parms}", g4_strip(Image.fromarray(pixels)))
    wanted = ~pixels if "BlackIs1" in entries else pixels
    assert np.array_equal(load(tmp_path, write_pdf(spec)), 255 * wanted)


def test_pages_of_a_pdf_are_not_mixed_up(tmp_path):
    pictures = [drawn(seed, (842, 595)) for seed in (2, 4, 2, 8)]
    head = "/Width 595 /Height 842 /BitsPerComponent 1 /ColorSpace /DeviceGray"
    parms = "/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 595 >>"
    specs = [PageSpec(f"{head} {parms}", g4_strip(Image.fromarray(p))) for p in pictures]
    path = tmp_path / "a.pdf"
    path.write_bytes(write_pdf(*specs))
    with open_scan(path) as scan:
        for index in (0, 3, 1, 2, 0):
            assert np.array_equal(scan.load(index).pixels.whole(), 255 * pictures[index])


def test_damaged_group_4_is_never_a_page():
    pixels = drawn(7, (300, 400))
    strip = g4_strip(Image.fromarray(pixels))
    page = FaxPage(400, 300, 300)
    rng = np.random.default_rng(2)
    n_found = 0
    for _ in range(200):
        changed = bytearray(strip)
        changed[int(rng.integers(len(strip) - 8))] ^= 1 << int(rng.integers(8))
        try:
            decode_fax([bytes(changed)], page)
        except DamagedFax:
            n_found += 1
    assert n_found > 190
    for keep in (0, 1, 20, len(strip) // 2, len(strip) - 20):
        with pytest.raises(DamagedFax):
            decode_fax([strip[:keep]], page)
    with pytest.raises(DamagedFax):
        decode_fax([strip, strip], page)


def png(pixels, filters, depth=1):
    """A file with a filter for each row, taken in turn (PNG, 9.2)."""
    packed = np.packbits(pixels, axis=1)
    rows = []
    above = np.zeros(packed.shape[1], np.uint8)
    for y, row in enumerate(packed):
        kind = filters[y % len(filters)]
        left = np.concatenate([[0], row[:-1]]).astype(int)
        corner = np.concatenate([[0], above[:-1]]).astype(int)
        up = above.astype(int)
        guess = left + up - corner
        distances = np.abs(guess - np.stack([left, up, corner]))
        paeth = np.choose(distances.argmin(axis=0), [left, up, corner])
        taken = [0 * left, left, up, (left + up) // 2, paeth][kind]
        rows.append(bytes([kind]) + ((row - taken) % 256).astype(np.uint8).tobytes())
        above = row
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize("filters", [(0,), (1,), (2,), (3,), (4,), (0, 1, 2, 3, 4), (4, 3, 2, 1)])
def test_1_bit_png_with_every_filter(filters):
    for seed in range(6):
        pixels = drawn(seed, (37, 100 + seed))
        data = png(pixels, filters)
        expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(expected, 255 * pixels), "the writer must be right"
        assert np.array_equal(read_bits(data), expected)


def test_damaged_1_bit_png_is_refused(tmp_path):
    sound = png(drawn(3, (80, 120)), (0, 2))
    at = sound.index(b"IDAT") + 30
    for data in (sound[:at] + b"xyz" + sound[at + 3 :], png(drawn(3, (80, 120)), (0,), depth=3)):
        assert read_bits(data) is None
        with pytest.raises(ImageError):
            load(tmp_path, data)


def test_a_png_bomb_is_not_unpacked():
    """More data than the header declares pixels is not one of the files that are read here."""
    head = struct.pack(">IIBBBBB", 100, 100, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(50_000_000))), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    assert read_bits(data) is None
