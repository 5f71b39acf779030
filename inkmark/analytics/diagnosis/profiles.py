"""Mastery of candidates and of groups, from a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.data import known_answers, make_blocks
from inkmark.analytics.diagnosis.estimate import posterior_chunks
from inkmark.analytics.diagnosis.model import DiagnosisFit
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["GroupProfiles", "MasteryProfiles", "group_profiles", "mastery_profiles"]


@dataclass(frozen=True, slots=True, eq=False)
class MasteryProfiles:
    """What the answers of candidates say about their mastery, a row a candidate.

    Attributes
    ----------
    attributes : tuple of str
    mastery : (n, k) float64
        Posterior probability that the candidate masters the attribute; NaN without answers.
    class_row : (n,) int64
        The most probable class, a row of the model's classes; -1 without answers.
    class_probability : (n,) float64
        Its posterior probability. Classes that no item tells apart have one each, and the
        first of them stands for all.
    log_likelihood : (n,) float64
        Of the candidate's answers.
    """

    attributes: tuple[str, ...]
    mastery: FloatArray
    class_row: IntArray
    class_probability: FloatArray
    log_likelihood: FloatArray

    @property
    def uncertainty(self) -> FloatArray:
        """Posterior standard deviation (n, k) of mastery, 0 certain to 0.5 unknown."""
        return np.sqrt(self.mastery * (1 - self.mastery))

    @property
    def accuracy(self) -> FloatArray:
        """Expected share (k,) of candidates classified rightly by the nearer of yes and no.

        The estimate of Wang et al. 2015 (J. Educ. Meas. 52, 457-476) from posteriors.
        """
        return np.asarray(np.nanmean(np.maximum(self.mastery, 1 - self.mastery), axis=0))

    def verdicts(self, confidence: float = 0.8) -> npt.NDArray[np.int8]:
        """Decide where the evidence is enough.

        Parameters
        ----------
        confidence : float
            Least posterior probability of a verdict, over 0.5.

        Returns
        -------
        (n, k) int8
            1 mastered, 0 not mastered, -1 undecided.

        Raises
        ------
        AnalysisError
            A confidence that would call both verdicts right.
        """
        if not 0.5 < confidence < 1:
            raise AnalysisError(
                f"A confidence of {confidence} decides nothing. Give one between 0.5 and 1."
            )
        found = np.full(self.mastery.shape, -1, dtype=np.int8)
        found[self.mastery >= confidence] = 1
        found[self.mastery <= 1 - confidence] = 0
        return found


@dataclass(frozen=True, slots=True, eq=False)
class GroupProfiles:
    """Mastery of groups, a row a group.

    Attributes
    ----------
    groups : tuple of str
    n : (g,) int64
        Candidates with a profile.
    mastery : (g, k) float64
        Expected share of candidates who master the attribute; NaN where n is 0.
    mastery_se : (g, k) float64
        Its standard error for just these candidates: what their answers leave open.
    """

    groups: tuple[str, ...]
    n: IntArray
    mastery: FloatArray
    mastery_se: FloatArray


def mastery_profiles(fit: DiagnosisFit, responses: npt.ArrayLike) -> MasteryProfiles:
    """Find what answers say about mastery; the model is not fitted anew.

    Parameters
    ----------
    fit : DiagnosisFit
    responses : (n, m) array_like
        Of the items of the fit, in the order it was given them: 1 right, 0 wrong, NaN none.

    Returns
    -------
    MasteryProfiles

    Raises
    ------
    AnalysisError
        Another number of items, or values other than 0 and 1 in items of the model.
    """
    answers = known_answers(fit, responses)
    answered = np.flatnonzero((answers >= 0).any(axis=1))
    n, n_attributes = len(answers), len(fit.q.attributes)
    mastery = np.full((n, n_attributes), np.nan)
    class_row = np.full(n, -1)
    class_probability, log_likelihood = np.full(n, np.nan), np.full(n, np.nan)
    classes = fit.classes
    kinds, share = fit.kinds(), fit.class_share()
    expected = np.zeros((len(kinds), n_attributes))
    np.add.at(expected, classes.kind, share[:, None] * classes.mastered)
    # Of each kind the class with the largest share, the first of equal ones.
    order = np.lexsort((np.arange(len(share)), -share, classes.kind))
    likeliest = order[np.searchsorted(classes.kind[order], np.arange(len(kinds)))]
    done = 0
    for weights, values in posterior_chunks(make_blocks(answers[answered]), fit.rates(), kinds):
        rows = answered[done : done + len(values)]
        done += len(values)
        mastery[rows] = np.clip(weights @ expected, 0, 1)
        single = weights * share[likeliest]
        top = single.argmax(axis=1)
        class_row[rows] = likeliest[top]
        class_probability[rows] = single[np.arange(len(top)), top]
        log_likelihood[rows] = values
    return MasteryProfiles(fit.q.attributes, mastery, class_row, class_probability, log_likelihood)


def group_profiles(profiles: MasteryProfiles, groups: Sequence[str]) -> GroupProfiles:
    """Add up mastery by group.

    Parameters
    ----------
    profiles : MasteryProfiles
        Of n candidates.
    groups : sequence of str
        Group of each candidate, such as the class.

    Returns
    -------
    GroupProfiles
        Groups in the order they first come.

    Raises
    ------
    AnalysisError
        Another number of groups than candidates.
    """
    if len(groups) != len(profiles.mastery):
        raise AnalysisError(
            f"There are groups for {len(groups)} candidates and profiles of "
            f"{len(profiles.mastery)}. Give a group for each candidate."
        )
    names = tuple(dict.fromkeys(groups))
    place = {name: g for g, name in enumerate(names)}
    member = np.array([place[name] for name in groups], dtype=np.int64)
    known = profiles.class_row >= 0
    member, mastery = member[known], profiles.mastery[known]
    n = np.bincount(member, minlength=len(names))
    total, variance = np.zeros((2, len(names), mastery.shape[1]))
    np.add.at(total, member, mastery)
    np.add.at(variance, member, mastery * (1 - mastery))
    with np.errstate(invalid="ignore", divide="ignore"):
        return GroupProfiles(names, n, total / n[:, None], np.sqrt(variance) / n[:, None])
