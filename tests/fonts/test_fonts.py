from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics

from inkmark.fonts import (
    BOLD,
    REGULAR,
    fit_text,
    printable_text,
    register_fonts,
    text_width,
    wrap_text,
)

texts = st.text(
    st.sampled_from("ab Wi.,;(){}学年考试题，。、；：？！（）《》“”…—　 12"), max_size=60
)


def test_registering_twice_is_harmless() -> None:
    register_fonts()
    register_fonts()
    assert {REGULAR, BOLD} <= set(pdfmetrics.getRegisteredFontNames())


def test_importing_loads_no_reportlab() -> None:
    code = "import sys, inkmark.fonts; sys.exit('reportlab' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_width_is_reportlabs() -> None:
    text = "第 1 题 Answer Sheet（共 40 题）"
    for font in (REGULAR, BOLD):
        assert text_width(text, 9.5, font) == pytest.approx(pdfmetrics.stringWidth(text, font, 9.5))
    assert text_width("学", 10.0) == pytest.approx(10.0)
    assert text_width("", 10.0) == 0.0


@given(texts, st.floats(12.0, 200.0), st.floats(5.0, 12.0))
def test_wrapping_keeps_every_character_and_the_width(text: str, width: float, size: float) -> None:
    lines = wrap_text(text, width, size)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        # Only a character with the punctuation tied to it may stick out.
        assert (
            text_width(line, size) <= width + 1e-6
            or len(line) <= 2
            or any(unicodedata.category(c).startswith("P") for c in line)
        )


def test_wrapping_breaks_between_chinese_characters_but_not_in_words() -> None:
    # Room for six Chinese characters.
    assert wrap_text("请在框内认真作答", 60.0, 10.0) == ("请在框内认真", "作答")
    assert wrap_text("an answer sheet", text_width("an answer", 10.0) + 0.1, 10.0) == (
        "an answer",
        "sheet",
    )


def test_closing_punctuation_begins_no_line() -> None:
    assert wrap_text("请在框内作答，谢谢", 60.0, 10.0) == ("请在框内作", "答，谢谢")


def test_opening_punctuation_ends_no_line() -> None:
    assert wrap_text("请在框内作（答）", 60.0, 10.0) == ("请在框内作", "（答）")


def test_a_word_wider_than_the_line_is_broken() -> None:
    lines = wrap_text("W" * 30, 50.0, 10.0)
    assert len(lines) > 1
    assert "".join(lines) == "W" * 30
    assert all(text_width(line, 10.0) <= 50.0 for line in lines)


def test_newlines_start_lines() -> None:
    assert wrap_text("a\n\nb", 50.0, 10.0) == ("a", "", "b")


@given(texts, st.floats(0.0, 200.0), st.floats(5.0, 12.0))
def test_fitted_text_fits(text: str, width: float, size: float) -> None:
    fitted, used = fit_text(text, width, size)
    assert text_width(fitted, used) <= width + 1e-9
    assert 0.7 * size <= used <= size
    if text_width(text, size) <= width:
        assert (fitted, used) == (text, size)


def test_fitting_shrinks_before_it_cuts() -> None:
    name = "欧阳思远"
    assert fit_text(name, 32.0, 10.0) == (name, pytest.approx(8.0))
    assert fit_text(name, 20.0, 10.0) == ("欧…", 7.0)
    assert fit_text(name, 1.0, 10.0)[0] == ""


def test_printable_text_has_a_glyph_for_every_character() -> None:
    assert printable_text("张小明\r\nA\x00") == "张小明  A"
    assert printable_text("Zoë ①√×…") == "Zoë ①√×…"
    assert printable_text("张\U0001f600") == "张〓"
    assert printable_text("Zoe\u0308") == "Zo\u00eb"
