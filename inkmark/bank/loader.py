"""Reading item banks: JSON, format "inkmark-bank/1"."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import Any, cast

from inkmark.bank.model import (
    LABELS,
    LEVELS,
    BankItem,
    Bilingual,
    ItemBank,
    KnowledgePoint,
    fold_name,
)
from inkmark.errors import Fault, FaultyFileError

__all__ = ["bank_schema", "load_bank"]

FORMAT = "inkmark-bank/1"

_BUILT_IN = "data/lower-secondary-mathematics.json"
_SCHEMA = "bank.schema.json"
_MAX_BYTES = 64 * 1024 * 1024
_MAX_TEXT = 1000
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAX_ID = 64

_BANK_FIELDS = ("format", "id", "title", "knowledge", "items")
_POINT_FIELDS = ("id", "name", "prerequisites")
_ITEM_FIELDS = (
    "id",
    "knowledge",
    "level",
    "difficulty",
    "key",
    "stem",
    "options",
    "explanation",
)


def load_bank(path: Path | str | None = None) -> ItemBank:
    """Read an item bank.

    Parameters
    ----------
    path : path-like or None
        A bank file; None reads the bank that comes with inkmark (lower-secondary
        mathematics).

    Returns
    -------
    ItemBank

    Raises
    ------
    FaultyFileError
        Where the file cannot be read or breaks the format; all faults at once.
    """
    if path is None:
        name = Path(_BUILT_IN).name
        content = (resources.files(__package__) / _BUILT_IN).read_bytes()
    else:
        name = str(path)
        content = _content(Path(path))
    check = _Check()
    bank = check.bank(_parsed(name, content))
    if check.faults:
        raise FaultyFileError(name, check.faults)
    return bank


def bank_schema() -> dict[str, Any]:
    """The JSON Schema of a bank file."""
    text = (resources.files(__package__) / _SCHEMA).read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            limit = _MAX_BYTES // 2**20
            raise FaultyFileError(path, [Fault("file", f"is larger than {limit} MiB")])
        return path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise FaultyFileError(path, [Fault("file", reason)]) from error


def _parsed(name: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        fault = Fault(f"byte {error.start + 1}", "is not UTF-8 text")
    except json.JSONDecodeError as error:
        fault = Fault(f"line {error.lineno}, column {error.colno}", f"is not JSON: {error.msg}")
    except (RecursionError, ValueError) as error:
        fault = Fault("file", f"is not a bank file: {error}")
    raise FaultyFileError(name, [fault])


class _Check:
    """Turns parsed JSON into a bank and collects what is wrong with it.

    A value that is wrong is replaced by an empty one, so that the rest is checked too.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def bank(self, data: Any) -> ItemBank:
        found = data.get("format") if isinstance(data, dict) else None
        if found != FORMAT:
            self._fault("format", f"is {found!r:.60}, but must be {FORMAT!r}")
            return ItemBank("", Bilingual("", ""), (), ())
        self._known(data, _BANK_FIELDS, "bank")
        points = tuple(
            self._point(entry, place)
            for entry, place in self._entries(data, "knowledge", "knowledge point", _POINT_FIELDS)
        )
        self._check_points(points)
        ids = {point.id for point in points}
        items = tuple(
            self._item(entry, place, ids)
            for entry, place in self._entries(data, "items", "item", _ITEM_FIELDS)
        )
        self._unique("item", [item.id for item in items])
        return ItemBank(self._id(data, ""), self._text(data, "title", ""), points, items)

    def _point(self, data: dict[str, Any], place: str) -> KnowledgePoint:
        needed = data.get("prerequisites", [])
        if not isinstance(needed, list) or not all(isinstance(n, str) for n in needed):
            self._fault(f"{place}, prerequisites", "must be a list of knowledge point ids")
            needed = []
        return KnowledgePoint(self._id(data, place), self._text(data, "name", place), tuple(needed))

    def _item(self, data: dict[str, Any], place: str, points: Collection[str]) -> BankItem:
        options = [
            self._bilingual(entry, f"{place}, option {LABELS[n] if n < len(LABELS) else n + 1}")
            for n, entry in enumerate(self._list(data, "options", place))
        ]
        if len(options) != len(LABELS):
            self._fault(f"{place}, options", f"has {len(options)} options, but must have four")
        for language in ("zh", "en"):
            texts = [option.text(language) for option in options]
            if all(texts) and len(set(texts)) < len(texts):
                self._fault(f"{place}, options", f"holds the same option twice in {language!r}")
        return BankItem(
            self._id(data, place),
            self._choice(data, "knowledge", points, place),
            self._choice(data, "level", LEVELS, place),
            self._difficulty(data, place),
            self._text(data, "stem", place),
            tuple(options),
            self._choice(data, "key", LABELS, place),
            self._text(data, "explanation", place),
        )

    def _check_points(self, points: Sequence[KnowledgePoint]) -> None:
        ids = [point.id for point in points]
        self._unique("knowledge point", ids)
        for n, point in enumerate(points, 1):
            for other in points[: n - 1]:
                shared = set(_names(point)) & set(_names(other))
                if shared and point.id != other.id:
                    self._fault(
                        f"knowledge point {n} ({point.id})",
                        f"shares the name {min(shared)!r} with {other.id!r}; names must differ",
                    )
            for needed in point.prerequisites:
                if needed not in ids:
                    self._fault(
                        f"knowledge point {n} ({point.id}), prerequisites",
                        f"names {needed!r}, which is no knowledge point of this bank",
                    )
        try:
            TopologicalSorter({p.id: p.prerequisites for p in points}).prepare()
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            self._fault("knowledge", f"the prerequisites run in a circle: {circle}")

    # --- values

    def _fault(self, place: str, message: str) -> None:
        self.faults.append(Fault(place, message))

    def _known(self, data: dict[str, Any], fields: Sequence[str], place: str) -> None:
        listed = ", ".join(fields)
        for name in sorted(data.keys() - set(fields)):
            self._fault(place, f"has the unknown field {name!r:.60}; the fields are {listed}")

    def _entries(
        self, data: dict[str, Any], name: str, noun: str, fields: Sequence[str]
    ) -> Iterator[tuple[dict[str, Any], str]]:
        """The objects of a list, each with its place, which names its id."""
        for n, entry in enumerate(self._list(data, name, ""), 1):
            place = f"{noun} {n}"
            if not isinstance(entry, dict):
                self._fault(place, "must be an object in { }")
                continue
            if isinstance(entry.get("id"), str):
                place = f"{place} ({entry['id'][:_MAX_ID]})"
            self._known(entry, fields, place)
            yield entry, place

    def _list(self, data: dict[str, Any], name: str, place: str) -> list[Any]:
        value = data.get(name)
        if isinstance(value, list) and value:
            return value
        self._fault(_at(place, name), "must be a list in [ ] with at least one entry")
        return []

    def _id(self, data: dict[str, Any], place: str) -> str:
        value = data.get("id")
        if isinstance(value, str) and len(value) <= _MAX_ID and _ID.fullmatch(value):
            return value
        self._fault(
            _at(place, "id"),
            f"must be at most {_MAX_ID} of a-z and 0-9 with single hyphens between",
        )
        return ""

    def _choice(self, data: dict[str, Any], name: str, allowed: Collection[str], place: str) -> str:
        value = data.get(name)
        if isinstance(value, str) and value in allowed:
            return value
        listed = ", ".join(allowed)
        self._fault(_at(place, name), f"is {value!r:.60}, but must be one of: {listed}")
        return ""

    def _difficulty(self, data: dict[str, Any], place: str) -> float:
        value = data.get("difficulty")
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
            return float(value)
        self._fault(_at(place, "difficulty"), "must be a planned facility between 0 and 1")
        return 0.0

    def _text(self, data: dict[str, Any], name: str, place: str) -> Bilingual:
        return self._bilingual(data.get(name), _at(place, name))

    def _bilingual(self, value: Any, place: str) -> Bilingual:
        """One text for both languages, or an object with both."""
        if isinstance(value, dict):
            self._known(value, ("zh", "en"), place)
            return Bilingual(
                self._line(value.get("zh"), f"{place}, zh"),
                self._line(value.get("en"), f"{place}, en"),
            )
        text = self._line(value, place)
        return Bilingual(text, text)

    def _line(self, value: Any, place: str) -> str:
        if isinstance(value, str) and value.strip() and len(value) <= _MAX_TEXT:
            return value.strip()
        self._fault(place, f"must be a text of 1 to {_MAX_TEXT} characters")
        return ""

    def _unique(self, noun: str, ids: Sequence[str]) -> None:
        for n, number in _repeated(ids):
            self._fault(f"{noun} {n} ({number})", "has an id that another one before it has")


def _at(place: str, name: str) -> str:
    return f"{place}, {name}" if place else name


def _names(point: KnowledgePoint) -> Iterator[str]:
    return filter(None, map(fold_name, (point.id, point.name.zh, point.name.en)))


def _repeated(ids: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Ids that occurred before, with their 1-based position."""
    seen: set[str] = set()
    for n, one in enumerate(ids, 1):
        if one and one in seen:
            yield n, one
        seen.add(one)
