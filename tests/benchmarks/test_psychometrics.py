from __future__ import annotations

import numpy as np
import pytest

from benchmarks import _psychometrics_integrity as integrity
from benchmarks import _psychometrics_peers as peers
from benchmarks import _psychometrics_recovery as recovery
from benchmarks._psychometrics_parity import parity
from benchmarks._psychometrics_speed import TASKS, known_items, simulated_practice
from benchmarks.contract import Options, Unavailable
from inkmark.analytics.irt import ItemModel


def test_parity_is_counted_where_references_are(data_dir):
    rows, _ = parity(Options(1, data_dir))
    apart = {row.group: row.value for row in rows if row.label == "apart"}
    # Two references stopped early, as the parity tests of the rooms explain.
    stopped = {"timss_aus_twn_gpcm pcm", "frac20 dino"}
    assert {group for group, value in apart.items() if value > 1e-4} == stopped


def test_without_references_there_is_no_parity():
    with pytest.raises(Unavailable):
        parity(Options(1, None))


def test_peers_are_left_out_where_they_are_not_installed(monkeypatch):
    monkeypatch.delenv(peers.PEERS, raising=False)
    rows, note = peers.peers(Options(1, None))
    assert rows == []
    assert peers.PEERS in note


def test_recovery_is_told_for_every_parameter(monkeypatch):
    monkeypatch.setattr(recovery, "N", 400)
    monkeypatch.setattr(recovery, "ROUNDS", 2)
    monkeypatch.setattr(recovery, "MODELS", ((ItemModel.RASCH, 2), (ItemModel.GPCM, 3)))
    rows, _ = recovery.recovery(Options(1, None))
    assert [row.group for row in rows[::3]] == ["rasch, d", "gpcm, a", "gpcm, d"]
    figures = {row.name: row.value for row in rows}
    assert abs(figures["rasch, d: bias"]) < figures["rasch, d: RMSE"] < 0.3
    assert figures["gpcm, d: in 95 % interval"] > 80


def test_copiers_are_found_and_honest_pairs_are_not_flagged(monkeypatch, data_dir):
    monkeypatch.setattr(integrity, "ROUNDS", 1)
    monkeypatch.setattr(integrity, "LENGTHS", (60,))
    rows, _ = integrity.integrity(Options(1, data_dir))
    figures = {row.name: row.value for row in rows}
    real = "credential_form1, {}: {}"
    for curves, n_wrong in (("by score", 0), ("nominal", 1)):
        flagged = figures[real.format(curves, "ordered pairs flagged")]
        by_vendor = figures[real.format(curves, "of which both by vendor")]
        assert by_vendor >= 10
        assert flagged - by_vendor <= n_wrong
    assert figures["60 items: copied 70%, found"] >= 80
    assert figures["60 items: copied 30%, found"] < figures["60 items: copied 70%, found"]
    assert sum(row.value for row in rows if "honest" in row.name) <= 1
    assert 2 < figures["60 items: lz* below its 5 % point"] < 9


@pytest.mark.parametrize("model", [ItemModel.GRM, ItemModel.GPCM])
def test_thresholds_of_simulated_items_rise(model):
    items = known_items(model, 20, np.random.default_rng(1), 5)
    assert (np.diff(items.b, axis=1) > 0).all()


def test_practice_gets_better():
    answers = simulated_practice(400, 20)
    assert answers[:, -5:].mean() > answers[:, :5].mean() + 0.2


def test_the_tasks_of_the_peers_are_tasks_of_ours():
    assert set(peers._GIRTH) <= set(TASKS)
    assert f"BKT, {peers.N_PRACTICE:,} x 20" in TASKS
