"""Specimens of handwriting: the public sets that readers learn from and simulators write with.

None of them is shipped. They lie in a folder, one folder a set: ``mnist`` (LeCun, Cortes and
Burges), ``pendigits_uci`` (Alpaydin and Alimoglu 1998) and ``handwritten62``. Each is split by
its writers into "train" and "test"; what is tuned or trained sees the first part only.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["InkSign", "read_crops", "read_ink", "read_mnist"]

_FIRST_TEST_INDEX = 70
"""handwritten62 has no split of its own; its crops are numbered in each class."""


@dataclass(frozen=True, slots=True)
class InkSign:
    """One sign as a pen wrote it on a tablet.

    Attributes
    ----------
    label : str
    writer : int
    strokes : tuple of (n, 2) float64
        Points x, y of the pen while it was down, y pointing down.
    """

    label: str
    writer: int
    strokes: tuple[NDArray[np.float64], ...]


def read_mnist(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """MNIST: digits of clerks and pupils, (n, 28, 28) bright on 0, and their labels (n,).

    Parameters
    ----------
    folder : Path
        The folder of all sets.
    part : {"train", "test"}
    """
    with np.load(folder / "mnist" / "mnist.npz", allow_pickle=False) as data:
        return data[f"x_{part}"], data[f"y_{part}"].astype(np.str_)


def read_ink(folder: Path, part: str) -> list[InkSign]:
    """Pen digits of 30 writers ("train"), or of 14 others ("test").

    Parameters
    ----------
    folder : Path
        The folder of all sets.
    part : {"train", "test"}
    """
    path = folder / "pendigits_uci" / f"pendigits-orig.{part}.txt.gz"
    text = gzip.decompress(path.read_bytes()).decode("ascii")
    signs = []
    for segment in text.split(".SEGMENT DIGIT")[1:]:
        found = re.search(r"\.COMMENT\s+(\d)\s+(\d+)", segment)
        if found is None:
            continue
        strokes = []
        for stroke in segment.split(".PEN_DOWN")[1:]:
            numbers = stroke.split(".PEN_UP")[0].split()
            points = np.array(numbers, np.float64).reshape(-1, 2)
            strokes.append(points * (1.0, -1.0))  # their y axis points up
        signs.append(InkSign(found[1], int(found[2]), tuple(strokes)))
    return signs


def read_crops(folder: Path, part: str) -> tuple[list[NDArray[np.uint8]], NDArray[np.str_]]:
    """Photographed digits and letters of handwritten62, dark on light, and their labels.

    Parameters
    ----------
    folder : Path
        The folder of all sets.
    part : {"train", "test"}
        Crops below number 70 of each class, or the others. Who wrote them is not known.
    """
    with np.load(folder / "handwritten62" / "handwritten62.npz", allow_pickle=False) as data:
        shapes, flat = data["shape"], data["flat"]
        labels, index = data["label"].astype(np.str_), data["index"]
    ends = np.cumsum(shapes[:, 0] * shapes[:, 1])
    crops = [
        pixels.reshape(shape)
        for pixels, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)
    ]
    chosen = np.flatnonzero((index < _FIRST_TEST_INDEX) == (part == "train"))
    return [crops[k] for k in chosen.tolist()], labels[chosen]
