"""Errors that inkmark raises on purpose.

Each class is one exit code of the command line. The facts are attributes; the message
ends with what to do about it.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "AnalysisError",
    "ExtraMissingError",
    "Fault",
    "FaultyFileError",
    "FileAccessError",
    "ImageError",
    "InkmarkError",
    "LayoutError",
    "StoreError",
]


class InkmarkError(Exception):
    """Base of every error that inkmark raises on purpose."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # From a worker process an error comes pickled; Exception would make it anew from the
        # message, which is not what most classes are made from.
        return _with_args, (type(self), self.args), self.__dict__


def _with_args(kind: type[InkmarkError], args: tuple[str, ...]) -> InkmarkError:
    return kind.__new__(kind, *args)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in an input table.

    Attributes
    ----------
    place : str
        Where it is, in the words of the program that edits the file: ``items!C7``,
        ``roster!row 3``, ``line 12``.
    message : str
        What is wrong and what would be right.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class FaultyFileError(InkmarkError):
    """A workbook, roster or table of points has faults; all of them are listed at once."""

    exit_code = 3

    def __init__(self, path: Path | str, faults: Sequence[Fault]) -> None:
        self.path = Path(path)
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        noun = "fault" if len(self.faults) == 1 else "faults"
        super().__init__(
            f"{self.path.name} has {len(self.faults)} {noun}:\n{lines}\n"
            "Correct the places named, save the file and run the command again."
        )


class LayoutError(InkmarkError):
    """A sheet layout cannot be read, built or imported."""

    exit_code = 4


class ImageError(InkmarkError):
    """An image file or one of its pages cannot be turned into pixels.

    Attributes
    ----------
    source : str
        The file, and the page where one is meant.
    reason : str
        What is wrong with it.
    """

    exit_code = 5

    def __init__(self, source: str, reason: str, remedy: str) -> None:
        self.source = source
        self.reason = reason
        super().__init__(f"{source}: {reason}. {remedy}")


class StoreError(InkmarkError):
    """The exam database is missing, locked, damaged or of another version."""

    exit_code = 6


class ExtraMissingError(InkmarkError):
    """An optional part of inkmark is not installed."""

    exit_code = 7

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        super().__init__(
            f"{purpose} needs the optional part {extra!r}. "
            f'Install it with: pip install "inkmark[{extra}]"'
        )


class AnalysisError(InkmarkError):
    """A statistical model cannot be fitted to what was given."""

    exit_code = 9


_REMEDIES = {
    errno.EISDIR: "A folder has the name of the file: move it away.",
    errno.ENOTDIR: "A file has the name of a folder: move it away.",
    errno.EACCES: "Close the file in other programs, and check that you may write there.",
    errno.EPERM: "Close the file in other programs, and check that you may write there.",
    errno.ENOSPC: "The disk is full: free some space.",
    errno.EDQUOT: "Your share of the disk is full: free some space.",
    errno.EROFS: "The disk cannot be written to: copy the folder to one that can.",
}


class FileAccessError(InkmarkError):
    """The system refuses to read or to write a file or a folder.

    Attributes
    ----------
    path : str
        Empty where the system does not name it.
    """

    exit_code = 8

    def __init__(self, error: OSError) -> None:
        # A file is written under another name and then renamed: the second name is meant.
        self.path = str(error.filename2 or error.filename or "")
        place = f"{self.path}: " if self.path else ""
        remedy = _REMEDIES.get(error.errno or 0, "Check the path and the disk.")
        super().__init__(f"{place}{error.strerror}. {remedy} Then run the command again.")
