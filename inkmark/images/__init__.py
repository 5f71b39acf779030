"""Image files as uint8 grey pages: find them, open them, load their pages.

The only place where a file becomes pixels. Formats are told by their first bytes, never
by the file's name. `open_scan` raises `inkmark.errors.ImageError` for whatever cannot be
turned into pixels faithfully. Half a page is refused as far as can be told: a change of
some bytes inside the coded data of a JPEG or fax file may leave codes that fit.
"""

from __future__ import annotations

from inkmark.images.files import find_scans
from inkmark.images.pixels import Pixels
from inkmark.images.scan import ImageLimits, PageImage, ScanFile, open_scan

__all__ = ["ImageLimits", "PageImage", "Pixels", "ScanFile", "find_scans", "open_scan"]
