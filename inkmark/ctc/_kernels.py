"""Compiled inner loops of reading CTC steps; each has a plain numpy twin in the tests.

`steps` (T, K) float64 holds the probability of each symbol at each step, column 0 the blank.
A language is `moves` (S, K) int64, the state in which a symbol ends that is written in a
state, or -1 where it may not be written there (column 0 is not looked at), and `accepting`
(S,) bool, the states in which a text may end. Texts begin in state 0. What is written by a
path of symbols follows from dropping repeats, then blanks.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["search", "text_probability", "to_come"]

B1 = NDArray[np.bool_]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@njit(cache=True, nogil=True)
def text_probability(steps: F64, text: I64) -> float:
    """Probability of all paths that write a text of columns, by the forward algorithm.

    A. Graves et al., Connectionist temporal classification, ICML 2006, section 4.1.
    """
    n = len(text)
    blank = np.zeros(n + 1)  # paths that wrote so many symbols and ended in a blank
    inked = np.zeros(n + 1)  # and ended in the last of them
    blank[0] = 1.0
    for t in range(len(steps)):
        for i in range(n, 0, -1):
            symbol = text[i - 1]
            before = blank[i - 1]
            if i > 1 and text[i - 2] != symbol:
                before += inked[i - 1]
            held = inked[i]
            inked[i] = (held + before) * steps[t, symbol]
            blank[i] = (held + blank[i]) * steps[t, 0]
        blank[0] *= steps[t, 0]
    return float(blank[n] + inked[n])


@njit(cache=True, nogil=True)
def to_come(steps: F64, moves: I64, accepting: B1) -> F64:
    """Probability that what is still to come completes a text of the language.

    Returns
    -------
    (T + 1, S, K) float64
        Before step t, in a state, with the last step a symbol (or the blank).
    """
    n_steps, n_symbols = steps.shape
    n_states = len(moves)
    after = np.zeros((n_steps + 1, n_states, n_symbols))
    for state in range(n_states):
        if accepting[state]:
            after[n_steps, state, :] = 1.0
    later = np.zeros(n_symbols + 1)
    for t in range(n_steps - 1, -1, -1):
        for state in range(n_states):
            # What writes one more symbol, summed from the last symbol down, so that any one
            # can be left out without subtracting: after a symbol the same is no new one.
            for symbol in range(n_symbols - 1, 0, -1):
                later[symbol] = later[symbol + 1]
                move = moves[state, symbol]
                if move >= 0:
                    later[symbol] += steps[t, symbol] * after[t + 1, move, symbol]
            pause = steps[t, 0] * after[t + 1, state, 0]
            after[t, state, 0] = pause + later[1]
            earlier = 0.0
            for symbol in range(1, n_symbols):
                held = steps[t, symbol] * after[t + 1, state, symbol]
                after[t, state, symbol] = pause + held + earlier + later[symbol + 1]
                move = moves[state, symbol]
                if move >= 0:
                    earlier += steps[t, symbol] * after[t + 1, move, symbol]
    return after


@njit(cache=True, nogil=True)
def search(steps: F64, moves: I64, after: F64, width: int) -> tuple[I64, I64]:
    """Likeliest texts of the language by beam search over prefixes.

    A prefix is worth the probability of all texts of the language that begin with it: the
    probability of its paths so far times `after` (`to_come`), so that the search never ends in
    prefixes which the language cannot complete.

    Returns
    -------
    texts : (n, T) int64
        Columns, likeliest text first, at most `width` texts.
    lengths : (n,) int64
    """
    n_steps, n_symbols = steps.shape
    # The prefixes met so far form a tree; a prefix that comes back finds its place in it.
    size = 1 + n_steps * width
    parent = np.full(size, -1, np.int64)
    symbol_of = np.zeros(size, np.int64)
    state_of = np.zeros(size, np.int64)
    child = np.full(size, -1, np.int64)
    sibling = np.full(size, -1, np.int64)
    place = np.full(size, -1, np.int64)  # in the beam
    n_nodes = 1

    nodes = np.zeros(width, np.int64)
    blank = np.zeros(width)
    inked = np.zeros(width)
    blank[0] = 1.0
    place[0] = 0
    n_beam = 1 if after[0, 0, 0] > 0.0 else 0

    most = width * n_symbols
    worth = np.zeros(most)
    from_entry = np.zeros(most, np.int64)
    by_symbol = np.zeros(most, np.int64)  # 0: the prefix stays as it is
    new_blank = np.zeros(most)
    new_inked = np.zeros(most)
    written = np.zeros((width, n_symbols))  # from the beam into prefixes of the beam
    next_nodes = np.zeros(width, np.int64)

    for t in range(n_steps):
        n_found = 0
        written[:] = -1.0
        for i in range(n_beam):
            up = parent[nodes[i]]
            if up >= 0 and place[up] >= 0:
                written[place[up], symbol_of[nodes[i]]] = 0.0
        for i in range(n_beam):
            node = nodes[i]
            last = symbol_of[node]
            for symbol in range(1, n_symbols):
                move = moves[state_of[node], symbol]
                if move < 0:
                    continue
                before = blank[i]
                if symbol != last:
                    before += inked[i]
                mass = before * steps[t, symbol]
                if written[i, symbol] >= 0.0:
                    written[i, symbol] = mass
                    continue
                value = mass * after[t + 1, move, symbol]
                if value > 0.0:
                    worth[n_found] = value
                    from_entry[n_found] = i
                    by_symbol[n_found] = symbol
                    new_blank[n_found] = 0.0
                    new_inked[n_found] = mass
                    n_found += 1
        for i in range(n_beam):
            node = nodes[i]
            last = symbol_of[node]
            state = state_of[node]
            pause = (blank[i] + inked[i]) * steps[t, 0]
            hold = inked[i] * steps[t, last]
            up = parent[node]
            if up >= 0 and place[up] >= 0:
                hold += written[place[up], last]
            value = pause * after[t + 1, state, 0] + hold * after[t + 1, state, last]
            if value > 0.0:
                worth[n_found] = value
                from_entry[n_found] = i
                by_symbol[n_found] = 0
                new_blank[n_found] = pause
                new_inked[n_found] = hold
                n_found += 1

        # Sorting by merging is stable: ties always fall the same way.
        order = np.argsort(-worth[:n_found], kind="mergesort")[:width]
        total = 0.0  # the paths kept are scaled to one: only their proportions matter
        for k in range(len(order)):
            total += new_blank[order[k]] + new_inked[order[k]]
        for i in range(n_beam):
            place[nodes[i]] = -1
        kept_blank = np.zeros(width)
        kept_inked = np.zeros(width)
        for k in range(len(order)):
            found = order[k]
            node = nodes[from_entry[found]]
            symbol = by_symbol[found]
            if symbol > 0:
                below = child[node]
                while below >= 0 and symbol_of[below] != symbol:
                    below = sibling[below]
                if below < 0:
                    below = n_nodes
                    n_nodes += 1
                    parent[below] = node
                    symbol_of[below] = symbol
                    state_of[below] = moves[state_of[node], symbol]
                    sibling[below] = child[node]
                    child[node] = below
                node = below
            next_nodes[k] = node
            kept_blank[k] = new_blank[found] / total
            kept_inked[k] = new_inked[found] / total
        n_beam = len(order)
        for k in range(n_beam):
            nodes[k] = next_nodes[k]
            place[nodes[k]] = k
        blank = kept_blank
        inked = kept_inked

    texts = np.full((n_beam, n_steps), -1, np.int64)
    lengths = np.zeros(n_beam, np.int64)
    for i in range(n_beam):
        node = nodes[i]
        n = 0
        while parent[node] >= 0:
            n += 1
            node = parent[node]
        lengths[i] = n
        node = nodes[i]
        while parent[node] >= 0:
            n -= 1
            texts[i, n] = symbol_of[node]
            node = parent[node]
    return texts, lengths
