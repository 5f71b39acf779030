"""Fit the model that tells bubbles' states: ``python -m tools.calibrate_bubbles``.

Of simulated pages (`tools.bubble_samples`), four of five fit the model of a bubble; the
others fit how probable it is that a group is read wrongly, and set how uncertain a group may
be for a wanted rate of silent errors. The result is written to
``inkmark/omr/bubble_model.npz``; the same code and seeds give the same file on one machine.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from inkmark.omr import BubbleOptions
from inkmark.omr._levels import N_INPUTS
from inkmark.omr._states import BubbleModel, Calibration, State, taken
from inkmark.simulator import MarkStyle
from tools.bubble_samples import COVERED, SEED, STATES, Sample, by_group, observe

__all__ = ["main"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Layers = tuple[Float32Array, Float32Array, Float32Array]
IntArray = NDArray[np.int64]
OUT = Path(__file__).resolve().parent.parent / "inkmark" / "omr" / "bubble_model.npz"
RATES = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
SHARES = (0.003, 0.01, 0.03, 0.1, 0.3)
_MOST_WRONG = 5e-3
"""A group that is read wrongly with a larger probability is doubtful at any rate."""
HIDDEN = (64, 32)
"""Units of the hidden layers."""
_EPOCHS, _BATCH, _RATE, _DECAY = 20, 512, 2e-3, 0.3
"""Passes over the bubbles, bubbles of a step, step size at first and decay of weights."""
_THINNING = 4
"""One in so many groups without a mark is fitted to."""
_HELD_OUT = 5
"""One in so many pages is held out."""
_ODD_WEIGHT = 0.1
"""Marks that people do not agree on are drawn this many times too often."""


def fit_states(sample: Sample) -> Layers:
    """The network's layers, by Adam (Kingma & Ba 2015) with decoupled decay of weights."""
    evidence, state, weight = _examples(sample)
    rng = np.random.default_rng(SEED)
    middle, spread = evidence.mean(axis=0), evidence.std(axis=0) + 1e-3
    sizes = (N_INPUTS, *HIDDEN, len(State))
    layers = [
        np.vstack([rng.normal(0, np.sqrt(2 / a), (a, b)), np.zeros(b)]).astype(np.float32)
        for a, b in pairwise(sizes)
    ]
    first = [np.zeros_like(layer) for layer in layers]
    second = [np.zeros_like(layer) for layer in layers]
    n_steps = _EPOCHS * (len(state) // _BATCH)
    for step in range(n_steps):
        at = step % (len(state) // _BATCH) * _BATCH
        if at == 0:
            order = rng.permutation(len(state))
        chosen = order[at : at + _BATCH]
        slopes = _slopes(
            layers, (evidence[chosen] - middle) / spread, state[chosen], weight[chosen]
        )
        rate = 0.5 * _RATE * (1 + np.cos(np.pi * step / n_steps))
        for k, slope in enumerate(slopes):
            for moments, value, share in ((first, slope, 0.9), (second, slope**2, 0.999)):
                moments[k] += (1 - share) * (value - moments[k])
            mean, square = first[k] / (1 - 0.9 ** (step + 1)), second[k] / (1 - 0.999 ** (step + 1))
            layers[k][:-1] *= 1 - rate * _DECAY
            layers[k] -= rate * mean / (np.sqrt(square) + 1e-8)
    # What is subtracted and divided by goes into the first layer.
    weights = layers[0][:-1] / spread[:, None]
    layers[0] = np.vstack([weights, layers[0][-1] - middle @ weights])
    one, two, three = (np.ascontiguousarray(layer, dtype=np.float32) for layer in layers)
    return one, two, three


def _examples(sample: Sample) -> tuple[Float32Array, IntArray, Float32Array]:
    """What the network is fitted to: inputs, states and weights of bubbles."""
    state, group = sample.state, sample.group
    # Of groups without a mark a part says enough.
    empty = np.repeat(*by_group((sample.style == "").astype(float), group, np.minimum)) == 1
    kept = ~empty | (group % _THINNING == 0)
    # Ink beside one bubble is ink beside its neighbour.
    beside = np.repeat(*by_group(sample.style == MarkStyle.OUTSIDE.value, group, np.logical_or))
    kept &= ~beside | (sample.style != "")
    weight = np.where(empty, _THINNING, 1.0) * np.where(state == State.UNSURE, _ODD_WEIGHT, 1.0)
    weight = (weight[kept] / weight[kept].mean()).astype(np.float32)
    return sample.evidence[kept], state[kept], weight


def _slopes(
    layers: list[Float32Array], x: Float32Array, state: IntArray, weight: Float32Array
) -> list[Float32Array]:
    """Derivatives of the weighted mean log loss."""
    seen = [x]
    for layer in layers:
        x = seen[-1] @ layer[:-1] + layer[-1]
        seen.append(np.maximum(x, 0))
    slope = np.exp(x - logsumexp(x, axis=1, keepdims=True))
    slope[np.arange(len(state)), state] -= 1
    slope *= (weight / len(weight))[:, None]
    slopes = []
    for layer, below in zip(reversed(layers), reversed(seen[:-1]), strict=True):
        slopes.append(np.vstack([below.T @ slope, slope.sum(axis=0)]))
        slope = (slope @ layer[:-1].T) * (below > 0)
    return slopes[::-1]


def group_outcomes(sample: Sample, layers: Layers) -> tuple[FloatArray, ...]:
    """What is said of each group and what is true; each (n_groups,).

    Returns
    -------
    log_right, log_agreed : float64
        Logarithms of the probabilities, by the model, that a group is not read wrongly and
        that it is not disputed.
    wrong, disputed : float64
        1 where it is.
    n_marked : float64
        How many marks are read.
    """
    nothing = Calibration(1.0, 0.0, np.ones(1), np.ones(1))
    probability = BubbleModel(layers, nothing, nothing).probabilities(sample.evidence)
    first = np.flatnonzero(np.diff(sample.group, prepend=-1, append=-1))
    marked, right, agreed = taken(probability, np.zeros(len(probability), dtype=bool), first)
    truly = np.isin(sample.state, (State.STROKE, State.FULL))
    bad = (marked != truly) & (sample.state != State.UNSURE)
    return (
        right,
        agreed,
        by_group(bad, sample.group, np.logical_or)[0].astype(np.float64),
        _odd_groups(sample).astype(np.float64),
        by_group(marked.astype(np.float64), sample.group, np.add)[0],
    )


def _odd_groups(sample: Sample) -> NDArray[np.bool_]:
    return by_group(sample.state == State.UNSURE, sample.group, np.logical_or)[0]


def fit_calibration(log_not: FloatArray, true: FloatArray) -> Calibration:
    """Scale and offset that make log odds right (Platt 1999); no limits yet."""
    plain = Calibration(1.0, 0.0, np.ones(1), np.ones(1))
    p = plain.probability(log_not)
    odds = np.log(p) - np.log1p(-p)

    def loss(x: FloatArray) -> float:
        z = np.exp(x[0]) * odds + x[1]
        return float((np.logaddexp(0.0, z) - true * z).mean())

    scale, offset = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return replace(plain, scale=float(np.exp(scale)), offset=float(offset))


def wrong_limits(probability: FloatArray) -> FloatArray:
    """For each rate the largest probability that keeps the mean of all below it to the rate.

    And none above `_MOST_WRONG`: few groups held out are that doubtful, whatever their mean.
    """
    ascending = np.sort(probability)
    mean = np.cumsum(ascending) / np.arange(1, len(ascending) + 1)
    last = np.searchsorted(mean, RATES, side="right") - 1
    return np.minimum(ascending[np.maximum(last, 0)], _MOST_WRONG)


def disputed_limits(probability: FloatArray, disputed: FloatArray) -> FloatArray:
    """For each share the probability below which that share of the disputed groups has."""
    return np.asarray(np.quantile(probability[disputed == 1], SHARES))


def report(sample: Sample, model: BubbleModel, outcomes: tuple[FloatArray, ...]) -> None:
    """Reliability, and what is flagged by how the groups are marked."""
    log_right, log_agreed, wrong, disputed, n_marked = outcomes
    options = BubbleOptions()
    shares = np.where(n_marked > 0, options.undetected_disputes, options.undetected_marks)
    flagged = np.zeros(len(wrong), dtype=bool)
    for name, part, limit, log_not, true in (
        ("wrong", model.wrong, model.wrong.limit(options.silent_error_rate), log_right, wrong),
        ("disputed", model.disputed, model.disputed.limit(shares), log_agreed, disputed),
    ):
        probability = part.probability(log_not)
        print(f"{name}: scale {part.scale:.3f}, offset {part.offset:.3f}, limits")
        print(", ".join(f"{s:g}: {x:.3g}" for s, x in zip(part.shares, part.limits, strict=True)))
        print("predicted   groups  observed")
        edges = [0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01]
        for low, high in pairwise(edges):
            inside = (probability >= low) & (probability < high)
            if inside.any():
                predicted, observed = probability[inside].mean(), true[inside].mean()
                print(f"{predicted:9.2e} {inside.sum():8d} {observed:9.2e}")
        flagged |= probability > limit
    order = np.array(["", *(style.value for style in STATES), COVERED])
    rank = np.argsort(order)[np.searchsorted(np.sort(order), sample.style)]
    highest = order[by_group(rank, sample.group, np.maximum)[0]]
    print("oddest mark    groups  flagged  silently wrong")
    for style in order.tolist():
        use = highest == style
        if use.any():
            silent = int((~flagged & (wrong == 1.0))[use].sum())
            print(f"{style or 'none':12s} {use.sum():8d} {flagged[use].mean():8.4f} {silent:8d}")


@click.command()
@click.option("--pages", default=6000, show_default=True, help="Simulated pages.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep the evidence in this file.")
@click.option("--workers", default=2, show_default=True)
def main(pages: int, cache: Path | None, workers: int) -> None:
    """Fit the model of bubbles' states to simulated pages and write it."""
    if cache is not None and cache.exists():
        with np.load(cache) as kept:
            sample = Sample(*(kept[name] for name in ("evidence", "style", "group", "page")))
    else:
        sample = observe(pages, workers)
        if cache is not None:
            np.savez(
                cache,
                evidence=sample.evidence,
                style=sample.style,
                group=sample.group,
                page=sample.page,
            )
    training = sample.page % _HELD_OUT != 0
    layers = fit_states(sample.part(training))
    held_out = sample.part(~training)
    outcomes = group_outcomes(held_out, layers)
    log_right, log_agreed, is_wrong, is_disputed, n_marked = outcomes
    disputed = fit_calibration(log_agreed, is_disputed)
    chance = disputed.probability(log_agreed)
    disputed = replace(
        disputed, shares=np.array(SHARES), limits=disputed_limits(chance, is_disputed)
    )
    plain = (is_disputed == 0) & (n_marked <= 1)
    wrong = fit_calibration(log_right[plain], is_wrong[plain])
    wrong = replace(
        wrong,
        shares=np.array(RATES),
        limits=wrong_limits(wrong.probability(log_right[plain])),
    )
    report(held_out, BubbleModel(layers, wrong, disputed), outcomes)
    first, second, third = layers
    np.savez(
        OUT,
        first=first,
        second=second,
        third=third,
        wrong=np.array([wrong.scale, wrong.offset]),
        disputed=np.array([disputed.scale, disputed.offset]),
        wrong_limits=np.column_stack([wrong.shares, wrong.limits]),
        disputed_limits=np.column_stack([disputed.shares, disputed.limits]),
    )
    print(f"{len(sample.state)} bubbles of {pages} pages; written to {OUT.name}")


if __name__ == "__main__":
    main()
