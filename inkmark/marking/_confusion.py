"""How probable it is that one sign is read where another is written.

The reader of lines takes some signs for others and does not know it: a fraction's stroke for
a 1, a comma for a point; and it does not see small ones at all. A noisy channel (M. Kernighan,
K. Church and W. Gale, A spelling correction program based on a noisy channel model, COLING
1990) says how often. It is fitted to simulated answers by ``python -m
tools.calibrate_fill_in``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import OTHER, Steps

__all__ = ["Confusion"]

_ELSE = 0.01
"""What is written where a sign is read that was never seen: something else with this
probability, any sign alike."""
_ELSE_KNOWN = 1e-4
"""And where a sign is read that is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Probabilities of written signs by what is read.

    Attributes
    ----------
    written : mapping of str to mapping of str to float
        By the sign that is read (``""`` for the blank) and by the sign that is written.
    """

    written: Mapping[str, Mapping[str, float]]

    def matrix(self, symbols: tuple[str, ...]) -> NDArray[np.float64]:
        """Probability of each written symbol (column) by the symbol that is read (row).

        What is none of the symbols is `OTHER`, the last of them.
        """
        place = {symbol: k for k, symbol in enumerate(symbols)}
        out = np.empty((len(symbols), len(symbols)))
        for k, symbol in enumerate(symbols):
            known = self.written.get(symbol)
            out[k] = (_ELSE if known is None else _ELSE_KNOWN) / len(symbols)
            out[k, k] += 1e-6
            for sign, probability in (known or {symbol: 1.0}).items():
                out[k, place.get(sign, -1)] += probability
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    def written_steps(self, steps: Steps, signs: str) -> Steps:
        """Steps of what may be written from steps of what is read.

        Parameters
        ----------
        steps : Steps
        signs : str
            What may be written beside what is read; no other sign is told apart.
        """
        seen = np.flatnonzero(steps.probabilities[:, 1:-1].any(axis=0)) + 1
        known = [steps.symbols[k] for k in seen.tolist()]
        missing = (sign for sign in signs if sign not in known)
        symbols = ("", *known, *missing, OTHER)
        read = np.zeros((len(steps.probabilities), len(symbols)))
        read[:, : len(seen) + 1] = steps.probabilities[:, [0, *seen]]
        read[:, -1] = steps.probabilities[:, -1]
        return Steps(symbols, np.ascontiguousarray(read @ _matrix(self, symbols)))


@lru_cache(maxsize=32)
def _matrix(confusion: Confusion, symbols: tuple[str, ...]) -> NDArray[np.float64]:
    return confusion.matrix(symbols)
