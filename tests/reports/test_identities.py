"""Sheets to be named go out with pictures, and what a person writes comes back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from PIL import Image

from inkmark.errors import FaultyFileError
from inkmark.reports import IdentityChoice, IdentityRow, load_identities, write_identities

NUMBERS = {"260101", "260102"}
IMAGES = {"a-0", "b-0"}


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((40, 300), 200, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def row(image: str, **changes: object) -> IdentityRow:
    values = {
        "source": f"scans/{image}.jpg",
        "image": image,
        "reason": "=1+1 is not sure enough.",
        "guesses": (("260101", "@SUM(A1)", 0.6), ("", "", 0.4)),
        "name_picture": picture(),
        "number_picture": b"",
    }
    return IdentityRow(**(values | changes))  # type: ignore[arg-type]


def written(path: Path, language: str, decisions: dict[int, str | int]) -> None:
    """Two sheets, and what a person wrote beside them."""
    write_identities([row("a-0"), row("b-0")], path, language)
    book = openpyxl.load_workbook(path)
    for number, decision in decisions.items():
        book["identities"].cell(number, 3).value = decision
        book["identities"].cell(number, 6).value = "by the name"
    book.save(path)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_decisions_come_back(tmp_path: Path, language: str) -> None:
    path = tmp_path / "identities.xlsx"
    written(path, language, {2: 260101, 3: "－"})
    assert load_identities(path, NUMBERS, IMAGES) == (
        IdentityChoice("a-0", "260101", "by the name", "identities!C2"),
        IdentityChoice("b-0", "", "by the name", "identities!C3"),
    )
    written(path, language, {3: "无"})
    assert [choice.candidate for choice in load_identities(path, NUMBERS, IMAGES)] == [""]
    written(path, language, {2: "269999"})
    assert load_identities(path, None, IMAGES)[0].candidate == "269999", "without a roster"


def test_text_from_outside_is_never_computed(tmp_path: Path) -> None:
    path = tmp_path / "identities.xlsx"
    write_identities([row("a-0")], path, "en")
    sheet = openpyxl.load_workbook(path)["identities"]
    assert all(cell.data_type != "f" for cells in sheet.iter_rows() for cell in cells)
    assert sheet.cell(2, 4).value == "260101 @SUM(A1) (60.0 %)\nnobody on the roster (40.0 %)"
    assert len(sheet._images) == 1


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("1.xlsx", "2.xlsx"):
        write_identities([row("a-0"), row("b-0")], tmp_path / name, "zh")
    assert (tmp_path / "1.xlsx").read_bytes() == (tmp_path / "2.xlsx").read_bytes()


def test_what_cannot_be_taken_at_its_word_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "identities.xlsx"
    rows = [row("a-0"), row("a-0"), row(""), row("b-0"), row("d-0"), row("b-0"), row("b-0")]
    write_identities(rows, path, "en")
    book = openpyxl.load_workbook(path)
    decisions = ["260101", "260102", "260101", "260199", "260101", "=1+1", "-"]
    for number, decision in enumerate(decisions, start=2):
        book["identities"].cell(number, 3).value = decision
    book["identities"].cell(8, 6).value = "=1+1"
    book.save(path)
    with pytest.raises(FaultyFileError) as caught:
        load_identities(path, NUMBERS, IMAGES)
    for part in (
        "C3: another row says otherwise",
        "C4: the row has lost its image",
        "C5: the exam has no candidate “260199”",
        "H6: no image “d-0” was read",
        "C7: a formula",
        "F8: a formula",
    ):
        assert part in str(caught.value)
    assert len(caught.value.faults) == 6
    book = openpyxl.load_workbook(path)
    book["identities"].delete_cols(8)
    book.save(path)
    with pytest.raises(FaultyFileError, match=r"columns are missing: Image"):
        load_identities(path, NUMBERS, IMAGES)
