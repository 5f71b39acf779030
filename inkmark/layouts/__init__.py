"""Sheet definitions in millimetres: model, file format, building, printing, importing."""

from __future__ import annotations

from inkmark.layouts.model import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    BubbleShape,
    CodeField,
    Field,
    JoinedField,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)

__all__ = [
    "AnchorKind",
    "Anchors",
    "AreaField",
    "BubbleField",
    "BubbleShape",
    "CodeField",
    "Field",
    "JoinedField",
    "PageLayout",
    "Role",
    "SheetLayout",
    "WritingField",
]
