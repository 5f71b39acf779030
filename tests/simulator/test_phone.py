from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dotted_pages import centroids, dotted
from hypothesis import given, settings
from hypothesis import strategies as st

from inkmark.simulator import Bulge, PhoneModel, PhonePose, draw_phone, photograph

PLAIN = PhoneModel(600, 800, span=0.9, jpeg_quality=100)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_drawn_photo_shows_the_whole_sheet_and_can_be_traced_back(seed):
    model = draw_phone(np.random.default_rng(seed))
    pose = PhonePose(model, 210.0, 297.0)
    edge = pose.edge(210.0, 297.0)
    assert (edge > -10).all()
    assert (edge < (model.width_px + 10, model.height_px + 10)).all()
    grid = np.stack(np.meshgrid(np.linspace(5, 205, 9), np.linspace(5, 290, 9)), -1).reshape(-1, 2)
    assert np.hypot(*(pose.to_mm(pose.to_px(grid)) - grid).T).max() < 0.01
    assert 2 * model.width_px * model.height_px > 1.9e6


def test_the_sheet_takes_its_share_and_lies_where_it_should():
    for tilt in (0.0, 35.0):
        pose = PhonePose(replace(PLAIN, tilt_deg=tilt, offset_x=-1.0), 210.0, 297.0)
        corners = pose.to_px([(0, 0), (210, 0), (210, 297), (0, 297)])
        size = np.ptp(corners, axis=0) / (600, 800)
        assert size.max() == pytest.approx(0.9, abs=0.01)
        assert corners[:, 0].min() == pytest.approx(0.0, abs=3.0)


def test_a_tilt_makes_the_far_side_smaller():
    # The far side lies below: the lower edge is shorter in the photo.
    pose = PhonePose(replace(PLAIN, tilt_deg=30.0, tilt_towards_deg=90.0), 210.0, 297.0)
    top, bottom = (pose.to_px([(0, y), (210, y)]) for y in (0.0, 297.0))
    assert np.ptp(bottom[:, 0]) < 0.85 * np.ptp(top[:, 0])
    assert pose.to_px([(105, 290)])[0, 1] > pose.to_px([(105, 10)])[0, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tilt_deg": 33.0, "tilt_towards_deg": 200.0},
        {"roll_deg": 87.0},
        {"barrel": 0.03},
        {"bulge": Bulge(8.0, 250.0, 70.0, 0.3), "tilt_deg": 20.0},
    ],
    ids=["straight", "tilted", "rolled", "barrel", "bulging"],
)
def test_print_is_seen_where_the_pose_says(changes):
    page, centres = dotted((1169, 827), 100.0, step_mm=40.0, radius_mm=2.5)
    model = replace(PLAIN, width_px=900, height_px=1200, **changes)
    photo = photograph(page, 100.0, model, np.random.default_rng(0))
    assert photo.shape == (1200, 900)
    expected = PhonePose(model, 827 * 0.254, 1169 * 0.254).to_px(centres)
    found = centroids(photo, expected, 16)
    assert np.hypot(*(found - expected).T).max() < 0.4


def test_the_table_is_seen_around_the_sheet_and_through_it():
    page = np.full((1169, 827), 255, np.uint8)
    model = replace(PLAIN, table=60)
    hole = np.array([(50.0, 50.0), (90.0, 50.0), (90.0, 90.0), (50.0, 90.0)])
    photo = photograph(page, 100.0, model, np.random.default_rng(0), gone=[hole])
    inside, through = (
        np.rint(PhonePose(model, 210.0, 297.0).to_px([at])[0]).astype(int)
        for at in ((120.0, 200.0), (70.0, 70.0))
    )
    assert photo[inside[1], inside[0]] > 250
    assert photo[through[1], through[0]] == pytest.approx(60, abs=8)
    assert photo[2, 2] == pytest.approx(60, abs=8)


def test_light_falls_off_and_shadows_darken():
    page = np.full((1169, 827), 255, np.uint8)
    rng = np.random.default_rng
    one = photograph(page, 100.0, replace(PLAIN, light_loss=0.5, light_deg=0.0), rng(0))
    assert one[300:500, 60:120].mean() > 1.3 * one[300:500, 480:540].mean()
    shadows = photograph(page, 100.0, replace(PLAIN, shadow=0.5), rng(0))
    paper = shadows[60:740, 60:540]
    assert paper.min() < 0.7 * paper.max()


def test_the_seed_decides():
    page, _ = dotted((1169, 827), 100.0)
    model = draw_phone(np.random.default_rng(5))
    model = replace(model, width_px=600, height_px=800)
    photos = [photograph(page, 100.0, model, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(photos[0], photos[1])
    assert not np.array_equal(photos[0], photos[2])
