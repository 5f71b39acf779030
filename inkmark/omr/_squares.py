"""Registration by corner squares, key mark and timing marks.

Corner squares are looked for in reduced copies of the image's four corner regions, and in
the whole image only where that fails. Any two blobs may be the ends of a diagonal: that
fixes a turn, a scale and a shift, which predict the other two squares and the size of all
of them. Two squares at the ends of a side do as well where the others are cut off or run
into a dark border, if the timing marks bear them out. The key mark beside the top left
square tells a sheet from the same sheet upside down. Everything after that is measured at
full resolution through the transform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import Box, apply_homography, fit_homography
from inkmark.layouts import PageLayout
from inkmark.omr import _registration_kernels as _kernels
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage, orientation_deg
from inkmark.omr.model import RegisterOptions, RegistrationFailure
from inkmark.readings import Registration, ShiftMesh

__all__ = ["register_squares"]

ComplexArray = NDArray[np.complex128]

_BLOB_PX = 10
"""Side to which a corner square is reduced when it is looked for."""
_CORNER_REGION = 0.26
"""Share of the image's width and height that a corner region covers."""
_MAX_BLOBS = 256
_SIZE_TOLERANCE = 1.35
"""How much a blob's side may differ from the one predicted, as a factor."""
_PLACE_TOLERANCE = 0.05
"""How far a predicted square may be from a blob, as a share of the diagonal."""
_MAX_PAIRS = 600
"""So many of the pairs of blobs that may be a diagonal are tried: five times what scans have."""
_MAX_HYPOTHESES = 12
_CORNER_MARGIN = 0.35
"""How far a corner square may be off its first place, in sides; less than the gap beside it."""
_SIDE_SIZE_TOLERANCE = 1.15
"""The same where only two squares are known."""
_OVERHANG = 0.06
_MIN_FILL = 0.7
"""Then the sheet must lie in the image but for this share, and fill this share of it,"""
_MIN_SIDE_SHARE = 0.6
"""and so many of its timing marks must be seen."""
_GRID = (np.arange(12) + 0.5) / 12
_OUTLIER_MM = 0.4
"""An anchor whose shift differs by more than this from its neighbours' is not believed."""


def register_squares(
    pixels: GreyImage, page: PageLayout, options: RegisterOptions
) -> Registration | RegistrationFailure:
    """Register a page by its corner squares, key mark and timing marks.

    Parameters
    ----------
    pixels : (H, W) uint8
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
    if len(page.anchors.squares) != 4:
        raise LayoutError(
            f"A page with square anchors has {len(page.anchors.squares)} corner squares. "
            "Give four, top left, top right, bottom right and bottom left."
        )
    failure = RegistrationFailure("no corner squares were seen")
    blobs = np.empty((0, 3))
    for blobs in _blob_searches(pixels, page):
        placements = _placements(blobs, page)
        if not placements:
            continue
        outcome = _decide(pixels, page, placements, options)
        if isinstance(outcome, Registration):
            return outcome
        failure = outcome
    placements = _side_placements(blobs, page, pixels.shape)
    outcome = _decide(pixels, page, placements, options) if placements else failure
    return outcome if isinstance(outcome, Registration) else failure


# -- looking for the four squares ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placement:
    """One way the sheet may lie: a first transform and how many blobs bear it out."""

    homography: FloatArray
    n_squares: int


def _blob_searches(pixels: GreyImage, page: PageLayout) -> Iterator[FloatArray]:
    """Blobs (n, 3: x, y, side in px) of ever wider searches; the first usually does."""
    height, width = pixels.shape
    side_mm = float(np.mean([(b.w + b.h) / 2 for b in page.anchors.squares]))
    long_mm = max(page.width_mm, page.height_mm)
    side_px = side_mm * max(height, width) / long_mm
    factor = max(1, int(side_px / _BLOB_PX))
    h, w = int(height * _CORNER_REGION), int(width * _CORNER_REGION)
    corners = [(slice(y, y + h), slice(x, x + w)) for y in (0, height - h) for x in (0, width - w)]
    whole = [(slice(0, height), slice(0, width))]
    yield _find_blobs(pixels, corners, factor)
    yield _find_blobs(pixels, whole, factor)
    if factor > 1:
        yield _find_blobs(pixels, whole, max(1, factor // 2))


def _find_blobs(pixels: GreyImage, windows: list[tuple[slice, slice]], factor: int) -> FloatArray:
    found = []
    out = np.empty((_MAX_BLOBS, 3))
    for window in windows:
        part = pixels[window]
        height, width = part.shape[0] // factor, part.shape[1] // factor
        if min(height, width) < 2 * _BLOB_PX:
            continue
        part = part[: height * factor, : width * factor]
        if factor > 1:
            reduced = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
            part = np.asarray(reduced, dtype=np.uint8)
        paper = cv2.blur(part, (4 * _BLOB_PX + 1, 4 * _BLOB_PX + 1))
        # 0.78: a square printed at half contrast is still darker than this share of a
        # neighbourhood of which it covers a tenth; noise of reduced paper is not.
        dark = (part < paper * np.float32(0.78)).view(np.uint8)
        n = _kernels.find_solids(dark, _BLOB_PX**2 // 5, 16 * _BLOB_PX**2, out)
        if n:
            blobs = out[:n] * factor
            blobs[:, 0] += window[1].start + (factor - 1) / 2
            blobs[:, 1] += window[0].start + (factor - 1) / 2
            found.append(blobs)
    return np.concatenate(found) if found else np.empty((0, 3))


def _placements(blobs: FloatArray, page: PageLayout) -> list[_Placement]:
    """The ways the sheet may lie, best first."""
    n = len(blobs)
    if n < 3:
        return []
    squares = page.anchors.squares
    places = np.array([box.centre for box in squares]) @ (1, 1j)
    side_mm = np.array([(box.w + box.h) / 2 for box in squares])
    at = blobs[:, 0] + 1j * blobs[:, 1]
    found: list[tuple[float, dict[int, int]]] = []
    for one, two in ((0, 2), (1, 3)):
        others = [k for k in range(4) if k not in (one, two)]
        diagonal_mm = places[two] - places[one]
        turn = (at[None, :] - at[:, None]) / diagonal_mm
        scale = np.abs(turn)
        with np.errstate(divide="ignore"):
            fits = np.abs(np.log(scale * side_mm[one] / blobs[:, None, 2]))
            fits = np.maximum(fits, np.abs(np.log(scale * side_mm[two] / blobs[None, :, 2])))
        pairs = np.argwhere(fits < np.log(_SIZE_TOLERANCE))
        if len(pairs) > _MAX_PAIRS:  # a grid of squares, and no sheet of ours
            pairs = pairs[np.argpartition(fits[tuple(pairs.T)], _MAX_PAIRS)[:_MAX_PAIRS]]
        for i, j in pairs:
            corners = at[i] + turn[i, j] * (places - places[one])
            chosen = {one: i, two: j}
            error = 0.0
            for k in others:
                distance = np.abs(at - corners[k])
                misfit = np.abs(np.log(scale[i, j] * side_mm[k] / blobs[:, 2]))
                distance[misfit > np.log(_SIZE_TOLERANCE)] = np.inf
                nearest = int(distance.argmin())
                share = distance[nearest] / (scale[i, j] * abs(diagonal_mm))
                if share < _PLACE_TOLERANCE:
                    chosen[k] = nearest
                    error += share
            if len(chosen) >= 3:
                found.append((error, chosen))
    found.sort(key=lambda p: (-len(p[1]), p[0]))
    return [_fit_placement(places, at, c) for _, c in found[: 2 * _MAX_HYPOTHESES]]


def _side_placements(
    blobs: FloatArray, page: PageLayout, shape: tuple[int, ...]
) -> list[_Placement]:
    """The ways the sheet may lie by two squares of one side, if it fills the image."""
    squares = page.anchors.squares
    places = np.array([box.centre for box in squares]) @ (1, 1j)
    side_mm = np.array([(box.w + box.h) / 2 for box in squares])
    at = blobs[:, 0] + 1j * blobs[:, 1]
    outer = Box(0.0, 0.0, page.width_mm, page.height_mm).corners() @ (1, 1j)
    found: list[tuple[float, complex, complex]] = []
    for one, two in ((0, 1), (1, 2), (2, 3), (3, 0)):
        turn = (at[None, :] - at[:, None]) / (places[two] - places[one])
        with np.errstate(divide="ignore"):
            error = np.abs(np.log(np.abs(turn) * side_mm[one] / blobs[:, None, 2]))
            error = np.maximum(
                error, np.abs(np.log(np.abs(turn) * side_mm[two] / blobs[None, :, 2]))
            )
        error[np.abs(turn) * max(page.width_mm, page.height_mm) < _MIN_FILL * max(shape)] = np.inf
        i, j = np.nonzero(error < np.log(_SIDE_SIZE_TOLERANCE))
        a = turn[i, j]
        b = at[i] - a * places[one]
        corners = a[:, None] * outer + b[:, None]
        x, y = corners.real, corners.imag
        low, high = -_OVERHANG * max(shape), (1 + _OVERHANG) * np.array(shape[::-1])
        inside = (np.minimum(x, y) >= low) & (x <= high[0]) & (y <= high[1])
        good = inside.all(axis=1)
        found += zip(error[i, j][good].tolist(), a[good].tolist(), b[good].tolist(), strict=True)
    found.sort(key=lambda p: p[0])
    return [
        _Placement(np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag], [0, 0, 1.0]]), 2)
        for _, a, b in found[: 4 * _MAX_HYPOTHESES]
    ]


def _fit_placement(places: ComplexArray, at: ComplexArray, chosen: dict[int, int]) -> _Placement:
    keys = list(chosen)
    source, target = places[keys], at[[chosen[k] for k in keys]]
    if len(keys) == 4:
        homography = fit_homography(
            np.column_stack([source.real, source.imag]), np.column_stack([target.real, target.imag])
        )
    else:
        design = np.column_stack([source.real, source.imag, np.ones(3)])
        rows = np.linalg.solve(design, np.column_stack([target.real, target.imag])).T
        homography = np.vstack([rows, (0.0, 0.0, 1.0)])
    return _Placement(homography, len(keys))


# -- deciding between them and measuring -----------------------------------------------


class _Key(Enum):
    """Whether the key mark is where a placement puts it."""

    SEEN = 1
    HIDDEN = 2
    """It may be there: that place is outside the image or dark."""
    ABSENT = 3


def _decide(
    pixels: GreyImage,
    page: PageLayout,
    placements: list[_Placement],
    options: RegisterOptions,
) -> Registration | RegistrationFailure:
    likely: dict[_Key, list[_Measured]] = {_Key.SEEN: [], _Key.HIDDEN: []}
    for placement in placements:
        homography = _refine(pixels, page, placement, options)
        key = _Key.ABSENT if homography is None else _key(pixels, page, homography, options)
        if homography is None or key is _Key.ABSENT:
            continue
        measured = _measure(pixels, page, homography, options)
        likely[key].append(measured)
        if key is _Key.SEEN and measured.share > 0.9:
            break
        if len(likely[_Key.SEEN]) == _MAX_HYPOTHESES:
            break
    if likely[_Key.SEEN]:
        return _finish(page, _best(likely[_Key.SEEN]), options)
    hidden = [m for m in likely[_Key.HIDDEN] if m.share >= _MIN_SIDE_SHARE]
    if len({m.orientation_deg for m in hidden}) == 1:
        return _finish(page, _best(hidden), options)
    return RegistrationFailure(
        "corner squares were seen, but not the mark that tells which way up the sheet is"
    )


def _rows(boxes: tuple[Box, ...], margins: FloatArray | list[float] | float) -> FloatArray:
    rows = np.array([(*box.centre, box.w / 2, box.h / 2, 0.0) for box in boxes])
    rows[:, 4] = margins
    return rows


def _locate(
    pixels: GreyImage,
    homography: FloatArray,
    rows: FloatArray,
    options: RegisterOptions,
    *,
    follow: bool = False,
) -> tuple[FloatArray, BoolArray]:
    """Offsets (n, 2) in mm of boxes and whether each was found."""
    out = np.empty((len(rows), 3))
    _kernels.locate_boxes(pixels, homography, rows, follow, options.min_contrast, out)
    return out[:, :2], out[:, 2] > 0


def _refine(
    pixels: GreyImage, page: PageLayout, placement: _Placement, options: RegisterOptions
) -> FloatArray | None:
    """A placement with its squares measured; by the timing marks where there are but two."""
    if placement.n_squares == 2:
        measured = _measure(pixels, page, placement.homography, options)
        if measured.share < _MIN_SIDE_SHARE:
            return None
        return fit_homography(measured.places_mm, measured.seen_px)
    squares = page.anchors.squares
    places = np.array([box.centre for box in squares])
    margins = np.array([_CORNER_MARGIN * min(box.w, box.h) for box in squares])
    offsets, found = _locate(pixels, placement.homography, _rows(squares, margins), options)
    seen = apply_homography(placement.homography, places + offsets)
    if found.sum() == 4:
        return fit_homography(places, seen)
    if found.sum() < 3:
        return None
    design = np.column_stack([places[found], np.ones(3)])
    return np.vstack([np.linalg.solve(design, seen[found]).T, (0.0, 0.0, 1.0)])


def _key(
    pixels: GreyImage, page: PageLayout, homography: FloatArray, options: RegisterOptions
) -> _Key:
    key = page.anchors.key_mark
    if key is None:
        return _Key.SEEN
    margin = 0.4 * min(key.w, key.h)
    if _locate(pixels, homography, _rows((key,), margin), options)[1][0]:
        return _Key.SEEN
    sheet = _grey_at(pixels, homography, Box(0.0, 0.0, page.width_mm, page.height_mm))
    there = _grey_at(pixels, homography, key)
    light = there > 0.7 * np.nanquantile(sheet, 0.75)  # NaN, outside the image, is not light
    return _Key.ABSENT if light.mean() > 0.5 else _Key.HIDDEN


def _grey_at(pixels: GreyImage, homography: FloatArray, box: Box) -> FloatArray:
    """Grey values on a grid over a box of the sheet; NaN outside the image."""
    x, y = np.meshgrid(box.x + box.w * _GRID, box.y + box.h * _GRID)
    at = np.rint(apply_homography(homography, np.column_stack([x.ravel(), y.ravel()])))
    height, width = pixels.shape
    seen = (at >= 0).all(axis=1) & (at[:, 0] < width) & (at[:, 1] < height)
    values = np.full(len(at), np.nan)
    values[seen] = pixels[at[seen, 1].astype(int), at[seen, 0].astype(int)]
    return values


@dataclass(frozen=True, slots=True)
class _Measured:
    """Anchors measured at full resolution.

    Attributes
    ----------
    places_mm, seen_px : (n, 2) float64
        Where the anchors found are printed and where they were seen.
    n_squares : int
        How many of them are corner squares.
    share : float
        Share of the timing marks found; 1 where there are none.
    expected : int
        How many anchors the page has.
    orientation_deg : int
    """

    places_mm: FloatArray
    seen_px: FloatArray
    n_squares: int
    share: float
    expected: int
    orientation_deg: int


def _best(measured: list[_Measured]) -> _Measured:
    return max(measured, key=lambda m: m.share + 0.1 * m.n_squares)


def _measure(
    pixels: GreyImage, page: PageLayout, homography: FloatArray, options: RegisterOptions
) -> _Measured:
    squares, timing = page.anchors.squares, page.anchors.timing
    rows = _rows(squares, [_CORNER_MARGIN * min(box.w, box.h) for box in squares])
    offsets, found = _locate(pixels, homography, rows, options)
    places, shifts = [rows[found, :2]], [offsets[found]]
    n_squares, n_timing = int(found.sum()), 0
    upward = found[2:].sum() > found[:2].sum()  # from the end that is known
    for side in _sides(page, timing):
        rows = _rows(tuple(side), _margins(side))[:: -1 if upward else 1]
        offsets, found = _locate(
            pixels, homography, np.ascontiguousarray(rows), options, follow=True
        )
        found &= _believable(offsets, found)
        n_timing += int(found.sum())
        places.append(rows[found, :2])
        shifts.append(offsets[found])
    all_places = np.concatenate(places)
    return _Measured(
        places_mm=all_places,
        seen_px=apply_homography(homography, all_places + np.concatenate(shifts)),
        n_squares=n_squares,
        share=n_timing / len(timing) if timing else 1.0,
        expected=4 + len(timing),
        orientation_deg=orientation_deg(homography, page.width_mm, page.height_mm),
    )


def _sides(page: PageLayout, timing: tuple[Box, ...]) -> list[list[Box]]:
    """Timing marks of each side of the page, in order along it."""
    sides: list[list[Box]] = [[], [], [], []]
    for box in timing:
        x, y = box.centre
        sides[int(np.argmin([x, y, page.width_mm - x, page.height_mm - y]))].append(box)
    for k, side in enumerate(sides):
        side.sort(key=lambda box: box.centre[1 - k % 2])
    return [side for side in sides if side]


def _margins(side: list[Box]) -> FloatArray:
    """How far each mark of a side may be off: most of the gap to the next one."""
    centres = np.array([box.centre for box in side])
    sizes = np.array([(box.w, box.h) for box in side])
    if len(side) < 2:
        return np.array([0.5 * sizes.min()])
    steps = np.abs(np.diff(centres, axis=0))
    along = int(steps.sum(axis=0).argmax())
    gap = float((steps[:, along] - sizes[:-1, along] / 2 - sizes[1:, along] / 2).min())
    return np.full(len(side), np.clip(0.8 * gap, 0.3, 2.5))


def _believable(offsets: FloatArray, found: BoolArray) -> BoolArray:
    """Which marks of a side shift like their neighbours: feeders do not jump."""
    good = np.zeros(len(found), dtype=bool)
    own = offsets[found]
    if len(own):
        around = np.pad(own, ((2, 2), (0, 0)), mode="edge")
        near = np.stack([around[k : k + len(own)] for k in range(5)])
        typical = np.sort(near, axis=0)[2]
        good[found] = np.abs(own - typical).max(axis=1) <= _OUTLIER_MM
    return good


def _finish(
    page: PageLayout, measured: _Measured, options: RegisterOptions
) -> Registration | RegistrationFailure:
    if measured.share < options.min_timing_share:
        return RegistrationFailure(
            f"only {measured.share:.0%} of the timing marks were seen: another sheet, or the "
            "edges are cut off"
        )
    places = measured.places_mm
    try:
        homography = fit_homography(places, measured.seen_px)
    except ValueError:
        return RegistrationFailure("the marks seen do not determine how the sheet lies")
    inverse = np.asarray(np.linalg.inv(homography), dtype=np.float64)
    shifts = apply_homography(inverse, measured.seen_px) - places
    residual = float(np.sqrt((shifts**2).sum(axis=1).mean()))
    if residual > options.max_residual_mm:
        return RegistrationFailure(
            f"the marks are {residual:.2f} mm off the layout: another sheet, or a torn page"
        )
    return Registration(
        orientation_deg=orientation_deg(homography, page.width_mm, page.height_mm),
        homography=tuple(homography.ravel().tolist()),
        residual_mm=residual,
        anchors_found=len(places),
        anchors_expected=measured.expected,
        shifts=_mesh(page, places, shifts),
    )


def _mesh(page: PageLayout, places: FloatArray, shifts: FloatArray) -> ShiftMesh | None:
    """Shifts between the anchors of the left and of the right side, along the page."""
    rails = []
    for side in (places[:, 0] < page.width_mm / 4, places[:, 0] > page.width_mm * 3 / 4):
        order = np.flatnonzero(side)[np.argsort(places[side, 1], kind="stable")]
        if len(order) < 4:
            return None
        rails.append((places[order], _smooth(shifts[order])))
    y = np.unique(np.concatenate([rail[:, 1] for rail, _ in rails]))
    columns = [
        [np.interp(y, rail[:, 1], shift[:, axis]) for rail, shift in rails] for axis in (0, 1)
    ]
    dx, dy = (np.column_stack(column).ravel().tolist() for column in columns)
    return ShiftMesh(
        x_mm=tuple(float(rail[:, 0].mean()) for rail, _ in rails),
        y_mm=tuple(y.tolist()),
        dx_mm=tuple(dx),
        dy_mm=tuple(dy),
    )


def _smooth(shifts: FloatArray) -> FloatArray:
    """Running mean of three along a side: what one mark is misprinted or misread."""
    padded = np.concatenate([shifts[:1], shifts, shifts[-1:]])
    return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3)
