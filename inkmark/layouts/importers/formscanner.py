"""Templates of FormScanner (.xtmpl) as sheet layouts.

FormScanner gives the centre of every bubble and of four corner marks in pixels of one scan
of the blank form. The scan's size is not given: the page is taken to reach as far beyond
the marks on the right and below as on the left and above, and to be 210 mm wide (297 mm
where it is wider than high). What shape the marks have is not given either; registration
finds out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import Box
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
    CodeField,
    Field,
    PageLayout,
    Role,
    SheetLayout,
)

__all__ = ["import_formscanner"]

_CORNERS = ("TOP_LEFT", "TOP_RIGHT", "BOTTOM_RIGHT", "BOTTOM_LEFT")
_TYPES = ("QUESTIONS_BY_ROWS", "QUESTIONS_BY_COLS", "RESPONSES_BY_GRID")
_SHAPES = {"CIRCLE": BubbleShape.OVAL, "SQUARE": BubbleShape.RECTANGLE}
_CODE_FORMATS = ("QRCode", "Code128", "DataMatrix", "PDF417")
_OFF_GRID = 0.25
"""A bubble this share of its size away from its place in a grid stands in no grid."""
_FILLS_STEP = 0.75
"""The largest bubble, as a share of the way to the next one."""

FloatArray = NDArray[np.float64]


def import_formscanner(path: Path | str) -> ImportedLayout:
    """Turn a FormScanner template into a layout of one page.

    Each question becomes a `BubbleField` of one group, each bar code area a `CodeField`,
    and the four corners become marks of a shape that is not known.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    ImportedLayout

    Raises
    ------
    LayoutError
        Where the template cannot be read or says something that is not a template.

    Notes
    -----
    Responses stand in the file in no order; options are put in the order of their bubbles,
    row after row. The size that a template gives is that of the area it samples; bubbles
    are taken to be twice as large, and reading finds their true size on the sheet.
    """
    path = Path(path)
    content = read_bytes(path)
    try:
        root = _parse(content)
        return _imported(root, path)
    except expat.ExpatError as error:
        raise LayoutError(
            f"{path.name} is not XML ({error}). Save the template in FormScanner again."
        ) from error
    except ValueError as error:
        raise LayoutError(
            f"{path.name} is not a FormScanner template: {error}. "
            "Correct it, or save it in FormScanner again."
        ) from error


def _parse(content: bytes) -> Element:
    """The document as a tree; one with a document type is refused, for what it may define.

    Entities are what makes XML from outside dangerous, and a template needs none. Without
    a document type there are none but the five that XML always has.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(content, True)
    return builder.close()


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type, which templates do not have")


def _imported(root: Element, path: Path) -> ImportedLayout:
    if root.tag != "template":
        raise ValueError(f"its outermost element is {root.tag!r}, not 'template'")
    fields = root.find("fields")
    if fields is None:
        raise ValueError("it has no element 'fields'")
    corners = _corners(root.find("corners"), "the page")
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    points = np.array([_point_at(point, "a bubble or area") for point in root.iter("point")])
    size_px = np.maximum((right + max(left, 0.0), bottom + max(top, 0.0)), points.max(axis=0))
    mm = (SHORT_MM if size_px[0] <= size_px[1] else LONG_MM) / float(size_px[0])
    notes: list[str] = []
    found = tuple(_fields(fields, mm, notes))
    if not found:
        raise ValueError("it has no question and no area")
    if len(found) > MAX_FIELDS:
        raise ValueError(f"it has more than {MAX_FIELDS} fields")
    anchors = Anchors(AnchorKind.MARKS, marks=tuple(_pairs(corners * mm)))
    width, height = (size_px * mm).tolist()
    pages = (PageLayout(width, height, anchors, found),)
    layout = SheetLayout(layout_version(pages), path.stem, pages)
    return ImportedLayout(layout, "FormScanner", (*_template_notes(root), *notes))


def _template_notes(root: Element) -> Iterator[str]:
    if root.get("threshold") or root.get("density"):
        yield (
            "threshold and density are not used: marks are judged against the sheet's own "
            "paper and print."
        )
    crop = root.find("crop")
    if crop is not None and any(_number(value, "crop") for value in crop.attrib.values()):
        yield "the crop margins are not used: the marks are looked for in the whole image."


# -- fields ----------------------------------------------------------------------------


def _fields(fields: Element, mm: float, notes: list[str]) -> Iterator[Field]:
    """The fields of all groups, from top to bottom as they stand in the file."""
    shape = fields.get("shape", "CIRCLE")
    if shape not in _SHAPES:
        raise ValueError(f"the shape {shape!r} is none of {', '.join(_SHAPES)}")
    size = 2.0 * _number(fields.get("size", "15"), "size")
    if not size > 0:
        raise ValueError("the size must be more than 0")
    elements = [
        (group.get("name", ""), element)
        for group in (fields, *fields.iter("group"))
        for element in group
        if element.tag in {"question", "field", "area"}
    ]
    names = [e.get("name" if e.tag == "area" else "question", "") for _, e in elements]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        notes.append(
            f"{', '.join(map(repr, sorted(twice)))} stand in several groups; "
            "their fields are named GROUP.QUESTION."
        )
    coded, rejecting = [], []
    for (group, element), own in zip(elements, names, strict=True):
        name = f"{group}.{own}" if own in twice else own
        if not name:
            raise ValueError("a question or area has no name")
        if element.tag == "area":
            coded.append(name)
            yield _area(element, name, mm)
        else:
            if _is_true(element, "rejectMultiple"):
                rejecting.append(name)
            yield _question(element, name, _SHAPES[shape], size, mm)
    if coded:
        notes.append(
            f"bar code areas ({', '.join(coded)}) are read as {', '.join(_CODE_FORMATS)}; "
            "other bar codes are not read."
        )
    if rejecting:
        notes.append(
            f"several marks are not rejected but shown to a person: {', '.join(rejecting)}."
        )


def _question(
    element: Element, name: str, shape: BubbleShape, size_px: float, mm: float
) -> BubbleField:
    kind = element.get("orientation") or element.get("type", "")
    if kind not in _TYPES:
        raise ValueError(f"question {name!r} has the type {kind!r}, none of {', '.join(_TYPES)}")
    responses: dict[str, FloatArray] = {}
    for value in element.iter("value"):
        response = value.get("response", "")
        if not response or response in responses:
            raise ValueError(f"question {name!r} has a response that is empty or stands twice")
        if "|" in response:
            raise ValueError(f"question {name!r}: the response {response!r} holds the character |")
        responses[response] = _point(value, f"question {name!r}")
    if not responses:
        raise ValueError(f"question {name!r} has no responses")
    labels = list(responses)
    at = np.array(list(responses.values()))
    order = _reading_order(at, size_px)
    at = at[order]
    step, off = _even_step(at)
    if len(at) > 1:
        nearest = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
        size_px = min(size_px, _FILLS_STEP * float(nearest[nearest > 0].min(initial=np.inf)))
    in_line = off <= _OFF_GRID * size_px
    return BubbleField(
        name=name,
        options=tuple(labels[k] for k in order),
        origin=_pair((at.mean(axis=0) - (len(at) - 1) / 2 * step if in_line else at[0]) * mm),
        option_step=_pair(step * mm) if in_line else (0.0, 0.0),
        bubble_w=float(size_px * mm),
        bubble_h=float(size_px * mm),
        shape=shape,
        multiple=_is_true(element, "multiple") and not _is_true(element, "rejectMultiple"),
        places=() if in_line else tuple(_pairs(at * mm)),
    )


def _reading_order(at: FloatArray, size_px: float) -> list[int]:
    """Positions row after row; what is less than a bubble apart in height is one row."""
    order: list[int] = []
    row: list[int] = []
    for k in np.argsort(at[:, 1], kind="stable").tolist():
        if row and at[k, 1] - at[row[0], 1] > size_px:
            order += sorted(row, key=lambda j: float(at[j, 0]))
            row = []
        row.append(k)
    return order + sorted(row, key=lambda j: float(at[j, 0]))


def _even_step(at: FloatArray) -> tuple[FloatArray, float]:
    """The step of evenly spaced points that fits best, and the largest distance from them."""
    k = np.arange(len(at)) - (len(at) - 1) / 2
    step = k @ at / max(float(k @ k), 0.5)  # no way to go for a single point
    off = at - at.mean(axis=0) - k[:, None] * step
    return step, float(np.hypot(*off.T).max())


def _area(element: Element, name: str, mm: float) -> CodeField:
    if element.get("type") != "BARCODE":
        raise ValueError(f"area {name!r} has the type {element.get('type')!r}, not 'BARCODE'")
    corners = _corners(element.find("corners"), f"area {name!r}") * mm
    low, high = corners.min(axis=0), corners.max(axis=0)
    if not (high > low).all():
        raise ValueError(f"area {name!r} has no extent")
    box = Box(*_pair(low), *_pair(high - low))
    return CodeField(name, box, _CODE_FORMATS, Role.OTHER)


# -- values ----------------------------------------------------------------------------


def _corners(element: Element | None, where: str) -> FloatArray:
    """Corner points (4, 2) in px: top left, top right, bottom right, bottom left."""
    places: Mapping[str | None, Element] = {
        corner.get("position"): corner for corner in (element if element is not None else ())
    }
    missing = [name for name in _CORNERS if name not in places]
    if missing:
        raise ValueError(f"{where} has no corner {missing[0]}")
    return np.array([_point(places[name], where) for name in _CORNERS])


def _point(element: Element, where: str) -> FloatArray:
    point = element.find("point")
    if point is None:
        raise ValueError(f"{where} lacks a point")
    return _point_at(point, where)


def _point_at(point: Element, where: str) -> FloatArray:
    x, y = (_number(point.get(axis), f"{where}: {axis}") for axis in "xy")
    return np.array([x, y])


def _number(text: str | None, name: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not -1e5 <= value <= 1e5:
        raise ValueError(f"{name} is {text!r}, not a number of pixels")
    return value


def _is_true(element: Element, name: str) -> bool:
    return element.get(name, "").strip().lower() == "true"


def _pair(point: FloatArray) -> tuple[float, float]:
    x, y = point.tolist()
    return x, y


def _pairs(points: FloatArray) -> Iterator[tuple[float, float]]:
    return (_pair(point) for point in points)
