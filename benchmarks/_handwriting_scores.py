"""Scores that markers wrote on sheets, in colour and in grey."""

from __future__ import annotations

from benchmarks._handwriting import Figures, Sample
from benchmarks._handwriting_points import points_rows, simulate_points
from benchmarks.contract import Better, Kind, Row

__all__ = ["table"]

_SHEETS = 40


def table(sample: Sample) -> Figures:
    """Read simulated sheets of scores at each resolution, by ink and by what disturbs."""
    rows = []
    for dpi in sample.dpis:
        for grey in (False, True):
            scores = simulate_points(
                sample.specimens,
                dpi=dpi,
                grey=grey,
                sheets=sample.times(_SHEETS),
                seed=sample.seed,
                part="test",
            )
            for name, n, flagged, silent, bound in points_rows(scores):
                if n == 0:
                    continue
                group = f"scores: {'grey' if grey else 'colour'} {dpi:.0f} dpi, {name}"
                rows += [
                    Row("n", n, "", Kind.COUNT, Better.NEITHER, group=group),
                    Row("flagged %", 100 * flagged / n, "%", Kind.ACCURACY, group=group),
                    Row("silent", silent, "", Kind.COUNT, group=group),
                    Row("silent below %", 100 * bound, "%", Kind.ACCURACY, group=group),
                ]
    note = "No public data has teachers' scores: these are simulated, with digits of test writers."
    return Figures(tuple(rows), (note,))
