"""A layout that holds everything a layout file can hold."""

from __future__ import annotations

import struct
import zlib

from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    BoxFrame,
    BubbleField,
    BubbleShape,
    CodeField,
    FullBox,
    JoinedField,
    MarkShape,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
    layout_version,
)


def png(width: int, height: int) -> bytes:
    """A grey PNG, or at least the beginning of one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 64)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


SQUARES = tuple(Box(x, y, 6.0, 6.0) for x, y in ((8, 8), (196, 8), (196, 283), (8, 283)))
CORNERS = tuple(Box(x, y, 9.5, 9.5) for x, y in ((5, 5), (95, 5), (95, 135), (5, 135)))


def everything() -> SheetLayout:
    """A layout with each kind of anchor and of field."""
    pages = (
        PageLayout(
            210.0,
            297.0,
            Anchors(
                AnchorKind.SQUARES,
                SQUARES,
                Box(16.5, 9.0, 9.0, 4.0),
                (Box(9.0, 22.5, 4.0, 2.0), Box(197.0, 22.5, 4.0, 2.0)),
            ),
            (
                CodeField("page", Box(173.0, 17.5, 20.0, 20.0)),
                BubbleField(
                    "Q1",
                    ("A", "B", "选"),
                    (30.1, 50.0),
                    (7.5, 0.0),
                    5.0,
                    3.0,
                    shape=BubbleShape.RECTANGLE,
                    multiple=True,
                    role=Role.ITEM,
                    item="1",
                ),
                BubbleField("n", ("0", "1"), (50.0, 80.0), (0.0, 5.6), 4.6, 3.0, 3, (7.0, 0.0)),
            ),
            (Box(17.0, 41.0, 176.0, 234.0),),
        ),
        PageLayout(
            110.0,
            150.0,
            Anchors(AnchorKind.PICTURES, picture_png=png(30, 30), picture_boxes=CORNERS),
        ),
        PageLayout(
            110.0,
            150.0,
            Anchors(
                AnchorKind.REFERENCE,
                picture_png=png(64, 90),
                picture_boxes=(Box(0.0, 0.0, 110.0, 150.0),),
            ),
        ),
        PageLayout(
            110.0,
            150.0,
            Anchors(AnchorKind.SHEET_EDGES),
            (
                WritingField("W2", Box(10.0, 10.0, 7.0, 8.0), 4, 7.5, "digits", Role.ITEM, "2"),
                WritingField(
                    "W3",
                    Box(50.0, 30.0, 7.0, 8.0),
                    charset="ABCD",
                    role=Role.ITEM,
                    item="3",
                    frame=BoxFrame.DROPOUT,
                ),
                AreaField("ticks 4", Box(80.0, 30.0, 20.0, 40.0), Role.POINTS, "4", 5),
                CodeField("serial", Box(50.0, 10.0, 30.0, 8.0), ("Code128", "PDF417"), Role.OTHER),
            ),
        ),
        PageLayout(
            110.0,
            150.0,
            Anchors(
                AnchorKind.MARKS,
                marks=((8.0, 8.0), (102.0, 8.0), (102.0, 142.0), (8.0, 142.0)),
                mark_shape=MarkShape.BRACKET,
                mark_mm=9.5,
            ),
            (
                BubbleField(
                    "sources",
                    ("TV", "radio", "press"),
                    (30.0, 40.0),
                    (0.0, 0.0),
                    4.0,
                    4.0,
                    places=((30.0, 40.0), (50.0, 40.0), (30.0, 52.5)),
                    full_box=FullBox.CANCELLED,
                ),
            ),
        ),
        PageLayout(
            110.0,
            150.0,
            Anchors(AnchorKind.IMAGE),
            (AreaField("A3", Box(10.0, 10.0, 70.0, 80.0), Role.ITEM, "3"),),
        ),
    )
    joins = (JoinedField("roll", ("Q1", "n"), Role.CANDIDATE), JoinedField("both", ("W2",)))
    return SheetLayout(layout_version(pages, joins), "全部 kinds", pages, joins)
