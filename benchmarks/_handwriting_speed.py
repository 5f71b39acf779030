"""What reading handwriting costs: processor time of a page's boxes and of glyphs, and memory."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

import numpy as np

from benchmarks._handwriting import Capture, Figures, Sample, Sheet, writers
from benchmarks._handwriting_points import points_costs
from benchmarks.contract import Better, Kind, Row, Unavailable, sampled
from inkmark.exam import Item, ItemType
from inkmark.images import Pixels
from inkmark.layouts import AnswerForm, BoxFrame, NumberForm, PageLayout, SheetOptions
from inkmark.ocr import read_writing
from inkmark.ocr.glyphs import glyph_reader
from inkmark.omr import RegistrationFailure, refine, register
from inkmark.readings import Registration
from inkmark.simulator import Level
from inkmark.specimens import read_mnist

__all__ = ["table"]

_CAPTURE = Capture(BoxFrame.DARK, 200.0, Level.CLEAN)
_N_LETTERS, _N_DIGITS = 20, 10
_N_PEOPLE = 8
_REPEATS = 15
_N_GLYPHS = 1000
_WARM, _CROPS = 2000, 10_000

Page = tuple[Pixels, PageLayout, Registration]


def table(sample: Sample) -> Figures:
    """Time and memory of one process.

    A page's time is that of its writing fields alone, on top of registration and bubbles; with
    markers' scores decoding colours is part of it.
    """
    pages = _pages(sample)
    rows = [
        _cost("ten-digit boxes, CPU a page", pages, "candidate_written"),
        _cost("20 letter boxes, CPU a page", pages, "Q"),
    ]
    glyphs = read_mnist(sample.specimens, "test")[0][:_N_GLYPHS]
    reader = glyph_reader()
    times = _milliseconds(lambda: reader.probabilities(glyphs), _REPEATS)
    rows.append(sampled(f"{_N_GLYPHS} glyphs, CPU", times, "ms", Kind.TIME))
    costs = points_costs(sample.specimens, dpi=_CAPTURE.dpi, sheets=_N_PEOPLE, seed=sample.seed)
    rows += [
        sampled(f"{part} in colour, CPU a page", times, "ms", Kind.TIME)
        for part, times in costs.items()
    ]
    n_boxes = _N_LETTERS + _N_DIGITS
    growth = []
    for until in (_WARM, _WARM + sample.times(_CROPS)):
        n = 0
        while n < until:
            for pixels, page, registration in pages:
                read_writing(pixels, page, registration)
                n += n_boxes
        growth.append(_peak_mib())
    label = f"peak memory, growth over {sample.times(_CROPS)} crops after {_WARM}"
    rows.append(Row(label, growth[1] - growth[0], "MiB", Kind.MEMORY, Better.NEITHER))
    rows.append(Row("peak memory", growth[1], "MiB", Kind.MEMORY))
    return Figures(tuple(rows))


def _pages(sample: Sample) -> list[Page]:
    """Registered pages of several people."""
    items = tuple(
        Item(str(k + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1))
        for k in range(_N_LETTERS)
    )
    form = SheetOptions(
        number=NumberForm.BOXES, answers=AnswerForm.LETTERS, candidate_digits=_N_DIGITS
    )
    sheet = Sheet(items, form)
    page, people, found = sheet.layout.pages[0], writers(sample.specimens), []
    for k in range(_N_PEOPLE):
        rng = np.random.default_rng([sample.seed, k])
        texts = {f"Q{item.number}": str(rng.choice(list("ABCD"))) for item in items}
        texts["candidate_written"] = "".join(str(d) for d in rng.integers(0, 10, _N_DIGITS))
        image = sheet.filled(_CAPTURE, texts, rng, hand=people.hand(rng))
        pixels = Pixels.of(image.pixels)
        registration = register(pixels, page)
        if not isinstance(registration, RegistrationFailure):
            registration = refine(pixels, page, registration)
        if isinstance(registration, RegistrationFailure):
            raise Unavailable(f"a page of the benchmark was not registered: {registration.reason}")
        found.append((pixels, page, registration))
    return found


def _cost(label: str, pages: list[Page], name: str) -> Row:
    """Processor time of the fields whose names begin so, a page."""
    kept = []
    for pixels, page, registration in pages:
        fields = tuple(f for f in page.fields if f.name.startswith(name))
        kept.append((pixels, replace(page, fields=fields), registration))
    times = [
        statistics.fmean(times)
        for times in zip(
            *(_milliseconds(partial(read_writing, *one), _REPEATS) for one in kept),
            strict=True,
        )
    ]
    return sampled(label, times, "ms", Kind.TIME)


def _milliseconds(work: Callable[[], object], repeats: int) -> list[float]:
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return times


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
