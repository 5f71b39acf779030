"""Every item of the built-in bank: exactly its key is right.

Each check is a condition that is worked out from the stem here, anew, and that must hold
for the keyed option and for no other. Items about wording have no such check; they are
listed and were read by eye.
"""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections import Counter
from fractions import Fraction
from math import hypot, pi, sqrt

import pytest
from printed_maths import (
    GRID,
    SAMPLES,
    always,
    chance,
    count,
    difference,
    fits,
    holds,
    number,
    numbers,
    point_on,
    region,
    same,
    solves,
    text,
    value,
)

from inkmark.bank import LABELS, LEVELS, load_bank
from inkmark.fonts import printable_text

BANK = load_bank()
ITEMS = {item.id: item for item in BANK.items}


def test_the_reader_of_terms():
    assert value("3(x + 1)² − 2√(4) / |−4|", x=1) == 11
    assert value("−3²") == -9
    assert value("12 ÷ (−3) × 1/3") == pytest.approx(-4 / 3)
    assert holds("−1 < x ≤ 3", x=3)
    assert not holds("−1 < x ≤ 3", x=-1)
    assert numbers("±8") == {8, -8}
    assert numbers("5 or √7") == {5, round(sqrt(7), 9)}
    assert numbers("cannot be determined") == set()
    with pytest.raises(ValueError, match="left over"):
        value("3)")


# --- what single items need ---


def fully_factored(option):
    head, *factors = re.findall(r"^\d*|\([^)]*\)", option)
    linear = all("²" not in factor for factor in factors)
    primitive = all(
        math.gcd(*(int(n) for n in re.findall(r"\d+", factor))) == 1 or factor[1] == "x"
        for factor in factors
    )
    return same("2x² − 8")(option) and linear and primitive and head == "2"


def like_term(option):
    ratios = [value(option, **n) / value("2ab²", **n) for n in SAMPLES]
    return math.isclose(*ratios)


def right_triangle(option):
    a, b, c = (int(side) for side in option.split(", "))
    return a * a + b * b == c * c


def explicit_y(relation):
    return lambda option: all(
        holds(relation, x=x, y=value(option.removeprefix("y = "), x=x)) for x in (-2, 0.5, 3)
    )


def quadrants(option):
    xs = [x for x in GRID if x not in {0, 1}]
    met = {(x > 0, 1 - x > 0) for x in xs}  # y = −x + 1 stands for k < 0 < b
    names = {(True, True): "I", (False, True): "II", (False, False): "III", (True, False): "IV"}
    listed = [
        names[q] for q in ((True, True), (False, True), (False, False), (True, False)) if q in met
    ]
    return option == f"quadrants {', '.join(listed[:-1])} and {listed[-1]}"


def angle(p, q, r):
    """The angle at q in degrees."""
    a = math.atan2(p[1] - q[1], p[0] - q[0]) - math.atan2(r[1] - q[1], r[0] - q[0])
    a = abs(math.degrees(a)) % 360
    return round(min(a, 360 - a), 6)


def crossing(p, q, r, s):
    """Where the lines pq and rs meet."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = p, q, r, s
    d = (x1 - x2) * (y3 - y4) - (y1 - y2) * (x3 - x4)
    a, b = x1 * y2 - y1 * x2, x3 * y4 - y3 * x4
    return (a * (x3 - x4) - (x1 - x2) * b) / d, (a * (y3 - y4) - (y1 - y2) * b) / d


def distance_of_bisector_foot():
    a, d = 5.0, 3.0  # C is the origin, A above it, D and B to the right
    b = a * math.tan(2 * math.atan(d / a))
    return round((b - d) * a / hypot(a, b), 9)


def medians():
    """Lengths of AD for AB = 9, AC = 5, over all shapes of the triangle."""
    angles = [math.radians(n / 10) for n in range(1, 1800)]
    return [hypot(9 + 5 * math.cos(t), 5 * math.sin(t)) / 2 for t in angles]


def median_range(option):
    low, high = min(medians()), max(medians())
    relation = option.replace("AD", "x")
    inside = all(holds(relation, x=m) for m in medians())
    tight = low - 2 < 1e-3 and 7 - high < 1e-3
    return inside and tight and not holds(relation, x=2) and not holds(relation, x=7)


def angle_between_equilaterals():
    a, b = (0, 0), (5, 0)  # and C = (2, 0)
    d, e = (1, sqrt(3)), (3.5, 1.5 * sqrt(3))
    return angle(a, crossing(a, e, b, d), b)


def third_sides():
    """Positive lengths AC for AB = 10, angle A = 30°, BC = 6."""
    p, q = 10 * math.cos(math.radians(30)), 100 - 36
    return [root for root in (p + sqrt(p * p - q), p - sqrt(p * p - q)) if root > 0]


def folded_edge():
    """EC for AB = 9, AD = 15: EF = ED = 9 − EC, FC = 15 − √(15² − 9²)."""
    fc = 15 - sqrt(15**2 - 9**2)
    return next(
        x for x in (n / 4 for n in range(36)) if math.isclose(x * x + fc * fc, (9 - x) ** 2)
    )


def midpoint_perimeter():
    # Diagonals of 10 and 14 that cross at any angle, at any place.
    a, c = (0, 0), (10, 0)
    b = (3, -4)
    d = (b[0] + 14 * math.cos(1.1), b[1] + 14 * math.sin(1.1))
    corners = [a, b, c, d]
    middles = [
        ((p[0] + q[0]) / 2, (p[1] + q[1]) / 2)
        for p, q in zip(corners, corners[1:] + corners[:1], strict=True)
    ]
    return round(
        sum(math.dist(p, q) for p, q in zip(middles, middles[1:] + middles[:1], strict=True)), 6
    )


def shortest_broken_path():
    b, d, c, e = (0, 0), (4, 4), (4, 0), (2, 0)
    ts = [n / 60000 for n in range(60001)]
    spots = [(b[0] + t * (d[0] - b[0]), b[1] + t * (d[1] - b[1])) for t in ts]
    return min(math.dist(p, c) + math.dist(p, e) for p in spots)


def tangent_angle():
    half = math.radians(25)  # centre O = (0, 0), radius 1, P to the right with angle 50° there
    r = 1.0
    op = r / math.sin(half)
    touch = math.acos(r / op)
    a, b = (math.cos(touch), math.sin(touch)), (math.cos(touch), -math.sin(touch))
    return angle(a, (-1.0, 0.0), b)


def chord_distances():
    p, q = sqrt(25 - 9), sqrt(25 - 16)
    return p - q, p + q


def rectangle_diagonal():
    h = next(
        h for h in (n / 10000 for n in range(1, 200000)) if 2 * math.degrees(math.atan(4 / h)) <= 60
    )
    return hypot(4, h)


def positive(condition):
    return [v for v in range(1, 100) if condition(v)]


DICE = list(itertools.product(range(1, 7), repeat=2))
MEASURED = (1.0, 4.0, 5.0, 6.0, 9.0)

CHECKS = {
    # rational numbers
    "rational-numbers-01": number(-3 + 7),
    "rational-numbers-02": fits("x + (−5) = 0", "x"),
    "rational-numbers-03": number(2 - (-6)),
    "rational-numbers-04": lambda option: value(option) == min(-3, abs(-5), 0, -1),
    "rational-numbers-05": number((-3) ** 2 * -2),
    "rational-numbers-06": lambda option: (
        value(option) == 38400 and 1 <= value(option.split(" × ")[0]) < 10
    ),
    "rational-numbers-07": number(-(3**2) + (-2) ** 3),
    "rational-numbers-08": number(Fraction(12) / -3 * Fraction(1, 3)),
    "rational-numbers-09": number(*{a + b for a in (4, -4) for b in (1, -1) if a < b}),
    "rational-numbers-10": number(*(b for b in range(-20, 21) if abs(b + 2) == 5)),
    "rational-numbers-11": always("ab", [(-2, 1), (-9, 0.5), (-1, 0.9)]),
    "rational-numbers-12": number(sum(n if n % 2 else -n for n in range(1, 101))),
    # polynomials
    "polynomials-01": text("coefficient −3, degree 3"),
    "polynomials-02": like_term,
    "polynomials-03": same("5x − 2x + x"),
    "polynomials-04": same("a − (b − c)"),
    "polynomials-05": same("x · x³"),
    "polynomials-06": same("(−3a²)²"),
    "polynomials-07": same("(x + 3)(x − 5)"),
    "polynomials-08": same("(2x − 3)²"),
    "polynomials-09": fully_factored,
    "polynomials-10": number(((5 + sqrt(13)) / 2) ** 2 + ((5 - sqrt(13)) / 2) ** 2),
    "polynomials-11": number(*(k for k in range(-30, 31) if k * k == 4 * 16)),
    "polynomials-12": number(*{round((b + 2) ** 2 - b**2 - 4 * b, 9) for b in (-3.5, 0.0, 8.0)}),
    # linear equations
    "linear-equations-02": solves("x + 4 = 1"),
    "linear-equations-03": solves("3x − 5 = 7"),
    "linear-equations-04": solves("5x = 2x − 9"),
    "linear-equations-05": solves("2(x − 3) = 8"),
    "linear-equations-06": solves("x/2 − x/3 = 1"),
    "linear-equations-07": difference("6((x + 1)/2 − 1 − x/3)"),
    "linear-equations-08": fits("x × 0.8 = 96", "x"),
    "linear-equations-09": fits("2x + 3a = 7", "a", x=-1),
    "linear-equations-10": lambda option: (
        numbers(option) == {t for t in (n / 12 for n in range(60)) if 12 * t == 4 * (t + 1)}
    ),
    "linear-equations-11": number(*(x for x in range(29) if (28 - x) * 4 == 4 * (x * 3))),
    "linear-equations-12": count(
        *(a for a in range(-50, 51) if a != 3 and 6 % (a - 3) == 0 and 6 / (a - 3) > 0)
    ),
    # simultaneous linear equations
    "equation-systems-02": solves("x + 2y = 8"),
    "equation-systems-03": explicit_y("3x − y = 5"),
    "equation-systems-04": solves("x + y = 7", "x − y = 3"),
    "equation-systems-05": solves("y = 2x", "x + y = 12"),
    "equation-systems-06": difference("(2x + 3y − 12) − (2x − y − 4)"),
    "equation-systems-07": solves("3x + 2y = 4", "5x − 2y = 12"),
    "equation-systems-08": number(*(r for r in range(21) if 4 * r + 2 * (20 - r) == 56)),
    "equation-systems-09": always(
        "xy", [(a, 12 - a) for a in range(13) if 30 * a + 18 * (12 - a) == 276]
    ),
    "equation-systems-10": number(
        *(
            x - y
            for x in range(-20, 21)
            for y in range(-20, 21)
            if abs(x - 2 * y) + (x + y - 9) ** 2 == 0
        )
    ),
    # The solution is x = 4 − k, y = 2k − 2.
    "equation-systems-11": lambda option: holds(
        "x + 2y = 3k, 2x + y = 6, x + y = 5",
        k=value(option),
        x=4 - value(option),
        y=2 * value(option) - 2,
    ),
    "equation-systems-12": count(
        *((x, y) for x in range(1, 20) for y in range(1, 20) if 2 * x + 3 * y == 20)
    ),
    # inequalities
    "inequalities-01": region("x", lambda x: not 3 * x < 6),
    "inequalities-02": region("x", "x + 2 > 5"),
    "inequalities-03": always("ab", [(2, 1), (-1, -2), (1, -1)]),
    "inequalities-04": region("x", "−2x < 6"),
    "inequalities-05": region("x", "5x − 3 ≥ 2x + 9"),
    "inequalities-06": region("x", "2(1 − x) > 6"),
    "inequalities-07": region("x", "x + 1 > 0, 2x ≤ 6"),
    "inequalities-08": count(*(x for x in range(100) if 3 * x - 2 < 10)),
    "inequalities-09": number(max(positive(lambda n: 12 + 6 * n <= 50))),
    "inequalities-10": region(
        "a", lambda a: all((x > 2 and x > a) == (x > 2) for x in [n / 16 for n in range(-300, 301)])
    ),
    "inequalities-11": region("m", lambda m: len(positive(lambda x: x < m)) == 3),
    "inequalities-12": region("a", lambda a: all(((a - 1) * x > a - 1) == (x < 1) for x in GRID)),
    # linear functions
    "linear-functions-02": point_on("y = 3x − 2"),
    "linear-functions-03": point_on("y = −2x + 6", axis="x"),
    "linear-functions-04": point_on("y = 2x + 8", axis="y"),
    "linear-functions-05": always("xy", [(0, 3), (1, 5)]),
    "linear-functions-06": quadrants,
    "linear-functions-07": lambda option: (
        re.search("[<>=]", option) is not None and holds(option, m=-3 * -1 + 1, n=-3 * 2 + 1)
    ),
    "linear-functions-08": always("xy", [(x, 2 * x - 1 + 3) for x in (0, 1, 5)]),
    "linear-functions-09": always("xy", [(x, 10 + 2 * (x - 3)) for x in (3.5, 4, 10)]),
    "linear-functions-10": number(4 * 12 / 2),
    "linear-functions-11": number(2 * 2 + 3),
    "linear-functions-12": region("x", lambda x: -3 * x + 6 > 0),
    # congruent triangles
    "congruent-triangles-01": number(180 - 50 - 60),
    "congruent-triangles-02": number(7),
    "congruent-triangles-05": number(30 - 8 - 12),
    "congruent-triangles-06": number(*(e + 7 for e in range(8) if 7 - e == 4)),
    "congruent-triangles-08": number(distance_of_bisector_foot()),
    "congruent-triangles-09": number(180 - 40 - 75),
    "congruent-triangles-10": median_range,
    "congruent-triangles-11": number(angle_between_equilaterals()),
    "congruent-triangles-12": count(*third_sides()),
    # Pythagorean theorem
    "pythagoras-01": number(hypot(6, 8)),
    "pythagoras-02": right_triangle,
    "pythagoras-03": fits("x² + 8² = 17²", "x"),
    "pythagoras-04": number(9 + 16),
    "pythagoras-05": fits("x² + 6² = 10²", "x"),
    "pythagoras-06": number(sqrt(4**2 - 2**2)),
    "pythagoras-07": number(10 * sqrt(13**2 - 5**2) / 2),
    "pythagoras-08": number(math.dist((1, 2), (4, 6))),
    "pythagoras-09": number(9 * 12 / hypot(9, 12)),
    "pythagoras-10": number(hypot(3, 4), sqrt(4**2 - 3**2)),
    "pythagoras-11": number(folded_edge()),
    "pythagoras-12": number(min(hypot(c, a + b) for a, b, c in itertools.permutations((5, 4, 3)))),
    # quadrilaterals
    "quadrilaterals-01": number(180 - 70),
    "quadrilaterals-02": number((5 - 2) * 180),
    "quadrilaterals-03": fits("2(6 + x) = 28", "x"),
    "quadrilaterals-05": number(hypot(6 / 2, 8 / 2)),
    "quadrilaterals-06": number(4 * (5 * 6 / 2)),
    "quadrilaterals-07": number(round(rectangle_diagonal(), 3)),
    "quadrilaterals-08": number(*(n for n in range(3, 100) if (n - 2) * 180 == 144 * n)),
    "quadrilaterals-09": number(midpoint_perimeter()),
    "quadrilaterals-11": lambda option: math.isclose(
        value(option), shortest_broken_path(), abs_tol=1e-6
    ),
    "quadrilaterals-12": number(*(2 * (be + 10) for be in (4, 6))),
    # circles
    "circles-02": number(
        angle(
            (1, 0),
            (math.cos(math.radians(230)), math.sin(math.radians(230))),
            (math.cos(math.radians(100)), math.sin(math.radians(100))),
        )
    ),
    "circles-03": number(180 - 90 - 35),
    "circles-04": number(2 * sqrt(5**2 - 3**2)),
    "circles-05": number(180 - 75),
    "circles-06": number(sqrt(13**2 - 5**2)),
    "circles-07": number(2 * pi * 6 * 60 / 360),
    "circles-08": number(pi * 4**2 * 90 / 360),
    "circles-09": number(pi * 3 * 5),
    "circles-10": number(tangent_angle()),
    "circles-11": number(2 * (5 * 12 / 2) / (5 + 12 + 13)),
    "circles-12": number(*chord_distances()),
    # statistics
    "statistics-01": number(statistics.mean([3, 5, 7, 9])),
    "statistics-02": number(statistics.mode([4, 4, 4, 6, 8, 9, 7])),
    "statistics-03": number(statistics.median([7, 2, 9, 4, 5])),
    "statistics-05": number(statistics.median([12, 8, 15, 9, 8, 14])),
    "statistics-06": number(80 * 0.6 + 90 * 0.4),
    "statistics-07": number(12 / 50),
    "statistics-08": number(statistics.pvariance([1, 2, 3, 4, 5])),
    "statistics-09": text(
        f"mean {statistics.mean(v + 3 for v in MEASURED):.0f}, variance 2"
        if statistics.pvariance(v + 3 for v in MEASURED) == statistics.pvariance(MEASURED)
        else ""
    ),
    "statistics-10": number(
        3 * statistics.pvariance([2 * v + 1 for v in MEASURED]) / statistics.pvariance(MEASURED)
    ),
    "statistics-11": number(
        *(
            statistics.pvariance([2, 3, x, 7, 8])
            for x in range(50)
            if statistics.mean([2, 3, x, 7, 8]) == 5
        )
    ),
    "statistics-12": fits("80/n = 6/120", "n"),
    # probability
    "probability-02": chance("rrrwwwww", lambda ball: ball == "r"),
    "probability-03": chance(range(1, 7), lambda n: n > 4),
    "probability-04": chance("ht", lambda side: side == "h"),
    "probability-05": chance(range(1, 21), lambda n: n > 1 and all(n % d for d in range(2, n))),
    "probability-06": chance(itertools.product("ht", repeat=2), lambda coins: len(set(coins)) == 2),
    "probability-07": number(*positive(lambda white: Fraction(6, 6 + white) == Fraction(2, 5))),
    "probability-08": chance(DICE, lambda dice: sum(dice) == 7),
    "probability-09": chance(itertools.combinations("rrww", 2), lambda pair: set(pair) == {"r"}),
    "probability-10": number(*positive(lambda white: Fraction(8, 8 + white) == Fraction(80, 400))),
    "probability-11": chance(
        itertools.permutations("1234", 2), lambda digits: int("".join(digits)) % 3 == 0
    ),
    "probability-12": chance(
        itertools.product("rps", repeat=3), lambda hands: len(set(hands)) != 2
    ),
}

BY_EYE = {
    "linear-equations-01": "2x − 1 = 5",
    "equation-systems-01": "2x + y = 7",
    "linear-functions-01": "y = −2x + 1",
    "congruent-triangles-03": "three pairs of equal angles",
    "congruent-triangles-04": "BC = EF",
    "congruent-triangles-07": "hypotenuse and leg (HL)",
    "quadrilaterals-04": "the diagonals are equal",
    "quadrilaterals-10": "AC = BD and AC ⊥ BD",
    "circles-01": "outside the circle",
    "statistics-04": "the heights of the 40 students of a class",
    "probability-01": "among 13 people, at least two were born in the same month",
}


@pytest.mark.parametrize("number", list(CHECKS))
def test_exactly_the_key_is_right(number):
    item = ITEMS[number]
    right = [
        label
        for label, option in zip(LABELS, item.options, strict=True)
        if CHECKS[number](option.en)
    ]
    assert right == [item.key]


@pytest.mark.parametrize("number", list(BY_EYE))
def test_the_key_is_the_option_found_right_by_eye(number):
    item = ITEMS[number]
    assert item.options[LABELS.index(item.key)].en == BY_EYE[number]


def test_every_item_is_checked():
    assert set(CHECKS) | set(BY_EYE) == set(ITEMS)
    assert not set(CHECKS) & set(BY_EYE)


# --- the bank as a whole --------------------------------------------------------------------


def texts():
    for item in BANK.items:
        yield from (item.stem, item.explanation, *item.options)
    yield from (point.name for point in BANK.points)
    yield from LEVELS.values()
    yield BANK.title


def test_twelve_items_for_each_of_twelve_points():
    counts = Counter(item.knowledge for item in BANK.items)
    assert counts == {point.id: 12 for point in BANK.points}
    assert len(BANK.items) == 144


def test_difficulty_is_spread_evenly_within_a_point():
    steps = [round(0.90 - 0.05 * n, 2) for n in range(12)]
    for point in BANK.points:
        found = [item.difficulty for item in BANK.items if item.knowledge == point.id]
        assert found == steps


def test_every_point_has_items_of_every_level():
    for point in BANK.points:
        assert {i.level for i in BANK.items if i.knowledge == point.id} == set(LEVELS)


def test_keys_are_balanced_within_a_point_and_without_long_runs():
    for point in BANK.points:
        keys = [item.key for item in BANK.items if item.knowledge == point.id]
        assert Counter(keys) == dict.fromkeys(LABELS, 3)
        assert all(len(set(keys[i : i + 3])) > 1 for i in range(10))


def test_every_character_has_a_glyph():
    missing = {c for t in texts() for c in t.zh + t.en if printable_text(c) == "〓"}
    assert missing == set()


def test_no_stem_stands_twice():
    for language in ("zh", "en"):
        stems = [item.stem.text(language) for item in BANK.items]
        assert len(set(stems)) == len(stems)


def test_chinese_is_chinese_and_english_is_english():
    for item in BANK.items:
        for part in (item.stem, item.explanation):
            assert re.search("[\u4e00-\u9fff]", part.zh), item.id
            assert not re.search("[\u3000-\u9fff\uff00-\uffef]", part.en), item.id
            assert part.zh[-1] in "。？", item.id
            assert part.en[-1] in ".?", item.id
        for option in item.options:
            assert not re.search("[\u3000-\u9fff\uff00-\uffef]", option.en), item.id


def test_minus_is_the_minus_sign():
    for part in texts():
        for line in (part.zh, part.en):
            assert not re.search(r"[-–]\s*[\d(a-z]*\d", line), line


def test_options_say_the_same_in_both_languages():
    for item in BANK.items:
        for option in item.options:
            digits = [re.findall(r"\d+(?:\.\d+)?", line) for line in (option.zh, option.en)]
            assert digits[0] == digits[1], item.id
