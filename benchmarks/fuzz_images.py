"""Damaged image files, opened and read: each must end as pages or as a named issue.

Small files of every kind (`_damaged_files.sound_files`) and the real scans of the reference
data are damaged at random in one to four ways each: bits flipped, numbers in headers set to
odd values, parts cut, dropped, repeated, zeroed or taken from other files. Each file is
opened and all its pages are looked at; every fourth is read as a sheet. That runs in a
process that may use 1 GiB more than it has at rest and is ended where a file takes more
than 5 s of processor time.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks._damaged_files import damaged, sound_files
from benchmarks.contract import Better, Kind, Options, Result, Row
from inkmark.errors import ImageError
from inkmark.exam import Exam, Item, ItemType, Policy
from inkmark.images import open_scan
from inkmark.layouts import SheetLayout, build_layout, print_sheets
from inkmark.readings import SheetIssue
from inkmark.session import read_page
from inkmark.simulator import render_pages

__all__ = ["corpus", "look_at", "run"]

SEED = 20_261_121
N_FILES = 12_000
MEMORY_BYTES = 1 << 30
SECONDS = 5.0
STUCK_SECONDS = 120.0
"""A process that says nothing for so long, and uses no processor time, is stuck."""
N_REAL = 40
MOST_BYTES = 600_000
MOST_PAGES = 4
READ_EVERY = 4
DPI = 90.0

_CRASH, _HANG, _MEMORY = "crashed", "took more than 5 s", "took more than 1 GiB"
_BAD = (_CRASH, _HANG, _MEMORY)


@dataclass(frozen=True, slots=True)
class _End:
    """How looking at a file ended."""

    outcome: str
    detail: str = ""
    extra_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Files to damage, and the layout of the sheet that some of them show."""

    names: tuple[str, ...]
    files: tuple[bytes, ...]
    layout: SheetLayout


def run(options: Options) -> Result:
    """Damage files and count how reading them ends.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    found = corpus(options.data_dir)
    counts: Counter[str] = Counter()
    bad: list[str] = []
    peak = 0
    workers = [_Worker(found, range(k, N_FILES, 2)) for k in range(2)]
    for worker in workers:
        worker.start()
    while any(not worker.is_done for worker in workers):
        for worker in workers:
            for index, end in worker.outcomes():
                counts[end.outcome] += 1
                peak = max(peak, end.extra_bytes)
                if end.outcome in _BAD:
                    bad.append(f"{end.outcome}: number {index}. {end.detail}")
    rows = [Row(outcome, counts[outcome], "files", Kind.COUNT) for outcome in _BAD]
    rows += [
        Row(outcome, n, "files", Kind.COUNT, Better.NEITHER)
        for outcome, n in counts.most_common()
        if outcome not in _BAD
    ]
    rows.append(Row("most memory beyond rest", peak / 2**20, "MiB", Kind.MEMORY))
    n_real = sum(name.startswith("real") for name in found.names)
    note = f"{N_FILES} damaged files from {len(found.files)} sound ones, {n_real} of them real."
    return Result("fuzz_images", tuple(rows), SEED, (note, *bad[:20]))


def corpus(data_dir: Path | None) -> Corpus:
    """Sound files of each kind, with real scans where there are reference data.

    Parameters
    ----------
    data_dir : Path or None

    Returns
    -------
    Corpus
    """
    items = tuple(
        Item(str(n + 1), ItemType.SINGLE, ("A", "B", "C", "D"), ("A",), Decimal(1))
        for n in range(8)
    )
    exam = Exam("FUZZ", "Damage", "Any", "9", None, "en", Policy(), items, ())
    layout = build_layout(exam)
    with tempfile.TemporaryDirectory(prefix="inkmark-fuzz-") as folder:
        printed = Path(folder) / "sheet.pdf"
        print_sheets(layout, exam, printed)
        page = next(iter(render_pages(printed, DPI)))
    noise = np.random.default_rng(SEED).normal(-6, 4, page.shape)
    files = sound_files(np.clip(page + noise, 0, 255).astype(np.uint8))
    if data_dir is not None:
        files |= {f"real {path.name}": path.read_bytes() for path in _real(data_dir)}
    return Corpus(tuple(files), tuple(files.values()), layout)


def _real(data_dir: Path) -> Iterator[Path]:
    paths = (
        path
        for path in sorted((data_dir / "scans").rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf")
        and path.stat().st_size <= MOST_BYTES
    )
    return islice(paths, N_REAL)


def look_at(found: Corpus, index: int, path: Path) -> str:
    """Damage a file, open it, look at its pages, and say how that ended.

    Parameters
    ----------
    found : Corpus
    index : int
        Decides all that is random.
    path : Path
        Where the file is written.

    Returns
    -------
    str
    """
    rng = np.random.default_rng([SEED, index])
    _, data = damaged(found.files, rng)
    path.write_bytes(data)
    try:
        with open_scan(path) as scan:
            for number in range(min(scan.n_pages, MOST_PAGES)):
                image = scan.load(number)
                height, width = image.pixels.shape
                corners = rng.integers(-50, max(height, width) + 50, (8, 2))
                image.pixels.at(np.hstack([corners, corners + 40]))
                image.pixels.coarse()
                if index % READ_EVERY == 0:
                    reading = read_page(image, found.layout)
                    if isinstance(reading, SheetIssue):
                        return f"issue: {reading.kind}"
                else:
                    image.pixels.whole()
    except ImageError as error:
        reason = "".join("N" if c.isdigit() else c for c in error.reason if c != ",")
        while "NN" in reason:
            reason = reason.replace("NN", "N")
        return f"refused: {reason}"
    return "read"


class _Worker:
    """A process that looks at files, started anew where one of them ended it."""

    def __init__(self, found: Corpus, numbers: range) -> None:
        self._found = found
        self._numbers = list(numbers)
        self._context = multiprocessing.get_context("spawn")

    @property
    def is_done(self) -> bool:
        return not self._numbers

    def start(self) -> None:
        self._mine, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_look_at_all, args=(self._found, self._numbers, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self._mine.recv()  # it has compiled and loaded what it needs

    def outcomes(self) -> Iterator[tuple[int, _End]]:
        """Wait for news of the next file, which is told by its number."""
        if self.is_done:
            return
        index = self._numbers[0]
        try:
            if self._mine.poll(STUCK_SECONDS):
                end = self._mine.recv()
                self._numbers.pop(0)
                yield index, end
                return
            end = _End(_HANG, "It said nothing more.")
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            end = _End(_HANG if code == -signal.SIGPROF else _CRASH, f"Exit code {code}.")
        self._process.kill()
        self._process.join()
        self._numbers.pop(0)
        yield index, end
        if self._numbers:
            self.start()


def _look_at_all(found: Corpus, numbers: list[int], to: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders write a line for each damage
    with tempfile.TemporaryDirectory(prefix="inkmark-fuzz-") as folder:
        path = Path(folder) / "file"
        for data in found.files:  # all that is loaded once is loaded before memory is counted
            path.write_bytes(data)
            with open_scan(path) as scan:
                read_page(scan.load(0), found.layout)
        at_rest = _memory("VmSize")
        resource.setrlimit(resource.RLIMIT_AS, (at_rest + MEMORY_BYTES, at_rest + MEMORY_BYTES))
        resident = _memory("VmRSS")
        to.send(None)
        for index in numbers:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                outcome, detail = look_at(found, index, path), ""
            except MemoryError:
                outcome, detail = _MEMORY, ""
            except Exception as error:  # noqa: BLE001 - that is what is counted
                outcome, detail = _CRASH, repr(error)
            to.send(_End(outcome, detail, max(0, _memory("VmHWM") - resident)))


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"this system does not tell {field}")
