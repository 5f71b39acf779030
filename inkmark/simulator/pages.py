"""Printed sheets as pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.images import open_scan

__all__ = ["render_pages"]


def render_pages(
    path: str | Path,
    dpi: float,
    indices: Iterable[int] | None = None,
    *,
    oversampling: int = 1,
) -> Iterator[NDArray[np.uint8]]:
    """Pages of a PDF file of printed sheets, one after the other.

    Parameters
    ----------
    path : str or Path
    dpi : float
        Resolution at which vector pages are rendered.
    indices : iterable of int, optional
        0-based pages, in the order wanted; all pages by default.
    oversampling : int
        Render so many times finer and average, as a lens does. Renderers put edges on whole
        pixels: the finer, the nearer print lies to where it should.

    Yields
    ------
    (H, W) uint8
        White is 255.

    Raises
    ------
    ImageError
    """
    with open_scan(path, render_dpi=dpi * oversampling) as pdf:
        for index in range(pdf.n_pages) if indices is None else indices:
            fine = pdf.load(index).pixels.whole()
            yield fine if oversampling == 1 else _averaged(fine, oversampling)


def _averaged(fine: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Means of blocks of `factor` x `factor` pixels; white beyond the edges."""
    height, width = fine.shape
    below, right = -height % factor, -width % factor
    padded = cv2.copyMakeBorder(fine, 0, below, 0, right, cv2.BORDER_CONSTANT, value=255)
    size = (padded.shape[1] // factor, padded.shape[0] // factor)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.uint8)
