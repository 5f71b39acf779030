"""Opening a scan file and loading its pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from inkmark.errors import ImageError
from inkmark.images.headers import (
    RESCAN,
    ImageHeader,
    check_size,
    read_jpeg_header,
    read_png_header,
    read_tiff_headers,
)
from inkmark.images.pdf import PdfPages
from inkmark.images.pixels import Pixels
from inkmark.images.raster import (
    Raster,
    TiffDecoder,
    check_jpeg_strips,
    load_fax,
    load_still,
    load_still_colour,
    to_colour,
)
from inkmark.readings import PageSource

__all__ = ["ImageLimits", "PageImage", "ScanFile", "open_scan"]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is refused before any pixel is decoded.

    Attributes
    ----------
    max_pixels : int
        Most pixels a page may declare. The default leaves room for A3 at 600 dpi
        (70 million).
    max_file_bytes : int
        Largest file; a file is read whole into memory.
    max_pages : int
        Most pages in a file.
    """

    max_pixels: int = 80_000_000
    max_file_bytes: int = 1 << 30
    max_pages: int = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class PageImage:
    """One page as pixels.

    Attributes
    ----------
    source : PageSource
    pixels : Pixels
        Grey. Upright as a viewer shows the file (EXIF and PDF rotation applied).
    dpi : float or None
        Pixels an inch of paper by the file's own account; None where it gives none, or
        one that no page can have.
    load_colour : callable or None
        Decodes the page in colour while its file is open; None for a page without colours.
    """

    source: PageSource
    pixels: Pixels
    dpi: float | None
    load_colour: Callable[[], Raster] | None = None

    def in_colour(self) -> Raster:
        """The page in colour, decoded anew at each call.

        Returns
        -------
        (H, W, 3) uint8
            Blue, green, red.

        Raises
        ------
        ImageError
            Where the page cannot be decoded.
        """
        if self.load_colour is None:
            return to_colour(self.pixels.whole())
        return self.load_colour()


class _Pages(Protocol):
    n_pages: int

    def load(self, index: int, source: str) -> tuple[Pixels, float | None]: ...
    def load_colour(self, index: int, source: str) -> Raster: ...
    def close(self) -> None: ...


class ScanFile:
    """An open image file; use it in a ``with`` statement.

    One thread uses one `ScanFile`; several may be open in several threads.

    Attributes
    ----------
    path : Path
    sha256 : str
        Hash of the file's bytes in hexadecimal.
    n_pages : int
    """

    def __init__(self, path: Path, sha256: str, pages: _Pages) -> None:
        self.path = path
        self.sha256 = sha256
        self.n_pages = pages.n_pages
        self._pages = pages

    def load(self, index: int) -> PageImage:
        """One page in grey.

        Parameters
        ----------
        index : int
            0-based page.

        Raises
        ------
        ImageError
            Where the page is damaged or too large. Other pages may still be loaded.
        IndexError
            Where the file has no such page.
        """
        source = self._source(index)
        pixels, dpi = self._pages.load(index, str(source))
        return PageImage(source, pixels, dpi, partial(self.load_colour, index))

    def load_colour(self, index: int) -> Raster:
        """One page in colour; costs half as much again.

        Parameters
        ----------
        index : int
            0-based page.

        Returns
        -------
        (H, W, 3) uint8 BGR

        Raises
        ------
        ImageError, IndexError
            As `load`.
        """
        return self._pages.load_colour(index, str(self._source(index)))

    def _source(self, index: int) -> PageSource:
        if not 0 <= index < self.n_pages:
            raise IndexError(f"{self.path} has {self.n_pages} pages, no page {index}")
        return PageSource(str(self.path), index, self.sha256)

    def close(self) -> None:
        """Free what the file holds."""
        self._pages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_scan(
    path: str | Path, *, limits: ImageLimits | None = None, render_dpi: float = 200.0
) -> ScanFile:
    """Open a JPEG, PNG, TIFF or PDF file, told by its first bytes.

    Parameters
    ----------
    path : str or Path
    limits : ImageLimits, optional
    render_dpi : float
        Resolution for PDF pages that are not one image and so have to be rendered.

    Returns
    -------
    ScanFile

    Raises
    ------
    ImageError
        Where the file cannot be read, is empty, too large, truncated, protected by a
        password or no image. The message says what to do.
    """
    path = Path(path)
    limits = limits or ImageLimits()
    source = str(path)
    data = _read(path, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    pages: _Pages
    if data.startswith(b"\xff\xd8\xff"):
        pages = _StillPages(data, read_jpeg_header(data, source), limits, source)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        pages = _StillPages(data, read_png_header(data, source), limits, source)
    elif data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        pages = _TiffPages(data, limits, source)
    elif b"%PDF-" in data[:1024]:  # readers allow other bytes before the header
        pages = PdfPages(
            data,
            source,
            max_pages=limits.max_pages,
            max_pixels=limits.max_pixels,
            render_dpi=render_dpi,
        )
    else:
        raise ImageError(
            source,
            "it is not an image that inkmark reads",
            "Use JPEG, PNG, TIFF or PDF, or take the file out of the folder.",
        )
    return ScanFile(path, sha256, pages)


def _read(path: Path, limits: ImageLimits) -> bytes:
    try:
        if not path.is_file():
            raise ImageError(str(path), *_why_no_file(path))
        size = path.stat().st_size
        if size > limits.max_file_bytes:
            raise ImageError(
                str(path),
                f"it has {size:,} bytes, more than the limit of {limits.max_file_bytes:,}",
                "Split the file, or raise the limit on file size.",
            )
        data = path.read_bytes()
    except OSError as exc:
        reason = f"it cannot be read ({exc.strerror})"
        raise ImageError(str(path), reason, "Check the file's permissions.") from exc
    if not data:
        raise ImageError(str(path), "the file is empty", RESCAN)
    return data


def _why_no_file(path: Path) -> tuple[str, str]:
    """What is in the place of a file, and what to do."""
    remove = "Take it out of the scans, or put the file itself there."
    if path.is_dir():
        return "it is a folder", "Name the file."
    if path.exists():
        return "it is a device or a pipe, not a file", remove
    if path.is_symlink():
        return "it is a link to a file that is not there", remove
    return "there is no such file", "Correct the path."


class _StillPages:
    """A JPEG or PNG file: one page."""

    n_pages = 1

    def __init__(self, data: bytes, header: ImageHeader, limits: ImageLimits, source: str) -> None:
        check_size(header.width, header.height, limits.max_pixels, source, header.pixel_bytes)
        self._data = data
        self._header = header

    def load(self, index: int, source: str) -> tuple[Pixels, float | None]:  # noqa: ARG002
        return load_still(self._data, self._header, source), self._header.dpi

    def load_colour(self, index: int, source: str) -> Raster:  # noqa: ARG002
        return load_still_colour(self._data, self._header, source)

    def close(self) -> None:
        self._data = b""


class _TiffPages:
    """A TIFF file of one or more pages."""

    def __init__(self, data: bytes, limits: ImageLimits, source: str) -> None:
        self._headers = read_tiff_headers(data, source, limits.max_pages)
        self._data = data
        self._decoder: TiffDecoder | None = None
        self._max_pixels = limits.max_pixels
        self.n_pages = len(self._headers)

    def load(self, index: int, source: str) -> tuple[Pixels, float | None]:
        return Pixels.of(self._decode(index, source, colour=False)), self._headers[index].dpi

    def load_colour(self, index: int, source: str) -> Raster:
        return self._decode(index, source, colour=True)

    def _decode(self, index: int, source: str, *, colour: bool) -> Raster:
        header = self._headers[index]
        check_size(header.width, header.height, self._max_pixels, source, header.pixel_bytes)
        strips = (self._data[strip] for strip in header.strips)
        if header.fax is not None:
            grey = load_fax(list(strips), header.fax, header.turn, source)
            return to_colour(grey) if colour else grey
        if header.jpeg_tables is not None:
            check_jpeg_strips(strips, header.jpeg_tables, source)
        return self._pillow(source).decode(index, source, colour=colour)

    def _pillow(self, source: str) -> TiffDecoder:
        if self._decoder is None:
            self._decoder = TiffDecoder(self._data, source)
        return self._decoder

    def close(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
