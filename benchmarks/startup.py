"""How fast inkmark starts: the import, the help text, and what they load."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.contract import Better, Kind, Options, Result, Row, sampled

COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import click": ("-c", "import click"),
    "import inkmark": ("-c", "import inkmark"),
    "inkmark --help": ("-c", "from inkmark.cli import main; main()", "--help"),
}


def run(options: Options) -> Result:
    """Start fresh interpreters in turn, so that a busy moment touches all commands alike.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    rounds = max(options.repeats, 5)
    samples: dict[str, list[float]] = {label: [] for label in COMMANDS}
    for index in range(rounds + 1):
        for label, arguments in COMMANDS.items():
            seconds = _seconds(arguments)
            if index > 0:  # the first round fills the file cache
                samples[label].append(seconds)
    bare = statistics.median(samples["python -c pass"])
    click = statistics.median(samples["import click"])
    rows = [
        sampled(
            label,
            values,
            "s",
            Kind.TIME,
            Better.LOWER if "inkmark" in label else Better.NEITHER,
        )
        for label, values in samples.items()
    ]
    import_s = statistics.median(samples["import inkmark"]) - bare
    help_s = statistics.median(samples["inkmark --help"])
    rows += [
        Row("import inkmark - python -c pass", import_s, "s", Kind.TIME, Better.NEITHER),
        Row("inkmark --help - import click", help_s - click, "s", Kind.TIME, Better.NEITHER),
        Row("inkmark --help / import click", help_s / click, "x", Kind.RATIO),
    ]
    notes = (
        "Asked for: import inkmark under 0.1 s; inkmark --help under 0.4 s and within",
        "import click plus 0.15 s.",
    )
    return Result("startup", tuple(rows), notes=notes)


def _seconds(arguments: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed arguments
    return time.perf_counter() - start
