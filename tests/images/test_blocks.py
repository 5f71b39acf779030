"""The decoder of JPEG blocks against libjpeg, which OpenCV and Pillow use."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from inkmark.images import _byte_kernels, open_scan
from inkmark.images._blocks import jpeg_pixels
from inkmark.images._jpeg import DamagedJpeg, read_jpeg
from inkmark.images.pixels import Pixels

UPRIGHT = (False, False, False)
TURNS = [(t, x, y) for t in (False, True) for x in (False, True) for y in (False, True)]
SIZES = [(400, 283), (8, 8), (1, 1), (17, 33), (64, 48), (31, 7), (100, 16)]


def encoded(pixels, mode="L", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def reference(data, turn=UPRIGHT):
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    pixels = pixels.T if turn[0] else pixels
    return pixels[:: -1 if turn[2] else 1, :: -1 if turn[1] else 1]


def pixels_of(data, turn=UPRIGHT):
    pixels = jpeg_pixels(read_jpeg(data), turn)
    assert pixels is not None
    return pixels


def differs(a, b):
    return np.abs(a.astype(int) - b).max()


def sampled(shape, seed=3):
    """A picture of print, noise and flat parts."""
    rng = np.random.default_rng(seed)
    pixels = np.full(shape, 240.0)
    for _ in range(12):
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        pixels[y : y + 9, x : x + 30] = rng.integers(0, 255)
    pixels[: shape[0] // 2] += rng.normal(0, 10, (shape[0] // 2, shape[1]))
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("factors", ["11", "21", "22", "12", "41"])
def test_each_sampling_and_size_decodes_as_libjpeg_does(shape, factors):
    colour = np.repeat(sampled(shape)[:, :, None], 3, axis=2)
    colour[..., 1] //= 2
    factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR
    wanted = int(f"0x{factors}1111", 16)
    data = cv2.imencode(".jpg", colour, [factor, wanted])[1].tobytes()
    pixels = pixels_of(data)
    assert pixels.shape == shape
    assert differs(pixels.whole(), reference(data)) <= 1


@pytest.mark.parametrize("quality", [1, 10, 50, 90, 100])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_blocks": 5}], ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_each_quality_table_and_restart_interval(mode, options, quality):
    data = encoded(sampled((150, 210)), mode, quality=quality, **options)
    assert differs(pixels_of(data).whole(), reference(data)) <= 1


def test_noise_of_full_range():
    noise = np.random.default_rng(5).integers(0, 256, (90, 110)).astype(np.uint8)
    for quality in (30, 95, 100):
        data = encoded(noise, quality=quality)
        assert differs(pixels_of(data).whole(), reference(data)) <= 1


def test_one_component_with_sampling_factors_of_its_own():
    data = encoded(sampled((75, 90)))
    at = data.index(b"\xff\xc0") + 11
    changed = data[:at] + b"\x22" + data[at + 1 :]
    assert data[at] == 0x11
    assert np.array_equal(pixels_of(changed).whole(), pixels_of(data).whole())


@pytest.mark.parametrize("turn", TURNS, ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_windows_are_parts_of_the_whole_in_whatever_order(turn, mode):
    data = encoded(sampled((203, 301)), mode)
    whole = pixels_of(data, turn).whole()
    assert differs(whole, reference(data, turn)) <= 1
    rng = np.random.default_rng(1)
    pixels = pixels_of(data, turn)
    for _ in range(30):
        x, y = rng.integers(-20, whole.shape[1]), rng.integers(-20, whole.shape[0])
        box = np.array([[x, y, x + rng.integers(0, 70), y + rng.integers(0, 70)], [3, 4, 2, 1]])
        seen = pixels.at(box)
        assert seen.shape == whole.shape
        part = np.s_[max(0, y) : max(0, box[0, 3]), max(0, x) : max(0, box[0, 2])]
        assert np.array_equal(seen[part], whole[part])
    assert np.array_equal(pixels.whole(), whole)


def test_boxes_outside_of_the_page_and_none_at_all():
    pixels = pixels_of(encoded(sampled((50, 60))))
    far = np.iinfo(np.int64)
    for boxes in ([[far.min, far.min, far.max, 9]], [[70, 80, 90, 99]], np.empty((0, 4))):
        assert pixels.at(np.array(boxes, dtype=np.int64)).shape == (50, 60)


@pytest.mark.parametrize("turn", TURNS, ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_coarse_shows_the_mean_of_each_block(turn, mode):
    slope = np.add.outer(0.6 * np.arange(203), 0.4 * np.arange(301)).astype(np.uint8)
    data = encoded(slope, mode, quality=95)
    coarse = pixels_of(data, turn).coarse()
    expected = Pixels.of(reference(data, turn)).coarse()
    assert coarse.shape == expected.shape
    assert differs(coarse[:-1, :-1], expected[:-1, :-1]) <= 1
    assert differs(coarse, expected) <= 4


@pytest.mark.parametrize(
    "data",
    [
        encoded(sampled((60, 60)), "RGB", progressive=True),
        encoded(sampled((60, 60)), "CMYK"),
        encoded(sampled((60, 60)), "RGB", keep_rgb=True),
    ],
    ids=["progressive", "CMYK", "RGB"],
)
def test_other_kinds_are_left_to_libjpeg(tmp_path, data):
    assert jpeg_pixels(read_jpeg(data), UPRIGHT) is None
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with open_scan(path) as scan:
        assert np.array_equal(scan.load(0).pixels.whole(), reference(data))


@pytest.mark.parametrize("marker", [b"\xff\xdb", b"\xff\xc4"])
def test_a_missing_table_is_damage(marker):
    data = encoded(sampled((60, 60)))
    at = data.index(marker)
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    with pytest.raises(DamagedJpeg):
        jpeg_pixels(read_jpeg(data[:at] + data[at + 2 + length :]), UPRIGHT)


def test_fill_bytes_stand_before_markers():
    plain = encoded(sampled((60, 60)), restart_marker_blocks=3)
    filled = plain.replace(b"\xff\xd1", b"\xff\xff\xff\xd1").replace(b"\xff\xd9", b"\xff\xff\xd9")
    assert len(filled) > len(plain)
    assert np.array_equal(pixels_of(filled).whole(), pixels_of(plain).whole())


def joined(coded):
    """The twin of `_byte_kernels.join_stretches`: intervals between restart markers, joined."""
    out, ends, at = bytearray(), [], 0
    while at < len(coded) - 1:
        kind = coded[at + 1]
        if coded[at] != 0xFF or kind == 0:
            out.append(coded[at])
            at += 2 if coded[at] == 0xFF else 1
        elif kind == 0xFF:
            at += 1
        else:
            ends.append(len(out))
            if not 0xD0 <= kind <= 0xD7:
                return bytes(out), ends, at
            if kind != 0xD0 + (len(ends) - 1) % 8:
                break
            at += 2
    return b"", [], 0


def test_stretches_are_joined_as_in_plain_python():
    rng = np.random.default_rng(8)
    kinds = np.array([0, 0, 0, 0, 0xFF, 0xD0, 0xD1, 0xD2, 0xD9, 7], np.uint8)
    n_found = 0
    for _ in range(300):
        coded = rng.choice(kinds, 80)
        coded[rng.random(80) < 0.1] = 0xFF
        values = np.concatenate([rng.integers(0, 250, 5).astype(np.uint8), coded])
        out = np.zeros(len(coded) + _byte_kernels.SLACK_BYTES, np.uint8)
        ends = np.zeros(len(coded) // 2 + 1, np.int64)
        n, m, stop = _byte_kernels.join_stretches(values, 5, out, ends)
        expected, intervals, end = joined(coded.tobytes())
        n_found += stop > 0
        assert (out[:n].tobytes(), ends[:m].tolist()) == (expected, intervals)
        assert stop == (5 + end if intervals else 0)
    assert n_found > 50
