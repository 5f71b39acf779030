"""Compiled inner loops that look for the printed outlines of bubbles; each has a numpy twin.

The transform from sheet millimetres to pixels is that of `_kernels`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inkmark.omr._kernels import _to_px

__all__ = ["block_medians", "cut_patches", "outline_signs", "shift_scores"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def outline_signs(
    pixels: U8,
    hom: F64,
    mesh_x: F64,
    mesh_y: F64,
    mesh: F64,
    bubbles: F64,
    kind: I64,
    outlines: F64,
    beside_mm: float,
    out: F64,
) -> None:
    """How far outlines stand out where they should be, and to which side they are off.

    Parameters
    ----------
    pixels : (H, W) uint8
    hom, mesh_x, mesh_y, mesh : float64
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    kind : (n,) int64
        Which outline each bubble has.
    outlines : (s, m, 4) float64
        Points x, y in mm from the centre, and the outward normals there.
    beside_mm : float
        How far inside and outside of the outline it is compared.
    out : (n, 4) float64
        Filled, in shares of the light of the paper around the bubble: how much darker the
        outline's parts that face towards x and those towards y are than what lies inside and
        outside of them; and by how much it is darker outside than inside of them, half of it.
        NaN where a point lies beyond the image.
    """
    height, width = pixels.shape
    n_points = outlines.shape[1]
    for k in range(len(bubbles)):
        x, y, w, h = bubbles[k]
        px, py = _to_px(hom, mesh_x, mesh_y, mesh, x, y)
        right_x, right_y = _to_px(hom, mesh_x, mesh_y, mesh, x + w, y)
        down_x, down_y = _to_px(hom, mesh_x, mesh_y, mesh, x, y + h)
        ux, uy = (right_x - px) / w, (right_y - py) / w
        vx, vy = (down_x - px) / h, (down_y - py) / h
        outline = outlines[kind[k]]
        line_x = line_y = to_x = to_y = upright = level = 0.0
        paper = 1.0
        inside = True
        for i in range(n_points):
            a, b, na, nb = outline[i]
            at_x = px + a * ux + b * vx + 0.5
            at_y = py + a * uy + b * vy + 0.5
            step_x = beside_mm * (na * ux + nb * vx)
            step_y = beside_mm * (na * uy + nb * vy)
            low_x, high_x = min(at_x - step_x, at_x + step_x), max(at_x - step_x, at_x + step_x)
            low_y, high_y = min(at_y - step_y, at_y + step_y), max(at_y - step_y, at_y + step_y)
            if low_x < 0 or low_y < 0 or high_x >= width or high_y >= height:
                inside = False
                break
            within = float(pixels[int(at_y - step_y), int(at_x - step_x)])
            beyond = float(pixels[int(at_y + step_y), int(at_x + step_x)])
            line = 0.5 * (within + beyond) - float(pixels[int(at_y), int(at_x)])
            line_x += na * na * line
            line_y += nb * nb * line
            to_x += na * (within - beyond)
            to_y += nb * (within - beyond)
            upright += na * na
            level += nb * nb
            paper = max(paper, beyond)
        if not inside:
            out[k] = np.nan
            continue
        out[k, 0] = line_x / (upright * paper)
        out[k, 1] = line_y / (level * paper)
        out[k, 2] = to_x / (2.0 * upright * paper)
        out[k, 3] = to_y / (2.0 * level * paper)


@njit(cache=True, nogil=True)
def block_medians(values: F64, first: I64, out: F64) -> None:
    """Medians (n_blocks, k) of values (n, k) that are not NaN; of none 0."""
    order = np.empty(len(values))
    for b in range(len(first) - 1):
        for c in range(values.shape[1]):
            count = 0
            for k in range(first[b], first[b + 1]):
                value = values[k, c]
                if np.isnan(value):
                    continue
                at = count
                while at > 0 and order[at - 1] > value:
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = value
                count += 1
            out[b, c] = 0.0
            if count > 0:
                out[b, c] = 0.5 * (order[(count - 1) // 2] + order[count // 2])


@njit(cache=True, nogil=True)
def cut_patches(
    pixels: U8,
    hom: F64,
    mesh_x: F64,
    mesh_y: F64,
    mesh: F64,
    bubbles: F64,
    step_mm: float,
    out: F32,
) -> None:
    """Pictures of the bubbles' surroundings, all at one scale and upright.

    Parameters
    ----------
    pixels : (H, W) uint8
    hom, mesh_x, mesh_y, mesh : float64
    bubbles : (n, 4) float64
        Centre x, y, half width and half height in mm.
    step_mm : float
        What a pixel of the patches is on the sheet.
    out : (n, h, w) float32
        Filled, bilinear; odd sizes with the bubble's centre in the middle. Beyond the image
        it goes on as at its edge.
    """
    height, width = pixels.shape
    n_rows, n_columns = out.shape[1:]
    one, step = np.float32(1), np.uint64(1)
    for k in range(len(bubbles)):
        x, y, w, h = bubbles[k]
        px, py = _to_px(hom, mesh_x, mesh_y, mesh, x, y)
        right_x, right_y = _to_px(hom, mesh_x, mesh_y, mesh, x + w, y)
        down_x, down_y = _to_px(hom, mesh_x, mesh_y, mesh, x, y + h)
        ux, uy = step_mm * (right_x - px) / w, step_mm * (right_y - py) / w
        vx, vy = step_mm * (down_x - px) / h, step_mm * (down_y - py) / h
        half_x = (n_columns // 2) * abs(ux) + (n_rows // 2) * abs(vx)
        half_y = (n_columns // 2) * abs(uy) + (n_rows // 2) * abs(vy)
        clear = px >= half_x and py >= half_y
        clear = clear and px + half_x < width - 1.001 and py + half_y < height - 1.001
        for i in range(n_rows):
            b = i - n_rows // 2
            for j in range(n_columns):
                a = j - n_columns // 2
                at_x = px + a * ux + b * vx
                at_y = py + a * uy + b * vy
                if not clear:
                    at_x = min(max(at_x, 0.0), width - 1.001)
                    at_y = min(max(at_y, 0.0), height - 1.001)
                column, row = np.uint64(at_x), np.uint64(at_y)
                across, down = np.float32(at_x - column), np.float32(at_y - row)
                upper = pixels[row, column] * (one - across) + pixels[row, column + step] * across
                lower = (
                    pixels[row + step, column] * (one - across)
                    + pixels[row + step, column + step] * across
                )
                out[k, i, j] = upper * (one - down) + lower * down


@njit(cache=True, nogil=True)
def shift_scores(lines: F32, kind: I64, outlines: I64, out: F32) -> None:
    """How well the outline of each bubble fits what is seen, at each shift.

    Parameters
    ----------
    lines : (n, h, w) float32
        How much each pixel of the patches looks like a line.
    kind : (n,) int64
        Which outline each bubble has.
    outlines : (s, m, 2) int64
        Points x, y in pixels of a patch from its middle.
    out : (n, r, r) float32
        Filled: mean over the outline at shifts y, x from -(r // 2) to r // 2 pixels.
    """
    n_rows, n_columns = lines.shape[1:]
    n_points = outlines.shape[1]
    reach = out.shape[1] // 2
    for k in range(len(lines)):
        out[k] = 0.0
        patch = lines[k]
        for p in range(n_points):
            column = n_columns // 2 + outlines[kind[k], p, 0] - reach
            row = n_rows // 2 + outlines[kind[k], p, 1] - reach
            for i in range(out.shape[1]):
                for j in range(out.shape[2]):
                    out[k, i, j] += patch[row + i, column + j]
        out[k] /= n_points
