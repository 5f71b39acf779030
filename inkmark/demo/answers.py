"""What the demo's candidates know, what they answer, and how they mark it.

Knowledge follows a two-parameter logistic model (Birnbaum 1968) with an ability for each
knowledge point: correlated within a candidate, shifted for a class, so that strong and
weak points differ by candidate and by class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from inkmark.demo.paper import fill_ins
from inkmark.exam import Exam, Item, ItemType, join_labels
from inkmark.readings import Flag
from inkmark.simulator import MarkStyle, Slip

__all__ = [
    "DemoAnswer",
    "answer_items",
    "draw_abilities",
    "fill_in_items",
    "in_letters",
    "mark_subjective",
]

FloatArray = NDArray[np.float64]

_CLASS_MEANS = (0.35, 0.0, -0.25)
_FLAWED_ITEM = 13  # 0-based; its answers say next to nothing about ability
_DOUBTS = (MarkStyle.FAINT, MarkStyle.SMUDGED, None)  # None: two full marks
_HABITS = (MarkStyle.FILL, MarkStyle.SPILL, MarkStyle.HASTY, MarkStyle.LIGHT)
_HABIT_SHARES = (0.76, 0.10, 0.07, 0.07)


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """What a candidate put down for an item.

    Attributes
    ----------
    value : str
        The marked options, as readings write them, or what is written by hand: what the
        candidate meant.
    flag : Flag
        How a careful reader flags the field; ``Flag.OK`` where the marks leave no doubt.
    marks : tuple of (int, MarkStyle)
        The marks on the paper by option, erasures included. None where it is written.
    slips : tuple of (int, Slip)
        What went wrong in writing, by sign.
    """

    value: str
    flag: Flag
    marks: tuple[tuple[int, MarkStyle], ...] = ()
    slips: tuple[tuple[int, Slip], ...] = ()


def draw_abilities(exam: Exam, rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """Ability by candidate number and knowledge point, about 0 with deviation 1."""
    points = list(dict.fromkeys(name for item in exam.items for name, _ in item.knowledge))
    classes = list(dict.fromkeys(candidate.class_name for candidate in exam.candidates))
    taught = rng.normal(0, 0.3, (len(classes), len(points)))
    abilities = {}
    for candidate in exam.candidates:
        group = classes.index(candidate.class_name)
        general = _CLASS_MEANS[group % len(_CLASS_MEANS)] + rng.normal(0, 0.85)
        special = rng.normal(0, 0.55, len(points)) + taught[group]
        for point, more in zip(points, special, strict=True):
            abilities[candidate.number, point] = float(general + more)
    return abilities


def answer_items(
    exam: Exam,
    abilities: dict[tuple[str, str], float],
    hesitant: frozenset[str],
    careful: frozenset[str],
    rng: np.random.Generator,
) -> dict[tuple[str, str], DemoAnswer]:
    """Answers to the objective items by candidate number and item number.

    Parameters
    ----------
    exam : Exam
    abilities : dict of (candidate number, knowledge point) to float
    hesitant : frozenset of str
        Candidates who leave one doubtful field each, and else fill as the sheet asks.
    careful : frozenset of str
        Candidates who always fill as the sheet asks.
    rng : numpy.random.Generator
    """
    items = [item for item in exam.items if item.type.is_objective]
    slopes = rng.uniform(0.9, 1.9, len(items))
    slopes[_FLAWED_ITEM] = 0.1
    # How often each wrong option is taken: one distractor usually draws most.
    lures = rng.dirichlet([0.8] * 4, len(items))
    answers = {}
    for candidate in exam.candidates:
        habit = MarkStyle.FILL
        if candidate.number not in hesitant | careful:
            habit = _HABITS[int(rng.choice(len(_HABITS), p=_HABIT_SHARES))]
        for item, slope, lure in zip(items, slopes, lures, strict=True):
            ability = _ability(item, candidate.number, abilities)
            chosen = _choose(item, _chance(item, ability, slope), lure, rng)
            answers[candidate.number, item.number] = _mark(item, chosen, habit, rng)
    doubts = _endless(_DOUBTS)
    single = [item for item in items if item.type is ItemType.SINGLE]
    for number in sorted(hesitant):
        answered = [item for item in single if answers[number, item.number].value]
        item = answered[int(rng.integers(len(answered)))]
        meant = item.options.index(answers[number, item.number].value)
        answers[number, item.number] = _doubtful(item, meant, next(doubts), rng)
    return answers


def in_letters(answer: DemoAnswer) -> DemoAnswer:
    """The answer to an item with one right option as a letter: in doubt, another is crossed out."""
    if answer.flag is Flag.OK:
        return DemoAnswer(answer.value, Flag.OK)
    return DemoAnswer(answer.value[0], Flag.DOUBTFUL, slips=((0, Slip.CORRECTED),))


def fill_in_items(
    exam: Exam, abilities: dict[tuple[str, str], float], rng: np.random.Generator
) -> dict[tuple[str, str], DemoAnswer]:
    """Answers to the fill-in items by candidate number and item number."""
    written = fill_ins(exam)
    answers = {}
    for item in exam.items:
        if item.number not in written:
            continue
        slope = rng.uniform(0.9, 1.9)
        for candidate in exam.candidates:
            chance = _chance(item, _ability(item, candidate.number, abilities), slope)
            if rng.random() < chance:
                pool = written[item.number].right
            else:  # one in eight has no idea
                pool = written[item.number].wrong if rng.random() < 0.88 else ("",)
            text = pool[int(rng.integers(len(pool)))]
            answers[candidate.number, item.number] = DemoAnswer(text, Flag.OK)
    return answers


def mark_subjective(
    item: Item, candidate: str, abilities: dict[tuple[str, str], float], rng: np.random.Generator
) -> Decimal:
    """Points that a marker gives, in halves."""
    share = _chance(item, _ability(item, candidate, abilities), 1.1) + rng.normal(0, 0.13)
    steps = int(item.points * 2)
    return Decimal(round(float(np.clip(share, 0, 1)) * steps)) / 2


def _ability(item: Item, candidate: str, abilities: dict[tuple[str, str], float]) -> float:
    return sum(float(weight) * abilities[candidate, point] for point, weight in item.knowledge)


def _chance(item: Item, ability: float, slope: float) -> float:
    facility = item.difficulty or 0.5
    difficulty = -np.log(facility / (1 - facility)) / slope
    return float(1 / (1 + np.exp(-slope * (ability - difficulty))))


def _choose(
    item: Item, chance: float, lure: FloatArray, rng: np.random.Generator
) -> tuple[int, ...]:
    """Positions of the options that a candidate takes."""
    key = tuple(item.options.index(label) for label in item.key)
    if rng.random() < chance:
        return key
    if rng.random() < 0.015:  # no time, no idea
        return ()
    wrong = [i for i in range(len(item.options)) if i not in key]
    if item.type is ItemType.MULTIPLE and rng.random() < 0.6:  # right, but not complete
        left_out = key[int(rng.integers(len(key)))]
        return tuple(i for i in key if i != left_out)
    weights = lure[wrong] + 0.02
    taken = wrong[int(rng.choice(len(wrong), p=weights / weights.sum()))]
    if item.type is not ItemType.MULTIPLE:
        return (taken,)
    kept = [i for i in key if rng.random() < 0.6]
    return tuple(sorted({taken, *kept[:2]}))  # nobody marks them all


def _mark(
    item: Item, chosen: tuple[int, ...], habit: MarkStyle, rng: np.random.Generator
) -> DemoAnswer:
    marks = [(i, habit if rng.random() < 0.85 else MarkStyle.FILL) for i in chosen]
    others = [i for i in range(len(item.options)) if i not in chosen]
    if chosen and others and rng.random() < 0.02:  # thought again, and erased well
        marks.append((int(rng.choice(others)), MarkStyle.ERASED))
    labels = [item.options[i] for i in chosen]
    return DemoAnswer(join_labels(labels, item.options), Flag.OK, tuple(marks))


def _doubtful(
    item: Item, meant: int, doubt: MarkStyle | None, rng: np.random.Generator
) -> DemoAnswer:
    other = int(rng.choice([i for i in range(len(item.options)) if i != meant]))
    value = item.options[meant]
    if doubt is MarkStyle.SMUDGED:
        return DemoAnswer(value, Flag.DOUBTFUL, ((meant, MarkStyle.FILL), (other, doubt)))
    if doubt is not None:
        return DemoAnswer(value, Flag.DOUBTFUL, ((meant, doubt),))
    both = sorted((meant, other))
    value = join_labels([item.options[i] for i in both], item.options)
    return DemoAnswer(value, Flag.SEVERAL, tuple((i, MarkStyle.FILL) for i in both))


def _endless(doubts: tuple[MarkStyle | None, ...]) -> Iterator[MarkStyle | None]:
    while True:
        yield from doubts
