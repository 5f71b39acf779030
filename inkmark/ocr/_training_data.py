"""What the glyph reader learns from: specimens of handwriting, drawn on paper again.

Every sign passes through what a sheet passes through (pen, paper, scanner, the cutting of
a box) and through `glyph_images`, so the network sees in training what it will see at work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr._shape import glyph_images
from inkmark.ocr._training_ink import box_size, none_of_these, on_paper, place, write
from inkmark.ocr._training_strokes import FORMS, MARKS, Form, bent, leant
from inkmark.specimens import InkSign, read_crops, read_ink, read_mnist

__all__ = ["CLASSES", "NONE", "Samples", "Specimens", "draw_samples", "split_specimens"]

CLASSES = (*"0123456789", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "?")
NONE = "?"
_ALIKE = "cosvwxzkupyj"  # lower case that is written as upper case is
_OTHER = "adehnr"  # lower case that is none of the classes
_HELD_DIGITS = 5000
_HELD_WRITERS = 1
_HELD_CROPS = 7  # of each label

U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Samples:
    """Glyphs with their classes.

    Attributes
    ----------
    glyphs : (n, 28, 28) uint8
    labels : (n,) int64
        Positions in `CLASSES`.
    """

    glyphs: U8
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Specimens:
    """Some of the training parts of the three sets.

    Attributes
    ----------
    digits : (n, 28, 28) uint8
        Of MNIST.
    digit_labels : (n,) str
    ink : tuple of InkSign
        Of the pen digits.
    crops : tuple of (h, w) uint8
        Of handwritten62.
    crop_labels : tuple of str
    """

    digits: U8
    digit_labels: NDArray[np.str_]
    ink: tuple[InkSign, ...]
    crops: tuple[U8, ...]
    crop_labels: tuple[str, ...]


def split_specimens(folder: Path) -> tuple[Specimens, Specimens]:
    """Read the training parts: what to learn from, and what to calibrate on.

    Held out are the last digits of MNIST, which other clerks and pupils wrote than the
    first, the last writer of the pen digits, and the last crops of each label.
    """
    digits, digit_labels = read_mnist(folder, "train")
    ink = read_ink(folder, "train")
    crops, labels = read_crops(folder, "train")
    first_held = max(sign.writer for sign in ink) - _HELD_WRITERS + 1
    held = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        held[np.flatnonzero(labels == label)[-_HELD_CROPS:]] = True
    parts = [
        Specimens(
            digits[some],
            digit_labels[some],
            tuple(sign for sign in ink if (sign.writer >= first_held) == late),
            tuple(crops[k] for k in np.flatnonzero(held == late)),
            tuple(labels[held == late].tolist()),
        )
        for some, late in ((slice(-_HELD_DIGITS), False), (slice(-_HELD_DIGITS, None), True))
    ]
    return parts[0], parts[1]


def draw_samples(specimens: Specimens, times: int, seed: int) -> dict[str, Samples]:
    """Draw specimens as the reader will see them.

    Parameters
    ----------
    specimens : Specimens
    times : int
        How often signs are drawn anew: those of few writers 2 `times`, MNIST once.
    seed : int

    Returns
    -------
    dict of str to Samples
        By source; "none" holds what is none of the classes.
    """
    rng = np.random.default_rng(seed)
    redrawn = [on_paper(place(glyph, box_size(rng), rng), rng) for glyph in specimens.digits]
    signs = [sign for sign in specimens.ink for _ in range(2 * times)]
    written = [
        on_paper(write(leant(sign.strokes, rng, 0.6), box_size(rng), rng), rng) for sign in signs
    ]
    known: list[tuple[U8, str]] = []
    other: list[U8] = []
    for crop, label in zip(specimens.crops, specimens.crop_labels, strict=True):
        drawn = [crop, *(_rescan(crop, rng) for _ in range(2 * times))]
        if label in CLASSES or label in _ALIKE:
            known += [(one, label.upper()) for one in drawn]
        elif label in _OTHER:
            other += drawn
    letters = _samples([crop for crop, _ in known], [label for _, label in known])
    formed = [(label, form) for label, forms in FORMS.items() for form in forms] * (60 * times)
    formed_crops = [_formed(form, rng) for _, form in formed]
    other += [_formed(form, rng) for form in MARKS * (60 * times)]
    other += _nothing(specimens.digits, letters.glyphs, len(known), rng)
    return {
        "mnist": Samples(specimens.digits, specimens.digit_labels.astype(np.int64)),
        "mnist on paper": _samples(redrawn, specimens.digit_labels.tolist()),
        "pendigits": _samples(written, [sign.label for sign in signs]),
        "handwritten62": letters,
        "forms": _samples(formed_crops, [label for label, _ in formed]),
        "none": _samples(other, [NONE] * len(other)),
    }


def _samples(crops: Sequence[U8], labels: Sequence[str]) -> Samples:
    glyphs, ink = glyph_images(crops)
    numbers = np.array([CLASSES.index(label) for label in labels], np.int64)
    return Samples(glyphs[ink > 0], numbers[ink > 0])


def _formed(form: Form, rng: np.random.Generator) -> U8:
    return on_paper(write(bent(form, rng), box_size(rng), rng), rng)


def _rescan(crop: U8, rng: np.random.Generator) -> U8:
    """Change size, sharpness and noise of a photographed crop."""
    scale = rng.uniform(0.8, 2.5)
    size = (max(8, int(crop.shape[1] * scale)), max(8, int(crop.shape[0] * scale)))
    resized = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_LINEAR), np.float64)
    page = np.asarray(cv2.GaussianBlur(resized, (0, 0), rng.uniform(0.2, 0.6 + 0.3 * scale)))
    page = page + rng.normal(0.0, rng.uniform(0.2, 4.0), page.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def _nothing(digits: U8, letters: U8, n: int, rng: np.random.Generator) -> list[U8]:
    """Draw n crops of what is none of the classes, at times out of digits and letters."""
    crops = []
    for _ in range(n):
        first, second = (
            some[rng.integers(len(some))]
            for some in (digits if rng.random() < 0.3 else letters, letters)
        )
        box = box_size(rng)
        if rng.random() < 0.5:
            first, second = second, first
        ink = none_of_these(place(first, box, rng), place(second, box, rng), rng)
        crops.append(on_paper(ink, rng))
    return crops
