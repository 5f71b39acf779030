from __future__ import annotations

import pytest

from inkmark.bank import Bilingual, fold_name, load_bank


@pytest.mark.parametrize(
    "name",
    [
        "linear-functions",
        "一次函数",
        "  一次函数　",
        "Linear functions",
        "LINEAR  Functions",
        "Ｌinear functions",
    ],
)
def test_a_point_is_found_by_id_and_by_both_names(name):
    point = load_bank().find_point(name)
    assert point is not None
    assert point.id == "linear-functions"


@pytest.mark.parametrize("name", ["函数", "一次", "", "linear function"])
def test_a_name_is_not_guessed(name):
    assert load_bank().find_point(name) is None


def test_names_are_compared_without_width_case_and_extra_spaces():
    assert fold_name(" Ａ\u3000 b\n") == "a b"


def test_a_text_in_both_languages():
    assert Bilingual("圆", "Circles").text("zh") == "圆"
    assert Bilingual("圆", "Circles").text("en") == "Circles"
