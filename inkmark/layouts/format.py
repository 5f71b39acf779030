"""The layout file: JSON, format "inkmark-layout/1".

``layout.schema.json`` says what a file may hold, and ``_relations.py`` what no schema can say.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, cast

from inkmark.errors import LayoutError
from inkmark.files import write_whole
from inkmark.geometry import Box
from inkmark.layouts._from_data import layout_of
from inkmark.layouts._relations import relation_faults
from inkmark.layouts._schema import find_faults
from inkmark.layouts.model import (
    Anchors,
    AreaField,
    BoxFrame,
    BubbleField,
    CodeField,
    Field,
    FullBox,
    JoinedField,
    PageLayout,
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
    return layout_of(data)


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
    faults = faults or list(islice(relation_faults(data), _MAX_FAULTS))
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise LayoutError(
            f"{file} is not a sound layout:\n{lines}\n"
            "Correct the places named, or build or import the layout again."
        )
