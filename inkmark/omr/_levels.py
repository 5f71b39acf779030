"""What is measured of a page's bubbles, and what that says of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.omr import _level_kernels as _kernels
from inkmark.omr import _state_kernels
from inkmark.omr._level_kernels import N_EVIDENCE, N_SAMPLES
from inkmark.omr._plan import BubblePlan
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage

__all__ = ["N_INPUTS", "Evidence", "Ink", "group_medians"]

N_INPUTS = N_SAMPLES + N_EVIDENCE + 3
"""What the model of a bubble is given: samples, what is measured of them, size and shape."""
_NEAR_NOISES, _NEAR_EMPTY = 6.0, 0.1
"""A bubble passes for empty that is no darker than one by so many standard deviations, or by
this share of the paper's light."""
_USUAL_WIDTH_MM = 10.0


@dataclass(frozen=True, slots=True)
class Ink:
    """How dark a page's bubbles are, as shares of the paper's light that is missing.

    Attributes
    ----------
    parts : (n, COLUMNS) float64
        The darkness of each part of the bubbles; see `_level_kernels.COLUMNS`.
    seen : (n,) bool
        Whether the bubble lies in the image.
    samples : (n, N_SAMPLES) uint8
        The grey values they were measured from.
    """

    parts: FloatArray
    seen: BoolArray
    samples: GreyImage

    @property
    def inside(self) -> FloatArray:
        """Mean darkness inside each bubble, (n,)."""
        return self.parts[:, _kernels.INSIDE]

    @property
    def outline(self) -> FloatArray:
        """Mean darkness where its outline is printed, (n,)."""
        return self.parts[:, _kernels.OUTLINE]

    @property
    def around(self) -> FloatArray:
        """Mean darkness around it, (n,)."""
        return self.parts[:, _kernels.AROUND]

    @property
    def white(self) -> FloatArray:
        """Grey value of the paper there, (n,)."""
        return self.parts[:, _kernels.WHITE]


def group_medians(values: FloatArray, seen: BoolArray, plan: BubblePlan) -> FloatArray:
    """Lower median of the seen values of each group, given to each of its bubbles."""
    out = np.empty(len(values))
    _kernels.group_medians(np.ascontiguousarray(values), seen, plan.group_first, out)
    return out


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a page's bubbles show, relative to its own empty bubbles and marks.

    Attributes
    ----------
    fill : (n,) float64
        Darkness beyond that of an empty bubble.
    noise : (n,) float64
        Standard deviation of the darkness of an empty bubble.
    shared : (n,) float64
        What all bubbles of the group have in common beyond their labels.
    mark, spread : float
        Typical darkness of a mark beyond an empty bubble, and its standard deviation.
    inputs : (n, N_INPUTS) float32
        What the model of a bubble is given; see `_state_kernels.stand_out` and
        `_level_kernels.weigh`.
    """

    fill: FloatArray
    noise: FloatArray
    shared: FloatArray
    mark: float
    spread: float
    inputs: NDArray[np.float32]

    @classmethod
    def of(cls, ink: Ink, plan: BubblePlan) -> Evidence:
        """Of the bubbles of a page."""
        n = len(ink.seen)
        fill, noise, shared = np.empty((3, n))
        rows = np.empty((n, N_EVIDENCE))
        mark, spread, stroke = _kernels.weigh(
            ink.parts,
            ink.seen,
            plan.group_first,
            plan.multiple,
            plan.by_glyph,
            plan.glyph_first,
            plan.known_surroundings,
            fill,
            rows,
            noise,
            shared,
        )
        inputs = np.empty((n, N_INPUTS), dtype=np.float32)
        near = ink.seen & (fill < np.maximum(_NEAR_NOISES * noise, _NEAR_EMPTY))
        _state_kernels.stand_out(
            ink.samples,
            ink.white,
            near,
            stroke,
            plan.by_glyph,
            plan.glyph_first,
            plan.kind,
            inputs,
        )
        inputs[:, N_SAMPLES:-3] = rows
        inputs[:, -3:-1] = plan.bubbles[:, 2:] / (_USUAL_WIDTH_MM / 2)
        inputs[:, -1] = plan.shape
        return cls(fill, noise, shared, mark, spread, inputs)
