"""Reading the public sets of handwriting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkmark.specimens import read_crops, read_ink, read_mnist


@pytest.mark.parametrize(("part", "n"), [("train", 60_000), ("test", 10_000)])
def test_mnist_has_its_known_size(data_dir: Path, part: str, n: int) -> None:
    glyphs, labels = read_mnist(data_dir / "handwriting", part)
    assert glyphs.shape == (n, 28, 28)
    assert glyphs.dtype == np.uint8
    assert set(labels.tolist()) == set("0123456789")


@pytest.mark.parametrize(("part", "n", "writers"), [("train", 7494, 30), ("test", 3498, 14)])
def test_pen_digits_are_split_by_writers(data_dir: Path, part: str, n: int, writers: int) -> None:
    signs = read_ink(data_dir / "handwriting", part)
    assert len(signs) == n
    assert len({sign.writer for sign in signs}) == writers
    assert all(stroke.shape[1] == 2 for sign in signs for stroke in sign.strokes)


def test_a_written_seven_has_its_bar_at_the_top(data_dir: Path) -> None:
    signs = read_ink(data_dir / "handwriting", "test")
    seven = next(s for s in signs if s.label == "7" and len(s.strokes) == 1)
    first, last = seven.strokes[0][0], seven.strokes[0][-1]
    assert first[1] < last[1], "y points down, and a seven begins at its bar"


def test_crops_are_parted_by_their_number_in_each_class(data_dir: Path) -> None:
    parts = [read_crops(data_dir / "handwriting", part) for part in ("train", "test")]
    assert [len(crops) for crops, _ in parts] == [4330, 1870]
    for crops, labels in parts:
        assert len(crops) == len(labels)
        assert len(set(labels.tolist())) == 62
