"""Printed sheets as pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.images import open_scan

__all__ = ["render_pages"]


def render_pages(
    path: str | Path, dpi: float, indices: Iterable[int] | None = None
) -> Iterator[NDArray[np.uint8]]:
    """Pages of a PDF file of printed sheets, one after the other.

    Parameters
    ----------
    path : str or Path
    dpi : float
        Resolution at which vector pages are rendered.
    indices : iterable of int, optional
        0-based pages, in the order wanted; all pages by default.

    Yields
    ------
    (H, W) uint8
        White is 255.

    Raises
    ------
    ImageError
    """
    with open_scan(path, render_dpi=dpi) as pdf:
        for index in range(pdf.n_pages) if indices is None else indices:
            yield pdf.load(index).pixels.whole()
