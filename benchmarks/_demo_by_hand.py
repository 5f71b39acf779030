"""The demo on sheets that name nobody: what becomes of all that is written by hand."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.contract import Better, Kind, Row
from inkmark.demo import DemoTruth, make_demo_exam
from inkmark.exam import Item, ItemType
from inkmark.marking import ScoreRecord, ScoreStatus, score_item
from inkmark.readings import Flag, IssueKind
from inkmark.workflow import OpenExam, SheetDecision, identify, open_exam, read, score

__all__ = ["rows_by_hand"]

EXAMS = (("zh", 1001), ("en", 1002), ("zh", 1003))
CANDIDATES = 40
KINDS = ("letters and marks", "fill-ins", "points")
_OPEN = (IssueKind.UNIDENTIFIED, IssueKind.UNKNOWN_CANDIDATE)
_OUTCOMES = (
    ("right", Better.HIGHER),
    ("to a person", Better.LOWER),
    ("silently wrong", Better.LOWER),
)


def rows_by_hand(data_dir: Path) -> list[Row]:
    """Make the exams, read them, let a person settle whose the open sheets are, and score.

    Parameters
    ----------
    data_dir : Path
        Folder of the reference data.
    """
    rows = []
    for language, seed in EXAMS:
        with tempfile.TemporaryDirectory(prefix="inkmark-demo-by-hand-") as name:
            root = Path(name) / "exam"
            truth = make_demo_exam(
                root,
                language=language,
                seed=seed,
                candidates=CANDIDATES,
                handwriting=data_dir / "handwriting",
            )
            counts = _read_and_score(root, truth)
        group = f"by hand, {language}, seed {seed}"
        for what, unit in (("pages", "pages"), *((kind, "items") for kind in KINDS)):
            rows += [
                Row(
                    f"{what}: {outcome}",
                    counts[what, outcome],
                    unit,
                    Kind.ACCURACY,
                    better,
                    group=group,
                )
                for outcome, better in _OUTCOMES
            ]
        rows += [
            Row(label, counts[label, ""], unit, Kind.ACCURACY, better, group=group)
            for label, unit, better in (
                ("crossed out", "items", Better.NEITHER),
                ("of them to a person", "items", Better.HIGHER),
                ("absent", "candidates", Better.NEITHER),
                ("of them found", "candidates", Better.HIGHER),
            )
        ]
    return rows


def _read_and_score(root: Path, truth: DemoTruth) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    owners = {scan.path: scan.candidate for scan in truth.scans}
    read(root)
    with open_exam(root) as opened:
        for page in opened.store.pages():
            record = page.record
            right = record.candidate == owners[record.source.path]
            outcome = "right" if right else "silently wrong"
            if record.issue in _OPEN:
                outcome = "to a person"
            counts["pages", outcome] += 1
    _settle_by_hand(root, truth, owners)
    score(root)
    with open_exam(root) as opened:
        _count_scores(opened, truth, counts)
    return counts


def _settle_by_hand(root: Path, truth: DemoTruth, owners: dict[str, str]) -> None:
    """Say whose every open sheet is, as a person would who knows everybody."""
    for sheet in identify(root).sheets:
        owner = owners[sheet.source]
        named = "" if owner in truth.strangers else owner
        identify(root, decision=SheetDecision(sheet.source, named, "known to the demo"))


def _count_scores(opened: OpenExam, truth: DemoTruth, counts: Counter[tuple[str, str]]) -> None:
    items = {item.number: item for item in opened.exam.items}
    absent: Counter[str] = Counter()
    for stored in opened.store.scores():
        record = stored.record
        place = record.candidate, record.item
        if record.candidate in truth.absent:
            absent[record.candidate] += record.status is ScoreStatus.ABSENT
            continue
        item, answer = items[record.item], truth.answers.get(place)
        outcome = _outcome(record, truth, item)
        if answer is not None and answer.flag is not Flag.OK and answer.slips:
            counts["crossed out", ""] += 1
            counts["of them to a person", ""] += outcome == "to a person"
        elif answer is None or answer.flag is Flag.OK:
            kind = "letters and marks" if item.type.is_objective else "fill-ins"
            counts["points" if place in truth.points else kind, outcome] += 1
    counts["absent", ""] = len(truth.absent)
    counts["of them found", ""] = sum(n == len(items) for n in absent.values())


def _outcome(record: ScoreRecord, truth: DemoTruth, item: Item) -> str:
    place = record.candidate, record.item
    if record.status is not ScoreStatus.SCORED:
        return "to a person"
    expected = truth.points.get(place)
    if expected is None:
        expected = score_item(item, truth.answers[place].value)
    is_read = item.type is ItemType.FILL_IN or place in truth.points
    same = is_read or record.value == truth.answers[place].value
    return "right" if same and record.points == expected else "silently wrong"
