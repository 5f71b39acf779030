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
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inkmark.exam import Candidate
from inkmark.readings import FieldReading, Flag

__all__ = [
    "Doubt",
    "Identity",
    "IdentityOptions",
    "NumberEvidence",
    "certain_number",
    "identify_sheets",
]

FloatArray = NDArray[np.float64]

BLANK, NO_SYMBOL = "", "?"
"""What a box may hold besides symbols; see `FieldReading.choices`."""

_SLIP = 1e-5
"""A digit is not what the candidate meant, or its probabilities are wrong, so often."""
_FEWEST_SYMBOLS = 10
_PLAUSIBLE = 1e-3
"""Evidence allows a number that is this probable against the best reading of it."""
_MOST_CANDIDATES = 24
"""Candidates looked at for a sheet; the probability of the others counts against the match."""
_THRESHOLDS = (1e-9, 1e-7, 1e-5, 1e-3, 1e-2, 1e-1)
"""Candidates less probable than this share of a sheet's best are not told apart from others,
the first that keeps the sheets that contend for the same candidates few enough."""
_MOST_TOGETHER = 300
"""Sheets matched in one assignment."""
_MOST_ROUNDS = 4
"""What is settled leaves fewer candidates to the other sheets, so these are matched again."""
_SHOWN, _MOST_SHOWN = 0.005, 5
"""The least probability of a guess, and how many are given."""

Box = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class NumberEvidence:
    """A number as it was read.

    Attributes
    ----------
    boxes : tuple of tuple of (str, float)
        What each box may hold, as in `FieldReading.choices`.
    column : str
        The column of the roster that it should be in (see `Candidate.identifiers`); empty
        for the candidate number.
    """

    boxes: tuple[Box, ...]
    column: str = ""

    @classmethod
    def of_text(cls, text: str, column: str = "") -> NumberEvidence:
        """What a decoded code says: certain, each character."""
        return cls(tuple(((symbol, 1.0),) for symbol in text), column)

    @classmethod
    def of_reading(cls, reading: FieldReading, column: str = "") -> NumberEvidence:
        """What a field says; where its choices are not known, what was read in it."""
        if reading.choices:
            return cls(reading.choices, column)
        value = reading.value
        symbols = value.split("|") if "|" in value else list(value)
        if reading.flag is Flag.UNREADABLE or not symbols:
            return cls((), column)
        share = reading.confidence ** (1 / len(symbols)) if reading.flag is Flag.OK else 1.0
        return cls(tuple(((s, share),) if s != NO_SYMBOL else ((s, 1.0),) for s in symbols), column)

    @property
    def is_blank(self) -> bool:
        """Whether no box is likely to hold a symbol."""
        return all(
            sum(p for s, p in box if s not in (BLANK, NO_SYMBOL)) < 0.5 for box in self.boxes
        )

    @property
    def best(self) -> tuple[str, float]:
        """The likeliest number and how probable it is; blank boxes at its end are not shown."""
        tops = [box[0] if box else (NO_SYMBOL, 1.0) for box in self.boxes]
        text = "".join(symbol or " " for symbol, _ in tops).rstrip()
        return text.replace(" ", NO_SYMBOL), math.prod(p for _, p in tops)


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


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """When a sheet is given to a candidate without a person.

    Attributes
    ----------
    silent_error_rate : float
        The largest probability that such a sheet belongs to somebody else.
    strangers : float
        Expected share of the sheets that belong to nobody on the roster.
    second_sheets : float
        Expected share of candidates of whom there is a second sheet, or another image of
        their sheet that is not known to be one.
    """

    silent_error_rate: float = 1e-4
    strangers: float = 0.005
    second_sheets: float = 0.01


def certain_number(
    evidence: Iterable[NumberEvidence], options: IdentityOptions = IdentityOptions()
) -> str:
    """Give the candidate number that a sheet bears beyond doubt, with no roster at hand.

    Parameters
    ----------
    evidence : iterable of NumberEvidence
        Of other columns than the candidate number none counts.
    options : IdentityOptions

    Returns
    -------
    str
        Empty where no number is read surely enough, or another number speaks against it.
    """
    numbers = [e for e in evidence if not e.column and not e.is_blank]
    certain = {
        text
        for text, p in (e.best for e in numbers)
        if NO_SYMBOL not in text and p >= 1 - options.silent_error_rate
    }
    if len(certain) != 1:
        return ""
    (text,) = certain
    return text if all(e.best[0] == text or _allows(e, text) for e in numbers) else ""


def identify_sheets(
    sheets: Sequence[Sequence[NumberEvidence]],
    roster: Sequence[Candidate],
    *,
    taken: Collection[str] = (),
    options: IdentityOptions = IdentityOptions(),
) -> tuple[Identity, ...]:
    """Match sheets with candidates.

    Parameters
    ----------
    sheets : sequence of sequence of NumberEvidence
        What is read on each sheet. Images of one sheet are one entry.
    roster : sequence of Candidate
    taken : collection of str
        Candidates whose sheet is known already.
    options : IdentityOptions

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
    people = _Roster(roster)
    found: dict[int, Identity] = {}
    firm: defaultdict[int, list[int]] = defaultdict(list)
    open_sheets = []
    for number, evidence in enumerate(sheets):
        written = [e for e in evidence if not e.is_blank]
        who = people.certain(written, options)
        if who is not None:
            firm[who].append(number)
        elif written:
            open_sheets.append((number, written))
        else:
            found[number] = Identity("", Doubt.BLANK, ())
    gone = {people.place[candidate] for candidate in taken if candidate in people.place}
    for who, numbers in firm.items():
        for number in numbers:
            name, n_sheets = people.names[who], len(numbers) + (who in gone)
            found[number] = (
                Identity(name, Doubt.NONE, ((name, 1.0),))
                if n_sheets == 1
                else Identity("", Doubt.TWO_SHEETS, ((name, 1 / n_sheets),))
            )
    n_sheets = len(sheets) + len(gone)
    gone |= firm.keys()
    for _ in range(_MOST_ROUNDS):
        free = np.ones(len(people.names), dtype=bool)
        free[list(gone)] = False
        rows = [_Row.of(evidence, people, free, n_sheets, options) for _, evidence in open_sheets]
        left, settled = [], set()
        for (number, evidence), row, chances in zip(open_sheets, rows, _match(rows), strict=True):
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


def _allows(evidence: NumberEvidence, text: str) -> bool:
    """Whether a reading by itself leaves a number possible."""
    if len(text) > len(evidence.boxes):
        return False
    symbols = [*text, *[BLANK] * (len(evidence.boxes) - len(text))]
    ratio = 1.0
    for symbol, box in zip(symbols, evidence.boxes, strict=True):
        p = dict(box)
        vague = p.get(NO_SYMBOL, 0.0) + (p.get(BLANK, 0.0) if symbol else 0.0)
        ratio *= (p.get(symbol, 0.0) + vague) / max(max(p.values(), default=0.0), vague, 1e-9)
    return ratio >= _PLAUSIBLE


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
        self._roster = roster
        self._columns: dict[str, _Column] = {}

    def column(self, name: str) -> _Column:
        if name not in self._columns:
            self._columns[name] = _Column(
                [dict(c.identifiers).get(name, "") for c in self._roster] if name else self.names
            )
        return self._columns[name]

    def text(self, who: int, column: str) -> str:
        """What a candidate's number is in a column; empty where there is none."""
        if not column:
            return self.names[who]
        return dict(self._roster[who].identifiers).get(column, "")

    def allows(self, evidence: NumberEvidence, who: int) -> bool:
        """Whether evidence by itself leaves a candidate possible."""
        text = self.text(who, evidence.column)
        return not text or _allows(evidence, text)

    def certain(self, evidence: Sequence[NumberEvidence], options: IdentityOptions) -> int | None:
        """Give the candidate whose number a sheet bears beyond doubt, else None.

        No other candidate can be as probable: they differ in their numbers, and all other
        numbers together are less probable than is allowed.
        """
        who = self.place.get(certain_number(evidence, options))
        if who is None or not all(self.allows(e, who) for e in evidence if e.column):
            return None
        return who

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


@dataclass(frozen=True, slots=True)
class _Row:
    """What a sheet says of the candidates that come into question.

    Attributes
    ----------
    free : (m,) int64
        Candidates without a sheet, likeliest first.
    weights : (m,) float64
        Their probabilities, not normalised.
    other : float
        That of everything that leads to a person: nobody on the roster, somebody with
        another sheet, candidates not among `free`.
    stranger : float
        The part of it that belongs to nobody on the roster.
    second : tuple of (int, float)
        The parts of it that belong to candidates with another sheet.
    """

    free: NDArray[np.int64]
    weights: FloatArray
    other: float
    stranger: float
    second: tuple[tuple[int, float], ...]

    @classmethod
    def of(
        cls,
        evidence: Sequence[NumberEvidence],
        people: _Roster,
        free: NDArray[np.bool_],
        n_sheets: int,
        options: IdentityOptions,
    ) -> _Row:
        ours, others = people.likelihoods(evidence)
        # So many sheets are expected of each candidate, and of all strangers together.
        weights = ours * np.where(free, 1.0, options.second_sheets)
        stranger = options.strangers * n_sheets * others
        total = float(weights.sum()) + stranger
        if total <= 0:
            return cls(np.empty(0, np.int64), np.empty(0), 1.0, 1.0, ())
        weights /= total
        stranger /= total
        best = np.lexsort((np.arange(len(weights)), -weights))[: 2 * _MOST_CANDIDATES]
        own = best[free[best]][:_MOST_CANDIDATES]
        own = own[weights[own] > _THRESHOLDS[0]]
        second = [int(k) for k in best[~free[best]] if weights[k] >= _SHOWN / 10]
        other = max(1 - float(weights[own].sum()), 1e-15)
        return cls(
            own, weights[own], other, stranger, tuple((k, float(weights[k])) for k in second)
        )


def _match(rows: Sequence[_Row]) -> list[FloatArray]:
    """Probability of each candidate of each row under one sheet a candidate: (m,) each."""
    chances = [row.weights / (row.weights.sum() + row.other) for row in rows]
    waiting = list(range(len(rows)))
    for threshold in _THRESHOLDS:
        crowded = []
        for together in _contenders(rows, waiting, threshold):
            if len(together) > _MOST_TOGETHER:
                crowded += together
            else:
                _assign(rows, together, threshold, chances)
        waiting = crowded
    for k in waiting:  # so many fit one another that nothing is told apart
        chances[k] = chances[k] * (1 - 1 / len(waiting))
    return chances


def _kept(row: _Row, threshold: float) -> int:
    """How many of a row's candidates are not too improbable."""
    best = max(float(row.weights[0]) if len(row.weights) else 0.0, row.other)
    return int(np.count_nonzero(row.weights >= threshold * best))


def _contenders(rows: Sequence[_Row], waiting: Sequence[int], threshold: float) -> list[list[int]]:
    """Rows in groups that share no candidate with other groups."""
    owner: dict[int, int] = {}
    group = {k: k for k in waiting}

    def root(k: int) -> int:
        while group[k] != k:
            group[k] = group[group[k]]
            k = group[k]
        return k

    for k in waiting:
        for who in rows[k].free[: _kept(rows[k], threshold)].tolist():
            group[root(k)] = root(owner.setdefault(who, k))
    gathered: defaultdict[int, list[int]] = defaultdict(list)
    for k in waiting:
        gathered[root(k)].append(k)
    return list(gathered.values())


def _assign(
    rows: Sequence[_Row], together: Sequence[int], threshold: float, chances: list[FloatArray]
) -> None:
    """Match a group of rows and write the probabilities of their candidates."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - reading loads no scipy

    n = len(together)
    kept = [_kept(rows[k], threshold) for k in together]
    people = sorted({int(w) for k, m in zip(together, kept, strict=True) for w in rows[k].free[:m]})
    place = {who: column for column, who in enumerate(people)}
    cost = np.full((n, len(people) + n), np.inf)
    for r, (k, m) in enumerate(zip(together, kept, strict=True)):
        row = rows[k]
        cost[r, [place[int(who)] for who in row.free[:m]]] = -np.log(row.weights[:m])
        cost[r, len(people) + r] = -math.log(row.other + float(row.weights[m:].sum()))
    _, chosen = linear_sum_assignment(cost)
    extra = _extra_costs(cost, np.asarray(chosen, dtype=np.int64))
    p = np.exp(-extra)
    p /= p.sum(axis=1, keepdims=True)
    for r, (k, m) in enumerate(zip(together, kept, strict=True)):
        chances[k] = np.zeros(len(rows[k].free))
        chances[k][:m] = p[r, [place[int(who)] for who in rows[k].free[:m]]]


def _extra_costs(cost: FloatArray, chosen: NDArray[np.int64]) -> FloatArray:
    """What the best assignment costs more with each row given to each column.

    Who takes the column of another row sends that row to a further column in turn, until
    somebody takes a column that nobody has; and the column that was given up may be taken by
    others. As the assignment is the best one, nothing is gained by going round in a circle,
    so the cheapest way is a shortest path between rows and a node for the unused columns.

    Parameters
    ----------
    cost : (n, m) float64
    chosen : (n,) int64
        The column of each row in the best assignment.

    Returns
    -------
    (n, m) float64
    """
    n = len(cost)
    moves = cost - cost[np.arange(n), chosen][:, None]
    unused = np.ones(cost.shape[1], dtype=bool)
    unused[chosen] = False
    paths = np.zeros((n + 1, n + 1))
    paths[:n, :n] = moves[:, chosen]
    paths[:n, n] = moves[:, unused].min(axis=1, initial=np.inf)
    for via in range(n + 1):
        np.minimum(paths, paths[:, via, None] + paths[None, via], out=paths)
    extra = moves
    extra[:, chosen] += paths[:n, :n].T
    extra[:, unused] += paths[n, :n, None]
    return np.maximum(extra, 0.0)


def _identity(
    evidence: Sequence[NumberEvidence],
    row: _Row,
    chances: FloatArray,
    people: _Roster,
    options: IdentityOptions,
) -> Identity:
    rest = max(1 - float(chances.sum()), 0.0)
    found = [(people.names[w], float(p)) for w, p in zip(row.free, chances, strict=True)]
    found += [(people.names[w], rest * share / row.other) for w, share in row.second]
    found.append(("", rest * row.stranger / row.other))
    ranked = sorted(found, key=lambda guess: (-guess[1], guess[0]))
    guesses = tuple((who, round(p, 4)) for who, p in ranked if p >= _SHOWN)[:_MOST_SHOWN]
    if len(chances):
        first = int(chances.argmax())
        who = int(row.free[first])
        if all(people.allows(e, who) for e in evidence):
            if chances[first] >= 1 - options.silent_error_rate:
                return Identity(people.names[who], Doubt.NONE, guesses)
            return Identity("", Doubt.UNCERTAIN, guesses)
    number = certain_number(evidence, options)
    if number and number not in people.place and not any(e.column for e in evidence):
        return Identity("", Doubt.NOT_ON_ROSTER, guesses)
    several = len(evidence) > 1
    return Identity("", Doubt.CONTRADICTORY if several else Doubt.UNCERTAIN, guesses)
