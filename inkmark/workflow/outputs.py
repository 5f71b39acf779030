"""Which files were reported into, so that the next reports leave none that is out of date."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from inkmark.files import write_whole

__all__ = ["settle_outputs"]

_LIST = ".written.json"


def settle_outputs(out: Path, files: Iterable[Path]) -> None:
    """Remove the PDF files that the last reports wrote and these did not.

    So nothing is left of a class that has another name now. Other files are never touched:
    only those in the list of the last reports are, and only inside `out`.

    Parameters
    ----------
    out : Path
        Where reports are written; keeps the list.
    files : iterable of Path
        What was written now, in `out`.

    Raises
    ------
    OSError
        Where a file cannot be removed or the list cannot be written.
    """
    now = {path.relative_to(out).as_posix() for path in files if path.suffix == ".pdf"}
    for name in _last(out / _LIST) - now:
        _remove(out, name)
    write_whole(out / _LIST, f"{json.dumps(sorted(now), ensure_ascii=False, indent=1)}\n".encode())


def _last(path: Path) -> set[str]:
    try:
        listed = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return set()  # no list, or none of ours: then nothing is removed
    return {name for name in listed if isinstance(name, str)} if isinstance(listed, list) else set()


def _remove(out: Path, name: str) -> None:
    root, path = out.resolve(), (out / name).resolve()
    if path.suffix != ".pdf" or not path.is_relative_to(root) or not path.is_file():
        return
    path.unlink()
    folder = path.parent
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
