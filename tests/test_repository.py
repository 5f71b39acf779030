"""What must hold for the files of the repository as a whole."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import inkmark

REPOSITORY = Path(__file__).resolve().parent.parent

MOST_LINES = 520

# Files that may be longer, each with its reason.
LONG_FILES: dict[str, str] = {}

MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:work|tmp|home|root)/\w")
REGISTRIES = re.compile(
    r"https?://\S*(?:pypi|registry|mirror|artifactory|nexus|simple/)", re.IGNORECASE
)
TEXT = {".cfg", ".css", ".csv", ".html", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml"}


def tracked(*patterns: str) -> list[Path]:
    """Files in git's index and new files that it does not ignore."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*git, "--exclude-standard", "--", *patterns],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [REPOSITORY / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def dependencies() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *itertools.chain.from_iterable(extras)]


def text_files() -> list[Path]:
    names = {"Makefile", "run", "find-python", ".gitignore", "LICENSE"}
    return [path for path in tracked() if path.suffix in TEXT or path.name in names]


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_no_paths_of_one_machine() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path in text_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert found == []


def test_no_addresses_of_package_registries() -> None:
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in text_files()
        for match in REGISTRIES.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_files_stay_short() -> None:
    long = {
        name_of(path)
        for path in tracked("*.py")
        if len(path.read_text("utf-8").splitlines()) > MOST_LINES
    }
    assert long - set(LONG_FILES) == set(), "split them, or say in LONG_FILES why not"
    assert set(LONG_FILES) - long == set(), "these are short again"


def test_kernels_call_none_of_another_file() -> None:
    """numba would keep the old code of the other file when that changes."""
    n_kernels = 0
    for path in tracked("inkmark/*_kernels.py"):
        module = importlib.import_module(name_of(path).removesuffix(".py").replace("/", "."))
        for value in vars(module).values():
            if hasattr(value, "py_func"):
                n_kernels += 1
                assert value.py_func.__module__ == module.__name__
    assert n_kernels > 0


def test_nothing_large_slips_in() -> None:
    limit = 2_000_000
    large = {name_of(path) for path in tracked() if path.stat().st_size > limit}
    assert {name for name in large if not name.startswith("inkmark/fonts/NotoSansSC-")} == set()


def test_fonts_come_with_their_licence() -> None:
    fonts = REPOSITORY / "inkmark" / "fonts"
    assert sorted(path.name for path in fonts.glob("*.ttf"))
    licence = (fonts / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Copyright" in licence


def test_licence_is_the_one_declared() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (REPOSITORY / "LICENSE").read_text("utf-8")
    assert all((REPOSITORY / name).is_file() for name in project["license-files"])


def test_changelog_knows_the_version() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert headings[0][0] in ("Unreleased", inkmark.__version__)
    assert inkmark.__version__ in [version for version, _ in headings]
    released = [date for version, date in headings if version != "Unreleased" and date]
    assert released == sorted(released, reverse=True)


def test_constraints_pin_every_dependency_by_name_and_version_only() -> None:
    files = [REPOSITORY / name for name in ("constraints.txt", "constraints-extras.txt")]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+", pin)] == []
    pinned = {_normal(pin.partition("==")[0]) for pin in pins}
    assert {_normal(re.split(r"[\[<>=~! ]", want)[0]) for want in dependencies()} <= pinned


def test_every_dependency_has_both_bounds() -> None:
    assert [want for want in dependencies() if not (">=" in want and "<" in want)] == []


def test_no_two_files_of_tests_have_one_name() -> None:
    """Pytest takes them for one module."""
    names = Counter(path.name for path in tracked("tests/**/test_*.py"))
    assert [name for name, n in names.items() if n > 1] == []


def test_the_room_of_every_test_is_a_room_of_the_package() -> None:
    rooms = {
        path.parent.name
        for path in tracked("tests/*/test_*.py")
        if path.parent.parent.name == "tests"
    }
    packages = {path.parent.name for path in tracked("inkmark/*/__init__.py")}
    assert rooms - {"benchmarks"} <= packages


@pytest.mark.parametrize("path", tracked("inkmark/*.py"), ids=name_of)
def test_no_dangerous_calls(path: Path) -> None:
    """No eval, exec, pickle or shell; input is hostile."""
    tree = ast.parse(path.read_text("utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert calls & {"eval", "exec", "pickle.load", "pickle.loads", "os.system"} == set()
    assert not any(
        keyword.arg == "shell"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    )


@pytest.mark.parametrize("path", tracked("inkmark/*.py"), ids=name_of)
def test_nothing_talks_to_a_network(path: Path) -> None:
    network = {"ftplib", "http", "httpx", "requests", "smtplib", "socket", "urllib", "urllib3"}
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert imported & network == set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
