"""The grammar of scoring rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.exam import RuleKind, ScoringRule, format_rule, parse_rule

D = Decimal


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", ScoringRule()),
        ("  ", ScoringRule()),
        ("exact", ScoringRule()),
        ("全对", ScoringRule()),
        ("全对得分", ScoringRule()),
        ("Count", ScoringRule(RuleKind.COUNT)),
        ("按个给分", ScoringRule(RuleKind.COUNT)),
        ("HALF", ScoringRule(RuleKind.HALF)),
        ("多选半对", ScoringRule(RuleKind.HALF)),
        ("subset 2", ScoringRule(RuleKind.SUBSET, D(2))),
        ("subset 1.5", ScoringRule(RuleKind.SUBSET, D("1.5"))),
        ("漏选２分", ScoringRule(RuleKind.SUBSET, D(2))),
        ("漏选得2", ScoringRule(RuleKind.SUBSET, D(2))),
        ("negative 0.25", ScoringRule(RuleKind.NEGATIVE, D("0.25"))),
        ("倒扣 1 分", ScoringRule(RuleKind.NEGATIVE, D(1))),
        ("void", ScoringRule(RuleKind.VOID)),
        ("送分", ScoringRule(RuleKind.VOID)),
        (
            "table AB=6; A=3; B=3",
            ScoringRule(RuleKind.TABLE, table=(("AB", D(6)), ("A", D(3)), ("B", D(3)))),
        ),
        (
            "表 AB＝6分；空=0.5",
            ScoringRule(RuleKind.TABLE, table=(("AB", D(6)), ("", D("0.5")))),
        ),
        ("table AB=6\nblank=1;", ScoringRule(RuleKind.TABLE, table=(("AB", D(6)), ("", D(1))))),
        ("table 甲|乙=2", ScoringRule(RuleKind.TABLE, table=(("甲|乙", D(2)),))),
    ],
)
def test_what_people_write(text, rule):
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exakt", "did you mean “exact”"),
        ("subset", "needs points"),
        ("subset two", "needs points"),
        ("subset 0", "needs points"),
        ("subset -1", "needs points"),
        ("倒扣", "needs points"),
        ("half 2", "stands alone"),
        ("table", "table is empty"),
        ("table ;;", "table is empty"),
        ("table AB", "no “set=points”"),
        ("table =3", "no “set=points”"),
        ("table A=-1", "no “set=points”"),
        ("table A=x", "no “set=points”"),
        ("table A=1; A=2", "twice"),
        ("table blank=1; 空=2", "twice"),
        ("=1+1", "unknown scoring rule"),
    ],
)
def test_what_is_no_rule(text, message):
    with pytest.raises(ValueError, match=message):
        parse_rule(text)


amounts = st.integers(1, 99_999).map(lambda n: D(n) / 100)
tables = st.dictionaries(
    st.sets(st.sampled_from("ABCDEF"), max_size=6).map(lambda s: "".join(sorted(s))),
    st.one_of(st.just(D(0)), amounts),
    min_size=1,
)
rules = st.one_of(
    st.sampled_from([RuleKind.EXACT, RuleKind.COUNT, RuleKind.HALF, RuleKind.VOID]).map(
        ScoringRule
    ),
    st.builds(ScoringRule, st.sampled_from([RuleKind.SUBSET, RuleKind.NEGATIVE]), amounts),
    tables.map(lambda table: ScoringRule(RuleKind.TABLE, table=tuple(table.items()))),
)


@given(rules, st.sampled_from(["zh", "en"]))
def test_a_written_rule_reads_back(rule, language):
    assert parse_rule(format_rule(rule, language)) == rule


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_a_clear_refusal(text):
    try:
        rule = parse_rule(text)
    except ValueError:
        return
    assert parse_rule(format_rule(rule)) == rule
