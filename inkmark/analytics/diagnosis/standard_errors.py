"""Standard errors, from the score vectors of candidates.

The information is the sum over candidates of the products of their scores: the derivatives
of their log-likelihood by the parameters (Philipp, Strobl, de la Torre & Zeileis 2018,
J. Educ. Behav. Stat. 43, 88-115).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.data import make_blocks
from inkmark.analytics.diagnosis.estimate import Climb, posterior_chunks
from inkmark.analytics.diagnosis.items import SATURATED, ItemModels
from inkmark.analytics.diagnosis.model import Information
from inkmark.analytics.diagnosis.structure import Distribution
from inkmark.analytics.model import BoolArray, FloatArray

__all__ = ["Covariance", "covariance", "inverse_information"]

_BOUND = 1e-6
"""Nearer to 0 or 1 a probability has no standard error."""

_FLAT = 1e-9
"""Eigenvalues below this share of the information's scale are directions that the data does
not show."""


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Of the estimates; NaN for those without a standard error.

    Attributes
    ----------
    items : (p, p) float64
    structure : (s, s) float64
        Of the free parameters of the distribution of classes.
    """

    items: FloatArray
    structure: FloatArray


def covariance(
    answers: npt.NDArray[np.int8],
    models: ItemModels,
    distribution: Distribution,
    found: Climb,
    information: Information,
) -> Covariance:
    """Invert the information on the parameters.

    Parameters
    ----------
    answers : (n, m) int8
    models : ItemModels
    distribution : Distribution
    found : Climb
        The estimates.
    information : Information

    Returns
    -------
    Covariance
    """
    of_items, of_classes = np.split(found.state, models.first[-1:])
    rates, kinds = models.rates(of_items), distribution.kinds(of_classes)
    groups = models.layout.group_of_kind
    n_groups, n_kinds = len(rates), len(kinds)
    member = np.zeros((n_kinds, n_groups))
    member[np.arange(n_kinds), groups] = 1.0
    item_of_group = np.repeat(np.arange(len(models.rules)), np.diff(models.layout.first))
    slopes = models.slopes(of_items)
    n_items = slopes.shape[1]
    kind_slopes = distribution.kind_slopes(of_classes) / np.maximum(kinds, _BOUND)[:, None]
    total = np.zeros((n_items + kind_slopes.shape[1],) * 2)
    by_answer = np.stack((np.zeros(n_groups), 1 / rates, -1 / (1 - rates)))
    done = 0
    for weights, _ in posterior_chunks(make_blocks(answers), rates[groups], kinds):
        part = answers[done : done + len(weights), item_of_group]
        done += len(weights)
        pull = np.where(part == 1, by_answer[1], np.where(part == 0, by_answer[2], 0.0))
        by_group = weights @ member * pull
        by_item = by_group if models.saturated else by_group @ slopes
        scores = np.hstack((by_item, weights @ kind_slopes))
        total += scores.T @ scores
    if information is Information.ITEM:
        own = np.repeat(np.arange(len(models.rules)), np.diff(models.first))
        total[:n_items, :n_items][own[:, None] != own] = 0.0
    of_structure = np.repeat(information is Information.COMPLETE, kind_slopes.shape[1])
    inside = np.concatenate((_inside(models, rates), of_structure))
    inverse = np.full_like(total, np.nan)
    inverse[np.ix_(inside, inside)] = inverse_information(total[np.ix_(inside, inside)])
    return Covariance(inverse[:n_items, :n_items], inverse[n_items:, n_items:])


def _inside(models: ItemModels, rates: FloatArray) -> BoolArray:
    """Tell the parameters (p,) of items whose probabilities are not at 0 or 1."""
    good = (rates > _BOUND) & (rates < 1 - _BOUND)
    parts = []
    for j, rule in enumerate(models.rules):
        part = good[models.group_range(j)]
        n_parameters = models.designs[j].shape[1]
        parts.append(part if rule in SATURATED else np.repeat(part.all(), n_parameters))
    return np.concatenate(parts)


def inverse_information(information: FloatArray) -> FloatArray:
    """Give the covariance of estimates.

    Parameters
    ----------
    information : (p, p) float64

    Returns
    -------
    (p, p) float64
        NaN for parameters that take part in a direction without information.
    """
    scale = np.sqrt(np.diag(information))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(information / scale / scale[:, None])
    known = values > _FLAT
    inverse = (vectors[:, known] / values[known]) @ vectors[:, known].T / scale / scale[:, None]
    open_ = (vectors[:, ~known] ** 2).sum(axis=1) > 1e-6
    inverse[open_] = np.nan
    inverse[:, open_] = np.nan
    return np.asarray(inverse)
