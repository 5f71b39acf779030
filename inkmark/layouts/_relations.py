"""What a layout file may not hold although its schema allows it."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from inkmark.errors import Fault
from inkmark.layouts._from_data import box_of, field_of
from inkmark.layouts.model import CHARSETS, AreaField, BubbleField, Field, Role, WritingField

__all__ = ["relation_faults"]

_MAX_BUBBLES = 20_000
_MAX_PICTURE_PIXELS = 100_000_000
_MAX_WRITTEN_MM2 = 250_000.0
"""Of a page: four times A4, which takes 16 million pixels."""
_LEAST_BOX_MM = 2.0
"""Nobody writes in a smaller box; it holds no pixels that are not its frame's."""
_OVERLAP_MM = 0.05
"""Boxes whose frames share a line may overlap by as much."""


def relation_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Everything that is wrong between parts of a layout file that are sound themselves.

    Names that stand twice, joins of unknown fields, fields off their page or too small to be
    read, pictures that are none.
    """
    kinds: dict[str, str] = {}
    for number, page in enumerate(data["pages"]):
        place = f"pages[{number}]"
        yield from _anchor_faults(page, f"{place}.anchors")
        bubbles = 0
        written_mm2 = 0.0
        here: set[str] = set()
        for index, field in enumerate(page["fields"]):
            at = f"{place}.fields[{index}]"
            name = field["name"]
            # The code that names the page stands on every page under the same name.
            again = name in kinds and not field["kind"] == kinds[name] == "code"
            if again or name in here:
                yield Fault(f"{at}.name", f"{name!r} stands twice; names are unique")
            here.add(name)
            kinds[name] = field["kind"]
            role = field.get("role")
            if role in (Role.ITEM, Role.POINTS) and not field.get("item"):
                yield Fault(f"{at}.item", f"is missing; a field of role {role!r} names its item")
            if field["kind"] == "bubbles":
                bubbles += len(field["options"]) * int(field.get("groups", 1))
                if bubbles > _MAX_BUBBLES:
                    yield Fault(place, f"has more than {_MAX_BUBBLES} bubbles")
                    return
            yield from _place_faults(field, page, at)
            written_mm2 += _written_mm2(field)
        if written_mm2 > _MAX_WRITTEN_MM2:
            yield Fault(
                place,
                f"has {written_mm2 / 1e6:.2f} m² to write on; at most {_MAX_WRITTEN_MM2 / 1e6} m² "
                "are read",
            )
    joined: set[str] = set()
    for index, join in enumerate(data.get("joins", ())):
        if join["name"] in kinds or join["name"] in joined:
            yield Fault(f"joins[{index}].name", f"{join['name']!r} stands twice; names are unique")
        joined.add(join["name"])
        for part in join["parts"]:
            if part not in kinds:
                yield Fault(f"joins[{index}].parts", f"there is no field {part!r}")


def _place_faults(data: Mapping[str, Any], page: Mapping[str, Any], at: str) -> Iterator[Fault]:
    field = field_of(data)
    if isinstance(field, BubbleField) and field.places:
        bubbles = field.n_groups * len(field.options)
        if len(field.places) != bubbles:
            yield Fault(
                f"{at}.places_mm", f"gives {len(field.places)} places for {bubbles} bubbles"
            )
    if isinstance(field, WritingField):
        yield from _writing_faults(field, at)
    if not _on_page(field, page):
        yield Fault(at, f"{field.name!r} lies outside the page")


def _writing_faults(field: WritingField, at: str) -> Iterator[Fault]:
    box = field.box
    if min(box.w, box.h) < _LEAST_BOX_MM:
        yield Fault(f"{at}.box_mm", f"is less than {_LEAST_BOX_MM} mm wide or high")
    if field.n_boxes > 1 and field.step < box.w - _OVERLAP_MM:
        yield Fault(
            f"{at}.step_mm", f"is {field.step} mm for boxes of {box.w} mm; they would overlap"
        )
    symbols = field.charset
    if symbols not in CHARSETS:
        usual = [unicodedata.normalize("NFKC", symbol) for symbol in symbols]
        again = next((s for k, s in enumerate(symbols) if usual[k] in usual[:k]), None)
        if again:
            yield Fault(f"{at}.charset", f"holds {again!r} twice; each character stands once")


def _written_mm2(data: Mapping[str, Any]) -> float:
    """The area of which the pixels are looked at one by one."""
    field = field_of(data)
    match field:
        case WritingField():
            return (field.box.w + (field.n_boxes - 1) * field.step) * field.box.h
        case AreaField(role=Role.POINTS):
            return field.box.w * field.box.h
    return 0.0


def _anchor_faults(page: Mapping[str, Any], place: str) -> Iterator[Fault]:
    anchors = page["anchors"]
    for key in ("squares_mm", "timing_mm", "picture_boxes_mm", "key_mark_mm"):
        boxes = anchors.get(key, [])
        for box in [boxes] if key == "key_mark_mm" and boxes else boxes:
            if not _contains(page, *box_of(box).centre):
                yield Fault(f"{place}.{key}", f"{box} lies outside the page")
    for x, y in anchors.get("marks_mm", []):
        if not _contains(page, x, y):
            yield Fault(f"{place}.marks_mm", f"{[x, y]} lies outside the page")
    if "picture_png" in anchors:
        try:
            picture = base64.b64decode(anchors["picture_png"], validate=True)
        except (binascii.Error, ValueError):
            picture = b""
        # The signature and the sizes in the header chunk: PNG specification, 5.2 and 11.2.2.
        width, height = (int.from_bytes(picture[k : k + 4], "big") for k in (16, 20))
        if picture[:8] != b"\x89PNG\r\n\x1a\n" or picture[12:16] != b"IHDR":
            yield Fault(f"{place}.picture_png", "is no PNG picture in base64")
        elif not 0 < width * height <= _MAX_PICTURE_PIXELS:
            yield Fault(
                f"{place}.picture_png",
                f"has {width} x {height} pixels; at most {_MAX_PICTURE_PIXELS} are allowed",
            )


def _on_page(field: Field, page: Mapping[str, Any]) -> bool:
    if isinstance(field, BubbleField):
        box = field.box
        return _contains(
            page, box.x + field.bubble_w / 2, box.y + field.bubble_h / 2
        ) and _contains(page, box.right - field.bubble_w / 2, box.bottom - field.bubble_h / 2)
    x, y = field.box.centre
    last = x + (field.n_boxes - 1) * field.step if isinstance(field, WritingField) else x
    return _contains(page, x, y) and _contains(page, last, y)


def _contains(page: Mapping[str, Any], x: float, y: float) -> bool:
    # A micrometre of leave for the arithmetic.
    leave = 1e-3
    width, height = float(page["width_mm"]), float(page["height_mm"])
    return -leave <= x <= width + leave and -leave <= y <= height + leave
