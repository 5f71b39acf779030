"""What a PDF file holds besides images, looked at before pdfium parses any of it.

The dictionary of a stream is never compressed, so that the streams can be told apart without
following the file's tables, which may lie.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

__all__ = ["LONGEST_HEAD", "Coded"]

LONGEST_HEAD = 2048
"""The dictionary of a stream is looked for in so many bytes before it."""

_BODY = re.compile(rb"\r?\n")
_IMAGE = re.compile(rb"/Subtype\s*/Image\b")
_FLATE = re.compile(rb"/(?:FlateDecode|Fl)\b")
_MOST_CODED = 32 << 20
"""Bytes of drawing commands and fonts in a file, decoded; each page adds `_PAGE_CODED`."""
_PAGE_CODED = 1 << 20
_SUBTYPE = re.compile(rb"/Subtype\b")
_NO_FORM = re.compile(rb"/Subtype\s*/(?:Image|XML|Type1C|CIDFontType0C|OpenType)\b")
_FILTER = re.compile(rb"/Filter\b")
_ONE_FLATE = re.compile(rb"/Filter\s*(?:/FlateDecode\b|\[\s*/FlateDecode\s*\])")
_PLAIN_HEAD = re.compile(rb"obj\s*<<[^#%()]*>>\s*")
"""Without strings, comments and names by number, in which other names could stand."""
_OPENED = re.compile(rb"[\r\n]\s*\d+\s+\d+\s+$")
"""What stands before ``obj``, but not in a comment."""
_BY_NUMBER = re.compile(rb"#(?:54|79|70|65|33)")
_NAME = re.compile(rb"/[A-Za-z0-9#]*$")


@dataclass(frozen=True, slots=True)
class Coded:
    """What a file has besides images: drawing commands, fonts, tables.

    Attributes
    ----------
    too_long : bool
        Whether it inflates to more bytes than a limit; pdfium sets none.
    is_flat : bool
        Whether no drawing can draw another, so that pages load in the time of their length.
        In doubt it is false.
    """

    too_long: bool
    is_flat: bool

    @classmethod
    def of(cls, data: bytes, n_pages: int) -> Coded:
        """Look through a whole file."""
        limit = _MOST_CODED + _PAGE_CODED * n_pages
        n_bytes, is_flat = 0, not _has_drawn_letters(data)
        at = data.find(b"stream")
        while at >= 0:
            body = _BODY.match(data, at + 6)
            start = max(at - LONGEST_HEAD, 0)
            first = data.rfind(b"obj", start, at)
            head = data[max(first, start) : at]
            if data[at - 3 : at] == b"end":
                pass
            elif body is None or not head.rstrip().endswith(b">>"):
                is_flat = False
            else:
                is_flat &= _OPENED.search(data, start, max(first, 0)) is not None and _is_plain(
                    head
                )
                if not _IMAGE.search(head):
                    end = data.find(b"endstream", body.end())
                    end = len(data) if end < 0 else end
                    decoded, is_sure = _inflated(data[body.end() : end], head, limit - n_bytes)
                    n_bytes += len(decoded)
                    is_flat &= is_sure and not _has_drawn_letters(decoded)
                    if n_bytes > limit:
                        return cls(too_long=True, is_flat=False)
                    at = end
            at = data.find(b"stream", at + 6)
        return cls(too_long=False, is_flat=is_flat)


def _is_plain(head: bytes) -> bool:
    """Whether this is the dictionary of a stream that cannot be a form."""
    subtypes = len(_SUBTYPE.findall(head))
    return (
        _PLAIN_HEAD.fullmatch(head) is not None
        and head.count(b"<<") == head.count(b">>")
        and (subtypes == 0 or (subtypes == 1 and _NO_FORM.search(head) is not None))
    )


def _has_drawn_letters(data: bytes) -> bool:
    """Whether there may be a font whose letters are drawings, its name perhaps by number."""
    return b"Type3" in data or any(
        _NAME.search(data, max(found.start() - 16, 0), found.start())
        for found in _BY_NUMBER.finditer(data)
    )


def _inflated(stream: bytes, head: bytes, limit: int) -> tuple[bytes, bool]:
    """What a stream decodes to, as far as the limit; and whether that is sure."""
    inflater = None
    for _ in _FLATE.findall(head):
        if len(stream) > limit:
            break
        inflater = zlib.decompressobj()
        try:
            stream = inflater.decompress(stream, limit + 1)
        except zlib.error:  # encrypted or damaged: pdfium draws what can be drawn
            return stream, False
    is_sure = _FILTER.search(head) is None or (
        _ONE_FLATE.search(head) is not None and inflater is not None and inflater.eof
    )
    return stream, is_sure
