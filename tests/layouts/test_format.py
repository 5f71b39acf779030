from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_exams import mixed_exam
from jsonschema import Draft202012Validator
from sample_layouts import everything, png

from inkmark.errors import LayoutError
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    BubbleShape,
    CodeField,
    PageLayout,
    SheetLayout,
    SheetOptions,
    WritingField,
    build_layout,
    layout_schema,
    layout_version,
    load_layout,
    save_layout,
)

VALIDATOR = Draft202012Validator(layout_schema())


@pytest.mark.parametrize(
    "layout",
    [
        everything(),
        build_layout(mixed_exam()),
        build_layout(mixed_exam("en"), SheetOptions("A3", 2, 3, BubbleShape.RECTANGLE)),
    ],
    ids=["everything", "A4", "A3"],
)
def test_a_layout_survives_its_file(layout: SheetLayout, tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    save_layout(layout, path)
    assert load_layout(path) == layout
    assert [p.name for p in tmp_path.iterdir()] == ["layout.json"]
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))
    first = path.read_bytes()
    save_layout(load_layout(path), path)
    assert path.read_bytes() == first


boxes = st.builds(
    Box, st.floats(0.0, 90.0), st.floats(0.0, 90.0), st.floats(0.1, 20), st.floats(0.1, 20)
)


@settings(deadline=None)
@given(st.lists(boxes, min_size=1, max_size=5), st.floats(200.0, 500.0), st.floats(200.0, 500.0))
def test_numbers_survive_exactly(
    tmp_path_factory: pytest.TempPathFactory, found: list[Box], width: float, height: float
) -> None:
    fields = tuple(AreaField(f"F{i}", box) for i, box in enumerate(found))
    pages = (PageLayout(width, height, Anchors(AnchorKind.IMAGE), fields),)
    layout = SheetLayout(layout_version(pages), "", pages)
    path = tmp_path_factory.getbasetemp() / "numbers.json"
    save_layout(layout, path)
    assert load_layout(path) == layout
    assert layout_version(load_layout(path).pages) == layout.version


def test_members_that_may_be_left_out_have_the_models_defaults(
    document: dict[str, Any], tmp_path: Path
) -> None:
    bare = {
        "format": "inkmark-layout/1",
        "version": "00AB12EF",
        "pages": [
            {
                "width_mm": 100,
                "height_mm": 100,
                "anchors": {"kind": "image"},
                "fields": [
                    {
                        "kind": "bubbles",
                        "name": "b",
                        "options": ["A"],
                        "origin_mm": [5, 5],
                        "option_step_mm": [0, 0],
                        "bubble_mm": [4, 3],
                    },
                    {"kind": "code", "name": "c", "box_mm": [1, 2, 3, 4]},
                    {"kind": "writing", "name": "w", "box_mm": [1, 2, 3, 4]},
                    {"kind": "area", "name": "a", "box_mm": [1, 2, 3, 4]},
                ],
            }
        ],
    }
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(bare), encoding="utf-8-sig")
    box = Box(1.0, 2.0, 3.0, 4.0)
    assert load_layout(path) == SheetLayout(
        "00AB12EF",
        "",
        (
            PageLayout(
                100.0,
                100.0,
                Anchors(AnchorKind.IMAGE),
                (
                    BubbleField("b", ("A",), (5.0, 5.0), (0.0, 0.0), 4.0, 3.0),
                    CodeField("c", box),
                    WritingField("w", box),
                    AreaField("a", box),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("charset", "n_boxes", "is_line"),
    [("date", 1, True), ("points", 1, True), ("digits", 1, False), ("date", 8, False)],
)
def test_what_takes_several_symbols_is_a_line_in_one_box(
    charset: str, n_boxes: int, is_line: bool
) -> None:
    field = WritingField("w", Box(0.0, 0.0, 9.0, 9.0), n_boxes, 9.0, charset)
    assert field.is_line is is_line


# --- faults -----------------------------------------------------------------------------


def refused(tmp_path: Path, data: Any) -> str:
    path = tmp_path / "layout.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    with pytest.raises(LayoutError) as caught:
        load_layout(path)
    return str(caught.value)


def test_all_faults_are_listed_with_their_places(document: dict[str, Any], tmp_path: Path) -> None:
    changed = copy.deepcopy(document)
    changed["format"] = "inkmark-layout/9"
    changed["pages"][0]["fields"][1]["options"][2] = "A|B"
    changed["pages"][1]["anchors"]["kind"] = "stars"
    del changed["pages"][3]["fields"][0]["box_mm"]
    message = refused(tmp_path, changed)
    assert "format: must be 'inkmark-layout/1'" in message
    assert "pages[0].fields[1].options[2]: holds the character '|'" in message
    assert "pages[1].anchors.kind: must be one of: squares, sheet edges, " in message
    assert "pages[3].fields[0].box_mm: is missing" in message
    assert message.endswith("Correct the places named, or build or import the layout again.")


def written(document: dict[str, Any]) -> dict[str, Any]:
    """A field of four boxes, 7 by 8 mm and 7.5 mm apart."""
    field: dict[str, Any] = document["pages"][3]["fields"][0]
    return field


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["pages"][0]["fields"][2].update(name="Q1"), "'Q1' stands twice"),
        (lambda d: d["pages"][5]["fields"][0].update(name="page"), "'page' stands twice"),
        (lambda d: d["joins"][0].update(name="n"), "'n' stands twice"),
        (lambda d: d["joins"][1].update(name="roll"), "'roll' stands twice"),
        (lambda d: d["joins"][0]["parts"].append("Q9"), "there is no field 'Q9'"),
        (lambda d: d["joins"][0]["parts"].append("both"), "there is no field 'both'"),
        (lambda d: d["pages"][0]["fields"][1].update(item=""), "names its item"),
        (lambda d: d["pages"][0]["fields"][1].update(origin_mm=[208, 50]), "'Q1' lies outside"),
        (lambda d: d["pages"][3]["fields"][0].update(boxes=30), "'W2' lies outside"),
        (lambda d: d["pages"][4]["anchors"].update(marks_mm=[[0, 0]] * 3 + [[0, 999]]), "outside"),
        (lambda d: d["pages"][4]["fields"][0]["places_mm"].pop(), "2 places for 3 bubbles"),
        (lambda d: d["pages"][0]["anchors"].update(key_mark_mm=[230, 9, 9, 4]), "lies outside"),
        (lambda d: d["pages"][1]["anchors"].update(picture_png="AAAA"), "is no PNG"),
        (lambda d: d["pages"][1]["anchors"].update(picture_png="é"), "is no PNG"),
        (
            lambda d: d["pages"][0]["fields"][1].update(
                options=[str(i) for i in range(200)], groups=101, option_step_mm=[0, 0]
            ),
            "more than 20000 bubbles",
        ),
        (lambda d: written(d).update(box_mm=[10, 10, 1.9, 8]), "box_mm: is less than 2.0 mm"),
        (lambda d: written(d).update(box_mm=[10, 10, 7, 0.05]), "box_mm: is less than 2.0 mm"),
        (lambda d: written(d).update(step_mm=-6), "step_mm: is -6.0 mm for boxes of 7.0 mm"),
        (lambda d: written(d).update(step_mm=0), "step_mm: is 0.0 mm for boxes of 7.0 mm"),
        (lambda d: written(d).update(charset="AAB"), "charset: holds 'A' twice"),
        (lambda d: written(d).update(charset="1２2"), "charset: holds '2' twice"),
        (
            lambda d: written(d).update(box_mm=[-1400, -1400, 3000, 3000], boxes=1),
            "pages[3]: has 9.00 m² to write on; at most 0.25 m²",
        ),
        (
            lambda d: d["pages"][3]["fields"].append(
                {
                    "kind": "area",
                    "name": "ticks",
                    "role": "points",
                    "item": "2",
                    "box_mm": [-200, -200, 600, 600],
                    "marks": 4,
                }
            ),
            "m² to write on",
        ),
    ],
)
def test_relations_that_no_schema_can_state_are_checked(
    document: dict[str, Any], tmp_path: Path, change: Any, words: str
) -> None:
    changed = copy.deepcopy(document)
    change(changed)
    assert VALIDATOR.is_valid(changed)
    assert words in refused(tmp_path, changed)


def test_a_picture_that_declares_too_many_pixels_is_refused(tmp_path: Path) -> None:
    box = (Box(0.0, 0.0, 110.0, 150.0),)
    anchors = Anchors(AnchorKind.REFERENCE, picture_png=png(100_000, 100_000), picture_boxes=box)
    layout = SheetLayout("00AB12EF", "", (PageLayout(110.0, 150.0, anchors),))
    with pytest.raises(LayoutError, match="100000 x 100000 pixels"):
        save_layout(layout, tmp_path / "layout.json")
    assert list(tmp_path.iterdir()) == []


def test_a_code_may_stand_on_every_page(tmp_path: Path) -> None:
    page = PageLayout(
        110.0, 150.0, Anchors(AnchorKind.IMAGE), (CodeField("page", Box(1.0, 1.0, 9.0, 9.0)),)
    )
    layout = SheetLayout("00AB12EF", "", (page, page))
    save_layout(layout, tmp_path / "layout.json")
    assert load_layout(tmp_path / "layout.json") == layout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ('{"format": NaN}', "NaN is no number"),
        ('{"format": -Infinity}', "-Infinity is no number"),
        ('{"format": 1, "format": 2}', "a key twice"),
        ("[" * 200_000, "is not JSON"),
        ("1" * 10_000, "is not JSON"),
        ("[]", "must be of type object"),
        ("null", "must be of type object"),
        ('{"format": "inkmark-layout/1", "version": "00AB12EF", "pages": [1e999]}', "pages[0]"),
    ],
)
def test_hostile_text_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_numbers_without_end_are_refused(document: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(document).replace("173.0", "1e999")
    assert "pages[0].fields[0].box_mm[0]: must be from -3000 to 3000" in refused(tmp_path, text)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="cannot be read"):
        load_layout(tmp_path / "missing.json")
    with pytest.raises(LayoutError, match="cannot be read"):
        load_layout(tmp_path)
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(LayoutError, match="is not UTF-8 text"):
        load_layout(binary)
    huge = tmp_path / "huge.json"
    huge.touch()
    os.truncate(huge, 65 * 1024 * 1024)
    with pytest.raises(LayoutError, match="is larger than 64 MiB"):
        load_layout(huge)


def test_the_list_of_faults_ends(tmp_path: Path) -> None:
    message = refused(tmp_path, {"format": 1, "version": 1, "pages": [1] * 150})
    assert len(message.splitlines()) < 30


def test_a_faulty_layout_is_not_saved_over_a_sound_one(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    save_layout(everything(), path)
    before = path.read_bytes()
    with pytest.raises(LayoutError, match="version"):
        save_layout(SheetLayout("v1", "", everything().pages), path)
    assert path.read_bytes() == before


def test_the_version_sees_every_change() -> None:
    layout = everything()
    assert layout.version == layout_version(layout.pages, layout.joins)
    assert layout_version(layout.pages) != layout.version
    assert layout_version(layout.pages[::-1], layout.joins) != layout.version
