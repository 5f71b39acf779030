"""From responses to scores: scoring rules, points given by people, score matrices."""

from __future__ import annotations

from inkmark.marking.answers import is_accepted
from inkmark.marking.evidence import (
    IdentityOptions,
    NumberEvidence,
    certain_number,
    number_evidence,
)
from inkmark.marking.fill_in import FillIn, FillInOptions, Verdict, judge_fill_in
from inkmark.marking.grouping import AnswerGroup, GroupOptions, group_answers
from inkmark.marking.identity import Doubt, Identity, contested_by, fits, identify_sheets
from inkmark.marking.manual import load_points
from inkmark.marking.matrix import ResponseTable, ScoreMatrix
from inkmark.marking.responses import (
    CandidateSheet,
    Response,
    ResponseStatus,
    collect_responses,
    is_judged_by_key,
    settle_reading,
)
from inkmark.marking.scoring import (
    ManualPoints,
    ScoreRecord,
    ScoreStatus,
    score_item,
    score_responses,
)

__all__ = [
    "AnswerGroup",
    "CandidateSheet",
    "Doubt",
    "FillIn",
    "FillInOptions",
    "GroupOptions",
    "Identity",
    "IdentityOptions",
    "ManualPoints",
    "NumberEvidence",
    "Response",
    "ResponseStatus",
    "ResponseTable",
    "ScoreMatrix",
    "ScoreRecord",
    "ScoreStatus",
    "Verdict",
    "certain_number",
    "collect_responses",
    "contested_by",
    "fits",
    "group_answers",
    "identify_sheets",
    "is_accepted",
    "is_judged_by_key",
    "judge_fill_in",
    "load_points",
    "number_evidence",
    "score_item",
    "score_responses",
    "settle_reading",
]
