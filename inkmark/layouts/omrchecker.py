"""Templates of OMRChecker (template.json) as sheet layouts.

OMRChecker places bubbles in pixels of a page image that its preprocessors have cropped and
resized. That page becomes ours: its width is taken for 210 mm (297 mm where it is wider
than high), and what cropped it becomes the page's anchors. Filters that only change grey
values are left out, because our reader measures each page's own paper and ink.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from inkmark.errors import ImageError, LayoutError
from inkmark.geometry import Box
from inkmark.images import open_scan
from inkmark.layouts.format import layout_version
from inkmark.layouts.model import (
    AnchorKind,
    Anchors,
    BubbleField,
    BubbleShape,
    JoinedField,
    PageLayout,
    SheetLayout,
)

__all__ = ["import_omrchecker"]

_MAX_BYTES = 4 << 20
_MAX_FIELDS = 20_000
_SHORT_MM, _LONG_MM = 210.0, 297.0
_MARKER_SIDE_PX = 300
_REFERENCE_SIDE_PX = 1800
_DEFAULT_MARKER_RATIO = 17.0

_DIGITS = tuple("0123456789")
_FIELD_TYPES = {
    "QTYPE_INT": (_DIGITS, "vertical"),
    "QTYPE_INT_FROM_1": ((*_DIGITS[1:], "0"), "vertical"),
    "QTYPE_MCQ4": (tuple("ABCD"), "horizontal"),
    "QTYPE_MCQ5": (tuple("ABCDE"), "horizontal"),
    "QTYPE_MCQ4_RTL": (tuple("DCBA"), "horizontal"),
    "QTYPE_MCQ5_RTL": (tuple("EDCBA"), "horizontal"),
}
_IGNORED_FILTERS = {"GaussianBlur", "MedianBlur", "Levels"}
_RANGE = re.compile(r"(?P<stem>[^.\d]+)(?P<first>\d+)\.{2,3}(?P<last>\d+)")


def import_omrchecker(path: Path | str) -> SheetLayout:
    """Turn an OMRChecker template into a layout of one page.

    Each field label becomes a `BubbleField` of one group and each custom label a
    `JoinedField`. ``CropPage`` becomes sheet edges, ``CropOnMarkers`` pictures in the
    corners and ``FeatureBasedAlignment`` a reference picture; of several the last one
    counts, as there. Pictures are taken into the layout. Values for empty fields
    (``emptyValue``) are not taken over: a blank field reads as an empty value.

    Parameters
    ----------
    path : Path or str
        The template. Pictures that it names must lie in its folder or below.

    Returns
    -------
    SheetLayout

    Raises
    ------
    LayoutError
        Where the template cannot be read, says something that is not a template, or asks
        for a preprocessor that has no counterpart here.
    """
    path = Path(path)
    try:
        return _layout(_read(path), path)
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise LayoutError(
            f"{path.name} is not an OMRChecker template: {what}. "
            "Correct it; OMRChecker itself checks a template when it starts."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LayoutError(
                f"{path.name} is larger than {_MAX_BYTES >> 20} MB. Give a template.json."
            )
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LayoutError(
            f"{path} cannot be read ({error.strerror}). Give the path of a template.json."
        ) from error
    if not isinstance(content, dict):
        raise TypeError("its outermost value is not an object")
    return content


def _layout(template: Mapping[str, Any], path: Path) -> SheetLayout:
    width_px, height_px = _pair(template["pageDimensions"], "pageDimensions")
    mm = (_SHORT_MM if width_px <= height_px else _LONG_MM) / width_px
    bubble = _pair(template["bubbleDimensions"], "bubbleDimensions")
    fields: list[BubbleField] = []
    for name, block in template["fieldBlocks"].items():
        try:
            fields += _block_fields(block, bubble, mm)
        except KeyError as error:
            raise ValueError(f"field block {name!r} has no {error}") from error
        except (TypeError, ValueError) as error:
            raise ValueError(f"field block {name!r}: {error}") from error
        if len(fields) > _MAX_FIELDS:
            raise ValueError(f"it has more than {_MAX_FIELDS} fields")
    names = [field.name for field in fields]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"field label {twice[0]!r} stands twice")
    joins = _joins(template.get("customLabels", {}), set(names))
    width_mm, height_mm = width_px * mm, height_px * mm
    anchors = _anchors(template.get("preProcessors", []), path, width_mm, height_mm)
    pages = (PageLayout(width_mm, height_mm, anchors, tuple(fields)),)
    return SheetLayout(layout_version(pages, joins), path.parent.name, pages, joins)


# -- fields ----------------------------------------------------------------------------


def _block_fields(
    block: Mapping[str, Any], page_bubble: tuple[float, float], mm: float
) -> list[BubbleField]:
    if "fieldType" in block:
        kind = block["fieldType"]
        if kind not in _FIELD_TYPES:
            raise ValueError(f"field type {kind!r} is none of {', '.join(_FIELD_TYPES)}")
        options, direction = _FIELD_TYPES[kind]
    else:
        options = tuple(str(value) for value in block["bubbleValues"])
        direction = block["direction"]
    if not options or len(set(options)) != len(options):
        raise ValueError("bubble values must be there and differ")
    if direction not in {"horizontal", "vertical"}:
        raise ValueError(f"direction {direction!r} is neither 'horizontal' nor 'vertical'")
    x, y = _pair(block["origin"], "origin", least=0.0)
    w, h = page_bubble
    if "bubbleDimensions" in block:
        w, h = _pair(block["bubbleDimensions"], "bubbleDimensions")
    labels = _labels(block["fieldLabels"])
    across = (1.0, 0.0) if direction == "horizontal" else (0.0, 1.0)
    down = across[::-1]
    option_step = _number(block["bubblesGap"], "bubblesGap") * mm
    fields = []
    for label, offset in zip(labels, _offsets(block["labelsGap"], len(labels)), strict=True):
        origin = (
            (x + w / 2 + offset * down[0]) * mm,
            (y + h / 2 + offset * down[1]) * mm,
        )
        fields.append(
            BubbleField(
                name=label,
                options=options,
                origin=origin,
                option_step=(option_step * across[0], option_step * across[1]),
                bubble_w=w * mm,
                bubble_h=h * mm,
                shape=BubbleShape.OVAL,
            )
        )
    return fields


def _labels(labels: Sequence[str]) -> list[str]:
    """Field labels with ranges written out: ``q1..3`` is q1, q2, q3."""
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise TypeError("field labels must be a list of texts")
    result = []
    for label in labels:
        span = _RANGE.fullmatch(label)
        if span is None:
            result.append(label)
            continue
        first, last = int(span["first"]), int(span["last"])
        if not first < last < first + _MAX_FIELDS:
            raise ValueError(f"the range {label!r} does not count upwards")
        result += [f"{span['stem']}{number}" for number in range(first, last + 1)]
    return result


def _offsets(gap: object, n: int) -> list[float]:
    """Where the fields of a block stand from its first one, in pixels."""
    if not isinstance(gap, list):
        step = _number(gap, "labelsGap")
        return [k * step for k in range(n)]
    if len(gap) != n - 1:
        raise ValueError(f"{n} field labels need {n - 1} gaps, not {len(gap)}")
    offsets = [0.0]
    for step in gap:
        offsets.append(offsets[-1] + _number(step, "labelsGap"))
    return offsets


def _joins(labels: Mapping[str, Any], names: set[str]) -> tuple[JoinedField, ...]:
    joins = []
    for name, parts in labels.items():
        written_out = tuple(_labels(parts))
        missing = [part for part in written_out if part not in names]
        if missing:
            raise ValueError(f"custom label {name!r} names {missing[0]!r}, which is no field")
        joins.append(JoinedField(name, written_out))
    return tuple(joins)


def _number(value: object, name: str, least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        raise ValueError(f"{name} must be a number of at least {least:g}, not {value!r}")
    if value > 1e6:
        raise ValueError(f"{name} is {value!r}, which is more than a page has")
    return float(value)


def _pair(value: object, name: str, least: float = 1.0) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{name} must be two numbers, not {value!r}")
    return _number(value[0], name, least), _number(value[1], name, least)


# -- anchors ---------------------------------------------------------------------------


def _anchors(
    preprocessors: Sequence[Mapping[str, Any]], path: Path, width_mm: float, height_mm: float
) -> Anchors:
    anchors = Anchors(AnchorKind.IMAGE)
    for step in preprocessors:
        name, options = step["name"], step.get("options", {})
        if name in _IGNORED_FILTERS:
            continue
        if name == "CropPage":
            anchors = Anchors(AnchorKind.SHEET_EDGES)
        elif name == "CropOnMarkers":
            anchors = _marker_anchors(options, path, width_mm, height_mm)
        elif name == "FeatureBasedAlignment":
            anchors = Anchors(
                AnchorKind.REFERENCE,
                picture_png=_picture(path, options["reference"], _REFERENCE_SIDE_PX),
                picture_boxes=(Box(0.0, 0.0, width_mm, height_mm),),
            )
        else:
            known = ", ".join(
                sorted({"CropPage", "CropOnMarkers", "FeatureBasedAlignment"} | _IGNORED_FILTERS)
            )
            raise LayoutError(
                f"{path.name} asks for the preprocessor {name!r}, which has no counterpart "
                f"here; there is one for {known}. Take it out of the template, or give "
                "images that it has gone through."
            )
    return anchors


def _marker_anchors(
    options: Mapping[str, Any], path: Path, width_mm: float, height_mm: float
) -> Anchors:
    """Markers whose centres are the corners of the cropped page."""
    picture = _picture(path, options.get("relativePath", "omr_marker.jpg"), _MARKER_SIDE_PX)
    ratio = _number(
        options.get("sheetToMarkerWidthRatio", _DEFAULT_MARKER_RATIO), "sheetToMarkerWidthRatio", 1
    )
    side = width_mm / ratio
    corners = Box(0.0, 0.0, width_mm, height_mm).corners()
    return Anchors(
        AnchorKind.PICTURES,
        picture_png=picture,
        picture_boxes=tuple(
            Box(float(x) - side / 2, float(y) - side / 2, side, side) for x, y in corners
        ),
    )


def _picture(template: Path, name: object, longest_px: int) -> bytes:
    """A picture beside the template, as a grey PNG no larger than it needs to be."""
    if not isinstance(name, str):
        raise TypeError("the path of a picture must be a text")
    folder = template.parent.resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise LayoutError(
            f"{template.name} names the picture {name!r}, which lies outside the template's "
            "folder. Put the picture beside the template."
        )
    try:
        with open_scan(path) as scan:
            pixels = scan.load(0).pixels.whole()
    except (ImageError, OSError) as error:
        raise LayoutError(
            f"{template.name} names the picture {name!r}, which cannot be read ({error}). "
            "Put a PNG or JPEG of that name beside the template."
        ) from error
    factor = longest_px / max(pixels.shape)
    if factor < 1:
        size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
        return _png(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return _png(pixels)


def _png(pixels: Any) -> bytes:
    return bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1])
