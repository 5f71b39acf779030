"""The responses that a fit is about, checked against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._responses import checked, require_known
from inkmark.analytics.irt.information import item_curves
from inkmark.analytics.irt.model import IrtFit, ParameterKind
from inkmark.analytics.irt.scoring import ScoreMethod, score_candidates
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["FittedResponses", "Residuals", "fitted_responses", "left_out"]

# Candidates whose curves are held at a time.
_BLOCK = 2048
# What the letters of a free parameter of an item are.
_OF_ITEMS = (
    ParameterKind.SLOPE,
    ParameterKind.INTERCEPT,
    ParameterKind.GUESSING,
    ParameterKind.CATEGORY_SLOPE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Responses of some candidates less what is expected of them; NaN where there is none.

    Attributes
    ----------
    residual : (n, m) float64
        Number of the category less its expectation.
    variance, fourth : (n, m) float64
        Second and fourth central moment of that number.
    """

    residual: FloatArray
    variance: FloatArray
    fourth: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FittedResponses:
    """Responses in the categories of a fit.

    Attributes
    ----------
    fit : IrtFit
    values : (n, m) float64
        As given.
    codes : (n, m) int64
        Number of the category; -1 where there is no response or the item was not fitted.
    groups : (n,) int64
        Group of each candidate in the fit.
    items : (k,) int64
        Those that were fitted.
    complete : (n,) bool
        Candidates with a response to each of them.
    """

    fit: IrtFit
    values: FloatArray
    codes: IntArray
    groups: IntArray
    items: IntArray
    complete: npt.NDArray[np.bool_]

    @property
    def n_complete(self) -> int:
        """Candidates with a response to each item that was fitted."""
        return int(self.complete.sum())

    @property
    def n_free(self) -> IntArray:
        """(m,): free parameters of each item."""
        items = [item for kind, item, _ in self.fit.parameters if kind in _OF_ITEMS]
        return np.bincount(items, minlength=len(self.fit.items.names)).astype(np.int64)

    def shares(self) -> FloatArray:
        """(q,): distribution of ability over the nodes among complete candidates."""
        sizes = np.bincount(self.groups[self.complete], minlength=len(self.fit.groups))
        return np.asarray(sizes @ self.fit.weights / sizes.sum())

    def residuals(self, method: ScoreMethod) -> Iterator[Residuals]:
        """Block by block; candidates without a finite ability have none."""
        fit = self.fit
        theta = score_candidates(
            self.values,
            fit.items,
            method,
            mean=fit.mean[self.groups],
            variance=fit.variance[self.groups],
            n_nodes=len(fit.nodes),
            reach=float(fit.nodes[-1]),
        ).theta
        rows = np.flatnonzero(np.isfinite(theta) & np.any(self.codes >= 0, axis=1))
        for start in range(0, len(rows), _BLOCK):
            own = rows[start : start + _BLOCK]
            chance = np.nan_to_num(item_curves(fit.items, theta[own]).probability)
            number = np.arange(chance.shape[1], dtype=float)[:, None]
            mean = np.einsum("k,mkt->mt", number[:, 0], chance)
            apart = (number - mean[:, None]) ** 2
            codes = self.codes[own]
            seen = codes >= 0
            second = np.einsum("mkt,mkt->tm", apart, chance)
            fourth = np.einsum("mkt,mkt->tm", apart**2, chance)
            yield Residuals(
                *(np.where(seen, part, np.nan) for part in (codes - mean.T, second, fourth))
            )


def fitted_responses(
    fit: IrtFit, responses: npt.ArrayLike, groups: npt.ArrayLike | None
) -> FittedResponses:
    """Check the responses of a fit.

    Parameters
    ----------
    fit : IrtFit
    responses : (n, m) array_like
        A column an item of the fit, in its order.
    groups : (n,) array_like or None
        Labels, as the fit was given them.

    Raises
    ------
    AnalysisError
        They are not those of the fit.
    """
    names = fit.items.names
    if np.ndim(responses) != 2 or np.shape(responses)[1] != len(names):
        raise AnalysisError(
            f"Responses of shape {np.shape(responses)} do not go with a fit of {len(names)} "
            "items. Give those it was fitted to."
        )
    values, counts = checked(responses, names)
    codes = np.full(values.shape, -1, dtype=np.int64)
    for item, categories in enumerate(fit.items.categories):
        if categories:
            require_known(counts, item, names[item], categories)
            seen = ~np.isnan(values[:, item])
            codes[seen, item] = np.searchsorted(categories, values[seen, item])
    items = np.array([i for i, found in enumerate(fit.items.categories) if found], dtype=np.int64)
    complete = np.all(codes[:, items] >= 0, axis=1)
    return FittedResponses(fit, values, codes, _places(fit, groups, len(values)), items, complete)


def _places(fit: IrtFit, groups: npt.ArrayLike | None, n: int) -> IntArray:
    """Group of each candidate."""
    if groups is None:
        if len(fit.groups) > 1:
            raise AnalysisError(
                f"The fit has {len(fit.groups)} groups. Give the labels it was fitted with."
            )
        return np.zeros(n, dtype=np.int64)
    labels = np.asarray(groups).astype(str)
    known = {name: place for place, name in enumerate(fit.groups)}
    strange = sorted(set(labels.reshape(-1).tolist()) - set(known))
    if labels.shape != (n,) or strange:
        what = f"group {strange[0]}" if strange else f"labels of shape {labels.shape}"
        raise AnalysisError(
            f"The fit has {n} candidates of the groups {', '.join(fit.groups) or 'without name'}, "
            f"and not {what}. Give the labels it was fitted with."
        )
    return np.array([known[label] for label in labels], dtype=np.int64)


def left_out(fit: IrtFit) -> tuple[AnalysisWarning, ...]:
    """One warning an item that was not fitted."""
    return tuple(
        AnalysisWarning(
            "item-not-fitted",
            name,
            f"Item {name} was not fitted, and its fit is unknown. See the warnings of the fit.",
        )
        for name, found in zip(fit.items.names, fit.items.categories, strict=True)
        if not found
    )
