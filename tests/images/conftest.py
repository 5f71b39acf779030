from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def page():
    """A grey page, (400, 283) uint8, that no turn or mirror leaves as it is."""
    rng = np.random.default_rng(7)
    pixels = np.full((400, 283), 235, np.uint8)
    cv2.rectangle(pixels, (10, 10), (60, 30), 20, -1)
    cv2.putText(pixels, "Rg7", (30, 200), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 40, 6)
    cv2.circle(pixels, (220, 350), 25, 110, -1)
    noise = cv2.GaussianBlur(rng.normal(0, 12, pixels.shape), (0, 0), 1.5)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)
