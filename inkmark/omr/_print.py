"""Whether the print of bubbles is there to be seen, where the page says they are.

A bubble that is covered, torn off, folded under or lost with half an image looks like an
empty one: paper without ink. What tells them apart is the printed outline. How dark it is
differs from page to page, so it is judged by what the page's other bubbles show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from inkmark.omr._levels import Ink, group_medians
from inkmark.omr._plan import BubblePlan
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage

__all__ = ["is_bilevel", "shows_print"]

_MIN_OUTLINE = 0.03
"""Outlines less dark than this, as a share of the paper's light, are not told from noise."""
_MAX_UNEVEN = 0.25
"""Nor are those whose standard deviation is more than this share of their darkness."""
_MIN_SHARE = 0.4
"""A bubble is printed where its outline has this share of the darkness that is usual,"""
_NOISES = 5.0
"""or less on pages so noisy that this many standard deviations reach further down,"""
_LEAST_SHARE = 0.15
"""but never less than this; the mean of a group's bubbles says more than each."""
_MIN_INK = 0.1
"""A bubble that lost this much light beyond its label's holds ink, which hides its outline,"""
_MAX_SPILL = 0.8
"""if no larger share of that light is lost around it."""
_PLAIN_INK, _PLAIN_SPILL, _PLAIN_PAPER = 0.25, 0.4, 0.8
"""Where a group shows no print there must be more ink, less of it around, and paper of this
share of the page's: the edge of a dark cover looks like a row of marks."""
_MIN_PAPER = 0.2
"""Paper darker than this share of the page's paper shows neither print nor ink."""
_REACH_MM = 0.3
"""How far outlines are looked for where the sheet was not registered that well."""
_MAX_TONES = 0.005
"""No more of the pixels of a 1-bit image are neither black nor white after compression."""
_STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def shows_print(
    ink: Ink, plan: BubblePlan, measure: Callable[[FloatArray], Ink]
) -> BoolArray | None:
    """Which bubbles' print is seen, or None where the page's print is not seen anywhere.

    Parameters
    ----------
    ink : Ink
    plan : BubblePlan
    measure : callable
        Measures a page's bubbles (n, 4) at other places.

    Returns
    -------
    (n,) bool or None
        A filled bubble hides its outline and counts as seen. Where a group as a whole shows
        too little print, all its bubbles but those plainly filled are unseen.
    """
    light = ink.seen & (ink.inside <= group_medians(ink.inside, ink.seen, plan))
    if not light.any():
        return None
    label = _median(ink.inside[light])
    contrast = _contrast(ink, plan, label)
    usual = _Usual.of(contrast[light], label)
    paper = _quantile(ink.white[ink.seen], 0.9)
    shown = ~ink.seen
    if usual is not None:
        shown |= _shown(contrast, ink, plan, usual, paper)
    missing = ~np.logical_and.reduceat(shown, plan.group_first[:-1])[plan.group]
    if missing.any():
        empty = ink.inside - label < _MIN_INK
        best = np.where(missing, _best_nearby(plan, label, empty, measure), contrast)
        usual = usual or _Usual.of(best[light], label)
        if usual is None:
            return None
        shown = _shown(best, ink, plan, usual, paper)
    lit = ink.white >= _MIN_PAPER * paper
    return np.asarray(shown & lit & ink.seen)


def is_bilevel(canvas: GreyImage, windows: NDArray[np.int64]) -> bool:
    """Whether the largest of some windows (n, 4) has next to no tones but black and white."""
    sizes = np.clip(windows[:, 2:] - windows[:, :2], 0, None).prod(axis=1)
    left, top, right, bottom = np.clip(windows[int(sizes.argmax())], 0, None).tolist()
    sample = np.ascontiguousarray(canvas[top:bottom:3, left:right:5])
    if not sample.size:
        return False
    low, high = int(sample.min()), int(sample.max())
    tones = np.minimum(sample - np.uint8(low), np.uint8(high) - sample) > (high - low) // 10
    return int(np.count_nonzero(tones)) / sample.size < _MAX_TONES


@dataclass(frozen=True, slots=True)
class _Usual:
    """What the empty bubbles of a page that show their print have in common.

    Attributes
    ----------
    label : float
        Darkness inside them.
    outline, spread : float
        Contrast of their outlines and its standard deviation.
    """

    label: float
    outline: float
    spread: float

    @classmethod
    def of(cls, contrast: FloatArray, label: float) -> _Usual | None:
        """From the contrasts of bubbles of which some may be covered and show none."""
        printed = contrast[contrast > 0.4 * _quantile(contrast, 0.95)]
        if not len(printed):
            return None
        outline = _median(printed)
        spread = 1.4826 * _median(np.abs(printed - outline))
        if outline < _MIN_OUTLINE or spread > _MAX_UNEVEN * outline:
            return None
        return cls(label, outline, spread)

    def limit(self, count: NDArray[np.int64] | int) -> FloatArray:
        """Least contrast of what is printed, as a mean over so many bubbles."""
        low = self.outline - _NOISES * self.spread / np.sqrt(count)
        return np.clip(low, _LEAST_SHARE * self.outline, _MIN_SHARE * self.outline)


def _contrast(ink: Ink, plan: BubblePlan, label: float) -> FloatArray:
    """How much darker outlines are than both sides of them; an edge has one darker side.

    Where other things may be printed beside bubbles, than the paper there.
    """
    beside = np.maximum(ink.around, 0.0) if plan.known_surroundings else 0.0
    return np.asarray(ink.outline - np.maximum(beside, ink.inside - label))


def _shown(
    contrast: FloatArray, ink: Ink, plan: BubblePlan, usual: _Usual, paper: float
) -> BoolArray:
    empty = ink.inside - usual.label < _MIN_INK
    telling = empty | (contrast >= usual.limit(1))
    count = np.maximum(np.add.reduceat(telling, plan.group_first[:-1], dtype=np.int64), 1)
    mean = np.add.reduceat(np.where(telling, contrast, 0.0), plan.group_first[:-1]) / count
    whole = (mean >= usual.limit(count))[plan.group]
    inked = ~empty & (ink.around <= _MAX_SPILL * ink.inside)
    filled = np.where(whole, inked, _plain(ink, usual, paper))
    if plan.known_surroundings:  # other sheets' outlines are not all printed alike
        whole &= contrast >= usual.limit(1)
    return np.asarray(filled | whole)


def _plain(ink: Ink, usual: _Usual, paper: float) -> BoolArray:
    """Bubbles that are plainly filled, though no bubble of their group shows its print."""
    return np.asarray(
        (ink.inside - usual.label >= _PLAIN_INK)
        & (ink.around <= _PLAIN_SPILL * ink.inside)
        & (ink.white >= _PLAIN_PAPER * paper)
    )


def _median(values: FloatArray) -> float:
    """The median of numpy, for a few hundred values."""
    middle = (len(values) - 1) // 2, len(values) // 2
    below, above = np.partition(values, middle)[list(middle)].tolist()
    return float((below + above) / 2)


def _quantile(values: FloatArray, share: float) -> float:
    """The quantile of numpy, linear between values, for a few hundred of them."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    below, above = np.partition(values, (low, high))[[low, high]].tolist()
    part = place - low
    whole = above - below
    # As numpy has it, bit for bit: from the nearer of the two.
    return float(above - whole * (1 - part) if part >= 0.5 else below + whole * part)


def _best_nearby(
    plan: BubblePlan, label: float, empty: BoolArray, measure: Callable[[FloatArray], Ink]
) -> FloatArray:
    """Contrast of outlines where those of each group's empty bubbles are best seen."""
    best = np.zeros(len(plan.bubbles))
    highest = np.full(len(plan.group_first) - 1, -np.inf)
    for x, y in product(_STEPS, _STEPS):
        moved = measure(plan.bubbles + np.array([_REACH_MM * x, _REACH_MM * y, 0.0, 0.0]))
        contrast = np.where(moved.seen, _contrast(moved, plan, label), -1.0)
        score = np.add.reduceat(np.where(empty, contrast, 0.0), plan.group_first[:-1])
        better = score > highest
        highest[better] = score[better]
        best = np.where(better[plan.group], contrast, best)
    return best
