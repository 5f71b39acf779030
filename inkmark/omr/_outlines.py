"""Moving the bubbles of an imported sheet to where their outlines are.

A template of another system places its bubbles by hand, in steps of whole pixels, and a
photo is not flat: bubbles are found near their places, not at them. Every block of bubbles
(rows at one step) is moved as a whole, by an affine map, to where the print of its bubbles
stands out best from the paper around them. Blank and filled bubbles both do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.layouts import BubbleField
from inkmark.omr import _kernels
from inkmark.omr._plan import BubblePlan
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage, Transform

__all__ = ["follow_outlines", "print_score"]

_HALF_PX = 6.0
"""Half height or width of a bubble, whichever is less, in the map that is searched."""
_SCORE_HALF_PX = 4.0
"""The same where only the print as a whole is judged."""
_MAX_MAP_PX = 3000
_INK_CAP = 0.25
"""Darkness beyond this counts no more: a fill must not outweigh ten outlines."""
_SIZES = tuple(
    np.array([size * np.sqrt(aspect), size / np.sqrt(aspect)])
    for size in (0.85, 1.0, 1.2, 1.4, 1.65)
    for aspect in (0.65, 1.0, 1.5)
)
"""Widths and heights at which bubbles are tried, as factors of the template's."""
_SCORE_SIZES = (0.9, 1.2, 1.5)
_FULL_RESPONSE = 0.08
"""A bubble that stands out by so much, or more, is seen."""
_SIZE_COST = 0.4
"""Share of the response that a size must gain for each e-fold from the template's."""
_MIN_RESPONSE = 0.01
_MIN_SUPPORT = 0.5
"""So many bubbles of a block must stand out from the paper by so much."""
_SIDES = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
_MAX_OFF = 0.375
"""Bubbles that were moved by more of a step than this, on average, may have been taken for
their neighbours: half a step is as near to the one as to the other."""
_STEP_REACH = 0.4
"""How far off a place one step away may be, in steps."""
_MAX_BENT = 0.33
"""The same for the way of one bubble against the average of all."""
_MAX_BENT_AWAY = 0.22
"""The same for a block that was moved further from the template's place with its page: a page
that is cut or stretched bends its blocks."""
_PAGE_REACH = (0.5, 1.2)
_BLOCK_REACH = (0.35, 0.7)
"""How far the page and then a block may be off: in steps from bubble to bubble, so that no
bubble is taken for its neighbour, and in half sizes of a bubble."""


def follow_outlines(
    pixels: GreyImage, plan: BubblePlan, transform: Transform, *, anchored: bool = True
) -> tuple[BubblePlan, BoolArray, float]:
    """Move and resize the bubbles of a plan to the print in the image.

    Parameters
    ----------
    pixels : (H, W) uint8
    plan : BubblePlan
    transform : Transform
    anchored : bool
        Whether anything but the image's own corners says where the page is.

    Returns
    -------
    BubblePlan
        The plan with other `bubbles`.
    (n_fields,) bool
        Whether the print of a field's block was found. Where it was not, its bubbles are
        placed as the page as a whole is.
    float
        Share of the bubbles that stand out more than what lies half a step beside them.
    """
    blocks = _blocks(plan)
    pitch_mm = np.min([block.pitch for block in blocks], axis=0)
    # What lies one step away may be beside all bubbles.
    beside_mm = 0.0 if anchored else (1 + _STEP_REACH) * float(pitch_mm.max())
    sheet = _flatten(pixels, plan, transform, _HALF_PX, beside_mm)
    found = np.ones(len(plan.fields), dtype=bool)
    pitch = pitch_mm * sheet.scale
    half = np.median(plan.bubbles[:, 2:], axis=0) * sheet.scale
    page_reach = np.minimum(_PAGE_REACH[0] * pitch, _PAGE_REACH[1] * half)
    points = (plan.bubbles[:, :2] - sheet.origin) * sheet.scale
    size = _best_size(sheet.ink, points, half, pitch, page_reach)
    response = _response(sheet.ink, half * size, pitch)
    if response is None:  # no paper between the bubbles to tell them by
        return plan, found, 1.0
    page, page_score = _fit(response, points, page_reach)
    certain = _is_certain(points, page, pitch) and not _is_outdone(
        response, points, page, page_score, pitch, anchored=anchored
    )
    moved = page.copy()
    for block in blocks:
        placed, near, step = points[block.rows], page[block.rows], block.pitch * sheet.scale
        best, score = _fit(
            response, near, np.minimum(_BLOCK_REACH[0] * step, _BLOCK_REACH[1] * half)
        )
        # A block may have been misplaced against the others by as much as the page.
        other, other_score = _fit(response, placed, page_reach)
        if other_score > 1.15 * score and _is_certain(placed, other, step):
            best = other
        known = _is_certain(placed, best, step) or (
            _is_certain(near, best, step) and _bent(placed, best, step) < _MAX_BENT_AWAY
        )
        if _is_print(response, best):
            moved[block.rows] = best
            found[block.fields] = certain and known
        else:
            found[block.fields] = False
    bubbles = plan.bubbles.copy()
    bubbles[:, :2] = moved / sheet.scale + sheet.origin
    bubbles[:, 2:] *= size
    beside = np.maximum(half * size, pitch / 2) * _SIDES[:, None]
    sharp = _at(response, moved) > _at(response, moved + beside).max(axis=0)
    return replace(plan, bubbles=bubbles), found, float(sharp.mean())


def print_score(pixels: GreyImage, plan: BubblePlan, transform: Transform) -> tuple[float, float]:
    """How well the bubbles of a plan are seen near their places, and how near.

    All of them are moved by one affine map, within the limits of `follow_outlines`.

    Parameters
    ----------
    pixels : (H, W) uint8
    plan : BubblePlan
    transform : Transform

    Returns
    -------
    float
        0 to 1.
    float
        Root mean square distance of the print from the places, in mm.
    """
    sheet = _flatten(pixels, plan, transform, _SCORE_HALF_PX)
    pitch = np.min([block.pitch for block in _blocks(plan)], axis=0) * sheet.scale
    half = np.median(plan.bubbles[:, 2:], axis=0) * sheet.scale
    reach = np.minimum(_PAGE_REACH[0] * pitch, _PAGE_REACH[1] * half)
    points = (plan.bubbles[:, :2] - sheet.origin) * sheet.scale
    best, off_mm = 0.0, 0.0
    for size in _SCORE_SIZES:
        response = _response(sheet.ink, half * size, pitch)
        if response is not None:
            moved = _fit(response, points, reach)[0]
            seen = _at(response, moved)
            score = float(np.mean(np.clip(seen / _FULL_RESPONSE, 0.0, 1.0)))
            if score > best:
                best = score
                off_mm = float(np.sqrt(((moved - points) ** 2).sum(axis=1).mean())) / sheet.scale
    return best, off_mm


def _best_size(
    ink: NDArray[np.float32],
    points: FloatArray,
    half: FloatArray,
    pitch: FloatArray,
    reach: FloatArray,
) -> FloatArray:
    """Width and height of the print, as factors of the template's."""
    best, size = -np.inf, np.ones(2)
    for tried in _SIZES:
        response = _response(ink, half * tried, pitch)
        if response is None:
            continue
        *_, score = _kernels.best_shift(response, points, reach, 1.0)
        score *= 1 - _SIZE_COST * np.abs(np.log(tried)).max()
        if score > best:
            best, size = score, tried
    return size


@dataclass(frozen=True, slots=True)
class _Flat:
    """The part of a sheet that has bubbles, as a map of ink.

    Attributes
    ----------
    ink : (h, w) float32
        Share of the paper's light that is missing, capped.
    origin : (2,) float64
        Sheet position of the map's first pixel, in mm.
    scale : float
        Pixels a millimetre.
    """

    ink: NDArray[np.float32]
    origin: FloatArray
    scale: float


def _flatten(
    pixels: GreyImage,
    plan: BubblePlan,
    transform: Transform,
    half_px: float,
    beside_mm: float = 0.0,
) -> _Flat:
    """Flatten the part of a sheet that has bubbles, and so much beside them."""
    half = plan.bubbles[:, 2:]
    margin = 4 * half.max() + beside_mm
    low = plan.bubbles[:, :2].min(axis=0) - margin
    high = plan.bubbles[:, :2].max(axis=0) + margin
    scale = min(half_px / float(np.median(half.min(axis=1))), _MAX_MAP_PX / (high - low).max())
    to_map = np.array([[1 / scale, 0, low[0]], [0, 1 / scale, low[1]], [0, 0, 1.0]])
    width, height = (int(np.ceil(extent * scale)) for extent in high - low)
    flat = cv2.warpPerspective(
        pixels,
        transform.homography @ to_map,
        (width, height),
        flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    reach = int(6 * np.median(half.max(axis=1)) * scale) | 1
    paper = cv2.morphologyEx(flat, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    ink = 1.0 - flat.astype(np.float32) / np.maximum(paper, 1).astype(np.float32)
    return _Flat(np.minimum(ink, np.float32(_INK_CAP)), low, scale)


def _response(
    ink: NDArray[np.float32], half: FloatArray, pitch: FloatArray
) -> NDArray[np.float32] | None:
    """Ink inside a bubble less ink around it, at every place; None if too large to fit."""
    gap = float((pitch / half).min()) - 1.0  # where the next bubble begins, in half sizes
    if gap < 1.12:
        return None
    outer = min(gap, 1.6)
    size = np.ceil(outer * half).astype(int)
    y, x = np.mgrid[-size[1] : size[1] + 1, -size[0] : size[0] + 1]
    radius = np.hypot(x / half[0], y / half[1])
    inside, around = radius <= 1.06, (radius > 1.1) & (radius <= outer)
    kernel = inside / inside.sum() - around / around.sum()
    return np.asarray(cv2.filter2D(ink, cv2.CV_32F, kernel.astype(np.float32)))


def _fit(
    response: NDArray[np.float32], points: FloatArray, reach: FloatArray
) -> tuple[FloatArray, float]:
    """Points moved by the affine map that suits the print best, and how well it does."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre, extent = (low + high) / 2, np.maximum((high - low) / 2, 1.0)
    x, y, _ = _kernels.best_shift(response, points, reach, 1.0)
    moves = np.array([x, y, 0.0, 0.0, 0.0, 0.0])
    wide = extent > 2 * _HALF_PX  # a single row or column says nothing about a change across it
    steps = np.array([1.0, 1.0, wide[0], wide[0], wide[1], wide[1]])
    limit = np.concatenate([np.abs(moves[:2]) + 0.3 * reach, np.tile(reach, 2)])
    score = _kernels.fit_moves(response, points, centre, extent, moves, steps, limit)
    share = (points - centre) / extent
    return points + moves[:2] + share[:, :1] * moves[2:4] + share[:, 1:] * moves[4:6], score


def _is_certain(before: FloatArray, after: FloatArray, step: FloatArray) -> bool:
    """Whether bubbles were moved so little that none can have become its neighbour."""
    mean = ((after - before) / step).mean(axis=0)
    return bool((np.abs(mean) < _MAX_OFF).all()) and _bent(before, after, step) < _MAX_BENT


def _bent(before: FloatArray, after: FloatArray, step: FloatArray) -> float:
    """The furthest that a bubble's way is from the average of all, in steps."""
    off = (after - before) / step
    return float(np.abs(off - off.mean(axis=0)).max())


def _is_outdone(
    response: NDArray[np.float32],
    before: FloatArray,
    after: FloatArray,
    score: float,
    step: FloatArray,
    *,
    anchored: bool,
) -> bool:
    """Whether a place one step away suits the print more.

    A page that is off by whole steps shows bubbles at almost all places: an image cut off at
    its side, or a sheet that slipped, is a row short on one side and has one more on the other.
    Where both sides are better, the page does not lie flat. If it has anchors only the side
    counts then from which the bubbles were moved far.
    """
    off = ((after - before) / step).mean(axis=0)
    for axis in (0, 1):
        way = np.zeros(2)
        way[axis] = step[axis] if off[axis] < 0 else -step[axis]
        back, on = (_fit(response, after + shift, _STEP_REACH * step)[1] for shift in (way, -way))
        is_one_sided = not anchored or min(back, on) <= score
        is_far = abs(off[axis]) > _MAX_OFF / 1.5
        if (is_one_sided and score < max(back, on)) or (is_far and score < back):
            return True
    return False


def _is_print(response: NDArray[np.float32], points: FloatArray) -> bool:
    """Whether most bubbles stand out from the paper at their places."""
    return float(np.mean(_at(response, points) > _MIN_RESPONSE)) >= _MIN_SUPPORT


def _at(response: NDArray[np.float32], points: FloatArray) -> NDArray[np.float32]:
    x, y = np.moveaxis(np.rint(points).astype(int), -1, 0)
    y, x = np.clip(y, 0, len(response) - 1), np.clip(x, 0, response.shape[1] - 1)
    return np.asarray(response[y, x])


@dataclass(frozen=True, slots=True)
class _Block:
    """Fields that were placed together.

    Attributes
    ----------
    fields : slice
        Their positions in the plan.
    rows : (n,) int64
        Their bubbles.
    pitch : (2,) float64
        Steps from bubble to bubble, across and down, in mm.
    """

    fields: slice
    rows: NDArray[np.int64]
    pitch: FloatArray


def _blocks(plan: BubblePlan) -> list[_Block]:
    """Fields that follow each other at one step; a field of several groups stands alone."""
    blocks = []
    first = 0
    for k in range(1, len(plan.fields) + 1):
        if k < len(plan.fields) and _continues(plan.fields[first : k + 1]):
            continue
        rows = np.arange(plan.first[first], plan.first[k])
        blocks.append(_Block(slice(first, k), rows, _pitch(plan.bubbles[rows])))
        first = k
    return blocks


def _continues(fields: tuple[BubbleField, ...]) -> bool:
    """Whether the last field goes on where the ones before it came from."""
    *_, before, last = fields
    if (
        before.n_groups != 1
        or last.n_groups != 1
        or before.places
        or last.places
        or before.options != last.options
        or not np.allclose(before.option_step, last.option_step)
    ):
        return False
    step = np.subtract(last.origin, before.origin)
    along = np.array(last.option_step)
    if len(fields) == 2:
        sizes = np.array([last.bubble_w, last.bubble_h])
        return bool(abs(step @ along) < 1e-6 and np.abs(step).max() < 4 * sizes.max())
    return bool(np.allclose(step, np.subtract(before.origin, fields[-3].origin), atol=0.05))


def _pitch(bubbles: FloatArray) -> FloatArray:
    """Smallest distance from one bubble to the next, across and down, in mm: (2,)."""
    result = np.empty(2)
    for axis in (0, 1):
        steps = np.diff(np.unique(np.round(bubbles[:, axis], 3)))
        steps = steps[steps > bubbles[:, 2 + axis].min()]
        result[axis] = steps.min() if len(steps) else 2.4 * bubbles[:, 2 + axis].min()
    return result
