"""Compiled loops of knowledge tracing; each has a plain numpy twin in the tests.

A chain is the evidence on one attribute of one candidate, in the order of time. Chains of
like length lie side by side in batches of `LANES`, time by time, so that one instruction
works on several: slot = first slot of the batch + time * LANES + lane. Slots after the end
of a chain have a code whose evidence is 1 either way, and no step after them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["LANES", "smooth", "trace"]

LANES = 16

B1 = NDArray[np.bool_]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

LEAST = 1e-12
"""Mastery stays this far from 0 and 1."""

_SUMS = {"reassoc", "contract", "nsz", "arcp"}

_LOG_EVERY = 32
"""Steps whose probabilities are multiplied before a logarithm is taken."""


@njit(cache=True, nogil=True, fastmath=_SUMS, error_model="numpy")
def smooth(
    first: I64,
    times: I64,
    codes: I32,
    steps: U8,
    able: F64,
    unable: F64,
    companions: F64,
    start: F64,
    learn: F64,
    forget: F64,
    mastery: F64,
    sums: F64,
    by_code: F64,
) -> float:
    """Find the mastery at each slot given all evidence; return the log-likelihood.

    Parameters are those of the batch's attribute: `start`, `learn`, `forget` (b,). The
    evidence of a slot is `unable[code]` without the attribute, and with it that plus
    `companions[slot]` times the rest to `able[code]`. Sets `mastery` (slots,), and `sums`
    (b, LANES, 5): learnt, could learn, forgot, could forget, mastered at the start. Adds the
    mastery of all slots to `by_code` (codes,).
    """
    longest = 0
    for b in range(len(times)):
        longest = max(longest, times[b])
    before = np.empty((longest, LANES))
    after = np.empty((longest, LANES))
    state, product, later = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    gained, open_ = np.empty(LANES), np.empty(LANES)
    lost, held = np.empty(LANES), np.empty(LANES)
    log_likelihood = 0.0
    for b in range(len(times)):
        origin, n_times = first[b], times[b]
        learning, keeping = learn[b], 1.0 - forget[b]
        for lane in range(LANES):
            state[lane] = start[b]
            product[lane] = 1.0
        for t in range(n_times):
            base = origin + t * LANES
            for lane in range(LANES):
                slot = base + lane
                known = state[lane]
                without = unable[codes[slot]]
                with_it = without + companions[slot] * (able[codes[slot]] - without)
                total = known * with_it + (1.0 - known) * without
                product[lane] *= total
                now = known * with_it / total
                before[t, lane] = known
                after[t, lane] = now
                stepped = now * keeping + (1.0 - now) * learning
                state[lane] = min(max(stepped if steps[slot] else now, LEAST), 1.0 - LEAST)
            if t % _LOG_EVERY == _LOG_EVERY - 1 or t == n_times - 1:
                for lane in range(LANES):
                    log_likelihood += np.log(product[lane])
                    product[lane] = 1.0
        for lane in range(LANES):
            later[lane] = after[n_times - 1, lane]
            mastery[origin + (n_times - 1) * LANES + lane] = later[lane]
            gained[lane] = open_[lane] = lost[lane] = held[lane] = 0.0
        for t in range(n_times - 2, -1, -1):
            base = origin + t * LANES
            for lane in range(LANES):
                slot = base + lane
                now = after[t, lane]
                # What follows, against what was expected, with mastery and without.
                up = later[lane] / before[t + 1, lane]
                down = (1.0 - later[lane]) / (1.0 - before[t + 1, lane])
                stepped = now * (keeping * up + (1.0 - keeping) * down)
                known = stepped if steps[slot] else later[lane]
                if steps[slot]:
                    gained[lane] += (1.0 - now) * learning * up
                    open_[lane] += 1.0 - known
                    lost[lane] += now * (1.0 - keeping) * down
                    held[lane] += known
                later[lane] = known
                mastery[slot] = known
        for lane in range(LANES):
            sums[b, lane, 0] = gained[lane]
            sums[b, lane, 1] = open_[lane]
            sums[b, lane, 2] = lost[lane]
            sums[b, lane, 3] = held[lane]
            # An empty lane has no first slot to speak of.
            used = codes[origin + lane] < len(able) - 1
            sums[b, lane, 4] = mastery[origin + lane] if used else 0.0
        for slot in range(origin, origin + n_times * LANES):
            by_code[codes[slot]] += mastery[slot]
    return log_likelihood


@njit(cache=True, nogil=True, error_model="numpy")
def trace(
    candidate: I64,
    rows: I64,
    attributes: I64,
    occasion: I64,
    able: F64,
    unable: F64,
    right: B1,
    weight: F64,
    learn: F64,
    forget: F64,
    mastery: F64,
    seen: I64,
    last: I64,
    expected: F64,
) -> float:
    """Bring the mastery of candidates up to date, answer by answer; return the log-likelihood.

    Answer r is on the attributes `attributes[rows[r]:rows[r + 1]]`, right with probability
    `able[r]` with all of them and else `unable[r]`. Attributes are taken as independent
    before each answer. `mastery` (n, k), the answers `seen` (n, k) and the `last` occasion
    (n, k) go on from what they are; `expected` (r,) is set to the probability of a right
    answer.
    """
    log_likelihood = 0.0
    for r in range(len(rows) - 1):
        i = candidate[r]
        all_of_them = 1.0
        for e in range(rows[r], rows[r + 1]):
            k = attributes[e]
            known = mastery[i, k]
            if seen[i, k] > 0 and last[i, k] != occasion[r]:
                known = known * (1.0 - forget[k]) + (1.0 - known) * learn[k]
                mastery[i, k] = known
            last[i, k] = occasion[r]
            seen[i, k] += 1
            all_of_them *= known
        expected[r] = unable[r] + all_of_them * (able[r] - unable[r])
        with_all = able[r] if right[r] else 1.0 - able[r]
        without = unable[r] if right[r] else 1.0 - unable[r]
        if weight[r] != 1.0:
            with_all, without = with_all ** weight[r], without ** weight[r]
        total = without + all_of_them * (with_all - without)
        log_likelihood += np.log(total)
        for e in range(rows[r], rows[r + 1]):
            k = attributes[e]
            # With all of them, and with this one but not all.
            known = all_of_them * with_all + (mastery[i, k] - all_of_them) * without
            mastery[i, k] = min(max(known / total, LEAST), 1.0 - LEAST)
    return log_likelihood
