"""The whole analysis, against plain Python on real data and on an exam of our own."""

from __future__ import annotations

import csv
import math
import statistics
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from inkmark.analytics import Analysis, Group, GroupKind, Standing, analyse, wilson_interval
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate, Exam, Item, ItemType, Policy
from inkmark.marking import Response, ResponseStatus, ResponseTable, ScoreMatrix

ABSENT, PENDING = ResponseStatus.ABSENT, ResponseStatus.PENDING
NAN = np.nan


def choice(number, points, *knowledge):
    return Item(
        number,
        ItemType.SINGLE,
        tuple("ABCD"),
        ("A",),
        Decimal(points),
        knowledge=tuple((point, Decimal(1) / len(knowledge)) for point in knowledge),
    )


EXAM = Exam(
    "TOY1",
    "Toy",
    "maths",
    "7",
    None,
    "en",
    Policy(mastery_points_floor=Decimal(2), mastery_items_floor=1),
    (
        choice("1", 2, "sets"),
        choice("2", 3, "sets", "maps"),
        replace(choice("3", 5, "maps"), type=ItemType.SUBJECTIVE, options=(), key=()),
    ),
    tuple(
        Candidate(f"10{i}", class_name=name, school="S")
        for i, name in enumerate(["1", "1", "2", "2", "2"])
    ),
)
MATRIX = ScoreMatrix(
    candidates=("104", "100", "101", "102", "103"),
    items=("1", "2", "3"),
    scores=np.array([[0, 0, 1.5], [2, 3, 5], [2, 0, 2.5], [NAN] * 3, [2, NAN, 4]]),
    full=np.array([2.0, 3, 5]),
)
ANSWERS = {"100": "AA", "101": "AB", "102": "", "103": "A?", "104": "BC"}


def responses(order=("100", "101", "102", "103", "104")):
    made = []
    for number in order:
        for item, value in zip("12", ANSWERS[number].ljust(2), strict=True):
            status = (
                ABSENT if value == " " else PENDING if value == "?" else ResponseStatus.ANSWERED
            )
            made.append(Response(number, item, value.strip(" ?"), status))
    return ResponseTable.from_responses(made)


def test_everything_of_a_small_exam():
    result = analyse(EXAM, MATRIX, responses())
    assert result.full_mark == 10
    assert [Standing(s).name for s in result.candidates.standing] == [
        "COUNTED",
        "COUNTED",
        "COUNTED",
        "ABSENT",
        "INCOMPLETE",
    ]
    np.testing.assert_array_equal(result.candidates.total, [1.5, 10, 4.5, NAN, NAN])
    np.testing.assert_array_equal(result.candidates.rank, [3, 1, 2, 0, 0])
    np.testing.assert_array_equal(result.candidates.class_rank, [1, 1, 2, 0, 0])
    assert result.groups.groups == (
        Group(GroupKind.ALL),
        Group(GroupKind.SCHOOL, "S"),
        Group(GroupKind.CLASS, "S", "1"),
        Group(GroupKind.CLASS, "S", "2"),
    )
    np.testing.assert_array_equal(result.groups.n, [3, 3, 2, 1])
    np.testing.assert_array_equal(result.groups.n_absent, [1, 1, 0, 1])
    np.testing.assert_array_equal(result.groups.n_incomplete, [1, 1, 0, 1])
    np.testing.assert_allclose(result.groups.mean, [16 / 3, 16 / 3, 7.25, 1.5])
    assert result.test.n == 3
    np.testing.assert_array_equal(result.items.n, [4, 3, 4])
    np.testing.assert_allclose(result.items.facility, [0.75, 1 / 3, 13 / 20])
    assert result.bands.counts[0].sum() == 3
    assert result.options is not None
    np.testing.assert_array_equal(result.options.item, [0] * 5 + [1] * 5)
    np.testing.assert_array_equal(result.options.count, [3, 1, 0, 0, 0, 1, 1, 1, 0, 0])
    assert result.mastery.points == ("sets", "maps")
    np.testing.assert_allclose(result.mastery.gained[1:3], [[3.5, 6.5], [2, 2.5]])
    np.testing.assert_allclose(result.mastery.possible[4], [2, 5])
    np.testing.assert_allclose(result.group_mastery.rate[3], [2 / 5.5, 5.5 / 11.5])
    assert result.group_mastery.weak[2:] == ((), (0, 1))


def test_without_responses_there_are_no_option_shares():
    result = analyse(EXAM, MATRIX, absent=[False, False, False, True, False])
    assert result.options is None
    assert result.test.n_absent == 1


def test_candidates_noted_as_absent_go_before_those_of_the_responses():
    result = analyse(EXAM, MATRIX, responses(), absent=[False] * 5)
    assert (result.test.n_absent, result.test.n_no_scores) == (0, 1)


def test_absence_as_zero_is_the_policy_of_the_exam():
    exam = replace(EXAM, policy=replace(EXAM.policy, absent_as_zero=True))
    result = analyse(exam, MATRIX, responses())
    assert (result.test.n, result.test.n_absent) == (4, 0)
    assert result.test.mean == 4
    np.testing.assert_allclose(result.mastery.rate[3], [0, 0])


def test_order_of_the_responses_does_not_matter():
    first = analyse(EXAM, MATRIX, responses()).options
    again = analyse(EXAM, MATRIX, responses(MATRIX.candidates)).options
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.count, again.count)
    np.testing.assert_array_equal(first.upper, again.upper)


def test_items_without_responses_count_as_blank():
    table = responses()
    first = ResponseTable(table.candidates, ("1",), table.values[:, :1], table.status[:, :1])
    shares = analyse(EXAM, MATRIX, first).options
    assert shares is not None
    np.testing.assert_array_equal(shares.count, [3, 1, 0, 0, 0, 0, 0, 0, 0, 3])


def test_part_of_the_items_is_a_paper_of_its_own():
    part = ScoreMatrix(MATRIX.candidates, ("3",), MATRIX.scores[:, 2:], MATRIX.full[2:])
    result = analyse(EXAM, part, responses())
    assert result.full_mark == 5
    assert result.test.n == 4
    assert result.mastery.points == ("maps",)


def test_candidates_who_are_not_on_the_roster_count_without_a_class():
    stranger = ScoreMatrix(("999",), ("1",), np.array([[2.0]]), np.array([2.0]))
    result = analyse(EXAM, stranger)
    assert result.groups.groups == (Group(GroupKind.ALL),)
    assert result.candidates.class_row[0] == -1


def test_items_of_another_exam_are_refused():
    other = ScoreMatrix(("100",), ("1", "99"), np.ones((1, 2)), np.ones(2))
    with pytest.raises(InkmarkError, match=r"does not have: 99\. Correct"):
        analyse(EXAM, other)


@pytest.mark.parametrize("n", [0, 1])
def test_tiny_cohorts_give_no_figure_and_no_warning(n):
    tiny = ScoreMatrix(MATRIX.candidates[:n], MATRIX.items, MATRIX.scores[:n], MATRIX.full)
    result = analyse(EXAM, tiny, responses())
    assert result.test.n == n
    assert math.isnan(result.test.alpha)
    assert result.test.tail_n == 0
    assert np.isnan(result.items.discrimination).all()


def test_statistics_load_neither_pixels_nor_scipy():
    code = "import sys, inkmark.analytics; print([m for m in ('cv2','scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Real data, against figures made with nothing but the standard library


def read_table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def real_exam(folder: Path) -> tuple[Exam, ScoreMatrix, list[list[float]], list[str]]:
    """729 students, 13 items of two points with part marks, two groups."""
    file = folder / "psychometrics" / "math_exam_14w" / "credits.csv"
    if not file.is_file():
        pytest.skip(f"no file {file}")
    header, *rows = read_table(file)
    scores = [[float(cell) for cell in row] for row in rows]
    people = read_table(file.with_name("persons.csv"))
    group = [row[people[0].index("group")] for row in people[1:]]
    numbers = [f"{i:04}" for i in range(len(rows))]
    items = tuple(
        Item(name, ItemType.SUBJECTIVE, (), (), Decimal(2), knowledge=((name[:1], Decimal(1)),))
        for name in header
    )
    candidates = tuple(
        Candidate(number, class_name=name) for number, name in zip(numbers, group, strict=True)
    )
    exam = Exam("MATH14W", "", "", "", None, "en", Policy(), items, candidates)
    matrix = ScoreMatrix(tuple(numbers), tuple(header), np.array(scores), np.full(len(header), 2.0))
    return exam, matrix, scores, group


def pearson(x: list[float], y: list[float]) -> float:
    return statistics.correlation(x, y)


def check(result: Analysis, scores: list[list[float]], group: list[str]) -> None:
    n, m = len(scores), len(scores[0])
    totals = [sum(row) for row in scores]
    order = sorted(range(n), key=lambda i: (-totals[i], i))
    tail = int(0.27 * n + 0.5)
    upper, lower = order[:tail], order[-tail:]
    for j in range(m):
        column = [row[j] for row in scores]
        rest = [total - x for total, x in zip(totals, column, strict=True)]
        d = (sum(column[i] for i in upper) - sum(column[i] for i in lower)) / tail
        assert result.items.facility[j] == pytest.approx(statistics.mean(column) / 2)
        assert result.items.discrimination[j] == pytest.approx(d / 2)
        assert result.items.range_discrimination[j] == pytest.approx(d / 2)
        assert result.items.item_total[j] == pytest.approx(pearson(column, totals))
        assert result.items.item_rest[j] == pytest.approx(pearson(column, rest))
        assert result.items.full_rate[j] == pytest.approx(column.count(2) / n)
        assert result.items.zero_rate[j] == pytest.approx(column.count(0) / n)
    spread = [statistics.pvariance([row[j] for row in scores]) for j in range(m)]
    alpha = m / (m - 1) * (1 - sum(spread) / statistics.pvariance(totals))
    sd = statistics.pstdev(totals)
    assert result.test.alpha == pytest.approx(alpha)
    assert result.test.sd == pytest.approx(sd)
    assert result.test.sem == pytest.approx(sd * math.sqrt(1 - alpha))
    assert result.test.median == statistics.median(totals)
    for row, name in enumerate(sorted(set(group)), start=1):
        mine = [t for t, g in zip(totals, group, strict=True) if g == name]
        figures = result.groups
        assert figures.n[row] == len(mine)
        assert figures.mean[row] == pytest.approx(statistics.mean(mine))
        assert figures.sd[row] == pytest.approx(statistics.pstdev(mine))
        assert figures.median[row] == statistics.median(mine)
        assert figures.excellent[row] == sum(100 * t >= 85 * 26 for t in mine) / len(mine)
        assert figures.passing[row] == sum(100 * t >= 60 * 26 for t in mine) / len(mine)
        assert figures.low[row] == sum(100 * t < 40 * 26 for t in mine) / len(mine)
    np.testing.assert_array_equal(
        result.candidates.rank, [1 + sum(u > t for u in totals) for t in totals]
    )


def test_real_exam_agrees_with_plain_python(data_dir: Path):
    exam, matrix, scores, group = real_exam(data_dir)
    check(analyse(exam, matrix), scores, group)


def test_groups_of_a_real_exam_add_up_and_order_does_not_matter(data_dir: Path):
    exam, matrix, *_ = real_exam(data_dir)
    result = analyse(exam, matrix)
    parts = result.group_items
    weighted = (parts.n[1:] * parts.facility[1:]).sum(axis=0) / parts.n[1:].sum(axis=0)
    np.testing.assert_allclose(weighted, parts.facility[0])
    np.testing.assert_array_equal(result.bands.counts[1:].sum(axis=0), result.bands.counts[0])
    order = np.random.default_rng(5).permutation(len(matrix.candidates))
    shuffled = ScoreMatrix(
        tuple(matrix.candidates[i] for i in order), matrix.items, matrix.scores[order], matrix.full
    )
    again = analyse(exam, shuffled)
    for name in ("facility", "discrimination", "item_rest", "lost_share"):
        np.testing.assert_array_equal(getattr(again.items, name), getattr(result.items, name))
    np.testing.assert_array_equal(again.groups.effect_size, result.groups.effect_size)
    np.testing.assert_array_equal(again.mastery.low, result.mastery.low[order])
    assert again.test == result.test


def test_option_shares_of_a_real_exam_agree_with_counting(data_dir: Path):
    folder = data_dir / "psychometrics" / "sat12"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    _, *raw = read_table(folder / "raw_choices.csv")
    keys = [key for _, key in read_table(folder / "answer_key.csv")[1:]]
    chosen = [["" if value == "8" else value for value in row] for row in raw]  # 8 is omitted
    scores = [[float(v == k) for v, k in zip(row, keys, strict=True)] for row in chosen]
    numbers = tuple(f"{i:03}" for i in range(len(raw)))
    items = tuple(
        Item(str(j), ItemType.SINGLE, tuple("12345"), (key,), Decimal(1))
        for j, key in enumerate(keys)
    )
    exam = Exam("SAT12", "", "", "", None, "en", Policy(), items)
    matrix = ScoreMatrix(
        numbers, tuple(i.number for i in items), np.array(scores), np.ones(len(keys))
    )
    status = np.zeros(np.shape(chosen), dtype=np.uint8)
    shares = analyse(
        exam, matrix, ResponseTable(numbers, matrix.items, np.array(chosen), status)
    ).options
    assert shares is not None
    order = sorted(range(len(raw)), key=lambda i: (-sum(scores[i]), i))
    tail = int(0.27 * len(raw) + 0.5)
    for row, (item, option) in enumerate(zip(shares.item, shares.option, strict=True)):
        column = [line[item] for line in chosen]
        above = [column[i] for i in order[:tail]].count(option)
        below = [column[i] for i in order[-tail:]].count(option)
        distractor = option not in ("", keys[item])
        assert shares.count[row] == column.count(option)
        assert shares.upper[row] == pytest.approx(above / tail)
        assert shares.lower[row] == pytest.approx(below / tail)
        assert shares.upper_prefers[row] == (distractor and above > below)
        assert shares.nobody[row] == (option != "" and option not in column)


def test_interval_printed_in_the_pages():
    assert [round(float(end), 2) for end in wilson_interval(5.5, 11)] == [0.25, 0.75]
