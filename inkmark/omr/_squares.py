"""Registration by corner squares, key mark and timing marks.

All of it happens in a reduced picture of the page, in which a pixel is about a millimetre:
the means of blocks of pixels, which a JPEG file holds ready. The middle of a mark is known
there to a few hundredths of a millimetre, as the means of the blocks that its edges cut
say where they cut them, and neither noise nor dithering is left.

Dark squares may be the corners of a sheet that lies flat (three of them do) or is seen in
perspective; two of one side do where the others are cut off. Whatever proposed a
place, one measurement decides: how many timing marks are where it puts them, whether the key
mark beside the first square is (it tells a sheet from the same sheet upside down) or, where
that is hidden, the code, and how well each mark's shift follows from its neighbours'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from inkmark.geometry import Box, apply_homography
from inkmark.images import Pixels
from inkmark.layouts import PageLayout
from inkmark.omr import _anchor_kernels
from inkmark.omr._anchors import AnchorPlan, IntArray, anchor_plan
from inkmark.omr._code_place import find_code
from inkmark.omr._proposals import Level, levels, searches
from inkmark.omr._transform import FloatArray, orientation_deg
from inkmark.omr.model import RegisterOptions, RegistrationFailure
from inkmark.readings import Registration, ShiftMesh

__all__ = ["register_squares"]

_LIGHT = 0.7
"""Paper is lighter than this share of the paper beside the squares."""
_OUTLIER_MM = 0.5
"""A mark whose shift differs by more than this from its neighbours' is not believed."""
_FLAT = 0.02
"""Largest difference of a flat sheet's sides and angles from the layout's, as a share."""
_SURE_SHARE = 0.75
"""A place that so many anchors bear out is taken at once."""
_MAX_ROUNDS = 5
_MIN_TO_FOLLOW = 6
"""So few marks may be a chance."""
_WHOLE_SIDE = 0.9
"""A side is seen whole with so many of its marks and a square;"""
_ACROSS = 0.7
"""and what is further from it than this share of the sheet's width is at the other side."""
_ACROSS_MM = 0.5
"""The key mark or the code there is no further from its place."""


def register_squares(
    pixels: Pixels, page: PageLayout, options: RegisterOptions
) -> Registration | RegistrationFailure:
    """Register a page by its corner squares, key mark and timing marks.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    options : RegisterOptions

    Returns
    -------
    Registration or RegistrationFailure

    Raises
    ------
    LayoutError
        Where the page does not have four corner squares.
    """
    plan = anchor_plan(page)
    failure, rank = RegistrationFailure("no corner squares were seen"), (0, 0)
    for level in levels(pixels, plan):
        best: Registration | None = None
        for homography in searches(plan, level):
            measured = _measure(level, plan, homography, options)
            if measured is None:
                continue
            if measured.n_found <= _SURE_SHARE * plan.n_anchors:
                measured = _from_one_side(level, plan, measured, options) or measured
            key = _key(level, plan, measured)
            outcome = _verify(level, plan, measured, key, options)
            if isinstance(outcome, RegistrationFailure):
                if _standing(measured, key, plan) > rank:
                    failure, rank = outcome, _standing(measured, key, plan)
            elif outcome.anchors_found > _SURE_SHARE * outcome.anchors_expected:
                return outcome
            elif best is None or outcome.anchors_found > best.anchors_found:
                best = outcome
        if best is not None:
            return best
    return failure


# -- measuring and deciding ------------------------------------------------------------


class _Key(Enum):
    """Whether the key mark is where a homography puts it."""

    SEEN = 1
    HIDDEN = 2
    """It may be there, outside the image or under something dark: the code has to tell."""
    ABSENT = 3


_NO_KEY = RegistrationFailure(
    "corner squares were seen, but not the mark that tells which way up the sheet is"
)


def _standing(measured: _Measured, key: _Key, plan: AnchorPlan) -> tuple[int, int]:
    """How much of the sheet was seen, to say of the likeliest place why it was refused."""
    has_squares = bool((measured.found[:4, 2] > 0).all())
    is_half = 2 * measured.n_found > plan.n_anchors
    if key is _Key.ABSENT:
        return (2, 0) if has_squares and is_half else (0, 0)
    return (3 if key is _Key.SEEN and (has_squares or is_half) else 1, measured.n_found)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Anchors measured where a homography puts them.

    Attributes
    ----------
    homography : (3, 3) float64
    found : (n, 3) float64
        Offset x, y in mm and contrast of each anchor of the plan; contrast 0: not found.
    n_found : int
        How many corner squares and timing marks were found.
    """

    homography: FloatArray
    found: FloatArray
    n_found: int


def _measure(
    level: Level, plan: AnchorPlan, homography: FloatArray, options: RegisterOptions
) -> _Measured | None:
    """Measure the anchors; again from where those found put the others, while it finds more."""
    best: _Measured | None = None
    for _ in range(_MAX_ROUNDS):
        found = np.empty((len(plan.boxes), 3))
        contrast = _anchor_kernels.measure_anchors(
            level.grey, homography, plan.boxes, plan.rails, options.min_contrast, found
        )
        if contrast == 0:
            break
        n_found = _count(plan, found)
        if best is not None and n_found <= best.n_found:
            break
        best = _Measured(homography, found, n_found)
        if n_found > _SURE_SHARE * plan.n_anchors or n_found < _MIN_TO_FOLLOW:
            break
        homography = homography @ _fit(plan, found.copy()).warp
    return best


def _count(plan: AnchorPlan, found: FloatArray) -> int:
    seen = found[:, 2] > 0
    return int(np.count_nonzero(seen)) - int(np.count_nonzero(seen[4 : plan.rails[1]]))


@dataclass(frozen=True, slots=True)
class _Fit:
    """What `fit_anchors` gives."""

    warp: FloatArray
    mesh: FloatArray
    residual_mm: float
    jump_mm: float
    bend_mm: float
    first: int
    last: int


def _fit(plan: AnchorPlan, found: FloatArray) -> _Fit:
    """Homography and mesh through the anchors found; those that are not believed are unmade."""
    warp, mesh = np.empty((3, 3)), np.empty((2, len(plan.knots), 2))
    return _Fit(
        warp,
        mesh,
        *_anchor_kernels.fit_anchors(
            plan.boxes,
            plan.rails,
            found,
            plan.sides,
            plan.knots,
            plan.along,
            _OUTLIER_MM,
            warp,
            mesh,
        ),
    )


def _key(level: Level, plan: AnchorPlan, measured: _Measured) -> _Key:
    if plan.page.anchors.key_mark is None or measured.found[4, 2] > 0:
        return _Key.SEEN
    x, y, w, h, _ = plan.boxes[4]
    other_x, other_y = plan.page.width_mm - x, plan.page.height_mm - y
    paper, key, other = (
        _anchor_kernels.lightness(
            level.grey, measured.homography, np.array([a - w, b - h, 2 * w, 2 * h])
        )
        for a, b in ((x, y + 2.5 * h), (x, y), (other_x, other_y))
    )
    # Lost with the corner, covered, or outside; and it is not at the other end.
    is_lost = measured.found[0, 2] == 0 or key <= _LIGHT * max(paper, 1.0)
    return _Key.HIDDEN if is_lost and other > _LIGHT * paper else _Key.ABSENT


def _verify(
    level: Level,
    plan: AnchorPlan,
    measured: _Measured,
    key: _Key,
    options: RegisterOptions,
) -> Registration | RegistrationFailure:
    """The registration if the anchors bear it out, whatever proposed it."""
    if key is _Key.ABSENT:
        return _NO_KEY
    page = plan.page
    found = measured.found
    fit = _fit(plan, found)
    seen = found[:, 2] > 0
    n_timing = int(np.count_nonzero(seen[plan.rails[1] :]))
    spanned = (
        measured.n_found <= _SURE_SHARE * plan.n_anchors
        and key is _Key.SEEN
        and _is_spanned(level, plan, measured)
    )
    if spanned:  # the marks of one side know of no perspective
        fit = replace(fit, warp=np.eye(3))
    if n_timing < options.min_timing_share * plan.n_timing and not spanned:
        return RegistrationFailure(
            f"only {n_timing} of {plan.n_timing} timing marks were seen: another sheet, or the "
            "edges are cut off"
        )
    ends = [side[side >= 0] for side in plan.sides]
    flat = _is_flat(measured.homography @ fit.warp, page)
    if not flat and not all(seen[side[[0, -1]]].any() for side in ends):
        return RegistrationFailure(
            "both corner squares of one side are missing from a sheet that does not lie flat"
        )
    is_framed = flat and (np.count_nonzero(seen[:4]) >= 3 or spanned)
    for side in ends:
        marks = side[side >= 4]
        n_seen = np.count_nonzero(seen[marks])
        if n_seen < options.min_side_share * len(marks) and not is_framed:
            return RegistrationFailure(
                "hardly any timing mark of one side was seen: the sheet is torn, or cut off there"
            )
    residual = fit.residual_mm if fit.residual_mm >= 0 else _key_error_mm(plan, found, fit)
    off = next(
        (
            mm
            for mm, limit in (
                (residual, options.max_residual_mm),
                (fit.jump_mm, options.max_jump_mm),
                (fit.bend_mm, options.max_bend_mm),
            )
            if mm > limit
        ),
        None,
    )
    if off is not None:
        return RegistrationFailure(
            f"the marks are {off:.2f} mm off the layout: another sheet, or a torn page"
        )
    homography = level.to_page @ measured.homography @ fit.warp
    homography /= homography[2, 2]
    if key is _Key.HIDDEN and find_code(level.pixels, page, homography) is None:
        return _NO_KEY
    return Registration(
        orientation_deg=orientation_deg(homography, page.width_mm, page.height_mm),
        homography=tuple(homography.ravel().tolist()),
        residual_mm=residual,
        anchors_found=_count(plan, found),
        anchors_expected=plan.n_anchors,
        shifts=_mesh(plan, fit.mesh, fit.first, fit.last),
    )


@dataclass(frozen=True, slots=True)
class _Spanned:
    """What is seen of a sheet of which one side is cut off.

    Attributes
    ----------
    marks : (n,) int64
        Anchors seen of the other side, nearly all, in order.
    across, shift : (2,) float64
        Place in mm of a mark across the sheet, and how far off it is.
    """

    marks: IntArray
    across: FloatArray
    shift: FloatArray


def _spanned(level: Level, plan: AnchorPlan, measured: _Measured) -> _Spanned | None:
    """The side seen whole, if the other is cut off, and the key mark or the code across.

    A feeder that draws sheets in off the middle cuts off the marks of one side.
    """
    seen = measured.found[:, 2] > 0
    if plan.rails[1] == 4 or not seen[4]:
        return None
    axis = 1 - plan.along
    least = _ACROSS * (plan.page.width_mm, plan.page.height_mm)[axis]
    for side, other in zip(plan.sides, plan.sides[::-1], strict=True):
        marks, ends = side[side >= 0], other[other >= 0][[0, -1]]
        if not seen[marks[[0, -1]]].any() or seen[marks].mean() < _WHOLE_SIDE:
            continue
        reach = np.hypot(*plan.boxes[ends, 2:4].T) * level.square_px / plan.side_mm
        at = apply_homography(measured.homography, plan.boxes[ends, :2])
        inside = np.minimum(at, np.array(level.grey.shape[::-1]) - at).min(axis=1)
        if (inside >= reach).all():
            return None
        found: tuple[FloatArray, FloatArray] | None = plan.boxes[4, :2], measured.found[4, :2]
        if abs(plan.boxes[4, axis] - plan.boxes[marks[0], axis]) < least:
            found = find_code(level.pixels, plan.page, level.to_page @ measured.homography)
        if found is not None and abs(found[0][axis] - plan.boxes[marks[0], axis]) > least:
            return _Spanned(marks[seen[marks]], *found)
    return None


def _from_one_side(
    level: Level, plan: AnchorPlan, measured: _Measured, options: RegisterOptions
) -> _Measured | None:
    """Measure anew from where the ends of a side and the mark across put the sheet.

    What proposed the place may have taken the rest of a square that is cut off for a whole one.
    """
    spanned = _spanned(level, plan, measured)
    if spanned is None:
        return None
    ends = spanned.marks[[0, -1]]
    places = np.vstack([plan.boxes[ends, :2], spanned.across])
    shifts = np.vstack([measured.found[ends, :2], spanned.shift])
    seen = apply_homography(measured.homography, places + shifts)
    rows = np.linalg.solve(np.column_stack([places, np.ones(3)]), seen).T
    return _measure(level, plan, np.vstack([rows, [0.0, 0.0, 1.0]]), options)


def _is_spanned(level: Level, plan: AnchorPlan, measured: _Measured) -> bool:
    """Whether one side and a mark across bear out where a sheet is that is cut off."""
    spanned = _spanned(level, plan, measured)
    return spanned is not None and float(np.hypot(*spanned.shift)) < _ACROSS_MM


def _key_error_mm(plan: AnchorPlan, found: FloatArray, fit: _Fit) -> float:
    """How far the key mark is from where the squares put it; 0 where there is none to see."""
    if plan.rails[1] == 4 or found[4, 2] == 0:
        return 0.0
    place = plan.boxes[4, :2]
    return float(np.hypot(*(place + found[4, :2] - apply_homography(fit.warp, place)[0])))


def _is_flat(homography: FloatArray, page: PageLayout) -> bool:
    """Whether a sheet is seen without perspective or shear, as a scanner sees it.

    Timing marks stand at one pitch: with no square to count from, they may be taken for their
    neighbours all along one side. That shears a sheet by several degrees.
    """
    corners = Box(0.0, 0.0, page.width_mm, page.height_mm).corners()
    a, b, c, d = apply_homography(homography, corners) @ (1, 1j)
    right, down = (b - a + c - d) / page.width_mm, (d - a + c - b) / page.height_mm
    skew = abs(1j * right / down - 1)
    return bool(skew < _FLAT and abs(a - b + c - d) < _FLAT * abs(c - a))


def _mesh(plan: AnchorPlan, mesh: FloatArray, first: int, last: int) -> ShiftMesh | None:
    """Shifts between the anchors of two opposite sides."""
    if last < first:
        return None
    across = [float(plan.boxes[side[side >= 0], 1 - plan.along].mean()) for side in plan.sides]
    along = plan.knots[first : last + 1].tolist()
    shifts = mesh[:, first : last + 1]
    if plan.along:
        shifts = shifts.transpose(1, 0, 2)
    dx, dy = shifts.reshape(-1, 2).T.tolist()
    x, y = (across, along) if plan.along else (along, across)
    return ShiftMesh(tuple(x), tuple(y), tuple(dx), tuple(dy))
