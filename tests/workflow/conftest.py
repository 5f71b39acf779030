"""A small demo exam that was run once, and copies of it to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inkmark.demo import DemoTruth, make_demo_exam
from inkmark.exam import ExamFolder
from inkmark.workflow import (
    RunSummary,
    run,
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExamFolder, DemoTruth, RunSummary]:
    root = tmp_path_factory.mktemp("demo") / "exam"
    truth = make_demo_exam(root, candidates=24, seed=7)
    return ExamFolder(root), truth, run(root)


@pytest.fixture
def copy(
    demo: tuple[ExamFolder, DemoTruth, RunSummary], tmp_path: Path
) -> tuple[ExamFolder, DemoTruth]:
    folder, truth, _ = demo
    shutil.copytree(folder.root, tmp_path / "exam")
    return ExamFolder(tmp_path / "exam"), truth
