"""What an earlier run left is removed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkmark.workflow.outputs import settle_outputs


def write(out: Path, *names: str) -> list[Path]:
    paths = [out / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF")
    return paths


def left(out: Path) -> set[str]:
    return {
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_files_of_a_class_that_is_renamed_go(tmp_path: Path) -> None:
    settle_outputs(tmp_path, write(tmp_path, "classes/8A.pdf", "students/8A/1.pdf"))
    write(tmp_path, "classes/notes.pdf", "mine.pdf")
    write(tmp_path, "practice/8A.pdf")
    settle_outputs(tmp_path, write(tmp_path, "classes/8B.pdf", "report.json"))
    kept = {"classes/8B.pdf", "classes/notes.pdf", "mine.pdf", "practice/8A.pdf", "report.json"}
    assert left(tmp_path) == kept
    assert not (tmp_path / "students").exists(), "folders that are empty now go as well"
    settle_outputs(tmp_path, write(tmp_path, "classes/8B.pdf"))
    assert left(tmp_path) == kept


def test_a_file_that_is_gone_already_stops_nothing(tmp_path: Path) -> None:
    (path,) = write(tmp_path, "classes/8A.pdf")
    settle_outputs(tmp_path, [path])
    path.unlink()
    settle_outputs(tmp_path, [])
    assert left(tmp_path) == set()


@pytest.mark.parametrize(
    "text",
    [
        '["../outside.pdf", "link.pdf", "keep.txt", "folder.pdf", 3]',
        '{"report": 3}',
        "no json",
    ],
)
def test_a_list_from_elsewhere_removes_nothing_that_is_not_ours(tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    write(tmp_path, "outside.pdf", "out/keep.txt", "out/folder.pdf/a.txt")
    (out / "link.pdf").symlink_to(tmp_path / "outside.pdf")
    (out / ".written.json").write_text(text, "utf-8")
    settle_outputs(out, [])
    assert (tmp_path / "outside.pdf").is_file()
    assert left(out) == {"keep.txt", "folder.pdf/a.txt", "link.pdf"}
