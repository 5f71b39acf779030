"""Reading steps of connectionist temporal classification (CTC) under what may be written."""

from __future__ import annotations

from inkmark.ctc.alphabet import assign_characters, plain
from inkmark.ctc.decoding import (
    Choices,
    Steps,
    join_opinions,
    language_probability,
    likeliest_texts,
    likelihood,
    opinions,
)
from inkmark.ctc.languages import (
    ANY_CHARACTER,
    OTHER,
    Language,
    Pattern,
    either,
    language_of,
    literal,
    many,
    maybe,
    one_of,
    repeat,
    symbols_of,
)

__all__ = [
    "ANY_CHARACTER",
    "OTHER",
    "Choices",
    "Language",
    "Pattern",
    "Steps",
    "assign_characters",
    "either",
    "join_opinions",
    "language_of",
    "language_probability",
    "likeliest_texts",
    "likelihood",
    "literal",
    "many",
    "maybe",
    "one_of",
    "opinions",
    "plain",
    "repeat",
    "symbols_of",
]
