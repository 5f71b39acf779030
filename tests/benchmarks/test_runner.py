"""The command ``python -m benchmarks``, run on small benchmarks made here."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks import __main__ as runner

SOURCE = '''"""A benchmark made for a test."""

from benchmarks.contract import Kind, Result, Row, Unavailable


def run(options):
    if {value} < 0:
        raise Unavailable("no scanner; connect one")
    return Result("{name}", (Row("steps", {value}, "steps", Kind.COUNT),), seed=3)
'''


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a benchmark into a folder that the runner searches too."""
    monkeypatch.setattr(benchmarks, "__path__", [*benchmarks.__path__, str(tmp_path)])

    def write(name: str, value: float) -> None:
        (tmp_path / f"{name}.py").write_text(SOURCE.format(name=name, value=value), "utf-8")
        monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
        importlib.invalidate_caches()

    return write


def test_lists_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == runner.names()
    assert "startup" in listed
    assert "contract" not in listed


@pytest.mark.parametrize("name", runner.names())
def test_every_benchmark_keeps_the_contract(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.__doc__
    assert callable(module.run)


def test_a_regression_fails(make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tmp_path / "base.json"
    make("made_one", 10)
    assert runner.main(["made_one", "--json", str(base)]) == 0
    assert json.loads(base.read_text("utf-8"))["results"][0]["rows"][0]["value"] == 10
    assert runner.main(["made_one", "--against", str(base)]) == 0
    make("made_two", 11)
    again = tmp_path / "made_one.py"
    again.write_text(SOURCE.format(name="made_one", value=12.5), "utf-8")
    sys.modules.pop("benchmarks.made_one")
    importlib.invalidate_caches()
    capsys.readouterr()
    assert runner.main(["made_one", "made_two", "--against", str(base)]) == 1
    printed = capsys.readouterr().out
    assert "worse" in printed
    assert "1.250" in printed


def test_a_benchmark_that_cannot_run_is_no_success(
    make, capsys: pytest.CaptureFixture[str]
) -> None:
    make("made_three", -1)
    assert runner.main(["made_three"]) == 3
    assert "no scanner; connect one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --all"),
        (["no_such"], "choose from"),
        (["startup", "--max-ratio", "0.9"], "at least 1"),
        (["startup", "--against", "no-such-file.json"], "no-such-file.json"),
    ],
)
def test_wrong_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        runner.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
