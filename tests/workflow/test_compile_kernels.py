"""Everything can be compiled ahead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from inkmark.cli import main
from inkmark.workflow import compile_kernels

_ALONE = """
import importlib, pkgutil
from numba.core.dispatcher import Dispatcher
import inkmark
from inkmark.workflow import compile_kernels

def kernels():
    for module in pkgutil.walk_packages(inkmark.__path__, "inkmark."):
        if module.name.endswith("_kernels") and "training" not in module.name:
            room = importlib.import_module(module.name)
            for name in room.__all__:
                if isinstance(getattr(room, name), Dispatcher):
                    yield f"{module.name}.{name}", getattr(room, name)

compile_kernels()
ahead = {name: list(kernel.signatures) for name, kernel in kernels()}
for name, signatures in ahead.items():
    assert signatures, f"{name} is not compiled ahead"

from decimal import Decimal
from dataclasses import replace
from pathlib import Path
import numpy as np
from inkmark.exam import Exam, Item, ItemType, Policy
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, build_layout, print_sheets
from inkmark.omr import RegistrationFailure, read_bubbles, register
from inkmark.simulator import PhoneModel, photograph, render_pages

items = tuple(
    Item(str(n + 1), ItemType.SINGLE, tuple("ABC"), ("A",), Decimal(1)) for n in range(20)
)
exam = Exam("E", "-", "-", "-", None, "en", Policy(), items, ())
layout = build_layout(exam)
print_sheets(layout, exam, Path("sheet.pdf"), None)
(flat,) = render_pages(Path("sheet.pdf"), 150.0)
page = layout.pages[0]
model = PhoneModel(1500, 2000, tilt_deg=25.0, tilt_towards_deg=30.0, roll_deg=4.0)
photo = photograph(flat, 150.0, model, np.random.default_rng(1))
for pixels, anchors in (
    (photo, page.anchors),
    (photo, Anchors(AnchorKind.SHEET_EDGES)),
    (flat, Anchors(AnchorKind.IMAGE)),
):
    one = replace(page, anchors=anchors)
    registration = register(Pixels.of(pixels), one)
    assert not isinstance(registration, RegistrationFailure), registration
    read_bubbles(Pixels.of(pixels), one, registration)
for name, kernel in kernels():
    assert list(kernel.signatures) == ahead[name], f"{name} is compiled again"
print("all", len(ahead))
"""


def test_what_is_compiled_is_not_compiled_again() -> None:
    compile_kernels()
    told: list[bool] = []
    assert not compile_kernels(lambda: told.append(True))
    assert told == []
    result = CliRunner().invoke(main, ["compile", "--json"], catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, '{"compiled": false}\n')


def test_all_kernels_are_compiled_ahead(tmp_path: Path) -> None:
    """In a process of its own: in this one other tests have used the kernels."""
    done = subprocess.run(
        [sys.executable, "-c", _ALONE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 20
