"""JPEG, PNG and TIFF pages to pixels."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from inkmark.errors import ImageError
from inkmark.images._blocks import check_codes, jpeg_pixels
from inkmark.images._fax import DamagedFax, FaxPage, decode_fax
from inkmark.images._jpeg import DamagedJpeg, read_jpeg
from inkmark.images._png import is_whole, read_bits
from inkmark.images.headers import RESCAN, ImageHeader
from inkmark.images.pixels import Pixels, Turn

__all__ = [
    "Raster",
    "TiffDecoder",
    "check_jpeg_strips",
    "load_fax",
    "load_still",
    "load_still_colour",
    "to_colour",
    "to_grey",
    "turned",
]

Raster = NDArray[np.uint8]

_JPEG = b"\xff\xd8"
_MIDDLE_GREY = 128
_BAND_ROWS = 512

# What Pillow raises for damaged files; a warning where the caller makes those errors.
_PILLOW_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    KeyError,
    TypeError,
    struct.error,
    UserWarning,
    Image.DecompressionBombError,
)


def load_still(data: bytes, header: ImageHeader, source: str) -> Pixels:
    """Grey pixels of a JPEG or PNG file, upright.

    What is transparent becomes white paper, 16 bits are reduced to 8. JPEG files of the
    usual kinds are checked to their end, and decoded where they are looked at.

    Raises
    ------
    ImageError
    """
    if data.startswith(_JPEG):
        try:
            lazy = jpeg_pixels(read_jpeg(data), header.turn)
        except DamagedJpeg as exc:
            raise _undecodable(source) from exc
        if lazy is not None:
            return lazy
        pixels = _decode_jpeg(data, source, colour=False)
    else:
        bits = read_bits(data)
        pixels = _decode_png(data, source, colour=False) if bits is None else bits
    return Pixels.of(turned(pixels, header.turn))


def load_still_colour(data: bytes, header: ImageHeader, source: str) -> Raster:
    """Pixels of a JPEG or PNG file, upright: (H, W, 3) uint8 BGR.

    Raises
    ------
    ImageError
    """
    decode = _decode_jpeg if data.startswith(_JPEG) else _decode_png
    return turned(decode(data, source, colour=True), header.turn)


def _decode_jpeg(data: bytes, source: str, *, colour: bool) -> Raster:
    try:
        with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
            if not colour and image.mode == "RGB":
                image.draft("L", image.size)
            pixels = _from_pillow(image, source, colour=colour)
    except _PILLOW_ERRORS as exc:
        raise _undecodable(source) from exc
    if not _is_whole(data, pixels):
        raise _undecodable(source)
    return pixels


def _decode_png(data: bytes, source: str, *, colour: bool) -> Raster:
    if not is_whole(data):
        raise _undecodable(source)
    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
            return _from_pillow(image, source, colour=colour)
    except _PILLOW_ERRORS as exc:
        raise _undecodable(source) from exc


def _is_whole(data: bytes, pixels: NDArray[Any]) -> bool:
    """Whether a JPEG file is whole, as far as can be told.

    Codes of progressive and arithmetic files are not followed: there, a last block of
    middle grey tells that the data ended before. Damage that does not show so is not found.
    """
    try:
        jpeg = read_jpeg(data)
        if jpeg.frame.is_followed:
            check_codes(jpeg)
            return True
    except DamagedJpeg:
        return False
    corner = pixels[(pixels.shape[0] - 1) & ~7 :, (pixels.shape[1] - 1) & ~7 :]
    return not (corner == _MIDDLE_GREY).all()


def load_fax(strips: Sequence[bytes], fax: FaxPage, turn: Turn, source: str) -> Raster:
    """Grey pixels of a CCITT Group 4 page, upright.

    Raises
    ------
    ImageError
    """
    try:
        pixels = decode_fax(strips, fax)
    except DamagedFax as exc:
        raise _undecodable(source) from exc
    return turned(pixels, turn)


def check_jpeg_strips(strips: Iterable[bytes], tables: bytes, source: str) -> None:
    """Refuse damage to the JPEG strips of a TIFF page that the decoder would only warn of.

    Raises
    ------
    ImageError
    """
    try:
        for strip in strips:
            jpeg = read_jpeg(strip[:2] + tables + strip[2:])
            if not jpeg.frame.is_followed:
                raise _undecodable(source)
            check_codes(jpeg)
    except DamagedJpeg as exc:
        raise _undecodable(source) from exc


class TiffDecoder:
    """Decodes pages of a TIFF file whose headers `read_tiff_headers` found sound.

    Pillow reads every kind scanners write: 1-bit G3, palettes, white-is-zero. It turns
    pages upright by their orientation tag.
    """

    def __init__(self, data: bytes, source: str) -> None:
        try:
            self._image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        except _PILLOW_ERRORS as exc:
            raise _undecodable(source) from exc

    def decode(self, index: int, source: str, *, colour: bool) -> Raster:
        """Pixels of a page: (H, W) uint8, or (H, W, 3) uint8 BGR when `colour`.

        Raises
        ------
        ImageError
        """
        try:
            self._image.seek(index)
            return _from_pillow(self._image, source, colour=colour)
        except _PILLOW_ERRORS as exc:
            raise _undecodable(source) from exc

    def close(self) -> None:
        """Free the file."""
        self._image.close()


def turned(pixels: Raster, turn: Turn) -> Raster:
    """Pixels set upright."""
    transpose, flip_x, flip_y = turn
    if transpose:
        pixels = cv2.transpose(pixels)  # type: ignore[assignment]
    if flip_x or flip_y:
        pixels = cv2.flip(pixels, -1 if flip_x and flip_y else int(flip_x))  # type: ignore[assignment]
    return pixels


def to_colour(pixels: Raster) -> Raster:
    """BGR of a grey image."""
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]


def to_grey(pixels: Raster) -> Raster:
    """Grey of a BGR image by the luma weights that JPEG uses."""
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def _from_pillow(image: Image.Image, source: str, *, colour: bool) -> Raster:
    if image.mode in ("I", "F"):
        raise ImageError(source, "its pixels have 32 bits", "Save the scan with 8 bits a channel.")
    is_deep = image.mode.startswith("I;16")
    image.load()
    one_is_clear = "transparency" in image.info  # a colour, or colours of the palette
    may_show_paper = one_is_clear or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    width, height = image.size
    canvas = np.empty((height, width, 3) if colour else (height, width), np.uint8)
    for band in _bands(height):
        part = image.crop((0, band.start, width, band.stop))
        if is_deep:
            deep = np.asarray(part)
            grey = (deep >> 8).astype(np.uint8)
            if one_is_clear:
                grey[deep == image.info["transparency"]] = 255
            canvas[band] = to_colour(grey) if colour else grey
            continue
        if may_show_paper:
            paper = Image.new("RGBA", part.size, "white")
            paper.alpha_composite(part.convert("RGBA"))
            part = paper.convert("RGB")
        canvas[band] = np.asarray(part.convert("RGB" if colour else "L"))
    return cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR, dst=canvas) if colour else canvas  # type: ignore[return-value]


def _bands(height: int) -> Iterator[slice]:
    """Rows in bands: what is made on the way to grey pixels is larger than they are."""
    return (slice(y, min(y + _BAND_ROWS, height)) for y in range(0, height, _BAND_ROWS))


def _undecodable(source: str) -> ImageError:
    return ImageError(source, "the image data is damaged", RESCAN)
