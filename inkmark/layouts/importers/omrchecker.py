"""Templates of OMRChecker (template.json) as sheet layouts.

OMRChecker places bubbles in pixels of a page image that its preprocessors have cropped and
resized. That page becomes ours: its width is taken for 210 mm (297 mm where it is wider
than high), and what cropped it becomes the page's anchors. Filters that only change grey
values are left out, because our reader measures each page's own paper and ink; the result
says so in its notes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from inkmark.errors import ImageError, LayoutError
from inkmark.geometry import Box
from inkmark.images import open_scan
from inkmark.layouts.format import layout_version
from inkmark.layouts.importers._common import (
    LONG_MM,
    MAX_FIELDS,
    SHORT_MM,
    ImportedLayout,
    read_bytes,
)
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
_MEMBERS = {
    "bubbleDimensions",
    "customLabels",
    "emptyValue",
    "fieldBlocks",
    "outputColumns",
    "pageDimensions",
    "preProcessors",
}
_BLOCK_MEMBERS = {
    "bubbleDimensions",
    "bubbleValues",
    "bubblesGap",
    "direction",
    "emptyValue",
    "fieldLabels",
    "fieldType",
    "labelsGap",
    "origin",
}
_FILTERS = {"GaussianBlur", "MedianBlur", "Levels"}
_OPTIONS = {
    "CropPage": {"morphKernel"},
    "CropOnMarkers": {
        "relativePath",
        "sheetToMarkerWidthRatio",
        "apply_erode_subtract",
        "marker_rescale_range",
        "marker_rescale_steps",
        "max_matching_variation",
        "min_matching_threshold",
    },
    "FeatureBasedAlignment": {"reference", "2d", "goodMatchPercent", "maxFeatures", "matcherType"},
    "GaussianBlur": {"kSize", "sigmaX"},
    "MedianBlur": {"kSize"},
    "Levels": {"low", "high", "gamma"},
}
"""The preprocessors that are known, and their options."""
_USED_OPTIONS = {"relativePath", "sheetToMarkerWidthRatio", "reference"}
_RANGE = re.compile(r"(?P<stem>[^.\d]+)(?P<first>\d+)\.{2,3}(?P<last>\d+)")


def import_omrchecker(path: Path | str) -> ImportedLayout:
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
    ImportedLayout

    Raises
    ------
    LayoutError
        Where the template cannot be read, says something that is not a template, or asks
        for a preprocessor that has no counterpart here.
    """
    path = Path(path)
    try:
        template = _read(path)
        return ImportedLayout(_layout(template, path), "OMRChecker", tuple(_notes(template)))
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise LayoutError(
            f"{path.name} is not an OMRChecker template: {what}. "
            "Correct it; OMRChecker itself checks a template when it starts."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_bytes(path).decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("its values are nested too deep") from error
    if not isinstance(content, dict):
        raise TypeError("its outermost value is not an object")
    unknown = sorted(set(content) - _MEMBERS)
    if unknown:
        raise ValueError(
            f"it has the member {unknown[0]!r}, which no release of OMRChecker knows; "
            f"known are {', '.join(sorted(_MEMBERS))}"
        )
    return content


def _notes(template: Mapping[str, Any]) -> Iterator[str]:
    """What a template says that is not taken over."""
    steps = template.get("preProcessors", [])
    names = [step["name"] for step in steps]
    filters = [name for name in names if name in _FILTERS]
    if filters:
        yield (
            f"{', '.join(filters)} left out: marks are judged against the sheet's own paper "
            "and print."
        )
    placing = [name for name in names if name not in _FILTERS]
    if len(placing) > 1:
        yield f"{', '.join(placing[:-1])} left out: {placing[-1]}, the last, places the page."
    for step in steps:
        unused = sorted(set(step.get("options", {})) - _USED_OPTIONS)
        if step["name"] in placing[-1:] and unused:
            yield f"{step['name']}: {', '.join(unused)} left out: the search sets itself."
    blocks = template["fieldBlocks"]
    if "emptyValue" in template or any("emptyValue" in block for block in blocks.values()):
        yield "emptyValue left out: a blank field reads as an empty value."
    if template.get("outputColumns"):
        yield "outputColumns left out: tables list fields in the order of the template."
    for name, block in blocks.items():
        unknown = sorted(set(block) - _BLOCK_MEMBERS)
        if unknown:
            yield f"field block {name!r}: {', '.join(unknown)} left out: OMRChecker has none."


def _layout(template: Mapping[str, Any], path: Path) -> SheetLayout:
    width_px, height_px = _pair(template["pageDimensions"], "pageDimensions")
    mm = (SHORT_MM if width_px <= height_px else LONG_MM) / width_px
    bubble = _pair(template["bubbleDimensions"], "bubbleDimensions")
    fields: list[BubbleField] = []
    for name, block in template["fieldBlocks"].items():
        try:
            fields += _block_fields(block, bubble, mm)
        except KeyError as error:
            raise ValueError(f"field block {name!r} has no {error}") from error
        except (TypeError, ValueError) as error:
            raise ValueError(f"field block {name!r}: {error}") from error
        if len(fields) > MAX_FIELDS:
            raise ValueError(f"it has more than {MAX_FIELDS} fields")
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
        if not first < last < first + MAX_FIELDS:
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
        _refuse_unknown(name, options, path)
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
    return anchors


def _refuse_unknown(name: str, options: Mapping[str, Any], path: Path) -> None:
    if name not in _OPTIONS:
        known = ", ".join(sorted(_OPTIONS))
        raise LayoutError(
            f"{path.name} asks for the preprocessor {name!r}, which has no counterpart "
            f"here; there is one for {known}. Take it out of the template, or give "
            "images that it has gone through."
        )
    unknown = sorted(set(options) - _OPTIONS[name])
    if unknown:
        known = ", ".join(sorted(_OPTIONS[name]))
        raise LayoutError(
            f"{path.name} gives {name} the option {unknown[0]!r}, which no release of "
            f"OMRChecker knows; known are {known}. Correct it or take it out."
        )


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
