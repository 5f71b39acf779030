"""The command that groups handwritten answers."""

from __future__ import annotations

from pathlib import Path

import click

from inkmark.cli.common import (
    account,
    exam_argument,
    json_option,
    needs_review,
    progress_bar,
    show,
)

__all__ = ["groups"]


@click.command()
@exam_argument
@click.option(
    "--item", "items", multiple=True, metavar="NUMBER", help="Only this item; may be repeated."
)
@click.option(
    "--by",
    "decided_by",
    default=account,
    help="Who scored the groups; the name of the account if not given.",
)
@json_option
def groups(exam: Path, items: tuple[str, ...], decided_by: str, *, as_json: bool) -> None:
    """Put handwritten answers that say the same into groups, to be scored once.

    The groups go to out/groups.xlsx with a picture of every answer and what the key says of
    them. Enter the points of a group there; put an answer into another group by typing that
    group's name, or merge a whole group. What is entered is taken in the next time, here or
    by inkmark score. Points in points.xlsx go before those of groups.

    \b
    Example:
      inkmark groups midterm --item 17
    """
    from inkmark.cli.show import groups_lines, plain
    from inkmark.workflow import group_exam

    with progress_bar("Cutting out answers") as progress:
        summary = group_exam(exam, items=items, decided_by=decided_by, progress=progress)
    show(plain(summary), groups_lines(summary), as_json=as_json)
    if any(item.scored < item.answers for item in summary.items):
        needs_review()
