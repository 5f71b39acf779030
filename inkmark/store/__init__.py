"""The exam database: one schema, SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from inkmark.store.database import ExamStore
from inkmark.store.records import (
    Decision,
    PageRecord,
    PageSummary,
    StoredPage,
    StoredReading,
    StoredScore,
)
from inkmark.store.rows import PageRows, page_rows
from inkmark.store.settling import Facts

__all__ = [
    "Decision",
    "ExamStore",
    "Facts",
    "PageRecord",
    "PageRows",
    "PageSummary",
    "StoredPage",
    "StoredReading",
    "StoredScore",
    "page_rows",
]
