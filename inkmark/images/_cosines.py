"""Numbers of the transform of JPEG blocks (ITU-T T.81, A.3.3 and figure A.6).

numba keeps the machine code of `_kernels.py`, which has these baked in, until that file
itself changes: after a change here, it has to be touched, or the old numbers count on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALONG", "COSINES", "ROWS"]

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def _cosines() -> F32:
    """``[k, x]``: what coefficient k of a row adds at place x (A.3.3)."""
    k, x = np.mgrid[:8, :8]
    scale = np.where(k == 0, np.sqrt(1 / 8), 1 / 2)
    return np.asarray(scale * np.cos((2 * x + 1) * k * np.pi / 16), dtype=np.float32)


def _zigzag() -> U8:
    """Row times 8 plus column of each coefficient in its coded order (figure A.6)."""
    order = sorted(
        np.ndindex(8, 8),
        key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
    )
    return np.array([8 * row + column for row, column in order], dtype=np.uint8)


COSINES = _cosines()
_ZIGZAG = _zigzag()
ROWS = np.append(_ZIGZAG >> 3, np.uint8(0))
ALONG = np.append(COSINES[_ZIGZAG & 7], np.zeros((1, 8), np.float32), axis=0)
"""The row of each coefficient, in its coded order, and what it adds along it: (65,), (65, 8).
The last is none, and adds nothing."""
