"""Reading bubbles: what ink there is in and around each, and what that says.

Darkness is the share of the paper's light that a part of a bubble takes away. What an empty
bubble takes away is measured on the page itself, separately for each printed label, and so
is what a stroke takes away; between the two lies the evidence from which a fitted model
tells the state of each bubble. No threshold is fixed per scanner, and none is taken from a
single row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import BubbleField, FullBox, PageLayout, Role
from inkmark.omr import _kernels, _level_kernels
from inkmark.omr._darkness import MAX_WRONG, darkness_probabilities
from inkmark.omr._levels import Evidence, Ink
from inkmark.omr._outlines import follow_outlines
from inkmark.omr._plan import N_OWN, BubblePlan, bubble_plan, windows
from inkmark.omr._print import is_bilevel, shows_print
from inkmark.omr._states import State, bubble_model, taken
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage, Transform
from inkmark.omr.model import BubbleOptions
from inkmark.readings import FieldReading, Flag, Registration

__all__ = ["BubbleOptions", "bubble_evidence", "read_bubbles"]

Choices = tuple[tuple[tuple[str, float], ...], ...]
"""As in `FieldReading.choices`."""

_MIN_SHARP, _MIN_PLACED = 0.75, 0.7
"""On an imported sheet these shares of the bubbles stand out from what is half a step beside
them, and of the fields are found; else it is another sheet. Right sheets show 0.84 and more
of the first, wrong ones 0.66 and less unless they have next to no bubbles."""
_DOTS_MM = 0.35
"""The greys of a dithered page are patterns of dots about as wide."""
_LISTED = 0.0005
"""Symbols less probable are left out of the choices."""
_NEARBY_PX = 8
"""Pixels beyond what is looked at first, where print may be looked for."""


def read_bubbles(
    pixels: Pixels,
    page: PageLayout,
    registration: Registration,
    options: BubbleOptions | None = None,
) -> tuple[FieldReading, ...]:
    """Read the bubble fields of a registered page.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    registration : Registration
    options : BubbleOptions, optional

    Returns
    -------
    tuple of FieldReading
        One for each bubble field, in the layout's order.

    Notes
    -----
    A model fitted to simulated pages gives the probability that a bubble is blank, marked by
    strokes, filled, or something that people do not agree on. Which of the first three mean
    a mark is the field's convention. Over the bubbles of a group these give how probable it
    is that the group is read wrongly, and that it is disputed, calibrated on other simulated
    pages. A group is doubtful where one of the two is more probable than the options allow.
    The model is for our own sheets; on others the state of a bubble follows from its
    darkness alone, see `_darkness`, and the options do not count.

    A bubble whose printed outline is not seen though the page's others are is covered, torn
    off or lost: its field is unreadable. Where no outline is seen on our own sheets, blank
    groups are doubtful if the scan is 1-bit or shows no mark either.
    """
    options = options or BubbleOptions()
    plan = bubble_plan(page)
    if not plan.fields:
        return ()
    look = _Look.at(pixels, plan, registration)
    found = Evidence.of(look.ink, look.plan)
    if plan.known_surroundings:
        probability = bubble_model().probabilities(found.inputs)
    else:
        probability = darkness_probabilities(found, look.ink.seen, plan)
    marked, right, agreed = taken(probability, plan.cancelling, plan.group_first)
    # Without print to be seen, a blank may be a covered mark, or one too light for the scan.
    blind = look.printless and (look.bilevel or not marked.any())
    n_marked = np.add.reduceat(marked, plan.group_first[:-1], dtype=np.int64)
    chances = _Chances.of(right, agreed, n_marked, plan, options)
    groups = _groups(marked, n_marked, chances, plan, blind=blind)
    seen = np.logical_and.reduceat(look.ink.seen, plan.first[:-1]).tolist()
    shown = np.clip(found.fill, 0.0, 1.0).round(4).tolist()
    first, first_group = plan.first.tolist(), plan.first_group.tolist()
    readings = []
    for k, field in enumerate(plan.fields):
        values = tuple(shown[first[k] : first[k + 1]])
        left, top, right_x, bottom = look.boxes[k]
        box = Box(left, top, right_x - left, bottom - top)
        choices: Choices = ()
        if seen[k]:
            value, flag, confidence = _read_field(field, first_group[k], groups)
            if field.role is Role.CANDIDATE:
                own = probability[first[k] : first[k + 1]]
                choices = _choices(field, own, first_group[k], groups)
            if not look.placed[k]:  # what was read may lie beside the bubbles
                flag, confidence = Flag.DOUBTFUL, 0.5 * confidence
        else:
            value, flag, confidence = "", Flag.UNREADABLE, 0.0
        readings.append(FieldReading(field.name, value, confidence, flag, values, box, choices))
    return tuple(readings)


def bubble_evidence(
    pixels: Pixels, page: PageLayout, registration: Registration
) -> NDArray[np.float32]:
    """The evidence that the model is fitted to.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    registration : Registration

    Returns
    -------
    (n, N_INPUTS) float32
        Of each bubble of the page in the order of its fields, their groups and options.
        NaN where its print is not seen.
    """
    look = _Look.at(pixels, bubble_plan(page), registration)
    inputs = Evidence.of(look.ink, look.plan).inputs
    inputs[~look.ink.seen] = np.nan
    return inputs


@dataclass(frozen=True, slots=True)
class _Look:
    """The bubbles of a page as they were found in its image.

    Attributes
    ----------
    plan : BubblePlan
        With the places where the bubbles were found.
    placed : (n_fields,) bool
        Whether their places are known.
    ink : Ink
        `seen` where their print is.
    bilevel : bool
        Whether the image is black and white.
    printless : bool
        Whether print should be seen on the page and is not.
    boxes : list of list of float
        Left, top, right and bottom of each field in px.
    """

    plan: BubblePlan
    placed: BoolArray
    ink: Ink
    bilevel: bool
    printless: bool
    boxes: list[list[float]]

    @classmethod
    def at(cls, pixels: Pixels, plan: BubblePlan, registration: Registration) -> _Look:
        transform = Transform.of(registration)
        placed, sharp = np.array([f.name not in registration.lost for f in plan.fields]), 1.0
        if page_is_foreign := not plan.known_surroundings:
            plan, placed, sharp = follow_outlines(
                pixels.whole(), plan, transform, anchored=registration.anchors_expected > 0
            )
        places = transform.places(plan.bubbles)
        boxes = plan.boxes(places)
        near = windows(boxes, 1)
        canvas = pixels.at(near)
        bilevel = is_bilevel(canvas, near)
        blurred = _blurred(pixels.whole(), transform, plan) if bilevel else None
        ink = _measure(canvas if blurred is None else blurred, plan, places)

        def measure_at(bubbles: FloatArray) -> Ink:
            beyond = pixels.at(windows(boxes, _NEARBY_PX)) if blurred is None else blurred
            return _measure(beyond, plan, transform.places(bubbles))

        shown = shows_print(ink, plan, measure_at)
        printless = shown is None and not page_is_foreign
        if shown is None:
            shown = ink.seen & _between_anchors(plan, registration)
        seen = np.logical_and.reduceat(shown, plan.first[:-1])
        if page_is_foreign and (sharp < _MIN_SHARP or np.mean(placed & seen) < _MIN_PLACED):
            placed[:] = False  # what is found here and there is other print
        ink = replace(ink, seen=shown)
        return cls(plan, placed, ink, bilevel, printless, boxes[:, :4].tolist())


def _blurred(grey: GreyImage, transform: Transform, plan: BubblePlan) -> GreyImage:
    """A black and white page with its dots mixed to greys."""
    x, y = plan.bubbles[:, :2].mean(axis=0)
    ends = transform.to_px(np.array([(x, y), (x + 1, y), (x, y + 1)]))
    px_per_mm = np.sqrt(abs(np.linalg.det(ends[1:] - ends[0])))
    width = 2 * max(round(_DOTS_MM / 2 * px_per_mm), 1) + 1
    return np.asarray(cv2.blur(grey, (width, width)), dtype=np.uint8)


def _measure(canvas: GreyImage, plan: BubblePlan, places: FloatArray) -> Ink:
    n = len(places)
    samples = np.empty((n, plan.points.shape[2]), dtype=np.uint8)
    seen = np.empty(n, dtype=bool)
    _kernels.sample_bubbles(canvas, places, plan.shape, plan.points, N_OWN, samples, seen)
    parts = np.empty((n, _level_kernels.COLUMNS))
    _level_kernels.measure(samples, seen, plan.group_first, parts)
    return Ink(parts, seen, samples)


def _between_anchors(plan: BubblePlan, registration: Registration) -> BoolArray:
    """Which bubbles lie no higher and no lower than the anchors that were found."""
    whole = registration.anchors_found == registration.anchors_expected
    if whole or not plan.known_surroundings:
        return np.ones(len(plan.bubbles), dtype=bool)
    if registration.shifts is None:
        return np.zeros(len(plan.bubbles), dtype=bool)
    y_mm, top, bottom = plan.bubbles[:, 1], *np.take(registration.shifts.y_mm, (0, -1))
    return np.asarray((y_mm >= top) & (y_mm <= bottom))


@dataclass(frozen=True, slots=True)
class _Groups:
    """What is said of each group of a page.

    Attributes
    ----------
    marked : list of list of int
        Positions of the options taken for marked.
    flags : list of Flag
    confidence : list of float
        Probability that the marked options are marked and the others blank.
    """

    marked: list[list[int]]
    flags: list[Flag]
    confidence: list[float]


@dataclass(frozen=True, slots=True)
class _Chances:
    """How probable it is that a group is read wrongly, and that it is disputed: (n_groups,).

    And in which groups one of the two is more probable than is allowed.
    """

    wrong: FloatArray
    disputed: FloatArray
    doubtful: BoolArray

    @classmethod
    def of(
        cls,
        right: FloatArray,
        agreed: FloatArray,
        n_marked: NDArray[np.int64],
        plan: BubblePlan,
        options: BubbleOptions,
    ) -> _Chances:
        """From what `taken` says of the groups and how many marks each is read with."""
        if not plan.known_surroundings:
            wrong, disputed = -np.expm1(right), -np.expm1(agreed)
            return cls(wrong, disputed, (wrong > MAX_WRONG) | (disputed > 0))
        model = bubble_model()
        wrong, disputed = model.wrong.probability(right), model.disputed.probability(agreed)
        most_wrong, with_mark, without_mark = _limits(options)
        most_disputed = np.where(n_marked > 0, with_mark, without_mark)
        return cls(wrong, disputed, (wrong > most_wrong) | (disputed > most_disputed))


@lru_cache(maxsize=8)
def _limits(options: BubbleOptions) -> tuple[float, float, float]:
    """The largest probabilities that a group nobody looks at may be wrong, and disputed.

    The latter for groups with a mark and for groups without one.
    """
    model = bubble_model()
    return (
        float(model.wrong.limit(options.silent_error_rate)),
        float(model.disputed.limit(options.undetected_disputes)),
        float(model.disputed.limit(options.undetected_marks)),
    )


def _groups(
    marked: BoolArray,
    n_marked: NDArray[np.int64],
    chances: _Chances,
    plan: BubblePlan,
    *,
    blind: bool,
) -> _Groups:
    first = plan.group_first[:-1]
    doubtful = chances.doubtful.copy()
    # Of two people who do not agree one reads it so.
    confidence = (1 - chances.wrong) * (1 - chances.disputed / 2)
    if blind:
        doubtful |= n_marked == 0
        confidence[n_marked == 0] *= 0.5  # dirt as likely as a mark
    several = (n_marked > 1) & ~plan.multiple[first]
    positions: list[list[int]] = [[] for _ in first]
    at = np.flatnonzero(marked)
    group = plan.group[at]
    for g, option in zip(group.tolist(), (at - first[group]).tolist(), strict=True):
        positions[g].append(option)
    flags = [
        Flag.DOUBTFUL if doubt else Flag.SEVERAL if many else Flag.OK
        for doubt, many in zip(doubtful.tolist(), several.tolist(), strict=True)
    ]
    return _Groups(positions, flags, confidence.tolist())


def _read_field(field: BubbleField, first_group: int, groups: _Groups) -> tuple[str, Flag, float]:
    """Value, flag and confidence of a field from its groups."""
    if field.n_groups == 1:
        value = _joined(field, [field.options[k] for k in groups.marked[first_group]])
        return value, groups.flags[first_group], groups.confidence[first_group]
    span = slice(first_group, first_group + field.n_groups)
    marked, flags = groups.marked[span], groups.flags[span]
    confidence = math.prod(groups.confidence[span])
    flag = next((f for f in (Flag.DOUBTFUL, Flag.SEVERAL) if f in flags), Flag.OK)
    if not any(marked):
        return "", flag, confidence
    symbols = [
        field.options[chosen[0]] if len(chosen) == 1 and group_flag is Flag.OK else "?"
        for chosen, group_flag in zip(marked, flags, strict=True)
    ]
    if "?" in symbols and flag is Flag.OK:
        flag = Flag.DOUBTFUL  # a number with a gap is no number
    return _joined(field, symbols), flag, confidence


def _choices(
    field: BubbleField, probability: FloatArray, first_group: int, groups: _Groups
) -> Choices:
    """What else each group of a number may say, with probabilities.

    As if bubbles were independent of each other; of two marked ones each may be the one that
    is meant. The symbol that is read keeps the confidence of its group, which is calibrated,
    and the others share what is left.
    """
    cancelled = field.full_box is FullBox.CANCELLED
    mark = probability[:, State.STROKE] + probability[:, State.UNSURE] / 2
    mark = np.clip(mark + (0.0 if cancelled else probability[:, State.FULL]), 1e-9, 1 - 1e-9)
    marks = mark.reshape(field.n_groups, -1)
    odds, blank = marks / (1 - marks), np.prod(1 - marks, axis=1, keepdims=True)
    options = blank * odds * (1 + (odds.sum(axis=1, keepdims=True) - odds) / 2)
    p = np.hstack([options, blank])
    p = np.hstack([p, np.maximum(1 - p.sum(axis=1, keepdims=True), 0.0)])
    symbols = (*field.options, "", "?")
    span = slice(first_group, first_group + field.n_groups)
    marked, sure = groups.marked[span], np.array(groups.confidence[span])[:, None]
    read = np.array([[chosen[0] if chosen else len(field.options)] for chosen in marked])
    single = np.array([[len(chosen) < 2] for chosen in marked])
    others = p.sum(axis=1, keepdims=True) - np.take_along_axis(p, read, axis=1)
    shared = np.minimum(p * ((1 - sure) / np.maximum(others, 1e-12)), 1 - sure)
    np.put_along_axis(shared, read, sure, axis=1)
    p = np.where(single, shared, p)
    ranks = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, ranks, axis=1)
    listed = np.count_nonzero(ranked >= _LISTED, axis=1).tolist()
    rows = zip(ranks.tolist(), ranked.round(6).tolist(), listed, strict=True)
    return tuple(
        tuple((symbols[k], value) for k, value in zip(row[:n], values[:n], strict=True))
        for row, values, n in rows
    )


def _joined(field: BubbleField, symbols: list[str]) -> str:
    """Options one behind the other, told apart where they are longer than a letter."""
    if len(symbols) < 2:
        return "".join(symbols)
    return ("|" if any(len(option) > 1 for option in field.options) else "").join(symbols)
