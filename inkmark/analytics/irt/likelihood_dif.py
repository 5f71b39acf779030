"""Differential item functioning by models: parameters of an item that differ between groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.irt._dif import Comparison, compare
from inkmark.analytics.irt.fitting import fit_irt
from inkmark.analytics.irt.information import item_curves
from inkmark.analytics.irt.model import IrtFit, IrtOptions, ItemModel
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.analytics.significance import Adjustment, adjusted_known
from inkmark.errors import AnalysisError

__all__ = ["LikelihoodDif", "likelihood_dif"]


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodDif:
    """Items with parameters of their own in each group; NaN where there is no such fit.

    Attributes
    ----------
    items : tuple of str
        Those that were tested.
    chi2 : (k,) float64
        Likelihood ratio of parameters that may differ against equal ones.
    df : (k,) int64
        Parameters of the item.
    p, adjusted_p : (k,) float64
    signed : (k,) float64
        Mean score that the focal group is expected to reach on the item, less what it would
        reach with the parameters of the reference group (SIDS); below 0 favours the reference
        group.
    unsigned : (k,) float64
        The same with differences taken as positive (UIDS): larger than the signed one where
        the curves cross.
    impact : float
        Mean ability of the focal group less that of the reference group, in standard
        deviations of the latter, no item but those free from the start having parameters of
        its own.
    warnings : tuple of AnalysisWarning
    """

    items: tuple[str, ...]
    chi2: FloatArray
    df: IntArray
    p: FloatArray
    adjusted_p: FloatArray
    signed: FloatArray
    unsigned: FloatArray
    impact: float
    warnings: tuple[AnalysisWarning, ...]


def likelihood_dif(
    responses: npt.ArrayLike,
    groups: npt.ArrayLike,
    reference: str,
    models: ItemModel | Sequence[ItemModel],
    *,
    items: Sequence[str] | None = None,
    anchors: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    options: IrtOptions | None = None,
    adjustment: Adjustment = Adjustment.BENJAMINI_HOCHBERG,
) -> LikelihoodDif:
    """Fit each item once with equal parameters in both groups, and once with different ones.

    Thissen, Steinberg & Wainer (1993) in Holland & Wainer, Differential Item Functioning;
    differences of expected scores by Meade (2010), J. Appl. Psychol. 95. Mean and variance of
    ability are free in one of the groups. A fit is made for each item tested.

    Parameters
    ----------
    responses : (n, m) array_like
        As in `fit_irt`; missing ones are welcome.
    groups : (n,) array_like
        Labels, two different ones.
    reference : str
        Label of the reference group.
    models : ItemModel or sequence of ItemModel
    items : sequence of str, optional
        To test; by default all, or all that are no anchors.
    anchors : sequence of str, optional
        Items known to be the same in both groups; all the others then have parameters of
        their own while one is tested. By default all items but the one tested are held equal.
    names : sequence of str, optional
        Of the items; 1, 2, 3 ... by default.
    options : IrtOptions, optional
    adjustment : Adjustment
        Of the p-values for the number of items tested.

    Returns
    -------
    LikelihoodDif

    Raises
    ------
    AnalysisError
        There are not two groups, an item is unknown, nothing is left that both groups have in
        common, or the responses cannot be fitted.
    """
    from scipy.stats import chi2  # noqa: PLC0415 - loads slowly

    data = compare(responses, groups, reference, None, names)
    every = frozenset(range(len(data.items)))
    named = every if anchors is None else frozenset(_places(data, anchors))
    tested = sorted(every if anchors is None else every - named)
    if items is not None:
        tested = _places(data, items)
    # What one group did not take, or scored alike on, cannot hold the groups together.
    held = {item for item in named if min(map(len, _categories(data, item))) > 1}
    free = every - held
    if any(not held - {item} for item in tested):
        raise AnalysisError(
            "No item is left that puts both groups on one scale while another is tested. Give "
            "other anchors, or more items."
        )
    paper = _Paper(data, models, options)
    base = paper.fit(free)
    df, figures = np.zeros(len(tested), dtype=np.int64), np.full((4, len(tested)), np.nan)
    warnings = list(base.warnings)
    for place, item in enumerate(tested):
        one, two = _categories(data, item)
        if len(one) < 2 or not np.array_equal(one, two):
            warnings.append(_missing(data.items[item], "not the same scores occur in both groups"))
            continue
        equal = paper.fit(free - {item}) if item in free else base
        different = base if item in free else paper.fit({item, *free})
        if not (equal.converged and different.converged):
            warnings.append(_missing(data.items[item], "a fit did not converge"))
            continue
        df[place] = different.n_parameters - equal.n_parameters
        statistic = max(2 * (different.log_likelihood - equal.log_likelihood), 0.0)
        gap = paper.differences(different, item)
        figures[:, place] = statistic, chi2.sf(statistic, df[place]), *gap
    other, own = (base.groups.index(label) for label in data.groups)
    return LikelihoodDif(
        items=tuple(data.items[item] for item in tested),
        chi2=figures[0],
        df=df,
        p=figures[1],
        adjusted_p=adjusted_known(figures[1], adjustment),
        signed=figures[2],
        unsigned=figures[3],
        impact=float((base.mean[own] - base.mean[other]) / np.sqrt(base.variance[other])),
        warnings=tuple(warnings),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Paper:
    """A paper of which some items may have parameters of their own in each group.

    Those items are two in the fit: one that only the reference group took, in its place, and
    one that only the focal group took, at the end.
    """

    data: Comparison
    models: ItemModel | Sequence[ItemModel]
    options: IrtOptions | None

    def fit(self, parted: Iterable[int]) -> IrtFit:
        """Fit with some items parted."""
        data, places = self.data, np.array(sorted(parted), dtype=np.int64)
        table = np.hstack([data.scores, data.scores[:, places]])
        table[np.ix_(data.focal, places)] = np.nan
        table[~data.focal, len(data.items) :] = np.nan
        names = [*data.items, *(self._of_focal(place) for place in places)]
        models = self.models
        if not isinstance(models, ItemModel):
            models = [*models, *(models[place] for place in places)]
        labels = np.where(data.focal, data.groups[1], data.groups[0])
        return fit_irt(table, models, names=names, groups=labels, options=self.options)

    def differences(self, fit: IrtFit, item: int) -> tuple[float, float]:
        """Expected scores of the focal group by both curves: difference, its absolute value."""
        expected = item_curves(fit.items, fit.nodes).expected
        own = fit.items.names.index(self._of_focal(item))
        apart = expected[own] - expected[item]
        weights = fit.weights[fit.groups.index(self.data.groups[1])]
        return float(weights @ apart), float(weights @ np.abs(apart))

    def _of_focal(self, item: int) -> str:
        return f"{self.data.items[item]} ({self.data.groups[1]})"


def _categories(data: Comparison, item: int) -> tuple[FloatArray, FloatArray]:
    """Scores that occur in each group."""
    taken = ~np.isnan(data.scores[:, item])
    return (
        np.unique(data.scores[taken & ~data.focal, item]),
        np.unique(data.scores[taken & data.focal, item]),
    )


def _places(data: Comparison, names: Sequence[str]) -> list[int]:
    """Where the items named stand."""
    known = {name: place for place, name in enumerate(data.items)}
    strange = [name for name in names if name not in known]
    if strange or not names:
        raise AnalysisError(
            f"Item {strange[0]} is not in the paper. Correct the name, or leave it out."
            if strange
            else "No item is named. Name one at least, or leave the names out."
        )
    return [known[name] for name in dict.fromkeys(names)]


def _missing(name: str, why: str) -> AnalysisWarning:
    return AnalysisWarning(
        "not-compared",
        name,
        f"Item {name}: {why}, so the groups cannot be compared on it by a model. Take the "
        "Mantel-Haenszel method, or analyse more papers together.",
    )
