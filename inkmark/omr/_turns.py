"""Which way round a sheet lies that has no mark to tell it by.

The outline of the paper or four equal marks look the same upside down. The bubbles do not:
they stand where the layout has them one way round only, unless they form a grid in the very
middle of the page. Every way that the anchors leave open is tried, and taken is the one in
which the most bubbles stand out from the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from inkmark.geometry import Box, apply_homography, fit_homography
from inkmark.layouts import PageLayout
from inkmark.layouts.symmetry import looks_the_same_turned
from inkmark.omr._outlines import print_score
from inkmark.omr._plan import bubble_plan
from inkmark.omr._transform import FloatArray, GreyImage, Transform
from inkmark.omr.model import RegistrationFailure

__all__ = ["best_by_print", "turned"]

MIN_SCORE = 0.1
"""Where less of the bubbles' print is seen, the sheet is another one. Letters that stand
without outlines on a dim photo are not much more."""
_MAX_STRETCH = 1.4
"""A turned sheet keeps its shape, but for what perspective does to it."""
_MIN_LEAD = 1.03
"""So many times the print of the next best way must be seen in the best."""


def turned(homography: FloatArray, page: PageLayout) -> list[FloatArray]:
    """The homography, and the same with the page turned by one, two and three quarters.

    The page is turned within its own outline, so that its corners stay corners. Turns that
    give it quite another shape are left out.
    """
    corners = Box(0.0, 0.0, page.width_mm, page.height_mm).corners()
    turns = [fit_homography(corners, np.roll(corners, -k, axis=0)) for k in range(4)]
    ways = [homography @ turn for turn in turns]
    stretch = [_stretch(way, corners) for way in ways]
    return [w for w, s in zip(ways, stretch, strict=True) if s <= _MAX_STRETCH * min(stretch)]


def _stretch(homography: FloatArray, corners: FloatArray) -> float:
    """How much wider than high the page's shape becomes, or higher than wide; at least 1."""
    seen = apply_homography(homography, corners)
    sides = np.hypot(*(np.roll(seen, -1, axis=0) - seen).T)
    true = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    across, down = ((sides[k] + sides[k + 2]) / (true[k] + true[k + 2]) for k in (0, 1))
    return float(max(across / down, down / across))


def best_by_print(
    pixels: GreyImage,
    page: PageLayout,
    ways: Sequence[FloatArray],
    min_score: float = MIN_SCORE,
) -> tuple[FloatArray, float] | RegistrationFailure:
    """The homography under which the bubbles of a page are seen best.

    Parameters
    ----------
    pixels : (H, W) uint8
    page : PageLayout
    ways : sequence of (3, 3) float64
        Page mm to pixels; of ways that look the same the first is taken.
    min_score : float
        Least `print_score` of the best way.

    Returns
    -------
    (3, 3) float64 or RegistrationFailure
        A failure where no bubbles are seen, or equally well two ways. A page whose own
        bubbles look the same turned round cannot tell, nor can one without bubbles: for
        these the first way is taken.
    float
        How far the bubbles' print is from where this homography puts it, in mm; 0 without
        bubbles.
    """
    plan = bubble_plan(page)
    if not len(plan.bubbles):
        return ways[0], 0.0
    seen = [print_score(pixels, plan, _transform(way)) for way in ways]
    scores = np.array([score for score, _ in seen])
    best = int(scores.argmax())
    if scores[best] < min_score:
        return RegistrationFailure("the bubbles are not seen where the layout has them")
    if _looks_the_same(page):
        near = np.flatnonzero(scores * _MIN_LEAD >= scores[best])
        return ways[int(near[0])], seen[int(near[0])][1]
    centres = plan.bubbles[:, :2]
    chosen = apply_homography(ways[best], centres)
    size = np.median(np.hypot(*np.ptp(chosen, axis=0))) / max(np.hypot(*np.ptp(centres, axis=0)), 1)
    reach = 1.5 * size * float(np.median(plan.bubbles[:, 2:]))
    for way, score in zip(ways, scores, strict=True):
        off = np.hypot(*(apply_homography(way, centres) - chosen).T)
        if np.median(off) > reach and score * _MIN_LEAD > scores[best]:
            return RegistrationFailure("the bubbles are seen equally well two ways round")
    return ways[best], seen[best][1]


_looks_the_same = lru_cache(maxsize=32)(looks_the_same_turned)


def _transform(homography: FloatArray) -> Transform:
    return Transform(homography, np.zeros(1), np.zeros(1), np.zeros((1, 1, 2)))
