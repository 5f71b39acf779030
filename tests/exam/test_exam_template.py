"""Writing exam.xlsx: pleasant to fill, harmless to open, the same exam when read back."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from inkmark.errors import FaultyFileError, InkmarkError
from inkmark.exam import (
    Candidate,
    Exam,
    Item,
    ItemType,
    Policy,
    RuleKind,
    ScoringRule,
    load_exam,
    save_exam,
    write_template,
)
from inkmark.exam.answers import parse_answer
from inkmark.exam.example import example_exam, new_exam_id
from inkmark.exam.items import equal_weights
from inkmark.exam.rules import rule_faults

D = Decimal


@pytest.mark.parametrize(
    ("language", "sheets", "first_headers"),
    [
        ("zh", ["考试", "试题", "名单"], ["题号", "题型"]),
        ("en", ["exam", "items", "roster"], ["item", "type"]),
    ],
)
def test_a_template_is_made_for_its_readers(tmp_path, language, sheets, first_headers):
    write_template(tmp_path / "exam.xlsx", language=language)
    workbook = load_workbook(tmp_path / "exam.xlsx")
    assert workbook.sheetnames == sheets
    items = workbook[sheets[1]]
    assert [items["A1"].value, items["B1"].value] == first_headers
    assert items.freeze_panes == "B2"
    assert items["D1"].comment is not None
    assert items.column_dimensions["G"].width > 30
    lists = {str(v.sqref): v.formula1 for v in items.data_validations.dataValidation}
    assert set(lists) == {"B2:B2000", "H2:H2000"}
    choice = {str(v.sqref): v.formula1 for v in workbook[sheets[0]].data_validations.dataValidation}
    assert '"zh,en"' in choice.values()


def test_columns_that_excel_must_not_interpret_are_text(tmp_path):
    write_template(tmp_path / "exam.xlsx", language="en")
    workbook = load_workbook(tmp_path / "exam.xlsx")
    assert workbook["roster"].column_dimensions["A"].number_format == "@"
    assert workbook["items"].column_dimensions["D"].number_format == "@"
    assert workbook["items"].column_dimensions["E"].number_format == "General"
    assert workbook["roster"]["A2"].value == "070101"


def test_a_template_without_examples_asks_for_items(tmp_path):
    write_template(tmp_path / "exam.xlsx", language="en", examples=False)
    with pytest.raises(FaultyFileError, match="no items") as caught:
        load_exam(tmp_path)
    assert len(caught.value.faults) == 1


def test_a_template_never_replaces_a_workbook(tmp_path):
    path = tmp_path / "exam.xlsx"
    path.write_bytes(b"the teacher's work")
    with pytest.raises(InkmarkError, match="exists already"):
        write_template(path)
    assert path.read_bytes() == b"the teacher's work"


def test_ids_are_hard_to_confuse_and_no_numbers():
    ids = {new_exam_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(
        re.fullmatch(r"[ACDEFGHJKMNPQRTUVWXY][ACDEFGHJKMNPQRTUVWXY34679]{7}", i) for i in ids
    )


def test_nothing_in_the_workbook_is_computed(tmp_path):
    attacks = ("=1+1", "+1", "-1", "@SUM(A1)", '=cmd|"/c calc"!A1', "#N/A", "TRUE")
    exam = Exam(
        "ATTACK", "=HYPERLINK()", "+x", "-x", None, "en", Policy(),
        (Item("1", ItemType.FILL_IN, (), attacks[:4], D(1), level="=1"),),
        tuple(Candidate(f"{n:02}", a, a, a, (("=seat", a),)) for n, a in enumerate(attacks)),
    )  # fmt: skip
    save_exam(exam, tmp_path / "exam.xlsx")
    for sheet in load_workbook(tmp_path / "exam.xlsx").worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str) and cell.value[0] in "=+-@":
                    assert cell.quotePrefix
    assert load_exam(tmp_path) == exam


def test_saving_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "exam.xlsx"
    save_exam(example_exam("en"), path)
    before = path.read_bytes()

    def fail(self: Path, target: Path) -> None:
        raise PermissionError("open in Excel")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InkmarkError, match="Close it in Excel"):
        save_exam(example_exam("zh"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_replaces_the_whole_workbook(tmp_path):
    for language in ("zh", "en"):
        exam = example_exam(language)
        save_exam(exam, tmp_path / "exam.xlsx")
        assert load_exam(tmp_path) == exam


LINES = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=20)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: not re.search("_x[0-9A-Fa-f]{4}_", text))
)
NAMES = LINES.filter(bool)
POINT_NAMES = NAMES.filter(lambda text: not re.search("[:：;；,，、]", text))
POINTS = st.integers(1, 100_000).map(lambda n: D(n) / 100)
SHARES = st.integers(1, 10_000).map(lambda n: D(n) / 10_000)
LABELS = [("A", "B", "C", "D"), ("T", "F"), ("1", "2", "3"), ("甲对", "乙对", "都不对"), ("①", "②")]


def is_answer(text: str) -> bool:
    """Whether a key may hold the text; some look like numbers or lists and are none."""
    try:
        parse_answer(text)
    except ValueError:
        return False
    return True


@st.composite
def items(draw: st.DrawFn, number: str) -> Item:
    kind = draw(st.sampled_from(ItemType))
    options = draw(st.sampled_from(LABELS)) if kind.is_objective else ()
    if kind is ItemType.TRUE_FALSE:
        options = options[:2]
    key: tuple[str, ...] = ()
    if kind is ItemType.FILL_IN:
        answers = NAMES.filter(lambda text: not re.search("[|｜]", text) and is_answer(text))
        key = tuple(draw(st.lists(answers, max_size=3, unique=True)))
    elif kind.is_objective:
        most = len(options) if kind is ItemType.MULTIPLE else 1
        chosen = draw(st.sets(st.sampled_from(options), min_size=1, max_size=most))
        key = tuple(option for option in options if option in chosen)
    points = draw(POINTS)
    names = draw(st.lists(POINT_NAMES, max_size=3, unique=True))
    weights = equal_weights(len(names))
    if len(names) == 2:
        share = draw(st.integers(1, 999_999).map(lambda n: D(n) / 1_000_000))
        weights = (share, 1 - share)
    item = Item(
        number,
        kind,
        options,
        key,
        points,
        draw(scoring_rules(points, options, key, kind)),
        tuple(zip(names, weights, strict=True)),
        draw(LINES),
        draw(st.none() | st.integers(0, 1000).map(lambda n: n / 1000)),
    )
    assume(not rule_faults(item))
    return item


def scoring_rules(
    points: Decimal, options: tuple[str, ...], key: tuple[str, ...], kind: ItemType
) -> st.SearchStrategy[ScoringRule]:
    simple = [ScoringRule(), ScoringRule(RuleKind.VOID)]
    if not kind.is_objective:
        return st.sampled_from(simple)
    separator = "|" if any(len(option) > 1 for option in options) else ""
    table = {"": D(0), options[-1]: points / 2, separator.join(key): points}
    sound = ScoringRule(RuleKind.TABLE, table=tuple((k, round(v, 2)) for k, v in table.items()))
    rules = [*simple, ScoringRule(RuleKind.NEGATIVE, points), sound]
    if kind is ItemType.MULTIPLE:
        rules += [ScoringRule(RuleKind.COUNT), ScoringRule(RuleKind.HALF)]
        rules += [ScoringRule(RuleKind.SUBSET, D("0.01"))] * (points > 1)
    return st.sampled_from(rules)


@st.composite
def exams(draw: st.DrawFn) -> Exam:
    low, passing, good, excellent = sorted(draw(st.tuples(SHARES, SHARES, SHARES, SHARES)))
    numbers = draw(st.lists(st.integers(0, 9999), max_size=4, unique=True))
    return Exam(
        draw(st.from_regex(r"[A-Z0-9-]{4,16}", fullmatch=True)),
        draw(NAMES),
        draw(LINES),
        draw(LINES),
        draw(st.none() | st.dates(dt.date(1901, 1, 1))),
        draw(st.sampled_from(["zh", "en"])),
        Policy(
            excellent,
            good,
            passing,
            low,
            draw(st.booleans()),
            draw(st.integers(1, 100).map(lambda n: D(n) / 2)),
            draw(st.integers(0, 100).map(D)),
            draw(st.integers(1, 9)),
            draw(st.integers(1, 40)),
        ),
        tuple(
            draw(items(number)) for number in draw(st.sampled_from([["1"], ["1", "2a", "21(2)"]]))
        ),
        tuple(
            Candidate(f"{n:04}", draw(LINES), draw(LINES), draw(LINES), (("座位", draw(LINES)),))
            for n in numbers
        ),
    )


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(exams())
def test_a_saved_exam_reads_back(exam):
    with tempfile.TemporaryDirectory() as folder:
        save_exam(exam, Path(folder) / "exam.xlsx")
        assert load_exam(folder) == exam
