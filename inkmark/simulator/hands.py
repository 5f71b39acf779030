"""People whose handwriting is known, and what they write with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.simulator._pen_strokes import STROKES
from inkmark.specimens import InkSign, read_crops, read_ink, read_mnist

__all__ = ["DIGIT_SETS", "RAISED", "Hand", "Ink", "Sign", "Stroke", "Writers", "draw_ink"]

Pixels = NDArray[np.uint8]
Generator = np.random.Generator
Stroke = NDArray[np.float64]
Sign = Pixels | tuple[Stroke, ...]
"""A bitmap of ink, bright on 0 and cut tightly, or strokes in heights of the sign."""

DIGIT_SETS = ("mnist", "pendigits", "handwritten62")
RAISED = {"²": "2", "³": "3"}
"""Small signs above the line, and the digits that they are written like."""

_DIGITS = "0123456789"
_ALIKE = 24
"""Of so many digits of MNIST the ones that suit a hand are taken."""
_LEAST_CROP_PX, _LEAST_CONTRAST = 9, 25
_PALEST, _FULL = 0.15, 0.6
"""Ink of a photograph from here on, and full ink, as shares of the darkest."""
_SEEN = 110
_DOTTED = "ij"
_SPECK = 0.1
"""Pieces of a photograph smaller than this share of its ink are dirt, or the next sign's."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What is written with.

    Attributes
    ----------
    tip_mm : float
        Width of a stroke; of bitmaps only the weight follows it.
    colour : (float, float, float)
        Blue, green and red of full ink on white paper, 0 to 255.
    grain : float
        How strongly the paper's grain shows, 0 (pen) to 0.4 (soft pencil).
    """

    tip_mm: float = 0.5
    colour: tuple[float, float, float] = (40.0, 40.0, 40.0)
    grain: float = 0.03

    @property
    def grey(self) -> float:
        """Its grey on a grey page."""
        blue, green, red = self.colour
        return 0.114 * blue + 0.587 * green + 0.299 * red


@dataclass(frozen=True, slots=True)
class Hand:
    """One person writing.

    Attributes
    ----------
    signs : mapping of str to sequence of Sign
        How this person writes each sign.
    digits : str
        The set that the digits are from.
    ink : Ink
    size : float
        Height of a capital letter as a share of the height of its box.
    slant : float
        Shear added to the signs, in widths a height; positive leans to the right.
    spread : float
        Standard deviation of where signs stand in their boxes, as a share of the box.
    """

    signs: Mapping[str, Sequence[Sign]] = field(repr=False)
    digits: str
    ink: Ink
    size: float = 0.62
    slant: float = 0.0
    spread: float = 0.05


def draw_ink(rng: np.random.Generator, *, pencil_share: float = 0.15) -> Ink:
    """A random black or blue pen with a line of 0.3 to 0.8 mm, or a pencil."""
    tip = float(rng.uniform(0.3, 0.8))
    if rng.random() < pencil_share:
        grey = float(rng.uniform(60, 120))
        return Ink(tip, (grey, grey, grey), float(rng.uniform(0.12, 0.32)))
    dark = float(rng.uniform(15, 65))
    if rng.random() < 0.25:
        return Ink(tip, (dark + 90.0, dark + 25.0, dark + 10.0))
    return Ink(tip, (dark, dark, dark))


class Writers:
    """People whose handwriting is known.

    Parameters
    ----------
    digits : mapping of str to sequence of mapping
        By set of digits its people, and of each of them the signs by digit.
    letters : mapping of str to sequence of Sign
        Those of the set whose people are not known apart.
    """

    def __init__(
        self,
        digits: Mapping[str, Sequence[Mapping[str, Sequence[Sign]]]],
        letters: Mapping[str, Sequence[Sign]],
    ) -> None:
        self._digits = digits
        self._letters = letters

    @classmethod
    def of(cls, folder: Path, part: str) -> Writers:
        """Read the sets of a folder; this takes half a second.

        Parameters
        ----------
        folder : Path
            Holds ``mnist``, ``pendigits_uci`` and ``handwritten62``.
        part : {"train", "test"}
            The people that tuning and training may see, or the others: figures are stated
            for "test".
        """
        return cls.from_specimens(
            read_mnist(folder, part), read_ink(folder, part), read_crops(folder, part)
        )

    @classmethod
    def from_specimens(
        cls,
        mnist_signs: tuple[Pixels, Sequence[str] | NDArray[np.str_]],
        ink_signs: Iterable[InkSign],
        crop_signs: tuple[Sequence[Pixels], Sequence[str] | NDArray[np.str_]],
    ) -> Writers:
        """People of whom some specimens are given, as `inkmark.specimens` reads them."""
        glyphs, labels = mnist_signs[0], np.asarray(mnist_signs[1])
        mnist: dict[str, Sequence[Sign]] = {digit: [*glyphs[labels == digit]] for digit in _DIGITS}
        people: dict[int, dict[str, list[Sign]]] = {}
        for sign in ink_signs:
            mine = people.setdefault(sign.writer, {digit: [] for digit in _DIGITS})
            mine[sign.label].append(_unit_height(sign.strokes))
        crops: dict[str, list[Sign]] = {}
        for crop, label in zip(*crop_signs, strict=True):
            ink = _ink_of_crop(crop, 0.0 if label in _DOTTED else _SPECK)
            if ink is not None:
                crops.setdefault(str(label), []).append(ink)
        pen = [people[writer] for writer in sorted(people)]
        return cls({"mnist": [mnist], "pendigits": pen, "handwritten62": [crops]}, crops)

    def hand(self, rng: np.random.Generator, *, digits: str | None = None) -> Hand:
        """Draw a person.

        Parameters
        ----------
        rng : numpy.random.Generator
        digits : {"mnist", "pendigits", "handwritten62"}, optional
            The set that the digits are from; any by default. Letters are of handwritten62.

        Returns
        -------
        Hand
            Of pen digits a person of the set; of MNIST, which does not say who wrote what,
            digits of one slant and weight.
        """
        chosen = digits or DIGIT_SETS[int(rng.choice(3, p=(0.45, 0.4, 0.15)))]
        people = self._digits[chosen]
        person = people[int(rng.integers(len(people)))]
        signs: dict[str, Sequence[Sign]] = {
            letter: _some(pool, 2, rng) for letter, pool in self._letters.items()
        }
        if chosen == "mnist":
            signs |= _alike(person, rng)
        else:
            signs |= {digit: _some(person[digit], 6, rng) for digit in _DIGITS}
        signs |= {sign: [strokes] for sign, strokes in STROKES.items()}
        signs |= {sign: signs[digit] for sign, digit in RAISED.items()}
        return Hand(
            signs,
            chosen,
            draw_ink(rng),
            size=float(rng.uniform(0.5, 0.78)),
            slant=float(np.clip(rng.normal(0, 0.07), -0.15, 0.2)),
            spread=float(rng.uniform(0.02, 0.07)),
        )


def _unit_height(strokes: Sequence[Stroke]) -> tuple[Stroke, ...]:
    points = np.concatenate(strokes)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    scale = 1 / max(span[1], 0.8 * span[0], 1e-6)
    return tuple((stroke - low) * scale for stroke in strokes)


def _ink_of_crop(crop: Pixels, speck: float) -> Pixels | None:
    """The ink of a photographed sign, bright on 0; None where there is hardly any."""
    if min(crop.shape) < _LEAST_CROP_PX:
        return None
    paper, dark = np.percentile(crop, (75, 1))
    if paper - dark < _LEAST_CONTRAST:
        return None
    share = (paper - crop.astype(np.float32)) / (paper - dark)
    ink = np.rint(np.clip((share - _PALEST) / (_FULL - _PALEST), 0, 1) * 255).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats((ink > _SEEN).astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0
    ink[np.isin(parts, np.flatnonzero((areas > 0) & (areas < speck * areas.sum())))] = 0
    return _tight(ink)


def _tight(ink: Pixels) -> Pixels | None:
    rows = np.flatnonzero(ink.max(axis=1) > _SEEN)
    columns = np.flatnonzero(ink.max(axis=0) > _SEEN)
    if len(rows) == 0 or rows[-1] - rows[0] < _LEAST_CROP_PX - 1:
        return None
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _some(pool: Sequence[Sign], n: int, rng: Generator) -> list[Sign]:
    return [pool[int(k)] for k in rng.choice(len(pool), min(n, len(pool)), replace=False)]


def _alike(pools: Mapping[str, Sequence[Sign]], rng: Generator) -> dict[str, Sequence[Sign]]:
    """Digits of MNIST as one person might write them: of one slant and one weight."""
    target = np.array([rng.normal(0.15, 0.2), rng.uniform(0.12, 0.3)])
    signs: dict[str, Sequence[Sign]] = {}
    for digit, pool in pools.items():
        drawn = [ink for ink in map(_tight_of, _some(pool, _ALIKE, rng)) if ink is not None]
        far = [np.abs((_slant_and_weight(ink) - target) / (0.2, 0.08)).sum() for ink in drawn]
        signs[digit] = [drawn[k] for k in np.argsort(far, kind="stable")[:3].tolist()]
    return signs


def _tight_of(sign: Sign) -> Pixels | None:
    return None if isinstance(sign, tuple) else _tight(sign)


def _slant_and_weight(ink: Pixels) -> Stroke:
    """Shear of a bitmap's ink by its moments, and the share of its box that is ink."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    mass = ink / max(float(ink.sum()), 1.0)
    dy, dx = y - (mass * y).sum(), x - (mass * x).sum()
    lean = -(mass * dx * dy).sum() / max(float((mass * dy * dy).sum()), 1e-6)
    return np.array([lean, ink.mean() / 255])
