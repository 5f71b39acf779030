"""People writing into boxes: where the ink is, what it looks like, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inkmark.geometry import MM_PER_INCH, Box
from inkmark.layouts import WritingField
from inkmark.simulator import Hand, Ink, Slip, Writers, draw_ink, write_field, write_line
from inkmark.simulator._pen_strokes import STROKES

DPI = 200.0
SCALE = DPI / MM_PER_INCH
BOXES = WritingField("number", Box(20.0, 20.0, 8.0, 8.0), 4, 8.0, "digits")
WIDE = WritingField("answer", Box(10.0, 20.0, 60.0, 9.0))
ONE = np.zeros((20, 8), np.uint8)
ONE[:, 2:6] = 255


def _page(channels: int = 0, dpi: float = DPI) -> NDArray[np.uint8]:
    side = round(80 * dpi / MM_PER_INCH)
    shape = (side, side, channels) if channels else (side, side)
    return np.full(shape, 255, np.uint8)


def _hand(ink: Ink | None = None) -> Hand:
    """A hand with bars for digits and strokes for everything else."""
    signs = {digit: [ONE] for digit in "0123456789"}
    return Hand(
        signs | {sign: [strokes] for sign, strokes in STROKES.items()}, "mnist", ink or Ink()
    )


def _darkness(pixels: NDArray[np.uint8], box: Box, dpi: float = DPI) -> float:
    scale = dpi / MM_PER_INCH
    x0, y0, x1, y1 = (round(v * scale) for v in (box.x, box.y, box.right, box.bottom))
    return float((255.0 - pixels[y0:y1, x0:x1]).sum() / 255 / scale**2)


def _rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_equal_seeds_give_equal_pixels_and_the_page_stays_as_it_is() -> None:
    page = _page()
    one, two, three = (
        write_field(page, BOXES, "1234", DPI, _rng(seed), hand=_hand()) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)
    assert (page == 255).all()


def test_each_sign_stands_in_its_box_and_a_blank_leaves_its_box_empty() -> None:
    pixels = write_field(_page(), BOXES, "1 2", DPI, _rng(), hand=_hand())
    dark = [_darkness(pixels, box) for box in BOXES.boxes()]
    assert dark[0] > 3
    assert dark[2] > 3
    assert dark[1] == dark[3] == 0
    assert _darkness(pixels, Box(0, 0, 80, 80)) == pytest.approx(sum(dark))


@pytest.mark.parametrize("dpi", [100.0, 150.0, 300.0])
def test_ink_covers_as_many_square_millimetres_at_any_resolution(dpi: float) -> None:
    hand = replace(_hand(), spread=0.0)
    fine, other = (
        write_field(_page(dpi=d), BOXES, "1", d, _rng(), hand=hand) for d in (600.0, dpi)
    )
    area = _darkness(fine, Box(0, 0, 80, 80), 600.0)
    assert _darkness(other, Box(0, 0, 80, 80), dpi) == pytest.approx(area, rel=0.1)


def test_a_text_in_one_box_runs_from_left_to_right_inside_it() -> None:
    pixels = write_field(_page(), WIDE, "-3/4 = 25%", DPI, _rng(), hand=_hand())
    columns = np.flatnonzero((pixels < 128).any(axis=0)) / SCALE
    assert columns[0] > WIDE.box.x
    assert columns[-1] < WIDE.box.right
    assert np.ptp(columns) > 20


def test_a_long_text_is_written_smaller_to_stay_in_its_box() -> None:
    pixels = write_line(_page(), Box(10, 20, 20, 9), "123456789012", DPI, _rng(), hand=_hand())
    columns = np.flatnonzero((pixels < 200).any(axis=0)) / SCALE
    assert columns[0] > 9.5
    assert columns[-1] < 30.5


def test_every_sign_of_the_table_can_be_written() -> None:
    for sign in STROKES:
        pixels = write_line(_page(), WIDE.box, sign, DPI, _rng(), hand=_hand())
        assert _darkness(pixels, Box(0, 0, 80, 80)) > 0.05, sign


def test_ink_has_its_colour_on_a_colour_page_and_its_grey_on_a_grey_one() -> None:
    red = Ink(tip_mm=0.6, colour=(60.0, 50.0, 205.0), grain=0.0)
    coloured = write_field(_page(3), BOXES, "1111", DPI, _rng(), hand=_hand(red))
    darkest = coloured.reshape(-1, 3)[coloured.sum(axis=2).argmin()]
    assert np.abs(darkest - np.array(red.colour)).max() < 12
    grey = write_field(_page(), BOXES, "1111", DPI, _rng(), hand=_hand(red))
    assert abs(int(grey.min()) - red.grey) < 12


@pytest.mark.parametrize("slip", list(Slip))
def test_slips_change_their_own_box(slip: Slip) -> None:
    clean = write_field(_page(), BOXES, "1111", DPI, _rng(), hand=_hand())
    pixels = write_field(_page(), BOXES, "1111", DPI, _rng(), hand=_hand(), slips={1: slip})
    first = BOXES.boxes()[0].grown(-0.5)
    assert _darkness(pixels, first) == pytest.approx(_darkness(clean, first), abs=0.5)
    box = BOXES.boxes()[1]
    share = _darkness(pixels, box) / (box.w * box.h)
    if slip is Slip.FILLED:
        assert share > 0.6
    elif slip is Slip.OUTSIDE:
        assert share < 0.02
        assert _darkness(pixels, Box(box.x, box.bottom, box.w, box.h)) > 2
    elif slip is Slip.CORRECTED:
        above = Box(box.x, box.y - 8, box.w, 8)
        assert _darkness(pixels, above) > _darkness(clean, above) + 1
    assert slip.is_legible == (slip in (Slip.TOUCHING, Slip.CROSSING))


def test_a_wide_box_can_be_scribbled_over_and_a_sign_in_it_struck() -> None:
    for slips in ({0: Slip.SCRIBBLED}, {0: Slip.FILLED}, {2: Slip.STRUCK}):
        clean = write_field(_page(), WIDE, "1,111", DPI, _rng(), hand=_hand())
        pixels = write_field(_page(), WIDE, "1,111", DPI, _rng(), hand=_hand(), slips=slips)
        assert _darkness(pixels, WIDE.box) > _darkness(clean, WIDE.box) + 0.5


def test_too_long_a_text_and_an_unknown_sign_are_refused() -> None:
    with pytest.raises(ValueError, match="12345"):
        write_field(_page(), BOXES, "12345", DPI, _rng(), hand=_hand())
    with pytest.raises(KeyError, match="€"):
        write_field(_page(), WIDE, "€5", DPI, _rng(), hand=_hand())


def test_writing_beyond_the_page_is_cut_off() -> None:
    edge = WritingField("edge", Box(76.0, 76.0, 8.0, 8.0), 2, 8.0)
    pixels = write_field(_page(), edge, "11", DPI, _rng(), hand=_hand())
    assert pixels.shape == _page().shape


def test_pens_draw_lines_of_a_third_to_four_fifths_of_a_millimetre() -> None:
    inks = [draw_ink(_rng(seed)) for seed in range(60)]
    assert all(0.3 <= ink.tip_mm <= 0.8 and 10 < ink.grey < 140 for ink in inks)
    assert any(ink.grain > 0.1 for ink in inks), "pencils"
    assert any(max(ink.colour) > min(ink.colour) + 40 for ink in inks), "blue pens"


def test_people_of_the_two_parts_write_all_digits_and_letters_and_share_no_sign(
    data_dir: Path,
) -> None:
    seen: list[set[bytes]] = []
    for part in ("train", "test"):
        writers = Writers.of(data_dir / "handwriting", part)
        bitmaps: set[bytes] = set()
        for seed, digits in enumerate(("mnist", "pendigits", "handwritten62") * 2):
            hand = writers.hand(_rng(seed), digits=digits)
            assert hand.digits == digits
            for sign in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabckmnxyz.-/,%三²":
                assert hand.signs[sign], sign
            for forms in hand.signs.values():
                bitmaps |= {form.tobytes() for form in forms if isinstance(form, np.ndarray)}
        seen.append(bitmaps)
    assert len(seen[0]) > 100
    assert len(seen[1]) > 100
    assert not seen[0] & seen[1]


def test_a_person_of_the_pen_digits_keeps_one_hand(data_dir: Path) -> None:
    writers = Writers.of(data_dir / "handwriting", "test")
    hand = writers.hand(_rng(3), digits="pendigits")
    again = writers.hand(_rng(3), digits="pendigits")
    text = write_field(_page(), BOXES, "3571", DPI, _rng(), hand=hand)
    assert np.array_equal(text, write_field(_page(), BOXES, "3571", DPI, _rng(), hand=again))
