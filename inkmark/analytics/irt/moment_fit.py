"""Fit of a whole paper, from the means of items and the products of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._families import log_derivatives
from inkmark.analytics.irt._fitted import FittedResponses, fitted_responses, left_out
from inkmark.analytics.irt._paper import make_paper
from inkmark.analytics.irt.information import item_curves
from inkmark.analytics.irt.model import IrtFit, ParameterKind
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.analytics.significance import rmsea

__all__ = ["MomentFit", "Moments", "moment_fit"]

# Moments whose covariances are held at a time: 100 right-or-wrong items have 5,050.
_MOST = 5050
# Complete candidates below this are no evidence on pairs of items.
_FEWEST = 10


class Moments(StrEnum):
    """What is compared, beside the mean product of the categories of each pair of items."""

    M2 = "m2"
    """The mean category of each item (M2, of items of several categories M2*)."""
    C2 = "c2"
    """The share of each category of each item (C2): for short papers of items of several
    categories. Of right-or-wrong items the same as M2."""


@dataclass(frozen=True, slots=True, eq=False)
class MomentFit:
    """How far a model is from the data; small is good, NaN where the data do not say.

    Attributes
    ----------
    moments : Moments
    n_complete : int
        Candidates who answered every item: all figures rest on them.
    statistic : float
        M2 or C2, chi-squared where the model holds.
    df : int
    p : float
    rmsea, rmsea_low, rmsea_high : float
        Misfit per degree of freedom, with its 90 % interval.
    srmsr : float
        Root mean square of the differences of the correlations of items.
    warnings : tuple of AnalysisWarning
    """

    moments: Moments
    n_complete: int
    statistic: float
    df: int
    p: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmsr: float
    warnings: tuple[AnalysisWarning, ...]


def moment_fit(
    fit: IrtFit,
    responses: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    moments: Moments = Moments.M2,
) -> MomentFit:
    """Compare first and second moments of the items with those expected.

    M2: Maydeu-Olivares & Joe (2006), Psychometrika 71; of sums M2*: Cai & Hansen (2013), Br.
    J. Math. Stat. Psychol. 66; C2: Cai & Monroe (2014), CRESST Report 839. RMSEA and SRMSR:
    Maydeu-Olivares & Joe (2014), Multivar. Behav. Res. 49.

    Parameters
    ----------
    fit : IrtFit
    responses : (n, m) array_like
        Those it was fitted to; candidates with gaps are left out.
    groups : (n,) array_like, optional
        Labels as the fit was given them; needed where it has several groups.
    moments : Moments

    Returns
    -------
    MomentFit

    Raises
    ------
    AnalysisError
        The responses are not those of the fit.
    """
    from scipy.stats import chi2  # noqa: PLC0415 - loads slowly

    data = fitted_responses(fit, responses, groups)
    statistic, df, why = _statistic(data, moments)
    warnings = list(left_out(fit))
    if why:
        warnings.append(AnalysisWarning("no-m2", "", f"{moments.upper()} is unknown: {why}"))
    return MomentFit(
        moments,
        data.n_complete,
        statistic,
        df,
        float(chi2.sf(statistic, df)) if df else math.nan,
        *rmsea(statistic, df, data.n_complete),
        _srmsr(data),
        tuple(warnings),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Items:
    """Items that were fitted, at the nodes, and their moments: firsts, then pairs.

    Attributes
    ----------
    table : (k, K, q) float64
        Probabilities; 0 beyond the categories of an item.
    mean, square : (k, q) float64
        Of the category and of its square.
    owner, category : (f,) int64
        Item of each first moment, and the category it is about; 0 where it is the mean.
    one, two : (p,) int64
        Items of each pair.
    """

    table: FloatArray
    mean: FloatArray
    square: FloatArray
    owner: IntArray
    category: IntArray
    one: IntArray
    two: IntArray

    @property
    def given(self) -> FloatArray:
        """(f + p, q): moments given ability."""
        by_category = self.table[self.owner, self.category]
        first = np.where(self.category[:, None] > 0, by_category, self.mean[self.owner])
        return np.concatenate([first, self.mean[self.one] * self.mean[self.two]])

    def of(self, item: int) -> tuple[IntArray, FloatArray, FloatArray]:
        """Moments (h,) of an item: value at each of its categories (h, K), others' mean (h, q)."""
        firsts = np.flatnonzero(self.owner == item)
        pairs = np.flatnonzero((self.one == item) | (self.two == item))
        other = np.where(self.one == item, self.two, self.one)[pairs]
        number = np.arange(self.table.shape[1])
        about = self.category[firsts][:, None]
        value = np.concatenate(
            [
                np.where(about > 0, number == about, number),
                np.broadcast_to(number, (len(pairs), len(number))),
            ]
        )
        rest = np.concatenate([np.ones((len(firsts), self.mean.shape[1])), self.mean[other]])
        places = np.concatenate([firsts, len(self.owner) + pairs])
        return places, value.astype(np.float64), rest

    def observed(self, codes: IntArray) -> FloatArray:
        """(f + p,): the moments of (n, k) categories."""
        x = codes.astype(np.float64)
        own = codes[:, self.owner]
        first = np.where(self.category > 0, own == self.category, own).mean(axis=0)
        return np.concatenate([first, (x.T @ x / len(x))[self.one, self.two]])

    def covariance(self, weights: FloatArray) -> FloatArray:
        """Covariances of the moments of one candidate, (f + p, f + p).

        Given ability, moments without an item in common are independent.
        """
        given = self.given
        expected = given @ weights
        centred = given - expected[:, None]
        result = (centred * weights) @ centred.T
        for item, table in enumerate(self.table):
            places, value, rest = self.of(item)
            block = -np.outer(expected[places], expected[places])
            for category in range(1, len(table)):
                part = rest * value[:, category, None]
                block += (part * (weights * table[category])) @ part.T
            result[np.ix_(places, places)] = block
        own = np.arange(len(self.owner), len(result))
        product = (self.square[self.one] * self.square[self.two]) @ weights
        result[own, own] = product - expected[own] ** 2
        return result


def _items(data: FittedResponses, moments: Moments) -> _Items:
    fit = data.fit
    table = np.nan_to_num(item_curves(fit.items, fit.nodes).probability[data.items])
    top = [len(fit.items.categories[item]) - 1 for item in data.items]
    firsts = [
        (item, category)
        for item, highest in enumerate(top)
        for category in (range(1, highest + 1) if moments is Moments.C2 else (0,))
    ]
    owner, category = np.array(firsts, dtype=np.int64).T
    mean, square = (
        np.einsum("k,jkq->jq", np.arange(table.shape[1], dtype=float) ** power, table)
        for power in (1, 2)
    )
    one, two = np.triu_indices(len(table), 1)
    return _Items(table, mean, square, owner, category, one, two)


def _statistic(data: FittedResponses, moments: Moments) -> tuple[float, int, str]:
    """The statistic, its degrees of freedom, and why there is none."""
    from scipy import linalg  # noqa: PLC0415 - loads slowly

    items = _items(data, moments)
    size = len(items.owner) + len(items.one)
    groups = data.groups[data.complete]
    present = np.unique(groups)
    n_parameters = data.fit.n_parameters
    if why := _obstacle(data.n_complete, size, len(present), n_parameters):
        return math.nan, 0, why
    codes = data.codes[data.complete][:, data.items]
    # Weighted least squares of the residuals on the derivatives; what is left is the statistic.
    total = 0.0
    crossed, squares = np.zeros(n_parameters), np.zeros((n_parameters, n_parameters))
    for group in present:
        own = groups == group
        weights = data.fit.weights[group]
        residual = items.observed(codes[own]) - items.given @ weights
        variance = items.covariance(weights)
        try:
            root = linalg.cholesky(variance.T, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            return math.nan, 0, "some moments follow from others. Take fewer categories."
        sides = np.column_stack([residual, _slopes(data, items, int(group))])
        scaled = linalg.solve_triangular(root, sides, lower=True, overwrite_b=True)
        n = int(own.sum())
        total += n * float(scaled[:, 0] @ scaled[:, 0])
        crossed += n * scaled[:, 1:].T @ scaled[:, 0]
        squares += n * scaled[:, 1:].T @ scaled[:, 1:]
    # On scales of their own, so that the rank does not depend on the units of parameters.
    scale = np.sqrt(np.diag(squares))
    scale[scale == 0] = 1
    solved, _, rank, _ = np.linalg.lstsq(squares / np.outer(scale, scale), crossed / scale, 1e-10)
    explained = float((crossed / scale) @ solved)
    return max(total - explained, 0.0), size * len(present) - int(rank), ""


def _obstacle(n_complete: int, size: int, n_groups: int, n_parameters: int) -> str:
    """Why there is no statistic; empty where there is one."""
    if n_complete < _FEWEST:
        return f"{n_complete} candidates have answered every item. Analyse those taken together."
    if size > _MOST:
        return f"there are {size} moments. Look at parts of the paper."
    if size * n_groups <= n_parameters:
        return (
            f"the model has {n_parameters} parameters, and there are {size * n_groups} moments. "
            "Take C2, or analyse more items together."
        )
    return ""


def _slopes(data: FittedResponses, items: _Items, group: int) -> FloatArray:
    """Derivatives of the moments of a group by the free parameters, (f + p, parameters)."""
    fit, known = data.fit, data.fit.items
    weights, given = fit.weights[group], items.given
    result = np.zeros((len(given), fit.n_parameters))
    sizes = [len(values) for values in known.categories]
    paper = make_paper(data.items.tolist(), known.models, sizes, (data.n_free == 0).tolist())
    for batch in paper.batches:
        own = paper.order[batch.items]
        rows = np.searchsorted(data.items, own)
        table = items.table[rows, : batch.n_categories]
        slope = log_derivatives(batch, fit.nodes, table, known.g[own]) * table[:, None]
        for item, columns, by_category in zip(rows, batch.columns, slope, strict=True):
            places, value, rest = items.of(int(item))
            by_moment = np.einsum("hk,pkq->hpq", value[:, : batch.n_categories], by_category)
            part = np.einsum("hpq,hq,q->hp", by_moment, rest, weights)
            result[np.ix_(places, columns)] = part
    sd = math.sqrt(fit.variance[group])
    z = (fit.nodes - fit.mean[group]) / sd
    rise = {(ParameterKind.MEAN, group): z / sd, (ParameterKind.LOG_SD, group): z**2}
    for column, (kind, place, _) in enumerate(fit.parameters):
        if (kind, place) in rise:
            change = rise[kind, place]
            result[:, column] = given @ (weights * (change - weights @ change))
    return result


def _srmsr(data: FittedResponses) -> float:
    """Of complete candidates, in each group on its own."""
    items = _items(data, Moments.M2)
    codes = data.codes[data.complete][:, data.items]
    groups = data.groups[data.complete]
    total = 0.0
    for group in np.unique(groups):
        own = codes[groups == group]
        if len(own) < _FEWEST or not len(items.one):
            return math.nan
        weights = data.fit.weights[group]
        expected, observed = items.given @ weights, items.observed(own)
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = _correlations(observed, (own**2).mean(axis=0), items)
            gap -= _correlations(expected, items.square @ weights, items)
        total += len(own) * float(np.mean(gap**2))
    return math.sqrt(total / len(groups)) if len(groups) else math.nan


def _correlations(moments: FloatArray, square: FloatArray, items: _Items) -> FloatArray:
    """(p,): correlation of each pair, from first and second moments."""
    mean, product = moments[: len(square)], moments[len(square) :]
    spread = np.sqrt(square - mean**2)
    one, two = items.one, items.two
    return np.asarray((product - mean[one] * mean[two]) / (spread[one] * spread[two]))
