"""Kernels that are compiled for the machine when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from numba.core import event

__all__ = ["say_compiling", "tell_of_compiling"]

_COMPILING = "numba:compile"


class _First(event.Listener):
    """Calls a function at the first of any number of events."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell: Callable[[], None] | None = tell

    def on_start(self, _event: Any) -> None:
        """A kernel is about to be compiled."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def on_end(self, _event: Any) -> None:
        """A kernel has been compiled."""


def tell_of_compiling(tell: Callable[[], None]) -> Callable[[], None]:
    """Have `tell` called once when this process compiles a kernel; the cache has none then.

    Parameters
    ----------
    tell : callable

    Returns
    -------
    callable
        Ends it.
    """
    listener = _First(tell)
    event.register(_COMPILING, listener)  # type: ignore[no-untyped-call]  # numba has no types
    return lambda: event.unregister(_COMPILING, listener)  # type: ignore[no-untyped-call]  # as above


def say_compiling() -> None:
    """Say on stderr what takes so long."""
    sys.stderr.write(
        "Compiling the readers for this machine, once; it takes about half a minute ...\n"
    )
    sys.stderr.flush()
