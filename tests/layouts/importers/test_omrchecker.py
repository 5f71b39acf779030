"""Importing OMRChecker templates: every way they say things, and what is refused."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from inkmark.errors import LayoutError
from inkmark.layouts import AnchorKind
from inkmark.layouts.importers import import_omrchecker


def template(**changes):
    content = {
        "pageDimensions": [420, 594],
        "bubbleDimensions": [20, 10],
        "preProcessors": [],
        "fieldBlocks": {"MCQ": block()},
    }
    return content | changes


def block(**changes):
    return {
        "fieldType": "QTYPE_MCQ4",
        "origin": [100, 200],
        "bubblesGap": 40,
        "labelsGap": 30,
        "fieldLabels": ["q1..3"],
    } | changes


@pytest.fixture
def load(tmp_path):
    def _load(content):
        path = tmp_path / "template.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return import_omrchecker(path).layout

    return _load


@pytest.fixture
def marker(tmp_path):
    picture = np.full((60, 60), 255, np.uint8)
    cv2.circle(picture, (30, 30), 20, 0, -1)
    cv2.imwrite(str(tmp_path / "omr_marker.jpg"), picture)
    return picture


def test_origins_are_top_left_corners_of_bubbles_in_page_pixels(load):
    layout = load(template())
    (page,) = layout.pages
    assert (page.width_mm, page.height_mm) == pytest.approx((210.0, 297.0))
    assert page.anchors.kind is AnchorKind.IMAGE
    assert [field.name for field in page.fields] == ["q1", "q2", "q3"]
    first, second, _ = page.fields
    assert first.options == ("A", "B", "C", "D")
    assert (first.bubble_w, first.bubble_h) == pytest.approx((10.0, 5.0))
    assert first.origin == pytest.approx((55.0, 102.5))
    assert first.option_step == pytest.approx((20.0, 0.0))
    assert second.origin == pytest.approx((55.0, 117.5))


def test_landscape_pages_are_297_mm_wide(load):
    (page,) = load(template(pageDimensions=[1188, 840])).pages
    assert (page.width_mm, page.height_mm) == pytest.approx((297.0, 210.0))


@pytest.mark.parametrize(
    ("kind", "options", "step"),
    [
        ("QTYPE_INT", "0123456789", (0.0, 20.0)),
        ("QTYPE_INT_FROM_1", "1234567890", (0.0, 20.0)),
        ("QTYPE_MCQ4", "ABCD", (20.0, 0.0)),
        ("QTYPE_MCQ5", "ABCDE", (20.0, 0.0)),
        ("QTYPE_MCQ4_RTL", "DCBA", (20.0, 0.0)),
        ("QTYPE_MCQ5_RTL", "EDCBA", (20.0, 0.0)),
    ],
)
def test_every_field_type(load, kind, options, step):
    field = load(template(fieldBlocks={"b": block(fieldType=kind)})).pages[0].fields[1]
    assert "".join(field.options) == options
    assert field.option_step == pytest.approx(step)
    down = (0.0, 15.0) if step[1] == 0.0 else (15.0, 0.0)
    assert field.origin == pytest.approx((55.0 + down[0], 102.5 + down[1]))


def test_own_bubble_values_sizes_and_uneven_gaps(load):
    own = block(
        bubbleValues=["yes", "no"],
        direction="vertical",
        bubbleDimensions=[8, 8],
        labelsGap=[10, 50],
        emptyValue="-",
    )
    del own["fieldType"]
    fields = load(template(fieldBlocks={"b": own}, emptyValue="?")).pages[0].fields
    assert fields[0].options == ("yes", "no")
    assert [field.origin[0] for field in fields] == pytest.approx([52.0, 57.0, 82.0])
    assert fields[0].bubble_w == pytest.approx(4.0)


def test_custom_labels_become_joined_fields(load):
    layout = load(template(customLabels={"Roll": ["q3", "q1..2"]}))
    (join,) = layout.joins
    assert (join.name, join.parts) == ("Roll", ("q3", "q1", "q2"))


def test_the_version_follows_the_geometry(load):
    assert load(template()).version == load(template()).version
    assert load(template()).version != load(template(bubbleDimensions=[21, 10])).version


def test_crop_page_and_filters(load):
    steps = [
        {"name": "GaussianBlur", "options": {"kSize": [3, 3]}},
        {"name": "Levels", "options": {"low": 0.7}},
        {"name": "MedianBlur", "options": {"kSize": 5}},
        {"name": "CropPage", "options": {"morphKernel": [10, 10]}},
    ]
    assert load(template(preProcessors=steps)).pages[0].anchors.kind is AnchorKind.SHEET_EDGES


def test_markers_are_embedded_and_their_centres_are_the_corners(load, marker):
    steps = [
        {"name": "CropPage", "options": {}},
        {
            "name": "CropOnMarkers",
            "options": {"relativePath": "omr_marker.jpg", "sheetToMarkerWidthRatio": 14},
        },
    ]
    anchors = load(template(preProcessors=steps)).pages[0].anchors
    assert anchors.kind is AnchorKind.PICTURES
    assert [box.centre for box in anchors.picture_boxes] == [
        pytest.approx(corner) for corner in [(0, 0), (210, 0), (210, 297), (0, 297)]
    ]
    assert anchors.picture_boxes[0].w == pytest.approx(15.0)
    decoded = cv2.imdecode(np.frombuffer(anchors.picture_png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded.shape == marker.shape
    assert np.abs(decoded.astype(int) - marker).mean() < 5


def test_a_large_reference_is_reduced(load, tmp_path):
    cv2.imwrite(str(tmp_path / "reference.png"), np.full((3600, 2400), 200, np.uint8))
    steps = [{"name": "FeatureBasedAlignment", "options": {"reference": "reference.png"}}]
    anchors = load(template(preProcessors=steps)).pages[0].anchors
    assert anchors.kind is AnchorKind.REFERENCE
    decoded = cv2.imdecode(np.frombuffer(anchors.picture_png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded.shape == (1800, 1200)
    assert anchors.picture_boxes[0].right == pytest.approx(210.0)


def test_a_picture_outside_the_folder_is_refused(tmp_path, marker):
    below = tmp_path / "below"
    below.mkdir()
    steps = [{"name": "CropOnMarkers", "options": {"relativePath": "../omr_marker.jpg"}}]
    path = below / "template.json"
    path.write_text(json.dumps(template(preProcessors=steps)), encoding="utf-8")
    with pytest.raises(LayoutError, match="outside the template's folder"):
        import_omrchecker(path)


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [("gone.png", None), ("text.png", b"no picture"), ("omr_marker.jpg", b"\xff\xd8\xff")],
)
def test_a_picture_that_cannot_be_read_is_refused(load, tmp_path, name, bytes_):
    if bytes_ is not None:
        (tmp_path / name).write_bytes(bytes_)
    steps = [{"name": "CropOnMarkers", "options": {"relativePath": name}}]
    with pytest.raises(LayoutError, match="cannot be read"):
        load(template(preProcessors=steps))


def test_an_unknown_preprocessor_is_named(load):
    steps = [{"name": "CropOnLogo", "options": {}}]
    with pytest.raises(LayoutError, match="'CropOnLogo', which has no counterpart") as raised:
        load(template(preProcessors=steps))
    assert "CropOnMarkers" in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pageDimensions": [0, 100]}, "pageDimensions must be a number of at least 1"),
        ({"pageDimensions": "A4"}, "must be two numbers"),
        ({"bubbleDimensions": [1e9, 5]}, "more than a page has"),
        ({"fieldBlocks": {"b": block(fieldType="QTYPE_X")}}, "'b': field type 'QTYPE_X'"),
        ({"fieldBlocks": {"b": block(fieldLabels=["q5..2"])}}, "does not count upwards"),
        ({"fieldBlocks": {"b": block(fieldLabels=["q1..999999999"])}}, "count upwards"),
        ({"fieldBlocks": {"b": block(fieldLabels="q1")}}, "list of texts"),
        ({"fieldBlocks": {"b": block(fieldLabels=["q1", "q1"])}}, "'q1' stands twice"),
        ({"fieldBlocks": {"b": block(labelsGap=[1.0])}}, "need 2 gaps, not 1"),
        ({"fieldBlocks": {"b": block(bubblesGap=-3)}}, "bubblesGap"),
        ({"fieldBlocks": {"b": block(origin=[1])}}, "origin must be two numbers"),
        ({"fieldBlocks": {"b": {"fieldType": "QTYPE_INT"}}}, "'b' has no 'origin'"),
        ({"customLabels": {"Roll": ["q9"]}}, "names 'q9', which is no field"),
    ],
)
def test_a_faulty_template_says_what_is_wrong(load, changes, message):
    with pytest.raises(LayoutError, match="not an OMRChecker template") as raised:
        load(template(**changes))
    assert message in str(raised.value)


def test_what_is_no_template_at_all(load, tmp_path):
    with pytest.raises(LayoutError, match="cannot be read"):
        import_omrchecker(tmp_path / "absent.json")
    with pytest.raises(LayoutError, match="outermost value"):
        load([1, 2])
    with pytest.raises(LayoutError, match="'pageDimensions' is missing"):
        load({})
    broken = tmp_path / "broken.json"
    broken.write_text('{"pageDimensions": [1,', encoding="utf-8")
    with pytest.raises(LayoutError, match="not an OMRChecker template"):
        import_omrchecker(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LayoutError):
        import_omrchecker(broken)
    broken.write_bytes(b" " * (5 << 20))
    with pytest.raises(LayoutError, match="larger than"):
        import_omrchecker(broken)


def test_every_sample_imports(omrchecker_dir):
    paths = sorted(omrchecker_dir.rglob("template*.json"))
    assert len(paths) >= 18
    for path in paths:
        layout = import_omrchecker(path).layout
        assert layout.pages[0].fields


def notes_of(tmp_path, content):
    path = tmp_path / "template.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return import_omrchecker(path).notes


def test_what_is_left_out_is_named(tmp_path, marker):
    steps = [
        {"name": "Levels", "options": {"low": 0.2}},
        {"name": "MedianBlur", "options": {"kSize": 5}},
        {"name": "CropPage", "options": {"morphKernel": [9, 9]}},
        {
            "name": "CropOnMarkers",
            "options": {"relativePath": "omr_marker.jpg", "min_matching_threshold": 0.4},
        },
    ]
    blocks = {"MCQ": block(emptyValue="-", bubbleCount=4)}
    content = template(preProcessors=steps, outputColumns=["q1"], fieldBlocks=blocks)
    text = "\n".join(notes_of(tmp_path, content))
    assert "Levels, MedianBlur left out" in text
    assert "CropPage left out: CropOnMarkers" in text
    assert "min_matching_threshold left out" in text
    assert "emptyValue" in text
    assert "outputColumns" in text
    assert "'MCQ': bubbleCount left out" in text
    assert notes_of(tmp_path, template()) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fieldBlocksOffset": [4, 9]}, "'fieldBlocksOffset'"),
        ({"preProcessors": [{"name": "CropOnLogo", "options": {}}]}, "'CropOnLogo'"),
        (
            {"preProcessors": [{"name": "CropPage", "options": {"maxPointsPerEdge": 3}}]},
            "'maxPointsPerEdge'",
        ),
    ],
)
def test_what_would_change_the_reading_is_refused(load, changes, words):
    with pytest.raises(LayoutError, match=words):
        load(template(**changes))
