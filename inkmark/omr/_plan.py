"""All bubbles of a page as arrays, made once for a page layout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inkmark.layouts import AnchorKind, BubbleField, BubbleShape, PageLayout
from inkmark.omr._transform import BoolArray, FloatArray

__all__ = ["BubblePlan", "bubble_plan"]

IntArray = NDArray[np.int64]

_INSIDE = 0.72
"""Half size of the part of a bubble that is sampled: its printed outline stays out."""
_OUTLINE = (0.94, 1.02)
"""Half sizes between which the printed outline of a bubble is looked for."""
_AROUND = (1.3, 1.55)
"""Half sizes of the rings around a bubble in which paper is looked for."""


@dataclass(frozen=True, slots=True)
class BubblePlan:
    """The bubbles of a page, field after field, group after group.

    Attributes
    ----------
    fields : tuple of BubbleField
    first : (n_fields + 1,) int64
        Where each field's bubbles begin.
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    group : (n,) int64
        Group of each bubble, counted over the page.
    first_group : (n_fields,) int64
        First group of each field.
    group_first : (n_groups,) int64
        First bubble of each group.
    glyph : (n,) int64
        Bubbles with the same number look alike while empty: same label, size and shape.
    multiple : (n,) bool
        Whether several marks in the bubble's group are an answer.
    inside, around : (m, 2) float64
        Sample points of a bubble in half sizes from its centre.
    outlines : (s, m, 2) float64
        The same on the outline of each shape.
    outline : (n,) int64
        Which of them is each bubble's.
    known_surroundings : bool
        Whether nothing but paper is printed beside the bubbles, as on our own sheets.
    """

    fields: tuple[BubbleField, ...]
    first: IntArray
    bubbles: FloatArray
    group: IntArray
    first_group: IntArray
    group_first: IntArray
    glyph: IntArray
    multiple: BoolArray
    inside: FloatArray
    outlines: FloatArray
    outline: IntArray
    around: FloatArray
    known_surroundings: bool


@lru_cache(maxsize=32)
def bubble_plan(page: PageLayout) -> BubblePlan:
    """The bubbles of a page.

    Parameters
    ----------
    page : PageLayout
    """
    fields = tuple(field for field in page.fields if isinstance(field, BubbleField))
    bubbles, group, glyph = [], [], []
    looks: dict[tuple[object, ...], int] = {}
    n_groups = 0
    for field in fields:
        centres = field.centres()
        half = np.tile((field.bubble_w / 2, field.bubble_h / 2), (len(centres), 1))
        bubbles.append(np.hstack([centres, half]))
        n_options = len(field.options)
        group.append(n_groups + np.repeat(np.arange(field.n_groups), n_options))
        n_groups += field.n_groups
        look = [
            looks.setdefault((o, field.bubble_w, field.bubble_h, field.shape), len(looks))
            for o in field.options
        ]
        glyph.append(np.tile(look, field.n_groups))
    counts = [len(rows) for rows in bubbles]
    groups = np.concatenate(group).astype(np.int64) if group else np.empty(0, np.int64)
    n_each = [field.n_groups for field in fields]
    oval = any(field.shape is BubbleShape.OVAL for field in fields)
    return BubblePlan(
        fields=fields,
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        bubbles=np.concatenate(bubbles) if bubbles else np.empty((0, 4)),
        group=groups,
        first_group=np.concatenate([[0], np.cumsum(n_each[:-1])]).astype(np.int64),
        group_first=np.searchsorted(groups, np.arange(n_groups)),
        glyph=np.concatenate(glyph).astype(np.int64) if glyph else np.empty(0, np.int64),
        multiple=np.repeat([field.multiple for field in fields], counts).astype(bool),
        inside=_inside_points(oval=oval),
        outlines=np.stack([_outline_points(oval=shape) for shape in (True, False)]),
        outline=np.repeat([f.shape is not BubbleShape.OVAL for f in fields], counts).astype(
            np.int64
        ),
        around=_ring_points(),
        known_surroundings=page.anchors.kind is AnchorKind.SQUARES,
    )


def _inside_points(*, oval: bool) -> FloatArray:
    side = (np.arange(8) - 3.5) / 3.5 * _INSIDE
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    if oval:
        points = points[(points**2).sum(axis=1) <= (_INSIDE * 1.03) ** 2]
    return np.ascontiguousarray(points)


def _outline_points(*, oval: bool) -> FloatArray:
    angle = (np.arange(24) + 0.5) * (2 * np.pi / 24)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    shape = circle if oval else circle / np.abs(circle).max(axis=1, keepdims=True)
    # Every other point on the inner and on the outer ring: a line a little off its place
    # meets as many.
    return np.asarray(shape * np.resize(_OUTLINE, 24)[:, None])


def _ring_points() -> FloatArray:
    angle = np.arange(20) * (2 * np.pi / 20)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    square = circle / np.abs(circle).max(axis=1, keepdims=True)
    return np.concatenate([square * size for size in _AROUND])
