"""Reading handwriting: numbers, letters, answers and scores; what goes wrong, and what it costs.

The default is a sample. The figures that are published come from
``python -m benchmarks.handwriting --size 3 --dpi 150 --dpi 200 --dpi 300``; ``--only`` names
the tables to make, ``--cases`` lists what was wrong or went to a person.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.__main__ import data_dir, print_result
from benchmarks._handwriting import Figures, Sample
from benchmarks.contract import Options, Result
from benchmarks.report import Record, facts_of_this_machine, save_record

__all__ = ["TABLES", "main", "run"]

TABLES = {
    "glyphs": "_handwriting_glyphs.table",
    "numbers": "_handwriting_numbers.table",
    "letters": "_handwriting_letters.table",
    "slips": "_handwriting_letters.slips",
    "fill-ins": "_handwriting_fill_in.table",
    "groups": "_handwriting_groups.table",
    "scores": "_handwriting_scores.table",
    "speed": "_handwriting_speed.table",
}
"""Where each table is made: a function of this folder that takes a `Sample`, gives `Figures`."""

FIRST_SEED = 1000
"""Seeds below are for those who make the readers."""
SAMPLE_SIZE = 0.34
"""Of the runner's sample."""


def run(options: Options) -> Result:
    """Measure a sample of all tables.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    sample = Sample(options.data_dir, SAMPLE_SIZE, FIRST_SEED, os.cpu_count() or 1)
    return _result(sample, [_figures(name, sample) for name in TABLES])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of this module.

    Parameters
    ----------
    arguments : sequence of str or None
        None: those of the process.

    Returns
    -------
    int
        0.
    """
    chosen = _parser().parse_args(arguments)
    sample = Sample(data_dir(), chosen.size, chosen.seed, chosen.workers)
    if chosen.dpi:
        sample = replace(sample, dpis=tuple(chosen.dpi))
    console, tables = Console(width=160), []
    for name in chosen.only or TABLES:
        figures = _figures(name, sample)
        tables.append(figures)
        print_result(console, _result(sample, [figures]))
        for case in figures.cases if chosen.cases else ():
            print(case)
    if chosen.json:
        save_record(Record(facts_of_this_machine(), (_result(sample, tables),)), chosen.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handwriting")
    parser.add_argument("--only", action="append", choices=list(TABLES), help="a table to make")
    parser.add_argument("--size", type=float, default=1.0, help="times the default's pages")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed of each row")
    parser.add_argument("--dpi", type=float, action="append", help="resolution; 200 by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cases", action="store_true", help="list errors and flags")
    parser.add_argument("--json", type=Path, help="write the figures")
    return parser


def _figures(name: str, sample: Sample) -> Figures:
    module, _, function = TABLES[name].partition(".")
    figures: Figures = getattr(importlib.import_module(f"benchmarks.{module}"), function)(sample)
    return figures


def _result(sample: Sample, tables: Sequence[Figures]) -> Result:
    rows = tuple(row for figures in tables for row in figures.rows)
    notes = tuple(note for figures in tables for note in figures.notes)
    return Result("handwriting", rows, sample.seed, notes)


if __name__ == "__main__":
    raise SystemExit(main())
