"""Reading accuracy: simulated pages under all conditions; silent errors, flags and rejects.

The default is a sample of about 500 pages. The figures that are published come from
``python -m benchmarks.read_accuracy --size 20 --parts FOLDER``; parts that the same commit
left there are not read again. ``--draw "3 bad" 1017 page.png`` shows one page and what was read
on it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from benchmarks._accuracy_pages import GROUPS, SHEETS, Group, Manner, make_page
from benchmarks._accuracy_tally import (
    BINS,
    MM_STEP,
    Case,
    Tally,
    read_stratum,
    read_test_page,
)
from benchmarks._bounds import upper_bound
from benchmarks.contract import Better, Kind, Options, Result, Row
from benchmarks.report import Record, facts_of_this_machine, save_record
from inkmark.readings import Flag, SheetIssue
from inkmark.simulator import Effect, Level

__all__ = ["main", "run"]

IN_SHORT = (
    "pages",
    "rejected",
    "bubbles",
    "normal",
    "silent",
    "plain silent",
    "damaged silent",
    "flagged %",
    "of them flagged %",
)
"""Columns of the runner's table; the command of this module prints all."""

FIRST_SEED = 1000
"""Seeds below are for those who make the reader."""
PAGES: dict[Level | Effect, int] = {
    Level.CLEAN: 60,
    Level.ORDINARY: 160,
    Level.BAD: 100,
    Level.PHONE: 50,
}
PAGES_OF_AN_EFFECT = 4
CHUNK = 20
ONE_AND_TWO = "1 and 2"


def run(options: Options) -> Result:  # noqa: ARG001 - nothing is timed
    """Read a sample of simulated pages.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    return _result(_measure(1.0, FIRST_SEED, os.cpu_count() or 1, None))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of this module.

    Parameters
    ----------
    arguments : sequence of str or None
        None: those of the process.

    Returns
    -------
    int
        0; 1 where there are silent errors in marks that have a truth, on whole or damaged
        fields.
    """
    chosen = _parser().parse_args(arguments)
    if chosen.draw:
        stratum, seed, path = chosen.draw
        for line in list(_draw(_stratum(stratum), int(seed), Path(path))):
            print(line)
        return 0
    strata = [_stratum(name) for name in chosen.only] or None
    tally = _measure(chosen.size, chosen.seed, chosen.workers, chosen.parts, strata)
    result = _result(tally, chosen.seed)
    for line in _report(tally):
        print(line)
    for outcome in ("flagged", "decided") if chosen.cases else ():
        for line in _cases(tally, outcome):
            print(line)
    if chosen.json:
        save_record(Record(facts_of_this_machine(), (result,)), chosen.json)
    if chosen.svg:
        chosen.svg.write_text(_diagram(tally), "utf-8")
    kinds = ("normal silent", "plain silent", "damaged silent")
    return int(any(tally.get("level", level.value, kind) for level in Level for kind in kinds))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read_accuracy")
    parser.add_argument("--size", type=float, default=1.0, help="times the default's pages")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed of each row")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--parts", type=Path, help="folder that keeps what was read")
    parser.add_argument("--only", action="append", default=[], help="a level or an effect")
    parser.add_argument("--cases", action="store_true", help="list flags and decisions too")
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--svg", type=Path, help="write the reliability diagram")
    parser.add_argument("--draw", nargs=3, metavar=("ROW", "SEED", "PNG"), help="show one page")
    return parser


def _stratum(name: str) -> Level | Effect:
    return Level(name) if name in list(Level) else Effect(name)


# --- measuring --------------------------------------------------------------------------


def _measure(
    size: float,
    first_seed: int,
    workers: int,
    parts: Path | None,
    strata: Sequence[Level | Effect] | None = None,
) -> Tally:
    jobs = [
        (stratum, seeds)
        for stratum in strata or (*Level, *Effect)
        for seeds in _chunks(
            first_seed,
            max(1, round(size * PAGES.get(stratum, PAGES_OF_AN_EFFECT))),
        )
    ]
    total = Tally()
    found: dict[tuple[str, int], Tally] = {}
    if parts is not None:  # what another reader read says nothing about this one
        parts = parts / _kept_for()
        parts.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {}
        for stratum, seeds in jobs:
            path = _part(parts, stratum, seeds)
            if path is not None and path.exists():
                found[stratum.value, seeds.start] = _load(path)
            else:
                running[pool.submit(read_stratum, stratum, seeds)] = (stratum, seeds, path)
        for done in as_completed(running):
            stratum, seeds, path = running[done]
            found[stratum.value, seeds.start] = tally = done.result()
            if path is not None:
                _save(tally, path)
            if sys.stderr.isatty():
                print(f"\r{len(found)} of {len(jobs)} parts", end="", file=sys.stderr)
    for stratum, seeds in jobs:  # in this order, whoever was first
        total.merge(found[stratum.value, seeds.start])
    return total


def _kept_for() -> str:
    """The commit that parts belong to."""
    commit = facts_of_this_machine().commit or "no-repository"
    if commit.endswith("+changes"):
        raise SystemExit("Parts are kept for a commit: commit the changes first, or omit --parts.")
    return commit


def _chunks(first: int, n: int) -> Iterator[range]:
    for start in range(first, first + n, CHUNK):
        yield range(start, min(start + CHUNK, first + n))


def _part(parts: Path | None, stratum: Level | Effect, seeds: range) -> Path | None:
    if parts is None:
        return None
    return parts / f"{stratum.value.replace(' ', '-')}-{seeds.start}-{seeds.stop}.json"


def _save(tally: Tally, path: Path) -> None:
    content = {
        "counts": tally.counts,
        "cases": [asdict(case) for case in tally.cases],
        "rejects": tally.rejects,
    }
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(content), "utf-8")
    temporary.replace(path)


def _load(path: Path) -> Tally:
    content = json.loads(path.read_text("utf-8"))
    cases = [Case(**case) for case in content["cases"]]
    return Tally(Counter(content["counts"]), cases, content["rejects"])


# --- figures ----------------------------------------------------------------------------


def _normal(tally: Tally, row: str, outcome: str, table: str = "level") -> int:
    return tally.get(table, row, f"normal {outcome}")


def _figures(tally: Tally, table: str, row: str) -> dict[str, tuple[float, str, Better]]:
    """The columns of the tables of levels, effects and sheets."""
    right, flagged, silent = (
        _normal(tally, row, outcome, table) for outcome in ("right", "flagged", "silent")
    )
    n = right + flagged + silent
    pages, rejected = tally.get(table, row, "pages"), tally.get(table, row, "rejected")
    plain = [tally.get(table, row, f"plain {o}") for o in ("right", "flagged", "silent")]
    damaged = [tally.get(table, row, f"damaged {o}") for o in ("right", "flagged", "silent")]
    disputed = [tally.get(table, row, f"disputed {o}") for o in ("flagged", "decided")]
    return {
        "pages": (pages, "pages", Better.NEITHER),
        "rejected": (rejected, "pages", Better.LOWER),
        "bubbles": (tally.get(table, row, "bubbles"), "bubbles", Better.NEITHER),
        "normal": (n, "fields", Better.NEITHER),
        "silent": (silent, "fields", Better.LOWER),
        "flagged": (flagged, "fields", Better.LOWER),
        "flagged %": (100 * flagged / max(n, 1), "%", Better.LOWER),
        "silent below": (upper_bound(silent, n), "", Better.LOWER),
        "plain": (sum(plain), "fields", Better.NEITHER),
        "plain flagged": (plain[1], "fields", Better.LOWER),
        "plain silent": (plain[2], "fields", Better.LOWER),
        "damaged": (sum(damaged), "fields", Better.NEITHER),
        "damaged silent": (damaged[2], "fields", Better.LOWER),
        "disputed": (sum(disputed), "fields", Better.NEITHER),
        "of them flagged %": (100 * disputed[0] / max(sum(disputed), 1), "%", Better.HIGHER),
    }


def _result(tally: Tally, seed: int = FIRST_SEED) -> Result:
    rows = []
    for table, row in _table_rows():
        if not tally.get(table, row, "pages"):
            continue
        figures = _figures(tally, table, row)
        for label in IN_SHORT:
            value, unit, better = figures[label]
            rows.append(Row(label, value, unit, Kind.ACCURACY, better, group=row))
    notes = (*_distances(tally), *_reliability(tally), *_cases(tally, "silent"), *_rejects(tally))
    return Result("read_accuracy", tuple(rows), seed, notes)


def _table_rows() -> list[tuple[str, str]]:
    levels = [("level", name) for name in (ONE_AND_TWO, *(level.value for level in Level))]
    effects = [("effect", effect.value) for effect in Effect]
    return levels + effects + [("sheet", sheet.name) for sheet in SHEETS]


def _report(tally: Tally) -> Iterator[str]:
    """All tables as lines of Markdown."""
    for title, table in (
        ("Conditions", "level"),
        ("Single effects on a clean scan", "effect"),
        ("Kinds of sheets, all conditions", "sheet"),
    ):
        rows = [row for name, row in _table_rows() if name == table]
        rows = [row for row in rows if tally.get(table, row, "pages")]
        if rows:
            labels = list(_figures(tally, table, rows[0]))
            lines = [
                [row, *(_shown(value) for value, *_ in _figures(tally, table, row).values())]
                for row in rows
            ]
            yield from _markdown(title, ["", *labels], lines)
    yield from _manner_tables(tally)
    yield from _distances(tally)
    yield from _reliability(tally)
    yield from _cases(tally, "silent")
    yield from _rejects(tally)


def _rejects(tally: Tally) -> Iterator[str]:
    if tally.rejects:
        yield from ("", "Rejected pages, with some of their seeds:")
        for reason, seeds in sorted(tally.rejects.items()):
            yield f"- {len(seeds)} of {reason} ({', '.join(map(str, seeds[:6]))})"


def _cases(tally: Tally, outcome: str) -> Iterator[str]:
    cases = [case for case in tally.cases if case.outcome == outcome]
    if cases:
        yield from ("", f"Fields {outcome}:")
    for c in cases:
        part = " (part of it is damaged)" if c.is_damaged else ""
        yield (
            f"- {c.stratum} {c.seed} {c.field}: {c.manner}{part}, {c.expected!r} read as "
            f"{c.value!r}, confidence {c.confidence:.4f}"
        )


def _manner_tables(tally: Tally) -> Iterator[str]:
    levels = [level for level in Level if tally.get("level", level.value, "pages")]
    if not levels:
        return
    for group in Group:
        is_disputed = group is Group.DISPUTED
        outcomes = ("flagged", "decided") if is_disputed else ("right", "flagged", "silent")
        lines = [
            [
                manner.value,
                *(
                    str(tally.get(f"manner {level.value}", manner.value, outcome))
                    for level in levels
                    for outcome in outcomes
                ),
            ]
            for manner in (m for m in Manner if GROUPS[m] is group)
        ]
        labels = [f"{level.value}: {outcome}" for level in levels for outcome in outcomes]
        yield from _markdown(f"{group.value.capitalize()}, by manner", ["", *labels], lines)


def _distances(tally: Tally) -> Iterator[str]:
    lines = []
    for level in Level:
        table = f"distance {level.value}"
        places = [(int(k.split("|")[1]), n) for k, n in tally.counts.items() if k.startswith(table)]
        if not places:
            continue
        at, n = (np.array(column) for column in zip(*sorted(places), strict=True))
        share = np.cumsum(n) / n.sum()
        quantiles = [(at[np.searchsorted(share, q)] + 1) * MM_STEP for q in (0.5, 0.99, 0.9999)]
        lines.append(
            [level.value, str(n.sum()), *(f"{q:.2f}" for q in (*quantiles, (at[-1] + 1) * MM_STEP))]
        )
    if lines:
        labels = ["", "bubbles", "median", "99 %", "99.99 %", "largest"]
        yield from _markdown("Registration against the truth, mm", labels, lines)


def _classes(tally: Tally) -> list[tuple[float, float, int, float, float]]:
    """Classes of confidence: edges, fields, mean predicted and observed share of right ones."""
    classes = []
    for k in range(len(BINS) - 1):
        n = tally.get("confidence", str(k), "n")
        if n:
            predicted = tally.get("confidence", str(k), "predicted e-9") / 1e9 / n
            observed = tally.get("confidence", str(k), "right") / n
            classes.append((BINS[k], BINS[k + 1], n, predicted, observed))
    return classes


def _reliability(tally: Tally) -> Iterator[str]:
    lines = [
        [f"{low:g} to {high:g}", str(n), f"{predicted:.5f}", f"{observed:.5f}"]
        for low, high, n, predicted, observed in _classes(tally)
    ]
    if lines:
        labels = ["confidence", "fields", "predicted right", "observed right"]
        yield from _markdown("Reliability, all levels, marks that have a truth", labels, lines)


def _diagram(tally: Tally) -> str:
    """Observed against predicted errors, both axes logarithmic, as SVG."""

    def at(error: float) -> float:
        return 60 + 80 * min(-math.log10(max(error, 1e-5)), 5.0)

    points = "".join(
        f'<circle cx="{at(1 - p):.1f}" cy="{520 - at(1 - o):.1f}" '
        f'r="{2 + math.log10(n):.1f}" fill="#1f5fa8"><title>{n} fields</title></circle>'
        for _, _, n, p, o in _classes(tally)
    )
    ticks = "".join(
        f'<text x="{at(10.0**-k):.0f}" y="478" text-anchor="middle">{10.0**-k:g}</text>'
        f'<text x="52" y="{524 - at(10.0**-k):.0f}" text-anchor="end">{10.0**-k:g}</text>'
        for k in range(6)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="500" height="510" '
        'font-family="sans-serif" font-size="12">'
        '<rect x="60" y="60" width="400" height="400" fill="none" stroke="#888"/>'
        '<path d="M60 460 L460 60" stroke="#888" stroke-dasharray="4 3"/>'
        f"{ticks}{points}"
        '<text x="260" y="500" text-anchor="middle">predicted share of errors</text>'
        '<text x="18" y="260" text-anchor="middle" transform="rotate(-90 18 260)">'
        "observed share of errors (1e-05: none)</text></svg>\n"
    )


def _markdown(title: str, labels: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from ("", f"**{title}**", "", "| " + " | ".join(labels) + " |")
    yield "|---|" + "---:|" * (len(labels) - 1)
    yield from ("| " + " | ".join(line) + " |" for line in lines)


def _shown(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}"


# --- one page ---------------------------------------------------------------------------


def _draw(stratum: Level | Effect, seed: int, path: Path) -> Iterator[str]:
    """Write the page with the true places of the bubbles and what was read there.

    Green: read right; orange: flagged; red: silently wrong; grey: damaged. Blue crosses are
    where the registration puts the centres.
    """
    test = make_page(stratum, seed)
    reading = read_test_page(test, seed)
    picture = cv2.cvtColor(test.image.pixels, cv2.COLOR_GRAY2BGR)
    yield f"{test.sheet.name}, page {test.page_number + 1}, {test.condition}"
    found = {} if isinstance(reading, SheetIssue) else {r.field: r for r in reading.fields}
    if isinstance(reading, SheetIssue):
        yield f"rejected: {reading.message}"
    fields = {f.name: f for f in test.page.fields}
    for name, expected in test.expected.items():
        seen, bubbles = found.get(name), fields[name]
        flagged = seen is not None and seen.flag is not Flag.OK
        is_right = seen is not None and seen.value == expected.value
        colour = (0, 140, 255) if flagged else (0, 150, 0) if is_right else (0, 0, 255)
        if name in test.image.damaged:
            colour = (128, 128, 128)
        half = np.array([bubbles.bubble_w, bubbles.bubble_h]) / 2  # type: ignore[union-attr]
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
        for centre in bubbles.centres():  # type: ignore[union-attr]
            box = np.rint(test.image.pose.to_px(centre + corners) * 8).astype(np.int32)
            cv2.polylines(picture, [box], True, colour, 1, cv2.LINE_AA, 3)
            if not isinstance(reading, SheetIssue):
                x, y = np.rint(reading.registration.to_px(centre)[0]).astype(int).tolist()
                cv2.drawMarker(picture, (x, y), (255, 80, 0), cv2.MARKER_CROSS, 7)
        if seen is None or flagged or not is_right:
            fill = " ".join(f"{f:.2f}" for f in seen.fill) if seen else ""
            shown = (seen.value, str(seen.flag), round(seen.confidence, 4)) if seen else None
            damaged = "damaged, " if name in test.image.damaged else ""
            yield f"{name}: {damaged}{expected.manner}, {expected.value!r}: {shown} [{fill}]"
    cv2.imwrite(str(path), picture)


if __name__ == "__main__":
    sys.exit(main())
