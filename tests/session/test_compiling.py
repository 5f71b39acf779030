"""People are told when kernels are compiled, and only then."""

from __future__ import annotations

import numba
import pytest

from inkmark.session import say_compiling, tell_of_compiling


def test_the_first_compilation_is_told_once() -> None:
    told: list[str] = []
    end = tell_of_compiling(lambda: told.append("compiling"))
    try:
        double = numba.njit(lambda x: 2 * x)
        assert told == []
        assert (double(1), double(1.5)) == (2, 3.0)
        assert told == ["compiling"], "two kernels were compiled"
    finally:
        end()
    assert numba.njit(lambda x: 3 * x)(1) == 3
    assert told == ["compiling"]


def test_it_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say_compiling()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Compiling")
