"""Compiled loops of the screening of pairs; each has a plain numpy twin in the tests.

Callers see to it that choices lie in -1 .. K - 1, key in 0 .. K - 1, and rows and places
within their arrays.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["pair_tails", "wrong_agreement"]

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I64 = NDArray[np.int64]

# Tails that differ by rounding only are equally extreme.
_TIE = 1.0 + 1e-11


@njit(cache=True, nogil=True)
def match_tail(chance: F64, n: int, count: int, mass: F64) -> float:
    """Chance of `count` successes or more in `n` independent trials.

    `chance` (n,) of success in each trial; `mass` (n + 1,) is scratch.
    """
    mass[0] = 1.0
    for i in range(n):
        p = chance[i]
        mass[i + 1] = mass[i] * p
        for x in range(i, 0, -1):
            mass[x] = mass[x] * (1.0 - p) + mass[x - 1] * p
        mass[0] *= 1.0 - p
    tail = 0.0
    for x in range(n, count - 1, -1):
        tail += mass[x]
    return min(tail, 1.0)


@njit(cache=True, nogil=True)
def trinomial_tail(
    right: F64, wrong: F64, n: int, n_right: int, n_wrong: int, mass: F64, other: F64
) -> float:
    """Chance of a result at least as extreme as `n_right` and `n_wrong` identical answers.

    `right`, `wrong` (n,) are the chances of an identical right, of an identical wrong answer.
    A result is as extreme as the chance of at least as many of both is small. `mass` and
    `other` (n + 2, n + 2) are scratch; the result x, y stands at [x + 1, y + 1].
    """
    for x in range(n + 2):
        for y in range(n + 2):
            mass[x, y] = 0.0
            other[x, y] = 0.0
    mass[1, 1] = 1.0
    for i in range(n):
        p, q = right[i], wrong[i]
        none = max(1.0 - p - q, 0.0)
        for x in range(i + 2):
            width = i + 2 - x
            # Slices of one length, so that the loop uses wide registers.
            above = mass[x, 1 : width + 1]
            before = mass[x + 1, :width]
            here = mass[x + 1, 1 : width + 1]
            new = other[x + 1, 1 : width + 1]
            for y in range(width):
                new[y] = none * here[y] + p * above[y] + q * before[y]
        mass, other = other, mass
    # From here `other` holds the chances of at least x and at least y.
    for x in range(n + 2):
        other[x, :] = 0.0
    for x in range(n + 1, 0, -1):
        row = 0.0
        for y in range(n + 2 - x, 0, -1):
            row += mass[x, y]
            other[x, y] = row + (other[x + 1, y] if x <= n else 0.0)
    limit = other[n_right + 1, n_wrong + 1] * _TIE
    tail = 0.0
    for x in range(1, n + 2):
        for y in range(1, n + 3 - x):
            if other[x, y] <= limit:
                tail += mass[x, y]
    return min(tail, 1.0)


@njit(cache=True, nogil=True)
def pair_tails(
    choices: I8,
    key: I8,
    shares: F64,
    place: I64,
    copier: I64,
    source: I64,
    counts: I64,
    moments: F64,
    tails: F64,
) -> None:
    """Exact figures of each pair of `copier` and `source` (p,), rows of `choices` (n, m).

    `shares` (r, m, K) are the option probabilities of the candidates concerned, whose row
    there is `place` (n,). Fills `counts` (p, 3) with items both answered, identical right
    and identical wrong answers; `moments` (p, 2) with mean and variance of the identical
    answers given those of the source; `tails` (p, 3) with the p of omega, GBT and M4. The last
    two are the same for the reverse of a pair, and NaN unless copier < source.
    """
    m = choices.shape[1]
    n_options = shares.shape[2]
    given, both = np.empty(m), np.empty(m)
    both_right, both_wrong = np.empty(m), np.empty(m)
    scratch = np.empty(m + 1)
    mass, other = np.empty((m + 2, m + 2)), np.empty((m + 2, m + 2))
    for pair in range(len(copier)):
        a, b = copier[pair], source[pair]
        own, theirs = shares[place[a]], shares[place[b]]
        n = n_right = n_wrong = 0
        mean = variance = 0.0
        for item in range(m):
            x, y = choices[a, item], choices[b, item]
            if x < 0 or y < 0:
                continue
            p = own[item, y]
            mean += p
            variance += p * (1.0 - p)
            given[n] = p
            match = 0.0
            for option in range(n_options):
                match += own[item, option] * theirs[item, option]
            both[n] = match
            both_right[n] = own[item, key[item]] * theirs[item, key[item]]
            both_wrong[n] = max(match - both_right[n], 0.0)
            n += 1
            if x == y:
                if x == key[item]:
                    n_right += 1
                else:
                    n_wrong += 1
        counts[pair, 0], counts[pair, 1], counts[pair, 2] = n, n_right, n_wrong
        moments[pair, 0], moments[pair, 1] = mean, variance
        tails[pair, 0] = match_tail(given, n, n_right + n_wrong, scratch)
        tails[pair, 1] = tails[pair, 2] = np.nan
        if a < b:
            tails[pair, 1] = match_tail(both, n, n_right + n_wrong, scratch)
            tails[pair, 2] = trinomial_tail(
                both_right, both_wrong, n, n_right, n_wrong, mass, other
            )


@njit(cache=True, nogil=True)
def wrong_agreement(
    choices: I8, key: I8, wrong_share: F64, copier: I64, source: I64, counts: I64, chance: F64
) -> None:
    """Agreement on the source's wrong answers that is usual among candidates like the copier.

    `wrong_share` (n,) of the items answered; NaN without any. Of every candidate but the two,
    the share of the source's wrong answers given as well is regressed on the share of wrong
    answers, a parabola, and read off at the copier's. Fills `counts` (p,) with the source's
    wrong answers on items that the copier answered, and `chance` (p,), NaN where there are
    fewer than ten to compare with.
    """
    n, m = choices.shape
    items = np.empty(m, dtype=np.int64)
    for pair in range(len(copier)):
        a, b = copier[pair], source[pair]
        n_wrong = 0
        for item in range(m):
            if choices[a, item] >= 0 and choices[b, item] >= 0 and choices[b, item] != key[item]:
                items[n_wrong] = item
                n_wrong += 1
        counts[pair] = n_wrong
        # Moments of q, the share of wrong answers, about that of the copier.
        s0 = s1 = s2 = s3 = s4 = 0.0
        t0 = t1 = t2 = 0.0
        for other in range(n):
            if other in (a, b) or np.isnan(wrong_share[other]):
                continue
            n_same = n_answered = 0
            for place in range(n_wrong):
                item = items[place]
                n_answered += choices[other, item] >= 0
                n_same += choices[other, item] == choices[b, item]
            if n_answered == 0:
                continue
            share = n_same / n_answered
            q = wrong_share[other] - wrong_share[a]
            s0 += 1.0
            s1 += q
            s2 += q * q
            s3 += q * q * q
            s4 += q * q * q * q
            t0 += share
            t1 += share * q
            t2 += share * q * q
        chance[pair] = _parabola_at_zero(s0, s1, s2, s3, s4, t0, t1, t2)


@njit(cache=True, nogil=True)
def _parabola_at_zero(
    s0: float,
    s1: float,
    s2: float,
    s3: float,
    s4: float,
    t0: float,
    t1: float,
    t2: float,
) -> float:
    """Constant of the least-squares parabola, from its normal equations."""
    if s0 < 10.0:
        return np.nan
    # Cramer's rule; where q takes fewer than three values, the mean.
    minor0 = s2 * s4 - s3 * s3
    minor1 = s1 * s4 - s2 * s3
    minor2 = s1 * s3 - s2 * s2
    determinant = s0 * minor0 - s1 * minor1 + s2 * minor2
    if abs(determinant) <= 1e-9 * s0 * s2 * s4:
        return t0 / s0
    return (t0 * minor0 - t1 * minor1 + t2 * minor2) / determinant
