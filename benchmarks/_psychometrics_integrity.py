"""Copied answers: what is found, and who is flagged that copied nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks._psychometrics_speed import SEED, multiple_choice
from benchmarks.contract import Better, Kind, Options, Row
from inkmark.analytics.integrity import (
    CopyPairs,
    nominal_probabilities,
    person_fit,
    screen_copying,
)
from inkmark.analytics.irt import ItemModel, ScoreMethod, fit_irt, score_candidates

__all__ = ["integrity"]

N, N_COPIERS, ROUNDS = 400, 20, 5
LENGTHS = (40, 60, 100)
SHARES = (0.3, 0.5, 0.7)

Choices = npt.NDArray[np.int64]


def integrity(options: Options) -> tuple[list[Row], str]:
    """Screen an examination with flags of its vendor, and simulated ones with known copiers."""
    rows = [] if options.data_dir is None else _vendor(options.data_dir / "psychometrics")
    for n_items in LENGTHS:
        rows += _simulated(n_items)
    return rows, (
        "Integrity: pairs flagged by omega at 5 %, adjusted by Holm's method for all ordered "
        f"pairs. Simulated: {ROUNDS} cohorts of {N} candidates a row, {N_COPIERS} of whom take "
        "over a share of the answers of one other each. Of the 1,636 candidates of "
        "credential_form1 the vendor flagged 46: by chance 1 pair in 1,292 is of two of them."
    )


def _strongest(pairs: CopyPairs) -> list[tuple[int, int]]:
    """Pairs without their reverses, the most unlikely first."""
    both = np.sort(np.stack([pairs.copier, pairs.source], axis=1), axis=1)
    return list(dict.fromkeys((int(a), int(b)) for a, b in both))


def _vendor(folder: Path) -> list[Row]:
    """How many of the strongest pairs are of candidates that the vendor flagged."""

    def table(name: str) -> list[dict[str, str]]:
        path = folder / "credential_form1" / name
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    choices = [[int(x) - 1 if x else -1 for x in row.values()] for row in table("raw_choices.csv")]
    key = [int(row["key"]) - 1 for row in table("answer_key.csv")]
    by_vendor = np.array([row["Flagged"] == "1" for row in table("examinees.csv")])
    answered = np.where(np.array(choices) < 0, np.nan, choices)
    items = fit_irt(answered, ItemModel.NOMINAL).items
    theta = score_candidates(answered, items, ScoreMethod.WLE).theta
    nominal = nominal_probabilities(items, theta, 4)
    rows = []
    for group, probabilities in (("by score", None), ("nominal", nominal)):
        pairs = screen_copying(choices, key, probabilities=probabilities).pairs
        strongest = _strongest(pairs)
        both = by_vendor[pairs.copier] & by_vendor[pairs.source]
        figures = {
            "ordered pairs flagged": int(pairs.flagged.sum()),
            "of which both by vendor": int(both[pairs.flagged].sum()),
        }
        for most in (10, 20, 50):
            n_both = sum(bool(by_vendor[a] and by_vendor[b]) for a, b in strongest[:most])
            figures[f"both by vendor of the {most} strongest pairs"] = n_both
        rows += [
            Row(label, value, "", Kind.COUNT, Better.HIGHER, group=f"credential_form1, {group}")
            for label, value in figures.items()
        ]
    return rows


def _simulated(n_items: int) -> list[Row]:
    """Copiers found and honest pairs flagged, and patterns of honest candidates."""
    group, rows = f"{n_items} items", []
    for share in SHARES:
        found = wrongly = 0
        for round_ in range(ROUNDS):
            rng = np.random.default_rng([SEED, n_items, round_, int(100 * share)])
            choices, key = multiple_choice(N, n_items, rng)
            who = rng.permutation(N)[: 2 * N_COPIERS].reshape(-1, 2)
            for copier, source in who:
                copied = rng.random(n_items) < share
                choices[copier, copied] = choices[source, copied]
            pairs = screen_copying(choices, key).pairs
            both = np.sort(np.stack([pairs.copier, pairs.source], 1)[pairs.flagged], axis=1)
            flagged = {(int(a), int(b)) for a, b in both}
            true = {(int(min(pair)), int(max(pair))) for pair in who}
            found += len(flagged & true)
            wrongly += len(flagged - true)
        copied_share = f"copied {share:.0%}"
        rows += [
            Row(
                f"{copied_share}, found",
                100 * found / (ROUNDS * N_COPIERS),
                "%",
                Kind.ACCURACY,
                Better.HIGHER,
                group=group,
            ),
            Row(f"{copied_share}, honest pairs flagged", wrongly, "", Kind.COUNT, group=group),
        ]
    return [*rows, *_patterns(n_items, group)]


def _patterns(n_items: int, group: str) -> list[Row]:
    """How often honest candidates have an lz* in the lowest 5 and 1 %."""
    low = []
    for round_ in range(ROUNDS):
        rng = np.random.default_rng([SEED, n_items, round_])
        choices, key = multiple_choice(N, n_items, rng)
        scores = (choices == key).astype(np.float64)
        items = fit_irt(scores, ItemModel.PL2).items
        fit = person_fit(scores, items, score_candidates(scores, items).theta)
        low.append(fit.p)
    p = np.concatenate(low)
    return [
        Row(
            f"lz* below its {level} % point",
            100 * float(np.mean(p < level / 100)),
            "%",
            Kind.ACCURACY,
            Better.NEITHER,
            group=group,
        )
        for level in (5, 1)
    ]
