"""Intrinsic operations against plain numpy."""

from __future__ import annotations

import numpy as np
from numba import njit

from inkmark.images._intrinsics import add_eight, copy_eight, eight_bytes


@njit
def loaded(data, place):
    return eight_bytes(data, np.uint64(place))


@njit
def copied(source, at, target, to):
    return copy_eight(source, np.uint64(at), target, np.uint64(to))


@njit
def add(rows, at, along, k, level):
    add_eight(rows, np.uint64(at), along, np.uint64(k), np.float32(level))


def test_eight_bytes_from_any_place():
    data = np.random.default_rng(1).integers(0, 256, 40).astype(np.uint8)
    for place in range(33):
        expected = int.from_bytes(data[place : place + 8].tobytes(), "big")
        assert loaded(data, place) == expected


def test_eight_bytes_are_copied_and_no_others():
    source = np.random.default_rng(3).integers(0, 256, 20).astype(np.uint8)
    for at, to in ((0, 0), (12, 3), (5, 11)):
        target = np.zeros(19, np.uint8)
        number = copied(source, at, target, to)
        expected = np.zeros(19, np.uint8)
        expected[to : to + 8] = source[at : at + 8]
        assert np.array_equal(target, expected)
        assert sorted(int(number).to_bytes(8, "big")) == sorted(source[at : at + 8].tolist())


def test_a_row_is_added_to_another_and_no_other_changes():
    rng = np.random.default_rng(2)
    rows, along = (rng.normal(0, 9, (n, 8)).astype(np.float32) for n in (6, 4))
    for at, k, level in ((0, 3, 2.5), (5, 0, -1.25), (3, 2, 0.0)):
        expected = rows.copy()
        expected[at] += np.float32(level) * along[k]
        add(rows, at, along, k, level)
        assert np.array_equal(rows, expected)
