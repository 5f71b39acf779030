"""The two-way blueprint of a paper (双向细目表): points by knowledge point and level.

Formulas and worked examples: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.cohort import divided
from inkmark.analytics.mastery import knowledge_map
from inkmark.analytics.model import FloatArray
from inkmark.errors import AnalysisError
from inkmark.exam import Item

__all__ = ["Blueprint", "agreement", "blueprint", "coverage"]


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint:
    """What a paper asks.

    Attributes
    ----------
    points : tuple of str
        Knowledge points, in the order of their first item.
    levels : tuple of str
        Cognitive levels in the order of their first item; empty for items without one.
    weights : (k, l) float64
        Full marks in points of what is asked on a knowledge point at a level.
    """

    points: tuple[str, ...]
    levels: tuple[str, ...]
    weights: FloatArray

    @property
    def shares(self) -> FloatArray:
        """(k, l) float64: the weights as shares of their sum."""
        return divided(self.weights, self.weights.sum())


def blueprint(items: Sequence[Item]) -> Blueprint:
    """Add up the full marks of items by knowledge point and level.

    An item with several knowledge points is shared out as the exam says; one that is void
    or has none asks nothing.

    Parameters
    ----------
    items : sequence of Item

    Returns
    -------
    Blueprint
    """
    knowledge = knowledge_map(items)
    levels = tuple(dict.fromkeys(item.level for item in items))
    is_level = np.array([[item.level == level for level in levels] for item in items], np.float64)
    full = np.array([float(item.points) for item in items])
    weights = knowledge.weights.T @ (full[:, None] * is_level.reshape(len(items), len(levels)))
    return Blueprint(knowledge.points, levels, weights)


def coverage(tested: Collection[str], syllabus: Collection[str]) -> float:
    """Share of the knowledge points of a syllabus that are tested (覆盖率).

    NaN for an empty syllabus. What is tested beyond the syllabus counts for nothing.
    """
    wanted = set(syllabus)
    return len(wanted & set(tested)) / len(wanted) if wanted else float("nan")


def agreement(weights: npt.ArrayLike, plan: npt.ArrayLike) -> float:
    """Agreement of a paper with its plan, 1 - Σ |w - w*| / 2, both as shares.

    Parameters
    ----------
    weights, plan : array of float
        Points or shares in the same order and shape; each is divided by its sum.

    Returns
    -------
    float
        From 0 to 1. What is missing to 1 is the deviation.

    Raises
    ------
    AnalysisError
        If the shapes differ, or one of them is negative somewhere or has no sum.

    References
    ----------
    .. [1] Porter, A. C. "Measuring the content of instruction: uses in research and
       practice", Educational Researcher 31(7), 2002.
    """
    actual, wanted = (np.asarray(w, dtype=np.float64) for w in (weights, plan))
    if actual.shape != wanted.shape:
        raise AnalysisError(
            f"A paper of shape {actual.shape} and a plan of shape {wanted.shape} cannot be "
            "compared. Give both the same knowledge points and levels."
        )
    if not all(np.all(w >= 0) and w.sum() > 0 for w in (actual, wanted)):
        raise AnalysisError(
            "The weights of a paper and of its plan are 0 or more, and not all 0. Correct them."
        )
    return float(1 - np.abs(actual / actual.sum() - wanted / wanted.sum()).sum() / 2)
