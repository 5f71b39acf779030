"""Everything can be compiled ahead."""

from __future__ import annotations

from click.testing import CliRunner

from inkmark.cli import main
from inkmark.workflow import compile_kernels


def test_what_is_compiled_is_not_compiled_again() -> None:
    compile_kernels()
    told: list[bool] = []
    assert not compile_kernels(lambda: told.append(True))
    assert told == []
    result = CliRunner().invoke(main, ["compile", "--json"], catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, '{"compiled": false}\n')
