"""From the crop of a box to the glyph that is read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np
from numpy.typing import NDArray

from inkmark.ocr._shape import glyph_images

U8 = NDArray[np.uint8]


def written(side: int = 60, *, pen: int = 5, paper: int = 230, ink: int = 40) -> U8:
    """A box with a 7-like sign in it."""
    crop = np.full((side, side), paper, np.uint8)
    points = np.array([[0.3, 0.25], [0.65, 0.25], [0.4, 0.8]]) * side
    cv2.polylines(crop, [np.round(points).astype(np.int32)], False, ink, pen, cv2.LINE_AA)
    return crop


def one(crop: U8, paper: float | None = None) -> tuple[U8, float]:
    glyphs, ink = glyph_images([crop], paper)
    return glyphs[0], float(ink[0])


def difference(a: U8, b: U8) -> float:
    return float(np.abs(a.astype(float) - b).mean() / max(a.mean(), 1.0))


def test_a_sign_is_centred_by_its_mass_and_20_px_long() -> None:
    glyph, ink = one(written())
    rows, columns = np.flatnonzero(glyph.max(axis=1) > 100), np.flatnonzero(glyph.max(axis=0) > 100)
    assert 19 <= max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 <= 21
    mass = glyph.astype(float)
    assert (mass.sum(axis=1) * np.arange(28)).sum() / mass.sum() == pytest.approx(14.0, abs=0.3)
    assert (mass.sum(axis=0) * np.arange(28)).sum() / mass.sum() == pytest.approx(14.0, abs=0.3)
    assert glyph.max() == 255
    assert 0.01 < ink < 0.2


@pytest.mark.parametrize("shift", [(-12, -10), (8, 8), (0, 9)])
def test_where_in_the_box_does_not_matter(shift: tuple[int, int]) -> None:
    moved = np.roll(written(), shift, (0, 1))
    assert difference(one(written())[0], one(moved)[0]) < 0.02


@pytest.mark.parametrize("side", [15, 24, 40, 90, 120])
def test_the_scale_of_the_scan_hardly_matters(side: int) -> None:
    large = written(360, pen=30)
    crop = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    limit = 0.45 if side < 24 else 0.3
    assert difference(one(large)[0], one(np.asarray(crop, np.uint8))[0]) < limit


def test_pale_pencil_looks_as_black_pen_but_is_less_ink() -> None:
    black, more = one(written(ink=10))
    pale, less = one(written(ink=170))
    assert difference(black, pale) < 0.1
    assert less < 0.5 * more


@pytest.mark.parametrize("noise", [0.0, 2.0, 8.0])
def test_a_blank_box_has_no_ink(noise: float) -> None:
    rng = np.random.default_rng(5)
    paper = np.clip(rng.normal(225, noise, (200, 60, 60)), 0, 255).astype(np.uint8)
    glyphs, ink = glyph_images(list(paper))
    assert not glyphs.any()
    assert not ink.any()


def test_specks_and_what_is_left_of_the_frame_are_left_out() -> None:
    spoilt = written()
    spoilt[50:52, 50:52] = 20
    spoilt[:2, 10:50] = 60
    spoilt[20:55, -3:] = 60
    assert difference(one(written())[0], one(spoilt)[0]) < 0.02


def test_a_broken_stroke_is_kept() -> None:
    crop = written()
    crop[::3] = 230
    assert one(crop)[1] > 0.5 * one(written())[1]


def test_a_dot_stays_small() -> None:
    crop = np.full((60, 60), 230, np.uint8)
    crop[30:36, 30:36] = 20
    assert (one(crop)[0] > 100).sum() < 100


def test_a_box_filled_black_has_ink_where_its_paper_is_known() -> None:
    black = np.full((60, 60), 30, np.uint8)
    assert one(black)[1] == 0.0
    glyph, ink = one(black, paper=230)
    assert ink > 0.7
    assert (glyph > 200).sum() > 300


def test_each_crop_may_have_another_size_and_none_is_no_fault() -> None:
    crops = [written(30, pen=3), written(80, pen=7), np.zeros((0, 5), np.uint8), written()]
    glyphs, ink = glyph_images(crops, paper=[230, 230, 230, 230])
    assert glyphs.shape == (4, 28, 28)
    assert ink[2] == 0
    np.testing.assert_array_equal(glyphs[3], one(written(), paper=230)[0])
    assert glyph_images([])[0].shape == (0, 28, 28)


def test_a_crop_may_be_a_view_of_a_page() -> None:
    page = np.full((200, 300), 230, np.uint8)
    page[50:110, 70:130] = written()
    np.testing.assert_array_equal(one(page[50:110, 70:130])[0], one(written())[0])


@given(
    st_np.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    st.one_of(st.none(), st.floats(0, 255)),
)
def test_any_pixels_give_a_glyph(crop: U8, paper: float | None) -> None:
    """Compiled loops do not check bounds; here they meet crops that nobody wrote."""
    glyph, ink = one(crop, paper)
    assert glyph.shape == (28, 28)
    assert 0.0 <= ink <= 1.0
    again, same = one(crop.copy(), paper)
    np.testing.assert_array_equal(glyph, again)
    assert ink == same
