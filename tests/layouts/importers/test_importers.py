"""One function for the templates of all systems."""

from __future__ import annotations

import pytest

from inkmark.errors import LayoutError
from inkmark.layouts.importers import import_layout

OMRCHECKER = """{"pageDimensions": [420, 594], "bubbleDimensions": [20, 10], "fieldBlocks": {
    "MCQ": {"fieldType": "QTYPE_MCQ4", "origin": [100, 200], "bubblesGap": 40, "labelsGap": 30,
    "fieldLabels": ["q1..3"]}}}"""
FORMSCANNER = """<template><corners>
    <corner position="TOP_LEFT"><point x="10" y="10"/></corner>
    <corner position="TOP_RIGHT"><point x="90" y="10"/></corner>
    <corner position="BOTTOM_LEFT"><point x="10" y="140"/></corner>
    <corner position="BOTTOM_RIGHT"><point x="90" y="140"/></corner></corners>
    <fields size="3"><question question="q1" type="QUESTIONS_BY_ROWS"><values>
    <value response="A"><point x="30" y="50"/></value></values></question></fields></template>"""


@pytest.mark.parametrize(
    ("text", "system"), [(OMRCHECKER, "OMRChecker"), (FORMSCANNER, "FormScanner")]
)
@pytest.mark.parametrize("lead", ["", "\ufeff"])
def test_the_content_says_which_system_it_is_of(tmp_path, text, system, lead):
    path = tmp_path / "template"
    path.write_text(lead + text, encoding="utf-8")
    assert import_layout(path).system == system


def test_a_template_that_looks_the_same_upside_down_is_named(tmp_path):
    path = tmp_path / "template.json"
    # Four bubbles in a row whose middle is the middle of the page: 210 and 297 px.
    alike = OMRCHECKER.replace("[100, 200]", "[140, 292]").replace("q1..3", "q1")
    path.write_text(alike, encoding="utf-8")
    assert any("upside down" in note for note in import_layout(path).notes)
    path.write_text(alike.replace("292", "200"), encoding="utf-8")
    assert import_layout(path).notes == ()


def test_anything_else_is_refused(tmp_path):
    path = tmp_path / "template.yml"
    path.write_text("page: 1", encoding="utf-8")
    with pytest.raises(LayoutError, match="neither an OMRChecker"):
        import_layout(path)
    with pytest.raises(LayoutError, match="cannot be read"):
        import_layout(tmp_path / "none.json")
    path.write_bytes(b"<" + b" " * (5 << 20))
    with pytest.raises(LayoutError, match="larger than 4 MB"):
        import_layout(path)
