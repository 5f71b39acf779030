"""Linking: the scale of one calibration put on that of another by the items in common.

Abilities on the scale of the new form become A theta + B on that of the base form. Fits that
share items of one model but not candidates differ by such a line only.

References
----------
.. [1] Kolen, M. J. and Brennan, R. L. "Test Equating, Scaling, and Linking", 3rd edition,
   Springer 2014, chapter 6.
.. [2] Ogasawara, H. "Standard errors of item response theory equating/linking by response
   function methods", Applied Psychological Measurement 25, 2001.
.. [3] Battauz, M. "IRT test equating in complex linkage plans", Psychometrika 78, 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np

from inkmark.analytics.irt.information import item_curves
from inkmark.analytics.irt.model import IrtFit, ItemModel, ItemParameters, ParameterKind
from inkmark.analytics.model import AnalysisWarning, FloatArray
from inkmark.errors import AnalysisError

__all__ = ["Linking", "LinkingMethod", "chain_links", "link_forms", "on_base_scale"]

_NODES = np.linspace(-6.0, 6.0, 61)
_STEP = 1e-4
_ENOUGH = 1e-13


class LinkingMethod(StrEnum):
    """How A and B are found."""

    MEAN_MEAN = "mean-mean"
    """A by the mean slopes, B by the mean difficulties."""
    MEAN_SIGMA = "mean-sigma"
    """A by the spread of the difficulties, B by their means."""
    HAEBARA = "haebara"
    """Least squares between the curves of every category of every item in common."""
    STOCKING_LORD = "stocking-lord"
    """Least squares between the expected scores on all items in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Linking:
    """What turns abilities of the new form into those of the base form, A theta + B.

    Attributes
    ----------
    method : LinkingMethod
    slope, intercept : float
        A and B.
    slope_error, intercept_error : float
        Standard errors by the delta method; NaN where a form comes without a covariance.
    items : tuple of str
        In common, as far as they were used.
    warnings : tuple of AnalysisWarning
        Items in common that could not be used.
    """

    method: LinkingMethod
    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    items: tuple[str, ...]
    warnings: tuple[AnalysisWarning, ...]


def link_forms(
    new: IrtFit | ItemParameters,
    base: IrtFit | ItemParameters,
    method: LinkingMethod = LinkingMethod.STOCKING_LORD,
    *,
    common: Sequence[str] | None = None,
) -> Linking:
    """Link two calibrations by the items of one name.

    Where all items in common have a fixed slope, A is 1.

    Parameters
    ----------
    new, base : IrtFit or ItemParameters
        Standard errors need fits, with their covariances.
    method : LinkingMethod
        The two methods by curves weigh abilities by a standard normal distribution on the
        scale of the base form.
    common : sequence of str, optional
        Items to link by; by default all that both forms have.

    Returns
    -------
    Linking

    Raises
    ------
    AnalysisError
        If no item in common can be used.
    """
    return _solve(new, base, method, common).linking


def chain_links(
    forms: Sequence[IrtFit | ItemParameters],
    method: LinkingMethod = LinkingMethod.STOCKING_LORD,
) -> Linking:
    """Link the first form to the last by way of those between.

    Parameters
    ----------
    forms : sequence of IrtFit or ItemParameters
        Neighbours have items in common.
    method : LinkingMethod

    Returns
    -------
    Linking
        Its standard errors take into account that a form between is part of two links. Its
        items are those of all links.

    Raises
    ------
    AnalysisError
        For fewer than two forms, or neighbours without a usable item in common.
    """
    if len(forms) < 2:
        raise AnalysisError("A chain links at least two forms. Give more.")
    solved = [_solve(new, base, method, None) for new, base in pairwise(forms)]
    slope, intercept = 1.0, 0.0
    derivatives: list[FloatArray] = [np.zeros((2, 0)) for _ in forms]
    for place, one in enumerate(solved):
        a, b = one.linking.slope, one.linking.intercept
        # A <- a A and B <- a B + b
        onward = np.array([[a, 0.0], [0.0, a]])
        own = np.array([[slope, 0.0], [intercept, 1.0]])
        derivatives = [onward @ d for d in derivatives]
        derivatives[place] = _plus(derivatives[place], own @ one.by_new)
        derivatives[place + 1] = own @ one.by_base
        slope, intercept = a * slope, a * intercept + b
    errors = _errors(forms, derivatives)
    return Linking(
        method,
        slope,
        intercept,
        *errors,
        tuple(dict.fromkeys(name for one in solved for name in one.linking.items)),
        tuple(warning for one in solved for warning in one.linking.warnings),
    )


def on_base_scale(items: ItemParameters, linking: Linking) -> ItemParameters:
    """Give the items of the new form their parameters on the scale of the base form."""
    return _moved(items, linking.slope, linking.intercept)


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """A link, with the derivatives (2, p) of A and B by the free parameters of both forms."""

    linking: Linking
    by_new: FloatArray
    by_base: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Common:
    """The items in common, with their parameters in both forms."""

    new: ItemParameters
    base: ItemParameters
    method: LinkingMethod

    @property
    def has_one_slope(self) -> bool:
        return all(model.has_fixed_slope for model in self.new.models)

    def constants(self, start: FloatArray | None = None) -> FloatArray:
        """A and B."""
        if self.method in (LinkingMethod.MEAN_MEAN, LinkingMethod.MEAN_SIGMA):
            return self._by_moments(self.method)
        return self._by_curves(
            self._by_moments(LinkingMethod.MEAN_MEAN) if start is None else start
        )

    def derivative(
        self, side: int, parameter: tuple[ParameterKind, int, int], found: FloatArray
    ) -> FloatArray:
        """Change (2,) of A and B with one parameter of the new (0) or the base form (1)."""
        ends = []
        for step in (_STEP, -_STEP):
            new = _stepped(self.new, parameter, step) if side == 0 else self.new
            base = _stepped(self.base, parameter, step) if side == 1 else self.base
            ends.append(_Common(new, base, self.method).constants(found))
        return np.asarray((ends[0] - ends[1]) / (2 * _STEP))

    def _by_moments(self, method: LinkingMethod) -> FloatArray:
        usable = np.array([model is not ItemModel.NOMINAL for model in self.new.models], dtype=bool)
        if not usable.any():
            return np.array([1.0, 0.0])
        b, b_base = (items.b[usable][~np.isnan(items.b[usable])] for items in (self.new, self.base))
        if self.has_one_slope:
            slope = 1.0
        elif method is LinkingMethod.MEAN_MEAN:
            slope = float(self.new.a[usable].mean() / self.base.a[usable].mean())
        else:
            slope = float(b_base.std() / b.std()) if b.std() > 0 else np.nan
        return np.array([slope, b_base.mean() - slope * b.mean()])

    def _by_curves(self, start: FloatArray) -> FloatArray:
        from scipy.optimize import least_squares  # noqa: PLC0415 - loaded where it is needed

        residuals = self._residuals()

        def by_shift(x: FloatArray) -> FloatArray:
            return residuals(np.array([1.0, x[0]]))

        def by_both(x: FloatArray) -> FloatArray:
            return residuals(np.array([np.exp(x[0]), x[1]]))  # over ln A, as A is positive

        if self.has_one_slope:
            shift = least_squares(by_shift, start[1:], method="lm", xtol=_ENOUGH, ftol=_ENOUGH)
            return np.array([1.0, shift.x[0]])
        first = np.array([np.log(start[0]), start[1]])
        found = least_squares(by_both, first, method="lm", xtol=_ENOUGH, ftol=_ENOUGH)
        return np.array([np.exp(found.x[0]), found.x[1]])

    def _residuals(self) -> Callable[[FloatArray], FloatArray]:
        root = np.exp(-0.25 * _NODES**2)
        root /= np.sqrt((root**2).sum())
        target = item_curves(self.base, _NODES)

        def residuals(constants: FloatArray) -> FloatArray:
            moved = _moved(self.new, float(constants[0]), float(constants[1]))
            curves = item_curves(moved, _NODES)
            if self.method is LinkingMethod.HAEBARA:
                apart = curves.probability - target.probability
                return np.asarray(np.nan_to_num(apart * root).ravel())
            apart = curves.expected.sum(axis=0) - target.expected.sum(axis=0)
            return np.asarray(apart * root)

        return residuals


def _solve(
    new: IrtFit | ItemParameters,
    base: IrtFit | ItemParameters,
    method: LinkingMethod,
    wanted: Sequence[str] | None,
) -> _Solved:
    items = [form.items if isinstance(form, IrtFit) else form for form in (new, base)]
    pairs, warnings = _pairs(items[0], items[1], method, wanted)
    names = tuple(items[0].names[i] for i, _ in pairs)
    own, other = (_picked(some, [pair[k] for pair in pairs]) for k, some in enumerate(items))
    common = _Common(own, other, method)
    found = common.constants()
    if not (np.isfinite(found).all() and found[0] > 0):
        raise AnalysisError(
            f"The {len(names)} items in common do not determine a scale by {method}. Give more "
            "items, or choose another method."
        )
    derivatives = []
    for k, form in enumerate((new, base)):
        place = {pair[k]: n for n, pair in enumerate(pairs)}
        columns = [
            common.derivative(k, (kind, place[i], j), found)
            if i in place and kind not in (ParameterKind.MEAN, ParameterKind.LOG_SD)
            else np.zeros(2)
            for kind, i, j in (form.parameters if isinstance(form, IrtFit) else ())
        ]
        derivatives.append(np.array(columns, dtype=np.float64).reshape(-1, 2).T)
    errors = _errors((new, base), derivatives)
    linking = Linking(method, float(found[0]), float(found[1]), *errors, names, tuple(warnings))
    return _Solved(linking, *derivatives)


def _pairs(
    new: ItemParameters,
    base: ItemParameters,
    method: LinkingMethod,
    common: Sequence[str] | None,
) -> tuple[list[tuple[int, int]], list[AnalysisWarning]]:
    """Positions of the items in common that can be used, and why others cannot."""
    wanted = set(new.names) & set(base.names) if common is None else set(common)
    missing = wanted - (set(new.names) & set(base.names))
    if missing:
        raise AnalysisError(
            f"Items {', '.join(sorted(missing))} are not in both forms. Link by others."
        )
    by_moments = method in (LinkingMethod.MEAN_MEAN, LinkingMethod.MEAN_SIGMA)
    pairs, warnings = [], []
    for i, name in enumerate(new.names):
        if name not in wanted:
            continue
        j = base.names.index(name)
        if not new.categories[i] or not base.categories[j]:
            why = "it could not be fitted in one of the forms"
        elif new.models[i] is not base.models[j] or new.categories[i] != base.categories[j]:
            why = "its model or its categories differ between the forms"
        elif by_moments and new.models[i] is ItemModel.NOMINAL:
            why = "nominal items have no difficulty; link by curves"
        else:
            pairs.append((i, j))
            continue
        warnings.append(AnalysisWarning("item-not-linked", name, f"item {name}: {why}."))
    if not pairs:
        raise AnalysisError(
            "The forms have no item in common that can be used. Calibrate them with common "
            "items, named alike."
        )
    return pairs, warnings


def _picked(items: ItemParameters, rows: Sequence[int]) -> ItemParameters:
    return ItemParameters(
        tuple(items.names[i] for i in rows),
        tuple(items.models[i] for i in rows),
        tuple(items.categories[i] for i in rows),
        *(values[list(rows)] for values in (items.a, items.d, items.g, items.s)),
    )


def _moved(items: ItemParameters, slope: float, intercept: float) -> ItemParameters:
    """Parameters for abilities slope theta + intercept in place of theta."""
    steps = np.arange(1, items.d.shape[1] + 1)
    graded = np.array([model.is_graded for model in items.models], dtype=bool)
    nominal = np.array([model is ItemModel.NOMINAL for model in items.models], dtype=bool)
    per_category = np.where(graded[:, None], 1.0, steps) * items.a[:, None]
    per_category = np.where(nominal[:, None], items.s, per_category)
    return replace(
        items,
        a=items.a / slope,
        d=items.d - per_category * intercept / slope,
        s=items.s / slope,
    )


def _stepped(
    items: ItemParameters, parameter: tuple[ParameterKind, int, int], step: float
) -> ItemParameters:
    kind, item, category = parameter
    a, d, g, s = (values.copy() for values in (items.a, items.d, items.g, items.s))
    if kind is ParameterKind.SLOPE:
        a[item] += step
    elif kind is ParameterKind.INTERCEPT:
        d[item, category] += step
    elif kind is ParameterKind.GUESSING:
        logit = np.log(g[item] / (1 - g[item])) + step
        g[item] = 1 / (1 + np.exp(-logit))
    else:
        s[item, category] += step
    return replace(items, a=a, d=d, g=g, s=s)


def _plus(first: FloatArray, second: FloatArray) -> FloatArray:
    return first + second if first.size else second


def _errors(
    forms: Sequence[IrtFit | ItemParameters], derivatives: Sequence[FloatArray]
) -> tuple[float, float]:
    """Standard errors of A and B, of forms that were calibrated with different candidates."""
    covariance = np.zeros((2, 2))
    for form, by in zip(forms, derivatives, strict=True):
        if not isinstance(form, IrtFit):
            return np.nan, np.nan
        covariance += by @ form.covariance @ by.T
    slope, intercept = np.sqrt(np.diag(covariance))
    return float(slope), float(intercept)
