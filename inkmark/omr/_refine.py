"""Following the printed outlines of the bubbles of our own sheets.

The squares and marks along the sides say nothing of paper that bulges between them. Whether
the outlines are where they should be is seen at little cost; only where some are not, every
block of neighbouring bubbles is looked for around its place. The blocks found are joined by
a smooth field of shifts, as paper bends smoothly, and looked for again under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, PageLayout
from inkmark.omr import _kernels
from inkmark.omr._anchors import anchor_plan
from inkmark.omr._cache import once_for_each
from inkmark.omr._plan import BubblePlan, bubble_plan, windows
from inkmark.omr._transform import BoolArray, FloatArray, GreyImage, Transform
from inkmark.omr.model import RegisterOptions, RegistrationFailure
from inkmark.readings import Registration, ShiftMesh

__all__ = ["refine"]

IntArray = NDArray[np.int64]
F32Array = NDArray[np.float32]

_BESIDE_MM = 0.25
"""How far inside and outside of an outline it is compared: what is off by as much is seen."""
_MAX_SIDED = 0.5
"""An outline is off its place by 0.15 mm where its sides differ by this share of its contrast."""
_MIN_CONTRAST = 0.02
_MIN_SHARE = 0.4
"""Outlines are seen that have so much contrast, and this share of that of the page's."""
_MAX_BLOCK = 5
_BLOCK_MM = (30.0, 8.0)
"""Largest extent of a block across and along the sides with marks: about a row, as a slip of
the feeder parts one row from the next."""
_STEP_MM = 0.14
"""A pixel of the patches in which outlines are looked for: about that of a scan at 200 dpi."""
_REACHES_MM = (1.5, 0.6)
"""How far they are looked for at first, and under the field of shifts."""
_LINE_PX, _BESIDE_PX = 3, 9
"""Printed lines are darker on a mean over the one than over the other."""
_MARGIN_PX = 4
_INK_CAP = 0.08
"""What is darker counts no more: strokes of a pen must not outweigh outlines."""
_LEAST_INK = 0.02
_MIN_SCORE = 0.6
"""Bubbles in their outlines score 1 and more; noise and handwriting at its best 0.4."""
_MAX_RIVAL = 0.8
"""The next best place scores no more than this share of the best."""
_MIN_FOUND = 0.3
_MIN_INKED = 0.5
"""With fewer of the blocks found than this share, no outlines are printed dark enough for the
scanner; or, where around more of the bubbles than this share there is print, it is elsewhere,
and so is the sheet."""
_KNOTS_MM = (15.0, 6.0)
"""Distance of the knots of the field of shifts, across and along the sides with marks."""
_BEND_SIZE_MM, _BEND_MM = 0.8, 45.0
"""How much paper that does not lie flat is shifted, and over what distance evenly;"""
_SLIP_SIZE_MM, _SLIP_MM = 0.2, 5.0
"""the same of a slip of the feeder, between two marks."""
_BLOCK_NOISE_MM, _ANCHOR_NOISE_MM = 0.05, 0.1
"""How well the place of a block is known, and that of the marks; not all were seen."""
_ANCHORED = 0.75
"""Where fewer of the marks were seen than this share, those of one side were hardly: what paper
does there the bubbles alone say."""
_AGREE_MM = 0.3
"""A block is not believed that lies further off the field, and its fields are doubtful."""
_KNOWN_MM = 0.1
"""A block whose outlines are hidden is where the field puts it if that is known so well."""
_MIN_SHIFT_MM = 0.1
"""No field of shifts is worth while that moves no block by more."""


def refine(
    pixels: Pixels,
    page: PageLayout,
    registration: Registration,
    options: RegisterOptions | None = None,
) -> Registration | RegistrationFailure:
    """Correct a registration by the printed outlines of the bubbles.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
        The page that this is.
    registration : Registration
    options : RegisterOptions, optional

    Returns
    -------
    Registration or RegistrationFailure
        The same where the outlines lie as they should, where nothing is printed that a
        scanner saw, and for sheets that are not our own. Else with other shifts, with the
        names of the fields that were not found, and with the rms distance of blocks of
        bubbles from where the others say they are, if that is the larger residual. A failure
        where the print is elsewhere.
    """
    plan = _plan(page) if page.anchors.kind is AnchorKind.SQUARES else None
    if plan is None:
        return registration
    options = options or RegisterOptions()
    transform = Transform.of(registration)
    places = transform.places(plan.all.bubbles)
    boxes = plan.all.boxes(places)
    doubtful = _doubtful(pixels.at(windows(boxes, 1)), plan, places[plan.order])
    if not doubtful.any():
        return registration
    reach_px = int(np.ceil((_REACHES_MM[0] + 1.0) * _px_per_mm(plan, transform)))
    canvas = pixels.at(windows(boxes, reach_px))
    part = plan.part(doubtful)
    shift, found, _ = _look(canvas, part, transform, _REACHES_MM[0])
    if found.all() and np.abs(shift).max() <= _MIN_SHIFT_MM:  # the dots of 1-bit scans
        return registration
    shift, found, inked = _look(canvas, plan, transform, _REACHES_MM[0])
    if found.mean() < _MIN_FOUND:
        if inked < _MIN_INKED:
            return registration
        return RegistrationFailure(
            f"the outlines of {found.sum()} of {len(found)} blocks of bubbles were seen where they "
            "should be: another sheet, or a place that only seems to be the sheet's"
        )
    anchored = registration.anchors_found > _ANCHORED * registration.anchors_expected
    bend = _Bend.through(plan, shift, found, anchored)
    seen = found
    if bend is not None:
        refined = bend.added(plan, registration)
        again, seen, _ = _look(canvas, plan, Transform.of(refined), _REACHES_MM[1])
        bend = _Bend.through(plan, bend.blocks + again, seen, anchored)
    if bend is None:
        return RegistrationFailure(
            "a side of the sheet was hardly seen, and no blocks of bubbles agree on where it is"
        )
    # Seen at first, and not where the others put it.
    elsewhere = found & (np.hypot(*(shift - bend.blocks).T) > _AGREE_MM)
    elsewhere = ~bend.believed & (seen | elsewhere)
    residual = max(registration.residual_mm, bend.residual_mm)
    if residual > options.max_residual_mm:
        return RegistrationFailure(
            f"blocks of bubbles are {residual:.2f} mm from where the others say they are: the "
            "paper did not lie flat"
        )
    if np.abs(bend.blocks).max() > _MIN_SHIFT_MM:
        registration = replace(bend.added(plan, registration), residual_mm=residual)
    return replace(registration, lost=_lost(plan, bend, elsewhere))


@dataclass(frozen=True, slots=True)
class _Plan:
    """The outlines of a page.

    Attributes
    ----------
    all : BubblePlan
    order : (n,) int64
        The bubbles block after block.
    bubbles : (n, 4) float64
        In that order, as the rest.
    field : (n,) int64
        Position of each bubble's field.
    kind : (n,) int64
        Which outline each has.
    sides : (s, m, 4) float64
        Points of each outline in mm from its centre, and the outward normals there.
    lines : (s, m', 2) int64
        More of its points, in pixels of a patch.
    first : (n_blocks + 1,) int64
        Where each block's bubbles begin.
    centres : (n_blocks, 2) float64
    x, y : (nx,), (ny,) float64
        Knots of the field of shifts in mm.
    covariance : (m, m) float64
        Of the shifts of the blocks and, after them, of the anchors, before they are seen.
    to_knots : (ny * nx, m) float64
        Covariance of the shifts of the knots and of these.
    """

    all: BubblePlan
    order: IntArray
    bubbles: FloatArray
    field: IntArray
    kind: IntArray
    sides: FloatArray
    lines: IntArray
    first: IntArray
    centres: FloatArray
    x: FloatArray
    y: FloatArray
    covariance: FloatArray
    to_knots: FloatArray

    def part(self, blocks: BoolArray) -> _Plan:
        """Some of the blocks, for looking at them."""
        counts = np.diff(self.first)
        use = np.repeat(blocks, counts)
        first = np.concatenate([[0], np.cumsum(counts[blocks])]).astype(np.int64)
        return replace(self, bubbles=self.bubbles[use], kind=self.kind[use], first=first)


@once_for_each
def _plan(page: PageLayout) -> _Plan | None:
    plan = bubble_plan(page)
    if not plan.fields:
        return None
    along = anchor_plan(page).along
    blocks = _blocks(plan.bubbles[:, :2], np.array(_BLOCK_MM if along else _BLOCK_MM[::-1]))
    order = np.concatenate(blocks)
    first = np.concatenate([[0], np.cumsum([len(block) for block in blocks])])
    looks = np.column_stack([plan.bubbles[:, 2:], plan.shape])
    sizes, kind = np.unique(looks, axis=0, return_inverse=True)
    lines = np.stack([_outline(size, 24)[:, :2] for size in sizes])
    counts = np.diff(plan.first)
    centres = np.stack([plan.bubbles[block, :2].mean(axis=0) for block in blocks])
    anchors = (*page.anchors.squares, *page.anchors.timing)
    middles = [(box.x + box.w / 2, box.y + box.h / 2) for box in anchors]
    places = np.concatenate([centres, middles])
    size = np.array([page.width_mm, page.height_mm])
    x, y = (
        np.linspace(0, size[axis], int(size[axis] / _KNOTS_MM[int(axis == along)]) + 2)
        for axis in (0, 1)
    )
    knots = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return _Plan(
        all=plan,
        order=order,
        bubbles=np.ascontiguousarray(plan.bubbles[order]),
        field=np.repeat(np.arange(len(counts)), counts)[order],
        kind=kind.reshape(-1)[order].astype(np.int64),
        sides=np.stack([_outline(size, 8) for size in sizes]),
        lines=np.rint(lines / _STEP_MM).astype(np.int64),
        first=first.astype(np.int64),
        centres=centres,
        x=x,
        y=y,
        covariance=_covariance(places, places, along),
        to_knots=_covariance(knots, places, along),
    )


def _blocks(places: FloatArray, largest_mm: FloatArray) -> list[IntArray]:
    """Neighbours: positions are halved along the longer side until few are left together."""
    blocks: list[IntArray] = []
    rest = [np.arange(len(places))]
    while rest:
        rows = rest.pop()
        extent = np.ptp(places[rows], axis=0) / largest_mm
        if len(rows) <= _MAX_BLOCK and extent.max() <= 1:
            blocks.append(rows)
            continue
        along = places[rows, int(np.argmax(extent))]
        lines = np.unique(along.round(2))
        low = along < lines[len(lines) // 2] - 0.005
        rest += [rows[~low], rows[low]]
    return blocks


def _outline(look: FloatArray, n: int) -> FloatArray:
    """Points at equal steps along an outline, (n, 4): x, y and the outward normal.

    Of a bubble of some half width and half height, and whether it is a rectangle: (3,).
    """
    half_w, half_h, is_rectangle = look.tolist()
    if is_rectangle:  # away from the corners, where no side stands alone
        n_across = round(n / 2 * half_w / (half_w + half_h))
        counts = np.array([n_across, n // 2 - n_across])
        x, y = (0.8 * (2 * np.arange(count) + 1 - count) / count for count in counts.tolist())
        across = [(half_w * t, side * half_h, 0.0, side) for side in (-1.0, 1.0) for t in x]
        down = [(side * half_w, half_h * t, side, 0.0) for side in (-1.0, 1.0) for t in y]
        return np.array(across + down)
    angle = np.linspace(0, 2 * np.pi, 721)
    steps = np.hypot(np.diff(half_w * np.cos(angle)), np.diff(half_h * np.sin(angle)))
    length = np.concatenate([[0], np.cumsum(steps)])
    angle = np.interp((np.arange(n) + 0.5) / n * length[-1], length, angle)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    normal = circle / (half_w, half_h)
    normal /= np.hypot(*normal.T)[:, None]
    return np.hstack([circle * (half_w, half_h), normal])


def _px_per_mm(plan: _Plan, transform: Transform) -> float:
    """The most anywhere on the page."""
    x, y = plan.x[-1], plan.y[-1]
    corners = np.array([(0, 0), (x, 0), (x, y), (0, y), (0, 0)])
    seen = transform.to_px(corners)
    sides = np.hypot(*np.diff(seen, axis=0).T) / np.hypot(*np.diff(corners, axis=0).T)
    return float(sides.max())


# -- are the outlines where they should be? --------------------------------------------


def _doubtful(canvas: GreyImage, plan: _Plan, places: FloatArray) -> BoolArray:
    """Which blocks do not clearly stand where they should."""
    signs = np.empty((len(plan.bubbles), 4))
    _kernels.outline_signs(canvas, places, plan.bubbles, plan.kind, plan.sides, _BESIDE_MM, signs)
    blocks = np.empty((len(plan.centres), 4))
    _kernels.block_medians(signs, plan.first, blocks)
    contrast, sided = blocks[:, :2], np.abs(blocks[:, 2:])
    # Of a box that is off along one side the other sides are where they should be.
    usual = np.sort(contrast.max(axis=1))[len(contrast) // 2]
    least = max(_MIN_CONTRAST, _MIN_SHARE * float(usual))
    placed = (contrast >= least) & (sided <= _MAX_SIDED * contrast)
    return np.asarray(~placed.all(axis=1))


# -- looking for them ------------------------------------------------------------------


def _look(
    canvas: GreyImage, plan: _Plan, transform: Transform, reach_mm: float
) -> tuple[FloatArray, BoolArray, float]:
    """How far each block is off its place (n_blocks, 2) in mm, and which are seen.

    And around what share of the bubbles there is anything to be seen.
    """
    reach = round(reach_mm / _STEP_MM)
    half = np.ceil(plan.bubbles[:, 2:].max(axis=0) / _STEP_MM).astype(int) + reach + _MARGIN_PX
    n = len(plan.bubbles)
    patches = np.empty((n, 2 * half[1] + 1, 2 * half[0] + 1), np.float32)
    _kernels.cut_patches(canvas, transform.places(plan.bubbles), plan.bubbles, _STEP_MM, patches)
    lines = _lines(patches)
    scores = np.empty((n, 2 * reach + 1, 2 * reach + 1), np.float32)
    _kernels.shift_scores(lines, plan.kind, plan.lines, scores)
    # Much ink of any kind lies on many lines.
    ink = np.square(lines).mean(axis=(1, 2))
    scores /= np.sqrt(ink + _LEAST_INK**2)[:, None, None]
    counts = np.diff(plan.first)[:, None, None]
    shift, sure = _peaks((np.add.reduceat(scores, plan.first[:-1]) / counts).astype(np.float32))
    return shift, sure, float(np.mean(ink > _LEAST_INK**2))


def _lines(patches: F32Array) -> F32Array:
    """How much each pixel looks like a part of a printed line, as a share of the paper's light."""
    flat = patches.reshape(-1, patches.shape[2])
    paper = np.maximum(patches.mean(axis=(1, 2), keepdims=True), 16.0)
    dark = cv2.blur(flat, (_BESIDE_PX, _BESIDE_PX)) - cv2.blur(flat, (_LINE_PX, _LINE_PX))
    return np.asarray(np.clip(dark.reshape(patches.shape) / paper, -_INK_CAP, _INK_CAP))


def _peaks(scores: F32Array) -> tuple[FloatArray, BoolArray]:
    """Where scores (n, r, r) are best, in mm from the middle, and which of the places are sure."""
    n, size, _ = scores.shape
    at = scores.reshape(n, -1).argmax(axis=1)
    row, column = np.divmod(at, size)
    best = scores.reshape(n, -1).max(axis=1)
    y, x = np.mgrid[:size, :size]
    far = np.hypot(y - row[:, None, None], x - column[:, None, None]) > 0.45 / _STEP_MM
    rival = np.where(far, scores, -1.0).max(axis=(1, 2))
    inside = (np.minimum(row, column) > 0) & (np.maximum(row, column) < size - 1)
    sure = inside & (best >= _MIN_SCORE) & (rival <= _MAX_RIVAL * best)
    k = np.arange(n)
    row, column = np.clip(row, 1, size - 2), np.clip(column, 1, size - 2)
    parts = []
    for low, high, middle in (
        (scores[k, row, column - 1], scores[k, row, column + 1], column),
        (scores[k, row - 1, column], scores[k, row + 1, column], row),
    ):
        bend = 2 * scores[k, row, column] - low - high
        part = np.where(bend > 0, 0.5 * (high - low) / np.maximum(bend, 1e-9), 0.0)
        parts.append((middle - size // 2 + np.clip(part, -0.5, 0.5)) * _STEP_MM)
    return np.stack(parts, axis=1).astype(np.float64), sure


# -- a smooth field of shifts ----------------------------------------------------------


def _covariance(a: FloatArray, b: FloatArray, along: int) -> FloatArray:
    """Of the shifts at places (n, 2) and (m, 2) before anything was seen, (n, m) in mm^2.

    Paper bends smoothly in all directions; and a feeder that slips shifts all that lies at
    one height by the same.
    """
    apart = a[:, None] - b[None]
    bend = np.exp(-0.5 * np.square(apart).sum(axis=2) / _BEND_MM**2)
    slip = np.exp(-0.5 * np.square(apart[:, :, along]) / _SLIP_MM**2)
    return np.asarray(_BEND_SIZE_MM**2 * bend + _SLIP_SIZE_MM**2 * slip)


@dataclass(frozen=True, slots=True)
class _Bend:
    """A field of shifts, on top of those of a registration.

    Attributes
    ----------
    knots : (ny, nx, 2) float64
        In mm.
    blocks : (n_blocks, 2) float64
        The field where the blocks are.
    off : (n_blocks,) float64
        How far each block believed is from where the others put it, in mm.
    believed : (n_blocks,) bool
        Which blocks were found and do not contradict the others.
    known : (n_blocks,) bool
        Where the others say where a block is that was not found.
    """

    knots: FloatArray
    blocks: FloatArray
    off: FloatArray
    believed: BoolArray
    known: BoolArray

    @property
    def residual_mm(self) -> float:
        """Root mean square distance of the blocks believed from where the others put them."""
        off = self.off[self.believed]
        return float(np.sqrt(np.mean(np.square(off)))) if len(off) else 0.0

    @classmethod
    def through(
        cls, plan: _Plan, shift: FloatArray, found: BoolArray, anchored: bool
    ) -> _Bend | None:
        """The likeliest field by the shifts of the blocks found and none at the anchors.

        The latter where the sheet is `anchored`. That is the mean of a Gaussian process
        (kriging). Blocks and anchors that contradict the others are left out, the worst first;
        None where none is left.
        """
        n, n_all = len(found), len(plan.covariance)
        noise = np.where(np.arange(n_all) < n, _BLOCK_NOISE_MM, _ANCHOR_NOISE_MM)
        seen = np.concatenate([shift, np.zeros((n_all - n, 2))])
        believed = np.concatenate([found, np.full(n_all - n, anchored)])
        off = np.zeros(n_all)
        while True:
            rows = np.flatnonzero(believed)
            if not len(rows):
                return None
            covariance = plan.covariance[np.ix_(rows, rows)] + np.diag(noise[rows] ** 2)
            # Not numpy's: its threads wait for one another where all cores read pages.
            inverse = np.asarray(cv2.invert(covariance, flags=cv2.DECOMP_CHOLESKY)[1])
            weighed = inverse @ seen[rows]
            # What a Gaussian process puts at a place without what was seen there.
            off[rows] = np.hypot(*(weighed / np.diag(inverse)[:, None]).T)
            worst = off[rows].max()
            if worst <= _AGREE_MM:
                break
            believed[rows[off[rows] >= max(_AGREE_MM, 0.7 * worst)]] = False
        seen_from = plan.covariance[:n, rows]
        told = np.asarray(cv2.gemm(seen_from, inverse, 1.0, seen_from, 0.0))
        left = np.diag(plan.covariance)[:n] - (told * seen_from).sum(axis=1)
        ny, nx = len(plan.y), len(plan.x)
        return cls(
            knots=(plan.to_knots[:, rows] @ weighed).reshape(ny, nx, 2),
            blocks=seen_from @ weighed,
            off=off[:n],
            believed=believed[:n],
            known=left <= _KNOWN_MM**2,
        )

    def added(self, plan: _Plan, registration: Registration) -> Registration:
        """A registration with this field on top of its shifts."""
        x, y, field = plan.x, plan.y, self.knots
        before = registration.shifts
        if before is not None:
            own = ShiftMesh(*(tuple(v.ravel().tolist()) for v in (x, y, *np.moveaxis(field, 2, 0))))
            x, y = np.union1d(x, before.x_mm), np.union1d(y, before.y_mm)
            places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
            field = own.shift(places) + before.shift(places)
        dx, dy = field.reshape(-1, 2).round(4).T.tolist()
        return replace(
            registration,
            shifts=ShiftMesh(tuple(x.tolist()), tuple(y.tolist()), tuple(dx), tuple(dy)),
        )


def _lost(plan: _Plan, bend: _Bend, elsewhere: BoolArray) -> tuple[str, ...]:
    """The fields with a block that contradicts the others, or that may be anywhere."""
    lost = elsewhere | ~(bend.believed | bend.known)
    fields = np.unique(plan.field[np.repeat(lost, np.diff(plan.first))])
    return tuple(plan.all.fields[k].name for k in fields.tolist())
