"""Units of measurement with their names in Chinese and English, exactly.

SI units, and the others accepted for use with them, are as in the SI Brochure (BIPM, 9th
edition 2019, tables 2 to 8); °C and °F by their fixed points there and in NIST SP 811,
appendix B, which has the inch, foot, yard, mile, nautical mile, pound and ounce too. The
Chinese market units (市制) are those of the State Council's order of 1959: 3 尺 to the metre, 2 斤
of 10 两 to the kilogram, 15 亩 to the hectare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

__all__ = ["LONGEST_NAME", "Dimension", "Unit", "find_units", "short_names", "without_case"]

LONGEST_NAME = 30
"""Longer texts are no units."""

Dimension = tuple[tuple[str, int], ...]
"""Powers of base quantities, in the order of their names."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement.

    Attributes
    ----------
    dimension : tuple of (str, int)
        What it measures: powers of base quantities.
    factor : Fraction
        The unit in units of its kind that all are counted in.
    offset : Fraction
        What is added to a number of the unit before it is multiplied (temperatures).
    """

    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)

    def amount(self, number: Fraction) -> Fraction:
        """A number of the unit, in units that all of its kind are counted in."""
        return (number + self.offset) * self.factor


_TABLE = {
    "length": """
        km kilometre kilometres kilometer kilometers 千米 公里 = 1000
        m metre metres meter meters 米 公尺 = 1
        dm decimetre decimetres decimeter decimeters 分米 = 1/10
        cm centimetre centimetres centimeter centimeters 厘米 公分 = 1/100
        mm millimetre millimetres millimeter millimeters 毫米 = 1/1000
        μm µm um micrometre micrometres micrometer micrometers 微米 = 1/1000000
        nm nanometre nanometres nanometer nanometers 纳米 = 1/1000000000
        in inch inches 英寸 = 254/10000
        ft foot feet 英尺 = 3048/10000
        yd yard yards 码 = 9144/10000
        mi mile miles 英里 = 1609344/1000
        海里 = 1852
        里 华里 = 500
        丈 = 10/3
        尺 市尺 = 1/3
        寸 = 1/30""",
    "mass": """
        t tonne tonnes 吨 = 1000
        kg kilogram kilograms 千克 公斤 = 1
        g gram grams 克 = 1/1000
        mg milligram milligrams 毫克 = 1/1000000
        斤 市斤 = 1/2
        两 = 1/20
        lb lbs pound pounds 磅 = 45359237/100000000
        oz ounce ounces 盎司 = 45359237/1600000000""",
    "time": """
        s sec second seconds 秒 秒钟 = 1
        ms millisecond milliseconds 毫秒 = 1/1000
        min mins minute minutes 分 分钟 = 60
        h hr hrs hour hours 时 小时 = 3600
        d day days 天 日 = 86400
        week weeks 周 星期 = 604800""",
    "temperature": "k kelvin kelvins 开 开尔文 = 1",
    "angle": """
        ° 度 degree degrees deg = 1
        ' 分 = 1/60
        " 秒 = 1/3600""",
    "yuan": """
        元 块 圆 ¥ yuan rmb cny = 1
        角 毛 jiao = 1/10
        分 fen = 1/100""",
    "dollar": "$ dollar dollars usd 美元 = 1\n ¢ cent cents 美分 = 1/100",
    "euro": "€ euro euros eur 欧元 = 1",
    "sterling": "£ pound pounds gbp 英镑 = 1\n penny pence 便士 = 1/100",
}
_OTHERS = {
    "length^2": "ha hectare hectares 公顷 = 10000\n 亩 = 2000/3\n 平米 = 1",
    "length^3": """
        l litre litres liter liters 升 公升 = 1/1000
        dl 分升 = 1/10000
        cl 厘升 = 1/100000
        ml millilitre millilitres milliliter milliliters 毫升 cc = 1/1000000""",
}
_CELSIUS = Unit((("temperature", 1),), Fraction(1), Fraction(27315, 100))
_FAHRENHEIT = Unit((("temperature", 1),), Fraction(5, 9), Fraction(45967, 100))
_MPH = Unit((("length", 1), ("time", -1)), Fraction(1609344, 3600_000))
_KPH = Unit((("length", 1), ("time", -1)), Fraction(1000, 3600))
_SINGLE = {
    **dict.fromkeys(("℃", "°c", "摄氏度", "degc"), _CELSIUS),
    **dict.fromkeys(("℉", "°f", "华氏度", "degf"), _FAHRENHEIT),
    **dict.fromkeys(("mph",), _MPH),
    **dict.fromkeys(("kph", "kmh"), _KPH),
}
_POWERS = {"平方": 2, "立方": 3, "square": 2, "cubic": 3, "sq": 2, "cu": 3}
_POWER = re.compile(r"(\D+?)\^?([23])")


def _named() -> dict[str, tuple[Unit, ...]]:
    """Every unit that has a name of its own, by its names; 分 is of several kinds."""
    names: dict[str, tuple[Unit, ...]] = {name: (unit,) for name, unit in _SINGLE.items()}
    for kind, lines in (_TABLE | _OTHERS).items():
        quantity, _, power = kind.partition("^")
        for line in lines.strip().splitlines():
            words, _, factor = line.partition(" = ")
            unit = Unit(((quantity, int(power or 1)),), Fraction(factor))
            for word in words.split():
                names[word] = (*names.get(word, ()), unit)
    return names


_NAMED = _named()


_MEGA = re.compile(
    r"(?<![^\W\d_])(?<![^\W\d_] )(M)"
    r"(?=(?: ?[^\W\d_]){1,2}(?! ?[^\W\d_]))(?! ?(?i:i ?n|i|o ?l|p ?h)(?! ?\w))"
)
"""M before a symbol of one or two letters; MIN and MOL are no millions of anything."""


def without_case(text: str) -> str:
    """An amount without case, but for the M of mega: 5 MW is not 5 mW, and 5 KM is 5 km."""
    return "".join(part if part == "M" else part.casefold() for part in _MEGA.split(text))


@lru_cache(maxsize=4096)
def find_units(name: str) -> tuple[Unit, ...]:
    """The units that a name may mean, none for a name that is not known.

    Parameters
    ----------
    name : str
        As `plain_writing` and `without_case` give it: ``km``, ``平方厘米``, ``cm^2``, ``m/s``,
        ``千米每小时``.
    """
    if len(name) > LONGEST_NAME:
        return ()
    above, divided, below = name.replace(" per ", "/").replace("每", "/").partition("/")
    if not divided:
        return _powered(name.strip())
    return tuple(
        _quotient(over, under)
        for over in _powered(above.strip())
        for under in _powered(below.strip())
        if not (over.offset or under.offset)
    )


@lru_cache(maxsize=256)
def short_names(dimension: Dimension) -> tuple[tuple[str, Unit], ...]:
    """The short names of the units of a kind that have a name of their own, and their squares.

    Symbols and Chinese names; those of quotients are left out.
    """
    ((_, power), *others) = dimension
    if others:
        return ()
    named = [(name, unit) for name, units in _NAMED.items() for unit in units if len(name) <= 3]
    found = [(name, unit) for name, unit in named if unit.dimension == dimension]
    if power in (2, 3):
        chinese = "平方" if power == 2 else "立方"
        for name, unit in named:
            if unit.dimension == (("length", 1),):
                raised = _power(unit, power)
                found.append((f"{name}{power}" if name.isascii() else chinese + name, raised))
    return tuple(found)


def _powered(name: str) -> tuple[Unit, ...]:
    """Units by a name of their own, or as squares and cubes."""
    name = name.replace(" ", "")
    if name in _NAMED:
        return _NAMED[name]
    for word, power in _POWERS.items():
        if name.startswith(word) and (units := _lengths(name.removeprefix(word))):
            return tuple(_power(unit, power) for unit in units)
    found = _POWER.fullmatch(name)
    if found is None:
        return ()
    power = int(found[2])
    units = _lengths(found[1]) or (_NAMED.get(found[1], ()) if found[1] in ("s", "秒") else ())
    return tuple(_power(unit, power) for unit in units)


def _lengths(name: str) -> tuple[Unit, ...]:
    return tuple(u for u in _NAMED.get(name, ()) if u.dimension == (("length", 1),))


def _power(unit: Unit, power: int) -> Unit:
    ((quantity, _),) = unit.dimension
    return Unit(((quantity, power),), unit.factor**power)


def _quotient(over: Unit, under: Unit) -> Unit:
    powers = dict(over.dimension)
    for quantity, power in under.dimension:
        powers[quantity] = powers.get(quantity, 0) - power
    left = tuple(sorted((q, p) for q, p in powers.items() if p))
    return Unit(left, over.factor / under.factor)
