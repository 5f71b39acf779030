"""The commands on sheet layouts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkmark.cli.common import EXISTING_FILE, FILE, json_option, needs_review, show

if TYPE_CHECKING:
    from inkmark.workflow import CheckSummary


_force = click.option("--force", is_flag=True, help="Replace what is there already.")
_full_box = click.option(
    "--full-box",
    type=click.Choice(["marked", "cancelled"]),
    default="marked",
    show_default=True,
    help="What a completely filled bubble of an item means: the strongest mark, or a mark taken "
    "back, on forms that are marked by crosses or ticks.",
)


@click.group()
def layouts() -> None:
    """Make sheet layouts of other sheets, and try layouts on scans."""


@layouts.command("import")
@click.argument("template", type=EXISTING_FILE)
@click.option(
    "--out", type=FILE, help="Where to write; layout.json beside the template if not given."
)
@_full_box
@_force
@json_option
def import_layout(
    template: Path, out: Path | None, *, full_box: str, force: bool, as_json: bool
) -> None:
    """Turn the template of another system into a layout.

    TEMPLATE is an OMRChecker template.json or a FormScanner .xtmpl; its content says which.

    \b
    Example:
      inkmark layouts import template.json --out layout.json
    """
    from inkmark.layouts import FullBox
    from inkmark.workflow import take_in_template

    target = out if out is not None else template.with_name("layout.json")
    imported = take_in_template(template, target, full_box=FullBox(full_box), force=force)
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


@layouts.command("learn")
@click.argument("blank", type=EXISTING_FILE)
@click.option(
    "-o",
    "--out",
    type=FILE,
    help="The layout to write; the name of BLANK with .layout.json if not given.",
)
@click.option(
    "--overlay",
    type=FILE,
    help="The PDF to check it by; beside the layout, by the name of BLANK with .overlay.pdf, if "
    "not given.",
)
@click.option("--title", default="", help="Title of the layout; the name of BLANK if not given.")
@click.option(
    "--width",
    type=click.FloatRange(50.0, 600.0),
    help="Width of the paper in mm, where the file does not tell it or tells it wrong.",
)
@click.option(
    "--order",
    type=click.Choice(["auto", "columns", "rows"]),
    default="auto",
    show_default=True,
    help="Whether items are numbered down columns of blocks or block beside block.",
)
@click.option(
    "--pages",
    type=click.IntRange(1),
    help="How many pages of BLANK, from the first, make up one sheet; all if not given.",
)
@_full_box
@_force
@json_option
def learn(
    blank: Path,
    out: Path | None,
    overlay: Path | None,
    title: str,
    width: float | None,
    *,
    order: str,
    pages: int | None,
    full_box: str,
    force: bool,
    as_json: bool,
) -> None:
    """Propose a layout for a sheet of any origin from its blank pages.

    BLANK is a PDF, PNG, JPEG or TIFF of the sheet, not filled in or only lightly. Bubbles
    are found and put together to items and numbers; what is unsure is listed. Check the
    overlay, correct the layout (a text file) where it is wrong, then try it on scans.

    \b
    Example:
      inkmark layouts learn blank.pdf --out layout.json
    """
    from inkmark.layouts import FullBox
    from inkmark.learning import LearnOptions, Order
    from inkmark.workflow import learn_layout

    target = out if out is not None else blank.with_suffix(".layout.json")
    drawn = overlay if overlay is not None else target.with_name(f"{blank.stem}.overlay.pdf")
    options = LearnOptions(title=title or blank.stem, width_mm=width, order=Order(order))
    summary = learn_layout(
        blank, target, drawn, options, full_box=FullBox(full_box), n_pages=pages, force=force
    )
    show(
        {
            "layout": str(summary.layout),
            "overlay": str(summary.overlay),
            "pages": summary.n_pages,
            "bubbles": summary.n_bubbles,
            "unseen": summary.n_unseen,
            "fields": summary.n_fields,
            "anchors": list(summary.marks),
            "doubts": [
                {"page": doubt.page + 1, "message": doubt.message} for doubt in summary.doubts
            ],
        },
        [
            (
                f"Found {summary.n_bubbles} bubbles in {summary.n_fields} fields on "
                f"{summary.n_pages} page(s); without clear print: {summary.n_unseen}."
            ),
            *(f"Page {k} is placed by {marks}." for k, marks in enumerate(summary.marks, start=1)),
            *(
                f"Doubt {k}, page {doubt.page + 1}: {doubt.message}"
                for k, doubt in enumerate(summary.doubts, start=1)
            ),
            f"Wrote {summary.layout}.",
            f"Check {summary.overlay}, correct the layout, then try it:",
            f"inkmark layouts check {summary.layout} SCAN",
        ],
        as_json=as_json,
    )


@layouts.command("check")
@click.argument("layout", type=EXISTING_FILE)
@click.argument("scan", type=EXISTING_FILE)
@click.option(
    "-o", "--out", type=FILE, help="Draw what is read: a PDF, or a PNG of the first page."
)
@click.option(
    "--page",
    type=click.IntRange(1),
    help="Page of the layout that the scan shows, where no QR code tells it.",
)
@json_option
def check(layout: Path, scan: Path, out: Path | None, page: int | None, *, as_json: bool) -> None:
    """Show what is read on a scan with a layout.

    LAYOUT is a layout file or the template of another system. Ends with exit code 10 where
    a page cannot be read or a field is for a person.

    \b
    Example:
      inkmark layouts check layout.json scan.jpg --out check.png
    """
    from inkmark.workflow import check_layout

    summary = check_layout(layout, scan, out, page_number=None if page is None else page - 1)
    show(_check_json(summary), _check_lines(summary), as_json=as_json)
    if summary.needs_person:
        needs_review()


def _check_json(summary: CheckSummary) -> dict[str, Any]:
    from inkmark.cli.show import issues_json
    from inkmark.readings import SheetIssue

    pages: list[dict[str, Any]] = []
    for page in summary.pages:
        outcome = page.outcome
        if isinstance(outcome, SheetIssue):
            pages.append({"issue": issues_json([outcome])[0]})
            continue
        pages.append(
            {
                "page": outcome.page_number + 1,
                "residual_mm": outcome.registration.residual_mm,
                "anchors_found": outcome.registration.anchors_found,
                "anchors_expected": outcome.registration.anchors_expected,
                "fields": [
                    {
                        "field": reading.field,
                        "value": reading.value,
                        "confidence": reading.confidence,
                        "flag": reading.flag.value,
                    }
                    for reading in outcome.fields
                ],
                "codes": [{"field": code.field, "text": code.text} for code in outcome.codes],
                "joined": dict(page.joins),
            }
        )
    return {"picture": None if summary.picture is None else str(summary.picture), "pages": pages}


def _check_lines(summary: CheckSummary) -> Iterator[str]:
    from inkmark.cli.show import issue_line
    from inkmark.readings import SheetIssue

    for page in summary.pages:
        outcome = page.outcome
        if isinstance(outcome, SheetIssue):
            yield issue_line(outcome)
            continue
        registration = outcome.registration
        flagged = sum(bool(reading.flag) for reading in outcome.fields)
        yield (
            f"{outcome.source}: {len(outcome.fields)} fields, {flagged} for a person; residual "
            f"{registration.residual_mm:.2f} mm, anchors {registration.anchors_found} of "
            f"{registration.anchors_expected}."
        )
        names = [reading.field for reading in outcome.fields]
        names += [code.field for code in outcome.codes] + [name for name, _ in page.joins]
        width = max((len(name) for name in names), default=0)
        for reading in outcome.fields:
            line = f"  {reading.field:{width}}  {reading.confidence:4.2f}  {reading.value or '-'}"
            yield line + (f"  {reading.flag.value}" if reading.flag else "")
        for code in outcome.codes:
            yield f"  {code.field:{width}}  code  {code.text}"
        for name, value in page.joins:
            yield f"  {name:{width}}  all   {value or '-'}"
    if summary.picture is not None:
        yield f"Drew {summary.picture}."
