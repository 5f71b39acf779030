"""The grey pixels of a page, decoded where they are looked at."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from inkmark.images import _byte_kernels

__all__ = ["BLOCK_PX", "GreyImage", "Pixels", "Turn"]

GreyImage = NDArray[np.uint8]

Turn = tuple[bool, bool, bool]
"""How an image is set upright: transposed, then mirrored left to right, top to bottom."""

BLOCK_PX = 8
"""Side of the blocks of which a coarse picture shows the means; those of JPEG."""


class Pixels:
    """Grey pixels of a page; 0 is black.

    One thread uses one `Pixels` at a time. A pixel has the same value whichever way and in
    whichever order it is asked for.

    Attributes
    ----------
    shape : tuple of int
        Height and width.
    """

    def __init__(self, canvas: GreyImage) -> None:
        self._canvas = canvas
        self.shape: tuple[int, int] = (canvas.shape[0], canvas.shape[1])

    @classmethod
    def of(cls, pixels: GreyImage) -> Self:
        """Pixels of an image that is there whole.

        Parameters
        ----------
        pixels : (H, W) uint8
        """
        return cls(np.ascontiguousarray(pixels))

    def at(self, boxes: NDArray[np.int64]) -> GreyImage:
        """The page with the pixels in some boxes; what lies elsewhere is unspecified.

        Parameters
        ----------
        boxes : (n, 4) int64
            Left, top, right and bottom in pixels, right and bottom excluded. What lies
            outside of the page is left out.

        Returns
        -------
        (H, W) uint8
        """
        del boxes  # all of them are there
        return self._canvas

    def coarse(self) -> GreyImage:
        """The mean of each block of 8 x 8 pixels; at the right and lower edge of what is there.

        Returns
        -------
        (ceil(H / 8), ceil(W / 8)) uint8
        """
        height, width = self.shape
        means = np.empty((-(-height // BLOCK_PX), -(-width // BLOCK_PX)), np.uint8)
        _byte_kernels.block_means(self._canvas, means)
        return means

    def whole(self) -> GreyImage:
        """All pixels.

        Returns
        -------
        (H, W) uint8
        """
        return self._canvas
