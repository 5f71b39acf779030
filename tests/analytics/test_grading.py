from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.analytics import (
    Degenerate,
    Ends,
    GradeRules,
    GradeScheme,
    Level,
    Lost,
    Proximity,
    grade_schemes,
    graded_scores,
)
from inkmark.errors import AnalysisError

SCHEMES = sorted(grade_schemes().values(), key=lambda scheme: scheme.id)
RULES = st.builds(
    GradeRules,
    proximity=st.sampled_from(Proximity),
    cumulative=st.booleans(),
    ascending=st.booleans(),
    ends=st.sampled_from(Ends),
    degenerate=st.sampled_from(Degenerate),
    lost=st.sampled_from(Lost),
)
SCORES = st.lists(st.integers(0, 200).map(lambda n: n / 2) | st.just(np.nan), max_size=60)


def two_levels(upper=50, low=41, top=50):
    half = Level("A", Decimal(upper), low, top), Level("B", Decimal(100 - upper), 30, 40)
    return GradeScheme("two", ("", ""), "2026", half)


def test_the_worked_example():
    # The level of the raw scores 61 to 82 is stretched to 71 to 85.
    scheme = replace(SCHEMES[0], levels=(Level("A", Decimal(100), 71, 85),))
    found = graded_scores([61, 81, 82, np.nan], scheme)
    assert found.graded.tolist() == pytest.approx([71, 84, 85, np.nan], nan_ok=True)
    assert (found.raw_low[0], found.raw_high[0], found.n) == (61, 82, 3)


def test_halves_are_rounded_up():
    scheme = GradeScheme("x", ("", ""), "2026", (Level("A", Decimal(100), 0, 1),))
    assert graded_scores([0, 1, 2], scheme).graded.tolist() == [0, 1, 1]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.id)
def test_a_scheme_that_comes_with_inkmark(scheme):
    assert sum(level.percent for level in scheme.levels) == 100
    found = graded_scores(np.arange(1000.0), scheme)
    shares = [float(level.percent) * 10 for level in scheme.levels]
    assert found.counts.tolist() == shares
    assert found.graded.max() == scheme.levels[0].high
    assert found.graded.min() == scheme.levels[-1].low


def test_the_number_of_levels_and_the_ends_that_offices_publish():
    ends = {s.id: (len(s.levels), s.levels[0].high, s.levels[-1].low) for s in SCHEMES}
    assert ends == {
        "3+1+2": (5, 100, 30),
        "guangdong": (5, 100, 30),
        "shandong-2020": (8, 100, 21),
        "shanghai": (11, 70, 40),
        "beijing": (21, 100, 40),
        "tianjin": (21, 100, 40),
        "zhejiang-2017": (21, 100, 40),
    }


@pytest.mark.parametrize(
    ("proximity", "upper"),
    [
        (Proximity.UPPER_MIN, 7),
        (Proximity.LOWER_MAX, 3),
        (Proximity.NEAR_MAX, 7),
        (Proximity.NEAR_MIN, 3),
    ],
)
def test_where_a_level_ends_between_two_scores(proximity, upper):
    # 3 have 90, 4 have 80, 3 have 70: half of them, 5, lies just between 3 and 7.
    scores = [90] * 3 + [80] * 4 + [70] * 3
    found = graded_scores(scores, two_levels(), GradeRules(proximity))
    assert found.counts.tolist() == [upper, 10 - upper]


def test_the_nearer_score_is_taken():
    scores = [90] * 4 + [80] * 4 + [70] * 2
    for proximity in (Proximity.NEAR_MAX, Proximity.NEAR_MIN):
        found = graded_scores(scores, two_levels(), GradeRules(proximity))
        assert found.counts.tolist() == [4, 6]


def test_shares_from_the_end_of_the_scale_or_from_the_level_before():
    levels = tuple(
        Level(name, Decimal(share), low, low + 9)
        for name, share, low in (("A", 30, 50), ("B", 30, 40), ("C", 40, 30))
    )
    scheme = GradeScheme("three", ("", ""), "2026", levels)
    scores = [9, 9, 9, 9, 8, 7, 6, 5, 4, 3]  # four share the best score
    assert graded_scores(scores, scheme).counts.tolist() == [4, 2, 4]
    each = graded_scores(scores, scheme, GradeRules(cumulative=False))
    assert each.counts.tolist() == [4, 3, 3]


def test_levels_are_filled_from_below():
    scores = [90] * 3 + [80] * 4 + [70] * 3
    found = graded_scores(scores, two_levels(), GradeRules(ascending=True))
    assert found.counts.tolist() == [3, 7]


@pytest.mark.parametrize(
    ("degenerate", "graded"), [(Degenerate.MAX, 50), (Degenerate.MIN, 41), (Degenerate.MEAN, 46)]
)
def test_a_level_of_one_score(degenerate, graded):
    found = graded_scores([9, 9, 5, 4], two_levels(), GradeRules(degenerate=degenerate))
    assert found.graded[0] == graded


def test_a_level_may_end_at_the_full_mark_and_at_zero():
    rules = GradeRules(ends=Ends.DEFINED)
    found = graded_scores([90, 80, 20, 10], two_levels(), rules, full=Decimal(100))
    assert (found.raw_high[0], found.raw_low[1]) == (100, 0)
    assert found.graded.tolist() == [46, 41, 40, 35]  # 80 to 100 becomes 41 to 50
    for scores, full in (([90], None), ([101], Decimal(100)), ([-1], Decimal(100))):
        with pytest.raises(AnalysisError, match="full mark"):
            graded_scores(scores, two_levels(), rules, full=full)


def test_a_level_that_no_score_is_left_for():
    levels = tuple(
        Level(name, Decimal(share), low, low + 9)
        for name, share, low in (("A", 20, 50), ("B", 20, 40), ("C", 60, 30))
    )
    scheme = GradeScheme("three", ("", ""), "2026", levels)
    scores = [9] * 6 + [8, 7, 6, 5]
    assert graded_scores(scores, scheme).counts.tolist() == [6, 0, 4]
    kept = graded_scores(scores, scheme, GradeRules(lost=Lost.TAKE_NEXT))
    assert kept.counts.tolist() == [6, 1, 3]


def test_nobody_is_graded():
    found = graded_scores([np.nan, np.nan], SCHEMES[0])
    assert found.n == 0
    assert np.isnan(found.graded).all()
    assert graded_scores([], SCHEMES[0]).counts.sum() == 0


@pytest.mark.parametrize(
    "levels",
    [
        (),
        (Level("A", Decimal(99), 0, 10),),
        (Level("A", Decimal(100), 10, 0),),
        (Level("A", Decimal(50), 50, 60), Level("B", Decimal(50), 40, 50)),
        (Level("A", Decimal(150), 50, 60), Level("B", Decimal(-50), 40, 49)),
    ],
)
def test_a_scheme_that_cannot_be_meant_is_refused(levels):
    with pytest.raises(AnalysisError, match="scheme x"):
        GradeScheme("x", ("", ""), "2026", levels)


@given(SCORES, st.sampled_from(SCHEMES), RULES)
def test_what_holds_for_every_scheme_and_rule(scores, scheme, rules):
    raw = np.array(scores, dtype=float)
    found = graded_scores(raw, scheme, rules, full=Decimal(100))
    has = ~np.isnan(raw)
    assert np.array_equal(np.isnan(found.graded), ~has)
    assert np.array_equal(found.level >= 0, has)
    assert found.counts.sum() == found.n == has.sum()
    order = np.argsort(raw[has], kind="stable")
    graded, level = found.graded[has][order], found.level[has][order]
    assert (np.diff(graded) >= 0).all(), "the order is kept"
    assert (np.diff(level) <= 0).all()
    assert (np.diff(graded)[np.diff(raw[has][order]) == 0] == 0).all(), "ties are equal"
    for value, k in zip(graded, level, strict=True):
        assert scheme.levels[k].low <= value <= scheme.levels[k].high, "inside its interval"
    for k in set(level.tolist()):
        own = graded[level == k]
        if rules.ends is Ends.REAL and found.raw_low[k] < found.raw_high[k]:
            assert (own.min(), own.max()) == (scheme.levels[k].low, scheme.levels[k].high)
