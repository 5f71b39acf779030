"""Climbing from several starts, and what their ends say."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from inkmark.analytics.diagnosis.data import make_blocks
from inkmark.analytics.diagnosis.estimate import Climb, Expectation, climb
from inkmark.analytics.diagnosis.items import ItemModels
from inkmark.analytics.diagnosis.model import DiagnosisOptions, StartReport
from inkmark.analytics.diagnosis.structure import Distribution
from inkmark.analytics.model import FloatArray

__all__ = ["best_climb"]

_SAME = 0.1
"""Log-likelihoods nearer than this are of one maximum."""

_SAMPLE = 2000
"""Candidates, spread over the cohort, on whom starts look for maxima."""
_ROUGH = 1e-4
_SAME_ROUGH = 0.5
_SAME_RATE = 0.02
"""Log-likelihoods, and mean rates of success of candidates, nearer than these on the sample
are of one maximum."""
_FEW = 1e-3
_FOLLOWED = 2
_NEUTRAL = 0.02
"""Part of the neutral start in what the whole cohort starts from: off the bounds."""


def best_climb(
    answers: npt.NDArray[np.int8],
    models: ItemModels,
    distribution: Distribution,
    options: DiagnosisOptions,
) -> tuple[Climb, StartReport]:
    """Climb from all starts.

    Starts of a large cohort first climb on a part of it. From the highest maxima found there,
    two at most, the whole cohort climbs on.

    Parameters
    ----------
    answers : (n, m) int8
    models : ItemModels
    distribution : Distribution
    options : DiagnosisOptions

    Returns
    -------
    best : Climb
    report : StartReport
    """
    generators = [
        np.random.default_rng((options.seed, start)) if start else None
        for start in range(max(1, options.starts))
    ]
    starts = [np.concatenate((models.start(rng), distribution.start(rng))) for rng in generators]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        up = partial(climb, models=models, distribution=distribution)
        if len(answers) <= _SAMPLE:
            every = Expectation(make_blocks(answers), executor)
            climbs = list(executor.map(lambda start: up(every, start, options), starts))
            end_of = list(range(len(starts)))
        else:
            climbs, end_of = _climb_by_sample(answers, up, starts, options, executor)
    reached = [found.counts.log_likelihood for found in climbs]
    values = np.array([reached[end] if end >= 0 else np.nan for end in end_of])
    # The neutral start wins where it ends as high as any: nothing random is in it.
    best = 0 if values[0] >= np.nanmax(values) - _SAME else int(np.nanargmax(values))
    agreeing = int((values >= values[best] - _SAME).sum())
    return climbs[end_of[best]], StartReport(values, best, agreeing)


def _climb_by_sample(
    answers: npt.NDArray[np.int8],
    up: Callable[[Expectation, FloatArray, DiagnosisOptions], Climb],
    starts: Sequence[FloatArray],
    options: DiagnosisOptions,
    executor: Executor,
) -> tuple[list[Climb], list[int]]:
    """Climb on a part of the candidates, then on all.

    Gives the ends, and which of them each start led to, -1 where it was not followed.
    """
    rows = np.linspace(0, len(answers) - 1, _SAMPLE).astype(np.int64)
    sample = Expectation(make_blocks(answers[rows]), executor)
    every = Expectation(make_blocks(answers), executor)
    rough = replace(options, tolerance=max(options.tolerance, _ROUGH))
    ends = list(executor.map(lambda start: up(sample, start, rough), starts))
    distinct: list[Climb] = []
    for end in sorted(ends, key=lambda end: -end.counts.log_likelihood):
        if not any(_alike(end, other) for other in distinct):
            distinct.append(end)
    followed = distinct[:_FOLLOWED]
    climbs = [
        up(every, (1 - _NEUTRAL) * end.state + _NEUTRAL * starts[0], options) for end in followed
    ]
    end_of = [
        next((number for number, other in enumerate(followed) if _alike(end, other)), -1)
        for end in ends
    ]
    return climbs, end_of


def _alike(one: Climb, other: Climb) -> bool:
    """Tell whether two ends on the sample are of one maximum.

    Nearly as likely, and most candidates find every item as hard: rates of classes that
    hardly anyone is in may differ.
    """
    rates = [end.counts.right / (end.counts.seen + _FEW) for end in (one, other)]
    weight = (one.counts.kinds + other.counts.kinds) / (2 * _SAMPLE)
    return bool(
        abs(one.counts.log_likelihood - other.counts.log_likelihood) < _SAME_ROUGH
        and (np.abs(rates[0] - rates[1]) @ weight).max() < _SAME_RATE
    )
