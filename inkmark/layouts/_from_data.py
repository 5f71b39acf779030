"""Layouts from the data of their files, which the schema has been held against."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from inkmark.geometry import Box
from inkmark.layouts.model import (
    AnchorKind,
    Anchors,
    AreaField,
    BoxFrame,
    BubbleField,
    BubbleShape,
    CodeField,
    Field,
    FullBox,
    JoinedField,
    MarkShape,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)

__all__ = ["box_of", "field_of", "layout_of"]


def layout_of(data: Mapping[str, Any]) -> SheetLayout:
    return SheetLayout(
        data["version"],
        data.get("title", ""),
        tuple(_page(page) for page in data["pages"]),
        tuple(
            JoinedField(join["name"], tuple(join["parts"]), Role(join.get("role", "other")))
            for join in data.get("joins", ())
        ),
    )


def _page(data: Mapping[str, Any]) -> PageLayout:
    anchors = data["anchors"]
    return PageLayout(
        float(data["width_mm"]),
        float(data["height_mm"]),
        Anchors(
            AnchorKind(anchors["kind"]),
            _boxes(anchors.get("squares_mm", ())),
            box_of(anchors["key_mark_mm"]) if "key_mark_mm" in anchors else None,
            _boxes(anchors.get("timing_mm", ())),
            base64.b64decode(anchors.get("picture_png", "")),
            _boxes(anchors.get("picture_boxes_mm", ())),
            tuple(_point(xy) for xy in anchors.get("marks_mm", ())),
            MarkShape(anchors.get("mark_shape", "any")),
            float(anchors.get("mark_mm", 0.0)),
        ),
        tuple(field_of(field) for field in data["fields"]),
        _boxes(data.get("columns_mm", ())),
    )


def field_of(data: Mapping[str, Any]) -> Field:
    name, item = data["name"], data.get("item", "")
    match data["kind"]:
        case "bubbles":
            return BubbleField(
                name,
                tuple(data["options"]),
                _point(data["origin_mm"]),
                _point(data["option_step_mm"]),
                *_point(data["bubble_mm"]),
                int(data.get("groups", 1)),
                _point(data.get("group_step_mm", (0.0, 0.0))),
                BubbleShape(data.get("shape", "oval")),
                data.get("multiple", False),
                Role(data.get("role", "other")),
                item,
                tuple(_point(xy) for xy in data.get("places_mm", ())),
                FullBox(data.get("full_box", "marked")),
            )
        case "code":
            formats = tuple(data.get("formats", ("QRCode",)))
            return CodeField(name, box_of(data["box_mm"]), formats, Role(data.get("role", "page")))
        case "writing":
            return WritingField(
                name,
                box_of(data["box_mm"]),
                int(data.get("boxes", 1)),
                float(data.get("step_mm", 0.0)),
                data.get("charset", "text"),
                Role(data.get("role", "other")),
                item,
                BoxFrame(data.get("frame", "dark")),
            )
        case _:
            role = Role(data.get("role", "other"))
            return AreaField(name, box_of(data["box_mm"]), role, item, int(data.get("marks", 0)))


def box_of(data: Sequence[float]) -> Box:
    x, y, w, h = data
    return Box(float(x), float(y), float(w), float(h))


def _boxes(data: Sequence[Sequence[float]]) -> tuple[Box, ...]:
    return tuple(box_of(box) for box in data)


def _point(data: Sequence[float]) -> tuple[float, float]:
    x, y = data
    return float(x), float(y)
