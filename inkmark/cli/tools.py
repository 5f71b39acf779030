"""The commands beside the exam folder: demo, bench, compile."""

from __future__ import annotations

from pathlib import Path

import click

from inkmark.cli.common import (
    EXISTING_FOLDER,
    FOLDER,
    json_option,
    progress_bar,
    show,
)


@click.command("compile")
@json_option
def compile_command(*, as_json: bool) -> None:
    """Compile the readers for this machine now, and not when the first page is read.

    They are kept in a cache; run it after an installation or an upgrade.

    \b
    Example:
      inkmark compile
    """
    from inkmark.session import say_compiling
    from inkmark.workflow import compile_kernels

    compiled = compile_kernels(say_compiling)
    line = "Compiled." if compiled else "Everything is compiled already."
    show({"compiled": compiled}, [line], as_json=as_json)


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
@click.option(
    "--handwriting",
    type=EXISTING_FOLDER,
    help="Folder of the public sets mnist, pendigits_uci and handwritten62. Then sheets name "
    "nobody: people of these sets write numbers, letters, fill-in answers and, in red, points.",
)
@json_option
def demo(
    folder: Path,
    students: int,
    language: str,
    seed: int,
    handwriting: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make an exam with simulated scans and run everything on it.

    Some marks are doubtful on purpose; unlike inkmark run, it ends with exit code 0.

    \b
    Examples:
      inkmark demo demo --language en
      inkmark demo written --students 40 --handwriting data/handwriting
    """
    from inkmark.cli.show import identify_lines, plain, report_options, run_json, run_lines
    from inkmark.demo import make_demo_exam
    from inkmark.workflow import identify, run

    try:
        with progress_bar("Making an exam and scanning it") as progress:
            make_demo_exam(
                folder,
                candidates=students,
                language=language,
                seed=seed,
                handwriting=handwriting,
                progress=progress,
            )
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(
            f"{folder} holds a part of the demo: delete it or name another folder, and run the "
            "command again."
        ) from stop
    summary = run(folder, reports=report_options(), stage=progress_bar)
    told, lines = run_json(summary), list(run_lines(summary))
    if handwriting is not None:
        with progress_bar("Cutting out names and numbers") as progress:
            whose = identify(folder, progress=progress)
        told |= {"identify": plain(whose)}
        lines += identify_lines(whose)
    show(
        {"folder": str(folder), **told},
        [*lines, f"Everything lies in {folder.resolve()}."],
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
