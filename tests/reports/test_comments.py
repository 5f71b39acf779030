import re
from dataclasses import replace

import pytest
from sample_results import make_results

from inkmark.analytics import Standing
from inkmark.reports.comments import student_comments
from inkmark.reports.model import Outcome
from inkmark.reports.words import sentences, words

RANKING = {
    "zh": r"排名|名次|第一名|最后|倒数|前\d|后\d|最好|最差|优于|落后|超过.*同学|比.*同学",
    "en": r"\b(rank|best|worst|top|bottom|better|behind|ahead|beat)\b",
}
DISCOURAGING = {
    "zh": r"差劲|失败|糟|笨|懒|不行|太差",
    "en": r"\b(fail|failed|failure|poor|bad|weak|lazy|stupid|careless)\b",
}


@pytest.fixture(params=["zh", "en"], scope="module")
def report(request):
    return make_results(language=request.param, n=60, m=20, absent=2, pending=3).report()


def test_no_sentence_ranks_or_scolds():
    for language in ("zh", "en"):
        for text in sentences(language).values():
            assert not re.search(RANKING[language], text, re.IGNORECASE), text
            assert not re.search(DISCOURAGING[language], text, re.IGNORECASE), text


def test_both_languages_rest_on_the_same_figures():
    zh, en = sentences("zh"), sentences("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert set(re.findall(r"{(\w+)}", zh[key])) == set(re.findall(r"{(\w+)}", en[key])), key
    assert words("zh").keys() == words("en").keys()


def test_each_sentence_holds_just_the_figures_it_names(report):
    for student in report.students:
        assert student.comments
        for comment in student.comments:
            template = sentences(report.head.language)[comment.key]
            shown = {figure.name: figure.text for figure in comment.figures}
            assert set(shown) == set(re.findall(r"{(\w+)}", template)), comment.key
            assert comment.text == template.format(**shown)
            assert all(text and text != "–" for text in shown.values())
            assert "{" not in comment.text


def test_each_figure_is_one_of_the_report(report):
    for student in report.students:
        own = {comment.key: comment for comment in student.comments}
        if "score" in own:
            figures = {f.name: f.text for f in own["score"].figures}
            assert figures["score"] == format(student.score, "f")
        points = {p.name: p for p in student.points}
        for comment in student.comments:
            figures = {f.name: f.text for f in comment.figures}
            if "point" in figures:
                point = points[figures["point"]]
                assert figures["points"] == format(point.points, "f")
                assert figures["mastery"] == f"{point.mastery * 100:.1f}%"
            if comment.key == "blank":
                numbers = re.findall(r"[\d()]+", figures["items"])
                blank = {i.number: i.lost for i in student.items if i.blank}
                assert set(numbers) <= set(blank)
                assert sum(blank[n] for n in numbers) == float(figures["lost"])


def test_comments_are_deterministic_and_a_strength_comes_before_a_next_step(report):
    seen = set()
    for student in report.students:
        again = student_comments(report.head, replace(student, comments=()))
        assert again == student.comments
        keys = [comment.key for comment in student.comments]
        if "strength" in keys and "next_step" in keys:
            assert keys.index("strength") < keys.index("next_step")
        seen |= set(keys)
    assert {"score", "strength", "next_step", "incomplete", "absent"} <= seen


@pytest.mark.parametrize(
    ("standing", "key"),
    [(Standing.ABSENT, "absent"), (Standing.NO_SCORES, "no_scores")],
)
def test_who_has_no_results_gets_one_sentence(report, standing, key):
    student = replace(report.students[0], standing=standing)
    assert [c.key for c in student_comments(report.head, student)] == [key]


def test_what_is_pending_is_counted_and_no_level_is_stated(report):
    student = next(s for s in report.students if s.standing is Standing.INCOMPLETE)
    first = student.comments[0]
    pending = sum(item.outcome is Outcome.PENDING for item in student.items)
    assert first.key == "incomplete"
    assert {f.name: f.text for f in first.figures}["n"] == str(pending)
    assert not any(comment.key.startswith(("level", "score")) for comment in student.comments)


def test_a_paper_with_too_little_on_each_point_says_so():
    report = make_results(n_points=7, m=7, absent=0, pending=0).report()
    for student in report.students:
        keys = {comment.key for comment in student.comments}
        assert "no_evidence" in keys
        assert not keys & {"strength", "next_step"}
