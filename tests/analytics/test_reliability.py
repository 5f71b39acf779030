from __future__ import annotations

import numpy as np
import pytest

from inkmark.analytics import cronbach_alpha, one_factor
from inkmark.errors import AnalysisError

LOADINGS = np.array([0.8, 0.6, 0.5, 0.9])


def scores_with(covariance, n=200):
    """Scores whose covariance matrix is just the one given."""
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(n, len(covariance)))
    raw -= raw.mean(axis=0)
    raw = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / n)).T
    return raw @ np.linalg.cholesky(covariance).T


def test_known_loadings_are_found():
    unique = np.array([0.5, 0.4, 0.6, 0.3])
    found = one_factor(scores_with(np.outer(LOADINGS, LOADINGS) + np.diag(unique)))
    assert found.converged
    assert found.loadings == pytest.approx(LOADINGS, abs=1e-6)
    assert found.unique == pytest.approx(unique, abs=1e-6)
    assert found.omega == pytest.approx(2.8**2 / (2.8**2 + 1.8))


def test_omega_is_alpha_where_all_items_load_alike():
    scores = scores_with(np.full((5, 5), 0.3) + np.diag([0.2, 0.5, 0.7, 0.4, 0.9]))
    alpha = cronbach_alpha(scores.var(axis=0), scores.sum(axis=1).var())
    assert one_factor(scores).omega == pytest.approx(float(alpha))


def test_an_item_that_does_not_vary_is_named():
    scores = scores_with(np.outer(LOADINGS, LOADINGS) + np.eye(4))
    with_constant = np.insert(scores, 2, 5.0, axis=1)
    found = one_factor(with_constant, tuple("abcde"))
    assert [(w.code, w.subject) for w in found.warnings] == [("constant-item", "c")]
    assert found.omega == pytest.approx(one_factor(scores).omega)
    assert found.loadings[2] == 0


def test_incomplete_candidates_are_left_out():
    scores = scores_with(np.outer(LOADINGS, LOADINGS) + np.eye(4))
    scores[3, 1] = np.nan
    assert one_factor(scores).n == 199


def test_an_item_explained_whole_gives_no_omega():
    scores = scores_with(np.eye(3) + 0.01)
    doubled = np.column_stack([scores, scores[:, 0]])
    found = one_factor(doubled)
    assert np.isnan(found.omega)
    assert {warning.code for warning in found.warnings} & {"heywood-case", "not-converged"}


@pytest.mark.parametrize("scores", [np.ones((5, 4)), np.arange(8.0).reshape(4, 2), np.ones((0, 4))])
def test_too_little_to_go_by_is_refused(scores):
    with pytest.raises(AnalysisError, match="do not determine a factor"):
        one_factor(scores)
