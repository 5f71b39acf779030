"""Accepted, refused or for a person: what becomes of a handwritten answer, given the key.

Two readers say which symbols may stand at each step of a line (`FieldReading.choices`). How
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
    many,
    maybe,
    one_of,
    opinions,
)
from inkmark.exam.answers import Answer, Exactly, Several, Statement, Words, parse_answer
from inkmark.marking._confusion import Confusion
from inkmark.marking._spellings import spellings
from inkmark.marking.answers import is_accepted

__all__ = [
    "Evidence",
    "FillIn",
    "FillInModel",
    "FillInOptions",
    "KeyKind",
    "KnownAnswers",
    "Verdict",
    "fill_in_model",
    "judge_fill_in",
    "known_answers",
    "weigh_answers",
]

_N_BEST = 8
"""So many of the likeliest texts are compared by what they mean."""
_NUMERIC = "0123456789.,/%+-=x"
_UNITS = "kmcdgtshinμLl°℃^%()千分厘毫米升克吨秒时小天元角平方立"
"""What answers to a key of numbers are written with, beside the characters of the key."""
_LEAST = 1e-15
_MOST = 15.0
"""No reader counts for more: now and then one is wholly wrong."""


class Verdict(StrEnum):
    """What becomes of a written answer."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PERSON = "person"
    """Somebody has to look at it."""


class KeyKind(StrEnum):
    """What a key asks for; readers know more of some things than of others."""

    NUMBERS = "numbers"
    AMOUNTS = "amounts"
    """Numbers with letters: units, names of unknowns."""
    WORDS = "words"


_LEAST_KNOWN = {Verdict.ACCEPTED: math.log(0.02), Verdict.REFUSED: math.log(0.4)}
"""Logarithm of how probable it is at least that an answer to the key can be read at all. What is
refused has to be read well: what looks like nothing known may be anything."""


_CLEAR = 1.0
"""What is accepted is so much likelier than any other text to one of the readers at least."""


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
    margins : tuple of float
        By reader, how much likelier the likeliest accepted answer is than the likeliest of all
        other texts, as a logarithm; 0 for one that saw nothing.
    log_known : float
        Logarithm of the probability that the first reader sees an answer to this key at all.
    accepted, other : str
        The likeliest text that is accepted, and that is not; empty where there is none.
    kind : KeyKind
        Of the key.
    """

    margins: tuple[float, ...]
    log_known: float
    accepted: str
    other: str
    kind: KeyKind

    def allows(self, verdict: Verdict) -> bool:
        """Whether a verdict may be given, however probable it is."""
        said = max(self.margins) >= _CLEAR if verdict is Verdict.ACCEPTED else bool(self.other)
        return said and self.log_known >= _LEAST_KNOWN[verdict]


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
    Each reader of the line says how much likelier the likeliest accepted answer is than the
    likeliest other text, what it is known to confuse taken into account (`Confusion`). A
    logistic model (Platt 1999) makes a probability of what both say. It is fitted to simulated
    answers by ``python -m tools.calibrate_fill_in``, from which the limits come too. Nothing is
    accepted that is clear to neither reader, however often both are wrong there, and where
    hardly any text can be read that may answer to the key a person has to look.
    """
    options = options or FillInOptions()
    evidence = weigh_answers(key, choices)
    model = fill_in_model()
    probability = model.probability(evidence)
    accepting = model.limit(Verdict.ACCEPTED, options.wrongly_accepted)
    if evidence.allows(Verdict.ACCEPTED) and 1 - probability <= accepting:
        return FillIn(Verdict.ACCEPTED, evidence.accepted, probability)
    refusing = model.limit(Verdict.REFUSED, options.wrongly_refused)
    if evidence.allows(Verdict.REFUSED) and probability <= refusing:
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
    readers = [_narrowed(read, known) for read in opinions(choices)]
    found = [
        _compare(key, confusion.written_steps(steps, known.spelled.alphabet), known)
        if len(steps.probabilities)
        else (0.0, "")
        for confusion, steps in zip(fill_in_model().confusions, readers, strict=False)
    ]
    free = likeliest_texts(readers[0], known.any_text, _N_BEST)
    return Evidence(
        tuple(margin for margin, _ in found),
        math.log(max(language_probability(readers[0], known.any_text), _LEAST)),
        found[0][1],
        next((text for text, _ in free if not is_accepted(key, text)), ""),
        known.kind,
    )


def _narrowed(choices: Choices, known: KnownAnswers) -> Steps:
    read = Steps.of(choices)
    return read.narrowed(known.alphabet) if known.alphabet else read


def _compare(key: tuple[str, ...], written: Steps, known: KnownAnswers) -> tuple[float, str]:
    """How much likelier an accepted answer is than any other text, and which."""
    text, chance = next(iter(likeliest_texts(written, known.spelled, 1)), ("", 0.0))
    for other, beside in likeliest_texts(written, known.others, _N_BEST):
        if not is_accepted(key, other):
            break
        if beside > chance:
            text, chance = other, beside
    else:
        beside = 0.0
    margin = math.log(max(chance, _LEAST) / max(beside, _LEAST))
    return min(max(margin, -_MOST), _MOST), text


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswers:
    """What may be written for a key.

    Attributes
    ----------
    spelled : Language
        How the accepted answers are written.
    others : Language
        The rest of `any_text`; a little of it is accepted as well.
    any_text : Language
        What answers to this key may be at all. No number begins or ends with a stroke: with
        such texts every 1 would be in doubt.
    alphabet : str
        Its characters; empty where any may be written.
    kind : KeyKind
    """

    spelled: Language
    others: Language
    any_text: Language
    alphabet: str
    kind: KeyKind


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
        text = language_of("text")
        return KnownAnswers(spelled, text.without(spelled), text, "", KeyKind.WORDS)
    symbols = _NUMERIC + _UNITS + spelled.alphabet.replace(OTHER, "")
    alphabet = "".join(dict.fromkeys(symbols))
    has_letters = any(symbol.isalpha() for symbol in spelled.alphabet)
    kind = KeyKind.AMOUNTS if has_letters else KeyKind.NUMBERS
    number = many(one_of(alphabet.replace("/", "")))
    text = Language.of(number + maybe(many(one_of("/") + number)))
    return KnownAnswers(spelled, text.without(spelled), text, alphabet, kind)


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
class FillInModel:
    """The fitted model.

    Attributes
    ----------
    confusions : tuple of Confusion
        What each reader takes for what.
    weights : mapping of KeyKind to tuple of float
        Of the log odds of an accepted answer: constant, and weight of what each reader says.
    limits : mapping of Verdict to (shares, limits)
        Wanted shares of wrong verdicts, ascending, and the largest probability that a verdict
        is wrong which keeps to each.
    """

    confusions: tuple[Confusion, ...]
    weights: Mapping[KeyKind, Sequence[float]]
    limits: Mapping[Verdict, tuple[Sequence[float], Sequence[float]]]

    def probability(self, evidence: Evidence) -> float:
        """That an accepted answer is written."""
        constant, *weights = self.weights[evidence.kind]
        z = constant + sum(w * m for w, m in zip(weights, evidence.margins, strict=False))
        return 1 / (1 + math.exp(-min(max(z, -30.0), 30.0)))

    def limit(self, verdict: Verdict, share: float) -> float:
        """The largest probability of a wrong verdict that keeps wrong ones to a share."""
        shares, limits = self.limits[verdict]
        return float(np.exp(np.interp(np.log(share), np.log(shares), np.log(limits))))


@cache
def fill_in_model() -> FillInModel:
    """The model that comes with the package."""
    path = resources.files("inkmark.marking").joinpath("fill_in_model.json")
    data = json.loads(path.read_text("utf-8"))
    return FillInModel(
        tuple(map(Confusion, data["confusions"])),
        {KeyKind(kind): weights for kind, weights in data["weights"].items()},
        {Verdict(verdict): limits for verdict, limits in data["limits"].items()},
    )
