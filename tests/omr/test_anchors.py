"""The anchors of a page as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from drawn_sheets import lying_sheet, sheet

from inkmark.omr._anchors import anchor_plan


def test_marks_stand_side_after_side_in_order():
    page = sheet()
    marks = page.anchors.timing
    mixed = tuple(marks[k] for k in np.random.default_rng(3).permutation(len(marks)))
    page = replace(page, anchors=replace(page.anchors, timing=mixed))
    plan = anchor_plan(page)
    assert plan.n_anchors == 4 + len(marks)
    assert plan.along == 1
    n = len(marks) // 2
    assert plan.rails.tolist() == [4, 5, 5 + n, 5 + n, 5 + 2 * n, 5 + 2 * n]
    for side, x, ends in ((plan.sides[0], 11.0, (0, 3)), (plan.sides[1], 199.0, (1, 2))):
        chain = side[side >= 0]
        assert (chain[0], chain[-1]) == ends
        assert (np.diff(plan.boxes[chain, 1]) > 0).all()
        np.testing.assert_allclose(plan.boxes[chain, 0], x)
    assert set(plan.knots) == set(np.round(plan.boxes[plan.sides.ravel(), 1], 6))


def test_marks_above_and_below_make_the_mesh_of_a_lying_sheet():
    page = lying_sheet()
    plan = anchor_plan(page)
    assert plan.along == 0
    assert [side[[0, -1]].tolist() for side in plan.sides] == [[0, 1], [3, 2]]
