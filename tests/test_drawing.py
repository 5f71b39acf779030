from __future__ import annotations

import io

import numpy as np
import pypdfium2 as pdfium
import pytest
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from inkmark.drawing import PT_PER_MM, Pen, width_mm
from inkmark.geometry import Box

SIZE_MM = (60.0, 40.0)
PX_PER_MM = 10
BLUE = HexColor(0x2F5D8A)


def drawn(draw, *, ink=0.0, smallest_part=0.8):
    """What a pen has drawn: the page's pixels (h, w, 3) as RGB, and the file, not compressed."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=tuple(mm * PT_PER_MM for mm in SIZE_MM), pageCompression=0)
    draw(Pen(canvas, *SIZE_MM, ink=ink, smallest_part=smallest_part))
    canvas.save()
    data = buffer.getvalue()
    with pdfium.PdfDocument(data) as pdf:
        page = pdf[0].render(scale=PX_PER_MM / PT_PER_MM, rev_byteorder=True)
        pixels = page.to_numpy()[:, :, :3].copy()
    return pixels, data.decode("latin-1")


def extent(pixels):
    """Left, top, right and bottom of everything that is not white, in mm."""
    ys, xs = np.nonzero((pixels < 128).any(axis=2))
    bounds = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    return tuple(float(bound) / PX_PER_MM for bound in bounds)


@pytest.mark.parametrize("shape", ["rect", "ellipse"])
def test_boxes_stand_where_they_say(shape):
    pixels, _ = drawn(lambda pen: getattr(pen, shape)(Box(10, 5, 20, 12), fill=0.0))
    assert extent(pixels) == pytest.approx((10, 5, 30, 17), abs=0.11)
    corner = pixels[int(5.3 * PX_PER_MM), int(10.3 * PX_PER_MM)]
    assert (corner == 0).all() == (shape == "rect")


def test_rounded_corners_stay_white():
    pixels, _ = drawn(lambda pen: pen.rect(Box(10, 5, 20, 12), fill=0.0, radius=3))
    assert extent(pixels) == pytest.approx((10, 5, 30, 17), abs=0.11)
    assert (pixels[52, 102] == 255).all()


def test_circle_and_polygon_stand_where_they_say():
    pixels, _ = drawn(lambda pen: pen.circle(20, 15, 4, fill=0.0))
    assert extent(pixels) == pytest.approx((16, 11, 24, 19), abs=0.11)
    pixels, _ = drawn(lambda pen: pen.polygon([(5, 5), (25, 5), (5, 15)], fill=0.0))
    assert extent(pixels) == pytest.approx((5, 5, 25, 15), abs=0.11)
    assert (pixels[145, 245] == 255).all()


def test_a_sector_turns_anticlockwise_from_the_right():
    pixels, _ = drawn(lambda pen: pen.sector(20, 20, 10, 0, 90, fill=0.0))
    assert extent(pixels) == pytest.approx((20, 10, 30, 20), abs=0.11)


def test_hatching_stays_inside():
    pixels, _ = drawn(lambda pen: pen.hatch(Box(10, 5, 20, 12), colour=0.0, step=1.0))
    assert extent(pixels) == pytest.approx((10, 5, 30, 17), abs=0.2)
    inside = pixels[50:170, 100:300, 0]
    assert 0.1 < (inside < 255).mean() < 0.5


def test_cells_are_those_of_the_rows_from_the_top():
    pixels, _ = drawn(lambda pen: pen.cells(Box(10, 10, 20, 20), 4, [(0, 1, 2), (3, 0, 1)]))
    dark = pixels[125:300:50, 125:300:50, 0] < 128
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, 1:3] = expected[3, 0] = True
    assert (dark == expected).all()


def test_a_grey_needs_black_ink_alone():
    def draw(pen, colour):
        pen.rect(Box(1, 1, 5, 5), fill=colour, stroke=colour)
        pen.text(1, 20, "A", size=10, colour=colour)

    _, operators = drawn(lambda pen: draw(pen, 0.5))
    assert ".5 g" in operators
    assert " rg" not in operators
    assert " RG" not in operators
    pixels, operators = drawn(lambda pen: draw(pen, BLUE))
    assert " rg" in operators
    assert pixels[30, 30].tolist() == [0x2F, 0x5D, 0x8A]


def test_dashes_end_with_their_line():
    def draw(pen):
        pen.line(5, 5, 55, 5, dash=(2, 2), width_pt=1)
        pen.line(5, 10, 55, 10, width_pt=1)

    pixels, _ = drawn(draw)
    dashed, plain = (pixels[y * PX_PER_MM, 60:540, 0] < 128 for y in (5, 10))
    assert 0.3 < dashed.mean() < 0.7
    assert plain.all()


@pytest.mark.parametrize(("align", "left"), [("left", 30.0), ("centre", 25.0), ("right", 20.0)])
def test_text_is_aligned_and_says_how_wide_it_is(align, left):
    used = []
    text = "H" * 7
    size = 10 / width_mm(text, 1.0)
    pixels, _ = drawn(lambda pen: used.append(pen.text(30, 20, text, size=size, align=align)))
    assert used == [pytest.approx(10.0)]
    x0, _, x1, bottom = extent(pixels)
    assert x0 == pytest.approx(left, abs=0.3)
    assert x1 == pytest.approx(left + 10, abs=0.3)
    assert bottom == pytest.approx(20, abs=0.11)


def test_bold_text_is_as_wide_as_measured():
    used = []
    drawn(lambda pen: used.append(pen.text(5, 20, "mark", size=12, bold=True)))
    assert used == [width_mm("mark", 12, bold=True)]
    assert used[0] > width_mm("mark", 12)


@pytest.mark.parametrize("width", [None, 12.0])
def test_the_middle_of_a_label_stays_where_it_is_when_it_shrinks(width):
    pixels, _ = drawn(
        lambda pen: pen.label(10, 20, "HHHHHHHH", size=9, width=width), smallest_part=0.5
    )
    _, top, right, bottom = extent(pixels)
    assert (top + bottom) / 2 == pytest.approx(20, abs=0.11)
    if width is not None:
        assert width_mm("HHHHHHHH", 9) > width
        assert right <= 10 + width


@pytest.mark.parametrize(("smallest_part", "fits"), [(0.5, True), (0.9, False)])
def test_text_shrinks_to_the_smallest_part_and_is_then_cut(smallest_part, fits):
    text = "H" * 20
    room = 0.6 * width_mm(text, 10)
    used = []
    pixels, _ = drawn(
        lambda pen: used.append(pen.text(2, 20, text, size=10, width=room)),
        smallest_part=smallest_part,
    )
    assert used[0] <= room
    _, top, _, bottom = extent(pixels)
    full = 0.733 * 10 / PT_PER_MM
    assert (bottom - top) / full == pytest.approx(0.6 if fits else 0.9, abs=0.05)


@pytest.mark.parametrize(("align", "left"), [("left", 10.0), ("centre", 22.5), ("right", 35.0)])
def test_text_in_a_box_stands_in_its_middle(align, left):
    size = 5 / width_mm("HHH", 1.0)
    pixels, _ = drawn(lambda pen: pen.text_in(Box(10, 8, 30, 20), "HHH", size=size, align=align))
    x0, top, _, bottom = extent(pixels)
    assert x0 == pytest.approx(left, abs=0.3)
    assert (top + bottom) / 2 == pytest.approx(18, abs=0.11)


def test_a_block_of_text_stays_inside_its_box():
    box = Box(10, 8, 30, 12)
    text = "a word and another and more of them " * 6
    pixels, _ = drawn(lambda pen: pen.text_block(box, text, size=11))
    x0, top, x1, bottom = extent(pixels)
    assert x0 >= box.x - 0.1
    assert x1 <= box.right + 0.1
    assert top >= box.y
    assert bottom <= box.bottom
    assert bottom - top > 0.7 * box.h


@pytest.mark.parametrize("ink", [0.0, BLUE])
def test_what_is_given_no_colour_has_the_pens(ink):
    def draw(pen):
        pen.text(5, 20, "HHH", size=30)
        pen.line(5, 30, 50, 30, width_pt=3)

    pixels, _ = drawn(draw, ink=ink)
    darkest = [
        pixels[rows].reshape(-1, 3).min(axis=0).tolist() for rows in (slice(250), slice(250, 400))
    ]
    assert darkest == 2 * [[0, 0, 0] if ink == 0.0 else [0x2F, 0x5D, 0x8A]]
