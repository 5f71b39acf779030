"""Handwritten answers to one item, in groups that look alike and say the same.

A marker then scores a group and not each answer. What an answer may say is what both readers
say of it, what they are known to confuse taken into account, weighed with what the whole class
says: where they cannot tell 1/2 from 1/7, and forty others wrote 1/2, it is more probable that
this one did. Answers whose text is not sure enough stand apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inkmark.ctc import Choices, Language, Steps, language_of, likeliest_texts, likelihood, opinions
from inkmark.marking.fill_in import KeyKind, fill_in_model

__all__ = ["AnswerGroup", "GroupOptions", "group_answers"]

_N_BEST = 6
_POPULAR = 40
"""So many of the texts that the class most probably wrote are tried on every answer."""
_LEAST_LIKELY = 1e-12
_ROUNDS = 8
_NEW = 1e-3
"""Share of the class that is expected to write what nobody else does."""


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """When an answer belongs to a group.

    Attributes
    ----------
    sure : float
        Probability of the group's text from which an answer is among its sure members.
    likely : float
        Probability from which it is among the answers that say so perhaps; below, an answer
        is a group of its own.
    """

    sure: float = 0.95
    likely: float = 0.5


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Answers that say the same.

    Attributes
    ----------
    text : str
        What they say; empty for blank ones and for an answer that nobody can read.
    is_sure : bool
        Whether each member says so with the probability asked for.
    members : tuple of int
        Positions among the answers, surest first.
    probability : tuple of float
        Of each member, that it says the text.
    """

    text: str
    is_sure: bool
    members: tuple[int, ...]
    probability: tuple[float, ...]


def group_answers(
    answers: Sequence[Choices | None], charset: str, options: GroupOptions | None = None
) -> tuple[AnswerGroup, ...]:
    """Put the answers to an item into groups.

    Parameters
    ----------
    answers : sequence of Choices or None
        Steps of the readings (`FieldReading.choices`); None for a blank box, and no steps
        for something that is no line of text.
    charset : str
        What may be written, as in `WritingField.charset`.
    options : GroupOptions, optional

    Returns
    -------
    tuple of AnswerGroup
        The largest first; each answer is in one group.

    Notes
    -----
    The class is a mixture of texts; how often each was written is estimated by expectation
    maximisation (Dempster, Laird, Rubin 1977) from the likelihoods of the likeliest texts of
    each answer and of the texts that are likeliest in the class.
    """
    options = options or GroupOptions()
    language = language_of(charset)
    found = _weighed([_read(choices, language) for choices in answers if choices])
    ranked = iter(found)
    groups: dict[tuple[str, bool, int], list[tuple[float, int]]] = {}
    for position, choices in enumerate(answers):
        if choices is None:
            place, probability = ("", True, -1), 1.0
        else:
            text, probability = next(ranked) if choices else ("", 0.0)
            if probability < options.likely:
                place = (text, False, position)
            else:
                place = (text, probability >= options.sure, -1)
        groups.setdefault(place, []).append((probability, position))
    made = []
    for (text, is_sure, _), members in groups.items():
        members.sort(key=lambda member: (-member[0], member[1]))
        probabilities, positions = zip(*members, strict=True)
        made.append(AnswerGroup(text, is_sure, positions, probabilities))
    return tuple(sorted(made, key=lambda g: (-len(g.members), not g.is_sure, g.members[0])))


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What the readers see of an answer, and which texts each finds likeliest."""

    readers: tuple[Steps, ...]
    texts: dict[str, float]
    """With the probability that the first reader gives them."""


def _read(choices: Choices, language: Language) -> _Read:
    readers = [Steps.of(steps) for steps in opinions(choices)]
    if not language.is_open:
        readers = [steps.narrowed(language.alphabet) for steps in readers]
    first, *others = (dict(likeliest_texts(steps, language, _N_BEST)) for steps in readers)
    texts = {text: likelihood(readers[0], text) for other in others for text in other}
    return _Read(tuple(readers), texts | first)


def _weighed(answers: Sequence[_Read]) -> list[tuple[str, float]]:
    """For each answer the likeliest text and its probability, the class taken into account."""
    shares: defaultdict[str, float] = defaultdict(float)
    for answer in answers:
        total = max(sum(answer.texts.values()), 0.5)
        for text, chance in answer.texts.items():
            shares[text] += chance / total / len(answers)
    popular = sorted(shares, key=lambda text: (-shares[text], text))[:_POPULAR]
    likelihoods = [_pooled(answer, popular) for answer in answers]
    posterior: list[dict[str, float]] = []
    for _ in range(_ROUNDS):
        posterior = [_posterior(texts, shares) for texts in likelihoods]
        shares = defaultdict(float)
        for weights in posterior:
            for text, weight in weights.items():
                shares[text] += weight / len(answers)
    return [
        max(weights.items(), key=lambda pair: pair[1]) if weights else ("", 0.0)
        for weights in posterior
    ]


def _pooled(answer: _Read, popular: Sequence[str]) -> dict[str, float]:
    """How likely each text is by both readers, as much as the first one knows in all.

    A logarithmic opinion pool (C. Genest and J. V. Zidek, Combining probability distributions,
    Statistical Science 1(1), 1986), in which the readers count as in verdicts on answers.
    """
    model = fill_in_model()
    best = max(answer.texts, key=lambda text: answer.texts[text], default="")
    kind = KeyKind.WORDS
    if any(map(str.isdigit, best)):
        kind = KeyKind.AMOUNTS if any(map(str.isalpha, best)) else KeyKind.NUMBERS
    weights = model.weights[kind][1:]
    texts = [*answer.texts, *(text for text in popular if text not in answer.texts)]
    signs = "".join(dict.fromkeys("".join(texts)))
    pooled = np.zeros(len(texts))
    for confusion, steps, weight in zip(model.confusions, answer.readers, weights, strict=False):
        if len(steps.probabilities):
            written = confusion.written_steps(steps, signs)
            seen = [likelihood(written, text) for text in texts]
            pooled += weight / weights[0] * np.log(np.maximum(seen, _LEAST_LIKELY))
    shares = np.exp(pooled - pooled.max(initial=-np.inf))
    shares *= min(sum(answer.texts.values()), 1.0) / max(float(shares.sum()), 1.0)
    return {text: p for text, p in zip(texts, shares.tolist(), strict=True) if p > _LEAST_LIKELY}


def _posterior(texts: dict[str, float], shares: Mapping[str, float]) -> dict[str, float]:
    """Probability of each text, beside those of texts that are not among them."""
    weights = {text: (shares.get(text, 0.0) + _NEW / 10) * chance for text, chance in texts.items()}
    total = sum(weights.values()) + _NEW * max(0.0, 1.0 - sum(texts.values()))
    return {text: weight / total for text, weight in weights.items()} if total else {}
