"""Reader of single glyphs: a digit or a capital letter in its box, with its probability."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from inkmark.ocr._shape import GLYPH_SIDE, glyph_images

__all__ = ["GlyphReader", "glyph_images", "glyph_reader"]

# How often something is written that the field does not allow: an E where A to D are asked,
# and, more seldom, a letter where digits are. What is measured as such then counts as none of
# these, unless it can hardly be told from a symbol asked for, as O from 0.
_STRAY = 0.02
_STRAY_KIND = 0.0005
_BATCH = 128


class GlyphReader:
    """Reads glyphs that `glyph_images` has drawn; may be called from several threads.

    Attributes
    ----------
    classes : tuple of str
        What the columns of `probabilities` stand for: the digits, the capital letters, and
        "?" for what is none of these.
    """

    def __init__(self, model: bytes) -> None:
        import onnxruntime  # noqa: PLC0415 - loaded where glyphs are read, not by the room

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        facts = self._session.get_modelmeta().custom_metadata_map
        self.classes: tuple[str, ...] = tuple(facts["classes"])

    def probabilities(
        self, glyphs: NDArray[np.uint8], allowed: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Say for each glyph how likely it is each symbol.

        Parameters
        ----------
        glyphs : (n, 28, 28) uint8
            Ink bright on 0, as `glyph_images` draws it.
        allowed : sequence of str, optional
            The symbols that may be written here; all classes if not given.

        Returns
        -------
        (n, k) float32
            Without `allowed` a column for each of `classes`. With it a column for each of
            its symbols in its order, and a last one for "?": none of these, to which the
            symbols that are not allowed add what they weigh. Rows sum to 1.

        Raises
        ------
        ValueError
            If a symbol is none of the classes, or the glyphs have another shape.
        """
        if glyphs.dtype != np.uint8 or glyphs.shape[1:] != (GLYPH_SIDE, GLYPH_SIDE):
            raise ValueError(
                f"glyphs are {glyphs.dtype} {glyphs.shape}; "
                f"give uint8 (n, {GLYPH_SIDE}, {GLYPH_SIDE}), as glyph_images draws them."
            )
        parts = [
            self._session.run(None, {"glyphs": glyphs[k : k + _BATCH]})[0]
            for k in range(0, len(glyphs), _BATCH)
        ]
        every = np.concatenate(parts) if parts else np.zeros((0, len(self.classes)), np.float32)
        if allowed is None:
            return np.asarray(every, np.float32)
        unknown = [symbol for symbol in allowed if symbol not in self.classes[:-1]]
        if unknown:
            raise ValueError(
                f"the glyph reader does not know {unknown}; allow some of {self.classes[:-1]}."
            )
        columns = [self.classes.index(symbol) for symbol in allowed]
        kinds = {symbol.isdigit() for symbol in allowed}
        stray = np.array([_STRAY if c.isdigit() in kinds else _STRAY_KIND for c in self.classes])
        stray[columns] = 0.0
        stray[-1] = 1.0
        none = _sums(every * stray.astype(np.float32))
        weighed = np.concatenate([every[:, columns], none], axis=1)
        return np.asarray(weighed / _sums(weighed), np.float32)


def _sums(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums (n, 1) of rows; sum() adds a row by itself in another order than among others."""
    return np.cumsum(rows, axis=1)[:, -1:]


@cache
def glyph_reader() -> GlyphReader:
    """Return the reader with the network that comes with inkmark; one a process."""
    return GlyphReader(resources.files("inkmark.ocr").joinpath("glyphs.onnx").read_bytes())
