"""Reading bubbles: how dark each is beyond an empty one, and what that says.

Darkness is the share of the paper's light that the inside of a bubble takes away. What an
empty bubble takes away is measured on the page itself, separately for each printed label,
and so is what a mark takes away; a bubble's state follows from where its darkness lies
between the two. No threshold is fixed per scanner, and none is taken from a single row.
"""

from __future__ import annotations

import numpy as np

from inkmark.geometry import Box
from inkmark.layouts import AnchorKind, BubbleField, PageLayout
from inkmark.omr import _kernels
from inkmark.omr._levels import (
    BoolArray,
    Ink,
    group_medians,
    mark_probability,
    page_levels,
    unexplained_ink,
)
from inkmark.omr._outlines import follow_outlines
from inkmark.omr._plan import BubblePlan, bubble_plan
from inkmark.omr._transform import FloatArray, GreyImage, Transform
from inkmark.omr.model import BubbleOptions
from inkmark.readings import FieldReading, Flag, Registration

__all__ = ["BubbleOptions", "read_bubbles"]

_WHITE_SHARE = 0.75
"""Paper is the sample around a bubble that this share of the samples is not lighter than."""


def read_bubbles(
    pixels: GreyImage,
    page: PageLayout,
    registration: Registration,
    options: BubbleOptions | None = None,
) -> tuple[FieldReading, ...]:
    """Read the bubble fields of a registered page.

    Parameters
    ----------
    pixels : (H, W) uint8
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
    """
    options = options or BubbleOptions()
    plan = bubble_plan(page)
    if not plan.fields:
        return ()
    transform = Transform.of(registration)
    if page.anchors.kind is not AnchorKind.SQUARES:
        plan = follow_outlines(pixels, plan, transform)
    ink = _measure(pixels, plan, transform)
    levels = page_levels(ink, plan, options)
    fill = np.where(ink.seen, ink.inside - levels.empty, 0.0)
    probability = mark_probability(fill, ink, plan, levels, options)
    odd = unexplained_ink(fill, probability, ink, plan, levels)
    readings = []
    for k, field in enumerate(plan.fields):
        span = slice(int(plan.first[k]), int(plan.first[k + 1]))
        readings.append(
            _read_field(
                field,
                fill[span],
                probability[span],
                odd[span],
                seen=bool(ink.seen[span].all()),
                box_px=_box_px(plan.bubbles[span], transform),
                doubt=options.doubt,
            )
        )
    return tuple(readings)


def _measure(pixels: GreyImage, plan: BubblePlan, transform: Transform) -> Ink:
    grey = np.empty((len(plan.bubbles), 3), dtype=np.float32)
    _kernels.measure_bubbles(
        pixels,
        transform.homography,
        transform.mesh_x,
        transform.mesh_y,
        transform.mesh,
        plan.bubbles,
        plan.inside,
        plan.around,
        int(_WHITE_SHARE * len(plan.around)),
        grey,
    )
    seen = grey[:, 0] >= 0
    white = np.maximum(group_medians(grey[:, 2], seen, plan.group), 1.0)
    return Ink(1.0 - grey[:, 0] / white, 1.0 - grey[:, 1] / white, seen)


def _box_px(bubbles: FloatArray, transform: Transform) -> Box:
    """Smallest upright box in the image around the bubbles of a field."""
    low = (bubbles[:, :2] - bubbles[:, 2:]).min(axis=0)
    high = (bubbles[:, :2] + bubbles[:, 2:]).max(axis=0)
    corners = transform.to_px(Box(*low, *(high - low)).corners())
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))


def _read_field(
    field: BubbleField,
    fill: FloatArray,
    probability: FloatArray,
    odd: BoolArray,
    *,
    seen: bool,
    box_px: Box,
    doubt: float,
) -> FieldReading:
    values = tuple(np.clip(fill, 0.0, 1.0).tolist())
    if not seen:
        return FieldReading(field.name, "", 0.0, Flag.UNREADABLE, values, box_px)
    shape = (field.n_groups, len(field.options))
    groups = [
        _read_group(group, odd=bool(strange.any()), multiple=field.multiple, doubt=doubt)
        for group, strange in zip(probability.reshape(shape), odd.reshape(shape), strict=True)
    ]
    flags = {flag for _, flag, _ in groups}
    flag = next((f for f in (Flag.DOUBTFUL, Flag.SEVERAL) if f in flags), Flag.OK)
    confidence = float(np.prod([c for _, _, c in groups]))
    joint = "|" if any(len(option) > 1 for option in field.options) else ""
    if field.n_groups == 1:
        value = joint.join(field.options[k] for k in groups[0][0])
    elif all(not marked for marked, _, _ in groups):
        value = ""
    else:
        value = joint.join(
            field.options[marked[0]] if len(marked) == 1 and group_flag is Flag.OK else "?"
            for marked, group_flag, _ in groups
        )
        if "?" in value and flag is Flag.OK:
            flag = Flag.DOUBTFUL  # a number with a gap is no number
    return FieldReading(field.name, value, confidence, flag, values, box_px)


def _read_group(
    probability: FloatArray, *, odd: bool, multiple: bool, doubt: float
) -> tuple[list[int], Flag, float]:
    """Marked options of a group, its flag and the probability that both are right."""
    certain = np.flatnonzero(probability >= 1 - doubt)
    unsure = (probability > doubt) & (probability < 1 - doubt)
    likely = np.flatnonzero(probability >= 0.5)
    # Beside a certain mark a weaker one is an erasure or a slip until a person says more.
    marked = certain if len(certain) and not multiple else likely
    taken = np.zeros(len(probability), dtype=bool)
    taken[marked] = True
    confidence = float(np.prod(np.where(taken, probability, 1 - probability)))
    if unsure.any() or (odd and not len(marked)):
        flag = Flag.DOUBTFUL
    elif len(marked) > 1 and not multiple:
        flag = Flag.SEVERAL
    else:
        flag = Flag.OK
    return marked.tolist(), flag, confidence
