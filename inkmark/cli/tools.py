"""The commands beside the exam folder: layouts, demo, bench."""

from __future__ import annotations

from pathlib import Path

import click

from inkmark.cli.common import (
    EXISTING_FILE,
    FILE,
    FOLDER,
    json_option,
    progress_bar,
    show,
)


@click.group()
def layouts() -> None:
    """Make sheet layouts from those of other systems."""


@layouts.command("import")
@click.argument("template", type=EXISTING_FILE)
@click.option(
    "--out", type=FILE, help="Where to write; layout.json beside the template if not given."
)
@json_option
def import_layout(template: Path, out: Path | None, *, as_json: bool) -> None:
    """Turn the template of another system into a layout.

    TEMPLATE is an OMRChecker template.json or a FormScanner .xtmpl; its content says which.

    \b
    Example:
      inkmark layouts import template.json --out layout.json
    """
    from inkmark.layouts import save_layout
    from inkmark.layouts.importers import import_layout as take_in

    target = out if out is not None else template.with_name("layout.json")
    imported = take_in(template)
    save_layout(imported.layout, target)
    n_fields = len(imported.layout.fields())
    show(
        {
            "system": imported.system,
            "layout": str(target),
            "fields": n_fields,
            "notes": list(imported.notes),
        },
        [
            f"Wrote {target} with {n_fields} fields, from a template of {imported.system}.",
            *(f"Note: {note}" for note in imported.notes),
            f"Read scans: inkmark read SCANS... --layout {target}",
        ],
        as_json=as_json,
    )


@click.command()
@click.argument("folder", type=FOLDER, default="demo")
@click.option(
    "--students",
    type=click.IntRange(12, 1000),
    default=120,
    show_default=True,
    help="Invented students.",
)
@click.option(
    "--language",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="Language of the exam.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed makes the same exam."
)
@json_option
def demo(folder: Path, students: int, language: str, seed: int, *, as_json: bool) -> None:
    """Make an exam with simulated scans and run everything on it.

    Some marks are doubtful on purpose; unlike inkmark run, it ends with exit code 0.

    \b
    Example:
      inkmark demo demo --language en
    """
    from inkmark.cli.show import report_options, run_json, run_lines
    from inkmark.demo import make_demo_exam
    from inkmark.workflow import run

    with progress_bar("Making an exam and scanning it") as progress:
        make_demo_exam(folder, candidates=students, language=language, seed=seed, progress=progress)
    summary = run(folder, reports=report_options(), stage=progress_bar)
    show(
        {"folder": str(folder), **run_json(summary)},
        [*run_lines(summary), f"Everything lies in {folder.resolve()}."],
        as_json=as_json,
    )


@click.command()
@click.option(
    "--students",
    type=click.IntRange(12, 1000),
    default=24,
    show_default=True,
    help="Invented students of the exam that is measured.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the exam.")
@json_option
def bench(students: int, seed: int, *, as_json: bool) -> None:
    """Measure each stage on this machine with the built-in demo exam.

    \b
    Example:
      inkmark bench --json > stages.json
    """
    from inkmark.bench import bench_lines, measure_stages

    with progress_bar("Measuring") as progress:
        result = measure_stages(students=students, seed=seed, progress=progress)
    show(result.to_json(), bench_lines(result), as_json=as_json)
