"""Logistic regression of ordered categories on grouped counts."""

from __future__ import annotations

import math

import numpy as np

from inkmark.analytics.model import FloatArray

__all__ = ["fit_ordinal"]

# Probabilities stay above this where they are divided by.
_TINY = 1e-12
# The climb ends when a step promises less log-likelihood than this, or, where sums of many
# candidates are no more exact than that, than the second.
_ENOUGH, _NEARLY_ENOUGH = 1e-9, 1e-6
_MOST_STEPS = 100
_MOST_HALVINGS = 50


def fit_ordinal(counts: FloatArray, design: FloatArray) -> tuple[FloatArray, float]:
    """Fit proportional odds (McCullagh 1980, J. R. Stat. Soc. B 42) by Fisher's scoring.

    The logit of category k or a higher one is t_k + x b; of two categories that is logistic
    regression. Where groups are perfectly told apart b has no end; the log-likelihood has,
    and the climb stops when it is there.

    Parameters
    ----------
    counts : (c, K) float64
        Candidates in each category, cell by cell; each category occurs.
    design : (c, p) float64
        x of each cell, without a constant.

    Returns
    -------
    (p,) float64
        b.
    float
        Log-likelihood; NaN where the climb did not arrive.
    """
    n_cells, top = counts.shape[0], counts.shape[1] - 1
    share = counts.sum(axis=0)[:0:-1].cumsum()[::-1] / counts.sum()
    value = np.concatenate([np.log(share / (1 - share)), np.zeros(design.shape[1])])
    wide = np.zeros((n_cells, top, len(value)))
    wide[:, :, :top] = np.eye(top)
    wide[:, :, top:] = design[:, None]
    chance, rise = _curves(wide @ value)
    height = float((counts * np.log(chance)).sum())
    for _ in range(_MOST_STEPS):
        ratio = counts / chance
        slope = np.einsum("ck,ckv->v", rise * np.diff(ratio, axis=1), wide)
        info = _information(counts.sum(axis=1), chance, rise, wide)
        step = np.linalg.lstsq(info, slope, rcond=1e-12)[0]
        promise = float(slope @ step)
        if promise < _ENOUGH:
            return value[top:], height
        for _ in range(_MOST_HALVINGS):
            chance, rise = _curves(wide @ (value + step))
            new = float((counts * np.log(chance)).sum())
            if new > height:
                break
            step = step / 2
        else:
            return value[top:], height if promise < _NEARLY_ENOUGH else math.nan
        value, height = value + step, new
    return value[top:], math.nan


def _curves(logit: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probability of each category (c, K), and slope of each "or higher" (c, K - 1)."""
    reached = 0.5 + 0.5 * np.tanh(logit / 2)
    edge = np.ones((len(logit), 1))
    chance = -np.diff(np.concatenate([edge, reached, 0 * edge], axis=1), axis=1)
    return np.maximum(chance, _TINY), reached * (1 - reached)


def _information(
    size: FloatArray, chance: FloatArray, rise: FloatArray, wide: FloatArray
) -> FloatArray:
    """Expected information (v, v): neighbouring thresholds share a category."""
    own = size[:, None] * rise**2 * (1 / chance[:, 1:] + 1 / chance[:, :-1])
    result = np.einsum("ck,ckv,ckw->vw", own, wide, wide)
    between = size[:, None] * rise[:, 1:] * rise[:, :-1] / chance[:, 1:-1]
    crossed = np.einsum("ck,ckv,ckw->vw", between, wide[:, 1:], wide[:, :-1])
    return np.asarray(result - crossed - crossed.T)
