"""Mastery over time: Bayesian knowledge tracing of exams and homework.

`fit_tracing` estimates how mastery comes, goes and shows; `trace_log` follows candidates
through their answers; `update_state` takes one more exam or homework into a candidate's
state at once.
"""

from __future__ import annotations

from inkmark.analytics.tracing.fit import fit_tracing
from inkmark.analytics.tracing.model import (
    AnswerLog,
    TracingFit,
    TracingModel,
    TracingOptions,
    TracingState,
)
from inkmark.analytics.tracing.state import Traced, start_state, trace_log, update_state

__all__ = [
    "AnswerLog",
    "Traced",
    "TracingFit",
    "TracingModel",
    "TracingOptions",
    "TracingState",
    "fit_tracing",
    "start_state",
    "trace_log",
    "update_state",
]
