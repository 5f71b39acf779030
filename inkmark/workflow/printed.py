"""The text of printed pages, such as question papers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from inkmark.images import find_scans, open_scan
from inkmark.ocr.paddle import PaddleReader
from inkmark.ocr.printed import GreyImage, PrintedLine, read_printed
from inkmark.readings import PageSource

__all__ = ["PageText", "read_text"]


class _Engine(Protocol):
    def __call__(self, pixels: GreyImage, /) -> tuple[PrintedLine, ...]: ...


@dataclass(frozen=True, slots=True)
class PageText:
    """The lines of print on one page.

    Attributes
    ----------
    source : PageSource
    lines : tuple of PrintedLine
        From top to bottom.
    """

    source: PageSource
    lines: tuple[PrintedLine, ...]


def read_text(
    sources: Sequence[Path | str], *, paddle_models: Path | str | None = None
) -> Iterator[PageText]:
    """Read the print on every page of some files.

    Parameters
    ----------
    sources : sequence of path-like
        Images, PDF files, folders and globs; the pages stand upright.
    paddle_models : path-like, optional
        Folder of models; where given, paddleocr reads and not the engine of its own.

    Yields
    ------
    PageText
        A page after the other.

    Raises
    ------
    ImageError
        Where a file or page cannot be opened.
    InkmarkError
        Where a model is missing, or paddleocr is.
    """
    engine: _Engine = read_printed if paddle_models is None else _paddle(paddle_models)
    for path in find_scans(sources):
        with open_scan(path) as scan:
            for index in range(scan.n_pages):
                image = scan.load(index)
                yield PageText(image.source, engine(image.pixels.whole()))


def _paddle(models: Path | str) -> _Engine:
    return PaddleReader(models).read_printed
