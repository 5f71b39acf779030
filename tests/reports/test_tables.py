from dataclasses import replace
from decimal import Decimal

import pytest
from sample_results import analysed, make_results

from inkmark.analytics import Standing
from inkmark.exam import ItemType, Policy
from inkmark.marking import ScoreStatus
from inkmark.reports.groups import conventions
from inkmark.reports.model import Level, Outcome


def test_a_student_has_own_points_full_marks_and_rates_of_class_and_grade():
    results = make_results()
    report = results.report()
    cells = {(r.candidate, r.item): r for r in results.records}
    for student in report.students:
        for item, source in zip(student.items, results.exam.items, strict=True):
            record = cells[student.candidate, item.number]
            assert item.points == record.points
            assert item.full == source.points
            if record.points is not None:
                assert item.lost == source.points - record.points
    student = next(s for s in report.students if s.standing is Standing.COUNTED)
    assert student.score == sum(item.points for item in student.items)
    own = [g for g in report.classes if g.name == student.class_name]
    assert [item.class_rate for item in student.items] == [i.facility for i in own[0].items]
    assert [i.grade_rate for i in student.items] == [i.facility for i in report.items]
    assert student.class_mean == own[0].mean
    assert student.grade_mean == report.everybody.mean


def test_facility_of_the_class_is_that_of_its_members_by_hand():
    results = make_results()
    report = results.report()
    group = report.classes[0]
    members = {c.number for c in results.exam.candidates if c.class_name == group.name}
    for item in group.items:
        gained = [
            r.points
            for r in results.records
            if r.item == item.number and r.candidate in members and r.points is not None
        ]
        full = next(i.points for i in results.exam.items if i.number == item.number)
        exact = sum(gained) / (len(gained) * full)
        assert item.counted == len(gained)
        assert abs(item.facility - exact) <= Decimal("0.0005")


def test_pending_and_absent_candidates_have_no_total_and_are_left_out():
    report = make_results().report()
    left_out = {one.candidate: one.standing for one in report.everybody.left_out}
    assert sorted(left_out.values()) == [
        Standing.ABSENT,
        Standing.INCOMPLETE,
        Standing.INCOMPLETE,
    ]
    for student in report.students:
        if student.candidate in left_out:
            assert student.score is None
            assert student.level is None
        else:
            assert student.score is not None
    assert report.everybody.counted == 21
    assert report.everybody.registered == 24
    pending = next(s for s in report.students if s.standing is Standing.INCOMPLETE)
    assert {i.outcome for i in pending.items if i.points is None} == {Outcome.PENDING}
    assert pending.marked_full == report.head.full - sum(
        item.full for item in pending.items if item.points is None
    )


def test_ranks_appear_only_where_they_are_asked_for():
    results = make_results()
    assert all(s.class_rank is None and s.grade_rank is None for s in results.report().students)
    ranked = results.report(include_ranks=True).students
    counted = [s for s in ranked if s.score is not None]
    best = max(counted, key=lambda student: student.score)
    assert best.grade_rank == 1
    assert all(s.grade_rank is None for s in ranked if s.score is None)


def test_without_comparison_no_figure_of_others_is_in_a_student_report():
    for student in make_results().report(compare=False).students:
        assert student.class_mean is None
        assert student.grade_mean is None
        assert all(i.class_rate is None and i.grade_rate is None for i in student.items)
        assert all(p.class_rate is None and p.grade_rate is None for p in student.points)
        assert not {"slip", "hard_won"} & {comment.key for comment in student.comments}


def test_a_tiny_class_does_not_give_a_classmate_away():
    report = make_results(n=9, classes=3, absent=0, pending=0).report()
    for student in report.students:
        assert student.class_counted == 3
        assert student.class_mean is None
        assert student.grade_mean is not None


def test_mastery_is_not_stated_without_enough_evidence():
    report = make_results(n_points=7, m=14).report()
    stated = {point.name: point.enough for point in report.points}
    assert set(stated.values()) == {True, False}
    for student in report.students:
        if student.standing is Standing.COUNTED:
            assert {p.name: p.mastery is not None for p in student.points} == stated


def test_thresholds_in_points_are_reached_by_the_same_totals():
    policy = Policy(passing=Decimal("0.6"), excellent=Decimal("0.853"))
    report = make_results(policy=policy).report()
    cuts = {cut.name: cut for cut in report.head.cuts}
    assert cuts["excellent"].points >= Decimal("0.853") * report.head.full
    assert cuts["excellent"].points - Decimal("0.01") < Decimal("0.853") * report.head.full
    for student in report.students:
        if student.score is not None:
            reached = student.score >= Decimal("0.853") * report.head.full
            assert (student.level is Level.EXCELLENT) is reached


def test_absent_as_zero_counts_them_with_zero_points():
    results = make_results(policy=Policy(absent_as_zero=True), pending=0)
    report = results.report()
    assert report.everybody.counted == report.everybody.registered
    absent = {r.candidate for r in results.records if r.status is ScoreStatus.ABSENT}
    student = next(s for s in report.students if s.candidate in absent)
    assert student.score == 0
    assert [comment.key for comment in student.comments] == ["absent_as_zero"]


def test_option_shares_of_a_class_are_those_of_its_members():
    results = make_results()
    report = results.report()
    group = report.classes[1]
    members = {c.number for c in results.exam.candidates if c.class_name == group.name}
    answers = [
        r.value
        for r in results.records
        if r.candidate in members and r.item == "1" and r.points is not None
    ]
    shares = {option.option: option.share for option in group.items[0].options}
    assert set(shares) == {"A", "B", "C", "D", ""}
    for option, share in shares.items():
        assert abs(share - Decimal(answers.count(option)) / len(answers)) <= Decimal("0.0005")
    assert report.everybody.items[0].options == report.items[0].options


def test_notes_on_items_follow_from_the_figures_shown():
    results = make_results()
    report = results.report()
    for item in report.items:
        assert ("too_easy" in item.flags) == (item.facility > Decimal("0.9"))
        assert ("too_hard" in item.flags) == (item.facility < Decimal("0.2"))
        assert ("negative" in item.flags) == (item.discrimination < 0)
        low = 0 <= item.discrimination < Decimal("0.2")
        assert ("low_discrimination" in item.flags) == low
        unused = any(o.option and o.share == 0 for o in item.options)
        assert ("nobody" in item.flags) == unused


def test_a_wrong_key_shows_as_negative_discrimination():
    results = make_results(n=60)
    flipped = tuple(
        replace(r, points=Decimal(2) - r.points) if r.item == "1" and r.points is not None else r
        for r in results.records
    )
    report = analysed(results.exam, flipped).report()
    assert "negative" in report.items[0].flags


def test_one_student_in_a_class_of_one():
    report = make_results(n=1, classes=1, absent=0, pending=0).report()
    (student,) = report.students
    assert student.score is not None
    assert report.classes[0].counted == 1
    assert report.test.alpha is None


def test_nobody_present():
    report = make_results(n=2, classes=1, absent=2, pending=0).report()
    assert report.everybody.mean is None
    assert report.everybody.counted == 0
    assert all(student.score is None for student in report.students)


def test_an_analysis_of_part_of_the_items_gives_a_report_on_these():
    results = make_results(pending=0)
    objective = {item.number for item in results.exam.items if item.type.is_objective}
    part = tuple(record for record in results.records if record.item in objective)
    report = analysed(results.exam, part).report()
    assert {item.number for item in report.items} == objective
    assert report.head.full == sum(i.points for i in results.exam.items if i.number in objective)
    for student in report.students:
        assert {item.number for item in student.items} == objective


@pytest.mark.parametrize("schools", [1, 2])
def test_groups_add_up(schools):
    report = make_results(schools=schools).report()
    assert report.head.joint is (schools > 1)
    assert sum(group.counted for group in report.classes) == report.everybody.counted
    for group in (report.everybody, *report.schools, *report.classes):
        assert group.registered == group.counted + group.absent + group.no_scores + group.incomplete
        assert sum(band.count for band in group.bands) == group.counted
        assert group.bands[0].above == group.counted


def test_negative_sums_are_no_points_where_they_are_no_mastery():
    results = make_results(n=60, negative=True, n_points=7, m=14)
    assert (results.analysis.mastery.gained < 0).any()
    shown = [p for student in results.report().students for p in student.points]
    assert all(point.points >= 0 for point in shown)
    assert all(point.points == 0 for point in shown if point.mastery == 0)


@pytest.mark.parametrize(("language", "labels"), [("zh", {"对", "错"}), ("en", {"T", "F"})])
def test_true_and_false_are_shown_as_printed_on_the_sheet(language, labels):
    report = make_results(language=language).report()
    places = [n for n, item in enumerate(report.items) if item.type == ItemType.TRUE_FALSE]
    assert places
    for place in places:
        assert report.items[place].key in labels
        answers = {student.items[place].answer for student in report.students}
        assert labels <= answers <= {*labels, ""}
        assert {student.items[place].key for student in report.students} <= labels


@pytest.mark.parametrize(("n", "stated"), [(9, False), (10, True)])
def test_indices_are_not_stated_of_too_few_candidates(n, stated):
    report = make_results(n=n, absent=0, pending=0).report()
    assert report.everybody.counted == n
    test = report.test
    for figure in (test.alpha, test.split_half, test.sem, test.discrimination):
        assert (figure is not None) == stated
    for figures in ([i.discrimination for i in report.items], [i.item_rest for i in report.items]):
        assert any(figure is not None for figure in figures) == stated
    assert all(item.facility is not None for item in report.items)
    few = [text for text in conventions(report) if "人数过少" in text]
    assert len(few) == (not stated)
    assert all("9 人" in text and "10 人" in text for text in few)
