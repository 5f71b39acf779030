"""Rendering of PDF pages in a process of its own, which can be stopped.

A few hundred bytes can keep pdfium busy for hours (forms that draw each other, shadings by a
program, blends over the whole page), and it cannot be asked to stop. The process loads this
file and no other of inkmark, so that it starts in a tenth of a second, and stays for the
file's other pages.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

__all__ = ["Drawing", "NotDrawn", "Reason", "Renderer"]

_MOST_CPU_S = 10
"""Processor time for a file, and `_PAGE_CPU_S` more a page; a full answer sheet takes 0.05 s."""
_PAGE_CPU_S = 1
_MOST_LOADING_S = 2.0
"""Processor time for loading a page, as it is loaded again where nothing stops that."""
_MOST_WALL_S = 60.0 if importlib.util.find_spec("resource") is None else 3600.0
"""Time by the clock for a request. Where processor time can be limited this is far away, as on a
busy machine the clock says little."""
_MOST_BYTES = 3 << 30
_POINTS_PER_INCH = 72.0
_LENGTH = struct.Struct("<Q")
_MAGIC = b"\ninkmark renders\n"
"""The first the process says; before it comes what Python itself is made to say at its start."""
_MOST_SAID = 1 << 16


class Reason(StrEnum):
    """What became of a page that is not rendered."""

    DAMAGED = "damaged"
    LARGE = "large"
    """The images on it have more pixels together than are allowed."""
    LONG = "long"
    """It, or one before it, takes more time or memory than the process may use."""
    START = "start"
    """There is no process."""


class NotDrawn(Exception):  # noqa: N818 - says what became of a page
    """Why a page is not rendered."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Drawing(NamedTuple):
    """A rendered page: `height` rows of `stride` bytes, with `n_channels` bytes a pixel."""

    rows: bytes
    width: int
    height: int
    stride: int
    n_channels: int


class Renderer:
    """Loads and renders pages of one file; the process starts with the first.

    The file has one limit of time: once a page takes too long, no other is rendered.

    Parameters
    ----------
    data : bytes
        The whole file.
    n_pages : int
    max_pixels : int
        Most pixels of the images on a page together: they are decoded in full, however
        small they are drawn.
    """

    def __init__(self, data: bytes, n_pages: int, max_pixels: int) -> None:
        self._data = data
        self._limits = {
            "max_pixels": max_pixels,
            "cpu_s": _MOST_CPU_S + _PAGE_CPU_S * n_pages,
            "loading_s": _MOST_LOADING_S,
        }
        self._took_long = False
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
        if self._took_long:
            raise NotDrawn(Reason.LONG)
        if self._process is None:
            self._process = _start()
            request = {**request, "opens": True}
        process = self._process
        timer = threading.Timer(_MOST_WALL_S, process.kill)
        timer.start()
        try:
            pipe_in, pipe_out = _pipes(process)
            if "opens" in request:
                _skip_to_magic(pipe_out)
                _send(pipe_in, json.dumps(self._limits).encode())
                _send(pipe_in, self._data)
            _send(pipe_in, json.dumps(request).encode())
            facts, rows = json.loads(_receive(pipe_out)), _receive(pipe_out)
        except (EOFError, BrokenPipeError) as exc:
            self.close()
            self._took_long = True
            raise NotDrawn(Reason.LONG) from exc
        except NotDrawn:
            self.close()
            raise
        finally:
            timer.cancel()
        if "reason" in facts:
            reason = Reason(facts["reason"])
            self._took_long = reason is Reason.LONG
            raise NotDrawn(reason)
        return facts, rows


def _start() -> subprocess.Popen[bytes]:
    # What this process finds by its path the other finds too, and nothing beside this file.
    path = os.pathsep.join(entry for entry in map(str, sys.path) if entry)
    try:
        return subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-P", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
    except OSError as exc:
        raise NotDrawn(Reason.START) from exc


def _skip_to_magic(pipe: IO[bytes]) -> None:
    said = b""
    while not said.endswith(_MAGIC):
        byte = pipe.read(1)
        said += byte
        if not byte or len(said) > _MOST_SAID:
            raise NotDrawn(Reason.START)


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
    data = pipe.read(length) if 0 < length <= _MOST_BYTES else b""
    if len(data) != length:
        raise EOFError
    return data


# -- in the process --------------------------------------------------------------------


def _serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    replies.write(_MAGIC)
    replies.flush()
    limits = json.loads(_receive(requests))
    _limit(limits["cpu_s"])
    document = pypdfium2.PdfDocument(_receive(requests))
    while True:
        try:
            request = json.loads(_receive(requests))
        except EOFError:
            return
        facts, rows = _answer(document, {**limits, **request})
        _send(replies, json.dumps(facts).encode())
        _send(replies, rows)


def _answer(
    document: pypdfium2.PdfDocument, request: dict[str, Any]
) -> tuple[dict[str, object], bytes]:
    try:
        started = time.process_time()
        page = document[request["index"]]
        if time.process_time() - started > request["loading_s"]:
            return {"reason": Reason.LONG}, b""
        if "dpi" not in request:
            return {}, b""
        images = page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=40)
        n_pixels = 0
        for image in images:
            width, height = image.get_px_size()
            n_pixels += width * height
            if n_pixels > request["max_pixels"]:
                return {"reason": Reason.LARGE}, b""
        scale = request["dpi"] / _POINTS_PER_INCH
        drawn = page.render(scale=scale, grayscale=not request["colour"])
    except pypdfium2.PdfiumError:
        return {"reason": Reason.DAMAGED}, b""
    shape = (drawn.width, drawn.height, drawn.stride, drawn.n_channels)
    return {"shape": shape}, bytes(drawn.buffer)


def _limit(cpu_s: int) -> None:
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
    sys.stdout.flush()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as own:
        # Whatever else is printed goes where errors go.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        _serve(sys.stdin.buffer, own)
