"""Demo truth against reading: every normal mark right, every doubtful one flagged."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from benchmarks._demo_by_hand import rows_by_hand
from benchmarks.contract import Better, Kind, Options, Result, Row
from inkmark.demo import DemoTruth, make_demo_exam
from inkmark.readings import FieldReading, Flag
from inkmark.workflow import open_exam, read

__all__ = ["run"]

EXAMS = (("zh", 1), ("en", 1), ("zh", 2), ("zh", 5), ("en", 6), ("zh", 7), ("zh", 8))
"""Seed 1 is what `inkmark demo` makes."""
NOTES = (
    "120 candidates, 240 simulated pages each.",
    "Seeds 1 and 2 were looked at while the reader was made, the others only afterwards.",
    "By hand: 40 candidates and a stranger, writers of whom no reader was taught.",
    "By hand: pages as they were read, items once a person has said whose the open sheets are.",
    "By hand: only where INKMARK_DATA names the reference data.",
)
COLUMNS = (
    ("normal", Better.NEITHER),
    ("right", Better.HIGHER),
    ("flagged", Better.LOWER),
    ("silently wrong", Better.LOWER),
    ("doubtful", Better.NEITHER),
    ("of them flagged", Better.HIGHER),
    ("absent", Better.NEITHER),
    ("of them found", Better.HIGHER),
    ("present", Better.NEITHER),
    ("of them doubted", Better.LOWER),
)


def run(options: Options) -> Result:
    """Read the exam that `inkmark demo` makes, in both languages and with several seeds.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    rows = []
    for language, seed in EXAMS:
        with tempfile.TemporaryDirectory(prefix="inkmark-demo-truth-") as name:
            root = Path(name) / "exam"
            truth = make_demo_exam(root, language=language, seed=seed)
            read(root)
            with open_exam(root) as opened:
                readings = {
                    (r.candidate, r.reading.field): r.reading
                    for r in opened.store.readings_in_use()
                }
        counts = _count(truth, readings)
        rows += [
            Row(
                label,
                counts[label],
                "fields",
                Kind.ACCURACY,
                better,
                group=f"{language}, seed {seed}",
            )
            for label, better in COLUMNS
        ]
    if options.data_dir is not None:
        rows += rows_by_hand(options.data_dir)
    return Result("demo_truth", tuple(rows), None, NOTES)


def _count(truth: DemoTruth, readings: dict[tuple[str, str], FieldReading]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (candidate, item), answer in truth.answers.items():
        reading = readings.get((candidate, f"Q{item}"))
        flagged = reading is None or reading.flag is not Flag.OK
        if answer.flag is not Flag.OK:
            counts["doubtful"] += 1
            counts["of them flagged"] += flagged
            continue
        counts["normal"] += 1
        if flagged:
            counts["flagged"] += 1
        else:
            counts["right" if reading and reading.value == answer.value else "silently wrong"] += 1
    for (candidate, field), reading in readings.items():
        if field == "absent" and candidate not in truth.absent:
            counts["present"] += 1
            counts["of them doubted"] += bool(reading.value or reading.flag)
    for candidate in truth.absent:
        own = [r for (number, _), r in readings.items() if number == candidate]
        marks = {r.field: r.value for r in own if r.value}
        counts["absent"] += 1
        counts["of them found"] += marks == {"absent": "absent"} and not any(r.flag for r in own)
    return counts
