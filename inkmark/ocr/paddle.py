"""Paddleocr as another engine for the text of printed pages: the extra ``paddle``.

It runs on onnxruntime with models in local folders, which `build_paddle_models` makes of
those in the package rapidocr, or which are the user's own. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2

from inkmark.errors import ExtraMissingError, InkmarkError
from inkmark.files import write_whole
from inkmark.ocr.printed import GreyImage, PrintedLine
from inkmark.ocr.strings import MODEL_SHA256, REINSTALL

__all__ = ["PaddleReader", "build_paddle_models"]

_DETECTION, _RECOGNITION = "PP-OCRv6_small_det", "PP-OCRv6_small_rec"
_SOURCES = {_DETECTION: "PP-OCRv6_det_small.onnx", _RECOGNITION: "PP-OCRv6_rec_small.onnx"}
"""Model by its name in paddleocr -> file in the package rapidocr."""
_SHA256 = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": MODEL_SHA256,
}
"""Of the files that inkmark knows."""
_FILES = ("inference.onnx", "inference.yml")

_LOG = logging.getLogger(__name__)

_PAGES_EACH = 200
"""Pages after which the pipeline is made anew: its memory grows."""


def build_paddle_models(folder: Path | str) -> tuple[Path, ...]:
    """Make model folders for paddleocr of the models in the package rapidocr.

    Each has the weights as they are and an ``inference.yml`` that is written here: how
    pictures are prepared is taken from the configuration of PP-OCR, the characters from the
    weights.

    Parameters
    ----------
    folder : path-like
        Made where it is not there; models in it are replaced.

    Returns
    -------
    tuple of Path
        The folders made.

    Raises
    ------
    InkmarkError
        Where the installed rapidocr has no such models, or damaged ones.
    """
    import onnxruntime  # noqa: PLC0415 - not needed to read pages

    made = []
    for name, file in _SOURCES.items():
        source = resources.files("rapidocr").joinpath("models", file)
        if not source.is_file():
            raise InkmarkError(
                f"the installed package rapidocr has no {file}. Install the version that "
                "inkmark asks for, or give model folders of your own."
            )
        weights = source.read_bytes()
        if hashlib.sha256(weights).hexdigest() != _SHA256[file]:
            _LOG.warning("%s of the installed rapidocr is not the one that inkmark knows", file)
        try:
            session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
        except Exception as error:  # of its own kinds, which it does not name
            raise InkmarkError(
                f"{file} of the installed package rapidocr is damaged. {REINSTALL}"
            ) from error
        characters = session.get_modelmeta().custom_metadata_map.get("character", "")
        target = Path(folder) / name
        target.mkdir(parents=True, exist_ok=True)
        configuration = _configuration(name, characters.split("\n"))
        # JSON is YAML, and the weights come last: a folder with weights is whole.
        write_whole(target / _FILES[1], json.dumps(configuration, ensure_ascii=False).encode())
        write_whole(target / _FILES[0], weights)
        made.append(target)
    return tuple(made)


def _configuration(name: str, characters: list[str]) -> dict[str, Any]:
    decode = {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}}
    if name == _RECOGNITION:
        return {
            "Global": {"model_name": name},
            "PreProcess": {
                "transform_ops": [decode, {"RecResizeImg": {"image_shape": [3, 48, 320]}}]
            },
            "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
        }
    return {
        "Global": {"model_name": name},
        "PreProcess": {
            "transform_ops": [
                decode,
                {"DetResizeForTest": {"resize_long": 1280}},
                {"NormalizeImage": {"mean": [0.5] * 3, "std": [0.5] * 3, "scale": "1./255."}},
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.5,
            "unclip_ratio": 1.6,
            "max_candidates": 1000,
        },
    }


class PaddleReader:
    """Reads printed pages with paddleocr; one instance serves a process.

    Parameters
    ----------
    models : path-like
        Folder with a model folder for detection and one for recognition, as
        `build_paddle_models` makes it.

    Raises
    ------
    InkmarkError
        Where a model is not there.
    ExtraMissingError
        Where paddleocr is not installed.
    """

    def __init__(self, models: Path | str) -> None:
        self._models = Path(models)
        self._lock = threading.Lock()
        self._pipeline: Any = None
        self._pages_left = 0
        for name in _SOURCES:
            for file in _FILES:
                if not (self._models / name / file).is_file():
                    raise InkmarkError(
                        f"{self._models} has no {name}/{file}. Make the models that come with "
                        f"rapidocr: inkmark paddle-models {self._models}"
                    )
        if find_spec("paddleocr") is None:
            raise ExtraMissingError("paddle", "Reading with paddleocr")

    def read_printed(self, pixels: GreyImage) -> tuple[PrintedLine, ...]:
        """Find and read the lines of print on a page that stands upright.

        Parameters
        ----------
        pixels : (H, W) uint8

        Returns
        -------
        tuple of PrintedLine
        """
        with self._lock:
            if self._pages_left == 0:
                self._pipeline = self._made()
                self._pages_left = _PAGES_EACH
            self._pages_left -= 1
            (page,) = self._pipeline.predict(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
        return tuple(
            PrintedLine(text, float(score), tuple((float(x), float(y)) for x, y in corners))
            for text, score, corners in zip(
                page["rec_texts"], page["rec_scores"], page["rec_polys"], strict=True
            )
        )

    def _made(self) -> Any:
        # Read when paddleocr is imported: without it, it asks the network for its hosts.
        os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
        from paddleocr import PaddleOCR  # noqa: PLC0415 - an extra, and seconds to import

        return PaddleOCR(
            text_detection_model_name=_DETECTION,
            text_detection_model_dir=str(self._models / _DETECTION),
            text_recognition_model_name=_RECOGNITION,
            text_recognition_model_dir=str(self._models / _RECOGNITION),
            text_rec_score_thresh=0.0,
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
            use_textline_orientation=False,
            engine="onnxruntime",
            engine_config={"intra_op_num_threads": 1, "enable_cpu_mem_arena": False},
        )
