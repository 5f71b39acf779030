"""Nothing lost: reading stopped at 100 random points, then read again and compared."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks._faults import Fault, make_exam, strike, undisturbed
from benchmarks.contract import Better, Kind, Options, Result, Row, Unavailable

__all__ = ["run"]

N_POINTS, MOST_AT_ONCE, N_CANDIDATES, SEED = 100, 4, 130, 11


def run(options: Options) -> Result:
    """Disturb `inkmark read` and compare what it leaves with an undisturbed run.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    del options  # nothing here is repeated or read from the reference data
    if sys.platform != "linux":
        raise Unavailable("faults are injected by means of Linux; run it there")
    rng = np.random.default_rng(SEED)
    struck: Counter[Fault] = Counter()
    losses: list[str] = []
    with tempfile.TemporaryDirectory(prefix="inkmark-faults-") as name:
        root = Path(name)
        folder = make_exam(root / "exam", N_CANDIDATES, SEED)
        expected = undisturbed(folder, root / "undisturbed")
        number = 0
        while struck.total() < N_POINTS:
            n_faults = min(int(rng.integers(1, MOST_AT_ONCE + 1)), N_POINTS - struck.total())
            faults = [list(Fault)[int(i)] for i in rng.integers(len(Fault), size=n_faults)]
            wrong = strike(folder, root / f"{number}", expected, faults, seed=1000 + number)
            losses += [f"{', '.join(faults)}: {text}" for text in wrong]
            struck.update(faults)
            number += 1
    return Result(
        "fault_injection",
        (
            *(
                Row(str(fault), struck[fault], "points", Kind.COUNT, Better.NEITHER)
                for fault in Fault
            ),
            Row("differences", len(losses), "files and tables", Kind.COUNT),
        ),
        SEED,
        (
            f"{N_CANDIDATES} sheets and torn, copied and blank ones, read with two workers.",
            f"1 to {MOST_AT_ONCE} faults one after another, then one run in peace, and scoring.",
            "Compared byte for byte: every table, without row numbers, and every file in out.",
            *losses,
        ),
    )
