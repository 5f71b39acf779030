from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.errors import LayoutError
from inkmark.layouts import SheetCode

parts = {
    "exam": st.text("ABCXYZ0189-", min_size=1, max_size=16),
    "page": st.integers(0, 998),
    "version": st.text("0123456789ABCDEF", min_size=8, max_size=8),
}
codes = st.builds(SheetCode, candidate=st.text("0123456789", max_size=24), **parts) | st.builds(
    SheetCode, candidate=st.just(""), serial=st.text("ABC0189", max_size=16), **parts
)


@given(codes)
def test_a_code_survives_its_text(code: SheetCode) -> None:
    assert SheetCode.parse(code.encode()) == code


def test_the_text_counts_pages_from_one() -> None:
    assert SheetCode("MATH-25", "007", 0, "00AB12EF").encode() == "IM1:MATH-25:007:1:00AB12EF"
    assert SheetCode("MATH-25", "", 1, "00AB12EF").encode() == "IM1:MATH-25::2:00AB12EF"
    blank = SheetCode("MATH-25", "", 1, "00AB12EF", "7QK2")
    assert blank.encode() == "IM1:MATH-25:*7QK2:2:00AB12EF"


@given(codes)
def test_the_text_is_in_alphanumeric_mode(code: SheetCode) -> None:
    assert set(code.encode()) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "IM1",
        "https://example.com/",
        "IM2:MATH:1:1:00AB12EF",
        "IM1:MATH:1:0:00AB12EF",
        "IM1:MATH:1:-1:00AB12EF",
        "IM1:MATH:1:01:00AB12EF",
        "IM1:MATH:1:1000:00AB12EF",
        "IM1::1:1:00AB12EF",
        "IM1:math:1:1:00AB12EF",
        "IM1:MATH:1:1:00ab12ef",
        "IM1:MATH:1:1:00AB12E",
        "IM1:MATH:1:1:00AB12EF\n",
        " IM1:MATH:1:1:00AB12EF",
        "IM1:MATH:1:1:00AB12EF:2",
        "IM1:MATH:١:1:00AB12EF",
        "IM1:MATH:1:１:00AB12EF",
        "IM1:" + "A" * 17 + ":1:1:00AB12EF",
        "IM1:MATH:" + "1" * 100_000 + ":1:00AB12EF",
    ],
)
def test_other_text_is_no_code(text: str) -> None:
    assert SheetCode.parse(text) is None


@given(st.text(max_size=60))
def test_any_text_is_parsed_safely(text: str) -> None:
    code = SheetCode.parse(text)
    assert code is None or code.encode() == text


@pytest.mark.parametrize(
    "code",
    [
        SheetCode("math", "1", 0, "00AB12EF"),
        SheetCode("MATH:2", "1", 0, "00AB12EF"),
        SheetCode("MATH", "张", 0, "00AB12EF"),
        SheetCode("MATH", "1", -1, "00AB12EF"),
        SheetCode("MATH", "1", 0, "00AB12EF", "7QK2"),
        SheetCode("MATH", "", 0, "00AB12EF", "7-2"),
        SheetCode("MATH", "1", 0, "00ab12ef"),
    ],
)
def test_what_the_code_cannot_carry_is_refused(code: SheetCode) -> None:
    with pytest.raises(LayoutError, match="cannot be printed"):
        code.encode()
