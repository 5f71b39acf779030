"""The reader of single glyphs, and how well the network that comes with inkmark reads."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import _glyph_sets
from inkmark.ocr import glyphs as glyphs_module
from inkmark.ocr.glyphs import GlyphReader, glyph_images, glyph_reader

DIGITS = "0123456789"


@pytest.fixture(scope="module")
def reader() -> GlyphReader:
    return glyph_reader()


@pytest.fixture(scope="module")
def handwriting(data_dir: Path) -> Path:
    folder = data_dir / "handwriting"
    if not folder.is_dir():
        pytest.skip(f"no handwriting at {folder}; set INKMARK_DATA to the folder that holds it")
    return folder


def drawn(*lines: list[tuple[float, float]]) -> NDArray[np.uint8]:
    """The glyph of lines through points x, y of a box of side 1."""
    crop = np.full((64, 64), 235, np.uint8)
    for line in lines:
        points = np.round(np.array(line) * 64 * 16).astype(np.int32)
        cv2.polylines(crop, [points], False, 40, 4, cv2.LINE_AA, 4)
    return glyph_images([crop])[0]


SEVEN = drawn([(0.3, 0.2), (0.7, 0.2), (0.45, 0.8)])
T = drawn([(0.25, 0.2), (0.75, 0.2)], [(0.5, 0.2), (0.5, 0.8)])
E = drawn([(0.7, 0.2), (0.3, 0.2), (0.3, 0.8), (0.7, 0.8)], [(0.3, 0.5), (0.6, 0.5)])
RING = drawn([(0.5 + 0.2 * np.cos(t), 0.5 + 0.3 * np.sin(t)) for t in np.linspace(0, 6.3, 40)])
HATCHED = drawn(*[[(x, 0.2), (x + 0.1, 0.8)] for x in (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)])


def test_classes_are_digits_capital_letters_and_none_of_these(reader: GlyphReader) -> None:
    assert reader.classes == (*DIGITS, *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "?")
    assert glyph_reader() is reader


@pytest.mark.parametrize(("glyph", "symbol"), [(SEVEN, "7"), (T, "T"), (E, "E"), (HATCHED, "?")])
def test_a_clear_sign_is_read(reader: GlyphReader, glyph: NDArray[np.uint8], symbol: str) -> None:
    chances = reader.probabilities(glyph)
    assert chances.shape == (1, 37)
    assert chances.dtype == np.float32
    assert reader.classes[chances[0].argmax()] == symbol
    assert chances[0].max() > 0.8


def test_the_card_is_that_of_the_network() -> None:
    folder = Path(glyphs_module.__file__).parent
    model = (folder / "glyphs.onnx").read_bytes()
    card = (folder / "glyphs.md").read_text("utf-8")
    assert hashlib.sha256(model).hexdigest() in card
    assert f"{len(model):,} bytes" in card


def test_rows_sum_to_one(reader: GlyphReader) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    np.testing.assert_allclose(reader.probabilities(noise).sum(axis=1), 1.0, atol=1e-5)
    some = reader.probabilities(noise, "ABCD")
    assert some.shape == (300, 5)
    np.testing.assert_allclose(some.sum(axis=1), 1.0, atol=1e-5)
    assert (some >= 0).all()


def test_what_is_allowed_decides_between_look_alikes(reader: GlyphReader) -> None:
    assert reader.probabilities(RING, DIGITS)[0, 0] > 0.8
    assert reader.probabilities(RING, "NOP")[0, 1] > 0.8


def test_a_symbol_that_is_not_allowed_is_none_of_these(reader: GlyphReader) -> None:
    assert reader.probabilities(E, "ABCD")[0].argmax() == 4
    assert reader.probabilities(E, "TF")[0].argmax() == 2
    assert reader.probabilities(T, DIGITS)[0, :10].max() < 0.8  # may be a 7


def test_a_scribble_stays_none_of_these_whatever_is_allowed(reader: GlyphReader) -> None:
    for allowed in (DIGITS, "ABCD", "TF", "XZ"):
        assert reader.probabilities(HATCHED, allowed)[0].argmax() == len(allowed)


def test_a_glyph_is_read_the_same_in_any_company(reader: GlyphReader) -> None:
    glyphs = np.concatenate([SEVEN, T, E, RING, HATCHED] * 60)
    for allowed in (None, DIGITS):
        together = reader.probabilities(glyphs, allowed)
        alone = [reader.probabilities(glyph, allowed) for glyph in glyphs[:5, None]]
        np.testing.assert_array_equal(together, np.tile(np.concatenate(alone), (60, 1)))


def test_many_threads_read_the_same(reader: GlyphReader) -> None:
    glyphs = np.concatenate([SEVEN, T, E] * 40)
    once = reader.probabilities(glyphs)
    with ThreadPoolExecutor(4) as threads:
        for again in threads.map(reader.probabilities, [glyphs] * 8):
            np.testing.assert_array_equal(once, again)


def test_no_glyphs_give_no_readings(reader: GlyphReader) -> None:
    assert reader.probabilities(np.zeros((0, 28, 28), np.uint8)).shape == (0, 37)
    assert reader.probabilities(np.zeros((0, 28, 28), np.uint8), "AB").shape == (0, 3)


def test_an_unknown_symbol_or_another_shape_is_said(reader: GlyphReader) -> None:
    with pytest.raises(ValueError, match=r"does not know \['%'\]"):
        reader.probabilities(SEVEN, "A%")
    with pytest.raises(ValueError, match="give uint8"):
        reader.probabilities(np.zeros((1, 27, 28), np.uint8))
    with pytest.raises(ValueError, match="give uint8"):
        reader.probabilities(np.zeros((1, 28, 28), np.float32))  # type: ignore[arg-type]


def test_mnist_is_read(reader: GlyphReader, handwriting: Path) -> None:
    digits = _glyph_sets.load_mnist(handwriting)
    assert len(digits.labels) == 10_000
    assert _glyph_sets.accuracy(reader, digits) >= 0.995


def test_the_digits_of_other_writers_are_read(reader: GlyphReader, handwriting: Path) -> None:
    digits = _glyph_sets.load_pendigits(handwriting)
    assert len(digits.labels) == 3498
    assert _glyph_sets.accuracy(reader, digits) >= 0.985


@pytest.mark.parametrize(("allowed", "least"), [("ABCD", 0.99), ("ABCDEFG", 0.98), ("TF", 0.99)])
def test_letters_are_read(
    reader: GlyphReader, handwriting: Path, allowed: str, least: float
) -> None:
    letters = _glyph_sets.load_letters(handwriting, allowed)
    assert len(letters.labels) == 30 * len(allowed)
    assert _glyph_sets.accuracy(reader, letters) >= least
