"""How well a model of diagnosis fits: the whole, pairs of items, single items, and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.classes import lay_out
from inkmark.analytics.diagnosis.data import known_answers
from inkmark.analytics.diagnosis.estimate import expected_at
from inkmark.analytics.diagnosis.items import ItemModels
from inkmark.analytics.diagnosis.model import DiagnosisFit, DiagnosticItem, Rule
from inkmark.analytics.diagnosis.structure import fitted_distribution
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.analytics.significance import rmsea
from inkmark.errors import AnalysisError

__all__ = ["ModelFit", "RuleTests", "model_fit", "rule_tests"]

_FEWEST = 10
"""Complete candidates below this are no evidence on pairs of items."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelFit:
    """Absolute fit of a model. Small values are good; NaN where the data does not say.

    Attributes
    ----------
    n_complete : int
        Candidates who answered every item: M2 rests on them.
    m2, m2_p : float
        Statistic of the first two moments of all items, and its p-value.
    m2_df : int
    rmsea, rmsea_low, rmsea_high : float
        Misfit per degree of freedom from M2, with its 90 % interval.
    srmsr : float
        Root mean square of the differences of the correlations of items.
    pair_n : (m, m) int64
        Candidates who answered both items.
    pair_z : (m, m) float64
        Difference of observed and expected correlation, in standard errors; NaN on the
        diagonal.
    pair_p : float
        Of the largest of them, times the number of pairs.
    item_rmsea : (m,) float64
        Root mean square difference of observed and expected success between classes.
    warnings : tuple of AnalysisWarning
    """

    n_complete: int
    m2: float
    m2_p: float
    m2_df: int
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmsr: float
    pair_n: IntArray
    pair_z: FloatArray
    pair_p: float
    item_rmsea: FloatArray
    warnings: tuple[AnalysisWarning, ...]


def model_fit(fit: DiagnosisFit, responses: npt.ArrayLike) -> ModelFit:
    """Compare what a model expects with what candidates solved.

    M2 and its RMSEA as of Maydeu-Olivares & Joe 2006 (Psychometrika 71, 713-732) and 2014
    (Multivar. Behav. Res. 49, 305-328), for these models Hansen, Cai, Monroe & Li 2016
    (Br. J. Math. Stat. Psychol. 69, 225-252); correlations as of Chen, de la Torre & Zhang
    2013 (J. Educ. Meas. 50, 123-140); RMSEA of items as of Oliveri & von Davier 2011
    (Psychol. Test Assess. Model. 53, 315-333).

    Parameters
    ----------
    fit : DiagnosisFit
    responses : (n, m) array_like
        Those it was fitted to.

    Returns
    -------
    ModelFit

    Raises
    ------
    AnalysisError
        Responses that do not fit the model.
    """
    from scipy import stats  # noqa: PLC0415 - loads slowly

    answers = known_answers(fit, responses)
    seen = (answers >= 0).astype(np.float64)
    right = (answers == 1).astype(np.float64)
    pair_n = seen.T @ seen
    rates, kinds = fit.rates(), fit.kinds()
    warnings = []

    upper = np.triu_indices(len(rates), 1)
    first = kinds @ rates.T
    second = (rates * kinds) @ rates.T
    expected = _correlation(first, first, second)[upper]
    with np.errstate(invalid="ignore", divide="ignore"):
        # Each share of the candidates who answered both items.
        share = (right.T @ seen) / pair_n
        observed = _correlation(share, share.T, (right.T @ right) / pair_n)[upper]
        observed[pair_n[upper] < _FEWEST] = np.nan
        difference = np.arctanh(np.clip(observed, -1, 1)) - np.arctanh(expected)
        z = difference * np.sqrt(np.maximum(pair_n[upper] - 3, 0))
    pair_z = np.full(pair_n.shape, np.nan)
    pair_z[upper] = z
    pair_z.T[upper] = z
    known = np.isfinite(z)
    pair_p = srmsr = np.nan
    if known.any():
        pair_p = min(1.0, float(2 * stats.norm.sf(np.abs(z[known]).max()) * known.sum()))
        srmsr = float(np.sqrt(((observed - expected)[known] ** 2).mean()))
    if not known.all():
        warnings.append(
            AnalysisWarning(
                "pairs-unseen",
                "",
                f"{(~known).sum()} of {len(known)} pairs of items were answered by too few "
                "candidates, or do not vary: their fit is unknown.",
            )
        )
    complete = right[seen.all(axis=1)]
    m2, df = _m2(fit, complete) if len(complete) > _FEWEST else (np.nan, 0)
    if np.isnan(m2):
        warnings.append(
            AnalysisWarning(
                "no-m2",
                "",
                "M2 cannot be computed: it asks for candidates who answered every item, and for "
                "more pairs of items than the model has parameters.",
            )
        )
    size, low, high = rmsea(m2, df, len(complete))
    return ModelFit(
        n_complete=len(complete),
        m2=m2,
        m2_p=float(stats.chi2.sf(m2, df)),
        m2_df=df,
        rmsea=size,
        rmsea_low=low,
        rmsea_high=high,
        srmsr=srmsr,
        pair_n=pair_n.astype(np.int64),
        pair_z=pair_z,
        pair_p=pair_p,
        item_rmsea=_item_rmsea(fit, responses),
        warnings=tuple(warnings),
    )


def _correlation(first: FloatArray, other: FloatArray, second: FloatArray) -> FloatArray:
    """Give the correlations of right answers from their shares."""
    if first.ndim == 1:
        first, other = first[:, None], other[None]
    spread = first * (1 - first) * other * (1 - other)
    return np.asarray((second - first * other) / np.sqrt(spread))


def _item_rmsea(fit: DiagnosisFit, responses: npt.ArrayLike) -> FloatArray:
    counts = expected_at(fit, responses)
    rate = np.divide(counts.right, counts.seen, out=fit.rates(), where=counts.seen > 1e-9)
    return np.sqrt(((rate - fit.rates()) ** 2) @ fit.kinds())


def _m2(fit: DiagnosisFit, right: FloatArray) -> tuple[float, int]:
    """Give the statistic of complete answers (n, m) and its degrees of freedom."""
    rates, kinds = fit.rates(), fit.kinds()
    n_items = len(rates)
    one, two = np.triu_indices(n_items, 1)
    # Moments: each item, then each pair; (t, s) given the kind of class.
    given = np.concatenate((rates, rates[one] * rates[two])).T
    slopes = _moment_slopes(fit, given)
    n_moments = given.shape[1]
    if slopes.shape[1] >= n_moments:
        return np.nan, 0
    expected = kinds @ given
    second = (given * kinds[:, None]).T @ given
    # A product of two moments holds the items that both have but once.
    holds = np.zeros((n_items, n_moments), dtype=bool)
    holds[np.arange(n_items), np.arange(n_items)] = True
    holds[one, n_items + np.arange(len(one))] = True
    holds[two, n_items + np.arange(len(two))] = True
    for j in range(n_items):
        part = given[:, holds[j]]
        second[np.ix_(holds[j], holds[j])] = (part * (kinds / rates[j])[:, None]).T @ part
    np.fill_diagonal(second, expected)
    variance = second - np.outer(expected, expected)
    observed = np.concatenate((right.mean(axis=0), ((right.T @ right) / len(right))[one, two]))
    values, vectors = np.linalg.eigh(variance)
    sound = values > 1e-10 * values[-1]
    root = vectors[:, sound] / np.sqrt(values[sound])
    residual, directions = root.T @ (observed - expected), root.T @ slopes
    coefficients, _, rank, _ = np.linalg.lstsq(directions, residual, rcond=1e-8)
    left = residual - directions @ coefficients
    df = int(sound.sum()) - int(rank)
    return (float(len(right) * (left @ left)), df) if df > 0 else (np.nan, 0)


def _moment_slopes(fit: DiagnosisFit, given: FloatArray) -> FloatArray:
    """Give the derivative (s, p) of the moments by all parameters of a model."""
    rules = [item.rule for item in fit.items]
    models = ItemModels(rules, lay_out(fit.q, rules, fit.classes.mastered), 0.0)
    by_group = models.slopes(np.concatenate([item.parameter for item in fit.items]))
    rates, kinds = fit.rates(), fit.kinds()
    n_items = len(rates)
    one, two = np.triu_indices(n_items, 1)
    slopes = np.zeros((given.shape[1], by_group.shape[1]))
    for j in range(n_items):
        own = models.parameter_range(j)
        of_kind = by_group[models.layout.group_of_kind[j], own]
        slopes[j, own] = kinds @ of_kind
        joint = (rates * kinds) @ of_kind
        for mine, other in ((one, two), (two, one)):
            pairs = np.flatnonzero(mine == j)
            slopes[n_items + pairs, own] = joint[other[pairs]]
    distribution, parameters = fitted_distribution(fit.classes)
    return np.hstack((slopes, given.T @ distribution.kind_slopes(parameters)))


@dataclass(frozen=True, slots=True, eq=False)
class RuleTests:
    """Whether simpler rules would do, a row an item that needs two attributes at least.

    Attributes
    ----------
    items : tuple of str
    rules : tuple of Rule
    statistic : (i, r) float64
        Wald's; NaN where the item's probabilities have no standard errors.
    df : (i, r) int64
    p : (i, r) float64
    """

    items: tuple[str, ...]
    rules: tuple[Rule, ...]
    statistic: FloatArray
    df: IntArray
    p: FloatArray

    def simplest(self, alpha: float = 0.05) -> tuple[Rule, ...]:
        """Choose the rule of each item.

        Parameters
        ----------
        alpha : float
            Rules with a smaller p-value are refused.

        Returns
        -------
        tuple of Rule
            Of the rules with the fewest parameters that are not refused, the one with the
            largest p-value; G-DINA where all are.
        """
        chosen = []
        for p, df in zip(self.p, self.df, strict=True):
            fits = np.flatnonzero(p >= alpha)
            best = max(fits, key=lambda r: (df[r], p[r]), default=None)
            chosen.append(Rule.GDINA if best is None else self.rules[best])
        return tuple(chosen)


_SIMPLER = (Rule.DINA, Rule.DINO, Rule.ACDM, Rule.LLM, Rule.RRUM)


def rule_tests(fit: DiagnosisFit, rules: Sequence[Rule] = _SIMPLER) -> RuleTests:
    """Test for each item whether a rule simpler than G-DINA would do.

    Wald tests (de la Torre & Lee 2013, J. Educ. Meas. 50, 355-373), with what a rule rules
    out taken on the scale of its link.

    Parameters
    ----------
    fit : DiagnosisFit
        Items of other rules than G-DINA are passed over.
    rules : sequence of Rule

    Returns
    -------
    RuleTests

    Raises
    ------
    AnalysisError
        No item to test.
    """
    from scipy import stats  # noqa: PLC0415 - loads slowly

    items = [item for item in fit.items if item.rule is Rule.GDINA and item.groups.shape[1] > 1]
    if not items:
        raise AnalysisError(
            "No item is of the rule G-DINA and needs two attributes at least. Fit the model with "
            "that rule first."
        )
    found = np.array([[_wald(item, rule) for rule in rules] for item in items])
    statistic, df = found[..., 0], found[..., 1].astype(np.int64)
    return RuleTests(
        items=tuple(item.item for item in items),
        rules=tuple(rules),
        statistic=statistic,
        df=df,
        p=np.asarray(stats.chi2.sf(statistic, df)),
    )


def _wald(item: DiagnosticItem, rule: Rule) -> tuple[float, int]:
    """Test what a rule rules out; give the statistic and its degrees of freedom."""
    from scipy.linalg import null_space  # noqa: PLC0415 - loads slowly

    able = {Rule.DINA: item.groups.all(axis=1), Rule.DINO: item.groups.any(axis=1)}.get(rule)
    design = np.column_stack(
        (np.ones(len(item.groups)), item.groups if able is None else able)
    ).astype(np.float64)
    ruled_out = null_space(design.T)
    if not np.isfinite(item.covariance).all() or not ruled_out.size:
        return np.nan, ruled_out.shape[1]
    rate = item.probability
    if rule is Rule.LLM:
        value, slope = np.log(rate / (1 - rate)), 1 / (rate * (1 - rate))
    elif rule is Rule.RRUM:
        value, slope = np.log(rate), 1 / rate
    else:
        value, slope = rate, np.ones(len(rate))
    contrast = ruled_out.T @ value
    jacobian = ruled_out.T * slope
    variance = jacobian @ item.covariance @ jacobian.T
    return float(contrast @ np.linalg.solve(variance, contrast)), len(contrast)
