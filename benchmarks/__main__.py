"""Run benchmarks: ``python -m benchmarks NAME --json OUT --against BASE --max-ratio 1.15``.

Exit codes: 0 fine; 1 a figure got worse, or is gone, against BASE; 2 wrong usage; 3 a
benchmark cannot run on this machine.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.contract import Options, Result, Unavailable
from benchmarks.report import (
    Comparison,
    Facts,
    Record,
    compare,
    facts_of_this_machine,
    load_record,
    save_record,
)

REPOSITORY = Path(__file__).resolve().parent.parent
SUPPORT = {"__main__", "contract", "report"}


def names() -> list[str]:
    """Names of all benchmarks, sorted.

    Returns
    -------
    list of str
    """
    modules = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in modules if name not in SUPPORT and not name.startswith("_"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str or None
        None: those of the process.

    Returns
    -------
    int
        The exit code.
    """
    parser = _parser()
    chosen = parser.parse_args(arguments)
    # Width 100 where no terminal says another, so that a log of CI shows whole rows.
    console = Console(width=None if sys.stdout.isatty() else 100)
    if chosen.list:
        for name in names():
            print(f"{name:14} {_purpose(name)}")
        return 0
    wanted = names() if chosen.all else chosen.names
    if not wanted or (unknown := set(wanted) - set(names())):
        parser.error(
            f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(names())}"
            if wanted
            else f"name a benchmark ({', '.join(names())}) or give --all"
        )
    if chosen.max_ratio < 1:
        parser.error("--max-ratio is at least 1: 1.15 allows 15 % more time")
    try:
        base = load_record(chosen.against) if chosen.against else None
    except (OSError, ValueError) as error:
        parser.error(str(error))
    facts = facts_of_this_machine()
    _print_facts(console, facts)
    options = Options(chosen.repeats, data_dir())
    results = []
    missing = False
    for name in wanted:
        try:
            result = importlib.import_module(f"benchmarks.{name}").run(options)
        except Unavailable as reason:
            print(f"{name}: cannot run here: {reason}", file=sys.stderr)
            missing = True
            continue
        print_result(console, result)
        results.append(result)
    record = Record(facts, tuple(results))
    if chosen.json and results:
        save_record(record, chosen.json)
    worse = False
    if base is not None:
        comparisons = compare(record, base, chosen.max_ratio)
        _print_comparison(console, comparisons, base.facts)
        worse = any(comparison.is_regression for comparison in comparisons)
    return 1 if worse else 3 if missing else 0


def _purpose(name: str) -> str:
    # Read and not imported: a benchmark may load what takes seconds.
    spec = importlib.util.find_spec(f"benchmarks.{name}")
    if spec is None or spec.origin is None:
        return ""
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure accuracy and speed of inkmark."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run")
    parser.add_argument("--all", action="store_true", help="run every benchmark")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and stop")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to OUT")
    parser.add_argument(
        "--against", type=Path, metavar="BASE", help="compare with figures written by --json"
    )
    parser.add_argument(
        "--max-ratio",
        type=float,
        default=1.15,
        metavar="R",
        help="fail where a figure is worse than BASE by more than this ratio (default 1.15)",
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=Options().repeats,
        metavar="N",
        help="samples of each timing (default %(default)s)",
    )
    return parser


def data_dir() -> Path | None:
    folder = Path(os.environ.get("INKMARK_DATA", REPOSITORY.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


def _print_facts(console: Console, facts: Facts) -> None:
    packages = ", ".join(f"{name} {version}" for name, version in facts.packages)
    commit = facts.commit or "no repository"
    console.print(f"{facts.date}, commit {commit}", highlight=False)
    console.print(
        f"{facts.cpu}, {facts.cores} cores, {facts.system}, Python {facts.python}", highlight=False
    )
    console.print(packages, highlight=False)


def print_result(console: Console, result: Result) -> None:
    single = [row for row in result.rows if not row.group]
    if single:
        table = Table(title=result.name, title_justify="left")
        table.add_column("")
        for header in ("median", "spread", "n"):
            table.add_column(header, justify="right")
        table.add_column("unit")
        for row in single:
            spread = f"{row.spread:.3g}" if row.n > 1 else ""
            table.add_row(row.label, _figure(row.value), spread, str(row.n), row.unit)
        console.print(table)
    groups: dict[str, dict[str, str]] = {}
    for row in result.rows:
        if row.group:
            groups.setdefault(row.group, {})[row.label] = _figure(row.value)
    if groups:
        labels = dict.fromkeys(label for figures in groups.values() for label in figures)
        table = Table(title=result.name, title_justify="left")
        table.add_column("")
        for label in labels:
            table.add_column(label, justify="right")
        for group, figures in groups.items():
            table.add_row(group, *(figures.get(label, "") for label in labels))
        console.print(table)
    if result.seed is not None:
        console.print(f"Seed {result.seed}.", highlight=False)
    for note in result.notes:
        console.print(note, highlight=False)


def _print_comparison(console: Console, comparisons: Sequence[Comparison], base: Facts) -> None:
    title = f"Against commit {base.commit or '?'} of {base.date}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("new/old", justify="right")
    table.add_column("")
    for c in comparisons:
        ratio = f"{c.ratio:.3f}" if c.ratio is not None else ""
        table.add_row(f"{c.benchmark}: {c.label}", ratio, c.verdict)
    console.print(table)


def _figure(value: float) -> str:
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())
