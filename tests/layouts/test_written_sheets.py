"""Sheets to be written on: frames, and what is printed beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from invented_exams import invented_exam, mixed_exam
from rendered_sheets import WRITTEN, crop, printed, text_of

from inkmark.exam import ItemType
from inkmark.geometry import Box
from inkmark.layouts import (
    BoxFrame,
    Role,
    SheetOptions,
    WritingField,
    build_layout,
    print_sheets,
)


def test_frames_are_as_dark_as_asked_for_and_hold_nothing(tmp_path: Path) -> None:
    greys = {}
    for frame in BoxFrame:
        options = replace(WRITTEN[0], frame=frame)
        layout, pages = printed(tmp_path, mixed_exam(), options)
        fields = [
            (field, pixels)
            for page, pixels in zip(layout.pages, pages, strict=True)
            for field in page.fields
            if isinstance(field, WritingField)
        ]
        assert {f.frame for f, _ in fields} == {frame}
        assert {f.role for f, _ in fields} == {Role.ITEM, Role.CANDIDATE, Role.POINTS, Role.TOTAL}
        lines = []
        for field, pixels in fields:
            for box in field.boxes():
                assert crop(pixels, box.grown(-0.6)).min() == 255
                edge = crop(pixels, Box(box.x + 1, box.bottom - 0.3, box.w - 2, 0.6))
                lines.append(int(edge.min(axis=0).max()))
        greys[frame] = max(lines)
    assert greys[BoxFrame.DARK] < 170
    assert greys[BoxFrame.DARK] + 20 < greys[BoxFrame.PALE] < 225
    assert 205 < greys[BoxFrame.DROPOUT] < 245


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("每框写一个大写字母", "正确写 T，错误写 F", "得分", "总分", "半分写 .5")),
        ("en", ("one capital letter in each box", "T for true, F for false", "Total", "half: .5")),
    ],
)
def test_sheets_say_what_is_written_where(
    tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    exam = mixed_exam(language)
    for options, is_there in ((WRITTEN[0], True), (SheetOptions(), False)):
        layout = build_layout(exam, options)
        path = tmp_path / "sheets.pdf"
        print_sheets(layout, exam, path)
        page = layout.pages[0]
        text = " ".join(text_of(path, 0, Box(0, 0, 210, 297), page).split())
        assert [said in text for said in words] == [is_there] * len(words)


def test_a_sheet_without_bubbles_of_items_does_not_tell_to_fill_them(tmp_path: Path) -> None:
    exam = invented_exam([(ItemType.SINGLE, 8)], language="en")
    path = tmp_path / "sheets.pdf"
    for options, is_told in ((SheetOptions(), True), (WRITTEN[0], False)):
        layout = build_layout(exam, options)
        print_sheets(layout, exam, path)
        text = " ".join(text_of(path, 0, Box(0, 0, 210, 297), layout.pages[0]).split())
        assert ("Fill each chosen bubble" in text) is is_told
        assert ("Write one capital letter in each small box" in text) is not is_told
