"""Errors that come from worker processes."""

from __future__ import annotations

import errno
import pickle

import pytest

from inkmark.errors import (
    AnalysisError,
    ExtraMissingError,
    Fault,
    FaultyFileError,
    FileAccessError,
    ImageError,
    InkmarkError,
    LayoutError,
    StoreError,
)

ERRORS = [
    InkmarkError("wrong. Correct it."),
    FaultyFileError("exam.xlsx", [Fault("items!C7", "no number"), Fault("line 2", "empty")]),
    LayoutError("no layout. Name one."),
    ImageError("1.jpg", "it is damaged", "Scan it again."),
    StoreError("locked. Close it."),
    ExtraMissingError("postgresql", "a PostgreSQL database"),
    AnalysisError("one candidate only. Give at least two."),
    FileAccessError(PermissionError(errno.EACCES, "Permission denied", "scans/1.jpg")),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error: InkmarkError, protocol: int) -> None:
    copy = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_every_class_is_tried() -> None:
    assert {type(error) for error in ERRORS} == {InkmarkError, *InkmarkError.__subclasses__()}
