"""The rule that a test may not vanish in continuous integration."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")

EXAMPLES = """
    import pytest

    def test_unexpected(): pytest.skip("no such library")
    def test_no_data(): pytest.skip("no scans; set INKMARK_DATA to the folder that holds scans/")
    @pytest.mark.xfail(reason="known", strict=True)
    def test_known(): assert False
    def test_good(): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    return pytester


@pytest.mark.parametrize(
    ("ci", "outcomes"),
    [
        ("true", {"passed": 1, "failed": 1, "skipped": 1, "xfailed": 1}),
        ("", {"passed": 1, "skipped": 2, "xfailed": 1}),
    ],
)
def test_unexpected_skip_fails_in_ci_only(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcomes: dict[str, int]
) -> None:
    monkeypatch.setenv("CI", ci)
    project.makepyfile(EXAMPLES)
    result = project.runpytest_inprocess()
    result.assert_outcomes(**outcomes)
    if ci:
        result.stdout.fnmatch_lines(["*skipped in continuous integration: *no such library*"])


def test_skipped_module_fails_in_ci(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    project.makepyfile("import pytest; pytest.importorskip('no_such_module')")
    result = project.runpytest_inprocess()
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*skipped in continuous integration: *no_such_module*"])
