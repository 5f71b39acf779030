"""The one place where figures are rounded and written as text.

Every report takes its figures from here, so that a PDF, a workbook and a JSON file of one
exam cannot disagree in the last digit. Rounding is half up, as schools do it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import overload

__all__ = ["NO_FIGURE", "figure_text", "index", "mean", "points", "share", "share_text", "total"]

NO_FIGURE = "–"
"""Stands where there is no figure."""

Number = Decimal | float | int

# Sums in binary miss the exact decimal by some 1e-14; what lies closer to a half than this
# is that half, and is rounded up.
_NOISE = Decimal("1e-9")


@overload
def points(value: Decimal) -> Decimal: ...
@overload
def points(value: float | None) -> Decimal | None: ...
def points(value: Number | None) -> Decimal | None:
    """Points of one item or one candidate: two decimals at most, none that is not needed."""
    rounded = _rounded(value, "0.01")
    if rounded is None:
        return None
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral() else rounded.normalize()


def total(parts: Iterable[Decimal | None]) -> Decimal:
    """Sum of points, those that there are."""
    return points(sum((part for part in parts if part is not None), Decimal(0)))


def mean(value: Number | None) -> Decimal | None:
    """A mean, a spread or a difference in points: two decimals."""
    return _rounded(value, "0.01")


def share(value: Number | None) -> Decimal | None:
    """A share of one: three decimals, which `share_text` writes as per cent with one."""
    return _rounded(value, "0.001")


def index(value: Number | None) -> Decimal | None:
    """An index of item or test quality (facility, discrimination, alpha): two decimals."""
    return _rounded(value, "0.01")


def figure_text(value: Decimal | int | None) -> str:
    """Write a figure with the decimals it has, or a dash where there is none."""
    return NO_FIGURE if value is None else format(value, "f")


def share_text(value: Decimal | None, sign: str = "%") -> str:
    """Write a share as per cent with one decimal, or a dash where there is none."""
    return NO_FIGURE if value is None else f"{value * 100:.1f}{sign}"


def _rounded(value: Number | None, step: str) -> Decimal | None:
    """`value` half up to a multiple of `step`; None for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return None
    exact = Decimal(value).quantize(_NOISE, ROUND_HALF_EVEN)
    rounded = exact.quantize(Decimal(step), ROUND_HALF_UP)
    return rounded or abs(rounded)
