"""Psychometrics: agreement with references, speed and memory, recovery, integrity, and peers."""

from __future__ import annotations

from benchmarks._psychometrics_integrity import integrity
from benchmarks._psychometrics_parity import parity
from benchmarks._psychometrics_peers import peers
from benchmarks._psychometrics_recovery import recovery
from benchmarks._psychometrics_speed import SEED, speed
from benchmarks.contract import Options, Result

__all__ = ["run"]


def run(options: Options) -> Result:
    """Compare with converged outputs of other programs, time fits, and recover the truth.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    rows, notes = [], []
    for part in (parity, speed, recovery, integrity, peers):
        some, text = part(options)
        rows += some
        notes.append(text)
    return Result("psychometrics", tuple(rows), SEED, tuple(notes))
