"""Responses checked once, and turned into codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._paper import Bundles
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = [
    "MOST_CATEGORIES",
    "bundle_codes",
    "checked",
    "item_names",
    "require_known",
    "used_categories",
]

# Values of a response go from 0 to one less.
MOST_CATEGORIES = 100


def item_names(names: Sequence[str] | None, n_items: int) -> tuple[str, ...]:
    """Names of the items; 1, 2, 3 ... where none are given."""
    if names is None:
        return tuple(str(number) for number in range(1, n_items + 1))
    if len(names) != n_items or len(set(names)) != n_items:
        raise AnalysisError(
            f"{n_items} items need {n_items} different names, not {len(set(names))}. "
            "Give each column of the responses a name of its own."
        )
    return tuple(names)


def checked(responses: npt.ArrayLike, names: Sequence[str] | None) -> tuple[FloatArray, IntArray]:
    """Responses as an array, with how often each value of each item occurs.

    Parameters
    ----------
    responses : (n, m) array_like
        Whole numbers from 0 on; NaN where there is none.
    names : sequence of str or None
        For the messages.

    Returns
    -------
    (n, m) float64, (m, k) int64

    Raises
    ------
    AnalysisError
        There is nothing to analyse, or a value is not a whole number from 0 to 99.
    """
    from inkmark.analytics.irt import _kernels  # noqa: PLC0415 - loads numba

    array = np.ascontiguousarray(responses, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise AnalysisError(
            f"Responses of shape {array.shape} cannot be analysed. "
            "Give a table of candidates (rows) by items (columns)."
        )
    counts = np.zeros((array.shape[1], MOST_CATEGORIES), dtype=np.int64)
    row, column = _kernels.count_values(array, counts)
    if row >= 0:
        name = item_names(names, array.shape[1])[column]
        raise AnalysisError(
            f"Item {name}, candidate {row + 1}: {array[row, column]} is not a category. "
            f"Categories are whole numbers from 0 to {MOST_CATEGORIES - 1}, and NaN stands "
            "for no response; correct the value, or turn half points into whole ones."
        )
    return array, counts


def used_categories(
    counts: IntArray, names: Sequence[str]
) -> tuple[tuple[tuple[int, ...], ...], tuple[AnalysisWarning, ...]]:
    """Values that occur, item by item; none for an item that cannot be fitted.

    Parameters
    ----------
    counts : (m, k) int64
        From `checked`.
    names : sequence of str
    """
    result: list[tuple[int, ...]] = []
    warnings: list[AnalysisWarning] = []
    for name, row in zip(names, counts, strict=True):
        used = tuple(int(value) for value in np.flatnonzero(row))
        if len(used) < 2:
            found = f"every response is {used[0]}" if used else "there is no response"
            warnings.append(
                AnalysisWarning(
                    "constant-item" if used else "no-responses",
                    name,
                    f"Item {name}: {found}, which says nothing about ability. It is left out; "
                    "the other items are analysed.",
                )
            )
            used = ()
        elif len(used) > 2 and len(used) <= used[-1] - used[0]:
            unused = sorted(set(range(used[0], used[-1])) - set(used))
            listed = ", ".join(str(value) for value in unused)
            warnings.append(
                AnalysisWarning(
                    "unused-category",
                    name,
                    f"Item {name}: nobody has {listed}. The values that occur count as "
                    "neighbouring categories.",
                )
            )
        result.append(used)
    return tuple(result), tuple(warnings)


def require_known(counts: IntArray, column: int, name: str, values: Sequence[int]) -> None:
    """Refuse values of a column that an item with known parameters does not have."""
    strange = sorted(set(np.flatnonzero(counts[column]).tolist()) - set(values))
    if strange:
        raise AnalysisError(
            f"Item {name}: {strange[0]} occurs, and its parameters are known for "
            f"{', '.join(str(value) for value in values)} only. Correct the responses, or "
            "calibrate the item anew."
        )


def bundle_codes(
    responses: FloatArray,
    rows: IntArray,
    columns: IntArray,
    categories: Sequence[Sequence[int]],
    bundles: Bundles,
) -> npt.NDArray[np.uint8]:
    """Codes of the bundles, (r, b) uint8.

    Parameters
    ----------
    responses : (n, m) float64
    rows : (r,) int64
        Candidates wanted, in this order.
    columns : (c,) int64
        Column of each item of the paper.
    categories : sequence of sequence of int
        Values of each column.
    bundles : Bundles
    """
    from inkmark.analytics.irt import _kernels  # noqa: PLC0415 - loads numba

    lookup = np.zeros((len(columns), MOST_CATEGORIES + 1), dtype=np.int64)
    for item, column in enumerate(columns):
        values = np.array(categories[column], dtype=np.int64)
        lookup[item, values] = np.arange(len(values)) * bundles.stride[item]
        lookup[item, -1] = len(values) * bundles.stride[item]
    codes = np.empty((len(rows), len(bundles.offset) - 1), dtype=np.uint8)
    _kernels.to_codes(responses, rows, columns, bundles.bundle, lookup, codes)
    return codes
