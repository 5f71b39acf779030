"""Each kernel that finds how a sheet lies against plain numpy."""

from __future__ import annotations

from itertools import permutations

import cv2
import numpy as np
import pytest

from inkmark.geometry import apply_homography, fit_homography
from inkmark.omr import _placing_kernels as _kernels

SQUARES = np.array([(11, 11, 6.0), (199, 11, 6.0), (199, 286, 6.0), (11, 286, 6.0)])
AXES = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])


@pytest.fixture
def rng():
    return np.random.default_rng(12)


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
    n = _kernels.find_solids(dark.copy(), 20, 1000, 1.6, out)
    assert n == 2
    np.testing.assert_allclose(out[:2, :2], [(60.0, 60.0), (204.5, 104.5)], atol=0.3)
    assert out[1, 2] == pytest.approx(10.0)
    assert out[0, 2] ** 2 == pytest.approx(cv2.countNonZero(dark[50:71, 50:71]))


def solids(dark, min_px, max_px, longest):
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
        if 144 * det <= 1.35 * area**2 and trace**2 / det <= (longest + 1 / longest) ** 2:
            found.append((y[0] * dark.shape[1] + x[0], x.mean(), y.mean(), np.sqrt(area)))
    return np.array(sorted(found)).reshape(-1, 4)[:, 1:]


@pytest.mark.parametrize(("share", "longest"), [(0.5, 2.2), (0.65, 1.6), (0.8, 2.2)])
def test_find_solids_equals_numpy(rng, share, longest):
    image = (rng.random((160, 210)) > 0.97).astype(np.uint8)
    for _ in range(60):
        size = tuple(rng.uniform(3, 14, 2).tolist())
        box = ((rng.uniform(0, 210), rng.uniform(0, 160)), size, rng.uniform(0, 90))
        cv2.fillPoly(image, [cv2.boxPoints(box).round().astype(np.int32)], 1)
    image[rng.random(image.shape) > share + 0.2] = 0
    expected = solids(image, 12, 150, longest)
    out = np.empty((400, 3))
    n = _kernels.find_solids(image.copy(), 12, 150, longest, out)
    assert n == len(expected) > 0
    np.testing.assert_allclose(out[:n], expected, atol=1e-9)


def test_find_solids_stops_when_its_list_is_full():
    dark = np.zeros((100, 100), np.uint8)
    for k in range(5):
        dark[5 + 18 * k : 15 + 18 * k, 5:15] = 1
    assert _kernels.find_solids(dark, 20, 1000, 1.6, np.empty((3, 3))) == 3


def scattered(rng, homography, n=14):
    """Blobs (n, 3): the four squares through a homography, then others."""
    corners = apply_homography(homography, SQUARES[:, :2])
    sides = [6 * scale_at(homography, place) for place in SQUARES[:, :2]]
    others = np.column_stack([rng.uniform(10, 290, (n, 2)), rng.uniform(4, 9, n)])
    return np.vstack([np.column_stack([corners, sides]), others])


def scale_at(homography, place):
    """Pixels a millimetre, by small steps; 0 from behind."""
    at = apply_homography(homography, place + 1e-4 * AXES)
    (a, b), (c, d) = at[1:] - at[0]
    return np.sqrt(max((a * d - b * c) * 1e8, 0.0))


def flat_ways(blobs, min_length, size_tolerance, place_tolerance):
    """The search of `place_sheet` with complex numbers."""
    at, side = blobs[:, 0] + 1j * blobs[:, 1], blobs[:, 2]
    places, side_mm = SQUARES[:, 0] + 1j * SQUARES[:, 1], SQUARES[:, 2]
    ways = set()
    for one in (0, 1):
        for i, j in permutations(range(len(blobs)), 2):
            turn = (at[j] - at[i]) / (places[one + 2] - places[one])
            predicted = np.abs(turn) * side_mm
            fits = np.abs(np.log(predicted[:, None] / side)) <= np.log(size_tolerance)
            if abs(at[j] - at[i]) < min_length or not (fits[one, i] and fits[one + 2, j]):
                continue
            chosen, errors = {one: i, one + 2: j}, []
            for k in (1 - one, 3 - one):
                off = np.abs(at - (at[i] + turn * (places[k] - places[one]))) / abs(at[j] - at[i])
                off[~fits[k]] = np.inf
                if off.min() < place_tolerance:
                    chosen[k] = int(off.argmin())
                    errors.append(off.min())
            if errors:
                way = tuple(chosen.get(k, -1) for k in range(4))
                ways.add((round(np.mean(errors) + 2 - len(errors), 9), way))
    return sorted(ways)


def written(ways, n):
    return [(round(way[0], 9), tuple(int(k) for k in way[1:])) for way in ways[:n]]


@pytest.mark.parametrize("missing", [None, 2])
def test_place_sheet_equals_numpy(rng, missing):
    homography = np.array([[0.9, -0.05, 20.0], [0.05, 0.9, 8.0], [0.0, 0.0, 1.0]])
    blobs = scattered(rng, homography)
    if missing is not None:
        blobs = np.delete(blobs, missing, axis=0)
    blobs[:4, :2] += rng.normal(0, 0.3, (4, 2))
    ways = np.empty((500, 5))
    n = _kernels.place_sheet(blobs, SQUARES, 40.0, 1.4, 0.05, ways)
    tried = flat_ways(blobs, 40.0, 1.4, 0.05)
    assert {way for _, way in written(ways, n)} == {way for _, way in tried}
    assert set(written(ways, n)) <= set(tried)
    assert tried[0][1] in [way for _, way in written(ways, 2)]
    assert [w[0] for w in written(ways, n)] == sorted(w[0] for w in written(ways, n))


def test_place_sheet_keeps_the_best_where_its_list_is_full(rng):
    blobs = scattered(rng, np.diag([0.9, 0.9, 1.0]), n=40)
    many, few = np.empty((500, 5)), np.empty((3, 5))
    n = _kernels.place_sheet(blobs, SQUARES, 0.0, 1.4, 0.05, many)
    assert n > 3
    assert _kernels.place_sheet(blobs, SQUARES, 0.0, 1.4, 0.05, few) == 3
    np.testing.assert_array_equal(few[:, 0], many[:3, 0])


def test_four_points_equals_the_fitted_homography(rng):
    target = SQUARES[:, :2] + rng.normal(0, 20, (4, 2))
    homography = np.empty((3, 3))
    assert _kernels.four_points(SQUARES, target, homography)
    expected = fit_homography(SQUARES[:, :2], target)
    np.testing.assert_allclose(homography, expected, rtol=1e-6, atol=1e-9)
    assert not _kernels.four_points(SQUARES, np.zeros((4, 2)), homography)


def perspective_ways(blobs, min_area, size_tolerance):
    """All fours of `place_quads`, tried one by one."""
    ways = []
    for way in permutations(range(len(blobs)), 4):
        corners, sides = blobs[list(way), :2], blobs[list(way), 2]
        edges = np.roll(corners, -1, axis=0) - corners
        after = np.roll(edges, -1, axis=0)
        turns = edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]
        area = cv2.contourArea(corners.astype(np.float32))
        if (turns <= 0).any() or area < min_area:
            continue
        homography = fit_homography(SQUARES[:, :2], corners)
        predicted = np.array([6 * scale_at(homography, place) for place in SQUARES[:, :2]])
        with np.errstate(divide="ignore"):
            off = np.abs(np.log(predicted / sides))
        if (off < np.log(size_tolerance)).all():
            ways.append((off.mean() - 0.15 * np.log(2 * area), way))
    return sorted(ways)


@pytest.mark.parametrize("strength", [1.0, 3.0])
def test_place_quads_equals_trying_all(rng, strength):
    tilt = strength * np.array([0.0004, 0.0009])
    homography = np.array([[0.9, 0.1, 30.0], [-0.1, 1.1, 40.0], [*tilt, 1.0]])
    blobs = scattered(rng, homography, n=6)
    ways = np.empty((500, 5))
    n = _kernels.place_quads(blobs, SQUARES, 2000.0, 1.4, ways)
    expected = perspective_ways(blobs, 2000.0, 1.4)
    assert {way for _, way in written(ways, n)} == {way for _, way in expected}
    np.testing.assert_allclose(ways[:n, 0], [error for error, _ in expected], atol=1e-3)
    assert (0, 1, 2, 3) in {way for _, way in expected}
