"""Strings read by the recogniser in the package rapidocr."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inkmark import fonts
from inkmark.ctc import OTHER, Steps, language_of, likelihood
from inkmark.errors import InkmarkError
from inkmark.ocr import strings
from inkmark.ocr.strings import string_reader

FONT = Path(fonts.__file__).parent / "NotoSansSC-Regular.ttf"


def line(text: str, *, height: int = 60, size: int = 40, paper: int = 255) -> np.ndarray:
    """A printed line, dark on light."""
    font = ImageFont.truetype(str(FONT), size)
    width = int(font.getlength(text)) + size
    image = Image.new("L", (width, height), paper)
    ImageDraw.Draw(image).text((size // 2, height // 2), text, 30, font, anchor="lm")
    return np.asarray(image)


@pytest.fixture(scope="module")
def reader():
    return string_reader()


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("2604513987", "digits"),
        ("-12.75", "number"),
        ("3/4", "number"),
        ("7.5", "points"),
        ("BAD", "ABCD"),
        ("光合作用", "text"),
        ("1,024", "number"),
    ],
)
def test_print_is_read(reader, text, charset):
    (reading,) = reader.read([line(text)], language_of(charset))
    assert reading.text == text
    assert reading.confidence > 0.9
    assert reading.inside > 0.5
    assert likelihood(Steps.of(reading.steps.choices()), text) > 0.5


def test_a_date_is_read_as_a_date(reader):
    (reading,) = reader.read([line("2026-11-22")], language_of("date"))
    assert reading.text == "2026-11-22"


def test_what_is_none_of_the_alphabet_is_known_as_such(reader):
    (reading,) = reader.read([line("XYZ")], language_of("ABCD"))
    assert reading.inside < 0.01
    digits, blank = reader.read(
        [line("47"), np.full((60, 150), 255, np.uint8)], language_of("digits")
    )
    assert digits.inside > 0.9
    assert blank.inside < 0.1


def test_only_the_language_is_read(reader):
    crops = [line("10"), line("A7"), line("光")]
    for reading in reader.read(crops, language_of("digits")):
        for text in (reading.text, *(text for text, _ in reading.alternatives)):
            assert set(text) <= set("0123456789")


def test_alternatives_are_ranked_and_no_more_than_asked_for(reader):
    (reading,) = reader.read([line("1703")], language_of("digits"), 3)
    probabilities = [reading.confidence, *(p for _, p in reading.alternatives)]
    assert len(probabilities) == 3
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) <= 1 + 1e-9


def test_restricted_steps_are_the_free_ones_in_short(reader):
    """The columns of an alphabet are those of free reading; the rest is kept as a whole."""
    crop = line("58 km")
    (free,), (digits,) = reader.steps([crop]), reader.steps([crop], "0123456789")
    assert digits.symbols == ("", *"0123456789", OTHER)
    np.testing.assert_allclose(digits.probabilities.sum(axis=1), 1.0)
    for symbol in "58":
        np.testing.assert_allclose(
            free.narrowed("0123456789").probabilities[:, digits.symbols.index(symbol)],
            digits.probabilities[:, digits.symbols.index(symbol)],
            atol=0.005,
        )
    likeliest = [digits.symbols[k] for k in digits.probabilities.argmax(axis=1)]
    assert [symbol for symbol in likeliest if symbol.isdigit()] == ["5", "8"]
    assert OTHER in likeliest


@pytest.mark.parametrize("shape", [(60, 0), (0, 60), (1, 1), (1, 300), (300, 1), (9, 4000)])
def test_crops_of_any_shape(reader, shape):
    (reading,) = reader.read([np.full(shape, 128, np.uint8)], language_of("digits"))
    assert 0.0 <= reading.confidence <= 1.0
    assert len(reading.steps.probabilities) <= 260


def test_readings_are_the_same_in_any_company_and_thread(reader):
    crops = [line(text) for text in ("31", "20260415", "7")]
    language = language_of("digits")
    alone = [reader.read([crop], language)[0].steps for crop in crops]
    together = [reading.steps for reading in reader.read(crops, language)]
    with ThreadPoolExecutor(4) as pool:
        threads = [r[0].steps for r in pool.map(lambda c: reader.read([c], language), crops * 8)]
    for a, b in zip(alone * 9, together + threads, strict=True):
        assert np.array_equal(a.probabilities, b.probabilities)


def test_one_reader_a_process(monkeypatch):
    made = []
    network = strings._Network
    monkeypatch.setattr(strings, "_Network", lambda model: made.append(1) or network(model))
    strings._string_reader.cache_clear()
    start = threading.Barrier(4)

    def get(_):
        start.wait()
        return string_reader()

    with ThreadPoolExecutor(4) as pool:
        readers = list(pool.map(get, range(4)))
    assert len(made) == 1
    assert len({id(one) for one in readers}) == 1


@pytest.fixture
def other_model(monkeypatch):
    monkeypatch.setattr(strings, "MODEL_SHA256", "0" * 64)
    strings._string_reader.cache_clear()
    yield
    strings._string_reader.cache_clear()


@pytest.mark.usefixtures("other_model")
def test_another_model_is_read_by_rapidocr_with_a_warning(caplog):
    reader = string_reader()
    assert "not the one that inkmark knows" in caplog.text
    crops = [line("4071", height=90), line("ABC"), np.full((60, 150), 255, np.uint8)]
    number, letters, blank = reader.read(crops, language_of("digits"))
    assert (number.text, number.alternatives) == ("4071", ())
    assert number.inside > 0.5
    assert (letters.text, letters.confidence) == ("", 0.0)
    assert (blank.text, blank.confidence) == ("", 0.0)
    assert reader.read([line("ABC")], language_of("text"))[0].text == "ABC"


def test_a_damaged_model_is_said_and_no_page_is_blamed(monkeypatch, tmp_path):
    whole = strings._model_path().read_bytes()
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(whole[:1_000_000])
    monkeypatch.setattr(strings, "_model_path", lambda: broken)
    strings._string_reader.cache_clear()
    with pytest.raises(InkmarkError, match=r"damaged.*force-reinstall"):
        string_reader()


def test_a_missing_model_is_said(monkeypatch):
    strings._string_reader.cache_clear()
    monkeypatch.setattr(strings, "_MODEL", "models/none.onnx")
    with pytest.raises(InkmarkError, match="recogniser of strings is missing"):
        string_reader()


def handwritten_rows(data_dir, n: int, rng: np.random.Generator, frame: int | None):
    """Seven digits of MNIST's test writers in boxes, frames printed or not."""
    with np.load(data_dir / "handwriting" / "mnist" / "mnist.npz") as file:
        images, labels = file["x_test"], file["y_test"]
    for _ in range(n):
        page = np.full((48, 48 * 7), 255.0)
        chosen = rng.integers(0, len(images), 7)
        for box, index in enumerate(chosen):
            ink = cv2.resize(images[index], (44, 44), interpolation=cv2.INTER_CUBIC)
            y, x = rng.integers(0, 5, 2)
            cell = page[y : y + 44, 48 * box + x : 48 * box + x + 44]
            cell -= 0.85 * ink
        if frame is not None:
            for x in range(0, 48 * 7, 48):
                page[:, x : x + 2] = np.minimum(page[:, x : x + 2], frame)
            page[[0, 1, -2, -1]] = np.minimum(page[[0, 1, -2, -1]], frame)
        yield np.clip(page, 0, 255).astype(np.uint8), "".join(str(labels[k]) for k in chosen)


@pytest.mark.parametrize(("frame", "least"), [(None, 0.9), (60, 0.84), (200, 0.84)])
def test_handwritten_digits(data_dir, reader, frame, least):
    """With nothing known but that they are digits."""
    rows = list(handwritten_rows(data_dir, 50, np.random.default_rng(1000), frame))
    readings = reader.read([crop for crop, _ in rows], language_of("digits"))
    right = [reading.text == text for reading, (_, text) in zip(readings, rows, strict=True)]
    assert np.mean(right) >= least
    sure = [ok for ok, reading in zip(right, readings, strict=True) if reading.confidence > 0.95]
    assert len(sure) >= 20
    assert np.mean(sure) >= 0.95
