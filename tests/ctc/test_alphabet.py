"""Which characters count for which."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.ctc import assign_characters, plain


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("１", "1"),
        ("Ａ", "A"),
        ("／", "/"),
        ("：", ":"),
        ("－", "-"),
        ("−", "-"),
        ("　", " "),
        ("．", "."),
        ("x", "x"),
        ("²", "²"),
        ("½", "½"),
        ("一", "一"),
    ],
)
def test_plain(character, expected):
    assert plain(character) == expected


@given(st.characters())
def test_plain_is_one_character_and_final(character):
    assert len(plain(character)) == 1
    assert plain(plain(character)) == plain(character)


def test_wide_forms_are_plain_everywhere():
    wide = [chr(k) for k in range(0xFF01, 0xFF5F)]
    assert [plain(c) for c in wide] == [plain(unicodedata.normalize("NFKC", c)) for c in wide]


@pytest.mark.parametrize(
    ("characters", "alphabet", "expected"),
    [
        ("０Oo〇I|Z你", "0123456789", [0, 0, 0, 0, 1, 1, 2, -1]),
        ("xX×＊", "0123456789×", [10, 10, 10, -1]),
        ("xX×", "xy", [0, 0, 0]),
        ("abe８", "ABCE", [0, 1, -1, -1]),
        ("1/", "1/", [0, 1]),
        ("0O", "0O", [0, 1]),
        ("aA", "aA", [0, 1]),
        ("1l", "", [-1, -1]),
        ("ABＢ", "ＡＢ", [0, 1, 1]),
    ],
)
def test_assign_characters(characters, alphabet, expected):
    assert assign_characters(tuple(characters), alphabet).tolist() == expected
