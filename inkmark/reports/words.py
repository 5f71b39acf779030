"""The words on reports, in Chinese and in English; the texts themselves are in words.json."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

__all__ = ["item_list", "practice_words", "sentences", "words"]

_PLACE = {"zh": 0, "en": 1}


def words(language: str) -> Mapping[str, str]:
    """Every word by its key, in ``"zh"`` or ``"en"``."""
    return _texts("words", language)


def sentences(language: str) -> Mapping[str, str]:
    """Templates of the comment sentences by their key, in ``"zh"`` or ``"en"``."""
    return _texts("sentences", language)


def practice_words(language: str) -> Mapping[str, str]:
    """Every word of practice to print by its key, in ``"zh"`` or ``"en"``."""
    return _texts("practice", language)


def item_list(numbers: tuple[str, ...], language: str) -> str:
    """Item numbers or names as they stand in a sentence."""
    return ("、" if language == "zh" else ", ").join(numbers)


@functools.cache
def _texts(part: str, language: str) -> Mapping[str, str]:
    data = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    place = _PLACE[language]
    return MappingProxyType({key: texts[place] for key, texts in data[part].items()})
