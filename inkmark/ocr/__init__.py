"""Codes, and the protocol that readers of handwriting and printed text follow."""

from __future__ import annotations

from inkmark.ocr.codes import find_codes, read_codes
from inkmark.ocr.protocol import TextReader, TextReading
from inkmark.ocr.strings import StringReader, string_reader

__all__ = [
    "StringReader",
    "TextReader",
    "TextReading",
    "find_codes",
    "read_codes",
    "string_reader",
]
