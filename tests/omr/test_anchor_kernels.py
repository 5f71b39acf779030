"""Each kernel that measures anchors against plain numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_sheets import draw, sheet

from inkmark.geometry import apply_homography
from inkmark.omr import _anchor_kernels as _kernels
from inkmark.omr._anchors import anchor_plan

AXES = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def window(level, frame, at, sizes, ink):
    """Moments of the darkness in a window, as the kernel gives them; None outside."""
    reach, inner = sizes
    to_mm = frame[2:].reshape(2, 2)
    middle = frame[:2] + np.linalg.solve(to_mm, at)
    extent = np.abs(np.linalg.inv(to_mm)) @ reach
    low = np.ceil(middle - extent).astype(int)
    high = np.floor(middle + extent).astype(int)
    if low.min() < 0 or (high >= level.shape[::-1]).any():
        return None
    y, x = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
    off = np.stack([x - middle[0], y - middle[1]], axis=-1) @ to_mm.T
    inside = (np.abs(off) <= reach).all(axis=-1)
    grey = level[y[inside], x[inside]].astype(float)
    off = off[inside]
    ring = (np.abs(off) > inner).any(axis=1)
    paper = 0.0
    for _ in range(3):
        paper = grey[ring & (grey > 0.9 * paper)].mean()
    contrast = (paper - grey.min()) / paper
    light = ring & (grey - paper > -0.1 * paper)
    slope = (grey[light] - paper) @ off[light] / (off[light] ** 2).sum(axis=0)
    dark = np.minimum((paper + off @ slope - grey) / (paper * (ink or contrast)), 1.2)
    mean = dark @ off / dark.sum()
    cov = (dark * off.T) @ off / dark.sum() - np.outer(mean, mean)
    correlation = cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1])
    return dark.sum(), mean, np.diag(cov), correlation, contrast, (dark[ring] > 0.5).mean()


def measured(level, homography, box, start, ink):
    """Offset and contrast of a box in numpy; None where it is not found."""
    place, half, margin = box[:2] + start, box[2:4], box[4]
    at = apply_homography(homography, place + AXES)
    jacobian = np.column_stack([at[1] - at[0], at[2] - at[0]])
    to_mm = np.linalg.inv(jacobian)
    frame = np.concatenate([at[0], to_mm.ravel()])
    step = np.hypot(*to_mm.T)
    offset = np.zeros(2)
    for k in range(5):
        reach = half + (margin if k == 0 else 1.6 * step)
        seen = window(level, frame, offset, (reach, half + 0.75 * step if k else -1), ink)
        if seen is None:
            return None
        mass, mean, spread, correlation, contrast, dirt = seen
        offset = offset + mean
        if k and (np.abs(mean) / step).max() < 0.1:
            break
    spread = spread / (half**2 / 3 + step**2 / 12)
    good = (
        (np.abs(mean) / step).max() <= 0.3
        and 0.55 < mass / (np.linalg.det(jacobian) * 4 * half.prod()) < 1.6
        and abs(correlation) < 0.3
        and dirt < 0.12
        and spread.min() > 0.4
        and spread.max() < 2.0
        and (np.abs(offset) <= margin + 0.5 * step).all()
    )
    return np.array([*(start + offset), contrast]) if good else None


@pytest.mark.parametrize("turn_deg", [0.0, 7.0, 91.0])
def test_measure_anchors_equals_numpy(rng, turn_deg):
    plan = anchor_plan(sheet())
    drawn = draw(plan.page, scale=8.0)
    drawn[400:520, 60:100] = 30  # over two timing marks
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    middle = np.array([200.0, 200.0])
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    turn[:2, 2] = middle - turn[:2, :2] @ (105.0, 148.0)
    eighth = np.diag([8.0, 8.0, 1.0]) @ turn @ np.diag([1 / 8, 1 / 8, 1.0])
    placed = cv2.warpPerspective(drawn, eighth, (3200, 3200), borderValue=240)
    level = cv2.resize(placed, (400, 400), interpolation=cv2.INTER_AREA)
    shade = np.linspace(0.6, 1.0, 400)[None, :]
    level = np.clip(level * shade + rng.normal(0, 2, level.shape), 0, 255).astype(np.uint8)
    homography = turn @ np.array([[1.002, 0, 0.3], [0, 0.998, -0.2], [0, 0, 1.0]])
    out = np.empty((len(plan.boxes), 3))
    ink = _kernels.measure_anchors(level, homography, plan.boxes, plan.rails, 0.2, out)

    expected = np.zeros_like(out)
    for k in range(4):
        expected[k] = measured(level, homography, plan.boxes[k], np.zeros(2), 0.0)
    assert ink == pytest.approx(np.median(expected[:4, 2]))
    for first, last in zip(plan.rails, plan.rails[1:], strict=False):
        start, slope, before = np.zeros(2), np.zeros(2), None
        for k in range(first, last):
            start = start + slope
            found = measured(level, homography, plan.boxes[k], start, ink)
            if found is not None:
                if before is not None:
                    slope = (found[:2] - expected[before, :2]) / (k - before)
                expected[k], start, before = found, found[:2], k
    np.testing.assert_allclose(out, expected, atol=1e-6)
    missing = np.flatnonzero(out[:, 2] == 0)
    assert 1 <= len(missing) <= 4
    middles = np.array([[1, 0, -7 / 16], [0, 1, -7 / 16], [0, 0, 1.0]])  # of eight pixels' means
    true = np.linalg.inv(homography) @ middles @ turn
    places = plan.boxes[:, :2]
    off = apply_homography(true, places) - places
    seen = out[:, 2] > 0
    np.testing.assert_allclose(out[seen, :2], off[seen], atol=0.12)


def test_measure_anchors_finds_nothing_on_an_empty_page():
    plan = anchor_plan(sheet())
    out = np.empty((len(plan.boxes), 3))
    level = np.full((300, 210), 240, np.uint8)
    assert _kernels.measure_anchors(level, np.eye(3), plan.boxes, plan.rails, 0.2, out) == 0
    assert (out == 0).all()


def test_lightness_is_the_median_of_a_grid(rng):
    level = rng.integers(0, 256, (120, 150)).astype(np.uint8)
    homography = np.array([[1.1, 0.1, 3.0], [-0.1, 0.9, 9.0], [0.0, 0.0, 1.0]])
    x, y = np.meshgrid(20 + 30 * (np.arange(10) + 0.5) / 10, 40 + 12 * (np.arange(6) + 0.5) / 6)
    columns, rows = np.rint(
        apply_homography(homography, np.column_stack([x.ravel(), y.ravel()]))
    ).astype(int).T  # fmt: skip
    box = np.array([20.0, 40.0, 30.0, 12.0])
    assert _kernels.lightness(level, homography, box) == np.median(level[rows, columns])
    assert _kernels.lightness(level, homography, box + np.array([500.0, 0, 0, 0])) == -1


def fitted(plan, found, outlier_mm):
    """What `fit_anchors` gives, by lstsq and interp."""
    found = found.copy()
    for first, last in zip(plan.rails, plan.rails[1:], strict=False):
        seen = first + np.flatnonzero(found[first:last, 2] > 0)
        own = found[seen, :2].copy()
        for i, k in enumerate(seen):
            near = own[np.clip(np.arange(i - 2, i + 3), 0, len(own) - 1)]
            if np.abs(own[i] - np.median(near, axis=0)).max() > outlier_mm:
                found[k, 2] = 0
    boxes, seen = plan.boxes[:, :2], found[:, 2] > 0
    centre = boxes[:4].mean(axis=0)
    half = np.abs(boxes[:4] - centre).max()
    unit, off = (boxes[seen] - centre) / half, found[seen, :2] / half
    to = unit + off
    rows = np.zeros((2 * len(unit) + 8, 8))
    for axis in (0, 1):
        part = rows[axis : 2 * len(unit) : 2]
        part[:, 3 * axis : 3 * axis + 2], part[:, 3 * axis + 2] = unit, 1.0
        part[:, 6:] = -unit * to[:, [axis]]
    rows[2 * len(unit) :] = np.sqrt(1e-3) * np.eye(8)
    solution = np.linalg.lstsq(rows, np.concatenate([off.ravel(), np.zeros(8)]))[0]
    warp = np.eye(3) + np.append(solution, 0.0).reshape(3, 3)
    back = np.array([[half, 0, centre[0]], [0, half, centre[1]], [0, 0, 1.0]])
    warp = back @ warp @ np.linalg.inv(back)
    warp /= warp[2, 2]
    shifts = apply_homography(np.linalg.inv(warp), boxes + found[:, :2]) - boxes
    bend = np.sqrt((shifts[seen] ** 2).sum(axis=1).mean())
    off, ends, mesh = [], [], []
    for side in plan.sides:
        chain = side[side >= 0]
        chain = chain[seen[chain]]
        at, own = boxes[chain, plan.along], shifts[chain]
        for i in range(1, len(chain) - 1):
            others = np.delete(at, i), np.delete(own, i, axis=0)
            expected = [np.interp(at[i], others[0], others[1][:, axis]) for axis in (0, 1)]
            off.append(np.hypot(*(own[i] - expected)))
        around = np.pad(own, ((1, 1), (0, 0)), mode="edge")
        smooth = (around[:-2] + around[1:-1] + around[2:]) / 3
        mesh.append(np.column_stack([np.interp(plan.knots, at, smooth[:, a]) for a in (0, 1)]))
        ends += [at[0], at[-1]]
    inside = np.flatnonzero((plan.knots >= min(ends)) & (plan.knots <= max(ends)))
    figures = np.sqrt(np.mean(np.square(off))), max(off), bend, inside[0], inside[-1]
    return warp, np.array(mesh), figures, found


@pytest.mark.parametrize("missing", [(), (0, 5, 6, 7, 8, 30), (0, 1)])
def test_fit_anchors_equals_numpy(rng, missing):
    plan = anchor_plan(sheet())
    found = np.ones((len(plan.boxes), 3))
    x, y = plan.boxes[:, :2].T
    found[:, 0] = 0.002 * x - 0.003 * y + 3e-6 * x * y + rng.normal(0, 0.02, len(x))
    found[:, 1] = 0.5 * np.sin(y / 90) + rng.normal(0, 0.02, len(x))
    found[12, :2] += 0.9  # another thing
    found[list(missing), 2] = 0
    warp, mesh, figures, kept = fitted(plan, found, 0.5)
    out_warp, out_mesh = np.empty((3, 3)), np.empty((2, len(plan.knots), 2))
    given = found.copy()
    out = _kernels.fit_anchors(
        plan.boxes, plan.rails, given, plan.sides, plan.knots, plan.along, 0.5, out_warp, out_mesh
    )
    assert given[12, 2] == 0
    np.testing.assert_array_equal(given, kept)
    np.testing.assert_allclose(out, figures, rtol=1e-6)
    np.testing.assert_allclose(out_warp, warp, atol=1e-7)
    np.testing.assert_allclose(out_mesh, mesh, atol=1e-7)


def test_fit_anchors_takes_the_shifts_of_one_side_for_the_other():
    plan = anchor_plan(sheet())
    found = np.zeros((len(plan.boxes), 3))
    found[plan.sides[0]] = (0.1, 0.2, 1.0)
    warp, mesh = np.empty((3, 3)), np.empty((2, len(plan.knots), 2))
    *_, first, last = _kernels.fit_anchors(
        plan.boxes, plan.rails, found, plan.sides, plan.knots, plan.along, 0.5, warp, mesh
    )
    assert (first, last) == (0, len(plan.knots) - 1)
    np.testing.assert_array_equal(mesh[0], mesh[1])
    found[:, 2] = 0
    assert _kernels.fit_anchors(
        plan.boxes, plan.rails, found, plan.sides, plan.knots, plan.along, 0.5, warp, mesh
    ) == (-1.0, 0.0, 0.0, 0, -1)
