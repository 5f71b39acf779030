"""Damage in the coded data of a file is found, and no whole file is taken for damaged."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from inkmark.errors import ImageError
from inkmark.images import ImageLimits, open_scan
from inkmark.images._blocks import check_codes
from inkmark.images._jpeg import DamagedJpeg, read_jpeg

KINDS = {
    "plain": {},
    "not subsampled": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "own tables": {"optimize": True},
    "restarts": {"restart_marker_blocks": 7},
    "coarse": {"quality": 20},
    "fine": {"quality": 100},
}


def encoded(pixels, mode="L", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def load(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    with open_scan(path) as scan:
        return scan.load(0).pixels.whole()


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def damaged():
    """A page of print, larger than `page`, so that damage lies well inside."""
    pixels = np.full((900, 700), 250, np.uint8)
    for y in range(40, 880, 40):
        cv2.putText(pixels, "A B C D 1 2 3", (30, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 30, 2)
    return np.clip(pixels + np.random.default_rng(1).normal(0, 4, pixels.shape), 0, 255).astype(
        np.uint8
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_whole(page, kind, mode):
    check_codes(read_jpeg(encoded(page, mode, **KINDS[kind])))


def test_whole_progressive_files_are_whole(tmp_path, page):
    data = encoded(page, "RGB", progressive=True)
    assert load(tmp_path, data).shape == page.shape


def test_white_and_middle_grey_pages_are_whole(tmp_path):
    for grey in (255, 128):
        flat = np.full((900, 700), grey, np.uint8)
        flat[100:110] = 0
        for options in ({}, {"optimize": True}):
            assert load(tmp_path, encoded(flat, **options)).shape == flat.shape


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [0.2, 0.5, 0.8, 0.97])
def test_a_file_that_was_cut_and_closed_is_refused(tmp_path, damaged, kind, keep):
    data = encoded(damaged, **KINDS[kind])
    with pytest.raises(ImageError, match=r"damaged|decoded|ends"):
        load(tmp_path, data[: int(len(data) * keep)] + b"\xff\xd9")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("n_bytes", [32, 256, 4096])
def test_bytes_that_were_zeroed_are_found(tmp_path, damaged, share, n_bytes):
    data = bytearray(encoded(damaged))
    at = int(len(data) * share)
    data[at : at + n_bytes] = bytes(n_bytes)
    with pytest.raises(ImageError, match="damaged"):
        load(tmp_path, bytes(data[:-2]) + b"\xff\xd9")


def test_a_missing_piece_is_found(tmp_path, damaged):
    data = encoded(damaged)
    for share in (0.3, 0.6, 0.9):
        at = int(len(data) * share)
        with pytest.raises(ImageError, match="damaged"):
            load(tmp_path, data[:at] + data[at + 256 :])


def test_markers_that_belong_to_no_whole_file_are_found(tmp_path, damaged):
    progressive = encoded(damaged, progressive=True)
    with pytest.raises(ImageError, match="damaged"):  # the last scans are missing
        load(tmp_path, progressive[: len(progressive) // 5] + b"\xff\xd9")
    restarts = encoded(damaged, restart_marker_blocks=50)
    with pytest.raises(ImageError, match="damaged"):  # one restart marker twice
        load(tmp_path, restarts.replace(b"\xff\xd3", b"\xff\xd2", 1))
    plain = bytearray(encoded(damaged))
    plain[len(plain) // 2 : len(plain) // 2 + 2] = b"\xff\x5a"
    with pytest.raises(ImageError, match="damaged"):
        load(tmp_path, bytes(plain))


def test_every_code_is_followed(damaged):
    """One changed byte most often leaves codes that do not add up."""
    data = encoded(damaged)
    found = 0
    for at in np.linspace(len(data) * 0.2, len(data) * 0.9, 40).astype(int).tolist():
        changed = bytearray(data)
        changed[at] ^= 0x5A
        try:
            check_codes(read_jpeg(bytes(changed)))
        except DamagedJpeg:
            found += 1
    assert found >= 15


@pytest.mark.parametrize("compression", ["group4", "jpeg"])
def test_a_hole_in_a_tiff_that_the_decoder_only_warns_of(tmp_path, damaged, compression):
    image = Image.fromarray(damaged)
    file = io.BytesIO()
    (image.point(lambda v: 255 * (v > 128), "1") if compression == "group4" else image).save(
        file, "TIFF", compression=compression
    )
    data = bytearray(file.getvalue())
    assert load(tmp_path, bytes(data)).shape == damaged.shape
    at = len(data) // 2
    data[at : at + 200] = bytes(200)
    with pytest.raises(ImageError, match="damaged"):
        load(tmp_path, bytes(data))


def jpeg_tiff(stream, starts, *, length=None, tables=b""):
    """A grey TIFF page of 64 x 64 pixels a strip, each at some place of a JPEG stream."""
    n = len(starts)
    where, lengths = 8 + len(stream), [length or len(stream)] * n
    lists = struct.pack(f"<{2 * n}I", *(8 + start for start in starts), *lengths) + tables
    first, second = (where, where + 4 * n) if n > 1 else (8 + starts[0], lengths[0])
    entries = [(256, 4, 1, 64), (257, 4, 1, 64 * n), (258, 4, 1, 8), (259, 4, 1, 7)]
    entries += [(262, 4, 1, 1), (273, 4, n, first), (277, 4, 1, 1), (278, 4, 1, 64)]
    entries += [(279, 4, n, second), *([(347, 7, len(tables), where + 8 * n)] if tables else [])]
    out = b"II*\0" + struct.pack("<I", where + len(lists)) + stream + lists
    out += struct.pack("<H", len(entries))
    return out + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)


@pytest.fixture
def square():
    return encoded(np.random.default_rng(8).integers(0, 256, (64, 64)).astype(np.uint8))


def test_a_strip_of_a_tiff_that_says_it_has_no_pixels(tmp_path, square):
    frame = square.index(b"\xff\xc0")
    assert load(tmp_path, jpeg_tiff(square, [0])).shape == (64, 64)
    for at in (frame + 5, frame + 7):  # height, width
        empty = square[:at] + b"\0\0" + square[at + 2 :]
        with pytest.raises(ImageError, match="damaged"):
            load(tmp_path, jpeg_tiff(empty, [0]))
        with pytest.raises(DamagedJpeg, match="size"):
            read_jpeg(empty)


def test_strips_of_a_tiff_have_bytes_of_their_own(tmp_path, square):
    two = jpeg_tiff(2 * square, [0, len(square)], length=len(square))
    assert load(tmp_path, two).shape == (128, 64)
    with pytest.raises(ImageError, match="the same bytes"):
        load(tmp_path, jpeg_tiff(square, [0] * 20))


def test_strips_are_followed_only_where_the_page_is_not_too_large(tmp_path, square):
    path = tmp_path / "a.tif"
    path.write_bytes(jpeg_tiff(square[:-40] + square[-2:], [0]))
    for limits, reason in ((ImageLimits(), "damaged"), (ImageLimits(max_pixels=4095), "more than")):
        with open_scan(path, limits=limits) as scan, pytest.raises(ImageError, match=reason):
            scan.load(0)


@pytest.mark.parametrize("tables", [bytes(4097), b"\xff\xd8\xff\xe0\xff\xf0\xff\xd9"])
def test_tables_of_a_tiff_that_are_too_long_or_no_tables(tmp_path, square, tables):
    with pytest.raises(ImageError, match="damaged"):
        load(tmp_path, jpeg_tiff(square, [0], tables=tables))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "PDF"])
@pytest.mark.parametrize("colour", [False, True])
def test_pixels_may_be_written_to(tmp_path, page, form, colour):
    path = tmp_path / "a"
    Image.fromarray(page).save(path, format=form)
    with open_scan(path) as scan:
        pixels = scan.load_colour(0) if colour else scan.load(0).pixels.whole()
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous
