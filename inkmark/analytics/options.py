"""Which options were chosen, by whom: everybody, the upper and the lower group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkmark.analytics.classical import tail_rows
from inkmark.analytics.cohort import Cohort, divided
from inkmark.analytics.model import OptionShares
from inkmark.errors import InkmarkError
from inkmark.exam import split_value

__all__ = ["option_shares"]


def option_shares(
    cohort: Cohort,
    responses: npt.ArrayLike,
    options: Sequence[Sequence[str]],
    keys: Sequence[Sequence[str]],
) -> OptionShares:
    """Count the choices of every item with options, and judge its distractors.

    Parameters
    ----------
    cohort : Cohort
    responses : (n, m) array of str
        Marked options as in `FieldReading.value`; empty for blank. Counted where the
        candidate has a score on the item, whatever stands elsewhere.
    options, keys : sequence of m sequences of str
        Option labels in printed order, none for an item without options; keyed labels.

    Returns
    -------
    OptionShares

    Raises
    ------
    InkmarkError
        If the shape of the responses is not that of the scores.
    """
    table = np.asarray(responses, dtype=np.str_)
    if table.shape != cohort.scores.shape:
        raise InkmarkError(
            f"Responses of shape {table.shape} do not fit scores of shape "
            f"{cohort.scores.shape}. Give a row per candidate and a column per item."
        )
    with_options = [j for j, labels in enumerate(options) if labels]
    upper, lower = tail_rows(cohort)
    counts = [
        _counts(table[:, j], ~np.isnan(cohort.scores[:, j]), upper, lower, options[j])
        for j in with_options
    ]
    labels = [(*options[j], "") for j in with_options]
    item = np.repeat(np.array(with_options, dtype=np.int64), [len(row) for row in labels])
    everybody, above, below = np.concatenate([np.zeros((3, 0), np.int64), *counts], axis=1)
    presented = np.count_nonzero(~np.isnan(cohort.scores), axis=0).astype(np.int64)
    option = tuple(label for row in labels for label in row)
    keyed = np.array(
        [label in keys[j] for j, row in zip(with_options, labels, strict=True) for label in row],
        dtype=np.bool_,
    )
    named = np.array([label != "" for label in option], dtype=np.bool_)
    has_key = np.array([bool(key) for key in keys], dtype=np.bool_)[item]
    return OptionShares(
        item=item,
        option=option,
        keyed=keyed,
        n=presented[item],
        count=everybody,
        share=divided(everybody, presented[item]),
        upper=divided(above, len(upper)),
        lower=divided(below, len(lower)),
        nobody=named & (everybody == 0) & (presented[item] > 0),
        upper_prefers=named & has_key & ~keyed & (above > below),
    )


def _counts(
    column: npt.NDArray[np.str_],
    presented: npt.NDArray[np.bool_],
    upper: npt.NDArray[np.int64],
    lower: npt.NDArray[np.int64],
    labels: Sequence[str],
) -> npt.NDArray[np.int64]:
    """(3, options + blank): choices of everybody presented, of the upper, of the lower group."""
    values, code = np.unique(column, return_inverse=True)
    marked = [split_value(str(value), labels) for value in values]
    chosen = np.array([[*(label in m for label in labels), not m] for m in marked], dtype=np.int64)
    chosen = chosen.reshape(len(values), len(labels) + 1)
    rows = (np.flatnonzero(presented), upper, lower)
    times = np.array([np.bincount(code[r], minlength=len(values)) for r in rows])
    return np.asarray(times @ chosen, dtype=np.int64)
