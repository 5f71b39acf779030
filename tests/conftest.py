"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real scans and reference data: INKMARK_DATA, else ../shared/data."""
    folder = Path(os.environ.get("INKMARK_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set INKMARK_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def omrchecker_dir(data_dir: Path) -> Path:
    """The OMRChecker samples with truth, inside the reference data."""
    folder = data_dir / "scans" / "omrchecker"
    if not folder.is_dir():
        pytest.skip(f"no scans at {folder}; set INKMARK_DATA to the folder that holds scans/")
    return folder
