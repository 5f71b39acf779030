from __future__ import annotations

import copy
import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from inkmark.bank import BankItem, Bilingual, KnowledgePoint, bank_schema, load_bank
from inkmark.errors import FaultyFileError

REPOSITORY = Path(__file__).resolve().parents[2]

POINT = {"id": "sums", "name": {"zh": "加法", "en": "Addition"}, "prerequisites": []}
ITEM = {
    "id": "sums-1",
    "knowledge": "sums",
    "level": "know",
    "difficulty": 0.8,
    "key": "B",
    "stem": {"zh": "1 + 1 等于多少？", "en": "What is 1 + 1?"},
    "options": ["1", "2", "3", {"zh": "不知道", "en": "unknown"}],
    "explanation": {"zh": "一加一等于二。", "en": "One and one make two."},
}
BANK = {
    "format": "inkmark-bank/1",
    "id": "small",
    "title": "Mini",
    "knowledge": [POINT],
    "items": [ITEM],
}


@pytest.fixture
def bank():
    return copy.deepcopy(BANK)


@pytest.fixture
def load(tmp_path):
    def load(data):
        path = tmp_path / "bank.json"
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        path.write_bytes(content)
        return load_bank(path)

    return load


def faults(load, data):
    with pytest.raises(FaultyFileError) as caught:
        load(data)
    return [str(fault) for fault in caught.value.faults]


def test_a_bank_of_ones_own(load, bank):
    loaded = load(bank)
    assert loaded.title == Bilingual("Mini", "Mini")
    assert loaded.points == (KnowledgePoint("sums", Bilingual("加法", "Addition")),)
    assert loaded.items == (
        BankItem(
            "sums-1",
            "sums",
            "know",
            0.8,
            Bilingual("1 + 1 等于多少？", "What is 1 + 1?"),
            (
                Bilingual("1", "1"),
                Bilingual("2", "2"),
                Bilingual("3", "3"),
                Bilingual("不知道", "unknown"),
            ),
            "B",
            Bilingual("一加一等于二。", "One and one make two."),
        ),
    )


def test_the_schema_accepts_what_the_loader_accepts(bank):
    validator = jsonschema.Draft202012Validator(bank_schema())
    jsonschema.Draft202012Validator.check_schema(bank_schema())
    assert validator.is_valid(bank)
    built_in = resources.files("inkmark.bank") / "data/lower-secondary-mathematics.json"
    assert validator.is_valid(json.loads(built_in.read_text(encoding="utf-8")))


def change(path, value):
    def apply(data):
        target = data
        for step in path[:-1]:
            target = target[step]
        if value is None:
            del target[path[-1]]
        else:
            target[path[-1]] = value

    return apply


# Faults that the JSON Schema can express, and the place and words of the loader's message.
SHAPE = [
    (("format",), "inkmark-bank/2", "format: is 'inkmark-bank/2'"),
    (("id",), "Größe", "id: must be at most 64"),
    (("title",), None, "title: must be a text"),
    (("items",), [], "items: must be a list"),
    (("knowledge",), None, "knowledge: must be a list"),
    (("items", 0), 7, "item 1: must be an object"),
    (("items", 0), {}, "item 1, key: is None"),
    (("items", 0, "dificulty"), 0.5, "item 1 (sums-1): has the unknown field 'dificulty'"),
    (("items", 0, "key"), "E", "item 1 (sums-1), key: is 'E', but must be one of: A, B, C, D"),
    (("items", 0, "key"), ["A"], "item 1 (sums-1), key: is ['A']"),
    (("items", 0, "level"), "hard", "item 1 (sums-1), level: is 'hard'"),
    (("items", 0, "difficulty"), 1, "item 1 (sums-1), difficulty: must be"),
    (("items", 0, "difficulty"), "0.5", "item 1 (sums-1), difficulty: must be"),
    (("items", 0, "difficulty"), True, "item 1 (sums-1), difficulty: must be"),
    (("items", 0, "stem"), "  ", "item 1 (sums-1), stem: must be a text"),
    (("items", 0, "stem"), "x" * 1001, "item 1 (sums-1), stem: must be a text"),
    (("items", 0, "stem"), {"zh": "题"}, "item 1 (sums-1), stem, en: must be a text"),
    (("items", 0, "options"), ["1", "2", "3"], "item 1 (sums-1), options: has 3 options"),
    (("items", 0, "options"), list("12345"), "item 1 (sums-1), options: has 5 options"),
    (("items", 0, "options", 2), 3, "item 1 (sums-1), option C: must be a text"),
    (("items", 0, "explanation"), None, "item 1 (sums-1), explanation: must be a text"),
    (("knowledge", 0, "prerequisites"), "sums", "knowledge point 1 (sums), prerequisites: must"),
]


@pytest.mark.parametrize(("path", "value", "said"), SHAPE)
def test_a_wrong_shape_is_named_and_the_schema_refuses_it_too(load, bank, path, value, said):
    change(path, value)(bank)
    assert any(fault.startswith(said) for fault in faults(load, bank))
    assert not jsonschema.Draft202012Validator(bank_schema()).is_valid(bank)


MEANING = [
    (("items", 0, "knowledge"), "products", "item 1 (sums-1), knowledge: is 'products'"),
    (("items", 0, "options", 3), "1", "item 1 (sums-1), options: holds the same option twice"),
    (("items",), [ITEM, ITEM], "item 2 (sums-1): has an id that another one before it has"),
    (("knowledge",), [POINT, POINT], "knowledge point 2 (sums): has an id"),
    (
        ("knowledge",),
        [POINT, {"id": "plus", "name": " addition "}],
        "knowledge point 2 (plus): shares the name 'addition' with 'sums'",
    ),
    (("knowledge", 0, "prerequisites"), ["zero"], "knowledge point 1 (sums), prerequisites: names"),
    (("knowledge", 0, "prerequisites"), ["sums"], "knowledge: the prerequisites run in a circle"),
]


@pytest.mark.parametrize(("path", "value", "said"), MEANING)
def test_a_wrong_meaning_is_named(load, bank, path, value, said):
    change(path, value)(bank)
    assert any(fault.startswith(said) for fault in faults(load, bank))


def test_all_faults_at_once(load, bank):
    bank["items"][0] |= {"key": "E", "difficulty": 2, "stem": ""}
    bank["extra"] = 1
    found = faults(load, bank)
    assert len(found) == 4
    assert found[0].startswith("bank: has the unknown field 'extra'")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1, column 1: is not JSON"),
        (b"[]", "format: is None"),
        (b'{"format": }', "line 1, column 12: is not JSON"),
        (b"\xff\xfe\x00", "byte 1: is not UTF-8 text"),
        (b"[" * 200_000, "file: is not a bank file"),
        (b'{"n": ' + b"9" * 5000 + b"}", "file: is not a bank file"),
    ],
)
def test_a_file_that_is_no_bank(load, content, said):
    assert faults(load, content)[0].startswith(said)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FaultyFileError, match="cannot be read"):
        load_bank(tmp_path / "none.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(FaultyFileError, match="larger than 64 MiB"):
        load_bank(path)


def test_a_byte_order_mark_is_no_fault(load, bank):
    assert load(b"\xef\xbb\xbf" + json.dumps(bank).encode()).id == "small"


def test_the_documented_example_is_a_bank(load):
    text = (REPOSITORY / "docs" / "formats" / "bank.md").read_text(encoding="utf-8")
    loaded = load(text.split("```json\n")[1].split("```")[0].encode())
    assert [point.prerequisites for point in loaded.points] == [(), ("sums",)]


def test_every_field_is_documented():
    text = (REPOSITORY / "docs" / "formats" / "bank.md").read_text(encoding="utf-8")
    schema = bank_schema()
    fields = [schema["properties"], *(schema["$defs"][n]["properties"] for n in ("point", "item"))]
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert documented == {name for group in fields for name in group}
