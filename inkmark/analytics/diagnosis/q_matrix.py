"""Checks of the Q-matrix: what it can tell before the exam, and whether the answers bear it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.classes import lay_out, needed_before, reachable_classes
from inkmark.analytics.diagnosis.estimate import expected_at
from inkmark.analytics.diagnosis.model import DiagnosisFit, DiagnosisOptions, QMatrix, Rule
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["QCheck", "QValidation", "check_q", "validate_q"]

_DEFAULT = DiagnosisOptions()
_MOST_ATTRIBUTES = 15
_CONJUNCTIVE = (Rule.DINA, Rule.DINO)


@dataclass(frozen=True, slots=True, eq=False)
class QCheck:
    """What a Q-matrix can tell apart.

    Attributes
    ----------
    attributes : tuple of str
    n_items : (k,) int64
        Items that need the attribute.
    n_isolating : (k,) int64
        Of these, items that need nothing else but its prerequisites.
    n_classes, n_kinds : int
        Reachable classes, and those that the items tell apart.
    warnings : tuple of AnalysisWarning
        What is missing for a model whose parameters are certain to be identified.
    """

    attributes: tuple[str, ...]
    n_items: IntArray
    n_isolating: IntArray
    n_classes: int
    n_kinds: int
    warnings: tuple[AnalysisWarning, ...]


def check_q(
    q: QMatrix,
    rule: Rule = Rule.GDINA,
    options: DiagnosisOptions = _DEFAULT,
) -> QCheck:
    """Check before an exam whether its items can identify a model.

    Each attribute should be isolated by an item, needed by three, and be needed by other
    items than any other attribute: then DINA and DINO are identified, and only then (Gu & Xu
    2019, Psychometrika 84, 468-483). Rules with more parameters ask for a second isolating item
    (Xu 2017, Ann. Stat. 45, 675-707).

    Parameters
    ----------
    q : QMatrix
    rule : Rule
    options : DiagnosisOptions
        Prerequisites of attributes, and the most classes.

    Returns
    -------
    QCheck

    Raises
    ------
    AnalysisError
        As of `needed_before` and `reachable_classes`.
    """
    before = needed_before(q.attributes, options.prerequisites)
    mastered = reachable_classes(before, options.max_classes)
    layout = lay_out(q, [rule] * len(q.items), mastered)
    others = q.needs.sum(axis=1)[:, None] - (q.needs.astype(np.int64) @ before.T) == 1
    isolating = q.needs & others
    n_items, n_isolating = q.needs.sum(axis=0), isolating.sum(axis=0)
    warnings = [
        AnalysisWarning(
            "no-attribute",
            name,
            f"Item {name} needs no attribute and tells nothing. Enter what it needs.",
        )
        for name, needs in zip(q.items, q.needs, strict=True)
        if not needs.any()
    ]
    wanted = 1 if rule in _CONJUNCTIVE else 2
    for k, name in enumerate(q.attributes):
        if n_items[k] == 0:
            code, found = "unmeasured-attribute", f"No item needs the attribute {name}"
            remedy = "Add three items that do, or leave it out."
        elif n_isolating[k] == 0:
            code, found = "not-isolated", f"No item needs the attribute {name} alone"
            remedy = "Add one that does, so that others cannot stand in for it."
        elif n_items[k] < 3:
            code, found = "few-items", f"Only {n_items[k]} items need the attribute {name}"
            remedy = "Add items until three do."
        elif n_isolating[k] < wanted:
            code, found = "isolated-once", f"A single item needs the attribute {name} alone"
            remedy = f"The rule {rule.value} is certain to be identified with a second."
        else:
            continue
        warnings.append(AnalysisWarning(code, name, f"{found}. {remedy}"))
    warnings += _same_columns(q, isolating)
    if len(q.attributes) > len(q.items):
        warnings.append(
            AnalysisWarning(
                "more-attributes-than-items",
                "",
                f"{len(q.attributes)} attributes and {len(q.items)} items. Join attributes or "
                "add items.",
            )
        )
    n_kinds = layout.group_of_kind.shape[1]
    if n_kinds < len(mastered):
        warnings.append(
            AnalysisWarning(
                "classes-alike",
                "",
                f"The items tell apart {n_kinds} kinds of the {len(mastered)} classes. Add items "
                "that isolate attributes.",
            )
        )
    return QCheck(q.attributes, n_items, n_isolating, len(mastered), n_kinds, tuple(warnings))


def _same_columns(q: QMatrix, isolating: npt.NDArray[np.bool_]) -> list[AnalysisWarning]:
    """Name attributes that the same items need, but for one that isolates each."""
    rest = q.needs.copy()
    for k in range(len(q.attributes)):
        rest[np.flatnonzero(isolating[:, k])[:1], k] = False
    alike: dict[bytes, list[str]] = {}
    for name, column in zip(q.attributes, rest.T, strict=True):
        if column.any():
            alike.setdefault(column.tobytes(), []).append(name)
    return [
        AnalysisWarning(
            "same-items",
            ", ".join(names),
            f"The attributes {', '.join(names)} are needed by the same items, but for one that "
            "isolates each. Add an item that needs one of them without the others.",
        )
        for names in alike.values()
        if len(names) > 1
    ]


@dataclass(frozen=True, slots=True, eq=False)
class QValidation:
    """How far the answers bear out the Q-matrix, a value an item.

    Attributes
    ----------
    q : QMatrix
        Of the items that were analysed.
    explained : (m,) float64
        Share of the variance of an item's success between classes that its attributes account
        for; 1 with all attributes.
    suggested : (m, k) bool
        The fewest attributes that account for the cutoff at least.
    suggested_explained : (m,) float64
        Their share.
    warnings : tuple of AnalysisWarning
        A suggestion for each item that should need other attributes.
    """

    q: QMatrix
    explained: FloatArray
    suggested: npt.NDArray[np.bool_]
    suggested_explained: FloatArray
    warnings: tuple[AnalysisWarning, ...]


def validate_q(fit: DiagnosisFit, responses: npt.ArrayLike, cutoff: float = 0.95) -> QValidation:
    """Compare what items are said to need with what candidates solved.

    The G-DINA discrimination index of all combinations of attributes (de la Torre & Chiu
    2016, Psychometrika 81, 253-273). The suggestions are for experts to weigh: they rest on a
    model fitted with the Q-matrix in doubt. Change a few items and fit again.

    Parameters
    ----------
    fit : DiagnosisFit
        Best of the rule G-DINA, which assumes least.
    responses : (n, m) array_like
        Those it was fitted to.
    cutoff : float
        Share of the variance to account for.

    Returns
    -------
    QValidation

    Raises
    ------
    AnalysisError
        A cutoff out of range, too many attributes, or responses that do not fit.
    """
    n_attributes = len(fit.q.attributes)
    if not 0 < cutoff < 1:
        raise AnalysisError(f"A cutoff of {cutoff} accounts for nothing. Give a share below 1.")
    if n_attributes > _MOST_ATTRIBUTES:
        raise AnalysisError(
            f"{n_attributes} attributes make too many combinations to compare; "
            f"{_MOST_ATTRIBUTES} are the most. Validate a part of the Q-matrix."
        )
    counts = expected_at(fit, responses)
    share = fit.class_share()
    right, seen = (
        _by_attribute(part[:, fit.classes.kind] * share, fit.classes.mastered)
        for part in (counts.right, counts.seen)
    )
    best = np.zeros((n_attributes + 1, len(fit.items)))
    choice = np.zeros((n_attributes + 1, len(fit.items), n_attributes), dtype=bool)
    own = np.zeros(len(fit.items))
    for needs, variance in _variances(right, seen):
        own[(fit.q.needs == needs).all(axis=1)] = variance[(fit.q.needs == needs).all(axis=1)]
        size = needs.sum()
        better = variance > best[size]
        best[size, better] = variance[better]
        choice[size, better] = needs
    with np.errstate(invalid="ignore"):
        explained = best / best[-1]
    enough = explained >= cutoff
    enough[-1] = True
    size = enough.argmax(axis=0)
    items = np.arange(len(fit.items))
    # What is as good as the best of its size stays, and what only adds prerequisites.
    with np.errstate(invalid="ignore"):
        present = own / best[-1]
    suggested = choice[size, items]
    mastered = fit.classes.mastered
    before = np.array([mastered[mastered[:, k]].all(axis=0) for k in range(n_attributes)])
    alike = ((fit.q.needs @ before) == (suggested @ before)).all(axis=1)
    keep = ((fit.q.needs.sum(axis=1) == size) | alike) & (present >= cutoff)
    suggested[keep] = fit.q.needs[keep]
    return QValidation(
        q=fit.q,
        explained=present,
        suggested=suggested,
        suggested_explained=np.where(keep, present, explained[size, items]),
        warnings=tuple(_suggestions(fit.q, suggested, present, explained[size, items])),
    )


def _by_attribute(values: FloatArray, mastered: npt.NDArray[np.bool_]) -> FloatArray:
    """Lay (m, c) numbers out with an axis an attribute: (m, 2, 2, ...)."""
    n_attributes = mastered.shape[1]
    place = mastered @ (1 << np.arange(n_attributes)[::-1])
    laid = np.zeros((len(values), 2**n_attributes))
    laid[:, place] = values
    return laid.reshape(len(values), *([2] * n_attributes))


def _variances(
    right: FloatArray, seen: FloatArray
) -> Iterator[tuple[npt.NDArray[np.bool_], FloatArray]]:
    """Give all combinations of attributes, and the variance (m,) of success between them."""
    n_attributes = right.ndim - 1

    def walk(
        right: FloatArray, seen: FloatArray, axis: int, kept: tuple[bool, ...]
    ) -> Iterator[tuple[npt.NDArray[np.bool_], FloatArray]]:
        if axis == 0:
            if any(kept):
                yield np.array(kept), _variance(right, seen)
            return
        yield from walk(right, seen, axis - 1, (True, *kept))
        yield from walk(right.sum(axis=axis), seen.sum(axis=axis), axis - 1, (False, *kept))

    yield from walk(right, seen, n_attributes, ())


def _variance(right: FloatArray, seen: FloatArray) -> FloatArray:
    right, seen = right.reshape(len(right), -1), seen.reshape(len(seen), -1)
    rate = np.divide(right, seen, out=np.zeros_like(right), where=seen > 0)
    share = seen / seen.sum(axis=1, keepdims=True)
    mean = (share * rate).sum(axis=1, keepdims=True)
    return np.asarray((share * (rate - mean) ** 2).sum(axis=1))


def _suggestions(
    q: QMatrix,
    suggested: npt.NDArray[np.bool_],
    present: FloatArray,
    explained: FloatArray,
) -> Iterator[AnalysisWarning]:
    names = np.array(q.attributes, dtype=object)
    for j in np.flatnonzero((suggested != q.needs).any(axis=1)):
        yield AnalysisWarning(
            "q-suggestion",
            q.items[j],
            f"Item {q.items[j]} needs {', '.join(names[q.needs[j]])}, which account for "
            f"{present[j]:.0%} of its variance between classes; {', '.join(names[suggested[j]])} "
            f"would account for {explained[j]:.0%}. Look at the item again.",
        )
