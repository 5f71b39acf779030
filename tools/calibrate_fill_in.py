"""Fit what settles handwritten answers to simulated ones: ``python -m tools.calibrate_fill_in``.

Written to ``inkmark/marking/fill_in_model.json``: which signs are read where which are
written, by expectation and maximisation over the paths of CTC; a logistic model of an
accepted answer; and, from pages held out, how improbable a wrong verdict has to be. Answers
are right as often as wrong, whatever the share among those simulated.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from inkmark.ctc import Steps, opinions, plain
from inkmark.files import write_whole
from inkmark.marking import FillInOptions, Verdict, judge_fill_in
from inkmark.marking import fill_in as marking
from inkmark.marking._confusion import Confusion
from inkmark.marking.fill_in import KeyKind
from tools.fill_in_samples import Written, observe

__all__ = ["main"]

FloatArray = NDArray[np.float64]
Counts = defaultdict[str, defaultdict[str, float]]
"""How often a sign was read where another was written, by the sign that was read."""
OUT = Path(__file__).resolve().parent.parent / "inkmark" / "marking" / "fill_in_model.json"
SEED = 3
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
_MOST_WRONG = 0.01
"""A verdict that is wrong with a larger probability is not given at any rate."""
_HELD_OUT = 3
"""One in so many pages is held out."""
_ITERATIONS = 4
_READERS = 2
_LEAST_READ, _PRIOR = 3.0, 4.0
"""A sign has to be read so often to be known; so many more times it was read rightly."""
_LEAST_SHARE = 2e-4


def fit_confusion(answers: Sequence[Written], reader: int) -> Confusion:
    """Which signs a reader reads where which are written (Dempster, Laird and Rubin 1977)."""
    confusion = Confusion({})
    for _ in range(_ITERATIONS):
        counts: Counts = defaultdict(lambda: defaultdict(float))
        for answer in answers:
            choices = opinions(answer.choices)[reader]
            if choices:
                _count(replace(answer, choices=choices), confusion, counts)
        confusion = Confusion(
            {
                sign: _shares(sign, row)
                for sign, row in counts.items()
                if sum(row.values()) > _LEAST_READ
            }
        )
    return confusion


def _count(answer: Written, confusion: Confusion, counts: Counts) -> None:
    """Add how often each sign is expected to be read where each is written in an answer."""
    known = marking.known_answers(answer.key)
    read = Steps.of(answer.choices)
    if known.alphabet:
        read = read.narrowed(known.alphabet)
    text = [plain(sign) for sign in answer.text]
    if known.alphabet and not set(text) <= set(read.symbols):
        return
    same = Confusion({symbol: {symbol: 1.0} for symbol in read.symbols})
    read = same.written_steps(read, "".join(dict.fromkeys(text)))
    matrix = confusion.matrix(read.symbols)
    written = read.probabilities @ matrix
    place = {symbol: k for k, symbol in enumerate(read.symbols)}
    held = _expected(written, [place[sign] for sign in text])
    share = np.divide(held, written, out=np.zeros_like(held), where=written > 1e-12)
    expected = (read.probabilities.T @ share) * matrix
    for row, column in np.argwhere(expected > 1e-3).tolist():
        counts[read.symbols[row]][read.symbols[column]] += expected[row, column]


def _expected(steps: FloatArray, text: Sequence[int]) -> FloatArray:
    """Probability of each symbol at each step given the text (Graves et al. 2006, section 4.1)."""
    labels = np.zeros(2 * len(text) + 1, dtype=np.int64)
    labels[1::2] = text
    seen = steps[:, labels]
    skips = np.zeros(len(labels), dtype=bool)
    skips[2:] = (labels[2:] != 0) & (labels[2:] != labels[:-2])
    ahead = _forward(seen, skips)
    # Backwards a skip leaves from where forwards it arrives.
    back = _forward(seen[::-1, ::-1], np.concatenate([[False, False], skips[:1:-1]]))
    both = ahead * back[::-1, ::-1] / np.maximum(seen, 1e-300)
    both /= np.maximum(both.sum(axis=1, keepdims=True), 1e-300)
    held = np.zeros_like(steps)
    np.add.at(held.T, labels, both.T)
    return held


def _forward(seen: FloatArray, skips: NDArray[np.bool_]) -> FloatArray:
    out = np.zeros_like(seen)
    out[0, :2] = seen[0, :2]
    for t in range(1, len(seen)):
        before = out[t - 1]
        paths = before.copy()
        paths[1:] += before[:-1]
        paths[2:] += np.where(skips[2:], before[:-2], 0.0)
        out[t] = paths * seen[t]
        out[t] /= max(out[t].sum(), 1e-300)
    return out


def _shares(sign: str, row: Mapping[str, float]) -> dict[str, float]:
    counts = {**row, sign: row.get(sign, 0.0) + _PRIOR}
    shares = {other: n / sum(counts.values()) for other, n in sorted(counts.items())}
    return {other: round(p, 5) for other, p in shares.items() if p >= _LEAST_SHARE}


def fit_odds(margins: FloatArray, right: FloatArray, weight: FloatArray) -> FloatArray:
    """Weights of a logistic model (Platt 1999); none but the constant is negative."""

    def loss(x: FloatArray) -> float:
        z = x[0] + margins @ np.exp(x[1:])
        return float((weight * (np.logaddexp(0.0, z) - right * z)).mean())

    x = minimize(loss, np.zeros(1 + margins.shape[1]), method="Nelder-Mead").x
    return np.array([x[0], *np.exp(x[1:])]).round(4)


def limits(wrong: FloatArray, is_wrong: FloatArray, weight: FloatArray) -> list[float]:
    """For each rate the largest probability of a wrong verdict that keeps all below it to it.

    By what the model says of answers held out, or by how many of those were wrong and one
    more, whichever is less, but never by less than were wrong.
    """
    order = np.argsort(wrong, kind="stable")
    total = np.cumsum(weight[order])
    said = np.cumsum((weight * wrong)[order]) / total
    n_wrong = np.cumsum((weight * is_wrong)[order])
    mean = np.maximum(np.minimum(said, (n_wrong + 1) / total), n_wrong / total)
    mean = np.minimum.accumulate(mean[::-1])[::-1]
    last = np.searchsorted(mean, RATES, side="right") - 1
    found = np.where(last >= 0, wrong[order][np.maximum(last, 0)], wrong[order][0] / 2)
    return [float(f"{x:.3g}") for x in np.clip(found, 1e-12, _MOST_WRONG)]


def report(answers: Iterable[Written]) -> None:
    """Verdicts by kind of key and by what is true."""
    options = FillInOptions()
    tally: Counter[tuple[KeyKind, bool, Verdict]] = Counter()
    for answer in answers:
        found = judge_fill_in(answer.key, answer.choices, options)
        kind = marking.known_answers(answer.key).kind
        tally[kind, answer.right, found.verdict] += 1
    print("key      answer   accepted  refused  person")
    for kind in KeyKind:
        for right in (True, False):
            row = [tally[kind, right, verdict] for verdict in Verdict]
            print(
                f"{kind:8s} {'right' if right else 'wrong':6s} {row[0]:10d} {row[1]:8d} {row[2]:7d}"
            )


def _load(path: Path) -> list[Written]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [
        Written(tuple(key), text, right, tuple(tuple(map(tuple, step)) for step in choices), page)
        for key, text, right, choices, page in rows
    ]


def _write(model: dict[str, object]) -> None:
    text = json.dumps(model, ensure_ascii=False, indent=1, sort_keys=True)
    write_whole(OUT, (text + "\n").encode())
    marking.fill_in_model.cache_clear()


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True,
              help="Folder of the sets of handwriting.")  # fmt: skip
@click.option("--pages", default=1000, show_default=True, help="Simulated pages.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep the readings in this file.")
@click.option("--workers", default=2, show_default=True)
def main(data: Path, pages: int, cache: Path | None, workers: int) -> None:
    """Fit the model of fill-in answers to simulated ones and write it."""
    if cache is not None and cache.exists():
        answers = _load(cache)
    else:
        answers = observe(pages, workers, data, SEED)
        if cache is not None:
            rows = ([a.key, a.text, a.right, a.choices, a.page] for a in answers)
            lines = (json.dumps(row, ensure_ascii=False) for row in rows)
            cache.write_text("\n".join(lines) + "\n", "utf-8")
    training = [answer for answer in answers if answer.page % _HELD_OUT != 0]
    held_out = [answer for answer in answers if answer.page % _HELD_OUT == 0]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        fitted = pool.map(fit_confusion, [training] * _READERS, range(_READERS))
        confusions = [confusion.written for confusion in fitted]
    equal = {str(kind): [0.0, *[1.0] * _READERS] for kind in KeyKind}
    no_limits = {str(verdict): [RATES, RATES] for verdict in Verdict}
    _write({"confusions": confusions, "weights": equal, "limits": no_limits})
    weights = {str(kind): fit_kind(kind, training) for kind in KeyKind}
    _write({"confusions": confusions, "weights": weights, "limits": no_limits})
    _write({"confusions": confusions, "weights": weights, "limits": all_limits(held_out)})
    report(held_out)
    print(f"{len(answers)} answers; written to {OUT.name}")


def fit_kind(kind: KeyKind, training: list[Written]) -> list[float]:
    """Weights of what the readers say, for keys of a kind."""
    own = [a for a in training if marking.known_answers(a.key).kind is kind]
    found = [marking.weigh_answers(a.key, a.choices).margins for a in own]
    margins = np.array([(*said, *[0.0] * (_READERS - len(said))) for said in found])
    right = np.array([a.right for a in own], dtype=np.float64)
    return [float(weight) for weight in fit_odds(margins, right, _balance(right))]


def all_limits(held_out: list[Written]) -> dict[str, object]:
    """Limits of the verdicts, from answers of all kinds."""
    found = [marking.weigh_answers(a.key, a.choices) for a in held_out]
    p = np.array([marking.fill_in_model().probability(evidence) for evidence in found])
    right = np.array([a.right for a in held_out], dtype=np.float64)
    weight = _balance(right)
    kept: dict[str, object] = {}
    for verdict, wrong, is_wrong in (
        (Verdict.ACCEPTED, 1 - p, 1 - right),
        (Verdict.REFUSED, p, right),
    ):
        given = np.array([evidence.allows(verdict) for evidence in found])
        kept[str(verdict)] = [RATES, limits(wrong[given], is_wrong[given], weight[given])]
    return kept


def _balance(right: FloatArray) -> FloatArray:
    """Weights with which right answers count as much as wrong ones."""
    share = right.mean()
    return np.asarray(np.where(right == 1, 0.5 / share, 0.5 / (1 - share)))


if __name__ == "__main__":
    main()
