"""What every reader of text looks like, whichever engine is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["TextReader", "TextReading"]


@dataclass(frozen=True, slots=True)
class TextReading:
    """One crop as text.

    Attributes
    ----------
    text : str
        The likeliest reading; empty where there is no ink.
    confidence : float
        Probability that `text` is right, 0 to 1.
    alternatives : tuple of (str, float)
        Further readings with their probabilities, likeliest first.
    """

    text: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()


class TextReader(Protocol):
    """Reads crops of one line of text each; may be called from several threads."""

    def read(self, crops: Sequence[NDArray[np.uint8]], alphabet: str) -> list[TextReading]:
        """Read each crop.

        Parameters
        ----------
        crops : sequence of (height, width) uint8
            Dark ink on light paper, frames and guide text already taken out.
        alphabet : str
            The characters that may occur; empty for any.

        Returns
        -------
        list of TextReading
            One for each crop, in the same order.
        """
        ...
