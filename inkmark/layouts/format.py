"""The layout file: JSON, format "inkmark-layout/1"."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from inkmark.geometry import Box
from inkmark.layouts.model import (
    Anchors,
    AreaField,
    BubbleField,
    CodeField,
    Field,
    JoinedField,
    PageLayout,
    WritingField,
)

__all__ = ["layout_version"]

FORMAT = "inkmark-layout/1"


def layout_version(pages: Sequence[PageLayout], joins: Sequence[JoinedField] = ()) -> str:
    """Sheet version of a layout: the first eight hexadecimal digits of its hash.

    SHA-256 of the pages and joins as they stand in the layout file, in upper case as QR's
    alphanumeric mode has it. Equal geometry gives an equal version.
    """
    data = {"pages": [_page_data(p) for p in pages], "joins": [_join_data(j) for j in joins]}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:8].upper()


def _box_data(box: Box) -> list[float]:
    return [float(box.x), float(box.y), float(box.w), float(box.h)]


def _pair(xy: tuple[float, float]) -> list[float]:
    return [float(xy[0]), float(xy[1])]


def _anchors_data(anchors: Anchors) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": anchors.kind.value}
    if anchors.squares:
        data["squares_mm"] = [_box_data(b) for b in anchors.squares]
    if anchors.key_mark is not None:
        data["key_mark_mm"] = _box_data(anchors.key_mark)
    if anchors.timing:
        data["timing_mm"] = [_box_data(b) for b in anchors.timing]
    if anchors.picture_png:
        data["picture_png"] = base64.b64encode(anchors.picture_png).decode("ascii")
    if anchors.picture_boxes:
        data["picture_boxes_mm"] = [_box_data(b) for b in anchors.picture_boxes]
    return data


def _field_data(field: Field) -> dict[str, Any]:
    match field:
        case BubbleField():
            return {
                "kind": "bubbles",
                "name": field.name,
                "role": field.role.value,
                "item": field.item,
                "options": list(field.options),
                "origin_mm": _pair(field.origin),
                "option_step_mm": _pair(field.option_step),
                "bubble_mm": _pair((field.bubble_w, field.bubble_h)),
                "groups": field.n_groups,
                "group_step_mm": _pair(field.group_step),
                "shape": field.shape.value,
                "multiple": field.multiple,
            }
        case CodeField():
            return {
                "kind": "code",
                "name": field.name,
                "role": field.role.value,
                "box_mm": _box_data(field.box),
                "formats": list(field.formats),
            }
        case WritingField():
            return {
                "kind": "writing",
                "name": field.name,
                "role": field.role.value,
                "item": field.item,
                "box_mm": _box_data(field.box),
                "boxes": field.n_boxes,
                "step_mm": float(field.step),
                "charset": field.charset,
            }
        case AreaField():
            return {
                "kind": "area",
                "name": field.name,
                "role": field.role.value,
                "item": field.item,
                "box_mm": _box_data(field.box),
            }


def _page_data(page: PageLayout) -> dict[str, Any]:
    return {
        "width_mm": float(page.width_mm),
        "height_mm": float(page.height_mm),
        "anchors": _anchors_data(page.anchors),
        "columns_mm": [_box_data(b) for b in page.columns],
        "fields": [_field_data(f) for f in page.fields],
    }


def _join_data(join: JoinedField) -> dict[str, Any]:
    return {"name": join.name, "parts": list(join.parts), "role": join.role.value}
