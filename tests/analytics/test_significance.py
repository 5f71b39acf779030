"""P-values of many tests, and the size of a misfit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from inkmark.analytics.significance import Adjustment, adjusted, adjusted_known, rmsea


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.integers(0, 40),
    st.sampled_from(list(Adjustment)),
)
def test_adjusted_values(p: list[float], more: int, adjustment: Adjustment) -> None:
    """Against the definitions with every other p equal to 1; never smaller than p."""
    raw, n = np.array(p), len(p) + more
    full = np.concatenate([raw, np.ones(more)])
    order = np.argsort(full, kind="stable")
    expected = np.empty(n)
    for place, test in enumerate(order):
        if adjustment is Adjustment.BONFERRONI:
            value = full[test] * n
        elif adjustment is Adjustment.HOLM:
            value = max((n - i) * full[order[i]] for i in range(place + 1))
        else:
            value = min(full[order[i]] * n / (i + 1) for i in range(place, n))
        expected[test] = min(value, 1)
    result = adjusted(raw, n, adjustment)
    assert result == pytest.approx(expected[: len(raw)])
    assert np.all(result >= raw - 1e-15)


def test_a_missing_p_counts_as_1() -> None:
    assert adjusted([np.nan, 1e-6], 10, Adjustment.HOLM).tolist() == [1.0, pytest.approx(1e-5)]


def test_tests_that_could_not_be_made_are_not_counted() -> None:
    result = adjusted_known([0.9, math.nan, 0.04, 0.95], Adjustment.BENJAMINI_HOCHBERG)
    assert result == pytest.approx([0.95, math.nan, 0.12, 0.95], nan_ok=True)


def test_rmsea_with_its_interval() -> None:
    size, low, high = rmsea(683.987, 464, 600)
    assert size == pytest.approx(math.sqrt((683.987 - 464) / (464 * 600)))
    for bound, level in ((low, 0.95), (high, 0.05)):
        assert stats.ncx2.cdf(683.987, 464, bound**2 * 464 * 600) == pytest.approx(level)


def test_no_misfit_at_all_and_none_known() -> None:
    assert rmsea(3.0, 20, 100) == (0.0, 0.0, 0.0)
    assert np.isnan(rmsea(math.nan, 0, 100)).all()
