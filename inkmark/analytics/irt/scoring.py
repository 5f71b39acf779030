"""Ability of candidates from items whose parameters are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._likelihood import Block, blocks_of, node_weights, workers
from inkmark.analytics.irt._paper import (
    WIDEST,
    Bundles,
    Curves,
    bundle_items,
    bundle_table,
    known_curves,
    make_paper,
    padded_nodes,
)
from inkmark.analytics.irt._responses import bundle_codes, checked, item_names, require_known
from inkmark.analytics.irt.model import ItemParameters
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["CandidateScores", "ScoreMethod", "score_candidates"]


class ScoreMethod(StrEnum):
    """How an ability is estimated."""

    EAP = "eap"
    """Mean of the posterior distribution."""
    MAP = "map"
    """Peak of the posterior distribution."""
    ML = "ml"
    """Peak of the likelihood; infinite where every response is the lowest or the highest."""
    WLE = "wle"
    """Warm's weighted likelihood: without a prior, nearly unbiased, finite."""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateScores:
    """Abilities on the scale of the items.

    Attributes
    ----------
    theta : (n,) float64
        NaN where there is nothing to estimate it from.
    error : (n,) float64
        Standard error: of EAP the standard deviation of the posterior distribution, of the
        others from the curvature at the peak; NaN where theta is not finite.
    n_items : (n,) int64
        Items with a response.
    method : ScoreMethod
    """

    theta: FloatArray
    error: FloatArray
    n_items: IntArray
    method: ScoreMethod


def score_candidates(
    responses: npt.ArrayLike,
    items: ItemParameters,
    method: ScoreMethod = ScoreMethod.EAP,
    *,
    names: Sequence[str] | None = None,
    mean: npt.ArrayLike = 0.0,
    variance: npt.ArrayLike = 1.0,
    n_nodes: int = 61,
    reach: float = 6.0,
) -> CandidateScores:
    """Estimate abilities; a single candidate will do.

    EAP: Bock & Mislevy (1982), Applied Psychological Measurement 6. WLE: Warm (1989),
    Psychometrika 54, in the form of Samejima (1993) for several categories.

    Parameters
    ----------
    responses : (n, m) array_like
        As in `fit_irt`; a candidate without any is kept.
    items : ItemParameters
        Known parameters. Items that could not be fitted are passed over.
    method : ScoreMethod
    names : sequence of str, optional
        Items that the columns are about; by default all items, in their order.
    mean, variance : float or (n,) array_like
        Of ability in the group of each candidate, few different ones: the prior of EAP and
        MAP; the other methods look for the highest peak around there.
    n_nodes, reach
        As in `IrtOptions`, in standard deviations from the mean.

    Returns
    -------
    CandidateScores

    Raises
    ------
    AnalysisError
        A column is no known item, or a value is not one of its categories.
    """
    array, counts = checked(responses, names)
    n = len(array)
    places = _places(array.shape[1], items, names)
    columns = [column for column, place in enumerate(places) if items.categories[place]]
    if not columns:
        raise AnalysisError("No item has known parameters. Calibrate the items first.")
    for column in columns:
        place = places[column]
        require_known(counts, column, items.names[place], items.categories[place])
    paper = make_paper(
        columns,
        [items.models[place] for place in places],
        [len(items.categories[place]) for place in places],
        [True] * len(places),
    )
    bundles = bundle_items(
        paper.first,
        np.zeros(len(columns), dtype=np.int64),
        counts[paper.order].sum(axis=1) < n,
        widest=WIDEST if method is ScoreMethod.EAP else 1,
    )
    nodes, real = padded_nodes(n_nodes, reach)
    curves = known_curves(items, [places[c] for c in paper.order], paper.first, paper.graded)
    known = _Known(curves, bundles, nodes, node_weights(nodes, real, 0.0, 0.0), real)
    moments, rows, bounds = _sort_priors(mean, variance, n)
    categories = [items.categories[place] for place in places]
    codes = bundle_codes(array, rows, paper.order, categories, bundles)
    theta, error = np.empty(n), np.empty(n)

    def block(place: Block) -> None:
        group, start, stop = place
        own = rows[start:stop]
        theta[own], error[own] = known.scores(codes[start:stop], method, *moments[group])

    with workers(n) as run:
        for _ in run(block, blocks_of(bounds)):
            pass
    n_items = np.zeros(n, dtype=np.int64)
    for column in columns:
        n_items += ~np.isnan(array[:, column])
    if method in (ScoreMethod.ML, ScoreMethod.WLE):
        theta[n_items == 0] = error[n_items == 0] = math.nan
    return CandidateScores(theta, error, n_items, method)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Items with known parameters, ready for the kernels.

    Nodes and weights are those of a standard normal distribution.
    """

    curves: Curves
    bundles: Bundles
    nodes: FloatArray
    weights: FloatArray
    real: npt.NDArray[np.bool_]

    def scores(
        self, codes: npt.NDArray[np.uint8], method: ScoreMethod, mean: float, variance: float
    ) -> tuple[FloatArray, FloatArray]:
        """Abilities and their standard errors."""
        from inkmark.analytics.irt import _curve_kernels, _kernels  # noqa: PLC0415 - load numba

        theta, error = np.empty(len(codes)), np.empty(len(codes))
        spread = math.sqrt(variance)
        nodes = mean + spread * self.nodes
        has_prior = method in (ScoreMethod.EAP, ScoreMethod.MAP)
        is_mean = method is ScoreMethod.EAP
        _kernels.posterior_moments(
            codes,
            self.bundles.first,
            bundle_table(self.bundles, self.curves.at(nodes)[0]),
            self.weights if has_prior else self.real / np.sum(self.real),
            nodes,
            is_mean,
            theta,
            error,
        )
        if not is_mean:
            curves = self.curves
            _curve_kernels.find_modes(
                codes,
                curves.first,
                curves.graded,
                curves.slopes,
                curves.intercepts,
                curves.guessing,
                mean,
                spread,
                has_prior,
                method is ScoreMethod.WLE,
                theta.copy(),
                theta,
                error,
            )
        return theta, error


def _places(n_columns: int, items: ItemParameters, names: Sequence[str] | None) -> list[int]:
    """Which item each column is about."""
    if names is None:
        if n_columns != len(items.names):
            raise AnalysisError(
                f"{n_columns} columns of responses, and {len(items.names)} items. "
                "Name the items that the columns are about."
            )
        return list(range(n_columns))
    known = {name: place for place, name in enumerate(items.names)}
    labels = item_names(names, n_columns)
    strange = [name for name in labels if name not in known]
    if strange:
        raise AnalysisError(
            f"Item {strange[0]} is not among those with known parameters. Correct the name, "
            "or leave the column out."
        )
    return [known[name] for name in labels]


def _sort_priors(
    mean: npt.ArrayLike, variance: npt.ArrayLike, n: int
) -> tuple[FloatArray, IntArray, IntArray]:
    """Different means and variances (g, 2), rows by them, and where each begins."""
    moments = np.empty((n, 2))
    moments[:, 0], moments[:, 1] = mean, variance
    if not np.all(np.isfinite(moments)) or np.any(moments[:, 1] <= 0):
        raise AnalysisError(
            "The mean or the variance of ability is not a number, or the variance is not "
            "above 0. Give those of a fit that converged."
        )
    different, index, sizes = np.unique(moments, axis=0, return_inverse=True, return_counts=True)
    rows = np.argsort(index, kind="stable").astype(np.int64)
    return different, rows, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
