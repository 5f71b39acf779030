"""Facts on this machine, without which no time that was measured on it means anything."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Machine", "this_machine"]

_PACKAGES = (
    "inkmark",
    "numpy",
    "numba",
    "opencv-python-headless",
    "scipy",
    "reportlab",
    "zxing-cpp",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where something was measured.

    Attributes
    ----------
    cpu : str
    cores : int
        Cores that this process may use.
    system, python : str
    packages : tuple of (str, str)
        Name and version.
    """

    cpu: str
    cores: int
    system: str
    python: str
    packages: tuple[tuple[str, str], ...]


def this_machine() -> Machine:
    """Gather the facts.

    Returns
    -------
    Machine
    """
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _all_cores(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages=tuple((name, importlib.metadata.version(name)) for name in _PACKAGES),
    )


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _all_cores() -> int:
    return os.cpu_count() or 1
