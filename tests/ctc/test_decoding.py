"""Texts from CTC steps, and each kernel against plain numpy or against all paths."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.ctc import (
    OTHER,
    Language,
    Steps,
    either,
    join_opinions,
    language_of,
    language_probability,
    likeliest_texts,
    likelihood,
    literal,
    many,
    maybe,
    one_of,
    opinions,
)
from inkmark.ctc._kernels import text_probability, to_come

LETTERS = "abc"

LANGUAGES = [
    language_of("text"),
    Language.of(many(one_of("ab"))),
    Language.of(maybe(many(one_of("abc")))),
    Language.of(literal("a") + maybe(one_of("abc")) + literal("a")),
    Language.of(either(literal("ab"), literal("aab"), literal("bb"), literal("c"))),
    Language.of(many(literal("ab"))),
]


@st.composite
def some_steps(draw: st.DrawFn) -> Steps:
    n_steps, n_letters = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    symbols = ("", *LETTERS[:n_letters], OTHER)
    rows = st.lists(st.integers(0, 9), min_size=len(symbols), max_size=len(symbols))
    weights = np.array([draw(rows) for _ in range(n_steps)], dtype=np.float64)
    weights[weights.sum(axis=1) == 0] = 1.0
    return Steps(symbols, weights / weights.sum(axis=1, keepdims=True))


def all_texts(steps: Steps) -> dict[str, float]:
    """The probability of every text, from every path."""
    found: dict[str, float] = defaultdict(float)
    n_steps, n_symbols = steps.probabilities.shape
    for path in itertools.product(range(n_symbols), repeat=n_steps):
        text = "".join(steps.symbols[k] for k, _ in itertools.groupby(path))
        found[text] += float(np.prod(steps.probabilities[range(n_steps), path]))
    return found


@given(some_steps())
def test_likelihood_sums_all_paths(steps):
    for text, probability in all_texts(steps).items():
        if OTHER not in text:
            assert likelihood(steps, text) == pytest.approx(probability, abs=1e-15)


@given(some_steps(), st.sampled_from(LANGUAGES))
def test_language_probability_sums_its_texts(steps, language):
    expected = sum(p for text, p in all_texts(steps).items() if language.accepts(text))
    assert language_probability(steps, language) == pytest.approx(expected, abs=1e-15)


@given(some_steps(), st.sampled_from(LANGUAGES))
def test_likeliest_texts_are_the_likeliest_of_all(steps, language):
    """With room for every beginning nothing can be missed."""
    expected = sorted(
        (p for text, p in all_texts(steps).items() if p > 0 and language.accepts(text)),
        reverse=True,
    )
    found = likeliest_texts(steps, language, 4, width=400)
    assert [p for _, p in found] == pytest.approx(expected[:4], abs=1e-15)
    assert len({text for text, _ in found}) == len(found)
    for text, probability in found:
        assert language.accepts(text)
        assert probability == likelihood(steps, text)


@given(some_steps(), st.sampled_from(LANGUAGES))
def test_a_narrow_search_still_ends_in_the_language(steps, language):
    found = likeliest_texts(steps, language, 1, width=1)
    assert bool(found) == (language_probability(steps, language) > 0)
    assert all(language.accepts(text) for text, _ in found)


@given(some_steps(), st.sampled_from(LANGUAGES))
def test_to_come_equals_the_twin(steps, language):
    moves = language.moves_by(steps.symbols)
    np.testing.assert_allclose(
        to_come(steps.probabilities, moves, language.accepting),
        to_come_twin(steps.probabilities, moves, language.accepting),
        atol=1e-15,
    )


def to_come_twin(steps, moves, accepting):
    n_steps, n_symbols = steps.shape
    after = np.zeros((n_steps + 1, len(moves), n_symbols))
    after[-1] = accepting[:, None]
    for t, state, last in itertools.product(
        reversed(range(n_steps)), range(len(moves)), range(n_symbols)
    ):
        total = steps[t, 0] * after[t + 1, state, 0]
        if last > 0:
            total += steps[t, last] * after[t + 1, state, last]
        for symbol in range(1, n_symbols):
            if symbol != last and moves[state, symbol] >= 0:
                total += steps[t, symbol] * after[t + 1, moves[state, symbol], symbol]
        after[t, state, last] = total
    return after


@given(some_steps(), st.lists(st.integers(1, 2), max_size=4))
def test_text_probability_equals_the_textbook_trellis(steps, text):
    text = [symbol for symbol in text if symbol < len(steps.symbols)]
    expected = trellis(steps.probabilities, text)
    found = text_probability(steps.probabilities, np.array(text, dtype=np.int64))
    assert found == pytest.approx(expected, abs=1e-15)


def trellis(steps, text):
    """Forward over blank, symbol, blank, ..., blank as the paper draws it."""
    labels = [0]
    for symbol in text:
        labels += [symbol, 0]
    alpha = np.zeros(len(labels))
    alpha[: min(2, len(labels))] = steps[0, labels[:2]]
    for row in steps[1:]:
        before, alpha = alpha, np.zeros(len(labels))
        for i, symbol in enumerate(labels):
            alpha[i] = before[i] + (before[i - 1] if i > 0 else 0)
            if i > 1 and symbol not in (0, labels[i - 2]):
                alpha[i] += before[i - 2]
            alpha[i] *= row[symbol]
    return alpha[-2:].sum()


def writing(
    text: str, sure: float, rng: np.random.Generator, alphabet: str = "0123456789."
) -> Steps:
    """Steps as the recogniser gives them: mostly blank, a step or two a character."""
    symbols = ("", *alphabet, OTHER)
    rows = []
    for character in text:
        for k in range(rng.integers(2, 4)):
            row = rng.dirichlet(np.full(len(symbols), 0.05)) * (1 - sure)
            row[0 if k else symbols.index(character)] += sure
            rows.append(row)
    return Steps(symbols, np.array(rows))


@pytest.mark.parametrize("sure", [0.99, 0.9, 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_choices_stay_near_the_steps(seed, sure):
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(list("0123456789"), 6)) + ".5"
    steps = writing(text, sure, rng)
    choices = steps.choices()
    assert max(len(step) for step in choices) <= 8
    kept = Steps.of(choices)
    np.testing.assert_allclose(kept.probabilities.sum(axis=1), 1.0)
    number = language_of("number")
    whole, short = likeliest_texts(steps, number), likeliest_texts(kept, number)
    assert whole[0][0] == short[0][0]
    for candidate, probability in whole:
        assert likelihood(kept, candidate) == pytest.approx(probability, rel=0.02, abs=0.0005)
    assert language_probability(kept, number) == pytest.approx(
        language_probability(steps, number), rel=0.02
    )


def test_choices_leave_out_the_unlikely_and_join_blanks():
    symbols = ("", "1", "7", OTHER)
    steps = Steps(
        symbols,
        np.array(
            [[1, 0, 0, 0], [1, 0, 0, 0], [0.0496, 0.95, 0.0004, 0], [1, 0, 0, 0], [0, 0, 0, 1]],
            dtype=np.float64,
        ),
    )
    blank = (("", 1.0),)
    assert steps.choices() == (blank, (("1", 0.95), ("", 0.0496)), blank, ())
    assert Steps.of(steps.choices()).symbols == ("", "1", OTHER)
    assert Steps.of(steps.choices()).probabilities[-1].tolist() == [0.0, 0.0, 1.0]


@given(st.lists(some_steps().map(Steps.choices) | st.just(()), min_size=1, max_size=3))
def test_opinions_come_apart_as_they_were_put_together(readers):
    assert opinions(join_opinions(*readers)) == tuple(readers)


def test_choices_of_nothing():
    assert Steps.of(()).choices() == ()
    assert likelihood(Steps.of(()), "") == 1.0
    assert likelihood(Steps.of(()), "1") == 0.0
    assert likeliest_texts(Steps.of(()), language_of("digits")) == ()


def test_steps_of_a_text_write_that_text():
    steps = Steps.of_text("1１2", 0.9)
    assert likelihood(steps, "112") == pytest.approx(0.9**3)
    assert language_probability(steps, language_of("digits")) == pytest.approx(0.9**3)
    assert likeliest_texts(Steps.of_text("", 0.0), language_of("digits")) == ()


def test_likelihood_of_characters_in_another_form():
    steps = Steps.of(((("１", 0.9), ("7", 0.1)), (("", 1.0),), (("−", 1.0),)))
    assert likelihood(steps, "1-") == pytest.approx(0.9)
    assert likelihood(steps, "１－") == pytest.approx(0.9)
    assert likelihood(steps, "2-") == 0.0


def test_narrowed_keeps_what_is_none_of_the_alphabet():
    steps = Steps(
        ("", "1", "I", "你", OTHER),
        np.array([[0.1, 0.2, 0.3, 0.25, 0.15], [1.0, 0, 0, 0, 0]]),
    )
    narrow = steps.narrowed("10")
    assert narrow.symbols == ("", "1", "0", OTHER)
    np.testing.assert_allclose(narrow.probabilities[0], [0.1, 0.5, 0.0, 0.4])
    assert likelihood(narrow, "1") == pytest.approx(0.5)


def test_a_language_that_cannot_be_written_gives_nothing():
    steps = writing("12", 0.9, np.random.default_rng(0))
    assert likeliest_texts(steps, language_of("ABCD")) == ()
    assert language_probability(steps, language_of("ABCD")) == 0.0


def test_long_hopeless_steps_stay_finite():
    """Probabilities too small for a float end as nothing, never as a wrong number."""
    symbols = ("", "1", "2", OTHER)
    row = np.array([1e-9, 1e-7, 1e-8, 1.0])
    steps = Steps(symbols, np.tile(row / row.sum(), (30, 1)))
    ((text, probability),) = likeliest_texts(steps, language_of("digits"), 1)
    assert set(text) <= {"1", "2"}
    assert 0 < probability < 1e-150
    longer = Steps(symbols, np.tile(row / row.sum(), (100, 1)))
    assert likeliest_texts(longer, language_of("digits")) == ()
