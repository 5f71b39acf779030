"""CPU time of each stage of an exam, from printed sheet to report."""

from __future__ import annotations

from benchmarks.contract import Kind, Options, Result, sampled
from inkmark.bench import measure_stages

STUDENTS, SEED = 12, 1


def run(options: Options) -> Result:
    """Take a whole exam through all stages again and again, after once that is not counted.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    measure_stages(students=STUDENTS, seed=SEED)
    rounds = [
        measure_stages(students=STUDENTS, seed=SEED).stages for _ in range(max(options.repeats, 3))
    ]
    rows = tuple(
        sampled(
            f"{stages[0].stage}, {stages[0].unit}",
            [stage.median_ms for stage in stages],
            "ms",
            Kind.TIME,
        )
        for stages in zip(*rounds, strict=True)
    )
    notes = (
        f"The built-in demo exam with {STUDENTS} students. Milliseconds of all threads for one",
        "page or one student, with what a stage of the whole exam costs shared out over them.",
    )
    return Result("stages", rows, seed=SEED, notes=notes)
