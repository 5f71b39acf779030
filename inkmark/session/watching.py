"""The output folder of a scanner: which files are complete, and taking them in."""

from __future__ import annotations

import errno
import filecmp
import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inkmark.errors import ImageError
from inkmark.files import draft_path, natural_key
from inkmark.images import ImageLimits, open_scan

__all__ = ["FolderWatch", "scan_files", "take_in"]

_UNFINISHED = frozenset({".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload"})
"""Endings under which programs write what is not complete yet."""

_TIFF_HEADER = 8
"""Bytes at the front of a file that a program may fill in last: where the pages are listed."""


@dataclass(slots=True)
class _Watched:
    """A file as it was last seen, and for how many looks it has been so."""

    size: int
    mtime_ns: int
    looks: int = 0
    is_done: bool = False


class FolderWatch:
    """Tells which files of a folder have been written to their end.

    A file is complete when its size and time are those of the look before and its last page
    can be opened. One that stays as it is and cannot be opened is handed out after
    `patience` looks all the same: reading makes an issue of it, and it is not forgotten.

    Parameters
    ----------
    folder : Path
        Searched to any depth. Hidden files are passed over, and endings such as ``.part``.
    limits : ImageLimits
    patience : int
        Looks for which a file that cannot be opened has to stay the same.
    """

    def __init__(self, folder: Path, limits: ImageLimits, patience: int = 15) -> None:
        self._folder = folder
        self._limits = limits
        self._patience = patience
        self._files: dict[Path, _Watched] = {}

    def look(self, failed: Callable[[Path, OSError], None] | None = None) -> list[Path]:
        """Look at every file once; give those that are complete and not done, in natural order.

        Parameters
        ----------
        failed : callable, optional
            See `scan_files`.

        Raises
        ------
        OSError
            Where the folder cannot be read now.
        """
        now: dict[Path, _Watched] = {}
        complete = []
        for path, status in scan_files(self._folder, failed):
            seen = _Watched(status.st_size, status.st_mtime_ns)
            before = self._files.get(path)
            if before is not None and (before.size, before.mtime_ns) == (seen.size, seen.mtime_ns):
                seen = before
                seen.looks += 1
                if not seen.is_done and (
                    seen.looks >= self._patience or _opens(path, self._limits)
                ):
                    complete.append(path)
            now[path] = seen
        self._files = now
        return sorted(complete, key=natural_key)

    def done(self, path: Path) -> None:
        """Note that a file was taken in; it is handed out again only when it changes."""
        self._files[path].is_done = True


def _opens(path: Path, limits: ImageLimits) -> bool:
    try:
        with open_scan(path, limits=limits) as scan:
            scan.load(scan.n_pages - 1)
    except ImageError:
        return False
    return True


def take_in(path: Path, folder: Path, scans: Path, limits: ImageLimits) -> Path:
    """Copy a scan into the scans of an exam, and give its place there.

    The scanner's folder may be emptied and its names used again, but pictures are cut from
    the scans later; so a scan keeps its name where that is free, and gets a number where
    another file has it. A file whose bytes are there already under its name is not copied
    again, and one that lies in the scans is left where it is. A copy that was taken before its
    file was written to the end, which does not open and begins as the file does, gives way.

    Parameters
    ----------
    path : Path
        A file in `folder`.
    folder : Path
        Folder of the scanner.
    scans : Path
        Folder of the exam.
    limits : ImageLimits

    Raises
    ------
    OSError
        Where it cannot be copied, or is being written to; nothing is left behind.
    """
    if path.resolve().is_relative_to(scans.resolve()):
        return path
    wanted = scans / path.relative_to(folder)
    numbered = (wanted.with_stem(f"{wanted.stem} ({n})") for n in itertools.count(2))
    for target in itertools.chain([wanted], numbered):
        if not target.exists():
            break
        if filecmp.cmp(path, target, shallow=False):
            return target
        if _continues(path, target) and not _opens(target, limits):
            break
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_path(target)
    try:
        before = path.stat()
        shutil.copy2(path, draft)
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise OSError(errno.EBUSY, "it is still being written", str(path))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _continues(path: Path, earlier: Path) -> bool:
    """Tell whether a file is longer than an earlier one and goes on from where that ends.

    By its name alone it might be another sheet, and the broken one would be forgotten.
    """
    if path.stat().st_size <= earlier.stat().st_size:
        return False
    with path.open("rb") as file, earlier.open("rb") as before:
        file.seek(_TIFF_HEADER)
        before.seek(_TIFF_HEADER)
        while block := before.read(2**20):
            if file.read(len(block)) != block:
                return False
    return True


def scan_files(
    folder: Path, failed: Callable[[Path, OSError], None] | None = None
) -> list[tuple[Path, os.stat_result]]:
    """Files of a folder that are not named as unfinished, and their sizes and times.

    Parameters
    ----------
    folder : Path
    failed : callable, optional
        Told of each file or folder inside that cannot be looked at; the others are given
        all the same. Without it, the first such is an error.

    Raises
    ------
    OSError
        Where the folder cannot be read.
    """
    found = []

    def fail(path: Path, error: OSError) -> None:
        if failed is None or path == folder:
            raise error
        failed(path, error)

    for here, folders, names in os.walk(folder, onerror=lambda e: fail(Path(e.filename), e)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(here, name)
            if name.startswith((".", "~$")) or path.suffix.casefold() in _UNFINISHED:
                continue
            try:
                found.append((path, path.stat()))
            except FileNotFoundError:
                continue  # it went away while we looked
            except OSError as error:
                if error.errno == errno.ELOOP:
                    error.strerror = "it is a link that leads back to itself; take it away"
                fail(path, error)
    return found
