"""What diagnosis is told and what it finds: frozen values, every uncertainty beside its figure.

Letters in the shapes: n candidates, m items, k attributes, c classes (patterns of mastery).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from inkmark.analytics.acceleration import Stop
from inkmark.analytics.model import AnalysisWarning, BoolArray, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = [
    "ClassModel",
    "DiagnosisFit",
    "DiagnosisOptions",
    "DiagnosticItem",
    "Information",
    "QMatrix",
    "Rule",
    "StartReport",
    "Structure",
]


class Rule(StrEnum):
    """How the attributes that an item needs make a right answer likely."""

    DINA = "dina"
    """Likely with all of them, else a guess (Junker & Sijtsma 2001)."""
    DINO = "dino"
    """Likely with any one of them (Templin & Henson 2006)."""
    GDINA = "gdina"
    """A probability of its own for each combination (de la Torre 2011)."""
    ACDM = "acdm"
    """Each attribute adds to the probability (de la Torre 2011)."""
    LLM = "llm"
    """Each attribute adds to the log-odds (Maris 1999)."""
    RRUM = "rrum"
    """Each attribute that is lacking multiplies the probability (Hartz 2002)."""


class Structure(StrEnum):
    """How the classes are distributed."""

    SATURATED = "saturated"
    """A probability of its own for each reachable class."""
    HIGHER_ORDER = "higher-order"
    """Attributes depend on one normal ability (de la Torre & Douglas 2004)."""


class Information(StrEnum):
    """What standard errors take as known."""

    COMPLETE = "complete"
    """Nothing."""
    ITEMS = "items"
    """The distribution of the classes; they come out too small."""
    ITEM = "item"
    """That, and all other items; they come out smaller still."""


@dataclass(frozen=True, slots=True, eq=False)
class QMatrix:
    """Which attributes each item needs.

    Attributes
    ----------
    items : tuple of str
    attributes : tuple of str
    needs : (m, k) bool

    Raises
    ------
    AnalysisError
        Names that are not unique or do not fit the shape.
    """

    items: tuple[str, ...]
    attributes: tuple[str, ...]
    needs: BoolArray

    def __post_init__(self) -> None:
        shape = (len(self.items), len(self.attributes))
        if self.needs.shape != shape:
            raise AnalysisError(
                f"The Q-matrix has the shape {self.needs.shape}, and names for {shape[0]} items "
                f"and {shape[1]} attributes. Give it a row an item and a column an attribute."
            )
        for kind, names in (("item", self.items), ("attribute", self.attributes)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise AnalysisError(
                    f"The Q-matrix has two columns or rows of the {kind} {', '.join(twice)}. "
                    "Give each its own name."
                )

    @classmethod
    def of(
        cls,
        needs: Sequence[Sequence[int]] | BoolArray | IntArray | FloatArray,
        items: Sequence[str] | None = None,
        attributes: Sequence[str] | None = None,
    ) -> QMatrix:
        """Make a Q-matrix of zeros and ones.

        Parameters
        ----------
        needs : (m, k) array_like of 0 and 1
        items, attributes : sequence of str, optional
            Names; by default ``1``, ``2``, ... and ``A1``, ``A2``, ...

        Returns
        -------
        QMatrix

        Raises
        ------
        AnalysisError
            Other entries than zeros and ones, or names that do not fit.
        """
        table = np.asarray(needs, dtype=np.float64)
        if table.ndim != 2 or not np.isin(table, (0.0, 1.0)).all():
            raise AnalysisError(
                "A Q-matrix is a table of zeros and ones, a row an item and a column an "
                "attribute. Correct its other entries."
            )
        n_items, n_attributes = table.shape
        return cls(
            tuple(items or (str(j + 1) for j in range(n_items))),
            tuple(attributes or (f"A{k + 1}" for k in range(n_attributes))),
            table == 1,
        )


@dataclass(frozen=True, slots=True)
class DiagnosisOptions:
    """How a model of diagnosis is estimated.

    Attributes
    ----------
    structure : Structure
    prerequisites : tuple of (str, str)
        Pairs of attributes: the first is learnt before the second. Classes that contradict
        them are not reachable and have no probability.
    prior : float
        Right answers and wrong answers that are added to those of each group of classes of
        each item. The default keeps probabilities off 0 and 1 and moves nothing else; about
        one is a weak prior for small cohorts.
    starts : int
        Starts: one that favours nothing, the others at random. The best is kept.
    seed : int
        Of the random starts.
    information : Information
        What standard errors rest on.
    tolerance : float
        Largest step of a parameter (probabilities; log-odds for the rule LLM) that counts as
        convergence.
    max_iterations : int
        Passes over the data for each start.
    max_classes : int
        More reachable classes than these are refused.

    Raises
    ------
    AnalysisError
        A prior that is not over 0.
    """

    structure: Structure = Structure.SATURATED
    prerequisites: tuple[tuple[str, str], ...] = ()
    prior: float = 1e-6
    starts: int = 10
    seed: int = 1
    information: Information = Information.COMPLETE
    tolerance: float = 1e-7
    max_iterations: int = 5000
    max_classes: int = 4096

    def __post_init__(self) -> None:
        if not self.prior > 0:
            raise AnalysisError(
                f"A prior of {self.prior} answers leaves what no one answered without a value. "
                "Give a number over 0, however small."
            )


@dataclass(frozen=True, slots=True, eq=False)
class ClassModel:
    """The reachable classes and how they are distributed.

    Attributes
    ----------
    mastered : (c, k) bool
        The attributes that each class has mastered.
    probability, probability_se : (c,) float64
        Classes that no item tells apart share theirs evenly under the saturated structure.
        The standard error is NaN where the probability is 0, and unless the information is
        complete.
    kind : (c,) int64
        Classes that no item tells apart have the same number.
    slope, slope_se, intercept, intercept_se : (k,) float64
        Of the log-odds of an attribute on the ability, given its prerequisites; empty under
        the saturated structure.
    """

    mastered: BoolArray
    probability: FloatArray
    probability_se: FloatArray
    kind: IntArray
    slope: FloatArray
    slope_se: FloatArray
    intercept: FloatArray
    intercept_se: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosticItem:
    """What was estimated for an item.

    Attributes
    ----------
    item : str
    rule : Rule
    attributes : tuple of str
        Those that it needs.
    groups : (g, a) bool
        Combinations of these attributes that the item tells apart, one a row. DINA and DINO
        have two groups; the row is the least able of each.
    group_of_class : (c,) int64
        Group of each class of the model.
    probability, probability_se : (g,) float64
        Of a right answer, and the standard error; NaN where the probability is 0 or 1, or
        the data does not show it.
    parameter : (p,) float64
        Of the rule: the probabilities themselves for DINA, DINO and G-DINA; intercept and
        main effects on the scale of its link for ACDM, LLM and RRUM.
    covariance : (p, p) float64
        Of the parameters; NaN where there is none.
    """

    item: str
    rule: Rule
    attributes: tuple[str, ...]
    groups: BoolArray
    group_of_class: IntArray
    probability: FloatArray
    probability_se: FloatArray
    parameter: FloatArray
    covariance: FloatArray

    @property
    def parameter_se(self) -> FloatArray:
        """Standard errors (p,) of the parameters."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def guess(self) -> float:
        """Probability of a right answer with none of the attributes."""
        return float(self.probability[0])

    @property
    def slip(self) -> float:
        """Probability of a wrong answer with all of the attributes."""
        return float(1.0 - self.probability[-1])


@dataclass(frozen=True, slots=True, eq=False)
class StartReport:
    """Where the starts ended.

    Attributes
    ----------
    log_likelihood : (s,) float64
        The first is that of the start which favours nothing. NaN for starts of a large cohort
        that were not followed to their end, as others were higher half-way.
    best : int
        The start that was kept.
    agreeing : int
        Starts that ended at the same log-likelihood as the best, within 0.1.
    """

    log_likelihood: FloatArray
    best: int
    agreeing: int


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosisFit:
    """A fitted model of diagnosis.

    Attributes
    ----------
    q : QMatrix
        Of the items and attributes that were analysed.
    columns : (m,) int64
        Column of each of these items in the responses.
    n_columns : int
        Columns of the responses.
    items : tuple of DiagnosticItem
    classes : ClassModel
    log_likelihood : float
        Natural logarithm, without the prior.
    n_parameters : int
        Those of the items, and of the distribution of the kinds of classes that the items
        tell apart.
    n_candidates : int
        Candidates with an answer at least.
    stop : Stop
    n_iterations : int
        Passes over the data, of the start that was kept.
    starts : StartReport
    warnings : tuple of AnalysisWarning
    """

    q: QMatrix
    columns: IntArray
    n_columns: int
    items: tuple[DiagnosticItem, ...]
    classes: ClassModel
    log_likelihood: float
    n_parameters: int
    n_candidates: int
    stop: Stop
    n_iterations: int
    starts: StartReport
    warnings: tuple[AnalysisWarning, ...]

    @property
    def converged(self) -> bool:
        """Whether the estimation reached its tolerance."""
        return self.stop is Stop.CONVERGED

    @property
    def aic(self) -> float:
        """Akaike's criterion; of two models of the same data the smaller is preferred."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, which asks more of every parameter as the cohort grows."""
        return float(np.log(self.n_candidates)) * self.n_parameters - 2 * self.log_likelihood

    def kinds(self) -> FloatArray:
        """Give the probability of each kind of class.

        Returns
        -------
        (t,) float64
        """
        classes = self.classes
        return np.bincount(classes.kind, classes.probability).astype(np.float64)

    def class_share(self) -> FloatArray:
        """Give the share of each class in its kind.

        Returns
        -------
        (c,) float64
            Even ones where the kind has no probability.
        """
        classes = self.classes
        kinds = self.kinds()[classes.kind]
        even = 1 / np.bincount(classes.kind)[classes.kind]
        return np.divide(classes.probability, kinds, out=even, where=kinds > 0)

    def rates(self) -> FloatArray:
        """Give the probability of a right answer to each item in each kind of class.

        Returns
        -------
        (m, t) float64
        """
        _, example = np.unique(self.classes.kind, return_index=True)
        return np.stack([item.probability[item.group_of_class[example]] for item in self.items])
