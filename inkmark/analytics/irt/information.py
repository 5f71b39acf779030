"""Curves of items whose parameters are known, for plots and for building papers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._paper import known_curves, make_paper
from inkmark.analytics.irt.model import ItemParameters
from inkmark.analytics.model import FloatArray

__all__ = ["ItemCurves", "item_curves"]


@dataclass(frozen=True, slots=True, eq=False)
class ItemCurves:
    """What is expected at each of t abilities; NaN for items that could not be fitted.

    Attributes
    ----------
    theta : (t,) float64
    probability : (m, K, t) float64
        Of each category; NaN beyond the categories of an item.
    expected : (m, t) float64
        Mean response, in the values of the responses.
    information : (m, t) float64
        Fisher's information about ability.
    """

    theta: FloatArray
    probability: FloatArray
    expected: FloatArray
    information: FloatArray

    @property
    def test_information(self) -> FloatArray:
        """(t,): sum over the items that could be fitted."""
        return np.asarray(np.nansum(self.information, axis=0))

    @property
    def test_error(self) -> FloatArray:
        """(t,): standard error of ability that the paper gives there."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / np.sqrt(self.test_information))


def item_curves(items: ItemParameters, theta: npt.ArrayLike) -> ItemCurves:
    """Category probabilities, expected responses and information.

    Parameters
    ----------
    items : ItemParameters
    theta : (t,) array_like

    Returns
    -------
    ItemCurves
    """
    abilities = np.ascontiguousarray(theta, dtype=np.float64).reshape(-1)
    m, widest = len(items.names), items.d.shape[1] + 1
    known = [item for item in range(m) if items.categories[item]]
    sizes = [len(values) for values in items.categories]
    paper = make_paper(known, items.models, sizes, [True] * m)
    curves = known_curves(items, paper.order.tolist(), paper.first, paper.graded)
    table, by_item = curves.at(abilities)
    probability = np.full((m, widest, len(abilities)), np.nan)
    expected = np.full((m, len(abilities)), np.nan)
    information = np.full((m, len(abilities)), np.nan)
    for place, item in enumerate(paper.order):
        block = table[paper.first[place] : paper.first[place + 1]]
        probability[item, : len(block)] = block
        expected[item] = np.array(items.categories[item], dtype=float) @ block
        information[item] = by_item[place]
    return ItemCurves(abilities, probability, expected, information)
