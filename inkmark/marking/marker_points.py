"""Points that markers wrote on a sheet, checked against their total.

A reading of points says what else may be written, with probabilities. Here they are limited
to what an item allows, and weighed by whether the items add up to the total that the marker
wrote: a doubtful score that one value alone explains is settled, and a sum that does not come
out makes the scores doubtful that may be to blame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from inkmark.exam import Exam
from inkmark.exam.values import parse_number
from inkmark.layouts import AreaField, PointsField, Role, SheetLayout
from inkmark.readings import FieldReading, Flag

__all__ = ["MarkerOptions", "MarkerPoints", "points_fields", "settle_points"]

Beliefs = NDArray[np.float64]
"""Probability of 0, 1, 2, ... times the smallest step of points."""

_CENT = Decimal("0.01")
_HALF = 50
"""Half a mark in hundredths."""
_FINEST = 10
"""Points in finer steps, in hundredths, are not added up: thirds never come out."""
_NOT_ALLOWED = 0.002
"""What is read as points that the item does not have were points like that so often."""
_TRACE = 0.1
"""What a field says by itself with less is not settled by the others."""
_TINY = 1e-300
_BLANK_IS_NOUGHT = 0.9
"""An empty box adds nothing to the total so often; else anything."""


@dataclass(frozen=True, slots=True)
class MarkerOptions:
    """When points that a marker wrote count without another look.

    Attributes
    ----------
    certainty : float
        Least probability of points that nobody needs to look at.
    ticks : float
        The same for ticks and crosses, of which odd ones may look like others.
    right_sum : float
        Probability that a marker adds up correctly.
    misread : float
        Least probability that points are others than they are read as, however clear they
        look.
    chance : float
        Probability that a wrong sum comes out as the total by chance.
    """

    certainty: float = 0.9
    ticks: float = 0.95
    right_sum: float = 0.99
    misread: float = 0.001
    chance: float = 0.03

    def least(self, field: PointsField) -> float:
        """Least probability with which a field counts."""
        return self.ticks if isinstance(field, AreaField) else self.certainty


@dataclass(frozen=True, slots=True)
class MarkerPoints:
    """What a field of points says in the end.

    Attributes
    ----------
    points : Decimal or None
        None where nothing is written, or nothing that the item allows.
    probability : float
    is_certain : bool
        Whether nobody needs to look.
    """

    points: Decimal | None
    probability: float
    is_certain: bool


def points_fields(layout: SheetLayout) -> dict[str, PointsField]:
    """The fields in which markers put points and their total, by name."""
    return {
        f.name: f for f in layout.fields() if isinstance(f, PointsField) and f.role.is_of_marker
    }


def settle_points(
    exam: Exam,
    layout: SheetLayout,
    readings: Mapping[str, FieldReading],
    decided: Mapping[str, str],
    options: MarkerOptions | None = None,
) -> dict[str, MarkerPoints]:
    """Settle the points on one candidate's sheet.

    Parameters
    ----------
    exam : Exam
        Says how many points an item has.
    layout : SheetLayout
    readings : mapping of str to FieldReading
        By field; those of other fields are left out.
    decided : mapping of str to str
        What people decided, by field; it is certain.
    options : MarkerOptions, optional

    Returns
    -------
    dict of str to MarkerPoints
        By field, for the fields of items of the exam and of the total that were read. The
        total is uncertain where it is not the sum of the items' points.

    Notes
    -----
    Either the total is the sum of the points, or it was added up wrongly, and comes out with
    `MarkerOptions.chance`. Under the first, what an item says is weighed by the probability
    that the others add up to the rest: discrete convolution, each item left out in turn. What
    cannot be read may be any points that the item allows, and stays in doubt itself.
    """
    options = options or MarkerOptions()
    full = {item.number: item.points for item in exam.items}
    every = {
        name: field
        for name, field in points_fields(layout).items()
        if field.role is Role.TOTAL or field.item in full
    }
    most = sum((full[f.item] for f in every.values() if f.role is Role.POINTS), Decimal(0))
    fields = {name: field for name, field in every.items() if name in readings or name in decided}
    said = {
        name: _said(
            readings.get(name),
            decided.get(name),
            most if field.role is Role.TOTAL else full[field.item],
            _worth(field, full),
        )
        for name, field in fields.items()
    }
    least = {name: options.least(field) for name, field in fields.items()}
    items = [name for name, field in fields.items() if field.role is Role.POINTS]
    total = next((name for name, field in fields.items() if field.role is Role.TOTAL), None)
    complete = all(name in fields for name, field in every.items() if field.role is Role.POINTS)
    if total is None or not complete or not said[total].points:
        return _alone(said, decided, least)
    most_of = {name: full[fields[name].item] for name in items}
    return _checked(said, most_of, decided, least, options)


def _alone(
    said: Mapping[str, _Said], decided: Mapping[str, str], least: Mapping[str, float]
) -> dict[str, MarkerPoints]:
    """What every field says by itself."""
    return {name: _settled(one.points, name in decided, least[name]) for name, one in said.items()}


def _worth(field: PointsField, full: Mapping[str, Decimal]) -> Decimal:
    """Points of one unit of what is read: a tick's, or 1."""
    if isinstance(field, AreaField) and field.n_marks > 0:
        return full[field.item] / field.n_marks
    return Decimal(1)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a field may say by itself; what is missing from 1 is unreadable.

    Attributes
    ----------
    points : mapping of Decimal to float
        Probability of points that the item allows.
    blank : float
        Probability that nothing is written.
    """

    points: Mapping[Decimal, float] = field(default_factory=dict)
    blank: float = 0.0


def _said(
    reading: FieldReading | None, decided: str | None, full: Decimal, worth: Decimal
) -> _Said:
    """What a field may say."""
    if decided is not None:
        points = _points(decided, worth)
        return _Said() if points is None or not 0 <= points <= full else _Said({points: 1.0})
    if reading is None or reading.flag is Flag.UNREADABLE or not reading.choices:
        return _Said()
    said: dict[Decimal, float] = {}
    blank = other = excess = 0.0
    for text, p in reading.choices[0]:
        points = _points(text, worth)
        if not text:
            blank += p
        elif points is None:
            other += p
        elif 0 <= points <= full:
            said[points] = said.get(points, 0.0) + p
        else:
            excess += p
    # Numbers that the item does not allow were hardly meant.
    everything = sum(said.values()) + blank + other + _NOT_ALLOWED * excess
    if everything <= 0:
        return _Said()
    return _Said({points: p / everything for points, p in said.items()}, blank / everything)


def _points(text: str, worth: Decimal) -> Decimal | None:
    """Points that a value is worth; None for what is no number."""
    number = parse_number(text)
    return None if number is None else (number * worth).quantize(_CENT)


def _settled(said: Mapping[Decimal, float], decided: bool, least: float) -> MarkerPoints:
    if not said:
        return MarkerPoints(None, 0.0, is_certain=decided)
    points, probability = max(said.items(), key=lambda entry: (entry[1], -entry[0]))
    return MarkerPoints(points, probability, decided or probability >= least)


def _checked(
    said: Mapping[str, _Said],
    full: Mapping[str, Decimal],
    decided: Mapping[str, str],
    least: Mapping[str, float],
    options: MarkerOptions,
) -> dict[str, MarkerPoints]:
    """Weigh every field by the others through the sum; the one that is no item's is the total."""
    (total,) = said.keys() - full.keys()
    step = math.gcd(_HALF, *(int(v / _CENT) for one in said.values() for v in one.points))
    if step < _FINEST:
        return _alone(said, decided, least)
    most = sum(full.values(), Decimal(0))
    beliefs = {
        name: _beliefs(one, step, 0.0 if name in decided else options.misread, full.get(name, most))
        for name, one in said.items()
    }
    before, after = [np.ones(1)], [np.ones(1)]
    items = [*full]
    for name in items:
        before.append(np.convolve(before[-1], beliefs[name]))
    for name in reversed(items):
        after.append(np.convolve(after[-1], beliefs[name]))
    sums, wanted = before[-1], beliefs[total]
    agree = _common(sums, wanted)
    right = options.right_sum * agree
    share = right / (right + options.chance * (1 - options.right_sum))
    found = {}
    for k, name in enumerate(items):
        others = np.convolve(before[k], after[len(items) - 1 - k])
        own = beliefs[name]
        fits = np.array([_common(others, wanted[v:]) for v in range(len(own))])
        found[name] = share * own * fits / max(agree, _TINY) + (1 - share) * own
    n = min(len(sums), len(wanted))
    found[total] = (1 - share) * wanted
    found[total][:n] += share * wanted[:n] * sums[:n] / max(agree, _TINY)
    settled = {}
    for name, weights in found.items():
        alone = said[name].points
        # What a field does not say by itself is not made up from the others.
        back = {points: float(weights[int(points / _CENT) // step]) for points in alone}
        result = _settled(back, name in decided, least[name])
        if name == total:  # where all are clear, and do not add up
            doubted = share < options.certainty
        else:
            doubted = max((p for v, p in alone.items() if v == result.points), default=0) < _TRACE
        settled[name] = (
            replace(result, is_certain=False) if doubted and name not in decided else result
        )
    return settled


def _beliefs(said: _Said, step: int, misread: float, full: Decimal) -> Beliefs:
    """Probabilities of points in steps. What is not read is any half or whole mark."""
    beliefs = np.zeros(int(max(full, *said.points, Decimal(0)) / _CENT) // step + 1)
    for points, p in said.points.items():
        beliefs[int(points / _CENT) // step] += p
    beliefs[0] += _BLANK_IS_NOUGHT * said.blank
    beliefs *= 1 - misread
    any_mark = beliefs[:: _HALF // step]
    any_mark += max(1 - beliefs.sum(), 0.0) / len(any_mark)
    return beliefs


def _common(one: Beliefs, other: Beliefs) -> float:
    n = min(len(one), len(other))
    return float(one[:n] @ other[:n])
