"""Reading what is written by hand in the boxes of a registered page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import join_opinions, language_of, symbols_of
from inkmark.geometry import bounds
from inkmark.images import Pixels
from inkmark.layouts import BoxFrame, PageLayout, Role, WritingField
from inkmark.ocr._box_readers import kind_of, line_crop, read_glyphs, read_strings
from inkmark.ocr._signs import read_signs
from inkmark.ocr._writing_model import writing_model
from inkmark.ocr.boxes import PAPER, CutField, cut_fields, is_untouched
from inkmark.ocr.protocol import TextReading
from inkmark.readings import FieldReading, Flag, Registration

__all__ = ["WritingOptions", "read_writing"]

GreyImage = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
Choice = tuple[tuple[str, float], ...]

_LEAST_SHARE = 0.0005
"""What is less likely is not kept."""
_BLACK = 0.55
"""A box of which this share is ink holds no symbol."""
_BELOW_MM2 = 0.15
"""So much ink below a blank box of an item may be what was meant for it; our own sheets print
nothing there."""
_FRAME_SEEN = 10
"""A dark frame that is no darker is covered, torn off or not on this page."""


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How surely writing is told apart.

    Attributes
    ----------
    silent_error_rate : float
        Of the boxes that nobody is asked to look at, no larger share than this is to be read
        otherwise than a careful person would; limits are those of writers whom no reader
        knows. A smaller rate flags more, and below 1e-4 nearly everything.
    """

    silent_error_rate: float = 1e-3


def read_writing(
    pixels: Pixels,
    page: PageLayout,
    registration: Registration,
    options: WritingOptions | None = None,
    *,
    is_named: bool = False,
) -> tuple[FieldReading, ...]:
    """Read the writing fields of a registered page, but those in which markers write.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    registration : Registration
    options : WritingOptions, optional
    is_named : bool
        Whether the sheet's code names the candidate: numbers written besides are left out.

    Returns
    -------
    tuple of FieldReading
        One for each field that is read: numbers that nobody wrote first, then the others in
        the layout's order.

    Notes
    -----
    Frames are erased by what the layout says of them, see `inkmark.ocr.boxes`. A small
    network reads each box by itself; where it is not sure the recogniser of strings reads the
    box as well, and both are weighed as a model says that was fitted to simulated pages of
    known truth. Single boxes for several characters are read by the recogniser of strings.
    """
    options = options or WritingOptions()
    fields = [
        field
        for field in page.fields
        if isinstance(field, WritingField)
        and not field.role.is_of_marker
        and not (is_named and field.role is Role.CANDIDATE)
    ]
    numbers = [field for field in fields if field.role is Role.CANDIDATE]
    untouched = [field for field in numbers if is_untouched(pixels, field, registration)]
    fields = [field for field in fields if field not in untouched]
    blank = tuple(_untouched_reading(field, registration) for field in untouched)
    if not fields:
        return blank
    cuts = cut_fields(pixels, fields, registration)
    boxes = _read_boxes(fields, cuts)
    rate = options.silent_error_rate
    limits = {name: kind.limit(rate) for name, kind in writing_model().kinds.items()}
    return blank + tuple(
        _field_reading(field, cut, boxes[k], limits[kind_of(symbols_of(field.charset))])
        if k in boxes
        else _line_reading(field, cut)
        for k, (field, cut) in enumerate(zip(fields, cuts, strict=True))
    )


def _untouched_reading(field: WritingField, registration: Registration) -> FieldReading:
    box_px = bounds(registration.to_px(np.vstack([box.corners() for box in field.boxes()])))
    choices = ((("", 1.0),),) * field.n_boxes
    return FieldReading(field.name, "", 1.0, Flag.OK, (), box_px, choices)


# --- boxes of one symbol ------------------------------------------------------------------


def _read_boxes(
    fields: Sequence[WritingField], cuts: Sequence[CutField]
) -> dict[int, list[Choice]]:
    """What each box may hold, by the number of its field; only fields of boxes."""
    model = writing_model()
    found: dict[int, list[Choice]] = {}
    written: dict[str, list[tuple[int, int]]] = {}
    for k, (field, cut) in enumerate(zip(fields, cuts, strict=True)):
        if field.is_line:
            continue
        symbols = symbols_of(field.charset)
        found[k] = [()] * field.n_boxes
        for box in range(field.n_boxes):
            amount, covered = cut.measures[box, :2].tolist()
            blank = model.blank_probability(amount)
            if blank > 1 - _LEAST_SHARE:
                found[k][box] = (("", 1.0),)
            elif covered > _BLACK:
                found[k][box] = (("?", 1.0),)
            else:
                written.setdefault(symbols, []).append((k, box))
    for symbols, places in written.items():
        crops = [cuts[k].crop(box) for k, box in places]
        for (k, box), row in zip(places, _read_crops(crops, symbols), strict=True):
            blank = model.blank_probability(cuts[k].measures[box, 0])
            found[k][box] = _choice(("", *symbols, "?"), [blank, *((1 - blank) * row).tolist()])
    return found


def _read_crops(crops: Sequence[GreyImage], symbols: str) -> FloatArray:
    """Probability of each symbol and, last, of none of them in each crop of one box."""
    by_glyph = read_glyphs(crops, symbols)
    if by_glyph is None:
        return read_strings(crops, symbols)
    kind = writing_model().kinds[kind_of(symbols)]
    rows = kind.by_glyph(by_glyph)
    unsure = np.flatnonzero(rows.max(axis=1) < kind.sure)
    if len(unsure):
        by_string = read_strings([crops[k] for k in unsure.tolist()], symbols)
        rows[unsure] = kind.by_both(by_glyph[unsure], by_string)
    return rows


def _choice(symbols: Sequence[str], probabilities: Sequence[float]) -> Choice:
    ranked = sorted(zip(probabilities, symbols, strict=True), key=lambda pair: -pair[0])
    return tuple((s, round(p, 4)) for p, s in ranked if p >= _LEAST_SHARE)


def _field_reading(
    field: WritingField, cut: CutField, boxes: list[Choice], limit: float
) -> FieldReading:
    """Put the boxes of a field together."""
    if not cut.in_image:
        return FieldReading(field.name, "", 0.0, Flag.UNREADABLE, (), cut.box_px)
    best = [choice[0] for choice in boxes]
    confidence = math.prod(probability for _, probability in best)
    flag = Flag.OK if all(1 - probability <= limit for _, probability in best) else Flag.DOUBTFUL
    # A number may be shorter than its boxes, but a gap in it is none.
    symbols = [symbol or " " for symbol, _ in best]
    value = "".join(symbols).strip().replace(" ", "?")
    if "?" in value:
        flag = Flag.DOUBTFUL
    if _may_hide(field, cut, [symbol == "" for symbol, _ in best]):
        flag, confidence = Flag.DOUBTFUL, 0.5 * confidence
    return FieldReading(field.name, value, confidence, flag, (), cut.box_px, tuple(boxes))


def _may_hide(field: WritingField, cut: CutField, blank: Sequence[bool]) -> bool:
    """Whether something may be meant for a blank box that is not in it, or covered."""
    if all(blank) and field.frame is BoxFrame.DARK and cut.frame < _FRAME_SEEN:
        return True
    below = cut.measures[:, 4].tolist()
    return (
        field.role is Role.ITEM
        and not field.is_line
        and any(b and amount > _BELOW_MM2 for b, amount in zip(blank, below, strict=True))
    )


# --- lines --------------------------------------------------------------------------------


def _line_reading(field: WritingField, cut: CutField) -> FieldReading:
    if not cut.in_image:
        return FieldReading(field.name, "", 0.0, Flag.UNREADABLE, (), cut.box_px)
    model = writing_model()
    blank = max(
        model.blank_probability(amount) for amount in cut.measures[:, :1].sum(axis=0).tolist()
    )
    if blank > 0.5:
        flag = Flag.OK if blank > 1 - _LEAST_SHARE else Flag.DOUBTFUL
        if _may_hide(field, cut, [True] * field.n_boxes):
            flag, blank = Flag.DOUBTFUL, 0.5 * blank
        return FieldReading(field.name, "", blank, flag, (), cut.box_px)
    if cut.measures[:, 1].max() > _BLACK:
        return FieldReading(field.name, "?", 1.0, Flag.DOUBTFUL, (), cut.box_px)
    from inkmark.ocr.strings import string_reader  # noqa: PLC0415 - loads onnxruntime

    language = language_of(field.charset)
    # What stands below the box may be the point of a decimal: then nobody but a person can tell.
    is_whole = cut.measures[:, 4].max() <= _BELOW_MM2
    owned = np.where(cut.owner >= 0, cut.strip, np.uint8(PAPER))
    (steps,) = string_reader().steps([line_crop(owned)])
    choices = join_opinions(steps.choices(), read_signs(owned, cut.ink)) if is_whole else ()
    if not language.is_open:
        steps = steps.narrowed(language.alphabet)
    reading = TextReading.of(steps, language, 1)
    confidence = reading.confidence * min(reading.inside, 1.0)
    flag = Flag.OK if confidence > 0.9 and is_whole else Flag.DOUBTFUL
    return FieldReading(field.name, reading.text or "?", confidence, flag, (), cut.box_px, choices)
