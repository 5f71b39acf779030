"""Each kernel of registration against plain numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inkmark.geometry import apply_homography
from inkmark.omr import _registration_kernels as _kernels


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def bilinear(pixels, xy):
    """Grey values at positions inside the image."""
    x, y = xy[..., 0], xy[..., 1]
    column = np.minimum(x.astype(int), pixels.shape[1] - 2)
    row = np.minimum(y.astype(int), pixels.shape[0] - 2)
    a, d = x - column, y - row
    grey = np.asarray(pixels, dtype=np.float64)
    upper = grey[row, column] * (1 - a) + grey[row, column + 1] * a
    lower = grey[row + 1, column] * (1 - a) + grey[row + 1, column + 1] * a
    return upper * (1 - d) + lower * d


def test_find_solids_finds_the_solid_squares_only():
    dark = np.zeros((200, 300), np.uint8)
    turned = cv2.boxPoints(((60.0, 60.0), (12.0, 12.0), 20.0)).round().astype(np.int32)
    cv2.fillPoly(dark, [turned], 1)
    dark[100:110, 200:210] = 1
    dark[150:153, 50:90] = 1  # a line
    cv2.rectangle(dark, (150, 20), (165, 35), 1, 1)  # hollow
    dark[190:200, 290:300] = 1  # cut by the window
    dark[20:22, 20:22] = 1  # too small
    out = np.empty((50, 3))
    n = _kernels.find_solids(dark, 20, 1000, out)
    assert n == 2
    np.testing.assert_allclose(out[:2, :2], [(60.0, 60.0), (204.5, 104.5)], atol=0.3)
    assert out[1, 2] == pytest.approx(10.0)
    assert out[0, 2] ** 2 == pytest.approx(cv2.countNonZero(dark[50:71, 50:71]))


def solids(dark, min_px, max_px):
    """Centre x, y and side of solid blobs, in the order of their first pixels."""
    count, labels = cv2.connectedComponents(dark, connectivity=4)
    found = []
    for label in range(1, count):
        y, x = np.nonzero(labels == label)
        area = len(x)
        high = np.subtract(dark.shape, 1)
        cut = min(x.min(), y.min()) == 0 or y.max() == high[0] or x.max() == high[1]
        if cut or not min_px <= area <= max_px:
            continue
        cov = np.cov(x, y, bias=True) + np.eye(2) / 12
        det, trace = np.linalg.det(cov), np.trace(cov)
        if 144 * det <= 1.35 * area**2 and trace**2 <= 4.9 * det:
            found.append((y[0] * dark.shape[1] + x[0], x.mean(), y.mean(), np.sqrt(area)))
    return np.array(sorted(found)).reshape(-1, 4)[:, 1:]


@pytest.mark.parametrize("share", [0.5, 0.65, 0.8])
def test_find_solids_equals_numpy(rng, share):
    image = (rng.random((160, 210)) > 0.97).astype(np.uint8)
    for _ in range(60):
        size = tuple(rng.uniform(3, 14, 2).tolist())
        box = ((rng.uniform(0, 210), rng.uniform(0, 160)), size, rng.uniform(0, 90))
        cv2.fillPoly(image, [cv2.boxPoints(box).round().astype(np.int32)], 1)
    image[rng.random(image.shape) > share + 0.2] = 0
    expected = solids(image, 12, 150)
    out = np.empty((400, 3))
    n = _kernels.find_solids(image.copy(), 12, 150, out)
    assert n == len(expected) > 1
    np.testing.assert_allclose(out[:n], expected, atol=1e-9)


def test_find_solids_stops_when_its_list_is_full():
    dark = np.zeros((100, 100), np.uint8)
    for k in range(5):
        dark[5 + 18 * k : 15 + 18 * k, 5:15] = 1
    assert _kernels.find_solids(dark, 20, 1000, np.empty((3, 3))) == 3


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.7, -0.9), (-1.2, 1.1)])
def test_locate_boxes_measures_offsets(offset):
    pixels = np.full((400, 400), 230, np.uint8)
    homography = np.array([[8.0, 0.2, 3.0], [-0.2, 8.0, 9.0], [0.0, 0.0, 1.0]])
    boxes = np.array([(12.0, 12.0, 2.0, 1.0, 1.5), (30.0, 30.0, 2.0, 2.0, 1.5)])
    for x, y, w, h, _ in boxes:
        corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) + np.add((x, y), offset)
        fixed = (apply_homography(homography, corners) * 16).round().astype(np.int32)
        cv2.fillPoly(pixels, [fixed], 30, cv2.LINE_AA, 4)
    out = np.empty((2, 3))
    _kernels.locate_boxes(pixels, homography, boxes, False, 0.2, out)
    np.testing.assert_allclose(out[:, :2], [offset, offset], atol=0.06)
    assert (out[:, 2] > 0.7).all()


def run(profile, expected):
    """Edges of the run above half height nearest the middle, of about a length."""
    level = profile.max() / 2
    steps = np.diff(np.concatenate([[0], profile >= level, [0]]).astype(int))
    best, edges = np.inf, None
    for first, end in zip(np.flatnonzero(steps > 0), np.flatnonzero(steps < 0), strict=True):
        if first == 0 or end == len(profile):
            continue
        left = np.interp(level, profile[first - 1 : first + 1], [first - 1, first])
        right = np.interp(-level, -profile[end - 1 : end + 1], [end - 1, end])
        distance = abs((left + right) / 2 - (len(profile) - 1) / 2)
        if 0.6 * expected <= right - left <= 1.6 * expected and distance < best:
            best, edges = distance, (left, right)
    return edges


def located(pixels, homography, boxes, follow, min_contrast):
    """Offset and contrast of each box in numpy."""
    n = _kernels.N_PROFILE
    result, offset = np.zeros((len(boxes), 3)), np.zeros(2)
    for k, (x, y, w, h, margin) in enumerate(boxes):
        offset = offset if follow else np.zeros(2)
        reach = np.array([w + margin, h + margin])
        centre = np.add((x, y), offset)
        seen = apply_homography(
            homography, [centre, centre + reach * (1, 0), centre + reach * (0, 1)]
        )
        side = np.linspace(-1, 1, n)
        at = (
            seen[0]
            + side[None, :, None] * (seen[1] - seen[0])
            + side[:, None, None] * (seen[2] - seen[0])
        )
        grid = bilinear(pixels, np.clip(at, 0, np.subtract(pixels.shape[::-1], 1)))
        middle = grid.mean()
        for _ in range(3):
            low, high = grid[grid < middle], grid[grid >= middle]
            if not len(low) or not len(high):
                break
            low, high = low.mean(), high.mean()
            middle = (low + high) / 2
        if np.ndim(low) or high - low < min_contrast * high:
            continue
        dark = np.clip((high - grid) / (high - low), 0, 1)
        step = 2 * reach / (n - 1)

        def trimmed(edges):
            trim = 0.15 * (edges[1] - edges[0])
            return slice(int(np.ceil(edges[0] + trim)), int(edges[1] - trim) + 1)

        rows = run(dark.sum(axis=1), 2 * h / step[1])
        columns = rows and run(dark[trimmed(rows)].sum(axis=0), 2 * w / step[0])
        rows = columns and run(dark[:, trimmed(columns)].sum(axis=1), 2 * h / step[1])
        if not rows:
            continue
        offset = offset + np.array([np.mean(columns), np.mean(rows)]) * step - reach
        result[k] = (*offset, (high - low) / high)
    return result


@pytest.mark.parametrize("follow", [False, True])
def test_locate_boxes_equals_numpy(rng, follow):
    homography = np.array([[7.9, 0.3, 3.0], [-0.2, 8.1, 9.0], [1e-4, -5e-5, 1.0]])
    boxes = np.array([(8.0 + 11 * (k % 6), 9.0 + 6 * (k // 6), 2.0, 1.0, 1.4) for k in range(48)])
    pixels = np.full((480, 560), 220, np.uint8)
    for k, (x, y, w, h, _) in enumerate(boxes):
        shift = rng.normal(0, 0.4, 2) * (k % 5 > 0)
        size = np.array([w, h]) * (1.0 if k % 7 else 2.0)  # every seventh is another thing
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * size + (x, y) + shift
        fixed = (apply_homography(homography, corners) * 16).round().astype(np.int32)
        cv2.fillPoly(pixels, [fixed], int(rng.integers(20, 200)), cv2.LINE_AA, 4)
    pixels = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    out = np.empty((len(boxes), 3))
    _kernels.locate_boxes(pixels, homography, boxes, follow, 0.2, out)
    expected = located(pixels, homography, boxes, follow, 0.2)
    assert 10 < (expected[:, 2] > 0).sum() < len(boxes)
    np.testing.assert_allclose(out, expected, atol=2e-3)


def test_locate_boxes_refuses_what_is_not_the_box():
    pixels = np.full((400, 400), 230, np.uint8)
    pixels[80:120, 60:180] = 30  # three times too long
    homography = np.diag([8.0, 8.0, 1.0])
    boxes = np.array([(15.0, 12.5, 2.5, 2.5, 2.0), (40.0, 40.0, 2.0, 2.0, 1.0)])
    out = np.empty((2, 3))
    _kernels.locate_boxes(pixels, homography, boxes, False, 0.2, out)
    assert (out == 0).all()
