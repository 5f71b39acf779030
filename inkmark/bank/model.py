"""An item bank as plain values."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

__all__ = [
    "LABELS",
    "LEVELS",
    "BankItem",
    "Bilingual",
    "ItemBank",
    "KnowledgePoint",
    "fold_name",
]

LABELS = ("A", "B", "C", "D")
"""Option labels of a bank item, in printed order."""


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in Chinese and in English."""

    zh: str
    en: str

    def text(self, language: str) -> str:
        """The text in ``"zh"`` or ``"en"``."""
        return self.zh if language == "zh" else self.en


LEVELS = {
    "know": Bilingual("了解", "know"),
    "understand": Bilingual("理解", "understand"),
    "apply": Bilingual("应用", "apply"),
    "analyse": Bilingual("分析", "analyse"),
}
"""Cognitive levels, from the lowest to the highest."""


@dataclass(frozen=True, slots=True)
class KnowledgePoint:
    """Something that items test.

    Attributes
    ----------
    id : str
        Unique in the bank.
    name : Bilingual
    prerequisites : tuple of str
        Ids of the points that this one builds on directly.
    """

    id: str
    name: Bilingual
    prerequisites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BankItem:
    """A single-choice item.

    Attributes
    ----------
    id : str
        Unique in the bank.
    knowledge : str
        Id of the knowledge point.
    level : str
        Cognitive level, one of `LEVELS`.
    difficulty : float
        Planned facility, between 0 (nobody is right) and 1 (everybody is right).
    stem : Bilingual
    options : tuple of Bilingual
        Four, in printed order; the label of option i is ``LABELS[i]``.
    key : str
        Label of the right option.
    explanation : Bilingual
        Why the key is right, in one sentence.
    """

    id: str
    knowledge: str
    level: str
    difficulty: float
    stem: Bilingual
    options: tuple[Bilingual, ...]
    key: str
    explanation: Bilingual


@dataclass(frozen=True, slots=True)
class ItemBank:
    """Items and the knowledge points they test.

    Attributes
    ----------
    id : str
    title : Bilingual
    points : tuple of KnowledgePoint
    items : tuple of BankItem
    """

    id: str
    title: Bilingual
    points: tuple[KnowledgePoint, ...]
    items: tuple[BankItem, ...]

    def find_point(self, name: str) -> KnowledgePoint | None:
        """The point whose id, Chinese or English name is `name` but for spaces, width and case."""
        folded = fold_name(name)
        for point in self.points:
            if folded in map(fold_name, (point.id, point.name.zh, point.name.en)):
                return point
        return None


def fold_name(name: str) -> str:
    """A name in the form in which names are compared: NFKC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
