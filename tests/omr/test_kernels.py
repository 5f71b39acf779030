"""Each kernel of the bubble reader against plain numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from inkmark.geometry import apply_homography
from inkmark.omr import _kernels
from inkmark.omr._transform import Transform
from inkmark.readings import Registration, ShiftMesh


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(11)


@pytest.fixture(scope="module")
def registration(rng):
    x, y = (10.0, 100.0, 200.0), (12.0, 50.0, 120.0, 290.0)
    shifts = rng.normal(0, 0.5, (2, 12))
    return Registration(
        orientation_deg=0,
        homography=(7.8, 0.3, 5.0, -0.2, 7.9, 3.0, 1e-5, -2e-5, 1.0),
        residual_mm=0.1,
        anchors_found=0,
        anchors_expected=0,
        shifts=ShiftMesh(x, y, tuple(shifts[0].tolist()), tuple(shifts[1].tolist())),
    )


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


def test_map_points_equals_the_registration_in_numpy(rng, registration):
    points = rng.uniform(-5, 300, (200, 2))
    points[:4] = [(10.0, 12.0), (200.0, 290.0), (100.0, 50.0), (150.0, 290.0)]
    mapped = Transform.of(registration).to_px(points)
    np.testing.assert_allclose(mapped, registration.to_px(points), atol=1e-9)


def test_map_points_without_shifts_is_the_homography(rng, registration):
    plain = Registration(0, registration.homography, 0.0, 0, 0)
    points = rng.uniform(0, 300, (50, 2))
    expected = apply_homography(np.reshape(registration.homography, (3, 3)), points)
    np.testing.assert_allclose(Transform.of(plain).to_px(points), expected, atol=1e-9)


def axes(registration, bubbles):
    """Centres of bubbles in px and the ways to their right and lower edges, (n, 2) each."""
    centre = registration.to_px(bubbles[:, :2])
    right = registration.to_px(bubbles[:, :2] + bubbles[:, 2:] * (1, 0))
    below = registration.to_px(bubbles[:, :2] + bubbles[:, 2:] * (0, 1))
    return centre, right - centre, below - centre


def test_place_bubbles_equals_the_registration_in_numpy(rng, registration):
    bubbles = np.column_stack([rng.uniform(10, 90, (40, 2)), rng.uniform(1.5, 3.0, (40, 2))])
    places = Transform.of(registration).places(bubbles)
    np.testing.assert_allclose(places, np.hstack(axes(registration, bubbles)), atol=1e-9)


def test_sample_bubbles_equals_numpy(rng, registration):
    pixels = rng.integers(0, 256, (800, 900)).astype(np.uint8)
    bubbles = np.column_stack([rng.uniform(10, 90, (40, 2)), rng.uniform(1.5, 3.0, (40, 2))])
    bubbles[0, :2] = (200.0, 50.0)  # outside
    bubbles[1] = (2.0, 50.0, 1.0, 1.0)  # across the edge
    points, shape = rng.uniform(-1.4, 1.4, (2, 2, 60)), rng.integers(0, 2, 40)
    places = Transform.of(registration).places(bubbles)
    samples, seen = np.empty((40, 60), dtype=np.uint8), np.empty(40, dtype=bool)
    _kernels.sample_bubbles(pixels, places, shape, points, 20, samples, seen)
    centre, across, down = axes(registration, bubbles)
    a, b = points[shape, 0, :, None], points[shape, 1, :, None]
    xy = centre[:, None] + a * across[:, None] + b * down[:, None]
    limit = np.array(pixels.shape[::-1]) - 1
    whole = (xy[:, :20] >= 0).all(axis=(1, 2)) & (xy[:, :20] <= limit).all(axis=(1, 2))
    np.testing.assert_array_equal(seen, whole)
    expected = bilinear(pixels, np.clip(xy, 0, limit - 1e-6))
    # Positions are kept in 256ths of a pixel, which noise this rough shows.
    assert np.abs(samples - expected).max() <= 2.5
    assert seen.sum() > 30
    assert not seen[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("column", [0, 2, 5])
def test_no_place_is_sampled_beyond_the_image(value, column):
    pixels = np.full((50, 60), 7, dtype=np.uint8)
    places = np.array([[20.0, 20.0, 3.0, 0.0, 0.0, 3.0]])
    places[0, column] = value
    points, shape = np.array([[[-1.0, 0.0, 1.0], [0.0, 1.0, -1.0]]]), np.zeros(1, dtype=np.int64)
    samples, seen = np.empty((1, 3), dtype=np.uint8), np.ones(1, dtype=bool)
    _kernels.sample_bubbles(pixels, places, shape, points, 3, samples, seen)
    assert not seen[0]
    assert (samples == 7).all()


def test_field_boxes_equal_numpy(rng, registration):
    bubbles = np.column_stack([rng.uniform(10, 90, (12, 2)), rng.uniform(1.5, 3.0, (12, 2))])
    first = np.array([0, 4, 5, 12])
    out = np.empty((3, 8))
    _kernels.field_boxes(Transform.of(registration).places(bubbles), first, 1.5, out)
    centre, across, down = axes(registration, bubbles)
    half = np.abs(across) + np.abs(down)
    for box, (start, end) in zip(out, pairwise(first), strict=True):
        for corners, size in ((box[:4], 1.0), (box[4:], 1.5)):
            low = (centre - size * half)[start:end].min(axis=0)
            high = (centre + size * half)[start:end].max(axis=0)
            np.testing.assert_allclose(corners, [*low, *high], atol=1e-9)


def bumps(points, sigma=3.0, shape=(200, 260)):
    """A map with a smooth hill at every point."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    hills = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * sigma**2)) for a, b in points]
    return np.sum(hills, axis=0).astype(np.float32)


def grid():
    return np.array([(40.0 + 30 * i, 30.0 + 25 * k) for k in range(6) for i in range(6)])


def test_best_shift_equals_trying_all_shifts():
    points = grid()
    response = bumps(points + np.array([4.0, -6.0]))
    x, y, value = _kernels.best_shift(response, points, np.array([9.0, 9.0]), 1.0)
    assert (x, y) == (4.0, -6.0)

    def mean(dx, dy):
        columns, rows = np.add(points, (dx, dy)).astype(int).T
        near = 1 - 0.15 * ((dx / 9) ** 2 + (dy / 9) ** 2)
        return response[rows, columns].mean() * near

    tried = {(dx, dy): mean(dx, dy) for dx in range(-9, 10) for dy in range(-9, 10)}
    assert max(tried, key=tried.get) == (4, -6)
    assert value == pytest.approx(tried[4, -6], rel=1e-5)


def test_fit_moves_finds_shift_stretch_and_turn():
    points = grid()
    centre, reach = np.array([115.0, 92.5]), np.array([75.0, 62.5])
    true = np.array([2.5, -1.5, 3.0, 2.0, -2.0, 1.0])

    def moved(moves):
        share = (points - centre) / reach
        return points + moves[:2] + share[:, :1] * moves[2:4] + share[:, 1:] * moves[4:]

    response = bumps(moved(true))
    moves = np.zeros(6)
    value = _kernels.fit_moves(response, points, centre, reach, moves, np.ones(6), np.full(6, 5.0))
    np.testing.assert_allclose(moves, true, atol=0.3)
    assert value == pytest.approx(bilinear(response, moved(moves)).mean(), rel=1e-4)


def climbed(response, points, extent, moves, bounds):
    """The search of `fit_moves` in numpy."""

    (centre, reach), (steps, limit) = extent, bounds

    def mean(moves):
        share = (points - centre) / reach
        at = points + moves[:2] + share[:, :1] * moves[2:4] + share[:, 1:] * moves[4:]
        high = np.subtract(response.shape[::-1], 1)
        inside = ((at >= 0) & (at < high)).all(axis=1)
        return np.where(inside, bilinear(response, np.clip(at, 0, high)), 0.0).mean()

    moves, best = moves.copy(), mean(moves)
    for scale in (1.0, 0.5, 0.25, 0.125):
        for _ in range(40):
            before = best
            for k in np.flatnonzero(steps):
                for sign in (-1.0, 1.0):
                    tried = moves.copy()
                    tried[k] += sign * scale * steps[k]
                    value = mean(tried) if abs(tried[k]) <= limit[k] else -np.inf
                    if value > best + 1e-7:
                        moves, best = tried, value
            if best == before:
                break
    return moves, best


@pytest.mark.parametrize("off", [(0.0, 0.0), (3.0, -2.0), (-28.0, 5.0)])
def test_fit_moves_equals_numpy(rng, off):
    points = grid() + off
    response = bumps(grid() + rng.normal(0, 1.5, (36, 2))) + rng.normal(0, 0.02, (200, 260))
    response = response.astype(np.float32)
    centre, reach = points.mean(axis=0), np.array([75.0, 62.5])
    steps, limit = (
        np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
        np.array([4.0, 4.0, 3.0, 3.0, 3.0, 2.0]),
    )
    expected, best = climbed(response, points, (centre, reach), np.zeros(6), (steps, limit))
    moves = np.zeros(6)
    value = _kernels.fit_moves(response, points, centre, reach, moves, steps, limit)
    np.testing.assert_allclose(moves, expected, atol=1e-12)
    assert value == pytest.approx(best, rel=1e-6)


def test_fit_moves_keeps_its_limits_and_frozen_parameters():
    points = grid()
    response = bumps(points + 6.0)
    moves = np.zeros(6)
    steps, limit = np.array([1.0, 0, 0, 0, 0, 0]), np.array([2.0, 9, 9, 9, 9, 9])
    _kernels.fit_moves(response, points, np.zeros(2), np.ones(2), moves, steps, limit)
    assert 0 < moves[0] <= 2.0
    assert (moves[1:] == 0).all()
