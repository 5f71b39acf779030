"""The exam database: one schema, SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from inkmark.store.database import ExamStore
from inkmark.store.records import Decision, PageRecord, StoredPage, StoredReading, StoredScore

__all__ = [
    "Decision",
    "ExamStore",
    "PageRecord",
    "StoredPage",
    "StoredReading",
    "StoredScore",
]
