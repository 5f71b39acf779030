"""The same data given to girth and to pyBKT, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks._psychometrics_speed import responses_of, simulated_practice, work_of
from benchmarks.contract import Better, Kind, Options, Row

__all__ = ["peers"]

PEERS = "INKMARK_PEERS"
"""Environment variable: the Python of an environment with girth and pyBKT."""
N_PRACTICE = 500


def peers(_: Options) -> tuple[list[Row], str]:
    """Time one fit each of ours and theirs, after one that is not counted."""
    python = os.environ.get(PEERS, "")
    if not python:
        return [], (
            f"Peers: not measured. Make an environment with girth and pyBKT, and set {PEERS} to "
            "its Python."
        )
    rows = []
    with tempfile.TemporaryDirectory(prefix="inkmark-peers-") as name:
        data = Path(name) / "data.npy"
        for task, script in (
            ("2PL, 10,000 x 40", _GIRTH_2PL),
            ("GPCM, 10,000 x 20 x 5", _GIRTH_GPCM),
        ):
            np.save(data, responses_of(task).astype(np.int64).T, allow_pickle=False)
            rows += _pair(task, "girth", python, script, data)
        np.save(data, simulated_practice(N_PRACTICE, 20), allow_pickle=False)
        rows += _pair(f"BKT, {N_PRACTICE:,} x 20", "pyBKT", python, _PYBKT, data)
    return rows, "Peers: wall-clock time of one fit, theirs without standard errors."


def _pair(task: str, peer: str, python: str, script: str, data: Path) -> list[Row]:
    work = work_of(task)
    work()
    start = time.perf_counter()
    work()
    ours = time.perf_counter() - start
    done = subprocess.run(  # noqa: S603 - the user's own Python
        [python, "-c", script, str(data)], check=True, capture_output=True, text=True
    )
    theirs = float(done.stdout.split()[-1])
    return [
        Row("inkmark", ours, "s", Kind.TIME, group=f"{task}, beside {peer}"),
        Row(peer, theirs, "s", Kind.TIME, Better.NEITHER, group=f"{task}, beside {peer}"),
        Row(
            "times faster",
            theirs / ours,
            "x",
            Kind.RATIO,
            Better.HIGHER,
            group=f"{task}, beside {peer}",
        ),
    ]


_GIRTH_2PL = """
import sys, time, numpy, girth
data = numpy.load(sys.argv[1], allow_pickle=False)
start = time.perf_counter()
girth.twopl_mml(data)
print(time.perf_counter() - start)
"""

_GIRTH_GPCM = """
import sys, time, numpy, girth
data = numpy.load(sys.argv[1], allow_pickle=False) + 1
start = time.perf_counter()
girth.pcm_mml(data)
print(time.perf_counter() - start)
"""

_GIRTH = {"2PL, 10,000 x 40": _GIRTH_2PL, "GPCM, 10,000 x 20 x 5": _GIRTH_GPCM}

_PYBKT = """
import sys, time, numpy, pandas
from pyBKT.models import Model
data = numpy.load(sys.argv[1], allow_pickle=False)
n, length = data.shape
frame = pandas.DataFrame({
    "user_id": numpy.repeat(numpy.arange(n), length), "skill_name": "one",
    "correct": data.ravel(), "order_id": numpy.arange(n * length),
})
start = time.perf_counter()
Model(seed=1, num_fits=1, parallel=False).fit(data=frame)
print(time.perf_counter() - start)
"""
