"""Finding scans: paths, folders and globs to files in natural order."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from inkmark.errors import ImageError
from inkmark.files import natural_key, real_paths

__all__ = ["find_scans"]

# What operating systems and office programs leave in folders; nobody scanned these.
_SYSTEM_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"})


def find_scans(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files named by paths, folders (searched to any depth) and globs, in natural order.

    A file that a folder holds is returned whatever its name: a file that is no image
    fails when it is opened, and so is reported, where a silent filter would lose a page.
    Only hidden files and those that systems leave behind (``Thumbs.db``,
    ``desktop.ini``, ``~$...``) are passed over.

    Parameters
    ----------
    paths : str, Path or iterable of them
        A glob may use ``*``, ``?``, ``[...]`` and ``**``.

    Returns
    -------
    list of Path
        Each file once, in the order of `paths`, inside a folder or glob in natural order
        (``page2`` before ``page10``).

    Raises
    ------
    ImageError
        Where a path does not exist, a folder cannot be read, or a folder or glob holds no
        file.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    found: dict[str, Path] = {}
    for path in paths:
        files = _files_of(Path(path))
        for real, file in zip(real_paths(files), files, strict=True):
            found.setdefault(real, file)
    return list(found.values())


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(_walk(path), key=natural_key)
        if not files:
            raise ImageError(str(path), "the folder holds no file", "Put the scans into it.")
        return files
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
        files = sorted(
            {
                file
                for match in matches
                if not _is_system(match.name)
                for file in (_walk(match) if match.is_dir() else (match,))
            },
            key=natural_key,
        )
        if not files:
            raise ImageError(str(path), "no file matches", "Correct the pattern or the folder.")
        return files
    if path.is_symlink():
        raise ImageError(str(path), "it is a link that leads nowhere", "Mend the link.")
    raise ImageError(str(path), "there is no such file or folder", "Correct the path.")


def _walk(folder: Path) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True, onerror=_refuse_folder):
        status = os.stat(here)  # noqa: PTH116
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder that was visited
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not _is_system(name))
        yield from (Path(here, name) for name in names if not _is_system(name))


def _refuse_folder(error: OSError) -> NoReturn:
    """Pages in a folder that is passed over would be missing without a word."""
    raise ImageError(
        str(error.filename),
        f"the folder cannot be read ({error.strerror})",
        "Check its permissions, or move it out of the scans.",
    ) from error


def _is_system(name: str) -> bool:
    return name.startswith((".", "~$")) or name.casefold() in _SYSTEM_NAMES
