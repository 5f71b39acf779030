from __future__ import annotations

import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from printed_page import plain, scanned_page

from inkmark.errors import ExtraMissingError, InkmarkError
from inkmark.ocr import paddle
from inkmark.ocr.paddle import PaddleReader, build_paddle_models
from inkmark.ocr.printed import read_printed

# It has an environment of its own: it needs older packages than inkmark does.
with_paddle = pytest.mark.skipif(
    find_spec("paddleocr") is None, reason="no extra paddle here; make test runs this in its own"
)
# Its packages warn when they are imported.
lenient = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    build_paddle_models(folder)
    return folder


def test_models_are_made_and_made_again(tmp_path: Path) -> None:
    first = build_paddle_models(tmp_path / "models")
    assert [path.name for path in first] == ["PP-OCRv6_small_det", "PP-OCRv6_small_rec"]
    before = {file: file.read_bytes() for path in first for file in path.iterdir()}
    assert build_paddle_models(tmp_path / "models") == first
    assert before == {file: file.read_bytes() for path in first for file in path.iterdir()}
    assert {file.name for file in before} == {"inference.onnx", "inference.yml"}


def test_without_models_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InkmarkError, match=r"inkmark paddle-models"):
        PaddleReader(tmp_path)


def test_models_that_the_package_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paddle, "_SOURCES", {"PP-OCRv6_small_det": "other.onnx"})
    with pytest.raises(InkmarkError, match=r"has no other\.onnx"):
        build_paddle_models(tmp_path)


@pytest.mark.parametrize("name", ["PP-OCRv6_small_det", "PP-OCRv6_small_rec"])
def test_damaged_models_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = paddle._SOURCES[name]
    package = tmp_path / "models"
    package.mkdir()
    (package / file).write_bytes(b"no model")
    monkeypatch.setattr(paddle, "_SOURCES", {name: file})
    monkeypatch.setattr(paddle.resources, "files", lambda _: tmp_path)
    with pytest.raises(InkmarkError, match=f"{file} .* damaged.*force-reinstall"):
        build_paddle_models(tmp_path / "made")
    assert not (tmp_path / "made").exists()
    assert "not the one that inkmark knows" in caplog.text


def test_without_paddleocr_it_says_what_to_install(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "paddleocr", None)
    monkeypatch.setattr(paddle, "find_spec", lambda _: None)
    with pytest.raises(ExtraMissingError, match="inkmark\\[paddle\\]"):
        PaddleReader(models)


@with_paddle
@lenient
def test_it_reads_what_the_other_engine_reads(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(paddle, "_PAGES_EACH", 1)
    page = scanned_page(tmp_path)
    reader = PaddleReader(models)
    ours = [plain(line.text) for line in read_printed(page)]
    for _ in range(2):  # the second time with a new pipeline
        assert [plain(line.text) for line in reader.read_printed(page)] == ours
