"""All steps after scanning, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from inkmark.reports import Report, ReportOptions
from inkmark.session import BatchReport, Progress, ReadOptions
from inkmark.workflow.practice import PracticeSummary, practise
from inkmark.workflow.reading import read
from inkmark.workflow.reporting import ReportSummary, analyse, make_reports
from inkmark.workflow.scoring import ScoreSummary, score

__all__ = ["RunSummary", "Stage", "run"]

Stage = Callable[[str], AbstractContextManager[Progress | None]]
"""Opens a progress display for a step, by its title."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What each step did."""

    read: BatchReport
    score: ScoreSummary
    report: Report
    practice: PracticeSummary
    files: ReportSummary


def run(
    root: Path | str,
    *,
    options: ReadOptions | None = None,
    executor: Executor | None = None,
    reports: ReportOptions | None = None,
    stage: Stage | None = None,
) -> RunSummary:
    """Read, score, analyse, print practice sets and write the reports.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    options, executor
        See `inkmark.session.read_scans`.
    reports : ReportOptions, optional
    stage : callable, optional
        See `Stage`.

    Returns
    -------
    RunSummary
    """
    open_stage = stage or _silent
    with open_stage("Reading") as progress:
        batch = read(root, options=options, executor=executor, progress=progress)
    with open_stage("Scoring") as progress:
        scores = score(root, progress=progress)
    practice = practise(root)
    with open_stage("Writing reports") as progress:
        files = make_reports(root, reports, progress=progress)
    return RunSummary(batch, scores, analyse(root, reports), practice, files)


def _silent(_title: str) -> AbstractContextManager[None]:
    return nullcontext()
