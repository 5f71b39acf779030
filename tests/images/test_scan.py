from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from inkmark.errors import ImageError
from inkmark.images import ImageLimits, open_scan
from inkmark.readings import PageSource


def load(path, index=0, **options):
    with open_scan(path) as scan:
        return scan.load(index, **options)


def refused(path, **options):
    with pytest.raises(ImageError) as caught, open_scan(path, **options) as scan:
        scan.load(0)
    assert caught.value.source.startswith(str(path))
    assert str(caught.value).endswith(".")  # it says what to do
    return caught.value.reason


def save(path, image, **options):
    image.save(path, **options)
    return path


def load_colour(path):
    with open_scan(path) as scan:
        return scan.load_colour(0)


def difference(a, b):
    assert a.shape == b.shape
    return np.abs(a.astype(int) - b.astype(int)).mean()


def test_jpeg_comes_out_grey_with_its_resolution_and_identity(tmp_path, page):
    path = save(
        tmp_path / "a.bin", Image.fromarray(page), format="JPEG", quality=92, dpi=(150, 150)
    )
    image = load(path)
    assert image.pixels.whole().dtype == np.uint8
    assert difference(image.pixels.whole(), page) < 3
    assert image.dpi == pytest.approx(150)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert image.source == PageSource(str(path), 0, digest)


def test_colour_is_bgr_and_its_grey_is_the_luma(tmp_path):
    red = np.zeros((60, 80, 3), np.uint8)
    red[:] = (255, 0, 0)
    for name in ("a.jpg", "a.png", "a.tif"):
        path = save(tmp_path / name, Image.fromarray(red))
        b, g, r = load_colour(path)[30, 40].astype(int)
        assert (b < 5, g < 5, r > 250) == (True, True, True), name
        assert load(path).pixels.whole()[30, 40] == pytest.approx(76, abs=2), name


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_every_exif_orientation_is_undone(tmp_path, page, orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a"
    options = {"exif": exif} if form != "TIFF" else {"tiffinfo": {274: orientation}}
    # what a camera stores so that the viewer's turn restores the page
    stored = {
        1: page,
        2: page[:, ::-1],
        3: page[::-1, ::-1],
        4: page[::-1],
        5: page.T,
        6: page.T[::-1],
        7: page.T[::-1, ::-1],
        8: page.T[:, ::-1],
    }[orientation]
    save(path, Image.fromarray(np.ascontiguousarray(stored)), format=form, **options)
    assert difference(load(path).pixels.whole(), page) < 4
    assert difference(load_colour(path)[:, :, 1], page) < 4


@pytest.mark.parametrize(
    ("image", "tolerance"),
    [
        (Image.fromarray, 0),
        (lambda p: Image.fromarray(p).convert("RGB"), 0),
        (lambda p: Image.fromarray(p.astype(np.uint16) * 257), 1),
        (lambda p: Image.fromarray(p).convert("LA"), 0),
        (lambda p: Image.fromarray(p).convert("RGBA"), 0),
        (lambda p: Image.fromarray(p).quantize(256), 4),
    ],
    ids=["grey", "colour", "16 bit", "grey alpha", "colour alpha", "palette"],
)
def test_png_of_every_kind(tmp_path, page, image, tolerance):
    path = save(tmp_path / "a.png", image(page), dpi=(200, 200))
    loaded = load(path)
    assert difference(loaded.pixels.whole(), page) <= tolerance
    assert loaded.dpi == pytest.approx(200, abs=0.1)
    assert load_colour(path).shape == (*page.shape, 3)


def test_one_bit_png(tmp_path, page):
    bilevel = page > 128
    path = save(tmp_path / "a.png", Image.fromarray(bilevel))
    assert np.array_equal(load(path).pixels.whole(), bilevel * np.uint8(255))


def test_transparent_png_is_ink_on_white_paper(tmp_path):
    rgba = np.zeros((50, 40, 4), np.uint8)  # black everywhere, but nothing is to be seen
    rgba[10:20, 10:20, 3] = 255
    path = save(tmp_path / "a.png", Image.fromarray(rgba))
    pixels = load(path).pixels.whole()
    assert pixels[15, 15] == 0
    assert pixels[40, 5] == 255


TIFF_KINDS = {
    "G4": ("1", {"compression": "group4"}),
    "G3": ("1", {"compression": "group3"}),
    "1 bit": ("1", {}),
    "grey": ("L", {}),
    "grey LZW": ("L", {"compression": "tiff_lzw"}),
    "grey deflate": ("L", {"compression": "tiff_adobe_deflate"}),
    "palette": ("P", {}),
    "colour": ("RGB", {"compression": "tiff_lzw"}),
    "CMYK": ("CMYK", {}),
}


@pytest.mark.parametrize("kind", TIFF_KINDS)
def test_tiff_of_every_kind(tmp_path, page, kind):
    mode, options = TIFF_KINDS[kind]
    source = Image.fromarray(page)
    image = source.convert("1", dither=Image.Dither.NONE) if mode == "1" else source.convert(mode)
    path = save(tmp_path / "a.dat", image, format="TIFF", dpi=(300, 300), **options)
    loaded = load(path)
    expected = np.where(page > 127, 255, 0).astype(np.uint8) if mode == "1" else page
    assert difference(loaded.pixels.whole(), expected) < (0.001 if mode != "CMYK" else 2)
    assert loaded.dpi == pytest.approx(300)
    assert load_colour(path).shape == (*page.shape, 3)


@pytest.mark.parametrize("compression", [None, "group4"])
def test_tiff_where_white_is_zero(tmp_path, page, compression):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262] = 0
    bilevel = Image.fromarray(page > 127)
    path = save(tmp_path / "a.tif", bilevel, compression=compression, tiffinfo=info)
    assert np.array_equal(load(path).pixels.whole(), np.where(page > 127, 255, 0))


def test_16_bit_tiff_is_reduced_to_8(tmp_path, page):
    path = save(tmp_path / "a.tif", Image.fromarray(page.astype(np.uint16) * 256))
    assert np.array_equal(load(path).pixels.whole(), page)


def test_pages_of_a_tiff_load_in_any_order(tmp_path, page):
    pages = [Image.fromarray(np.ascontiguousarray(p)) for p in (page, page[::-1], page[:300])]
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    with open_scan(path) as scan:
        assert scan.n_pages == 3
        for index in (2, 0, 1, 1):
            assert np.array_equal(scan.load(index).pixels.whole(), np.asarray(pages[index]))
        assert scan.load(2).source.page_index == 2
        with pytest.raises(IndexError):
            scan.load(3)


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [
        ((200, 200), 200.0),
        ((200, 196), 198.0),
        ((204, 98), None),
        ((1, 1), None),
        ((9999, 9999), None),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_resolution_is_none_where_no_page_can_have_it(tmp_path, page, form, dpi, expected):
    path = save(tmp_path / "a", Image.fromarray(page), format=form, dpi=dpi)
    assert load(path).dpi == (expected if expected is None else pytest.approx(expected, abs=0.2))


def test_a_full_page_that_says_72_dpi_says_nothing(tmp_path):
    a4_at_200 = Image.new("L", (1654, 2339), 255)
    assert load(save(tmp_path / "a.jpg", a4_at_200, dpi=(72, 72))).dpi is None


def test_resolution_in_pixels_a_centimetre(tmp_path, page):
    save(tmp_path / "a.tif", Image.fromarray(page), resolution_unit=3, resolution=(80.0))
    assert load(tmp_path / "a.tif").dpi == pytest.approx(203.2)


def test_a_damaged_exif_block_costs_only_the_exif(tmp_path, page):
    path = save(tmp_path / "a.jpg", Image.fromarray(page), exif=Image.Exif())
    data = path.read_bytes()
    block = b"Exif\0\0II*\0\xff\xff\xff\x7f"
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    path.write_bytes(data[:2] + segment + data[2:])
    assert load(path).pixels.whole().shape == page.shape


# Hostile and broken files


def encoded(page, form, **options):
    out = io.BytesIO()
    Image.fromarray(page).save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.95, 0.999])
def test_truncated_files_are_refused(tmp_path, page, form, keep):
    options = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    data = encoded(page, form, **options)
    path = tmp_path / "a"
    path.write_bytes(data[: int(len(data) * keep)])
    reason = refused(path)
    assert "ends before" in reason or "no image data" in reason


def test_a_jpeg_whose_end_is_zeros_is_refused(tmp_path, page):
    data = encoded(page, "JPEG")
    half = len(data) // 2
    (tmp_path / "a.jpg").write_bytes(data[:half] + bytes(half))
    assert "ends before" in refused(tmp_path / "a.jpg")


def test_an_embedded_thumbnail_does_not_hide_a_truncated_jpeg(tmp_path, page):
    data = encoded(page, "JPEG")
    thumbnail = encoded(page[::8, ::8], "JPEG")
    block = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + thumbnail
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    whole = data[:2] + segment + data[2:]
    path = tmp_path / "a.jpg"
    path.write_bytes(whole)
    assert load(path).pixels.whole().shape == page.shape
    path.write_bytes(whole[:-500])
    assert "ends before" in refused(path)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_bytes_after_the_end_do_no_harm(tmp_path, page, form):
    path = tmp_path / "a"
    path.write_bytes(encoded(page, form) + bytes(100))
    assert load(path).pixels.whole().shape == page.shape


def test_a_png_with_a_wrong_byte_is_refused(tmp_path, page):
    data = bytearray(encoded(page, "PNG"))
    data[len(data) // 2] ^= 0x55
    (tmp_path / "a.png").write_bytes(bytes(data))
    assert refused(tmp_path / "a.png") == "the image data is damaged"


def huge_png():
    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def huge_jpeg():
    frame = struct.pack(">BHHB", 8, 60_000, 60_000, 1) + b"\x01\x11\x00"
    segment = b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
    return b"\xff\xd8" + segment + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\xff\xd9"


def huge_tiff(order="<", count=1):
    """A classic TIFF that declares 100,000 x 100,000 pixels in a few bytes."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    out = mark + struct.pack(order + "I", 8)
    for i in range(count):
        entries = [(256, 100_000), (257, 100_000), (258, 1), (273, 8), (279, 4)]
        out += struct.pack(order + "H", len(entries))
        for tag, value in entries:
            out += struct.pack(order + "HHII", tag, 4, 1, value)
        following = len(out) + 4 if i + 1 < count else 0
        out += struct.pack(order + "I", following)
    return out


@pytest.mark.parametrize("data", [huge_png(), huge_jpeg(), huge_tiff("<"), huge_tiff(">")])
def test_a_huge_declared_size_is_refused_before_decoding(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    assert "more than the limit of 80,000,000" in refused(path)


def test_limits_are_options(tmp_path, page):
    path = save(tmp_path / "a.png", Image.fromarray(page))
    assert "pixels" in refused(path, limits=ImageLimits(max_pixels=page.size - 1))
    assert "bytes" in refused(path, limits=ImageLimits(max_file_bytes=100))
    path.write_bytes(huge_tiff(count=4))
    assert "more than 3 pages" in refused(path, limits=ImageLimits(max_pages=3))


def test_a_tiff_whose_directories_run_in_a_circle_ends(tmp_path, page):
    data = bytearray(encoded(page, "TIFF"))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    (tmp_path / "a.tif").write_bytes(bytes(data))
    with open_scan(tmp_path / "a.tif") as scan:
        assert scan.n_pages == 1


def test_a_tiff_that_claims_more_values_than_bytes_is_refused(tmp_path):
    data = bytearray(huge_tiff())
    struct.pack_into("<I", data, 8 + 2 + 3 * 12 + 4, 0xFFFFFFFF)  # count of strip offsets
    (tmp_path / "a.tif").write_bytes(bytes(data))
    assert "ends before" in refused(tmp_path / "a.tif")


def test_what_is_no_image_is_named(tmp_path):
    path = tmp_path / "Thumbs.jpg"
    path.write_bytes(b"PK\x03\x04 not an image at all")
    assert refused(path) == "it is not an image that inkmark reads"
    path.write_bytes(b"")
    assert refused(path) == "the file is empty"
    assert refused(tmp_path / "none.jpg") == "there is no such file"
    assert refused(tmp_path) == "it is a folder"


def test_what_stands_in_the_place_of_a_file_is_said(tmp_path):
    link, loop, pipe, device = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"))
    link.symlink_to(tmp_path / "gone.jpg")
    loop.symlink_to(loop)
    device.symlink_to("/dev/zero")
    os.mkfifo(pipe)
    assert refused(link) == refused(loop) == "it is a link to a file that is not there"
    assert refused(pipe) == refused(device) == "it is a device or a pipe, not a file"


@pytest.mark.parametrize(("compression", "most"), [("tiff_adobe_deflate", 0), ("jpeg", 3)])
def test_one_damaged_page_leaves_the_others(tmp_path, page, compression, most):
    pages = [Image.fromarray(np.ascontiguousarray(p)) for p in (page, page[::-1])]
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], compression=compression)
    data = bytearray(path.read_bytes())
    with Image.open(path) as image:
        start = image.tag_v2[273][0]
    data[start : start + 40] = bytes(40)
    path.write_bytes(bytes(data))
    with open_scan(path) as scan:
        with pytest.raises(ImageError, match="damaged"):
            scan.load(0)
        assert difference(scan.load(1).pixels.whole(), np.asarray(pages[1])) <= most


def test_real_photos_load_as_cv2_loads_them(omrchecker_dir):
    for path in sorted(omrchecker_dir.rglob("*.jpg"))[:8]:
        expected = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        difference = load(path).pixels.whole().astype(int) - expected
        assert np.abs(difference).max() <= 1, path


def test_a_png_file_with_far_more_data_than_pixels_is_refused(tmp_path):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    path = tmp_path / "long.png"
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 50, 70, 8, 0, 0, 0, 0))
    overlong = zlib.compress(bytes(10_000_000))
    path.write_bytes(start + chunk(b"IDAT", overlong) + chunk(b"IEND", b""))
    assert refused(path) == "it holds far more image data than its size asks for"


def written(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    return path


def test_of_damaged_files_nothing_is_said_on_stderr(tmp_path, capfd):
    rows = np.random.default_rng(3).integers(0, 255, (90, 70), dtype=np.uint8)
    grey = Image.fromarray(rows)
    for form, options in (("PNG", {}), ("JPEG", {"progressive": True})):
        out = io.BytesIO()
        grey.save(out, form, **options)
        data = bytearray(out.getvalue())
        middle = len(data) // 2
        data[middle : middle + 30] = bytes(30)
        # Codes of progressive files are not followed, their damage is not always told.
        with pytest.raises(ImageError) if form == "PNG" else nullcontext():
            load(written(tmp_path, bytes(data)))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", [b"IDAT", b"pHYs"])
def test_a_png_file_whose_checksums_do_not_fit_is_damaged(tmp_path, kind):
    out = io.BytesIO()
    Image.new("L", (70, 90), 40).save(out, "PNG", dpi=(200, 200))
    data = bytearray(out.getvalue())
    at = data.index(kind)
    length = int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 + length] ^= 1
    with pytest.raises(ImageError, match="the image data is damaged"):
        load(written(tmp_path, bytes(data)))


def test_one_transparent_grey_of_a_png_file_is_paper(tmp_path):
    rows = np.full((90, 70), 1000, np.uint16)
    rows[20:30] = 40_000
    rows[50:60] = 60_000
    for deep in (rows, (rows >> 8).astype(np.uint8)):
        out = io.BytesIO()
        Image.fromarray(deep).save(out, "PNG", transparency=int(deep[0, 0]))
        pixels = load(written(tmp_path, out.getvalue())).pixels.whole()
        assert (pixels[:20] == 255).all()
        assert (pixels[20:30] == 40_000 >> 8).all()
        assert (pixels[50:60] == 60_000 >> 8).all()
