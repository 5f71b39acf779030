"""The report on a class, a school or everybody, as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from inkmark.analytics.model import GroupKind
from inkmark.drawing import Pen
from inkmark.geometry import Box
from inkmark.reports.charts import group_point_bar, histogram, item_plane, option_bars
from inkmark.reports.figures import figure_text, share_text
from inkmark.reports.flow import Cell, Column, Flow, footer, paragraph
from inkmark.reports.model import Cut, GroupItem, GroupPoint, GroupTable, ItemTable, Report
from inkmark.reports.pdf import ACCENT, FAINT, MARGIN_MM, PAGE_H_MM, PAGE_W_MM, PALE, SOFT, Book
from inkmark.reports.tables import ITEM_FLAGS
from inkmark.reports.words import item_list, words

__all__ = ["conventions", "group_title", "write_group_report"]

WIDTH_MM = PAGE_W_MM - 2 * MARGIN_MM


def group_title(report: Report, group: GroupTable) -> str:
    """Name of a group as people say it: with the school where there are several."""
    w = words(report.head.language)
    if group.kind is GroupKind.ALL:
        return w["joint" if report.head.joint else "grade"]
    if group.kind is GroupKind.CLASS and report.head.joint:
        return f"{group.school} {group.name}"
    return group.name


def conventions(report: Report) -> tuple[str, ...]:
    """Say by which of the usual forms the figures of everybody are computed."""
    w = words(report.head.language)
    if report.everybody.counted < report.head.indices_floor:
        few = w["too few candidates"].format(
            n=report.everybody.counted, floor=report.head.indices_floor
        )
        return w["convention sd"], few
    return (
        w["convention sd"],
        w["convention discrimination"],
        w["convention alpha"].format(k=len(report.items)),
    )


def write_group_report(report: Report, group: GroupTable, path: Path | str) -> None:
    """Write the report on one group.

    Parameters
    ----------
    report : Report
    group : GroupTable
        One of the report's: everybody, a school or a class.
    path : Path or str
        Written whole or not at all; equal reports give equal bytes.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    head, w = report.head, words(report.head.language)
    flow = Flow(top=24.0, bottom=PAGE_H_MM - 21.0, first_top=30.0)
    tiles = _tiles(report, group)
    rows = -(-len(tiles) // 6)
    flow.heading(w["figures section"], _counted_note(report, group))
    flow.add(rows * 13.0, lambda pen, y: _draw_tiles(pen, y, tiles), gap=0.5)
    told = conventions(report)
    text = ("" if head.language == "zh" else "  ").join(
        told if group.kind is GroupKind.ALL else told[:2]
    )
    flow.add(*paragraph(text, WIDTH_MM, size=6.5, leading=3.4))
    _distribution(flow, report, group)
    if group.kind is GroupKind.ALL:
        if report.head.joint:
            _groups_table(flow, report, "school", report.schools)
        _groups_table(flow, report, "class", report.classes)
    _knowledge(flow, report, group)
    _hardest(flow, report, group)
    stated = any(item.discrimination is not None for item in report.items)
    if group.kind is GroupKind.ALL and stated:
        _plane(flow, report)
    _item_analysis(flow, report, group)
    _left_out(flow, report, group)

    title = group_title(report, group)
    kind = {GroupKind.ALL: "all report", GroupKind.SCHOOL: "school report"}.get(group.kind)
    book = Book(f"{head.title} {title} {w[kind or 'class report']}", head.language)
    shown = w[kind] if kind == "all report" else f"{title}  {w[kind or 'class report']}"
    reading = w["how to read group zero" if head.absent_as_zero else "how to read group"]
    for number, sections in enumerate(flow.pages):
        pen = book.page(PAGE_W_MM, PAGE_H_MM)
        right = PAGE_W_MM - MARGIN_MM
        if number == 0:
            left = Box(MARGIN_MM, 11.5, WIDTH_MM * 0.58, 9.0)
            pen.text_block(left, head.title, size=15, bold=True)
            place = Box(MARGIN_MM + WIDTH_MM * 0.62, 11.5, WIDTH_MM * 0.38, 9.0)
            pen.text_block(place, shown, size=12, bold=True, colour=ACCENT, align="right")
            pen.line(MARGIN_MM, 21.5, right, 21.5, colour=ACCENT, width_pt=1.2)
            about = (head.subject, head.grade, head.date.isoformat() if head.date else "")
            text = "  ·  ".join(part for part in about if part)
            pen.text(MARGIN_MM, 26.5, text, size=8, colour=SOFT, width=WIDTH_MM)
        else:
            pen.text(MARGIN_MM, 17, title, size=9, bold=True, width=WIDTH_MM * 0.45)
            pen.text(
                right, 17, head.title, size=9, colour=SOFT, align="right", width=WIDTH_MM * 0.5
            )
            pen.line(MARGIN_MM, 19.5, right, 19.5, colour=FAINT)
        for y, draw in sections:
            draw(pen, y)
        footer(
            pen,
            head,
            how_to_read=reading,
            counted=_counted_note(report, group),
            number=number,
            n_pages=len(flow.pages),
        )
        book.end_page()
    book.write(path)


def _counted_note(report: Report, group: GroupTable) -> str:
    w = words(report.head.language)
    text = f"{group_title(report, group)} {w['counted n'].format(n=group.counted)}"
    if group.kind is not GroupKind.ALL:
        name = group_title(report, report.everybody)
        text += f" · {name} {w['counted n'].format(n=report.everybody.counted)}"
    return text


def _tiles(report: Report, group: GroupTable) -> list[tuple[str, str, str]]:
    """Label, value and what stands below it in small print, of each key figure."""
    w, every = words(report.head.language), report.everybody
    name = group_title(report, every)
    own = group.kind is GroupKind.ALL

    def beside(text: str) -> str:
        return "" if own else f"{name} {text}"

    left_out = (
        (w["absent"], group.absent),
        (w["no_scores"], group.no_scores),
        (w["incomplete"], group.incomplete),
    )
    tiles = [
        (
            f"{w['counted']} / {w['registered']}",
            f"{group.counted} / {group.registered}",
            "  ".join(f"{label} {count}" for label, count in left_out if count),
        ),
        (w["mean"], figure_text(group.mean), beside(figure_text(every.mean))),
        (w["rate"], share_text(group.rate), beside(share_text(every.rate))),
        (w["sd"], figure_text(group.sd), beside(figure_text(every.sd))),
        (w["median"], figure_text(group.median), beside(figure_text(every.median))),
        (
            f"{w['highest']} / {w['lowest']}",
            f"{figure_text(group.highest)} / {figure_text(group.lowest)}",
            beside(f"{figure_text(every.highest)} / {figure_text(every.lowest)}"),
        ),
        *(
            (
                _cut_label(report, cut),
                share_text(getattr(group, cut.name)),
                beside(share_text(getattr(every, cut.name))),
            )
            for cut in report.head.cuts
        ),
    ]
    if own:
        test = report.test
        split_half = f"{w['split_half']} {figure_text(test.split_half)}"
        paper = f"{w['paper discrimination']} {figure_text(test.discrimination)}"
        tiles += [
            (w["alpha"], figure_text(test.alpha), split_half),
            (w["sem"], figure_text(test.sem), paper),
        ]
    else:
        tiles += [
            (w["mean gap"], figure_text(group.gap), ""),
            (w["relative gap"], share_text(group.relative_gap), ""),
        ]
    return tiles


def _cut_label(report: Report, cut: Cut) -> str:
    label = words(report.head.language)[f"{cut.name} rate"]
    return f"{label} {'<' if cut.name == 'low' else '≥'} {figure_text(cut.points)}"


def _draw_tiles(pen: Pen, y: float, tiles: Sequence[tuple[str, str, str]]) -> None:
    gap, height = 2.0, 11.8
    width = (WIDTH_MM - 5 * gap) / 6
    for number, (label, value, small) in enumerate(tiles):
        x = MARGIN_MM + number % 6 * (width + gap)
        top = y + number // 6 * 13.0
        pen.rect(Box(x, top, width, height), fill=PALE)
        pen.text(x + 1.5, top + 3.0, label, size=6.5, colour=SOFT, width=width - 3)
        pen.text(x + 1.5, top + 7.9, value, size=11, bold=True, width=width - 3)
        pen.text(x + 1.5, top + 10.9, small, size=6, colour=SOFT, width=width - 3)


def _distribution(flow: Flow, report: Report, group: GroupTable) -> None:
    w = words(report.head.language)
    if not group.counted:
        return
    own = group.kind is GroupKind.ALL
    note = w["bands note all"] if own else w["bands note"].format(
        group=group_title(report, group), all=group_title(report, report.everybody)
    )  # fmt: skip
    height = 58.0
    flow.heading(w["bands"], note, follow=height)

    def draw(pen: Pen, y: float) -> None:
        histogram(
            pen,
            Box(MARGIN_MM, y, WIDTH_MM, height),
            group.bands,
            () if own else report.everybody.bands,
            title_x=w["score axis"],
            title_y=w["share axis"],
        )

    flow.add(height, draw)


def _groups_table(flow: Flow, report: Report, kind: str, groups: Sequence[GroupTable]) -> None:
    if not groups:
        return
    w = words(report.head.language)
    labels = ("counted", "mean", "relative gap", "sd", "highest", "lowest",
              "excellent rate", "good rate", "passing rate", "low rate")  # fmt: skip
    columns = [
        Column(w[kind], 42, bold=True),
        *(Column(w[label], 14, "right") for label in labels),
    ]
    rows = [
        (
            group_title(report, group),
            f"{group.counted}/{group.registered}",
            figure_text(group.mean),
            share_text(group.relative_gap),
            figure_text(group.sd),
            figure_text(group.highest),
            figure_text(group.lowest),
            share_text(group.excellent),
            share_text(group.good),
            share_text(group.passing),
            share_text(group.low),
        )
        for group in groups
    ]
    flow.heading(w[f"{kind} section"])
    flow.table(columns, rows)


def _knowledge(flow: Flow, report: Report, group: GroupTable) -> None:
    w = words(report.head.language)
    if not group.points:
        return
    own = group.kind is GroupKind.ALL
    note = w["group points note all"] if own else w["group points note"].format(
        all=group_title(report, report.everybody)
    )  # fmt: skip
    known = {point.name: point.enough for point in report.points}
    if not all(known.values()):
        note = f"{note}  {w['hollow note']}"
    parts = 2 if len(group.points) > 6 else 1
    unit = ((WIDTH_MM - 5) / 2 if parts == 2 else WIDTH_MM) / 100
    with_n = any(point.counted != group.counted for point in group.points)
    columns = (
        Column(w["knowledge"], 32 * unit),
        Column("", ((44 if own else 34) - 8 * with_n) * unit),
        *((Column(w["n"], 8 * unit, "right"),) if with_n else ()),
        Column(w["rate"], 11 * unit, "right"),
        *((Column(w["gap"], 10 * unit, "right"),) if not own else ()),
        Column(w["below"], 13 * unit, "right"),
    )

    def bar(point: GroupPoint, everybody: Decimal | None) -> Cell:
        def draw(pen: Pen, box: Box) -> None:
            bar_box = Box(box.x + 1, box.y, box.w - 2, box.h)
            enough = known[point.name]
            group_point_bar(pen, bar_box, point, None if own else everybody, enough=enough)

        return draw

    rows = [
        (
            point.name,
            bar(point, other.rate),
            *((str(point.counted),) if with_n else ()),
            share_text(point.rate),
            *((share_text(point.gap),) if not own else ()),
            share_text(point.below),
        )
        for point, other in zip(group.points, report.everybody.points, strict=True)
    ]
    flow.heading(w["points section"], note)
    flow.table(columns, rows, side_by_side=parts, row_height=5.4)
    rates = {point.name: share_text(point.rate) for point in group.points}
    text = item_list(tuple(f"{name} {rates[name]}" for name in group.weak), report.head.language)
    height, draw = paragraph(text or w["no weak"], WIDTH_MM, bullet=True)
    flow.heading(w["weak section"], w["weak note"], follow=height)
    flow.add(height, draw)


def _hardest(flow: Flow, report: Report, group: GroupTable) -> None:
    if not group.hardest:
        return
    w = words(report.head.language)
    items = {item.number: item for item in report.items}
    own = {item.number: item for item in group.items}
    compared = group.kind is not GroupKind.ALL
    with_n = _items_differ(group)
    columns = (
        Column(w["item"], 14, bold=True),
        Column(w["type"], 18),
        Column(w["knowledge"], (60 if compared else 78) - 12 * with_n),
        *((Column(w["n"], 12, "right"),) if with_n else ()),
        Column(w["facility"], 18, "right"),
        *((Column(w["gap"], 18, "right"),) if compared else ()),
        Column(w["full_rate"], 18, "right"),
        Column(w["zero_rate"], 18, "right"),
        Column(w["lost_share"], 18, "right"),
    )
    rows = [
        (
            number,
            w[items[number].type],
            item_list(items[number].knowledge, report.head.language),
            *((str(own[number].counted),) if with_n else ()),
            share_text(own[number].facility),
            *((share_text(own[number].gap),) if compared else ()),
            share_text(own[number].full_rate),
            share_text(own[number].zero_rate),
            share_text(own[number].lost_share),
        )
        for number in group.hardest
    ]
    flow.heading(w["hardest section"])
    flow.table(columns, rows)


def _plane(flow: Flow, report: Report) -> None:
    w = words(report.head.language)
    without = tuple(
        item.number for item in report.items if item.facility is None or item.discrimination is None
    )
    note = w["plane note"]
    if without:
        listed = item_list(without, report.head.language)
        note += "  " + w["without figure"].format(items=listed)
    height = 95.0
    flow.heading(w["plane section"], note, follow=height)

    def draw(pen: Pen, y: float) -> None:
        item_plane(
            pen,
            Box(MARGIN_MM, y, WIDTH_MM, height),
            report.items,
            title_x=w["facility axis"],
            title_y=w["discrimination"],
        )

    flow.add(height, draw)


def _item_analysis(flow: Flow, report: Report, group: GroupTable) -> None:
    w = words(report.head.language)
    everybody = group_title(report, report.everybody)
    compared = group.kind is not GroupKind.ALL
    with_n = _items_differ(group)
    columns = (
        Column(w["item"], 10, bold=True),
        Column(w["knowledge"], (27 if compared else 39) - 5 * with_n),
        Column(w["full"], 9, "right"),
        *((Column(w["n"], 9, "right"),) if with_n else ()),
        Column(w["facility"], 12, "right"),
        *((Column(w["gap"], 12, "right"),) if compared else ()),
        Column(w["full_rate"], 12, "right"),
        Column(w["zero_rate"], 12, "right"),
        Column(w["discrimination short"], 11, "right"),
        Column(w["options"], 58 - 4 * with_n),
        Column(w["notes"], 19),
    )

    def options(own: GroupItem) -> Cell:
        def draw(pen: Pen, box: Box) -> None:
            option_bars(pen, Box(box.x + 2, box.y, box.w - 3, box.h), own.options, w["blank"])

        return draw if own.options else ""

    def row(item: ItemTable, own: GroupItem) -> tuple[Cell, ...]:
        return (
            item.number,
            item_list(item.knowledge, report.head.language),
            figure_text(item.full),
            *((str(own.counted),) if with_n else ()),
            share_text(own.facility),
            *((share_text(own.gap),) if compared else ()),
            share_text(own.full_rate),
            share_text(own.zero_rate),
            figure_text(item.discrimination),
            options(own),
            item_list(tuple(w[f"flag {flag}"] for flag in item.flags), report.head.language),
        )

    flow.heading(
        w["item analysis"], w["item analysis note"].format(all=everybody) if compared else ""
    )
    rows = [row(*both) for both in zip(report.items, group.items, strict=True)]
    flow.table(columns, rows, row_height=5.8, size=6.8)
    flags = [flag for flag in ITEM_FLAGS if any(flag in item.flags for item in report.items)]
    if flags:
        colon, semicolon = ("：", "；") if report.head.language == "zh" else (": ", "; ")
        text = w["flags section"] + colon + semicolon.join(w[f"note {flag}"] for flag in flags)
        flow.add(*paragraph(text, WIDTH_MM, size=7, leading=3.8))


def _items_differ(group: GroupTable) -> bool:
    """Whether figures of items rest on other candidates than those counted."""
    return any(item.counted != group.counted for item in group.items)


def _left_out(flow: Flow, report: Report, group: GroupTable) -> None:
    if not group.left_out:
        return
    w = words(report.head.language)
    parts = 3 if len(group.left_out) > 6 else 1
    unit = (WIDTH_MM - 5 * (parts - 1)) / parts / 100
    columns = (
        Column(w["candidate"], 30 * unit),
        Column(w["name"], 46 * unit),
        Column(w["standing"], 24 * unit),
    )
    rows = [(one.candidate, one.name, w[one.standing.name.lower()]) for one in group.left_out]
    flow.heading(w["left out"])
    flow.table(columns, rows, side_by_side=parts)
