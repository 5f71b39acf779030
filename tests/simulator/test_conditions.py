from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from dotted_pages import centroids

from inkmark.exam import Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.layouts import BubbleField, WritingField, build_layout, print_sheets
from inkmark.simulator import (
    LEVEL_2,
    LEVEL_3,
    Bilevel,
    Condition,
    Effect,
    Hand,
    Ink,
    Level,
    MarkStyle,
    PhoneModel,
    ScannerModel,
    SheetModel,
    draw_condition,
    render_pages,
    simulate,
    single_effect,
)
from inkmark.simulator._pen_strokes import STROKES
from inkmark.simulator.conditions import _EITHER


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    items = tuple(
        Item(str(k + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)) for k in range(30)
    )
    exam = replace(example_exam("en"), items=items)
    layout = build_layout(exam)
    path = tmp_path_factory.mktemp("sheet") / "sheet.pdf"
    print_sheets(layout, exam, path)
    pages = {dpi: next(render_pages(path, dpi)) for dpi in (150.0, 200.0, 300.0)}
    return layout.pages[0], pages


def test_every_effect_belongs_to_a_level_and_changes_something():
    assert (*LEVEL_2, *LEVEL_3) == tuple(Effect)
    for effect in Effect:
        one, again, other = (single_effect(effect, np.random.default_rng(s)) for s in (1, 1, 2))
        assert one == again != other
        assert one.effects == (effect,)
        clean = draw_condition(Level.CLEAN, np.random.default_rng(1))
        assert (one.dpi, one.sheet, one.device) != (clean.dpi, clean.sheet, clean.device)


def test_levels_draw_what_they_say():
    drawn = {
        level: [draw_condition(level, np.random.default_rng(s)) for s in range(300)]
        for level in Level
    }
    assert all(c.effects == () and c.sheet == SheetModel() for c in drawn[Level.CLEAN])
    assert all(1 <= len(c.effects) <= 4 for c in drawn[Level.ORDINARY])
    assert {e for c in drawn[Level.ORDINARY] for e in c.effects} == set(LEVEL_2)
    assert all(set(c.effects) & set(LEVEL_3) for c in drawn[Level.BAD])
    assert {e for c in drawn[Level.BAD] for e in c.effects} == set(Effect)
    assert all(isinstance(c.device, PhoneModel) for c in drawn[Level.PHONE])
    for condition in drawn[Level.ORDINARY] + drawn[Level.BAD]:
        assert all(len(set(group) & set(condition.effects)) <= 1 for group in _EITHER)
        device = condition.device
        assert isinstance(device, ScannerModel)
        assert device.bilevel is Bilevel.NONE or device.jpeg_quality is None
        assert device.black < device.white


def test_levels_keep_to_their_bounds():
    for seed in range(400):
        device = draw_condition(Level.ORDINARY, np.random.default_rng(seed)).device
        assert isinstance(device, ScannerModel)
        assert abs(device.skew_deg) <= 3.0
        assert 0.92 <= device.scale_x <= 1.08
        assert abs(device.stretch_mm) <= 1.5
        assert abs(device.slip_mm) <= 1.5


@pytest.mark.parametrize("level", Level)
def test_anchors_are_seen_where_the_truth_says(level, printed):
    page, pages = printed
    found = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        condition = draw_condition(level, rng)
        image = simulate(pages[condition.dpi], page, {}, condition, rng)
        centres = np.array([box.centre for box in page.anchors.timing])
        expected = image.pose.to_px(centres)
        scale = np.hypot(*(image.pose.to_px(centres + np.array([1.0, 0.0])) - expected).T).mean()
        inside = (expected > 4 * scale) & (expected < np.array(image.pose.shape)[::-1] - 4 * scale)
        expected = expected[inside.all(axis=1)]
        error = np.hypot(*(centroids(image.pixels, expected, round(3 * scale)) - expected).T)
        # Some are covered, torn off or written over.
        assert np.median(error) / scale < 0.1
        found += int((error / scale < 0.25).sum())
    assert found > 120


def test_fields_outside_the_image_are_damaged(printed):
    page, pages = printed
    rng = np.random.default_rng(0)
    away = Condition(device=ScannerModel(shift_y_mm=-130.0))
    image = simulate(pages[200.0], page, {}, away, rng)
    names = {f.name for f in page.fields if isinstance(f, BubbleField | WritingField)}
    assert {"candidate", "absent"} <= image.damaged < names
    whole = simulate(pages[200.0], page, {}, Condition(), rng)
    assert whole.damaged == frozenset()


def test_what_is_written_over_is_damaged_and_what_is_not_stays(printed):
    page, pages = printed
    counts = []
    for seed in range(12):
        condition = single_effect(Effect.WRITING, np.random.default_rng(seed))
        image = simulate(pages[200.0], page, {}, condition, np.random.default_rng(seed))
        counts.append(len(image.damaged))
    assert max(counts) > 0
    assert min(counts) < 5


def test_marks_and_the_other_side_are_on_the_page(printed):
    page, pages = printed
    rng = np.random.default_rng(0)
    marks = {("Q1", 0): [(2, MarkStyle.FILL)]}
    plain = Condition()
    image = simulate(pages[200.0], page, marks, plain, rng)
    bubbles = next(f for f in page.fields if f.name == "Q1")
    grey = [
        image.pixels[int(y) - 4 : int(y) + 4, int(x) - 6 : int(x) + 6].mean()
        for x, y in image.pose.to_px(bubbles.centres())
    ]
    assert int(np.argmin(grey)) == 2
    back = np.zeros_like(pages[200.0])
    shown = Condition(sheet=SheetModel(show_through=0.2))
    through = simulate(pages[200.0], page, {}, shown, rng, other_side=back)
    assert np.percentile(through.pixels, 90) == pytest.approx(255 * 0.8, abs=2)


def test_what_people_write_is_on_the_page_and_may_be_damaged(printed):
    page, pages = printed
    hand = Hand({"1": [STROKES["/"]]}, "table", Ink(grain=0.0))
    written = next(f for f in page.fields if f.name == "candidate_written")
    clean, filled = (
        simulate(
            pages[200.0], page, {}, Condition(), np.random.default_rng(3), texts=texts, hand=hand
        )
        for texts in ({}, {"candidate_written": "1" * written.n_boxes})
    )
    assert "candidate_written" not in filled.damaged
    for box in written.boxes():
        x0, y0, x1, y1 = (
            round(v * 200 / 25.4) for v in (box.x + 1, box.y + 1, box.right - 1, box.bottom - 1)
        )
        assert clean.pixels[y0:y1, x0:x1].min() > 200
        assert filled.pixels[y0:y1, x0:x1].min() < 120
    moved = Condition(device=ScannerModel(shift_x_mm=120.0))
    gone = simulate(pages[200.0], page, {}, moved, np.random.default_rng(3))
    assert "candidate_written" in gone.damaged
    with pytest.raises(ValueError, match="nobody can write"):
        simulate(pages[200.0], page, {}, Condition(), np.random.default_rng(3), texts={"Q1": "1"})
