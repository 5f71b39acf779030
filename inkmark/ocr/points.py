"""Points that markers wrote on the sheet: numbers in boxes, ticks and crosses in areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box
from inkmark.images import PageImage, Pixels
from inkmark.layouts import AreaField, BoxFrame, PageLayout, PointsField, WritingField
from inkmark.ocr._inks import Region, is_grey, marker_ink
from inkmark.ocr._numbers import NO_NUMBER, read_numbers
from inkmark.ocr._point_lines import read_line, weigh
from inkmark.ocr._strikes import is_struck_out
from inkmark.ocr._verdicts import count_ticks
from inkmark.ocr.boxes import CutField, cut_fields
from inkmark.readings import FieldReading, Flag, Registration

__all__ = ["PointsOptions", "read_points"]

_AROUND_MM = 4.0
"""Looked at around a field, for the inks of print and of the candidate."""
_FRAME_MM = 0.5
"""The frame is no further from where the layout has it."""
_LEAST_PX = 8
"""Regions of fewer pixels a side show nothing."""
_FAR_PX = 1_000_000
"""No corner of a sheet lies further out, unless the registration is broken."""
_SURE = 0.95
"""Where signs are read as surely, nobody else is asked."""
_STRAY_MM2 = 0.4
"""A thin 1 has twice as much ink, a speck of dust less."""
_LEAST = 0.0005
"""Less probable readings are left out."""


@dataclass(frozen=True, slots=True)
class PointsOptions:
    """How points are read.

    Attributes
    ----------
    certainty : float
        Least probability of points that nobody needs to look at.
    ticks : float
        The same for ticks and crosses, of which odd ones may look like others.
    """

    certainty: float = 0.9
    ticks: float = 0.95


def read_points(
    image: PageImage,
    page: PageLayout,
    registration: Registration,
    options: PointsOptions | None = None,
) -> tuple[FieldReading, ...]:
    """Read what markers wrote in the fields for points and for their total.

    On a scan in colour only the marker's ink is looked at. Colours are decoded here, and
    only where the page has such fields.

    Parameters
    ----------
    image : PageImage
    page : PageLayout
    registration : Registration
    options : PointsOptions, optional

    Returns
    -------
    tuple of FieldReading
        One for each field with the role ``POINTS`` or ``TOTAL``. The value is a number,
        ``"7.5"`` (in an area how many ticks there are), or empty where nothing is written;
        `FieldReading.choices` has one entry with what else may be meant: ``""`` is nothing,
        ``"?"`` no number.
    """
    options = options or PointsOptions()
    fields = _fields(page)
    if not fields:
        return ()
    pixels, frame = image.pixels, None
    colours = image.in_colour()
    by_field = _regions(fields, registration, pixels.shape)
    regions = list(by_field.values())
    strays: dict[int, float] = {}
    if regions and not is_grey(colours, regions):
        grey, is_black, shares = marker_ink(colours, regions)
        pixels, frame = Pixels.of(grey), None if is_black else BoxFrame.DROPOUT
        strays = dict(zip(by_field, shares, strict=True))
    # A line straight through a score is a stroke that crosses it out, or goes to a person.
    writing = [_as_writing(f, frame) for f in fields]
    cuts = cut_fields(pixels, writing, registration, has_streaks=False)
    written = [k for k, field in enumerate(fields) if isinstance(field, WritingField)]
    said = dict(zip(written, read_numbers([cuts[k] for k in written]), strict=True))
    return tuple(
        _reading(field, cut, said.get(k, []), strays.get(k, 0.0), options)
        for k, (field, cut) in enumerate(zip(fields, cuts, strict=True))
    )


def _reading(
    field: PointsField,
    cut: CutField,
    said: list[tuple[str, float]],
    stray: float,
    options: PointsOptions,
) -> FieldReading:
    """What a field says, of which the signs of a number may say so much.

    Other ink in a box that seems empty may be another marker's, or hide what is there; in an
    area it is what the candidate wrote.
    """
    if not cut.in_image:
        return FieldReading(field.name, "", 0.0, Flag.UNREADABLE, (), cut.box_px)
    if isinstance(field, AreaField):
        choices, least = count_ticks(cut, field.n_marks), options.ticks
    else:
        choices, least = _number(cut, said), options.certainty
        if not choices[0][0] and stray * _inside_mm2(field) > _STRAY_MM2:
            choices = [(NO_NUMBER, 1.0)]
    kept = tuple((value, round(p, 4)) for value, p in choices if p >= _LEAST)
    value, probability = kept[0]
    if value == NO_NUMBER:
        value = next((other for other, _ in kept[1:] if other), "")
    certain = probability >= least and kept[0][0] != NO_NUMBER
    flag = Flag.OK if certain else Flag.DOUBTFUL
    return FieldReading(field.name, value, probability, flag, (), cut.box_px, (kept,))


def _number(cut: CutField, said: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """What a field for a number may say; its line is read where single signs leave doubt."""
    if is_struck_out(cut):
        return [(NO_NUMBER, 1.0)]
    value, probability = said[0]
    lost = len(value) > 1 and value.endswith("5") and "." not in value  # perhaps a point
    if not value or (probability > _SURE and not lost and value != NO_NUMBER):
        return said
    return weigh(said, read_line(cut), NO_NUMBER)


def _fields(page: PageLayout) -> list[PointsField]:
    return [f for f in page.fields if isinstance(f, PointsField) and f.role.is_of_marker]


def _regions(
    fields: Sequence[PointsField], registration: Registration, shape: tuple[int, int]
) -> dict[int, Region]:
    """What is looked at for inks, by the number of the field; none beyond the image."""
    height, width = shape
    extents = [_extent(f) for f in fields]
    boxes = [box.grown(-_FRAME_MM) for f in fields for box in _boxes(f)]
    wanted = [
        *(extent.grown(_FRAME_MM) for extent in extents),
        *(extent.grown(_AROUND_MM) for extent in extents),
        *boxes,
    ]
    corners = registration.to_px(np.concatenate([box.corners() for box in wanted]))
    n, places = len(fields), corners.reshape(-1, 4, 2)
    frames, around_all, inside_all = places[:n], places[n : 2 * n], iter(places[2 * n :])
    regions = {}
    for k, (field, extent) in enumerate(zip(fields, around_all, strict=True)):
        within = [next(inside_all) for _ in _boxes(field)]
        if not np.isfinite(extent).all():
            continue
        left, top = np.clip(np.floor(extent.min(axis=0)), 0, (width, height)).astype(int).tolist()
        right, bottom = (
            np.clip(np.ceil(extent.max(axis=0)), 0, (width, height)).astype(int).tolist()
        )
        if right - left < _LEAST_PX or bottom - top < _LEAST_PX:
            continue
        inside = np.zeros((bottom - top, right - left), np.uint8)
        around = np.ones_like(inside)
        for box in within:
            _fill(inside, box - (left, top), 1)
        for frame in frames[_meets(frames, extent)]:
            _fill(around, frame - (left, top), 0)
        regions[k] = Region(left, top, right, bottom, inside > 0, around > 0)
    return regions


def _inside_mm2(field: WritingField) -> float:
    return sum(
        max(box.w - 2 * _FRAME_MM, 0.0) * max(box.h - 2 * _FRAME_MM, 0.0) for box in field.boxes()
    )


def _meets(frames: NDArray[np.float64], extent: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some frames, (n, 4, 2) corners, may lie in an extent; (n,)."""
    low, high = frames.min(axis=1), frames.max(axis=1)
    apart = (high < extent.min(axis=0)) | (low > extent.max(axis=0))
    return np.asarray(~apart.any(axis=1))


def _fill(mask: NDArray[np.uint8], corners: NDArray[np.float64], value: int) -> None:
    if np.isfinite(corners).all() and np.abs(corners).max() < _FAR_PX:
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], value)


def _boxes(field: PointsField) -> tuple[Box, ...]:
    return field.boxes() if isinstance(field, WritingField) else (field.box,)


def _extent(field: PointsField) -> Box:
    box = field.box
    last = _boxes(field)[-1]
    return Box(box.x, box.y, last.right - box.x, box.h)


def _as_writing(field: PointsField, frame: BoxFrame | None) -> WritingField:
    """The field as boxes to cut out, their frames as the image shows them."""
    if isinstance(field, AreaField):
        return WritingField(field.name, field.box, frame=frame or BoxFrame.DARK)
    return field if frame is None else replace(field, frame=frame)
