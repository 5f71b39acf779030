"""What the importers share: their result, and how they take in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inkmark.errors import LayoutError
from inkmark.layouts.model import SheetLayout

__all__ = [
    "LONG_MM",
    "MAX_FIELDS",
    "SHORT_MM",
    "ImportedLayout",
    "read_bytes",
]

MAX_FIELDS = 5_000
"""As many as a layout file may hold."""
SHORT_MM, LONG_MM = 210.0, 297.0
"""Width of an upright and of a wide page: templates are in pixels and do not say."""
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class ImportedLayout:
    """The template of another system as a layout.

    Attributes
    ----------
    layout : SheetLayout
    system : str
        The system that the template is of.
    notes : tuple of str
        What the template says that inkmark does otherwise or does not need; nothing that
        it says is left out without being named here.
    """

    layout: SheetLayout
    system: str
    notes: tuple[str, ...] = ()


def read_bytes(path: Path) -> bytes:
    """The content of a template of at most a few megabytes.

    Raises
    ------
    LayoutError
        Where it cannot be read or is larger.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise LayoutError(
            f"{path} cannot be read ({error.strerror}). Give the path of a template."
        ) from error
    if len(content) > _MAX_BYTES:
        raise LayoutError(
            f"{path.name} is larger than {_MAX_BYTES >> 20} MB. Give a template, not a scan."
        )
    return content
