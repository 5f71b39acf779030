"""Progress between two exams: change of rank, of standard score and of percentile rank.

Only candidates with a total in both exams are compared, and they are ranked anew among
themselves: somebody who missed one of the two moves nobody. Formulas and worked examples:
docs/statistics.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.cohort import divided
from inkmark.analytics.groups import competition_rank
from inkmark.analytics.model import FloatArray, IntArray
from inkmark.analytics.standard import percentile_rank, z_scores
from inkmark.errors import AnalysisError

__all__ = ["Progress", "progress", "rank_progress"]


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """A row per candidate; NaN or 0 where a total of either exam is missing.

    Attributes
    ----------
    n : int
        Candidates with both totals, among whom everybody is ranked.
    previous_rank, rank : (n,) int64
    rank_change : (n,) float64
        Places won, R_previous - R.
    rank_rate : (n,) float64
        R_previous - R over R_previous (进步率).
    rank_index : (n,) float64
        R_previous - R over R_previous + R: less unfair to those at the top.
    z_change, percentile_change : (n,) float64
        Change of the standard score, and of the percentile rank as a share. Places lie
        closer together in the middle than at the ends, and these do not count places.
    """

    n: int
    previous_rank: IntArray
    rank: IntArray
    rank_change: FloatArray
    rank_rate: FloatArray
    rank_index: FloatArray
    z_change: FloatArray
    percentile_change: FloatArray


def progress(previous: npt.ArrayLike, now: npt.ArrayLike) -> Progress:
    """Compare the totals of two exams.

    Parameters
    ----------
    previous, now : (n,) array of float
        Totals of the same candidates; NaN for none.

    Returns
    -------
    Progress

    Raises
    ------
    AnalysisError
        If the two differ in length.
    """
    before, after = (np.array(totals, dtype=np.float64) for totals in (previous, now))
    if before.ndim != 1 or before.shape != after.shape:
        raise AnalysisError(
            f"Totals of shapes {before.shape} and {after.shape} are not those of the same "
            "candidates. Give one total a candidate for each exam."
        )
    missing = np.isnan(before) | np.isnan(after)
    before[missing], after[missing] = np.nan, np.nan
    ranks = competition_rank(before), competition_rank(after)
    change, rate, index = rank_progress(*ranks)
    return Progress(
        n=int(np.sum(~missing)),
        previous_rank=ranks[0],
        rank=ranks[1],
        rank_change=change,
        rank_rate=rate,
        rank_index=index,
        z_change=z_scores(after) - z_scores(before),
        percentile_change=percentile_rank(after) - percentile_rank(before),
    )


def rank_progress(
    previous: npt.ArrayLike, now: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places won, as they are, over the previous rank, and over the sum of both.

    Parameters
    ----------
    previous, now : array of int
        Ranks from 1; 0 for none.

    Returns
    -------
    three arrays of float64
        NaN where one of the ranks is 0.
    """
    before, after = (np.where(np.asarray(r) > 0, r, np.nan) for r in (previous, now))
    won = before - after
    return won, divided(won, before), divided(won, before + after)
