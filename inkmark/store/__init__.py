"""The exam database: one schema, SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from inkmark.store.database import ExamStore
from inkmark.store.identifying import Facts, describe
from inkmark.store.records import (
    Decision,
    IdentityDecision,
    PageRecord,
    PageSummary,
    Placement,
    StoredPage,
    StoredReading,
    StoredScore,
)
from inkmark.store.rows import PageRows, page_rows

__all__ = [
    "Decision",
    "ExamStore",
    "Facts",
    "IdentityDecision",
    "PageRecord",
    "PageRows",
    "PageSummary",
    "Placement",
    "StoredPage",
    "StoredReading",
    "StoredScore",
    "describe",
    "page_rows",
]
