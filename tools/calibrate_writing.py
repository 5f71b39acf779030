"""Fit how readers of handwriting are weighed: ``python -m tools.calibrate_writing``.

Pages full of boxes are printed, written on by people whom the reader of glyphs did not learn
from, scanned under the conditions of levels 1 and 2, and cut as at work. Part of what is
written is illegible, as it is on real sheets. The result is written to
``inkmark/ocr/writing_model.json``; the same seeds and specimens give the same file on one
machine.
"""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import cache, lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from reportlab.pdfgen.canvas import Canvas
from scipy.optimize import minimize
from scipy.stats import beta

from inkmark.drawing import PT_PER_MM, Pen
from inkmark.exam.example import example_exam
from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import BoxFrame, PageLayout, WritingField, build_layout
from inkmark.layouts._parts import draw_frames
from inkmark.ocr._box_readers import kind_of, read_glyphs, read_strings
from inkmark.ocr._training_data import split_specimens
from inkmark.ocr._writing_model import Kind, WritingModel
from inkmark.ocr.boxes import cut_fields
from inkmark.omr import refine, register
from inkmark.readings import Registration
from inkmark.simulator import (
    Level,
    Slip,
    Writers,
    draw_condition,
    render_pages,
    simulate,
    write_field,
)

__all__ = ["main"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

OUT = Path(__file__).resolve().parent.parent / "inkmark" / "ocr" / "writing_model.json"
DIGITS = "0123456789"
LETTERS = ("ABCD", "ABCDEFG", "TF", "ABCDEFGHIJKLMNO")
WIDEST = max(map(len, (DIGITS, *LETTERS))) + 1
MISLABELLED = ("3", 3)
"""Of the pen digits held out the fourth that is called a 3 is a 2."""
SLIPS = 0.015
"""Of so many boxes something goes wrong, as `Slip` has it,"""
BLANKS = 0.03
"""and so many are left blank."""
SURE = {"digits": 0.98, "letters": 0.99}
"""Where the reader of glyphs is surer, that of strings is not asked: so it takes its share of a
page's time and no more."""
ASKED = 0.9995
"""It is not even asked here."""
MISSED = {"digits": 1.0, "letters": 2.0}
"""A box in which none of the symbols stands counts as so many in the fit: letters over letters and
pieces of them look like others more easily than digits do, and one that passes is worse than some
flags."""
RATES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
_LEAST_WRONG, _MOST_WRONG = 1e-6, 0.05
"""Limits are no smaller, and no larger: the letters held out are too few to allow more doubt."""
_CONFIDENCE = 0.95
_DTYPE = np.dtype(
    [
        ("source", "U16"),
        ("kind", "U8"),
        ("n", "i8"),
        ("truth", "i8"),
        ("amount", "f8"),
        ("glyph", "f8", WIDEST),
        ("string", "f8", WIDEST),
    ]
)
"""Of a box: the set that the writer's digits are of; what may be written, how many symbols; the
position of what is, -1 for blank, n for none of the symbols; the ink in mm²; and what the readers
say in the first n + 1 places."""


@cache
def layout() -> PageLayout:
    """Rows of boxes for digits and for letters, all frames alike often."""
    anchors = build_layout(example_exam("en")).pages[0].anchors
    frames = tuple(BoxFrame)
    numbers = [
        WritingField(
            f"N{row}{column}",
            Box(24.0 + 86.0 * column, 20.0 + 12.0 * row, 7.0, 7.0),
            10,
            7.0,
            "digits",
            frame=frames[(row + column) % 3],
        )
        for row in range(10)
        for column in range(2)
    ]
    letters = [
        WritingField(
            f"L{row}.{column}",
            Box(22.0 + 13.0 * column, 142.0 + 13.0 * row, 8.0, 8.0),
            charset=LETTERS[row % 4],
            frame=frames[(row // 4 + column) % 3],
        )
        for row in range(10)
        for column in range(13)
    ]
    return PageLayout(210.0, 297.0, anchors, (*numbers, *letters))


@lru_cache
def _printed(dpi: float) -> NDArray[np.uint8]:
    page = layout()
    with tempfile.TemporaryDirectory(prefix="inkmark-") as name:
        path = Path(name) / "boxes.pdf"
        canvas = Canvas(str(path))
        canvas.setPageSize((page.width_mm * PT_PER_MM, page.height_mm * PT_PER_MM))
        pen = Pen(canvas, page.width_mm, page.height_mm, ink=0.1, smallest_part=0.7)
        for box in (*page.anchors.squares, *page.anchors.timing, page.anchors.key_mark):
            if box is not None:
                pen.rect(box, fill=0.0)
        for field in page.fields:
            if isinstance(field, WritingField):
                draw_frames(pen, field)
        canvas.showPage()
        canvas.save()
        (pixels,) = render_pages(path, dpi, oversampling=round(600 / dpi))
    return pixels


@cache
def _writers(folder: Path) -> Writers:
    _, held = split_specimens(folder)
    label, place = MISLABELLED
    wrong = [sign for sign in held.ink if sign.label == label][place]
    ink = [sign for sign in held.ink if sign is not wrong]
    return Writers.from_specimens(
        (held.digits, held.digit_labels), ink, (held.crops, held.crop_labels)
    )


def observe(folder: Path, seed: int) -> NDArray[np.void]:
    """The boxes of one simulated page; none where it does not register."""
    rng = np.random.default_rng(seed)
    condition = draw_condition((Level.CLEAN, Level.ORDINARY)[seed % 2], rng)
    condition = replace(condition, dpi=(150.0, 200.0, 300.0)[seed % 3])
    page = layout()
    fields = [field for field in page.fields if isinstance(field, WritingField)]
    pixels, truths, sources = _printed(condition.dpi), {}, {}
    hand = _writers(folder).hand(rng)
    for field in fields:
        if field.n_boxes > 1 or field.name.endswith(".0"):
            hand = _writers(folder).hand(rng)
        symbols = DIGITS if field.charset == "digits" else field.charset
        drawn = rng.integers(len(symbols), size=field.n_boxes).tolist()
        slips = {}
        for box in range(field.n_boxes):
            chance = rng.random()
            if chance < BLANKS:
                drawn[box] = -1
            elif chance < BLANKS + SLIPS:
                slips[box] = tuple(Slip)[int(rng.integers(len(Slip)))]
        text = "".join(" " if k < 0 else symbols[k] for k in drawn)
        pixels = write_field(pixels, field, text, condition.dpi, rng, hand=hand, slips=slips)
        sources[field.name] = hand.digits
        truths[field.name] = [
            len(symbols) if box in slips and not slips[box].is_legible else k
            for box, k in enumerate(drawn)
        ]
    image = Pixels.of(simulate(pixels, page, {}, condition, rng).pixels)
    registration = register(image, page)
    if isinstance(registration, Registration):
        registration = refine(image, page, registration)
    if not isinstance(registration, Registration):
        return np.empty(0, _DTYPE)
    found = []
    for field, cut in zip(fields, cut_fields(image, fields, registration), strict=True):
        symbols = DIGITS if field.charset == "digits" else field.charset
        crops = [cut.crop(box) for box in range(field.n_boxes)]
        glyph = read_glyphs(crops, symbols)
        if glyph is None:
            continue
        asked = np.flatnonzero(glyph.max(axis=1) < ASKED)
        rows = np.zeros(field.n_boxes, _DTYPE)
        rows["source"], rows["kind"] = sources[field.name], kind_of(symbols)
        rows["n"], rows["truth"] = len(symbols), truths[field.name]
        rows["amount"] = cut.measures[:, 0]
        rows["glyph"][:, : len(symbols) + 1] = glyph
        string = read_strings([crops[k] for k in asked.tolist()], symbols)
        rows["string"][asked, : len(symbols) + 1] = string
        found.append(rows)
    return np.concatenate(found)


def said(
    kind: Kind, part: NDArray[np.void], *, both: bool
) -> tuple[FloatArray, IntArray, FloatArray]:
    """What follows for written boxes from one reader or both; each (n,).

    Returns
    -------
    highest : float64
        The highest probability.
    best : int64
        The position of the symbol that has it.
    true : float64
        The probability of the truth.
    """
    highest, true = np.empty(len(part)), np.empty(len(part))
    best = np.empty(len(part), np.int64)
    for n in np.unique(part["n"]).tolist():
        at = np.flatnonzero(part["n"] == n)
        glyph, string = part["glyph"][at, : n + 1], part["string"][at, : n + 1]
        found = kind.by_both(glyph, string) if both else kind.by_glyph(glyph)
        highest[at], best[at] = found.max(axis=1), found.argmax(axis=1)
        true[at] = found[np.arange(len(at)), part["truth"][at]]
    return highest, best, true


def fit(sample: NDArray[np.void]) -> WritingModel:
    """Fit the model to observed boxes by maximum likelihood."""
    written = sample[(sample["truth"] >= 0) & (sample["amount"] > 0)]
    kinds = {
        name: _kind(sure, MISSED[name], written[written["kind"] == name])
        for name, sure in SURE.items()
    }
    return WritingModel(kinds, _blank(sample))


def _kind(sure: float, missed: float, part: NDArray[np.void]) -> Kind:
    """Fit one kind to what is written of it."""
    weights = np.where(part["truth"] == part["n"], missed, 1.0)

    def alone(x: FloatArray) -> float:
        true = said(Kind(sure, (x[0], x[1]), (0.0, 0.0, 0.0), ()), part, both=False)[2]
        return -float((weights * np.log(true + 1e-12)).mean())

    first = minimize(alone, (0.9, -1.0), method="Nelder-Mead").x.round(4).tolist()
    kind = Kind(sure, (first[0], first[1]), (0.0, 0.0, 0.0), ())
    is_unsure = said(kind, part, both=False)[0] < sure
    unsure = part[is_unsure]

    def both(x: FloatArray) -> float:
        true = said(replace(kind, both=(x[0], x[1], x[2])), unsure, both=True)[2]
        return -float((weights[is_unsure] * np.log(true + 1e-12)).mean())

    second = minimize(both, (0.7, 0.3, -1.0), method="Nelder-Mead").x.round(4).tolist()
    kind = replace(kind, both=(second[0], second[1], second[2]))
    highest, best = outcomes(kind, part)
    read = best < part["n"]  # a box in which none of the symbols is seen goes to a person
    wrong = (best != part["truth"])[read]
    return replace(kind, limits=_limits(1 - highest[read], wrong))


def outcomes(kind: Kind, part: NDArray[np.void]) -> tuple[FloatArray, IntArray]:
    """How sure a kind is of each written box, and which symbol it reads; each (n,)."""
    alone, best, _ = said(kind, part, both=False)
    joint, joint_best, _ = said(kind, part, both=True)
    unsure = alone < kind.sure
    return np.where(unsure, joint, alone), np.where(unsure, joint_best, best)


def _blank(sample: NDArray[np.void]) -> tuple[float, float]:
    """Offset and slope of the log odds of writing by the logarithm of the ink's area."""
    some = sample[(sample["amount"] > 0) & (sample["truth"] < sample["n"])]
    amounts, is_written = np.log(some["amount"]), some["truth"] >= 0

    def loss(x: FloatArray) -> float:
        z = x[0] + x[1] * amounts
        return float((np.logaddexp(0.0, z) - is_written * z).mean() + 1e-4 * (x**2).sum())

    offset, slope = minimize(loss, (1.0, 3.0), method="Nelder-Mead").x.round(4).tolist()
    return offset, slope


def _limits(stated: FloatArray, wrong: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """For each rate the largest stated probability of being wrong that keeps to it.

    Of all boxes up to there no larger share is wrong, by the upper bound of Clopper and Pearson
    (1934); where too few boxes were seen to say so, no larger share is stated to be.
    """
    order = np.argsort(stated, kind="stable")
    ascending, errors = stated[order], np.cumsum(wrong[order])
    n = np.arange(1, len(order) + 1)
    upper = beta.ppf(_CONFIDENCE, errors + 1, np.maximum(n - errors, 0.5))
    mean = np.minimum(upper, np.cumsum(ascending) / n)
    limits = [ascending[np.flatnonzero(mean <= rate)[-1:]].sum() for rate in RATES]
    return tuple(
        (rate, float(f"{np.clip(limit, _LEAST_WRONG, _MOST_WRONG):.3g}"))
        for rate, limit in zip(RATES, limits, strict=True)
    )


def report(model: WritingModel, sample: NDArray[np.void]) -> None:
    """Say what is right, flagged and silently wrong."""
    blank = sample[sample["truth"] < 0]["amount"]
    print(f"{len(blank)} blank boxes, {np.mean(blank > 0):.4f} of them with some ink")
    written = sample[(sample["truth"] >= 0) & (sample["amount"] > 0)]
    for name, kind in model.kinds.items():
        part = written[written["kind"] == name]
        highest, best = outcomes(kind, part)
        right, legible = best == part["truth"], part["truth"] < part["n"]
        asked = said(kind, part, both=False)[0] < kind.sure
        groups = {f"{n} symbols": part["n"] == n for n in np.unique(part["n"]).tolist()}
        if name == "digits":
            groups |= {f"of {s}": part["source"] == s for s in np.unique(part["source"]).tolist()}
        for group, at in groups.items():
            at_legible = at & legible
            print(
                f"{name}, {group}: {at_legible.sum()} legible, {right[at_legible].mean():.4f} "
                f"right; strings asked for {asked[at].mean():.4f}"
            )
            for rate in RATES:
                passed = (1 - highest <= kind.limit(rate)) & (best < part["n"])
                silent = passed & ~right
                print(
                    f"  rate {rate:g}: flagged {1 - passed[at_legible].mean():.4f}, silent "
                    f"{(silent & at).sum() / max((passed & at).sum(), 1):.5f}, of illegible "
                    f"ones {(silent & at & ~legible).sum()} of {(at & ~legible).sum()}"
                )


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the reference data.")
@click.option("--pages", default=200, show_default=True, help="Simulated pages.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep what is observed here.")
@click.option("--workers", default=2, show_default=True)
def main(data: Path | None, pages: int, cache: Path | None, workers: int) -> None:
    """Fit how readers of handwriting are weighed, and write the model."""
    if cache is not None and cache.exists():
        sample = np.load(cache, allow_pickle=False)
    else:
        folder = (data or Path(os.environ.get("INKMARK_DATA", "../shared/data"))) / "handwriting"
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            sample = np.concatenate([*pool.map(partial(observe, folder), range(pages))])
        if cache is not None:
            np.save(cache, sample)
    model = fit(sample)
    report(model, sample)
    OUT.write_text(json.dumps(asdict(model), indent=2) + "\n", encoding="utf-8")
    print(f"{len(sample)} boxes of {pages} pages; written to {OUT.name}")


if __name__ == "__main__":
    main()
