from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inkmark.ctc import Choices
from inkmark.marking.grouping import GroupOptions, group_answers

BLANK = (("", 1.0),)


def written(text: str, sure: float = 0.98, other: str = "") -> Choices:
    """Steps that say a text; what is not sure goes to the signs of another text."""
    steps: list[tuple[tuple[str, float], ...]] = []
    for k, sign in enumerate(text):
        rest = ((other[k], round(1 - sure, 4)),) if other and other[k] != sign else ()
        steps += [((sign, sure), *rest), BLANK]
    return tuple(steps)


def test_what_says_the_same_is_together_and_the_largest_first() -> None:
    answers = [written("1/2"), written("0.5"), written("1/2"), None, written("1/2"), written("0.5")]
    groups = group_answers(answers, "number")
    assert [(g.text, g.is_sure, set(g.members)) for g in groups] == [
        ("1/2", True, {0, 2, 4}),
        ("0.5", True, {1, 5}),
        ("", True, {3}),
    ]


def test_what_the_class_says_tells_what_one_of_it_says() -> None:
    doubtful = written("1/7", 0.55, "1/2")
    alone = group_answers([doubtful, written("3")], "number")
    assert [g.text for g in alone if 0 in g.members] == ["1/7"]
    in_class = group_answers([doubtful, *[written("1/2")] * 40], "number")
    (mine,) = [g for g in in_class if 0 in g.members]
    assert (mine.text, mine.is_sure, len(mine.members)) == ("1/2", True, 41)
    assert mine.members[-1] == 0, "the surest come first"


def test_a_popular_answer_takes_in_nothing_that_plainly_says_otherwise() -> None:
    groups = group_answers([written("1/7", 0.999, "1/2"), *[written("1/2")] * 200], "number")
    assert [g.text for g in groups if 0 in g.members] == ["1/7"]


def test_what_perhaps_says_so_is_apart() -> None:
    answers = [written("12"), written("12"), written("12", 0.6, "17"), written("17")]
    groups = group_answers(answers, "number", GroupOptions(sure=0.9, likely=0.5))
    (sure,) = [g for g in groups if 0 in g.members]
    (perhaps,) = [g for g in groups if 2 in g.members]
    assert sure.members == (0, 1)
    assert (perhaps.text, perhaps.is_sure) == ("12", False)
    assert 0.5 <= perhaps.probability[0] < 0.9


def test_what_nobody_can_read_is_alone() -> None:
    groups = group_answers([(), (), written("5")], "number")
    assert sorted((g.text, g.is_sure, g.members) for g in groups) == [
        ("", False, (0,)),
        ("", False, (1,)),
        ("5", True, (2,)),
    ]
    assert group_answers([], "text") == ()


texts = st.sampled_from(["1", "7", "17", "1/2", "0.5", "-3"])


@given(st.lists(st.none() | st.just(()) | st.builds(written, texts, st.floats(0.3, 1.0))))
def test_every_answer_is_in_one_group(answers: list[Choices | None]) -> None:
    groups = group_answers(answers, "number")
    assert sorted(i for group in groups for i in group.members) == list(range(len(answers)))
    assert [len(g.members) for g in groups] == sorted(
        (len(g.members) for g in groups), reverse=True
    )
    for group in groups:
        assert len(group.probability) == len(group.members)
        assert all(0 <= p <= 1 + 1e-9 for p in group.probability)
