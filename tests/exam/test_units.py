"""The table of units."""

from __future__ import annotations

from fractions import Fraction

import pytest

from inkmark.exam.units import find_units


def converted(number: str, name: str, other: str) -> set[Fraction]:
    """A number of a unit in another unit, in each kind of quantity that both may be of."""
    return {
        unit.amount(Fraction(number)) / into.factor - into.offset
        for unit in find_units(name)
        for into in find_units(other)
        if unit.dimension == into.dimension
    }


@pytest.mark.parametrize(
    ("number", "name", "value", "other"),
    [
        ("1.5", "m", "150", "厘米"),
        ("1", "平方米", "10000", "cm^2"),
        ("1", "m2", "1", "square metres"),
        ("1", "立方分米", "1", "l"),
        ("1", "ml", "1", "cm3"),
        ("36", "km/h", "10", "米/秒"),
        ("36", "千米每小时", "36", "km per hour"),
        ("1", "g/cm^3", "1000", "kg/m^3"),
        ("2", "斤", "1", "千克"),
        ("15", "亩", "1", "公顷"),
        ("1", "里", "500", "m"),
        ("1", "ft", "12", "inches"),
        ("1", "mi", "5280", "ft"),
        ("1", "lb", "16", "oz"),
        ("100", "℃", "212", "℉"),
        ("0", "摄氏度", "273.15", "k"),
        ("1", "°", "60", "'"),
        ("1.5", "元", "15", "角"),
        ("1", "week", "7", "天"),
    ],
)
def test_conversions(number, name, value, other):
    assert converted(number, name, other) == {Fraction(value)}
    assert converted(value, other, name) == {Fraction(number)}


def test_a_name_of_several_kinds():
    """分 is a minute, a hundredth of a yuan and a minute of arc."""
    assert converted("60", "分", "h") == {Fraction(1)}
    assert converted("60", "分", "元") == {Fraction(3, 5)}
    assert converted("60", "分", "°") == {Fraction(1)}
    assert converted("60", "min", "元") == set()


@pytest.mark.parametrize("name", ["", "个", "kg^2", "x", "m/", "/m", "m/s/s", "℃/m", "m" * 10**6])
def test_what_is_no_unit(name):
    assert find_units(name) == ()
