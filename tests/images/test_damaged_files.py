"""Damaged files end as pages or as `ImageError`; `python -m benchmarks fuzz_images` tries more."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._damaged_files import damaged, sound_files
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
