"""Fit item response models by marginal maximum likelihood.

Formulas, conventions and sources: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._likelihood import Likelihood, workers
from inkmark.analytics.irt._maximise import maximise
from inkmark.analytics.irt._paper import (
    Paper,
    bundle_items,
    known_curves,
    make_paper,
    padded_nodes,
)
from inkmark.analytics.irt._plan import make_plan, require_links
from inkmark.analytics.irt._responses import bundle_codes, checked
from inkmark.analytics.irt._results import collect
from inkmark.analytics.irt.model import IrtFit, IrtOptions, ItemModel, ItemParameters
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["FitArguments", "fit_2pl", "fit_3pl", "fit_irt", "fit_rasch"]


class FitArguments(TypedDict, total=False):
    """What `fit_irt` can be told beside the responses and the models."""

    names: Sequence[str] | None
    groups: npt.ArrayLike | None
    anchors: ItemParameters | None
    options: IrtOptions | None


def fit_irt(
    responses: npt.ArrayLike,
    models: ItemModel | Sequence[ItemModel],
    *,
    names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    anchors: ItemParameters | None = None,
    options: IrtOptions | None = None,
) -> IrtFit:
    """Fit a model to every item of a paper, with ability normal in each group.

    Marginal maximum likelihood (Bock & Aitkin, 1981, Psychometrika 46). The first group has
    mean 0, and variance 1 unless an item has a fixed slope; with anchors, mean and variance
    are free in every group.

    Parameters
    ----------
    responses : (n, m) array_like
        Whole numbers from 0 on, the higher the better; NaN where an item was not taken or
        the response is missing, which is taken to say nothing about ability.
    models : ItemModel or sequence of ItemModel
        One for all items, or one an item.
    names : sequence of str, optional
        Of the items; 1, 2, 3 ... by default.
    groups : (n,) array_like, optional
        Label of the group of each candidate.
    anchors : ItemParameters, optional
        Items with parameters known; those of the same names in the paper keep them.
    options : IrtOptions, optional

    Returns
    -------
    IrtFit

    Raises
    ------
    AnalysisError
        There is nothing to fit, a value is not a category, or a model does not suit its item.
    """
    options = options or IrtOptions()
    array, counts = checked(responses, names)
    group_names, rows, bounds = _sort_groups(groups, len(array))
    plan = make_plan(counts, models, names, anchors)
    if groups is not None or anchors is not None:
        require_links(plan, array, rows, bounds, group_names)
    fixed = [place >= 0 for place in plan.anchors]
    paper = make_paper(plan.used, plan.models, [len(values) for values in plan.categories], fixed)
    n_free = np.zeros(len(paper.order), dtype=np.int64)
    for batch in paper.batches:
        n_free[batch.items] = batch.columns.shape[1]
    bundles = bundle_items(paper.first, n_free, counts[paper.order].sum(axis=1) < len(array))
    columns, n_moments = _free_moments(paper, len(group_names), anchors is not None)
    places = [plan.anchors[column] for column in paper.order]
    nodes, real = padded_nodes(options.n_nodes, options.reach)
    with workers(len(array)) as run:
        likelihood = Likelihood(
            paper,
            bundles,
            bundle_codes(array, rows, paper.order, plan.categories, bundles),
            bounds,
            known_curves(anchors, places, paper.first, paper.graded),
            nodes,
            real,
            columns,
            dict(options.priors),
            run,
        )
        start = _start(paper, counts, plan.categories, paper.n_free + n_moments)
        end = maximise(likelihood, start, options.tolerance, options.max_iterations)
        return collect(plan, likelihood, end, group_names)


def fit_rasch(responses: npt.ArrayLike, **arguments: Unpack[FitArguments]) -> IrtFit:
    """`fit_irt` with the Rasch model for all items."""
    return fit_irt(responses, ItemModel.RASCH, **arguments)


def fit_2pl(responses: npt.ArrayLike, **arguments: Unpack[FitArguments]) -> IrtFit:
    """`fit_irt` with the two-parameter logistic model for all items."""
    return fit_irt(responses, ItemModel.PL2, **arguments)


def fit_3pl(responses: npt.ArrayLike, **arguments: Unpack[FitArguments]) -> IrtFit:
    """`fit_irt` with the three-parameter logistic model for all items."""
    return fit_irt(responses, ItemModel.PL3, **arguments)


def _sort_groups(
    groups: npt.ArrayLike | None, n: int
) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Names of the groups, rows group by group, and where each group begins."""
    if n < 2:
        raise AnalysisError("One candidate is too few. Analyse more papers together.")
    if groups is None:
        return ("",), np.arange(n, dtype=np.int64), np.array([0, n], dtype=np.int64)
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise AnalysisError(
            f"{n} candidates need {n} labels of groups, not an array of shape {labels.shape}. "
            "Give one label a row of the responses."
        )
    found, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if np.min(sizes) < 2:
        raise AnalysisError(
            f"Group {found[np.argmin(sizes)]} has one candidate, and no variance. "
            "Join it to another group, or leave it out."
        )
    rows = np.argsort(index, kind="stable").astype(np.int64)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return tuple(str(label) for label in found), rows, bounds


def _free_moments(paper: Paper, n_groups: int, is_anchored: bool) -> tuple[IntArray, int]:
    """Columns of mean and log sd of each group, -1 where fixed; how many are free."""
    free = np.ones((n_groups, 2), dtype=bool)
    if not is_anchored:
        free[0] = False, any(model.has_fixed_slope for model in paper.models)
    columns = np.full((n_groups, 2), -1, dtype=np.int64)
    n_free = int(free.sum())
    columns[free] = paper.n_free + np.arange(n_free)
    return columns, n_free


def _start(
    paper: Paper, counts: IntArray, categories: Sequence[Sequence[int]], size: int
) -> FloatArray:
    """Where the climb begins: slope 1, intercepts from the shares of the categories."""
    x = np.zeros(size)
    for batch in paper.batches:
        top = batch.n_categories - 1
        columns = paper.order[batch.items]
        n = np.array([counts[column, list(categories[column])] for column in columns]) + 0.5
        if batch.model.is_graded:
            above = np.cumsum(n[:, :0:-1], axis=1)[:, ::-1]
            # A slope of 1 flattens the logit of a share by the logistic's spread.
            d = math.sqrt(1 + 3 / math.pi**2) * np.log(above / (n.sum(axis=1)[:, None] - above))
        else:
            d = np.log(n[:, 1:] / n[:, :1])
        values = np.zeros((len(d), batch.columns.shape[1]))
        if batch.model is ItemModel.NOMINAL:
            values[:, :top] = np.arange(1, top + 1) / top
            values[:, top:] = d
        elif batch.model.has_fixed_slope:
            values[:] = d
        else:
            values[:, 0] = 1.0 if batch.model.is_graded else 1 / top
            values[:, 1 : top + 1] = d
            if batch.model is ItemModel.PL3:
                values[:, 2] = math.log(0.15 / 0.85)
        x[batch.columns] = values
    return x
