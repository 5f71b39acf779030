"""Importing FormScanner templates: invented ones, hostile ones and the released samples."""

from __future__ import annotations

import pytest

from inkmark.errors import LayoutError
from inkmark.layouts import (
    AnchorKind,
    BubbleField,
    BubbleShape,
    CodeField,
    MarkShape,
    load_layout,
    save_layout,
)
from inkmark.layouts.importers import import_formscanner

CORNERS = {
    "TOP_RIGHT": (1900, 100),
    "TOP_LEFT": (100, 100),
    "BOTTOM_LEFT": (100, 2900),
    "BOTTOM_RIGHT": (1900, 2900),
}


def corners(places):
    return "".join(
        f'<corner position="{name}"><point x="{x}" y="{y}"/></corner>'
        for name, (x, y) in places.items()
    )


def question(name, places, **attributes):
    attributes = {"multiple": "false", "type": "QUESTIONS_BY_ROWS"} | attributes
    stated = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    values = "".join(
        f'<value response="{response}"><point x="{x}" y="{y}"/></value>'
        for response, (x, y) in places.items()
    )
    return f'<question question="{name}" {stated}><values>{values}</values></question>'


def row(x, y, options="ABCD", step=100):
    return {o: (x + k * step, y) for k, o in enumerate(options)}


def template(fields, places=CORNERS, head="", shape="CIRCLE"):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<template version="2.1">'
        f'<corners type="ROUND">{corners(places)}</corners>'
        f'<fields shape="{shape}" size="15">{fields}</fields></template>'
    )


@pytest.fixture
def load(tmp_path):
    def _load(text):
        path = tmp_path / "form.xtmpl"
        path.write_text(text, encoding="utf-8")
        return import_formscanner(path)

    return _load


def test_pixels_become_millimetres_of_a_page_as_wide_as_a4(load):
    imported = load(template(question("q1", row(600, 1000))))
    (page,) = imported.layout.pages
    assert imported.system == "FormScanner"
    assert (page.width_mm, page.height_mm) == pytest.approx((210.0, 315.0))
    assert page.anchors.kind is AnchorKind.MARKS
    assert page.anchors.mark_shape is MarkShape.ANY
    assert page.anchors.marks[2] == pytest.approx((199.5, 304.5))
    (field,) = page.fields
    assert isinstance(field, BubbleField)
    assert field.origin == pytest.approx((63.0, 105.0))
    assert field.option_step == pytest.approx((10.5, 0.0))
    assert (field.bubble_w, field.bubble_h) == pytest.approx((3.15, 3.15))
    assert not field.multiple


def test_options_stand_in_the_order_of_the_page_not_of_the_file(load):
    shuffled = dict(sorted(row(600, 1000).items(), reverse=True))
    column = {o: (300, 500 + 80 * k) for k, o in enumerate("0123456789")}
    fields = question("q1", shuffled) + question(
        "id", dict(reversed(column.items())), type="QUESTIONS_BY_COLS"
    )
    q1, digit = load(template(fields)).layout.fields()
    assert q1.options == tuple("ABCD")
    assert digit.options == tuple("0123456789")
    assert digit.option_step == pytest.approx((0.0, 8.4))


def test_a_grid_of_responses_keeps_the_place_of_each(load):
    places = row(600, 1000, "ABC", 300) | row(600, 1100, "DEF", 300)
    (field,) = load(template(question("sources", places, type="RESPONSES_BY_GRID"))).layout.fields()
    assert field.options == tuple("ABCDEF")
    assert len(field.places) == 6
    assert field.centres()[3].tolist() == pytest.approx([63.0, 115.5])


def test_bubbles_no_larger_than_their_step_allows(load):
    (field,) = load(template(question("q1", row(600, 1000, step=20)))).layout.fields()
    assert field.bubble_w == pytest.approx(0.75 * 2.1)


def test_squares_several_marks_and_old_names_are_understood(load):
    old = question("q2", row(600, 1100), orientation="QUESTIONS_BY_ROWS", type="").replace(
        "question question", "field question"
    )
    old = old.replace("</question>", "</field>")
    fields = question("q1", row(600, 1000), multiple="true") + old
    q1, q2 = load(template(fields, shape="SQUARE")).layout.fields()
    assert q1.multiple
    assert q1.shape is BubbleShape.RECTANGLE
    assert not q2.multiple


def test_rejected_marks_go_to_a_person_and_groups_keep_names_apart(load):
    several = {"rejectMultiple": "true", "multiple": "true"}
    fields = "".join(
        f'<group name="{group}">{question("age", row(600, y), **several)}</group>'
        for group, y in (("G1", 1000), ("G2", 1100))
    )
    imported = load(template(fields))
    assert [f.name for f in imported.layout.fields()] == ["G1.age", "G2.age"]
    assert not any(f.multiple for f in imported.layout.fields())
    assert any("GROUP.QUESTION" in note for note in imported.notes)
    assert any("shown to a person: G1.age, G2.age" in note for note in imported.notes)


def test_bar_code_areas_become_codes(load, tmp_path):
    area = {
        "TOP_LEFT": (400, 2000),
        "TOP_RIGHT": (800, 2000),
        "BOTTOM_LEFT": (400, 2200),
        "BOTTOM_RIGHT": (800, 2200),
    }
    text = f'<area name="course" type="BARCODE"><corners>{corners(area)}</corners></area>'
    imported = load(template(text))
    (field,) = imported.layout.fields()
    assert isinstance(field, CodeField)
    assert (field.box.x, field.box.w, field.box.h) == pytest.approx((42.0, 42.0, 21.0))
    assert any("course" in note for note in imported.notes)
    save_layout(imported.layout, tmp_path / "layout.json")
    assert load_layout(tmp_path / "layout.json") == imported.layout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<template>", "not XML"),
        ("<form/>", "outermost element is 'form'"),
        ("<template/>", "no element 'fields'"),
        (template("", {"TOP_LEFT": (1, 1)}), "no corner TOP_RIGHT"),
        (template(""), "no question and no area"),
        (template(question("q", {})), "has no responses"),
        (template(question("q", row(1, 1), type="SOUND")), "has the type 'SOUND'"),
        (template(question("q", {"A": ("x", 1)})), "not a number of pixels"),
        (template(question("q", {"A": ("nan", 1)})), "not a number of pixels"),
        (template(question("q", {"A|B": (1, 1)})), "character |"),
        (template(question("", row(1, 1))), "no name"),
        (template(question("q", row(600, 1000)), shape="STAR"), "the shape 'STAR'"),
        (template('<area name="a" type="PHOTO"/>'), "not 'BARCODE'"),
    ],
)
def test_what_is_no_template_is_refused(load, text, words):
    with pytest.raises(LayoutError) as caught:
        load(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE t [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE t SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_document_types_are_refused_whatever_they_define(load, head):
    with pytest.raises(LayoutError, match="document type"):
        load(template(question("q1", row(600, 1000)), head=head))


def test_released_samples_import(data_dir):
    folder = data_dir / "scans" / "formscanner"
    if not folder.is_dir():
        pytest.skip("no scans of FormScanner")
    test = import_formscanner(folder / "Test" / "test_template.xtmpl").layout
    fields = {field.name: field for field in test.fields()}
    assert len(fields) == 48
    assert fields["Question01"].options == tuple("ABCD")
    assert fields["id3"].options == tuple("0123456789")
    assert fields["i.course"].formats[:2] == ("QRCode", "Code128")
