"""Reading bubbles: how dark each is beyond an empty one, and what that says.

Darkness is the share of the paper's light that the inside of a bubble takes away. What an
empty bubble takes away is measured on the page itself, separately for each printed label,
and so is what a mark takes away; a bubble's state follows from where its darkness lies
between the two. No threshold is fixed per scanner, and none is taken from a single row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, BubbleField, PageLayout
from inkmark.omr import _kernels
from inkmark.omr._levels import (
    Ink,
    group_medians,
    mark_probability,
    page_levels,
    unexplained_ink,
)
from inkmark.omr._outlines import follow_outlines
from inkmark.omr._plan import BubblePlan, bubble_plan
from inkmark.omr._print import is_bilevel, shows_print
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage, Transform
from inkmark.omr.model import BubbleOptions
from inkmark.readings import FieldReading, Flag, Registration

__all__ = ["BubbleOptions", "read_bubbles"]

_MIN_SHARP, _MIN_PLACED = 0.75, 0.7
"""On an imported sheet these shares of the bubbles stand out from what is half a step beside
them, and of the fields are found; else it is another sheet. Right sheets show 0.84 and more
of the first, wrong ones 0.66 and less unless they have next to no bubbles."""
_WHITE_SHARE = 0.75
"""Paper is the sample around a bubble that this share of the samples is not lighter than."""


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
    The probability that a bubble is marked is logistic in its darkness, centred at a fixed
    share of the page's own mark level with a width that grows with the page's noise. The
    confidence of a field is the product over its bubbles of the probability of the state
    taken, as if bubbles were independent. It orders fields rightly; it is a model and has
    not been calibrated against error rates.

    A bubble whose printed outline is not seen though the page's others are is covered, torn
    off or lost: its field is unreadable. Where no outline is seen on our own sheets, blank
    groups are doubtful if the scan is 1-bit or shows no mark either.
    """
    options = options or BubbleOptions()
    plan = bubble_plan(page)
    if not plan.fields:
        return ()
    grey = pixels.whole()
    transform = Transform.of(registration)
    placed = np.ones(len(plan.fields), dtype=bool)
    sharp = 1.0
    if page.anchors.kind is not AnchorKind.SQUARES:
        plan, placed, sharp = follow_outlines(grey, plan, transform)
    ink = _measure(grey, plan, transform)
    shown = shows_print(ink, plan, lambda at: _measure(grey, replace(plan, bubbles=at), transform))
    if shown is None:
        shown = ink.seen & _between_anchors(plan, registration)
        printless = plan.known_surroundings
    else:
        printless = False
    ink = replace(ink, seen=shown)
    levels = page_levels(ink, plan, options)
    fill = np.where(ink.seen, ink.inside - levels.empty, 0.0)
    probability = mark_probability(fill, ink, plan, levels, options)
    odd = unexplained_ink(fill, probability, ink, plan, levels)
    # Without print to be seen, a blank may be a covered mark, or one too light for the scan.
    blind = printless and (is_bilevel(grey) or not (probability >= 0.5).any())
    states = _group_states(probability, odd, plan, options.doubt, blind=blind)
    boxes = _boxes_px(plan, transform)
    seen = np.logical_and.reduceat(ink.seen, plan.first[:-1])
    if sharp < _MIN_SHARP or np.mean(placed & seen) < _MIN_PLACED:
        placed[:] = plan.known_surroundings  # what is found here and there is other print
    shown = np.clip(fill, 0.0, 1.0).tolist()
    readings = []
    for k, field in enumerate(plan.fields):
        values = tuple(shown[plan.first[k] : plan.first[k + 1]])
        if seen[k]:
            value, flag, confidence = _read_field(field, int(plan.first_group[k]), states)
            if not placed[k]:  # what was read may lie beside the bubbles
                flag, confidence = Flag.DOUBTFUL, 0.5 * confidence
        else:
            value, flag, confidence = "", Flag.UNREADABLE, 0.0
        readings.append(FieldReading(field.name, value, confidence, flag, values, boxes[k]))
    return tuple(readings)


def _measure(pixels: GreyImage, plan: BubblePlan, transform: Transform) -> Ink:
    grey = np.empty((len(plan.bubbles), 4), dtype=np.float32)
    _kernels.measure_bubbles(
        pixels,
        transform.homography,
        transform.mesh_x,
        transform.mesh_y,
        transform.mesh,
        plan.bubbles,
        plan.inside,
        plan.outlines,
        plan.outline,
        plan.around,
        int(_WHITE_SHARE * len(plan.around)),
        grey,
    )
    seen = grey[:, 0] >= 0
    white = np.maximum(group_medians(grey[:, 3], seen, plan), 1.0)
    inside, outline, around = 1.0 - grey[:, :3].T / white
    return Ink(inside, outline, around, white, seen)


def _between_anchors(plan: BubblePlan, registration: Registration) -> BoolArray:
    """Which bubbles lie no higher and no lower than the anchors that were found."""
    whole = registration.anchors_found == registration.anchors_expected
    if whole or not plan.known_surroundings:
        return np.ones(len(plan.bubbles), dtype=bool)
    if registration.shifts is None:
        return np.zeros(len(plan.bubbles), dtype=bool)
    y_mm, top, bottom = plan.bubbles[:, 1], *np.take(registration.shifts.y_mm, (0, -1))
    return np.asarray((y_mm >= top) & (y_mm <= bottom))


def _boxes_px(plan: BubblePlan, transform: Transform) -> list[Box]:
    """Smallest upright box in the image around the bubbles of each field."""
    first = plan.first[:-1]
    low = np.minimum.reduceat(plan.bubbles[:, :2] - plan.bubbles[:, 2:], first)
    high = np.maximum.reduceat(plan.bubbles[:, :2] + plan.bubbles[:, 2:], first)
    corners = np.stack([low, np.column_stack([high[:, 0], low[:, 1]]), high, low], axis=1)
    corners[:, 3, 1] = high[:, 1]
    seen = transform.to_px(corners.reshape(-1, 2)).reshape(-1, 4, 2)
    start, extent = seen.min(axis=1), np.ptp(seen, axis=1)
    return [Box(*xy, *wh) for xy, wh in zip(start.tolist(), extent.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class _GroupStates:
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


def _group_states(
    probability: FloatArray, odd: BoolArray, plan: BubblePlan, doubt: float, *, blind: bool
) -> _GroupStates:
    first = plan.group_first
    certain = probability >= 1 - doubt
    # Beside a certain mark a weaker one is an erasure or a slip until a person says more.
    outdone = np.logical_or.reduceat(certain, first)[plan.group] & ~plan.multiple
    marked = np.where(outdone, certain, probability >= 0.5)
    count = np.add.reduceat(marked, first, dtype=np.int64)
    strange = (np.logical_or.reduceat(odd, first) | blind) & (count == 0)
    unsure = np.logical_or.reduceat((probability > doubt) & ~certain, first)
    confidence = np.multiply.reduceat(np.where(marked, probability, 1 - probability), first)
    confidence[strange] *= 0.5  # dirt as likely as a mark
    options: list[list[int]] = [[] for _ in first]
    for bubble in np.flatnonzero(marked).tolist():
        group = int(plan.group[bubble])
        options[group].append(bubble - int(first[group]))
    several = (count > 1) & ~plan.multiple[first]
    flags = [
        Flag.DOUBTFUL if doubtful else Flag.SEVERAL if many else Flag.OK
        for doubtful, many in zip((unsure | strange).tolist(), several.tolist(), strict=True)
    ]
    return _GroupStates(options, flags, confidence.tolist())


def _read_field(
    field: BubbleField, first_group: int, states: _GroupStates
) -> tuple[str, Flag, float]:
    """Value, flag and confidence of a field from its groups."""
    span = slice(first_group, first_group + field.n_groups)
    marked, flags = states.marked[span], states.flags[span]
    confidence = float(np.prod(states.confidence[span]))
    flag = next((f for f in (Flag.DOUBTFUL, Flag.SEVERAL) if f in flags), Flag.OK)
    joint = "|" if any(len(option) > 1 for option in field.options) else ""
    if field.n_groups == 1:
        return joint.join(field.options[k] for k in marked[0]), flag, confidence
    if not any(marked):
        return "", flag, confidence
    symbols = [
        field.options[chosen[0]] if len(chosen) == 1 and group_flag is Flag.OK else "?"
        for chosen, group_flag in zip(marked, flags, strict=True)
    ]
    if "?" in symbols and flag is Flag.OK:
        flag = Flag.DOUBTFUL  # a number with a gap is no number
    return joint.join(symbols), flag, confidence
