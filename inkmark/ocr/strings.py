"""Handwritten and printed strings: the recogniser PP-OCRv6, read under what may be written.

The network is the file that the package rapidocr carries (PP-OCRv6 small, Apache-2.0). It is
run without that package, because only so its probabilities at every step can be had.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ctc import OTHER, Language, Steps, assign_characters, plain
from inkmark.errors import InkmarkError
from inkmark.ocr.protocol import TextReader, TextReading

__all__ = ["StringReader", "string_reader"]

GreyImage = NDArray[np.uint8]
F32 = NDArray[np.float32]

_MODEL = "models/PP-OCRv6_rec_small.onnx"
MODEL_SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
REINSTALL = 'Install it with: pip install --force-reinstall "rapidocr==3.10.0"'

_HEIGHT = 48
"""Of the network's input, in pixels."""
_MARGIN = 4
"""Paper left around a crop, in pixels of the network's input: with none, characters at its
edge are read worse."""
_WIDTH_STEP = 16
"""Widths are multiples of this, so that few different ones occur."""
_MOST_WIDTH = 1920
"""A longer line is pressed together, so that no crop takes more than its share of memory."""
_LEAST_SEEN = 0.0005
"""Reading any character, those are told apart that reach this probability at some step."""

_LOG = logging.getLogger(__name__)


class StringReader:
    """Reads crops of one line of text each with an engine; may be called from several threads."""

    def __init__(self, engine: TextReader) -> None:
        self._engine = engine

    def steps(self, crops: Sequence[GreyImage], alphabet: str = "") -> list[Steps]:
        """What is seen from left to right in each crop.

        Parameters
        ----------
        crops : sequence of (height, width) uint8
            Dark ink on light paper, frames and guide text already taken out. Higher than the
            writing by a fifth or less is best.
        alphabet : str
            The characters that may be written; others count for what has the same shape, else as
            `inkmark.ctc.OTHER`. Empty for any.

        Returns
        -------
        list of Steps
            One for each crop, in the same order; no step where a crop has no pixel.
        """
        return [self._engine.steps(crop, alphabet) if crop.size else Steps.of(()) for crop in crops]

    def read(
        self, crops: Sequence[GreyImage], language: Language, n_best: int = 5
    ) -> list[TextReading]:
        """Read each crop.

        Parameters
        ----------
        crops : sequence of (height, width) uint8
            As for `steps`.
        language : Language
            What may be written.
        n_best : int
            Number of texts to give, likeliest first.

        Returns
        -------
        list of TextReading
            One for each crop, in the same order.
        """
        alphabet = "" if language.is_open else language.alphabet
        return [TextReading.of(steps, language, n_best) for steps in self.steps(crops, alphabet)]


_lock = threading.Lock()


def string_reader() -> StringReader:
    """The reader of this process, made at the first call.

    Returns
    -------
    StringReader

    Raises
    ------
    InkmarkError
        Where rapidocr is not installed, or without its recogniser, or that is damaged.
    """
    with _lock:
        return _string_reader()


@lru_cache(maxsize=1)
def _string_reader() -> StringReader:
    path = _model_path()
    model = path.read_bytes()
    if hashlib.sha256(model).hexdigest() == MODEL_SHA256:
        return StringReader(_Network(model))
    _LOG.warning(
        "the recogniser of the installed rapidocr is not the one that inkmark knows: strings are "
        "read by rapidocr itself, and more of them go to a person. " + REINSTALL
    )
    try:
        return StringReader(_Rapidocr(path))
    except Exception as error:
        # Whatever it raises is no fault of the page that is read first.
        raise InkmarkError(f"the recogniser of strings is damaged. {REINSTALL}") from error


def _model_path() -> Path:
    package = find_spec("rapidocr")  # is not imported by this
    if package is not None and package.origin is not None:
        path = Path(package.origin).parent / _MODEL
        if path.is_file():
            return path
    raise InkmarkError(f"the recogniser of strings is missing. {REINSTALL}")


class _Network:
    """The network, run by onnxruntime in the calling thread."""

    def __init__(self, model: bytes) -> None:
        import onnxruntime  # noqa: PLC0415 - loaded where strings are read, not by the room

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        listed = self._session.get_modelmeta().custom_metadata_map["character"]
        self._characters = tuple(plain(c) for c in [*listed.split("\n"), " "])
        self._places = lru_cache(maxsize=64)(self._find_places)

    def steps(self, crop: GreyImage, alphabet: str) -> Steps:
        (seen,) = self._session.run(None, {"x": _prepared(crop)})
        probabilities: F32 = seen[0]
        if alphabet:
            symbols, columns, place = self._places(alphabet)
        else:
            columns = np.flatnonzero((probabilities[:, 1:] >= _LEAST_SEEN).any(axis=0))
            symbols, place = _merged([self._characters[k] for k in columns])
        result = np.zeros((len(symbols), len(probabilities)))
        result[0] = probabilities[:, 0]
        np.add.at(result, place, probabilities[:, columns + 1].T)
        result[-1] = np.maximum(1.0 - result.sum(axis=0), 0.0)
        return Steps(symbols, np.ascontiguousarray((result / result.sum(axis=0)).T))

    def _find_places(
        self, alphabet: str
    ) -> tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.int64]]:
        """Symbols, and which of the network's characters count for which of them."""
        wanted = "".join(dict.fromkeys(plain(character) for character in alphabet))
        place = assign_characters(self._characters, wanted)
        columns = np.flatnonzero(place >= 0)
        return ("", *wanted, OTHER), columns, place[columns] + 1


def _merged(characters: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Symbols for characters, of which several may be the same, and the place of each."""
    places: dict[str, int] = {}
    for character in characters:
        places.setdefault(character, len(places) + 1)
    place = np.array([places[character] for character in characters], dtype=np.int64)
    return ("", *places, OTHER), place


def _prepared(crop: GreyImage) -> F32:
    """A crop as the network takes it: (1, 3, 48, width) float32 from -1 to 1."""
    height = _HEIGHT - 2 * _MARGIN
    width = min(max(round(crop.shape[1] * height / crop.shape[0]), 1), _MOST_WIDTH)
    shrinks = crop.shape[0] > height
    small = cv2.resize(
        crop, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    whole_width = -(-(width + 2 * _MARGIN) // _WIDTH_STEP) * _WIDTH_STEP
    whole = np.full((_HEIGHT, whole_width), np.median(small), dtype=np.float32)
    whole[_MARGIN:-_MARGIN, _MARGIN : _MARGIN + width] = small
    whole = (whole - 127.5) / 127.5
    return np.repeat(whole[None, None], 3, axis=1)


class _Rapidocr:
    """rapidocr's own reader of lines, which gives a text and a score for it."""

    def __init__(self, path: Path) -> None:
        from rapidocr import RapidOCR  # noqa: PLC0415 - heavy, and hardly ever needed

        self._lock = threading.Lock()
        self._reader: Any = RapidOCR(
            params={
                "Global.log_level": "error",
                "Rec.model_path": str(path),
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            }
        )
        # It loads the network when it first reads, which must not be on a page.
        self.steps(np.full((_HEIGHT, 2 * _HEIGHT), 255, np.uint8), "")

    def steps(self, crop: GreyImage, alphabet: str) -> Steps:
        with self._lock:
            seen = self._reader(
                cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR), use_det=False, use_cls=False
            )
        steps = Steps.of_text("".join(seen.txts or ()), min(seen.scores or (0.0,)))
        return steps.narrowed(alphabet) if alphabet else steps
