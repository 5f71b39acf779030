"""Fitting a model of diagnosis, from several starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkmark.analytics.acceleration import Stop
from inkmark.analytics.diagnosis.classes import Layout, lay_out, needed_before, reachable_classes
from inkmark.analytics.diagnosis.data import usable_part
from inkmark.analytics.diagnosis.estimate import Climb
from inkmark.analytics.diagnosis.items import ItemModels
from inkmark.analytics.diagnosis.model import (
    ClassModel,
    DiagnosisFit,
    DiagnosisOptions,
    DiagnosticItem,
    QMatrix,
    Rule,
    StartReport,
    Structure,
)
from inkmark.analytics.diagnosis.standard_errors import covariance
from inkmark.analytics.diagnosis.starts import best_climb
from inkmark.analytics.diagnosis.structure import Distribution, HigherOrder, Saturated
from inkmark.analytics.model import AnalysisWarning, FloatArray
from inkmark.errors import AnalysisError

__all__ = ["fit_diagnosis"]

_FEWEST = 3
"""Candidates for each parameter; with fewer a warning says so."""

_DEFAULT = DiagnosisOptions()


def fit_diagnosis(
    responses: npt.ArrayLike,
    q: QMatrix,
    rule: Rule | Sequence[Rule] = Rule.GDINA,
    options: DiagnosisOptions = _DEFAULT,
) -> DiagnosisFit:
    """Estimate which attributes candidates master from what they solved.

    Marginal maximum likelihood (de la Torre 2009, J. Educ. Behav. Stat. 34, 115-130; 2011,
    Psychometrika 76, 179-199).

    Parameters
    ----------
    responses : (n, m) array_like
        1 right, 0 wrong, NaN none. Items whose answers say nothing are left out with a
        warning; so are candidates without answers.
    q : QMatrix
        Of the m items.
    rule : Rule or sequence of Rule
        Of all items, or one an item.
    options : DiagnosisOptions

    Returns
    -------
    DiagnosisFit

    Raises
    ------
    AnalysisError
        Nothing to analyse, prerequisites in a circle or with unknown names, more classes than
        the options allow, or shapes that do not fit.
    """
    all_rules = [rule] * len(q.items) if isinstance(rule, Rule) else list(rule)
    if len(all_rules) != len(q.items):
        raise AnalysisError(
            f"There are {len(all_rules)} rules for {len(q.items)} items. Give one rule, or one "
            "for each item."
        )
    usable = usable_part(responses, q)
    rules = [all_rules[j] for j in usable.columns]
    # Prerequisites by way of an attribute that no item measures still hold.
    measured = [q.attributes.index(name) for name in usable.q.attributes]
    before = needed_before(q.attributes, options.prerequisites)[np.ix_(measured, measured)]
    layout = lay_out(usable.q, rules, reachable_classes(before, options.max_classes))
    models = ItemModels(rules, layout, options.prior)
    distribution: Distribution = (
        Saturated(layout.kind)
        if options.structure is Structure.SATURATED
        else HigherOrder(layout.mastered, layout.kind)
    )
    best, report = best_climb(usable.answers, models, distribution, options)
    of_items, of_classes = np.split(best.state, models.first[-1:])
    n_parameters = len(of_items) + distribution.n_parameters
    errors = covariance(usable.answers, models, distribution, best, options.information)
    return DiagnosisFit(
        q=usable.q,
        columns=usable.columns,
        n_columns=len(q.items),
        items=_items(usable.q, models, of_items, errors.items),
        classes=_classes(layout, distribution, of_classes, errors.structure),
        log_likelihood=best.counts.log_likelihood,
        n_parameters=n_parameters,
        n_candidates=len(usable.answers),
        stop=best.stop,
        n_iterations=best.n_iterations,
        starts=report,
        warnings=(
            *usable.warnings,
            *_size_warnings(len(usable.answers), n_parameters),
            *_fit_warnings(usable.q, models, best, report),
        ),
    )


def _size_warnings(n_candidates: int, n_parameters: int) -> list[AnalysisWarning]:
    if n_candidates >= _FEWEST * n_parameters:
        return []
    return [
        AnalysisWarning(
            "few-candidates",
            "",
            f"{n_candidates} candidates for {n_parameters} parameters: what was estimated is "
            "rough. Choose a simpler rule, name prerequisites, or let one ability stand behind "
            "the attributes.",
        )
    ]


def _fit_warnings(
    q: QMatrix, models: ItemModels, best: Climb, report: StartReport
) -> tuple[AnalysisWarning, ...]:
    warnings = []
    if best.stop is Stop.FLAT:
        warnings.append(
            AnalysisWarning(
                "flat-likelihood",
                "",
                "The data does not settle all parameters: some drift towards a bound, and the "
                "likelihood no longer changes. Choose a simpler rule or a weak prior.",
            )
        )
    if best.stop is Stop.ITERATIONS:
        warnings.append(
            AnalysisWarning(
                "not-converged",
                "",
                f"The estimation stopped after {best.n_iterations} iterations before it settled: "
                "allow more iterations, or choose a simpler rule.",
            )
        )
    ends = report.log_likelihood[np.isfinite(report.log_likelihood)]
    if report.agreeing < len(ends):
        gap = report.log_likelihood[report.best] - ends.min()
        warnings.append(
            AnalysisWarning(
                "starts-disagree",
                "",
                f"{report.agreeing} of {len(ends)} starts reached the best log-likelihood; the "
                f"others ended up to {gap:.2f} below it. Distrust fine differences, and prefer "
                "a simpler rule or more candidates.",
            )
        )
    n_classes, n_kinds = len(models.layout.kind), models.layout.group_of_kind.shape[1]
    if n_kinds < n_classes:
        warnings.append(
            AnalysisWarning(
                "classes-alike",
                "",
                f"The items tell apart {n_kinds} kinds of the {n_classes} classes; what they "
                "leave open stays open in the profiles. See the checks of the Q-matrix.",
            )
        )
    rates = models.rates(best.state[: models.first[-1]])
    for j, name in enumerate(q.items):
        part = rates[models.group_range(j)]
        if part[-1] <= part[0]:
            warnings.append(
                AnalysisWarning(
                    "item-inverted",
                    name,
                    f"Item {name} is solved no more often with the attributes it needs than "
                    "without. Check its key and its row of the Q-matrix.",
                )
            )
    return tuple(warnings)


def _items(
    q: QMatrix, models: ItemModels, parameters: FloatArray, errors: FloatArray
) -> tuple[DiagnosticItem, ...]:
    rates, slopes = models.rates(parameters), models.slopes(parameters)
    items = []
    for j, name in enumerate(q.items):
        groups, own = models.group_range(j), models.parameter_range(j)
        variance = errors[own, own]
        items.append(
            DiagnosticItem(
                item=name,
                rule=models.rules[j],
                attributes=tuple(np.array(q.attributes)[q.needs[j]].tolist()),
                groups=models.layout.groups[j].rows,
                group_of_class=models.layout.groups[j].of_class,
                probability=rates[groups],
                probability_se=_spread(slopes[groups, own], variance),
                parameter=parameters[own],
                covariance=variance,
            )
        )
    return tuple(items)


def _classes(
    layout: Layout, distribution: Distribution, parameters: FloatArray, errors: FloatArray
) -> ClassModel:
    empty = np.empty(0)
    intercept, intercept_se, slope, slope_se = empty, empty, empty, empty
    if isinstance(distribution, HigherOrder):
        intercept, slope = np.split(parameters, 2)
        intercept_se, slope_se = np.split(_spread(np.eye(len(parameters)), errors), 2)
    return ClassModel(
        mastered=layout.mastered,
        probability=distribution.classes(parameters),
        probability_se=_spread(distribution.class_slopes(parameters), errors),
        kind=layout.kind,
        slope=slope,
        slope_se=slope_se,
        intercept=intercept,
        intercept_se=intercept_se,
    )


def _spread(slopes: FloatArray, errors: FloatArray) -> FloatArray:
    """Give standard errors of what has the derivatives (r, p) by parameters (delta method).

    NaN for what depends on no parameter, or on one without a standard error.
    """
    known = ~np.isnan(np.diag(errors))
    sound = slopes.any(axis=1) & ~slopes[:, ~known].any(axis=1)
    part = slopes[np.ix_(sound, known)]
    spread = np.full(len(slopes), np.nan)
    spread[sound] = np.sqrt(((part @ errors[np.ix_(known, known)]) * part).sum(axis=1))
    return spread
