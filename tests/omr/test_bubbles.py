"""Bubble states on drawn sheets: what is read, what is flagged, and what must stay blank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_sheets import draw, place, sheet

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import BubbleField, Role
from inkmark.omr import read_bubbles, register
from inkmark.readings import Flag, Registration


@pytest.fixture(scope="module")
def page():
    return sheet()


def filled(page, taken=0.8, seed=1):
    """One random mark a group, and the values that they mean."""
    rng = np.random.default_rng(seed)
    marks, truth = {}, {}
    for field in page.fields:
        n = len(field.options)
        chosen = rng.integers(0, n, field.n_groups)
        truth[field.name] = "".join(field.options[k] for k in chosen)
        marks.update({(field.name, int(g * n + k)): taken for g, k in enumerate(chosen)})
    return marks, truth


def read(page, marks, *, noise=8.0, turn_deg=181.0, change=None, **drawing):
    image, _ = place(draw(page, marks, **drawing), turn_deg=turn_deg)
    rng = np.random.default_rng(7)
    image = np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)
    if change is not None:
        image = change(image)
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration)
    return {
        reading.field: reading for reading in read_bubbles(Pixels.of(image), page, registration)
    }


def assert_all_right(readings, truth):
    for name, value in truth.items():
        assert (readings[name].value, readings[name].flag) == (value, Flag.OK), name
        assert readings[name].confidence > 0.8


@pytest.mark.parametrize("taken", [0.9, 0.6, 0.25])
def test_one_mark_a_group_from_pen_to_light_pencil(page, taken):
    marks, truth = filled(page, taken)
    assert_all_right(read(page, marks), truth)


@pytest.mark.parametrize("noise", [0.0, 15.0])
def test_a_blank_page_is_blank(page, noise):
    readings = read(page, {}, noise=noise)
    assert_all_right(readings, {field.name: "" for field in page.fields})


def test_blank_rows_among_filled_ones_are_blank(page):
    marks, truth = filled(page)
    for number in range(1, 41, 3):
        marks = {key: taken for key, taken in marks.items() if key[0] != f"Q{number}"}
        truth[f"Q{number}"] = ""
    assert_all_right(read(page, marks), truth)


def test_a_column_in_which_everything_is_marked(page):
    marks = {(f"Q{number}", 0): 0.8 for number in range(1, 41)}
    truth = {f"Q{number}": "A" for number in range(1, 41)} | {"candidate": ""}
    assert_all_right(read(page, marks), truth)


def test_a_single_mark_on_a_page(page):
    truth = {field.name: "" for field in page.fields} | {"Q7": "C"}
    assert_all_right(read(page, {("Q7", 2): 0.8}), truth)


def test_very_few_bubbles(page):
    few = replace(page, fields=(page.fields[0],))
    assert_all_right(read(few, {}), {"Q1": ""})
    assert_all_right(read(few, {("Q1", 3): 0.8}), {"Q1": "D"})


def test_a_field_of_one_bubble(page):
    single = BubbleField("absent", ("absent",), (60.0, 60.0), (0.0, 0.0), 5.0, 3.0)
    lone = replace(page, fields=(*page.fields, single))
    marks, truth = filled(page)
    assert_all_right(read(lone, marks), truth | {"absent": ""})
    assert_all_right(read(lone, marks | {("absent", 0): 0.8}), truth | {"absent": "absent"})


def test_only_single_bubbles_and_all_of_them_marked(page):
    singles = tuple(
        BubbleField(f"S{k}", ("x",), (60.0, 60.0 + 8 * k), (0.0, 0.0), 5.0, 3.0) for k in range(8)
    )
    lone = replace(page, fields=singles)
    readings = read(lone, {(field.name, 0): 0.85 for field in singles})
    for reading in readings.values():
        assert reading.value == "x"


def test_two_marks_are_several(page):
    marks, _ = filled(page)
    marks |= {("Q5", k): 0.8 for k in (0, 2)}
    marks = {key: taken for key, taken in marks.items() if key not in {("Q5", 1), ("Q5", 3)}}
    readings = read(page, marks)
    assert (readings["Q5"].value, readings["Q5"].flag) == ("AC", Flag.SEVERAL)


def test_several_marks_are_an_answer_where_the_field_allows_them(page):
    many = replace(
        page, fields=tuple(replace(f, multiple=True) for f in page.fields if f.n_groups == 1)
    )
    marks = {(f.name, k): 0.8 for f in many.fields for k in (0, 1, 3)}
    assert_all_right(read(many, marks), {f.name: "ABD" for f in many.fields})


def test_a_full_row_is_several_marks_or_an_answer(page):
    marks, truth = filled(page)
    full = {(name, k): 0.8 for name in ("Q5", "Q20") for k in range(4)}
    readings = read(page, marks | full)
    for name in ("Q5", "Q20"):
        assert (readings[name].value, readings[name].flag) == ("ABCD", Flag.SEVERAL)
    many = replace(page, fields=tuple(replace(f, multiple=True) for f in page.fields))
    readings = read(many, marks | full)
    assert_all_right(readings, truth | {"Q5": "ABCD", "Q20": "ABCD"})


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize("taken", [0.15, 0.2, 0.25, 0.3])
def test_a_full_row_of_light_marks_is_not_blank(page, multiple, taken):
    fields = tuple(replace(f, multiple=multiple and f.n_groups == 1) for f in page.fields)
    marks, _ = filled(page)
    light = {("Q5", k): taken for k in range(4)}
    reading = read(replace(page, fields=fields), marks | light)["Q5"]
    assert reading.flag is not Flag.OK or (multiple and reading.value == "ABCD")


@pytest.mark.parametrize("erased", [0.05, 0.15, 0.3, 0.45])
def test_an_erased_mark_beside_a_filled_one_never_wins(page, erased):
    marks, truth = filled(page)
    for number in range(1, 41):
        (chosen,) = (k for name, k in list(marks) if name == f"Q{number}")
        marks[f"Q{number}", (chosen + 1) % 4] = erased
    readings = read(page, marks)
    for name, value in truth.items():
        assert readings[name].value == value or readings[name].flag is not Flag.OK
    if erased >= 0.3:
        assert all(readings[f"Q{n}"].flag is not Flag.OK for n in range(1, 41))


def test_a_weak_mark_alone_is_never_silently_wrong(page):
    marks, truth = filled(page)
    for number, taken in zip(range(1, 41), np.linspace(0.02, 0.8, 40), strict=True):
        (key,) = (key for key in marks if key[0] == f"Q{number}")
        marks[key] = taken
    readings = read(page, marks)
    for number in range(8, 41):
        reading = readings[f"Q{number}"]
        assert reading.value == truth[f"Q{number}"] or reading.flag is not Flag.OK
    assert sum(readings[f"Q{n}"].flag is Flag.DOUBTFUL for n in range(1, 41)) < 20


def test_a_number_with_a_gap_is_doubtful(page):
    marks, truth = filled(page)
    gap = [key for key in marks if key[0] == "candidate" and key[1] // 10 == 3]
    readings = read(page, {key: taken for key, taken in marks.items() if key not in gap})
    expected = truth["candidate"][:3] + "?" + truth["candidate"][4:]
    assert (readings["candidate"].value, readings["candidate"].flag) == (expected, Flag.DOUBTFUL)


@pytest.mark.parametrize("kind", ["1-bit", "shadow", "grey paper"])
def test_other_scanners(page, kind):
    def change(image):
        if kind == "1-bit":
            return np.where(image > 140, 255, 0).astype(np.uint8)
        if kind == "shadow":
            return (image * np.linspace(0.45, 1.0, image.shape[1])).astype(np.uint8)
        return (60 + image * 0.5).astype(np.uint8)

    marks, truth = filled(page)
    assert_all_right(read(page, marks, change=change), truth)


def test_a_field_outside_the_image_is_unreadable(page):
    marks, truth = filled(page)
    image = draw(page, marks)
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration)
    outside = replace(page.fields[0], name="outside", origin=(206.0, 200.0))
    readings = read_bubbles(
        Pixels.of(image), replace(page, fields=(*page.fields, outside)), registration
    )
    assert (readings[-1].value, readings[-1].flag) == ("", Flag.UNREADABLE)
    assert readings[-1].confidence == 0.0
    assert_all_right({r.field: r for r in readings}, truth)


def test_a_reading_says_where_and_how_dark(page):
    marks, _ = filled(page)
    image = draw(page, marks)
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration)
    reading = read_bubbles(Pixels.of(image), page, registration)[0]
    scale = image.shape[1] / page.width_mm
    box = page.fields[0].box
    expected = Box(box.x * scale, box.y * scale, box.w * scale, box.h * scale)
    assert reading.box_px.x == pytest.approx(expected.x, abs=2)
    assert reading.box_px.w == pytest.approx(expected.w, abs=2)
    assert len(reading.fill) == 4
    assert sorted(reading.fill)[2] < 0.05
    assert 0.6 < max(reading.fill) <= 1.0


def test_a_page_without_bubbles(page):
    assert (
        read_bubbles(Pixels.of(np.zeros((4, 4), np.uint8)), replace(page, fields=()), _nowhere())
        == ()
    )


def _nowhere():
    return Registration(0, (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), 0.0, 0, 0)


def test_a_candidate_grid_says_what_else_each_column_may_hold(page):
    number = next(f for f in page.fields if f.n_groups > 1)
    of_candidate = replace(number, role=Role.CANDIDATE)
    fields = tuple(of_candidate if f is number else f for f in page.fields)
    asked = replace(page, fields=fields)
    n = len(number.options)
    marks = {(number.name, g * n + 3): 0.8 for g in range(1, number.n_groups)}
    marks[number.name, n + 5] = 0.8  # two marks in the second column, none in the first
    readings = read(asked, marks)
    choices = readings[number.name].choices
    assert len(choices) == number.n_groups
    for group in choices:
        p = [probability for _, probability in group]
        assert p == sorted(p, reverse=True)
        assert 0.99 < sum(p) < 1.00001
    assert choices[0][0][0] == ""
    assert choices[0][0][1] > 0.9
    both = dict(choices[1])
    assert both[number.options[3]] == pytest.approx(both[number.options[5]], abs=0.05)
    assert both[number.options[3]] > 0.4
    for group in choices[2:]:
        assert group[0][0] == number.options[3]
        assert group[0][1] > 0.9
    others = [reading for name, reading in readings.items() if name != number.name]
    assert all(reading.choices == () for reading in others)
    plain = read(page, marks)[number.name]
    assert plain.choices == ()
    assert (plain.value, plain.fill) == (readings[number.name].value, readings[number.name].fill)
