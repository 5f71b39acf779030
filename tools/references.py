"""Write the pages that the code itself tells: ``python -m tools.references``.

docs/cli.md comes from the help texts of the commands, docs/formats/database.md from the
comments of the database schema. A test fails where a page is older than the code.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Column, MetaData

__all__ = ["cli_page", "commands", "database_page", "pages"]

DOCS = Path(__file__).resolve().parent.parent / "docs"

CLI_HEAD = """# Commands

Written by `make docs` from the help texts of the commands; `inkmark COMMAND --help` prints
the same. [Exit codes](exit-codes.md) say how a command ended.
"""

DATABASE_HEAD = """# Exam database

Written by `make docs` from the schema, version {version}. One schema serves SQLite (the file
`inkmark.db` of an exam folder) and PostgreSQL. Points are kept as whole hundredths, so that
no score ever passes through a binary fraction. Every score leads to its reading, every
reading to its page image and crop; a decision by hand stands beside the reading and never
replaces it.
"""


def commands(
    command: click.Command, name: str = "inkmark", parent: click.Context | None = None
) -> Iterator[click.Context]:
    """All commands below and including `command`, as they are when they are called.

    Parameters
    ----------
    command : click.Command
    name : str
        The word that calls `command`.
    parent : click.Context, optional
        The command that `command` stands in.

    Yields
    ------
    click.Context
    """
    context = click.Context(command, parent, name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            child = command.get_command(context, word)
            if child is not None and not child.hidden:
                yield from commands(child, word, context)


def cli_page(root: click.Command) -> str:
    """The page on all commands in Markdown.

    Parameters
    ----------
    root : click.Command

    Returns
    -------
    str
    """
    return CLI_HEAD + "".join(_section(context) for context in commands(root))


def database_page(metadata: MetaData, version: int) -> str:
    """The data dictionary of the exam database in Markdown.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
    version : int
        Version of the schema.

    Returns
    -------
    str
    """
    lines = [DATABASE_HEAD.format(version=version)]
    for table in metadata.tables.values():
        lines += [f"## {table.name}", "", "| column | type | meaning |", "|---|---|---|"]
        for column in table.columns:
            targets = [f"`{key.target_fullname}`" for key in column.foreign_keys]
            notes = ["key"] if column.primary_key else []
            notes += [f"refers to {target}" for target in sorted(targets)]
            notes += ["may be null"] if column.nullable else []
            meaning = "; ".join([column.comment or "", *notes])
            lines.append(f"| `{column.name}` | {_type(column)} | {_cell(meaning)} |")
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Every page that the code tells, by its file.

    Returns
    -------
    dict of Path to str
    """
    from inkmark.cli import main as root  # noqa: PLC0415 - heavy where a command is
    from inkmark.store import schema  # noqa: PLC0415 - heavy

    return {
        DOCS / "cli.md": cli_page(root),
        DOCS / "formats" / "database.md": database_page(schema.metadata, schema.SCHEMA_VERSION),
    }


def _section(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = ["", f"## {context.command_path}", "", "```text", usage, "```", ""]
    lines += _paragraphs(command.help or "")
    rows = [
        (f"`{_names(parameter, context)}`", _help(parameter, context))
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    lines += ["| option | meaning |", "|---|---|"]
    lines += [f"| {_cell(names)} | {_cell(text)} |" for names, text in rows]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> list[str]:
    # \b begins a paragraph that click prints line by line.
    lines: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            lines += ["```text", *paragraph.splitlines()[1:], "```", ""]
        else:
            lines += [*paragraph.splitlines(), ""]
    return lines


def _names(option: click.Option, context: click.Context) -> str:
    names = ", ".join(option.opts)
    if option.secondary_opts:
        return f"{names} / {', '.join(option.secondary_opts)}"
    if option.is_flag or option.count:
        return names
    return f"{names} {option.make_metavar(context)}"


def _help(option: click.Option, context: click.Context) -> str:
    text = " ".join((option.help or "").split())
    extra = option.get_help_extra(context)
    notes = [f"default: {extra['default']}"] if "default" in extra else []
    notes += ["required"] if option.required else []
    notes += ["may be given several times"] if option.multiple else []
    if notes:
        text += f" ({'; '.join(notes)})"
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(column: Column[Any]) -> str:
    name = type(column.type).__name__
    return "hundredths of a point" if name == "Points" else name.lower()


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
