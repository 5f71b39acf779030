"""Learning a layout from a blank sheet and trying it on a scan, by command."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from inkmark.cli import EXIT_NEEDS_REVIEW, main
from inkmark.layouts import FullBox, load_layout

MM = 200 / 25.4


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def _sheet(marked: tuple[int, ...] = ()) -> np.ndarray:
    """Eight items of four bubbles between four discs; item k has option k marked."""
    page = np.full((round(297 * MM), round(210 * MM)), 255, np.uint8)
    for x, y in ((15, 15), (195, 15), (195, 282), (15, 282)):
        cv2.circle(page, (round(x * MM), round(y * MM)), round(3 * MM), 0, -1, cv2.LINE_AA)
    for row in range(8):
        for column in range(4):
            centre = (round((60 + 12 * column) * MM), round((80 + 10 * row) * MM))
            axes = (round(2.5 * MM), round(2.0 * MM))
            cv2.ellipse(page, centre, axes, 0, 0, 360, 0, 2, cv2.LINE_AA)
            if row < len(marked) and marked[row] == column:
                cv2.ellipse(page, centre, axes, 0, 0, 360, 30, -1, cv2.LINE_AA)
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "blank.png"), _sheet())
    cv2.imwrite(str(tmp_path / "filled.png"), _sheet((0, 1, 2, 3, 0, 1, 2, 3)))
    return tmp_path


def test_learn_writes_a_layout_and_an_overlay(folder: Path) -> None:
    result = invoke("layouts", "learn", folder / "blank.png", "--width", "210")
    assert result.exit_code == 0
    assert "Found 32 bubbles in 8 fields" in result.stdout
    assert "four discs in the corners" in result.stdout
    layout = load_layout(folder / "blank.layout.json")
    assert layout.title == "blank"
    assert [field.name for field in layout.fields()] == [f"Q{k}" for k in range(1, 9)]
    assert (folder / "blank.overlay.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("n_copies", [2, 5])
def test_copies_of_a_sheet_are_not_learned_as_one(folder: Path, n_copies: int) -> None:
    copies = folder / "copies.pdf"
    sheet = Image.fromarray(_sheet())
    sheet.save(copies, resolution=200, save_all=True, append_images=[sheet] * (n_copies - 1))
    refused = CliRunner().invoke(main, ["layouts", "learn", str(copies)])
    assert refused.exit_code != 0
    assert "--pages 1." in refused.output
    assert not (folder / "copies.layout.json").exists()
    result = invoke("layouts", "learn", copies, "--pages", "1")
    assert result.exit_code == 0
    assert len(load_layout(folder / "copies.layout.json").pages) == 1


def test_check_prints_and_draws_what_is_read(folder: Path) -> None:
    layout = folder / "own.json"
    invoke("layouts", "learn", folder / "blank.png", "--out", layout, "--width", "210")
    picture = folder / "check.png"
    result = invoke("layouts", "check", layout, folder / "filled.png", "--out", picture)
    assert result.exit_code == 0, result.output
    values = [line.split()[2] for line in result.stdout.splitlines() if line.startswith("  Q")]
    assert values == ["A", "B", "C", "D"] * 2
    assert cv2.imread(str(picture)).shape[2] == 3
    drawn = folder / "check.pdf"
    asked = invoke("layouts", "check", layout, folder / "filled.png", "-o", drawn, "--json")
    (page,) = json.loads(asked.stdout)["pages"]
    assert page["anchors_found"] == 4
    assert [field["value"] for field in page["fields"]] == ["A", "B", "C", "D"] * 2
    assert drawn.read_bytes().startswith(b"%PDF")


def test_check_says_what_does_not_fit(folder: Path) -> None:
    layout = folder / "own.json"
    invoke("layouts", "learn", folder / "blank.png", "--out", layout, "--width", "210")
    cv2.imwrite(str(folder / "other.png"), np.full((2339, 1654), 250, np.uint8))
    picture = folder / "check.png"
    result = invoke("layouts", "check", layout, folder / "other.png", "--out", picture)
    assert result.exit_code == EXIT_NEEDS_REVIEW
    assert "unregistered" in result.stdout
    assert picture.is_file()
    missing = invoke("layouts", "check", layout, folder / "filled.png", "--page", "2")
    assert missing.exit_code == 4
    assert "1 page(s), no page 2" in missing.stderr


def test_check_refuses_what_is_no_layout(folder: Path) -> None:
    (folder / "other.json").write_text('{"format": "inkmark-layout/1"}', encoding="utf-8")
    result = invoke("layouts", "check", folder / "other.json", folder / "filled.png")
    assert result.exit_code == 4
    result = invoke("layouts", "check", folder / "filled.png", folder / "filled.png")
    assert result.exit_code == 4
    assert "template" in result.stderr


def test_a_sheet_without_bubbles_is_no_layout(folder: Path) -> None:
    cv2.imwrite(str(folder / "other.png"), np.full((2339, 1654), 250, np.uint8))
    result = invoke("layouts", "learn", folder / "other.png")
    assert result.exit_code == 4
    assert "No bubbles" in result.stderr
    assert not (folder / "other.layout.json").exists()


def test_nothing_that_is_read_is_written_over(folder: Path) -> None:
    layout, blank, scan = folder / "own.json", folder / "blank.png", folder / "filled.png"
    invoke("layouts", "learn", blank, "--out", layout, "--width", "210")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for arguments in (
        ("check", layout, scan, "--out", scan),
        ("check", layout, scan, "--out", layout),
        ("learn", blank, "--out", blank, "--force"),
        ("learn", blank, "--out", folder / "new.json", "--overlay", blank),
        ("learn", blank, "--out", folder / "new.json", "--overlay", folder / "new.json"),
        ("import", layout, "--out", layout, "--force"),
    ):
        result = invoke("layouts", *arguments)
        assert result.exit_code == 1, arguments
        assert "Name" in result.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_layout_that_was_corrected_is_kept(folder: Path, data_dir: Path) -> None:
    layout = folder / "own.json"
    layout.write_text("corrected", encoding="utf-8")
    learn = ("layouts", "learn", folder / "blank.png", "--out", layout, "--width", "210")
    template = next(data_dir.rglob("template.json"))
    take_in = ("layouts", "import", template, "--out", layout)
    for command in (learn, take_in):
        refused = invoke(*command)
        assert refused.exit_code == 1
        assert "--force" in refused.stderr
        assert layout.read_text(encoding="utf-8") == "corrected"
    for command in (learn, take_in):
        assert invoke(*command, "--force").exit_code == 0
        load_layout(layout)


def test_the_overlay_lies_beside_the_layout_and_is_kept(folder: Path) -> None:
    """Not beside the blank sheet, which may be one of a folder of scans."""
    learn = ("layouts", "learn", folder / "blank.png", "--width", "210", "--out")
    assert invoke(*learn, folder / "made" / "own.json").exit_code == 0
    overlay = folder / "made" / "blank.overlay.pdf"
    assert overlay.read_bytes().startswith(b"%PDF")
    assert {path.name for path in folder.iterdir()} == {"blank.png", "filled.png", "made"}
    overlay.write_text("with notes", encoding="utf-8")
    other = folder / "made" / "other.json"
    refused = invoke(*learn, other)
    assert refused.exit_code == 1
    assert "--overlay, or replace it with --force" in refused.stderr
    assert overlay.read_text(encoding="utf-8") == "with notes"
    assert not other.exists()
    assert invoke(*learn, other, "--force").exit_code == 0
    assert overlay.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["check.gif", "check"])
def test_check_draws_no_other_files(folder: Path, name: str) -> None:
    """Refused before anything is read: the layout is none."""
    picture = folder / name
    result = invoke("layouts", "check", folder / "blank.png", folder / "filled.png", "-o", picture)
    assert result.exit_code == 1
    assert "neither in .pdf nor in .png" in result.stderr
    assert not picture.exists()


def test_what_a_full_box_means_is_chosen_for_a_form(folder: Path) -> None:
    plain, crossed = folder / "plain.json", folder / "crossed.json"
    learn = ("layouts", "learn", folder / "blank.png", "--width", "210", "--out")
    invoke(*learn, plain)
    assert invoke(*learn, crossed, "--full-box", "cancelled", "--force").exit_code == 0
    one, other = load_layout(plain), load_layout(crossed)
    assert {field.full_box for field in one.fields()} == {FullBox.MARKED}
    assert {field.full_box for field in other.fields()} == {FullBox.CANCELLED}
    assert one.version != other.version
