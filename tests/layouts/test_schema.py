from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from inkmark.errors import LayoutError
from inkmark.layouts import CHARSETS, layout_schema, load_layout, save_layout
from inkmark.layouts._schema import find_faults

SCHEMA = layout_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


# --- schema and loader agree ------------------------------------------------------------

JUNK: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    2,
    1.0,
    -1,
    0.5,
    1e9,
    -1e9,
    10**400,
    "",
    "1",
    "oval",
    "item",
    "squares",
    "area",
    "a|b",
    "a\nb",
    "a\n",
    "\ud800",
    "x" * 101,
    [],
    [1],
    [1, 2],
    [1.5, 2, 3, 4],
    [1, 2, 0, 4],
    [1, 2, -3, 4],
    ["A", "A"],
    ["A", "B"],
    {},
    {"kind": "image"},
    {"kind": "area", "name": "z", "box_mm": [1, 2, 3, 4]},
    {"kind": "nothing"},
    {"kind": 3},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inside: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    else:
        inside = []
    found = [path] if path else []
    for key, member in inside:
        found += places(member, (*path, key))
    return found


def mutate(data: Any, place: tuple[Any, ...], how: str, junk: Any) -> None:
    junk = copy.deepcopy(junk)  # the next mutation may change it, or put it into itself
    *way, last = place
    holder = data
    for key in way:
        holder = holder[key]
    if how == "replace":
        holder[last] = junk
    elif how == "remove":
        del holder[last]
    elif isinstance(holder, dict):
        holder["surplus"] = junk
    else:
        holder.append(junk)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_schema_and_loader_refuse_the_same(
    document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    changed = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(changed)))
        how = data.draw(st.sampled_from(["replace", "remove", "add"]))
        mutate(changed, place, how, data.draw(st.sampled_from(JUNK)))
    by_schema = VALIDATOR.is_valid(changed)
    faults = list(find_faults(changed, SCHEMA))
    assert by_schema == (not faults), [str(f) for f in faults]
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    if not by_schema:
        with pytest.raises(LayoutError, match="Correct the places named"):
            load_layout(path)
        return
    try:
        layout = load_layout(path)
    except LayoutError as error:
        # What only relations between sound parts can be wrong with.
        assert any(  # noqa: PT017 - the message is the point
            words in str(error)
            for words in (
                "stands twice",
                "outside the page",
                "no field",
                "is no PNG",
                "is missing",
                "places for",
                "mm wide or high",
                "would overlap",
                "stands once",
                "to write on",
                "more than 20000 bubbles",
            )
        )
    else:
        save_layout(layout, path)
        assert load_layout(path) == layout


def test_every_keyword_of_the_schema_is_understood() -> None:
    known = {
        "$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "oneOf",
        "required", "additionalProperties", "properties", "items", "prefixItems", "minItems",
        "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "not", "minimum",
        "maximum", "exclusiveMinimum",
    }  # fmt: skip

    def look(schema: dict[str, Any]) -> None:
        assert set(schema) <= known
        if schema.get("type") == "object":
            # What is not named is refused: the checker takes this for granted.
            assert schema["additionalProperties"] is False
        for inside in ("properties", "$defs"):
            for member in schema.get(inside, {}).values():
                look(member)
        for member in schema.get("oneOf", []) + schema.get("prefixItems", []):
            look(member)
        if "items" in schema:
            look(schema["items"])

    Draft202012Validator.check_schema(SCHEMA)
    look(SCHEMA)


# --- documentation ----------------------------------------------------------------------

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "layout.md"


def members(schema: dict[str, Any]) -> set[str]:
    found = set(schema["properties"]) if "properties" in schema else set()
    return found.union(*(members(part) for part in schema.get("$defs", {}).values()))


def test_every_member_is_documented_and_the_other_way_round() -> None:
    tables = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    words = set(re.findall(r"`([a-z_]+)`", "\n".join(tables)))
    assert members(SCHEMA) - words - {"kind"} == set()
    values = {value for part in SCHEMA["$defs"].values() for value in kinds_and_choices(part)}
    built = {"page", "name", "candidate", "absent", "candidate_written", *CHARSETS}
    assert words - members(SCHEMA) - values - built == {"false"}


def kinds_and_choices(schema: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(schema, dict):
        found |= {v for v in [schema.get("const"), *schema.get("enum", [])] if isinstance(v, str)}
        for part in schema.values():
            found |= kinds_and_choices(part)
    elif isinstance(schema, list):
        for part in schema:
            found |= kinds_and_choices(part)
    return found


def test_the_documented_example_is_a_layout(tmp_path: Path) -> None:
    example = PAGE.read_text("utf-8").split("```json\n")[1].split("```")[0]
    path = tmp_path / "layout.json"
    path.write_text(example, encoding="utf-8")
    layout = load_layout(path)
    assert [f.name for f in layout.fields()] == ["page", "Q1"]
