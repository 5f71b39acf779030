"""inkmark: scan-based paper marking and exam analytics.

Rooms, from the bottom of the house to the top:

==============  =====================================================================
``errors``      every error inkmark raises on purpose; each class is one exit code
``geometry``    points, boxes and homographies; millimetres and pixels
``exam``        what an exam is: items, keys, roster, policy; the exam workbook
``images``      JPEG, PNG, TIFF and PDF pages as uint8 grey arrays
``specimens``   public sets of handwriting, as numbers
``ctc``         what steps of a line reader may write: texts and regular languages
``readings``    what a reader saw: values, confidences, flags, issues
``layouts``     answer sheets in millimetres: file format, building, printing, importing
``omr``         registration of pages and reading of bubbles
``ocr``         codes, handwriting and printed text
``learning``    layouts proposed from blank sheets, and tried on scans
``simulator``   people filling sheets and scanners degrading them
``marking``     whose sheets are, what answers mean, scoring rules, score matrices
``analytics``   item statistics, group statistics, mastery, practice selection
``store``       the exam database
``reports``     tables, PDF, Excel and JSON reports; practice sets to print
``session``     one batch: scans in, readings out
``workflow``    the steps of an exam, each from its folder to its folder
``cli``         the command ``inkmark``
==============  =====================================================================

``import inkmark`` loads none of them; the names in ``__all__`` are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkmark.errors import InkmarkError
    from inkmark.exam import Exam, load_exam
    from inkmark.layouts import SheetLayout, load_layout
    from inkmark.session import read_scans

__version__ = "0.1.0"

__all__ = [
    "Exam",
    "InkmarkError",
    "SheetLayout",
    "__version__",
    "load_exam",
    "load_layout",
    "read_scans",
]

_HOMES = {
    "Exam": "inkmark.exam",
    "InkmarkError": "inkmark.errors",
    "SheetLayout": "inkmark.layouts",
    "load_exam": "inkmark.exam",
    "load_layout": "inkmark.layouts",
    "read_scans": "inkmark.session",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inkmark' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
