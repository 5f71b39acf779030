"""The files that scanners write."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkmark.files import write_whole

__all__ = ["encode_scan"]

Pixels = NDArray[np.uint8]

_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".pdf": "PDF",
}


def encode_scan(
    pages: Pixels | Sequence[Pixels], path: str | Path, dpi: float, *, quality: int = 85
) -> None:
    """Write the file that a scanner would write, by the name's ending.

    ``.jpg`` and ``.png`` hold one page. ``.tif`` and ``.pdf`` hold one or more: fax group
    4 where all pages are black and white, else LZW in TIFF and JPEG in PDF. The
    resolution is written in every format.

    Parameters
    ----------
    pages : (H, W) uint8, or a sequence of them
    path : str or Path
    dpi : float
    quality : int
        Of JPEG, 1 to 100.

    Raises
    ------
    ValueError
        Where the ending is another one, or several pages go into a format for one.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _FORMATS:
        raise ValueError(f"no scanner writes {kind or 'files without an ending'}")
    arrays = [pages] if isinstance(pages, np.ndarray) else list(pages)
    is_bilevel = kind not in (".jpg", ".jpeg") and all(_is_bilevel(page) for page in arrays)
    first, *rest = (
        Image.fromarray(page > 0) if is_bilevel else Image.fromarray(page) for page in arrays
    )
    options: dict[str, object] = {"dpi": (dpi, dpi)}
    if kind in (".tif", ".tiff"):
        options["compression"] = "group4" if is_bilevel else "tiff_lzw"
    elif kind == ".pdf":
        options |= {"resolution": dpi} if is_bilevel else {"resolution": dpi, "quality": quality}
    elif kind == ".png":
        options["compress_level"] = 4
    else:
        options["quality"] = quality
    if kind in (".tif", ".tiff", ".pdf"):
        options |= {"save_all": True, "append_images": rest}
    elif rest:
        raise ValueError(f"{kind} holds one page; write .tif or .pdf")
    out = io.BytesIO()
    first.save(out, _FORMATS[kind], **options)
    write_whole(path, out.getvalue())


def _is_bilevel(pixels: Pixels) -> bool:
    return bool(((pixels == 0) | (pixels == 255)).all())
