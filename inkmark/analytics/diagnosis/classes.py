"""Reachable classes, and the groups of classes that each item tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkmark.analytics.diagnosis.model import QMatrix, Rule
from inkmark.analytics.model import BoolArray, IntArray
from inkmark.errors import AnalysisError

__all__ = ["ItemGroups", "Layout", "lay_out", "needed_before", "reachable_classes"]


@dataclass(frozen=True, slots=True, eq=False)
class ItemGroups:
    """The groups of classes that an item tells apart.

    Attributes
    ----------
    rows : (g, a) bool
        The attributes that the least able class of each group has, of those the item needs.
    of_class : (c,) int64
        Group of each class.
    """

    rows: BoolArray
    of_class: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Classes, and groups of all items one behind the other.

    Attributes
    ----------
    mastered : (c, k) bool
    groups : tuple of ItemGroups
    first : (m + 1,) int64
        First group of each item.
    kind : (c,) int64
        Classes that no item tells apart are of one kind.
    group_of_kind : (m, t) int64
        Group that each kind of class is in, counted over all items.
    """

    mastered: BoolArray
    groups: tuple[ItemGroups, ...]
    first: IntArray
    kind: IntArray
    group_of_kind: IntArray


def needed_before(attributes: Sequence[str], prerequisites: Sequence[tuple[str, str]]) -> BoolArray:
    """Find all prerequisites of each attribute, also those by way of others.

    Parameters
    ----------
    attributes : sequence of str
        k names.
    prerequisites : sequence of (str, str)
        The first is learnt before the second.

    Returns
    -------
    (k, k) bool
        Whether the attribute of the row needs that of the column before.

    Raises
    ------
    AnalysisError
        An unknown name, or attributes that are needed before themselves.
    """
    position = {name: k for k, name in enumerate(attributes)}
    before = np.zeros((len(position), len(position)), dtype=bool)
    for pair in prerequisites:
        for name in pair:
            if name not in position:
                raise AnalysisError(
                    f"The prerequisites name the attribute {name!r}, which the Q-matrix has not. "
                    "Correct the name."
                )
        before[position[pair[1]], position[pair[0]]] = True
    for k in range(len(position)):  # Warshall 1962
        before |= before[:, k, None] & before[k]
    circle = [name for name, k in position.items() if before[k, k]]
    if circle:
        raise AnalysisError(
            f"The attributes {', '.join(circle)} are prerequisites of themselves. "
            "Take the circle out of the prerequisites."
        )
    return before


def reachable_classes(before: BoolArray, most: int) -> BoolArray:
    """List the classes that have mastered the prerequisites of all they have mastered.

    Parameters
    ----------
    before : (k, k) bool
        As of `needed_before`.
    most : int
        More classes are refused.

    Returns
    -------
    (c, k) bool
        In the order of binary numbers, the first attribute the highest digit.

    Raises
    ------
    AnalysisError
        Too many classes.
    """
    n_attributes = len(before)
    classes = np.zeros((1, n_attributes), dtype=bool)
    # By number of prerequisites: each attribute comes after those that it needs.
    for k in np.argsort(before.sum(axis=1), kind="stable"):
        ready = classes[:, before[k]].all(axis=1)
        with_it = classes[ready]
        with_it[:, k] = True
        classes = np.concatenate((classes, with_it))
        if len(classes) > most:
            raise AnalysisError(
                f"{n_attributes} attributes make more than {most} classes. Join attributes, or "
                "name their prerequisites so that fewer classes can be reached."
            )
    return classes[np.lexsort(classes.T[::-1])]


def lay_out(q: QMatrix, rules: Sequence[Rule], mastered: BoolArray) -> Layout:
    """Group the classes by item and find those that no item tells apart.

    Parameters
    ----------
    q : QMatrix
    rules : sequence of Rule
        One an item.
    mastered : (c, k) bool

    Returns
    -------
    Layout
    """
    groups = tuple(
        _item_groups(mastered[:, needs], rule) for needs, rule in zip(q.needs, rules, strict=True)
    )
    first = np.concatenate(([0], np.cumsum([len(group.rows) for group in groups])))
    of_class = np.stack([group.of_class for group in groups]) + first[:-1, None]
    _, example, kind = np.unique(of_class, axis=1, return_index=True, return_inverse=True)
    return Layout(mastered, groups, first, kind.reshape(-1), of_class[:, example])


def _item_groups(mastered: BoolArray, rule: Rule) -> ItemGroups:
    """Group classes by the (c, a) attributes that an item needs."""
    width = mastered.shape[1]
    if rule in (Rule.DINA, Rule.DINO):
        able = mastered.all(axis=1) if rule is Rule.DINA else mastered.any(axis=1)
        rows = np.zeros((2, width), dtype=bool)
        rows[1] = True if rule is Rule.DINA else np.arange(width) == width - 1
        return ItemGroups(rows, np.asarray(able, dtype=np.int64))
    # The number of attributes first, so that the first group has none and the last has all.
    order = np.concatenate((mastered.sum(axis=1)[:, None], mastered), axis=1)
    unique, of_class = np.unique(order, axis=0, return_inverse=True)
    return ItemGroups(unique[:, 1:].astype(bool), of_class.reshape(-1))
