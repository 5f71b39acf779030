"""The benchmark of codes spoils each in every way, and counts what is read."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import codes
from benchmarks.contract import Options


def test_the_same_seed_gives_the_same_symbols() -> None:
    first, again = list(codes.symbols(7, 1)), list(codes.symbols(7, 1))
    assert [s.text for s in first] == [s.text for s in again]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert {(s.format, s.way) for s in first} == {(f, w) for f in codes.BOXES for w in codes.WAYS}
    clean = {s.format: s.pixels for s in first if s.way == "clean"}
    for symbol in first:
        spoilt = symbol.pixels.shape != clean[symbol.format].shape or not np.array_equal(
            symbol.pixels, clean[symbol.format]
        )
        assert spoilt or symbol.way == "clean"


def test_what_is_read_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "TIMES", 1)
    monkeypatch.setattr(codes, "WAYS", {w: codes.WAYS[w] for w in ("clean", "dust")})
    rows = {row.name: row.value for row in codes.run(Options()).rows}
    assert rows["read wrongly"] == 0
    assert rows["clean: read"] == rows["clean: at once"] == 100
    assert rows["dust: at once"] < rows["dust: read"] <= 100
