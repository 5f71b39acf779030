"""QR codes and labels with barcodes, spoilt in eighteen ways: read, not read, read wrongly.

Each symbol stands, or is glued as a label, in a field of a page at 200 dpi. A region is tried
as it is and then changed; the first column counts what needs no change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from cv2.typing import MatLike
from numpy.typing import NDArray

from benchmarks.contract import Better, Kind, Options, Result, Row
from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, CodeField, PageLayout, Role
from inkmark.ocr import read_codes
from inkmark.readings import Registration

SEED = 1000
TIMES = 6
"""Symbols of each format for each way of spoiling them."""

Image = MatLike
Spoil = Callable[[Image, float, np.random.Generator], Image]

PX_PER_MM = 200 / 25.4
WIDTH_MM, HEIGHT_MM = 110.0, 60.0

BOXES = {
    "QRCode": Box(45.0, 20.0, 20.0, 20.0),
    "DataMatrix": Box(48.0, 23.0, 14.0, 14.0),
    "Code128": Box(25.0, 24.0, 60.0, 12.0),
    "PDF417": Box(25.0, 20.0, 60.0, 20.0),
}


def _blur(width_mm: float) -> Spoil:
    def spoil(page: Image, px_per_mm: float, _: np.random.Generator) -> Image:
        return cv2.GaussianBlur(page, (0, 0), width_mm * px_per_mm)

    return spoil


def _noise(page: Image, _: float, rng: np.random.Generator) -> Image:
    return page + rng.normal(0, 25, page.shape)


def _pale(page: Image, _: float, rng: np.random.Generator) -> Image:
    return 150 + page / 255 * 40 + rng.normal(0, 4, page.shape)


def _jpeg(page: Image, _: float, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(page, (0, 0), 0.7) + rng.normal(0, 3, page.shape)
    whole = np.clip(soft, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, 12])
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return decoded.astype(np.float64)


def _sampled(dpi: float) -> Spoil:
    def spoil(page: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
        scale = dpi / 25.4 / px_per_mm
        small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return small + rng.normal(0, 4, small.shape)

    return spoil


def _bilevel(page: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(page, (0, 0), 0.08 * px_per_mm) + rng.normal(0, 20, page.shape)
    return np.where(soft < 110, 0.0, 255.0)


def _dithered(page: Image, _: float, rng: np.random.Generator) -> Image:
    grey = 70 + page / 255 * 170
    return np.where(grey > rng.uniform(20, 255, page.shape), 255.0, 0.0)


def _dust(page: Image, _: float, rng: np.random.Generator) -> Image:
    spoilt = page.copy()
    middle = page.shape[1] // 2
    for x in middle + rng.integers(-60, 60, 2):
        spoilt[:, x : x + 2] = 30
    return spoilt


def _torn(page: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    spoilt = page.copy()
    x, y = rng.uniform(0.25, 0.75) * WIDTH_MM * px_per_mm, 0.37 * HEIGHT_MM * px_per_mm
    cv2.circle(spoilt, (round(x), round(y)), round(2.0 * px_per_mm), 235, -1)
    return spoilt


def _stain(page: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    spot = np.zeros_like(page)
    x, y = rng.uniform(0.4, 0.6) * WIDTH_MM * px_per_mm, 0.5 * HEIGHT_MM * px_per_mm
    cv2.circle(spot, (round(x), round(y)), round(8.0 * px_per_mm), 1, -1)
    return page * (1 - 0.45 * cv2.GaussianBlur(spot, (0, 0), 4))


def _stroke(page: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    spoilt = page.copy()
    ends = rng.uniform(0.3, 0.7, (2, 2)) * (WIDTH_MM, HEIGHT_MM) * px_per_mm
    (x0, y0), (x1, y1) = ends.round().astype(int).tolist()
    cv2.line(spoilt, (x0, y0), (x1, y1), 60, round(0.5 * px_per_mm), cv2.LINE_AA)
    return spoilt


def _uneven(page: Image, _: float, rng: np.random.Generator) -> Image:
    light = np.linspace(0.35, 1.0, page.shape[1])[None, :: int(rng.choice((-1, 1)))]
    return page * light


def _spread(page: Image, _: float, rng: np.random.Generator) -> Image:
    kernel = np.ones((3, 3), np.uint8)
    return cv2.erode(page, kernel) if rng.random() < 0.5 else cv2.dilate(page, kernel)


def _moved(shift_mm: float, tilt_deg: float) -> Spoil:
    """A label that was glued askew."""

    def spoil(page: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
        height, width = page.shape
        turn = cv2.getRotationMatrix2D(
            (width / 2, height / 2), tilt_deg * float(rng.choice((-1, 1))), 1.0
        )
        angle = rng.uniform(0, 2 * np.pi)
        shift = shift_mm * px_per_mm
        turn[0, 2] += shift * np.cos(angle)
        turn[1, 2] += shift * np.sin(angle)
        return cv2.warpAffine(page, turn, (width, height), borderValue=255.0)

    return spoil


def _tilted(page: Image, _: float, rng: np.random.Generator) -> Image:
    height, width = page.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + rng.uniform(-0.05, 0.05, (4, 2)) * (width, height)
    view = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(page, view, (width, height), borderValue=255.0)


WAYS: dict[str, Spoil] = {
    "clean": lambda page, *_: page,
    "blur 0.15 mm": _blur(0.15),
    "blur 0.25 mm": _blur(0.25),
    "noise": _noise,
    "pale": _pale,
    "JPEG quality 12": _jpeg,
    "150 dpi": _sampled(150),
    "100 dpi": _sampled(100),
    "1-bit": _bilevel,
    "dithered": _dithered,
    "dust": _dust,
    "torn": _torn,
    "stain": _stain,
    "pen stroke": _stroke,
    "uneven light": _uneven,
    "ink spread": _spread,
    "label 4 mm off, 8° askew": _moved(4.0, 8.0),
    "perspective": _tilted,
}


@dataclass(frozen=True, slots=True)
class _Symbol:
    """A spoilt symbol and what it says."""

    format: str
    way: str
    text: str
    pixels: NDArray[np.uint8]
    px_per_mm: float


def run(options: Options) -> Result:
    """Count by format and by way.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    del options
    read: dict[tuple[str, str], list[int]] = {}
    wrong = 0
    spent: dict[str, list[float]] = {name: [] for name in BOXES}
    for symbol in symbols(SEED, TIMES):
        role = Role.PAGE if symbol.format == "QRCode" else Role.CANDIDATE
        field = CodeField("label", BOXES[symbol.format], (symbol.format,), role)
        start = time.process_time()
        texts = _texts(symbol, field)
        spent[symbol.format].append(1000 * (time.process_time() - start))
        wrong += sum(text != symbol.text for text in texts)
        right = texts == [symbol.text]
        for key in (("format", symbol.format), ("way", symbol.way)):
            counts = read.setdefault(key, [0, 0, 0])
            counts[0] += int(right)
            counts[1] += int(_at_once(symbol))
            counts[2] += 1
    rows = [Row("read wrongly", wrong, "codes", Kind.COUNT)]
    for (_, name), (n_read, n_at_once, n) in read.items():
        rows.append(Row("read", 100 * n_read / n, "%", Kind.ACCURACY, Better.HIGHER, group=name))
        rows.append(
            Row("at once", 100 * n_at_once / n, "%", Kind.ACCURACY, Better.NEITHER, group=name)
        )
    rows += [
        Row("CPU", float(np.median(ms)), "ms", Kind.TIME, Better.LOWER, n=len(ms), group=name)
        for name, ms in spent.items()
    ]
    return Result("codes", tuple(rows), SEED, (f"{TIMES} symbols a way and format.",))


def symbols(seed: int, times: int) -> Iterator[_Symbol]:
    """Yield every format spoilt in every way, `times` each.

    Parameters
    ----------
    seed : int
    times : int
    """
    for f, (name, box) in enumerate(BOXES.items()):
        for w, (way, spoil) in enumerate(WAYS.items()):
            for k in range(times):
                rng = np.random.default_rng((seed, f, w, k))
                text = "".join(rng.choice(list("0123456789"), 10))
                if name == "QRCode":
                    text = f"IM1:EXAM2026:{text}:1:8F3A2B1C"
                page = spoil(_printed(text, name, box), PX_PER_MM, rng)
                scale = page.shape[1] / (WIDTH_MM * PX_PER_MM)
                pixels = np.clip(page, 0, 255).astype(np.uint8)
                yield _Symbol(name, way, text, pixels, PX_PER_MM * scale)


def _printed(text: str, name: str, box: Box) -> Image:
    """The symbol on its page, a little soft as print and scan make it."""
    fine = 4
    scale = PX_PER_MM * fine
    page = np.full((round(HEIGHT_MM * scale), round(WIDTH_MM * scale)), 255, np.uint8)
    barcode = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, name))
    symbol = np.asarray(barcode.to_image(add_quiet_zones=False))
    x0, y0, x1, y1 = (round(v * scale) for v in (box.x, box.y, box.right, box.bottom))
    page[y0:y1, x0:x1] = cv2.resize(symbol, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(page, None, fx=1 / fine, fy=1 / fine, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small.astype(np.float64), (0, 0), 0.5)


def _texts(symbol: _Symbol, field: CodeField) -> list[str]:
    page = PageLayout(WIDTH_MM, HEIGHT_MM, Anchors(AnchorKind.IMAGE), (field,))
    scale = symbol.px_per_mm
    place = Registration(0, (scale, 0.0, 0.0, 0.0, scale, 0.0, 0.0, 0.0, 1.0), 0.0, 4, 4)
    return [code.text for code in read_codes(Pixels.of(symbol.pixels), page, place)]


def _at_once(symbol: _Symbol) -> bool:
    """Whether the library reads the whole picture as it is."""
    formats = zxingcpp.BarcodeFormats(getattr(zxingcpp.BarcodeFormat, symbol.format))
    found = zxingcpp.read_barcodes(symbol.pixels, formats=formats)
    return [code.text for code in found] == [symbol.text]
