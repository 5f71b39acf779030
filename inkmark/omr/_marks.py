"""Registration by four printed marks of one shape: discs, rings, squares, brackets, crosses.

Everything dark that has the shape is a candidate. Four of about one size, or three on a
flat sheet, that form the page's quadrilateral in any rotation are a way the sheet may lie;
the bubbles tell which of the ways is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import fit_homography
from inkmark.layouts import MarkShape, PageLayout
from inkmark.omr._frames import registration_of
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage
from inkmark.omr._turns import best_by_print
from inkmark.omr.model import RegistrationFailure
from inkmark.readings import Registration

__all__ = ["register_marks"]

ComplexArray = NDArray[np.complex128]

_SEARCH_PX = 1600
"""Longer side of the copy in which marks are looked for."""
_PAPER_SHARE = 1 / 12
"""Dark things up to this share of the longer side are print on paper."""
_LEVELS = (0.35, 0.18, 0.55)
"""Shares of the paper's light that must be missing; the next where the last finds nothing."""
_SIZES = (0.004, 0.25)
"""Smallest and largest mark, as shares of the copy's longer side."""
_ALIKE = 1.8
"""Ratio of sizes of marks of one sheet: perspective makes the far ones smaller."""
_BENT = 0.16
"""How far a mark may lie from where two others put it, as a share of the diagonal."""
_BENT_FLAT = 0.02
"""The same where the fourth is missing: without it the sheet must be flat."""
_KNOWN_SIZE = (0.55, 1.6)
"""A mark's size against that which its distance from the others gives it."""
_SIZE_STEP = 1.3
_SPOTS = 28
"""Marks stand around everything else: so many of the outermost of one size are tried."""
_WAYS = 16
_MIN_SCORE = 0.3
"""Of many ways some show print by chance at a quarter of the bubbles."""


def register_marks(pixels: GreyImage, page: PageLayout) -> Registration | RegistrationFailure:
    """Find the four marks of a page, in any rotation, one of them perhaps missing.

    Parameters
    ----------
    pixels : (H, W) uint8
    page : PageLayout
        With anchors of the kind ``MARKS``.
    """
    if len(page.anchors.marks) != 4:
        raise LayoutError("A page that is placed by marks needs four of them. Give four.")
    factor = max(1.0, max(pixels.shape) / _SEARCH_PX)
    size = (round(pixels.shape[1] / factor), round(pixels.shape[0] / factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    ink = _ink(small)
    failure = RegistrationFailure("the four marks were not seen")
    shape = page.anchors.mark_shape
    shapes = [s for s in MarkShape if s is not MarkShape.ANY] if shape is MarkShape.ANY else [shape]
    for level in _LEVELS:
        blobs = list(_blobs(ink > level))
        ways = [way for s in shapes for way in _ways(_spots(blobs, s), page)]
        ways.sort(key=lambda way: (-way.found, way.cost))
        ways = ways[:_WAYS]
        if not ways:
            continue
        marks = np.array(page.anchors.marks)
        maps = [fit_homography(marks, (way.corners + 0.5) * factor - 0.5) for way in ways]
        best = best_by_print(pixels, page, maps, _MIN_SCORE)
        if not isinstance(best, RegistrationFailure):
            found = next(w.found for w, m in zip(ways, maps, strict=True) if m is best[0])
            return registration_of(page, *best, found, 4)
        failure = best
    return failure


def _ink(small: cv2.typing.MatLike) -> FloatArray:
    """Share of the paper's light that is missing at every pixel."""
    reach = int(_PAPER_SHARE * max(small.shape)) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    return np.asarray(1.0 - small.astype(np.float64) / np.maximum(paper, 1))


# -- what is dark ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Blob:
    """Something dark: its outer contour, the area of its holes and its hull.

    Attributes
    ----------
    contour, hull : (n, 2) float64
    holes : float
        In px^2.
    """

    contour: FloatArray
    hull: FloatArray
    holes: float


def _blobs(dark: BoolArray) -> Iterator[_Blob]:
    low, high = (share * max(dark.shape) for share in _SIZES)
    contours, tree = cv2.findContours(dark.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return
    for contour, (_, _, child, parent) in zip(contours, tree[0], strict=True):
        *_, width, height = cv2.boundingRect(contour)
        if parent >= 0 or not low <= max(width, height) <= high or min(width, height) < 4:
            continue
        holes, inner = 0.0, int(child)
        while inner >= 0:
            holes += cv2.contourArea(contours[inner])
            inner = int(tree[0][inner][0])
        hull = cv2.convexHull(contour)
        yield _Blob(contour[:, 0].astype(np.float64), hull[:, 0].astype(np.float64), holes)


def _spots(blobs: list[_Blob], shape: MarkShape) -> FloatArray:
    """Place and size (n, 3) of the blobs of a shape, in px."""
    measure = {
        MarkShape.DISC: _disc,
        MarkShape.RING: _ring,
        MarkShape.SQUARE: _square,
        MarkShape.BRACKET: _bracket,
        MarkShape.CROSS: _cross,
    }[shape]
    spots = [spot for blob in blobs if (spot := measure(blob)) is not None]
    return np.array(spots).reshape(-1, 3)


_Spot = tuple[float, float, float]


def _disc(blob: _Blob) -> _Spot | None:
    round_, solid = _fill(blob, np.pi / 4), _hole_share(blob) < 0.05
    return _middle(blob) if solid and 0.88 < round_ < 1.12 else None


def _ring(blob: _Blob) -> _Spot | None:
    round_, hollow = _fill(blob, np.pi / 4), 0.1 < _hole_share(blob) < 0.9
    return _middle(blob) if hollow and 0.88 < round_ < 1.12 else None


def _square(blob: _Blob) -> _Spot | None:
    full, solid = _fill(blob, 1.0), _hole_share(blob) < 0.05
    return _middle(blob) if solid and full > 0.82 else None


def _fill(blob: _Blob, share: float) -> float:
    """Area against that of a shape that fills this share of its rectangle; 0 if not convex."""
    (_, (width, height), _) = cv2.minAreaRect(blob.hull.astype(np.float32))
    # A contour runs through the middles of pixels.
    area = cv2.contourArea(blob.contour.astype(np.float32)) + len(blob.contour) / 2
    hull = cv2.contourArea(blob.hull.astype(np.float32)) + len(blob.contour) / 2
    width, height = width + 1, height + 1
    if max(width, height) > 2 * min(width, height) or area < 0.9 * hull:
        return 0.0
    return float(area / (share * width * height))


def _hole_share(blob: _Blob) -> float:
    return blob.holes / max(cv2.contourArea(blob.contour.astype(np.float32)), 1.0)


def _middle(blob: _Blob) -> _Spot:
    (x, y), (width, height), _ = cv2.minAreaRect(blob.hull.astype(np.float32))
    moments = cv2.moments(blob.hull.astype(np.float32))
    if moments["m00"] > 0:
        x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    return x, y, max(width, height) + 1


def _bracket(blob: _Blob) -> _Spot | None:
    """Two arms that meet; the place is the outer corner."""
    one, two = _ends(blob.hull)
    off = np.abs(_side(blob.hull, one, two))
    corner = blob.hull[int(off.argmax())]
    arms = [np.hypot(*(end - corner)) for end in (one, two)]
    if off.max() < 0.3 * np.hypot(*(two - one)) or max(arms) > 2.2 * min(arms):
        return None
    thick = _arms_thickness(blob, [(corner, one), (corner, two)])
    return None if thick is None else (*corner.tolist(), max(arms))


def _cross(blob: _Blob) -> _Spot | None:
    """Two arms that cross in the middle."""
    one, two = _ends(blob.hull)
    off = _side(blob.hull, one, two)
    three, four = blob.hull[int(off.argmax())], blob.hull[int(off.argmin())]
    long, short = np.hypot(*(two - one)), np.hypot(*(four - three))
    middle = (one + two + three + four) / 4
    apart = np.hypot(*((one + two) / 2 - (three + four) / 2))
    if short < 0.5 * long or apart > 0.12 * long:
        return None
    thick = _arms_thickness(blob, [(one, two), (three, four)])
    return None if thick is None else (*middle.tolist(), long)


def _ends(hull: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The two points of a hull that are furthest apart."""
    far = np.hypot(*(hull[:, None] - hull[None]).transpose(2, 0, 1))
    one, two = np.unravel_index(int(far.argmax()), far.shape)
    return hull[one], hull[two]


def _side(points: FloatArray, one: FloatArray, two: FloatArray) -> FloatArray:
    """Signed distance of points from the line through two others."""
    along = two - one
    off = points - one
    return np.asarray((along[0] * off[:, 1] - along[1] * off[:, 0]) / max(np.hypot(*along), 1e-9))


def _arms_thickness(blob: _Blob, arms: list[tuple[FloatArray, FloatArray]]) -> float | None:
    """Thickness of the arms that the blob consists of; None if it is something else."""
    lengths = [float(np.hypot(*(b - a))) for a, b in arms]
    area = cv2.contourArea(blob.contour.astype(np.float32)) + len(blob.contour) / 2 - blob.holes
    thick = area / sum(lengths)
    if not 0 < thick < 0.35 * min(lengths):
        return None
    near = [_distance(blob.contour, a, b) for a, b in arms]
    if np.mean(np.minimum(*near) > 1.6 * thick + 1.5) > 0.03:
        return None
    return thick


def _distance(points: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Distance of points from the way between two others."""
    along = b - a
    share = np.clip((points - a) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    return np.asarray(np.hypot(*(points - a - share[:, None] * along).T))


# -- four of them ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Way:
    """A way the sheet may lie.

    Attributes
    ----------
    corners : (4, 2) float64
        Places of the marks, in px of the copy.
    found : int
        How many of them were seen, 3 or 4.
    cost : float
        The smaller the more of the image the sheet takes and the more alike its marks are.
    """

    corners: FloatArray
    found: int
    cost: float


def _ways(spots: FloatArray, page: PageLayout) -> Iterator[_Way]:
    """Ways that four, or three, of the spots (x, y, size) are the marks of the page."""
    marks = np.array(page.anchors.marks) @ (1, 1j)
    tried: set[tuple[float, ...]] = set()
    size = spots[:, 2].min(initial=np.inf)
    while size <= spots[:, 2].max(initial=0.0):
        group = spots[(spots[:, 2] >= size) & (spots[:, 2] <= _ALIKE * size)]
        size *= _SIZE_STEP
        if len(group) < 3:
            continue
        away = np.hypot(*(group[:, :2] - np.median(group[:, :2], axis=0)).T)
        group = group[np.argsort(-away, kind="stable")[:_SPOTS]]
        for way in _group_ways(group, marks, page.anchors.mark_mm):
            key = tuple(np.round(way.corners).ravel().tolist())
            if key not in tried:
                tried.add(key)
                yield way


def _group_ways(group: FloatArray, marks: ComplexArray, mark_mm: float) -> Iterator[_Way]:
    """Ways of spots of about one size; a similarity through two of them places the others."""
    at = group[:, 0] + 1j * group[:, 1]
    for a, b, c, d in ((0, 1, 2, 3), (1, 2, 3, 0)):
        turn = (at - at[:, None]) / (marks[c] - marks[a])
        np.fill_diagonal(turn, np.nan)
        reach = np.abs(at - at[:, None])
        near, off = {}, {}
        for other in (b, d):
            place = at[:, None] + turn * (marks[other] - marks[a])
            distance = np.nan_to_num(np.abs(at - place[:, :, None]), nan=np.inf)
            near[other] = distance.argmin(axis=2)
            with np.errstate(invalid="ignore", divide="ignore"):
                off[other] = np.nan_to_num(distance.min(axis=2) / reach, nan=np.inf)
        for i, j in np.argwhere(np.minimum(off[b], off[d]) < _BENT).tolist():
            chosen = {a: i, c: j} | {o: int(near[o][i, j]) for o in (b, d) if off[o][i, j] < _BENT}
            if len(set(chosen.values())) < len(chosen):
                continue
            if len(chosen) == 3:
                seen = next(o for o in (b, d) if o in chosen)
                if off[seen][i, j] > _BENT_FLAT:
                    continue
            way = _way(group, chosen, float(np.abs(turn[i, j])) * mark_mm)
            if way is not None:
                yield way


def _way(group: FloatArray, chosen: dict[int, int], size_px: float) -> _Way | None:
    corners = np.full((4, 2), np.nan)
    for mark, spot in chosen.items():
        corners[mark] = group[spot, :2]
    for mark in set(range(4)) - set(chosen):  # a flat sheet shows a parallelogram
        one, opposite, two = (corners[(mark + k) % 4] for k in (1, 2, 3))
        corners[mark] = one + two - opposite
    sizes = group[list(chosen.values()), 2]
    low, high = _KNOWN_SIZE
    if size_px > 0 and not ((sizes > low * size_px) & (sizes < high * size_px)).all():
        return None
    area = cv2.contourArea(corners.astype(np.float32), oriented=True)
    if area <= 0 or not cv2.isContourConvex(corners.astype(np.float32)):
        return None
    return _Way(corners, len(chosen), -area * (1 - 0.5 * float(np.ptp(np.log(sizes)))))
