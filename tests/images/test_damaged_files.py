"""Damaged files end as pages or as `ImageError`; `python -m benchmarks fuzz_images` tries more."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from benchmarks._damaged_files import damaged, flat_jpeg, sound_files
from inkmark.errors import ImageError
from inkmark.images import open_scan

SEED = 3


@pytest.fixture(scope="module")
def sound(page):
    return sound_files(page)


def opened(tmp_path, data):
    """Number of pages that could be decoded, or None where the file is refused."""
    path = tmp_path / "a"
    path.write_bytes(data)
    try:
        with open_scan(path) as scan:
            for index in range(min(scan.n_pages, 4)):
                pixels = scan.load(index).pixels
                height, width = pixels.shape
                assert pixels.coarse().shape == (-(-height // 8), -(-width // 8))
                assert pixels.whole().shape == (height, width)
            return scan.n_pages
    except ImageError:
        return None


def test_sound_files_are_read(tmp_path, sound):
    assert len(sound) >= 30
    for name, data in sound.items():
        assert opened(tmp_path, data) == (3 if "three" in name else 1), name


@pytest.mark.parametrize("part", range(6))
def test_damaged_files_are_pages_or_issues(tmp_path, sound, part):
    names, files = list(sound), list(sound.values())
    outcomes = []
    for number in range(80):
        rng = np.random.default_rng([SEED, part, number])
        which, data = damaged(files, rng)
        try:
            outcomes.append(opened(tmp_path, data))
        except Exception as error:  # noqa: BLE001 - none but ImageError is allowed
            pytest.fail(f"number {number}, {names[which]}: {error!r}")
    assert outcomes.count(None) > 10
    assert outcomes.count(1) > 3


def test_a_scan_header_that_is_too_short(tmp_path, sound):
    data = sound["grey JPEG"]
    at = data.index(b"\xff\xda")
    assert opened(tmp_path, data[: at + 2] + b"\0\5\1\1\0" + data[at + 10 :]) is None


def test_a_filter_name_that_is_no_text(tmp_path, sound):
    data = sound["PDF with Flate"]
    assert b"/FlateDecode" in data
    assert opened(tmp_path, data.replace(b"/FlateDecode", b"/Flateb\xdd\xb8code")) is None


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_components_have_the_order_of_the_frame(tmp_path, order):
    data = flat_jpeg(order, size=(640, 480))
    assert opened(tmp_path, data) == (1 if order == (0, 1, 2) else None)


@pytest.mark.parametrize("order", [(0, 0, 1), (0, 1, 1), (0, 1), (1,), (0, 1, 2, 3), (0, 1, 9)])
def test_each_component_stands_once_in_the_scans(tmp_path, order):
    assert opened(tmp_path, flat_jpeg(order)) is None


@pytest.mark.parametrize("size", [(64, 48), (17, 33), (1, 1)], ids=str)
def test_all_sampling_factors_are_pages_or_issues(tmp_path, size):
    pairs = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (3, 2), (4, 4), (0, 1), (5, 1)]
    for first, second in product(pairs, pairs):
        outcome = opened(tmp_path, flat_jpeg(factors=(first, second, (1, 1)), size=size))
        factors = (*first, *second)
        n_blocks = first[0] * first[1] + second[0] * second[1] + 1
        if 0 in factors or 5 in factors or n_blocks > 10:
            assert outcome is None, (first, second)
        elif second == (1, 1):
            assert outcome == 1, (first, second)


@pytest.mark.parametrize("size", [(0, 48), (64, 0), (65535, 65535), (640, 480)], ids=str)
def test_sizes_that_the_data_does_not_fill(tmp_path, size):
    data = bytearray(flat_jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    assert opened(tmp_path, bytes(data)) is None


@pytest.mark.parametrize("number", [1, 3, 4, 15])
def test_numbers_of_tables_that_are_not_there(tmp_path, number):
    for marker, place in ((b"\xff\xc0", 12), (b"\xff\xda", 6)):
        data = bytearray(flat_jpeg())
        data[data.index(marker) + place] = number
        assert opened(tmp_path, bytes(data)) is None
