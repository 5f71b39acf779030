"""McDonald's omega, a reliability by the loadings on one factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkmark.analytics.model import AnalysisWarning, FloatArray
from inkmark.errors import AnalysisError

__all__ = ["OneFactor", "one_factor"]

_MOST_STEPS = 5000
_ENOUGH = 1e-10
_WHOLE = 0.9999
"""Share of an item's variance from which the factor is taken to explain all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class OneFactor:
    """One common factor of the items.

    Attributes
    ----------
    n : int
        Candidates with a score on every item.
    loadings : (m,) float64
        In points; 0 for an item that does not vary.
    unique : (m,) float64
        Variance of each item that the factor does not explain, in points squared.
    omega : float
        (Σ λ)² / ((Σ λ)² + Σ ψ); NaN where there is a warning that forbids it.
    converged : bool
    warnings : tuple of AnalysisWarning
    """

    n: int
    loadings: FloatArray
    unique: FloatArray
    omega: float
    converged: bool
    warnings: tuple[AnalysisWarning, ...]


def one_factor(scores: npt.ArrayLike, items: tuple[str, ...] = ()) -> OneFactor:
    """Fit one factor by unweighted least squares, and give omega.

    Communalities are found by principal axes, repeated until they stay: what minimises the
    squares of the residual covariances.

    Parameters
    ----------
    scores : (n, m) array of float
        Points; candidates with a NaN are left out.
    items : tuple of str
        Their numbers, for the warnings; 1, 2, ... where not given.

    Returns
    -------
    OneFactor

    Raises
    ------
    AnalysisError
        For fewer than three items that vary, or two candidates.

    References
    ----------
    .. [1] McDonald, R. P. "Test Theory: A Unified Treatment", Erlbaum 1999, chapter 6.
    .. [2] Harman, H. H. and Jones, W. H. "Factor analysis by minimizing residuals (minres)",
       Psychometrika 31, 1966.
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[~np.isnan(values).any(axis=1)]
    n, m = values.shape
    names = items or tuple(str(j + 1) for j in range(m))
    spread = values.std(axis=0) if n else np.zeros(m)
    varies = np.flatnonzero(spread > 0)
    if n < 2 or varies.size < 3:
        raise AnalysisError(
            f"{n} candidates with all scores and {varies.size} items that vary do not determine "
            "a factor. Give at least two candidates and three such items."
        )
    warnings = [
        AnalysisWarning(
            "constant-item", names[j], f"item {names[j]} has one score only: left out of omega."
        )
        for j in np.flatnonzero(spread == 0).tolist()
    ]
    correlation = np.atleast_2d(np.corrcoef(values[:, varies].T))
    common = 1 - 1 / np.diag(np.linalg.pinv(correlation + 1e-9 * np.eye(varies.size)))
    converged, own = False, np.zeros(varies.size)
    for _ in range(_MOST_STEPS):
        reduced = correlation.copy()
        np.fill_diagonal(reduced, common)
        eigenvalues, vectors = np.linalg.eigh(reduced)
        own = vectors[:, -1] * np.sqrt(max(eigenvalues[-1], 0.0))
        step = own**2 - common
        common = np.minimum(own**2, 1.0)
        if np.abs(step).max() < _ENOUGH:
            converged = True
            break
    own *= 1.0 if own.sum() >= 0 else -1.0
    heywood = [names[j] for j, c in zip(varies.tolist(), own**2, strict=True) if c > _WHOLE]
    warnings += [
        AnalysisWarning(
            "heywood-case",
            name,
            f"item {name} is explained whole by the factor, which cannot be meant: no omega.",
        )
        for name in heywood
    ]
    if not converged:
        warnings.append(
            AnalysisWarning("not-converged", "", "one factor does not settle: no omega.")
        )
    loadings, unique = np.zeros(m), np.zeros(m)
    loadings[varies] = own * spread[varies]
    unique[varies] = (1 - own**2) * spread[varies] ** 2
    explained = loadings.sum() ** 2
    omega = explained / (explained + unique.sum()) if converged and not heywood else np.nan
    return OneFactor(n, loadings, unique, float(omega), converged, tuple(warnings))
