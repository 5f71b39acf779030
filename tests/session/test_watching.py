"""A scanner's folder: files are taken when they are complete, once, and kept."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sheets import save

from inkmark.images import ImageLimits
from inkmark.session import FolderWatch, scan_files, take_in

WHOLE = np.full((300, 200), 255, np.uint8)


@pytest.fixture
def scanner(tmp_path: Path) -> Path:
    folder = tmp_path / "scanner"
    folder.mkdir()
    return folder


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_file_is_complete_when_it_stays_the_same_and_opens(scanner: Path) -> None:
    watch = FolderWatch(scanner, ImageLimits())
    save(WHOLE, scanner / "p10.png")
    save(WHOLE, scanner / "p9.png")
    assert watch.look() == [], "seen for the first time"
    assert names(watch.look()) == ["p9.png", "p10.png"]
    assert names(watch.look()) == ["p9.png", "p10.png"], "until they are done"
    watch.done(scanner / "p9.png")
    assert names(watch.look()) == ["p10.png"]


def test_a_file_that_grows_is_not_taken(scanner: Path) -> None:
    save(WHOLE, scanner / "whole.png")
    data = (scanner / "whole.png").read_bytes()
    (scanner / "whole.png").unlink()
    watch = FolderWatch(scanner, ImageLimits(), patience=100)
    path = scanner / "p.png"
    for end in range(1, len(data), len(data) // 5):
        path.write_bytes(data[:end])
        assert watch.look() == []
        assert watch.look() == [], "unchanged for a look, and torn"
    path.write_bytes(data)
    assert watch.look() == []
    assert watch.look() == [path]


def test_a_file_that_stays_broken_is_handed_out_in_the_end(scanner: Path) -> None:
    path = scanner / "p.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 torn")
    watch = FolderWatch(scanner, ImageLimits(), patience=4)
    assert [watch.look() for _ in range(5)] == [[], [], [], [], [path]]


def test_a_file_that_changes_after_it_was_taken_is_taken_again(scanner: Path) -> None:
    path = scanner / "p.png"
    save(WHOLE, path)
    watch = FolderWatch(scanner, ImageLimits())
    watch.look()
    assert watch.look() == [path]
    watch.done(path)
    save(WHOLE[:200], path)
    os.utime(path, ns=(1, 1))
    assert watch.look() == []
    assert watch.look() == [path]


def test_unfinished_and_hidden_files_are_passed_over(scanner: Path) -> None:
    (scanner / ".hidden").mkdir()
    (scanner / "batch").mkdir()
    for name in ("a.png.tmp", "a.PART", ".a.png", "~$a.png", ".hidden/a.png", "batch/b.png"):
        save(WHOLE, scanner / "x.png")
        (scanner / "x.png").replace(scanner / name)
    watch = FolderWatch(scanner, ImageLimits())
    watch.look()
    assert watch.look() == [scanner / "batch" / "b.png"]


def test_a_folder_that_is_away_is_an_error_and_nothing_is_forgotten(scanner: Path) -> None:
    path = scanner / "p.png"
    save(WHOLE, path)
    watch = FolderWatch(scanner, ImageLimits())
    watch.look()
    watch.look()
    watch.done(path)
    scanner.rename(scanner.with_name("away"))
    with pytest.raises(FileNotFoundError):
        watch.look()
    scanner.with_name("away").rename(scanner)
    assert watch.look() == []
    assert watch.look() == []


def test_names_that_a_scanner_uses_again_get_a_number(scanner: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    path = scanner / "batch" / "p1.png"
    places = []
    for height in (300, 290, 300, 280):
        save(WHOLE[:height], path)
        places.append(take_in(path, scanner, scans, ImageLimits()))
    first, second, again, third = places
    assert (first, again) == (scans / "batch" / "p1.png", first)
    assert (second.name, third.name) == ("p1 (2).png", "p1 (3).png")
    assert sorted(p.name for p in (scans / "batch").iterdir()) == [
        "p1 (2).png",
        "p1 (3).png",
        "p1.png",
    ]


def test_a_copy_that_was_cut_off_gives_way_to_the_whole_file(scanner: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    path = scanner / "p.png"
    save(WHOLE, path)
    data = path.read_bytes()
    for end in (0, len(data) // 3, len(data) // 2, len(data)):
        path.write_bytes(data[:end])
        assert take_in(path, scanner, scans, ImageLimits()) == scans / "p.png"
        assert names(list(scans.iterdir())) == ["p.png"]
        assert (scans / "p.png").read_bytes() == data[:end]


def test_a_tiff_that_is_told_last_where_its_pages_are_gives_way_too(
    scanner: Path, tmp_path: Path
) -> None:
    path, scans = scanner / "p.tif", tmp_path / "scans"
    save(WHOLE, path)
    data = path.read_bytes()
    path.write_bytes(data[:4] + bytes(4) + data[8 : len(data) // 2])
    take_in(path, scanner, scans, ImageLimits())
    path.write_bytes(data)
    assert take_in(path, scanner, scans, ImageLimits()) == scans / "p.tif"
    assert names(list(scans.iterdir())) == ["p.tif"]


def test_a_broken_copy_of_another_sheet_is_kept(scanner: Path, tmp_path: Path) -> None:
    path, scans = scanner / "p.jpg", tmp_path / "scans"
    save(np.random.default_rng(1).integers(0, 255, (300, 200), np.uint8), path)
    torn = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(torn)
    take_in(path, scanner, scans, ImageLimits())
    save(np.random.default_rng(2).integers(0, 255, (300, 200), np.uint8), path)
    assert take_in(path, scanner, scans, ImageLimits()).name == "p (2).jpg"
    assert (scans / "p.jpg").read_bytes() == torn


def test_a_copy_that_opens_is_kept_where_its_file_has_grown(scanner: Path, tmp_path: Path) -> None:
    path, scans = scanner / "p.jpg", tmp_path / "scans"
    save(WHOLE, path)
    data = path.read_bytes()
    take_in(path, scanner, scans, ImageLimits())
    path.write_bytes(data + b"more")
    assert take_in(path, scanner, scans, ImageLimits()).name == "p (2).jpg"
    assert (scans / "p.jpg").read_bytes() == data


def test_a_file_among_the_scans_stays_where_it_is(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    save(WHOLE, scans / "p.png")
    assert take_in(scans / "p.png", scans, scans, ImageLimits()) == scans / "p.png"
    assert names(list(scans.iterdir())) == ["p.png"]


def test_a_file_that_is_written_to_while_it_is_copied_is_left(
    scanner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scanner / "p.png"
    save(WHOLE, path)

    def copy(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes())
        with source.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr("shutil.copy2", copy)
    with pytest.raises(OSError, match="still being written"):
        take_in(path, scanner, tmp_path / "scans", ImageLimits())
    assert list((tmp_path / "scans").iterdir()) == []


def test_a_link_that_leads_back_to_itself_is_told_and_the_others_are_given(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"x")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    told: list[tuple[Path, str]] = []
    found = scan_files(tmp_path, lambda path, error: told.append((path, str(error))))
    assert [path.name for path, _ in found] == ["1.jpg"]
    ((path, why),) = told
    assert path.name == "loop.jpg"
    assert "a link that leads back to itself" in why
