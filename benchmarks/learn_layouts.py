"""Layouts learned from sheets alone against the layouts that are known of them.

Each image of the reference scans for which a layout is known is learned without it, and so
are our own blank sheets in every style. A known bubble is *found* where a learned one stands
within half a bubble of it, else *missed*; learned bubbles that are none of the known ones
are *extra*: examples in the instructions and grids that a template leaves out are bubbles
too, so an extra one is not always an error. The error of a found bubble is its distance in
mm on the sheet. Layouts are meant to be learned from blank sheets, so these are summed up apart
from filled ones. Where there are several images of a sheet, the layout learned from the first
reads the others, and what it reads in the known fields is compared with the truth.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._captures import Capture, reference_scans, sheet_captures
from benchmarks.contract import Better, Kind, Options, Result, Row
from inkmark.errors import LayoutError
from inkmark.exam import Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.geometry import apply_homography, local_scale
from inkmark.images import PageImage, Pixels, open_scan
from inkmark.layouts import (
    BubbleField,
    BubbleShape,
    PageLayout,
    SheetOptions,
    build_layout,
    print_sheets,
)
from inkmark.learning import BlankPage, LearnedPage, learn_sheet
from inkmark.omr import read_bubbles, register
from inkmark.readings import Flag, Registration, SheetReading
from inkmark.session import read_page

__all__ = ["Found", "compare", "known_places", "run"]

FloatArray = NDArray[np.float64]

_NEAR = 0.5
"""A bubble is found within this share of its smaller side."""
_RENDER_DPI = 200.0
_OWN = [
    (paper, style, language)
    for paper in ("A4", "A3")
    for style in (BubbleShape.OVAL, BubbleShape.RECTANGLE)
    for language in ("zh", "en")
]
_SUMS = ("all of our own, blank", "others, blank", "others, filled", "all others")


@dataclass(frozen=True, slots=True)
class Found:
    """What was learned of the bubbles of one image.

    Attributes
    ----------
    known, found, extra : int
    errors_mm : tuple of float
        Of the bubbles found.
    """

    known: int
    found: int
    extra: int
    errors_mm: tuple[float, ...]


def known_places(pixels: Pixels, page: PageLayout) -> tuple[FloatArray, FloatArray] | None:
    """Where the bubbles of a known layout are in an image; None where it does not register.

    Returns
    -------
    (n, 2) float64
        Centres in px.
    (n,) float64
        Smaller side of each bubble in px.
    """
    registration = register(pixels, page)
    if not isinstance(registration, Registration):
        return None
    seen = {reading.field: reading.box_px for reading in read_bubbles(pixels, page, registration)}
    places, sides = [], []
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        # Reading moves a field to its print, as far as its box says.
        corners = registration.to_px(field.box.corners())
        box = seen[field.name]
        placed = (corners.min(axis=0) + corners.max(axis=0)) / 2
        places.append(registration.to_px(field.centres()) + np.array(box.centre) - placed)
        scale = np.hypot(*np.ptp(corners, axis=0)) / np.hypot(field.box.w, field.box.h)
        sides += [scale * min(field.bubble_w, field.bubble_h)] * len(places[-1])
    return np.concatenate(places), np.array(sides)


def compare(known: tuple[FloatArray, FloatArray], page: LearnedPage, side_mm: float) -> Found:
    """Match the known bubbles of an image with the learned ones, each once.

    Templates give some bubbles smaller than their print: `side_mm`, that of the learned
    ones, counts as well.
    """
    places, sides = known
    to_image = np.array(page.to_image).reshape(3, 3)
    sheet = np.array([(b.x_mm, b.y_mm) for b in page.bubbles]).reshape(-1, 2)
    if len(sheet) == 0:
        return Found(len(places), 0, 0, ())
    learned = apply_homography(to_image, sheet)
    wanted_mm = apply_homography(np.asarray(np.linalg.inv(to_image)), places)
    distance = np.hypot(*np.moveaxis(places[:, None] - learned[None], 2, 0))
    nearest = distance.argmin(axis=1)
    scale = local_scale(to_image, (float(sheet[:, 0].mean()), float(sheet[:, 1].mean())))
    reach = _NEAR * np.maximum(sides, side_mm * scale)
    taken: set[int] = set()
    errors = []
    for k in np.argsort(distance.min(axis=1)):
        match = int(nearest[k])
        if distance[k, match] <= reach[k] and match not in taken:
            taken.add(match)
            errors.append(float(np.hypot(*(wanted_mm[k] - sheet[match]))))
    return Found(len(places), len(errors), len(learned) - len(taken), tuple(errors))


def _learn(image: PageImage, known: tuple[FloatArray, FloatArray]) -> Found:
    try:
        sheet = learn_sheet([BlankPage(image.pixels.whole(), image.dpi)])
    except LayoutError:
        return Found(len(known[0]), 0, 0, ())
    fields = [f for f in sheet.layout.fields() if isinstance(f, BubbleField)]
    side_mm = float(np.median([min(f.bubble_w, f.bubble_h) for f in fields]))
    return compare(known, sheet.pages[0], side_mm)


def _capture(capture: Capture) -> Found | None:
    with open_scan(capture.path) as scan:
        image = scan.load(0)
    known = known_places(image.pixels, capture.layout.pages[0])
    if known is None:
        return None
    return _learn(image, known)


def _read_with_learned(captures: list[Capture]) -> Counter[str]:
    """Learn the sheet from its first image, read the others with that: fields by verdict.

    A known field is read as the learned bubbles say that stand where its own are.
    """
    first, *others = captures
    verdicts: Counter[str] = Counter()
    with open_scan(first.path) as scan:
        image = scan.load(0)
    known = known_places(image.pixels, first.layout.pages[0])
    try:
        sheet = learn_sheet([BlankPage(image.pixels.whole(), image.dpi)])
    except LayoutError:
        known = None
    if known is None:
        return verdicts
    page = sheet.layout.pages[0]
    inverse = np.linalg.inv(np.array(sheet.pages[0].to_image).reshape(3, 3))
    names = _counterparts(first.layout.pages[0], apply_homography(inverse, known[0]), page)
    for capture in others:
        with open_scan(capture.path) as scan:
            reading = read_page(scan.load(0), sheet.layout)
        marks: set[tuple[str, int, int]] = set()
        flags: dict[str, Flag] = {}
        if isinstance(reading, SheetReading):
            for seen in reading.fields:
                flags[seen.field] = seen.flag
                field = next(f for f in page.fields if f.name == seen.field)
                assert isinstance(field, BubbleField)
                marks |= set(_marks(field, seen.value))
        for row in capture.truth:
            if row.field not in names or row.note.startswith("ambiguous"):
                continue
            options, bubbles = names[row.field]
            value = "".join(o for o, b in zip(options, bubbles, strict=True) if b in marks)
            flag = flags.get(bubbles[0][0], Flag.UNREADABLE)
            if flag in {Flag.DOUBTFUL, Flag.UNREADABLE}:
                verdicts["rejected"] += 1
            elif value == row.value.replace("|", ""):
                verdicts["right"] += 1
            else:
                verdicts["wrong" if flag is Flag.OK else "rejected"] += 1
    return verdicts


def _counterparts(
    known: PageLayout, places_mm: FloatArray, page: PageLayout
) -> dict[str, tuple[tuple[str, ...], list[tuple[str, int, int]]]]:
    """Options of each known field, and the learned bubbles (field, group, option) under them."""
    learned: list[tuple[str, int, int]] = []
    at: list[FloatArray] = []
    sides: list[float] = []
    for field in page.fields:
        if isinstance(field, BubbleField):
            n = len(field.options)
            learned += [(field.name, k // n, k % n) for k in range(n * field.n_groups)]
            at.append(field.centres())
            sides += [min(field.bubble_w, field.bubble_h)] * (n * field.n_groups)
    centres = np.concatenate(at)
    result = {}
    start = 0
    for field in known.fields:
        if not isinstance(field, BubbleField):
            continue
        own = places_mm[start : start + len(field.options) * field.n_groups]
        start += len(own)
        distance = np.hypot(*np.moveaxis(own[:, None] - centres[None], 2, 0))
        nearest = distance.argmin(axis=1)
        near = distance.min(axis=1) < _NEAR * np.array(sides)[nearest]
        if field.n_groups == 1 and near.all():
            result[field.name] = (field.options, [learned[k] for k in nearest])
    return result


def _marks(field: BubbleField, value: str) -> Iterator[tuple[str, int, int]]:
    """Field, group and option of the bubbles that a value says are marked."""
    if field.n_groups == 1:
        for option in value:
            yield field.name, 0, field.options.index(option)
        return
    for group, option in enumerate(value):
        if option in field.options:
            yield field.name, group, field.options.index(option)


def _own_sheets() -> Iterator[tuple[str, Found]]:
    """Our own blank sheets of 60 items of four options, with 6 digits, in every style."""
    items = tuple(
        Item(str(k + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)) for k in range(60)
    )
    for paper, style, language in _OWN:
        exam = replace(example_exam(language), items=items)
        layout = build_layout(exam, SheetOptions(paper=paper, bubble_style=style))
        with tempfile.TemporaryDirectory(prefix="inkmark-learn-") as name:
            path = Path(name) / "sheet.pdf"
            print_sheets(layout, exam, path, None)
            with open_scan(path, render_dpi=_RENDER_DPI) as scan:
                images = [scan.load(index) for index in range(scan.n_pages)]
        for page, image in zip(layout.pages, images, strict=True):
            known = known_places(image.pixels, page)
            assert known is not None
            yield f"own {paper} {style.value} {language}", _learn(image, known)


def run(options: Options) -> Result:
    """Learn all sheets and count.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result

    Raises
    ------
    Unavailable
        Where the reference data is not there.
    """
    scans = reference_scans(options)
    groups: dict[str, list[Found]] = {}
    sums: dict[str, list[Found]] = {name: [] for name in _SUMS}
    notes: list[str] = []
    for name, found in _own_sheets():
        groups.setdefault(name, []).append(found)
        sums["all of our own, blank"].append(found)
    captures = list(sheet_captures(scans))
    for capture in captures:
        result = _capture(capture)
        if result is None:
            notes.append(f"{capture.collection}/{capture.name}: its known layout does not register")
            continue
        groups.setdefault(capture.group, []).append(result)
        sums["all others"].append(result)
        sums["others, blank" if capture.is_blank else "others, filled"].append(result)
        if result.found < result.known or result.extra:
            notes.append(
                f"{capture.collection}/{capture.name}{' (blank)' if capture.is_blank else ''}: "
                f"{result.known} known, "
                f"{result.known - result.found} missed, {result.extra} extra"
            )
    rows = [row for group, found in (groups | sums).items() if found for row in _rows(group, found)]
    total: Counter[str] = Counter()
    for group in groups:
        images = [capture for capture in captures if capture.group == group]
        if len(images) > 1:
            verdicts = _read_with_learned(images)
            rows += _verdict_rows(group, verdicts)
            total.update(verdicts)
    rows += _verdict_rows("all others", total)
    return Result(
        name="learn_layouts",
        rows=tuple(rows),
        notes=(
            "Known: layouts imported from templates or made from the measurements of a set,",
            "moved to the print as reading does. Many images are photos. Blank are images on",
            "which nothing is marked, as their truth says; our own are rendered from the PDF.",
            "Image by image:",
            *notes,
        ),
    )


def _rows(group: str, found: list[Found]) -> Iterator[Row]:
    known, seen = (sum(getattr(f, name) for f in found) for name in ("known", "found"))
    extra = sum(f.extra for f in found)
    errors = [error for f in found for error in f.errors_mm]
    for label, count, better in (
        ("sheets", len(found), Better.NEITHER),
        ("bubbles", known, Better.NEITHER),
        ("found", seen, Better.HIGHER),
        ("missed", known - seen, Better.LOWER),
        ("extra", extra, Better.LOWER),
    ):
        yield Row(label, float(count), "bubbles", Kind.ACCURACY, better, group=group)
    for label, share in (("middle error", 0.5), ("95 % error", 0.95)):
        value = float(np.quantile(errors, share)) if errors else 0.0
        yield Row(label, round(value, 3), "mm", Kind.ACCURACY, Better.LOWER, 0, 1, 0.02, group)


def _verdict_rows(group: str, verdicts: Counter[str]) -> Iterator[Row]:
    for label, verdict, better in (
        ("read right", "right", Better.HIGHER),
        ("read, rejected", "rejected", Better.LOWER),
        ("read, silently wrong", "wrong", Better.LOWER),
    ):
        count = float(verdicts[verdict])
        yield Row(label, count, "fields", Kind.ACCURACY, better, group=group)
