"""What is written, by what is read."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.ctc import Steps, language_of, language_probability, likelihood
from inkmark.marking._confusion import Confusion

SLASHES = Confusion({"1": {"1": 0.9, "/": 0.1}, "": {"": 0.99, ".": 0.01}})


def steps(text: str) -> Steps:
    return Steps.of(tuple(step for sign in text for step in (((sign, 1.0),), (("", 1.0),))))


def test_a_sign_that_is_taken_for_another_may_be_written() -> None:
    written = SLASHES.written_steps(steps("112"), "/.")
    assert likelihood(written, "112") > likelihood(written, "1/2") > 0.05
    assert likelihood(written, "1/2") == pytest.approx(likelihood(written, "/12"), rel=1e-6)


def test_a_sign_that_is_not_seen_may_be_written() -> None:
    written = SLASHES.written_steps(steps("14"), ".")
    assert 0.005 < likelihood(written, "1.4") < 0.02


def test_any_sign_may_be_another_but_seldom() -> None:
    written = SLASHES.written_steps(steps("14"), "9")
    assert 0 < likelihood(written, "94") < 1e-3


def test_steps_stay_probabilities() -> None:
    written = SLASHES.written_steps(steps("1420"), "/.x")
    assert written.probabilities.sum(axis=1) == pytest.approx(1.0)
    assert written.probabilities.min() > 0
    every = language_probability(written, language_of("text"))
    assert 0.9 < every <= 1 + 1e-9
    assert np.isclose(SLASHES.matrix(written.symbols).sum(axis=1), 1.0).all()
