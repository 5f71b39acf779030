"""Responses that known items would get."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt.information import item_curves
from inkmark.analytics.irt.model import ItemParameters
from inkmark.analytics.model import FloatArray

__all__ = ["simulate_responses"]


def simulate_responses(
    items: ItemParameters, theta: npt.ArrayLike, rng: np.random.Generator
) -> FloatArray:
    """Draw the responses of candidates with known abilities to items with known parameters.

    Parameters
    ----------
    items : ItemParameters
    theta : (n,) array_like
        Abilities.
    rng : numpy.random.Generator

    Returns
    -------
    (n, m) float64
        Values of the categories; NaN for items that could not be fitted.
    """
    probability = item_curves(items, theta).probability
    m, _, n = probability.shape
    result = np.full((n, m), np.nan)
    for item, values in enumerate(items.categories):
        if values:
            reached = np.cumsum(probability[item, : len(values) - 1], axis=0)
            result[:, item] = np.array(values, dtype=float)[(rng.random(n) > reached).sum(axis=0)]
    return result
