"""How readings of boxes are weighed."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.ocr._writing_model import Kind, writing_model

RATES = (1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 1e-2, 0.5)
MODEL = writing_model()


@pytest.mark.parametrize("name", ["digits", "letters"])
def test_who_allows_more_silent_errors_has_no_more_to_look_at(name):
    limits = [MODEL.kinds[name].limit(rate) for rate in RATES]
    assert limits == sorted(limits)
    assert limits[0] < 1e-4
    assert limits[-1] < 0.051


def test_limits_between_rates_are_interpolated_by_their_logarithms():
    kind = Kind(0.9, (1.0, 0.0), (1.0, 1.0, 0.0), ((1e-4, 1e-3), (1e-2, 1e-1)))
    assert kind.limit(1e-3) == pytest.approx(1e-2)
    assert kind.limit(1e-6) == pytest.approx(1e-3)


def test_readers_are_multiplied_and_what_is_none_of_the_symbols_has_its_odds():
    kind = Kind(0.9, (2.0, 0.0), (1.0, 1.0, np.log(0.3)), ((1e-3, 1e-2), (1e-2, 1e-1)))
    glyph, string = np.array([[0.6, 0.3, 0.1]]), np.array([[0.2, 0.7, 0.1]])
    assert kind.by_glyph(glyph)[0] == pytest.approx([36 / 46, 9 / 46, 1 / 46], abs=1e-3)
    assert kind.by_both(glyph, string)[0] == pytest.approx([12 / 36, 21 / 36, 3 / 36], abs=1e-3)


def test_the_more_ink_the_surer_is_writing():
    blank = [MODEL.blank_probability(amount) for amount in (0.0, 0.1, 0.5, 2.0, 10.0)]
    assert blank == sorted(blank, reverse=True)
    assert blank[0] == 1.0
    assert blank[-1] < 1e-3
