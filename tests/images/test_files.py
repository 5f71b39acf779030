from __future__ import annotations

import os

import pytest

from inkmark.errors import ImageError
from inkmark.images import find_scans


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_a_folder_is_searched_to_any_depth_in_natural_order(tmp_path):
    make(tmp_path, "p10.jpg", "p2.jpg", "P1.jpg", "b/1.tif", "b/c/01.tif", "a10/x", "a9/x")
    assert names(find_scans(tmp_path), tmp_path) == [
        "a9/x",
        "a10/x",
        "b/1.tif",
        "b/c/01.tif",
        "P1.jpg",
        "p2.jpg",
        "p10.jpg",
    ]


def test_unknown_files_are_kept_and_system_files_are_not(tmp_path):
    make(tmp_path, "a.jpg", "notes.docx", "noextension", ".DS_Store", "Thumbs.db", "~$notes.docx")
    make(tmp_path, "desktop.ini", "__MACOSX/a.jpg", ".cache/b.jpg")
    assert names(find_scans([tmp_path]), tmp_path) == ["a.jpg", "noextension", "notes.docx"]


def test_a_file_named_on_purpose_is_always_taken(tmp_path):
    make(tmp_path, ".hidden.jpg")
    assert find_scans(tmp_path / ".hidden.jpg") == [tmp_path / ".hidden.jpg"]


def test_globs_and_the_order_of_arguments(tmp_path):
    make(tmp_path, "x/2.jpg", "x/10.jpg", "x/1.png", "y/3.jpg")
    found = find_scans([tmp_path / "y", str(tmp_path / "x" / "*.jpg")])
    assert names(found, tmp_path) == ["y/3.jpg", "x/2.jpg", "x/10.jpg"]
    assert names(find_scans(str(tmp_path / "**" / "*.png")), tmp_path) == ["x/1.png"]
    assert len(find_scans(str(tmp_path / "*"))) == 4  # folders that match are searched


def test_a_file_named_twice_comes_once(tmp_path):
    make(tmp_path, "a.jpg")
    assert len(find_scans([tmp_path, tmp_path / "a.jpg", tmp_path / "*.jpg"])) == 1


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    make(tmp_path, "class [3].jpg")
    assert find_scans(tmp_path / "class [3].jpg") == [tmp_path / "class [3].jpg"]


def test_links_that_run_in_a_circle_end(tmp_path):
    make(tmp_path, "a/1.jpg")
    (tmp_path / "a" / "back").symlink_to(tmp_path, target_is_directory=True)
    assert names(find_scans(tmp_path), tmp_path) == ["a/1.jpg"]


def test_a_link_that_leads_nowhere_is_named_as_such(tmp_path):
    for name, target in (("scans", "scans"), ("old", "gone")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(ImageError, match=f"{name}: it is a link that leads nowhere"):
            find_scans(tmp_path / name)


@pytest.mark.parametrize("what", ["", "missing.jpg", "*.jpg"])
def test_nothing_found_is_an_error_with_a_remedy(tmp_path, what):
    with pytest.raises(ImageError, match=r"\. [A-Z].*\.$"):
        find_scans(tmp_path / what)


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "class-1").mkdir()
    (tmp_path / "class-1" / "a.png").write_bytes(b"x")
    closed = tmp_path / "class-2"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ImageError, match=r"class-2.*cannot be read.*permissions"):
        find_scans(tmp_path)
