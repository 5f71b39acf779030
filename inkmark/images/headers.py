"""What image files say about themselves, read before any pixel is decoded.

A file is refused here when it ends too early: decoders differ in what they make of half
a file, and some of them return a page whose lower part is grey.

Formats: JPEG, ITU-T T.81 annex B and JFIF 1.02; PNG, W3C Recommendation (third edition);
TIFF 6.0 and its 64-bit extension BigTIFF; EXIF 2.32.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from inkmark.errors import ImageError
from inkmark.geometry import MM_PER_INCH
from inkmark.images._fax import FaxPage
from inkmark.images._jpeg import APP0, APP1, SOF, DamagedJpeg, segments
from inkmark.images.pixels import Turn

__all__ = [
    "RESCAN",
    "ImageHeader",
    "check_size",
    "declared_dpi",
    "read_jpeg_header",
    "read_png_header",
    "read_tiff_headers",
]

RESCAN = "Scan or copy the file again."

_INCH, _CENTIMETRE = 2, 3  # the values of TIFF's and EXIF's ResolutionUnit
_USUAL_BYTES = 4
"""Bytes of a pixel, in colour and with transparency, that the limit on pixels allows."""
_END_OF_JPEG = b"\xff\xd9"
_GROUP_4, _JPEG = 4, 7  # values of TIFF's Compression
_MOST_TABLES = 1 << 12
"""Bytes of all tables that a JPEG stream can name at once are fewer."""
_PER_INCH = {_INCH: 1.0, _CENTIMETRE: 2.54}
_PNG_CHANNELS = {2: 3, 3: 3, 4: 2, 6: 4}
"""By colour type; others have one."""
_QUICKLY_INFLATED = 2 << 20
_INFLATED_STEP = 1 << 13
_UPRIGHT = (False, False, False)
# By EXIF orientation.
_TURNS = {
    1: _UPRIGHT,
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a header declares.

    Attributes
    ----------
    width, height : int
        In pixels, as stored.
    dpi : float or None
        None where none is declared or the declared one cannot be a scanned page's.
    turn : Turn
        How the image is set upright.
    fax : FaxPage or None
        How to decode CCITT Group 4 (TIFF).
    strips : tuple of slice
        Where the file has its coded data (TIFF); together no longer than the file.
    jpeg_tables : bytes or None
        Segments that stand in front of each strip's own; None where these are no JPEG (TIFF).
    pixel_bytes : int
        Bytes of a decoded pixel (PNG, TIFF).
    """

    width: int
    height: int
    dpi: float | None = None
    turn: Turn = _UPRIGHT
    fax: FaxPage | None = None
    strips: tuple[slice, ...] = ()
    jpeg_tables: bytes | None = None
    pixel_bytes: int = 1


def declared_dpi(x_dpi: float, y_dpi: float, width: int, height: int) -> float | None:
    """The resolution where a declared one makes sense for a page, else None.

    Programs write 72 or 96 where they know nothing; such a page would be larger than A3.
    Resolutions that differ by more than a tenth have no common value.
    """
    if not (0 < x_dpi < 1e6 and 0 < y_dpi < 1e6) or not 0.9 < x_dpi / y_dpi < 1.1:
        return None
    dpi = (x_dpi * y_dpi) ** 0.5
    long_mm = max(width, height) / dpi * MM_PER_INCH
    return dpi if 40 <= dpi <= 2400 and long_mm <= 450 else None


def check_size(width: int, height: int, max_pixels: int, source: str, pixel_bytes: int = 1) -> None:
    """Refuse a page that declares more pixels, or more bytes of them, than are allowed.

    Raises
    ------
    ImageError
    """
    deep = f" of {pixel_bytes} bytes" if pixel_bytes > _USUAL_BYTES else ""
    if width * height * max(1.0, pixel_bytes / _USUAL_BYTES) > max_pixels:
        raise ImageError(
            source,
            f"it declares {width} x {height} pixels{deep}, more than the limit of {max_pixels:,}",
            "Scan at 200 or 300 dpi, or raise the limit on pixels.",
        )


def read_jpeg_header(data: bytes, source: str) -> ImageHeader:
    """Header of a JPEG stream; refuses a stream without its end.

    Raises
    ------
    ImageError
    """
    frame: tuple[int, int] | None = None
    density = (0.0, 0.0)
    exif = _Exif()
    position = 0
    try:
        for kind, body, position in segments(data):  # noqa: B007 - the last one is used
            if kind in SOF and len(body) >= 6:
                frame = struct.unpack_from(">HH", body, 1)
            elif kind == APP0 and body.startswith(b"JFIF\0") and len(body) >= 12:
                unit, x, y = struct.unpack_from(">BHH", body, 7)
                scale = {1: 1.0, 2: 2.54}.get(unit, 0.0)
                density = (x * scale, y * scale)
            elif kind == APP1 and body.startswith(b"Exif\0\0"):
                exif = _read_exif(body[6:])
    except DamagedJpeg as exc:
        raise _truncated(source) from exc
    if frame is None or 0 in frame:
        raise ImageError(source, "the JPEG header declares no size", RESCAN)
    if data.rfind(_END_OF_JPEG, position - 2) < 0:
        raise _truncated(source)
    height, width = frame
    x_dpi, y_dpi = density if density[0] else exif.dpi
    dpi = declared_dpi(x_dpi, y_dpi, width, height)
    return ImageHeader(width, height, dpi, exif.turn)


def read_png_header(data: bytes, source: str) -> ImageHeader:
    """Header of a PNG file; refuses a file without its last chunk.

    Raises
    ------
    ImageError
    """
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise _truncated(source)
    width, height, depth, colour_type = struct.unpack_from(">IIBB", data, 16)
    x_dpi = y_dpi = 0.0
    transparent = colour_type in (4, 6)
    exif = _Exif()
    position = 33
    coded: list[slice] = []
    while True:
        if position + 12 > len(data):
            raise _truncated(source)
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        body = position + 8
        if kind == b"IEND":
            break
        if kind == b"pHYs" and length == 9 and body + 9 <= len(data):
            x, y, unit = struct.unpack_from(">IIB", data, body)
            if unit == 1:  # pixels a metre
                x_dpi, y_dpi = x * MM_PER_INCH / 1000, y * MM_PER_INCH / 1000
        elif kind == b"tRNS":
            transparent = True
        elif kind == b"IDAT":
            coded.append(slice(body, body + length))
        elif kind == b"eXIf":
            exif = _read_exif(data[body : body + length])
        position = body + length + 4
    if not width or not height:
        raise ImageError(source, "the PNG header declares no size", RESCAN)
    dpi = declared_dpi(x_dpi, y_dpi, width, height)
    bits = (1 if colour_type == 3 else _PNG_CHANNELS.get(colour_type, 1)) * depth
    if _is_overlong([data[part] for part in coded], height * (-(-width * bits // 8) + 4) + 64):
        raise ImageError(source, "it holds far more image data than its size asks for", RESCAN)
    channels = _PNG_CHANNELS.get(colour_type, 1) + (transparent and colour_type < 4)
    pixel_bytes = channels * -(-depth // 8)
    return ImageHeader(width, height, dpi, exif.turn, pixel_bytes=pixel_bytes)


def _is_overlong(parts: list[bytes], most_bytes: int) -> bool:
    """Whether deflated data inflate to more than a page needs, which libpng would follow.

    Data that cannot take long are not looked at: they inflate to a thousandfold at most.
    """
    n_coded = sum(map(len, parts))
    if n_coded <= min(most_bytes + most_bytes // 100, _QUICKLY_INFLATED):
        return False
    inflater = zlib.decompressobj()
    n_bytes = 0
    try:
        for part in parts:
            for start in range(0, len(part), _INFLATED_STEP):
                n_bytes += len(inflater.decompress(part[start : start + _INFLATED_STEP]))
                if n_bytes > most_bytes:
                    return True
    except zlib.error:  # for the decoder to tell
        return False
    return False


def read_tiff_headers(data: bytes, source: str, max_pages: int) -> tuple[ImageHeader, ...]:
    """Headers of the pages of a TIFF file; refuses a page whose data lies outside the file.

    Raises
    ------
    ImageError
    """
    headers: list[ImageHeader] = []
    seen: set[int] = set()
    try:
        tiff = _Tiff(data)
        offset = tiff.first
        while offset and offset not in seen:
            if len(headers) == max_pages:
                raise ImageError(
                    source,
                    f"it has more than {max_pages} pages",
                    "Split the file, or raise the limit on pages.",
                )
            seen.add(offset)
            tags, offset = tiff.directory(offset)
            headers.append(_tiff_page(tags, data, source))
    except struct.error as exc:
        raise _truncated(source) from exc
    if not headers:
        raise ImageError(source, "the TIFF file has no page", RESCAN)
    return tuple(headers)


def _tiff_page(tags: dict[int, tuple[float, ...]], data: bytes, source: str) -> ImageHeader:
    width, height = (int(tags.get(tag, (0,))[0]) for tag in (256, 257))
    if not width or not height:
        raise ImageError(source, "the TIFF header declares no size", RESCAN)
    starts = tags.get(273) or tags.get(324) or ()  # strips or tiles
    lengths = tags.get(279) or tags.get(325) or (0,) * len(starts)
    if not starts or len(starts) != len(lengths):
        raise ImageError(source, "the TIFF header names no image data", RESCAN)
    parts = [slice(int(a), int(a + n)) for a, n in zip(starts, lengths, strict=True)]
    if any(part.stop > len(data) for part in parts):
        raise _truncated(source)
    if sum(lengths) > len(data):
        raise ImageError(source, "parts of its image data are the same bytes of the file", RESCAN)
    fax = _fax_page(tags, width, height)
    is_other_fax = fax is None and tags.get(259, (1,))[0] == _GROUP_4
    # No two of its codes have so many zeros between them (ITU-T T.6, 2.2).
    if is_other_fax and any(b"\0\0\0" in data[part].rstrip(b"\0") for part in parts):
        raise _damaged(source)
    per_inch = _PER_INCH.get(int(tags.get(296, (_INCH,))[0]), 0.0)
    x_dpi, y_dpi = (tags.get(tag, (0.0,))[0] * per_inch for tag in (282, 283))
    return ImageHeader(
        width,
        height,
        declared_dpi(x_dpi, y_dpi, width, height),
        _TURNS.get(int(tags.get(274, (1,))[0]), _UPRIGHT),
        fax,
        tuple(parts),
        _jpeg_tables(tags, source),
        int(tags.get(277, (1,))[0] * -(-tags.get(258, (1,))[0] // 8)),
    )


def _fax_page(tags: dict[int, tuple[float, ...]], width: int, height: int) -> FaxPage | None:
    """How to decode a Group 4 page as scanners write it: strips of one bit a pixel."""

    def tag(number: int, default: int) -> int:
        return int(tags.get(number, (default,))[0])

    rows = min(tag(278, height), height)
    is_plain = tag(258, 1) == tag(277, 1) == 1 and tag(262, 0) in (0, 1) and 273 in tags
    if tag(259, 1) != _GROUP_4 or not is_plain or tag(293, 0) or not rows:
        return None
    return FaxPage(width, height, rows, 0 if tag(262, 0) else 255, tag(266, 1) == 2)


def _jpeg_tables(tags: dict[int, tuple[float, ...]], source: str) -> bytes | None:
    if tags.get(259, (1,))[0] != _JPEG:
        return None
    values = tags.get(347, ())
    if len(values) > _MOST_TABLES or any(value > 255 for value in values):
        raise _damaged(source)
    return bytes(int(value) for value in values)[2:-2]


@dataclass(frozen=True, slots=True)
class _Exif:
    turn: Turn = _UPRIGHT
    dpi: tuple[float, float] = (0.0, 0.0)


def _read_exif(data: bytes) -> _Exif:
    """Orientation and resolution; a damaged block says nothing, the image stays usable."""
    try:
        tiff = _Tiff(data)
        tags, _ = tiff.directory(tiff.first)
    except struct.error:
        return _Exif()
    orientation = int(tags.get(274, (1,))[0])
    per_inch = _PER_INCH.get(int(tags.get(296, (_INCH,))[0]), 0.0)
    x, y = (tags.get(tag, (0.0,))[0] * per_inch for tag in (282, 283))
    return _Exif(_TURNS.get(orientation, _UPRIGHT), (x, y))


# struct letters by field type; text, signed and floating types are not needed
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 5: "II", 7: "B", 13: "I", 16: "Q", 18: "Q"}
_TIFF_TAGS = frozenset(
    (*range(256, 260), 262, 266, 273, 274, *range(277, 280), 282, 283, 293, 296, 324, 325, 347)
)


class _Tiff:
    """Directories of a TIFF structure. Every read outside the data is a struct.error."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
        if not self._order:
            raise struct.error("no byte order mark")
        self._big = self._unpack("H", 2)[0] == 43
        self.first = self._unpack("Q", 8)[0] if self._big else self._unpack("I", 4)[0]

    def directory(self, offset: int) -> tuple[dict[int, tuple[float, ...]], int]:
        """The wanted tags of the directory at an offset, and the next one's offset."""
        count_format, entry_size, word = ("Q", 20, "Q") if self._big else ("H", 12, "I")
        (count,) = self._unpack(count_format, offset)
        first = offset + struct.calcsize(f"={count_format}")
        (following,) = self._unpack(word, first + count * entry_size)
        tags: dict[int, tuple[float, ...]] = {}
        for entry in range(first, first + count * entry_size, entry_size):
            tag, kind = self._unpack("HH", entry)
            if tag in _TIFF_TAGS and kind in _TIFF_TYPES:
                values = self._values(kind, entry + 4, word)
                if values:
                    tags[tag] = values
        return tags, following

    def _values(self, kind: int, entry: int, word: str) -> tuple[float, ...]:
        (count,) = self._unpack(word, entry)
        place = entry + struct.calcsize(f"={word}")
        letters = _TIFF_TYPES[kind]
        size = count * struct.calcsize(f"={letters}")
        if size > len(self._data):
            raise struct.error("more values than the file has bytes")
        if size > struct.calcsize(f"={word}"):
            (place,) = self._unpack(word, place)
        values = self._unpack(f"{count * len(letters)}{letters[0]}", place)
        if len(letters) == 1:
            return values
        return tuple(a / b if b else 0.0 for a, b in zip(values[::2], values[1::2], strict=True))

    def _unpack(self, letters: str, offset: int) -> tuple[int, ...]:
        if offset > len(self._data):
            raise struct.error("outside the file")
        return struct.unpack_from(self._order + letters, self._data, offset)


def _truncated(source: str) -> ImageError:
    return ImageError(source, "the file ends before the image does", RESCAN)


def _damaged(source: str) -> ImageError:
    return ImageError(source, "the image data is damaged", RESCAN)
