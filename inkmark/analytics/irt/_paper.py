"""A paper made ready for the kernels: codes, rows, bundles and free parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt.model import ItemModel, ItemParameters
from inkmark.analytics.model import BoolArray, FloatArray, IntArray

__all__ = [
    "WIDEST",
    "Batch",
    "Bundles",
    "Curves",
    "Paper",
    "bundle_items",
    "bundle_table",
    "known_curves",
    "make_paper",
    "padded_nodes",
]

# Most categories of a bundle: what more would save in the sums over candidates, it would
# cost in the sums over pairs of bundles.
WIDEST = 16
# Nodes fill whole vector registers, several at a time.
_LANES = 32


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Logits of all categories, row by row.

    Attributes
    ----------
    first : (m + 1,) int64
        Where the rows of each item begin.
    graded : (m,) bool
    slopes, intercepts : (rows,) float64
    guessing : (m,) float64
    """

    first: IntArray
    graded: BoolArray
    slopes: FloatArray
    intercepts: FloatArray
    guessing: FloatArray

    def at(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability of each category (rows, q), information of each item (m, q)."""
        from inkmark.analytics.irt import _curve_kernels  # noqa: PLC0415 - loads numba

        table = np.empty((len(self.slopes), len(theta)))
        information = np.empty((len(self.guessing), len(theta)))
        _curve_kernels.fill_curves(
            theta,
            self.first,
            self.graded,
            self.slopes,
            self.intercepts,
            self.guessing,
            table,
            information,
        )
        return table, information


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Free items of one model with equally many categories; their rows follow each other.

    Attributes
    ----------
    model : ItemModel
    n_categories : int
    items : slice
        Of the items of the paper.
    rows : slice
    columns : (m, p) int64
        Where their parameters stand in the vector of free ones.
    """

    model: ItemModel
    n_categories: int
    items: slice
    rows: slice
    columns: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Bundles:
    """Items that share a code.

    Attributes
    ----------
    first : (b + 1,) int64
        Where the rows of each bundle begin.
    members : (rows, w) int64
        Rows of the items that make a row of the bundle; the number of item rows stands for
        no response, and fills up.
    offset : (b + 1,) int64
        Where the free parameters of each bundle begin.
    bundle : (m,) int64
        Of each item.
    stride : (m,) int64
        What a category of an item adds to the code of the bundle.
    """

    first: IntArray
    members: IntArray
    offset: IntArray
    bundle: IntArray
    stride: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Paper:
    """Items in the order in which the kernels have them: free ones by model, then fixed.

    Attributes
    ----------
    order : (m,) int64
        Columns of the responses.
    models : tuple of ItemModel
    first : (m + 1,) int64
    graded : (m,) bool
    batches : tuple of Batch
    n_free : int
        Free parameters of items.
    """

    order: IntArray
    models: tuple[ItemModel, ...]
    first: IntArray
    graded: BoolArray
    batches: tuple[Batch, ...]
    n_free: int


def n_item_parameters(model: ItemModel, n_categories: int) -> int:
    """Free parameters of an item."""
    extra = {
        ItemModel.RASCH: 0,
        ItemModel.PCM: 0,
        ItemModel.PL3: 2,
        ItemModel.NOMINAL: n_categories - 1,
    }
    return n_categories - 1 + extra.get(model, 1)


def make_paper(
    columns: Sequence[int],
    models: Sequence[ItemModel],
    n_categories: Sequence[int],
    fixed: Sequence[bool],
) -> Paper:
    """Put items into the order of the kernels.

    Parameters
    ----------
    columns : sequence of int
        Columns of the responses that are used.
    models, n_categories, fixed : sequences, one entry a column of the responses
    """
    places = list(ItemModel)
    order = sorted(columns, key=lambda c: (fixed[c], places.index(models[c]), n_categories[c], c))
    sizes = np.array([n_categories[c] for c in order], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    batches: list[Batch] = []
    n_free = 0
    start = 0
    while start < len(order) and not fixed[order[start]]:
        kind = models[order[start]], n_categories[order[start]]
        stop = start
        while stop < len(order) and not fixed[order[stop]]:
            if (models[order[stop]], n_categories[order[stop]]) != kind:
                break
            stop += 1
        width = n_item_parameters(*kind)
        n_columns = (stop - start) * width
        batches.append(
            Batch(
                *kind,
                slice(start, stop),
                slice(int(first[start]), int(first[stop])),
                np.arange(n_free, n_free + n_columns, dtype=np.int64).reshape(-1, width),
            )
        )
        n_free += n_columns
        start = stop
    return Paper(
        np.array(order, dtype=np.int64),
        tuple(models[c] for c in order),
        first,
        np.array([models[c].is_graded for c in order], dtype=bool),
        tuple(batches),
        n_free,
    )


def known_curves(
    items: ItemParameters | None, places: Sequence[int], first: IntArray, graded: BoolArray
) -> Curves:
    """Logits of items whose parameters are known; 0 for the others.

    Parameters
    ----------
    items : ItemParameters or None
    places : sequence of int
        Which of them, in the order of the paper; -1 for one that is not known.
    first : (m + 1,) int64
        Where the rows of each item of the paper begin.
    graded : (m,) bool
    """
    slopes, intercepts = np.zeros(int(first[-1])), np.zeros(int(first[-1]))
    guessing = np.zeros(len(places))
    for item, place in enumerate(places):
        if items is None or place < 0:
            continue
        rows = slice(int(first[item]) + 1, int(first[item + 1]))
        top = rows.stop - rows.start
        intercepts[rows] = items.d[place, :top]
        guessing[item] = items.g[place]
        if items.models[place] is ItemModel.NOMINAL:
            slopes[rows] = items.s[place, :top]
        else:
            slopes[rows] = items.a[place] * (1 if graded[item] else np.arange(1, top + 1))
    return Curves(first, graded, slopes, intercepts, guessing)


def bundle_items(
    first: IntArray, n_free: IntArray, has_missing: BoolArray, widest: int = WIDEST
) -> Bundles:
    """Join neighbouring items as long as their bundle stays narrow.

    Parameters
    ----------
    first : (m + 1,) int64
        Where the rows of each item begin.
    n_free : (m,) int64
        Free parameters of each item.
    has_missing : (m,) bool
        Whether a response of the item is missing anywhere.
    widest : int
        Most categories of a bundle of several items.
    """
    n_items = len(n_free)
    none = int(first[-1])
    radix = np.diff(first) + has_missing
    groups: list[list[int]] = []
    width = widest + 1
    for item in range(n_items):
        if width * radix[item] > widest:
            groups.append([])
            width = 1
        groups[-1].append(item)
        width *= int(radix[item])
    bundle = np.empty(n_items, dtype=np.int64)
    stride = np.empty(n_items, dtype=np.int64)
    blocks: list[IntArray] = []
    most = max(len(group) for group in groups)
    for index, group in enumerate(groups):
        size = int(np.prod(radix[group]))
        block = np.full((size, most), none, dtype=np.int64)
        step = 1
        for place, item in enumerate(group):
            bundle[item] = index
            stride[item] = step
            category = np.arange(size) // step % radix[item]
            present = category < first[item + 1] - first[item]
            block[present, place] = first[item] + category[present]
            step *= int(radix[item])
        blocks.append(block)
    sizes = [len(block) for block in blocks]
    parameters = np.bincount(bundle, weights=n_free, minlength=len(groups))
    return Bundles(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate(blocks),
        np.concatenate([[0], np.cumsum(parameters)]).astype(np.int64),
        bundle,
        stride,
    )


def bundle_table(bundles: Bundles, table: FloatArray) -> FloatArray:
    """(bundle rows, q): probability of each combination of categories.

    Parameters
    ----------
    bundles : Bundles
    table : (rows, q) float64
        Probabilities of the categories of the items.
    """
    padded = np.concatenate([table, np.ones((1, table.shape[1]))])
    result = padded[bundles.members[:, 0]]
    for place in range(1, bundles.members.shape[1]):
        result *= padded[bundles.members[:, place]]
    return np.asarray(result)


def padded_nodes(n_nodes: int, reach: float) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Equally spaced nodes, and nodes at 0 that fill up; which are real."""
    size = -(-n_nodes // _LANES) * _LANES
    nodes = np.zeros(size)
    nodes[:n_nodes] = np.linspace(-reach, reach, n_nodes)
    return nodes, np.arange(size) < n_nodes
