"""The commands on an exam folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from inkmark.cli.common import (
    EXISTING_FILE,
    EXISTING_FOLDER,
    FILE,
    FOLDER,
    account,
    exam_argument,
    json_option,
    needs_review,
    progress_bar,
    show,
    stopped_by_sigterm,
    visible,
    worker_pool,
    workers_option,
)


@click.command()
@click.argument("exam", type=FOLDER)
@click.option(
    "--language",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="Language of the workbook, the sheets and the reports.",
)
@json_option
def new(exam: Path, language: str, *, as_json: bool) -> None:
    """Make an exam folder with a workbook to fill in.

    \b
    Example:
      inkmark new midterm --language en
    """
    from inkmark.workflow import create_exam

    folder = create_exam(exam, language=language)
    show(
        {"folder": str(folder.root), "workbook": str(folder.workbook)},
        [
            f"Made {folder.root}.",
            f"Fill in {folder.workbook} (exam, items, roster), then run: inkmark sheets {exam}",
        ],
        as_json=as_json,
    )


@click.command()
@exam_argument
@click.option("--paper", type=click.Choice(["A4", "A3"]), help="Paper size; A4 for a new layout.")
@click.option(
    "--sides",
    type=click.IntRange(1, 2),
    help="Printed sides of a sheet of paper; 1 for a new layout. With 2, the last back may be "
    "empty and need not be scanned.",
)
@click.option(
    "--columns",
    type=click.IntRange(1, 3),
    help="Columns of items; chosen by the items for a new layout.",
)
@click.option(
    "--bubbles",
    type=click.Choice(["oval", "rectangle"]),
    help="Outline of the bubbles; oval for a new layout.",
)
@click.option(
    "--full-box",
    type=click.Choice(["marked", "cancelled"]),
    help="What a completely filled bubble of an item means: the strongest mark, as in a new "
    "layout, or a mark taken back. Then items are marked by crosses, and the sheet says so.",
)
@click.option(
    "--number",
    type=click.Choice(["bubbles", "boxes"]),
    help="How candidates give their number: in bubbles with boxes above them, as in a new layout, "
    "or in boxes alone.",
)
@click.option(
    "--answers",
    type=click.Choice(["bubbles", "letters"]),
    help="How items with one right option are answered: in bubbles, as in a new layout, or by a "
    "letter in a box. Items with several right options keep their bubbles.",
)
@click.option(
    "--frame",
    type=click.Choice(["dark", "pale", "dropout"]),
    help="The frames of boxes to write in: dark, as in a new layout, pale grey, or a light blue "
    "that scans hardly show.",
)
@click.option(
    "--marker-boxes/--no-marker-boxes",
    default=None,
    help="Boxes in which markers write the points of fill-in and subjective items, and their sum.",
)
@click.option(
    "--blank",
    type=click.IntRange(0, 5000),
    default=0,
    help="Print so many sheets without a name instead of one a candidate.",
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Make a new layout although sheets of the old one may be in use, and remove the PDF "
    "files that inkmark wrote into the sheets folder for the old one.",
)
@json_option
def sheets(
    exam: Path,
    paper: str | None,
    sides: int | None,
    columns: int | None,
    bubbles: str | None,
    *,
    full_box: str | None,
    number: str | None,
    answers: str | None,
    frame: str | None,
    marker_boxes: bool | None,
    blank: int,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Print the answer sheets, and build their layout where there is none yet.

    A layout that is there is used as it is: what is not given stays, and what it does
    not fit is refused.

    \b
    Examples:
      inkmark sheets midterm
      inkmark sheets midterm --paper A3 --sides 2 --blank 40
      inkmark sheets midterm --number boxes --answers letters --frame dropout --marker-boxes
    """
    from inkmark.layouts import AnswerForm, BoxFrame, BubbleShape, FullBox, NumberForm
    from inkmark.workflow import print_exam

    summary = print_exam(
        exam,
        paper=paper,
        sides=sides,
        columns=columns,
        bubble_style=None if bubbles is None else BubbleShape(bubbles),
        full_box=None if full_box is None else FullBox(full_box),
        number=None if number is None else NumberForm(number),
        answers=None if answers is None else AnswerForm(answers),
        frame=None if frame is None else BoxFrame(frame),
        marker_boxes=marker_boxes,
        blank=blank,
        rebuild=rebuild,
    )
    show(
        {
            "layout": str(summary.layout),
            "version": summary.version,
            "pages": summary.n_pages,
            "files": [str(path) for path in summary.files],
            "removed": [str(path) for path in summary.removed],
        },
        [
            *(f"Removed {path}, printed with another layout" for path in summary.removed),
            f"Layout {summary.version}, {summary.n_pages} page(s) each: {summary.layout}",
            *(f"Printed {path}" for path in summary.files),
        ],
        as_json=as_json,
    )


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="EXAM [SCANS]... | SCANS...")
@click.option(
    "--layout",
    "layout_path",
    type=EXISTING_FILE,
    help="Read scans with this layout, without an exam.",
)
@click.option(
    "--out", type=FILE, help="With --layout: the CSV file to write; standard output if not given."
)
@click.option(
    "--watch",
    "watched",
    type=EXISTING_FOLDER,
    help="The folder a scanner writes into: copy its files into the scans when they are complete, "
    "and read them, until Ctrl-C.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="With --watch: seconds between two looks.",
)
@workers_option
@json_option
def read(
    sources: tuple[str, ...],
    layout_path: Path | None,
    out: Path | None,
    *,
    watched: Path | None,
    interval: float,
    workers: int,
    as_json: bool,
) -> None:
    """Read scans: into an exam, or with a layout alone.

    The scans of an exam are the files in its scans folder, or those named behind it.
    Images that were read before are not read again.

    \b
    Examples:
      inkmark read midterm
      inkmark read midterm /media/scanner/batch-1
      inkmark read midterm --watch /media/scanner
      inkmark read 'batch/*.tif' --layout layout.json --out readings.csv
    """
    if watched is not None and (layout_path is not None or len(sources) > 1):
        raise click.UsageError("--watch goes with an exam alone. Leave out what stands behind it.")
    if layout_path is not None:
        _read_with_layout(sources, layout_path, out, workers, as_json=as_json)
        return
    if out is not None:
        raise click.UsageError("--out goes with --layout. Name the layout to read with.")
    folder = Path(sources[0])
    if not folder.is_dir():
        raise click.UsageError(
            f"{folder} is no exam folder. Name one, or a layout to read scans with: --layout FILE"
        )
    from inkmark.cli.show import batch_json, batch_lines, leaves_work
    from inkmark.session import ReadOptions
    from inkmark.workflow import read, watch

    options = ReadOptions(workers=workers)
    with worker_pool(workers) as pool:
        if watched is None:
            with progress_bar("Reading") as progress:
                report = read(
                    folder, sources[1:], options=options, executor=pool, progress=progress
                )
        else:
            with stopped_by_sigterm():
                report = watch(
                    folder,
                    watched,
                    interval_s=interval,
                    options=options,
                    executor=pool,
                    note=lambda text: click.echo(visible(text), err=True),
                )
    show(batch_json(report), batch_lines(report), as_json=as_json)
    if leaves_work(report):
        needs_review()


def _read_with_layout(
    sources: Sequence[str], layout_path: Path, out: Path | None, workers: int, *, as_json: bool
) -> None:
    from inkmark.cli.show import issue_line, issues_json
    from inkmark.session import ReadOptions
    from inkmark.workflow import read_to_csv

    if as_json and out is None:
        raise click.UsageError("--json with --layout goes with --out. Name the file to write.")

    options = ReadOptions(workers=workers)
    with worker_pool(workers) as pool, progress_bar("Reading") as progress:
        summary = read_to_csv(
            sources, layout_path, out, options=options, executor=pool, progress=progress
        )
    if out is not None:
        show(
            {
                "out": str(out),
                "pages": summary.n_pages,
                "flagged": summary.n_flagged,
                "issues": issues_json(summary.issues),
            },
            [
                f"Pages read into {out}: {summary.n_pages}; not readable: {len(summary.issues)}.",
            ],
            as_json=as_json,
        )
    for issue in summary.issues:
        click.echo(visible(issue_line(issue)), err=True)
    if summary.issues or summary.n_flagged:
        needs_review()


@click.command()
@exam_argument
@click.option(
    "--points",
    type=EXISTING_FILE,
    help="Points that people gave (CSV or xlsx); points.csv or points.xlsx of the exam by default.",
)
@click.option(
    "--review",
    type=EXISTING_FILE,
    help="Decisions on doubtful fields; out/review.xlsx in the exam folder if not given.",
)
@click.option(
    "--by",
    "decided_by",
    default=account,
    help="Who made the decisions; the name of the account if not given.",
)
@json_option
def score(
    exam: Path, points: Path | None, review: Path | None, decided_by: str, *, as_json: bool
) -> None:
    """Score what was read, by the keys as they stand in exam.xlsx now.

    No page is read again: after a change of a key, this is all that is needed. Fields in
    doubt go to out/review.xlsx with their pictures; what is decided there is taken in
    the next time.

    \b
    Example:
      inkmark score midterm --points essay-points.csv
    """
    from inkmark.cli.show import plain, score_lines
    from inkmark.workflow import score

    with progress_bar("Cutting out doubtful fields") as progress:
        summary = score(
            exam, points=points, review=review, decided_by=decided_by, progress=progress
        )
    show(plain(summary), score_lines(summary), as_json=as_json)
    if not summary.is_settled:
        needs_review()


@click.command()
@exam_argument
@json_option
def analyse(exam: Path, *, as_json: bool) -> None:
    """Print the statistics of the exam.

    \b
    Example:
      inkmark analyse midterm --json > midterm.json
    """
    from inkmark.cli.show import report_lines
    from inkmark.reports import report_to_json
    from inkmark.workflow import analyse

    report = analyse(exam)
    show(report_to_json(report), report_lines(report), as_json=as_json)


@click.command()
@exam_argument
@click.option(
    "--items",
    type=click.IntRange(1, 40),
    help="Items a set; by the policy in exam.xlsx if not given.",
)
@click.option(
    "--bank", type=EXISTING_FILE, help="Item bank to draw from; the built-in one if not given."
)
@json_option
def practice(exam: Path, items: int | None, bank: Path | None, *, as_json: bool) -> None:
    """Print a practice set for each student, on the student's weakest points.

    A practice that differs from the last one gets the next number and its own folder in
    out/practice; what was printed before stays as it is.

    \b
    Example:
      inkmark practice midterm --items 10
    """
    from inkmark.cli.show import plain, practice_lines
    from inkmark.workflow import practise

    summary = practise(exam, items=items, bank=bank)
    show(plain(summary), practice_lines(summary), as_json=as_json)
    if not summary.files:
        needs_review()


@click.command()
@exam_argument
@click.option(
    "--ranks", is_flag=True, help="Show ranks. Schools of compulsory education in China may not."
)
@click.option(
    "--no-comparison", is_flag=True, help="Leave out every figure about others in student reports."
)
@click.option("--separate", is_flag=True, help="Write one file a student, too.")
@click.option("--no-pages", is_flag=True, help="Leave out the annotated page images.")
@json_option
def report(
    exam: Path, *, ranks: bool, no_comparison: bool, separate: bool, no_pages: bool, as_json: bool
) -> None:
    """Write the reports: students, classes, workbook, JSON, annotated pages.

    \b
    Example:
      inkmark report midterm --separate
    """
    from inkmark.cli.show import files_lines, plain, report_options
    from inkmark.workflow import make_reports

    options = report_options(include_ranks=ranks, compare=not no_comparison)
    with progress_bar("Writing reports") as progress:
        summary = make_reports(
            exam, options, separate=separate, annotate=not no_pages, progress=progress
        )
    show(plain(summary), files_lines(summary), as_json=as_json)
    if summary.lost_scans:
        needs_review()


@click.command()
@exam_argument
@workers_option
@json_option
def run(exam: Path, workers: int, *, as_json: bool) -> None:
    """Read, score, analyse, print practice sets and write the reports.

    \b
    Example:
      inkmark run midterm
    """
    from inkmark.cli.show import leaves_work, report_options, run_json, run_lines
    from inkmark.session import ReadOptions
    from inkmark.workflow import run

    with worker_pool(workers) as pool:
        summary = run(
            exam,
            options=ReadOptions(workers=workers),
            executor=pool,
            reports=report_options(),
            stage=progress_bar,
        )
    show(run_json(summary), run_lines(summary), as_json=as_json)
    if leaves_work(summary.read) or not summary.score.is_settled or summary.files.lost_scans:
        needs_review()
