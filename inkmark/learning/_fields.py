"""Fields proposed from blocks of bubbles: items, numbers, bubbles that stand alone."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box
from inkmark.layouts import BubbleField, BubbleShape, Role
from inkmark.learning._lattice import Block
from inkmark.learning._shapes import FloatArray, InkMap
from inkmark.learning.model import Doubt, Order

__all__ = ["Numbering", "PageInk", "propose_fields"]

_DIGITS = tuple(string.digits)
_LETTERS = tuple(string.ascii_uppercase)
_INSIDE = 0.62
_PATCH = 14
_CLEARLY = 0.08
"""Rows hold the same labels where their cells are so much more alike than those of columns."""
_FEW_ROWS, _MANY_ROWS = 6, 8
_LONG_COLUMN = 7
_MAX_OFF = 0.12
"""Bubbles further off a straight grid than this share of their size get places of their own."""


@dataclass(slots=True)
class Numbering:
    """The numbers given to items and other fields so far, across the pages of a sheet."""

    items: int = 0
    numbers: int = 0
    singles: int = 0
    candidate: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PageInk:
    """A page to propose fields for.

    Attributes
    ----------
    ink : (H, W) float32
    px_per_mm : float
    page : int
        0-based page of the sheet.
    """

    ink: InkMap
    px_per_mm: float
    page: int

    def mm(self, at: FloatArray) -> FloatArray:
        """Sheet positions of the centres of pixels."""
        return (at + 0.5) / self.px_per_mm


def propose_fields(
    blocks: list[Block], sheet: PageInk, numbering: Numbering, order: Order
) -> tuple[list[BubbleField], list[Doubt]]:
    """Make fields of blocks and name them in reading order.

    Parameters
    ----------
    blocks : list of Block
    sheet : PageInk
    numbering : Numbering
        Goes on where the page before has ended; is changed.
    order : Order

    Returns
    -------
    list of BubbleField
    list of Doubt
    """
    fields: list[BubbleField] = []
    doubts: list[Doubt] = []
    kinds = [_kind(block, sheet, blocks) for block in blocks]
    grids = [b for b, kind in zip(blocks, kinds, strict=True) if kind == "number"]
    for block in sorted(grids, key=lambda b: (round(b.box[1] / 40), b.box[0])):
        for field, doubt in _number_fields(block, sheet, numbering):
            fields.append(field)
            doubts += doubt
    items = [(b, k) for b, k in zip(blocks, kinds, strict=True) if k in {"across", "down"}]
    apart = [k for k, (block, _) in enumerate(items) if _stands_apart(block, items)]
    rest = [k for k in range(len(items)) if k not in apart]
    chosen = [rest[k] for k in _order([items[k][0] for k in rest], order)]
    if len(chosen) > 1 and order is Order.AUTO:
        doubts.append(
            Doubt(
                "Items were numbered "
                + (
                    "block beside block"
                    if _by_rows([items[k][0] for k in rest])
                    else "down the columns"
                )
                + ". If the sheet counts otherwise, learn it again with --order.",
                sheet.page,
            )
        )
    for k in chosen + apart:
        block, kind = items[k]
        for field, doubt in _item_fields(block, kind, sheet, numbering):
            fields.append(field)
            doubts += doubt
            if k in apart:
                message = (
                    f"{field.name} stands apart from the other items. If it is an example or "
                    "belongs to something else, take it out or rename it."
                )
                doubts.append(Doubt(message, sheet.page, field.box))
    for block, kind in zip(blocks, kinds, strict=True):
        if kind == "singles":
            made = list(_single_fields(block, sheet, numbering))
            fields += made
            boxes = [field.box for field in made]
            doubts.append(
                Doubt(
                    f"{made[0].name}"
                    + (f" to {made[-1].name} stand" if len(made) > 1 else " stands")
                    + " alone. Give what belongs to a field its name and options, take out what "
                    "is no bubble.",
                    sheet.page,
                    _around(boxes),
                )
            )
    return fields, doubts


def _stands_apart(block: Block, items: list[tuple[Block, str]]) -> bool:
    """Whether a single row stands in line with no other block of a sheet of many items."""
    if block.shape[0] > 1 or sum(other.shape[0] for other, _ in items) < _MANY_ROWS:
        return False
    left = block.box[0]
    return all(
        abs(left - other.box[0]) > 0.5 * block.size[0] for other, _ in items if other is not block
    )


def _kind(block: Block, sheet: PageInk, blocks: list[Block]) -> str:
    """``across`` or ``down``: the way options run; ``number``; ``singles``."""
    rows, columns = block.shape
    if block.seen.sum() == 1 or (columns == 1 and rows > _LONG_COLUMN and rows != 10):
        return "singles"
    if columns == 1:
        return "number" if rows == 10 else "down"
    if rows == 1:
        return "across"
    by_row, by_column = _likeness(block, sheet)
    if by_row is not None and by_column is not None and abs(by_row - by_column) > _CLEARLY:
        down = by_row > by_column
    else:
        alike = sum(
            b.shape == block.shape and np.allclose(b.size, block.size, rtol=0.2) for b in blocks
        )
        down = rows == 10 and columns > 1 and alike == 1
    if down and rows == 10:
        return "number"
    return "down" if down else "across"


def _likeness(block: Block, sheet: PageInk) -> tuple[float | None, float | None]:
    """How alike the printed labels are within rows and within columns."""
    rows, columns = block.shape
    size = np.maximum(_INSIDE * block.size, 3)
    patches = np.full((rows, columns, _PATCH * _PATCH), np.nan)
    for (r, c), seen in np.ndenumerate(block.seen):
        if not seen:
            continue
        x, y = block.at[r, c]
        patch = cv2.getRectSubPix(
            sheet.ink, (int(size[0]) | 1, int(size[1]) | 1), (float(x), float(y))
        )
        small = cv2.resize(patch, (_PATCH, _PATCH), interpolation=cv2.INTER_AREA)
        patches[r, c] = cv2.GaussianBlur(small, (0, 0), 0.8).ravel()
    level = patches.mean(axis=2)
    dark = level > np.nanmedian(level) + 0.2
    spread = patches.std(axis=2)
    if np.nanmedian(spread) < 0.02:  # nothing is printed in the bubbles
        return None, None
    flat = (patches - level[..., None]) / np.maximum(spread, 1e-3)[..., None]
    flat[dark] = np.nan
    means: list[float | None] = []
    for axis in (1, 0):
        lines = np.moveaxis(flat, axis, 1)
        alike = []
        for line in lines:
            good = line[~np.isnan(line[:, 0])]
            if len(good) >= 2:
                matrix = good @ good.T / good.shape[1]
                alike.append(float(matrix[np.triu_indices(len(good), 1)].mean()))
        means.append(float(np.mean(alike)) if alike else None)
    return means[0], means[1]


# -- order -----------------------------------------------------------------------------


def _by_rows(blocks: list[Block]) -> bool:
    """Whether small blocks of equal height stand side by side in several bands."""
    heights = [b.shape[0] for b in blocks]
    bands = _bands(blocks, 1)
    return bool(
        len(bands) > 1
        and max(heights) <= _FEW_ROWS
        and np.mean([len(band) > 1 for band in bands]) >= 0.5
    )


def _order(blocks: list[Block], order: Order) -> list[int]:
    """Positions of blocks in the order in which items are numbered."""
    if order is Order.AUTO:
        order = Order.ROWS if _by_rows(blocks) else Order.COLUMNS
    axis = 1 if order is Order.ROWS else 0
    return [k for band in _bands(blocks, axis) for k in band]


def _bands(blocks: list[Block], axis: int) -> list[list[int]]:
    """Blocks that overlap along an axis (0 across: columns; 1 down: rows), each in order."""
    if not blocks:
        return []
    boxes = np.array([b.box for b in blocks])
    bands: list[list[int]] = []
    reach = -np.inf
    for k in np.argsort(boxes[:, axis], kind="stable"):
        low, high = boxes[k, axis], boxes[k, 2 + axis]
        if bands and low < reach - 0.3 * min(high - low, boxes[bands[-1][0], 2 + axis] - low):
            bands[-1].append(int(k))
            reach = max(reach, high)
        else:
            bands.append([int(k)])
            reach = high
    for band in bands:
        band.sort(key=lambda k: boxes[k, 1 - axis])
    return bands


# -- making ----------------------------------------------------------------------------


def _number_fields(
    block: Block, sheet: PageInk, numbering: Numbering
) -> Iterator[tuple[BubbleField, list[Doubt]]]:
    """A grid of digits, its full columns as one field; other columns each by itself."""
    full = block.seen.mean(axis=0) >= 0.8
    run = np.flatnonzero(full)
    if len(run) == 0:
        run = np.arange(block.shape[1])
    run = np.arange(run[0], run[-1] + 1)
    part = block.with_seen(block.at[:, run], block.seen[:, run], block.solid[:, run])
    is_candidate = not numbering.candidate and len(run) >= 3
    numbering.numbers += not is_candidate
    name = "candidate" if is_candidate else f"N{numbering.numbers}"
    numbering.candidate |= is_candidate
    role = Role.CANDIDATE if is_candidate else Role.OTHER
    field = _field((name, role, ""), _DIGITS, np.swapaxes(part.at, 0, 1), part, sheet)
    doubts = [
        Doubt(
            f"{name} was taken for {'the candidate number' if is_candidate else 'a number'} of "
            f"{len(run)} digits, 0 at the top. Check the order of its digits.",
            sheet.page,
            field.box,
        )
    ]
    yield field, doubts + _missing(part, field, sheet)
    for column in (c for c in range(block.shape[1]) if c not in run):
        cells = np.flatnonzero(block.seen[:, column])
        if len(cells) == 0:
            continue
        rows = np.arange(cells[0], cells[-1] + 1)
        side = block.with_seen(
            block.at[rows][:, [column]],
            block.seen[rows][:, [column]],
            block.solid[rows][:, [column]],
        )
        numbering.numbers += 1
        name = f"N{numbering.numbers}"
        labels = _LETTERS[: len(rows)]
        field = _field((name, Role.OTHER, ""), labels, np.swapaxes(side.at, 0, 1), side, sheet)
        message = f"{name} stands beside a grid of digits. Give it its options, or take it out."
        yield field, [Doubt(message, sheet.page, field.box)]


def _item_fields(
    block: Block, kind: str, sheet: PageInk, numbering: Numbering
) -> Iterator[tuple[BubbleField, list[Doubt]]]:
    """One field a row, or a column where options run down."""
    if kind == "down":
        block = block.with_seen(
            np.swapaxes(block.at, 0, 1), block.seen.T.copy(), block.solid.T.copy()
        )
    usual = int(np.median(block.seen.sum(axis=1)))
    for row in range(block.shape[0]):
        cells = np.flatnonzero(block.seen[row])
        if len(cells) == 0:
            continue
        span = slice(int(cells[0]), int(cells[-1]) + 1)
        part = block.with_seen(
            block.at[[row], span], block.seen[[row], span], block.solid[[row], span]
        )
        numbering.items += 1
        number = str(numbering.items)
        n = part.shape[1]
        labels = _DIGITS if n == len(_DIGITS) else _LETTERS[:n]
        if n > len(_LETTERS):
            labels = tuple(str(k + 1) for k in range(n))
        field = _field((f"Q{number}", Role.ITEM, number), labels, part.at, part, sheet)
        doubts = _missing(part, field, sheet)
        if n < usual:
            doubts.append(
                Doubt(
                    f"{field.name} has {n} bubbles, those beside it have {usual}. Check it.",
                    sheet.page,
                    field.box,
                )
            )
        yield field, doubts


def _single_fields(block: Block, sheet: PageInk, numbering: Numbering) -> Iterator[BubbleField]:
    for row, column in np.argwhere(block.seen):
        numbering.singles += 1
        part = block.with_seen(
            block.at[[row]][:, [column]],
            block.seen[[row]][:, [column]],
            block.solid[[row]][:, [column]],
        )
        yield _field((f"M{numbering.singles}", Role.OTHER, ""), ("X",), part.at, part, sheet)


def _missing(part: Block, field: BubbleField, sheet: PageInk) -> list[Doubt]:
    n = int((~part.seen).sum())
    if n == 0:
        return []
    noun = "bubble of it is" if n == 1 else "bubbles of it are"
    return [Doubt(f"{field.name}: {n} {noun} not to be seen. Check.", sheet.page, field.box)]


def _field(
    named: tuple[str, Role, str],
    options: tuple[str, ...],
    at: FloatArray,
    part: Block,
    sheet: PageInk,
) -> BubbleField:
    """A field of the bubbles `at` (groups, options, 2), straightened where they are straight."""
    name, role, item = named
    groups, n, _ = at.shape
    g, o = (index.ravel() for index in np.mgrid[:groups, :n])
    columns = [np.ones(groups * n)]
    columns += [o.astype(float)] if n > 1 else []
    columns += [g.astype(float)] if groups > 1 else []
    design = np.column_stack(columns)
    places = sheet.mm(at.reshape(-1, 2))
    seen = part.seen if at is part.at else part.seen.T
    good = seen.ravel() if seen.size == len(places) else np.ones(len(places), dtype=bool)
    weights = np.linalg.lstsq(design[good], places[good], rcond=None)[0]
    size = part.size / sheet.px_per_mm
    off = np.abs(design @ weights - places)[good] / size
    rounded = [(round(float(x), 3), round(float(y), 3)) for x, y in weights]
    steps = iter(rounded[1:])
    return BubbleField(
        name=name,
        options=options,
        origin=rounded[0],
        option_step=next(steps) if n > 1 else (round(float(1.5 * size[0]), 3), 0.0),
        group_step=next(steps) if groups > 1 else (0.0, 0.0),
        n_groups=groups,
        bubble_w=round(float(size[0]), 2),
        bubble_h=round(float(size[1]), 2),
        shape=_outline(part, sheet),
        role=role,
        item=item,
        places=tuple((round(float(x), 3), round(float(y), 3)) for x, y in places)
        if off.max() > _MAX_OFF
        else (),
    )


def _outline(part: Block, sheet: PageInk) -> BubbleShape:
    """Whether ink stands in the corners of the box around a bubble."""
    at = part.at[part.seen]
    half = part.size / 2
    corners = _ink_at(sheet.ink, at, half, ((-0.86, -0.86), (0.86, -0.86), (0.86, 0.86)))
    sides = _ink_at(sheet.ink, at, half, ((-0.94, 0.0), (0.94, 0.0)))
    return BubbleShape.RECTANGLE if corners > 0.5 * max(sides, 0.02) else BubbleShape.OVAL


def _ink_at(
    ink: InkMap, at: FloatArray, half: FloatArray, offsets: Iterable[tuple[float, float]]
) -> float:
    values: list[NDArray[np.float32]] = []
    for offset in offsets:
        x, y = np.rint(at + half * np.array(offset)).astype(int).T
        reach = [
            ink[np.clip(y + j, 0, ink.shape[0] - 1), np.clip(x + i, 0, ink.shape[1] - 1)]
            for j in (-1, 0, 1)
            for i in (-1, 0, 1)
        ]
        values.append(np.max(reach, axis=0))
    return float(np.median(values))


def _around(boxes: list[Box]) -> Box:
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.right for b in boxes), max(b.bottom for b in boxes)
    return Box(left, top, right - left, bottom - top)
