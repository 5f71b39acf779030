"""Steps of connectionist temporal classification, and the texts that they may write."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc.alphabet import assign_characters, plain
from inkmark.ctc.languages import OTHER, Language

__all__ = [
    "Choices",
    "Steps",
    "join_opinions",
    "language_probability",
    "likeliest_texts",
    "likelihood",
    "opinions",
]

Choices = tuple[tuple[tuple[str, float], ...], ...]
"""Steps as readings keep them: at each step the likely symbols, likeliest first."""

_NEXT = (("\n", 1.0),)
"""Stands before the steps of a further reader."""
_MOST_CHOICES = 8
_LEAST_CHOICE = 0.0005


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """What a reader of text lines saw from left to right.

    Attributes
    ----------
    symbols : tuple of str
        ``""`` first, the blank that parts characters; then characters, each in its plain
        form and once; `OTHER` last.
    probabilities : (n_steps, n_symbols) float64
        Each row sums to 1.
    """

    symbols: tuple[str, ...]
    probabilities: NDArray[np.float64]

    @classmethod
    def of(cls, choices: Choices) -> Steps:
        """The steps that were kept as choices; what is missing from 1 is `OTHER`.

        Parameters
        ----------
        choices : tuple of tuple of (str, float)

        Returns
        -------
        Steps
        """
        found = {plain(symbol): None for step in choices for symbol, _ in step if symbol}
        found.pop(OTHER, None)
        symbols = ("", *found, OTHER)
        column = {symbol: k for k, symbol in enumerate(symbols)}
        probabilities = np.zeros((len(choices), len(symbols)))
        for row, step in zip(probabilities, choices, strict=True):
            for symbol, probability in step:
                row[column[plain(symbol) if symbol else ""]] += probability
        total = probabilities.sum(axis=1, keepdims=True)
        probabilities /= np.maximum(total, 1.0)  # rounding may have made it a little more
        probabilities[:, -1:] = np.maximum(1.0 - total, 0.0)
        return cls(symbols, probabilities)

    @classmethod
    def of_text(cls, text: str, score: float) -> Steps:
        """The steps of a reader that gives no more than a text and how sure it is.

        Parameters
        ----------
        text : str
        score : float
            Probability of each character, 0 to 1.

        Returns
        -------
        Steps
        """
        blank = (("", 1.0),)
        return cls.of(tuple(step for c in text for step in (((c, score),), blank)))

    def choices(self) -> Choices:
        """These steps in short, for keeping: at most 8 symbols a step, none below 0.0005.

        Steps one after the other that can only be blank become one.

        Returns
        -------
        tuple of tuple of (str, float)
        """
        kept: list[tuple[tuple[str, float], ...]] = []
        for row in self.probabilities.tolist():
            ranked = sorted(zip(row, self.symbols, strict=True), key=lambda pair: -pair[0])
            step = tuple(
                (symbol, round(probability, 4))
                for probability, symbol in ranked[:_MOST_CHOICES]
                if probability >= _LEAST_CHOICE and symbol != OTHER
            )
            only_blank = len(step) == 1 and step[0][0] == "" and step[0][1] > 1 - _LEAST_CHOICE
            if not (only_blank and kept and kept[-1] == step):
                kept.append(step)
        return tuple(kept)

    def narrowed(self, alphabet: str) -> Steps:
        """These steps where only the characters of an alphabet may be written.

        Parameters
        ----------
        alphabet : str

        Returns
        -------
        Steps
            Other characters count for what has the same shape, else as `OTHER`.
        """
        symbols = ("", *dict.fromkeys(plain(character) for character in alphabet), OTHER)
        place = assign_characters(self.symbols[1:-1], "".join(symbols[1:-1]))
        place = np.concatenate([[0], np.where(place < 0, len(symbols) - 1, place + 1), [-1]])
        probabilities = np.zeros((len(symbols), len(self.probabilities)))
        np.add.at(probabilities, place, self.probabilities.T)
        return Steps(symbols, np.ascontiguousarray(probabilities.T))


def join_opinions(*readers: Choices) -> Choices:
    """The steps of several readers of one line as readings keep them.

    Parameters
    ----------
    *readers : Choices
        Those of a reader that saw nothing are empty.

    Returns
    -------
    Choices
    """
    first, *others = readers
    return first + tuple(step for choices in others for step in (_NEXT, *choices))


def opinions(choices: Choices) -> tuple[Choices, ...]:
    """What `join_opinions` put together, apart.

    Parameters
    ----------
    choices : Choices

    Returns
    -------
    tuple of Choices
        One for each reader.
    """
    ends = [place for place, step in enumerate(choices) if step == _NEXT]
    begins = [0, *(end + 1 for end in ends)]
    return tuple(choices[a:b] for a, b in zip(begins, [*ends, len(choices)], strict=True))


def likelihood(steps: Steps, text: str) -> float:
    """Probability that exactly this text is written.

    Parameters
    ----------
    steps : Steps
    text : str
        In any form of its characters.

    Returns
    -------
    float
        Over all paths; 0 where a character of the text is none of the symbols.
    """
    column = {symbol: k for k, symbol in enumerate(steps.symbols[:-1])}
    columns = [column.get(plain(character), -1) for character in text]
    if -1 in columns:
        return 0.0
    columns_of_text = np.array(columns, dtype=np.int64)
    return float(_compiled().text_probability(steps.probabilities, columns_of_text))


def language_probability(steps: Steps, language: Language) -> float:
    """Probability that any text of a language is written, over all of them.

    Parameters
    ----------
    steps : Steps
    language : Language

    Returns
    -------
    float
    """
    moves = language.moves_by(steps.symbols)
    return float(_compiled().to_come(steps.probabilities, moves, language.accepting)[0, 0, 0])


def likeliest_texts(
    steps: Steps, language: Language, n_best: int = 5, *, width: int = 16
) -> tuple[tuple[str, float], ...]:
    """The likeliest texts of a language.

    Parameters
    ----------
    steps : Steps
    language : Language
    n_best : int
        So many at most.
    width : int
        How many beginnings of texts are followed at a time, at least `n_best`.

    Returns
    -------
    tuple of (str, float)
        Texts in the plain forms of their characters, with their `likelihood`, likeliest
        first; none where the language has no text that the steps could write.
    """
    moves = language.moves_by(steps.symbols)
    kernels, probabilities = _compiled(), steps.probabilities
    after = kernels.to_come(probabilities, moves, language.accepting)
    found, lengths = kernels.search(probabilities, moves, after, max(width, n_best))
    texts = [
        (
            "".join(steps.symbols[k] for k in columns),
            float(kernels.text_probability(probabilities, columns)),
        )
        for columns in (row[:length] for row, length in zip(found, lengths, strict=True))
    ]
    return tuple(sorted(texts, key=lambda pair: -pair[1])[:n_best])


def _compiled() -> Any:
    """The kernels: statistics and reports know answers too, and need not wait for numba."""
    return importlib.import_module("inkmark.ctc._kernels")
