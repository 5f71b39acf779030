"""What fits cost: seconds on this machine's cores, and peak memory of a process of its own."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks.contract import Kind, Options, Row, timed
from inkmark.analytics.diagnosis import DiagnosisOptions, QMatrix, Rule, fit_diagnosis
from inkmark.analytics.integrity import screen_copying
from inkmark.analytics.irt import (
    ItemModel,
    ItemParameters,
    fit_irt,
    score_candidates,
    simulate_responses,
)
from inkmark.analytics.tracing import AnswerLog, fit_tracing

__all__ = [
    "SEED",
    "TASKS",
    "known_items",
    "multiple_choice",
    "responses_of",
    "simulated_practice",
    "speed",
    "work_of",
]

SEED = 1000

Responses = npt.NDArray[np.float64]
Work = Callable[[], object]


def known_items(
    model: ItemModel, n_items: int, rng: np.random.Generator, n_categories: int = 2
) -> ItemParameters:
    """Items of one model with parameters as exams have them."""
    a = np.ones(n_items) if model.has_fixed_slope else rng.uniform(0.7, 1.8, n_items)
    steps = np.sort(rng.normal(0.0, 1.0, (n_items, n_categories - 1)), axis=1)
    # Thresholds rise within an item, so that every category is the likeliest somewhere.
    d = -a[:, None] * steps
    if not model.is_graded:
        d = np.cumsum(d, axis=1)
    g = rng.uniform(0.1, 0.3, n_items) if model is ItemModel.PL3 else np.zeros(n_items)
    return ItemParameters(
        tuple(str(k + 1) for k in range(n_items)),
        (model,) * n_items,
        (tuple(range(n_categories)),) * n_items,
        a,
        d,
        g,
        np.full(d.shape, np.nan),
    )


@functools.cache
def _simulated(model: ItemModel, n: int, n_items: int, n_categories: int = 2) -> Responses:
    rng = np.random.default_rng(SEED)
    items = known_items(model, n_items, rng, n_categories)
    return simulate_responses(items, rng.normal(size=n), rng)


@functools.cache
def _diagnostic(n_attributes: int) -> tuple[Responses, QMatrix]:
    """Answers of 20,000 to 30 items that need one to three attributes, by the rule DINA."""
    rng = np.random.default_rng(SEED)
    needs = np.zeros((30, n_attributes), dtype=np.int64)
    for j in range(30):
        needs[j, rng.permutation(n_attributes)[: 1 + j % 3]] = 1
        needs[j, j % n_attributes] = 1
    mastered = rng.random((20_000, n_attributes)) < rng.uniform(0.4, 0.7, n_attributes)
    able = (mastered.astype(np.int64) @ needs.T) == needs.sum(axis=1)
    chance = np.where(able, 1 - rng.uniform(0.05, 0.2, 30), rng.uniform(0.1, 0.25, 30))
    return (rng.random(chance.shape) < chance).astype(np.float64), QMatrix.of(needs)


def simulated_practice(n: int, length: int) -> npt.NDArray[np.int64]:
    """Answers (n, length) of candidates who learn one attribute, and keep it."""
    rng = np.random.default_rng(SEED)
    masters, answers = rng.random(n) < 0.3, np.zeros((n, length), dtype=np.int64)
    for t in range(length):
        answers[:, t] = rng.random(n) < np.where(masters, 0.9, 0.2)
        masters |= rng.random(n) < 0.15
    return answers


def _irt(model: ItemModel, n: int, n_items: int, n_categories: int = 2) -> Work:
    responses = _simulated(model, n, n_items, n_categories)
    return lambda: fit_irt(responses, model)


def _eap() -> Work:
    items = known_items(ItemModel.PL2, 40, np.random.default_rng(SEED))
    responses = _simulated(ItemModel.PL2, 100_000, 40)
    return lambda: score_candidates(responses, items)


def _diagnosis(rule: Rule, n_attributes: int, starts: int = 1) -> Work:
    responses, q = _diagnostic(n_attributes)
    options = DiagnosisOptions(starts=starts)
    return lambda: fit_diagnosis(responses, q, rule, options)


def _tracing(n: int) -> Work:
    answers = simulated_practice(n, 20)
    candidate = np.repeat(np.arange(n), 20)
    log = AnswerLog.of(candidate, np.zeros(answers.size, np.int64), answers.ravel())
    q = QMatrix.of([[1]])
    return lambda: fit_tracing(log, q)


def multiple_choice(
    n: int, n_items: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Answers (n, m) of honest candidates to items of four options, and the key."""
    slope = rng.normal(-0.3, 0.3, (n_items, 4))
    intercept = rng.normal(0.0, 0.8, (n_items, 4))
    key = rng.integers(0, 4, n_items)
    item = np.arange(n_items)
    slope[item, key], intercept[item, key] = rng.uniform(0.4, 1.2, n_items), 1.0
    logit = rng.normal(size=(n, 1, 1)) * slope + intercept
    return np.argmax(logit + rng.gumbel(size=logit.shape), axis=2), key


def _copying() -> Work:
    choices, key = multiple_choice(1_636, 170, np.random.default_rng(SEED))
    return lambda: screen_copying(choices, key)


TASKS: dict[str, Callable[[], Work]] = {
    "2PL, 10,000 x 40": lambda: _irt(ItemModel.PL2, 10_000, 40),
    "2PL, 100,000 x 40": lambda: _irt(ItemModel.PL2, 100_000, 40),
    "GPCM, 10,000 x 20 x 5": lambda: _irt(ItemModel.GPCM, 10_000, 20, 5),
    "3PL, 10,000 x 40": lambda: _irt(ItemModel.PL3, 10_000, 40),
    "EAP, 100,000 x 40": _eap,
    "DINA, 20,000 x 30 x 5": lambda: _diagnosis(Rule.DINA, 5),
    "G-DINA, 20,000 x 30 x 5": lambda: _diagnosis(Rule.GDINA, 5),
    "G-DINA, 20,000 x 30 x 5, ten starts": lambda: _diagnosis(Rule.GDINA, 5, 10),
    "G-DINA, 20,000 x 30 x 8": lambda: _diagnosis(Rule.GDINA, 8),
    "BKT, 20,000 x 20": lambda: _tracing(20_000),
    "BKT, 500 x 20": lambda: _tracing(500),
    "copying, all pairs of 1,636 x 170": _copying,
}


def responses_of(task: str) -> Responses:
    """Give the responses of a task that fits an item response model."""
    return {
        "2PL, 10,000 x 40": lambda: _simulated(ItemModel.PL2, 10_000, 40),
        "GPCM, 10,000 x 20 x 5": lambda: _simulated(ItemModel.GPCM, 10_000, 20, 5),
    }[task]()


def work_of(task: str) -> Work:
    """Make the data of a task and give what is timed."""
    return TASKS[task]()


def speed(options: Options) -> tuple[list[Row], str]:
    """Time each task with its standard errors, and measure its memory in a process."""
    rows = []
    for task in TASKS:
        rows.append(timed(task, work_of(task), options.repeats))
        rows.append(Row(f"{task}, memory", _memory(task), "MiB", Kind.MEMORY))
    return rows, (
        "Speed: wall-clock time on all cores, standard errors and the log-likelihood in float64 "
        "included, compiled kernels at hand. Simulated data. Diagnosis with one start unless "
        "said. Memory: peak of a process that makes the data and fits once, beyond what it has "
        "with the data made."
    )


def _memory(task: str) -> float:
    """Peak memory of a task in MiB, with Python and the data."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _MEASURE, task], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


_MEASURE = """
import resource, sys
from benchmarks._psychometrics_speed import work_of
scale = 2**20 if sys.platform == "darwin" else 2**10
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
work_of(sys.argv[1])()
print(peak())
"""
