"""Charts drawn as vectors, told apart by shape and lightness and labelled directly.

Every chart takes figures that are ready to show and a box in millimetres, and draws with
a `Pen`. Nothing is computed here but places on the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from reportlab.lib.colors import Color

from inkmark.drawing import Pen, width_mm
from inkmark.geometry import Box
from inkmark.reports.figures import figure_text, share_text
from inkmark.reports.model import (
    Band,
    GroupPoint,
    ItemTable,
    OptionTable,
    Outcome,
    StudentPoint,
)
from inkmark.reports.pdf import ACCENT, FAINT, INK, MID, PALE, SOFT, WHITE

__all__ = [
    "Scale",
    "diamond",
    "group_point_bar",
    "histogram",
    "item_plane",
    "mastery_bar",
    "option_bars",
    "outcome_mark",
    "score_strip",
    "triangle",
]


def triangle(pen: Pen, x: float, y: float, size: float = 1.5) -> None:
    """A filled triangle that points down to (x, y): the class."""
    half = size * 0.6
    pen.polygon([(x, y), (x - half, y - size), (x + half, y - size)], fill=INK)


def diamond(pen: Pen, x: float, y: float, size: float = 1.5) -> None:
    """A white diamond centred at (x, y): everybody."""
    half = size * 0.6
    corners = [(x, y - half), (x + half, y), (x, y + half), (x - half, y)]
    pen.polygon(corners, fill=WHITE, stroke=INK, width_pt=0.7)


def outcome_mark(
    pen: Pen, x: float, y: float, outcome: Outcome, *, size: float = 2.6, colour: Color = INK
) -> None:
    """Tick, half-filled circle, cross, question mark or dash, centred at (x, y)."""
    half = size / 2
    stroke = max(1.0, size * 0.4)
    if outcome is Outcome.FULL:
        corners = [(x - half, y), (x - half * 0.25, y + half * 0.7), (x + half, y - half * 0.8)]
        pen.polygon(corners, stroke=colour, width_pt=stroke, closed=False)
    elif outcome is Outcome.PART:
        radius = half * 0.8
        pen.circle(x, y, radius, fill=WHITE, stroke=colour, width_pt=0.6)
        pen.sector(x, y, radius, 90, 180, fill=colour)
    elif outcome is Outcome.NONE:
        reach = half * 0.75
        for sign in (-1, 1):
            ends = (x - reach, y - sign * reach, x + reach, y + sign * reach)
            pen.line(*ends, colour=colour, width_pt=stroke)
    elif outcome is Outcome.PENDING:
        pen.text_in(
            Box(x - half, y - half, size, size),
            "?",
            size=7.5,
            bold=True,
            align="centre",
            colour=colour,
        )
    else:
        pen.line(x - half * 0.6, y, x + half * 0.6, y, colour=SOFT, width_pt=0.8)


MOST_OPTIONS = 6
"""Options that a row of `option_bars` has room for."""

LABEL_REACHES_MM = (1.1, 2.6, 4.2, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 31.0)
"""How far from its dot a label may stand, the nearest free place first."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What stands on a score strip.

    Attributes
    ----------
    full, own : Decimal
        Full mark and own score.
    references : sequence of (label, points)
        At most two: the class (triangle) and everybody (diamond).
    cuts : sequence of (label, points)
        Thresholds, ticked above the strip.
    """

    full: Decimal
    own: Decimal
    references: Sequence[tuple[str, Decimal]]
    cuts: Sequence[tuple[str, Decimal]]


def score_strip(pen: Pen, box: Box, scale: Scale) -> None:
    """One scale from 0 to the full mark: own score as a bar, references as markers.

    Each reference has a line of its own below the scale, so that labels cannot meet; the
    box is at least 16 mm high with two of them.
    """
    bar_y, bar_h = box.y + 4.2, 4.4

    def at(points: Decimal) -> float:
        return box.x + box.w * _part(points / scale.full)

    pen.rect(Box(box.x, bar_y, box.w, bar_h), fill=PALE, stroke=FAINT)
    pen.rect(Box(box.x, bar_y, at(scale.own) - box.x, bar_h), fill=ACCENT)
    free_from = box.x - 1.0
    for label, points in sorted(scale.cuts, key=lambda cut: cut[1]):
        x = at(points)
        pen.line(x, bar_y - 1.0, x, bar_y + bar_h, colour=SOFT, width_pt=0.5, dash=(1.2, 1.2))
        text = f"{label} {figure_text(points)}"
        width = width_mm(text, 6.5)
        left = min(max(x - width / 2, free_from), box.right - width)
        if left >= free_from:
            pen.text(left, bar_y - 1.6, text, size=6.5, colour=SOFT)
            free_from = left + width + 2
    own = figure_text(scale.own)
    if at(scale.own) - box.x > 12:
        place = Box(at(scale.own) - 12, bar_y, 11, bar_h)
        pen.text_in(place, own, size=9, bold=True, colour=WHITE, align="right")
    else:
        pen.text_in(Box(at(scale.own) + 1, bar_y, 11, bar_h), own, size=9, bold=True)
    below = bar_y + bar_h
    for number, (label, points) in enumerate(scale.references):
        x, row = at(points), below + 3.6 + number * 3.8
        pen.line(x, below, x, row - 1.6, colour=SOFT, width_pt=0.5)
        if number:
            diamond(pen, x, row - 1.0, 2.0)
        else:
            pen.polygon([(x, row - 2.2), (x - 1.0, row - 0.4), (x + 1.0, row - 0.4)], fill=INK)
        text = f"{label} {figure_text(points)}"
        end = x + 2 + width_mm(text, 7)
        crossed = any(x < at(other) < end for _, other in scale.references[number + 1 :])
        if end > box.right or (crossed and 2 * x - end > box.x):
            pen.text(x - 2, row, text, size=7, align="right")
        else:
            pen.text(x + 2, row, text, size=7)


def mastery_bar(pen: Pen, box: Box, point: StudentPoint, *, no_evidence: str) -> None:
    """Bar of a student's mastery from 0 to 100 % with its interval as a whisker."""
    bar_h = box.h * 0.52
    top = box.y + (box.h - bar_h) / 2
    if point.mastery is None:
        pen.rect(Box(box.x, top, box.w, bar_h), stroke=FAINT)
        pen.text_in(
            Box(box.x, top, box.w, bar_h), no_evidence, size=6.2, colour=SOFT, align="centre"
        )
        return
    pen.rect(Box(box.x, top, box.w, bar_h), fill=PALE)
    pen.rect(Box(box.x, top, box.w * _part(point.mastery), bar_h), fill=MID)
    if point.low is not None and point.high is not None:
        low, high = box.x + box.w * _part(point.low), box.x + box.w * _part(point.high)
        middle = top + bar_h / 2
        pen.line(low, middle, high, middle, width_pt=0.7)
        for x in (low, high):
            pen.line(x, middle - 0.8, x, middle + 0.8, width_pt=0.7)
    if point.class_rate is not None:
        triangle(pen, box.x + box.w * _part(point.class_rate), top + 0.4, 1.5)


def group_point_bar(
    pen: Pen, box: Box, point: GroupPoint, everybody: Decimal | None, *, enough: bool
) -> None:
    """Bar of a group's rate on a knowledge point, with everybody's rate as a diamond.

    It is hatched where the point is weak, and hollow without enough items to say.
    """
    bar_h = box.h * 0.56
    top = box.y + (box.h - bar_h) / 2
    pen.rect(Box(box.x, top, box.w, bar_h), fill=PALE)
    if point.rate is not None:
        width = box.w * _part(point.rate)
        if point.weak or not enough:
            pen.rect(Box(box.x, top, width, bar_h), fill=WHITE, stroke=INK, width_pt=0.6)
            if point.weak:
                pen.hatch(Box(box.x, top, width, bar_h), colour=INK, step=1.1)
        else:
            pen.rect(Box(box.x, top, width, bar_h), fill=MID)
    if everybody is not None:
        diamond(pen, box.x + box.w * _part(everybody), top + bar_h / 2, 2.0)


def histogram(
    pen: Pen,
    box: Box,
    bands: Sequence[Band],
    reference: Sequence[Band] = (),
    *,
    title_x: str,
    title_y: str,
) -> None:
    """Share of candidates by score band as bars, with the counts above them.

    `reference` (the same bands of everybody) is drawn as a stepped line over the bars.
    """
    left, bottom = box.x + 11, box.bottom - 8.5
    width, height = box.right - left - 3, bottom - box.y - 4
    shares = [float(band.share or 0) for band in (*bands, *reference)]
    highest = max([*shares, 0.05])
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if highest / s <= 6)
    n_steps = -int(-highest // step)
    top = n_steps * step
    for number in range(n_steps + 1):
        y = bottom - height * number * step / top
        pen.line(left, y, left + width, y, colour=FAINT, width_pt=0.3)
        pen.text(left - 1.2, y + 0.9, f"{number * step:.0%}", size=6.5, colour=SOFT, align="right")
    band_w = width / len(bands)
    # A label a tick where there is room for it, else every second, third, ... tick.
    widest = max(width_mm(figure_text(band.upper), 6.5) for band in bands) + 1.5
    every = max(1, -int(-widest // band_w))
    for number, band in enumerate(bands):
        x = left + number * band_w
        bar = height * float(band.share or 0) / top
        if band.count:
            pen.rect(Box(x + band_w * 0.08, bottom - bar, band_w * 0.84, bar), fill=MID, stroke=INK)
            if width_mm(str(band.count), 7) <= band_w:
                pen.text(
                    x + band_w / 2, bottom - bar - 0.9, str(band.count), align="centre", size=7
                )
        if number % every == 0:
            pen.text(x, bottom + 3.2, figure_text(band.lower), size=6.5, align="centre")
    if len(bands) % every == 0:
        right = left + width
        pen.text(right, bottom + 3.2, figure_text(bands[-1].upper), size=6.5, align="centre")
    pen.line(left, bottom, left + width, bottom, width_pt=0.7)
    if reference:
        steps = []
        for number, band in enumerate(reference):
            y = bottom - height * float(band.share or 0) / top
            steps += [(left + number * band_w, y), (left + (number + 1) * band_w, y)]
        for start, end in pairwise(steps):
            pen.line(*start, *end, width_pt=1.1, dash=(2.4, 1.2))
    for number, band in enumerate(bands):
        label = width_mm(str(band.count), 7) + 0.8
        if band.count and label <= band_w:
            x = left + (number + 0.5) * band_w
            y = bottom - height * float(band.share or 0) / top
            # Stands on the dashed line where they meet.
            pen.rect(Box(x - label / 2, y - 3.4, label, 2.9), fill=WHITE)
            pen.text(x, y - 1.0, str(band.count), align="centre", size=7)
    pen.text(left + width / 2, box.bottom - 1.2, title_x, size=7, colour=SOFT, align="centre")
    pen.text(box.x, box.y + 1.5, title_y, size=7, colour=SOFT)


def item_plane(
    pen: Pen, box: Box, items: Sequence[ItemTable], *, title_x: str, title_y: str
) -> None:
    """Facility against discrimination: a dot and its number for each item that has both."""
    left, bottom = box.x + 9, box.bottom - 8.5
    width, height = box.right - left - 3, bottom - box.y - 4
    low = min([0.0, *(float(i.discrimination) for i in items if i.discrimination is not None)])
    low = -0.2 * math.ceil(-low / 0.2 - 1e-9)

    def at(facility: float, discrimination: float) -> tuple[float, float]:
        return (
            left + width * min(max(facility, 0.0), 1.0),
            bottom - height * (discrimination - low) / (1 - low),
        )

    for tick in range(6):
        x, _ = at(tick / 5, low)
        pen.line(x, bottom, x, box.y + 4, colour=FAINT, width_pt=0.3)
        pen.text(x, bottom + 3.2, f"{tick / 5:.1f}", size=6.5, align="centre")
    for tick in range(round((1 - low) / 0.2) + 1):
        value = low + tick * 0.2
        _, y = at(0, value)
        pen.line(left, y, left + width, y, colour=FAINT, width_pt=0.3)
        pen.text(
            left - 1.2, y + 0.9, f"{value:.1f}".replace("-0.0", "0.0"), size=6.5, align="right"
        )
    for value in (0.2, 0.4):
        _, y = at(0, value)
        pen.line(left, y, left + width, y, colour=SOFT, width_pt=0.7, dash=(2, 1.5))
    pen.line(left, bottom, left + width, bottom, width_pt=0.7)
    pen.line(left, bottom, left, box.y + 4, width_pt=0.7)
    placed = [
        (item.number, *at(float(item.facility), float(item.discrimination)))
        for item in items
        if item.facility is not None and item.discrimination is not None
    ]
    for _, x, y in placed:
        pen.circle(x, y, 0.8, fill=ACCENT)
    _label_dots(pen, placed, Box(left, box.y + 2, width, bottom - box.y - 2))
    pen.text(left + width / 2, box.bottom - 1.2, title_x, size=7, colour=SOFT, align="centre")
    pen.text(box.x, box.y + 1.5, title_y, size=7, colour=SOFT)


def option_bars(pen: Pen, box: Box, options: Sequence[OptionTable], blank: str) -> None:
    """Share of each option as a labelled bar, the key's label bold and its bar dark.

    Of many options, those of the key and the ones chosen most are shown.
    """
    if len(options) > MOST_OPTIONS:
        ranked = sorted(options, key=lambda option: (not option.keyed, -(option.share or 0)))
        options = [option for option in options if option in ranked[:MOST_OPTIONS]]
    part = box.w / max(len(options), 5)  # so that four options and blank line up over rows
    y, h, size = box.y, box.h, 6.2 if len(options) <= 5 else 5.7
    for number, option in enumerate(options):
        left = box.x + number * part
        label, text = option.option or blank, share_text(option.share, "")
        # Where there is too little room for both, the label is cut and the figure is not.
        room = part - 1.6 - width_mm(text, size, bold=option.keyed)
        used = min(room, width_mm(label, size, bold=option.keyed))
        for start, width, shown in (
            (left, room, label),
            (left + used + 0.6, part - 1.0, text),
        ):
            pen.text_in(Box(start, y + 0.2, width, h * 0.6), shown, size=size, bold=option.keyed)
        pen.rect(Box(left, y + h * 0.68, part - 1.0, h * 0.2), fill=PALE)
        if option.share:
            length = (part - 1.0) * _part(option.share)
            pen.rect(Box(left, y + h * 0.68, length, h * 0.2), fill=INK if option.keyed else MID)


def _part(share: Decimal) -> float:
    return min(max(float(share), 0.0), 1.0)


def _label_dots(pen: Pen, dots: Sequence[tuple[str, float, float]], frame: Box) -> None:
    """Write each dot's label where nothing stands yet, with a line to a distant dot."""
    taken = [Box(x - 0.8, y - 0.8, 1.6, 1.6) for _, x, y in dots]
    for label, x, y in dots:
        w, h = width_mm(label, 6.2) + 0.4, 2.2
        for reach in LABEL_REACHES_MM:
            spots = [
                Box(x + dx * reach - w * (1 - dx) / 2, y + dy * reach - h * (1 - dy) / 2, w, h)
                for dx, dy in (
                    (1, 0), (-1, 0), (0, -1), (0, 1),
                    (0.7, -0.7), (-0.7, -0.7), (0.7, 0.7), (-0.7, 0.7),
                )
            ]  # fmt: skip
            free = [
                spot
                for spot in spots
                if spot.x >= frame.x
                and spot.right <= frame.right
                and spot.y >= frame.y
                and spot.bottom <= frame.bottom
                and not any(spot.overlaps(other) for other in taken)
            ]
            if free:
                spot = free[0]
                taken.append(spot)
                if reach > 2:
                    pen.line(x, y, *spot.centre, colour=SOFT, width_pt=0.3)
                pen.rect(spot, fill=WHITE)
                pen.text_in(spot, label, size=6.2, align="centre")
                break
