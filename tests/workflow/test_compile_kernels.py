"""Everything can be compiled ahead."""

from __future__ import annotations

from click.testing import CliRunner

from inkmark.cli import main
from inkmark.omr import _kernels
from inkmark.workflow import compile_kernels


def test_what_is_compiled_is_not_compiled_again() -> None:
    compile_kernels()
    told: list[bool] = []
    assert not compile_kernels(lambda: told.append(True))
    assert told == []
    result = CliRunner().invoke(main, ["compile", "--json"], catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, '{"compiled": false}\n')


def test_what_only_bent_pages_need_is_compiled_too() -> None:
    compile_kernels()
    assert _kernels.cut_patches.signatures
    assert _kernels.shift_scores.signatures
