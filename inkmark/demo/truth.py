"""What the demo's candidates and markers put down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from inkmark.demo.answers import DemoAnswer
from inkmark.demo.scans import DemoScan
from inkmark.exam import Exam
from inkmark.files import write_whole
from inkmark.simulator import Slip

__all__ = ["DemoNumber", "DemoTruth"]


@dataclass(frozen=True, slots=True)
class DemoNumber:
    """What a candidate gives as candidate number on a sheet that names nobody.

    Attributes
    ----------
    text : str
        What is written in the boxes.
    slips : tuple of (int, Slip)
        What went wrong in writing, by digit.
    in_bubbles : bool
        Whether it is marked in the bubbles, too.
    """

    text: str
    slips: tuple[tuple[int, Slip], ...] = ()
    in_bubbles: bool = False


@dataclass(frozen=True, slots=True)
class DemoTruth:
    """What the demo's candidates put down, whatever the scans look like.

    Attributes
    ----------
    exam : Exam
    absent : frozenset of str
        Candidate numbers; their sheets are blank but for the absent mark, and the number
        where sheets name nobody.
    answers : mapping of (candidate number, item number) to DemoAnswer
        Objective and fill-in items of those present.
    points : mapping of (candidate number, item number) to Decimal
        What markers gave: subjective items of those present, and fill-in items where the
        marker of the class gave points for them.
    scans : tuple of DemoScan
        Every page image.
    numbers : mapping of str to DemoNumber
        By the candidate's own number; empty where sheets are printed with names.
    strangers : frozenset of str
        Numbers of people with a sheet who are not on the roster.
    """

    exam: Exam
    absent: frozenset[str]
    answers: Mapping[tuple[str, str], DemoAnswer]
    points: Mapping[tuple[str, str], Decimal]
    scans: tuple[DemoScan, ...]
    numbers: Mapping[str, DemoNumber] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()

    def save(self, path: Path | str) -> None:
        """Write the truth as JSON, format "inkmark-demo/1"."""
        roster = [candidate.number for candidate in self.exam.candidates]
        truth = {
            "format": "inkmark-demo/1",
            "candidates": {number: self._person(number) for number in roster},
            "scans": [asdict(scan) for scan in self.scans],
        }
        if self.strangers:
            truth["strangers"] = {number: self._person(number) for number in sorted(self.strangers)}
        write_whole(path, json.dumps(truth, ensure_ascii=False, indent=1).encode())

    def _person(self, number: str) -> dict[str, Any]:
        person: dict[str, Any] = {
            "absent": number in self.absent,
            "answers": {
                item: _answer(answer)
                for (candidate, item), answer in self.answers.items()
                if candidate == number
            },
            "points": {
                item: str(points)
                for (candidate, item), points in self.points.items()
                if candidate == number
            },
        }
        if number in self.numbers:
            person["number"] = asdict(self.numbers[number])
        return person


def _answer(answer: DemoAnswer) -> dict[str, Any]:
    told: dict[str, Any] = {
        "value": answer.value,
        "flag": answer.flag,
        "marks": [[option, style] for option, style in answer.marks],
    }
    if answer.slips:
        told["slips"] = [[sign, slip] for sign, slip in answer.slips]
    return told
