"""Codes, handwriting in boxes, and the protocol that readers of text follow."""

from __future__ import annotations

from inkmark.ocr.codes import find_codes, read_codes
from inkmark.ocr.protocol import TextReader, TextReading
from inkmark.ocr.strings import StringReader, string_reader
from inkmark.ocr.writing import WritingOptions, read_writing

__all__ = [
    "StringReader",
    "TextReader",
    "TextReading",
    "WritingOptions",
    "find_codes",
    "read_codes",
    "read_writing",
    "string_reader",
]
