"""Turn the vector of free parameters into what people read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from inkmark.analytics.irt._families import intercept_columns
from inkmark.analytics.irt._likelihood import Likelihood
from inkmark.analytics.irt._maximise import Maximum
from inkmark.analytics.irt._plan import Plan
from inkmark.analytics.irt.model import (
    IrtFit,
    ItemErrors,
    ItemModel,
    ItemParameters,
    ParameterKind,
)
from inkmark.analytics.model import AnalysisWarning, FloatArray

__all__ = ["collect"]

# Beyond these, on a logit scale, a slope is a step and an estimate no estimate.
_STEEPEST, _WIDEST_ERROR = 10.0, 10.0
# Standard deviations of ability that the nodes must cover, and that are plenty.
_NARROWEST, _ENOUGH = 3.9, 5.0


def collect(plan: Plan, likelihood: Likelihood, end: Maximum, groups: tuple[str, ...]) -> IrtFit:
    """Gather a fit."""
    paper = likelihood.paper
    names, models, categories = plan.names, plan.models, plan.categories
    state = likelihood.state(end.x)
    m, top = len(names), max(len(values) for values in categories) - 1
    a, g = np.full(m, math.nan), np.full(m, math.nan)
    d, s = np.full((m, top), math.nan), np.full((m, top), math.nan)
    for item, column in enumerate(paper.order):
        rows = slice(int(paper.first[item]) + 1, int(paper.first[item + 1]))
        width = rows.stop - rows.start
        d[column, :width] = state.curves.intercepts[rows]
        g[column] = state.curves.guessing[item]
        if models[column] is ItemModel.NOMINAL:
            s[column, :width] = state.curves.slopes[rows]
        else:
            a[column] = state.curves.slopes[rows.start]
    items = ItemParameters(names, models, categories, a, d, g, s)
    errors, parameters = _item_errors(likelihood, end, items)
    variance = np.exp(2 * state.log_sd)
    moment_errors = np.full(likelihood.moments.shape, math.nan)
    for group, columns in enumerate(likelihood.moments):
        for place, kind in enumerate((ParameterKind.MEAN, ParameterKind.LOG_SD)):
            column = int(columns[place])
            if column >= 0:
                parameters[column] = (kind, group, 0)
                moment_errors[group, place] = math.sqrt(end.covariance[column, column])
    fit = IrtFit(
        items=items,
        errors=errors,
        groups=groups,
        mean=state.mean,
        variance=variance,
        mean_error=moment_errors[:, 0],
        variance_error=2 * variance * moment_errors[:, 1],
        log_likelihood=likelihood.log_likelihood(end.x),
        log_posterior=end.value,
        n_candidates=len(likelihood.codes),
        n_parameters=len(end.x),
        covariance=end.covariance,
        parameters=tuple(parameters[column] for column in range(len(end.x))),
        nodes=likelihood.nodes[likelihood.real],
        weights=state.weights[:, likelihood.real],
        n_iterations=end.n_iterations,
        converged=end.converged,
        reason=end.reason,
        warnings=plan.warnings,
    )
    return replace(fit, warnings=(*plan.warnings, *_doubts(fit)))


def _doubts(fit: IrtFit) -> Iterator[AnalysisWarning]:
    """What to be wary of in the results."""
    if not fit.converged:
        yield AnalysisWarning(
            "not-converged",
            "",
            f"The fit did not converge: {fit.reason}. Do not use its figures; take a model with "
            "fewer parameters, or priors, or analyse more papers together.",
        )
    if np.any(np.isnan(fit.covariance)):
        yield AnalysisWarning(
            "no-errors",
            "",
            "There are no standard errors, as the data leave some parameters open. Take a model "
            "with fewer parameters, or priors.",
        )
    items, errors = fit.items, fit.errors
    for item, name in enumerate(items.names):
        slopes = np.abs([items.a[item], *items.s[item]])
        spread = np.array([errors.a[item], *errors.d[item], *errors.s[item]])
        if np.any(slopes > _STEEPEST) or np.any(spread > _WIDEST_ERROR):
            yield AnalysisWarning(
                "unsettled-item",
                name,
                f"Item {name}: these responses hardly bound its parameters. Take a prior on "
                "slopes, a model with fewer parameters, or analyse more papers together.",
            )
    gap, reach = fit.nodes[1] - fit.nodes[0], fit.nodes[-1]
    for name, mean, sd in zip(fit.groups, fit.mean, np.sqrt(fit.variance), strict=True):
        if reach - abs(mean) < _NARROWEST * sd:
            yield AnalysisWarning(
                "narrow-nodes",
                name,
                "Abilities spread beyond the nodes. Fit again with a reach of "
                f"{abs(mean) + _ENOUGH * sd:.0f} or more and as many more nodes.",
            )
        if sd < gap:
            yield AnalysisWarning(
                "no-spread",
                name,
                "Candidates hardly differ in ability, as far as these items tell. Do not use "
                "their abilities, nor fit indices that rest on them.",
            )


def _item_errors(
    likelihood: Likelihood, end: Maximum, items: ItemParameters
) -> tuple[ItemErrors, dict[int, tuple[ParameterKind, int, int]]]:
    """Standard errors, and what each free parameter of an item is."""
    m, top = items.d.shape
    a, g, logit_g = (np.full(m, math.nan) for _ in range(3))
    d, b, s = (np.full((m, top), math.nan) for _ in range(3))
    meaning: dict[int, tuple[ParameterKind, int, int]] = {}
    for batch in likelihood.paper.batches:
        k = batch.n_categories - 1
        inside = intercept_columns(batch)
        for place, columns in enumerate(batch.columns):
            item = int(likelihood.paper.order[batch.items.start + place])
            covariance = end.covariance[np.ix_(columns, columns)]
            errors = np.sqrt(np.diag(covariance))
            d[item, :k] = errors[inside]
            for c in range(k):
                meaning[int(columns[inside.start + c])] = (ParameterKind.INTERCEPT, item, c)
            if batch.model is ItemModel.NOMINAL:
                s[item, :k] = errors[:k]
                for c in range(k):
                    meaning[int(columns[c])] = (ParameterKind.CATEGORY_SLOPE, item, c)
                continue
            slopes = difficulty_slopes(batch.model, items.a[item], items.d[item, :k])
            if batch.model.has_fixed_slope:
                slopes = slopes[:, 1:]
            else:
                a[item] = errors[0]
                meaning[int(columns[0])] = (ParameterKind.SLOPE, item, 0)
            if batch.model is ItemModel.PL3:
                logit_g[item] = errors[2]
                g[item] = errors[2] * items.g[item] * (1 - items.g[item])
                meaning[int(columns[2])] = (ParameterKind.GUESSING, item, 0)
            n = slopes.shape[1]
            b[item, :k] = np.sqrt(np.einsum("ki,ij,kj->k", slopes, covariance[:n, :n], slopes))
    return ItemErrors(a, d, b, g, logit_g, s), meaning


def difficulty_slopes(model: ItemModel, a: float, d: FloatArray) -> FloatArray:
    """(K - 1, K): derivatives of b by a and d."""
    k = len(d)
    result = np.zeros((k, k + 1))
    own = np.arange(k)
    result[own, own + 1] = -1 / a
    step = d
    if not model.is_graded:
        result[own[1:], own[1:]] = 1 / a
        step = np.diff(d, prepend=0.0)
    result[:, 0] = step / a**2
    return result
