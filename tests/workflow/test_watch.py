"""Watching a scanner's folder: nothing is lost, read half or taken twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from inkmark.cli import main
from inkmark.demo import DemoTruth
from inkmark.exam import ExamFolder
from inkmark.files import file_sha256
from inkmark.readings import IssueKind
from inkmark.session import BatchReport, SerialExecutor
from inkmark.workflow import open_exam, watch

Step = Callable[[], None]


def stop() -> None:
    raise KeyboardInterrupt


def play(folder: ExamFolder, scanner: Path, steps: Sequence[Step]) -> tuple[BatchReport, list[str]]:
    """Watch; each wait between two looks does the next step, and the last one stops."""
    left = iter([*steps, stop])
    notes: list[str] = []
    report = watch(
        folder.root,
        scanner,
        executor=SerialExecutor(),
        note=notes.append,
        sleep=lambda _: next(left)(),
    )
    return report, notes


def nothing() -> None:
    pass


@pytest.fixture
def office(copy: tuple[ExamFolder, DemoTruth], tmp_path: Path) -> tuple[ExamFolder, list[Path]]:
    """An exam without scans and database, and its scans elsewhere."""
    folder, _ = copy
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    scans = sorted(path for path in folder.scans.rglob("*") if path.is_file())
    for number, path in enumerate(scans):
        path.rename(shelf / f"{number:03d}{path.suffix}")
    shutil.rmtree(folder.scans)
    for path in folder.root.glob("inkmark.db*"):
        path.unlink()
    (tmp_path / "scanner").mkdir()
    return folder, sorted(shelf.iterdir())


def test_files_are_read_as_they_come(office: tuple[ExamFolder, list[Path]], tmp_path: Path) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    first, *others = files

    def scan(*paths: Path) -> Step:
        return lambda: [shutil.copy(path, scanner) for path in paths] and None

    def clear() -> None:
        for path in scanner.iterdir():
            path.unlink()

    report, notes = play(folder, scanner, [scan(first), nothing, scan(*others), nothing, clear])
    assert report.received > 0
    assert len(notes) == 3, notes
    assert notes[1].startswith("took in 1 file")
    assert notes[2].startswith(f"took in {len(others)} files")
    assert sorted(p.name for p in folder.scans.iterdir()) == sorted(p.name for p in files)
    # What came one after another is what all together give.
    shutil.rmtree(folder.scans)
    shutil.copytree(files[0].parent, folder.scans)
    for path in folder.root.glob("inkmark.db*"):
        path.unlink()
    whole, _ = play(folder, scanner, [])
    assert whole.issues == report.issues
    assert whole.received == report.received


def test_a_watch_that_is_begun_again_takes_nothing_twice(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path
) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    for path in files[:2]:
        shutil.copy(path, scanner)
    play(folder, scanner, [nothing, nothing])
    (folder.scans / files[1].name).unlink()  # the office takes a sheet out
    with open_exam(folder.root) as opened:
        before = [page.record.source for page in opened.store.pages()]
    report, notes = play(folder, scanner, [nothing, nothing])
    assert [note for note in notes if note.startswith("took in")] == []
    assert [p.name for p in folder.scans.iterdir()] == [files[0].name]
    with open_exam(folder.root) as opened:
        assert [page.record.source for page in opened.store.pages()] == before
    assert report.new == 0


def test_a_file_that_was_copied_and_not_read_is_read_at_the_next_start(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path
) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    folder.scans.mkdir()
    for target in (scanner, folder.scans):
        shutil.copy(files[0], target)
    report, notes = play(folder, scanner, [nothing, nothing])
    assert report.received > 0
    assert [note for note in notes if note.startswith("took in")] == []


def test_what_goes_wrong_is_noted_and_tried_again(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    shutil.copy(files[0], scanner)
    copy, failures = shutil.copy2, [OSError(28, "No space left on device", "p.jpg")]

    def full(source: Path, target: Path) -> None:
        if failures:
            raise failures.pop()
        copy(source, target)

    monkeypatch.setattr("shutil.copy2", full)
    away = scanner.with_name("away")
    steps = [
        nothing,  # the copy fails
        nothing,  # it is tried again
        lambda: scanner.rename(away) and None,
        lambda: away.rename(scanner) and None,
    ]
    report, notes = play(folder, scanner, steps)
    assert report.received > 0
    _, failed, taken, gone = notes
    assert "No space left on device" in failed
    assert taken.startswith("took in 1 file")
    assert "tried again" in failed
    assert "scanner" in gone


def test_a_file_that_is_finished_long_after_leaves_no_issue(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path
) -> None:
    folder, files = office
    path = tmp_path / "scanner" / files[0].name
    data = files[0].read_bytes()
    path.write_bytes(data[: len(data) // 2])
    issues: list[IssueKind] = []

    def finish() -> None:
        with open_exam(folder.root) as opened:
            issues.extend(page.record.issue for page in opened.store.pages() if page.record.issue)
        path.write_bytes(data)

    report, notes = play(folder, path.parent, [*[nothing] * 16, finish, nothing])
    assert issues == [IssueKind.UNREADABLE_FILE]
    assert [note.split(":")[0] for note in notes[1:]] == ["took in 1 file"] * 2
    assert [p.name for p in folder.scans.iterdir()] == [path.name]
    assert report.received > 0
    assert [issue for issue in report.issues if issue.kind is IssueKind.UNREADABLE_FILE] == []


def test_a_file_that_cannot_be_taken_holds_up_no_other(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    for path in files[:3]:
        shutil.copy(path, scanner)
    locked = scanner / files[1].name

    def hashed(path: Path) -> str:
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return file_sha256(path)

    monkeypatch.setattr("inkmark.workflow.reading.file_sha256", hashed)

    def unlock() -> None:
        monkeypatch.setattr("inkmark.workflow.reading.file_sha256", file_sha256)

    steps = [nothing, nothing, nothing, nothing, unlock]
    report, notes = play(folder, scanner, steps)
    _, failed, two, one = notes
    assert locked.name in failed
    assert "It is tried again." in failed
    assert two.startswith("took in 2 files"), "those before and behind it"
    assert one.startswith("took in 1 file")
    assert report.received >= 3


def test_a_folder_inside_that_cannot_be_looked_at_is_told_once(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    shutil.copy(files[0], scanner)
    (scanner / "closed").mkdir()
    scandir = os.scandir

    def closed(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    steps = [lambda: monkeypatch.setattr("os.scandir", closed), nothing, nothing]
    _, notes = play(folder, scanner, steps)
    assert [note.split()[0] for note in notes] == ["watching", "[Errno", "took"]


def test_an_image_that_was_taken_out_is_not_left_in_silence(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path
) -> None:
    folder, files = office
    scanner = tmp_path / "scanner"
    for path in files[:2]:
        shutil.copy(path, scanner)
    play(folder, scanner, [nothing, nothing])
    (folder.scans / files[1].name).unlink()
    _, notes = play(folder, scanner, [nothing, nothing, nothing])
    (left,) = notes[1:]
    assert files[1].name in left
    assert "taken out of the scans" in left


def test_a_folder_that_is_not_there_is_refused(office: tuple[ExamFolder, list[Path]]) -> None:
    folder, _ = office
    with pytest.raises(FileNotFoundError):
        play(folder, folder.root / "nowhere", [])


def test_the_command_ends_with_the_report(
    office: tuple[ExamFolder, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = office
    shutil.copy(files[0], tmp_path / "scanner")
    steps = iter([nothing, stop])
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        next(steps)()

    monkeypatch.setattr("inkmark.workflow.watch", partial(watch, sleep=sleep))
    arguments = ["read", str(folder.root), "--watch", str(tmp_path / "scanner"), "--workers", "1"]
    result = CliRunner().invoke(main, [*arguments, "--interval", "0.5"], catch_exceptions=False)
    assert result.exit_code == 10, "the other sheets are missing"
    assert "took in 1 file" in result.output
    assert "missing" in result.output
    assert waits == [0.5, 0.5]


def test_watch_goes_with_an_exam_alone(office: tuple[ExamFolder, list[Path]]) -> None:
    folder, files = office
    arguments = ["read", str(folder.root), str(files[0]), "--watch", str(folder.root)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "--watch goes with an exam alone" in result.output
