"""Layouts of sheets that came with measurements instead of a template.

Three sets of the reference scans describe their sheet in a file of their own making. These
are no formats that anybody's templates are in, so their conversion is part of the benchmark
and not of inkmark.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from inkmark.layouts import (
    AnchorKind,
    Anchors,
    BubbleField,
    MarkShape,
    PageLayout,
    SheetLayout,
    layout_version,
)

__all__ = ["frame_layout", "mork_layout"]


def frame_layout(path: Path, anchors: Anchors, width_mm: float) -> SheetLayout:
    """Bubbles given one by one as shares of a frame that is the page.

    Parameters
    ----------
    path : Path
        A file ``layout.json`` with ``bubbles`` and ``aspect_width_to_height``.
    anchors : Anchors
        With marks, if any, as shares of the frame and `mark_mm` of its width.
    width_mm : float
        Width of the frame.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    size = np.array([width_mm, width_mm / content["aspect_width_to_height"]])
    places: dict[str, dict[str, tuple[float, float]]] = {}
    for bubble in content["bubbles"]:
        places.setdefault(bubble["question"], {})[bubble["option"]] = (bubble["x"], bubble["y"])
    diameter = 2 * content["bubble_radius"] * width_mm
    fields = []
    for question, options in places.items():
        at = np.array(list(options.values())) * size
        k = np.arange(len(at)) - (len(at) - 1) / 2
        step = k @ at / (k @ k)
        first = at.mean(axis=0) + k[0] * step
        fields.append(
            BubbleField(
                question,
                tuple(options),
                (float(first[0]), float(first[1])),
                (float(step[0]), float(step[1])),
                diameter,
                diameter,
            )
        )
    placed = Anchors(
        anchors.kind,
        marks=tuple((x * float(size[0]), y * float(size[1])) for x, y in anchors.marks),
        mark_shape=anchors.mark_shape,
        mark_mm=anchors.mark_mm * width_mm,
    )
    return _one_page(float(size[0]), float(size[1]), placed, fields, path.parent.name)


def mork_layout(path: Path) -> SheetLayout:
    """The questions of a sheet of mork: its ``layout.yml`` is a tree of numbers in mm."""
    number: dict[str, float] = {}
    above: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = re.fullmatch(r"(?P<indent> *)(?P<name>\w+):(?: +(?P<value>[\d.]+))? *", line)
        if entry:
            indent = len(entry["indent"])
            above = {k: name for k, name in above.items() if k < indent} | {indent: entry["name"]}
            if entry["value"]:
                number[".".join(above.values())] = float(entry["value"])
    margin = number["reg_marks.margin"]
    width, height = number["page_size.width"], number["page_size.height"]
    right, bottom = width - margin, height - margin
    anchors = Anchors(
        AnchorKind.MARKS,
        marks=((margin, margin), (right, margin), (right, bottom), (margin, bottom)),
        mark_shape=MarkShape.DISC,
        mark_mm=2 * number["reg_marks.radius"],
    )
    rows = int(number["items.rows"])
    fields = [
        BubbleField(
            f"q{column * rows + row + 1}",
            tuple("ABCDEFGH"[: int(number["items.max_cells"])]),
            (
                margin + number["items.left"] + column * number["items.column_width"],
                margin + number["items.top"] + row * number["items.y_spacing"],
            ),
            (number["items.x_spacing"], 0.0),
            number["items.cell_width"],
            number["items.cell_height"],
        )
        for column in range(int(number["items.columns"]))
        for row in range(rows)
    ]
    return _one_page(width, height, anchors, fields, "mork")


def _one_page(
    width_mm: float, height_mm: float, anchors: Anchors, fields: list[BubbleField], title: str
) -> SheetLayout:
    pages = (PageLayout(width_mm, height_mm, anchors, tuple(fields)),)
    return SheetLayout(layout_version(pages), title, pages)
