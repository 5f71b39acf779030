"""Reading bubbles: how dark each is beyond an empty one, and what that says.

Darkness is the share of the paper's light that the inside of a bubble takes away. What an
empty bubble takes away is measured on the page itself, separately for each printed label,
and so is what a mark takes away; a bubble's state follows from where its darkness lies
between the two. No threshold is fixed per scanner, and none is taken from a single row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box
from inkmark.layouts import AnchorKind, BubbleField, PageLayout
from inkmark.omr import _kernels
from inkmark.omr._outlines import follow_outlines
from inkmark.omr._plan import BubblePlan, bubble_plan
from inkmark.omr._transform import FloatArray, GreyImage, Transform
from inkmark.omr.model import BubbleOptions
from inkmark.readings import FieldReading, Flag, Registration

__all__ = ["BubbleOptions", "read_bubbles"]

_WHITE_SHARE = 0.75
"""Paper is the sample around a bubble that this share of the samples is not lighter than."""
_MIN_NOISE = 0.008
_MIN_ALIKE = 3
"""So many empty bubbles of one label are needed to say how dark its print is."""
_MAX_PRINT = 0.45
"""No printed label takes away this much of the light; what does is ink."""
_USUAL_PRINT = 0.1
"""Darkness of an empty bubble where a page has none."""
_LOGISTIC = np.sqrt(3) / np.pi
"""Scale of the logistic distribution that has a standard deviation of one."""
_MIN_SPLIT = 0.25
"""Empty bubbles and marks in one sample are at least this far apart."""


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
    raw, seen = _darkness(pixels, plan, transform)
    levels = _page_levels(raw, seen, plan, options)
    fill = np.where(seen, raw - levels.empty, 0.0)
    probability = _probability(fill, seen, plan, levels, options)
    readings = []
    for k, field in enumerate(plan.fields):
        span = slice(int(plan.first[k]), int(plan.first[k + 1]))
        readings.append(
            _read_field(
                field,
                fill[span],
                probability[span],
                seen=bool(seen[span].all()),
                box_px=_box_px(plan.bubbles[span], transform),
                doubt=options.doubt,
            )
        )
    return tuple(readings)


def _darkness(
    pixels: GreyImage, plan: BubblePlan, transform: Transform
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Share of the paper's light that each bubble takes away, and whether it was seen."""
    grey = np.empty((len(plan.bubbles), 2), dtype=np.float32)
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
    white = _group_medians(grey[:, 1], seen, plan.group)
    return 1.0 - grey[:, 0] / np.maximum(white, 1.0), seen


def _group_medians(
    values: NDArray[np.float32], seen: NDArray[np.bool_], group: NDArray[np.int64]
) -> FloatArray:
    """Median of the seen values of each group, given to each of its bubbles."""
    order = np.lexsort((np.where(seen, values, np.inf), group))
    first = np.searchsorted(group[order], np.arange(group[-1] + 1))
    count = np.bincount(group, weights=seen).astype(np.int64)
    middle = first + np.maximum(count - 1, 0) // 2
    return np.asarray(values[order][middle][group], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Levels:
    """What a page's own bubbles say about empty ones and marks.

    Attributes
    ----------
    empty : (n,) float64
        Darkness of each bubble while empty.
    noise : float
        Standard deviation of the darkness of empty bubbles around it.
    mark : float
        Typical darkness of a mark beyond an empty bubble.
    """

    empty: FloatArray
    noise: float
    mark: float


def _page_levels(
    raw: FloatArray, seen: NDArray[np.bool_], plan: BubblePlan, options: BubbleOptions
) -> _Levels:
    """Separate the empty bubbles of a page from its marks.

    In a group most bubbles are empty, so the lighter half of every group is a first sample
    of empty ones. The labels' own darkness is taken from bubbles near that sample only: a
    label that nearly always is marked has too few of them and takes the page's level.
    """
    if not seen.any():
        return _Levels(np.zeros_like(raw), _MIN_NOISE, options.default_mark)
    level = _empty_level(raw[_lighter_halves(raw, seen, plan.group)])
    empty = np.full_like(raw, level)
    noise = _MIN_NOISE
    for _ in range(2):
        near = seen & (raw - empty < max(6 * noise, 0.15))
        if not near.any():
            break
        empty = _by_glyph(raw, near, plan.glyph, float(np.median(raw[near])))
        sample = (raw - empty)[_lighter_halves(raw - empty, near, plan.group)]
        noise = max(1.4826 * float(np.median(np.abs(sample - np.median(sample)))), _MIN_NOISE)
    mark = _mark_level(raw - empty, seen, noise, options)
    empty = empty + _group_effect(raw - empty, seen, plan, 0.3 * mark)
    sample = (raw - empty)[seen & (raw - empty < max(6 * noise, 0.15))]
    noise = max(1.4826 * float(np.median(np.abs(sample))), _MIN_NOISE) if len(sample) else noise
    return _Levels(empty, noise, _mark_level(raw - empty, seen, noise, options))


def _mark_level(
    fill: FloatArray, seen: NDArray[np.bool_], noise: float, options: BubbleOptions
) -> float:
    """Typical darkness of a mark; few marks are weighed with what marks usually have."""
    top = fill[seen & (fill > max(8 * noise, 0.3 * options.default_mark))]
    typical = float(np.median(top)) if len(top) else 0.0
    return (len(top) * typical + 2.0 * options.default_mark) / (len(top) + 2.0)


def _group_effect(
    fill: FloatArray, seen: NDArray[np.bool_], plan: BubblePlan, limit: float
) -> FloatArray:
    """What all bubbles of a group have in common beyond their labels: shade, print, paper.

    The lower median of the group, or its lightest bubble where several marks are an
    answer; nothing for groups too small to tell it from a mark. It is limited, because
    a group may hold nothing but marks.
    """
    order = np.lexsort((np.where(seen, fill, np.inf), plan.group))
    _, first, count = np.unique(plan.group, return_index=True, return_counts=True)
    rank = np.where(plan.multiple[first], 0, (count - 1) // 2)
    effect = np.where(count >= _MIN_ALIKE, fill[order][first + rank], 0.0)
    return np.asarray(np.clip(effect, -limit, limit)[plan.group])


def _probability(
    fill: FloatArray,
    seen: NDArray[np.bool_],
    plan: BubblePlan,
    levels: _Levels,
    options: BubbleOptions,
) -> FloatArray:
    """Probability that each bubble is marked.

    A bubble that alone stands out from an otherwise empty group needs less than one beside
    others: there it competes with a person's other intention, here only with dirt.
    """
    order = np.lexsort((np.where(seen, fill, -np.inf), plan.group))
    _, first, count = np.unique(plan.group, return_index=True, return_counts=True)
    last = first + count - 1
    second = np.where(count > 1, fill[order][np.maximum(last - 1, 0)], 0.0)
    alone = np.zeros(len(fill), dtype=bool)
    alone[order[last]] = second < options.empty * levels.mark
    share = np.where(alone, options.boundary_alone, options.boundary)
    boundary = np.maximum(share * levels.mark, 4 * levels.noise)
    width = np.hypot(options.width * levels.mark, _LOGISTIC * levels.noise)
    return np.asarray(1 / (1 + np.exp(np.clip((boundary - fill) / width, -50, 50))))


def _empty_level(sample: FloatArray) -> float:
    """Darkness of empty bubbles from a sample that may hold marks, even only marks."""
    level = float(np.median(sample))
    middle = (float(sample.min()) + float(sample.max())) / 2
    lighter, darker = sample[sample <= middle], sample[sample > middle]
    if len(darker) and np.median(darker) - np.median(lighter) > _MIN_SPLIT:
        level = float(np.median(lighter))
    return level if level < _MAX_PRINT else _USUAL_PRINT


def _lighter_halves(
    values: FloatArray, seen: NDArray[np.bool_], group: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Indices of the lighter half of the seen bubbles of each group."""
    index = np.flatnonzero(seen)
    order = index[np.lexsort((values[index], group[index]))]
    _, first, count = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, count)
    return np.asarray(order[rank < np.repeat((count + 1) // 2, count)])


def _by_glyph(
    raw: FloatArray, near: NDArray[np.bool_], glyph: NDArray[np.int64], otherwise: float
) -> FloatArray:
    """Median darkness of the empty bubbles of each label, given to all with that label."""
    result = np.full(int(glyph.max()) + 1, otherwise)
    for label in range(len(result)):
        alike = raw[near & (glyph == label)]
        if len(alike) >= _MIN_ALIKE:
            result[label] = np.median(alike)
    return np.asarray(result[glyph])


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
    *,
    seen: bool,
    box_px: Box,
    doubt: float,
) -> FieldReading:
    values = tuple(np.clip(fill, 0.0, 1.0).tolist())
    if not seen:
        return FieldReading(field.name, "", 0.0, Flag.UNREADABLE, values, box_px)
    groups = [
        _read_group(group, multiple=field.multiple, doubt=doubt)
        for group in probability.reshape(field.n_groups, len(field.options))
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
    probability: FloatArray, *, multiple: bool, doubt: float
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
    if unsure.any():
        flag = Flag.DOUBTFUL
    elif len(marked) > 1 and not multiple:
        flag = Flag.SEVERAL
    else:
        flag = Flag.OK
    return marked.tolist(), flag, confidence
