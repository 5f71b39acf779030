"""The layout file: JSON, format "inkmark-layout/1".

``layout.schema.json`` says what a file may hold. Beyond that, a reader refuses what no
schema can say: names that stand twice, joins of unknown fields, fields off their page,
pictures that are none.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, cast

from inkmark.errors import Fault, LayoutError
from inkmark.files import write_whole
from inkmark.geometry import Box
from inkmark.layouts._schema import find_faults
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

__all__ = [
    "layout_schema",
    "layout_text",
    "layout_version",
    "load_layout",
    "parse_layout",
    "save_layout",
]

FORMAT = "inkmark-layout/1"

_MAX_BYTES = 64 * 1024 * 1024
_MAX_BUBBLES = 20_000
_MAX_PICTURE_PIXELS = 100_000_000
_MAX_FAULTS = 20
_MAX_WIDTH = 100


def load_layout(path: Path | str) -> SheetLayout:
    """Read a layout file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    SheetLayout

    Raises
    ------
    LayoutError
        Where the file cannot be read, is no layout, or has faults; the message lists them
        with their places.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LayoutError(
                f"{path.name} is larger than {_MAX_BYTES // 1024**2} MiB. Give a layout file."
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LayoutError(
            f"{path} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise LayoutError(f"{path.name} is not UTF-8 text. Give a layout file (JSON).") from error
    return parse_layout(text, path.name)


def parse_layout(text: str, name: str) -> SheetLayout:
    """Read the text of a layout file.

    Parameters
    ----------
    text : str
    name : str
        What errors call the file.

    Returns
    -------
    SheetLayout

    Raises
    ------
    LayoutError
        Where the text is no layout or has faults; the message lists them with their places.
    """
    try:
        data = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise LayoutError(
            f"{name} is not JSON: {error}. Give a layout file, or build it again."
        ) from error
    _refuse_faults(data, name)
    return _layout(data)


def save_layout(layout: SheetLayout, path: Path | str) -> None:
    """Write a layout file; it is whole or not there.

    Parameters
    ----------
    layout : SheetLayout
    path : path-like

    Raises
    ------
    LayoutError
        Where the layout has faults with which it could not be read again.
    OSError
        Where the file cannot be written.
    """
    write_whole(path, layout_text(layout, Path(path).name).encode("utf-8"))


def layout_text(layout: SheetLayout, name: str) -> str:
    """The text of a layout file; `parse_layout` gives the same layout again.

    Parameters
    ----------
    layout : SheetLayout
    name : str
        What errors call the file.

    Returns
    -------
    str

    Raises
    ------
    LayoutError
        Where the layout has faults with which it could not be read again.
    """
    data = {
        "format": FORMAT,
        "version": layout.version,
        "title": layout.title,
        "pages": [_page_data(page) for page in layout.pages],
        "joins": [_join_data(join) for join in layout.joins],
    }
    _refuse_faults(data, name)
    return _pretty(data, "") + "\n"


def layout_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the layout file; a new copy at each call."""
    text = resources.files("inkmark.layouts").joinpath("layout.schema.json").read_bytes()
    return cast("dict[str, Any]", json.loads(text))


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
    if anchors.marks:
        data["marks_mm"] = [_pair(xy) for xy in anchors.marks]
        data["mark_shape"] = anchors.mark_shape.value
        data["mark_mm"] = float(anchors.mark_mm)
    return data


def _field_data(field: Field) -> dict[str, Any]:
    match field:
        case BubbleField():
            data: dict[str, Any] = {
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
            if field.places:
                data["places_mm"] = [_pair(xy) for xy in field.places]
            if field.full_box is not FullBox.MARKED:
                data["full_box"] = field.full_box.value
            return data
        case CodeField():
            return {
                "kind": "code",
                "name": field.name,
                "role": field.role.value,
                "box_mm": _box_data(field.box),
                "formats": list(field.formats),
            }
        case WritingField():
            data = {
                "kind": "writing",
                "name": field.name,
                "role": field.role.value,
                "item": field.item,
                "box_mm": _box_data(field.box),
                "boxes": field.n_boxes,
                "step_mm": float(field.step),
                "charset": field.charset,
            }
            if field.frame is not BoxFrame.DARK:
                data["frame"] = field.frame.value
            return data
        case AreaField():
            data = {
                "kind": "area",
                "name": field.name,
                "role": field.role.value,
                "item": field.item,
                "box_mm": _box_data(field.box),
            }
            if field.n_marks:
                data["marks"] = field.n_marks
            return data


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


def _pretty(value: object, indent: str) -> str:
    """JSON in which whatever fits on a line stands on one."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(indent) + len(line) <= _MAX_WIDTH or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {_pretty(member, inner)}" for key, member in value.items()]
        opening, closing = "{", "}"
    else:
        members = [_pretty(member, inner) for member in value]
        opening, closing = "[", "]"
    separator = ",\n" + inner
    return f"{opening}\n{inner}{separator.join(members)}\n{indent}{closing}"


# --- reading ----------------------------------------------------------------------------


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a key twice")
    return members


_schema = functools.cache(layout_schema)


def _refuse_faults(data: Any, file: str) -> None:
    faults = list(islice(find_faults(data, _schema()), _MAX_FAULTS))
    # Relations are looked at only between parts that are sound themselves.
    faults = faults or list(islice(_relation_faults(data), _MAX_FAULTS))
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise LayoutError(
            f"{file} is not a sound layout:\n{lines}\n"
            "Correct the places named, or build or import the layout again."
        )


def _relation_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    kinds: dict[str, str] = {}
    for number, page in enumerate(data["pages"]):
        place = f"pages[{number}]"
        yield from _anchor_faults(page, f"{place}.anchors")
        bubbles = 0
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
    joined: set[str] = set()
    for index, join in enumerate(data.get("joins", ())):
        if join["name"] in kinds or join["name"] in joined:
            yield Fault(f"joins[{index}].name", f"{join['name']!r} stands twice; names are unique")
        joined.add(join["name"])
        for part in join["parts"]:
            if part not in kinds:
                yield Fault(f"joins[{index}].parts", f"there is no field {part!r}")


def _place_faults(data: Mapping[str, Any], page: Mapping[str, Any], at: str) -> Iterator[Fault]:
    field = _field(data)
    if isinstance(field, BubbleField) and field.places:
        bubbles = field.n_groups * len(field.options)
        if len(field.places) != bubbles:
            yield Fault(
                f"{at}.places_mm", f"gives {len(field.places)} places for {bubbles} bubbles"
            )
    if not _on_page(field, page):
        yield Fault(at, f"{field.name!r} lies outside the page")


def _anchor_faults(page: Mapping[str, Any], place: str) -> Iterator[Fault]:
    anchors = page["anchors"]
    for key in ("squares_mm", "timing_mm", "picture_boxes_mm", "key_mark_mm"):
        boxes = anchors.get(key, [])
        for box in [boxes] if key == "key_mark_mm" and boxes else boxes:
            if not _contains(page, *_box(box).centre):
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


def _layout(data: Mapping[str, Any]) -> SheetLayout:
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
            _box(anchors["key_mark_mm"]) if "key_mark_mm" in anchors else None,
            _boxes(anchors.get("timing_mm", ())),
            base64.b64decode(anchors.get("picture_png", "")),
            _boxes(anchors.get("picture_boxes_mm", ())),
            tuple(_point(xy) for xy in anchors.get("marks_mm", ())),
            MarkShape(anchors.get("mark_shape", "any")),
            float(anchors.get("mark_mm", 0.0)),
        ),
        tuple(_field(field) for field in data["fields"]),
        _boxes(data.get("columns_mm", ())),
    )


def _field(data: Mapping[str, Any]) -> Field:
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
            return CodeField(name, _box(data["box_mm"]), formats, Role(data.get("role", "page")))
        case "writing":
            return WritingField(
                name,
                _box(data["box_mm"]),
                int(data.get("boxes", 1)),
                float(data.get("step_mm", 0.0)),
                data.get("charset", "text"),
                Role(data.get("role", "other")),
                item,
                BoxFrame(data.get("frame", "dark")),
            )
        case _:
            role = Role(data.get("role", "other"))
            return AreaField(name, _box(data["box_mm"]), role, item, int(data.get("marks", 0)))


def _box(data: Sequence[float]) -> Box:
    x, y, w, h = data
    return Box(float(x), float(y), float(w), float(h))


def _boxes(data: Sequence[Sequence[float]]) -> tuple[Box, ...]:
    return tuple(_box(box) for box in data)


def _point(data: Sequence[float]) -> tuple[float, float]:
    x, y = data
    return float(x), float(y)
