from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from dotted_pages import centroids, dotted
from hypothesis import given, settings
from hypothesis import strategies as st

from inkmark.images import open_scan
from inkmark.simulator import (
    CLEAN_OFFICE,
    ORDINARY,
    Bilevel,
    Bulge,
    ScannerModel,
    ScannerPose,
    draw_scanner,
    encode_scan,
    scan,
)

DPI = 100.0
SCALE = DPI / 25.4
SHAPE = (827, 591)  # 210 mm x 150 mm


def dots():
    """A white page with a grid of dots, and their centres (n, 2)."""
    x, y = np.meshgrid(np.arange(70, 540, 90), np.arange(70, 800, 82))
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    page = np.full(SHAPE, 255, np.uint8)
    for cx, cy in centres:
        cv2.circle(page, (int(cx), int(cy)), 6, 0, -1, cv2.LINE_AA)
    return page, centres.astype(float)


def seen(pixels, expected):
    """Centroids of the dots near where they are expected, (n, 2)."""
    found = []
    for x, y in expected:
        left, top = int(x) - 18, int(y) - 18
        dark = 255.0 - pixels[top : top + 37, left : left + 37]
        yy, xx = np.mgrid[: dark.shape[0], : dark.shape[1]]
        found.append((left + (xx * dark).sum() / dark.sum(), top + (yy * dark).sum() / dark.sum()))
    return np.array(found)


def where(points, model):
    """Where the model's docstring puts points of the page, by plain arithmetic."""
    height, width = SHAPE
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    angle = np.deg2rad(model.skew_deg)
    scaled = (points - centre) * (model.scale_x, model.scale_y)
    x = scaled[:, 0] * np.cos(angle) - scaled[:, 1] * np.sin(angle)
    y = scaled[:, 0] * np.sin(angle) + scaled[:, 1] * np.cos(angle)
    moved = np.stack([x, y], axis=1) + centre
    moved += np.array([model.shift_x_mm, model.shift_y_mm]) * SCALE
    late = model.stretch_mm * np.sin(np.pi * moved[:, 1] / height)
    late += model.slip_mm * (moved[:, 1] > model.slip_at * height)
    moved[:, 1] += late * SCALE
    return moved


@pytest.mark.parametrize(
    "model",
    [
        ScannerModel(skew_deg=1.5),
        ScannerModel(scale_x=0.97, scale_y=1.02),
        ScannerModel(shift_x_mm=3.0, shift_y_mm=-4.0),
        ScannerModel(stretch_mm=0.8),
        ScannerModel(slip_mm=0.6, slip_at=0.4),
        replace(ORDINARY, noise=0.0, white=255, border_mm=0.0, lid=255),
    ],
)
def test_print_lies_where_the_model_puts_it(model):
    page, centres = dots()
    expected = where(centres, model)
    found = seen(scan(page, DPI, model, np.random.default_rng(0)), expected)
    near_slip = np.abs(expected[:, 1] - model.slip_at * SHAPE[0]) < 40
    error = np.hypot(*(found - expected).T)
    error = error[~near_slip] if model.slip_mm else error
    assert len(error) > 30
    assert error.max() < 0.25


@pytest.mark.parametrize(
    "model",
    [
        ScannerModel(orientation_deg=180, skew_deg=2.5, scale_x=0.96, scale_y=1.03),
        ScannerModel(orientation_deg=90, shift_x_mm=4.0),
        ScannerModel(orientation_deg=270, stretch_mm=1.5),
        ScannerModel(slip_mm=-1.2, slip_at=0.44, wobble_mm=0.3, wobble_every_mm=45.0),
        ScannerModel(bulge=Bulge(6.0, 200.0, 25.0, 0.2), skew_deg=1.0),
        ScannerModel(bulge=Bulge(9.0, 160.0, 90.0, 0.6), scale_x=0.97),
    ],
)
def test_the_pose_is_the_truth(model):
    page, centres = dotted(SHAPE, DPI)
    pose = ScannerPose(model, SHAPE, DPI)
    expected = pose.to_px(centres)
    out = scan(page, DPI, model, np.random.default_rng(0))
    assert out.shape == pose.shape
    error = np.hypot(*(centroids(out, expected, 12) - expected).T)
    assert len(error) > 40
    assert np.quantile(error, 0.9) < 0.15  # a slip distorts the dots that it meets
    assert error.max() < 1.5


def test_what_is_gone_shows_the_lid():
    page = np.full(SHAPE, 255, np.uint8)
    hole = np.array([(50.0, 60.0), (70.0, 60.0), (70.0, 80.0), (50.0, 80.0)])
    model = ScannerModel(lid=35, skew_deg=2.0)
    out = scan(page, DPI, model, np.random.default_rng(0), gone=[hole])
    (x, y), (u, v) = ScannerPose(model, SHAPE, DPI).to_px([(60.0, 70.0), (100.0, 70.0)]).astype(int)
    assert (out[y - 30 : y + 30, x - 30 : x + 30] == 35).all()
    assert (out[v - 30 : v + 30, u - 30 : u + 30] == 255).all()
    assert out[0, 0] == 35  # beyond the corner of the skewed paper
    assert out[SHAPE[0] // 2, 5] == 255
    assert (page == 255).all()


def test_light_is_lost_at_the_shadow_and_where_paper_rises():
    page = np.full(SHAPE, 255, np.uint8)
    model = ScannerModel(shadow=0.5, shadow_mm=30.0, shadow_deg=90.0)
    out = scan(page, DPI, model, np.random.default_rng(0))
    assert out[-1].mean() == pytest.approx(128, abs=6)
    assert out[:400].mean() > 250
    raised = scan(page, DPI, ScannerModel(bulge=Bulge(6.0, 120.0)), np.random.default_rng(0))
    assert raised.min() == pytest.approx(255 / (1 + 6 / 14), abs=6)
    assert raised.max() > 250


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turns_are_clockwise(turn):
    page, _ = dots()
    page[:50, :50] = 0
    out = scan(page, DPI, ScannerModel(orientation_deg=turn), np.random.default_rng(0))
    assert np.array_equal(out, np.rot90(page, -turn // 90))


def test_the_default_model_changes_nothing():
    page, _ = dots()
    assert np.array_equal(scan(page, DPI, ScannerModel(), np.random.default_rng(0)), page)


def test_the_input_is_left_alone_and_the_seed_decides():
    page, _ = dots()
    before = page.copy()
    model = replace(ORDINARY, streaks=2)
    first = scan(page, DPI, model, np.random.default_rng(3))
    assert np.array_equal(page, before)
    assert np.array_equal(first, scan(page, DPI, model, np.random.default_rng(3)))
    assert not np.array_equal(first, scan(page, DPI, model, np.random.default_rng(4)))


def test_tones_and_noise_are_as_stated():
    page = np.full(SHAPE, 255, np.uint8)
    page[400:] = 0
    out = scan(page, DPI, ScannerModel(black=60, white=200, noise=5.0), np.random.default_rng(0))
    for half, level in ((out[:390], 200), (out[410:], 60)):
        assert half.mean() == pytest.approx(level, abs=0.5)
        assert half.std() == pytest.approx(5.0, abs=0.4)
    grey = np.full(SHAPE, 128, np.uint8)
    darker = scan(grey, DPI, ScannerModel(gamma=1.5), np.random.default_rng(0))
    assert darker[0, 0] == round(255 * (128 / 255) ** 1.5)


def test_blur_widens_an_edge_by_its_deviation():
    page = np.full(SHAPE, 255, np.uint8)
    page[:, 300:] = 0
    row = scan(page, 300.0, ScannerModel(blur_mm=0.2), np.random.default_rng(0))[400].astype(float)
    slope = -np.diff(row)
    at = np.arange(len(slope))
    centre = (slope * at).sum() / slope.sum()
    deviation = np.sqrt((slope * (at - centre) ** 2).sum() / slope.sum())
    assert deviation == pytest.approx(0.2 * 300 / 25.4, rel=0.08)


def test_borders_and_streaks_darken_only_where_they_are():
    page = np.full(SHAPE, 255, np.uint8)
    out = scan(page, DPI, ScannerModel(border_mm=3.0, lid=35), np.random.default_rng(0))
    assert (out[:, :10] < 60).all()
    assert (out[:10] < 60).all()
    assert (out[20:, 20:] == 255).all()
    out = scan(page, DPI, ScannerModel(streaks=2), np.random.default_rng(0))
    columns = np.flatnonzero((out < 255).any(axis=0))
    assert 2 <= len(columns) <= 4
    assert (out[:, columns] < 255).all()


def test_black_and_white():
    ramp = np.tile(np.linspace(0, 255, SHAPE[1]).astype(np.uint8), (SHAPE[0], 1))
    hard = scan(ramp, DPI, ScannerModel(bilevel=Bilevel.THRESHOLD, threshold=100),
                np.random.default_rng(0))  # fmt: skip
    assert np.array_equal(hard, np.where(ramp >= 100, 255, 0))
    soft = scan(ramp, DPI, ScannerModel(bilevel=Bilevel.DITHER), np.random.default_rng(0))
    assert set(np.unique(soft)) == {0, 255}
    assert np.abs(cv2.blur(soft, (25, 25)).astype(int) - ramp)[:, 30:-30].max() < 30


def test_jpeg_leaves_its_traces_and_no_more():
    page, _ = dots()
    out = scan(page, DPI, ScannerModel(jpeg_quality=40), np.random.default_rng(0))
    difference = np.abs(out.astype(int) - page)
    assert 0 < difference.mean() < 4


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_drawn_scanners_keep_within_their_level(level, seed):
    model = draw_scanner(level, np.random.default_rng(seed))
    assert abs(model.skew_deg) <= 2 * level
    assert abs(model.scale_x - 1) <= 0.0100001 * level
    assert abs(model.shift_y_mm) <= 6 * level
    assert abs(model.stretch_mm) <= 0.5 * level
    assert model.black < model.white
    assert model.gamma > 0
    assert model.noise <= 9 * level
    if level == 0:
        assert model == replace(ScannerModel(), slip_at=model.slip_at)


def test_presets_are_far_from_each_other():
    page, _ = dots()
    changes = [
        np.abs(scan(page, DPI, model, np.random.default_rng(0)).astype(int) - page).mean()
        for model in (CLEAN_OFFICE, ORDINARY)
    ]
    assert 0 < changes[0] < changes[1]


# Files


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "pdf"])
def test_a_grey_page_comes_back(tmp_path, ending):
    page, _ = dots()
    page = scan(page, DPI, CLEAN_OFFICE, np.random.default_rng(0))
    path = tmp_path / f"a.{ending}"
    encode_scan(page, path, 150.0, quality=95)
    with open_scan(path) as file:
        image = file.load(0)
    assert image.pixels.whole().shape == page.shape
    assert image.dpi == pytest.approx(150, rel=0.002)
    difference = np.abs(image.pixels.whole().astype(int) - page)
    assert difference.mean() < 1.5 if ending in ("jpg", "pdf") else difference.max() == 0
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["png", "tif", "pdf"])
def test_a_black_and_white_page_comes_back_bit_for_bit_and_small(tmp_path, ending):
    page, _ = dots()
    page = scan(page, DPI, ScannerModel(bilevel=Bilevel.THRESHOLD), np.random.default_rng(0))
    path = tmp_path / f"a.{ending}"
    encode_scan(page, path, 200.0)
    with open_scan(path) as file:
        image = file.load(0)
    assert np.array_equal(image.pixels.whole(), page)
    assert image.dpi == pytest.approx(200, rel=0.002)
    assert path.stat().st_size < page.size / 30


@pytest.mark.parametrize("ending", ["tif", "pdf"])
def test_several_pages_in_one_file(tmp_path, ending):
    page, _ = dots()
    turned = np.ascontiguousarray(page.T)
    for pages in (
        [page, turned, page],
        [np.where(p > 127, 255, 0).astype(np.uint8) for p in (page, turned)],
    ):
        path = tmp_path / f"a.{ending}"
        encode_scan(pages, path, 200.0, quality=95)
        with open_scan(path) as file:
            assert file.n_pages == len(pages)
            for i, expected in enumerate(pages):
                found = file.load(i).pixels.whole()
                assert found.shape == expected.shape
                assert np.abs(found.astype(int) - expected).mean() < 1


def test_what_no_scanner_writes_is_an_error(tmp_path):
    page, _ = dots()
    with pytest.raises(ValueError, match="one page"):
        encode_scan([page, page], tmp_path / "a.jpg", 200.0)
    with pytest.raises(ValueError, match=r"\.bmp"):
        encode_scan(page, tmp_path / "a.bmp", 200.0)
    assert not list(tmp_path.iterdir())
