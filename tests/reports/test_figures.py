from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.reports.figures import figure_text, index, mean, points, share, share_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2.675, "2.68"),  # the double lies below the half that is meant
        (71.045, "71.05"),
        (-1.045, "-1.05"),
        (-0.001, "0.00"),
        (0.1 + 0.2, "0.30"),
        (Decimal("66.005"), "66.01"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_half_is_rounded_up_whatever_the_binary_fraction(value, shown):
    assert figure_text(mean(value)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Decimal("46.50"), "46.5"), (Decimal(100), "100"), (Decimal("0.25"), "0.25"), (10.0, "10"),
     (Decimal("1E+1"), "10"), (-0.5, "-0.5"), (Decimal("-0.00"), "0")],
)  # fmt: skip
def test_points_have_only_the_decimals_they_need(value, shown):
    assert figure_text(points(value)) == shown


def test_a_share_is_rounded_once_and_shown_as_per_cent():
    assert share(2 / 3) == Decimal("0.667")
    assert share_text(share(2 / 3)) == "66.7%"
    assert share_text(share(1.0), "") == "100.0"
    assert share_text(None) == "–"
    assert share(0.0005) == Decimal("0.001")


def test_worked_examples_of_the_field():
    assert figure_text(mean((95 + 88 + 86 + 80 + 76 + 72 + 65 + 60 + 52 + 36) / 10)) == "71.00"
    assert share_text(share((78 - 72) / 72)) == "8.3%"
    assert figure_text(index(0.7795)) == "0.78"


@given(st.decimals(-500, 500, places=3, allow_nan=False))
def test_a_float_is_rounded_as_the_decimal_it_stands_for(value):
    assert mean(float(value)) == mean(value)


@given(st.floats(-1e6, 1e6))
def test_rounding_twice_changes_nothing(value):
    for rounded in (points, mean, share, index):
        once = rounded(value)
        assert rounded(once) == once
        assert abs(float(once) - value) <= 0.0051
