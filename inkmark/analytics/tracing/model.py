"""What tracing is told and what it finds: frozen values.

Letters in the shapes: n candidates, k attributes, r answers, f formats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.acceleration import Stop
from inkmark.analytics.diagnosis.model import QMatrix
from inkmark.analytics.model import AnalysisWarning, FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["AnswerLog", "TracingFit", "TracingModel", "TracingOptions", "TracingState"]


_LARGEST_GAP = 1000
"""Numbers of candidates who are not in a log, at most, beside two for each answer."""


@dataclass(frozen=True, slots=True, eq=False)
class AnswerLog:
    """Answers in the order of time, of several candidates in any order of candidates.

    Attributes
    ----------
    candidate : (r,) int64
        Number of the candidate, from 0.
    item : (r,) int64
        Row of the item in the Q-matrix.
    right : (r,) bool
    occasion : (r,) int64
        The exam or homework. Candidates learn and forget between occasions, not within one.
    weight : (r,) float64
        How much the answer counts as evidence: 1 in full, such as in an exam, less for what
        may not be the candidate's own work.
    """

    candidate: IntArray
    item: IntArray
    right: npt.NDArray[np.bool_]
    occasion: IntArray
    weight: FloatArray

    @classmethod
    def of(
        cls,
        candidate: npt.ArrayLike,
        item: npt.ArrayLike,
        right: npt.ArrayLike,
        *,
        occasion: npt.ArrayLike | None = None,
        weight: npt.ArrayLike | float = 1.0,
    ) -> AnswerLog:
        """Make a log from columns.

        Parameters
        ----------
        candidate, item : (r,) array_like of int
        right : (r,) array_like
            1 right, 0 wrong.
        occasion : (r,) array_like of int, optional
            By default each answer is an occasion of its own.
        weight : float or (r,) array_like
            Over 0, up to 1.

        Returns
        -------
        AnswerLog

        Raises
        ------
        AnalysisError
            Columns of unlike length, answers other than 0 and 1, weights out of range.
        """
        answers = np.asarray(right, dtype=np.float64)
        n = len(answers)
        who, what, when = (
            _whole(column)
            for column in (candidate, item, np.arange(n) if occasion is None else occasion)
        )
        weights = np.broadcast_to(np.asarray(weight, dtype=np.float64), answers.shape)
        if any(column.shape != (n,) for column in (who, what, when)):
            raise AnalysisError(
                "The columns of an answer log differ in length. Give each answer a candidate, "
                "an item and an occasion."
            )
        other = np.flatnonzero((answers != 0) & (answers != 1))
        if len(other):
            raise AnalysisError(
                f"Answer {other[0] + 1} of the log is {answers[other[0]]}. Give 1 for right and "
                "0 for wrong, and leave out what was not answered."
            )
        if n and not (weights.min() > 0 and weights.max() <= 1):
            raise AnalysisError(
                "Weights of answers are over 0 and up to 1. Leave out answers that do not count."
            )
        if n and min(who.min(), what.min()) < 0:
            raise AnalysisError("Candidates and items are numbered from 0. Correct the log.")
        if n and who.max() >= _LARGEST_GAP + 2 * n:
            raise AnalysisError(
                f"A candidate has the number {who.max()} in a log of {n} answers. Number the "
                "candidates 0, 1, 2 and so on."
            )
        return cls(who, what, answers == 1, when, weights)


def _whole(column: npt.ArrayLike) -> IntArray:
    """Give whole numbers as such, and refuse others."""
    values = np.asarray(column)
    whole = np.zeros(values.shape, dtype=np.int64)
    if values.size and not np.issubdtype(values.dtype, np.integer):
        values = values.astype(np.float64)
        if not (np.isfinite(values) & (values == np.rint(values))).all():
            raise AnalysisError(
                "Candidates, items and occasions of a log are whole numbers. Correct the log."
            )
    whole[...] = values
    return whole


@dataclass(frozen=True, slots=True)
class TracingOptions:
    """How a tracing model is estimated.

    Attributes
    ----------
    forgetting : bool
        Whether attributes may be forgotten between occasions.
    prior : float
        Answers' worth of typical values (half master at the start, one in five learns from
        an occasion, one in fifty forgets, a fifth of guesses and a tenth of slips) that are
        added to the data, so that an attribute with few answers keeps to them.
    tolerance : float
        Largest step of a probability that counts as convergence.
    max_iterations : int
        Passes over the data.
    """

    forgetting: bool = True
    prior: float = 1.0
    tolerance: float = 1e-5
    max_iterations: int = 1000


@dataclass(frozen=True, slots=True, eq=False)
class TracingModel:
    """How mastery comes and goes, and how it shows.

    Attributes
    ----------
    attributes : tuple of str
    start, learn, forget : (k,) float64
        Probability to master the attribute before the first answer; to learn it between two
        occasions on it; to forget it.
    formats : tuple of str
        Kinds of items that share guess and slip.
    guess, slip : (f,) float64
        Probability of a right answer without all attributes that the item needs, and of a
        wrong one with all of them. Both are below one half.
    """

    attributes: tuple[str, ...]
    start: FloatArray
    learn: FloatArray
    forget: FloatArray
    formats: tuple[str, ...]
    guess: FloatArray
    slip: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TracingFit:
    """A fitted tracing model.

    Attributes
    ----------
    model : TracingModel
    q : QMatrix
        Of the items of the log.
    start_se, learn_se, forget_se : (k,) float64
        Standard errors; NaN where the data does not show the parameter, or at a bound. They
        are too large where answers weigh less than 1.
    guess_se, slip_se : (f,) float64
    log_likelihood : float
        Of each answer given those before, by its weight.
    n_answers, n_candidates : int
    stop : Stop
    n_iterations : int
    warnings : tuple of AnalysisWarning
    """

    model: TracingModel
    q: QMatrix
    start_se: FloatArray
    learn_se: FloatArray
    forget_se: FloatArray
    guess_se: FloatArray
    slip_se: FloatArray
    log_likelihood: float
    n_answers: int
    n_candidates: int
    stop: Stop
    n_iterations: int
    warnings: tuple[AnalysisWarning, ...]

    @property
    def converged(self) -> bool:
        """Whether the estimation reached its tolerance."""
        return self.stop is Stop.CONVERGED


@dataclass(frozen=True, slots=True, eq=False)
class TracingState:
    """What is known of one candidate.

    Attributes
    ----------
    mastery : (k,) float64
        Probability of mastering each attribute, after all answers so far.
    seen : (k,) int64
        Answers on it.
    """

    mastery: FloatArray
    seen: IntArray

    @property
    def uncertainty(self) -> FloatArray:
        """Standard deviation (k,) of mastery, 0 certain to 0.5 unknown."""
        return np.sqrt(self.mastery * (1 - self.mastery))
