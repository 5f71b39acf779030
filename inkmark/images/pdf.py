"""PDF pages to pixels: the scanner's own image where a page is one, else a rendering.

Rendering resamples the page and costs five to ten times as much as taking the image
stream out. pypdfium2 is not thread-safe; every call goes through one lock. What may take
long is left to another process, see `_rendering`.
"""

from __future__ import annotations

import ctypes
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from inkmark.errors import ImageError
from inkmark.images._coded import LONGEST_HEAD, Coded, streams
from inkmark.images._fax import FaxPage
from inkmark.images._rendering import NotDrawn, Reason, Renderer
from inkmark.images.headers import (
    RESCAN,
    ImageHeader,
    check_size,
    declared_dpi,
    read_jpeg_header,
)
from inkmark.images.pixels import Pixels, Turn
from inkmark.images.raster import (
    Raster,
    load_fax,
    load_still,
    load_still_colour,
    to_colour,
    to_grey,
    turned,
)

__all__ = ["PdfPages"]

_LOCK = threading.RLock()

_POINTS_PER_INCH = 72.0

_Rectangle = tuple[float, float, float, float]  # left, bottom, right, top, in points

# Dictionaries of images stand in the file in plain text, so these tell for the whole file
# whether any image is drawn through a mask, or with its values remapped.
_MASK = re.compile(rb"/(?:ImageMask\s+true|S?Mask\s*[\[\d])")
_DECODE = re.compile(rb"/Decode\s*[\[\d]")

_WIDTH = re.compile(rb"/Width\s+(\d{1,10})")
_HEIGHT = re.compile(rb"/Height\s+(\d{1,10})")

# Parameters of CCITT data (ISO 32000-1, table 11); Group 4 has a K below zero.
_FAX_K = re.compile(rb"/K\s+-\d")
_FAX_COLUMNS = re.compile(rb"/Columns\s+(\d{1,9})(?!\d)(?!\s+\d+\s+R)")
_FAX_INVERTED = re.compile(rb"/BlackIs1\s+true")
_FAX_ALIGNED = re.compile(rb"/EncodedByteAlign\s+true")

_SPARE = 1 << 20
"""Bytes of an image beyond its pixels: predictors, fill at the ends of rows."""
_MOST_DRAWN = 50_000
"""Objects on a page. A full answer sheet has 5,000."""
_TOO_MUCH = "Print the page and scan it, or save it as an image."
_PLAIN_COLOURS = frozenset(
    {
        pdfium.FPDF_COLORSPACE_DEVICEGRAY,
        pdfium.FPDF_COLORSPACE_DEVICERGB,
        pdfium.FPDF_COLORSPACE_CALGRAY,
        pdfium.FPDF_COLORSPACE_CALRGB,
        pdfium.FPDF_COLORSPACE_ICCBASED,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """What a page shows, how it is set upright, and its resolution.

    The image is pixels, a JPEG stream, or CCITT Group 4 data.
    """

    image: Raster | bytes | _Fax
    turn: Turn
    dpi: float | None


_UPRIGHT = (False, False, False)


_Fax = tuple[bytes, FaxPage]


class PdfPages:
    """Pages of an open PDF file.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name for messages.
    max_pages, max_pixels : int
    render_dpi : float
        Resolution at which a page that is not one image is rendered.

    Raises
    ------
    ImageError
    """

    def __init__(
        self, data: bytes, source: str, *, max_pages: int, max_pixels: int, render_dpi: float
    ) -> None:
        self._data = data
        self._found_at = 0  # where in the data the last stream was
        self._max_pixels = max_pixels
        self._render_dpi = render_dpi
        # The words alone are looked for first, as that takes a tenth of the time.
        self._masked = b"Mask" in data and _MASK.search(data) is not None
        self._remapped = b"/Decode" in data and _DECODE.search(data) is not None
        with _LOCK:
            try:
                self._document = pypdfium2.PdfDocument(data)
                self.n_pages = len(self._document)
            except pypdfium2.PdfiumError as exc:
                if exc.err_code == pdfium.FPDF_ERR_PASSWORD:
                    raise ImageError(
                        source,
                        "the PDF file is protected by a password",
                        "Save a copy without a password and use that.",
                    ) from exc
                raise ImageError(source, "the PDF file is damaged or truncated", RESCAN) from exc
        self._renderer = Renderer(data, self.n_pages, max_pixels)
        if not 0 < self.n_pages <= max_pages:
            reason = f"it has more than {max_pages} pages" if self.n_pages else "it has no page"
            self.close()
            raise ImageError(source, reason, "Split the file, or raise the limit on pages.")
        coded = Coded.of(data, self.n_pages)
        if coded.too_long:
            self.close()
            reason = "its drawing commands are far longer than those of any sheet"
            raise ImageError(source, reason, _TOO_MUCH)
        self._sizes = {_size_in(head) for head, _, _ in streams(data)} if self._masked else set()
        self._loads_soon = coded.is_flat and not _is_encrypted(self._document)

    def close(self) -> None:
        """Free the document."""
        self._renderer.close()
        with _LOCK:
            self._document.close()

    def load(self, index: int, source: str) -> tuple[Pixels, float | None]:
        """Grey pixels and resolution of a page.

        Raises
        ------
        ImageError
        """
        drawn = self._drawn(index, source, colour=False)
        if isinstance(drawn.image, bytes):
            header = self._header(drawn.image, drawn.turn, source)
            return load_still(drawn.image, header, source), drawn.dpi
        return Pixels.of(_pixels(drawn.image, drawn.turn, source)), drawn.dpi

    def load_colour(self, index: int, source: str) -> Raster:
        """Pixels of a page: (H, W, 3) uint8 BGR.

        Raises
        ------
        ImageError
        """
        drawn = self._drawn(index, source, colour=True)
        if isinstance(drawn.image, bytes):
            header = self._header(drawn.image, drawn.turn, source)
            return load_still_colour(drawn.image, header, source)
        pixels = _pixels(drawn.image, drawn.turn, source)
        return to_colour(pixels) if pixels.ndim == 2 else pixels

    def _drawn(self, index: int, source: str, *, colour: bool) -> _Drawn:
        if not self._loads_soon:
            with self._what_stops_drawing(source):
                self._renderer.try_loading(index)
        with _LOCK, self._what_stops_drawing(source):
            page = self._document[index]
            try:
                _check_drawn(page, source)
                placed = None if self._masked else _only_image(page)
                if placed is not None:
                    return self._taken_out(*placed, source, colour=colour)
                self._check_page(page, source)
            finally:
                page.close()
        with self._what_stops_drawing(source):
            return self._rendered(index, colour=colour)

    @contextmanager
    def _what_stops_drawing(self, source: str) -> Iterator[None]:
        """Say in our own words why a page cannot be drawn."""
        try:
            yield
        except pypdfium2.PdfiumError as exc:
            raise ImageError(source, "the page of the PDF file is damaged", RESCAN) from exc
        except NotDrawn as exc:
            match exc.reason:
                case Reason.LONG:
                    reason = "rendering its pages takes longer, or more memory, than any sheets do"
                    remedy = _TOO_MUCH
                case Reason.LARGE:
                    limit = f"the limit of {self._max_pixels:,}"
                    reason = f"its images together have more pixels than {limit}"
                    remedy = "Scan at 200 or 300 dpi, or raise the limit on pixels."
                case Reason.START:
                    reason = "rendering it takes a process of its own, and none starts"
                    remedy = "Check that the machine has memory left and that Python is whole."
                case Reason.DAMAGED:
                    reason, remedy = "the page of the PDF file is damaged", RESCAN
            raise ImageError(source, reason, remedy) from exc

    def _taken_out(
        self,
        image: pypdfium2.PdfImage,
        to_display: NDArray[np.float64],
        source: str,
        *,
        colour: bool,
    ) -> _Drawn:
        width, height = image.get_px_size()
        self._check_size(width, height, source)
        _check_deflated(image, source)
        drawn: Raster | bytes | _Fax | None = None
        if not self._remapped:
            drawn = _jpeg_stream(image) or self._fax_stream(image, width, height)
        if drawn is None:
            drawn = _in_channels(image.get_bitmap().to_numpy(), colour=colour)
        dpi = declared_dpi(
            width * _POINTS_PER_INCH / float(np.hypot(*to_display[:, 0])),
            height * _POINTS_PER_INCH / float(np.hypot(*to_display[:, 1])),
            width,
            height,
        )
        return _Drawn(drawn, _turn(to_display), dpi)

    def _header(self, stream: bytes, turn: Turn, source: str) -> ImageHeader:
        """The stream's size; a PDF page has a rotation of its own and knows no EXIF."""
        header = read_jpeg_header(stream, source)
        self._check_size(header.width, header.height, source)
        return ImageHeader(header.width, header.height, turn=turn)

    def _fax_stream(self, image: pypdfium2.PdfImage, width: int, height: int) -> _Fax | None:
        """The image's CCITT data where it is Group 4 as scanners write it.

        pdfium gives the data but not the parameters. Those stand before it in the file, as
        the dictionary of a stream is never compressed.
        """
        if _filters(image) != ["CCITTFaxDecode"] or not _is_plain(image, (1,)):
            return None
        strip = bytes(image.get_data(decode_simple=False))
        at = self._data.find(strip, self._found_at)
        if at < 0:
            at = self._data.find(strip)
        if at < 0 or not strip:  # encrypted
            return None
        self._found_at = at
        head = self._data[max(self._data.rfind(b"obj", 0, at), at - LONGEST_HEAD) : at]
        group, columns = _FAX_K.search(head), _FAX_COLUMNS.search(head)
        is_plain = group and columns and int(columns[1]) == width
        if not is_plain or _FAX_ALIGNED.search(head):
            return None
        return strip, FaxPage(width, height, height, 0 if _FAX_INVERTED.search(head) else 255)

    def _rendered(self, index: int, *, colour: bool) -> _Drawn:
        drawing = self._renderer.render(index, self._render_dpi, colour=colour)
        rows = np.frombuffer(drawing.rows, np.uint8).reshape(drawing.height, drawing.stride)
        pixels = rows[:, : drawing.width * drawing.n_channels]
        if drawing.n_channels > 1:
            pixels = pixels.reshape(drawing.height, drawing.width, drawing.n_channels)
        return _Drawn(_in_channels(pixels, colour=colour), _UPRIGHT, self._render_dpi)

    def _check_page(self, page: pypdfium2.PdfPage, source: str) -> None:
        """Refuse a page that is too large to render, or one of whose masks is."""
        scale = self._render_dpi / _POINTS_PER_INCH
        width, height = page.get_size()
        self._check_size(round(width * scale), round(height * scale), source)
        for columns, rows in self._sizes:
            self._check_size(columns, rows, source)

    def _check_size(self, width: int, height: int, source: str) -> None:
        check_size(width, height, self._max_pixels, source)


def _pixels(image: Raster | _Fax, turn: Turn, source: str) -> Raster:
    if isinstance(image, tuple):
        strip, fax = image
        return load_fax([strip], fax, turn, source)
    return turned(image, turn)


def _size_in(head: bytes) -> tuple[int, int]:
    """Width and height that the dictionary of an image gives, else 0."""
    width, height = _WIDTH.search(head), _HEIGHT.search(head)
    return int(width[1]) if width else 0, int(height[1]) if height else 0


def _is_encrypted(document: pypdfium2.PdfDocument) -> bool:
    revision: int = pdfium.FPDF_GetSecurityHandlerRevision(document)
    return bool(revision >= 0)


def _check_drawn(page: pypdfium2.PdfPage, source: str) -> None:
    """Refuse a page with more objects than are worth looking at.

    Raises
    ------
    ImageError
    """
    if pdfium.FPDFPage_CountObjects(page) > _MOST_DRAWN:
        reason = f"the page has more lines and shapes than the limit of {_MOST_DRAWN:,}"
        raise ImageError(source, reason, _TOO_MUCH)


def _check_deflated(image: pypdfium2.PdfImage, source: str) -> None:
    """Refuse an image whose data inflate to less than its pixels need, or to far more.

    pdfium shows what there is, and follows all of it.

    Raises
    ------
    ImageError
    """
    filters = _filters(image)
    n_deflated = next((k for k, f in enumerate(filters) if f != "FlateDecode"), len(filters))
    if not n_deflated:
        return
    width, height = image.get_px_size()
    n_bytes = width * height * max(image.get_metadata().bits_per_pixel, 1) // 8
    most = 2 * n_bytes + _SPARE
    stream = bytes(image.get_data(decode_simple=False))
    for _ in range(n_deflated):
        try:
            stream = zlib.decompressobj().decompress(stream, most + 1)
        except zlib.error as exc:
            raise ImageError(source, "the image data is damaged", RESCAN) from exc
        if len(stream) > most:
            reason = "it holds far more image data than its size asks for"
            raise ImageError(source, reason, RESCAN)
    if n_deflated == len(filters) and len(stream) < n_bytes:
        raise ImageError(source, "the image data is damaged", RESCAN)


def _only_image(
    page: pypdfium2.PdfPage,
) -> tuple[pypdfium2.PdfImage, NDArray[np.float64]] | None:
    """The page's image where nothing else is to be seen, and how it is displayed.

    The matrix (2, 2) maps image axes (x right, y down, whole image = 1) to points on the
    displayed page (x right, y down). Invisible text, as text recognition in a copier
    leaves it, does not count.
    """
    if pdfium.FPDFPage_GetAnnotCount(page) > 0:
        return None
    found: pypdfium2.PdfImage | None = None
    for thing in page.get_objects():
        if thing.type == pdfium.FPDF_PAGEOBJ_FORM or _is_invisible_text(thing):
            continue
        if thing.type != pdfium.FPDF_PAGEOBJ_IMAGE or found is not None:
            return None
        found = thing
    if found is None or pdfium.FPDFPageObj_HasTransparency(found):
        return None
    placed = _matrix(found)
    holder = found.container
    while holder is not None:
        if pdfium.FPDFPageObj_HasTransparency(holder):
            return None
        placed = placed @ _matrix(holder)
        holder = holder.container
    box = page.get_bbox()
    corners = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]) @ placed
    image_box = (*corners[:, :2].min(axis=0), *corners[:, :2].max(axis=0))
    margin = 0.02 * max(box[2] - box[0], box[3] - box[1])
    if not _inside(image_box, box, margin) or _is_clipped(found, image_box, margin):
        return None
    (a, b), (c, d) = placed[:2, :2]
    to_display = np.array([[a, -c], [-b, d]])
    for _ in range(page.get_rotation() // 90):
        to_display = np.array([[0, -1], [1, 0]]) @ to_display
    upright, lying = np.abs(to_display).reshape(4)[[0, 3]], np.abs(to_display).reshape(4)[[1, 2]]
    # A few degrees of deskewing do not matter to a reader, who finds the sheet's marks.
    if not (lying < 0.1 * upright.min()).all() and not (upright < 0.1 * lying.min()).all():
        return None
    return found, to_display


def _is_invisible_text(thing: pypdfium2.PdfObject) -> bool:
    return bool(
        thing.type == pdfium.FPDF_PAGEOBJ_TEXT
        and pdfium.FPDFTextObj_GetTextRenderMode(thing) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    )


def _is_clipped(image: pypdfium2.PdfImage, image_box: _Rectangle, margin: float) -> bool:
    """Whether a clip path takes more than a margin of the image away."""
    clip = pdfium.FPDFPageObj_GetClipPath(image)
    for path in range(max(pdfium.FPDFClipPath_CountPaths(clip), 0)):
        points = []
        for i in range(pdfium.FPDFClipPath_CountPathSegments(clip, path)):
            x, y = ctypes.c_float(), ctypes.c_float()
            segment = pdfium.FPDFClipPath_GetPathSegment(clip, path, i)
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            points.append((x.value, y.value))
        xs, ys = sorted({round(x) for x, _ in points}), sorted({round(y) for _, y in points})
        is_rectangle = len(xs) == 2 and len(ys) == 2
        if not is_rectangle or not _inside(image_box, (xs[0], ys[0], xs[1], ys[1]), margin):
            return True
    return False


def _inside(inner: _Rectangle, outer: _Rectangle, margin: float) -> bool:
    return (
        inner[0] >= outer[0] - margin
        and inner[1] >= outer[1] - margin
        and inner[2] <= outer[2] + margin
        and inner[3] <= outer[3] + margin
    )


def _matrix(thing: pypdfium2.PdfObject) -> NDArray[np.float64]:
    """The object's transform for row vectors (x, y, 1)."""
    a, b, c, d, e, f = thing.get_matrix().get()
    return np.array([[a, b, 0.0], [c, d, 0.0], [e, f, 1.0]])


def _turn(to_display: NDArray[np.float64]) -> Turn:
    transpose = abs(to_display[0, 1]) > abs(to_display[0, 0])
    x, y = (to_display[0, 1], to_display[1, 0]) if transpose else np.diag(to_display)
    return bool(transpose), bool(x < 0), bool(y < 0)


def _jpeg_stream(image: pypdfium2.PdfImage) -> bytes | None:
    """The image's JPEG stream where it means what a JPEG file of its own would mean."""
    filters = _filters(image)
    if not filters or filters[-1] != "DCTDecode":
        return None
    if any(name not in image.SIMPLE_FILTERS for name in filters[:-1]):
        return None
    if not _is_plain(image, (8, 24)):
        return None
    return bytes(image.get_data(decode_simple=True))


def _filters(image: pypdfium2.PdfImage) -> list[str]:
    try:
        return list(image.get_filters())
    except UnicodeDecodeError:  # a name that is none
        return []


def _is_plain(image: pypdfium2.PdfImage, depths: tuple[int, ...]) -> bool:
    facts = image.get_metadata()
    return facts.colorspace in _PLAIN_COLOURS and facts.bits_per_pixel in depths


def _in_channels(pixels: Raster, *, colour: bool) -> Raster:
    """Grey, BGR or BGRx as (H, W) grey or (H, W, 3) BGR, no longer in pdfium's memory."""
    if pixels.ndim == 2:
        return to_colour(pixels) if colour else pixels.copy()
    if pixels.shape[2] == 3:
        return pixels.copy() if colour else to_grey(pixels)
    kind = cv2.COLOR_BGRA2BGR if colour else cv2.COLOR_BGRA2GRAY
    return np.asarray(cv2.cvtColor(pixels, kind))
