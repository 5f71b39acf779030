"""Sheets as people fill them and scanners see them, for the demo, tests and benchmarks.

``render_pages`` prints to pixels, ``fill_sheet`` puts marks and handwriting on them,
``scan`` degrades them, ``encode_scan`` writes the file a scanner would write. All
chance comes from the generator that is passed in: the same seed gives the same pixels.
"""

from __future__ import annotations

from inkmark.simulator.pages import render_pages
from inkmark.simulator.people import MarkStyle, Meaning, Writer, draw_writer, fill_sheet
from inkmark.simulator.scanner import (
    CLEAN_OFFICE,
    ORDINARY,
    Bilevel,
    ScannerModel,
    draw_scanner,
    encode_scan,
    scan,
)

__all__ = [
    "CLEAN_OFFICE",
    "ORDINARY",
    "Bilevel",
    "MarkStyle",
    "Meaning",
    "ScannerModel",
    "Writer",
    "draw_scanner",
    "draw_writer",
    "encode_scan",
    "fill_sheet",
    "render_pages",
    "scan",
]
