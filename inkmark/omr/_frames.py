"""Registration without printed squares: the image itself, the paper's outline, pictures.

Sheets of other systems are placed only about right by their templates, whatever ties them
to the image; `_outlines` then moves each block of bubbles to where its outlines are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise

import cv2
import numpy as np

from inkmark.errors import LayoutError
from inkmark.geometry import Box, apply_homography, fit_homography
from inkmark.layouts import PageLayout
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage, orientation_deg
from inkmark.omr._turns import best_by_print, turned
from inkmark.omr.model import RegisterOptions, RegistrationFailure
from inkmark.readings import Registration

__all__ = ["register_image", "register_pictures", "register_reference", "register_sheet_edges"]

_OUTLINE_PX = 640
"""Longer side of the copy in which the paper's outline is looked for."""
_MIN_SHEET_SHARE = 0.08
"""A sheet covers at least this share of a photo."""
_LEVELS = 14
_MAX_LINES = 14
_MIN_STEP = 8.0
"""Least difference of paper and what lies beside it, in grey values."""
_MIN_SUPPORT = 0.6
"""Share of each side along which the paper must be lighter than what lies beside it."""


def register_image(pixels: GreyImage, page: PageLayout) -> Registration | RegistrationFailure:
    """The image is the page: only the two scales are free, and the four ways to turn it."""
    return _turned_best(pixels, page, _page_to(page, _image_corners(pixels)), 0)


def register_sheet_edges(pixels: GreyImage, page: PageLayout) -> Registration | RegistrationFailure:
    """The outline of the paper is the page, whichever way round."""
    quad = _find_outline(pixels)
    if quad is None:
        return RegistrationFailure("no outline of a sheet was seen")
    return _turned_best(pixels, page, _page_to(page, quad), 4)


def _turned_best(
    pixels: GreyImage, page: PageLayout, homography: FloatArray, anchors: int
) -> Registration | RegistrationFailure:
    best = best_by_print(pixels, page, turned(homography, page))
    if isinstance(best, RegistrationFailure):
        return best
    return registration_of(page, *best, anchors, anchors)


def _image_corners(pixels: GreyImage) -> FloatArray:
    height, width = pixels.shape
    return Box(-0.5, -0.5, width, height).corners()


def _page_to(page: PageLayout, corners: FloatArray) -> FloatArray:
    return fit_homography(Box(0.0, 0.0, page.width_mm, page.height_mm).corners(), corners)


def registration_of(
    page: PageLayout, homography: FloatArray, residual_mm: float, found: int, expected: int
) -> Registration:
    return Registration(
        orientation_deg=orientation_deg(homography, page.width_mm, page.height_mm),
        homography=tuple(homography.ravel().tolist()),
        residual_mm=residual_mm,
        anchors_found=found,
        anchors_expected=expected,
    )


# -- the paper's outline ---------------------------------------------------------------


def _find_outline(pixels: GreyImage) -> FloatArray | None:
    """Corners (4, 2) in px of the largest light quadrilateral with four real edges."""
    factor = max(1.0, max(pixels.shape) / _OUTLINE_PX)
    size = (round(pixels.shape[1] / factor), round(pixels.shape[0] / factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    # Print and folds go, edges stay.
    smooth = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    smooth = cv2.medianBlur(smooth, 5)
    grey = smooth.astype(np.float64)
    quad = _best_supported(grey, _light_shapes(smooth))
    if quad is None:  # something as light as the paper touches it
        quad = _best_supported(grey, _line_shapes(smooth))
    return None if quad is None else _sharpen(pixels, (quad + 0.5) * factor - 0.5, 4 * factor + 3)


def _best_supported(grey: FloatArray, quads: Iterable[FloatArray]) -> FloatArray | None:
    """The largest of the quadrilaterals whose four sides are edges of something light."""
    best: FloatArray | None = None
    best_score = 0.0
    for quad in quads:
        area = cv2.contourArea(quad.astype(np.float32))
        if area < _MIN_SHEET_SHARE * grey.size or area <= best_score:
            continue
        support = _support(grey, quad)
        score = area * float(support.mean())
        if support.min() >= _MIN_SUPPORT and score > best_score:
            best, best_score = quad, score
    return best


def _light_shapes(smooth: cv2.typing.MatLike) -> Iterator[FloatArray]:
    """Quadrilaterals that are lighter than a level, for levels from dark to light."""
    low, high = (float(level) for level in np.percentile(smooth, (5, 95)))
    for level in np.linspace(low, high, _LEVELS)[1:-1]:
        mask = (smooth > level).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for contour in sorted(contours, key=cv2.contourArea)[-2:]:
            if cv2.contourArea(contour) > 0:
                quad = _four_corners(contour)
                if quad is not None:
                    yield quad


def _line_shapes(smooth: cv2.typing.MatLike) -> Iterator[FloatArray]:
    """Quadrilaterals between the strongest straight edges."""
    edges = cv2.Canny(smooth, 20, 60)
    found = cv2.HoughLines(edges, 1, np.pi / 360, int(0.15 * min(smooth.shape)))
    lines: list[tuple[float, float]] = []
    for rho, theta in [] if found is None else found[:, 0]:
        if not any(_near(rho, theta, *line) for line in lines):
            lines.append((float(rho), float(theta)))
        if len(lines) == _MAX_LINES:
            break
    pairs = [pair for pair in combinations(lines, 2) if _turn(*pair) < np.pi / 6]
    bounds = np.array([smooth.shape[1], smooth.shape[0]])
    for one, two in combinations(pairs, 2):
        if min(_turn(a, b) for a in one for b in two) < np.pi / 4:
            continue
        corners = np.array([_crossing(a, b) for a in one for b in two])
        if ((corners > -0.05 * bounds) & (corners < 1.05 * bounds)).all():
            quad = _four_corners(corners.astype(np.float32)[:, None])
            if quad is not None:
                yield quad


def _near(rho: float, theta: float, other_rho: float, other_theta: float) -> bool:
    """Whether two lines, as distance and direction of their normals, are about the same."""
    if abs(theta - other_theta) > np.pi / 2:  # the normal may point either way
        rho, theta = -rho, theta - np.copysign(np.pi, theta - other_theta)
    return abs(rho - other_rho) < 8 and abs(theta - other_theta) < np.radians(4)


def _turn(one: tuple[float, float], two: tuple[float, float]) -> float:
    """Angle between two lines, 0 to 90 degrees, in radians."""
    angle = abs(one[1] - two[1])
    return float(min(angle, np.pi - angle))


def _crossing(one: tuple[float, float], two: tuple[float, float]) -> FloatArray:
    """Where two lines cross."""
    normals = np.array([(np.cos(theta), np.sin(theta)) for _, theta in (one, two)])
    return np.asarray(np.linalg.solve(normals, np.array([one[0], two[0]])))


def _four_corners(contour: cv2.typing.MatLike) -> FloatArray | None:
    """The quadrilateral that a contour is, its corners in the order of a page."""
    hull = cv2.convexHull(contour)
    length = cv2.arcLength(hull, closed=True)
    for share in (0.01, 0.02, 0.03, 0.05):
        outline = cv2.approxPolyDP(hull, share * length, closed=True)
        if len(outline) == 4:
            break
    else:
        return None
    quad = outline.reshape(4, 2).astype(np.float64)
    first = int(quad.sum(axis=1).argmin())
    turned = np.roll(quad, -first, axis=0)
    ahead, back = turned[1] - turned[0], turned[3] - turned[0]
    if ahead[0] * back[1] - ahead[1] * back[0] < 0:  # counter-clockwise on the screen
        turned = turned[[0, 3, 2, 1]]
    return turned


def _support(grey: FloatArray, quad: FloatArray) -> FloatArray:
    """Share of each side along which the inside is lighter than the outside: (4,)."""
    centre = quad.mean(axis=0)
    shares = []
    for a, b in pairwise([*quad, quad[0]]):
        along = a + (b - a) * np.linspace(0.05, 0.95, 60)[:, None]
        normal = np.array([b[1] - a[1], a[0] - b[0]]) / max(np.hypot(*(b - a)), 1e-9)
        if normal @ (centre - a) < 0:
            normal = -normal
        inside, outside = (_nearest(grey, along + 5.0 * side * normal) for side in (1, -1))
        shares.append(np.mean(inside - outside > _MIN_STEP))
    return np.array(shares)


def _sharpen(pixels: GreyImage, quad: FloatArray, reach: float) -> FloatArray:
    """The quadrilateral with each side moved to the steepest step within `reach` px of it."""
    grey = pixels.astype(np.float64)
    centre = quad.mean(axis=0)
    offsets = np.arange(-np.ceil(reach), np.ceil(reach) + 1)
    lines = []
    for a, b in pairwise([*quad, quad[0]]):
        along = a + (b - a) * np.linspace(0.04, 0.96, 60)[:, None]
        normal = np.array([b[1] - a[1], a[0] - b[0]]) / max(np.hypot(*(b - a)), 1e-9)
        if normal @ (centre - a) < 0:
            normal = -normal
        profiles = np.stack([_nearest(grey, along + k * normal) for k in offsets], axis=1)
        ahead = np.lib.stride_tricks.sliding_window_view(profiles, 3, axis=1).mean(axis=2)
        steps = np.nan_to_num(ahead[:, 3:] - ahead[:, :-3], nan=-np.inf)
        # Step k lies between samples k + 2 and k + 3.
        at = offsets[steps.argmax(axis=1) + 2] + 0.5
        lines.append(_fit_line(along + at[:, None] * normal, steps.max(axis=1) > _MIN_STEP))
    sides = [line for line in lines if line is not None]
    if len(sides) < 4:
        return quad
    return np.array([_crossing(sides[k - 1], sides[k]) for k in range(4)])


def _fit_line(points: FloatArray, good: BoolArray) -> tuple[float, float] | None:
    """Distance and direction of the normal of the line through most of the points."""
    if good.sum() < 8:
        return None
    for _ in range(3):
        middle = points[good].mean(axis=0)
        normal = np.linalg.svd(points[good] - middle)[2][1]
        off = np.abs((points - middle) @ normal)
        good = good & (off <= max(2.5 * float(np.median(off[good])), 0.75))
    return float(normal @ middle), float(np.arctan2(normal[1], normal[0]))


def _nearest(grey: FloatArray, points: FloatArray) -> FloatArray:
    """Grey values nearest to points; NaN outside, which is lighter than nothing."""
    x, y = np.rint(points).astype(int).T
    seen = (x >= 0) & (y >= 0) & (x < grey.shape[1]) & (y < grey.shape[0])
    values = np.full(len(points), np.nan)
    values[seen] = grey[y[seen], x[seen]]
    return values


# -- pictures in the corners -----------------------------------------------------------


def register_pictures(pixels: GreyImage, page: PageLayout) -> Registration | RegistrationFailure:
    """The same small picture in the four corners, at any size, whichever way round.

    The picture is matched over a range of sizes by normalised correlation; four places of
    about one size that form the page's quadrilateral are the corners.
    """
    picture = _decode(page.anchors.picture_png)
    boxes = page.anchors.picture_boxes
    if len(boxes) != 4:
        raise LayoutError("A page with picture anchors needs four boxes for them. Give four.")
    factor = max(1.0, max(pixels.shape) / _PICTURES_PX)
    size = (round(pixels.shape[1] / factor), round(pixels.shape[0] / factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    centres = np.array([box.centre for box in boxes])
    outcome: Registration | RegistrationFailure = RegistrationFailure(
        "the pictures in the four corners were not seen"
    )
    for quarter in range(4):
        corners = _choose_corners(_picture_spots(np.rot90(small, quarter), picture), page)
        if corners is not None:
            at = _turned_back(corners, quarter, small.shape)
            homography = fit_homography(centres, (at + 0.5) * factor - 0.5)
            outcome = _turned_best(pixels, page, homography, 4)
            if isinstance(outcome, Registration):
                break
    return outcome


def _turned_back(points: FloatArray, quarter: int, shape: tuple[int, ...]) -> FloatArray:
    """Points (n, 2) of an image that `np.rot90` turned, in the image of this shape."""
    x, y = points.T
    right, bottom = shape[1] - 1, shape[0] - 1
    turns = ((x, y), (right - y, x), (right - x, bottom - y), (y, bottom - x))
    return np.column_stack(turns[quarter])


def _picture_spots(small: cv2.typing.MatLike, picture: GreyImage) -> FloatArray:
    """Where a picture is seen: x, y, width and score, (n, 4)."""
    small = np.ascontiguousarray(small)
    spots = []
    for share in np.geomspace(*_PICTURE_SHARES, _PICTURE_SIZES):
        side = round(share * max(small.shape))
        height = round(side * picture.shape[0] / picture.shape[1])
        if min(side, height) < 8 or side >= small.shape[1] or height >= small.shape[0]:
            continue
        scaled = cv2.resize(picture, (side, height), interpolation=cv2.INTER_AREA)
        match = cv2.matchTemplate(small, scaled, cv2.TM_CCOEFF_NORMED)
        spots += [
            (x + (side - 1) / 2, y + (height - 1) / 2, side, score)
            for x, y, score in _peaks(match, side // 2)
        ]
    return np.array(spots).reshape(-1, 4)


_PICTURES_PX = 1200
"""Longer side of the copy in which corner pictures are looked for."""
_PICTURE_SHARES = (0.015, 0.07)
"""Sizes of a corner picture, as shares of the image's longer side."""
_PICTURE_SIZES = 16
_MIN_MATCH = 0.5
_PEAKS_PER_SIZE = 12


def _decode(png: bytes) -> GreyImage:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) if png else None
    if picture is None:
        raise LayoutError("The picture that anchors a page cannot be decoded. Import it again.")
    return np.asarray(picture, dtype=np.uint8)


def _peaks(match: cv2.typing.MatLike, radius: int) -> list[tuple[int, int, float]]:
    """The best places of a correlation map, each the best within `radius`."""
    rest = match.copy()
    found = []
    for _ in range(_PEAKS_PER_SIZE):
        _, score, _, (x, y) = cv2.minMaxLoc(rest)
        if score < _MIN_MATCH:
            break
        found.append((x, y, score))
        rest[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1] = -1
    return found


def _choose_corners(spots: FloatArray, page: PageLayout) -> FloatArray | None:
    """Four of the spots (x, y, side, score) that are the page's corners: (4, 2)."""
    centres = np.array([box.centre for box in page.anchors.picture_boxes]) @ (1, 1j)
    at = spots[:, 0] + 1j * spots[:, 1]
    diagonal = centres[2] - centres[0]
    best, best_score = None, 0.0
    for i in range(len(spots)):
        for j in range(len(spots)):
            turn = (at[j] - at[i]) / diagonal if i != j else 0j
            alike = np.abs(np.log(spots[:, 2] / spots[i, 2])) < 0.25
            if not alike[j] or not abs(np.angle(turn)) < np.pi / 4 or turn == 0:
                continue
            chosen = [i, j]
            for k in (1, 3):
                place = at[i] + turn * (centres[k] - centres[0])
                distance = np.where(alike, np.abs(at - place), np.inf)
                near = distance < 0.12 * abs(at[j] - at[i])
                if not near.any():
                    break
                chosen.append(int(np.where(near, spots[:, 3], -1).argmax()))
            if len(chosen) == 4:
                score = float(spots[chosen, 3].sum())
                if score > best_score:
                    best, best_score = (
                        spots[[chosen[0], chosen[2], chosen[1], chosen[3]], :2],
                        score,
                    )
    return best


# -- a reference picture ---------------------------------------------------------------


_REFERENCE_PX = 1800
_MAX_FEATURES = 4000
_MIN_MATCHES = 25


def register_reference(
    pixels: GreyImage, page: PageLayout, options: RegisterOptions
) -> Registration | RegistrationFailure:
    """A picture of the blank sheet, found by its features in any orientation."""
    picture = _decode(page.anchors.picture_png)
    if len(page.anchors.picture_boxes) != 1:
        raise LayoutError("A page with a reference picture needs one box for it. Give one.")
    box = page.anchors.picture_boxes[0]
    factor = max(1.0, max(pixels.shape) / _REFERENCE_PX)
    size = (round(pixels.shape[1] / factor), round(pixels.shape[0] / factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    orb = cv2.ORB.create(_MAX_FEATURES, fastThreshold=10)
    here, described_here = orb.detectAndCompute(small, None)
    there, described_there = orb.detectAndCompute(picture, None)
    if min(len(here), len(there)) < _MIN_MATCHES:  # without features there are no descriptors
        return RegistrationFailure("the image has no features to compare with the reference")
    pairs = [
        pair[0]
        for pair in cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(described_there, described_here, k=2)
        if len(pair) == 2 and pair[0].distance < 0.8 * pair[1].distance
    ]
    if len(pairs) < _MIN_MATCHES:
        return RegistrationFailure("the image does not show what the reference shows")
    mm = np.array([box.w / picture.shape[1], box.h / picture.shape[0]])
    source = (np.array([there[p.queryIdx].pt for p in pairs]) + 0.5) * mm + (box.x, box.y)
    target = (np.array([here[p.trainIdx].pt for p in pairs]) + 0.5) * factor - 0.5
    limit_px = (
        options.max_residual_mm * np.hypot(*pixels.shape) / np.hypot(page.width_mm, page.height_mm)
    )
    cv2.setRNGSeed(1)  # the same image always registers the same way
    rough, kept = cv2.findHomography(source, target, cv2.RANSAC, limit_px, maxIters=4000)
    if rough is None or kept.sum() < _MIN_MATCHES:
        return RegistrationFailure("the image does not show what the reference shows")
    good = kept.ravel() > 0
    try:
        homography = fit_homography(source[good], target[good])
        inverse = np.asarray(np.linalg.inv(homography), dtype=np.float64)
    except (ValueError, np.linalg.LinAlgError):  # features of one line of print
        return RegistrationFailure("the image does not show what the reference shows")
    off = apply_homography(inverse, target[good]) - source[good]
    residual = float(np.sqrt((off**2).sum(axis=1).mean()))
    return registration_of(page, homography, residual, int(good.sum()), len(pairs))
