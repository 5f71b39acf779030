"""Whose sheet it is: what is written on the sheets against the roster, all sheets at once.

What is written is evidence: for each box or group the probability of each symbol. A sheet
belongs to one of the candidates, or to nobody on the roster. Most sheets say surely who it
is; the others are matched with the candidates that are left, one sheet a candidate, by the
assignment with the largest probability of all sheets together. A match counts without a
person only where every other assignment is improbable enough, where each piece of evidence
by itself allows it, and where no second sheet claims the same candidate.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inkmark.exam import Candidate
from inkmark.marking._assignment import LEAST, SheetRow, match_rows
from inkmark.marking.evidence import (
    BLANK,
    NO_SYMBOL,
    IdentityOptions,
    NumberEvidence,
    certain_number,
)

__all__ = ["Doubt", "Identity", "contested_by", "fits", "identify_sheets"]

FloatArray = NDArray[np.float64]

_SLIP = 1e-5
"""A digit is not what the candidate meant, or its probabilities are wrong, so often."""
_FEWEST_SYMBOLS = 10
_MOST_CANDIDATES = 24
"""Candidates looked at for a sheet; the probability of the others counts against the match."""
_MOST_ROUNDS = 4
"""What is settled leaves fewer candidates to the other sheets, so these are matched again."""
_SHOWN, _MOST_SHOWN = 0.005, 5
"""The least probability of a guess, and how many are given."""
_CONTESTED = 0.05
"""An open sheet that is this probably a candidate's puts the one the candidate has in doubt:
who copied a neighbour's number may have written it more clearly than the neighbour."""


class Doubt(StrEnum):
    """Why a person has to say whose sheet it is."""

    NONE = ""
    BLANK = "blank"
    """No number is written, or none of it can be read."""
    UNCERTAIN = "uncertain"
    """Several candidates fit, or the sheet may be that of nobody on the roster."""
    CONTRADICTORY = "contradictory"
    """One number says otherwise than another."""
    NOT_ON_ROSTER = "not on the roster"
    """The number is read surely and nobody has it."""
    TWO_SHEETS = "two sheets"
    """Another sheet bears the same number as surely."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose sheet it is, as far as can be told.

    Attributes
    ----------
    candidate : str
        Candidate number; empty where a person has to say.
    doubt : Doubt
    guesses : tuple of (str, float)
        Candidates with their probabilities, likeliest first; empty number: nobody on the
        roster. Those below 0.005 are left out.
    """

    candidate: str
    doubt: Doubt
    guesses: tuple[tuple[str, float], ...]


def identify_sheets(
    sheets: Sequence[Sequence[NumberEvidence]],
    roster: Sequence[Candidate],
    *,
    taken: Collection[str] = (),
    options: IdentityOptions | None = None,
) -> tuple[Identity, ...]:
    """Match sheets with candidates.

    Parameters
    ----------
    sheets : sequence of sequence of NumberEvidence
        What is read on each sheet. Images of one sheet are one entry.
    roster : sequence of Candidate
        Where it is empty, every number that is read beyond doubt is that of a candidate.
    taken : collection of str
        Candidates whose sheet is known already.
    options : IdentityOptions, optional

    Returns
    -------
    tuple of Identity
        As `sheets`; it does not depend on their order.

    Notes
    -----
    The probability of a match is that of the best assignment of all sheets with it, against
    the best assignments with each other candidate for this sheet. A sheet may always stay
    without a candidate: it is then that of nobody on the roster, or the second sheet of
    somebody, and goes to a person in either case.
    """
    options = options or IdentityOptions()
    people = _Roster(roster)
    found: dict[int, Identity] = {}
    firm: defaultdict[int, list[int]] = defaultdict(list)
    open_sheets = []
    for number, evidence in enumerate(sheets):
        written = [e for e in evidence if not e.is_blank]
        who = people.certain(written, options)
        if not written:
            found[number] = Identity("", Doubt.BLANK, ())
        elif not roster:
            name = certain_number(written, options)
            doubt = Doubt.NONE if name else _doubt(written, people, options)
            found[number] = Identity(name, doubt, ((name, 1.0),) if name else ())
        elif who is not None:
            firm[who].append(number)
        else:
            open_sheets.append((number, written))
    gone = {people.place[candidate] for candidate in taken if candidate in people.place}
    for who, numbers in firm.items():
        for number in numbers:
            name, n_sheets = people.names[who], len(numbers) + (who in gone)
            found[number] = (
                Identity(name, Doubt.NONE, ((name, 1.0),))
                if n_sheets == 1
                else Identity("", Doubt.TWO_SHEETS, ((name, 1 / n_sheets),))
            )
    n_strangers = options.strangers * (len(sheets) + len(gone))
    n_strangers += sum(people.lacks(evidence, options) for _, evidence in open_sheets)
    gone |= firm.keys()
    for _ in range(_MOST_ROUNDS):
        free = np.ones(len(people.names), dtype=bool)
        free[list(gone)] = False
        rows = [_row(evidence, people, free, n_strangers, options) for _, evidence in open_sheets]
        rows = _contested(rows, match_rows(rows), options)
        left, settled = [], set()
        for (number, evidence), row, chances in zip(
            open_sheets, rows, match_rows(rows), strict=True
        ):
            found[number] = _identity(evidence, row, chances, people, options)
            if found[number].candidate:
                settled.add(people.place[found[number].candidate])
            else:
                left.append((number, evidence))
        if not settled or not left:
            break
        gone |= settled
        open_sheets = left
    return tuple(found[number] for number in range(len(sheets)))


def contested_by(identities: Iterable[Identity]) -> frozenset[str]:
    """Candidates of whom another sheet may be the one, among those that are not known.

    Parameters
    ----------
    identities : iterable of Identity

    Returns
    -------
    frozenset of str
    """
    return frozenset(
        who
        for identity in identities
        if not identity.candidate and identity.doubt is not Doubt.NOT_ON_ROSTER
        for who, probability in identity.guesses
        if who and probability >= _CONTESTED
    )


def fits(
    evidence: Iterable[NumberEvidence], candidate: Candidate, options: IdentityOptions | None = None
) -> bool:
    """Whether each piece of evidence by itself leaves a candidate possible."""
    options = options or IdentityOptions()
    written = [(e, _text(candidate, e.column)) for e in evidence if not e.is_blank]
    sure = any(text and e.number(options) == text for e, text in written)
    return all(not text or e.allows(text, options, elsewhere=sure) for e, text in written)


def _text(candidate: Candidate, column: str) -> str:
    """What a candidate's number is in a column; empty where there is none."""
    return dict(candidate.identifiers).get(column, "") if column else candidate.number


class _Column:
    """One column of the roster, its texts as rows of symbol numbers."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.symbols = {BLANK: 0}
        for text in texts:
            for symbol in text:
                self.symbols.setdefault(symbol, len(self.symbols))
        self.n_symbols = max(len(self.symbols) - 1, _FEWEST_SYMBOLS)
        self.length = max(map(len, texts), default=0)
        self.codes = np.zeros((len(texts), self.length), dtype=np.uint16)
        for row, text in zip(self.codes, texts, strict=True):
            row[: len(text)] = [self.symbols[symbol] for symbol in text]
        self.given = np.array([bool(text) for text in texts])
        self.density = self._density()

    def _density(self) -> FloatArray:
        """How probable each number would be as that of a stranger, (n,).

        A stranger's number begins like one of the roster, for any number of digits, and goes
        on at random: of another school, another class, or next to the last of the list.
        """
        n, density = len(self.codes), np.zeros(len(self.codes))
        alike = np.zeros(n, dtype=np.int64)
        for place in range(self.length):
            share = np.bincount(alike)[alike] / n
            density += share * float(self.n_symbols) ** (place - self.length)
            pairs = alike * len(self.symbols) + self.codes[:, place]
            alike = np.unique(pairs, return_inverse=True)[1]
        return density / max(self.length, 1)

    def table(self, evidence: NumberEvidence) -> tuple[FloatArray, float]:
        """Likelihood of each symbol at each place against that of a random number.

        Returns
        -------
        (length, n_symbols + 1) float64, float
            And that of boxes beyond the longest number, which should be blank.
        """
        n_boxes = len(evidence.boxes)
        table = np.full((self.length, len(self.symbols)), _SLIP)
        table[n_boxes:, 0] = 1.0
        beyond = 1.0
        for place, box in enumerate(evidence.boxes):
            p = dict(box)
            listed = [s for s in self.symbols if s in p]
            rest = max(0.0, 1 - math.fsum(p.values())) / max(self.n_symbols - len(listed), 1)
            vague = p.get(NO_SYMBOL, 0.0)
            if place >= self.length:
                beyond *= self.n_symbols * p.get(BLANK, 0.0) + vague + _SLIP
                continue
            row = np.full(len(self.symbols), self.n_symbols * rest + vague + p.get(BLANK, 0.0))
            row[0] = vague
            for symbol in listed:
                row[self.symbols[symbol]] += self.n_symbols * p[symbol]
            table[place] = (1 - _SLIP) * row + _SLIP
        return table, min(beyond, 1.0)


class _Roster:
    """The roster, ready for looking evidence up in it."""

    def __init__(self, roster: Sequence[Candidate]) -> None:
        self.names = [candidate.number for candidate in roster]
        self.place = {name: place for place, name in enumerate(self.names)}
        self.roster = roster
        self._columns: dict[str, _Column] = {}

    def column(self, name: str) -> _Column:
        if name not in self._columns:
            self._columns[name] = _Column([_text(candidate, name) for candidate in self.roster])
        return self._columns[name]

    def certain(self, evidence: Sequence[NumberEvidence], options: IdentityOptions) -> int | None:
        """Give the candidate whose number a sheet bears beyond doubt, else None.

        No other candidate can be as probable: they differ in their numbers, and all other
        numbers together are less probable than is allowed.
        """
        who = self.place.get(certain_number(evidence, options))
        return who if who is not None and fits(evidence, self.roster[who], options) else None

    def lacks(self, evidence: Sequence[NumberEvidence], options: IdentityOptions) -> bool:
        """Whether a sheet bears beyond doubt a number that nobody has."""
        number = certain_number(evidence, options)
        return bool(number) and number not in self.place and not any(e.column for e in evidence)

    def likelihoods(self, evidence: Sequence[NumberEvidence]) -> tuple[FloatArray, float]:
        """Likelihood of each candidate, (n,), and of somebody else, against a random number."""
        ours, others = np.ones(len(self.names)), 1.0
        for name in dict.fromkeys(e.column for e in evidence):
            column = self.column(name)
            table, beyond = np.ones((column.length, len(column.symbols))), 1.0
            for e in evidence:
                if e.column == name:
                    own, own_beyond = column.table(e)
                    table *= own
                    beyond *= own_beyond
            each, anybody = np.full(len(self.names), beyond), 0.0
            for place, row in enumerate(table):
                anybody += float(each.mean()) / column.length
                each *= row[column.codes[:, place]]
            # A stranger has any number but those of the roster.
            others *= max(anybody - float(column.density @ each), 0.0)
            ours *= np.where(column.given, each, 1.0)
        return ours, others


def _row(
    evidence: Sequence[NumberEvidence],
    people: _Roster,
    free: NDArray[np.bool_],
    n_strangers: float,
    options: IdentityOptions,
) -> SheetRow:
    ours, others = people.likelihoods(evidence)
    # So many sheets are expected of each candidate, and of all strangers together.
    weights = ours * np.where(free, 1.0, options.second_sheets)
    stranger = n_strangers * others
    total = float(weights.sum()) + stranger
    if total <= 0:
        return SheetRow(np.empty(0, np.int64), np.empty(0), 1.0, 1.0, ())
    weights /= total
    stranger /= total
    best = np.lexsort((np.arange(len(weights)), -weights))[: 2 * _MOST_CANDIDATES]
    own = best[free[best]][:_MOST_CANDIDATES]
    own = own[weights[own] > LEAST]
    second = [int(k) for k in best[~free[best]] if weights[k] >= _SHOWN / 10]
    other = max(1 - float(weights[own].sum()), 1e-15)
    return SheetRow(
        own, weights[own], other, stranger, tuple((k, float(weights[k])) for k in second)
    )


def _contested(
    rows: Sequence[SheetRow], chances: Sequence[FloatArray], options: IdentityOptions
) -> list[SheetRow]:
    """Let a sheet be the second one of a candidate to whom other open sheets may belong."""
    claims: defaultdict[int, float] = defaultdict(float)
    for row, own in zip(rows, chances, strict=True):
        for who, p in zip(row.free.tolist(), own.tolist(), strict=True):
            claims[who] += p
    found = []
    for row, own in zip(rows, chances, strict=True):
        others = np.clip(np.array([claims[who] for who in row.free.tolist()]) - own, 0.0, 1.0)
        more = options.second_sheets * others * row.weights
        seen = [(int(row.free[k]), float(more[k])) for k in np.flatnonzero(more >= _SHOWN / 10)]
        found.append(replace(row, other=row.other + float(more.sum()), second=(*row.second, *seen)))
    return found


def _identity(
    evidence: Sequence[NumberEvidence],
    row: SheetRow,
    chances: FloatArray,
    people: _Roster,
    options: IdentityOptions,
) -> Identity:
    rest = max(1 - float(chances.sum()), 0.0)
    found = {people.names[w]: float(p) for w, p in zip(row.free, chances, strict=True)}
    found[""] = rest * row.stranger / row.other
    for w, share in row.second:
        name = people.names[w]
        found[name] = found.get(name, 0.0) + rest * share / row.other
    ranked = sorted(found.items(), key=lambda guess: (-guess[1], guess[0]))
    guesses = tuple((who, round(p, 4)) for who, p in ranked if p >= _SHOWN)[:_MOST_SHOWN]
    if len(chances):
        first = int(chances.argmax())
        who = int(row.free[first])
        if fits(evidence, people.roster[who], options):
            if chances[first] >= 1 - options.match_error:
                return Identity(people.names[who], Doubt.NONE, guesses)
            # The number is plain; it is not plain which of the sheets is the candidate's.
            plain = found[people.names[who]] >= 1 - options.match_error
            return Identity("", Doubt.TWO_SHEETS if plain else Doubt.UNCERTAIN, guesses)
    return Identity("", _doubt(evidence, people, options), guesses)


def _doubt(evidence: Sequence[NumberEvidence], people: _Roster, options: IdentityOptions) -> Doubt:
    """Why a sheet that is nobody's needs a person."""
    if people.lacks(evidence, options):
        return Doubt.NOT_ON_ROSTER
    return Doubt.CONTRADICTORY if len(evidence) > 1 else Doubt.UNCERTAIN
