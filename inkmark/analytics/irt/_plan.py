"""Which items are fitted, by which model and with which categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkmark.analytics.irt._responses import item_names, require_known, used_categories
from inkmark.analytics.irt.model import ItemModel, ItemParameters
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["Plan", "make_plan", "require_links"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One entry a column of the responses.

    Attributes
    ----------
    names : tuple of str
    models : tuple of ItemModel
    categories : tuple of tuple of int
        Empty where the item is left out.
    anchors : tuple of int
        Place of the item among those whose parameters are known; -1 where it is fitted.
    warnings : tuple of AnalysisWarning
    """

    names: tuple[str, ...]
    models: tuple[ItemModel, ...]
    categories: tuple[tuple[int, ...], ...]
    anchors: tuple[int, ...]
    warnings: tuple[AnalysisWarning, ...]

    @property
    def used(self) -> tuple[int, ...]:
        """Columns that are not left out."""
        return tuple(column for column, values in enumerate(self.categories) if values)


def make_plan(
    counts: IntArray,
    models: ItemModel | Sequence[ItemModel],
    names: Sequence[str] | None,
    anchors: ItemParameters | None,
) -> Plan:
    """Settle what is fitted.

    Parameters
    ----------
    counts : (m, k) int64
        How often each value of each item occurs.
    models, names, anchors
        As in `fit_irt`.

    Raises
    ------
    AnalysisError
        A model does not suit its item, or nothing is left.
    """
    m = len(counts)
    labels = item_names(names, m)
    kinds = [models] * m if isinstance(models, ItemModel) else list(models)
    if len(kinds) != m:
        raise AnalysisError(f"{m} items need {m} models, not {len(kinds)}. Name one for each.")
    places = [-1] * m
    if anchors is not None:
        known = {
            name: place for place, name in enumerate(anchors.names) if anchors.categories[place]
        }
        places = [known.get(name, -1) for name in labels]
        if max(places) < 0:
            raise AnalysisError(
                "No item of the paper is among the anchors. Give the same item the same name "
                "in both."
            )
    free = [column for column in range(m) if places[column] < 0]
    found, warnings = used_categories(counts[free], [labels[column] for column in free])
    categories: list[tuple[int, ...]] = [()] * m
    for column, values in zip(free, found, strict=True):
        categories[column] = values
        if kinds[column].is_binary and len(values) > 2:
            raise AnalysisError(
                f"Item {labels[column]} has {len(values)} categories, and the model "
                f"{kinds[column]} is for two. Take grm, pcm or gpcm for it."
            )
    if anchors is not None:
        for column in range(m):
            if places[column] >= 0:
                kinds[column] = anchors.models[places[column]]
                categories[column] = anchors.categories[places[column]]
                require_known(counts, column, labels[column], categories[column])
    if not any(categories):
        raise AnalysisError(
            "No item has responses that differ: nothing can be fitted. "
            "Analyse more papers together."
        )
    return Plan(labels, tuple(kinds), tuple(categories), tuple(places), warnings)


def require_links(
    plan: Plan, responses: FloatArray, rows: IntArray, bounds: IntArray, groups: Sequence[str]
) -> None:
    """Refuse groups that no item puts on the same scale.

    Parameters
    ----------
    plan : Plan
    responses : (n, m) float64
    rows : (n,) int64
        Candidates group by group.
    bounds : (g + 1,) int64
        Where each group begins.
    groups : sequence of str

    Raises
    ------
    AnalysisError
        A group has taken neither an anchor nor an item of a group that is linked, or none.
    """
    used = list(plan.used)
    taken = np.array(
        [
            ~np.all(np.isnan(responses[rows[start:stop]][:, used]), axis=0)
            for start, stop in pairwise(bounds)
        ]
    )
    anchored = np.array([plan.anchors[column] >= 0 for column in used])
    linked = np.arange(len(taken)) == 0
    if np.any(anchored):
        linked = np.any(taken[:, anchored], axis=1)
    for _ in groups:
        known = np.any(taken[linked], axis=0)
        linked |= np.any(taken[:, known], axis=1)
    if not np.all(linked):
        name = groups[int(np.argmin(linked))]
        who = f"Group {name} has" if name else "The candidates have"
        raise AnalysisError(
            f"{who} taken no anchor and no item in common with the others, "
            "and cannot be put on one scale. Fit apart, or add what is in common."
        )
