"""Reading that is stopped in any way and begun again loses nothing.

Where a fault strikes depends on the machine; what is asserted holds wherever it does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inkmark.exam import ExamFolder

if sys.platform != "linux":
    pytest.skip("faults are injected by means of Linux", allow_module_level=True)

from benchmarks._faults import Fault, Outcome, make_exam, strike, undisturbed

SEQUENCES = [
    [Fault.KILLED, Fault.KILLED, Fault.TWICE],
    [Fault.WORKER_KILLED, Fault.DISK_FULL, Fault.KILLED],
    [Fault.DISK_FULL, Fault.TWICE_KILLED, Fault.KILLED],
    [Fault.TWICE_KILLED, Fault.WORKER_KILLED, Fault.DISK_FULL],
]


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExamFolder, Outcome]:
    root = tmp_path_factory.mktemp("faults")
    folder = make_exam(root / "exam", 60, seed=5)
    return folder, undisturbed(folder, root / "undisturbed")


@pytest.mark.parametrize("number", range(len(SEQUENCES)))
def test_a_disturbed_run_gives_what_an_undisturbed_one_gives(
    exam: tuple[ExamFolder, Outcome], tmp_path: Path, number: int
) -> None:
    folder, expected = exam
    # Hard links need the same file system; the scans are not copied for each run.
    assert strike(folder, tmp_path / "exam", expected, SEQUENCES[number], seed=number) == []


def test_the_exam_that_is_disturbed_has_all_kinds_of_pages(
    exam: tuple[ExamFolder, Outcome],
) -> None:
    _, expected = exam
    pages = expected.export["table pages"].decode()
    for status in ("read", "duplicate page", "duplicate image", "unregistered", "unreadable file"):
        assert f"'{status}'" in pages
    assert expected.export["integrity_check"] == b"[('ok',)]"
    assert expected.export["foreign_key_check"] == b"[]"
    assert b"'pending'" in expected.export["table scores"], "again.jpg contradicts a sheet"
    assert "out/review.xlsx" in expected.export
