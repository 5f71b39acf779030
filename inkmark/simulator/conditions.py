"""Conditions under which sheets are captured, and whole pages simulated under them.

An `Effect` is one thing that goes wrong; `draw_condition` draws the mixture of a level, and
`single_effect` a good capture in which only that one thing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import MM_PER_INCH
from inkmark.layouts import BubbleField, PageLayout, WritingField
from inkmark.simulator.hands import Hand
from inkmark.simulator.handwriting import Slip, write_field
from inkmark.simulator.paper import (
    Damage,
    SheetModel,
    damaged_fields,
    photocopied,
    shown_through,
    wear,
)
from inkmark.simulator.people import MarkStyle, Writer, fill_sheet
from inkmark.simulator.phone import PhoneModel, PhonePose, draw_phone, photograph
from inkmark.simulator.pose import Bulge, Pose
from inkmark.simulator.scanner import DARK_LID, Bilevel, ScannerModel, ScannerPose, scan

__all__ = [
    "LEVEL_2",
    "LEVEL_3",
    "Condition",
    "Effect",
    "Level",
    "SimulatedPage",
    "draw_condition",
    "simulate",
    "single_effect",
]

Pixels = NDArray[np.uint8]
Generator = np.random.Generator


class Level(StrEnum):
    """How good a capture is."""

    CLEAN = "1 clean"
    """A well-kept office scanner."""
    ORDINARY = "2 ordinary"
    """What a school's copier gives on any day."""
    BAD = "3 bad"
    """Damaged sheets, carelessly scanned."""
    PHONE = "phone"
    """Photos taken by hand."""


class Effect(StrEnum):
    """One thing that goes wrong with a capture."""

    SKEW = "skew"
    SCALE = "scale"
    ANISOTROPY = "anisotropic scale"
    STRETCH = "feeder stretch"
    SLIP = "feeder slip"
    WOBBLE = "unround roller"
    BLUR = "blur"
    NOISE = "noise"
    CONTRAST = "low contrast"
    JPEG = "JPEG quality 40"
    BILEVEL = "1-bit"
    DITHER = "dithered"
    COARSE = "150 dpi"
    FINE = "300 dpi"
    TURNED = "upside down"
    HOLES = "punched holes"
    STAPLES = "staples"
    FOLDS = "fold lines"
    STAINS = "stains"
    BORDER = "dark borders"
    STREAKS = "streaks"
    PHOTOCOPY = "photocopy"

    CURL = "curl"
    SHADOW = "shadow"
    COVERED = "covered corner mark"
    CUT_OFF = "corner mark cut off"
    TORN = "torn corner"
    DOG_EAR = "folded corner"
    WRITING = "handwriting across"
    SHOW_THROUGH = "bleed-through"


@dataclass(frozen=True, slots=True)
class Condition:
    """How a page is captured.

    Attributes
    ----------
    dpi : float
        Resolution of the scan; of the printed page where a photo is taken.
    sheet : SheetModel
    device : ScannerModel or PhoneModel
    effects : tuple of Effect
        What was drawn.
    """

    dpi: float = 200.0
    sheet: SheetModel = field(default_factory=SheetModel)
    device: ScannerModel | PhoneModel = field(default_factory=ScannerModel)
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedPage:
    """A page image and the truth about it.

    Attributes
    ----------
    pixels : (H, W) uint8
    pose : Pose
        Where positions of the printed page are seen.
    damaged : frozenset of str
        Fields of bubbles or boxes of which something is gone, hidden, written over or outside
        the image.
    """

    pixels: Pixels
    pose: Pose
    damaged: frozenset[str]


Step = Callable[[Condition, Generator], Condition]


def _device(**draws: Callable[[Generator], Any]) -> Step:
    """A step that sets fields of the scanner."""

    def step(condition: Condition, rng: Generator) -> Condition:
        changes = {name: draw(rng) for name, draw in draws.items()}
        return replace(condition, device=replace(_scanner(condition), **changes))

    return step


def _sheet(**draws: Callable[[Generator], Any]) -> Step:
    """A step that sets fields of the sheet."""

    def step(condition: Condition, rng: Generator) -> Condition:
        changes = {name: draw(rng) for name, draw in draws.items()}
        return replace(condition, sheet=replace(condition.sheet, **changes))

    return step


def _between(low: float, high: float, *, signed: bool = False) -> Callable[[Generator], float]:
    def draw(rng: Generator) -> float:
        sign = rng.choice((-1.0, 1.0)) if signed else 1.0
        return float(sign * rng.uniform(low, high))

    return draw


def _whole(low: int, high: int) -> Callable[[Generator], int]:
    return lambda rng: int(rng.integers(low, high + 1))


def _scaled(condition: Condition, rng: Generator) -> Condition:
    scale = _between(0.95, 1.05)(rng)
    return _device(scale_x=lambda _: scale, scale_y=lambda _: scale)(condition, rng)


def _anisotropic(condition: Condition, rng: Generator) -> Condition:
    part = _between(0.003, 0.005, signed=True)(rng)
    return _device(scale_x=lambda _: 1 + part, scale_y=lambda _: 1 - part)(condition, rng)


def _thresholded(condition: Condition, rng: Generator) -> Condition:
    """Black and white, at a threshold at which a pencil's mark is still black."""
    scanner = _scanner(condition)
    white = min(scanner.white, 250)
    level = scanner.black + (white - scanner.black) * _between(0.7, 0.82)(rng)
    noise = min(scanner.noise, 3.0)
    changed = replace(scanner, bilevel=Bilevel.THRESHOLD, threshold=round(level), noise=noise)
    return replace(condition, device=changed)


def _copied(condition: Condition, rng: Generator) -> Condition:
    """A copy of a sheet: its print lies about ten pixels off, and is a little larger."""
    scanner = _scanner(condition)
    grown = 1 + rng.normal(0, 0.006)
    moved = replace(
        scanner,
        scale_x=scanner.scale_x * grown,
        scale_y=scanner.scale_y * grown,
        shift_x_mm=scanner.shift_x_mm + rng.normal(0, 1.2),
        shift_y_mm=scanner.shift_y_mm + rng.normal(0, 1.2),
    )
    sheet = replace(condition.sheet, photocopy=float(rng.uniform(0.3, 1.0)))
    return replace(condition, device=moved, sheet=sheet)


def _curled(condition: Condition, rng: Generator) -> Condition:
    bulge = Bulge(
        float(rng.uniform(2, 9)),
        float(rng.uniform(150, 450)),
        float(rng.uniform(-60, 60)),
        float(rng.random()),
    )
    return replace(condition, device=replace(_scanner(condition), bulge=bulge))


def _cut(condition: Condition, rng: Generator) -> Condition:
    """Fed so askew that a corner mark leaves the image, in part or whole."""
    scanner = _scanner(condition)
    moved = replace(
        scanner,
        skew_deg=_between(0.5, 2.0, signed=True)(rng),
        shift_x_mm=_between(7, 12, signed=True)(rng),
        shift_y_mm=_between(2, 7, signed=True)(rng),
    )
    return replace(condition, device=moved)


def _at(dpi: float) -> Step:
    return lambda condition, _: replace(condition, dpi=dpi)


_STEPS: Mapping[Effect, Step] = {
    Effect.SKEW: _device(skew_deg=_between(1.0, 3.0, signed=True)),
    Effect.SCALE: _scaled,
    Effect.ANISOTROPY: _anisotropic,
    Effect.STRETCH: _device(stretch_mm=_between(0.5, 1.5, signed=True)),
    Effect.SLIP: _device(slip_mm=_between(0.3, 1.5, signed=True), slip_at=_between(0.1, 0.9)),
    Effect.WOBBLE: _device(wobble_mm=_between(0.1, 0.3), wobble_every_mm=_between(35, 90)),
    Effect.BLUR: _device(blur_mm=_between(0.09, 0.16)),
    Effect.NOISE: _device(noise=_between(6, 12)),
    Effect.CONTRAST: _device(
        black=_whole(60, 100), white=_whole(175, 215), gamma=_between(0.75, 1.0)
    ),
    Effect.JPEG: _device(jpeg_quality=lambda _: 40),
    Effect.BILEVEL: _thresholded,
    Effect.DITHER: _device(bilevel=lambda _: Bilevel.DITHER),
    Effect.COARSE: _at(150.0),
    Effect.FINE: _at(300.0),
    Effect.TURNED: _device(orientation_deg=lambda _: 180),
    Effect.HOLES: _sheet(holes=lambda rng: int(rng.choice((2, 4)))),
    Effect.STAPLES: _sheet(staples=_whole(1, 2)),
    Effect.FOLDS: _sheet(folds=_whole(1, 3)),
    Effect.STAINS: _sheet(stains=_whole(1, 4)),
    Effect.BORDER: _device(
        lid=lambda _: DARK_LID,
        border_mm=_between(0.5, 4.0),
        skew_deg=_between(0.3, 1.5, signed=True),
    ),
    Effect.STREAKS: _device(streaks=_whole(1, 3)),
    Effect.PHOTOCOPY: _copied,
    Effect.CURL: _curled,
    Effect.SHADOW: _device(
        shadow=_between(0.25, 0.65),
        shadow_mm=_between(20, 120),
        shadow_deg=_between(0, 360),
    ),
    Effect.COVERED: _sheet(covered_mark=lambda _: True),
    Effect.CUT_OFF: _cut,
    Effect.TORN: _sheet(torn_mm=_between(15, 60)),
    Effect.DOG_EAR: _sheet(dog_ear_mm=_between(12, 35)),
    Effect.WRITING: _sheet(writing=_whole(1, 4)),
    Effect.SHOW_THROUGH: _sheet(show_through=_between(0.08, 0.22)),
}

LEVEL_2 = tuple(effect for effect in Effect)[: list(Effect).index(Effect.CURL)]
"""What goes wrong on ordinary days."""
LEVEL_3 = tuple(effect for effect in Effect)[list(Effect).index(Effect.CURL) :]
"""What goes wrong on bad ones."""

# No scan has two of one line: a scanner writes one kind of file, at one resolution.
_EITHER = (
    (Effect.BILEVEL, Effect.DITHER, Effect.JPEG),
    (Effect.COARSE, Effect.FINE),
    (Effect.SCALE, Effect.ANISOTROPY),
    (Effect.SKEW, Effect.BORDER, Effect.CUT_OFF),
    (Effect.TORN, Effect.DOG_EAR, Effect.COVERED, Effect.CUT_OFF),
    (Effect.BILEVEL, Effect.SHADOW),
    (Effect.BILEVEL, Effect.CONTRAST),
    (Effect.DITHER, Effect.CONTRAST),
    (Effect.BILEVEL, Effect.SHOW_THROUGH),
)


def draw_condition(level: Level, rng: np.random.Generator) -> Condition:
    """A random condition of a level.

    Parameters
    ----------
    level : Level
        ``ORDINARY`` draws one to four effects of `LEVEL_2`, ``BAD`` one or two of `LEVEL_3`
        and up to two of `LEVEL_2`; ``PHONE`` now and then a fold, a stain or
        handwriting.
    rng : numpy.random.Generator

    Returns
    -------
    Condition
    """
    if level is Level.PHONE:
        phone = draw_phone(rng)
        dpi = 200.0 if min(phone.width_px, phone.height_px) < 2000 else 300.0
        sheet = SheetModel(
            folds=int(rng.random() < 0.25),
            stains=int(rng.random() < 0.1),
            writing=int(rng.random() < 0.05),
        )
        return Condition(dpi, sheet, phone)
    office = Condition(200.0, SheetModel(), _office(rng))
    if level is Level.CLEAN:
        return office
    if level is Level.ORDINARY:
        effects = _some(LEVEL_2, int(rng.integers(1, 5)), rng)
    else:
        effects = _some(LEVEL_3, int(rng.integers(1, 3)), rng)
        effects = _some(LEVEL_2, int(rng.integers(0, 3)), rng, effects)
    return _with(office, effects, rng)


def single_effect(effect: Effect, rng: np.random.Generator) -> Condition:
    """A clean scan but for one effect.

    Parameters
    ----------
    effect : Effect
    rng : numpy.random.Generator

    Returns
    -------
    Condition
    """
    return _with(Condition(200.0, SheetModel(), _office(rng)), (effect,), rng)


def simulate(
    printed: Pixels,
    page: PageLayout,
    marks: Mapping[tuple[str, int], Sequence[tuple[int, MarkStyle]]],
    condition: Condition,
    rng: np.random.Generator,
    *,
    writer: Writer | None = None,
    written: Collection[str] = (),
    strays: int = 0,
    texts: Mapping[str, str] = MappingProxyType({}),
    slips: Mapping[str, Mapping[int, Slip]] = MappingProxyType({}),
    hand: Hand | None = None,
    other_side: Pixels | None = None,
) -> SimulatedPage:
    """A page from print to image.

    Parameters
    ----------
    printed : (H, W) uint8
        The page as printed, at the resolution of the condition.
    page : PageLayout
    marks : mapping of (field name, group) to marks
        As for `fill_sheet`.
    condition : Condition
    rng : numpy.random.Generator
    writer, written, strays
        As for `fill_sheet`.
    texts : mapping of field name to str
        What is written into boxes, see `write_field`.
    slips : mapping of field name to mapping of int to Slip
        What goes wrong there.
    hand : Hand, optional
        Who writes it; needed where there is a text.
    other_side : (H, W) uint8, optional
        What is on the back; the front itself by default. Seen only where the condition says
        so.

    Returns
    -------
    SimulatedPage
    """
    dpi, sheet, device = condition.dpi, condition.sheet, condition.device
    out = photocopied(printed, dpi, sheet.photocopy, rng) if sheet.photocopy else printed
    out = fill_sheet(out, page, marks, dpi, rng, writer=writer, written=written, strays=strays)
    fields = {field.name: field for field in page.fields}
    for name, text in texts.items():
        field = fields[name]
        if hand is None or not isinstance(field, WritingField):
            raise ValueError(f"{name}: nobody can write there")
        out = write_field(out, field, text, dpi, rng, hand=hand, slips=slips.get(name, {}))
    if sheet.show_through:
        back = out if other_side is None else other_side
        out = shown_through(out, back, dpi, sheet.show_through, rng)
    damage = Damage()
    if replace(sheet, photocopy=0.0, show_through=0.0) != SheetModel():
        out, damage = wear(out, page, dpi, sheet, rng)
    pose: Pose
    if isinstance(device, PhoneModel):
        px_per_mm = dpi / MM_PER_INCH
        pose = PhonePose(device, out.shape[1] / px_per_mm, out.shape[0] / px_per_mm)
        out = photograph(out, dpi, device, rng, gone=damage.gone)
    else:
        pose = ScannerPose(device, out.shape, dpi)
        out = scan(out, dpi, device, rng, gone=damage.gone)
    return SimulatedPage(out, pose, damaged_fields(page, damage) | _outside(page, pose))


def _office(rng: Generator) -> ScannerModel:
    """A well-kept office scanner, each a little different."""
    return ScannerModel(
        skew_deg=float(np.clip(rng.normal(0, 0.2), -0.5, 0.5)),
        scale_x=1 + float(np.clip(rng.normal(0, 0.001), -0.003, 0.003)),
        scale_y=1 + float(np.clip(rng.normal(0, 0.001), -0.003, 0.003)),
        shift_x_mm=float(np.clip(rng.normal(0, 0.6), -1.5, 1.5)),
        shift_y_mm=float(np.clip(rng.normal(0, 0.6), -1.5, 1.5)),
        stretch_mm=float(rng.normal(0, 0.05)),
        blur_mm=float(rng.uniform(0.03, 0.06)),
        noise=float(rng.uniform(1.0, 3.5)),
        black=int(rng.integers(5, 35)),
        white=int(rng.integers(235, 254)),
        gamma=float(rng.uniform(0.9, 1.1)),
        lid=DARK_LID if rng.random() < 0.3 else 255,
        jpeg_quality=int(rng.integers(75, 93)),
    )


def _some(
    pool: Sequence[Effect], n: int, rng: Generator, chosen: tuple[Effect, ...] = ()
) -> tuple[Effect, ...]:
    """Up to `n` effects that can meet in one scan, after those chosen already."""
    for index in rng.permutation(len(pool)).tolist():
        effect = pool[index]
        if n and not any(effect in group and set(group) & set(chosen) for group in _EITHER):
            chosen = (*chosen, effect)
            n -= 1
    return chosen


def _with(condition: Condition, effects: Collection[Effect], rng: Generator) -> Condition:
    order = [effect for effect in Effect if effect in effects]
    for effect in order:
        condition = _STEPS[effect](condition, rng)
    scanner = _scanner(condition)
    if scanner.bilevel is not Bilevel.NONE:  # such files are not compressed with loss
        condition = replace(condition, device=replace(scanner, jpeg_quality=None))
    return replace(condition, effects=tuple(order))


def _scanner(condition: Condition) -> ScannerModel:
    if not isinstance(condition.device, ScannerModel):
        raise TypeError("this effect is a scanner's")
    return condition.device


def _outside(page: PageLayout, pose: Pose) -> frozenset[str]:
    """Fields of bubbles and boxes that the image does not show whole."""
    height, width = pose.shape
    parts = [
        (field.name, box)
        for field in page.fields
        if isinstance(field, BubbleField | WritingField)
        for box in ([field.box] if isinstance(field, BubbleField) else field.boxes())
    ]
    if not parts:
        return frozenset()
    seen = pose.to_px(np.concatenate([box.corners() for _, box in parts])).reshape(-1, 4, 2)
    out = np.any((seen < 0) | (seen > (width - 1, height - 1)), axis=(1, 2))
    return frozenset(name for k, (name, _) in enumerate(parts) if out[k])
