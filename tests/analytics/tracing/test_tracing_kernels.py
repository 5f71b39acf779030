"""Each kernel against the same in plain numpy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inkmark.analytics.tracing import _kernels

LANES = _kernels.LANES


def chain_twin(with_it, without, steps, parameters):
    """Smoothed mastery, expected numbers and log-likelihood of one chain, by two-state sums."""
    n = len(with_it)
    start, learn, forget = parameters
    evidence = np.stack((without, with_it), axis=1)
    change = np.array([[1 - learn, learn], [forget, 1 - forget]])
    forward, backward = np.empty((n, 2)), np.ones((n, 2))
    forward[0] = np.array([1 - start, start]) * evidence[0]
    for t in range(1, n):
        step = change if steps[t - 1] else np.eye(2)
        forward[t] = forward[t - 1] @ step * evidence[t]
    for t in range(n - 2, -1, -1):
        step = change if steps[t] else np.eye(2)
        backward[t] = step @ (evidence[t + 1] * backward[t + 1])
    total = forward[-1].sum()
    sums = np.zeros(5)
    for t in range(n - 1):
        if steps[t]:
            joint = forward[t][:, None] * change * (evidence[t + 1] * backward[t + 1]) / total
            sums[:4] += joint[0, 1], joint[0].sum(), joint[1, 0], joint[1].sum()
    mastery = forward[:, 1] * backward[:, 1] / total
    sums[4] = mastery[0]
    return mastery, sums, np.log(total)


def test_smoothing() -> None:
    """Two batches, one of them with empty lanes; more times than between logarithms."""
    rng = np.random.default_rng(1)
    lengths = [np.sort(rng.integers(30, 41, LANES)), np.array([1, 5, 7])]
    times = np.array([lengths[0].max(), 7])
    first = np.array([0, times[0] * LANES])
    n_slots = int((times * LANES).sum())
    able = np.append(rng.uniform(0.1, 0.9, 4), 1.0)
    unable = np.append(rng.uniform(0.1, 0.9, 4), 1.0)
    codes = np.full(n_slots, 4, dtype=np.int32)
    steps = np.zeros(n_slots, dtype=np.uint8)
    companions = rng.uniform(0.2, 1, n_slots)
    start, learn, forget = np.array([[0.3, 0.6], [0.2, 0.1], [0.05, 0.02]])
    chains = []
    for b, part in enumerate(lengths):
        for lane, length in enumerate(part):
            slots = first[b] + np.arange(length) * LANES + lane
            codes[slots] = rng.integers(0, 4, length)
            steps[slots[:-1]] = rng.uniform(size=length - 1) < 0.8
            chains.append((b, slots))
    mastery, sums, by_code = np.empty(n_slots), np.empty((2, LANES, 5)), np.zeros(5)
    value = _kernels.smooth(
        first, times, codes, steps, able, unable, companions, start, learn, forget,
        mastery, sums, by_code,
    )  # fmt: skip
    expected_sums, expected_value, expected_by_code = np.zeros((2, 5)), 0.0, np.zeros(5)
    for b, slots in chains:
        without = unable[codes[slots]]
        with_it = without + companions[slots] * (able[codes[slots]] - without)
        found, part, log_likelihood = chain_twin(
            with_it, without, steps[slots], (start[b], learn[b], forget[b])
        )
        assert mastery[slots] == pytest.approx(found, rel=1e-9)
        expected_sums[b] += part
        expected_value += log_likelihood
        expected_by_code += np.bincount(codes[slots], found, 5)
    assert sums.sum(axis=1) == pytest.approx(expected_sums, rel=1e-9)
    assert sums[1, 3:].max() == 0
    assert value == pytest.approx(expected_value, rel=1e-12)
    assert by_code[:4] == pytest.approx(expected_by_code[:4], rel=1e-9)


def test_an_answer_on_several_attributes_by_all_combinations() -> None:
    known = np.array([0.3, 0.8, 0.5])
    able, unable, weight = 0.9, 0.25, 0.6
    for right in (True, False):
        given = {True: able, False: unable}
        joint = {}
        for has in itertools.product((False, True), repeat=2):
            prior = np.prod(np.where(has, known[[0, 2]], 1 - known[[0, 2]]))
            rate = given[all(has)]
            joint[has] = prior * (rate if right else 1 - rate) ** weight
        total = sum(joint.values())
        mastery = known[None].copy()
        seen, last = np.zeros((1, 3), dtype=np.int64), np.full((1, 3), -1)
        expected = np.empty(1)
        value = _kernels.trace(
            np.array([0]), np.array([0, 2]), np.array([0, 2]), np.array([7]), np.array([able]),
            np.array([unable]), np.array([right]), np.array([weight]), np.full(3, 0.2),
            np.full(3, 0.1), mastery, seen, last, expected,
        )  # fmt: skip
        first = sum(joint[has] for has in joint if has[0]) / total
        third = sum(joint[has] for has in joint if has[1]) / total
        assert mastery[0] == pytest.approx([first, 0.8, third])
        assert value == pytest.approx(np.log(total))
        assert expected[0] == pytest.approx(unable + 0.15 * (able - unable))
        assert seen[0].tolist() == [1, 0, 1]
        assert last[0].tolist() == [7, -1, 7]
