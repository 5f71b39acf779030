"""From responses to scores: scoring rules, points given by people, score matrices."""

from __future__ import annotations

from inkmark.marking.manual import load_points
from inkmark.marking.matrix import ResponseTable, ScoreMatrix
from inkmark.marking.responses import (
    CandidateSheet,
    Response,
    ResponseStatus,
    collect_responses,
)
from inkmark.marking.scoring import (
    ManualPoints,
    ScoreRecord,
    ScoreStatus,
    score_item,
    score_responses,
)

__all__ = [
    "CandidateSheet",
    "ManualPoints",
    "Response",
    "ResponseStatus",
    "ResponseTable",
    "ScoreMatrix",
    "ScoreRecord",
    "ScoreStatus",
    "collect_responses",
    "load_points",
    "score_item",
    "score_responses",
]
