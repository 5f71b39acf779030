"""The text of a printed page, such as a question paper, by the pipeline of rapidocr.

Answer sheets are not read so: where their fields are is known, and looking for text takes a
hundred times as long as reading a page of marks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["GreyImage", "PrintedLine", "read_printed"]

GreyImage = NDArray[np.uint8]

_SIDE_PX = 1280
"""The page is shrunk to so many pixels a side to look for lines: at A4, print of 6 points is
9 px high then. They are read at full size."""

_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of print, or the part of one that stands apart from the rest.

    Attributes
    ----------
    text : str
    confidence : float
        The engine's own figure, 0 to 1: the mean over the characters, not calibrated.
    corners_px : tuple of (float, float)
        Top left, top right, bottom right and bottom left, as the text runs.
    """

    text: str
    confidence: float
    corners_px: tuple[tuple[float, float], ...]


def read_printed(pixels: GreyImage) -> tuple[PrintedLine, ...]:
    """Find and read the lines of print on a page that stands upright.

    Parameters
    ----------
    pixels : (H, W) uint8
        200 dpi and more.

    Returns
    -------
    tuple of PrintedLine
        From top to bottom, lines of one height from left to right. Uncertain lines are among
        them; `confidence` tells.
    """
    with _LOCK:  # the pipeline keeps its settings of a call in itself
        found = _pipeline()(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
    if found.boxes is None or found.txts is None:
        return ()
    return tuple(
        PrintedLine(text, float(score), tuple((float(x), float(y)) for x, y in corners))
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True)
    )


@cache
def _pipeline() -> Any:
    """The pipeline with the models of its own package, one of each process."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - half a second, and seldom needed

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,  # pages come upright
            "Global.text_score": 0.0,  # nothing is left out in silence
            "Global.max_side_len": 2**15,
            "Det.limit_type": "max",
            "Det.limit_side_len": _SIDE_PX,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
