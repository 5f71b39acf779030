"""Opening a database: new, busy, of an older version, or none at all."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from pages_to_store import EXAM, FACTS, UNREGISTERED, add, image, record, statuses
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from inkmark.errors import ExtraMissingError, StoreError
from inkmark.readings import Flag, IssueKind
from inkmark.store import ExamStore
from inkmark.store.adding import insert_by_position
from inkmark.store.connecting import make_engine
from inkmark.store.rows import READING_COLUMNS, page_rows
from inkmark.store.schema import SCHEMA_VERSION, pages, readings


def _postgresql(paramstyle: str) -> sa.Dialect:
    """As `make_engine` would give it, also where there is no driver."""
    kind: Callable[..., sa.Dialect] = PGDialect_psycopg
    return kind(paramstyle=paramstyle)


def test_many_threads_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    def work(number: int) -> int:
        with ExamStore.open(tmp_path / "inkmark.db", EXAM.id) as opened:
            opened.put_exam(EXAM)
            return add(opened, [record(f"scans/{number}.jpg", candidate=str(number))])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == [1] * 16
    with ExamStore.open(tmp_path / "inkmark.db", EXAM.id) as store:
        assert len(list(store.pages())) == 16


@pytest.mark.parametrize("dialect", [make_engine("sqlite://").dialect, _postgresql("format")])
def test_rows_go_to_every_database_by_position(dialect: sa.Dialect) -> None:
    page = page_rows(record("scans/1.jpg")).page
    for table, columns in ((pages, ["exam_id", *page]), (readings, READING_COLUMNS)):
        insert, names = insert_by_position(dialect, table, columns)
        assert sorted(names) == sorted(columns)
        named = insert[insert.index("(") + 1 : insert.index(")")].split(", ")
        assert named == names
        values = insert[insert.index("VALUES") :]
        assert values.count("%s" if dialect.name == "postgresql" else "?") == len(names)
        assert table is pages or names == list(columns), "readings are rows already"


def test_a_database_without_positions_is_refused() -> None:
    with pytest.raises(RuntimeError, match="by position"):
        insert_by_position(_postgresql("pyformat"), pages, ["path"])


def test_opening_waits_for_another_program_that_opens_the_new_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "inkmark.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE held (n)")
    waits: list[float] = []

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        if other.in_transaction:
            other.execute("ROLLBACK")

    monkeypatch.setattr("inkmark.store.connecting._BUSY_TIMEOUT_S", 0.1)
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=let_go)
    monkeypatch.setattr("inkmark.store.connecting.time", clock)
    with ExamStore.open(tmp_path / "inkmark.db", EXAM.id) as store:
        store.put_exam(EXAM)
    other.close()
    assert waits


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    path.write_text("this is not a database, but it is long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match=r"inkmark\.db is not an exam database"):
        ExamStore.open(path, "DEMO")


@pytest.mark.parametrize("table", ["customers", "schema_info"])
def test_the_database_of_another_program_is_refused_and_left_alone(
    tmp_path: Path, table: str
) -> None:
    path = tmp_path / "inkmark.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE {table} (name)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"inkmark\.db is the database of another program"):
        ExamStore.open(path, "DEMO")
    assert path.read_bytes() == before


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    ExamStore.open(path, "DEMO").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_info SET version = 99")
    connection.close()
    with pytest.raises(StoreError, match="schema version 99"):
        ExamStore.open(path, "DEMO")


def drop_version_4(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE readings DROP COLUMN choices")
    for column in ("named", "claim", "guesses"):
        connection.execute(f"ALTER TABLE pages DROP COLUMN {column}")
    connection.execute("DROP TABLE identities")


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    with ExamStore.open(path, "DEMO") as store:
        store.put_exam(EXAM)
        add(store, [UNREGISTERED])
    query = "SELECT sql FROM sqlite_master WHERE name = 'readings_flagged'"
    with sqlite3.connect(path) as connection:
        (index,) = connection.execute(query).fetchone()
        connection.execute("ALTER TABLE pages DROP COLUMN fault")
        connection.execute("ALTER TABLE pages DROP COLUMN edge_mm")
        drop_version_4(connection)
        connection.execute("DROP INDEX readings_flagged")
        connection.execute("UPDATE schema_info SET version = 1")
    connection.close()
    with ExamStore.open(path, "DEMO") as store:
        add(store, [image("scans/5.jpg")])
        store.settle(replace(FACTS, folder="scans/", files=frozenset({"scans/9.jpg"})))
        assert statuses(store)["scans/9.jpg"] is IssueKind.UNREGISTERED
    with sqlite3.connect(path) as connection:
        assert connection.execute(query).fetchone() == (index,)
        assert connection.execute("SELECT version FROM schema_info").fetchone() == (SCHEMA_VERSION,)
    connection.close()


def test_a_database_that_the_first_version_wrote_is_used(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("version_1.sql").read_text("utf-8"))
    with ExamStore.open(path, "DEMO") as store:
        before = {page.record.source.path: page for page in store.pages()}
        record_1 = before["scans/1-again.jpg"].record
        as_now = record("scans/1-again.jpg")
        assert as_now.reading is not None
        assert record_1 == replace(as_now, reading=replace(as_now.reading, edge_mm=None))
        assert before["scans/2.jpg"].record.reading is not None
        assert before["scans/2.jpg"].record.reading.registration.shifts is None
        assert before["scans/9.jpg"].record.issue is IssueKind.UNREGISTERED
        (score,) = store.scores()
        assert (score.record.points, score.source) == (Decimal("2.5"), record_1.source)
        (decision,) = store.decisions()
        assert before["scans/1-again.jpg"].decided == {"absent"} == {decision.field}
        assert store.known_pages("AA").keys() == before.keys() - {"scans/8.jpg"}
        add(store, [record("scans/3.jpg", value="B"), record("scans/8.jpg", candidate="0003")])
        store.settle(FACTS)
        assert statuses(store) == {
            "scans/1.jpg": IssueKind.DUPLICATE_PAGE,
            "scans/1-again.jpg": IssueKind.DUPLICATE_PAGE,
            "scans/2.jpg": None,
            "scans/3.jpg": None,
            "scans/8.jpg": None,
            "scans/9.jpg": IssueKind.DUPLICATE_PAGE,
        }
        waiting = {
            page.source.path: page.waiting
            for page in store.summaries({0: dict.fromkeys(("Q1", "absent"), set(Flag) - {Flag.OK})})
        }
        assert set(waiting["scans/3.jpg"]) == {"Q1", "absent"}, "the images differ"
        assert {r.candidate for r in store.readings_in_use()} == {"0001", "0002", "0003"}


def test_a_database_that_the_second_version_wrote_is_used(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    with ExamStore.open(path, EXAM.id) as store:
        store.put_exam(EXAM)
        add(store, [record("scans/1.jpg")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE pages DROP COLUMN edge_mm")
        drop_version_4(connection)
        connection.execute("UPDATE schema_info SET version = 2")
    with ExamStore.open(path, EXAM.id) as store:
        add(store, [record("scans/2.jpg", candidate="0002")])
        edges = [page.record.reading and page.record.reading.edge_mm for page in store.pages()]
    assert edges == [None, 0.3]


def test_a_database_that_the_third_version_wrote_is_used(tmp_path: Path) -> None:
    path = tmp_path / "inkmark.db"
    with ExamStore.open(path, EXAM.id) as store:
        store.put_exam(EXAM)
        add(store, [record("scans/1.jpg")])
    with closing(sqlite3.connect(path)) as connection, connection:
        drop_version_4(connection)
        connection.execute("UPDATE schema_info SET version = 3")
    with ExamStore.open(path, EXAM.id) as store:
        (before,) = store.pages()
        assert before.record == record("scans/1.jpg")


def test_what_a_box_may_hold_comes_back(tmp_path: Path) -> None:
    choices = ((("7", 0.75), ("1", 0.25)), (("", 1.0),))
    page = record("scans/1.jpg")
    assert page.reading is not None
    first, *rest = page.reading.fields
    fields = (replace(first, choices=choices), *rest)
    written = replace(page, reading=replace(page.reading, fields=fields))
    with ExamStore.open(tmp_path / "inkmark.db", EXAM.id) as store:
        store.put_exam(EXAM)
        add(store, [written])
        (page_read,) = store.pages()
        assert page_read.record == written
        assert next(iter(store.readings_in_use())).reading.choices == choices


def test_postgresql_without_its_driver_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ExtraMissingError, match=r"inkmark\[postgresql\]"):
        ExamStore("postgresql://office@localhost/exams", "DEMO")


def test_other_databases_are_refused() -> None:
    with pytest.raises(StoreError, match="mysql is no database for exams"):
        ExamStore("mysql://office@localhost/exams", "DEMO")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        ExamStore.open(tmp_path / "nowhere" / "inkmark.db", "DEMO")
