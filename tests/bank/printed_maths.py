"""Terms, relations and options read as they are printed, for the checks of the bank."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from math import pi, sqrt

# --- mathematics as it is printed ---------------------------------------------------------

TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[a-z]|[¹²³⁴]|[-−+·×÷/()|√π])")
POWERS = {"¹": 1, "²": 2, "³": 3, "⁴": 4}
RELATIONS = {
    "<": lambda a, b: a < b - 1e-9,
    "≤": lambda a, b: a <= b + 1e-9,
    ">": lambda a, b: a > b + 1e-9,
    "≥": lambda a, b: a >= b - 1e-9,
    "=": lambda a, b: math.isclose(a, b, abs_tol=1e-9),
    "≠": lambda a, b: not math.isclose(a, b, abs_tol=1e-9),
}


class Parser:
    """A recursive-descent reader of printed terms: 3(x + 1)² − 2√5 / |a|."""

    def __init__(self, text, names):
        self.names = names
        self.tokens, at = [], 0
        while at < len(text.rstrip()):
            match = TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"no term: {text!r}")
            self.tokens.append(match[1])
            at = match.end()

    def whole(self):
        total = self.sum()
        if self.tokens:
            raise ValueError(f"left over: {self.tokens}")
        return total

    def next(self, *wanted):
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else None

    def sum(self):
        total = self.product()
        while sign := self.next("+", "−"):
            total += self.product() * (1 if sign == "+" else -1)
        return total

    def product(self):
        sign = -1 if self.next("−") else 1
        total = self.power()
        while self.tokens and self.tokens[0] not in ("+", "−", ")", "|"):
            if self.next("÷", "/"):
                total /= self.power()
            else:
                self.next("·", "×")
                total *= self.power()
        return sign * total

    def power(self):
        base = self.atom()
        raised = self.next(*POWERS)
        return base ** POWERS[raised] if raised else base

    def atom(self):
        if not self.tokens:
            raise ValueError("a term ends too early")
        head = self.tokens.pop(0)
        if head in ("(", "|"):
            inner = self.sum()
            if not self.next(")" if head == "(" else "|"):
                raise ValueError("a bracket is not closed")
            return abs(inner) if head == "|" else inner
        if head == "√":
            return sqrt(self.atom())
        if head == "π":
            return pi
        if head in self.names:
            return self.names[head]
        return float(head)


def value(text, **names):
    return Parser(text, names).whole()


def sides(text, **names):
    return [value(part, **names) for part in re.split("[<≤>≥=≠]", text)]


def holds(text, **names):
    """Whether a relation or several, comma between them, hold: −1 < x ≤ 3."""
    for relation in text.split(", "):
        terms = sides(relation, **names)
        signs = re.findall("[<≤>≥=≠]", relation)
        if not signs:
            raise ValueError(f"no relation: {relation!r}")
        if not all(RELATIONS[s](a, b) for s, a, b in zip(signs, terms, terms[1:], strict=False)):
            return False
    return True


def numbers(text):
    """The numbers an option names: "±8", "5 or √7", "70°", "1/2 hour"; empty for words."""
    if not re.search(r"[\dπ]", text):
        return set()
    bare = re.sub(r"°C?| hours?", "", text)
    bare = re.sub(r"±(.*)", r"\1 or −\1", bare)
    return {round(value(part), 9) for part in bare.split(" or ")}


# --- kinds of checks ------------------------------------------------------------------------


def number(*right):
    wanted = {round(float(one), 9) for one in right}
    return lambda option: numbers(option) == wanted


def text(wanted):
    return lambda option: option == wanted


SAMPLES = (
    {"x": 1.7, "y": -2.3, "a": 0.6, "b": 3.1, "c": -1.9},
    {"x": -2.9, "y": 1.3, "a": 2.2, "b": -0.7, "c": 5.3},
)


def same(term):
    """An expression equal to the term whatever the letters stand for."""
    return lambda option: all(
        math.isclose(value(option, **names), value(term, **names)) for names in SAMPLES
    )


def solves(*relations):
    """Values of letters, as "x = 2, y = 3", for which the relations hold."""

    def check(option):
        names = {part[0]: value(part[4:]) for part in option.split(", ")}
        return all(holds(relation, **names) for relation in relations)

    return check


def fits(relation, letter, **names):
    """A number for which the relation holds."""
    return lambda option: holds(relation, **names, **{letter: value(option)})


GRID = [n / 8 for n in range(-120, 121)]


def region(letter, condition):
    """An inequality that holds for just those values on a grid that meet the condition."""
    if isinstance(condition, str):
        relation = condition
        condition = lambda v: holds(relation, **{letter: v})  # noqa: E731
    return lambda option: all(holds(option, **{letter: v}) == condition(v) for v in GRID)


def always(letters, cases):
    return lambda option: all(holds(option, **dict(zip(letters, c, strict=True))) for c in cases)


def difference(term):
    """An equation whose left side less its right side is the term."""

    def check(option):
        return all(
            math.isclose(left - right, value(term, **names))
            for names in SAMPLES
            for left, right in [sides(option, **names)]
        )

    return check


def point_on(line, axis=""):
    def check(option):
        x, y = (value(part) for part in option.strip("()").split(", "))
        return holds(line, x=x, y=y) and {"x": x, "y": y, "": 0}[axis] == 0

    return check


def count(*cases):
    return number(len(cases))


def chance(outcomes, event):
    outcomes = list(outcomes)
    return number(Fraction(sum(map(event, outcomes)), len(outcomes)))
