"""Curves of known items."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inkmark.analytics.irt import ItemModel, ItemParameters, item_curves


@pytest.fixture
def items() -> ItemParameters:
    """A 2PL item, one that could not be fitted, and a graded item with 0, 2 or 5 points."""
    nan = math.nan
    return ItemParameters(
        names=("q1", "q2", "q3"),
        models=(ItemModel.PL2, ItemModel.PL2, ItemModel.GRM),
        categories=((0, 1), (), (0, 2, 5)),
        a=np.array([1.2, nan, 0.8]),
        d=np.array([[0.3, nan], [nan, nan], [1.0, -0.5]]),
        g=np.array([0.0, nan, 0.0]),
        s=np.full((3, 2), nan),
    )


def test_item_curves(items: ItemParameters) -> None:
    theta = np.linspace(-3, 3, 7)
    curves = item_curves(items, theta)
    right = 1 / (1 + np.exp(-(1.2 * theta + 0.3)))
    np.testing.assert_allclose(curves.probability[0, 1], right)
    np.testing.assert_allclose(curves.expected[0], right)
    np.testing.assert_allclose(curves.information[0], 1.44 * right * (1 - right))
    assert np.all(np.isnan(curves.probability[0, 2]))
    assert np.all(np.isnan(curves.information[1]))
    np.testing.assert_allclose(np.nansum(curves.probability[2], axis=0), 1)
    assert np.all(np.diff(curves.expected[2]) > 0)
    np.testing.assert_allclose(
        curves.expected[2], 2 * curves.probability[2, 1] + 5 * curves.probability[2, 2]
    )


def test_information_of_the_paper(items: ItemParameters) -> None:
    curves = item_curves(items, [0.0, 1.0])
    np.testing.assert_allclose(
        curves.test_information, curves.information[0] + curves.information[2]
    )
    np.testing.assert_allclose(curves.test_error**-2, curves.test_information)
