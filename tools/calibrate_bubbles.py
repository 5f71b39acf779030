"""Fit the model that tells bubbles' states: ``python -m tools.calibrate_bubbles``.

Sheets are printed, filled by simulated people in all styles and scanned by simulated
scanners and phones. Four of five pages fit the model of a bubble; the others fit how
probable it is that a group is read wrongly, and set how uncertain a group may be for a
wanted rate of silent errors. The result is written to ``inkmark/omr/bubble_model.npz``; the
same seeds give the same file on one machine.
"""

from __future__ import annotations

import functools
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from inkmark.exam import Exam, Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.geometry import MM_PER_INCH
from inkmark.images import Pixels
from inkmark.layouts import (
    BubbleField,
    BubbleShape,
    PageLayout,
    Role,
    SheetOptions,
    build_layout,
    print_sheets,
)
from inkmark.omr import BubbleOptions, register
from inkmark.omr._levels import N_INPUTS
from inkmark.omr._states import BubbleModel, Calibration, State, taken
from inkmark.omr.bubbles import bubble_evidence
from inkmark.readings import Registration
from inkmark.simulator import (
    Level,
    MarkStyle,
    Writer,
    draw_condition,
    draw_writer,
    fill_sheet,
    render_pages,
    simulate,
)

__all__ = ["main"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Layers = tuple[Float32Array, Float32Array, Float32Array]
IntArray = NDArray[np.int64]

SEED = 3
"""No page of a benchmark is drawn from it."""
OUT = Path(__file__).resolve().parent.parent / "inkmark" / "omr" / "bubble_model.npz"
PAGES = {Level.CLEAN: 0.15, Level.ORDINARY: 0.4, Level.BAD: 0.3, Level.PHONE: 0.15}
"""Shares of the pages."""
RATES = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
SHARES = (0.003, 0.01, 0.03, 0.1, 0.3)
HIDDEN = (48, 24)
"""Units of the hidden layers."""
_EPOCHS, _BATCH, _RATE, _DECAY = 16, 512, 2e-3, 1e-4
"""Passes over the bubbles, bubbles of a step, step size at first and decay of weights."""
_THINNING = 4
"""One in so many groups without a mark is fitted to."""
_HELD_OUT = 5
"""One in so many pages is held out."""
_ODD_WEIGHT = 0.2
"""Marks that people do not agree on are drawn this many times too often."""
_ABSENT_SHARE = 0.15
_COVERED_SHARE = 0.3
"""Shares of the sheets on which the absent mark is made, and on which something lies."""
COVERED = "covered"
"""Style of a bubble that something lies upon."""
_MAX_OFF_MM = 0.6
_MISPLACED_MM = 0.04
"""Standard deviation of a further error of registration, along x and y."""

STATES = {
    MarkStyle.FILL: State.FULL,
    MarkStyle.SPILL: State.FULL,
    MarkStyle.HASTY: State.FULL,
    MarkStyle.LIGHT: State.FULL,
    MarkStyle.TICK: State.STROKE,
    MarkStyle.CROSS: State.STROKE,
    MarkStyle.LINE: State.STROKE,
    MarkStyle.DOT: State.UNSURE,
    MarkStyle.CIRCLE: State.UNSURE,
    MarkStyle.FAINT: State.UNSURE,
    MarkStyle.HALF: State.UNSURE,
    MarkStyle.SMUDGED: State.UNSURE,
    MarkStyle.OUTSIDE: State.UNSURE,
    MarkStyle.CANCELLED: State.UNSURE,
    MarkStyle.ERASED: State.BLANK,
    MarkStyle.STRAY: State.BLANK,
}
"""What a careful person says of each style; `UNSURE` where persons differ."""
NORMAL = (MarkStyle.FILL, MarkStyle.HASTY, MarkStyle.SPILL, MarkStyle.LIGHT)
STROKES = (MarkStyle.TICK, MarkStyle.CROSS)
ODD = tuple(style for style, state in STATES.items() if state is State.UNSURE)
BESIDE = (MarkStyle.ERASED, MarkStyle.STRAY, MarkStyle.SMUDGED, MarkStyle.CANCELLED)
"""What may be on another bubble of a group that has a mark."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Bubbles of simulated pages.

    Attributes
    ----------
    evidence : (n, N_INPUTS) float32
    style : (n,) str
        How each is marked; empty where it is not.
    group : (n,) int64
        Ascending over all pages.
    page : (n,) int64
    """

    evidence: Float32Array
    style: NDArray[np.str_]
    group: IntArray
    page: IntArray

    def part(self, use: NDArray[np.bool_]) -> Sample:
        """The bubbles of some pages."""
        return Sample(self.evidence[use], self.style[use], self.group[use], self.page[use])

    @property
    def state(self) -> IntArray:
        """The true states, (n,)."""
        states = {style.value: state.value for style, state in STATES.items()}
        states |= {"": State.BLANK, COVERED: State.UNSURE}
        return np.array([states[style] for style in self.style.tolist()])


SHEETS = (
    SheetOptions(),
    SheetOptions(bubble_mm=(4.0, 3.0)),
    SheetOptions(bubble_mm=(3.0, 3.0)),
    SheetOptions(bubble_mm=(4.5, 4.5), candidate_digits=10),
    SheetOptions(bubble_mm=(7.0, 7.0)),
    SheetOptions(bubble_style=BubbleShape.RECTANGLE, candidate_digits=10),
    SheetOptions(bubble_style=BubbleShape.RECTANGLE, bubble_mm=(4.0, 3.0)),
    SheetOptions(bubble_style=BubbleShape.RECTANGLE, bubble_mm=(7.0, 3.5)),
)


class _Printer:
    """Printed pages of all kinds of sheets, each made once."""

    def __init__(self) -> None:
        self._pixels: dict[tuple[int, float], NDArray[np.uint8]] = {}
        self._exams = [self._exam(language, n) for language, n in (("en", 40), ("zh", 50))]
        self._layouts = [
            build_layout(self._exams[k % 2], options) for k, options in enumerate(SHEETS)
        ]

    @staticmethod
    def _exam(language: str, n: int) -> Exam:
        items = tuple(
            Item(
                str(k + 1),
                ItemType.MULTIPLE if k >= n - 8 else ItemType.SINGLE,
                tuple("ABCDE"[: 5 if k % 9 == 0 else 4]),
                ("A",) if k < n - 8 else ("AB",),
                Decimal(1),
            )
            for k in range(n)
        )
        return replace(example_exam(language), items=items)

    def page(self, sheet: int) -> PageLayout:
        """The layout of a sheet's first page."""
        return self._layouts[sheet].pages[0]

    def pixels(self, sheet: int, dpi: float) -> NDArray[np.uint8]:
        """That page as printed."""
        if (sheet, dpi) not in self._pixels:
            layout = self._layouts[sheet]
            serials = ("1",) if len(layout.pages) > 1 else ("",)
            with tempfile.TemporaryDirectory(prefix="inkmark-calibrate-") as name:
                path = Path(name) / "sheet.pdf"
                print_sheets(layout, self._exams[sheet % 2], path, serials=serials)
                (self._pixels[sheet, dpi],) = render_pages(path, dpi, [0])
        return self._pixels[sheet, dpi]


def _draw_marks(
    page: PageLayout, rng: np.random.Generator
) -> dict[tuple[str, int], list[tuple[int, MarkStyle]]]:
    """Marks of one person: most in one manner, some in another, some odd, some blank."""
    manners = (*NORMAL, MarkStyle.FILL, MarkStyle.FILL, *STROKES)
    habit = manners[int(rng.integers(len(manners)))]
    odd_share, blank_share = rng.choice([0.0, 0.08, 0.15]), rng.choice([0.02, 0.1, 0.8])
    marks: dict[tuple[str, int], list[tuple[int, MarkStyle]]] = {}
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        if field.role is Role.ABSENT:
            if rng.random() < _ABSENT_SHARE:
                marks[field.name, 0] = [(0, habit)]
            continue
        for group in range(field.n_groups):
            kind = rng.random()
            if kind < blank_share:
                continue
            order = rng.permutation(len(field.options)).tolist()
            style = habit if rng.random() < 0.9 else manners[int(rng.integers(len(manners)))]
            group_marks = [(order[0], style)]
            if field.multiple:
                group_marks += [(k, style) for k in order[1 : int(rng.integers(1, 4))]]
            elif field.role is Role.ITEM and rng.random() < odd_share:
                odd = ODD[int(rng.integers(len(ODD)))]
                group_marks = [(order[0], odd)]
                if odd in BESIDE and rng.random() < 0.6:
                    group_marks.append((order[1], style))
            elif field.role is Role.ITEM and rng.random() < odd_share / 2:
                group_marks.append((order[1], BESIDE[int(rng.integers(len(BESIDE)))]))
                group_marks = group_marks[int(rng.integers(2)) :]
            if rng.random() < 0.01:  # a whole row of one kind
                style = (MarkStyle.FAINT, MarkStyle.LIGHT, MarkStyle.FILL)[int(rng.integers(3))]
                group_marks = [(k, style) for k in order]
            marks[field.name, group] = group_marks
    return marks


def _true_styles(
    page: PageLayout, marks: dict[tuple[str, int], list[tuple[int, MarkStyle]]]
) -> tuple[NDArray[np.str_], IntArray]:
    styles: list[str] = []
    groups: list[int] = []
    n_groups = 0
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        for group in range(field.n_groups):
            row = [""] * len(field.options)
            for option, style in marks.get((field.name, group), []):
                row[option] = style.value
            styles += row
            groups += [n_groups] * len(row)
            n_groups += 1
    return np.array(styles), np.array(groups)


def _cover(
    pixels: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Lay one to three pieces of something even on a page; says which pixels they cover."""
    height, width = pixels.shape
    under, covered = np.zeros((height, width), dtype=np.uint8), pixels.copy()
    for _ in range(int(rng.integers(1, 4))):
        (x, y), (w, h) = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.02, 0.25, 2) * width
        corners = cv2.boxPoints(((x, y), (w, h), float(rng.normal(0, 8))))
        piece = np.zeros_like(under)
        cv2.fillConvexPoly(piece, np.rint(corners).astype(np.int32), 1)
        at = np.nonzero(piece)
        grey = rng.normal(rng.uniform(20, 245), rng.uniform(0, 6), len(at[0]))
        covered[at] = np.clip(grey, 0, 255)
        under |= piece
    return covered, under == 1


def _lies_under(covered: NDArray[np.bool_], centres_px: FloatArray, reach: float) -> IntArray:
    """Which centres (n, 2) have something covered within a reach in px."""
    height, width = covered.shape
    near = cv2.blur(covered.astype(np.float32), (2 * round(reach) + 1, 2 * round(reach) + 1))
    x, y = np.clip(np.rint(centres_px), 0, (width - 1, height - 1)).astype(np.int64).T
    return np.flatnonzero(near[y, x] > 0)


def _displaced(registration: Registration, dx: float, dy: float) -> Registration:
    move = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])
    homography = np.reshape(registration.homography, (3, 3)) @ move
    return replace(registration, homography=tuple(homography.ravel().tolist()))


def observe(n_pages: int, workers: int) -> Sample:
    """Evidence and truth of the bubbles of so many pages."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(_observe_page, range(n_pages), chunksize=20))
    groups, n_groups = [], 0
    for _, _, group, _ in parts:
        groups.append(n_groups + group)
        n_groups += int(group.max(initial=-1)) + 1
    evidence, styles, _, pages = (np.concatenate(x) for x in zip(*parts, strict=True))
    return Sample(evidence, styles, np.concatenate(groups), pages)


@functools.cache
def _printer() -> _Printer:
    return _Printer()


def _observe_page(number: int) -> tuple[Float32Array, NDArray[np.str_], IntArray, IntArray]:
    """Evidence, styles, groups and the page's number for bubbles that are where they seem."""
    rng = np.random.default_rng((SEED, number))
    level = list(PAGES)[int(rng.choice(len(PAGES), p=list(PAGES.values())))]
    condition = draw_condition(level, rng)
    sheet = int(rng.integers(len(SHEETS)))
    page, printed = _printer().page(sheet), _printer().pixels(sheet, condition.dpi)
    marks = _draw_marks(page, rng)
    other_side = None
    if condition.sheet.show_through:
        other_side = fill_sheet(printed, page, _draw_marks(page, rng), condition.dpi, rng)
    scanned = simulate(
        printed, page, marks, condition, rng, writer=_writer(rng), other_side=other_side
    )
    style, group = _true_styles(page, marks)
    fields = [field for field in page.fields if isinstance(field, BubbleField)]
    centres = np.concatenate([field.centres() for field in fields])
    pixels, true_px = scanned.pixels, scanned.pose.to_px(centres)
    if rng.random() < _COVERED_SHARE:
        pixels, covered = _cover(pixels, rng)
        reach_mm = max(max(field.bubble_w, field.bubble_h) for field in fields) / 2
        style = style.astype("U12")
        style[_lies_under(covered, true_px, reach_mm * condition.dpi / MM_PER_INCH)] = COVERED
    image = Pixels.of(pixels)
    registration = register(image, page)
    found = np.full((1, N_INPUTS), np.nan, dtype=np.float32)
    off_mm = np.full(len(style), np.inf)
    if isinstance(registration, Registration):
        px_per_mm = np.sqrt(abs(np.linalg.det(np.reshape(registration.homography, (3, 3))[:2, :2])))
        off_mm = np.hypot(*(registration.to_px(centres) - true_px).T) / px_per_mm
        moved = _displaced(registration, *rng.normal(0, _MISPLACED_MM, 2))
        found = bubble_evidence(image, page, moved)
    # What registration got wrong, and what lies under other writing, says nothing about marks.
    names = np.concatenate([[field.name] * len(field.centres()) for field in fields])
    lost = (off_mm > _MAX_OFF_MM) | np.isin(names, list(scanned.damaged))
    lost |= np.isnan(found[:, 0])
    whole = ~np.isin(group, group[lost])
    if not whole.any():
        return found[:0], style[:0], group[:0], group[:0]
    return found[whole], style[whole], group[whole], np.full(int(whole.sum()), number)


def _writer(rng: np.random.Generator) -> Writer:
    """Mostly a pencil, else a pen."""
    writer = draw_writer(rng)
    if rng.random() < 0.7:
        return writer
    return replace(
        writer,
        tip_mm=float(rng.uniform(0.35, 0.6)),
        darkness=float(rng.uniform(0.78, 0.92)),
        grain=float(rng.uniform(0.0, 0.05)),
    )


def fit_states(sample: Sample) -> Layers:
    """The network's layers, by Adam (Kingma & Ba 2015) with decoupled decay of weights."""
    evidence, state, weight = _examples(sample)
    rng = np.random.default_rng(SEED)
    middle, spread = evidence.mean(axis=0), evidence.std(axis=0) + 1e-3
    sizes = (N_INPUTS, *HIDDEN, len(State))
    layers = [
        np.vstack([rng.normal(0, np.sqrt(2 / a), (a, b)), np.zeros(b)]).astype(np.float32)
        for a, b in pairwise(sizes)
    ]
    first = [np.zeros_like(layer) for layer in layers]
    second = [np.zeros_like(layer) for layer in layers]
    n_steps = _EPOCHS * (len(state) // _BATCH)
    for step in range(n_steps):
        at = step % (len(state) // _BATCH) * _BATCH
        if at == 0:
            order = rng.permutation(len(state))
        chosen = order[at : at + _BATCH]
        slopes = _slopes(
            layers, (evidence[chosen] - middle) / spread, state[chosen], weight[chosen]
        )
        rate = 0.5 * _RATE * (1 + np.cos(np.pi * step / n_steps))
        for k, slope in enumerate(slopes):
            for moments, value, share in ((first, slope, 0.9), (second, slope**2, 0.999)):
                moments[k] += (1 - share) * (value - moments[k])
            mean, square = first[k] / (1 - 0.9 ** (step + 1)), second[k] / (1 - 0.999 ** (step + 1))
            layers[k][:-1] *= 1 - rate * _DECAY
            layers[k] -= rate * mean / (np.sqrt(square) + 1e-8)
    # What is subtracted and divided by goes into the first layer.
    weights = layers[0][:-1] / spread[:, None]
    layers[0] = np.vstack([weights, layers[0][-1] - middle @ weights])
    one, two, three = (np.ascontiguousarray(layer, dtype=np.float32) for layer in layers)
    return one, two, three


def _examples(sample: Sample) -> tuple[Float32Array, IntArray, Float32Array]:
    """What the network is fitted to: inputs, states and weights of bubbles."""
    state, group = sample.state, sample.group
    # Of groups without a mark a part says enough.
    empty = np.repeat(*_by_group((sample.style == "").astype(float), group, np.minimum)) == 1
    kept = ~empty | (group % _THINNING == 0)
    # Ink beside one bubble is ink beside its neighbour.
    beside = np.repeat(*_by_group(sample.style == MarkStyle.OUTSIDE.value, group, np.logical_or))
    kept &= ~beside | (sample.style != "")
    weight = np.where(empty, _THINNING, 1.0) * np.where(state == State.UNSURE, _ODD_WEIGHT, 1.0)
    weight = (weight[kept] / weight[kept].mean()).astype(np.float32)
    return sample.evidence[kept], state[kept], weight


def _slopes(
    layers: list[Float32Array], x: Float32Array, state: IntArray, weight: Float32Array
) -> list[Float32Array]:
    """Derivatives of the weighted mean log loss."""
    seen = [x]
    for layer in layers:
        x = seen[-1] @ layer[:-1] + layer[-1]
        seen.append(np.maximum(x, 0))
    slope = np.exp(x - logsumexp(x, axis=1, keepdims=True))
    slope[np.arange(len(state)), state] -= 1
    slope *= (weight / len(weight))[:, None]
    slopes = []
    for layer, below in zip(reversed(layers), reversed(seen[:-1]), strict=True):
        slopes.append(np.vstack([below.T @ slope, slope.sum(axis=0)]))
        slope = (slope @ layer[:-1].T) * (below > 0)
    return slopes[::-1]


def group_outcomes(sample: Sample, layers: Layers) -> tuple[FloatArray, ...]:
    """What is said of each group and what is true; each (n_groups,).

    Returns
    -------
    log_right, log_agreed : float64
        Logarithms of the probabilities, by the model, that a group is not read wrongly and
        that it is not disputed.
    wrong, disputed : float64
        1 where it is.
    n_marked : float64
        How many marks are read.
    """
    nothing = Calibration(1.0, 0.0, np.ones(1), np.ones(1))
    probability = BubbleModel(layers, nothing, nothing).probabilities(sample.evidence)
    marked, wrong = taken(probability, np.zeros(len(probability), dtype=bool))
    unsure = np.minimum(probability[:, State.UNSURE], 1 - 1e-12)
    truly = np.isin(sample.state, (State.STROKE, State.FULL))
    bad = (marked != truly) & (sample.state != State.UNSURE)
    return (
        _by_group(np.log1p(-wrong), sample.group, np.add)[0],
        _by_group(np.log1p(-unsure), sample.group, np.add)[0],
        _by_group(bad, sample.group, np.logical_or)[0].astype(np.float64),
        _odd_groups(sample).astype(np.float64),
        _by_group(marked.astype(np.float64), sample.group, np.add)[0],
    )


def _odd_groups(sample: Sample) -> NDArray[np.bool_]:
    return _by_group(sample.state == State.UNSURE, sample.group, np.logical_or)[0]


def _by_group(
    values: NDArray[Any], group: IntArray, combine: np.ufunc
) -> tuple[NDArray[Any], IntArray]:
    """Values of groups from those of their bubbles, and the groups' sizes."""
    _, first, size = np.unique(group, return_index=True, return_counts=True)
    return combine.reduceat(values, first), size


def fit_calibration(log_not: FloatArray, true: FloatArray) -> Calibration:
    """Scale and offset that make log odds right (Platt 1999); no limits yet."""
    plain = Calibration(1.0, 0.0, np.ones(1), np.ones(1))
    p = plain.probability(log_not)
    odds = np.log(p) - np.log1p(-p)

    def loss(x: FloatArray) -> float:
        z = np.exp(x[0]) * odds + x[1]
        return float((np.logaddexp(0.0, z) - true * z).mean())

    scale, offset = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return replace(plain, scale=float(np.exp(scale)), offset=float(offset))


def wrong_limits(probability: FloatArray) -> FloatArray:
    """For each rate the largest probability that keeps the mean of all below it to the rate."""
    ascending = np.sort(probability)
    mean = np.cumsum(ascending) / np.arange(1, len(ascending) + 1)
    last = np.searchsorted(mean, RATES, side="right") - 1
    return np.asarray(ascending[np.maximum(last, 0)])


def disputed_limits(probability: FloatArray, disputed: FloatArray) -> FloatArray:
    """For each share the probability below which that share of the disputed groups has."""
    return np.asarray(np.quantile(probability[disputed == 1], SHARES))


def report(sample: Sample, model: BubbleModel, outcomes: tuple[FloatArray, ...]) -> None:
    """Reliability, and what is flagged by how the groups are marked."""
    log_right, log_agreed, wrong, disputed, _ = outcomes
    options = BubbleOptions()
    flagged = np.zeros(len(wrong), dtype=bool)
    for name, part, share, log_not, true in (
        ("wrong", model.wrong, options.silent_error_rate, log_right, wrong),
        ("disputed", model.disputed, options.undetected_disputes, log_agreed, disputed),
    ):
        limit, probability = part.limit(share), part.probability(log_not)
        print(f"{name}: scale {part.scale:.3f}, offset {part.offset:.3f}, limits")
        print(", ".join(f"{s:g}: {x:.3g}" for s, x in zip(part.shares, part.limits, strict=True)))
        print("predicted   groups  observed")
        edges = [0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01]
        for low, high in pairwise(edges):
            inside = (probability >= low) & (probability < high)
            if inside.any():
                predicted, observed = probability[inside].mean(), true[inside].mean()
                print(f"{predicted:9.2e} {inside.sum():8d} {observed:9.2e}")
        flagged |= probability > limit
    order = np.array(["", *(style.value for style in STATES), COVERED])
    rank = np.argsort(order)[np.searchsorted(np.sort(order), sample.style)]
    highest = order[_by_group(rank, sample.group, np.maximum)[0]]
    print("oddest mark    groups  flagged  silently wrong")
    for style in order.tolist():
        use = highest == style
        if use.any():
            silent = int((~flagged & (wrong == 1.0))[use].sum())
            print(f"{style or 'none':12s} {use.sum():8d} {flagged[use].mean():8.4f} {silent:8d}")


@click.command()
@click.option("--pages", default=6000, show_default=True, help="Simulated pages.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep the evidence in this file.")
@click.option("--workers", default=2, show_default=True)
def main(pages: int, cache: Path | None, workers: int) -> None:
    """Fit the model of bubbles' states to simulated pages and write it."""
    if cache is not None and cache.exists():
        with np.load(cache) as kept:
            sample = Sample(*(kept[name] for name in ("evidence", "style", "group", "page")))
    else:
        sample = observe(pages, workers)
        if cache is not None:
            np.savez(
                cache,
                evidence=sample.evidence,
                style=sample.style,
                group=sample.group,
                page=sample.page,
            )
    training = sample.page % _HELD_OUT != 0
    layers = fit_states(sample.part(training))
    held_out = sample.part(~training)
    outcomes = group_outcomes(held_out, layers)
    log_right, log_agreed, is_wrong, is_disputed, n_marked = outcomes
    disputed = fit_calibration(log_agreed, is_disputed)
    chance = disputed.probability(log_agreed)
    disputed = replace(
        disputed, shares=np.array(SHARES), limits=disputed_limits(chance, is_disputed)
    )
    # Of the groups that are not flagged anyway.
    left = (is_disputed == 0) & (n_marked <= 1)
    left &= chance <= disputed.limit(BubbleOptions().undetected_disputes)
    wrong = fit_calibration(log_right[left], is_wrong[left])
    wrong = replace(
        wrong,
        shares=np.array(RATES),
        limits=wrong_limits(wrong.probability(log_right[left])),
    )
    report(held_out, BubbleModel(layers, wrong, disputed), outcomes)
    first, second, third = layers
    np.savez(
        OUT,
        first=first,
        second=second,
        third=third,
        wrong=np.array([wrong.scale, wrong.offset]),
        disputed=np.array([disputed.scale, disputed.offset]),
        wrong_limits=np.column_stack([wrong.shares, wrong.limits]),
        disputed_limits=np.column_stack([disputed.shares, disputed.limits]),
    )
    print(f"{len(sample.state)} bubbles of {pages} pages; written to {OUT.name}")


if __name__ == "__main__":
    main()
