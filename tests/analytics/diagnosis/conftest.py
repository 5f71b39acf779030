"""Simulated answers, and reference data with what other programs found on it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from inkmark.analytics.diagnosis import QMatrix


class Reference:
    """A set of responses and the outputs of other programs on it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.responses = _table(folder / name / "responses.csv")
        self.q = QMatrix.of(_table(folder / name / "q_matrix.csv"))
        self._outputs = folder / "reference_outputs"

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self._outputs / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def column(self, name: str, column: str) -> np.ndarray:
        return np.array([float(row[column]) for row in self.rows(name)])

    def standard_errors(self, name: str, item: int) -> list[float]:
        """Of the first and the last probability of an item, as printed."""
        text = (self._outputs / f"{name}.se.txt").read_text("utf-8")
        part = text.split("`Item ")[item]
        lines = [line.split()[1:] for line in part.splitlines() if line.startswith("S.E.")]
        return [float(lines[0][0]), float(lines[-1][-1])]

    def patterns(self) -> list[str]:
        return ["".join(str(int(value)) for value in row) for row in self.responses]


def _table(path: Path) -> np.ndarray:
    return np.genfromtxt(path, delimiter=",", skip_header=1)


@pytest.fixture
def reference(data_dir: Path):
    folder = data_dir / "psychometrics"
    if not folder.is_dir():
        pytest.skip(f"no response data at {folder}; set INKMARK_DATA to its parent")
    return lambda name: Reference(folder, name)


NEEDS = np.array(
    [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 1, 0],
        [0, 1, 1],
        [1, 0, 1],
        [1, 1, 1],
        [1, 1, 0],
        [0, 1, 1],
    ]
)


class Simulation:
    """Answers of candidates whose attributes are known."""

    def __init__(self, n, needs=None, *, seed, guess=0.15, slip=0.15, compensatory=False) -> None:
        rng = np.random.default_rng(seed)
        needs = NEEDS if needs is None else np.asarray(needs)
        ability = rng.normal(size=(n, 1))
        odds = 1.2 * ability + np.linspace(-0.5, 0.5, needs.shape[1])
        self.q = QMatrix.of(needs)
        self.mastered = rng.uniform(size=odds.shape) < 1 / (1 + np.exp(-odds))
        share = self.mastered @ needs.T / needs.sum(axis=1)
        if not compensatory:
            share = np.floor(share + 1e-9)
        right = rng.uniform(size=share.shape) < guess + (1 - guess - slip) * share
        self.responses = right.astype(float)


@pytest.fixture
def simulate():
    return Simulation
