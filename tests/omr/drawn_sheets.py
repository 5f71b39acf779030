"""Sheets drawn straight from a layout: enough print and ink for the tests of the reader."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from inkmark.geometry import Box
from inkmark.layouts import AnchorKind, Anchors, BubbleField, BubbleShape, PageLayout

PX_PER_MM = 200 / 25.4


def sheet(n_items=40, width=210.0, height=297.0, options="ABCD", candidate_digits=8):
    """A page with square anchors, item rows in four columns and a candidate number."""
    squares = tuple(
        Box(x, y, 6.0, 6.0)
        for x, y in ((8, 8), (width - 14, 8), (width - 14, height - 14), (8, height - 14))
    )
    timing = tuple(
        Box(x, y, 4.0, 2.0)
        for x in (9.0, width - 13.0)
        for y in np.arange(26.0, height - 25.0, 12.5)
    )
    fields = [
        BubbleField(
            name=f"Q{i + 1}",
            options=tuple(options),
            origin=(30.0 + (i // 25) * 42.0, 110.0 + (i % 25) * 6.5),
            option_step=(7.5, 0.0),
            bubble_w=5.0,
            bubble_h=3.0,
        )
        for i in range(n_items)
    ]
    if candidate_digits:
        fields.append(
            BubbleField(
                name="candidate",
                options=tuple("0123456789"),
                origin=(100.0, 40.0),
                option_step=(0.0, 5.6),
                bubble_w=4.6,
                bubble_h=3.0,
                n_groups=candidate_digits,
                group_step=(7.0, 0.0),
                shape=BubbleShape.RECTANGLE,
            )
        )
    anchors = Anchors(AnchorKind.SQUARES, squares, Box(16.5, 9.0, 9.0, 4.0), timing)
    return PageLayout(width, height, anchors, tuple(fields))


def lying_sheet():
    """A3, lying, with the key mark on a short side and the timing marks on the long ones."""
    width, height = 420.0, 297.0
    squares = tuple(
        Box(x, y, 6.0, 6.0)
        for x, y in ((8, 8), (width - 14, 8), (width - 14, height - 14), (8, height - 14))
    )
    timing = tuple(
        Box(x, y, 2.0, 4.0) for y in (9.0, height - 13.0) for x in np.arange(26.0, 395.0, 12.5)
    )
    anchors = Anchors(AnchorKind.SQUARES, squares, Box(9.0, 16.5, 4.0, 9.0), timing)
    return PageLayout(width, height, anchors, sheet(candidate_digits=0).fields)


def draw(
    page: PageLayout,
    marks: Mapping[tuple[str, int], float] | None = None,
    *,
    scale: float = PX_PER_MM,
    ink: int = 20,
    letters: bool = True,
    margin_mm: float = 0.0,
    seed: int = 0,
):
    """Print a page and fill bubbles.

    `marks` maps (field, bubble index) to the share of light that the mark takes away.
    """
    rng = np.random.default_rng(seed)
    image = np.full(
        (
            round((page.height_mm + 2 * margin_mm) * scale),
            round((page.width_mm + 2 * margin_mm) * scale),
        ),
        240,
        np.uint8,
    )

    def px(x, y):
        return round((x + margin_mm) * scale), round((y + margin_mm) * scale)

    anchors = page.anchors
    for box in (
        *anchors.squares,
        *anchors.timing,
        *([anchors.key_mark] if anchors.key_mark else []),
    ):
        cv2.rectangle(image, px(box.x, box.y), px(box.right, box.bottom), ink, -1)
    for field in page.fields:
        for k, (x, y) in enumerate(field.centres()):
            half = (round(field.bubble_w * scale / 2), round(field.bubble_h * scale / 2))
            centre = px(x, y)
            taken = (marks or {}).get((field.name, k), 0.0)
            if letters:
                label = field.options[k % len(field.options)][0]
                size = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale / 20, 1)[0]
                at = (centre[0] - size[0] // 2, centre[1] + size[1] // 2)
                cv2.putText(image, label, at, cv2.FONT_HERSHEY_SIMPLEX, scale / 20, 120, 1)
            if taken:
                light = round(240 * (1 - taken * rng.uniform(0.9, 1.0)))
                _bubble(image, field.shape, centre, half, light, thickness=-1)
            _bubble(image, field.shape, centre, half, 90, thickness=1)
    return image


def _bubble(image, shape, centre, half, value, *, thickness):
    if shape is BubbleShape.OVAL:
        cv2.ellipse(image, centre, half, 0, 0, 360, value, thickness)
    else:
        low = (centre[0] - half[0], centre[1] - half[1])
        high = (centre[0] + half[0], centre[1] + half[1])
        cv2.rectangle(image, low, high, value, thickness)


def place(
    image, *, turn_deg=0.0, shift=(0.0, 0.0), shape=None, scale=1.0, border=255, stretch=None
):
    """Move a drawn sheet about in an image; returns the image and the (3, 3) px map.

    `stretch` maps drawn rows to a shift (x, y) in pixels that a feeder adds.
    """
    height, width = image.shape
    radians = np.radians(turn_deg)
    c, s = np.cos(radians) * scale, np.sin(radians) * scale
    if shape is None:
        shape = (
            int(abs(height * c) + abs(width * s)),
            int(abs(width * c) + abs(height * s)),
        )
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2]) + shift
    matrix = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    matrix[:2, 2] = centre - matrix[:2, :2] @ ((width - 1) / 2, (height - 1) / 2)
    if stretch is not None:
        rows = np.arange(height, dtype=np.float64)
        dx, dy = stretch(rows)
        grid_x = (np.arange(width)[None, :] - dx[:, None]).astype(np.float32)
        grid_y = np.broadcast_to((rows - dy)[:, None], grid_x.shape).astype(np.float32)
        image = cv2.remap(image, grid_x, grid_y, cv2.INTER_LINEAR, borderValue=240)
    placed = cv2.warpPerspective(
        image, matrix, shape[::-1], flags=cv2.INTER_LINEAR, borderValue=border
    )
    return placed, matrix
