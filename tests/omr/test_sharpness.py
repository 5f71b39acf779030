"""A blurred page has wider edges than a sharp one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from drawn_sheets import draw, sheet

from inkmark.images import Pixels
from inkmark.layouts import PageLayout
from inkmark.omr import RegistrationFailure, edge_width_mm, register
from inkmark.omr._sharpness_kernels import MIN_CONTRAST, edge_widths
from inkmark.readings import Registration


def plain_edge_widths(grey: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    widths = np.zeros(len(boxes))
    height, width = grey.shape
    down, across = np.zeros(grey.shape), np.zeros(grey.shape)
    values = grey.astype(float)
    down[1:-1] = (values[2:] - values[:-2]) / 2
    across[:, 1:-1] = (values[:, 2:] - values[:, :-2]) / 2
    slope = np.hypot(across, down)
    for k, (left, top, right, bottom) in enumerate(boxes):
        inside = np.s_[
            max(top, 0) + 1 : max(min(bottom, height) - 1, 0),
            max(left, 0) + 1 : max(min(right, width) - 1, 0),
        ]
        if grey[inside].size and np.ptp(values[inside]) >= MIN_CONTRAST and slope[inside].any():
            widths[k] = np.ptp(values[inside]) / slope[inside].max()
    return widths


def test_the_kernel_does_what_its_twin_does() -> None:
    rng = np.random.default_rng(4)
    grey = cv2.GaussianBlur(rng.integers(0, 256, (60, 80)).astype(np.uint8), (0, 0), 1.5)
    low = rng.integers(-20, 70, (200, 2))
    boxes = np.concatenate([low, low + rng.integers(0, 40, (200, 2))], axis=1)
    found = np.full(len(boxes), np.nan)
    edge_widths(grey, boxes, found)
    expected = plain_edge_widths(grey, boxes)
    assert (expected > 0).sum() > 50
    assert (expected == 0).sum() > 20
    np.testing.assert_allclose(found, expected)


def test_a_pattern_without_slope_and_a_page_without_pixels_have_no_edges() -> None:
    board = np.indices((40, 40)).sum(axis=0) % 2 * np.uint8(255)
    for grey in (board.astype(np.uint8), np.zeros((0, 0), np.uint8), np.zeros((1, 1), np.uint8)):
        found = np.full(1, np.nan)
        edge_widths(grey, np.array([[0, 0, 40, 40]]), found)
        assert found == [0.0]


@pytest.fixture(scope="module")
def page() -> PageLayout:
    return sheet()


def lies(pixels: np.ndarray, page: PageLayout) -> Registration:
    registration = register(Pixels.of(pixels), page)
    assert not isinstance(registration, RegistrationFailure)
    return registration


def test_edges_are_the_wider_the_more_a_page_is_blurred(page: PageLayout) -> None:
    sharp = draw(page, {})
    registration = lies(sharp, page)
    widths = [edge_width_mm(Pixels.of(sharp), page, registration)]
    for sigma_px in (1.5, 2.5, 4.0):
        blurred = cv2.GaussianBlur(sharp, (0, 0), sigma_px)
        widths.append(edge_width_mm(Pixels.of(blurred), page, registration))
    assert all(a and b and b > 1.2 * a for a, b in pairwise(widths))


def test_a_page_on_which_nothing_is_to_be_seen_has_the_widest_edges(page: PageLayout) -> None:
    registration = lies(draw(page, {}), page)
    white = np.full_like(draw(page, {}), 255)
    width = edge_width_mm(Pixels.of(white), page, registration)
    assert width is not None
    assert width > 3.0


def test_a_page_without_bubbles_is_not_measured(page: PageLayout) -> None:
    bare = replace(page, fields=())
    white = np.full_like(draw(page, {}), 255)
    assert edge_width_mm(Pixels.of(white), bare, lies(draw(page, {}), page)) is None
