"""The report as JSON, for other programs: format ``inkmark-report/1``."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any

from inkmark.files import write_whole
from inkmark.reports.model import Report

__all__ = ["FORMAT", "report_schema", "report_to_json", "write_report_json"]

FORMAT = "inkmark-report/1"


def report_to_json(report: Report) -> dict[str, Any]:
    """The report as JSON values: figures as numbers with the decimals that are shown."""
    return {"format": FORMAT, **_value(report)}


def write_report_json(report: Report, path: Path | str) -> None:
    """Write the report as JSON, whole or not at all.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    text = json.dumps(report_to_json(report), ensure_ascii=False, indent=1)
    write_whole(path, f"{text}\n".encode())


def report_schema() -> dict[str, Any]:
    """The JSON Schema of the format."""
    text = Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _value(value: Any) -> Any:
    """Frozen values as JSON values; a field of a dataclass is a key."""
    if dataclasses.is_dataclass(value):
        return {f.name: _value(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_value(part) for part in value]
    if isinstance(value, Decimal):
        # Few digits, so the nearest float is written with just the decimals shown.
        return int(value) if value == value.to_integral() else float(value)
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
