"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import click
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import inkmark
from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder, write_template
from inkmark.layouts import SheetOptions, build_layout, print_sheets, save_layout
from inkmark.readings import Flag
from inkmark.store import schema
from inkmark.workflow.reading import CSV_COLUMNS
from tools.references import commands, pages

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])

MODULES = ["inkmark"] + [
    module.name
    for module in pkgutil.walk_packages(inkmark.__path__, "inkmark.")
    if not any(part.startswith("_") for part in module.name.split("."))
]


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


# Pages and links


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    seen: set[Path] = set()
    queue = [DOCS / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        queue += [(page.parent / target).resolve() for target in targets]
    assert set(DOCS.rglob("*.md")) - seen == set()


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md"])
def test_both_languages_have_the_same_parts(name: str) -> None:
    english = REPOSITORY / name
    chinese = english.with_suffix(".zh-CN.md")
    levels = [
        re.findall(r"^(#+) ", without_code(p.read_text("utf-8")), re.MULTILINE)
        for p in (english, chinese)
    ]
    assert levels[0] == levels[1]
    code = [
        [re.sub(r" *#.*", "", block) for block in code_blocks(p, "(?:bash|python)")]
        for p in (english, chinese)
    ]
    assert code[0] == code[1]


def test_glossary_gives_each_term_in_both_languages() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
        (DOCS / "glossary.md").read_text("utf-8"),
        re.MULTILINE,
    )
    terms = [row for row in rows if not set(row[0]) <= {"-", " ", ":"} and row[0] != "English"]
    assert len(terms) > 50
    assert [row for row in terms if not re.search(r"[\u4e00-\u9fff]", row[1])] == []
    assert len({row[0] for row in terms}) == len(terms)


def test_layers_in_the_decisions_are_those_that_are_checked() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    checked = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert code_blocks(DOCS / "decisions.md", "text")[0].splitlines() == checked


def test_every_dependency_has_its_paragraph() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["postgresql"]
    told = {
        name.lower()
        for name in re.findall(r"\*\*([\w-]+)\*\*", (DOCS / "decisions.md").read_text("utf-8"))
    }
    assert {re.split(r"[\[<>=]", want)[0].lower() for want in wanted} - told == set()


# Commands and exit codes


@pytest.fixture(scope="module")
def root() -> click.Command:
    return importlib.import_module("inkmark.cli").main


def test_pages_that_the_code_tells_are_up_to_date() -> None:
    old = [name_of(path) for path, text in pages().items() if path.read_text("utf-8") != text]
    assert old == [], "run: make docs"


def test_every_column_of_the_database_is_described() -> None:
    tables = schema.metadata.tables.values()
    silent = [str(column) for table in tables for column in table.columns if not column.comment]
    assert silent == []


def test_every_command_and_option_has_a_help_text(root: click.Command) -> None:
    silent = []
    for context in commands(root):
        if not context.command.help:
            silent.append(context.command_path)
        silent += [
            f"{context.command_path} {parameter.opts[0]}"
            for parameter in context.command.params
            if isinstance(parameter, click.Option) and not parameter.help
        ]
    assert silent == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_pages_exist(page: Path, root: click.Command) -> None:
    known = {tuple(context.command_path.split()): context for context in commands(root)}
    wrong = []
    for line in command_lines(page):
        words = line.split()
        path = tuple(words[:1])
        while words[len(path) : len(path) + 1] and (*path, words[len(path)]) in known:
            path = (*path, words[len(path)])
        context = known[path]
        rest = words[len(path) :]
        if isinstance(context.command, click.Group) and rest and not rest[0].startswith("-"):
            wrong.append(line)
        options = {
            name
            for parameter in context.command.get_params(context)
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        used = {word.partition("=")[0] for word in rest if word.startswith("--")}
        if not used <= options:
            wrong.append(line)
    assert wrong == []


def test_every_exit_code_is_documented_and_the_other_way_round() -> None:
    page = (DOCS / "exit-codes.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `?(\w*)`? ?\|", page, re.MULTILINE)
    documented = {int(code): name for code, name in rows}
    modules = [importlib.import_module(name) for name in MODULES]
    errors = {error.exit_code: error.__name__ for error in all_children(InkmarkError)}
    errors |= {
        value: name
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("EXIT_")
    }
    named = {code: name for code, name in documented.items() if name}
    assert named == errors | {InkmarkError.exit_code: InkmarkError.__name__}
    assert {code for code, name in documented.items() if not name} == {0, 2}


# File formats


def first_columns(page: str, heading: str) -> list[str]:
    """First cells of the table in a page of docs/formats whose header begins so."""
    text = (DOCS / "formats" / page).read_text("utf-8")
    table = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `?(.+?)`? \|", table, re.MULTILINE)


def test_columns_of_readings_are_documented() -> None:
    assert first_columns("readings.md", "column") == list(CSV_COLUMNS)
    assert first_columns("readings.md", "flag") == [str(flag) for flag in Flag if flag]


# Code in pages


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_pages_uses_names_that_exist(page: Path) -> None:
    for block in code_blocks(page, "python"):
        tree = ast.parse(block)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("inkmark"):
                module = importlib.import_module(node.module or "")
                missing = [a.name for a in node.names if not hasattr(module, a.name)]
                assert missing == [], f"{node.module} has no {missing}"
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "inkmark"
            ):
                assert hasattr(inkmark, node.attr), f"inkmark has no {node.attr}"


def test_python_in_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On sheets of the example exam, printed and not filled in."""
    midterm = ExamFolder(tmp_path / "midterm")
    midterm.scans.mkdir(parents=True)
    write_template(midterm.workbook, language="en")
    exam = inkmark.load_exam(midterm.root)
    layout = build_layout(exam, SheetOptions())
    save_layout(layout, midterm.layout)
    print_sheets(layout, exam, midterm.scans / "batch.pdf", exam.candidates[:2])
    (midterm.scans / "notes.txt").write_text("no scan", "utf-8")
    monkeypatch.chdir(tmp_path)
    (block,) = code_blocks(REPOSITORY / "README.md", "python")
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - our own text
    printed = capsys.readouterr().out
    assert len(re.findall(r"^midterm/scans/batch\.pdf.* Q1  ", printed, re.MULTILINE)) == 2


# Docstrings


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    """Modules, classes, functions and methods are described, and described as they are."""
    module = importlib.import_module(name)
    faults = [] if module.__doc__ else [f"{name}: no docstring"]
    for label, value in public_members(module):
        faults += [f"{label}: {fault}" for fault in docstring_faults(label, value)]
    assert faults == []


# Unknown sections or a wrong order of sections; no docstring; parameters that are missing,
# unknown or in another order.
CHECKS = {"GL06", "GL07", "GL08", "PR01", "PR02", "PR03"}


def docstring_faults(label: str, value: object) -> list[str]:
    if isinstance(value, type):
        return class_faults(value)
    faults = {code: text for code, text in validate(label)["errors"] if code in CHECKS}
    text = inspect.getdoc(value) or ""
    if text:  # of its own, or that of the method it stands for
        faults.pop("GL08", None)
    if "\nParameters\n" not in text:  # one line may say all there is to say
        faults.pop("PR01", None)
    return list(faults.values())


def class_faults(value: type) -> list[str]:
    text = value.__doc__
    if not text or text.startswith(f"{value.__name__}("):  # what dataclasses makes up
        return ["The class has no docstring"]
    if not dataclasses.is_dataclass(value):
        return []
    listed = [
        name.strip()
        for entry in NumpyDocString(inspect.cleandoc(text))["Attributes"]
        for name in entry.name.split(",")
    ]
    fields = [field.name for field in dataclasses.fields(value) if field.name[0] != "_"]
    missing = [field for field in fields if listed and field not in listed]
    unknown = [name for name in listed if not hasattr(value, name) and name not in fields]
    return [f"Attributes lack {missing}"] * bool(missing) + [
        f"Attributes tell of {unknown}, which is not there"
    ] * bool(unknown)


def public_members(module: ModuleType) -> Iterator[tuple[str, object]]:
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        label = f"{module.__name__}.{name}"
        yield label, value
        if inspect.isclass(value):
            for inner, member in vars(value).items():
                if not inner.startswith("_") and isinstance(member, MEMBERS):
                    yield f"{label}.{inner}", getattr(value, inner)


MEMBERS = (FunctionType, staticmethod, classmethod, property)


# Helpers


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def code_blocks(page: Path, language: str) -> list[str]:
    text = page.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def command_lines(page: Path) -> Iterator[str]:
    """Calls of inkmark in the shell blocks of a page."""
    for block in code_blocks(page, "(?:bash|sh|console)"):
        for line in block.replace("\\\n", " ").splitlines():
            call = line.removeprefix("$ ").partition("#")[0].strip()
            if call.startswith("inkmark "):
                yield call


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(page.read_text("utf-8")), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        number = sum(1 for other in found if re.fullmatch(re.escape(slug) + r"(-\d+)?", other))
        found.add(f"{slug}-{number}" if number else slug)
    return found


def all_children(error: type[InkmarkError]) -> set[type[InkmarkError]]:
    children = set(error.__subclasses__())
    return children.union(*(all_children(child) for child in children))
