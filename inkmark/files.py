"""Files that are either whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


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
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
