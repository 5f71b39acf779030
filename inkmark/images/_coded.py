"""What a PDF file holds besides images, looked at before pdfium parses any of it.

Files may lie: their tables point anywhere, and strings and comments hold whatever they like. So
nothing is followed here. Whether a file is a plain scan is told from names that stand nowhere
in it, however they are spelled, and from filters that are all accounted for.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["LONGEST_HEAD", "Coded", "streams"]

LONGEST_HEAD = 2048
"""The dictionary of a stream is looked for in so many bytes before it."""

_MOST_CODED = 32 << 20
"""Bytes of drawing commands and fonts in a file, decoded; each page adds `_PAGE_CODED`."""
_PAGE_CODED = 1 << 20
_MOST_FLAT = 1 << 20
"""The same of a plain scan: colour profiles, descriptions and a line of commands a page."""

_MOST_PACKED = 16
"""How many times its length an image may inflate to; deflated JPEG data of scans do so twice."""

_BODY = re.compile(rb"\r?\n")
_IMAGE = re.compile(rb"/Subtype\s*/Image\b")
_FLATE = re.compile(rb"/(?:FlateDecode|Fl)\b")
_PLAIN_HEAD = re.compile(rb"obj\s*<<(?:[^#%()<>]|<<|>>)*>>\s*")
"""Without strings, comments and names by number, in which other things could stand."""
_PLAIN_FILTER = re.compile(
    rb"/Filter\s*(?:\[\s*)?(?:/FlateDecode(?:\s*/DCTDecode)?"
    rb"|/(?:DCT|CCITTFax|JBIG2|JPX)Decode)\s*[\]/>\r\n]"
)


def _spelled(*names: bytes) -> bytes:
    """A pattern of names, each of whose letters may be given by its number."""
    one = (b"".join(b"(?:%c|#(?i:%02x))" % (letter, letter) for letter in name) for name in names)
    return b"(?:" + b"|".join(one) + b")"


_ODD = re.compile(
    # Drawings that draw others are forms, fonts and patterns; the rest calls itself.
    b"/(?:"
    + _spelled(b"Font", b"FunctionType", b"PatternType", b"Separation", b"DeviceN")
    # What is packed into other streams is not to be seen here.
    + b"|"
    + _spelled(b"ObjStm", b"XRef", b"Encrypt")
    + b"|"
    + _spelled(b"Subtype")
    + rb"(?!\s*/(?:Image|XML)\b)|"
    + _spelled(b"Alternate")
    + rb"(?!\s*/Device)|"
    # A page may name the same commands any number of times.
    + _spelled(b"Contents")
    + rb"(?!\s*(?:\d+\s+\d+\s+R\b|\[\s*\d+\s+\d+\s+R\s*\]))|"
    + _spelled(b"Rows", b"Columns")
    + rb"(?!\s*\d{1,4}(?!\d|\s+\d+\s+R))"
    + b")"
)
_ODD_OBJECT = re.compile(
    rb"obj(?<=[\0\t\n\f\r \x80\xff]obj)(?!\s*(?:<<|\d|\[\s*/ICCBased\s+\d+\s+\d+\s+R\s*\]))"
)
"""An object that is neither dictionary nor number, such as a list of commands."""
_FILTERS = re.compile(
    b"/"
    + _spelled(
        *(b"Filter", b"FlateDecode", b"DCTDecode", b"CCITTFaxDecode", b"LZWDecode", b"JPXDecode"),
        *(b"RunLengthDecode", b"ASCII85Decode", b"ASCIIHexDecode", b"JBIG2Decode"),
        *(b"Fl", b"DCT", b"CCF", b"LZW", b"RL", b"A85", b"AHx"),
    )
    + rb"(?![\w#])"
)


@dataclass(frozen=True, slots=True)
class Coded:
    """What a file has besides images: drawing commands, fonts, tables.

    Attributes
    ----------
    too_long : bool
        Whether it inflates to more bytes than a limit; pdfium sets none.
    is_flat : bool
        Whether it is a plain scan: no drawing can draw another, or be drawn twice on a page,
        so that pages load in the time of their length. In doubt it is false.
    """

    too_long: bool
    is_flat: bool

    @classmethod
    def of(cls, data: bytes, n_pages: int) -> Coded:
        """Look through a whole file."""
        limit = _MOST_CODED + _PAGE_CODED * n_pages
        n_bytes, n_filters, is_flat = 0, 0, not _is_odd(data)
        for head, start, end in streams(data):
            is_image = _IMAGE.search(head) is not None
            is_deflated = _FLATE.search(head) is not None
            if is_flat:
                names = len(_FILTERS.findall(head))
                found = _PLAIN_FILTER.search(head)
                is_flat = (
                    _PLAIN_HEAD.fullmatch(head) is not None
                    and head.count(b"<<") == head.count(b">>")
                    and names == (len(_FILTERS.findall(found[0])) if found else 0)
                )
                n_filters += names
            if not is_image or (is_flat and is_deflated):
                # An image may be named as commands; they take time by their length.
                most = _MOST_PACKED * (end - start) if is_image else limit - n_bytes
                decoded, n_decoded = _inflated(data[start:end], head, most)
                n_bytes += 0 if is_image else n_decoded
                if n_bytes > limit:
                    return cls(too_long=True, is_flat=False)
                if is_deflated:
                    is_flat &= decoded is not None and not _is_odd(decoded)
                    is_flat = is_flat and _FILTERS.search(decoded or b"") is None
        is_flat = (
            is_flat
            and n_bytes <= _MOST_FLAT
            # All filters are those of streams that were looked at.
            and n_filters == len(_FILTERS.findall(data))
        )
        return cls(too_long=False, is_flat=is_flat)


def streams(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """What stands before each stream of a file, from ``obj`` on, and where it starts and ends."""
    at = data.find(b"stream")
    while at >= 0:
        if data[at - 3 : at] != b"end":
            first = data.rfind(b"obj", max(at - LONGEST_HEAD, 0), at)
            head = data[max(first, at - LONGEST_HEAD, 0) : at]
            body = _BODY.match(data, at + 6)
            start = at + 6 if body is None else body.end()
            end = data.find(b"endstream", start)
            end = len(data) if end < 0 else end
            yield head, start, end
            # In an image the word may stand by chance, and what follows it be another stream.
            at = at if _IMAGE.search(head) else end
        at = data.find(b"stream", at + 6)


def _is_odd(data: bytes) -> bool:
    return _ODD.search(data) is not None or _ODD_OBJECT.search(data) is not None


def _inflated(stream: bytes, head: bytes, limit: int) -> tuple[bytes | None, int]:
    """What a stream inflates to, None if not whole, and the bytes of all stages together."""
    filters = _FLATE.findall(head)
    if not filters:
        return stream, len(stream)
    n_bytes = 0
    for _ in filters:
        inflater = zlib.decompressobj()
        try:
            stream = inflater.decompress(stream, limit - n_bytes + 1)
        except zlib.error:  # encrypted or damaged: pdfium draws what can be drawn
            return None, n_bytes + len(stream)
        n_bytes += len(stream)
        if n_bytes > limit or not inflater.eof:
            return None, n_bytes
    return stream, n_bytes
