"""Fits of public response data beside what other programs found on them, run to convergence."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.contract import Better, Kind, Options, Row, Unavailable
from inkmark.analytics import AnchorMethod, equate_anchored
from inkmark.analytics.diagnosis import DiagnosisOptions, QMatrix, Rule, fit_diagnosis
from inkmark.analytics.irt import (
    IrtFit,
    IrtOptions,
    ItemModel,
    ItemPriors,
    NormalPrior,
    fit_irt,
)

__all__ = ["parity"]

Figures = npt.NDArray[np.float64]

# Set, model, name of the reference output, log-likelihood.
RESPONSE_MODELS = (
    ("lsat6", ItemModel.RASCH, "LSAT6_Rasch", -2466.937600),
    ("lsat6", ItemModel.PL2, "LSAT6_2PL", -2466.653378),
    ("sat12", ItemModel.RASCH, "SAT12_Rasch", -9643.469440),
    ("sat12", ItemModel.PL2, "SAT12_2PL", -9488.955013),
    ("sat12", ItemModel.PL3, "SAT12_3PLprior", -9442.95636),
    ("math_exam_14w", ItemModel.RASCH, "MathExam14W_Rasch", -5456.286459),
    ("math_exam_14w", ItemModel.PL2, "MathExam14W_2PL", -5425.882946),
    ("science_grm", ItemModel.GRM, "Science_graded", -1608.869413),
    ("science_grm", ItemModel.GPCM, "Science_gpcm", -1612.681600),
    ("science_grm", ItemModel.NOMINAL, "Science_nominal", -1608.452002),
    ("science_grm", ItemModel.PCM, "Science_Rasch", -1619.274101),
    ("timss_aus_twn_gpcm", ItemModel.GPCM, "", -10421.917357),
    ("timss_aus_twn_gpcm", ItemModel.PCM, "", -10807.500999),
)
N_ITEMS = {"timss_aus_twn_gpcm": 11}
"""Where other columns follow those of the items."""
DIAGNOSIS = (
    ("frac11", Rule.DINA, "frac11_DINA", -2737.58734),
    ("frac11", Rule.DINO, "frac11_DINO", -2730.92783),
    ("frac11", Rule.GDINA, "", -2631.66457),
    ("frac20", Rule.DINA, "frac20_DINA", -4402.28767),
    ("frac20", Rule.DINO, "", -4698.92),
    ("cdm_sim_dina", Rule.DINA, "simdina_DINA", -2042.28513),
)
EQUATING = (
    (AnchorMethod.TUCKER, 1),
    (AnchorMethod.LEVINE, 2),
    (AnchorMethod.CHAINED_LINEAR, 3),
    (AnchorMethod.CHAINED_EQUIPERCENTILE, 4),
    (AnchorMethod.FREQUENCY_ESTIMATION, 5),
)


def parity(options: Options) -> tuple[list[Row], str]:
    """Ours, theirs and the difference of log-likelihoods; the largest of parameters.

    Raises
    ------
    Unavailable
        Without the reference data.
    """
    if options.data_dir is None:
        raise Unavailable("the reference data are absent; set INKMARK_DATA to their folder")
    folder = options.data_dir / "psychometrics"
    rows = [*_response_models(folder), *_diagnosis(folder), *_equating(folder)]
    return rows, (
        "Parity: ours, the reference of a program run to convergence, and how far apart; for "
        "slopes, intercepts, guess and slip the largest difference of a set."
    )


def _response_models(folder: Path) -> Iterator[Row]:
    for name, model, output, expected in RESPONSE_MODELS:
        priors = {model: ItemPriors(guessing=NormalPrior(-1.1, 0.5))} if "prior" in output else {}
        responses = _table(folder / name / "responses.csv")[:, : N_ITEMS.get(name)]
        fit = fit_irt(responses, model, options=IrtOptions(priors=priors))
        group = f"{name} {model}"
        yield from _likelihoods(group, fit.log_likelihood, expected)
        if output:
            yield _largest(group, _apart(folder, output, fit))


def _apart(folder: Path, output: str, fit: IrtFit) -> Figures:
    """Differences of slopes and intercepts."""
    header, values = _reference(folder, f"{output}.slopeint")
    items, binary = fit.items, fit.items.models[0].is_binary
    top = range(1, items.d.shape[1] + 1)
    d = values[:, [header.index("d" if binary else f"d{k}") for k in top]]
    if items.models[0] is ItemModel.NOMINAL:
        steps = values[:, [header.index(f"ak{k}") for k in top]]
        slopes = items.s - values[:, :1] * steps
    else:
        slopes = items.a - values[:, 0]
    return np.concatenate([slopes.ravel(), (items.d - d).ravel()])


def _diagnosis(folder: Path) -> Iterator[Row]:
    for name, rule, output, expected in DIAGNOSIS:
        q = QMatrix.of(_table(folder / name / "q_matrix.csv"))
        responses = _table(folder / name / "responses.csv")
        fit = fit_diagnosis(responses, q, rule, DiagnosisOptions(starts=1))
        group = f"{name} {rule}"
        yield from _likelihoods(group, fit.log_likelihood, expected)
        if output and name != "frac20":  # that table keeps four decimals and cuts at 1e-4
            header, values = _reference(folder, f"{output}.gs")
            ours = np.array([[item.guess, item.slip] for item in fit.items])
            theirs = values[:, [header.index("guess"), header.index("slip")]]
            yield _largest(group, ours - theirs)


def _equating(folder: Path) -> Iterator[Row]:
    x, y = (_table(folder / "equating_kbneat" / f"{form}.csv") for form in "xy")
    reference = _table(folder / "reference_outputs" / "kbneat_equate.csv")
    for method, column in EQUATING:
        found = equate_anchored(x, y, (36, 36, 12), method, weight=1)
        yield _largest(f"kbneat {method}", found.y - reference[:, column])


def _likelihoods(group: str, ours: float, theirs: float) -> Iterator[Row]:
    yield Row("log-likelihood", ours, "", Kind.ACCURACY, Better.NEITHER, group=group)
    yield Row("reference", theirs, "", Kind.ACCURACY, Better.NEITHER, group=group)
    yield Row("apart", abs(ours - theirs), "", Kind.ACCURACY, tolerance=1e-4, group=group)


def _largest(group: str, differences: Figures) -> Row:
    worst = float(np.nanmax(np.abs(differences)))
    return Row("parameters apart", worst, "", Kind.ACCURACY, tolerance=1e-4, group=group)


def _table(path: Path) -> Figures:
    return np.genfromtxt(path, delimiter=",", skip_header=1)


def _reference(folder: Path, name: str) -> tuple[list[str], Figures]:
    """Column names and numbers of a table of reference output, its row names left out."""
    path = folder / "reference_outputs" / f"{name}.csv"
    with path.open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    return header[1:], _table(path)[:, 1:]
