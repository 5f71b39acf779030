"""The same files give the same facts, whoever reads them and in whatever portions."""

from __future__ import annotations

import sqlite3
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import cv2
import numpy as np
import pytest
from sheets import make_folder, mark, page_images, quiz, save

from inkmark.exam import Exam, ExamFolder
from inkmark.layouts import SheetLayout
from inkmark.session import ReadOptions, SerialExecutor, WorkerPool, batch, exams, read_exam
from inkmark.store import ExamStore

Office = tuple[ExamFolder, Exam, SheetLayout]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    root = tmp_path_factory.mktemp("office")
    exam = quiz()
    folder = ExamFolder(root / "exam")
    layout = make_folder(folder.root, exam)
    pages = page_images(root, exam, layout, exam.candidates)
    for number, page in enumerate(pages * 3):
        # Each sheet is there as two equal files and as one that says something else.
        answers = {"Q1": "A", "Q2": "BC", "Q3": "" if number < len(pages) else "D"}
        image = mark(page, layout, answers)
        # The first candidate's are whole at once, the others' decoded where they are looked
        # at, and the last one's followed where the paper does not lie flat.
        image = curled(image) if number % len(pages) == 2 else image
        save(image, folder.scans / f"{number}.{'jpg' if number % len(pages) else 'png'}")
    (folder.scans / "letter.txt").write_text("The scans will follow.", "utf-8")
    return folder, exam, layout


def curled(pixels: np.ndarray) -> np.ndarray:
    """The paper bulges by a millimetre or so in its middle."""
    height, width = pixels.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bulge = 7.0 * np.sin(np.pi * y / height) * np.sin(np.pi * x / width)
    return cv2.remap(
        pixels, x, (y + bulge).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def facts(office: Office, executor: Executor | None, workers: int = 0) -> list[str]:
    """Every row of every table, as it stands there."""
    folder, exam, layout = office
    folder.database.unlink(missing_ok=True)
    with ExamStore.open(folder.database, exam.id) as store:
        store.put_exam(exam)
        options = ReadOptions(workers=workers)
        read_exam(folder, exam, layout, store, options=options, executor=executor)
    with closing(sqlite3.connect(folder.database)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("kind", ["default", "threads", "processes", "pool"])
def test_workers_of_any_kind_and_number_give_the_same_facts(
    office: Office, monkeypatch: pytest.MonkeyPatch, kind: str, workers: int
) -> None:
    monkeypatch.setattr(batch, "_FEW_BYTES", 0)
    expected = facts(office, SerialExecutor())
    assert sum("duplicate page" in line for line in expected) == 3
    assert sum("duplicate image" in line for line in expected) == 3
    registrations = [line for line in expected if '"shifts"' in line]
    assert len(registrations) == 9
    assert sum('"shifts": null' not in line for line in registrations) >= 3, "the curled ones"
    if kind == "default":
        assert facts(office, None, workers) == expected
        return
    with (
        ThreadPoolExecutor(workers)
        if kind == "threads"
        else WorkerPool(workers)
        if kind == "pool"
        else ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    ) as executor:
        assert facts(office, executor, workers) == expected


@pytest.mark.parametrize("portion", [1, 2, 5])
def test_pages_written_in_any_portions_give_the_same_facts(
    office: Office, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    expected = facts(office, SerialExecutor())
    monkeypatch.setattr(exams, "_COMMIT_PAGES", portion)
    assert facts(office, SerialExecutor()) == expected
