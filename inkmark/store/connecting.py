"""Connections to the database, of which one at a time writes."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StatementError,
)

from inkmark.errors import ExtraMissingError, StoreError

__all__ = ["make_engine", "name_of", "transaction"]

_BUSY_TIMEOUT_S = 30
_BUSY_PAUSE_S = 0.01

_OURS = frozenset({"schema_info", "exams"})
"""Tables that every version of the database has."""

_BACKENDS = ("sqlite", "postgresql")


def make_engine(url: str | sa.URL) -> sa.Engine:
    """Give what connects to a database; errors are those of `ExamStore`."""
    url = sa.engine.make_url(url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    backend = url.get_backend_name()
    if backend not in _BACKENDS:
        raise StoreError(f"{backend} is no database for exams. Use SQLite or PostgreSQL.")
    try:
        # Parameters by position, so that rows can go to the driver as tuples.
        engine = sa.create_engine(
            url,
            connect_args={"timeout": _BUSY_TIMEOUT_S} if url.drivername == "sqlite" else {},
            paramstyle="format" if backend == "postgresql" else "qmark",
        )
    except ModuleNotFoundError as error:
        raise ExtraMissingError("postgresql", "a PostgreSQL database") from error
    if backend == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def name_of(engine: sa.Engine) -> str:
    """The database as messages name it."""
    return Path(engine.url.database).name if engine.url.database else str(engine.url)


@contextlib.contextmanager
def transaction(engine: sa.Engine, *, writing: bool) -> Iterator[sa.Connection]:
    """Read or write all or nothing.

    Raises
    ------
    StoreError
        Where the database refuses, with what to do.
    """
    try:
        with (
            engine.connect().execution_options(inkmark_writing=writing) as connection,
            connection.begin(),
        ):
            yield connection
    except StatementError as error:
        raise StoreError(_refusal(name_of(engine), error)) from error


def _refusal(name: str, error: StatementError) -> str:
    """Say why nothing was written or read, and what to do."""
    match error:
        case OperationalError():
            return (
                f"the database {name} cannot be used: {error.orig}. Check that the folder can "
                "be written, the disk is not full and no other program holds the database, then "
                "run the command again; nothing was half written."
            )
        case IntegrityError():
            return (
                f"the database {name} refused a contradictory entry: {error.orig}. Another "
                "inkmark may have written at the same time; run the command again."
            )
        case DatabaseError() if not isinstance(error, (DataError, ProgrammingError)):
            return (
                f"{name} is not an exam database, or is damaged: {error.orig}. Restore it from a "
                "copy, or move it away and read the scans again."
            )
    return (
        f"a value cannot be kept in the database: {error.orig}. Correct the value and run the "
        "command again; nothing was half written."
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite` alone
    cursor = connection.cursor()
    _take_over(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _take_over(cursor: Any) -> None:
    """Switch a new database to write-ahead logging, waiting for others who do the same.

    The file of another program is refused before anything is written to it.

    SQLite does not wait by itself here: the switch turns a read lock into an exclusive one,
    where waiting could be for ever.
    """
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in cursor.fetchall()}
            if tables and not tables >= _OURS:
                cursor.execute("PRAGMA database_list")
                raise StoreError(
                    f"{cursor.fetchone()[2]} is the database of another program. Move it away, "
                    "and the exam gets a new one when its scans are read."
                )
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the lock at once where something is written, so that nobody writes in between."""
    writing = connection.get_execution_options().get("inkmark_writing", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
