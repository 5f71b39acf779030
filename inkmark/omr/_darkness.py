"""States of bubbles on sheets of other systems, by their darkness alone.

The fitted model knows our own sheets. What is printed in and around the bubbles of others,
and how well they are placed, is not known, so that only how dark a bubble is tells its state.
"""

from __future__ import annotations

import numpy as np

from inkmark.omr._levels import Evidence
from inkmark.omr._plan import BubblePlan
from inkmark.omr._states import State
from inkmark.omr._transform import BoolArray, FloatArray

__all__ = ["MAX_WRONG", "darkness_probabilities"]

MAX_WRONG = 0.02
"""A group that is read wrongly with a larger probability is doubtful."""
_BOUNDARY, _BOUNDARY_ALONE = 0.45, 0.3
"""Darkness at which a bubble is as likely marked as blank, as a share of a mark's; and where
it alone stands out of an otherwise empty group, in which it competes with dirt only."""
_EMPTY = 0.15
"""A group is otherwise empty where no other bubble of it is darker than this."""
_WIDTH, _SPREAD = 0.04, 0.08
"""Scale of the logistic, as a share of a mark, and what is added to it where marks differ."""
_FAR_NOISES = 6.0
"""Empty bubbles are not this many standard deviations darker than their label."""
_LOGISTIC = np.sqrt(3) / np.pi
"""Scale of the logistic distribution that has a standard deviation of one."""
_ODD_NOISES, _ODD_SHARE, _ODD_LEAST = 5.0, 0.03, 0.035
"""Ink is unexplained beyond so many standard deviations and these shares of a mark and of
the light: a dot of 0.8 mm is darker."""
_MAX_SHARED = 0.12
"""Paper and print do not darken a whole group by more than this share of a mark."""
_MIN_USUAL = 60
"""So many empty bubbles beside marks are needed to say how much dirt is usual."""


def darkness_probabilities(found: Evidence, seen: BoolArray, plan: BubblePlan) -> FloatArray:
    """Probability of each state of each bubble, (n, 4); those of strokes are 0.

    Parameters
    ----------
    found : Evidence
    seen : (n,) bool
    plan : BubblePlan
    """
    fill, mark, first = found.fill, found.mark, plan.group_first[:-1]
    order = np.lexsort((np.where(seen, fill, -np.inf), plan.group))
    last = plan.group_first[1:] - 1
    second = np.where(last > first, fill[order][np.maximum(last - 1, 0)], 0.0)
    alone = np.zeros(len(fill), dtype=bool)
    alone[order[last]] = second < _EMPTY * mark
    far = np.minimum(_FAR_NOISES * found.noise, 0.5 * mark)
    boundary = np.maximum(np.where(alone, _BOUNDARY_ALONE, _BOUNDARY) * mark, far)
    width = np.hypot(np.hypot(_WIDTH * mark, _SPREAD * found.spread), _LOGISTIC * found.noise)
    marked = 1 / (1 + np.exp(np.clip((boundary - fill) / width, -50, 50)))
    has_mark = np.logical_or.reduceat(marked >= 0.5, first)[plan.group]
    limit = np.maximum(_ODD_NOISES * found.noise, max(_ODD_SHARE * mark, _ODD_LEAST))
    usual = seen & has_mark & (marked < 0.5)
    if usual.sum() >= _MIN_USUAL:
        limit = np.maximum(limit, 1.25 * float(np.quantile(fill[usual], 0.99)))
    odd = fill > limit
    # A row that is filled all along but lightly has no empty bubble to stand out from.
    odd |= found.shared > np.maximum(_ODD_NOISES * found.noise, _MAX_SHARED * mark)
    unsure = np.where(seen & ~has_mark & odd, 0.5, 0.0)
    states = np.zeros((len(fill), len(State)))
    states[:, State.UNSURE] = unsure
    states[:, State.FULL] = marked * (1 - unsure)
    states[:, State.BLANK] = (1 - marked) * (1 - unsure)
    return states
