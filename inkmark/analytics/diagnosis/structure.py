"""How classes are distributed: freely, or by one ability behind all attributes."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from inkmark.analytics.diagnosis.model import ClassModel
from inkmark.analytics.model import BoolArray, FloatArray, IntArray

__all__ = ["Distribution", "HigherOrder", "Saturated", "fitted_distribution"]


class Distribution(Protocol):
    """Of the classes, with parameters (s,) float64."""

    @property
    def n_parameters(self) -> int:
        """Free parameters."""

    def start(self, rng: np.random.Generator | None) -> FloatArray:
        """Make parameters to start from; without a generator, neutral ones."""

    def classes(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of each class."""

    def kinds(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of each kind of class."""

    def class_slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the derivative (c, s) of the probability of each class by the free parameters."""

    def kind_slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the derivative (t, s) of the probability of each kind by the free parameters."""

    def update(self, parameters: FloatArray, kinds: FloatArray) -> FloatArray:
        """Give more likely parameters for the expected number of each kind."""

    def mend(self, parameters: FloatArray, fallback: FloatArray) -> FloatArray:
        """Replace parameters that give no probabilities by those of a fallback."""


_NONE = 1e-6
"""Kinds of classes below this have no probability to speak of."""


class Saturated:
    """Each kind of class has a probability of its own, which its classes share evenly.

    Parameters
    ----------
    kind : (c,) int64
        Of each class.
    """

    def __init__(self, kind: IntArray) -> None:
        self._kind = kind
        self._size = np.bincount(kind).astype(np.float64)

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return len(self._size) - 1

    def start(self, rng: np.random.Generator | None) -> FloatArray:
        """Make all classes as likely, or draw their probabilities."""
        shares = self._size if rng is None else rng.standard_gamma(self._size)
        return np.asarray(shares / shares.sum())

    def classes(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of each class."""
        return np.asarray((parameters / self._size)[self._kind], dtype=np.float64)

    def kinds(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of each kind of class."""
        return parameters

    def kind_slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the derivative by the probability of each kind but the likeliest.

        That takes what the others leave. Kinds without probability are no parameters.
        """
        likeliest = parameters.argmax()
        free = np.flatnonzero(parameters > _NONE)
        slopes = np.eye(len(parameters))[:, free[free != likeliest]]
        slopes[likeliest] = -1.0
        return slopes

    def class_slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the same of each class: its share of the kind."""
        return np.asarray((self.kind_slopes(parameters) / self._size[:, None])[self._kind])

    def update(self, parameters: FloatArray, kinds: FloatArray) -> FloatArray:  # noqa: ARG002 - the others start from them
        """Give the expected shares."""
        return np.asarray(kinds / kinds.sum())

    def mend(self, parameters: FloatArray, fallback: FloatArray) -> FloatArray:
        """Keep the fallback of what is not positive."""
        mended = np.where(parameters > 0, parameters, fallback)
        return np.asarray(mended / mended.sum())


_NODES = np.linspace(-5.0, 5.0, 41)
_NODE_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
_STEEPEST = 10.0
_FARTHEST = 20.0


class HigherOrder:
    """One standard normal ability makes every attribute likelier.

    Given the ability and the prerequisites of an attribute, its log-odds are
    `intercept + slope * ability`, and attributes are independent; without its prerequisites
    it is not mastered (de la Torre & Douglas 2004, Psychometrika 69, 333-353, where no
    attribute has prerequisites). The parameters are the intercepts and then the slopes.

    Parameters
    ----------
    mastered : (c, k) bool
        The reachable classes.
    kind : (c,) int64
        Of each class.
    """

    def __init__(self, mastered: BoolArray, kind: IntArray) -> None:
        self._kind = kind
        self._mastered = mastered.astype(np.float64)
        # An attribute is had, or within reach: the class that has it as well is reachable.
        reachable = {row.tobytes() for row in mastered}
        ready = mastered.copy()
        for c, row in enumerate(mastered):
            for k in np.flatnonzero(~row):
                more = row.copy()
                more[k] = True
                ready[c, k] = more.tobytes() in reachable
        self._ready = ready.astype(np.float64)

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return 2 * int(self._mastered.shape[1])

    def start(self, rng: np.random.Generator | None) -> FloatArray:
        """Make every attribute as likely as not, of slope 1, or draw them."""
        n = self._mastered.shape[1]
        if rng is None:
            return np.repeat((0.0, 1.0), n)
        return np.concatenate((rng.normal(size=n), rng.uniform(0.5, 2.0, n)))

    def _given_ability(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the probability (c, q) of each class, and (k, q) of each attribute when ready."""
        intercept, slope = np.split(parameters, 2)
        odds = intercept[:, None] + slope[:, None] * _NODES
        with_it, without = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
        logs = self._mastered @ with_it + (self._ready - self._mastered) @ without
        return np.exp(logs), np.exp(with_it)

    def classes(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of each class."""
        return np.asarray(self._given_ability(parameters)[0] @ _NODE_WEIGHTS)

    def kinds(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of each kind of class."""
        return np.bincount(self._kind, self.classes(parameters)).astype(np.float64)

    def class_slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the derivative of the probability of each class by each parameter."""
        given, attribute = self._given_ability(parameters)
        columns = [
            (given * (self._mastered[:, [k]] - self._ready[:, [k]] * attribute[k])) @ weights
            for weights in (_NODE_WEIGHTS, _NODE_WEIGHTS * _NODES)
            for k in range(len(attribute))
        ]
        return np.stack(columns, axis=1)

    def kind_slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the derivative of the probability of each kind by each parameter."""
        columns = self.class_slopes(parameters).T
        return np.stack([np.bincount(self._kind, column) for column in columns], axis=1)

    def update(self, parameters: FloatArray, kinds: FloatArray) -> FloatArray:
        """Take a step of Newton's method on the expected attributes at each ability."""
        given, attribute = self._given_ability(parameters)
        joint = given * _NODE_WEIGHTS
        share = kinds / np.bincount(self._kind, joint.sum(axis=1))
        joint *= share[self._kind, None]
        n_ready, n_with = self._ready.T @ joint, self._mastered.T @ joint
        pull = n_with - n_ready * attribute
        weight = n_ready * attribute * (1 - attribute)
        # A candidate's worth of a wide normal prior keeps the step finite where all have it.
        a, b, d = weight.sum(axis=1) + 1e-6, weight @ _NODES, weight @ _NODES**2 + 1e-6
        gain, tilt = pull.sum(axis=1), pull @ _NODES
        determinant = a * d - b * b
        step = np.concatenate((d * gain - b * tilt, a * tilt - b * gain))
        step /= np.tile(determinant, 2)
        return self.mend(parameters + np.clip(step, -1.0, 1.0), parameters)

    def mend(self, parameters: FloatArray, fallback: FloatArray) -> FloatArray:  # noqa: ARG002 - any will do
        """Keep log-odds within what a cohort can show."""
        intercept, slope = np.split(parameters, 2)
        return np.concatenate(
            (np.clip(intercept, -_FARTHEST, _FARTHEST), np.clip(slope, -_STEEPEST, _STEEPEST))
        )


def fitted_distribution(classes: ClassModel) -> tuple[Distribution, FloatArray]:
    """Give the distribution of fitted classes, and its parameters.

    Parameters
    ----------
    classes : ClassModel

    Returns
    -------
    distribution : Distribution
    parameters : (s,) float64
    """
    if len(classes.slope):
        parameters = np.concatenate((classes.intercept, classes.slope))
        return HigherOrder(classes.mastered, classes.kind), parameters
    kinds = np.bincount(classes.kind, classes.probability).astype(np.float64)
    return Saturated(classes.kind), kinds
