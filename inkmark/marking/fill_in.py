"""Accepted, refused or for a person: what becomes of a handwritten answer, given the key.

A reader of lines says which symbols may stand at each step (`FieldReading.choices`). How
probable it is that one of the accepted answers is written follows from that and from the key,
which is why it is settled when responses are scored and not when pages are read: with another
key the same readings are judged anew.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType

import numpy as np

from inkmark.ctc import (
    OTHER,
    Choices,
    Language,
    Steps,
    either,
    language_of,
    language_probability,
    likeliest_texts,
)
from inkmark.exam.answers import Answer, Exactly, Several, Statement, Words, parse_answer
from inkmark.marking._spellings import spellings
from inkmark.marking.answers import is_accepted

__all__ = ["Evidence", "FillIn", "FillInOptions", "Verdict", "judge_fill_in", "weigh_answers"]

_N_BEST = 8
"""So many of the likeliest texts are compared by what they mean."""
_NUMERIC = "0123456789.,/%+-"
_UNITS = "kmcdgtshinμLl°℃^%()千分厘毫米升克吨秒时小天元角平方立"
"""What answers to a key with a unit may be written with, beside the characters of the key."""
_LEAST = 1e-12


class Verdict(StrEnum):
    """What becomes of a written answer."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PERSON = "person"
    """Somebody has to look at it."""


@dataclass(frozen=True, slots=True)
class FillInOptions:
    """How sure a verdict has to be.

    Attributes
    ----------
    wrongly_accepted : float
        Wanted share of wrong answers among those that are accepted without a person.
    wrongly_refused : float
        Wanted share of right answers among those that are refused without a person.
    """

    wrongly_accepted: float = 1e-3
    wrongly_refused: float = 1e-3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a reading says for and against the key.

    Attributes
    ----------
    log_odds : float
        Of an accepted answer against all other texts with the characters that answers to
        this key may have.
    log_known : float
        Logarithm of the probability of all these texts: low where something else is written.
    accepted, other : str
        The likeliest text that is accepted, and that is not; empty where there is none.
    is_number : bool
        Whether the key's answers are numbers.
    """

    log_odds: float
    log_known: float
    accepted: str
    other: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class FillIn:
    """A verdict.

    Attributes
    ----------
    verdict : Verdict
    value : str
        What is taken to be written: an accepted answer where it is accepted, another text
        where it is refused, nothing where a person has to look.
    probability : float
        That an accepted answer is written.
    """

    verdict: Verdict
    value: str
    probability: float


@lru_cache(maxsize=65_536)
def judge_fill_in(
    key: tuple[str, ...], choices: Choices, options: FillInOptions | None = None
) -> FillIn:
    """Settle whether an accepted answer is written.

    Parameters
    ----------
    key : tuple of str
        The accepted answers as they stand in the workbook.
    choices : Choices
        Steps of the reading; see `FieldReading.choices`.
    options : FillInOptions, optional

    Returns
    -------
    FillIn

    Notes
    -----
    The probability of all texts that `spellings` of the key allow, and of the likeliest others
    that mean the same, is set against that of all other texts by the reader of lines; these
    odds and the probability that any such text is written are made a probability by a
    logistic model (Platt 1999), fitted to simulated answers by
    ``python -m tools.calibrate_fill_in``, from which the limits come too.
    """
    options = options or FillInOptions()
    evidence = weigh_answers(key, choices)
    model = _models()["numbers" if evidence.is_number else "words"]
    probability = model.probability(evidence)
    if evidence.accepted and 1 - probability <= model.limit("accept", options.wrongly_accepted):
        return FillIn(Verdict.ACCEPTED, evidence.accepted, probability)
    if evidence.other and probability <= model.limit("refuse", options.wrongly_refused):
        return FillIn(Verdict.REFUSED, evidence.other, probability)
    return FillIn(Verdict.PERSON, "", probability)


def weigh_answers(key: tuple[str, ...], choices: Choices) -> Evidence:
    """Weigh the accepted answers against everything else that may be written.

    Parameters
    ----------
    key : tuple of str
    choices : Choices

    Returns
    -------
    Evidence
    """
    known = _known(key)
    steps = Steps.of(choices)
    if known.alphabet:
        steps = steps.narrowed(known.alphabet)
    texts = likeliest_texts(steps, known.any_text, _N_BEST)
    accepted = [(t, p) for t, p in texts if is_accepted(key, t)]
    others = [(t, p) for t, p in texts if not is_accepted(key, t)]
    chance = language_probability(steps, known.spelled)
    chance += sum(p for text, p in accepted if not known.spelled.accepts(text))
    total = max(language_probability(steps, known.any_text), chance)
    if not accepted:
        spelled = likeliest_texts(steps, known.spelled, 1)
        accepted = [(t, p) for t, p in spelled if is_accepted(key, t)]
    # What was left out of the choices may have been something else than the key.
    rest = max(total - chance, _LEAST)
    return Evidence(
        math.log(max(chance, _LEAST) / rest),
        math.log(max(total, _LEAST)),
        accepted[0][0] if accepted else "",
        others[0][0] if others else "",
        bool(known.alphabet),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What may be written for a key: its spellings and any text.

    `alphabet` are the characters of any text, empty where these are all.
    """

    spelled: Language
    any_text: Language
    alphabet: str


@lru_cache(maxsize=1024)
def _known(key: tuple[str, ...]) -> _Known:
    answers = [parse_answer(text) for text in key]
    spelled = Language.of(either(*map(spellings, answers)))
    if any(_has_words(answer) for answer in answers):
        return _Known(spelled, language_of("text"), "")
    has_units = any(symbol.isalpha() for symbol in spelled.alphabet)
    symbols = _NUMERIC + (_UNITS if has_units else "") + spelled.alphabet.replace(OTHER, "")
    alphabet = "".join(dict.fromkeys(symbols))
    return _Known(spelled, language_of(alphabet), alphabet)


def _has_words(answer: Answer) -> bool:
    match answer:
        case Words() | Exactly():
            return True
        case Statement(_, value, _):
            return _has_words(value)
        case Several(items):
            return any(map(_has_words, items))
    return False


@dataclass(frozen=True, slots=True)
class _Model:
    """A logistic model of an accepted answer, and the limits of verdicts.

    `limits` has for each verdict the wanted shares of wrong verdicts, ascending, and the
    largest probability that a verdict is wrong which keeps to each.
    """

    weights: tuple[float, float, float]
    limits: MappingProxyType[str, tuple[tuple[float, ...], tuple[float, ...]]]

    def probability(self, evidence: Evidence) -> float:
        constant, odds, known = self.weights
        z = constant + odds * evidence.log_odds + known * evidence.log_known
        return 1 / (1 + math.exp(-min(max(z, -30.0), 30.0)))

    def limit(self, verdict: str, share: float) -> float:
        shares, limits = self.limits[verdict]
        return float(np.exp(np.interp(np.log(share), np.log(shares), np.log(limits))))


@cache
def _models() -> dict[str, _Model]:
    text = resources.files("inkmark.marking").joinpath("fill_in_model.json").read_text("utf-8")
    return {
        name: _Model(
            tuple(model["weights"]),
            MappingProxyType(
                {verdict: (tuple(s), tuple(x)) for verdict, (s, x) in model["limits"].items()}
            ),
        )
        for name, model in json.loads(text).items()
    }
