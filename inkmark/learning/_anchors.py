"""What ties scans to a learned page: marks in its corners, or its whole print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box, apply_homography
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, BubbleField, MarkShape, PageLayout
from inkmark.learning._flat import Flat
from inkmark.learning._lattice import Block
from inkmark.learning._shapes import FloatArray, InkMap
from inkmark.omr import register
from inkmark.readings import Registration

__all__ = ["choose_anchors"]

_DARK = 0.35
_SIDES_MM = (2.4, 70.0)
_ALIKE = 0.2
_BENT = 0.02
"""How far a mark may lie from where the others put it, as a share of the diagonal."""
_MIN_DIAGONAL = 0.45
_OUTERMOST = 60
_REFERENCE_PX = 1400
_TRIALS = ((1.3, 0.97), (180.8, 1.0))
"""Turns in degrees and scales of the copies by which anchors are tried out."""
_MAX_OFF_MM = 0.8
_STRIP = 0.75
_MIN_TIMING = 4


@dataclass(frozen=True, slots=True)
class _Blob:
    x: float
    y: float
    w: float
    h: float
    fill: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y + self.h / 2


def choose_anchors(
    flat: Flat, ink: InkMap, blocks: list[Block], page: PageLayout, px_per_mm: float
) -> tuple[Anchors, str, bool]:
    """The best anchors with which turned copies of the page are found again.

    Parameters
    ----------
    flat : Flat
    ink : (H, W) float32
    blocks : list of Block
    page : PageLayout
        With its fields; its anchors are not looked at.
    px_per_mm : float

    Returns
    -------
    Anchors
    str
        What they are, in words.
    bool
        Whether the page was found again in every copy.
    """
    weak: list[tuple[int, Anchors, str]] = []
    for anchors, words in _candidates(flat, ink, blocks, px_per_mm):
        found = _trials_passed(flat, replace(page, anchors=anchors), px_per_mm)
        if found == len(_TRIALS):
            return anchors, words, True
        if found:
            weak.append((found, anchors, words))
    if weak:
        _, anchors, words = max(weak, key=lambda entry: entry[0])
        return anchors, words, False
    return Anchors(AnchorKind.IMAGE), "the edges of the image", False


def _candidates(
    flat: Flat, ink: InkMap, blocks: list[Block], px_per_mm: float
) -> Iterator[tuple[Anchors, str]]:
    blobs = _blobs(ink, blocks, px_per_mm)
    four = _four_corners(blobs, flat.width_mm, flat.height_mm)
    if four is not None:
        shape = _mark_shape(ink, four, px_per_mm)
        if shape is MarkShape.SQUARE:
            key, timing = _key_mark(blobs, four), _timing(blobs, four)
            if key is not None and len(timing) >= _MIN_TIMING:
                squares = tuple(Box(b.x, b.y, b.w, b.h) for b in four)
                yield (
                    Anchors(AnchorKind.SQUARES, squares, key, timing),
                    f"four squares, a key mark and {len(timing)} timing marks",
                )
        size = float(np.mean([(b.w + b.h) / 2 for b in four]))
        at = _corner_points(four) if shape is MarkShape.BRACKET else [b.centre for b in four]
        marks = tuple((round(x, 3), round(y, 3)) for x, y in at)
        words = {MarkShape.CROSS: "crosses", MarkShape.ANY: "marks"}.get(shape, f"{shape.value}s")
        yield (
            Anchors(AnchorKind.MARKS, marks=marks, mark_shape=shape, mark_mm=round(size, 2)),
            f"four {words} in the corners",
        )
    yield _reference(flat), "the whole print of the blank sheet"
    if flat.photo:
        yield Anchors(AnchorKind.SHEET_EDGES), "the outline of the paper"


def _blobs(ink: InkMap, blocks: list[Block], px_per_mm: float) -> list[_Blob]:
    """Dark things that may be marks, in mm, those among bubbles left out."""
    mask = (cv2.GaussianBlur(ink, (0, 0), 0.7) > _DARK).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes = [block.box for block in blocks if block.seen.sum() >= 4]
    least, most = (side * px_per_mm for side in _SIDES_MM)
    blobs = []
    for x, y, w, h, area in stats[1:].tolist():
        if not (max(w, h) >= least and max(w, h) <= most and min(w, h) >= 0.3 * least):
            continue
        cx, cy = x + w / 2, y + h / 2
        if any(b[0] < cx < b[2] and b[1] < cy < b[3] for b in boxes):
            continue
        blobs.append(
            _Blob(x / px_per_mm, y / px_per_mm, w / px_per_mm, h / px_per_mm, area / (w * h))
        )
    return blobs


def _four_corners(blobs: list[_Blob], width: float, height: float) -> list[_Blob] | None:
    """Four alike blobs that form the largest upright rectangle, in the order of a page."""
    big = [b for b in blobs if max(b.w, b.h) >= _SIDES_MM[0] and 0.6 < b.w / b.h < 1.7]
    quarters: list[list[_Blob]] = []
    for right, low in ((0, 0), (1, 0), (1, 1), (0, 1)):
        corner = np.array([right * width, low * height])
        own = [
            b
            for b in big
            if (b.centre[0] > width / 2) == bool(right) and (b.centre[1] > height / 2) == bool(low)
        ]
        own.sort(key=lambda b: float(np.hypot(*(np.array(b.centre) - corner))))
        quarters.append(own[:_OUTERMOST])
    best, best_score = None, 0.0
    diagonal_page = float(np.hypot(width, height))
    for one in quarters[0]:
        for two in quarters[2]:
            if not _alike(one, two):
                continue
            diagonal = float(np.hypot(*np.subtract(two.centre, one.centre)))
            side = (one.w + one.h + two.w + two.h) / 4
            score = diagonal * float(np.sqrt(min(side, 12.0)))
            if diagonal < _MIN_DIAGONAL * diagonal_page or score <= best_score:
                continue
            others = [
                _nearest(quarter, place, one, _BENT * diagonal_page)
                for quarter, place in (
                    (quarters[1], (two.centre[0], one.centre[1])),
                    (quarters[3], (one.centre[0], two.centre[1])),
                )
            ]
            if others[0] is not None and others[1] is not None:
                best, best_score = [one, others[0], two, others[1]], score
    return best


def _alike(one: _Blob, two: _Blob) -> bool:
    logs = np.log([one.w / two.w, one.h / two.h, one.fill / two.fill])
    return bool((np.abs(logs) < (_ALIKE, _ALIKE, 1.5 * _ALIKE)).all())


def _nearest(
    blobs: list[_Blob], place: tuple[float, float], like: _Blob, reach: float
) -> _Blob | None:
    near = [
        (float(np.hypot(*np.subtract(b.centre, place))), k)
        for k, b in enumerate(blobs)
        if _alike(b, like)
    ]
    distance, k = min(near, default=(np.inf, -1))
    return blobs[k] if distance < reach else None


def _mark_shape(ink: InkMap, four: list[_Blob], px_per_mm: float) -> MarkShape:
    """By where ink is: in the centre, in the corners of the box, in all of it."""
    fill = float(np.median([b.fill for b in four]))
    centre, corners, outer = [], [], []
    for k, blob in enumerate(four):
        x, y, w, h = (value * px_per_mm for value in (blob.x, blob.y, blob.w, blob.h))
        part = ink[int(y) : int(y + h) + 1, int(x) : int(x + w) + 1] > _DARK
        m, n = part.shape
        centre.append(part[int(0.42 * m) : int(0.58 * m) + 1, int(0.42 * n) : int(0.58 * n) + 1])
        edge_y, edge_x = max(1, m // 7), max(1, n // 7)
        ends = [part[:edge_y, :edge_x], part[:edge_y, -edge_x:]]
        ends += [part[-edge_y:, -edge_x:], part[-edge_y:, :edge_x]]
        corners.append(np.mean([end.mean() for end in ends]))
        outer.append(ends[k].mean())
    inked = float(np.mean([c.mean() for c in centre]))
    if fill > 0.88:
        return MarkShape.SQUARE
    if float(np.mean(outer)) > 0.7 and inked < 0.5 and fill < 0.65:
        return MarkShape.BRACKET
    if fill > 0.68 and inked > 0.8:
        return MarkShape.DISC
    if inked < 0.3 and float(np.mean(corners)) < 0.4:
        return MarkShape.RING
    if inked > 0.8 and fill < 0.5 and float(np.mean(corners)) < 0.3:
        return MarkShape.CROSS
    return MarkShape.ANY


def _corner_points(four: list[_Blob]) -> list[tuple[float, float]]:
    one, two, three, last = four
    return [
        (one.x, one.y),
        (two.x + two.w, two.y),
        (three.x + three.w, three.y + three.h),
        (last.x, last.y + last.h),
    ]


def _key_mark(blobs: list[_Blob], four: list[_Blob]) -> Box | None:
    """A solid bar beside the top left square that no other square has beside it."""
    first = four[0]

    def beside(square: _Blob) -> list[_Blob]:
        reach = 3.0 * max(square.w, square.h)
        near = [
            b
            for b in blobs
            if b not in four
            and b.fill > 0.8
            and np.hypot(*np.subtract(b.centre, square.centre)) < reach
            and b.w * b.h > 0.2 * square.w * square.h
            and max(b.w / b.h, b.h / b.w) > 1.6
        ]
        return sorted(near, key=lambda b: -b.w * b.h)

    own = beside(first)
    if not own:
        return None
    key = own[0]
    for other in four[1:]:
        if any(abs(np.log(b.w * b.h / (key.w * key.h))) < 0.3 for b in beside(other)):
            return None
    return Box(round(key.x, 3), round(key.y, 3), round(key.w, 3), round(key.h, 3))


def _timing(blobs: list[_Blob], four: list[_Blob]) -> tuple[Box, ...]:
    """Solid bars of one size between two squares of the left, right, top or bottom side."""
    key = _key_mark(blobs, four)
    found: list[Box] = []
    for a, b in ((0, 3), (1, 2), (0, 1), (3, 2)):
        one, two = four[a], four[b]
        axis = 1 if (a, b) in {(0, 3), (1, 2)} else 0
        middle = (one.centre[1 - axis] + two.centre[1 - axis]) / 2
        reach = _STRIP * max(one.w, one.h)
        strip = [
            blob
            for blob in blobs
            if blob not in four
            and blob.fill > 0.8
            and abs(blob.centre[1 - axis] - middle) < reach
            and one.centre[axis] < blob.centre[axis] < two.centre[axis]
            and not (key and abs(blob.x - key.x) + abs(blob.y - key.y) < 0.01)
        ]
        if len(strip) < _MIN_TIMING:
            continue
        w, h = np.median([(blob.w, blob.h) for blob in strip], axis=0)
        strip = [s for s in strip if abs(s.w / w - 1) < 0.2 and abs(s.h / h - 1) < 0.2]
        found += [Box(round(s.x, 3), round(s.y, 3), round(s.w, 3), round(s.h, 3)) for s in strip]
    return tuple(found)


def _reference(flat: Flat) -> Anchors:
    factor = min(1.0, _REFERENCE_PX / max(flat.pixels.shape))
    size = (round(flat.pixels.shape[1] * factor), round(flat.pixels.shape[0] * factor))
    small = cv2.resize(flat.pixels, size, interpolation=cv2.INTER_AREA)
    png = cv2.imencode(".png", small, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    box = Box(0.0, 0.0, flat.width_mm, flat.height_mm)
    return Anchors(AnchorKind.REFERENCE, picture_png=bytes(png), picture_boxes=(box,))


def _trials_passed(flat: Flat, page: PageLayout, px_per_mm: float) -> int:
    """In how many turned copies of the page it is found where it is."""
    centres = np.concatenate([f.centres() for f in page.fields if isinstance(f, BubbleField)])
    passed = 0
    for turn_deg, scale in _TRIALS:
        copy, to_copy = _turned(flat.pixels, turn_deg, scale)
        found = register(Pixels.of(copy), page)
        if not isinstance(found, Registration):
            continue
        truth = apply_homography(to_copy, centres * px_per_mm - 0.5)
        off = np.hypot(*(found.to_px(centres) - truth).T) / (px_per_mm * scale)
        passed += bool(off.max() < _MAX_OFF_MM)
    return passed


def _turned(
    pixels: NDArray[np.uint8], turn_deg: float, scale: float
) -> tuple[NDArray[np.uint8], FloatArray]:
    height, width = pixels.shape
    margin = round(0.02 * max(height, width))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, scale)
    turn[:, 2] += margin
    paper = int(np.percentile(pixels, 90))
    copy = cv2.warpAffine(
        pixels,
        turn,
        (width + 2 * margin, height + 2 * margin),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper,
    )
    noise = np.random.default_rng(1).normal(0, 3, copy.shape)
    noisy = np.clip(copy + noise, 0, 255).astype(np.uint8)
    return noisy, np.vstack([turn, (0.0, 0.0, 1.0)])
