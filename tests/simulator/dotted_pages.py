"""White pages with dots on them, and where the dots are seen."""

from __future__ import annotations

import cv2
import numpy as np


def dotted(shape, dpi, step_mm=20.0, radius_mm=1.4):
    """A white page with a grid of dots, and their centres (n, 2) in mm."""
    scale = dpi / 25.4
    height, width = (side / scale for side in shape)
    x, y = np.meshgrid(np.arange(18, width - 12, step_mm), np.arange(18, height - 12, step_mm))
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    page = np.full(shape, 255, np.uint8)
    for at in np.rint((centres * scale - 0.5) * 16).astype(int).tolist():
        cv2.circle(page, tuple(at), round(radius_mm * scale * 16), 0, -1, cv2.LINE_AA, 4)
    return page, centres


def centroids(pixels, expected, half):
    """Centroids of what is darker than its surroundings near points (n, 2), in pixels."""
    found = []
    for x, y in expected:
        left, top = int(x) - half, int(y) - half
        part = pixels[max(top, 0) : top + 2 * half + 1, max(left, 0) : left + 2 * half + 1]
        dark = np.clip(0.9 * np.percentile(part, 90) - part, 0, None)
        yy, xx = np.mgrid[: dark.shape[0], : dark.shape[1]]
        weight = dark.sum()
        found.append(
            (max(left, 0) + (xx * dark).sum() / weight, max(top, 0) + (yy * dark).sum() / weight)
        )
    return np.array(found)
