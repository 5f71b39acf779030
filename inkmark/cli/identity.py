"""The command that settles whose sheets are."""

from __future__ import annotations

from pathlib import Path

import click

from inkmark.cli.common import (
    EXISTING_FILE,
    account,
    exam_argument,
    json_option,
    needs_review,
    progress_bar,
    show,
)


@click.command()
@exam_argument
@click.option(
    "--identities",
    type=EXISTING_FILE,
    help="Decisions on whose sheets are; out/identities.xlsx in the exam folder if not given.",
)
@click.option(
    "--sheet",
    metavar="PAGE",
    help="Decide about this sheet: a page of it as inkmark read names it.",
)
@click.option("--is", "candidate", metavar="NUMBER", help="With --sheet: it is this candidate's.")
@click.option("--nobody", is_flag=True, help="With --sheet: it is nobody's, and is set aside.")
@click.option("--undecided", is_flag=True, help="With --sheet: take back what was decided.")
@click.option("--why", default="", help="With --sheet: why, kept with the decision.")
@click.option(
    "--by",
    "decided_by",
    default=account,
    help="Who made the decisions; the name of the account if not given.",
)
@json_option
def identify(
    exam: Path,
    identities: Path | None,
    sheet: str | None,
    candidate: str | None,
    *,
    nobody: bool,
    undecided: bool,
    why: str,
    decided_by: str,
    as_json: bool,
) -> None:
    """Settle whose sheets are, and list those of which it is not known.

    No page is read again and no answer changes. Sheets whose candidate is not sure go to
    out/identities.xlsx with pictures of name and number and the likeliest candidates; what
    is decided there is taken in the next time. A decision stays until it is taken back.

    \b
    Examples:
      inkmark identify midterm
      inkmark identify midterm --sheet scans/017.jpg --is 260117 --why "the name is hers"
    """
    from inkmark.cli.show import identify_lines, plain
    from inkmark.workflow import SheetDecision, identify

    if (candidate is not None) + nobody + undecided != (sheet is not None) or candidate == "":
        raise click.UsageError(
            "--sheet goes with one of --is NUMBER, --nobody and --undecided. Say which sheet, "
            "and whose it is."
        )
    decision = None
    if sheet is not None:
        decision = SheetDecision(sheet, None if undecided else candidate or "", why)
    with progress_bar("Cutting out names and numbers") as progress:
        summary = identify(
            exam,
            decision=decision,
            identities=identities,
            decided_by=decided_by,
            progress=progress,
        )
    show(plain(summary), identify_lines(summary), as_json=as_json)
    if summary.sheets or summary.lost_scans:
        needs_review()
