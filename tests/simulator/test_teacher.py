"""Markers' ink and scanners in colour."""

import io

import numpy as np
import pytest
from PIL import Image

from inkmark.geometry import Box
from inkmark.simulator import ORDINARY, ScannerModel
from inkmark.simulator.hands import Hand, Ink
from inkmark.simulator.teacher import (
    ColourScanner,
    Half,
    InkKind,
    Verdict,
    cross_out,
    draw_colour_scanner,
    draw_lines,
    draw_marker_ink,
    encode_colour_scan,
    put_verdict,
    scan_in_colour,
    strike_out,
    write_points,
)

DPI = 200.0
BOX = Box(5.0, 5.0, 16.0, 9.0)


def blank():
    return np.full((160, 240, 3), 255, np.uint8)


def hand(ink=None):
    """Writes every digit as an upright stroke and a dash."""
    digit = (np.array([(0.2, 0.0), (0.2, 1.0)]), np.array([(0.0, 0.5), (0.4, 0.5)]))
    signs = {sign: [digit] for sign in "0123456789/"}
    signs["."] = [(np.array([(0.0, 0.95), (0.02, 1.0)]),)]
    return Hand(signs, "drawn", ink or Ink(0.5, (40.0, 40.0, 220.0)))


def inked(page):
    return (page.min(axis=2) < 200).nonzero()


@pytest.mark.parametrize("kind", InkKind)
def test_inks_have_their_colour_and_width(kind):
    rng = np.random.default_rng(1)
    inks = [draw_marker_ink(kind, rng) for _ in range(60)]
    assert all(0.25 <= ink.tip_mm <= 0.8 for ink in inks)
    blue, green, red = np.mean([ink.colour for ink in inks], axis=0)
    if kind in (InkKind.RED, InkKind.DARK_RED, InkKind.ORANGE, InkKind.PINK):
        assert red > green + 40
        assert red > blue + 40
    elif kind in (InkKind.BLACK, InkKind.PENCIL):
        assert np.ptp((blue, green, red)) < 15
    else:
        assert max(blue, green) > red + 40


def test_the_same_seed_draws_the_same_ink():
    one, other = (draw_marker_ink(InkKind.RED, np.random.default_rng(5)) for _ in range(2))
    assert one == other


def test_inks_that_cross_are_darker_than_either():
    page = blank()
    rng = np.random.default_rng(0)
    red, blue = Ink(0.6, (60.0, 50.0, 210.0)), Ink(0.6, (170.0, 70.0, 40.0))
    draw_lines(page, [np.array([(2.0, 10.0), (28.0, 10.0)])], DPI, rng, ink=red)
    draw_lines(page, [np.array([(15.0, 2.0), (15.0, 18.0)])], DPI, rng, ink=blue)
    crossing, alone_red, alone_blue = page[79, 118], page[79, 60], page[40, 118]
    assert (crossing <= np.minimum(alone_red, alone_blue) + 2).all()
    assert alone_red[2] > alone_red[0] + 80
    assert alone_blue[0] > alone_blue[2] + 60


@pytest.mark.parametrize("half", Half)
@pytest.mark.parametrize("text", ["7.5", "12", "12.5"])
def test_points_stand_in_their_box(half, text):
    page = blank()
    out = write_points(page, BOX, text, DPI, np.random.default_rng(2), hand=hand(), half=half)
    assert (page == 255).all()
    y, x = inked(out)
    px = DPI / 25.4
    assert len(x) > 60
    assert x.min() > (BOX.x - 1) * px
    assert x.max() < (BOX.right + 1) * px
    assert y.min() > (BOX.y - 1) * px
    assert y.max() < (BOX.bottom + 1) * px


def test_a_small_five_is_smaller_than_the_whole_points():
    page = write_points(
        blank(), BOX, "7.5", DPI, np.random.default_rng(3), hand=hand(), half=Half.SMALL
    )
    y, x = inked(page)
    middle = (x.min() + x.max()) / 2
    assert np.ptp(y[x > middle]) < 0.8 * np.ptp(y[x < middle])


@pytest.mark.parametrize("verdict", Verdict)
def test_verdicts_leave_ink_of_their_size(verdict):
    page = blank()
    put_verdict(
        page, verdict, (15.0, 10.0), np.random.default_rng(4), size=6.0, dpi=DPI, ink=hand().ink
    )
    y, _ = inked(page)
    assert 4.5 < np.ptp(y) / DPI * 25.4 < 9


@pytest.mark.parametrize("seed", range(8))
def test_striking_out_adds_ink_across_the_box(seed):
    page = blank()
    strike_out(page, BOX, DPI, np.random.default_rng(seed), ink=hand().ink)
    _, x = inked(page)
    assert np.ptp(x) / DPI * 25.4 > 0.8 * BOX.w


@pytest.mark.parametrize("seed", range(8))
def test_a_cross_over_digits_is_about_as_high_as_they_are(seed):
    page, digits = blank(), Box(12.0, 6.0, 3.0, 5.0)
    cross_out(page, digits, DPI, np.random.default_rng(seed), ink=hand().ink)
    y, x = (at / DPI * 25.4 for at in inked(page))
    assert 0.5 * digits.h < np.ptp(y) < 1.5 * digits.h
    assert abs(x.mean() - 13.5) < 1.5
    assert abs(y.mean() - 8.5) < 1.5


def test_boxes_above_each_other_are_struck_out_from_top_to_bottom():
    page, high = blank(), Box(10.0, 1.0, 6.0, 18.0)
    strike_out(page, high, DPI, np.random.default_rng(0), ink=hand().ink)
    y, x = inked(page)
    assert np.ptp(y) / DPI * 25.4 > 0.95 * high.h
    assert np.ptp(x) / DPI * 25.4 < high.w


def test_a_perfect_scanner_changes_nothing():
    page = write_points(blank(), BOX, "12", DPI, np.random.default_rng(2), hand=hand())
    out = scan_in_colour(page, DPI, ScannerModel(), ColourScanner(), np.random.default_rng(0))
    assert (out == page).all()


def test_a_cast_tints_the_paper_and_grey_has_no_colour():
    scanner = ColourScanner(cast=(1.0, 0.95, 0.85), fringe_mm=0.05)
    rng = np.random.default_rng(0)
    out = scan_in_colour(blank(), DPI, ORDINARY, scanner, rng)
    blue, green, red = np.median(out.reshape(-1, 3), axis=0)
    assert blue < green < red
    grey = scan_in_colour(blank(), DPI, ORDINARY, ColourScanner(grey=True), rng)
    assert (grey == grey[:, :, :1]).all()


@pytest.mark.parametrize("grey", [False, True])
def test_the_file_is_what_a_scanner_writes(grey):
    scanner = draw_colour_scanner(np.random.default_rng(7), grey=grey)
    with Image.open(io.BytesIO(encode_colour_scan(blank(), DPI, scanner))) as file:
        assert file.mode == ("L" if grey else "RGB")
        assert file.size == (240, 160)
        assert file.info["dpi"] == (200, 200)
