"""Answer patterns that a model of the paper, or the rest of the cohort, makes unlikely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.integrity.answers import check_names
from inkmark.analytics.irt import ItemParameters, item_curves
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["GuttmanFit", "PersonFit", "guttman_fit", "person_fit"]

# Candidates whose curves are held at a time.
_BLOCK = 1024
# Step of the central differences; their error is about its square.
_STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class PersonFit:
    """How likely each candidate's pattern is under an item response model.

    Attributes
    ----------
    n_items : (n,) int64
        Responses counted.
    lz : (n,) float64
        Standardised log-likelihood, as if ability were known. Low values are unlikely
        patterns. NaN where there is no response or ability is not finite.
    lz_star : (n,) float64
        With the mean and the variance that an estimated ability leaves: standard normal
        where the model holds. NaN also where one response settles the ability.
    p : (n,) float64
        Lower tail of `lz_star`.
    warnings : tuple of AnalysisWarning
    """

    n_items: IntArray
    lz: FloatArray
    lz_star: FloatArray
    p: FloatArray
    warnings: tuple[AnalysisWarning, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GuttmanFit:
    """How far each pattern is from solving the easy items and missing the hard ones.

    Attributes
    ----------
    n_items : (n,) int64
        Responses counted.
    errors : (n,) int64
        Guttman errors: pairs of items of which the harder was solved and the easier missed.
    share : (n,) float64
        Of the most that is possible with the same number right; NaN for all or none right.
    u3 : (n,) float64
        0 for a perfect pattern, 1 for its reverse; NaN for all or none right.
    warnings : tuple of AnalysisWarning
    """

    n_items: IntArray
    errors: IntArray
    share: FloatArray
    u3: FloatArray
    warnings: tuple[AnalysisWarning, ...]


def person_fit(
    responses: npt.ArrayLike,
    items: ItemParameters,
    theta: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
) -> PersonFit:
    """Standardised log-likelihood lz and lz*.

    lz: Drasgow, Levine & Williams (1985), British Journal of Mathematical and Statistical
    Psychology 38. lz*: Snijders (2001), Psychometrika 66, for several categories as in
    Sinharay (2016), Psychometrika 81. The weights ln P are made uncorrelated with the score
    function r. ML, WLE and MAP estimates make the sum of the score -r0 (0, Warm's term, the
    slope of the log-prior), so that the weighted residuals are less Snijders' centre -c r0 as
    they stand. EAP estimates solve no such equation; for them it holds to first order.

    Parameters
    ----------
    responses : (n, m) array_like
        Values of the items' categories; NaN for none.
    items : ItemParameters
        Those that could not be fitted are passed over.
    theta : (n,) array_like
        Estimated abilities.
    names : sequence of str, optional
        Of the candidates, for messages.

    Returns
    -------
    PersonFit

    Raises
    ------
    AnalysisError
        Shapes do not fit, or a value is not one of the item's categories.
    """
    from scipy.special import ndtr  # noqa: PLC0415 - slow to load

    table = np.asarray(responses, dtype=np.float64)
    ability = np.asarray(theta, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(items.names) or ability.shape != table.shape[:1]:
        raise AnalysisError(
            f"Responses of shape {table.shape} do not fit {len(items.names)} items and "
            f"{ability.size} abilities. Give a row for each ability and a column for each item."
        )
    people = check_names(names, len(table), "candidates")
    codes = _codes(table, items, people)
    n_items = np.sum(codes >= 0, axis=1)
    lz, lz_star = np.full(len(table), np.nan), np.full(len(table), np.nan)
    usable = np.flatnonzero(np.isfinite(ability) & (n_items > 0))
    for start in range(0, len(usable), _BLOCK):
        rows = usable[start : start + _BLOCK]
        lz[rows], lz_star[rows] = _standardised(codes[rows], items, ability[rows])
    return PersonFit(
        n_items, lz, lz_star, np.asarray(ndtr(lz_star)), _left_out(people, lz, "no-ability")
    )


def guttman_fit(scores: npt.ArrayLike, *, names: Sequence[str] | None = None) -> GuttmanFit:
    """U3 and the number of Guttman errors of right-or-wrong items.

    U3: van der Flier (1982), Journal of Cross-Cultural Psychology 13; its weights are the
    logits of the items' shares of right answers. Items equally often solved make no error.

    Parameters
    ----------
    scores : (n, m) array_like
        1 right, 0 wrong, NaN none. Items that everybody or nobody solved are left out.
    names : sequence of str, optional
        Of the candidates, for messages.

    Returns
    -------
    GuttmanFit

    Raises
    ------
    AnalysisError
        There are other values, or no item was solved by some and missed by others.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or not np.all(np.isnan(table) | (table == 0) | (table == 1)):
        raise AnalysisError(
            "Guttman errors are counted on a table of candidates by items with 1 for right, 0 "
            "for wrong and NaN for none. Correct the values."
        )
    people = check_names(names, len(table), "candidates")
    n_taken = np.sum(~np.isnan(table), axis=0)
    facility = np.nansum(table, axis=0) / np.maximum(n_taken, 1)
    order = np.argsort(-facility, kind="stable")
    order = order[(facility[order] > 0) & (facility[order] < 1)]
    if len(order) == 0:
        raise AnalysisError(
            "No item was solved by some and missed by others, so no pattern is unusual. Check "
            "that the scores are those of several candidates."
        )
    sorted_scores, easy_first = table[:, order], facility[order]
    taken = ~np.isnan(sorted_scores)
    right, wrong = sorted_scores == 1, sorted_scores == 0
    # Wrong answers to items strictly easier: those before the first of equal facility.
    before = np.concatenate([np.zeros((len(table), 1), np.int64), np.cumsum(wrong, axis=1)], axis=1)
    errors = np.sum(
        np.where(right, before[:, np.searchsorted(-easy_first, -easy_first)], 0), axis=1
    )
    n_items, n_right = taken.sum(axis=1), right.sum(axis=1)
    mixed = (n_right > 0) & (n_right < n_items)
    logit = np.log(easy_first / (1 - easy_first))
    place = np.cumsum(taken, axis=1)
    best = np.sum(np.where(taken & (place <= n_right[:, None]), logit, 0), axis=1)
    worst = np.sum(np.where(taken & (place > (n_items - n_right)[:, None]), logit, 0), axis=1)
    observed = np.sum(np.where(right, logit, 0), axis=1)
    span = best - worst
    share = np.where(mixed, errors / np.maximum(n_right * (n_items - n_right), 1), np.nan)
    apart = span > 1e-12
    u3 = np.where(apart, (best - observed) / np.where(apart, span, 1), np.nan)
    return GuttmanFit(n_items, errors, share, u3, _left_out(people, share, "no-pattern"))


def _codes(table: FloatArray, items: ItemParameters, people: Sequence[str]) -> IntArray:
    """Number of each response's category, -1 for none, (n, m)."""
    codes = np.full(table.shape, -1)
    for column, values in enumerate(items.categories):
        if not values:
            continue
        for code, value in enumerate(values):
            codes[table[:, column] == value, column] = code
        strange = np.flatnonzero(~np.isnan(table[:, column]) & (codes[:, column] < 0))
        if len(strange):
            raise AnalysisError(
                f"Item {items.names[column]}, candidate {people[strange[0]]}: "
                f"{table[strange[0], column]:g} is not one of the categories "
                f"{', '.join(str(value) for value in values)}. Correct the response, or "
                "calibrate the item anew."
            )
    return codes


def _standardised(
    codes: IntArray, items: ItemParameters, ability: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Both forms of lz of some candidates."""
    below, at, above = (
        item_curves(items, ability + step).probability.transpose(2, 0, 1)
        for step in (-_STEP, 0.0, _STEP)
    )
    exists = (codes >= 0)[:, :, None] & ~np.isnan(at)
    chance = np.where(exists, at, 0.0)
    weight = np.log(np.where(exists & (at > 0), at, 1.0))
    slope = np.where(exists, (above - below) / (2 * _STEP), 0.0)
    score = slope / np.where(chance > 0, chance, 1.0)
    surprise = (codes[:, :, None] == np.arange(at.shape[2])) - chance

    def standardised(weights: FloatArray) -> FloatArray:
        """Weighted residuals over their standard deviation; NaN where that is 0."""
        total = np.sum(surprise * weights, axis=(1, 2))
        square = np.sum(chance * weights**2, axis=2) - np.sum(chance * weights, axis=2) ** 2
        variance = np.sum(square, axis=1)
        possible = variance > 1e-9
        return np.where(possible, total / np.sqrt(np.where(possible, variance, 1.0)), np.nan)

    covariance = np.sum(slope * weight, axis=(1, 2))
    information = np.sum(slope * score, axis=(1, 2))
    known = information > 0
    c = np.where(known, covariance / np.where(known, information, 1.0), 0.0)
    return standardised(weight), standardised(weight - c[:, None, None] * score)


def _left_out(people: Sequence[str], figure: FloatArray, code: str) -> tuple[AnalysisWarning, ...]:
    """One warning that counts candidates without a figure."""
    missing = np.flatnonzero(np.isnan(figure))
    if len(missing) == 0:
        return ()
    text = (
        f"{len(missing)} candidates have no figure, among them {people[missing[0]]}: no response, "
        "no finite ability, or all or none right."
    )
    return (AnalysisWarning(code, people[missing[0]], text),)
