"""How probable each state of a bubble is: the fitted model, and what follows for a field.

The model is a small network. It sees what a bubble's samples show beyond an empty bubble
of the same label, and what is measured of them. It is fitted to simulated pages of known
truth by ``python -m tools.calibrate_bubbles``, which writes ``bubble_model.npz``; nothing in
that file is set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from inkmark.omr import _state_kernels as _kernels
from inkmark.omr._transform import BoolArray, FloatArray

__all__ = ["BubbleModel", "Calibration", "State", "bubble_model", "taken"]


class State(IntEnum):
    """What a bubble is."""

    BLANK = 0
    """Empty, or erased well."""
    STROKE = 1
    """Marked by a cross, a tick or a line."""
    FULL = 2
    """Filled, also in haste or lightly."""
    UNSURE = 3
    """People do not agree what it is: a dot, half a fill, a ring around it, a smudge."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How probable something really is, of which a model gives the log odds.

    Attributes
    ----------
    scale, offset : float
        The log odds really are the model's times and plus these.
    shares, limits : (k,) float64
        For wanted shares of what goes by unseen, ascending, the largest probability of a
        group that nobody needs to look at.
    """

    scale: float
    offset: float
    shares: FloatArray
    limits: FloatArray

    def probability(self, log_not: FloatArray) -> FloatArray:
        """From the logarithm of the probability, by the model, that it is not so; (n,)."""
        log_not = np.minimum(log_not, -1e-15)
        odds = self.scale * (np.log(-np.expm1(log_not)) - log_not) + self.offset
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))

    def limit(self, share: float | FloatArray) -> FloatArray:
        """The largest probability that keeps what goes by unseen to a share, for each share."""
        return np.exp(np.interp(np.log(share), np.log(self.shares), np.log(self.limits)))


@dataclass(frozen=True, slots=True)
class BubbleModel:
    """The fitted model.

    Attributes
    ----------
    layers : tuple of float32 arrays
        Weights of the network's three layers; see `_state_kernels.probabilities`.
    wrong : Calibration
        That a group is read otherwise than it is marked. What goes by unseen is the share
        of wrong groups among those nobody looks at.
    disputed : Calibration
        That people do not agree what a group says. What goes by unseen is the share of
        disputed groups that nobody looks at.
    """

    layers: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
    wrong: Calibration
    disputed: Calibration

    def probabilities(self, inputs: NDArray[np.float32]) -> FloatArray:
        """Probability of each state of each bubble, (n, 4), from its `N_INPUTS` inputs."""
        out = np.empty((len(inputs), len(State)))
        _kernels.probabilities(inputs, *self.layers, out)
        return out


@cache
def bubble_model() -> BubbleModel:
    """The model that comes with the package."""
    with resources.files("inkmark.omr").joinpath("bubble_model.npz").open("rb") as file:
        data = np.load(file, allow_pickle=False)
        layers = data["first"], data["second"], data["third"]
        wrong, disputed = (
            Calibration(*data[name].tolist(), *data[f"{name}_limits"].T)
            for name in ("wrong", "disputed")
        )
    return BubbleModel(layers, wrong, disputed)


def taken(
    probability: FloatArray, cancelling: BoolArray, group_first: NDArray[np.int64]
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """What each bubble is taken for, and how sure that is of its group.

    Parameters
    ----------
    probability : (n, 4) float64
        Of its states.
    cancelling : (n,) bool
        Whether a full bubble is a mark taken back.
    group_first : (n_groups + 1,) int64
        Where each group's bubbles begin.

    Returns
    -------
    marked : (n,) bool
    right, agreed : (n_groups,) float64
        Logarithms of the probabilities that no bubble of the group is the contrary, and that
        people agree on all of them, as if bubbles were independent.
    """
    blank, stroke, full, unsure = probability.T
    marked = stroke + np.where(cancelling, 0.0, full)
    blank = blank + np.where(cancelling, full, 0.0)
    first = group_first[:-1]
    right = np.add.reduceat(np.log1p(-np.minimum(marked, blank)), first)
    agreed = np.add.reduceat(np.log1p(-np.minimum(unsure, 1 - 1e-12)), first)
    return marked > blank, right, agreed
