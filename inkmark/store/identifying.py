"""Whose every page is: settled from what was read, the roster and decisions by hand.

A page that bears a number read beyond doubt is that candidate's. The other pages with a
number are matched with the candidates that are left, all at once. A decision by hand goes
before both. Pages of one sheet of paper, by its code, are one sheet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from inkmark.exam import Candidate
from inkmark.geometry import Box
from inkmark.marking import (
    Doubt,
    Identity,
    NumberEvidence,
    contested_by,
    fits,
    identify_sheets,
    number_evidence,
)
from inkmark.readings import CodeReading, IssueKind
from inkmark.store import schema
from inkmark.store.adding import in_chunks
from inkmark.store.deciding import all_identities, decided
from inkmark.store.records import IdentityDecision, sheet_of
from inkmark.store.rows import READ, field_reading

__all__ = [
    "IDENTIFIED",
    "Facts",
    "Verdict",
    "describe",
    "identify_pages",
]

IDENTIFIED = (READ, str(IssueKind.DUPLICATE_PAGE), str(IssueKind.DUPLICATE_IMAGE))
"""Status of a page whose candidate is known and may take part in the exam."""

_UNREGISTERED = str(IssueKind.UNREGISTERED)
_UNKNOWN = str(IssueKind.UNKNOWN_CANDIDATE)
_TO_IDENTIFY = (
    *IDENTIFIED,
    _UNREGISTERED,
    _UNKNOWN,
    str(IssueKind.UNIDENTIFIED),
    str(IssueKind.SET_ASIDE),
)
_COLUMNS = ("id", "path", "page_index", "sha256", "page_number", "serial", "named", "claim",
            "fault", "candidate", "status", "message", "guesses")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What pages are settled by.

    Attributes
    ----------
    layout_version : str
        Layout in use.
    numbers : mapping of int to mapping of str to str
        Pages of the layout that bear a number of the candidate themselves: their fields with
        a number, and the column of the roster each is in, empty for the candidate number.
    roster : mapping of str to Candidate, or None
        By candidate number; None where there is no roster and anybody may come.
    folder : str
        Folder of the scans, with a slash at its end; empty where only some of its files
        were looked at.
    files : frozenset of str
        The files that are in the folder.
    """

    layout_version: str
    numbers: Mapping[int, Mapping[str, str]]
    roster: Mapping[str, Candidate] | None
    folder: str = ""
    files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose page it is.

    Attributes
    ----------
    candidate : str
        Empty where it is not known.
    status : str
        `READ` where it is, for the roster and further images of the page to be looked at.
    message : str
    guesses : tuple of (str, float)
    """

    candidate: str
    status: str = READ
    message: str = ""
    guesses: tuple[tuple[str, float], ...] = field(default=())


_TO_DO = (
    "Say whose sheet it is with inkmark identify, or correct the number on the sheet and scan it "
    "again."
)
_LIKELY = 0.5
"""Whose sheet it is this probably is named where that one has another."""


def describe(doubt: Doubt, evidence: Sequence[NumberEvidence]) -> str:
    """Say why it is not known whose page it is, and what to do."""
    shown = ", ".join(dict.fromkeys(e.shown for e in evidence if not e.is_blank))
    number = "cannot be read" if any(e.best[0] for e in evidence) else "is blank"
    why = {
        Doubt.BLANK: f"the candidate number {number} and there is no readable code that names the "
        "candidate",
        Doubt.UNCERTAIN: f"the candidate number is read as {shown}, which is not sure enough",
        Doubt.CONTRADICTORY: f"the numbers on the page contradict each other: {shown}",
        Doubt.NOT_ON_ROSTER: f"candidate {shown} is not on the roster",
        Doubt.TWO_SHEETS: f"there is another sheet with the number {shown}",
    }[doubt]
    return f"{why}. {_TO_DO}"


def identify_pages(connection: sa.Connection, exam_id: str, facts: Facts) -> None:
    """Settle whose every page is that bears a number itself, or was decided by hand."""
    table = schema.pages
    query = sa.select(*(table.c[name] for name in _COLUMNS)).where(
        table.c.exam_id == exam_id,
        table.c.layout_version == facts.layout_version,
        table.c.status.in_(_TO_IDENTIFY),
        # Where not even the page of the layout is known, nothing can be said.
        sa.or_(table.c.page_number >= 0, table.c.fault != ""),
    )
    rows = sorted(connection.execute(query), key=lambda row: (row.path, row.page_index, row.sha256))
    verdicts = _verdicts(
        connection, rows, decided(rows, all_identities(connection, exam_id)), facts
    )
    for row in rows:
        verdict = verdicts.get(row.id)
        if verdict is not None:
            _apply(connection, row, verdict)


def _apply(connection: sa.Connection, row: Any, verdict: Verdict) -> None:
    """Write what has changed."""
    values: dict[str, Any] = {}
    known = row.candidate == verdict.candidate and row.status in (*IDENTIFIED, _UNKNOWN)
    if verdict.status != READ or not (known or row.status == _UNREGISTERED):
        values = {"status": verdict.status, "message": verdict.message}
    if row.fault and not verdict.candidate:
        values = {"status": _UNREGISTERED, "message": row.fault}
    values |= {"candidate": verdict.candidate, "guesses": [list(g) for g in verdict.guesses]}
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        table = schema.pages
        connection.execute(table.update().where(table.c.id == row.id).values(**changed))


def _verdicts(
    connection: sa.Connection,
    rows: Sequence[Any],
    by_hand: Mapping[int, IdentityDecision],
    facts: Facts,
) -> dict[int, Verdict]:
    verdicts: dict[int, Verdict] = {}
    firm: defaultdict[str, list[Any]] = defaultdict(list)
    waiting = []
    for row in rows:
        decision = by_hand.get(row.id)
        if decision is not None:
            verdicts[row.id] = _by_hand(decision)
            if decision.candidate:
                firm[decision.candidate].append(row)
        elif row.fault:
            verdicts[row.id] = Verdict(row.claim)
        elif _is_firm(row, facts):
            firm[row.claim].append(row)
        elif not row.serial or row.page_number in facts.numbers:
            waiting.append(row)
    for candidate, own in firm.items():
        verdicts |= _one_sheet_each(candidate, own, by_hand)
    evidence = _evidence(connection, waiting, facts)
    units = []
    owners = _owners(firm)
    copied = {sheet for sheet, own in owners.items() if len(own) > 1}
    for unit in _units(waiting, evidence, copied):
        held = owners.get(sheet_of(unit[0]), set())
        if len(held) == 1 and _belongs(unit, owner := next(iter(held)), evidence, facts):
            verdicts |= {row.id: Verdict(owner) for row in unit}
        else:
            units.append(unit)
    read = [_surest(unit, evidence) for unit in units]
    roster = () if facts.roster is None else tuple(facts.roster.values())
    found = identify_sheets(read, roster, taken=firm.keys())
    for unit, seen, identity in zip(units, read, found, strict=True):
        who, p = next(iter(identity.guesses), ("", 0.0))
        second = identity.doubt is Doubt.TWO_SHEETS or p >= _LIKELY
        if second and who in firm and identity.doubt in (Doubt.TWO_SHEETS, Doubt.UNCERTAIN):
            message = _has_another(who, firm[who], by_hand)
            given = Verdict("", str(IssueKind.UNIDENTIFIED), message, identity.guesses)
            verdicts |= {row.id: given for row in unit}
        else:
            verdicts |= {row.id: _verdict(row, seen, identity) for row in unit}
    on_paper = [identity for unit, identity in zip(units, found, strict=True) if sheet_of(unit[0])]
    contested = contested_by(on_paper) - {decision.candidate for decision in by_hand.values()}
    return {
        row.id: _two_sheets(verdict.candidate, 2, _contested(verdict.candidate))
        if verdict.candidate in contested and sheet_of(row)
        else verdict
        for row in rows
        if (verdict := verdicts.get(row.id)) is not None
    }


def _contested(candidate: str) -> str:
    return describe(Doubt.TWO_SHEETS, [NumberEvidence.of_text(candidate)])


def _owners(firm: Mapping[str, Sequence[Any]]) -> Mapping[str, set[str]]:
    """Sheets of paper by their code -> the candidates whose pages they hold, one unless copied."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for candidate, own in firm.items():
        for row in own:
            if sheet_of(row):
                owners[sheet_of(row)].add(candidate)
    return owners


def _is_firm(row: Any, facts: Facts) -> bool:
    """Whether a page bears the number of a candidate beyond doubt and nothing else speaks."""
    if not row.claim or (facts.roster is not None and row.claim not in facts.roster):
        return False
    return not any(facts.numbers.get(row.page_number, {}).values())


def _by_hand(decision: IdentityDecision) -> Verdict:
    if decision.candidate:
        return Verdict(decision.candidate)
    by = f" by {decision.decided_by}" if decision.decided_by else ""
    why = f": {decision.reason.rstrip('.')}" if decision.reason else ""
    message = f"set aside{by} as nobody's sheet{why}. Nothing needs to be done."
    return Verdict("", str(IssueKind.SET_ASIDE), message)


def _one_sheet_each(
    candidate: str, rows: Sequence[Any], by_hand: Mapping[int, IdentityDecision]
) -> dict[int, Verdict]:
    """Let a candidate have one sheet; where there are two, the one decided by hand counts.

    An image on which no code is read may be of a sheet whose code is; where there is none such,
    as on copies of one blank sheet, each image is a sheet of its own.
    """
    coded = any(sheet_of(row) for row in rows)
    papers = {row.id: sheet_of(row) if coded else _image(row) for row in rows}
    pages: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        pages[papers[row.id]].add(row.page_number)
    rivals = {
        paper
        for paper, own in pages.items()
        if paper
        and any(own & theirs for other, theirs in pages.items() if other not in ("", paper))
    }
    verdicts = {}
    for row in rows:
        if papers[row.id] in rivals and row.id not in by_hand:
            elsewhere = rivals - {papers[row.id]}
            others = [r for r in rows if papers[r.id] in elsewhere]
            message = _has_another(candidate, others, by_hand)
            verdicts[row.id] = _two_sheets(candidate, len(rivals), message)
        elif row.id not in by_hand:
            verdicts[row.id] = Verdict(candidate)
    return verdicts


def _image(row: Any) -> str:
    return f"{row.sha256} {row.page_index}"


def _has_another(candidate: str, others: Sequence[Any], by_hand: Collection[int]) -> str:
    """Say that there is a sheet of the candidate; one by decision may bear any number."""
    held = {str(row.path) for row in others if row.id in by_hand}
    files = ", ".join(sorted(held or {str(row.path) for row in others})[:3])
    why = (
        f"candidate {candidate} has another sheet by decision"
        if held
        else f"there is another sheet with the number {candidate}"
    )
    return f"{why} ({files}). {_TO_DO}"


def _two_sheets(candidate: str, n_sheets: int, message: str) -> Verdict:
    guess = ((candidate, round(1 / n_sheets, 4)),)
    return Verdict("", str(IssueKind.UNIDENTIFIED), message, guess)


def _evidence(
    connection: sa.Connection, rows: Sequence[Any], facts: Facts
) -> dict[int, tuple[NumberEvidence, ...]]:
    """What was read on pages about who the candidate is, by row id."""
    pages, readings = schema.pages, schema.readings
    names = sorted({name for own in facts.numbers.values() for name in own})
    evidence: dict[int, tuple[NumberEvidence, ...]] = {}
    for some in in_chunks(rows):
        ids = [row.id for row in some]
        query = (
            sa.select(readings)
            .where(readings.c.page_id.in_(ids), readings.c.field.in_(names))
            .order_by(readings.c.page_id, readings.c.id)
        )
        fields = {
            page_id: [field_reading(reading) for reading in group]
            for page_id, group in groupby(connection.execute(query), key=lambda row: row.page_id)
        }
        own = connection.execute(sa.select(pages.c.id, pages.c.codes).where(pages.c.id.in_(ids)))
        codes = {row.id: row.codes or () for row in own}
        for row in some:
            evidence[row.id] = number_evidence(
                facts.numbers.get(row.page_number, {}),
                fields.get(row.id, ()),
                [
                    CodeReading(code["field"], code["text"], code["format"], Box(**code["box_px"]))
                    for code in codes[row.id]
                ],
                row.named or row.claim,
            )
    return evidence


def _units(
    rows: Sequence[Any],
    evidence: Mapping[int, Sequence[NumberEvidence]],
    copied: Collection[str],
) -> list[list[Any]]:
    """Pages of one sheet of paper together; of a sheet that was copied each for itself."""
    together: defaultdict[str, list[Any]] = defaultdict(list)
    units = []
    for row in rows:
        if sheet_of(row):
            together[sheet_of(row)].append(row)
        else:
            units.append([row])
    for sheet, own in together.items():
        several = sheet in copied or any(
            not a.may_equal(b)
            for k, row in enumerate(own)
            for other in own[:k]
            if row.page_number == other.page_number
            for a, b in zip(evidence[row.id], evidence[other.id], strict=False)
            if not (a.is_blank or b.is_blank)
        )
        units += [[row] for row in own] if several else [own]
    return sorted(units, key=lambda unit: (unit[0].path, unit[0].page_index, unit[0].sha256))


def _surest(
    unit: Sequence[Any], evidence: Mapping[int, tuple[NumberEvidence, ...]]
) -> list[NumberEvidence]:
    """The evidence of a sheet.

    Several images of a page are no further evidence: the one that is read most surely counts.
    """
    pages: dict[int, tuple[NumberEvidence, ...]] = {}
    for row in unit:
        own, held = evidence[row.id], pages.get(row.page_number)
        if held is None or _sureness(own) > _sureness(held):
            pages[row.page_number] = own
    return [e for number in sorted(pages) for e in pages[number]]


def _sureness(evidence: Sequence[NumberEvidence]) -> tuple[int, float]:
    written = [e for e in evidence if not e.is_blank]
    return len(written), sum(e.best[1] for e in written)


def _belongs(
    unit: Sequence[Any],
    owner: str,
    evidence: Mapping[int, tuple[NumberEvidence, ...]],
    facts: Facts,
) -> bool:
    """Whether a sheet of which another page or image is a candidate's may be that one's too."""
    candidate = Candidate(owner) if facts.roster is None else facts.roster.get(owner)
    if candidate is None:
        return False
    return all(fits(evidence[row.id], candidate) for row in unit)


def _verdict(row: Any, evidence: Sequence[NumberEvidence], identity: Identity) -> Verdict:
    if identity.candidate:
        return Verdict(identity.candidate)
    if identity.doubt is Doubt.NOT_ON_ROSTER and row.claim:
        return Verdict(row.claim, guesses=identity.guesses)
    return Verdict(
        "", str(IssueKind.UNIDENTIFIED), describe(identity.doubt, evidence), identity.guesses
    )
