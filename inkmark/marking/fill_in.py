"""Accepted, refused or for a person: what becomes of a handwritten answer, given the key.

A reader of lines says which symbols may stand at each step (`FieldReading.choices`). How
probable it is that one of the accepted answers is written follows from that and from the key,
which is why it is settled when responses are scored and not when pages are read: with another
key the same readings are judged anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources

import numpy as np

from inkmark.ctc import (
    OTHER,
    Choices,
    Language,
    Steps,
    language_of,
    language_probability,
    likeliest_texts,
    likelihood,
)
from inkmark.exam.answers import Answer, Exactly, Several, Statement, Words, parse_answer
from inkmark.marking._confusion import Confusion
from inkmark.marking._spellings import spellings
from inkmark.marking.answers import is_accepted

__all__ = [
    "LIKELY",
    "Evidence",
    "FillIn",
    "FillInModel",
    "FillInOptions",
    "KnownAnswers",
    "Verdict",
    "VerdictOdds",
    "fill_in_model",
    "judge_fill_in",
    "known_answers",
    "weigh_answers",
]

_N_BEST = 8
"""So many of the likeliest texts are compared by what they mean."""
_NUMERIC = "0123456789.,/%+-"
_UNITS = "kmcdgtshinμLl°℃^%()千分厘毫米升克吨秒时小天元角平方立"
"""What answers to a key with a unit may be written with, beside the characters of the key."""
LIKELY = -2.0
"""Log odds from which on the key is the likeliest by far, for a slip of one sign is rarer."""
_LEAST = 1e-15
_LEAST_KNOWN = math.log(0.02)
"""Logarithm of how probable it is at least that an answer to the key can be read at all."""


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
        Of an accepted answer against all other texts that answers to this key may be.
    log_known : float
        Logarithm of the probability that any of these is read.
    accepted, other : str
        The likeliest text that is accepted, and that is not; empty where there is none.
    is_number : bool
        Whether the key's answers are numbers.
    is_read : bool
        Whether the likeliest of all texts is an accepted answer.
    """

    log_odds: float
    log_known: float
    accepted: str
    other: str
    is_number: bool
    is_read: bool


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
    that mean the same, is set against that of all other texts, with what the reader of lines
    is known to confuse (`Confusion`). A logistic model (Platt 1999) makes a probability of
    these odds. It is fitted to simulated answers by ``python -m tools.calibrate_fill_in``,
    from which the limits come too. Nothing is accepted that reads as another answer, however
    often the reader is wrong there, and where hardly any text can be read that may answer to
    the key a person has to look.
    """
    options = options or FillInOptions()
    evidence = weigh_answers(key, choices)
    odds = fill_in_model().numbers if evidence.is_number else fill_in_model().words
    probability = odds.probability(evidence)
    if evidence.log_known >= _LEAST_KNOWN:
        accepting = odds.limit(Verdict.ACCEPTED, options.wrongly_accepted)
        if evidence.is_read and 1 - probability <= accepting:
            return FillIn(Verdict.ACCEPTED, evidence.accepted, probability)
        if evidence.other and probability <= odds.limit(Verdict.REFUSED, options.wrongly_refused):
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
    known = known_answers(key)
    read = Steps.of(choices)
    if known.alphabet:
        read = read.narrowed(known.alphabet)
    written = fill_in_model().confusion.written_steps(read, known.spelled.alphabet)
    texts = [text for text, _ in likeliest_texts(read, known.any_text, _N_BEST)]
    accepted = [text for text in texts if is_accepted(key, text)]
    others = [text for text in texts if text not in accepted]
    chance = language_probability(written, known.spelled)
    chance += sum(likelihood(written, t) for t in accepted if not known.spelled.accepts(t))
    rest = language_probability(written, known.any_text) - chance
    return Evidence(
        math.log(max(chance, _LEAST) / max(rest, _LEAST)),
        math.log(max(language_probability(read, known.any_text), _LEAST)),
        accepted[0] if accepted else "",
        others[0] if others else "",
        bool(known.alphabet),
        texts[:1] == accepted[:1] != [],
    )


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswers:
    """What may be written for a key.

    Attributes
    ----------
    spelled : Language
        How the accepted answers are written.
    any_text : Language
        What answers to this key may be at all.
    alphabet : str
        Its characters; empty where any may be written.
    """

    spelled: Language
    any_text: Language
    alphabet: str


@lru_cache(maxsize=512)  # as many as an exam may have items; the largest takes 300 kB
def known_answers(key: tuple[str, ...]) -> KnownAnswers:
    """What may be written for a key, made once.

    Parameters
    ----------
    key : tuple of str

    Returns
    -------
    KnownAnswers
    """
    answers = [parse_answer(text) for text in key]
    spelled = Language.of(spellings(answers))
    if any(_has_words(answer) for answer in answers):
        return KnownAnswers(spelled, language_of("text"), "")
    has_units = any(symbol.isalpha() for symbol in spelled.alphabet)
    symbols = _NUMERIC + (_UNITS if has_units else "") + spelled.alphabet.replace(OTHER, "")
    alphabet = "".join(dict.fromkeys(symbols))
    return KnownAnswers(spelled, language_of(alphabet), alphabet)


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
class VerdictOdds:
    """What a verdict follows from, for keys of one kind.

    Attributes
    ----------
    weights : (float, float, float)
        Of the log odds of an accepted answer: constant, weight of `Evidence.log_odds`, and
        further weight of what is beyond `LIKELY`.
    limits : mapping of Verdict to (shares, limits)
        Wanted shares of wrong verdicts, ascending, and the largest probability that a verdict
        is wrong which keeps to each.
    """

    weights: tuple[float, float, float]
    limits: Mapping[Verdict, tuple[Sequence[float], Sequence[float]]]

    def probability(self, evidence: Evidence) -> float:
        """That an accepted answer is written."""
        constant, weight, further = self.weights
        z = constant + weight * evidence.log_odds + further * max(evidence.log_odds - LIKELY, 0.0)
        return 1 / (1 + math.exp(-min(max(z, -30.0), 30.0)))

    def limit(self, verdict: Verdict, share: float) -> float:
        """The largest probability of a wrong verdict that keeps wrong ones to a share."""
        shares, limits = self.limits[verdict]
        return float(np.exp(np.interp(np.log(share), np.log(shares), np.log(limits))))


@dataclass(frozen=True, slots=True)
class FillInModel:
    """The fitted model.

    Attributes
    ----------
    confusion : Confusion
        What the reader of lines takes for what.
    numbers, words : VerdictOdds
        For keys that are numbers, and for others.
    """

    confusion: Confusion
    numbers: VerdictOdds
    words: VerdictOdds


@cache
def fill_in_model() -> FillInModel:
    """The model that comes with the package."""
    path = resources.files("inkmark.marking").joinpath("fill_in_model.json")
    data = json.loads(path.read_text("utf-8"))
    numbers, words = (
        VerdictOdds(
            tuple(data[kind]["weights"]),
            {Verdict(verdict): limits for verdict, limits in data[kind]["limits"].items()},
        )
        for kind in ("numbers", "words")
    )
    return FillInModel(Confusion(data["confusion"]), numbers, words)
