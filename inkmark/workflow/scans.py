"""The page images that stored readings were read from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.errors import ImageError
from inkmark.exam import ExamFolder
from inkmark.files import file_sha256
from inkmark.geometry import Box
from inkmark.images import open_scan
from inkmark.readings import PageSource

__all__ = ["cut_out", "file_sha256", "image_name", "load_stored_page"]

_CROP_MARGIN = 0.35
"""Shown around a doubtful field, as a share of its shorter side."""


def load_stored_page(
    folder: ExamFolder, source: PageSource, *, colour: bool = False
) -> NDArray[np.uint8] | None:
    """Load the image that a stored page was read from.

    Parameters
    ----------
    folder : ExamFolder
    source : PageSource
        As in the database.
    colour : bool
        Give the page in colour.

    Returns
    -------
    (H, W) uint8, (H, W, 3) uint8 BGR or None
        None where the file is gone, or has other bytes than the one that was read.

    Raises
    ------
    ImageError
        Where the file is the one that was read and cannot be loaded now.
    """
    path = folder.root / source.path
    if not path.is_file():
        return None
    try:
        with open_scan(path) as scan:
            if scan.sha256 == source.sha256:
                if colour:
                    return scan.load_colour(source.page_index)
                return scan.load(source.page_index).pixels.whole()
    except ImageError:
        if file_sha256(path) == source.sha256:
            raise
    return None


def image_name(source: PageSource) -> str:
    """Name an image by its content, for the way to a person and back."""
    return f"{source.sha256[:16]}-{source.page_index}"


def cut_out(
    pixels: NDArray[np.uint8],
    box: Box,
    orientation_deg: int,
    margin: float = _CROP_MARGIN,
    *,
    above: float | None = None,
) -> bytes:
    """Cut a part out of a page with what is around it, and turn it upright.

    Parameters
    ----------
    pixels : (H, W) uint8 or (H, W, 3) uint8 BGR
    box : Box
        In px.
    orientation_deg : int
        As in `Registration`.
    margin : float
        Shown around it, as a share of its shorter side.
    above : float, optional
        The same for what is above it on the upright page; otherwise `margin`.

    Returns
    -------
    bytes
        As PNG; empty where it lies outside the page.
    """
    turns = orientation_deg // 90
    upright_sides = (margin if above is None else above, margin, margin, margin)
    # Clockwise from the top; turned back, the side above is where it is on the scan.
    top, right, bottom, left = min(box.w, box.h) * np.roll(upright_sides, turns)
    height, width = pixels.shape[:2]
    x0, y0 = max(0, int(box.x - left)), max(0, int(box.y - top))
    x1, y1 = min(width, int(box.right + right) + 1), min(height, int(box.bottom + bottom) + 1)
    if x1 <= x0 or y1 <= y0:
        return b""
    upright = np.rot90(pixels[y0:y1, x0:x1], turns)
    _, data = cv2.imencode(".png", np.ascontiguousarray(upright))
    return data.tobytes()
