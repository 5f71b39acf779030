"""The database schema: one for SQLite and PostgreSQL.

Points are kept as whole hundredths, so that no score ever passes through a float. The
comment of each column is its entry in the data dictionary.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

__all__ = [
    "FLAGGED",
    "SCHEMA_VERSION",
    "UPGRADES",
    "candidates",
    "decisions",
    "exams",
    "identities",
    "metadata",
    "pages",
    "placements",
    "readings",
    "schema_info",
    "scores",
    "upgrade",
]

SCHEMA_VERSION = 4

metadata = sa.MetaData()

_JSON_OR_NULL = sa.JSON(none_as_null=True)


class Points(TypeDecorator[Decimal]):
    """A decimal with two places, kept as an integer number of hundredths."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        hundredths = value * 100
        if hundredths != hundredths.to_integral_value():
            raise ValueError(f"{value} points have more than two decimals")
        return int(hundredths)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else Decimal(value).scaleb(-2).normalize() + Decimal(0)


def _text(name: str, comment: str, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default=default, comment=comment)


schema_info = sa.Table(
    "schema_info",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, comment="version of this schema"),
)

exams = sa.Table(
    "exams",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="exam id, as printed in the QR codes"),
    _text("title", "title of the exam"),
    _text("subject", "subject"),
    _text("grade", "grade the exam is for"),
    sa.Column("date", sa.Date, comment="day of the exam"),
    _text("language", "zh or en"),
    sa.Column("full_mark", Points, nullable=False, comment="sum of the items' points"),
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("exam_id", sa.ForeignKey("exams.id"), primary_key=True, comment="exam"),
    sa.Column("number", sa.Text, primary_key=True, comment="candidate number"),
    _text("name", "name; empty where the roster gives none"),
    _text("class_name", "class"),
    _text("school", "school"),
    sa.Column("identifiers", sa.JSON, nullable=False, comment="further roster columns"),
    sa.Column("position", sa.Integer, nullable=False, comment="place in the roster, from 0"),
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="page image"),
    sa.Column("exam_id", sa.ForeignKey("exams.id"), nullable=False, comment="exam"),
    _text("path", "file, relative to the exam folder where it lies inside"),
    sa.Column("page_index", sa.Integer, nullable=False, comment="page in the file, from 0"),
    _text("sha256", "hash of the file's bytes"),
    _text("layout_version", "layout it was read with"),
    _text("status", "read, or the kind of issue that keeps the page from being used"),
    _text("message", "what is wrong and what to do; empty where nothing is"),
    _text("fault", "why the image itself could not be read; empty where it could"),
    _text("candidate", "candidate number; empty where not known"),
    _text("serial", "serial number of a blank sheet, by its code; empty for other sheets"),
    _text("named", "candidate that the page's own code names; empty where it names none"),
    _text("claim", "candidate number that is read on the page beyond doubt; empty if none is"),
    sa.Column(
        "guesses",
        sa.JSON,
        nullable=False,
        comment="whose page it may be: candidates (nobody on the roster: empty) and probabilities",
    ),
    sa.Column("page_number", sa.Integer, nullable=False, comment="page of the layout, from 0"),
    sa.Column(
        "contested",
        sa.JSON,
        nullable=False,
        comment="fields that another image of the page shows otherwise",
    ),
    sa.Column("width_px", sa.Integer, comment="width of the image"),
    sa.Column("height_px", sa.Integer, comment="height of the image"),
    sa.Column("dpi", sa.Float, comment="resolution by the registration"),
    sa.Column("edge_mm", sa.Float, comment="width of the edges of print and marks, in mm"),
    sa.Column(
        "registration",
        _JSON_OR_NULL,
        comment="orientation, homography, residual, anchors, shifts, lost fields",
    ),
    sa.Column("codes", _JSON_OR_NULL, comment="decoded codes: field, text, format, box"),
    sa.UniqueConstraint("exam_id", "path", "page_index", "sha256"),
    sa.Index("pages_by_candidate", "exam_id", "candidate", "page_number"),
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="reading"),
    sa.Column(
        "page_id",
        sa.ForeignKey("pages.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
        comment="page image it was read from",
    ),
    _text("field", "field of the layout"),
    _text("value", "what was read"),
    sa.Column("confidence", sa.Float, nullable=False, comment="probability that it is right"),
    _text("flag", "why a person should look; empty where nobody needs to"),
    sa.Column("fill", sa.JSON, nullable=False, comment="darkness of each bubble, 0 to 1"),
    sa.Column("x_px", sa.Float, nullable=False, comment="crop: left edge"),
    sa.Column("y_px", sa.Float, nullable=False, comment="crop: top edge"),
    sa.Column("w_px", sa.Float, nullable=False, comment="crop: width"),
    sa.Column("h_px", sa.Float, nullable=False, comment="crop: height"),
    sa.Column(
        "choices",
        sa.JSON,
        nullable=False,
        comment="symbols a box, group or step may hold, with probabilities",
    ),
)

# Few readings are flagged, and each balance of the batch asks for them.
FLAGGED = readings.c.flag != sa.literal_column("''")
sa.Index("readings_flagged", readings.c.page_id, sqlite_where=FLAGGED, postgresql_where=FLAGGED)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="decision; the latest one holds"),
    sa.Column("exam_id", sa.ForeignKey("exams.id"), nullable=False, comment="exam"),
    _text("candidate", "candidate number"),
    _text("field", "field that was decided"),
    _text("value", "the value decided"),
    _text("sha256", "hash of the file that was looked at"),
    sa.Column("page_index", sa.Integer, nullable=False, comment="page in that file, from 0"),
    _text("decided_by", "who decided"),
    sa.Column("decided_at", sa.DateTime, nullable=False, comment="when, UTC"),
    _text("reason", "why; empty where none was given"),
    sa.Index("decisions_by_field", "exam_id", "candidate", "field"),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="decision; the latest one holds"),
    sa.Column("exam_id", sa.ForeignKey("exams.id"), nullable=False, comment="exam"),
    _text("sha256", "hash of the file that was looked at"),
    sa.Column("page_index", sa.Integer, nullable=False, comment="page in that file, from 0"),
    _text("sheet", "the sheet of paper: candidate its code names, or * and serial; may be empty"),
    _text("claim", "candidate number that was read on the page beyond doubt"),
    sa.Column(
        "candidate", sa.Text, comment="whose sheet it is: empty for nobody's, null for left open"
    ),
    _text("decided_by", "who decided"),
    sa.Column("decided_at", sa.DateTime, nullable=False, comment="when, UTC"),
    _text("reason", "why; empty where none was given"),
    sa.Index("identities_by_exam", "exam_id"),
)

placements = sa.Table(
    "placements",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="decision; the latest one holds"),
    sa.Column("exam_id", sa.ForeignKey("exams.id"), nullable=False, comment="exam"),
    _text("sha256", "hash of the file that was looked at"),
    sa.Column("page_index", sa.Integer, nullable=False, comment="page in that file, from 0"),
    _text("field", "field of the handwritten answer"),
    _text("answer_group", "group of alike answers that it was put into or left in"),
    sa.Column("points", Points, comment="points of its group; empty where none were given yet"),
    _text("decided_by", "who decided"),
    sa.Column("decided_at", sa.DateTime, nullable=False, comment="when, UTC"),
    _text("reason", "why; empty where none was given"),
    sa.Index("placements_by_exam", "exam_id"),
)

scores = sa.Table(
    "scores",
    metadata,
    sa.Column("exam_id", sa.ForeignKey("exams.id"), primary_key=True, comment="exam"),
    sa.Column("candidate", sa.Text, primary_key=True, comment="candidate number"),
    sa.Column("item", sa.Text, primary_key=True, comment="item number"),
    sa.Column("points", Points, comment="points; empty where there is no score (see status)"),
    sa.Column("full", Points, nullable=False, comment="full mark of the item"),
    _text("status", "scored, pending, absent or missing"),
    _text("value", "the response that was scored"),
    _text("rule", "scoring rule applied"),
    _text("key", "key applied"),
    sa.Column(
        "reading_id",
        sa.ForeignKey("readings.id", ondelete="SET NULL"),
        comment="the reading the score rests on; empty for points entered by hand",
    ),
    sa.Column(
        "decision_id",
        sa.ForeignKey("decisions.id"),
        comment="the decision by hand that replaced the reading's value",
    ),
)

UPGRADES = {
    1: (
        "ALTER TABLE pages ADD COLUMN fault TEXT NOT NULL DEFAULT ''",
        "UPDATE pages SET fault = message WHERE status = 'unregistered'",
        "CREATE INDEX readings_flagged ON readings (page_id) WHERE flag != ''",
    ),
    2: ("ALTER TABLE pages ADD COLUMN edge_mm FLOAT",),
    3: (
        "ALTER TABLE readings ADD COLUMN choices JSON NOT NULL DEFAULT '[]'",
        "ALTER TABLE pages ADD COLUMN named TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE pages ADD COLUMN claim TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE pages ADD COLUMN guesses JSON NOT NULL DEFAULT '[]'",
        "UPDATE pages SET claim = candidate",
        # Images of one candidate were those of one sheet; what their codes say was not kept.
        "UPDATE pages SET named = candidate WHERE serial = ''",
    ),
}
"""Earlier version -> the statements that bring a database to the one after it."""


def upgrade(connection: sa.Connection, version: int) -> None:
    """Bring the tables of an earlier version to this one."""
    for earlier in range(version, SCHEMA_VERSION):
        for statement in UPGRADES[earlier]:
            connection.exec_driver_sql(statement)
    connection.execute(schema_info.update().values(version=SCHEMA_VERSION))
