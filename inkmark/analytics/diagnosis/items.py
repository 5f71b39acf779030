"""Response functions of the rules: parameters, probabilities, and their update from counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inkmark.analytics.diagnosis.classes import Layout
from inkmark.analytics.diagnosis.model import Rule
from inkmark.analytics.model import BoolArray, FloatArray

__all__ = ["SATURATED", "ItemModels", "design_matrix"]

SMALLEST = 1e-10
"""Probabilities of answers stay this far from 0 and 1, so that no product of them vanishes."""

_STEPS = 4
"""Of Fisher scoring in one update: the next update goes on from there."""

SATURATED = (Rule.DINA, Rule.DINO, Rule.GDINA)
"""Rules whose parameters are the probabilities of the groups."""


def design_matrix(rule: Rule, rows: BoolArray) -> FloatArray:
    """Give the part of each parameter in each group on the scale of the rule's link.

    Identity for DINA, DINO, G-DINA and ACDM, log-odds for LLM, logarithm for RRUM.

    Parameters
    ----------
    rule : Rule
    rows : (g, a) bool
        Attributes of each group.

    Returns
    -------
    (g, p) float64
        The unit matrix for rules with a probability a group; else intercept and main effects.
    """
    if rule in SATURATED:
        return np.eye(len(rows))
    return np.column_stack((np.ones(len(rows)), rows)).astype(np.float64)


class ItemModels:
    """The items of a model, their parameters one behind the other.

    Parameters
    ----------
    rules : sequence of Rule
    layout : Layout
    prior : float
        Right and wrong answers added to those of each group.

    Attributes
    ----------
    designs : list of (g, p) float64
    first : (m + 1,) int
        First parameter of each item.
    saturated : bool
        Whether all parameters are probabilities of groups.
    """

    def __init__(self, rules: Sequence[Rule], layout: Layout, prior: float) -> None:
        self.rules = tuple(rules)
        self.layout = layout
        self.prior = prior
        rows = [groups.rows for groups in layout.groups]
        self.designs = [
            design_matrix(rule, part) for rule, part in zip(self.rules, rows, strict=True)
        ]
        widths = [design.shape[1] for design in self.designs]
        self.first = np.concatenate(([0], np.cumsum(widths)))
        self.saturated = all(rule in SATURATED for rule in self.rules)
        self._flat_kinds = layout.group_of_kind.reshape(-1)

    def group_range(self, item: int) -> slice:
        """Give the places of an item's groups."""
        return slice(self.layout.first[item], self.layout.first[item + 1])

    def parameter_range(self, item: int) -> slice:
        """Give the places of an item's parameters."""
        return slice(self.first[item], self.first[item + 1])

    def rates(self, parameters: FloatArray) -> FloatArray:
        """Give the probability of a right answer in each group of each item.

        Parameters
        ----------
        parameters : (p,) float64

        Returns
        -------
        (g,) float64
        """
        if self.saturated:
            return np.clip(parameters, SMALLEST, 1 - SMALLEST)
        rates = np.empty(self.layout.first[-1])
        for j, design in enumerate(self.designs):
            part = design @ parameters[self.parameter_range(j)]
            if self.rules[j] is Rule.LLM:
                part = 1 / (1 + np.exp(-np.clip(part, -500, 500)))
            elif self.rules[j] is Rule.RRUM:
                part = np.exp(np.minimum(part, 0))
            rates[self.group_range(j)] = part
        return np.clip(rates, SMALLEST, 1 - SMALLEST)

    def slopes(self, parameters: FloatArray) -> FloatArray:
        """Give the derivative of the probability of each group by each parameter.

        Parameters
        ----------
        parameters : (p,) float64

        Returns
        -------
        (g, p) float64
        """
        rates = self.rates(parameters)
        slopes = np.zeros((len(rates), len(parameters)))
        for j, rule in enumerate(self.rules):
            groups, own = self.group_range(j), self.parameter_range(j)
            part = rates[groups]
            inner = {Rule.LLM: part * (1 - part), Rule.RRUM: part}.get(rule, np.ones(len(part)))
            slopes[groups, own] = inner[:, None] * self.designs[j]
        return slopes

    def start(self, rng: np.random.Generator | None) -> FloatArray:
        """Make parameters to start from.

        Parameters
        ----------
        rng : numpy.random.Generator or None
            None for the same ones for every item: 0.2 with no attribute to 0.8 with all.

        Returns
        -------
        (p,) float64
        """
        parameters = np.empty(self.first[-1])
        for j, groups in enumerate(self.layout.groups):
            share = groups.rows.mean(axis=1)
            share[-1] = 1.0  # all that DINO asks for
            low, high = 0.2, 0.8
            if rng is not None:
                low, high = rng.uniform(0.05, 0.4), rng.uniform(0.6, 0.95)
                share[1:-1] = rng.uniform(size=len(share) - 2)
            target = low + (high - low) * share
            if self.rules[j] is Rule.LLM:
                target = np.log(target / (1 - target))
            elif self.rules[j] is Rule.RRUM:
                target = np.log(target)
            design = self.designs[j]
            saturated = self.rules[j] in SATURATED
            part = target if saturated else np.linalg.lstsq(design, target)[0]
            if self.rules[j] is Rule.RRUM:  # what least squares put above a certain answer
                part[0] -= max(0.0, float((design @ part).max()) + 0.05)
            parameters[self.parameter_range(j)] = part
        return parameters

    def grouped(self, by_kind: FloatArray) -> FloatArray:
        """Add up (m, t) numbers over the kinds of each group.

        Parameters
        ----------
        by_kind : (m, t) float64

        Returns
        -------
        (g,) float64
        """
        sums = np.bincount(self._flat_kinds, by_kind.reshape(-1), self.layout.first[-1])
        return sums.astype(np.float64)

    def update(self, parameters: FloatArray, right: FloatArray, seen: FloatArray) -> FloatArray:
        """Give more likely parameters for expected counts.

        Parameters
        ----------
        parameters : (p,) float64
            The present ones.
        right, seen : (m, t) float64
            Right answers, and answers, by kind.

        Returns
        -------
        (p,) float64
            The most likely ones for rules with a probability a group; for the others, some
            steps of Fisher scoring towards them.
        """
        from inkmark.analytics.diagnosis import _kernels  # noqa: PLC0415 - numba loads slowly

        n_right = self.grouped(right) + self.prior
        n_wrong = self.grouped(seen) + 2 * self.prior - n_right
        shares = np.clip(n_right / (n_right + n_wrong), SMALLEST, 1 - SMALLEST)
        if self.saturated:
            return shares
        links = {
            Rule.ACDM: _kernels.IDENTITY,
            Rule.LLM: _kernels.LOGIT,
            Rule.RRUM: _kernels.LOG,
        }
        new = np.empty_like(parameters)
        for j, rule in enumerate(self.rules):
            groups, own = self.group_range(j), self.parameter_range(j)
            if rule in SATURATED:
                new[own] = shares[groups]
            else:
                new[own] = _kernels.fit_effects(
                    self.designs[j],
                    links[rule],
                    n_right[groups],
                    n_wrong[groups],
                    parameters[own],
                    SMALLEST,
                    _STEPS,
                )
        return new

    def mend(self, parameters: FloatArray, fallback: FloatArray) -> FloatArray:
        """Replace parameters that give no probabilities by those of a fallback.

        Parameters
        ----------
        parameters, fallback : (p,) float64

        Returns
        -------
        (p,) float64
        """
        if self.saturated:
            good = (parameters > SMALLEST) & (parameters < 1 - SMALLEST)
            return np.where(good, parameters, fallback)
        mended = parameters.copy()
        rates = self.rates(parameters)
        for j, rule in enumerate(self.rules):
            own, part = self.parameter_range(j), rates[self.group_range(j)]
            good = (part > SMALLEST) & (part < 1 - SMALLEST)
            if rule not in SATURATED:
                good = np.repeat(good.all(), len(parameters[own]))
            mended[own] = np.where(good, parameters[own], fallback[own])
        return mended

    def penalty(self, rates: FloatArray) -> float:
        """Give the logarithm of the prior, up to a constant.

        Parameters
        ----------
        rates : (g,) float64

        Returns
        -------
        float
        """
        return float(self.prior * (np.log(rates) + np.log1p(-rates)).sum())
