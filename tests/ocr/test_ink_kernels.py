"""Kernels that tell inks apart, against plain numpy and OpenCV."""

import cv2
import numpy as np
import pytest

from inkmark.ocr import _ink_kernels as kernels


@pytest.fixture
def part():
    rng = np.random.default_rng(3)
    image = np.full((40, 50, 3), (236, 250, 244), np.int64) + rng.integers(-3, 4, (40, 50, 3))
    image[10:20, 5:45] = rng.integers(0, 256, (10, 40, 3))
    return image.astype(np.uint8)


def test_paper_is_the_median_of_the_lighter_half(part):
    light = part.max(axis=2)
    lighter = part[light >= np.sort(light.ravel())[light.size // 2 - 1]]
    found = np.empty(3)
    kernels.paper_colour(part, found)
    assert found == pytest.approx(np.median(lighter, axis=0), abs=1)


@pytest.mark.parametrize("level", [0, 255])
def test_paper_of_one_tone(level):
    found = np.empty(3)
    kernels.paper_colour(np.full((3, 4, 3), level, np.uint8), found)
    assert found.tolist() == [level] * 3


def test_colours_are_those_of_opencv_on_white_paper(part):
    paper = np.array([236.0, 250.0, 244.0])
    lab = np.empty(part.shape, np.float32)
    kernels.follow_lab(part, paper, lab)
    white = np.minimum(part / paper, 1.0).astype(np.float32)
    is_paper = (part >= paper - kernels._PALE).all(axis=2)
    expected = np.where(is_paper[:, :, None], (100, 0, 0), cv2.cvtColor(white, cv2.COLOR_BGR2LAB))
    assert lab == pytest.approx(expected, abs=0.6)
    assert 0.5 < is_paper.mean() < 0.95


def test_ways_are_those_of_smoothed_colours(part):
    lab = np.empty(part.shape, np.float32)
    kernels.follow_lab(part, np.array([236.0, 250.0, 244.0]), lab)
    away, way = np.empty(lab.shape[:2], np.float32), np.empty((*lab.shape[:2], 2), np.float32)
    kernels.follow_ways(lab, away, way)
    is_paper = (lab == (100, 0, 0)).all(axis=2)
    kernel = cv2.getGaussianKernel(3, 0.8)
    smooth = cv2.sepFilter2D(lab[:, :, 1:], -1, kernel, kernel)
    far = np.sqrt((100 - lab[:, :, 0]) ** 2 + (smooth**2).sum(axis=2))
    inner = np.zeros_like(is_paper)
    inner[1:-1, 1:-1] = True  # at the edge there are fewer neighbours
    inner &= ~is_paper
    assert away[inner] == pytest.approx(far[inner], abs=1e-2)
    assert way[inner] == pytest.approx((smooth / np.maximum(far, 1)[:, :, None])[inner], abs=1e-3)
    assert not away[is_paper].any()
    assert not way[is_paper].any()


def test_pixels_are_counted_by_their_direction(ways):
    away, way = ways
    counts = np.zeros((8, 8), np.int64)
    kernels.way_counts(away, way, 25.0, counts)
    b, a = way[away > 25][:, 1], way[away > 25][:, 0]
    expected, *_ = np.histogram2d(b, a, bins=8, range=((-1, 1), (-1, 1)))
    assert counts.tolist() == expected.tolist()


def test_coloured_pixels_are_those_whose_colours_differ(part):
    apart = np.ptp(part.astype(int), axis=2)
    for least in (0, 4, 40):
        assert kernels.coloured_pixels(part, least) == (apart > least).sum()


@pytest.fixture
def ways():
    rng = np.random.default_rng(5)
    away = rng.uniform(0, 80, (20, 30)).astype(np.float32)
    return away, rng.uniform(-1, 1, (20, 30, 2)).astype(np.float32)


INKS = np.array([(0.6, 0.3), (0.0, 0.0), (0.1, -0.5)], np.float32)


def test_pixels_count_for_the_nearest_ink(ways):
    away, way = ways
    inside = np.zeros(away.shape, np.bool_)
    inside[5:15, 5:20] = True
    tallies = np.zeros((3, 2), np.int64)
    kernels.ink_tallies(INKS, away, way, 25.0, inside, ~inside, tallies)
    nearest = ((way[:, :, None] - INKS) ** 2).sum(axis=-1).argmin(axis=-1)
    expected = [
        [(where & (away > 25) & (nearest == k)).sum() for where in (inside, ~inside)]
        for k in range(3)
    ]
    assert tallies.tolist() == expected


def test_shares_are_those_of_normal_distributions(ways):
    away, way = ways
    wanted = away > 10
    share = np.full_like(away, 7.0)
    kernels.own_share(INKS, 1, away, way, 0.1, 5.0, wanted, share)
    spread = 0.1**2 + (5.0 / np.maximum(away, 1.0)) ** 2
    apart = ((way[:, :, None] - INKS) ** 2).sum(axis=-1) / (2 * spread[:, :, None])
    weight = np.exp(-(apart - apart.min(axis=-1, keepdims=True)))
    expected = weight[:, :, 1] / weight.sum(axis=-1)
    assert share[wanted] == pytest.approx(expected[wanted], abs=1e-4)
    assert (share[~wanted] == 7.0).all()


@pytest.mark.parametrize("most", [1, 2, 5])
def test_small_pieces_are_those_of_opencv(most):
    rng = np.random.default_rng(most)
    inked = rng.random((40, 60)) < 0.12
    labels, boxes = np.empty(inked.shape, np.int32), np.empty((500, 4), np.int64)
    n = kernels.small_pieces(inked, most, labels, boxes)
    _, expected, stats, _ = cv2.connectedComponentsWithStats(inked.astype(np.uint8))
    is_small = stats[:, 2:4].max(axis=1) <= most
    is_small[0] = False
    assert n == is_small.sum()
    assert ((labels > 0) == is_small[expected]).all()
    assert ((labels == -1) == (inked & ~is_small[expected])).all()
    for label, box in enumerate(boxes[:n].tolist(), start=1):
        y, x = np.nonzero(labels == label)
        assert box == [x.min(), y.min(), x.max() + 1, y.max() + 1]
        assert len(np.unique(expected[y, x])) == 1


def test_pieces_without_room_are_other_ink():
    inked = np.zeros((5, 30), np.bool_)
    inked[2, ::4] = True
    labels, boxes = np.empty(inked.shape, np.int32), np.empty((3, 4), np.int64)
    assert kernels.small_pieces(inked, 2, labels, boxes) == 3
    assert (labels == -1).sum() == inked.sum() - 3
