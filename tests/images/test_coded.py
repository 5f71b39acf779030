"""What is told of a PDF file before pdfium sees it."""

from __future__ import annotations

import zlib

import pytest

from inkmark.images._coded import Coded


def body(head, content, number=5):
    return b"\n%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, head, content)


FLATE = b"<</Filter/FlateDecode/Length 9>>"


@pytest.mark.parametrize(
    "data",
    [
        body(b"<</Length 9>>", b"0 0 9 9 re f"),
        body(FLATE, zlib.compress(b"BT (Form) Tj ET")),
        body(b"<</Subtype/Image/Filter/DCTDecode/Length 9>>", b"\xff\xd8\xff"),
        body(b"<</Subtype /Type1C /Length 9 >>", b"font") + body(b"<</Length 9>>", b"/F Do"),
        b"<</Subtype/Type1/BaseFont/Arial#20Narrow>>",
    ],
)
def test_drawings_without_drawings_in_them_are_flat(data):
    assert Coded.of(data, 1) == Coded(too_long=False, is_flat=True)


@pytest.mark.parametrize(
    "data",
    [
        body(b"<</Subtype/Form/Length 9>>", b"/F Do"),
        body(b"<</Sub#74ype/Form/Length 9>>", b"/F Do"),
        body(b"<</Subtype 9 0 R/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form/X(/Subtype/Image)/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form/X(1 0 obj<<)/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form%1 0 obj<<\n/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form/X/obj<</Y 1>>/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form/Length 9>>%", b"/F Do"),
        body(b"<</Subtype/Form/X(" + b"x" * 3000 + b")/Length 9>>", b"/F Do"),
        body(b"<</Filter/LZWDecode/Length 9>>", b"\x80\x0b"),
        body(b"<</Filter[/AHx/FlateDecode]/Length 9>>", b"789c"),
        body(b"<</Filter 9 0 R/Length 9>>", b"/F Do"),
        body(FLATE, b"no zlib"),
        body(FLATE, zlib.compress(b"cut" * 99)[:-9]),
        body(FLATE, zlib.compress(b"<</Type/Font/Subtype/Type3>>")),
        b"<</Type/Font/Subtype/Type3>>",
        b"<</Type/Font/Subtype/T#79pe3>>",
        b"<</Type/Font/Subtype/#54#79pe#33>>",
    ],
)
def test_whatever_may_draw_other_drawings_is_not_flat(data):
    assert Coded.of(data, 1) == Coded(too_long=False, is_flat=False)


def test_the_bytes_of_all_drawings_together_are_limited():
    each = body(FLATE, zlib.compress(b" " * (12 << 20)))
    assert not Coded.of(2 * each, 1).too_long
    assert Coded.of(3 * each, 1).too_long
    assert not Coded.of(3 * each, 5).too_long
