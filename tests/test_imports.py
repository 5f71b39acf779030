"""What an import loads, asked in fresh interpreters: heavy packages stay in their rooms."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

HEAVY = {
    "cv2",
    "numba",
    "numpy",
    "onnxruntime",
    "openpyxl",
    "pypdfium2",
    "rapidocr",
    "reportlab",
    "scipy",
    "skimage",
    "sqlalchemy",
    "zxingcpp",
}

PRINT_LOADED = "; import sys; print(*sys.modules)"

# numba itself imports scipy's top for its version; these are what takes time.
SCIPY = {"scipy.linalg", "scipy.optimize", "scipy.stats"}


def loaded_by(statement: str) -> set[str]:
    """Modules in memory after a statement in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", statement + PRINT_LOADED],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_inkmark_loads_nothing_heavy() -> None:
    assert not loaded_by("import inkmark") & HEAVY


def test_inkmark_loads_only_the_standard_library() -> None:
    ours = loaded_by("import inkmark") - loaded_by("pass")
    packages = {name.partition(".")[0] for name in ours}
    assert packages - {"inkmark"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("package", "kept_out"),
    [
        ("inkmark.errors", HEAVY),
        ("inkmark.geometry", HEAVY - {"numpy"}),
        ("inkmark.readings", HEAVY - {"numpy"}),
        ("inkmark.exam", {"cv2", "numba", "skimage", "reportlab", "sqlalchemy", "rapidocr"}),
        ("inkmark.layouts", {"skimage", "sqlalchemy", "rapidocr", "onnxruntime"}),
        ("inkmark.omr", SCIPY | {"skimage", "sqlalchemy", "reportlab", "rapidocr"}),
        ("inkmark.ocr", SCIPY | {"skimage", "sqlalchemy", "reportlab", "rapidocr", "onnxruntime"}),
        ("inkmark.marking", {"cv2", "skimage", "pypdfium2", "zxingcpp", "reportlab", "sqlalchemy"}),
        ("inkmark.analytics", {"cv2", "skimage", "pypdfium2", "zxingcpp", "reportlab"}),
        ("inkmark.analytics.diagnosis", SCIPY | {"cv2", "numba", "reportlab"}),
        ("inkmark.analytics.integrity", SCIPY | {"cv2", "numba", "reportlab"}),
        ("inkmark.analytics.irt", SCIPY | {"cv2", "numba", "reportlab"}),
        ("inkmark.analytics.tracing", SCIPY | {"cv2", "numba", "reportlab"}),
        ("inkmark.store", {"cv2", "skimage", "pypdfium2", "zxingcpp", "reportlab"}),
        ("inkmark.reports", {"cv2", "skimage", "pypdfium2", "zxingcpp", "rapidocr"}),
        ("inkmark.session", SCIPY | {"skimage", "rapidocr", "onnxruntime"}),
        ("inkmark.workflow.reading", SCIPY | {"skimage", "rapidocr", "reportlab"}),
        ("inkmark.cli.show", HEAVY - {"numpy"}),
    ],
)
def test_heavy_packages_stay_in_their_rooms(package: str, kept_out: set[str]) -> None:
    assert not loaded_by(f"import {package}") & kept_out


def test_help_loads_nothing_heavy() -> None:
    statement = """
from inkmark.cli import main
import sys
sys.argv = ["inkmark", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    assert not loaded_by(statement.strip() + "\npass") & HEAVY


@pytest.mark.parametrize("package", ["inkmark", "inkmark.workflow"])
def test_public_names_are_there_and_load_late(package: str) -> None:
    at_once = loaded_by(f"import {package}")
    assert "numpy" not in at_once
    statement = f"import {package} as p; assert all(hasattr(p, n) for n in p.__all__)"
    assert "numpy" in loaded_by(statement)


@pytest.mark.parametrize("package", ["inkmark", "inkmark.workflow"])
def test_unknown_public_name_is_refused(package: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = importlib.import_module(package).no_such_name
