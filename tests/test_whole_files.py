from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.files import file_names, real_paths, write_whole

NAMES = st.text(max_size=80) | st.sampled_from(["", "8A", "8a", "8/A", "8_A", "8_A (2)", "-8A"])


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("八（1）班", "八（1）班"),
        ("Class 8-1 (B)", "Class 8-1 (B)"),
        ("8/B", "8_B"),
        ("../../etc\\x", "etc_x"),
        (".hidden", "hidden"),
        ("..", "class"),
        ("-rf", "rf"),
        ("8\0\n\tB", "8_B"),
        ("C:8.1*?", "C_8_1_"),
        (" 8 ", "8"),
        ("", "class"),
        ("e\N{COMBINING ACUTE ACCENT}1", "é1"),
    ],
)
def test_the_name_of_a_class(class_name, name):
    assert file_names([("School", class_name)]) == {("School", class_name): name}


def test_a_long_name_fits_a_file_system(tmp_path):
    names = file_names(
        [("", "班" * 300), ("", "班" * 301), ("", "\N{CJK UNIFIED IDEOGRAPH-20000}" * 99)]
    )
    assert len(set(names.values())) == 3
    for name in names.values():
        write_whole(tmp_path / f"{name}.pdf", b"x")
    assert len(list(tmp_path.iterdir())) == 3


def test_the_school_is_named_where_there_are_several():
    classes = [("North", "1"), ("South", "1"), ("South", "2")]
    assert list(file_names(classes).values()) == ["North 1", "South 1", "South 2"]
    assert list(file_names(classes[1:]).values()) == ["1", "2"]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([("", "8:B"), ("", "8/B")], {"8/B": "8_B", "8:B": "8_B (2)"}),
        ([("", "8a"), ("", "8A")], {"8A": "8A", "8a": "8a (2)"}),
        (
            [("", "8_B"), ("", "8/B"), ("", "8_B (2)")],
            {
                "8/B": "8_B",
                "8_B": "8_B (2)",
                "8_B (2)": "8_B (2) (2)",
            },
        ),
        ([("A", "B C"), ("A B", "C")], {"B C": "A B C", "C": "A B C (2)"}),
    ],
)
def test_names_that_would_meet_are_numbered(classes, expected):
    for order in itertools.permutations(classes):
        assert {key[1]: name for key, name in file_names(order).items()} == expected


@given(st.lists(st.tuples(NAMES, NAMES)))
def test_every_class_has_a_name_of_its_own_that_is_safe(classes):
    names = file_names(classes)
    assert set(names) == set(classes)
    assert len({name.casefold() for name in names.values()}) == len(names)
    for name in names.values():
        assert Path(name).name == name
        assert name == name.strip()
        assert name[0] not in ".-"
        assert name.isprintable()
        assert not set(name) & set('/\\:*?"<>|.')
        assert len(f".{name}.pdf.1234567.tmp".encode()) <= 255
    assert file_names(reversed(classes)) == names


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "new" / "file.json"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_real_paths_are_those_of_the_system(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "1.jpg").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "2.jpg").symlink_to("1.jpg")
    (tmp_path / "a" / "3.jpg").symlink_to("3.jpg")
    monkeypatch.chdir(tmp_path)
    paths = [
        tmp_path / "a" / "1.jpg",
        tmp_path / "linked" / "1.jpg",
        tmp_path / "linked" / "2.jpg",
        tmp_path / "a" / "3.jpg",
        tmp_path / "a" / "b" / ".." / "1.jpg",
        tmp_path / "a" / "b" / "..",
        tmp_path / "linked",
        tmp_path / "missing" / "1.jpg",
        Path("linked") / "1.jpg",
        Path(),
        Path("/"),
    ]
    assert real_paths(paths) == [os.path.realpath(path) for path in paths]
