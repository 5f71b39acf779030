"""Small image files of every kind that is read, and what damage does to such files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from reportlab.pdfgen.canvas import Canvas

__all__ = ["damaged", "flat_jpeg", "sound_files"]

Grey = NDArray[np.uint8]

_WORDS = (
    *(
        b"\xff" + bytes([kind])
        for kind in (0, 0xC0, 0xC2, 0xC4, 0xD0, 0xD7, 0xD9, 0xDA, 0xDB, 0xDD)
    ),
    *(b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"II*\0", b"MM\0*"),
    *(b"/Length", b"/Width", b"/Height", b"/Filter", b"/Decode", b"/SMask 1 0 R", b"/Kids"),
    *(b"obj", b"endobj", b"stream", b"endstream", b"<<", b">>", b"xref", b"%PDF-1.7", b"1 0 R"),
)
_JPEG_HEADERS = (b"\xff\xc0", b"\xff\xc2", b"\xff\xda")
_FACTORS = (0, 1, 2, 3, 4, 0x10, 0x11, 0x12, 0x14, 0x21, 0x22, 0x33, 0x41, 0x42, 0x44, 0x51, 0xFF)
"""Sampling factors, and numbers of components and tables."""
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def sound_files(page: Grey) -> dict[str, bytes]:
    """Give one file of each kind by name.

    Parameters
    ----------
    page : (H, W) uint8

    Returns
    -------
    dict of str to bytes
    """
    return dict([*_jpegs(page), *_pngs(page), *_tiffs(page), *_pdfs(page)])


def damaged(
    files: Sequence[bytes], rng: np.random.Generator, *, most_bytes: int = 1 << 20
) -> tuple[int, bytes]:
    """Damage one of some files in one to four ways.

    Parameters
    ----------
    files : sequence of bytes
    rng : numpy.random.Generator
    most_bytes : int
        No file grows longer than this.

    Returns
    -------
    int
        Which of the files it was.
    bytes
    """
    which = int(rng.integers(len(files)))
    data = files[which]
    other = files[int(rng.integers(len(files)))]
    for _ in range(int(rng.choice((1, 1, 1, 2, 3, 4)))):
        way = _WAYS[int(rng.integers(len(_WAYS)))]
        data = way(data, other, rng)[:most_bytes] or b"\0"
    return which, data


def flat_jpeg(
    order: Sequence[int] = (0, 1, 2),
    factors: Sequence[tuple[int, int]] = ((2, 2), (1, 1), (1, 1)),
    size: tuple[int, int] = (64, 48),
) -> bytes:
    """Give a grey JPEG file whose data fits its headers whatever order they name.

    All components have the same tables, and each block is two bits.

    Parameters
    ----------
    order : sequence of int
        Components of the scan by their positions in the frame.
    factors : sequence of (int, int)
        Sampling factors of each component of the frame, across and down.
    size : tuple of int
        Width and height.

    Returns
    -------
    bytes
    """
    sides = [8 * max(1, *(pair[axis] for pair in factors)) for axis in (0, 1)]
    n_units = -(-size[0] // sides[0]) * -(-size[1] // sides[1])
    n_bits = 2 * n_units * sum(across * down for across, down in factors)
    frame = struct.pack(">BHHB", 8, size[1], size[0], len(factors)) + b"".join(
        bytes((k + 1, 16 * across + down, 0)) for k, (across, down) in enumerate(factors)
    )
    scan = bytes((len(order), *(byte for k in order for byte in (k + 1, 0)), 0, 63, 0))
    only_code = b"\1" + bytes(16)  # one code of one bit, for the symbol 0
    segments = (
        *((0xDB, b"\0" + b"\1" * 64), (0xC0, frame)),
        *((0xC4, b"\0" + only_code), (0xC4, b"\x10" + only_code), (0xDA, scan)),
    )
    head = b"".join(struct.pack(">BBH", 255, kind, 2 + len(body)) + body for kind, body in segments)
    return b"\xff\xd8" + head + bytes(-(-n_bits // 8)) + b"\xff\xd9"


def _place(data: bytes, rng: np.random.Generator) -> int:
    """A byte of the file; every other time one of its first, where headers are."""
    return int(rng.integers(min(len(data), 1024 if rng.random() < 0.5 else len(data))))


def _flip_bits(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        out[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _set_bytes(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.bytes(int(rng.integers(1, 9))) + data[at + 1 :]


def _set_number(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    width = int(rng.choice([1, 2, 4]))
    number = int(_NUMBERS[int(rng.integers(len(_NUMBERS)))]) & ((1 << 8 * width) - 1)
    order = "little" if rng.random() < 0.5 else "big"
    return data[:at] + number.to_bytes(width, order) + data[at + width :]  # type: ignore[arg-type]


def _set_digits(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    """Change a number written in digits, as PDF does."""
    at = _place(data, rng)
    while at < len(data) and not 0x30 <= data[at] <= 0x39:
        at += 1
    digits = b"%d" % int(rng.choice([0, 1, 2, 7, 999, 65536, 99999999, 4294967296]))
    return data[:at] + digits + data[at + 1 :]


def _truncate(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)]


def _drop(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + int(rng.integers(1, 400)) :]


def _repeat(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    at, n = _place(data, rng), int(rng.integers(1, 2000))
    return data[: at + n] + data[at:]


def _zeros(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    at, n = _place(data, rng), int(rng.integers(1, 600))
    fill = b"\0" if rng.random() < 0.5 else b"\xff"
    return data[:at] + fill * min(n, len(data) - at) + data[at + n :]


def _splice(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    start, n = _place(other, rng), int(rng.integers(1, 3000))
    at = _place(data, rng)
    return data[:at] + other[start : start + n] + data[at:]


def _join(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _word(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    at, word = _place(data, rng), _WORDS[int(rng.integers(len(_WORDS)))]
    return data[:at] + word + data[at + len(word) * int(rng.integers(2)) :]


def _jpeg_header(data: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    """Change the components of a frame or scan header: their order, or a number of one."""
    starts = [at for kind in _JPEG_HEADERS if (at := data.find(kind)) >= 0]
    if not starts:
        return data
    at = starts[int(rng.integers(len(starts)))]
    is_frame = data[at + 1] != 0xDA
    width, first = (3, at + 10) if is_frame else (2, at + 5)
    n = int.from_bytes(data[first - 1 : first], "big")
    parts = [data[k : k + width] for k in range(first, first + width * min(n, 4), width)]
    parts = [part for part in parts if len(part) == width]
    if not parts:
        return data
    if rng.random() < 0.5:
        changed = [parts[k] for k in rng.permutation(len(parts)).tolist()]
    else:
        which, byte = int(rng.integers(len(parts))), int(rng.integers(width))
        number = _FACTORS[int(rng.integers(len(_FACTORS)))]
        part = parts[which]
        changed = list(parts)
        changed[which] = part[:byte] + bytes([number]) + part[byte + 1 :]
    return data[:first] + b"".join(changed) + data[first + width * len(parts) :]


_Way = Callable[[bytes, bytes, np.random.Generator], bytes]
_WAYS: tuple[_Way, ...] = (
    _flip_bits,
    _set_bytes,
    _set_number,
    _set_digits,
    _truncate,
    _drop,
    _repeat,
    _zeros,
    _splice,
    _join,
    _word,
    _jpeg_header,
)


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _jpegs(page: Grey) -> Iterator[tuple[str, bytes]]:
    grey = Image.fromarray(page)
    colour = Image.fromarray(cv2.applyColorMap(page, cv2.COLORMAP_BONE).astype(np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    yield "grey JPEG", _saved(grey, "JPEG", quality=80, dpi=(100, 100))
    yield "turned JPEG", _saved(grey, "JPEG", exif=exif)
    yield "JPEG with restarts", _saved(grey, "JPEG", restart_marker_blocks=20)
    yield "JPEG with tables of its own", _saved(grey, "JPEG", optimize=True)
    yield "colour JPEG", _saved(colour, "JPEG")
    yield "colour JPEG with restarts", _saved(colour, "JPEG", restart_marker_rows=1)
    yield "progressive JPEG", _saved(grey, "JPEG", progressive=True)
    yield "progressive colour JPEG", _saved(colour, "JPEG", progressive=True)
    yield "flat JPEG", flat_jpeg(size=(400, 300))
    yield "flat JPEG of four components", flat_jpeg(range(4), [(2, 2), *[(1, 1)] * 3])
    yield "CMYK JPEG", _saved(colour.convert("CMYK"), "JPEG")


def _pngs(page: Grey) -> Iterator[tuple[str, bytes]]:
    grey = Image.fromarray(page)
    clear = grey.convert("RGBA")
    clear.putalpha(grey)
    yield "1-bit PNG", _saved(grey.convert("1"), "PNG")
    yield "grey PNG", _saved(grey, "PNG")
    yield "16-bit PNG", _saved(Image.fromarray(page[::2, ::2].astype(np.uint16) * 257), "PNG")
    yield "palette PNG", _saved(grey.convert("RGB").quantize(16), "PNG")
    yield "transparent PNG", _saved(clear.resize((200, 280)), "PNG")
    yield "interlaced PNG", _interlaced(page[::2, ::2])


def _interlaced(page: Grey) -> bytes:
    """Adam7 (PNG, 8.2), without filters."""
    height, width = page.shape
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    lines = [
        b"\0" + bytes(line)
        for y, x, down, across in (*passes, (1, 0, 2, 1))
        for line in page[y::down, x::across]
    ]
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)),
        (b"IDAT", zlib.compress(b"".join(lines))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _tiffs(page: Grey) -> Iterator[tuple[str, bytes]]:
    grey = Image.fromarray(page)
    bilevel = grey.point(lambda value: 255 * (value > 128), "1")
    deep = Image.fromarray(page.astype(np.uint16) * 257)
    yield "G4 TIFF", _saved(bilevel, "TIFF", compression="group4", dpi=(100, 100))
    yield "G4 TIFF in strips", _saved(bilevel, "TIFF", compression="group4", strip_size=8192)
    yield "G3 TIFF", _saved(bilevel, "TIFF", compression="group3")
    yield "1-bit TIFF", _saved(bilevel, "TIFF")
    yield "LZW TIFF", _saved(grey, "TIFF", compression="tiff_lzw")
    yield "deflate TIFF", _saved(grey, "TIFF", compression="tiff_adobe_deflate")
    yield "TIFF with JPEG", _saved(grey, "TIFF", compression="jpeg")
    yield "16-bit TIFF", _saved(deep.resize((200, 280)), "TIFF", compression="tiff_lzw")
    pages = [bilevel, grey.resize((200, 280)), bilevel.resize((100, 140))]
    yield (
        "TIFF of three pages",
        _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw"),
    )
    yield "tiled TIFF", _tiled(page[:256, :256])


def _tiled(page: Grey) -> bytes:
    """Tiles of 128 x 128 pixels, uncompressed."""
    height, width = page.shape
    tiles = [
        page[y : y + 128, x : x + 128].tobytes()
        for y in range(0, height, 128)
        for x in range(0, width, 128)
    ]
    start = 8 + sum(map(len, tiles))
    n = len(tiles)
    tags = (
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)),
        *((262, 3, 1, 1), (277, 3, 1, 1), (322, 3, 1, 128), (323, 3, 1, 128)),
        *((324, 4, n, start), (325, 4, n, start + 4 * n)),
    )
    offsets = [8 + sum(map(len, tiles[:k])) for k in range(n)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return (
        struct.pack("<2sHI", b"II", 42, start + 8 * n)
        + b"".join(tiles)
        + struct.pack(f"<{2 * n}I", *offsets, *map(len, tiles))
        + directory
        + bytes(4)
    )


def _pdfs(page: Grey) -> Iterator[tuple[str, bytes]]:
    grey = Image.fromarray(page)
    bilevel = grey.point(lambda value: 255 * (value > 128), "1")
    height, width = page.shape
    strip = _g4(bilevel)
    device = "/ColorSpace /DeviceGray"
    fax = f"/DecodeParms << /K -1 /Columns {width} /Rows {height} >>"
    eight, one = f"/BitsPerComponent 8 {device}", f"/BitsPerComponent 1 {device}"
    for name, entries, stream in (
        ("PDF with JPEG", f"{eight} /Filter /DCTDecode", _saved(grey, "JPEG", quality=80)),
        ("PDF with G4", f"{one} /Filter /CCITTFaxDecode {fax}", strip),
        ("PDF with JBIG2", f"{one} /Filter /JBIG2Decode", _jbig2(strip, width, height)),
        ("PDF with Flate", f"{eight} /Filter /FlateDecode", zlib.compress(page.tobytes())),
    ):
        yield name, _pdf(f"/Width {width} /Height {height} {entries}", stream)
    out = io.BytesIO()
    canvas = Canvas(out)
    for line in range(30):
        canvas.drawString(60, 780 - 24 * line, f"{line + 1}.  (A)  (B)  (C)  (D)")
    canvas.save()
    yield "PDF to render", out.getvalue()


def _g4(bilevel: Image.Image) -> bytes:
    """Give the bare G4 data, black being 0 as PDF has it."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262] = 0
    data = _saved(bilevel, "TIFF", compression="group4", tiffinfo=info, strip_size=1 << 24)
    with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as image:
        (start,), (size,) = image.tag_v2[273], image.tag_v2[279]
    return data[start : start + size]


def _jbig2(strip: bytes, width: int, height: int) -> bytes:
    """Page information and a generic region in MMR, which is G4 (ITU-T T.88, 7.2, 7.4.6)."""
    page = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", width, height, 0, 0, 0, 1) + strip
    return (
        struct.pack(">IBBBI", 0, 48, 0, 1, len(page))
        + page
        + struct.pack(">IBBBI", 1, 38, 0, 1, len(region))
        + region
    )


def _pdf(image: str, stream: bytes) -> bytes:
    """One page, filled by one image."""
    draw = b"q 595 0 0 842 0 0 cm /Im0 Do Q"
    head = f"<< /Type /XObject /Subtype /Image {image} /Length {len(stream)} >>"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>"
        % b"<< /XObject << /Im0 5 0 R >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(draw), draw),
        head.encode() + b"\nstream\n" + stream + b"\nendstream",
    )
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\n" % (len(bodies) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)
