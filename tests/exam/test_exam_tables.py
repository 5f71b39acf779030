"""Files from outside: whatever they hold, a table or a fault comes out."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from inkmark.errors import FaultyFileError
from inkmark.exam import tables
from inkmark.exam.tables import read_csv, read_workbook

SHEET = "xl/worksheets/sheet1.xml"


def workbook_bytes(*rows: list[object]) -> bytes:
    workbook = Workbook()
    workbook.worksheets[0].title = "points"
    for row in rows:
        workbook.worksheets[0].append(row)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def with_part(content: bytes, name: str, change) -> bytes:
    """The workbook with one part of its archive changed."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, change(data) if part == name else data)
    return changed.getvalue()


def write(tmp_path: Path, content: bytes, name: str = "table.xlsx") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    read = read_csv if path.suffix == ".csv" else read_workbook
    with pytest.raises(FaultyFileError) as caught:
        read(path)
    return str(caught.value)


def texts(path: Path) -> list[list[str]]:
    (table,) = read_workbook(path)
    return [[cell.text for cell in row] for row in (table.header, *table.rows)]


def test_cells_are_what_they_show(tmp_path):
    rows = [
        ["h", None, "i"],
        [1, 2.0, 2.5],
        [0.1 + 0.2, True, " x "],
        [None, None, None],
        ["", 1e14, -0.0],
    ]
    path = write(tmp_path, workbook_bytes(*rows))
    assert texts(path) == [
        ["h", "", "i"],
        ["1", "2", "2.5"],
        ["0.3", "TRUE", "x"],
        ["", "100000000000000", "0"],
    ]
    (table,) = read_workbook(path)
    assert table.rows[-1][0].place == "points!A5"


def test_short_rows_have_places_in_every_column(tmp_path):
    (table,) = read_workbook(write(tmp_path, workbook_bytes(["a", "b", "c"], ["x"])))
    assert [cell.place for cell in table.rows[0]] == ["points!A2", "points!B2", "points!C2"]


def test_only_the_wanted_sheets_are_read(tmp_path):
    workbook = Workbook()
    workbook.create_sheet("Ite ms").append(["x"])
    workbook.save(tmp_path / "a.xlsx")
    assert [t.name for t in read_workbook(tmp_path / "a.xlsx", ["items"])] == ["Ite ms"]


def test_a_formula_has_its_stored_value(tmp_path):
    content = with_part(
        workbook_bytes(["h", "k"], ["=1+2", "=A9"], ["=[1]Other!A1", 5]),
        SHEET,
        lambda xml: xml.replace(b"<f>1+2</f><v />", b"<f>1+2</f><v>3</v>").replace(
            b"<f>1+2</f><v></v>", b"<f>1+2</f><v>3</v>"
        ),
    )
    (table,) = read_workbook(write(tmp_path, content))
    assert table.rows[0][0].text == "3"
    assert "without a stored value" in table.rows[0][1].fault
    assert "without a stored value" in table.rows[1][0].fault
    assert table.rows[1][1].text == "5"


def test_an_error_value_is_a_fault(tmp_path):
    (table,) = read_workbook(write(tmp_path, workbook_bytes(["h"], ["#N/A"])))
    assert "#N/A" in table.rows[0][0].fault


def test_a_number_beyond_fifteen_digits_has_lost_some(tmp_path):
    (table,) = read_workbook(write(tmp_path, workbook_bytes(["h"], [1234567890123456])))
    assert "15 digits" in table.rows[0][0].fault


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no workbook",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        b"PK\x05\x06" + b"\0" * 18,
        workbook_bytes(["h"])[:-40],
    ],
    ids=["empty", "text", "old or locked", "empty archive", "cut short"],
)
def test_what_is_no_workbook(tmp_path, content):
    assert "as .xlsx" in refusal(write(tmp_path, content))


def test_a_folder_and_a_missing_file(tmp_path):
    assert "cannot be opened" in refusal(tmp_path)
    assert "cannot be opened" in refusal(tmp_path / "none.xlsx")


def test_an_archive_that_is_something_else(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert "no sound Excel workbook" in refusal(write(tmp_path, content.getvalue()))


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_MAX_UNPACKED_BYTES", 1 << 20)
    monkeypatch.setattr(tables.openpyxl, "load_workbook", None)
    bomb = with_part(workbook_bytes(["h"]), SHEET, lambda xml: xml + b" " * (2 << 20))
    assert len(bomb) < 20_000
    assert "unpacks to more" in refusal(write(tmp_path, bomb))


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path):
    bomb = with_part(workbook_bytes(["h"]), SHEET, lambda xml: xml + b" " * (2 << 20))
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        size = archive.getinfo(SHEET).file_size
    lying = bomb.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != bomb
    assert "no sound Excel workbook" in refusal(write(tmp_path, lying))


def test_too_many_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_MAX_PARTS", 3)
    assert "unpacks" in refusal(write(tmp_path, workbook_bytes(["h"])))


def test_a_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_MAX_FILE_BYTES", 100)
    assert "larger than" in refusal(write(tmp_path, workbook_bytes(["h"])))
    assert "larger than" in refusal(write(tmp_path, b"x" * 200, "a.csv"))


def test_entities_that_multiply_are_refused(tmp_path):
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY e0 "{"x" * 100}">{levels}]>'.encode()
    content = with_part(
        workbook_bytes(["h"]),
        SHEET,
        lambda xml: (
            doctype + xml.replace(b"</sheetData>", b"<row><c><v>&e9;</v></c></row></sheetData>")
        ),
    )
    assert "no sound Excel workbook" in refusal(write(tmp_path, content))


def test_too_many_rows_and_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    monkeypatch.setattr(tables, "MAX_COLUMNS", 2)
    assert "more than 3 rows" in refusal(write(tmp_path, workbook_bytes(*[["x"]] * 4)))
    assert "points!C1: stands beyond the 2 columns" in refusal(
        write(tmp_path, workbook_bytes(["x"] * 3))
    )
    assert "more than 3 rows" in refusal(write(tmp_path, b"a\n" * 6, "a.csv"))
    assert "or 2 columns" in refusal(write(tmp_path, b"a,b,c\n", "a.csv"))


def test_a_row_far_below_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_EXCEL_ROWS", 2000)
    content = with_part(
        workbook_bytes(["h"], ["x"]),
        SHEET,
        lambda xml: xml.replace(b'<row r="2"', b'<row r="999999999"').replace(
            b'r="A2"', b'r="A999999999"'
        ),
    )
    assert "rows" in refusal(write(tmp_path, content))


@pytest.mark.parametrize("place", ["IW1", "XAD1", "XFD1", "XFD2"])
def test_a_cell_far_to_the_right_is_a_fault_of_its_own(tmp_path, place):
    workbook = load_workbook(io.BytesIO(workbook_bytes(["h"], ["x"])))
    workbook.worksheets[0][place] = "far"
    workbook.save(tmp_path / "far.xlsx")
    assert f"points!{place}: stands beyond the 256 columns" in refusal(tmp_path / "far.xlsx")


def test_empty_cells_far_to_the_right_are_passed_over(tmp_path, monkeypatch):
    workbook = load_workbook(io.BytesIO(workbook_bytes(["h"], ["x"])))
    for row in range(1, 4):
        workbook.worksheets[0][f"XFD{row}"].number_format = "@"
    workbook.save(tmp_path / "far.xlsx")
    (table,) = read_workbook(tmp_path / "far.xlsx")
    assert [[cell.text for cell in row] for row in table.rows] == [["x"]]
    monkeypatch.setattr(tables, "MAX_ROWS", 100)
    assert "more rows or cells" in refusal(tmp_path / "far.xlsx")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_workbook_never_raises_anything_else(tmp_path, damage):
    content = bytearray(workbook_bytes(["a", 1, 2.5], ["b", True, "=1"]))
    for position, value in damage:
        content[position % len(content)] = value
    with contextlib.suppress(FaultyFileError):
        read_workbook(write(tmp_path, bytes(content)))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(st.data())
def test_damaged_xml_never_raises_anything_else(tmp_path, data):
    part = data.draw(
        st.sampled_from(
            [
                SHEET,
                "xl/workbook.xml",
                "xl/styles.xml",
                "xl/sharedStrings.xml",
                "[Content_Types].xml",
            ]
        )
    )

    def damage(xml: bytes) -> bytes:
        start = data.draw(st.integers(0, len(xml)))
        end = data.draw(st.integers(start, min(len(xml), start + 30)))
        return xml[:start] + data.draw(st.binary(max_size=6)) + xml[end:]

    with contextlib.suppress(FaultyFileError):
        read_workbook(
            write(tmp_path, with_part(workbook_bytes(["a", 1], ["b", "=1"]), part, damage))
        )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_of_csv(tmp_path, delimiter):
    path = write(
        tmp_path, f'a{delimiter}b\n"x{delimiter}y"{delimiter}"two\nlines"\n'.encode(), "a.csv"
    )
    table = read_csv(path)
    assert [cell.text for cell in table.rows[0]] == [f"x{delimiter}y", "two\nlines"]


def test_a_csv_that_is_no_text(tmp_path):
    assert "neither UTF-8 nor GB18030" in refusal(write(tmp_path, b"\xff\xff\xff\x80", "a.csv"))


def test_control_characters_are_a_fault_of_their_cell(tmp_path):
    table = read_csv(write(tmp_path, b"a\nx\x00y\n", "a.csv"))
    assert "control characters" in table.rows[0][0].fault


def test_an_open_quote_is_a_fault_with_its_line(tmp_path):
    assert "line 2" in refusal(write(tmp_path, b'a\n"x"y\n', "a.csv"))
