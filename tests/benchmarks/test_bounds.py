"""Bounds of error rates."""

import pytest

from benchmarks._bounds import upper_bound


@pytest.mark.parametrize(("errors", "n"), [(0, 300), (0, 1_000_000), (3, 1000)])
def test_the_bound_is_that_of_clopper_and_pearson(errors, n):
    # For rare errors that of Poisson; without any the rule of three.
    assert upper_bound(errors, n) == pytest.approx((7.754 if errors else 3.0) / n, rel=0.01)


@pytest.mark.parametrize("n", [0, 5])
def test_where_all_are_wrong_nothing_is_known(n):
    assert upper_bound(n, n) == 1.0
