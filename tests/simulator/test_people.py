from __future__ import annotations

import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    BubbleShape,
    PageLayout,
    Role,
)
from inkmark.simulator import MarkStyle, Meaning, Writer, draw_writer, fill_sheet

DPI = 200.0
SCALE = DPI / 25.4


def field(name, y, shape=BubbleShape.OVAL, **options):
    return BubbleField(
        name, tuple("ABCD"), (20.0, y), (9.0, 0.0), 5.0, 3.0, shape=shape, role=Role.ITEM, **options
    )


PAGE = PageLayout(
    100.0,
    80.0,
    Anchors(AnchorKind.IMAGE),
    (
        field("oval", 10.0),
        field("box", 20.0, BubbleShape.RECTANGLE),
        field("number", 30.0, n_groups=2, group_step=(0.0, 8.0)),
        AreaField("essay", Box(10, 48, 80, 28), item="9"),
    ),
)


def white():
    return np.full((round(80 * SCALE), round(100 * SCALE)), 255, np.uint8)


def fill(marks, seed=0, writer=None, **options):
    rng = np.random.default_rng(seed)
    return fill_sheet(white(), PAGE, marks, DPI, rng, writer=writer, **options)


def darkness(pixels, name="oval", option=0, group=0, grow=1.0):
    """Mean darkness (0 to 1) inside the bubble's ellipse, `grow` times its size."""
    bubbles = next(f for f in PAGE.fields if f.name == name)
    x, y = bubbles.centres()[group * 4 + option] * SCALE
    yy, xx = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    radius = ((xx - x) / (2.5 * SCALE * grow)) ** 2 + ((yy - y) / (1.5 * SCALE * grow)) ** 2
    return float(1 - pixels[radius <= 1].mean() / 255)


def mean_darkness(style, name="oval", seeds=12, **options):
    return np.mean(
        [
            darkness(fill({(name, 0): [(1, style)]}, s, Writer()), name, 1, **options)
            for s in range(seeds)
        ]
    )


@pytest.mark.parametrize("name", ["oval", "box"])
@pytest.mark.parametrize(
    ("style", "low", "high"),
    [
        (MarkStyle.FILL, 0.50, 0.75),
        (MarkStyle.SPILL, 0.50, 0.75),
        (MarkStyle.HASTY, 0.25, 0.60),
        (MarkStyle.LIGHT, 0.24, 0.42),
        (MarkStyle.HALF, 0.18, 0.42),
        (MarkStyle.TICK, 0.10, 0.40),
        (MarkStyle.CROSS, 0.15, 0.45),
        (MarkStyle.LINE, 0.15, 0.45),
        (MarkStyle.DOT, 0.04, 0.20),
        (MarkStyle.CIRCLE, 0.00, 0.12),
        (MarkStyle.FAINT, 0.09, 0.20),
        (MarkStyle.SMUDGED, 0.15, 0.33),
        (MarkStyle.ERASED, 0.01, 0.06),
        (MarkStyle.OUTSIDE, -0.01, 0.05),
        (MarkStyle.CANCELLED, 0.50, 0.80),
        (MarkStyle.STRAY, 0.00, 0.08),
    ],
)
def test_each_style_darkens_its_bubble_as_it_should(name, style, low, high):
    assert low < mean_darkness(style, name) < high


def test_the_table_above_is_of_every_style():
    tested = {
        mark.args[1][i][0]
        for mark in test_each_style_darkens_its_bubble_as_it_should.pytestmark
        for i in range(len(mark.args[1]))
        if mark.args[0] != "name"
    }
    assert tested == set(MarkStyle)


def test_styles_stand_in_the_order_in_which_a_reader_must_tell_them_apart():
    order = [MarkStyle.FILL, MarkStyle.LIGHT, MarkStyle.FAINT, MarkStyle.ERASED]
    levels = [mean_darkness(style) for style in order]
    assert levels == sorted(levels, reverse=True)
    for style in MarkStyle:
        assert isinstance(style.meaning, Meaning)
    assert MarkStyle.FILL.meaning is MarkStyle.LIGHT.meaning is Meaning.MARK
    assert MarkStyle.ERASED.meaning is Meaning.BLANK
    assert MarkStyle.SMUDGED.meaning is Meaning.UNSURE


@pytest.mark.parametrize("style", MarkStyle)
def test_neighbours_and_other_rows_stay_white(style):
    for seed in range(8):
        pixels = fill({("oval", 0): [(1, style)]}, seed, Writer())
        assert darkness(pixels, "oval", 3) == 0
        assert darkness(pixels, "box", 1) == 0
        assert darkness(pixels, "oval", 0, grow=0.7) < 0.1  # a tick may reach over
        assert (pixels != 255).any()


def test_groups_of_a_grid_are_told_apart():
    pixels = fill({("number", 1): [(2, MarkStyle.FILL)]})
    assert darkness(pixels, "number", 2, group=1) > 0.4
    assert darkness(pixels, "number", 2, group=0) == 0


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others():
    marks = {("oval", 0): [(0, style) for style in MarkStyle]}
    options = {"written": ["essay"], "strays": 3}
    assert np.array_equal(fill(marks, 5, **options), fill(marks, 5, **options))
    assert not np.array_equal(fill(marks, 5, **options), fill(marks, 6, **options))


def test_two_fills_of_one_writer_are_never_the_same():
    pixels = fill({("oval", 0): [(0, MarkStyle.FILL), (2, MarkStyle.FILL)]})
    step = round(18 * SCALE)
    y, x = round(10 * SCALE), round(20 * SCALE)
    a = pixels[y - 12 : y + 12, x - 20 : x + 20]
    b = pixels[y - 12 : y + 12, x + step - 20 : x + step + 20]
    assert np.abs(a.astype(int) - b.astype(int)).mean() > 5


def test_print_under_a_mark_stays_darker_than_the_mark():
    rng = np.random.default_rng(0)
    printed = white()
    y, x = round(10 * SCALE), round(20 * SCALE)
    printed[y - 2 : y + 3, x - 2 : x + 3] = 40
    before = printed.copy()
    pixels = fill_sheet(printed, PAGE, {("oval", 0): [(0, MarkStyle.FILL)]}, DPI, rng)
    assert np.array_equal(printed, before)  # the input is left alone
    assert pixels[y - 2 : y + 3, x - 2 : x + 3].max() < 40
    assert (pixels <= before).all()  # ink never lightens


def test_writers_differ():
    rng = np.random.default_rng(1)
    writers = [draw_writer(rng) for _ in range(40)]
    assert len({writer.slant_deg for writer in writers}) == 40
    levels = [
        darkness(fill({("oval", 0): [(0, MarkStyle.FILL)]}, i, w)) for i, w in enumerate(writers)
    ]
    assert max(levels) - min(levels) > 0.12
    assert min(levels) > 0.35


def test_writing_stays_in_its_area():
    for seed in range(5):
        pixels = fill({}, seed, written=["essay"])
        ink = pixels < 200
        inside = np.zeros_like(ink)
        inside[round(48 * SCALE) : round(76 * SCALE), round(10 * SCALE) : round(90 * SCALE)] = True
        assert not (ink & ~inside).any()
        assert 0.005 < ink[inside].mean() < 0.3


def test_strays_fall_on_the_page():
    assert (fill({}, 3, strays=5) < 200).sum() > 20


def test_a_field_or_option_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        fill({("missing", 0): [(0, MarkStyle.FILL)]})
    with pytest.raises(KeyError):
        fill({("essay", 0): [(0, MarkStyle.FILL)]})
    with pytest.raises(KeyError):
        fill({}, written=["oval"])
    with pytest.raises(IndexError):
        fill({("oval", 0): [(9, MarkStyle.FILL)]})


def test_writers_have_pens_as_often_as_asked():
    assert draw_writer(np.random.default_rng(1)) == draw_writer(
        np.random.default_rng(1), pen_share=0.0
    )
    rng = np.random.default_rng(2)
    pens = sum(draw_writer(rng, pen_share=0.3).grain < 0.1 for _ in range(400))
    assert 90 < pens < 150
