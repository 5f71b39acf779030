"""What is told of a PDF file before pdfium sees it."""

from __future__ import annotations

import zlib

import pytest

from inkmark.images._coded import Coded, streams


def body(head, content, number=5):
    return b"\n%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, head, content)


FLATE = b"<</Filter/FlateDecode/Length 9>>"


NESTED = b"<</Filter[/FlateDecode/FlateDecode]/Length 9>>"
JPEG = b"<</Subtype/Image/Filter/DCTDecode/Length 9>>"


@pytest.mark.parametrize(
    "data",
    [
        body(b"<</Length 9>>", b"q /Im0 Do Q"),
        body(FLATE, zlib.compress(b"q /Im0 Do Q")) * 2,
        body(JPEG, b"\xff\xd8\xff"),
        body(
            b"<</Subtype/Image/Filter[/FlateDecode /DCTDecode]/Length 9>>", zlib.compress(b"\xff")
        ),
        body(b"<</Subtype/Image/Filter/CCITTFaxDecode/DecodeParms<</Rows 3300>>>>", b"\0"),
        body(b"<</Type/Metadata/Subtype/XML/Length 9>>", b"<x/>"),
        b"\n3 0 obj<</Type/Page/Contents 4 0 R>>endobj\n4 0 obj<</Contents [ 5 0 R ]>>endobj",
        b"\n3 0 obj 99 endobj\n4 0 obj [ /ICCBased 5 0 R ] endobj",
    ],
)
def test_plain_scans_are_flat(data):
    assert Coded.of(data, 1) == Coded(too_long=False, is_flat=True)


@pytest.mark.parametrize(
    "data",
    [
        body(b"<</Subtype/Form/Length 9>>", b"/F Do"),
        body(b"<</Sub#74ype/Form/Length 9>>", b"/F Do"),
        body(b"<</Subtype/F#6Frm/Length 9>>", b"/F Do"),
        body(b"<</Subtype(Form)/Length 9>>", b"/F Do"),
        body(b"<</Subtype 9 0 R/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form/X(/Subtype/Image)/Length 9>>", b"/F Do"),
        body(b"<</Subtype/Form\n1 0 obj<</B 1>>", b"/F Do"),
        body(b"<</Filter/LZWDecode/Length 9>>", b"\x80\x0b"),
        body(b"<</Filter[/AHx/FlateDecode]/Length 9>>", b"789c"),
        body(b"<</Filter 9 0 R/Length 9>>", b"/F Do"),
        body(b"<</Filter/FlateDecode/X(\n9 0 obj<<>>)/Length 9>>", zlib.compress(b"q")),
        body(b"<</Filter/FlateDecode/X< >>stream\nendstream>>>>", zlib.compress(b"q")),
        body(b"<</Filter/FlateDecode/X(" + b"x" * 3000 + b")/Length 9>>", zlib.compress(b"q")),
        body(NESTED, zlib.compress(zlib.compress(b"q"))),
        body(FLATE, b"no zlib"),
        body(FLATE, zlib.compress(b"cut" * 99)[:-9]),
        body(FLATE, zlib.compress(b"<</Type/Font/Subtype/Type3>>")),
        body(FLATE, zlib.compress(b"BI /W 9 /H 9 /F/Fl ID EI")),
        body(b"<</Subtype/Image/Filter/FlateDecode/Length 9>>", zlib.compress(b"q " * 90_000)),
        body(b"<</Subtype/Image/Filter/CCITTFaxDecode/DecodeParms<</Rows 65000>>>>", b"\0"),
        body(b"<</Type/ObjStm/Length 9>>", b"4 0 [5 0 R 5 0 R]"),
        body(b"<</Length 9>>", b"0 0 9 9 re f\n" * 90_000),
        b"<</Type/Font/Subtype/T#79pe3>>",
        b"<</#46ont<</F 9 0 R>>>>",
        b"<</FunctionType 3/Functions[9 0 R 9 0 R]>>",
        b"<</Type/Page/Contents[4 0 R 4 0 R]>>",
        b"<</Type/Page/Con#74ents[4 0 R 4 0 R]>>",
        b"<</Type/Page/Contents 4 0 R>>endobj\n4 0 obj[5 0 R 5 0 R]endobj",
        b"<</Type/Page/Contents 4 0 R>>endobj\n4 0 obj%\n[5 0 R 5 0 R]endobj",
    ],
)
def test_whatever_may_be_more_than_a_plain_scan_is_not_flat(data):
    assert Coded.of(data, 1) == Coded(too_long=False, is_flat=False)


def test_the_bytes_of_all_drawings_together_are_limited():
    each = body(FLATE, zlib.compress(b" " * (12 << 20)))
    assert not Coded.of(2 * each, 1).too_long
    assert Coded.of(3 * each, 1).too_long
    assert not Coded.of(3 * each, 5).too_long


def test_the_bytes_of_every_stage_count():
    each = body(NESTED, zlib.compress(zlib.compress(b"q") + bytes(31 << 20)))
    assert Coded.of(2 * each, 1).too_long


def test_the_sizes_of_images_are_found_behind_words_that_are_no_streams():
    image = b"obj <</Subtype/Image/Width 7>>"
    data = b"obj " * 99 + b"endstream " + image + b"stream\nstream 1 endstream"
    (first, *_), *_ = streams(data)
    assert first == image
