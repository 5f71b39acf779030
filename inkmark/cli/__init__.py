"""The command `inkmark`.

Each command fills an options object, calls the library and prints. Everything heavy is
imported inside the command that needs it, so that `inkmark --help` answers at once.
"""

from __future__ import annotations

import click

from inkmark import __version__
from inkmark.cli import exams, groups, identity, layouts, text, tools
from inkmark.cli.common import EXIT_NEEDS_REVIEW, Commands

__all__ = ["EXIT_NEEDS_REVIEW", "main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="inkmark")
def main() -> None:
    """Print answer sheets, read the scans, score them and say what they mean.

    \b
    An exam from beginning to end:
      inkmark new midterm             make the folder, then fill in midterm/exam.xlsx
      inkmark sheets midterm          print what is in midterm/sheets
      inkmark run midterm             read midterm/scans, score, analyse, report
    """


for command in (
    exams.new,
    exams.sheets,
    exams.read,
    identity.identify,
    groups.groups,
    exams.score,
    exams.analyse,
    exams.practice,
    exams.report,
    exams.run,
    text.text,
    text.paddle_models,
    tools.demo,
    tools.bench,
    tools.compile_command,
    layouts.layouts,
):
    main.add_command(command)
