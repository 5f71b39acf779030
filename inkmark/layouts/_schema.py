"""Checking JSON data against the part of JSON Schema that the layout's schema uses.

The schema file is the one description of the format; this reads it at run time, so that
the package jsonschema is needed by the tests only. A choice (``oneOf``) is made by the
constant of the property ``kind``, which makes the messages say what is wrong with the
thing meant rather than that no alternative fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from inkmark.errors import Fault

__all__ = ["find_faults"]

_Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int, float),
}


def find_faults(value: object, root: _Schema) -> Iterator[Fault]:
    """Everything in `value` that the schema `root` refuses.

    Parameters
    ----------
    value : object
        As `json.loads` gives it.
    root : mapping
        A JSON Schema (draft 2020-12) that keeps to the keywords of ``layout.schema.json``.

    Yields
    ------
    Fault
        With the place as a path: ``pages[0].fields[3].options``.
    """
    return _check(value, root, root, "")


def _check(value: object, schema: _Schema, root: _Schema, place: str) -> Iterator[Fault]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "oneOf" in schema:
        yield from _check_kind(value, schema["oneOf"], root, place)
        return
    if "const" in schema and value != schema["const"]:
        yield _fault(place, f"must be {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        yield _fault(place, f"must be one of: {', '.join(schema['enum'])}")
    if "type" not in schema:
        return
    if not _is_type(value, schema["type"]):
        yield _fault(place, f"must be of type {schema['type']}")
    elif isinstance(value, dict):
        yield from _check_object(value, schema, root, place)
    elif isinstance(value, list):
        yield from _check_array(value, schema, root, place)
    elif isinstance(value, str):
        yield from _check_string(value, schema, place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(value, schema, place)


def _is_type(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if not isinstance(value, _TYPES[name]):
        return False
    return name != "integer" or not isinstance(value, float) or value.is_integer()


def _check_kind(
    value: object, choices: list[_Schema], root: _Schema, place: str
) -> Iterator[Fault]:
    kinds = {}
    for choice in choices:
        target = root["$defs"][choice["$ref"].removeprefix("#/$defs/")]
        kinds[target["properties"]["kind"]["const"]] = target
    if not isinstance(value, dict):
        yield _fault(place, "must be of type object")
        return
    kind = value.get("kind")
    if isinstance(kind, str) and kind in kinds:
        yield from _check(value, kinds[kind], root, place)
    else:
        yield _fault(_join(place, "kind"), f"must be one of: {', '.join(kinds)}")


def _check_object(
    value: dict[str, object], schema: _Schema, root: _Schema, place: str
) -> Iterator[Fault]:
    known = schema["properties"]
    for key in schema.get("required", ()):
        if key not in value:
            yield _fault(_join(place, key), "is missing")
    for key, member in value.items():
        if key in known:
            yield from _check(member, known[key], root, _join(place, key))
        else:
            yield _fault(_join(place, key), f"is not known here; known are: {', '.join(known)}")


def _check_array(
    value: list[object], schema: _Schema, root: _Schema, place: str
) -> Iterator[Fault]:
    least, most = schema.get("minItems", 0), schema["maxItems"]
    if not least <= len(value) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        yield _fault(place, f"has {len(value)} entries; {wanted} are allowed")
        return
    if schema.get("uniqueItems") and len(value) != len({repr(member) for member in value}):
        yield _fault(place, "has an entry twice")
    for index, member in enumerate(value):
        wanted = schema["prefixItems"][index] if "prefixItems" in schema else schema["items"]
        yield from _check(member, wanted, root, f"{place}[{index}]")


def _check_string(value: str, schema: _Schema, place: str) -> Iterator[Fault]:
    least, most = schema.get("minLength", 0), schema["maxLength"]
    if not least <= len(value) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        yield _fault(place, f"has {len(value)} characters; {wanted} are allowed")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield _fault(place, f"must match {schema['pattern']}")
    if "not" in schema and (found := re.search(schema["not"]["pattern"], value)):
        yield _fault(place, f"holds the character {found[0]!r}, which is not allowed here")


def _check_number(value: float, schema: _Schema, place: str) -> Iterator[Fault]:
    most = schema["maximum"]
    if "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"]
        if not least < value <= most:
            yield _fault(place, f"must be more than {least} and at most {most}")
    elif not schema["minimum"] <= value <= most:
        yield _fault(place, f"must be from {schema['minimum']} to {most}")


def _join(place: str, key: str) -> str:
    key = key if key.isidentifier() else repr(key[:40])
    return f"{place}.{key}" if place else key


def _fault(place: str, message: str) -> Fault:
    return Fault(place or "the file", message)
