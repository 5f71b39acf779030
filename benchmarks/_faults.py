"""Stopping `inkmark read` at any moment, and telling whether anything was lost by it.

The command runs as it does in an office, in a process of its own; faults come from outside.
Where they strike depends on the clock of the machine, what must hold afterwards does not.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import numpy as np

from inkmark.exam import Candidate, Exam, ExamFolder, Item, ItemType, Policy, save_exam
from inkmark.layouts import build_layout, print_sheets, save_layout
from inkmark.simulator import CLEAN_OFFICE, MarkStyle, encode_scan, fill_sheet, render_pages, scan
from inkmark.workflow import score

__all__ = ["Fault", "Outcome", "make_exam", "strike", "undisturbed"]

DPI = 120.0
DONE = (0, 10)
"""Exit codes of a command that did its work."""
POLL_S = 0.002
_COMMAND = """
from inkmark.cli import main
from inkmark.session import batch
batch._FEW_BYTES = 0  # so small an exam would be read without workers, and none could be killed
main(prog_name="inkmark")
"""


class Fault(StrEnum):
    """What happens to a running command."""

    KILLED = "command killed"
    WORKER_KILLED = "worker killed"
    DISK_FULL = "disk full"
    TWICE = "two commands at once"
    TWICE_KILLED = "two commands at once, one killed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an undisturbed run gives.

    Attributes
    ----------
    export : dict of str to bytes
        Every table of the database and every file in ``out``, without row numbers.
    written_bytes : int
        Size of the database and its log when it was done.
    """

    export: dict[str, bytes]
    written_bytes: int


def make_exam(root: Path, candidates: int, seed: int) -> ExamFolder:
    """Make an exam with scans of all kinds: good, torn, twice, again, many in a file."""
    rng = np.random.default_rng(seed)
    folder = ExamFolder(root)
    folder.scans.mkdir(parents=True)
    exam = Exam(
        id="FAULTS",
        title="Fault injection",
        subject="Mathematics",
        grade="9",
        date=None,
        language="en",
        policy=Policy(),
        items=tuple(
            Item(str(n + 1), ItemType.SINGLE, tuple("ABCD"), ("ABCD"[n % 4],), Decimal(1))
            for n in range(20)
        ),
        candidates=tuple(Candidate(f"26{n:04d}", class_name="1") for n in range(candidates)),
    )
    save_exam(exam, folder.workbook)
    layout = build_layout(exam)
    save_layout(layout, folder.layout)
    printed = root / "printed.pdf"
    print_sheets(layout, exam, printed, exam.candidates)
    pages = []
    for number, blank in enumerate(render_pages(printed, DPI)):
        marks = {
            (f"Q{n + 1}", 0): [(int(rng.integers(4)), MarkStyle.FILL)]
            for n in range(20)
            if (number + n) % 17
        }
        filled = fill_sheet(blank, layout.pages[0], marks, DPI, rng)
        pages.append(scan(filled, DPI, CLEAN_OFFICE, rng))
    printed.unlink()
    n_single = candidates - 12
    for number, page in enumerate(pages[:n_single]):
        encode_scan(page, folder.scans / f"{number:03d}.jpg", DPI)
    encode_scan(pages[n_single:], folder.scans / "stack.tif", DPI)
    encode_scan(np.full_like(pages[0], 255), folder.scans / "050-white.png", DPI)
    again = fill_sheet(pages[1], layout.pages[0], {("Q3", 0): [(1, MarkStyle.FILL)]}, DPI, rng)
    encode_scan(again, folder.scans / "again.jpg", DPI)
    shutil.copyfile(folder.scans / "002.jpg", folder.scans / "060-copy.jpg")
    whole = (folder.scans / "003.jpg").read_bytes()
    (folder.scans / "070-torn.jpg").write_bytes(whole[: len(whole) // 2])
    (folder.scans / "letter.txt").write_text("The scans of room 3 will follow.", "utf-8")
    return folder


def undisturbed(folder: ExamFolder, root: Path) -> Outcome:
    """Read a copy of an exam in peace."""
    copy = _copied(folder, root)
    _finish(copy)
    written = _written_bytes(copy)
    return Outcome(_export(copy), written)


def strike(
    folder: ExamFolder, root: Path, expected: Outcome, faults: list[Fault], seed: int
) -> list[str]:
    """Disturb the reading of a copy of an exam, one fault after another, then read it.

    Parameters
    ----------
    folder : ExamFolder
    root : Path
        Where the copy goes; it is removed where nothing was lost.
    expected : Outcome
    faults : list of Fault
    seed : int

    Returns
    -------
    list of str
        What differs from the undisturbed run; empty where nothing was lost.
    """
    rng = np.random.default_rng(seed)
    copy = _copied(folder, root)
    wrong = [text for fault in faults for text in _STRIKES[fault](copy, expected, rng)]
    _finish(copy, workers=int(rng.integers(1, 4)))
    found = _export(copy)
    names = sorted(found.keys() | expected.export.keys())
    wrong += [f"{n} differs" for n in names if found.get(n) != expected.export.get(n)]
    if not wrong:
        shutil.rmtree(root)
    return wrong


def _copied(folder: ExamFolder, root: Path) -> ExamFolder:
    shutil.copytree(folder.root, root, copy_function=os.link)
    return ExamFolder(root)


@contextlib.contextmanager
def _reading(folder: ExamFolder, workers: int = 2) -> Iterator[subprocess.Popen[bytes]]:
    """The command at work, with a process group of its own that does not outlive this."""
    command = [sys.executable, "-c", _COMMAND, "read", str(folder.root), "--workers", str(workers)]
    with (folder.root / "read.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this command alone
            command, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
            process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _finish(folder: ExamFolder, workers: int = 2) -> None:
    with _reading(folder, workers) as process:
        pass
    if process.returncode not in DONE:
        log = (folder.root / "read.log").read_text("utf-8", "replace")
        raise RuntimeError(f"inkmark read ended with {process.returncode}: {log}")
    (folder.root / "read.log").unlink()


def _written_bytes(folder: ExamFolder) -> int:
    paths = (folder.database, folder.database.with_name(folder.database.name + "-wal"))
    return sum(map(_size, paths))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the log is taken away when its last reader closes it
        return 0


def _await_moment(
    process: subprocess.Popen[bytes],
    folder: ExamFolder,
    expected: Outcome,
    rng: np.random.Generator,
) -> None:
    """Let the command go on to a random moment: of its start, or of what it has written."""
    reached: Callable[[], bool]
    if rng.random() < 0.3:  # the share of strikes before anything is written
        looks = int(rng.integers(0, 1000))
        counter = iter(range(looks))
        reached = lambda: next(counter, None) is None  # noqa: E731
    else:
        wanted = _written_bytes(folder) + rng.random() * expected.written_bytes
        reached = lambda: _written_bytes(folder) >= wanted  # noqa: E731
    while not reached():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
            return


def _kill(folder: ExamFolder, expected: Outcome, rng: np.random.Generator) -> list[str]:
    with _reading(folder) as process:
        _await_moment(process, folder, expected, rng)
        process.kill()
    return []


def _kill_worker(folder: ExamFolder, expected: Outcome, rng: np.random.Generator) -> list[str]:
    with _reading(folder) as process:
        _await_moment(process, folder, expected, rng)
        struck = _strike_worker(process, rng)
    while not struck:  # the command was done by then: again, at the first worker
        with _reading(folder) as process:
            struck = _strike_worker(process, rng)
    return []


def _strike_worker(process: subprocess.Popen[bytes], rng: np.random.Generator) -> bool:
    """Kill a worker as soon as there is one; tell whether there was."""
    while process.poll() is None:
        workers = _workers(process.pid)
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(workers[int(rng.integers(len(workers)))], signal.SIGKILL)
                return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
    return False


def _fill_disk(folder: ExamFolder, expected: Outcome, rng: np.random.Generator) -> list[str]:
    """No file may grow any more: what a full disk answers, and a quota."""
    with _reading(folder) as process:
        _await_moment(process, folder, expected, rng)
        limit = int(rng.integers(max(1, expected.written_bytes)))
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    return []


def _read_twice(folder: ExamFolder, expected: Outcome, rng: np.random.Generator) -> list[str]:
    with _reading(folder) as first:
        if rng.random() < 0.5:  # every other one while the first is at work
            _await_moment(first, folder, expected, rng)
        with _reading(folder) as second:
            pass
    codes = {first.returncode, second.returncode}
    return [] if codes <= set(DONE) else [f"two commands at once ended with {sorted(codes)}"]


def _kill_one_of_two(folder: ExamFolder, expected: Outcome, rng: np.random.Generator) -> list[str]:
    with _reading(folder) as first, _reading(folder) as second:
        _await_moment(first, folder, expected, rng)
        first.kill()
    return [] if second.returncode in DONE else [f"the other ended with {second.returncode}"]


_STRIKES = {
    Fault.KILLED: _kill,
    Fault.WORKER_KILLED: _kill_worker,
    Fault.DISK_FULL: _fill_disk,
    Fault.TWICE: _read_twice,
    Fault.TWICE_KILLED: _kill_one_of_two,
}


def _workers(command: int) -> list[int]:
    """Processes that read for a command, in the order of their numbers.

    The command starts a server, which forks them, and a process that tracks resources.
    """
    found = []
    for path in Path("/proc").iterdir():
        with contextlib.suppress(ValueError, OSError):
            pid = int(path.name)
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if os.getpgid(pid) == command and command not in (pid, parent):
                found.append(pid)
    return sorted(found)


_TABLES = {
    "exams": "SELECT * FROM exams ORDER BY id",
    "candidates": "SELECT * FROM candidates ORDER BY exam_id, number",
    "pages": "SELECT path, page_index, sha256, layout_version, status, message, fault, candidate, "
    "serial, page_number, contested, width_px, height_px, dpi, edge_mm, registration, codes "
    "FROM pages ORDER BY path, page_index, sha256",
    "readings": "SELECT path, page_index, sha256, field, value, confidence, flag, fill, x_px, "
    "y_px, w_px, h_px FROM readings JOIN pages ON page_id = pages.id "
    "ORDER BY path, page_index, sha256, readings.id",
    "scores": "SELECT scores.candidate, item, points, scores.status, scores.value, rule, key, "
    "field, path, page_index FROM scores LEFT JOIN readings ON reading_id = readings.id "
    "LEFT JOIN pages ON page_id = pages.id ORDER BY scores.candidate, item",
}


def _export(folder: ExamFolder) -> dict[str, bytes]:
    """Score, and give all that an office has then, without what only numbers rows."""
    score(folder.root, decided_by="office")
    export = {
        str(path.relative_to(folder.root)): path.read_bytes()
        for path in sorted(folder.out.rglob("*"))
        if path.is_file()
    }
    with contextlib.closing(sqlite3.connect(folder.database)) as connection:
        for name, query in _TABLES.items():
            rows = connection.execute(query).fetchall()
            export[f"table {name}"] = "\n".join(map(repr, rows)).encode()
        for check in ("integrity_check", "foreign_key_check"):
            export[check] = repr(connection.execute(f"PRAGMA {check}").fetchall()).encode()
    return export
