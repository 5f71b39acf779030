"""Handwritten answers to one item, in groups that look alike and say the same.

A marker then scores a group and not each answer. What an answer may say is weighed with what
the whole class says: where a reader cannot tell 1/2 from 1/7, and forty others wrote 1/2, it
is more probable that this one did. Answers whose text is not sure enough stand apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inkmark.ctc import Choices, Language, Steps, language_of, likeliest_texts, likelihood

__all__ = ["AnswerGroup", "GroupOptions", "group_answers"]

_N_BEST = 6
_POPULAR = 40
"""So many of the texts that the class most probably wrote are tried on every answer."""
_LEAST_LIKELY = 1e-9
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
    found = _weighed([_texts(choices, language) for choices in answers if choices])
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


def _texts(choices: Choices, language: Language) -> tuple[Steps, dict[str, float]]:
    """The steps of an answer and its likeliest texts with their likelihoods."""
    steps = Steps.of(choices)
    if not language.is_open:
        steps = steps.narrowed(language.alphabet)
    return steps, dict(likeliest_texts(steps, language, _N_BEST))


def _weighed(answers: Sequence[tuple[Steps, dict[str, float]]]) -> list[tuple[str, float]]:
    """For each answer the likeliest text and its probability, the class taken into account."""
    shares: defaultdict[str, float] = defaultdict(float)
    for _, texts in answers:
        total = max(sum(texts.values()), 0.5)
        for text, chance in texts.items():
            shares[text] += chance / total / len(answers)
    popular = sorted(shares, key=lambda text: (-shares[text], text))[:_POPULAR]
    likelihoods = []
    for steps, texts in answers:
        tried = {text: likelihood(steps, text) for text in popular if text not in texts}
        likelihoods.append(
            texts | {text: chance for text, chance in tried.items() if chance > _LEAST_LIKELY}
        )
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


def _posterior(texts: dict[str, float], shares: Mapping[str, float]) -> dict[str, float]:
    """Probability of each text, beside those of texts that are not among them."""
    weights = {text: (shares.get(text, 0.0) + _NEW / 10) * chance for text, chance in texts.items()}
    total = sum(weights.values()) + _NEW * max(0.0, 1.0 - sum(texts.values()))
    return {text: weight / total for text, weight in weights.items()} if total else {}
