"""Files that are either whole or not there, and names for those of classes."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePath

from inkmark.errors import InkmarkError

__all__ = [
    "draft_path",
    "file_names",
    "file_sha256",
    "keep_inputs",
    "natural_key",
    "real_paths",
    "write_whole",
]

# A quarter of what file systems allow in bytes: a character takes up to four.
_LONGEST = 50


def draft_path(path: Path) -> Path:
    """Give the hidden name, of this process alone, under which `path` is written first."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def keep_inputs(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse to write over what is read.

    Raises
    ------
    InkmarkError
        Where `out` is one of the inputs.
    """
    if out.resolve() in {path.resolve() for path in inputs}:
        raise InkmarkError(f"{out} is one of the files to read. Name another file to write.")


def write_whole(path: Path | str, content: bytes) -> None:
    """Write `content` to `path` so that nobody ever sees a part of it.

    The bytes go to a temporary name in the same folder, which is made where it is missing,
    and then take the place of `path`.

    Raises
    ------
    OSError
        Where the folder cannot be written to; `path` is then as it was before.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_path(target)
    try:
        draft.write_bytes(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def file_names(classes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Give the files of classes names, without an ending.

    Names hold letters, digits, spaces, ``-``, ``_`` and brackets only, so none leads out of
    a folder, is hidden or is taken for an option; they are short, never empty, and differ
    even where capitals count for nothing. Equal classes in any order get equal names.

    Parameters
    ----------
    classes : iterable of (school, class)
        The school is part of the name where there are several.

    Returns
    -------
    dict of (school, class) to str
    """
    ordered = sorted(set(classes))
    several = len({school for school, _ in ordered}) > 1
    names: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for school, class_name in ordered:
        plain = _plain(f"{school} {class_name}" if several else class_name)
        numbered = (f"{plain} ({n})" for n in itertools.count(2))
        name = next(n for n in itertools.chain([plain], numbered) if n.casefold() not in taken)
        taken.add(name.casefold())
        names[school, class_name] = name
    return names


def file_sha256(path: Path) -> str:
    """Give the hash of a file's bytes in hexadecimal, as the database keeps it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def natural_key(path: PurePath) -> tuple[list[tuple[tuple[int, int, str], ...]], str]:
    """Key to sort paths by: digits compare as numbers, letters without case.

    The plain path breaks ties.
    """
    return [
        tuple(
            (0, int(run), "") if run.isascii() and run.isdigit() else (1, 0, run)
            for run in re.split(r"([0-9]+)", part.casefold())
            if run
        )
        for part in path.parts
    ], str(path)


def real_paths(paths: Iterable[Path]) -> list[str]:
    """Give the paths without links, as `os.path.realpath` does, following each folder once."""
    folders: dict[Path, str] = {}
    found = []
    for path in paths:
        folder = folders.get(path.parent)
        if folder is None:
            folder = folders[path.parent] = os.path.realpath(path.parent)
        real = os.path.join(folder, path.name)  # noqa: PTH118 - text is what is wanted
        # A name such as ".." is none of a file in the folder, and a link leads elsewhere.
        is_plain = path.name not in ("", "..") and not os.path.islink(real)  # noqa: PTH114
        found.append(real if is_plain else os.path.realpath(path))
    return found


def _plain(text: str) -> str:
    kept = re.sub(r"[^\w ()（）-]+", "_", unicodedata.normalize("NFC", text)).strip(" ")
    return kept.lstrip(" -_")[:_LONGEST].rstrip(" ") or "class"
