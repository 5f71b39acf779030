"""The item bank: practice items by knowledge point, in Chinese and English."""

from __future__ import annotations

from inkmark.bank.loader import bank_schema, load_bank
from inkmark.bank.model import (
    LABELS,
    LEVELS,
    BankItem,
    Bilingual,
    ItemBank,
    KnowledgePoint,
    fold_name,
)

__all__ = [
    "LABELS",
    "LEVELS",
    "BankItem",
    "Bilingual",
    "ItemBank",
    "KnowledgePoint",
    "bank_schema",
    "fold_name",
    "load_bank",
]
