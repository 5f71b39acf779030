"""Printed sheets as pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.images import open_scan

__all__ = ["render_pages"]


def render_pages(path: str | Path, dpi: float) -> Iterator[NDArray[np.uint8]]:
    """Pages of a PDF file of printed sheets, one after the other.

    Parameters
    ----------
    path : str or Path
    dpi : float
        Resolution at which vector pages are rendered.

    Yields
    ------
    (H, W) uint8
        White is 255.

    Raises
    ------
    ImageError
    """
    with open_scan(path, render_dpi=dpi) as pdf:
        for index in range(pdf.n_pages):
            yield pdf.load(index).pixels
