"""What is worked out once for an object that is used for many pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

__all__ = ["once_for_each"]

K = TypeVar("K")
V = TypeVar("V")

_MAX_KEPT = 64


def once_for_each(make: Callable[[K], V]) -> Callable[[K], V]:
    """Remember what a function makes of each object, by the object's identity.

    The hash of a page layout is that of all its fields and costs more than a page has time
    for; its identity costs nothing. The objects must not change; they are kept alive as long
    as they are remembered.
    """
    kept: dict[int, tuple[K, V]] = {}

    @wraps(make)
    def remembered(key: K) -> V:
        entry = kept.get(id(key))
        if entry is None:
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            entry = kept[id(key)] = (key, make(key))
        return entry[1]

    return remembered
