"""Times of the stages on this machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import stages
from benchmarks.contract import Kind, Options
from inkmark import bench
from inkmark.bench import BenchResult, StageTime, bench_lines, measure_stages
from inkmark.machine import this_machine


def test_each_stage_is_measured_on_the_pages_it_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = set()
    read_bubbles = bench.read_bubbles

    def noted(pixels: Any, page: Any, found: Any) -> Any:
        pages.add(tuple(field.name for field in page.fields))
        readings = read_bubbles(pixels, page, found)
        named = {reading.field for reading in readings}
        assert named <= {field.name for field in page.fields}
        return readings

    monkeypatch.setattr(bench, "read_bubbles", noted)
    done: list[tuple[int, int]] = []
    result = measure_stages(students=12, progress=lambda *n: done.append(n))
    assert len(pages) == 2, "the sheets of the demo have two pages"
    assert len(result.stages) == len({stage.stage for stage in result.stages}) == done[-1][1]
    assert all(stage.median_ms > 0 for stage in result.stages)
    assert {stage.n for stage in result.stages if stage.unit == "page"} == {24}
    data = json.loads(json.dumps(result.to_json()))
    assert data["machine"]["cpu"] == this_machine().cpu
    assert data["machine"]["packages"]["numpy"]
    assert data["date"].endswith("+00:00")
    told = "\n".join(bench_lines(result))
    assert result.machine.cpu in told
    assert "read bubbles" in told


def test_the_benchmark_gives_a_row_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 3.0, 1.0, 2.0])

    def measured(*, students: int, seed: int) -> BenchResult:
        one = (StageTime("read", "page", 4, next(times), 0.0),)
        return BenchResult(this_machine(), "", students, seed, one)

    monkeypatch.setattr(stages, "measure_stages", measured)
    result = stages.run(Options(repeats=3))
    (row,) = result.rows
    assert (row.name, row.value, row.unit, row.n) == ("read, page", 2.0, "ms", 3)
    assert row.kind is Kind.TIME
    assert result.seed == stages.SEED
