"""Sheet definitions in millimetres: model, file format, building, printing, importing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from inkmark.layouts.build import build_layout
from inkmark.layouts.code import SheetCode
from inkmark.layouts.fit import form_differences, item_differences, sheet_options
from inkmark.layouts.format import (
    layout_schema,
    layout_text,
    layout_version,
    load_layout,
    parse_layout,
    save_layout,
)
from inkmark.layouts.model import (
    CHARSETS,
    AnchorKind,
    Anchors,
    AnswerField,
    AreaField,
    BoxFrame,
    BubbleField,
    BubbleShape,
    CodeField,
    Field,
    FullBox,
    JoinedField,
    MarkShape,
    PageLayout,
    PointsField,
    Role,
    SheetLayout,
    WritingField,
)
from inkmark.layouts.options import AnswerForm, NumberForm, SheetOptions

if TYPE_CHECKING:
    from inkmark.layouts.printing import print_sheets

__all__ = [
    "CHARSETS",
    "AnchorKind",
    "Anchors",
    "AnswerField",
    "AnswerForm",
    "AreaField",
    "BoxFrame",
    "BubbleField",
    "BubbleShape",
    "CodeField",
    "Field",
    "FullBox",
    "JoinedField",
    "MarkShape",
    "NumberForm",
    "PageLayout",
    "PointsField",
    "Role",
    "SheetCode",
    "SheetLayout",
    "SheetOptions",
    "WritingField",
    "build_layout",
    "form_differences",
    "item_differences",
    "layout_schema",
    "layout_text",
    "layout_version",
    "load_layout",
    "parse_layout",
    "print_sheets",
    "save_layout",
    "sheet_options",
]


def __getattr__(name: str) -> Any:
    if name == "print_sheets":  # reportlab is loaded only where something is printed
        return importlib.import_module("inkmark.layouts.printing").print_sheets
    raise AttributeError(f"module 'inkmark.layouts' has no attribute {name!r}")
