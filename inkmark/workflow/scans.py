"""The page images that stored readings were read from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkmark.errors import ImageError
from inkmark.exam import ExamFolder
from inkmark.files import file_sha256
from inkmark.images import open_scan
from inkmark.readings import PageSource

__all__ = ["file_sha256", "load_stored_page"]


def load_stored_page(folder: ExamFolder, source: PageSource) -> NDArray[np.uint8] | None:
    """Load the image that a stored page was read from.

    Parameters
    ----------
    folder : ExamFolder
    source : PageSource
        As in the database.

    Returns
    -------
    (H, W) uint8 or None
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
                return scan.load(source.page_index).pixels.whole()
    except ImageError:
        if file_sha256(path) == source.sha256:
            raise
    return None
