"""How probable each option of an item is for each candidate."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from inkmark.analytics.integrity.model import Answers, OptionCurves
from inkmark.analytics.irt import ItemParameters, item_curves
from inkmark.analytics.model import FloatArray
from inkmark.errors import AnalysisError

__all__ = ["given_curves", "nominal_probabilities", "score_curves"]

# Nodes are a quarter of the bandwidth apart: finer ones change nothing that can be seen.
_NODES_A_BANDWIDTH = 4
# Pairs of a right and a wrong answer that the mean weight of all items counts for.
_PRIOR_PAIRS = 10.0


def score_curves(answers: Answers) -> OptionCurves:
    """Share of each option among candidates with about the same score.

    The score is the weighted share of right answers among those given. An item weighs as much
    as those who solved it did better on the others than those who missed it, drawn towards
    the mean weight where one of the two are few. Shares are smoothed over scores with a normal
    kernel, the kernel smoothing of Ramsay (1991), Psychometrika 56, with its bandwidth
    1.1 sd n^(-1/5); one more candidate, who answers as all do together, keeps shares off 0
    where few are near.

    Parameters
    ----------
    answers : Answers

    Returns
    -------
    OptionCurves
        A candidate without any answer stands at the first node.
    """
    choices, k = answers.choices, answers.n_options
    n, m = choices.shape
    taken = np.any(choices >= 0, axis=1)
    score = _scores(answers)
    low, high = float(score[taken].min()), float(score[taken].max())
    bandwidth = 1.1 * float(np.std(score[taken])) * int(np.sum(taken)) ** -0.2
    if bandwidth > 0:
        g = math.ceil((high - low) / bandwidth * _NODES_A_BANDWIDTH) + 1
        position = np.where(taken, (score - low) / (high - low) * (g - 1), 0.0)
        apart = (high - low) / (g - 1) / bandwidth
    else:
        g, position, apart = 1, np.zeros(n), 0.0
    counts = np.empty((g, m, k))
    node = np.rint(position).astype(np.int64)
    for item in range(m):
        given = choices[:, item] >= 0
        cell = node[given] * k + choices[given, item]
        counts[:, item] = np.bincount(cell, minlength=g * k).reshape(g, k)
    together = counts.sum(axis=0)
    together /= np.maximum(together.sum(axis=1, keepdims=True), 1)
    distance = np.arange(g)[:, None] - np.arange(g)[None, :]
    weight = np.exp(-0.5 * (distance * apart) ** 2)
    smooth = np.tensordot(weight, counts, axes=1) + together
    total = smooth.sum(axis=2, keepdims=True)
    return OptionCurves(smooth / np.where(total > 0, total, 1.0), position)


def _scores(answers: Answers) -> FloatArray:
    """Weighted share of right answers among those given, (n,); 0 without any."""
    choices, key = answers.choices, answers.key
    n_right = np.sum(choices == key, axis=1)
    n_given = np.sum(choices >= 0, axis=1)
    difference, pairs = np.zeros(choices.shape[1]), np.zeros(choices.shape[1])
    for item in np.flatnonzero(answers.informative):
        given = choices[:, item] >= 0
        right = choices[given, item] == key[item]
        rest = (n_right[given] - right) / np.maximum(n_given[given] - 1, 1)
        if 0 < np.sum(right) < len(right):
            difference[item] = rest[right].mean() - rest[~right].mean()
            pairs[item] = np.sum(right) * np.sum(~right) / len(right)
    mean = np.sum(pairs * difference) / max(np.sum(pairs), 1e-9)
    if mean > 0:
        weight = (pairs * difference + _PRIOR_PAIRS * mean) / (pairs + _PRIOR_PAIRS)
        weight = np.maximum(weight, 0.0)
    else:
        weight = np.ones(len(pairs))
    possible = (choices >= 0) @ weight
    return np.asarray((choices == key) @ weight / np.where(possible > 0, possible, 1.0))


def nominal_probabilities(
    items: ItemParameters, theta: npt.ArrayLike, n_options: int
) -> FloatArray:
    """Option probabilities of candidates under nominal items; Bock (1972), Psychometrika 37.

    Parameters
    ----------
    items : ItemParameters
        Fitted to the options chosen; one that could not be fitted gets 0 throughout.
    theta : (n,) array_like
        Abilities.
    n_options : int
        K; options that nobody chose when the items were fitted have probability 0.

    Returns
    -------
    (n, m, K) float64
    """
    curves = item_curves(items, theta)
    shares = np.zeros((len(curves.theta), len(items.names), n_options))
    for item, values in enumerate(items.categories):
        shares[:, item, list(values)] = curves.probability[item, : len(values)].T
    return shares


def given_curves(probabilities: npt.ArrayLike, answers: Answers) -> OptionCurves:
    """Option probabilities from a model, such as the nominal one, checked.

    Parameters
    ----------
    probabilities : (n, m, K) array_like
        For each candidate, given that the item is answered.
    answers : Answers

    Returns
    -------
    OptionCurves

    Raises
    ------
    AnalysisError
        The shape is wrong, options do not add up to 1, or an answer is impossible.
    """
    shares: FloatArray = np.ascontiguousarray(probabilities, dtype=np.float64)
    n, m = answers.choices.shape
    if shares.shape[:2] != (n, m) or shares.ndim != 3 or shares.shape[2] < answers.n_options:
        raise AnalysisError(
            f"Option probabilities of shape {shares.shape} do not fit {n} candidates, {m} items "
            f"and {answers.n_options} options. Give one for each option of each item to each "
            "candidate."
        )
    shares = np.where(answers.informative[:, None], shares, 0.0)
    off = ~(np.abs(shares.sum(axis=2) - 1) <= 1e-6) | np.any(shares < 0, axis=2)
    for item in np.flatnonzero(answers.informative):
        answered = np.unique(answers.choices[:, item])
        answered = answered[answered >= 0]
        if np.any(off[:, item]) or np.any(shares[:, item, answered] <= 0):
            raise AnalysisError(
                f"Item {answers.items[item]}: option probabilities do not add up to 1, or an "
                "option that was chosen has probability 0. Give those of a fitted model."
            )
    return OptionCurves(shares, np.arange(n, dtype=np.float64))
