"""The report as an Excel workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook

from inkmark.analytics.model import GroupKind
from inkmark.reports._xlsx import (
    INDEX,
    MEAN,
    SHARE,
    Formatted,
    Value,
    add_sheet,
    save_workbook,
)
from inkmark.reports.figures import figure_text
from inkmark.reports.groups import conventions, group_title
from inkmark.reports.model import GroupTable, Report
from inkmark.reports.words import item_list, words

__all__ = ["write_workbook"]

Row = Sequence[Value | Formatted]


def write_workbook(report: Report, path: Path | str) -> None:
    """Write the report as xlsx: summary, scores, items, options, groups, mastery, comments.

    Text from outside is written as text, never as a formula.

    Parameters
    ----------
    report : Report
    path : Path or str
        Written whole or not at all; equal reports give equal bytes.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    w = words(report.head.language)
    book = Workbook(write_only=True)
    add_sheet(book, w["sheet summary"], *_summary(report, w))
    add_sheet(book, w["sheet scores"], *_scores(report, w), frozen_columns=2)
    add_sheet(book, w["sheet items"], *_items(report, w))
    if any(item.options for item in report.items):
        add_sheet(book, w["sheet options"], *_options(report, w), frozen_columns=2)
    add_sheet(book, w["sheet groups"], *_groups(report, w), frozen_columns=2)
    add_sheet(book, w["sheet group items"], *_group_items(report, w))
    if report.points:
        add_sheet(book, w["sheet points"], *_points(report, w))
        add_sheet(book, w["sheet mastery"], *_mastery(report, w), frozen_columns=2)
    add_sheet(book, w["sheet comments"], *_comments(report, w), frozen_columns=2)
    save_workbook(book, path)


def _summary(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    head, test = report.head, report.test
    rows: list[Row] = [
        (w["exam"], f"{head.title} ({head.exam})"),
        (w["subject"], head.subject),
        (w["grade"], head.grade),
        (w["exam date"], head.date.isoformat() if head.date else ""),
        (w["made"], head.made.isoformat() if head.made else ""),
        (w["full"], head.full),
        *((f"{w[f'{cut.name} rate']} ≥", cut.points) for cut in head.cuts if cut.name != "low"),
        *((f"{w['low rate']} <", cut.points) for cut in head.cuts if cut.name == "low"),
    ]
    labels, figures = _group_header(w), _group_row(report, report.everybody)
    rows += [(label, value) for label, value in zip(labels, figures, strict=True)][2:]
    rows += [
        (w["paper discrimination"], (test.discrimination, INDEX)),
        (w["alpha"], (test.alpha, INDEX)),
        (w["split_half"], (test.split_half, INDEX)),
        (w["sem"], (test.sem, MEAN)),
    ]
    rows += [
        (f"{w['band']} {figure_text(band.lower)}–{figure_text(band.upper)}", band.count)
        for band in report.everybody.bands
    ]
    rows += [(w["conventions"], text) for text in conventions(report)]
    return [w["figure"], w["value"]], rows


def _scores(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    ranks = report.head.include_ranks
    header = [w[k] for k in ("candidate", "name", "class", "school", "standing")]
    header += [w["score"], w["rate"], w["level"]]
    header += [w["class rank"], w["grade rank"]] if ranks else []
    header += [item.number for item in report.items]
    rows: list[Row] = []
    for student in report.students:
        own_ranks = (student.class_rank, student.grade_rank) if ranks else ()
        rows.append(
            (
                student.candidate,
                student.name,
                student.class_name,
                student.school,
                w[student.standing.name.lower()],
                student.score,
                (student.rate, SHARE),
                w[str(student.level)] if student.level else "",
                *own_ranks,
                *(item.points for item in student.items),
            )
        )
    return header, rows


def _items(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    keys = ("item", "type", "knowledge", "key", "full", "n", "mean", "facility", "full_rate",
            "zero_rate", "lost_share", "discrimination", "item_rest", "notes")  # fmt: skip
    language = report.head.language
    rows: list[Row] = [
        (
            item.number,
            w[item.type],
            item_list(item.knowledge, language),
            item.key,
            item.full,
            item.counted,
            (item.mean, MEAN),
            (item.facility, SHARE),
            (item.full_rate, SHARE),
            (item.zero_rate, SHARE),
            (item.lost_share, SHARE),
            (item.discrimination, INDEX),
            (item.item_rest, INDEX),
            item_list(tuple(w[f"flag {flag}"] for flag in item.flags), language),
        )
        for item in report.items
    ]
    return [w[key] for key in keys], rows


def _options(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    rows: list[Row] = [
        (
            item.number,
            option.option or w["blank option"],
            w["yes"] if option.keyed else "",
            (option.share, SHARE),
            (option.upper, SHARE),
            (option.lower, SHARE),
        )
        for item in report.items
        for option in item.options
    ]
    return [w[key] for key in ("item", "option", "keyed", "share", "upper", "lower")], rows


def _group_header(w: Mapping[str, str]) -> list[str]:
    keys = ("group", "school", "registered", "counted", "absent", "no_scores", "incomplete",
            "mean", "rate", "gap", "relative gap", "sd", "median", "highest", "lowest",
            "excellent rate", "good rate", "passing rate", "low rate")  # fmt: skip
    return [w[key] for key in keys]


def _group_row(report: Report, group: GroupTable) -> Row:
    return (
        group_title(report, group) if group.kind is GroupKind.ALL else group.name,
        group.school,
        group.registered,
        group.counted,
        group.absent,
        group.no_scores,
        group.incomplete,
        (group.mean, MEAN),
        (group.rate, SHARE),
        (group.gap, MEAN),
        (group.relative_gap, SHARE),
        (group.sd, MEAN),
        (group.median, MEAN),
        group.highest,
        group.lowest,
        (group.excellent, SHARE),
        (group.good, SHARE),
        (group.passing, SHARE),
        (group.low, SHARE),
    )


def _groups(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    groups = (report.everybody, *report.schools, *report.classes)
    return _group_header(w), [_group_row(report, group) for group in groups]


def _group_items(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    """Facility by item and group, and on how many it rests where these are not those counted."""
    groups = (report.everybody, *report.schools, *report.classes)
    other_n = [g for g in groups if any(item.counted != g.counted for item in g.items)]
    header = [w["item"], w["full"], *(group_title(report, group) for group in groups)]
    header += [f"{w['n']} {group_title(report, group)}" for group in other_n]
    rows: list[Row] = [
        (
            item.number,
            item.full,
            *((group.items[place].facility, SHARE) for group in groups),
            *(group.items[place].counted for group in other_n),
        )
        for place, item in enumerate(report.items)
    ]
    return header, rows


def _points(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    """Rate by knowledge point and group, and its N as for items."""
    groups = (report.everybody, *report.schools, *report.classes)
    other_n = [g for g in groups if any(point.counted != g.counted for point in g.points)]
    header = [w["knowledge"], w["evidence"], w["full"]]
    header += [group_title(report, group) for group in groups]
    header += [f"{w['n']} {group_title(report, group)}" for group in other_n]
    rows: list[Row] = [
        (
            point.name,
            item_list(point.items, report.head.language),
            point.full,
            *((group.points[place].rate, SHARE) for group in groups),
            *(group.points[place].counted for group in other_n),
        )
        for place, point in enumerate(report.points)
    ]
    return header, rows


def _mastery(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    header = [w["candidate"], w["name"], w["class"], *(point.name for point in report.points)]
    rows: list[Row] = []
    for student in report.students:
        cells: list[Value | Formatted] = [student.candidate, student.name, student.class_name]
        for point in student.points:
            enough = point.mastery is not None or not point.full
            cells.append((point.mastery, SHARE) if enough else w["no evidence"])
        rows.append(cells)
    return header, rows


def _comments(report: Report, w: Mapping[str, str]) -> tuple[list[str], list[Row]]:
    header = [w["candidate"], w["name"], w["class"], w["comment"], w["figures"]]
    rows: list[Row] = [
        (
            student.candidate,
            student.name,
            student.class_name,
            comment.text,
            "; ".join(f"{figure.name}={figure.text}" for figure in comment.figures),
        )
        for student in report.students
        for comment in student.comments
    ]
    return header, rows
