"""Registration by corner squares, key mark and timing marks.

Corner squares are looked for in reduced copies of the image's four corner regions, and in
the whole image only where that fails. Any two blobs may be the ends of a diagonal: that
fixes a turn, a scale and a shift, which predict the other two squares and the size of all
of them. The key mark beside the top left square tells a sheet from the same sheet upside
down. Everything after that is measured at full resolution through the transform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import Box, apply_homography, fit_homography
from inkmark.layouts import PageLayout
from inkmark.omr import _kernels
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
_MAX_HYPOTHESES = 12
_CORNER_MARGIN = 0.35
"""How far a corner square may be off its first place, in sides; less than the gap beside it."""
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
    for blobs in _blob_searches(pixels, page):
        placements = _placements(blobs, page)
        if not placements:
            continue
        outcome = _decide(pixels, page, placements, options)
        if isinstance(outcome, Registration):
            return outcome
        failure = outcome
    return failure


# -- looking for the four squares ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placement:
    """One way the sheet may lie: a first transform and how well blobs bear it out."""

    homography: FloatArray
    n_squares: int
    error: float


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
    found = []
    for one, two in ((0, 2), (1, 3)):
        others = [k for k in range(4) if k not in (one, two)]
        diagonal_mm = places[two] - places[one]
        turn = (at[None, :] - at[:, None]) / diagonal_mm
        scale = np.abs(turn)
        with np.errstate(divide="ignore"):
            fits = np.abs(np.log(scale * side_mm[one] / blobs[:, None, 2]))
            fits = np.maximum(fits, np.abs(np.log(scale * side_mm[two] / blobs[None, :, 2])))
        for i, j in np.argwhere(fits < np.log(_SIZE_TOLERANCE)):
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
                found.append(_fit_placement(places, at, chosen, error))
    found.sort(key=lambda p: (-p.n_squares, p.error))
    return found[: 2 * _MAX_HYPOTHESES]


def _fit_placement(
    places: ComplexArray, at: ComplexArray, chosen: dict[int, int], error: float
) -> _Placement:
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
    return _Placement(homography, len(keys), error)


# -- deciding between them and measuring -----------------------------------------------


def _decide(
    pixels: GreyImage,
    page: PageLayout,
    placements: list[_Placement],
    options: RegisterOptions,
) -> Registration | RegistrationFailure:
    key = page.anchors.key_mark
    seen: list[tuple[int, float, _Measured]] = []
    for placement in placements:
        homography = _refine_corners(pixels, page, placement, options)
        if homography is None or (key is not None and not _sees(pixels, homography, key, options)):
            continue
        measured = _measure(pixels, page, homography, options)
        seen.append((placement.n_squares, measured.share, measured))
        if placement.n_squares == 4 and measured.share > 0.9:
            break
        if len(seen) == _MAX_HYPOTHESES:
            break
    if not seen:
        return RegistrationFailure(
            "corner squares were seen, but not the mark that tells which way up the sheet is"
        )
    best = max(seen, key=lambda candidate: candidate[1] + 0.1 * candidate[0])[2]
    return _finish(page, best, options)


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


def _refine_corners(
    pixels: GreyImage, page: PageLayout, placement: _Placement, options: RegisterOptions
) -> FloatArray | None:
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


def _sees(pixels: GreyImage, homography: FloatArray, key: Box, options: RegisterOptions) -> bool:
    margin = 0.4 * min(key.w, key.h)
    return bool(_locate(pixels, homography, _rows((key,), margin), options)[1][0])


@dataclass(frozen=True, slots=True)
class _Measured:
    """Anchors measured at full resolution.

    Attributes
    ----------
    places_mm, seen_px : (n, 2) float64
        Where the anchors found are printed and where they were seen.
    share : float
        Share of the timing marks found; 1 where there are none.
    """

    places_mm: FloatArray
    seen_px: FloatArray
    share: float
    expected: int


def _measure(
    pixels: GreyImage, page: PageLayout, homography: FloatArray, options: RegisterOptions
) -> _Measured:
    squares, timing = page.anchors.squares, page.anchors.timing
    rows = _rows(squares, [_CORNER_MARGIN * min(box.w, box.h) for box in squares])
    offsets, found = _locate(pixels, homography, rows, options)
    places, shifts = [rows[found, :2]], [offsets[found]]
    n_timing = 0
    for side in _sides(page, timing):
        rows = _rows(tuple(side), _margins(side))
        offsets, found = _locate(pixels, homography, rows, options, follow=True)
        found &= _believable(offsets, found)
        n_timing += int(found.sum())
        places.append(rows[found, :2])
        shifts.append(offsets[found])
    all_places = np.concatenate(places)
    return _Measured(
        places_mm=all_places,
        seen_px=apply_homography(homography, all_places + np.concatenate(shifts)),
        share=n_timing / len(timing) if timing else 1.0,
        expected=4 + len(timing),
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
    index = np.flatnonzero(found)
    good = np.zeros(len(found), dtype=bool)
    for rank, k in enumerate(index):
        near = index[max(0, rank - 2) : rank + 3]
        typical = np.median(offsets[near], axis=0)
        good[k] = np.abs(offsets[k] - typical).max() <= _OUTLIER_MM
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
