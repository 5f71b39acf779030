from __future__ import annotations

import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.layouts import AnchorKind, Anchors, BubbleField, PageLayout
from inkmark.simulator import Damage, SheetModel, damaged_fields, wear
from inkmark.simulator.paper import photocopied, shown_through

DPI = 100.0
SCALE = DPI / 25.4
SQUARES = tuple(Box(x, y, 6, 6) for x, y in ((8, 8), (196, 8), (196, 283), (8, 283)))
FIELDS = tuple(
    BubbleField(f"r{k}", tuple("ABCD"), (30.0, 30.0 + 6 * k), (8.0, 0.0), 5.0, 3.0)
    for k in range(20)
)
PAGE = PageLayout(210.0, 297.0, Anchors(AnchorKind.SQUARES, SQUARES), FIELDS)


def sheet():
    page = np.full((1169, 827), 255, np.uint8)
    for box in SQUARES:
        x0, y0, x1, y1 = (round(v * SCALE) for v in (box.x, box.y, box.right, box.bottom))
        page[y0:y1, x0:x1] = 0
    return page


def worn(seed=0, **model):
    return wear(sheet(), PAGE, DPI, SheetModel(**model), np.random.default_rng(seed))


@pytest.mark.parametrize(
    "model",
    [
        {"stains": 2},
        {"folds": 1},
        {"staples": 1},
        {"dog_ear_mm": 25.0},
        {"torn_mm": 40.0},
        {"writing": 3},
        {"covered_mark": True},
    ],
    ids=lambda model: next(iter(model)),
)
def test_each_step_changes_part_of_the_page_and_only_a_copy(model):
    before = sheet()
    changed = []
    for seed in range(6):
        pixels = before.copy()
        out, _ = wear(pixels, PAGE, DPI, SheetModel(**model), np.random.default_rng(seed))
        assert np.array_equal(pixels, before)
        again, _ = worn(seed, **model)
        assert np.array_equal(out, again)
        changed.append((out != before).mean())
    assert max(changed) > 0
    assert np.median(changed) < 0.25


def test_a_torn_corner_is_gone_with_its_square():
    for seed in range(8):
        _, damage = worn(seed, torn_mm=45.0)
        (gone,) = damage.gone
        corners = np.array([(0, 0), (210, 0), (210, 297), (0, 297)])
        distance = np.hypot(*(corners[:, None] - gone).T).min(axis=0)
        assert (distance < 8).sum() == 1  # one corner
        assert np.ptp(gone, axis=0).min() > 20


def test_punched_holes_stand_as_the_standard_says():
    _, damage = worn(holes=4)
    middles = np.array([hole.mean(axis=0) for hole in damage.gone])
    assert np.diff(middles[:, 1]) == pytest.approx(80.0)
    assert middles[:, 0] == pytest.approx(12.0, abs=4)
    assert np.ptp(damage.gone[0], axis=0) == pytest.approx(6.0, abs=0.1)
    assert damaged_fields(PAGE, damage) == frozenset()


def test_a_covered_mark_is_hidden():
    for seed in range(8):
        out, damage = worn(seed, covered_mark=True)
        hidden = [
            box
            for box in SQUARES
            if out[round((box.y + 3) * SCALE), round((box.x + 3) * SCALE)] > 20
        ]
        assert len(hidden) == 1
        assert len(damage.hidden) == 1


def test_fields_are_damaged_where_a_bubble_is_touched():
    first, last = FIELDS[0].box, FIELDS[-1].box
    square = Box(first.x - 1, first.y - 1, 3, 3).corners()
    assert damaged_fields(PAGE, Damage()) == frozenset()
    assert damaged_fields(PAGE, Damage(hidden=[square])) == {"r0"}
    assert damaged_fields(PAGE, Damage(gone=[square])) == {"r0"}
    between = np.array([(20.0, 33.0), (80.0, 33.0)])
    assert damaged_fields(PAGE, Damage(strokes=[(between, 0.4)])) == frozenset()
    through = np.array([(20.0, last.centre[1]), (80.0, last.centre[1])])
    assert damaged_fields(PAGE, Damage(strokes=[(through, 0.5)])) == {"r19"}
    whole = np.array([(0, 0), (210, 0), (210, 297), (0, 297)])
    assert damaged_fields(PAGE, Damage(gone=[whole])) == {field.name for field in FIELDS}


def test_writing_reports_its_strokes():
    for seed in range(5):
        out, damage = worn(seed, writing=2)
        ink = np.argwhere(out < sheet())[:, ::-1] / SCALE
        points = np.concatenate([stroke for stroke, _ in damage.strokes])
        inside = ((points > 1) & (points < (209, 296))).all(axis=1)
        assert len(ink) or not inside.any()
        if inside.any():
            far = np.hypot(*(points[inside][::7, None] - ink).transpose(2, 0, 1)).min(axis=1)
            assert np.median(far) < 0.5


def test_copies_lose_toner_and_gain_specks():
    page = np.full((800, 600), 255, np.uint8)
    page[200:600, 200:400] = 25
    rng = np.random.default_rng(0)
    weak, strong = (photocopied(page, DPI, s, rng) for s in (0.2, 1.0))
    inside = np.s_[250:550, 250:350]
    assert weak[inside].mean() < strong[inside].mean() < 140
    assert strong[inside].std() > weak[inside].std()
    assert (strong[:150] < 200).any()
    assert strong[:150].mean() > 250


def test_the_other_side_shows_mirrored():
    front, back = np.full((400, 600), 255, np.uint8), np.full((400, 600), 255, np.uint8)
    back[100:200, 50:150] = 0
    out = shown_through(front, back, DPI, 0.2, np.random.default_rng(0))
    assert out[120:180, 470:530].mean() == pytest.approx(255 * 0.8, abs=3)
    assert (out[:, :400] == 255).all()
