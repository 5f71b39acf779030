"""Layouts learned from blank sheets of any origin and tried on scans, for a person to check."""

from __future__ import annotations

from inkmark.learning.check import CheckedPage, check_picture_name, draw_check, joined_values
from inkmark.learning.model import (
    Doubt,
    LearnedBubble,
    LearnedPage,
    LearnedSheet,
    LearnOptions,
    Order,
)
from inkmark.learning.overlay import write_overlay
from inkmark.learning.sheet import BlankPage, learn_sheet

__all__ = [
    "BlankPage",
    "CheckedPage",
    "Doubt",
    "LearnOptions",
    "LearnedBubble",
    "LearnedPage",
    "LearnedSheet",
    "Order",
    "check_picture_name",
    "draw_check",
    "joined_values",
    "learn_sheet",
    "write_overlay",
]
