"""Templates of other systems as sheet layouts: one function for all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from inkmark.errors import LayoutError
from inkmark.layouts.importers._common import ImportedLayout, read_bytes
from inkmark.layouts.importers.formscanner import import_formscanner
from inkmark.layouts.importers.omrchecker import import_omrchecker
from inkmark.layouts.model import AnchorKind
from inkmark.layouts.symmetry import looks_the_same_turned

__all__ = ["ImportedLayout", "import_formscanner", "import_layout", "import_omrchecker"]


def import_layout(path: Path | str) -> ImportedLayout:
    """Turn the template of another system into a layout; its content says which system's.

    Parameters
    ----------
    path : Path or str
        An OMRChecker ``template.json`` or a FormScanner ``.xtmpl``.

    Returns
    -------
    ImportedLayout

    Raises
    ------
    LayoutError
        Where the file cannot be read, is no template of these systems, or asks for
        something that has no counterpart here.
    """
    path = Path(path)
    start = read_bytes(path).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        imported = import_formscanner(path)
    elif start == b"{":
        imported = import_omrchecker(path)
    else:
        raise LayoutError(
            f"{path.name} is neither an OMRChecker template (JSON) nor a FormScanner template "
            "(XML). Give a template.json or a .xtmpl file."
        )
    page = imported.layout.pages[0]
    if page.anchors.kind is not AnchorKind.REFERENCE and looks_the_same_turned(page):
        note = "the bubbles stand alike upside down: scan all sheets the right way up."
        return replace(imported, notes=(*imported.notes, note))
    return imported
