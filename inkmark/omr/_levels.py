"""What a page's own bubbles say about empty ones, marks and noise, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.omr._plan import BubblePlan
from inkmark.omr._transform import BoolArray, FloatArray
from inkmark.omr.model import BubbleOptions

__all__ = [
    "Ink",
    "Levels",
    "group_medians",
    "mark_probability",
    "page_levels",
    "unexplained_ink",
]


_MIN_NOISE = 0.004
_MIN_ALIKE = 3
"""So many empty bubbles of one label are needed to say how dark its print is."""
_PAIR_NOISES = 4.0
"""Two empty bubbles of one label differ by no more standard deviations than this."""
_MAX_PRINT = 0.45
"""No printed label takes away this much of the light; what does is ink."""
_USUAL_PRINT = 0.1
_NO_EMPTY_NOISE = 0.1
"""Darkness of an empty bubble where a page has none, and how little that is known."""
_PRINT_SPREAD = 0.03
"""Standard deviation of the darkness of labels of one print."""
_MAX_DARKER = 0.08
"""No label is darker than a typical one by more than this."""
_NEAR_EMPTY = 0.15
"""A bubble is taken for empty at first if it is not darker by more than this."""
_LOGISTIC = np.sqrt(3) / np.pi
"""Scale of the logistic distribution that has a standard deviation of one."""
_FAR_NOISES = 6.0
"""Empty bubbles are not this many standard deviations darker than their label."""
_MAX_BOUNDARY = 0.5
"""Noise moves the boundary no higher than this share of a mark: then all is doubtful."""
_ODD_NOISES = 5.0
_ODD_SHARE = 0.03
"""Ink is unexplained beyond this share of a mark and so many standard deviations."""
_ODD_LEAST = 0.035
"""What is lighter is the unevenness of paper and print: a dot of 0.8 mm is darker."""
_MAX_SHARED = 0.12
"""Paper and print do not darken a whole group by more than this share of a mark."""
_MIN_USUAL = 60
"""So many empty bubbles beside marks are needed to say what is usual."""
_MIN_SPLIT = 0.25
"""Empty bubbles and marks in one sample are at least this far apart."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How dark a page's bubbles are, as shares of the paper's light that is missing.

    Attributes
    ----------
    inside, outline, around : (n,) float64
        Mean darkness inside each bubble, where its outline is printed and around it.
    white : (n,) float64
        Grey value of the paper at each bubble's group.
    seen : (n,) bool
        Whether the bubble lies in the image.
    """

    inside: FloatArray
    outline: FloatArray
    around: FloatArray
    white: FloatArray
    seen: BoolArray


def group_medians(values: NDArray[np.floating], seen: BoolArray, plan: BubblePlan) -> FloatArray:
    """Median of the seen values of each group, given to each of its bubbles."""
    order = np.lexsort((np.where(seen, values, np.inf), plan.group))
    count = np.add.reduceat(seen, plan.group_first, dtype=np.int64)
    middle = plan.group_first + np.maximum(count - 1, 0) // 2
    return np.asarray(values[order][middle][plan.group], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Levels:
    """What a page's own bubbles say about empty ones and marks.

    Attributes
    ----------
    empty : (n,) float64
        Darkness of each bubble while empty.
    noise : (n,) float64
        Standard deviation of the darkness of an empty bubble around it; larger for a label
        that the page has too few of to know its print.
    shared : (n,) float64
        Part of `empty` that all bubbles of the group have beyond their labels.
    mark, spread : float
        Typical darkness of a mark beyond an empty bubble, and its standard deviation.
    """

    empty: FloatArray
    noise: FloatArray
    shared: FloatArray
    mark: float
    spread: float


def page_levels(ink: Ink, plan: BubblePlan, options: BubbleOptions) -> Levels:
    """Separate the empty bubbles of a page from its marks.

    In a group most bubbles are empty, so the lighter half of every group is a first sample
    of empty ones. The labels' own darkness is taken from bubbles near that sample only: a
    label that nearly always is marked has too few of them and takes the page's level.
    """
    raw, seen = ink.inside, ink.seen
    if not seen.any():
        noises = np.full_like(raw, _MIN_NOISE)
        none = np.zeros_like(raw)
        return Levels(none, noises, none, options.default_mark, 0.0)
    level = _empty_level(raw[_lighter_halves(raw, seen, plan.group)])
    if level is None:
        guess, noises = np.full_like(raw, _USUAL_PRINT), np.full_like(raw, _NO_EMPTY_NOISE)
        marks = _mark_level(raw - guess, seen, _MIN_NOISE, options)
        return Levels(guess, noises, np.zeros_like(raw), *marks)
    empty = np.full_like(raw, level)
    unknown = np.zeros(len(raw), dtype=bool)
    noise = _MIN_NOISE
    for _ in range(2):
        near = seen & (raw - empty < max(6 * noise, _NEAR_EMPTY))
        if not near.any():
            break
        beside = near & _beside_marks(raw - empty, seen, plan, options)
        empty, unknown = _empty_by_glyph(raw, near, plan.glyph, beside, _PAIR_NOISES * noise)
        sample = (raw - empty)[_lighter_halves(raw - empty, near, plan.group)]
        noise = _noise(sample - np.median(sample))
    mark, _ = _mark_level(raw - empty, seen, noise, options)
    effect, is_reference = _group_effect(raw - empty, seen, plan, 0.3 * mark)
    empty = empty + effect
    fill = raw - empty
    noise = _noise(fill[seen & ~is_reference & (fill < max(6 * noise, _NEAR_EMPTY))])
    return Levels(
        empty,
        np.where(unknown, np.hypot(noise, _PRINT_SPREAD), noise),
        effect,
        *_mark_level(fill, seen, noise, options),
    )


def _beside_marks(
    fill: FloatArray, seen: BoolArray, plan: BubblePlan, options: BubbleOptions
) -> BoolArray:
    """Bubbles in groups that allow one mark and have one, beside which they are empty."""
    marked = np.zeros(int(plan.group[-1]) + 1, dtype=bool)
    marked[plan.group[seen & (fill > 0.3 * options.default_mark)]] = True
    return marked[plan.group] & ~plan.multiple


def _noise(sample: FloatArray) -> float:
    """Standard deviation by the median absolute value, and never nothing."""
    return max(1.4826 * float(np.median(np.abs(sample))), _MIN_NOISE) if len(sample) else _MIN_NOISE


def _mark_level(
    fill: FloatArray, seen: BoolArray, noise: float, options: BubbleOptions
) -> tuple[float, float]:
    """Typical darkness of a mark, and how much marks differ.

    Few marks are weighed with what marks usually have.
    """
    top = fill[seen & (fill > max(8 * noise, 0.3 * options.default_mark))]
    if not len(top):
        return options.default_mark, 0.0
    typical = float(np.median(top))
    spread = 1.4826 * float(np.median(np.abs(top - typical)))
    return (len(top) * typical + 2.0 * options.default_mark) / (len(top) + 2.0), spread


def _group_effect(
    fill: FloatArray, seen: BoolArray, plan: BubblePlan, limit: float
) -> tuple[FloatArray, BoolArray]:
    """What all bubbles of a group have in common beyond their labels: shade, print, paper.

    The lower median of the group, or its lightest bubble where several marks are an
    answer. Nothing for groups too small to tell it from a mark, and nothing beyond
    `limit`: such a group holds nothing but marks. The bubble whose darkness a group has
    given is marked in the second array: it has no darkness of its own any more.
    """
    order = np.lexsort((np.where(seen, fill, np.inf), plan.group))
    first = plan.group_first
    count = np.diff(first, append=len(fill))
    rank = np.where(plan.multiple[first], 0, (count - 1) // 2)
    reference = order[first + rank]
    effect = fill[reference]
    used = (count >= _MIN_ALIKE) & (np.abs(effect) <= limit)
    is_reference = np.zeros(len(fill), dtype=bool)
    is_reference[reference[used]] = True
    return np.where(used, effect, 0.0)[plan.group], is_reference


def mark_probability(
    fill: FloatArray,
    ink: Ink,
    plan: BubblePlan,
    levels: Levels,
    options: BubbleOptions,
) -> FloatArray:
    """Probability that each bubble is marked.

    A bubble that alone stands out from an otherwise empty group needs less than one beside
    others: there it competes with a person's other intention, here only with dirt.
    """
    order = np.lexsort((np.where(ink.seen, fill, -np.inf), plan.group))
    count = np.diff(plan.group_first, append=len(fill))
    last = plan.group_first + count - 1
    second = np.where(count > 1, fill[order][np.maximum(last - 1, 0)], 0.0)
    alone = np.zeros(len(fill), dtype=bool)
    alone[order[last]] = second < options.empty * levels.mark
    share = np.where(alone, options.boundary_alone, options.boundary)
    far = np.minimum(_FAR_NOISES * levels.noise, _MAX_BOUNDARY * levels.mark)
    boundary = np.maximum(share * levels.mark, far)
    own = np.hypot(options.width * levels.mark, options.spread * levels.spread)
    width = np.hypot(own, _LOGISTIC * levels.noise)
    return np.asarray(1 / (1 + np.exp(np.clip((boundary - fill) / width, -50, 50))))


def _empty_level(sample: FloatArray) -> float | None:
    """Darkness of empty bubbles from a sample that may hold marks; None if only marks."""
    level = float(np.median(sample))
    middle = (float(sample.min()) + float(sample.max())) / 2
    lighter, darker = sample[sample <= middle], sample[sample > middle]
    if len(darker) and np.median(darker) - np.median(lighter) > _MIN_SPLIT:
        level = float(np.median(lighter))
    return level if level < _MAX_PRINT else None


def _lighter_halves(
    values: FloatArray, seen: BoolArray, group: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Indices of the lighter half of the seen bubbles of each group."""
    index = np.flatnonzero(seen)
    order = index[np.lexsort((values[index], group[index]))]
    _, first, count = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, count)
    return np.asarray(order[rank < np.repeat((count + 1) // 2, count)])


def _empty_by_glyph(
    raw: FloatArray,
    near: BoolArray,
    glyph: NDArray[np.int64],
    beside: BoolArray | None = None,
    agree: float = 0.0,
) -> tuple[FloatArray, BoolArray]:
    """Darkness of each bubble while empty by its label, and whether that is a guess.

    Labels differ by little; one much darker than the page's typical one is not believed,
    because bubbles that are nearly always marked lightly look the same. Two bubbles of a
    label are enough where one stands `beside` a mark and they differ by no more than `agree`.
    """
    index = np.flatnonzero(near)
    index = index[np.lexsort((raw[index], glyph[index]))]
    count = np.bincount(glyph[index], minlength=int(glyph.max()) + 1)
    first = np.cumsum(count) - count
    lower, upper = (
        raw[index[np.minimum(first + middle, len(index) - 1)]]
        for middle in (np.maximum(count - 1, 0) // 2, count // 2)
    )
    known = count >= _MIN_ALIKE
    if beside is not None:
        n_beside = np.bincount(glyph[index], weights=beside[index], minlength=len(count))
        known |= (count == 2) & (n_beside >= 1) & (upper - lower <= agree)
    print_of = (lower + upper) / 2
    unknown = ~known
    typical = float(np.median(print_of[known] if known.any() else raw[near]))
    print_of[unknown] = typical
    print_of = np.minimum(print_of, typical + _MAX_DARKER)
    return print_of[glyph], unknown[glyph]


def unexplained_ink(
    fill: FloatArray,
    probability: FloatArray,
    ink: Ink,
    plan: BubblePlan,
    levels: Levels,
) -> BoolArray:
    """Bubbles with ink that print, dirt and noise do not explain, in or around them.

    It may be a dot or a ring that a person means as a mark. It says nothing beside a mark:
    the empty bubbles there show how much print and dirt differ on this page.
    """
    if not ink.seen.any():
        return np.zeros(len(fill), dtype=bool)
    # A row that is filled all along but lightly has no empty bubble to stand out from.
    odd = levels.shared > np.maximum(_ODD_NOISES * levels.noise, _MAX_SHARED * levels.mark)
    marked = np.zeros(int(plan.group[-1]) + 1, dtype=bool)
    marked[plan.group[probability >= 0.5]] = True
    usual = ink.seen & marked[plan.group] & (probability < 0.5)
    for values, noise in ((fill, levels.noise), _surroundings(ink, plan)):
        limit = np.maximum(_ODD_NOISES * noise, max(_ODD_SHARE * levels.mark, _ODD_LEAST))
        if usual.sum() >= _MIN_USUAL:
            limit = np.maximum(limit, 1.25 * float(np.quantile(values[usual], 0.99)))
        odd |= values > limit
    return odd & ink.seen


def _surroundings(ink: Ink, plan: BubblePlan) -> tuple[FloatArray, FloatArray]:
    """Darkness around each bubble beyond what is usual there, and its noise.

    Nothing where the layout does not say what is printed there, or a label is too rare.
    """
    usual, unknown = _empty_by_glyph(ink.around, ink.seen, plan.glyph)
    known = ink.seen & ~unknown & plan.known_surroundings
    values = np.where(known, ink.around - usual, 0.0)
    values = np.where(known, values - group_medians(values, known, plan), 0.0)
    return values, np.full(len(values), _noise(values[known]))
