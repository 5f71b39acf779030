"""Simulated fill-in answers of known truth, for `tools.calibrate_fill_in`.

Sheets of fill-in items are printed, answered by hand, right, nearly right or wrong, scanned,
and read. Those who write are of the training part, and the reader of glyphs learnt from none
of them: else it would be trusted too much.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import Choices
from inkmark.exam import Exam, Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.exam.numerals import decimal_text
from inkmark.images import Pixels
from inkmark.layouts import PageLayout, SheetOptions, WritingField, build_layout, print_sheets
from inkmark.layouts._blocks import _is_number as is_number
from inkmark.marking import is_accepted
from inkmark.ocr.writing import read_writing
from inkmark.omr import refine, register
from inkmark.readings import Registration
from inkmark.simulator import Level, draw_condition, render_pages, simulate
from inkmark.simulator.handwriting import write_field
from tools.calibrate_writing import _writers as writers_held_out

__all__ = ["Written", "draw_answer", "observe"]

Generator = np.random.Generator

LEVELS = {Level.CLEAN: 0.6, Level.ORDINARY: 0.4}
"""Shares of the pages."""
_RIGHT_SHARE, _NEAR_SHARE = 0.6, 0.6
"""Shares of the answers that are right, and of the wrong ones that are nearly right."""
_N_ITEMS = 40
_UNITS = ("m", "cm", "km", "kg", "g", "s", "h", "min", "m/s", "km/h", "cm²", "L", "°", "%")
_WORDS = ("force", "energy", "cell", "north", "mass", "light", "river", "plant", "acid", "speed")
_LETTERS = "abdeghkmnrstu"
"""What a letter may be taken for; an o beside digits is a nought to everybody."""
_SIGNS = "一二三四五六七八九十百千万对错正反是否大小上下中"


@dataclass(frozen=True, slots=True)
class Written:
    """One answer: the key, what was written, whether that is right, and what was read."""

    key: tuple[str, ...]
    text: str
    right: bool
    choices: Choices
    page: int


def draw_answer(rng: Generator) -> tuple[tuple[str, ...], str]:
    """A key and what somebody writes for it, right, nearly right or wrong."""
    key, forms = _draw_key(rng)
    if rng.random() < _RIGHT_SHARE:
        return (key,), _one_of(forms, rng)
    if rng.random() < _NEAR_SHARE:
        text = _slipped(_one_of(forms, rng), rng)
        while is_accepted((key,), text):  # a nought before a number, which nobody writes
            text = _slipped(_one_of(forms, rng), rng)
        return (key,), text
    while True:
        _, others = _draw_key(rng)
        if any(s.isdigit() for s in others[0]) == any(s.isdigit() for s in forms[0]):
            return (key,), _one_of(others, rng)


def _one_of(texts: Iterable[str], rng: Generator) -> str:
    listed = list(texts)
    return listed[int(rng.integers(len(listed)))]


def _draw_key(rng: Generator) -> tuple[str, list[str]]:
    """A key and how people write it."""
    kind = rng.random()
    if kind < 0.14:
        return _draw_word(rng)
    value = _draw_value(rng)
    forms = [f"{value.numerator}/{value.denominator}"] if 1 < value.denominator <= 12 else []
    decimal = decimal_text(value, 3)
    if decimal is not None:
        forms += [decimal] * 3
    if kind > 0.75:
        unit = _one_of(_UNITS, rng)
        return f"{forms[-1]} {unit}", [form + unit for form in forms]
    if kind > 0.68:
        other = str(int(rng.integers(-20, 100)))
        return f"{forms[-1]}, {other}", [f"{form},{other}" for form in forms]
    if kind > 0.62:
        return f"[x=]{forms[-1]}", [*forms, f"x={forms[-1]}"]
    return forms[-1], forms


def _draw_value(rng: Generator) -> Fraction:
    kind = rng.random()
    digits = int(rng.integers(1, 5))
    if kind < 0.45:
        value = Fraction(int(rng.integers(0, 10**digits)))
    elif kind < 0.75:
        value = Fraction(int(rng.integers(1, 10**digits)), 10 ** int(rng.integers(1, 4)))
    else:
        value = Fraction(int(rng.integers(1, 20)), int(rng.integers(2, 13)))
    return -value if rng.random() < 0.2 else value


def _draw_word(rng: Generator) -> tuple[str, list[str]]:
    if rng.random() < 0.5:
        word = _one_of(_WORDS, rng)
        return word, [word, word.capitalize()]
    signs = rng.choice(list(_SIGNS), int(rng.integers(1, 4)), replace=False)
    word = '"' + "".join(signs.tolist()) + '"'
    return word, [word.strip('"')]


def _slipped(text: str, rng: Generator) -> str:
    """A text with one sign more, less or other than it has."""
    place = int(rng.integers(len(text)))
    sign = text[place]
    kind = rng.random()
    if text[0] == "-" and kind < 0.2:
        return text[1:]
    if kind < 0.3 and len(text) > 1:
        return text[:place] + text[place + 1 :]
    if sign in "0123456789":
        sign = str((int(sign) + int(rng.integers(1, 10))) % 10)
    elif sign.isascii() and sign.isalpha():
        sign = _one_of(_LETTERS, rng)
    elif sign in _SIGNS:
        sign = _one_of(_SIGNS, rng)
    else:
        sign = _one_of("0123456789", rng)
    return text[:place] + sign + text[place + (kind < 0.85) :]


def observe(n_pages: int, workers: int, folder: Path, seed: int) -> list[Written]:
    """Write, scan and read pages of answers."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        observed = pool.map(
            _observe_page, *zip(*((folder, seed, k) for k in range(n_pages)), strict=True)
        )
        return [answer for page in observed for answer in page]


@functools.cache
def _sheet(dpi: float) -> tuple[PageLayout, NDArray[np.uint8]]:
    """A page of fill-in items and the page as printed."""
    items = tuple(
        Item(str(k + 1), ItemType.FILL_IN, (), ("1",), Decimal(1)) for k in range(_N_ITEMS)
    )
    exam: Exam = replace(example_exam("en"), items=items)
    layout = build_layout(exam, SheetOptions())
    with tempfile.TemporaryDirectory(prefix="inkmark-calibrate-") as name:
        path = Path(name) / "sheet.pdf"
        print_sheets(layout, exam, path, serials=("1",) if len(layout.pages) > 1 else ("",))
        (pixels,) = render_pages(path, dpi, [0])
    return layout.pages[0], pixels


def _observe_page(folder: Path, seed: int, number: int) -> list[Written]:
    rng = np.random.default_rng([seed, number])
    level = list(LEVELS)[int(rng.choice(len(LEVELS), p=list(LEVELS.values())))]
    condition = draw_condition(level, rng)
    page, pixels = _sheet(condition.dpi)
    hand = writers_held_out(folder).hand(rng)
    answers: dict[str, tuple[tuple[str, ...], str]] = {}
    fields: list[WritingField] = []
    for field in _lines(page):
        key, text = answers[field.name] = draw_answer(rng)
        item = Item(field.item, ItemType.FILL_IN, (), key, Decimal(1))
        fields.append(replace(field, charset="number" if is_number(item) else "text"))
        pixels = write_field(pixels, field, text, condition.dpi, rng, hand=hand)
    seen = simulate(pixels, page, {}, condition, rng)
    image = Pixels.of(seen.pixels)
    registration = register(image, page)
    if isinstance(registration, Registration):
        registration = refine(image, page, registration)
    if not isinstance(registration, Registration):
        return []
    found = []
    for reading in read_writing(image, replace(page, fields=tuple(fields)), registration):
        if reading.choices:
            key, text = answers[reading.field]
            found.append(Written(key, text, is_accepted(key, text), reading.choices, number))
    return found


def _lines(page: PageLayout) -> Iterator[WritingField]:
    for field in page.fields:
        if isinstance(field, WritingField) and field.is_line and field.item:
            yield field
