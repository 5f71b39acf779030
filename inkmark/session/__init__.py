"""One batch: scans in, readings out.

`read_page` reads one image, `read_scans` any number of files with a layout alone, and
`read_exam` the scans of an exam into its database. No page stops a batch: a page that
cannot be used becomes an issue that says what to do.
"""

from __future__ import annotations

from inkmark.session.balance import BatchReport, batch_report, open_fields
from inkmark.session.batch import Progress, SerialExecutor, read_scans
from inkmark.session.compiling import say_compiling, tell_of_compiling
from inkmark.session.exams import facts_of, identify, read_exam
from inkmark.session.pages import ReadOptions, read_page
from inkmark.session.pool import WorkerPool, processors
from inkmark.session.watching import FolderWatch, scan_files, take_in

__all__ = [
    "BatchReport",
    "FolderWatch",
    "Progress",
    "ReadOptions",
    "SerialExecutor",
    "WorkerPool",
    "batch_report",
    "facts_of",
    "identify",
    "open_fields",
    "processors",
    "read_exam",
    "read_page",
    "read_scans",
    "say_compiling",
    "scan_files",
    "take_in",
    "tell_of_compiling",
]
