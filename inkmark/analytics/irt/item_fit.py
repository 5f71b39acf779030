"""Fit of single items, and items that share more than ability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._fitted import FittedResponses, fitted_responses, left_out
from inkmark.analytics.irt.information import item_curves
from inkmark.analytics.irt.model import IrtFit
from inkmark.analytics.irt.scoring import ScoreMethod
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.analytics.significance import Adjustment, adjusted_known, rmsea
from inkmark.errors import AnalysisError

__all__ = ["ItemFit", "LocalDependence", "item_fit", "local_dependence"]

# Standard deviation of a mean square beyond which its z means nothing more (Linacre 2002).
_WIDEST = math.sqrt(2)
# Variances are divided by, also squared.
_TINY = 1e-100
# Candidates who answered both items, below which a correlation says nothing.
_FEWEST = 10


@dataclass(frozen=True, slots=True, eq=False)
class ItemFit:
    """How well each of m items follows its curve; NaN where that cannot be computed.

    Attributes
    ----------
    items : tuple of str
    n_complete : int
        Candidates who answered every item: S-X2 rests on them.
    s_x2 : (m,) float64
        Chi-squared of observed and expected responses by total score.
    df : (m,) int64
    p : (m,) float64
    adjusted_p : (m,) float64
        For the number of items.
    rmsea : (m,) float64
        Misfit per degree of freedom; up to .05 is close fit.
    n_responses : (m,) int64
        Responses that the mean squares rest on.
    infit, outfit : (m,) float64
        Mean squares of the residuals, 1 where the model holds: weighted by information, and
        plain. Above 1 there is more noise than the model has, below 1 less.
    infit_z, outfit_z : (m,) float64
        The same as standard normal deviates.
    warnings : tuple of AnalysisWarning
    """

    items: tuple[str, ...]
    n_complete: int
    s_x2: FloatArray
    df: IntArray
    p: FloatArray
    adjusted_p: FloatArray
    rmsea: FloatArray
    n_responses: IntArray
    infit: FloatArray
    infit_z: FloatArray
    outfit: FloatArray
    outfit_z: FloatArray
    warnings: tuple[AnalysisWarning, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LocalDependence:
    """Correlations of the residuals of m items.

    Attributes
    ----------
    items : tuple of str
    n_both : (m, m) int64
        Candidates who answered both items.
    q3 : (m, m) float64
        NaN on the diagonal, and where fewer than 10 candidates answered both.
    mean : float
        Of all pairs; below 0, about -1 / (m - 1), where nothing is wrong.
    warnings : tuple of AnalysisWarning
    """

    items: tuple[str, ...]
    n_both: IntArray
    q3: FloatArray
    mean: float
    warnings: tuple[AnalysisWarning, ...]

    @property
    def adjusted(self) -> FloatArray:
        """(m, m): Q3 less the mean of all pairs."""
        return np.asarray(self.q3 - self.mean)

    def pairs(self, above: float = 0.2) -> tuple[tuple[str, str, float], ...]:
        """Pairs of items with an adjusted Q3 above a limit, the largest first.

        Parameters
        ----------
        above : float
            .2 is usual, and rarely passed by chance from a few hundred candidates on.
        """
        one, two = np.triu_indices(len(self.items), 1)
        values = self.adjusted[one, two]
        order = [int(k) for k in np.argsort(-values, kind="stable") if values[k] > above]
        return tuple((self.items[one[k]], self.items[two[k]], float(values[k])) for k in order)


def item_fit(
    fit: IrtFit,
    responses: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    method: ScoreMethod = ScoreMethod.EAP,
    least_cell: float = 1.0,
    least_variance: float = 0.0,
    adjustment: Adjustment = Adjustment.BENJAMINI_HOCHBERG,
) -> ItemFit:
    """Compare the responses to each item with its curve.

    S-X2: Orlando & Thissen (2000), Applied Psychological Measurement 24; for several
    categories Kang & Chen (2008), Journal of Educational Measurement 45. Infit and outfit:
    Wright & Masters (1982), Rating Scale Analysis.

    Parameters
    ----------
    fit : IrtFit
    responses : (n, m) array_like
        Those it was fitted to. S-X2 takes the complete candidates, mean squares take all.
    groups : (n,) array_like, optional
        Labels as the fit was given them; needed where it has several groups.
    method : ScoreMethod
        Of the abilities that the mean squares rest on. EAP abilities keep close to the mean,
        which makes mean squares a little smaller than 1.
    least_cell : float
        Cells of S-X2 where fewer candidates are expected are joined.
    least_variance : float
        Smaller variances of a response count as this in mean squares: one careless slip of a
        candidate who was sure to be right makes outfit as large as it likes.
    adjustment : Adjustment
        Of the p-values for the number of items.

    Returns
    -------
    ItemFit

    Raises
    ------
    AnalysisError
        The responses are not those of the fit.
    """
    from scipy.stats import chi2  # noqa: PLC0415 - loads slowly

    if not least_cell > 0 or not least_variance >= 0:
        raise AnalysisError(
            f"The least cell is {least_cell} and the least variance {least_variance}. Give more "
            "than 0 for the one and 0 or more for the other."
        )
    data = fitted_responses(fit, responses, groups)
    statistic, df, warnings = _by_score(data, least_cell)
    p = np.where(np.isnan(statistic), np.nan, chi2.sf(statistic, np.maximum(df, 1)))
    squares = _mean_squares(data, method, least_variance)
    return ItemFit(
        fit.items.names,
        data.n_complete,
        statistic,
        df,
        p,
        adjusted_known(p, adjustment),
        np.array([rmsea(*test, data.n_complete)[0] for test in zip(statistic, df, strict=True)]),
        squares.n,
        *squares.infit(),
        *squares.outfit(),
        (*left_out(fit), *warnings),
    )


def local_dependence(
    fit: IrtFit,
    responses: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    method: ScoreMethod = ScoreMethod.EAP,
) -> LocalDependence:
    """Q3: correlations of what ability leaves unexplained of the responses to two items.

    Yen (1984), Applied Psychological Measurement 8; less their mean as of Marais (2013) and
    Christensen, Makransky & Horton (2017), Applied Psychological Measurement 41.

    Parameters
    ----------
    fit : IrtFit
    responses : (n, m) array_like
        Those it was fitted to. Each pair takes the candidates who answered both.
    groups : (n,) array_like, optional
        Labels as the fit was given them; needed where it has several groups.
    method : ScoreMethod

    Returns
    -------
    LocalDependence

    Raises
    ------
    AnalysisError
        The responses are not those of the fit.
    """
    data = fitted_responses(fit, responses, groups)
    m = len(fit.items.names)
    n, total, square, product = (np.zeros((m, m)) for _ in range(4))
    for block in data.residuals(method):
        seen = ~np.isnan(block.residual)
        here, both = np.where(seen, block.residual, 0.0), seen.astype(np.float64)
        n += both.T @ both
        total += here.T @ both
        square += (here**2).T @ both
        product += here.T @ here
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = square - total**2 / n
        q3 = (product - total * total.T / n) / np.sqrt(spread * spread.T)
    q3[(n < _FEWEST) | ~np.isfinite(q3)] = np.nan
    np.fill_diagonal(q3, np.nan)
    warnings = list(left_out(fit))
    fitted = q3[np.ix_(data.items, data.items)][np.triu_indices(len(data.items), 1)]
    if np.isnan(fitted).any():
        warnings.append(
            AnalysisWarning(
                "pairs-unseen",
                "",
                f"{np.isnan(fitted).sum()} of {len(fitted)} pairs of items were answered by too "
                "few candidates, or do not vary: whether they depend on each other is unknown.",
            )
        )
    mean = float(np.nanmean(fitted)) if np.isfinite(fitted).any() else math.nan
    return LocalDependence(fit.items.names, n.astype(np.int64), q3, mean, tuple(warnings))


# Responses by total score


def _by_score(
    data: FittedResponses, least_cell: float
) -> tuple[FloatArray, IntArray, list[AnalysisWarning]]:
    """S-X2 of each item with its degrees of freedom, and what could not be computed."""
    fit = data.fit
    m = len(fit.items.names)
    statistic, df = np.full(m, np.nan), np.zeros(m, dtype=np.int64)
    warnings: list[AnalysisWarning] = []
    if not data.n_complete:
        warnings.append(
            AnalysisWarning(
                "no-complete",
                "",
                "Nobody has answered every item, and S-X2 compares candidates of equal total "
                "scores. Analyse the items that were taken together.",
            )
        )
        return statistic, df, warnings
    codes = data.codes[data.complete]
    score = codes[:, data.items].sum(axis=1)
    chance = item_curves(fit.items, fit.nodes).probability
    tables = [chance[item, : len(fit.items.categories[item])] for item in data.items]
    weights = data.shares()
    top = sum(len(table) - 1 for table in tables)
    sizes = np.bincount(score, minlength=top + 1)
    for item, table, rest in zip(
        data.items, tables, _without_each(tables, np.ones((1, len(fit.nodes)))), strict=True
    ):
        k = len(table)
        observed, expected = np.zeros((top + 1, k)), np.zeros((top + 1, k))
        for category in range(k):
            own = score[codes[:, item] == category]
            observed[:, category] = np.bincount(own, minlength=top + 1)
            expected[category : category + len(rest), category] = rest * table[category] @ weights
        expected *= (sizes / expected.sum(axis=1))[:, None]
        cells = _collapsed(observed, expected, least_cell)
        # The slope that items share, where it is fixed, is the spread of ability.
        n_free = data.n_free[item]
        if n_free and fit.items.models[item].has_fixed_slope:
            n_free += 1
        df[item] = max(sum(len(o) - 1 for o, _ in cells) - n_free, 0)
        if df[item]:
            statistic[item] = sum(float((((o - e) ** 2) / e).sum()) for o, e in cells)
        else:
            warnings.append(
                AnalysisWarning(
                    "no-s-x2",
                    fit.items.names[item],
                    f"Item {fit.items.names[item]}: too few scores have enough candidates for "
                    "S-X2. Analyse more papers together.",
                )
            )
    return statistic, df, warnings


def _without_each(tables: Sequence[FloatArray], outside: FloatArray) -> list[FloatArray]:
    """Distribution of the total score of all items but one, for each, given ability.

    Lord & Wingersky (1984), Applied Psychological Measurement 8; half of the items at a time.

    Parameters
    ----------
    tables : sequence of (K, q) float64
    outside : (s, q) float64
        Distribution of the score of items that are not among the tables.

    Returns
    -------
    list of (s, q) float64
    """
    if len(tables) == 1:
        return [outside]
    half = len(tables) // 2
    result = []
    for own, others in ((tables[:half], tables[half:]), (tables[half:], tables[:half])):
        score = outside
        for table in others:
            longer = np.zeros((len(score) + len(table) - 1, score.shape[1]))
            for category, row in enumerate(table):
                longer[category : category + len(score)] += score * row
            score = longer
        result += _without_each(own, score)
    return result


def _collapsed(
    observed: FloatArray, expected: FloatArray, least: float
) -> list[tuple[FloatArray, FloatArray]]:
    """Join cells (scores, K) until enough candidates are expected in each; score by score.

    Scores at which some category cannot occur join the nearest at which all can; the lowest
    and the highest score say nothing. Within a score the smallest cell joins the smaller of
    its neighbours as long as more than two are left. Where even two are too small, the score
    joins the neighbouring one with fewer candidates, cell by cell from the lowest.
    """
    top, k = len(observed) - 1, observed.shape[1]
    low, high = k - 1, top - (k - 1)
    if low > high:
        return []
    rows = []
    for score in range(low, high + 1):
        joined = slice(1 if score == low else score, top if score == high else score + 1)
        if observed[joined].any():
            rows.append(_joined(observed[joined].sum(axis=0), expected[joined].sum(axis=0), least))
    while len(rows) > 1:
        short = next((i for i, (_, e) in enumerate(rows) if e.min() < least), None)
        if short is None:
            return rows
        beside = [i for i in (short - 1, short + 1) if 0 <= i < len(rows)]
        other = min(beside, key=lambda i: (rows[i][0].sum(), i))
        rows[other] = (_sum(rows[other][0], rows[short][0]), _sum(rows[other][1], rows[short][1]))
        del rows[short]
    return [row for row in rows if row[1].min() >= least]


def _joined(
    observed: FloatArray, expected: FloatArray, least: float
) -> tuple[FloatArray, FloatArray]:
    """Join the smallest cell of a score to a neighbour until all are large enough or two."""
    o, e = list(observed), list(expected)
    while len(e) > 2 and min(e) < least:
        cell = len(e) - 1 - int(np.argmin(e[::-1]))
        beside = [i for i in (cell - 1, cell + 1) if 0 <= i < len(e)]
        other = min(beside, key=lambda i: (e[i], i))
        o[other] += o[cell]
        e[other] += e[cell]
        del o[cell], e[cell]
    return np.array(o), np.array(e)


def _sum(one: FloatArray, two: FloatArray) -> FloatArray:
    """Sum of two rows of cells, the shorter one filled up with 0."""
    result = np.zeros(max(len(one), len(two)))
    result[: len(one)] += one
    result[: len(two)] += two
    return result


# Mean squares


@dataclass(frozen=True, slots=True, eq=False)
class _Squares:
    """Sums over candidates, (m,) each: r residual, w its variance, c its fourth moment."""

    n: IntArray
    standard: FloatArray  # r^2 / w
    kurtosis: FloatArray  # c / w^2
    square: FloatArray  # r^2
    variance: FloatArray  # w
    excess: FloatArray  # c - w^2

    def outfit(self) -> tuple[FloatArray, FloatArray]:
        """The plain mean square, and its z."""
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.maximum(self.kurtosis / self.n**2 - 1 / self.n, 0))
            return _deviate(self.standard / self.n, spread)

    def infit(self) -> tuple[FloatArray, FloatArray]:
        """The mean square weighted by variance, and its z."""
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.maximum(self.excess, 0)) / self.variance
            return _deviate(self.square / self.variance, spread)


def _deviate(mean_square: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A mean square, and z by its cube root (Wilson & Hilferty 1931)."""
    q = np.minimum(spread, _WIDEST)
    z = (np.cbrt(mean_square) - 1) * 3 / q + q / 3
    return mean_square, np.where(spread > 0, z, np.nan)


def _mean_squares(data: FittedResponses, method: ScoreMethod, least_variance: float) -> _Squares:
    sums = np.zeros((6, data.codes.shape[1]))
    for block in data.residuals(method):
        w = np.maximum(block.variance, max(least_variance, _TINY))
        square = block.residual**2
        parts = (square / w, block.fourth / w**2, square, w, block.fourth - w**2)
        sums[0] += np.sum(~np.isnan(square), axis=0)
        sums[1:] += [np.nansum(part, axis=0) for part in parts]
    return _Squares(sums[0].astype(np.int64), *sums[1:])
