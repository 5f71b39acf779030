"""What engines that read lines of text share, and what is read with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import Language, Steps, language_probability, likeliest_texts

__all__ = ["TextReader", "TextReading"]


@dataclass(frozen=True, slots=True)
class TextReading:
    """One crop as text.

    Attributes
    ----------
    text : str
        The likeliest text of the language, in the plain forms of its characters; empty where
        no text of it could be written there.
    confidence : float
        Probability of `text`, given that a text of the language is written there.
    inside : float
        Probability that a text of the language is written there, and not something else or
        nothing. It is less well calibrated than `confidence`: frames, lines and an unusual
        hand lower it. Most digits and letters in boxes have more than 0.1, and few scribbles
        or characters that are none of the language.
    alternatives : tuple of (str, float)
        Further texts with their probabilities, of the kind of `confidence`, likeliest first.
    steps : Steps
        What the texts were taken from.
    """

    text: str
    confidence: float
    inside: float
    alternatives: tuple[tuple[str, float], ...]
    steps: Steps

    @classmethod
    def of(cls, steps: Steps, language: Language, n_best: int) -> TextReading:
        """The reading that follows from what was seen.

        Parameters
        ----------
        steps : Steps
        language : Language
        n_best : int
            Number of texts, that of the reading among them.

        Returns
        -------
        TextReading
        """
        inside = language_probability(steps, language)
        texts = [
            (text, min(probability / inside, 1.0))
            for text, probability in likeliest_texts(steps, language, n_best)
        ]
        (text, confidence), *others = texts or [("", 0.0)]
        return cls(text, confidence, inside, tuple(others), steps)


class TextReader(Protocol):
    """An engine that looks at one line of text; may be called from several threads.

    One that gives no more than a text and a score makes its steps by `Steps.of_text`.
    """

    def steps(self, crop: NDArray[np.uint8], alphabet: str) -> Steps:
        """What is seen from left to right.

        Parameters
        ----------
        crop : (height, width) uint8
            Dark ink on light paper; at least one pixel.
        alphabet : str
            The characters that may be written, others being `inkmark.ctc.OTHER`; empty for any.

        Returns
        -------
        Steps
        """
        ...
