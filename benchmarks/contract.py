"""What a benchmark gets and what it gives back.

A benchmark is a module ``benchmarks/NAME.py`` whose docstring says in its first line what
is measured, with a function ``run(options: Options) -> Result``. It uses the public
interface of inkmark only, fixes its seed, and publishes what it loses as well as what it
wins. The runner (`benchmarks.__main__`) adds machine, date and commit, prints, writes JSON
and compares.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Better", "Kind", "Options", "Result", "Row", "Unavailable", "sampled", "timed"]


class Kind(StrEnum):
    """What a row measures; it decides how two runs are compared."""

    TIME = "time"
    """Compared by ratio, and only with a run on the same machine."""
    MEMORY = "memory"
    """Compared by ratio."""
    RATIO = "ratio"
    """One measurement relative to another of the same run; compared by ratio."""
    COUNT = "count"
    """Exactly repeatable; may not get worse by more than the row's `tolerance`."""
    ACCURACY = "accuracy"
    """Exactly repeatable; may not get worse by more than the row's `tolerance`."""


class Better(StrEnum):
    """Which way a row improves."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"
    """Stated for information, never compared."""


class Unavailable(Exception):  # noqa: N818 - a state of this machine, not an error of the code
    """The benchmark cannot run here; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the runner asks of a benchmark.

    Attributes
    ----------
    repeats : int
        How often a timing is repeated, after one run that is not counted.
    data_dir : Path or None
        Folder of the reference data (``INKMARK_DATA``); None where it is absent.
    """

    repeats: int = 7
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes
    ----------
    label : str
        With `group`, unique in the result: the name by which two runs are compared.
    value : float
        The median where `n` > 1.
    unit : str
        ``s``, ``ms``, ``MiB``, ``pages/s``, ``fields``, ...; ``x`` for a ratio.
    kind : Kind
    better : Better
    spread : float
        Distance between the quartiles of the samples, in `unit`; 0 for one sample.
    n : int
        Number of samples.
    tolerance : float
        ``COUNT`` and ``ACCURACY``: how much worse, in `unit`, is not yet a regression.
    group : str
        Line of a table whose columns are the labels; empty for a figure by itself.
    """

    label: str
    value: float
    unit: str
    kind: Kind
    better: Better = Better.LOWER
    spread: float = 0.0
    n: int = 1
    tolerance: float = 0.0
    group: str = ""

    @property
    def name(self) -> str:
        """Group and label."""
        return f"{self.group}: {self.label}" if self.group else self.label


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark found.

    Attributes
    ----------
    name : str
        The module's name.
    rows : tuple of Row
    seed : int or None
        Seed of everything random; None where nothing is.
    notes : tuple of str
        What a reader must know to judge the figures: sizes, sources, what is left out.
    """

    name: str
    rows: tuple[Row, ...]
    seed: int | None = None
    notes: tuple[str, ...] = ()


def sampled(
    label: str,
    samples: Sequence[float],
    unit: str,
    kind: Kind,
    better: Better = Better.LOWER,
) -> Row:
    """Median and spread of repeated measurements as a row.

    Parameters
    ----------
    label : str
    samples : sequence of float
        At least one.
    unit : str
    kind : Kind
    better : Better

    Returns
    -------
    Row
    """
    spread = 0.0
    if len(samples) > 1:
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
        spread = high - low
    return Row(label, statistics.median(samples), unit, kind, better, spread, len(samples))


def timed(label: str, work: Callable[[], object], repeats: int) -> Row:
    """Wall-clock seconds of `work`, after one call that is not counted.

    Parameters
    ----------
    label : str
    work : callable
        Called without arguments, `repeats` + 1 times.
    repeats : int

    Returns
    -------
    Row
    """
    work()
    samples = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        samples.append(time.perf_counter() - start)
    return sampled(label, samples, "s", Kind.TIME)
