"""Reachable classes and groups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics.diagnosis import QMatrix, Rule
from inkmark.analytics.diagnosis.classes import lay_out, needed_before, reachable_classes
from inkmark.errors import AnalysisError


def patterns(classes):
    return ["".join(str(int(has)) for has in row) for row in classes]


def test_all_classes_without_prerequisites() -> None:
    classes = reachable_classes(needed_before("abc", []), 100)
    assert patterns(classes) == ["000", "001", "010", "011", "100", "101", "110", "111"]


def test_a_chain_leaves_one_class_more_than_attributes() -> None:
    names = [f"a{k}" for k in range(15)]
    before = needed_before(names, list(itertools.pairwise(names)))
    classes = reachable_classes(before, 16)
    assert sorted(classes.sum(axis=1)) == list(range(16))


def test_prerequisites_by_way_of_others() -> None:
    before = needed_before("abcd", [("a", "b"), ("b", "c")])
    assert before[2].tolist() == [True, True, False, False]
    classes = reachable_classes(before, 100)
    assert patterns(classes) == ["0000", "0001", "1000", "1001", "1100", "1101", "1110", "1111"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_reachable_classes_are_those_that_have_what_they_need(pairs) -> None:
    pairs = [(a, b) for a, b in pairs if a < b]
    names = "abcdef"
    before = needed_before(names, [(names[a], names[b]) for a, b in pairs])
    every = (np.arange(64)[:, None] >> np.arange(6)[::-1] & 1).astype(bool)
    allowed = [all(row[a] or not row[b] for a, b in pairs) for row in every]
    assert patterns(reachable_classes(before, 64)) == patterns(every[allowed])


def test_circles_and_unknown_names_are_refused() -> None:
    with pytest.raises(AnalysisError, match="a, b are prerequisites of themselves"):
        needed_before("abc", [("a", "b"), ("b", "a")])
    with pytest.raises(AnalysisError, match="'z'"):
        needed_before("abc", [("a", "z")])


def test_too_many_classes_are_refused() -> None:
    with pytest.raises(AnalysisError, match="more than 1000 classes"):
        reachable_classes(needed_before([f"a{k}" for k in range(30)], []), 1000)


def test_groups_by_rule() -> None:
    q = QMatrix.of([[1, 1], [1, 1], [1, 1], [0, 1]])
    rules = [Rule.DINA, Rule.DINO, Rule.GDINA, Rule.GDINA]
    layout = lay_out(q, rules, reachable_classes(needed_before("ab", []), 4))
    assert [group.of_class.tolist() for group in layout.groups] == [
        [0, 0, 0, 1],
        [0, 1, 1, 1],
        [0, 1, 2, 3],
        [0, 1, 0, 1],
    ]
    assert patterns(layout.groups[0].rows) == ["00", "11"]
    assert patterns(layout.groups[1].rows) == ["00", "01"]
    assert patterns(layout.groups[2].rows) == ["00", "01", "10", "11"]
    assert layout.first.tolist() == [0, 2, 4, 8, 10]
    assert layout.kind.tolist() == [0, 1, 2, 3]


def test_classes_that_no_item_tells_apart_are_of_one_kind() -> None:
    """Both items need both attributes: with one is as good as with none."""
    q = QMatrix.of([[1, 1], [1, 1]])
    layout = lay_out(q, [Rule.DINA] * 2, reachable_classes(needed_before("ab", []), 4))
    assert layout.kind.tolist() == [0, 0, 0, 1]
    assert layout.group_of_kind.tolist() == [[0, 1], [2, 3]]


def test_groups_that_no_class_can_be_in_are_not_there() -> None:
    q = QMatrix.of([[1, 1]])
    before = needed_before("ab", [("a", "b")])
    layout = lay_out(q, [Rule.GDINA], reachable_classes(before, 4))
    assert patterns(layout.groups[0].rows) == ["00", "10", "11"]


def test_faulty_q_matrices_are_refused() -> None:
    with pytest.raises(AnalysisError, match="zeros and ones"):
        QMatrix.of([[1, 2]])
    with pytest.raises(AnalysisError, match="zeros and ones"):
        QMatrix.of([[1, np.nan]])
    with pytest.raises(AnalysisError, match="of the item x"):
        QMatrix.of([[1], [1]], items=["x", "x"])
    with pytest.raises(AnalysisError, match="3 items"):
        QMatrix.of([[1], [1]], items=["x", "y", "z"])
