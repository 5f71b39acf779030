"""The test sets of the glyph reader, as 28 x 28 glyphs, and how well they are read.

None of their writers was learnt from. MNIST comes as it is published; the digits of the
tablet are written on paper with a pen, scanned and cut out; photographed glyphs and USPS
are cut out of the paper that they come on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark import specimens
from inkmark.ocr import _training_ink as pen
from inkmark.ocr.glyphs import GlyphReader, glyph_images

__all__ = [
    "GlyphSet",
    "accuracy",
    "calibration_error",
    "load_letters",
    "load_mnist",
    "load_pendigits",
    "load_usps",
]

DIGITS = tuple("0123456789")
BOX_MM = 7.0
DPI = (150, 200, 300)


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Glyphs with what is written on them.

    Attributes
    ----------
    name : str
    glyphs : (n, 28, 28) uint8
    labels : (n,) str
    allowed : tuple of str
        The symbols that may be written.
    """

    name: str
    glyphs: NDArray[np.uint8]
    labels: NDArray[np.str_]
    allowed: tuple[str, ...]


def load_mnist(folder: Path) -> GlyphSet:
    """Load the 10,000 test digits of MNIST."""
    glyphs, labels = specimens.read_mnist(folder, "test")
    return GlyphSet("MNIST test", glyphs, labels, DIGITS)


def load_pendigits(folder: Path, seed: int = 1000) -> GlyphSet:
    """Write the ink of the 14 test writers into boxes of 7 mm, scanned at 150 to 300 dpi."""
    rng = np.random.default_rng(seed)
    signs = specimens.read_ink(folder, "test")
    boxes = [(round(BOX_MM * dpi / 25.4),) * 2 for dpi in rng.choice(DPI, len(signs))]
    crops = [
        pen.on_paper(pen.write(sign.strokes, box, rng), rng)
        for sign, box in zip(signs, boxes, strict=True)
    ]
    labels = np.array([sign.label for sign in signs])
    return GlyphSet("pendigits test writers", glyph_images(crops)[0], labels, DIGITS)


def load_letters(folder: Path, allowed: str) -> GlyphSet:
    """Load the test crops of handwritten62 that show one of some symbols."""
    crops, labels = specimens.read_crops(folder, "test")
    picked = np.flatnonzero(np.isin(labels, list(allowed)))
    glyphs = glyph_images([crops[k] for k in picked])[0]
    return GlyphSet(f"handwritten62 test, {allowed}", glyphs, labels[picked], tuple(allowed))


def load_usps(folder: Path) -> GlyphSet:
    """Load all 9,298 digits of USPS, drawn five times as large on paper."""
    with np.load(folder / "usps" / "usps.npz", allow_pickle=False) as data:
        images = np.concatenate([data["x_train"], data["x_test"]])
        labels = np.concatenate([data["y_train"], data["y_test"]]).astype(np.str_)
    size = (16 * 5, 16 * 5)
    crops = [
        255 - np.pad(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), 10) for image in images
    ]
    return GlyphSet("USPS", glyph_images(crops)[0], labels, DIGITS)


def calibration_error(reader: GlyphReader, glyphs: GlyphSet) -> float:
    """How far probabilities are from the share that is right, on average over 15 bands.

    The expected calibration error of Guo et al., "On calibration of modern neural networks",
    ICML 2017.
    """
    chances = reader.probabilities(glyphs.glyphs, glyphs.allowed)
    sure = chances.max(axis=1)
    right = np.array([*glyphs.allowed, "?"])[chances.argmax(axis=1)] == glyphs.labels
    bands = np.minimum((sure * 15).astype(int), 14)
    gaps = np.bincount(bands, sure - right, minlength=15)
    return float(np.abs(gaps).sum() / len(sure))


def accuracy(reader: GlyphReader, glyphs: GlyphSet) -> float:
    """Share of glyphs whose likeliest reading is right; "?" is wrong."""
    chances = reader.probabilities(glyphs.glyphs, glyphs.allowed)
    symbols = np.array([*glyphs.allowed, "?"])
    return float(np.mean(symbols[chances.argmax(axis=1)] == glyphs.labels))
