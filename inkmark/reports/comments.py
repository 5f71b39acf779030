"""Comment sentences for student reports, each resting on figures of the same report.

The sentences are chosen by rules, so equal results give equal comments. They speak to the
student, name a strength before a next step, and compare nobody with anybody by rank.
"""

from __future__ import annotations

from decimal import Decimal

from inkmark.analytics.model import Standing
from inkmark.reports.figures import figure_text, points, share_text, total
from inkmark.reports.model import (
    Comment,
    Figure,
    Level,
    Outcome,
    ReportHead,
    StudentItem,
    StudentPoint,
    StudentTable,
)
from inkmark.reports.words import item_list, sentences, words

__all__ = ["student_comments"]

STRONG = Decimal("0.80")
"""A knowledge point mastered to this share is named as a strength."""
EASY = Decimal("0.80")
"""An item with this facility or more is one that most can do."""
HARD = Decimal("0.40")
"""An item with less than this facility is a hard one."""
MOST_POINTS = 2
MOST_ITEMS = 4


def student_comments(head: ReportHead, student: StudentTable) -> tuple[Comment, ...]:
    """Choose and fill the sentences for one student.

    Parameters
    ----------
    head : ReportHead
    student : StudentTable
        Its own `comments` are not looked at.

    Returns
    -------
    tuple of Comment
        Strengths before next steps. Sentences on other candidates' rates appear only
        where the report compares.
    """
    if student.standing is Standing.ABSENT:
        return (_comment(head, "absent"),)
    if student.standing is Standing.NO_SCORES:
        return (_comment(head, "no_scores", full=figure_text(head.full)),)
    comments: list[Comment] = []
    if student.standing is Standing.INCOMPLETE:
        comments.append(
            _comment(
                head,
                "incomplete",
                n=str(sum(item.points is None for item in student.items)),
                marked_full=figure_text(student.marked_full),
                marked_points=figure_text(student.marked_points),
            )
        )
    elif all(item.outcome is Outcome.NOT_PRESENTED for item in student.items):
        return (_comment(head, "absent_as_zero", score=figure_text(student.score)),)
    else:
        comments += _on_score(head, student)
    comments += _on_strengths(head, student)
    comments += _on_next_steps(head, student)
    return tuple(comments)


def _on_score(head: ReportHead, student: StudentTable) -> list[Comment]:
    score, level = student.score, student.level
    if score is None or level is None:
        return []
    cuts = {cut.name: cut.points for cut in head.cuts}
    texts = {"score": figure_text(score), "full": figure_text(head.full)}
    own = _comment(head, "score", **texts, rate=share_text(student.rate))
    if level is Level.EXCELLENT:
        return [own, _comment(head, "level_excellent", cut=figure_text(cuts["excellent"]))]
    reached, ahead = {
        Level.GOOD: ("good", "excellent"),
        Level.PASS: ("passing", "good"),
        Level.DEVELOPING: ("passing", "passing"),
    }[level]
    short = figure_text(points(cuts[ahead] - score))
    return [own, _comment(head, f"level_{level}", cut=figure_text(cuts[reached]), short=short)]


def _on_strengths(head: ReportHead, student: StudentTable) -> list[Comment]:
    strong = [p for p in student.points if p.mastery is not None and p.mastery >= STRONG]
    strong.sort(key=lambda point: -(point.mastery or 0))
    comments = [_comment(head, "strength", **_of_point(p)) for p in strong[:MOST_POINTS]]
    won = [
        item
        for item in student.items
        if item.outcome is Outcome.FULL and item.grade_rate is not None and item.grade_rate < HARD
    ]
    if won:
        comments.append(_comment(head, "hard_won", **_of_items(head, won, rates=True)))
    return comments


def _on_next_steps(head: ReportHead, student: StudentTable) -> list[Comment]:
    comments = []
    passing = next(cut.share for cut in head.cuts if cut.name == "passing")
    weak = [p for p in student.points if p.mastery is not None and p.mastery < passing]
    weak.sort(key=lambda point: point.mastery or 0)
    by_number = {item.number: item for item in student.items}
    for point in weak[:MOST_POINTS]:
        again = [by_number[number] for number in point.items if by_number[number].lost]
        texts = _of_point(point) | {"items": _of_items(head, again)["items"]}
        comments.append(_comment(head, "next_step", **texts))
    blank = [i for i in student.items if i.blank and i.lost]
    missed = [i for i in student.items if i.outcome is Outcome.NONE and not i.blank]
    slips = [i for i in missed if i.grade_rate is not None and i.grade_rate >= EASY]
    part = [i for i in student.items if i.outcome is Outcome.PART]
    if slips:
        comments.append(_comment(head, "slip", **_of_items(head, slips, rates=True)))
    if part:
        comments.append(_comment(head, "part", **_of_items(head, part)))
    if blank:
        comments.append(_comment(head, "blank", **_of_items(head, blank)))
    if student.points and all(point.mastery is None for point in student.points):
        comments.append(_comment(head, "no_evidence", n=str(len(student.points))))
    return comments


def _of_point(point: StudentPoint) -> dict[str, str]:
    return {
        "point": point.name,
        "points": figure_text(point.points),
        "full": figure_text(point.full),
        "mastery": share_text(point.mastery),
    }


def _of_items(head: ReportHead, items: list[StudentItem], *, rates: bool = False) -> dict[str, str]:
    """The costliest few of the items, in printed order, with what they cost or their rates."""
    costly = sorted(items, key=lambda item: -(item.lost or 0))[:MOST_ITEMS]
    chosen = [item for item in items if item in costly]
    texts = {"items": _numbers(head, chosen)}
    if rates:
        shown = tuple(share_text(item.grade_rate) for item in chosen)
        texts |= {"all": _all(head), "rates": item_list(shown, head.language)}
    if any(item.lost for item in chosen):
        texts["lost"] = figure_text(total(item.lost for item in chosen))
    return texts


def _numbers(head: ReportHead, items: list[StudentItem], most: int = MOST_ITEMS) -> str:
    numbers = item_list(tuple(item.number for item in items[:most]), head.language)
    if head.language == "zh":
        return numbers
    return f"item {numbers}" if len(items) == 1 else f"items {numbers}"


def _all(head: ReportHead) -> str:
    return words(head.language)["joint" if head.joint else "grade"]


def _comment(head: ReportHead, key: str, **figures: str) -> Comment:
    text = sentences(head.language)[key].format(**figures)
    return Comment(key, text, tuple(Figure(*figure) for figure in figures.items()))
