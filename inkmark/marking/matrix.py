"""Scores and responses as arrays, candidates by items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkmark.marking.responses import Response, ResponseStatus

if TYPE_CHECKING:
    from inkmark.marking.scoring import ScoreRecord

__all__ = ["RESPONSE_STATUSES", "ResponseTable", "ScoreMatrix"]

RESPONSE_STATUSES = tuple(ResponseStatus)
"""What the numbers in `ResponseTable.status` stand for."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreMatrix:
    """Scores of candidates on items.

    Attributes
    ----------
    candidates : tuple of n str
    items : tuple of m str
    scores : (n, m) float64
        NaN where there is no score: pending, absent, missing or not presented.
    full : (m,) float64
        Full marks.
    """

    candidates: tuple[str, ...]
    items: tuple[str, ...]
    scores: NDArray[np.float64]
    full: NDArray[np.float64]

    @classmethod
    def from_records(cls, records: Iterable[ScoreRecord]) -> ScoreMatrix:
        """Arrange score records; candidates and items in the order they come up in."""
        records = tuple(records)
        rows = _positions(record.candidate for record in records)
        columns = _positions(record.item for record in records)
        scores = np.full((len(rows), len(columns)), np.nan)
        full = np.zeros(len(columns))
        for record in records:
            column = columns[record.item]
            full[column] = float(record.full)
            if record.points is not None:
                scores[rows[record.candidate], column] = float(record.points)
        return cls(tuple(rows), tuple(columns), scores, full)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """(n,) bool: which candidates have a score on every item."""
        return np.asarray(~np.isnan(self.scores).any(axis=1))

    def totals(self) -> NDArray[np.float64]:
        """Total of each candidate, (n,) float64; NaN where a score is lacking.

        Points have at most two decimals: each total is the double nearest to its exact value,
        whatever the order of the items.
        """
        return np.asarray(np.round(self.scores.sum(axis=1), 2))


@dataclass(frozen=True, slots=True, eq=False)
class ResponseTable:
    """Responses of candidates to items, for option shares.

    Attributes
    ----------
    candidates : tuple of n str
    items : tuple of m str
    values : (n, m) str
        As in `Response.value`.
    status : (n, m) uint8
        Positions in `RESPONSE_STATUSES`; ``MISSING`` where there is no response.
    """

    candidates: tuple[str, ...]
    items: tuple[str, ...]
    values: NDArray[np.str_]
    status: NDArray[np.uint8]

    @classmethod
    def from_responses(cls, responses: Iterable[Response]) -> ResponseTable:
        """Arrange responses; candidates and items in the order they come up in."""
        responses = tuple(responses)
        rows = _positions(response.candidate for response in responses)
        columns = _positions(response.item for response in responses)
        width = max((len(response.value) for response in responses), default=0)
        values = np.full((len(rows), len(columns)), "", dtype=f"<U{max(width, 1)}")
        codes = {status: code for code, status in enumerate(RESPONSE_STATUSES)}
        status = np.full(values.shape, codes[ResponseStatus.MISSING], dtype=np.uint8)
        for response in responses:
            cell = rows[response.candidate], columns[response.item]
            values[cell] = response.value
            status[cell] = codes[response.status]
        return cls(tuple(rows), tuple(columns), values, status)

    @property
    def absent(self) -> NDArray[np.bool_]:
        """(n,) bool: which candidates were absent."""
        code = RESPONSE_STATUSES.index(ResponseStatus.ABSENT)
        return np.asarray((self.status == code).any(axis=1))


def _positions(names: Iterable[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(dict.fromkeys(names))}
