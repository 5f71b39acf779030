"""Which items are fitted, by which model and with which categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inkmark.analytics.irt._responses import item_names, require_known, used_categories
from inkmark.analytics.irt.model import ItemModel, ItemParameters
from inkmark.analytics.model import AnalysisWarning, IntArray
from inkmark.errors import AnalysisError

__all__ = ["Plan", "make_plan"]


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
