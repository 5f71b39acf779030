"""How far an error rate may lie above the one that was observed."""

from __future__ import annotations

from scipy.stats import beta

__all__ = ["upper_bound"]


def upper_bound(errors: int, n: int) -> float:
    """One-sided 95 % bound of an error rate (Clopper and Pearson 1934); 1 without a case."""
    return float(beta.ppf(0.95, errors + 1, n - errors)) if errors < n else 1.0
