"""Known parameters found again: bias, error, and how often the interval holds the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks._psychometrics_speed import SEED, known_items
from benchmarks.contract import Better, Kind, Options, Row
from inkmark.analytics.irt import ItemModel, fit_irt, simulate_responses

__all__ = ["recovery"]

N, N_ITEMS, ROUNDS = 2_000, 20, 40
MODELS = ((ItemModel.RASCH, 2), (ItemModel.PL2, 2), (ItemModel.GRM, 4), (ItemModel.GPCM, 4))
NORMAL_95 = 1.959964

Figures = npt.NDArray[np.float64]


def recovery(_: Options) -> tuple[list[Row], str]:
    """Fit simulated papers again and again."""
    rows = []
    for model, n_categories in MODELS:
        rng = np.random.default_rng([SEED, n_categories])
        items = known_items(model, N_ITEMS, rng, n_categories)
        off: dict[str, list[Figures]] = {"a": [], "d": []}
        errors: dict[str, list[Figures]] = {"a": [], "d": []}
        for _round in range(ROUNDS):
            fit = fit_irt(simulate_responses(items, rng.normal(size=N), rng), model)
            off["a"].append(fit.items.a - items.a)
            off["d"].append((fit.items.d - items.d).ravel())
            errors["a"].append(fit.errors.a)
            errors["d"].append(fit.errors.d.ravel())
        for parameter in ("a", "d"):
            if parameter == "a" and model.has_fixed_slope:
                continue
            apart, error = np.array(off[parameter]), np.array(errors[parameter])
            held = np.abs(apart) <= NORMAL_95 * error
            group = f"{model}, {parameter}"
            rows += [
                Row("bias", float(apart.mean()), "", Kind.ACCURACY, Better.NEITHER, group=group),
                Row("RMSE", float(np.sqrt((apart**2).mean())), "", Kind.ACCURACY, group=group),
                Row(
                    "in 95 % interval",
                    100 * float(held.mean()),
                    "%",
                    Kind.ACCURACY,
                    Better.NEITHER,
                    group=group,
                ),
            ]
    return rows, (
        f"Recovery: {ROUNDS} simulated cohorts of {N:,} on {N_ITEMS} items; over all items and "
        "categories. The interval is the estimate and 1.96 standard errors on either side."
    )
