"""What the glyph reader learns from, and how its probabilities are made honest."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from inkmark.errors import ExtraMissingError
from inkmark.ocr import _training_ink as pen
from inkmark.ocr import train
from inkmark.ocr._shape import glyph_images
from inkmark.ocr._training_data import CLASSES, Samples, Specimens, draw_samples, split_specimens
from inkmark.ocr._training_kernels import vary_glyphs
from inkmark.ocr._training_strokes import FORMS, MARKS, bent
from inkmark.specimens import InkSign

RING = tuple((30 * np.cos(t), 40 * np.sin(t)) for t in np.linspace(0, 6.2, 30))


@pytest.fixture
def specimens() -> Specimens:
    glyph = np.zeros((28, 28), np.uint8)
    glyph[5:23, 12:15] = 255
    crop = np.full((40, 30), 220, np.uint8)
    crop[8:32, 8:11] = 60
    crop[29:32, 8:24] = 60
    return Specimens(
        digits=np.stack([glyph] * 3),
        digit_labels=np.array(["1"] * 3),
        ink=(InkSign("0", 1, (np.array(RING),)),) * 2,
        crops=(crop,) * 4,
        crop_labels=("L", "c", "n", "q"),
    )


def test_every_source_is_drawn_and_labelled(specimens: Specimens) -> None:
    samples = draw_samples(specimens, 1, seed=3)
    named = {
        source: {CLASSES[k] for k in np.unique(some.labels)} for source, some in samples.items()
    }
    assert named["mnist"] == named["mnist on paper"] == {"1"}
    assert named["pendigits"] == {"0"}
    assert named["handwritten62"] == {"L", "C"}  # c is written as C is, n and q are not
    assert named["forms"] == set(FORMS)
    assert named["none"] == {"?"}
    assert set(train.SHARES) == set(samples)
    assert sum(train.SHARES.values()) == pytest.approx(1.0)
    for some in samples.values():
        assert some.glyphs.shape == (len(some.labels), 28, 28)
        assert (some.glyphs.max(axis=(1, 2)) > 100).all()


def test_the_same_seed_draws_the_same(specimens: Specimens) -> None:
    once, again = draw_samples(specimens, 1, seed=3), draw_samples(specimens, 1, seed=3)
    other = draw_samples(specimens, 1, seed=4)
    for source, some in once.items():
        np.testing.assert_array_equal(some.glyphs, again[source].glyphs)
    assert not np.array_equal(once["pendigits"].glyphs, other["pendigits"].glyphs)


def test_what_is_held_out_is_not_learnt_from(data_dir: Path) -> None:
    learnt, held = split_specimens(data_dir / "handwriting")
    assert (len(learnt.digits), len(held.digits)) == (55_000, 5_000)
    assert {s.writer for s in learnt.ink}.isdisjoint({s.writer for s in held.ink})
    assert (len(learnt.crops), len(held.crops)) == (3896, 62 * 7)
    assert set(learnt.crop_labels) == set(held.crop_labels)


@pytest.mark.parametrize("label", sorted(FORMS))
def test_a_form_stays_in_its_box_and_is_written_differently(label: str) -> None:
    rng = np.random.default_rng(8)
    for form in FORMS[label]:
        inks = [pen.write(bent(form, rng), (60, 60), rng) for _ in range(2)]
        assert not np.array_equal(*inks)
        for ink in inks:
            assert ink.shape == (60, 60)
            assert 0.01 < ink.mean() < 0.5
            assert 0.0 <= ink.min() <= ink.max() <= 1.0


def test_what_is_none_of_these_differs_from_the_sign_it_is_made_of() -> None:
    rng = np.random.default_rng(9)
    for k in range(200):
        sign = pen.write(bent(FORMS["A"][0], rng), pen.box_size(rng), rng)
        none = pen.none_of_these(sign, pen.write(bent(MARKS[0], rng), (50, 50), rng), rng)
        assert none.max() > 0.5, k
        assert none.shape != sign.shape or np.abs(none - sign).sum() > 0.02 * sign.sum(), k


def test_paper_is_light_and_ink_dark() -> None:
    rng = np.random.default_rng(10)
    ink = pen.write((np.array(RING),), (60, 60), rng)
    for _ in range(50):
        page = pen.on_paper(ink, rng)
        assert page.shape == ink.shape
        assert page[ink == 0].mean() > page[ink > 0.9].mean() + 20


def test_glyphs_are_varied_as_the_maps_say() -> None:
    crop = np.full((60, 60), 230, np.uint8)
    crop[15:45, 20:24] = 20
    crop[41:45, 20:40] = 20
    glyph = glyph_images([crop])[0]
    out = np.zeros((1, 1, 28, 28), np.float32)
    bends = np.zeros((1, 2, 5, 5))
    same = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])

    def varied(maps: object = same, pen: float = 0.0, gain: float = 1.0) -> np.ndarray:
        vary_glyphs(glyph, np.asarray(maps), bends, np.array([pen]), np.array([gain]), out)
        return out[0, 0].copy()

    plain = glyph[0] / 255.0
    np.testing.assert_allclose(varied(), plain, atol=1e-6)
    right = np.array([[[1.0, 0.0, -2.0], [0.0, 1.0, 0.0]]])
    np.testing.assert_allclose(varied(right)[:, 2:], plain[:, :-2], atol=1e-6)
    assert varied(pen=0.5).sum() > plain.sum() > varied(pen=-0.5).sum()
    np.testing.assert_allclose(varied(gain=0.5), plain / 2, atol=1e-6)
    far = np.array([[[1.0, 0.0, 100.0], [0.0, 1.0, 0.0]]])
    assert not varied(far).any()


def test_the_temperature_makes_the_probabilities_of_held_out_glyphs_right() -> None:
    """Labels are drawn from the softmax of scores; scores three times as sure need T = 3."""
    rng = np.random.default_rng(11)
    honest = rng.normal(0.0, 2.0, (20_000, len(CLASSES)))
    chances = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    samples = Samples(np.zeros((20_000, 28, 28), np.uint8), labels.astype(np.int64))
    for factor in (0.7, 1.0, 2.5):
        scores = (factor * honest).astype(np.float32)
        assert train.best_temperature([(scores, samples)]) == pytest.approx(factor, abs=0.05)


def test_without_the_extra_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "inkmark.ocr._training_net", raising=False)
    result = CliRunner().invoke(train.main, ["--data", str(tmp_path)])
    assert isinstance(result.exception, ExtraMissingError)
    assert 'pip install "inkmark[train]"' in str(result.exception)


def test_a_few_steps_train_a_network_that_is_the_same_in_onnx(
    specimens: Specimens, tmp_path: Path
) -> None:
    net = pytest.importorskip(
        "inkmark.ocr._training_net",
        reason="no extra train here; make test runs this in its own",
        exc_type=ImportError,
    )
    from inkmark.ocr.glyphs import GlyphReader  # noqa: PLC0415

    samples = draw_samples(specimens, 1, seed=3)
    shown = [(samples["forms"], 0.5), (samples["pendigits"], 0.5)]
    told: list[str] = []
    networks = [net.fit(shown, 3, 5, told.append) for _ in range(2)]
    glyphs = samples["forms"].glyphs[::97]
    scores = [net.logits(network, glyphs) for network in networks]
    np.testing.assert_array_equal(scores[0], scores[1])
    odds = np.where(np.array(CLASSES) == "?", 0.05, 1.0)
    facts = {"classes": "".join(CLASSES)}
    reader = GlyphReader(net.onnx_model(networks[0], 1.5, odds, facts))
    weights = np.exp(scores[0] / 1.5) * odds
    np.testing.assert_allclose(
        reader.probabilities(glyphs), weights / weights.sum(axis=1, keepdims=True), atol=1e-4
    )
