"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

# No test may depend on how busy the machine is, or find on one machine what it cannot find
# on the next.
hypothesis.settings.register_profile(
    "anywhere",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("anywhere")

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


# Reasons that may skip a test in continuous integration; any other is a failure there, so
# that no test goes missing unseen.
EXPECTED_SKIPS = (
    "set INKMARK_DATA",
    "run by root",
    "make test runs this in its own",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_unexpected_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        _fail_unexpected_skip(report)
    return report


def _fail_unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    if os.environ.get("CI") != "true" or any(expected in reason for expected in EXPECTED_SKIPS):
        return
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: skipped in continuous integration: {reason}"
