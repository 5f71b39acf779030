"""How what the readers say of a box is weighed.

The weights are fitted to simulated pages of known truth, written by people whom the reader of
glyphs never saw, by ``python -m tools.calibrate_writing``, which writes ``writing_model.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

__all__ = ["Kind", "WritingModel", "writing_model"]

FloatArray = NDArray[np.float64]

_LEAST_GLYPH, _LEAST_STRING = 1e-6, 1e-4
"""No reader is surer than this that something is not written."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How readings of one kind of symbols are weighed, and what is sure enough.

    Attributes
    ----------
    sure : float
        Where the reader of glyphs is surer than this nobody else is asked.
    alone : (float, float)
        Exponent of the probabilities of the reader of glyphs where it is asked alone, and what
        is added to the log odds of "none of the symbols": in training that is more frequent.
    both : (float, float, float)
        Exponents of both readers' probabilities, and the same. Of "none of the symbols" the
        reader of glyphs alone is asked.
    limits : tuple of (float, float)
        For wanted rates of silent errors, ascending, the largest probability of being wrong of
        a box that nobody needs to look at.
    """

    sure: float
    alone: tuple[float, float]
    both: tuple[float, float, float]
    limits: tuple[tuple[float, float], ...]

    def by_glyph(self, glyph: FloatArray) -> FloatArray:
        """Probabilities (n, k), "none of the symbols" last, by the reader of glyphs."""
        return _weighed(self.alone[0] * np.log(glyph + _LEAST_GLYPH), self.alone[1])

    def by_both(self, glyph: FloatArray, string: FloatArray) -> FloatArray:
        """The same by both readers; that of strings does not know what is none of the symbols."""
        logs = self.both[0] * np.log(glyph + _LEAST_GLYPH)
        logs[:, :-1] += self.both[1] * np.log(string[:, :-1] + _LEAST_STRING)
        return _weighed(logs, self.both[2])

    def limit(self, silent_error_rate: float) -> float:
        """The largest probability of being wrong that keeps silent errors to a rate."""
        rates, limits = np.log(np.array(self.limits)).T
        return float(np.exp(np.interp(np.log(silent_error_rate), rates, limits)))


@dataclass(frozen=True, slots=True)
class WritingModel:
    """The fitted model.

    Attributes
    ----------
    kinds : mapping of str to Kind
        ``"digits"`` and ``"letters"``.
    blank : (float, float)
        Logarithm of the odds that there is writing: this plus this times the logarithm of
        the ink's area in mm².
    """

    kinds: Mapping[str, Kind]
    blank: tuple[float, float]

    def blank_probability(self, amount_mm2: float) -> float:
        """Probability that nothing is written in a box with so much ink."""
        if amount_mm2 <= 0:
            return 1.0
        odds = self.blank[0] + self.blank[1] * np.log(amount_mm2)
        return float(1 / (1 + np.exp(np.clip(odds, -50, 50))))


def _weighed(logs: FloatArray, none: float) -> FloatArray:
    logs = logs + none * (np.arange(logs.shape[1]) == logs.shape[1] - 1)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@cache
def writing_model() -> WritingModel:
    """The model that comes with the package."""
    text = resources.files("inkmark.ocr").joinpath("writing_model.json").read_text("utf-8")
    data = json.loads(text)
    kinds = {
        name: Kind(
            kind["sure"],
            tuple(kind["alone"]),
            tuple(kind["both"]),
            tuple((rate, limit) for rate, limit in kind["limits"]),
        )
        for name, kind in data["kinds"].items()
    }
    return WritingModel(kinds, tuple(data["blank"]))
