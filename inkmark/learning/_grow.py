"""Blocks completed: bubbles that are broken, marked or faint, where print or ink bears them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inkmark.learning._evidence import Evidence, gather_evidence
from inkmark.learning._lattice import Block, find_blocks
from inkmark.learning._shapes import FloatArray, InkMap, Shapes, find_shapes, size_clusters

__all__ = ["find_bubbles"]

_LIKE_INSIDE = 0.42
_LIKE_BEYOND = 0.6
_LIKE_ALIKE, _LIKE_ALONE, _LIKE_OTHER = 0.7, 0.8, 0.85
"""Shares of the likeness that the main bubbles have to each other."""
_UNLIKE = 0.75
"""A row at the edge whose likeness is below this share of the others' is a heading,"""
_OUTLINED = 0.55
"""if it has no outlines as clear as this."""
_DARK, _BLACK = 0.3, 0.45
_FILLED_SIZE = 0.25
_SAME_SIZE, _CLEAR, _LIKE_CLEAR = 0.1, 0.8, 0.5
_NEAR = 0.24
"""A shape belongs to a cell from which it is no further than this share of a step."""
_MIN_FULL = 0.75
_MIN_SIZE = 0.6
"""Smaller print than this share of the main bubbles is text."""
_SPOILT = 6
"""A doubted block of so many cells is something else; of a smaller one each cell may be good."""
_MAX_GROWTH = 400
_GAPS_MM = (0.0, 0.7, 1.4)
"""A letter in square brackets is closed to one shape."""


def find_bubbles(ink: InkMap, px_per_mm: float) -> list[Block]:
    """Blocks of bubbles on a page, of one size or several.

    Parameters
    ----------
    ink : (H, W) float32
    px_per_mm : float

    Returns
    -------
    list of Block
        Those of the main size first, and then largest first; a bubble that stands alone
        is a block of one cell.
    """
    ways = [_weighed(find_shapes(ink, px_per_mm, gap)) for gap in _GAPS_MM]
    clusters = max(ways, key=lambda way: way[0].weight if way else 0.0)
    if not clusters or clusters[0].weight <= 0:
        return []
    main, *rest = clusters
    kept = _complete(main.shapes, main.blocks, ink, [])
    size = kept[0].size if kept else np.median(main.shapes.size, axis=0)
    if main.clear < _OUTLINED:
        # Without clear outlines only a full lattice tells bubbles from letters.
        kept = [b for b in kept if _is_regular(b)]
    clear = min(_OUTLINED, 0.8 * main.clear)
    for other in rest:
        width = float(np.median(other.shapes.size, axis=0).max())
        if width < _MIN_SIZE * size.max() or other.clear < clear:
            continue
        free = other.shapes.take(~_covered(other.shapes.centre, kept, size))
        seeds = [b for b in find_blocks(free) if _is_regular(b)]
        if seeds:
            kept += [b for b in _complete(free, seeds, ink, kept) if _is_regular(b)]
    return kept


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Shapes of one size, their first blocks, and how much they are bubbles."""

    shapes: Shapes
    blocks: list[Block]
    clear: float
    weight: float


def _weighed(shapes: Shapes) -> list[_Cluster]:
    """The sizes of shapes, the one that is most likely that of bubbles first."""
    clusters = []
    for cluster in size_clusters(shapes):
        blocks = find_blocks(cluster)
        clear = float(np.quantile(cluster.score, 0.7))
        clusters.append(_Cluster(cluster, blocks, clear, _weight(cluster, blocks)))
    return sorted(clusters, key=lambda c: -c.weight)


def _weight(cluster: Shapes, blocks: list[Block]) -> float:
    """How much a size is that of bubbles: many in full lattices, large, of a thin line."""
    cells = sum(
        int(b.seen.sum()) * (1.0 if min(b.shape) > 1 else 0.4)
        for b in blocks
        if b.seen.sum() >= 3 and b.seen.mean() > 0.5
    )
    size = float(np.sqrt(np.median(cluster.size, axis=0).prod()))
    return cells * size * float(np.quantile(cluster.score, 0.7)) ** 2


def _is_regular(block: Block) -> bool:
    return bool(min(block.shape) > 1 and block.seen.sum() >= 6 and block.seen.mean() >= _MIN_FULL)


def _covered(points: FloatArray, blocks: Iterable[Block], size: FloatArray) -> NDArray[np.bool_]:
    """Which points lie in a bubble of a block."""
    covered = np.zeros(len(points), dtype=bool)
    for block in blocks:
        at = block.at[block.seen]
        reach = 0.6 * np.maximum(block.size, size)
        covered |= _near_any(points, at, reach)
    return covered


def _complete(cluster: Shapes, seeds: list[Block], ink: InkMap, others: list[Block]) -> list[Block]:
    """All blocks of one size, completed."""
    strong = [b for b in seeds if b.seen.sum() >= 4] or seeds
    # The first look may know but one printed letter, the second knows them all.
    first = replace(gather_evidence(ink, strong[:12]), usual=0.0)
    blocks = _pass(cluster, first, others, [])
    if not blocks:
        return []
    like = [float(np.median(first.best(b.at[b.seen], 0.15 * first.size)[1])) for b in blocks]
    strong = [
        block
        for block, alike in zip(blocks, like, strict=True)
        if block.seen.sum() >= 0.1 * blocks[0].seen.sum() and alike >= 0.8 * like[0]
    ]
    return _pass(cluster, gather_evidence(ink, strong), others, strong)


def _pass(
    cluster: Shapes, evidence: Evidence, others: list[Block], seeds: list[Block]
) -> list[Block]:
    believe = evidence.usual > 0
    peaks = evidence.peaks()
    apart = ~_near_any(peaks.centre, cluster.centre, 0.4 * evidence.size)
    likely = replace(peaks, score=np.zeros(len(peaks.score)))  # seen by likeness alone
    rest = _joined(cluster, likely.take(apart))
    pool = rest = rest.take(~_covered(rest.centre, others, evidence.size))
    blocks: list[Block] = []
    doubted: list[Block] = []
    while True:
        found = seeds or [b for b in find_blocks(rest) if b.seen.sum() >= 2]
        seeds = []
        before = len(blocks)
        for seed in found:
            taken = _covered(seed.at[seed.seen], blocks, evidence.size)
            if taken.mean() > 0.3:
                continue
            grown = _grown(seed, rest, evidence, [*others, *blocks])
            least = _LIKE_ALIKE if grown.seen.sum() >= 4 else _LIKE_ALONE
            if others:
                least = _LIKE_OTHER
            if not believe or _is_believed(grown, evidence, least):
                blocks += grown.split()
            else:
                doubted.append(grown)
        rest = rest.take(~_covered(rest.centre, [*blocks, *doubted], evidence.size))
        if len(blocks) == before or len(rest.centre) < 2:
            break
    if believe:
        spoilt = [b for b in doubted if b.seen.sum() >= _SPOILT]
        free = pool.take(~_covered(pool.centre, [*blocks, *spoilt], evidence.size))
        blocks += _singles(free, evidence)
    return sorted(blocks, key=lambda b: -int(b.seen.sum()))


def _is_believed(block: Block, evidence: Evidence, least: float) -> bool:
    """Whether the bubbles of a block are really like the others of the page."""
    at = block.at[block.seen]
    like = evidence.best(at, 0.15 * evidence.size)[1]
    dark = evidence.darkest(at, 0.15 * evidence.size) >= _DARK
    if not dark.all():
        like = like[~dark]
    if len(at) < 4 and 2 * len(like) < len(at):
        return False
    if len(like) < 4:
        return bool((like >= least * evidence.usual).all())
    return bool(np.median(like) >= least * evidence.usual)


def _singles(rest: Shapes, evidence: Evidence) -> list[Block]:
    """Shapes that stand alone: very like the others, or clear outlines or spots of their size."""
    like = evidence.best(rest.centre, 0.15 * evidence.size)[1] / evidence.usual
    same = np.abs(np.log(rest.size / evidence.size)).max(axis=1) < _SAME_SIZE
    clear = ~rest.solid & (rest.score >= _CLEAR) & same & (like >= _LIKE_CLEAR)
    dark = evidence.darkest(rest.centre, 0.15 * evidence.size)
    alike = np.abs(np.log(rest.size / evidence.size)).max(axis=1) < _FILLED_SIZE
    filled = rest.solid & alike & (dark >= _BLACK)
    chosen = clear | filled | (~rest.solid & (like >= _LIKE_ALONE))
    return [_single(rest, int(k), evidence.size) for k in np.flatnonzero(chosen)]


def _single(shapes: Shapes, k: int, size: FloatArray) -> Block:
    return Block(
        shapes.centre[k].reshape(1, 1, 2), np.ones((1, 1), bool), np.zeros((1, 1), bool), size
    )


def _joined(one: Shapes, two: Shapes) -> Shapes:
    return Shapes(
        np.concatenate([one.centre, two.centre]),
        np.concatenate([one.size, two.size]),
        np.concatenate([one.solid, two.solid]),
        np.concatenate([one.score, two.score]),
    )


def _near_any(points: FloatArray, others: FloatArray, reach: FloatArray) -> NDArray[np.bool_]:
    near = np.zeros(len(points), dtype=bool)
    for part in np.array_split(np.arange(len(others)), max(1, len(others) // 256)):
        off = np.abs(points[:, None] - others[part][None]) / reach
        near |= np.asarray(off.max(axis=2).min(axis=1, initial=np.inf) < 1)
    return near


class _Growth:
    """A block in the making."""

    def __init__(
        self, block: Block, shapes: Shapes, evidence: Evidence, others: list[Block]
    ) -> None:
        self.at, self.seen, self.solid = block.at, block.seen, block.solid
        self.block, self.shapes, self.evidence, self.others = block, shapes, evidence, others

    def judge(self, points: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
        """Where a bubble is near each point, and how sure: 2 print, 1 ink or likely, 0 none."""
        step = np.fmin(self.current().steps, 2.0 * self.block.size)
        step = np.where(np.isnan(step), self.block.size, step)
        reach = _NEAR * np.minimum(step, 1.6 * self.block.size)
        places, like = self.evidence.best(points, reach)
        dark = self.evidence.darkest(points, 0.6 * reach)
        grade = np.where(like >= max(_LIKE_BEYOND, _LIKE_ALIKE * self.evidence.usual), 2, 0)
        grade = np.where((like >= _LIKE_INSIDE) | (dark >= _DARK), np.maximum(grade, 1), grade)
        result = np.where((like >= _LIKE_INSIDE)[:, None], places, points)
        for k, point in enumerate(points):
            off = np.abs(self.shapes.centre - point)
            near = np.flatnonzero((off < reach * 1.1).all(axis=1))
            if len(near):
                nearest = near[int((off[near] / reach).sum(axis=1).argmin())]
                outlined = not self.shapes.solid[nearest]
                likely = like[k] >= _LIKE_INSIDE and outlined
                grade[k] = max(grade[k], 2 if likely or dark[k] >= _DARK else 1)
                result[k] = self.shapes.centre[nearest]
        taken = _covered(points, self.others, self.block.size)
        return result, np.where(taken, 0, grade)

    def current(self) -> Block:
        return self.block.with_seen(self.at, self.seen, self.solid)

    def fill(self) -> None:
        """Look at the cells inside the block where nothing was seen."""
        empty = np.argwhere(~self.seen)
        if len(empty) == 0:
            return
        fitted = self.current().fitted()
        points = fitted[tuple(empty.T)]
        places, grade = self.judge(points)
        for (row, column), place, point, sure in zip(empty, places, points, grade, strict=True):
            self.at[row, column] = place if sure else point
            self.seen[row, column] = sure > 0
            self.solid[row, column] = sure == 1

    def beyond(self, axis: int, end: int) -> bool:
        """Add a row (axis 0) or column (1) at the start (0) or the end (-1) if it is there."""
        n = self.at.shape[axis]
        if n < 2:
            return False
        edge = np.take(self.at, end, axis=axis)
        inner = np.take(self.at, 1 if end == 0 else n - 2, axis=axis)
        step = np.median(edge - inner, axis=0)
        points = edge + step
        places, grade = self.judge(points)
        m = len(points)
        full = np.take(self.seen, end, axis=axis)
        strong = int((grade == 2).sum())
        if axis == 0:
            enough = strong >= max(1, 0.5 * full.sum())
        else:
            enough = strong >= 0.3 * m and strong >= min(2, m - 1)
            if self.evidence.usual:  # a column of a few longer rows must be of very clear print
                like = self.evidence.best(places, 0.1 * self.block.size)[1]
                clear = (grade > 0) & (like >= _LIKE_OTHER * self.evidence.usual)
                enough = strong >= 0.5 * m or int(clear.sum()) >= max(min(2, m - 1), 0.2 * m)
        if not enough:
            return False
        sure = grade > 0
        new_at = np.where(sure[:, None], places, points)
        where = 0 if end == 0 else n
        self.at = np.insert(self.at, where, new_at, axis=axis)
        self.seen = np.insert(self.seen, where, sure, axis=axis)
        self.solid = np.insert(self.solid, where, grade == 1, axis=axis)
        return True

    def is_outlined(self, axis: int, end: int) -> bool:
        """Whether a good part of the cells of a line have a thin closed outline."""
        at = np.take(self.at, end, axis=axis)
        clear = self.shapes.take(~self.shapes.solid & (self.shapes.score >= _OUTLINED))
        return bool(_near_any(at, clear.centre, 0.2 * self.block.size).mean() >= 0.3)

    def trim(self) -> None:
        """Take away rows and columns at the edges that are unlike the rest: headings."""
        at = self.at.reshape(-1, 2)
        like = self.evidence.best(at, 0.15 * self.block.size)[1].reshape(self.seen.shape)
        dark = self.evidence.darkest(at, 0.15 * self.block.size).reshape(self.seen.shape)
        like[~self.seen | (dark >= _DARK)] = np.nan
        edges = [(0, 0), (0, -1), (1, 0), (1, -1)]
        while edges:
            axis, end = edges.pop()
            if self.seen.shape[axis] < 4:
                continue
            seen = np.logical_not(np.all(np.isnan(like), axis=1 - axis))
            lines = np.full(len(seen), np.nan)
            lines[seen] = np.nanmedian(np.compress(seen, like, axis=axis), axis=1 - axis)
            rest = np.delete(lines, end)
            if np.isnan(rest).all():
                continue
            if lines[end] < _UNLIKE * np.nanquantile(rest, 0.25) and not self.is_outlined(
                axis, end
            ):
                line = 0 if end == 0 else self.seen.shape[axis] - 1
                self.at = np.delete(self.at, line, axis=axis)
                self.seen = np.delete(self.seen, line, axis=axis)
                self.solid = np.delete(self.solid, line, axis=axis)
                like = np.delete(like, line, axis=axis)
                edges.append((axis, end))  # the next line may be unlike as well


def _grown(seed: Block, shapes: Shapes, evidence: Evidence, others: list[Block]) -> Block:
    growth = _Growth(seed, shapes, evidence, others)
    growth.at, growth.seen, growth.solid = seed.at.copy(), seed.seen.copy(), seed.solid.copy()
    growth.fill()
    for _ in range(_MAX_GROWTH):
        grew = [growth.beyond(axis, end) for axis in (0, 1) for end in (0, -1)]
        if not any(grew):
            break
    growth.fill()
    growth.trim()
    block = growth.current()
    rows, columns = np.flatnonzero(block.seen.any(axis=1)), np.flatnonzero(block.seen.any(axis=0))
    part = np.ix_(rows, columns)
    return block.with_seen(block.at[part], block.seen[part], block.solid[part])
