"""Rendering of PDF pages in a process of its own, which can be stopped.

A few hundred bytes can keep pdfium busy for hours (forms that draw each other, shadings by a
program, blends over the whole page), and it cannot be asked to stop. The process loads this
file and no other of inkmark, so that it starts in a tenth of a second, and stays for the
file's other pages.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

__all__ = ["Drawing", "NotDrawn", "Renderer"]

_MOST_CPU_S = 10
"""Processor time for a page; a full answer sheet takes 0.05 s."""
_MOST_WALL_S = 60.0
"""The same by the clock, for systems that cannot limit processor time."""
_MOST_BYTES = 3 << 30
_POINTS_PER_INCH = 72.0
_LENGTH = struct.Struct("<Q")


class NotDrawn(Exception):  # noqa: N818 - says what became of a page
    """Why a page is not rendered: ``"damaged"``, ``"large"``, ``"long"`` or ``"start"``.

    Large are more pixels in the page's images together than are allowed; long is what takes
    more time or memory than the process may use; start, that there is no process.
    """


class Drawing(NamedTuple):
    """A rendered page: `height` rows of `stride` bytes, with `n_channels` bytes a pixel."""

    rows: bytes
    width: int
    height: int
    stride: int
    n_channels: int


class Renderer:
    """Loads and renders pages of one file; the process starts with the first.

    Parameters
    ----------
    data : bytes
        The whole file.
    max_pixels : int
        Most pixels of the images on a page together: they are decoded in full, however
        small they are drawn.
    """

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._data = data
        self._max_pixels = max_pixels
        self._process: subprocess.Popen[bytes] | None = None

    def try_loading(self, index: int) -> None:
        """Find out whether a page can be loaded.

        Raises
        ------
        NotDrawn
        """
        self._ask({"index": index})

    def render(self, index: int, dpi: float, *, colour: bool) -> Drawing:
        """Give the pixels of a page.

        Raises
        ------
        NotDrawn
        """
        facts, rows = self._ask({"index": index, "dpi": dpi, "colour": colour})
        return Drawing(rows, *facts["shape"])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _ask(self, request: dict[str, object]) -> tuple[dict[str, Any], bytes]:
        if self._process is None:
            self._process = _start(self._data)
        timer = threading.Timer(_MOST_WALL_S, self._process.kill)
        timer.start()
        try:
            pipe_in, pipe_out = _pipes(self._process)
            limits = {"max_pixels": self._max_pixels, "cpu_s": _MOST_CPU_S}
            _send(pipe_in, json.dumps({**request, **limits}).encode())
            facts, rows = json.loads(_receive(pipe_out)), _receive(pipe_out)
        except (EOFError, BrokenPipeError) as exc:
            self.close()
            raise NotDrawn("long") from exc
        finally:
            timer.cancel()
        if "reason" in facts:
            raise NotDrawn(facts["reason"])
        return facts, rows


def _start(data: bytes) -> subprocess.Popen[bytes]:
    """A process that has opened a file."""
    # What this process finds by its path the other finds too, and nothing beside this file.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-P", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
    except OSError as exc:
        raise NotDrawn("start") from exc
    try:
        pipe_in, pipe_out = _pipes(process)
        _send(pipe_in, data)
        _receive(pipe_out)
    except (EOFError, BrokenPipeError) as exc:
        _end(process)
        raise NotDrawn("start") from exc
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    return process.stdin, process.stdout


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    head = pipe.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else -1
    data = pipe.read(length) if length > 0 else b""
    if len(data) != length:
        raise EOFError
    return data


# -- in the process --------------------------------------------------------------------


def _serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    document = pypdfium2.PdfDocument(_receive(requests))
    _send(replies, b"ready")
    while True:
        try:
            request = json.loads(_receive(requests))
        except EOFError:
            return
        _allow_more_time(request["cpu_s"])
        facts, rows = _answer(document, request)
        _send(replies, json.dumps(facts).encode())
        _send(replies, rows)


def _answer(
    document: pypdfium2.PdfDocument, request: dict[str, Any]
) -> tuple[dict[str, object], bytes]:
    try:
        page = document[request["index"]]
        if "dpi" not in request:
            return {}, b""
        images = page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=40)
        n_pixels = 0
        for image in images:
            width, height = image.get_px_size()
            n_pixels += width * height
            if n_pixels > request["max_pixels"]:
                return {"reason": "large"}, b""
        scale = request["dpi"] / _POINTS_PER_INCH
        drawn = page.render(scale=scale, grayscale=not request["colour"])
    except pypdfium2.PdfiumError:
        return {"reason": "damaged"}, b""
    shape = (drawn.width, drawn.height, drawn.stride, drawn.n_channels)
    return {"shape": shape}, bytes(drawn.buffer)


def _allow_more_time(cpu_s: int) -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + cpu_s
    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, _MOST_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(
            kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
