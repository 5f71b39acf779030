"""What tests do with an exam folder, beside the steps themselves."""

from __future__ import annotations

import datetime as dt

from click.testing import CliRunner, Result

from inkmark.cli import main
from inkmark.demo import DemoTruth
from inkmark.exam import ExamFolder
from inkmark.readings import Flag
from inkmark.reports.model import StudentTable
from inkmark.store import Decision
from inkmark.workflow import (
    analyse,
    open_exam,
)


def run_command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def decide_everything(folder: ExamFolder, truth: DemoTruth) -> None:
    """Write decisions straight into the database, as the truth has them."""
    at = dt.datetime(2026, 11, 21)  # noqa: DTZ001 - the store keeps UTC without a zone
    with open_exam(folder.root) as opened:
        opened.store.add_decisions(
            Decision(candidate, f"Q{item}", answer.value[:1], "office", at)
            for (candidate, item), answer in truth.answers.items()
            if answer.flag is not Flag.OK
        )


def student_of(folder: ExamFolder, candidate: str) -> StudentTable:
    (found,) = [s for s in analyse(folder.root).students if s.candidate == candidate]
    return found
