"""All bubbles of a page as arrays, made once for a page layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.layouts import AnchorKind, BubbleField, BubbleShape, FullBox, PageLayout
from inkmark.omr import _kernels
from inkmark.omr._cache import once_for_each
from inkmark.omr._level_kernels import N_AROUND, N_OUTLINE, SIDE
from inkmark.omr._transform import BoolArray, FloatArray

__all__ = ["N_OWN", "BubblePlan", "bubble_plan", "windows"]

IntArray = NDArray[np.int64]

_INSIDE = 0.72
"""Half size of the part of a bubble that is sampled: its printed outline stays out."""
N_OWN = SIDE * SIDE + N_OUTLINE
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
    group_first : (n_groups + 1,) int64
        Where each group's bubbles begin.
    by_glyph : (n,) int64
        The bubbles in the order of their glyphs. Bubbles of one glyph look alike while
        empty: same label, size and shape.
    glyph_first : (n_glyphs + 1,) int64
        Where each glyph's bubbles begin in that order.
    kind : (n,) int64
        Size and shape of each bubble, numbered.
    multiple : (n,) bool
        Whether several marks in the bubble's group are an answer.
    cancelling : (n,) bool
        Whether a completely filled bubble is a mark taken back.
    points : (2, 2, m) float64
        The points at which an oval and a rectangle are sampled, across and down in half
        sizes from the centre: inside, on the outline, around.
    shape : (n,) int64
        Which of them each bubble is.
    reach : float
        How far beyond a bubble's centre its points reach, in half sizes.
    known_surroundings : bool
        Whether nothing but paper is printed beside the bubbles, as on our own sheets.
    """

    fields: tuple[BubbleField, ...]
    first: IntArray
    bubbles: FloatArray
    group: IntArray
    first_group: IntArray
    group_first: IntArray
    by_glyph: IntArray
    glyph_first: IntArray
    kind: IntArray
    multiple: BoolArray
    cancelling: BoolArray
    points: FloatArray
    shape: IntArray
    reach: float
    known_surroundings: bool

    def boxes(self, places: FloatArray) -> FloatArray:
        """The fields in the image, (n_fields, 8), as `_kernels.field_boxes` gives them.

        By the places of the bubbles, see `_kernels.place_bubbles`.
        """
        boxes = np.empty((len(self.fields), 8))
        _kernels.field_boxes(places, self.first, self.reach, boxes)
        return boxes


def windows(boxes: FloatArray, margin: int) -> IntArray:
    """What is looked at of each field, of whose `boxes`, and so many pixels around: (n, 4)."""
    low, high = np.floor(boxes[:, 4:6]) - margin, np.ceil(boxes[:, 6:]) + margin + 1
    return np.concatenate([low, high], axis=1).astype(np.int64)


@once_for_each
def bubble_plan(page: PageLayout) -> BubblePlan:
    """The bubbles of a page.

    Parameters
    ----------
    page : PageLayout
    """
    fields = tuple(field for field in page.fields if isinstance(field, BubbleField))
    bubbles, group, glyph, kind = [], [], [], []
    looks: dict[tuple[object, ...], int] = {}
    kinds: dict[tuple[object, ...], int] = {}
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
        size = (field.bubble_w, field.bubble_h, field.shape)
        kind.append(np.full(len(centres), kinds.setdefault(size, len(kinds))))
    counts = [len(rows) for rows in bubbles]
    groups = np.concatenate(group).astype(np.int64) if group else np.empty(0, np.int64)
    n_each = [field.n_groups for field in fields]
    glyphs = np.concatenate(glyph).astype(np.int64) if glyph else np.empty(0, np.int64)
    return BubblePlan(
        fields=fields,
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        bubbles=np.concatenate(bubbles) if bubbles else np.empty((0, 4)),
        group=groups,
        first_group=np.concatenate([[0], np.cumsum(n_each[:-1])]).astype(np.int64),
        group_first=np.searchsorted(groups, np.arange(n_groups + 1)).astype(np.int64),
        by_glyph=np.argsort(glyphs, kind="stable").astype(np.int64),
        glyph_first=np.searchsorted(np.sort(glyphs), np.arange(len(looks) + 1)).astype(np.int64),
        kind=np.concatenate(kind).astype(np.int64) if kind else np.empty(0, np.int64),
        multiple=np.repeat([field.multiple for field in fields], counts).astype(bool),
        cancelling=np.repeat(
            [field.full_box is FullBox.CANCELLED for field in fields], counts
        ).astype(bool),
        points=np.stack([_points(oval=shape).T for shape in (True, False)]),
        shape=np.repeat([f.shape is not BubbleShape.OVAL for f in fields], counts).astype(np.int64),
        reach=_AROUND[-1],
        known_surroundings=page.anchors.kind is AnchorKind.SQUARES,
    )


def _points(*, oval: bool) -> FloatArray:
    return np.concatenate([_inside_points(oval=oval), _outline_points(oval=oval), _ring_points()])


def _inside_points(*, oval: bool) -> FloatArray:
    """A square grid; in an oval squeezed to a disc, each square of it to a circle."""
    side = (np.arange(SIDE) - (SIDE - 1) / 2) / ((SIDE - 1) / 2) * _INSIDE
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    if oval:
        points *= (np.abs(points).max(axis=1) / np.hypot(*points.T))[:, None]
    return points


def _outline_points(*, oval: bool) -> FloatArray:
    angle = (np.arange(N_OUTLINE) + 0.5) * (2 * np.pi / N_OUTLINE)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    shape = circle if oval else circle / np.abs(circle).max(axis=1, keepdims=True)
    # Every other point on the inner and on the outer ring: a line a little off its place
    # meets as many.
    return np.asarray(shape * np.resize(_OUTLINE, N_OUTLINE)[:, None])


def _ring_points() -> FloatArray:
    """Two square rings, side after side: right, below, left, above; of each the inner first."""
    n_ring = N_AROUND // 2
    angle = (np.arange(n_ring) - (n_ring / 8 - 0.5)) * (2 * np.pi / n_ring)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    square = circle / np.abs(circle).max(axis=1, keepdims=True)
    sides = np.stack([square * size for size in _AROUND]).reshape(2, 4, -1, 2)
    return sides.swapaxes(0, 1).reshape(-1, 2)
